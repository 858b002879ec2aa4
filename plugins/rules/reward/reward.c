/*
 * plugins/rules/reward/reward.c - named reward-modulated rules.
 *
 *     x r              dw = rate r x
 *     x y r            dw = rate r x y
 *     covariance       dw = rate r (x - x_mean)
 *     rescorla-wagner  dw = rate x (r - w)
 *
 * each with - decay w where `decay_term` is set. All of them are
 *
 *     dw_ij = a_i (x_j - m) - (b x_j + d) w_ij
 *     a_i = rate r (y_i or 1),  b = rate or 0,  d = decay or 0
 *
 * so there is one kernel. Sources are in README.md.
 */
#include <plastfit/abi/plugin.h>

#include "../common/rule_common.h"

enum { RATE = 0, DECAY = 1, MAX_PARAMETERS = 2 };

enum form { FORM_XR, FORM_XYR, FORM_COVARIANCE, FORM_RESCORLA_WAGNER, N_FORMS };

static const char *const form_names[N_FORMS] = {"x r", "x y r", "covariance", "rescorla-wagner"};

static const pf_option options[] = {
    {.name = "form",
     .type = PF_TYPE_STRING,
     .required = 1,
     .choices = "x r|x y r|covariance|rescorla-wagner",
     .help = "which rule"},
    {.name = "decay_term", .type = PF_TYPE_BOOL, .fallback = "false", .help = "add - decay w"},
    {.name = "x_mean",
     .type = PF_TYPE_REAL,
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "form covariance: mean presynaptic activity that is taken off x, 0 unless given"},
};

/* The reward prediction error is r for all but Rescorla-Wagner, in which w itself is the
 * prediction. */
static const pf_modulator prediction_error[] = {
    {.name = "r",
     .fallback = "reward - expected_reward",
     .per = PF_PER_NETWORK,
     .help = "the reward term r"},
};
static const pf_modulator plain_reward[] = {
    {.name = "r",
     .fallback = "reward",
     .per = PF_PER_NETWORK,
     .help = "the reward r, which w predicts"},
};

static const pf_parameter parameters[MAX_PARAMETERS] = {
    {.name = "rate",
     .label = "rate",
     .unit = "1",
     .initial = 0.1,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the reward-modulated part"},
    {.name = "decay",
     .label = "decay",
     .unit = "1",
     .initial = 0.0,
     .value = 0.05,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the weight decay, - decay w"},
};

typedef struct reward {
  const pf_host *host;
  enum form form;
  int decays;
  double x_mean;
} reward;

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  const char *name = given->string(given, "form");
  int form = 0;
  while (form < N_FORMS && strcmp(form_names[form], name) != 0) {
    form++;
  }
  if (form == N_FORMS) {
    return pf_fail_key(
        error, PF_STOP, "form",
        "found \"%s\", expected one of \"x r\", \"x y r\", \"covariance\", \"rescorla-wagner\"",
        name);
  }
  const int has_mean = given->present(given, "x_mean");
  if (has_mean && form != FORM_COVARIANCE) {
    return pf_fail_key(
        error, PF_STOP, "x_mean",
        "the form \"%s\" takes no mean off x; leave it out, or choose form = \"covariance\"", name);
  }
  reward *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  self->form = (enum form)form;
  self->decays = given->boolean(given, "decay_term");
  self->x_mean = has_mean ? given->real(given, "x_mean") : 0.0;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  reward *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)error;
  const reward *self = object;
  const int predicts = self->form == FORM_RESCORLA_WAGNER;
  out->parameters = (pf_parameter_table){parameters, self->decays ? 2 : 1, sizeof parameters[0]};
  out->modulators =
      (pf_modulator_table){predicts ? plain_reward : prediction_error, 1, sizeof plain_reward[0]};
  out->reads = PF_READS_PRE | PF_READS_MODULATOR;
  out->reads |= self->form == FORM_XYR ? PF_READS_POST : 0;
  out->reads |= predicts || self->decays ? PF_READS_WEIGHT : 0;
  return PF_OK;
}

