/* Draws of a problem: which random numbers make which inputs and initial weights. */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/problem/problem.h"

#include <math.h>
#include <string.h>

/* Fresh draws and fresh animals take numbers that no fit uses. */
enum { FRESH = 1 << 24 };

static pf_stream stream_of(const pf_problem *problem, const pf_dataset *data, size_t i,
                           int64_t draw, bool fresh, enum pf_purpose purpose)
{
  return (pf_stream){.seed = problem->settings->seed,
                     .purpose = (uint32_t)purpose,
                     .animal = (uint32_t)data->recordings[i].number +
                               (data == &problem->fresh ? (uint32_t)FRESH : 0U),
                     .draw = (uint32_t)draw + (fresh ? (uint32_t)FRESH : 0U)};
}

static void make_input(const pf_problem *problem, const pf_recording *recording, pf_stream stream,
                       double *x)
{
  const int64_t cells = recording->n_steps * recording->n_input;
  if (problem->settings->give_inputs && recording->true_input != NULL) {
    memcpy(x, recording->true_input, (size_t)cells * sizeof *x);
    return;
  }
  pf_random_normal(stream, 0, cells, x);
  for (int64_t i = 0; i < cells; i++) {
    x[i] = problem->settings->input.mean * recording->cue[i] + problem->settings->input.sd * x[i];
  }
}

/** What network.initial_weights.file says takes the place of what is drawn. */
static pf_status give_weights(const pf_problem *problem, const pf_dataset *data, size_t i,
                              pf_draw *draw, pf_error *error)
{
  const int64_t experiment = (int64_t)data->recordings[i].experiment;
  pf_status status = PF_OK;
  for (size_t q = 0; q < problem->model->declared.projections.count && status == PF_OK; q++) {
    const double *w = NULL;
    status = pf_initial_file_find(problem->initial, problem->model, data->recordings[i].animal,
                                  experiment, (int64_t)q, &w, error);
    if (status == PF_OK && w != NULL) {
      status = pf_draw_give_weights(problem->model, draw, (int64_t)q, w, error);
    }
  }
  return status;
}

pf_status pf_problem_draw(const pf_problem *problem, const pf_dataset *data, size_t i, int64_t draw,
                          bool fresh, pf_draw **out, pf_error *error)
{
  const pf_recording *recording = &data->recordings[i];
  const int64_t n_noise = problem->model->n_noise;
  double *x = pf_memory_need((size_t)(recording->n_steps * recording->n_input), sizeof *x, error);
  double *noise = pf_memory_need((size_t)n_noise, sizeof *noise, error);
  pf_status status = x == NULL || noise == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    make_input(problem, recording, stream_of(problem, data, i, draw, fresh, PF_RANDOM_INPUT), x);
    const bool given = problem->settings->give_initial_weights && recording->true_noise != NULL;
    const int64_t known = !given                              ? 0
                          : recording->n_true_noise < n_noise ? recording->n_true_noise
                                                              : n_noise;
    const int64_t which = fresh || problem->settings->weights_per_draw ? draw : 0;
    if (known > 0) {
      memcpy(noise, recording->true_noise, (size_t)known * sizeof *noise);
    }
    pf_random_normal(stream_of(problem, data, i, which, fresh, PF_RANDOM_INITIAL), (uint64_t)known,
                     n_noise - known, noise + known);
    status = pf_draw_create(problem->model, recording, x, noise, out, error);
  }
  if (status == PF_OK && problem->initial != NULL) {
    status = give_weights(problem, data, i, *out, error);
    if (status != PF_OK) {
      pf_draw_free(problem->model, *out);
      *out = NULL;
    }
  }
  pf_memory_free(x);
  pf_memory_free(noise);
  return status;
}

static pf_status copy_given_weights(const pf_problem *problem, const pf_draw *from, pf_draw *to,
                                    pf_error *error)
{
  for (size_t q = 0; q < problem->model->declared.projections.count; q++) {
    const size_t cells = from->given_w[q] == NULL ? 0 : pf_initial_cells(problem->model, q);
    if (cells == 0) {
      continue;
    }
    to->given_w[q] = pf_memory_need(cells, sizeof **to->given_w, error);
    if (to->given_w[q] == NULL) {
      pf_draw_free(problem->models->teacher, to);
      return PF_STOP;
    }
    memcpy(to->given_w[q], from->given_w[q], cells * sizeof **to->given_w);
  }
  return PF_OK;
}

/** What the model learned to start with. */
static pf_status give_learned(const pf_problem *problem, const pf_draw *draw, const double *theta,
                              pf_draw *to, pf_error *error)
{
  const pf_model *model = problem->model;
  pf_status status = PF_OK;
  for (size_t q = 0; q < model->declared.projections.count && status == PF_OK; q++) {
    if (model->starts[q].mode == PF_START_NETWORK || draw->given_w[q] != NULL) {
      continue;
    }
    const pf_start *start = &model->starts[q];
    const size_t cells = pf_initial_cells(model, q);
    double *w = pf_memory_need(cells, sizeof *w, error);
    for (size_t k = 0; w != NULL && k < cells; k++) {
      w[k] = start->mode == PF_START_EACH
                 ? theta[start->theta0 + k]
                 : theta[start->theta0] +
                       theta[start->theta0 + 1] * draw->noise[start->noise0 + (int64_t)k];
    }
    status = w == NULL ? PF_STOP
                       : pf_draw_give_weights(problem->models->teacher, to, (int64_t)q, w, error);
    pf_memory_free(w);
  }
  return status;
}

