/*
 * plugins/rules/stdp/stdp.c - spike-timing-dependent plasticity by traces (all pairs).
 *
 *     p_j   = exp(-dt / tau_plus) p'_j,   q_i = exp(-dt / tau_minus) q'_i,
 *     c_ij  = exp(-dt / tau_c) c'_ij                                            read
 *     s_ij  = A_plus F_plus(w_ij) p_j y_i - A_minus F_minus(w_ij) x_j q_i
 *     dw_ij = s_ij | m s_ij | m c_ij
 *     p'_j <- p_j + x_j,   q'_i <- q_i + y_i,   c'_ij <- c_ij + s_ij            every step
 *
 * Traces decay over the interval dt from the step before to this one, and are then read: spikes a
 * lag apart count exp(-lag / tau). What this step adds is not read: a pair of spikes in the same
 * step does not count, and an eligibility c waits at least one step for its modulator m. F is 1
 * (additive) or (w_max - w), (w - w_min) (multiplicative, soft bounds). x and y are spikes or
 * rates.
 *
 * A. Morrison, M. Diesmann, W. Gerstner, "Phenomenological models of synaptic plasticity based on
 * spike timing", Biol. Cybern. 98:459 (2008), section 4; three factors: E. M. Izhikevich, Cereb.
 * Cortex 17:2443 (2007).
 */
#include <plastfit/abi/plugin.h>

#include "../common/rule_common.h"
#include "../common/time_constant.h"

enum { A_PLUS = 0, A_MINUS = 1, TAU_PLUS = 2, TAU_MINUS = 3, TAU_C = 4, MAX_PARAMETERS = 5 };
enum third { THIRD_NONE, THIRD_GATE, THIRD_ELIGIBILITY, N_THIRDS };

static const char *const third_names[N_THIRDS] = {"none", "gate", "eligibility"};

static const pf_option options[] = {
    {.name = "weight_dependence",
     .type = PF_TYPE_STRING,
     .fallback = "\"additive\"",
     .choices = "additive|multiplicative",
     .help = "multiplicative: soft bounds, potentiation times (w_max - w), depression times (w - "
             "w_min)"},
    {.name = "w_min",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "lower soft bound"},
    {.name = "w_max",
     .type = PF_TYPE_REAL,
     .fallback = "1.0",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "upper soft bound"},
    {.name = "third_factor",
     .type = PF_TYPE_STRING,
     .fallback = "\"none\"",
     .choices = "none|gate|eligibility",
     .help =
         "gate: m times the pairs of this step; eligibility: m times a trace of the pairs so far"},
};

static const pf_modulator modulators[] = {
    {.name = "m",
     .fallback = "reward - expected_reward",
     .per = PF_PER_NETWORK,
     .help = "the third factor"},
};

static const pf_parameter parameters[MAX_PARAMETERS] = {
    {.name = "A_plus",
     .unit = "1",
     .initial = 0.1,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "amplitude where pre comes before post"},
    {.name = "A_minus",
     .unit = "1",
     .initial = 0.1,
     .value = 1.05,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "amplitude where post comes before pre"},
    {.name = "tau_plus",
     .unit = "ms",
     .initial = 20.0,
     .value = 20.0,
     .lower = 0.01,
     .upper = 1e7,
     .help = "time constant of the presynaptic trace; in steps where the data have no time axis"},
    {.name = "tau_minus",
     .unit = "ms",
     .initial = 20.0,
     .value = 20.0,
     .lower = 0.01,
     .upper = 1e7,
     .help = "time constant of the postsynaptic trace; in steps where the data have no time axis"},
    {.name = "tau_c",
     .unit = "ms",
     .initial = 1000.0,
     .value = 1000.0,
     .lower = 0.01,
     .upper = 1e7,
     .help = "time constant of the eligibility; in steps where the data have no time axis"},
};

