#include "core/fit/objective.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/** Of one that has weights of its own. */
static double own_penalty(const pf_model_parameter *parameter, bool of_rule, double number,
                          double *gradient)
{
  const double off = number - (of_rule ? 0.0 : parameter->declared.initial);
  if (gradient != NULL) {
    *gradient += parameter->l1 * (double)((off > 0.0) - (off < 0.0)) + 2.0 * parameter->l2 * off;
  }
  return parameter->l1 * fabs(off) + parameter->l2 * off * off;
}

double pf_penalty(const pf_layout *layout, size_t n_rule, double l1, double l2,
                  const double *instances, double *gradient)
{
  double sum_absolute = 0.0;
  double sum_square = 0.0;
  double own = 0.0;
  for (size_t k = 0; k < layout->n; k++) {
    const size_t s = layout->index[k], i = layout->instances[s].parameter;
    const pf_model_parameter *parameter = &layout->parameters[i];
    if (parameter->own_penalty) {
      own +=
          own_penalty(parameter, i < n_rule, instances[s], gradient == NULL ? NULL : &gradient[s]);
    }
    if (parameter->own_penalty || i >= n_rule) {
      continue;
    }
    const double sign = (double)((instances[s] > 0.0) - (instances[s] < 0.0));
    sum_absolute += fabs(instances[s]);
    sum_square += instances[s] * instances[s];
    if (gradient != NULL) {
      gradient[s] += l1 * sign + 2.0 * l2 * instances[s];
    }
  }
  return l1 * sum_absolute + l2 * sum_square + own;
}

/** Memory of one evaluation. */
typedef struct scratch {
  double *instances, *gradient; /* [n_instances] */
  double *thetas, *gradients;   /* [n draws][n_parameters] */
} scratch;

static pf_status evaluate(const pf_problem *problem, const pf_layout *layout, const pf_batch *batch,
                          const double *values, pf_workspace *const *workspaces,
                          size_t n_workspaces, const scratch *own, double *data_term,
                          double *objective, double *gradient, pf_error *error)
{
  const pf_model *model = problem->model;
  const size_t n_theta = model->n_parameters;
  for (size_t d = 0; d < batch->n; d++) {
    const size_t recording = pf_layout_recording(layout, batch->draws[d]->recording);
    if (recording == PF_LAYOUT_NONE) {
      return pf_fail(error, PF_STOP, "%s is not among the recordings of this fit",
                     batch->draws[d]->recording->name);
    }
    pf_layout_theta(layout, values, recording, own->thetas + d * n_theta);
  }
  const pf_status status =
      pf_batch_each(model, batch, own->thetas, workspaces, n_workspaces, data_term,
                    gradient == NULL ? NULL : own->gradients, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t d = 0; d < batch->n && gradient != NULL;
       d++) { /* in the order of the draws: the same bits always */
    pf_layout_fold(layout, pf_layout_recording(layout, batch->draws[d]->recording),
                   own->gradients + d * n_theta, own->gradient);
  }
  pf_layout_instances(layout, values, own->instances);
  *objective = *data_term + pf_penalty(layout, model->network_theta0, problem->options.l1,
                                       problem->options.l2, own->instances,
                                       gradient == NULL ? NULL : own->gradient);
  if (!isfinite(*objective)) {
    return pf_fail(error, PF_POINT_FAILED, "the objective is %g; a smaller learning_rate may help",
                   *objective);
  }
  for (size_t s = 0; gradient != NULL && s < layout->n_instances; s++) {
    if (!isfinite(own->gradient[s])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the gradient with respect to %s is %g; a smaller learning_rate may help",
                     model->parameters[layout->instances[s].parameter].declared.name,
                     own->gradient[s]);
    }
  }
  if (gradient != NULL) {
    pf_layout_gradient(layout, own->gradient, gradient);
  }
  return PF_OK;
}

pf_status pf_objective(const pf_problem *problem, const pf_layout *layout, const pf_batch *batch,
                       const double *values, pf_workspace *const *workspaces, size_t n_workspaces,
                       double *data_term, double *objective, double *gradient, pf_error *error)
{
  const size_t cells = batch->n * problem->model->n_parameters;
  const scratch own = {.instances = pf_memory_need(layout->n_instances, sizeof(double), error),
                       .gradient = pf_memory_need(layout->n_instances, sizeof(double), error),
                       .thetas = pf_memory_need(cells, sizeof(double), error),
                       .gradients =
                           pf_memory_need(gradient == NULL ? 0 : cells, sizeof(double), error)};
  pf_status status =
      own.instances == NULL || own.gradient == NULL || own.thetas == NULL || own.gradients == NULL
          ? PF_STOP
          : evaluate(problem, layout, batch, values, workspaces, n_workspaces, &own, data_term,
                     objective, gradient, error);
  pf_memory_free(own.instances);
  pf_memory_free(own.gradient);
  pf_memory_free(own.thetas);
  pf_memory_free(own.gradients);
  return status;
}
