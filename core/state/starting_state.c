#include "core/state/starting_state.h"

#include "core/model/model.h"
#include "core/model/starting_weights.h"
#include "core/model/weight_bounds.h"
#include "core/state/segments.h"
#include "core/state/workspace.h"

#include <string.h>

static bool is_given(pf_real *const *given_w, size_t q)
{
  return given_w != NULL && given_w[q] != NULL;
}

static pf_bounded_rows bounded_rows(const pf_weights *weights)
{
  return (pf_bounded_rows){weights->bound, weights->connected, weights->n_post, weights->n_pre,
                           weights->ldw};
}

/** Dense weights [n_post][n_pre] into states[0]. */
static void copy_given(const pf_real *from, const pf_weights *weights)
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
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (is_given(given_w, q) || model->starts[q].mode != PF_START_NETWORK) {
      workspace->initial_w[q] = NULL;
    } else {
      workspace->initial_w[q] = adjoint ? weights->g : weights->states;
    }
  }
  for (size_t p = 0; p < model->n_populations; p++) {
    const pf_activity *activity = &workspace->activity[p];
    workspace->initial_state[p] = adjoint ? activity->g_start : activity->start;
  }
  return (pf_initial){.size = sizeof(pf_initial),
                      .w = workspace->initial_w,
                      .ldw = workspace->initial_ldw,
                      .state = workspace->initial_state,
                      .ld_state = workspace->initial_ld_state};
}

pf_status pf_simulation_start(pf_workspace *workspace, const double *theta, const double *noise,
                              pf_real *const *given_w, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_status status = pf_trajectory_need(workspace, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    memset(weights->states, 0, weights->cells * sizeof(pf_real));
    if (is_given(given_w, q)) {
      copy_given(given_w[q], weights);
    }
  }
  for (size_t p = 1; p < model->n_populations; p++) {
    const pf_activity *activity = &workspace->activity[p];
    if (activity->start != NULL) {
      memset(activity->start, 0,
             (size_t)(activity->info->n_state * activity->ld) * sizeof(pf_real));
    }
  }
  const pf_initial initial = initial_of(workspace, given_w, false);
  status = model->network->plugin->network->initial(
      model->network->self, theta + model->network_theta0, noise, &initial, error);
  for (size_t q = 0; q < model->n_projections; q++) {
    pf_weights *weights = &workspace->weights[q];
    if (!is_given(given_w, q)) {
      pf_learn_start(model, q, theta, noise, weights->states);
    }
    pf_weights_disconnect(weights, weights->states);
    if (weights->bound->lower != NULL) {
      const pf_bounded_rows rows = bounded_rows(weights);
      memcpy(weights->unclipped, weights->states, weights->cells * sizeof(pf_real));
      pf_bound_clip(&rows, weights->states);
    }
    weights->now = weights->states;
  }
  return status;
}

pf_status pf_simulation_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta,
                              uint32_t flags, pf_error *error)
{
  if (draw->n_steps > workspace->capacity) {
    return pf_fail(error, PF_STOP,
                   "experiment %s has %lld steps, more than the %lld that room was made for",
                   draw->recording->name, (long long)draw->n_steps, (long long)workspace->capacity);
  }
  const bool still = (flags & PF_SIMULATE_NO_PLASTICITY) != 0;
  workspace->n_steps = draw->n_steps;
  workspace->activity[0].signals = draw->input;
  workspace->activity[0].ld = draw->ld_input;
  const pf_segmentation cut = {.flags = draw->flags,
                               .gap = workspace->model->forgets ? draw->recording->gap : NULL,
                               .n_steps = draw->n_steps,
                               .every_step = pf_model_has_traces(workspace->model) && !still,
                               .still = still};
  workspace->n_segments = pf_segments_make(&cut, workspace->segments);
  return pf_simulation_start(workspace, theta, draw->noise, draw->given_w, error);
}

pf_status pf_simulation_start_vjp(const pf_draw *draw, const double *theta, pf_workspace *workspace,
                                  double *gradient, pf_error *error)
{
  const pf_model *model = workspace->model;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->bound->lower != NULL) {
      const pf_bounded_rows rows = bounded_rows(weights);
      pf_bound_clip_vjp(&rows, weights->unclipped, weights->g);
    }
    pf_weights_disconnect(weights, weights->g);
    if (draw->given_w[q] == NULL) {
      pf_learn_start_vjp(model, q, draw->noise, weights->g, gradient);
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
