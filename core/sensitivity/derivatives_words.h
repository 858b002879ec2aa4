/* How derivatives were had, in words for reports. */
#ifndef PLASTFIT_CORE_SENSITIVITY_DERIVATIVES_WORDS_H
#define PLASTFIT_CORE_SENSITIVITY_DERIVATIVES_WORDS_H

#include <stdint.h>

/** Of PF_INFORMATION_* flags: "exact", or what took the place of the curvature. */
const char *pf_derivatives_words(uint32_t derivatives);

#endif
