/* Which column of a table is what: the options held against the header. */
#ifndef PLASTFIT_PLUGINS_TABLE_COLUMNS_H
#define PLASTFIT_PLUGINS_TABLE_COLUMNS_H

#include <plastfit/abi/options.h>

/** Columns of which there is at most one. */
enum {
  TABLE_ANIMAL,
  TABLE_SESSION,
  TABLE_EXPERIMENT,
  TABLE_BLOCK,
  TABLE_TRIAL,
  TABLE_STEP,
  TABLE_DT,
  TABLE_GAP,
  TABLE_REWARD,
  TABLE_CHOICE,
  TABLE_PLASTIC,
  TABLE_N_SINGLE
};

/** "animal", "session", ...: what each is called unless the config says otherwise, and its key under `columns`. */
extern const char *const table_single_names[TABLE_N_SINGLE];

/** Where weights change. */
enum table_plastic { TABLE_ALWAYS, TABLE_ACCEPTS, TABLE_COLUMN };

/** A group of columns under one name: a target, or a channel (n = 1). */
typedef struct table_group {
  char *name;
  size_t *columns; /**< [n] indices into the header */
  size_t n;
} table_group;

typedef struct table_columns {
  char **header; /**< [width] */
  size_t width;
  int64_t single[TABLE_N_SINGLE]; /**< index, or -1 */
  table_group inputs;
  table_group *channels; /**< [n_channels], "reward" first where there is one */
  size_t n_channels;
  table_group *targets; /**< [n_targets], "choice" first where there is one */
  size_t n_targets;
  enum table_plastic plastic;
} table_columns;

/**
 * Read the header of `path`, and its first row to tell numbers from text, and settle what each column is. Errors: what
 * pf_csv_open finds, a header alone, two columns of one name, a column that the options name and the table lacks (with
 * the nearest), no input.
 */
pf_status table_find_columns(const pf_host *host, const char *path, const pf_options *options, table_columns *out,
                             pf_error *error);
void table_free_columns(const pf_host *host, table_columns *columns);

#endif
