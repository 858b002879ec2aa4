/* core/compare: whole comparisons of small data, from a config to the folder: rows, candidates,
 * selection, resumption. */
#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/compare/comparison.h"
#include "core/page/html.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
static pf_comparison *comparison;
static pf_error error;
static bool misused;

static const char common[] =
    "seed = 1; report = false; threads = 1;\n"
    "source: { plugin = \"teacher\"; animals = 3;\n"
    "  task: { kind = \"two_odours\"; blocks = ( { trials = 8; reward = [0.2, 0.8]; },\n"
    "    { trials = 8; reward = [0.9, 0.1]; } ); };\n"
    "  rule: { plugin = \"taylor\"; terms = \"x r - 0.05 w\";\n"
    "    modulator = \"reward - expected_reward\"; };\n"
    "  input: { mean = 0.75; sd = 0.1; }; give: { inputs = true; initial_weights = true; }; };\n"
    "network: { plugin = \"feedforward\"; layers = [2, 3, 1]; hidden = \"tanh\";\n"
    "  initial_weights: { sd = 0.01; }; readout: { gain = 5.0; };\n"
    "  projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
    "rules: { learn: { plugin = \"taylor\"; terms = \"w + x r\";\n"
    "  modulator = \"reward - expected_reward\"; }; };\n"
    "losses = ( { plugin = \"choice\"; } );\n"
    "fit: { per = \"animal\"; optimiser = \"lm\"; starts = 1; iterations = 200; };\n"
    "evaluate: { draws = 1; };\n";

static void start(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/a.cfg", folder);
}

static void end(void)
{
  pf_comparison_free(comparison);
  scratch_remove(folder);
}

TestSuite(compare_whole, .init = start, .fini = end);

static int jobs_before_stop;

static bool stop_after_some_jobs(void *payload)
{
  (void)payload;
  return jobs_before_stop-- <= 0;
}

/** Compares with the group `compare`, into FOLDER/NAME. stop MAY be NULL. */
static pf_status run_compare(const char *compare, const char *name, bool resume, pf_stop stop)
{
  char out[SCRATCH_SIZE + 32];
  const char *overrides[] = {out};
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fprintf(file, "%scompare: { %s };\n", common, compare);
  (void)fclose(file);
  (void)snprintf(out, sizeof out, "out=%s/%s", folder, name);
  pf_comparison_free(comparison);
  comparison = NULL;
  error = pf_error_none();
  const pf_compare_request request = {
      .source = {.path = path, .overrides = overrides, .n_overrides = 1},
      .resume = resume,
      .stop = stop};
  return pf_compare_run(&request, &comparison, &misused, &error);
}

static bool exists(const char *file)
{
  char name[SCRATCH_SIZE + 64];
  struct stat unused;
  (void)snprintf(name, sizeof name, "%s/%s", folder, file);
  return stat(name, &unused) == 0;
}

static size_t count_rows(const char *validation, uint32_t ablation)
{
  size_t n = 0;
  for (size_t i = 0; i < comparison->n_rows; i++) {
    n += comparison->rows[i].validation == pf_validation_named(validation) &&
                 comparison->rows[i].ablation == ablation
             ? 1
             : 0;
  }
  return n;
}

static const char two_candidates[] =
    "candidates = ( { name = \"with w\"; }, { name = \"without\"; set: { rules: { learn: { terms = "
    "\"x r\"; }; }; }; } );";

