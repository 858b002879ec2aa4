#include "core/data/chain.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/** `to`, of n values, and `from`, of m, one behind the other; `to` is freed. NULL and the line: out
 * of memory. */
static void *join_values(void *to, size_t n, const void *from, size_t m, size_t size,
                         pf_error *error)
{
  char *all = pf_memory_need(n + m, size, error);
  if (all != NULL) {
    memcpy(all, to, n * size);
    memcpy(all + n * size, from, m * size);
    pf_memory_free(to);
  }
  return all;
}

/** The same of a channel, whose values may lie in what the recording keeps in one piece. */
static pf_status join_channel(const pf_recording *to, pf_series *channel, size_t n,
                              const double *from, size_t m, pf_error *error)
{
  double *all = pf_memory_need(n + m, sizeof *all, error);
  if (all == NULL) {
    return PF_STOP;
  }
  memcpy(all, channel->values, n * sizeof *all);
  memcpy(all + n, from, m * sizeof *all);
  pf_recording_release(to, channel->values);
  channel->values = all;
  return PF_OK;
}

/* Replaces `to`, of n rows, by itself and the m rows of `from` behind it. */
#define JOIN(to, from, width)                                                       \
  do {                                                                              \
    const size_t width_ = (size_t)(width);                                          \
    void *all = join_values(to, n * width_, from, m * width_, sizeof *(to), error); \
    if (all == NULL) {                                                              \
      return PF_STOP;                                                               \
    }                                                                               \
    (to) = all;                                                                     \
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
static pf_status read_gap(const pf_recording *from, double gap, double *hours, pf_error *error)
{
  const double *channel = pf_recording_channel(from, "gap_hours");
  *hours = channel == NULL ? gap : channel[0];
  if (*hours >= 0.0 && isfinite(*hours)) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%s: gap_hours is %g at its first step, expected the hours since the last session",
                 from->name, *hours);
}

static pf_status join_gaps(pf_recording *to, size_t n, size_t m, double hours, pf_error *error)
{
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
  return PF_OK;
}

/** Sds of cues that were not recorded; of a session without any they are 0. */
static pf_status join_cue_sds(pf_recording *to, size_t n, const pf_recording *from, size_t m,
                              pf_error *error)
{
  const size_t width = (size_t)to->n_input;
  if (to->cue_sd == NULL && from->cue_sd == NULL) {
    return PF_OK;
  }
  double *all = pf_memory_need((n + m) * width, sizeof *all, error);
  if (all == NULL) {
    return PF_STOP;
  }
  if (to->cue_sd != NULL) {
    memcpy(all, to->cue_sd, n * width * sizeof *all);
  }
  if (from->cue_sd != NULL) {
    memcpy(all + n * width, from->cue_sd, m * width * sizeof *all);
  }
  pf_memory_free(to->cue_sd);
  to->cue_sd = all;
  return PF_OK;
}

static pf_status join_steps(pf_recording *to, size_t n, const pf_recording *from, size_t m,
                            pf_error *error)
{
  if (join_cue_sds(to, n, from, m, error) != PF_OK) {
    return PF_STOP;
  }
  JOIN(to->cue, from->cue, to->n_input);
  JOIN(to->flags, from->flags, 1);
  JOIN(to->trial, from->trial, 1);
  JOIN(to->block, from->block, 1);
  if (to->line != NULL && from->line != NULL) {
    JOIN(to->line, from->line, 1);
  } else {
    pf_memory_free(to->line);
    to->line = NULL;
  }
  if (to->dt != NULL) {
    JOIN(to->dt, from->dt, 1);
  }
  if (to->no_reward != NULL) {
    JOIN(to->no_reward, from->no_reward, 1);
  }
  for (size_t k = 0; k < to->n_channels; k++) {
    const double *more = pf_recording_channel(from, to->channels[k].name);
    if (join_channel(to, &to->channels[k], n, more, m, error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < to->n_targets; k++) {
    const pf_record *other = pf_recording_target(from, to->targets[k].name);
    JOIN(to->targets[k].values, other->values, other->n);
  }
  return PF_OK;
}

static pf_status append_session(pf_recording *to, const pf_recording *from, double gap,
                                pf_error *error)
{
  const size_t n = (size_t)to->n_steps, m = (size_t)from->n_steps;
  double hours = 0.0;
  if (check_alike(to, from, error) != PF_OK || read_gap(from, gap, &hours, error) != PF_OK) {
    return PF_STOP;
  }
  const int64_t trial = to->trial[n - 1] + 1 - from->trial[0],
                block = to->block[n - 1] + 1 - from->block[0];
  if (join_gaps(to, n, m, hours, error) != PF_OK || join_steps(to, n, from, m, error) != PF_OK) {
    return PF_STOP;
  }
  to->flags[n] |= PF_STEP_NEW_SESSION | PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;
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

/** Everything behind the first recording of each animal, to that one. */
static pf_status join_sessions(pf_dataset *data, double gap, bool *joined, pf_error *error)
{
  for (size_t a = 0; a < data->n_animals; a++) {
    const size_t first = pf_dataset_first(data, a);
    for (size_t k = pf_dataset_next(data, first); k < data->n; k = pf_dataset_next(data, k)) {
      const pf_status status =
          append_session(&data->recordings[first], &data->recordings[k], gap, error);
      if (status != PF_OK) {
        return status;
      }
      joined[k] = true;
    }
  }
  return PF_OK;
}

pf_status pf_dataset_chain(pf_dataset *data, double gap, pf_error *error)
{
  bool *joined = pf_memory_need(data->n, sizeof *joined, error);
  if (joined == NULL) {
    return PF_STOP;
  }
  pf_status status = join_sessions(data, gap, joined, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_dataset_remove(data, joined, error);
  for (size_t i = 0; i < data->n; i++) {
    data->recordings[i].number = i;
    data->recordings[i].experiment = 0;
  }
done:
  pf_memory_free(joined);
  return status;
}
