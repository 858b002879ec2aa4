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

pf_status pf_data_term(const pf_objective_in *in, double *data_term, double *instances,
                       pf_error *error)
{
  const pf_layout *layout = in->layout;
  const pf_batch *batch = in->batch;
  const size_t n_theta = in->problem->model->n_parameters, cells = batch->n * n_theta;
  double *thetas = pf_memory_need(cells, sizeof *thetas, error);
  double *gradients = NULL;
  pf_status status = thetas == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  for (size_t d = 0; d < batch->n; d++) {
    const size_t recording = pf_layout_recording(layout, batch->draws[d]->recording);
    if (recording == PF_LAYOUT_NONE) {
      status = pf_fail(error, PF_STOP, "%s is not among the recordings of this fit",
                       batch->draws[d]->recording->name);
      goto done;
    }
    pf_layout_theta(layout, in->values, recording, thetas + d * n_theta);
  }
  if (instances != NULL) {
    gradients = pf_memory_need(cells, sizeof *gradients, error);
    if (gradients == NULL) {
      status = PF_STOP;
      goto done;
    }
  }
  status = pf_batch_each(batch, thetas, (pf_workspaces){in->workspaces, in->n_workspaces},
                         data_term, gradients, error);
  if (status != PF_OK || instances == NULL) {
    goto done;
  }
  for (size_t d = 0; d < batch->n; d++) { /* in the order of the draws: the same bits always */
    pf_layout_fold(layout, pf_layout_recording(layout, batch->draws[d]->recording),
                   gradients + d * n_theta, instances);
  }
done:
  pf_memory_free(thetas);
  pf_memory_free(gradients);
  return status;
}

/* The penalties, added; then whether all is finite. */
static pf_status add_penalties(const pf_objective_in *in, const double *instances, double *gradient,
                               pf_objective_out *out, pf_error *error)
{
  const pf_model *model = in->problem->model;
  out->objective =
      out->data_term + pf_penalty(in->layout, model->network_theta0, in->problem->options.l1,
                                  in->problem->options.l2, instances, gradient);
  if (!isfinite(out->objective)) {
    return pf_fail(error, PF_POINT_FAILED, "the objective is %g; a smaller learning_rate may help",
                   out->objective);
  }
  for (size_t s = 0; gradient != NULL && s < in->layout->n_instances; s++) {
    if (!isfinite(gradient[s])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the gradient with respect to %s is %g; a smaller learning_rate may help",
                     model->parameters[in->layout->instances[s].parameter].declared.name,
                     gradient[s]);
    }
  }
  return PF_OK;
}

pf_status pf_objective(const pf_objective_in *in, pf_objective_out *out, pf_error *error)
{
  const size_t n = in->layout->n_instances;
  double *instances = pf_memory_need(2 * n, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  double *gradient = out->gradient == NULL ? NULL : instances + n;
  pf_status status = pf_data_term(in, &out->data_term, gradient, error);
  if (status == PF_OK) {
    pf_layout_instances(in->layout, in->values, instances);
    status = add_penalties(in, instances, gradient, out, error);
  }
  if (status == PF_OK && gradient != NULL) {
    pf_layout_gradient(in->layout, gradient, out->gradient);
  }
  pf_memory_free(instances);
  return status;
}
