/*
 * Which variable of a recording is what: the options held against the names there are. A variable
 * is what has a name and values a step: a column of a table, an array of a file.
 */
#ifndef PLASTFIT_PLUGINS_SOURCES_ROLES_H
#define PLASTFIT_PLUGINS_SOURCES_ROLES_H

#include <plastfit/abi/options.h>

/** What a variable is used as. */
enum role_use {
  ROLE_NAME,   /**< a name a step, or one for all */
  ROLE_LENGTH, /**< a number a step, or one for all */
  ROLE_NUMBER, /**< a number a step */
  ROLE_NUMBERS /**< one or more numbers a step */
};

/**
 * Roles that one variable has at most, the one list of them: a row each, and a row is all that a
 * new one needs. X(prefix, word, its name, its usual name, its use, is it given on as a channel,
 * what help says behind `word`).
 */
#define EACH_ROLE(X, prefix_, word_)                                                              \
  X(prefix_, word_, ANIMAL, "animal", ROLE_NAME, 0, " of the animal's name")                      \
  X(prefix_, word_, SESSION, "session", ROLE_NAME, 0, " of the session")                          \
  X(prefix_, word_, EXPERIMENT, "experiment", ROLE_NAME, 0,                                       \
    " of the experiment, an uninterrupted run of steps")                                          \
  X(prefix_, word_, BLOCK, "block", ROLE_NUMBER, 0, " of the block, from 0")                      \
  X(prefix_, word_, TRIAL, "trial", ROLE_NUMBER, 0, " of the trial, from 0, not decreasing")      \
  X(prefix_, word_, STEP, "step", ROLE_NUMBER, 0,                                                 \
    " of the step, counted in the experiment or in the trial; checked, not needed")               \
  X(prefix_, word_, DT, "dt", ROLE_LENGTH, 0, " of the step's length, ms")                        \
  X(prefix_, word_, REWARD, "reward", ROLE_NUMBER, 1, " of the reward; missing: none could come") \
  X(prefix_, word_, GAP, "gap", ROLE_NUMBER, 1,                                                   \
    " of the time before the step, ms; given on as channel gap")                                  \
  X(prefix_, word_, CHOICE, "choice", ROLE_NUMBER, 0,                                             \
    " of the choice: 1 accepted, 0 rejected; among K: 0 to K - 1, 1 to K, or names")              \
  X(prefix_, word_, PLASTIC, "plastic", ROLE_NUMBER, 0,                                           \
    " that says whether weights change after the step: 1 or 0")

#define ROLE_ID(prefix_, word_, id_, key_, use_, channel_, what_) ROLE_##id_,
enum { EACH_ROLE(ROLE_ID, , ) ROLE_N_SINGLE };

/** A role's option under a prefix. */
#define ROLE_KEY(prefix_, word_, id_, key_, use_, channel_, what_) [ROLE_##id_] = prefix_ key_,

/** Where weights change: at every step, at accepts, where a choice was observed, as a variable
 * says.
 */
enum role_plastic { ROLE_ALWAYS, ROLE_ACCEPTS, ROLE_CHOSEN, ROLE_SAID };

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

/** The keys under `prefix_` that every source has. */
#define ROLE_KEYS(prefix_)                                                  \
  .single = {EACH_ROLE(ROLE_KEY, prefix_, "")}, .inputs = prefix_ "inputs", \
  .activities = prefix_ "activities", .channels = prefix_ "channels"

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
