/* The pieces of a run: starting weights, activity of one population, one change of the weights. */
#include "core/engine/workspace.h"
#include "core/model/starting_weights.h"
#include "core/model/weight_bounds.h"

#include "core/base/memory.h"

#include <string.h>

void pf_run_locate(pf_error *error, const char *experiment, int64_t step)
{
  if (error == NULL || error->text[0] == '\0' || strncmp(error->text, "experiment ", 11) == 0) {
    return;
  }
  char line[PF_ERROR_LENGTH];
  (void)snprintf(line, sizeof line, "%s", error->text);
  (void)snprintf(error->text, sizeof error->text, "experiment %s, step %lld: %.900s", experiment,
                 (long long)step, line);
}

static void copy_dense(const pf_real *from, pf_weights *weights)
{
  for (int64_t i = 0; i < weights->n_post; i++) {
    memcpy(weights->states + i * weights->ldw, from + i * weights->n_pre,
           (size_t)weights->n_pre * sizeof *from);
  }
}

/** What the network's `initial` (or its adjoint) is given: weights that are not stated, and states.
 */
static pf_initial initial_of(pf_workspace *workspace, pf_real *const *given_w, bool adjoint)
{
  const pf_model *model = workspace->model;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    const bool given =
        (given_w != NULL && given_w[q] != NULL) || model->starts[q].mode != PF_START_NETWORK;
    workspace->initial_w[q] = given ? NULL : adjoint ? weights->g : weights->states;
  }
  for (size_t p = 0; p < model->declared.populations.count; p++) {
    workspace->initial_state[p] =
        adjoint ? workspace->activity[p].g_start : workspace->activity[p].start;
  }
  return (pf_initial){.size = sizeof(pf_initial),
                      .w = workspace->initial_w,
                      .ldw = workspace->initial_ldw,
                      .state = workspace->initial_state,
                      .ld_state = workspace->initial_ld_state};
}

pf_status pf_run_start(pf_workspace *workspace, const double *theta, const double *noise,
                       pf_real *const *given_w, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_status status = pf_workspace_need_trajectory(workspace, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    memset(weights->states, 0, weights->cells * sizeof(pf_real));
    if (given_w != NULL && given_w[q] != NULL) {
      copy_dense(given_w[q], weights);
    }
  }
  for (size_t p = 1; p < model->declared.populations.count; p++) {
    const pf_activity *activity = &workspace->activity[p];
    if (activity->start != NULL) {
      memset(activity->start, 0,
             (size_t)(activity->info->n_state * activity->ld) * sizeof(pf_real));
    }
  }
  const pf_initial initial = initial_of(workspace, given_w, false);
  status = model->network->plugin->network->initial(
      model->network->self, theta + model->network_theta0, noise, &initial, error);
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (given_w == NULL || given_w[q] == NULL) {
      pf_learn_start(model, q, theta, noise, weights->n_post, weights->n_pre, weights->states,
                     weights->ldw);
    }
    pf_weights_disconnect(weights, weights->states);
    if (weights->bound->lower != NULL) {
      memcpy(weights->unclipped, weights->states, weights->cells * sizeof(pf_real));
      pf_bound_clip(weights->bound, weights->n_post, weights->n_pre, weights->connected,
                    weights->ldw, weights->states);
    }
    weights->now = weights->states;
  }
  return status;
}

pf_status pf_run_back_start(const pf_draw *draw, const double *theta, pf_workspace *workspace,
                            double *gradient, pf_error *error)
{
  const pf_model *model = workspace->model;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->bound->lower != NULL) {
      pf_bound_clip_vjp(weights->bound, weights->n_post, weights->n_pre, weights->connected,
                        weights->ldw, weights->unclipped, weights->g);
    }
    pf_weights_disconnect(weights, weights->g);
    if (draw->given_w[q] == NULL) {
      pf_learn_start_vjp(model, q, draw->noise, weights->n_post, weights->n_pre, weights->g,
                         weights->ldw, gradient);
    }
  }
  if (model->declared.parameters.count == 0) {
    return PF_OK; /* of starting weights alone the network knows nothing */
  }
  const pf_initial cotangent = initial_of(workspace, draw->given_w, true);
  return model->network->plugin->network->initial_vjp(
      model->network->self, theta + model->network_theta0, draw->noise, &cotangent,
      gradient + model->network_theta0, error);
}

/** The population's units at steps from `first` on; where it has state, at the step `moment` alone.
 */
static pf_units units_of(const pf_workspace *workspace, size_t p, const double *theta,
                         int64_t first, int64_t n_steps, const pf_step_context *context)
{
  const pf_activity *post = &workspace->activity[p];
  pf_units in = {.size = sizeof in,
                 .population = (int64_t)p,
                 .n_rows = post->n,
                 .n_steps = n_steps,
                 .theta = theta + workspace->model->network_theta0,
                 .drive = post->drive + first * post->ld,
                 .ld_drive = post->ld,
                 .dt = context == NULL ? 0.0 : context->dt};
  if (post->state != NULL) {
    const bool anew = context->previous < 0;
    in.state = anew ? post->start : post->state + context->previous * post->ld;
    in.ld_state = anew ? post->ld : post->plane_stride;
  }
  return in;
}