static const pf_trace traces[] = {
    {.name = "p", .per = PF_PER_PRE, .help = "recent presynaptic activity"},
    {.name = "q", .per = PF_PER_POST, .help = "recent postsynaptic activity"},
    {.name = "c", .per = PF_PER_SYNAPSE, .help = "eligibility: recent pairs"},
};

typedef struct stdp {
  const pf_host *host;
  enum third third;
  int multiplicative;
  pf_real w_min, w_max;
} stdp;

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  const double w_min = given->real(given, "w_min");
  const double w_max = given->real(given, "w_max");
  if (!(w_min < w_max)) {
    return pf_fail_key(error, PF_STOP, "w_max", "w_max = %g is not above w_min = %g", w_max, w_min);
  }
  stdp *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  const char *third = given->string(given, "third_factor");
  self->host = host;
  for (int k = 0; k < N_THIRDS; k++) {
    if (strcmp(third, third_names[k]) == 0) {
      self->third = (enum third)k;
    }
  }
  self->multiplicative = strcmp(given->string(given, "weight_dependence"), "multiplicative") == 0;
  self->w_min = (pf_real)w_min;
  self->w_max = (pf_real)w_max;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  stdp *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  const stdp *self = object;
  (void)error;
  const int waits = self->third == THIRD_ELIGIBILITY;
  out->parameters = (pf_parameter_table){parameters, waits ? 5 : 4, sizeof parameters[0]};
  out->traces = (pf_trace_table){traces, waits ? 3 : 2, sizeof traces[0]};
  out->trace_order = PF_TRACES_BEFORE_STEP;
  out->reads = PF_READS_PRE | PF_READS_POST;
  if (self->third != THIRD_NONE) {
    out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
    out->reads |= PF_READS_MODULATOR;
  }
  if (self->multiplicative) {
    out->reads |= PF_READS_WEIGHT;
  }
  return PF_OK;
}

static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  const stdp *self = object;
  const int latex = format == PF_TEXT_LATEX;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  static const char *const heads[N_THIRDS][2] = {
      {"", ""}, {"m (", "m\\,("}, {"m c, c from ", "m\\,c,\\; c: "}};
  rule_text_add(&out, "%s", heads[self->third][latex]);
  rule_text_term(&out, format, 1, theta[A_PLUS], self->multiplicative ? "(w_max - w) p y" : "p y");
  rule_text_term(&out, format, 0, -theta[A_MINUS],
                 self->multiplicative ? "(w - w_min) x q" : "x q");
  rule_text_add(&out, "%s", self->third == THIRD_GATE ? ")" : "");
  rule_text_add(
      &out, latex ? ",\\; \\tau_+ = %.3g,\\; \\tau_- = %.3g" : ", tau_plus %.3g, tau_minus %.3g",
      theta[TAU_PLUS], theta[TAU_MINUS]);
  if (self->third == THIRD_ELIGIBILITY) {
    rule_text_add(&out, latex ? ",\\; \\tau_c = %.3g" : ", tau_c %.3g", theta[TAU_C]);
  }
  return PF_OK;
}

/* ---- what is left of the traces when they are read ---- */

typedef struct decays {
  rule_decay p, q, c;
} decays;

static pf_status decays_of(const stdp *self, const pf_block *in, decays *out, pf_error *error)
{
  *out = (decays){0};
  pf_status status = rule_decay_of("tau_plus", in->theta[TAU_PLUS], in->dt, &out->p, error);
  if (status != PF_OK) {
    return status;
  }
  status = rule_decay_of("tau_minus", in->theta[TAU_MINUS], in->dt, &out->q, error);
  if (status != PF_OK || self->third != THIRD_ELIGIBILITY) {
    return status;
  }
  return rule_decay_of("tau_c", in->theta[TAU_C], in->dt, &out->c, error);
}

/* ---- pairs: s = up_i F_plus p'_j - down_i F_minus x_j ---- */

