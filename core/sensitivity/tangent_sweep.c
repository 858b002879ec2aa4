#include "core/sensitivity/tangent_sweep.h"

#include "core/base/threads.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/sweep.h"
#include "core/model/modulation.h"
#include "core/sensitivity/network_tangents.h"
#include "core/state/failures.h"
#include "core/state/population.h"
#include "core/state/rule_slopes.h"
#include "core/state/seen.h"

#include <math.h>
#include <string.h>

enum { MAX_PLASTIC = 4, MAX_ROWS = 16 };

/* Weights and tangents of a block, with as much again for the tangents of dw: they should stay in
 * the first-level cache; directions are taken a few at a time where a single row's would leave the
 * second-level one. */
static const size_t block_bytes = (size_t)24 << 10, most_row_bytes = (size_t)512 << 10;

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
  bool waits;       /* no rule reads its activity: many segments are activated at once */
  int64_t at_most;  /* steps activated at once */
  int64_t n_active; /* directions that move it */
  int64_t rows, n_blocks, n_lanes; /* of a block; blocks; lanes that sums go into */
  int64_t at_once;                 /* directions */
  const pf_tangent_losses *losses; /* of the last population: added block by block; else NULL */
  double *lane_sums;               /* [n_lanes] x sums of losses */
  size_t lane_size;
} sweep;

/** A block of rows and its memory. */
typedef struct block {
  int64_t row0, n_rows;
  pf_workspace *mine;
  pf_sensitivity *kept;      /* of `mine` */
  pf_real *w[MAX_PLASTIC];   /* [n_rows][ldw] */
  pf_real *dot[MAX_PLASTIC]; /* [at_once][n_rows][ldw] */
  pf_real *dw_dot;           /* likewise, of the widest */
  pf_real *dw;               /* [n_rows][ldw] of the widest */
  pf_real *drive_dot;        /* [at_most][at_once][n_rows] */
  pf_planes *planes;  /* [max_signals] of its own (then row 0 is row0), or the population's */
  int64_t plane_row0; /* where in the planes its rows are */
  pf_slopes slopes;
  int64_t k0, n_k; /* directions at hand: [k0, k0 + n_k) */
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
  for (size_t p = 0; p < model->n_populations; p++) {
    const pf_population *population = pf_population_of(model, p);
    if (population->n_state > 0 || (population->flags & PF_POPULATION_COUPLED) != 0 ||
        population->signals.count > PF_MAX_SIGNALS) {
      return false;
    }
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = pf_projection_of(model, q);
    if (projection->when != PF_PRE_NOW || projection->pre >= projection->post ||
        model->bounds[q].lower != NULL) {
      return false;
    }
  }
  return !model->forgets;
}

bool pf_tangents_can_sweep(const pf_model *model)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_projection *projection = pf_projection_of(model, (size_t)plastic->projection);
    const bool all_rows = plastic->n_ranges == 1 && plastic->ranges[0].first == 0 &&
                          plastic->ranges[0].n == plastic->n_post;
    size_t n_onto_same = 0;
    for (size_t o = 0; o < model->n_plastic; o++) {
      const size_t other = (size_t)model->plastic[o].projection;
      n_onto_same += pf_projection_of(model, other)->post == projection->post ? 1 : 0;
    }
    if ((projection->flags & PF_PROJECTION_ROW_SEPARABLE) == 0 || n_onto_same > MAX_PLASTIC ||
        !all_rows || plastic->declared.traces.count > 0 ||
        (plastic->post.n > 0 && !pf_seen_is_data(&plastic->post)) || plastic->pre.n > 0 ||
        plastic->modulation.n_post > 0) {
      return false;
    }
  }
  return forgets_each_step(model);
}

/* ---- memory ---- */

static pf_real *take_cells(pf_arena *arena, size_t cells)
{
  return pf_arena_take(arena, cells, sizeof(pf_real));
}

