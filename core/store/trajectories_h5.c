#include "core/base/memory.h"
#include "core/data/data_names.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/evaluate/trajectories.h"
#include "core/hdf5/packed.h"
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

enum { PATH_LENGTH = 512, NAME_LENGTH = 128 };
/* Up to so many experiments each has a group of its own (layout 1); more are packed: a dataset has
 * the rows of all (layout 2). */
enum { MAX_GROUPS = 1000, LAYOUT_OF_GROUPS = 1, LAYOUT_PACKED = 2 };
/* A dataset takes HDF5 some 30 microseconds and a KiB: of a table with more columns than this, the
 * first are written, and the last, which are those that plastfit derives. */
enum { MAX_CHANNELS = 1000, N_DERIVED = 32 };

typedef struct clean_animal {
  char name[NAME_LENGTH];
  size_t animal;
} clean_animal;

typedef struct group_name {
  char path[NAME_LENGTH + 34];
} group_name;

typedef struct writer {
  const pf_results *results;
  const pf_dataset *data; /* what was evaluated */
  pf_h5 *h5;
  group_name *groups; /* of each animal */
  pf_packed *packed;  /* NULL: experiments have groups */
  bool has_states;    /* packed: of the present experiment, states of the weights were begun */
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
  w->groups = pf_memory_need(w->data->n_animals, sizeof *w->groups, error);
  if (w->groups == NULL) {
    return PF_STOP;
  }
  clean_animal *sorted = pf_memory_need(w->data->n_animals, sizeof *sorted, error);
  if (sorted == NULL) {
    return PF_STOP;
  }
  name_groups(w->data, sorted, w->groups);
  pf_memory_free(sorted);
  return PF_OK;
}

/* ---- what was recorded ---- */

/* The group that a trajectory's arrays go to, in a file of groups. */
static void experiment_group(const writer *w, const pf_trajectory *at, char *path)
{
  (void)snprintf(path, PATH_LENGTH, "%s/experiment_%zu", w->groups[at->animal].path,
                 at->experiment);
}

static void child_path(char *out, const char *group, const char *folder, const char *name)
{
  char last[128];
  clean_name(name, last, sizeof last);
  (void)snprintf(out, PATH_LENGTH, "%.300s%s%s%s", group, group[0] != '\0' ? "/" : "", folder,
                 last);
}

/* Rows, one a step, of the present experiment. */
static void put_steps(writer *w, const pf_trajectory *at, const char *folder, const char *name,
                      pf_h5_rows from)
{
  char path[PATH_LENGTH], group[PATH_LENGTH];
  if (w->packed != NULL) {
    child_path(path, "", folder, name);
    pf_packed_rows(w->packed, (pf_packed_place){"steps", path}, from);
    return;
  }
  experiment_group(w, at, group);
  child_path(path, group, folder, name);
  pf_h5_matrix(w->h5, path, from);
}

/* What is said of an experiment: `group` is its own, or it has a row of a table. */
static void put_text(writer *w, const char *table, const char *group, const char *name,
                     const char *value)
{
  if (w->packed != NULL) {
    pf_packed_text(w->packed, (pf_packed_place){table, name}, value);
  } else {
    pf_h5_text(w->h5, group, name, value);
  }
}

static void put_integer(writer *w, const char *table, const char *group, const char *name,
                        int64_t value)
{
  if (w->packed != NULL) {
    pf_packed_integer(w->packed, (pf_packed_place){table, name}, value);
  } else {
    pf_h5_integer(w->h5, group, name, value);
  }
}

