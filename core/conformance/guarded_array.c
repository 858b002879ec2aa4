#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "core/conformance/guarded_array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Quiet NaNs that no arithmetic of ours or theirs makes. */
static const uint64_t unwritten_double = 0x7FF8C0FFEE5AFE11u;
static const uint32_t unwritten_float = 0x7FCAFE11u;
static const int64_t unwritten_int = INT64_C(-6148914691236517206);

size_t cf_cell_bytes(enum cf_type type)
{
  if (type == CF_REAL) {
    return sizeof(pf_real);
  }
  return type == CF_BYTE ? 1 : 8;
}

int64_t cf_count(const cf_array *array)
{
  return array->copies * array->planes * array->rows * array->columns;
}

/** Cells from the first to the last, padding between them included. */
static int64_t count_extent(const cf_array *array)
{
  if (cf_count(array) == 0) {
    return 0;
  }
  return (array->copies - 1) * array->copy_stride + (array->planes - 1) * array->stride +
         (array->rows - 1) * array->ld + array->columns;
}

void cf_array_allocate(cf_array *array, bool at_end)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  array->bytes = (size_t)count_extent(array) * cf_cell_bytes(array->type);
  const size_t inner = (array->bytes + page - 1) / page * page;
  array->map_bytes = inner + 2 * page;
  array->map =
      mmap(NULL, array->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (array->map == MAP_FAILED || mprotect(array->map, page, PROT_NONE) != 0 ||
      mprotect(array->map + page + inner, page, PROT_NONE) != 0) {
    (void)fputs("plastfit: out of memory for the arrays of a check\n", stderr);
    _exit(99); /* only ever in a child; its parent says that the check could not be done */
  }
  array->cells = at_end ? array->map + page + inner - array->bytes : array->map + page;
}

void cf_array_free(cf_array *array)
{
  if (array->map != NULL) {
    (void)munmap(array->map, array->map_bytes);
  }
  memset(array, 0, sizeof *array);
}

/** Where cell k is: copy, plane, row, column. */
typedef struct place {
  int64_t at[4];
} place;

static place place_of(const cf_array *array, int64_t k)
{
  const int64_t sizes[4] = {array->copies, array->planes, array->rows, array->columns};
  place out;
  for (int d = 3; d >= 0; d--) {
    out.at[d] = k % sizes[d];
    k /= sizes[d];
  }
  return out;
}

/** How many cells from the first cell k lies. */
static int64_t offset_of(const cf_array *array, int64_t k)
{
  const place p = place_of(array, k);
  return p.at[0] * array->copy_stride + p.at[1] * array->stride + p.at[2] * array->ld + p.at[3];
}

static double cell_get(const cf_array *array, int64_t offset)
{
  const char *at = array->cells + (size_t)offset * cf_cell_bytes(array->type);
  switch (array->type) {
  case CF_REAL:
    return (double)*(const pf_real *)(const void *)at;
  case CF_DOUBLE:
    return *(const double *)(const void *)at;
  case CF_INT64:
    return (double)*(const int64_t *)(const void *)at;
  case CF_BYTE:
    break;
  }
  return (double)*(const unsigned char *)at;
}

static void cell_set(const cf_array *array, int64_t offset, double value)
{
  char *at = array->cells + (size_t)offset * cf_cell_bytes(array->type);
  switch (array->type) {
  case CF_REAL:
    *(pf_real *)(void *)at = (pf_real)value;
    break;
  case CF_DOUBLE:
    *(double *)(void *)at = value;
    break;
  case CF_INT64:
    *(int64_t *)(void *)at = (int64_t)value;
    break;
  case CF_BYTE:
    *(unsigned char *)at = (unsigned char)value;
    break;
  }
}

double cf_get(const cf_array *array, int64_t k)
{
  return cell_get(array, offset_of(array, k));
}

void cf_set(const cf_array *array, int64_t k, double value)
{
  cell_set(array, offset_of(array, k), value);
}

const char *cf_name(const cf_array *array, int64_t k, char *text, size_t capacity)
{
  const int64_t sizes[4] = {array->copies, array->planes, array->rows, 2 /* always shown */};
  const place p = place_of(array, k);
  const pf_parameter_table *table = array->parameters;
  const pf_parameter *parameter =
      table == NULL ? NULL
                    : pf_table_at(table->items, table->stride, table->count, (size_t)p.at[3]);
  size_t n = (size_t)snprintf(text, capacity, "%s", array->name);
  for (int d = 0; d < 4; d++) {
    if (sizes[d] > 1 && n < capacity) {
      n += (size_t)snprintf(text + n, capacity - n, "[%lld]", (long long)p.at[d]);
    }
  }
  if (parameter != NULL && n < capacity) {
    (void)snprintf(text + n, capacity - n, " (%s)", parameter->name);
  }
  return text;
}

static void unwritten_pattern(enum cf_type type, char *bytes)
{
  if (type == CF_INT64) {
    memcpy(bytes, &unwritten_int, sizeof unwritten_int);
  } else if (cf_cell_bytes(type) == sizeof(uint32_t)) {
    memcpy(bytes, &unwritten_float, sizeof unwritten_float);
  } else {
    memcpy(bytes, &unwritten_double, sizeof unwritten_double);
  }
}

void cf_fill_unwritten(const cf_array *array)
{
  char bytes[8];
  const size_t size = cf_cell_bytes(array->type);
  unwritten_pattern(array->type, bytes);
  for (size_t at = 0; at < array->bytes; at += size) {
    memcpy(array->cells + at, bytes, size);
  }
}

bool cf_is_unwritten(const cf_array *array, int64_t k)
{
  char bytes[8];
  const size_t size = cf_cell_bytes(array->type);
  unwritten_pattern(array->type, bytes);
  return memcmp(array->cells + (size_t)offset_of(array, k) * size, bytes, size) == 0;
}

/** The cells that are not padding, one byte each; the caller frees. */
static char *used_cells(const cf_array *array)
{
  const int64_t n = count_extent(array);
  char *used = calloc((size_t)n + 1, 1);
  if (used == NULL) {
    _exit(99);
  }
  const int64_t count = cf_count(array);
  for (int64_t k = 0; k < count; k++) {
    used[offset_of(array, k)] = 1;
  }
  return used;
}

void cf_fill_padding(const cf_array *array, double value)
{
  if (count_extent(array) == cf_count(array)) {
    return;
  }
  char *used = used_cells(array);
  for (int64_t at = 0; at < count_extent(array); at++) {
    if (!used[at]) {
      cell_set(array, at, value);
    }
  }
  free(used);
}

bool cf_padding_is(const cf_array *array, double value, int64_t *where)
{
  const int64_t n = count_extent(array);
  if (n == cf_count(array)) {
    return true;
  }
  char *used = used_cells(array);
  int64_t at = 0;
  while (at < n && (used[at] || cell_get(array, at) == value)) {
    at++;
  }
  free(used);
  *where = at;
  return at == n;
}

char *cf_copy_bytes(const cf_array *array)
{
  char *copy = malloc(array->bytes + 1);
  if (copy == NULL) {
    _exit(99);
  }
  if (array->bytes > 0) {
    memcpy(copy, array->cells, array->bytes);
  }
  return copy;
}
