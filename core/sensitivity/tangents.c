#include "core/sensitivity/tangents.h"

#include <math.h>
#include <string.h>

/* ---- directions ---- */

static bool any_moves(const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (values[i] != 0.0) {
      return true;
    }
  }
  return false;
}

/** Direction k as the caller gave it, into `along` [n_theta]. */
static void expand_direction(const pf_directions *directions, size_t k, size_t n_theta,
                             double *along)
{
  if (directions->which == NULL) {
    memcpy(along, directions->along + k * n_theta, n_theta * sizeof *along);
  } else {
    memset(along, 0, n_theta * sizeof *along);
    along[directions->which[k]] = 1.0;
  }
}

/** The first population that a direction moves, as far as can be told; 0 where it moves the
 * network's own parameters: these come before all others of population 1. */
static size_t first_moved(const pf_model *model, const double *along)
{
  if (any_moves(along + model->network_theta0, model->declared.parameters.count) ||
      any_moves(along + model->start_theta0, model->n_parameters - model->start_theta0)) {
    return 0;
  }
  if (model->forgets && along[model->forgetting_theta] != 0.0) {
    return 1;
  }
  size_t first = model->n_populations;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const size_t post = (size_t)pf_projection_of(model, (size_t)plastic->projection)->post;
    if (post < first && any_moves(along + plastic->theta0, plastic->declared.parameters.count)) {
      first = post;
    }
  }
  return first;
}

/** The one entry that is 1, -1 where all are 0; false where it is neither. */
static bool find_unit(const double *values, size_t n, int64_t *unit)
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

/** The arrays of the directions, out of one block; returns `given`, [n] scratch. */
static size_t *place_directions(pf_tangents *self, pf_arena *arena)
{
  const size_t n = self->n, n_plastic = self->model->n_plastic;
  size_t n_rule = 0;
  for (size_t p = 0; p < n_plastic; p++) {
    n_rule += n * self->model->plastic[p].declared.parameters.count;
  }
  /* one more row than directions: scratch */
  self->along = pf_arena_take(arena, (n + 1) * self->model->n_parameters, sizeof *self->along);
  self->rule_theta = pf_arena_take(arena, n_rule, sizeof *self->rule_theta);
  self->order = pf_arena_take(arena, n, sizeof *self->order);
  self->first = pf_arena_take(arena, n, sizeof *self->first);
  self->rule_at = pf_arena_take(arena, n_plastic, sizeof *self->rule_at);
  self->unit = pf_arena_take(arena, n_plastic * n, sizeof *self->unit);
  self->is_unit = pf_arena_take(arena, n_plastic, sizeof *self->is_unit);
  return pf_arena_take(arena, n, sizeof(size_t));
}

/** order and n_network. `given` [n]: first_moved() of the caller's directions, filled. */
static void sort_directions(pf_tangents *self, const pf_directions *directions, size_t *given)
{
  const size_t n_theta = self->model->n_parameters;
  double *scratch = self->along + self->n * n_theta;
  size_t placed = 0;
  self->n_network = 0;
  for (size_t k = 0; k < self->n; k++) {
    expand_direction(directions, k, n_theta, scratch);
    given[k] = first_moved(self->model, scratch);
    self->n_network += given[k] == 0 ? 1 : 0;
  }
  for (size_t p = 0; p <= self->model->n_populations; p++) {
    for (size_t k = 0; k < self->n; k++) {
      if (given[k] == p) {
        self->order[placed++] = k;
      }
    }
  }
}

