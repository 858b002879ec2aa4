/* The adjoint of a run: backward through the same phases and runs, cotangents of activities and weights carried along.
 */
#include "core/engine/workspace.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/** Everything one backward pass carries. */
typedef struct backward {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  pf_workspace *workspace;
  double *gradient;
  bool wants_network; /**< the network has parameters */
  pf_error *error;
} backward;

void pf_run_clear_cotangents(pf_workspace *workspace, size_t n_populations)
{
  const pf_model *model = workspace->model;
  for (size_t p = 1; p < n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    size_t cells = (size_t)(workspace->n_steps * activity->ld);
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      memset(activity->g_signals + s * (size_t)activity->plane_stride, 0, cells * sizeof(pf_real));
    }
    memset(activity->g_drive, 0, cells * sizeof(pf_real));
  }
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    memset(workspace->weights[q].g, 0, workspace->weights[q].cells * sizeof(pf_real));
  }
}

pf_status pf_run_back_losses(const pf_draw *draw, const double *theta, const double *scale, pf_workspace *workspace,
                             double *gradient_theta, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_run_mark_scored(workspace, draw, PF_STEP_FIT);
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *term = &model->losses[k];
    pf_loss_view view;
    pf_real *g_observable[PF_LOSS_MAX_ARRAYS];
    pf_run_loss_view(workspace, k, draw, theta, &view);
    for (size_t o = 0; o < term->needs.observables.count; o++) {
      const pf_observable_table *table = &model->needs.observables;
      const pf_observable *info = pf_table_at(table->items, table->stride, table->count, (size_t)term->observables[o]);
      const pf_activity *activity = &workspace->activity[info->population];
      g_observable[o] =
          activity->g_signals == NULL ? NULL : activity->g_signals + info->signal * activity->plane_stride;
    }
    for (int64_t t = 0; t < draw->n_steps; t++) {
      workspace->cotangent[t] = scale[k];
    }
    const pf_loss_gradient gradient = {.size = sizeof gradient,
                                       .observable = g_observable,
                                       .ld_observable = view.ld_observable,
                                       .theta = gradient_theta + term->theta0};
    pf_status status =
        term->loss->plugin->loss->vjp(term->loss->self, &view.in, workspace->cotangent, &gradient, error);
    if (status != PF_OK) {
      pf_run_locate(error, draw->recording->name, 0);
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_run_back_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first, int64_t last,
                                 int64_t k, double *gradient_theta, pf_error *error)
{
  const pf_model *model = workspace->model;
  const bool wants_network = gradient_theta != NULL;
  pf_activity *post = &workspace->activity[p];
  const int64_t n_steps = last - first + 1;
  const int64_t at = first * post->ld;
  const pf_units in = {.size = sizeof in,
                       .population = (int64_t)p,
                       .n_rows = post->n,
                       .n_steps = n_steps,
                       .theta = theta + model->network_theta0,
                       .drive = post->drive + at,
                       .ld_drive = post->ld};
  const pf_response value = {
      .size = sizeof value, .signals = post->signals + at, .signal_stride = post->plane_stride, .ld_signal = post->ld};
  const pf_response cotangent = {.size = sizeof cotangent,
                                 .signals = post->g_signals + at,
                                 .signal_stride = post->plane_stride,
                                 .ld_signal = post->ld};
  const pf_units_gradient gradient = {.size = sizeof gradient,
                                      .drive = post->g_drive + at,
                                      .theta = wants_network ? gradient_theta + model->network_theta0 : NULL,
                                      .ld_drive = post->ld};
  pf_status status =
      model->network->plugin->network->respond_vjp(model->network->self, &in, &value, &cotangent, &gradient, error);
  for (size_t q = 0; q < model->needs.projections.count && status == PF_OK; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)p) {
      continue;
    }
    pf_activity *pre = &workspace->activity[weights->info->pre];
    const int64_t pre_at = weights->info->signal * pre->plane_stride + first * pre->ld;
    if (weights->plastic != NULL || wants_network) {
      model->kernels->weight_gradient(n_steps, weights->n_post, weights->n_pre, post->g_drive + at, post->ld,
                                      pre->signals + pre_at, pre->ld, weights->g, weights->ldw);
    }
    bool passes_on = pre->phase == PF_PHASE_PLASTIC || pre->phase == PF_PHASE_AFTER || wants_network;
    if (weights->info->pre != 0 && passes_on) {
      model->kernels->pre_gradient(n_steps, weights->n_post, weights->n_pre, pf_weights_state(weights, k), weights->ldw,
                                   post->g_drive + at, post->ld, pre->g_signals + pre_at, pre->ld);
    }
  }
  return status;
}

