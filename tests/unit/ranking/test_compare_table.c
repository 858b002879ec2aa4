/* core/compare: the table, its words, its text and its files, from rows that are made up, against
 * figures worked out by hand. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */

#include "core/base/memory.h"
#include "core/ranking/compare_table.h"
#include "core/ranking/comparison_json.h"
#include "core/ranking/print_table.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_ANIMALS = 6, N_FOLDS = 2, N_CELLS = 10 };

static pf_comparison *comparison;
static pf_error error;
static uint32_t forecast, in_sample;
static pf_array rows;

static char *text_of(const char *text)
{
  return pf_memory_string(text, &error);
}

/** A comparison of n candidates, "base", "b" and "c", without rows. */
static void make(size_t n)
{
  static const char *const names[] = {"base", "b", "c"};
  comparison = pf_memory_need(1, sizeof *comparison, &error);
  comparison->name = text_of("made up");
  comparison->out = text_of("nowhere");
  comparison->criteria_note = text_of("left out");
  comparison->seed = 3;
  comparison->n_candidates = n;
  comparison->n_animals = N_ANIMALS;
  comparison->candidates = pf_memory_need(n, sizeof *comparison->candidates, &error);
  comparison->animals = pf_memory_need(N_ANIMALS, sizeof *comparison->animals, &error);
  for (size_t c = 0; c < n; c++) {
    comparison->candidates[c] = (pf_compare_candidate){.name = text_of(names[c]),
                                                       .rule = text_of("taylor"),
                                                       .n_parameters = 2,
                                                       .is_likelihood = true,
                                                       .aic = NAN,
                                                       .bic = NAN};
  }
  for (size_t a = 0; a < N_ANIMALS; a++) {
    char name[16];
    (void)snprintf(name, sizeof name, "Fly%zu", a + 1);
    comparison->animals[a] = text_of(name);
  }
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    comparison->folds[v] = (pf_folds){.n = N_FOLDS, .value = 0.75};
  }
}

/** Rows of a candidate: its log likelihood per cell in each animal, the same in each fold. */
static void add_rows(size_t candidate, uint32_t validation, const double *per_cell)
{
  comparison->asked[validation] = true;
  for (int64_t fold = 0; fold < N_FOLDS; fold++) {
    for (size_t a = 0; a < N_ANIMALS; a++) {
      pf_compare_row *row = pf_array_append(&rows, &error);
      *row = (pf_compare_row){.candidate = candidate,
                              .animal = a,
                              .validation = validation,
                              .fold = fold,
                              .n = N_CELLS,
                              .log_likelihood = N_CELLS * per_cell[a],
                              .no_plasticity = N_CELLS * -0.8,
                              .mean_rate = N_CELLS * -0.6,
                              .r2_weights = NAN,
                              .r2_activity = 0.5};
    }
  }
  comparison->rows = rows.items;
  comparison->n_rows = rows.n;
}

static const double of_base[N_ANIMALS] = {-0.6, -0.6, -0.6, -0.6, -0.6, -0.6};
static const double better[N_ANIMALS] = {-0.59, -0.58, -0.57, -0.56, -0.55, -0.54};
/* differences from the base of ranks +1 -2 +3 -4 +5 -6 */
static const double mixed[N_ANIMALS] = {-0.59, -0.62, -0.57, -0.64, -0.55, -0.66};

static void start(void)
{
  error = pf_error_none();
  forecast = pf_validation_named("forecast");
  in_sample = pf_validation_named("in-sample");
  rows = pf_array_of(sizeof(pf_compare_row));
}

static void end(void)
{
  pf_comparison_free(comparison);
}

TestSuite(compare_table, .init = start, .fini = end);

