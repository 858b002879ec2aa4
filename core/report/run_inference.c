#include "core/report/run_inference.h"

#include "core/base/memory.h"
#include "core/readers/theta_file.h"
#include "core/report/run_folder.h"
#include "core/uncertainty/infer_job.h"

#include <math.h>
#include <string.h>

static uint32_t find_verdict(const char *words)
{
  for (uint32_t verdict = PF_IDENTIFIED; verdict <= PF_NOT_IDENTIFIED_BY_DESIGN; verdict++) {
    if (strcmp(words, pf_verdict_words(verdict)) == 0) {
      return verdict;
    }
  }
  return PF_VERDICT_NONE;
}

/** The row of a value; NULL: the run does not have it. */
static const pf_theta_row *find_row(const pf_theta_file *file, const pf_fit_group *group, size_t k)
{
  const pf_layout *layout = group->layout;
  const size_t instance = layout->index[k];
  const pf_model_parameter *parameter = &layout->parameters[layout->instances[instance].parameter];
  const char *animal = "";
  int64_t experiment = -1;
  pf_layout_copy(layout, instance, &animal, &experiment);
  return pf_theta_file_find(file, group->name, parameter->owner, parameter->declared.name, animal,
                            experiment);
}

static pf_status read_value(const pf_theta_row *row, size_t k, pf_inference_group *to,
                            pf_error *error)
{
  const uint32_t method = pf_interval_method_find(row->method);
  const bool has_interval = method < PF_N_INTERVAL_METHODS;
  to->verdict[k] = find_verdict(row->verdict);
  if (has_interval) {
    pf_intervals *intervals = &to->methods[method];
    to->main = method;
    if (!intervals->there && pf_intervals_create(to->n, intervals, error) != PF_OK) {
      return PF_STOP;
    }
    intervals->se[k] = row->se;
    intervals->lower[k] = row->lower;
    intervals->upper[k] = row->upper;
  }
  if (row->note[0] == '\0') {
    return PF_OK;
  }
  return pf_infer_why(&to->note[k], error, "%s", row->note);
}

static bool says_anything(const pf_theta_row *row)
{
  return row->verdict[0] != '\0' || !isnan(row->lower) || !isnan(row->upper);
}

static pf_status read_group(const pf_theta_file *file, const pf_fit_group *group,
                            pf_inference *inference, pf_inference_group *to, pf_error *error)
{
  const char *why = "";
  bool is_any = false;
  *to = (pf_inference_group){
      .group = group, .n = group->layout->n, .log_likelihood = NAN, .is_global = true};
  to->verdict = pf_memory_need(to->n, sizeof *to->verdict, error);
  to->note = pf_memory_need(to->n, sizeof(char *), error);
  if (to->verdict == NULL || to->note == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < to->n; k++) {
    const pf_theta_row *row = find_row(file, group, k);
    if (row == NULL) {
      continue;
    }
    why = why[0] == '\0' ? row->note : why;
    inference->level = isnan(row->level) ? inference->level : row->level;
    if (!says_anything(row)) {
      continue;
    }
    is_any = true;
    if (read_value(row, k, to, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (is_any) {
    return PF_OK;
  }
  return pf_infer_why(&to->why, error, "%s", why[0] != '\0' ? why : "the run has none");
}

static pf_status read_groups(const pf_theta_file *file, const pf_fit *fit, pf_inference *to,
                             pf_error *error)
{
  to->groups = pf_memory_need(fit->n_groups, sizeof *to->groups, error);
  if (to->groups == NULL) {
    return PF_STOP;
  }
  to->n_groups = fit->n_groups;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_status status = read_group(file, &fit->groups[u], to, &to->groups[u], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_run_folder_inference(const char *run, const pf_problem *problem, const pf_fit *fit,
                                  pf_inference **out, pf_error *error)
{
  pf_theta_file *file = NULL;
  pf_status status = pf_run_folder_theta(run, &file, error);
  if (status != PF_OK) {
    return status;
  }
  pf_inference *inference = pf_memory_need(1, sizeof *inference, error);
  if (inference == NULL) {
    status = PF_STOP;
    goto done;
  }
  inference->level = problem->settings->intervals.level;
  status = read_groups(file, fit, inference, error);
  if (status != PF_OK) {
    pf_inference_free(inference);
    goto done;
  }
  *out = inference;
done:
  pf_theta_file_free(file);
  return status;
}
