#include "core/engine/coupled.h"

#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/model/model.h"
#include "core/model/starting_weights.h"
#include "core/state/draw.h"
#include "core/state/failures.h"
#include "core/state/population.h"
#include "core/state/segments.h"
#include "core/state/starting_state.h"
#include "core/state/synaptic_state.h"
#include "core/state/trajectory.h"

#include <string.h>

enum { LINE = PF_CACHE_LINE / sizeof(pf_real) };

/** A draw being taken through time. A buffer holds the synaptic states of all plastic projections.
 */
typedef struct walk {
  const pf_simulation *simulation;
  const pf_model *model;
  const pf_draw *draw;
  pf_workspace *workspace;
  double *gradient;   /* of the backward pass */
  bool wants_network; /* parameters of the network, or its starting weights, are learned */
  pf_error *error;
  size_t buffer_cells;
  int64_t interval;     /* segments between checkpoints; n_segments: every buffer is kept */
  pf_real *buffers;     /* all of them, or those between two checkpoints, or the last two */
  pf_real *checkpoints; /* [n_checkpoints][buffer_cells] */
  pf_real *scratch;
} walk;

static walk walk_of(const pf_simulation *simulation, pf_error *error)
{
  return (walk){.simulation = simulation,
                .model = simulation->model,
                .draw = simulation->draw,
                .workspace = simulation->workspaces.items[0],
                .error = error};
}

/* ---- memory ---- */

static size_t pad_cells(size_t cells)
{
  return (cells + LINE - 1) / LINE * LINE;
}

static size_t padded_cells(const pf_workspace *workspace, const pf_weights *weights)
{
  return pad_cells(pf_synaptic_cells(workspace->model, weights, weights->n_post));
}

void pf_coupled_cells(const pf_workspace *workspace, size_t *buffer, size_t *scratch)
{
  const pf_model *model = workspace->model;
  *buffer = *scratch = 0;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t needed = pf_synaptic_scratch(model, weights, weights->n_post, true);
      *buffer += padded_cells(workspace, weights);
      *scratch = needed > *scratch ? needed : *scratch;
    }
  }
}

/** Room in the workspace's arena: two buffers for a pass that goes forward alone, those of the plan
 * for a gradient. */
static pf_status reserve_buffers(walk *self, bool adjoint)
{
  pf_workspace *workspace = self->workspace;
  size_t scratch = 0;
  int64_t kept = 2, checkpoints = 0;
  pf_coupled_cells(workspace, &self->buffer_cells, &scratch);
  self->interval = 0;
  if (adjoint) {
    self->interval = pf_plan_interval(self->buffer_cells * sizeof(pf_real), workspace->n_segments,
                                      self->model->state_budget);
    (void)pf_plan_buffers(self->interval, workspace->n_segments, &kept, &checkpoints);
    kept = kept < 2 ? 2 : kept;
  }
  const size_t n_buffers = (size_t)(kept + checkpoints);
  const size_t cells =
      self->buffer_cells > 0 && n_buffers > SIZE_MAX / sizeof(pf_real) / self->buffer_cells
          ? SIZE_MAX
          : n_buffers * self->buffer_cells + scratch;
  workspace->arena_population = 0;
  self->buffers = pf_pool_need(&workspace->arena, cells, sizeof(pf_real), NULL);
  if (self->buffers == NULL) {
    return pf_fail(self->error, PF_STOP,
                   "out of memory: %zu states of %zu bytes of plastic weights were to be kept",
                   n_buffers, self->buffer_cells * sizeof(pf_real));
  }
  self->checkpoints = self->buffers + (size_t)kept * self->buffer_cells;
  self->scratch = self->checkpoints + (size_t)checkpoints * self->buffer_cells;
  return PF_OK;
}

/** Ready for a draw: its segments, and room for a gradient or a simulation. */
static pf_status prepare_walk(walk *self, uint32_t flags, bool adjoint)
{
  const pf_status status =
      pf_simulation_begin(self->workspace, self->draw, self->simulation->theta, flags, self->error);
  if (status != PF_OK) {
    return status;
  }
  return reserve_buffers(self, adjoint);
}

