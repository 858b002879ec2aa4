#include "core/infer/profile_trace.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { MAX_REFITS = 40 }; /* of one side; secants take 3 to 5 */
static const double first_reach =
    1e3; /* a first step goes no further than this share of 1 + |best| */
static const double same_optimum =
    1e-3; /* nats below `best` that are no other optimum, only what lm left over */
static const double refit_accuracy =
    1e-3; /* nats that a refit leaves, and takes off: intervals are read off at 1e-2 */
/* When a bracket is told by a curve: an end of it so near to the threshold (a share), and line and
 * curve so alike (tolerances). */
static const double near_enough = 0.05, bend = 0.2;

const char *pf_profile_end_key(uint32_t end)
{
  static const char *const keys[] = {"crossed", "bound", "open", "no value", "better optimum"};
  return end < sizeof keys / sizeof keys[0] ? keys[end] : "unknown";
}

pf_profile_settings pf_profile_defaults(void)
{
  return (pf_profile_settings){
      .level = 0.95, .nats_per_unit = 1.0, .tolerance = 5e-3, .expansions = 8, .iterations = 50};
}

/* A point of the profile: value i at `at`, the others where f is lowest. */
typedef struct point {
  double at;
  double z; /* signed root: sqrt(2 rise), which is nearly linear in `at` */
  double *v;
} point;

typedef struct work {
  const pf_function *full;
  const pf_profile_settings *settings;
  const double *best;
  double f_best, threshold; /* threshold: of z */
  size_t n, i;
  pf_function rest;                /* of the n - 1 others */
  double *lower, *upper, *reduced; /* [n - 1] */
  double *v, *gradient, *h;        /* [n], [n], [n][n] */
  double *second; /* [n - 1][n - 1] what lm learns on a side, from refit to refit */
  double *along;  /* [n] how the others follow value i near `best`; along[i] = 1 */
  double se;      /* from the curvature; INFINITY where there is none */
  point inside, outside, trial;
  bool bracketed;
  pf_profile *out;
} work;

/* ---- f of the others ---- */

static void widen(const work *w, const double *reduced, double *v)
{
  memcpy(v, reduced, w->i * sizeof *v);
  memcpy(v + w->i + 1, reduced + w->i, (w->n - 1 - w->i) * sizeof *v);
}

static void narrow(const work *w, const double *v, double *reduced)
{
  memcpy(reduced, v, w->i * sizeof *v);
  memcpy(reduced + w->i, v + w->i + 1, (w->n - 1 - w->i) * sizeof *v);
}

static pf_status value(void *self, const double *reduced, double *f, double *gradient,
                       pf_error *error)
{
  work *w = self;
  widen(w, reduced, w->v);
  const pf_status status =
      w->full->value(w->full->self, w->v, f, gradient == NULL ? NULL : w->gradient, error);
  if (gradient != NULL && status == PF_OK) {
    narrow(w, w->gradient, gradient);
  }
  return status;
}

static pf_status curvature(void *self, const double *reduced, double *f, double *gradient,
                           double *h, pf_error *error)
{
  work *w = self;
  const size_t n = w->n, i = w->i;
  widen(w, reduced, w->v);
  const pf_status status = w->full->curvature(w->full->self, w->v, f, w->gradient, w->h, error);
  if (status == PF_OK) {
    narrow(w, w->gradient, gradient);
    for (size_t row = 0; row + 1 < n; row++) {
      narrow(w, w->h + (row < i ? row : row + 1) * n, h + row * (n - 1));
    }
  }
  return status;
}

/* ---- memory ---- */

static void release(work *w)
{
  double *const all[] = {w->lower, w->upper,    w->reduced,   w->v,       w->gradient, w->h,
                         w->along, w->inside.v, w->outside.v, w->trial.v, w->second};
  for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
    pf_memory_free(all[k]);
  }
}

