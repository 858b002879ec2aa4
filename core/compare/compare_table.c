/* The table: from the rows of a comparison to its figures, and to a line of plain words. */
#include "core/compare/compare.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>
#include <string.h>

/** Sums over the folds of one animal; NaN where a fold failed. */
typedef struct sums {
  double model, no_plasticity, mean_rate;
  int64_t n;
} sums;

typedef struct table {
  pf_comparison *comparison;
  pf_error *error;
  double *a, *b; /* [n_animals] scratch */
} table;

/* Which bootstrap is which: the same animals are drawn for a candidate whatever else is compared.
 */
enum { BOOT_SCORE = 1, BOOT_NO_PLASTICITY, BOOT_MEAN_RATE, BOOT_BASE, BOOT_BEST };

static pf_status interval(const table *t, const double *values, size_t candidate,
                          uint32_t validation, uint32_t what, pf_interval *out)
{
  const pf_bootstrap how = {.kind = PF_BOOTSTRAP_PERCENTILE,
                            .stream = {.seed = t->comparison->seed,
                                       .purpose = PF_RANDOM_BOOTSTRAP,
                                       .animal = (uint32_t)candidate,
                                       .draw = 16U * validation + what}};
  return pf_stats_bootstrap_mean(&how, values, t->comparison->n_animals, out, t->error);
}

/* ---- one candidate in one validation ---- */

static void pool(const pf_comparison *comparison, size_t candidate, uint32_t validation,
                 uint32_t ablation, size_t animal, sums *out, bool *any)
{
  *out = (sums){0};
  *any = false;
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    if (row->candidate == candidate && row->validation == validation && row->ablation == ablation &&
        row->animal == animal) {
      *any = true;
      out->model += row->log_likelihood; /* NaN where it failed: then the animal has no figure */
      out->no_plasticity += row->no_plasticity;
      out->mean_rate += row->mean_rate;
      out->n += row->n;
    }
  }
}

static double per_cell(double sum, int64_t n)
{
  return n > 0 ? sum / (double)n : (double)NAN;
}

static double explained(double null, double model)
{
  return null < 0.0 ? 100.0 * (null - model) / null : (double)NAN;
}

static double mean(const double *values, size_t n)
{
  double sum = 0.0;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    sum += isnan(values[i]) ? 0.0 : values[i];
    count += isnan(values[i]) ? 0 : 1;
  }
  return count > 0 ? sum / (double)count : (double)NAN;
}

static double mean_r2(const pf_comparison *comparison, size_t candidate, uint32_t validation,
                      bool weights)
{
  double sum = 0.0;
  size_t n = 0;
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    const double value = weights ? row->r2_weights : row->r2_activity;
    if (row->candidate == candidate && row->validation == validation &&
        row->ablation == PF_ABLATION_FULL && !isnan(value)) {
      sum += value;
      n++;
    }
  }
  return n > 0 ? sum / (double)n : (double)NAN;
}

static void set_ablations(const table *t, size_t c, uint32_t v)
{
  const pf_comparison *comparison = t->comparison;
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    for (size_t i = 0; i < comparison->n_animals; i++) {
      sums own;
      bool any = false;
      pool(comparison, c, v, a, i, &own, &any);
      t->a[i] = any ? per_cell(own.model, own.n) : (double)NAN;
    }
    comparison->candidates[c].ablations[v][a] = mean(t->a, comparison->n_animals);
  }
}

static pf_status set_figures(const table *t, size_t c, uint32_t v)
{
  const pf_comparison *comparison = t->comparison;
  const size_t n = comparison->n_animals;
  pf_compare_figures *figures = &comparison->candidates[c].figures[v];
  pf_memory_free(figures->per_animal);
  *figures = (pf_compare_figures){.per_animal = pf_memory_need(n, sizeof(double), t->error)};
  if (figures->per_animal == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    sums own;
    bool any = false;
    pool(comparison, c, v, PF_ABLATION_FULL, i, &own, &any);
    figures->per_animal[i] = any ? per_cell(own.model, own.n) : (double)NAN;
    t->a[i] = any ? explained(own.no_plasticity, own.model) : (double)NAN;
    t->b[i] = any ? explained(own.mean_rate, own.model) : (double)NAN;
    const bool has = !isnan(figures->per_animal[i]);
    figures->n_animals += has ? 1 : 0;
    figures->n_failed += any && !has ? 1 : 0;
    figures->n += has ? own.n : 0;
  }
  figures->r2_weights = mean_r2(comparison, c, v, true);
  figures->r2_activity = mean_r2(comparison, c, v, false);
  pf_status status = interval(t, figures->per_animal, c, v, BOOT_SCORE, &figures->score);
  status = status == PF_OK
               ? interval(t, t->a, c, v, BOOT_NO_PLASTICITY, &figures->explained_no_plasticity)
               : status;
  status = status == PF_OK ? interval(t, t->b, c, v, BOOT_MEAN_RATE, &figures->explained_mean_rate)
                           : status;
  set_ablations(t, c, v);
  return status;
}

