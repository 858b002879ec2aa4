#include "core/state/kernels.h"

#include <cblas.h>
#include <plastfit/author/simd.h>

/* A matrix product of at least this many multiplications goes to OpenBLAS; below, its call costs
 * more than it saves. */
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

/* What is left of a row, less than PF_LANES: a loop that the compiler unrolls, and does not make
 * vectors of. */
#define FEW(k, n)   \
  if ((k) >= (n)) { \
    break;          \
  }

/*
 * Two presynaptic units are the field's commonest input (two cues). Their rows of weights lie in
 * memory as w00 w01 w10 w11 ..., and are taken PF_LANES at a time; they stay in registers over the
 * steps.
 */
#ifdef PF_SINGLE
#define FIRST_OF_PAIRS(a, b)                       \
  {                                                \
    a[0], a[2], a[4], a[6], b[0], b[2], b[4], b[6] \
  }
#define SECOND_OF_PAIRS(a, b)                      \
  {                                                \
    a[1], a[3], a[5], a[7], b[1], b[3], b[5], b[7] \
  }
#define TWICE_LOW(a)                               \
  {                                                \
    a[0], a[0], a[1], a[1], a[2], a[2], a[3], a[3] \
  }
#define TWICE_HIGH(a)                              \
  {                                                \
    a[4], a[4], a[5], a[5], a[6], a[6], a[7], a[7] \
  }
#define PAIRS(x)                                   \
  {                                                \
    x[0], x[1], x[0], x[1], x[0], x[1], x[0], x[1] \
  }
#else
#define FIRST_OF_PAIRS(a, b) \
  {                          \
    a[0], a[2], b[0], b[2]   \
  }
#define SECOND_OF_PAIRS(a, b) \
  {                           \
    a[1], a[3], b[1], b[3]    \
  }
#define TWICE_LOW(a)       \
  {                        \
    a[0], a[0], a[1], a[1] \
  }
#define TWICE_HIGH(a)      \
  {                        \
    a[2], a[2], a[3], a[3] \
  }
#define PAIRS(x)           \
  {                        \
    x[0], x[1], x[0], x[1] \
  }
#endif

/** drive, of PF_LANES rows of two presynaptic units. */
PF_INLINE void drive_rows_of_two(int64_t n_steps, const pf_real *w, const pf_real *pre,
                                 int64_t ld_pre, pf_real *drive, int64_t ld_drive, const bool add)
{
  const pf_lanes_at *rows = (const pf_lanes_at *)w;
  const pf_lanes low = rows[0], high = rows[1];
  const pf_lanes w0 = FIRST_OF_PAIRS(low, high), w1 = SECOND_OF_PAIRS(low, high);
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *x = pre + t * ld_pre;
    pf_lanes_at *to = (pf_lanes_at *)(drive + t * ld_drive);
    pf_lanes sum = w0 * x[0] + w1 * x[1];
    if (add) {
      sum += *to;
    }
    *to = sum;
  }
}

/** drive, of two presynaptic units whose rows of weights have no gaps. */
PF_INLINE void drive_of_two(int64_t n_steps, int64_t n_post, const pf_real *w, const pf_real *pre,
                            int64_t ld_pre, pf_real *drive, int64_t ld_drive, const bool add)
{
  int64_t i = 0;
  for (; i + PF_LANES <= n_post; i += PF_LANES) {
    drive_rows_of_two(n_steps, w + 2 * i, pre, ld_pre, drive + i, ld_drive, add);
  }
  if (i < n_post && i > 0 && !add) { /* some rows twice, to the same */
    i = n_post - PF_LANES;
    drive_rows_of_two(n_steps, w + 2 * i, pre, ld_pre, drive + i, ld_drive, false);
    return;
  }
  for (int64_t t = 0; t < n_steps && i < n_post; t++) {
    const pf_real x0 = pre[t * ld_pre], x1 = pre[t * ld_pre + 1];
    const pf_real *rows = w + 2 * i;
    pf_real *to = drive + t * ld_drive + i;
    for (int k = 0; k < PF_LANES - 1; k++) {
      FEW(k, n_post - i)
      const pf_real sum = rows[2 * k] * x0 + rows[2 * k + 1] * x1;
      to[k] = add ? to[k] + sum : sum;
    }
  }
}

