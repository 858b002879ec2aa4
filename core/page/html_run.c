/* The page of a run: what was fitted, and all that figures and tables can tell of it. */
#include "core/page/html_run.h"
#include "core/base/memory.h"
#include "core/figures/figure_folder.h"
#include "core/figures/result_folder.h"
#include "core/figures/run_figures.h"
#include "core/page/html_equation.h"
#include "core/page/html_verdict.h"
#include "core/stats/stats.h"

#include <plastfit/plastfit.h>
#include <stdlib.h>
#include <string.h>

/** A run, and the figures drawn of it. */
typedef struct run {
  pf_run_data data;
  pf_figures *figures;
} run;

static pf_status plot_figures(run *r, pf_error *error)
{
  size_t n = 0;
  const pf_run_figure *table = pf_run_figure_table(&n);
  r->figures = pf_figures_new(error);
  if (r->figures == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    if (table[k].plot == NULL) {
      continue;
    }
    const pf_status status = table[k].plot(r->figures, &r->data, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return pf_figure_folder_draw(r->data.folder, r->figures, error);
}

/* ---- what was fitted ---- */

/** "taylor (eta 0.5), oja (eta 0.1)" */
static void rules_text(const json_t *config, pf_text *out)
{
  const json_t *rules = json_object_get(config, "rules");
  for (size_t i = 0; i < json_array_size(rules); i++) {
    const json_t *rule = json_array_get(rules, i);
    pf_text_add(out, "%s%s (eta %.4g)", i > 0 ? ", " : "", pf_result_string(rule, "plugin"),
                pf_result_number(rule, "eta"));
  }
}

static void write_head(pf_text *page, const run *r)
{
  const json_t *config = json_object_get(r->data.summary, "config");
  const size_t n_units = json_array_size(json_object_get(r->data.summary, "units"));
  pf_text rules = {0};
  char text[600];
  rules_text(config, &rules);
  char whose[80];
  char how[120];
  const json_t *fit = json_object_get(config, "fit");
  const double n_draws =
      pf_result_number(json_object_get(json_object_get(config, "source"), "input"), "draws");
  const bool shared = strcmp(pf_result_string(fit, "per"), "shared") == 0;
  const bool drawn = strcmp(pf_result_string(fit, "per"), "population") == 0;
  const bool passes = json_is_true(json_object_get(config, "fixed_passes"));
  (void)snprintf(whose, sizeof whose, "a theta for each of %zu animals%s", n_units,
                 drawn ? ", drawn from a population" : "");
  (void)snprintf(how, sizeof how, passes ? "%.40s, %g epochs" : "%.40s, at most %g iterations",
                 pf_result_string(fit, "optimiser"),
                 pf_result_number(fit, passes ? "epochs" : "iterations"));
  (void)snprintf(
      text, sizeof text,
      "Rule: %.200s. Fitted %s (%s, %g %s of the inputs). Status: %.20s. Seed %g. plastfit %.20s.",
      rules.text != NULL ? rules.text : "none", shared ? "one theta for all animals" : whose, how,
      n_draws, n_draws > 1.0 ? "draws" : "draw", pf_result_string(r->data.summary, "status"),
      pf_result_number(r->data.summary, "seed"), pf_result_string(r->data.summary, "plastfit"));
  pf_page_paragraph(page, text);
  pf_page_config(page, r->data.folder);
  pf_text_free(&rules);
}

/* ---- scores ---- */

/** A score as the table shows it. */
typedef struct score_column {
  const char *title;
  double (*of)(const json_t *scores);
} score_column;

static double of_no_plasticity(const json_t *scores)
{
  return pf_result_number(json_object_get(scores, "deviance_explained"), "no_plasticity");
}

static double of_mean_rate(const json_t *scores)
{
  return pf_result_number(json_object_get(scores, "deviance_explained"), "mean_rate");
}

static double of_win_stay(const json_t *scores)
{
  return pf_result_number(json_object_get(scores, "deviance_explained"), "win_stay_lose_shift");
}

static double of_history(const json_t *scores)
{
  return pf_result_number(json_object_get(scores, "deviance_explained"), "logistic_history");
}

static double of_log_likelihood(const json_t *scores)
{
  return pf_result_number(scores, "log_likelihood") / pf_result_number(scores, "n_scored");
}

static double of_weights(const json_t *scores)
{
  return pf_result_number(scores, "r2_weights");
}

static double of_activity(const json_t *scores)
{
  return pf_result_number(scores, "r2_activity");
}

static const score_column scores_shown[] = {
    {"deviance explained, % of no plasticity", of_no_plasticity},
    {"% of mean rate", of_mean_rate},
    {"% of win-stay-lose-shift", of_win_stay},
    {"% of logistic history", of_history},
    {"log likelihood per observation", of_log_likelihood},
    {"R2 of weights", of_weights},
    {"R2 of activity", of_activity},
};
enum { N_SCORES = sizeof scores_shown / sizeof scores_shown[0] };

/** Columns that have a number for some animal, after that of the names; which[] are their places.
 */
static size_t used_scores(const json_t *animals, size_t *which)
{
  size_t n = 0;
  for (size_t k = 0; k < N_SCORES; k++) {
    bool used = false;
    for (size_t i = 0; i < json_array_size(animals); i++) {
      used = used || isfinite(scores_shown[k].of(json_array_get(animals, i)));
    }
    if (used) {
      which[n++] = k;
    }
  }
  return n;
}

static void begin_scores(pf_text *page, const size_t *which, size_t n)
{
  const char *columns[N_SCORES + 1] = {""};
  for (size_t k = 0; k < n; k++) {
    columns[k + 1] = scores_shown[which[k]].title;
  }
  pf_page_table_of_numbers(page, columns, n + 1, 1);
}

/** Mean (or median) over the animals that have the score, as summary.json has them. */
static double over_animals(const json_t *animals, const score_column *column, bool median,
                           double *room)
{
  size_t n = 0;
  double sum = 0.0;
  for (size_t i = 0; i < json_array_size(animals); i++) {
    const double value = column->of(json_array_get(animals, i));
    if (isfinite(value)) {
      sum += value;
      room[n++] = value;
    }
  }
  return !median ? sum / (double)n : pf_stats_quantile(room, pf_stats_sort(room, n), 0.5);
}

/** What `evaluated_on` means for who reads the scores. */
static const char *scored_words(const char *on)
{
  if (strcmp(on, "fresh draws") == 0) {
    return " of the inputs for the fitted choices (in sample, fresh inputs: not held out)";
  }
  return strcmp(on, "fitted draws") == 0 ? " (in sample: not held out)" : "";
}

static const char *mean_words(bool pooled)
{
  return pooled ? "all animals together (some have few observations)" : "mean over animals";
}

static pf_status write_scores(pf_text *page, const run *r, pf_error *error)
{
  const json_t *animals = json_object_get(r->data.summary, "animals");
  const char *on = pf_result_string(r->data.summary, "evaluated_on");
  char text[400];
  (void)snprintf(
      text, sizeof text,
      "Scored on %.40s%s. Nulls: the same network without plasticity, and a constant (of "
      "choices the mean rate, of activities and counts the mean of each unit).",
      on, scored_words(on));
  pf_page_heading(page, "Scores", text);
  const bool pooled =
      json_is_true(json_object_get(json_object_get(r->data.summary, "mean"), "pooled"));
  size_t which[N_SCORES];
  const size_t n = used_scores(animals, which);
  double *room = pf_memory_need(json_array_size(animals), sizeof *room, error);
  if (room == NULL) {
    return PF_STOP;
  }
  begin_scores(page, which, n);
  for (int median = 0; median < 2; median++) {
    pf_page_row(page);
    pf_page_cell(page, median != 0 ? "median" : mean_words(pooled));
    for (size_t k = 0; k < n; k++) {
      const score_column *column = &scores_shown[which[k]];
      const bool is_given = pooled && median == 0 && column->of != of_log_likelihood;
      pf_page_number(page, is_given ? column->of(json_object_get(r->data.summary, "mean"))
                                    : over_animals(animals, column, median != 0, room));
    }
  }
  pf_page_table_end(page);
  pf_memory_free(room);
  pf_page_fold(page, "Each animal");
  begin_scores(page, which, n);
  for (size_t i = 0; i < json_array_size(animals); i++) {
    const json_t *animal = json_array_get(animals, i);
    const char *reason = pf_result_string(animal, "error");
    char name[300];
    (void)snprintf(name, sizeof name, "%.80s%s%.200s", pf_result_string(animal, "name"),
                   reason[0] != '\0' ? ": " : "", reason);
    pf_page_row(page);
    pf_page_cell(page, name);
    for (size_t k = 0; k < n; k++) {
      pf_page_number(page, scores_shown[which[k]].of(animal));
    }
  }
  pf_page_table_end(page);
  pf_page_fold_end(page);
  return PF_OK;
}

/* ---- coefficients ---- */

/** Does a row count beside others? Its fit did not fail, and where `claims` it arrived and the data
 * identify the coefficient. */
static bool row_counts(const pf_sheet *theta, size_t i, bool claims)
{
  static const char *const arrived[] = {"ok", "converged", "passes done"};
  const char *status = pf_sheet_text(theta, i, pf_sheet_column(theta, "status"));
  const char *verdict = pf_sheet_text(theta, i, pf_sheet_column(theta, "verdict"));
  if (!claims) {
    return strcmp(status, "failed") != 0;
  }
  for (size_t k = 0; k < sizeof arrived / sizeof arrived[0]; k++) {
    if (strcmp(status, arrived[k]) == 0) {
      return verdict[0] == '\0' || strcmp(verdict, "identified") == 0;
    }
  }
  return false;
}

/** The estimates of one parameter over units: how many, their mean and extremes. */
static size_t sorted_estimates(const pf_sheet *theta, size_t first, bool claims, double *values)
{
  const size_t name = pf_sheet_column(theta, "name");
  const size_t owner = pf_sheet_column(theta, "owner");
  const size_t estimate = pf_sheet_column(theta, "estimate");
  size_t n = 0;
  for (size_t i = first; i < theta->n_rows; i++) {
    if (strcmp(pf_sheet_text(theta, i, name), pf_sheet_text(theta, first, name)) == 0 &&
        strcmp(pf_sheet_text(theta, i, owner), pf_sheet_text(theta, first, owner)) == 0 &&
        row_counts(theta, i, claims)) {
      values[n++] = pf_sheet_number(theta, i, estimate);
    }
  }
  return pf_stats_sort(values, n);
}

/** `several`: of several estimates, those that count; else of one, with what is known of it. */
static void coefficient_row(pf_text *page, const pf_sheet *theta, size_t i, bool several,
                            double *values)
{
  const char *const more[] = {"se", "ci_lower", "ci_upper"};
  const size_t n = sorted_estimates(theta, i, several, values);
  pf_page_row(page);
  pf_page_cell(page, pf_sheet_text(theta, i, pf_sheet_column(theta, "owner")));
  pf_page_cell(page, pf_sheet_text(theta, i, pf_sheet_column(theta, "name")));
  pf_page_cell(page, pf_sheet_text(theta, i, pf_sheet_column(theta, "label")));
  pf_page_number(page, pf_sheet_number(theta, i, pf_sheet_column(theta, "truth")));
  pf_page_number(page, pf_stats_quantile(values, n, 0.5));
  if (several) {
    pf_page_number(page, n > 0 ? values[0] : (double)NAN);
    pf_page_number(page, n > 0 ? values[n - 1] : (double)NAN);
    return;
  }
  for (size_t k = 0; k < 3; k++) {
    if (pf_sheet_column(theta, more[k]) < theta->n_columns) {
      pf_page_number(page, pf_sheet_number(theta, i, pf_sheet_column(theta, more[k])));
    }
  }
  if (pf_sheet_column(theta, "verdict") < theta->n_columns) {
    pf_page_cell(page, pf_sheet_text(theta, i, pf_sheet_column(theta, "verdict")));
  }
}

/** One more copy, for another animal or experiment, of the parameter in the row before? */
static bool is_copy(const pf_sheet *theta, size_t i)
{
  const size_t name = pf_sheet_column(theta, "name");
  const size_t owner = pf_sheet_column(theta, "owner");
  return i > 0 && strcmp(pf_sheet_text(theta, i, name), pf_sheet_text(theta, i - 1, name)) == 0 &&
         strcmp(pf_sheet_text(theta, i, owner), pf_sheet_text(theta, i - 1, owner)) == 0;
}

static pf_status write_coefficients(pf_text *page, const run *r, pf_error *error)
{
  enum { MAX_ROWS = 200 };
  const pf_sheet *theta = r->data.theta;
  if (theta == NULL || theta->n_rows == 0) {
    return PF_OK;
  }
  const size_t unit = pf_sheet_column(theta, "unit");
  const size_t fixed = pf_sheet_column(theta, "fixed");
  double *values = pf_memory_need(theta->n_rows, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  pf_page_heading(page, "Coefficients", NULL);
  pf_html_equations(page, r->data.summary);
  (void)pf_page_figures(page, r->figures, "coefficients", 1);
  (void)pf_page_figures(page, r->figures, "other-values", 1);
  const bool several = sorted_estimates(theta, 0, false, values) > 1;
  const char *columns[10] = {"owner", "name", "in print", "truth",
                             several ? "median where identified" : "estimate"};
  const char *const more[] = {"se", "ci_lower", "ci_upper", "verdict"};
  size_t n = 5;
  if (several) {
    columns[n++] = "smallest";
    columns[n++] = "largest";
  }
  for (size_t k = 0; !several && k < 4; k++) {
    if (pf_sheet_column(theta, more[k]) < theta->n_columns) {
      columns[n++] = more[k];
    }
  }
  pf_page_fold(page, "As a table");
  pf_page_table(page, columns, n);
  size_t rows = 0;
  for (size_t i = 0; i < theta->n_rows && rows < MAX_ROWS; i++) {
    if (strcmp(pf_sheet_text(theta, i, unit), pf_sheet_text(theta, 0, unit)) == 0 &&
        strcmp(pf_sheet_text(theta, i, fixed), "1") != 0 && !is_copy(theta, i)) {
      coefficient_row(page, theta, i, several, values);
      rows++;
    }
  }
  pf_page_table_end(page);
  if (rows == MAX_ROWS) {
    pf_page_paragraph(page, "The first 200; all are in theta.csv.");
  }
  pf_page_fold_end(page);
  pf_memory_free(values);
  return PF_OK;
}

/* ---- what animals share ---- */

static void write_population(pf_text *page, const run *r)
{
  static const char *const columns[] = {
      "",   "depends on", "mean",  "lower",         "upper",
      "sd", "lower",      "upper", "share between", "p, no difference"};
  static const char *const numbers[] = {"mean",     "lower",    "upper",         "sd",
                                        "sd_lower", "sd_upper", "share_between", "difference_p"};
  const pf_sheet *s = r->data.population;
  if (s == NULL || s->n_rows == 0) {
    return;
  }
  pf_page_heading(
      page, "What animals share",
      "Each animal's coefficients are drawn from a population with this mean and this "
      "sd between animals. Share between: of the variance of animals' own estimates, "
      "what is no error. p: of the statement that animals do not differ. population.csv "
      "has these numbers, animals.csv each animal's.");
  pf_page_table_of_numbers(page, columns, sizeof columns / sizeof columns[0], 2);
  for (size_t i = 0; i < s->n_rows; i++) {
    pf_page_row(page);
    pf_page_cell(page, pf_sheet_text(s, i, pf_sheet_column(s, "label")));
    pf_page_cell(page, pf_sheet_text(s, i, pf_sheet_column(s, "covariate")));
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
      pf_page_number(page, pf_sheet_number(s, i, pf_sheet_column(s, numbers[k])));
    }
  }
  pf_page_table_end(page);
  (void)pf_page_figures(page, r->figures, "groups", 1);
  (void)pf_page_figures(page, r->figures, "population", 1);
}

/* ---- how sure ---- */

static void write_sentences(pf_text *page, const json_t *units, const char *key)
{
  for (size_t u = 0; u < json_array_size(units); u++) {
    const json_t *unit = json_array_get(units, u), *list = json_object_get(unit, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
      char text[1200];
      const char *sentence = json_string_value(json_array_get(list, i));
      (void)snprintf(text, sizeof text, "%.80s: %.1000s.", pf_result_string(unit, "name"),
                     sentence != NULL ? sentence : "");
      pf_page_paragraph(page, text);
    }
  }
}

static bool has_figure(const run *r, const char *prefix)
{
  for (size_t i = 0; i < pf_figures_count(r->figures); i++) {
    if (strncmp(pf_figures_name(r->figures, i), prefix, strlen(prefix)) == 0) {
      return true;
    }
  }
  return false;
}

/** Do the data determine every direction of every fit, none of them far less than another? */
static bool are_directions_alike(const json_t *units)
{
  /* errors of the least determined direction are then at most 100 times those of the best */
  const double most = 1e4;
  for (size_t u = 0; u < json_array_size(units); u++) {
    const json_t *unit = json_array_get(units, u);
    const json_t *verdicts = json_object_get(unit, "verdicts");
    const bool is_doubted = json_array_size(json_object_get(unit, "free")) > 0 ||
                            json_array_size(json_object_get(unit, "warnings")) > 0 ||
                            pf_result_number(verdicts, "practically not identified") > 0.0 ||
                            pf_result_number(verdicts, "not identified by this design") > 0.0;
    if (is_doubted || !(pf_result_number(unit, "condition") < most)) {
      return false;
    }
  }
  return true;
}

/** The spectrum; folded under one sentence where it has nothing to say. */
static void write_spectrum(pf_text *page, const run *r, const json_t *units)
{
  if (!has_figure(r, "spectrum") || !are_directions_alike(units)) {
    (void)pf_page_figures(page, r->figures, "spectrum", 1);
    return;
  }
  pf_page_paragraph(page, "No direction is free: the data determine every combination of the "
                          "coefficients.");
  pf_page_fold(page, "How well they determine each");
  (void)pf_page_figures(page, r->figures, "spectrum", 1);
  pf_page_fold_end(page);
}

static void write_uncertainty(pf_text *page, const run *r)
{
  static const char *const columns[] = {
      "",          "identified", "practically not identified", "not identified by this design",
      "condition", "why nothing"};
  const json_t *inference = json_object_get(r->data.summary, "inference");
  const json_t *units = json_object_get(inference, "units");
  char text[400];
  if (json_array_size(units) == 0) {
    return;
  }
  (void)snprintf(
      text, sizeof text,
      "Intervals of level %g %% by method %.40s, of the unpenalised log likelihood, draws of the "
      "inputs averaged. theta.csv has the verdict on each coefficient, intervals.csv every method.",
      100.0 * pf_result_number(inference, "level"), pf_result_string(inference, "method"));
  pf_page_heading(page, "How sure", text);
  write_sentences(page, units, "free");
  write_sentences(page, units, "warnings");
  write_spectrum(page, r, units);
  pf_page_fold(page, "Each fit");
  pf_page_table(page, columns, sizeof columns / sizeof columns[0]);
  for (size_t u = 0; u < json_array_size(units); u++) {
    const json_t *unit = json_array_get(units, u), *verdicts = json_object_get(unit, "verdicts");
    pf_page_row(page);
    pf_page_cell(page, pf_result_string(unit, "name"));
    for (size_t k = 1; k < 4; k++) {
      pf_page_number(page, pf_result_number(verdicts, columns[k]));
    }
    pf_page_number(page, pf_result_number(unit, "condition"));
    pf_page_cell(page, pf_result_string(unit, "why"));
  }
  pf_page_table_end(page);
  pf_page_fold_end(page);
}

/* ---- the page ---- */

static void write_figures(pf_text *page, const run *r)
{
  size_t n = 0;
  const pf_run_figure *table = pf_run_figure_table(&n);
  for (size_t k = 0; k < n; k++) {
    if (table[k].title != NULL && has_figure(r, table[k].name)) {
      pf_page_heading(page, table[k].title, NULL);
      (void)pf_page_figures(page, r->figures, table[k].name, table[k].n_open);
    }
  }
  if (r->data.observed.n > PF_MAX_ANIMALS_DRAWN) {
    char text[120];
    (void)snprintf(text, sizeof text, "Choices are drawn for the first %d of %zu experiments.",
                   PF_MAX_ANIMALS_DRAWN, r->data.observed.n);
    pf_page_paragraph(page, text);
  }
}

static pf_status write_run(pf_text *page, const run *r, pf_error *error)
{
  const char *name = pf_result_string(r->data.summary, "name");
  pf_page_begin(page, name[0] != '\0' ? name : "run");
  pf_html_verdict(page, r->data.summary);
  write_head(page, r);
  pf_status status = write_scores(page, r, error);
  if (status != PF_OK) {
    return status;
  }
  status = write_coefficients(page, r, error);
  if (status != PF_OK) {
    return status;
  }
  write_population(page, r);
  write_uncertainty(page, r);
  write_figures(page, r);
  pf_page_end(page);
  return PF_OK;
}

pf_status pf_html_run(const char *folder, pf_text *page, pf_error *error)
{
  run r = {.figures = NULL};
  pf_status status = pf_run_data_read(folder, &r.data, error);
  if (status != PF_OK) {
    goto done;
  }
  status = plot_figures(&r, error);
  if (status != PF_OK) {
    goto done;
  }
  status = write_run(page, &r, error);
done:
  pf_run_data_free(&r.data);
  pf_figures_free(r.figures);
  return status;
}
