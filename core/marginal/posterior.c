#include "core/marginal/posterior.h"

#include "core/base/memory.h"
#include "core/base/threads.h"

#include <math.h>

pf_status pf_filters_create(const pf_problem *problem, size_t n, pf_filters *out, pf_error *error)
{
  *out = (pf_filters){.items = pf_memory_need(n, sizeof(pf_filter *), error)};
  if (out->items == NULL) {
    return PF_STOP;
  }
  for (; out->n < n; out->n++) {
    const pf_status status = pf_filter_create(
        problem->model, (size_t)problem->settings->marginal.particles, &out->items[out->n], error);
    if (status != PF_OK) {
      pf_filters_free(out);
      return status;
    }
  }
  return PF_OK;
}

void pf_filters_free(pf_filters *filters)
{
  for (size_t t = 0; t < filters->n; t++) {
    pf_filter_free(filters->items[t]);
  }
  pf_memory_free(filters->items);
  *filters = (pf_filters){0};
}

/* What one recording gives. */
typedef struct recording_share {
  pf_status status;
  pf_error error;
  double least_share;
} recording_share;

/* Memory of a recording's run. */
typedef struct run_memory {
  double *theta;
  pf_draw **draws; /* [n_draws] of the recording */
} run_memory;

static pf_status filter_recording(const pf_posterior_in *in, size_t r, pf_filter *filter,
                                  const run_memory *memory, double *log_likelihood,
                                  recording_share *share)
{
  const pf_problem *problem = in->problem;
  const pf_fit_group *group = in->group;
  pf_filter_out out = {0};
  pf_filter_in what = {.model = problem->model,
                       .draw = group->draws[r],
                       .theta = memory->theta,
                       .variance = in->variance,
                       .weigh = PF_STEP_FIT,
                       .still = in->still,
                       .threshold = problem->settings->marginal.threshold};
  pf_problem_unknowns(problem, &problem->data, group->recordings[r], false, &what.unknowns,
                      &what.stream);
  what.stream.draw += in->replicate;
  pf_layout_theta(group->layout, in->values, r, memory->theta);
  pf_unknowns_set(problem->model, memory->theta, &what.unknowns);
  const pf_status status = pf_filter_run(filter, &what, &out, &share->error);
  *log_likelihood = out.log_likelihood;
  share->least_share = out.least_share;
  if (status != PF_OK || !in->redraws) {
    return status;
  }
  for (size_t d = 0; d < in->n_draws; d++) {
    memory->draws[d] = group->draws[(in->first_draw + d) * group->n_recordings + r];
  }
  return pf_filter_draw(filter, &what, memory->draws, in->n_draws, &share->error);
}

static void run_recording(const pf_posterior_in *in, size_t r, double *log_likelihood,
                          recording_share *share)
{
  share->error = pf_error_none();
  const run_memory memory = {
      .theta = pf_memory_need(in->problem->model->n_parameters, sizeof(double), &share->error),
      .draws = pf_memory_need(in->n_draws, sizeof(pf_draw *), &share->error)};
  share->status = PF_STOP;
  if (memory.theta != NULL && memory.draws != NULL) {
    pf_filter *filter = in->filters->items[in->filters->n > 1 ? pf_this_thread() : 0];
    share->status = filter_recording(in, r, filter, &memory, log_likelihood, share);
  }
  pf_memory_free(memory.theta);
  pf_memory_free(memory.draws);
}

pf_status pf_posterior_run(const pf_posterior_in *in, pf_posterior_out *out, pf_error *error)
{
  const size_t n = in->group->n_recordings;
  const int n_threads = (int)in->filters->n;
  pf_status status = PF_OK;
  recording_share *shares = pf_memory_need(n, sizeof *shares, error);
  if (shares == NULL) {
    return PF_STOP;
  }
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (n_threads > 1)
  for (size_t r = 0; r < n; r++) {
    run_recording(in, r, &out->log_likelihood[r], &shares[r]);
  }
  out->least_share = 1.0;
  for (size_t r = 0; r < n; r++) {
    if (shares[r].status != PF_OK) {
      status =
          pf_fail_key(error, shares[r].status, shares[r].error.key, "%s", shares[r].error.text);
      break;
    }
    out->least_share = fmin(out->least_share, shares[r].least_share);
  }
  pf_memory_free(shares);
  return status;
}

bool pf_group_has_unknowns(const pf_problem *problem, const pf_fit_group *group)
{
  for (size_t r = 0; r < group->n_recordings; r++) {
    pf_unknowns unknowns;
    pf_stream stream;
    pf_problem_unknowns(problem, &problem->data, group->recordings[r], false, &unknowns, &stream);
    if (pf_unknowns_any(problem->model, &unknowns)) {
      return true;
    }
  }
  return false;
}
