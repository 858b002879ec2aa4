/* core/recover: the table of a recovery, from data sets that are made up, against figures worked
 * out by hand; and its text. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */

#include "core/base/memory.h"
#include "core/recover/print_recovery.h"
#include "core/recover/recovery_table.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_SETS = 4, N_CELLS = 2 };

static tiny_problem tiny;
static pf_recovery recovery;
static pf_error error;

/* One fit group with two values, of parameters 1 and 3. */
static pf_recover_cell cells[N_CELLS] = {{.parameter = 1, .animal = "", .experiment = -1},
                                         {.parameter = 3, .animal = "", .experiment = -1}};
static pf_recover_set sets[N_SETS];
static pf_recover_fit fits[N_SETS];
static double estimates[N_SETS][N_CELLS], truths[N_SETS][N_CELLS], truth[8];
static pf_recover_interval intervals[N_SETS][PF_N_INTERVAL_METHODS][N_CELLS];
static char *keys[] = {(char *)"a", (char *)"w", (char *)"c", (char *)"a long name", (char *)"e"};

static void start(void)
{
  error = pf_error_none();
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  tiny.problem.settings->intervals.level = 0.9;
  truth[1] = 0.5;
  truth[3] = NAN;
  recovery = (pf_recovery){.problem = &tiny.problem,
                           .n_groups = 1,
                           .n_cells = N_CELLS,
                           .cells = cells,
                           .sets = sets,
                           .n_sets = N_SETS,
                           .keys = keys,
                           .truth = truth,
                           .seconds = 2.0};
  recovery.asked[PF_INTERVAL_fisher] = true;
  for (size_t d = 0; d < N_SETS; d++) {
    fits[d] = (pf_recover_fit){.fitted = true, .converged = true};
    truths[d][0] = truth[1];
    truths[d][1] = truth[3];
    sets[d] = (pf_recover_set){.fits = &fits[d],
                               .estimates = estimates[d],
                               .truths = truths[d],
                               .intervals = intervals[d][0]};
    for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
      for (size_t c = 0; c < N_CELLS; c++) {
        *pf_recovery_interval(&recovery, &sets[d], m, c) = (pf_recover_interval){NAN, NAN, NAN};
      }
    }
  }
}

static void end(void)
{
  pf_memory_free(recovery.lines);
  tiny_problem_free(&tiny);
}

TestSuite(recover_table, .init = start, .fini = end);

static void set_estimates(const double *of_first)
{
  for (size_t d = 0; d < N_SETS; d++) {
    estimates[d][0] = of_first[d];
    estimates[d][1] = 2.0;
  }
}

static void set_interval(size_t d, double se, double lower, double upper)
{
  *pf_recovery_interval(&recovery, &sets[d], PF_INTERVAL_fisher, 0) =
      (pf_recover_interval){se, lower, upper};
}

