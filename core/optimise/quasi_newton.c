/*
 * L-BFGS, and OWL-QN (Andrew & Gao 2007) for L1, by liblbfgs.
 *
 * liblbfgs knows no bounds. So without L1 it minimises over u, where v = v(u) stays within them (as
 * MINUIT does, James & Roos 1975):
 *
 *     both        v = (lower + upper) / 2 + (upper - lower) / 2 sin u
 *     lower only  v = lower - 1 + sqrt(u^2 + 1)         upper only likewise; in units of scale
 *
 * There dv/du = 0 at the bound itself, so a start on a bound is moved a little inside. With L1 this
 * cannot be done: |v(u)| is no L1 penalty on u.
 *
 * liblbfgs knows one L1 weight for values in a row. So values with a weight come first, and u = (v
 * - center) l1 / (largest l1).
 *
 * A point where F has no value is infinitely bad to the line search, which then tries nearer: so
 * backtracking, whose arithmetic survives that (More-Thuente's interpolation does not).
 */
#include "core/optimise/quasi_newton.h"

#include "core/base/memory.h"

#include <lbfgs.h>
#include <math.h>
#include <string.h>

/* Pairs of differences kept; iterations in a row with nothing to gain that end the search. */
enum { N_PAIRS = 10, MAX_QUIET = 3 };
/* Values up to which an end is checked by conjugate gradients; searches from ends that are none. */
enum { MAX_CHECKED = 100, MAX_SEARCHES = 4 };

/* Nats that may be left where no step goes down. */
static const double gain_at_rest = 1e-4;
/* Nats worth another search. */
static const double gain_to_search = 1e-7;

/* Of the width, or of 1 + |bound|: how far a start on a bound is moved. */
static const double inside = 1e-3;

typedef struct quasi {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  pf_error *error;
  size_t n;
  size_t *order;         /* [n] which value is u[k] */
  double *memory;        /* of the vectors below */
  double *unit, *center; /* [n] v = center + u / unit, by k; 1 and 0 where there is no L1 weight */
  double largest_l1;
  size_t n_l1;
  double *v, *gradient, *work;  /* [n] where it was last evaluated; work */
  double *best, *best_gradient; /* [n] the last iterate: the caller's v */
  double objective, norm;       /* there: F, and the projected gradient's largest component */
  double *pairs;                /* [N_PAIRS][2][n] changes of v and of the gradient of F */
  size_t n_pairs;               /* kept so far */
  double gain;                  /* nats, predicted at best */
  int n_quiet;                  /* iterations in a row with nothing to gain */
  uint32_t reason;
  pf_status status; /* of an op that said stop */
} quasi;

static bool has_lower(const quasi *s, size_t i)
{
  return isfinite(s->function->lower[i]);
}

static bool has_upper(const quasi *s, size_t i)
{
  return isfinite(s->function->upper[i]);
}

static double scale_of(const quasi *s, size_t i)
{
  return s->function->scale != NULL ? s->function->scale[i] : 1.0;
}

/* v of one value, and dv/du. */
static double value_of(const quasi *s, size_t k, double u, double *slope)
{
  const size_t i = s->order[k];
  const double lower = s->function->lower[i];
  const double upper = s->function->upper[i];
  const double root = sqrt(u * u + 1.0);
  if (has_lower(s, i) && has_upper(s, i)) {
    *slope = 0.5 * (upper - lower) * cos(u);
    return fmin(fmax(0.5 * (lower + upper) + 0.5 * (upper - lower) * sin(u), lower), upper);
  }
  if (has_lower(s, i) || has_upper(s, i)) {
    const double size = scale_of(s, i);
    *slope = has_lower(s, i) ? size * u / root : -size * u / root;
    return has_lower(s, i) ? lower + size * (root - 1.0) : upper - size * (root - 1.0);
  }
  *slope = 1.0 / s->unit[k];
  return s->center[k] + u / s->unit[k];
}

static double variable_of(const quasi *s, size_t k, double v)
{
  const size_t i = s->order[k];
  const double lower = s->function->lower[i];
  const double upper = s->function->upper[i];
  if (has_lower(s, i) && has_upper(s, i)) {
    const double width = upper - lower;
    const double clipped = fmin(fmax(v, lower + inside * width), upper - inside * width);
    return width > 0.0 ? asin((clipped - 0.5 * (lower + upper)) / (0.5 * width)) : 0.0;
  }
  if (has_lower(s, i) || has_upper(s, i)) {
    const double bound = has_lower(s, i) ? lower : upper;
    const double size = scale_of(s, i);
    const double distance =
        fmax((has_lower(s, i) ? v - lower : upper - v) / size, inside * (1.0 + fabs(bound) / size));
    return sqrt((distance + 1.0) * (distance + 1.0) - 1.0);
  }
  return (v - s->center[k]) * s->unit[k];
}

