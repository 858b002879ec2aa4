/*
 * Arrays that cross the boundary, each between two pages that may not be touched, so that a plugin
 * that reads or writes outside of one is stopped at that instruction. An array lies flush with its
 * last page's end, or its first page's start: both are tried. It is exactly as long as the ABI
 * says: nothing follows the last cell of the last row.
 */
#ifndef PLASTFIT_CORE_CONFORMANCE_GUARDED_ARRAY_H
#define PLASTFIT_CORE_CONFORMANCE_GUARDED_ARRAY_H

#include <plastfit/abi/parameters.h>
#include <stdbool.h>

enum cf_type { CF_REAL, CF_DOUBLE, CF_INT64, CF_BYTE };

/** Along which axis of an array the units (rows of a projection) or the steps of a call run, if
 * along any. */
enum cf_axis { CF_NOWHERE, CF_DOWN, CF_ALONG };

/** copies x planes x rows x columns; rows `ld` cells apart, planes `stride`, copies `copy_stride`.
 */
typedef struct cf_array {
  const char *name;                     /**< as the ABI calls it */
  const pf_parameter_table *parameters; /**< whose values the columns are, or NULL */
  enum cf_type type;
  int64_t copies, planes, rows, columns;
  int64_t ld, stride, copy_stride;
  enum cf_axis units, steps;
  char *cells;
  char *map; /**< with the two forbidden pages */
  size_t map_bytes, bytes;
} cf_array;

/** Allocates cells, all 0; dimensions, strides and type are set. `at_end`: flush with the end. Dies
 * without memory. */
void cf_array_allocate(cf_array *array, bool at_end);
void cf_array_free(cf_array *array);

/** Number of cells without padding; 0 of an array that was left out. */
int64_t cf_count(const cf_array *array);
/** Cell k of those, in the order of the dimensions. */
double cf_get(const cf_array *array, int64_t k);
/** Rounded to the type of the array. */
void cf_set(const cf_array *array, int64_t k, double value);
size_t cf_cell_bytes(enum cf_type type);
/** "w[2][3]" */
const char *cf_name(const cf_array *array, int64_t k, char *text, size_t capacity);

/** Every byte of the array (padding too) becomes a pattern that no computation gives: a NaN with a
 * payload. */
void cf_fill_unwritten(const cf_array *array);
/** Does cell k have that pattern still? */
bool cf_is_unwritten(const cf_array *array, int64_t k);
/** Every cell between the rows becomes `value` (of reals and doubles). */
void cf_fill_padding(const cf_array *array, double value);
/** Is every cell between the rows as cf_fill_padding(value) left it? Otherwise *where, in cells
 * from the first. */
bool cf_padding_is(const cf_array *array, double value, int64_t *where);

/** Bytes of all cells, padding too, for comparisons of bits; the caller frees. */
char *cf_copy_bytes(const cf_array *array);

#endif
