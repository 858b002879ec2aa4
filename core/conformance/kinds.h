/* What is checked of an object of each kind, and what these checks share. */
#ifndef PLASTFIT_CORE_CONFORMANCE_KINDS_H
#define PLASTFIT_CORE_CONFORMANCE_KINDS_H

#include "core/conformance/op.h"

/** One group of checks, run in a child: cf_group with a cf_variant. */
typedef struct cf_checks {
  const char *name; /**< what it prints as: "vjp" */
  cf_group run;
  /** NULL: always. In a child too: false where the plugin has no such op, so that nothing is
   * printed. */
  bool (*applies)(const pf_plugin *plugin);
} cf_checks;

extern const cf_checks cf_rule_checks[], cf_network_checks[], cf_loss_checks[], cf_source_checks[];

/** An optional op, or NULL: also where the plugin's struct does not reach to it. */
#define CF_OP(ops, type, op) (PF_HAS((ops), type, op) ? (ops)->op : NULL)

/** Does a struct of ops end where this host's, or an op of it, does? */
void cf_check_size(cf_report *report, const char *what, size_t size, size_t of_host);

/** An object and its twin, and the plugin's calls counted from here on. */
typedef struct cf_pair {
  cf_host hosts[2];
  cf_object object, reference;
} cf_pair;
void cf_pair_make(cf_report *report, const cf_variant *variant, cf_pair *pair);
void cf_pair_end(cf_report *report, cf_pair *pair);

#endif
