/* A source of recordings, whatever its files are: the ops, and the options that all have. */
#ifndef PLASTFIT_PLUGINS_SOURCES_EXPERIMENTS_H
#define PLASTFIT_PLUGINS_SOURCES_EXPERIMENTS_H

#include "columns.h"

/** What the name of each of several files is. */
enum table_file_is { FILE_IS_ANIMAL, FILE_IS_SESSION };

/** The object of such a source. */
typedef struct table {
  recording recording; /**< first: recording_declare */
  table_columns columns;
  enum table_file_is file_is;
} table;

/** The op `create` but for the kind. */
pf_status table_create(const pf_host *host, const pf_options *options, const table_kind *kind,
                       void **self, pf_error *error);
/** The ops `destroy` and `read`. */
void table_destroy(void *self);
pf_status table_read(const void *self, const pf_sink *sink, pf_error *error);

/** The op `list` of files of arrays, but for the format. */
pf_status table_list(const pf_host *host, const pf_options *options, const table_kind *kind,
                     const pf_column_sink *sink, pf_error *error);

/* ---- options; `word` is what a column is called: "column", "array" ---- */

#define TABLE_NAMED(prefix_, word_, key_, what_)                 \
  {                                                              \
    .name = prefix_ key_, .type = PF_TYPE_STRING,                \
    .help = word_ what_ "; default \"" key_ "\" if there is one" \
  }

#define ROLE_OPTION(prefix_, word_, id_, key_, use_, channel_, what_) \
  TABLE_NAMED(prefix_, word_, key_, what_),

/** What each column is, where they stand under `prefix_` ("columns."); a comma follows. */
#define TABLE_ROLE_OPTIONS(prefix_, word_)                                                       \
  EACH_ROLE(ROLE_OPTION, prefix_, word_){                                                        \
      .name = prefix_ "channels",                                                                \
      .type = PF_TYPE_STRINGS,                                                                   \
      .help =                                                                                    \
          word_ "s that are channels beside reward; default: every other one that has numbers"}, \
      {.name = "targets[].name",                                                                 \
       .type = PF_TYPE_STRING,                                                                   \
       .required = 1,                                                                            \
       .help = "a further target that a loss asks for"},                                         \
      {.name = "targets[]." word_ "s",                                                           \
       .type = PF_TYPE_STRINGS,                                                                  \
       .required = 1,                                                                            \
       .help = "its " word_ "s"},                                                                \
  {                                                                                              \
    .name = "plastic", .type = PF_TYPE_STRING, .choices = "always|accepts|chosen|" word_,        \
    .help = "steps after which weights change: all, accepts, those with a choice, as the " word_ \
            " plastic says; default: that " word_ ", else by kind (accepts, chosen, always)"     \
  }

/** How cells are read. */
#define TABLE_VALUE_OPTIONS(word_)                                                               \
  ROLE_KIND_OPTION,                                                                              \
      {.name = "files",                                                                          \
       .type = PF_TYPE_STRING,                                                                   \
       .choices = "animal|session",                                                              \
       .help = "what each of several files is; default: an animal where no " word_               \
               " names it, else a session where no " word_ " does"},                             \
      {.name = "values[]." word_,                                                                \
       .type = PF_TYPE_STRING,                                                                   \
       .required = 1,                                                                            \
       .help = "its cells are read as these numbers:"},                                          \
      {.name = "values[].from", .type = PF_TYPE_STRINGS, .help = "its cells"},                   \
      {.name = "values[].to",                                                                    \
       .type = PF_TYPE_REALS,                                                                    \
       .lower = -INFINITY,                                                                       \
       .upper = INFINITY,                                                                        \
       .help = "their numbers; default 0, 1, 2, ..."},                                           \
      {.name = "values[].missing",                                                               \
       .type = PF_TYPE_STRINGS,                                                                  \
       .help = "cells that stand for nothing, as a code of missed trials does"},                 \
      {.name = "one_hot",                                                                        \
       .type = PF_TYPE_STRINGS,                                                                  \
       .help = word_ "s that are an input for each of their values: 1 where it stands, else 0"}, \
  {                                                                                              \
    .name = "missing_inputs", .type = PF_TYPE_STRING, .fallback = "\"error\"",                   \
    .choices = "error|zero|hold|draw",                                                           \
    .help = "what an input that is missing is: an error, 0, as at the step before, or drawn "    \
            "anew in every draw, normal with the mean and sd that the input has where it was "   \
            "recorded in the same experiment"                                                    \
  }

/** Inputs and activities, and which names are tried where the config names none. */
#define TABLE_INPUT_OPTIONS(prefix_, word_, usual_inputs_, usual_activities_)                     \
  {.name = prefix_ "inputs",                                                                      \
   .type = PF_TYPE_STRINGS,                                                                       \
   .help =                                                                                        \
       word_ "s of the inputs, also \"roi*\", and \"1\" for a constant; default " usual_inputs_}, \
  {                                                                                               \
    .name = prefix_ "activities", .type = PF_TYPE_STRINGS,                                        \
    .help = word_ "s of the target activity; default " usual_activities_                          \
  }