/** What of s is the same along row i. */
typedef struct pairs_row {
  pf_real up, down; /**< A_plus y_i and A_minus q'_i, each times what is left of the trace */
} pairs_row;

PF_INLINE pairs_row pairs_of(const pf_block *in, const decays *k, int64_t i)
{
  return (pairs_row){(pf_real)(in->theta[A_PLUS] * k->p.left * (double)in->post[i]),
                     (pf_real)(in->theta[A_MINUS] * k->q.left * (double)in->traces->post[i])};
}

PF_INLINE pf_real f_plus(const stdp *self, pf_real w)
{
  return self->multiplicative ? self->w_max - w : 1;
}

PF_INLINE pf_real f_minus(const stdp *self, pf_real w)
{
  return self->multiplicative ? w - self->w_min : 1;
}

/** s of the synapses of a row, as it enters: out = keep add + scale s. */
typedef struct pairs_use {
  pf_real scale, keep;
  const pf_real *add; /**< NULL: 0 */
} pairs_use;

PF_INLINE void pairs_line(const stdp *self, const pf_block *in, const decays *k, int64_t i,
                          pairs_use use, pf_real *out)
{
  const pairs_row row = pairs_of(in, k, i);
  const pf_real *w = in->w + i * in->ldw;
  const pf_real *x = in->pre;
  const pf_real *p = in->traces->pre;
#pragma omp simd
  for (int64_t j = 0; j < in->n_pre; j++) {
    const pf_real s = row.up * f_plus(self, w[j]) * p[j] - row.down * f_minus(self, w[j]) * x[j];
    out[j] = (use.add == NULL ? 0 : use.keep * use.add[j]) + use.scale * s;
  }
}

/** A cotangent of s along a row: scale c. */
typedef struct pairs_cotangent {
  pf_real scale;
  const pf_real *c;
} pairs_cotangent;

/** Adjoint of s along row i: into every gradient that is wanted. */
PF_INLINE void pairs_line_vjp(const stdp *self, const pf_block *in, const decays *k, int64_t i,
                              pairs_cotangent of, const pf_rule_gradient *gradient)
{
  const pf_real scale = of.scale;
  const pf_real *c = of.c;
  const pairs_row row = pairs_of(in, k, i);
  const pf_real *w = in->w + i * in->ldw;
  const pf_real *x = in->pre;
  const pf_real *p = in->traces->pre;
  const pf_traces *g = gradient->traces;
  double along_up = 0.0, along_down = 0.0;
#pragma omp simd reduction(+ : along_up, along_down)
  for (int64_t j = 0; j < in->n_pre; j++) {
    along_up += (double)(c[j] * f_plus(self, w[j]) * p[j]);
    along_down += (double)(c[j] * f_minus(self, w[j]) * x[j]);
  }
  along_up *= (double)scale;
  along_down *= (double)scale;
  const double a_plus = in->theta[A_PLUS], a_minus = in->theta[A_MINUS];
  if (gradient->theta != NULL) {
    const double d_up = along_up * (double)in->post[i];
    const double d_down = along_down * (double)in->traces->post[i];
    gradient->theta[A_PLUS] += k->p.left * d_up;
    gradient->theta[A_MINUS] -= k->q.left * d_down;
    gradient->theta[TAU_PLUS] += a_plus * k->p.slope * d_up;
    gradient->theta[TAU_MINUS] -= a_minus * k->q.slope * d_down;
  }
  if (gradient->post != NULL) {
    gradient->post[i] += (pf_real)(a_plus * k->p.left * along_up);
  }
  if (g->post != NULL) {
    g->post[i] -= (pf_real)(a_minus * k->q.left * along_down);
  }
  if (g->pre != NULL) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      g->pre[j] += scale * c[j] * row.up * f_plus(self, w[j]);
    }
  }
  if (gradient->pre != NULL) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      gradient->pre[j] -= scale * c[j] * row.down * f_minus(self, w[j]);
    }
  }
  if (gradient->w != NULL && self->multiplicative) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      gradient->w[i * gradient->ldw + j] -= scale * c[j] * (row.up * p[j] + row.down * x[j]);
    }
  }
}

