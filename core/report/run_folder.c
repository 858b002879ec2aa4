#define _POSIX_C_SOURCE 200809L

#include "core/report/run_folder.h"
#include "core/base/memory.h"
#include "core/base/nearest_file.h"
#include "core/base/put_in_place.h"
#include "core/base/text.h"
#include "core/evaluate/refit.h"
#include "core/fit/fit_groups.h"
#include "core/readers/theta_file.h"
#include "core/store/tables.h"
#include "core/truth/names.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <plastfit/plastfit.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *pf_run_folder_path(const char *run, const char *name, pf_error *error)
{
  const size_t length = strlen(run) + strlen(name) + 2;
  char *path = pf_memory_need(length, 1, error);
  if (path != NULL) {
    (void)snprintf(path, length, "%s%s%s", run,
                   run[0] != '\0' && run[strlen(run) - 1] == '/' ? "" : "/", name);
  }
  return path;
}

/* ---- is it one? ---- */

static pf_status check_file(const char *run, const char *name, pf_error *error)
{
  char *path = pf_run_folder_path(run, name, error);
  if (path == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  if (access(path, R_OK) != 0) {
    status =
        pf_fail(error, PF_STOP, "'%s' is no whole run folder: %s: %s", run, name, strerror(errno));
  }
  pf_memory_free(path);
  return status;
}

static pf_status check_format(const char *run, const char *path, pf_error *error)
{
  json_error_t why;
  json_t *root = json_load_file(path, 0, &why);
  if (root == NULL) {
    return pf_fail(error, PF_STOP, "%.400s:%d: is no JSON that can be read: %.300s", path, why.line,
                   why.text);
  }
  const json_t *format = json_object_get(root, "format");
  const char *version = json_string_value(json_object_get(root, "plastfit"));
  pf_status status = PF_OK;
  if (!json_is_integer(format) || json_integer_value(format) != PF_RUN_FORMAT) {
    char found[32] = "no format";
    if (json_is_integer(format)) {
      (void)snprintf(found, sizeof found, "format %lld", (long long)json_integer_value(format));
    }
    status =
        pf_fail(error, PF_STOP,
                "'%s' was written by plastfit %.40s, %s; this is plastfit %s, which reads format "
                "%d: fit again",
                run, version == NULL ? "(unknown)" : version, found, pf_version(), PF_RUN_FORMAT);
  }
  json_decref(root);
  return status;
}

pf_status pf_run_folder_check(const char *run, pf_error *error)
{
  struct stat info;
  if (stat(run, &info) != 0) {
    return pf_fail_no_folder("run folder", run, error);
  }
  if (!S_ISDIR(info.st_mode)) {
    return pf_fail(error, PF_STOP, "'%s' is no folder; expected the folder that a fit left", run);
  }
  static const char *const needed[] = {"summary.json", "config.cfg", "theta.csv"};
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
    const pf_status status = check_file(run, needed[i], error);
    if (status != PF_OK) {
      return status;
    }
  }
  char *path = pf_run_folder_path(run, "summary.json", error);
  const pf_status status = path == NULL ? PF_STOP : check_format(run, path, error);
  pf_memory_free(path);
  return status;
}

/* ---- the estimates ---- */

static pf_status no_unit(const pf_theta_file *file, const char *name, pf_error *error)
{
  pf_text all = {0};
  for (size_t u = 0; u < file->n_units && u < 8; u++) {
    pf_text_add(&all, "%s%s", u > 0 ? ", " : "", file->units[u]);
  }
  if (file->n_units > 8) {
    pf_text_add(&all, ", ... (%zu)", file->n_units);
  }
  const pf_status status =
      pf_fail(error, PF_STOP,
              "%s has no theta for '%s'; it has: %s (fit.per = \"shared\" makes one for all)",
              file->path, name, all.text == NULL ? "" : all.text);
  pf_text_free(&all);
  return status;
}

static bool has_unit(const pf_theta_file *file, const char *name)
{
  for (size_t u = 0; u < file->n_units; u++) {
    if (strcmp(file->units[u], name) == 0) {
      return true;
    }
  }
  return false;
}

/** An index that each unit's first row is at, so that units x parameters rows are not searched for
 * each. */
static size_t first_row(const pf_theta_file *file, const char *unit)
{
  size_t i = 0;
  while (i < file->n_rows && strcmp(file->rows[i].unit, unit) != 0) {
    i++;
  }
  return i;
}

