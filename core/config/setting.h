/*
 * Settings: a key of the config, and the field that its value goes to, in one row.
 *
 * One table of rows checks what a config says (it is a table of options, pf_view_create), fills a
 * struct (pf_settings_read), documents (`plastfit describe`) and frees what the struct owns:
 *
 *     #define PF_ROW_STRUCT pf_adam_settings
 *     static const pf_setting rows[] = {
 *         PF_ROW_REAL(rate, "fit.rate", "1e-3", "1", 0, INFINITY, "step size"),
 *         PF_ROW_CHOICE(per, "fit.per", "\"animal\"", "animal|shared", "a theta for each, or one"),
 *     };
 *
 * The C type of a field is checked when the table is compiled.
 */
#ifndef PLASTFIT_CORE_CONFIG_SETTING_H
#define PLASTFIT_CORE_CONFIG_SETTING_H

#include "core/config/config.h"

#include <stddef.h>

typedef struct pf_setting {
  pf_option option; /**< first, so that a table of settings is a table of options by its stride */
  size_t offset;    /**< of the field in its struct; PF_NO_FIELD: checked and documented only */
  bool is_choice;   /**< the field is the number of the word among option.choices */
} pf_setting;
#define PF_NO_FIELD SIZE_MAX

/** Numbers of a list. */
typedef struct pf_numbers {
  double *items;
  size_t n;
} pf_numbers;

/* Rows. `fallback` is the default in the config's syntax; NULL: none, and where the key is absent
 * the field keeps what it had. A range includes its ends. */
#define PF_ROW_FIELD(field, type) \
  .offset = _Generic(((PF_ROW_STRUCT *)0)->field, type : offsetof(PF_ROW_STRUCT, field))
#define PF_ROW(kind, path, ...) .option = {.name = path, .type = PF_TYPE_##kind, __VA_ARGS__}
#define PF_ROW_BOOL(field, path, fallback_, help_)                                      \
  {                                                                                     \
    PF_ROW(BOOL, path, .fallback = fallback_, .help = help_), PF_ROW_FIELD(field, bool) \
  }
#define PF_ROW_NUMBER(kind, path, fallback_, unit_, lower_, upper_, help_)                   \
  PF_ROW(kind, path, .fallback = fallback_, .unit = unit_, .lower = lower_, .upper = upper_, \
         .help = help_)
/** Field: int64_t or uint64_t. */
#define PF_ROW_INTEGER(field, path, fallback, unit, lower, upper, help) \
  {                                                                     \
    PF_ROW_NUMBER(INTEGER, path, fallback, unit, lower, upper, help),   \
        .offset = _Generic(((PF_ROW_STRUCT *)0)->field, int64_t         \
                           : offsetof(PF_ROW_STRUCT, field), uint64_t   \
                           : offsetof(PF_ROW_STRUCT, field))            \
  }
/** Field: double. */
#define PF_ROW_REAL(field, path, fallback, unit, lower, upper, help)                           \
  {                                                                                            \
    PF_ROW_NUMBER(REAL, path, fallback, unit, lower, upper, help), PF_ROW_FIELD(field, double) \
  }
/** Field: pf_numbers. */
#define PF_ROW_REALS(field, path, fallback, unit, lower, upper, help) \
  {                                                                   \
    PF_ROW_NUMBER(REALS, path, fallback, unit, lower, upper, help),   \
        PF_ROW_FIELD(field, pf_numbers)                               \
  }
/** Field: char *, the struct's own. */
#define PF_ROW_TEXT(field, path, fallback_, help_)                                          \
  {                                                                                         \
    PF_ROW(STRING, path, .fallback = fallback_, .help = help_), PF_ROW_FIELD(field, char *) \
  }
#define PF_ROW_PATH(field, path, help_)                            \
  {                                                                \
    PF_ROW(PATH, path, .help = help_), PF_ROW_FIELD(field, char *) \
  }
/** A text that the config must have. */
#define PF_ROW_NEEDED(field, path, help_)                                           \
  {                                                                                 \
    PF_ROW(STRING, path, .required = 1, .help = help_), PF_ROW_FIELD(field, char *) \
  }
/** Field: pf_names, the struct's own. */
#define PF_ROW_TEXTS(field, path, fallback_, help_)                                            \
  {                                                                                            \
    PF_ROW(STRINGS, path, .fallback = fallback_, .help = help_), PF_ROW_FIELD(field, pf_names) \
  }
/** Field: uint32_t, the number of the word among "first|second|third". */
#define PF_ROW_CHOICE(field, path, fallback_, choices_, help_)                       \
  {                                                                                  \
    PF_ROW(STRING, path, .fallback = fallback_, .choices = choices_, .help = help_), \
        PF_ROW_FIELD(field, uint32_t), .is_choice = true                             \
  }
/** One of the same words as a text of the struct's own. */
#define PF_ROW_WORD(field, path, fallback_, choices_, help_)                         \
  {                                                                                  \
    PF_ROW(STRING, path, .fallback = fallback_, .choices = choices_, .help = help_), \
        PF_ROW_FIELD(field, char *)                                                  \
  }
#define PF_ROWS(rows) \
  ((pf_option_table){&(rows)[0].option, sizeof(rows) / sizeof(rows)[0], sizeof(rows)[0]})

/**
 * Puts what `options` has into the struct `out`, by the rows of `table` whose names hold no "[]".
 * Texts are copies, to be freed with pf_settings_clear, also after a failure (no memory).
 */
pf_status pf_settings_read(pf_option_table table, const pf_options *options, void *out,
                           pf_error *error);
/** The same of element i of a list of groups: by the rows "list[].key". */
pf_status pf_settings_read_element(pf_option_table table, const char *list, int64_t i,
                                   const pf_options *options, void *out, pf_error *error);
/** Frees what the rows gave to a struct. `list` NULL: of pf_settings_read. */
void pf_settings_clear(pf_option_table table, const char *list, void *of);
/** The rows of several tables in one, to be freed with pf_memory_free((void *)out->items). */
pf_status pf_settings_join(const pf_option_table *tables, size_t n, pf_option_table *out,
                           pf_error *error);
/** The number of `word` among "first|second|third"; as many as there are: it is none of them. */
uint32_t pf_choice_number(const char *choices, const char *word);

#endif
