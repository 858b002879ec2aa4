#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/store/h5.h"
#include "core/store/tables.h"
#include <plastfit/plastfit.h>
#include <stdlib.h>
#include <string.h>

/* Weights of one animal beyond this are thinned: a figure of learning needs no more, and disks are
 * not endless. */
static const double max_bytes = 64.0 * 1024.0 * 1024.0;
/* The file stands in memory until it is whole, so it must end somewhere: animals after this have no
 * trajectories. */
static const int64_t largest_file = (int64_t)1 << 30;

enum { PATH_LENGTH = 512, NAME_LENGTH = 128, LAYOUT_VERSION = 1 };

typedef struct clean_animal {
  char name[NAME_LENGTH];
  size_t animal;
} clean_animal;

typedef struct group_name {
  char path[NAME_LENGTH + 34];
} group_name;

typedef struct writer {
  const pf_results *results;
  pf_evaluation_plan plan;
  pf_h5 *h5;
  pf_workspace *model, *teacher; /* teacher NULL: the truth is unknown */
  group_name *groups;            /* of each animal */
} writer;

/* A name as part of a path: no '/', not empty, no lone dots, not too long, no half characters. */
static void clean_name(const char *name, char *out, size_t capacity)
{
  size_t n = strlen(name) < capacity ? strlen(name) : capacity - 1;
  while (n > 0 && name[n] != '\0' && ((unsigned char)name[n] & 0xc0) == 0x80) {
    n--;
  }
  (void)snprintf(out, capacity, "%.*s", (int)n, name);
  for (char *c = out; *c != '\0'; c++) {
    *c = *c == '/' ? '_' : *c;
  }
  if (out[0] == '\0' || strcmp(out, ".") == 0 || strcmp(out, "..") == 0) {
    (void)snprintf(out, capacity, "_");
  }
}

static int compare_clean_names(const void *a, const void *b)
{
  const clean_animal *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->animal > y->animal) - (x->animal < y->animal);
}

static bool is_name_of_animal(const clean_animal *sorted, size_t n, const char *name)
{
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int order = strcmp(sorted[middle].name, name);
    if (order == 0) {
      return true;
    }
    low = order < 0 ? middle + 1 : low;
    high = order < 0 ? high : middle;
  }
  return false;
}

/* Each animal's group: its name; its index too where an animal before it has the same one once
 * cleaned. `sorted`: room for all. */
static void name_groups(const pf_dataset *data, clean_animal *sorted, group_name *groups)
{
  for (size_t a = 0; a < data->n_animals; a++) {
    sorted[a].animal = a;
    clean_name(data->animals[a], sorted[a].name, sizeof sorted[a].name);
  }
  qsort(sorted, data->n_animals, sizeof *sorted, compare_clean_names);
  for (size_t k = 0; k < data->n_animals; k++) {
    const clean_animal *one = &sorted[k];
    char name[NAME_LENGTH + 32];
    (void)snprintf(name, sizeof name, "%s", one->name);
    if (k > 0 && strcmp(sorted[k - 1].name, one->name) == 0) {
      (void)snprintf(name, sizeof name, "%s_%zu", one->name, one->animal);
      for (size_t end = strlen(name);
           end + 1 < sizeof name && is_name_of_animal(sorted, data->n_animals, name); end++) {
        memcpy(name + end, "_", 2);
      }
    }
    (void)snprintf(groups[one->animal].path, sizeof groups->path, "/%s", name);
  }
}

static pf_status make_groups(writer *w, pf_error *error)
{
  const pf_dataset *data = w->plan.data;
  w->groups = pf_memory_need(data->n_animals, sizeof *w->groups, error);
  clean_animal *sorted =
      w->groups == NULL ? NULL : pf_memory_need(data->n_animals, sizeof *sorted, error);
  if (sorted == NULL) {
    return PF_STOP;
  }
  name_groups(data, sorted, w->groups);
  pf_memory_free(sorted);
  return PF_OK;
}

/* ---- what was recorded ---- */

static void child_path(char *out, const char *group, const char *folder, const char *name)
{
  char last[128];
  clean_name(name, last, sizeof last);
  (void)snprintf(out, PATH_LENGTH, "%.300s/%s%s", group, folder, last);
}

