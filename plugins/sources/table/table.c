/*
 * table - recordings from a CSV file in long form: one row a step, columns named in the config. See
 * README.md.
 *
 * The file is read once, row by row; only the experiment being read is held here.
 */
#include "steps.h"

typedef struct table {
  recording recording; /**< first: recording_needs */
  table_columns columns;
} table;

#define TABLE_NAMED(key_, what_)                           \
  {                                                        \
    .name = "columns." key_, .type = PF_TYPE_STRING,       \
    .help = what_ "; default \"" key_ "\" if there is one" \
  }

static const pf_option table_options[] = {
    {.name = "path",
     .type = PF_TYPE_PATH,
     .required = 1,
     .help = "the CSV file: a header, then one row a step"},
    TABLE_NAMED("animal", "column of the animal's name"),
    TABLE_NAMED("session", "column of the session"),
    TABLE_NAMED("experiment", "column of the experiment, an uninterrupted run of steps"),
    TABLE_NAMED("block", "column of the block, from 0"),
    TABLE_NAMED("trial", "column of the trial, from 0, not decreasing"),
    TABLE_NAMED(
        "step",
        "column of the step, counted in the experiment or in the trial; checked, not needed"),
    TABLE_NAMED("dt", "column of the step's length, ms"),
    TABLE_NAMED("gap", "column of the time before the step, ms; given on as channel gap"),
    TABLE_NAMED("reward", "column of the reward; an empty cell: none could come"),
    TABLE_NAMED("choice", "column of the choice: 1 accepted, 0 rejected; among K: 0 to K - 1"),
    TABLE_NAMED("plastic", "column that says whether weights change after the step: 1 or 0"),
    {.name = "columns.inputs",
     .type = PF_TYPE_STRINGS,
     .help = "columns of the inputs; default x1, x2, ... or input1, ..."},
    {.name = "columns.activities",
     .type = PF_TYPE_STRINGS,
     .help = "columns of the target activity; default y1, y2, ..."},
    {.name = "columns.channels",
     .type = PF_TYPE_STRINGS,
     .help = "columns that are channels beside reward; default: every other one that has numbers"},
    {.name = "targets[].name",
     .type = PF_TYPE_STRING,
     .required = 1,
     .help = "a further target that a loss asks for"},
    {.name = "targets[].columns", .type = PF_TYPE_STRINGS, .required = 1, .help = "its columns"},
    {.name = "plastic",
     .type = PF_TYPE_STRING,
     .choices = "always|accepts|column",
     .help = "steps after which weights change; default: as the column plastic says, else at "
             "accepts, else always"},
};

/* ---- life ---- */

static void table_destroy(void *self)
{
  table *source = self;
  if (source == NULL) {
    return;
  }
  const pf_host *host = source->recording.host;
  table_free_columns(host, &source->columns);
  recording_free(&source->recording);
  host->release(host, source);
}

