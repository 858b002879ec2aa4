/*
 * Tangents of a rule that has no jvp, exactly, from its vjp: the adjoint of one synapse alone is
 * its slopes by all that it depends on. One call for each synapse, whatever the number of
 * directions; a rule's own jvp is faster.
 */
#ifndef PLASTFIT_CORE_STATE_RULE_SLOPES_H
#define PLASTFIT_CORE_STATE_RULE_SLOPES_H

#include "core/base/pool.h"
#include "core/model/model.h"

/** Tangents of dw, by the rule's jvp or from its slopes. pool: memory that stays. */
pf_status pf_rule_jvp(const pf_plastic *plastic, const pf_block *in, const pf_rule_tangent *tangent,
                      pf_pool *pool, pf_error *error);

/** Tangents of the traces after a step, `next` as in the op update_traces_jvp; by that op or from
 * slopes. */
pf_status pf_rule_traces_jvp(const pf_plastic *plastic, const pf_block *in,
                             const pf_rule_tangent *tangent, const pf_traces *next, pf_pool *pool,
                             pf_error *error);

#endif
