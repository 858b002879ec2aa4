#include "core/sensitivity/sensitivity_private.h"

#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/simulation.h"
#include "core/engine/starting_state.h"
#include "core/engine/trajectory.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

void *pf_pool_need(pf_pool *pool, size_t count, size_t size, pf_error *error)
{
  if (pool->at != NULL && size > 0 && count <= pool->bytes / size) {
    return pool->at;
  }
  pf_memory_free(pool->at);
  pool->bytes = 0;
  pool->at = pf_memory_need(count, size, error);
  pool->bytes = pool->at == NULL ? 0 : count * size;
  return pool->at;
}

static void free_sensitivity(void *attached)
{
  struct pf_sensitivity *kept = attached;
  pf_pool *const pools[] = {&kept->setup,   &kept->thetas,        &kept->planes, &kept->table,
                            &kept->initial, &kept->block,         &kept->slopes, &kept->rule,
                            &kept->loss,    &kept->initial_table, &kept->scores, &kept->root,
                            &kept->network, &kept->lanes,         &kept->whiten, &kept->sums,
                            &kept->scratch, &kept->wanted};
  for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
    pf_memory_free(pools[i]->at);
  }
  pf_memory_free(kept);
}

struct pf_sensitivity *pf_sensitivity_of(pf_workspace *workspace, pf_error *error)
{
  if (workspace->attached == NULL) {
    workspace->attached = pf_memory_need(1, sizeof(struct pf_sensitivity), error);
    workspace->free_attached = free_sensitivity;
  }
  return workspace->attached;
}

/* ---- directions ---- */

static const pf_projection *projection_of(const pf_model *model, const pf_plastic *plastic)
{
  const pf_projection_table *table = &model->declared.projections;
  return pf_table_at(table->items, table->stride, table->count, (size_t)plastic->projection);
}

static bool any(const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (values[i] != 0.0) {
      return true;
    }
  }
  return false;
}

/** The first population that a direction moves, as far as can be told; *is_network: it moves the
 * network's own. */
static size_t first_moved(const pf_model *model, const double *along, bool *is_network)
{
  size_t first = model->declared.populations.count;
  *is_network = any(along + model->network_theta0, model->declared.parameters.count) ||
                any(along + model->start_theta0, model->n_parameters - model->start_theta0);
  if (*is_network || (model->forgets && along[model->forgetting_theta] != 0.0)) {
    return 1;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const size_t post = (size_t)projection_of(model, plastic)->post;
    if (post < first && any(along + plastic->theta0, plastic->declared.parameters.count)) {
      first = post;
    }
  }
  return first;
}

/** The one entry that is 1, -1 where all are 0; false where it is neither. */
static bool unit_of(const double *values, size_t n, int64_t *unit)
{
  *unit = -1;
  for (size_t i = 0; i < n; i++) {
    if (values[i] == 0.0) {
      continue;
    }
    if (values[i] != 1.0 || *unit >= 0) {
      return false;
    }
    *unit = (int64_t)i;
  }
  return true;
}

/** Directions in order: by the first population that they move, those of the network's own
 * parameters before others. */
static void sort(const pf_model *model, const pf_directions *directions, double *unsorted,
                 size_t *first, size_t *order, int64_t *n_network)
{
  const size_t n = directions->n, n_theta = model->n_parameters;
  size_t placed = 0;
  *n_network = 0;
  for (size_t k = 0; k < n; k++) {
    bool is_network = false;
    first[k] = first_moved(model, unsorted + k * n_theta, &is_network);
    if (is_network) {
      first[k] = 0; /* before all others of population 1 */
      ++*n_network;
    }
  }
  for (size_t p = 0; p <= model->declared.populations.count; p++) {
    for (size_t k = 0; k < n; k++) {
      if (first[k] == p) {
        order[placed++] = k;
      }
    }
  }
}