static bool is_row_of(const pf_theta_row *row, const pf_theta_row *wanted)
{
  return strcmp(row->unit, wanted->unit) == 0 && strcmp(row->owner, wanted->owner) == 0 &&
         strcmp(row->name, wanted->name) == 0 && strcmp(row->animal, wanted->animal) == 0 &&
         row->experiment == wanted->experiment;
}

/** The group is what the run says that its fit came to. */
static void set_verdict(pf_fit_group *group, const char *status)
{
  group->optimum.reason = PF_REASON_NONE;
  group->optimum.converged = strcmp(status, "ok") == 0;
  for (uint32_t verdict = PF_FIT_PASSES_DONE; verdict <= PF_FIT_WORSE_THAN_NULL; verdict++) {
    if (verdict == PF_FIT_FAILED || strcmp(status, pf_fit_verdict_words(verdict)) != 0) {
      continue;
    }
    group->optimum.reason = verdict == PF_FIT_PASSES_DONE ? PF_REASON_PASSES : PF_REASON_ITERATIONS;
    group->runs_off = verdict == PF_FIT_SEPARATION;
    group->worse_than_null = verdict == PF_FIT_WORSE_THAN_NULL;
  }
}

/** The numbers of the group's instances, and which the run does not have. Rows stand in the order
 * of the instances, so that the next one is looked at first. */
static pf_status read_instances(const pf_problem *problem, const pf_theta_file *file,
                                pf_fit_group *group, double *instances, bool *missing,
                                pf_error *error)
{
  const pf_layout *layout = group->layout;
  const pf_theta_row *next = &file->rows[first_row(file, group->name)];
  for (size_t s = 0; s < layout->n_instances; s++) {
    const size_t i = layout->instances[s].parameter;
    const pf_model_parameter *parameter = &layout->parameters[i];
    const bool own = layout->scope[i] != PF_SCOPE_SHARED;
    const char *animal = "";
    int64_t experiment = -1;
    pf_layout_copy(layout, s, &animal, &experiment);
    const pf_theta_row wanted = {.unit = group->name,
                                 .owner = parameter->owner == NULL ? "" : parameter->owner,
                                 .name = parameter->declared.name,
                                 .animal = animal,
                                 .experiment = experiment};
    if (problem->other_data && own) {
      missing[s] = true; /* an animal of the same name there is another one */
      continue;
    }
    const pf_theta_row *row = next;
    if (row == file->rows + file->n_rows || !is_row_of(row, &wanted)) {
      row = pf_theta_file_find(file, wanted.unit, wanted.owner, wanted.name, animal, experiment);
    }
    if (row == NULL && !pf_is_reported(problem->model, i)) {
      instances[s] = layout->kept[s]; /* nobody touched it */
      continue;
    }
    if (row == NULL && own) {
      missing[s] = true; /* of an animal or experiment that the run has not seen */
      continue;
    }
    if (row == NULL) {
      return pf_fail(error, PF_STOP,
                     "%s: has no '%s' of '%s'%s%s for '%s'; is its config.cfg the run's own?",
                     file->path, wanted.name, wanted.owner, animal[0] == '\0' ? "" : ", animal ",
                     animal, group->name);
    }
    instances[s] = row->estimate;
    next = row + 1;
    set_verdict(group, row->status);
    if (row->failed && group->status == PF_OK) {
      group->status = pf_fail(&group->error, PF_POINT_FAILED,
                              "its fit failed (the run's summary.json says why)");
    }
  }
  return PF_OK;
}

/** Does the model have every parameter of the group's rows? */
static pf_status check_rows(const pf_theta_file *file, const pf_model *model, const char *name,
                            pf_error *error)
{
  for (size_t r = first_row(file, name); r < file->n_rows && strcmp(file->rows[r].unit, name) == 0;
       r++) {
    size_t i = 0;
    while (i < model->n_parameters &&
           (strcmp(model->parameters[i].declared.name, file->rows[r].name) != 0 ||
            strcmp(model->parameters[i].owner, file->rows[r].owner) != 0)) {
      i++;
    }
    if (i == model->n_parameters) {
      return pf_fail(
          error, PF_STOP,
          "%s: has '%s' of '%s', which the model has not; is its config.cfg the run's own?",
          file->path, file->rows[r].name, file->rows[r].owner);
    }
  }
  return PF_OK;
}