/* s->v from u. */
static void set_values(quasi *s, const double *u)
{
  double slope = 0.0;
  for (size_t k = 0; k < s->n; k++) {
    s->v[s->order[k]] = value_of(s, k, u[k], &slope);
  }
}

static lbfgsfloatval_t evaluate_scaled(void *self, const lbfgsfloatval_t *u,
                                       lbfgsfloatval_t *gradient, const int n,
                                       const lbfgsfloatval_t step)
{
  quasi *s = self;
  (void)n;
  (void)step;
  memset(gradient, 0, s->n * sizeof *gradient);
  if (s->status != PF_OK) {
    return -HUGE_VAL; /* a line search takes that at once; then after_iteration() ends the search */
  }
  set_values(s, u);
  pf_error line = pf_error_none();
  pf_derivatives at = {.gradient = s->gradient};
  const pf_status status = pf_function_evaluate(s->function, s->v, &at, s->out, &line);
  if (status < 0) {
    s->status = pf_fail_key(s->error, status, line.key, "%s", line.text);
    return -HUGE_VAL;
  }
  if (status > 0) {
    return HUGE_VAL;
  }
  for (size_t k = 0; k < s->n; k++) {
    double slope = 0.0;
    (void)value_of(s, k, u[k], &slope);
    gradient[k] = s->gradient[s->order[k]] * slope;
  }
  return at.f;
}

/* ---- what is left to gain ---- */

static double *pair_at(const quasi *s, size_t age, int which)
{
  return s->pairs + ((s->n_pairs - 1 - age) % N_PAIRS * 2 + (size_t)which) * s->n;
}

/* The change from best and best_gradient to v and gradient. */
static void keep_pair(quasi *s)
{
  s->n_pairs++;
  double *step = pair_at(s, 0, 0), *change = pair_at(s, 0, 1);
  for (size_t i = 0; i < s->n; i++) {
    step[i] = s->v[i] - s->best[i];
    change[i] = s->gradient[i] - s->best_gradient[i];
  }
  if (!(pf_dot(step, change, s->n) > 0.0)) {
    s->n_pairs--;
  }
}

/* In nats, of a Newton step with the pairs' own estimate of the inverse Hessian (Nocedal's two
 * loops) along what is left of the gradient: invariant to the units of values. */
static double predict_gain(const quasi *s)
{
  const size_t n = s->n, n_pairs = s->n_pairs < N_PAIRS ? s->n_pairs : N_PAIRS;
  double *q = s->work, share[N_PAIRS] = {0.0};
  if (n_pairs == 0) {
    return INFINITY;
  }
  for (size_t i = 0; i < n; i++) {
    q[i] = pf_projected_component(s->function, s->best, s->best_gradient, i);
  }
  for (size_t age = 0; age < n_pairs; age++) {
    const double *step = pair_at(s, age, 0), *change = pair_at(s, age, 1);
    share[age] = pf_dot(step, q, n) / pf_dot(step, change, n);
    for (size_t i = 0; i < n; i++) {
      q[i] -= share[age] * change[i];
    }
  }
  double along = 0.0, across = 0.0; /* the size of what the pairs say nothing of, by the last */
  for (size_t i = 0; i < n; i++) {
    const double unit = scale_of(s, i);
    along += pair_at(s, 0, 0)[i] * pair_at(s, 0, 1)[i];
    across += pair_at(s, 0, 1)[i] * unit * pair_at(s, 0, 1)[i] * unit;
  }
  for (size_t i = 0; i < n; i++) {
    const double unit = scale_of(s, i);
    q[i] *= along / across * unit * unit;
  }
  for (size_t age = n_pairs; age-- > 0;) {
    const double *step = pair_at(s, age, 0), *change = pair_at(s, age, 1);
    const double back = pf_dot(change, q, n) / pf_dot(step, change, n);
    for (size_t i = 0; i < n; i++) {
      q[i] += (share[age] - back) * step[i];
    }
  }
  double gain = 0.0;
  for (size_t i = 0; i < n; i++) {
    gain += 0.5 * q[i] * pf_projected_component(s->function, s->best, s->best_gradient, i);
  }
  return pf_function_nats(s->function, s->objective) * fabs(gain);
}

