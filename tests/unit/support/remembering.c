#include "tests/unit/support/remembering.h"

#include <math.h>
#include <plastfit/abi/plugin.h>

enum { IN, UNITS, COUPLED, OUT };

/* ---- network ---- */

static pf_status create(const pf_host *host, const pf_options *options, void **self,
                        pf_error *error)
{
  (void)host;
  (void)options;
  (void)error;
  *self = NULL; /* stateless */
  return PF_OK;
}

static void destroy(void *self)
{
  (void)self;
}

static const char *const signal_names[] = {"activity", "drive"};

static pf_status declared(const void *self, pf_network_declaration *out, pf_error *error)
{
  static const pf_population populations[] = {
      {.name = "input",
       .n = REMEMBERING_IN,
       .signals = {signal_names, 1},
       .flags = PF_POPULATION_INPUT},
      {.name = "units", .n = REMEMBERING_UNITS, .n_state = 2, .signals = {signal_names, 2}},
      {.name = "coupled",
       .n = REMEMBERING_COUPLED,
       .n_state = 1,
       .signals = {signal_names, 1},
       .flags = PF_POPULATION_COUPLED},
      {.name = "output", .n = REMEMBERING_OUT, .signals = {signal_names, 1}}};
  static const pf_projection projections[] = {
      {.name = "in", .pre = IN, .post = UNITS, .flags = PF_PROJECTION_PLASTIC},
      {.name = "back",
       .pre = UNITS,
       .post = UNITS,
       .when = PF_PRE_PREVIOUS,
       .flags = PF_PROJECTION_PLASTIC},
      {.name = "feedback",
       .pre = COUPLED,
       .post = UNITS,
       .when = PF_PRE_PREVIOUS,
       .flags = PF_PROJECTION_PLASTIC},
      {.name = "out", .pre = UNITS, .post = COUPLED, .signal = 1, .flags = PF_PROJECTION_PLASTIC},
      {.name = "late", .pre = IN, .post = COUPLED, .when = PF_PRE_PREVIOUS},
      {.name = "read", .pre = COUPLED, .post = OUT}};
  static const pf_observable observables[] = {{.name = "units", .population = UNITS},
                                              {.name = "coupled", .population = COUPLED},
                                              {.name = "output", .population = OUT}};
  static const pf_parameter parameters[] = {
      {.name = "leak", .initial = 0.4, .lower = -INFINITY, .upper = INFINITY},
      {.name = "gain", .initial = 0.3, .lower = -INFINITY, .upper = INFINITY},
      {.name = "start", .initial = 0.2, .lower = -INFINITY, .upper = INFINITY},
      {.name = "scale", .initial = 0.5, .lower = -INFINITY, .upper = INFINITY}};
  (void)self;
  (void)error;
  out->populations = (pf_population_table)PF_TABLE_OF(populations);
  out->projections = (pf_projection_table)PF_TABLE_OF(projections);
  out->observables = (pf_observable_table)PF_TABLE_OF(observables);
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->n_noise = REMEMBERING_NOISE;
  return PF_OK;
}

static const int64_t n_post_of[] = {REMEMBERING_UNITS,   REMEMBERING_UNITS,   REMEMBERING_UNITS,
                                    REMEMBERING_COUPLED, REMEMBERING_COUPLED, REMEMBERING_OUT};
static const int64_t n_pre_of[] = {REMEMBERING_IN,    REMEMBERING_UNITS, REMEMBERING_COUPLED,
                                   REMEMBERING_UNITS, REMEMBERING_IN,    REMEMBERING_COUPLED};

static pf_status initial(const void *self, const double *theta, const double *noise,
                         const pf_initial *out, pf_error *error)
{
  (void)self;
  (void)error;
  for (int q = 0; q < 6; q++) {
    for (int64_t i = 0; i < n_post_of[q]; i++) {
      for (int64_t j = 0; j < n_pre_of[q]; j++, noise++) {
        if (out->w[q] != NULL) {
          out->w[q][i * out->ldw[q] + j] = (pf_real)(theta[3] * *noise);
        }
      }
    }
  }
  for (int p = UNITS; p <= COUPLED && out->state != NULL; p++) {
    const int64_t n = p == UNITS ? REMEMBERING_UNITS : REMEMBERING_COUPLED;
    for (int64_t k = 0; k < (p == UNITS ? 2 : 1); k++) {
      for (int64_t i = 0; i < n; i++) {
        out->state[p][k * out->ld_state[p] + i] = (pf_real)(theta[2] * (1.0 + (double)(i + k)));
      }
    }
  }
  return PF_OK;
}