static void write_recording(writer *w, const char *group, const pf_draw *draw)
{
  const pf_recording *recording = draw->recording;
  const int64_t n = draw->n_steps;
  char path[PATH_LENGTH];
  child_path(path, group, "", "input");
  pf_h5_matrix(w->h5, path, PF_H5_REAL, draw->input, n, recording->n_input, draw->ld_input);
  child_path(path, group, "", "flags");
  pf_h5_matrix(w->h5, path, PF_H5_UINT32, draw->flags, n, -1, 1);
  child_path(path, group, "", "trial");
  pf_h5_matrix(w->h5, path, PF_H5_INT64, recording->trial, n, -1, 1);
  child_path(path, group, "", "block");
  pf_h5_matrix(w->h5, path, PF_H5_INT64, recording->block, n, -1, 1);
  for (size_t c = 0; c < recording->n_channels; c++) {
    child_path(path, group, "channels/", recording->channels[c].name);
    pf_h5_matrix(w->h5, path, PF_H5_DOUBLE, recording->channels[c].values, n, -1, 1);
  }
  for (size_t t = 0; t < recording->n_targets; t++) {
    const pf_record *target = &recording->targets[t];
    child_path(path, group, "targets/", target->name);
    pf_h5_matrix(w->h5, path, PF_H5_DOUBLE, target->values, n, target->n, target->n);
  }
}

/* ---- what the model, or the teacher, did ---- */

static void write_observables(writer *w, const char *group, const char *folder,
                              const pf_model *model, const pf_workspace *workspace, int64_t n_steps)
{
  for (size_t o = 0; o < model->n_observables; o++) {
    const pf_observable *observable = &model->observables[o];
    int64_t n = 0;
    int64_t ld = 0;
    char path[PATH_LENGTH];
    const pf_real *values = pf_workspace_observable(workspace, (int64_t)o, &n, &ld);
    child_path(path, group, folder, observable->name);
    pf_h5_matrix(w->h5, path, PF_H5_REAL, values, n_steps, n, ld);
  }
}

/* Change k is kept where k is a multiple of `every`, and the last one always. */
static bool kept_states(int64_t k, int64_t every, int64_t n_changes)
{
  return k % every == 0 || k == n_changes;
}

static pf_status write_weights(writer *w, const char *path, const pf_plastic *plastic, size_t p,
                               const pf_simulation *run, int64_t every, int64_t n_kept,
                               pf_error *error)
{
  const int64_t n_changes = pf_workspace_n_changes(run->workspaces.items[0]);
  const int64_t ld = pf_workspace_ld(run->workspaces.items[0], p);
  const int64_t at_once = pf_workspace_rows_at_once(run->workspaces.items[0], p);
  pf_real *states =
      pf_memory_need((size_t)(n_changes + 1) * (size_t)(at_once * ld), sizeof *states, error);
  pf_status status = states == NULL ? PF_STOP : PF_OK;
  pf_h5_cube(w->h5, path, PF_H5_REAL, n_kept, plastic->n_post, plastic->n_pre);
  for (int64_t row0 = 0; row0 < plastic->n_post && status == PF_OK; row0 += at_once) {
    const int64_t n_rows = plastic->n_post - row0 < at_once ? plastic->n_post - row0 : at_once;
    int64_t slice = 0;
    status = pf_simulation_rows(run, p, row0, n_rows, states, error);
    for (int64_t k = 0; k <= n_changes && status == PF_OK;
         k++) { /* those kept, without gaps, to where they stand */
      for (int64_t i = 0; i < n_rows && kept_states(k, every, n_changes); i++) {
        memmove(states + (slice * n_rows + i) * plastic->n_pre, states + (k * n_rows + i) * ld,
                (size_t)plastic->n_pre * sizeof *states);
      }
      slice += kept_states(k, every, n_changes) ? 1 : 0;
    }
    if (status == PF_OK) { /* all at once: to hdf5 a call is dear */
      pf_h5_slices(w->h5, path, PF_H5_REAL, row0, states, slice, n_rows, plastic->n_pre);
    }
  }
  pf_memory_free(states);
  return status;
}

