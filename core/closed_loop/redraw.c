#include "core/closed_loop/redraw.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/state/losses.h"
#include "core/state/workspace.h"

#include <math.h>
#include <string.h>

enum { MAX_VALUES = 4096 }; /* of a count; far beyond, its mean is not one of a neuron's spikes */
static const double tail = 1e-9;     /* probability of larger counts, which are never drawn */
static const double over_one = 1e-6; /* more than 1 by this: what was given are no probabilities */

static int64_t columns_of(const pf_redraw *self, size_t k)
{
  return pf_recording_target(self->draw->recording,
                             self->model->losses[k].declared.targets.items[0])
      ->n;
}

static int64_t cells_of(const pf_redraw *self, size_t k)
{
  return self->draw->n_steps * columns_of(self, k);
}

/* ---- probabilities ---- */

typedef struct asking {
  const pf_redraw *self;
  size_t loss;
  int64_t columns, n_steps;
  pf_real *target;        /* [n_steps][columns] */
  double *log_likelihood; /* [n_steps] */
  int64_t *count;
  double *sums; /* [cells] cumulative probability so far */
} asking;

/* Adds the probability that each target is `value`, by the run in the workspace, times `share`. */
static pf_status add_probability(const asking *a, const pf_loss_view *view, int64_t value,
                                 double share, pf_error *error)
{
  const pf_loss_term *term = &a->self->model->losses[a->loss];
  const pf_real *recorded = a->self->draw->targets[a->loss][0];
  pf_loss_view asked = *view;
  asked.in.observable = asked.observable;
  asked.in.n_observable = asked.n_observable;
  asked.in.ld_observable = asked.ld_observable;
  asked.in.n_target = asked.n_target;
  asked.in.ld_target = asked.ld_target;
  asked.in.target = asked.target;
  asked.in.scored = NULL;
  asked.target[0] = a->target;
  for (int64_t column = 0; column < a->columns;
       column++) { /* one at a time: steps are sums over columns */
    for (int64_t t = 0; t < a->n_steps; t++) {
      for (int64_t c = 0; c < a->columns; c++) {
        const bool here = c == column && !isnan(recorded[t * a->columns + c]);
        a->target[t * a->columns + c] = here ? (pf_real)value : (pf_real)NAN;
      }
    }
    const pf_status status = term->loss->plugin->loss->evaluate(term->loss->self, &asked.in,
                                                                a->log_likelihood, a->count, error);
    if (status != PF_OK) {
      return status;
    }
    for (int64_t t = 0; t < a->n_steps; t++) {
      a->sums[t * a->columns + column] += a->count[t] > 0 ? share * exp(a->log_likelihood[t]) : 0.0;
    }
  }
  return PF_OK;
}

static pf_status no_probabilities(const pf_redraw *self, size_t k, pf_error *error)
{
  return pf_fail(
      error, PF_POINT_FAILED,
      "targets of %s cannot be drawn anew: its likelihoods of 0, 1, 2, ... do not add up to 1",
      self->model->losses[k].loss->label);
}

/* Do all recorded cells have their whole probability? */
static pf_status is_whole(const asking *a, bool *whole, pf_error *error)
{
  const pf_real *recorded = a->self->draw->targets[a->loss][0];
  *whole = true;
  for (int64_t i = 0; i < a->n_steps * a->columns; i++) {
    if (!isnan(recorded[i])) {
      *whole = *whole && a->sums[i] >= 1.0 - tail;
      if (!(a->sums[i] <= 1.0 + over_one)) {
        return no_probabilities(a->self, a->loss, error);
      }
    }
  }
  return PF_OK;
}

static pf_status need_counts(const pf_redraw *self, size_t k, pf_error *error)
{
  const pf_real *recorded = self->draw->targets[k][0];
  for (int64_t i = 0; i < cells_of(self, k); i++) {
    if (!isnan(recorded[i]) && !(recorded[i] >= 0.0 && recorded[i] == floor((double)recorded[i]))) {
      return pf_fail(error, PF_POINT_FAILED,
                     "targets of %s cannot be drawn anew: %g is recorded, and only choices, "
                     "categories and counts "
                     "(0, 1, 2, ...) can, or what a squared error compares",
                     self->model->losses[k].loss->label, (double)recorded[i]);
    }
  }
  return PF_OK;
}

/* ---- a run of each draw, and what is read off it ---- */

/* Simulates draw d, where it does not stand in the workspace already (`fresh`), and takes its view
 * for loss k. */
