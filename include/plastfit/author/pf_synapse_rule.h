/*
 * plastfit/author/pf_synapse_rule.h - the plugin around PF_DW and PF_DDW. Include it last; see
 * pf_synapse.h.
 *
 * How it computes: rows in pairs, so that the gradient wrt x is loaded and stored once for both and
 * sums over parameters are taken once for both; along a row the compiler vectorises. Sums of up to
 * PF_SYN_STRETCH columns of two rows are taken in pf_real lanes, what is beyond in double. Rows of
 * fewer than PF_SYN_NARROW columns go synapse by synapse: setting up a vector loop would cost more.
 */
#ifndef PLASTFIT_AUTHOR_PF_SYNAPSE_RULE_H
#define PLASTFIT_AUTHOR_PF_SYNAPSE_RULE_H

#include <plastfit/author/pf_synapse.h>
#include <plastfit/author/signed_number.h>

#if defined(PF_RULE_NAME) && !defined(__cplusplus)

/* `omp simd` without -fopenmp-simd is an unknown pragma: slower, not wrong. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#endif
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

enum { PF_SYN_STRETCH = 1024, PF_SYN_NARROW = 8 };

#define PF_SYN_PRAGMA_(...) _Pragma(#__VA_ARGS__)
#define PF_SYN_PRAGMA(...) PF_SYN_PRAGMA_(__VA_ARGS__)

/* ---- tables ---- */

#define PF_SYN_PARAMETER(name_, unit_, initial_, ...)                  \
  {.name = #name_,                                                     \
   .unit = unit_,                                                      \
   .initial = (initial_),                                              \
   .value = PF_SYN_FOURTH_(__VA_ARGS__, (initial_), (initial_), NULL), \
   .lower = PF_SYN_FIRST(__VA_ARGS__),                                 \
   .upper = PF_SYN_SECOND(__VA_ARGS__),                                \
   .help = PF_SYN_THIRD(__VA_ARGS__)},
#define PF_SYN_MODULATOR(name_, ...)         \
  {.name = #name_,                           \
   .fallback = PF_SYN_CHANNELS(__VA_ARGS__), \
   .per = PF_PER_NETWORK,                    \
   .help = PF_SYN_HELP(__VA_ARGS__)},
#define PF_SYN_ONE(...) +1

enum {
  PF_SYN_N_THETA = 0 PF_RULE_THETA(PF_SYN_ONE),
  PF_SYN_N_MODULATORS = 0 PF_RULE_MODULATORS(PF_SYN_ONE)
};

/* Each with an empty element at its end, that is not counted: C has no empty arrays. */
static const pf_parameter pf_syn_parameters[] = {PF_RULE_THETA(PF_SYN_PARAMETER){.name = NULL}};
static const pf_modulator pf_syn_modulators[] = {
    PF_RULE_MODULATORS(PF_SYN_MODULATOR){.name = NULL}};

/* ---- arguments of the author's functions ---- */

#define PF_SYN_READ_THETA(name, ...) p.name = (pf_real)theta[k++];
PF_INLINE pf_theta pf_syn_theta(const double *theta)
{
  pf_theta p;
  size_t k = 0;
  PF_RULE_THETA(PF_SYN_READ_THETA)
  (void)theta;
  (void)k;
  return p;
}

/** What is the same for every synapse of the block. */
#define PF_SYN_READ_MODULATOR(name, ...) s.name = in->modulator[k++];
PF_INLINE pf_syn pf_syn_common(const pf_block *in)
{
  pf_syn s;
  size_t k = 0;
  s.x = s.y = s.w = 0;
  s.dt = (pf_real)in->dt;
  PF_RULE_MODULATORS(PF_SYN_READ_MODULATOR)
  (void)k;
  return s;
}

PF_INLINE pf_syn pf_syn_at(pf_syn common, pf_real x, pf_real y, pf_real w)
{
  common.x = x;
  common.y = y;
  common.w = w;
  return common;
}

