#include "nwb_file.h"

#include "../common/h5_arrays.h"
#include "nwb_times.h"

#include <math.h>
#include <string.h>

enum { NWB_PATH = 400 };

enum nwb_what {
  NWB_ANIMAL,
  NWB_SESSION,
  NWB_TRIAL,  /* the row of the table of trials that a step lies in */
  NWB_DT,     /* the length of a step */
  NWB_COLUMN, /* of a table of trials or epochs */
  NWB_UNITS,  /* counts of spikes */
  NWB_SERIES
};

/** What an array is made of. */
typedef struct nwb_entry {
  enum nwb_what what;
  char path[NWB_PATH];
} nwb_entry;

typedef struct nwb_file {
  h5_file h5;
  nwb_entry *entries; /**< [arrays] */
  size_t capacity;
  nwb_clock clock;       /**< steps */
  nwb_clock table;       /**< trials, where steps are something else */
  int64_t *rows_at;      /**< [clock.n] of that table */
  char steps[NWB_PATH];  /**< path of what steps are; "" for bins */
  int is_table;          /**< that is a table */
  char trials[NWB_PATH]; /**< path of the table of trials, or "" */
} nwb_file;

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory", of->path);
}

static void join_path(char *path, const char *group, const char *name)
{
  (void)snprintf(path, NWB_PATH, "%.250s/%.140s", group, name);
}

/* ---- datasets of numbers ---- */

/** A dataset of numbers within the budget, made here: *n rows of *columns. */
static pf_status read_dataset(const container *of, const char *path, double **out, int64_t *n,
                              int64_t *columns, pf_error *error)
{
  const nwb_file *file = of->file;
  char label[300];
  (void)snprintf(label, sizeof label, "%.150s: '%.130s'", of->path, path);
  const h5_shape shape = h5_shape_of(file->h5.file, path, label, of->choices->most_memory);
  if (shape.why[0] != '\0') {
    return pf_fail(error, PF_STOP, "%s", shape.why);
  }
  if (shape.is_text) {
    return pf_fail(error, PF_STOP, "%s: holds text, expected numbers", label);
  }
  const double bytes = 8.0 * (double)shape.rows * (double)shape.columns;
  if (bytes > of->choices->most_memory) {
    return pf_fail_key(error, PF_STOP, "most_memory",
                       "%s: comes to %.0f MiB, more than most_memory", label, bytes / 1048576.0);
  }
  *n = shape.rows;
  *columns = shape.columns;
  *out = of->host->allocate(of->host, (size_t)(shape.rows * shape.columns + 1) * sizeof **out);
  if (*out == NULL) {
    return no_memory(of, error);
  }
  return h5_numbers(of, file->h5.file, path, *out, error);
}

static pf_status read_vector(const container *of, const char *path, double **out, int64_t *n,
                             pf_error *error)
{
  int64_t columns = 1;
  const pf_status status = read_dataset(of, path, out, n, &columns, error);
  if (status != PF_OK) {
    return status;
  }
  return columns == 1 ? PF_OK
                      : pf_fail(error, PF_STOP, "%.300s: '%.100s': expected one number a row",
                                of->path, path);
}

/* ---- series ---- */

/** Times as the series states them. */
static pf_status read_timestamps(const container *of, const char *path, int64_t n, double **out,
                                 pf_error *error)
{
  int64_t found = 0;
  const pf_status status = read_vector(of, path, out, &found, error);
  if (status != PF_OK) {
    return status;
  }
  return found == n && nwb_is_in_order(*out, n)
             ? PF_OK
             : pf_fail(error, PF_STOP,
                       "%.300s: '%.100s': its %lld times are not one for each of %lld samples, in "
                       "order of time",
                       of->path, path, (long long)found, (long long)n);
}