/* Every validation at once: a row for each candidate, animal, fold and ablation. */
Test(compare_whole, all_validations)
{
  char compare[500];
  (void)snprintf(compare, sizeof compare,
                 "%s validation = [\"in-sample\", \"in-sample-fresh-inputs\", \"forecast\", "
                 "\"leave-one-block-out\", \"leave-one-animal-out\"];",
                 two_candidates);
  cr_assert(run_compare(compare, "run", false, NULL) == PF_OK, "%s", error.text);
  cr_assert(comparison->n_failed == 0 && comparison->n_candidates == 2);
  cr_assert(count_rows("in-sample", PF_ABLATION_FULL) == 2 * 3);
  cr_assert(count_rows("in-sample-fresh-inputs", PF_ABLATION_FULL) == 2 * 3);
  cr_assert(count_rows("in-sample", PF_ABLATION_STOP) == 0);
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    cr_assert(count_rows("forecast", a) == 2 * 3);
    cr_assert(count_rows("leave-one-block-out", a) == 2 * 3 * 2);
    cr_assert(count_rows("leave-one-animal-out", a) == 2 * 3);
  }
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    cr_assert(row->log_likelihood < 0.0 && row->n > 0 && row->n_fit > 0);
    const bool held_out = pf_validation_at(row->validation)->held_out;
    cr_assert(held_out || row->n == row->n_fit);
  }
  const pf_compare_candidate *candidate = &comparison->candidates[0];
  cr_assert(candidate->n_parameters == 2 && comparison->candidates[1].n_parameters == 1);
  cr_assert(strcmp(candidate->rule, "taylor") == 0 && candidate->per == PF_FIT_PER_ANIMAL);
  /* no penalty: the criteria are of the fits themselves, three with two parameters each */
  double sum = 0.0;
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    sum += row->candidate == 0 && row->validation == 0 ? row->log_likelihood : 0.0;
  }
  cr_assert(fabs(candidate->aic - (2.0 * 3 * 2 - 2.0 * sum)) < 1e-9);
  cr_assert(strstr(comparison->criteria_note, "the fits, which have no penalty") != NULL);
  /* folds of a recording fill one prediction */
  cr_assert(comparison->n_recordings == 3);
  for (size_t i = 0; i < comparison->n_predictions; i++) {
    const pf_compare_prediction *p = &comparison->predictions[i];
    for (size_t k = 0; k < i; k++) {
      const pf_compare_prediction *other = &comparison->predictions[k];
      cr_assert(p->candidate != other->candidate || p->recording != other->recording ||
                p->validation != other->validation);
    }
  }
  cr_assert(exists("run/compare.csv") && exists("run/compare.h5") && exists("run/summary.json") &&
            exists("run/config.cfg") && !exists("run/selection.csv") && !exists("run.part"));
}

/* A penalised fit is fitted again without its penalty for AIC; without in-sample rows, too. */
Test(compare_whole, criteria_of_penalised_fits)
{
  char compare[500];
  (void)snprintf(compare, sizeof compare,
                 "set = [\"penalty.l1=0.01\"]; ablations = false; %s validation = [\"forecast\"];",
                 two_candidates);
  cr_assert(run_compare(compare, "run", false, NULL) == PF_OK, "%s", error.text);
  cr_assert(count_rows("in-sample", PF_ABLATION_FULL) == 0 && comparison->n_rows == 6);
  cr_assert(comparison->candidates[0].aic > 0.0 && comparison->candidates[0].bic > 0.0);
  cr_assert(strstr(comparison->criteria_note, "refits without penalty") != NULL);
}