/** weight_gradient, likewise. */
PF_INLINE void weight_gradient_of_two(int64_t n_steps, int64_t n_post, const pf_real *g_drive,
                                      int64_t ld_drive, const pf_real *pre, int64_t ld_pre,
                                      pf_real *g_w)
{
  int64_t i = 0;
  for (; i + PF_LANES <= n_post; i += PF_LANES) {
    pf_lanes_at *rows = (pf_lanes_at *)(g_w + 2 * i);
    pf_lanes low = rows[0], high = rows[1];
    for (int64_t t = 0; t < n_steps; t++) {
      const pf_lanes d = *(const pf_lanes_at *)(g_drive + t * ld_drive + i), d_low = TWICE_LOW(d),
                     d_high = TWICE_HIGH(d);
      const pf_real *x = pre + t * ld_pre;
      const pf_lanes both = PAIRS(x);
      low += d_low * both;
      high += d_high * both;
    }
    rows[0] = low;
    rows[1] = high;
  }
  if (i + PF_LANES / 2 <= n_post) {
    pf_lanes_at *rows = (pf_lanes_at *)(g_w + 2 * i);
    pf_lanes g = *rows;
    for (int64_t t = 0; t < n_steps; t++) {
      const pf_real *d = g_drive + t * ld_drive + i, *x = pre + t * ld_pre;
      const pf_lanes twice = TWICE_LOW(d), both = PAIRS(x);
      g += twice * both;
    }
    *rows = g;
    i += PF_LANES / 2;
  }
  for (int64_t t = 0; t < n_steps && i < n_post; t++) {
    const pf_real x0 = pre[t * ld_pre], x1 = pre[t * ld_pre + 1];
    const pf_real *d = g_drive + t * ld_drive + i;
    pf_real *rows = g_w + 2 * i;
    for (int k = 0; k < PF_LANES / 2 - 1; k++) {
      FEW(k, n_post - i)
      rows[2 * k] += d[k] * x0;
      rows[2 * k + 1] += d[k] * x1;
    }
  }
}

/** sum[k] = a_k b for four rows a_k, `lda` apart: one sum alone would wait for its own additions.
 */
PF_INLINE void four_dots(int64_t n, const pf_real *a, int64_t lda, const pf_real *b, pf_real sum[4])
{
  const pf_real *a0 = a, *a1 = a0 + lda, *a2 = a1 + lda, *a3 = a2 + lda;
  pf_real sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
  for (int64_t j = 0; j < n; j++) {
    sum0 += a0[j] * b[j];
    sum1 += a1[j] * b[j];
    sum2 += a2[j] * b[j];
    sum3 += a3[j] * b[j];
  }
  sum[0] = sum0;
  sum[1] = sum1;
  sum[2] = sum2;
  sum[3] = sum3;
}

/** to += a from */
PF_INLINE void add_row(int64_t n, pf_real a, const pf_real *from, pf_real *to)
{
  int64_t j = 0;
  for (; j + PF_LANES <= n; j += PF_LANES) {
    *(pf_lanes_at *)(to + j) += a * *(const pf_lanes_at *)(from + j);
  }
  for (int k = 0; k < PF_LANES - 1; k++) {
    FEW(k, n - j)
    to[j + k] += a * from[j + k];
  }
}

PF_INLINE void drive_body(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w,
                          int64_t ldw, const pf_real *pre, int64_t ld_pre, pf_real *drive,
                          int64_t ld_drive, bool add)
{
  if (n_pre == 2 && ldw == 2) {
    if (add) {
      drive_of_two(n_steps, n_post, w, pre, ld_pre, drive, ld_drive, true);
    } else {
      drive_of_two(n_steps, n_post, w, pre, ld_pre, drive, ld_drive, false);
    }
    return;
  }
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n_steps, (int)n_post, (int)n_pre, 1, pre,
         (int)ld_pre, w, (int)ldw, add ? 1 : 0, drive, (int)ld_drive);
    return;
  }
  int64_t t = 0;
  pf_real sum[4];
  for (; n_post == 1 && t + 4 <= n_steps;
       t += 4) { /* a readout: four steps at a time instead of four rows */
    four_dots(n_pre, pre + t * ld_pre, ld_pre, w, sum);
    for (int k = 0; k < 4; k++) {
      pf_real *to = drive + (t + k) * ld_drive;
      *to = add ? *to + sum[k] : sum[k];
    }
  }
  for (; t < n_steps; t++) {
    const pf_real *x = pre + t * ld_pre;
    pf_real *d = drive + t * ld_drive;
    int64_t i = 0;
    for (; i + 4 <= n_post; i += 4) {
      four_dots(n_pre, w + i * ldw, ldw, x, sum);
      for (int k = 0; k < 4; k++) {
        d[i + k] = add ? d[i + k] + sum[k] : sum[k];
      }
    }
    for (; i < n_post; i++) {
      const pf_real *row = w + i * ldw;
      pf_real one = 0;
#pragma omp simd reduction(+ : one)
      for (int64_t j = 0; j < n_pre; j++) {
        one += row[j] * x[j];
      }
      d[i] = add ? d[i] + one : one;
    }
  }
}

