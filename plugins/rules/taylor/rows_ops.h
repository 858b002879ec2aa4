/* The kernels of rows.c that are compiled once per instruction set (author/simd.h). */

/* V, C: highest powers of x and w */
#define ROWS_SHAPE(V, C)                                                                    \
  PF_ISA_TARGET static void PF_ISA_NAME(apply_##V##C)(                                      \
      const taylor *self, const pf_block *in, const double *table, const pf_update *update, \
      pf_real *out, int64_t ld_out)                                                         \
  {                                                                                         \
    taylor_apply_rows(V, C, self, in, table, update, out, ld_out);                          \
  }                                                                                         \
  PF_ISA_TARGET static void PF_ISA_NAME(adjoint_##V##C)(                                    \
      const taylor *self, const pf_block *in, const double *table, taylor_cotangent of,     \
      const pf_rule_gradient *gradient, double *total)                                      \
  {                                                                                         \
    taylor_adjoint_rows(V, C, self, in, table, of, gradient, total);                        \
  }
ROWS_SHAPE(0, 0)
ROWS_SHAPE(0, 1)
ROWS_SHAPE(0, 2)
ROWS_SHAPE(1, 0)
ROWS_SHAPE(1, 1)
ROWS_SHAPE(1, 2)
ROWS_SHAPE(2, 0)
ROWS_SHAPE(2, 1)
ROWS_SHAPE(2, 2)
#undef ROWS_SHAPE

#define ROWS_ENTRY(shape)                                    \
  {                                                          \
    PF_ISA_NAME(apply_##shape), PF_ISA_NAME(adjoint_##shape) \
  }
static const taylor_rows_kernel PF_ISA_NAME(kernels)[] = {
    ROWS_ENTRY(00), ROWS_ENTRY(01), ROWS_ENTRY(02), ROWS_ENTRY(10), ROWS_ENTRY(11),
    ROWS_ENTRY(12), ROWS_ENTRY(20), ROWS_ENTRY(21), ROWS_ENTRY(22)};
#undef ROWS_ENTRY

PF_ISA_TARGET static void PF_ISA_NAME(apply_rows)(const taylor *self, const pf_block *in,
                                                  const pf_update *update, pf_real *out,
                                                  int64_t ld_out)
{
  taylor_rows_call call;
  taylor_rows_begin(self, in, &call);
  PF_ISA_NAME(kernels)[call.shape].apply(self, in, call.table, update, out, ld_out);
}

PF_ISA_TARGET static void PF_ISA_NAME(adjoint_rows)(const taylor *self, const pf_block *in,
                                                    taylor_cotangent of,
                                                    const pf_rule_gradient *gradient)
{
  double total[TAYLOR_TABLE] = {0};
  taylor_rows_call call;
  taylor_rows_begin(self, in, &call);
  PF_ISA_NAME(kernels)[call.shape].adjoint(self, in, call.table, of, gradient, total);
  taylor_finish(self, TAYLOR_ROWS, call.size, call.r_power, total, gradient);
}

const taylor_kernel PF_ISA_NAME(taylor_rows) = {PF_ISA_NAME(apply_rows), PF_ISA_NAME(adjoint_rows)};

#undef PF_ISA
