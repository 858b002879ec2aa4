#include "core/evaluate/closed_loop.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/closed_loop/live_channels.h"
#include "core/data/data_names.h"
#include "core/problem/problem.h"

#include <string.h>

/* Acting animals take random numbers that no simulated and no fresh animal uses. */
enum { ACTING = 1 << 25 };

static bool has_name(pf_names names, const char *name)
{
  for (size_t i = 0; i < names.count; i++) {
    if (strcmp(names.items[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static pf_status no_channel(const pf_problem *run, size_t p, const char *channel,
                            const pf_component *task, pf_names given, pf_error *error)
{
  pf_text all = {0};
  for (size_t i = 0; i < given.count; i++) {
    pf_text_add(&all, ", %s", given.items[i]);
  }
  const pf_status status =
      pf_fail(error, PF_STOP,
              "%s learns by the channel '%s', which %s does not give; it gives: expected_reward%s",
              run->models->owners[p], channel, task->label, all.text == NULL ? "" : all.text);
  pf_text_free(&all);
  return status;
}

/** Does the task's config derive the channel, in a way that can be followed step by step? */
static bool is_derived(const pf_problem *task, pf_names channels, const char *name)
{
  const pf_settings *settings = task->settings;
  for (size_t k = 0; k < settings->n_derived; k++) {
    if (strcmp(settings->derived[k].name, name) == 0) {
      return pf_live_channels_have(settings->derived, k + 1, channels, name);
    }
  }
  return false;
}

pf_status pf_closed_loop_check(const pf_problem *run, const pf_problem *task, pf_error *error)
{
  const pf_model *model = run->model;
  pf_source_declaration declared = {.size = sizeof declared};
  if (!pf_source_is_task(&task->models->source)) {
    return pf_fail(error, PF_STOP, "%s reads data: there is no task in it for the fitted rule",
                   task->models->source.label);
  }
  const pf_status status =
      task->models->source.plugin->source->declare(task->models->source.self, &declared, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_modulation *modulation = &model->plastic[p].modulation;
    for (size_t c = 0; c < modulation->n_channels; c++) {
      const char *name = modulation->channels[c];
      if (!pf_is_expected_reward(name) && !pf_is_choice(name) &&
          !has_name(declared.channels, name) && !is_derived(task, declared.channels, name)) {
        return no_channel(run, p, name, &task->models->source, declared.channels, error);
      }
    }
  }
  return PF_OK;
}

/** One animal, as often as wanted. */
typedef struct actor {
  const pf_problem *run, *task;
  size_t animal; /**< of run->data */
  int64_t repeats;
  const double *theta;
  pf_real *const *given_w; /**< [n projections]: the file's starting weights, or NULL each */
} actor;

static pf_status run_once(const actor *who, int64_t repeat, pf_dataset *out, pf_error *error)
{
  const pf_settings *settings = who->task->settings;
  const char *animal = who->run->data.animals[who->animal];
  char name[300];
  pf_error failed = pf_error_none();
  if (repeat == 0) {
    (void)snprintf(name, sizeof name, "%.250s", animal);
  } else {
    (void)snprintf(name, sizeof name, "%.250s-%lld", animal, (long long)repeat + 1);
  }
  const pf_task_run loop = {.model = who->run->model,
                            .theta = who->theta,
                            .task = &who->task->models->source,
                            .input = &settings->input,
                            .expectation = &settings->expectation,
                            .derived = settings->derived,
                            .n_derived = settings->n_derived,
                            .sessions = {settings->sessions.count, settings->sessions.gap},
                            .given_w = who->given_w,
                            .seed = settings->seed,
                            .index = ACTING + (int64_t)who->animal * who->repeats + repeat,
                            .animal = name};
  const pf_status status = pf_simulate(&loop, out, &failed);
  if (status == PF_POINT_FAILED) {
    const pf_host *host = pf_host_default();
    char line[PF_ERROR_LENGTH + 64];
    (void)snprintf(line, sizeof line, "left out of the task: %s", failed.text);
    host->warn(host, line);
    return PF_OK;
  }
  if (status != PF_OK) {
    *error = failed;
  }
  return status;
}

/** who->theta is in `theta`, [n_parameters]. */
static pf_status run_animal(actor *who, const pf_fit *fit, double *theta, pf_dataset *out,
                            pf_error *error)
{
  const pf_problem *run = who->run;
  const pf_fit_group *group =
      &fit->groups[run->settings->fit.per == PF_FIT_SHARED ? 0 : who->animal];
  const size_t i = pf_dataset_first(&run->data, who->animal);
  if (group->status != PF_OK) {
    return PF_OK;
  }
  const size_t local = pf_layout_recording(group->layout, &run->data.recordings[i]);
  if (local == PF_LAYOUT_NONE) {
    return PF_OK;
  }
  pf_draw *draw = NULL; /* has the weights that the file gives this animal */
  pf_layout_theta(group->layout, group->values, local, theta);
  pf_status status = pf_problem_draw(run, &(pf_draw_id){&run->data, i, 0, false}, &draw, error);
  if (status != PF_OK) {
    return status;
  }
  who->given_w = draw->given_w;
  for (int64_t k = 0; k < who->repeats; k++) {
    status = run_once(who, k, out, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_draw_free(run->model, draw);
  return status;
}

pf_status pf_closed_loop(const pf_problem *run, const pf_fit *fit, const pf_problem *task,
                         int64_t repeats, pf_dataset *out, pf_error *error)
{
  pf_status status = pf_closed_loop_check(run, task, error);
  if (status != PF_OK) {
    return status;
  }
  double *theta = pf_memory_need(run->model->n_parameters, sizeof *theta, error);
  if (theta == NULL) {
    return PF_STOP;
  }
  actor who = {.run = run, .task = task, .repeats = repeats, .theta = theta};
  for (who.animal = 0; who.animal < run->data.n_animals; who.animal++) {
    status = run_animal(&who, fit, theta, out, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_memory_free(theta);
  return status;
}

pf_status pf_closed_loop_of_fit(const pf_problem *run, const pf_fit *fit, pf_dataset *out,
                                pf_error *error)
{
  pf_error no = pf_error_none();
  if (run->models->source.plugin == NULL || run->data.n == 0 ||
      pf_recording_target(&run->data.recordings[0], "choice") == NULL ||
      pf_closed_loop_check(run, run, &no) != PF_OK) {
    return PF_OK;
  }
  return pf_closed_loop(run, fit, run, 1, out, error);
}
