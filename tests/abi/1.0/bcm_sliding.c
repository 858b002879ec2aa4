/*
 * bcm_sliding.c - Bienenstock, Cooper & Munro's rule with the threshold that slides (J. Neurosci.
 * 2, 32-48, 1982):
 *
 *     dw_ij   = rate x_j y_i (y_i - t_i) - decay w_ij
 *     t_i    <- t_i + forget (y_i^2 - t_i)
 *
 * t is a trace with one value per postsynaptic neuron. dw sees it as it was before the step.
 *
 * The same rule as examples/bcm but for t_i, and so written with the block callbacks: a trace is
 * more than one synapse's business. A call has a block of rows of the weight matrix, and loops over
 * it.
 */
#include <plastfit/abi/plugin.h>

#include <math.h>

enum { RATE, DECAY, FORGET, N_THETA };

typedef struct rule {
  const pf_host *host;
  pf_trace threshold; /* its starting value is an option, so the table is the object's */
} rule;

static const pf_option options[] = {{.name = "start",
                                     .type = PF_TYPE_REAL,
                                     .fallback = "0.1",
                                     .unit = "activity^2",
                                     .lower = 0.0,
                                     .upper = INFINITY,
                                     .help = "threshold at the first step"}};

static const pf_parameter parameters[N_THETA] = {
    [RATE] = {.name = "rate",
              .label = "x y (y - t)",
              .unit = "1",
              .initial = 0.01,
              .value = 0.01,
              .lower = 0.0,
              .upper = INFINITY,
              .help = "of learning"},
    [DECAY] = {.name = "decay",
               .label = "-w",
               .unit = "1",
               .initial = 0.01,
               .value = 0.01,
               .lower = 0.0,
               .upper = INFINITY,
               .help = "of forgetting, towards w = 0"},
    [FORGET] = {.name = "forget",
                .unit = "1",
                .initial = 0.1,
                .value = 0.1,
                .lower = 0.0,
                .upper = 1.0,
                .help = "share of the threshold that a step renews"}};

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  rule *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  self->threshold =
      (pf_trace){.name = "t", .per = PF_PER_POST, .initial = given->real(given, "start")};
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

static pf_status declared(const void *object, pf_rule_declaration *out, pf_error *error)
{
  const rule *self = object;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->traces = (pf_trace_table){&self->threshold, 1, sizeof self->threshold};
  out->trace_order = PF_TRACES_BEFORE_STEP;
  return PF_OK;
}

static pf_status forward(const void *object, const pf_block *in, pf_real *dw, int64_t lddw,
                         pf_error *error)
{
  const pf_real rate = (pf_real)in->theta[RATE], decay = (pf_real)in->theta[DECAY];
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real y = in->post[i], of_row = rate * y * (y - in->traces->post[i]);
    for (int64_t j = 0; j < in->n_pre; j++) {
      dw[i * lddw + j] = of_row * in->pre[j] - decay * in->w[i * in->ldw + j];
    }
  }
  return PF_OK;
}

/** c: cotangent of dw. Every gradient is added to (+=), and NULL where it is not wanted. */
static pf_status vjp(const void *object, const pf_block *in, const pf_real *c, int64_t ldc,
                     const pf_rule_gradient *g, pf_error *error)
{
  const pf_real rate = (pf_real)in->theta[RATE], decay = (pf_real)in->theta[DECAY];
  (void)object;
  (void)error;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real y = in->post[i], t = in->traces->post[i];
    double sum_x = 0.0, sum_w = 0.0; /* of c x and c w over the row: sums are double */
    for (int64_t j = 0; j < in->n_pre; j++) {
      sum_x += (double)(c[i * ldc + j] * in->pre[j]);
      sum_w += (double)(c[i * ldc + j] * in->w[i * in->ldw + j]);
    }
    if (g->theta != NULL) {
      g->theta[RATE] += (double)(y * (y - t)) * sum_x;
      g->theta[DECAY] -= sum_w;
    }
    if (g->post != NULL) {
      g->post[i] += rate * (2 * y - t) * (pf_real)sum_x;
    }
    if (g->traces->post != NULL) {
      g->traces->post[i] -= rate * y * (pf_real)sum_x;
    }
    for (int64_t j = 0; g->pre != NULL && j < in->n_pre; j++) {
      g->pre[j] += rate * y * (y - t) * c[i * ldc + j];
    }
    for (int64_t j = 0; g->w != NULL && j < in->n_pre; j++) {
      g->w[i * g->ldw + j] -= decay * c[i * ldc + j];
    }
  }
  return PF_OK;
}

/** Traces after the step from those before it. */
static pf_status update_traces(const void *object, const pf_block *in, const pf_traces *next,
                               pf_error *error)
{
  const pf_real forget = (pf_real)in->theta[FORGET];
  (void)object;
  (void)error;
  for (int64_t i = 0; next->post != NULL && i < in->n_rows; i++) {
    next->post[i] =
        in->traces->post[i] + forget * (in->post[i] * in->post[i] - in->traces->post[i]);
  }
  return PF_OK;
}

/** Its adjoint; c: cotangents of the traces after the step. */
static pf_status update_traces_vjp(const void *object, const pf_block *in, const pf_traces *c,
                                   const pf_rule_gradient *g, pf_error *error)
{
  const pf_real forget = (pf_real)in->theta[FORGET];
  (void)object;
  (void)error;
  for (int64_t i = 0; c->post != NULL && i < in->n_rows; i++) {
    const pf_real y = in->post[i];
    if (g->theta != NULL) {
      g->theta[FORGET] += (double)(c->post[i] * (y * y - in->traces->post[i]));
    }
    if (g->post != NULL) {
      g->post[i] += 2 * forget * y * c->post[i];
    }
    if (g->traces->post != NULL) {
      g->traces->post[i] += (1 - forget) * c->post[i];
    }
  }
  return PF_OK;
}

static const pf_rule_ops ops = {.size = sizeof(pf_rule_ops),
                                .create = create,
                                .destroy = destroy,
                                .declare = declared,
                                .forward = forward,
                                .vjp = vjp,
                                .update_traces = update_traces,
                                .update_traces_vjp = update_traces_vjp};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_RULE),
                                 .name = "bcm_sliding",
                                 .version = "1.0",
                                 .summary =
                                     "dw = rate x y (y - t) - decay w, t a running mean of y^2",
                                 .options = PF_TABLE_OF(options),
                                 .rule = &ops};

PF_PLUGIN_ENTRY(bcm_sliding)
{
  return &plugin;
}
