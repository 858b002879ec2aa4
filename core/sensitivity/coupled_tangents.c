#include "core/sensitivity/coupled_tangents.h"

#include "core/engine/simulation.h"
#include "core/model/weight_bounds.h"
#include "core/sensitivity/network_tangents.h"
#include "core/sensitivity/synaptic_tangents.h"
#include "core/sensitivity/unit_tangents.h"
#include "core/state/failures.h"
#include "core/state/population.h"
#include "core/state/seen.h"
#include "core/state/segments.h"

#include <string.h>

/* Of what is kept for every direction; beyond it directions are taken a few at a time. */
static const size_t most_bytes = (size_t)64 << 20;
enum { FEWEST_AT_ONCE = 8 };

/** A population's tangents, of the directions at hand. */
typedef struct moving_units {
  pf_real *state, *after; /* [n_k][n_state][ld] before and after a step */
} moving_units;

typedef struct tangent_walk {
  const pf_tangents *self;
  const pf_model *model;
  pf_workspace *workspace;
  int64_t at_once, k0, n_k;
  pf_synaptic_tangents *weights; /* [n_projections], of plastic ones */
  moving_units *units;           /* [n_populations] */
  pf_real *drive;                /* [n_k][ld], of the widest */
  pf_real *signals;              /* [n_k][n_signals][ld], of the widest */
  pf_real *scratch;              /* of a step of the synaptic state */
  pf_synaptic_scratch_memory synaptic;
} tangent_walk;

/* ---- memory ---- */

static size_t larger_of(size_t a, size_t b)
{
  return a > b ? a : b;
}

static pf_real *take_cells(pf_arena *arena, size_t cells)
{
  return pf_arena_take(arena, cells, sizeof(pf_real));
}

/** Of one plastic projection. */
static void place_weights(tangent_walk *walk, size_t q, pf_arena *arena)
{
  const pf_weights *weights = &walk->workspace->weights[q];
  const size_t cells = pf_synaptic_cells(walk->model, weights, weights->n_post);
  const size_t n_k = (size_t)walk->at_once;
  pf_synaptic_tangents at = {.w_cells = weights->cells, .n_trace_cells = cells - weights->cells};
  at.from = take_cells(arena, cells);
  at.to = take_cells(arena, cells);
  at.w = take_cells(arena, n_k * at.w_cells);
  at.before = take_cells(arena, n_k * at.n_trace_cells);
  at.after = take_cells(arena, n_k * at.n_trace_cells);
  if (arena->base != NULL) {
    walk->weights[q] = at;
  }
}

/** Scratch of the steps of all plastic projections. */
static void place_scratch(tangent_walk *walk, pf_arena *arena)
{
  size_t step = 0, state = 0, dw = 0, pre = 0, post = 0;
  for (size_t q = 0; q < walk->model->n_projections; q++) {
    const pf_weights *weights = &walk->workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t cells = pf_synaptic_cells(walk->model, weights, weights->n_post);
      step = larger_of(step, pf_synaptic_scratch(walk->model, weights, weights->n_post, false));
      state = larger_of(state, cells + weights->cells);
      dw = larger_of(dw, weights->cells);
      pre = larger_of(pre, pf_synaptic_seen_cells(walk->model, weights, false));
      post = larger_of(post, pf_synaptic_seen_cells(walk->model, weights, true));
    }
  }
  walk->scratch = take_cells(arena, step);
  walk->synaptic.state = take_cells(arena, state);
  walk->synaptic.dw = take_cells(arena, (size_t)walk->at_once * dw);
  walk->synaptic.pre = take_cells(arena, (size_t)walk->at_once * pre);
  walk->synaptic.post = take_cells(arena, (size_t)walk->at_once * post);
}

static void place_units(tangent_walk *walk, pf_arena *arena)
{
  size_t drive = 0, signals = 0;
  for (size_t p = 1; p < walk->model->n_populations; p++) {
    const pf_activity *activity = &walk->workspace->activity[p];
    const size_t cells = (size_t)(walk->at_once * activity->info->n_state * activity->ld);
    const moving_units at = {take_cells(arena, cells), take_cells(arena, cells)};
    drive = larger_of(drive, (size_t)activity->ld);
    signals = larger_of(signals, activity->info->signals.count * (size_t)activity->ld);
    if (arena->base != NULL) {
      walk->units[p] = at;
    }
  }
  walk->drive = take_cells(arena, (size_t)walk->at_once * drive);
  walk->signals = take_cells(arena, (size_t)walk->at_once * signals);
}

