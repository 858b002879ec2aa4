#include "core/engine/sweep_block.h"

#include "core/base/memory.h"
#include "core/state/failures.h"
#include "core/state/kernels.h"

#include <string.h>

enum { LINE = PF_CACHE_LINE / sizeof(pf_real) };

/* ---- memory ---- */

static pf_real *take_cells(pf_real **arena, size_t cells)
{
  pf_real *taken = *arena;
  *arena += (cells + LINE - 1) / LINE * LINE;
  return taken;
}

pf_status pf_sweep_block_make(const pf_sweep *sweep, pf_workspace *mine, int64_t index,
                              pf_sweep_block *block, pf_error *error)
{
  const int64_t interval = sweep->plan.interval, n = sweep->n_segments;
  const int64_t kept = sweep->keeps_all ? n : interval;
  const int64_t checkpoints = sweep->keeps_all ? 0 : (n + interval - 1) / interval;
  size_t cells = sweep->scratch_cells + LINE;
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    cells += sweep->cells[j] * (size_t)(kept + 1 + checkpoints + 1) + 3 * (size_t)LINE;
  }
  pf_real *arena = pf_pool_need(&mine->arena, cells, sizeof *arena, NULL);
  if (arena == NULL) {
    return pf_fail(error, PF_STOP,
                   "out of memory: %zu bytes for %lld states of %lld rows of weights",
                   cells * sizeof *arena, (long long)kept, (long long)sweep->plan.rows);
  }
  block->row0 = index * sweep->plan.rows;
  block->n_rows = sweep->post->n - block->row0;
  if (block->n_rows > sweep->plan.rows) {
    block->n_rows = sweep->plan.rows;
  }
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    block->synaptic[j] =
        pf_synaptic_make(sweep->trajectory, sweep->simulation->theta,
                         (size_t)sweep->plastic[j]->index, block->row0, block->n_rows);
    block->states[j] = take_cells(&arena, sweep->cells[j] * (size_t)(kept + 1));
    block->checkpoints[j] = take_cells(&arena, sweep->cells[j] * (size_t)checkpoints);
    block->g[j] = take_cells(&arena, sweep->cells[j]);
  }
  block->scratch = arena;
  return PF_OK;
}

static pf_real *checkpoint_at(const pf_sweep_block *block, size_t j, int64_t segment)
{
  return block->checkpoints[j] +
         (size_t)(segment / block->sweep->plan.interval) * block->sweep->cells[j];
}

/** The state of a segment on the way forward: each its own; or one, changed in place; or two in
 * turns. */
static pf_real *forward_state(const pf_sweep_block *block, size_t j, int64_t segment)
{
  const pf_sweep *sweep = block->sweep;
  int64_t place = segment;
  if (!sweep->keeps_all) {
    place = sweep->plastic[j]->plain ? 0 : segment % 2;
  }
  return block->states[j] + (size_t)place * sweep->cells[j];
}

static void load_start(pf_sweep_block *block)
{
  for (size_t j = 0; j < block->sweep->n_plastic; j++) {
    pf_synaptic_start(&block->synaptic[j], block->states[j]);
  }
}

/* ---- forward ---- */

/** The synaptic state after a segment; `to` MAY be `from` where the weights are plain. */
static pf_status end_segment(pf_sweep_block *block, size_t j, const pf_segment *segment,
                             pf_real *from, pf_real *to, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  if (segment->changes != 0 || sweep->plastic[j]->has_traces) {
    const pf_step_context context =
        pf_step_context_of(sweep->draw, segment->end, segment->changes != 0);
    return pf_synaptic_step(&block->synaptic[j], &context, from, to, block->scratch, error);
  }
  if (from != to) { /* the last segment, whose end no other sees */
    memcpy(to, from, block->synaptic[j].cells * sizeof *to);
  }
  return PF_OK;
}

/** Drives of the block's rows over n segments from `first` on; the plastic weights of the first are
 * w[j], and a synaptic state apart for each. */
static void drive_rows(const pf_sweep_block *block, int64_t first, int64_t n, pf_real *const *w)
{
  const pf_sweep *sweep = block->sweep;
  const pf_workspace *workspace = sweep->trajectory;
  const pf_activity *post = sweep->post;
  bool add = false;
  for (size_t q = 0; q < sweep->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)sweep->population) {
      continue;
    }
    const pf_real *rows = weights->states + block->row0 * weights->ldw;
    int64_t stride = 0;
    for (size_t j = 0; j < sweep->n_plastic; j++) {
      if (weights == sweep->plastic[j]) {
        rows = w[j];
        stride = (int64_t)sweep->cells[j];
      }
    }
    const pf_activity *pre = &workspace->activity[weights->info->pre];
    workspace->kernels->drive_runs(sweep->segments + first, n, block->n_rows, weights->n_pre, rows,
                                   stride, weights->ldw,
                                   pre->signals + weights->info->signal * pre->plane_stride,
                                   pre->ld, post->drive + block->row0, post->ld, add);
    add = true;
  }
}

