/* core/report: the files of a run folder read back, what happens when the disk is full, the
 * summary's words. */
#define _XOPEN_SOURCE 700
#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/evaluate/evaluate.h"
#include "core/report/save_run.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"
#include "core/terminal/meter.h"
#include "core/terminal/run_summary.h"
#include "core/truth/names.h"
#include "core/truth/polynomial.h"
#include "core/truth/truth.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"
#include <criterion/criterion.h>
#include <hdf5.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH_SIZE = 256, TEXT_SIZE = 65536 };

typedef struct run {
  tiny_problem tiny;
  pf_fit *fit;
  pf_evaluation *evaluation;
  char root[SCRATCH_SIZE];
} run;

static void start(run *r, enum tiny_loss loss, int n_animals)
{
  char out[PATH_SIZE + 32];
  pf_error error = pf_error_none();
  tiny_problem_create(&r->tiny, loss, n_animals);
  scratch_create(r->root);
  (void)snprintf(out, sizeof out, "%s/run", r->root);
  r->tiny.problem.settings->out = pf_memory_string(out, &error);
  cr_assert(pf_fit_run(&r->tiny.problem, NULL, NULL, NULL, &r->fit, &error) == PF_OK, "%s",
            error.text);
  cr_assert(pf_evaluate(&r->tiny.problem, r->fit, &(pf_observer){0}, &r->evaluation, &error) ==
                PF_OK,
            "%s", error.text);
}

static pf_status save_results(const pf_problem *problem, const pf_fit *fit,
                              const pf_evaluation *evaluation, pf_error *error)
{
  pf_folder folder;
  const pf_report_parts parts = {.problem = problem, .fit = fit, .evaluation = evaluation};
  pf_status status = pf_report_begin(problem, false, &folder, error);
  if (status == PF_OK) {
    status = pf_report_write(&parts, false, &folder, error);
  }
  pf_folder_end(&folder);
  return status;
}

static void write_it(const run *r)
{
  pf_error error = pf_error_none();
  cr_assert(save_results(&r->tiny.problem, r->fit, r->evaluation, &error) == PF_OK, "%s",
            error.text);
}

static void finish(run *r)
{
  scratch_remove(r->root);
  pf_evaluation_free(r->evaluation);
  pf_fit_free(&r->tiny.problem, r->fit);
  tiny_problem_free(&r->tiny);
}

