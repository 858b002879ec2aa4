#include "core/ranking/print_table.h"

#include "core/evaluate/averages.h"
#include "core/ranking/compare_words.h"

#include <math.h>
#include <string.h>

enum { NAME = 24 };

static void print_cell(FILE *out, int width, const char *format, double value)
{
  char text[64] = "-";
  if (!isnan(value)) {
    (void)snprintf(text, sizeof text, format, value); /* formats are this file's own */
  }
  (void)fprintf(out, "%*s", width, text);
}

static void print_range(FILE *out, int width, const char *format, pf_interval interval)
{
  char text[64] = "", low[24], high[24];
  if (!isnan(interval.low)) {
    (void)snprintf(low, sizeof low, format, interval.low);
    (void)snprintf(high, sizeof high, format, interval.high);
    (void)snprintf(text, sizeof text, "[%s, %s]", low, high);
  }
  (void)fprintf(out, "%*s", width, text);
}

static void print_name(FILE *out, const pf_comparison *comparison, size_t c)
{
  (void)fprintf(out, "  %c %-*.*s", c == comparison->base ? '*' : ' ', NAME, NAME,
                comparison->candidates[c].name);
}

static void print_heading(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  const pf_compare_figures *base = &comparison->candidates[comparison->base].figures[v];
  pf_text what = {0};
  pf_validation_at(v)->describe(&comparison->folds[v], &what);
  (void)fprintf(out, "\n%s: %s; %zu animals, %lld observations\n", pf_validation_at(v)->name,
                what.text == NULL ? "" : what.text, base->n_animals, (long long)base->n);
  pf_text_free(&what);
  if (comparison->pooled[v]) {
    (void)fprintf(out,
                  "    (some animals have fewer than %d scored observations, so means are of all "
                  "animals' observations together)\n",
                  PF_FEW_CELLS);
  }
}

/** Models without synapses, and the base against them. */
static void print_baselines(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    const pf_compare_baseline *one = &comparison->baselines[v][b];
    if (isnan(one->score.value)) {
      continue;
    }
    (void)fprintf(out, "    %-*s%5s", NAME, pf_baseline_name(b), "-");
    print_cell(out, 10, "%.4f", one->score.value);
    print_range(out, 20, "%.4f", one->score);
    (void)fprintf(out, "   baseline; the base is better in %zu/%zu, by", one->n_better,
                  one->n_pairs);
    print_cell(out, 8, "%+.4f", one->difference.value);
    print_range(out, 20, "%+.4f", one->difference);
    (void)fputs(", p", out);
    print_cell(out, 8, "%.2g", one->p);
    (void)fputs(", Holm", out);
    print_cell(out, 8, "%.2g", one->p_holm);
    (void)fputc('\n', out);
  }
}

static void print_validation(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  print_heading(out, comparison, v);
  (void)fprintf(out, "    %-*s%5s%10s%20s%10s%9s%9s%10s%22s%9s%6s%9s%9s%20s  status\n", NAME,
                "candidate", "par", "ll/obs", "95 % interval", "median", "no pl.%", "rate %",
                "- base", "95 % interval", "better", "ties", "p", "Holm", "- best, 95 %");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_compare_candidate *candidate = &comparison->candidates[c];
    const pf_compare_figures *f = &candidate->figures[v];
    char better[32] = "-", ties[32] = "-";
    pf_text status = {0};
    pf_compare_add_status(&status, f);
    if (c != comparison->base) {
      (void)snprintf(better, sizeof better, "%zu/%zu", f->n_better, f->n_pairs);
      (void)snprintf(ties, sizeof ties, "%zu", f->n_ties);
    }
    print_name(out, comparison, c);
    (void)fprintf(out, "%5zu", candidate->n_parameters);
    print_cell(out, 10, "%.4f", f->score.value);
    print_range(out, 20, "%.4f", f->score);
    print_cell(out, 10, "%.4f", f->median);
    print_cell(out, 9, "%.2f", f->explained_no_plasticity.value);
    print_cell(out, 9, "%.2f", f->explained_mean_rate.value);
    print_cell(out, 10, "%+.4f", f->against_base.value);
    print_range(out, 22, "%+.4f", f->against_base);
    (void)fprintf(out, "%9s%6s", better, ties);
    print_cell(out, 9, "%.2g", f->p);
    print_cell(out, 9, "%.2g", f->p_holm);
    print_range(out, 20, "%+.3f", f->against_best);
    if (!isnan(f->r2_weights) || !isnan(f->r2_activity)) {
      (void)fprintf(out, "  R2");
      print_cell(out, 6, "%.2f", f->r2_weights);
      print_cell(out, 6, "%.2f", f->r2_activity);
    }
    (void)fprintf(out, "  %s\n", status.text == NULL ? "" : status.text);
    pf_text_free(&status);
  }
  print_baselines(out, comparison, v);
}

/** The share of animals that follow each candidate. */
static void print_followers(FILE *out, const pf_comparison *comparison)
{
  static const double clear_share = 0.9;
  const pf_followers *f = &comparison->followers;
  if (f->why != NULL) {
    (void)fprintf(out, "\nHow many animals follow which candidate: not known. %s\n", f->why);
  }
  if (f->n == 0) {
    return;
  }
  (void)fprintf(out,
                "\nIf each animal follows one of these: expected share of animals, and probability "
                "that it is the most\nfrequent, plain and protected (all may be equally frequent: "
                "probability %.2g); animals that follow it\nwith a probability above %g. Evidence: "
                "all steps, integrated over a population of its own followers\n    "
                "%-*s%10s%10s%10s%10s\n",
                f->omnibus_risk, clear_share, NAME, "candidate", "share", "exceeds", "protected",
                "animals");
  for (size_t k = 0; k < f->n; k++) {
    size_t n_clear = 0;
    for (size_t a = 0; a < comparison->n_animals; a++) {
      n_clear += f->shares[a * f->n + k] > clear_share ? 1 : 0;
    }
    print_name(out, comparison, f->candidates[k]);
    print_cell(out, 10, "%.3f", f->frequency[k]);
    print_cell(out, 10, "%.3f", f->exceedance[k]);
    print_cell(out, 10, "%.3f", f->protected_exceedance[k]);
    (void)fprintf(out, "%10zu\n", n_clear);
  }
}

