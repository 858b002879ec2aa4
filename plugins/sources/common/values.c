#include "values.h"

static pf_status no_memory(pf_error *error)
{
  return pf_fail(error, PF_STOP, "out of memory for the values of a column");
}

/** Is the cell the text, or the same number? */
static int is_same_cell(const char *cell, const char *text)
{
  double a = 0.0, b = 0.0;
  return strcmp(cell, text) == 0 || (pf_csv_number(cell, &a) && pf_csv_number(text, &b) && a == b);
}

static int is_missing(const table_map *map, const char *text)
{
  for (size_t k = 0; k < map->n_missing; k++) {
    if (is_same_cell(text, map->missing[k])) {
      return 1;
    }
  }
  return 0;
}

int table_value(const table_map *map, const char *text, double *value)
{
  if (is_missing(map, text)) {
    *value = (double)NAN;
    return 1;
  }
  for (size_t k = 0; k < map->n; k++) {
    if (strcmp(map->from[k], text) == 0) {
      *value = map->to[k];
      return 1;
    }
  }
  if (!pf_csv_number(text, value)) {
    *value = pf_csv_same_word(text, "true") ? 1.0 : 0.0;
    return map->n == 0 && (pf_csv_same_word(text, "true") || pf_csv_same_word(text, "false"));
  }
  if (map->n == 0 || isnan(*value)) {
    return 1;
  }
  for (size_t k = 0; k < map->n; k++) { /* 1.0 is 1 */
    double from = 0.0;
    if (pf_csv_number(map->from[k], &from) && from == *value) {
      *value = map->to[k];
      return 1;
    }
  }
  return 0;
}

/** The numbers of texts; what stands for nothing stays. */
static void forget_texts(const pf_host *host, table_map *map)
{
  for (size_t k = 0; k < map->n; k++) {
    host->release(host, map->from[k]);
  }
  host->release(host, map->from);
  host->release(host, map->to);
  map->from = NULL;
  map->to = NULL;
  map->n = 0;
}

/* ---- making one ---- */

static pf_status add_value(const pf_host *host, table_map *map, const char *text, double to,
                           pf_error *error)
{
  if (map->from == NULL) {
    map->from = host->allocate(host, TABLE_MOST_VALUES * sizeof *map->from);
    map->to = host->allocate(host, TABLE_MOST_VALUES * sizeof *map->to);
  }
  char *copy = host->allocate(host, strlen(text) + 1);
  if (copy == NULL || map->from == NULL || map->to == NULL) {
    host->release(host, copy);
    return no_memory(error);
  }
  memcpy(copy, text, strlen(text) + 1);
  map->from[map->n] = copy;
  map->to[map->n++] = to;
  return PF_OK;
}

static pf_status take_missing(const pf_host *host, const pf_options *options, int64_t i,
                              table_map *out, pf_error *error)
{
  char key[64];
  (void)snprintf(key, sizeof key, "values[%lld].missing", (long long)i);
  const int64_t n = options->length(options, key);
  if (n == 0) {
    return PF_OK;
  }
  out->missing = host->allocate(host, (size_t)n * sizeof *out->missing);
  if (out->missing == NULL) {
    return no_memory(error);
  }
  for (int64_t k = 0; k < n; k++) {
    const char *text = options->string_at(options, key, k);
    out->missing[k] = container_text(host, text, strlen(text));
    if (out->missing[k] == NULL) {
      return no_memory(error);
    }
    out->n_missing++;
  }
  return PF_OK;
}

