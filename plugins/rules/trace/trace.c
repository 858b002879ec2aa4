/*
 * plugins/rules/trace/trace.c - an eligibility trace that waits for the reward.
 *
 *     e_ij <- k e_ij + f(x_j, y_i),   k = exp(-dt / tau)        every step
 *     dw_ij = rate r e_ij - decay w_ij                          where weights change
 *
 * dw sees the trace after the step. f is x y (a trace per synapse), x (one per presynaptic unit) or
 * y (one per postsynaptic unit). With r a reward that comes n steps after the activity, what is
 * left of it is k^n.
 *
 * W. Gerstner et al., "Eligibility Traces and Plasticity on Behavioral Time Scales", Front. Neural
 * Circuits 12:53 (2018), eq. 2 and 3.
 */
#include <plastfit/abi/plugin.h>

#include "../common/rule_common.h"
#include "../common/time_constant.h"

enum { RATE = 0, DECAY = 1, TAU = 2, N_PARAMETERS = 3 };
enum form { FORM_XY, FORM_X, FORM_Y, N_FORMS };

static const char *const form_names[N_FORMS] = {"x y", "x", "y"};

static const pf_option options[] = {
    {.name = "eligibility",
     .type = PF_TYPE_STRING,
     .fallback = "\"x y\"",
     .choices = "x y|x|y",
     .help = "what enters the trace"},
};

static const pf_modulator modulators[] = {
    {.name = "r",
     .fallback = "reward - expected_reward",
     .per = PF_PER_NETWORK,
     .help = "what turns traces into change"},
};

static const pf_parameter parameters[N_PARAMETERS] = {
    {.name = "rate",
     .label = "r e",
     .unit = "1",
     .initial = 0.1,
     .value = 1.0,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the modulated trace, r e"},
    {.name = "decay",
     .label = "-w",
     .unit = "1",
     .initial = 0.0,
     .value = 0.05,
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "of the weight decay, - decay w"},
    {.name = "tau",
     .unit = "ms",
     .initial = 5.0,
     .value = 5.0,
     .lower = 0.01,
     .upper = 1e7,
     .help = "time constant of the trace; in steps where the data have no time axis"},
};

static const pf_trace traces[N_FORMS] = {
    {.name = "e", .per = PF_PER_SYNAPSE, .help = "eligibility of the synapse"},
    {.name = "e", .per = PF_PER_PRE, .help = "eligibility of the presynaptic unit"},
    {.name = "e", .per = PF_PER_POST, .help = "eligibility of the postsynaptic unit"},
};

typedef struct trace {
  const pf_host *host;
  enum form form;
} trace;

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  trace *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  const char *name = given->string(given, "eligibility");
  self->host = host;
  for (int form = 0; form < N_FORMS; form++) {
    if (strcmp(name, form_names[form]) == 0) {
      self->form = (enum form)form;
    }
  }
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  trace *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  const trace *self = object;
  (void)error;
  out->parameters = (pf_parameter_table)PF_TABLE_OF(parameters);
  out->modulators = (pf_modulator_table)PF_TABLE_OF(modulators);
  out->traces = (pf_trace_table){&traces[self->form], 1, sizeof traces[0]};
  out->trace_order = PF_TRACES_AFTER_STEP;
  return PF_OK;
}

static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  const trace *self = object;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  rule_text_term(&out, format, 1, theta[RATE], "r e");
  rule_text_term(&out, format, 0, -theta[DECAY], "w");
  rule_text_add(&out,
                format == PF_TEXT_LATEX ? ",\\; e \\leftarrow e^{-dt/%.3g} e + %s"
                                        : ", e <- exp(-dt / %.3g) e + %s",
                theta[TAU], form_names[self->form]);
  return PF_OK;
}

/* ---- dw ---- */

/** The trace of synapse (i, j), wherever the form keeps it. */
PF_INLINE pf_real trace_at(const pf_traces *from, enum form form, int64_t i, int64_t j)
{
  switch (form) {
  case FORM_XY:
    return from->synapse[i * from->ldw + j];
  case FORM_X:
    return from->pre[j];
  default:
    return from->post[i];
  }
}

PF_INLINE void forward_form(const pf_block *in, enum form form, pf_real *dw, int64_t lddw)
{
  const pf_real reward = (pf_real)(in->theta[RATE] * (double)in->modulator[0]);
  const pf_real decay = (pf_real)in->theta[DECAY];
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = dw + i * lddw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = reward * trace_at(in->traces, form, i, j) - decay * w[j];
    }
  }
}

/** The cotangent of the traces along row i, from that of dw. */
PF_INLINE void add_to_trace(const pf_block *in, enum form form, int64_t i, const pf_real *c,
                            double sum, const pf_traces *gradient)
{
  const pf_real reward = (pf_real)(in->theta[RATE] * (double)in->modulator[0]);
  if (form == FORM_Y) {
    if (gradient->post != NULL) {
      gradient->post[i] += (pf_real)((double)reward * sum);
    }
    return;
  }
  pf_real *g = form == FORM_X ? gradient->pre : gradient->synapse;
  if (g == NULL) {
    return;
  }
  g += form == FORM_XY ? i * gradient->ldw : 0;
#pragma omp simd
  for (int64_t j = 0; j < in->n_pre; j++) {
    g[j] += reward * c[j];
  }
}