static pf_status view_draw(const pf_redraw_in *over, size_t k, size_t d, bool fresh,
                           pf_loss_view *view, pf_error *error)
{
  if (over->n_draws > 1 || fresh) {
    const pf_simulation run = {over->model, over->draws[d], over->theta, {&over->workspace, 1}};
    const pf_status status = pf_forward(&run, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
    if (status != PF_OK) {
      return status;
    }
  }
  pf_losses_view(over->workspace, k, over->draws[d], over->theta, view);
  return PF_OK;
}

/* One more value of loss a->loss in the table. Every value asks all draws: a run each, where there
 * are several, because one workspace holds one. */
static pf_status tabulate_value(pf_redraw *self, const asking *a, const pf_redraw_in *over,
                                pf_array *table, pf_error *error)
{
  const size_t k = a->loss, cells = (size_t)cells_of(self, k);
  for (size_t d = 0; d < over->n_draws; d++) {
    pf_loss_view view;
    const bool fresh = self->n_values[k] == 0 && k == 0;
    pf_status status = view_draw(over, k, d, fresh, &view, error);
    if (status != PF_OK) {
      return status;
    }
    status = add_probability(a, &view, self->n_values[k], 1.0 / (double)over->n_draws, error);
    if (status != PF_OK) {
      return status;
    }
  }
  self->n_values[k]++;
  return pf_array_append_all(table, a->sums, cells, error);
}

/* The cumulative probabilities of loss k, value by value. */
static pf_status tabulate_values(pf_redraw *self, size_t k, const pf_redraw_in *over,
                                 pf_error *error)
{
  const size_t cells = (size_t)cells_of(self, k);
  asking a = {
      .self = self, .loss = k, .columns = columns_of(self, k), .n_steps = self->draw->n_steps};
  pf_array table = pf_array_of(sizeof(double));
  bool whole = false;
  pf_status status = need_counts(self, k, error);
  if (status != PF_OK) {
    return status;
  }
  a.target = pf_memory_need(cells, sizeof *a.target, error);
  a.log_likelihood = pf_memory_need((size_t)a.n_steps, sizeof *a.log_likelihood, error);
  a.count = pf_memory_need((size_t)a.n_steps, sizeof *a.count, error);
  a.sums = pf_memory_need(cells, sizeof *a.sums, error);
  if (a.target == NULL || a.log_likelihood == NULL || a.count == NULL || a.sums == NULL) {
    status = PF_STOP;
    goto done;
  }
  while (!whole) {
    if (self->n_values[k] == MAX_VALUES) {
      status = no_probabilities(self, k, error);
      goto done;
    }
    status = tabulate_value(self, &a, over, &table, error);
    if (status != PF_OK) {
      goto done;
    }
    status = is_whole(&a, &whole, error);
    if (status != PF_OK) {
      goto done;
    }
  }
  self->table[k] = pf_array_take(&table, NULL);
done:
  pf_array_free(&table);
  pf_memory_free(a.target);
  pf_memory_free(a.log_likelihood);
  pf_memory_free(a.count);
  pf_memory_free(a.sums);
  return status;
}

/* The mean of what loss k compares with, over draws. */
static pf_status average_draws(pf_redraw *self, size_t k, const pf_redraw_in *over, pf_error *error)
{
  const int64_t columns = columns_of(self, k);
  self->sd[k] = sqrt(over->variance[k]);
  self->table[k] = pf_memory_need((size_t)cells_of(self, k), sizeof *self->table[k], error);
  if (self->table[k] == NULL) {
    return PF_STOP;
  }
  for (size_t d = 0; d < over->n_draws; d++) {
    pf_loss_view view;
    const pf_status status = view_draw(over, k, d, k == 0, &view, error);
    if (status != PF_OK) {
      return status;
    }
    if (view.n_observable[0] != columns || !isfinite(self->sd[k])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "targets of %s cannot be drawn anew: its noise is not known",
                     self->model->losses[k].loss->label);
    }
    for (int64_t t = 0; t < self->draw->n_steps; t++) {
      for (int64_t c = 0; c < columns; c++) {
        self->table[k][t * columns + c] +=
            (double)view.observable[0][t * view.ld_observable[0] + c] / (double)over->n_draws;
      }
    }
  }
  return PF_OK;
}

/* One target, which no loss before compares with. */
static pf_status check_target(const pf_model *model, size_t k, pf_error *error)
{
  const pf_names *targets = &model->losses[k].declared.targets;
  for (size_t other = 0; other < k; other++) {
    if (strcmp(model->losses[other].declared.targets.items[0], targets->items[0]) == 0) {
      return pf_fail(error, PF_POINT_FAILED,
                     "targets cannot be drawn anew: two losses compare with '%s'",
                     targets->items[0]);
    }
  }
  if ((model->losses[k].declared.flags & PF_LOSS_UNEQUAL_CELLS) != 0) {
    return pf_fail(error, PF_POINT_FAILED,
                   "targets of %s cannot be drawn anew: its cells have weights of their own; use "
                   "the intervals fisher, profile or sandwich",
                   model->losses[k].loss->label);
  }
  if (targets->count != 1) {
    return pf_fail(error, PF_POINT_FAILED,
                   "targets of %s cannot be drawn anew: it compares with %zu at once",
                   model->losses[k].loss->label, targets->count);
  }
  return PF_OK;
}