pf_status pf_run_activate(pf_workspace *workspace, size_t p, const double *theta, int64_t first,
                          int64_t last, const pf_step_context *context, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_activity *post = &workspace->activity[p];
  const int64_t n_steps = last - first + 1, previous = context == NULL ? -1 : context->previous;
  bool add = false;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post == (int64_t)p) {
      model->kernels->drive(n_steps, weights->n_post, weights->n_pre, weights->now, weights->ldw,
                            pf_run_pre(workspace, weights, first, previous),
                            workspace->activity[weights->info->pre].ld,
                            post->drive + first * post->ld, post->ld, add);
      add = true;
    }
  }
  const pf_units in = units_of(workspace, p, theta, first, n_steps, context);
  pf_response out = {.size = sizeof out,
                     .signals = post->signals + first * post->ld,
                     .signal_stride = post->plane_stride,
                     .ld_signal = post->ld};
  if (post->state != NULL) {
    out.state = post->state + first * post->ld;
    out.ld_state = post->plane_stride;
  }
  return model->network->plugin->network->activate(model->network->self, &in, &out, error);
}

pf_status pf_run_population(pf_workspace *workspace, size_t p, const double *theta, int64_t first,
                            int64_t last, int64_t k, pf_error *error)
{
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    workspace->weights[q].now = pf_weights_state(&workspace->weights[q], k);
  }
  return pf_run_activate(workspace, p, theta, first, last, NULL, error);
}

pf_status pf_run_back_activate(pf_workspace *workspace, size_t p, const double *theta,
                               int64_t first, int64_t last, const pf_step_context *context,
                               double *gradient_theta, pf_error *error)
{
  const pf_model *model = workspace->model;
  const bool wants_network = gradient_theta != NULL;
  pf_activity *post = &workspace->activity[p];
  const int64_t n_steps = last - first + 1, at = first * post->ld,
                previous = context == NULL ? -1 : context->previous;
  const pf_units in = units_of(workspace, p, theta, first, n_steps, context);
  pf_response value = {.size = sizeof value,
                       .signals = post->signals + at,
                       .signal_stride = post->plane_stride,
                       .ld_signal = post->ld};
  pf_response cotangent = {.size = sizeof cotangent,
                           .signals = post->g_signals + at,
                           .signal_stride = post->plane_stride,
                           .ld_signal = post->ld};
  pf_units_gradient gradient = {.size = sizeof gradient,
                                .drive = post->g_drive + at,
                                .theta =
                                    wants_network ? gradient_theta + model->network_theta0 : NULL,
                                .ld_drive = post->ld};
  if (post->state != NULL) {
    value.state = post->state + at;
    cotangent.state = post->g_state + at;
    value.ld_state = cotangent.ld_state = post->plane_stride;
    gradient.state = previous < 0 ? post->g_start : post->g_state + previous * post->ld;
    gradient.ld_state = previous < 0 ? post->ld : post->plane_stride;
  }
  pf_status status = model->network->plugin->network->activate_vjp(
      model->network->self, &in, &value, &cotangent, &gradient, error);
  for (size_t q = 0; q < model->declared.projections.count && status == PF_OK; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)p) {
      continue;
    }
    const pf_activity *pre = &workspace->activity[weights->info->pre];
    if (weights->plastic != NULL || wants_network) {
      model->kernels->weight_gradient(n_steps, weights->n_post, weights->n_pre, post->g_drive + at,
                                      post->ld, pf_run_pre(workspace, weights, first, previous),
                                      pre->ld, weights->g, weights->ldw);
    }
    const bool passes_on =
        pre->phase == PF_PHASE_PLASTIC || pre->phase == PF_PHASE_AFTER || wants_network;
    pf_real *g_pre = passes_on ? pf_run_g_pre(workspace, weights, first, previous) : NULL;
    if (g_pre != NULL) {
      model->kernels->pre_gradient(n_steps, weights->n_post, weights->n_pre, weights->now,
                                   weights->ldw, post->g_drive + at, post->ld, g_pre, pre->ld);
    }
  }
  return status;
}

pf_status pf_run_back_population(pf_workspace *workspace, size_t p, const double *theta,
                                 int64_t first, int64_t last, int64_t k, double *gradient_theta,
                                 pf_error *error)
{
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    workspace->weights[q].now = pf_weights_state(&workspace->weights[q], k);
  }
  return pf_run_back_activate(workspace, p, theta, first, last, NULL, gradient_theta, error);
}

void pf_run_mark_scored(pf_workspace *workspace, const pf_draw *draw, uint32_t count_flag)
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

void pf_run_loss_view(const pf_workspace *workspace, size_t loss, const pf_draw *draw,
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
