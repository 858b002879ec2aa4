/*
 * plugins/rules/triplet/triplet.c - spike-timing-dependent plasticity of triplets of spikes.
 *
 *     r1_j = exp(-dt / tau_plus) r1'_j,    r2_j = exp(-dt / tau_x) r2'_j       read
 *     o1_i = exp(-dt / tau_minus) o1'_i,   o2_i = exp(-dt / tau_y) o2'_i
 *     dw_ij = y_i r1_j (A2_plus + A3_plus o2_i) - x_j o1_i (A2_minus + A3_minus r2_j)
 *     r1'_j <- r1_j + x_j, ...                                                 every step
 *
 * All spikes count (all-to-all). As in stdp, traces decay over the interval before a step and are
 * then read, without what the step adds.
 *
 * J.-P. Pfister, W. Gerstner, "Triplets of spikes in a model of spike timing-dependent plasticity",
 * J. Neurosci. 26:9673 (2006), equations 3 and 4.
 */
enum { A2_PLUS, A3_PLUS, A2_MINUS, A3_MINUS, TAU_PLUS, TAU_X, TAU_MINUS, TAU_Y, TRACED_THETA };
enum { TRACED_PRE = 2, TRACED_POST = 2 };
#include "../common/traced_synapse.h"

enum { TRACED_ORDER = PF_TRACES_BEFORE_STEP, TRACED_READS = PF_READS_PRE | PF_READS_POST };

static const pf_parameter parameters[TRACED_THETA] = {
    TRACED_FREE("A2_plus", 0.1, 0.5, "of pairs, pre before post"),
    TRACED_FREE("A3_plus", 0.1, 1.0, "of triplets, post, pre, post"),
    TRACED_FREE("A2_minus", 0.1, 0.7, "of pairs, post before pre"),
    TRACED_FREE("A3_minus", 0.1, 0.2, "of triplets, pre, post, pre"),
    TRACED_TIME_CONSTANT("tau_plus", 16.8, "time constant of r1, the fast presynaptic trace"),
    TRACED_TIME_CONSTANT("tau_x", 101.0, "time constant of r2, the slow presynaptic trace"),
    TRACED_TIME_CONSTANT("tau_minus", 33.7, "time constant of o1, the fast postsynaptic trace"),
    TRACED_TIME_CONSTANT("tau_y", 125.0, "time constant of o2, the slow postsynaptic trace"),
};

static const pf_trace traces[] = {
    {.name = "r1", .per = PF_PER_PRE, .help = "fast presynaptic trace"},
    {.name = "r2", .per = PF_PER_PRE, .help = "slow presynaptic trace"},
    {.name = "o1", .per = PF_PER_POST, .help = "fast postsynaptic trace"},
    {.name = "o2", .per = PF_PER_POST, .help = "slow postsynaptic trace"},
};

enum { R1, R2, O1, O2 };
static const int tau[] = {TAU_PLUS, TAU_X, TAU_MINUS, TAU_Y};

/** A trace as it is read. */
static inline double read_trace(const traced_synapse *s, int k)
{
  return s->decay[k].left * (k < O1 ? s->pre[k] : s->post[k - O1]);
}

static inline double traced_dw(const traced_synapse *s)
{
  const double *a = s->theta;
  return s->y * read_trace(s, R1) * (a[A2_PLUS] + a[A3_PLUS] * read_trace(s, O2)) -
         s->x * read_trace(s, O1) * (a[A2_MINUS] + a[A3_MINUS] * read_trace(s, R2));
}

static inline void traced_ddw(const traced_synapse *s, traced_partials *d)
{
  const double *a = s->theta;
  const double r1 = read_trace(s, R1), r2 = read_trace(s, R2);
  const double o1 = read_trace(s, O1), o2 = read_trace(s, O2);
  const double up = a[A2_PLUS] + a[A3_PLUS] * o2, down = a[A2_MINUS] + a[A3_MINUS] * r2;
  const double by_trace[] = {s->y * up, -s->x * o1 * a[A3_MINUS], -s->x * down,
                             s->y * r1 * a[A3_PLUS]};
  d->x = -o1 * down;
  d->y = r1 * up;
  d->theta[A2_PLUS] = s->y * r1;
  d->theta[A3_PLUS] = s->y * r1 * o2;
  d->theta[A2_MINUS] = -s->x * o1;
  d->theta[A3_MINUS] = -s->x * o1 * r2;
  for (int k = R1; k <= O2; k++) {
    const double kept = k < O1 ? s->pre[k] : s->post[k - O1];
    *(k < O1 ? &d->pre[k] : &d->post[k - O1]) = by_trace[k] * s->decay[k].left;
    d->theta[tau[k]] = by_trace[k] * s->decay[k].slope * kept;
  }
}

static inline double traced_pre(const traced_synapse *s, int k)
{
  return read_trace(s, k) + s->x;
}

static inline void traced_dpre(const traced_synapse *s, int k, traced_partials *d)
{
  d->x = 1.0;
  d->pre[k] = s->decay[k].left;
  d->theta[tau[k]] = s->decay[k].slope * s->pre[k];
}

static inline double traced_post(const traced_synapse *s, int k)
{
  return read_trace(s, O1 + k) + s->y;
}

static inline void traced_dpost(const traced_synapse *s, int k, traced_partials *d)
{
  d->y = 1.0;
  d->post[k] = s->decay[O1 + k].left;
  d->theta[tau[O1 + k]] = s->decay[O1 + k].slope * s->post[k];
}

#include "../common/traced_rule.h"

static pf_status describe(const void *self, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  (void)self;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_term(&out, format, 1, theta[A2_PLUS], "y r1");
  rule_text_term(&out, format, 0, theta[A3_PLUS], "y r1 o2");
  rule_text_term(&out, format, 0, -theta[A2_MINUS], "x o1");
  rule_text_term(&out, format, 0, -theta[A3_MINUS], "x o1 r2");
  rule_text_add(&out, ", tau %.3g, %.3g, %.3g, %.3g", theta[TAU_PLUS], theta[TAU_X],
                theta[TAU_MINUS], theta[TAU_Y]);
  return PF_OK;
}

static const pf_plugin plugin = {
    PF_PLUGIN_HEAD(PF_KIND_RULE),
    .name = "triplet",
    .version = "1.0",
    .summary = "dw = y r1 (A2_plus + A3_plus o2) - x o1 (A2_minus + A3_minus r2): triplets of "
               "spikes",
    .rule = &ops,
};

PF_PLUGIN_ENTRY(triplet)
{
  return &plugin;
}