PF_INLINE void drive_runs_body(const pf_segment *segments, int64_t n_segments, int64_t n_post,
                               int64_t n_pre, const pf_real *w, int64_t w_stride, int64_t ldw,
                               const pf_real *pre, int64_t ld_pre, pf_real *drive, int64_t ld_drive,
                               bool add)
{
  for (int64_t r = 0; r < n_segments && n_pre == 2 && ldw == 2 && !add; r++) {
    const int64_t first = segments[r].first;
    drive_of_two(segments[r].end - first + 1, n_post, w + r * w_stride, pre + first * ld_pre,
                 ld_pre, drive + first * ld_drive, ld_drive, false);
  }
  if (n_pre == 2 && ldw == 2 && !add) {
    return;
  }
  for (int64_t r = 0; r < n_segments; r++) {
    const int64_t first = segments[r].first;
    drive_body(segments[r].end - first + 1, n_post, n_pre, w + r * w_stride, ldw,
               pre + first * ld_pre, ld_pre, drive + first * ld_drive, ld_drive, add);
  }
}

PF_INLINE void weight_gradient_body(int64_t n_steps, int64_t n_post, int64_t n_pre,
                                    const pf_real *g_drive, int64_t ld_drive, const pf_real *pre,
                                    int64_t ld_pre, pf_real *g_w, int64_t ldw)
{
  if (n_pre == 2 && ldw == 2) {
    weight_gradient_of_two(n_steps, n_post, g_drive, ld_drive, pre, ld_pre, g_w);
    return;
  }
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n_post, (int)n_pre, (int)n_steps, 1, g_drive,
         (int)ld_drive, pre, (int)ld_pre, 1, g_w, (int)ldw);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *x = pre + t * ld_pre;
    for (int64_t i = 0; i < n_post; i++) {
      add_row(n_pre, g_drive[t * ld_drive + i], x, g_w + i * ldw);
    }
  }
}

PF_INLINE void pre_gradient_body(int64_t n_steps, int64_t n_post, int64_t n_pre, const pf_real *w,
                                 int64_t ldw, const pf_real *g_drive, int64_t ld_drive,
                                 pf_real *g_pre, int64_t ld_pre)
{
  if (is_large(n_steps, n_post, n_pre)) {
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n_steps, (int)n_pre, (int)n_post, 1,
         g_drive, (int)ld_drive, w, (int)ldw, 1, g_pre, (int)ld_pre);
    return;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    pf_real *x = g_pre + t * ld_pre;
    for (int64_t i = 0; i < n_post; i++) {
      add_row(n_pre, g_drive[t * ld_drive + i], w + i * ldw, x);
    }
  }
}

PF_INLINE void update_body(int64_t n_post, int64_t n_pre, const pf_update *update,
                           const pf_real *dw, int64_t lddw, const pf_real *w, pf_real *w_out,
                           int64_t ldw)
{
  const pf_real eta = (pf_real)update->eta;
  if (lddw == n_pre && ldw == n_pre &&
      (update->mask == NULL || update->ldm == n_pre)) { /* no gaps: one long row */
    n_pre *= n_post;
    n_post = n_pre > 0;
  }
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

PF_INLINE void scale_body(int64_t n_post, int64_t n_pre, const pf_update *update, const pf_real *g,
                          int64_t ldg, pf_real *out, int64_t ldo)
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

/** One step: a few units at a time, of all planes, so that their slopes stay in a register. */
PF_INLINE void slope_of_step(int64_t n_planes, int64_t n, const pf_real *slope, const pf_real *in,
                             pf_real *out, int64_t ld_out)
{
  int64_t i = 0;
  for (; i + PF_LANES <= n; i += PF_LANES) {
    const pf_lanes of = *(const pf_lanes_at *)(slope + i);
    for (int64_t k = 0; k < n_planes; k++) {
      *(pf_lanes_at *)(out + k * ld_out + i) = of * *(const pf_lanes_at *)(in + k * n + i);
    }
  }
  for (; i < n; i++) {
    const pf_real of = slope[i];
    for (int64_t k = 0; k < n_planes; k++) {
      out[k * ld_out + i] = of * in[k * n + i];
    }
  }
}

PF_INLINE void slope_body(int64_t n_steps, int64_t n_planes, int64_t n, const pf_real *slope,
                          const pf_real *in, pf_real *out, int64_t ld_out, int64_t stride_out)
{
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *from = in + t * n_planes * n;
    pf_real *to = out + t * stride_out;
    if (n == 1 && ld_out == 1) {
      const pf_real of = slope[t];
#pragma omp simd
      for (int64_t k = 0; k < n_planes; k++) {
        to[k] = of * from[k];
      }
    } else {
      slope_of_step(n_planes, n, slope + t * n, from, to, ld_out);
    }
  }
}

#define PF_ISA baseline
#include "core/state/kernel_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "core/state/kernel_ops.h"
#endif

const pf_kernels *pf_kernels_choose(void)
{
  return PF_ISA_CHOOSE(kernels);
}
