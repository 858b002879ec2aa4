#include "core/fit/objective.h"

#include "core/fit/free.h"

#include <math.h>

double pf_penalty(const pf_model_parameter *parameters, size_t n_rule, double l1, double l2, const double *theta,
                  double *gradient)
{
  double sum_absolute = 0.0;
  double sum_square = 0.0;
  for (size_t i = 0; i < n_rule; i++) {
    if (!pf_is_free(&parameters[i])) {
      continue;
    }
    const double sign = (double)((theta[i] > 0.0) - (theta[i] < 0.0));
    sum_absolute += fabs(theta[i]);
    sum_square += theta[i] * theta[i];
    if (gradient != NULL) {
      gradient[i] += l1 * sign + 2.0 * l2 * theta[i];
    }
  }
  return l1 * sum_absolute + l2 * sum_square;
}

pf_status pf_objective(const pf_problem *problem, const pf_batch *batch, const double *theta,
                       pf_workspace *const *workspaces, size_t n_workspaces, double *data_term, double *objective,
                       double *gradient, pf_error *error)
{
  const pf_model *model = problem->model;
  pf_status status = pf_batch_objective(model, batch, theta, workspaces, n_workspaces, data_term, gradient, error);
  if (status != PF_OK) {
    return status;
  }
  *objective = *data_term +
               pf_penalty(model->parameters, model->network_theta0, problem->fit.l1, problem->fit.l2, theta, gradient);
  if (!isfinite(*objective)) {
    return pf_fail(error, PF_POINT_FAILED, "the objective is %g; a smaller learning_rate may help", *objective);
  }
  for (size_t i = 0; gradient != NULL && i < model->n_parameters; i++) {
    if (!isfinite(gradient[i])) {
      return pf_fail(error, PF_POINT_FAILED, "the gradient with respect to %s is %g; a smaller learning_rate may help",
                     model->parameters[i].declared.name, gradient[i]);
    }
  }
  return PF_OK;
}
