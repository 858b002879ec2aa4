/*
 * Tangents carried forward, population by population, plastic ones a block of rows at a time:
 *
 *   drive'_k(t) = W'_k pre(t) + W pre'_k(t)
 *   signal'_k   = slope(t) drive'_k(t) + what the network's own parameters do
 *   W'_k       <- W'_k + eta mask dw'_k          after a run that changes the weights; dw'_k from
 * the rule's jvp
 *
 * The units of a population do not see one another, so that slopes come from one call of the
 * network for all directions. Of the weights only those in force are kept, with their tangents.
 */
#include "core/sensitivity/sensitivity_network.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/failures.h"
#include "core/engine/population.h"
#include "core/engine/sweep.h"

#include <math.h>
#include <string.h>

enum { MAX_PLASTIC = 4, MAX_ROWS = 16 };

/* Weights and tangents of a block, with as much again for the tangents of dw: they should stay in
 * the first-level cache; directions are taken a few at a time where a single row's would leave the
 * second-level one. */
static const size_t block_bytes = (size_t)24 << 10, row_bytes = (size_t)512 << 10;

/* Tangents of drives that wait for their slopes, beside the block in that cache. */
static const size_t waiting_bytes = (size_t)12 << 10;

/** One population being swept. */
typedef struct sweep {
  const pf_tangents *all;
  const bool *wanted; /* [max_signals] of this population */
  int64_t population;
  pf_activity *post;
  size_t plastic[MAX_PLASTIC]; /* indices in model->plastic of those onto it */
  size_t n_plastic;
  const pf_segment *segments;
  int64_t n_segments;
  bool waits;      /* no rule reads its activity, so that many runs are responded to at once */
  int64_t at_most; /* steps responded to at once */
  int64_t n_active;
  int64_t rows, n_blocks, n_lanes; /* of a block; blocks; lanes that sums go into */
  int64_t at_once;                 /* directions */
  bool needs_slopes;
  const pf_tangent_losses
      *losses;       /* NULL, or: the population is the last, its losses are added block by block */
  double *lane_sums; /* [n_lanes] x sums of losses */
  size_t lane_size;
} sweep;

/** A block of rows and its memory. */
typedef struct block {
  int64_t row0, n_rows;
  pf_workspace *mine;
  struct pf_sensitivity *kept;
  pf_real *w[MAX_PLASTIC];   /* [n_rows][ldw] */
  pf_real *dot[MAX_PLASTIC]; /* [at_once][n_rows][ldw] */
  pf_real *dw_dot;           /* likewise, of the widest */
  pf_real *dw;               /* [n_rows][ldw] of the widest */
  pf_real *drive_dot;        /* [at_most][at_once][n_rows] */
  pf_planes *planes;  /* [max_signals] of its own (then row 0 is row0), or the population's */
  int64_t plane_row0; /* where in the planes its rows are */
  pf_slopes slopes;
} block;

static const pf_weights *weights_of(const sweep *self, size_t j)
{
  return &self->all->workspaces[0]->weights[self->all->model->plastic[self->plastic[j]].projection];
}

static const pf_weights *projection_onto(const sweep *self, size_t q)
{
  const pf_weights *weights = &self->all->workspaces[0]->weights[q];
  return weights->info->post == self->population ? weights : NULL;
}

/** Planes of what a projection transmits; cells NULL where that does not move. */
static const pf_planes *pre_planes(const sweep *self, const pf_weights *weights)
{
  return pf_tangents_planes(self->all, weights->info->pre, weights->info->signal);
}

static const pf_real *pre_signal(const sweep *self, const pf_weights *weights, int64_t t)
{
  const pf_activity *pre = &self->all->workspaces[0]->activity[weights->info->pre];
  return pre->signals + weights->info->signal * pre->plane_stride + t * pre->ld;
}