static pf_status initial_vjp(const void *self, const double *theta, const double *noise,
                             const pf_initial *g, double *gradient, pf_error *error)
{
  (void)self;
  (void)theta;
  (void)error;
  for (int q = 0; q < 6; q++) {
    for (int64_t i = 0; i < n_post_of[q]; i++) {
      for (int64_t j = 0; j < n_pre_of[q]; j++, noise++) {
        gradient[3] += g->w[q] != NULL ? *noise * (double)g->w[q][i * g->ldw[q] + j] : 0.0;
      }
    }
  }
  for (int p = UNITS; p <= COUPLED; p++) {
    const int64_t n = p == UNITS ? REMEMBERING_UNITS : REMEMBERING_COUPLED;
    for (int64_t k = 0; k < (p == UNITS ? 2 : 1); k++) {
      for (int64_t i = 0; i < n; i++) {
        gradient[2] += (1.0 + (double)(i + k)) * (double)g->state[p][k * g->ld_state[p] + i];
      }
    }
  }
  return PF_OK;
}

/*
 * units: v' = (1 - leak) v + leak drive, s' = 0.8 s + 0.2 tanh(v'), y = tanh(v' - gain s); "drive":
 * v'. coupled: v' = 0.5 v + drive, y_i = tanh(v'_i) (1 - 0.1 mean_j v'_j). output: y = drive.
 */
static pf_status activate(const void *self, const pf_units *in, const pf_response *out,
                          pf_error *error)
{
  (void)self;
  (void)error;
  if (in->population == OUT) {
    for (int64_t t = 0; t < in->n_steps; t++) {
      for (int64_t i = 0; i < in->n_rows; i++) {
        out->signals[t * out->ld_signal + i] = in->drive[t * in->ld_drive + i];
      }
    }
    return PF_OK;
  }
  if (in->n_steps != 1) {
    return pf_fail(error, PF_STOP, "several steps of a population with state");
  }
  if (in->population == UNITS) {
    const double leak = in->theta[0], gain = in->theta[1];
    for (int64_t i = 0; i < in->n_rows; i++) {
      const double v = (1.0 - leak) * (double)in->state[i] + leak * (double)in->drive[i];
      const double s = (double)in->state[in->ld_state + i];
      out->state[i] = (pf_real)v;
      out->state[out->ld_state + i] = (pf_real)(0.8 * s + 0.2 * tanh(v));
      out->signals[i] = (pf_real)tanh(v - gain * s);
      out->signals[out->signal_stride + i] = (pf_real)v;
    }
    return PF_OK;
  }
  if (in->row0 != 0 || in->n_rows != REMEMBERING_COUPLED) {
    return pf_fail(error, PF_STOP, "a part of a coupled population");
  }
  double mean = 0.0;
  for (int64_t i = 0; i < in->n_rows; i++) {
    out->state[i] = (pf_real)0.5 * in->state[i] + in->drive[i];
    mean += (double)out->state[i] / REMEMBERING_COUPLED;
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    out->signals[i] = (pf_real)(tanh((double)out->state[i]) * (1.0 - 0.1 * mean));
  }
  return PF_OK;
}

