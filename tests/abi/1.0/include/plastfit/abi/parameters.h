/*
 * plastfit/abi/parameters.h - what a rule, a network or a loss lets the host
 * fit: coefficients, gains, biases, time constants, noise.
 */
#ifndef PLASTFIT_ABI_PARAMETERS_H
#define PLASTFIT_ABI_PARAMETERS_H

#include <plastfit/abi/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Over what a parameter has one value. */
enum pf_scope { PF_SCOPE_SHARED = 0, PF_SCOPE_ANIMAL = 1, PF_SCOPE_EXPERIMENT = 2 };

enum {
  PF_PARAMETER_FIXED = 1, /**< not fitted unless the config frees it */
  PF_PARAMETER_GIVEN =
      2 /**< `value` was written as a number in the options; an error in a rule that is fitted */
};

/**
 * One parameter. The table's order is the order of theta. The same table gives
 * documentation, bounds, report rows and columns of theta.csv.
 */
typedef struct pf_parameter {
  const char *name;  /**< in files and config keys: "X1Y0W0R1", "decay" */
  const char *label; /**< in print: "x r"; NULL: the name */
  const char *unit;  /**< "1", "ms", ... */
  double initial;    /**< where a fit starts */
  double initial_sd; /**< sd of the normal noise added to it; the config's init_sd replaces it */
  double value; /**< what a teacher uses: the number in the options, or the rule's textbook value */
  double lower, upper; /**< bounds; -INFINITY, INFINITY: none */
  uint32_t scope;      /**< enum pf_scope */
  uint32_t flags;      /**< PF_PARAMETER_* */
  const char *help;    /**< one line, or NULL */
} pf_parameter;

/** A table of parameters; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_parameter_table {
  const pf_parameter *items; /**< the plugin's, valid until destroy */
  size_t count;
  size_t stride;
} pf_parameter_table;

#ifdef __cplusplus
}
#endif

#endif
