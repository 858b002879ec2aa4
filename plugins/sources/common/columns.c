#include "columns.h"

#include <plastfit/author/name_distance.h>

/** What the search works on. */
typedef struct search {
  const pf_host *host;
  const char *path;
  const pf_options *options;
  const role_variables *variables;
  table_columns *columns;
} search;

static pf_status no_memory(const search *s, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for its columns", s->path);
}

/* ---- cells ---- */

const char *table_field_text(const table_columns *columns, const table_rows *rows, size_t field)
{
  const table_field *f = &columns->fields[field];
  return f->column < 0 ? "" : table_cell(rows, (size_t)f->column);
}

int table_field_number(const table_columns *columns, const table_rows *rows, size_t field,
                       double *value)
{
  const table_field *f = &columns->fields[field];
  if (f->column < 0) {
    *value = f->constant;
    return 1;
  }
  const table_map *map = &columns->maps[f->column];
  if (map->n == 0 && map->n_missing == 0 && f->level < 0 &&
      table_cell_is_number(rows, (size_t)f->column, value)) {
    return 1;
  }
  const int is_number =
      table_value(&columns->maps[f->column], table_cell(rows, (size_t)f->column), value);
  if (is_number && f->level >= 0 && !isnan(*value)) {
    *value = *value == columns->maps[f->column].to[f->level] ? 1.0 : 0.0;
  }
  return is_number;
}

/* ---- fields ---- */

static pf_status add_field(search *s, const char *name, table_field field, pf_error *error)
{
  table_columns *c = s->columns;
  if ((c->width & (c->width - 1)) == 0) { /* room for 1, 2, 4, ...: full where the width is one */
    const size_t room = c->width == 0 ? 1 : 2 * c->width;
    table_field *larger = s->host->allocate(s->host, room * sizeof *larger);
    if (larger == NULL) {
      return no_memory(s, error);
    }
    if (c->width > 0) {
      memcpy(larger, c->fields, c->width * sizeof *larger);
    }
    s->host->release(s->host, c->fields);
    c->fields = larger;
  }
  field.name = s->host->allocate(s->host, strlen(name) + 1);
  if (field.name == NULL) {
    return no_memory(s, error);
  }
  memcpy(field.name, name, strlen(name) + 1);
  c->fields[c->width++] = field;
  return PF_OK;
}

