/*
 * plastfit/abi/options.h - the keys a plugin understands, and their values.
 *
 * A plugin declares its options in a table; the host reads the config, checks
 * names, types, ranges and choices (errors with file and line), fills in
 * defaults, and hands `create` a pf_options to read from. The same table
 * makes `plastfit describe NAME` and the plugin's documentation.
 */
#ifndef PLASTFIT_ABI_OPTIONS_H
#define PLASTFIT_ABI_OPTIONS_H

#include <plastfit/abi/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pf_type {
  PF_TYPE_BOOL = 1,
  PF_TYPE_INTEGER,
  PF_TYPE_REAL,
  PF_TYPE_STRING,
  PF_TYPE_PATH,     /**< a string; the host makes it relative to the config's folder */
  PF_TYPE_INTEGERS, /**< a list or array; elements by index */
  PF_TYPE_REALS,
  PF_TYPE_STRINGS,
  PF_TYPE_NAMES /**< a group with keys of the user's choosing: length, and string_at gives key i;
                 * values are the host's
                 */
};

/**
 * One option. `name` is a path below the component's group: "rate",
 * "input.mean", or, inside a list of groups, "blocks[].trials".
 */
typedef struct pf_option {
  const char *name;
  uint32_t type;     /**< enum pf_type */
  uint32_t required; /**< 1: no default, the user MUST state it (inside a list: in every element) */
  const char *fallback; /**< default in the config's syntax ("0.1", "[2, 10]", "\"tanh\""); NULL:
                           absent unless given */
  const char *unit;     /**< "ms", "1", ... or NULL where it makes no sense */
  double lower,
      upper; /**< inclusive range of a number or of each element; -INFINITY, INFINITY: none */
  const char *choices; /**< "tanh|sigmoid|relu" for a string, else NULL */
  const char *help;    /**< one line */
} pf_option;

/** A table of options. */
typedef struct pf_option_table {
  const pf_option *items;
  size_t count;
  size_t stride; /**< sizeof(pf_option) as the plugin was built */
} pf_option_table;

/**
 * Values of the declared options: already checked, defaults filled in. Owned
 * by the host, valid during `create` only (copy what you keep).
 *
 * `path` is a declared name with indices in place of [], e.g.
 * "blocks[2].trials". Asking for a name that was not declared, or by another
 * type, is a mistake of the plugin: the getter returns 0 or "", and the host
 * refuses the object with a sentence that names plugin and path.
 */
typedef struct pf_options pf_options;
struct pf_options {
  size_t size;
  const void *impl;
  /** 1 if the option has a value (given or by default), else 0. */
  int (*present)(const pf_options *options, const char *path);
  /** Number of elements of a list option, or of a list of groups ("blocks"); 0 if absent. */
  int64_t (*length)(const pf_options *options, const char *path);
  /** 0 or 1. */
  int (*boolean)(const pf_options *options, const char *path);
  /** For PF_TYPE_INTEGER. */
  int64_t (*integer)(const pf_options *options, const char *path);
  /** For PF_TYPE_REAL. */
  double (*real)(const pf_options *options, const char *path);
  /** For PF_TYPE_STRING and PF_TYPE_PATH. Valid during create. */
  const char *(*string)(const pf_options *options, const char *path);
  /** Element i of PF_TYPE_INTEGERS, PF_TYPE_REALS, PF_TYPE_STRINGS. */
  int64_t (*integer_at)(const pf_options *options, const char *path, int64_t i);
  /** Likewise of numbers. */
  double (*real_at)(const pf_options *options, const char *path, int64_t i);
  /** Likewise of texts and names. Valid during create. */
  const char *(*string_at)(const pf_options *options, const char *path, int64_t i);
};

#ifdef __cplusplus
}
#endif

#endif
