/* Closed loop: a model acts in a task, step by step, and what happened becomes a recording. */
#include "core/closed_loop/simulate.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/engine/failures.h"
#include "core/engine/population.h"
#include "core/engine/starting_state.h"
#include "core/engine/synaptic_state.h"
#include "core/engine/trajectory.h"
#include "core/engine/workspace.h"

#include <math.h>
#include <string.h>

/** A simulated animal in its task. Arrays of the recording grow with the steps. */
typedef struct animal {
  const pf_model *model;
  const double *theta;
  const pf_component *task;
  pf_source_declaration declared;
  pf_workspace *workspace; /* two steps long: this one and the one before, in turns */
  pf_real *x;              /* [2][n_input] likewise */
  pf_real *carried;        /* what plastic projections carry, before and after a step */
  pf_real *scratch;
  size_t buffer_cells;
  uint64_t seed;
  uint32_t index;
  int64_t probability; /* observable, or -1 */
  int64_t n_input, n_channels, n_targets;
  int64_t n_steps, capacity;
  double *cue, *input;    /* [capacity][n_input] */
  uint32_t *flags;        /* [capacity] */
  double *dt;             /* [capacity] */
  int64_t *trial, *block; /* [capacity] */
  double **channels;      /* [n_channels], each [capacity] */
  double **targets;       /* [n_targets], each [capacity][width] */
  int64_t *width;         /* [n_targets] */
  int64_t *observable;    /* [n_targets] what is recorded; -1: the choice */
  pf_real **modulators;   /* [n_plastic], each one step */
  double *state, *uniform, *normal, *noise, *settled;
  pf_expectation_state expectation;
  int64_t session;        /* first step of the session that goes on */
  int64_t trial0, block0; /* trials and blocks before it */
  double gap;             /* hours between sessions */
} animal;

static pf_stream stream_of(const animal *self, enum pf_purpose purpose)
{
  return (pf_stream){.seed = self->seed, .purpose = (uint32_t)purpose, .animal = self->index};
}

/* ---- memory ---- */

static pf_status grow_array(void *array, size_t item, int64_t n, int64_t larger, pf_error *error)
{
  void **buffer = array;
  void *moved = pf_memory_need((size_t)larger, item, error);
  if (moved == NULL) {
    return PF_STOP;
  }
  if (n > 0) {
    memcpy(moved, *buffer, (size_t)n * item);
  }
  pf_memory_free(*buffer);
  *buffer = moved;
  return PF_OK;
}

static pf_status reserve_step(animal *self, pf_error *error)
{
  const int64_t n = self->n_steps;
  if (n < self->capacity) {
    return PF_OK;
  }
  int64_t larger = self->capacity == 0 ? 512 : 2 * self->capacity;
  size_t row = (size_t)self->n_input * sizeof(double);
  void *cue = self->cue, *input = self->input, *flags = self->flags, *dt = self->dt,
       *trial = self->trial, *block = self->block;
  pf_status status = grow_array(&cue, row, n, larger, error);
  self->cue = cue;
  status = status == PF_OK ? grow_array(&input, row, n, larger, error) : status;
  self->input = input;
  status = status == PF_OK ? grow_array(&flags, sizeof *self->flags, n, larger, error) : status;
  self->flags = flags;
  status = status == PF_OK ? grow_array(&dt, sizeof *self->dt, n, larger, error) : status;
  self->dt = dt;
  status = status == PF_OK ? grow_array(&trial, sizeof *self->trial, n, larger, error) : status;
  self->trial = trial;
  status = status == PF_OK ? grow_array(&block, sizeof *self->block, n, larger, error) : status;
  self->block = block;
  for (int64_t k = 0; k < self->n_channels && status == PF_OK; k++) {
    void *values = self->channels[k];
    status = grow_array(&values, sizeof(double), n, larger, error);
    self->channels[k] = values;
  }
  for (int64_t k = 0; k < self->n_targets && status == PF_OK; k++) {
    void *values = self->targets[k];
    status = grow_array(&values, (size_t)self->width[k] * sizeof(double), n, larger, error);
    self->targets[k] = values;
  }
  self->capacity = status == PF_OK ? larger : self->capacity;
  return status;
}