/** Neither state, nor units that see one another, nor projections from the step before. */
static bool forgets_each_step(const pf_model *model)
{
  const pf_projection_table *projections = &model->declared.projections;
  const pf_population_table *populations = &model->declared.populations;
  for (size_t p = 0; p < populations->count; p++) {
    const pf_population *population =
        pf_table_at(populations->items, populations->stride, populations->count, p);
    if (population->n_state > 0 || (population->flags & PF_POPULATION_COUPLED) != 0 ||
        population->signals.count > PF_MAX_SIGNALS) {
      return false;
    }
  }
  for (size_t q = 0; q < projections->count; q++) {
    const pf_projection *projection =
        pf_table_at(projections->items, projections->stride, projections->count, q);
    if (projection->when != PF_PRE_NOW || projection->pre >= projection->post ||
        model->bounds[q].lower != NULL) {
      return false;
    }
  }
  return !model->forgets;
}

bool pf_tangents_can_sweep(const pf_model *model)
{
  const pf_projection_table *projections = &model->declared.projections;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_projection *projection = pf_table_at(projections->items, projections->stride,
                                                  projections->count, (size_t)plastic->projection);
    const bool all_rows = plastic->n_ranges == 1 && plastic->ranges[0].first == 0 &&
                          plastic->ranges[0].n == plastic->n_post;
    size_t onto_same = 0;
    for (size_t o = 0; o < model->n_plastic; o++) {
      const pf_projection *other =
          pf_table_at(projections->items, projections->stride, projections->count,
                      (size_t)model->plastic[o].projection);
      onto_same += other->post == projection->post ? 1 : 0;
    }
    if ((projection->flags & PF_PROJECTION_ROW_SEPARABLE) == 0 || onto_same > MAX_PLASTIC ||
        !all_rows || plastic->declared.traces.count > 0) {
      return false;
    }
  }
  return forgets_each_step(model);
}

/* ---- memory ---- */

/** Memory handed out piece by piece; base NULL: only counted. */
typedef struct arena {
  pf_real *base;
  size_t used;
} arena;

static pf_real *take(arena *from, size_t cells)
{
  const size_t line = PF_CACHE_LINE / sizeof(pf_real);
  pf_real *taken = from->base == NULL ? NULL : from->base + from->used;
  from->used += (cells + line - 1) / line * line;
  return taken;
}

/** Room for one block in this thread's memory. Returns cells. */
static size_t lay_out(const sweep *self, block *at, pf_real *base)
{
  arena from = {.base = base};
  size_t widest = 0;
  for (size_t j = 0; j < self->n_plastic; j++) {
    const size_t cells = (size_t)(self->rows * weights_of(self, j)->ldw);
    at->w[j] = take(&from, cells);
    at->dot[j] = take(&from, cells * (size_t)self->at_once);
    widest = cells > widest ? cells : widest;
  }
  at->dw_dot = take(&from, widest * (size_t)self->at_once);
  at->dw = take(&from, widest);
  at->drive_dot = take(&from, (size_t)(self->at_most * self->at_once * self->rows));
  for (size_t s = 0; s < self->all->max_signals && self->losses != NULL; s++) {
    at->planes[s] = (pf_planes){.n_active = self->n_active, .ld = at->n_rows};
    if (self->wanted[s]) {
      at->planes[s].cells =
          take(&from, (size_t)(self->all->draw->n_steps * self->n_active * self->rows));
    }
  }
  return from.used;
}

/* ---- through the runs ---- */

/** What a rule sees of the block at step t. */
static pf_block rule_block(const sweep *self, const block *at, size_t j, int64_t t)
{
  const pf_weights *weights = weights_of(self, j);
  const pf_plastic *plastic = weights->plastic;
  const pf_draw *draw = self->all->draw;
  return (pf_block){.size = sizeof(pf_block),
                    .flags = draw->flags[t],
                    .n_rows = at->n_rows,
                    .n_pre = weights->n_pre,
                    .row0 = at->row0,
                    .theta = self->all->theta + plastic->theta0,
                    .pre = pre_signal(self, weights, t),
                    .post = self->post->signals + t * self->post->ld + at->row0,
                    .w = at->w[j],
                    .modulator = draw->modulators[self->plastic[j]] +
                                 t * (int64_t)plastic->declared.modulators.count,
                    .ld_pre = self->all->workspaces[0]->activity[weights->info->pre].plane_stride,
                    .ld_post = self->post->plane_stride,
                    .ldw = weights->ldw,
                    .dt = draw->recording->dt == NULL ? 0.0 : draw->recording->dt[t]};
}