/* Sets s->reason where the search ends here, and whether it converged. */
static void find_reason(quasi *s, double fall)
{
  const pf_optimiser_settings *settings = s->settings;
  const double nats = pf_function_nats(s->function, s->objective);
  s->gain = predict_gain(s);
  const bool quiet = fmax(s->gain, nats * fall) <= settings->tolerance_nats ||
                     fall <= s->function->noise * fabs(s->objective);
  s->n_quiet = quiet ? s->n_quiet + 1 : 0;
  if (!(s->norm > 0.0)) {
    s->reason = PF_REASON_GRADIENT;
    s->out->converged = true;
  } else if (s->n_quiet >= MAX_QUIET) {
    s->reason = PF_REASON_PROGRESS;
    s->out->converged = s->gain <= fmax(gain_at_rest, settings->tolerance_nats);
  } else if (s->out->iterations >= settings->iterations) {
    s->reason = PF_REASON_ITERATIONS;
  } else if (settings->evaluations > 0 && s->out->evaluations >= settings->evaluations) {
    s->reason = PF_REASON_EVALUATIONS;
  } else if (pf_watch_stops(s->watch)) {
    s->reason = PF_REASON_INTERRUPTED;
  }
}

static void report_iterate(const quasi *s, double step)
{
  pf_watch_report(s->watch, &(pf_iterate){.iteration = s->out->iterations,
                                          .v = s->best,
                                          .objective = s->objective,
                                          .gradient_norm = s->norm,
                                          .step = step});
}

/* Called by liblbfgs after every iteration: not 0 ends the search. */
static int after_iteration(void *self, const lbfgsfloatval_t *u, const lbfgsfloatval_t *gradient,
                           const lbfgsfloatval_t f, const lbfgsfloatval_t u_norm,
                           const lbfgsfloatval_t gradient_norm, const lbfgsfloatval_t step, int n,
                           int k, int n_evaluations)
{
  quasi *s = self;
  (void)gradient;
  (void)u_norm;
  (void)gradient_norm;
  (void)step;
  (void)n;
  (void)k;
  (void)n_evaluations;
  if (s->status != PF_OK) {
    return 1;
  }
  const double fall = s->objective - f; /* with the L1 term: liblbfgs adds it */
  double largest = 0.0;
  set_values(s, u);
  for (size_t i = 0; i < s->n; i++) {
    largest = fmax(largest, fabs(s->v[i] - s->best[i]));
  }
  keep_pair(s);
  memcpy(s->best, s->v, s->n * sizeof *s->best);
  memcpy(s->best_gradient, s->gradient, s->n * sizeof *s->gradient);
  s->objective = f;
  s->norm = pf_projected_gradient(s->function, s->best, s->best_gradient);
  s->out->iterations++;
  report_iterate(s, largest);
  find_reason(s, fall);
  return s->reason != PF_REASON_NONE;
}

/* Values with an L1 weight first. */
static void order_values(quasi *s)
{
  size_t k = 0;
  for (size_t i = 0; i < s->n; i++) {
    s->largest_l1 = fmax(s->largest_l1, pf_l1_weight(s->function, i));
  }
  for (int with = 1; with >= 0; with--) {
    for (size_t i = 0; i < s->n; i++) {
      const double l1 = pf_l1_weight(s->function, i);
      const bool weighted = l1 > 0.0;
      if (weighted == (with == 1)) {
        s->unit[k] = weighted ? l1 / s->largest_l1 : 1.0 / scale_of(s, i);
        s->center[k] = weighted ? pf_l1_center(s->function, i) : 0.0;
        s->order[k++] = i;
        s->n_l1 += weighted ? 1 : 0;
      }
    }
  }
}

static pf_status prepare_values(quasi *s, pf_error *error)
{
  const size_t n = s->n;
  s->order = pf_memory_need(n, sizeof *s->order, error);
  s->memory = pf_memory_need((6 + 2 * N_PAIRS) * n, sizeof *s->memory, error);
  if (s->order == NULL || s->memory == NULL) {
    return PF_STOP;
  }
  s->unit = s->memory;
  s->center = s->memory + n;
  s->v = s->memory + 2 * n;
  s->gradient = s->memory + 3 * n;
  s->best_gradient = s->memory + 4 * n;
  s->work = s->memory + 5 * n;
  s->pairs = s->memory + 6 * n;
  order_values(s);
  return PF_OK;
}