static void place_walk(tangent_walk *walk, pf_arena *arena)
{
  const pf_model *model = walk->model;
  walk->weights = pf_arena_take(arena, model->n_projections, sizeof *walk->weights);
  walk->units = pf_arena_take(arena, model->n_populations, sizeof *walk->units);
  for (size_t q = 0; q < model->n_projections; q++) {
    if (walk->workspace->weights[q].plastic != NULL) {
      place_weights(walk, q, arena);
    }
  }
  place_units(walk, arena);
  place_scratch(walk, arena);
}

/** How many directions at once: what each keeps should not grow beyond most_bytes. */
static int64_t plan_at_once(const pf_model *model, int64_t n)
{
  const double one = pf_coupled_tangent_bytes(model, 1);
  const double fit = one > 0.0 ? (double)most_bytes / one : (double)n;
  if (fit >= (double)n) {
    return n;
  }
  const int64_t some = fit > FEWEST_AT_ONCE ? (int64_t)fit : FEWEST_AT_ONCE;
  return some < n ? some : n;
}

double pf_coupled_tangent_bytes(const pf_model *model, size_t n)
{
  double cells = 0.0;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const int64_t *traces = plastic->n_traces;
    const double w = (double)plastic->n_post * (double)pf_leading_dimension(plastic->n_pre);
    cells += 2.0 * w +
             2.0 * ((double)traces[PF_PER_NETWORK] + (double)(traces[PF_PER_PRE] * plastic->n_pre) +
                    (double)(traces[PF_PER_POST] * plastic->n_post) +
                    (double)traces[PF_PER_SYNAPSE] * w);
  }
  for (size_t p = 1; p < model->n_populations; p++) {
    const pf_population *population = pf_population_of(model, p);
    const double per_unit = 1.0 + 2.0 * (double)population->n_state;
    cells += (per_unit + (double)population->signals.count) * (double)population->n;
  }
  return (double)n * cells * (double)sizeof(pf_real);
}

