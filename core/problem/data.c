#include "core/problem/data.h"

#include "core/base/memory.h"
#include "core/base/memory_limit.h"
#include "core/base/nearest_file.h"
#include "core/base/random.h"
#include "core/data/chain.h"
#include "core/engine/batch.h"
#include "core/problem/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static pf_status receive_experiment(const pf_sink *sink, const pf_experiment *experiment,
                                    pf_error *error)
{
  pf_problem *problem = sink->impl;
  const pf_settings *settings = problem->settings;
  if (pf_dataset_add(&problem->data, experiment, error) != PF_OK) {
    return PF_STOP;
  }
  pf_recording *recording = &problem->data.recordings[problem->data.n - 1];
  if (pf_recording_expect_reward(recording, &settings->expectation, error) != PF_OK ||
      pf_recording_derive(recording, settings->derived, settings->n_derived, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_recording_input_channels(recording, settings->input_channels, error);
}

/**
 * theta of a simulated animal that is drawn from a population, to be freed; NULL where animals do
 * not differ. A value beyond its bounds is drawn again; from the 100th on it is put on its bound.
 */
static pf_status draw_theta(const pf_problem *problem, uint64_t seed, int64_t index, double **out,
                            pf_error *error)
{
  enum { MAX_DRAWS = 100 };
  const pf_model *teacher = problem->models->teacher;
  *out = NULL;
  for (size_t i = 0; i < teacher->n_parameters; i++) {
    const pf_model_parameter *parameter = &teacher->parameters[i];
    if ((!(parameter->spread > 0.0) && parameter->change == 0.0) || parameter->tied) {
      continue;
    }
    if (*out == NULL) {
      *out = pf_memory_need(teacher->n_parameters, sizeof **out, error);
      if (*out == NULL) {
        return PF_STOP;
      }
      memcpy(*out, problem->models->teacher_theta, teacher->n_parameters * sizeof **out);
    }
    const double lower = parameter->declared.lower, upper = parameter->declared.upper;
    const pf_stream stream = {seed, PF_RANDOM_TRUE_PARAMETER, (uint32_t)index, (uint32_t)i};
    const double middle = (*out)[i] + (index % 2 != 0 ? parameter->change : 0.0);
    double value = NAN;
    for (uint64_t k = 0; k < MAX_DRAWS && !(value >= lower && value <= upper); k++) {
      double z;
      pf_random_normal(stream, 2 * k, 1, &z);
      value = middle + parameter->spread * z;
    }
    (*out)[i] = fmin(fmax(value, lower), upper);
  }
  if (*out != NULL) {
    pf_tie(teacher->parameters, teacher->n_parameters, *out);
  }
  return PF_OK;
}

pf_status pf_data_simulate(const pf_problem *problem, pf_dataset *data, const char *word,
                           int64_t first, int64_t n, pf_error *error)
{
  const pf_settings *settings = problem->settings;
  const pf_models *models = problem->models;
  const double max_bytes = (double)settings->memory + (double)PF_MEMORY_READING_OVERHEAD;
  const double n_runs = (double)settings->animals + (double)settings->evaluate.animals;
  for (int64_t a = 0; a < n; a++) {
    char name[48];
    (void)snprintf(name, sizeof name, "%s%lld", word, (long long)(a + 1));
    double *own = NULL;
    pf_status status = draw_theta(problem, problem->seed, first + a, &own, error);
    if (status != PF_OK) {
      return status;
    }
    const pf_task_run loop = {.model = models->teacher,
                              .theta = own != NULL ? own : models->teacher_theta,
                              .task = &models->source,
                              .input = &settings->input,
                              .expectation = &settings->expectation,
                              .derived = settings->derived,
                              .n_derived = settings->n_derived,
                              .sessions = {settings->sessions.count, settings->sessions.gap},
                              .seed = problem->seed,
                              .index = first + a,
                              .animal = name,
                              .max_bytes = max_bytes,
                              .n_runs = n_runs};
    status = pf_simulate(&loop, data, error);
    if (status != PF_OK) {
      pf_memory_free(own);
      return status;
    }
    pf_recording *recording = &data->recordings[data->n - 1];
    recording->true_theta = own;
    if (pf_recording_derive(recording, settings->derived, settings->n_derived, error) != PF_OK ||
        pf_record_worse(&settings->record, problem->seed, first + a, recording, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Adds the cells that each loss observes on the fitted steps of recording i to cells [n_losses];
 * *any: are there some? */
static pf_status count_cells(const pf_problem *problem, size_t i, int64_t *cells, bool *any,
                             pf_error *error)
{
  pf_draw *draw = NULL;
  pf_status status =
      pf_problem_draw(problem, &(pf_draw_id){&problem->data, i, 0, false}, &draw, error);
  *any = false;
  for (size_t k = 0; k < problem->model->n_losses; k++) {
    int64_t n = 0;
    if (status == PF_OK) {
      status = pf_batch_cells(problem->model, draw, k, &n, error);
    }
    cells[k] += n;
    *any |= n > 0;
  }
  pf_draw_free(problem->model, draw);
  return status;
}

/* Warnings of one kind: more would hide what else there is. */
enum { MAX_WARNINGS = 10 };

static void warn_left_out(const pf_problem *problem, const bool *gone, size_t n_gone)
{
  const pf_dataset *data = &problem->data;
  const pf_host *host = pf_config_host(problem->config);
  char line[PF_ERROR_LENGTH];
  size_t n = 0;
  for (size_t i = 0; i < data->n && n < MAX_WARNINGS; i++) {
    if (gone[i]) {
      n++;
      (void)snprintf(line, sizeof line,
                     "%.500s is left out: no loss observes anything in its fitted steps",
                     data->recordings[i].name);
      host->warn(host, line);
    }
  }
  if (n_gone > n) {
    (void)snprintf(line, sizeof line, "%zu more are left out for the same reason", n_gone - n);
    host->warn(host, line);
  }
}

/** A recording in which no loss observes anything is left out: it says nothing, and should not stop
 * the others. One stays, for the message. */
static pf_status leave_out_unobserved(pf_problem *problem, int64_t *cells, pf_error *error)
{
  pf_dataset *data = &problem->data;
  pf_status status = PF_OK;
  size_t n_gone = 0;
  bool *gone = pf_memory_need(data->n, sizeof *gone, error);
  if (gone == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < data->n; i++) {
    bool any = false;
    status = count_cells(problem, i, cells, &any, error);
    if (status != PF_OK) {
      goto done;
    }
    gone[i] = !any && n_gone + 1 < data->n;
    n_gone += gone[i] ? 1 : 0;
  }
  if (n_gone > 0) {
    warn_left_out(problem, gone, n_gone);
    status = pf_dataset_remove(data, gone, error);
  }
done:
  pf_memory_free(gone);
  return status;
}

/** Say now, not after the fit, that inputs do not match the network or that a loss finds no target.
 */
static pf_status try_draws(pf_problem *problem, pf_error *error)
{
  const size_t n_losses = problem->model->n_losses;
  int64_t *cells = pf_memory_need(n_losses, sizeof *cells, error);
  if (cells == NULL) {
    return PF_STOP;
  }
  pf_status status = leave_out_unobserved(problem, cells, error);
  for (size_t k = 0; k < n_losses; k++) {
    if (status == PF_OK && cells[k] == 0) {
      status = pf_fail(error, PF_STOP,
                       "%s observes nothing in %s%s: every cell of '%s' is missing or not fitted",
                       problem->model->losses[k].loss->label, problem->data.recordings[0].name,
                       problem->data.n > 1 ? " and the others" : "",
                       problem->model->losses[k].declared.targets.items[0]);
    }
  }
  pf_memory_free(cells);
  return status;
}

static pf_status simulate_data(pf_problem *problem, pf_error *error)
{
  const pf_settings *settings = problem->settings;
  const pf_status status =
      pf_data_simulate(problem, &problem->data, "animal", 0, settings->animals, error);
  if (status != PF_OK) {
    return status;
  }
  return pf_data_simulate(problem, &problem->fresh, "fresh", settings->animals,
                          settings->evaluate.animals, error);
}

/* The number of "animal12", from 0; -1: it was not simulated under that name. */
static int64_t number_of_animal(const char *name)
{
  static const char word[] = "animal";
  char *end = NULL;
  if (strncmp(name, word, sizeof word - 1) != 0) {
    return -1;
  }
  const long long number = strtoll(name + sizeof word - 1, &end, 10);
  return *end == '\0' && number > 0 ? number - 1 : -1;
}

/* Animals of `plastfit simulate` that differ: source.truth.seed is the one that they were drawn
 * with, so that each has its own truth here too. */
static pf_status draw_truths(pf_problem *problem, pf_error *error)
{
  const char *word = NULL;
  if (problem->models->teacher == NULL ||
      !pf_node_string(pf_node_get(pf_models_truth(problem->models), "seed"), &word)) {
    return PF_OK;
  }
  for (size_t i = 0; i < problem->data.n; i++) {
    pf_recording *recording = &problem->data.recordings[i];
    const int64_t number = number_of_animal(recording->animal);
    if (number >= 0 && draw_theta(problem, strtoull(word, NULL, 10), number, &recording->true_theta,
                                  error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status read_data(pf_problem *problem, pf_error *error)
{
  const pf_component *source = &problem->models->source;
  const pf_sink sink = {.size = sizeof sink, .impl = problem, .experiment = receive_experiment};
  const pf_memory_limit limit =
      pf_memory_limit_begin(problem->settings->memory + PF_MEMORY_READING_OVERHEAD);
  const pf_status status = source->plugin->source->read(source->self, &sink, error);
  pf_memory_limit_end(&limit);
  if (status != PF_OK) {
    pf_suggest_file(error);
    return status;
  }
  if (problem->data.n == 0) {
    return pf_fail(error, PF_STOP, "%s gave no experiments", source->label);
  }
  if (draw_truths(problem, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_session_settings *sessions = &problem->settings->sessions;
  return sessions->persist ? pf_dataset_chain(&problem->data, sessions->gap, error) : PF_OK;
}

pf_status pf_data_create(pf_problem *problem, pf_error *error)
{
  const pf_component *source = &problem->models->source;
  pf_status status =
      pf_source_is_task(source) ? simulate_data(problem, error) : read_data(problem, error);
  if (status == PF_OK) {
    status = try_draws(problem, error);
  }
  if (status != PF_OK) {
    pf_error_locate(error, problem->config, source->node);
  }
  return status;
}
