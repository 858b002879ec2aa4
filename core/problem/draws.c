/* Draws of a problem: which random numbers make which inputs and initial weights. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/problem/problem.h"

#include <math.h>
#include <string.h>

/* Fresh draws and fresh animals take numbers that no fit uses. */
enum { FRESH = 1 << 24 };

/* Of a recording, below FRESH: by its animal's name and its number among the animal's own, so that
 * an animal has the same draws whoever else is in the data (FNV-1a). */
static uint32_t number_of(const pf_recording *recording)
{
  uint32_t hash = 2166136261U;
  for (const char *c = recording->animal; *c != '\0'; c++) {
    hash = (hash ^ (uint32_t)(unsigned char)*c) * 16777619U;
  }
  hash ^= (uint32_t)recording->experiment * 2654435761U;
  return (hash ^ (hash >> 24)) & (uint32_t)(FRESH - 1);
}

static pf_stream stream_of(const pf_problem *problem, const pf_draw_id *which,
                           enum pf_purpose purpose)
{
  return (pf_stream){.seed = problem->seed,
                     .purpose = (uint32_t)purpose,
                     .animal = number_of(&which->data->recordings[which->i]) +
                               (which->data == &problem->fresh ? (uint32_t)FRESH : 0U),
                     .draw = (uint32_t)which->draw + (which->fresh ? (uint32_t)FRESH : 0U)};
}

void pf_problem_unknowns(const pf_problem *problem, const pf_dataset *data, size_t i, bool fresh,
                         pf_unknowns *unknowns, pf_stream *stream)
{
  const pf_recording *recording = &data->recordings[i];
  const pf_settings *settings = problem->settings;
  const int64_t n_noise = problem->model->n_noise;
  const bool has_inputs = settings->give_inputs && recording->true_input != NULL;
  *unknowns = (pf_unknowns){.mean = settings->input.mean,
                            .sd = has_inputs ? 0.0 : settings->input.sd,
                            .missing = !has_inputs && pf_recording_n_drawn(recording) > 0};
  if (settings->give_initial_weights && recording->true_noise != NULL) {
    unknowns->known_noise = recording->n_true_noise < n_noise ? recording->n_true_noise : n_noise;
  }
  *stream = stream_of(problem, &(pf_draw_id){data, i, 0, fresh}, PF_RANDOM_PARTICLE);
}

static void make_input(const pf_problem *problem, const pf_recording *recording, pf_stream stream,
                       double *x)
{
  const int64_t cells = recording->n_steps * recording->n_input;
  if (problem->settings->give_inputs && recording->true_input != NULL) {
    memcpy(x, recording->true_input, (size_t)cells * sizeof *x);
    return;
  }
  const pf_settings *settings = problem->settings;
  pf_random_normal(stream, 0, cells, x);
  for (int64_t i = 0; i < cells; i++) {
    const pf_input_distribution of =
        pf_recording_input(recording, i, settings->input.mean, settings->input.sd);
    x[i] = of.mean + (settings->inputs_at_mean ? 0.0 : of.sd * x[i]);
  }
}

