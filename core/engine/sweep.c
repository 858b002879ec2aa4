#include "core/engine/sweep.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/failures.h"
#include "core/engine/kernels.h"
#include "core/engine/population.h"
#include "core/engine/segments.h"
#include "core/engine/starting_state.h"
#include "core/engine/synaptic_state.h"
#include "core/engine/trajectory.h"
#include "core/model/starting_weights.h"

#include <math.h>
#include <string.h>

/* Plastic projections onto one population; more take the other path. */
enum { MAX_PLASTIC = 4 };
/* Losses on a population that is swept forward and backward in one go; more take two sweeps. */
enum { MAX_LOCAL_LOSSES = 4 };

/** One population being swept. */
typedef struct sweep {
  const pf_model *model;
  const pf_draw *draw;
  const double *theta;
  pf_workspace *const *workspaces; /* [0] has the trajectory; each has its thread's states */
  size_t n_workspaces;
  size_t population;
  pf_activity *post;
  size_t projection[MAX_PLASTIC]; /* the plastic projections onto it */
  size_t n_plastic;
  const pf_segment *segments;
  int64_t n_segments;
  pf_block_plan plan;
  size_t cells[MAX_PLASTIC]; /* of a slot of a block: core/engine/synaptic_state.h */
  size_t scratch_cells;      /* that a step of a block takes */
  bool keeps_all;            /* no checkpoints */
  bool at_once;              /* rules do not see the population: it responds after all runs */
  bool wants_network;        /* its parameters, or starting weights, are learned */
  const double *scale;       /* [n_losses]; of a local sweep */
  pf_loss_value (*lane_values)[MAX_LOCAL_LOSSES]; /* [n_lanes]; of a local sweep */
  double *lane_theta;             /* [n_lanes][start_theta0]: starting weights take no sums */
  pf_real *lane_pre[MAX_PLASTIC]; /* [n_lanes][n_steps][ld of pre]: private cotangents of x; NULL: x
                                     is the input */
} sweep;

/** A block of rows and its memory, in the arena of a thread. */
typedef struct block {
  int64_t row0, n_rows;
  pf_synaptic_state *synaptic;       /* [n_plastic] */
  pf_real *states[MAX_PLASTIC];      /* [interval + 1] slots */
  pf_real *checkpoints[MAX_PLASTIC]; /* [n_checkpoints] slots */
  pf_real *g[MAX_PLASTIC];           /* a slot */
  pf_real *scratch;
} block;

static const pf_weights *weights_of(const sweep *self, size_t j)
{
  return &self->workspaces[0]->weights[self->projection[j]];
}

bool pf_sweep_can(const pf_model *model)
{
  const pf_projection_table *projections = &model->declared.projections;
  const pf_population_table *populations = &model->declared.populations;
  if (model->forgets) {
    return false;
  }
  for (size_t phase = 0; phase < sizeof model->stepwise / sizeof model->stepwise[0]; phase++) {
    if (model->stepwise[phase]) {
      return false;
    }
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_projection *projection =
        pf_table_at(projections->items, projections->stride, projections->count,
                    (size_t)model->plastic[p].projection);
    const pf_population *post = pf_table_at(populations->items, populations->stride,
                                            populations->count, (size_t)projection->post);
    size_t onto_same = 0;
    for (size_t o = 0; o < model->n_plastic;
         o++) { /* rules, of which several may share a projection */
      const pf_projection *other =
          pf_table_at(projections->items, projections->stride, projections->count,
                      (size_t)model->plastic[o].projection);
      bool counted = false;
      for (size_t before = 0; before < o; before++) {
        counted = counted || model->plastic[before].projection == model->plastic[o].projection;
      }
      onto_same += other->post == projection->post && !counted ? 1 : 0;
    }
    if ((projection->flags & PF_PROJECTION_ROW_SEPARABLE) == 0 ||
        (post->flags & PF_POPULATION_COUPLED) != 0 || onto_same > MAX_PLASTIC) {
      return false;
    }
  }
  return true;
}

/* ---- memory ---- */

