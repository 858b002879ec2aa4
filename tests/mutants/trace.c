/*
 * A rule with traces of three kinds and its mutants (rule.c says how they work):
 *
 *     p_j' = k p_j + (1 - k) x_j,   k = exp(-dt / tau)
 *     q_i' = k q_i + y_i
 *     e_ij' = k e_ij + x_j y_i w_ij
 *     dw = gain e_ij m + p_j q_i
 */
#include <math.h>
#include <plastfit/abi/plugin.h>

#ifndef MUTANT
#define MUTANT 0
#endif
#define IF(n, broken, right) (MUTANT == (n) ? (broken) : (right))

typedef struct rule {
  const pf_host *host;
} rule;

static const pf_parameter parameters[2] = {
    {.name = "gain",
     .unit = "1",
     .initial = 0.5,
     .value = 1,
     .lower = -INFINITY,
     .upper = INFINITY},
    {.name = "tau", .unit = "ms", .initial = 3.0, .value = 3, .lower = 0.1, .upper = INFINITY}};
static const pf_trace traces[3] = {{.name = "p", .per = PF_PER_PRE},
                                   {.name = "q", .per = PF_PER_POST},
                                   {.name = "e", .per = PF_PER_SYNAPSE}};
static const pf_modulator modulators[1] = {{.name = "m", .fallback = "reward"}};

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  rule *self = host->allocate(host, sizeof *self);
  (void)options;
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  rule *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->traces = (pf_trace_table)PF_TABLE_OF(traces);
  out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
  return PF_OK;
}

static int64_t ld_of(const pf_block *in)
{
  return IF(4, in->n_pre, in->traces->ldw);
}

static pf_status forward(const void *object, const pf_block *in, pf_real *dw, int64_t lddw,
                         pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      dw[i * lddw + j] = (pf_real)(in->theta[0] * (double)in->traces->synapse[i * ld_of(in) + j] *
                                       (double)in->modulator[0] +
                                   (double)in->traces->pre[j] * (double)in->traces->post[i]);
    }
  }
  return PF_OK;
}

static pf_status vjp(const void *object, const pf_block *in, const pf_real *c, int64_t ld,
                     const pf_rule_gradient *g, pf_error *error)
{
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double k = (double)c[i * ld + j], m = (double)in->modulator[0];
      if (g->theta != NULL) {
        g->theta[0] += k * m * (double)in->traces->synapse[i * in->traces->ldw + j];
      }
      if (g->traces->synapse != NULL) {
        g->traces->synapse[i * g->traces->ldw + j] += (pf_real)(k * m * in->theta[0]);
      }
      if (g->traces->pre != NULL && MUTANT != 1) {
        g->traces->pre[j] += (pf_real)(k * (double)in->traces->post[i]);
      }
      if (g->traces->post != NULL) {
        g->traces->post[i] += (pf_real)(k * (double)in->traces->pre[j]);
      }
    }
  }
  return PF_OK;
}

static pf_status update_traces(const void *object, const pf_block *in, const pf_traces *next,
                               pf_error *error)
{
  const double k = exp(-in->dt / in->theta[1]);
  (void)object;
  (void)error;
  for (int64_t j = 0; (next->pre != NULL || MUTANT == 5) && j < in->n_pre; j++) {
    next->pre[j] = (pf_real)(k * (double)in->traces->pre[j] + (1 - k) * (double)in->pre[j]);
  }
  for (int64_t i = 0; next->post != NULL && i < in->n_rows; i++) {
    next->post[i] = (pf_real)(k * (double)in->traces->post[i] + (double)in->post[i]);
    if (MUTANT == 7) {
      in->traces->post[i] = next->post[i];
    }
  }
  for (int64_t i = 0; next->synapse != NULL && MUTANT != 3 && i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      next->synapse[i * next->ldw + j] =
          (pf_real)(k * (double)in->traces->synapse[i * ld_of(in) + j] +
                    (double)in->pre[j] * (double)in->post[i] * (double)in->w[i * in->ldw + j]);
    }
  }
  return PF_OK;
}

