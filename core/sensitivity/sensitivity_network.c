#include "core/sensitivity/sensitivity_network.h"
#include "core/model/starting_weights.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef PF_SINGLE
#define EPSILON FLT_EPSILON
#else
#define EPSILON DBL_EPSILON
#endif

/* ---- slopes ---- */

pf_status pf_slopes_reserve(const pf_tangents *self, struct pf_sensitivity *kept, size_t n_signals,
                            int64_t n_steps, int64_t n_rows, const pf_planes *planes,
                            pf_slopes *slopes, pf_error *error)
{
  (void)self;
  const size_t stride = (size_t)(n_steps * n_rows);
  pf_real *memory =
      pf_pool_need(&kept->slopes, (3 * n_signals - 1) * stride, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  memset(memory, 0, (2 * n_signals - 1) * stride * sizeof *memory);
  slopes->stride = (int64_t)stride;
  slopes->ones = memory + (n_signals - 1) * stride;
  for (size_t i = 0; i < stride; i++) {
    slopes->ones[i] = (pf_real)1;
  }
  for (size_t s = 0; s < PF_MAX_SIGNALS; s++) {
    slopes->slope[s] =
        s < n_signals && planes[s].cells != NULL ? memory + (2 * n_signals - 1 + s) * stride : NULL;
  }
  return PF_OK;
}

pf_status pf_slopes_make(const pf_tangents *self, const pf_slopes *slopes, const pf_units *in,
                         const pf_response *value, pf_error *error)
{
  const pf_component *network = self->model->network;
  pf_status status = PF_OK;
  for (size_t s = 0; s < self->max_signals && status == PF_OK; s++) {
    if (slopes->slope[s] == NULL) {
      continue;
    }
    memset(slopes->slope[s], 0, (size_t)(in->n_steps * in->n_rows) * sizeof(pf_real));
    const pf_response cotangent = {.size = sizeof cotangent,
                                   .signals = slopes->ones - (int64_t)s * slopes->stride,
                                   .signal_stride = slopes->stride,
                                   .ld_signal = in->n_rows};
    const pf_units_gradient gradient = {
        .size = sizeof gradient, .drive = slopes->slope[s], .ld_drive = in->n_rows};
    status = network->plugin->network->activate_vjp(network->self, in, value, &cotangent, &gradient,
                                                    error);
  }
  return status;
}

/* ---- parameters ---- */

static const double *along_network(const pf_tangents *self, int64_t k)
{
  return self->along + (size_t)k * self->model->n_parameters + self->model->network_theta0;
}

/** Steps along a direction: the largest part of it becomes `relative` of its parameter's size, at
 * least of 1. */
static double step_along(const pf_tangents *self, int64_t k, double relative)
{
  const double *along = along_network(self, k), *theta = self->theta + self->model->network_theta0;
  double step = INFINITY;
  for (size_t i = 0; i < self->model->declared.parameters.count; i++) {
    const double size = fabs(theta[i]) > 1.0 ? fabs(theta[i]) : 1.0;
    if (along[i] != 0.0 && relative * size / fabs(along[i]) < step) {
      step = relative * size / fabs(along[i]);
    }
  }
  return isfinite(step) ? step : 1.0; /* it moves other things than the network's parameters */
}

static void moved(const pf_tangents *self, int64_t k, double step, double *theta)
{
  const double *along = along_network(self, k), *from = self->theta + self->model->network_theta0;
  for (size_t i = 0; i < self->model->declared.parameters.count; i++) {
    theta[i] = from[i] + step * along[i];
  }
}

pf_status pf_tangents_direct(const pf_tangents *self, struct pf_sensitivity *kept,
                             const pf_units *in, const pf_response *value, int64_t k,
                             pf_real **direct, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_network_ops *ops = network->plugin->network;
  const size_t n_signals = self->workspaces[0]->activity[in->population].info->signals.count;
  const size_t cells = (size_t)(in->n_steps * in->n_rows),
               n_theta = self->model->declared.parameters.count;
  double *theta = pf_pool_need(
      &kept->network, n_theta * sizeof(double) + (2 * n_signals + 1) * cells * sizeof(pf_real), 1,
      error);
  if (theta == NULL) {
    return PF_STOP;
  }
  pf_real *up = (pf_real *)(void *)(theta + n_theta), *down = up + n_signals * cells,
          *zero = down + n_signals * cells;
  pf_response out = {
      .size = sizeof out, .signals = up, .signal_stride = (int64_t)cells, .ld_signal = in->n_rows};
  *direct = up;
  if (PF_HAS(ops, pf_network_ops, activate_jvp) && ops->activate_jvp != NULL) {
    memset(zero, 0, cells * sizeof *zero);
    pf_units tangent = *in;
    tangent.theta = along_network(self, k);
    tangent.drive = zero;
    tangent.ld_drive = in->n_rows;
    return ops->activate_jvp(network->self, in, value, &tangent, &out, error);
  }
  pf_tangents_note(self, PF_TANGENT_NETWORK_DIFFERENCES);
  const double step = step_along(self, k, cbrt((double)EPSILON));
  pf_units at = *in;
  at.theta = theta;
  moved(self, k, step, theta);
  pf_status status = ops->activate(network->self, &at, &out, error);
  moved(self, k, -step, theta);
  out.signals = down;
  status = status == PF_OK ? ops->activate(network->self, &at, &out, error) : status;
  for (size_t i = 0; i < n_signals * cells && status == PF_OK; i++) {
    up[i] = (pf_real)(((double)up[i] - (double)down[i]) / (2.0 * step));
  }
  return status;
}

/** Starting weights at theta + step along direction k. */
static pf_status initial_at(const pf_tangents *self, int64_t k, double step, double *theta,
                            pf_real *const *w, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_workspace *workspace = self->workspaces[0];
  const pf_initial out = {.size = sizeof out, .w = w, .ldw = workspace->initial_ldw};
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    if (w[q] != NULL) {
      memset(w[q], 0, workspace->weights[q].cells * sizeof(pf_real));
    }
  }
  moved(self, k, step, theta);
  return network->plugin->network->initial(network->self, theta, self->draw->noise, &out, error);
}

