/* core/page/html_run: the page of a whole run, made from the files of its folder, without gnuplot.
 */
#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/evaluate/evaluate.h"
#include "core/fit/fit.h"
#include "core/infer/infer.h"
#include "core/page/html.h"
#include "core/report/save_run.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[SCRATCH_SIZE], run[SCRATCH_SIZE + 8];
static pf_error error;

static void start(void)
{
  scratch_create(folder);
  (void)snprintf(run, sizeof run, "%s/run", folder);
  cr_assert(setenv("PATH", folder, 1) == 0); /* no gnuplot there */
}

static void end(void)
{
  scratch_remove(folder);
}

TestSuite(run_page, .init = start, .fini = end);

static void save_run(void)
{
  tiny_problem tiny;
  pf_fit *fit = NULL;
  pf_inference *inference = NULL;
  pf_evaluation *evaluation = NULL;
  pf_folder into = {0};
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
  tiny.problem.settings->out = pf_memory_string(run, &error);
  cr_assert(pf_fit_run(&tiny.problem, NULL, NULL, NULL, &fit, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_infer(&tiny.problem, fit, &(pf_observer){0}, &inference, &error) == PF_OK, "%s",
            error.text);
  cr_assert(pf_evaluate(&tiny.problem, fit, &(pf_observer){0}, &evaluation, &error) == PF_OK, "%s",
            error.text);
  const pf_report_parts parts = {
      .problem = &tiny.problem, .fit = fit, .inference = inference, .evaluation = evaluation};
  cr_assert(pf_report_begin(&tiny.problem, false, &into, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_report_write(&parts, false, &into, &error) == PF_OK, "%s", error.text);
  pf_folder_end(&into);
  pf_evaluation_free(evaluation);
  pf_inference_free(inference);
  pf_fit_free(&tiny.problem, fit);
  tiny_problem_free(&tiny);
}

/** report.html of the run, to be freed. */
static char *read_page(void)
{
  char path[SCRATCH_SIZE + 32];
  enum { MOST = 1 << 20 };
  char *text = calloc(1, MOST);
  (void)snprintf(path, sizeof path, "%s/report.html", run);
  FILE *file = fopen(path, "r");
  cr_assert(text != NULL && file != NULL, "%s", path);
  cr_assert(fread(text, 1, MOST - 1, file) < MOST - 1);
  (void)fclose(file);
  return text;
}

static void remove_file(const char *name)
{
  char path[SCRATCH_SIZE + 64];
  (void)snprintf(path, sizeof path, "%s/%s", run, name);
  cr_assert(unlink(path) == 0, "%s", path);
}

#define SAYS(page, words) cr_expect(strstr(page, words) != NULL, "\"%s\" is not in it", words)

Test(run_page, of_a_whole_run)
{
  save_run();
  cr_assert(pf_html_write(run, &error) == PF_OK, "%s", error.text);
  char *page = read_page();
  static const char *const words[] = {"<h1>",     "Fly1",           "X1Y0W0R1",
                                      "deviance", "What was found", "</html>"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    SAYS(page, words[i]);
  }
  cr_expect(strstr(page, "<svg") == NULL && strstr(page, "nan") == NULL);
  free(page);
}

/* Made again from a folder that has less: what is gone is left out. */
Test(run_page, of_a_folder_without_some_files)
{
  save_run();
  remove_file("fit.csv");
  cr_assert(pf_html_write(run, &error) == PF_OK, "%s", error.text);
  char *page = read_page();
  SAYS(page, "Fly1");
  free(page);
}

Test(run_page, refuses_what_is_no_run)
{
  cr_assert(pf_html_write(folder, &error) == PF_STOP);
  cr_expect(strstr(error.text, "holds no results to report") != NULL, "%s", error.text);
  error = pf_error_none();
  cr_assert(pf_html_write(run, &error) == PF_STOP);
  cr_expect(strstr(error.text, "there is no folder") != NULL, "%s", error.text);
  save_run();
  remove_file("summary.json");
  char path[SCRATCH_SIZE + 32];
  (void)snprintf(path, sizeof path, "%s/summary.json", run);
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL && fputs("{ \"name\": ", file) >= 0);
  (void)fclose(file);
  error = pf_error_none();
  cr_assert(pf_html_write(run, &error) == PF_STOP);
  cr_expect(strstr(error.text, "summary.json:1: is no JSON that can be read") != NULL, "%s",
            error.text);
}