static pf_status add_array_columns(search *s, pf_error *error)
{
  const table_files *files = &s->columns->files;
  for (size_t i = 0; i < files->width; i++) {
    const table_field field = {.column = (int64_t)i, .level = -1};
    if (add_field(s, files->header[i], field, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Every column of the file, with what its first cell is. */
static pf_status add_columns(search *s, pf_error *error)
{
  const table_files *files = &s->columns->files;
  if (files->format != NULL) {
    return add_array_columns(s, error);
  }
  table_rows rows = {.files = files, .host = s->host};
  int got = 0;
  pf_status status = table_rows_next(&rows, &got, error);
  if (status == PF_OK && !got) {
    status = pf_fail(error, PF_STOP, "%.300s: has no rows: there is no trial in it", s->path);
  }
  for (size_t i = 0; i < files->width && status == PF_OK; i++) {
    double value = 0.0;
    table_field field = {.column = (int64_t)i, .level = -1};
    field.numeric = table_value(&s->columns->maps[i], table_cell(&rows, i), &value);
    status = add_field(s, files->header[i], field, error);
  }
  table_rows_end(&rows);
  return status;
}

/** The column of this name, whatever its case; -1: there is none. */
static int64_t column_named(const table_files *files, const char *name)
{
  int64_t other_case = -1;
  for (size_t i = 0; i < files->width; i++) {
    if (strcmp(files->header[i], name) == 0) {
      return (int64_t)i;
    }
    if (roles_same_word(files->header[i], name)) {
      other_case = (int64_t)i;
    }
  }
  return other_case;
}

static pf_status find_column(const search *s, const char *name, const char *key, int64_t *column,
                             pf_error *error)
{
  const table_files *files = &s->columns->files;
  *column = column_named(files, name);
  size_t best = strlen(name) / 3 + 1;
  const char *nearest = NULL;
  for (size_t i = 0; *column < 0 && i < files->width; i++) {
    const size_t d = pf_name_distance(name, files->header[i]);
    if (d <= best && d < strlen(files->header[i])) {
      best = d;
      nearest = files->header[i];
    }
  }
  if (nearest != NULL) {
    return pf_fail_key(error, PF_STOP, key,
                       "%.300s%s: there is no %s '%.60s'; did you mean '%.60s'?", s->path,
                       files->where, files->word, name, nearest);
  }
  return *column >= 0 ? PF_OK
                      : pf_fail_key(error, PF_STOP, key, "%.300s%s: there is no %s '%.60s'",
                                    s->path, s->columns->files.where, s->columns->files.word, name);
}

static pf_status take_values(search *s, pf_error *error)
{
  const int64_t n = s->options->length(s->options, "values");
  for (int64_t i = 0; i < n; i++) {
    char key[64];
    int64_t column = 0;
    (void)snprintf(key, sizeof key, "values[%lld].%s", (long long)i, s->columns->files.word);
    if (find_column(s, s->options->string(s->options, key), "values", &column, error) != PF_OK ||
        table_map_given(s->host, s->options, i, &s->columns->maps[column], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** A column of `one_hot`: a field for each of its values. */
static pf_status split_column(search *s, const char *name, pf_error *error)
{
  int64_t column = 0;
  int too_many = 0;
  if (find_column(s, name, "one_hot", &column, error) != PF_OK) {
    return PF_STOP;
  }
  table_map *map = &s->columns->maps[column];
  if (map->n == 0) {
    const pf_status status =
        table_map_found(s->host, &s->columns->files, (size_t)column, map, &too_many, error);
    if (status != PF_OK) {
      return status;
    }
    char text[400] = "", line[800];
    table_map_print(map, text, sizeof text);
    (void)snprintf(line, sizeof line, "%.300s: an input for each value of '%.60s': %.300s (from 0)",
                   s->path, name, text);
    if (!too_many) {
      s->host->warn(s->host, line);
    }
  }
  if (too_many || map->n == 0) {
    return pf_fail_key(error, PF_STOP, "one_hot",
                       "%.300s: the column '%.60s' has %s values, expected 1 to %d", s->path, name,
                       too_many ? "too many" : "no", TABLE_MOST_VALUES);
  }
  for (size_t i = 0; i < s->columns->width; i++) { /* what was split is no channel as it stood */
    s->columns->fields[i].numeric &= s->columns->fields[i].column != column;
    s->columns->fields[i].is_split |= s->columns->fields[i].column == column;
  }
  for (size_t k = 0; k < map->n; k++) {
    char own[160];
    (void)snprintf(own, sizeof own, "%.60s=%.60s", name, map->from[k]);
    const table_field field = {.column = column, .level = (int64_t)k};
    if (add_field(s, own, field, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Numbers among the inputs that are no column's name are constants. */
static pf_status add_constants(search *s, pf_error *error)
{
  const int64_t n = s->options->length(s->options, s->variables->inputs);
  for (int64_t i = 0; i < n; i++) {
    const char *name = s->options->string_at(s->options, s->variables->inputs, i);
    table_field field = {.column = -1, .level = -1};
    if (column_named(&s->columns->files, name) < 0 && name[0] != '\0' &&
        pf_csv_number(name, &field.constant) && isfinite(field.constant) &&
        add_field(s, name, field, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status make_fields(search *s, pf_error *error)
{
  table_columns *c = s->columns;
  c->maps = s->host->allocate(s->host, c->files.width * sizeof *c->maps);
  if (c->maps == NULL) {
    return no_memory(s, error);
  }
  if (take_values(s, error) != PF_OK || add_columns(s, error) != PF_OK) {
    return PF_STOP;
  }
  const int64_t n = s->options->length(s->options, "one_hot");
  for (int64_t i = 0; i < n; i++) {
    if (split_column(s, s->options->string_at(s->options, "one_hot", i), error) != PF_OK) {
      return PF_STOP;
    }
  }
  return add_constants(s, error);
}

/* ---- which is what ---- */

static const char *name_of(const void *self, size_t i)
{
  return ((const search *)self)->columns->fields[i].name;
}

static int may_be_channel(const void *self, size_t i)
{
  const table_columns *c = ((const search *)self)->columns;
  const table_field *field = &c->fields[i];
  return c->files.format == NULL ? field->numeric
                                 : field->column >= 0 && field->level < 0 && !field->is_split &&
                                       table_array_may_be_channel(&c->files, (size_t)field->column);
}

/** Fields that a column of `one_hot` or an array of several columns is split into: they are what
 * its name means. */
static int is_part_of(const void *self, size_t i, const char *name)
{
  const table_columns *c = ((const search *)self)->columns;
  const table_field *field = &c->fields[i];
  if (field->level >= 0) {
    return name == NULL || roles_same_word(c->files.header[field->column], name);
  }
  if (name == NULL || field->column < 0 || c->files.format == NULL) {
    return 0;
  }
  const char *array = c->files.shape.arrays[c->files.places[field->column].array].name;
  return strcmp(array, field->name) != 0 && roles_same_word(array, name);
}

static pf_status use_field(void *self, size_t i, enum role_use use, int64_t *width, pf_error *error)
{
  table_columns *c = ((search *)self)->columns;
  (void)width;
  return c->files.format == NULL || c->fields[i].column < 0
             ? PF_OK
             : table_array_use(&c->files, (size_t)c->fields[i].column, use, error);
}

/** Codes of choices other than 0, 1, ... are told and read as those. */
static pf_status look_at_choice(void *self, size_t i, int *several, pf_error *error)
{
  search *s = self;
  const int64_t column = s->columns->fields[i].column;
  int too_many = 0;
  *several = 0;
  if (column < 0) {
    return PF_OK;
  }
  table_map *map = &s->columns->maps[column];
  if (map->n > 0) {
    for (size_t k = 0; k < map->n; k++) {
      *several |= map->to[k] > 1.0;
    }
    return PF_OK;
  }
  const pf_status status =
      table_map_found(s->host, &s->columns->files, (size_t)column, map, &too_many, error);
  if (status != PF_OK) {
    return status;
  }
  table_map_choice(s->host, map, several);
  if (map->n > 0) {
    char text[400] = "", line[1000];
    table_map_print(map, text, sizeof text);
    (void)snprintf(line, sizeof line,
                   "%.300s: choices in %s '%.60s': %.300s (source.values says otherwise)", s->path,
                   s->columns->files.word, s->columns->fields[i].name, text);
    s->host->warn(s->host, line);
  }
  return PF_OK;
}

/** The variables as a format calls them. */
static role_variables name_variables(const role_variables *base, const table_files *files)
{
  role_variables v = *base;
  v.word = files->word;
  v.where = files->where;
  v.has = files->has;
  v.name = name_of;
  v.may_be_channel = may_be_channel;
  v.use = use_field;
  v.is_part_of = is_part_of;
  v.look_at_choice = look_at_choice;
  return v;
}

pf_status table_find_columns(recording *of, const pf_options *options, const table_kind *kind,
                             table_columns *out, pf_error *error)
{
  const char *missing = options->string(options, "missing_inputs");
  out->missing_inputs = strcmp(missing, "zero") == 0   ? TABLE_MISSING_ZERO
                        : strcmp(missing, "hold") == 0 ? TABLE_MISSING_HOLD
                        : strcmp(missing, "draw") == 0 ? TABLE_MISSING_DRAW
                                                       : TABLE_MISSING_ERROR;
  pf_status status = kind->format == NULL
                         ? table_files_find(of->host, options, &out->files, error)
                         : table_arrays_find(of->host, options, kind->format, &out->files, error);
  if (status != PF_OK) {
    return status;
  }
  const role_variables variables = name_variables(kind->variables, &out->files);
  search s = {of->host, of->path, options, &variables, out};
  status = make_fields(&s, error);
  if (status != PF_OK) {
    return status;
  }
  status = roles_find(of->host, of->path, &variables, &s, out->width, options, &of->roles, error);
  if (status != PF_OK || kind->format == NULL) {
    return status;
  }
  if (out->files.n_rows == 0) {
    return pf_fail(error, PF_STOP, "%.300s: its %ss have no rows: there is no step in it", of->path,
                   out->files.word);
  }
  return table_array_budget(&out->files, error);
}

void table_free_columns(const pf_host *host, table_columns *columns)
{
  for (size_t i = 0; i < columns->width; i++) {
    host->release(host, columns->fields[i].name);
  }
  for (size_t i = 0; columns->maps != NULL && i < columns->files.width; i++) {
    table_map_free(host, &columns->maps[i]);
  }
  host->release(host, columns->maps);
  host->release(host, columns->fields);
  table_files_free(host, &columns->files);
}
