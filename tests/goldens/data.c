/* The steps of a golden file as a recording. */
#include "core/base/memory.h"
#include "tests/goldens/setup.h"
#include <ctype.h>
#include <string.h>

enum { MAX_TARGETS = 3 };

/* Fields of a step that are no channel; `odor` only says which input was strong. */
static const char *const step_fields[] = {"trial",    "x",        "choice", "plastic",
                                          "recorded", "activity", "odor",   "odour"};
static const char *const target_fields[MAX_TARGETS] = {"choice", "recorded", "activity"};
/* Channels that may be there without being used; in a training file they stand outside, one value a
 * trial. */
static const char *const usual_channels[] = {"reward", "expected_reward", "m"};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(name, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_word_of(const char *name, const char *expression)
{
  const size_t n = strlen(name);
  for (const char *at = expression == NULL ? NULL : strstr(expression, name); at != NULL;
       at = strstr(at + 1, name)) {
    const bool starts = at == expression || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
    if (starts && !isalnum((unsigned char)at[n]) && at[n] != '_') {
      return true;
    }
  }
  return false;
}

pf_status golden_channels(const json_t *root, const json_t *step, const char **names, size_t *n,
                          pf_error *error)
{
  const char *modulator = json_string_value(json_object_get(root, "modulator"));
  const char *key = NULL;
  const json_t *value = NULL;
  *n = 0;
  json_t *step_to_iterate = (json_t *)(uintptr_t)step; /* as in json.c */
  json_object_foreach(step_to_iterate, key, value)
  {
    if (is_one_of(key, step_fields, sizeof step_fields / sizeof *step_fields)) {
      continue;
    }
    if (*n == GOLDEN_CHANNELS - 3 ||
        (!is_one_of(key, usual_channels, sizeof usual_channels / sizeof *usual_channels) &&
         !is_word_of(key, modulator))) {
      return pf_fail(error, PF_STOP,
                     "steps have a field '%s' that this program does not know how to use", key);
    }
    names[(*n)++] = key;
  }
  for (size_t k = 0; k < sizeof usual_channels / sizeof *usual_channels; k++) {
    if (json_is_array(json_object_get(root, usual_channels[k])) &&
        !is_one_of(usual_channels[k], names, *n)) {
      names[(*n)++] = usual_channels[k];
    }
  }
  return PF_OK;
}

/* What one experiment is copied from, until pf_dataset_add has its own. */
typedef struct columns {
  double *x, *channels[GOLDEN_CHANNELS], *targets[MAX_TARGETS];
  uint32_t *flags;
  int64_t *trial;
  const char *names[GOLDEN_CHANNELS];
  pf_channel channel[GOLDEN_CHANNELS];
  pf_target target[MAX_TARGETS];
  size_t n_channels, n_targets;
} columns;

static void columns_free(columns *from)
{
  for (size_t c = 0; c < GOLDEN_CHANNELS; c++) {
    pf_memory_free(from->channels[c]);
  }
  for (size_t k = 0; k < MAX_TARGETS; k++) {
    pf_memory_free(from->targets[k]);
  }
  pf_memory_free(from->x);
  pf_memory_free(from->flags);
  pf_memory_free(from->trial);
}

static pf_status columns_create(const golden_case *golden, const json_t *steps, columns *out,
                                pf_error *error)
{
  const size_t n = json_array_size(steps);
  const json_t *step = json_array_get(steps, 0);
  memset(out, 0, sizeof *out);
  if (n == 0) {
    return pf_fail(error, PF_STOP, "steps: expected a list of steps");
  }
  pf_status status = golden_channels(golden->root, step, out->names, &out->n_channels, error);
  out->x = pf_memory_need(n * (size_t)golden->n_input, sizeof *out->x, error);
  out->flags = pf_memory_need(n, sizeof *out->flags, error);
  out->trial =
      json_object_get(step, "trial") == NULL ? NULL : pf_memory_need(n, sizeof *out->trial, error);
  bool complete = out->x != NULL && out->flags != NULL &&
                  (out->trial != NULL || json_object_get(step, "trial") == NULL);
  for (size_t c = 0; c < out->n_channels; c++) {
    out->channels[c] = pf_memory_need(n, sizeof(double), error);
    out->channel[c] = (pf_channel){.name = out->names[c], .values = out->channels[c]};
    complete = complete && out->channels[c] != NULL;
  }
  for (size_t k = 0; k < MAX_TARGETS; k++) {
    if (json_object_get(step, target_fields[k]) != NULL) {
      const int64_t width = k == 2 ? golden->n_post : 1;
      double *values = pf_memory_need(n * (size_t)width, sizeof(double), error);
      out->targets[out->n_targets] = values;
      out->target[out->n_targets++] =
          (pf_target){.name = target_fields[k], .n = width, .values = values};
      complete = complete && values != NULL;
    }
  }
  return complete ? status : PF_STOP;
}

static pf_status read_channel(const golden_case *golden, const json_t *step, const char *name,
                              int64_t trial, double *out, pf_error *error)
{
  if (json_object_get(step, name) != NULL) {
    return golden_number(step, name, GOLDEN_NULL_IS_MISSING, out, error);
  }
  const json_t *value = json_array_get(json_object_get(golden->root, name), (size_t)trial);
  return golden_numbers(value, name, GOLDEN_NULL_IS_MISSING, 1, out, error);
}

static pf_status read_step(const golden_case *golden, const json_t *step, const json_t *first,
                           size_t t, columns *to, pf_error *error)
{
  const size_t n_input = (size_t)golden->n_input;
  double plastic = 0.0;
  int64_t trial = (int64_t)t;
  if (json_object_size(step) != json_object_size(first)) {
    return pf_fail(error, PF_STOP, "it has other fields than step 0");
  }
  pf_status status = golden_numbers(json_object_get(step, "x"), "x", GOLDEN_NULL_IS_WRONG, n_input,
                                    &to->x[t * n_input], error);
  status = status == PF_OK ? golden_number(step, "plastic", GOLDEN_NULL_IS_WRONG, &plastic, error)
                           : status;
  if (status == PF_OK && plastic != 0.0 && plastic != 1.0) {
    status = pf_fail(error, PF_STOP, "plastic: found %g, expected 0 or 1", plastic);
  }
  to->flags[t] = PF_STEP_FIT | PF_STEP_SCORE | (plastic == 1.0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  if (to->trial != NULL && status == PF_OK) {
    status = golden_integer(step, "trial", &to->trial[t], error);
    trial = to->trial[t];
  }
  for (size_t c = 0; c < to->n_channels && status == PF_OK; c++) {
    status = read_channel(golden, step, to->names[c], trial, &to->channels[c][t], error);
  }
  for (size_t k = 0; k < to->n_targets && status == PF_OK; k++) {
    const size_t width = (size_t)to->target[k].n;
    status = golden_numbers(json_object_get(step, to->target[k].name), to->target[k].name,
                            GOLDEN_NULL_IS_MISSING, width, &to->targets[k][t * width], error);
  }
  return status;
}

/* W0 and, where there is one, the readout: all that the network would have drawn, projection by
 * projection. */
static pf_status give_weights(const golden_case *golden, const json_t *w0, pf_recording *recording,
                              pf_error *error)
{
  const size_t n_plastic = (size_t)(golden->n_input * golden->n_post);
  const size_t n_all = (size_t)golden->lab.model->declared.n_noise;
  const json_t *readout = json_object_get(json_object_get(golden->root, "network"), "readout");
  pf_status status =
      golden_check_matrix(w0, "w0", (size_t)golden->n_post, (size_t)golden->n_input, error);
  recording->true_noise = pf_memory_need(n_all, sizeof(double), error);
  recording->n_true_noise = (int64_t)n_all;
  if (recording->true_noise == NULL || status != PF_OK) {
    return PF_STOP;
  }
  status = golden_numbers(w0, "w0", GOLDEN_NULL_IS_WRONG, n_plastic, recording->true_noise, error);
  if (status == PF_OK && n_all > n_plastic) {
    status = golden_numbers(readout, "network.readout", GOLDEN_NULL_IS_WRONG, n_all - n_plastic,
                            recording->true_noise + n_plastic, error);
  }
  return status;
}

static pf_status append(golden_case *golden, const columns *from, size_t n_steps, size_t index,
                        pf_error *error)
{
  char name[64];
  (void)snprintf(name, sizeof name, "experiment %zu", index);
  const pf_experiment experiment = {
      .size = sizeof experiment,
      .animal = "golden",
      .name = name,
      .n_steps = (int64_t)n_steps,
      .n_input = golden->n_input,
      .cue = from->x,
      .flags = from->flags,
      .trial = from->trial,
      .channels = {from->channel, from->n_channels, sizeof from->channel[0]},
      .targets = {from->target, from->n_targets, sizeof from->target[0]}};
  const pf_status status = pf_dataset_add(&golden->problem.data, &experiment, error);
  if (status != PF_OK) {
    return status;
  }
  pf_recording *recording = &golden->problem.data.recordings[golden->problem.data.n - 1];
  const size_t cells = n_steps * (size_t)golden->n_input;
  recording->true_input = pf_memory_need(cells, sizeof(double), error);
  if (recording->true_input == NULL) {
    return PF_STOP;
  }
  memcpy(recording->true_input, from->x, cells * sizeof(double));
  return PF_OK;
}

/* The file's own count of steps and of padded cells against what normalise = "padded" will use. */
static pf_status check_counts(const golden_case *golden, const pf_recording *recording,
                              pf_error *error)
{
  const int64_t padded = recording->n_trials * recording->longest_trial;
  int64_t said = 0;
  pf_status status = PF_OK;
  if (json_object_get(golden->root, "n_padded") != NULL) {
    status = golden_integer(golden->root, "n_padded", &said, error);
    if (status == PF_OK && said != padded) {
      status = pf_fail(
          error, PF_STOP, "n_padded is %lld, but the engine counts %lld trials x %lld steps",
          (long long)said, (long long)recording->n_trials, (long long)recording->longest_trial);
    }
  }
  if (status == PF_OK && json_object_get(golden->root, "n_real") != NULL) {
    status = golden_integer(golden->root, "n_real", &said, error);
    if (status == PF_OK && said != recording->n_steps) {
      status = pf_fail(error, PF_STOP, "n_real is %lld, but there are %lld steps", (long long)said,
                       (long long)recording->n_steps);
    }
  }
  return status;
}

pf_status golden_add_experiment(golden_case *golden, const json_t *steps, const json_t *w0,
                                size_t index, pf_error *error)
{
  const size_t n = json_array_size(steps);
  columns from;
  pf_status status = columns_create(golden, steps, &from, error);
  for (size_t t = 0; t < n && status == PF_OK; t++) {
    pf_error fault = pf_error_none();
    status =
        read_step(golden, json_array_get(steps, t), json_array_get(steps, 0), t, &from, &fault);
    if (status != PF_OK) {
      (void)pf_fail(error, status, "experiment %zu, step %zu: %s", index, t, fault.text);
    }
  }
  status = status == PF_OK ? append(golden, &from, n, index, error) : status;
  if (status == PF_OK) {
    pf_recording *recording = &golden->problem.data.recordings[golden->problem.data.n - 1];
    status = give_weights(golden, w0, recording, error);
    status = status == PF_OK ? check_counts(golden, recording, error) : status;
  }
  columns_free(&from);
  return status;
}