static pf_status make_walk(tangent_walk *walk, pf_error *error)
{
  pf_pool *pool = &walk->self->kept->block;
  pf_arena arena = {NULL, 0};
  place_walk(walk, &arena);
  arena = (pf_arena){pf_pool_need(pool, arena.used, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  place_walk(walk, &arena);
  return PF_OK;
}

/* ---- the start ---- */

static pf_synaptic_state synaptic_of(const tangent_walk *walk, size_t q)
{
  return pf_synaptic_make(walk->workspace, walk->self->theta, q, 0,
                          walk->workspace->weights[q].n_post);
}

/** Of the directions at hand, how many are among the first n_network. */
static int64_t count_network(const tangent_walk *walk)
{
  const int64_t rest = walk->self->n_network > walk->k0 ? walk->self->n_network - walk->k0 : 0;
  return rest < walk->n_k ? rest : walk->n_k;
}

static void start_weights(tangent_walk *walk, size_t q)
{
  pf_synaptic_tangents *at = &walk->weights[q];
  const pf_synaptic_state synaptic = synaptic_of(walk, q);
  at->k0 = walk->k0;
  at->n_k = walk->n_k;
  pf_synaptic_start(&synaptic, at->from);
  memset(at->w, 0, (size_t)walk->n_k * at->w_cells * sizeof *at->w);
  memset(at->before, 0, (size_t)walk->n_k * at->n_trace_cells * sizeof *at->before);
  for (int64_t k = 0; k < count_network(walk); k++) {
    const pf_real *from = pf_tangents_initial(walk->self, q, walk->k0 + k);
    if (from != NULL) {
      memcpy(at->w + (size_t)k * at->w_cells, from, at->w_cells * sizeof *from);
    }
  }
}

/** The starting state's tangents into `state` [n_k][n_state][ld]. */
static void start_units(const tangent_walk *walk, size_t p, pf_real *state)
{
  const pf_activity *activity = &walk->workspace->activity[p];
  const size_t cells = (size_t)(activity->info->n_state * activity->ld);
  memset(state, 0, (size_t)walk->n_k * cells * sizeof *state);
  for (int64_t k = 0; k < count_network(walk); k++) {
    const pf_real *from = pf_tangents_initial_state(walk->self, p, walk->k0 + k);
    if (from != NULL) {
      memcpy(state + (size_t)k * cells, from, cells * sizeof *from);
    }
  }
}

static void start_walk(tangent_walk *walk)
{
  for (size_t q = 0; q < walk->model->n_projections; q++) {
    if (walk->workspace->weights[q].plastic != NULL) {
      start_weights(walk, q);
    }
  }
}

/* ---- units ---- */

/** W' pre, of the weights' own tangents, added to the drives'. */
static void drive_by_weights(const tangent_walk *walk, size_t q, const pf_real *pre)
{
  const pf_weights *weights = &walk->workspace->weights[q];
  const pf_kernels *kernels = walk->workspace->kernels;
  const int64_t ld = walk->workspace->activity[weights->info->post].ld;
  const bool plastic = weights->plastic != NULL;
  const int64_t n_k = plastic ? walk->n_k : count_network(walk);
  for (int64_t k = 0; k < n_k; k++) {
    const pf_real *w = plastic ? walk->weights[q].w + (size_t)k * weights->cells
                               : pf_tangents_initial(walk->self, q, walk->k0 + k);
    if (w != NULL) {
      kernels->drive(1, weights->n_post, weights->n_pre, w, weights->ldw, pre, weights->n_pre,
                     walk->drive + k * ld, ld, true);
    }
  }
}

/** Drives' tangents of population p at a step into walk->drive [n_k][ld]. */
static void drive_tangents(const tangent_walk *walk, size_t p, const pf_step_context *context)
{
  const pf_workspace *workspace = walk->workspace;
  const int64_t ld = workspace->activity[p].ld;
  memset(walk->drive, 0, (size_t)(walk->n_k * ld) * sizeof *walk->drive);
  for (size_t q = 0; q < walk->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)p) {
      continue;
    }
    const bool back = weights->info->when == PF_PRE_PREVIOUS;
    const int64_t row = back ? context->previous : context->row;
    const pf_planes *pre =
        pf_tangents_planes(walk->self, weights->info->pre, weights->info->signal);
    drive_by_weights(walk, q,
                     pf_presynaptic_signal(workspace, weights, context->row, context->previous));
    if (pre->cells != NULL && row >= 0) {
      const pf_real *w = weights->plastic != NULL ? walk->weights[q].from : weights->states;
      workspace->kernels->drive(walk->n_k, weights->n_post, weights->n_pre, w, weights->ldw,
                                pf_planes_at(pre, row, walk->k0), pre->ld, walk->drive, ld, true);
    }
  }
}

/** Signals' tangents of a step where they are wanted. */
static void keep_signals(const tangent_walk *walk, size_t p, int64_t t)
{
  const pf_activity *activity = &walk->workspace->activity[p];
  const size_t n_signals = activity->info->signals.count;
  for (size_t s = 0; s < n_signals; s++) {
    const pf_planes *planes = pf_tangents_planes(walk->self, (int64_t)p, (int64_t)s);
    for (int64_t k = 0; k < walk->n_k && planes->cells != NULL; k++) {
      memcpy(pf_planes_at(planes, t, walk->k0 + k),
             walk->signals + ((size_t)k * n_signals + s) * (size_t)activity->ld,
             (size_t)activity->n * sizeof(pf_real));
    }
  }
}

static pf_status advance_units(const tangent_walk *walk, size_t p, int64_t t, pf_error *error)
{
  const pf_activity *activity = &walk->workspace->activity[p];
  const pf_step_context context = pf_step_context_of(walk->self->draw, t, false);
  const pf_population_steps steps = {p, t, t, &context};
  const pf_units in = pf_population_units(walk->workspace, walk->self->theta, &steps);
  const pf_response value = pf_population_response(activity, activity->signals, activity->state, t);
  moving_units *units = &walk->units[p];
  drive_tangents(walk, p, &context);
  if (context.previous < 0) {
    start_units(walk, p, units->state);
  }
  const pf_unit_tangents of = {.in = &in,
                               .value = &value,
                               .coupled = (activity->info->flags & PF_POPULATION_COUPLED) != 0,
                               .k0 = walk->k0,
                               .n_k = walk->n_k,
                               .n_signals = (int64_t)activity->info->signals.count,
                               .n_state = activity->info->n_state,
                               .ld = activity->ld,
                               .drive = walk->drive,
                               .state = units->state,
                               .signals = walk->signals,
                               .after = units->after};
  const pf_status status =
      pf_unit_tangents_make(walk->self, &of, &walk->self->kept->network, error);
  if (status != PF_OK) {
    return status;
  }
  keep_signals(walk, p, t);
  pf_real *swap = units->state;
  units->state = units->after;
  units->after = swap;
  return PF_OK;
}