static bool keeps_all(const walk *self)
{
  return self->interval >= self->workspace->n_segments;
}

static pf_real *buffer_at(const walk *self, int64_t place)
{
  return self->buffers + (size_t)place * self->buffer_cells;
}

/** Buffer of segment s on the way forward. */
static pf_real *forward_buffer(const walk *self, int64_t s)
{
  return buffer_at(self, keeps_all(self) ? s : s % 2);
}

static pf_real *checkpoint_of(const walk *self, int64_t s)
{
  return self->checkpoints + (size_t)(s / self->interval) * self->buffer_cells;
}

/** Every projection's weights in force: of plastic ones those in the buffer. */
static void set_weights(const walk *self, pf_real *buffer)
{
  for (size_t q = 0; q < self->model->n_projections; q++) {
    pf_weights *weights = &self->workspace->weights[q];
    weights->now = weights->states;
    if (weights->plastic != NULL) {
      weights->now = buffer;
      buffer += padded_cells(self->workspace, weights);
    }
  }
}

/* ---- from buffer to buffer ---- */

static pf_synaptic_state synaptic_of(const walk *self, const pf_weights *weights)
{
  return pf_synaptic_make(self->workspace, self->simulation->theta, (size_t)weights->index, 0,
                          weights->n_post);
}

static void load_start(const walk *self, pf_real *buffer)
{
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const pf_synaptic_state synaptic = synaptic_of(self, weights);
      pf_synaptic_start(&synaptic, buffer);
      buffer += padded_cells(self->workspace, weights);
    }
  }
}

/** Do weights or traces change at the end of a segment, but for forgetting? */
static bool has_end(const pf_segment *segment, const pf_weights *weights)
{
  return segment->end >= segment->first && (segment->changes != 0 || weights->has_traces);
}

/** The synaptic states after a segment, from those during it. */
static pf_status end_segment(const walk *self, const pf_segment *segment, pf_real *from,
                             pf_real *to)
{
  const pf_step_context context =
      pf_step_context_of(self->draw, segment->end, segment->changes != 0);
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic = synaptic_of(self, weights);
    if (has_end(segment, weights)) {
      const pf_status status =
          pf_synaptic_step(&synaptic, &context, from, to, self->scratch, self->error);
      if (status != PF_OK) {
        return status;
      }
    } else {
      memcpy(to, from, synaptic.cells * sizeof *to);
    }
    if (segment->gap > 0.0) {
      pf_synaptic_forget(&synaptic, segment->gap, to, to);
    }
    from += pad_cells(synaptic.cells);
    to += pad_cells(synaptic.cells);
  }
  return PF_OK;
}

/** Recompute the buffers of segments [first, last], and the one after, from the checkpoint before.
 */
static pf_status replay_segments(const walk *self, int64_t first, int64_t last)
{
  memcpy(self->buffers, checkpoint_of(self, first), self->buffer_cells * sizeof(pf_real));
  for (int64_t s = first; s <= last; s++) {
    pf_real *from = buffer_at(self, s - first);
    const pf_status status =
        end_segment(self, &self->workspace->segments[s], from, from + self->buffer_cells);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- forward ---- */

/** All populations of one phase over steps [first, last]. */
static pf_status activate_phase(const walk *self, uint8_t phase, int64_t first, int64_t last)
{
  const bool stepwise = self->model->stepwise[phase];
  for (int64_t t = first; t <= last; t = stepwise ? t + 1 : last + 1) {
    const pf_step_context context = pf_step_context_of(self->draw, t, false);
    for (size_t p = 1; p < self->model->n_populations; p++) {
      if (self->workspace->activity[p].phase != phase) {
        continue;
      }
      const pf_population_steps steps = {p, t, stepwise ? t : last, &context};
      const pf_status status =
          pf_population_activate(self->workspace, self->simulation->theta, &steps, self->error);
      if (status != PF_OK) {
        pf_error_at_step(self->error, self->draw->recording->name, t);
        return status;
      }
    }
  }
  return PF_OK;
}

/** Keep the weights after change k where they can be looked up. */
static void keep_weights(const walk *self, int64_t k, const pf_real *buffer)
{
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      memcpy(pf_weights_state(weights, k), buffer, weights->cells * sizeof *buffer);
      buffer += padded_cells(self->workspace, weights);
    }
  }
}

