#include "core/marginal/input_sd.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* Of the sd: steps of differences. */
static const double difference_share = 0.01;

static const pf_recording *recording_of(const pf_problem *problem, const pf_fit_group *group,
                                        size_t r)
{
  return &problem->data.recordings[group->recordings[r]];
}

/* The sd of a recording's noise; 0: its inputs are known. */
static double sd_at(const pf_problem *problem, const pf_fit_group *group, size_t r,
                    const double *values)
{
  const pf_layout *layout = group->layout;
  const size_t s = pf_layout_instance(layout, r, problem->model->input_sd_theta);
  const pf_parameter_instance *instance = &layout->instances[s];
  if (problem->settings->give_inputs && recording_of(problem, group, r)->true_input != NULL) {
    return 0.0;
  }
  return instance->value == PF_LAYOUT_NONE ? layout->kept[s]
                                           : instance->factor * values[instance->value];
}

const pf_parameter_instance *pf_input_sd_instance(const pf_problem *problem,
                                                  const pf_layout *layout, size_t recording)
{
  if (!problem->model->learns_input_sd) {
    return NULL;
  }
  const pf_parameter_instance *instance =
      &layout->instances[pf_layout_instance(layout, recording, problem->model->input_sd_theta)];
  return instance->value == PF_LAYOUT_NONE ? NULL : instance;
}

pf_status pf_input_sd_create(const pf_problem *problem, const pf_fit_group *group, size_t n_draws,
                             const double *values, pf_input_sd *out, pf_error *error)
{
  const size_t n_theta = problem->model->n_parameters, n_recordings = group->n_recordings;
  *out = (pf_input_sd){0};
  if (!problem->model->learns_input_sd) {
    return PF_OK;
  }
  out->score = pf_memory_need(2 * n_draws, sizeof(double), error);
  out->cross = pf_memory_need(2 * n_draws * n_theta, sizeof(double), error);
  out->sd = pf_memory_need(3 * n_recordings + 2 * n_draws, sizeof(double), error);
  if (out->score == NULL || out->cross == NULL || out->sd == NULL) {
    return PF_STOP;
  }
  out->curvature = out->score + n_draws;
  out->gradients = out->cross + n_draws * n_theta;
  out->scratch = out->sd + n_recordings;
  for (size_t r = 0; r < n_recordings; r++) {
    out->sd[r] = sd_at(problem, group, r, values);
  }
  return PF_OK;
}

void pf_input_sd_clear(pf_input_sd *sd)
{
  pf_memory_free(sd->score);
  pf_memory_free(sd->cross);
  pf_memory_free(sd->sd);
  *sd = (pf_input_sd){0};
}

/* Inputs of a draw from one sd to another. */
static void move_draw(const pf_recording *recording, double mean, double from, double to,
                      pf_draw *draw)
{
  for (int64_t i = 0; i < recording->n_steps * recording->n_input; i++) {
    const pf_input_distribution before = pf_recording_input(recording, i, mean, from);
    const pf_input_distribution after = pf_recording_input(recording, i, mean, to);
    pf_real *x = draw->input + i / recording->n_input * draw->ld_input + i % recording->n_input;
    *x = (pf_real)(after.mean + ((double)*x - before.mean) * after.sd / before.sd);
  }
}

/* All draws, to sds `to` [n_recordings]. */
static void move_draws(const pf_problem *problem, const pf_fit_group *group, pf_draw *const *draws,
                       size_t n, const double *to, pf_input_sd *sd)
{
  const double mean = problem->settings->input.mean;
  for (size_t d = 0; d < n; d++) {
    const size_t r = d % group->n_recordings;
    if (sd->sd[r] > 0.0 && sd->sd[r] != to[r]) {
      move_draw(recording_of(problem, group, r), mean, sd->sd[r], to[r], draws[d]);
    }
  }
  memcpy(sd->sd, to, group->n_recordings * sizeof *to);
}

void pf_input_sd_move(const pf_problem *problem, const pf_fit_group *group, pf_draw *const *draws,
                      size_t n, const double *values, pf_input_sd *sd)
{
  for (size_t r = 0; r < group->n_recordings; r++) {
    sd->scratch[r] = sd_at(problem, group, r, values);
  }
  move_draws(problem, group, draws, n, sd->scratch, sd);
}