static pf_status prepare_directions(pf_tangents *self, const pf_directions *directions,
                                    struct pf_sensitivity *kept, pf_error *error)
{
  const pf_model *model = self->model;
  const size_t n = directions->n, n_theta = model->n_parameters, n_plastic = model->n_plastic;
  const size_t n_words = 2 * n + n + n_plastic * n + n_plastic;
  double *along = pf_pool_need(
      &kept->setup, 2 * n * n_theta * sizeof(double) + n_words * sizeof(size_t) + n_plastic, 1,
      error);
  if (along == NULL) {
    return PF_STOP;
  }
  double *unsorted = along + n * n_theta;
  size_t *order = (size_t *)(void *)(unsorted + n * n_theta), *first = order + n,
         *sorted_first = first + n;
  size_t *rule_at = sorted_first + n;
  int64_t *unit = (int64_t *)(void *)(rule_at + n_plastic);
  bool *is_unit = (bool *)(void *)(unit + n_plastic * n);
  memset(unsorted, 0, n * n_theta * sizeof *unsorted);
  for (size_t k = 0; k < n; k++) {
    if (directions->which == NULL) {
      memcpy(unsorted + k * n_theta, directions->along + k * n_theta, n_theta * sizeof *along);
    } else if (directions->which[k] >= n_theta) {
      return pf_fail(error, PF_STOP, "direction %zu is parameter %zu of %zu", k,
                     directions->which[k], n_theta);
    } else {
      unsorted[k * n_theta + directions->which[k]] = 1.0;
    }
  }
  sort(model, directions, unsorted, first, order, &self->n_network);
  size_t cells = 0;
  for (size_t p = 0; p < n_plastic; p++) {
    rule_at[p] = cells;
    cells += n * model->plastic[p].declared.parameters.count;
    is_unit[p] = true;
  }
  double *rule_theta = pf_pool_need(&kept->thetas, cells, sizeof *rule_theta, error);
  if (rule_theta == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    memcpy(along + k * n_theta, unsorted + order[k] * n_theta, n_theta * sizeof *along);
    sorted_first[k] = first[order[k]] == 0 ? 1 : first[order[k]];
    for (size_t p = 0; p < n_plastic; p++) {
      const size_t n_own = model->plastic[p].declared.parameters.count;
      double *own = rule_theta + rule_at[p] + k * n_own;
      memcpy(own, along + k * n_theta + model->plastic[p].theta0, n_own * sizeof *own);
      is_unit[p] = unit_of(own, n_own, &unit[p * n + k]) && is_unit[p];
    }
  }
  self->n = n;
  self->along = along;
  self->order = order;
  self->first = sorted_first;
  self->unit = unit;
  self->is_unit = is_unit;
  self->rule_theta = rule_theta;
  self->rule_at = rule_at;
  return PF_OK;
}

int64_t pf_tangents_n_active(const pf_tangents *self, int64_t p)
{
  int64_t n = 0;
  while (n < (int64_t)self->n && self->first[n] <= (size_t)p) {
    n++;
  }
  return p == 0 ? 0 : n;
}

/* ---- planes ---- */

static const pf_population *population_at(const pf_model *model, size_t p)
{
  const pf_population_table *table = &model->declared.populations;
  return pf_table_at(table->items, table->stride, table->count, p);
}

static size_t max_signals(const pf_model *model)
{
  size_t most = 0;
  for (size_t p = 0; p < model->declared.populations.count; p++) {
    const size_t own = population_at(model, p)->signals.count;
    most = own > most ? own : most;
  }
  return most;
}

pf_status pf_tangents_make_planes(pf_tangents *self, const bool *wanted, int64_t n_populations,
                                  pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  const size_t count = self->model->declared.populations.count * self->max_signals;
  self->planes =
      kept == NULL ? NULL : pf_pool_need(&kept->table, count, sizeof *self->planes, error);
  if (self->planes == NULL) {
    return PF_STOP;
  }
  size_t cells = 0;
  for (int pass = 0; pass < 2; pass++) {
    pf_real *memory = pass == 0 ? NULL : pf_pool_need(&kept->planes, cells, sizeof *memory, error);
    if (pass == 1 && memory == NULL) {
      return PF_STOP;
    }
    for (size_t i = 0; i < count; i++) {
      const int64_t p = (int64_t)(i / self->max_signals);
      const pf_activity *activity = &self->workspaces[0]->activity[p];
      pf_planes *planes = &self->planes[i];
      *planes = (pf_planes){.n_active = pf_tangents_n_active(self, p),
                            .ld = activity->n == 1 ? 1 : activity->ld};
      const size_t own = (size_t)(self->draw->n_steps * planes->n_active * planes->ld);
      if (p == 0 || p >= n_populations || !wanted[i] || planes->n_active == 0) {
        continue;
      }
      if (pass == 0) {
        cells += own;
      } else {
        planes->cells = memory;
        memory += own;
      }
    }
  }
  return PF_OK;
}

/** Signals that losses see (one of them: `observable`, or all: -1), that projections transmit and
 * rules read. */
