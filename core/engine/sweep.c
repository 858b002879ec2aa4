#include "core/engine/sweep.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/sweep_block.h"
#include "core/model/starting_weights.h"
#include "core/state/failures.h"
#include "core/state/population.h"
#include "core/state/seen.h"
#include "core/state/segments.h"
#include "core/state/starting_state.h"
#include "core/state/synaptic_state.h"
#include "core/state/trajectory.h"

#include <string.h>

static bool is_plastic(const pf_model *model, size_t q)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (model->plastic[p].projection == (int64_t)q) {
      return true;
    }
  }
  return false;
}

bool pf_sweep_can(const pf_model *model)
{
  if (model->forgets) {
    return false;
  }
  for (size_t phase = 0; phase < sizeof model->stepwise / sizeof model->stepwise[0]; phase++) {
    if (model->stepwise[phase]) {
      return false;
    }
  }
  for (size_t k = 0; k < model->n_plastic; k++) {
    if (model->plastic[k].pre.n > 0) { /* sums over rows are of the signal transmitted alone */
      return false;
    }
  }
  for (size_t p = 0; p < model->n_populations; p++) {
    size_t n_onto = 0;
    for (size_t q = 0; q < model->n_projections; q++) {
      const pf_projection *projection = &model->projections[q];
      if (projection->post != (int64_t)p || !is_plastic(model, q)) {
        continue;
      }
      n_onto++;
      if ((projection->flags & PF_PROJECTION_ROW_SEPARABLE) == 0 ||
          (model->populations[p].flags & PF_POPULATION_COUPLED) != 0) {
        return false;
      }
    }
    if (n_onto > PF_SWEEP_MAX_PLASTIC) {
      return false;
    }
  }
  return true;
}

/* ---- one population ---- */

/** Does a rule on the projection see what the postsynaptic population does? */
static bool sees_post(const pf_model *model, const pf_weights *weights)
{
  if (weights->has_traces) { /* `reads` is of dw alone */
    return true;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const uint32_t reads = plastic->declared.reads;
    if (plastic->projection == weights->index && !pf_seen_is_data(&plastic->post) &&
        (reads == 0 || (reads & PF_READS_POST) != 0)) {
      return true;
    }
  }
  return false;
}

/** The sweep of population p; n_plastic is 0 where none of its weights change. */
static pf_sweep sweep_of(const pf_simulation *simulation, size_t p)
{
  const pf_model *model = simulation->model;
  const pf_workspace *workspace = simulation->workspaces.items[0];
  pf_sweep sweep = {.simulation = simulation,
                    .model = model,
                    .draw = simulation->draw,
                    .trajectory = workspace,
                    .population = p,
                    .post = &workspace->activity[p],
                    .segments = workspace->segments,
                    .n_segments = workspace->n_segments,
                    .at_once = true,
                    .wants_network = pf_learns_network(model)};
  size_t row_cells = 0;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->info->post == (int64_t)p && weights->plastic != NULL) {
      sweep.plastic[sweep.n_plastic++] = weights;
      row_cells += pf_synaptic_cells(model, weights, 1);
      sweep.at_once = sweep.at_once && !sees_post(model, weights);
    }
  }
  if (sweep.n_plastic == 0) {
    return sweep;
  }
  sweep.plan = pf_plan_blocks(sweep.post->n, row_cells * sizeof(pf_real), sweep.n_segments,
                              model->state_budget);
  sweep.keeps_all = sweep.plan.interval >= sweep.n_segments;
  for (size_t j = 0; j < sweep.n_plastic; j++) {
    const size_t scratch = pf_synaptic_scratch(model, sweep.plastic[j], sweep.plan.rows, true);
    sweep.cells[j] = pf_synaptic_cells(model, sweep.plastic[j], sweep.plan.rows);
    sweep.scratch_cells = scratch > sweep.scratch_cells ? scratch : sweep.scratch_cells;
  }
  return sweep;
}

/** A population without plastic weights onto it, over all steps. */
static pf_population_steps all_steps(const pf_simulation *simulation, size_t p)
{
  return (pf_population_steps){.population = p, .last = simulation->draw->n_steps - 1};
}

/* ---- all blocks ---- */

enum direction { FORWARD, BACKWARD, BOTH };