/* Which changes are kept, and after which step each came (-1: the initial weights). */
static pf_status write_changes(writer *w, const char *folder, const pf_draw *draw,
                               int64_t n_changes, int64_t every, int64_t *n_kept, pf_error *error)
{
  int64_t *change = pf_memory_need((size_t)n_changes + 1, sizeof *change, error);
  int64_t *step = pf_memory_need((size_t)n_changes + 1, sizeof *step, error);
  if (change == NULL || step == NULL) {
    pf_memory_free(change);
    pf_memory_free(step);
    return PF_STOP;
  }
  int64_t n = 0;
  int64_t k = 0;
  for (int64_t t = -1; t < draw->n_steps; t++) {
    if (t >= 0 && (draw->flags[t] & PF_STEP_PLASTIC) == 0) {
      continue;
    }
    if (k <= n_changes && kept_states(k, every, n_changes)) {
      change[n] = k;
      step[n] = t;
      n++;
    }
    k++;
  }
  char path[PATH_LENGTH];
  child_path(path, folder, "", "change");
  pf_h5_matrix(w->h5, path, PF_H5_INT64, change, n, -1, 1);
  child_path(path, folder, "", "step");
  pf_h5_matrix(w->h5, path, PF_H5_INT64, step, n, -1, 1);
  pf_memory_free(change);
  pf_memory_free(step);
  *n_kept = n;
  return PF_OK;
}

static pf_status write_plastic(writer *w, const char *group, const pf_simulation *run,
                               const pf_simulation *truth, size_t p, int64_t every, pf_error *error)
{
  const pf_model *model = w->results->problem->model;
  const pf_plastic *plastic = &model->plastic[p];
  const pf_projection *projection = &model->projections[plastic->projection];
  char folder[PATH_LENGTH];
  char path[PATH_LENGTH];
  int64_t n_kept = 0;
  for (size_t before = 0; before < p; before++) {
    if (model->plastic[before].projection == plastic->projection) {
      return PF_OK; /* rules by groups of units share a projection: its weights are there */
    }
  }
  child_path(folder, group, "weights/", projection->name);
  pf_status status =
      write_changes(w, folder, run->draw, pf_workspace_n_changes(run->workspaces.items[0]), every,
                    &n_kept, error);
  if (status != PF_OK) {
    return status;
  }
  pf_h5_integer(w->h5, folder, "every", every);
  child_path(path, folder, "", "model");
  status = write_weights(w, path, plastic, p, run, every, n_kept, error);
  if (status == PF_OK && truth != NULL) {
    child_path(path, folder, "", "truth");
    status = write_weights(w, path, plastic, p, truth, every, n_kept, error);
  }
  return status;
}

/* ---- one experiment ---- */

/* What the teacher does on the draw's twin; its activities, then everybody's weights. */
static pf_status write_truth(writer *w, const char *group, const pf_draw *twin, pf_error *error)
{
  const pf_problem *problem = w->results->problem;
  const pf_simulation truth = {
      problem->models->teacher, twin, problem->models->teacher_theta, {&w->teacher, 1}};
  const pf_status status =
      pf_forward(&truth, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE, NULL, error);
  if (status == PF_OK) {
    write_observables(w, group, "truth/", problem->models->teacher, w->teacher, twin->n_steps);
  }
  return status;
}

