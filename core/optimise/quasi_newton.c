/*
 * L-BFGS, and OWL-QN for L1, by liblbfgs.
 *
 * liblbfgs knows no bounds. lbfgs minimises over u, where v = v(u) stays within them (as MINUIT
 * does, James & Roos 1975):
 *
 *     both        v = (lower + upper) / 2 + (upper - lower) / 2 sin u
 *     lower only  v = lower - 1 + sqrt(u^2 + 1)         upper only likewise
 *
 * There dv/du = 0 at the bound itself, so a start on a bound is moved a little inside. owlqn cannot
 * do that: |v(u)| is no L1 penalty on u.
 *
 * liblbfgs knows one L1 weight for values in a row. So values with a weight come first, and u = (v
 * - center) l1 / (largest l1).
 *
 * A point where F has no value is infinitely bad to the line search, which then tries nearer: so
 * backtracking, whose arithmetic survives that (More-Thuente's interpolation does not).
 */
#include "core/base/memory.h"
#include "core/optimise/optimiser.h"

#include <lbfgs.h>
#include <math.h>
#include <string.h>

enum {
  N_PAIRS = 10,
  QUIET = 5
}; /* pairs of differences kept; iterations in a row without progress that end a run */

static const double inside =
    1e-3; /* of the width (or of 1 + |bound|): how far a start on a bound is moved */

typedef struct quasi {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  pf_error *error;
  size_t n;
  size_t *order;         /* [n] which value is u[k] */
  double *unit, *center; /* [n] v = center + u / unit, by k; 1 and 0 where there is no L1 weight */
  double largest_l1;
  size_t n_l1;
  double *v, *gradient; /* [n] where it was last evaluated */
  double *best;         /* [n] the last iterate */
  double objective, norm;
  double *best_gradient;
  int quiet;
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

/* v of one value, and dv/du. */
static double outer(const quasi *s, size_t k, double u, double *slope)
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
    *slope = has_lower(s, i) ? u / root : -u / root;
    return has_lower(s, i) ? lower - 1.0 + root : upper + 1.0 - root;
  }
  *slope = 1.0 / s->unit[k];
  return s->center[k] + u / s->unit[k];
}

static double inner(const quasi *s, size_t k, double v)
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
    const double distance =
        fmax(has_lower(s, i) ? v - lower : upper - v, inside * (1.0 + fabs(bound)));
    return sqrt((distance + 1.0) * (distance + 1.0) - 1.0);
  }
  return (v - s->center[k]) * s->unit[k];
}

/* u outwards to s->v; slopes [n] into `slope` where not NULL */
static void to_values(quasi *s, const double *u, double *slope)
{
  double unused = 0.0;
  for (size_t k = 0; k < s->n; k++) {
    s->v[s->order[k]] = outer(s, k, u[k], slope != NULL ? &slope[k] : &unused);
  }
}

static lbfgsfloatval_t evaluate(void *self, const lbfgsfloatval_t *u, lbfgsfloatval_t *gradient,
                                const int n, const lbfgsfloatval_t step)
{
  quasi *s = self;
  double f = 0.0;
  (void)n;
  (void)step;
  memset(gradient, 0, s->n * sizeof *gradient);
  if (s->status != PF_OK) {
    return -HUGE_VAL; /* a line search takes that at once; then follows() ends the run */
  }
  to_values(s, u, NULL);
  pf_error line = pf_error_none();
  const pf_status status = pf_function_value(s->function, s->v, &f, s->gradient, s->out, &line);
  if (status < 0) {
    s->status = pf_fail_key(s->error, status, line.key, "%s", line.text);
    return -HUGE_VAL;
  }
  if (status > 0) {
    return HUGE_VAL;
  }
  for (size_t k = 0; k < s->n; k++) {
    double slope = 0.0;
    (void)outer(s, k, u[k], &slope);
    gradient[k] = s->gradient[s->order[k]] * slope;
  }
  return f;
}

static bool settled(quasi *s, double before, double change)
{
  const double fall = before - s->objective;
  s->quiet = fall <= s->settings->tolerance_progress * fabs(s->objective) ? s->quiet + 1 : 0;
  if (s->norm <= s->settings->tolerance_gradient) {
    s->reason = PF_REASON_GRADIENT;
  } else if (s->quiet >= QUIET) {
    s->reason = PF_REASON_PROGRESS;
  } else if (change <= s->settings->tolerance_step) {
    s->reason = PF_REASON_STEP;
  } else {
    return false;
  }
  s->out->converged = true;
  return true;
}

