#include "core/closed_loop/simulate.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/text.h"
#include "core/closed_loop/choice_law.h"
#include "core/closed_loop/live_channels.h"
#include "core/data/data_names.h"
#include "core/model/modulation.h"
#include "core/state/failures.h"
#include "core/state/population.h"
#include "core/state/seen.h"
#include "core/state/starting_state.h"
#include "core/state/synaptic_state.h"
#include "core/state/trajectory.h"
#include "core/state/workspace.h"

#include <math.h>
#include <string.h>

/** A simulated animal in its task. Arrays of the recording have an item a step. */
typedef struct animal {
  const pf_task_run *loop;
  const pf_model *model;
  const pf_component *task;
  pf_source_declaration declared;
  pf_workspace *workspace; /* two steps long: this one and the one before, in turns */
  pf_real *x;              /* [2][n_input] likewise */
  pf_real *states;         /* [2][buffer_cells] synaptic states, before and after a step */
  pf_real *scratch;
  size_t buffer_cells;
  pf_choice_law law;
  int64_t n_input;
  int64_t n_steps;                  /* complete ones; one more is being presented */
  pf_array cue, input;              /* of double [n_input] */
  pf_array flags, dt, trial, block; /* of uint32_t, double, int64_t, int64_t */
  pf_array *channels, *targets;     /* [n channels], of double; [n targets], of double [width] */
  int64_t *observable;              /* [n targets] what is recorded; -1: the choice */
  pf_real **modulators;             /* [n_plastic], each one step */
  pf_seen_planes *seen;             /* [n_plastic], each one step */
  double *read, *names;             /* what modulators read of a step, and one expression of it */
  double choice, expected;          /* of the step that went before: choice, E[R] */
  double *state, *uniform, *normal; /* of the task, and its random numbers of a step */
  double *noise;                    /* behind the starting weights */
  double *settled;                  /* [n channels] of the step that went before */
  pf_live_channels derived;
  pf_expectation_state expectation;
  int64_t session;        /* first step of the session that goes on */
  int64_t trial0, block0; /* trials and blocks before it */
  double gap;             /* hours between sessions */
} animal;

static pf_stream stream_of(const animal *self, enum pf_purpose purpose)
{
  return (pf_stream){.seed = self->loop->seed,
                     .purpose = (uint32_t)purpose,
                     .animal = (uint32_t)self->loop->index};
}

static double *numbers_at(const pf_array *array, int64_t step)
{
  return (double *)(void *)((char *)array->items + (size_t)step * array->size);
}

static uint32_t *flags_at(const animal *self, int64_t step)
{
  return (uint32_t *)self->flags.items + step;
}

static int64_t *integer_at(const pf_array *array, int64_t step)
{
  return (int64_t *)array->items + step;
}

static int64_t width_of(const pf_array *array)
{
  return (int64_t)(array->size / sizeof(double));
}

/* ---- memory ---- */