/* ---- forward ---- */

PF_INLINE void pf_syn_forward_block(const pf_block *in, pf_real *dw, int64_t lddw)
{
  const pf_theta p = pf_syn_theta(in->theta);
  const pf_syn common = pf_syn_common(in);
  const pf_real *x = in->pre;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real y = in->post[i];
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = dw + i * lddw;
    PF_SYN_PRAGMA(omp simd)
    for (int64_t j = 0; j < in->n_pre; j++) {
      out[j] = pf_syn_dw(pf_syn_at(common, x[j], y, w[j]), p);
    }
  }
}

PF_INLINE void pf_syn_step_block(const pf_block *in, const pf_update *update, pf_real *w_out,
                                 int64_t ld_out)
{
  const pf_theta p = pf_syn_theta(in->theta);
  const pf_syn common = pf_syn_common(in);
  const pf_real eta = (pf_real)update->eta;
  const pf_real *x = in->pre;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real y = in->post[i];
    const pf_real *w = in->w + i * in->ldw;
    pf_real *out = w_out + i * ld_out;
    if (update->mask == NULL) {
      PF_SYN_PRAGMA(omp simd)
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * pf_syn_dw(pf_syn_at(common, x[j], y, w[j]), p);
      }
    } else {
      const pf_real *mask = update->mask + i * update->ldm;
      PF_SYN_PRAGMA(omp simd)
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] = w[j] + eta * mask[j] * pf_syn_dw(pf_syn_at(common, x[j], y, w[j]), p);
      }
    }
  }
}

/* ---- adjoint ---- */

/** A row, from the column where a stretch begins; `c` is the cotangent of dw, or the mask where
 * FUSED. */
typedef struct pf_syn_row {
  pf_real y, sum_y;
  const pf_real *w, *c;
  pf_real *gw;
} pf_syn_row;

/** Sums over synapses of c times the derivative by each parameter. */
typedef struct pf_syn_sums {
  double theta[PF_SYN_N_THETA + 1];
} pf_syn_sums;

/** c times the derivatives of one synapse of ROW; FUSED: c = eta mask gw, gw as on entry. */
#define PF_SYN_ADD_THETA(name, ...) sum_##name += c * d.name;
#define PF_SYN_SYNAPSE(ROW, SUM_Y)                                                    \
  {                                                                                   \
    const pf_dsyn d = pf_syn_ddw(pf_syn_at(common, x[j], ROW.y, ROW.w[j]), p);        \
    const pf_real c = FUSED ? (MASKED ? eta * ROW.c[j] : eta) * ROW.gw[j] : ROW.c[j]; \
    PF_RULE_THETA(PF_SYN_ADD_THETA)                                                   \
    SUM_Y += c * d.y;                                                                 \
    g += c * d.x;                                                                     \
    if (WANT_W) {                                                                     \
      ROW.gw[j] += c * d.w;                                                           \
    }                                                                                 \
  }

#define PF_SYN_ZERO(name, ...) pf_real sum_##name = 0;
#define PF_SYN_LIST(name, ...) , sum_##name
#define PF_SYN_KEEP(name, ...) sums->theta[k++] += (double)sum_##name;

