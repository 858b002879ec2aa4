/*
 * plugins/rules/btsp/btsp.c - behavioural time scale plasticity.
 *
 *     e_j <- exp(-dt / tau_e) e_j + x_j     eligibility, of presynaptic activity
 *     i_i <- exp(-dt / tau_i) i_i + y_i     instructive signal, of postsynaptic plateaus
 *     S_ij = e_j i_i                        their overlap, after the step
 *     dw_ij = h ( k_plus q(S; alpha_plus, beta_plus) (w_max - w)
 *                 - k_minus q(S; alpha_minus, beta_minus) w )
 *     q(S; alpha, beta) = (s(S) - s(0)) / (s(1) - s(0)),   s(S) = 1 / (1 + exp(-beta (S - alpha)))
 *
 * h is the step in s (1 without a time axis): k_plus and k_minus are rates. Both traces last for
 * seconds, so that an input counts that came long before, or after, a plateau; weak synapses grow
 * and strong ones shrink. y is the instructive signal: with post = "recorded" the plateaus that
 * were recorded, or imposed.
 *
 * A. D. Milstein, Y. Li, K. C. Bittner, C. Grienberger, I. Soltesz, J. C. Magee, S. Romani,
 * "Bidirectional synaptic plasticity rapidly modifies hippocampal representations", eLife 10:e73046
 * (2021), equations 1 to 4.
 */
enum {
  K_PLUS,
  K_MINUS,
  ALPHA_PLUS,
  BETA_PLUS,
  ALPHA_MINUS,
  BETA_MINUS,
  TAU_E,
  TAU_I,
  W_MAX,
  TRACED_THETA
};
enum { TRACED_PRE = 1, TRACED_POST = 1 };
#include "../common/traced_synapse.h"

enum { TRACED_ORDER = PF_TRACES_AFTER_STEP, TRACED_READS = PF_READS_WEIGHT };

static const pf_parameter parameters[TRACED_THETA] = {
    {.name = "k_plus",
     .unit = "1/s",
     .initial = 1.0,
     .value = 1.7,
     .lower = 0.0,
     .upper = INFINITY,
     .help = "rate of potentiation; per step where the data have no time axis"},
    {.name = "k_minus",
     .unit = "1/s",
     .initial = 0.2,
     .value = 0.2,
     .lower = 0.0,
     .upper = INFINITY,
     .help = "rate of depression"},
    {.name = "alpha_plus",
     .unit = "1",
     .initial = 0.4,
     .value = 0.5,
     .lower = -1.0,
     .upper = 1.5,
     .help = "overlap at which potentiation is half of its range"},
    {.name = "beta_plus",
     .unit = "1",
     .initial = 4.0,
     .value = 4.0,
     .lower = 0.01,
     .upper = 100.0,
     .help = "how steeply it grows there"},
    {.name = "alpha_minus",
     .unit = "1",
     .initial = 0.05,
     .value = 0.05,
     .lower = -1.0,
     .upper = 1.5,
     .help = "overlap at which depression is half of its range"},
    {.name = "beta_minus",
     .unit = "1",
     .initial = 20.0,
     .value = 20.0,
     .lower = 0.01,
     .upper = 100.0,
     .help = "how steeply it grows there"},
    TRACED_TIME_CONSTANT("tau_e", 1500.0, "time constant of the eligibility"),
    TRACED_TIME_CONSTANT("tau_i", 500.0, "time constant of the instructive signal"),
    {.name = "w_max",
     .unit = "1",
     .initial = 1.0,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .flags = PF_PARAMETER_FIXED,
     .help = "weight that potentiation leads to"},
};

static const pf_trace traces[] = {
    {.name = "e", .per = PF_PER_PRE, .help = "eligibility: recent presynaptic activity"},
    {.name = "i", .per = PF_PER_POST, .help = "instructive signal: recent plateaus"},
};

enum { E, I };
static const int tau[] = {TAU_E, TAU_I};

/* ---- q, from 0 at no overlap to 1 at overlap 1 ---- */

/** A number, and its derivatives by S, alpha, beta. */
typedef struct overlap_curve {
  double q, by_s, by_alpha, by_beta;
} overlap_curve;

/**
 * (s(S) - s(0)) / s(0) up to a factor that does not depend on S: (1 - e) / (e + a) with
 * e = exp(-beta S), a = exp(-beta alpha). So nothing is lost where s(0) and s(1) are nearly equal.
 * Below S = 0 both sides are divided by e, which may be too large.
 */
