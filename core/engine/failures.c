#include "core/engine/failures.h"

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
                 (long long)step, line);
}

pf_status pf_fail_overflow(const pf_draw *draw, const pf_model *model, const pf_plastic *plastic,
                           const double *theta, int64_t step, pf_error *error)
{
  const pf_projection_table *table = &model->declared.projections;
  const pf_projection *info =
      pf_table_at(table->items, table->stride, table->count, (size_t)plastic->projection);
  if (step < 0) {
    return pf_fail(error, PF_POINT_FAILED, "experiment %s: an initial weight of '%s' is not finite",
                   draw->recording->name, info->name);
  }
  if (plastic->declared.parameters.count == 0) {
    return pf_fail(error, PF_POINT_FAILED,
                   "experiment %s, step %lld: the weights of '%s' overflowed",
                   draw->recording->name, (long long)step, info->name);
  }
  size_t worst = plastic->theta0;
  for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
    size_t at = plastic->theta0 + i;
    worst = fabs(theta[at]) > fabs(theta[worst]) || isnan(theta[at]) ? at : worst;
  }
  return pf_fail(error, PF_POINT_FAILED,
                 "experiment %s, step %lld: the weights of '%s' overflowed; the largest "
                 "coefficient of %s is %s = %g",
                 draw->recording->name, (long long)step, info->name, plastic->rule->label,
                 model->parameters[worst].declared.name, theta[worst]);
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