/** n columns of one or (PAIR) two rows. gx MAY be NULL only where WANT_X is 0. */
PF_INLINE void pf_syn_adjoint(const int PAIR, const int FUSED, const int MASKED, const int WANT_X,
                              const int WANT_W, const pf_syn common, const pf_theta p,
                              const pf_real eta, const int64_t n, const pf_real *x, pf_real *gx,
                              pf_syn_row *row, pf_syn_sums *sums)
{
  pf_syn_row a = row[0], b = row[PAIR];
  pf_real sum_of_ya = 0, sum_of_yb = 0;
  PF_RULE_THETA(PF_SYN_ZERO)
  PF_SYN_PRAGMA(omp simd reduction(+ : sum_of_ya, sum_of_yb PF_RULE_THETA(PF_SYN_LIST)))
  for (int64_t j = 0; j < n; j++) {
    pf_real g = 0;
    PF_SYN_SYNAPSE(a, sum_of_ya)
    if (PAIR) {
      PF_SYN_SYNAPSE(b, sum_of_yb)
    }
    if (WANT_X) {
      gx[j] += g;
    }
  }
  size_t k = 0;
  PF_RULE_THETA(PF_SYN_KEEP)
  (void)k;
  row[0].sum_y += sum_of_ya;
  if (PAIR) {
    row[1].sum_y += sum_of_yb;
  }
}

/** Rows too short for vectors. */
PF_INLINE void pf_syn_adjoint_narrow(const int FUSED, const int MASKED, const int WANT_X,
                                     const int WANT_W, const pf_syn common, const pf_theta p,
                                     const pf_real eta, const int64_t n, const pf_real *x,
                                     pf_real *gx, pf_syn_row *row, pf_syn_sums *sums)
{
  const pf_syn_row a = row[0];
  pf_real sum_of_y = 0;
  PF_RULE_THETA(PF_SYN_ZERO)
  for (int64_t j = 0; j < n; j++) {
    pf_real g = 0;
    PF_SYN_SYNAPSE(a, sum_of_y)
    if (WANT_X) {
      gx[j] += g;
    }
  }
  size_t k = 0;
  PF_RULE_THETA(PF_SYN_KEEP)
  (void)k;
  row[0].sum_y += sum_of_y;
}

PF_INLINE void pf_syn_adjoint_rows(const int FUSED, const int MASKED, const int WANT_X,
                                   const int WANT_W, const pf_block *in, const pf_real *c,
                                   int64_t ldc, double eta, const pf_rule_gradient *gradient)
{
  const pf_theta p = pf_syn_theta(in->theta);
  const pf_syn common = pf_syn_common(in);
  pf_syn_sums sums = {{0}};
  for (int64_t i = 0; i < in->n_rows;) {
    const int narrow = in->n_pre < PF_SYN_NARROW;
    const int64_t n_rows = !narrow && in->n_rows - i > 1 ? 2 : 1;
    double sum_y[2] = {0, 0};
    for (int64_t j = 0; j < in->n_pre; j += PF_SYN_STRETCH) {
      const int64_t n = in->n_pre - j < PF_SYN_STRETCH ? in->n_pre - j : PF_SYN_STRETCH;
      pf_real *gx = WANT_X ? gradient->pre + j : NULL;
      pf_syn_row row[2];
      for (int64_t r = 0; r < n_rows; r++) {
        row[r].y = in->post[i + r];
        row[r].sum_y = 0;
        row[r].w = in->w + (i + r) * in->ldw + j;
        row[r].c = !FUSED || MASKED ? c + (i + r) * ldc + j : NULL;
        row[r].gw = WANT_W ? gradient->w + (i + r) * gradient->ldw + j : NULL;
      }
      if (narrow) {
        pf_syn_adjoint_narrow(FUSED, MASKED, WANT_X, WANT_W, common, p, (pf_real)eta, n,
                              in->pre + j, gx, row, &sums);
      } else if (n_rows == 2) {
        pf_syn_adjoint(1, FUSED, MASKED, WANT_X, WANT_W, common, p, (pf_real)eta, n, in->pre + j,
                       gx, row, &sums);
      } else {
        pf_syn_adjoint(0, FUSED, MASKED, WANT_X, WANT_W, common, p, (pf_real)eta, n, in->pre + j,
                       gx, row, &sums);
      }
      for (int64_t r = 0; r < n_rows; r++) {
        sum_y[r] += (double)row[r].sum_y;
      }
    }
    for (int64_t r = 0; r < n_rows && gradient->post != NULL; r++) {
      gradient->post[i + r] += (pf_real)sum_y[r];
    }
    i += n_rows;
  }
  for (size_t k = 0; k < (size_t)PF_SYN_N_THETA && gradient->theta != NULL; k++) {
    gradient->theta[k] += sums.theta[k];
  }
}

