#include "core/ranking/compare_table.h"

#include "core/base/memory.h"
#include "core/evaluate/averages.h"
#include "core/ranking/compare_words.h"

#include <math.h>
#include <string.h>

/** A comparison while its table is made. */
typedef struct table {
  pf_comparison *comparison;
  double *a, *b, *scratch; /* [n_animals] */
  /* [n_animals] what an animal weighs in means of a and b, and in those of figures per cell */
  double *a_weights, *b_weights, *cell_weights;
} table;

/** Which figure a bootstrap is of. Streams go by it, so the same animals are drawn for a candidate
 * whatever else is compared. */
enum boot {
  BOOT_SCORE = 1,
  BOOT_NO_PLASTICITY,
  BOOT_MEAN_RATE,
  BOOT_BASE,
  BOOT_BEST,
  BOOT_BASELINES /* and behind it */
};

static pf_compare_figures *figures_of(const table *t, size_t candidate, uint32_t validation)
{
  return &t->comparison->candidates[candidate].figures[validation];
}

/** Values [n_animals], what each weighs (all alike in a validation that is not pooled), and where
 * their mean goes. */
typedef struct averaged {
  const double *values, *weights;
  uint32_t validation;
  enum boot boot;
  pf_interval *to;
} averaged;

/** The mean over animals, with its interval. */
static pf_status estimate_interval(const table *t, size_t candidate, const averaged *of,
                                   pf_error *error)
{
  const pf_bootstrap how = {.stream = {.seed = t->comparison->seed,
                                       .purpose = PF_RANDOM_BOOTSTRAP,
                                       .animal = (uint32_t)candidate,
                                       .draw = 16U * of->validation + (uint32_t)of->boot},
                            .weights = t->comparison->pooled[of->validation] ? of->weights : NULL};
  return pf_stats_bootstrap_mean(&how, of->values, t->comparison->n_animals, of->to, error);
}

/* ---- one candidate in one validation ---- */

/** Sums over the folds of one animal; NaN where a fold failed. */
typedef struct fold_sums {
  double model, no_plasticity, mean_rate, baselines[PF_N_BASELINES];
  int64_t n;
  uint32_t verdict; /* enum pf_fit_verdict: the worst of the folds */
  bool any;         /* is there a fold? */
} fold_sums;

static bool is_row_of(const pf_compare_row *row, size_t candidate, uint32_t validation,
                      uint32_t ablation)
{
  return row->candidate == candidate && row->validation == validation && row->ablation == ablation;
}

static fold_sums sum_folds(const pf_comparison *comparison, size_t candidate, uint32_t validation,
                           uint32_t ablation, size_t animal)
{
  fold_sums out = {0};
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    if (row->animal == animal && is_row_of(row, candidate, validation, ablation)) {
      out.any = true;
      out.model += row->log_likelihood;
      out.no_plasticity += row->no_plasticity;
      out.mean_rate += row->mean_rate;
      for (size_t b = 0; b < PF_N_BASELINES; b++) {
        out.baselines[b] += row->baselines[b];
      }
      out.n += row->n;
      out.verdict = row->verdict > out.verdict ? row->verdict : out.verdict;
    }
  }
  return out;
}

/** Of an animal that counts: NaN where a fit of it is nothing to rest a claim on. */
static double score_per_cell(const fold_sums *sums)
{
  return sums->n > 0 && pf_compare_counts(sums->verdict) ? sums->model / (double)sums->n
                                                         : (double)NAN;
}

/** A mean over what is not NaN. */
typedef struct mean {
  double sum, weights;
} mean;

static void add_to_mean(mean *m, double value, double weight)
{
  if (!isnan(value)) {
    m->sum += weight * value;
    m->weights += weight;
  }
}

static double mean_value(const mean *m)
{
  return m->weights > 0.0 ? m->sum / m->weights : (double)NAN;
}

/** Medians over rows: one row that went astray can have any R2. */
static pf_status set_r2(const table *t, size_t c, uint32_t v, pf_error *error)
{
  const size_t n_rows = t->comparison->n_rows;
  double *weights = pf_memory_need(2 * n_rows, sizeof *weights, error);
  size_t n = 0;
  if (weights == NULL) {
    return PF_STOP;
  }
  double *activity = weights + n_rows;
  for (size_t i = 0; i < n_rows; i++) {
    const pf_compare_row *row = &t->comparison->rows[i];
    if (is_row_of(row, c, v, PF_ABLATION_FULL) && pf_compare_counts(row->verdict)) {
      weights[n] = row->r2_weights;
      activity[n++] = row->r2_activity;
    }
  }
  pf_compare_figures *figures = figures_of(t, c, v);
  figures->r2_weights = pf_stats_quantile(weights, pf_stats_sort(weights, n), 0.5);
  figures->r2_activity = pf_stats_quantile(activity, pf_stats_sort(activity, n), 0.5);
  pf_memory_free(weights);
  return PF_OK;
}