static void print_ablations(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  (void)fprintf(
      out,
      "\nWhat a prediction rests on (%s), ll/obs: F full; T theta only, weights start fresh at the "
      "split;\n"
      "W weights only, plasticity stops at the split; N no rule at all\n    %-*s%10s%10s%10s%10s\n",
      pf_validation_at(v)->name, NAME, "candidate", "F", "T", "W", "N");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    print_name(out, comparison, c);
    for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
      print_cell(out, 10, "%.4f", comparison->candidates[c].ablations[v][a]);
    }
    (void)fputc('\n', out);
  }
}

static void print_criteria(FILE *out, const pf_comparison *comparison)
{
  (void)fprintf(out, "\nAIC, BIC: %s\n    %-*s%5s%12s%12s\n", comparison->criteria_note, NAME,
                "candidate", "par", "AIC", "BIC");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_compare_candidate *candidate = &comparison->candidates[c];
    print_name(out, comparison, c);
    (void)fprintf(out, "%5zu", candidate->n_parameters);
    print_cell(out, 12, "%.1f", candidate->aic);
    print_cell(out, 12, "%.1f", candidate->bic);
    (void)fputc('\n', out);
  }
  if (comparison->criteria_why != NULL) {
    (void)fprintf(out, "%s\n", comparison->criteria_why);
  }
}

static void print_animals(FILE *out, const pf_comparison *comparison)
{
  const uint32_t v = comparison->headline;
  (void)fprintf(out, "\nPer animal (%s), ll/obs:\n    %-*s", pf_validation_at(v)->name, NAME,
                "animal");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    (void)fprintf(out, " %11.11s", comparison->candidates[c].name);
  }
  (void)fputc('\n', out);
  for (size_t i = 0; i < comparison->n_animals; i++) {
    (void)fprintf(out, "    %-*.*s", NAME, NAME, comparison->animals[i]);
    for (size_t c = 0; c < comparison->n_candidates; c++) {
      print_cell(out, 12, "%.4f", comparison->candidates[c].figures[v].per_animal[i]);
    }
    (void)fputc('\n', out);
  }
}

/** The paths: a line for each set that was taken. */
static void print_selection(FILE *out, const pf_selection *selection)
{
  (void)fprintf(out,
                "\nSelection of terms: %s, %zu terms, scored on held-out steps (%s)\n"
                "b: the best of its path; *: chosen, the smallest that the best does not beat by "
                "more than one standard "
                "error\n    %-10s%-14s%7s%10s%20s  terms\n",
                selection->rule, selection->n_terms, pf_validation_at(selection->validation)->name,
                "path", "round", "terms", "ll/obs", "95 % interval");
  const pf_selection_set *sets = selection->sets.items;
  for (size_t i = 0; i < selection->sets.n; i++) {
    const pf_selection_set *set = &sets[i];
    if (set->on_path) {
      (void)fprintf(out, " %c%c %-10s%-14.13s", set->best ? 'b' : ' ', set->chosen ? '*' : ' ',
                    pf_selection_method_name(set->method), set->change);
      print_cell(out, 7, set->method == PF_SELECT_L1 ? "%.1f" : "%.0f", set->n_terms);
      print_cell(out, 10, "%.4f", set->score.value);
      print_range(out, 20, "%.4f", set->score);
      (void)fprintf(out, "  %s\n", set->terms);
    }
  }
  (void)fprintf(out, "These scores picked them, so they are too good: compare what was chosen on "
                     "steps that did not "
                     "choose it, by another validation or with other animals.\n");
}

static void print_validations(FILE *out, const pf_comparison *comparison, bool held_out)
{
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (comparison->asked[v] && pf_validation_at(v)->held_out == held_out) {
      print_validation(out, comparison, v);
    }
  }
}

void pf_compare_print(const pf_comparison *comparison, FILE *stream)
{
  (void)fprintf(
      stream,
      "%s: %zu candidates on the same data; * is the base\n"
      "ll/obs: log likelihood per observation, mean over animals, and its median; no pl.%%, "
      "rate %%: "
      "deviance explained against the "
      "null models `no plasticity`\n(same network, no weight changes) and `mean rate` (one "
      "constant probability), both "
      "from fitted steps; intervals: bootstrap over animals;\nties: animals whose log likelihoods "
      "differ by at most %g nats in all; p: paired exact Wilcoxon "
      "against the base, two-sided; "
      "against the best an interval only, since the best was picked by these figures.\n"
      "Baselines are models without synapses; Holm over them.\n",
      comparison->name, comparison->n_candidates, pf_compare_tie);
  print_validations(stream, comparison, true);
  print_validations(stream, comparison, false);
  if (comparison->ablations && pf_validation_at(comparison->headline)->held_out) {
    print_ablations(stream, comparison, comparison->headline);
  }
  print_followers(stream, comparison);
  print_criteria(stream, comparison);
  print_animals(stream, comparison);
  if (comparison->selection.rule != NULL) {
    print_selection(stream, &comparison->selection);
  }
  (void)fprintf(stream, "\n%s\n", comparison->words);
}
