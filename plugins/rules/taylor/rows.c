/*
 * plugins/rules/taylor/rows.c - the kernels of rows.h, one for each pair of highest powers of x and
 * w. A file of its own, so that a make compiles it beside taylor.c. What a call does once is no
 * part of the kernels: it would be compiled with each.
 */
#include "rows.h"

/** A call of a rule's op. */
typedef struct taylor_rows_call {
  int size; /**< slots in use */
  int shape;
  double r_power[TAYLOR_POWERS];
  double table[TAYLOR_TABLE]; /**< 0 beyond the slots in use */
} taylor_rows_call;

PF_INLINE void taylor_rows_begin(const taylor *self, const pf_block *in, taylor_rows_call *call)
{
  const int *highest = self->highest;
  call->size = (highest[TAYLOR_X] + 1) * (highest[TAYLOR_Y] + 1) * (highest[TAYLOR_W] + 1);
  call->shape = highest[TAYLOR_X] * TAYLOR_POWERS + highest[TAYLOR_W];
  memset(call->table, 0, sizeof call->table);
  taylor_r_powers(self, in, call->r_power);
  taylor_table(self, TAYLOR_ROWS, call->size, in->theta, call->r_power, call->table);
}

typedef struct taylor_rows_kernel {
  void (*apply)(const taylor *self, const pf_block *in, const double *table,
                const pf_update *update, pf_real *out, int64_t ld_out);
  void (*adjoint)(const taylor *self, const pf_block *in, const double *table, taylor_cotangent of,
                  const pf_rule_gradient *gradient, double *total);
} taylor_rows_kernel;

#define PF_ISA baseline
#include "rows_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "rows_ops.h"
#endif
