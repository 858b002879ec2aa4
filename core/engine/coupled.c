#include "core/engine/coupled.h"

#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/failures.h"
#include "core/engine/population.h"
#include "core/engine/segments.h"
#include "core/engine/starting_state.h"
#include "core/engine/synaptic_state.h"
#include "core/engine/trajectory.h"
#include "core/model/starting_weights.h"

#include <string.h>

enum { LINE = PF_CACHE_LINE / sizeof(pf_real) };

/** A draw being taken through time. */
typedef struct walk {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  pf_workspace *workspace;
  double *gradient;   /* of the backward pass */
  bool wants_network; /* parameters of the network, or its starting weights, are learned */
  pf_error *error;
  size_t buffer_cells; /* of what all plastic projections carry */
  int64_t interval;    /* runs between checkpoints; n_segments: every slot is kept */
  pf_real *buffers; /* [kept][buffer_cells]: all of them, or those between two checkpoints, or the
                       last two */
  pf_real *checkpoints; /* [n_checkpoints][buffer_cells] */
  pf_real *scratch;
} walk;

/* ---- memory ---- */

static size_t padded(size_t cells)
{
  return (cells + LINE - 1) / LINE * LINE;
}

void pf_coupled_cells(const pf_workspace *workspace, size_t *buffer, size_t *scratch)
{
  const pf_model *model = workspace->model;
  *buffer = *scratch = 0;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t needed = pf_synaptic_scratch(model, weights, weights->n_post, true);
      *buffer += padded(pf_synaptic_cells(model, weights, weights->n_post));
      *scratch = needed > *scratch ? needed : *scratch;
    }
  }
}

/** Room in the workspace's arena: two slots for a pass that looks forward alone, those of the plan
 * for a gradient. */
static pf_status reserve(walk *self, bool adjoint)
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
  if (workspace->arena_cells < cells) {
    pf_memory_free(workspace->arena);
    workspace->arena = pf_memory_new(cells, sizeof(pf_real));
    workspace->arena_cells = workspace->arena == NULL ? 0 : cells;
    if (workspace->arena == NULL) {
      return pf_fail(self->error, PF_STOP,
                     "out of memory: %zu states of %zu bytes of plastic weights were to be kept",
                     n_buffers, self->buffer_cells * sizeof(pf_real));
    }
  }
  self->buffers = workspace->arena;
  self->checkpoints = self->buffers + (size_t)kept * self->buffer_cells;
  self->scratch = self->checkpoints + (size_t)checkpoints * self->buffer_cells;
  return PF_OK;
}

static bool keeps_all(const walk *self)
{
  return self->interval >= self->workspace->n_segments;
}

/** Slot of run r on the way forward. */
static pf_real *forward_buffer(const walk *self, int64_t r)
{
  return self->buffers + (size_t)(keeps_all(self) ? r : r % 2) * self->buffer_cells;
}

/** Every projection's weights in force: of plastic ones those in `slot`. */
static void set_weights(const walk *self, pf_real *buffer)
{
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    pf_weights *weights = &self->workspace->weights[q];
    weights->now = weights->states;
    if (weights->plastic != NULL) {
      weights->now = buffer;
      buffer += padded(pf_synaptic_cells(self->model, weights, weights->n_post));
    }
  }
}

/* ---- from slot to slot ---- */

static pf_synaptic_state synaptic_of(const walk *self, size_t q)
{
  return pf_synaptic_make(self->workspace, self->theta, q, 0, self->workspace->weights[q].n_post);
}

static void start(const walk *self, pf_real *buffer)
{
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    if (self->workspace->weights[q].plastic != NULL) {
      const pf_synaptic_state synaptic = synaptic_of(self, q);
      pf_synaptic_start(&synaptic, buffer);
      buffer += padded(synaptic.cells);
    }
  }
}

/** What is carried at the end of run r, from what was during it. */
static pf_status carry_on(const walk *self, const pf_segment *run, pf_real *from, pf_real *to)
{
  const pf_step_context context = pf_step_context_of(self->draw, run->end, run->changes != 0);
  const bool has_steps = run->end >= run->first;
  pf_status status = PF_OK;
  for (size_t q = 0; q < self->model->declared.projections.count && status == PF_OK; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic = synaptic_of(self, q);
    if (has_steps && (context.changes || weights->has_traces)) {
      status = pf_synaptic_step(&synaptic, &context, from, to, self->scratch, self->error);
    } else {
      memcpy(to, from, synaptic.cells * sizeof *to);
    }
    if (status == PF_OK && run->gap > 0.0) {
      pf_synaptic_forget(&synaptic, run->gap, to, to);
    }
    from += padded(synaptic.cells);
    to += padded(synaptic.cells);
  }
  return status;
}

