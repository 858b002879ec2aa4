#include "rows.h"

static pf_status no_memory(const table_files *files, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its %ss", files->paths[0],
                 files->format->word);
}

/* ---- the arrays there are ---- */

static void shut_container(container *of)
{
  of->format->close(of);
  of->file = NULL;
}

static void exchange_sizes(container_array *array)
{
  const int64_t rows = array->rows;
  array->rows = array->columns;
  array->columns = rows;
}

/** A row vector of MATLAB is a column, unless a row is an animal. */
static void settle_shapes(const table_files *files, container *of)
{
  for (size_t i = 0; i < of->n; i++) {
    container_array *array = &of->arrays[i];
    if (files->format->row_vectors && !files->by_animal && array->rows == 1 && array->columns > 1) {
      exchange_sizes(array);
      array->n_dims = 1;
    }
  }
}

/** Exchange rows and columns of the arrays that the option `transposed` names. */
static pf_status turn_arrays(const pf_host *host, const pf_options *options, table_files *files,
                             pf_error *error)
{
  const int64_t n = options->length(options, "transposed");
  files->turned = host->allocate(host, files->shape.n + 1);
  files->wanted = host->allocate(host, files->shape.n + 1);
  if (files->turned == NULL || files->wanted == NULL) {
    return no_memory(files, error);
  }
  for (int64_t k = 0; k < n; k++) {
    const char *name = options->string_at(options, "transposed", k);
    int found = 0;
    for (size_t i = 0; i < files->shape.n; i++) {
      if (roles_same_word(files->shape.arrays[i].name, name)) {
        files->turned[i] = 1;
        exchange_sizes(&files->shape.arrays[i]);
        found = 1;
      }
    }
    if (!found) {
      return pf_fail_key(error, PF_STOP, "transposed", "%.300s: there is no %s '%.60s'",
                         files->paths[0], files->format->word, name);
    }
  }
  return PF_OK;
}

/** Where files have the same array with more or fewer numbers side by side, there are as many
 * columns as the widest has. */
static pf_status widen_shape(const pf_host *host, table_files *files, pf_error *error)
{
  for (size_t k = 1; k < files->n; k++) {
    container other;
    if (container_open(host, files->paths[k], files->format, &files->choices, &other, error) !=
        PF_OK) {
      return PF_STOP;
    }
    settle_shapes(files, &other);
    for (size_t i = 0; i < files->shape.n; i++) {
      const int64_t at = container_index(&other, files->shape.arrays[i].name);
      container_array *mine = &files->shape.arrays[i];
      if (at >= 0 && other.arrays[at].columns > mine->columns && mine->n_dims > 0) {
        mine->columns = other.arrays[at].columns;
        mine->n_dims = 2;
      }
    }
    container_close(&other);
  }
  return PF_OK;
}

/* ---- columns ---- */

/** How many columns an array is: one of a matrix whose columns are trials. */
static int64_t parts_of(const table_files *files, const container_array *array)
{
  return files->by_animal || array->n_dims == 0 || array->why != NULL ? 1 : array->columns;
}

static pf_status add_column(const pf_host *host, table_files *files, size_t array, int64_t part,
                            pf_error *error)
{
  char numbered[200];
  const char *name = files->shape.arrays[array].name;
  if (parts_of(files, &files->shape.arrays[array]) > 1) {
    (void)snprintf(numbered, sizeof numbered, "%.150s[%lld]", name, (long long)part + 1);
    name = numbered;
  }
  files->places[files->width] = (table_place){array, part};
  return table_add_texts(host, &files->header, &files->width, &name, 1, error);
}