static pf_status table_create(const pf_host *host, const pf_options *options, void **self,
                              pf_error *error)
{
  table *source = host->allocate(host, sizeof *source);
  if (source == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  pf_status status =
      recording_create(host, options->string(options, "path"), &source->recording, error);
  status = status == PF_OK
               ? table_find_columns(&source->recording, options, &source->columns, error)
               : status;
  if (status != PF_OK) {
    table_destroy(source);
    return status;
  }
  *self = source;
  return PF_OK;
}

/* ---- reading ---- */

/** Which experiment a row belongs to: animal, session and experiment, each ended by 0. */
typedef struct table_key {
  char *text;
  size_t length, capacity;
} table_key;

/** Experiments that are over: their keys, found by hash; `line` is their last. */
typedef struct table_seen {
  struct {
    char *text;
    size_t length;
    int64_t line;
  } * slots; /**< [n_slots], a power of two, at most half full */
  size_t n_slots, n;
} table_seen;

typedef struct table_reading {
  const table *source;
  const pf_sink *sink;
  pf_csv csv;
  table_steps steps;
  table_key key, row_key; /**< of the experiment being gathered, of the current row */
  table_seen seen;
} table_reading;

static size_t table_hash(const char *text, size_t length)
{
  uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
  for (size_t i = 0; i < length; i++) {
    hash = (hash ^ (unsigned char)text[i]) * 1099511628211ULL;
  }
  return (size_t)(hash ^ (hash >> 32));
}

/** The slot of a key: its own, or the free one where it would go. */
static size_t table_slot(const table_seen *seen, const char *text, size_t length)
{
  size_t i = table_hash(text, length) & (seen->n_slots - 1);
  while (seen->slots[i].text != NULL &&
         (seen->slots[i].length != length || memcmp(seen->slots[i].text, text, length) != 0)) {
    i = (i + 1) & (seen->n_slots - 1);
  }
  return i;
}

static pf_status table_remember(table_reading *r, int64_t line, pf_error *error)
{
  const pf_host *host = r->source->recording.host;
  table_seen *seen = &r->seen;
  if (2 * (seen->n + 1) > seen->n_slots) {
    table_seen larger = {.n_slots = seen->n_slots == 0 ? 64 : 2 * seen->n_slots, .n = seen->n};
    larger.slots = host->allocate(host, larger.n_slots * sizeof *larger.slots);
    if (larger.slots == NULL) {
      return pf_fail(error, PF_STOP, "out of memory for the names of %zu experiments", seen->n);
    }
    for (size_t i = 0; i < seen->n_slots; i++) {
      if (seen->slots[i].text != NULL) {
        larger.slots[table_slot(&larger, seen->slots[i].text, seen->slots[i].length)] =
            seen->slots[i];
      }
    }
    host->release(host, seen->slots);
    *seen = larger;
  }
  char *text = host->allocate(host, r->key.length);
  if (text == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for the names of %zu experiments", seen->n);
  }
  memcpy(text, r->key.text, r->key.length);
  const size_t i = table_slot(seen, text, r->key.length);
  seen->slots[i].text = text;
  seen->slots[i].length = r->key.length;
  seen->slots[i].line = line;
  seen->n++;
  return PF_OK;
}

static pf_status table_extend_key(table_reading *r, table_key *key, const char *text,
                                  pf_error *error)
{
  const size_t bytes = strlen(text) + 1;
  if (key->length + bytes > key->capacity) {
    const pf_host *host = r->source->recording.host;
    const size_t capacity = 2 * (key->length + bytes);
    char *moved = host->allocate(host, capacity);
    if (moved == NULL) {
      return pf_fail(error, PF_STOP, "out of memory for a name of %zu bytes", bytes);
    }
    if (key->length > 0) {
      memcpy(moved, key->text, key->length);
    }
    host->release(host, key->text);
    key->text = moved;
    key->capacity = capacity;
  }
  memcpy(key->text + key->length, text, bytes);
  key->length += bytes;
  return PF_OK;
}

static pf_status table_make_row_key(table_reading *r, pf_error *error)
{
  static const int parts[] = {ROLE_ANIMAL, ROLE_SESSION, ROLE_EXPERIMENT};
  pf_status status = PF_OK;
  r->row_key.length = 0;
  for (size_t k = 0; k < 3 && status == PF_OK; k++) {
    const int64_t column = r->source->recording.roles.single[parts[k]];
    const char *text = column < 0 ? "" : pf_csv_field(&r->csv, (size_t)column);
    if (k == 0 && column < 0) {
      text = r->source->recording.stem;
    } else if (k == 0 && text[0] == '\0') {
      return pf_fail(error, PF_STOP,
                     "%.300s:%lld: column '%.60s': found nothing, expected the animal's name",
                     r->csv.path, (long long)r->csv.line, r->source->columns.header[column]);
    }
    status = table_extend_key(r, &r->row_key, text, error);
  }
  return status;
}

/** The parts of the key of the experiment being gathered. */
static void table_split_key(const table_key *key, const char **animal, const char **session,
                            const char **experiment)
{
  *animal = key->text;
  *session = *animal + strlen(*animal) + 1;
  *experiment = *session + strlen(*session) + 1;
}

/** What messages call it: "own.csv: fly1/day2/3". */
static void table_name(const table *source, const table_key *key, char *text, size_t capacity)
{
  const char *animal = NULL, *session = NULL, *experiment = NULL;
  table_split_key(key, &animal, &session, &experiment);
  (void)snprintf(text, capacity, "%.300s: %.100s%s%.100s%s%.100s", source->recording.path, animal,
                 session[0] != '\0' ? "/" : "", session, experiment[0] != '\0' ? "/" : "",
                 experiment);
}

/** The experiment gathered so far is over. */
static pf_status table_finish(table_reading *r, pf_error *error)
{
  if (r->steps.n == 0) {
    return PF_OK;
  }
  char name[768];
  const char *animal = NULL, *session = NULL, *experiment = NULL;
  const int64_t last = r->steps.values.line[r->steps.n - 1];
  table_split_key(&r->key, &animal, &session, &experiment);
  table_name(r->source, &r->key, name, sizeof name);
  const pf_status status = table_steps_hand_over(&r->steps, animal, session, name, r->sink, error);
  return status == PF_OK ? table_remember(r, last, error) : status;
}

/** The row begins another experiment; one that has been before is an error. */
static pf_status table_begin(table_reading *r, pf_error *error)
{
  pf_status status = table_finish(r, error);
  if (status != PF_OK) {
    return status;
  }
  if (r->seen.n > 0) {
    const size_t i = table_slot(&r->seen, r->row_key.text, r->row_key.length);
    if (r->seen.slots[i].text != NULL) {
      char name[768];
      table_name(r->source, &r->row_key, name, sizeof name);
      return pf_fail(
          error, PF_STOP,
          "%.300s:%lld: a row of %.500s, which was over at line %lld; expected the rows of an "
          "experiment to "
          "stand together (sort the table by animal, session, experiment, trial and step)",
          r->csv.path, (long long)r->csv.line, name + strlen(r->source->recording.path) + 2,
          (long long)r->seen.slots[i].line);
    }
  }
  const table_key spare = r->key;
  r->key = r->row_key;
  r->row_key = spare;
  return PF_OK;
}

static pf_status table_take_row(table_reading *r, pf_error *error)
{
  pf_status status = pf_csv_check_width(&r->csv, r->source->columns.width, error);
  status = status == PF_OK ? table_make_row_key(r, error) : status;
  if (status == PF_OK && (r->steps.n == 0 || r->key.length != r->row_key.length ||
                          memcmp(r->key.text, r->row_key.text, r->key.length) != 0)) {
    status = table_begin(r, error);
  }
  return status == PF_OK ? table_steps_add(&r->steps, &r->csv, error) : status;
}

/** A row of empty cells, as spreadsheets leave behind the last one. */
static int table_is_blank(const pf_csv *csv)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    if (pf_csv_field(csv, i)[0] != '\0') {
      return 0;
    }
  }
  return 1;
}