static void set_ablations(const table *t, size_t c, uint32_t v)
{
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    mean scores = {0};
    for (size_t i = 0; i < t->comparison->n_animals; i++) {
      const fold_sums own = sum_folds(t->comparison, c, v, a, i);
      add_to_mean(&scores, score_per_cell(&own), t->comparison->pooled[v] ? (double)own.n : 1.0);
    }
    t->comparison->candidates[c].ablations[v][a] = mean_value(&scores);
  }
}

/** The median of values [n] that are not NaN. scratch: [n]. */
static double find_median(const double *values, size_t n, double *scratch)
{
  memcpy(scratch, values, n * sizeof *scratch);
  return pf_stats_quantile(scratch, pf_stats_sort(scratch, n), 0.5);
}

/** An animal's figures; t->a and t->b: deviance it explains. */
static void set_animal(const table *t, size_t c, uint32_t v, size_t i)
{
  pf_compare_figures *figures = figures_of(t, c, v);
  const fold_sums own = sum_folds(t->comparison, c, v, PF_ABLATION_FULL, i);
  const double score = score_per_cell(&own);
  const bool counts = !isnan(score);
  figures->per_animal[i] = score;
  figures->cells[i] = own.n;
  t->a[i] = counts ? pf_compare_explained(own.no_plasticity, own.model) : (double)NAN;
  t->b[i] = counts ? pf_compare_explained(own.mean_rate, own.model) : (double)NAN;
  t->a_weights[i] = -own.no_plasticity;
  t->b_weights[i] = -own.mean_rate;
  t->cell_weights[i] = (double)own.n;
  if (!own.any) {
    return;
  }
  figures->verdicts[own.verdict]++;
  figures->n_animals += counts ? 1 : 0;
  figures->n += counts ? own.n : 0;
  if (!pf_compare_counts(own.verdict) && own.verdict != PF_FIT_FAILED) {
    figures->n_left_out++;
  } else if (!counts) {
    figures->n_failed++;
  }
}

