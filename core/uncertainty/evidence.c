#include "core/uncertainty/evidence.h"

#include "core/base/memory.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Residuals that are this share of what was recorded are rounding errors. */
static const double rounding =
    sizeof(pf_real) == sizeof(double) ? 1e3 * DBL_EPSILON : 1e2 * FLT_EPSILON;

static bool is_likelihood(const pf_model *model, size_t k)
{
  return (model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) != 0;
}

/** The batch's objective becomes minus the sum over losses of factor[k] LL_k, draws averaged. */
static void set_scale(const pf_model *model, pf_batch *batch, const double *factor, size_t n_draws)
{
  for (size_t d = 0; d < batch->n; d++) {
    for (size_t k = 0; k < model->n_losses; k++) {
      batch->scale[d * model->n_losses + k] = factor[k] / (double)n_draws;
    }
  }
  batch->constant = 0.0;
}

/** counts [n_recordings][n_losses] of observed cells. */
static pf_status count_cells(const pf_model *model, const pf_evidence *e, int64_t *counts,
                             pf_error *error)
{
  for (size_t i = 0; i < e->n_recordings * model->n_losses; i++) {
    /* draw 0 of each recording comes first */
    const size_t r = i / model->n_losses, k = i % model->n_losses;
    const pf_status status =
        pf_batch_cells(model, e->batches.batches[0]->draws[r], k, &counts[i], error);
    if (status != PF_OK) {
      return status;
    }
    e->cells[k] += (double)counts[i];
  }
  return PF_OK;
}

/** Is what was fitted, with these scales, the likelihood times one number? Where nothing is
 * observed it does not matter.
 */
static bool is_proportional(const pf_model *model, const pf_evidence *e, const double *fitted,
                            const int64_t *counts)
{
  double first = NAN;
  bool same = true;
  for (size_t i = 0; i < e->n_recordings * model->n_losses; i++) {
    if (counts[i] > 0) {
      const double ratio = fitted[i] / e->factor[i % model->n_losses];
      first = isnan(first) ? ratio : first;
      same = same && fabs(ratio - first) <= 1e-9 * fabs(first);
    }
  }
  return same;
}

/** sums[k], one loss at a time: of what a batch gives only the total is to be had. */
static pf_status find_sums(const pf_model *model, const pf_fit_group *group, const double *values,
                           pf_workspaces workspaces, pf_evidence *e, pf_error *error)
{
  pf_batch *batch = e->batches.batches[0];
  double *thetas = pf_memory_need(batch->n * model->n_parameters, sizeof *thetas, error);
  double *only = pf_memory_need(model->n_losses, sizeof *only, error);
  pf_status status = PF_STOP;
  if (thetas == NULL || only == NULL) {
    goto done;
  }
  for (size_t d = 0; d < batch->n; d++) {
    pf_layout_theta(group->layout, values,
                    pf_layout_recording(group->layout, batch->draws[d]->recording),
                    thetas + d * model->n_parameters);
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    memset(only, 0, model->n_losses * sizeof *only);
    only[k] = 1.0;
    set_scale(model, batch, only, e->n_draws);
    status = pf_batch_each(batch, thetas, workspaces, &e->sums[k], NULL, error);
    if (status != PF_OK) {
      goto done;
    }
    e->sums[k] = -e->sums[k];
  }
  status = PF_OK;
done:
  pf_memory_free(thetas);
  pf_memory_free(only);
  return status;
}

void pf_evidence_determine(const pf_problem *problem, pf_evidence *e, size_t p)
{
  const pf_model *model = problem->model;
  double all = 0.0;
  e->no_sigma = NULL;
  for (size_t k = 0; k < model->n_losses; k++) {
    all += is_likelihood(model, k) ? 0.0 : e->cells[k];
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    const double freedom = all > 0.0 ? e->cells[k] * (1.0 - (double)p / all) : 0.0;
    e->variance[k] = NAN;
    e->factor[k] = 1.0;
    if (is_likelihood(model, k)) {
      continue;
    }
    if (e->cells[k] > 0.0 && freedom <= 0.0) {
      e->no_sigma = "as many numbers were fitted as recorded, so the size of the noise is unknown";
    } else if (e->cells[k] > 0.0 &&
               -e->sums[k] / e->cells[k] <= rounding * rounding *
                                                pf_draws_mean_square(model,
                                                                     e->batches.batches[0]->draws,
                                                                     e->n_recordings, k)) {
      e->no_sigma = "the fit meets every recorded number to rounding: there is no noise that "
                    "errors could come from";
    }
    e->variance[k] = freedom > 0.0 ? -e->sums[k] / freedom : (double)NAN;
    e->factor[k] = e->variance[k] > 0.0 ? 0.5 / e->variance[k] : 0.5;
  }
  set_scale(model, e->batches.batches[0], e->factor, e->n_draws);
}

