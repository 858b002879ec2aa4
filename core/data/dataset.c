#include "core/data/dataset.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/data/data_names.h"

#include <math.h>
#include <plastfit/author/csv.h>
#include <stdlib.h>
#include <string.h>

void pf_recording_release(const pf_recording *recording, void *pointer)
{
  const uintptr_t at = (uintptr_t)pointer, kept = (uintptr_t)recording->kept;
  if (kept == 0 || at < kept || at - kept >= recording->kept_size) {
    pf_memory_free(pointer);
  }
}

static void clear_recording(pf_recording *recording)
{
  pf_memory_free(recording->animal);
  pf_memory_free(recording->session);
  pf_memory_free(recording->name);
  pf_memory_free(recording->cue);
  pf_memory_free(recording->cue_sd);
  pf_memory_free(recording->flags);
  pf_memory_free(recording->dt);
  pf_memory_free(recording->gap);
  pf_memory_free(recording->trial);
  pf_memory_free(recording->block);
  pf_memory_free(recording->line);
  for (size_t i = 0; i < recording->n_channels; i++) {
    pf_recording_release(recording, recording->channels[i].name);
    pf_recording_release(recording, recording->channels[i].values);
  }
  pf_memory_free(recording->channels);
  pf_memory_free(recording->kept);
  pf_memory_free(recording->no_reward);
  for (size_t i = 0; i < recording->n_targets; i++) {
    pf_memory_free(recording->targets[i].name);
    pf_memory_free(recording->targets[i].values);
  }
  pf_memory_free(recording->targets);
  pf_memory_free(recording->true_input);
  pf_memory_free(recording->true_noise);
  pf_memory_free(recording->true_theta);
  memset(recording, 0, sizeof *recording);
}

void pf_dataset_free(pf_dataset *data)
{
  for (size_t i = 0; i < data->n; i++) {
    clear_recording(&data->recordings[i]);
  }
  pf_memory_free(data->recordings);
  for (size_t i = 0; i < data->n_animals; i++) {
    pf_memory_free(data->animals[i]);
  }
  pf_memory_free(data->animals);
  pf_dataset_forget_places(data);
  memset(data, 0, sizeof *data);
}

/** Animals without a recording leave; the others close the gaps. index [n_animals]: where each
 * goes.
 */
static void remove_animals(pf_dataset *data, const bool *stays, size_t *index)
{
  size_t n = 0;
  for (size_t a = 0; a < data->n_animals; a++) {
    index[a] = n;
    if (stays[a]) {
      data->animals[n++] = data->animals[a];
    } else {
      pf_memory_free(data->animals[a]);
    }
  }
  data->n_animals = n;
  for (size_t i = 0; i < data->n; i++) {
    data->recordings[i].animal_index = index[data->recordings[i].animal_index];
  }
}

