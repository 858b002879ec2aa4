#include "core/data/dataset.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

static void recording_clear(pf_recording *recording)
{
  pf_memory_free(recording->animal);
  pf_memory_free(recording->session);
  pf_memory_free(recording->name);
  pf_memory_free(recording->cue);
  pf_memory_free(recording->flags);
  pf_memory_free(recording->dt);
  pf_memory_free(recording->gap);
  pf_memory_free(recording->trial);
  pf_memory_free(recording->block);
  for (size_t i = 0; i < recording->n_channels; i++) {
    pf_memory_free(recording->channels[i].name);
    pf_memory_free(recording->channels[i].values);
  }
  pf_memory_free(recording->channels);
  pf_memory_free(recording->no_reward);
  for (size_t i = 0; i < recording->n_targets; i++) {
    pf_memory_free(recording->targets[i].name);
    pf_memory_free(recording->targets[i].values);
  }
  pf_memory_free(recording->targets);
  pf_memory_free(recording->true_input);
  pf_memory_free(recording->true_noise);
  memset(recording, 0, sizeof *recording);
}

void pf_dataset_free(pf_dataset *data)
{
  for (size_t i = 0; i < data->n; i++) {
    recording_clear(&data->recordings[i]);
  }
  pf_memory_free(data->recordings);
  for (size_t i = 0; i < data->n_animals; i++) {
    pf_memory_free(data->animals[i]);
  }
  pf_memory_free(data->animals);
  memset(data, 0, sizeof *data);
}

void pf_dataset_remove(pf_dataset *data, size_t i)
{
  const size_t animal = data->recordings[i].animal_index;
  bool alone = true;
  recording_clear(&data->recordings[i]);
  memmove(&data->recordings[i], &data->recordings[i + 1],
          (data->n - i - 1) * sizeof *data->recordings);
  data->n--;
  for (size_t k = 0; k < data->n; k++) {
    alone = alone && data->recordings[k].animal_index != animal;
  }
  if (alone) {
    pf_memory_free(data->animals[animal]);
    memmove(&data->animals[animal], &data->animals[animal + 1],
            (data->n_animals - animal - 1) * sizeof *data->animals);
    data->n_animals--;
    for (size_t k = 0; k < data->n; k++) {
      data->recordings[k].animal_index -= data->recordings[k].animal_index > animal ? 1 : 0;
    }
  }
}

/** A copy of count x size bytes; `from` NULL gives zeros. NULL with the error line when out of
 * memory. */
static void *copy_of(const void *from, size_t count, size_t size, pf_error *error)
{
  void *to = pf_memory_need(count, size, error);
  if (to != NULL && from != NULL && count * size > 0) {
    memcpy(to, from, count * size);
  }
  return to;
}

/** Room for one more recording: the array doubles, its elements are moved, not copied. */
static pf_status reserve_one(pf_dataset *data, pf_error *error)
{
  if (data->n < data->capacity) {
    return PF_OK;
  }
  size_t larger = data->capacity == 0 ? 16 : 2 * data->capacity;
  pf_recording *moved = pf_memory_need(larger, sizeof *moved, error);
  if (moved == NULL) {
    return PF_STOP;
  }
  if (data->n > 0) {
    memcpy(moved, data->recordings, data->n * sizeof *moved);
  }
  pf_memory_free(data->recordings);
  data->recordings = moved;
  data->capacity = larger;
  return PF_OK;
}

/** Names are what everything is found by: one that is missing, or there twice, would be found
 * wrongly. */
static pf_status check_names(const pf_experiment *from, pf_error *error)
{
  if (from->animal == NULL || from->name == NULL) {
    return pf_fail(error, PF_STOP, "an experiment%s%s has no name of %s; the source must give one",
                   from->name == NULL ? "" : " ", from->name == NULL ? "" : from->name,
                   from->name == NULL ? "its own" : "an animal");
  }
  for (size_t k = 0; k < from->channels.count; k++) {
    const pf_channel *channel =
        pf_table_at(from->channels.items, from->channels.stride, from->channels.count, k);
    for (size_t i = 0; i < k; i++) {
      const pf_channel *other =
          pf_table_at(from->channels.items, from->channels.stride, from->channels.count, i);
      if (strcmp(channel->name, other->name) == 0) {
        return pf_fail(error, PF_STOP, "%s: there are two channels named '%s'; rename one",
                       from->name, channel->name);
      }
    }
  }
  for (size_t k = 0; k < from->targets.count; k++) {
    const pf_target *target =
        pf_table_at(from->targets.items, from->targets.stride, from->targets.count, k);
    for (size_t i = 0; i < k; i++) {
      const pf_target *other =
          pf_table_at(from->targets.items, from->targets.stride, from->targets.count, i);
      if (strcmp(target->name, other->name) == 0) {
        return pf_fail(error, PF_STOP, "%s: there are two targets named '%s'; rename one",
                       from->name, target->name);
      }
    }
  }
  return PF_OK;
}