static void animal_clear(animal *self)
{
  for (int64_t k = 0; self->channels != NULL && k < self->n_channels; k++) {
    pf_memory_free(self->channels[k]);
  }
  for (int64_t k = 0; self->targets != NULL && k < self->n_targets; k++) {
    pf_memory_free(self->targets[k]);
  }
  for (size_t p = 0; self->modulators != NULL && p < self->model->n_plastic; p++) {
    pf_memory_free(self->modulators[p]);
  }
  pf_memory_free(self->channels);
  pf_memory_free(self->targets);
  pf_memory_free(self->width);
  pf_memory_free(self->observable);
  pf_memory_free(self->modulators);
  pf_memory_free(self->cue);
  pf_memory_free(self->input);
  pf_memory_free(self->flags);
  pf_memory_free(self->dt);
  pf_memory_free(self->trial);
  pf_memory_free(self->block);
  pf_memory_free(self->state);
  pf_memory_free(self->uniform);
  pf_memory_free(self->normal);
  pf_memory_free(self->noise);
  pf_memory_free(self->settled);
  pf_memory_free(self->expectation.memory);
  pf_memory_free(self->x);
  pf_memory_free(self->carried);
  pf_memory_free(self->scratch);
  pf_workspace_free(self->workspace);
}

/** What the host can record from the network under a target's name. */
static pf_status prepare_targets(animal *self, pf_error *error)
{
  for (int64_t k = 0; k < self->n_targets; k++) {
    const char *name = self->declared.targets.items[k];
    int64_t n = 0, ld = 0;
    if (strcmp(name, "choice") == 0) {
      if (self->probability < 0) {
        return pf_fail(error, PF_STOP,
                       "%s needs choices, but %s has no observable 'probability'; give its last "
                       "layer output = "
                       "\"sigmoid\"",
                       self->task->label, self->model->network->label);
      }
      self->width[k] = 1;
      self->observable[k] = -1;
      continue;
    }
    self->observable[k] = pf_model_observable(self->model, name);
    if (self->observable[k] < 0) {
      pf_text all = {0};
      for (size_t o = 0; o < self->model->n_observables; o++) {
        const pf_observable *observable = &self->model->observables[o];
        pf_text_add(&all, "%s%s", o > 0 ? ", " : "", observable->name);
      }
      pf_status status =
          pf_fail(error, PF_STOP, "%s wants '%s' recorded, which %s cannot give; it has: %s",
                  self->task->label, name, self->model->network->label,
                  all.text == NULL ? "none" : all.text);
      pf_text_free(&all);
      return status;
    }
    (void)pf_workspace_observable(self->workspace, self->observable[k], &n, &ld);
    self->width[k] = n;
  }
  return PF_OK;
}

static pf_status animal_make(animal *self, const pf_expected_reward *expectation, pf_error *error)
{
  const pf_model *model = self->model;
  self->declared.size = sizeof self->declared;
  pf_status status = self->task->plugin->source->declare(self->task->self, &self->declared, error);
  status = status == PF_OK ? pf_workspace_create(model, 2, &self->workspace, error) : status;
  status = status == PF_OK ? pf_trajectory_need(self->workspace, error) : status;
  if (status != PF_OK) {
    return status;
  }
  self->n_input = pf_model_n_input(model);
  self->n_channels = (int64_t)self->declared.channels.count;
  self->n_targets = (int64_t)self->declared.targets.count;
  self->probability = pf_model_observable(model, "probability");
  self->channels = pf_memory_need(self->declared.channels.count, sizeof *self->channels, error);
  self->targets = pf_memory_need(self->declared.targets.count, sizeof *self->targets, error);
  self->width = pf_memory_need(self->declared.targets.count, sizeof *self->width, error);
  self->observable = pf_memory_need(self->declared.targets.count, sizeof *self->observable, error);
  self->modulators = pf_memory_need(model->n_plastic, sizeof *self->modulators, error);
  self->state = pf_memory_need((size_t)self->declared.n_state, sizeof(double), error);
  self->uniform = pf_memory_need((size_t)self->declared.n_uniform, sizeof(double), error);
  self->normal = pf_memory_need((size_t)self->declared.n_normal, sizeof(double), error);
  self->noise = pf_memory_need((size_t)model->n_noise, sizeof(double), error);
  self->settled = pf_memory_need(self->declared.channels.count, sizeof(double), error);
  self->expectation.memory =
      pf_memory_need((size_t)(expectation->n > 0 ? expectation->n : 1), sizeof(double), error);
  if (self->channels == NULL || self->targets == NULL || self->width == NULL ||
      self->observable == NULL || self->modulators == NULL || self->state == NULL ||
      self->uniform == NULL || self->normal == NULL || self->noise == NULL ||
      self->settled == NULL || self->expectation.memory == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    self->modulators[p] =
        pf_memory_need(model->plastic[p].declared.modulators.count, sizeof(pf_real), error);
    if (self->modulators[p] == NULL) {
      return PF_STOP;
    }
  }
  return prepare_targets(self, error);
}

