#include "core/compare/compare_table.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>

/** A comparison while its table is made. */
typedef struct table {
  pf_comparison *comparison;
  double *a, *b; /* [n_animals] scratch */
} table;

/** Which figure a bootstrap is of. Streams go by it, so the same animals are drawn for a candidate
 * whatever else is compared. */
enum boot { BOOT_SCORE = 1, BOOT_NO_PLASTICITY, BOOT_MEAN_RATE, BOOT_BASE, BOOT_BEST };

static pf_compare_figures *figures_of(const table *t, size_t candidate, uint32_t validation)
{
  return &t->comparison->candidates[candidate].figures[validation];
}

/** The mean over animals of values [n_animals], with its interval. */
static pf_status estimate_interval(const table *t, const double *values, size_t candidate,
                                   uint32_t figure, pf_interval *out, pf_error *error)
{
  const pf_bootstrap how = {.kind = PF_BOOTSTRAP_PERCENTILE,
                            .stream = {.seed = t->comparison->seed,
                                       .purpose = PF_RANDOM_BOOTSTRAP,
                                       .animal = (uint32_t)candidate,
                                       .draw = figure}};
  return pf_stats_bootstrap_mean(&how, values, t->comparison->n_animals, out, error);
}

static uint32_t figure_number(uint32_t validation, enum boot boot)
{
  return 16U * validation + (uint32_t)boot;
}

/* ---- one candidate in one validation ---- */

/** Sums over the folds of one animal; NaN where a fold failed. */
typedef struct fold_sums {
  double model, no_plasticity, mean_rate;
  int64_t n;
  bool any; /* is there a fold? */
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
      out.n += row->n;
    }
  }
  return out;
}

static double score_per_cell(const fold_sums *sums)
{
  return sums->n > 0 ? sums->model / (double)sums->n : (double)NAN;
}

/** A mean over what is not NaN. */
typedef struct mean {
  double sum;
  size_t n;
} mean;

static void add_to_mean(mean *m, double value)
{
  if (!isnan(value)) {
    m->sum += value;
    m->n++;
  }
}

static double mean_value(const mean *m)
{
  return m->n > 0 ? m->sum / (double)m->n : (double)NAN;
}

static void set_r2(const table *t, size_t c, uint32_t v)
{
  mean weights = {0}, activity = {0};
  for (size_t i = 0; i < t->comparison->n_rows; i++) {
    const pf_compare_row *row = &t->comparison->rows[i];
    if (is_row_of(row, c, v, PF_ABLATION_FULL)) {
      add_to_mean(&weights, row->r2_weights);
      add_to_mean(&activity, row->r2_activity);
    }
  }
  figures_of(t, c, v)->r2_weights = mean_value(&weights);
  figures_of(t, c, v)->r2_activity = mean_value(&activity);
}

static void set_ablations(const table *t, size_t c, uint32_t v)
{
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    mean scores = {0};
    for (size_t i = 0; i < t->comparison->n_animals; i++) {
      const fold_sums own = sum_folds(t->comparison, c, v, a, i);
      add_to_mean(&scores, score_per_cell(&own));
    }
    t->comparison->candidates[c].ablations[v][a] = mean_value(&scores);
  }
}