static bool near(double a, double b)
{
  return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

/* 0.4, 0.6, 0.7, 0.9: mean 0.65, bias 0.15, squares 0.0625 + 0.0025 + 0.0025 + 0.0625 = 0.13. */
Test(recover_table, bias)
{
  static const double values[N_SETS] = {0.4, 0.6, 0.7, 0.9};
  set_estimates(values);
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  const pf_recover_line *line = &recovery.lines[0];
  cr_assert(recovery.n_lines == 2 && line->parameter == 1 && line->n == 4);
  cr_assert(near(line->mean, 0.65) && near(line->bias, 0.15));
  cr_assert(near(line->sd, sqrt(0.13 / 3.0)) && near(line->bias_se, line->sd / 2.0));
  cr_assert(recovery.lines[1].parameter == 3 && recovery.lines[1].sd == 0.0);
  cr_assert(isnan(recovery.lines[1].truth) && isnan(recovery.lines[1].bias));
  cr_assert(recovery.n_fits == 4 && recovery.n_failed == 0 && recovery.n_unconverged == 0);
}

/* Three intervals, the ends included; the fourth has a standard error alone. Two hold 0.5. */
Test(recover_table, coverage)
{
  static const double values[N_SETS] = {0.5, 0.5, 0.5, 0.5};
  set_estimates(values);
  set_interval(0, 0.1, 0.5, 0.7);
  set_interval(1, 0.2, 0.3, 0.6);
  set_interval(2, 0.3, 0.6, 0.8);
  set_interval(3, 0.6, NAN, 0.8);
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  const pf_recover_line *line = &recovery.lines[0];
  cr_assert(line->methods[PF_INTERVAL_fisher].n == 3);
  cr_assert(line->methods[PF_INTERVAL_fisher].n_covering == 2);
  cr_assert(near(line->methods[PF_INTERVAL_fisher].coverage, 2.0 / 3.0));
  cr_assert(near(line->methods[PF_INTERVAL_fisher].coverage_se, sqrt(0.9 * 0.1 / 3.0)));
  cr_assert(near(line->methods[PF_INTERVAL_fisher].mean_se, 0.3));
  cr_assert(line->methods[PF_INTERVAL_profile].n == 0);
  cr_assert(isnan(line->methods[PF_INTERVAL_profile].coverage));
  cr_assert(isnan(recovery.lines[1].methods[PF_INTERVAL_fisher].coverage)); /* truth not known */
}

/* The truth of a starting weight is another in every data set: bias and coverage are of each
 * estimate's own. Off by 0.1, 0.2, 0.3, 0.4: bias 0.25. */
Test(recover_table, truths_that_differ)
{
  static const double values[N_SETS] = {1.1, 2.2, 3.3, 4.4};
  set_estimates(values);
  for (size_t d = 0; d < N_SETS; d++) {
    truths[d][0] = 1.0 + (double)d;
    set_interval(d, 0.1, 1.0 + (double)d - 0.1, d < 3 ? 5.0 : 3.9);
  }
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  const pf_recover_line *line = &recovery.lines[0];
  cr_assert(isnan(line->truth) && isnan(line->mean) && line->is_known);
  cr_assert(fabs(line->bias - 0.25) < 1e-12);
  cr_assert(line->methods[PF_INTERVAL_fisher].n_covering == 3);
}

/* A fit that failed, and one that did not converge, are counted and left out. */
Test(recover_table, fits_that_do_not_count)
{
  static const double values[N_SETS] = {0.4, NAN, 100.0, 0.6};
  set_estimates(values);
  fits[1] = (pf_recover_fit){.fitted = false};
  fits[2].converged = false;
  fits[3].missed = true;
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  cr_assert(recovery.n_failed == 1 && recovery.n_unconverged == 1 && recovery.n_missed == 1);
  cr_assert(recovery.lines[0].n == 2 && near(recovery.lines[0].mean, 0.5));
}

/* Nothing rests on fits that did not converge, be it all of them. */
Test(recover_table, no_fit_converged)
{
  static const double values[N_SETS] = {0.4, 0.5, 0.6, 0.7};
  set_estimates(values);
  for (size_t d = 0; d < N_SETS; d++) {
    fits[d].converged = false;
  }
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  cr_assert(recovery.lines[0].n == 0 && recovery.n_unconverged == 4);
}

/* An optimiser that never claims to have converged: all that worked count. */
Test(recover_table, fits_that_made_their_passes)
{
  static const double values[N_SETS] = {0.4, 0.5, 0.6, 0.7};
  set_estimates(values);
  for (size_t d = 0; d < N_SETS; d++) {
    fits[d].converged = false;
    fits[d].passes_done = true;
  }
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  cr_assert(recovery.lines[0].n == 4 && recovery.n_unconverged == 0);
}

static char *printed(void)
{
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  cr_assert(stream != NULL);
  pf_recover_print(&recovery, stream);
  (void)fclose(stream);
  return text;
}

Test(recover_table, columns_line_up)
{
  static const double values[N_SETS] = {0.4, 0.6, 0.7, 0.9};
  set_estimates(values);
  set_interval(0, 0.1, 0.5, 0.7);
  set_interval(1, 0.2, 0.6, 0.7);
  sets[2].why = (char *)"no such thing";
  fits[0].missed = true;
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  char *text = printed();
  const char *line = strchr(text, '\n') + 2; /* the heading of the table */
  const size_t width = strcspn(line, "\n");
  cr_assert(width == 2 + 11 + 3 * 11 + 9 + 10 + 10 + 7);
  for (size_t k = 0; k < 2; k++) {
    line += strcspn(line, "\n") + 1;
    cr_assert(strcspn(line, "\n") == width, "%s", line);
  }
  cr_assert(strstr(text, "4 data sets, 4 fits: 4 converged (2 s)") != NULL, "%s", text);
  cr_assert(strstr(text, "fisher    coverage 50.0 to 50.0 % over 1 coefficients (nominal 90, "
                         "binomial error 21.2); 6 of 8 estimates have no interval") != NULL,
            "%s", text);
  cr_assert(
      strstr(text, "1 of 4 fits are worse than the truth (2dL above 0.01): another optimum") !=
      NULL);
  cr_assert(strstr(text, "the first reason: no such thing") != NULL);
  free(text);
}

Test(recover_table, no_intervals)
{
  static const double values[N_SETS] = {0.4, 0.6, 0.7, 0.9};
  set_estimates(values);
  fits[0].fitted = false;
  fits[1].converged = false;
  cr_assert(pf_recover_tabulate(&recovery, &error) == PF_OK);
  char *text = printed();
  cr_assert(strstr(text, "2 converged, 1 did not (left out), 1 failed (2 s)") != NULL, "%s", text);
  cr_assert(strstr(text, "no intervals whose truth is known") != NULL, "%s", text);
  free(text);
}