/** Times of the samples of a series: as stated, or from its start and rate. */
static pf_status read_times(const container *of, const char *series, int64_t n, double **out,
                            pf_error *error)
{
  const nwb_file *file = of->file;
  char path[NWB_PATH];
  join_path(path, series, "timestamps");
  if (h5_has(file->h5.file, path)) {
    return read_timestamps(of, path, n, out, error);
  }
  double *start = NULL;
  int64_t found = 0;
  join_path(path, series, "starting_time");
  const double rate = h5_attribute_number(file->h5.file, path, "rate");
  const pf_status status = read_vector(of, path, &start, &found, error);
  const double first = status == PF_OK && found == 1 ? start[0] : (double)NAN;
  of->host->release(of->host, start);
  if (status != PF_OK) {
    return status;
  }
  if (!(rate > 0.0) || !isfinite(first)) {
    return pf_fail(error, PF_STOP, "%.300s: series '%.100s': has no timestamps and no rate",
                   of->path, series);
  }
  *out = of->host->allocate(of->host, (size_t)(n + 1) * sizeof **out);
  if (*out == NULL) {
    return no_memory(of, error);
  }
  for (int64_t k = 0; k < n; k++) {
    (*out)[k] = first + (double)k / rate;
  }
  return PF_OK;
}

static int is_series(const nwb_file *file, const char *group)
{
  char path[NWB_PATH];
  join_path(path, group, "data");
  if (!h5_has(file->h5.file, path)) {
    return 0;
  }
  join_path(path, group, "timestamps");
  if (h5_has(file->h5.file, path)) {
    return 1;
  }
  join_path(path, group, "starting_time");
  return h5_has(file->h5.file, path);
}

/* ---- tables ---- */

static int is_table(const nwb_file *file, const char *group)
{
  char start[NWB_PATH], stop[NWB_PATH];
  join_path(start, group, "start_time");
  join_path(stop, group, "stop_time");
  return h5_has(file->h5.file, start) && h5_has(file->h5.file, stop);
}

static pf_status read_table_times(const container *of, const char *group, nwb_clock *out,
                                  pf_error *error)
{
  char path[NWB_PATH];
  int64_t n = 0;
  join_path(path, group, "start_time");
  pf_status status = read_vector(of, path, &out->start, &out->n, error);
  if (status != PF_OK) {
    return status;
  }
  join_path(path, group, "stop_time");
  status = read_vector(of, path, &out->stop, &n, error);
  if (status != PF_OK) {
    return status;
  }
  if (n != out->n || !nwb_is_in_order(out->start, n)) {
    return pf_fail(error, PF_STOP,
                   "%.300s: '%.100s': expected rows with a start and a stop each, in order of time",
                   of->path, group);
  }
  nwb_mend_stops(out);
  return PF_OK;
}

/* ---- entries ---- */

static pf_status add_entry(container *of, const char *name, enum nwb_what what, const char *path,
                           container_array shape, pf_error *error)
{
  nwb_file *file = of->file;
  if (of->n == file->capacity) {
    const size_t larger = file->capacity == 0 ? 32 : 2 * file->capacity;
    nwb_entry *entries = of->host->allocate(of->host, larger * sizeof *entries);
    if (entries == NULL) {
      return no_memory(of, error);
    }
    if (of->n > 0) {
      memcpy(entries, file->entries, of->n * sizeof *entries);
    }
    of->host->release(of->host, file->entries);
    file->entries = entries;
    file->capacity = larger;
  }
  nwb_entry *entry = &file->entries[of->n];
  entry->what = what;
  (void)snprintf(entry->path, sizeof entry->path, "%s", path);
  container_array *array = container_add(of, name, error);
  if (array == NULL) {
    return PF_STOP;
  }
  array->is_text = shape.is_text;
  array->n_dims = shape.n_dims;
  array->rows = shape.rows;
  array->columns = shape.columns;
  array->stored = shape.stored;
  return PF_OK;
}

static container_array one_text(void)
{
  return (container_array){.is_text = 1, .rows = 1, .columns = 1};
}

static container_array a_step(const nwb_file *file, int64_t columns)
{
  return (container_array){
      .n_dims = columns > 1 ? 2 : 1, .rows = file->clock.n, .columns = columns};
}