/* One side of the differences, +1 or -1, around sd [n_recordings]; at, values: room. */
static pf_status add_side(const pf_input_sd_in *in, int side, const double *sd, pf_input_sd *out,
                          pf_error *error)
{
  const size_t n = in->batch->n, n_recordings = in->group->n_recordings;
  const size_t n_theta = in->problem->model->n_parameters;
  double *at = out->scratch, *values = at + 2 * n_recordings;
  for (size_t r = 0; r < n_recordings; r++) {
    at[r] = sd[r] * (1.0 + side * difference_share);
  }
  move_draws(in->problem, in->group, in->draws, n, at, out);
  const pf_status status =
      pf_batch_each_value(in->batch, in->thetas, in->workspaces, values, out->gradients, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t d = 0; d < n && n_recordings > 0; d++) {
    const double h = difference_share * sd[d % n_recordings];
    if (h == 0.0) {
      continue;
    }
    out->score[d] += side * values[d] / (2.0 * h);
    out->curvature[d] -= (values[d] - in->base[d]) / (h * h);
    for (size_t i = 0; i < n_theta; i++) { /* gradients are of minus the log likelihood */
      out->cross[d * n_theta + i] += side * out->gradients[d * n_theta + i] / (2.0 * h);
    }
  }
  return PF_OK;
}

pf_status pf_input_sd_evaluate(const pf_input_sd_in *in, pf_input_sd *out, pf_error *error)
{
  const pf_fit_group *group = in->group;
  const size_t n = in->batch->n, n_recordings = group->n_recordings;
  const size_t n_theta = in->problem->model->n_parameters;
  double *sd = out->scratch + n_recordings;
  memcpy(sd, out->sd, n_recordings * sizeof *sd);
  memset(out->score, 0, 2 * n * sizeof *out->score);
  memset(out->cross, 0, n * n_theta * sizeof *out->cross);
  pf_status status = add_side(in, -1, sd, out, error);
  if (status == PF_OK) {
    status = add_side(in, 1, sd, out, error);
  }
  move_draws(in->problem, group, in->draws, n, sd, out);
  return status;
}

void pf_input_sd_add_curvature(const pf_problem *problem, const pf_layout *layout, size_t d,
                               const pf_input_sd *sd, double weight, double *h)
{
  const size_t n = layout->n, r = d % layout->n_recordings;
  const size_t n_theta = problem->model->n_parameters;
  const pf_parameter_instance *own = pf_input_sd_instance(problem, layout, r);
  if (own == NULL) {
    return;
  }
  for (size_t i = 0; i < n_theta; i++) {
    const pf_parameter_instance *other = &layout->instances[pf_layout_instance(layout, r, i)];
    if (other->value != PF_LAYOUT_NONE && i != problem->model->input_sd_theta) {
      const double cell = weight * own->factor * other->factor * sd->cross[d * n_theta + i];
      h[other->value * n + own->value] += cell;
      h[own->value * n + other->value] += cell;
    }
  }
  h[own->value * n + own->value] += weight * own->factor * own->factor * sd->curvature[d];
}

/* Sum of squares of a draw's noise. */
static double squares_of(const pf_recording *recording, double mean, const pf_draw *draw)
{
  double sum = 0.0;
  for (int64_t i = 0; i < recording->n_steps * recording->n_input; i++) {
    const double off =
        (double)draw->input[i / recording->n_input * draw->ld_input + i % recording->n_input] -
        mean * recording->cue[i];
    sum += off * off;
  }
  return sum;
}

void pf_input_sd_update(const pf_problem *problem, const pf_fit_group *group, size_t n_draws,
                        double *values)
{
  const pf_layout *layout = group->layout;
  for (size_t k = 0; k < layout->n; k++) {
    double sum = 0.0, n = 0.0;
    for (size_t d = 0; d < n_draws; d++) {
      const size_t r = d % group->n_recordings;
      const pf_recording *recording = recording_of(problem, group, r);
      const pf_parameter_instance *own = pf_input_sd_instance(problem, layout, r);
      if (own == NULL || own->value != k || sd_at(problem, group, r, values) == 0.0) {
        continue;
      }
      sum += squares_of(recording, problem->settings->input.mean, group->draws[d]) /
             (own->factor * own->factor);
      n += (double)(recording->n_steps * recording->n_input);
    }
    if (n > 0.0) {
      values[k] = fmin(fmax(sqrt(sum / n), layout->lower[k]), layout->upper[k]);
    }
  }
}