/** Recompute the slots of runs [first, last], and the one after, from the checkpoint before them.
 */
static pf_status replay(const walk *self, int64_t first, int64_t last)
{
  pf_status status = PF_OK;
  memcpy(self->buffers, self->checkpoints + (size_t)(first / self->interval) * self->buffer_cells,
         self->buffer_cells * sizeof(pf_real));
  for (int64_t r = first; r <= last && status == PF_OK; r++) {
    pf_real *from = self->buffers + (size_t)(r - first) * self->buffer_cells;
    status = carry_on(self, &self->workspace->segments[r], from, from + self->buffer_cells);
  }
  return status;
}

/* ---- forward ---- */

/** All populations of one phase over steps [first, last]. */
static pf_status activate(const walk *self, uint8_t phase, int64_t first, int64_t last)
{
  const bool stepwise = self->model->stepwise[phase];
  pf_status status = PF_OK;
  for (int64_t t = first; t <= last && status == PF_OK; t = stepwise ? t + 1 : last + 1) {
    const pf_step_context context = pf_step_context_of(self->draw, t, false);
    for (size_t p = 1; p < self->model->declared.populations.count && status == PF_OK; p++) {
      if (self->workspace->activity[p].phase == phase) {
        const pf_population_steps steps = {p, t, stepwise ? t : last, &context};
        status = pf_population_activate(self->workspace, self->theta, &steps, self->error);
      }
    }
    if (status != PF_OK) {
      pf_error_at_step(self->error, self->draw->recording->name, t);
    }
  }
  return status;
}

/** Keep the weights after change k where they can be looked up. */
static void keep(const walk *self, int64_t k, const pf_real *buffer)
{
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      memcpy(pf_weights_state(weights, k), buffer, weights->cells * sizeof *buffer);
      buffer += padded(pf_synaptic_cells(self->model, weights, weights->n_post));
    }
  }
}

static const pf_plastic *overflowed(const walk *self, const pf_real *buffer)
{
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t cells = pf_synaptic_cells(self->model, weights, weights->n_post);
      if (!pf_all_finite(buffer, cells)) {
        return weights->plastic;
      }
      buffer += padded(cells);
    }
  }
  return NULL;
}

/** What overflowed stays so, hence the last slot tells; the step is then searched for from the
 * start. */
static pf_status check_finite(const walk *self)
{
  const pf_workspace *workspace = self->workspace;
  const pf_plastic *which = overflowed(self, forward_buffer(self, workspace->n_segments));
  if (which == NULL) {
    return PF_OK;
  }
  int64_t step = -1;
  start(self, self->buffers);
  const pf_plastic *found = overflowed(self, self->buffers);
  for (int64_t r = 0; r < workspace->n_segments && found == NULL; r++) {
    pf_real *from = self->buffers + (size_t)(r % 2) * self->buffer_cells;
    pf_real *to = self->buffers + (size_t)((r + 1) % 2) * self->buffer_cells;
    step = workspace->segments[r].end;
    if (carry_on(self, &workspace->segments[r], from, to) != PF_OK) {
      break;
    }
    found = overflowed(self, to);
  }
  return pf_fail_overflow(self->draw, self->model, found == NULL ? which : found, self->theta, step,
                          self->error);
}

static pf_status forward(const walk *self, bool keeps_states)
{
  pf_workspace *workspace = self->workspace;
  int64_t changes = 0;
  start(self, forward_buffer(self, 0));
  set_weights(self, forward_buffer(self, 0));
  pf_status status = activate(self, PF_PHASE_BEFORE, 0, self->draw->n_steps - 1);
  for (int64_t r = 0; r < workspace->n_segments && status == PF_OK; r++) {
    const pf_segment *run = &workspace->segments[r];
    pf_real *buffer = forward_buffer(self, r), *next = forward_buffer(self, r + 1);
    if (self->interval > 0 && !keeps_all(self) && r % self->interval == 0) {
      memcpy(self->checkpoints + (size_t)(r / self->interval) * self->buffer_cells, buffer,
             self->buffer_cells * sizeof *buffer);
    }
    set_weights(self, buffer);
    status = activate(self, PF_PHASE_PLASTIC, run->first, run->end);
    status = status == PF_OK ? carry_on(self, run, buffer, next) : status;
    changes += run->changes;
    if (status != PF_OK) {
      pf_error_at_step(self->error, self->draw->recording->name, run->end);
    } else if (keeps_states && run->changes != 0) {
      keep(self, changes, next);
    }
  }
  workspace->n_changes = changes;
  workspace->keeps_states = keeps_states;
  status = status == PF_OK ? check_finite(self) : status;
  return status == PF_OK ? activate(self, PF_PHASE_AFTER, 0, self->draw->n_steps - 1) : status;
}

