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
  const recording *recording;
  const npz_file *file;
  names of[N_NAMES]; /**< animal, session, experiment */
  int64_t steps;
  recording_steps values; /**< of all experiments */
  int64_t *first;         /**< [n] first row of each experiment */
  size_t n;
} rows;

static pf_status no_memory(const rows *r, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its arrays", r->file->path);
}

/** The name of the array that has a role. */
static const char *array_of(const rows *r, int which)
{
  return r->file->arrays[r->recording->roles.single[which]].name;
}

/* ---- numbers ---- */

static pf_status bad_cell(const rows *r, const char *array, int64_t row, double found,
                          const char *expected, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: array '%.60s': row %lld: found %g, expected %s",
                 r->file->path, array, (long long)row, found, expected);
}

/** An array's numbers into columns [at, at + columns) of `to` [steps][width]. */
static pf_status take_array(const rows *r, size_t index, double *to, int64_t width, int64_t at,
                            pf_error *error)
{
  const npz_array *array = &r->file->arrays[index];
  const pf_host *host = r->file->host;
  unsigned char *cells = NULL;
  pf_status status = npz_cells(r->file, array, &cells, error);
  if (status != PF_OK) {
    goto done;
  }
  for (int64_t t = 0; t < r->steps; t++) {
    for (int64_t j = 0; j < array->header.columns; j++) {
      const double value = npy_number(&array->header, cells + npy_offset(&array->header, t, j));
      to[t * width + at + j] = value;
      if (isinf(value)) {
        status = bad_cell(r, array->name, t, value, "a finite number, or NaN where it is missing",
                          error);
        goto done;
      }
    }
  }
done:
  host->release(host, cells);
  return status;
}

static pf_status take_group(const rows *r, const role_group *group, double **out, pf_error *error)
{
  const pf_host *host = r->file->host;
  int64_t at = 0;
  *out = host->allocate(host, (size_t)r->steps * (size_t)group->width * sizeof **out);
  if (*out == NULL) {
    return no_memory(r, error);
  }
  for (size_t k = 0; k < group->n; k++) {
    const pf_status status = take_array(r, group->variables[k], *out, group->width, at, error);
    if (status != PF_OK) {
      return status;
    }
    at += r->file->arrays[group->variables[k]].header.columns;
  }
  return PF_OK;
}

/** An array of one number a step, or NULL where there is none. A value without a dimension stands
 * at every step. */
static pf_status take_single(const rows *r, int which, double **out, pf_error *error)
{
  const int64_t index = r->recording->roles.single[which];
  const pf_host *host = r->file->host;
  if (index < 0) {
    return PF_OK;
  }
  *out = host->allocate(host, (size_t)r->steps * sizeof **out);
  if (*out == NULL) {
    return no_memory(r, error);
  }
  const npz_array *array = &r->file->arrays[index];
  if (array->header.n_dims > 0) {
    return take_array(r, (size_t)index, *out, 1, 0, error);
  }
  unsigned char *cells = NULL;
  const pf_status status = npz_cells(r->file, array, &cells, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < r->steps; t++) {
    (*out)[t] = npy_number(&array->header, cells);
  }
  host->release(host, cells);
  return PF_OK;
}

/** Whole numbers from 0. */
static pf_status take_indices(const rows *r, int which, int64_t **out, pf_error *error)
{
  const pf_host *host = r->file->host;
  double *values = NULL;
  pf_status status = take_single(r, which, &values, error);
  if (status != PF_OK || values == NULL) {
    goto done;
  }
  *out = host->allocate(host, (size_t)r->steps * sizeof **out);
  if (*out == NULL) {
    status = no_memory(r, error);
    goto done;
  }
  for (int64_t t = 0; t < r->steps; t++) {
    if (!(values[t] >= 0.0 && values[t] < 9e15 && floor(values[t]) == values[t])) {
      status = bad_cell(r, array_of(r, which), t, values[t], "a whole number, 0 or more", error);
      goto done;
    }
    (*out)[t] = (int64_t)values[t];
  }
done:
  host->release(host, values);
  return status;
}

/* ---- what must hold ---- */

static pf_status check_values(const rows *r, pf_error *error)
{
  const roles *what = &r->recording->roles;
  const recording_steps *v = &r->values;
  for (int64_t t = 0; t < r->steps; t++) {
    for (int64_t j = 0; j < what->inputs.width; j++) {
      if (isnan(v->cue[t * what->inputs.width + j])) {
        return bad_cell(r, r->file->arrays[what->inputs.variables[0]].name, t, (double)NAN,
                        "a number: an input cannot be missing", error);
      }
    }
    if (what->single[ROLE_CHOICE] >= 0 && !recording_takes_choice(r->recording, v->target[0][t])) {
      return bad_cell(r, array_of(r, ROLE_CHOICE), t, v->target[0][t],
                      what->plastic == ROLE_ACCEPTS
                          ? "1 (accepted), 0 (rejected) or NaN (not observed); for more than two "
                            "choices give plastic = "
                            "\"always\" or an array plastic"
                          : "a choice: a whole number from 0, or NaN (not observed)",
                      error);
    }
    if (v->dt != NULL && !(v->dt[t] > 0.0)) {
      return bad_cell(r, array_of(r, ROLE_DT), t, v->dt[t],
                      "the length of the step in ms, more than 0", error);
    }
  }
  return PF_OK;
}