static bool near(double a, double b)
{
  return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

static const pf_compare_figures *tabulate(size_t candidate, uint32_t validation)
{
  cr_assert(pf_compare_tabulate(comparison, &error) == PF_OK, "%s", error.text);
  return &comparison->candidates[candidate].figures[validation];
}

static void says(const char *words)
{
  cr_assert(strstr(comparison->words, words) != NULL, "'%s' is not in: %s", words,
            comparison->words);
}

/* Folds are pooled within an animal: their sums over their cells. */
Test(compare_table, figures_of_one_candidate)
{
  make(1);
  add_rows(0, forecast, better);
  const pf_compare_figures *f = tabulate(0, forecast);
  cr_assert(f->n_animals == N_ANIMALS && f->n_failed == 0);
  cr_assert(f->n == N_ANIMALS * N_FOLDS * N_CELLS);
  cr_assert(near(f->per_animal[2], -0.57) && near(f->score.value, -0.565));
  cr_assert(f->score.low > -0.59 && f->score.low < -0.565 && f->score.high > -0.565 &&
            f->score.high < -0.54);
  cr_assert(near(f->explained_no_plasticity.value, 100.0 * (0.8 - 0.565) / 0.8));
  cr_assert(near(f->explained_mean_rate.value, 100.0 * (0.6 - 0.565) / 0.6));
  cr_assert(isnan(f->r2_weights) && near(f->r2_activity, 0.5));
  cr_assert(isnan(f->p) && isnan(f->against_best.value));
  cr_assert(comparison->headline == forecast);
  says("On held-out steps (forecast): there is one candidate");
  says("Better than a constant prediction (95 % interval above 0): 'base'.");
}

/* Six of six: the exact test has p = 2 / 2^6. */
Test(compare_table, all_animals_agree)
{
  make(2);
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_pairs == 6 && f->n_better == 6);
  cr_assert(f->p == 0.03125 && f->p_holm == 0.03125);
  cr_assert(near(f->against_base.value, 0.035));
  cr_assert(isnan(f->against_best.value));
  const pf_compare_figures *base = &comparison->candidates[0].figures[forecast];
  cr_assert(isnan(base->p) && near(base->against_best.value, -0.035));
  says("'b' beats 'base' in 6 of 6 animals (p = 0.031)");
  says("p: Wilcoxon over animals.");
}

/* The rank sum of `mixed` is 1 + 3 + 5 = 9: of the 2^6 signs 54 give 9 and below, or 12 and above.
 * Holm multiplies the smaller p by two. */
Test(compare_table, corrected_for_two_comparisons)
{
  make(3);
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  add_rows(2, forecast, mixed);
  const pf_compare_figures *f = tabulate(2, forecast);
  cr_assert(f->n_better == 3 && f->p == 54.0 / 64.0 && f->p_holm == 54.0 / 64.0);
  cr_assert(comparison->candidates[1].figures[forecast].p == 0.03125);
  cr_assert(comparison->candidates[1].figures[forecast].p_holm == 0.0625);
  says("not told apart from 'base' by these data: 'b' (p = 0.062), 'c' (p = 0.84)");
  says("Holm-corrected for 2 comparisons");
}

/* An animal of which a fold failed has no figure; five pairs are too few for any test. */
Test(compare_table, an_animal_that_failed)
{
  make(2);
  double failed[N_ANIMALS];
  memcpy(failed, better, sizeof failed);
  failed[0] = NAN;
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, failed);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_failed == 1 && f->n_animals == 5 && f->n_pairs == 5);
  cr_assert(near(f->score.value, -0.56));
  says("'b' is better than 'base' in 5 of 5 animals, too few for a test");
}

/* Differences that optimisers leave are ties: dropped from the test, 0 in the mean. */
Test(compare_table, ties)
{
  make(2);
  double almost[N_ANIMALS];
  for (size_t a = 0; a < N_ANIMALS; a++) {
    almost[a] = of_base[a] + 2.5e-11 * (double)(a + 1);
  }
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, almost);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_pairs == 6 && f->n_ties == 6 && f->n_better == 0 && f->p == 1.0);
  cr_assert(f->against_base.value == 0.0 && f->differences[3] == 0.0);
  says("'b' and 'base' tie in 6 of 6 animals");
  says("differ by at most 0.0001 nats");
}

