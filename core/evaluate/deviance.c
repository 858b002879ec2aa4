#include "core/evaluate/deviance.h"
#include "core/base/memory.h"
#include <math.h>
#include <string.h>

static bool is_likelihood(const pf_model *model, size_t k)
{
  return (model->losses[k].needs.flags & PF_LOSS_LIKELIHOOD) != 0;
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

static const char *first_target(const pf_loss_term *loss)
{
  return loss->needs.targets.count > 0 ? loss->needs.targets.items[0] : "";
}

/* ---- choices ---- */

static double choice_deviance(const pf_draw *const *draws, size_t n_draws, size_t loss)
{
  double n_fit = 0.0;
  double accepted = 0.0;
  double n[2] = {0.0, 0.0}; /* scored steps with choice 0, 1 */
  for (size_t d = 0; d < n_draws; d++) {
    const pf_real *choice = draws[d]->targets[loss][0];
    for (int64_t t = 0; t < draws[d]->n_steps; t++) {
      const double c = (double)choice[t];
      if (isnan(c)) {
        continue;
      }
      if (draws[d]->flags[t] & PF_STEP_FIT) {
        n_fit += 1.0;
        accepted += c;
      }
      if (draws[d]->flags[t] & PF_STEP_SCORE) {
        n[0] += 1.0 - c;
        n[1] += c;
      }
    }
  }
  const double p = n_fit > 0.0 ? accepted / n_fit : 0.0;
  if (!(p > 0.0 && p < 1.0)) {
    return NAN;
  }
  return -2.0 * (n[0] * log1p(-p) + n[1] * log(p));
}

/* ---- activities ---- */

/* The loss itself is asked what a constant prediction gets, so that it counts the same cells in the same way. */
static pf_status constant_error(const pf_model *model, size_t k, const pf_draw *draw, const double *mean, int64_t n,
                                const double *theta, double *sum, pf_error *error)
{
  const pf_loss_term *loss = &model->losses[k];
  const int64_t n_steps = draw->n_steps;
  pf_real *constant = pf_memory_need((size_t)n_steps * (size_t)n, sizeof *constant, error);
  double *value = pf_memory_need((size_t)n_steps, sizeof *value, error);
  int64_t *count = pf_memory_need((size_t)n_steps, sizeof *count, error);
  uint8_t *scored = pf_memory_need((size_t)n_steps, sizeof *scored, error);
  pf_status status = PF_STOP;
  if (constant != NULL && value != NULL && count != NULL && scored != NULL) {
    for (int64_t t = 0; t < n_steps; t++) {
      scored[t] = (draw->flags[t] & PF_STEP_SCORE) != 0;
      for (int64_t i = 0; i < n; i++) {
        constant[t * n + i] = (pf_real)mean[i];
      }
    }
    const pf_real *const observable[1] = {constant};
    const pf_real *const target[1] = {draw->targets[k][0]};
    const pf_loss_in in = {.size = sizeof in,
                           .n_steps = n_steps,
                           .theta = theta + loss->theta0,
                           .observable = observable,
                           .n_observable = &n,
                           .ld_observable = &n,
                           .target = target,
                           .n_target = &n,
                           .ld_target = &n,
                           .scored = scored};
    status = loss->loss->plugin->loss->evaluate(loss->loss->self, &in, value, count, error);
    for (int64_t t = 0; status == PF_OK && t < n_steps; t++) {
      *sum += deviance_of(model, k, value[t]);
    }
  }
  pf_memory_free(constant);
  pf_memory_free(value);
  pf_memory_free(count);
  pf_memory_free(scored);
  return status;
}

static void unit_means(const pf_draw *const *draws, size_t n_draws, size_t loss, int64_t n, double *mean)
{
  for (int64_t i = 0; i < n; i++) {
    double sum = 0.0;
    double count = 0.0;
    for (size_t d = 0; d < n_draws; d++) {
      const pf_real *target = draws[d]->targets[loss][0];
      for (int64_t t = 0; t < draws[d]->n_steps; t++) {
        const double value = (double)target[t * n + i];
        if ((draws[d]->flags[t] & PF_STEP_FIT) && !isnan(value)) {
          sum += value;
          count += 1.0;
        }
      }
    }
    mean[i] = count > 0.0 ? sum / count : 0.0; /* a unit that was never recorded is not counted by the loss either */
  }
}

/* Columns of a loss's observable and of its target; -1 unless it has one of each and they agree. */
static int64_t columns_of(const pf_model *model, size_t k, const pf_draw *draw)
{
  const pf_loss_term *loss = &model->losses[k];
  if (loss->needs.observables.count != 1 || loss->needs.targets.count != 1) {
    return -1;
  }
  const pf_observable *observable = pf_table_at(model->needs.observables.items, model->needs.observables.stride,
                                                model->needs.observables.count, (size_t)loss->observables[0]);
  const pf_record *record = pf_recording_target(draw->recording, first_target(loss));
  if (observable == NULL || record == NULL) {
    return -1;
  }
  const pf_population *population = pf_table_at(model->needs.populations.items, model->needs.populations.stride,
                                                model->needs.populations.count, (size_t)observable->population);
  return population != NULL && population->n == record->n ? record->n : -1;
}

static pf_status activity_deviance(const pf_model *model, size_t k, const pf_draw *const *draws, size_t n_draws,
                                   const double *theta, double *deviance, pf_error *error)
{
  const int64_t n = columns_of(model, k, draws[0]);
  for (size_t d = 1; d < n_draws; d++) {
    if (columns_of(model, k, draws[d]) != n) {
      *deviance = NAN;
      return PF_OK;
    }
  }
  if (n < 0) {
    *deviance = NAN;
    return PF_OK;
  }
  double *mean = pf_memory_need((size_t)n, sizeof *mean, error);
  if (mean == NULL) {
    return PF_STOP;
  }
  unit_means(draws, n_draws, k, n, mean);
  *deviance = 0.0;
  pf_status status = PF_OK;
  for (size_t d = 0; status == PF_OK && d < n_draws; d++) {
    status = constant_error(model, k, draws[d], mean, n, theta, deviance, error);
  }
  pf_memory_free(mean);
  return status;
}

pf_status pf_deviance_mean_rate(const pf_model *model, const pf_draw *const *draws, size_t n_draws, const double *theta,
                                double *deviance, pf_error *error)
{
  double sum = 0.0;
  *deviance = NAN;
  for (size_t k = 0; n_draws > 0 && k < model->n_losses; k++) {
    if (!pf_deviance_counts(model, k)) {
      continue;
    }
    double one = NAN;
    if (strcmp(first_target(&model->losses[k]), "choice") == 0) {
      one = choice_deviance(draws, n_draws, k);
    } else if (!is_likelihood(model, k)) {
      const pf_status status = activity_deviance(model, k, draws, n_draws, theta, &one, error);
      if (status != PF_OK) {
        return status;
      }
    }
    sum += one; /* NaN stays NaN: a null for half of the losses is none */
  }
  *deviance = sum;
  return PF_OK;
}