static bool *want_signals(const pf_tangents *self, int64_t observable, bool only_observables,
                          pf_error *error)
{
  const pf_model *model = self->model;
  const pf_observable_table *table = &model->declared.observables;
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  const size_t count = model->declared.populations.count * self->max_signals;
  bool *wanted = kept == NULL ? NULL : pf_pool_need(&kept->wanted, count, sizeof *wanted, error);
  if (wanted == NULL) {
    return NULL;
  }
  memset(wanted, 0, count * sizeof *wanted);
  for (size_t k = 0; k < model->n_losses && observable < 0; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *info = pf_table_at(table->items, table->stride, table->count,
                                              (size_t)model->losses[k].observables[o]);
      wanted[(size_t)info->population * self->max_signals + (size_t)info->signal] = true;
    }
  }
  if (observable >= 0) {
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)observable);
    wanted[(size_t)info->population * self->max_signals + (size_t)info->signal] = true;
  }
  for (size_t q = 0; q < model->declared.projections.count && !only_observables; q++) {
    const pf_projection_table *projections = &model->declared.projections;
    const pf_projection *projection =
        pf_table_at(projections->items, projections->stride, projections->count, q);
    wanted[(size_t)projection->pre * self->max_signals + (size_t)projection->signal] =
        projection->pre != 0;
  }
  for (size_t p = 0; p < model->n_plastic && !only_observables; p++) {
    const uint32_t reads = model->plastic[p].declared.reads;
    const size_t post = (size_t)projection_of(model, &model->plastic[p])->post;
    wanted[post * self->max_signals] =
        wanted[post * self->max_signals] || reads == 0 || (reads & PF_READS_POST) != 0;
  }
  return wanted;
}

/* ---- one draw ---- */

/** Simulate with tangents: by the sweep, or by differences of trajectories. */
static pf_status simulate(pf_tangents *self, int64_t observable, const pf_tangent_losses *losses,
                          bool *done, pf_error *error)
{
  pf_workspace *workspace = self->workspaces[0];
  const bool sweeps = pf_tangents_can_sweep(self->model);
  const bool *wanted = want_signals(self, observable, !sweeps, error);
  pf_status status = wanted == NULL ? PF_STOP : PF_OK;
  *done = false;
  if (status == PF_OK && !sweeps) {
    return pf_tangents_by_differences(self, wanted, error);
  }
  status =
      status == PF_OK ? pf_simulation_begin(workspace, self->draw, self->theta, 0, error) : status;
  workspace->keeps_states = false;
  workspace->n_changes = 0;
  for (int64_t r = 0; r < workspace->n_segments && status == PF_OK; r++) {
    workspace->n_changes += workspace->segments[r].changes;
  }
  status = status == PF_OK ? pf_tangents_sweep(self, wanted, losses, done, error) : status;
  if (status == PF_POINT_FAILED &&
      error->text[0] == '\0') { /* weights overflowed: a plain run has the words */
    (void)pf_forward(self->model, self->draw, self->theta, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT,
                     workspace, NULL, error);
    return pf_fail(error, PF_POINT_FAILED, "experiment %s: the weights overflowed",
                   self->draw->recording->name);
  }
  return status;
}

static pf_status begin(pf_tangents *self, const pf_directions *directions, pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  self->max_signals = max_signals(self->model);
  return kept == NULL ? PF_STOP : prepare_directions(self, directions, kept, error);
}

