#include "core/closed_loop/redraw.h"

#include "core/base/memory.h"
#include "core/engine/losses.h"
#include "core/engine/simulation.h"
#include "core/engine/workspace.h"

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
static pf_status ask(const asking *a, const pf_loss_view *view, int64_t value, double share,
                     pf_error *error)
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

typedef struct segments {
  const pf_draw *const *draws;
  size_t n;
  const double *theta;
  pf_workspace *workspace;
} segments;

/*
 * The cumulative probabilities of loss k, value by value. Every value asks all draws: a run each,
 * where there are several, because one workspace holds one.
 */
static pf_status tabulate(pf_redraw *self, size_t k, const segments *over, pf_error *error)
{
  const size_t cells = (size_t)cells_of(self, k);
  asking a = {
      .self = self, .loss = k, .columns = columns_of(self, k), .n_steps = self->draw->n_steps};
  size_t capacity = 4;
  pf_status status = need_counts(self, k, error);
  if (status != PF_OK) {
    return status;
  }
  a.target = pf_memory_need(cells, sizeof *a.target, error);
  a.log_likelihood = pf_memory_need((size_t)a.n_steps, sizeof *a.log_likelihood, error);
  a.count = pf_memory_need((size_t)a.n_steps, sizeof *a.count, error);
  a.sums = pf_memory_need(cells, sizeof *a.sums, error);
  self->table[k] = pf_memory_need(capacity * cells, sizeof *self->table[k], error);
  status = a.target == NULL || a.log_likelihood == NULL || a.count == NULL || a.sums == NULL ||
                   self->table[k] == NULL
               ? PF_STOP
               : PF_OK;
  bool whole = false;
  for (int64_t value = 0; status == PF_OK && !whole; value++) {
    if (value == MAX_VALUES) {
      status = no_probabilities(self, k, error);
      break;
    }
    for (size_t d = 0; d < over->n && status == PF_OK; d++) {
      pf_loss_view view;
      if (over->n > 1 || (value == 0 && k == 0)) {
        status = pf_forward(
            &(const pf_simulation){self->model, over->draws[d], over->theta, {&over->workspace, 1}},
            PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
      }
      if (status == PF_OK) {
        pf_losses_view(over->workspace, k, over->draws[d], over->theta, &view);
        status = ask(&a, &view, value, 1.0 / (double)over->n, error);
      }
    }
    if (status == PF_OK && (size_t)value == capacity) {
      double *larger = pf_memory_need(2 * capacity * cells, sizeof *larger, error);
      if (larger == NULL) {
        status = PF_STOP;
        break;
      }
      memcpy(larger, self->table[k], capacity * cells * sizeof *larger);
      pf_memory_free(self->table[k]);
      self->table[k] = larger;
      capacity *= 2;
    }
    if (status == PF_OK) {
      memcpy(self->table[k] + (size_t)value * cells, a.sums, cells * sizeof *a.sums);
      self->n_values[k] = value + 1;
      status = is_whole(&a, &whole, error);
    }
  }
  pf_memory_free(a.target);
  pf_memory_free(a.log_likelihood);
  pf_memory_free(a.count);
  pf_memory_free(a.sums);
  return status;
}

static pf_status average(pf_redraw *self, size_t k, double variance, const segments *over,
                         pf_error *error)
{
  const int64_t columns = columns_of(self, k);
  self->sd[k] = sqrt(variance);
  self->table[k] = pf_memory_need((size_t)cells_of(self, k), sizeof *self->table[k], error);
  pf_status status = self->table[k] == NULL ? PF_STOP : PF_OK;
  for (size_t d = 0; d < over->n && status == PF_OK; d++) {
    if (over->n > 1 || k == 0) {
      status = pf_forward(
          &(const pf_simulation){self->model, over->draws[d], over->theta, {&over->workspace, 1}},
          PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
    }
    pf_loss_view view;
    if (status == PF_OK) {
      pf_losses_view(over->workspace, k, over->draws[d], over->theta, &view);
      if (view.n_observable[0] != columns || !isfinite(self->sd[k])) {
        status = pf_fail(error, PF_POINT_FAILED,
                         "targets of %s cannot be drawn anew: its noise is not known",
                         self->model->losses[k].loss->label);
      }
    }
    for (int64_t t = 0; t < self->draw->n_steps && status == PF_OK; t++) {
      for (int64_t c = 0; c < columns; c++) {
        self->table[k][t * columns + c] +=
            (double)view.observable[0][t * view.ld_observable[0] + c] / (double)over->n;
      }
    }
  }
  return status;
}

pf_status pf_redraw_create(const pf_model *model, const pf_draw *const *draws, size_t n_draws,
                           const double *theta, const double *variance, pf_workspace *workspace,
                           pf_redraw *out, pf_error *error)
{
  const segments over = {.draws = draws, .n = n_draws, .theta = theta, .workspace = workspace};
  *out = (pf_redraw){.model = model,
                     .draw = draws[0],
                     .n_values = pf_memory_need(model->n_losses, sizeof *out->n_values, error),
                     .table = pf_memory_need(model->n_losses, sizeof *out->table, error),
                     .sd = pf_memory_need(model->n_losses, sizeof *out->sd, error)};
  pf_status status =
      out->n_values == NULL || out->table == NULL || out->sd == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < model->n_losses && status == PF_OK; k++) {
    const pf_loss_declaration *declared = &model->losses[k].declared;
    for (size_t other = 0; other < k && status == PF_OK; other++) {
      if (strcmp(model->losses[other].declared.targets.items[0], declared->targets.items[0]) == 0) {
        status = pf_fail(error, PF_POINT_FAILED,
                         "targets cannot be drawn anew: two losses compare with '%s'",
                         declared->targets.items[0]);
      }
    }
    if (status == PF_OK && declared->targets.count != 1) {
      status = pf_fail(error, PF_POINT_FAILED,
                       "targets of %s cannot be drawn anew: it compares with %zu at once",
                       model->losses[k].loss->label, declared->targets.count);
    }
    if (status == PF_OK) {
      status = (declared->flags & PF_LOSS_LIKELIHOOD) != 0
                   ? tabulate(out, k, &over, error)
                   : average(out, k, variance[k], &over, error);
    }
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

pf_status pf_redraw_copy(const pf_model *model, const pf_draw *draw, pf_draw **out, pf_error *error)
{
  pf_draw *copy = pf_memory_need(1, sizeof *copy, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  *copy = *draw;
  copy->targets = pf_memory_need(model->n_losses, sizeof *copy->targets, error);
  pf_status status = copy->targets == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < model->n_losses && status == PF_OK; k++) {
    const pf_names *names = &model->losses[k].declared.targets;
    copy->targets[k] = pf_memory_need(names->count, sizeof **copy->targets, error);
    status = copy->targets[k] == NULL ? PF_STOP : PF_OK;
    for (size_t i = 0; i < names->count && status == PF_OK; i++) {
      const size_t cells =
          (size_t)(draw->n_steps * pf_recording_target(draw->recording, names->items[i])->n) *
          sizeof(pf_real);
      copy->targets[k][i] = pf_memory_need(cells, 1, error);
      if (copy->targets[k][i] == NULL) {
        status = PF_STOP;
      } else {
        memcpy(copy->targets[k][i], draw->targets[k][i], cells);
      }
    }
  }
  if (status != PF_OK) {
    pf_redraw_free(model, copy);
    return status;
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
