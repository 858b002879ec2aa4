#include "core/engine/batch.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/engine/simulation.h"
#include "core/model/normalisation.h"
#include "core/state/failures.h"
#include "core/state/losses.h"

#include <string.h>

/* ---- how each draw enters ---- */

/** The widest observable of a loss, and the columns of each. */
static int64_t observable_columns(const pf_model *model, const pf_loss_term *term, int64_t *columns)
{
  int64_t widest = 0;
  for (size_t o = 0; o < term->declared.observables.count; o++) {
    columns[o] = model->populations[model->observables[term->observables[o]].population].n;
    widest = columns[o] > widest ? columns[o] : widest;
  }
  return widest;
}

static int64_t target_columns(const pf_draw *draw, const pf_loss_term *term, size_t i)
{
  return pf_recording_target(draw->recording, term->declared.targets.items[i])->n;
}

/** The loss refused a step of `all`: put the first one, with its line, into the error. */
static void tell_first_step(const pf_loss_term *term, pf_loss_in all, const pf_recording *recording,
                            pf_error *error)
{
  const int64_t n_steps = all.n_steps;
  double log_likelihood = 0.0;
  int64_t count = 0;
  const pf_real *target[PF_LOSS_MAX_ARRAYS];
  memcpy(target, all.target, term->declared.targets.count * sizeof *target);
  all.target = target;
  all.n_steps = 1;
  for (int64_t t = 0; t < n_steps; t++) {
    pf_error own = pf_error_none();
    if (term->loss->plugin->loss->evaluate(term->loss->self, &all, &log_likelihood, &count, &own) !=
        PF_OK) {
      char line[64] = "";
      if (recording->line != NULL) {
        (void)snprintf(line, sizeof line, "line %lld: ", (long long)recording->line[t]);
      }
      (void)snprintf(error->text, sizeof error->text, "%s%.900s", line, own.text);
      pf_error_at_step(error, recording->name, t);
      return;
    }
    for (size_t k = 0; k < term->declared.targets.count; k++) {
      target[k] += all.ld_target[k];
    }
    all.scored++;
  }
}

/** What a loss is given where only its targets matter: observables are zeros. */
typedef struct targets_alone {
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], n_target[PF_LOSS_MAX_ARRAYS];
  const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS];
  pf_real *zeros;
  uint8_t *scored;
  double *theta;
} targets_alone;

static void free_targets_alone(targets_alone *of)
{
  pf_memory_free(of->zeros);
  pf_memory_free(of->scored);
  pf_memory_free(of->theta);
}

static pf_status make_targets_alone(const pf_model *model, const pf_draw *draw, size_t k,
                                    targets_alone *of, pf_error *error)
{
  const pf_loss_term *term = &model->losses[k];
  const size_t n_steps = (size_t)draw->n_steps, n_theta = term->declared.parameters.count;
  const int64_t widest = observable_columns(model, term, of->n_observable);
  of->zeros = pf_memory_need(n_steps * (size_t)widest, sizeof *of->zeros, error);
  of->scored = pf_memory_need(n_steps, 1, error);
  of->theta = pf_memory_need(n_theta, sizeof *of->theta, error);
  if (of->zeros == NULL || of->scored == NULL || of->theta == NULL) {
    return PF_STOP;
  }
  for (size_t o = 0; o < term->declared.observables.count; o++) {
    of->observable[o] = of->zeros;
  }
  for (size_t i = 0; i < term->declared.targets.count; i++) {
    of->n_target[i] = target_columns(draw, term, i);
    of->target[i] = draw->targets[k][i];
  }
  for (size_t t = 0; t < n_steps; t++) {
    of->scored[t] = (draw->flags[t] & PF_STEP_FIT) != 0;
  }
  for (size_t i = 0; i < n_theta; i++) {
    of->theta[i] = model->parameters[term->theta0 + i].declared.initial;
  }
  return PF_OK;
}

/** Cells that the loss observes: they depend on its targets alone. */
static pf_status count_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                             pf_error *error)
{
  const pf_loss_term *term = &model->losses[k];
  const size_t n_steps = (size_t)draw->n_steps;
  targets_alone of = {.zeros = NULL};
  double *log_likelihood = pf_memory_need(n_steps, sizeof *log_likelihood, error);
  int64_t *count = pf_memory_need(n_steps, sizeof *count, error);
  pf_status status = make_targets_alone(model, draw, k, &of, error);
  if (log_likelihood == NULL || count == NULL || status != PF_OK) {
    status = PF_STOP;
    goto done;
  }
  const pf_loss_in in = {.size = sizeof in,
                         .n_steps = draw->n_steps,
                         .theta = of.theta,
                         .observable = of.observable,
                         .n_observable = of.n_observable,
                         .ld_observable = of.n_observable,
                         .target = of.target,
                         .n_target = of.n_target,
                         .ld_target = of.n_target,
                         .scored = of.scored};
  status = term->loss->plugin->loss->evaluate(term->loss->self, &in, log_likelihood, count, error);
  if (status != PF_OK) {
    tell_first_step(term, in, draw->recording, error);
    goto done;
  }
  *cells = 0;
  for (size_t t = 0; t < n_steps; t++) {
    *cells += count[t];
  }
done:
  free_targets_alone(&of);
  pf_memory_free(log_likelihood);
  pf_memory_free(count);
  return status;
}