/** The block's rows of projection q: those in force of a plastic one, the fixed ones otherwise. */
static const pf_real *rows_of(const sweep *self, const block *at, const pf_weights *weights)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    if (weights == weights_of(self, j)) {
      return at->w[j];
    }
  }
  return weights->states + at->row0 * weights->ldw;
}

/** The block's drive over a run. */
static void drive_rows(const sweep *self, const block *at, const pf_segment *run)
{
  const pf_model *model = self->all->model;
  bool add = false;
  for (size_t q = 0; q < model->declared.projections.count; q++) {
    const pf_weights *weights = projection_onto(self, q);
    if (weights != NULL) {
      self->all->workspaces[0]->kernels->drive(
          run->end - run->first + 1, at->n_rows, weights->n_pre, rows_of(self, at, weights),
          weights->ldw, pre_signal(self, weights, run->first),
          self->all->workspaces[0]->activity[weights->info->pre].ld,
          self->post->drive + run->first * self->post->ld + at->row0, self->post->ld, add);
      add = true;
    }
  }
}

/** W pre' of one projection, added to `to`. */
static void pass_tangents(const sweep *self, const block *at, const pf_weights *weights,
                          const pf_segment *run, int64_t k0, int64_t n_k, pf_real *to)
{
  const pf_kernels *kernels = self->all->workspaces[0]->kernels;
  const pf_planes *pre = pre_planes(self, weights);
  const int64_t n_steps = run->end - run->first + 1;
  if (pre->cells == NULL || pre->n_active <= k0) {
    return;
  }
  if (k0 == 0 && pre->n_active == n_k) { /* planes of steps follow one another */
    kernels->drive(n_steps * n_k, at->n_rows, weights->n_pre, rows_of(self, at, weights),
                   weights->ldw, pf_planes_at(pre, run->first, 0), pre->ld, to, at->n_rows, true);
    return;
  }
  const int64_t moving = pre->n_active - k0 < n_k ? pre->n_active - k0 : n_k;
  for (int64_t t = 0; t < n_steps; t++) {
    kernels->drive(moving, at->n_rows, weights->n_pre, rows_of(self, at, weights), weights->ldw,
                   pf_planes_at(pre, run->first + t, k0), pre->ld, to + t * n_k * at->n_rows,
                   at->n_rows, true);
  }
}

/** Tangents of the block's drive over a run, directions [k0, k0 + n_k), into `to`
 * [n_steps][n_k][n_rows]. */
static void drive_tangents(const sweep *self, const block *at, const pf_segment *run, int64_t k0,
                           int64_t n_k, pf_real *to)
{
  const pf_kernels *kernels = self->all->workspaces[0]->kernels;
  const pf_activity *activity = self->all->workspaces[0]->activity;
  const int64_t n_steps = run->end - run->first + 1, ld = n_k * at->n_rows;
  const int64_t starting = self->all->n_network - k0 < n_k ? self->all->n_network - k0 : n_k;
  if (self->n_plastic == 0) {
    memset(to, 0, (size_t)(n_steps * ld) * sizeof(pf_real));
  }
  for (size_t j = 0; j < self->n_plastic; j++) { /* W' pre: planes of rows are rows */
    const pf_weights *weights = weights_of(self, j);
    kernels->drive(n_steps, ld, weights->n_pre, at->dot[j], weights->ldw,
                   pre_signal(self, weights, run->first), activity[weights->info->pre].ld, to, ld,
                   j > 0);
  }
  for (size_t q = 0; q < self->all->model->declared.projections.count; q++) {
    const pf_weights *weights = projection_onto(self, q);
    if (weights == NULL) {
      continue;
    }
    pass_tangents(self, at, weights, run, k0, n_k, to);
    for (int64_t k = 0; k < starting && weights->plastic == NULL;
         k++) { /* W' of a projection that stays as it starts */
      const pf_real *w = pf_tangents_initial(self->all, q, k0 + k);
      if (w != NULL) {
        kernels->drive(n_steps, at->n_rows, weights->n_pre, w + at->row0 * weights->ldw,
                       weights->ldw, pre_signal(self, weights, run->first),
                       activity[weights->info->pre].ld, to + k * at->n_rows, ld, true);
      }
    }
  }
}

