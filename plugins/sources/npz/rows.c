#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** An array of names: of the animal, the session, the experiment. */
typedef struct names {
  const npz_array *array; /**< NULL: there is none */
  unsigned char *cells;
} names;

enum { N_NAMES = 3 };

/** Everything that is used, unpacked. */
typedef struct rows {
  const npz_file *file;
  const npz_roles *roles;
  const char *stem;
  names of[N_NAMES];      /**< animal, session, experiment */
  double *cue;            /**< [steps][inputs] */
  double **channels;      /**< [n_channels] each [steps] */
  double **targets;       /**< [n_targets] each [steps][columns] */
  double *dt;             /**< [steps], or NULL */
  int64_t *trial, *block; /**< [steps], or NULL */
  uint32_t *flags;        /**< [steps] */
  int64_t *first;         /**< [n] first row of each experiment */
  size_t n;
} rows;

/* ---- numbers ---- */

static pf_status bad_cell(const rows *r, const char *array, int64_t row, double found, const char *expected,
                          pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: array '%.60s': row %lld: found %g, expected %s", r->file->path, array,
                 (long long)row, found, expected);
}

/** An array's numbers into columns [at, at + columns) of `to` [steps][width]. */
static pf_status take_array(const rows *r, size_t index, double *to, int64_t width, int64_t at, pf_error *error)
{
  const npz_array *array = &r->file->arrays[index];
  const pf_host *host = r->file->host;
  unsigned char *cells = NULL;
  pf_status status = npz_cells(r->file, array, &cells, error);
  for (int64_t t = 0; t < r->roles->steps && status == PF_OK; t++) {
    for (int64_t j = 0; j < array->header.columns && status == PF_OK; j++) {
      const double value = npy_number(&array->header, cells + npy_offset(&array->header, t, j));
      to[t * width + at + j] = value;
      status = isinf(value) ? bad_cell(r, array->name, t, value, "a finite number, or NaN where it is missing", error)
                            : PF_OK;
    }
  }
  host->release(host, cells);
  return status;
}

static pf_status take_group(const rows *r, const npz_group *group, double **out, pf_error *error)
{
  const pf_host *host = r->file->host;
  int64_t at = 0;
  *out = host->allocate(host, (size_t)r->roles->steps * (size_t)group->columns * sizeof **out);
  pf_status status =
      *out == NULL ? pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path) : PF_OK;
  for (size_t k = 0; k < group->n && status == PF_OK; k++) {
    status = take_array(r, group->arrays[k], *out, group->columns, at, error);
    at += r->file->arrays[group->arrays[k]].header.columns;
  }
  return status;
}

/** An array of one number a step, or NULL where there is none. A value without a dimension stands at every step. */
static pf_status take_single(const rows *r, int which, double **out, pf_error *error)
{
  const int64_t index = r->roles->single[which];
  const pf_host *host = r->file->host;
  if (index < 0) {
    return PF_OK;
  }
  *out = host->allocate(host, (size_t)r->roles->steps * sizeof **out);
  if (*out == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path);
  }
  const npz_array *array = &r->file->arrays[index];
  if (array->header.n_dims > 0) {
    return take_array(r, (size_t)index, *out, 1, 0, error);
  }
  unsigned char *cells = NULL;
  const pf_status status = npz_cells(r->file, array, &cells, error);
  for (int64_t t = 0; t < r->roles->steps && status == PF_OK; t++) {
    (*out)[t] = npy_number(&array->header, cells);
  }
  host->release(host, cells);
  return status;
}

/** Whole numbers from 0. */
static pf_status take_indices(const rows *r, int which, int64_t **out, pf_error *error)
{
  const pf_host *host = r->file->host;
  double *values = NULL;
  pf_status status = take_single(r, which, &values, error);
  if (status == PF_OK && values != NULL) {
    *out = host->allocate(host, (size_t)r->roles->steps * sizeof **out);
    status = *out == NULL ? pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path) : PF_OK;
    for (int64_t t = 0; t < r->roles->steps && status == PF_OK; t++) {
      const int whole = values[t] >= 0.0 && values[t] < 9e15 && floor(values[t]) == values[t];
      status = whole ? PF_OK
                     : bad_cell(r, r->file->arrays[r->roles->single[which]].name, t, values[t],
                                "a whole number, 0 or more", error);
      (*out)[t] = whole ? (int64_t)values[t] : 0;
    }
  }
  host->release(host, values);
  return status;
}