pf_status pf_batch_cells(const pf_model *model, const pf_draw *draw, size_t k, int64_t *cells,
                         pf_error *error)
{
  const pf_status status = count_cells(model, draw, k, cells, error);
  if (status != PF_OK) {
    pf_error_at_step(error, draw->recording->name, 0);
  }
  return status;
}

/** Scale of loss k in every draw; *observed: += cells of all draws. `shares`: scratch [n]. */
static pf_status weigh_loss(pf_batch *batch, size_t k, pf_draw_share *shares, int64_t *observed,
                            pf_error *error)
{
  const pf_model *model = batch->model;
  const pf_loss_term *term = &model->losses[k];
  for (size_t d = 0; d < batch->n; d++) {
    const pf_recording *recording = batch->draws[d]->recording;
    const pf_status status = pf_batch_cells(model, batch->draws[d], k, &shares[d].observed, error);
    if (status != PF_OK) {
      return status;
    }
    *observed += shares[d].observed;
    batch->cells[k] += (double)shares[d].observed;
    shares[d].table =
        recording->n_trials * recording->longest_trial * target_columns(batch->draws[d], term, 0);
  }
  const pf_loss_weight weight = {term->weight, term->declared.padded};
  model->normalisation->weigh(weight, shares, batch->n, &batch->constant);
  for (size_t d = 0; d < batch->n; d++) {
    batch->scale[d * model->n_losses + k] = shares[d].scale;
  }
  return PF_OK;
}

static pf_status weigh_losses(pf_batch *batch, pf_error *error)
{
  const pf_model *model = batch->model;
  int64_t observed = 0;
  pf_draw_share *shares = pf_memory_need(batch->n, sizeof *shares, error);
  batch->scale = pf_memory_need(batch->n * model->n_losses, sizeof *batch->scale, error);
  batch->cells = pf_memory_need(model->n_losses, sizeof *batch->cells, error);
  pf_status status =
      shares == NULL || batch->scale == NULL || batch->cells == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < model->n_losses; k++) {
    if (status != PF_OK) {
      break;
    }
    status = weigh_loss(batch, k, shares, &observed, error);
  }
  pf_memory_free(shares);
  if (status != PF_OK || observed > 0 || model->n_losses == 0) {
    return status;
  }
  const pf_loss_term *term = &model->losses[0];
  return pf_fail(error, PF_STOP,
                 "%s observes nothing in %s%s: every cell of '%s' is missing or not fitted",
                 term->loss->label, batch->draws[0]->recording->name,
                 batch->n > 1 ? " and the others" : "", term->declared.targets.items[0]);
}

pf_status pf_batch_create(const pf_model *model, const pf_draw *const *draws, size_t n,
                          pf_batch **out, pf_error *error)
{
  pf_batch *batch = pf_memory_need(1, sizeof *batch, error);
  if (batch == NULL) {
    return PF_STOP;
  }
  *batch = (pf_batch){.model = model, .draws = draws, .n = n};
  const pf_status status = weigh_losses(batch, error);
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
    pf_memory_free(batch->cells);
    pf_memory_free(batch);
  }
}

/* ---- the objective ---- */

/** One draw's part of the objective. */
typedef struct draw_part {
  double value;
  double *negative;      /* [n_losses] minus its scale */
  pf_loss_value *values; /* [n_losses] */
  pf_status status;
  pf_error error;
} draw_part;

/** gradient: [n_parameters], 0 before; NULL: not wanted. */
static pf_status evaluate_draw(const pf_batch *batch, size_t d, const pf_simulation *simulation,
                               draw_part *part, double *gradient)
{
  const size_t n_losses = batch->model->n_losses;
  const double *scale = batch->scale + d * n_losses;
  pf_status status = PF_OK;
  part->error = pf_error_none();
  if (gradient == NULL) {
    status =
        pf_forward(simulation, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, part->values, &part->error);
  } else {
    for (size_t k = 0; k < n_losses; k++) {
      part->negative[k] = -scale[k];
    }
    status = pf_gradient(simulation, part->negative, part->values, gradient, &part->error);
  }
  if (status != PF_OK) {
    return status;
  }
  part->value = 0.0;
  for (size_t k = 0; k < n_losses; k++) {
    part->value -= scale[k] * part->values[k].log_likelihood;
  }
  return PF_OK;
}