static void write_channels(writer *w, const pf_trajectory *at)
{
  const pf_recording *recording = at->draw->recording;
  char group[PATH_LENGTH];
  int64_t n_left_out = 0;
  for (size_t c = 0; c < recording->n_channels; c++) {
    const pf_series *channel = &recording->channels[c];
    if (c >= MAX_CHANNELS && c + N_DERIVED < recording->n_channels &&
        !pf_is_reward(channel->name)) {
      n_left_out++;
      continue;
    }
    put_steps(w, at, "channels/", channel->name,
              (pf_h5_rows){PF_H5_DOUBLE, channel->values, at->draw->n_steps, -1, 1});
  }
  if (n_left_out > 0) {
    experiment_group(w, at, group);
    put_integer(w, "experiments", group, "channels_left_out", n_left_out);
  }
}

static void write_recording(writer *w, const pf_trajectory *at)
{
  const pf_draw *draw = at->draw;
  const pf_recording *recording = draw->recording;
  const int64_t n = draw->n_steps;
  put_steps(w, at, "", "input",
            (pf_h5_rows){PF_H5_REAL, draw->input, n, recording->n_input, draw->ld_input});
  put_steps(w, at, "", "flags", (pf_h5_rows){PF_H5_UINT32, draw->flags, n, -1, 1});
  put_steps(w, at, "", "trial", (pf_h5_rows){PF_H5_INT64, recording->trial, n, -1, 1});
  put_steps(w, at, "", "block", (pf_h5_rows){PF_H5_INT64, recording->block, n, -1, 1});
  write_channels(w, at);
  for (size_t t = 0; t < recording->n_targets; t++) {
    const pf_record *target = &recording->targets[t];
    put_steps(w, at, "targets/", target->name,
              (pf_h5_rows){PF_H5_DOUBLE, target->values, n, target->n, target->n});
  }
}

/* ---- what the model, and the teacher, did ---- */

static void write_observables(writer *w, const pf_trajectory *at, const char *folder,
                              const pf_model *model, const pf_workspace *workspace)
{
  for (size_t o = 0; o < model->n_observables; o++) {
    const pf_observable *observable = &model->observables[o];
    int64_t n = 0;
    int64_t ld = 0;
    const pf_real *values = pf_workspace_observable(workspace, (int64_t)o, &n, &ld);
    put_steps(w, at, folder, observable->name,
              (pf_h5_rows){PF_H5_REAL, values, at->draw->n_steps, n, ld});
  }
}

/* ---- weights ---- */

typedef struct kept_changes {
  int64_t *change, *step; /* [n] which they are, and after which step each came (-1: initial) */
  int64_t n;
} kept_changes;

static void free_kept_changes(kept_changes *kept)
{
  pf_memory_free(kept->change);
  pf_memory_free(kept->step);
}

static pf_status find_kept_changes(const pf_trajectory *at, int64_t n_changes, kept_changes *out,
                                   pf_error *error)
{
  const pf_draw *draw = at->draw;
  *out = (kept_changes){.change = pf_memory_need((size_t)n_changes + 1, sizeof *out->change, error),
                        .step = pf_memory_need((size_t)n_changes + 1, sizeof *out->step, error)};
  if (out->change == NULL || out->step == NULL) {
    free_kept_changes(out);
    return PF_STOP;
  }
  int64_t k = 0;
  for (int64_t t = -1; t < draw->n_steps; t++) {
    if (t >= 0 && (draw->flags[t] & PF_STEP_PLASTIC) == 0) {
      continue;
    }
    if (k <= n_changes && pf_is_change_kept(k, at->every, n_changes)) {
      out->change[out->n] = k;
      out->step[out->n] = t;
      out->n++;
    }
    k++;
  }
  return PF_OK;
}

