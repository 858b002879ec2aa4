/*
 * Two coefficients whose directions in the data are one and the same without input noise (x and
 * x^2, where an odour is on or off), and two with it: what a fit says of one against the other then
 * rests on numbers that plastfit drew, not on data. Seen in the Fisher information, with the noise
 * and without.
 */
#include "core/check/check_noise.h"
#include "core/base/memory.h"
#include "core/fit/fit_groups.h"
#include "core/layout/layout.h"
#include "core/sensitivity/information.h"

#include <math.h>
#include <string.h>

enum { MAX_FREE = 100, MAX_RECORDINGS = 2 };
/* Directions are one where the cosine between them is 1 to rounding, two where it is 1 by a hundred
 * times less. */
static const double one = sizeof(pf_real) == sizeof(double) ? 1e-10 : 1e-5,
                    two = sizeof(pf_real) == sizeof(double) ? 1e-8 : 1e-3;

/** += the information [n][n] of the free parameters in one draw of a recording. */
static pf_status add_information(const pf_problem *problem, size_t recording, const double *theta,
                                 const pf_directions *directions, double *information,
                                 pf_error *error)
{
  const pf_model *model = problem->model;
  pf_draw *draw = NULL;
  pf_workspace *workspace = NULL;
  double *scale = pf_memory_need(model->n_losses, sizeof *scale, error);
  if (scale == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    scale[k] = 1.0;
  }
  pf_status status =
      pf_problem_draw(problem, &(pf_draw_id){&problem->data, recording, 0, false}, &draw, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_workspace_create(model, draw->n_steps, &workspace, error);
  if (status != PF_OK) {
    goto done;
  }
  pf_information_out out = {.information = information};
  const pf_information_in in = {.model = model,
                                .draw = draw,
                                .theta = theta,
                                .scale = scale,
                                .workspaces = &workspace,
                                .n_workspaces = 1};
  status = pf_information(&in, directions, &out, error);
done:
  pf_workspace_free(workspace);
  pf_draw_free(model, draw);
  pf_memory_free(scale);
  return status;
}

static pf_status information_of(const pf_problem *problem, const double *theta,
                                const pf_directions *directions, double *information,
                                pf_error *error)
{
  for (size_t r = 0; r < problem->data.n && r < MAX_RECORDINGS; r++) {
    const pf_status status = add_information(problem, r, theta, directions, information, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** 1 - |cosine| between directions i and j; 1 where one of them does nothing. */
static double told_apart_by(const double *information, size_t n, size_t i, size_t j)
{
  const double norms = sqrt(information[i * n + i]) * sqrt(information[j * n + j]);
  return norms > 0.0 ? 1.0 - fabs(information[i * n + j]) / norms : 1.0;
}

static const char *print_name(const pf_model *model, size_t parameter)
{
  const pf_parameter *declared = &model->parameters[parameter].declared;
  return declared->label != NULL ? declared->label : declared->name;
}

/** "x and x^2; x r and x^2 r" */
static size_t list_groups(const pf_model *model, const pf_directions *directions,
                          const double *still, const double *noisy, char *text, size_t capacity)
{
  const size_t n = directions->n;
  bool listed[MAX_FREE] = {false};
  size_t n_groups = 0, used = 0;
  for (size_t i = 0; i < n; i++) {
    bool open = false;
    for (size_t j = i + 1; j < n && !listed[i]; j++) {
      if (listed[j] || told_apart_by(still, n, i, j) > one || told_apart_by(noisy, n, i, j) < two) {
        continue;
      }
      if (!open && used < capacity) {
        used += (size_t)snprintf(text + used, capacity - used, "%s%.40s", n_groups > 0 ? "; " : "",
                                 print_name(model, directions->which[i]));
      }
      if (used < capacity) {
        used += (size_t)snprintf(text + used, capacity - used, " and %.40s",
                                 print_name(model, directions->which[j]));
      }
      n_groups += open ? 0 : 1;
      open = true;
      listed[j] = true;
    }
  }
  return n_groups;
}

static bool draws_inputs(const pf_problem *problem)
{
  bool any = problem->settings->input.sd > 0.0;
  for (size_t r = 0; r < problem->data.n && r < MAX_RECORDINGS; r++) {
    any = any || pf_recording_n_drawn(&problem->data.recordings[r]) > 0;
  }
  return any && !problem->settings->give_inputs;
}

size_t pf_check_warn_noise(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const pf_model *model = problem->model;
  size_t which[MAX_FREE];
  pf_directions directions = {.n = 0, .which = which};
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (pf_is_free(&model->parameters[i]) && !model->parameters[i].is_start) {
      if (directions.n == MAX_FREE) {
        return 0;
      }
      which[directions.n++] = i;
    }
  }
  if (!draws_inputs(problem) || directions.n < 2) {
    return 0;
  }
  const size_t n = directions.n;
  pf_error unused = pf_error_none();
  pf_problem quiet = *problem; /* borrowed, with inputs as the cues say */
  pf_settings settings = *quiet.settings;
  quiet.settings = &settings;
  settings.inputs_at_mean = true;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, &unused);
  double *still = pf_memory_need(n * n, sizeof *still, &unused);
  double *noisy = pf_memory_need(n * n, sizeof *noisy, &unused);
  char text[600] = "";
  size_t found = 0;
  /* what cannot be had (memory, a start that overflows) is told elsewhere */
  if (theta != NULL && still != NULL && noisy != NULL &&
      pf_fit_start(problem, 0, theta, &unused) == PF_OK &&
      information_of(problem, theta, &directions, noisy, &unused) == PF_OK &&
      information_of(&quiet, theta, &directions, still, &unused) == PF_OK) {
    found = list_groups(model, &directions, still, noisy, text, sizeof text);
  }
  if (found > 0) {
    (void)fprintf(stream,
                  "%s%s: only the input noise that plastfit draws (source.input.sd) distinguishes "
                  "these; a difference that a fit finds between them is not in the data\n",
                  prefix, text);
  }
  pf_memory_free(theta);
  pf_memory_free(still);
  pf_memory_free(noisy);
  return found > 0 ? 1 : 0;
}