static pf_status list_columns(const pf_host *host, table_files *files, pf_error *error)
{
  enum { MOST_COLUMNS = 1000000 };
  int64_t n = 0;
  for (size_t i = 0; i < files->shape.n; i++) {
    container_array *array = &files->shape.arrays[i];
    if (parts_of(files, array) > MOST_COLUMNS - n) {
      files->shape.n = i + 1;
      return pf_fail(error, PF_STOP,
                     "%.300s: %s '%.60s' has %lld columns; expected at most %d in all (are rows "
                     "and columns exchanged? transposed = [\"%.60s\"])",
                     files->paths[0], files->format->word, array->name, (long long)array->columns,
                     (int)MOST_COLUMNS, array->name);
    }
    n += parts_of(files, array);
  }
  files->places = host->allocate(host, ((size_t)n + 1) * sizeof *files->places);
  if (files->places == NULL) {
    return no_memory(files, error);
  }
  for (size_t i = 0; i < files->shape.n; i++) {
    for (int64_t part = 0; part < parts_of(files, &files->shape.arrays[i]); part++) {
      if (add_column(host, files, i, part, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

/** axes = ["trials", "steps", "cells"], each once, in the order of the file. */
static pf_status take_axes(const pf_options *options, container_choices *out, pf_error *error)
{
  static const char *const words[CONTAINER_AXES] = {"trials", "steps", "cells"};
  const int64_t n = options->length(options, "axes");
  int seen[CONTAINER_AXES] = {0};
  for (int64_t k = 0; k < n && k < CONTAINER_AXES; k++) {
    const char *word = options->string_at(options, "axes", k);
    for (int axis = 0; axis < CONTAINER_AXES; axis++) {
      if (strcmp(word, words[axis]) == 0) {
        out->axes[k] = axis;
        seen[axis]++;
      }
    }
  }
  out->has_axes = n > 0;
  if (n > 0 && (n != CONTAINER_AXES || seen[0] != 1 || seen[1] != 1 || seen[2] != 1)) {
    return pf_fail_key(error, PF_STOP, "axes",
                       "expected \"trials\", \"steps\" and \"cells\", each once, in the order of "
                       "the file");
  }
  return PF_OK;
}

static pf_status take_choices(const pf_host *host, const pf_options *options, table_files *out,
                              pf_error *error)
{
  const double mebibyte = 1048576.0;
  const char *steps = out->format->has_steps && options->present(options, "steps")
                          ? options->string(options, "steps")
                          : "";
  out->choices.most_memory = options->real(options, "most_memory") * mebibyte;
  if (out->format->has_rate && options->present(options, "sample_rate")) {
    out->choices.sample_rate = options->real(options, "sample_rate");
  }
  if (out->format->has_axes && take_axes(options, &out->choices, error) != PF_OK) {
    return PF_STOP;
  }
  out->choices.steps = container_text(host, steps, strlen(steps));
  out->by_animal = strcmp(options->string(options, "rows"), "animals") == 0;
  return out->choices.steps == NULL ? no_memory(out, error) : PF_OK;
}

pf_status table_arrays_open(const pf_host *host, const pf_options *options,
                            const container_format *format, table_files *out, pf_error *error)
{
  *out = (table_files){.format = format,
                       .word = format->word,
                       .where = "",
                       .has = format->has,
                       .n_rows = -1,
                       .n_columns = -1};
  const char *path = options->string(options, "path");
  pf_status status = format->is_joined
                         ? table_add_texts(host, &out->paths, &out->n, &path, 1, error)
                         : table_find_paths(host, path, out, error);
  if (status != PF_OK) {
    return status;
  }
  status = take_choices(host, options, out, error);
  if (status != PF_OK) {
    return status;
  }
  if (out->by_animal && out->n > 1) {
    return pf_fail_key(error, PF_STOP, "rows",
                       "found %zu files, expected one where a row is an animal", out->n);
  }
  status = container_open(host, out->paths[0], format, &out->choices, &out->shape, error);
  if (status == PF_OK) {
    settle_shapes(out, &out->shape);
  }
  return status;
}

pf_status table_arrays_find(const pf_host *host, const pf_options *options,
                            const container_format *format, table_files *out, pf_error *error)
{
  pf_status status = table_arrays_open(host, options, format, out, error);
  if (status != PF_OK) {
    return status;
  }
  shut_container(&out->shape);
  status = widen_shape(host, out, error);
  if (status != PF_OK) {
    return status;
  }
  status = turn_arrays(host, options, out, error);
  return status == PF_OK ? list_columns(host, out, error) : status;
}

void table_arrays_free(const pf_host *host, table_files *files)
{
  container_close(&files->shape);
  host->release(host, files->choices.steps);
  host->release(host, files->turned);
  host->release(host, files->wanted);
  host->release(host, files->places);
}

/* ---- can they be used? ---- */

/** Has the array as many rows (and, of matrices, columns) as those used before? */
static pf_status check_sizes(table_files *files, const container_array *array, pf_error *error)
{
  const int is_turned_fit = !files->by_animal && files->n_rows >= 0 &&
                            array->rows != files->n_rows && array->columns == files->n_rows;
  if (files->n_rows >= 0 && array->rows != files->n_rows) {
    return pf_fail(error, PF_STOP,
                   "%.300s: %s '%.60s': has %lld rows, others have %lld; expected one row %s in "
                   "all of them%s%.60s%s",
                   files->paths[0], files->word, array->name, (long long)array->rows,
                   (long long)files->n_rows, files->by_animal ? "an animal" : "a step",
                   is_turned_fit ? "; it has as many columns: transposed = [\"" : "",
                   is_turned_fit ? array->name : "", is_turned_fit ? "\"]" : "");
  }
  files->n_rows = array->rows;
  if (!files->by_animal || array->columns == 1) {
    return PF_OK;
  }
  if (files->n_columns >= 0 && array->columns != files->n_columns) {
    return pf_fail(error, PF_STOP,
                   "%.300s: %s '%.60s': has %lld columns, others have %lld; expected one a trial "
                   "(or one alone) in all of them",
                   files->paths[0], files->word, array->name, (long long)array->columns,
                   (long long)files->n_columns);
  }
  files->n_columns = array->columns;
  return PF_OK;
}

pf_status table_array_use(table_files *files, size_t column, enum role_use use, pf_error *error)
{
  const size_t index = files->places[column].array;
  const container_array *array = &files->shape.arrays[index];
  if (array->why != NULL) {
    return pf_fail(error, PF_STOP, "%s", array->why);
  }
  files->wanted[index] = 1;
  if (array->n_dims == 0 && use != ROLE_NAME && use != ROLE_LENGTH) {
    return pf_fail(error, PF_STOP, "%.300s: %s '%.60s': is a single value, expected one a step",
                   files->paths[0], files->word, array->name);
  }
  return array->n_dims == 0 ? PF_OK : check_sizes(files, array, error);
}

int table_array_may_be_channel(const table_files *files, size_t column)
{
  const container_array *array = &files->shape.arrays[files->places[column].array];
  return array->why == NULL && !array->is_text && array->n_dims > 0 &&
         array->rows == files->n_rows &&
         (files->by_animal ? array->columns == 1 || array->columns == files->n_columns
                           : array->columns == 1);
}

/** Bytes that an array takes here. */
static double bytes_of(const container_array *array)
{
  const double cell = array->is_text ? 64.0 : 8.0;
  return (double)array->rows * (double)array->columns * cell;
}

static pf_status check_budget(const table_files *files, const container *of, double bytes,
                              pf_error *error)
{
  const double mebibyte = 1048576.0;
  return bytes <= files->choices.most_memory
             ? PF_OK
             : pf_fail_key(error, PF_STOP, "most_memory",
                           "%.300s: its %ss come to %.0f MiB, more than the %.0f MiB of "
                           "most_memory; set that higher if the file is what you think it is",
                           of->path, files->word, bytes / mebibyte,
                           files->choices.most_memory / mebibyte);
}

pf_status table_array_budget(const table_files *files, pf_error *error)
{
  double bytes = 0.0, stored = 0.0;
  for (size_t i = 0; i < files->shape.n; i++) {
    if (files->wanted[i]) {
      bytes += bytes_of(&files->shape.arrays[i]);
      stored = fmax(stored, files->shape.arrays[i].stored);
    }
  }
  container first = files->shape;
  first.path = files->paths[0];
  return check_budget(files, &first, bytes + stored, error);
}

/* ---- rows ---- */

static void forget_values(const pf_host *host, table_values *values)
{
  for (int64_t k = 0; values->texts != NULL && k < values->rows * values->columns; k++) {
    host->release(host, values->texts[k]);
  }
  host->release(host, values->texts);
  host->release(host, values->numbers);
  *values = (table_values){0};
}

static pf_status make_trials(const table_rows *rows, const container_array *array,
                             table_values *values, pf_error *error)
{
  values->numbers =
      rows->host->allocate(rows->host, ((size_t)array->rows + 1) * sizeof *values->numbers);
  if (values->numbers == NULL) {
    return no_memory(rows->files, error);
  }
  for (int64_t i = 0; i < array->rows; i++) {
    const int64_t trial = i / array->trial_of;
    values->numbers[i] = (double)trial;
  }
  return PF_OK;
}

/** Three dimensions, into steps below one another. */
static pf_status read_folded(const table_rows *rows, size_t at, size_t cells, double *out,
                             pf_error *error)
{
  const container *of = &rows->container;
  double *read = rows->host->allocate(rows->host, (cells + 1) * sizeof *read);
  if (read == NULL) {
    return no_memory(rows->files, error);
  }
  const pf_status status = of->format->numbers(of, at, read, error);
  if (status == PF_OK) {
    container_unfold(&of->arrays[at], read, out);
  }
  rows->host->release(rows->host, read);
  return status;
}

static pf_status read_array(table_rows *rows, size_t index, size_t at, pf_error *error)
{
  const pf_host *host = rows->host;
  const container *of = &rows->container;
  const container_array *array = &of->arrays[at];
  table_values *values = &rows->values[index];
  const size_t cells = (size_t)array->rows * (size_t)array->columns;
  *values = (table_values){.rows = array->rows, .columns = array->columns, .n_dims = array->n_dims};
  if (rows->files->turned[index]) {
    values->rows = array->columns;
    values->columns = array->rows;
  }
  if (array->trial_of > 0) {
    return make_trials(rows, array, values, error);
  }
  if (array->is_text) {
    values->texts = host->allocate(host, (cells + 1) * sizeof *values->texts);
  } else {
    values->numbers = host->allocate(host, (cells + 1) * sizeof *values->numbers);
  }
  if (values->texts == NULL && values->numbers == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: out of memory for the %zu cells of %s '%.60s'",
                   of->path, cells, rows->files->word, array->name);
  }
  if (array->is_text) {
    return of->format->texts(of, at, values->texts, error);
  }
  return array->axes[CONTAINER_STEPS] > 0 ? read_folded(rows, at, cells, values->numbers, error)
                                          : of->format->numbers(of, at, values->numbers, error);
}

/** An array of the first file in this one, and that it can take its place. */
static pf_status find_again(const table_rows *rows, size_t index, int64_t *at, pf_error *error)
{
  const table_files *files = rows->files;
  const char *name = files->shape.arrays[index].name;
  const container *of = &rows->container;
  *at = container_index(of, name);
  if (*at < 0) {
    return pf_fail(error, PF_STOP, "%.300s: has no %s '%.60s', which %.300s has", of->path,
                   files->word, name, files->paths[0]);
  }
  const container_array *array = &of->arrays[*at];
  if (array->why != NULL) {
    return pf_fail(error, PF_STOP, "%s", array->why);
  }
  return PF_OK;
}

/** Rows of this file, from an array that is used. */
static pf_status settle_rows(table_rows *rows, size_t index, pf_error *error)
{
  const table_files *files = rows->files;
  const table_values *values = &rows->values[index];
  if (values->n_dims == 0) {
    return PF_OK;
  }
  const int64_t steps = files->by_animal ? values->rows * (int64_t)rows->n_trials : values->rows;
  if (rows->n_rows >= 0 && steps != rows->n_rows) {
    return pf_fail(error, PF_STOP, "%.300s: %s '%.60s': has %lld rows, others have %lld",
                   rows->container.path, files->word, files->shape.arrays[index].name,
                   (long long)steps, (long long)rows->n_rows);
  }
  rows->n_rows = steps;
  return PF_OK;
}

static pf_status read_arrays(table_rows *rows, const unsigned char *wanted, pf_error *error)
{
  const table_files *files = rows->files;
  double bytes = 0.0;
  rows->n_rows = -1;
  for (size_t i = 0; i < files->shape.n; i++) {
    int64_t at = -1;
    if (!wanted[i]) {
      continue;
    }
    if (find_again(rows, i, &at, error) != PF_OK) {
      return PF_STOP;
    }
    bytes += bytes_of(&rows->container.arrays[at]);
    if (check_budget(files, &rows->container, bytes + rows->container.arrays[at].stored, error) !=
            PF_OK ||
        read_array(rows, i, (size_t)at, error) != PF_OK || settle_rows(rows, i, error) != PF_OK) {
      return PF_STOP;
    }
  }
  rows->n_rows = rows->n_rows < 0 ? 0 : rows->n_rows;
  return PF_OK;
}

static pf_status open_arrays(table_rows *rows, pf_error *error)
{
  const table_files *files = rows->files;
  const pf_host *host = rows->host;
  if (rows->values == NULL) {
    rows->values = host->allocate(host, (files->shape.n + 1) * sizeof *rows->values);
    rows->scratch = host->allocate(host, TABLE_SCRATCH);
  }
  unsigned char *wanted = host->allocate(host, files->shape.n + 1);
  if (rows->values == NULL || rows->scratch == NULL || wanted == NULL) {
    host->release(host, wanted);
    return no_memory(files, error);
  }
  pf_status status = container_open(host, files->paths[rows->file], files->format, &files->choices,
                                    &rows->container, error);
  if (status == PF_OK) {
    rows->is_open = 1;
    rows->row = -1;
    rows->n_trials = files->n_columns > 0 ? (size_t)files->n_columns : 1;
    settle_shapes(files, &rows->container);
    if (rows->only > 0) {
      wanted[files->places[rows->only - 1].array] = 1;
    } else {
      memcpy(wanted, files->wanted, files->shape.n);
    }
    status = read_arrays(rows, wanted, error);
  }
  host->release(host, wanted);
  return status;
}

static void close_arrays(table_rows *rows)
{
  for (size_t i = 0; rows->values != NULL && i < rows->files->shape.n; i++) {
    forget_values(rows->host, &rows->values[i]);
  }
  if (rows->is_open) {
    container_close(&rows->container);
  }
  rows->is_open = 0;
}

pf_status table_arrays_next(table_rows *rows, int *got, pf_error *error)
{
  *got = 0;
  while (rows->file < rows->files->n) {
    if (!rows->is_open && open_arrays(rows, error) != PF_OK) {
      return PF_STOP;
    }
    rows->row++;
    if (rows->row < rows->n_rows) {
      *got = 1;
      return PF_OK;
    }
    close_arrays(rows);
    rows->file++;
  }
  return PF_OK;
}

void table_arrays_end(table_rows *rows)
{
  close_arrays(rows);
  rows->host->release(rows->host, rows->values);
  rows->host->release(rows->host, rows->scratch);
  rows->values = NULL;
  rows->scratch = NULL;
}
