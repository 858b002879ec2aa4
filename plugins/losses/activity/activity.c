/*
 * activity - minus the squared error of recorded activity, per step:
 *
 *     ll = - sum over recorded cells i of weight_i (o_i - target_i)^2
 *
 * A cell is recorded where its target is not NaN and, with option `units`,
 * where its unit is listed. Its weight is 1 / sem^2 with options `sem` and
 * `unit_sem`, a number of the data with `cell_weight`, else 1.
 */
#include "cell_weights.h"

#include <plastfit/author/simd.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct activity_loss {
  const pf_host *host;
  char *observable, *target; /**< names, owned */
  const char *observables[1], *targets[2];
  cell_weights weights;
  int64_t *units; /**< [n_units] ascending, or NULL: all */
  int64_t n_units;
} activity_loss;

static const pf_option activity_options[] = {
    {.name = "observable",
     .type = PF_TYPE_STRING,
     .fallback = "\"activity\"",
     .help = "of the network; \"activity\" is the first plastic layer's"},
    {.name = "target",
     .type = PF_TYPE_STRING,
     .fallback = "\"activity\"",
     .help = "of the data: what was recorded, as wide as the observable"},
    {.name = "units",
     .type = PF_TYPE_INTEGERS,
     .lower = 0,
     .upper = 1e9,
     .help = "recorded units, counted from 0; if absent, all"},
    {.name = "sem",
     .type = PF_TYPE_STRING,
     .help = "a target of the data: the standard error of each cell, or one a step for all units; "
             "squared errors are divided by its square"},
    {.name = "unit_sem",
     .type = PF_TYPE_REALS,
     .lower = 0,
     .upper = INFINITY,
     .help = "instead: the standard error of each unit"},
    {.name = "cell_weight",
     .type = PF_TYPE_STRING,
     .help = "instead: a target of the data, by which squared errors are multiplied, as the number "
             "of repetitions that a mean is of"},
};

/* ---- life ---- */

static void activity_destroy(void *self)
{
  activity_loss *loss = self;
  if (loss == NULL) {
    return;
  }
  const pf_host *host = loss->host;
  host->release(host, loss->observable);
  host->release(host, loss->target);
  host->release(host, loss->units);
  host->release(host, loss->weights.name);
  host->release(host, loss->weights.of_unit);
  host->release(host, loss);
}

static char *activity_copy(const pf_host *host, const char *text)
{
  const size_t bytes = strlen(text) + 1;
  char *copy = host->allocate(host, bytes);
  if (copy != NULL) {
    memcpy(copy, text, bytes);
  }
  return copy;
}