static inline overlap_curve rise_at(double s, double alpha, double beta)
{
  const double a = exp(-beta * alpha), e = exp(-beta * fabs(s));
  const double size = s < 0.0 ? 1.0 + a * e : e + a; /* of the denominator */
  const double rise = s < 0.0 ? expm1(beta * s) : -expm1(-beta * s);
  const double part = s < 0.0 ? e * a : a; /* of the denominator, what alpha is in */
  return (overlap_curve){.q = rise / size,
                         .by_s = beta * e * (1.0 + a) / (size * size),
                         .by_alpha = rise * beta * part / (size * size),
                         .by_beta = (s * e * (1.0 + a) + rise * alpha * part) / (size * size)};
}

static inline overlap_curve curve_at(double s, double alpha, double beta)
{
  const overlap_curve here = rise_at(s, alpha, beta), one = rise_at(1.0, alpha, beta);
  const double q = here.q / one.q;
  return (overlap_curve){.q = q,
                         .by_s = here.by_s / one.q,
                         .by_alpha = (here.by_alpha - q * one.by_alpha) / one.q,
                         .by_beta = (here.by_beta - q * one.by_beta) / one.q};
}

static inline double traced_dw(const traced_synapse *s)
{
  const double *a = s->theta;
  const double overlap = s->pre[0] * s->post[0];
  return s->step *
         (a[K_PLUS] * curve_at(overlap, a[ALPHA_PLUS], a[BETA_PLUS]).q * (a[W_MAX] - s->w) -
          a[K_MINUS] * curve_at(overlap, a[ALPHA_MINUS], a[BETA_MINUS]).q * s->w);
}

static inline void traced_ddw(const traced_synapse *s, traced_partials *d)
{
  const double *a = s->theta;
  const double overlap = s->pre[0] * s->post[0];
  const overlap_curve plus = curve_at(overlap, a[ALPHA_PLUS], a[BETA_PLUS]);
  const overlap_curve minus = curve_at(overlap, a[ALPHA_MINUS], a[BETA_MINUS]);
  const double up = s->step * a[K_PLUS] * (a[W_MAX] - s->w), down = s->step * a[K_MINUS] * s->w;
  const double by_overlap = up * plus.by_s - down * minus.by_s;
  d->pre[0] = by_overlap * s->post[0];
  d->post[0] = by_overlap * s->pre[0];
  d->w = -s->step * (a[K_PLUS] * plus.q + a[K_MINUS] * minus.q);
  d->theta[K_PLUS] = s->step * plus.q * (a[W_MAX] - s->w);
  d->theta[K_MINUS] = -s->step * minus.q * s->w;
  d->theta[ALPHA_PLUS] = up * plus.by_alpha;
  d->theta[BETA_PLUS] = up * plus.by_beta;
  d->theta[ALPHA_MINUS] = -down * minus.by_alpha;
  d->theta[BETA_MINUS] = -down * minus.by_beta;
  d->theta[W_MAX] = s->step * a[K_PLUS] * plus.q;
}

static inline double traced_pre(const traced_synapse *s, int k)
{
  return s->decay[E].left * s->pre[k] + s->x;
}

static inline void traced_dpre(const traced_synapse *s, int k, traced_partials *d)
{
  d->x = 1.0;
  d->pre[k] = s->decay[E].left;
  d->theta[TAU_E] = s->decay[E].slope * s->pre[k];
}

static inline double traced_post(const traced_synapse *s, int k)
{
  return s->decay[I].left * s->post[k] + s->y;
}

static inline void traced_dpost(const traced_synapse *s, int k, traced_partials *d)
{
  d->y = 1.0;
  d->post[k] = s->decay[I].left;
  d->theta[TAU_I] = s->decay[I].slope * s->post[k];
}

#include "../common/traced_rule.h"

static pf_status describe(const void *self, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)self;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_add(&out, "%.3g q_plus(e i) (%.3g - w) - %.3g q_minus(e i) w", theta[K_PLUS],
                theta[W_MAX], theta[K_MINUS]);
  rule_text_add(&out, ", tau_e %.3g, tau_i %.3g", theta[TAU_E], theta[TAU_I]);
  return PF_OK;
}

static const pf_plugin plugin = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "btsp",
    .version = "1.0",
    .summary = "dw = k_plus q_plus(S) (w_max - w) - k_minus q_minus(S) w, S the overlap of two "
               "traces that last for seconds",
    .rule = &ops,
};

PF_PLUGIN_ENTRY(btsp)
{
  return &plugin;
}
