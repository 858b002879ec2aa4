#include "columns.h"

#include <plastfit/abi/csv.h>

const char *const table_single_names[TABLE_N_SINGLE] = {"animal", "session", "experiment", "block",  "trial",  "step",
                                                        "dt",     "gap",     "reward",     "choice", "plastic"};

/** What the search works on. */
typedef struct finder {
  const pf_host *host;
  const pf_options *options;
  const char *path;
  table_columns *out;
  unsigned char *taken;   /* [width] columns that are something already */
  unsigned char *numeric; /* [width] the first row has a number or nothing there */
  pf_error *error;
} finder;

/* ---- names ---- */

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

/** Edit distance of short names. */
static size_t distance(const char *a, const char *b)
{
  enum { LONGEST = 63 };
  size_t row[LONGEST + 1];
  const size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) {
    return n + m;
  }
  for (size_t j = 0; j <= m; j++) {
    row[j] = j;
  }
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = least(changed, least(row[j], row[j - 1]) + 1);
    }
  }
  return row[m];
}

static pf_status no_column(const finder *f, const char *key, const char *name)
{
  const table_columns *c = f->out;
  const char *nearest = NULL;
  size_t best = strlen(name) / 3 + 1;
  char all[400] = "";
  size_t used = 0;
  for (size_t i = 0; i < c->width; i++) {
    const size_t d = distance(name, c->header[i]);
    if (d <= best && d < strlen(c->header[i])) {
      nearest = d < best || nearest == NULL ? c->header[i] : nearest;
      best = d;
    }
    if (used < sizeof all - 1) {
      used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", c->header[i]);
    }
  }
  if (nearest != NULL) {
    return pf_fail_key(f->error, PF_STOP, key, "%.300s:1: there is no column '%.60s'; did you mean '%.60s'?", f->path,
                       name, nearest);
  }
  return pf_fail_key(f->error, PF_STOP, key, "%.300s:1: there is no column '%.60s'; the header has: %s%s", f->path,
                     name, all, used >= sizeof all ? "..." : "");
}

static int64_t index_of(const table_columns *c, const char *name)
{
  for (size_t i = 0; i < c->width; i++) {
    if (strcmp(c->header[i], name) == 0) {
      return (int64_t)i;
    }
  }
  return -1;
}

/** Can it stand in a modulator's expression? */
static int is_identifier(const char *name)
{
  static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return name[0] != '\0' && strchr("0123456789", name[0]) == NULL && strspn(name, characters) == strlen(name);
}

static char *copy_text(const finder *f, const char *text)
{
  char *copy = f->host->allocate(f->host, strlen(text) + 1);
  if (copy == NULL) {
    (void)pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path);
    return NULL;
  }
  memcpy(copy, text, strlen(text) + 1);
  return copy;
}

/* ---- groups ---- */

/** A group that is to have `most` columns, and has none. */
static pf_status begin_group(const finder *f, table_group *group, const char *name, size_t most)
{
  *group = (table_group){.name = copy_text(f, name)};
  if (group->name == NULL) {
    return PF_STOP;
  }
  group->columns = f->host->allocate(f->host, (most > 0 ? most : 1) * sizeof *group->columns);
  return group->columns != NULL ? PF_OK : pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path);
}

static void add_column(const finder *f, table_group *group, int64_t column)
{
  group->columns[group->n++] = (size_t)column;
  f->taken[column] = 1;
}

static pf_status one_column_group(const finder *f, table_group *group, const char *name, int64_t column)
{
  const pf_status status = begin_group(f, group, name, 1);
  if (status == PF_OK) {
    add_column(f, group, column);
  }
  return status;
}

/** The columns that the list option `key` names. */
static pf_status listed_group(const finder *f, table_group *group, const char *name, const char *key,
                              const char *declared)
{
  const int64_t n = f->options->length(f->options, key);
  pf_status status = begin_group(f, group, name, (size_t)n);
  for (int64_t i = 0; i < n && status == PF_OK; i++) {
    const char *column = f->options->string_at(f->options, key, i);
    const int64_t index = index_of(f->out, column);
    status = index < 0 ? no_column(f, declared, column) : PF_OK;
    for (size_t k = 0; k < group->n && status == PF_OK; k++) {
      if (group->columns[k] == (size_t)index) {
        status = pf_fail_key(f->error, PF_STOP, declared, "names the column '%.60s' twice", column);
      }
    }
    if (status == PF_OK) {
      add_column(f, group, index);
    }
  }
  return status;
}

/** STEM1, STEM2, ... as far as the header has them. */
static pf_status numbered_group(const finder *f, table_group *group, const char *name, const char *stem)
{
  char column[64];
  pf_status status = begin_group(f, group, name, f->out->width);
  for (size_t k = 1; status == PF_OK && k <= f->out->width; k++) {
    (void)snprintf(column, sizeof column, "%s%zu", stem, k);
    const int64_t index = index_of(f->out, column);
    if (index < 0) {
      break;
    }
    add_column(f, group, index);
  }
  return status;
}

