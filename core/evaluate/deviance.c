#include "core/evaluate/deviance.h"
#include "core/base/memory.h"
#include <math.h>

static bool is_likelihood(const pf_model *model, size_t k)
{
  return (model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) != 0;
}

bool pf_deviance_has_likelihood(const pf_model *model)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    if (is_likelihood(model, k)) {
      return true;
    }
  }
  return false;
}

bool pf_deviance_counts(const pf_model *model, size_t k)
{
  return is_likelihood(model, k) || !pf_deviance_has_likelihood(model);
}

/* A loss that is no likelihood returns minus its squared errors. */
static double deviance_of(const pf_model *model, size_t k, double log_likelihood)
{
  return (is_likelihood(model, k) ? -2.0 : -1.0) * log_likelihood;
}

double pf_deviance(const pf_model *model, const pf_loss_value *values, int64_t *n)
{
  double sum = 0.0;
  *n = 0;
  for (size_t k = 0; k < model->n_losses; k++) {
    if (pf_deviance_counts(model, k)) {
      sum += deviance_of(model, k, values[k].log_likelihood);
      *n += values[k].count;
    }
  }
  return sum;
}

double pf_deviance_explained(double null, double model)
{
  return null > 0.0 ? 100.0 * (null - model) / null : NAN;
}

/** A range of all steps of a draw, those with `flag` counting; nothing but targets. */
static pf_loss_in targets_of(const pf_model *model, size_t k, const pf_draw *draw, uint32_t flag,
                             uint8_t *scored, int64_t *n_target)
{
  for (int64_t t = 0; t < draw->n_steps; t++) {
    scored[t] = (draw->flags[t] & flag) != 0;
  }
  const pf_names *names = &model->losses[k].declared.targets;
  for (size_t i = 0; i < names->count; i++) {
    n_target[i] = pf_recording_target(draw->recording, names->items[i])->n;
  }
  return (pf_loss_in){.size = sizeof(pf_loss_in),
                      .n_steps = draw->n_steps,
                      .target = (const pf_real *const *)draw->targets[k],
                      .n_target = n_target,
                      .ld_target = n_target,
                      .scored = scored};
}

static pf_status constant_deviance(const pf_model *model, size_t k, const pf_draw *const *draws,
                                   size_t n_draws, double *deviance, pf_error *error)
{
  const pf_loss_term *loss = &model->losses[k];
  const pf_loss_ops *ops = loss->loss->plugin->loss;
  const size_t n_targets = loss->declared.targets.count;
  int64_t longest = 0;
  for (size_t d = 0; d < n_draws; d++) {
    longest = draws[d]->n_steps > longest ? draws[d]->n_steps : longest;
  }
  int64_t *n_target = pf_memory_need(n_targets, sizeof *n_target, error);
  uint8_t *scored = pf_memory_need((size_t)longest, sizeof *scored, error);
  double *value = pf_memory_need((size_t)longest, sizeof *value, error);
  double *null_sums = NULL;
  pf_status status = n_target == NULL || scored == NULL || value == NULL ? PF_STOP : PF_OK;
  int64_t columns = 0;
  for (size_t d = 0; status == PF_OK && d < n_draws; d++) {
    const pf_loss_in in = targets_of(model, k, draws[d], PF_STEP_FIT, scored, n_target);
    if (null_sums == NULL) {
      columns = n_target[0];
      null_sums =
          pf_memory_need((size_t)(columns * loss->declared.n_null_sums), sizeof *null_sums, error);
    }
    if (columns != n_target[0]) {
      *deviance = NAN; /* recordings of other widths: no column has one mean */
      break;
    }
    status =
        null_sums == NULL ? PF_STOP : ops->null_accumulate(loss->loss->self, &in, null_sums, error);
  }
  for (size_t d = 0; status == PF_OK && d < n_draws && !isnan(*deviance); d++) {
    const pf_loss_in in = targets_of(model, k, draws[d], PF_STEP_SCORE, scored, n_target);
    status = ops->null_evaluate(loss->loss->self, &in, null_sums, value, error);
    for (int64_t t = 0; status == PF_OK && t < in.n_steps; t++) {
      *deviance += deviance_of(model, k, value[t]);
    }
  }
  pf_memory_free(n_target);
  pf_memory_free(scored);
  pf_memory_free(value);
  pf_memory_free(null_sums);
  return status;
}

pf_status pf_deviance_mean_rate(const pf_model *model, const pf_draw *const *draws, size_t n_draws,
                                double *deviance, pf_error *error)
{
  double sum = 0.0;
  *deviance = NAN;
  for (size_t k = 0; n_draws > 0 && k < model->n_losses; k++) {
    if (!pf_deviance_counts(model, k)) {
      continue;
    }
    double one = NAN;
    const pf_loss_ops *ops = model->losses[k].loss->plugin->loss;
    if (PF_HAS(ops, pf_loss_ops, null_evaluate) && ops->null_evaluate != NULL &&
        ops->null_accumulate != NULL) {
      one = 0.0;
      const pf_status status = constant_deviance(model, k, draws, n_draws, &one, error);
      if (status != PF_OK) {
        return status;
      }
    }
    sum += one; /* NaN stays NaN: a null for half of the losses is none */
  }
  *deviance = sum;
  return PF_OK;
}