static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)error;
  const reward *self = object;
  char product[64];
  if (self->form == FORM_RESCORLA_WAGNER) {
    (void)snprintf(product, sizeof product, "x (r - w)");
  } else if (self->form == FORM_COVARIANCE && self->x_mean != 0.0) {
    (void)snprintf(product, sizeof product, "r (x %c %.3g)", self->x_mean < 0 ? '+' : '-',
                   fabs(self->x_mean));
  } else {
    (void)snprintf(product, sizeof product, "%s", self->form == FORM_XYR ? "x y r" : "x r");
  }
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_term(&out, format, 1, theta[RATE], product);
  if (self->decays) {
    rule_text_term(&out, format, 0, -theta[DECAY], "w");
  }
  return PF_OK;
}

/** dw = a (x_j - m) - (b x_j + d) w_ij along a row. */
typedef struct row_coefficients {
  pf_real a, m, b, d;
} row_coefficients;

PF_INLINE row_coefficients row_of(const reward *self, const pf_block *in, int64_t i)
{
  const double y = self->form == FORM_XYR ? (double)in->post[i] : 1.0;
  return (row_coefficients){
      .a = (pf_real)(in->theta[RATE] * (double)in->modulator[0] * y),
      .m = (pf_real)self->x_mean,
      .b = self->form == FORM_RESCORLA_WAGNER ? (pf_real)in->theta[RATE] : 0,
      .d = self->decays ? (pf_real)in->theta[DECAY] : 0,
  };
}

/** One synapse. READS_W 0: no part of the rule reads w, so that a bad weight cannot reach dw
 * through 0 w. */
PF_INLINE pf_real synapse_dw(const int READS_W, row_coefficients row, pf_real x, pf_real w)
{
  const pf_real learned = row.a * (x - row.m);
  return READS_W ? learned - (row.b * x + row.d) * w : learned;
}

PF_INLINE int reads_weight(const reward *self)
{
  return self->form == FORM_RESCORLA_WAGNER || self->decays;
}

PF_INLINE void forward_row(const int READS_W, row_coefficients row, int64_t n, const pf_real *x,
                           const pf_real *w, pf_real *out)
{
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    out[j] = synapse_dw(READS_W, row, x[j], w[j]);
  }
}

PF_INLINE void step_row(const int READS_W, row_coefficients row, const pf_block *in,
                        const pf_update *update, int64_t i, pf_real *out)
{
  const pf_real *x = in->pre, *w = in->w + i * in->ldw;
  const pf_real eta = (pf_real)update->eta;
  if (update->mask == NULL) {
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = w[j] + eta * synapse_dw(READS_W, row, x[j], w[j]);
    }
    return;
  }
  const pf_real *mask = update->mask + i * update->ldm;
#pragma omp simd
  for (int64_t j = 0; j < in->n_pre; j++) {
    out[j] = w[j] + eta * mask[j] * synapse_dw(READS_W, row, x[j], w[j]);
  }
}

/** Sums over synapses of c (x - m), c x w and c w, with c the cotangent of dw. */
typedef struct sums {
  double x, xw, w;
} sums;

/** What the adjoint starts from: the cotangent of dw; of a step (FUSED) mask (or NULL) and eta. */
typedef struct adjoint_input {
  const pf_real *cotangent;
  int64_t ld;
  pf_real eta;
} adjoint_input;

/** Arrays along n synapses of a row. */
typedef struct row_slice {
  int64_t n;
  const pf_real *x, *w, *cotangent;
  pf_real *gx, *gw;
} row_slice;

/** c is the cotangent, or (FUSED) eta mask gw, gw as on entry. */
PF_INLINE void adjoint_row(const int FUSED, const int MASKED, row_coefficients row, row_slice at,
                           pf_real eta, sums *sum)
{
  pf_real sx = 0, sxw = 0, sw = 0;
#pragma omp simd reduction(+ : sx, sxw, sw)
  for (int64_t j = 0; j < at.n; j++) {
    const pf_real c = FUSED ? (MASKED ? eta * at.cotangent[j] : eta) * at.gw[j] : at.cotangent[j];
    const pf_real cw = c * at.w[j];
    sx += c * (at.x[j] - row.m);
    sxw += cw * at.x[j];
    sw += cw;
    at.gx[j] += c * row.a - cw * row.b;
    at.gw[j] -= c * (row.b * at.x[j] + row.d);
  }
  sum->x += (double)sx;
  sum->xw += (double)sxw;
  sum->w += (double)sw;
}