/* ---- candidates against one another ---- */

static void differences(const table *t, size_t c, size_t other, uint32_t v)
{
  const pf_compare_candidate *candidates = t->comparison->candidates;
  for (size_t i = 0; i < t->comparison->n_animals; i++) {
    t->a[i] = candidates[c].figures[v].per_animal[i] - candidates[other].figures[v].per_animal[i];
  }
}

static pf_status against_base(const table *t, uint32_t v)
{
  pf_comparison *comparison = t->comparison;
  double *p = pf_memory_need(comparison->n_candidates, sizeof *p, t->error);
  pf_status status = p == NULL ? PF_STOP : PF_OK;
  for (size_t c = 0; c < comparison->n_candidates && status == PF_OK; c++) {
    pf_compare_figures *figures = &comparison->candidates[c].figures[v];
    figures->p = figures->p_holm = p[c] = NAN;
    figures->against_base = (pf_interval){NAN, NAN, NAN};
    if (c == comparison->base) {
      continue;
    }
    differences(t, c, comparison->base, v);
    for (size_t i = 0; i < comparison->n_animals; i++) {
      figures->n_pairs += isnan(t->a[i]) ? 0 : 1;
      figures->n_better += t->a[i] > 0.0 ? 1 : 0;
    }
    pf_wilcoxon test = {0};
    status = interval(t, t->a, c, v, BOOT_BASE, &figures->against_base);
    if (status == PF_OK && figures->n_pairs > 0) {
      status = pf_stats_wilcoxon(t->a, comparison->n_animals, &test, t->error);
      figures->p = p[c] = test.p;
    }
  }
  status = status == PF_OK ? pf_stats_holm(p, comparison->n_candidates, p, t->error) : status;
  for (size_t c = 0; c < comparison->n_candidates && status == PF_OK; c++) {
    comparison->candidates[c].figures[v].p_holm = p[c];
  }
  pf_memory_free(p);
  return status;
}

static pf_status against_best(const table *t, uint32_t v)
{
  pf_comparison *comparison = t->comparison;
  size_t best = 0;
  bool any = false;
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const double score = comparison->candidates[c].figures[v].score.value;
    if (!isnan(score) && (!any || score > comparison->candidates[best].figures[v].score.value)) {
      best = c;
      any = true;
    }
  }
  pf_status status = PF_OK;
  for (size_t c = 0; c < comparison->n_candidates && status == PF_OK; c++) {
    pf_compare_figures *figures = &comparison->candidates[c].figures[v];
    figures->against_best = (pf_interval){NAN, NAN, NAN};
    if (any && c != best) {
      differences(t, c, best, v);
      status = interval(t, t->a, c, v, BOOT_BEST, &figures->against_best);
    }
  }
  return status;
}

/* ---- words ---- */

static const double level = 0.05;
/* With so few pairs no signs whatever give the exact test p < 0.05: 2 / 2^5 = 0.0625. */
static const size_t fewest_pairs = 6;

static void say_p(pf_text *text, double p)
{
  pf_text_add(text, p < 0.001 ? "p = %.1e" : "p = %.2g", p);
}

/* The first that there is is the headline. */
static const uint32_t by_worth[] = {PF_FORECAST, PF_LEAVE_BLOCK, PF_LEAVE_ANIMAL,
                                    PF_IN_SAMPLE_FRESH, PF_IN_SAMPLE};
enum { N_VALIDATIONS_BY_WORTH = sizeof by_worth / sizeof by_worth[0] };

/** What the test says of a candidate and the base. */
enum verdict { TOLD_APART, NOT_TOLD_APART, TOO_FEW, NOT_SCORED, N_VERDICTS };

static enum verdict verdict_of(const pf_compare_figures *f)
{
  if (f->n_pairs == 0) {
    return NOT_SCORED;
  }
  return f->n_pairs < fewest_pairs ? TOO_FEW : f->p_holm < level ? TOLD_APART : NOT_TOLD_APART;
}