/* ---- one step ---- */

static pf_step_context context_of(const animal *self, int64_t step)
{
  const bool anew = step == 0 || (self->flags[step] & PF_STEP_RESET_STATE) != 0;
  return (pf_step_context){.row = step % 2,
                           .previous = anew ? -1 : (step + 1) % 2,
                           .flags = self->flags[step],
                           .changes = (self->flags[step] & PF_STEP_PLASTIC) != 0,
                           .dt = self->dt[step],
                           .modulators = self->modulators};
}

/** Starting weights and traces. */
static pf_status start_carried(animal *self, pf_error *error)
{
  const pf_workspace *workspace = self->workspace;
  size_t scratch = 0, at = 0;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t needed = pf_synaptic_scratch(self->model, weights, weights->n_post, false);
      self->buffer_cells += pf_synaptic_cells(self->model, weights, weights->n_post);
      scratch = needed > scratch ? needed : scratch;
    }
  }
  self->carried = pf_memory_need(2 * self->buffer_cells, sizeof *self->carried, error);
  self->scratch = pf_memory_need(scratch, sizeof *self->scratch, error);
  if (self->carried == NULL || self->scratch == NULL) {
    return PF_STOP;
  }
  for (size_t q = 0; q < self->model->n_projections; q++) {
    if (workspace->weights[q].plastic != NULL) {
      const pf_synaptic_state synaptic =
          pf_synaptic_make(workspace, self->theta, q, 0, workspace->weights[q].n_post);
      pf_synaptic_start(&synaptic, self->carried + at);
      at += synaptic.cells;
    }
  }
  return PF_OK;
}

/** The weights in force are those in the first slot. */
static void set_weights(animal *self)
{
  size_t at = 0;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    pf_weights *weights = &self->workspace->weights[q];
    weights->now = weights->states;
    if (weights->plastic != NULL) {
      weights->now = self->carried + at;
      at += pf_synaptic_cells(self->model, weights, weights->n_post);
    }
  }
}

/** Traces and weights after a step. */
static pf_status carry_on(animal *self, int64_t step, pf_error *error)
{
  const pf_step_context context = context_of(self, step);
  pf_real *from = self->carried, *to = self->carried + self->buffer_cells;
  pf_status status = PF_OK;
  for (size_t q = 0; q < self->model->n_projections && status == PF_OK; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic =
        pf_synaptic_make(self->workspace, self->theta, q, 0, weights->n_post);
    status = pf_synaptic_step(&synaptic, &context, from, to, self->scratch, error);
    /* told here: units that saturate would hide it, and the animal seem to be well */
    if (status == PF_OK && !pf_all_finite(to, synaptic.cells)) {
      status = pf_fail(error, PF_POINT_FAILED,
                       "the weights of '%s' overflowed; a rule with decay, or a smaller eta, keeps "
                       "them in bounds",
                       weights->info->name);
    }
    memcpy(from, to, synaptic.cells * sizeof *from);
    from += synaptic.cells;
    to += synaptic.cells;
  }
  return status;
}

/** x = mean * cue + sd * noise for the step just presented. */
static void see_cue(animal *self, const pf_input_noise *input)
{
  const int64_t at = self->n_steps * self->n_input;
  pf_random_normal(stream_of(self, PF_RANDOM_TRUE_INPUT), (uint64_t)at, self->n_input,
                   self->input + at);
  for (int64_t j = 0; j < self->n_input; j++) {
    self->input[at + j] = input->mean * self->cue[at + j] + input->sd * self->input[at + j];
  }
}

