#include "core/model_config/initial_weights.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/readers/matrix_file.h"
#include <plastfit/author/csv.h>

#include <stdbool.h>

enum { ANIMAL, EXPERIMENT, PROJECTION, POST, PRE, VALUE, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"animal", "experiment", "projection",
                                                    "post",   "pre",        "value"};

typedef struct reader {
  pf_csv csv;
  const pf_model *model;
  pf_initial_file *file;
  const pf_host *host;
  size_t width;
  int64_t columns[N_COLUMNS]; /* -1: absent */
  size_t last;                /* the set of the row before: rows of a set mostly stand together */
} reader;

const pf_projection *pf_projection_at(const pf_model *model, size_t q)
{
  const pf_projection_table *table = &model->declared.projections;
  return pf_table_at(table->items, table->stride, table->count, q);
}

pf_status pf_projection_names(const pf_model *model, pf_names *out, pf_error *error)
{
  const size_t n = model->n_projections;
  const char **names = pf_memory_need(n, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t q = 0; q < n; q++) {
    names[q] = pf_projection_at(model, q)->name;
  }
  *out = (pf_names){names, n};
  return PF_OK;
}

static int64_t units_of(const pf_model *model, int64_t population)
{
  const pf_population_table *table = &model->declared.populations;
  return ((const pf_population *)pf_table_at(table->items, table->stride, table->count,
                                             (size_t)population))
      ->n;
}

static pf_status read_header(reader *read, pf_error *error)
{
  int got = 0;
  const pf_status status = pf_csv_next(&read->csv, &got, error);
  if (status != PF_OK) {
    return status;
  }
  read->width = got ? read->csv.n_fields : 0;
  for (int k = 0; k < N_COLUMNS; k++) {
    read->columns[k] = -1;
    for (size_t i = 0; i < read->width; i++) {
      if (strcmp(pf_csv_field(&read->csv, i), column_names[k]) == 0) {
        read->columns[k] = (int64_t)i;
      }
    }
    if (read->columns[k] < 0 && k >= PROJECTION) {
      return pf_fail(error, PF_STOP,
                     "%.500s:1: has no column '%s'; expected animal, experiment (both may be "
                     "absent), projection, post, "
                     "pre, value",
                     read->csv.path, column_names[k]);
    }
  }
  return PF_OK;
}

/** Is the first row that of the columns above? Else the file is a matrix. */
static pf_status is_matrix(const char *path, bool *out, pf_error *error)
{
  pf_csv csv;
  int got = 0;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(&csv, &got, error);
  int n_named = 0;
  for (size_t i = 0; got != 0 && i < csv.n_fields; i++) {
    for (int k = PROJECTION; k < N_COLUMNS; k++) {
      n_named += strcmp(pf_csv_field(&csv, i), column_names[k]) == 0 ? 1 : 0;
    }
  }
  *out = got != 0 && n_named < 2; /* "pre" alone may stand above the names of a matrix */
  pf_csv_close(&csv);
  return status;
}

static const char *cell_text(const reader *read, int column)
{
  return read->columns[column] < 0 ? "" : pf_csv_field(&read->csv, (size_t)read->columns[column]);
}

static pf_status bad_cell(const reader *read, int column, const char *expected, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s:%lld: column '%s': found '%.60s', expected %s",
                 read->csv.path, (long long)read->csv.line, column_names[column],
                 cell_text(read, column), expected);
}

static pf_status read_projection(const reader *read, int64_t *projection, pf_error *error)
{
  const char *name = cell_text(read, PROJECTION);
  int64_t n_post = 0, n_pre = 0;
  pf_names names = {0};
  *projection = pf_model_projection(read->model, name, &n_post, &n_pre);
  if (*projection >= 0) {
    return PF_OK;
  }
  if (pf_projection_names(read->model, &names, error) != PF_OK) {
    return PF_STOP;
  }
  const char *nearest = pf_text_nearest(name, names);
  (void)pf_fail(error, PF_STOP, "%.300s:%lld: %s has no projection '%.60s'; did you mean '%s'?",
                read->csv.path, (long long)read->csv.line, read->model->network->label, name,
                nearest == NULL ? names.items[0] : nearest);
  pf_memory_free((void *)names.items);
  return PF_STOP;
}