static pf_status activate_vjp(const void *self, const pf_units *in, const pf_response *value,
                              const pf_response *g, const pf_units_gradient *out, pf_error *error)
{
  (void)self;
  (void)error;
  if (in->population == OUT) {
    for (int64_t t = 0; t < in->n_steps; t++) {
      for (int64_t i = 0; i < in->n_rows; i++) {
        out->drive[t * out->ld_drive + i] += g->signals[t * g->ld_signal + i];
      }
    }
    return PF_OK;
  }
  if (in->population == UNITS) {
    const double leak = in->theta[0], gain = in->theta[1];
    for (int64_t i = 0; i < in->n_rows; i++) {
      const double v = (double)value->state[i], s = (double)in->state[in->ld_state + i],
                   th = tanh(v);
      const double y = (double)value->signals[i];
      const double g_inside = (double)g->signals[i] * (1.0 - y * y),
                   g_s = (double)g->state[g->ld_state + i];
      const double g_v = (double)g->state[i] + (double)g->signals[g->signal_stride + i] + g_inside +
                         0.2 * g_s * (1.0 - th * th);
      out->drive[i] += (pf_real)(leak * g_v);
      out->state[i] += (pf_real)((1.0 - leak) * g_v);
      out->state[out->ld_state + i] += (pf_real)(0.8 * g_s - gain * g_inside);
      if (out->theta != NULL) {
        out->theta[0] += g_v * ((double)in->drive[i] - (double)in->state[i]);
        out->theta[1] -= g_inside * s;
      }
    }
    return PF_OK;
  }
  double mean = 0.0, g_mean = 0.0;
  for (int64_t i = 0; i < in->n_rows; i++) {
    mean += (double)value->state[i] / REMEMBERING_COUPLED;
    g_mean -= 0.1 * (double)g->signals[i] * tanh((double)value->state[i]);
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double th = tanh((double)value->state[i]);
    const double g_v = (double)g->state[i] +
                       (double)g->signals[i] * (1.0 - th * th) * (1.0 - 0.1 * mean) +
                       g_mean / REMEMBERING_COUPLED;
    out->drive[i] += (pf_real)g_v;
    out->state[i] += (pf_real)(0.5 * g_v);
  }
  return PF_OK;
}

static const pf_network_ops network_ops = {.size = sizeof network_ops,
                                           .create = create,
                                           .destroy = destroy,
                                           .declare = declared,
                                           .initial = initial,
                                           .activate = activate,
                                           .activate_vjp = activate_vjp,
                                           .initial_vjp = initial_vjp};

const pf_plugin remembering_network = {PF_PLUGIN_HEAD(PF_KIND_NETWORK), .name = "remembering",
                                       .network = &network_ops};

/* ---- the same, row-separable ---- */

enum { SEPARABLE_UNITS = 1, SEPARABLE_OUT = 2 };

static pf_status separable_declare(const void *self, pf_network_declaration *out, pf_error *error)
{
  static const pf_population populations[] = {
      {.name = "input",
       .n = REMEMBERING_IN,
       .signals = {signal_names, 1},
       .flags = PF_POPULATION_INPUT},
      {.name = "units", .n = 9, .signals = {signal_names, 1}},
      {.name = "output", .n = REMEMBERING_OUT, .signals = {signal_names, 1}}};
  static const pf_projection projections[] = {
      {.name = "in",
       .pre = 0,
       .post = 1,
       .flags = PF_PROJECTION_PLASTIC | PF_PROJECTION_ROW_SEPARABLE},
      {.name = "read",
       .pre = 1,
       .post = 2,
       .flags = PF_PROJECTION_PLASTIC | PF_PROJECTION_ROW_SEPARABLE}};
  static const pf_observable observables[] = {{.name = "units", .population = 1},
                                              {.name = "output", .population = 2}};
  (void)self;
  (void)error;
  out->populations = (pf_population_table)PF_TABLE_OF(populations);
  out->projections = (pf_projection_table)PF_TABLE_OF(projections);
  out->observables = (pf_observable_table)PF_TABLE_OF(observables);
  out->n_noise = 9 * REMEMBERING_IN + REMEMBERING_OUT * 9;
  return PF_OK;
}

static pf_status separable_initial(const void *self, const double *theta, const double *noise,
                                   const pf_initial *out, pf_error *error)
{
  static const int64_t n_post[] = {9, REMEMBERING_OUT}, n_pre[] = {REMEMBERING_IN, 9};
  (void)self;
  (void)theta;
  (void)error;
  for (int q = 0; q < 2; q++) {
    for (int64_t i = 0; i < n_post[q]; i++) {
      for (int64_t j = 0; j < n_pre[q]; j++, noise++) {
        if (out->w[q] != NULL) {
          out->w[q][i * out->ldw[q] + j] = (pf_real)(0.5 * *noise);
        }
      }
    }
  }
  return PF_OK;
}