/** Whose weights or traces are not finite; NULL: nobody's. */
static const pf_plastic *find_overflowed(const walk *self, const pf_real *buffer)
{
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    if (!pf_all_finite(buffer, pf_synaptic_cells(self->model, weights, weights->n_post))) {
      return weights->plastic;
    }
    buffer += padded_cells(self->workspace, weights);
  }
  return NULL;
}

/** Overflow is absorbing: test the last state, then replay to find the step. */
static pf_status check_finite(const walk *self)
{
  const pf_workspace *workspace = self->workspace;
  const pf_plastic *which = find_overflowed(self, forward_buffer(self, workspace->n_segments));
  if (which == NULL) {
    return PF_OK;
  }
  int64_t step = -1;
  load_start(self, self->buffers);
  const pf_plastic *found = find_overflowed(self, self->buffers);
  for (int64_t s = 0; s < workspace->n_segments; s++) {
    pf_real *to = buffer_at(self, (s + 1) % 2);
    if (found != NULL) {
      break;
    }
    step = workspace->segments[s].end;
    if (end_segment(self, &workspace->segments[s], buffer_at(self, s % 2), to) != PF_OK) {
      break;
    }
    found = find_overflowed(self, to);
  }
  return pf_fail_overflow(self->simulation, found == NULL ? which : found, step, self->error);
}

static pf_status forward_segment(const walk *self, int64_t s, bool keeps_states)
{
  pf_workspace *workspace = self->workspace;
  const pf_segment *segment = &workspace->segments[s];
  pf_real *buffer = forward_buffer(self, s), *next = forward_buffer(self, s + 1);
  if (self->interval > 0 && !keeps_all(self) && s % self->interval == 0) {
    memcpy(checkpoint_of(self, s), buffer, self->buffer_cells * sizeof *buffer);
  }
  set_weights(self, buffer);
  pf_status status = activate_phase(self, PF_PHASE_PLASTIC, segment->first, segment->end);
  if (status != PF_OK) {
    return status;
  }
  status = end_segment(self, segment, buffer, next);
  if (status != PF_OK) {
    return status;
  }
  workspace->n_changes += segment->changes;
  if (keeps_states && segment->changes != 0) {
    keep_weights(self, workspace->n_changes, next);
  }
  return PF_OK;
}

static pf_status walk_forward(const walk *self, bool keeps_states)
{
  pf_workspace *workspace = self->workspace;
  const int64_t last_step = self->draw->n_steps - 1;
  workspace->n_changes = 0;
  workspace->keeps_states = keeps_states;
  load_start(self, forward_buffer(self, 0));
  set_weights(self, forward_buffer(self, 0));
  pf_status status = activate_phase(self, PF_PHASE_BEFORE, 0, last_step);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t s = 0; s < workspace->n_segments; s++) {
    status = forward_segment(self, s, keeps_states);
    if (status != PF_OK) {
      pf_error_at_step(self->error, self->draw->recording->name, workspace->segments[s].end);
      return status;
    }
  }
  status = check_finite(self);
  if (status != PF_OK) {
    return status;
  }
  return activate_phase(self, PF_PHASE_AFTER, 0, last_step);
}

/** States of the weights that a simulation passes, the starting ones with them. */
static int64_t count_states(const pf_draw *draw, uint32_t flags)
{
  int64_t n = 1;
  if ((flags & PF_SIMULATE_NO_PLASTICITY) != 0) {
    return n;
  }
  for (int64_t t = 0; t < draw->n_steps; t++) {
    n += (draw->flags[t] & PF_STEP_PLASTIC) != 0;
  }
  return n;
}

