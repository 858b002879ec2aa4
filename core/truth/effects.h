/* How much each coefficient of a rule does to the weights on these data: the measure of a term's
 * size that does not depend on units. */
#ifndef PLASTFIT_CORE_TRUTH_EFFECTS_H
#define PLASTFIT_CORE_TRUTH_EFFECTS_H

#include "core/fit/fit.h"

/**
 * effects [parameters of rule p]: root mean square change of the weights, over the steps, when the
 * coefficient is 0, simulated on the first experiment of some groups. No change counts for more
 * than the rms of the weights; infinite where the weights overflow without the coefficient; 0
 * throughout where nothing could be simulated.
 */
pf_status pf_coefficient_effects(const pf_problem *problem, const pf_fit *fit, size_t p,
                                 double *effects, pf_error *error);

#endif