static pf_status prepare_directions(pf_tangents *self, const pf_directions *directions,
                                    pf_error *error)
{
  const pf_model *model = self->model;
  const size_t n = directions->n, n_theta = model->n_parameters;
  for (size_t k = 0; k < n && directions->which != NULL; k++) {
    if (directions->which[k] >= n_theta) {
      return pf_fail(error, PF_STOP, "direction %zu is parameter %zu of %zu", k,
                     directions->which[k], n_theta);
    }
  }
  pf_arena arena = {NULL, 0};
  self->n = n;
  (void)place_directions(self, &arena);
  arena = (pf_arena){pf_pool_need(&self->kept->setup, arena.used, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  size_t *given = place_directions(self, &arena);
  sort_directions(self, directions, given);
  for (size_t k = 0; k < n; k++) {
    expand_direction(directions, self->order[k], n_theta, self->along + k * n_theta);
    self->first[k] = given[self->order[k]] == 0 ? 1 : given[self->order[k]];
  }
  size_t cells = 0;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const size_t n_own = model->plastic[p].declared.parameters.count;
    self->rule_at[p] = cells;
    self->is_unit[p] = true;
    for (size_t k = 0; k < n; k++, cells += n_own) {
      double *own = self->rule_theta + cells;
      memcpy(own, self->along + k * n_theta + model->plastic[p].theta0, n_own * sizeof *own);
      self->is_unit[p] = find_unit(own, n_own, &self->unit[p * n + k]) && self->is_unit[p];
    }
  }
  return PF_OK;
}

pf_status pf_tangents_begin(pf_tangents *self, const pf_information_in *in,
                            const pf_directions *directions, uint32_t *how, pf_error *error)
{
  *self = (pf_tangents){.model = in->model,
                        .draw = in->draw,
                        .theta = in->theta,
                        .workspaces = in->workspaces,
                        .n_workspaces = in->n_workspaces,
                        .kept = pf_sensitivity_of(in->workspaces[0], error),
                        .how = how};
  for (size_t p = 0; p < in->model->n_populations; p++) {
    const size_t own = pf_population_of(in->model, p)->signals.count;
    self->max_signals = own > self->max_signals ? own : self->max_signals;
  }
  return self->kept == NULL ? PF_STOP : prepare_directions(self, directions, error);
}

void pf_tangents_move_all(pf_tangents *self)
{
  for (size_t k = 0; k < self->n; k++) {
    self->first[k] = self->first[k] < self->model->n_populations ? 1 : self->first[k];
  }
}

int64_t pf_tangents_n_active(const pf_tangents *self, int64_t p)
{
  int64_t n = 0;
  while (p > 0 && n < (int64_t)self->n && self->first[n] <= (size_t)p) {
    n++;
  }
  return n;
}

/* ---- planes ---- */

/** Signals of the model among those that a rule sees. */
static void want_seen(const pf_tangents *self, const pf_seen *seen, int64_t population,
                      bool *wanted)
{
  for (size_t s = 0; s < seen->n && population != 0; s++) {
    if (seen->signals[s].kind != PF_SEEN_CHOICE) {
      wanted[(size_t)population * self->max_signals + (size_t)seen->signals[s].signal] = true;
    }
  }
}

const bool *pf_tangents_want(const pf_tangents *self, pf_error *error)
{
  const pf_model *model = self->model;
  const size_t width = self->max_signals, count = model->n_populations * width;
  bool *wanted = pf_pool_need(&self->kept->wanted, count, sizeof *wanted, error);
  if (wanted == NULL) {
    return NULL;
  }
  memset(wanted, 0, count * sizeof *wanted);
  for (size_t k = 0; k < model->n_losses; k++) {
    for (size_t o = 0; o < model->losses[k].declared.observables.count; o++) {
      const pf_observable *info = pf_observable_of(model, model->losses[k].observables[o]);
      wanted[(size_t)info->population * width + (size_t)info->signal] = true;
    }
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *projection = pf_projection_of(model, q);
    wanted[(size_t)projection->pre * width + (size_t)projection->signal] = projection->pre != 0;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_projection *projection = pf_projection_of(model, (size_t)plastic->projection);
    const uint32_t reads = plastic->declared.reads;
    want_seen(self, &plastic->post, projection->post, wanted);
    want_seen(self, &plastic->pre, projection->pre, wanted);
    if (reads == 0 || (reads & PF_READS_POST) != 0) {
      wanted[(size_t)projection->post * width] = true;
    }
  }
  return wanted;
}

pf_status pf_tangents_make_planes(pf_tangents *self, const bool *wanted, int64_t n_populations,
                                  pf_error *error)
{
  const size_t count = self->model->n_populations * self->max_signals;
  self->planes = pf_pool_need(&self->kept->table, count, sizeof *self->planes, error);
  if (self->planes == NULL) {
    return PF_STOP;
  }
  size_t cells = 0;
  for (int pass = 0; pass < 2; pass++) { /* count, then hand out */
    pf_real *memory = NULL;
    if (pass == 1) {
      memory = pf_pool_need(&self->kept->planes, cells, sizeof *memory, error);
      if (memory == NULL) {
        return PF_STOP;
      }
    }
    for (size_t i = 0; i < count; i++) {
      const int64_t p = (int64_t)(i / self->max_signals);
      const pf_activity *activity = &self->workspaces[0]->activity[p];
      pf_planes *planes = &self->planes[i];
      *planes = (pf_planes){.n_active = pf_tangents_n_active(self, p),
                            .ld = activity->n == 1 ? 1 : activity->ld};
      if (p == 0 || p >= n_populations || !wanted[i] || planes->n_active == 0) {
        continue;
      }
      const size_t own = (size_t)(self->draw->n_steps * planes->n_active * planes->ld);
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

/* ---- differences ---- */

double pf_difference_step(const double *values, const double *along, size_t n, double relative)
{
  double step = INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (along[i] != 0.0) {
      step = fmin(step, relative * fmax(fabs(values[i]), 1.0) / fabs(along[i]));
    }
  }
  return step;
}
