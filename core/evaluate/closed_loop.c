#include "core/evaluate/closed_loop.h"

#include "core/base/memory.h"
#include "core/base/text.h"
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
  for (size_t p = 0; p < model->n_plastic && status == PF_OK; p++) {
    for (size_t m = 0; m < model->plastic[p].declared.modulators.count; m++) {
      const pf_linear *linear = &model->plastic[p].modulators[m];
      for (size_t i = 0; i < linear->n; i++) {
        if (strcmp(linear->names[i], "expected_reward") != 0 &&
            !has_name(declared.channels, linear->names[i])) {
          return no_channel(run, p, linear->names[i], &task->models->source, declared.channels,
                            error);
        }
      }
    }
  }
  return status;
}

/** The first recording of an animal. */
static size_t first_recording(const pf_dataset *data, size_t animal)
{
  size_t i = 0;
  while (data->recordings[i].animal_index != animal) {
    i++;
  }
  return i;
}

/** One life. `given` [n projections]: starting weights that the run was told, or NULL each. */
static pf_status live(const pf_problem *run, const pf_problem *task, const double *theta,
                      pf_real *const *given, size_t animal, int64_t repeat, int64_t index,
                      pf_dataset *out, pf_error *error)
{
  char name[300];
  pf_error failed = pf_error_none();
  const pf_host *host = pf_host_default();
  if (repeat == 0) {
    (void)snprintf(name, sizeof name, "%.250s", run->data.animals[animal]);
  } else {
    (void)snprintf(name, sizeof name, "%.250s-%lld", run->data.animals[animal],
                   (long long)repeat + 1);
  }
  const pf_task_run loop = {
      .model = run->model,
      .theta = theta,
      .task = &task->models->source,
      .input = &task->settings->input,
      .expectation = &task->settings->expectation,
      .sessions = {task->settings->sessions.count, task->settings->sessions.gap},
      .given_w = given,
      .seed = task->settings->seed,
      .index = ACTING + index,
      .animal = name};
  const pf_status status = pf_simulate(&loop, out, &failed);
  if (status == PF_POINT_FAILED) {
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

pf_status pf_closed_loop(const pf_problem *run, const pf_fit *fit, const pf_problem *task,
                         int64_t repeats, pf_dataset *out, pf_error *error)
{
  const pf_model *model = run->model;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  pf_status status = theta == NULL ? PF_STOP : pf_closed_loop_check(run, task, error);
  for (size_t a = 0; a < run->data.n_animals && status == PF_OK; a++) {
    const pf_fit_group *unit = &fit->groups[run->settings->fit.per == PF_FIT_SHARED ? 0 : a];
    const size_t i = first_recording(&run->data, a);
    const size_t local = unit->status == PF_OK
                             ? pf_layout_recording(unit->layout, &run->data.recordings[i])
                             : PF_LAYOUT_NONE;
    pf_draw *draw = NULL; /* has the weights that the file gives this animal */
    if (local == PF_LAYOUT_NONE) {
      continue;
    }
    pf_layout_theta(unit->layout, unit->values, local, theta);
    status = pf_problem_draw(run, &run->data, i, 0, false, &draw, error);
    for (int64_t k = 0; k < repeats && status == PF_OK; k++) {
      status = live(run, task, theta, draw->given_w, a, k, (int64_t)a * repeats + k, out, error);
    }
    pf_draw_free(model, draw);
  }
  pf_memory_free(theta);
  return status;
}