PF_INLINE void pf_syn_vjp_block(const pf_block *in, const pf_real *cotangent, int64_t ld_cotangent,
                                const pf_rule_gradient *gradient)
{
  if (gradient->pre != NULL && gradient->w != NULL) {
    pf_syn_adjoint_rows(0, 0, 1, 1, in, cotangent, ld_cotangent, 0.0, gradient);
  } else if (gradient->pre != NULL) {
    pf_syn_adjoint_rows(0, 0, 1, 0, in, cotangent, ld_cotangent, 0.0, gradient);
  } else if (gradient->w != NULL) {
    pf_syn_adjoint_rows(0, 0, 0, 1, in, cotangent, ld_cotangent, 0.0, gradient);
  } else {
    pf_syn_adjoint_rows(0, 0, 0, 0, in, cotangent, ld_cotangent, 0.0, gradient);
  }
}

PF_INLINE void pf_syn_step_vjp_block(const pf_block *in, const pf_update *update,
                                     const pf_rule_gradient *gradient)
{
  if (gradient->pre != NULL && update->mask != NULL) {
    pf_syn_adjoint_rows(1, 1, 1, 1, in, update->mask, update->ldm, update->eta, gradient);
  } else if (gradient->pre != NULL) {
    pf_syn_adjoint_rows(1, 0, 1, 1, in, NULL, 0, update->eta, gradient);
  } else if (update->mask != NULL) {
    pf_syn_adjoint_rows(1, 1, 0, 1, in, update->mask, update->ldm, update->eta, gradient);
  } else {
    pf_syn_adjoint_rows(1, 0, 0, 1, in, NULL, 0, update->eta, gradient);
  }
}

/* ---- tangents ---- */

#define PF_SYN_DOT(name, ...) +v.name *d.name

/** What does not move has no part, also where the derivative by it is infinite (sqrt at 0). */
PF_INLINE pf_real pf_syn_moved(pf_real dot, pf_real derivative)
{
  return dot >= 0 && dot <= 0 ? 0 : dot * derivative;
}

/** One direction. A NULL input is a direction without that part. */
PF_INLINE void pf_syn_jvp_block(const pf_block *in, const pf_rule_tangent *tangent, int64_t t)
{
  static const double no_theta[PF_SYN_N_THETA + 1] = {0};
  const pf_theta p = pf_syn_theta(in->theta);
  const pf_theta v =
      pf_syn_theta(tangent->theta != NULL ? tangent->theta + t * PF_SYN_N_THETA : no_theta);
  const pf_syn common = pf_syn_common(in);
  const pf_real *x = in->pre;
  const pf_real *x_dot = tangent->pre != NULL ? tangent->pre + t * tangent->pre_stride : NULL;
  for (int64_t i = 0; i < in->n_rows; i++) {
    const pf_real y = in->post[i];
    const pf_real y_dot = tangent->post != NULL ? tangent->post[t * tangent->post_stride + i] : 0;
    const pf_real *w = in->w + i * in->ldw;
    const pf_real *w_dot =
        tangent->w != NULL ? tangent->w + t * tangent->w_stride + i * tangent->ldw : NULL;
    pf_real *out = tangent->dw + t * tangent->dw_stride + i * tangent->lddw;
    PF_SYN_PRAGMA(omp simd)
    for (int64_t j = 0; j < in->n_pre; j++) {
      const pf_dsyn d = pf_syn_ddw(pf_syn_at(common, x[j], y, w[j]), p);
      out[j] = pf_syn_moved(y_dot, d.y) PF_RULE_THETA(PF_SYN_DOT);
    }
    if (x_dot != NULL) {
      PF_SYN_PRAGMA(omp simd)
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] += pf_syn_moved(x_dot[j], pf_syn_ddw(pf_syn_at(common, x[j], y, w[j]), p).x);
      }
    }
    if (w_dot != NULL) {
      PF_SYN_PRAGMA(omp simd)
      for (int64_t j = 0; j < in->n_pre; j++) {
        out[j] += pf_syn_moved(w_dot[j], pf_syn_ddw(pf_syn_at(common, x[j], y, w[j]), p).w);
      }
    }
  }
}

