#include "core/uncertainty/infer_job.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

bool pf_infer_is_stopped(const pf_infer_job *job)
{
  const pf_observer *observer = job->observer;
  return observer != NULL && observer->stop != NULL && observer->stop(observer->payload);
}

pf_status pf_infer_objective(const pf_infer_job *job, const pf_group_batches *batches,
                             pf_group_objective **out, pf_error *error)
{
  const pf_group_objective_in in = {.problem = job->problem,
                                    .layout = job->group->layout,
                                    .batches = batches,
                                    .workspaces = job->workspaces,
                                    .n_workspaces = job->n_workspaces,
                                    .observer = job->observer};
  return pf_group_objective_create(&in, out, error);
}

bool pf_infer_has_only_likelihoods(const pf_infer_job *job)
{
  const pf_model *model = job->problem->model;
  for (size_t k = 0; k < model->n_losses; k++) {
    if ((model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) == 0) {
      return false;
    }
  }
  return model->n_losses > 0;
}

bool pf_infer_all_shared(const pf_infer_job *job)
{
  const pf_layout *layout = job->group->layout;
  for (size_t k = 0; k < layout->n; k++) {
    if (!pf_layout_is_shared(layout, k)) {
      return false;
    }
  }
  return true;
}

pf_status pf_intervals_create(size_t n, pf_intervals *out, pf_error *error)
{
  out->se = pf_memory_need(n, sizeof *out->se, error);
  out->lower = pf_memory_need(n, sizeof *out->lower, error);
  out->upper = pf_memory_need(n, sizeof *out->upper, error);
  if (out->se == NULL || out->lower == NULL || out->upper == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    out->se[k] = out->lower[k] = out->upper[k] = NAN;
  }
  out->there = true;
  return PF_OK;
}

void pf_intervals_set_symmetric(const pf_inference_group *out, const double *covariance,
                                double quantile, pf_intervals *to)
{
  for (size_t k = 0; k < out->n; k++) {
    if (!out->at_bound[k] && out->spectrum->identified[k]) {
      to->se[k] = sqrt(fmax(covariance[k * out->n + k], 0.0));
      const double half = quantile * to->se[k];
      to->lower[k] = fmax(out->group->values[k] - half, out->group->layout->lower[k]);
      to->upper[k] = fmin(out->group->values[k] + half, out->group->layout->upper[k]);
    }
  }
}

double pf_infer_quantile(const pf_infer_job *job)
{
  const double tail = 0.5 + 0.5 * job->problem->settings->intervals.level;
  const double n_identified = (double)(job->out->n - job->out->spectrum->n_free);
  double cells = 0.0;
  for (size_t k = 0; k < job->problem->model->n_losses; k++) {
    if (isnan(job->evidence.variance[k])) { /* a likelihood: nothing is estimated beside theta */
      return pf_stats_normal_quantile(tail);
    }
    cells += job->evidence.cells[k];
  }
  return pf_stats_student_quantile(tail, (size_t)fmax(cells - n_identified, 1.0));
}

static char *print_sentence(pf_error *error, const char *format, va_list arguments)
{
  char text[1024];
  (void)vsnprintf(text, sizeof text, format, arguments);
  return pf_memory_string(text, error);
}

pf_status pf_infer_why(char **why, pf_error *error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  char *text = print_sentence(error, format, arguments);
  va_end(arguments);
  pf_memory_free(*why);
  *why = text;
  return text == NULL ? PF_STOP : PF_OK;
}

pf_status pf_infer_warn(pf_inference_group *group, pf_error *error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  char *text = print_sentence(error, format, arguments);
  va_end(arguments);
  pf_array warnings = {.items = group->warnings,
                       .n = group->n_warnings,
                       .capacity = group->n_warnings,
                       .size = sizeof text};
  char **added = text == NULL ? NULL : pf_array_append(&warnings, error);
  if (added == NULL) {
    pf_memory_free(text);
    return PF_STOP;
  }
  *added = text;
  group->warnings = pf_array_take(&warnings, &group->n_warnings);
  return PF_OK;
}