/* Just above the tolerance it is a difference: 20 cells of 0.55e-5. */
Test(compare_table, no_tie)
{
  make(2);
  double little[N_ANIMALS];
  for (size_t a = 0; a < N_ANIMALS; a++) {
    little[a] = of_base[a] + (a == 0 ? 0.45e-5 : 0.55e-5);
  }
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, little);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_ties == 1 && f->n_better == 5 && f->p == 0.0625);
}

static void set_verdict(size_t candidate, size_t animal, uint32_t verdict)
{
  for (size_t i = 0; i < comparison->n_rows; i++) {
    if (comparison->rows[i].candidate == candidate && comparison->rows[i].animal == animal) {
      comparison->rows[i].verdict = verdict;
      break; /* one fold is enough */
    }
  }
}

/* An animal whose fit is nothing to rest a claim on is left out, and named. */
Test(compare_table, fits_that_do_not_count)
{
  make(2);
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  set_verdict(1, 0, PF_FIT_NOT_CONVERGED);
  set_verdict(1, 4, PF_FIT_SEPARATION);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_animals == 4 && f->n_left_out == 2 && f->n_failed == 0 && f->n_pairs == 4);
  cr_assert(isnan(f->per_animal[0]) && isnan(f->per_animal[4]));
  cr_assert(near(f->score.value, (-0.58 - 0.57 - 0.56 - 0.54) / 4.0));
  says("'b', 2 of 6 left out: 1 not converged, 1 separation");
  set_verdict(1, 0, PF_FIT_PASSES_DONE);
  set_verdict(1, 4, PF_FIT_PASSES_DONE);
  cr_assert(tabulate(1, forecast)->n_left_out == 0);
}

/* One absurd score makes the mean: the median stands beside it, and neither the winner nor the
 * words go by it. */
Test(compare_table, one_absurd_score)
{
  make(2);
  double absurd[N_ANIMALS];
  memcpy(absurd, better, sizeof absurd);
  absurd[0] = -66910.0;
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, absurd);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(near(f->median, -0.565) && f->score.value < -1000.0 && f->n_better == 5);
  says("The mean of 'b' (-1.115e+04) is made by one animal, 'Fly1' (-6.691e+04)");
  cr_assert(f->ranks_higher);
}

Test(compare_table, nothing_was_scored)
{
  make(2);
  const double none[N_ANIMALS] = {NAN, NAN, NAN, NAN, NAN, NAN};
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, none);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(f->n_pairs == 0 && isnan(f->p) && isnan(f->against_best.value));
  says("of 'b' nothing can be said");
}

/* In sample is the headline only where nothing is held out, and says that it shows little. */
Test(compare_table, the_headline)
{
  make(2);
  add_rows(0, in_sample, of_base);
  add_rows(1, in_sample, better);
  (void)tabulate(0, in_sample);
  cr_assert(comparison->headline == in_sample);
  says("In sample (in-sample): ");
  says("need not predict better");
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, mixed);
  (void)tabulate(0, forecast);
  cr_assert(comparison->headline == forecast);
  cr_assert(strstr(comparison->words, "In sample") == NULL);
}

/* An animal with a handful of observations can score anything: then observations are averaged, not
 * animals. */