/** Tangents of the signals from those of the drive, of n_steps from `first` on. */
static void signal_tangents(const sweep *self, const block *at, int64_t first, int64_t n_steps,
                            int64_t k0, int64_t n_k)
{
  for (size_t s = 0; s < self->all->max_signals; s++) {
    const pf_planes *planes = &at->planes[s];
    if (planes->cells != NULL) {
      self->all->workspaces[0]->kernels->slope(n_steps, n_k, at->n_rows, at->slopes.slope[s],
                                               at->drive_dot,
                                               pf_planes_at(planes, first, k0) + at->plane_row0,
                                               planes->ld, planes->n_active * planes->ld);
    }
  }
}

/** What the network's own parameters do to the signals, added. */
static pf_status add_direct(const sweep *self, const block *at, const pf_units *in,
                            const pf_response *value, int64_t first, int64_t k0, int64_t n_k,
                            pf_error *error)
{
  pf_status status = PF_OK;
  for (int64_t k = k0; k < k0 + n_k && k < self->all->n_network && status == PF_OK; k++) {
    pf_real *direct = NULL;
    status = pf_tangents_direct(self->all, at->kept, in, value, k, &direct, error);
    for (size_t s = 0; s < self->all->max_signals && status == PF_OK; s++) {
      const pf_planes *planes = &at->planes[s];
      for (int64_t t = 0; t < in->n_steps && planes->cells != NULL; t++) {
        const pf_real *from = direct + ((int64_t)s * in->n_steps + t) * in->n_rows;
        pf_real *to = pf_planes_at(planes, first + t, k) + at->plane_row0;
        for (int64_t i = 0; i < in->n_rows; i++) {
          to[i] += from[i];
        }
      }
    }
  }
  return status;
}

/** dw' of directions [k0, k0 + n_k) of which the presynaptic tangents are in `pre` (NULL: none),
 * into at->dw_dot. */
static pf_status rule_tangents(const sweep *self, const block *at, size_t j, const pf_block *in,
                               int64_t t, int64_t k0, int64_t from, int64_t n_k,
                               const pf_planes *pre, pf_error *error)
{
  const pf_weights *weights = weights_of(self, j);
  const pf_plastic *plastic = weights->plastic;
  const pf_rule_ops *ops = plastic->rule->plugin->rule;
  const size_t p = self->plastic[j];
  const int64_t stride = at->n_rows * weights->ldw, k = k0 + from;
  const pf_planes *post = &at->planes[0];
  const pf_rule_tangent tangent = {
      .size = sizeof tangent,
      .n_tangents = n_k,
      .theta = self->all->rule_theta + self->all->rule_at[p] +
               (size_t)k * plastic->declared.parameters.count,
      .theta_unit = self->all->is_unit[p] ? self->all->unit + p * self->all->n + (size_t)k : NULL,
      .pre = pre == NULL ? NULL : pf_planes_at(pre, t, k),
      .post = post->cells == NULL ? NULL : pf_planes_at(post, t, k) + at->plane_row0,
      .w = at->dot[j] + from * stride,
      .pre_stride = pre == NULL ? 0 : pre->ld,
      .post_stride = post->ld,
      .w_stride = stride,
      .ldw = weights->ldw,
      .dw = at->dw_dot + from * stride,
      .dw_stride = stride,
      .lddw = weights->ldw};
  if (PF_HAS(ops, pf_rule_ops, jvp) && ops->jvp != NULL) {
    return ops->jvp(plastic->rule->self, in, &tangent, error);
  }
  pf_tangents_note(self->all, PF_TANGENT_RULE_DIFFERENCES);
  const pf_rule_difference difference = {
      .rule = plastic->rule, .declared = &plastic->declared, .pool = &at->kept->rule};
  return pf_rule_jvp_by_differences(&difference, in, &tangent, error);
}

