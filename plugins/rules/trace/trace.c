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

#include "../common/rule_ops.h"
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
  self->form = strcmp(name, "x") == 0 ? FORM_X : strcmp(name, "y") == 0 ? FORM_Y : FORM_XY;
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
  return form == FORM_XY  ? from->synapse[i * from->ldw + j]
         : form == FORM_X ? from->pre[j]
                          : from->post[i];
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

PF_INLINE void vjp_form(const pf_block *in, enum form form, const pf_real *cotangent, int64_t ld,
                        const pf_rule_gradient *gradient)
{
  const double r = (double)in->modulator[0];
  const pf_real reward = (pf_real)(in->theta[RATE] * r);
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
    pf_real *g = form == FORM_XY  ? gradient->traces->synapse
                 : form == FORM_X ? gradient->traces->pre
                                  : gradient->traces->post;
    if (g == NULL) {
      continue;
    }
    if (form == FORM_Y) {
      g[i] += (pf_real)((double)reward * sum);
    } else {
      g += form == FORM_XY ? i * gradient->traces->ldw : 0;
#pragma omp simd
      for (int64_t j = 0; j < in->n_pre; j++) {
        g[j] += reward * c[j];
      }
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[RATE] += r * d_rate;
    gradient->theta[DECAY] -= d_decay;
  }
}

/* ---- the trace ---- */

/** e <- k e + f for the plane that is asked for; `scale`: 1 or x. */
PF_INLINE void update_traces_line(int64_t n, pf_real left, const pf_real *e, pf_real scale,
                                  const pf_real *x, pf_real *next)
{
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    next[j] = left * e[j] + scale * x[j];
  }
}

