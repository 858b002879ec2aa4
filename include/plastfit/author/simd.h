/*
 * plastfit/author/simd.h - one source, several instruction sets (optional for plugins).
 *
 * Write a hot loop as PF_INLINE function bodies, instantiate the ops once per
 * instruction set with PF_FOR_EACH_ISA, and choose once, in the entry function,
 * with PF_CHOOSE. (target_clones is avoided on purpose: gcc 12 and clang 14
 * resolve it differently, and some of them wrongly.)
 *
 *     PF_INLINE void add(int64_t n, pf_real *a) { ... #pragma omp simd ... }
 *     #define OPS(suffix, attribute) \
 *       attribute static pf_status forward##suffix(...) { add(...); ... } \
 *       static const pf_rule_ops ops##suffix = { ... forward##suffix ... }; \
 *       static const pf_plugin plugin##suffix = { ... };
 *     PF_FOR_EACH_ISA(OPS)
 *     PF_PLUGIN_ENTRY(mine) { return PF_CHOOSE(plugin); }
 *
 * The environment variable PLASTFIT_ISA ("baseline" or "avx2") pins the choice.
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

/* With --enable-native everything is compiled for this machine, so one variant is enough. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(PF_NATIVE)
#define PF_FOR_EACH_ISA(X) X(_baseline, ) X(_avx2, __attribute__((target("avx2,fma"))))
#define PF_CHOOSE(name) (pf_isa_has_avx2() ? &name##_avx2 : &name##_baseline)
#else
#define PF_FOR_EACH_ISA(X) X(_baseline, )
#define PF_CHOOSE(name) (&name##_baseline)
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
