/* Linear expressions of channels: what a modulator is. */
#ifndef PLASTFIT_CORE_DATA_LINEAR_H
#define PLASTFIT_CORE_DATA_LINEAR_H

#include <plastfit/abi/base.h>

/** A linear expression of channels: c0 + sum c_k channel_k, e.g. "reward - 0.5 expected_reward". */
typedef struct pf_linear {
  double constant;
  size_t n;
  char **names;
  double *factors;
} pf_linear;
/** Parse; the line points at the column. `known`: channel names that exist (unknown: error with the
 * nearest). */
pf_status pf_linear_parse(const char *text, pf_names known, pf_linear *out, pf_error *error);
void pf_linear_free(pf_linear *linear);

#endif