/* ---- what must hold ---- */

static pf_status check_values(const rows *r, pf_error *error)
{
  const npz_roles *roles = r->roles;
  for (int64_t t = 0; t < roles->steps; t++) {
    for (int64_t j = 0; j < roles->inputs.columns; j++) {
      if (isnan(r->cue[t * roles->inputs.columns + j])) {
        return bad_cell(r, r->file->arrays[roles->inputs.arrays[0]].name, t, (double)NAN,
                        "a number: an input cannot be missing", error);
      }
    }
    if (roles->single[NPZ_CHOICE] >= 0) {
      const double choice = r->targets[0][t];
      if (!isnan(choice) && choice != 0.0 && choice != 1.0) {
        return bad_cell(r, r->file->arrays[roles->single[NPZ_CHOICE]].name, t, choice,
                        "1 (accepted), 0 (rejected) or NaN (not observed)", error);
      }
    }
    if (r->dt != NULL && !(r->dt[t] > 0.0)) {
      return bad_cell(r, r->file->arrays[roles->single[NPZ_DT]].name, t, r->dt[t],
                      "the length of the step in ms, more than 0", error);
    }
  }
  return PF_OK;
}

static pf_status make_flags(rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  const npz_roles *roles = r->roles;
  double *plastic = NULL;
  r->flags = host->allocate(host, (size_t)roles->steps * sizeof *r->flags);
  pf_status status =
      r->flags == NULL ? pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path) : PF_OK;
  if (status == PF_OK && roles->plastic == NPZ_ARRAY) {
    status = take_single(r, NPZ_PLASTIC, &plastic, error);
  }
  for (int64_t t = 0; t < roles->steps && status == PF_OK; t++) {
    double changes = 1.0;
    if (plastic != NULL) {
      changes = plastic[t];
      if (changes != 0.0 && changes != 1.0) {
        status = bad_cell(r, r->file->arrays[roles->single[NPZ_PLASTIC]].name, t, changes,
                          "1 (weights change after this step) or 0", error);
      }
    } else if (roles->plastic == NPZ_ACCEPTS) {
      changes = r->targets[0][t] == 1.0 ? 1.0 : 0.0;
    }
    r->flags[t] = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (changes > 0.0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  host->release(host, plastic);
  return status;
}

/* ---- experiments ---- */

static const unsigned char *cell_of(const names *of, int64_t row)
{
  return of->cells + (of->array->header.n_dims == 0 ? 0 : npy_offset(&of->array->header, row, 0));
}

/** Order of two rows by the experiment they belong to: by the bytes of the names, 0 for the same one. */
static int compare_rows(const rows *r, int64_t a, int64_t b)
{
  for (int k = 0; k < N_NAMES; k++) {
    if (r->of[k].array != NULL) {
      const int order = memcmp(cell_of(&r->of[k], a), cell_of(&r->of[k], b), (size_t)r->of[k].array->header.item);
      if (order != 0) {
        return order;
      }
    }
  }
  return 0;
}

/** What a sort gets to see of an experiment. */
typedef struct entry {
  const rows *rows;
  int64_t row;
} entry;

static int by_names(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  const int order = compare_rows(x->rows, x->row, y->row);
  return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/** Rows of one experiment stand together. */
static pf_status check_together(const rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  entry *entries = host->allocate(host, r->n * sizeof *entries);
  if (entries == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for %zu experiments", r->file->path, r->n);
  }
  for (size_t i = 0; i < r->n; i++) {
    entries[i] = (entry){r, r->first[i]};
  }
  qsort(entries, r->n, sizeof *entries, by_names);
  pf_status status = PF_OK;
  for (size_t i = 1; i < r->n && status == PF_OK; i++) {
    if (compare_rows(r, entries[i - 1].row, entries[i].row) == 0) {
      status = pf_fail(error, PF_STOP,
                       "%.300s: row %lld goes on with the experiment that began at row %lld, with another one between; "
                       "expected the rows of an experiment to stand together (sort all arrays by animal, session and "
                       "trial)",
                       r->file->path, (long long)entries[i].row, (long long)entries[i - 1].row);
    }
  }
  host->release(host, entries);
  return status;
}

static pf_status find_experiments(rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  size_t n = 1;
  for (int64_t t = 1; t < r->roles->steps; t++) {
    n += compare_rows(r, t - 1, t) != 0 ? 1 : 0;
  }
  r->first = host->allocate(host, n * sizeof *r->first);
  if (r->first == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for %zu experiments", r->file->path, n);
  }
  r->n = 1;
  for (int64_t t = 1; t < r->roles->steps; t++) {
    if (compare_rows(r, t - 1, t) != 0) {
      r->first[r->n++] = t;
    }
  }
  return check_together(r, error);
}

/** Without an array of trials: one ends at an accept where weights change at accepts, else every step is one. */
static void own_trials(const rows *r, int64_t first, int64_t n, int64_t *trial)
{
  for (int64_t t = 0; t < n; t++) {
    const int over = t == 0 || r->roles->plastic != NPZ_ACCEPTS || r->targets[0][first + t - 1] == 1.0;
    trial[t] = t == 0 ? 0 : trial[t - 1] + (over ? 1 : 0);
  }
}

static pf_status check_trials(const rows *r, int64_t first, int64_t n, pf_error *error)
{
  for (int64_t t = first + 1; t < first + n; t++) {
    if (r->trial[t] < r->trial[t - 1]) {
      return pf_fail(
          error, PF_STOP,
          "%.300s: row %lld: found trial %lld behind trial %lld, expected the rows of an experiment in order "
          "of time",
          r->file->path, (long long)t, (long long)r->trial[t], (long long)r->trial[t - 1]);
    }
  }
  return PF_OK;
}

static pf_status name_of(const rows *r, int which, int64_t row, char *text, size_t capacity, pf_error *error)
{
  const names *of = &r->of[which];
  text[0] = '\0';
  if (of->array == NULL) {
    (void)snprintf(text, capacity, "%s", which == 0 ? r->stem : "");
    return PF_OK;
  }
  const int is_name = npy_text(&of->array->header, cell_of(of, row), text, capacity);
  if (!is_name || (which == 0 && text[0] == '\0')) {
    return pf_fail(error, PF_STOP,
                   "%.300s: array '%.60s': row %lld: found %s, expected a name: text, or a whole number", r->file->path,
                   of->array->name, (long long)row, is_name ? "nothing" : text);
  }
  return PF_OK;
}

static pf_status hand_over_one(const rows *r, size_t i, int64_t *trial, pf_channel *channels, pf_target *targets,
                               const pf_sink *sink, pf_error *error)
{
  const npz_roles *roles = r->roles;
  const int64_t first = r->first[i], n = (i + 1 < r->n ? r->first[i + 1] : roles->steps) - first;
  char animal[300], session[300], number[300], name[1300];
  pf_status status = name_of(r, 0, first, animal, sizeof animal, error);
  status = status == PF_OK ? name_of(r, 1, first, session, sizeof session, error) : status;
  status = status == PF_OK ? name_of(r, 2, first, number, sizeof number, error) : status;
  if (status == PF_OK && r->trial != NULL) {
    status = check_trials(r, first, n, error);
  } else if (status == PF_OK) {
    own_trials(r, first, n, trial);
  }
  if (status != PF_OK) {
    return status;
  }
  (void)snprintf(name, sizeof name, "%.300s: %.300s%s%.300s%s%.300s", r->file->path, animal,
                 session[0] != '\0' ? "/" : "", session, number[0] != '\0' ? "/" : "", number);
  for (size_t k = 0; k < roles->n_channels; k++) {
    channels[k] = (pf_channel){.name = roles->channels[k].name, .values = r->channels[k] + first};
  }
  for (size_t k = 0; k < roles->n_targets; k++) {
    const npz_group *group = &roles->targets[k];
    targets[k] =
        (pf_target){.name = group->name, .n = group->columns, .values = r->targets[k] + first * group->columns};
  }
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = animal,
                                    .session = session[0] != '\0' ? session : NULL,
                                    .name = name,
                                    .n_steps = n,
                                    .n_input = roles->inputs.columns,
                                    .cue = r->cue + first * roles->inputs.columns,
                                    .flags = r->flags + first,
                                    .dt = r->dt != NULL ? r->dt + first : NULL,
                                    .trial = r->trial != NULL ? r->trial + first : trial,
                                    .block = r->block != NULL ? r->block + first : NULL,
                                    .channels = {channels, roles->n_channels, sizeof *channels},
                                    .targets = {targets, roles->n_targets, sizeof *targets}};
  return sink->experiment(sink, &experiment, error);
}

static pf_status hand_over_all(const rows *r, const pf_sink *sink, pf_error *error)
{
  const pf_host *host = r->file->host;
  int64_t *trial = host->allocate(host, (size_t)r->roles->steps * sizeof *trial);
  pf_channel *channels = host->allocate(host, (r->roles->n_channels + 1) * sizeof *channels);
  pf_target *targets = host->allocate(host, (r->roles->n_targets + 1) * sizeof *targets);
  pf_status status = trial == NULL || channels == NULL || targets == NULL
                         ? pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path)
                         : PF_OK;
  for (size_t i = 0; i < r->n && status == PF_OK; i++) {
    status = hand_over_one(r, i, trial, channels, targets, sink, error);
  }
  host->release(host, trial);
  host->release(host, channels);
  host->release(host, targets);
  return status;
}

