#include "core/infer/improve.h"

#include "core/base/memory.h"

#include "core/uncertainty/infer_job.h"

enum { MAX_ROUNDS = 3 };

static const char no_optimum_there[] =
    "a profile found values that fit better, but no optimum there gains 1.92 nats (weights grow "
    "without end, say), so how far the data allow the estimates to go is not known; "
    "intervals.methods=[\"fisher\"] looks near the optimum alone";

static const char better_elsewhere[] =
    "values elsewhere fit a little better, by less than 1.92 nats, but no optimum lies there; "
    "intervals by profile reach to them";

/** Fits again where there is something better; *n: so many groups have another fit now. */
static pf_status improve_groups(const pf_problem *problem, pf_fit *fit, const pf_observer *observer,
                                pf_inference *inference, size_t *n, pf_error *error)
{
  *n = 0;
  for (size_t u = 0; u < inference->n_groups; u++) {
    pf_inference_group *found = &inference->groups[u];
    pf_fit_group *group = &fit->groups[u];
    const size_t before = group->n_improved;
    pf_error line = pf_error_none();
    if (found->better == NULL || group->marginal != NULL) { /* a fit of the mean would not do */
      continue;
    }
    pf_status status = pf_fit_improve(problem, group, found->better, observer, &line);
    if (status == PF_POINT_FAILED) { /* this group's alone */
      status = pf_infer_why(&found->why, &line, "%s", line.text);
    }
    if (status != PF_OK) {
      return pf_fail(error, status, "%s: %s", group->name, line.text);
    }
    if (group->n_improved > before) {
      pf_inference_forget(found);
      (*n)++;
      continue;
    }
    if (!found->has_no_better) { /* once more: what lies there belongs to the intervals then */
      pf_inference_forget(found);
      found->has_no_better = true;
      (*n)++;
      continue;
    }
    status = pf_infer_why(&found->why, error, "%s", no_optimum_there);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status warn_of_improvement(const pf_fit *fit, pf_inference *inference, pf_error *error)
{
  for (size_t u = 0; u < inference->n_groups; u++) {
    const bool is_said = inference->groups[u].why != NULL || !inference->groups[u].has_no_better;
    pf_status status = PF_OK;
    if (!is_said) {
      status = pf_infer_warn(&inference->groups[u], error, "%s", better_elsewhere);
    }
    if (status != PF_OK) {
      return status;
    }
    if (fit->groups[u].n_improved == 0) {
      continue;
    }
    status = pf_infer_warn(&inference->groups[u], error,
                           "a profile found a better optimum, and the fit went on from there; more "
                           "starts may find a still better one (fit.starts=20)");
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_infer_and_improve(const pf_problem *problem, pf_fit *fit, const pf_observer *observer,
                               pf_inference **out, pf_error *error)
{
  const double started = pf_clock_seconds();
  pf_inference *inference = NULL;
  pf_status status = pf_infer(problem, fit, observer, &inference, error);
  for (int round = 0; round < MAX_ROUNDS; round++) {
    size_t n = 0;
    if (status == PF_OK) {
      status = improve_groups(problem, fit, observer, inference, &n, error);
    }
    if (status == PF_OK && n > 0) {
      status = pf_infer(problem, fit, observer, &inference, error);
    }
    if (status != PF_OK || n == 0) {
      break;
    }
  }
  if (status == PF_OK) {
    status = warn_of_improvement(fit, inference, error);
  }
  if (status != PF_OK) {
    pf_inference_free(inference);
    return status;
  }
  inference->seconds = pf_clock_seconds() - started;
  *out = inference;
  return PF_OK;
}
