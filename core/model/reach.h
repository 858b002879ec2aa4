/* What a rule's changes can reach: the units that the existing synapses lead to. */
#ifndef PLASTFIT_CORE_MODEL_REACH_H
#define PLASTFIT_CORE_MODEL_REACH_H

#include "core/model/model.h"

/**
 * How many synapses a rule changes, and whether a change of any reaches, through the synapses that
 * there are, a unit that a loss looks at. What it reaches is a matter of masks alone: a weight that
 * is 0 may change.
 */
pf_status pf_model_reach(const pf_model *model, size_t plastic, int64_t *n_changing, bool *seen,
                         pf_error *error);

#endif