static pf_status prepare(work *w, pf_error *error)
{
  const size_t n = w->n;
  double **const vectors[] = {&w->lower, &w->upper,    &w->reduced,   &w->v,      &w->gradient,
                              &w->along, &w->inside.v, &w->outside.v, &w->trial.v};
  for (size_t k = 0; k < sizeof vectors / sizeof vectors[0]; k++) {
    *vectors[k] = pf_memory_need(n, sizeof(double), error);
    if (*vectors[k] == NULL) {
      return PF_STOP;
    }
  }
  w->h = pf_memory_need(n * n, sizeof *w->h, error);
  w->second = pf_memory_need(n * n, sizeof *w->second, error);
  if (w->h == NULL || w->second == NULL) {
    return PF_STOP;
  }
  narrow(w, w->full->lower, w->lower);
  narrow(w, w->full->upper, w->upper);
  w->rest = (pf_function){.self = w,
                          .n = n - 1,
                          .lower = w->lower,
                          .upper = w->upper,
                          .value = value,
                          .curvature = curvature,
                          .noise = w->full->noise};
  return PF_OK;
}

/* ---- where to look first ---- */

/*
 * How far is far, and how the others follow: from the curvature at `best`, by column i of its
 * inverse. Where that is singular, a little of its diagonal is added: then the first step is long,
 * along what is free.
 */
static pf_status look_around(work *w, pf_error *error)
{
  const size_t n = w->n;
  pf_optimum count = {0};
  pf_derivatives at = {.gradient = w->gradient, .h = w->h};
  const pf_status status = pf_function_evaluate(w->full, w->best, &at, &count, error);
  w->out->n_evaluations += count.evaluations;
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < n; k++) {
    w->h[k * n + k] = w->h[k * n + k] > 0.0 ? w->h[k * n + k] * (1.0 + 1e-12) : 1e-300;
  }
  memset(w->along, 0, n * sizeof *w->along);
  w->along[w->i] = 1.0;
  const lapack_int info =
      LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, 1, w->h, (lapack_int)n, w->along, 1);
  const double variance = info == 0 ? w->along[w->i] / w->settings->nats_per_unit : INFINITY;
  if (!isfinite(variance) || variance <= 0.0) {
    memset(w->along, 0, n * sizeof *w->along); /* the others stay: lm finds them */
    w->along[w->i] = 1.0;
    w->se = INFINITY;
    return PF_OK;
  }
  w->se = sqrt(variance);
  for (size_t k = n; k-- > 0;) {
    w->along[k] /= k == w->i ? 1.0 : w->along[w->i];
  }
  w->along[w->i] = 1.0;
  return PF_OK;
}

/* ---- one point ---- */

/*
 * trial.v: where the others may be when value i is at trial.at. Between two points of the profile,
 * and beyond them, on the line through both; from `best` on, along the curvature.
 */
static void foretell(work *w)
{
  const point *from = &w->inside, *other = &w->outside;
  const bool first = from->at == w->best[w->i];
  double share = 0.0;
  if (w->bracketed) {
    share = (w->trial.at - from->at) / (other->at - from->at);
  } else if (!first) {
    share = (w->trial.at - from->at) / (from->at - w->best[w->i]);
  }
  for (size_t k = 0; k < w->n; k++) {
    w->trial.v[k] = w->bracketed ? from->v[k] + share * (other->v[k] - from->v[k])
                    : first      ? from->v[k] + (w->trial.at - from->at) * w->along[k]
                                 : from->v[k] + share * (from->v[k] - w->best[k]);
  }
  w->trial.v[w->i] = w->trial.at;
}

/* The profile at trial.at, from trial.v on. PF_POINT_FAILED: the model has no value there. */
static pf_status refit(work *w, pf_error *error)
{
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum optimum = {0};
  pf_error line = pf_error_none(); /* of a point without a value: nobody wants to read it */
  const double scale = w->settings->nats_per_unit * fabs(w->f_best);
  double f = 0.0;
  settings.iterations = w->settings->iterations;
  settings.stops_early = true;
  settings.secant = w->second;
  settings.tolerance_progress = scale > 0.0 ? fmin(refit_accuracy / scale, 1e-3) : 1e-10;
  pf_clip_to_bounds(w->full, w->trial.v);
  narrow(w, w->trial.v, w->reduced);
  /* lm alone would look for a start nearer to 0: but what is near `best` is a better guess */
  w->v[w->i] = w->trial.at;
  pf_status status = PF_OK;
  if (w->n == 1) {
    status = pf_function_value(w->full, w->trial.v, &f, &optimum, &line);
  } else {
    status = value(w, w->reduced, &f, NULL, &line);
    optimum.evaluations = 1;
    if (status > 0 || (status == PF_OK && !isfinite(f))) {
      narrow(w, w->inside.v, w->reduced);
      status = PF_OK;
    }
    pf_optimum fitted = {0};
    status = status == PF_OK
                 ? pf_optimiser_lm.minimise(&w->rest, &settings, NULL, w->reduced, &fitted, &line)
                 : status;
    f = fitted.objective - fitted.predicted_decrease;
    optimum.evaluations += fitted.evaluations;
    w->out->n_unconverged += status == PF_OK && !fitted.converged ? 1 : 0;
    if (status == PF_OK) {
      widen(w, w->reduced, w->trial.v);
      w->trial.v[w->i] = w->trial.at;
    }
  }
  w->out->n_refits++;
  w->out->n_evaluations += optimum.evaluations;
  if (status == PF_OK) {
    const double rise = w->settings->nats_per_unit * (f - w->f_best);
    w->trial.z = rise >= 0.0 ? sqrt(2.0 * rise) : -sqrt(-2.0 * rise);
  }
  return status >= 0 ? status : pf_fail_key(error, status, line.key, "%s", line.text);
}

