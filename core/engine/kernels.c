#include "core/engine/kernels.h"

#include <cblas.h>
#include <plastfit/abi/simd.h>

/* A matrix product of at least this many multiplications goes to OpenBLAS; below, its call costs more than it saves. */
enum { BLAS_FROM = 32768 };

#ifdef PF_SINGLE
#define GEMM cblas_sgemm
#else
#define GEMM cblas_dgemm
#endif

static int is_large(int64_t a, int64_t b, int64_t c)
{
  return a > 1 && a * b * c >= BLAS_FROM;
}

/** drive, of one step and two presynaptic units: two cues are the field's commonest input. */
PF_INLINE void drive_of_two(int64_t n_post, const pf_real *w, const pf_real *pre, pf_real *drive, const bool add)
{
  const pf_real x0 = pre[0], x1 = pre[1];
#pragma omp simd
  for (int64_t i = 0; i < n_post; i++) {
    const pf_real sum = w[2 * i] * x0 + w[2 * i + 1] * x1;
    drive[i] = add ? drive[i] + sum : sum;
  }
}

PF_INLINE void drive_body(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w, int64_t ldw,
                          const pf_real *pre, int64_t ld_pre, pf_real *drive, int64_t ld_drive, bool add)
{
  for (int64_t t = 0; t < n_steps && n_pre == 2 && ldw == 2; t++) {
    if (add) {
      drive_of_two(n_post, w, pre + t * ld_pre, drive + t * ld_drive, true);
    } else {
      drive_of_two(n_post, w, pre + t * ld_pre, drive + t * ld_drive, false);
    }
  }
  if (n_pre == 2 && ldw == 2) {
    return;
  }
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n_steps, (int)n_post, (int)n_pre, 1, pre, (int)ld_pre, w,
         (int)ldw, add ? 1 : 0, drive, (int)ld_drive);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *x = pre + t * ld_pre;
    pf_real *d = drive + t * ld_drive;
    int64_t i = 0;
    for (; i + 4 <= n_post; i += 4) { /* four rows at a time: one sum alone would wait for its own additions */
      const pf_real *row0 = w + i * ldw, *row1 = row0 + ldw, *row2 = row1 + ldw, *row3 = row2 + ldw;
      pf_real sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
      for (int64_t j = 0; j < n_pre; j++) {
        sum0 += row0[j] * x[j];
        sum1 += row1[j] * x[j];
        sum2 += row2[j] * x[j];
        sum3 += row3[j] * x[j];
      }
      d[i] = add ? d[i] + sum0 : sum0;
      d[i + 1] = add ? d[i + 1] + sum1 : sum1;
      d[i + 2] = add ? d[i + 2] + sum2 : sum2;
      d[i + 3] = add ? d[i + 3] + sum3 : sum3;
    }
    for (; i < n_post; i++) {
      const pf_real *row = w + i * ldw;
      pf_real sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < n_pre; j++) {
        sum += row[j] * x[j];
      }
      d[i] = add ? d[i] + sum : sum;
    }
  }
}

PF_INLINE void weight_gradient_body(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *g_drive,
                                    int64_t ld_drive, const pf_real *pre, int64_t ld_pre, pf_real *g_w, int64_t ldw)
{
  for (int64_t t = 0; t < n_steps && n_pre == 2 && ldw == 2; t++) {
    const pf_real x0 = pre[t * ld_pre], x1 = pre[t * ld_pre + 1];
    const pf_real *d = g_drive + t * ld_drive;
#pragma omp simd
    for (int64_t i = 0; i < n_post; i++) {
      g_w[2 * i] += d[i] * x0;
      g_w[2 * i + 1] += d[i] * x1;
    }
  }
  if (n_pre == 2 && ldw == 2) {
    return;
  }
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n_post, (int)n_pre, (int)n_steps, 1, g_drive, (int)ld_drive, pre,
         (int)ld_pre, 1, g_w, (int)ldw);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *x = pre + t * ld_pre;
    for (int64_t i = 0; i < n_post; i++) {
      const pf_real g = g_drive[t * ld_drive + i];
      pf_real *row = g_w + i * ldw;
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        row[j] += g * x[j];
      }
    }
  }
}

