#include "core/state/failures.h"

#include <math.h>
#include <string.h>

void pf_error_at_step(pf_error *error, const char *experiment, int64_t step)
{
  if (error == NULL || error->text[0] == '\0' || strncmp(error->text, "experiment ", 11) == 0) {
    return;
  }
  char line[PF_ERROR_LENGTH];
  (void)snprintf(line, sizeof line, "%s", error->text);
  (void)snprintf(error->text, sizeof error->text, "experiment %s, step %lld: %.900s", experiment,
                 (long long)step + 1, line);
}

/** The rule's parameter of the largest absolute value, or the last that is not a number. */
static size_t largest_parameter(const pf_plastic *plastic, const double *theta)
{
  size_t largest = plastic->theta0;
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    const size_t at = plastic->theta0 + i;
    if (fabs(theta[at]) > fabs(theta[largest]) || isnan(theta[at])) {
      largest = at;
    }
  }
  return largest;
}

pf_status pf_fail_overflow(const pf_simulation *simulation, const pf_plastic *plastic, int64_t step,
                           pf_error *error)
{
  const char *experiment = simulation->draw->recording->name;
  const char *projection = simulation->model->projections[plastic->projection].name;
  if (step < 0) {
    return pf_fail(error, PF_POINT_FAILED, "experiment %s: an initial weight of '%s' is not finite",
                   experiment, projection);
  }
  if (plastic->declared.parameters.count == 0) {
    return pf_fail(error, PF_POINT_FAILED,
                   "experiment %s, step %lld: the weights of '%s' overflowed", experiment,
                   (long long)step + 1, projection);
  }
  const size_t largest = largest_parameter(plastic, simulation->theta);
  return pf_fail(error, PF_POINT_FAILED,
                 "experiment %s, step %lld: the weights of '%s' overflowed; the largest "
                 "coefficient of %s is %s = %g",
                 experiment, (long long)step + 1, projection, plastic->rule->label,
                 simulation->model->parameters[largest].declared.name, simulation->theta[largest]);
}

pf_status pf_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient,
                            pf_error *error)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (!isfinite(gradient[i])) {
      return pf_fail(
          error, PF_POINT_FAILED,
          "experiment %s: the gradient of %s is not finite (%g) although the simulation is; the "
          "trajectory is too sensitive at these coefficients",
          draw->recording->name, model->parameters[i].declared.name, gradient[i]);
    }
  }
  return PF_OK;
}