pf_status table_map_given(const pf_host *host, const pf_options *options, int64_t i, table_map *out,
                          pf_error *error)
{
  char from[64], to[64];
  (void)snprintf(from, sizeof from, "values[%lld].from", (long long)i);
  (void)snprintf(to, sizeof to, "values[%lld].to", (long long)i);
  const int64_t n = options->length(options, from), n_to = options->length(options, to);
  const pf_status status = take_missing(host, options, i, out, error);
  if (status != PF_OK) {
    return status;
  }
  if ((n == 0 && out->n_missing == 0) || n > TABLE_MOST_VALUES ||
      (options->present(options, to) && n_to != n)) {
    return pf_fail_key(
        error, PF_STOP, "values[].to",
        "found %lld values and %lld numbers, expected a number for each (or no `to`: "
        "0, 1, 2, ...), at most %d",
        (long long)n, (long long)n_to, TABLE_MOST_VALUES);
  }
  for (int64_t k = 0; k < n; k++) {
    const double number = n_to > 0 ? options->real_at(options, to, k) : (double)k;
    if (add_value(host, out, options->string_at(options, from, k), number, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Where a text stands or would stand: numbers by size, before texts. */
static int compare_texts(const char *a, const char *b)
{
  double x = 0.0, y = 0.0;
  const int a_is = pf_csv_number(a, &x), b_is = pf_csv_number(b, &y);
  if (a_is && b_is) {
    return (x > y) - (x < y);
  }
  return a_is != b_is ? b_is - a_is : strcmp(a, b);
}

static pf_status add_in_order(const pf_host *host, table_map *map, const char *text, int *too_many,
                              pf_error *error)
{
  double value = 0.0;
  if (is_missing(map, text) || (pf_csv_number(text, &value) && isnan(value))) {
    return PF_OK;
  }
  size_t at = map->n;
  while (at > 0 && compare_texts(text, map->from[at - 1]) < 0) {
    at--;
  }
  if (at > 0 && compare_texts(text, map->from[at - 1]) == 0) {
    return PF_OK;
  }
  if (map->n == TABLE_MOST_VALUES) {
    *too_many = 1;
    return PF_OK;
  }
  if (add_value(host, map, text, (double)map->n, error) != PF_OK) {
    return PF_STOP;
  }
  char *added = map->from[map->n - 1];
  memmove(&map->from[at + 1], &map->from[at], (map->n - 1 - at) * sizeof *map->from);
  map->from[at] = added;
  return PF_OK;
}

pf_status table_map_found(const pf_host *host, const table_files *files, size_t column,
                          table_map *out, int *too_many, pf_error *error)
{
  table_rows rows = {.files = files, .host = host, .only = column + 1};
  int got = 0;
  *too_many = 0;
  pf_status status = table_rows_next(&rows, &got, error);
  while (status == PF_OK && got && !*too_many) {
    status = add_in_order(host, out, table_cell(&rows, column), too_many, error);
    if (status == PF_OK) {
      status = table_rows_next(&rows, &got, error);
    }
  }
  table_rows_end(&rows);
  if (*too_many) {
    forget_texts(host, out);
  }
  return status;
}

/* ---- choices ---- */

/** -1 and 1, or 1 to K, but not 0: the number that is 0. */
static int starts_above_zero(const table_map *map)
{
  double first = 0.0;
  for (size_t k = 0; k < map->n; k++) {
    double value = 0.0;
    if (!pf_csv_number(map->from[k], &value) || floor(value) != value || value == 0.0 ||
        (value < 0.0 && (value != -1.0 || map->n != 2))) {
      return 0;
    }
    first = k == 0 ? value : first;
    if (k > 0 && first == -1.0 && value != 1.0) {
      return 0;
    }
    map->to[k] = first == -1.0 ? (double)k : value - 1.0;
  }
  return map->n > 1;
}

void table_map_choice(const pf_host *host, table_map *found, int *several)
{
  size_t n_texts = 0, n_logical = 0;
  double largest = 0.0;
  for (size_t k = 0; k < found->n; k++) {
    double value = 0.0;
    const char *text = found->from[k];
    if (pf_csv_number(text, &value)) {
      largest = value > largest ? value : largest;
      continue;
    }
    n_texts++;
    n_logical += (size_t)(pf_csv_same_word(text, "true") || pf_csv_same_word(text, "false"));
  }
  *several = largest > 1.0;
  const int are_texts = n_texts == found->n && n_texts > 0 && n_texts <= 16;
  if (n_logical > 0 || (!are_texts && !starts_above_zero(found))) {
    forget_texts(host, found);
    return;
  }
  *several = 1;
}

void table_map_print(const table_map *map, char *text, size_t capacity)
{
  size_t used = 0;
  for (size_t k = 0; k < map->n && used < capacity; k++) {
    used += (size_t)snprintf(text + used, capacity - used, "%s%.40s is %g", k > 0 ? ", " : "",
                             map->from[k], map->to[k]);
  }
}

void table_map_free(const pf_host *host, table_map *map)
{
  forget_texts(host, map);
  for (size_t k = 0; k < map->n_missing; k++) {
    host->release(host, map->missing[k]);
  }
  host->release(host, map->missing);
  *map = (table_map){0};
}
