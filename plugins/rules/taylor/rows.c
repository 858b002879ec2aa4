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
  void (*adjoint)(const taylor *self, const pf_block *in, const double *table,
                  const pf_real *cotangent, int64_t ld_cotangent, const pf_update *update,
                  const pf_rule_gradient *gradient, double *total);
} taylor_rows_kernel;

#define SHAPE(V, C, suffix, attribute)                                                            \
  attribute static void apply_##V##C##suffix(const taylor *self, const pf_block *in,              \
                                             const double *table, const pf_update *update,        \
                                             pf_real *out, int64_t ld_out)                        \
  {                                                                                               \
    taylor_apply_rows(V, C, self, in, table, update, out, ld_out);                                \
  }                                                                                               \
  attribute static void adjoint_##V##C##suffix(const taylor *self, const pf_block *in,            \
                                               const double *table, const pf_real *cotangent,     \
                                               int64_t ld_cotangent, const pf_update *update,     \
                                               const pf_rule_gradient *gradient, double *total)   \
  {                                                                                               \
    taylor_adjoint_rows(V, C, self, in, table, cotangent, ld_cotangent, update, gradient, total); \
  }

#define KERNELS(suffix, attribute)                                                                \
  SHAPE(0, 0, suffix, attribute)                                                                  \
  SHAPE(0, 1, suffix, attribute)                                                                  \
  SHAPE(0, 2, suffix, attribute)                                                                  \
  SHAPE(1, 0, suffix, attribute)                                                                  \
  SHAPE(1, 1, suffix, attribute)                                                                  \
  SHAPE(1, 2, suffix, attribute)                                                                  \
  SHAPE(2, 0, suffix, attribute)                                                                  \
  SHAPE(2, 1, suffix, attribute)                                                                  \
  SHAPE(2, 2, suffix, attribute)                                                                  \
  static const taylor_rows_kernel kernels##suffix[] = {                                           \
      {apply_00##suffix, adjoint_00##suffix}, {apply_01##suffix, adjoint_01##suffix},             \
      {apply_02##suffix, adjoint_02##suffix}, {apply_10##suffix, adjoint_10##suffix},             \
      {apply_11##suffix, adjoint_11##suffix}, {apply_12##suffix, adjoint_12##suffix},             \
      {apply_20##suffix, adjoint_20##suffix}, {apply_21##suffix, adjoint_21##suffix},             \
      {apply_22##suffix, adjoint_22##suffix}};                                                    \
  attribute static void apply_rows##suffix(const taylor *self, const pf_block *in,                \
                                           const pf_update *update, pf_real *out, int64_t ld_out) \
  {                                                                                               \
    taylor_rows_call call;                                                                        \
    taylor_rows_begin(self, in, &call);                                                           \
    kernels##suffix[call.shape].apply(self, in, call.table, update, out, ld_out);                 \
  }                                                                                               \
  attribute static void adjoint_rows##suffix(                                                     \
      const taylor *self, const pf_block *in, const pf_real *cotangent, int64_t ld_cotangent,     \
      const pf_update *update, const pf_rule_gradient *gradient)                                  \
  {                                                                                               \
    double total[TAYLOR_TABLE] = {0};                                                             \
    taylor_rows_call call;                                                                        \
    taylor_rows_begin(self, in, &call);                                                           \
    kernels##suffix[call.shape].adjoint(self, in, call.table, cotangent, ld_cotangent, update,    \
                                        gradient, total);                                         \
    taylor_finish(self, TAYLOR_ROWS, call.size, call.r_power, total, gradient);                   \
  }                                                                                               \
  const taylor_kernel taylor_rows##suffix = {apply_rows##suffix, adjoint_rows##suffix};

PF_FOR_EACH_ISA(KERNELS)