/** Room in a workspace's arena for one block. */
static pf_status reserve_arena(const sweep *self, pf_workspace *workspace, pf_error *error)
{
  const size_t line = PF_CACHE_LINE / sizeof(pf_real);
  const int64_t kept = self->keeps_all ? self->n_segments : self->plan.interval;
  const int64_t checkpoints =
      self->keeps_all ? 0 : (self->n_segments + self->plan.interval - 1) / self->plan.interval;
  size_t cells = self->scratch_cells + line;
  for (size_t j = 0; j < self->n_plastic; j++) {
    cells += self->cells[j] * (size_t)(kept + 1 + checkpoints + 1) + 3 * line;
  }
  if (workspace->arena_cells >= cells) {
    return PF_OK;
  }
  pf_memory_free(workspace->arena);
  workspace->arena = pf_memory_new(cells, sizeof(pf_real));
  workspace->arena_cells = workspace->arena == NULL ? 0 : cells;
  return workspace->arena == NULL
             ? pf_fail(error, PF_STOP,
                       "out of memory: %zu bytes for %lld states of %lld rows of weights",
                       cells * sizeof(pf_real), (long long)kept, (long long)self->plan.rows)
             : PF_OK;
}

static pf_real *take(pf_real **arena, size_t cells)
{
  const size_t line = PF_CACHE_LINE / sizeof(pf_real);
  pf_real *taken = *arena;
  *arena += (cells + line - 1) / line * line;
  return taken;
}

static block lay_out(const sweep *self, pf_workspace *workspace, int64_t index,
                     pf_synaptic_state synaptic[MAX_PLASTIC])
{
  pf_real *arena = workspace->arena;
  const int64_t kept = self->keeps_all ? self->n_segments : self->plan.interval;
  const int64_t checkpoints =
      self->keeps_all ? 0 : (self->n_segments + self->plan.interval - 1) / self->plan.interval;
  block out = {.row0 = index * self->plan.rows, .synaptic = synaptic};
  out.n_rows =
      self->post->n - out.row0 < self->plan.rows ? self->post->n - out.row0 : self->plan.rows;
  for (size_t j = 0; j < self->n_plastic; j++) {
    const size_t cells = self->cells[j];
    out.synaptic[j] = pf_synaptic_make(self->workspaces[0], self->theta, self->projection[j],
                                       out.row0, out.n_rows);
    out.states[j] = take(&arena, cells * (size_t)(kept + 1));
    out.checkpoints[j] = take(&arena, cells * (size_t)checkpoints);
    out.g[j] = take(&arena, cells);
  }
  out.scratch = arena;
  return out;
}

/* ---- forward through a block ---- */

/** What is carried at the end of a run; `to` MAY be `from` where the weights are plain. */
static pf_status change(const sweep *self, const block *at, size_t j, const pf_segment *run,
                        pf_real *from, pf_real *to, pf_error *error)
{
  if (run->changes != 0 || weights_of(self, j)->has_traces) {
    const pf_step_context context = pf_step_context_of(self->draw, run->end, run->changes != 0);
    return pf_synaptic_step(&at->synaptic[j], &context, from, to, at->scratch, error);
  }
  if (from != to) { /* the last run, whose weights no other sees */
    memcpy(to, from, at->synaptic[j].cells * sizeof *to);
  }
  return PF_OK;
}

/** Drives of the block's rows over n runs from `first` on; the plastic weights of the first are
 * w[j], a slot each. */
static void drive(const sweep *self, const block *at, int64_t first, int64_t n, pf_real *const *w)
{
  const pf_model *model = self->model;
  const pf_workspace *workspace = self->workspaces[0];
  const pf_activity *post = self->post;
  bool add = false;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post != (int64_t)self->population) {
      continue;
    }
    const pf_real *rows = weights->states + at->row0 * weights->ldw;
    int64_t stride = 0;
    for (size_t j = 0; j < self->n_plastic; j++) {
      if (weights == weights_of(self, j)) {
        rows = w[j];
        stride = (int64_t)self->cells[j];
      }
    }
    const pf_activity *pre = &workspace->activity[weights->info->pre];
    workspace->kernels->drive_runs(self->segments + first, n, at->n_rows, weights->n_pre, rows,
                                   stride, weights->ldw,
                                   pre->signals + weights->info->signal * pre->plane_stride,
                                   pre->ld, post->drive + at->row0, post->ld, add);
    add = true;
  }
}

/** The block's units at steps [first, last], as the network sees them. */
static pf_units units_of(const sweep *self, const block *at, int64_t first, int64_t last)
{
  return (pf_units){.size = sizeof(pf_units),
                    .population = (int64_t)self->population,
                    .row0 = at->row0,
                    .n_rows = at->n_rows,
                    .n_steps = last - first + 1,
                    .theta = self->theta + self->model->network_theta0,
                    .drive = self->post->drive + first * self->post->ld + at->row0,
                    .ld_drive = self->post->ld};
}

/** Their signals, or the cotangents of these. */
static pf_response response_of(const sweep *self, const block *at, pf_real *signals, int64_t first)
{
  return (pf_response){.size = sizeof(pf_response),
                       .signals = signals + first * self->post->ld + at->row0,
                       .signal_stride = self->post->plane_stride,
                       .ld_signal = self->post->ld};
}

