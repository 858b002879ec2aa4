/* Sessions of an animal made one recording, through which weights last. */
#include "core/base/memory.h"
#include "core/data/dataset.h"

#include <math.h>
#include <string.h>

static const uint32_t new_session =
    PF_STEP_NEW_SESSION | PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;

/** `to`, of n values, and `from`, of m, one behind the other; `to` is freed. NULL and the line: out
 * of memory. */
static void *joined(void *to, size_t n, const void *from, size_t m, size_t size, pf_error *error)
{
  char *all = pf_memory_need(n + m, size, error);
  if (all != NULL) {
    memcpy(all, to, n * size);
    memcpy(all + n * size, from, m * size);
    pf_memory_free(to);
  }
  return all;
}

/* Replaces an array of the recording by itself and the other's behind it. */
#define JOIN(field, width)                                                               \
  do {                                                                                   \
    void *all = joined(to->field, n * (size_t)(width), from->field, m * (size_t)(width), \
                       sizeof *to->field, error);                                        \
    if (all == NULL) {                                                                   \
      return PF_STOP;                                                                    \
    }                                                                                    \
    to->field = all;                                                                     \
  } while (0)

static pf_status check_alike(const pf_recording *to, const pf_recording *from, pf_error *error)
{
  if (to->n_input != from->n_input) {
    return pf_fail(
        error, PF_STOP, "%s has %lld inputs a step, but %s, another session of '%s', has %lld",
        from->name, (long long)from->n_input, to->name, to->animal, (long long)to->n_input);
  }
  if ((to->dt == NULL) != (from->dt == NULL)) {
    return pf_fail(error, PF_STOP,
                   "of %s and %s, sessions of '%s', one has a time axis and the other has none",
                   to->name, from->name, to->animal);
  }
  for (size_t k = 0; k < to->n_channels; k++) {
    if (pf_recording_channel(from, to->channels[k].name) == NULL) {
      return pf_fail(error, PF_STOP,
                     "%s has no channel '%s', which %s, another session of '%s', has", from->name,
                     to->channels[k].name, to->name, to->animal);
    }
  }
  for (size_t k = 0; k < to->n_targets; k++) {
    const pf_record *other = pf_recording_target(from, to->targets[k].name);
    if (other == NULL || other->n != to->targets[k].n) {
      return pf_fail(
          error, PF_STOP,
          "%s has no target '%s' of %lld columns, which %s, another session of '%s', has",
          from->name, to->targets[k].name, (long long)to->targets[k].n, to->name, to->animal);
    }
  }
  if (to->n_channels != from->n_channels || to->n_targets != from->n_targets ||
      (to->no_reward == NULL) != (from->no_reward == NULL)) {
    return pf_fail(error, PF_STOP,
                   "%s has channels or targets that %s, another session of '%s', has not",
                   from->name, to->name, to->animal);
  }
  return PF_OK;
}

/** Hours before the first step of `from`. */
static pf_status gap_before(const pf_recording *from, double gap, double *hours, pf_error *error)
{
  const double *channel = pf_recording_channel(from, "gap_hours");
  *hours = channel == NULL ? gap : channel[0];
  return *hours >= 0.0 && isfinite(*hours) ? PF_OK
                                           : pf_fail(error, PF_STOP,
                                                     "%s: gap_hours is %g at its first step, "
                                                     "expected the hours since the last session",
                                                     from->name, *hours);
}

static pf_status append(pf_recording *to, const pf_recording *from, double gap, pf_error *error)
{
  const size_t n = (size_t)to->n_steps, m = (size_t)from->n_steps;
  double hours = 0.0;
  pf_status status = check_alike(to, from, error);
  status = status == PF_OK ? gap_before(from, gap, &hours, error) : status;
  if (status != PF_OK) {
    return status;
  }
  const int64_t trial = to->trial[n - 1] + 1 - from->trial[0],
                block = to->block[n - 1] + 1 - from->block[0];
  double *gaps = pf_memory_need(n + m, sizeof *gaps, error);
  if (gaps == NULL) {
    return PF_STOP;
  }
  if (to->gap != NULL) {
    memcpy(gaps, to->gap, n * sizeof *gaps);
  }
  gaps[n] = hours;
  pf_memory_free(to->gap);
  to->gap = gaps;
  JOIN(cue, to->n_input);
  JOIN(flags, 1);
  JOIN(trial, 1);
  JOIN(block, 1);
  if (to->dt != NULL) {
    JOIN(dt, 1);
  }
  if (to->no_reward != NULL) {
    JOIN(no_reward, 1);
  }
  for (size_t k = 0; k < to->n_channels; k++) {
    const double *values = pf_recording_channel(from, to->channels[k].name);
    void *all = joined(to->channels[k].values, n, values, m, sizeof *values, error);
    if (all == NULL) {
      return PF_STOP;
    }
    to->channels[k].values = all;
  }
  for (size_t k = 0; k < to->n_targets; k++) {
    const pf_record *other = pf_recording_target(from, to->targets[k].name);
    const size_t width = (size_t)other->n;
    void *all = joined(to->targets[k].values, n * width, other->values, m * width,
                       sizeof *other->values, error);
    if (all == NULL) {
      return PF_STOP;
    }
    to->targets[k].values = all;
  }
  to->flags[n] |= new_session;
  for (size_t t = n; t < n + m; t++) {
    to->trial[t] += trial;
    to->block[t] += block;
  }
  to->n_trials += from->n_trials;
  to->longest_trial =
      from->longest_trial > to->longest_trial ? from->longest_trial : to->longest_trial;
  to->n_steps += from->n_steps;
  return PF_OK;
}

pf_status pf_dataset_chain(pf_dataset *data, double gap, pf_error *error)
{
  for (size_t i = 0; i < data->n; i++) {
    for (size_t k = i + 1; k < data->n;) {
      if (data->recordings[k].animal_index != data->recordings[i].animal_index) {
        k++;
        continue;
      }
      const pf_status status = append(&data->recordings[i], &data->recordings[k], gap, error);
      if (status != PF_OK) {
        return status;
      }
      pf_dataset_remove(data, k);
    }
    data->recordings[i].number = i;
    data->recordings[i].experiment = 0;
  }
  return PF_OK;
}
