/*
 * The host's inner loops, for one instruction set; chosen once per model.
 * Sums run in an order fixed by the shapes alone.
 */
#ifndef PLASTFIT_CORE_STATE_KERNELS_H
#define PLASTFIT_CORE_STATE_KERNELS_H

#include "core/state/segments.h"

#include <plastfit/abi/rule.h>
#include <stdbool.h>

typedef struct pf_kernels {
  /** drive[t][i] = sum_j w[i][j] pre[t][j], added to what is there if `add` */
  void (*drive)(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w, int64_t ldw,
                const pf_real *pre, int64_t ld_pre, pf_real *drive, int64_t ld_drive, bool add);
  /** The same over runs, the weights of run r being w + r w_stride; pre and drive from step 0 on.
   */
  void (*drive_runs)(const pf_segment *segments, int64_t n_segments, int64_t n_post, int64_t n_pre,
                     const pf_real *w, int64_t w_stride, int64_t ldw, const pf_real *pre,
                     int64_t ld_pre, pf_real *drive, int64_t ld_drive, bool add);
  /** g_w[i][j] += sum_t g_drive[t][i] pre[t][j] */
  void (*weight_gradient)(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *g_drive,
                          int64_t ld_drive, const pf_real *pre, int64_t ld_pre, pf_real *g_w,
                          int64_t ldw);
  /** g_pre[t][j] += sum_i w[i][j] g_drive[t][i] */
  void (*pre_gradient)(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w,
                       int64_t ldw, const pf_real *g_drive, int64_t ld_drive, pf_real *g_pre,
                       int64_t ld_pre);
  /** w_out = w + eta * mask * dw (update->mask NULL: ones); w_out MAY be w */
  void (*update)(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *dw,
                 int64_t lddw, const pf_real *w, pf_real *w_out, int64_t ldw);
  /** out = eta * mask * g: the cotangent of dw from that of w_out */
  void (*scale)(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *g,
                int64_t ldg, pf_real *out, int64_t ldo);
  /** out[t][k][i] = slope[t][i] in[t][k][i]: tangents through a response. in: dense; of out, planes
   * are ld_out and steps stride_out apart. */
  void (*slope)(int64_t n_steps, int64_t n_planes, int64_t n, const pf_real *slope,
                const pf_real *in, pf_real *out, int64_t ld_out, int64_t stride_out);
} pf_kernels;

/** For this processor, or as PLASTFIT_ISA pins it. */
const pf_kernels *pf_kernels_choose(void);

#endif
