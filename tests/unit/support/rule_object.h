/*
 * tests/unit/support/rule_object.h - a rule made from its plugin's descriptor and options, for
 * tests of what it computes.
 *
 * The promises that every rule keeps (derivatives, padding, blocks, memory) are checked by the
 * conformance suite, with the options of plugins/rules/NAME/conformance.cfg: tests/conformance.tap.
 */
#ifndef PLASTFIT_TESTS_RULE_OBJECT_H
#define PLASTFIT_TESTS_RULE_OBJECT_H

#include "tests/unit/support/fake_options.h"

#include <plastfit/abi/plugin.h>

/** A rule object and what it declares. */
typedef struct rule_object {
  const pf_plugin *plugin;
  const pf_rule_ops *ops;
  fake_host host;
  void *self;
  pf_rule_declaration declared;
} rule_object;

/** Tolerance of one dw, relative to its size: a few hundred roundings. */
#define RULE_ROUNDING (sizeof(pf_real) == 4 ? 2e-5 : 2e-13)

/** Make the object; fails the test if that fails, or if the plugin asks for options that it did not
 * declare. */
void rule_make(rule_object *rule, pf_plugin_entry entry, const fake_value *given, size_t n_given);
/** Destroy it and check that nothing leaks. */
void rule_unmake(rule_object *rule);
/** The line with which `create` refuses these options (it must), in `text`; nothing may leak. */
void rule_refusal(pf_plugin_entry entry, const fake_value *given, size_t n_given, char *text,
                  size_t capacity);
/** dw of one synapse. */
double rule_dw(const rule_object *rule, const double *theta, double x, double y, double w,
               double r);

#endif