static pf_status make_flags(rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  const roles *what = &r->recording->roles;
  double *plastic = NULL;
  r->values.flags = host->allocate(host, (size_t)r->steps * sizeof *r->values.flags);
  if (r->values.flags == NULL) {
    return no_memory(r, error);
  }
  pf_status status =
      what->plastic == ROLE_SAID ? take_single(r, ROLE_PLASTIC, &plastic, error) : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
  for (int64_t t = 0; t < r->steps; t++) {
    int changes = 1;
    if (plastic != NULL) {
      changes = plastic[t] == 1.0;
      if (plastic[t] != 0.0 && !changes) {
        status = bad_cell(r, array_of(r, ROLE_PLASTIC), t, plastic[t],
                          "1 (weights change after this step) or 0", error);
        goto done;
      }
    } else if (what->plastic == ROLE_ACCEPTS) {
      changes = r->values.target[0][t] == 1.0;
    } else if (what->plastic == ROLE_CHOSEN) {
      changes = !isnan(r->values.target[0][t]);
    }
    r->values.flags[t] = recording_flags(changes);
  }
done:
  host->release(host, plastic);
  return status;
}

/* ---- experiments ---- */

static const unsigned char *cell_of(const names *of, int64_t row)
{
  return of->cells + (of->array->header.n_dims == 0 ? 0 : npy_offset(&of->array->header, row, 0));
}

/** Order of two rows by the experiment they belong to: by the bytes of the names, 0 for the same
 * one. */
