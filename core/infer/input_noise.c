#include "core/infer/input_noise.h"

#include "core/base/memory.h"
#include "core/intervals/covariance.h"

/** Does the fit draw the inputs of every recording of the group, or those that are missing? */
static bool draws_inputs(const pf_infer_job *job, int64_t *n_missing)
{
  const pf_problem *problem = job->problem;
  *n_missing = 0;
  for (size_t r = 0; r < job->group->n_recordings; r++) {
    const pf_recording *recording = &problem->data.recordings[job->group->recordings[r]];
    if (problem->settings->give_inputs && recording->true_input != NULL) {
      return false;
    }
    *n_missing += pf_recording_n_drawn(recording);
  }
  return problem->settings->input.sd > 0.0 || *n_missing > 0;
}

/** One draw of each recording with inputs that are their means; *n of them are there. */
static pf_status make_quiet_draws(const pf_infer_job *job, pf_draw **draws, size_t *n,
                                  pf_error *error)
{
  pf_problem quiet = *job->problem;
  pf_settings settings = *quiet.settings;
  quiet.settings = &settings;
  settings.inputs_at_mean = true;
  for (size_t r = 0; r < job->group->n_recordings; r++) {
    const pf_status status = pf_problem_draw(
        &quiet, &(pf_draw_id){&job->problem->data, job->group->recordings[r], 0, false}, &draws[r],
        error);
    if (status != PF_OK) {
      return status;
    }
    (*n)++;
  }
  return PF_OK;
}

/* measured: doc/coverage.md. The likelihood is that of inputs which the animal did not have */
static pf_status warn_of_draws(const pf_infer_job *job, int64_t n_missing, pf_error *error)
{
  const double sd = job->problem->settings->input.sd;
  if (sd > 0.0) {
    return pf_infer_warn(
        job->out, error,
        "inputs were drawn (source.input.sd = %g) and are not the animal's own, which "
        "biases coefficients: intervals are about what more data of this kind would give, "
        "and need not hold the truth (doc/coverage.md); likelihood = \"marginal\" integrates the "
        "inputs out (doc/unknown-inputs.md)",
        sd);
  }
  return pf_infer_warn(
      job->out, error,
      "%lld inputs are missing and were drawn (missing_inputs = \"draw\"): they are not what the "
      "animal met, and the more they are, the more they bias coefficients; likelihood = "
      "\"marginal\" integrates them out (doc/unknown-inputs.md)",
      (long long)n_missing);
}

/** Warns of subspaces that are not identified without noise, and are with it. */
static pf_status warn_of_subspaces(const pf_infer_job *job, const pf_spectrum *quiet,
                                   pf_error *error)
{
  const char **names = pf_value_names(job->problem, job->group->layout, error);
  pf_status status = names == NULL ? PF_STOP : PF_OK;
  for (size_t g = 0; g < quiet->n_subspaces; g++) {
    const pf_unidentified_subspace *subspace = &quiet->subspaces[g];
    char text[800];
    bool by_noise = false;
    for (size_t l = 0; l < subspace->n_values; l++) {
      by_noise = by_noise || job->out->spectrum->identified[subspace->values[l]];
    }
    if (!by_noise || status != PF_OK) {
      continue;
    }
    pf_subspace_print(subspace, names, PF_WHOLE_SUBSPACE, text, sizeof text);
    status = pf_infer_warn(
        job->out, error,
        "told apart only by what was drawn of the inputs (source.input.sd = %g), which is not "
        "the animal's own: with inputs at their means %s",
        job->problem->settings->input.sd, text);
  }
  pf_memory_free((void *)names);
  return status;
}

pf_status pf_infer_input_noise(pf_infer_job *job, pf_error *error)
{
  const pf_problem *problem = job->problem;
  const size_t n = job->out->n;
  int64_t n_missing = 0;
  if (!draws_inputs(job, &n_missing)) {
    return PF_OK;
  }
  pf_group_batches batches = {0};
  pf_spectrum *spectrum = NULL;
  size_t n_draws = 0;
  uint32_t how = 0;
  double *information = pf_memory_need(n * n, sizeof *information, error);
  pf_draw **draws = pf_memory_need(job->group->n_recordings, sizeof(pf_draw *), error);
  pf_status status = information == NULL || draws == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    status = warn_of_draws(job, n_missing, error);
  }
  if (status == PF_OK) {
    status = make_quiet_draws(job, draws, &n_draws, error);
  }
  if (status == PF_OK) {
    status = pf_evidence_of_draws(problem, &job->evidence, draws, n_draws, &batches, error);
  }
  if (status == PF_OK) {
    status = pf_infer_curvature(job, &batches, information, &how, error);
  }
  if (status == PF_OK) {
    status = pf_spectrum_create_at(information, job->group->values, n,
                                   problem->settings->intervals.rank_tolerance, &spectrum, error);
  }
  if (status == PF_OK) {
    status = warn_of_subspaces(job, spectrum, error);
  }
  pf_spectrum_free(spectrum);
  pf_group_batches_clear(&batches);
  for (size_t d = 0; d < n_draws; d++) {
    pf_draw_free(problem->model, draws[d]);
  }
  pf_memory_free(draws);
  pf_memory_free(information);
  return status;
}