/* ---- what is left to gain where it started ---- */

/* out = H direction at best, by a difference of gradients, of the values that are free. */
static pf_status difference_product(quasi *s, const double *direction, double *out)
{
  const size_t n = s->n;
  double size = 0.0;
  for (size_t i = 0; i < n; i++) {
    const double unit = s->function->scale != NULL ? scale_of(s, i) : fmax(fabs(s->best[i]), 1e-3);
    size += direction[i] * direction[i] / (unit * unit);
  }
  const double length = 1e-3 / sqrt(size);
  pf_error ignored = pf_error_none();
  pf_derivatives at = {.gradient = out};
  for (size_t i = 0; i < n; i++) {
    s->v[i] = s->best[i] + length * direction[i];
  }
  const pf_status status = pf_function_evaluate(s->function, s->v, &at, s->out, &ignored);
  for (size_t i = 0; i < n; i++) {
    out[i] = direction[i] == 0.0 ? 0.0 : (out[i] - s->best_gradient[i]) / length;
  }
  return status;
}

/*
 * Nats that a Newton step from best gains, by conjugate gradients: where the first line search went
 * nowhere there are no pairs that could say it. INFINITY: the gradients do not say it either.
 */
static double gain_without_pairs(quasi *s)
{
  const size_t n = s->n;
  double *rest = s->pairs, *way = rest + n, *image = way + n; /* there is room: no pairs */
  double gain = 0.0, size = 0.0;
  for (size_t i = 0; i < n; i++) {
    rest[i] = -pf_projected_component(s->function, s->best, s->best_gradient, i);
    way[i] = rest[i] * scale_of(s, i) * scale_of(s, i);
    size += rest[i] * way[i];
  }
  const double enough = 1e-6 * size;
  for (size_t k = 0; k < n && k < 2 * N_PAIRS && size > enough; k++) {
    if (difference_product(s, way, image) != PF_OK || !(pf_dot(way, image, n) > 0.0)) {
      return INFINITY;
    }
    const double length = size / pf_dot(way, image, n), before = size;
    gain += 0.5 * length * size;
    size = 0.0;
    for (size_t i = 0; i < n; i++) {
      const double unit = scale_of(s, i);
      rest[i] -= way[i] == 0.0 ? 0.0 : length * image[i];
      size += rest[i] * rest[i] * unit * unit;
    }
    for (size_t i = 0; i < n; i++) {
      const double unit = scale_of(s, i);
      way[i] = rest[i] * unit * unit + size / before * way[i];
    }
  }
  return pf_function_nats(s->function, s->objective) * gain;
}

/* What liblbfgs ended with, where after_iteration() did not end it. */
static pf_status read_result(quasi *s, int code, pf_error *error)
{
  if (s->status != PF_OK || s->reason != PF_REASON_NONE) {
    return s->status;
  }
  if (code == LBFGSERR_OUTOFMEMORY) {
    return pf_fail(error, PF_STOP, "no memory left for lbfgs with %zu values", s->n);
  }
  if (code == LBFGS_SUCCESS || code == LBFGS_ALREADY_MINIMIZED) {
    s->reason = PF_REASON_GRADIENT;
    s->out->converged = !(s->norm > 0.0) || s->gain <= gain_at_rest;
    return PF_OK;
  }
  /* the line search found nothing lower: at an optimum because of rounding, else because
   * derivatives are wrong; what there is still to gain tells them apart */
  s->reason = PF_REASON_STEP;
  s->out->converged = s->gain <= fmax(gain_at_rest, s->settings->tolerance_nats);
  return PF_OK;
}

static lbfgs_parameter_t search_settings(const quasi *s)
{
  lbfgs_parameter_t how;
  lbfgs_parameter_init(&how);
  how.m = N_PAIRS;
  how.epsilon = 0.0; /* find_reason() says when to stop */
  how.max_iterations = 0;
  how.linesearch = LBFGS_LINESEARCH_BACKTRACKING_WOLFE;
  how.max_linesearch = 60;
  how.ftol = 1e-4;
  how.wolfe = 0.9;
  how.min_step = 1e-30;
  how.max_step = 1e30;
  if (s->n_l1 > 0) {
    how.orthantwise_c = s->largest_l1;
    how.orthantwise_start = 0;
    how.orthantwise_end = (int)s->n_l1;
    how.linesearch = LBFGS_LINESEARCH_BACKTRACKING;
  }
  return how;
}