/** One of n categories; NaN where the outputs are no distribution (a sigmoid each): then there is
 * no choice. */
static double choose_category(const pf_real *probability, int64_t n, double uniform)
{
  double sum = 0.0;
  int64_t chosen = n - 1; /* the sum may round to below the uniform number */
  for (int64_t k = n; k-- > 0;) {
    sum += (double)probability[k];
  }
  if (fabs(sum - 1.0) > 1e-4) {
    return NAN;
  }
  double below = 0.0;
  for (int64_t k = 0; k < n; k++) {
    below += (double)probability[k];
    if (uniform < below) {
      chosen = k;
      break;
    }
  }
  return (double)chosen;
}

/** Run the network on the step's input and record what it does; returns the choice, NaN where there
 * is none. */
static pf_status activate(animal *self, double *choice, pf_error *error)
{
  pf_workspace *workspace = self->workspace;
  const pf_step_context context = context_of(self, self->n_steps);
  for (int64_t j = 0; j < self->n_input; j++) {
    self->x[context.row * self->n_input + j] =
        (pf_real)self->input[self->n_steps * self->n_input + j];
  }
  set_weights(self);
  for (size_t p = 1; p < self->model->n_populations; p++) {
    const pf_population_steps step = {p, context.row, context.row, &context};
    const pf_status status = pf_population_activate(workspace, self->theta, &step, error);
    if (status != PF_OK) {
      return status;
    }
  }
  int64_t n = 0, ld = 0;
  *choice = NAN;
  if (self->probability >= 0) {
    const pf_real *probability = pf_workspace_observable(workspace, self->probability, &n, &ld);
    double uniform = 0.0;
    probability += context.row * ld;
    if (isnan(probability[0])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the probability of a choice is not a number: the weights overflowed");
    }
    pf_random_uniform(stream_of(self, PF_RANDOM_CHOICE), (uint64_t)self->n_steps, 1, &uniform);
    *choice = n == 1 ? (uniform < (double)probability[0] ? 1.0 : 0.0)
                     : choose_category(probability, n, uniform);
  }
  for (int64_t k = 0; k < self->n_targets; k++) {
    double *row = self->targets[k] + self->n_steps * self->width[k];
    bool is_choice = self->observable[k] < 0;
    const pf_real *from =
        is_choice ? NULL : pf_workspace_observable(workspace, self->observable[k], &n, &ld);
    from = is_choice ? NULL : from + context.row * ld;
    for (int64_t i = 0; i < self->width[k]; i++) {
      row[i] = is_choice ? *choice : (double)from[i];
      if (!is_choice && !isfinite(row[i])) {
        return pf_fail(error, PF_POINT_FAILED,
                       "the activity of unit %lld is %g: the weights overflowed", (long long)i,
                       row[i]);
      }
    }
  }
  return PF_OK;
}

/** Weights after the step: modulators from its channels, then the rule. */
static pf_status learn(animal *self, int64_t step, const pf_expected_reward *expectation,
                       pf_error *error)
{
  const pf_model *model = self->model;
  const double expected = self->expectation.value;
  double reward = 0.0;
  for (int64_t c = 0; c < self->n_channels; c++) {
    if (strcmp(self->declared.channels.items[c], "reward") == 0 &&
        !isnan(self->channels[c][step])) {
      reward = self->channels[c][step];
      pf_expectation_enter(expectation, &self->expectation, reward);
    }
  }
  if ((self->flags[step] & PF_STEP_PLASTIC) == 0 && !pf_model_has_traces(model)) {
    return PF_OK;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    for (size_t k = 0; k < model->plastic[p].declared.modulators.count; k++) {
      const pf_linear *linear = &model->plastic[p].modulators[k];
      double value = linear->constant;
      for (size_t i = 0; i < linear->n; i++) {
        double channel = strcmp(linear->names[i], "expected_reward") == 0 ? expected : 0.0;
        for (int64_t c = 0; c < self->n_channels; c++) {
          if (strcmp(self->declared.channels.items[c], linear->names[i]) == 0) {
            channel = strcmp(linear->names[i], "reward") == 0 ? reward : self->channels[c][step];
          }
        }
        value += linear->factors[i] * channel;
      }
      self->modulators[p][k] = (pf_real)value;
    }
  }
  return carry_on(self, step, error);
}