static void put_changes(writer *w, const char *folder, const pf_trajectory *at,
                        const kept_changes *kept)
{
  char path[PATH_LENGTH];
  const pf_h5_rows change = {PF_H5_INT64, kept->change, kept->n, -1, 1};
  const pf_h5_rows step = {PF_H5_INT64, kept->step, kept->n, -1, 1};
  if (w->packed == NULL) {
    child_path(path, folder, "", "change");
    pf_h5_matrix(w->h5, path, change);
    child_path(path, folder, "", "step");
    pf_h5_matrix(w->h5, path, step);
    pf_h5_integer(w->h5, folder, "every", at->every);
    return;
  }
  const int64_t first = pf_packed_extend(w->packed, "states", kept->n);
  pf_packed_integer(w->packed, (pf_packed_place){"experiments", "first_state"}, first);
  pf_packed_integer(w->packed, (pf_packed_place){"experiments", "n_states"}, kept->n);
  pf_packed_integer(w->packed, (pf_packed_place){"experiments", "every"}, at->every);
  pf_packed_rows(w->packed, (pf_packed_place){"states", "change"}, change);
  pf_packed_rows(w->packed, (pf_packed_place){"states", "step"}, step);
}

/* Packed, all projections of an experiment share the table of its states. */
static pf_status begin_states(writer *w, const char *folder, const pf_trajectory *at,
                              int64_t n_changes, pf_error *error)
{
  kept_changes kept;
  if (w->packed != NULL && w->has_states) {
    return PF_OK;
  }
  const pf_status status = find_kept_changes(at, n_changes, &kept, error);
  if (status != PF_OK) {
    return status;
  }
  put_changes(w, folder, at, &kept);
  free_kept_changes(&kept);
  w->has_states = true;
  return PF_OK;
}

static const char *const kinds[] = {"model",       "truth",         "filtered_mean",
                                    "filtered_sd", "smoothed_mean", "smoothed_sd"};

static pf_status receive_weights(void *payload, const pf_trajectory *at, const pf_weight_rows *rows,
                                 pf_error *error)
{
  writer *w = payload;
  const pf_model *model = w->results->problem->model;
  const pf_plastic *plastic = &model->plastic[rows->plastic];
  char group[PATH_LENGTH] = "", folder[PATH_LENGTH], path[PATH_LENGTH];
  const pf_h5_rows from = {PF_H5_REAL, rows->states, rows->n_rows, plastic->n_pre, plastic->n_pre};
  if (w->packed == NULL) {
    experiment_group(w, at, group);
  }
  child_path(folder, group, "weights/", model->projections[plastic->projection].name);
  child_path(path, folder, "", kinds[rows->kind]);
  if (rows->row0 == 0 && rows->kind == PF_WEIGHTS_MODEL &&
      begin_states(w, folder, at, rows->n_changes, error) != PF_OK) {
    return PF_STOP;
  }
  if (w->packed != NULL) {
    pf_packed_matrices(w->packed, (pf_packed_place){"states", path}, plastic->n_post, rows->row0,
                       from);
    return PF_OK;
  }
  if (rows->row0 == 0) {
    pf_h5_cube(w->h5, path, PF_H5_REAL, rows->n_kept, plastic->n_post, plastic->n_pre);
  }
  /* all slices at once: to hdf5 a call is dear */
  pf_h5_slices(w->h5, path, rows->row0, rows->n_kept, from);
  return PF_OK;
}

/* ---- experiments and animals ---- */

static void begin_experiment(writer *w, const pf_trajectory *at, const char *group)
{
  w->has_states = false;
  if (w->packed == NULL) {
    pf_h5_group(w->h5, group);
    return;
  }
  const int64_t n_steps = at->draw->n_steps;
  (void)pf_packed_extend(w->packed, "experiments", 1);
  const int64_t first = pf_packed_extend(w->packed, "steps", n_steps);
  put_integer(w, "experiments", group, "animal", (int64_t)at->animal);
  put_integer(w, "experiments", group, "experiment", (int64_t)at->experiment);
  put_integer(w, "experiments", group, "first_step", first);
  put_integer(w, "experiments", group, "n_steps", n_steps);
}