static pf_status write_experiment(writer *w, const char *group, const pf_draw *draw,
                                  const double *theta, int64_t every, pf_error *error)
{
  const pf_problem *problem = w->results->problem;
  const pf_model *model = problem->model;
  pf_draw *twin = NULL;
  const pf_simulation run = {model, draw, theta, {&w->model, 1}};
  pf_status status = pf_forward(&run, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_SCORE, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  pf_h5_group(w->h5, group);
  pf_h5_text(w->h5, group, "name", draw->recording->name != NULL ? draw->recording->name : "");
  pf_h5_text(w->h5, group, "session",
             draw->recording->session != NULL ? draw->recording->session : "");
  write_recording(w, group, draw);
  write_observables(w, group, "observables/", model, w->model, draw->n_steps);
  if (w->teacher != NULL) {
    status = pf_problem_teacher_draw(problem, draw, theta, &twin, error);
    status = status == PF_OK ? write_truth(w, group, twin, error) : status;
  }
  const pf_simulation truth = {
      problem->models->teacher, twin, problem->models->teacher_theta, {&w->teacher, 1}};
  for (size_t p = 0; status == PF_OK && p < model->n_plastic; p++) {
    status = write_plastic(w, group, &run, w->teacher != NULL ? &truth : NULL, p, every, error);
  }
  if (twin != NULL) {
    pf_draw_free(problem->models->teacher, twin);
  }
  return status;
}

/* ---- one animal ---- */

static int64_t thinning_step(const writer *w, size_t animal)
{
  const pf_model *model = w->results->problem->model;
  double bytes = 0.0;
  for (size_t i = 0; i < w->plan.data->n; i++) {
    const pf_recording *recording = &w->plan.data->recordings[i];
    if (recording->animal_index != animal) {
      continue;
    }
    double n_states = 1.0;
    for (int64_t t = 0; t < recording->n_steps; t++) {
      n_states += (recording->flags[t] & PF_STEP_PLASTIC) ? 1.0 : 0.0;
    }
    for (size_t p = 0; p < model->n_plastic; p++) {
      bytes += n_states * (double)model->plastic[p].n_post * (double)model->plastic[p].n_pre *
               (double)sizeof(pf_real);
    }
  }
  bytes *= w->teacher != NULL ? 2.0 : 1.0;
  return bytes > max_bytes ? (int64_t)(bytes / max_bytes) + 1 : 1;
}

static pf_status write_animal(writer *w, size_t animal, pf_error *error)
{
  const pf_animal_result *result = &w->results->evaluation->animals[animal];
  const char *group = w->groups[animal].path;
  pf_h5_group(w->h5, group);
  pf_h5_text(w->h5, group, "name", result->name);
  pf_h5_text(w->h5, group, "status", pf_status_word(result->status));
  if (result->status != PF_OK) {
    pf_h5_text(w->h5, group, "error", result->error.text);
    return PF_OK;
  }
  if (pf_h5_size(w->h5) > largest_file) {
    pf_h5_text(w->h5, group, "left_out", "the file had reached 1 GiB before this animal");
    return PF_OK;
  }
  const pf_fit_group *unit = &w->results->fit->groups[result->unit];
  const int64_t every = thinning_step(w, animal);
  size_t experiment = 0;
  pf_h5_text(w->h5, group, "unit", unit->name);
  for (size_t i = 0; i < w->plan.data->n; i++) {
    if (w->plan.data->recordings[i].animal_index != animal) {
      continue;
    }
    pf_draw *draw = NULL;
    char path[PATH_LENGTH];
    pf_status status = pf_evaluation_draw(w->results->problem, &w->plan, i, 0, &draw, error);
    if (status != PF_OK) {
      return status;
    }
    (void)snprintf(path, sizeof path, "%.300s/experiment_%zu", group, experiment++);
    const double *theta =
        w->results->evaluation->thetas + i * w->results->problem->model->n_parameters;
    status = write_experiment(w, path, draw, theta, every, error);
    pf_draw_free(w->results->problem->model, draw);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status make_workspaces(writer *w, pf_error *error)
{
  const pf_problem *problem = w->results->problem;
  const int64_t longest = pf_evaluation_longest(&w->plan);
  const pf_status status = pf_workspace_create(problem->model, longest, &w->model, error);
  if (status != PF_OK || problem->models->teacher == NULL) {
    return status;
  }
  return pf_workspace_create(problem->models->teacher, longest, &w->teacher, error);
}

pf_status pf_write_trajectories(const pf_results *results, const char *path, pf_error *error)
{
  writer w = {.results = results, .plan = pf_evaluation_plan_of(results->problem)};
  pf_status status = make_workspaces(&w, error);
  if (status == PF_OK) {
    status = make_groups(&w, error);
  }
  if (status == PF_OK) {
    status = pf_h5_create(path, &w.h5, error);
  }
  if (status == PF_OK) {
    pf_h5_integer(w.h5, "/", "layout", LAYOUT_VERSION);
    pf_h5_text(w.h5, "/", "name",
               results->problem->settings->name != NULL ? results->problem->settings->name : "");
    pf_h5_text(w.h5, "/", "plastfit", pf_version());
    pf_h5_text(w.h5, "/", "precision", sizeof(pf_real) == sizeof(double) ? "double" : "single");
    pf_h5_text(w.h5, "/", "evaluated_on", results->evaluation->evaluated_on);
    for (size_t a = 0; status == PF_OK && a < results->evaluation->n_animals; a++) {
      status = write_animal(&w, a, error);
    }
    const pf_status closed = pf_h5_close(w.h5, error);
    status = status != PF_OK ? status : closed;
  }
  pf_workspace_free(w.model);
  pf_workspace_free(w.teacher);
  pf_memory_free(w.groups);
  return status;
}
