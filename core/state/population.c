#include "core/state/population.h"

#include "core/model/model.h"
#include "core/state/kernels.h"

pf_units pf_population_units(const pf_workspace *workspace, const double *theta,
                             const pf_population_steps *steps)
{
  const pf_activity *post = &workspace->activity[steps->population];
  const pf_step_context *context = steps->context;
  pf_units in = {.size = sizeof in,
                 .population = (int64_t)steps->population,
                 .n_rows = post->n,
                 .n_steps = steps->last - steps->first + 1,
                 .theta = theta + workspace->model->network_theta0,
                 .drive = post->drive + steps->first * post->ld,
                 .ld_drive = post->ld,
                 .dt = context == NULL ? 0.0 : context->dt};
  if (post->state != NULL) {
    const bool anew = context->previous < 0;
    in.state = anew ? post->start : post->state + context->previous * post->ld;
    in.ld_state = anew ? post->ld : post->plane_stride;
  }
  return in;
}

pf_response pf_population_response(const pf_activity *post, pf_real *signals, pf_real *state,
                                   int64_t first)
{
  pf_response response = {.size = sizeof response,
                          .signals = signals + first * post->ld,
                          .signal_stride = post->plane_stride,
                          .ld_signal = post->ld};
  if (post->state != NULL) {
    response.state = state + first * post->ld;
    response.ld_state = post->plane_stride;
  }
  return response;
}

static int64_t previous_row(const pf_population_steps *steps)
{
  return steps->context == NULL ? -1 : steps->context->previous;
}

void pf_population_drive(pf_workspace *workspace, const pf_population_steps *steps)
{
  const pf_activity *post = &workspace->activity[steps->population];
  const int64_t n_steps = steps->last - steps->first + 1;
  bool add = false;
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post == (int64_t)steps->population) {
      workspace->kernels->drive(
          n_steps, weights->n_post, weights->n_pre, weights->now, weights->ldw,
          pf_presynaptic_signal(workspace, weights, steps->first, previous_row(steps)),
          workspace->activity[weights->info->pre].ld, post->drive + steps->first * post->ld,
          post->ld, add);
      add = true;
    }
  }
}

pf_status pf_population_respond(pf_workspace *workspace, const double *theta,
                                const pf_population_steps *steps, pf_error *error)
{
  const pf_component *network = workspace->model->network;
  const pf_activity *post = &workspace->activity[steps->population];
  const pf_units in = pf_population_units(workspace, theta, steps);
  const pf_response out = pf_population_response(post, post->signals, post->state, steps->first);
  return network->plugin->network->activate(network->self, &in, &out, error);
}

pf_status pf_population_activate(pf_workspace *workspace, const double *theta,
                                 const pf_population_steps *steps, pf_error *error)
{
  pf_population_drive(workspace, steps);
  return pf_population_respond(workspace, theta, steps, error);
}

/** From cotangents of the drive to those of the weights and presynaptic signals. */
static void drive_vjp(pf_workspace *workspace, const pf_population_steps *steps, bool wants_network)
{
  const pf_kernels *kernels = workspace->kernels;
  const pf_activity *post = &workspace->activity[steps->population];
  const int64_t first = steps->first, n_steps = steps->last - first + 1;
  const pf_real *g_drive = post->g_drive + first * post->ld;
  for (size_t q = 0; q < workspace->model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)steps->population) {
      continue;
    }
    const pf_activity *pre = &workspace->activity[weights->info->pre];
    if (weights->plastic != NULL || wants_network) {
      kernels->weight_gradient(
          n_steps, weights->n_post, weights->n_pre, g_drive, post->ld,
          pf_presynaptic_signal(workspace, weights, first, previous_row(steps)), pre->ld,
          weights->g, weights->ldw);
    }
    const bool passes_on =
        pre->phase == PF_PHASE_PLASTIC || pre->phase == PF_PHASE_AFTER || wants_network;
    pf_real *g_pre =
        passes_on ? pf_presynaptic_cotangent(workspace, weights, first, previous_row(steps)) : NULL;
    if (g_pre != NULL) {
      kernels->pre_gradient(n_steps, weights->n_post, weights->n_pre, weights->now, weights->ldw,
                            g_drive, post->ld, g_pre, pre->ld);
    }
  }
}

pf_status pf_population_vjp(pf_workspace *workspace, const double *theta,
                            const pf_population_steps *steps, double *gradient, pf_error *error)
{
  const pf_model *model = workspace->model;
  const pf_activity *post = &workspace->activity[steps->population];
  const int64_t first = steps->first, previous = previous_row(steps);
  const pf_units in = pf_population_units(workspace, theta, steps);
  const pf_response value = pf_population_response(post, post->signals, post->state, first);
  const pf_response cotangent = pf_population_response(post, post->g_signals, post->g_state, first);
  pf_units_gradient into = {.size = sizeof into,
                            .drive = post->g_drive + first * post->ld,
                            .theta = gradient == NULL ? NULL : gradient + model->network_theta0,
                            .ld_drive = post->ld};
  if (post->state != NULL) {
    into.state = previous < 0 ? post->g_start : post->g_state + previous * post->ld;
    into.ld_state = previous < 0 ? post->ld : post->plane_stride;
  }
  const pf_status status = model->network->plugin->network->activate_vjp(
      model->network->self, &in, &value, &cotangent, &into, error);
  if (status != PF_OK) {
    return status;
  }
  drive_vjp(workspace, steps, gradient != NULL);
  return PF_OK;
}