static pf_status back_phase(backward *back, uint8_t phase, int64_t first, int64_t last, int64_t k)
{
  for (size_t p = back->model->needs.populations.count; p-- > 1;) {
    if (back->workspace->activity[p].phase == phase) {
      pf_status status = pf_run_back_population(back->workspace, p, back->theta, first, last, k,
                                                back->wants_network ? back->gradient : NULL, back->error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** One plastic projection's change k -> k + 1 at step t: its cotangent goes from W_{k+1} to W_k, x, y and theta. */
static pf_status back_change(backward *back, pf_weights *weights, size_t p, int64_t t, int64_t k)
{
  const pf_plastic *plastic = weights->plastic;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  pf_workspace *workspace = back->workspace;
  pf_activity *pre = &workspace->activity[weights->info->pre];
  pf_activity *post = &workspace->activity[weights->info->post];
  const pf_real *modulator = back->draw->modulators[p] + t * (int64_t)plastic->needs.modulators.count;
  const double dt = back->draw->recording->dt == NULL ? 0.0 : back->draw->recording->dt[t];
  const pf_block block = pf_run_block(workspace, weights, back->theta, t, k, modulator, back->draw->flags[t], dt);
  const pf_rule_gradient gradient = {
      .size = sizeof gradient,
      .theta = back->gradient + plastic->theta0,
      .pre = weights->info->pre == 0 ? NULL : pre->g_signals + weights->info->signal * pre->plane_stride + t * pre->ld,
      .post = post->g_signals + t * post->ld,
      .w = weights->g,
      .ld_pre = pre->plane_stride,
      .ld_post = post->plane_stride,
      .ldw = weights->ldw};
  const pf_update update = pf_weights_update(weights, 0);
  if (PF_HAS(ops, pf_rule_ops, step_vjp) && ops->step_vjp != NULL) {
    return ops->step_vjp(plastic->rule->self, &block, &update, &gradient, back->error);
  }
  back->model->kernels->scale(weights->n_post, weights->n_pre, &update, weights->g, weights->ldw, workspace->dw,
                              weights->ldw);
  return ops->vjp(plastic->rule->self, &block, workspace->dw, weights->ldw, &gradient, back->error);
}

static pf_status back_trajectory(backward *back)
{
  const pf_model *model = back->model;
  pf_workspace *workspace = back->workspace;
  const int64_t last = back->draw->n_steps - 1;
  pf_status status = back_phase(back, PF_PHASE_AFTER, 0, last, 0);
  for (int64_t r = workspace->n_runs; r-- > 0 && status == PF_OK;) {
    const pf_run *run = &workspace->runs[r];
    for (size_t p = model->n_plastic; p-- > 0 && run->changes != 0 && status == PF_OK;) {
      status = back_change(back, &workspace->weights[model->plastic[p].projection], p, run->end, r);
    }
    status = status == PF_OK ? back_phase(back, PF_PHASE_PLASTIC, run->first, run->end, r) : status;
    if (status != PF_OK) {
      pf_run_locate(back->error, back->draw->recording->name, run->end);
    }
  }
  if (status == PF_OK && back->wants_network) {
    status = back_phase(back, PF_PHASE_BEFORE, 0, last, 0);
  }
  return status;
}

/** What the network's parameters do through the starting weights. */
static pf_status back_initial(backward *back)
{
  const pf_model *model = back->model;
  pf_workspace *workspace = back->workspace;
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    workspace->initial_w[q] = back->draw->given_w[q] == NULL ? workspace->weights[q].g : NULL;
    pf_weights_disconnect(&workspace->weights[q], workspace->weights[q].g);
  }
  const pf_initial cotangent = {.size = sizeof cotangent, .w = workspace->initial_w, .ldw = workspace->initial_ldw};
  return model->network->plugin->network->initial_vjp(model->network->self, back->theta + model->network_theta0,
                                                      back->draw->noise, &cotangent,
                                                      back->gradient + model->network_theta0, back->error);
}

pf_status pf_run_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient, pf_error *error)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (!isfinite(gradient[i])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "experiment %s: the gradient of %s is not finite (%g) although the simulation is; the "
                     "trajectory is too sensitive at these coefficients",
                     draw->recording->name, model->parameters[i].declared.name, gradient[i]);
    }
  }
  return PF_OK;
}

pf_status pf_tape_gradient(const pf_model *model, const pf_draw *draw, const double *theta, const double *scale,
                           pf_workspace *workspace, pf_loss_value *values, double *gradient, pf_error *error)
{
  pf_status status = pf_forward(model, draw, theta, 0, PF_STEP_FIT, workspace, values, error);
  status = status == PF_OK ? pf_workspace_need_cotangents(workspace, error) : status;
  if (status != PF_OK) {
    return status;
  }
  backward back = {.model = model,
                   .draw = draw,
                   .theta = theta,
                   .workspace = workspace,
                   .gradient = gradient,
                   .wants_network = model->needs.parameters.count > 0,
                   .error = error};
  pf_run_clear_cotangents(workspace, model->needs.populations.count);
  status = pf_run_back_losses(draw, theta, scale, workspace, gradient, error);
  status = status == PF_OK ? back_trajectory(&back) : status;
  status = status == PF_OK && back.wants_network ? back_initial(&back) : status;
  return status == PF_OK ? pf_run_check_gradient(draw, model, gradient, error) : status;
}