/** Signals of the block's rows at steps [first, last], from their drives. */
static pf_status activate(const sweep *self, const block *at, int64_t first, int64_t last,
                          pf_error *error)
{
  const pf_component *network = self->model->network;
  const pf_units in = units_of(self, at, first, last);
  const pf_response out = response_of(self, at, self->post->signals, first);
  return network->plugin->network->activate(network->self, &in, &out, error);
}

static void load_initial(const sweep *self, const block *at)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    pf_synaptic_start(&at->synaptic[j], at->states[j]);
  }
}

/** Slot of run r on the way forward: each its own; or one, changed in place; or two in turns. */
static pf_real *forward_buffer(const sweep *self, const block *at, size_t j, int64_t r)
{
  return at->states[j] + (size_t)(self->keeps_all              ? r
                                  : weights_of(self, j)->plain ? 0
                                                               : r % 2) *
                             self->cells[j];
}

/** Take the block through all runs. `responds`: evaluate the population too, else its activity
 * stands already. */
static pf_status advance(const sweep *self, const block *at, bool responds, pf_error *error)
{
  const bool later = self->at_once && self->keeps_all; /* drives too: all states stand */
  pf_status status = PF_OK;
  load_initial(self, at);
  for (int64_t r = 0; r < self->n_segments && status == PF_OK; r++) {
    pf_real *w[MAX_PLASTIC];
    for (size_t j = 0; j < self->n_plastic; j++) {
      w[j] = forward_buffer(self, at, j, r);
      if (!self->keeps_all && r % self->plan.interval == 0) {
        memcpy(at->checkpoints[j] + (size_t)(r / self->plan.interval) * self->cells[j], w[j],
               self->cells[j] * sizeof(pf_real));
      }
    }
    if (responds && !later) {
      drive(self, at, r, 1, w);
    }
    status = responds && !self->at_once
                 ? activate(self, at, self->segments[r].first, self->segments[r].end, error)
                 : PF_OK;
    for (size_t j = 0; j < self->n_plastic && status == PF_OK; j++) {
      status =
          change(self, at, j, &self->segments[r], w[j], forward_buffer(self, at, j, r + 1), error);
    }
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, self->segments[r].end);
    }
  }
  if (status == PF_OK && responds && later) {
    drive(self, at, 0, self->n_segments, at->states);
  }
  if (status == PF_OK && responds && self->at_once) {
    status = activate(self, at, 0, self->draw->n_steps - 1, error);
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, 0);
    }
  }
  return status;
}

/** The last state tells whether a weight overflowed, since such a weight stays so; then the step is
 * searched for. */
static pf_status check_finite(const sweep *self, const block *at, pf_error *error)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    const pf_weights *weights = weights_of(self, j);
    const size_t cells = at->synaptic[j].cells;
    if (pf_all_finite(forward_buffer(self, at, j, self->n_segments), cells)) {
      continue;
    }
    int64_t step = -1, r = 0;
    load_initial(self, at);
    while (pf_all_finite(forward_buffer(self, at, j, r), cells) && r < self->n_segments) {
      step = self->segments[r].end;
      if (change(self, at, j, &self->segments[r], forward_buffer(self, at, j, r),
                 forward_buffer(self, at, j, r + 1), error) != PF_OK) {
        break;
      }
      r++;
    }
    return pf_fail_overflow(self->draw, self->model, weights->plastic, self->theta, step, error);
  }
  return PF_OK;
}

/* ---- backward through a block ---- */

/** Recompute the slots of runs [first, last], and the one after where traces of it are seen, from
 * the checkpoint. */
static pf_status replay(const sweep *self, const block *at, int64_t first, int64_t last,
                        pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t j = 0; j < self->n_plastic && status == PF_OK; j++) {
    const size_t cells = self->cells[j];
    const int64_t end = weights_of(self, j)->has_traces ? last + 1 : last;
    memcpy(at->states[j], at->checkpoints[j] + (size_t)(first / self->plan.interval) * cells,
           cells * sizeof(pf_real));
    for (int64_t r = first; r < end && status == PF_OK; r++) {
      pf_real *from = at->states[j] + (size_t)(r - first) * cells;
      status = change(self, at, j, &self->segments[r], from, from + cells, error);
    }
  }
  return status;
}

/** Where lane `lane` gathers the cotangent of plastic projection j's presynaptic signal; NULL: not
 * wanted. */