/* ---- the object ---- */

/** Nothing varies between objects, but each must be its own allocation for destroy. */
typedef struct pf_syn_object {
  const pf_host *host;
} pf_syn_object;

/** Arguments of dw as one array: x, y, w, then theta, then modulators and dt. */
enum {
  PF_SYN_N_DERIVATIVES = 3 + PF_SYN_N_THETA,
  PF_SYN_N_ARGUMENTS = PF_SYN_N_DERIVATIVES + PF_SYN_N_MODULATORS + 1
};

#define PF_SYN_TAKE_THETA(name, ...) p->name = (pf_real)argument[k++];
#define PF_SYN_TAKE_MODULATOR(name, ...) s->name = (pf_real)argument[k++];
static inline void pf_syn_take(const double *argument, pf_syn *s, pf_theta *p)
{
  size_t k = 3;
  s->x = (pf_real)argument[0];
  s->y = (pf_real)argument[1];
  s->w = (pf_real)argument[2];
  PF_RULE_THETA(PF_SYN_TAKE_THETA)
  PF_RULE_MODULATORS(PF_SYN_TAKE_MODULATOR)
  s->dt = (pf_real)argument[k];
  (void)p;
}

/** Numbers that are nothing in particular, from -1 to 1, the same at every call. */
static inline double pf_syn_number(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return (double)(*state >> 8) / 8388608.0 - 1.0;
}

/** A value within the parameter's bounds, near where a fit starts. */
static inline double pf_syn_within(const pf_parameter *parameter, double number)
{
  const double value = parameter->initial + 0.7 * number;
  /* reflected at a bound: at the bound itself, rate = 0 say, dw may not depend on the others */
  const double above = value < parameter->lower ? 2 * parameter->lower - value : value;
  const double below = above > parameter->upper ? 2 * parameter->upper - above : above;
  return below < parameter->lower ? parameter->initial : below;
}

#define PF_SYN_LIST_DERIVATIVE(name, ...) , d.name

/**
 * A derivative that is 0 wherever we look, while dw changes with its argument, was forgotten: C
 * sets what an initialiser leaves out to 0. Whether the others are right is for `plastfit check`.
 */
