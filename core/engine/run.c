/* The pieces of a run: starting weights, activity of one population, one change of the weights. */
#include "core/engine/workspace.h"

#include "core/base/memory.h"

#include <string.h>

void pf_run_locate(pf_error *error, const char *experiment, int64_t step)
{
  if (error == NULL || error->text[0] == '\0' || strncmp(error->text, "experiment ", 11) == 0) {
    return;
  }
  char line[PF_ERROR_LENGTH];
  (void)snprintf(line, sizeof line, "%s", error->text);
  (void)snprintf(error->text, sizeof error->text, "experiment %s, step %lld: %.900s", experiment, (long long)step,
                 line);
}

static void copy_dense(const pf_real *from, pf_weights *weights)
{
  for (int64_t i = 0; i < weights->n_post; i++) {
    memcpy(weights->states + i * weights->ldw, from + i * weights->n_pre, (size_t)weights->n_pre * sizeof *from);
  }
}

pf_status pf_run_start(pf_workspace *workspace, const double *theta, const double *noise, pf_real *const *given_w,
                       pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_status status = pf_workspace_need_trajectory(workspace, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    bool given = given_w != NULL && given_w[q] != NULL;
    workspace->initial_w[q] = given ? NULL : weights->states;
    memset(weights->states, 0, weights->cells * sizeof(pf_real));
    if (given) {
      copy_dense(given_w[q], weights);
    }
  }
  const pf_initial initial = {.size = sizeof initial, .w = workspace->initial_w, .ldw = workspace->initial_ldw};
  status = model->network->plugin->network->initial(model->network->self, theta + model->network_theta0, noise,
                                                    &initial, error);
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    pf_weights_disconnect(&workspace->weights[q], workspace->weights[q].states);
  }
  return status;
}

pf_status pf_run_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first, int64_t last,
                            int64_t k, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_activity *post = &workspace->activity[p];
  const int64_t n_steps = last - first + 1;
  bool add = false;
  for (size_t q = 0; q < model->needs.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post == (int64_t)p) {
      const pf_activity *pre = &workspace->activity[weights->info->pre];
      const pf_real *signal = pre->signals + weights->info->signal * pre->plane_stride + first * pre->ld;
      model->kernels->drive(n_steps, weights->n_post, weights->n_pre, pf_weights_state(weights, k), weights->ldw,
                            signal, pre->ld, post->drive + first * post->ld, post->ld, add);
      add = true;
    }
  }
  const pf_units in = {.size = sizeof in,
                       .population = (int64_t)p,
                       .n_rows = post->n,
                       .n_steps = n_steps,
                       .theta = theta + model->network_theta0,
                       .drive = post->drive + first * post->ld,
                       .ld_drive = post->ld};
  const pf_response out = {.size = sizeof out,
                           .signals = post->signals + first * post->ld,
                           .signal_stride = post->plane_stride,
                           .ld_signal = post->ld};
  return model->network->plugin->network->respond(model->network->self, &in, &out, error);
}

pf_block pf_run_block(const pf_workspace *workspace, const pf_weights *weights, const double *theta, int64_t t,
                      int64_t k, const pf_real *modulator, uint32_t flags, double dt)
{
  const pf_activity *pre = &workspace->activity[weights->info->pre];
  const pf_activity *post = &workspace->activity[weights->info->post];
  return (pf_block){.size = sizeof(pf_block),
                    .layout = PF_LAYOUT_DENSE,
                    .flags = flags,
                    .n_rows = weights->n_post,
                    .n_pre = weights->n_pre,
                    .theta = theta + weights->plastic->theta0,
                    .pre = pre->signals + weights->info->signal * pre->plane_stride + t * pre->ld,
                    .post = post->signals + t * post->ld,
                    .w = pf_weights_state(weights, k),
                    .modulator = modulator,
                    .ld_pre = pre->plane_stride,
                    .ld_post = post->plane_stride,
                    .ldw = weights->ldw,
                    .dt = dt};
}

static pf_status change_one(pf_workspace *workspace, const pf_weights *weights, const pf_block *block, int64_t k,
                            pf_error *error)
{
  const pf_component *rule = weights->plastic->rule;
  const pf_rule_ops *ops = rule->plugin->rule;
  pf_real *next = pf_weights_state(weights, k + 1);
  const pf_update update = pf_weights_update(weights, 0);
  if (PF_HAS(ops, pf_rule_ops, step) && ops->step != NULL) {
    return ops->step(rule->self, block, &update, next, weights->ldw, error);
  }
  pf_status status = ops->forward(rule->self, block, workspace->dw, weights->ldw, error);
  if (status == PF_OK) {
    workspace->model->kernels->update(weights->n_post, weights->n_pre, &update, workspace->dw, weights->ldw, block->w,
                                      next, weights->ldw);
  }
  return status;
}

pf_status pf_run_change(pf_workspace *workspace, const double *theta, int64_t t, int64_t k, pf_real *const *modulators,
                        int64_t modulator_step, uint32_t flags, double dt, pf_error *error)
{
  const pf_model *model = workspace->model;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_weights *weights = &workspace->weights[model->plastic[p].projection];
    const pf_real *modulator = modulators[p] + modulator_step * (int64_t)model->plastic[p].needs.modulators.count;
    const pf_block block = pf_run_block(workspace, weights, theta, t, k, modulator, flags, dt);
    pf_status status = change_one(workspace, weights, &block, k, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

void pf_run_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag)
{
  workspace->all_scored = true;
  for (int64_t t = 0; t < draw->n_steps; t++) {
    workspace->scored[t] = (draw->flags[t] & count_flag) != 0;
    workspace->all_scored = workspace->all_scored && workspace->scored[t] != 0;
  }
}

void pf_run_loss_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw, const double *theta,
                      pf_loss_view *view)
{
  const pf_loss_term *term = &workspace->model->losses[loss];
  for (size_t k = 0; k < term->needs.observables.count; k++) {
    view->observable[k] =
        pf_workspace_observable(workspace, term->observables[k], &view->n_observable[k], &view->ld_observable[k]);
  }
  for (size_t k = 0; k < term->needs.targets.count; k++) {
    const pf_record *record = pf_recording_target(draw->recording, term->needs.targets.items[k]);
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