static pf_real *pre_cotangent(const sweep *self, size_t j, int64_t lane)
{
  const pf_activity *pre = &self->workspaces[0]->activity[weights_of(self, j)->info->pre];
  return self->lane_pre[j] == NULL ? NULL
                                   : self->lane_pre[j] + lane * self->draw->n_steps * pre->ld;
}

/** The end of a run backward: the cotangent g of what is carried after it becomes that of what was
 * during it. */
static pf_status back_change(const sweep *self, const block *at, size_t j, const pf_segment *run,
                             pf_real *buffer, int64_t lane, pf_error *error)
{
  const pf_weights *weights = weights_of(self, j);
  if (run->changes == 0 && !weights->has_traces) {
    return PF_OK;
  }
  const int64_t t = run->end;
  const pf_step_context context = pf_step_context_of(self->draw, t, run->changes != 0);
  const pf_activity *pre = &self->workspaces[0]->activity[weights->info->pre];
  pf_real *g_pre = pre_cotangent(self, j, lane);
  const pf_synaptic_gradient gradient = {
      .theta = self->lane_theta + (size_t)lane * self->model->start_theta0,
      .pre = g_pre == NULL ? NULL : g_pre + t * pre->ld,
      .post = self->post->g_signals + t * self->post->ld + at->row0,
      .ld_pre = pre->ld,
      .ld_post = self->post->plane_stride};
  return pf_synaptic_step_vjp(&at->synaptic[j], &context, buffer, buffer + self->cells[j], at->g[j],
                              &gradient, at->scratch, error);
}

/** Steps [first, last]: from cotangents of the block's signals to those of its drive. */
static pf_status back_activate(const sweep *self, const block *at, int64_t first, int64_t last,
                               int64_t lane, pf_error *error)
{
  const pf_model *model = self->model;
  const pf_activity *post = self->post;
  const pf_units in = units_of(self, at, first, last);
  const pf_response value = response_of(self, at, post->signals, first);
  const pf_response cotangent = response_of(self, at, post->g_signals, first);
  double *theta = self->lane_theta + (size_t)lane * model->start_theta0 + model->network_theta0;
  const pf_units_gradient gradient = {.size = sizeof gradient,
                                      .drive = post->g_drive + first * post->ld + at->row0,
                                      .theta = self->wants_network ? theta : NULL,
                                      .ld_drive = post->ld};
  return model->network->plugin->network->activate_vjp(model->network->self, &in, &value,
                                                       &cotangent, &gradient, error);
}

/** One run: from cotangents of the block's drive to those of its weights and presynaptic signals.
 */
static void back_drive(const sweep *self, const block *at, const pf_segment *run, pf_real *const *w,
                       int64_t lane)
{
  const pf_kernels *kernels = self->workspaces[0]->kernels;
  const pf_activity *post = self->post;
  const int64_t n_steps = run->end - run->first + 1;
  const pf_real *g_drive = post->g_drive + run->first * post->ld + at->row0;
  for (size_t j = 0; j < self->n_plastic; j++) {
    const pf_weights *weights = weights_of(self, j);
    const pf_activity *pre = &self->workspaces[0]->activity[weights->info->pre];
    const pf_real *signal =
        pre->signals + weights->info->signal * pre->plane_stride + run->first * pre->ld;
    pf_real *g_pre = pre_cotangent(self, j, lane);
    kernels->weight_gradient(n_steps, at->n_rows, weights->n_pre, g_drive, post->ld, signal,
                             pre->ld, at->g[j], weights->ldw);
    if (g_pre != NULL) {
      kernels->pre_gradient(n_steps, at->n_rows, weights->n_pre, w[j], weights->ldw, g_drive,
                            post->ld, g_pre + run->first * pre->ld, pre->ld);
    }
  }
}

