/*
 * bench/by-hand/oja_by_hand.c - plugins/rules/oja as one would write it who has all afternoon: the
 * yardstick of bench/author.
 */
#include <plastfit/abi/plugin.h>

#include "plugins/rules/common/rule_common.h"

enum { RATE = 0, DECAY = 1, N_PARAMETERS = 2 };

static const pf_parameter parameters[N_PARAMETERS] = {
    {.name = "rate",
     .label = "x y",
     .unit = "1",
     .initial = 0.1,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the Hebbian part, x y"},
    {.name = "decay",
     .label = "-y^2 w",
     .unit = "1",
     .initial = 0.1,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the forgetting part, y^2 w"},
};

/** Nothing varies between objects, but each must be its own allocation for destroy. */
typedef struct oja {
  const pf_host *host;
} oja;

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  (void)options;
  oja *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  oja *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->reads = PF_READS_PRE | PF_READS_POST | PF_READS_WEIGHT;
  return PF_OK;
}

static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)object;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_term(&out, format, 1, theta[RATE], "x y");
  rule_text_term(&out, format, 0, -theta[DECAY], "y^2 w");
  return PF_OK;
}

/** dw = a x_j - b w_ij along row i. */
typedef struct row_coefficients {
  pf_real a, b;
} row_coefficients;

PF_INLINE row_coefficients coefficients(const pf_block *in, int64_t i)
{
  const double y = (double)in->post[i];
  return (row_coefficients){(pf_real)(in->theta[RATE] * y), (pf_real)(in->theta[DECAY] * y * y)};
}

PF_INLINE void forward_block(const oja *self, const pf_block *in, pf_real *dw, int64_t lddw)
{
  (void)self;
  const pf_real *x = in->pre;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = coefficients(in, i);
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = dw + i * lddw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = row.a * x[j] - row.b * w[j];
    }
  }
}

PF_INLINE void step_block(const oja *self, const pf_block *in, const pf_update *update,
                          pf_real *w_out, int64_t ld_out)
{
  (void)self;
  const pf_real *x = in->pre;
  const pf_real eta = (pf_real)update->eta;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = coefficients(in, i);
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = w_out + i * ld_out;
    if (update->mask == NULL) {
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * (row.a * x[j] - row.b * w[j]);
      }
    } else {
      const pf_real *mask = update->mask + i * update->ldm;
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * mask[j] * (row.a * x[j] - row.b * w[j]);
      }
    }
  }
}

/**
 * The adjoint along n synapses of a row: sum_x += c x, sum_w += c w, gx += c a, gw -= c b, where c
 * is the cotangent of dw: as given, or (FUSED) eta mask gw with gw as on entry.
 */
PF_INLINE void vjp_run(const int FUSED, const int MASKED, row_coefficients row, int64_t n,
                       const pf_real *x, const pf_real *w, const pf_real *cotangent, pf_real eta,
                       pf_real *gx, pf_real *gw, double *sum_x, double *sum_w)
{
  pf_real sx = 0, sw = 0;
#pragma omp simd reduction(+ : sx, sw)
  for (int64_t j = 0; j < n; j++) {
    const pf_real c = FUSED ? (MASKED ? eta * cotangent[j] : eta) * gw[j] : cotangent[j];
    sx += c * x[j];
    sw += c * w[j];
    gx[j] += c * row.a;
    gw[j] -= c * row.b;
  }
  *sum_x += (double)sx;
  *sum_w += (double)sw;
}