/* ---- all of it ---- */

static pf_status unpack_all(rows *r, pf_error *error)
{
  const npz_roles *roles = r->roles;
  const pf_host *host = r->file->host;
  static const int which[N_NAMES] = {NPZ_ANIMAL, NPZ_SESSION, NPZ_EXPERIMENT};
  pf_status status = PF_OK;
  for (int k = 0; k < N_NAMES && status == PF_OK; k++) {
    if (roles->single[which[k]] >= 0) {
      r->of[k].array = &r->file->arrays[roles->single[which[k]]];
      status = npz_cells(r->file, r->of[k].array, &r->of[k].cells, error);
    }
  }
  r->channels = host->allocate(host, (roles->n_channels + 1) * sizeof *r->channels);
  r->targets = host->allocate(host, (roles->n_targets + 1) * sizeof *r->targets);
  if (status == PF_OK && (r->channels == NULL || r->targets == NULL)) {
    status = pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path);
  }
  status = status == PF_OK ? take_group(r, &roles->inputs, &r->cue, error) : status;
  for (size_t k = 0; k < roles->n_channels && status == PF_OK; k++) {
    status = take_group(r, &roles->channels[k], &r->channels[k], error);
  }
  for (size_t k = 0; k < roles->n_targets && status == PF_OK; k++) {
    status = take_group(r, &roles->targets[k], &r->targets[k], error);
  }
  status = status == PF_OK ? take_single(r, NPZ_DT, &r->dt, error) : status;
  status = status == PF_OK ? take_indices(r, NPZ_TRIAL, &r->trial, error) : status;
  status = status == PF_OK ? take_indices(r, NPZ_BLOCK, &r->block, error) : status;
  status = status == PF_OK ? check_values(r, error) : status;
  return status == PF_OK ? make_flags(r, error) : status;
}

static void free_all(rows *r)
{
  const pf_host *host = r->file->host;
  for (int k = 0; k < N_NAMES; k++) {
    host->release(host, r->of[k].cells);
  }
  for (size_t k = 0; r->channels != NULL && k < r->roles->n_channels; k++) {
    host->release(host, r->channels[k]);
  }
  for (size_t k = 0; r->targets != NULL && k < r->roles->n_targets; k++) {
    host->release(host, r->targets[k]);
  }
  host->release(host, r->channels);
  host->release(host, r->targets);
  host->release(host, r->cue);
  host->release(host, r->dt);
  host->release(host, r->trial);
  host->release(host, r->block);
  host->release(host, r->flags);
  host->release(host, r->first);
}

pf_status npz_hand_over(const npz_file *file, const npz_roles *roles, const char *stem, const pf_sink *sink,
                        pf_error *error)
{
  rows r = {.file = file, .roles = roles, .stem = stem};
  pf_status status = unpack_all(&r, error);
  status = status == PF_OK ? find_experiments(&r, error) : status;
  status = status == PF_OK ? hand_over_all(&r, sink, error) : status;
  free_all(&r);
  return status;
}