/** Ready for a draw: its runs, and room for a gradient or a simulation. */
static pf_status prepare(walk *self, uint32_t run_flags, bool adjoint)
{
  const pf_status status =
      pf_simulation_begin(self->workspace, self->draw, self->theta, run_flags, self->error);
  return status == PF_OK ? reserve(self, adjoint) : status;
}

pf_status pf_coupled_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                             uint32_t run_flags, uint32_t count_flag, pf_workspace *workspace,
                             pf_loss_value *values, pf_error *error)
{
  const bool keeps_states = (run_flags & PF_SIMULATE_ACTIVITY_ONLY) == 0;
  walk self = {
      .model = model, .draw = draw, .theta = theta, .workspace = workspace, .error = error};
  pf_status status = PF_OK;
  if (keeps_states) {
    int64_t n = 1;
    for (int64_t t = 0; t < draw->n_steps && (run_flags & PF_SIMULATE_NO_PLASTICITY) == 0; t++) {
      n += (draw->flags[t] & PF_STEP_PLASTIC) != 0;
    }
    status = pf_workspace_reserve(workspace, n, error);
  }
  status = status == PF_OK ? prepare(&self, run_flags, false) : status;
  status = status == PF_OK ? forward(&self, keeps_states) : status;
  return status == PF_OK ? pf_losses_evaluate(draw, theta, count_flag, workspace, values, error)
                         : status;
}

/* ---- backward ---- */

static pf_status back_activate(const walk *self, uint8_t phase, int64_t first, int64_t last)
{
  const bool stepwise = self->model->stepwise[phase];
  pf_status status = PF_OK;
  for (int64_t t = last; t >= first && status == PF_OK; t = stepwise ? t - 1 : first - 1) {
    const int64_t from = stepwise ? t : first;
    const pf_step_context context = pf_step_context_of(self->draw, from, false);
    for (size_t p = self->model->declared.populations.count; p-- > 1 && status == PF_OK;) {
      if (self->workspace->activity[p].phase == phase) {
        const pf_population_steps steps = {p, from, t, &context};
        status = pf_population_vjp(self->workspace, self->theta, &steps,
                                   self->wants_network ? self->gradient : NULL, self->error);
      }
    }
  }
  return status;
}

/** The end of a run backward: cotangents of what is carried after it become those of what was
 * during it. */
static pf_status back_synaptic(const walk *self, const pf_segment *run, pf_real *from, pf_real *to)
{
  const pf_step_context context = pf_step_context_of(self->draw, run->end, run->changes != 0);
  const bool has_steps = run->end >= run->first;
  pf_status status = PF_OK;
  for (size_t q = 0; q < self->model->declared.projections.count && status == PF_OK; q++) {
    pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic = synaptic_of(self, q);
    const pf_activity *pre = &self->workspace->activity[weights->info->pre];
    const pf_activity *post = &self->workspace->activity[weights->info->post];
    if (run->gap > 0.0) { /* such a run changes no weight but by forgetting */
      pf_synaptic_forget_vjp(&synaptic, run->gap, from, weights->g, self->gradient, self->scratch);
    }
    if (has_steps && (context.changes || weights->has_traces)) {
      const pf_synaptic_gradient gradient = {
          .theta = self->gradient,
          .pre = pf_presynaptic_cotangent(self->workspace, weights, context.row, context.previous),
          .post = post->g_signals + context.row * post->ld,
          .ld_pre = pre->plane_stride,
          .ld_post = post->plane_stride};
      status = pf_synaptic_step_vjp(&synaptic, &context, from, to, weights->g, &gradient,
                                    self->scratch, self->error);
    }
    from += padded(synaptic.cells);
    to += padded(synaptic.cells);
  }
  return status;
}

