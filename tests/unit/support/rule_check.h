/*
 * tests/unit/support/rule_check.h - what every rule must do, checked with Criterion assertions.
 *
 * A rule is made from its plugin's descriptor and options, then held against the promises of plastfit/abi/rule.h on
 * random, non-trivial inputs: random cotangents, gradients filled beforehand, leading dimensions larger than the rows
 * (padding of inputs is NaN, padding of outputs a mark that must survive).
 */
#ifndef PLASTFIT_TESTS_RULE_CHECK_H
#define PLASTFIT_TESTS_RULE_CHECK_H

#include "tests/unit/support/fake_options.h"

#include <plastfit/abi/plugin.h>

/** A rule object and what it declares. */
typedef struct rule_object {
  const pf_plugin *plugin;
  const pf_rule_ops *ops;
  fake_host host;
  void *self;
  pf_rule_needs needs;
  double slope_h;         /**< half step of central differences */
  double slope_tolerance; /**< of a slope, relative to the largest of its argument */
} rule_object;

/** Tolerance of sums that are taken in another order, relative to their size: a few hundred roundings. */
#define RULE_ROUNDING (sizeof(pf_real) == 4 ? 2e-5 : 2e-13)

/** Make the object; fails the test if that fails, or if the plugin asks for options that it did not declare. */
void rule_make(rule_object *rule, pf_plugin_entry entry, const fake_value *given, size_t n_given);
/** Destroy it and check that nothing leaks. */
void rule_unmake(rule_object *rule);
/** The line with which `create` refuses these options (it must), in `text`; nothing may leak. */
void rule_refusal(pf_plugin_entry entry, const fake_value *given, size_t n_given, char *text, size_t capacity);
/** Fail each allocation of `create` in turn: it must refuse, with a line, and leak nothing. */
void rule_check_out_of_memory(pf_plugin_entry entry, const fake_value *given, size_t n_given);

/** dw of one synapse. */
double rule_dw(const rule_object *rule, const double *theta, double x, double y, double w, double r);

/** vjp against central differences: theta, x, y, w, each component. */
void rule_check_slopes(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** The error of a first-order prediction along a random direction falls fourfold when the step halves. */
void rule_check_remainder(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** jvp against vjp: <c, J v> = <J' c, v>. Nothing where the rule has none. */
void rule_check_tangents(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** A block and its parts give the same bits of dw, and the same gradients. */
void rule_check_parts(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** Every subset of wanted gradients gives the same as all of them. */
void rule_check_unwanted(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** step and step_vjp against forward and vjp, with and without a mask, also in place. */
void rule_check_fused(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** No rows, no columns: PF_OK and nothing written. */
void rule_check_empty(const rule_object *rule);
/** A NaN reaches the dw that depends on it, and no other. */
void rule_check_nan(const rule_object *rule, int64_t n_rows, int64_t n_pre, uint64_t seed);
/** All of these but the slopes, for several sizes (columns fewer and more than a vector, and than a stretch). */
void rule_check_promises(const rule_object *rule);

#endif