pf_status pf_dataset_remove(pf_dataset *data, const bool *gone, pf_error *error)
{
  pf_status status = PF_STOP;
  bool *stays = pf_memory_need(data->n_animals, sizeof *stays, error);
  size_t *index = pf_memory_need(data->n_animals, sizeof *index, error);
  if (stays == NULL || index == NULL) {
    goto done;
  }
  size_t n = 0;
  for (size_t i = 0; i < data->n; i++) {
    if (gone[i]) {
      clear_recording(&data->recordings[i]);
    } else {
      stays[data->recordings[i].animal_index] = true;
      data->recordings[n++] = data->recordings[i];
    }
  }
  data->n = n;
  remove_animals(data, stays, index);
  status = pf_dataset_place(data, error);
done:
  pf_memory_free(stays);
  pf_memory_free(index);
  return status;
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

static const pf_channel *channel_at(const pf_experiment *from, size_t k)
{
  return pf_table_at(from->channels.items, from->channels.stride, from->channels.count, k);
}

static const pf_target *target_at(const pf_experiment *from, size_t k)
{
  return pf_table_at(from->targets.items, from->targets.stride, from->targets.count, k);
}

/* ---- what an experiment must be ---- */

static int compare_names(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/** A name that is there twice, or NULL. Sorts: there may be a million columns that nobody uses. */
static const char *find_twin(const char **names, size_t n)
{
  qsort(names, n, sizeof *names, compare_names);
  for (size_t k = 1; k < n; k++) {
    if (strcmp(names[k - 1], names[k]) == 0) {
      return names[k];
    }
  }
  return NULL;
}

static pf_status check_twins(const pf_experiment *from, pf_error *error)
{
  const size_t n_channels = from->channels.count, n_targets = from->targets.count;
  const char **names = pf_memory_need(n_channels + n_targets + 1, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n_channels; k++) {
    names[k] = channel_at(from, k)->name;
  }
  for (size_t k = 0; k < n_targets; k++) {
    names[n_channels + k] = target_at(from, k)->name;
  }
  const char *channel = find_twin(names, n_channels);
  const char *target = channel != NULL ? NULL : find_twin(names + n_channels, n_targets);
  pf_memory_free(names);
  if (channel == NULL && target == NULL) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP, "%s: there are two %s named '%s'; rename one", from->name,
                 channel != NULL ? "channels" : "targets", channel != NULL ? channel : target);
}

/** Names are what everything is found by: one that is missing, or there twice, would be found
 * wrongly. */
static pf_status check_names(const pf_experiment *from, pf_error *error)
{
  if (from->name == NULL) {
    return pf_fail(error, PF_STOP,
                   "an experiment has no name of its own; the source must give one");
  }
  if (from->animal == NULL) {
    return pf_fail(error, PF_STOP,
                   "an experiment %s has no name of an animal; the source must give one",
                   from->name);
  }
  return check_twins(from, error);
}

/** Files of results are UTF-8: names go into all of them. */
static pf_status check_text(const pf_experiment *from, const char *name, pf_error *error)
{
  if (name == NULL || pf_csv_is_text(name)) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%s: the name of an animal or a session is no UTF-8, expected "
                 "UTF-8 text; save the data as UTF-8 (iconv -f latin1 -t utf-8)",
                 from->name);
}

static pf_status check_cues(const pf_experiment *from, pf_error *error)
{
  for (int64_t t = 0; t < from->n_steps; t++) {
    for (int64_t j = 0; j < from->n_input; j++) {
      if (!isfinite(from->cue[t * from->n_input + j])) {
        return pf_fail(error, PF_STOP,
                       "%s: step %lld, input %lld: found %g, expected a finite number", from->name,
                       (long long)t + 1, (long long)j + 1, from->cue[t * from->n_input + j]);
      }
    }
  }
  return PF_OK;
}

/** The sd of what was not recorded; NULL where the source has none, or is older than it. */
static const double *cue_sd_of(const pf_experiment *from)
{
  return PF_HAS(from, pf_experiment, cue_sd) ? from->cue_sd : NULL;
}

static pf_status check_cue_sds(const pf_experiment *from, pf_error *error)
{
  const double *sd = cue_sd_of(from);
  for (int64_t i = 0; sd != NULL && i < from->n_steps * from->n_input; i++) {
    if (!(sd[i] >= 0.0 && isfinite(sd[i]))) {
      return pf_fail(error, PF_STOP,
                     "%s: step %lld, input %lld: found an sd of %g, expected 0 or more", from->name,
                     (long long)(i / from->n_input) + 1, (long long)(i % from->n_input) + 1, sd[i]);
    }
  }
  return PF_OK;
}

static pf_status check_times(const pf_experiment *from, pf_error *error)
{
  for (int64_t t = 0; t < from->n_steps; t++) {
    if (from->dt != NULL && !(from->dt[t] > 0.0 && isfinite(from->dt[t]))) {
      return pf_fail(error, PF_STOP, "%s: step %lld: found dt = %g ms, expected more than 0",
                     from->name, (long long)t + 1, from->dt[t]);
    }
    if (from->trial != NULL && t > 0 && from->trial[t] < from->trial[t - 1]) {
      return pf_fail(
          error, PF_STOP,
          "%s: step %lld: found trial %lld after trial %lld, expected steps in time order",
          from->name, (long long)t + 1, (long long)from->trial[t], (long long)from->trial[t - 1]);
    }
  }
  return PF_OK;
}

/** A choice is 0, 1, ... or missing, and how many there are its loss knows; anything else is finite
 * or missing. */
