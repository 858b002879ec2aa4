#include "core/state/losses.h"

#include "core/model/starting_weights.h"
#include "core/state/failures.h"
#include "core/state/trajectory.h"

#include <math.h>

void pf_losses_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag)
{
  const uint32_t *flags = draw->flags;
  uint8_t *scored = workspace->scored;
  uint32_t all = count_flag;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    scored[t] = (flags[t] & count_flag) != 0;
    all &= flags[t];
  }
  workspace->all_scored = count_flag != 0 && all == count_flag;
}

void pf_losses_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
                    const double *theta, pf_loss_view *view)
{
  const pf_loss_term *term = &workspace->model->losses[loss];
  for (size_t k = 0; k < term->declared.observables.count; k++) {
    view->observable[k] = pf_workspace_observable(workspace, term->observables[k],
                                                  &view->n_observable[k], &view->ld_observable[k]);
  }
  for (size_t k = 0; k < term->declared.targets.count; k++) {
    const pf_record *record = pf_recording_target(draw->recording, term->declared.targets.items[k]);
    view->target[k] = draw->targets[loss][k];
    view->n_target[k] = record->n;
    view->ld_target[k] = record->n;
  }
  view->in = (pf_loss_in){.size = sizeof view->in,
                          .n_steps = draw->n_steps,
                          .theta = theta + term->theta0,
                          .observable = view->observable,
                          .n_observable = view->n_observable,
                          .ld_observable = view->ld_observable,
                          .target = view->target,
                          .n_target = view->n_target,
                          .ld_target = view->ld_target,
                          .scored = workspace->all_scored ? NULL : workspace->scored};
}

pf_status pf_losses_add(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
                        pf_loss_value *value, pf_error *error)
{
  const double *log_likelihood = workspace->log_likelihood;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    value->log_likelihood += log_likelihood[t];
    value->count += workspace->count[t];
  }
  if (isfinite(value->log_likelihood)) {
    return PF_OK;
  }
  for (int64_t t = 0; t < draw->n_steps; t++) {
    if (!isfinite(log_likelihood[t])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "experiment %s, step %lld: %s is %g, expected a finite log likelihood",
                     draw->recording->name, (long long)t + 1,
                     workspace->model->losses[loss].loss->label, log_likelihood[t]);
    }
  }
  return pf_fail(error, PF_POINT_FAILED,
                 "experiment %s: %s is %g summed over steps, expected a finite log likelihood",
                 draw->recording->name, workspace->model->losses[loss].loss->label,
                 value->log_likelihood);
}

static pf_status evaluate_loss(const pf_simulation *simulation, size_t k, pf_loss_value *value,
                               pf_error *error)
{
  pf_workspace *workspace = simulation->workspaces.items[0];
  const pf_component *loss = workspace->model->losses[k].loss;
  pf_loss_view view;
  pf_losses_view(workspace, k, simulation->draw, simulation->theta, &view);
  const pf_status status = loss->plugin->loss->evaluate(
      loss->self, &view.in, workspace->log_likelihood, workspace->count, error);
  if (status != PF_OK) {
    pf_error_at_step(error, simulation->draw->recording->name, 0);
    return status;
  }
  *value = (pf_loss_value){0};
  return pf_losses_add(workspace, k, simulation->draw, value, error);
}

pf_status pf_losses_evaluate(const pf_simulation *simulation, uint32_t count_flag,
                             pf_loss_value *values, pf_error *error)
{
  pf_losses_mark_scored(simulation->workspaces.items[0], simulation->draw, count_flag);
  if (values == NULL) {
    return PF_OK;
  }
  for (size_t k = 0; k < simulation->model->n_losses; k++) {
    const pf_status status = evaluate_loss(simulation, k, &values[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status loss_vjp(const pf_simulation *simulation, size_t k, double scale,
                          double *gradient_theta, pf_error *error)
{
  const pf_model *model = simulation->model;
  const pf_draw *draw = simulation->draw;
  const pf_loss_term *term = &model->losses[k];
  pf_workspace *workspace = simulation->workspaces.items[0];
  pf_loss_view view;
  pf_real *g_observable[PF_LOSS_MAX_ARRAYS];
  pf_losses_view(workspace, k, draw, simulation->theta, &view);
  for (size_t o = 0; o < term->declared.observables.count; o++) {
    const pf_observable *info = &model->observables[term->observables[o]];
    const pf_activity *activity = &workspace->activity[info->population];
    g_observable[o] = activity->g_signals == NULL
                          ? NULL
                          : activity->g_signals + info->signal * activity->plane_stride;
  }
  for (int64_t t = 0; t < draw->n_steps; t++) {
    workspace->cotangent[t] = scale;
  }
  const pf_loss_gradient gradient = {
      .size = sizeof gradient,
      .observable = g_observable,
      .ld_observable = view.ld_observable,
      .theta = pf_learns_loss(model, k) ? gradient_theta + term->theta0 : NULL};
  return term->loss->plugin->loss->vjp(term->loss->self, &view.in, workspace->cotangent, &gradient,
                                       error);
}

pf_status pf_losses_vjp(const pf_simulation *simulation, const double *scale, double *gradient,
                        pf_error *error)
{
  pf_losses_mark_scored(simulation->workspaces.items[0], simulation->draw, PF_STEP_FIT);
  for (size_t k = 0; k < simulation->model->n_losses; k++) {
    const pf_status status = loss_vjp(simulation, k, scale[k], gradient, error);
    if (status != PF_OK) {
      pf_error_at_step(error, simulation->draw->recording->name, 0);
      return status;
    }
  }
  return PF_OK;
}