/** Room for one block in this thread's memory. */
static void place_block(const sweep *self, block *at, pf_arena *arena)
{
  size_t widest = 0;
  for (size_t j = 0; j < self->n_plastic; j++) {
    const size_t cells = (size_t)(self->rows * weights_of(self, j)->ldw);
    at->w[j] = take_cells(arena, cells);
    at->dot[j] = take_cells(arena, cells * (size_t)self->at_once);
    widest = cells > widest ? cells : widest;
  }
  at->dw_dot = take_cells(arena, widest * (size_t)self->at_once);
  at->dw = take_cells(arena, widest);
  at->drive_dot = take_cells(arena, (size_t)(self->at_most * self->at_once * self->rows));
  for (size_t s = 0; s < self->all->max_signals && self->losses != NULL; s++) {
    at->planes[s] = (pf_planes){.n_active = self->n_active, .ld = at->n_rows};
    if (self->wanted[s]) {
      at->planes[s].cells =
          take_cells(arena, (size_t)(self->all->draw->n_steps * self->n_active * self->rows));
    }
  }
}

static pf_status make_block(const sweep *self, block *at, pf_error *error)
{
  pf_arena arena = {NULL, 0};
  place_block(self, at, &arena);
  arena = (pf_arena){pf_pool_need(&at->kept->block, arena.used, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  place_block(self, at, &arena);
  return pf_slopes_reserve(&at->kept->slopes, self->post->info->signals.count,
                           (size_t)(self->at_most * at->n_rows), at->planes, &at->slopes, error);
}

/* ---- through the segments ---- */

/** What rule p sees of the block's units at step t: their activity, or their choice. */
static const pf_real *post_signal(const sweep *self, const block *at, size_t p, int64_t t)
{
  const pf_plastic *plastic = &self->all->model->plastic[p];
  if (plastic->post.n == 0) {
    return self->post->signals + t * self->post->ld + at->row0;
  }
  return self->all->draw->seen[p].post + (size_t)t * pf_seen_cells(&plastic->post) + at->row0;
}

/** Synapses of the block that have the same modulators. */
typedef struct block_part {
  size_t p;               /* of plastic->parts */
  pf_range rows, columns; /* rows from the block's first on */
  int64_t cell;           /* its first, of a matrix of the block */
} block_part;

/** Part p of a rule; false: no row of the block is of it. */
static bool take_part(const block *at, const pf_weights *weights, size_t p, block_part *out)
{
  const pf_part *part = &weights->plastic->parts[p];
  const int64_t end = at->row0 + at->n_rows, part_end = part->rows.first + part->rows.n;
  const int64_t first = part->rows.first > at->row0 ? part->rows.first : at->row0;
  const int64_t last = part_end < end ? part_end : end;
  *out = (block_part){p,
                      {first - at->row0, last - first},
                      part->columns,
                      (first - at->row0) * weights->ldw + part->columns.first};
  return last > first;
}

/** What a rule sees of a part of the block at step t. */
static pf_block rule_block(const sweep *self, const block *at, size_t j, const block_part *part,
                           int64_t t)
{
  const pf_weights *weights = weights_of(self, j);
  const pf_plastic *plastic = weights->plastic;
  const pf_draw *draw = self->all->draw;
  const pf_real *modulators =
      draw->modulators[self->plastic[j]] + (size_t)t * pf_modulation_cells(plastic);
  return (pf_block){.size = sizeof(pf_block),
                    .flags = draw->flags[t],
                    .n_rows = part->rows.n,
                    .n_pre = part->columns.n,
                    .row0 = at->row0 + part->rows.first,
                    .theta = self->all->theta + plastic->theta0,
                    .pre = pre_signal(self, weights, t) + part->columns.first,
                    .post = post_signal(self, at, self->plastic[j], t) + part->rows.first,
                    .w = at->w[j] + part->cell,
                    .modulator = pf_modulation_part(plastic, modulators, part->p),
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

/** The block's drive over a segment. */
static void drive_rows(const sweep *self, const block *at, const pf_segment *segment)
{
  const pf_model *model = self->all->model;
  bool add = false;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = projection_onto(self, q);
    if (weights != NULL) {
      self->all->workspaces[0]->kernels->drive(
          segment->end - segment->first + 1, at->n_rows, weights->n_pre, rows_of(self, at, weights),
          weights->ldw, pre_signal(self, weights, segment->first),
          self->all->workspaces[0]->activity[weights->info->pre].ld,
          self->post->drive + segment->first * self->post->ld + at->row0, self->post->ld, add);
      add = true;
    }
  }
}

/** How many of the directions at hand are among the first `n`. */
static int64_t count_below(const block *at, int64_t n)
{
  const int64_t rest = n > at->k0 ? n - at->k0 : 0;
  return rest < at->n_k ? rest : at->n_k;
}

/** W pre' of one projection, added to `to`. */
static void pass_tangents(const sweep *self, const block *at, const pf_weights *weights,
                          const pf_segment *segment, pf_real *to)
{
  const pf_kernels *kernels = self->all->workspaces[0]->kernels;
  const pf_planes *pre = pre_planes(self, weights);
  const pf_real *rows = rows_of(self, at, weights);
  const int64_t n_steps = segment->end - segment->first + 1;
  const int64_t moving = pre->cells == NULL ? 0 : count_below(at, pre->n_active);
  if (moving == 0) {
    return;
  }
  if (at->k0 == 0 && pre->n_active == at->n_k) { /* planes of steps follow one another */
    kernels->drive(n_steps * at->n_k, at->n_rows, weights->n_pre, rows, weights->ldw,
                   pf_planes_at(pre, segment->first, 0), pre->ld, to, at->n_rows, true);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    kernels->drive(moving, at->n_rows, weights->n_pre, rows, weights->ldw,
                   pf_planes_at(pre, segment->first + t, at->k0), pre->ld,
                   to + t * at->n_k * at->n_rows, at->n_rows, true);
  }
}

/** W' pre of a projection that stays as it starts, added to `to`. */
static void pass_starts(const sweep *self, const block *at, size_t q, const pf_segment *segment,
                        pf_real *to)
{
  const pf_workspace *workspace = self->all->workspaces[0];
  const pf_weights *weights = &workspace->weights[q];
  const int64_t n_steps = segment->end - segment->first + 1;
  for (int64_t k = 0; k < count_below(at, self->all->n_network); k++) {
    const pf_real *w = pf_tangents_initial(self->all, q, at->k0 + k);
    if (w != NULL) {
      workspace->kernels->drive(n_steps, at->n_rows, weights->n_pre, w + at->row0 * weights->ldw,
                                weights->ldw, pre_signal(self, weights, segment->first),
                                workspace->activity[weights->info->pre].ld, to + k * at->n_rows,
                                at->n_k * at->n_rows, true);
    }
  }
}

/** Tangents of the block's drive over a segment, of the directions at hand, into `to`
 * [n_steps][n_k][n_rows]. */
static void drive_tangents(const sweep *self, const block *at, const pf_segment *segment,
                           pf_real *to)
{
  const pf_workspace *workspace = self->all->workspaces[0];
  const int64_t n_steps = segment->end - segment->first + 1, ld = at->n_k * at->n_rows;
  if (self->n_plastic == 0) {
    memset(to, 0, (size_t)(n_steps * ld) * sizeof(pf_real));
  }
  for (size_t j = 0; j < self->n_plastic; j++) { /* W' pre: planes of rows are rows */
    const pf_weights *weights = weights_of(self, j);
    workspace->kernels->drive(n_steps, ld, weights->n_pre, at->dot[j], weights->ldw,
                              pre_signal(self, weights, segment->first),
                              workspace->activity[weights->info->pre].ld, to, ld, j > 0);
  }
  for (size_t q = 0; q < self->all->model->n_projections; q++) {
    const pf_weights *weights = projection_onto(self, q);
    if (weights == NULL) {
      continue;
    }
    pass_tangents(self, at, weights, segment, to);
    if (weights->plastic == NULL) {
      pass_starts(self, at, q, segment, to);
    }
  }
}

/** Tangents of the signals from those of the drive, of n_steps from `first` on. */
static void signal_tangents(const sweep *self, const block *at, int64_t first, int64_t n_steps)
{
  for (size_t s = 0; s < self->all->max_signals; s++) {
    const pf_planes *planes = &at->planes[s];
    if (planes->cells != NULL) {
      self->all->workspaces[0]->kernels->slope(n_steps, at->n_k, at->n_rows, at->slopes.slope[s],
                                               at->drive_dot,
                                               pf_planes_at(planes, first, at->k0) + at->plane_row0,
                                               planes->ld, planes->n_active * planes->ld);
    }
  }
}

/** What the network's own parameters do to the signals from step `first` on, added. */
static pf_status add_direct(const sweep *self, const block *at, const pf_direct_in *of,
                            int64_t first, pf_error *error)
{
  const int64_t n_steps = of->in->n_steps, end = at->k0 + count_below(at, self->all->n_network);
  for (int64_t k = at->k0; k < end; k++) {
    pf_real *direct = NULL;
    const pf_status status = pf_tangents_direct(self->all, of, k, &direct, error);
    if (status != PF_OK) {
      return status;
    }
    for (size_t s = 0; s < self->all->max_signals; s++) {
      const pf_planes *planes = &at->planes[s];
      for (int64_t t = 0; t < n_steps && planes->cells != NULL; t++) {
        const pf_real *from = direct + ((int64_t)s * n_steps + t) * at->n_rows;
        pf_real *to = pf_planes_at(planes, first + t, k) + at->plane_row0;
        for (int64_t i = 0; i < at->n_rows; i++) {
          to[i] += from[i];
        }
      }
    }
  }
  return PF_OK;
}

/** How a rule changes the weights after step t. */
typedef struct weight_change {
  size_t j; /* which of self->plastic */
  int64_t t;
  block_part part;
  pf_block in;          /* what the rule sees */
  const pf_planes *pre; /* tangents of what the projection transmits */
  int64_t with_pre;     /* of the directions at hand, the first ones that have such tangents */
} weight_change;

/** dw' into at->dw_dot, of the directions at hand that have presynaptic tangents, or of the others.
 */
static pf_status rule_tangents(const sweep *self, const block *at, const weight_change *of,
                               bool with_pre, pf_error *error)
{
  const pf_weights *weights = weights_of(self, of->j);
  const pf_plastic *plastic = weights->plastic;
  const size_t p = self->plastic[of->j], n_theta = plastic->declared.parameters.count;
  const int64_t from = with_pre ? 0 : of->with_pre, to = with_pre ? of->with_pre : at->n_k;
  const int64_t stride = at->n_rows * weights->ldw, k = at->k0 + from;
  const pf_planes *post = &at->planes[0];
  if (from == to) {
    return PF_OK;
  }
  const pf_rule_tangent tangent = {
      .size = sizeof tangent,
      .n_tangents = to - from,
      .theta = self->all->rule_theta + self->all->rule_at[p] + (size_t)k * n_theta,
      .theta_unit = self->all->is_unit[p] ? self->all->unit + p * self->all->n + (size_t)k : NULL,
      .pre = with_pre ? pf_planes_at(of->pre, of->t, k) + of->part.columns.first : NULL,
      .post = post->cells == NULL || plastic->post.n > 0
                  ? NULL
                  : pf_planes_at(post, of->t, k) + at->plane_row0 + of->part.rows.first,
      .w = at->dot[of->j] + from * stride + of->part.cell,
      .pre_stride = with_pre ? of->pre->ld : 0,
      .post_stride = post->ld,
      .w_stride = stride,
      .ldw = weights->ldw,
      .dw = at->dw_dot + from * stride + of->part.cell,
      .dw_stride = stride,
      .lddw = weights->ldw};
  return pf_rule_jvp(plastic, &of->in, &tangent, &at->kept->rule, error);
}

/** W' += eta mask dw' */
static void update_tangents(const sweep *self, const block *at, size_t j, const pf_update *update)
{
  const pf_kernels *kernels = self->all->workspaces[0]->kernels;
  const pf_weights *weights = weights_of(self, j);
  const int64_t ldw = weights->ldw, stride = at->n_rows * ldw;
  if (update->mask == NULL) { /* one long block */
    kernels->update(at->n_k * at->n_rows, weights->n_pre, update, at->dw_dot, ldw, at->dot[j],
                    at->dot[j], ldw);
    return;
  }
  for (int64_t k = 0; k < at->n_k; k++) {
    kernels->update(at->n_rows, weights->n_pre, update, at->dw_dot + k * stride, ldw,
                    at->dot[j] + k * stride, at->dot[j] + k * stride, ldw);
  }
}

/** W' and then W of one part; without tangents of the weights, which come with those of all parts.
 */
static pf_status differentiate_part(const sweep *self, const block *at, const weight_change *of,
                                    pf_error *error)
{
  const pf_status status = rule_tangents(self, at, of, true, error);
  return status == PF_OK ? rule_tangents(self, at, of, false, error) : status;
}

static pf_status change_part(const sweep *self, const block *at, const weight_change *of,
                             const pf_update *update, pf_error *error)
{
  const pf_weights *weights = weights_of(self, of->j);
  const pf_component *rule = weights->plastic->rule;
  const pf_rule_ops *ops = rule->plugin->rule;
  pf_update own = *update;
  pf_real *w = at->w[of->j] + of->part.cell;
  own.mask = update->mask == NULL ? NULL : update->mask + of->part.cell;
  if (PF_HAS(ops, pf_rule_ops, step) && ops->step != NULL) {
    return ops->step(rule->self, &of->in, &own, w, weights->ldw, error);
  }
  const pf_status status = ops->forward(rule->self, &of->in, at->dw, weights->ldw, error);
  if (status != PF_OK) {
    return status;
  }
  self->all->workspaces[0]->kernels->update(of->in.n_rows, of->in.n_pre, &own, at->dw, weights->ldw,
                                            w, w, weights->ldw);
  return PF_OK;
}

/** W' and then W after the segment that ends at t. */
static pf_status change_weights(const sweep *self, const block *at, size_t j, int64_t t,
                                pf_error *error)
{
  const pf_weights *weights = weights_of(self, j);
  const pf_update update = {.size = sizeof update,
                            .eta = weights->plastic->eta,
                            .mask = weights->mask == NULL ? NULL
                                                          : weights->mask + at->row0 * weights->ldw,
                            .ldm = weights->ldw};
  const pf_planes *pre = pre_planes(self, weights);
  weight_change of = {.j = j,
                      .t = t,
                      .pre = pre,
                      .with_pre = pre->cells == NULL ? 0 : count_below(at, pre->n_active)};
  for (size_t p = 0; p < weights->plastic->n_parts; p++) {
    if (take_part(at, weights, p, &of.part)) {
      of.in = rule_block(self, at, j, &of.part, t);
      const pf_status status = differentiate_part(self, at, &of, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  update_tangents(self, at, j, &update);
  for (size_t p = 0; p < weights->plastic->n_parts; p++) {
    if (take_part(at, weights, p, &of.part)) {
      of.in = rule_block(self, at, j, &of.part, t);
      const pf_status status = change_part(self, at, &of, &update, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

static void start_weights(const sweep *self, const block *at)
{
  for (size_t j = 0; j < self->n_plastic; j++) {
    const pf_weights *weights = weights_of(self, j);
    const size_t q = (size_t)weights->index, cells = (size_t)(at->n_rows * weights->ldw);
    memcpy(at->w[j], weights->states + at->row0 * weights->ldw, cells * sizeof(pf_real));
    memset(at->dot[j], 0, cells * (size_t)at->n_k * sizeof(pf_real));
    for (int64_t k = 0; k < count_below(at, self->all->n_network); k++) {
      const pf_real *from = pf_tangents_initial(self->all, q, at->k0 + k);
      if (from != NULL) {
        memcpy(at->dot[j] + (size_t)k * cells, from + at->row0 * weights->ldw,
               cells * sizeof(pf_real));
      }
    }
  }
}

/** Signals, and their tangents, of n_steps from `first` on, whose drives are there. */
static pf_status activate_block(const sweep *self, const block *at, int64_t first, int64_t n_steps,
                                pf_error *error)
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
  if (status != PF_OK || at->n_k == 0) {
    return status;
  }
  status = pf_slopes_make(self->all, &at->slopes, &in, &value, error);
  if (status != PF_OK) {
    return status;
  }
  signal_tangents(self, at, first, n_steps);
  const pf_direct_in of = {&in, &value, &at->kept->network};
  return add_direct(self, at, &of, first, error);
}

/** Does a segment's activity have to be there before the next segment is driven? */
static bool activates_now(const sweep *self, int64_t r, int64_t first)
{
  return !self->waits || r + 1 == self->n_segments ||
         self->segments[r + 1].end + 1 - first > self->at_most;
}

/** One segment; *first: the step from which on drives have no response yet. */
static pf_status advance_segment(const sweep *self, const block *at, int64_t r, int64_t *first,
                                 pf_error *error)
{
  const pf_segment *segment = &self->segments[r];
  drive_rows(self, at, segment);
  if (at->n_k > 0) {
    drive_tangents(self, at, segment,
                   at->drive_dot + (segment->first - *first) * at->n_k * at->n_rows);
  }
  if (activates_now(self, r, *first)) {
    const pf_status status = activate_block(self, at, *first, segment->end + 1 - *first, error);
    if (status != PF_OK) {
      return status;
    }
    *first = segment->end + 1;
  }
  for (size_t j = 0; j < self->n_plastic && segment->changes != 0; j++) {
    const pf_status status = change_weights(self, at, j, segment->end, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The directions at hand through all segments. */
static pf_status advance_block(const sweep *self, const block *at, pf_error *error)
{
  int64_t first = 0;
  start_weights(self, at);
  for (int64_t r = 0; r < self->n_segments; r++) {
    const pf_status status = advance_segment(self, at, r, &first, error);
    if (status != PF_OK) {
      pf_error_at_step(error, self->all->draw->recording->name, self->segments[r].end);
      return status;
    }
  }
  return PF_OK;
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

static double *sums_of_lane(const sweep *self, int64_t lane)
{
  return self->lane_sums + (size_t)lane * self->lane_size;
}

static pf_status add_losses(const sweep *self, const block *at, int64_t lane, pf_error *error)
{
  const pf_tangent_losses *losses = self->losses;
  const pf_loss_part part = {
      .population = self->population, .row0 = at->row0, .n_rows = at->n_rows, .planes = at->planes};
  const pf_loss_sums sums = pf_loss_sums_at(sums_of_lane(self, lane), &losses->sums, self->all->n);
  return pf_tangents_losses(self->all, losses->scale, &part, at->mine, &sums, error);
}

static pf_status sweep_block(const sweep *self, pf_workspace *mine, int64_t lane, int64_t index,
                             pf_error *error)
{
  pf_planes own[PF_MAX_SIGNALS];
  block at = {.row0 = index * self->rows, .mine = mine, .kept = pf_sensitivity_of(mine, error)};
  if (at.kept == NULL) {
    return PF_STOP;
  }
  at.n_rows = self->post->n - at.row0 < self->rows ? self->post->n - at.row0 : self->rows;
  at.planes = self->losses != NULL ? own : pf_tangents_planes(self->all, self->population, 0);
  at.plane_row0 = self->losses != NULL ? 0 : at.row0;
  pf_status status = make_block(self, &at, error);
  if (status != PF_OK) {
    return status;
  }
  do { /* once at least: activities are wanted even where nothing moves */
    const int64_t rest = self->n_active - at.k0;
    at.n_k = rest < self->at_once ? rest : self->at_once;
    status = advance_block(self, &at, error);
    if (status != PF_OK) {
      return status;
    }
    at.k0 += at.n_k;
  } while (at.k0 < self->n_active);
  status = check_finite(self, &at);
  return status == PF_OK && self->losses != NULL ? add_losses(self, &at, lane, error) : status;
}

static pf_status sweep_lane(const sweep *self, pf_workspace *mine, int64_t lane, pf_error *error)
{
  const int64_t end = (lane + 1) * self->n_blocks / self->n_lanes;
  for (int64_t b = lane * self->n_blocks / self->n_lanes; b < end; b++) {
    const pf_status status = sweep_block(self, mine, lane, b, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
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

/* Rows whose weights and tangents stay in cache together. */
pf_tangent_blocks pf_tangent_blocks_plan(int64_t n_units, int64_t row_bytes, int64_t n_directions)
{
  const size_t row = (size_t)row_bytes;
  pf_tangent_blocks out = {.at_once = n_directions,
                           .rows = n_units < MAX_ROWS ? n_units : MAX_ROWS};
  if (row * (size_t)(1 + 2 * n_directions) > most_row_bytes) {
    const size_t fit = most_row_bytes / row / 2;
    out.at_once = (int64_t)(fit < 8 ? 8 : fit);
    out.at_once = out.at_once < n_directions ? out.at_once : n_directions;
  }
  while (out.rows > 1 && row * (size_t)(out.rows * (1 + 2 * out.at_once)) > block_bytes) {
    out.rows = (out.rows + 1) / 2;
  }
  out.n_blocks = out.rows > 0 ? (n_units + out.rows - 1) / out.rows : 0;
  out.n_lanes = out.n_blocks < PF_MAX_LANES ? out.n_blocks : PF_MAX_LANES;
  return out;
}

static void plan_blocks(sweep *self)
{
  size_t row = 0;
  for (size_t j = 0; j < self->n_plastic; j++) {
    row += (size_t)weights_of(self, j)->ldw * sizeof(pf_real);
  }
  const pf_tangent_blocks blocks =
      pf_tangent_blocks_plan(self->post->n, (int64_t)row, self->n_active);
  self->at_once = blocks.at_once;
  self->rows = blocks.rows;
  self->n_blocks = blocks.n_blocks;
  self->n_lanes = blocks.n_lanes;
  const size_t step =
      (size_t)(self->rows * (self->at_once > 0 ? self->at_once : 1)) * sizeof(pf_real);
  const int64_t waiting = step > 0 ? (int64_t)(waiting_bytes / step) : 0;
  self->at_most = self->waits && waiting > self->at_most ? waiting : self->at_most;
}

static sweep plan_sweep(const pf_tangents *all, const bool *wanted, int64_t p)
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
    const pf_plastic *plastic = &all->model->plastic[k];
    const uint32_t reads = plastic->declared.reads;
    if (workspace->weights[all->model->plastic[k].projection].info->post == p) {
      self.plastic[self.n_plastic++] = k;
      self.waits = self.waits && (pf_seen_is_data(&plastic->post) ||
                                  (reads != 0 && (reads & PF_READS_POST) == 0));
    }
  }
  for (int64_t r = 0; r < self.n_segments; r++) {
    const int64_t steps = self.segments[r].end - self.segments[r].first + 1;
    self.at_most = steps > self.at_most ? steps : self.at_most;
  }
  if (self.n_plastic > 0) {
    plan_blocks(&self);
  }
  return self;
}

/** A population none of whose weights change: one segment of all steps, all rows at once. */
static pf_status sweep_fixed(sweep *self, pf_error *error)
{
  const int64_t n_steps = self->all->draw->n_steps;
  const pf_segment whole = {.first = 0, .end = (int32_t)(n_steps - 1), .changes = 0};
  self->segments = &whole; /* cppcheck-suppress autoVariables ; read by sweep_block alone, below */
  self->n_segments = n_steps > 0 ? 1 : 0;
  self->at_most = n_steps;
  self->rows = self->post->n;
  self->n_blocks = self->n_lanes = 1;
  self->at_once = self->n_active;
  return sweep_block(self, self->all->workspaces[0], 0, 0, error);
}

/* ---- losses within a block ---- */

/** As in the gradient's sweep: every loss a sum over units of the last population, whose weights
 * are plastic. */
static bool is_local(const pf_model *model, int64_t p, size_t n_plastic)
{
  if (n_plastic == 0 || p + 1 != (int64_t)model->n_populations) {
    return false;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_declaration *declared = &model->losses[k].declared;
    if ((declared->flags & PF_LOSS_SEPARABLE_BY_UNIT) == 0 || declared->observables.count != 1 ||
        declared->targets.count != 1 || declared->parameters.count != 0 ||
        pf_observable_of(model, model->losses[k].observables[0])->population != p) {
      return false;
    }
  }
  return true;
}

static pf_status sweep_local(sweep *self, pf_tangent_losses *losses, pf_error *error)
{
  const pf_tangents *all = self->all;
  self->losses = losses;
  self->lane_size = pf_loss_sums_size(&losses->sums, all->n, all->draw->n_steps);
  const size_t count = self->lane_size * (size_t)self->n_lanes;
  self->lane_sums = pf_pool_need(&all->kept->lanes, count, sizeof *self->lane_sums, error);
  if (self->lane_sums == NULL) {
    return PF_STOP;
  }
  memset(self->lane_sums, 0, count * sizeof *self->lane_sums);
  pf_losses_mark_scored(all->workspaces[0], all->draw, PF_STEP_FIT);
  const pf_status status = sweep_blocks(self, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t lane = 0; lane < self->n_lanes; lane++) { /* in order */
    const double *sums = sums_of_lane(self, lane);
    for (size_t i = 0; i < self->lane_size; i++) {
      losses->sums.gradient[i] += sums[i];
    }
  }
  losses->added = true;
  return PF_OK;
}

pf_status pf_tangents_sweep(pf_tangents *self, const bool *wanted, pf_tangent_losses *losses,
                            pf_error *error)
{
  pf_workspace *workspace = self->workspaces[0];
  const int64_t n_populations = (int64_t)self->model->n_populations, last = n_populations - 1;
  const bool local =
      losses != NULL && is_local(self->model, last, plan_sweep(self, wanted, last).n_plastic);
  pf_status status = pf_tangents_make_planes(self, wanted, local ? last : n_populations, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_tangents_make_initial(self, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t p = 1; p < n_populations; p++) {
    sweep at = plan_sweep(self, wanted, p);
    if (local && p == last) {
      status = sweep_local(&at, losses, error);
    } else if (at.n_plastic > 0) {
      status = sweep_blocks(&at, error);
    } else if (at.n_active > 0) {
      status = sweep_fixed(&at, error);
    } else {
      const pf_population_steps all = {.population = (size_t)p, .last = self->draw->n_steps - 1};
      status = pf_population_activate(workspace, self->theta, &all, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