static void take(point *to, point *from)
{
  double *const v = to->v;
  *to = *from;
  from->v = v;
}

/* ---- one side ---- */

typedef struct side {
  double sign, limit; /* limit: the bound on this side */
  double end, rise;
  uint32_t kind;
} side;

static void start_side(work *w)
{
  memcpy(w->inside.v, w->best, w->n * sizeof *w->best);
  w->inside.at = w->best[w->i];
  w->inside.z = 0.0;
  w->bracketed = false;
  memset(w->second, 0, w->n * w->n * sizeof *w->second);
}

static void stand_at(const work *w, side *s, uint32_t kind)
{
  s->kind = kind;
  s->end = w->inside.at;
  s->rise = 0.5 * w->inside.z * w->inside.z;
}

/* Where the secant through the bracket meets the threshold. */
static double on_line(const work *w)
{
  const double share = (w->threshold - w->inside.z) / (w->outside.z - w->inside.z);
  return w->inside.at +
         (isfinite(share) ? fmin(fmax(share, 0.0), 1.0) : 0.5) * (w->outside.at - w->inside.at);
}

/*
 * Where the curve does on which distance = a z + b z^2, through the bracket and `best`. NaN: the
 * inside is no point of its own, or the curve leaves the bracket.
 */
static double on_curve(const work *w)
{
  const double best = w->best[w->i], inside = w->inside.at, outside = w->outside.at;
  if (inside == best || w->inside.z <= 0.0 || w->outside.z <= w->inside.z) {
    return NAN;
  }
  const double a = (inside - best) / w->inside.z, b = (outside - best) / w->outside.z;
  const double share = (w->threshold - w->inside.z) / (w->outside.z - w->inside.z);
  const double at = best + w->threshold * (a + share * (b - a));
  return (at - inside) * (outside - at) >= 0.0 ? at : (double)NAN;
}

/* Where the threshold should be, not too near to the bracket's ends. */
static double between(const work *w)
{
  const double curve = on_curve(w), at = isnan(curve) ? on_line(w) : curve;
  const double share = (at - w->inside.at) / (w->outside.at - w->inside.at);
  const double kept = isfinite(share) ? fmin(fmax(share, 0.02), 0.98) : 0.5;
  return w->inside.at + kept * (w->outside.at - w->inside.at);
}

/* On to where the threshold should be, at most four times as far. */
static double further(const work *w, double sign)
{
  const double best = w->best[w->i], gone = fabs(w->inside.at - best), slope = w->inside.z / gone;
  return best + sign * (slope > 0.0 ? fmin(1.05 * w->threshold / slope, 4.0 * gone) : 4.0 * gone);
}