pf_status pf_coupled_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                             pf_loss_value *values, pf_error *error)
{
  const bool keeps_states = (flags & PF_SIMULATE_ACTIVITY_ONLY) == 0;
  walk self = walk_of(simulation, error);
  pf_status status = PF_OK;
  if (keeps_states) {
    status =
        pf_trajectory_reserve_states(self.workspace, count_states(simulation->draw, flags), error);
    if (status != PF_OK) {
      return status;
    }
  }
  status = prepare_walk(&self, flags, false);
  if (status != PF_OK) {
    return status;
  }
  status = walk_forward(&self, keeps_states);
  if (status != PF_OK) {
    return status;
  }
  return pf_losses_evaluate(simulation, count_flag, values, error);
}

/* ---- backward ---- */

static pf_status activate_phase_vjp(const walk *self, uint8_t phase, int64_t first, int64_t last)
{
  const bool stepwise = self->model->stepwise[phase];
  for (int64_t t = last; t >= first; t = stepwise ? t - 1 : first - 1) {
    const int64_t from = stepwise ? t : first;
    const pf_step_context context = pf_step_context_of(self->draw, from, false);
    for (size_t p = self->model->n_populations; p-- > 1;) {
      if (self->workspace->activity[p].phase != phase) {
        continue;
      }
      const pf_population_steps steps = {p, from, t, &context};
      const pf_status status =
          pf_population_vjp(self->workspace, self->simulation->theta, &steps,
                            self->wants_network ? self->gradient : NULL, self->error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** The end of a segment backward: cotangents of the synaptic states after it become those of the
 * ones during it. */
static pf_status end_segment_vjp(const walk *self, const pf_segment *segment, pf_real *buffer)
{
  const pf_step_context context =
      pf_step_context_of(self->draw, segment->end, segment->changes != 0);
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic = synaptic_of(self, weights);
    const pf_activity *post = &self->workspace->activity[weights->info->post];
    const pf_synaptic_adjoint adjoint = {.from = buffer,
                                         .to = buffer + self->buffer_cells,
                                         .g = weights->g,
                                         .scratch = self->scratch};
    if (segment->gap > 0.0) { /* such a segment changes no weight but by forgetting */
      pf_synaptic_forget_vjp(&synaptic, segment->gap, &adjoint, self->gradient);
    }
    if (has_end(segment, weights)) {
      const pf_synaptic_gradient gradient = {
          .theta = self->gradient,
          .pre = pf_presynaptic_cotangent(self->workspace, weights, context.row, context.previous),
          .post = post->g_signals + context.row * post->ld,
          .ld_pre = self->workspace->activity[weights->info->pre].plane_stride,
          .ld_post = post->plane_stride};
      const pf_status status =
          pf_synaptic_step_vjp(&synaptic, &context, &adjoint, &gradient, self->error);
      if (status != PF_OK) {
        return status;
      }
    }
    buffer += pad_cells(synaptic.cells);
  }
  return PF_OK;
}

/** Segments [first, last], whose buffers stand. */
static pf_status backward_segments(const walk *self, int64_t first, int64_t last)
{
  for (int64_t s = last; s >= first; s--) {
    const pf_segment *segment = &self->workspace->segments[s];
    set_weights(self, buffer_at(self, s - first));
    pf_status status = end_segment_vjp(self, segment, buffer_at(self, s - first));
    if (status == PF_OK) {
      status = activate_phase_vjp(self, PF_PHASE_PLASTIC, segment->first, segment->end);
    }
    if (status != PF_OK) {
      pf_error_at_step(self->error, self->draw->recording->name, segment->end);
      return status;
    }
  }
  return PF_OK;
}

static pf_status walk_backward(const walk *self)
{
  const int64_t last_step = self->draw->n_steps - 1, n = self->workspace->n_segments;
  const int64_t interval = keeps_all(self) ? n : self->interval;
  pf_status status = activate_phase_vjp(self, PF_PHASE_AFTER, 0, last_step);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t part = (n + interval - 1) / interval; part-- > 0;) {
    const int64_t first = part * interval,
                  last = first + interval < n ? first + interval - 1 : n - 1;
    if (!keeps_all(self)) {
      status = replay_segments(self, first, last);
      if (status != PF_OK) {
        return status;
      }
    }
    status = backward_segments(self, first, last);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!self->wants_network) {
    return PF_OK;
  }
  status = activate_phase_vjp(self, PF_PHASE_BEFORE, 0, last_step);
  if (status != PF_OK) {
    return status;
  }
  return pf_simulation_start_vjp(self->draw, self->simulation->theta, self->workspace,
                                 self->gradient, self->error);
}

/** Forward, to the losses' values and their cotangents. */
static pf_status walk_to_losses(walk *self, const double *scale, pf_loss_value *values)
{
  pf_status status = prepare_walk(self, 0, true);
  if (status != PF_OK) {
    return status;
  }
  status = pf_trajectory_need_cotangents(self->workspace, self->error);
  if (status != PF_OK) {
    return status;
  }
  status = walk_forward(self, false);
  if (status != PF_OK) {
    return status;
  }
  status = pf_losses_evaluate(self->simulation, PF_STEP_FIT, values, self->error);
  if (status != PF_OK) {
    return status;
  }
  pf_trajectory_clear_cotangents(self->workspace, self->model->n_populations);
  return pf_losses_vjp(self->simulation, scale, self->gradient, self->error);
}

pf_status pf_coupled_gradient(const pf_simulation *simulation, const double *scale,
                              pf_loss_value *values, double *gradient, pf_error *error)
{
  walk self = walk_of(simulation, error);
  self.gradient = gradient;
  self.wants_network = pf_learns_network(self.model);
  pf_status status = walk_to_losses(&self, scale, values);
  if (status != PF_OK) {
    return status;
  }
  status = walk_backward(&self);
  if (status != PF_OK) {
    return status;
  }
  return pf_check_gradient(self.draw, self.model, gradient, error);
}

/* ---- weights, recomputed ---- */

pf_status pf_coupled_rows(const pf_simulation *simulation, size_t plastic, int64_t row0,
                          int64_t n_rows, pf_real *states, pf_error *error)
{
  const pf_workspace *workspace = simulation->workspaces.items[0];
  const size_t q = (size_t)workspace->model->plastic[plastic].projection;
  const pf_weights *weights = &workspace->weights[q];
  pf_synaptic_state synaptic = pf_synaptic_make(workspace, simulation->theta, q, row0, n_rows);
  const size_t n_scratch = pf_synaptic_scratch(workspace->model, weights, n_rows, false);
  pf_real *memory = pf_memory_need(2 * synaptic.cells + n_scratch, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  pf_real *now = memory, *next = memory + synaptic.cells, *scratch = next + synaptic.cells;
  pf_status status = PF_OK;
  pf_synaptic_start(&synaptic, now);
  memcpy(states, now, synaptic.w_cells * sizeof *states);
  for (int64_t s = 0; s < workspace->n_segments; s++) {
    const pf_segment *segment = &workspace->segments[s];
    if (has_end(segment, weights)) {
      const pf_step_context context =
          pf_step_context_of(simulation->draw, segment->end, segment->changes != 0);
      status = pf_synaptic_step(&synaptic, &context, now, next, scratch, error);
      if (status != PF_OK) {
        break;
      }
      pf_real *swap = now;
      now = next;
      next = swap;
    }
    if (segment->changes != 0) {
      states += synaptic.w_cells;
      memcpy(states, now, synaptic.w_cells * sizeof *states);
    }
    if (segment->gap > 0.0) {
      pf_synaptic_forget(&synaptic, segment->gap, now, now);
    }
  }
  pf_memory_free(memory);
  return status;
}