PF_INLINE void add_adjoint(const int FUSED, const reward *self, const pf_block *in,
                           adjoint_input of, const pf_rule_gradient *gradient)
{
  pf_real spare[2 * RULE_CHUNK]; /* what is not wanted is added here and forgotten */
  double g_rate = 0.0, g_decay = 0.0;
  if (gradient->pre == NULL || gradient->w == NULL) {
    memset(spare, 0, sizeof spare);
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = row_of(self, in, i);
    const double y = self->form == FORM_XYR ? (double)in->post[i] : 1.0;
    const double r = (double)in->modulator[0];
    sums sum = {0, 0, 0};
    for (int64_t j = 0; j < in->n_pre; j += RULE_CHUNK) {
      const row_slice at = {.n = in->n_pre - j < RULE_CHUNK ? in->n_pre - j : RULE_CHUNK,
                            .x = in->pre + j,
                            .w = in->w + i * in->ldw + j,
                            .cotangent = of.cotangent != NULL ? of.cotangent + i * of.ld + j : NULL,
                            .gx = gradient->pre != NULL ? gradient->pre + j : spare,
                            .gw = gradient->w != NULL ? gradient->w + i * gradient->ldw + j
                                                      : spare + RULE_CHUNK};
      if (FUSED && at.cotangent == NULL) {
        adjoint_row(1, 0, row, at, of.eta, &sum);
      } else {
        adjoint_row(FUSED, 1, row, at, of.eta, &sum);
      }
    }
    g_rate += r * y * sum.x - (self->form == FORM_RESCORLA_WAGNER ? sum.xw : 0.0);
    g_decay -= sum.w;
    if (self->form == FORM_XYR && gradient->post != NULL) {
      gradient->post[i] += (pf_real)(in->theta[RATE] * r * sum.x);
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[RATE] += g_rate;
    if (self->decays) {
      gradient->theta[DECAY] += g_decay;
    }
  }
}

/** Direction t. */
PF_INLINE void tangent_block(const reward *self, const pf_block *in, const pf_rule_tangent *tangent,
                             int64_t t)
{
  const int64_t n_parameters = self->decays ? 2 : 1;
  const double *theta_dot = tangent->theta != NULL ? tangent->theta + t * n_parameters : NULL;
  const double rate_dot = theta_dot != NULL ? theta_dot[RATE] : 0.0;
  const double r = (double)in->modulator[0];
  const pf_real *x_dot = tangent->pre != NULL ? tangent->pre + t * tangent->pre_stride : NULL;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const row_coefficients row = row_of(self, in, i);
    const double y = self->form == FORM_XYR ? (double)in->post[i] : 1.0;
    const double y_dot = self->form == FORM_XYR && tangent->post != NULL
                             ? (double)tangent->post[t * tangent->post_stride + i]
                             : 0.0;
    const row_coefficients dot = {
        .a = (pf_real)(r * (rate_dot * y + in->theta[RATE] * y_dot)),
        .m = row.m,
        .b = self->form == FORM_RESCORLA_WAGNER ? (pf_real)rate_dot : 0,
        .d = self->decays && theta_dot != NULL ? (pf_real)theta_dot[DECAY] : 0,
    };
    const pf_real *w = in->w + i * in->ldw;
    const pf_real *w_dot =
        tangent->w != NULL ? tangent->w + t * tangent->w_stride + i * tangent->ldw : NULL;
    pf_real *out = tangent->dw + t * tangent->dw_stride + i * tangent->lddw;
    forward_row(1, dot, in->n_pre, in->pre, w, out);
    for (int64_t j = 0; x_dot != NULL && j < in->n_pre; j++) {
      out[j] += (row.a - row.b * w[j]) * x_dot[j];
    }
    for (int64_t j = 0; w_dot != NULL && j < in->n_pre; j++) {
      out[j] -= (row.b * in->pre[j] + row.d) * w_dot[j];
    }
  }
}

#define PF_ISA baseline
#include "reward_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "reward_ops.h"
#endif

PF_PLUGIN_ENTRY(reward)
{
  return PF_ISA_CHOOSE(plugin);
}