static pf_status go(work *w, side *s, pf_error *error)
{
  const double best = w->best[w->i];
  const double furthest = first_reach * (1.0 + fabs(best));
  double step = fmin(w->threshold * w->se, furthest);
  int64_t expansions = 0;
  bool no_value = false; /* the outside is where the model has none */
  s->end = best;
  start_side(w);
  if (best == s->limit) {
    stand_at(w, s, PF_PROFILE_BOUND);
    return PF_OK;
  }
  w->trial.at = best + s->sign * step;
  for (int refits = 0;; refits++) {
    const bool at_limit = s->sign * (w->trial.at - s->limit) >= 0.0;
    w->trial.at = at_limit ? s->limit : w->trial.at;
    foretell(w);
    const pf_status status = refit(w, error);
    if (status < 0) {
      return status;
    }
    if (status == PF_OK && 0.5 * fabs(w->trial.z) * w->trial.z < -same_optimum) {
      take(&w->inside, &w->trial);
      stand_at(w, s, PF_PROFILE_BETTER);
      return PF_OK;
    }
    if (status > 0) {
      w->outside.at = w->trial.at;
      no_value = true;
      w->bracketed = false; /* nothing to interpolate with */
    } else if (w->trial.z >= w->threshold) {
      take(&w->outside, &w->trial);
      no_value = false;
      w->bracketed = true;
    } else {
      take(&w->inside, &w->trial);
      if (at_limit) {
        stand_at(w, s, PF_PROFILE_BOUND);
        return PF_OK;
      }
    }
    const double width = fabs(w->outside.at - w->inside.at);
    const double near =
        w->settings->tolerance * fabs(w->inside.at - best) + 1e-12 * (1.0 + fabs(best));
    if (w->bracketed || no_value) {
      const bool close =
          w->bracketed &&
          (fabs(w->outside.z - w->threshold) <= w->settings->tolerance * w->threshold ||
           fabs(w->inside.z - w->threshold) <= w->settings->tolerance * w->threshold);
      const double line = on_line(w), curve = w->bracketed ? on_curve(w) : (double)NAN;
      const double off = fmin(fabs(w->outside.z - w->threshold), fabs(w->inside.z - w->threshold));
      const bool straight =
          off <= near_enough * w->threshold &&
          fabs(curve - line) <= bend * w->settings->tolerance * fabs(curve - best);
      if (close || straight || width <= near || refits >= MAX_REFITS) {
        stand_at(w, s, no_value ? PF_PROFILE_NO_VALUE : PF_PROFILE_CROSSED);
        if (!no_value) {
          s->end = straight ? curve : line;
          s->rise = 0.5 * w->threshold * w->threshold;
        }
        return PF_OK;
      }
      w->trial.at = no_value ? w->inside.at + 0.3 * (w->outside.at - w->inside.at) : between(w);
      continue;
    }
    /* still inside: on to where the threshold should be, at most four times as far */
    if (expansions++ >= w->settings->expansions) {
      stand_at(w, s, PF_PROFILE_OPEN);
      return PF_OK;
    }
    w->trial.at = further(w, s->sign);
  }
}

pf_status pf_profile_value(const pf_function *function, const double *best, double f_best, size_t i,
                           const pf_profile_settings *settings, double *better, pf_profile *out,
                           pf_error *error)
{
  *out = (pf_profile){0};
  work w = {.full = function,
            .settings = settings,
            .best = best,
            .f_best = f_best,
            .threshold = sqrt(pf_stats_chi2_quantile(settings->level, 1.0)),
            .n = function->n,
            .i = i,
            .out = out};
  side low = {.sign = -1.0, .limit = function->lower[i]},
       high = {.sign = 1.0, .limit = function->upper[i]};
  if (function->curvature == NULL) {
    return pf_fail(
        error, PF_STOP,
        "a profile needs second derivatives (Gauss-Newton, Fisher), which there are not here");
  }
  pf_status status = prepare(&w, error);
  status = status == PF_OK ? look_around(&w, error) : status;
  status = status == PF_OK ? go(&w, &low, error) : status;
  if (status == PF_OK && low.kind == PF_PROFILE_BETTER && better != NULL) {
    memcpy(better, w.inside.v, w.n * sizeof *better);
  }
  status = status == PF_OK ? go(&w, &high, error) : status;
  const bool higher = low.kind != PF_PROFILE_BETTER || high.rise > low.rise;
  if (status == PF_OK && high.kind == PF_PROFILE_BETTER && higher && better != NULL) {
    memcpy(better, w.inside.v, w.n * sizeof *better);
  }
  out->low = low.end;
  out->low_end = low.kind;
  out->rise_low = low.rise;
  out->high = high.end;
  out->high_end = high.kind;
  out->rise_high = high.rise;
  release(&w);
  return status;
}