/* After every iteration of liblbfgs: not 0 ends the run. */
static int follows(void *self, const lbfgsfloatval_t *u, const lbfgsfloatval_t *gradient,
                   const lbfgsfloatval_t f, const lbfgsfloatval_t u_norm,
                   const lbfgsfloatval_t gradient_norm, const lbfgsfloatval_t step, int n, int k,
                   int n_evaluations)
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
  const double before = s->objective;
  double change = 0.0;
  double relative = 0.0;
  to_values(s, u, NULL);
  for (size_t i = 0; i < s->n; i++) {
    const double moved = fabs(s->v[i] - s->best[i]);
    change = fmax(change, moved);
    relative = fmax(relative, moved / (1.0 + fabs(s->v[i])));
  }
  memcpy(s->best, s->v, s->n * sizeof *s->best);
  memcpy(s->best_gradient, s->gradient, s->n * sizeof *s->gradient);
  s->objective = f; /* with the L1 term: liblbfgs adds it */
  s->norm = pf_projected_gradient(s->function, s->best, s->best_gradient);
  s->out->iterations++;
  pf_watch_report(s->watch, &(pf_iterate){.iteration = s->out->iterations,
                                          .v = s->best,
                                          .objective = s->objective,
                                          .gradient_norm = s->norm,
                                          .step = change});
  if (settled(s, before, relative)) {
    return 1;
  }
  s->reason = s->out->iterations >= s->settings->iterations ? PF_REASON_ITERATIONS
              : s->settings->evaluations > 0 && s->out->evaluations >= s->settings->evaluations
                  ? PF_REASON_EVALUATIONS
              : pf_watch_stops(s->watch) ? PF_REASON_INTERRUPTED
                                         : PF_REASON_NONE;
  return s->reason != PF_REASON_NONE;
}

/* Values with an L1 weight first. */
static pf_status prepare(quasi *s, pf_error *error)
{
  const double *l1 = s->function->l1;
  size_t k = 0;
  s->order = pf_memory_need(s->n, sizeof *s->order, error);
  s->unit = pf_memory_need(s->n, sizeof *s->unit, error);
  s->center = pf_memory_need(s->n, sizeof *s->center, error);
  s->v = pf_memory_need(s->n, sizeof *s->v, error);
  s->gradient = pf_memory_need(s->n, sizeof *s->gradient, error);
  s->best_gradient = pf_memory_need(s->n, sizeof *s->best_gradient, error);
  if (s->order == NULL || s->unit == NULL || s->center == NULL || s->v == NULL ||
      s->gradient == NULL || s->best_gradient == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; l1 != NULL && i < s->n; i++) {
    s->largest_l1 = fmax(s->largest_l1, l1[i]);
  }
  for (int with = 1; with >= 0; with--) {
    for (size_t i = 0; i < s->n; i++) {
      const bool weighted = l1 != NULL && l1[i] > 0.0;
      if (weighted == (with == 1)) {
        s->unit[k] = weighted ? l1[i] / s->largest_l1 : 1.0;
        s->center[k] = weighted ? pf_l1_center(s->function, i) : 0.0;
        s->order[k++] = i;
        s->n_l1 += weighted ? 1 : 0;
      }
    }
  }
  return PF_OK;
}

static void release(quasi *s)
{
  pf_memory_free(s->order);
  pf_memory_free(s->unit);
  pf_memory_free(s->center);
  pf_memory_free(s->v);
  pf_memory_free(s->gradient);
  pf_memory_free(s->best_gradient);
}

/* What liblbfgs ended with, where the callback did not end it. */
static pf_status judge(quasi *s, int code, pf_error *error)
{
  if (s->status != PF_OK || s->reason != PF_REASON_NONE) {
    return s->status;
  }
  if (code == LBFGSERR_OUTOFMEMORY) {
    return pf_fail(error, PF_STOP, "no memory left for lbfgs with %zu values", s->n);
  }
  if (code == LBFGS_SUCCESS || code == LBFGS_ALREADY_MINIMIZED) {
    s->reason = PF_REASON_GRADIENT;
    s->out->converged =
        s->norm <= fmax(s->settings->tolerance_gradient, 1e-12 * (1.0 + fabs(s->objective)));
    return PF_OK;
  }
  /* the line search found nothing lower: at an optimum because of rounding, else because
   * derivatives are wrong; what is left of the gradient, against what a gradient of that size can
   * still gain, tells them apart */
  s->reason = PF_REASON_STEP;
  s->out->converged = s->quiet > 0 || s->norm <= 1e-8 * (1.0 + fabs(s->objective));
  return PF_OK;
}

