/*
 * The settings of a config as a tree of our own. libconfig parses the text
 * (core/config/libconfig.c); its own tree could hold neither where an override
 * came from, nor defaults, nor a change of type.
 *
 * Inside core/config only: everybody else sees an opaque pf_node.
 */
#ifndef PLASTFIT_CORE_CONFIG_NODE_H
#define PLASTFIT_CORE_CONFIG_NODE_H

#include "core/base/array.h"
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

struct pf_node {
  char *name; /**< NULL: an element of a list, or the root */
  pf_node *parent;
  enum pf_node_type type;
  int64_t integer; /**< of PF_NODE_INTEGER, PF_NODE_BOOL */
  double real;
  char *string;
  pf_array children; /**< of pf_node *: what a group, list or array holds */
  pf_array defaults; /**< of pf_node *, of a group: filled in by views, shown by the writer alone */
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
  pf_array strings;    /**< of char *: names of files and overrides, that nodes point to */
  const pf_host *host; /**< who is warned; NULL: the default host */
};

/** A new node, or NULL with the error line. `name` MAY be NULL. */
pf_node *pf_node_new(const char *name, enum pf_node_type type, pf_error *error);
void pf_node_free(pf_node *node);
/** Append to `nodes`, children or defaults of the parent, which owns the child from now on; on
 * failure it is freed. `child` NULL gives PF_STOP, so that what makes it may be written in place.
 */
pf_status pf_node_append(pf_node *parent, pf_array *nodes, pf_node *child, pf_error *error);
static inline pf_node *pf_nodes_at(const pf_array *nodes, size_t i)
{
  return ((pf_node **)nodes->items)[i];
}
/** Take a child out of its parent, and free it. */
void pf_node_remove(pf_node *child);
/** Put `fresh` in the place of `old`, which is freed. */
void pf_node_replace(pf_node *old, pf_node *fresh);
/** What the string of `old` was in the file becomes known to the node in its place. */
void pf_node_inherit_replaced(pf_node *fresh, pf_node *old);
/** By its own name (no path) among children or defaults, or NULL. */
pf_node *pf_node_find(const pf_array *nodes, const char *name, size_t length);
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
/** The child that a step names, or NULL. */
pf_node *pf_node_step(const pf_node *node, pf_path_step step);

/** Keep a string for as long as the config lives; NULL with the error line. Equal ones are kept
 * once. */
const char *pf_config_keep(pf_config *config, const char *string, pf_error *error);
static inline const char *pf_config_string(const pf_config *config, size_t i)
{
  return ((char **)config->strings.items)[i];
}

#endif