static pf_status reverse(const sweep *self, const block *at, int64_t lane, pf_error *error)
{
  const int64_t interval = self->keeps_all ? self->n_segments : self->plan.interval;
  const int64_t n_segments = (self->n_segments + interval - 1) / interval;
  pf_status status = PF_OK;
  for (size_t j = 0; j < self->n_plastic; j++) {
    memset(at->g[j], 0, self->cells[j] * sizeof(pf_real));
  }
  if (self->at_once) {
    status = back_activate(self, at, 0, self->draw->n_steps - 1, lane, error);
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, 0);
      return status;
    }
  }
  for (int64_t s = n_segments; s-- > 0 && status == PF_OK;) {
    const int64_t first = s * interval;
    const int64_t last =
        first + interval < self->n_segments ? first + interval - 1 : self->n_segments - 1;
    status = self->keeps_all ? PF_OK : replay(self, at, first, last, error);
    for (int64_t r = last; r >= first && status == PF_OK; r--) {
      pf_real *w[MAX_PLASTIC];
      for (size_t j = 0; j < self->n_plastic; j++) {
        w[j] = at->states[j] + (size_t)(r - first) * self->cells[j];
      }
      for (size_t j = self->n_plastic; j-- > 0 && status == PF_OK;) {
        status = back_change(self, at, j, &self->segments[r], w[j], lane, error);
      }
      if (status == PF_OK && !self->at_once) {
        status =
            back_activate(self, at, self->segments[r].first, self->segments[r].end, lane, error);
      }
      if (status != PF_OK) {
        pf_error_at_step(error, self->draw->recording->name, self->segments[r].end);
      } else {
        back_drive(self, at, &self->segments[r], w, lane);
      }
    }
  }
  for (size_t j = 0; j < self->n_plastic && self->wants_network;
       j++) { /* by now those of the starting weights */
    const pf_weights *weights = weights_of(self, j);
    memcpy(weights->g + at->row0 * weights->ldw, at->g[j],
           (size_t)(at->n_rows * weights->ldw) * sizeof(pf_real));
  }
  return status;
}

/* ---- losses within a block ---- */

/**
 * Where every loss is a sum over units of the last population, and its weights are plastic, a block
 * goes forward, to its losses and backward while its states are in cache: a sweep saved.
 */
static bool is_local(const pf_model *model, size_t p)
{
  const pf_observable_table *table = &model->declared.observables;
  bool local = model->n_losses <= MAX_LOCAL_LOSSES && p + 1 == model->declared.populations.count;
  for (size_t k = 0; k < model->n_losses && local; k++) {
    const pf_loss_term *term = &model->losses[k];
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)term->observables[0]);
    local = (term->declared.flags & PF_LOSS_SEPARABLE_BY_UNIT) != 0 &&
            term->declared.observables.count == 1 && term->declared.targets.count == 1 &&
            !pf_learns_loss(model, k) && info->population == (int64_t)p;
  }
  return local;
}

/** The block's columns of every loss: values into the lane's sums, cotangents of its signals. */
static pf_status local_losses(const sweep *self, const block *at, int64_t lane, pf_workspace *mine,
                              pf_error *error)
{
  const pf_model *model = self->model;
  const pf_activity *post = self->post;
  for (int64_t t = 0; t < self->draw->n_steps; t++) {
    const size_t bytes = (size_t)at->n_rows * sizeof(pf_real);
    for (size_t s = 0; s < post->info->signals.count; s++) {
      memset(post->g_signals + (int64_t)s * post->plane_stride + t * post->ld + at->row0, 0, bytes);
    }
    memset(post->g_drive + t * post->ld + at->row0, 0, bytes);
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *term = &model->losses[k];
    const pf_loss_ops *ops = term->loss->plugin->loss;
    pf_loss_view view;
    pf_losses_view(self->workspaces[0], k, self->draw, self->theta, &view);
    if (view.n_observable[0] != view.n_target[0]) {
      return pf_fail(error, PF_STOP,
                     "%s compares %lld observed units with %lld recorded ones, expected as many",
                     term->loss->label, (long long)view.n_observable[0],
                     (long long)view.n_target[0]);
    }
    pf_real *g_observable = post->g_signals + (view.observable[0] - post->signals) + at->row0;
    view.observable[0] += at->row0;
    view.target[0] += at->row0;
    view.n_observable[0] = view.n_target[0] = at->n_rows;
    pf_status status =
        ops->evaluate(term->loss->self, &view.in, mine->log_likelihood, mine->count, error);
    pf_loss_value *value = &self->lane_values[lane][k];
    for (int64_t t = 0; t < self->draw->n_steps; t++) {
      value->log_likelihood += mine->log_likelihood[t];
      value->count += mine->count[t];
      mine->cotangent[t] = self->scale[k];
      if (status == PF_OK && !isfinite(mine->log_likelihood[t])) {
        status = pf_fail(error, PF_POINT_FAILED,
                         "experiment %s, step %lld: %s is %g, expected a finite log likelihood",
                         self->draw->recording->name, (long long)t, term->loss->label,
                         mine->log_likelihood[t]);
      }
    }
    const pf_loss_gradient gradient = {
        .size = sizeof gradient, .observable = &g_observable, .ld_observable = view.ld_observable};
    status = status == PF_OK
                 ? ops->vjp(term->loss->self, &view.in, mine->cotangent, &gradient, error)
                 : status;
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, 0);
      return status;
    }
  }
  return PF_OK;
}