static pf_status check_target(const pf_experiment *from, const pf_target *target, pf_error *error)
{
  const bool is_choice = pf_is_choice(target->name);
  for (int64_t i = 0; i < from->n_steps * target->n; i++) {
    const double value = target->values[i];
    const bool wrong_choice = value < 0.0 || (!isnan(value) && value != floor(value));
    if (isinf(value) || (is_choice && wrong_choice)) {
      return pf_fail(error, PF_STOP, "%s: step %lld, %s: found %g, expected %s", from->name,
                     (long long)(i / target->n) + 1, target->name, value,
                     is_choice ? "a whole number from 0, or missing"
                               : "a finite number or missing");
    }
  }
  return PF_OK;
}

static pf_status check_channel(const pf_experiment *from, const pf_channel *channel,
                               pf_error *error)
{
  for (int64_t t = 0; t < from->n_steps; t++) {
    if (isinf(channel->values[t])) {
      return pf_fail(error, PF_STOP,
                     "%s: step %lld, %s: found %g, expected a finite number or missing", from->name,
                     (long long)t + 1, channel->name, channel->values[t]);
    }
  }
  return PF_OK;
}

static pf_status check_values(const pf_experiment *from, pf_error *error)
{
  for (size_t k = 0; k < from->targets.count; k++) {
    if (check_target(from, target_at(from, k), error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < from->channels.count; k++) {
    if (check_channel(from, channel_at(from, k), error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status check_experiment(const pf_experiment *from, pf_error *error)
{
  if (check_names(from, error) != PF_OK || check_text(from, from->animal, error) != PF_OK ||
      check_text(from, from->session, error) != PF_OK) {
    return PF_STOP;
  }
  if (from->n_steps < 1 || from->n_input < 1) {
    return pf_fail(error, PF_STOP,
                   "%s: found %lld steps of %lld inputs, expected at least one of each", from->name,
                   (long long)from->n_steps, (long long)from->n_input);
  }
  if (check_cues(from, error) != PF_OK || check_cue_sds(from, error) != PF_OK ||
      check_times(from, error) != PF_OK) {
    return PF_STOP;
  }
  return check_values(from, error);
}

/* ---- copying it ---- */

/** Values first, then names, in one piece: of a million channels that nobody uses, a piece each
 * would be most of the time and of the memory. */
static pf_status copy_channels(const pf_experiment *from, pf_recording *to, pf_error *error)
{
  const size_t n = from->channels.count, bytes = (size_t)from->n_steps * sizeof(double);
  to->channels = pf_memory_need(n, sizeof *to->channels, error);
  if (to->channels == NULL) {
    return PF_STOP;
  }
  size_t size = n * bytes;
  for (size_t k = 0; k < n; k++) {
    size += strlen(channel_at(from, k)->name) + 1;
  }
  to->kept = pf_memory_need(size, 1, error);
  if (to->kept == NULL) {
    return PF_STOP;
  }
  to->kept_size = size;
  char *values = to->kept, *name = values + n * bytes;
  for (size_t k = 0; k < n; k++, values += bytes) {
    const pf_channel *channel = channel_at(from, k);
    const size_t length = strlen(channel->name) + 1;
    memcpy(values, channel->values, bytes);
    memcpy(name, channel->name, length);
    to->channels[k] = (pf_series){.name = name, .values = (double *)(void *)values};
    name += length;
  }
  to->n_channels = n;
  return PF_OK;
}

static pf_status copy_records(const pf_experiment *from, pf_recording *to, pf_error *error)
{
  const size_t steps = (size_t)from->n_steps;
  if (copy_channels(from, to, error) != PF_OK) {
    return PF_STOP;
  }
  to->targets = pf_memory_need(from->targets.count, sizeof *to->targets, error);
  if (to->targets == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < from->targets.count; k++) {
    const pf_target *target = target_at(from, k);
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
    const bool starts = t == 0 || recording->trial[t] != recording->trial[t - 1];
    recording->n_trials += starts ? 1 : 0;
    length = starts ? 1 : length + 1;
    if (length > recording->longest_trial) {
      recording->longest_trial = length;
    }
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
  const int64_t *line = PF_HAS(from, pf_experiment, line) ? from->line : NULL;
  const double *cue_sd = cue_sd_of(from);
  to->line = line == NULL ? NULL : copy_of(line, steps, sizeof(int64_t), error);
  to->cue_sd =
      cue_sd == NULL ? NULL : copy_of(cue_sd, steps * (size_t)from->n_input, sizeof(double), error);
  to->dt = from->dt == NULL ? NULL : copy_of(from->dt, steps, sizeof(double), error);
  if (to->animal == NULL || to->session == NULL || to->name == NULL || to->cue == NULL ||
      to->flags == NULL || to->trial == NULL || to->block == NULL ||
      (from->dt != NULL && to->dt == NULL) || (line != NULL && to->line == NULL) ||
      (cue_sd != NULL && to->cue_sd == NULL)) {
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
static pf_status find_animal(pf_dataset *data, const char *name, size_t *index, pf_error *error)
{
  *index = pf_dataset_find_animal(data, name);
  if (*index < data->n_animals) {
    return PF_OK;
  }
  pf_array animals = {data->animals, data->n_animals, data->animals_capacity, sizeof(char *)};
  char *copy = pf_memory_string(name, error);
  if (copy == NULL || pf_array_append_all(&animals, &copy, 1, error) != PF_OK) {
    pf_memory_free(copy);
    return PF_STOP;
  }
  data->animals = animals.items;
  data->animals_capacity = animals.capacity;
  data->n_animals++;
  return PF_OK;
}

static pf_status append_recording(pf_dataset *data, const pf_recording *recording, pf_error *error)
{
  pf_array all = {data->recordings, data->n, data->capacity, sizeof *recording};
  if (pf_array_append_all(&all, recording, 1, error) != PF_OK) {
    return PF_STOP;
  }
  data->recordings = all.items;
  data->capacity = all.capacity;
  data->n++;
  return PF_OK;
}

/** The animal, new or not, and the recording behind the others. */
static pf_status add_recording(pf_dataset *data, pf_recording *recording, pf_error *error)
{
  if (data->places.places.n != data->n_animals && pf_dataset_place(data, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = find_animal(data, recording->animal, &recording->animal_index, error);
  if (status != PF_OK) {
    return status;
  }
  recording->number = data->n;
  recording->animal_number = recording->animal_index;
  /* a new animal has no place yet: counting its recordings would look through all */
  if (recording->animal_index < data->places.places.n) {
    recording->experiment = pf_dataset_count(data, recording->animal_index);
  }
  status = append_recording(data, recording, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_dataset_place_last(data, error);
  if (status != PF_OK) {
    data->n--;
  }
  return status;
}

pf_status pf_dataset_add(pf_dataset *data, const pf_experiment *experiment, pf_error *error)
{
  pf_recording recording = {0};
  if (check_experiment(experiment, error) != PF_OK) {
    return PF_STOP;
  }
  if (copy_steps(experiment, &recording, error) != PF_OK ||
      add_recording(data, &recording, error) != PF_OK) {
    clear_recording(&recording);
    return PF_STOP;
  }
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
  pf_array channels = {recording->channels, recording->n_channels, recording->n_channels,
                       sizeof(pf_series)};
  const pf_series added = {.name = pf_memory_string(name, error), .values = values};
  if (added.name == NULL || pf_array_append_all(&channels, &added, 1, error) != PF_OK) {
    pf_memory_free(added.name);
    return PF_STOP;
  }
  recording->channels = channels.items;
  recording->n_channels++;
  return PF_OK;
}

pf_input_distribution pf_recording_input(const pf_recording *recording, int64_t cell, double mean,
                                         double sd)
{
  const double missing = recording->cue_sd == NULL ? 0.0 : fabs(mean) * recording->cue_sd[cell];
  return (pf_input_distribution){.mean = mean * recording->cue[cell],
                                 .sd = missing > 0.0 ? hypot(missing, sd) : sd};
}

int64_t pf_recording_n_drawn(const pf_recording *recording)
{
  int64_t n = 0;
  for (int64_t i = 0; recording->cue_sd != NULL && i < recording->n_steps * recording->n_input;
       i++) {
    n += recording->cue_sd[i] > 0.0 ? 1 : 0;
  }
  return n;
}

int64_t pf_recording_cue(const pf_recording *recording, int64_t step)
{
  const double *cue = recording->cue + step * recording->n_input;
  int64_t largest = 0;
  for (int64_t j = 1; j < recording->n_input; j++) {
    largest = cue[j] > cue[largest] ? j : largest;
  }
  return largest;
}