static int activity_ascending(const void *a, const void *b)
{
  const int64_t left = *(const int64_t *)a;
  const int64_t right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static pf_status activity_read_units(activity_loss *loss, const pf_options *options,
                                     pf_error *error)
{
  if (!options->present(options, "units")) {
    return PF_OK;
  }
  loss->n_units = options->length(options, "units");
  if (loss->n_units == 0) {
    return pf_fail_key(error, PF_STOP, "units",
                       "an empty list: no unit would count; list some, or leave the key out");
  }
  loss->units = loss->host->allocate(loss->host, (size_t)loss->n_units * sizeof *loss->units);
  if (loss->units == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  for (int64_t k = 0; k < loss->n_units; k++) {
    loss->units[k] = options->integer_at(options, "units", k);
  }
  qsort(loss->units, (size_t)loss->n_units, sizeof *loss->units, activity_ascending);
  for (int64_t k = 0; k < loss->n_units; k++) {
    if (loss->units[k] < 0) {
      return pf_fail_key(error, PF_STOP, "units", "unit %lld; units are counted from 0",
                         (long long)loss->units[k]);
    }
    if (k > 0 && loss->units[k] == loss->units[k - 1]) {
      return pf_fail_key(error, PF_STOP, "units", "unit %lld is listed twice",
                         (long long)loss->units[k]);
    }
  }
  return PF_OK;
}

static pf_status activity_read_unit_sem(activity_loss *loss, const pf_options *options,
                                        pf_error *error)
{
  cell_weights *weights = &loss->weights;
  weights->n_units = options->length(options, "unit_sem");
  weights->of_unit =
      loss->host->allocate(loss->host, (size_t)(weights->n_units + 1) * sizeof *weights->of_unit);
  if (weights->of_unit == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  for (int64_t i = 0; i < weights->n_units; i++) {
    const double sem = options->real_at(options, "unit_sem", i);
    if (!(sem > 0.0)) {
      return pf_fail_key(error, PF_STOP, "unit_sem",
                         "found %g for unit %lld, expected a standard error above 0", sem,
                         (long long)i);
    }
    weights->of_unit[i] = 1.0 / (sem * sem);
  }
  return PF_OK;
}

static pf_status activity_read_weights(activity_loss *loss, const pf_options *options,
                                       pf_error *error)
{
  static const char *const keys[] = {
      [CELLS_BY_SEM] = "sem", [CELLS_BY_WEIGHT] = "cell_weight", [CELLS_BY_UNIT] = "unit_sem"};
  cell_weights *weights = &loss->weights;
  for (int by = CELLS_BY_SEM; by <= CELLS_BY_UNIT; by++) {
    if (!options->present(options, keys[by])) {
      continue;
    }
    if (weights->by != CELLS_ALIKE) {
      return pf_fail_key(error, PF_STOP, keys[by],
                         "%s says already what a cell weighs; leave one of them out",
                         keys[weights->by]);
    }
    weights->by = (enum cell_weights_by)by;
  }
  if (weights->by == CELLS_ALIKE) {
    return PF_OK;
  }
  if (weights->by == CELLS_BY_UNIT) {
    return activity_read_unit_sem(loss, options, error);
  }
  weights->name = activity_copy(loss->host, options->string(options, keys[weights->by]));
  return weights->name != NULL ? PF_OK : pf_fail(error, PF_STOP, "out of memory for a loss");
}

static pf_status activity_create(const pf_host *host, const pf_options *options, void **self,
                                 pf_error *error)
{
  activity_loss *loss = host->allocate(host, sizeof *loss);
  if (loss == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a loss");
  }
  loss->host = host;
  loss->observable = activity_copy(host, options->string(options, "observable"));
  loss->target = activity_copy(host, options->string(options, "target"));
  pf_status status = PF_OK;
  if (loss->observable == NULL || loss->target == NULL) {
    status = pf_fail(error, PF_STOP, "out of memory for a loss");
  } else {
    status = activity_read_units(loss, options, error);
  }
  if (status == PF_OK) {
    status = activity_read_weights(loss, options, error);
  }
  if (status != PF_OK) {
    activity_destroy(loss);
    return status;
  }
  loss->observables[0] = loss->observable;
  loss->targets[0] = loss->target;
  loss->targets[1] = loss->weights.name;
  *self = loss;
  return PF_OK;
}

static pf_status activity_declare(const void *self, pf_loss_declaration *declared, pf_error *error)
{
  const activity_loss *loss = self;
  (void)error;
  declared->parameters = (pf_parameter_table){NULL, 0, sizeof(pf_parameter)};
  declared->observables = (pf_names){loss->observables, 1};
  declared->targets = (pf_names){loss->targets, loss->weights.name != NULL ? 2 : 1};
  declared->padded = 0.0;
  declared->n_null_sums = 2; /* weights of recorded cells, weighted sum of them */
  /* `units` counts columns from the first; a range of them, evaluated apart, would not say where it
   * starts */
  declared->flags = loss->weights.by != CELLS_ALIKE ? (uint32_t)PF_LOSS_UNEQUAL_CELLS
                    : loss->units == NULL           ? (uint32_t)PF_LOSS_SEPARABLE_BY_UNIT
                                                    : 0;
  return PF_OK;
}

/* ---- evaluation ---- */

static pf_status activity_check(const activity_loss *loss, const pf_loss_in *in, pf_error *error)
{
  if (in->observable != NULL && in->n_observable[0] != in->n_target[0]) {
    return pf_fail(
        error, PF_STOP,
        "observable \"%s\" has %lld units, but target \"%s\" has %lld; they must be the same "
        "(NaN marks what was not recorded)",
        loss->observable, (long long)in->n_observable[0], loss->target, (long long)in->n_target[0]);
  }
  if (loss->n_units > 0 && loss->units[loss->n_units - 1] >= in->n_target[0]) {
    return pf_fail_key(
        error, PF_STOP, "units", "unit %lld, but target \"%s\" has %lld units, counted from 0",
        (long long)loss->units[loss->n_units - 1], loss->target, (long long)in->n_target[0]);
  }
  if (loss->weights.by == CELLS_BY_UNIT && loss->weights.n_units != in->n_target[0]) {
    return pf_fail_key(error, PF_STOP, "unit_sem",
                       "found %lld standard errors, but target \"%s\" has %lld units; give one for "
                       "each",
                       (long long)loss->weights.n_units, loss->target, (long long)in->n_target[0]);
  }
  if (loss->weights.name != NULL && in->n_target[1] != 1 && in->n_target[1] != in->n_target[0]) {
    return pf_fail(
        error, PF_STOP,
        "target \"%s\" has %lld columns, but target \"%s\" has %lld; expected as many, or "
        "one for all of them",
        loss->weights.name, (long long)in->n_target[1], loss->target, (long long)in->n_target[0]);
  }
  return PF_OK;
}

PF_INLINE int activity_counts(const pf_loss_in *in, int64_t t)
{
  return in->scored == NULL || in->scored[t] != 0;
}

/** Goes on from *i to the next unit that the loss looks at; false at the end. */
static int activity_next_unit(const activity_loss *loss, const pf_loss_in *in, int64_t *k,
                              int64_t *i)
{
  const int64_t n = loss->units == NULL ? in->n_target[0] : loss->n_units;
  if (*k >= n) {
    return 0;
  }
  *i = loss->units == NULL ? *k : loss->units[*k];
  (*k)++;
  return 1;
}

/** Every recorded cell has a standard error or a weight above 0. */
static pf_status activity_check_cells(const activity_loss *loss, const pf_loss_in *in,
                                      pf_error *error)
{
  if (loss->weights.name == NULL) {
    return PF_OK;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *target = in->target[0] + t * in->ld_target[0];
    for (int64_t k = 0, i = 0; activity_counts(in, t) && activity_next_unit(loss, in, &k, &i);) {
      const double number = target[i] == target[i] ? cell_number(in, t, i) : 1.0;
      if (!(number > 0.0 && isfinite(number))) {
        return pf_fail(
            error, PF_STOP,
            "target \"%s\" was recorded at unit %lld, but its \"%s\" there is "
            "%g, expected a number above 0 (leave the cell of \"%s\" empty to leave it out)",
            loss->target, (long long)i + 1, loss->weights.name, number, loss->target);
      }
    }
  }
  return PF_OK;
}

/** A squared error has curvature 2 in every recorded cell, times its weight. */
static pf_status activity_whiten(const void *self, const pf_loss_in *in,
                                 const pf_loss_tangent *tangent, const pf_loss_roots *out,
                                 pf_error *error)
{
  const activity_loss *loss = self;
  if (activity_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t d = 0; d < tangent->n_tangents; d++) {
    const pf_real *plane =
        tangent->observable[0] == NULL ? NULL : tangent->observable[0] + d * tangent->stride[0];
    for (int64_t t = 0; t < in->n_steps; t++) {
      pf_real *to = out->root + d * out->stride + t * out->ld;
      memset(to, 0, (size_t)in->n_target[0] * sizeof *to);
      if (plane == NULL || !activity_counts(in, t)) {
        continue;
      }
      const pf_real *target = in->target[0] + t * in->ld_target[0];
      const pf_real *along = plane + t * in->ld_observable[0];
      for (int64_t k = 0, i = 0; activity_next_unit(loss, in, &k, &i);) {
        if (target[i] == target[i]) {
          to[i] = (pf_real)(sqrt(2.0 * cell_weight(&loss->weights, in, t, i)) * (double)along[i]);
        }
      }
    }
  }
  return PF_OK;
}

/* ---- mean rate: each unit's mean ---- */

static pf_status activity_null_accumulate(const void *self, const pf_loss_in *in, double *null_sums,
                                          pf_error *error)
{
  const activity_loss *loss = self;
  if (activity_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *target = in->target[0] + t * in->ld_target[0];
    for (int64_t k = 0, i = 0; activity_counts(in, t) && activity_next_unit(loss, in, &k, &i);) {
      if (target[i] == target[i]) {
        const double weight = cell_weight(&loss->weights, in, t, i);
        null_sums[2 * i] += weight;
        null_sums[2 * i + 1] += weight * (double)target[i];
      }
    }
  }
  return PF_OK;
}

static pf_status activity_null_evaluate(const void *self, const pf_loss_in *in,
                                        const double *null_sums, double *log_likelihood,
                                        pf_error *error)
{
  const activity_loss *loss = self;
  if (activity_check(loss, in, error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < in->n_steps; t++) {
    const pf_real *target = in->target[0] + t * in->ld_target[0];
    double sum = 0.0;
    for (int64_t k = 0, i = 0; activity_counts(in, t) && activity_next_unit(loss, in, &k, &i);) {
      if (target[i] == target[i]) {
        const double e = null_sums[2 * i + 1] / null_sums[2 * i] -
                         (double)target[i]; /* never tallied: 0 / 0, there is no null */
        sum += cell_weight(&loss->weights, in, t, i) * e * e;
      }
    }
    log_likelihood[t] = sum > 0.0 || sum != sum ? -sum : 0.0;
  }
  return PF_OK;
}

#define PF_ISA baseline
#include "activity_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "activity_ops.h"
#endif

PF_PLUGIN_ENTRY(activity)
{
  return PF_ISA_CHOOSE(activity_plugin);
}
