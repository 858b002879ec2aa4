/*
 * The settings of a config as a tree of our own. libconfig parses the text
 * (core/config/libconfig.c); its own tree could hold neither where an override
 * came from, nor defaults, nor a change of type.
 *
 * Inside core/config only: everybody else sees an opaque pf_node.
 */
#ifndef PLASTFIT_CORE_CONFIG_NODE_H
#define PLASTFIT_CORE_CONFIG_NODE_H

#include "core/base/text.h"
#include "core/config/config.h"

#include <stdbool.h>

enum pf_node_type {
  PF_NODE_GROUP = 1,
  PF_NODE_LIST,  /**< ( ... ), elements of any type */
  PF_NODE_ARRAY, /**< [ ... ], scalars of one type */
  PF_NODE_BOOL,
  PF_NODE_INTEGER,
  PF_NODE_REAL,
  PF_NODE_STRING
};

typedef struct pf_node_table {
  pf_node **items;
  size_t count, capacity;
} pf_node_table;

struct pf_node {
  char *name; /**< NULL: an element of a list, or the root */
  pf_node *parent;
  enum pf_node_type type;
  int64_t integer; /**< of PF_NODE_INTEGER, PF_NODE_BOOL */
  double real;
  char *string;
  pf_node_table children;
  pf_node_table defaults; /**< of a group: what views filled in; only the writer shows them */
  /* where it came from */
  const char *file; /**< the config's; NULL: not from a file */
  unsigned line;
  const char *override; /**< the config's: "a.b=value"; NULL: not from the command line */
  const char *raw;      /**< inside `override`: the value as typed */
  char *replaced;       /**< the string in the file that an override replaced, or NULL */
  bool laid;            /**< it was laid over what the file said (pf_config_lay) */
  char *absolute;       /**< of a path option: what to write, so that it works from anywhere */
};

struct pf_config {
  char *file;   /**< as the user named it */
  char *folder; /**< where relative paths in the file start: "" or ending in '/' */
  pf_node *root;
  char **strings; /**< names of files and overrides, that nodes point to */
  size_t n_strings;
};

/** A new node, or NULL with the error line. `name` MAY be NULL. */
pf_node *pf_node_new(const char *name, enum pf_node_type type, pf_error *error);
void pf_node_free(pf_node *node);
/** Append to a table and take over; parent is set. On failure the child is the caller's still. */
pf_status pf_node_append(pf_node *parent, pf_node_table *table, pf_node *child, pf_error *error);
/** Take a child out of its parent, and free it. */
void pf_node_remove(pf_node *child);
/** Put `fresh` in the place of `old`, which is freed. */
void pf_node_replace(pf_node *old, pf_node *fresh);
/** Child by its own name (no path) in a table, or NULL. */
pf_node *pf_node_find(const pf_node_table *table, const char *name, size_t length);
/** Name as seen from the root: "losses.[0].weight"; "" for the root. Always ends with 0. */
void pf_node_path(const pf_node *node, char *text, size_t capacity);
/** The value as one would write it, cut to fit; a group is "a group". Always ends with 0. */
void pf_node_show(const pf_node *node, char *text, size_t capacity);
/** As pf_node_get, for those who may change it. */
pf_node *pf_node_lookup(pf_node *node, const char *path);
/** Mark a whole tree as coming from an override. */
void pf_node_from_override(pf_node *node, const char *override, const char *raw);

/** One step of a path: a name, or an index in brackets. Returns what follows, or NULL if malformed.
 */
typedef struct pf_path_step {
  const char *name;
  size_t length;
  int64_t index; /**< -1: it is a name */
} pf_path_step;
const char *pf_path_next(const char *path, pf_path_step *step);

/** Keep a string for as long as the config lives; NULL with the error line. Equal ones are kept
 * once. */
const char *pf_config_keep(pf_config *config, const char *string, pf_error *error);

/* ---- core/config/libconfig.c: the one file that includes libconfig.h ---- */

/** A parsing error as libconfig tells it. */
typedef struct pf_parse_error {
  char file[512]; /**< "" : the text itself */
  int line;
  char text[256];
} pf_parse_error;

/**
 * Parse text into a group of nodes (files and lines of those, `file` naming the text itself).
 * PF_POINT_FAILED: does not parse, *why says where and why, and the error line is not written;
 * PF_STOP: out of memory.
 */
pf_status pf_libconfig_parse(pf_config *config, const char *text, const char *file,
                             const char *include_folder, pf_node **out, pf_parse_error *why,
                             pf_error *error);

/**
 * Parse one value, as on the right of `x = `. PF_POINT_FAILED: is not one value in libconfig's
 * syntax; *why says so. The node has no name, and no place.
 */
pf_status pf_value_parse(pf_config *config, const char *text, pf_node **out, pf_parse_error *why,
                         pf_error *error);

/* ---- between the files of core/config ---- */

/** Read a whole file of text; the caller frees. Refuses what is no text, with one line. (read.c) */
pf_status pf_config_slurp(const char *path, char **text, pf_error *error);
/** Finds what libconfig would get wrong without a word: integers too large, includes that are no
 * files. `folder` NULL: a value of the command line, which has neither lines nor includes, nor a
 * `name`. PF_POINT_FAILED: a number too large, PF_STOP: anything else. (prescan.c) */
pf_status pf_config_prescan(const char *text, const char *name, const char *folder, int depth,
                            pf_error *error);
/** The option of that exact name, or NULL. (options.c) */
const pf_option *pf_option_named(pf_option_table table, const char *name, size_t length);
/** One line if the value does not suit the option: type, range, choices. (options.c) */
pf_status pf_option_check(const pf_option *option, const pf_node *node, pf_error *error);
/** A text option's value: as written, or for a bare word of the command line as typed; NULL if it
 * is none. (options.c)
 */
const char *pf_option_text(const pf_node *node);
/** Names of `node` that neither `table` nor `others` has: an error; with `dropped`, those of the
 * file are taken out and their names appended. (unknown.c) */
pf_status pf_config_check_names(const pf_config *config, pf_node *node, const char *what,
                                const char *plugin, pf_option_table table, pf_names others,
                                pf_text *dropped, pf_error *error);

#endif