/** W' and then W after the run that ends at t. */
static pf_status change(const sweep *self, const block *at, size_t j, int64_t t, int64_t k0,
                        int64_t n_k, pf_error *error)
{
  const pf_kernels *kernels = self->all->workspaces[0]->kernels;
  const pf_weights *weights = weights_of(self, j);
  const pf_component *rule = weights->plastic->rule;
  const pf_rule_ops *ops = rule->plugin->rule;
  const pf_block in = rule_block(self, at, j, t);
  const pf_update update = {.size = sizeof update,
                            .eta = weights->plastic->eta,
                            .mask = weights->mask == NULL ? NULL
                                                          : weights->mask + at->row0 * weights->ldw,
                            .ldm = weights->ldw};
  const pf_planes *pre = pre_planes(self, weights);
  const int64_t with_pre = pre->cells == NULL || pre->n_active <= k0 ? 0
                           : pre->n_active - k0 < n_k                ? pre->n_active - k0
                                                                     : n_k;
  pf_status status = PF_OK;
  if (with_pre > 0) {
    status = rule_tangents(self, at, j, &in, t, k0, 0, with_pre, pre, error);
  }
  if (status == PF_OK && with_pre < n_k) {
    status = rule_tangents(self, at, j, &in, t, k0, with_pre, n_k - with_pre, NULL, error);
  }
  if (status != PF_OK) {
    return status;
  }
  const int64_t stride = at->n_rows * weights->ldw;
  if (update.mask == NULL) { /* one long block */
    kernels->update(n_k * at->n_rows, weights->n_pre, &update, at->dw_dot, weights->ldw, at->dot[j],
                    at->dot[j], weights->ldw);
  }
  for (int64_t k = 0; k < n_k && update.mask != NULL; k++) {
    kernels->update(at->n_rows, weights->n_pre, &update, at->dw_dot + k * stride, weights->ldw,
                    at->dot[j] + k * stride, at->dot[j] + k * stride, weights->ldw);
  }
  if (PF_HAS(ops, pf_rule_ops, step) && ops->step != NULL) {
    return ops->step(rule->self, &in, &update, at->w[j], weights->ldw, error);
  }
  status = ops->forward(rule->self, &in, at->dw, weights->ldw, error);
  if (status == PF_OK) {
    kernels->update(at->n_rows, weights->n_pre, &update, at->dw, weights->ldw, at->w[j], at->w[j],
                    weights->ldw);
  }
  return status;
}

static void start(const sweep *self, const block *at, int64_t k0, int64_t n_k)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    const pf_weights *weights = weights_of(self, j);
    const size_t cells = (size_t)(at->n_rows * weights->ldw);
    memcpy(at->w[j], weights->states + at->row0 * weights->ldw, cells * sizeof(pf_real));
    memset(at->dot[j], 0, cells * (size_t)n_k * sizeof(pf_real));
    for (int64_t k = 0; k < n_k && k0 + k < self->all->n_network; k++) {
      const size_t q = (size_t)self->all->model->plastic[self->plastic[j]].projection;
      const pf_real *from = pf_tangents_initial(self->all, q, k0 + k);
      if (from != NULL) {
        memcpy(at->dot[j] + (size_t)k * cells, from + at->row0 * weights->ldw,
               cells * sizeof(pf_real));
      }
    }
  }
}

/** Signals, and their tangents, of n_steps from `first` on, whose drives are there. */
static pf_status activate(const sweep *self, block *at, int64_t first, int64_t n_steps, int64_t k0,
                          int64_t n_k, pf_error *error)
{
  const pf_model *model = self->all->model;
  const pf_component *network = model->network;
  pf_activity *post = self->post;
  const int64_t offset = first * post->ld + at->row0;
  const pf_units in = {.size = sizeof in,
                       .population = self->population,
                       .row0 = at->row0,
                       .n_rows = at->n_rows,
                       .n_steps = n_steps,
                       .theta = self->all->theta + model->network_theta0,
                       .drive = post->drive + offset,
                       .ld_drive = post->ld};
  const pf_response value = {.size = sizeof value,
                             .signals = post->signals + offset,
                             .signal_stride = post->plane_stride,
                             .ld_signal = post->ld};
  pf_status status = network->plugin->network->activate(network->self, &in, &value, error);
  if (status != PF_OK || n_k == 0) {
    return status;
  }
  status = pf_slopes_make(self->all, &at->slopes, &in, &value, error);
  if (status == PF_OK) {
    signal_tangents(self, at, first, n_steps, k0, n_k);
    status = add_direct(self, at, &in, &value, first, k0, n_k, error);
  }
  return status;
}