pf_status pf_problem_teacher_draw(const pf_problem *problem, const pf_draw *draw,
                                  const double *theta, pf_draw **out, pf_error *error)
{
  if (problem->models->teacher == NULL) {
    return pf_fail(error, PF_STOP, "the truth is not known: there is no teacher");
  }
  const pf_recording *recording = draw->recording;
  double *x = pf_memory_need((size_t)(recording->n_steps * recording->n_input), sizeof *x, error);
  if (x == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    for (int64_t j = 0; j < recording->n_input; j++) {
      x[t * recording->n_input + j] = (double)draw->input[t * draw->ld_input + j];
    }
  }
  pf_status status =
      pf_draw_create(problem->models->teacher, recording, x, draw->noise, out, error);
  pf_memory_free(x);
  status = status == PF_OK ? copy_given_weights(problem, draw, *out, error) : status;
  if (status == PF_OK && (status = give_learned(problem, draw, theta, *out, error)) != PF_OK) {
    pf_draw_free(problem->models->teacher, *out);
  }
  return status;
}

size_t pf_problem_group_number(const pf_problem *problem, size_t unit)
{
  for (size_t i = 0; problem->settings->fit.per == PF_FIT_PER_ANIMAL && i < problem->data.n; i++) {
    if (problem->data.recordings[i].animal_index == unit) {
      return problem->data.recordings[i].animal_number;
    }
  }
  return problem->settings->fit.per == PF_FIT_PER_ANIMAL ? unit : 0;
}

/** Which copy of its parameter a slot is, by its place in the data as read; 0: of the first, or of
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
  const bool per_animal = problem->settings->fit.per == PF_FIT_PER_ANIMAL;
  return scope == PF_SCOPE_ANIMAL ? (per_animal ? 0 : recording->animal_number)
                                  : (per_animal ? recording->experiment : recording->number);
}

/** The earlier run's estimate, NaN where there is none. */
static double warm_of(const pf_problem *problem, size_t unit, const pf_parameter_instance *instance)
{
  const size_t at =
      pf_problem_group_number(problem, unit) * problem->model->n_parameters + instance->parameter;
  return problem->warm == NULL ? (double)NAN : problem->warm[at];
}

/** Where one slot starts. Copies take random numbers of their own. */
static double start_of(const pf_problem *problem, size_t unit, const pf_layout *layout,
                       const pf_parameter_instance *instance)
{
  const pf_model *model = problem->model;
  const pf_parameter *parameter = &model->parameters[instance->parameter].declared;
  const size_t number = pf_problem_group_number(problem, unit);
  const pf_stream stream = {
      .seed = problem->settings->seed, .purpose = PF_RANDOM_THETA, .animal = (uint32_t)number};
  const double warm = problem->warm == NULL
                          ? (double)NAN
                          : problem->warm[number * model->n_parameters + instance->parameter];
  if (!isnan(warm)) {
    return warm;
  }
  double normal = 0.0;
  pf_random_normal(
      stream, instance->parameter + copy_number(problem, layout, instance) * model->n_parameters, 1,
      &normal);
  return parameter->initial + parameter->initial_sd * normal;
}

/** Starting weights that are learned start as the network would draw them for the first recording
 * that has them. */
static pf_status start_from_network(const pf_problem *problem, const pf_layout *layout,
                                    double *values, pf_error *error)
{
  const pf_model *model = problem->model;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  double *noise = pf_memory_need((size_t)model->n_noise, sizeof *noise, error);
  pf_status status = theta == NULL || noise == NULL ? PF_STOP : PF_OK;
  for (size_t r = 0; status == PF_OK && layout->data != NULL && r < layout->n_recordings; r++) {
    pf_real **w = NULL;
    for (size_t i = 0; i < model->n_parameters; i++) {
      theta[i] = model->parameters[i].declared.initial;
    }
    pf_random_normal(
        stream_of(problem, layout->data, layout->recordings[r], 0, false, PF_RANDOM_INITIAL), 0,
        model->n_noise, noise);
    status = pf_initial_weights(model, theta, noise, &w, error);
    for (size_t q = 0; status == PF_OK && q < model->declared.projections.count; q++) {
      const pf_start *start = &model->starts[q];
      const size_t cells = pf_initial_cells(model, q), first = start->theta0;
      double squares = 0.0;
      for (size_t k = 0; k < cells && start->mode == PF_START_MEAN_SD; k++) {
        squares += (double)w[q][k] * (double)w[q][k] / (double)cells;
      }
      for (size_t k = 0; k < (start->mode == PF_START_EACH      ? cells
                              : start->mode == PF_START_MEAN_SD ? 2
                                                                : 0);
           k++) {
        const pf_parameter_instance *instance =
            &layout->instances[pf_layout_instance(layout, r, first + k)];
        if (instance->value != PF_LAYOUT_NONE && instance->recording == r &&
            instance->factor == 1.0) {
          values[instance->value] = start->mode == PF_START_EACH ? (double)w[q][k]
                                    : k == 1                     ? sqrt(squares)
                                             : model->parameters[first].declared.initial;
        }
      }
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
  if (problem->model->start_theta0 < problem->model->n_parameters) {
    const pf_status status = start_from_network(problem, layout, values, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t k = 0; k < layout->n; k++) {
    const pf_parameter_instance *instance = &layout->instances[layout->index[k]];
    const double drawn = start_of(problem, unit, layout, instance);
    const bool is_warm = problem->warm != NULL && drawn == warm_of(problem, unit, instance);
    const double start =
        problem->model->parameters[instance->parameter].is_start && !is_warm ? values[k] : drawn;
    values[k] = fmin(fmax(start, layout->lower[k]), layout->upper[k]);
  }
  return PF_OK;
}