static pf_status update_traces_vjp(const void *object, const pf_block *in, const pf_traces *c,
                                   const pf_rule_gradient *g, pf_error *error)
{
  const double k = exp(-in->dt / in->theta[1]),
               dk = k * IF(2, 1.0, in->dt) / (in->theta[1] * in->theta[1]);
  double tau = 0.0;
  (void)object;
  (void)error;
  for (int64_t j = 0; (c->pre != NULL || MUTANT == 9) && j < in->n_pre; j++) {
    const double a = (double)c->pre[j];
    tau += a * dk * ((double)in->traces->pre[j] - (double)in->pre[j]);
    if (g->traces->pre != NULL) {
      g->traces->pre[j] += (pf_real)(a * k);
    }
    if (g->pre != NULL) {
      g->pre[j] += (pf_real)(a * (1 - k));
    }
  }
  for (int64_t i = 0; c->post != NULL && i < in->n_rows; i++) {
    const double a = (double)c->post[i];
    tau += a * dk * (double)in->traces->post[i];
    if (g->traces->post != NULL) {
      g->traces->post[i] += (pf_real)(a * k);
    }
    if (g->post != NULL) {
      g->post[i] += (pf_real)a;
    }
  }
  for (int64_t i = 0; c->synapse != NULL && i < in->n_rows; i++) {
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double a = (double)c->synapse[i * c->ldw + j], x = (double)in->pre[j],
                   y = (double)in->post[i], w = (double)in->w[i * in->ldw + j];
      tau += a * dk * (double)in->traces->synapse[i * in->traces->ldw + j];
      if (g->traces->synapse != NULL) {
        g->traces->synapse[i * g->traces->ldw + j] += (pf_real)(a * k);
      }
      if (g->pre != NULL) {
        g->pre[j] += (pf_real)(a * y * w);
      }
      if (g->post != NULL) {
        g->post[i] += (pf_real)(a * x * w);
      }
      if (g->w != NULL) {
        g->w[i * g->ldw + j] += (pf_real)(a * x * y);
      }
    }
  }
  if (g->theta != NULL) {
    g->theta[1] += tau;
  }
  return PF_OK;
}

static double at(const pf_real *plane, int64_t offset)
{
  return plane == NULL ? 0.0 : (double)plane[offset];
}

static pf_status update_traces_jvp(const void *object, const pf_block *in, const pf_rule_tangent *t,
                                   const pf_traces *next, pf_error *error)
{
  const double k = exp(-in->dt / in->theta[1]);
  (void)object;
  (void)error;
  for (int64_t n = 0; n < t->n_tangents; n++) {
    const double dk =
        t->theta == NULL ? 0.0 : t->theta[2 * n + 1] * k * in->dt / (in->theta[1] * in->theta[1]);
    const int64_t s = n * t->traces_stride;
    for (int64_t j = 0; next->pre != NULL && j < in->n_pre; j++) {
      next->pre[s + j] =
          (pf_real)(dk * ((double)in->traces->pre[j] - (double)in->pre[j]) +
                    k * at(t->traces->pre, s + j) + (1 - k) * at(t->pre, n * t->pre_stride + j));
    }
    for (int64_t i = 0; next->post != NULL && i < in->n_rows; i++) {
      next->post[s + i] =
          (pf_real)(dk * (double)in->traces->post[i] + IF(8, 0.0, k * at(t->traces->post, s + i)) +
                    at(t->post, n * t->post_stride + i));
    }
    for (int64_t i = 0; next->synapse != NULL && i < in->n_rows; i++) {
      for (int64_t j = 0; j < in->n_pre; j++) {
        const double x = (double)in->pre[j], y = (double)in->post[i],
                     w = (double)in->w[i * in->ldw + j];
        next->synapse[s + i * next->ldw + j] =
            (pf_real)(dk * (double)in->traces->synapse[i * in->traces->ldw + j] +
                      k * at(t->traces->synapse, s + i * t->traces->ldw + j) +
                      at(t->pre, n * t->pre_stride + j) * y * w +
                      IF(10, 0.0, x * at(t->post, n * t->post_stride + i) * w) +
                      x * y * at(t->w, n * t->w_stride + i * t->ldw + j));
      }
    }
  }
  return PF_OK;
}

static const pf_rule_ops ops = {.size = sizeof(pf_rule_ops),
                                .create = create,
                                .destroy = destroy,
                                .declare = declare,
                                .forward = forward,
                                .vjp = vjp,
                                .update_traces = update_traces,
                                .update_traces_vjp = IF(6, NULL, update_traces_vjp),
                                .update_traces_jvp = update_traces_jvp};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_RULE), .name = "mutant", .version = "1",
                                 .summary = "a rule with traces that is checked", .rule = &ops};

PF_PLUGIN_ENTRY(mutant)
{
  return &plugin;
}