PF_INLINE void vjp_form(const pf_block *in, enum form form, const pf_real *cotangent, int64_t ld,
                        const pf_rule_gradient *gradient)
{
  const pf_real decay = (pf_real)in->theta[DECAY];
  double d_rate = 0.0, d_decay = 0.0;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *w = in->w + i * in->ldw;
    const pf_real *c = cotangent + i * ld;
    double along_trace = 0.0, along_weight = 0.0, sum = 0.0;
#pragma omp simd reduction(+ : along_trace, along_weight, sum)
    for (int64_t j = 0; j < in->n_pre; j++) {
      along_trace += (double)(c[j] * trace_at(in->traces, form, i, j));
      along_weight += (double)(c[j] * w[j]);
      sum += (double)c[j];
    }
    d_rate += along_trace;
    d_decay += along_weight;
    if (gradient->w != NULL) {
      pf_real *g = gradient->w + i * gradient->ldw;
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        g[j] -= decay * c[j];
      }
    }
    add_to_trace(in, form, i, c, sum, gradient->traces);
  }
  if (gradient->theta != NULL) {
    gradient->theta[RATE] += (double)in->modulator[0] * d_rate;
    gradient->theta[DECAY] -= d_decay;
  }
}

/* ---- the trace ---- */

/** Row i's share of the gradients of activities and traces, where each synapse has a trace. Returns
 * the derivative by `left`. */
PF_INLINE double update_row_vjp(const pf_block *in, pf_real left, int64_t i, const pf_real *c,
                                const pf_rule_gradient *gradient)
{
  const pf_traces *g = gradient->traces;
  const rule_trace_gradient to = {g->synapse == NULL ? NULL : g->synapse + i * g->ldw,
                                  gradient->pre};
  double along = 0.0;
#pragma omp simd reduction(+ : along)
  for (int64_t j = 0; j < in->n_pre; j++) {
    along += (double)(c[j] * in->pre[j]);
  }
  if (gradient->post != NULL) {
    gradient->post[i] += (pf_real)along;
  }
  return rule_trace_vjp(in->n_pre, left, in->traces->synapse + i * in->traces->ldw, in->post[i], c,
                        to);
}

/* ---- tangents ---- */

/** One direction: planes of what moves, NULL where nothing does. */
typedef struct trace_direction {
  double theta[N_PARAMETERS];
  const pf_real *x, *y, *w;
  int64_t ldw;
  pf_traces e; /**< of the form's trace alone */
  int moves_e;
} trace_direction;

static inline trace_direction direction_of(const pf_rule_tangent *tangent, enum form form,
                                           int64_t k)
{
  const int64_t at = k * tangent->traces_stride;
  trace_direction out = {.x = rule_plane(tangent->pre, k * tangent->pre_stride),
                         .y = rule_plane(tangent->post, k * tangent->post_stride),
                         .w = rule_plane(tangent->w, k * tangent->w_stride),
                         .ldw = tangent->ldw};
  if (tangent->theta != NULL) {
    memcpy(out.theta, tangent->theta + k * N_PARAMETERS, sizeof out.theta);
  }
  if (tangent->traces != NULL) {
    out.e = (pf_traces){.pre = (pf_real *)rule_plane(tangent->traces->pre, at),
                        .post = (pf_real *)rule_plane(tangent->traces->post, at),
                        .synapse = (pf_real *)rule_plane(tangent->traces->synapse, at),
                        .ldw = tangent->traces->ldw};
    const pf_real *const planes[N_FORMS] = {out.e.synapse, out.e.pre, out.e.post};
    out.moves_e = planes[form] != NULL;
  }
  return out;
}

/** Tangents of dw of a block along one direction. */
PF_INLINE void jvp_form(const pf_block *in, enum form form, const trace_direction *of, pf_real *dw,
                        int64_t lddw)
{
  const double r = (double)in->modulator[0];
  const pf_real reward = (pf_real)(in->theta[RATE] * r),
                reward_dot = (pf_real)(of->theta[RATE] * r);
  const pf_real decay = (pf_real)in->theta[DECAY], decay_dot = (pf_real)of->theta[DECAY];
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = dw + i * lddw;
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = reward_dot * trace_at(in->traces, form, i, j) - decay_dot * w[j];
    }
    if (of->w != NULL) {
      const pf_real *w_dot = of->w + i * of->ldw;
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] -= decay * w_dot[j];
      }
    }
    if (of->moves_e) {
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] += reward * trace_at(&of->e, form, i, j);
      }
    }
  }
}

/** Tangents of row i's traces, where each synapse has one, along one direction. */
PF_INLINE void update_row_jvp(const pf_block *in, const rule_decay *k, int64_t i,
                              const trace_direction *of, pf_real *next)
{
  rule_trace_jvp(in->n_pre, k, of->theta[TAU], in->traces->synapse + i * in->traces->ldw,
                 of->moves_e ? of->e.synapse + i * of->e.ldw : NULL, NULL, next);
  if (of->x != NULL) {
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      next[j] += in->post[i] * of->x[j];
    }
  }
  if (of->y != NULL) {
#pragma omp simd
    for (int64_t j = 0; j < in->n_pre; j++) {
      next[j] += of->y[i] * in->pre[j];
    }
  }
}

#define PF_ISA baseline
#include "trace_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "trace_ops.h"
#endif

PF_PLUGIN_ENTRY(trace)
{
  return PF_ISA_CHOOSE(plugin);
}
