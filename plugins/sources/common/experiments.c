/*
 * From rows to experiments: rows of one animal, session and experiment are gathered and handed
 * over. Files are read row by row; only the experiment being read is held here (of files of arrays,
 * the arrays that are used).
 */
#include "experiments.h"

#include "steps.h"

/* ---- life ---- */

void table_destroy(void *self)
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

pf_status table_create(const pf_host *host, const pf_options *options, const table_kind *kind,
                       void **self, pf_error *error)
{
  table *source = host->allocate(host, sizeof *source);
  if (source == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a source");
  }
  const int has_path = options->present(options, "path");
  const int has_matrices =
      !has_path && kind->format == NULL && options->length(options, "matrices") > 0;
  const char *path = has_path       ? options->string(options, "path")
                     : has_matrices ? options->string(options, "matrices[0].path")
                                    : "";
  pf_status status = recording_create(host, path, &source->recording, error);
  if (status == PF_OK) {
    status = table_find_columns(&source->recording, options, kind, &source->columns, error);
  }
  if (status != PF_OK) {
    table_destroy(source);
    return status;
  }
  const int is_said = options->present(options, "files");
  source->file_is = is_said ? strcmp(options->string(options, "files"), "session") == 0
                            : source->recording.roles.single[ROLE_ANIMAL] >= 0;
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
  table_rows rows;
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

/** A file's name without folder and suffix. */
static void table_stem(const char *path, char *text, size_t capacity)
{
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  const size_t n = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
  (void)snprintf(text, capacity, "%.*s", (int)n, base);
}

/** Where no column names it: the animal is the matrix's row, the file or the folder. */
static void table_name_animal(const table_reading *r, char *text, size_t capacity)
{
  const table_files *files = &r->source->columns.files;
  const char *path = table_path(&r->rows);
  if (files->by_animal) {
    const int64_t row = r->rows.row / (int64_t)r->rows.n_trials;
    (void)snprintf(text, capacity, "%lld", (long long)row + 1);
  } else if (files->matrices) {
    (void)snprintf(text, capacity, "%lld", (long long)r->rows.row);
  } else if (files->n == 1) {
    (void)snprintf(text, capacity, "%s", r->source->recording.stem);
  } else if (r->source->file_is == FILE_IS_ANIMAL) {
    table_stem(path, text, capacity);
  } else {
    char folder[600];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
    table_stem(folder[0] == '\0' ? "animal" : folder, text, capacity);
  }
}

static pf_status table_make_row_key(table_reading *r, pf_error *error)
{
  static const int parts[] = {ROLE_ANIMAL, ROLE_SESSION, ROLE_EXPERIMENT};
  const table_files *files = &r->source->columns.files;
  pf_status status = PF_OK;
  r->row_key.length = 0;
  for (size_t k = 0; k < 3; k++) {
    const int64_t field = r->source->recording.roles.single[parts[k]];
    char own[600] = "";
    const char *text =
        field < 0 ? own : table_field_text(&r->source->columns, &r->rows, (size_t)field);
    if (k == 0 && field < 0) {
      table_name_animal(r, own, sizeof own);
    } else if (k == 0 && text[0] == '\0') {
      const table_where where = table_where_is(&r->rows, 0);
      return pf_fail(error, PF_STOP, "%s: %s '%.60s': found nothing, expected the animal's name",
                     where.text, files->word, r->source->columns.fields[field].name);
    } else if (k == 1 && field < 0 && files->n > 1 && !files->matrices &&
               r->source->file_is == FILE_IS_SESSION) {
      table_stem(table_path(&r->rows), own, sizeof own);
    }
    status = table_extend_key(r, &r->row_key, text, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
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
      const table_where where = table_where_is(&r->rows, 0);
      return pf_fail(error, PF_STOP,
                     "%s: a row of %.500s, which was over at %s %lld; expected the rows of an "
                     "experiment to stand together (sort the table by animal, session, experiment, "
                     "trial and step)",
                     where.text, name + strlen(r->source->recording.path) + 2,
                     r->source->columns.files.format == NULL ? "line" : "row",
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
  if (table_make_row_key(r, error) != PF_OK) {
    return PF_STOP;
  }
  if (r->steps.n == 0 || r->key.length != r->row_key.length ||
      memcmp(r->key.text, r->row_key.text, r->key.length) != 0) {
    const pf_status status = table_begin(r, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return table_steps_add(&r->steps, &r->rows, error);
}

static void table_warn_of_rows(const table_reading *r)
{
  char line[512];
  const char *between = r->source->columns.files.format == NULL ? ":" : ": row ";
  if (r->steps.n_repeated > 0) {
    (void)snprintf(line, sizeof line,
                   "%.300s%s%lld: the row repeats the one before it, in the same trial (%lld such "
                   "rows); if rows were copied twice, remove them",
                   r->source->recording.path, between, (long long)r->steps.repeated,
                   (long long)r->steps.n_repeated);
    r->source->recording.host->warn(r->source->recording.host, line);
  }
  if (r->steps.skipped > 0) {
    (void)snprintf(line, sizeof line,
                   "%.300s%s%lld: %.0f steps before this one are missing (the first such place); "
                   "plastfit goes on as if "
                   "they had not been",
                   r->source->recording.path, between, (long long)r->steps.skipped,
                   r->steps.skipped_by);
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
  table_rows_end(&r->rows);
}

static pf_status table_read_rows(table_reading *r, pf_error *error)
{
  int got = 0;
  pf_status status = table_rows_next(&r->rows, &got, error);
  while (status == PF_OK && got) {
    status = table_take_row(r, error);
    if (status == PF_OK) {
      status = table_rows_next(&r->rows, &got, error);
    }
  }
  return status == PF_OK ? table_finish(r, error) : status;
}

pf_status table_read(const void *self, const pf_sink *sink, pf_error *error)
{
  const table *source = self;
  const pf_host *host = source->recording.host;
  table_reading r = {.source = source, .sink = sink};
  r.rows = (table_rows){.files = &source->columns.files, .host = host};
  pf_status status = table_steps_make(&source->recording, &source->columns, &r.steps, error);
  if (status == PF_OK) {
    status = table_read_rows(&r, error);
  }
  if (status == PF_OK) {
    table_warn_of_rows(&r);
    status =
        table_files_note(host, &source->columns.files, error); /* of a file that could be read */
  }
  table_end_reading(&r);
  return status;
}