static inline pf_status pf_syn_check_derivatives(pf_error *error)
{
  enum { LOOKS = 16 };
  int is_zero[PF_SYN_N_DERIVATIVES], changes[PF_SYN_N_DERIVATIVES];
  uint32_t state = 20250711u;
  for (size_t k = 0; k < (size_t)PF_SYN_N_DERIVATIVES; k++) {
    is_zero[k] = 1;
    changes[k] = 0;
  }
  for (int look = 0; look < LOOKS; look++) {
    double argument[PF_SYN_N_ARGUMENTS];
    pf_syn s;
    pf_theta p;
    for (size_t k = 0; k < (size_t)PF_SYN_N_ARGUMENTS; k++) {
      const double number = pf_syn_number(&state);
      argument[k] = number;
      if (k >= 3 && k < (size_t)PF_SYN_N_DERIVATIVES) {
        argument[k] = pf_syn_within(&pf_syn_parameters[k - 3], number);
      }
    }
    pf_syn_take(argument, &s, &p);
    const pf_dsyn d = pf_syn_ddw(s, p);
    const double derivative[PF_SYN_N_DERIVATIVES] = {d.x, d.y,
                                                     d.w PF_RULE_THETA(PF_SYN_LIST_DERIVATIVE)};
    const pf_real dw = pf_syn_dw(s, p), again = pf_syn_dw(s, p);
    if (again < dw || again > dw) { /* before all else, which it would make fail, too */
      return pf_fail(error, PF_STOP,
                     "dw gave two values, %.9g and %.9g, for the same x, y, w and parameters: it "
                     "keeps something from call to call (a static variable, a random number)",
                     (double)dw, (double)again);
    }
    for (size_t k = 0; k < (size_t)PF_SYN_N_DERIVATIVES; k++) {
      const double at = argument[k];
      argument[k] = at + 1.0 / 128;
      pf_syn_take(argument, &s, &p);
      const pf_real moved = pf_syn_dw(s, p);
      argument[k] = at;
      is_zero[k] = is_zero[k] && derivative[k] == 0;
      changes[k] += moved < dw || moved > dw;
    }
  }
  for (size_t k = 0; k < (size_t)PF_SYN_N_DERIVATIVES; k++) {
    static const char *const inputs[] = {"x", "y", "w"};
    const char *name = k < 3 ? inputs[k] : pf_syn_parameters[k - 3].name;
    if (is_zero[k] && changes[k] > LOOKS / 4) {
      return pf_fail(error, PF_STOP,
                     "dw depends on %s, but PF_DDW says that its derivative by %s is 0: was .%s = "
                     "... left out?",
                     name, name, name);
    }
    if (k >= 3 && is_zero[k] && changes[k] == 0) {
      return pf_fail(error, PF_STOP,
                     "dw does not depend on its parameter %s; take it out of PF_RULE_THETA", name);
    }
  }
  return PF_OK;
}

