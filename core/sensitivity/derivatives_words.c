#include "core/sensitivity/derivatives_words.h"

#include "core/sensitivity/sensitivity.h"

const char *pf_derivatives_words(uint32_t derivatives)
{
  return (derivatives & PF_INFORMATION_OUTER_PRODUCTS) != 0 ? "products of scores" : "exact";
}
