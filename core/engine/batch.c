/* Batches: how draws enter one objective, and the objective on several threads. */
#include "core/engine/batch.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/engine/failures.h"
#include "core/engine/losses.h"
#include "core/engine/simulation.h"
#include "core/engine/sweep.h"

#include <string.h>

/** Cells that a loss observes on the fitted steps of a draw. Counts depend on targets only, so
 * observables are zeros.
 */
static pf_status count_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                             int64_t *columns, pf_error *error)
{
  const pf_loss_term *term = &model->losses[k];
  size_t steps = (size_t)draw->n_steps;
  int64_t widest = 0, n_observable[PF_LOSS_MAX_ARRAYS], n_target[PF_LOSS_MAX_ARRAYS];
  const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS];
  for (size_t o = 0; o < term->declared.observables.count; o++) {
    const pf_observable_table *table = &model->declared.observables;
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)term->observables[o]);
    const pf_population_table *units = &model->declared.populations;
    const pf_population *population =
        pf_table_at(units->items, units->stride, units->count, (size_t)info->population);
    n_observable[o] = population->n;
    widest = population->n > widest ? population->n : widest;
  }
  for (size_t i = 0; i < term->declared.targets.count; i++) {
    n_target[i] = pf_recording_target(draw->recording, term->declared.targets.items[i])->n;
    target[i] = draw->targets[k][i];
  }
  *columns = n_target[0];
  pf_real *zeros = pf_memory_need(steps * (size_t)widest, sizeof *zeros, error);
  double *log_likelihood = pf_memory_need(steps, sizeof *log_likelihood, error);
  int64_t *count = pf_memory_need(steps, sizeof *count, error);
  uint8_t *scored = pf_memory_need(steps, 1, error);
  pf_status status =
      zeros == NULL || log_likelihood == NULL || count == NULL || scored == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    for (size_t o = 0; o < term->declared.observables.count; o++) {
      observable[o] = zeros;
    }
    for (size_t t = 0; t < steps; t++) {
      scored[t] = (draw->flags[t] & PF_STEP_FIT) != 0;
    }
    const pf_parameter_table *parameters = &term->declared.parameters;
    double *theta = pf_memory_need(parameters->count, sizeof *theta, error);
    for (size_t i = 0; theta != NULL && i < parameters->count; i++) {
      theta[i] = model->parameters[term->theta0 + i].declared.initial;
    }
    const pf_loss_in in = {.size = sizeof in,
                           .n_steps = draw->n_steps,
                           .theta = theta,
                           .observable = observable,
                           .n_observable = n_observable,
                           .ld_observable = n_observable,
                           .target = target,
                           .n_target = n_target,
                           .ld_target = n_target,
                           .scored = scored};
    status = theta == NULL ? PF_STOP
                           : term->loss->plugin->loss->evaluate(term->loss->self, &in,
                                                                log_likelihood, count, error);
    pf_memory_free(theta);
  }
  *cells = 0;
  for (size_t t = 0; t < steps && status == PF_OK; t++) {
    *cells += count[t];
  }
  pf_memory_free(zeros);
  pf_memory_free(log_likelihood);
  pf_memory_free(count);
  pf_memory_free(scored);
  return status;
}

pf_status pf_batch_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                         pf_error *error)
{
  int64_t columns = 0;
  const pf_status status = count_cells(model, draw, k, cells, &columns, error);
  if (status != PF_OK) {
    pf_error_at_step(error, draw->recording->name, 0);
  }
  return status;
}

/** Scale of loss k in every draw of the batch, and what padded cells add; *observed: cells of all
 * draws. */
static pf_status normalise_loss(const pf_model *model, pf_batch *batch, size_t k, int64_t *observed,
                                pf_error *error)
{
  const pf_loss_term *term = &model->losses[k];
  int64_t pooled = 0;
  for (size_t d = 0; d < batch->n; d++) {
    const pf_draw *draw = batch->draws[d];
    int64_t cells = 0, columns = 0;
    pf_status status = count_cells(model, draw, k, &cells, &columns, error);
    if (status != PF_OK) {
      pf_error_at_step(error, draw->recording->name, 0);
      return status;
    }
    pooled += cells;
    double *scale = &batch->scale[d * model->n_losses + k];
    *scale = term->weight;
    if (model->normalise == PF_NORMALISE_PADDED) {
      double table = (double)(draw->recording->n_trials * draw->recording->longest_trial * columns);
      *scale = term->weight / table / (double)batch->n;
      batch->constant -=
          term->weight * term->declared.padded * (table - (double)cells) / table / (double)batch->n;
    }
  }
  *observed = pooled;
  for (size_t d = 0; d < batch->n && model->normalise == PF_NORMALISE_STEPS; d++) {
    batch->scale[d * model->n_losses + k] = pooled > 0 ? term->weight / (double)pooled : 0.0;
  }
  return PF_OK;
}

pf_status pf_batch_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                          pf_batch **out, pf_error *error)
{
  pf_batch *batch = pf_memory_need(1, sizeof *batch, error);
  if (batch == NULL) {
    return PF_STOP;
  }
  batch->draws = draws;
  batch->n = n;
  batch->scale = pf_memory_need(n * model->n_losses, sizeof *batch->scale, error);
  int64_t observed = 0;
  pf_status status = batch->scale == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < model->n_losses && status == PF_OK; k++) {
    int64_t cells = 0;
    status = normalise_loss(model, batch, k, &cells, error);
    observed += cells;
  }
  if (status == PF_OK && observed == 0 && model->n_losses > 0) {
    const pf_loss_term *term = &model->losses[0];
    status = pf_fail(error, PF_STOP,
                     "%s observes nothing in %s%s: every cell of '%s' is missing or not fitted",
                     term->loss->label, batch->draws[0]->recording->name,
                     batch->n > 1 ? " and the others" : "", term->declared.targets.items[0]);
  }
  if (status != PF_OK) {
    pf_batch_free(batch);
    return status;
  }
  *out = batch;
  return PF_OK;
}