/** Directions [k0, k0 + n_k) through all runs. */
static pf_status advance(const sweep *self, block *at, int64_t k0, int64_t n_k, pf_error *error)
{
  pf_status status = PF_OK;
  int64_t first = 0; /* step from which on drives have no response yet */
  start(self, at, k0, n_k);
  for (int64_t r = 0; r < self->n_segments && status == PF_OK; r++) {
    const pf_segment *run = &self->segments[r];
    const bool now = !self->waits || r + 1 == self->n_segments ||
                     self->segments[r + 1].end + 1 - first > self->at_most;
    drive_rows(self, at, run);
    if (n_k > 0) {
      drive_tangents(self, at, run, k0, n_k,
                     at->drive_dot + (run->first - first) * n_k * at->n_rows);
    }
    if (now) {
      status = activate(self, at, first, run->end + 1 - first, k0, n_k, error);
      first = run->end + 1;
    }
    for (size_t j = 0; j < self->n_plastic && run->changes != 0 && status == PF_OK; j++) {
      status = change(self, at, j, run->end, k0, n_k, error);
    }
    if (status != PF_OK) {
      pf_error_at_step(error, self->all->draw->recording->name, run->end);
    }
  }
  return status;
}

/** A weight that overflowed stays so. No words yet: the caller finds them, when no other block is
 * under way. */
static pf_status check_finite(const sweep *self, const block *at)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    if (!pf_all_finite(at->w[j], (size_t)(at->n_rows * weights_of(self, j)->ldw))) {
      return PF_POINT_FAILED;
    }
  }
  return PF_OK;
}

/* ---- blocks ---- */

static pf_loss_sums sums_of_lane(const sweep *self, int64_t lane)
{
  const size_t n = self->all->n;
  double *at = self->lane_sums + (size_t)lane * self->lane_size;
  return (pf_loss_sums){.gradient = at,
                        .information = self->losses->sums.information == NULL ? NULL : at + n,
                        .step_scores =
                            self->losses->sums.step_scores == NULL
                                ? NULL
                                : at + n + (self->losses->sums.information == NULL ? 0 : n * n)};
}

static pf_status sweep_block(const sweep *self, pf_workspace *mine, int64_t lane, int64_t index,
                             pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(mine, error);
  if (kept == NULL) {
    return PF_STOP;
  }
  block at = {.row0 = index * self->rows, .mine = mine, .kept = kept};
  at.n_rows = self->post->n - at.row0 < self->rows ? self->post->n - at.row0 : self->rows;
  pf_planes own[PF_MAX_SIGNALS];
  at.planes = self->losses != NULL ? own : pf_tangents_planes(self->all, self->population, 0);
  at.plane_row0 = self->losses != NULL ? 0 : at.row0;
  pf_real *memory = pf_pool_need(&kept->block, lay_out(self, &at, NULL), sizeof *memory, error);
  pf_status status = memory == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    (void)lay_out(self, &at, memory);
    status = pf_slopes_reserve(self->all, kept, self->post->info->signals.count, self->at_most,
                               at.n_rows, at.planes, &at.slopes, error);
  }
  int64_t k0 = 0;
  do { /* once at least: activities are wanted even where nothing moves */
    const int64_t n_k = self->n_active - k0 < self->at_once ? self->n_active - k0 : self->at_once;
    status = status == PF_OK ? advance(self, &at, k0, n_k, error) : status;
    k0 += n_k;
  } while (k0 < self->n_active && status == PF_OK);
  status = status == PF_OK ? check_finite(self, &at) : status;
  if (status == PF_OK && self->losses != NULL) {
    const pf_loss_part part = {
        .population = self->population, .row0 = at.row0, .n_rows = at.n_rows, .planes = at.planes};
    const pf_loss_sums sums = sums_of_lane(self, lane);
    status = pf_tangents_losses(self->all, self->losses->scale, &part, mine, &sums, error);
  }
  return status;
}

