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

double pf_deviance_explained(double null, double model, double saturated)
{
  const double rounding = 1e-6 * (fabs(null) + fabs(saturated));
  const bool is_bounded = null > saturated && model >= saturated - rounding;
  return is_bounded ? 100.0 * (null - model) / (null - saturated) : NAN;
}

/* A loss, memory for its targets of some draws, and what is summed over them. */
typedef struct target_room {
  const pf_model *model;
  size_t k; /* of the loss */
  int64_t *n_target;
  uint8_t *scored;
  double *value;     /* [longest] */
  double *null_sums; /* what the null knows of the fitted steps; NULL: nothing yet */
} target_room;

/** A range of all steps of a draw, those with `flag` counting; nothing but targets. */
static pf_loss_in targets_of(const target_room *room, const pf_draw *draw, uint32_t flag)
{
  for (int64_t t = 0; t < draw->n_steps; t++) {
    room->scored[t] = (draw->flags[t] & flag) != 0;
  }
  const pf_names *names = &room->model->losses[room->k].declared.targets;
  for (size_t i = 0; i < names->count; i++) {
    room->n_target[i] = pf_recording_target(draw->recording, names->items[i])->n;
  }
  return (pf_loss_in){.size = sizeof(pf_loss_in),
                      .n_steps = draw->n_steps,
                      .target = (const pf_real *const *)draw->targets[room->k],
                      .n_target = room->n_target,
                      .ld_target = room->n_target,
                      .scored = room->scored};
}

static pf_status make_room(const pf_draw *const *draws, size_t n_draws, target_room *out,
                           pf_error *error)
{
  const pf_loss_term *loss = &out->model->losses[out->k];
  int64_t longest = 0;
  for (size_t d = 0; d < n_draws; d++) {
    longest = draws[d]->n_steps > longest ? draws[d]->n_steps : longest;
  }
  out->n_target = pf_memory_need(loss->declared.targets.count, sizeof *out->n_target, error);
  out->scored = pf_memory_need((size_t)longest, sizeof *out->scored, error);
  out->value = pf_memory_need((size_t)longest, sizeof *out->value, error);
  return out->n_target == NULL || out->scored == NULL || out->value == NULL ? PF_STOP : PF_OK;
}

static void free_room(target_room *room)
{
  pf_memory_free(room->n_target);
  pf_memory_free(room->scored);
  pf_memory_free(room->value);
  pf_memory_free(room->null_sums);
}

/* What the null needs to know of the fitted steps. *columns: of the target; NaN in *deviance where
 * recordings have other widths, so that no column has one mean. */
static pf_status accumulate_null(const pf_draw *const *draws, size_t n_draws, target_room *room,
                                 double *deviance, pf_error *error)
{
  const pf_loss_term *loss = &room->model->losses[room->k];
  int64_t columns = 0;
  for (size_t d = 0; d < n_draws; d++) {
    const pf_loss_in in = targets_of(room, draws[d], PF_STEP_FIT);
    if (room->null_sums == NULL) {
      columns = room->n_target[0];
      room->null_sums = pf_memory_need((size_t)(columns * loss->declared.n_null_sums),
                                       sizeof *room->null_sums, error);
      if (room->null_sums == NULL) {
        return PF_STOP;
      }
    }
    if (columns != room->n_target[0]) {
      *deviance = NAN;
      return PF_OK;
    }
    const pf_status status =
        loss->loss->plugin->loss->null_accumulate(loss->loss->self, &in, room->null_sums, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status constant_deviance(const pf_model *model, size_t k, const pf_draw *const *draws,
                                   size_t n_draws, double *deviance, pf_error *error)
{
  const pf_loss_term *loss = &model->losses[k];
  target_room room = {.model = model, .k = k};
  pf_status status = make_room(draws, n_draws, &room, error);
  if (status != PF_OK) {
    goto done;
  }
  status = accumulate_null(draws, n_draws, &room, deviance, error);
  if (status != PF_OK || isnan(*deviance)) {
    goto done;
  }
  for (size_t d = 0; d < n_draws && !isnan(*deviance); d++) {
    const pf_loss_in in = targets_of(&room, draws[d], PF_STEP_SCORE);
    status = loss->loss->plugin->loss->null_evaluate(loss->loss->self, &in, room.null_sums,
                                                     room.value, error);
    if (status != PF_OK) {
      goto done;
    }
    for (int64_t t = 0; t < in.n_steps; t++) {
      *deviance += deviance_of(model, k, room.value[t]);
    }
  }
done:
  free_room(&room);
  return status;
}

static pf_status add_saturated(const pf_model *model, size_t k, const pf_draw *draw,
                               double *deviance, pf_error *error)
{
  const pf_component *loss = model->losses[k].loss;
  target_room room = {.model = model, .k = k};
  pf_status status = make_room(&draw, 1, &room, error);
  if (status != PF_OK) {
    goto done;
  }
  const pf_loss_in in = targets_of(&room, draw, PF_STEP_SCORE);
  status = loss->plugin->loss->saturate(loss->self, &in, room.value, error);
  if (status != PF_OK) {
    goto done;
  }
  for (int64_t t = 0; t < in.n_steps; t++) {
    *deviance += deviance_of(model, k, room.value[t]);
  }
done:
  free_room(&room);
  return status;
}

pf_status pf_deviance_saturated(const pf_model *model, const pf_draw *draw, double *deviance,
                                pf_error *error)
{
  *deviance = 0.0;
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_ops *ops = model->losses[k].loss->plugin->loss;
    if (!pf_deviance_counts(model, k) || !PF_HAS(ops, pf_loss_ops, saturate) ||
        ops->saturate == NULL) {
      continue;
    }
    const pf_status status = add_saturated(model, k, draw, deviance, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
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
