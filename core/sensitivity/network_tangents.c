#include "core/sensitivity/network_tangents.h"

#include "core/model/starting_weights.h"
#include "core/model/weight_bounds.h"
#include "core/sensitivity/unit_tangents.h"

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

/** One number after the other from the network's adjoint, into `out` [n_signals][cells]. theta: its
 * slopes. */
static pf_status direct_from_slopes(const pf_tangents *self, const pf_direct_in *of,
                                    const own_direction *direction, pf_real *out, double *theta,
                                    pf_error *error)
{
  const pf_units *in = of->in;
  const size_t n_signals = self->workspaces[0]->activity[in->population].info->signals.count;
  for (size_t c = 0; c < n_signals * (size_t)(in->n_steps * in->n_rows); c++) {
    const int64_t cell = (int64_t)c % (in->n_steps * in->n_rows);
    const int64_t t = cell / in->n_rows, i = cell % in->n_rows;
    const int64_t signal = (int64_t)c / (in->n_steps * in->n_rows);
    pf_units unit = *in;
    pf_response value = *of->value;
    unit.row0 += i;
    unit.n_rows = unit.n_steps = 1;
    unit.drive += t * in->ld_drive + i;
    value.signals += t * of->value->ld_signal + i;
    memset(theta, 0, direction->n * sizeof *theta);
    const pf_status status = pf_unit_theta_slopes(self, &unit, &value, signal, theta, error);
    if (status != PF_OK) {
      return status;
    }
    double sum = 0.0;
    for (size_t n = 0; n < direction->n; n++) {
      sum += theta[n] * direction->along[n];
    }
    out[c] = (pf_real)sum;
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
  pf_real *up = NULL, *zero = NULL;
  pf_arena arena = {NULL, 0};
  for (int pass = 0; pass < 2; pass++) { /* count, then hand out */
    theta = pf_arena_take(&arena, direction.n, sizeof *theta);
    up = pf_arena_take(&arena, n_signals * cells, sizeof *up);
    zero = pf_arena_take(&arena, cells, sizeof *zero);
    if (pass == 0) {
      arena = (pf_arena){pf_pool_need(of->pool, arena.used, 1, error), 0};
      if (arena.base == NULL) {
        return PF_STOP;
      }
    }
  }
  const pf_response out = {
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
  return direct_from_slopes(self, of, &direction, up, theta, error);
}

/* ---- the start ---- */

/** Starting weights of every projection, then starting states of every population: one array each,
 * NULL where the data give them or there are none. */
typedef struct starts {
  pf_real **out;           /* [n_arrays] of the direction at hand */
  pf_real **spare, **down; /* [n_arrays] */
  double *theta;           /* [parameters of the network] moved, or a gradient */
} starts;

static size_t n_arrays_of(const pf_tangents *self)
{
  return self->model->n_projections + self->model->n_populations;
}

static size_t cells_of(const pf_tangents *self, size_t a)
{
  const size_t n_projections = self->model->n_projections;
  if (a < n_projections) {
    return self->workspaces[0]->weights[a].cells;
  }
  const pf_activity *activity = &self->workspaces[0]->activity[a - n_projections];
  return activity->state == NULL ? 0 : (size_t)(activity->info->n_state * activity->ld);
}

static bool is_given(const pf_tangents *self, size_t a)
{
  return a < self->model->n_projections && self->draw->given_w[a] != NULL;
}

static void clear_arrays(const pf_tangents *self, pf_real *const *arrays)
{
  for (size_t a = 0; a < n_arrays_of(self); a++) {
    if (arrays[a] != NULL) {
      memset(arrays[a], 0, cells_of(self, a) * sizeof(pf_real));
    }
  }
}

static pf_initial initial_of(const pf_tangents *self, pf_real *const *arrays)
{
  const pf_workspace *workspace = self->workspaces[0];
  return (pf_initial){.size = sizeof(pf_initial),
                      .w = arrays,
                      .ldw = workspace->initial_ldw,
                      .state = arrays + self->model->n_projections,
                      .ld_state = workspace->initial_ld_state};
}

/** The start at theta + step along the direction. */
static pf_status start_moved(const pf_tangents *self, const own_direction *direction, double step,
                             const starts *at, pf_real *const *arrays, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_initial out = initial_of(self, arrays);
  clear_arrays(self, arrays);
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
  for (size_t a = 0; a < n_arrays_of(self); a++) {
    for (size_t c = 0; up[a] != NULL && c < cells_of(self, a); c++) {
      up[a][c] = (pf_real)(((double)up[a][c] - (double)at->down[a][c]) / (2.0 * step));
    }
  }
  return PF_OK;
}

/** Do two tangents agree to about the precision of differences? Then the start is linear in the
 * parameters. */
static bool are_equal(const pf_tangents *self, pf_real *const *x, pf_real *const *y)
{
  double largest = 0.0, apart = 0.0;
  for (size_t a = 0; a < n_arrays_of(self); a++) {
    for (size_t c = 0; x[a] != NULL && c < cells_of(self, a); c++) {
      largest = fmax(largest, fabs((double)x[a][c]));
      apart = fmax(apart, fabs((double)x[a][c] - (double)y[a][c]));
    }
  }
  return apart <= 1e3 * pow(pf_epsilon(), 2.0 / 3.0) * (largest + 1.0);
}

/** One cell after the other from the adjoint of the start: exact, but slow. */
static pf_status adjoint_starts(const pf_tangents *self, const own_direction *direction,
                                const starts *at, pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_initial cotangent = initial_of(self, at->down);
  clear_arrays(self, at->down);
  for (size_t a = 0; a < n_arrays_of(self); a++) {
    for (size_t c = 0; at->out[a] != NULL && c < cells_of(self, a); c++) {
      memset(at->theta, 0, direction->n * sizeof *at->theta);
      at->down[a][c] = (pf_real)1;
      const pf_status status = network->plugin->network->initial_vjp(
          network->self, direction->from, self->draw->noise, &cotangent, at->theta, error);
      at->down[a][c] = (pf_real)0;
      if (status != PF_OK) {
        return status;
      }
      double sum = 0.0;
      for (size_t i = 0; i < direction->n; i++) {
        sum += at->theta[i] * direction->along[i];
      }
      at->out[a][c] = (pf_real)sum;
    }
  }
  return PF_OK;
}

/** What the network makes of direction k: a long step is exact to rounding where the start is
 * linear in the parameters, as most are. */
static pf_status differentiate_start(const pf_tangents *self, const own_direction *direction,
                                     const starts *at, pf_error *error)
{
  pf_error ignored = pf_error_none();
  const double step = step_along(direction, cbrt(pf_epsilon()));
  const bool is_linear =
      differ_starts(self, direction, step, at, at->spare, &ignored) == PF_OK &&
      differ_starts(self, direction, step_along(direction, 0.5), at, at->out, &ignored) == PF_OK &&
      are_equal(self, at->out, at->spare);
  return is_linear ? PF_OK : adjoint_starts(self, direction, at, error);
}

static pf_status make_start(pf_tangents *self, size_t k, const starts *at, pf_error *error)
{
  const pf_workspace *workspace = self->workspaces[0];
  const own_direction direction = direction_of(self, (int64_t)k);
  const pf_status status = differentiate_start(self, &direction, at, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (at->out[q] == NULL) {
      continue;
    }
    if (self->model->starts[q].mode != PF_START_NETWORK) {
      pf_learn_start_jvp(self->model, q, self->along + k * self->model->n_parameters,
                         self->draw->noise, at->out[q]);
    }
    pf_weights_disconnect(weights, at->out[q]);
    if (weights->bound->lower != NULL) {
      const pf_bounded_rows rows = {weights->bound, weights->connected, weights->n_post,
                                    weights->n_pre, weights->ldw};
      pf_bound_clip_vjp(&rows, weights->unclipped, at->out[q]);
    }
  }
  return PF_OK;
}

/** Everything in one block; of the cells, n_network times those of self->initial. */
static void place_starts(pf_tangents *self, starts *at, pf_arena *arena)
{
  const size_t n = n_arrays_of(self), n_network = (size_t)self->n_network;
  self->initial = pf_arena_take(arena, n, sizeof *self->initial);
  at->out = pf_arena_take(arena, n, sizeof *at->out);
  at->spare = pf_arena_take(arena, n, sizeof *at->spare);
  at->down = pf_arena_take(arena, n, sizeof *at->down);
  at->theta = pf_arena_take(arena, self->model->declared.parameters.count, sizeof *at->theta);
  for (size_t a = 0; a < n; a++) {
    const size_t own = cells_of(self, a);
    pf_real *cells = n_network == 0 || own == 0
                         ? NULL
                         : pf_arena_take(arena, (n_network + 2) * own, sizeof *cells);
    if (arena->base != NULL) {
      const bool none = cells == NULL || is_given(self, a);
      self->initial[a] = none ? NULL : cells;
      at->spare[a] = none ? NULL : cells + n_network * own;
      at->down[a] = none ? NULL : cells + (n_network + 1) * own;
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
    for (size_t a = 0; a < n_arrays_of(self); a++) {
      at.out[a] = self->initial[a] == NULL ? NULL : self->initial[a] + k * cells_of(self, a);
    }
    const pf_status status = make_start(self, k, &at, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