/** Sums in the order of the tangents, zeroed. */
static pf_status make_sums(const pf_tangents *self, const pf_information_out *out,
                           pf_loss_sums *sums, pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  const size_t n = self->n, n_steps = out->step_scores == NULL ? 0 : (size_t)self->draw->n_steps;
  const size_t n_information = out->information == NULL ? 0 : n * n,
               count = n + n_information + n_steps * n;
  double *memory = pf_pool_need(&kept->sums, count, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  memset(memory, 0, count * sizeof *memory);
  sums->gradient = memory;
  sums->information = n_information == 0 ? NULL : memory + n;
  sums->step_scores = out->step_scores == NULL ? NULL : memory + n + n_information;
  return PF_OK;
}

static pf_status check_sums(const pf_tangents *self, const pf_loss_sums *sums, pf_error *error)
{
  for (size_t k = 0; k < self->n; k++) {
    const double diagonal = sums->information == NULL ? 0.0 : sums->information[k * self->n + k];
    if (!isfinite(sums->gradient[k]) || !isfinite(diagonal)) {
      size_t i = 0;
      while (i + 1 < self->model->n_parameters &&
             self->along[k * self->model->n_parameters + i] == 0.0) {
        i++;
      }
      return pf_fail(error, PF_POINT_FAILED,
                     "experiment %s: the sensitivity to %s is not finite although the simulation "
                     "is; the trajectory is "
                     "too sensitive at these coefficients",
                     self->draw->recording->name, self->model->parameters[i].declared.name);
    }
  }
  return PF_OK;
}

/** Add to what the caller gave, in the caller's order. */
static void hand_over(const pf_tangents *self, const pf_loss_sums *sums, pf_information_out *out)
{
  const size_t n = self->n;
  for (size_t k = 0; k < n; k++) {
    const size_t to = self->order[k];
    if (out->gradient != NULL) {
      out->gradient[to] += sums->gradient[k];
    }
    for (size_t l = k; l < n && out->information != NULL; l++) {
      const size_t other = self->order[l];
      out->information[to * n + other] += sums->information[k * n + l];
      if (l != k) {
        out->information[other * n + to] += sums->information[k * n + l];
      }
    }
    for (size_t t = 0; t < (size_t)self->draw->n_steps && out->step_scores != NULL; t++) {
      out->step_scores[t * n + to] += sums->step_scores[t * n + k];
    }
  }
}

pf_status pf_information(const pf_model *model, const pf_draw *draw, const double *theta,
                         const pf_directions *directions, const double *scale,
                         pf_workspace *const *workspaces, size_t n_workspaces,
                         pf_information_out *out, pf_error *error)
{
  pf_tangents self = {.model = model,
                      .draw = draw,
                      .theta = theta,
                      .workspaces = workspaces,
                      .n_workspaces = n_workspaces,
                      .how = &out->how};
  pf_tangent_losses losses = {.scale = scale};
  pf_workspace *workspace = workspaces[0];
  bool done = false;
  pf_status status = begin(&self, directions, error);
  status = status == PF_OK ? make_sums(&self, out, &losses.sums, error) : status;
  status = status == PF_OK ? simulate(&self, -1, &losses, &done, error) : status;
  if (status != PF_OK) {
    return status;
  }
  struct pf_sensitivity *kept = workspace->attached;
  pf_loss_value *values =
      out->values != NULL ? out->values
                          : pf_pool_need(&kept->scratch, model->n_losses, sizeof *values, error);
  status = values == NULL ? PF_STOP
                          : pf_losses_evaluate(draw, theta, PF_STEP_FIT, workspace, values, error);
  if (status == PF_OK && !done) {
    const pf_loss_part everything = {0};
    status = pf_tangents_losses(&self, scale, &everything, workspace, &losses.sums, error);
  }
  status = status == PF_OK ? check_sums(&self, &losses.sums, error) : status;
  if (status == PF_OK) {
    hand_over(&self, &losses.sums, out);
  }
  return status;
}

pf_status pf_tangents_make(pf_tangents *self, const pf_directions *directions, pf_error *error)
{
  bool done = false;
  pf_status status = begin(self, directions, error);
  return status == PF_OK ? simulate(self, -1, NULL, &done, error) : status;
}

pf_status pf_observable_tangents(const pf_model *model, const pf_draw *draw, const double *theta,
                                 const pf_directions *directions, int64_t observable,
                                 pf_workspace *const *workspaces, size_t n_workspaces,
                                 pf_real *tangents, uint32_t *how, pf_error *error)
{
  pf_tangents self = {.model = model,
                      .draw = draw,
                      .theta = theta,
                      .workspaces = workspaces,
                      .n_workspaces = n_workspaces,
                      .how = how};
  bool done = false;
  pf_status status = begin(&self, directions, error);
  status = status == PF_OK ? simulate(&self, observable, NULL, &done, error) : status;
  if (status != PF_OK) {
    return status;
  }
  const pf_observable_table *table = &model->declared.observables;
  const pf_observable *info =
      pf_table_at(table->items, table->stride, table->count, (size_t)observable);
  const pf_planes *planes = pf_tangents_planes(&self, info->population, info->signal);
  const int64_t n = workspaces[0]->activity[info->population].n;
  for (int64_t k = 0; k < (int64_t)self.n; k++) {
    pf_real *to = tangents + (int64_t)self.order[k] * draw->n_steps * n;
    for (int64_t t = 0; t < draw->n_steps; t++) {
      for (int64_t i = 0; i < n; i++) {
        to[t * n + i] = planes->cells != NULL && k < planes->n_active
                            ? pf_planes_at(planes, t, k)[i]
                            : (pf_real)0;
      }
    }
  }
  return PF_OK;
}

size_t pf_information_bytes(const pf_model *model, int64_t n_steps, size_t n_directions)
{
  const size_t signals = max_signals(model), steps = (size_t)n_steps, n = n_directions;
  size_t planes = 0, widest = 0;
  for (size_t p = 1; p < model->declared.populations.count; p++) {
    const size_t ld = (size_t)pf_leading_dimension(population_at(model, p)->n);
    planes += signals * ld;
    widest = ld > widest ? ld : widest;
  }
  /* planes of tangents and those of a drive, scores, matrices; blocks of weights are what fits in
   * cache */
  return (planes + widest) * steps * n * sizeof(pf_real) +
         (steps * n + (2 + PF_MAX_LANES) * n * n) * sizeof(double);
}
