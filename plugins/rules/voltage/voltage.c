/*
 * plugins/rules/voltage/voltage.c - plasticity by the voltage of the postsynaptic unit.
 *
 *     xbar_j = exp(-dt / tau_x) xbar'_j                                        read
 *     dw_ij  = A_LTP xbar_j [u_i - theta_plus]+ [up_i - theta_minus]+ - A_LTD x_j [um_i -
 * theta_minus]+ xbar'_j <- xbar_j + x_j,   um_i <- k um_i + (1 - k) u_i,  k = exp(-dt / tau_minus),
 *     up_i likewise with tau_plus                                              every step
 *
 * u is what the rule sees of the postsynaptic unit: its activity, or with post = "potential" its
 * potential. um and up are its running means up to the step before. [a]+ is a where a > 0, else 0.
 * Of the published rule the amplitude A_LTD is a constant here; there it follows the mean of u over
 * a second (homeostasis).
 *
 * C. Clopath, L. Buesing, E. Vasilaki, W. Gerstner, "Connectivity reflects coding: a model of
 * voltage-based STDP with homeostasis", Nat. Neurosci. 13:344 (2010), equations 1 to 3.
 */
enum { A_LTP, A_LTD, THETA_PLUS, THETA_MINUS, TAU_X, TAU_PLUS, TAU_MINUS, TRACED_THETA };
enum { TRACED_PRE = 1, TRACED_POST = 2 };
#include "../common/traced_synapse.h"

enum { TRACED_ORDER = PF_TRACES_BEFORE_STEP, TRACED_READS = PF_READS_PRE | PF_READS_POST };

static const pf_parameter parameters[TRACED_THETA] = {
    TRACED_FREE("A_LTP", 0.1, 1.0, "of potentiation"),
    TRACED_FREE("A_LTD", 0.1, 0.5, "of depression"),
    TRACED_FREE("theta_plus", 0.5, 0.5, "threshold of u for potentiation"),
    TRACED_FREE("theta_minus", 0.0, 0.0, "threshold of the running means of u"),
    TRACED_TIME_CONSTANT("tau_x", 15.0, "time constant of the presynaptic trace"),
    TRACED_TIME_CONSTANT("tau_plus", 7.0, "time constant of up, the running mean for potentiation"),
    TRACED_TIME_CONSTANT("tau_minus", 10.0, "time constant of um, the running mean for depression"),
};

static const pf_trace traces[] = {
    {.name = "xbar", .per = PF_PER_PRE, .help = "recent presynaptic spikes"},
    {.name = "up", .per = PF_PER_POST, .help = "running mean of u, for potentiation"},
    {.name = "um", .per = PF_PER_POST, .help = "running mean of u, for depression"},
};

enum { XBAR, UP, UM };
static const int tau[] = {TAU_X, TAU_PLUS, TAU_MINUS};

/** [a]+, and its derivative; NaN stays NaN. */
static inline double above_zero(double a)
{
  return a <= 0.0 ? 0.0 : a;
}

static inline double slope_above_zero(double a)
{
  return a > 0.0 ? 1.0 : 0.0;
}

static inline double traced_dw(const traced_synapse *s)
{
  const double *a = s->theta;
  const double xbar = s->decay[XBAR].left * s->pre[0];
  return a[A_LTP] * xbar * above_zero(s->y - a[THETA_PLUS]) *
             above_zero(s->post[0] - a[THETA_MINUS]) -
         a[A_LTD] * s->x * above_zero(s->post[1] - a[THETA_MINUS]);
}

static inline void traced_ddw(const traced_synapse *s, traced_partials *d)
{
  const double *a = s->theta;
  const double xbar = s->decay[XBAR].left * s->pre[0];
  const double now = above_zero(s->y - a[THETA_PLUS]);
  const double up = above_zero(s->post[0] - a[THETA_MINUS]);
  const double um = above_zero(s->post[1] - a[THETA_MINUS]);
  const double by_xbar = a[A_LTP] * now * up;
  d->x = -a[A_LTD] * um;
  d->y = a[A_LTP] * xbar * up * slope_above_zero(s->y - a[THETA_PLUS]);
  d->post[0] = a[A_LTP] * xbar * now * slope_above_zero(s->post[0] - a[THETA_MINUS]);
  d->post[1] = -a[A_LTD] * s->x * slope_above_zero(s->post[1] - a[THETA_MINUS]);
  d->pre[0] = by_xbar * s->decay[XBAR].left;
  d->theta[A_LTP] = xbar * now * up;
  d->theta[A_LTD] = -s->x * um;
  d->theta[THETA_PLUS] = -d->y;
  d->theta[THETA_MINUS] = -d->post[0] - d->post[1];
  d->theta[TAU_X] = by_xbar * s->decay[XBAR].slope * s->pre[0];
}

static inline double traced_pre(const traced_synapse *s, int k)
{
  return s->decay[XBAR].left * s->pre[k] + s->x;
}

static inline void traced_dpre(const traced_synapse *s, int k, traced_partials *d)
{
  d->x = 1.0;
  d->pre[k] = s->decay[XBAR].left;
  d->theta[TAU_X] = s->decay[XBAR].slope * s->pre[k];
}

static inline double traced_post(const traced_synapse *s, int k)
{
  const double left = s->decay[UP + k].left;
  return left * s->post[k] + (1.0 - left) * s->y;
}

static inline void traced_dpost(const traced_synapse *s, int k, traced_partials *d)
{
  d->y = 1.0 - s->decay[UP + k].left;
  d->post[k] = s->decay[UP + k].left;
  d->theta[tau[UP + k]] = s->decay[UP + k].slope * (s->post[k] - s->y);
}

#include "../common/traced_rule.h"

static pf_status describe(const void *self, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)self;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_term(&out, format, 1, theta[A_LTP], "xbar [y - theta_plus]+ [up - theta_minus]+");
  rule_text_term(&out, format, 0, -theta[A_LTD], "x [um - theta_minus]+");
  rule_text_add(&out, ", theta %.3g, %.3g, tau %.3g, %.3g, %.3g", theta[THETA_PLUS],
                theta[THETA_MINUS], theta[TAU_X], theta[TAU_PLUS], theta[TAU_MINUS]);
  return PF_OK;
}

static const pf_plugin plugin = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "voltage",
    .version = "1.0",
    .summary = "dw = A_LTP xbar [y - theta_plus]+ [up - theta_minus]+ - A_LTD x [um - "
               "theta_minus]+: plasticity by voltage",
    .rule = &ops,
};

PF_PLUGIN_ENTRY(voltage)
{
  return &plugin;
}