static void free_group(const pf_host *host, table_group *group)
{
  host->release(host, group->name);
  host->release(host, group->columns);
  *group = (table_group){0};
}

/* ---- the header ---- */

static pf_status take_header(const finder *f, const pf_csv *csv)
{
  table_columns *c = f->out;
  c->header = f->host->allocate(f->host, csv->n_fields * sizeof *c->header);
  if (c->header == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path);
  }
  for (; c->width < csv->n_fields; c->width++) {
    const char *name = pf_csv_field(csv, c->width);
    if (name[0] != '\0' && index_of(c, name) >= 0) {
      return pf_fail(f->error, PF_STOP, "%.300s:1: there are two columns '%.60s'", f->path, name);
    }
    c->header[c->width] = copy_text(f, name);
    if (c->header[c->width] == NULL) {
      return PF_STOP;
    }
  }
  if (c->width == 1 && strpbrk(c->header[0], ";\t") != NULL) {
    return pf_fail(f->error, PF_STOP,
                   "%.300s:1: the header is one column, '%.60s'; expected columns separated by commas (and decimal "
                   "points)",
                   f->path, c->header[0]);
  }
  return PF_OK;
}

/** Header and first row. */
static pf_status look(finder *f)
{
  pf_csv csv;
  int got = 0;
  pf_status status = pf_csv_open(&csv, f->path, f->error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(&csv, &got, f->error);
  if (status == PF_OK && !got) {
    status = pf_fail(f->error, PF_STOP, "%.300s: is empty, expected a row of column names and rows of data", f->path);
  }
  status = status == PF_OK ? take_header(f, &csv) : status;
  status = status == PF_OK ? pf_csv_next(&csv, &got, f->error) : status;
  if (status == PF_OK && !got) {
    status = pf_fail(f->error, PF_STOP, "%.300s: has a header and no rows: there is no trial in it", f->path);
  }
  status = status == PF_OK ? pf_csv_check_width(&csv, f->out->width, f->error) : status;
  if (status == PF_OK) {
    f->taken = f->host->allocate(f->host, f->out->width);
    f->numeric = f->host->allocate(f->host, f->out->width);
    status = f->taken == NULL || f->numeric == NULL
                 ? pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path)
                 : PF_OK;
  }
  for (size_t i = 0; i < f->out->width && status == PF_OK; i++) {
    double value = 0.0;
    f->numeric[i] = pf_csv_number(pf_csv_field(&csv, i), &value) != 0;
  }
  pf_csv_close(&csv);
  return status;
}

/* ---- what each is ---- */

static pf_status find_singles(const finder *f)
{
  static const char *const keys[TABLE_N_SINGLE] = {
      "columns.animal", "columns.session", "columns.experiment", "columns.block",  "columns.trial",  "columns.step",
      "columns.dt",     "columns.gap",     "columns.reward",     "columns.choice", "columns.plastic"};
  for (int k = 0; k < TABLE_N_SINGLE; k++) {
    const int said = f->options->present(f->options, keys[k]);
    const char *name = said ? f->options->string(f->options, keys[k]) : table_single_names[k];
    /* an empty name: there is a column of the usual name, but it is something else */
    const int64_t index = name[0] == '\0' ? -1 : index_of(f->out, name);
    if (index < 0 && said && name[0] != '\0') {
      return no_column(f, keys[k], name);
    }
    f->out->single[k] = index;
    if (index >= 0) {
      f->taken[index] = 1;
    }
  }
  return PF_OK;
}

static pf_status find_inputs(const finder *f)
{
  table_group *inputs = &f->out->inputs;
  if (f->options->present(f->options, "columns.inputs")) {
    return listed_group(f, inputs, "inputs", "columns.inputs", "columns.inputs");
  }
  pf_status status = numbered_group(f, inputs, "inputs", "x");
  if (status == PF_OK && inputs->n == 0) {
    free_group(f->host, inputs);
    status = numbered_group(f, inputs, "inputs", "input");
  }
  return status;
}

static pf_status find_targets(const finder *f)
{
  table_columns *c = f->out;
  const int64_t listed = f->options->length(f->options, "targets");
  c->targets = f->host->allocate(f->host, (size_t)(listed + 2) * sizeof *c->targets);
  if (c->targets == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path);
  }
  pf_status status = PF_OK;
  if (c->single[TABLE_CHOICE] >= 0) {
    status = one_column_group(f, &c->targets[c->n_targets++], "choice", c->single[TABLE_CHOICE]);
  }
  if (status == PF_OK) {
    table_group *activity = &c->targets[c->n_targets++];
    status = f->options->present(f->options, "columns.activities")
                 ? listed_group(f, activity, "activity", "columns.activities", "columns.activities")
                 : numbered_group(f, activity, "activity", "y");
    if (status == PF_OK && activity->n == 0) {
      free_group(f->host, activity);
      c->n_targets--;
    }
  }
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    char name[64], columns[64];
    (void)snprintf(name, sizeof name, "targets[%lld].name", (long long)i);
    (void)snprintf(columns, sizeof columns, "targets[%lld].columns", (long long)i);
    status = listed_group(f, &c->targets[c->n_targets++], f->options->string(f->options, name), columns,
                          "targets[].columns");
  }
  return status;
}

