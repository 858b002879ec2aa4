/*
 * bench/by-hand/bcm_by_hand.c - examples/bcm as one would write it who has all afternoon: the
 * yardstick of bench/author. dw = a x - decay w along a row, a = rate y (y - threshold), so that a
 * row needs two sums only.
 */
#include <plastfit/abi/plugin.h>

#include "plugins/rules/common/rule_common.h"

enum { RATE = 0, THRESHOLD = 1, DECAY = 2, N_PARAMETERS = 3 };

static const pf_parameter parameters[N_PARAMETERS] = {
    {.name = "rate", .unit = "1", .initial = 0.1, .value = 0.1, .lower = 0.0, .upper = INFINITY},
    {.name = "threshold",
     .unit = "activity",
     .initial = 0.5,
     .value = 0.5,
     .lower = -INFINITY,
     .upper = INFINITY},
    {.name = "decay", .unit = "1", .initial = 0.01, .value = 0.01, .lower = 0.0, .upper = INFINITY},
};

typedef struct bcm {
  const pf_host *host;
} bcm;

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  (void)options;
  bcm *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  bcm *self = object;
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

PF_INLINE pf_real slope(const pf_block *in, int64_t i)
{
  const double y = (double)in->post[i];
  return (pf_real)(in->theta[RATE] * y * (y - in->theta[THRESHOLD]));
}

PF_INLINE void forward_block(const pf_block *in, pf_real *dw, int64_t lddw)
{
  const pf_real *x = in->pre;
  const pf_real decay = (pf_real)in->theta[DECAY];
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real a = slope(in, i);
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = dw + i * lddw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = a * x[j] - decay * w[j];
    }
  }
}

PF_INLINE void step_block(const pf_block *in, const pf_update *update, pf_real *w_out,
                          int64_t ld_out)
{
  const pf_real *x = in->pre;
  const pf_real eta = (pf_real)update->eta, decay = (pf_real)in->theta[DECAY];
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real a = slope(in, i);
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = w_out + i * ld_out;
    if (update->mask == NULL) {
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * (a * x[j] - decay * w[j]);
      }
    } else {
      const pf_real *mask = update->mask + i * update->ldm;
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * mask[j] * (a * x[j] - decay * w[j]);
      }
    }
  }
}

PF_INLINE void vjp_run(const int FUSED, const int MASKED, pf_real a, pf_real decay, int64_t n,
                       const pf_real *x, const pf_real *w, const pf_real *cotangent, pf_real eta,
                       pf_real *gx, pf_real *gw, double *sum_x, double *sum_w)
{
  pf_real sx = 0, sw = 0;
#pragma omp simd reduction(+ : sx, sw)
  for (int64_t j = 0; j < n; j++) {
    const pf_real c = FUSED ? (MASKED ? eta * cotangent[j] : eta) * gw[j] : cotangent[j];
    sx += c * x[j];
    sw += c * w[j];
    gx[j] += c * a;
    gw[j] -= c * decay;
  }
  *sum_x += (double)sx;
  *sum_w += (double)sw;
}

/** `cotangent` is the mask (or NULL) where FUSED. */
PF_INLINE void vjp_block(const int FUSED, const pf_block *in, const pf_real *cotangent,
                         int64_t ld_cotangent, double eta, const pf_rule_gradient *gradient)
{
  pf_real spare[2 * RULE_CHUNK]; /* what is not wanted is added here and forgotten */
  double g_rate = 0.0, g_threshold = 0.0, g_decay = 0.0;
  const double rate = in->theta[RATE], threshold = in->theta[THRESHOLD];
  if (gradient->pre == NULL || gradient->w == NULL) {
    memset(spare, 0, sizeof spare);
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
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
        vjp_run(1, 0, slope(in, i), (pf_real)in->theta[DECAY], n, x, w, NULL, (pf_real)eta, gx, gw,
                &sum_x, &sum_w);
      } else {
        vjp_run(FUSED, 1, slope(in, i), (pf_real)in->theta[DECAY], n, x, w, c, (pf_real)eta, gx, gw,
                &sum_x, &sum_w);
      }
    }
    g_rate += y * (y - threshold) * sum_x;
    g_threshold -= rate * y * sum_x;
    g_decay -= sum_w;
    if (gradient->post != NULL) {
      gradient->post[i] += (pf_real)(rate * (2 * y - threshold) * sum_x);
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[RATE] += g_rate;
    gradient->theta[THRESHOLD] += g_threshold;
    gradient->theta[DECAY] += g_decay;
  }
}

#define PF_ISA baseline
#include "bcm_by_hand_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "bcm_by_hand_ops.h"
#endif

PF_PLUGIN_ENTRY(bcm_by_hand)
{
  return PF_ISA_CHOOSE(plugin);
}