/** The block's units at steps [first, last], as the network sees them. */
static pf_units units_of(const pf_sweep_block *block, int64_t first, int64_t last)
{
  const pf_sweep *sweep = block->sweep;
  return (pf_units){.size = sizeof(pf_units),
                    .population = (int64_t)sweep->population,
                    .row0 = block->row0,
                    .n_rows = block->n_rows,
                    .n_steps = last - first + 1,
                    .theta = sweep->simulation->theta + sweep->model->network_theta0,
                    .drive = sweep->post->drive + first * sweep->post->ld + block->row0,
                    .ld_drive = sweep->post->ld};
}

/** Their signals, or the cotangents of these. */
static pf_response response_of(const pf_sweep_block *block, pf_real *signals, int64_t first)
{
  const pf_activity *post = block->sweep->post;
  return (pf_response){.size = sizeof(pf_response),
                       .signals = signals + first * post->ld + block->row0,
                       .signal_stride = post->plane_stride,
                       .ld_signal = post->ld};
}

/** Signals of the block's rows at steps [first, last], from their drives. */
static pf_status activate_rows(const pf_sweep_block *block, int64_t first, int64_t last,
                               pf_error *error)
{
  const pf_component *network = block->sweep->model->network;
  const pf_units in = units_of(block, first, last);
  const pf_response out = response_of(block, block->sweep->post->signals, first);
  return network->plugin->network->activate(network->self, &in, &out, error);
}

