#include "core/sensitivity/network_tangents.h"

#include "core/model/starting_weights.h"

#include <math.h>
#include <string.h>

/* ---- slopes ---- */

pf_status pf_slopes_reserve(pf_pool *pool, size_t n_signals, size_t cells, const pf_planes *planes,
                            pf_slopes *slopes, pf_error *error)
{
  pf_real *memory = pf_pool_need(pool, (3 * n_signals - 1) * cells, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  memset(memory, 0, (2 * n_signals - 1) * cells * sizeof *memory);
  *slopes = (pf_slopes){.stride = (int64_t)cells, .ones = memory + (n_signals - 1) * cells};
  for (size_t i = 0; i < cells; i++) {
    slopes->ones[i] = (pf_real)1;
  }
  for (size_t s = 0; s < n_signals; s++) {
    slopes->slope[s] = planes[s].cells == NULL ? NULL : memory + (2 * n_signals - 1 + s) * cells;
  }
  return PF_OK;
}

pf_status pf_slopes_make(const pf_tangents *self, const pf_slopes *slopes, const pf_units *in,
                         const pf_response *value, pf_error *error)
{
  const pf_component *network = self->model->network;
  for (size_t s = 0; s < self->max_signals; s++) {
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
    const pf_status status = network->plugin->network->activate_vjp(network->self, in, value,
                                                                    &cotangent, &gradient, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- the network's own parameters ---- */

/** The network's parameters along direction k. */
typedef struct own_direction {
  const double *from, *along; /* [n] */
  size_t n;
} own_direction;

static own_direction direction_of(const pf_tangents *self, int64_t k)
{
  const size_t theta0 = self->model->network_theta0;
  return (own_direction){.from = self->theta + theta0,
                         .along = self->along + (size_t)k * self->model->n_parameters + theta0,
                         .n = self->model->declared.parameters.count};
}

static double step_along(const own_direction *direction, double relative)
{
  const double step = pf_difference_step(direction->from, direction->along, direction->n, relative);
  return isfinite(step) ? step : 1.0; /* it moves other things than the network's parameters */
}

static void move_along(const own_direction *direction, double step, double *theta)
{
  for (size_t i = 0; i < direction->n; i++) {
    theta[i] = direction->from[i] + step * direction->along[i];
  }
}

/** By central differences along the direction. up, down: room for the signals of both sides,
 * [cells]; the difference goes into `up`. */
typedef struct direct_differences {
  const own_direction *direction;
  double *theta; /* [direction->n] */
  pf_real *up, *down;
  size_t cells;
} direct_differences;

static pf_status differentiate_signals(const pf_tangents *self, const pf_units *in,
                                       const direct_differences *by, pf_response *out,
                                       pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_network_ops *ops = network->plugin->network;
  const double step = step_along(by->direction, cbrt(pf_epsilon()));
  pf_units at = *in;
  at.theta = by->theta;
  move_along(by->direction, step, by->theta);
  out->signals = by->up;
  pf_status status = ops->activate(network->self, &at, out, error);
  if (status != PF_OK) {
    return status;
  }
  move_along(by->direction, -step, by->theta);
  out->signals = by->down;
  status = ops->activate(network->self, &at, out, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < by->cells; i++) {
    by->up[i] = (pf_real)(((double)by->up[i] - (double)by->down[i]) / (2.0 * step));
  }
  return PF_OK;
}

pf_status pf_tangents_direct(const pf_tangents *self, const pf_direct_in *of, int64_t k,
                             pf_real **direct, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_network_ops *ops = network->plugin->network;
  const pf_units *in = of->in;
  const own_direction direction = direction_of(self, k);
  const size_t n_signals = self->workspaces[0]->activity[in->population].info->signals.count;
  const size_t cells = (size_t)(in->n_steps * in->n_rows);
  double *theta = NULL;
  pf_real *up = NULL, *down = NULL, *zero = NULL;
  pf_arena arena = {NULL, 0};
  for (int pass = 0; pass < 2; pass++) { /* count, then hand out */
    theta = pf_arena_take(&arena, direction.n, sizeof *theta);
    up = pf_arena_take(&arena, n_signals * cells, sizeof *up);
    down = pf_arena_take(&arena, n_signals * cells, sizeof *down);
    zero = pf_arena_take(&arena, cells, sizeof *zero);
    if (pass == 0) {
      arena = (pf_arena){pf_pool_need(of->pool, arena.used, 1, error), 0};
      if (arena.base == NULL) {
        return PF_STOP;
      }
    }
  }
  pf_response out = {
      .size = sizeof out, .signals = up, .signal_stride = (int64_t)cells, .ld_signal = in->n_rows};
  *direct = up;
  if (PF_HAS(ops, pf_network_ops, activate_jvp) && ops->activate_jvp != NULL) {
    memset(zero, 0, cells * sizeof *zero);
    pf_units tangent = *in;
    tangent.theta = direction.along;
    tangent.drive = zero;
    tangent.ld_drive = in->n_rows;
    return ops->activate_jvp(network->self, in, of->value, &tangent, &out, error);
  }
  pf_tangents_note(self, PF_TANGENT_NETWORK_DIFFERENCES);
  const direct_differences by = {&direction, theta, up, down, n_signals * cells};
  return differentiate_signals(self, in, &by, &out, error);
}

/* ---- starting weights ---- */

/** Memory of all directions: starting weights of every projection, NULL where the data give them.
 */
typedef struct starts {
  pf_real **out;           /* [n_projections] of the direction at hand */
  pf_real **spare, **down; /* [n_projections] */
  double *theta;           /* [parameters of the network] moved */
} starts;

static size_t n_projections_of(const pf_tangents *self)
{
  return self->model->n_projections;
}

static size_t cells_of(const pf_tangents *self, size_t q)
{
  return self->workspaces[0]->weights[q].cells;
}

/** Starting weights at theta + step along the direction. */
static pf_status start_moved(const pf_tangents *self, const own_direction *direction, double step,
                             const starts *at, pf_real *const *w, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_initial out = {.size = sizeof out, .w = w, .ldw = self->workspaces[0]->initial_ldw};
  for (size_t q = 0; q < n_projections_of(self); q++) {
    if (w[q] != NULL) {
      memset(w[q], 0, cells_of(self, q) * sizeof(pf_real));
    }
  }
  move_along(direction, step, at->theta);
  return network->plugin->network->initial(network->self, at->theta, self->draw->noise, &out,
                                           error);
}

/** Central difference with one step, into `up`. */
static pf_status differ_starts(const pf_tangents *self, const own_direction *direction, double step,
                               const starts *at, pf_real *const *up, pf_error *error)
{
  pf_status status = start_moved(self, direction, step, at, up, error);
  if (status != PF_OK) {
    return status;
  }
  status = start_moved(self, direction, -step, at, at->down, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < n_projections_of(self); q++) {
    for (size_t c = 0; up[q] != NULL && c < cells_of(self, q); c++) {
      up[q][c] = (pf_real)(((double)up[q][c] - (double)at->down[q][c]) / (2.0 * step));
    }
  }
  return PF_OK;
}

/** Do two tangents agree to about the precision of differences? Then the weights are linear in the
 * parameters. */
static bool are_equal(const pf_tangents *self, pf_real *const *a, pf_real *const *b)
{
  double largest = 0.0, apart = 0.0;
  for (size_t q = 0; q < n_projections_of(self); q++) {
    for (size_t c = 0; a[q] != NULL && c < cells_of(self, q); c++) {
      largest = fmax(largest, fabs((double)a[q][c]));
      apart = fmax(apart, fabs((double)a[q][c] - (double)b[q][c]));
    }
  }
  return apart <= 1e3 * pow(pf_epsilon(), 2.0 / 3.0) * (largest + 1.0);
}

/** Along direction k: a long step is exact to rounding where weights are linear in the parameters,
 * as most are. */
static pf_status make_start(pf_tangents *self, size_t k, const starts *at, pf_error *error)
{
  const own_direction direction = direction_of(self, (int64_t)k);
  const double step = step_along(&direction, cbrt(pf_epsilon()));
  const pf_status status = differ_starts(self, &direction, step, at, at->out, error);
  pf_error ignored = pf_error_none();
  const bool is_linear = status == PF_OK &&
                         differ_starts(self, &direction, step_along(&direction, 0.5), at, at->spare,
                                       &ignored) == PF_OK &&
                         are_equal(self, at->out, at->spare);
  if (!is_linear) {
    pf_tangents_note(self, PF_TANGENT_NETWORK_DIFFERENCES);
  }
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < n_projections_of(self); q++) {
    const pf_weights *weights = &self->workspaces[0]->weights[q];
    if (at->out[q] == NULL) {
      continue;
    }
    if (is_linear) {
      memcpy(at->out[q], at->spare[q], weights->cells * sizeof(pf_real));
    }
    if (self->model->starts[q].mode != PF_START_NETWORK) {
      pf_learn_start_jvp(self->model, q, self->along + k * self->model->n_parameters,
                         self->draw->noise, at->out[q]);
    }
    pf_weights_disconnect(weights, at->out[q]);
  }
  return PF_OK;
}

/** Everything in one block; of the cells, n_network times those of self->initial. */
static void place_starts(pf_tangents *self, starts *at, pf_arena *arena)
{
  const size_t n = n_projections_of(self), n_network = (size_t)self->n_network;
  self->initial = pf_arena_take(arena, n, sizeof *self->initial);
  at->out = pf_arena_take(arena, n, sizeof *at->out);
  at->spare = pf_arena_take(arena, n, sizeof *at->spare);
  at->down = pf_arena_take(arena, n, sizeof *at->down);
  at->theta = pf_arena_take(arena, self->model->declared.parameters.count, sizeof *at->theta);
  for (size_t q = 0; q < n; q++) {
    const size_t own = cells_of(self, q);
    pf_real *cells =
        n_network == 0 ? NULL : pf_arena_take(arena, (n_network + 2) * own, sizeof *cells);
    if (arena->base != NULL) {
      const bool given = cells == NULL || self->draw->given_w[q] != NULL;
      self->initial[q] = given ? NULL : cells;
      at->spare[q] = given ? NULL : cells + n_network * own;
      at->down[q] = given ? NULL : cells + (n_network + 1) * own;
    }
  }
}

pf_status pf_tangents_make_initial(pf_tangents *self, pf_error *error)
{
  starts at;
  pf_arena arena = {NULL, 0};
  place_starts(self, &at, &arena);
  arena = (pf_arena){pf_pool_need(&self->kept->initial, arena.used, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  place_starts(self, &at, &arena);
  for (size_t k = 0; k < (size_t)self->n_network; k++) {
    for (size_t q = 0; q < n_projections_of(self); q++) {
      at.out[q] = self->initial[q] == NULL ? NULL : self->initial[q] + k * cells_of(self, q);
    }
    const pf_status status = make_start(self, k, &at, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
