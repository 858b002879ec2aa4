/* The table as text. */
#include "core/compare/compare.h"

#include <math.h>
#include <string.h>

enum { NAME = 24 };

static void cell(FILE *out, int width, const char *format, double value)
{
  char text[64];
  if (isnan(value)) {
    (void)snprintf(text, sizeof text, "-");
  } else {
    (void)snprintf(text, sizeof text, format, value); /* formats are this file's own */
  }
  (void)fprintf(out, "%*s", width, text);
}

static void range(FILE *out, int width, const char *format, pf_interval interval)
{
  char text[64] = "", low[24], high[24];
  if (!isnan(interval.low)) {
    (void)snprintf(low, sizeof low, format, interval.low);
    (void)snprintf(high, sizeof high, format, interval.high);
    (void)snprintf(text, sizeof text, "[%s, %s]", low, high);
  }
  (void)fprintf(out, "%*s", width, text);
}

static void name_of(FILE *out, const pf_comparison *comparison, size_t c)
{
  (void)fprintf(out, "  %c %-*.*s", c == comparison->base ? '*' : ' ', NAME, NAME,
                comparison->candidates[c].name);
}

static void say_validation(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  const pf_compare_figures *base = &comparison->candidates[comparison->base].figures[v];
  (void)fprintf(out, "\n%s: ", pf_validation_name(v));
  switch (v) {
  case PF_IN_SAMPLE:
    (void)fprintf(out, "the steps and draws that were fitted");
    break;
  case PF_IN_SAMPLE_FRESH:
    (void)fprintf(
        out, "the steps that were fitted, with fresh inputs and initial weights (not held out)");
    break;
  case PF_FORECAST:
    (void)fprintf(out, "fits the first %.0f %% of each experiment's trials, scores the rest",
                  100.0 * comparison->forecast_fit);
    break;
  case PF_LEAVE_BLOCK:
    (void)fprintf(
        out, "%lld %s, each left out and scored in turn", (long long)comparison->n_folds[v],
        comparison->blocks_from_data ? "blocks of the data"
                                     : "equal parts of each experiment (no blocks in the data)");
    break;
  default:
    (void)fprintf(
        out, "each animal scored with one theta fitted to all others (fit.per = \"shared\" here)");
    break;
  }
  (void)fprintf(out, "; %zu animals, %lld observations\n", base->n_animals, (long long)base->n);
}

static void print_validation(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  say_validation(out, comparison, v);
  (void)fprintf(out, "    %-*s%5s%10s%20s%9s%9s%10s%22s%9s%9s%9s%20s\n", NAME, "candidate", "par",
                "ll/obs", "95 % interval", "no pl.%", "rate %", "- base", "95 % interval", "better",
                "p", "Holm", "- best, 95 %");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    const pf_compare_candidate *candidate = &comparison->candidates[c];
    const pf_compare_figures *f = &candidate->figures[v];
    char better[32] = "-";
    if (c != comparison->base) {
      (void)snprintf(better, sizeof better, "%zu/%zu", f->n_better, f->n_pairs);
    }
    name_of(out, comparison, c);
    (void)fprintf(out, "%5zu", candidate->n_parameters);
    cell(out, 10, "%.4f", f->score.value);
    range(out, 20, "%.4f", f->score);
    cell(out, 9, "%.2f", f->explained_no_plasticity.value);
    cell(out, 9, "%.2f", f->explained_mean_rate.value);
    cell(out, 10, "%+.4f", f->against_base.value);
    range(out, 22, "%+.4f", f->against_base);
    (void)fprintf(out, "%9s", better);
    cell(out, 9, "%.2g", f->p);
    cell(out, 9, "%.2g", f->p_holm);
    range(out, 20, "%+.3f", f->against_best);
    if (!isnan(f->r2_weights) || !isnan(f->r2_activity)) {
      (void)fprintf(out, "  R2");
      cell(out, 6, "%.2f", f->r2_weights);
      cell(out, 6, "%.2f", f->r2_activity);
    }
    (void)fprintf(out, "%s\n", f->n_failed > 0 ? "  (some failed)" : "");
  }
}