/** Central difference with one step, into `up`. */
static pf_status difference(const pf_tangents *self, int64_t k, double step, double *theta,
                            pf_real *const *up, pf_real *const *down, pf_error *error)
{
  pf_status status = initial_at(self, k, step, theta, up, error);
  status = status == PF_OK ? initial_at(self, k, -step, theta, down, error) : status;
  for (size_t q = 0; q < self->model->declared.projections.count && status == PF_OK; q++) {
    for (size_t c = 0; up[q] != NULL && c < self->workspaces[0]->weights[q].cells; c++) {
      up[q][c] = (pf_real)(((double)up[q][c] - (double)down[q][c]) / (2.0 * step));
    }
  }
  return status;
}

/** Do two tangents agree to about the precision of differences? Then the weights are linear in the
 * parameters. */
static bool agree(const pf_tangents *self, pf_real *const *a, pf_real *const *b)
{
  double largest = 0.0, apart = 0.0;
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    for (size_t c = 0; a[q] != NULL && c < self->workspaces[0]->weights[q].cells; c++) {
      largest = fmax(largest, fabs((double)a[q][c]));
      apart = fmax(apart, fabs((double)a[q][c] - (double)b[q][c]));
    }
  }
  return apart <= 1e3 * pow((double)EPSILON, 2.0 / 3.0) * (largest + 1.0);
}

/** Along direction k: a long step is exact to rounding where weights are linear in the parameters,
 * as most are. */
static pf_status initial_along(pf_tangents *self, int64_t k, double *theta, pf_real *const *out,
                               pf_real *const *spare, pf_real *const *down, pf_error *error)
{
  pf_status status =
      difference(self, k, step_along(self, k, cbrt((double)EPSILON)), theta, out, down, error);
  pf_error ignored = {.size = sizeof ignored};
  if (status == PF_OK &&
      difference(self, k, step_along(self, k, 0.5), theta, spare, down, &ignored) == PF_OK &&
      agree(self, out, spare)) {
    for (size_t q = 0; q < self->model->declared.projections.count; q++) {
      if (out[q] != NULL) {
        memcpy(out[q], spare[q], self->workspaces[0]->weights[q].cells * sizeof(pf_real));
      }
    }
  } else {
    pf_tangents_note(self, PF_TANGENT_NETWORK_DIFFERENCES);
  }
  for (size_t q = 0; q < self->model->declared.projections.count && status == PF_OK; q++) {
    const pf_weights *weights = &self->workspaces[0]->weights[q];
    if (out[q] != NULL && self->model->starts[q].mode != PF_START_NETWORK) {
      pf_learn_start_jvp(self->model, q, self->along + (size_t)k * self->model->n_parameters,
                         self->draw->noise, weights->n_post, weights->n_pre, out[q], weights->ldw);
    }
    if (out[q] != NULL) {
      pf_weights_disconnect(&self->workspaces[0]->weights[q], out[q]);
    }
  }
  return status;
}

pf_status pf_tangents_make_initial(pf_tangents *self, pf_error *error)
{
  const size_t n_projections = self->model->declared.projections.count,
               n_network = (size_t)self->n_network;
  const pf_workspace *workspace = self->workspaces[0];
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  pf_real **table =
      kept == NULL ? NULL
                   : pf_pool_need(&kept->initial_table, 4 * n_projections, sizeof *table, error);
  if (table == NULL) {
    return PF_STOP;
  }
  size_t cells = 0;
  for (size_t q = 0; q < n_projections; q++) {
    cells += workspace->weights[q].cells;
  }
  self->initial = table;
  if (n_network == 0) {
    memset(table, 0, n_projections * sizeof *table);
    return PF_OK;
  }
  const size_t n_theta = self->model->declared.parameters.count;
  pf_real *memory = pf_pool_need(&kept->initial, (n_network + 2) * cells, sizeof *memory, error);
  double *theta = pf_pool_need(&kept->network, n_theta, sizeof *theta, error);
  if (memory == NULL || theta == NULL) {
    return PF_STOP;
  }
  pf_real **out = table + n_projections, **spare = out + n_projections,
          **down = spare + n_projections;
  size_t at = 0;
  for (size_t q = 0; q < n_projections; q++) {
    const bool given = self->draw->given_w[q] != NULL;
    const size_t own = workspace->weights[q].cells;
    table[q] = given ? NULL : memory + at;
    at += n_network * own;
    spare[q] = given ? NULL : memory + at;
    down[q] = given ? NULL : memory + at + own;
    at += 2 * own;
  }
  pf_status status = PF_OK;
  for (size_t k = 0; k < n_network && status == PF_OK; k++) {
    for (size_t q = 0; q < n_projections; q++) {
      out[q] = table[q] == NULL ? NULL : table[q] + k * workspace->weights[q].cells;
    }
    status = initial_along(self, (int64_t)k, theta, out, spare, down, error);
  }
  return status;
}
