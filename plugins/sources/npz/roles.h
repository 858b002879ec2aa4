/* Which array of a file is what: the options held against the names in it. */
#ifndef PLASTFIT_PLUGINS_NPZ_ROLES_H
#define PLASTFIT_PLUGINS_NPZ_ROLES_H

#include "zip_arrays.h"

#include <plastfit/abi/options.h>

/** Arrays of which there is at most one, with one number (or text) a step. */
enum {
  NPZ_ANIMAL,
  NPZ_SESSION,
  NPZ_EXPERIMENT,
  NPZ_BLOCK,
  NPZ_TRIAL,
  NPZ_DT,
  NPZ_REWARD,
  NPZ_CHOICE,
  NPZ_PLASTIC,
  NPZ_N_SINGLE
};

/** "animal", "session", ...: what each is called unless the config says otherwise, and its key under `arrays`. */
extern const char *const npz_single_names[NPZ_N_SINGLE];

/** Where weights change. */
enum npz_plastic { NPZ_ALWAYS, NPZ_ACCEPTS, NPZ_ARRAY };

/** Arrays side by side under one name: inputs, a target, a channel (one array of one column). */
typedef struct npz_group {
  char *name;
  size_t *arrays; /**< [n] indices into the file's */
  size_t n;
  int64_t columns; /**< of all of them together */
} npz_group;

typedef struct npz_roles {
  const pf_host *host;
  int64_t steps;                /**< rows of every array */
  int64_t single[NPZ_N_SINGLE]; /**< index, or -1 */
  npz_group inputs;
  npz_group *channels; /**< [n_channels], "reward" first where there is one */
  size_t n_channels;
  npz_group *targets; /**< [n_targets], "choice" first where there is one */
  size_t n_targets;
  enum npz_plastic plastic;
} npz_roles;

/**
 * Settle what each array is. Errors: an array that the options name and the file lacks (with what it has), one that is
 * used and cannot be, other numbers of rows, no input, nothing to predict.
 */
pf_status npz_find_roles(const npz_file *file, const pf_options *options, npz_roles *out, pf_error *error);
void npz_free_roles(npz_roles *roles);
/** Bytes that the used arrays take when unpacked. */
double npz_used_bytes(const npz_file *file, const npz_roles *roles);

#endif
