/* Values of a column as numbers: what the config says, what a choice's codes look like, and the
 * values that a column is split into. */
#ifndef PLASTFIT_PLUGINS_SOURCES_VALUES_H
#define PLASTFIT_PLUGINS_SOURCES_VALUES_H

#include "rows.h"

/** Texts of a column, each with its number. n = 0: the cells are numbers. */
typedef struct table_map {
  char **from;
  double *to;
  size_t n;
  char **missing; /**< [n_missing] texts that stand for nothing */
  size_t n_missing;
} table_map;

enum { TABLE_MOST_VALUES = 256 };

/** The number of a cell, NaN where it is missing; 0: it has none. TRUE and FALSE are 1 and 0. */
int table_value(const table_map *map, const char *text, double *value);
/** As `values[i]` of the config says. */
pf_status table_map_given(const pf_host *host, const pf_options *options, int64_t i, table_map *out,
                          pf_error *error);
/**
 * The values that stand in a column of all files, in order (numbers by size, texts by letters), to
 * 0, 1, 2, ...; *too_many: there are more than TABLE_MOST_VALUES, and no map.
 */
pf_status table_map_found(const pf_host *host, const table_files *files, size_t column,
                          table_map *out, int *too_many, pf_error *error);
/**
 * Is `found` a choice's code other than 0, 1, ...: 1 to K, -1 and 1, texts? Then `to` is what they
 * are read as, otherwise the map is emptied. *several: the choice is no accept or reject.
 */
void table_map_choice(const pf_host *host, table_map *found, int *several);
void table_map_free(const pf_host *host, table_map *map);
/** "left is 0, right is 1" */
void table_map_print(const table_map *map, char *text, size_t capacity);

#endif