static pf_status run(quasi *s, double *v, pf_error *error)
{
  lbfgs_parameter_t how;
  lbfgs_parameter_init(&how);
  how.m = N_PAIRS;
  how.epsilon = 0.0; /* the rules of when to stop are ours */
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
  double f = 0.0;
  pf_status status = pf_function_start(s->function, v, &f, s->gradient, NULL, s->out, error);
  if (status != PF_OK) {
    return status;
  }
  lbfgsfloatval_t *u = lbfgs_malloc((int)s->n);
  if (u == NULL) {
    return pf_fail(error, PF_STOP, "no memory left for lbfgs with %zu values", s->n);
  }
  for (size_t k = 0; k < s->n; k++) {
    u[k] = inner(s, k, v[s->order[k]]);
  }
  memcpy(s->best_gradient, s->gradient, s->n * sizeof *s->gradient);
  s->best = v;
  s->objective = f + pf_l1_of(s->function, v);
  s->out->start = s->objective;
  s->norm = pf_projected_gradient(s->function, v, s->gradient);
  pf_watch_report(
      s->watch,
      &(pf_iterate){.v = v, .objective = s->objective, .gradient_norm = s->norm, .step = NAN});
  if (s->norm <= s->settings->tolerance_gradient) {
    s->reason = PF_REASON_GRADIENT;
    s->out->converged = true;
  } else if (s->settings->iterations == 0) {
    s->reason = PF_REASON_ITERATIONS;
  } else if (pf_watch_stops(s->watch)) {
    s->reason = PF_REASON_INTERRUPTED;
  } else {
    const int code = lbfgs((int)s->n, u, NULL, evaluate, follows, s, &how);
    status = judge(s, code, error);
  }
  lbfgs_free(u);
  return status;
}

static pf_status minimise(const pf_function *function, const pf_optimiser_settings *settings,
                          const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  *out = (pf_optimum){.objective = NAN, .start = NAN, .gradient_norm = NAN};
  quasi s = {.function = function,
             .settings = settings,
             .watch = watch,
             .out = out,
             .error = error,
             .n = function->n,
             .objective = NAN,
             .norm = NAN};
  pf_status status = prepare(&s, error);
  if (status == PF_OK && s.n == 0) {
    double f = 0.0;
    status = pf_function_value(function, v, &f, NULL, out, error);
    s.objective = f;
    s.norm = 0.0;
    s.reason = PF_REASON_GRADIENT;
    out->converged = status == PF_OK;
  } else if (status == PF_OK) {
    status = run(&s, v, error);
  }
  out->reason = status == PF_OK ? s.reason : PF_REASON_FAILED;
  out->objective = s.objective;
  out->gradient_norm = s.norm;
  release(&s);
  return status;
}

static bool any_l1(const pf_function *function)
{
  for (size_t i = 0; function->l1 != NULL && i < function->n; i++) {
    if (function->l1[i] > 0.0) {
      return true;
    }
  }
  return false;
}

static pf_status smooth(const pf_function *function, const pf_optimiser_settings *settings,
                        const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  if (any_l1(function)) {
    *out = (pf_optimum){
        .reason = PF_REASON_FAILED, .objective = NAN, .start = NAN, .gradient_norm = NAN};
    return pf_fail(error, PF_STOP,
                   "lbfgs cannot do an L1 penalty, which is not smooth; choose lm or owlqn");
  }
  return minimise(function, settings, watch, v, out, error);
}

static pf_status orthantwise(const pf_function *function, const pf_optimiser_settings *settings,
                             const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  for (size_t i = 0; any_l1(function) && i < function->n; i++) {
    if (isfinite(function->lower[i]) || isfinite(function->upper[i])) {
      *out = (pf_optimum){
          .reason = PF_REASON_FAILED, .objective = NAN, .start = NAN, .gradient_norm = NAN};
      return pf_fail(error, PF_STOP,
                     "owlqn cannot keep bounds (value %zu has [%g, %g]) beside an L1 penalty; "
                     "choose lm, or take the "
                     "bounds away",
                     i, function->lower[i], function->upper[i]);
    }
  }
  return minimise(function, settings, watch, v, out, error);
}

const pf_optimiser pf_optimiser_lbfgs = {.name = "lbfgs", .takes_bounds = true, .minimise = smooth};
const pf_optimiser pf_optimiser_owlqn = {
    .name = "owlqn", .takes_l1 = true, .minimise = orthantwise};