/* One search from s->best, where F has a value. */
static pf_status search_once(quasi *s, pf_error *error)
{
  lbfgs_parameter_t how = search_settings(s);
  lbfgsfloatval_t *u = lbfgs_malloc((int)s->n);
  if (u == NULL) {
    return pf_fail(error, PF_STOP, "no memory left for lbfgs with %zu values", s->n);
  }
  s->n_pairs = 0;
  s->n_quiet = 0;
  s->reason = PF_REASON_NONE;
  for (size_t k = 0; k < s->n; k++) {
    u[k] = variable_of(s, k, s->best[s->order[k]]);
  }
  const int code = lbfgs((int)s->n, u, NULL, evaluate_scaled, after_iteration, s, &how);
  lbfgs_free(u);
  return read_result(s, code, error);
}

/* Did a search end because it found nothing lower? */
static bool is_at_rest(const quasi *s)
{
  return s->reason == PF_REASON_PROGRESS || s->reason == PF_REASON_STEP ||
         (s->reason == PF_REASON_GRADIENT && s->norm > 0.0);
}

/* Searches until conjugate gradients say too that nothing is left to gain: the pairs of one search
 * may know nothing of a direction. */
static pf_status search_from(quasi *s, pf_error *error)
{
  for (int search = 0; search < MAX_SEARCHES; search++) {
    const pf_status status = search_once(s, error);
    if (status != PF_OK || !is_at_rest(s)) {
      return status;
    }
    const bool is_checked = s->n <= MAX_CHECKED && s->n_l1 == 0;
    if (is_checked || s->n_pairs == 0) {
      s->gain = gain_without_pairs(s);
    }
    s->out->converged = s->gain <= fmax(gain_at_rest, s->settings->tolerance_nats);
    if (s->gain <= fmax(gain_to_search, s->settings->tolerance_nats) || !is_checked) {
      return PF_OK;
    }
  }
  return PF_OK;
}

static pf_status minimise_values(quasi *s, pf_error *error)
{
  pf_derivatives at = {.gradient = s->gradient};
  const pf_status status = pf_function_lower_start(s->function, s->best, &at, s->out, error);
  if (status != PF_OK) {
    return status;
  }
  memcpy(s->best_gradient, s->gradient, s->n * sizeof *s->gradient);
  s->objective = at.f + pf_l1_of(s->function, s->best);
  s->out->start = s->objective;
  s->norm = pf_projected_gradient(s->function, s->best, s->gradient);
  report_iterate(s, NAN);
  if (!(s->norm > 0.0)) {
    s->reason = PF_REASON_GRADIENT;
    s->out->converged = true;
  } else if (s->settings->iterations == 0) {
    s->reason = PF_REASON_ITERATIONS;
  } else if (pf_watch_stops(s->watch)) {
    s->reason = PF_REASON_INTERRUPTED;
  } else {
    return search_from(s, error);
  }
  return PF_OK;
}

/* Nothing to minimise over: F is what it is. */
static pf_status evaluate_alone(quasi *s, pf_error *error)
{
  const pf_status status = pf_function_value(s->function, s->best, &s->objective, s->out, error);
  s->norm = 0.0;
  s->reason = PF_REASON_GRADIENT;
  s->out->converged = status == PF_OK;
  return status;
}

pf_status pf_quasi_newton(const pf_function *function, const pf_optimiser_settings *settings,
                          const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  quasi s = {.function = function,
             .settings = settings,
             .watch = watch,
             .out = out,
             .error = error,
             .n = function->n,
             .best = v,
             .objective = NAN,
             .norm = NAN,
             .gain = INFINITY};
  *out = pf_optimum_none();
  pf_status status = prepare_values(&s, error);
  if (status == PF_OK) {
    status = s.n == 0 ? evaluate_alone(&s, error) : minimise_values(&s, error);
  }
  out->reason = status == PF_OK ? s.reason : PF_REASON_FAILED;
  out->objective = s.objective;
  out->gradient_norm = s.norm;
  pf_memory_free(s.order);
  pf_memory_free(s.memory);
  return status;
}