Test(compare_table, few_observations_are_pooled)
{
  make(2);
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  for (size_t i = 0; i < comparison->n_rows; i++) {
    pf_compare_row *row = &comparison->rows[i];
    if (row->animal != 0) {
      continue;
    }
    const double share = row->fold == 0 ? 1.0 / N_CELLS : 0.0; /* one observation in all */
    row->n = row->fold == 0 ? 1 : 0;
    row->log_likelihood =
        row->candidate == 1 ? -5.0 * N_CELLS * share : row->log_likelihood * share;
    row->no_plasticity *= share;
    row->mean_rate *= share;
  }
  const double cells = 5.0 * N_FOLDS * N_CELLS;
  const double others = 0.2 * (0.58 + 0.57 + 0.56 + 0.55 + 0.54);
  const pf_compare_figures *f = tabulate(1, forecast);
  cr_assert(comparison->pooled[forecast]);
  cr_assert(near(f->score.value, -(5.0 + cells * others) / (1.0 + cells)));
  cr_assert(near(f->explained_mean_rate.value,
                 100.0 * (1.0 - (5.0 + cells * others) / (0.6 * (1.0 + cells)))));
  cr_assert(near(f->against_base.value, (-4.4 + cells * (0.6 - others)) / (1.0 + cells)));
  cr_assert(f->score.high < -0.54 && f->score.low > -0.8, "[%g, %g]", f->score.low, f->score.high);
}

Test(compare_table, means_of_ablations)
{
  make(1);
  add_rows(0, forecast, of_base);
  const size_t n = rows.n;
  for (size_t i = 0; i < n; i++) {
    pf_compare_row *row = pf_array_append(&rows, &error);
    *row = ((pf_compare_row *)rows.items)[i];
    row->ablation = PF_ABLATION_STOP;
    row->log_likelihood = N_CELLS * -0.7;
  }
  comparison->rows = rows.items;
  comparison->n_rows = rows.n;
  comparison->ablations = true;
  (void)tabulate(0, forecast);
  const double *means = comparison->candidates[0].ablations[forecast];
  cr_assert(near(means[PF_ABLATION_FULL], -0.6) && near(means[PF_ABLATION_STOP], -0.7));
  cr_assert(isnan(means[PF_ABLATION_THETA]) && isnan(means[PF_ABLATION_NONE]));
}

/* ---- as text ---- */

static char *printed(void)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  cr_assert(stream != NULL);
  pf_compare_print(comparison, stream);
  (void)fclose(stream);
  return text;
}

static void add_selection(void)
{
  static const struct {
    const char *change, *terms;
    double n, score;
    bool on_path, best, chosen;
  } sets[] = {{"", "none", 0, -0.7, true, false, false},
              {"+ w", "w", 1, -0.5, false, false, false},
              {"+ x r", "x r", 1, -0.4, true, true, true}};
  pf_selection *selection = &comparison->selection;
  selection->rule = text_of("rules.learn");
  selection->validation = forecast;
  selection->n_terms = 2;
  selection->sets = pf_array_of(sizeof(pf_selection_set));
  for (size_t i = 0; i < 3; i++) {
    pf_selection_set *set = pf_array_append(&selection->sets, &error);
    *set = (pf_selection_set){.method = PF_SELECT_FORWARD,
                              .round = i > 0,
                              .on_path = sets[i].on_path,
                              .best = sets[i].best,
                              .chosen = sets[i].chosen,
                              .change = text_of(sets[i].change),
                              .terms = text_of(sets[i].terms),
                              .n_terms = sets[i].n,
                              .l1 = NAN,
                              .score = {sets[i].score, -1.0, 0.0}};
  }
}

/* The heading and the lines of a table are of one width, whatever stands in them. */
Test(compare_table, columns_line_up)
{
  make(3);
  for (size_t c = 0; c < 3; c++) {
    add_rows(c, forecast, c == 0 ? of_base : c == 1 ? better : mixed);
  }
  for (size_t i = 0; i < rows.n; i++) {
    comparison->rows[i].r2_activity = NAN; /* stands behind the last column */
  }
  (void)tabulate(0, forecast);
  char *text = printed();
  const char *line = strstr(text, "    candidate ");
  cr_assert(line != NULL);
  const size_t width = strcspn(line, "\n");
  cr_assert(width == 4 + 24 + 5 + 10 + 20 + 10 + 9 + 9 + 10 + 22 + 9 + 6 + 9 + 9 + 20 + 8);
  for (size_t c = 0; c < 3; c++) {
    line += strcspn(line, "\n") + 1;
    cr_assert(strcspn(line, "\n") == width - strlen("status") + strlen("ok"), "%s", line);
    cr_assert(line[2] == (c == 0 ? '*' : ' '));
  }
  free(text);
}

