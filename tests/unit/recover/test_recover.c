/* core/recover: whole recoveries of small data. */
#include "core/base/memory.h"
#include "core/recover/missed.h"
#include "core/recover/recover.h"
#include "core/recover/recovery_files.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
static pf_config *config;
static pf_problem *problem;
static pf_recovery *recovery;
static pf_error error;

static const char text[] =
    "name = \"small\"; seed = 7; threads = 1;\n"
    "source: { plugin = \"teacher\"; animals = 2;\n"
    "  task: { kind = \"two_odours\"; blocks = ( { trials = 20; reward = [0.2, 0.8]; } ); };\n"
    "  rule: { plugin = \"taylor\"; terms = \"x r - 0.05 w\"; modulator = \"reward\"; };\n"
    "  input: { mean = 0.75; sd = 0.1; }; give: { inputs = true; initial_weights = true; }; };\n"
    "network: { plugin = \"feedforward\"; layers = [2, 3, 1]; hidden = \"tanh\";\n"
    "  initial_weights: { sd = 0.01; }; readout: { gain = 5.0; };\n"
    "  projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
    "rules: { learn: { plugin = \"taylor\"; terms = \"w + x r\"; modulator = \"reward\"; }; };\n"
    "losses = ( { plugin = \"choice\"; } );\n"
    "fit: { per = \"shared\"; optimiser = \"lm\"; starts = 1; };\n"
    "intervals: { methods = [\"fisher\"]; };\n"
    "recover: { data_sets = 3; };\n";

static void start(void)
{
  error = pf_error_none();
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/a.cfg", folder);
}

static void end(void)
{
  pf_recovery_free(recovery);
  pf_problem_free(problem);
  pf_config_free(config);
  scratch_remove(folder);
}

TestSuite(recover_whole, .init = start, .fini = end);

static void make_problem(const char *const *overrides, size_t n)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
  cr_assert(pf_config_read(path, overrides, n, &config, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_problem_create(config, &problem, &error) == PF_OK, "%s", error.text);
}

/* The first data set is the config's own, so its estimates are those of the config's fit. */
Test(recover_whole, data_sets_and_files)
{
  char out[SCRATCH_SIZE + 8], file[SCRATCH_SIZE + 32];
  pf_fit *fit = NULL;
  make_problem(NULL, 0);
  cr_assert(pf_recover_run(problem, NULL, NULL, NULL, &recovery, &error) == PF_OK, "%s",
            error.text);
  cr_assert(recovery->n_sets == 3 && recovery->n_groups == 1 && recovery->n_cells == 2);
  cr_assert(recovery->sets[2].seed == 9 && recovery->n_fits == 3 && recovery->n_failed == 0);
  cr_assert(recovery->n_lines == 2 && strcmp(recovery->group_names[0], "all") == 0);
  cr_assert(recovery->lines[0].truth == -0.05 && recovery->lines[1].truth == 1.0);
  cr_assert(pf_fit_run(problem, NULL, NULL, NULL, &fit, &error) == PF_OK);
  cr_assert(memcmp(fit->groups[0].values, recovery->sets[0].estimates, 2 * sizeof(double)) == 0);
  pf_fit_free(problem, fit);
  const pf_recover_interval *interval =
      pf_recovery_interval(recovery, &recovery->sets[0], PF_INTERVAL_fisher, 1);
  cr_assert(interval->se > 0.0 && interval->lower < recovery->sets[0].estimates[1] &&
            interval->upper > recovery->sets[0].estimates[1]);

  (void)snprintf(out, sizeof out, "%s/run", folder);
  pf_folder run = {0};
  cr_assert(pf_folder_begin(out, false, &run, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recover_write(recovery, &run, false, &error) == PF_OK, "%s", error.text);
  pf_folder_end(&run);
  (void)snprintf(file, sizeof file, "%s/summary.json", out);
  json_t *summary = json_load_file(file, 0, NULL);
  cr_assert(json_integer_value(json_object_get(summary, "data_sets")) == 3);
  cr_assert(json_array_size(json_object_get(summary, "parameters")) == 2);
  json_decref(summary);
  (void)snprintf(file, sizeof file, "%s/recover.csv", out);
  FILE *csv = fopen(file, "r");
  cr_assert(csv != NULL);
  size_t n_lines = 0;
  char line[1000];
  while (fgets(line, sizeof line, csv) != NULL) {
    n_lines++;
  }
  (void)fclose(csv);
  cr_assert(n_lines == 1 + 3 * 2);
  cr_assert(strstr(line, "all,rules.learn,") != NULL && strstr(line, "fisher") != NULL, "%s", line);
  cr_assert(pf_folder_begin(out, false, &run, &error) == PF_STOP); /* it is there already */
}

/* The same bits for any number of threads. */
Test(recover_whole, threads)
{
  double one[3][2];
  make_problem(NULL, 0);
  cr_assert(pf_recover_run(problem, NULL, NULL, NULL, &recovery, &error) == PF_OK);
  for (size_t d = 0; d < 3; d++) {
    memcpy(one[d], recovery->sets[d].estimates, sizeof one[d]);
  }
  pf_recovery_free(recovery);
  recovery = NULL;
  problem->options.n_threads = 2;
  cr_assert(pf_recover_run(problem, NULL, NULL, NULL, &recovery, &error) == PF_OK);
  for (size_t d = 0; d < 3; d++) {
    cr_assert(memcmp(one[d], recovery->sets[d].estimates, sizeof one[d]) == 0);
  }
}

static bool stop_at_once(void *payload)
{
  (void)payload;
  return true;
}

Test(recover_whole, interrupted)
{
  make_problem(NULL, 0);
  cr_assert(pf_recover_run(problem, NULL, stop_at_once, NULL, &recovery, &error) ==
            PF_POINT_FAILED);
  cr_assert(recovery == NULL && strstr(error.text, "nothing is written") != NULL);
}

Test(recover_whole, nothing_to_fit)
{
  static const char *const fixed[] = {
      "rules.learn.parameters.X0Y0W1R0={ fixed = true; initial = 0.0; }",
      "rules.learn.parameters.X1Y0W0R1={ fixed = true; initial = 0.0; }"};
  make_problem(fixed, 2);
  cr_assert(pf_recover_run(problem, NULL, NULL, NULL, &recovery, &error) == PF_STOP);
  cr_assert(strstr(error.text, "nothing is fitted: every parameter is fixed") != NULL);
}

/* The truth is found to be better than an estimate that was moved away from the optimum, and not
 * to be better than the optimum itself, nor where it is not known. */
Test(recover_whole, missed)
{
  pf_fit *fit = NULL;
  bool missed = true;
  make_problem(NULL, 0);
  cr_assert(pf_recovery_create(problem, &recovery, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_fit_run(problem, NULL, NULL, NULL, &fit, &error) == PF_OK);
  pf_fit_group *group = &fit->groups[0];
  double truths[2];
  for (size_t k = 0; k < 2; k++) {
    truths[k] = recovery->truth[recovery->cells[k].parameter];
  }
  cr_assert(pf_recover_missed(problem, group, truths, &missed, &error) == PF_OK);
  cr_assert(!missed);
  const double found = group->values[1];
  group->values[1] = -3.0;
  cr_assert(pf_recover_missed(problem, group, truths, &missed, &error) == PF_OK);
  cr_assert(missed);
  truths[0] = NAN;
  cr_assert(pf_recover_missed(problem, group, truths, &missed, &error) == PF_OK);
  cr_assert(!missed);
  group->values[1] = found;
  pf_fit_free(problem, fit);
}