PF_INLINE void pre_gradient_body(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w, int64_t ldw,
                                 const pf_real *g_drive, int64_t ld_drive, pf_real *g_pre, int64_t ld_pre)
{
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n_steps, (int)n_pre, (int)n_post, 1, g_drive, (int)ld_drive, w,
         (int)ldw, 1, g_pre, (int)ld_pre);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    pf_real *x = g_pre + t * ld_pre;
    for (int64_t i = 0; i < n_post; i++) {
      const pf_real g = g_drive[t * ld_drive + i];
      const pf_real *row = w + i * ldw;
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        x[j] += g * row[j];
      }
    }
  }
}

PF_INLINE void update_body(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *dw, int64_t lddw,
                           const pf_real *w, pf_real *w_out, int64_t ldw)
{
  const pf_real eta = (pf_real)update->eta;
  for (int64_t i = 0; i < n_post; i++) {
    const pf_real *mask = update->mask == NULL ? NULL : update->mask + i * update->ldm;
    if (mask == NULL) {
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        w_out[i * ldw + j] = w[i * ldw + j] + eta * dw[i * lddw + j];
      }
    } else {
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        w_out[i * ldw + j] = w[i * ldw + j] + eta * mask[j] * dw[i * lddw + j];
      }
    }
  }
}

PF_INLINE void scale_body(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *g, int64_t ldg,
                          pf_real *out, int64_t ldo)
{
  const pf_real eta = (pf_real)update->eta;
  for (int64_t i = 0; i < n_post; i++) {
    const pf_real *mask = update->mask == NULL ? NULL : update->mask + i * update->ldm;
    if (mask == NULL) {
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        out[i * ldo + j] = eta * g[i * ldg + j];
      }
    } else {
#pragma omp simd
      for (int64_t j = 0; j < n_pre; j++) {
        out[i * ldo + j] = eta * mask[j] * g[i * ldg + j];
      }
    }
  }
}

#define VARIANT(suffix, attribute)                                                                                    \
  attribute static void drive##suffix(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w, int64_t ldw,  \
                                      const pf_real *pre, int64_t ld_pre, pf_real *drive, int64_t ld_drive, bool add) \
  {                                                                                                                   \
    drive_body(n_steps, n_post, n_pre, w, ldw, pre, ld_pre, drive, ld_drive, add);                                    \
  }                                                                                                                   \
  attribute static void weight_gradient##suffix(int64_t n_steps, int64_t n_post, int64_t n_pre,                       \
                                                const pf_real *g_drive, int64_t ld_drive, const pf_real *pre,         \
                                                int64_t ld_pre, pf_real *g_w, int64_t ldw)                            \
  {                                                                                                                   \
    weight_gradient_body(n_steps, n_post, n_pre, g_drive, ld_drive, pre, ld_pre, g_w, ldw);                           \
  }                                                                                                                   \
  attribute static void pre_gradient##suffix(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w,        \
                                             int64_t ldw, const pf_real *g_drive, int64_t ld_drive, pf_real *g_pre,   \
                                             int64_t ld_pre)                                                          \
  {                                                                                                                   \
    pre_gradient_body(n_steps, n_post, n_pre, w, ldw, g_drive, ld_drive, g_pre, ld_pre);                              \
  }                                                                                                                   \
  attribute static void update##suffix(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *dw,     \
                                       int64_t lddw, const pf_real *w, pf_real *w_out, int64_t ldw)                   \
  {                                                                                                                   \
    update_body(n_post, n_pre, update, dw, lddw, w, w_out, ldw);                                                      \
  }                                                                                                                   \
  attribute static void scale##suffix(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *g,       \
                                      int64_t ldg, pf_real *out, int64_t ldo)                                         \
  {                                                                                                                   \
    scale_body(n_post, n_pre, update, g, ldg, out, ldo);                                                              \
  }                                                                                                                   \
  static const pf_kernels kernels##suffix = {.drive = drive##suffix,                                                  \
                                             .weight_gradient = weight_gradient##suffix,                              \
                                             .pre_gradient = pre_gradient##suffix,                                    \
                                             .update = update##suffix,                                                \
                                             .scale = scale##suffix};

PF_FOR_EACH_ISA(VARIANT)

const pf_kernels *pf_kernels_choose(void)
{
  return PF_CHOOSE(kernels);
}
