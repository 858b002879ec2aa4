#define _POSIX_C_SOURCE 200809L
#include "tests/lab/table.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/expected_reward.h"
#include "core/model_config/keys.h"
#include "core/plugin/component.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_number(FILE *file, double value)
{
  if (isnan(value)) {
    (void)fputs(",", file);
  } else {
    (void)fprintf(file, ",%.17g", value);
  }
}

static void write_table(FILE *file, const pf_dataset *data)
{
  const pf_recording *first = &data->recordings[0];
  const int64_t n_activity = pf_recording_target(first, "activity")->n;
  (void)fputs("experiment,trial,dt,plastic,reward,choice", file);
  for (int64_t j = 0; j < first->n_input; j++) {
    (void)fprintf(file, ",x%lld", (long long)j + 1);
  }
  for (int64_t i = 0; i < n_activity; i++) {
    (void)fprintf(file, ",y%lld,n%lld,s%lld", (long long)i + 1, (long long)i + 1, (long long)i + 1);
  }
  (void)fputc('\n', file);
  for (size_t r = 0; r < data->n; r++) {
    const pf_recording *recording = &data->recordings[r];
    const double *reward = pf_recording_channel(recording, "reward");
    const pf_record *choice = pf_recording_target(recording, "choice");
    const pf_record *activity = pf_recording_target(recording, "activity");
    const pf_record *counts = pf_recording_target(recording, "counts");
    const pf_record *sem = pf_recording_target(recording, "sem");
    for (int64_t t = 0; t < recording->n_steps; t++) {
      (void)fprintf(file, "%zu,%lld,%.17g,%d", r, (long long)recording->trial[t], recording->dt[t],
                    (recording->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0);
      write_number(file, recording->no_reward[t] != 0 ? NAN : reward[t]);
      write_number(file, choice->values[t]);
      for (int64_t j = 0; j < recording->n_input; j++) {
        write_number(file, recording->cue[t * recording->n_input + j]);
      }
      for (int64_t i = 0; i < n_activity; i++) {
        write_number(file, activity->values[t * n_activity + i]);
        write_number(file, counts->values[t * n_activity + i]);
        write_number(file, sem->values[t * n_activity + i]);
      }
      (void)fputc('\n', file);
    }
  }
}

static pf_status receive(const pf_sink *sink, const pf_experiment *experiment, pf_error *error)
{
  static const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 10};
  pf_dataset *data = sink->impl;
  const pf_status status = pf_dataset_add(data, experiment, error);
  return status == PF_OK ? pf_recording_expect_reward(&data->recordings[data->n - 1], &how, error)
                         : status;
}

/** { name = "counts"; columns = ["n1", "n2"]; } */
static void add_columns(pf_text *text, const char *name, char letter, int64_t n)
{
  pf_text_add(text, " { name = \"%s\"; columns = [", name);
  for (int64_t i = 0; i < n; i++) {
    pf_text_add(text, "%s\"%c%lld\"", i > 0 ? ", " : "", letter, (long long)i + 1);
  }
  pf_text_add(text, "]; }");
}

static pf_status read_table(pf_registry *registry, const char *path, int64_t n_activity,
                            pf_dataset *to, pf_error *error)
{
  pf_text text = {0};
  pf_config *config = NULL;
  pf_component source = {0};
  pf_text_add(&text, "source: { plugin = \"table\"; path = \"%s\"; targets = (", path);
  add_columns(&text, "counts", 'n', n_activity);
  pf_text_add(&text, ",");
  add_columns(&text, "sem", 's', n_activity);
  pf_text_add(&text, "); };");
  pf_status status = text.failed ? pf_fail(error, PF_STOP, "out of memory")
                                 : pf_config_parse(text.text, "table", NULL, 0, &config, error);
  if (status == PF_OK) {
    const pf_component_spec spec = {config, pf_node_get(pf_config_root(config), "source"),
                                    PF_KIND_SOURCE, "source",
                                    pf_keys_names_of_kind(PF_KIND_SOURCE)};
    status = pf_component_create(registry, &spec, &source, error);
  }
  if (status == PF_OK) {
    const pf_sink sink = {.size = sizeof sink, .impl = to, .experiment = receive};
    status = source.plugin->source->read(source.self, &sink, error);
  }
  pf_component_free(&source);
  pf_config_free(config);
  pf_text_free(&text);
  return status;
}

static bool same(const double *a, const double *b, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])))) {
      return false;
    }
  }
  return true;
}

static bool is_same(const pf_recording *a, const pf_recording *b)
{
  static const char *const targets[] = {"choice", "activity", "counts", "sem"};
  static const char *const channels[] = {"reward", "expected_reward"};
  bool equal = a->n_steps == b->n_steps && a->n_input == b->n_input && a->n_trials == b->n_trials &&
               a->longest_trial == b->longest_trial &&
               same(a->cue, b->cue, a->n_steps * a->n_input) && b->dt != NULL &&
               same(a->dt, b->dt, a->n_steps);
  for (int k = 0; k < 4 && equal; k++) {
    const pf_record *first = pf_recording_target(a, targets[k]),
                    *second = pf_recording_target(b, targets[k]);
    equal = second != NULL && first->n == second->n &&
            same(first->values, second->values, a->n_steps * first->n);
  }
  for (int k = 0; k < 2 && equal; k++) {
    const double *second = pf_recording_channel(b, channels[k]);
    equal = second != NULL && same(pf_recording_channel(a, channels[k]), second, a->n_steps);
  }
  for (int64_t t = 0; t < a->n_steps && equal; t++) {
    equal = ((a->flags[t] ^ b->flags[t]) & PF_STEP_PLASTIC) == 0 && a->trial[t] == b->trial[t];
  }
  return equal;
}

pf_status lab_through_table(pf_registry *registry, const pf_dataset *from, pf_dataset *to,
                            pf_error *error)
{
  char path[] = "/tmp/plastfit-lab-XXXXXX";
  const int descriptor = mkstemp(path);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%s: cannot be written", path);
  }
  write_table(file, from);
  pf_status status =
      ferror(file) != 0 ? pf_fail(error, PF_STOP, "%s: cannot be written", path) : PF_OK;
  status = fclose(file) != 0 ? pf_fail(error, PF_STOP, "%s: cannot be written", path) : status;
  status = status == PF_OK
               ? read_table(registry, path,
                            pf_recording_target(&from->recordings[0], "activity")->n, to, error)
               : status;
  (void)unlink(path);
  if (status == PF_OK && to->n != from->n) {
    return pf_fail(error, PF_STOP, "the table came back with %zu experiments, expected %zu", to->n,
                   from->n);
  }
  for (size_t r = 0; r < from->n && status == PF_OK; r++) {
    if (!is_same(&from->recordings[r], &to->recordings[r])) {
      status = pf_fail(error, PF_STOP, "experiment %zu came back from the table as another", r);
    }
  }
  return status;
}