static pf_status read_index(const reader *read, int column, int64_t n, int64_t *index,
                            pf_error *error)
{
  double value = 0.0;
  char expected[64];
  (void)snprintf(expected, sizeof expected, "a whole number from 0 to %lld", (long long)n - 1);
  if (!pf_csv_number(cell_text(read, column), &value) || !(value >= 0.0 && value < (double)n) ||
      floor(value) != value) {
    return bad_cell(read, column, expected, error);
  }
  *index = (int64_t)value;
  return PF_OK;
}

static bool is_for(const pf_initial_set *set, const char *animal, int64_t experiment,
                   int64_t projection)
{
  return set->projection == projection && set->experiment == experiment &&
         strcmp(set->animal, animal) == 0;
}

static pf_status add_set(reader *read, const char *animal, int64_t experiment, int64_t projection,
                         pf_error *error)
{
  pf_initial_file *file = read->file;
  const pf_projection *info = pf_projection_at(read->model, (size_t)projection);
  pf_array sets = {file->sets, file->n_sets, file->capacity, sizeof *file->sets};
  pf_initial_set set = {.experiment = experiment,
                        .projection = projection,
                        .n_post = units_of(read->model, info->post),
                        .n_pre = units_of(read->model, info->pre)};
  const size_t cells = (size_t)(set.n_post * set.n_pre);
  set.animal = pf_memory_string(animal, error);
  set.w = pf_memory_need(cells, sizeof *set.w, error);
  if (set.animal == NULL || set.w == NULL || pf_array_append_all(&sets, &set, 1, error) != PF_OK) {
    pf_memory_free(set.animal);
    pf_memory_free(set.w);
    return PF_STOP;
  }
  for (size_t i = 0; i < cells; i++) {
    set.w[i] = (double)NAN;
  }
  file->sets = sets.items;
  file->capacity = sets.capacity;
  read->last = file->n_sets++;
  return PF_OK;
}

static pf_status find_set(reader *read, const char *animal, int64_t experiment, int64_t projection,
                          pf_error *error)
{
  const pf_initial_file *file = read->file;
  if (file->n_sets > 0 && is_for(&file->sets[read->last], animal, experiment, projection)) {
    return PF_OK;
  }
  for (size_t i = 0; i < file->n_sets; i++) {
    if (is_for(&file->sets[i], animal, experiment, projection)) {
      read->last = i;
      return PF_OK;
    }
  }
  return add_set(read, animal, experiment, projection, error);
}

/** The set that the row is of: its projection, experiment and animal. */
static pf_status read_set(reader *read, pf_error *error)
{
  int64_t experiment = -1, projection = -1;
  if (read_projection(read, &projection, error) != PF_OK) {
    return PF_STOP;
  }
  if (cell_text(read, EXPERIMENT)[0] != '\0' &&
      read_index(read, EXPERIMENT, INT32_MAX, &experiment, error) != PF_OK) {
    return PF_STOP;
  }
  return find_set(read, cell_text(read, ANIMAL), experiment, projection, error);
}

static pf_status read_row(reader *read, pf_error *error)
{
  int64_t post = 0, pre = 0;
  double value = 0.0;
  if (pf_csv_check_width(&read->csv, read->width, error) != PF_OK ||
      read_set(read, error) != PF_OK) {
    return PF_STOP;
  }
  pf_initial_set *set = &read->file->sets[read->last];
  if (read_index(read, POST, set->n_post, &post, error) != PF_OK ||
      read_index(read, PRE, set->n_pre, &pre, error) != PF_OK) {
    return PF_STOP;
  }
  if (!pf_csv_number(cell_text(read, VALUE), &value) || !isfinite(value)) {
    return bad_cell(read, VALUE, "a finite number", error);
  }
  double *weight = &set->w[post * set->n_pre + pre];
  if (!isnan(*weight)) {
    return pf_fail(error, PF_STOP, "%.500s:%lld: the weight of post %lld, pre %lld stands twice",
                   read->csv.path, (long long)read->csv.line, (long long)post, (long long)pre);
  }
  *weight = value;
  set->n_set++;
  return PF_OK;
}

