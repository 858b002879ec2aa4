/*
 * Which variable of a recording is what: the options held against the names there are. A variable
 * is what has a name and values a step: a column of a table, an array of a file.
 */
#ifndef PLASTFIT_PLUGINS_SOURCES_ROLES_H
#define PLASTFIT_PLUGINS_SOURCES_ROLES_H

#include <plastfit/abi/options.h>

/** Variables of which there is at most one. */
enum {
  ROLE_ANIMAL,
  ROLE_SESSION,
  ROLE_EXPERIMENT,
  ROLE_BLOCK,
  ROLE_TRIAL,
  ROLE_DT,
  ROLE_GAP,
  ROLE_REWARD,
  ROLE_CHOICE,
  ROLE_PLASTIC,
  ROLE_STEP,
  ROLE_N_SINGLE
};

/** Where weights change: at every step, at accepts, where a choice was observed, as a variable
 * says.
 */
enum role_plastic { ROLE_ALWAYS, ROLE_ACCEPTS, ROLE_CHOSEN, ROLE_SAID };

/** What a variable is used as. */
enum role_use {
  ROLE_NAME,   /**< a name a step, or one for all */
  ROLE_LENGTH, /**< a number a step, or one for all */
  ROLE_NUMBER, /**< a number a step */
  ROLE_NUMBERS /**< one or more numbers a step */
};

/** Variables side by side: the inputs, a target, a channel (one variable of width 1). */
typedef struct role_group {
  size_t *variables; /**< [n] indices */
  size_t n;
  int64_t width; /**< numbers a step of all of them together */
  size_t one;    /**< the index of a group of one, which needs no memory of its own */
} role_group;

/** Texts of many names, in pieces: a million names are not a million pieces of memory. */
typedef struct role_text {
  struct role_text *before;
  size_t used, size;
  char bytes[];
} role_text;

typedef struct role_groups {
  role_group *items;  /**< [n] */
  const char **names; /**< [n] */
  size_t n;
  role_text *text; /**< what the names point into */
} role_groups;

typedef struct roles {
  int64_t single[ROLE_N_SINGLE]; /**< index, or -1 */
  role_group inputs;
  role_groups channels; /**< "reward" first where there is one, then "gap" */
  role_groups targets;  /**< "choice" first where there is one */
  enum role_plastic plastic;
} roles;

/** What a kind of recording has, and how its source speaks of it. Keys are options as declared;
 * texts are static. */
typedef struct role_variables {
  const char *word;  /**< "column": so `plastic` says it, and targets[] has its list of "columns" */
  const char *where; /**< behind the path in messages: ":1" */
  const char *has;   /**< "the header has" */
  const char *single[ROLE_N_SINGLE]; /**< "columns.animal", ...; NULL: there is no such role */
  const char *inputs, *activities, *channels, *targets;
  const char *const
      *usual_inputs; /**< names that are tried in turn, ended by NULL; "x#" is x1, x2, ... */
  const char *const *usual_activities;
  const char *no_inputs, *no_activities; /**< that there are none of those, in words */
  int one_role; /**< what the options make one thing is not another one too because of its name */
  const char *(*name)(const void *self, size_t i);
  int (*may_be_channel)(const void *self, size_t i); /**< one that nobody named */
  /** Can it be used so? Sets *width, which is 1 before. NULL: any can. */
  pf_status (*use)(void *self, size_t i, enum role_use use, int64_t *width, pf_error *error);
  /** Is it one of those that `name` stands for together? `name` NULL: of any such name. MAY be
   * NULL.
   */
  int (*is_part_of)(const void *self, size_t i, const char *name);
  /** The choice is variable i. *several: its values are no accepts and rejects. MAY be NULL. */
  pf_status (*look_at_choice)(void *self, size_t i, int *several, pf_error *error);
} role_variables;

/** The option `kind`, which every source of recordings has. */
#define ROLE_KIND_OPTION                                                                         \
  {                                                                                              \
    .name = "kind", .type = PF_TYPE_STRING, .fallback = "\"auto\"",                              \
    .choices = "auto|go_no_go|choice|conditioning|activity|spikes",                              \
    .help = "what a row is: an offer to accept or reject, a choice between arms (a trial), a "   \
            "step of conditioning, of recorded activity, of spikes; auto: go_no_go where there " \
            "are choices of 0 and 1, choice where there are others, else activity"               \
  }

/** The keys under `prefix` that every source has. */
#define ROLE_KEYS(prefix)                                                             \
  .single = {prefix "animal", prefix "session", prefix "experiment", prefix "block",  \
             prefix "trial",  prefix "dt",      prefix "gap",        prefix "reward", \
             prefix "choice", prefix "plastic", prefix "step"},                       \
  .inputs = prefix "inputs", .activities = prefix "activities", .channels = prefix "channels"

/**
 * Settle what each of the `n` variables of `self`, read from `path`, is. Errors: one that the
 * options name and that is not there (with the nearest, or with what there is), what `use` says, no
 * inputs, nothing to predict.
 */
pf_status roles_find(const pf_host *host, const char *path, const role_variables *variables,
                     void *self, size_t n, const pf_options *options, roles *out, pf_error *error);
/** The same word, whatever its case? */
int roles_same_word(const char *a, const char *b);
void roles_free(const pf_host *host, roles *of);

#endif