/** Behind a row of empty cells: only such rows follow, or they are in the middle of the data. */
static pf_status table_skip_blank(table_reading *r, int *got, pf_error *error)
{
  const int64_t line = r->csv.line;
  pf_status status = pf_csv_next(&r->csv, got, error);
  while (status == PF_OK && *got && table_is_blank(&r->csv)) {
    status = pf_csv_next(&r->csv, got, error);
  }
  if (status == PF_OK && *got) {
    return pf_fail(error, PF_STOP,
                   "%.300s:%lld: every cell of this row is empty, and more rows follow; expected "
                   "such rows only at the end of the file",
                   r->csv.path, (long long)line);
  }
  return status;
}

static void table_warn_of_missing_steps(const table_reading *r)
{
  char line[512];
  if (r->steps.skipped > 0) {
    (void)snprintf(line, sizeof line,
                   "%.300s:%lld: %.0f steps before this one are missing (the first such place); "
                   "plastfit goes on as if "
                   "they had not been",
                   r->source->recording.path, (long long)r->steps.skipped, r->steps.skipped_by);
    r->source->recording.host->warn(r->source->recording.host, line);
  }
}

static void table_end_reading(table_reading *r)
{
  const pf_host *host = r->source->recording.host;
  for (size_t i = 0; i < r->seen.n_slots; i++) {
    host->release(host, r->seen.slots[i].text);
  }
  host->release(host, r->seen.slots);
  host->release(host, r->key.text);
  host->release(host, r->row_key.text);
  table_steps_free(&r->steps);
  pf_csv_close(&r->csv);
}

static pf_status table_read(const void *self, const pf_sink *sink, pf_error *error)
{
  const table *source = self;
  table_reading r = {.source = source, .sink = sink};
  int got = 0;
  pf_status status = pf_csv_open(&r.csv, source->recording.path, error);
  if (status != PF_OK) {
    return status;
  }
  status = table_steps_make(&source->recording, &source->columns, &r.steps, error);
  status = status == PF_OK ? pf_csv_next(&r.csv, &got, error)
                           : status; /* the header, which `create` has read */
  status = status == PF_OK ? pf_csv_next(&r.csv, &got, error) : status;
  while (status == PF_OK && got) {
    if (r.csv.n_fields > 1 && table_is_blank(&r.csv)) {
      status = table_skip_blank(&r, &got, error);
      continue;
    }
    status = table_take_row(&r, error);
    if (status == PF_OK) {
      status = pf_csv_next(&r.csv, &got, error);
    }
  }
  status = status == PF_OK ? table_finish(&r, error) : status;
  if (status == PF_OK) {
    table_warn_of_missing_steps(&r);
  }
  table_end_reading(&r);
  return status;
}

/* ---- descriptor ---- */

static const pf_source_ops table_ops = {
    .size = sizeof(pf_source_ops),
    .create = table_create,
    .destroy = table_destroy,
    .declare = recording_declare,
    .read = table_read,
};

static const char *const table_aliases[] = {"csv"};

static const pf_plugin table_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "table",
    .version = "1.0",
    .summary = "your own recordings: a CSV file with one row a step",
    .aliases = PF_NAMES_OF(table_aliases),
    .options = PF_TABLE_OF(table_options),
    .source = &table_ops,
};

PF_PLUGIN_ENTRY(table)
{
  return &table_plugin;
}