void pf_batch_free(pf_batch *batch)
{
  if (batch != NULL) {
    pf_memory_free(batch->scale);
    pf_memory_free(batch);
  }
}

/** What one draw gave. */
typedef struct share {
  pf_status status;
  pf_error error;
} share;

/** One draw's part of objective and gradient. */
static pf_status evaluate_draw(const pf_model *model, const pf_batch *batch, size_t d,
                               const double *theta, pf_workspace *const *workspaces,
                               size_t n_workspaces, double *scratch, double *value,
                               double *gradient, pf_error *error)
{
  const double *scale = batch->scale + d * model->n_losses;
  double *negative = scratch;                                                   /* [n_losses] */
  pf_loss_value *values = (pf_loss_value *)(void *)(scratch + model->n_losses); /* [n_losses] */
  for (size_t k = 0; k < model->n_losses; k++) {
    negative[k] = -scale[k];
  }
  pf_status status = gradient == NULL && pf_sweep_can(model)
                         ? pf_sweep_forward(model, batch->draws[d], theta, 0, PF_STEP_FIT,
                                            workspaces, n_workspaces, values, error)
                     : gradient == NULL
                         ? pf_forward(model, batch->draws[d], theta, PF_SIMULATE_ACTIVITY_ONLY,
                                      PF_STEP_FIT, workspaces[0], values, error)
                         : pf_gradient(model, batch->draws[d], theta, negative, workspaces,
                                       n_workspaces, values, gradient, error);
  *value = 0.0;
  for (size_t k = 0; k < model->n_losses && status == PF_OK; k++) {
    *value -= scale[k] * values[k].log_likelihood;
  }
  return status;
}

/** One theta for every draw (`stride` 0), or a theta per draw. gradients: [n][n_parameters],
 * overwritten, or NULL. */
static pf_status evaluate_all(const pf_model *model, const pf_batch *batch, const double *thetas,
                              size_t stride, pf_workspace *const *workspaces, size_t n_workspaces,
                              double *value, double *gradients, pf_error *error)
{
  const size_t n_scratch = model->n_losses * (1 + sizeof(pf_loss_value) / sizeof(double));
  const size_t n_own = 1 + n_scratch, n_theta = model->n_parameters;
  double *sums = pf_memory_need(batch->n * n_own, sizeof *sums, error);
  share *shares = pf_memory_need(batch->n, sizeof *shares, error);
  pf_status status = sums == NULL || shares == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    if (gradients != NULL && n_theta > 0) {
      memset(gradients, 0, batch->n * n_theta * sizeof *gradients);
    }
    /* threads over draws, or over the blocks of one draw after the other: whichever there is more
     * of */
    const bool over_draws = n_workspaces > 1 && batch->n >= n_workspaces;
#pragma omp parallel for schedule(dynamic) num_threads((int)n_workspaces) if (over_draws)
    for (size_t d = 0; d < batch->n; d++) {
      pf_workspace *const *mine = workspaces + (over_draws ? pf_this_thread() : 0);
      double *own = sums + d * n_own;
      shares[d].error = pf_error_none();
      shares[d].status = evaluate_draw(
          model, batch, d, thetas + d * stride, mine, over_draws ? 1 : n_workspaces, own + 1, own,
          gradients == NULL ? NULL : gradients + d * n_theta, &shares[d].error);
    }
    *value = batch->constant;
  }
  for (size_t d = 0; d < batch->n && status == PF_OK; d++) {
    status = shares[d].status;
    if (status != PF_OK) {
      pf_fail_key(error, status, shares[d].error.key, "%s", shares[d].error.text);
      break;
    }
    *value += sums[d * n_own];
  }
  pf_memory_free(sums);
  pf_memory_free(shares);
  return status;
}

pf_status pf_batch_each(const pf_model *model, const pf_batch *batch, const double *thetas,
                        pf_workspace *const *workspaces, size_t n_workspaces, double *value,
                        double *gradients, pf_error *error)
{
  return evaluate_all(model, batch, thetas, model->n_parameters, workspaces, n_workspaces, value,
                      gradients, error);
}

pf_status pf_batch_objective(const pf_model *model, const pf_batch *batch, const double *theta,
                             pf_workspace *const *workspaces, size_t n_workspaces, double *value,
                             double *gradient, pf_error *error)
{
  /* every draw has its own sums, added in the order of the draws: the same bits for any number of
   * threads */
  const size_t n = model->n_parameters;
  double *gradients =
      gradient == NULL ? NULL : pf_memory_need(batch->n * n, sizeof *gradients, error);
  if (gradient != NULL && gradients == NULL) {
    return PF_STOP;
  }
  pf_status status =
      evaluate_all(model, batch, theta, 0, workspaces, n_workspaces, value, gradients, error);
  for (size_t i = 0; gradient != NULL && status == PF_OK && i < n; i++) {
    gradient[i] = 0.0;
  }
  for (size_t d = 0; gradient != NULL && status == PF_OK && d < batch->n; d++) {
    for (size_t i = 0; i < n; i++) {
      gradient[i] += gradients[d * n + i];
    }
  }
  pf_memory_free(gradients);
  return status;
}
