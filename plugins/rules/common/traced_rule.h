/*
 * plugins/rules/common/traced_rule.h - a rule with traces, written as functions of one synapse.
 *
 * Before this header a rule says how many parameters and traces it has (TRACED_THETA, TRACED_PRE,
 * TRACED_POST), when traces change and what its dw reads (TRACED_ORDER, TRACED_READS), includes
 * traced_synapse.h, and writes
 *
 *     parameters, traces, tau          its tables; tau[k] is the time constant of trace k, by its
 *                                      place among the parameters
 *     traced_dw(s), traced_ddw(s, d)   the change of a weight, and its partial derivatives
 *     traced_pre(s, k), traced_dpre    trace k of a presynaptic unit after the step, of its x
 *     traced_post(s, k), traced_dpost  trace k of a postsynaptic unit, of its y
 *
 * This makes the ops of them, with `describe`, which follows behind this header. Sums are in
 * double: these rules see spikes, of which there are few, and are not where time goes.
 */
#ifndef PLASTFIT_RULES_TRACED_RULE_H
#define PLASTFIT_RULES_TRACED_RULE_H

#include "traced_synapse.h"

/** Traces of unit n of one side, [count][ld], into `out`. */
static inline void traced_read(const pf_real *planes, int64_t ld, int64_t n, int count, double *out)
{
  for (int k = 0; k < count; k++) {
    out[k] = (double)planes[k * ld + n];
  }
}

static inline void traced_see_pre(const pf_block *in, int64_t j, traced_synapse *s)
{
  s->x = (double)in->pre[j];
  traced_read(in->traces->pre, in->traces->ld_pre, j, TRACED_PRE, s->pre);
}

static inline void traced_see_post(const pf_block *in, int64_t i, traced_synapse *s)
{
  s->y = (double)in->post[i];
  traced_read(in->traces->post, in->traces->ld_post, i, TRACED_POST, s->post);
}

/** += c times the partial derivatives, where they are wanted. */
static inline void traced_add_theta(const traced_partials *d, double c, double *theta)
{
  for (int k = 0; k < TRACED_THETA && theta != NULL; k++) {
    theta[k] += c * d->theta[k];
  }
}

static inline void traced_add_pre(const traced_partials *d, double c,
                                  const pf_rule_gradient *gradient, int64_t j)
{
  const pf_traces *g = gradient->traces;
  if (gradient->pre != NULL) {
    gradient->pre[j] += (pf_real)(c * d->x);
  }
  for (int k = 0; k < TRACED_PRE && g->pre != NULL; k++) {
    g->pre[k * g->ld_pre + j] += (pf_real)(c * d->pre[k]);
  }
}

static inline void traced_add_post(const traced_partials *d, double c,
                                   const pf_rule_gradient *gradient, int64_t i)
{
  const pf_traces *g = gradient->traces;
  if (gradient->post != NULL) {
    gradient->post[i] += (pf_real)(c * d->y);
  }
  for (int k = 0; k < TRACED_POST && g->post != NULL; k++) {
    g->post[k * g->ld_post + i] += (pf_real)(c * d->post[k]);
  }
}

static pf_status forward_block(const void *self, const pf_block *in, pf_real *dw, int64_t lddw,
                               pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see_post(in, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      traced_see_pre(in, j, &s);
      s.w = (double)in->w[i * in->ldw + j];
      dw[i * lddw + j] = (pf_real)traced_dw(&s);
    }
  }
  return PF_OK;
}

static pf_status forward_block_vjp(const void *self, const pf_block *in, const pf_real *cotangent,
                                   int64_t ld_cotangent, const pf_rule_gradient *gradient,
                                   pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see_post(in, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double c = (double)cotangent[i * ld_cotangent + j];
      traced_partials d = {0};
      traced_see_pre(in, j, &s);
      s.w = (double)in->w[i * in->ldw + j];
      traced_ddw(&s, &d);
      traced_add_theta(&d, c, gradient->theta);
      traced_add_pre(&d, c, gradient, j);
      traced_add_post(&d, c, gradient, i);
      if (gradient->w != NULL) {
        gradient->w[i * gradient->ldw + j] += (pf_real)(c * d.w);
      }
    }
  }
  return PF_OK;
}

static pf_status update_block_traces(const void *self, const pf_block *in, const pf_traces *next,
                                     pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t j = 0; j < in->n_pre && next->pre != NULL; j++) {
    traced_see_pre(in, j, &s);
    for (int k = 0; k < TRACED_PRE; k++) {
      next->pre[k * next->ld_pre + j] = (pf_real)traced_pre(&s, k);
    }
  }
  for (int64_t i = 0; i < in->n_rows && next->post != NULL; i++) {
    traced_see_post(in, i, &s);
    for (int k = 0; k < TRACED_POST; k++) {
      next->post[k * next->ld_post + i] = (pf_real)traced_post(&s, k);
    }
  }
  return PF_OK;
}

static pf_status update_block_traces_vjp(const void *self, const pf_block *in,
                                         const pf_traces *cotangent,
                                         const pf_rule_gradient *gradient, pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t j = 0; j < in->n_pre && cotangent->pre != NULL; j++) {
    traced_see_pre(in, j, &s);
    for (int k = 0; k < TRACED_PRE; k++) {
      const double c = (double)cotangent->pre[k * cotangent->ld_pre + j];
      traced_partials d = {0};
      traced_dpre(&s, k, &d);
      traced_add_theta(&d, c, gradient->theta);
      traced_add_pre(&d, c, gradient, j);
    }
  }
  for (int64_t i = 0; i < in->n_rows && cotangent->post != NULL; i++) {
    traced_see_post(in, i, &s);
    for (int k = 0; k < TRACED_POST; k++) {
      const double c = (double)cotangent->post[k * cotangent->ld_post + i];
      traced_partials d = {0};
      traced_dpost(&s, k, &d);
      traced_add_theta(&d, c, gradient->theta);
      traced_add_post(&d, c, gradient, i);
    }
  }
  return PF_OK;
}