/* ---- all blocks of a population ---- */

enum direction { FORWARD, BACKWARD, BOTH };

static pf_workspace *my_workspace(const sweep *self)
{
  return self->workspaces[self->n_workspaces > 1 ? pf_this_thread() : 0];
}

/** The blocks of one lane, in order. */
static pf_status sweep_lane(const sweep *self, enum direction direction, int64_t lane,
                            pf_error *error)
{
  const int64_t n = self->plan.n_blocks, lanes = self->plan.n_lanes;
  pf_workspace *workspace = my_workspace(self);
  pf_synaptic_state synaptic[MAX_PLASTIC];
  pf_status status = reserve_arena(self, workspace, error);
  for (int64_t b = lane * n / lanes; b < (lane + 1) * n / lanes && status == PF_OK; b++) {
    const block at = lay_out(self, workspace, b, synaptic);
    const bool lasts = self->keeps_all &&
                       n == 1; /* with one block, states stand until another population's sweep */
    const bool states_stand = lasts && workspace->arena_population == self->population;
    workspace->arena_population = lasts ? self->population : 0;
    if (direction != BACKWARD) {
      status = advance(self, &at, true, error);
      status = status == PF_OK ? check_finite(self, &at, error) : status;
    } else if (!states_stand) {
      status = advance(self, &at, false, error);
    }
    if (direction == BOTH && status == PF_OK) {
      status = local_losses(self, &at, lane, workspace, error);
    }
    if (direction != FORWARD && status == PF_OK) {
      status = reverse(self, &at, lane, error);
    }
  }
  return status;
}

static pf_status sweep_all(const sweep *self, enum direction direction, pf_error *error)
{
  pf_status statuses[PF_MAX_LANES] = {0};
  pf_error errors[PF_MAX_LANES];
  const int64_t lanes = self->plan.n_lanes;
  if (lanes == 1) { /* small layers: no detour */
    return sweep_lane(self, direction, 0, error);
  }
#pragma omp parallel for schedule(dynamic) \
    num_threads((int)self->n_workspaces) if (self->n_workspaces > 1)
  for (int64_t lane = 0; lane < lanes; lane++) {
    errors[lane] = pf_error_none();
    statuses[lane] = sweep_lane(self, direction, lane, &errors[lane]);
  }
  for (int64_t lane = 0; lane < lanes; lane++) {
    if (statuses[lane] != PF_OK) { /* the first lane's, whichever thread met one first */
      return pf_fail_key(error, statuses[lane], errors[lane].key, "%s", errors[lane].text);
    }
  }
  return PF_OK;
}

/** Sweep number `which` of the workspace's own sums: theta by lane, and x by lane where it is
 * another population's. */
static pf_status reserve_lanes(sweep *self, pf_error *error)
{
  pf_workspace *workspace = self->workspaces[0];
  const size_t lanes = (size_t)self->plan.n_lanes;
  size_t cells = 0, offset[MAX_PLASTIC] = {0};
  for (size_t j = 0; j < self->n_plastic; j++) {
    const int64_t pre = weights_of(self, j)->info->pre;
    offset[j] = cells;
    cells += pre == 0 ? 0 : lanes * (size_t)(self->draw->n_steps * workspace->activity[pre].ld);
  }
  if (workspace->lane_theta_count < lanes * self->model->start_theta0) {
    pf_memory_free(workspace->lane_theta);
    workspace->lane_theta_count = 0;
    workspace->lane_theta =
        pf_memory_need(lanes * self->model->start_theta0, sizeof(double), error);
    if (workspace->lane_theta == NULL) {
      return PF_STOP;
    }
    workspace->lane_theta_count = lanes * self->model->start_theta0;
  }
  if (workspace->lane_pre_cells < cells) {
    pf_memory_free(workspace->lane_pre);
    workspace->lane_pre_cells = 0;
    workspace->lane_pre = pf_memory_need(cells, sizeof(pf_real), error);
    if (workspace->lane_pre == NULL) {
      return PF_STOP;
    }
    workspace->lane_pre_cells = cells;
  }
  self->lane_theta = workspace->lane_theta;
  memset(self->lane_theta, 0, lanes * self->model->start_theta0 * sizeof(double));
  if (cells > 0) {
    memset(workspace->lane_pre, 0, cells * sizeof(pf_real));
  }
  for (size_t j = 0; j < self->n_plastic; j++) {
    self->lane_pre[j] =
        weights_of(self, j)->info->pre == 0 ? NULL : workspace->lane_pre + offset[j];
  }
  return PF_OK;
}

/** The lanes' sums, in order, into the gradient and the cotangents of the presynaptic populations.
 */