/** Channels: reward and gap, then those listed, or every column that is nothing else and has numbers. */
static pf_status find_channels(const finder *f)
{
  table_columns *c = f->out;
  const int said = f->options->present(f->options, "columns.channels");
  const int64_t listed = said ? f->options->length(f->options, "columns.channels") : 0;
  c->channels = f->host->allocate(f->host, (c->width + (size_t)listed + 2) * sizeof *c->channels);
  if (c->channels == NULL) {
    return pf_fail(f->error, PF_STOP, "%.300s: out of memory for its columns", f->path);
  }
  pf_status status = PF_OK;
  static const int always[] = {TABLE_REWARD, TABLE_GAP};
  for (size_t k = 0; k < 2 && status == PF_OK; k++) {
    if (c->single[always[k]] >= 0) {
      status = one_column_group(f, &c->channels[c->n_channels++], table_single_names[always[k]], c->single[always[k]]);
    }
  }
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    const char *name = f->options->string_at(f->options, "columns.channels", i);
    const int64_t index = index_of(c, name);
    status = index < 0 ? no_column(f, "columns.channels", name) : PF_OK;
    if (status == PF_OK && index != c->single[TABLE_REWARD] && index != c->single[TABLE_GAP]) {
      status = one_column_group(f, &c->channels[c->n_channels++], name, index);
    }
  }
  for (size_t i = 0; i < c->width && status == PF_OK && !said; i++) {
    if (!f->taken[i] && f->numeric[i] && is_identifier(c->header[i])) {
      status = one_column_group(f, &c->channels[c->n_channels++], c->header[i], (int64_t)i);
    }
  }
  return status;
}

static pf_status find_plastic(const finder *f)
{
  table_columns *c = f->out;
  const int has_column = c->single[TABLE_PLASTIC] >= 0;
  const int has_choice = c->single[TABLE_CHOICE] >= 0;
  if (!f->options->present(f->options, "plastic")) {
    c->plastic = has_column ? TABLE_COLUMN : has_choice ? TABLE_ACCEPTS : TABLE_ALWAYS;
    return PF_OK;
  }
  const char *word = f->options->string(f->options, "plastic");
  c->plastic = strcmp(word, "column") == 0 ? TABLE_COLUMN : strcmp(word, "accepts") == 0 ? TABLE_ACCEPTS : TABLE_ALWAYS;
  if (c->plastic == TABLE_COLUMN && !has_column) {
    return no_column(f, "plastic", "plastic");
  }
  return c->plastic == TABLE_ACCEPTS && !has_choice ? no_column(f, "plastic", "choice") : PF_OK;
}

static pf_status check_found(const finder *f)
{
  const table_columns *c = f->out;
  if (c->inputs.n == 0) {
    return pf_fail_key(
        f->error, PF_STOP, "columns.inputs",
        "%.300s:1: has no inputs: no columns x1, x2, ... (or input1, ...); name them with columns.inputs", f->path);
  }
  if (c->n_targets == 0) {
    return pf_fail_key(f->error, PF_STOP, "columns.choice",
                       "%.300s:1: has nothing to predict: no column choice, and no y1, y2, ...; name them with "
                       "columns.choice or columns.activities",
                       f->path);
  }
  return PF_OK;
}

pf_status table_find_columns(const pf_host *host, const char *path, const pf_options *options, table_columns *out,
                             pf_error *error)
{
  finder f = {.host = host, .options = options, .path = path, .out = out, .error = error};
  memset(out, 0, sizeof *out);
  pf_status status = look(&f);
  status = status == PF_OK ? find_singles(&f) : status;
  status = status == PF_OK ? find_inputs(&f) : status;
  status = status == PF_OK ? find_targets(&f) : status;
  status = status == PF_OK ? find_channels(&f) : status;
  status = status == PF_OK ? find_plastic(&f) : status;
  status = status == PF_OK ? check_found(&f) : status;
  host->release(host, f.taken);
  host->release(host, f.numeric);
  if (status != PF_OK) {
    table_free_columns(host, out);
  }
  return status;
}

void table_free_columns(const pf_host *host, table_columns *columns)
{
  for (size_t i = 0; i < columns->width; i++) {
    host->release(host, columns->header[i]);
  }
  for (size_t k = 0; columns->channels != NULL && k < columns->n_channels; k++) {
    free_group(host, &columns->channels[k]);
  }
  for (size_t k = 0; columns->targets != NULL && k < columns->n_targets; k++) {
    free_group(host, &columns->targets[k]);
  }
  free_group(host, &columns->inputs);
  host->release(host, columns->header);
  host->release(host, columns->channels);
  host->release(host, columns->targets);
  memset(columns, 0, sizeof *columns);
}
