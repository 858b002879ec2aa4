#include "core/model/terms.h"

#include <ctype.h>

bool pf_is_taylor_name(const char *name)
{
  static const char letters[] = "XYWR";
  for (size_t i = 0; i < 4; i++) {
    if (name[0] != letters[i] || !isdigit((unsigned char)name[1])) {
      return false;
    }
    name += 2;
  }
  return *name == '\0';
}

bool pf_is_open_term(const pf_model *model, size_t i)
{
  const pf_model_parameter *parameter = &model->parameters[i];
  return i < model->network_theta0 && !parameter->own_penalty && !parameter->tied &&
         (parameter->declared.flags & PF_PARAMETER_FIXED) == 0 && parameter->declared.lower < 0.0 &&
         parameter->declared.upper > 0.0 && pf_is_taylor_name(parameter->declared.name);
}

size_t pf_count_open_terms(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->network_theta0; i++) {
    n += pf_is_open_term(model, i) ? 1 : 0;
  }
  return n;
}