static pf_status check_cues(const pf_experiment *from, pf_error *error)
{
  for (int64_t t = 0; t < from->n_steps; t++) {
    for (int64_t j = 0; j < from->n_input; j++) {
      if (!isfinite(from->cue[t * from->n_input + j])) {
        return pf_fail(error, PF_STOP,
                       "%s: step %lld, input %lld: found %g, expected a finite number", from->name,
                       (long long)t, (long long)j, from->cue[t * from->n_input + j]);
      }
    }
  }
  return PF_OK;
}

static pf_status check_times(const pf_experiment *from, pf_error *error)
{
  for (int64_t t = 0; t < from->n_steps; t++) {
    if (from->dt != NULL && !(from->dt[t] > 0.0 && isfinite(from->dt[t]))) {
      return pf_fail(error, PF_STOP, "%s: step %lld: found dt = %g ms, expected more than 0",
                     from->name, (long long)t, from->dt[t]);
    }
    if (from->trial != NULL && t > 0 && from->trial[t] < from->trial[t - 1]) {
      return pf_fail(
          error, PF_STOP,
          "%s: step %lld: found trial %lld after trial %lld, expected steps in time order",
          from->name, (long long)t, (long long)from->trial[t], (long long)from->trial[t - 1]);
    }
  }
  return PF_OK;
}

/** A choice is 0, 1, ... or missing, and how many there are its loss knows; a channel or an
 * activity is finite or missing. */
static pf_status check_values(const pf_experiment *from, pf_error *error)
{
  for (size_t k = 0; k < from->targets.count; k++) {
    const pf_target *target =
        pf_table_at(from->targets.items, from->targets.stride, from->targets.count, k);
    bool is_choice = strcmp(target->name, "choice") == 0;
    for (int64_t i = 0; i < from->n_steps * target->n; i++) {
      double value = target->values[i];
      if (isinf(value) ||
          (is_choice && (value < 0.0 || (!isnan(value) && value != floor(value))))) {
        return pf_fail(error, PF_STOP, "%s: step %lld, %s: found %g, expected %s", from->name,
                       (long long)(i / target->n), target->name, value,
                       is_choice ? "a whole number from 0, or missing"
                                 : "a finite number or missing");
      }
    }
  }
  for (size_t k = 0; k < from->channels.count; k++) {
    const pf_channel *channel =
        pf_table_at(from->channels.items, from->channels.stride, from->channels.count, k);
    for (int64_t t = 0; t < from->n_steps; t++) {
      if (isinf(channel->values[t])) {
        return pf_fail(error, PF_STOP,
                       "%s: step %lld, %s: found %g, expected a finite number or missing",
                       from->name, (long long)t, channel->name, channel->values[t]);
      }
    }
  }
  return PF_OK;
}

