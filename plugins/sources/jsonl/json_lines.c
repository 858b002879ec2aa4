#define _POSIX_C_SOURCE 200809L /* getline */

#include "json_lines.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JSONL_MOST_KEYS = 10000, JSONL_DEEPEST = 8, JSONL_LONGEST_NAME = 300 };

/** The values of a key, once they were read. */
typedef struct jsonl_values {
  double *numbers;
  char **texts;
} jsonl_values;

typedef struct jsonl_file {
  int64_t rows;
  jsonl_values *values; /**< [arrays], or NULL: not read yet */
  size_t n_values;
} jsonl_file;

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory", of->path);
}

/* ---- lines ---- */

/** What to do with the object of a row. */
typedef struct jsonl_reader {
  container *of;
  pf_status (*take)(const struct jsonl_reader *reader, const json_t *object, int64_t row,
                    pf_error *error);
} jsonl_reader;

static int is_blank(const char *line)
{
  return line[strspn(line, " \t\r\n")] == '\0';
}

static pf_status take_line(const jsonl_reader *reader, const char *line, int64_t row,
                           int64_t number, pf_error *error)
{
  json_error_t why;
  json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
  pf_status status = PF_OK;
  if (object == NULL) {
    status = pf_fail(error, PF_STOP,
                     "%.300s:%lld: is no JSON (%.150s); expected an object a line: {\"choice\": 1, "
                     "\"reward\": 0}%s",
                     reader->of->path, (long long)number, why.text,
                     line[strspn(line, " \t")] == '['
                         ? "; of an array of objects: jq -c '.[]' own.json >own.jsonl"
                         : "");
  } else if (!json_is_object(object)) {
    status = pf_fail(error, PF_STOP,
                     "%.300s:%lld: found %s, expected an object a line: {\"choice\": 1, "
                     "\"reward\": 0}%s",
                     reader->of->path, (long long)number,
                     json_is_array(object) ? "an array" : "a bare value",
                     json_is_array(object) ? "; of an array of objects: jq -c '.[]' own.json "
                                             ">own.jsonl"
                                           : "");
  } else {
    status = reader->take(reader, object, row, error);
  }
  json_decref(object);
  return status;
}

/** Every line that is not blank; *rows of them. */
static pf_status read_lines(const jsonl_reader *reader, int64_t *rows, pf_error *error)
{
  FILE *file = fopen(reader->of->path, "rb");
  char *line = NULL;
  size_t capacity = 0;
  int64_t number = 0;
  pf_status status = PF_OK;
  *rows = 0;
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%.300s: cannot be read: %s", reader->of->path, strerror(errno));
  }
  for (;;) {
    const ssize_t length = getline(&line, &capacity, file);
    if (length < 0) {
      break;
    }
    number++;
    if (strlen(line) != (size_t)length) {
      status = pf_fail(error, PF_STOP, "%.300s:%lld: has a byte 0; JSON lines are text",
                       reader->of->path, (long long)number);
      break;
    }
    if (is_blank(line)) {
      continue;
    }
    status = take_line(reader, line, *rows, number, error);
    if (status != PF_OK) {
      break;
    }
    (*rows)++;
  }
  if (status == PF_OK && ferror(file)) {
    status = pf_fail(error, PF_STOP, "%.300s: cannot be read: %s", reader->of->path,
                     errno == EISDIR ? "it is a folder" : strerror(errno));
  }
  free(line);
  (void)fclose(file);
  return status;
}

/* ---- through an object ---- */

/** A value in a row: a number, a text, or several numbers. */
typedef struct jsonl_cell {
  const char *name; /**< "state.x": keys of objects in objects */
  const json_t *value;
  int64_t row;
} jsonl_cell;

typedef pf_status (*jsonl_take)(const jsonl_reader *reader, const jsonl_cell *cell,
                                pf_error *error);

/** Where an object stands: in a row, in objects of these names. */
typedef struct jsonl_place {
  const char *prefix; /**< "" at the top */
  int64_t row;
  int depth;
} jsonl_place;