static pf_status separable_activate(const void *self, const pf_units *in, const pf_response *out,
                                    pf_error *error)
{
  (void)self;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      out->signals[t * out->ld_signal + i] = (pf_real)tanh((double)in->drive[t * in->ld_drive + i]);
    }
  }
  return PF_OK;
}

static pf_status separable_vjp(const void *self, const pf_units *in, const pf_response *value,
                               const pf_response *g, const pf_units_gradient *out, pf_error *error)
{
  (void)self;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    for (int64_t i = 0; i < in->n_rows; i++) {
      const pf_real y = value->signals[t * value->ld_signal + i];
      out->drive[t * out->ld_drive + i] += g->signals[t * g->ld_signal + i] * (1 - y * y);
    }
  }
  return PF_OK;
}

static const pf_network_ops separable_ops = {.size = sizeof separable_ops,
                                             .create = create,
                                             .destroy = destroy,
                                             .declare = separable_declare,
                                             .initial = separable_initial,
                                             .activate = separable_activate,
                                             .activate_vjp = separable_vjp};

const pf_plugin separable_network = {PF_PLUGIN_HEAD(PF_KIND_NETWORK), .name = "separable",
                                     .network = &separable_ops};

/* ---- rule ---- */

enum { DN, DP, DQ, DE, GE, GQ, GN, GX };

static pf_status rule_declare(pf_rule_declaration *out, uint32_t order)
{
  static const pf_parameter parameters[TRACING_PARAMETERS] = {
      {.name = "dn"}, {.name = "dp"}, {.name = "dq"}, {.name = "de"},
      {.name = "ge"}, {.name = "gq"}, {.name = "gn"}, {.name = "gx"}};
  static const pf_modulator modulators[] = {{.name = "r", .fallback = "reward - expected_reward"}};
  static const pf_trace traces[] = {{.name = "e", .per = PF_PER_SYNAPSE, .initial = 0.1},
                                    {.name = "p", .per = PF_PER_PRE, .initial = 0.2},
                                    {.name = "n", .per = PF_PER_NETWORK, .initial = -0.3},
                                    {.name = "q", .per = PF_PER_POST, .initial = 0.05}};
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
  out->traces = (pf_trace_table)PF_TABLE_OF(traces);
  out->trace_order = order;
  return PF_OK;
}

static pf_status needs_before(const void *self, pf_rule_declaration *out, pf_error *error)
{
  (void)self;
  (void)error;
  return rule_declare(out, PF_TRACES_BEFORE_STEP);
}

static pf_status needs_after(const void *self, pf_rule_declaration *out, pf_error *error)
{
  (void)self;
  (void)error;
  return rule_declare(out, PF_TRACES_AFTER_STEP);
}

static pf_status forward(const void *self, const pf_block *in, pf_real *dw, int64_t lddw,
                         pf_error *error)
{
  const double *th = in->theta, r = (double)in->modulator[0], n = (double)in->traces->network[0];
  (void)self;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double x = (double)in->pre[j], y = (double)in->post[i],
                   w = (double)in->w[i * in->ldw + j];
      const double e = (double)in->traces->synapse[i * in->traces->ldw + j];
      const double p = (double)in->traces->pre[j], q = (double)in->traces->post[i];
      dw[i * lddw + j] =
          (pf_real)(th[GE] * e * r + th[GQ] * (x * q + p * y) + th[GN] * n * w + th[GX] * x * r);
    }
  }
  return PF_OK;
}

static pf_status vjp(const void *self, const pf_block *in, const pf_real *c, int64_t ldc,
                     const pf_rule_gradient *g, pf_error *error)
{
  const double *th = in->theta, r = (double)in->modulator[0], n = (double)in->traces->network[0];
  (void)self;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double x = (double)in->pre[j], y = (double)in->post[i],
                   w = (double)in->w[i * in->ldw + j];
      const double e = (double)in->traces->synapse[i * in->traces->ldw + j];
      const double p = (double)in->traces->pre[j], q = (double)in->traces->post[i];
      const double k = (double)c[i * ldc + j];
      g->theta[GE] += k * e * r;
      g->theta[GQ] += k * (x * q + p * y);
      g->theta[GN] += k * n * w;
      g->theta[GX] += k * x * r;
      g->w[i * g->ldw + j] += (pf_real)(k * th[GN] * n);
      g->post[i] += (pf_real)(k * th[GQ] * p);
      if (g->pre != NULL) {
        g->pre[j] += (pf_real)(k * (th[GQ] * q + th[GX] * r));
      }
      g->traces->synapse[i * g->traces->ldw + j] += (pf_real)(k * th[GE] * r);
      g->traces->pre[j] += (pf_real)(k * th[GQ] * y);
      g->traces->post[i] += (pf_real)(k * th[GQ] * x);
      g->traces->network[0] += (pf_real)(k * th[GN] * w);
    }
  }
  return PF_OK;
}