static pf_status backward(const walk *self)
{
  const pf_workspace *workspace = self->workspace;
  const int64_t last_step = self->draw->n_steps - 1, n_segments = workspace->n_segments;
  const int64_t interval = keeps_all(self) ? n_segments : self->interval;
  pf_status status = back_activate(self, PF_PHASE_AFTER, 0, last_step);
  for (int64_t s = (n_segments + interval - 1) / interval; s-- > 0 && status == PF_OK;) {
    const int64_t first = s * interval,
                  last = first + interval < n_segments ? first + interval - 1 : n_segments - 1;
    status = keeps_all(self) ? PF_OK : replay(self, first, last);
    for (int64_t r = last; r >= first && status == PF_OK; r--) {
      const pf_segment *run = &workspace->segments[r];
      pf_real *buffer = self->buffers + (size_t)(r - first) * self->buffer_cells;
      set_weights(self, buffer);
      status = back_synaptic(self, run, buffer, buffer + self->buffer_cells);
      status =
          status == PF_OK ? back_activate(self, PF_PHASE_PLASTIC, run->first, run->end) : status;
      if (status != PF_OK) {
        pf_error_at_step(self->error, self->draw->recording->name, run->end);
      }
    }
  }
  if (status == PF_OK && self->wants_network) {
    status = back_activate(self, PF_PHASE_BEFORE, 0, last_step);
    status = status == PF_OK ? pf_simulation_start_vjp(self->draw, self->theta, self->workspace,
                                                       self->gradient, self->error)
                             : status;
  }
  return status;
}

pf_status pf_coupled_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                              const double *scale, pf_workspace *workspace, pf_loss_value *values,
                              double *gradient, pf_error *error)
{
  walk self = {.model = model,
               .draw = draw,
               .theta = theta,
               .workspace = workspace,
               .gradient = gradient,
               .wants_network = pf_learns_network(model),
               .error = error};
  pf_status status = prepare(&self, 0, true);
  status = status == PF_OK ? pf_workspace_need_cotangents(workspace, error) : status;
  status = status == PF_OK ? forward(&self, false) : status;
  status = status == PF_OK ? pf_losses_evaluate(draw, theta, PF_STEP_FIT, workspace, values, error)
                           : status;
  if (status != PF_OK) {
    return status;
  }
  pf_workspace_clear_cotangents(workspace, model->declared.populations.count);
  status = pf_losses_vjp(draw, theta, scale, workspace, gradient, error);
  status = status == PF_OK ? backward(&self) : status;
  return status == PF_OK ? pf_check_gradient(draw, model, gradient, error) : status;
}

/* ---- weights, recomputed ---- */

pf_status pf_coupled_rows(const pf_standing_run *run, size_t plastic, int64_t row0, int64_t n_rows,
                          pf_real *states, pf_error *error)
{
  const pf_workspace *workspace = run->workspace;
  const size_t q = (size_t)workspace->model->plastic[plastic].projection;
  const pf_weights *weights = &workspace->weights[q];
  pf_synaptic_state synaptic = pf_synaptic_make(workspace, run->theta, q, row0, n_rows);
  pf_real *memory = pf_memory_need(
      2 * synaptic.cells + pf_synaptic_scratch(workspace->model, weights, n_rows, false),
      sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  pf_real *from = memory, *to = memory + synaptic.cells, *scratch = to + synaptic.cells;
  pf_status status = PF_OK;
  int64_t changes = 0;
  pf_synaptic_start(&synaptic, from);
  memcpy(states, from, synaptic.w_cells * sizeof *states);
  for (int64_t r = 0; r < workspace->n_segments && status == PF_OK; r++) {
    const pf_segment *now = &workspace->segments[r];
    const pf_step_context context = pf_step_context_of(run->draw, now->end, now->changes != 0);
    if (now->end >= now->first && (context.changes || weights->has_traces)) {
      status = pf_synaptic_step(&synaptic, &context, from, to, scratch, error);
      pf_real *swap = from;
      from = to;
      to = swap;
    }
    if (context.changes) {
      memcpy(states + (size_t)++changes * synaptic.w_cells, from,
             synaptic.w_cells * sizeof *states);
    }
    if (now->gap > 0.0) {
      pf_synaptic_forget(&synaptic, now->gap, from, from);
    }
  }
  pf_memory_free(memory);
  return status;
}