/** One segment: drives and, where rules see them, signals; then the synaptic states after it. */
static pf_status forward_segment(pf_sweep_block *block, int64_t s, bool drives, bool activates,
                                 pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const pf_segment *segment = &sweep->segments[s];
  pf_real *w[PF_SWEEP_MAX_PLASTIC];
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    w[j] = forward_state(block, j, s);
    if (!sweep->keeps_all && s % sweep->plan.interval == 0) {
      memcpy(checkpoint_at(block, j, s), w[j], sweep->cells[j] * sizeof(pf_real));
    }
  }
  if (drives) {
    drive_rows(block, s, 1, w);
  }
  if (activates) {
    const pf_status status = activate_rows(block, segment->first, segment->end, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    const pf_status status =
        end_segment(block, j, segment, w[j], forward_state(block, j, s + 1), error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The step after which a weight of projection j is not finite, -1: from the start on. */
static int64_t find_overflow(pf_sweep_block *block, size_t j)
{
  const pf_sweep *sweep = block->sweep;
  int64_t step = -1;
  load_start(block);
  for (int64_t s = 0; s < sweep->n_segments; s++) {
    pf_real *from = forward_state(block, j, s), *to = forward_state(block, j, s + 1);
    if (!pf_all_finite(from, block->synaptic[j].cells)) {
      break;
    }
    step = sweep->segments[s].end;
    if (end_segment(block, j, &sweep->segments[s], from, to, NULL) != PF_OK) {
      break;
    }
  }
  return step;
}

/** Overflow is absorbing: test the last state, then replay to find the step. */
static pf_status check_finite(pf_sweep_block *block, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    if (!pf_all_finite(forward_state(block, j, sweep->n_segments), block->synaptic[j].cells)) {
      return pf_fail_overflow(sweep->simulation, sweep->plastic[j]->plastic,
                              find_overflow(block, j), error);
    }
  }
  return PF_OK;
}

pf_status pf_sweep_block_forward(pf_sweep_block *block, bool activates, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const char *experiment = sweep->draw->recording->name;
  const bool later = sweep->at_once && sweep->keeps_all; /* drives too: all states stand */
  pf_status status = PF_OK;
  load_start(block);
  for (int64_t s = 0; s < sweep->n_segments; s++) {
    status = forward_segment(block, s, activates && !later, activates && !sweep->at_once, error);
    if (status != PF_OK) {
      pf_error_at_step(error, experiment, sweep->segments[s].end);
      return status;
    }
  }
  if (!activates) {
    return PF_OK;
  }
  if (later) {
    drive_rows(block, 0, sweep->n_segments, block->states);
  }
  if (sweep->at_once) {
    status = activate_rows(block, 0, sweep->draw->n_steps - 1, error);
    if (status != PF_OK) {
      pf_error_at_step(error, experiment, 0);
      return status;
    }
  }
  return check_finite(block, error);
}

/* ---- losses ---- */

/** No cotangents of the block's signals and drives yet. */
static void clear_cotangents(const pf_sweep_block *block)
{
  const pf_activity *post = block->sweep->post;
  const size_t bytes = (size_t)block->n_rows * sizeof(pf_real);
  for (int64_t t = 0; t < block->sweep->draw->n_steps; t++) {
    const int64_t at = t * post->ld + block->row0;
    for (size_t s = 0; s < post->info->signals.count; s++) {
      memset(post->g_signals + (int64_t)s * post->plane_stride + at, 0, bytes);
    }
    memset(post->g_drive + at, 0, bytes);
  }
}

static pf_status add_loss(const pf_sweep_block *block, size_t k, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const pf_loss_term *term = &sweep->model->losses[k];
  const pf_loss_ops *ops = term->loss->plugin->loss;
  const pf_activity *post = sweep->post;
  pf_workspace *mine = block->mine;
  pf_loss_view view;
  pf_losses_view(sweep->trajectory, k, sweep->draw, sweep->simulation->theta, &view);
  if (view.n_observable[0] != view.n_target[0]) {
    return pf_fail(error, PF_STOP,
                   "%s compares %lld observed units with %lld recorded ones, expected as many",
                   term->loss->label, (long long)view.n_observable[0], (long long)view.n_target[0]);
  }
  pf_real *g_observable = post->g_signals + (view.observable[0] - post->signals) + block->row0;
  view.observable[0] += block->row0;
  view.target[0] += block->row0;
  view.n_observable[0] = view.n_target[0] = block->n_rows;
  pf_status status =
      ops->evaluate(term->loss->self, &view.in, mine->log_likelihood, mine->count, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_losses_add(mine, k, sweep->draw, &sweep->lane_values[block->lane][k], error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < sweep->draw->n_steps; t++) {
    mine->cotangent[t] = sweep->scale[k];
  }
  const pf_loss_gradient gradient = {
      .size = sizeof gradient, .observable = &g_observable, .ld_observable = view.ld_observable};
  return ops->vjp(term->loss->self, &view.in, mine->cotangent, &gradient, error);
}

pf_status pf_sweep_block_losses(const pf_sweep_block *block, pf_error *error)
{
  clear_cotangents(block);
  for (size_t k = 0; k < block->sweep->model->n_losses; k++) {
    const pf_status status = add_loss(block, k, error);
    if (status != PF_OK) {
      pf_error_at_step(error, block->sweep->draw->recording->name, 0);
      return status;
    }
  }
  return PF_OK;
}

/* ---- backward ---- */

/** Recompute the states of segments [first, last] from the checkpoint, and the one after where a
 * rule sees traces of it. */
static pf_status replay_segments(pf_sweep_block *block, int64_t first, int64_t last,
                                 pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    const size_t cells = sweep->cells[j];
    const int64_t end = sweep->plastic[j]->has_traces ? last + 1 : last;
    memcpy(block->states[j], checkpoint_at(block, j, first), cells * sizeof(pf_real));
    for (int64_t s = first; s < end; s++) {
      pf_real *from = block->states[j] + (size_t)(s - first) * cells;
      const pf_status status =
          end_segment(block, j, &sweep->segments[s], from, from + cells, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/** The end of a segment backward: g, the cotangent of the synaptic state after it, becomes that of
 * `state`, which stood during it. */
static pf_status end_segment_vjp(pf_sweep_block *block, size_t j, const pf_segment *segment,
                                 pf_real *state, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const pf_weights *weights = sweep->plastic[j];
  if (segment->changes == 0 && !weights->has_traces) {
    return PF_OK;
  }
  const int64_t t = segment->end;
  const pf_step_context context = pf_step_context_of(sweep->draw, t, segment->changes != 0);
  const pf_activity *pre = &sweep->trajectory->activity[weights->info->pre];
  pf_real *g_pre = pf_sweep_lane_pre(sweep, j, block->lane);
  const pf_synaptic_gradient gradient = {
      .theta = sweep->lane_theta + (size_t)block->lane * sweep->model->start_theta0,
      .pre = g_pre == NULL ? NULL : g_pre + t * pre->ld,
      .post = sweep->post->g_signals + t * sweep->post->ld + block->row0,
      .ld_pre = pre->ld,
      .ld_post = sweep->post->plane_stride};
  const pf_synaptic_adjoint adjoint = {
      .from = state, .to = state + sweep->cells[j], .g = block->g[j], .scratch = block->scratch};
  return pf_synaptic_step_vjp(&block->synaptic[j], &context, &adjoint, &gradient, error);
}

/** Steps [first, last]: from cotangents of the block's signals to those of its drive. */
static pf_status activate_rows_vjp(const pf_sweep_block *block, int64_t first, int64_t last,
                                   pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const pf_component *network = sweep->model->network;
  const pf_activity *post = sweep->post;
  const pf_units in = units_of(block, first, last);
  const pf_response value = response_of(block, post->signals, first);
  const pf_response cotangent = response_of(block, post->g_signals, first);
  double *theta = sweep->lane_theta + (size_t)block->lane * sweep->model->start_theta0 +
                  sweep->model->network_theta0;
  const pf_units_gradient gradient = {.size = sizeof gradient,
                                      .drive = post->g_drive + first * post->ld + block->row0,
                                      .theta = sweep->wants_network ? theta : NULL,
                                      .ld_drive = post->ld};
  return network->plugin->network->activate_vjp(network->self, &in, &value, &cotangent, &gradient,
                                                error);
}

/** One segment: from cotangents of the block's drive to those of its weights and presynaptic
 * signals. */
static void drive_rows_vjp(const pf_sweep_block *block, const pf_segment *segment,
                           pf_real *const *w)
{
  const pf_sweep *sweep = block->sweep;
  const pf_kernels *kernels = sweep->trajectory->kernels;
  const pf_activity *post = sweep->post;
  const int64_t first = segment->first, n_steps = segment->end - first + 1;
  const pf_real *g_drive = post->g_drive + first * post->ld + block->row0;
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    const pf_weights *weights = sweep->plastic[j];
    const pf_activity *pre = &sweep->trajectory->activity[weights->info->pre];
    const pf_real *signal =
        pre->signals + weights->info->signal * pre->plane_stride + first * pre->ld;
    pf_real *g_pre = pf_sweep_lane_pre(sweep, j, block->lane);
    kernels->weight_gradient(n_steps, block->n_rows, weights->n_pre, g_drive, post->ld, signal,
                             pre->ld, block->g[j], weights->ldw);
    if (g_pre != NULL) {
      kernels->pre_gradient(n_steps, block->n_rows, weights->n_pre, w[j], weights->ldw, g_drive,
                            post->ld, g_pre + first * pre->ld, pre->ld);
    }
  }
}

/** Segment s, whose synaptic states are the `place`-th that stand. */
static pf_status backward_segment(pf_sweep_block *block, int64_t s, int64_t place, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const pf_segment *segment = &sweep->segments[s];
  pf_real *w[PF_SWEEP_MAX_PLASTIC];
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    w[j] = block->states[j] + (size_t)place * sweep->cells[j];
  }
  for (size_t j = sweep->n_plastic; j-- > 0;) {
    const pf_status status = end_segment_vjp(block, j, segment, w[j], error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!sweep->at_once) {
    const pf_status status = activate_rows_vjp(block, segment->first, segment->end, error);
    if (status != PF_OK) {
      return status;
    }
  }
  drive_rows_vjp(block, segment, w);
  return PF_OK;
}

static pf_status backward_segments(pf_sweep_block *block, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  const int64_t n = sweep->n_segments, interval = sweep->keeps_all ? n : sweep->plan.interval;
  for (int64_t part = (n + interval - 1) / interval; part-- > 0;) {
    const int64_t first = part * interval;
    const int64_t last = first + interval < n ? first + interval - 1 : n - 1;
    pf_status status = PF_OK;
    if (!sweep->keeps_all) {
      status = replay_segments(block, first, last, error);
      if (status != PF_OK) {
        return status;
      }
    }
    for (int64_t s = last; s >= first; s--) {
      status = backward_segment(block, s, s - first, error);
      if (status != PF_OK) {
        pf_error_at_step(error, sweep->draw->recording->name, sweep->segments[s].end);
        return status;
      }
    }
  }
  return PF_OK;
}

pf_status pf_sweep_block_backward(pf_sweep_block *block, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  pf_status status = PF_OK;
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    memset(block->g[j], 0, sweep->cells[j] * sizeof(pf_real));
  }
  if (sweep->at_once) {
    status = activate_rows_vjp(block, 0, sweep->draw->n_steps - 1, error);
    if (status != PF_OK) {
      pf_error_at_step(error, sweep->draw->recording->name, 0);
      return status;
    }
  }
  status = backward_segments(block, error);
  if (status != PF_OK || !sweep->wants_network) {
    return status;
  }
  for (size_t j = 0; j < sweep->n_plastic; j++) { /* by now those of the starting weights */
    const pf_weights *weights = sweep->plastic[j];
    memcpy(weights->g + block->row0 * weights->ldw, block->g[j],
           (size_t)(block->n_rows * weights->ldw) * sizeof(pf_real));
  }
  return PF_OK;
}