/* ---- tangents ---- */

/** Direction n: planes of what moves, NULL where nothing does. */
typedef struct pairs_tangent {
  double theta[MAX_PARAMETERS];
  const pf_real *x, *y, *w, *p, *q, *c;
  int64_t ldw, ldc;
} pairs_tangent;

static inline pairs_tangent pairs_along(const stdp *self, const pf_rule_tangent *tangent, int64_t n)
{
  const pf_traces *dots = tangent->traces;
  const int64_t at = n * tangent->traces_stride;
  const int count = self->third == THIRD_ELIGIBILITY ? 5 : 4;
  pairs_tangent out = {.x = rule_plane(tangent->pre, n * tangent->pre_stride),
                       .y = rule_plane(tangent->post, n * tangent->post_stride),
                       .w = rule_plane(tangent->w, n * tangent->w_stride),
                       .ldw = tangent->ldw};
  for (int k = 0; k < count && tangent->theta != NULL; k++) {
    out.theta[k] = tangent->theta[n * count + k];
  }
  if (dots != NULL) {
    out.p = rule_plane(dots->pre, at);
    out.q = rule_plane(dots->post, at);
    out.c = rule_plane(dots->synapse, at);
    out.ldc = dots->ldw;
  }
  return out;
}

/** out += scale s' along row i. */
PF_INLINE void pairs_line_jvp(const stdp *self, const pf_block *in, const decays *k, int64_t i,
                              const pairs_tangent *of, pf_real scale, pf_real *out)
{
  const double a_plus = in->theta[A_PLUS], a_minus = in->theta[A_MINUS];
  const double y = (double)in->post[i], q = (double)in->traces->post[i];
  const double y_dot = of->y == NULL ? 0.0 : (double)of->y[i];
  const double q_dot = of->q == NULL ? 0.0 : (double)of->q[i];
  const pairs_row row = pairs_of(in, k, i);
  const pf_real up =
      (pf_real)((of->theta[A_PLUS] * k->p.left + a_plus * k->p.slope * of->theta[TAU_PLUS]) * y +
                a_plus * k->p.left * y_dot);
  const pf_real down =
      (pf_real)((of->theta[A_MINUS] * k->q.left + a_minus * k->q.slope * of->theta[TAU_MINUS]) * q +
                a_minus * k->q.left * q_dot);
  const pf_real *w = in->w + i * in->ldw, *x = in->pre, *p = in->traces->pre;
#pragma omp simd
  for (int64_t j = 0; j < in->n_pre; j++) {
    out[j] += scale * (up * f_plus(self, w[j]) * p[j] - down * f_minus(self, w[j]) * x[j]);
  }
  for (int64_t j = 0; j < in->n_pre && of->p != NULL; j++) {
    out[j] += scale * row.up * f_plus(self, w[j]) * of->p[j];
  }
  for (int64_t j = 0; j < in->n_pre && of->x != NULL; j++) {
    out[j] -= scale * row.down * f_minus(self, w[j]) * of->x[j];
  }
  for (int64_t j = 0; j < in->n_pre && of->w != NULL && self->multiplicative; j++) {
    out[j] -= scale * (row.up * p[j] + row.down * x[j]) * of->w[i * of->ldw + j];
  }
}

/* ---- dw ---- */

/** What dw is times: 1, or the modulator. */
PF_INLINE pf_real third_of(const stdp *self, const pf_block *in)
{
  return self->third == THIRD_NONE ? 1 : in->modulator[0];
}

#define PF_ISA baseline
#include "stdp_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "stdp_ops.h"
#endif

PF_PLUGIN_ENTRY(stdp)
{
  return PF_ISA_CHOOSE(plugin);
}