static pf_status sweep_one_block(pf_sweep_block *block, enum direction direction, pf_error *error)
{
  const pf_sweep *sweep = block->sweep;
  pf_workspace *mine = block->mine;
  /* with one block, its states stand until another population is swept */
  const bool lasts = sweep->keeps_all && sweep->plan.n_blocks == 1;
  const bool states_stand = lasts && mine->arena_population == sweep->population;
  pf_status status = PF_OK;
  mine->arena_population = lasts ? sweep->population : 0;
  if (direction != BACKWARD || !states_stand) {
    status = pf_sweep_block_forward(block, direction != BACKWARD, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (direction == FORWARD) {
    return PF_OK;
  }
  if (direction == BOTH) {
    status = pf_sweep_block_losses(block, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return pf_sweep_block_backward(block, error);
}

/** The blocks of one lane, in order. */
static pf_status sweep_lane(const pf_sweep *sweep, enum direction direction, int64_t lane,
                            pf_error *error)
{
  const int64_t n = sweep->plan.n_blocks, lanes = sweep->plan.n_lanes;
  const pf_workspaces workspaces = sweep->simulation->workspaces;
  pf_sweep_block block;
  block.sweep = sweep;
  block.mine = workspaces.items[workspaces.n > 1 ? pf_this_thread() : 0];
  block.lane = lane;
  for (int64_t b = lane * n / lanes; b < (lane + 1) * n / lanes; b++) {
    pf_status status = pf_sweep_block_make(sweep, block.mine, b, &block, error);
    if (status != PF_OK) {
      return status;
    }
    status = sweep_one_block(&block, direction, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status sweep_lanes(const pf_sweep *sweep, enum direction direction, pf_error *error)
{
  const int64_t lanes = sweep->plan.n_lanes;
  if (lanes == 1) { /* small layers: no detour */
    return sweep_lane(sweep, direction, 0, error);
  }
  const int n_threads = (int)sweep->simulation->workspaces.n;
  pf_status statuses[PF_MAX_LANES] = {0};
  pf_error errors[PF_MAX_LANES];
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (n_threads > 1)
  for (int64_t lane = 0; lane < lanes; lane++) {
    errors[lane] = pf_error_none();
    statuses[lane] = sweep_lane(sweep, direction, lane, &errors[lane]);
  }
  for (int64_t lane = 0; lane < lanes; lane++) {
    if (statuses[lane] != PF_OK) { /* the first lane's, whichever thread met one first */
      return pf_fail_key(error, statuses[lane], errors[lane].key, "%s", errors[lane].text);
    }
  }
  return PF_OK;
}

/* ---- sums by lane ---- */

/** Room for them: theta by lane, and x by lane where it is another population's. */
static pf_status reserve_lanes(pf_sweep *sweep, pf_error *error)
{
  pf_workspace *workspace = sweep->simulation->workspaces.items[0];
  const size_t lanes = (size_t)sweep->plan.n_lanes, n_theta = lanes * sweep->model->start_theta0;
  size_t cells = 0, offset[PF_SWEEP_MAX_PLASTIC] = {0};
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    const int64_t pre = sweep->plastic[j]->info->pre;
    offset[j] = cells;
    cells += pre == 0 ? 0 : lanes * (size_t)(sweep->draw->n_steps * workspace->activity[pre].ld);
  }
  sweep->lane_theta = pf_pool_need(&workspace->lane_theta, n_theta, sizeof(double), error);
  pf_real *lane_pre = pf_pool_need(&workspace->lane_pre, cells, sizeof(pf_real), error);
  if (sweep->lane_theta == NULL || lane_pre == NULL) {
    return PF_STOP;
  }
  memset(sweep->lane_theta, 0, n_theta * sizeof(double));
  memset(lane_pre, 0, cells * sizeof(pf_real));
  for (size_t j = 0; j < sweep->n_plastic; j++) {
    sweep->lane_pre[j] = sweep->plastic[j]->info->pre == 0 ? NULL : lane_pre + offset[j];
  }
  return PF_OK;
}

/** The lanes' sums, in order, into the gradient and the cotangents of the presynaptic populations.
 */
static void add_lanes(const pf_sweep *sweep, double *gradient)
{
  const size_t n = sweep->model->start_theta0;
  for (int64_t lane = 0; lane < sweep->plan.n_lanes; lane++) {
    for (size_t i = 0; i < n; i++) {
      gradient[i] += sweep->lane_theta[(size_t)lane * n + i];
    }
    for (size_t j = 0; j < sweep->n_plastic; j++) {
      const pf_real *from = pf_sweep_lane_pre(sweep, j, lane);
      if (from == NULL) {
        continue;
      }
      const pf_projection *info = sweep->plastic[j]->info;
      const pf_activity *pre = &sweep->trajectory->activity[info->pre];
      pf_real *to = pre->g_signals + info->signal * pre->plane_stride;
      for (int64_t i = 0; i < sweep->draw->n_steps * pre->ld; i++) {
        to[i] += from[i];
      }
    }
  }
}

/** Cotangents of the fixed weights onto the population, and of what they transmit. */
static void add_fixed(const pf_sweep *sweep)
{
  const pf_workspace *workspace = sweep->trajectory;
  const pf_activity *post = sweep->post;
  const int64_t n_steps = sweep->draw->n_steps;
  for (size_t q = 0; q < sweep->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    const pf_activity *pre = &workspace->activity[weights->info->pre];
    const int64_t plane = weights->info->signal * pre->plane_stride;
    if (weights->info->post != (int64_t)sweep->population || weights->plastic != NULL) {
      continue;
    }
    if (sweep->wants_network) {
      workspace->kernels->weight_gradient(n_steps, weights->n_post, weights->n_pre, post->g_drive,
                                          post->ld, pre->signals + plane, pre->ld, weights->g,
                                          weights->ldw);
    }
    if (weights->info->pre != 0) {
      workspace->kernels->pre_gradient(n_steps, weights->n_post, weights->n_pre, weights->states,
                                       weights->ldw, post->g_drive, post->ld,
                                       pre->g_signals + plane, pre->ld);
    }
  }
}

/* ---- whole trajectories ---- */

/**
 * Where every loss is a sum over units of the last population, and its weights are plastic, a block
 * goes forward, to its losses and backward while its states are in cache: a sweep saved.
 */
static bool is_local(const pf_sweep *sweep)
{
  const pf_model *model = sweep->model;
  if (sweep->n_plastic == 0 || model->n_losses > PF_SWEEP_MAX_LOCAL_LOSSES ||
      sweep->population + 1 != model->n_populations) {
    return false;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_declaration *declared = &model->losses[k].declared;
    const pf_observable *info = &model->observables[model->losses[k].observables[0]];
    if ((declared->flags & PF_LOSS_SEPARABLE_BY_UNIT) == 0 || declared->observables.count != 1 ||
        declared->targets.count != 1 || pf_learns_loss(model, k) ||
        info->population != (int64_t)sweep->population) {
      return false;
    }
  }
  return true;
}

/** The last population forward and backward in one sweep, with its losses. */
static pf_status sweep_local(pf_sweep *sweep, const double *scale, pf_loss_value *values,
                             double *gradient, pf_error *error)
{
  pf_workspace *workspace = sweep->simulation->workspaces.items[0];
  pf_loss_value sums[PF_MAX_LANES][PF_SWEEP_MAX_LOCAL_LOSSES] = {0};
  sweep->scale = scale;
  sweep->lane_values = sums;
  pf_trajectory_clear_cotangents(workspace, sweep->population);
  pf_losses_mark_scored(workspace, sweep->draw, PF_STEP_FIT);
  pf_status status = reserve_lanes(sweep, error);
  if (status != PF_OK) {
    return status;
  }
  status = sweep_lanes(sweep, BOTH, error);
  if (status != PF_OK) {
    return status;
  }
  add_lanes(sweep, gradient);
  add_fixed(sweep);
  if (values == NULL) {
    return PF_OK;
  }
  for (size_t k = 0; k < sweep->model->n_losses; k++) {
    values[k] = (pf_loss_value){0};
    for (int64_t lane = 0; lane < sweep->plan.n_lanes; lane++) {
      values[k].log_likelihood += sums[lane][k].log_likelihood;
      values[k].count += sums[lane][k].count;
    }
  }
  return PF_OK;
}

static pf_status forward_population(const pf_simulation *simulation, const pf_sweep *sweep,
                                    pf_error *error)
{
  if (sweep->n_plastic > 0) {
    return sweep_lanes(sweep, FORWARD, error);
  }
  const pf_population_steps all = all_steps(simulation, sweep->population);
  return pf_population_activate(simulation->workspaces.items[0], simulation->theta, &all, error);
}

static pf_status backward_population(const pf_simulation *simulation, size_t p, double *gradient,
                                     pf_error *error)
{
  pf_sweep sweep = sweep_of(simulation, p);
  if (sweep.n_plastic == 0) {
    const pf_population_steps all = all_steps(simulation, p);
    return pf_population_vjp(simulation->workspaces.items[0], simulation->theta, &all,
                             sweep.wants_network ? gradient : NULL, error);
  }
  pf_status status = reserve_lanes(&sweep, error);
  if (status != PF_OK) {
    return status;
  }
  status = sweep_lanes(&sweep, BACKWARD, error);
  if (status != PF_OK) {
    return status;
  }
  add_lanes(&sweep, gradient);
  add_fixed(&sweep);
  return PF_OK;
}

/** All populations before `end` backward, and the starting state. */
static pf_status sweep_backward(const pf_simulation *simulation, size_t end, double *gradient,
                                pf_error *error)
{
  pf_workspace *workspace = simulation->workspaces.items[0];
  const bool wants_network = pf_learns_network(simulation->model);
  for (size_t p = end; p-- > 1;) {
    if (workspace->activity[p].phase == PF_PHASE_BEFORE && !wants_network) {
      continue; /* nothing that is learned lies before it */
    }
    const pf_status status = backward_population(simulation, p, gradient, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!wants_network) {
    return PF_OK;
  }
  return pf_simulation_start_vjp(simulation->draw, simulation->theta, workspace, gradient, error);
}

/** Forward, and the losses' cotangents. *end: populations before it are still to go backward. */
static pf_status sweep_to_losses(const pf_simulation *simulation, const double *scale,
                                 pf_loss_value *values, double *gradient, size_t *end,
                                 pf_error *error)
{
  *end = simulation->model->n_populations;
  pf_status status = PF_OK;
  for (size_t p = 1; p < simulation->model->n_populations; p++) {
    pf_sweep sweep = sweep_of(simulation, p);
    if (is_local(&sweep)) {
      *end = p;
      return sweep_local(&sweep, scale, values, gradient, error);
    }
    status = forward_population(simulation, &sweep, error);
    if (status != PF_OK) {
      return status;
    }
  }
  status = pf_losses_evaluate(simulation, PF_STEP_FIT, values, error);
  if (status != PF_OK) {
    return status;
  }
  pf_trajectory_clear_cotangents(simulation->workspaces.items[0], *end);
  return pf_losses_vjp(simulation, scale, gradient, error);
}

pf_status pf_sweep_gradient(const pf_simulation *simulation, const double *scale,
                            pf_loss_value *values, double *gradient, pf_error *error)
{
  pf_workspace *workspace = simulation->workspaces.items[0];
  size_t end = 0;
  pf_status status = pf_simulation_begin(workspace, simulation->draw, simulation->theta, 0, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_trajectory_need_cotangents(workspace, error);
  if (status != PF_OK) {
    return status;
  }
  status = sweep_to_losses(simulation, scale, values, gradient, &end, error);
  if (status != PF_OK) {
    return status;
  }
  status = sweep_backward(simulation, end, gradient, error);
  if (status != PF_OK) {
    return status;
  }
  return pf_check_gradient(simulation->draw, simulation->model, gradient, error);
}

pf_status pf_sweep_forward(const pf_simulation *simulation, uint32_t flags, uint32_t count_flag,
                           pf_loss_value *values, pf_error *error)
{
  pf_workspace *workspace = simulation->workspaces.items[0];
  pf_status status =
      pf_simulation_begin(workspace, simulation->draw, simulation->theta, flags, error);
  if (status != PF_OK) {
    return status;
  }
  workspace->keeps_states = false;
  workspace->n_changes = pf_segments_changes(workspace->segments, workspace->n_segments);
  for (size_t p = 1; p < simulation->model->n_populations; p++) {
    const pf_sweep sweep = sweep_of(simulation, p);
    status = forward_population(simulation, &sweep, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return pf_losses_evaluate(simulation, count_flag, values, error);
}
