/* What a file of recordings looks like, column by column, and what each column is probably: for
 * `plastfit new config`. */
#ifndef PLASTFIT_CORE_DATA_LOOK_TABLE_LOOK_H
#define PLASTFIT_CORE_DATA_LOOK_TABLE_LOOK_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

enum { LOOK_MOST_VALUES = 12, LOOK_LONGEST_VALUE = 40, LOOK_MOST_INPUTS = 40, LOOK_NAME = 160 };

/** Can an array be read beside the others: not, as it is, with rows and columns exchanged? */
enum look_fit { LOOK_UNFIT, LOOK_FITS, LOOK_TURNED };

/** What a column looks like. */
typedef struct look_column {
  char name[LOOK_NAME];
  int64_t n, n_missing, n_numbers;
  double lowest, highest;
  bool whole;        /* numbers are whole */
  int64_t n_logical; /* TRUE and FALSE */
  char values[LOOK_MOST_VALUES][LOOK_LONGEST_VALUE];
  size_t n_values; /* LOOK_MOST_VALUES + 1: more */
  /* of arrays */
  int64_t rows, width;
  int n_dims;
  enum look_fit fit;
  double *numbers; /* [rows][width], or NULL */
  char why[300];   /* "", or why it cannot be used */
} look_column;

/** What a column is used as. */
enum look_role { ANIMAL, SESSION, BLOCK, TRIAL, CHOICE, REWARD, N_ROLES };
extern const char *const look_role_keys[N_ROLES];

typedef struct table_look {
  const char *path; /* as given: a file, or a pattern */
  char first[1000]; /* the file that is looked at */
  size_t n_files;
  char stem[80];
  char plugin[64]; /* the source that reads it */
  char group[32];  /* "columns", "arrays": the options that name them */
  char word[32];
  char steps[LOOK_NAME]; /* of NWB: what a step is, "" by default */
  bool is_arrays;
  bool by_animal;     /* a row is an animal, a column a trial */
  bool is_matrix;     /* of text, likewise */
  char rewards[1000]; /* of matrices of text: the file of the rewards, or "" */
  look_column *columns;
  size_t n, capacity;
  int64_t n_rows;
  bool headerless;
  int64_t role[N_ROLES]; /* column, or -1 */
  int64_t n_paid[2],
      n_choice[2];     /* rewards that are there, steps: at the lowest choice, at others */
  bool paid_rejected;  /* one that is not 0, at the lowest choice */
  bool trials_restart; /* within an animal, a session and a block */
  char last_key[300];  /* of the row before: these three */
  double last_trial;
} table_look;

/** What was decided, for the config. */
typedef struct look_plan {
  size_t inputs[LOOK_MOST_INPUTS];
  size_t n_inputs;
  int64_t n_input_units; /* of all of them */
  int64_t n_units;       /* recorded */
  int64_t activity;      /* the array of them, or -1: columns by their names */
  int64_t cue;           /* column that is split, or -1 */
  size_t n_options;      /* 0: no choices */
  bool has_missed_code;  /* choices of -1, 0 and 1: the first stands for a missed trial */
  bool has_odd_codes;    /* numbers that are not 0, 1, ...: they are listed in the config */
  bool go_no_go;
} look_plan;

/** A value of a column. */
void look_at_value(look_column *column, const char *text);
/** How the choice and the reward of a row go together. */
void look_at_pair(table_look *look, double choice, bool is_paid, double reward);
void look_free(table_look *look);

/** Read a table; `again`: only how choice and reward go together. */
pf_status look_at_text(table_look *look, bool again, pf_error *error);
/** Ask the source that reads such files for its arrays. */
pf_status look_at_arrays(table_look *look, pf_error *error);

/** Fill `role`, and `fit` of arrays. */
void look_guess_roles(table_look *look);
look_plan look_make_plan(const table_look *look);
bool look_is_number(const look_column *c);
bool look_is_logical(const look_column *c);
bool look_is_used(const table_look *look, size_t index);
/** A column of recorded units, by its name? */
bool look_is_unit(const table_look *look, size_t index);
/** Is it a matrix of choices or rewards: many columns, the same few whole numbers in all? */
bool look_is_matrix(const table_look *look);

#endif