/** A set that lacks weights would start them at nothing in particular. */
static pf_status check_set(const reader *read, const pf_initial_set *set, pf_error *error)
{
  const int64_t cells = set->n_post * set->n_pre;
  int64_t k = 0;
  if (set->n_set == cells) {
    return PF_OK;
  }
  while (k < cells && !isnan(set->w[k])) {
    k++;
  }
  return pf_fail(
      error, PF_STOP,
      "%.400s: %s%s%s has no weight for post %lld, pre %lld; expected all of %lld x %lld",
      read->csv.path, pf_projection_at(read->model, (size_t)set->projection)->name,
      set->animal[0] == '\0' ? "" : " of ", set->animal, (long long)(k / set->n_pre),
      (long long)(k % set->n_pre), (long long)set->n_post, (long long)set->n_pre);
}

static pf_status read_all(reader *read, pf_error *error)
{
  int got = 0;
  if (read_header(read, error) != PF_OK) {
    return PF_STOP;
  }
  for (;;) {
    if (pf_csv_next(&read->csv, &got, error) != PF_OK) {
      return PF_STOP;
    }
    if (!got) {
      break;
    }
    if (read_row(read, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (read->file->n_sets == 0) {
    return pf_fail(error, PF_STOP, "%.500s: has a header and no rows", read->csv.path);
  }
  for (size_t i = 0; i < read->file->n_sets; i++) {
    if (check_set(read, &read->file->sets[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** The one projection that a matrix of this shape can be of. */
static pf_status projection_of_shape(const pf_model *model, const char *path, const pf_matrix *m,
                                     bool is_pre, int64_t *projection, pf_error *error)
{
  const int64_t n_post = is_pre ? m->n_columns : m->n_rows;
  const int64_t n_pre = is_pre ? m->n_rows : m->n_columns;
  const char *others = "";
  *projection = -1;
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_projection *info = pf_projection_at(model, q);
    const int64_t post = units_of(model, info->post), pre = units_of(model, info->pre);
    if (post == n_post && pre == n_pre) {
      if (*projection >= 0) {
        return pf_fail(error, PF_STOP,
                       "%.400s: a matrix of %lld x %lld can be of '%s' and of '%s'; say which in a "
                       "table with the columns projection, post, pre, value",
                       path, (long long)m->n_rows, (long long)m->n_columns,
                       pf_projection_at(model, (size_t)*projection)->name, info->name);
      }
      *projection = (int64_t)q;
    }
    others = post == n_pre && pre == n_post && n_post != n_pre ? info->name : others;
  }
  if (*projection >= 0) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%.400s: no projection has %lld postsynaptic and %lld presynaptic units%s%s%s%s",
                 path, (long long)n_post, (long long)n_pre, others[0] != '\0' ? "; '" : "", others,
                 others[0] != '\0' ? "' has the other way round: initial_weights.rows = " : "",
                 others[0] == '\0' ? ""
                 : is_pre          ? "\"post\""
                                   : "\"pre\"");
}

static void warn_of_direction(const pf_host *host, const char *path, const pf_matrix *m)
{
  char line[600];
  bool is_symmetric = m->n_rows == m->n_columns;
  for (int64_t i = 0; is_symmetric && i < m->n_rows; i++) {
    for (int64_t j = 0; j < i; j++) {
      is_symmetric =
          is_symmetric && m->values[i * m->n_columns + j] == m->values[j * m->n_columns + i];
    }
  }
  if (m->n_rows != m->n_columns || is_symmetric) {
    return;
  }
  (void)snprintf(line, sizeof line,
                 "%.400s: a row is taken for a postsynaptic unit; initial_weights.rows says so "
                 "(\"post\") or that it is a presynaptic one (\"pre\")",
                 path);
  host->warn(host, line);
}

/** A matrix: the weights of one projection, the same for all animals. */
static pf_status read_matrix(reader *read, const char *path, const char *rows, pf_error *error)
{
  pf_matrix matrix;
  int64_t projection = -1;
  const bool is_pre = rows != NULL && strcmp(rows, "pre") == 0;
  if (pf_matrix_read(path, &matrix, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = projection_of_shape(read->model, path, &matrix, is_pre, &projection, error);
  if (status == PF_OK) {
    status = add_set(read, "", -1, projection, error);
  }
  if (status == PF_OK) {
    pf_initial_set *set = &read->file->sets[read->last];
    for (int64_t k = 0; k < set->n_post * set->n_pre; k++) {
      const int64_t post = k / set->n_pre, pre = k % set->n_pre;
      set->w[k] = matrix.values[is_pre ? pre * set->n_post + post : k];
    }
    set->n_set = set->n_post * set->n_pre;
    if (rows == NULL) {
      warn_of_direction(read->host, path, &matrix);
    }
  }
  pf_matrix_free(&matrix);
  return status;
}

static pf_status read_table(reader *read, const char *path, pf_error *error)
{
  if (pf_csv_open(&read->csv, path, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = read_all(read, error);
  pf_csv_close(&read->csv);
  return status;
}

pf_status pf_initial_file_read(const char *path, const pf_model *model, const char *rows,
                               const pf_host *host, pf_initial_file **out, pf_error *error)
{
  reader read = {.model = model, .host = host};
  bool matrix = false;
  if (is_matrix(path, &matrix, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status = PF_STOP;
  read.file = pf_memory_need(1, sizeof *read.file, error);
  if (read.file != NULL && (read.file->path = pf_memory_string(path, error)) != NULL) {
    status = matrix ? read_matrix(&read, path, rows, error) : read_table(&read, path, error);
  }
  if (status != PF_OK) {
    pf_initial_file_free(read.file);
    return status;
  }
  *out = read.file;
  return PF_OK;
}

void pf_initial_file_free(pf_initial_file *file)
{
  if (file == NULL) {
    return;
  }
  for (size_t i = 0; i < file->n_sets; i++) {
    pf_memory_free(file->sets[i].animal);
    pf_memory_free(file->sets[i].w);
  }
  pf_memory_free(file->sets);
  pf_memory_free(file->path);
  pf_memory_free(file);
}

pf_status pf_initial_file_find(const pf_initial_file *file, const pf_model *model,
                               const pf_recording *of, int64_t projection, const double **w,
                               pf_error *error)
{
  const int64_t experiment = (int64_t)of->experiment;
  bool named = false;
  int best = 0; /* 1: for all, 2: for the animal, 3: for the experiment */
  *w = NULL;
  for (size_t i = 0; i < file->n_sets; i++) {
    const pf_initial_set *set = &file->sets[i];
    if (set->projection != projection) {
      continue;
    }
    named = true;
    const bool all = set->animal[0] == '\0';
    if ((!all && strcmp(set->animal, of->animal) != 0) ||
        (set->experiment >= 0 && set->experiment != experiment)) {
      continue;
    }
    const int fit = set->experiment >= 0 ? 3 : all ? 1 : 2;
    if (fit > best) {
      best = fit;
      *w = set->w;
    }
  }
  if (named && *w == NULL) {
    return pf_fail(error, PF_STOP,
                   "%.400s: has no initial weights of %s for experiment %lld of '%.200s'",
                   file->path, pf_projection_at(model, (size_t)projection)->name,
                   (long long)experiment, of->animal);
  }
  return PF_OK;
}

/* ---- what the network would draw ---- */

size_t pf_initial_cells(const pf_model *model, size_t q)
{
  const pf_projection *info = pf_projection_at(model, q);
  return (size_t)(units_of(model, info->pre) * units_of(model, info->post));
}

static pf_status allocate_weights(const pf_model *model, pf_real **w, int64_t *ldw, pf_error *error)
{
  for (size_t q = 0; q < model->n_projections; q++) {
    w[q] = pf_memory_need(pf_initial_cells(model, q), sizeof **w, error);
    ldw[q] = units_of(model, pf_projection_at(model, q)->pre);
    if (w[q] == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_initial_weights(const pf_model *model, const double *theta, const double *noise,
                             pf_real ***w, pf_error *error)
{
  const size_t n = model->n_projections;
  pf_real **made = pf_memory_need(n, sizeof(pf_real *), error);
  int64_t *ldw = pf_memory_need(n, sizeof *ldw, error);
  pf_status status = PF_STOP;
  if (made != NULL && ldw != NULL) {
    status = allocate_weights(model, made, ldw, error);
  }
  if (status == PF_OK) {
    const pf_initial initial = {.size = sizeof initial, .w = made, .ldw = ldw};
    status = model->network->plugin->network->initial(
        model->network->self, theta + model->network_theta0, noise, &initial, error);
  }
  pf_memory_free(ldw);
  if (status != PF_OK) {
    pf_initial_weights_free(model, made);
    return status;
  }
  *w = made;
  return PF_OK;
}

void pf_initial_weights_free(const pf_model *model, pf_real **w)
{
  for (size_t q = 0; w != NULL && q < model->n_projections; q++) {
    pf_memory_free(w[q]);
  }
  pf_memory_free(w);
}