static pf_status fill_evidence(const pf_problem *problem, const pf_fit_group *group,
                               const double *values, pf_workspaces workspaces, pf_evidence *e,
                               pf_error *error)
{
  const pf_model *model = problem->model;
  pf_status status = pf_group_batches_create(problem, group, true, &e->batches, error);
  if (status != PF_OK) {
    return status;
  }
  pf_batch *batch = e->batches.batches[0];
  double *fitted = pf_memory_need(batch->n * model->n_losses, sizeof *fitted, error);
  int64_t *counts = pf_memory_need(e->n_recordings * model->n_losses, sizeof *counts, error);
  e->sums = pf_memory_need(model->n_losses, sizeof *e->sums, error);
  e->cells = pf_memory_need(model->n_losses, sizeof *e->cells, error);
  e->variance = pf_memory_need(model->n_losses, sizeof *e->variance, error);
  e->factor = pf_memory_need(model->n_losses, sizeof *e->factor, error);
  if (fitted == NULL || counts == NULL || e->sums == NULL || e->cells == NULL ||
      e->variance == NULL || e->factor == NULL) {
    status = PF_STOP;
    goto done;
  }
  status = count_cells(model, e, counts, error);
  if (status != PF_OK) {
    goto done;
  }
  memcpy(fitted, batch->scale, batch->n * model->n_losses * sizeof *fitted);
  status = find_sums(model, group, values, workspaces, e, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_evidence_determine(problem, e, 0);
  e->proportional = is_proportional(model, e, fitted, counts);
done:
  pf_memory_free(fitted);
  pf_memory_free(counts);
  return status;
}

pf_status pf_evidence_create(const pf_problem *problem, const pf_fit_group *group,
                             const double *values, pf_workspaces workspaces, pf_evidence *out,
                             pf_error *error)
{
  *out = (pf_evidence){.n_recordings = group->n_recordings,
                       .n_draws = group->n_draws / group->n_recordings};
  const pf_status status = fill_evidence(problem, group, values, workspaces, out, error);
  if (status != PF_OK) {
    pf_evidence_clear(out);
  }
  return status;
}

double pf_evidence_log_likelihood(const pf_problem *problem, const pf_evidence *e)
{
  double sum = 0.0;
  for (size_t k = 0; k < problem->model->n_losses; k++) {
    sum += e->factor[k] * e->sums[k];
  }
  return sum;
}

pf_status pf_evidence_of_draws(const pf_problem *problem, const pf_evidence *like,
                               pf_draw *const *draws, size_t n_draws, pf_group_batches *out,
                               pf_error *error)
{
  *out = (pf_group_batches){.batches = pf_memory_need(1, sizeof(pf_batch *), error)};
  if (out->batches == NULL) {
    return PF_STOP;
  }
  const pf_status status = pf_batch_create(problem->model, (const pf_draw *const *)draws, n_draws,
                                           &out->batches[0], error);
  if (status != PF_OK) {
    pf_group_batches_clear(out);
    return status;
  }
  out->n = 1;
  set_scale(problem->model, out->batches[0], like->factor, n_draws / like->n_recordings);
  return PF_OK;
}

void pf_evidence_clear(pf_evidence *e)
{
  pf_group_batches_clear(&e->batches);
  pf_memory_free(e->sums);
  pf_memory_free(e->cells);
  pf_memory_free(e->variance);
  pf_memory_free(e->factor);
  *e = (pf_evidence){0};
}
