#include "core/problem/warm_start.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/readers/theta_file.h"

#include <math.h>
#include <string.h>

static size_t find_parameter(const pf_model *model, const pf_theta_row *row)
{
  size_t i = 0;
  while (i < model->n_parameters && (strcmp(model->parameters[i].owner, row->owner) != 0 ||
                                     strcmp(model->parameters[i].declared.name, row->name) != 0)) {
    i++;
  }
  return i;
}

/** Every parameter of the file must be one of the model: a name that means nothing here would be
 * lost in silence. */
static pf_status check_names(const pf_model *model, const pf_theta_file *file, pf_error *error)
{
  for (size_t r = 0; r < file->n_rows; r++) {
    const pf_theta_row *row = &file->rows[r];
    if (find_parameter(model, row) < model->n_parameters) {
      continue;
    }
    const char **names = pf_memory_need(model->n_parameters, sizeof *names, error);
    if (names == NULL) {
      return PF_STOP;
    }
    for (size_t i = 0; i < model->n_parameters; i++) {
      names[i] = model->parameters[i].declared.name;
    }
    const char *near = pf_text_nearest(row->name, (pf_names){names, model->n_parameters});
    pf_status status = pf_fail(
        error, PF_STOP,
        "%.400s has '%s' of '%s', which this model has not%s%s%s; fit the same rules under the "
        "same names, or take the rows out of a copy of the file",
        file->path, row->name, row->owner, near == NULL ? "" : "; the nearest here is '",
        near == NULL ? "" : near, near == NULL ? "" : "'");
    pf_memory_free(names);
    return status;
  }
  return PF_OK;
}

static pf_status read_unit(const pf_model *model, const pf_theta_file *file, const char *unit,
                           double *values, pf_error *error)
{
  const char *from = pf_theta_file_is_shared(file) ? file->units[0] : unit;
  bool any = false;
  for (size_t i = 0; i < model->n_parameters; i++) {
    values[i] = NAN;
  }
  for (size_t r = 0; r < file->n_rows; r++) {
    const pf_theta_row *row = &file->rows[r];
    if (strcmp(row->unit, from) != 0) {
      continue;
    }
    any = true;
    if (row->failed) {
      return pf_fail(error, PF_STOP,
                     "%.400s: the fit of '%s' failed there, so it is no place to start from",
                     file->path, from);
    }
    values[find_parameter(model, row)] = row->estimate;
  }
  if (!any) {
    return pf_fail(error, PF_STOP,
                   "%.400s has no unit '%s' (its first is '%s'); a fit with fit.per = \"animal\" "
                   "needs each animal "
                   "there, or one theta for `all`",
                   file->path, unit, file->units[0]);
  }
  return PF_OK;
}

static pf_status read_units(pf_problem *problem, const pf_theta_file *file, pf_error *error)
{
  const pf_model *model = problem->model;
  const bool shared = problem->settings->fit.per == PF_FIT_SHARED;
  const size_t n_units = shared ? 1 : problem->data.n_animals;
  if (check_names(model, file, error) != PF_OK) {
    return PF_STOP;
  }
  problem->warm = pf_memory_need(n_units * model->n_parameters, sizeof *problem->warm, error);
  if (problem->warm == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < n_units; u++) {
    if (read_unit(model, file, shared ? "all" : problem->data.animals[u],
                  problem->warm + u * model->n_parameters, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_warm_start(pf_problem *problem, pf_error *error)
{
  const char *path = problem->settings->fit.warm_path;
  pf_theta_file *file = NULL;
  if (path == NULL) {
    return PF_OK;
  }
  pf_status status = pf_theta_file_read(path, &file, error);
  if (status == PF_OK) {
    status = read_units(problem, file, error);
  }
  pf_theta_file_free(file);
  pf_error_locate(error, problem->config,
                  pf_node_get(pf_config_root(problem->config), "init.theta"));
  return status;
}
