#include "core/ranking/compare_words.h"

#include "core/base/memory.h"

#include <math.h>

static const double level = 0.05;
/* With fewer pairs the exact test cannot give p < 0.05, whatever the signs: 2 / 2^5 = 0.0625. */
static const size_t fewest_pairs = 6;

static void add_p(pf_text *text, double p)
{
  pf_text_add(text, p < 0.001 ? "p = %.1e" : "p = %.2g", p);
}

/** What the test says of a candidate and the base. */
enum verdict { TOLD_APART, NOT_TOLD_APART, TIE, TOO_FEW, NOT_SCORED, N_VERDICTS };

static enum verdict verdict_of(const pf_compare_figures *f)
{
  if (f->n_pairs == 0) {
    return NOT_SCORED;
  }
  if (f->n_ties == f->n_pairs) {
    return TIE;
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
  const bool wins = f->ranks_higher;
  const size_t n_worse = f->n_pairs - f->n_better - f->n_ties;
  switch (verdict_of(f)) {
  case TOLD_APART:
    pf_text_add(text, "'%s' %s '%s' in %zu of %zu %s (", name, wins ? "beats" : "loses to", base,
                wins ? f->n_better : n_worse, f->n_pairs, noun);
    add_p(text, f->p_holm);
    pf_text_add(text, ")");
    break;
  case TIE:
    pf_text_add(text, "'%s' and '%s' tie in %zu of %zu %s", name, base, f->n_ties, f->n_pairs,
                noun);
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

/** The base against models without synapses. */
static void add_baselines(pf_text *text, const pf_comparison *comparison, uint32_t v)
{
  const char *base = comparison->candidates[comparison->base].name;
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    const pf_compare_baseline *one = &comparison->baselines[v][b];
    const char *baseline = pf_baseline_name(b);
    if (isnan(one->p_holm)) {
      continue;
    }
    if (one->p_holm >= 0.05) {
      pf_text_add(text, " Not told apart: '%s' and %s (p = %.2g).", base, baseline, one->p_holm);
    } else if ((one->difference.value > 0.0) != one->base_ranks_higher) {
      pf_text_add(text,
                  " '%s' is better than %s in %zu of %zu animals (p = %.2g), but %s in the mean, "
                  "which a few animals make.",
                  base, baseline, one->n_better, one->n_pairs, one->p_holm,
                  one->base_ranks_higher ? "worse" : "better");
    } else if (one->base_ranks_higher) {
      pf_text_add(text, " '%s' predicts better than %s (in %zu of %zu animals, p = %.2g).", base,
                  baseline, one->n_better, one->n_pairs, one->p_holm);
    } else {
      pf_text_add(text, " %s predicts better than '%s' (in %zu of %zu animals, p = %.2g).",
                  baseline, base, one->n_pairs - one->n_better, one->n_pairs, one->p_holm);
    }
  }
}

/** Which fits are left out. */
static void add_left_out(pf_text *text, const pf_comparison *comparison, uint32_t v)
{
  bool any = false;
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_compare_figures *figures = &comparison->candidates[c].figures[v];
    if (figures->n_failed + figures->n_left_out > 0) {
      pf_text_add(text, "%s'%s', ", any ? "; " : " Animals whose fits count for nothing here: ",
                  comparison->candidates[c].name);
      pf_compare_add_status(text, figures);
      any = true;
    }
  }
  pf_text_add(text, "%s", any ? "." : "");
}

/* A score further from the median than one nat per observation, and than half of all distances
 * together, makes the mean by itself. */
static const double absurd_distance = 1.0, absurd_share = 0.5;

/** The animal that alone makes more than half of the distance of the mean from the median. */
static size_t find_absurd(const pf_compare_figures *f, size_t n_animals)
{
  double sum = 0.0, largest = 0.0;
  size_t at = n_animals;
  for (size_t i = 0; i < n_animals; i++) {
    const double distance = isnan(f->per_animal[i]) ? 0.0 : fabs(f->per_animal[i] - f->median);
    sum += distance;
    if (distance > largest) {
      largest = distance;
      at = i;
    }
  }
  const bool absurd = f->n_animals > 2 && largest > absurd_distance && largest > absurd_share * sum;
  return absurd ? at : n_animals;
}

/** Means that one animal makes: the reader is to look at the median. */
static void add_absurd(pf_text *text, const pf_comparison *comparison, uint32_t v)
{
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_compare_figures *f = &comparison->candidates[c].figures[v];
    const size_t animal = find_absurd(f, comparison->n_animals);
    if (animal < comparison->n_animals) {
      pf_text_add(text,
                  " The mean of '%s' (%.4g) is made by one animal, '%s' (%.4g): look at the "
                  "median, %.4g.",
                  comparison->candidates[c].name, f->score.value, comparison->animals[animal],
                  f->per_animal[animal], f->median);
    }
  }
}

/** What a tie is, where there is one. */
static void add_ties(pf_text *text, const pf_comparison *comparison)
{
  size_t n = 0;
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    for (uint32_t v = 0; v < pf_validation_count(); v++) {
      n += comparison->asked[v] ? comparison->candidates[c].figures[v].n_ties : 0;
    }
  }
  if (n > 0) {
    pf_text_add(text,
                " Ties, log likelihoods of an animal that differ by at most %g nats in all, are "
                "dropped from the test.",
                pf_compare_tie);
  }
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
    add_baselines(text, comparison, v);
    add_left_out(text, comparison, v);
    add_absurd(text, comparison, v);
    n_said++;
  }
  if (comparison->warning != NULL) {
    pf_text_add(text, " Warning: %s.", comparison->warning);
  }
  if (comparison->n_candidates > 2) {
    pf_text_add(text, " p: Wilcoxon over %s, Holm-corrected for %zu comparisons%s.", noun,
                comparison->n_candidates - 1,
                n_said > 1 ? " within each validation, not across them" : "");
  } else if (!alone) {
    pf_text_add(text, " p: Wilcoxon over %s.", noun);
  }
  add_ties(text, comparison);
  if (!held_out) {
    pf_text_add(text, " What fits better in sample need not predict better.");
  }
}

void pf_compare_add_status(pf_text *text, const pf_compare_figures *figures)
{
  const size_t n = figures->n_failed + figures->n_left_out;
  bool first = true;
  if (n == 0) {
    pf_text_add(text, figures->verdicts[PF_FIT_PASSES_DONE] > 0 ? "passes done" : "ok");
    return;
  }
  pf_text_add(text, "%zu of %zu left out: ", n, figures->n_animals + n);
  for (uint32_t verdict = 0; verdict < PF_N_FIT_VERDICTS; verdict++) {
    if (!pf_compare_counts(verdict) && figures->verdicts[verdict] > 0) {
      pf_text_add(text, "%s%zu %s", first ? "" : ", ", figures->verdicts[verdict],
                  pf_fit_verdict_words(verdict));
      first = false;
    }
  }
}

pf_status pf_compare_say(pf_comparison *comparison, pf_error *error)
{
  pf_text text = {0};
  add_words(&text, comparison);
  pf_memory_free(comparison->words);
  comparison->words = text.failed ? NULL : pf_memory_string(text.text, error);
  pf_text_free(&text);
  return comparison->words != NULL ? PF_OK : pf_fail(error, PF_STOP, "out of memory");
}