static pf_status prepare_losses(pf_redraw *self, const pf_redraw_in *over, pf_error *error)
{
  for (size_t k = 0; k < self->model->n_losses; k++) {
    const bool is_likelihood = (self->model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) != 0;
    pf_status status = check_target(self->model, k, error);
    if (status != PF_OK) {
      return status;
    }
    status =
        is_likelihood ? tabulate_values(self, k, over, error) : average_draws(self, k, over, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_redraw_create(const pf_redraw_in *in, pf_redraw *out, pf_error *error)
{
  const size_t n = in->model->n_losses;
  *out = (pf_redraw){.model = in->model,
                     .draw = in->draws[0],
                     .n_values = pf_memory_need(n, sizeof *out->n_values, error),
                     .table = pf_memory_need(n, sizeof *out->table, error),
                     .sd = pf_memory_need(n, sizeof *out->sd, error)};
  pf_status status = PF_STOP;
  if (out->n_values != NULL && out->table != NULL && out->sd != NULL) {
    status = prepare_losses(out, in, error);
  }
  if (status != PF_OK) {
    pf_redraw_clear(out);
  }
  return status;
}

void pf_redraw_clear(pf_redraw *redraw)
{
  for (size_t k = 0; redraw->table != NULL && k < redraw->model->n_losses; k++) {
    pf_memory_free(redraw->table[k]);
  }
  pf_memory_free(redraw->table);
  pf_memory_free(redraw->n_values);
  pf_memory_free(redraw->sd);
  *redraw = (pf_redraw){0};
}

/* ---- drawing ---- */

pf_status pf_redraw_targets(const pf_redraw *redraw, pf_stream stream, pf_draw *draw,
                            pf_error *error)
{
  uint64_t first = 0;
  for (size_t k = 0; k < redraw->model->n_losses; k++) {
    const int64_t cells = cells_of(redraw, k);
    const pf_real *recorded = redraw->draw->targets[k][0];
    pf_real *target = draw->targets[k][0];
    double *numbers = pf_memory_need((size_t)cells, sizeof *numbers, error);
    if (numbers == NULL) {
      return PF_STOP;
    }
    if (redraw->n_values[k] == 0) {
      pf_random_normal(stream, first, cells, numbers);
    } else {
      pf_random_uniform(stream, first, cells, numbers);
    }
    for (int64_t i = 0; i < cells; i++) {
      if (isnan(recorded[i])) {
        target[i] = recorded[i];
      } else if (redraw->n_values[k] == 0) {
        target[i] = (pf_real)(redraw->table[k][i] + redraw->sd[k] * numbers[i]);
      } else {
        int64_t value = 0;
        while (value + 1 < redraw->n_values[k] &&
               numbers[i] >= redraw->table[k][value * cells + i]) {
          value++;
        }
        target[i] = (pf_real)value;
      }
    }
    first += 2 * (uint64_t)cells; /* normal numbers come in pairs */
    pf_memory_free(numbers);
  }
  return PF_OK;
}

/* The targets of loss k, into copy->targets[k]. */
static pf_status copy_targets(const pf_model *model, const pf_draw *draw, size_t k, pf_draw *copy,
                              pf_error *error)
{
  const pf_names *names = &model->losses[k].declared.targets;
  copy->targets[k] = pf_memory_need(names->count, sizeof **copy->targets, error);
  if (copy->targets[k] == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < names->count; i++) {
    const int64_t width = pf_recording_target(draw->recording, names->items[i])->n;
    const size_t bytes = (size_t)(draw->n_steps * width) * sizeof(pf_real);
    copy->targets[k][i] = pf_memory_need(bytes, 1, error);
    if (copy->targets[k][i] == NULL) {
      return PF_STOP;
    }
    memcpy(copy->targets[k][i], draw->targets[k][i], bytes);
  }
  return PF_OK;
}

pf_status pf_redraw_copy(const pf_model *model, const pf_draw *draw, pf_draw **out, pf_error *error)
{
  pf_draw *copy = pf_memory_need(1, sizeof *copy, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  *copy = *draw;
  copy->targets = pf_memory_need(model->n_losses, sizeof *copy->targets, error);
  if (copy->targets == NULL) {
    pf_redraw_free(model, copy);
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    if (copy_targets(model, draw, k, copy, error) != PF_OK) {
      pf_redraw_free(model, copy);
      return PF_STOP;
    }
  }
  *out = copy;
  return PF_OK;
}

void pf_redraw_free(const pf_model *model, pf_draw *copy)
{
  if (copy == NULL) {
    return;
  }
  for (size_t k = 0; copy->targets != NULL && k < model->n_losses; k++) {
    for (size_t i = 0; copy->targets[k] != NULL && i < model->losses[k].declared.targets.count;
         i++) {
      pf_memory_free(copy->targets[k][i]);
    }
    pf_memory_free(copy->targets[k]);
  }
  pf_memory_free(copy->targets);
  pf_memory_free(copy);
}
