/*
 * plastfit/author/pf_synapse.h - a rule written as one function of one synapse.
 *
 * Say the rule's name and parameters, include this header, write dw and its partial derivatives,
 * include pf_synapse_rule.h. That makes everything a rule plugin has: the block callbacks forward,
 * vjp, jvp and the fused steps, vectorised, in one variant per instruction set; declare, create,
 * destroy, describe, the descriptor, the entry function. A whole plugin, in the file oja2.c:
 *
 *     #define PF_RULE_NAME oja2
 *     #define PF_RULE_THETA(P)                                           \
 *       P(gain, "1", 0.1, 0.0, INFINITY, "of the Hebbian part, x y")     \
 *       P(decay, "1", 0.1, 0.0, INFINITY, "of the forgetting part, y^2 w")
 *     #include <plastfit/author/pf_synapse.h>
 *     PF_DW(s, p)
 *     {
 *       return p.gain * s.x * s.y - p.decay * s.y * s.y * s.w;
 *     }
 *     PF_DDW(s, p)
 *     {
 *       return (pf_dsyn){.x = p.gain * s.y,
 *                        .y = p.gain * s.x - 2 * p.decay * s.y * s.w,
 *                        .w = -p.decay * s.y * s.y,
 *                        .gain = s.x * s.y,
 *                        .decay = -s.y * s.y * s.w};
 *     }
 *     #include <plastfit/author/pf_synapse_rule.h>
 *
 * Before this header:
 *
 *   PF_RULE_NAME          the module: also the file's name without suffix; a C identifier
 *   PF_RULE_THETA(P)      a P(name, unit, initial, lower, upper, help, value) per parameter, the
 *                         last two optional. INFINITY is no bound. A fit starts at `initial`; a
 *                         teacher uses `value`, else `initial`
 *   PF_RULE_MODULATORS(M) optional: an M(name, channels) or M(name, channels, help) per modulator,
 *                         which is then s.name; `channels` is what it is made of unless the config
 *                         says otherwise: "reward - expected_reward"
 *   PF_RULE_SUMMARY       optional: one line, its equation, for `plastfit list`
 *   PF_RULE_EQUATION      optional: the right side as text, "gain x y - decay y^2 w"; `describe`
 *                         puts numbers in
 *   PF_RULE_VERSION       optional: "1.0"
 *   PF_RULE_READS         optional: PF_READS_PRE | ..., what dw depends on, so that the host may
 *                         skip work
 *
 * In PF_DW and PF_DDW, all pf_real:
 *
 *   s.x, s.y, s.w, s.dt   presynaptic and postsynaptic activity, the weight before the change, the
 *                         step in ms
 *   s.NAME                a modulator
 *   p.NAME                a parameter
 *   .x .y .w .NAME        the derivative of dw by each of them; one that is left out is 0. One that
 *                         is 0 though dw depends on it is refused when the rule is loaded
 *
 * Both must be pure: no state, no memory, no random numbers. Use pf_exp, pf_log, pf_tanh, pf_sqrt,
 * pf_abs, pf_min, pf_max, pf_step (pf_math.h), which compilers vectorise; prefer `a ? b : c` to
 * `if`. In single precision write constants as (pf_real)0.5, lest the loop run in double.
 */
#ifndef PLASTFIT_AUTHOR_PF_SYNAPSE_H
#define PLASTFIT_AUTHOR_PF_SYNAPSE_H

#include <plastfit/abi/plugin.h>
#include <plastfit/author/pf_math.h>
#include <plastfit/author/simd.h>

#include <math.h>
#include <string.h>

#if defined(__cplusplus)

#ifdef PF_RULE_NAME
#error "pf_synapse.h makes a rule from C, not C++: compile this file as C, or write block callbacks"
#endif

#elif !defined(PF_RULE_NAME) || !defined(PF_RULE_THETA)

/* Alone this header is empty; who goes on without the two gets one sentence. */
#define PF_DW(s, p)                                                                           \
  _Static_assert(0, "write #define PF_RULE_NAME and #define PF_RULE_THETA(P) above #include " \
                    "<plastfit/author/pf_synapse.h>");                                        \
  static double pf_rule_without_name(void)
#define PF_DDW(s, p) static double pf_rule_without_name_either(void)

#else

/* ---- reading the author's lists ---- */

#define PF_SYN_JOIN_(a, b) a##b
#define PF_SYN_JOIN(a, b) PF_SYN_JOIN_(a, b)
#define PF_SYN_TEXT_(a) #a
#define PF_SYN_TEXT(a) PF_SYN_TEXT_(a)
#define PF_SYN_FIRST_(a, ...) a
#define PF_SYN_SECOND_(a, b, ...) b
#define PF_SYN_THIRD_(a, b, c, ...) c
#define PF_SYN_FOURTH_(a, b, c, d, ...) d
/* A missing lower or upper becomes an identifier that nobody declared: the compiler's message then
 * says what to do. */
#define PF_SYN_FIRST(...) PF_SYN_FIRST_(__VA_ARGS__, P_needs_name_unit_initial_lower_upper, 0, 0)
#define PF_SYN_SECOND(...) PF_SYN_SECOND_(__VA_ARGS__, P_needs_name_unit_initial_lower_upper, 0, 0)
#define PF_SYN_CHANNELS(...) PF_SYN_FIRST_(__VA_ARGS__, NULL, NULL)
#define PF_SYN_HELP(...) PF_SYN_SECOND_(__VA_ARGS__, NULL, NULL)
#define PF_SYN_THIRD(...) PF_SYN_THIRD_(__VA_ARGS__, NULL, NULL, NULL)

#ifndef PF_RULE_MODULATORS
#define PF_RULE_MODULATORS(M)
#endif
#ifndef PF_RULE_SUMMARY
#ifdef PF_RULE_EQUATION
#define PF_RULE_SUMMARY "dw = " PF_RULE_EQUATION
#else
#define PF_RULE_SUMMARY "a rule of one synapse"
#endif
#endif
#ifndef PF_RULE_VERSION
#define PF_RULE_VERSION "1.0"
#endif
#ifndef PF_RULE_READS
#define PF_RULE_READS 0
#endif

#define PF_SYN_FIELD(name, ...) pf_real name;

/** One synapse at one step. */
typedef struct pf_syn {
  pf_real x, y, w, dt;
  PF_RULE_MODULATORS(PF_SYN_FIELD)
} pf_syn;

/** The rule's parameters, rounded to pf_real. */
typedef struct pf_theta {
  PF_RULE_THETA(PF_SYN_FIELD)
} pf_theta;

/** Partial derivatives of dw. */
typedef struct pf_dsyn {
  pf_real x, y, w;
  PF_RULE_THETA(PF_SYN_FIELD)
} pf_dsyn;

#if defined(__GNUC__)
#define PF_SYN_ARGUMENT __attribute__((unused))
#else
#define PF_SYN_ARGUMENT
#endif

/** Head of the function that returns dw; its body follows. The enumerator shows pf_synapse_rule.h
 * that it is there. */
#define PF_DW(s, p)                \
  enum { PF_DW_is_written_above }; \
  PF_INLINE pf_real pf_syn_dw(PF_SYN_ARGUMENT const pf_syn s, PF_SYN_ARGUMENT const pf_theta p)

/** Head of the function that returns the derivatives, as a pf_dsyn. */
#define PF_DDW(s, p)                \
  enum { PF_DDW_is_written_above }; \
  PF_INLINE pf_dsyn pf_syn_ddw(PF_SYN_ARGUMENT const pf_syn s, PF_SYN_ARGUMENT const pf_theta p)

#endif

#endif
