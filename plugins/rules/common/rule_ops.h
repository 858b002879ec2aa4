/*
 * plugins/rules/common/rule_ops.h - the ops around a rule's loops, once per instruction set.
 *
 * A rule writes forward_block, vjp_block, ... as PF_INLINE functions with the arguments of the op
 * (less `error`, where they cannot fail), and names those it has:
 *
 *     #define VARIANT(suffix, attribute) \
 *       RULE_FORWARD(suffix, attribute) \
 *       RULE_VJP(suffix, attribute) \
 *       static const pf_rule_ops ops##suffix = { \
 *           RULE_LIFE, .forward = forward##suffix, .vjp = vjp##suffix}; \ static const pf_plugin
 * plugin##suffix = {PF_PLUGIN_HEAD(PF_KIND_RULE), .rule = &ops##suffix, ...};
 *     PF_FOR_EACH_ISA(VARIANT)
 */
#ifndef PLASTFIT_RULES_RULE_OPS_H
#define PLASTFIT_RULES_RULE_OPS_H

#include "rule_common.h"

/** What every table of ops begins with. */
#define RULE_LIFE                                                                         \
  .size = sizeof(pf_rule_ops), .create = create, .destroy = destroy, .declare = declare, \
  .describe = describe

/** An op whose loops cannot fail, and one whose loops can; none takes a block that is not dense. */
#define RULE_LOOPS(call)                                  \
  {                                                       \
    const pf_status status = rule_check_dense(in, error); \
    if (status == PF_OK) {                                \
      call;                                               \
    }                                                     \
    return status;                                        \
  }
#define RULE_LOOPS_MAY_FAIL(call)                         \
  {                                                       \
    const pf_status status = rule_check_dense(in, error); \
    return status == PF_OK ? call : status;               \
  }

#define RULE_FORWARD(suffix, attribute)                                                         \
  attribute static pf_status forward##suffix(const void *self, const pf_block *in, pf_real *dw, \
                                             int64_t lddw, pf_error *error)                     \
      RULE_LOOPS(forward_block(self, in, dw, lddw))

#define RULE_VJP(suffix, attribute)                                                         \
  attribute static pf_status vjp##suffix(const void *self, const pf_block *in,              \
                                         const pf_real *cotangent, int64_t ld_cotangent,    \
                                         const pf_rule_gradient *gradient, pf_error *error) \
      RULE_LOOPS(vjp_block(self, in, cotangent, ld_cotangent, gradient))

#define RULE_STEP(suffix, attribute)                                                 \
  attribute static pf_status step##suffix(                                           \
      const void *self, const pf_block *in, const pf_update *update, pf_real *w_out, \
      int64_t ld_out, pf_error *error) RULE_LOOPS(step_block(self, in, update, w_out, ld_out))

#define RULE_STEP_VJP(suffix, attribute)                                                         \
  attribute static pf_status step_vjp##suffix(const void *self, const pf_block *in,              \
                                              const pf_update *update,                           \
                                              const pf_rule_gradient *gradient, pf_error *error) \
      RULE_LOOPS(step_vjp_block(self, in, update, gradient))

#define RULE_JVP(suffix, attribute)                                                       \
  attribute static pf_status jvp##suffix(const void *self, const pf_block *in,            \
                                         const pf_rule_tangent *tangent, pf_error *error) \
      RULE_LOOPS(jvp_block(self, in, tangent))

#define RULE_ADVANCE(suffix, attribute)                                                    \
  attribute static pf_status update_traces##suffix(const void *self, const pf_block *in,   \
                                                   const pf_traces *next, pf_error *error) \
      RULE_LOOPS_MAY_FAIL(update_traces_block(self, in, next, error))

#define RULE_ADVANCE_VJP(suffix, attribute)                             \
  attribute static pf_status update_traces_vjp##suffix(                 \
      const void *self, const pf_block *in, const pf_traces *cotangent, \
      const pf_rule_gradient *gradient, pf_error *error)                \
      RULE_LOOPS_MAY_FAIL(update_traces_vjp_block(self, in, cotangent, gradient, error))

#endif