static pf_status set_figures(const table *t, size_t c, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_animals;
  pf_compare_figures *figures = figures_of(t, c, v);
  pf_memory_free(figures->per_animal);
  *figures = (pf_compare_figures){.per_animal = pf_memory_need(n, sizeof(double), error)};
  if (figures->per_animal == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    const fold_sums own = sum_folds(t->comparison, c, v, PF_ABLATION_FULL, i);
    const double score = score_per_cell(&own);
    figures->per_animal[i] = score;
    t->a[i] = own.any ? pf_compare_explained(own.no_plasticity, own.model) : (double)NAN;
    t->b[i] = own.any ? pf_compare_explained(own.mean_rate, own.model) : (double)NAN;
    if (!isnan(score)) {
      figures->n_animals++;
      figures->n += own.n;
    } else if (own.any) {
      figures->n_failed++;
    }
  }
  set_r2(t, c, v);
  set_ablations(t, c, v);
  const struct {
    const double *values;
    enum boot boot;
    pf_interval *to;
  } intervals[] = {
      {figures->per_animal, BOOT_SCORE, &figures->score},
      {t->a, BOOT_NO_PLASTICITY, &figures->explained_no_plasticity},
      {t->b, BOOT_MEAN_RATE, &figures->explained_mean_rate},
  };
  for (size_t k = 0; k < sizeof intervals / sizeof intervals[0]; k++) {
    if (estimate_interval(t, intervals[k].values, c, figure_number(v, intervals[k].boot),
                          intervals[k].to, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* ---- candidates against one another ---- */

/** t->a: what candidate c scores more than `other`, animal by animal. */
static void set_differences(const table *t, size_t c, size_t other, uint32_t v)
{
  for (size_t i = 0; i < t->comparison->n_animals; i++) {
    t->a[i] = figures_of(t, c, v)->per_animal[i] - figures_of(t, other, v)->per_animal[i];
  }
}

static pf_status test_against_base(const table *t, size_t c, uint32_t v, pf_error *error)
{
  const size_t n = t->comparison->n_animals;
  pf_compare_figures *figures = figures_of(t, c, v);
  pf_wilcoxon test = {0};
  set_differences(t, c, t->comparison->base, v);
  for (size_t i = 0; i < n; i++) {
    figures->n_pairs += isnan(t->a[i]) ? 0 : 1;
    figures->n_better += t->a[i] > 0.0 ? 1 : 0;
  }
  pf_status status =
      estimate_interval(t, t->a, c, figure_number(v, BOOT_BASE), &figures->against_base, error);
  if (status != PF_OK || figures->n_pairs == 0) {
    return status;
  }
  status = pf_stats_wilcoxon(t->a, n, &test, error);
  figures->p = test.p;
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
    if (estimate_interval(t, t->a, c, figure_number(v, BOOT_BEST), out, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* ---- words ---- */

static const double level = 0.05;
/* With fewer pairs the exact test cannot give p < 0.05, whatever the signs: 2 / 2^5 = 0.0625. */
static const size_t fewest_pairs = 6;

static void add_p(pf_text *text, double p)
{
  pf_text_add(text, p < 0.001 ? "p = %.1e" : "p = %.2g", p);
}

/** What the test says of a candidate and the base. */
enum verdict { TOLD_APART, NOT_TOLD_APART, TOO_FEW, NOT_SCORED, N_VERDICTS };

static enum verdict verdict_of(const pf_compare_figures *f)
{
  if (f->n_pairs == 0) {
    return NOT_SCORED;
  }
  if (f->n_pairs < fewest_pairs) {
    return TOO_FEW;
  }
  return f->p_holm < level ? TOLD_APART : NOT_TOLD_APART;
}

static void add_candidate(pf_text *text, const pf_comparison *comparison, size_t c, uint32_t v,
                          const char *noun)
{
  const pf_compare_figures *f = &comparison->candidates[c].figures[v];
  const char *name = comparison->candidates[c].name;
  const char *base = comparison->candidates[comparison->base].name;
  const bool wins = f->against_base.value > 0.0;
  switch (verdict_of(f)) {
  case TOLD_APART:
    pf_text_add(text, "'%s' %s '%s' in %zu of %zu %s (", name, wins ? "beats" : "loses to", base,
                wins ? f->n_better : f->n_pairs - f->n_better, f->n_pairs, noun);
    add_p(text, f->p_holm);
    pf_text_add(text, ")");
    break;
  case TOO_FEW:
    pf_text_add(text, "'%s' is better than '%s' in %zu of %zu %s, too few for a test", name, base,
                f->n_better, f->n_pairs, noun);
    break;
  case NOT_SCORED:
    pf_text_add(text, "of '%s' nothing can be said, since it could not be scored beside '%s'", name,
                base);
    break;
  default:
    pf_text_add(text, "'%s' (", name);
    add_p(text, f->p_holm);
    pf_text_add(text, ")");
    break;
  }
}

/** All candidates but the base in one validation: first those that differ from it, the others in
 * one list. */
static void add_candidates(pf_text *text, const pf_comparison *comparison, uint32_t v,
                           const char *noun)
{
  bool first = true;
  for (uint32_t verdict = 0; verdict < N_VERDICTS; verdict++) {
    const bool lists = verdict == NOT_TOLD_APART;
    bool opened = false;
    for (size_t c = 0; c < comparison->n_candidates; c++) {
      if (c == comparison->base || verdict_of(&comparison->candidates[c].figures[v]) != verdict) {
        continue;
      }
      if (!first) {
        pf_text_add(text, lists && opened ? ", " : "; ");
      }
      if (lists && !opened) {
        pf_text_add(text, "not told apart from '%s' by these data: ",
                    comparison->candidates[comparison->base].name);
      }
      add_candidate(text, comparison, c, v, noun);
      opened = true;
      first = false;
    }
  }
}

/** Which candidates predict better than a constant. The interval decides alone: nothing was picked
 * by these figures. */
static void add_null(pf_text *text, const pf_comparison *comparison, uint32_t v)
{
  size_t n = 0, n_with = 0;
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_interval *explained = &comparison->candidates[c].figures[v].explained_mean_rate;
    n_with += isnan(explained->low) ? 0 : 1;
    if (explained->low > 0.0) {
      pf_text_add(text, "%s'%s'",
                  n == 0 ? " Better than a constant prediction (95 % interval above 0): " : ", ",
                  comparison->candidates[c].name);
      n++;
    }
  }
  if (n_with > 0) {
    pf_text_add(text, n > 0 ? "." : " None is shown to predict better than a constant.");
  }
}

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

/** A sentence on the headline, and on every other held-out validation. */
static void add_words(pf_text *text, const pf_comparison *comparison)
{
  const bool held_out = pf_validation_at(comparison->headline)->held_out;
  const char *noun = comparison->n_animals == 1 ? "animal" : "animals";
  const bool alone = comparison->n_candidates == 1;
  size_t n_said = 0;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    if (!comparison->asked[v] || (v != comparison->headline && !validation->held_out)) {
      continue;
    }
    pf_text_add(text, n_said == 0 ? "%s (%s): " : " %s (%s): ",
                held_out ? "On held-out steps" : "In sample", validation->name);
    if (alone) {
      pf_text_add(text, "there is one candidate, and nothing to compare it with");
    } else {
      add_candidates(text, comparison, v, noun);
    }
    pf_text_add(text, ".");
    add_null(text, comparison, v);
    n_said++;
  }
  if (comparison->n_candidates > 2) {
    pf_text_add(text, " p: Wilcoxon over %s, Holm-corrected for %zu comparisons%s.", noun,
                comparison->n_candidates - 1,
                n_said > 1 ? " within each validation, not across them" : "");
  } else if (!alone) {
    pf_text_add(text, " p: Wilcoxon over %s.", noun);
  }
  if (!held_out) {
    pf_text_add(text, " What fits better in sample need not predict better.");
  }
}

/* ---- all of it ---- */

static pf_status make_table(const table *t, pf_error *error)
{
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (!t->comparison->asked[v]) {
      continue;
    }
    for (size_t c = 0; c < t->comparison->n_candidates; c++) {
      if (set_figures(t, c, v, error) != PF_OK) {
        return PF_STOP;
      }
    }
    if (compare_with_base(t, v, error) != PF_OK || compare_with_best(t, v, error) != PF_OK) {
      return PF_STOP;
    }
  }
  pf_text text = {0};
  add_words(&text, t->comparison);
  pf_memory_free(t->comparison->words);
  t->comparison->words = text.failed ? NULL : pf_memory_string(text.text, error);
  pf_text_free(&text);
  return t->comparison->words != NULL ? PF_OK : pf_fail(error, PF_STOP, "out of memory");
}

pf_status pf_compare_tabulate(pf_comparison *comparison, pf_error *error)
{
  const table t = {.comparison = comparison,
                   .a = pf_memory_need(comparison->n_animals, sizeof(double), error),
                   .b = pf_memory_need(comparison->n_animals, sizeof(double), error)};
  pf_status status = PF_STOP;
  comparison->headline = find_headline(comparison->asked);
  if (t.a != NULL && t.b != NULL) {
    status = make_table(&t, error);
  }
  pf_memory_free(t.a);
  pf_memory_free(t.b);
  return status;
}
