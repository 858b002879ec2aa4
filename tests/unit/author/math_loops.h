/* Loops over the functions of pf_math.h, compiled once per instruction set. */
#define LOOP(name)                                                            \
  PF_ISA_TARGET static void PF_ISA_NAME(name)(const pf_real *a, pf_real *out) \
  {                                                                           \
    _Pragma("omp simd") for (int i = 0; i < CHUNK; i++)                       \
    {                                                                         \
      out[i] = pf_##name(a[i]);                                               \
    }                                                                         \
  }
LOOP(exp)
LOOP(log)
LOOP(tanh)
LOOP(sqrt)
LOOP(step)
LOOP(abs)
#undef LOOP
#undef PF_ISA