static pf_status copy_records(const pf_experiment *from, pf_recording *to, pf_error *error)
{
  to->channels = pf_memory_need(from->channels.count, sizeof *to->channels, error);
  to->targets = pf_memory_need(from->targets.count, sizeof *to->targets, error);
  if (to->channels == NULL || to->targets == NULL) {
    return PF_STOP;
  }
  size_t steps = (size_t)from->n_steps;
  for (size_t k = 0; k < from->channels.count; k++) {
    const pf_channel *channel =
        pf_table_at(from->channels.items, from->channels.stride, from->channels.count, k);
    pf_series *series = &to->channels[to->n_channels++];
    series->name = pf_memory_string(channel->name, error);
    series->values = copy_of(channel->values, steps, sizeof(double), error);
    if (series->name == NULL || series->values == NULL) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < from->targets.count; k++) {
    const pf_target *target =
        pf_table_at(from->targets.items, from->targets.stride, from->targets.count, k);
    pf_record *record = &to->targets[to->n_targets++];
    record->n = target->n;
    record->name = pf_memory_string(target->name, error);
    record->values = copy_of(target->values, steps * (size_t)target->n, sizeof(double), error);
    if (record->name == NULL || record->values == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static void count_trials(pf_recording *recording)
{
  int64_t length = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    bool starts = t == 0 || recording->trial[t] != recording->trial[t - 1];
    recording->n_trials += starts ? 1 : 0;
    length = starts ? 1 : length + 1;
    recording->longest_trial =
        length > recording->longest_trial ? length : recording->longest_trial;
  }
}

static pf_status copy_steps(const pf_experiment *from, pf_recording *to, pf_error *error)
{
  size_t steps = (size_t)from->n_steps;
  to->n_steps = from->n_steps;
  to->n_input = from->n_input;
  to->animal = pf_memory_string(from->animal, error);
  to->session = pf_memory_string(from->session == NULL ? "" : from->session, error);
  to->name = pf_memory_string(from->name, error);
  to->cue = copy_of(from->cue, steps * (size_t)from->n_input, sizeof(double), error);
  to->flags = copy_of(from->flags, steps, sizeof(uint32_t), error);
  to->trial = copy_of(from->trial, steps, sizeof(int64_t), error);
  to->block = copy_of(from->block, steps, sizeof(int64_t), error);
  to->dt = from->dt == NULL ? NULL : copy_of(from->dt, steps, sizeof(double), error);
  if (to->animal == NULL || to->session == NULL || to->name == NULL || to->cue == NULL ||
      to->flags == NULL || to->trial == NULL || to->block == NULL ||
      (from->dt != NULL && to->dt == NULL)) {
    return PF_STOP;
  }
  for (size_t t = 0; t < steps; t++) {
    to->flags[t] =
        from->flags == NULL ? PF_STEP_PLASTIC | PF_STEP_FIT | PF_STEP_SCORE : to->flags[t];
    if ((to->flags[t] & PF_STEP_NEW_SESSION) != 0) {
      to->flags[t] |= PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;
    }
    to->trial[t] = from->trial == NULL ? (int64_t)t : to->trial[t];
  }
  count_trials(to);
  return copy_records(from, to, error);
}

/** Index of the animal, which is new if its name is. */
static pf_status animal_index(pf_dataset *data, const char *name, size_t *index, pf_error *error)
{
  for (size_t a = 0; a < data->n_animals; a++) {
    if (strcmp(data->animals[a], name) == 0) {
      *index = a;
      return PF_OK;
    }
  }
  char **names = pf_memory_need(data->n_animals + 1, sizeof *names, error);
  char *copy = pf_memory_string(name, error);
  if (names == NULL || copy == NULL) {
    pf_memory_free(names);
    pf_memory_free(copy);
    return PF_STOP;
  }
  if (data->n_animals > 0) {
    memcpy(names, data->animals, data->n_animals * sizeof *names);
  }
  names[data->n_animals] = copy;
  pf_memory_free(data->animals);
  data->animals = names;
  *index = data->n_animals++;
  return PF_OK;
}

pf_status pf_dataset_add(pf_dataset *data, const pf_experiment *experiment, pf_error *error)
{
  pf_status status = check_names(experiment, error);
  if (status != PF_OK) {
    return status;
  }
  if (experiment->n_steps < 1 || experiment->n_input < 1) {
    return pf_fail(
        error, PF_STOP, "%s: found %lld steps of %lld inputs, expected at least one of each",
        experiment->name, (long long)experiment->n_steps, (long long)experiment->n_input);
  }
  status = check_cues(experiment, error);
  status = status == PF_OK ? check_times(experiment, error) : status;
  status = status == PF_OK ? check_values(experiment, error) : status;
  status = status == PF_OK ? reserve_one(data, error) : status;
  if (status != PF_OK) {
    return status;
  }
  pf_recording recording = {0};
  status = copy_steps(experiment, &recording, error);
  status = status == PF_OK ? animal_index(data, experiment->animal, &recording.animal_index, error)
                           : status;
  if (status != PF_OK) {
    recording_clear(&recording);
    return status;
  }
  recording.number = data->n;
  recording.animal_number = recording.animal_index;
  for (size_t i = 0; i < data->n; i++) {
    recording.experiment += data->recordings[i].animal_index == recording.animal_index ? 1 : 0;
  }
  data->recordings[data->n++] = recording;
  return PF_OK;
}

const pf_recording *pf_dataset_longest(const pf_dataset *data)
{
  const pf_recording *longest = &data->recordings[0];
  for (size_t i = 1; i < data->n; i++) {
    longest = data->recordings[i].n_steps > longest->n_steps ? &data->recordings[i] : longest;
  }
  return longest;
}

const double *pf_recording_channel(const pf_recording *recording, const char *name)
{
  for (size_t i = 0; i < recording->n_channels; i++) {
    if (strcmp(recording->channels[i].name, name) == 0) {
      return recording->channels[i].values;
    }
  }
  return NULL;
}

const pf_record *pf_recording_target(const pf_recording *recording, const char *name)
{
  for (size_t i = 0; i < recording->n_targets; i++) {
    if (strcmp(recording->targets[i].name, name) == 0) {
      return &recording->targets[i];
    }
  }
  return NULL;
}

pf_status pf_recording_add_channel(pf_recording *recording, const char *name, double *values,
                                   pf_error *error)
{
  if (pf_recording_channel(recording, name) != NULL) {
    return pf_fail(error, PF_STOP, "%s: there are two channels named '%s'; rename one",
                   recording->name, name);
  }
  pf_series *channels = pf_memory_need(recording->n_channels + 1, sizeof *channels, error);
  char *copy = pf_memory_string(name, error);
  if (channels == NULL || copy == NULL) {
    pf_memory_free(channels);
    pf_memory_free(copy);
    return PF_STOP;
  }
  if (recording->n_channels > 0) {
    memcpy(channels, recording->channels, recording->n_channels * sizeof *channels);
  }
  channels[recording->n_channels++] = (pf_series){.name = copy, .values = values};
  pf_memory_free(recording->channels);
  recording->channels = channels;
  return PF_OK;
}