static void print_ablations(FILE *out, const pf_comparison *comparison, uint32_t v)
{
  (void)fprintf(
      out,
      "\nWhat a prediction rests on (%s), ll/obs: F full; T theta only, weights start fresh at the "
      "split;\n"
      "W weights only, plasticity stops at the split; N no rule at all\n    %-*s%10s%10s%10s%10s\n",
      pf_validation_name(v), NAME, "candidate", "F", "T", "W", "N");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    name_of(out, comparison, c);
    for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
      cell(out, 10, "%.4f", comparison->candidates[c].ablations[v][a]);
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
    name_of(out, comparison, c);
    (void)fprintf(out, "%5zu", candidate->n_parameters);
    cell(out, 12, "%.1f", candidate->aic);
    cell(out, 12, "%.1f", candidate->bic);
    (void)fputc('\n', out);
  }
}

static void print_animals(FILE *out, const pf_comparison *comparison)
{
  const uint32_t v = comparison->headline;
  (void)fprintf(out, "\nPer animal (%s), ll/obs:\n    %-*s", pf_validation_name(v), NAME, "animal");
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    (void)fprintf(out, " %11.11s", comparison->candidates[c].name);
  }
  (void)fputc('\n', out);
  for (size_t i = 0; i < comparison->n_animals; i++) {
    (void)fprintf(out, "    %-*.*s", NAME, NAME, comparison->animals[i]);
    for (size_t c = 0; c < comparison->n_candidates; c++) {
      cell(out, 12, "%.4f", comparison->candidates[c].figures[v].per_animal[i]);
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
                selection->rule, selection->n_terms, pf_validation_name(selection->validation),
                "path", "round", "terms", "ll/obs", "95 % interval");
  for (size_t i = 0; i < selection->n; i++) {
    const pf_selection_set *set = &selection->sets[i];
    if (set->on_path) {
      (void)fprintf(out, " %c%c %-10s%-14.13s", set->best ? 'b' : ' ', set->chosen ? '*' : ' ',
                    pf_selection_method_name(set->method), set->change);
      cell(out, 7, set->method == PF_SELECT_L1 ? "%.1f" : "%.0f", set->n_terms);
      cell(out, 10, "%.4f", set->score.value);
      range(out, 20, "%.4f", set->score);
      (void)fprintf(out, "  %s\n", set->terms);
    }
  }
  (void)fprintf(out, "These scores picked them, so they are too good: compare what was chosen on "
                     "steps that did not "
                     "choose it, by another validation or with other animals.\n");
}

void pf_compare_print(const pf_comparison *comparison, FILE *stream)
{
  (void)fprintf(stream,
                "%s: %zu candidates on the same data; * is the base\n"
                "ll/obs: log likelihood per observation, mean over animals; no pl.%%, rate %%: "
                "deviance explained against the "
                "nulls `no plasticity`\n(same network, no weight changes) and `mean rate` (one "
                "constant probability), both "
                "from fitted steps; intervals: bootstrap over animals;\np: paired exact Wilcoxon "
                "against the base, two-sided; "
                "against the best an interval only, since the best was picked by these figures.\n",
                comparison->name, comparison->n_candidates);
  static const uint32_t order[] = {PF_FORECAST, PF_LEAVE_BLOCK, PF_LEAVE_ANIMAL, PF_IN_SAMPLE,
                                   PF_IN_SAMPLE_FRESH};
  for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
    if (comparison->asked[order[k]]) {
      print_validation(stream, comparison, order[k]);
    }
  }
  if (comparison->ablations && pf_validation_is_held_out(comparison->headline)) {
    print_ablations(stream, comparison, comparison->headline);
  }
  print_criteria(stream, comparison);
  print_animals(stream, comparison);
  if (comparison->selection.rule != NULL) {
    print_selection(stream, &comparison->selection);
  }
  (void)fprintf(stream, "\n%s\n", comparison->words);
}