/** Values of the group from the file's rows; what the run does not have is fitted. */
static pf_status read_values(const pf_theta_file *file, const pf_problem *problem, size_t u,
                             pf_fit_group *group, pf_error *error)
{
  const pf_layout *layout = group->layout;
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  bool *missing = pf_memory_need(layout->n_instances, sizeof *missing, error);
  bool any_missing = false;
  pf_status status = PF_STOP;
  if (instances == NULL || missing == NULL) {
    goto done;
  }
  status = pf_problem_start(problem, u, layout, group->values, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_layout_instances(layout, group->values, instances);
  status = read_instances(problem, file, group, instances, missing, error);
  if (status != PF_OK) {
    goto done;
  }
  /* a fixed one may have had another value there than it would start at */
  pf_layout_keep(group->layout, instances);
  pf_layout_values(layout, instances, group->values);
  pf_layout_values(layout, instances, group->values_start);
  for (size_t s = 0; s < layout->n_instances; s++) {
    any_missing = any_missing || missing[s];
  }
  group->refitted = any_missing;
  if (any_missing && group->status == PF_OK) {
    status = pf_refit_missing(problem, group, missing, error);
  }
done:
  pf_memory_free(missing);
  pf_memory_free(instances);
  return status;
}

static pf_status read_group(const pf_theta_file *file, const pf_problem *problem, size_t u,
                            pf_fit_group *group, pf_error *error)
{
  const char *name = problem->settings->fit.per == PF_FIT_SHARED ? "all" : problem->data.animals[u];
  group->error = pf_error_none();
  group->name = pf_memory_string(name, error);
  if (group->name == NULL || pf_group_layout(problem, u, &group->layout, error) != PF_OK) {
    return PF_STOP;
  }
  if (!has_unit(file, name)) {
    return no_unit(file, name, error);
  }
  const pf_status status = check_rows(file, problem->model, name, error);
  if (status != PF_OK) {
    return status;
  }
  group->values = pf_memory_need(group->layout->n, sizeof *group->values, error);
  group->values_start = pf_memory_need(group->layout->n, sizeof *group->values_start, error);
  if (group->values == NULL || group->values_start == NULL) {
    return PF_STOP;
  }
  return read_values(file, problem, u, group, error);
}

pf_status pf_run_folder_theta(const char *run, pf_theta_file **out, pf_error *error)
{
  char *path = pf_run_folder_path(run, "theta.csv", error);
  if (path == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_theta_file_read(path, out, error);
  pf_memory_free(path);
  return status;
}

pf_status pf_run_folder_fit(const char *run, const pf_problem *problem, pf_fit **out,
                            pf_error *error)
{
  pf_theta_file *file = NULL;
  pf_status status = pf_run_folder_theta(run, &file, error);
  if (status != PF_OK) {
    return status;
  }
  const bool shared = problem->settings->fit.per == PF_FIT_SHARED;
  const size_t n = shared ? 1 : problem->data.n_animals;
  pf_fit *fit = pf_memory_need(1, sizeof *fit, error);
  status = PF_STOP;
  if (fit == NULL) {
    goto done;
  }
  fit->groups = pf_memory_need(n, sizeof *fit->groups, error);
  if (fit->groups == NULL) {
    goto done;
  }
  for (size_t u = 0; u < n; u++) {
    fit->n_groups = u + 1;
    status = read_group(file, problem, u, &fit->groups[u], error);
    if (status != PF_OK) {
      goto done;
    }
    fit->n_failed += fit->groups[u].status != PF_OK;
  }
  *out = fit;
done:
  pf_theta_file_free(file);
  if (status != PF_OK) {
    pf_fit_free(problem, fit);
  }
  return status;
}

/* ---- evaluation.json ---- */

pf_status pf_evaluation_write(const pf_scored_run *scored, const char *path, pf_error *error)
{
  pf_results results = {
      .problem = scored->problem, .fit = scored->fit, .evaluation = scored->evaluation};
  const size_t length = strlen(path) + sizeof ".part";
  char *part = pf_memory_need(length, 1, error);
  if (part == NULL) {
    return PF_STOP;
  }
  (void)snprintf(part, length, "%s.part", path);
  pf_status status = pf_results_prepare(&results, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_write_evaluation(&results, scored->run, scored->data, part, error);
  if (status == PF_OK) {
    status = pf_put_in_place(part, path, error);
  }
  if (status != PF_OK) {
    (void)unlink(part);
  }
  pf_results_clear(&results);
done:
  pf_memory_free(part);
  return status;
}