/** Ask the task to settle the last step and present the next one. */
static pf_status ask_task(animal *self, double choice, pf_task_out *out, pf_error *error)
{
  const size_t last = self->model->n_populations - 1;
  const pf_activity *output = &self->workspace->activity[last];
  const int64_t row = (self->n_steps + 1) % 2; /* of the step that went before */
  pf_random_uniform(stream_of(self, PF_RANDOM_TASK),
                    (uint64_t)(self->n_steps * self->declared.n_uniform), self->declared.n_uniform,
                    self->uniform);
  pf_stream normals = stream_of(self, PF_RANDOM_TASK);
  normals.draw = 1;
  pf_random_normal(normals, (uint64_t)(self->n_steps * self->declared.n_normal),
                   self->declared.n_normal, self->normal);
  memset(self->settled, 0, (size_t)self->n_channels * sizeof *self->settled);
  const pf_task_in in = {.size = sizeof in,
                         .step = self->n_steps - self->session,
                         .choice = choice,
                         .output = output->signals + row * output->ld,
                         .n_output = output->n,
                         .n_input = self->n_input,
                         .uniform = self->uniform,
                         .normal = self->normal};
  *out = (pf_task_out){.size = sizeof *out,
                       .channels = self->settled,
                       .cue = self->cue + self->n_steps * self->n_input};
  return self->task->plugin->source->next(self->task->self, self->state, &in, out, error);
}

static pf_status live(animal *self, const pf_input_noise *input,
                      const pf_expected_reward *expectation, pf_error *error)
{
  double choice = NAN;
  pf_status status = PF_OK;
  for (;;) {
    pf_task_out out;
    status = reserve_step(self, error);
    status = status == PF_OK ? ask_task(self, choice, &out, error) : status;
    if (status == PF_OK && self->n_steps > self->session) {
      const int64_t settled = self->n_steps - 1;
      self->flags[settled] |= out.flags;
      for (int64_t c = 0; c < self->n_channels; c++) {
        self->channels[c][settled] = self->settled[c];
      }
      status = learn(self, settled, expectation, error);
      self->n_steps =
          status == PF_OK ? self->n_steps : settled; /* the step that an error is told of */
    }
    if (status != PF_OK || out.done != 0) {
      return status;
    }
    if (self->n_steps - self->session >= self->declared.max_steps) {
      return pf_fail(error, PF_STOP, "%s: a run is not over after %lld steps, the most it allows",
                     self->task->label, (long long)self->declared.max_steps);
    }
    self->trial[self->n_steps] = self->trial0 + out.trial;
    self->block[self->n_steps] = self->block0 + out.block;
    self->dt[self->n_steps] = out.dt;
    self->flags[self->n_steps] = out.starts;
    if (self->n_steps == self->session && self->n_steps > 0) {
      self->flags[self->n_steps] |=
          PF_STEP_NEW_SESSION | PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;
    }
    see_cue(self, input);
    status = activate(self, &choice, error);
    if (status != PF_OK) {
      return status;
    }
    self->n_steps++;
  }
}

/** What lies between two sessions: weights are forgotten over the gap, expected reward starts anew.
 */
static void rest(animal *self, const pf_expected_reward *expectation)
{
  pf_real *buffer = self->carried;
  self->session = self->n_steps;
  self->trial0 = self->n_steps > 0 ? self->trial[self->n_steps - 1] + 1 : 0;
  self->block0 = self->n_steps > 0 ? self->block[self->n_steps - 1] + 1 : 0;
  memset(self->state, 0, (size_t)self->declared.n_state * sizeof *self->state);
  if (self->n_steps == 0) {
    return;
  }
  pf_expectation_restart(expectation, &self->expectation);
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const pf_synaptic_state synaptic =
          pf_synaptic_make(self->workspace, self->theta, q, 0, weights->n_post);
      if (self->model->forgets && self->gap > 0.0) {
        pf_synaptic_forget(&synaptic, self->gap, buffer, buffer);
      }
      buffer += synaptic.cells;
    }
  }
}

/* ---- the recording ---- */