/** An item for the step to come in every array; one may be left from the end of a session. */
static pf_status append_step(animal *self, pf_error *error)
{
  pf_array *const arrays[] = {&self->cue, &self->input, &self->flags,
                              &self->dt,  &self->trial, &self->block};
  if (self->block.n > (size_t)self->n_steps) {
    return PF_OK;
  }
  for (size_t c = 0; c < self->declared.channels.count; c++) {
    if (pf_array_append(&self->channels[c], error) == NULL) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < self->declared.targets.count; k++) {
    if (pf_array_append(&self->targets[k], error) == NULL) {
      return PF_STOP;
    }
  }
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    if (pf_array_append(arrays[i], error) == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static void free_arrays(pf_array *arrays, size_t n)
{
  if (arrays != NULL) {
    for (size_t i = 0; i < n; i++) {
      pf_array_free(&arrays[i]);
    }
    pf_memory_free(arrays);
  }
}

static void free_animal(animal *self)
{
  free_arrays(self->channels, self->declared.channels.count);
  free_arrays(self->targets, self->declared.targets.count);
  if (self->modulators != NULL) {
    for (size_t p = 0; p < self->model->n_plastic; p++) {
      pf_memory_free(self->modulators[p]);
    }
  }
  if (self->seen != NULL) {
    for (size_t p = 0; p < self->model->n_plastic; p++) {
      pf_memory_free(self->seen[p].post);
      pf_memory_free(self->seen[p].pre);
    }
  }
  pf_memory_free(self->seen);
  pf_memory_free(self->read);
  pf_memory_free(self->names);
  pf_memory_free(self->modulators);
  pf_memory_free(self->observable);
  pf_choice_law_clear(&self->law);
  pf_array_free(&self->cue);
  pf_array_free(&self->input);
  pf_array_free(&self->flags);
  pf_array_free(&self->dt);
  pf_array_free(&self->trial);
  pf_array_free(&self->block);
  pf_memory_free(self->state);
  pf_memory_free(self->uniform);
  pf_memory_free(self->normal);
  pf_memory_free(self->noise);
  pf_memory_free(self->settled);
  pf_live_channels_free(&self->derived);
  pf_memory_free(self->expectation.memory);
  pf_memory_free(self->x);
  pf_memory_free(self->states);
  pf_memory_free(self->scratch);
  pf_workspace_free(self->workspace);
}

static pf_status fail_target(const animal *self, const char *name, pf_error *error)
{
  pf_text all = {0};
  for (size_t o = 0; o < self->model->n_observables; o++) {
    pf_text_add(&all, "%s%s", o > 0 ? ", " : "", self->model->observables[o].name);
  }
  (void)pf_fail(error, PF_STOP, "%s wants '%s' recorded, which %s cannot give; it has: %s",
                self->task->label, name, self->model->network->label,
                all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

/** What the host records from the network under the name of target k. */
static pf_status prepare_target(animal *self, size_t k, pf_error *error)
{
  const char *name = self->declared.targets.items[k];
  int64_t n = 1, ld = 0;
  if (pf_is_choice(name)) {
    if (self->law.probability < 0) {
      return pf_fail(error, PF_STOP,
                     "%s needs choices, but %s has no observable 'probability'; give its last "
                     "layer output = "
                     "\"sigmoid\"",
                     self->task->label, self->model->network->label);
    }
    self->observable[k] = -1;
  } else {
    self->observable[k] = pf_model_observable(self->model, name);
    if (self->observable[k] < 0) {
      return fail_target(self, name, error);
    }
    (void)pf_workspace_observable(self->workspace, self->observable[k], &n, &ld);
  }
  self->targets[k] = pf_array_of((size_t)n * sizeof(double));
  return PF_OK;
}

/** Room for what rules see, and are modulated by, at one step. */
static pf_status make_step(animal *self, pf_error *error)
{
  const pf_model *model = self->model;
  size_t n_channels = 0, n_names = 0;
  self->modulators = pf_memory_need(model->n_plastic, sizeof *self->modulators, error);
  self->seen = pf_memory_need(model->n_plastic, sizeof *self->seen, error);
  if (self->modulators == NULL || self->seen == NULL) {
    return PF_STOP;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_modulation *modulation = &plastic->modulation;
    n_channels = modulation->n_channels > n_channels ? modulation->n_channels : n_channels;
    n_names = modulation->n_names > n_names ? modulation->n_names : n_names;
    self->modulators[p] = pf_memory_need(pf_modulation_cells(plastic), sizeof(pf_real), error);
    self->seen[p].post = pf_memory_need(pf_seen_cells(&plastic->post), sizeof(pf_real), error);
    self->seen[p].pre = pf_memory_need(pf_seen_cells(&plastic->pre), sizeof(pf_real), error);
    if (self->modulators[p] == NULL || self->seen[p].post == NULL || self->seen[p].pre == NULL) {
      return PF_STOP;
    }
  }
  self->read = pf_memory_need(n_channels, sizeof *self->read, error);
  self->names = pf_memory_need(n_names, sizeof *self->names, error);
  return self->read == NULL || self->names == NULL ? PF_STOP : PF_OK;
}

static pf_status make_arrays(animal *self, pf_error *error)
{
  const pf_model *model = self->model;
  const pf_source_declaration *declared = &self->declared;
  const size_t n_seen = (size_t)(self->loop->expectation->n > 0 ? self->loop->expectation->n : 1);
  const size_t n_channels = declared->channels.count, n_targets = declared->targets.count;
  self->channels = pf_memory_need(n_channels, sizeof *self->channels, error);
  self->targets = pf_memory_need(n_targets, sizeof *self->targets, error);
  self->observable = pf_memory_need(n_targets, sizeof *self->observable, error);
  self->state = pf_memory_need((size_t)declared->n_state, sizeof(double), error);
  self->uniform = pf_memory_need((size_t)declared->n_uniform, sizeof(double), error);
  self->normal = pf_memory_need((size_t)declared->n_normal, sizeof(double), error);
  self->noise = pf_memory_need((size_t)model->n_noise, sizeof(double), error);
  self->settled = pf_memory_need(n_channels, sizeof(double), error);
  self->expectation.memory = pf_memory_need(n_seen, sizeof(double), error);
  self->x = pf_memory_need(2 * (size_t)self->n_input, sizeof *self->x, error);
  if (self->channels == NULL || self->targets == NULL || self->observable == NULL ||
      self->state == NULL || self->uniform == NULL || self->normal == NULL || self->noise == NULL ||
      self->settled == NULL || self->expectation.memory == NULL || self->x == NULL) {
    return PF_STOP;
  }
  if (make_step(self, error) != PF_OK) {
    return PF_STOP;
  }
  if (pf_live_channels_make(self->loop->derived, self->loop->n_derived, declared->channels,
                            &self->derived, error) != PF_OK) {
    return PF_STOP;
  }
  self->cue = self->input = pf_array_of((size_t)self->n_input * sizeof(double));
  self->flags = pf_array_of(sizeof(uint32_t));
  self->dt = pf_array_of(sizeof(double));
  self->trial = self->block = pf_array_of(sizeof(int64_t));
  for (size_t c = 0; c < n_channels; c++) {
    self->channels[c] = pf_array_of(sizeof(double));
  }
  return PF_OK;
}

static pf_status make_animal(animal *self, pf_error *error)
{
  self->declared.size = sizeof self->declared;
  pf_status status = self->task->plugin->source->declare(self->task->self, &self->declared, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_workspace_create(self->model, 2, &self->workspace, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_trajectory_need(self->workspace, error);
  if (status != PF_OK) {
    return status;
  }
  self->n_input = pf_model_n_input(self->model);
  status = pf_choice_law_create(self->workspace, self->loop->theta, &self->law, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_arrays(self, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < self->declared.targets.count; k++) {
    status = prepare_target(self, k, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- synaptic states ---- */

static pf_step_context context_of(const animal *self, int64_t step)
{
  const uint32_t flags = *flags_at(self, step);
  const bool anew = step == 0 || (flags & PF_STEP_RESET_STATE) != 0;
  return (pf_step_context){.row = step % 2,
                           .previous = anew ? -1 : (step + 1) % 2,
                           .flags = flags,
                           .changes = (flags & PF_STEP_PLASTIC) != 0,
                           .dt = *numbers_at(&self->dt, step),
                           .modulators = self->modulators,
                           .seen = self->seen};
}

static pf_synaptic_state synaptic_of(const animal *self, const pf_weights *weights)
{
  return pf_synaptic_make(self->workspace, self->loop->theta, (size_t)weights->index, 0,
                          weights->n_post);
}

/** Starting weights and traces. */
static pf_status start_states(animal *self, pf_error *error)
{
  size_t scratch = 0;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const size_t needed = pf_synaptic_scratch(self->model, weights, weights->n_post, false);
      self->buffer_cells += pf_synaptic_cells(self->model, weights, weights->n_post);
      scratch = needed > scratch ? needed : scratch;
    }
  }
  self->states = pf_memory_need(2 * self->buffer_cells, sizeof *self->states, error);
  self->scratch = pf_memory_need(scratch, sizeof *self->scratch, error);
  if (self->states == NULL || self->scratch == NULL) {
    return PF_STOP;
  }
  pf_real *buffer = self->states;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const pf_synaptic_state synaptic = synaptic_of(self, weights);
      pf_synaptic_start(&synaptic, buffer);
      buffer += synaptic.cells;
    }
  }
  return PF_OK;
}

/** The weights in force are those of the states before the step. */
static void set_weights(animal *self)
{
  pf_real *buffer = self->states;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    pf_weights *weights = &self->workspace->weights[q];
    weights->now = weights->states;
    if (weights->plastic != NULL) {
      weights->now = buffer;
      buffer += pf_synaptic_cells(self->model, weights, weights->n_post);
    }
  }
}

/** Traces and weights after a step. */
static pf_status step_states(animal *self, int64_t step, pf_error *error)
{
  const pf_step_context context = context_of(self, step);
  pf_real *from = self->states, *to = self->states + self->buffer_cells;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic == NULL) {
      continue;
    }
    pf_synaptic_state synaptic = synaptic_of(self, weights);
    const pf_status status = pf_synaptic_step(&synaptic, &context, from, to, self->scratch, error);
    if (status != PF_OK) {
      return status;
    }
    /* reported here: units that saturate would hide it, and the animal seem to be well */
    if (!pf_all_finite(to, synaptic.cells)) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the weights of '%s' overflowed; a rule with decay, or a smaller eta, keeps "
                     "them in bounds",
                     weights->info->name);
    }
    memcpy(from, to, synaptic.cells * sizeof *from);
    from += synaptic.cells;
    to += synaptic.cells;
  }
  return PF_OK;
}

/** Weights are forgotten over the gap between two sessions. */
static void forget_states(animal *self)
{
  pf_real *buffer = self->states;
  for (size_t q = 0; q < self->model->n_projections; q++) {
    const pf_weights *weights = &self->workspace->weights[q];
    if (weights->plastic != NULL) {
      const pf_synaptic_state synaptic = synaptic_of(self, weights);
      pf_synaptic_forget(&synaptic, self->gap, buffer, buffer);
      buffer += synaptic.cells;
    }
  }
}

/* ---- one step ---- */

/** x = mean * cue + sd * noise for the step just presented. */
static void draw_input(animal *self)
{
  const pf_input_noise *noise = self->loop->input;
  const double *cue = numbers_at(&self->cue, self->n_steps);
  double *input = numbers_at(&self->input, self->n_steps);
  pf_random_normal(stream_of(self, PF_RANDOM_TRUE_INPUT), (uint64_t)(self->n_steps * self->n_input),
                   self->n_input, input);
  for (int64_t j = 0; j < self->n_input; j++) {
    input[j] = noise->mean * cue[j] + noise->sd * input[j];
  }
}

/** As the law of choices has it; NaN where nothing can be chosen. */
static pf_status draw_choice(const animal *self, int64_t row, double *choice, pf_error *error)
{
  double uniform = 0.0;
  if (self->law.probability >= 0) {
    pf_random_uniform(stream_of(self, PF_RANDOM_CHOICE), (uint64_t)self->n_steps, 1, &uniform);
  }
  return pf_choice_law_draw(&self->law, row, uniform, choice, error);
}

static pf_status record_target(const animal *self, size_t k, int64_t row, double choice,
                               pf_error *error)
{
  double *to = numbers_at(&self->targets[k], self->n_steps);
  int64_t n = 0, ld = 0;
  if (self->observable[k] < 0) {
    *to = choice;
    return PF_OK;
  }
  const pf_real *from =
      pf_workspace_observable(self->workspace, self->observable[k], &n, &ld) + row * ld;
  for (int64_t i = 0; i < width_of(&self->targets[k]); i++) {
    to[i] = (double)from[i];
    if (!isfinite(to[i])) {
      return pf_fail(error, PF_POINT_FAILED,
                     "the activity of unit %lld is %g: the weights overflowed", (long long)i,
                     to[i]);
    }
  }
  return PF_OK;
}

/** Run the network on the step's input, draw the choice and record what the network does. */
static pf_status act_step(animal *self, double *choice, pf_error *error)
{
  const pf_step_context context = context_of(self, self->n_steps);
  const double *input = numbers_at(&self->input, self->n_steps);
  for (int64_t j = 0; j < self->n_input; j++) {
    self->x[context.row * self->n_input + j] = (pf_real)input[j];
  }
  set_weights(self);
  for (size_t p = 1; p < self->model->n_populations; p++) {
    const pf_population_steps step = {p, context.row, context.row, &context};
    const pf_status status =
        pf_population_activate(self->workspace, self->loop->theta, &step, error);
    if (status != PF_OK) {
      return status;
    }
  }
  pf_status status = draw_choice(self, context.row, choice, error);
  if (status != PF_OK) {
    return status;
  }
  self->choice = *choice;
  for (size_t k = 0; k < self->declared.targets.count; k++) {
    status = record_target(self, k, context.row, *choice, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** A channel of the settled step, NaN where it is missing. */
static double settled_value(const void *payload, const char *name)
{
  const animal *self = payload;
  for (size_t c = 0; c < self->declared.channels.count; c++) {
    if (strcmp(self->declared.channels.items[c], name) == 0) {
      return self->settled[c];
    }
  }
  return pf_is_expected_reward(name) ? self->expected : NAN;
}

/** The same as modulators see it: nothing where it is missing, and the choice. */
static double channel_value(const animal *self, const char *name)
{
  const pf_live_channel *derived = pf_live_channel_named(&self->derived, name);
  double value = derived != NULL ? derived->value : settled_value(self, name);
  if (isnan(value) && pf_is_choice(name)) {
    value = self->choice;
  }
  return isnan(value) ? 0.0 : value;
}

/** What rules see of the settled step: what was chosen. Without a choice weights do not change
 * where a rule learns from it. */
static void see_step(animal *self, int64_t step)
{
  for (size_t p = 0; p < self->model->n_plastic; p++) {
    const pf_plastic *plastic = &self->model->plastic[p];
    pf_seen_set(&plastic->post, self->choice, NULL, self->seen[p].post);
    pf_seen_set(&plastic->pre, self->choice, NULL, self->seen[p].pre);
    if (isnan(self->choice) && pf_seen_needs_choice(&plastic->post)) {
      *flags_at(self, step) &= ~(uint32_t)PF_STEP_PLASTIC;
    }
  }
}

/** E[R] before the reward of the settled step, which then enters it. */
static void expect_reward(animal *self)
{
  self->expected = self->expectation.value;
  for (size_t c = 0; c < self->declared.channels.count; c++) {
    if (pf_is_reward(self->declared.channels.items[c]) && !isnan(self->settled[c])) {
      pf_expectation_enter(self->loop->expectation, &self->expectation, self->settled[c]);
    }
  }
}

/** Weights after the step: modulators from its channels, then the rules. */
static pf_status learn_step(animal *self, int64_t step, pf_error *error)
{
  const pf_model *model = self->model;
  expect_reward(self);
  if (pf_live_channels_step(&self->derived, settled_value, self, error) != PF_OK) {
    return PF_STOP;
  }
  see_step(self, step);
  if ((*flags_at(self, step) & PF_STEP_PLASTIC) == 0 && !pf_model_has_traces(model)) {
    return PF_OK;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_modulation *modulation = &model->plastic[p].modulation;
    for (size_t c = 0; c < modulation->n_channels; c++) {
      self->read[c] = channel_value(self, modulation->channels[c]);
    }
    pf_modulation_set(&model->plastic[p], self->read, self->names, self->modulators[p]);
  }
  return step_states(self, step, error);
}

/** Ask the task to settle the last step and present the next one. */
static pf_status ask_task(animal *self, double choice, pf_task_out *out, pf_error *error)
{
  const pf_activity *output = &self->workspace->activity[self->model->n_populations - 1];
  const int64_t row = (self->n_steps + 1) % 2; /* of the step that went before */
  pf_stream numbers = stream_of(self, PF_RANDOM_TASK);
  pf_random_uniform(numbers, (uint64_t)(self->n_steps * self->declared.n_uniform),
                    self->declared.n_uniform, self->uniform);
  numbers.draw = 1;
  pf_random_normal(numbers, (uint64_t)(self->n_steps * self->declared.n_normal),
                   self->declared.n_normal, self->normal);
  memset(self->settled, 0, self->declared.channels.count * sizeof *self->settled);
  const pf_task_in in = {.size = sizeof in,
                         .step = self->n_steps - self->session,
                         .choice = choice,
                         .output = output->signals + row * output->ld,
                         .n_output = output->n,
                         .n_input = self->n_input,
                         .uniform = self->uniform,
                         .normal = self->normal};
  *out = (pf_task_out){
      .size = sizeof *out, .channels = self->settled, .cue = numbers_at(&self->cue, self->n_steps)};
  return self->task->plugin->source->next(self->task->self, self->state, &in, out, error);
}

/** What the task says of the step that went before; then the rules learn from it. */
static pf_status settle_step(animal *self, const pf_task_out *out, pf_error *error)
{
  const int64_t settled = self->n_steps - 1;
  *flags_at(self, settled) |= out->flags;
  for (size_t c = 0; c < self->declared.channels.count; c++) {
    *numbers_at(&self->channels[c], settled) = self->settled[c];
  }
  const pf_status status = learn_step(self, settled, error);
  if (status != PF_OK) {
    self->n_steps = settled; /* the step that the error is reported of */
  }
  return status;
}

static void present_step(animal *self, const pf_task_out *out)
{
  uint32_t *flags = flags_at(self, self->n_steps);
  *integer_at(&self->trial, self->n_steps) = self->trial0 + out->trial;
  *integer_at(&self->block, self->n_steps) = self->block0 + out->block;
  *numbers_at(&self->dt, self->n_steps) = out->dt;
  *flags = out->starts;
  if (self->n_steps == self->session && self->n_steps > 0) {
    *flags |= PF_STEP_NEW_SESSION | PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;
  }
  draw_input(self);
}

/* ---- sessions ---- */

/* What a step takes in a recording: two inputs (as shown and as seen), channels, targets, its
 * flags, trial, block, and a place of the noise. */
static double step_bytes(const animal *self)
{
  const size_t n_channels = self->declared.channels.count + self->loop->n_derived;
  double numbers = 2.0 * (double)self->n_input + (double)n_channels + 4.0;
  for (size_t k = 0; k < self->declared.targets.count; k++) {
    numbers += (double)width_of(&self->targets[k]);
  }
  return numbers * (double)sizeof(double);
}

/* How long a task is shows only while it goes on: too long for the memory there is, and it ends
 * here, not when all animals are done. */
static pf_status check_room(const animal *self, pf_error *error)
{
  const double recording = 4096.0; /* of its own */
  const pf_task_run *loop = self->loop;
  const double bytes = loop->n_runs * (recording + (double)self->n_steps * step_bytes(self));
  if (!(loop->max_bytes > 0.0) || bytes <= loop->max_bytes) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "memory: after %lld steps of %s the recordings of %.0f such animals take %.4g "
                 "MiB, but %.4g MiB are allowed; ask for fewer trials or animals, or raise "
                 "`memory`",
                 (long long)self->n_steps, loop->animal, loop->n_runs, bytes * 0x1p-20,
                 loop->max_bytes * 0x1p-20);
}

static pf_status run_session(animal *self, pf_error *error)
{
  double choice = NAN;
  for (;;) {
    pf_task_out out;
    pf_status status = append_step(self, error);
    if (status != PF_OK) {
      return status;
    }
    status = ask_task(self, choice, &out, error);
    if (status != PF_OK) {
      return status;
    }
    if (self->n_steps > self->session) {
      status = settle_step(self, &out, error);
      if (status != PF_OK) {
        return status;
      }
    }
    if (out.done != 0 || self->n_steps % 1024 == 0) {
      status = check_room(self, error);
      if (status != PF_OK || out.done != 0) {
        return status;
      }
    }
    if (self->n_steps - self->session >= self->declared.max_steps) {
      return pf_fail(error, PF_STOP, "%s: a run is not over after %lld steps, the most it allows",
                     self->task->label, (long long)self->declared.max_steps);
    }
    present_step(self, &out);
    status = act_step(self, &choice, error);
    if (status != PF_OK) {
      return status;
    }
    self->n_steps++;
  }
}

/** What lies between two sessions: weights are forgotten over the gap, expected reward starts anew.
 */
static void begin_session(animal *self)
{
  self->session = self->n_steps;
  pf_live_channels_restart(&self->derived);
  memset(self->state, 0, (size_t)self->declared.n_state * sizeof *self->state);
  if (self->n_steps == 0) {
    return;
  }
  self->trial0 = *integer_at(&self->trial, self->n_steps - 1) + 1;
  self->block0 = *integer_at(&self->block, self->n_steps - 1) + 1;
  pf_expectation_restart(self->loop->expectation, &self->expectation);
  if (self->model->forgets && self->gap > 0.0) {
    forget_states(self);
  }
}

static pf_status run_sessions(animal *self, pf_error *error)
{
  const pf_source_ops *ops = self->task->plugin->source;
  for (int64_t k = 0; k < self->loop->sessions.n; k++) {
    begin_session(self);
    pf_status status = ops->begin(self->task->self, self->loop->index, self->state, error);
    if (status == PF_OK) {
      status = run_session(self, error);
    }
    ops->end(self->task->self, self->state);
    if (status != PF_OK) {
      pf_error_at_step(error, self->loop->animal, self->n_steps);
      return status;
    }
  }
  return PF_OK;
}

/* ---- the recording ---- */

static pf_status add_experiment(const animal *self, pf_dataset *data, pf_error *error)
{
  const size_t n_channels = self->declared.channels.count, n_targets = self->declared.targets.count;
  const bool has_time = self->n_steps > 0 && *numbers_at(&self->dt, 0) > 0.0;
  pf_status status = PF_STOP;
  pf_channel *channels = pf_memory_need(n_channels, sizeof *channels, error);
  pf_target *targets = pf_memory_need(n_targets, sizeof *targets, error);
  if (channels == NULL || targets == NULL) {
    goto done;
  }
  for (size_t c = 0; c < n_channels; c++) {
    channels[c] =
        (pf_channel){.name = self->declared.channels.items[c], .values = self->channels[c].items};
  }
  for (size_t k = 0; k < n_targets; k++) {
    targets[k] = (pf_target){.name = self->declared.targets.items[k],
                             .n = width_of(&self->targets[k]),
                             .values = self->targets[k].items};
  }
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = self->loop->animal,
                                    .name = self->loop->animal,
                                    .n_steps = self->n_steps,
                                    .n_input = self->n_input,
                                    .cue = self->cue.items,
                                    .flags = self->flags.items,
                                    .dt = has_time ? self->dt.items : NULL,
                                    .trial = self->trial.items,
                                    .block = self->block.items,
                                    .channels = {channels, n_channels, sizeof *channels},
                                    .targets = {targets, n_targets, sizeof *targets}};
  status = pf_dataset_add(data, &experiment, error);
done:
  pf_memory_free(channels);
  pf_memory_free(targets);
  return status;
}

/** The recording with its truth into `data`. */
static pf_status keep_recording(animal *self, pf_dataset *data, pf_error *error)
{
  const pf_status status = add_experiment(self, data, error);
  if (status != PF_OK) {
    return status;
  }
  pf_recording *recording = &data->recordings[data->n - 1];
  recording->true_input = pf_array_take(&self->input, NULL);
  recording->true_noise = self->noise;
  recording->n_true_noise = self->model->n_noise;
  self->noise = NULL;
  if (self->gap > 0.0) {
    recording->gap = pf_memory_need((size_t)self->n_steps, sizeof *recording->gap, error);
    if (recording->gap == NULL) {
      return PF_STOP;
    }
    for (int64_t t = 1; t < self->n_steps; t++) {
      recording->gap[t] = (recording->flags[t] & PF_STEP_NEW_SESSION) != 0 ? self->gap : 0.0;
    }
  }
  return pf_recording_expect_reward(recording, self->loop->expectation, error);
}

static pf_status simulate_animal(animal *self, pf_dataset *data, pf_error *error)
{
  pf_status status = make_animal(self, error);
  if (status != PF_OK) {
    return status;
  }
  self->workspace->activity[0].signals = self->x;
  self->workspace->activity[0].ld = self->n_input;
  pf_random_normal(stream_of(self, PF_RANDOM_TRUE_INITIAL), 0, self->model->n_noise, self->noise);
  status = pf_simulation_start(self->workspace, self->loop->theta, self->noise, self->loop->given_w,
                               error);
  if (status != PF_OK) {
    return status;
  }
  status = start_states(self, error);
  if (status != PF_OK) {
    return status;
  }
  status = run_sessions(self, error);
  if (status != PF_OK) {
    return status;
  }
  return keep_recording(self, data, error);
}

pf_status pf_simulate(const pf_task_run *loop, pf_dataset *data, pf_error *error)
{
  animal self = {.loop = loop,
                 .model = loop->model,
                 .task = loop->task,
                 .gap = loop->sessions.n > 1 ? loop->sessions.gap : 0.0};
  const pf_status status = simulate_animal(&self, data, error);
  free_animal(&self);
  return status;
}
