/*
 * Tangents of a rule that has no jvp, by central differences of its forward. dw_ij depends on x_j,
 * y_i, w_ij and theta alone, so that slopes with respect to x, y and w come for all synapses at
 * once, from two calls of `forward` each; theta takes two calls per direction.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_RULE_DIFFERENCES_H
#define PLASTFIT_CORE_SENSITIVITY_RULE_DIFFERENCES_H

#include "core/sensitivity/tangents.h"

/** As the op `jvp`; pool: memory that stays. */
pf_status pf_rule_jvp_by_differences(const pf_plastic *plastic, const pf_block *in,
                                     const pf_rule_tangent *tangent, pf_pool *pool,
                                     pf_error *error);

#endif