static pf_status each_value(const jsonl_reader *reader, const json_t *object, jsonl_place place,
                            jsonl_take take, pf_error *error)
{
  const char *prefix = place.prefix;
  void *at = json_object_iter((json_t *)object);
  for (; at != NULL; at = json_object_iter_next((json_t *)object, at)) {
    char name[JSONL_LONGEST_NAME];
    const json_t *value = json_object_iter_value(at);
    pf_status status = PF_OK;
    (void)snprintf(name, sizeof name, "%.200s%s%.90s", prefix, prefix[0] != '\0' ? "." : "",
                   json_object_iter_key(at));
    if (json_is_object(value) && place.depth < JSONL_DEEPEST) {
      const jsonl_place below = {name, place.row, place.depth + 1};
      status = each_value(reader, value, below, take, error);
    } else if (!json_is_null(value)) {
      const jsonl_cell cell = {name, value, place.row};
      status = take(reader, &cell, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- listing ---- */

static int is_number(const json_t *value)
{
  return json_is_number(value) || json_is_boolean(value);
}

static int are_numbers(const json_t *array)
{
  for (size_t k = 0; k < json_array_size(array); k++) {
    const json_t *value = json_array_get(array, k);
    if (!is_number(value) && !json_is_null(value)) {
      return 0;
    }
  }
  return 1;
}

static pf_status list_cell(const jsonl_reader *reader, const jsonl_cell *cell, pf_error *error)
{
  container *of = reader->of;
  int64_t index = container_index(of, cell->name);
  if (index < 0) {
    if (of->n >= JSONL_MOST_KEYS) {
      return pf_fail(error, PF_STOP, "%.300s: has more than %d keys", of->path,
                     (int)JSONL_MOST_KEYS);
    }
    if (container_add(of, cell->name, error) == NULL) {
      return PF_STOP;
    }
    index = (int64_t)of->n - 1;
  }
  container_array *array = &of->arrays[index];
  if (json_is_array(cell->value) && are_numbers(cell->value)) {
    const int64_t width = (int64_t)json_array_size(cell->value);
    array->columns = width > array->columns ? width : array->columns;
    array->n_dims = 2;
    return PF_OK;
  }
  if (json_is_array(cell->value) || json_is_object(cell->value)) {
    return array->why != NULL
               ? PF_OK
               : container_refuse_array(of, (size_t)index, error,
                                        "%.300s: key '%.60s': row %lld: expected a number, a text "
                                        "or a list of numbers",
                                        of->path, cell->name, (long long)cell->row + 1);
  }
  array->is_text |= json_is_string(cell->value);
  return PF_OK;
}

static pf_status list_row(const jsonl_reader *reader, const json_t *object, int64_t row,
                          pf_error *error)
{
  const jsonl_place top = {"", row, 0};
  return each_value(reader, object, top, list_cell, error);
}

static pf_status open_jsonl(container *of, pf_error *error)
{
  const jsonl_reader reader = {.of = of, .take = list_row};
  jsonl_file *file = of->file = of->host->allocate(of->host, sizeof *file);
  if (file == NULL) {
    return no_memory(of, error);
  }
  const pf_status status = read_lines(&reader, &file->rows, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < of->n; i++) {
    container_array *array = &of->arrays[i];
    array->rows = file->rows;
    if (array->is_text && array->n_dims == 2 && array->why == NULL &&
        container_refuse_array(of, i, error, "%.300s: key '%.60s': holds texts and lists", of->path,
                               array->name) != PF_OK) {
      return PF_STOP;
    }
  }
  return of->n > 0 ? PF_OK : pf_fail(error, PF_STOP, "%.300s: has no line with a key", of->path);
}

static void forget_values(const container *of, jsonl_file *file)
{
  const pf_host *host = of->host;
  for (size_t i = 0; file->values != NULL && i < file->n_values; i++) {
    for (int64_t k = 0; file->values[i].texts != NULL && k < file->rows; k++) {
      host->release(host, file->values[i].texts[k]);
    }
    host->release(host, file->values[i].texts);
    host->release(host, file->values[i].numbers);
  }
  host->release(host, file->values);
  file->values = NULL;
}

static void close_jsonl(container *of)
{
  if (of->file != NULL) {
    forget_values(of, of->file);
    of->host->release(of->host, of->file);
  }
}

/* ---- values ---- */

static double number_of(const json_t *value)
{
  return json_is_boolean(value) ? (double)json_is_true(value)
         : json_is_null(value)  ? (double)NAN
                                : json_number_value(value);
}

static pf_status keep_text(const container *of, const json_t *value, char **out, pf_error *error)
{
  char number[40];
  const char *text = json_string_value(value);
  if (text == NULL) {
    (void)snprintf(number, sizeof number, "%.17g", number_of(value));
    text = number;
  }
  *out = container_text(of->host, text, strlen(text));
  return *out == NULL ? no_memory(of, error) : PF_OK;
}

static pf_status keep_cell(const jsonl_reader *reader, const jsonl_cell *cell, pf_error *error)
{
  const container *of = reader->of;
  jsonl_file *file = of->file;
  const int64_t index = container_index(of, cell->name);
  if (index < 0 || of->arrays[index].why != NULL || cell->row >= file->rows) {
    return PF_OK;
  }
  jsonl_values *values = &file->values[index];
  if (values->texts != NULL) {
    return keep_text(of, cell->value, &values->texts[cell->row], error);
  }
  const int64_t width = of->arrays[index].columns;
  double *row = &values->numbers[cell->row * width];
  if (!json_is_array(cell->value)) {
    row[0] = number_of(cell->value);
    return PF_OK;
  }
  for (int64_t j = 0; j < width && j < (int64_t)json_array_size(cell->value); j++) {
    row[j] = number_of(json_array_get(cell->value, (size_t)j));
  }
  return PF_OK;
}

static pf_status keep_row(const jsonl_reader *reader, const json_t *object, int64_t row,
                          pf_error *error)
{
  const jsonl_place top = {"", row, 0};
  return each_value(reader, object, top, keep_cell, error);
}

/** Room for all values, missing so far. */
static pf_status make_room(container *of, pf_error *error)
{
  jsonl_file *file = of->file;
  const pf_host *host = of->host;
  double bytes = 0.0;
  for (size_t i = 0; i < of->n; i++) {
    bytes += (double)file->rows * (double)of->arrays[i].columns * 8.0;
  }
  if (bytes > of->choices->most_memory) {
    return pf_fail_key(error, PF_STOP, "most_memory",
                       "%.300s: its keys come to %.0f MiB, more than most_memory", of->path,
                       bytes / 1048576.0);
  }
  file->values = host->allocate(host, (of->n + 1) * sizeof *file->values);
  file->n_values = of->n;
  if (file->values == NULL) {
    return no_memory(of, error);
  }
  for (size_t i = 0; i < of->n; i++) {
    jsonl_values *values = &file->values[i];
    const size_t n = (size_t)(file->rows * of->arrays[i].columns);
    if (of->arrays[i].is_text) {
      values->texts = host->allocate(host, (n + 1) * sizeof *values->texts);
    } else {
      values->numbers = host->allocate(host, (n + 1) * sizeof *values->numbers);
    }
    if (values->texts == NULL && values->numbers == NULL) {
      return no_memory(of, error);
    }
    for (size_t k = 0; values->numbers != NULL && k < n; k++) {
      values->numbers[k] = (double)NAN;
    }
  }
  return PF_OK;
}

/** All keys at once, when the first is asked for. */
static pf_status need_values(const container *of, pf_error *error)
{
  jsonl_file *file = of->file;
  container same = *of;
  const jsonl_reader reader = {.of = &same, .take = keep_row};
  int64_t rows = 0;
  if (file->values != NULL) {
    return PF_OK;
  }
  if (make_room(&same, error) != PF_OK || read_lines(&reader, &rows, error) != PF_OK) {
    return PF_STOP;
  }
  return rows == file->rows
             ? PF_OK
             : pf_fail(error, PF_STOP, "%.300s: changed while it was read; try again", of->path);
}

static pf_status read_numbers(const container *of, size_t i, double *out, pf_error *error)
{
  const jsonl_file *file = of->file;
  const container_array *array = &of->arrays[i];
  const pf_status status = need_values(of, error);
  if (status == PF_OK && array->rows > 0) {
    memcpy(out, file->values[i].numbers, (size_t)(array->rows * array->columns) * sizeof *out);
  }
  return status;
}

static pf_status read_texts(const container *of, size_t i, char **out, pf_error *error)
{
  const jsonl_file *file = of->file;
  const pf_status status = need_values(of, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t k = 0; k < file->rows; k++) {
    const char *text = file->values[i].texts[k];
    out[k] = text == NULL ? NULL : container_text(of->host, text, strlen(text));
    if (text != NULL && out[k] == NULL) {
      return no_memory(of, error);
    }
  }
  return PF_OK;
}

const container_format jsonl_format = {.word = "column",
                                       .has = "it has",
                                       .first = 1,
                                       .open = open_jsonl,
                                       .close = close_jsonl,
                                       .numbers = read_numbers,
                                       .texts = read_texts};
