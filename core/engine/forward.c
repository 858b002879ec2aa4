/* What both paths forward share: getting ready for a draw, its losses, and the line about weights
 * that overflowed. */
#include "core/engine/coupled.h"
#include "core/engine/sweep.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

pf_status pf_run_overflowed(const pf_draw *draw, const pf_model *model, const pf_plastic *plastic,
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

static pf_status evaluate_loss(const pf_draw *draw, const double *theta, size_t k,
                               pf_workspace *workspace, pf_loss_value *value, pf_error *error)
{
  const pf_component *loss = workspace->model->losses[k].loss;
  pf_loss_view view;
  pf_run_loss_view(workspace, k, draw, theta, &view);
  pf_status status = loss->plugin->loss->evaluate(loss->self, &view.in, workspace->log_likelihood,
                                                  workspace->count, error);
  if (status != PF_OK) {
    pf_run_locate(error, draw->recording->name, 0);
    return status;
  }
  *value = (pf_loss_value){0};
  for (int64_t t = 0; t < draw->n_steps; t++) {
    value->log_likelihood += workspace->log_likelihood[t];
    value->count += workspace->count[t];
  }
  if (!isfinite(value->log_likelihood)) {
    int64_t t = 0;
    while (isfinite(workspace->log_likelihood[t])) {
      t++;
    }
    return pf_fail(error, PF_POINT_FAILED,
                   "experiment %s, step %lld: %s is %g, expected a finite log likelihood",
                   draw->recording->name, (long long)t, loss->label, workspace->log_likelihood[t]);
  }
  return PF_OK;
}

pf_status pf_run_losses(const pf_draw *draw, const double *theta, uint32_t count_flag,
                        pf_workspace *workspace, pf_loss_value *values, pf_error *error)
{
  pf_status status = PF_OK;
  pf_run_mark_scored(workspace, draw, count_flag);
  for (size_t k = 0; k < workspace->model->n_losses && values != NULL && status == PF_OK; k++) {
    status = evaluate_loss(draw, theta, k, workspace, &values[k], error);
  }
  return status;
}

pf_status pf_run_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta,
                       uint32_t run_flags, pf_error *error)
{
  if (draw->n_steps > workspace->capacity) {
    return pf_fail(error, PF_STOP,
                   "experiment %s has %lld steps, more than the %lld that room was made for",
                   draw->recording->name, (long long)draw->n_steps, (long long)workspace->capacity);
  }
  workspace->n_steps = draw->n_steps;
  workspace->activity[0].signals = draw->input;
  workspace->activity[0].ld = draw->ld_input;
  const pf_segmentation cut = {.flags = draw->flags,
                               .gap = workspace->model->forgets ? draw->recording->gap : NULL,
                               .n_steps = draw->n_steps,
                               .every_step = pf_coupled_every_step(workspace->model) &&
                                             (run_flags & PF_RUN_NO_PLASTICITY) == 0,
                               .run_flags = run_flags};
  workspace->n_segments = pf_plan_segments(&cut, workspace->segments);
  return pf_run_start(workspace, theta, draw->noise, draw->given_w, error);
}

pf_status pf_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                     uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                     pf_loss_value *values, pf_error *error)
{
  if ((run_flags & PF_RUN_FORGET_WEIGHTS) != 0 && pf_sweep_can(model)) {
    return pf_sweep_forward(model, draw, theta, run_flags, count_flag, &workspace, 1, values,
                            error);
  }
  return pf_coupled_forward(model, draw, theta, run_flags, count_flag, workspace, values, error);
}