/** Of files of arrays. */
#define TABLE_ARRAY_OPTIONS(word_)                                                                \
  {.name = "rows",                                                                                \
   .type = PF_TYPE_STRING,                                                                        \
   .fallback = "\"steps\"",                                                                       \
   .choices = "steps|animals",                                                                    \
   .help = "what a row of a matrix is: a step, its columns side by side; or an animal, a column " \
           "a trial (one column: the same in all)"},                                              \
      {.name = "transposed",                                                                      \
       .type = PF_TYPE_STRINGS,                                                                   \
       .help = word_ "s whose rows and columns are exchanged, as rois x frames is"},              \
  {                                                                                               \
    .name = "most_memory", .type = PF_TYPE_REAL, .fallback = "4096", .unit = "MiB", .lower = 1,   \
    .upper = 1e9,                                                                                 \
    .help = "most that what is used of a file may take when unpacked: a small file can claim to " \
            "hold anything"                                                                       \
  }

/** For readers of arrays of three dimensions. */
#define TABLE_AXES_OPTION(word_)                                                                \
  {                                                                                             \
    .name = "axes", .type = PF_TYPE_STRINGS,                                                    \
    .help = "what the dimensions of " word_ "s that have three are, in the order of the file: " \
            "\"trials\", \"steps\" and \"cells\". Steps of all trials then stand below one "    \
            "another, and trial says which is which"                                            \
  }

/** Names that are tried for inputs and activities in files of arrays. */
#define TABLE_ARRAY_NAMES                                                    \
  .usual_inputs = (const char *const[]){"inputs", "input", "x", "x#", NULL}, \
  .usual_activities = (const char *const[])                                  \
  {                                                                          \
    "activity", "activities", "y", "y#", NULL                                \
  }

/**
 * Options, variables and kind of a source `name_` of files of arrays, whose format `name_##_format`
 * stands. word_: what an array is called; no_activities_: behind what is said where there are none;
 * then options of its own, each with a comma behind it.
 */
#define TABLE_ARRAYS(name_, word_, path_help_, no_activities_, ...)                  \
  static const pf_option name_##_options[] = {                                       \
      {.name = "path", .type = PF_TYPE_PATH, .required = 1, .help = path_help_},     \
      __VA_ARGS__ TABLE_ARRAY_OPTIONS(word_),                                        \
      TABLE_VALUE_OPTIONS(word_),                                                    \
      TABLE_INPUT_OPTIONS(word_ "s.", word_, "inputs, input or x, else x1, x2, ...", \
                          "activity, activities or y, else y1, y2, ..."),            \
      TABLE_ROLE_OPTIONS(word_ "s.", word_),                                         \
  };                                                                                 \
  static const role_variables name_##_variables = {                                  \
      ROLE_KEYS(word_ "s."),                                                         \
      .targets = "targets[]." word_ "s",                                             \
      TABLE_ARRAY_NAMES,                                                             \
      .no_inputs = "no " word_ " inputs, input or x, and no x1, x2, ...",            \
      .no_activities = "no activity, y, or y1, y2, ..." no_activities_,              \
      .one_role = 1,                                                                 \
  };                                                                                 \
  static const table_kind name_##_kind = {.format = &name_##_format,                 \
                                          .variables = &name_##_variables};

/** The descriptor of a source `name_` of files of arrays, whose `name_##_kind` and options stand.
 */
#define TABLE_SOURCE(name_, summary_, ...)                                                     \
  static pf_status name_##_create(const pf_host *host, const pf_options *options, void **self, \
                                  pf_error *error)                                             \
  {                                                                                            \
    return table_create(host, options, &name_##_kind, self, error);                            \
  }                                                                                            \
  static pf_status name_##_list(const pf_host *host, const pf_options *options,                \
                                const pf_column_sink *sink, pf_error *error)                   \
  {                                                                                            \
    return table_list(host, options, &name_##_kind, sink, error);                              \
  }                                                                                            \
  static const pf_source_ops name_##_ops = {.size = sizeof(pf_source_ops),                     \
                                            .create = name_##_create,                          \
                                            .destroy = table_destroy,                          \
                                            .declare = recording_declare,                      \
                                            .read = table_read,                                \
                                            .list = name_##_list};                             \
  static const pf_plugin name_##_plugin = {PF_PLUGIN_HEAD(PF_KIND_SOURCE),                     \
                                           .name = #name_,                                     \
                                           .version = "1.0",                                   \
                                           .summary = summary_,                                \
                                           .aliases = __VA_ARGS__,                             \
                                           .options = PF_TABLE_OF(name_##_options),            \
                                           .source = &name_##_ops};                            \
  PF_PLUGIN_ENTRY(name_)                                                                       \
  {                                                                                            \
    return &name_##_plugin;                                                                    \
  }

#endif