/** A text of the file, where it stands: who the animal is, which session it is. */
static pf_status add_text_of(container *of, const char *name, enum nwb_what what,
                             const char *const *paths, pf_error *error)
{
  const nwb_file *file = of->file;
  for (; *paths != NULL; paths++) {
    if (h5_has(file->h5.file, *paths)) {
      const h5_shape shape = h5_shape_of(file->h5.file, *paths, of->path, 1e6);
      if (shape.why[0] == '\0' && shape.is_text && shape.rows * shape.columns == 1) {
        return add_entry(of, name, what, *paths, one_text(), error);
      }
    }
  }
  return PF_OK;
}

static pf_status add_column(container *of, const char *group, const char *name, pf_error *error)
{
  const nwb_file *file = of->file;
  char path[NWB_PATH], ragged[NWB_PATH], label[300];
  join_path(path, group, name);
  (void)snprintf(ragged, sizeof ragged, "%.390s_index", path);
  (void)snprintf(label, sizeof label, "%.150s: column '%.60s'", of->path, name);
  h5_shape shape = h5_shape_of(file->h5.file, path, label, of->choices->most_memory);
  if (h5_has(file->h5.file, ragged)) {
    (void)snprintf(shape.why, sizeof shape.why, "%.220s: has several values a row; expected one",
                   label);
  }
  container_array array = {.is_text = shape.is_text,
                           .n_dims = shape.n_dims,
                           .rows = shape.rows,
                           .columns = shape.columns,
                           .stored = 8.0 * (double)shape.rows * (double)shape.columns};
  if (!file->is_table) {
    array.rows = file->clock.n;
  }
  const pf_status status = add_entry(of, name, NWB_COLUMN, path, array, error);
  if (status != PF_OK) {
    return status;
  }
  return shape.why[0] == '\0' ? PF_OK : container_refuse(of, error, "%s", shape.why);
}

/* ---- listing ---- */

typedef struct nwb_listing {
  container *of;
  const char *group;
  pf_error *error;
  pf_status status;
  const char *wanted; /* a series or table that is looked for, by name or path */
  char found[NWB_PATH];
  char names[400]; /* of those there are */
} nwb_listing;

