/*
 * What only the drawn noise of the inputs tells apart. Cues are few numbers (0, 0.75): with them
 * alone x and x^2 may be the same to a synapse. Where a fit draws inputs, their noise differs from
 * the animal's own, and what it adds to the information is information about the draws rather than
 * about the animal.
 */
#include "core/infer/infer.h"

#include "core/base/memory.h"

#include <string.h>

enum { NAME = 160 };

/** One draw of each recording with inputs that are their means. */
static pf_status quiet_draws(const pf_infer_job *job, pf_draw **draws, size_t *n, pf_error *error)
{
  pf_problem quiet = *job->problem;
  pf_status status = PF_OK;
  pf_settings settings = *quiet.settings;
  quiet.settings = &settings;
  settings.input.sd = 0.0;
  for (size_t r = 0; r < job->group->n_recordings && status == PF_OK; r++) {
    status = pf_problem_draw(&quiet, &job->problem->data, job->group->recordings[r], 0, false,
                             &draws[r], error);
    *n += status == PF_OK ? 1 : 0;
  }
  return status;
}

/** Groups that hang together without noise and not with it. */
static pf_status tell(const pf_infer_job *job, const pf_spectrum *quiet, pf_error *error)
{
  const size_t n = job->out->n;
  char *memory = pf_memory_need(n, NAME, error);
  const char **names = pf_memory_need(n, sizeof *names, error);
  pf_status status = memory == NULL || names == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    pf_value_name(job->problem, job->group->layout, k, memory + k * NAME, NAME);
    names[k] = memory + k * NAME;
  }
  for (size_t g = 0; g < quiet->n_subspaces && status == PF_OK; g++) {
    const pf_unidentified_subspace *subspace = &quiet->subspaces[g];
    bool by_noise = false;
    for (size_t l = 0; l < subspace->n_values; l++) {
      by_noise = by_noise || job->out->spectrum->identified[subspace->values[l]];
    }
    if (by_noise) {
      char text[800];
      pf_subspace_print(subspace, names, PF_WHOLE_SUBSPACE, text, sizeof text);
      status = pf_infer_warn(
          job->out, error,
          "told apart only by the drawn noise of the inputs (source.input.sd = %g), which is not "
          "the animal's own: with inputs at their means %s",
          job->problem->settings->input.sd, text);
    }
  }
  pf_memory_free(memory);
  pf_memory_free((void *)names);
  return status;
}

pf_status pf_infer_input_noise(pf_infer_job *job, pf_error *error)
{
  const pf_problem *problem = job->problem;
  const size_t n = job->out->n;
  bool is_drawn = problem->settings->input.sd > 0.0;
  for (size_t r = 0; r < job->group->n_recordings; r++) {
    is_drawn =
        is_drawn && !(problem->settings->give_inputs &&
                      problem->data.recordings[job->group->recordings[r]].true_input != NULL);
  }
  if (!is_drawn) {
    return PF_OK;
  }
  /* measured: doc/coverage.md. The likelihood is that of inputs which the animal did not have */
  pf_status status = pf_infer_warn(
      job->out, error,
      "inputs were drawn (source.input.sd = %g) and are not the animal's own, which "
      "biases coefficients: intervals are about what more data of this kind would give, "
      "and need not hold the truth (doc/coverage.md)",
      problem->settings->input.sd);
  pf_group_batches batches = {0};
  pf_spectrum *spectrum = NULL;
  size_t n_draws = 0;
  uint32_t how = 0;
  double *information = pf_memory_need(n * n, sizeof *information, error);
  pf_draw **draws = pf_memory_need(job->group->n_recordings, sizeof(pf_draw *), error);
  status = status != PF_OK || information == NULL || draws == NULL
               ? PF_STOP
               : quiet_draws(job, draws, &n_draws, error);
  status = status == PF_OK
               ? pf_evidence_of_draws(problem, &job->evidence, draws, n_draws, &batches, error)
               : status;
  status = status == PF_OK ? pf_infer_curvature(job, &batches, information, &how, error) : status;
  status = status == PF_OK
               ? pf_spectrum_create(information, n, problem->settings->intervals.rank_tolerance,
                                    &spectrum, error)
               : status;
  status = status == PF_OK ? tell(job, spectrum, error) : status;
  pf_spectrum_free(spectrum);
  pf_group_batches_clear(&batches);
  for (size_t d = 0; d < n_draws; d++) {
    pf_draw_free(problem->model, draws[d]);
  }
  pf_memory_free(draws);
  pf_memory_free(information);
  return status;
}