static pf_status receive_experiment(void *payload, const pf_trajectory *at, pf_error *error)
{
  (void)error;
  writer *w = payload;
  const pf_problem *problem = w->results->problem;
  const pf_recording *recording = at->draw->recording;
  char group[PATH_LENGTH];
  experiment_group(w, at, group);
  begin_experiment(w, at, group);
  put_text(w, "experiments", group, "name", recording->name != NULL ? recording->name : "");
  put_text(w, "experiments", group, "session",
           recording->session != NULL ? recording->session : "");
  write_recording(w, at);
  write_observables(w, at, "observables/", problem->model, at->model);
  if (at->expected.target != NULL) {
    const int64_t n = at->expected.n;
    put_steps(w, at, "expected/", at->expected.target,
              (pf_h5_rows){PF_H5_REAL, at->expected.values, at->draw->n_steps, n, n});
  }
  if (at->teacher != NULL) {
    write_observables(w, at, "truth/", problem->models->teacher, at->teacher);
  }
  return PF_OK;
}

static pf_status receive_animal(void *payload, size_t animal, bool *wanted, pf_error *error)
{
  (void)error;
  writer *w = payload;
  const pf_animal_result *result = &w->results->evaluation->animals[animal];
  const char *group = w->groups[animal].path;
  if (w->packed != NULL) {
    (void)pf_packed_extend(w->packed, "animals", 1);
    put_text(w, "animals", group, "group", group + 1); /* as a file of groups would have it */
  } else {
    pf_h5_group(w->h5, group);
  }
  put_text(w, "animals", group, "name", result->name);
  put_text(w, "animals", group, "status", pf_status_word(result->status));
  *wanted = false;
  if (result->status != PF_OK) {
    put_text(w, "animals", group, "error", result->error.text);
    return PF_OK;
  }
  if ((w->packed != NULL ? pf_packed_size(w->packed) : pf_h5_size(w->h5)) > largest_file) {
    put_text(w, "animals", group, "left_out", "the file had reached 1 GiB before this animal");
    return PF_OK;
  }
  put_text(w, "animals", group, "unit", w->results->fit->groups[result->unit].name);
  *wanted = true;
  return PF_OK;
}

static pf_status open_writer(writer *w, const char *path, pf_error *error)
{
  if (make_groups(w, error) != PF_OK || pf_h5_create(path, &w->h5, error) != PF_OK) {
    return PF_STOP;
  }
  return w->data->n > MAX_GROUPS ? pf_packed_create(&w->packed, error) : PF_OK;
}

static pf_status close_writer(writer *w, pf_status status, pf_error *error)
{
  if (status == PF_OK && w->packed != NULL) {
    status = pf_packed_write(w->packed, w->h5, error);
  }
  pf_packed_free(w->packed);
  pf_memory_free(w->groups);
  const pf_status closed = pf_h5_close(w->h5, error);
  return status != PF_OK ? status : closed;
}

static void write_head(const writer *w)
{
  const pf_problem *problem = w->results->problem;
  pf_h5_integer(w->h5, "/", "layout", w->packed != NULL ? LAYOUT_PACKED : LAYOUT_OF_GROUPS);
  pf_h5_text(w->h5, "/", "name", problem->settings->name != NULL ? problem->settings->name : "");
  pf_h5_text(w->h5, "/", "plastfit", pf_version());
  pf_h5_text(w->h5, "/", "precision", sizeof(pf_real) == sizeof(double) ? "double" : "single");
  pf_h5_text(w->h5, "/", "evaluated_on", w->results->evaluation->evaluated_on);
}

pf_status pf_write_trajectories(const pf_results *results, const char *path, pf_error *error)
{
  writer w = {.results = results, .data = pf_evaluation_plan_of(results->problem).data};
  const pf_trajectory_receiver receiver = {.payload = &w,
                                           .max_bytes = max_bytes,
                                           .animal = receive_animal,
                                           .experiment = receive_experiment,
                                           .weights = receive_weights};
  pf_status status = open_writer(&w, path, error);
  if (status == PF_OK) {
    write_head(&w);
    status = pf_trajectories_each(results->problem, results->evaluation, &receiver, error);
  }
  return close_writer(&w, status, error);
}