/** Where the draws' thetas and gradients lie. */
typedef struct all_draws {
  const double *thetas;
  size_t stride;     /* of thetas; 0: one theta for every draw */
  double *gradients; /* [n][n_parameters], overwritten, or NULL */
  double *values;    /* [n] minus what each adds to the objective, or NULL */
} all_draws;

static void evaluate_parts(const pf_batch *batch, const all_draws *all, pf_workspaces workspaces,
                           draw_part *parts)
{
  const size_t n_theta = batch->model->n_parameters;
  /* threads over draws, or over the blocks of one draw after the other: whichever there is more of
   */
  const bool over_draws = workspaces.n > 1 && batch->n >= workspaces.n;
#pragma omp parallel for schedule(dynamic) num_threads((int)workspaces.n) if (over_draws)
  for (size_t d = 0; d < batch->n; d++) {
    pf_simulation simulation = {.model = batch->model,
                                .draw = batch->draws[d],
                                .theta = all->thetas + d * all->stride,
                                .workspaces = workspaces};
    if (over_draws) {
      simulation.workspaces = (pf_workspaces){workspaces.items + pf_this_thread(), 1};
    }
    double *gradient = all->gradients == NULL ? NULL : all->gradients + d * n_theta;
    parts[d].status = evaluate_draw(batch, d, &simulation, &parts[d], gradient);
  }
}

static pf_status evaluate_all(const pf_batch *batch, const all_draws *all, pf_workspaces workspaces,
                              double *value, pf_error *error)
{
  const size_t n_losses = batch->model->n_losses, n_theta = batch->model->n_parameters;
  pf_status status = PF_STOP;
  draw_part *parts = pf_memory_need(batch->n, sizeof *parts, error);
  double *negative = pf_memory_need(batch->n * n_losses, sizeof *negative, error);
  pf_loss_value *values = pf_memory_need(batch->n * n_losses, sizeof *values, error);
  if (parts == NULL || negative == NULL || values == NULL) {
    goto done;
  }
  for (size_t d = 0; d < batch->n; d++) {
    parts[d].negative = negative + d * n_losses;
    parts[d].values = values + d * n_losses;
  }
  if (all->gradients != NULL && n_theta > 0) {
    memset(all->gradients, 0, batch->n * n_theta * sizeof *all->gradients);
  }
  evaluate_parts(batch, all, workspaces, parts);
  *value = batch->constant;
  for (size_t d = 0; d < batch->n;
       d++) { /* the first draw's error, whichever thread met one first */
    status = parts[d].status;
    if (status != PF_OK) {
      (void)pf_fail_key(error, status, parts[d].error.key, "%s", parts[d].error.text);
      goto done;
    }
    *value += parts[d].value;
    if (all->values != NULL) {
      all->values[d] = -parts[d].value;
    }
  }
  status = PF_OK;
done:
  pf_memory_free(parts);
  pf_memory_free(negative);
  pf_memory_free(values);
  return status;
}

pf_status pf_batch_each(const pf_batch *batch, const double *thetas, pf_workspaces workspaces,
                        double *value, double *gradients, pf_error *error)
{
  const all_draws all = {thetas, batch->model->n_parameters, gradients, NULL};
  return evaluate_all(batch, &all, workspaces, value, error);
}

pf_status pf_batch_each_value(const pf_batch *batch, const double *thetas, pf_workspaces workspaces,
                              double *values, double *gradients, pf_error *error)
{
  const all_draws all = {thetas, batch->model->n_parameters, gradients, values};
  double sum = 0.0;
  return evaluate_all(batch, &all, workspaces, &sum, error);
}

pf_status pf_batch_objective(const pf_batch *batch, const double *theta, pf_workspaces workspaces,
                             double *value, double *gradient, pf_error *error)
{
  const size_t n = batch->model->n_parameters;
  all_draws all = {.thetas = theta};
  if (gradient == NULL) {
    return evaluate_all(batch, &all, workspaces, value, error);
  }
  /* every draw has its own sums, added in the order of the draws: the same bits for any number of
   * threads */
  all.gradients = pf_memory_need(batch->n * n, sizeof *all.gradients, error);
  if (all.gradients == NULL) {
    return PF_STOP;
  }
  const pf_status status = evaluate_all(batch, &all, workspaces, value, error);
  if (status == PF_OK) {
    memset(gradient, 0, n * sizeof *gradient);
    for (size_t d = 0; d < batch->n; d++) {
      for (size_t i = 0; i < n; i++) {
        gradient[i] += all.gradients[d * n + i];
      }
    }
  }
  pf_memory_free(all.gradients);
  return status;
}