static pf_status pf_syn_create(const pf_host *host, const pf_options *options, void **out,
                               pf_error *error)
{
  (void)options;
  /* not declared? write PF_DW(s, p) { return ...; } above this header */
  (void)PF_DW_is_written_above;
  /* not declared? write PF_DDW(s, p) { return (pf_dsyn){...}; } above this header */
  (void)PF_DDW_is_written_above;
  for (size_t k = 0; k < (size_t)PF_SYN_N_THETA; k++) {
    const pf_parameter *parameter = &pf_syn_parameters[k];
    if (!(parameter->lower <= parameter->initial && parameter->initial <= parameter->upper)) {
      return pf_fail(
          error, PF_STOP,
          "PF_RULE_THETA: %s starts at %g, expected lower <= initial <= upper, which are %g and %g",
          parameter->name, parameter->initial, parameter->lower, parameter->upper);
    }
  }
  const pf_status status = pf_syn_check_derivatives(error);
  if (status != PF_OK) {
    return status;
  }
  pf_syn_object *self = (pf_syn_object *)host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void pf_syn_destroy(void *object)
{
  pf_syn_object *self = (pf_syn_object *)object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status pf_syn_declare(const void *self, pf_rule_declaration *out, pf_error *error)
{
  (void)self;
  (void)error;
  out->parameters.items = pf_syn_parameters;
  out->parameters.count = (size_t)PF_SYN_N_THETA;
  out->parameters.stride = sizeof pf_syn_parameters[0];
  out->modulators.items = pf_syn_modulators;
  out->modulators.count = (size_t)PF_SYN_N_MODULATORS;
  out->modulators.stride = sizeof pf_syn_modulators[0];
  out->reads = PF_RULE_READS;
  return PF_OK;
}

/* ---- describe ---- */

/** Append to a text of that capacity. Where the text is cut, *used becomes the capacity. */
static inline void pf_syn_add(char *text, size_t capacity, size_t *used, const char *piece,
                              size_t length)
{
  size_t i = 0;
  while (i < length && *used + 1 < capacity) {
    text[(*used)++] = piece[i++];
  }
  if (i < length && *used < capacity) {
    text[*used] = '\0';
    *used = capacity;
  }
  if (*used < capacity) {
    text[*used] = '\0';
  }
}

/** A number with three digits before `rest`; in LaTeX its exponent becomes \times 10^{n}. */
static inline void pf_syn_add_number(char *text, size_t capacity, size_t *used, double value,
                                     uint32_t format, const char *rest)
{
  if (*used >= capacity) {
    return; /* the text is cut before this number: its last sign belongs to another */
  }
  const int form = pf_sign_of_number(text, used, value, rest);
  char number[32], piece[64];
  (void)snprintf(number, sizeof number, "%.3g", form == PF_SIGN_TURNED ? -value : value);
  char *exponent = format == PF_TEXT_LATEX ? strchr(number, 'e') : NULL;
  const char *open = form == PF_SIGN_BRACKETS ? "(" : "";
  const char *close = form == PF_SIGN_BRACKETS ? ")" : "";
  int n = 0;
  if (exponent != NULL) {
    const long power = strtol(exponent + 1, NULL, 10);
    *exponent = '\0';
    n = snprintf(piece, sizeof piece, "%s%s \\times 10^{%ld}%s", open, number, power, close);
  } else {
    n = snprintf(piece, sizeof piece, "%s%s%s", open, number, close);
  }
  pf_syn_add(text, capacity, used, piece, n > 0 ? (size_t)n : 0);
}

static inline int pf_syn_is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static pf_status pf_syn_describe(const void *self, const double *theta, uint32_t format, char *text,
                                 size_t capacity, pf_error *error)
{
  (void)self;
  (void)error;
  const char *head = format == PF_TEXT_LATEX ? "\\Delta w = " : "dw = ";
  size_t used = 0;
  pf_syn_add(text, capacity, &used, head, strlen(head));
#ifdef PF_RULE_EQUATION
  const char *at = PF_RULE_EQUATION;
  while (*at != '\0') {
    size_t length = 0;
    while (pf_syn_is_letter(at[length])) {
      length++;
    }
    size_t k = 0;
    while (k < (size_t)PF_SYN_N_THETA && (strlen(pf_syn_parameters[k].name) != length ||
                                          strncmp(pf_syn_parameters[k].name, at, length) != 0)) {
      k++;
    }
    if (length > 0 && k < (size_t)PF_SYN_N_THETA) {
      pf_syn_add_number(text, capacity, &used, theta[k], format, at + length);
    } else {
      pf_syn_add(text, capacity, &used, at, length > 0 ? length : 1);
    }
    at += length > 0 ? length : 1;
  }
#else
  const char *name = PF_SYN_TEXT(PF_RULE_NAME) "(x, y, w;";
  pf_syn_add(text, capacity, &used, name, strlen(name));
  for (size_t k = 0; k < (size_t)PF_SYN_N_THETA; k++) {
    const char *parameter = pf_syn_parameters[k].name;
    pf_syn_add(text, capacity, &used, k > 0 ? ", " : " ", k > 0 ? 2 : 1);
    pf_syn_add(text, capacity, &used, parameter, strlen(parameter));
    pf_syn_add(text, capacity, &used, " = ", 3);
    pf_syn_add_number(text, capacity, &used, theta[k], format, "");
  }
  pf_syn_add(text, capacity, &used, ")", 1);
#endif
  return PF_OK;
}

/* ---- the ops, once per instruction set ---- */

#define PF_ISA baseline
#include <plastfit/author/pf_synapse_ops.h>
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include <plastfit/author/pf_synapse_ops.h>
#endif

/* Two steps, so that the name is put in before it is joined. */
#define PF_SYN_ENTRY(name) PF_PLUGIN_ENTRY(name)
PF_SYN_ENTRY(PF_RULE_NAME)
{
  return PF_ISA_CHOOSE(pf_syn_plugin);
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#endif

#endif