static pf_status keep(animal *self, const char *name, const pf_expected_reward *expectation,
                      pf_dataset *data, pf_error *error)
{
  const size_t n_channels = (size_t)self->n_channels, n_targets = (size_t)self->n_targets;
  pf_channel *channels = pf_memory_need(n_channels, sizeof *channels, error);
  pf_target *targets = pf_memory_need(n_targets, sizeof *targets, error);
  pf_status status = channels == NULL || targets == NULL ? PF_STOP : PF_OK;
  for (size_t c = 0; c < n_channels && status == PF_OK; c++) {
    channels[c] =
        (pf_channel){.name = self->declared.channels.items[c], .values = self->channels[c]};
  }
  for (size_t k = 0; k < n_targets && status == PF_OK; k++) {
    targets[k] = (pf_target){
        .name = self->declared.targets.items[k], .n = self->width[k], .values = self->targets[k]};
  }
  if (status == PF_OK) {
    const pf_experiment experiment = {.size = sizeof experiment,
                                      .animal = name,
                                      .name = name,
                                      .n_steps = self->n_steps,
                                      .n_input = self->n_input,
                                      .cue = self->cue,
                                      .flags = self->flags,
                                      .dt =
                                          self->n_steps > 0 && self->dt[0] > 0.0 ? self->dt : NULL,
                                      .trial = self->trial,
                                      .block = self->block,
                                      .channels = {channels, n_channels, sizeof *channels},
                                      .targets = {targets, n_targets, sizeof *targets}};
    status = pf_dataset_add(data, &experiment, error);
  }
  pf_memory_free(channels);
  pf_memory_free(targets);
  if (status != PF_OK) {
    return status;
  }
  pf_recording *recording = &data->recordings[data->n - 1];
  recording->true_input = self->input; /* ownership moves to the recording */
  recording->true_noise = self->noise;
  recording->n_true_noise = self->model->n_noise;
  self->input = NULL;
  self->noise = NULL;
  recording->gap =
      self->gap > 0.0 ? pf_memory_need((size_t)self->n_steps, sizeof *recording->gap, error) : NULL;
  if (self->gap > 0.0 && recording->gap == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 1; t < self->n_steps && recording->gap != NULL; t++) {
    recording->gap[t] = (recording->flags[t] & PF_STEP_NEW_SESSION) != 0 ? self->gap : 0.0;
  }
  return pf_recording_expect_reward(recording, expectation, error);
}

pf_status pf_simulate(const pf_model *model, const double *theta, const pf_component *task,
                      const pf_input_noise *input, const pf_expected_reward *expectation,
                      const pf_simulated_sessions *sessions, pf_real *const *given, uint64_t seed,
                      int64_t index, const char *animal_name, pf_dataset *data, pf_error *error)
{
  animal self = {.model = model,
                 .theta = theta,
                 .task = task,
                 .seed = seed,
                 .index = (uint32_t)index,
                 .gap = sessions->n > 1 ? sessions->gap : 0.0};
  pf_status status = animal_make(&self, expectation, error);
  if (status == PF_OK) {
    self.x = pf_memory_need(2 * (size_t)self.n_input, sizeof *self.x, error);
    status = self.x == NULL ? PF_STOP : PF_OK;
  }
  if (status == PF_OK) {
    self.workspace->activity[0].signals = self.x;
    self.workspace->activity[0].ld = self.n_input;
    pf_random_normal(stream_of(&self, PF_RANDOM_TRUE_INITIAL), 0, model->n_noise, self.noise);
    status = pf_simulation_start(self.workspace, theta, self.noise, given, error);
    status = status == PF_OK ? start_carried(&self, error) : status;
  }
  for (int64_t k = 0; k < sessions->n && status == PF_OK; k++) {
    rest(&self, expectation);
    status = task->plugin->source->begin(task->self, index, self.state, error);
    status = status == PF_OK ? live(&self, input, expectation, error) : status;
    task->plugin->source->end(task->self, self.state);
    if (status != PF_OK) {
      pf_error_at_step(error, animal_name, self.n_steps);
    }
  }
  status = status == PF_OK ? keep(&self, animal_name, expectation, data, error) : status;
  animal_clear(&self);
  return status;
}