static void say_candidate(pf_text *text, const pf_comparison *comparison, size_t c, uint32_t v,
                          const char *noun)
{
  const pf_compare_figures *f = &comparison->candidates[c].figures[v];
  const char *name = comparison->candidates[c].name,
             *base = comparison->candidates[comparison->base].name;
  const bool wins = f->against_base.value > 0.0;
  switch (verdict_of(f)) {
  case TOLD_APART:
    pf_text_add(text, "'%s' %s '%s' in %zu of %zu %s (", name, wins ? "beats" : "loses to", base,
                wins ? f->n_better : f->n_pairs - f->n_better, f->n_pairs, noun);
    say_p(text, f->p_holm);
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
    say_p(text, f->p_holm);
    pf_text_add(text, ")");
    break;
  }
}

/** All candidates but the base in one validation: those told apart from it first, the others in one
 * list. */
static void say_candidates(pf_text *text, const pf_comparison *comparison, uint32_t v,
                           const char *noun)
{
  bool first = true;
  for (uint32_t verdict = 0; verdict < N_VERDICTS; verdict++) {
    bool opened = false;
    for (size_t c = 0; c < comparison->n_candidates; c++) {
      if (c == comparison->base || verdict_of(&comparison->candidates[c].figures[v]) != verdict) {
        continue;
      }
      const bool lists = verdict == NOT_TOLD_APART;
      pf_text_add(text, "%s", first ? "" : lists && opened ? ", " : "; ");
      if (lists && !opened) {
        pf_text_add(text, "not told apart from '%s' by these data: ",
                    comparison->candidates[comparison->base].name);
      }
      say_candidate(text, comparison, c, v, noun);
      opened = true;
      first = false;
    }
  }
}

/** Who predicts better than a constant: told apart from it by the interval alone, since nothing was
 * picked. */
static void say_null(pf_text *text, const pf_comparison *comparison, uint32_t v)
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

static pf_status set_words(const table *t)
{
  pf_comparison *comparison = t->comparison;
  const bool held_out = pf_validation_is_held_out(comparison->headline);
  const char *noun = comparison->n_animals == 1 ? "animal" : "animals";
  const bool alone = comparison->n_candidates == 1;
  size_t n_said = 0;
  pf_text text = {0};
  for (uint32_t k = 0; k < N_VALIDATIONS_BY_WORTH; k++) {
    const uint32_t v = by_worth[k];
    if (!comparison->asked[v] || (v != comparison->headline && !pf_validation_is_held_out(v))) {
      continue; /* in sample only where there is nothing better */
    }
    pf_text_add(&text, n_said == 0 ? "%s (%s): " : " %s (%s): ",
                held_out ? "On held-out steps" : "In sample", pf_validation_name(v));
    if (alone) {
      pf_text_add(&text, "there is one candidate, and nothing to compare it with");
    } else {
      say_candidates(&text, comparison, v, noun);
    }
    pf_text_add(&text, ".");
    say_null(&text, comparison, v);
    n_said++;
  }
  if (!alone) {
    pf_text_add(&text,
                comparison->n_candidates > 2
                    ? " p: Wilcoxon over %s, Holm-corrected for %zu comparisons%s."
                    : " p: Wilcoxon over %s.",
                noun, comparison->n_candidates - 1,
                n_said > 1 ? " within each validation, not across them" : "");
  }
  pf_text_add(&text, "%s", held_out ? "" : " What fits better in sample need not predict better.");
  pf_memory_free(comparison->words);
  comparison->words = text.failed ? NULL : pf_memory_string(text.text, t->error);
  const bool failed = text.failed != 0;
  pf_text_free(&text);
  if (failed) {
    return pf_fail(t->error, PF_STOP, "out of memory");
  }
  return comparison->words == NULL ? PF_STOP : PF_OK;
}

pf_status pf_compare_tabulate(pf_comparison *comparison, pf_error *error)
{
  table t = {.comparison = comparison,
             .error = error,
             .a = pf_memory_need(comparison->n_animals, sizeof(double), error),
             .b = pf_memory_need(comparison->n_animals, sizeof(double), error)};
  pf_status status = t.a == NULL || t.b == NULL ? PF_STOP : PF_OK;
  for (size_t k = N_VALIDATIONS_BY_WORTH; k > 0; k--) {
    comparison->headline =
        comparison->asked[by_worth[k - 1]] ? by_worth[k - 1] : comparison->headline;
  }
  for (uint32_t v = 0; v < PF_N_VALIDATIONS && status == PF_OK; v++) {
    for (size_t c = 0; c < comparison->n_candidates && comparison->asked[v] && status == PF_OK;
         c++) {
      status = set_figures(&t, c, v);
    }
    if (comparison->asked[v] && status == PF_OK) {
      status = against_base(&t, v);
      status = status == PF_OK ? against_best(&t, v) : status;
    }
  }
  status = status == PF_OK ? set_words(&t) : status;
  pf_memory_free(t.a);
  pf_memory_free(t.b);
  return status;
}
