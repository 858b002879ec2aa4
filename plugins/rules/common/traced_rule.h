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

/** The units of one side of a block. */
typedef struct traced_units {
  int is_post, count;    /**< traces of a unit */
  int64_t n;             /**< units */
  const pf_real *signal; /**< [n] x, or y */
  const pf_real *planes; /**< [count][ld] traces */
  int64_t ld;
} traced_units;

static inline traced_units traced_side(const pf_block *in, int is_post)
{
  const pf_traces *t = in->traces;
  return is_post ? (traced_units){1, TRACED_POST, in->n_rows, in->post, t->post, t->ld_post}
                 : (traced_units){0, TRACED_PRE, in->n_pre, in->pre, t->pre, t->ld_pre};
}

/** What a synapse sees of unit n of a side. */
static inline void traced_see(const traced_units *of, int64_t n, traced_synapse *s)
{
  double *out = of->is_post ? s->post : s->pre;
  *(of->is_post ? &s->y : &s->x) = (double)of->signal[n];
  for (int k = 0; k < of->count; k++) {
    out[k] = (double)of->planes[k * of->ld + n];
  }
}

/** Trace k after the step, and its partial derivatives. */
static inline double traced_next(const traced_units *of, const traced_synapse *s, int k)
{
  return of->is_post ? traced_post(s, k) : traced_pre(s, k);
}

static inline void traced_dnext(const traced_units *of, const traced_synapse *s, int k,
                                traced_partials *d)
{
  if (of->is_post) {
    traced_dpost(s, k, d);
  } else {
    traced_dpre(s, k, d);
  }
}

/** += c times the partial derivatives, where they are wanted. */
static inline void traced_add_theta(const traced_partials *d, double c, double *theta)
{
  for (int k = 0; k < TRACED_THETA && theta != NULL; k++) {
    theta[k] += c * d->theta[k];
  }
}

static inline void traced_add_unit(const traced_units *of, const traced_partials *d, double c,
                                   const pf_rule_gradient *gradient, int64_t n)
{
  const pf_traces *g = gradient->traces;
  pf_real *signal = of->is_post ? gradient->post : gradient->pre;
  pf_real *planes = of->is_post ? g->post : g->pre;
  const int64_t ld = of->is_post ? g->ld_post : g->ld_pre;
  if (signal != NULL) {
    signal[n] += (pf_real)(c * (of->is_post ? d->y : d->x));
  }
  for (int k = 0; k < of->count && planes != NULL; k++) {
    planes[k * ld + n] += (pf_real)(c * (of->is_post ? d->post[k] : d->pre[k]));
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
  const traced_units pre = traced_side(in, 0), post = traced_side(in, 1);
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see(&post, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      traced_see(&pre, j, &s);
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
  const traced_units pre = traced_side(in, 0), post = traced_side(in, 1);
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see(&post, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      const double c = (double)cotangent[i * ld_cotangent + j];
      traced_partials d = {0};
      traced_see(&pre, j, &s);
      s.w = (double)in->w[i * in->ldw + j];
      traced_ddw(&s, &d);
      traced_add_theta(&d, c, gradient->theta);
      traced_add_unit(&pre, &d, c, gradient, j);
      traced_add_unit(&post, &d, c, gradient, i);
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
  for (int is_post = 0; is_post <= 1; is_post++) {
    const traced_units of = traced_side(in, is_post);
    pf_real *planes = is_post ? next->post : next->pre;
    const int64_t ld = is_post ? next->ld_post : next->ld_pre;
    for (int64_t n = 0; n < of.n && planes != NULL; n++) {
      traced_see(&of, n, &s);
      for (int k = 0; k < of.count; k++) {
        planes[k * ld + n] = (pf_real)traced_next(&of, &s, k);
      }
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
  for (int is_post = 0; is_post <= 1; is_post++) {
    const traced_units of = traced_side(in, is_post);
    const pf_real *planes = is_post ? cotangent->post : cotangent->pre;
    const int64_t ld = is_post ? cotangent->ld_post : cotangent->ld_pre;
    for (int64_t n = 0; n < of.n && planes != NULL; n++) {
      traced_see(&of, n, &s);
      for (int k = 0; k < of.count; k++) {
        const double c = (double)planes[k * ld + n];
        traced_partials d = {0};
        traced_dnext(&of, &s, k, &d);
        traced_add_theta(&d, c, gradient->theta);
        traced_add_unit(&of, &d, c, gradient, n);
      }
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

/** Of the signal and the traces of unit n of a side. */
static inline double traced_along_unit(const traced_units *of, const traced_partials *d,
                                       const pf_rule_tangent *tangent, int64_t k, int64_t n)
{
  const pf_traces *dots = tangent->traces;
  const int64_t at = k * tangent->traces_stride + n;
  const pf_real *signal = of->is_post ? tangent->post : tangent->pre;
  const int64_t stride = of->is_post ? tangent->post_stride : tangent->pre_stride;
  double sum = 0.0;
  if (signal != NULL) {
    sum += (of->is_post ? d->y : d->x) * (double)signal[k * stride + n];
  }
  if (dots == NULL) {
    return sum;
  }
  const pf_real *planes = of->is_post ? dots->post : dots->pre;
  const int64_t ld = of->is_post ? dots->ld_post : dots->ld_pre;
  return sum + traced_along(of->is_post ? d->post : d->pre, of->count,
                            planes == NULL ? NULL : planes + at, ld);
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
  const traced_units pre = traced_side(in, 0), post = traced_side(in, 1);
  for (int64_t i = 0; i < in->n_rows; i++) {
    traced_see(&post, i, &s);
    for (int64_t j = 0; j < in->n_pre; j++) {
      traced_partials d = {0};
      traced_see(&pre, j, &s);
      s.w = (double)in->w[i * in->ldw + j];
      traced_ddw(&s, &d);
      for (int64_t k = 0; k < tangent->n_tangents; k++) {
        const pf_real *w = tangent->w == NULL ? NULL : tangent->w + k * tangent->w_stride;
        const double by_w = w == NULL ? 0.0 : d.w * (double)w[i * tangent->ldw + j];
        tangent->dw[k * tangent->dw_stride + i * tangent->lddw + j] =
            (pf_real)(traced_along_theta(&d, tangent, k) +
                      traced_along_unit(&pre, &d, tangent, k, j) +
                      traced_along_unit(&post, &d, tangent, k, i) + by_w);
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
  for (int is_post = 0; is_post <= 1; is_post++) {
    const traced_units of = traced_side(in, is_post);
    pf_real *planes = is_post ? next->post : next->pre;
    const int64_t ld = is_post ? next->ld_post : next->ld_pre;
    for (int64_t n = 0; n < of.n && planes != NULL; n++) {
      traced_see(&of, n, &s);
      for (int p = 0; p < of.count; p++) {
        traced_partials d = {0};
        traced_dnext(&of, &s, p, &d);
        for (int64_t k = 0; k < tangent->n_tangents; k++) {
          planes[k * tangent->traces_stride + p * ld + n] =
              (pf_real)(traced_along_theta(&d, tangent, k) +
                        traced_along_unit(&of, &d, tangent, k, n));
        }
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