/** `cotangent` is the mask (or NULL) where FUSED. */
PF_INLINE void adjoint(const int FUSED, const pf_block *in, const pf_real *cotangent,
                       int64_t ld_cotangent, double eta, const pf_rule_gradient *gradient)
{
  pf_real spare[2 * RULE_CHUNK]; /* what is not wanted is added here and forgotten */
  double g_rate = 0.0, g_decay = 0.0;
  if (gradient->pre == NULL || gradient->w == NULL) {
    memset(spare, 0, sizeof spare);
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = coefficients(in, i);
    const double y = (double)in->post[i];
    double sum_x = 0.0, sum_w = 0.0;
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const int64_t n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK;
      const pf_real *x = in->pre + j;
      const pf_real *w = in->w + i * in->ldw + j;
      const pf_real *c = cotangent != NULL ? cotangent + i * ld_cotangent + j : NULL;
      pf_real *gx = gradient->pre != NULL ? gradient->pre + j : spare;
      pf_real *gw = gradient->w != NULL ? gradient->w + i * gradient->ldw + j : spare + RULE_CHUNK;
      if (FUSED && c == NULL) {
        vjp_run(1, 0, row, n, x, w, NULL, (pf_real)eta, gx, gw, &sum_x, &sum_w);
      } else {
        vjp_run(FUSED, 1, row, n, x, w, c, (pf_real)eta, gx, gw, &sum_x, &sum_w);
      }
    }
    g_rate += y * sum_x;
    g_decay -= y * y * sum_w;
    if (gradient->post != NULL) {
      gradient->post[i] += (pf_real)(in->theta[RATE] * sum_x - 2 * in->theta[DECAY] * y * sum_w);
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[RATE] += g_rate;
    gradient->theta[DECAY] += g_decay;
  }
}

PF_INLINE void vjp_block(const oja *self, const pf_block *in, const pf_real *cotangent,
                         int64_t ld_cotangent, const pf_rule_gradient *gradient)
{
  (void)self;
  adjoint(0, in, cotangent, ld_cotangent, 0.0, gradient);
}

PF_INLINE void step_vjp_block(const oja *self, const pf_block *in, const pf_update *update,
                              const pf_rule_gradient *gradient)
{
  (void)self;
  adjoint(1, in, update->mask, update->ldm, update->eta, gradient);
}

/** Direction t. */
PF_INLINE void tangent_block(const pf_block *in, const pf_rule_tangent *tangent, int64_t t)
{
  const double *theta_dot = tangent->theta != NULL ? tangent->theta + t * N_PARAMETERS : NULL;
  const pf_real *x_dot = tangent->pre != NULL ? tangent->pre + t * tangent->pre_stride : NULL;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = coefficients(in, i);
    const double y = (double)in->post[i];
    const double y_dot =
        tangent->post != NULL ? (double)tangent->post[t * tangent->post_stride + i] : 0.0;
    const double rate_dot = theta_dot != NULL ? theta_dot[RATE] : 0.0;
    const double decay_dot = theta_dot != NULL ? theta_dot[DECAY] : 0.0;
    const pf_real a_dot = (pf_real)(rate_dot * y + in->theta[RATE] * y_dot);
    const pf_real b_dot = (pf_real)(decay_dot * y * y + 2 * in->theta[DECAY] * y * y_dot);
    const pf_real *w = in->w + i * in->ldw;
    const pf_real *w_dot =
        tangent->w != NULL ? tangent->w + t * tangent->w_stride + i * tangent->ldw : NULL;
    pf_real *out = tangent->dw + t * tangent->dw_stride + i * tangent->lddw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = a_dot * in->pre[j] - b_dot * w[j];
    }
    for (int64_t j = 0; x_dot != NULL && j < in->n_pre; j++) {
      out[j] += row.a * x_dot[j];
    }
    for (int64_t j = 0; w_dot != NULL && j < in->n_pre; j++) {
      out[j] -= row.b * w_dot[j];
    }
  }
}

PF_INLINE void jvp_block(const oja *self, const pf_block *in, const pf_rule_tangent *tangent)
{
  (void)self;
  for (int64_t t = 0; t < tangent->n_tangents; t++) {
    tangent_block(in, tangent, t);
  }
}

#define PF_ISA baseline
#include "oja_by_hand_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "oja_by_hand_ops.h"
#endif

PF_PLUGIN_ENTRY(oja_by_hand)
{
  return PF_ISA_CHOOSE(plugin);
}