/** What network.initial_weights.file says takes the place of what is drawn. */
static pf_status give_weights(const pf_problem *problem, const pf_recording *recording,
                              pf_draw *draw, pf_error *error)
{
  const pf_initial_file *file = problem->models->initial;
  const size_t n = problem->model->n_projections;
  for (size_t q = 0; file != NULL && q < n; q++) {
    const double *w = NULL;
    if (pf_initial_file_find(file, problem->model, recording, (int64_t)q, &w, error) != PF_OK) {
      return PF_STOP;
    }
    if (w != NULL && pf_draw_give_weights(problem->model, draw, (int64_t)q, w, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** The noise behind the initial weights: the teacher's own as far as it is given and known. */
static void make_noise(const pf_problem *problem, const pf_recording *recording, pf_stream stream,
                       double *noise)
{
  const int64_t n = problem->model->n_noise;
  int64_t known = 0;
  if (problem->settings->give_initial_weights && recording->true_noise != NULL) {
    known = recording->n_true_noise < n ? recording->n_true_noise : n;
  }
  if (known > 0) {
    memcpy(noise, recording->true_noise, (size_t)known * sizeof *noise);
  }
  pf_random_normal(stream, (uint64_t)known, n - known, noise + known);
}

pf_status pf_problem_draw(const pf_problem *problem, const pf_draw_id *which, pf_draw **out,
                          pf_error *error)
{
  const pf_recording *recording = &which->data->recordings[which->i];
  const bool per_draw = which->fresh || problem->settings->network.start.per_draw != 0;
  pf_draw_id start = *which; /* whose random numbers are behind the starting weights */
  start.draw = per_draw ? which->draw : 0;
  double *x = pf_memory_need((size_t)(recording->n_steps * recording->n_input), sizeof *x, error);
  double *noise = pf_memory_need((size_t)problem->model->n_noise, sizeof *noise, error);
  pf_status status = x == NULL || noise == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    make_input(problem, recording, stream_of(problem, which, PF_RANDOM_INPUT), x);
    make_noise(problem, recording, stream_of(problem, &start, PF_RANDOM_INITIAL), noise);
    status = pf_draw_create(problem->model, recording, x, noise, out, error);
  }
  pf_memory_free(x);
  pf_memory_free(noise);
  if (status == PF_OK && (status = give_weights(problem, recording, *out, error)) != PF_OK) {
    pf_draw_free(problem->model, *out);
    *out = NULL;
  }
  return status;
}

static pf_status copy_given_weights(const pf_problem *problem, const pf_draw *from, pf_draw *to,
                                    pf_error *error)
{
  for (size_t q = 0; q < problem->model->n_projections; q++) {
    const size_t cells = from->given_w[q] == NULL ? 0 : pf_initial_cells(problem->model, q);
    if (cells == 0) {
      continue;
    }
    to->given_w[q] = pf_memory_need(cells, sizeof **to->given_w, error);
    if (to->given_w[q] == NULL) {
      return PF_STOP;
    }
    memcpy(to->given_w[q], from->given_w[q], cells * sizeof **to->given_w);
  }
  return PF_OK;
}

/** What the model learned to start projection q with; cells: how many weights. */
static void learned_weights(const pf_start *start, const pf_draw *draw, const double *theta,
                            size_t cells, double *w)
{
  const double *own = theta + start->theta0;
  for (size_t k = 0; k < cells; k++) {
    w[k] = start->mode == PF_START_EACH ? own[k]
                                        : own[0] + own[1] * draw->noise[start->noise0 + (int64_t)k];
  }
}

static pf_status give_learned(const pf_problem *problem, const pf_draw *draw, const double *theta,
                              pf_draw *to, pf_error *error)
{
  const pf_model *model = problem->model;
  for (size_t q = 0; q < model->n_projections; q++) {
    if (model->starts[q].mode == PF_START_NETWORK || draw->given_w[q] != NULL) {
      continue;
    }
    const size_t cells = pf_initial_cells(model, q);
    double *w = pf_memory_need(cells, sizeof *w, error);
    if (w == NULL) {
      return PF_STOP;
    }
    learned_weights(&model->starts[q], draw, theta, cells, w);
    const pf_status status =
        pf_draw_give_weights(problem->models->teacher, to, (int64_t)q, w, error);
    pf_memory_free(w);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status pf_problem_teacher_draw(const pf_problem *problem, const pf_draw *draw,
                                  const double *theta, pf_draw **out, pf_error *error)
{
  const pf_model *teacher = problem->models->teacher;
  const pf_recording *recording = draw->recording;
  if (teacher == NULL) {
    return pf_fail(error, PF_STOP, "the truth is not known: there is no teacher");
  }
  double *x = pf_memory_need((size_t)(recording->n_steps * recording->n_input), sizeof *x, error);
  if (x == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    for (int64_t j = 0; j < recording->n_input; j++) {
      x[t * recording->n_input + j] = (double)draw->input[t * draw->ld_input + j];
    }
  }
  pf_status status = pf_draw_create(teacher, recording, x, draw->noise, out, error);
  pf_memory_free(x);
  if (status != PF_OK) {
    return status;
  }
  status = copy_given_weights(problem, draw, *out, error);
  if (status == PF_OK) {
    status = give_learned(problem, draw, theta, *out, error);
  }
  if (status != PF_OK) {
    pf_draw_free(teacher, *out);
  }
  return status;
}

/** The animal that has the theta of unit `unit`, by its place in the data as read; 0 where all
 * share one. */
static size_t group_number(const pf_problem *problem, size_t unit)
{
  if (problem->options.per == PF_FIT_SHARED) {
    return 0;
  }
  const size_t first = pf_dataset_first(&problem->data, unit);
  return first < problem->data.n ? problem->data.recordings[first].animal_number : unit;
}

/** Which copy of its parameter an instance is, by its place in the data as read; 0: the first, or
 * the only one. */
static size_t copy_number(const pf_problem *problem, const pf_layout *layout,
                          const pf_parameter_instance *instance)
{
  const uint8_t scope = layout->scope[instance->parameter];
  if (layout->data == NULL || scope == PF_SCOPE_SHARED) {
    return 0;
  }
  const pf_recording *recording =
      &layout->data->recordings[layout->recordings[instance->recording]];
  if (problem->options.per != PF_FIT_SHARED) {
    return scope == PF_SCOPE_ANIMAL ? 0 : recording->experiment;
  }
  return scope == PF_SCOPE_ANIMAL ? recording->animal_number : recording->number;
}

/** The earlier run's estimate for the group of this number, NaN where there is none. */
static double warm_value(const pf_problem *problem, size_t number,
                         const pf_parameter_instance *instance)
{
  return problem->warm == NULL
             ? (double)NAN
             : problem->warm[number * problem->model->n_parameters + instance->parameter];
}

uint32_t pf_problem_group_stream(const pf_problem *problem, const pf_layout *layout)
{
  if (problem->options.per == PF_FIT_SHARED || layout->data == NULL || layout->n_recordings == 0) {
    return 0;
  }
  pf_recording first = layout->data->recordings[layout->recordings[0]];
  first.experiment = 0;
  return number_of(&first);
}

/** initial + init_sd * normal. Copies take random numbers of their own. */
static double drawn_value(const pf_problem *problem, const pf_layout *layout,
                          const pf_parameter_instance *instance)
{
  const pf_model *model = problem->model;
  const pf_parameter *parameter = &model->parameters[instance->parameter].declared;
  const pf_stream stream = {.seed = problem->seed,
                            .purpose = PF_RANDOM_THETA,
                            .animal = pf_problem_group_stream(problem, layout)};
  const size_t copy = copy_number(problem, layout, instance);
  double normal = 0.0;
  pf_random_normal(stream, instance->parameter + copy * model->n_parameters, 1, &normal);
  return parameter->initial + parameter->initial_sd * normal;
}

/** The learned parameters of projection q take what the network starts with, w [cells]; of
 * recording r, where it is the first that has them. */
static void set_learned(const pf_model *model, const pf_layout *layout, size_t r, size_t q,
                        const pf_real *w, double *values)
{
  const pf_start *start = &model->starts[q];
  const size_t cells = pf_initial_cells(model, q);
  const bool each = start->mode == PF_START_EACH;
  double squares = 0.0;
  if (start->mode == PF_START_NETWORK) {
    return;
  }
  for (size_t k = 0; k < cells; k++) {
    squares += (double)w[k] * (double)w[k] / (double)cells;
  }
  const double mean_and_sd[] = {model->parameters[start->theta0].declared.initial, sqrt(squares)};
  for (size_t k = 0; k < (each ? cells : 2); k++) {
    const pf_parameter_instance *instance =
        &layout->instances[pf_layout_instance(layout, r, start->theta0 + k)];
    if (instance->value != PF_LAYOUT_NONE && instance->recording == r && instance->factor == 1.0) {
      values[instance->value] = each ? (double)w[k] : mean_and_sd[k];
    }
  }
}

/** Starting weights that are learned start as the network would draw them for the first recording
 * that has them. */
static pf_status start_from_network(const pf_problem *problem, const pf_layout *layout,
                                    double *values, pf_error *error)
{
  const pf_model *model = problem->model;
  const size_t n_recordings = layout->data == NULL ? 0 : layout->n_recordings;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  double *noise = pf_memory_need((size_t)model->n_noise, sizeof *noise, error);
  pf_status status = theta == NULL || noise == NULL ? PF_STOP : PF_OK;
  for (size_t i = 0; theta != NULL && i < model->n_parameters; i++) {
    theta[i] = model->parameters[i].declared.initial;
  }
  for (size_t r = 0; r < n_recordings; r++) {
    pf_real **w = NULL;
    if (status != PF_OK) {
      break;
    }
    pf_random_normal(stream_of(problem,
                               &(pf_draw_id){layout->data, layout->recordings[r], 0, false},
                               PF_RANDOM_INITIAL),
                     0, model->n_noise, noise);
    status = pf_initial_weights(model, theta, noise, &w, error);
    for (size_t q = 0; w != NULL && q < model->n_projections; q++) {
      set_learned(model, layout, r, q, w[q], values);
    }
    pf_initial_weights_free(model, w);
  }
  pf_memory_free(theta);
  pf_memory_free(noise);
  return status;
}

pf_status pf_problem_start(const pf_problem *problem, size_t unit, const pf_layout *layout,
                           double *values, pf_error *error)
{
  const pf_model *model = problem->model;
  const size_t number = group_number(problem, unit);
  if (model->start_theta0 < model->n_parameters &&
      start_from_network(problem, layout, values, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t k = 0; k < layout->n; k++) {
    const pf_parameter_instance *instance = &layout->instances[layout->index[k]];
    double start = warm_value(problem, number, instance);
    if (isnan(start)) {
      start = model->parameters[instance->parameter].is_start
                  ? values[k]
                  : drawn_value(problem, layout, instance);
    }
    values[k] = fmin(fmax(start, layout->lower[k]), layout->upper[k]);
  }
  return PF_OK;
}