PF_INLINE pf_status update_traces_form(const pf_block *in, enum form form, const pf_traces *next,
                                       pf_error *error)
{
  rule_decay k = {0.0, 0.0};
  const pf_status status = rule_decay_of("tau", in->theta[TAU], in->dt, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real left = (pf_real)k.left;
  if (form == FORM_X && next->pre != NULL) {
    update_traces_line(in->n_pre, left, in->traces->pre, 1, in->pre, next->pre);
  }
  if (form == FORM_Y && next->post != NULL) {
    update_traces_line(in->n_rows, left, in->traces->post, 1, in->post, next->post);
  }
  for (int64_t i = 0; form == FORM_XY && next->synapse != NULL && i < in->n_rows; i++) {
    update_traces_line(in->n_pre, left, in->traces->synapse + i * in->traces->ldw, in->post[i],
                       in->pre, next->synapse + i * next->ldw);
  }
  return PF_OK;
}

/** Adjoint of one line; returns the sum that belongs to k, and in *along the one that belongs to
 * `scale`. */
PF_INLINE double update_traces_line_vjp(int64_t n, pf_real left, const pf_real *e, pf_real scale,
                                        const pf_real *x, const pf_real *c, pf_real *g_e,
                                        pf_real *g_x, double *along)
{
  double d_left = 0.0, d_scale = 0.0;
#pragma omp simd reduction(+ : d_left, d_scale)
  for (int64_t j = 0; j < n; j++) {
    d_left += (double)(c[j] * e[j]);
    d_scale += (double)(c[j] * x[j]);
  }
  for (int64_t j = 0; g_e != NULL && j < n; j++) {
    g_e[j] += left * c[j];
  }
  for (int64_t j = 0; g_x != NULL && j < n; j++) {
    g_x[j] += scale * c[j];
  }
  *along = d_scale;
  return d_left;
}

PF_INLINE pf_status update_traces_vjp_form(const pf_block *in, enum form form,
                                           const pf_traces *cotangent,
                                           const pf_rule_gradient *gradient, pf_error *error)
{
  rule_decay k = {0.0, 0.0};
  const pf_status status = rule_decay_of("tau", in->theta[TAU], in->dt, &k, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_real left = (pf_real)k.left;
  double d_left = 0.0, along = 0.0;
  if (form == FORM_X && cotangent->pre != NULL) {
    d_left += update_traces_line_vjp(in->n_pre, left, in->traces->pre, 1, in->pre, cotangent->pre,
                                     gradient->traces->pre, gradient->pre, &along);
  }
  if (form == FORM_Y && cotangent->post != NULL) {
    d_left +=
        update_traces_line_vjp(in->n_rows, left, in->traces->post, 1, in->post, cotangent->post,
                               gradient->traces->post, gradient->post, &along);
  }
  for (int64_t i = 0; form == FORM_XY && cotangent->synapse != NULL && i < in->n_rows; i++) {
    pf_real *g_e = gradient->traces->synapse == NULL
                       ? NULL
                       : gradient->traces->synapse + i * gradient->traces->ldw;
    d_left += update_traces_line_vjp(in->n_pre, left, in->traces->synapse + i * in->traces->ldw,
                                     in->post[i], in->pre, cotangent->synapse + i * cotangent->ldw,
                                     g_e, gradient->pre, &along);
    if (gradient->post != NULL) {
      gradient->post[i] += (pf_real)along;
    }
  }
  if (gradient->theta != NULL) {
    gradient->theta[TAU] += k.slope * d_left;
  }
  return PF_OK;
}

/* ---- ops ---- */

/* the form is a constant inside, so that each gets loops of its own */
#define EACH_FORM(call, ...)        \
  switch (self->form) {             \
  case FORM_XY:                     \
    call(in, FORM_XY, __VA_ARGS__); \
    break;                          \
  case FORM_X:                      \
    call(in, FORM_X, __VA_ARGS__);  \
    break;                          \
  default:                          \
    call(in, FORM_Y, __VA_ARGS__);  \
    break;                          \
  }

PF_INLINE void forward_block(const trace *self, const pf_block *in, pf_real *dw,
                             int64_t lddw){EACH_FORM(forward_form, dw, lddw)}

PF_INLINE void vjp_block(const trace *self, const pf_block *in, const pf_real *cotangent,
                         int64_t ld_cotangent, const pf_rule_gradient *gradient){
    EACH_FORM(vjp_form, cotangent, ld_cotangent, gradient)}

PF_INLINE pf_status update_traces_block(const trace *self, const pf_block *in,
                                        const pf_traces *next, pf_error *error)
{
  pf_status status = PF_OK;
  EACH_FORM(status = update_traces_form, next, error)
  return status;
}

PF_INLINE pf_status update_traces_vjp_block(const trace *self, const pf_block *in,
                                            const pf_traces *cotangent,
                                            const pf_rule_gradient *gradient, pf_error *error)
{
  pf_status status = PF_OK;
  EACH_FORM(status = update_traces_vjp_form, cotangent, gradient, error)
  return status;
}

#define VARIANT(suffix, attribute)                                                             \
  RULE_FORWARD(suffix, attribute)                                                              \
  RULE_VJP(suffix, attribute)                                                                  \
  RULE_ADVANCE(suffix, attribute)                                                              \
  RULE_ADVANCE_VJP(suffix, attribute)                                                          \
  static const pf_rule_ops ops##suffix = {                                                     \
      RULE_LIFE,                                                                               \
      .forward = forward##suffix,                                                              \
      .vjp = vjp##suffix,                                                                      \
      .update_traces = update_traces##suffix,                                                  \
      .update_traces_vjp = update_traces_vjp##suffix,                                          \
  };                                                                                           \
  static const pf_plugin plugin##suffix = {                                                    \
      PF_PLUGIN_HEAD(PF_KIND_RULE),                                                            \
      .name = "trace",                                                                         \
      .version = "1.0",                                                                        \
      .summary = "dw = rate r e - decay w, e <- exp(-dt / tau) e + x y: an eligibility trace " \
                 "awaits the reward",                                                          \
      .options = PF_TABLE_OF(options),                                                         \
      .rule = &ops##suffix,                                                                    \
  };

PF_FOR_EACH_ISA(VARIANT)

PF_PLUGIN_ENTRY(trace)
{
  return PF_CHOOSE(plugin);
}