/** How much better than the baselines each animal is predicted. Uses t->a. */
static pf_status set_baselines(const table *t, size_t c, uint32_t v, pf_error *error)
{
  pf_compare_figures *figures = figures_of(t, c, v);
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    for (size_t i = 0; i < t->comparison->n_animals; i++) {
      const fold_sums own = sum_folds(t->comparison, c, v, PF_ABLATION_FULL, i);
      const bool counts = !isnan(score_per_cell(&own));
      t->a[i] = counts ? pf_compare_explained(own.baselines[b], own.model) : (double)NAN;
      t->a_weights[i] = fabs(own.baselines[b]);
    }
    const averaged explained = {t->a, t->a_weights, v, BOOT_BASELINES + (enum boot)b,
                                &figures->explained_baselines[b]};
    if (estimate_interval(t, c, &explained, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status set_figures(const table *t, size_t c, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_animals;
  pf_compare_figures *figures = figures_of(t, c, v);
  pf_memory_free(figures->per_animal);
  pf_memory_free(figures->differences);
  pf_memory_free(figures->cells);
  *figures =
      (pf_compare_figures){.per_animal = pf_memory_need(n, sizeof *figures->per_animal, error),
                           .differences = pf_memory_need(n, sizeof *figures->differences, error),
                           .cells = pf_memory_need(n, sizeof *figures->cells, error)};
  if (figures->per_animal == NULL || figures->differences == NULL || figures->cells == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    set_animal(t, c, v, i);
  }
  figures->median = find_median(figures->per_animal, n, t->scratch);
  if (set_r2(t, c, v, error) != PF_OK) {
    return PF_STOP;
  }
  set_ablations(t, c, v);
  const averaged means[] = {
      {figures->per_animal, t->cell_weights, v, BOOT_SCORE, &figures->score},
      {t->a, t->a_weights, v, BOOT_NO_PLASTICITY, &figures->explained_no_plasticity},
      {t->b, t->b_weights, v, BOOT_MEAN_RATE, &figures->explained_mean_rate},
  };
  for (size_t k = 0; k < sizeof means / sizeof means[0]; k++) {
    if (estimate_interval(t, c, &means[k], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return set_baselines(t, c, v, error);
}

/* ---- candidates against one another ---- */

/** In nats over all cells of an animal; of squared errors, those of a normal likelihood whose
 * variance is what is left. */
static double count_nats(const table *t, size_t c, double a, double b, int64_t n)
{
  if (t->comparison->candidates[c].is_likelihood) {
    return fabs(a - b) * (double)n;
  }
  return a < 0.0 && b < 0.0 ? 0.5 * (double)n * fabs(log(a / b)) : fabs(a - b);
}

/** t->a: what candidate c scores more than `other`, animal by animal; 0 where they tie. */
static void set_differences(const table *t, size_t c, size_t other, uint32_t v)
{
  const pf_compare_figures *own = figures_of(t, c, v), *its = figures_of(t, other, v);
  for (size_t i = 0; i < t->comparison->n_animals; i++) {
    const double a = own->per_animal[i], b = its->per_animal[i];
    const bool ties = count_nats(t, c, a, b, own->cells[i]) <= pf_compare_tie; /* not NaN */
    t->a[i] = ties ? 0.0 : a - b;
    t->cell_weights[i] = (double)own->cells[i];
  }
}

static pf_status test_against_base(const table *t, size_t c, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_animals;
  pf_compare_figures *figures = figures_of(t, c, v);
  pf_wilcoxon test = {0};
  set_differences(t, c, t->comparison->base, v);
  memcpy(figures->differences, t->a, n * sizeof *t->a);
  for (size_t i = 0; i < n; i++) {
    figures->n_pairs += isnan(t->a[i]) ? 0 : 1;
    figures->n_better += t->a[i] > 0.0 ? 1 : 0;
    figures->n_ties += t->a[i] == 0.0 ? 1 : 0;
  }
  const averaged difference = {t->a, t->cell_weights, v, BOOT_BASE, &figures->against_base};
  pf_status status = estimate_interval(t, c, &difference, error);
  if (status != PF_OK || figures->n_pairs == 0) {
    return status;
  }
  status = pf_stats_wilcoxon(t->a, n, &test, error);
  figures->p = test.p;
  figures->ranks_higher = test.plus > test.minus;
  return status;
}

static pf_status compare_with_base(const table *t, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_candidates;
  double *p = pf_memory_need(n, sizeof *p, error);
  pf_status status = PF_STOP;
  if (p == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < n; c++) {
    pf_compare_figures *figures = figures_of(t, c, v);
    figures->p = figures->p_holm = NAN;
    figures->against_base = (pf_interval){NAN, NAN, NAN};
    if (c != t->comparison->base) {
      status = test_against_base(t, c, v, error);
      if (status != PF_OK) {
        goto done;
      }
    }
    p[c] = figures->p;
  }
  status = pf_stats_holm(p, n, p, error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t c = 0; c < n; c++) {
    figures_of(t, c, v)->p_holm = p[c];
  }
done:
  pf_memory_free(p);
  return status;
}

static pf_status compare_with_best(const table *t, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_candidates;
  size_t best = n; /* none */
  for (size_t c = 0; c < n; c++) {
    const double score = figures_of(t, c, v)->score.value;
    if (!isnan(score) && (best == n || score > figures_of(t, best, v)->score.value)) {
      best = c;
    }
  }
  for (size_t c = 0; c < n; c++) {
    pf_interval *out = &figures_of(t, c, v)->against_best;
    *out = (pf_interval){NAN, NAN, NAN};
    if (best == n || c == best) {
      continue;
    }
    set_differences(t, c, best, v);
    const averaged difference = {t->a, t->cell_weights, v, BOOT_BEST, out};
    if (estimate_interval(t, c, &difference, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* ---- the base against models without synapses ---- */

/** t->a: what the baseline scores per cell; t->b: what the base scores more. */
static void set_against_baseline(const table *t, uint32_t v, size_t baseline)
{
  const size_t base = t->comparison->base;
  const double *scores = figures_of(t, base, v)->per_animal;
  for (size_t i = 0; i < t->comparison->n_animals; i++) {
    const fold_sums own = sum_folds(t->comparison, base, v, PF_ABLATION_FULL, i);
    t->a[i] = isnan(scores[i]) ? (double)NAN : own.baselines[baseline] / (double)own.n;
    t->b[i] = scores[i] - t->a[i];
    t->cell_weights[i] = (double)own.n;
  }
}

static pf_status compare_with_baseline(const table *t, uint32_t v, size_t baseline,
                                       pf_compare_baseline *out, pf_error *error)
{
  const size_t n = t->comparison->n_animals, base = t->comparison->base;
  const enum boot boot = BOOT_BASELINES + (enum boot)(PF_N_BASELINES + 2 * baseline);
  pf_wilcoxon test = {0};
  *out = (pf_compare_baseline){.p = NAN, .p_holm = NAN};
  set_against_baseline(t, v, baseline);
  for (size_t i = 0; i < n; i++) {
    out->n_pairs += isnan(t->b[i]) ? 0 : 1;
    out->n_better += t->b[i] > 0.0 ? 1 : 0;
  }
  const averaged score = {t->a, t->cell_weights, v, boot, &out->score};
  const averaged difference = {t->b, t->cell_weights, v, boot + 1, &out->difference};
  if (estimate_interval(t, base, &score, error) != PF_OK ||
      estimate_interval(t, base, &difference, error) != PF_OK) {
    return PF_STOP;
  }
  if (out->n_pairs == 0) {
    return PF_OK;
  }
  const pf_status status = pf_stats_wilcoxon(t->b, n, &test, error);
  out->p = test.p;
  out->base_ranks_higher = test.plus > test.minus;
  return status;
}

static pf_status compare_with_baselines(const table *t, uint32_t v, pf_error *error)
{
  double p[PF_N_BASELINES];
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    const pf_status status = compare_with_baseline(t, v, b, &t->comparison->baselines[v][b], error);
    if (status != PF_OK) {
      return status;
    }
    p[b] = t->comparison->baselines[v][b].p;
  }
  const pf_status status = pf_stats_holm(p, PF_N_BASELINES, p, error);
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    t->comparison->baselines[v][b].p_holm = p[b];
  }
  return status;
}

/* ---- all of it ---- */

/** The first held-out one that was asked for, else the last in sample: on fresh draws rather than
 * on fitted ones. */
static uint32_t find_headline(const bool *asked)
{
  uint32_t headline = 0;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (asked[v]) {
      headline = v;
    }
    if (asked[v] && pf_validation_at(v)->held_out) {
      break;
    }
  }
  return headline;
}

/** Has an animal few scored cells, and are there others? Of all candidates, so that all of them are
 * averaged alike. */
static bool has_few_cells(const pf_comparison *comparison, uint32_t v)
{
  bool has_few = false;
  size_t n_scored = 0;
  for (size_t i = 0; i < comparison->n_animals; i++) {
    int64_t most = 0;
    for (size_t c = 0; c < comparison->n_candidates; c++) {
      const fold_sums own = sum_folds(comparison, c, v, PF_ABLATION_FULL, i);
      most = own.n > most ? own.n : most;
    }
    n_scored += most > 0 ? 1 : 0;
    has_few = has_few || (most > 0 && most < PF_FEW_CELLS);
  }
  return has_few && n_scored > 1;
}

static pf_status make_table(const table *t, pf_error *error)
{
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (!t->comparison->asked[v]) {
      continue;
    }
    t->comparison->pooled[v] = has_few_cells(t->comparison, v);
    for (size_t c = 0; c < t->comparison->n_candidates; c++) {
      if (set_figures(t, c, v, error) != PF_OK) {
        return PF_STOP;
      }
    }
    if (compare_with_base(t, v, error) != PF_OK || compare_with_best(t, v, error) != PF_OK ||
        compare_with_baselines(t, v, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return pf_compare_say(t->comparison, error);
}

pf_status pf_compare_tabulate(pf_comparison *comparison, pf_error *error)
{
  const size_t n = comparison->n_animals;
  double *memory = pf_memory_need(6 * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  const table t = {.comparison = comparison,
                   .a = memory,
                   .b = memory + n,
                   .scratch = memory + 2 * n,
                   .a_weights = memory + 3 * n,
                   .b_weights = memory + 4 * n,
                   .cell_weights = memory + 5 * n};
  comparison->headline = find_headline(comparison->asked);
  const pf_status status = make_table(&t, error);
  pf_memory_free(memory);
  return status;
}
