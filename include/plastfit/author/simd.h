/*
 * plastfit/author/simd.h - one source, several instruction sets (optional for plugins).
 *
 * Write a hot loop as a PF_INLINE function. Put the ops that call it, and the tables that name the
 * ops, into a file of their own (mine_ops.h), and include that file once per instruction set:
 *
 *     PF_ISA_TARGET static pf_status PF_ISA_NAME(forward)(...) { ... }
 *     static const pf_rule_ops PF_ISA_NAME(ops) = {..., .forward = PF_ISA_NAME(forward)};
 *     static const pf_plugin PF_ISA_NAME(plugin) = {..., .rule = &PF_ISA_NAME(ops)};
 *     #undef PF_ISA
 *
 * In the plugin's file:
 *
 *     #define PF_ISA baseline
 *     #include "mine_ops.h"
 *     #ifdef PF_ISA_HAS_AVX2
 *     #define PF_ISA avx2
 *     #include "mine_ops.h"
 *     #endif
 *     PF_PLUGIN_ENTRY(mine) { return PF_ISA_CHOOSE(plugin); }
 *
 * PF_ISA_CHOOSE picks the variant for the machine. The environment variable PLASTFIT_ISA
 * ("baseline" or "avx2") pins the choice. (target_clones is avoided on purpose: gcc 12 and clang 14
 * resolve it differently, and some of them wrongly.)
 */
#ifndef PLASTFIT_AUTHOR_SIMD_H
#define PLASTFIT_AUTHOR_SIMD_H

#include <plastfit/abi/base.h>

#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define PF_INLINE static inline __attribute__((always_inline))
#else
#define PF_INLINE static inline
#endif

/** Head of a function, and a name, of the variant that PF_ISA names. */
#define PF_ISA_TARGET PF_ISA_JOIN(PF_ISA_TARGET_, PF_ISA)
#define PF_ISA_NAME(name) PF_ISA_JOIN(name##_, PF_ISA)
#define PF_ISA_JOIN(a, b) PF_ISA_JOIN_(a, b)
#define PF_ISA_JOIN_(a, b) a##b
#define PF_ISA_TARGET_baseline
#define PF_ISA_TARGET_avx2 __attribute__((target("avx2,fma")))

/* With --enable-native everything is compiled for this machine, so one variant is enough. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(PF_NATIVE)
#define PF_ISA_HAS_AVX2 1
#define PF_ISA_CHOOSE(name) (pf_isa_has_avx2() ? &name##_avx2 : &name##_baseline)
#else
#define PF_ISA_CHOOSE(name) (&name##_baseline)
#endif

#if defined(__GNUC__)
/**
 * A vector of 32 bytes, for loops too short for the compiler to vectorise well by itself: a few
 * rows, two columns. GNU C works with it as with a number, and splits it where registers are
 * shorter. For local variables: as an argument or a result it would tie a function to one
 * instruction set. pf_lanes_at: such numbers anywhere in memory.
 */
enum { PF_LANES = 32 / sizeof(pf_real) };
typedef pf_real pf_lanes __attribute__((vector_size(32)));
typedef pf_real pf_lanes_at __attribute__((vector_size(32), aligned(sizeof(pf_real)), may_alias));
#endif

/** May the AVX2+FMA variant run here, and is it not pinned away? */
static inline int pf_isa_has_avx2(void)
{
#if defined(__GNUC__) && defined(__x86_64__)
  const char *pinned = getenv("PLASTFIT_ISA");
  if (pinned != NULL && strcmp(pinned, "baseline") == 0) {
    return 0;
  }
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 0;
#endif
}

#endif