/* ---- tangents ---- */

/** Partial derivatives times direction k, added up plane by plane of one unit's traces. */
static inline double traced_along(const double *partials, int count, const pf_real *planes,
                                  int64_t ld)
{
  double sum = 0.0;
  for (int p = 0; p < count && planes != NULL; p++) {
    sum += partials[p] * (double)planes[p * ld];
  }
  return sum;
}

static inline double traced_along_theta(const traced_partials *d, const pf_rule_tangent *tangent,
                                        int64_t k)
{
  const double *theta = tangent->theta == NULL ? NULL : tangent->theta + k * TRACED_THETA;
  double sum = 0.0;
  if (theta != NULL && PF_HAS(tangent, pf_rule_tangent, theta_unit) &&
      tangent->theta_unit != NULL) {
    const int64_t unit = tangent->theta_unit[k];
    return unit < 0 ? 0.0 : d->theta[unit];
  }
  for (int p = 0; p < TRACED_THETA && theta != NULL; p++) {
    sum += d->theta[p] * theta[p];
  }
  return sum;
}

/** Of x and the traces of presynaptic unit j. */
static inline double traced_along_pre(const traced_partials *d, const pf_rule_tangent *tangent,
                                      int64_t k, int64_t j)
{
  const pf_traces *dots = tangent->traces;
  const int64_t at = k * tangent->traces_stride + j;
  double sum = 0.0;
  if (tangent->pre != NULL) {
    sum += d->x * (double)tangent->pre[k * tangent->pre_stride + j];
  }
  if (dots != NULL && dots->pre != NULL) {
    sum += traced_along(d->pre, TRACED_PRE, dots->pre + at, dots->ld_pre);
  }
  return sum;
}

/** Of y and the traces of postsynaptic unit i. */
static inline double traced_along_post(const traced_partials *d, const pf_rule_tangent *tangent,
                                       int64_t k, int64_t i)
{
  const pf_traces *dots = tangent->traces;
  const int64_t at = k * tangent->traces_stride + i;
  double sum = 0.0;
  if (tangent->post != NULL) {
    sum += d->y * (double)tangent->post[k * tangent->post_stride + i];
  }
  if (dots != NULL && dots->post != NULL) {
    sum += traced_along(d->post, TRACED_POST, dots->post + at, dots->ld_post);
  }
  return sum;
}

static pf_status forward_block_jvp(const void *self, const pf_block *in,
                                   const pf_rule_tangent *tangent, pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see_post(in, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      traced_partials d = {0};
      traced_see_pre(in, j, &s);
      s.w = (double)in->w[i * in->ldw + j];
      traced_ddw(&s, &d);
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        const pf_real *w = tangent->w == NULL ? NULL : tangent->w + k * tangent->w_stride;
        const double by_w = w == NULL ? 0.0 : d.w * (double)w[i * tangent->ldw + j];
        tangent->dw[k * tangent->dw_stride + i * tangent->lddw + j] =
            (pf_real)(traced_along_theta(&d, tangent, k) + traced_along_pre(&d, tangent, k, j) +
                      traced_along_post(&d, tangent, k, i) + by_w);
      }
    }
  }
  return PF_OK;
}

static pf_status update_block_traces_jvp(const void *self, const pf_block *in,
                                         const pf_rule_tangent *tangent, const pf_traces *next,
                                         pf_error *error)
{
  traced_synapse s = {0};
  (void)self;
  const pf_status status = traced_decays(in, parameters, tau, &s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t j = 0; j < in->n_pre && next->pre != NULL; j++) {
    traced_see_pre(in, j, &s);
    for (int p = 0; p < TRACED_PRE; p++) {
      traced_partials d = {0};
      traced_dpre(&s, p, &d);
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        next->pre[k * tangent->traces_stride + p * next->ld_pre + j] =
            (pf_real)(traced_along_theta(&d, tangent, k) + traced_along_pre(&d, tangent, k, j));
      }
    }
  }
  for (int64_t i = 0; i < in->n_rows && next->post != NULL; i++) {
    traced_see_post(in, i, &s);
    for (int p = 0; p < TRACED_POST; p++) {
      traced_partials d = {0};
      traced_dpost(&s, p, &d);
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        next->post[k * tangent->traces_stride + p * next->ld_post + i] =
            (pf_real)(traced_along_theta(&d, tangent, k) + traced_along_post(&d, tangent, k, i));
      }
    }
  }
  return PF_OK;
}

/* ---- an object that has no options ---- */

typedef struct traced_rule {
  const pf_host *host;
} traced_rule;

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  traced_rule *self = host->allocate(host, sizeof *self);
  (void)given;
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  traced_rule *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *self, pf_rule_declaration *out, pf_error *error)
{
  (void)self;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->traces = (pf_trace_table)PF_TABLE_OF(traces);
  out->trace_order = TRACED_ORDER;
  out->reads = TRACED_READS;
  return PF_OK;
}

static pf_status describe(const void *self, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error);

static const pf_rule_ops ops = {
    .size = sizeof(pf_rule_ops),
    .create = create,
    .destroy = destroy,
    .declare = declare,
    .describe = describe,
    .forward = forward_block,
    .vjp = forward_block_vjp,
    .jvp = forward_block_jvp,
    .update_traces = update_block_traces,
    .update_traces_vjp = update_block_traces_vjp,
    .update_traces_jvp = update_block_traces_jvp,
};

#endif