static pf_status sweep_lane(const sweep *self, pf_workspace *mine, int64_t lane, pf_error *error)
{
  pf_status status = PF_OK;
  for (int64_t b = lane * self->n_blocks / self->n_lanes;
       b < (lane + 1) * self->n_blocks / self->n_lanes && status == PF_OK; b++) {
    status = sweep_block(self, mine, lane, b, error);
  }
  return status;
}

static pf_status sweep_blocks(const sweep *self, pf_error *error)
{
  pf_status statuses[PF_MAX_LANES] = {0};
  pf_error errors[PF_MAX_LANES];
  const pf_tangents *all = self->all;
  if (self->n_lanes <= 1) {
    return self->n_lanes == 0 ? PF_OK : sweep_lane(self, all->workspaces[0], 0, error);
  }
#pragma omp parallel for schedule(dynamic) \
    num_threads((int)all->n_workspaces) if (all->n_workspaces > 1)
  for (int64_t lane = 0; lane < self->n_lanes; lane++) {
    errors[lane] = pf_error_none();
    statuses[lane] = sweep_lane(self, all->workspaces[all->n_workspaces > 1 ? pf_this_thread() : 0],
                                lane, &errors[lane]);
  }
  for (int64_t lane = 0; lane < self->n_lanes; lane++) {
    if (statuses[lane] != PF_OK) { /* the first lane's, whichever thread met one first */
      return pf_fail_key(error, statuses[lane], errors[lane].key, "%s", errors[lane].text);
    }
  }
  return PF_OK;
}

/** Blocks from sizes alone: rows whose weights and tangents stay in cache together. */
static void plan(sweep *self)
{
  size_t row = 0;
  for (size_t j = 0; j < self->n_plastic; j++) {
    row += (size_t)weights_of(self, j)->ldw * sizeof(pf_real);
  }
  self->at_once = self->n_active;
  if (row * (size_t)(1 + 2 * self->n_active) > row_bytes) {
    const size_t fit = row_bytes / row / 2;
    self->at_once = (int64_t)(fit < 8 ? 8 : fit);
    self->at_once = self->at_once < self->n_active ? self->at_once : self->n_active;
  }
  self->rows = self->post->n < MAX_ROWS ? self->post->n : MAX_ROWS;
  while (self->rows > 1 && row * (size_t)(self->rows * (1 + 2 * self->at_once)) > block_bytes) {
    self->rows = (self->rows + 1) / 2;
  }
  self->n_blocks = self->rows > 0 ? (self->post->n + self->rows - 1) / self->rows : 0;
  self->n_lanes = self->n_blocks < PF_MAX_LANES ? self->n_blocks : PF_MAX_LANES;
  const size_t step =
      (size_t)(self->rows * (self->at_once > 0 ? self->at_once : 1)) * sizeof(pf_real);
  const int64_t waiting = step > 0 ? (int64_t)(waiting_bytes / step) : 0;
  self->at_most = self->waits && waiting > self->at_most ? waiting : self->at_most;
}

static sweep prepare(const pf_tangents *all, const bool *wanted, int64_t p)
{
  pf_workspace *workspace = all->workspaces[0];
  sweep self = {.all = all,
                .wanted = wanted + (size_t)p * all->max_signals,
                .population = p,
                .post = &workspace->activity[p],
                .segments = workspace->segments,
                .n_segments = workspace->n_segments,
                .waits = true,
                .n_active = pf_tangents_n_active(all, p)};
  for (size_t k = 0; k < all->model->n_plastic; k++) {
    const uint32_t reads = all->model->plastic[k].declared.reads;
    if (workspace->weights[all->model->plastic[k].projection].info->post == p) {
      self.plastic[self.n_plastic++] = k;
      self.waits = self.waits && reads != 0 && (reads & PF_READS_POST) == 0;
    }
  }
  for (int64_t r = 0; r < self.n_segments; r++) {
    const int64_t steps = self.segments[r].end - self.segments[r].first + 1;
    self.at_most = steps > self.at_most ? steps : self.at_most;
  }
  if (self.n_plastic > 0) {
    plan(&self);
  }
  return self;
}

/** A population none of whose weights change: one run over all steps, all rows, a few directions at
 * a time. */