static int compare_rows(const rows *r, int64_t a, int64_t b)
{
  for (int k = 0; k < N_NAMES; k++) {
    if (r->of[k].array != NULL) {
      const int order =
          memcmp(cell_of(&r->of[k], a), cell_of(&r->of[k], b), (size_t)r->of[k].array->header.item);
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
    return pf_fail(error, PF_STOP, "%.300s: out of memory for %zu experiments", r->file->path,
                   r->n);
  }
  for (size_t i = 0; i < r->n; i++) {
    entries[i] = (entry){r, r->first[i]};
  }
  qsort(entries, r->n, sizeof *entries, by_names);
  pf_status status = PF_OK;
  for (size_t i = 1; i < r->n; i++) {
    if (compare_rows(r, entries[i - 1].row, entries[i].row) == 0) {
      status = pf_fail(error, PF_STOP,
                       "%.300s: row %lld goes on with the experiment that began at row %lld, with "
                       "another one between; "
                       "expected the rows of an experiment to stand together (sort all arrays by "
                       "animal, session and "
                       "trial)",
                       r->file->path, (long long)entries[i].row, (long long)entries[i - 1].row);
      break;
    }
  }
  host->release(host, entries);
  return status;
}

static pf_status find_experiments(rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  size_t n = 1;
  for (int64_t t = 1; t < r->steps; t++) {
    n += compare_rows(r, t - 1, t) != 0 ? 1 : 0;
  }
  r->first = host->allocate(host, n * sizeof *r->first);
  if (r->first == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for %zu experiments", r->file->path, n);
  }
  r->n = 1;
  for (int64_t t = 1; t < r->steps; t++) {
    if (compare_rows(r, t - 1, t) != 0) {
      r->first[r->n++] = t;
    }
  }
  return check_together(r, error);
}

/** Trials of an experiment: in order, or made where there is no array of them. */
static pf_status settle_trials(const rows *r, int64_t first, int64_t n, pf_error *error)
{
  int64_t *trial = r->values.trial;
  const int made = r->recording->roles.single[ROLE_TRIAL] < 0; /* they are 0 so far */
  for (int64_t t = first + 1; t < first + n; t++) {
    if (made) {
      trial[t] = recording_next_trial(r->recording, &r->values, t - 1);
    } else if (trial[t] < trial[t - 1]) {
      return pf_fail(error, PF_STOP,
                     "%.300s: row %lld: found trial %lld behind trial %lld, expected the rows of "
                     "an experiment in order "
                     "of time",
                     r->file->path, (long long)t, (long long)trial[t], (long long)trial[t - 1]);
    }
  }
  return PF_OK;
}

static pf_status name_of(const rows *r, int which, int64_t row, char *text, size_t capacity,
                         pf_error *error)
{
  const names *of = &r->of[which];
  text[0] = '\0';
  if (of->array == NULL) {
    (void)snprintf(text, capacity, "%s", which == 0 ? r->recording->stem : "");
    return PF_OK;
  }
  const int is_name = npy_text(&of->array->header, cell_of(of, row), text, capacity);
  if (!is_name || (which == 0 && text[0] == '\0')) {
    return pf_fail(
        error, PF_STOP,
        "%.300s: array '%.60s': row %lld: found %s, expected a name: text, or a whole number",
        r->file->path, of->array->name, (long long)row, is_name ? "nothing" : text);
  }
  return PF_OK;
}

static pf_status hand_over_one(const rows *r, size_t i, const pf_sink *sink, pf_error *error)
{
  const int64_t first = r->first[i], n = (i + 1 < r->n ? r->first[i + 1] : r->steps) - first;
  char of[N_NAMES][300], name[1300];
  for (int k = 0; k < N_NAMES; k++) {
    const pf_status status = name_of(r, k, first, of[k], sizeof of[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  const pf_status status = settle_trials(r, first, n, error);
  if (status != PF_OK) {
    return status;
  }
  const char *animal = of[0], *session = of[1], *number = of[2];
  (void)snprintf(name, sizeof name, "%.300s: %.300s%s%.300s%s%.300s", r->file->path, animal,
                 session[0] != '\0' ? "/" : "", session, number[0] != '\0' ? "/" : "", number);
  return recording_hand_over(r->recording, &r->values, first, n, animal, session, name, sink,
                             error);
}

/* ---- all of it ---- */

/** The names of experiments, as they stand in the file. */
static pf_status unpack_names(rows *r, pf_error *error)
{
  static const int which[N_NAMES] = {ROLE_ANIMAL, ROLE_SESSION, ROLE_EXPERIMENT};
  for (int k = 0; k < N_NAMES; k++) {
    const int64_t index = r->recording->roles.single[which[k]];
    if (index < 0) {
      continue;
    }
    r->of[k].array = &r->file->arrays[index];
    const pf_status status = npz_cells(r->file, r->of[k].array, &r->of[k].cells, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Inputs, channels and targets. */
static pf_status unpack_groups(rows *r, pf_error *error)
{
  const roles *what = &r->recording->roles;
  pf_status status = take_group(r, &what->inputs, &r->values.cue, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < what->channels.n; k++) {
    status = take_group(r, &what->channels.items[k], &r->values.channel[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t k = 0; k < what->targets.n; k++) {
    status = take_group(r, &what->targets.items[k], &r->values.target[k], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** The length, the trial and the block of each step. */
static pf_status unpack_times(rows *r, pf_error *error)
{
  const pf_host *host = r->file->host;
  recording_steps *v = &r->values;
  pf_status status = take_single(r, ROLE_DT, &v->dt, error);
  if (status != PF_OK) {
    return status;
  }
  status = take_indices(r, ROLE_TRIAL, &v->trial, error);
  if (status != PF_OK) {
    return status;
  }
  if (v->trial == NULL) {
    v->trial = host->allocate(host, (size_t)r->steps * sizeof *v->trial);
  }
  if (v->trial == NULL) {
    return no_memory(r, error);
  }
  return take_indices(r, ROLE_BLOCK, &v->block, error);
}

static pf_status unpack_all(rows *r, pf_error *error)
{
  pf_status status = recording_steps_create(r->recording, &r->values, error);
  if (status != PF_OK) {
    return status;
  }
  status = unpack_names(r, error);
  if (status != PF_OK) {
    return status;
  }
  status = unpack_groups(r, error);
  if (status != PF_OK) {
    return status;
  }
  status = unpack_times(r, error);
  if (status != PF_OK) {
    return status;
  }
  status = check_values(r, error);
  if (status != PF_OK) {
    return status;
  }
  return make_flags(r, error);
}

/** Experiment by experiment, once all is unpacked. */
static pf_status hand_over_all(rows *r, const pf_sink *sink, pf_error *error)
{
  pf_status status = find_experiments(r, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < r->n; i++) {
    status = hand_over_one(r, i, sink, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

pf_status npz_hand_over(const recording *of, const npz_file *file, int64_t steps,
                        const pf_sink *sink, pf_error *error)
{
  const pf_host *host = file->host;
  rows r = {.recording = of, .file = file, .steps = steps};
  pf_status status = unpack_all(&r, error);
  if (status == PF_OK) {
    status = hand_over_all(&r, sink, error);
  }
  for (int k = 0; k < N_NAMES; k++) {
    host->release(host, r.of[k].cells);
  }
  recording_steps_free(of, &r.values);
  host->release(host, r.first);
  return status;
}