static const char *path_of(const run *r, const char *name)
{
  static char path[2 * PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/run/%s", r->root, name);
  return path;
}

static char *slurp(const char *path)
{
  char *text = calloc(1, TEXT_SIZE);
  FILE *file = fopen(path, "r");
  cr_assert(text != NULL && file != NULL, "%s", path);
  cr_assert(fread(text, 1, TEXT_SIZE - 1, file) < TEXT_SIZE - 1);
  (void)fclose(file);
  return text;
}

/* ---- summary.json ---- */

Test(report, summary_has_what_a_reader_looks_for_and_null_for_nan)
{
  run r = {0};
  start(&r, TINY_CHOICE, 2);
  r.evaluation->animals[0].scores.mean_rate = NAN;
  r.evaluation->animals[0].scores.r2_weights = INFINITY;
  write_it(&r);
  json_error_t problem;
  json_t *root = json_load_file(path_of(&r, "summary.json"), JSON_REJECT_DUPLICATES, &problem);
  cr_assert(root != NULL, "%s", problem.text);
  const json_t *animals = json_object_get(root, "animals");
  const json_t *first = json_array_get(animals, 0);
  cr_assert(json_array_size(animals) == 2);
  cr_expect(strcmp(json_string_value(json_object_get(first, "name")), "Fly1") == 0);
  cr_expect(json_number_value(json_object_get(json_object_get(first, "theta"), "X1Y0W0R1")) ==
            r.fit->groups[0].values[4]);
  const json_t *explained = json_object_get(first, "deviance_explained");
  cr_expect(json_is_null(json_object_get(explained, "mean_rate")));
  cr_expect(json_is_null(json_object_get(first, "r2_weights")));
  cr_expect(json_number_value(json_object_get(explained, "no_plasticity")) ==
            r.evaluation->animals[0].scores.no_plasticity);
  static const char *const both[] = {"mean", "median"};
  for (int k = 0; k < 2; k++) {
    const json_t *figures = json_object_get(root, both[k]);
    cr_expect(json_is_real(
        json_object_get(json_object_get(figures, "deviance_explained"), "no_plasticity")));
    cr_expect(json_is_real(json_object_get(figures, "r2_activity")));
  }
  cr_expect(json_number_value(json_object_get(json_object_get(root, "truth"), "X0Y0W1R0")) ==
            -0.05);
  cr_expect(json_is_object(json_object_get(root, "nulls")));
  cr_expect(strcmp(json_string_value(json_object_get(root, "evaluated_on")), "fresh draws") == 0);
  json_decref(root);
  finish(&r);
}

/* ---- tables ---- */

Test(report, theta_csv_reads_back_to_the_same_bits)
{
  run r = {0};
  start(&r, TINY_CHOICE, 2);
  write_it(&r);
  char *text = slurp(path_of(&r, "theta.csv"));
  char *line = strchr(text, '\n') + 1;
  cr_expect(
      strncmp(
          text,
          "unit,owner,name,label,unit_of_measure,estimate,start,lower,upper,fixed,tied,truth,"
          "scope,animal,experiment,status,se,ci_lower,ci_upper,ci_level,ci_method,verdict,note\n",
          (size_t)(line - text)) == 0);
  for (size_t u = 0; u < 2; u++) {
    for (size_t i = 0; i < 5; i++) {
      char head[96];
      const pf_model_parameter *parameter = &r.tiny.problem.model->parameters[i];
      (void)snprintf(head, sizeof head, "Fly%zu,rules.learn,%s,%s,1,", u + 1,
                     parameter->declared.name, parameter->declared.label);
      cr_assert(strncmp(line, head, strlen(head)) == 0, "%.60s", line);
      cr_expect(strtod(line + strlen(head), NULL) == r.fit->groups[u].values[i]);
      line = strchr(line, '\n') + 1;
    }
  }
  cr_expect(*line == '\0');
  cr_expect(strstr(text, ",-inf,inf,0,,-0.050000000000000003,shared,,,passes done,,,,,,,\n") !=
            NULL);
  free(text);
  finish(&r);
}

Test(report, fit_csv_has_a_row_per_logged_epoch_and_unit)
{
  run r = {0};
  start(&r, TINY_CHOICE, 2);
  write_it(&r);
  char *text = slurp(path_of(&r, "fit.csv"));
  int lines = 0;
  int commas[2] = {0, 0}; /* of the header and the first row: as many */
  for (const char *c = text; *c != '\0'; c++) {
    commas[0] += lines == 0 && *c == ',';
    commas[1] += lines == 1 && *c == ',';
    lines += *c == '\n';
  }
  cr_expect(lines == 1 + 2 * 4, "%d", lines);
  cr_expect(commas[0] == commas[1]);
  cr_expect(strstr(text, "unit,epoch,objective,data_term,X0Y0W0R0,") == text);
  cr_expect(strstr(text, "\nFly2,7,") != NULL);
  free(text);
  finish(&r);
}

Test(report, csv_cells_are_quoted_where_needed)
{
  char text[128] = "";
  FILE *file = fmemopen(text, sizeof text, "w");
  cr_assert(file != NULL);
  pf_csv_text(file, "a, \"b\"");
  (void)fputc(';', file);
  pf_csv_text(file, "plain");
  (void)fputc(';', file);
  pf_csv_number(file, NAN);
  (void)fputc(';', file);
  pf_csv_number(file, 0.1);
  (void)fclose(file);
  cr_expect(strcmp(text, "\"a, \"\"b\"\"\";plain;;0.10000000000000001") == 0, "%s", text);
}

/* theta.csv must not depend on the number of threads; nor must the other files, but for
 * summary.json's timing */
Test(report, same_files_for_any_number_of_threads)
{
  static const char *const names[] = {"theta.csv", "fit.csv"};
  char *first[2] = {NULL, NULL};
  for (int n = 1; n <= 3; n++) {
    run r = {0};
    start(&r, TINY_CHOICE, 5);
    pf_fit_free(&r.tiny.problem, r.fit);
    r.tiny.problem.options.n_threads = n;
    pf_error error = pf_error_none();
    cr_assert(pf_fit_run(&r.tiny.problem, NULL, NULL, NULL, &r.fit, &error) == PF_OK);
    write_it(&r);
    for (int k = 0; k < 2; k++) {
      char *text = slurp(path_of(&r, names[k]));
      if (n == 1) {
        first[k] = text;
      } else {
        cr_expect(strcmp(first[k], text) == 0, "%s with %d threads", names[k], n);
        free(text);
      }
    }
    finish(&r);
  }
  free(first[0]);
  free(first[1]);
}

/* ---- trajectories.h5 ---- */

static void read_dataset(hid_t file, const char *path, int rank, const hsize_t *size, double *out)
{
  hsize_t found[3] = {0};
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  cr_assert(dataset >= 0, "%s", path);
  const hid_t space = H5Dget_space(dataset);
  cr_assert(H5Sget_simple_extent_ndims(space) == rank, "%s", path);
  (void)H5Sget_simple_extent_dims(space, found, NULL);
  for (int d = 0; d < rank; d++) {
    cr_assert(found[d] == size[d], "%s: %d", path, (int)found[d]);
  }
  cr_assert(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
  (void)H5Sclose(space);
  (void)H5Dclose(dataset);
}

Test(report, trajectories_read_back)
{
  run r = {0};
  pf_error error = pf_error_none();
  start(&r, TINY_CHOICE, 2);
  write_it(&r);
  const pf_model *model = r.tiny.problem.model;
  pf_draw *draw = NULL;
  pf_workspace *workspace = NULL;
  cr_assert(pf_problem_draw(&r.tiny.problem, &(pf_draw_id){&r.tiny.problem.data, 1, 0, true}, &draw,
                            &error) == PF_OK);
  cr_assert(pf_workspace_create(model, draw->n_steps, &workspace, &error) == PF_OK);
  double theta[16];
  cr_assert(model->n_parameters <= 16);
  pf_layout_theta(r.fit->groups[1].layout, r.fit->groups[1].values, 0, theta);
  cr_assert(pf_forward(&(const pf_simulation){model, draw, theta, {&workspace, 1}}, 0,
                       PF_STEP_SCORE, NULL, &error) == PF_OK);
  const hsize_t n = (hsize_t)draw->n_steps;
  const hsize_t n_changes = (hsize_t)pf_workspace_n_changes(workspace);
  double *values = calloc((size_t)(n_changes + n + 1) * 6, sizeof *values);
  cr_assert(values != NULL);
  const hid_t file = H5Fopen(path_of(&r, "trajectories.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  cr_assert(file >= 0);

  read_dataset(file, "/Fly2/experiment_0/input", 2, (const hsize_t[]){n, 2}, values);
  for (int64_t t = 0; t < draw->n_steps; t++) {
    cr_assert(values[2 * t + 1] == (double)draw->input[t * draw->ld_input + 1]);
  }
  read_dataset(file, "/Fly2/experiment_0/targets/choice", 2, (const hsize_t[]){n, 1}, values);
  cr_expect(memcmp(values, draw->recording->targets[0].values, (size_t)n * sizeof *values) == 0);
  int64_t width = 0;
  int64_t ld = 0;
  const pf_real *probability =
      pf_workspace_observable(workspace, pf_model_observable(model, "probability"), &width, &ld);
  read_dataset(file, "/Fly2/experiment_0/observables/probability", 2, (const hsize_t[]){n, 1},
               values);
  cr_expect(values[n - 1] == (double)probability[(draw->n_steps - 1) * ld]);

  read_dataset(file, "/Fly2/experiment_0/weights/layer1/model", 3,
               (const hsize_t[]){n_changes + 1, 3, 2}, values);
  for (int64_t k = 0; k <= (int64_t)n_changes; k++) {
    const pf_real *w = pf_workspace_weights(workspace, 0, k, &ld);
    for (int64_t i = 0; i < 3; i++) {
      for (int64_t j = 0; j < 2; j++) {
        cr_assert(values[(k * 3 + i) * 2 + j] == (double)w[i * ld + j]);
      }
    }
  }
  /* change k came after the k-th step with the plastic flag */
  read_dataset(file, "/Fly2/experiment_0/weights/layer1/step", 1, (const hsize_t[]){n_changes + 1},
               values);
  hsize_t k = 1;
  cr_expect(values[0] == -1.0);
  for (int64_t t = 0; t < draw->n_steps; t++) {
    if (draw->flags[t] & PF_STEP_PLASTIC) {
      cr_assert(values[k++] == (double)t);
    }
  }
  cr_expect(k == n_changes + 1);
  /* the teacher starts from the same weights, and then goes its own way */
  read_dataset(file, "/Fly2/experiment_0/weights/layer1/truth", 3,
               (const hsize_t[]){n_changes + 1, 3, 2}, values);
  const pf_real *w = pf_workspace_weights(workspace, 0, 0, &ld);
  cr_expect(values[3] == (double)w[ld + 1]);
  w = pf_workspace_weights(workspace, 0, (int64_t)n_changes, &ld);
  cr_expect(fabs(values[n_changes * 6 + 3] - (double)w[ld + 1]) > 1e-3);

  (void)H5Fclose(file);
  free(values);
  pf_workspace_free(workspace);
  pf_draw_free(model, draw);
  finish(&r);
}

Test(report, a_failed_animal_has_a_group_that_says_so)
{
  run r = {0};
  start(&r, TINY_CHOICE, 2);
  r.evaluation->animals[0].status =
      pf_fail(&r.evaluation->animals[0].error, PF_POINT_FAILED, "it overflowed");
  write_it(&r);
  const hid_t file = H5Fopen(path_of(&r, "trajectories.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  cr_expect(H5Aexists_by_name(file, "/Fly1", "error", H5P_DEFAULT) > 0);
  cr_expect(H5Lexists(file, "/Fly1/experiment_0", H5P_DEFAULT) == 0);
  cr_expect(H5Lexists(file, "/Fly2/experiment_0", H5P_DEFAULT) > 0);
  (void)H5Fclose(file);
  finish(&r);
}

/* ---- a full disk ---- */

/* Files may grow to `limit` bytes: a small one stops the tables, a larger one HDF5. */
static void write_with_limit(rlim_t limit, const char *file)
{
  run r = {0};
  pf_error error = pf_error_none();
  struct rlimit old;
  start(&r, TINY_CHOICE, 3);
  cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  cr_assert(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const struct rlimit small = {.rlim_cur = limit, .rlim_max = old.rlim_max};
  cr_assert(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const pf_status status = save_results(&r.tiny.problem, r.fit, r.evaluation, &error);
  cr_assert(setrlimit(RLIMIT_FSIZE, &old) == 0);
  cr_expect(status == PF_STOP);
  cr_expect(strstr(error.text, file) != NULL && strchr(error.text, '\n') == NULL, "%s", error.text);
  cr_expect(rmdir(r.root) == 0, "something was left in %s", r.root);
  finish(&r);
}

Test(report, a_table_that_cannot_be_written_leaves_nothing)
{
  write_with_limit(300, "fit.csv");
}

Test(report, trajectories_that_cannot_be_written_leave_nothing)
{
  write_with_limit(16384, "trajectories.h5");
}

/* ---- truth ---- */

Test(report, truth_is_known_where_the_numbers_mean_the_same)
{
  tiny_problem tiny;
  double *truth = NULL;
  pf_error error = pf_error_none();
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  cr_assert(pf_truth_create(&tiny.problem, &truth, &error) == PF_OK);
  for (size_t i = 0; i < 5; i++) {
    const char *name = tiny.problem.model->parameters[i].declared.name;
    const double expected =
        strcmp(name, "X1Y0W0R1") == 0 ? 1.0 : (strcmp(name, "X0Y0W1R0") == 0 ? -0.05 : 0.0);
    cr_expect(truth[i] == expected, "%s", name);
  }
  pf_memory_free(truth);
  tiny.problem.models->teacher->plastic[0].eta *=
      2.0; /* then the same change of weights takes twice the coefficient */
  cr_assert(pf_truth_create(&tiny.problem, &truth, &error) == PF_OK);
  cr_expect(fabs(truth[4] - 2.0) < 1e-6, "%g", truth[4]);
  pf_memory_free(truth);
  tiny.problem.models->teacher->plastic[0].modulators[0].terms[0].coefficient +=
      0.5; /* another r: nothing can be said */
  cr_assert(pf_truth_create(&tiny.problem, &truth, &error) == PF_OK);
  for (size_t i = 0; i < 5; i++) {
    cr_expect(isnan(truth[i]));
  }
  pf_memory_free(truth);
  cr_expect(pf_is_taylor_name("X1Y0W0R1") && !pf_is_taylor_name("X1Y0W0") &&
            !pf_is_taylor_name("decay") && !pf_is_taylor_name("X1Y0W0R1x") &&
            !pf_is_taylor_name(""));
  tiny_problem_free(&tiny);
}

/* dw = 0.3 x y^2 - 1.7 w r^2 + 0.11 r, with theta[0] = 1 for the middle term; theta[0] = 3: a cube,
 * no such polynomial
 */
static pf_status odd_rule(const void *self, const pf_block *in, pf_real *dw, int64_t lddw,
                          pf_error *error)
{
  (void)self;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double x = (double)in->pre[j];
      const double y = (double)in->post[i];
      const double w = (double)in->w[i * in->ldw + j];
      const double r = (double)in->modulator[0];
      const double middle = in->theta[0] == 1.0 ? w : w * w * w;
      dw[i * lddw + j] = (pf_real)(0.3 * x * y * y - 1.7 * middle * r * r + 0.11 * r);
    }
  }
  return PF_OK;
}

Test(report, a_rule_is_known_as_a_polynomial_by_asking_it)
{
  static const pf_rule_ops ops = {.size = sizeof ops, .forward = odd_rule};
  static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_RULE), .name = "odd", .rule = &ops};
  const pf_component rule = {.plugin = &plugin};
  pf_plastic plastic = {.rule = &rule, .declared = {.size = sizeof plastic.declared}};
  double theta = 1.0;
  double found[PF_POLYNOMIAL_SIZE];
  const double tolerance = sizeof(pf_real) == sizeof(double) ? 1e-15 : 1e-6;
  cr_assert(pf_polynomial_of_rule(&plastic, &theta, found));
  for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
    const double expected = i == pf_polynomial_index(1, 2, 0, 0)
                                ? 0.3
                                : (i == pf_polynomial_index(0, 0, 1, 2)
                                       ? -1.7
                                       : (i == pf_polynomial_index(0, 0, 0, 1) ? 0.11 : 0.0));
    cr_expect(fabs(found[i] - expected) < tolerance && (expected != 0.0 || found[i] == 0.0),
              "%d: %g", i, found[i]);
  }
  theta = 3.0; /* w^3 is w at -1, 0 and 1: only the points in between tell */
  cr_expect(!pf_polynomial_of_rule(&plastic, &theta, found));
  const pf_trace trace = {.name = "trace"};
  theta = 1.0;
  plastic.declared.traces = (pf_trace_table){&trace, 1, sizeof trace};
  cr_expect(!pf_polynomial_of_rule(&plastic, &theta, found));
}

/* ---- the terminal summary ---- */

static char *printed(const run *r)
{
  pf_error error = pf_error_none();
  char *text = calloc(1, TEXT_SIZE);
  FILE *file = fmemopen(text, TEXT_SIZE, "w");
  cr_assert(text != NULL && file != NULL);
  cr_assert(pf_report_print(&r->tiny.problem, r->fit, NULL, r->evaluation, file, &error) == PF_OK,
            "%s", error.text);
  (void)fclose(file);
  return text;
}

Test(report, without_intervals_the_summary_says_how_far_off_coefficients_are)
{
  static const double values[] = {0.0, 0.05, -0.021, 0.3, 0.9}; /* 1, r, w, x, x r */
  run r = {0};
  start(&r, TINY_CHOICE, 1);
  memcpy(r.fit->groups[0].values, values, sizeof values);
  char *text = printed(&r);
  /* w: -0.021 for -0.05; there are no intervals, and without them no verdict */
  cr_expect(strstr(text, "farthest off is w, by 58 %") != NULL, "%s", text);
  cr_expect(strstr(text, "came out") == NULL, "%s", text);
  cr_expect(strstr(text, "null: no plasticity") != NULL && strstr(text, "null: mean rate") != NULL);
  cr_expect(strstr(text, "in sample, fresh inputs") != NULL);
  cr_expect(strstr(text, "held-out") == NULL);
  free(text);
  finish(&r);
}

Test(report, the_summary_is_short_and_has_no_trailing_blanks)
{
  run r = {0};
  int lines = 0;
  start(&r, TINY_ACTIVITY, 4);
  r.fit->groups[2].status = pf_fail(&r.fit->groups[2].error, PF_POINT_FAILED, "it overflowed");
  r.fit->n_failed = 1;
  char *text = printed(&r);
  for (const char *c = text; *c != '\0'; c++) {
    lines += *c == '\n';
    cr_expect(!(c[0] == ' ' && c[1] == '\n'), "line %d", lines + 1);
  }
  cr_expect(lines <= 40, "%d", lines);
  cr_expect(strstr(text, "1 of 4 fits failed") != NULL &&
                strstr(text, "Fly3: it overflowed") != NULL,
            "%s", text);
  cr_expect(strstr(text, "nan") == NULL, "%s", text);
  cr_expect(strstr(text, r.tiny.problem.settings->out) != NULL);
  free(text);
  finish(&r);
}

Test(report, the_summary_of_a_run_in_which_all_failed)
{
  run r = {0};
  start(&r, TINY_CHOICE, 1);
  r.fit->groups[0].status = pf_fail(&r.fit->groups[0].error, PF_POINT_FAILED, "it overflowed");
  r.fit->n_failed = 1;
  pf_evaluation_free(r.evaluation);
  pf_error error = pf_error_none();
  cr_assert(pf_evaluate(&r.tiny.problem, r.fit, &(pf_observer){0}, &r.evaluation, &error) == PF_OK);
  write_it(&r);
  char *text = printed(&r);
  cr_expect(strstr(text, "1 of 1 fit failed") != NULL, "%s", text);
  cr_expect(strstr(text, "5 free parameters") != NULL, "%s", text);
  cr_expect(strstr(text, "nan") == NULL, "%s", text);
  free(text);
  finish(&r);
}

/* ---- meter ---- */

Test(report, the_meter_is_silent_at_first)
{
  pf_meter meter;
  char path[] = "/tmp/plastfit-meter-XXXXXX";
  const int file = mkstemp(path);
  cr_assert(file >= 0 && dup2(file, STDERR_FILENO) >= 0);
  pf_meter_start(&meter);
  for (int i = 0; i <= 100; i++) {
    pf_meter_show(&meter, 0.01 * i, "fitting");
  }
  (void)fflush(stderr);
  cr_expect(lseek(file, 0, SEEK_END) == 0);
  meter.started -= 60.0; /* as if it had begun a minute ago */
  meter.phase_started -= 60.0;
  meter.last_shown -= 60.0;
  pf_meter_show(&meter, 0.25, "fitting");
  pf_meter_show(&meter, 0.26, "fitting"); /* too soon for another line */
  pf_meter_end(&meter);
  (void)fflush(stderr);
  char text[256] = "";
  cr_assert(lseek(file, 0, SEEK_SET) == 0 && read(file, text, sizeof text - 1) > 0);
  cr_expect(strcmp(text, "fitting: 25 %, 3 min left\n") == 0 ||
                strcmp(text, "fitting: 25 %, 4 min left\n") == 0,
            "%s", text);
  (void)unlink(path);
}
