/* What both paths backward share: cotangents cleared, losses, and the line about a gradient that
 * overflowed. */
#include "core/engine/synaptic_state.h"
#include "core/model/starting_weights.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

void pf_run_clear_cotangents(pf_workspace *workspace, size_t n_populations)
{
  const pf_model *model = workspace->model;
  for (size_t p = 1; p < n_populations; p++) {
    pf_activity *activity = &workspace->activity[p];
    size_t cells = (size_t)(workspace->n_steps * activity->ld);
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      if (s < 64 && (activity->heard >> s & 1) == 0) {
        continue;
      }
      memset(activity->g_signals + s * (size_t)activity->plane_stride, 0, cells * sizeof(pf_real));
    }
    memset(activity->g_drive, 0, cells * sizeof(pf_real));
    for (int64_t k = 0; k < activity->info->n_state; k++) {
      memset(activity->g_state + k * activity->plane_stride, 0, cells * sizeof(pf_real));
      memset(activity->g_start + k * activity->ld, 0, (size_t)activity->ld * sizeof(pf_real));
    }
  }
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    memset(weights->g, 0, pf_synaptic_cells(model, weights, weights->n_post) * sizeof(pf_real));
  }
}

pf_status pf_run_back_losses(const pf_draw *draw, const double *theta, const double *scale,
                             pf_workspace *workspace, double *gradient_theta, pf_error *error)
{
  const pf_model *model = workspace->model;
  pf_run_mark_scored(workspace, draw, PF_STEP_FIT);
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *term = &model->losses[k];
    pf_loss_view view;
    pf_real *g_observable[PF_LOSS_MAX_ARRAYS];
    pf_run_loss_view(workspace, k, draw, theta, &view);
    for (size_t o = 0; o < term->declared.observables.count; o++) {
      const pf_observable_table *table = &model->declared.observables;
      const pf_observable *info =
          pf_table_at(table->items, table->stride, table->count, (size_t)term->observables[o]);
      const pf_activity *activity = &workspace->activity[info->population];
      g_observable[o] = activity->g_signals == NULL
                            ? NULL
                            : activity->g_signals + info->signal * activity->plane_stride;
    }
    for (int64_t t = 0; t < draw->n_steps; t++) {
      workspace->cotangent[t] = scale[k];
    }
    const pf_loss_gradient gradient = {
        .size = sizeof gradient,
        .observable = g_observable,
        .ld_observable = view.ld_observable,
        .theta = pf_learns_loss(model, k) ? gradient_theta + term->theta0 : NULL};
    pf_status status = term->loss->plugin->loss->vjp(term->loss->self, &view.in,
                                                     workspace->cotangent, &gradient, error);
    if (status != PF_OK) {
      pf_run_locate(error, draw->recording->name, 0);
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_run_check_gradient(const pf_draw *draw, const pf_model *model, const double *gradient,
                                pf_error *error)
{
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (!isfinite(gradient[i])) {
      return pf_fail(
          error, PF_POINT_FAILED,
          "experiment %s: the gradient of %s is not finite (%g) although the simulation is; the "
          "trajectory is too sensitive at these coefficients",
          draw->recording->name, model->parameters[i].declared.name, gradient[i]);
    }
  }
  return PF_OK;
}