/* ---- weights ---- */

/** Do weights or traces change at the end of a segment, but for forgetting? */
static bool has_end(const pf_segment *segment, const pf_weights *weights)
{
  return segment->end >= segment->first && (segment->changes != 0 || weights->has_traces);
}

static void swap_states(pf_synaptic_tangents *at)
{
  pf_real *state = at->from, *traces = at->before;
  at->from = at->to;
  at->to = state;
  at->before = at->after;
  at->after = traces;
}

static void forget_weights(const tangent_walk *walk, size_t q, double gap)
{
  pf_synaptic_tangents *at = &walk->weights[q];
  const pf_synaptic_state synaptic = synaptic_of(walk, q);
  for (int64_t k = 0; k < walk->n_k; k++) {
    const double *along = walk->self->along + (size_t)(walk->k0 + k) * walk->model->n_parameters;
    pf_synaptic_forget_jvp(&synaptic, gap, at->from, along[walk->model->forgetting_theta],
                           walk->synaptic.state, at->w + (size_t)k * at->w_cells);
  }
  pf_synaptic_forget(&synaptic, gap, at->from, at->from);
}

static pf_status end_segment(const tangent_walk *walk, size_t q, const pf_segment *segment,
                             pf_error *error)
{
  pf_synaptic_tangents *at = &walk->weights[q];
  if (has_end(segment, &walk->workspace->weights[q])) {
    const pf_step_context context =
        pf_step_context_of(walk->self->draw, segment->end, segment->changes != 0);
    pf_synaptic_state synaptic = synaptic_of(walk, q);
    pf_status status =
        pf_synaptic_step(&synaptic, &context, at->from, at->to, walk->scratch, error);
    if (status != PF_OK) {
      return status;
    }
    status = pf_synaptic_step_jvp(walk->self, &synaptic, &context, at, &walk->synaptic, error);
    if (status != PF_OK) {
      return status;
    }
    swap_states(at);
  }
  if (segment->gap > 0.0) {
    forget_weights(walk, q, segment->gap);
  }
  return PF_OK;
}

/* ---- through time ---- */

static pf_status advance_segment(const tangent_walk *walk, const pf_segment *segment,
                                 pf_error *error)
{
  for (int64_t t = segment->first; t <= segment->end; t++) {
    for (size_t p = 1; p < walk->model->n_populations; p++) {
      const pf_status status = advance_units(walk, p, t, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  for (size_t q = 0; q < walk->model->n_projections; q++) {
    if (walk->workspace->weights[q].plastic != NULL) {
      const pf_status status = end_segment(walk, q, segment, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** The directions at hand through all segments. */
static pf_status advance_walk(tangent_walk *walk, pf_error *error)
{
  start_walk(walk);
  for (int64_t s = 0; s < walk->workspace->n_segments; s++) {
    const pf_segment *segment = &walk->workspace->segments[s];
    const pf_status status = advance_segment(walk, segment, error);
    if (status != PF_OK) {
      pf_error_at_step(error, walk->self->draw->recording->name, segment->end);
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_tangents_coupled(pf_tangents *self, const bool *wanted, pf_error *error)
{
  const pf_model *model = self->model;
  const int64_t n_populations = (int64_t)model->n_populations;
  pf_workspace *workspace = self->workspaces[0];
  const pf_simulation simulation = {model, self->draw, self->theta, {self->workspaces, 1}};
  pf_status status = pf_forward(&simulation, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_tangents_make_planes(self, wanted, n_populations, error);
  if (status != PF_OK) {
    return status;
  }
  const int64_t moving = pf_tangents_n_active(self, n_populations - 1);
  if (moving == 0) {
    return PF_OK;
  }
  status = pf_tangents_make_initial(self, error);
  if (status != PF_OK) {
    return status;
  }
  tangent_walk walk = {
      .self = self, .model = model, .workspace = workspace, .at_once = plan_at_once(model, moving)};
  status = make_walk(&walk, error);
  if (status != PF_OK) {
    return status;
  }
  for (; walk.k0 < moving; walk.k0 += walk.at_once) {
    walk.n_k = moving - walk.k0 < walk.at_once ? moving - walk.k0 : walk.at_once;
    status = advance_walk(&walk, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