static void prints(const char *text, const char *words)
{
  cr_assert(strstr(text, words) != NULL, "'%s' is not in: %s", words, text);
}

Test(compare_table, everything_is_printed)
{
  make(2);
  comparison->ablations = true;
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  add_rows(0, in_sample, of_base);
  add_rows(1, in_sample, better);
  (void)tabulate(0, forecast);
  add_selection();
  char *text = printed();
  prints(text, "made up: 2 candidates on the same data");
  prints(text, "\nforecast: fits the first 75 % of each experiment's trials, scores the rest; 6 "
               "animals, 120 observations\n");
  prints(text, "\nin-sample: the steps and draws that were fitted; 6 animals");
  cr_assert(strstr(text, "\nforecast:") < strstr(text, "\nin-sample:"));
  prints(text, "What a prediction rests on (forecast)");
  prints(text, "AIC, BIC: left out");
  prints(text, "Per animal (forecast)");
  prints(text, "Fly6");
  prints(text, " b* forward   + x r         ");
  cr_assert(strstr(text, "forward   + w ") == NULL); /* not on the path */
  prints(text, "R2     -  0.50");
  prints(text, comparison->words);
  free(text);
}

/* ---- summary.json ---- */

Test(compare_table, summary)
{
  char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
  make(2);
  add_rows(0, forecast, of_base);
  add_rows(1, forecast, better);
  (void)tabulate(0, forecast);
  add_selection();
  pf_memory_free(comparison->animals[0]);
  comparison->animals[0] = text_of("Fl\xff"); /* no UTF-8 */
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/summary.json", folder);
  cr_assert(pf_compare_write_summary(comparison, path, &error) == PF_OK, "%s", error.text);
  json_t *root = json_load_file(path, 0, NULL);
  const char *name = NULL, *first = NULL, *headline = NULL, *change = NULL;
  cr_assert(json_unpack(root, "{s:s, s:s}", "name", &name, "headline", &headline) == 0);
  cr_assert(strcmp(name, "made up") == 0 && strcmp(headline, "forecast") == 0);
  cr_assert(json_real_value(json_object_get(root, "forecast_fit")) == 0.75);
  const json_t *candidate = json_array_get(json_object_get(root, "candidates"), 1);
  const json_t *figures = json_object_get(json_object_get(candidate, "validations"), "forecast");
  const json_t *base = json_object_get(figures, "against_base");
  cr_assert(json_real_value(json_object_get(base, "p")) == 0.03125);
  cr_assert(json_is_null(json_object_get(figures, "ablations")));
  cr_assert(json_array_size(json_object_get(figures, "per_animal")) == N_ANIMALS);
  cr_assert(json_is_null(json_object_get(candidate, "aic")));
  first = json_string_value(json_array_get(json_object_get(root, "animals"), 0));
  cr_assert(strcmp(first, "Fl?") == 0);
  const json_t *paths = json_object_get(json_object_get(root, "selection"), "paths");
  cr_assert(json_array_size(json_object_get(paths, "forward")) == 2);
  cr_assert(json_unpack(json_array_get(json_object_get(paths, "forward"), 1), "{s:s}", "change",
                        &change) == 0 &&
            strcmp(change, "+ x r") == 0);
  json_decref(root);
  error = pf_error_none();
  cr_assert(pf_compare_write_summary(comparison, folder, &error) == PF_STOP);
  cr_assert(strstr(error.text, "cannot write") != NULL);
  scratch_remove(folder);
}