static pf_status advance(const void *self, const pf_block *in, const pf_traces *next,
                         pf_error *error)
{
  const double *th = in->theta, r = (double)in->modulator[0], n = (double)in->traces->network[0];
  (void)self;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = (double)in->post[i];
    for (int64_t j = 0; j < in->n_pre; j++) {
      next->synapse[i * next->ldw + j] =
          (pf_real)(th[DE] * (double)in->traces->synapse[i * in->traces->ldw + j] +
                    (double)in->traces->pre[j] * y + 0.1 * (double)in->w[i * in->ldw + j] * n);
    }
    next->post[i] = (pf_real)(th[DQ] * (double)in->traces->post[i] + y + 0.1 * in->dt);
  }
  for (int64_t j = 0; j < in->n_pre && next->pre != NULL; j++) {
    next->pre[j] =
        (pf_real)(th[DP] * (double)in->traces->pre[j] + (double)in->pre[j] * (1.0 + 0.1 * r));
  }
  if (next->network != NULL) {
    next->network[0] = (pf_real)(th[DN] * n + r);
  }
  return PF_OK;
}

static pf_status update_traces_vjp(const void *self, const pf_block *in, const pf_traces *c,
                                   const pf_rule_gradient *g, pf_error *error)
{
  const double *th = in->theta, r = (double)in->modulator[0], n = (double)in->traces->network[0];
  (void)self;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const double y = (double)in->post[i], cq = (double)c->post[i];
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double k = (double)c->synapse[i * c->ldw + j], p = (double)in->traces->pre[j];
      const double w = (double)in->w[i * in->ldw + j];
      g->theta[DE] += k * (double)in->traces->synapse[i * in->traces->ldw + j];
      g->traces->synapse[i * g->traces->ldw + j] += (pf_real)(k * th[DE]);
      g->traces->pre[j] += (pf_real)(k * y);
      g->post[i] += (pf_real)(k * p);
      g->w[i * g->ldw + j] += (pf_real)(k * 0.1 * n);
      g->traces->network[0] += (pf_real)(k * 0.1 * w);
    }
    g->theta[DQ] += cq * (double)in->traces->post[i];
    g->traces->post[i] += (pf_real)(cq * th[DQ]);
    g->post[i] += (pf_real)cq;
  }
  for (int64_t j = 0; j < in->n_pre && c->pre != NULL; j++) {
    const double k = (double)c->pre[j];
    g->theta[DP] += k * (double)in->traces->pre[j];
    g->traces->pre[j] += (pf_real)(k * th[DP]);
    if (g->pre != NULL) {
      g->pre[j] += (pf_real)(k * (1.0 + 0.1 * r));
    }
  }
  if (c->network != NULL) {
    g->theta[DN] += (double)c->network[0] * n;
    g->traces->network[0] += (pf_real)((double)c->network[0] * th[DN]);
  }
  return PF_OK;
}

#define RULE_OPS(needs_op)                                                                  \
  {                                                                                         \
    .size = sizeof(pf_rule_ops), .create = create, .destroy = destroy, .declare = needs_op, \
    .forward = forward, .vjp = vjp, .update_traces = advance,                               \
    .update_traces_vjp = update_traces_vjp                                                  \
  }

static const pf_rule_ops ops_before = RULE_OPS(needs_before);
static const pf_rule_ops ops_after = RULE_OPS(needs_after);

const pf_plugin tracing_rule_before = {PF_PLUGIN_HEAD(PF_KIND_RULE), .name = "before",
                                       .rule = &ops_before};
const pf_plugin tracing_rule_after = {PF_PLUGIN_HEAD(PF_KIND_RULE), .name = "after",
                                      .rule = &ops_after};