static int ends_with(const char *text, const char *end)
{
  const size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

static herr_t list_column(hid_t group, const char *name, const H5L_info_t *info, void *payload)
{
  nwb_listing *l = payload;
  (void)group;
  if (strcmp(name, "id") == 0 || ends_with(name, "_index") || info->type == H5L_TYPE_EXTERNAL) {
    return 0;
  }
  l->status = add_column(l->of, l->group, name, l->error);
  return l->status == PF_OK ? 0 : -1;
}

static pf_status list_columns(container *of, const char *group, pf_error *error)
{
  const nwb_file *file = of->file;
  nwb_listing l = {.of = of, .group = group, .error = error};
  if (H5Literate_by_name(file->h5.file, group, H5_INDEX_NAME, H5_ITER_INC, NULL, list_column, &l,
                         H5P_DEFAULT) < 0) {
    return l.status != PF_OK ? l.status
                             : pf_fail(error, PF_STOP,
                                       "%.300s: '%.100s' cannot be listed; the "
                                       "file is damaged",
                                       of->path, group);
  }
  return PF_OK;
}

/** The name of a series: its own, or its path where another has it. */
static const char *name_of_series(const container *of, const char *group)
{
  const char *slash = strrchr(group, '/');
  const char *own = slash == NULL ? group : slash + 1;
  return container_index(of, own) < 0 ? own : group + 1;
}

/** The series whose dataset `path`/data this is. */
static int series_of(const nwb_listing *l, const char *path, char *group)
{
  const size_t n = strlen(path);
  if (!ends_with(path, "/data") || n + strlen(l->group) + 2 > NWB_PATH) {
    return 0;
  }
  (void)snprintf(group, NWB_PATH, "%.100s/%.*s", l->group, (int)(n - 5 < 280 ? n - 5 : 280), path);
  return is_series(l->of->file, group);
}

static pf_status list_series(void *context, const char *path, pf_error *error)
{
  nwb_listing *l = context;
  container *of = l->of;
  const nwb_file *file = of->file;
  char group[NWB_PATH], data[NWB_PATH], label[300];
  if (!series_of(l, path, group)) {
    return PF_OK;
  }
  join_path(data, group, "data");
  (void)snprintf(label, sizeof label, "%.150s: series '%.100s'", of->path, group);
  const h5_shape shape = h5_shape_of(file->h5.file, data, label, of->choices->most_memory);
  container_array array = a_step(file, shape.columns);
  array.stored = 8.0 * (double)shape.rows * (double)(shape.columns + 1);
  const pf_status status =
      add_entry(of, name_of_series(of, group), NWB_SERIES, group, array, error);
  if (status != PF_OK) {
    return status;
  }
  if (shape.why[0] != '\0' || shape.is_text || shape.n_dims == 0) {
    return container_refuse(of, error, "%s",
                            shape.why[0] != '\0' ? shape.why : "is no series of numbers");
  }
  return PF_OK;
}

static const char *const series_groups[] = {"/acquisition", "/processing", "/stimulus/presentation",
                                            NULL};

static pf_status each_series(container *of, nwb_listing *l, h5_take take, pf_error *error)
{
  const nwb_file *file = of->file;
  for (size_t k = 0; series_groups[k] != NULL; k++) {
    l->group = series_groups[k];
    if (!h5_has(file->h5.file, l->group)) {
      continue;
    }
    const hid_t group = H5Gopen2(file->h5.file, l->group, H5P_DEFAULT);
    if (group < 0) {
      continue;
    }
    const pf_status status = h5_each_dataset(of->path, group, take, l, error);
    (void)H5Gclose(group);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static int64_t count_units(const nwb_file *file)
{
  if (!h5_has(file->h5.file, "/units/spike_times") ||
      !h5_has(file->h5.file, "/units/spike_times_index")) {
    return 0;
  }
  const h5_shape shape = h5_shape_of(file->h5.file, "/units/spike_times_index", "units", 1e9);
  return shape.why[0] == '\0' && !shape.is_text && shape.columns == 1 ? shape.rows : 0;
}

static pf_status list_all(container *of, pf_error *error)
{
  static const char *const animals[] = {"/general/subject/subject_id", NULL};
  static const char *const sessions[] = {"/general/session_id", "/identifier", NULL};
  nwb_file *file = of->file;
  nwb_listing l = {.of = of};
  const int64_t n_units = count_units(file);
  pf_status status = add_text_of(of, "animal", NWB_ANIMAL, animals, error);
  if (status == PF_OK) {
    status = add_text_of(of, "session", NWB_SESSION, sessions, error);
  }
  if (status == PF_OK && !file->is_table) {
    status = add_entry(of, "dt", NWB_DT, "", a_step(file, 1), error);
  }
  if (status == PF_OK && file->trials[0] != '\0' && !file->is_table) {
    status = add_entry(of, "trial", NWB_TRIAL, "", a_step(file, 1), error);
  }
  if (status == PF_OK && file->trials[0] != '\0') {
    status = list_columns(of, file->trials, error);
  }
  if (status == PF_OK && n_units > 0) {
    container_array array = a_step(file, n_units);
    const h5_shape spikes = h5_shape_of(file->h5.file, "/units/spike_times", "units", 1e12);
    array.stored = 8.0 * (double)spikes.rows;
    status = add_entry(of, "units", NWB_UNITS, "", array, error);
  }
  return status == PF_OK ? each_series(of, &l, list_series, error) : status;
}

/* ---- what a step is ---- */

static pf_status match_series(void *context, const char *path, pf_error *error)
{
  nwb_listing *l = context;
  char group[NWB_PATH];
  (void)error;
  if (!series_of(l, path, group)) {
    return PF_OK;
  }
  const char *own = strrchr(group, '/') + 1;
  if (l->found[0] == '\0' && (strcmp(own, l->wanted) == 0 || strcmp(group, l->wanted) == 0 ||
                              strcmp(group + 1, l->wanted) == 0)) {
    (void)snprintf(l->found, sizeof l->found, "%s", group);
  }
  const size_t used = strlen(l->names);
  (void)snprintf(l->names + used, sizeof l->names - used, "%s\"%.80s\"", used > 0 ? ", " : "", own);
  return PF_OK;
}

static herr_t match_table(hid_t group, const char *name, const H5L_info_t *info, void *payload)
{
  nwb_listing *l = payload;
  char path[NWB_PATH];
  (void)group;
  (void)info;
  join_path(path, "/intervals", name);
  if (!is_table(l->of->file, path)) {
    return 0;
  }
  if (strcmp(name, l->wanted) == 0 || strcmp(path, l->wanted) == 0) {
    (void)snprintf(l->found, sizeof l->found, "%s", path);
  }
  const size_t used = strlen(l->names);
  (void)snprintf(l->names + used, sizeof l->names - used, "%s\"%.80s\"", used > 0 ? ", " : "",
                 name);
  return 0;
}

/** "20 ms": a length in seconds, or NaN. */
static double length_of_bins(const char *text)
{
  double length = (double)NAN;
  char unit[8] = "", rest[2] = "";
  const int n = sscanf(text, "%lf %7[a-z] %1s", &length, unit, rest);
  if (n != 2 || !(length > 0.0)) {
    return (double)NAN;
  }
  return strcmp(unit, "ms") == 0 ? length / 1000.0 : strcmp(unit, "s") == 0 ? length : (double)NAN;
}

/** When the last spike, trial or sample is over. */
static pf_status find_end(container *of, double *end, pf_error *error)
{
  nwb_file *file = of->file;
  double *times = NULL;
  int64_t n = 0;
  *end = 0.0;
  for (int64_t k = 0; k < file->table.n; k++) {
    *end = isfinite(file->table.stop[k]) ? fmax(*end, file->table.stop[k]) : *end;
  }
  if (!h5_has(file->h5.file, "/units/spike_times")) {
    return PF_OK;
  }
  const pf_status status = read_vector(of, "/units/spike_times", &times, &n, error);
  for (int64_t k = 0; times != NULL && k < n; k++) {
    *end = fmax(*end, times[k]);
  }
  of->host->release(of->host, times);
  return status;
}

static pf_status make_clock(container *of, int64_t n, pf_error *error)
{
  nwb_file *file = of->file;
  if (16.0 * (double)n > of->choices->most_memory) {
    return pf_fail_key(error, PF_STOP, "steps", "%.300s: comes to %lld steps, above most_memory",
                       of->path, (long long)n);
  }
  file->clock.n = n;
  file->clock.start = of->host->allocate(of->host, (size_t)(n + 1) * sizeof(double));
  file->clock.stop = of->host->allocate(of->host, (size_t)(n + 1) * sizeof(double));
  return file->clock.start == NULL || file->clock.stop == NULL ? no_memory(of, error) : PF_OK;
}

static pf_status make_bins(container *of, double length, pf_error *error)
{
  nwb_file *file = of->file;
  double end = 0.0;
  pf_status status = find_end(of, &end, error);
  if (status != PF_OK) {
    return status;
  }
  const double n = ceil(end / length);
  if (!(n >= 1.0) || n > 1e12) {
    return pf_fail_key(error, PF_STOP, "steps",
                       "%.300s: bins go from 0 to the last trial or spike, and there is none",
                       of->path);
  }
  status = make_clock(of, (int64_t)n, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t k = 0; k < file->clock.n; k++) {
    file->clock.start[k] = (double)k * length;
    file->clock.stop[k] = (double)(k + 1) * length;
  }
  return PF_OK;
}

static pf_status take_frames(container *of, pf_error *error)
{
  nwb_file *file = of->file;
  char data[NWB_PATH];
  double *times = NULL;
  join_path(data, file->steps, "data");
  const h5_shape shape = h5_shape_of(file->h5.file, data, file->steps, of->choices->most_memory);
  pf_status status = make_clock(of, shape.rows, error);
  if (status == PF_OK) {
    status = read_times(of, file->steps, shape.rows, &times, error);
  }
  if (status == PF_OK) {
    nwb_frames(times, &file->clock);
  }
  of->host->release(of->host, times);
  return status;
}

static pf_status no_such_steps(const container *of, const nwb_listing *l, pf_error *error)
{
  return pf_fail_key(error, PF_STOP, "steps",
                     "%.300s: there is no table and no series \"%.60s\" in it; steps may be %s%s a "
                     "length as \"20 ms\" for bins",
                     of->path, l->wanted, l->names, l->names[0] != '\0' ? ", or" : "");
}

/** What steps are by the option; tables before series of the same name. */
static pf_status settle_steps(container *of, pf_error *error)
{
  nwb_file *file = of->file;
  const char *wanted = of->choices->steps[0] != '\0' ? of->choices->steps : "trials";
  const double length = length_of_bins(wanted);
  nwb_listing l = {.of = of, .wanted = wanted};
  if (is_table(file, "/intervals/trials")) {
    (void)snprintf(file->trials, sizeof file->trials, "/intervals/trials");
  }
  if (h5_has(file->h5.file, "/intervals")) {
    (void)H5Literate_by_name(file->h5.file, "/intervals", H5_INDEX_NAME, H5_ITER_INC, NULL,
                             match_table, &l, H5P_DEFAULT);
  }
  if (l.found[0] != '\0') {
    file->is_table = 1;
    (void)snprintf(file->trials, sizeof file->trials, "%s", l.found);
    return read_table_times(of, l.found, &file->clock, error);
  }
  if (file->trials[0] != '\0') {
    const pf_status status = read_table_times(of, file->trials, &file->table, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!isnan(length)) {
    return make_bins(of, length, error);
  }
  pf_status status = each_series(of, &l, match_series, error);
  if (status != PF_OK) {
    return status;
  }
  if (l.found[0] == '\0') {
    return no_such_steps(of, &l, error);
  }
  (void)snprintf(file->steps, sizeof file->steps, "%s", l.found);
  return take_frames(of, error);
}

static pf_status place_steps(container *of, pf_error *error)
{
  nwb_file *file = of->file;
  if (file->table.n == 0) {
    return PF_OK;
  }
  file->rows_at = of->host->allocate(of->host, (size_t)(file->clock.n + 1) * sizeof *file->rows_at);
  if (file->rows_at == NULL) {
    return no_memory(of, error);
  }
  nwb_rows_at(&file->clock, &file->table, file->rows_at);
  return PF_OK;
}

/** Is there anything that an NWB file has? */
static int has_any_part(const nwb_file *file)
{
  for (size_t k = 0; series_groups[k] != NULL; k++) {
    if (h5_has(file->h5.file, series_groups[k])) {
      return 1;
    }
  }
  return h5_has(file->h5.file, "/intervals") || h5_has(file->h5.file, "/units");
}

static pf_status open_nwb(container *of, pf_error *error)
{
  nwb_file *file = of->file = of->host->allocate(of->host, sizeof *file);
  if (file == NULL) {
    return no_memory(of, error);
  }
  char version[32];
  pf_status status = h5_open(of->path, "NWB", &file->h5, error);
  if (status != PF_OK) {
    return status;
  }
  h5_attribute_text(file->h5.file, "/", "nwb_version", version, sizeof version);
  if (version[0] != '\0' && version[0] != '2') {
    return pf_fail(error, PF_STOP, "%.300s: is NWB %s, expected NWB 2 (for others: source hdf5)",
                   of->path, version);
  }
  if (!has_any_part(file)) {
    return pf_fail(error, PF_STOP,
                   "%.300s: is HDF5, but no NWB: it has none of /intervals, /units, /acquisition, "
                   "/processing and /stimulus/presentation (for other files: source hdf5)",
                   of->path);
  }
  status = settle_steps(of, error);
  if (status == PF_OK) {
    status = place_steps(of, error);
  }
  return status == PF_OK ? list_all(of, error) : status;
}

static void close_nwb(container *of)
{
  nwb_file *file = of->file;
  const pf_host *host = of->host;
  if (file == NULL) {
    return;
  }
  h5_close(&file->h5);
  host->release(host, file->clock.start);
  host->release(host, file->clock.stop);
  host->release(host, file->table.start);
  host->release(host, file->table.stop);
  host->release(host, file->rows_at);
  host->release(host, file->entries);
  host->release(host, file);
}

/* ---- values ---- */

/** Spikes of all units behind one another. */
typedef struct nwb_trains {
  double *spikes; /**< [n] */
  double *ends;   /**< [n_units] */
  int64_t n, n_units;
} nwb_trains;

/** Spikes of unit u stand in [ends[u - 1], ends[u]). */
static pf_status count_units_spikes(const container *of, const nwb_trains *trains, double *out,
                                    pf_error *error)
{
  const nwb_file *file = of->file;
  int64_t from = 0;
  for (int64_t u = 0; u < trains->n_units; u++) {
    const double end = trains->ends[u];
    if (!(end >= (double)from) || !(end <= (double)trains->n)) {
      return pf_fail(error, PF_STOP, "%.300s: units: spike_times_index does not fit spike_times",
                     of->path);
    }
    double *spikes = trains->spikes + from;
    const int64_t n = (int64_t)end - from;
    nwb_sort(spikes, n);
    nwb_count_spikes(&file->clock, spikes, n, out + u, trains->n_units);
    from += n;
  }
  return PF_OK;
}

static pf_status count_spikes(const container *of, int64_t n_units, double *out, pf_error *error)
{
  nwb_trains trains = {.spikes = NULL};
  pf_status status = read_vector(of, "/units/spike_times", &trains.spikes, &trains.n, error);
  if (status == PF_OK) {
    status = read_vector(of, "/units/spike_times_index", &trains.ends, &trains.n_units, error);
  }
  if (status == PF_OK && trains.n_units != n_units) {
    status = pf_fail(error, PF_STOP, "%.300s: changed while it was read; try again", of->path);
  }
  if (status == PF_OK) {
    status = count_units_spikes(of, &trains, out, error);
  }
  of->host->release(of->host, trains.spikes);
  of->host->release(of->host, trains.ends);
  return status;
}

/** In the units that the file says: data * conversion + offset. */
static void convert_series(const nwb_file *file, const char *data, double *values, int64_t n)
{
  const double conversion = h5_attribute_number(file->h5.file, data, "conversion");
  const double offset = h5_attribute_number(file->h5.file, data, "offset");
  const double factor = isnan(conversion) ? 1.0 : conversion, more = isnan(offset) ? 0.0 : offset;
  for (int64_t k = 0; (factor != 1.0 || more != 0.0) && k < n; k++) {
    values[k] = values[k] * factor + more;
  }
}

/** `samples` without their times. */
static pf_status average_series(const container *of, const char *group, nwb_samples samples,
                                double *out, pf_error *error)
{
  const nwb_file *file = of->file;
  double *times = NULL;
  const pf_status status = read_times(of, group, samples.n, &times, error);
  if (status == PF_OK) {
    samples.times = times;
    nwb_average(&file->clock, &samples, out);
  }
  of->host->release(of->host, times);
  return status;
}

static pf_status read_series(const container *of, const char *group, double *out, pf_error *error)
{
  const nwb_file *file = of->file;
  char data[NWB_PATH];
  double *values = NULL;
  int64_t n = 0, columns = 1;
  join_path(data, group, "data");
  pf_status status = read_dataset(of, data, &values, &n, &columns, error);
  if (status == PF_OK) {
    convert_series(file, data, values, n * columns);
  }
  if (status == PF_OK && strcmp(group, file->steps) == 0) {
    memcpy(out, values, (size_t)(n * columns) * sizeof *out); /* its own frames */
  } else if (status == PF_OK) {
    const nwb_samples samples = {.values = values, .n = n, .columns = columns};
    status = average_series(of, group, samples, out, error);
  }
  of->host->release(of->host, values);
  return status;
}

/** The row of trials that step k lies in, of those that are there; -1: none. */
static int64_t row_at(const nwb_file *file, int64_t k, int64_t n)
{
  const int64_t row = file->rows_at == NULL ? -1 : file->rows_at[k];
  return row < n ? row : -1;
}

/** A column of trials at steps: that of the trial the step lies in, else missing. */
static pf_status spread_numbers(const container *of, const char *path, double *out, pf_error *error)
{
  const nwb_file *file = of->file;
  double *values = NULL;
  int64_t n = 0, columns = 1;
  const pf_status status = read_dataset(of, path, &values, &n, &columns, error);
  if (status != PF_OK) {
    of->host->release(of->host, values);
    return status;
  }
  for (int64_t k = 0; k < file->clock.n; k++) {
    const int64_t row = row_at(file, k, n);
    for (int64_t j = 0; j < columns; j++) {
      out[k * columns + j] = row < 0 ? (double)NAN : values[row * columns + j];
    }
  }
  of->host->release(of->host, values);
  return PF_OK;
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  const nwb_file *file = of->file;
  const nwb_entry *entry = &file->entries[i];
  switch (entry->what) {
  case NWB_UNITS:
    return count_spikes(of, of->arrays[i].columns, out, error);
  case NWB_SERIES:
    return read_series(of, entry->path, out, error);
  case NWB_COLUMN:
    return file->is_table ? h5_numbers(of, file->h5.file, entry->path, out, error)
                          : spread_numbers(of, entry->path, out, error);
  default:
    break;
  }
  double trial = 0.0;
  for (int64_t k = 0; k < file->clock.n; k++) {
    if (entry->what == NWB_DT) {
      const double length = 1000.0 * (file->clock.stop[k] - file->clock.start[k]);
      out[k] = isfinite(length) ? length : 1.0;
    } else { /* between trials: the one before */
      const int64_t row = file->rows_at == NULL ? -1 : file->rows_at[k];
      trial = row > (int64_t)trial ? (double)row : trial;
      out[k] = trial;
    }
  }
  return PF_OK;
}

static pf_status copy_texts(const container *of, char *const *texts, int64_t n, char **out,
                            pf_error *error)
{
  const nwb_file *file = of->file;
  for (int64_t k = 0; k < file->clock.n; k++) {
    const int64_t row = row_at(file, k, n);
    if (row < 0 || texts[row] == NULL) {
      continue;
    }
    out[k] = container_text(of->host, texts[row], strlen(texts[row]));
    if (out[k] == NULL) {
      return no_memory(of, error);
    }
  }
  return PF_OK;
}

static pf_status spread_texts(const container *of, const nwb_entry *entry, char **out,
                              pf_error *error)
{
  const nwb_file *file = of->file;
  const pf_host *host = of->host;
  const h5_shape shape = h5_shape_of(file->h5.file, entry->path, of->path, 1e12);
  char **texts = host->allocate(host, (size_t)(shape.rows + 1) * sizeof *texts);
  if (texts == NULL) {
    return no_memory(of, error);
  }
  pf_status status = h5_texts(of, file->h5.file, entry->path, shape.rows, texts, error);
  if (status == PF_OK) {
    status = copy_texts(of, texts, shape.rows, out, error);
  }
  for (int64_t k = 0; k < shape.rows; k++) {
    host->release(host, texts[k]);
  }
  host->release(host, texts);
  return status;
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const nwb_file *file = of->file;
  const nwb_entry *entry = &file->entries[i];
  const container_array *array = &of->arrays[i];
  return entry->what == NWB_COLUMN && !file->is_table
             ? spread_texts(of, entry, out, error)
             : h5_texts(of, file->h5.file, entry->path, array->rows * array->columns, out, error);
}

const container_format nwb_format = {.word = "column",
                                     .has = "it has",
                                     .has_steps = 1,
                                     .open = open_nwb,
                                     .close = close_nwb,
                                     .numbers = read_numbers,
                                     .texts = read_texts};
