/*
 * When each population of a model is evaluated (enum pf_phase). PLASTIC: what plastic projections
 * reach or start from, and everything that leads there. Of those, BEFORE: what no plastic weight
 * influences. AFTER: the rest.
 */
#ifndef PLASTFIT_CORE_MODEL_PHASES_H
#define PLASTFIT_CORE_MODEL_PHASES_H

#include "core/model/model.h"

/** Fills model->phase and model->stepwise. */
void pf_model_choose_phases(pf_model *model);

#endif
