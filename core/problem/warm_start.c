#include "core/problem/warm_start.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/model/terms.h"
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

static pf_status refuse_name(const pf_model *model, const pf_theta_file *file,
                             const pf_theta_row *row, pf_error *error)
{
  const char **names = pf_memory_need(model->n_parameters, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    names[i] = model->parameters[i].declared.name;
  }
  const char *near = pf_text_nearest(row->name, (pf_names){names, model->n_parameters});
  const pf_status status = pf_fail(
      error, PF_STOP,
      "%.400s has '%s' of '%s', which this model has not%s%s%s; fit the same rules under the "
      "same names, or take the rows out of a copy of the file",
      file->path, row->name, row->owner, near == NULL ? "" : "; the nearest here is '",
      near == NULL ? "" : near, near == NULL ? "" : "'");
  pf_memory_free(names);
  return status;
}

/** Is a row of the file lost here without a loss? A term that is 0, as a penalty or a choice of
 * terms leaves many. */
static bool is_lost_zero(const pf_theta_row *row)
{
  return row->estimate == 0.0 && pf_is_taylor_name(row->name);
}

/** Every parameter of the file must be one of the model, but for terms that are 0: a name that
 * means nothing here would be lost in silence. */
static pf_status check_names(const pf_model *model, const pf_theta_file *file, const pf_host *host,
                             pf_error *error)
{
  size_t n_lost = 0;
  const char *first = "";
  for (size_t r = 0; r < file->n_rows; r++) {
    const pf_theta_row *row = &file->rows[r];
    if (find_parameter(model, row) < model->n_parameters) {
      continue;
    }
    if (!is_lost_zero(row)) {
      return refuse_name(model, file, row, error);
    }
    first = n_lost == 0 ? row->name : first;
    n_lost++;
  }
  if (n_lost > 0) {
    char line[600];
    (void)snprintf(line, sizeof line,
                   "init.theta: %.300s has %zu %s that this model has not (%.40s%s); they are 0, "
                   "and are left out",
                   file->path, n_lost, n_lost == 1 ? "term" : "terms", first,
                   n_lost == 1 ? "" : ", ...");
    host->warn(host, line);
  }
  return PF_OK;
}

/** Free parameters that no row of the file is about start as the config says. */
static void warn_missing(const pf_model *model, const pf_theta_file *file, const pf_host *host)
{
  size_t n_missing = 0;
  const char *first = "";
  for (size_t i = 0; i < model->n_parameters; i++) {
    bool found = !pf_is_free(&model->parameters[i]) || model->parameters[i].is_start;
    for (size_t r = 0; r < file->n_rows && !found; r++) {
      found = find_parameter(model, &file->rows[r]) == i;
    }
    if (!found) {
      first = n_missing == 0 ? model->parameters[i].declared.name : first;
      n_missing++;
    }
  }
  if (n_missing > 0) {
    char line[600];
    (void)snprintf(line, sizeof line,
                   "init.theta: %.300s has nothing of %zu %s of this model (%.60s%s); %s as the "
                   "config says",
                   file->path, n_missing, n_missing == 1 ? "parameter" : "parameters", first,
                   n_missing == 1 ? "" : ", ...", n_missing == 1 ? "it starts" : "they start");
    host->warn(host, line);
  }
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
    const size_t i = find_parameter(model, row);
    if (i < model->n_parameters) {
      values[i] = row->estimate;
    }
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
  const pf_host *host = pf_config_host(problem->config);
  const bool shared = problem->settings->fit.per == PF_FIT_SHARED;
  const size_t n_units = shared ? 1 : problem->data.n_animals;
  if (check_names(model, file, host, error) != PF_OK) {
    return PF_STOP;
  }
  warn_missing(model, file, host);
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