static pf_status pass_on(const pf_tangents *all, const bool *wanted, int64_t p, pf_error *error)
{
  const pf_segment whole = {.first = 0, .end = (int32_t)(all->draw->n_steps - 1), .changes = 0};
  sweep self = prepare(all, wanted, p);
  self.segments = &whole;
  self.n_segments = all->draw->n_steps > 0 ? 1 : 0;
  self.at_most = all->draw->n_steps;
  self.rows = self.post->n;
  self.n_blocks = self.n_lanes = 1;
  self.at_once = self.n_active;
  return sweep_block(&self, all->workspaces[0], 0, 0, error);
}

/* ---- losses within a block ---- */

/** As in the gradient's sweep: every loss a sum over units of the last population, whose weights
 * are plastic. */
static bool is_local(const pf_model *model, int64_t p, size_t n_plastic)
{
  const pf_observable_table *table = &model->declared.observables;
  bool local = n_plastic > 0 && p + 1 == (int64_t)model->declared.populations.count;
  for (size_t k = 0; k < model->n_losses && local; k++) {
    const pf_loss_term *term = &model->losses[k];
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)term->observables[0]);
    local = (term->declared.flags & PF_LOSS_SEPARABLE_BY_UNIT) != 0 &&
            term->declared.observables.count == 1 && term->declared.targets.count == 1 &&
            term->declared.parameters.count == 0 && info->population == p;
  }
  return local;
}

static pf_status sweep_local(sweep *self, const pf_tangent_losses *losses, pf_error *error)
{
  const size_t n = self->all->n, n_steps = (size_t)self->all->draw->n_steps;
  struct pf_sensitivity *kept = pf_sensitivity_of(self->all->workspaces[0], error);
  self->losses = losses;
  self->lane_size = n + (losses->sums.information == NULL ? 0 : n * n) +
                    (losses->sums.step_scores == NULL ? 0 : n_steps * n);
  const size_t all_lanes = self->lane_size * (size_t)self->n_lanes;
  self->lane_sums =
      kept == NULL ? NULL : pf_pool_need(&kept->lanes, all_lanes, sizeof(double), error);
  if (self->lane_sums == NULL) {
    return PF_STOP;
  }
  memset(self->lane_sums, 0, all_lanes * sizeof(double));
  pf_losses_mark_scored(self->all->workspaces[0], self->all->draw, PF_STEP_FIT);
  const pf_status status = sweep_blocks(self, error);
  for (int64_t lane = 0; lane < self->n_lanes && status == PF_OK; lane++) { /* in order */
    const pf_loss_sums sums = sums_of_lane(self, lane);
    for (size_t i = 0; i < n; i++) {
      losses->sums.gradient[i] += sums.gradient[i];
    }
    for (size_t i = 0; i < n * n && sums.information != NULL; i++) {
      losses->sums.information[i] += sums.information[i];
    }
    for (size_t i = 0; i < n_steps * n && sums.step_scores != NULL; i++) {
      losses->sums.step_scores[i] += sums.step_scores[i];
    }
  }
  return status;
}

pf_status pf_tangents_sweep(pf_tangents *self, const bool *wanted, const pf_tangent_losses *losses,
                            bool *done, pf_error *error)
{
  pf_workspace *workspace = self->workspaces[0];
  const int64_t n_populations = (int64_t)self->model->declared.populations.count,
                last = n_populations - 1;
  *done = losses != NULL && is_local(self->model, last, prepare(self, wanted, last).n_plastic);
  pf_status status = pf_tangents_make_planes(self, wanted, *done ? last : n_populations, error);
  status = status == PF_OK ? pf_tangents_make_initial(self, error) : status;
  for (int64_t p = 1; p < n_populations && status == PF_OK; p++) {
    sweep at = prepare(self, wanted, p);
    if (*done && p == last) {
      status = sweep_local(&at, losses, error);
    } else if (at.n_plastic > 0) {
      status = sweep_blocks(&at, error);
    } else if (at.n_active > 0) {
      status = pass_on(self, wanted, p, error);
    } else {
      const pf_population_steps all = {.population = (size_t)p, .last = self->draw->n_steps - 1};
      status = pf_population_activate(workspace, self->theta, &all, error);
    }
  }
  return status;
}