static void add_lanes(const sweep *self, double *gradient)
{
  const size_t n = self->model->start_theta0;
  for (int64_t lane = 0; lane < self->plan.n_lanes; lane++) {
    for (size_t i = 0; i < n; i++) {
      gradient[i] += self->lane_theta[(size_t)lane * n + i];
    }
    for (size_t j = 0; j < self->n_plastic; j++) {
      const pf_weights *weights = weights_of(self, j);
      pf_activity *pre = &self->workspaces[0]->activity[weights->info->pre];
      const pf_real *from = pre_cotangent(self, j, lane);
      for (int64_t i = 0; from != NULL && i < self->draw->n_steps * pre->ld; i++) {
        pre->g_signals[weights->info->signal * pre->plane_stride + i] += from[i];
      }
    }
  }
}

static void add_fixed(const sweep *self)
{
  const pf_workspace *workspace = self->workspaces[0];
  for (size_t q = 0; q < self->model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    pf_activity *pre = &workspace->activity[weights->info->pre];
    if (weights->info->post != (int64_t)self->population || weights->plastic != NULL) {
      continue;
    }
    if (self->wants_network) {
      self->workspaces[0]->kernels->weight_gradient(
          self->draw->n_steps, weights->n_post, weights->n_pre, self->post->g_drive, self->post->ld,
          pre->signals + weights->info->signal * pre->plane_stride, pre->ld, weights->g,
          weights->ldw);
    }
    if (weights->info->pre != 0) {
      self->workspaces[0]->kernels->pre_gradient(
          self->draw->n_steps, weights->n_post, weights->n_pre, weights->states, weights->ldw,
          self->post->g_drive, self->post->ld,
          pre->g_signals + weights->info->signal * pre->plane_stride, pre->ld);
    }
  }
}

/** Does a rule on the projection see what the postsynaptic population does? */
static bool sees_post(const pf_model *model, const pf_weights *weights)
{
  bool sees = weights->has_traces; /* `reads` is of dw alone */
  for (size_t p = 0; p < model->n_plastic; p++) {
    const uint32_t reads = model->plastic[p].declared.reads;
    sees = sees || (model->plastic[p].projection == weights->index &&
                    (reads == 0 || (reads & PF_READS_POST) != 0));
  }
  return sees;
}

/** The sweep of population p; n_plastic is 0 where none of its weights change. */
static sweep prepare(const pf_model *model, const pf_draw *draw, const double *theta,
                     pf_workspace *const *workspaces, size_t n_workspaces, size_t p)
{
  pf_workspace *workspace = workspaces[0];
  sweep self = {.model = model,
                .draw = draw,
                .theta = theta,
                .workspaces = workspaces,
                .n_workspaces = n_workspaces,
                .population = p,
                .post = &workspace->activity[p],
                .segments = workspace->segments,
                .n_segments = workspace->n_segments,
                .at_once = true,
                .wants_network = pf_learns_network(model)};
  size_t row_cells = 0;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post == (int64_t)p && weights->plastic != NULL) {
      self.projection[self.n_plastic++] = q;
      row_cells += pf_synaptic_cells(model, weights, 1);
      self.at_once = self.at_once && !sees_post(model, weights);
    }
  }
  if (self.n_plastic > 0) {
    self.plan = pf_plan_blocks(self.post->n, row_cells * sizeof(pf_real), self.n_segments,
                               model->state_budget);
    self.keeps_all = self.plan.interval >= self.n_segments;
  }
  for (size_t j = 0; j < self.n_plastic; j++) {
    const size_t scratch = pf_synaptic_scratch(model, weights_of(&self, j), self.plan.rows, true);
    self.cells[j] = pf_synaptic_cells(model, weights_of(&self, j), self.plan.rows);
    self.scratch_cells = scratch > self.scratch_cells ? scratch : self.scratch_cells;
  }
  return self;
}

/** The last population forward and backward in one sweep, with its losses. */
static pf_status sweep_local(sweep *self, const double *scale, pf_loss_value *values,
                             double *gradient, pf_error *error)
{
  pf_loss_value sums[PF_MAX_LANES][MAX_LOCAL_LOSSES] = {0};
  self->scale = scale;
  self->lane_values = sums;
  pf_losses_mark_scored(self->workspaces[0], self->draw, PF_STEP_FIT);
  pf_status status = reserve_lanes(self, error);
  status = status == PF_OK ? sweep_all(self, BOTH, error) : status;
  if (status != PF_OK) {
    return status;
  }
  add_lanes(self, gradient);
  add_fixed(self);
  for (size_t k = 0; k < self->model->n_losses && values != NULL; k++) {
    values[k] = (pf_loss_value){0};
    for (int64_t lane = 0; lane < self->plan.n_lanes; lane++) {
      values[k].log_likelihood += sums[lane][k].log_likelihood;
      values[k].count += sums[lane][k].count;
    }
  }
  return PF_OK;
}