/* Forward and backward from two terms: 1 + 2 + 1 sets each; L1 one for each penalty. */
Test(compare_whole, selection)
{
  cr_assert(run_compare("candidates = ( { name = \"both\"; } ); validation = [\"forecast\"]; "
                        "ablations = false; information_criteria = false; "
                        "select: { l1 = [0.001, 0.01]; };",
                        "run", false, NULL) == PF_OK,
            "%s", error.text);
  const pf_selection *selection = &comparison->selection;
  const pf_selection_set *sets = selection->sets.items;
  cr_assert(strcmp(selection->rule, "rules.learn") == 0 && selection->n_terms == 2);
  cr_assert(selection->sets.n == 4 + 4 + 2);
  size_t n_best[PF_N_SELECTIONS] = {0}, n_chosen[PF_N_SELECTIONS] = {0};
  for (size_t i = 0; i < selection->sets.n; i++) {
    n_best[sets[i].method] += sets[i].best ? 1 : 0;
    n_chosen[sets[i].method] += sets[i].chosen ? 1 : 0;
    cr_assert(!sets[i].best || sets[i].on_path);
  }
  for (uint32_t method = 0; method < PF_N_SELECTIONS; method++) {
    cr_assert(n_best[method] == 1 && n_chosen[method] == 1);
  }
  cr_assert(strcmp(sets[0].terms, "none") == 0 && strcmp(sets[0].change, "") == 0);
  cr_assert(strcmp(sets[4].terms, "w + x r") == 0 && sets[4].n_terms == 2.0);
  cr_assert(strcmp(sets[5].change, "- w") == 0 && strcmp(sets[5].terms, "x r") == 0);
  cr_assert(strcmp(sets[8].change, "l1 = 0.001") == 0 && sets[8].l1 == 0.001);
  /* all terms are what the candidate itself is */
  cr_assert(sets[4].score.value == comparison->candidates[0].figures[2].score.value);
  cr_assert(exists("run/selection.csv"));
}

/** How often does a page have the words? */
static size_t count_words(const char *file, const char *words)
{
  enum { MOST = 1 << 20 };
  char name[SCRATCH_SIZE + 64];
  char *text = calloc(1, MOST);
  size_t n = 0;
  (void)snprintf(name, sizeof name, "%s/%s", folder, file);
  FILE *stream = fopen(name, "r");
  cr_assert(text != NULL && stream != NULL && fread(text, 1, MOST - 1, stream) < MOST - 1);
  (void)fclose(stream);
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
    n++;
  }
  free(text);
  return n;
}

/* core/page/html_compare, html_select: the page of a comparison, without gnuplot. */
Test(compare_whole, page)
{
  char compare[500], run[SCRATCH_SIZE + 8];
  cr_assert(setenv("PATH", folder, 1) == 0);
  (void)snprintf(compare, sizeof compare,
                 "%s validation = [\"in-sample\", \"forecast\"]; select: { };", two_candidates);
  cr_assert(run_compare(compare, "run", false, NULL) == PF_OK, "%s", error.text);
  (void)snprintf(run, sizeof run, "%s/run", folder);
  cr_assert(pf_html_write(run, &error) == PF_OK, "%s", error.text);
  cr_expect(count_words("run/report.html", "with w") > 0);
  cr_expect(count_words("run/report.html", "forecast: held out") == 1);
  cr_expect(count_words("run/report.html", "In sample: the fit has seen these choices.") == 1);
  cr_expect(count_words("run/report.html", "AIC and BIC: ") == 1);
  cr_expect(count_words("run/report.html", "<svg") == 0);
}

/* A candidate that contains another fits no worse, animal by animal. */
Test(compare_whole, bigger_fits_no_worse)
{
  cr_assert(
      run_compare("candidates = ( { name = \"x r\"; set: { rules: { learn: { terms = \"x r\"; }; "
                  "}; }; }, { name = \"two\"; }, { name = \"four\"; set: { rules: { learn: { "
                  "terms = \"1 + x + w + x r\"; }; }; }; } ); validation = [\"in-sample\"];",
                  "run", false, NULL) == PF_OK,
      "%s", error.text);
  const uint32_t v = pf_validation_named("in-sample");
  for (size_t c = 1; c < 3; c++) {
    const double *bigger = comparison->candidates[c].figures[v].per_animal;
    const double *smaller = comparison->candidates[c - 1].figures[v].per_animal;
    for (size_t a = 0; a < comparison->n_animals; a++) {
      /* in single precision a fit in twenty does not converge, and has no figure */
      if (sizeof(pf_real) == sizeof(float) && (isnan(bigger[a]) || isnan(smaller[a]))) {
        continue;
      }
      cr_assert(bigger[a] >= smaller[a] - 1e-9, "%zu, %zu: %g and %g", c, a, bigger[a], smaller[a]);
    }
  }
}

