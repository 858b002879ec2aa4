/* What is checked of an object of each kind. */
#ifndef PLASTFIT_CORE_CONFORMANCE_KINDS_H
#define PLASTFIT_CORE_CONFORMANCE_KINDS_H

#include "core/conformance/op.h"

/** Two objects with the same options, what they declare, and the plugin's calls counted from here
 * on: what a group of checks works with. */
typedef struct cf_bench {
  const cf_variant *variant;
  cf_report *report;
  cf_host hosts[2];
  cf_object object, reference;
  union {
    pf_rule_declaration rule;
    pf_network_declaration network;
    pf_loss_declaration loss;
    pf_source_declaration source;
  } declared;
  cf_kind_op op; /**< the op of the group; its jvp is NULL where the plugin has none */
  cf_case of;    /**< that op */
} cf_bench;

/** One group of checks, run in a child. */
typedef struct cf_checks {
  const char *name; /**< what it prints as: "vjp" */
  size_t needs; /**< offset in the ops struct of an op: skipped where there is none; 0: of all */
  const cf_kind_op *op; /**< what it is about, or NULL */
  void (*check)(cf_bench *bench);
} cf_checks;

/** Each ends with a row that has no name. */
extern const cf_checks cf_rule_checks[], cf_network_checks[], cf_loss_checks[], cf_source_checks[];

/** An optional op, or NULL: also where the plugin's struct does not reach to it. */
#define CF_OP(ops, type, op) (PF_HAS((ops), type, op) ? (ops)->op : NULL)

#endif