/** All populations before `first_done` backward. */
static pf_status sweep_back(const pf_model *model, const pf_draw *draw, const double *theta,
                            pf_workspace *const *workspaces, size_t n_workspaces, size_t first_done,
                            double *gradient, pf_error *error)
{
  pf_workspace *workspace = workspaces[0];
  const bool wants_network = pf_learns_network(model);
  pf_status status = PF_OK;
  for (size_t p = first_done; p-- > 1 && status == PF_OK;) {
    if (workspace->activity[p].phase == PF_PHASE_BEFORE && !wants_network) {
      continue; /* nothing that is learned lies before it */
    }
    sweep self = prepare(model, draw, theta, workspaces, n_workspaces, p);
    if (self.n_plastic == 0) {
      const pf_population_steps all = {.population = p, .last = draw->n_steps - 1};
      status = pf_population_vjp(workspace, theta, &all, wants_network ? gradient : NULL, error);
      continue;
    }
    status = reserve_lanes(&self, error);
    status = status == PF_OK ? sweep_all(&self, BACKWARD, error) : status;
    if (status == PF_OK) {
      add_lanes(&self, gradient);
      add_fixed(&self);
    }
  }
  return status == PF_OK && wants_network
             ? pf_simulation_start_vjp(draw, theta, workspace, gradient, error)
             : status;
}

pf_status pf_sweep_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                            const double *scale, pf_workspace *const *workspaces,
                            size_t n_workspaces, pf_loss_value *values, double *gradient,
                            pf_error *error)
{
  const size_t n_populations = model->declared.populations.count;
  pf_workspace *workspace = workspaces[0];
  bool local = false;
  pf_status status = pf_simulation_begin(workspace, draw, theta, 0, error);
  status = status == PF_OK ? pf_workspace_need_cotangents(workspace, error) : status;
  for (size_t p = 1; p < n_populations && status == PF_OK; p++) {
    sweep self = prepare(model, draw, theta, workspaces, n_workspaces, p);
    local = self.n_plastic > 0 && is_local(model, p);
    if (self.n_plastic == 0) {
      const pf_population_steps all = {.population = p, .last = draw->n_steps - 1};
      status = pf_population_activate(workspace, theta, &all, error);
    } else if (!local) {
      status = sweep_all(&self, FORWARD, error);
    } else {
      pf_workspace_clear_cotangents(workspace, p);
      status = sweep_local(&self, scale, values, gradient, error);
    }
  }
  if (status == PF_OK && !local) {
    status = pf_losses_evaluate(draw, theta, PF_STEP_FIT, workspace, values, error);
    if (status == PF_OK) {
      pf_workspace_clear_cotangents(workspace, n_populations);
      status = pf_losses_vjp(draw, theta, scale, workspace, gradient, error);
    }
  }
  status = status == PF_OK ? sweep_back(model, draw, theta, workspaces, n_workspaces,
                                        local ? n_populations - 1 : n_populations, gradient, error)
                           : status;
  return status == PF_OK ? pf_check_gradient(draw, model, gradient, error) : status;
}

pf_status pf_sweep_forward(const pf_model *model, const pf_draw *draw, const double *theta,
                           uint32_t run_flags, uint32_t count_flag, pf_workspace *const *workspaces,
                           size_t n_workspaces, pf_loss_value *values, pf_error *error)
{
  pf_workspace *workspace = workspaces[0];
  pf_status status = pf_simulation_begin(workspace, draw, theta, run_flags, error);
  workspace->keeps_states = false;
  workspace->n_changes = 0;
  for (int64_t r = 0; r < workspace->n_segments && status == PF_OK; r++) {
    workspace->n_changes += workspace->segments[r].changes;
  }
  for (size_t p = 1; p < model->declared.populations.count && status == PF_OK; p++) {
    sweep self = prepare(model, draw, theta, workspaces, n_workspaces, p);
    const pf_population_steps all = {.population = p, .last = draw->n_steps - 1};
    status = self.n_plastic == 0 ? pf_population_activate(workspace, theta, &all, error)
                                 : sweep_all(&self, FORWARD, error);
  }
  return status == PF_OK ? pf_losses_evaluate(draw, theta, count_flag, workspace, values, error)
                         : status;
}