/* What was done before an interruption is not done again, and the figures are the same. */
Test(compare_whole, goes_on_after_an_interruption)
{
  jobs_before_stop = INT_MAX;
  cr_assert(run_compare(two_candidates, "whole", false, stop_after_some_jobs) == PF_OK, "%s",
            error.text);
  const double score = comparison->candidates[1].figures[2].score.value;
  jobs_before_stop = (INT_MAX - jobs_before_stop) / 2;
  cr_assert(run_compare(two_candidates, "run", false, stop_after_some_jobs) == PF_POINT_FAILED);
  cr_assert(strstr(error.text, "with --resume goes on") != NULL && !misused, "%s", error.text);
  cr_assert(exists("run.part/jobs") && !exists("run"));
  cr_assert(run_compare(two_candidates, "run", false, NULL) == PF_STOP && misused);
  cr_assert(strstr(error.text, "--resume") != NULL, "%s", error.text);
  cr_assert(run_compare(two_candidates, "run", true, NULL) == PF_OK, "%s", error.text);
  cr_assert(comparison->candidates[1].figures[2].score.value == score);
  cr_assert(!exists("run.part"));
}

Test(compare_whole, refusals)
{
  static const char *const refused[][2] = {
      {"candidates = ( { name = \"a\"; set: { rules: { learn: { term = \"x\"; }; }; }; } );",
       "candidate 'a': "},
      {"candidates = ( { name = \"a\"; without = [\"penaltie\"]; } );",
       "`without` names 'penaltie', but the base config has no such key"},
      {"candidates = ( { name = \"a\"; }, { name = \"b\"; set = [\"source.animals=2\"]; } );",
       "candidate 'b' sees other data than 'a'"},
      {"set = [\"source.animals=1\"]; candidates = ( { name = \"a\"; } ); validation = "
       "[\"leave-one-animal-out\"];",
       "the data have one animal"},
      {"candidates = ( { name = \"a\"; } ); select: { rule = \"lern\"; };",
       "none is 'lern'; did you mean 'learn'?"},
      {"candidates = ( { name = \"a\"; set = [\"rules.learn.terms=x r\"]; } ); select: { };",
       "there is nothing to select from"},
  };
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    cr_assert(run_compare(refused[k][0], "run", false, NULL) == PF_STOP, "%s", refused[k][0]);
    cr_assert(misused && strstr(error.text, refused[k][1]) != NULL, "%s: %s", refused[k][0],
              error.text);
    cr_assert(!exists("run") && !exists("run.part"));
  }
}

/* A fit without a value fails alone: its rows say so, and the others stand. */
Test(compare_whole, a_candidate_that_fails)
{
  cr_assert(run_compare("ablations = false; validation = [\"forecast\", \"leave-one-animal-out\"]; "
                        "candidates = ( { name = \"a\"; }, { name = \"b\"; set = "
                        "[\"rules.learn.parameters.X0Y0W1R0={ fixed = true; initial = 1e300; }\"]; "
                        "} );",
                        "run", false, NULL) == PF_OK,
            "%s", error.text);
  cr_assert(comparison->n_failed == 6 && comparison->n_rows == 12, "%zu of %zu, %g",
            comparison->n_failed, comparison->n_rows,
            comparison->rows[comparison->n_rows - 1].log_likelihood);
  for (size_t i = 0; i < comparison->n_rows; i++) {
    const pf_compare_row *row = &comparison->rows[i];
    cr_assert((row->status == PF_OK) == (row->candidate == 0));
    cr_assert((row->error != NULL) == (row->candidate == 1));
    cr_assert(row->candidate == 0 || isnan(row->log_likelihood));
  }
  cr_assert(isnan(comparison->candidates[1].aic));
  cr_assert(strstr(comparison->words, "of 'b' nothing can be said") != NULL);
}
