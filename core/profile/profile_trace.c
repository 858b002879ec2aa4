#include "core/profile/profile_trace.h"

#include "core/base/memory.h"
#include "core/optimise/secant.h"
#include "core/profile/profile_quadratic.h"
#include "core/stats/stats.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Of one side: secants take 4 to 6 refits; how many may fail to converge; and steps by the model,
 * which take 2 or 3. */
enum { MAX_REFITS = 80, MAX_UNCONVERGED = 8, MAX_APPROACHES = 8 };
static const double first_reach = 1e3;   /* a first step goes no further than this times |best| */
static const double far_away = 1e4;      /* times |origin|: no need to look further */
static const double same_optimum = 1e-3; /* nats below the best that are no other optimum, only
                                            what the fit left over */
static const double real_gain = 1.92;    /* the same of a refit that did not converge: nearer, it is
                                            a point of the set, not a better fit */
static const double quick_accuracy = 5e-4; /* nats that a refit on the way may leave */
static const double final_accuracy = 1e-5; /* nats that a refit at an end may leave */
static const double end_accuracy = 0.01;   /* of 2dL, where the search for an end stops */
static const double certified = 0.02;      /* of 2dL, what is promised of an end */
static const double valley_gap = 0.05;     /* of z, between neighbours in one valley: less */
static const double no_value_width = 5e-3; /* of the way gone, and of the value */
static const double near_valley = 0.01;    /* nats above the profile from which a refit is short */
static const double lower_z = 1e-3;    /* of z: what another start finds lower is worth a refit */
static const double jump_width = 1e-9; /* of the value's size */
static const double near_zero = 0.01;  /* of the way gone, from where on 0 itself is looked at */
static const double no_width = 1e-7;   /* of the way gone: nearer to 0 a value is 0 */
enum { N_SCALED = 3 };
static const double scale_factors[N_SCALED] = {0.1, 3.0,
                                               30.0}; /* times the others, of another start */

pf_profile_settings pf_profile_defaults(void)
{
  return (pf_profile_settings){
      .level = 0.95, .nats_per_unit = 1.0, .expansions = 8, .iterations = 50};
}

/* A point of the profile: value i at `at`, the others where f is lowest. */
typedef struct point {
  double at;
  double z; /* signed root: sqrt(2 rise), which is nearly linear in `at` */
  bool converged;
  double *v; /* [n] */
} point;

typedef struct work {
  const pf_profile_in *in;
  const pf_function *full;
  const double *origin;
  double nats;                /* per unit of f */
  double origin_z, threshold; /* z at the origin, and where the interval ends */
  size_t n, i;
  pf_function rest;                /* of the n - 1 others: 1 + rise, nats */
  double *lower, *upper, *reduced; /* [n - 1] */
  double *v, *gradient, *h;        /* [n], [n], [n][n] */
  double *second; /* [n - 1][n - 1] what lm learns on a side, from refit to refit */
  double *along;  /* [n] how the others follow value i near the origin; along[i] = 1 */
  double se;      /* from the curvature; INFINITY where there is none */
  point inside, outside, trial, other;
  /* the last evaluation with derivatives, in units of f */
  double last_f;
  double *last_v, *last_gradient, *last_h;
  bool has_last;
  /* of the approach, nats */
  double *origin_gradient, *origin_h; /* [n], [n][n] */
  double *slope, *next_slope, *step;  /* [n] */
  double *bend, *model, *space;       /* [n][n] S, H + S; work */
  pf_profile *out;
} work;

/* ---- f of the others ---- */

static void insert_fixed(const work *w, const double *reduced, double *v)
{
  memcpy(v, reduced, w->i * sizeof *v);
  memcpy(v + w->i + 1, reduced + w->i, (w->n - 1 - w->i) * sizeof *v);
}

static void drop_fixed(const work *w, const double *v, double *reduced)
{
  memcpy(reduced, v, w->i * sizeof *v);
  memcpy(reduced + w->i, v + w->i + 1, (w->n - 1 - w->i) * sizeof *v);
}

/* The 1 lets lm's tolerance, a share of f, be a number of nats. */
static double rise_plus_one(const work *w, double f)
{
  return 1.0 + w->nats * (f - w->in->f_best);
}

/* f, w->gradient and w->h at v; at the point of the last time without a second evaluation. */
static pf_status evaluate_curvature(work *w, const double *v, double *f, pf_error *error)
{
  const size_t n = w->n;
  if (!w->has_last || memcmp(v, w->last_v, n * sizeof *v) != 0) {
    w->has_last = false;
    const pf_status status =
        w->full->curvature(w->full->self, v, &w->last_f, w->last_gradient, w->last_h, error);
    if (status != PF_OK) {
      return status;
    }
    memcpy(w->last_v, v, n * sizeof *v);
    w->has_last = true;
  }
  *f = w->last_f;
  memcpy(w->gradient, w->last_gradient, n * sizeof *w->gradient);
  memcpy(w->h, w->last_h, n * n * sizeof *w->h);
  return PF_OK;
}

static pf_status rest_value(void *self, const double *reduced, double *f, double *gradient,
                            pf_error *error)
{
  work *w = self;
  insert_fixed(w, reduced, w->v);
  const bool is_known = w->has_last && memcmp(w->v, w->last_v, w->n * sizeof *w->v) == 0;
  pf_status status = PF_OK;
  if (is_known) {
    *f = w->last_f;
    memcpy(w->gradient, w->last_gradient, w->n * sizeof *w->gradient);
  } else {
    status = w->full->value(w->full->self, w->v, f, gradient == NULL ? NULL : w->gradient, error);
  }
  if (status != PF_OK) {
    return status;
  }
  *f = rise_plus_one(w, *f);
  if (gradient != NULL) {
    drop_fixed(w, w->gradient, gradient);
    for (size_t k = 0; k + 1 < w->n; k++) {
      gradient[k] *= w->nats;
    }
  }
  return PF_OK;
}

static pf_status rest_curvature(void *self, const double *reduced, double *f, double *gradient,
                                double *h, pf_error *error)
{
  work *w = self;
  const size_t n = w->n, i = w->i, m = n - 1;
  insert_fixed(w, reduced, w->v);
  const pf_status status = evaluate_curvature(w, w->v, f, error);
  if (status != PF_OK) {
    return status;
  }
  *f = rise_plus_one(w, *f);
  drop_fixed(w, w->gradient, gradient);
  for (size_t row = 0; row < m; row++) {
    drop_fixed(w, w->h + (row < i ? row : row + 1) * n, h + row * m);
    gradient[row] *= w->nats;
  }
  for (size_t k = 0; k < m * m; k++) {
    h[k] *= w->nats;
  }
  return PF_OK;
}

/* ---- memory ---- */

static void free_work(work *w)
{
  double *const all[] = {w->lower,      w->upper,
                         w->reduced,    w->v,
                         w->gradient,   w->h,
                         w->along,      w->inside.v,
                         w->outside.v,  w->trial.v,
                         w->other.v,    w->second,
                         w->last_v,     w->last_gradient,
                         w->last_h,     w->origin_gradient,
                         w->origin_h,   w->slope,
                         w->next_slope, w->step,
                         w->bend,       w->model,
                         w->space};
  for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
    pf_memory_free(all[k]);
  }
}

static pf_status allocate_work(work *w, pf_error *error)
{
  const size_t n = w->n;
  double **const vectors[] = {&w->lower,           &w->upper,   &w->reduced,    &w->v,
                              &w->gradient,        &w->along,   &w->inside.v,   &w->outside.v,
                              &w->trial.v,         &w->other.v, &w->last_v,     &w->last_gradient,
                              &w->origin_gradient, &w->slope,   &w->next_slope, &w->step};
  double **const matrices[] = {&w->h, &w->second, &w->last_h, &w->origin_h, &w->bend, &w->model};
  for (size_t k = 0; k < sizeof vectors / sizeof vectors[0]; k++) {
    *vectors[k] = pf_memory_need(n, sizeof(double), error);
    if (*vectors[k] == NULL) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < sizeof matrices / sizeof matrices[0]; k++) {
    *matrices[k] = pf_memory_need(n * n, sizeof(double), error);
    if (*matrices[k] == NULL) {
      return PF_STOP;
    }
  }
  w->space = pf_memory_need(pf_profile_quadratic_work(n), sizeof *w->space, error);
  if (w->space == NULL) {
    return PF_STOP;
  }
  drop_fixed(w, w->full->lower, w->lower);
  drop_fixed(w, w->full->upper, w->upper);
  w->rest = (pf_function){.self = w,
                          .n = n - 1,
                          .lower = w->lower,
                          .upper = w->upper,
                          .value = rest_value,
                          .curvature = rest_curvature,
                          .noise = w->full->noise * fmax(1.0, w->nats * fabs(w->in->f_best))};
  return PF_OK;
}

/* ---- where to look first ---- */

static double signed_root(double rise)
{
  return rise >= 0.0 ? sqrt(2.0 * rise) : -sqrt(-2.0 * rise);
}

/*
 * How far is far, and how the others follow: from the curvature at the origin, by column i of its
 * inverse. Where that is singular, a little of its diagonal is added: then the first step is long,
 * along what is free.
 */
static pf_status estimate_scale(work *w, pf_error *error)
{
  const size_t n = w->n;
  double f = 0.0;
  const pf_status status = evaluate_curvature(w, w->origin, &f, error);
  w->out->n_evaluations++;
  if (status != PF_OK) {
    return status;
  }
  w->origin_z = signed_root(fmax(w->nats * (f - w->in->f_best), 0.0));
  for (size_t k = 0; k < n * n; k++) {
    w->origin_h[k] = w->nats * w->h[k];
  }
  for (size_t k = 0; k < n; k++) {
    w->origin_gradient[k] = w->nats * w->gradient[k];
  }
  for (size_t k = 0; k < n; k++) {
    w->h[k * n + k] = w->h[k * n + k] > 0.0 ? w->h[k * n + k] * (1.0 + 1e-12) : 1e-300;
  }
  memset(w->along, 0, n * sizeof *w->along);
  w->along[w->i] = 1.0;
  const lapack_int info =
      LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, 1, w->h, (lapack_int)n, w->along, 1);
  const double variance = info == 0 ? w->along[w->i] / w->nats : INFINITY;
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

static double first_step(const work *w)
{
  const double far = first_reach * fabs(w->origin[w->i]);
  const double step = w->threshold * w->se;
  if (isfinite(step)) {
    return far > 0.0 ? fmin(step, far) : step;
  }
  return far > 0.0 ? far : 1.0;
}

/* ---- one point ---- */

/* How much work a refit is worth. */
typedef struct effort {
  int64_t iterations;
  double accuracy;       /* nats */
  bool is_another_start; /* from to->v, wherever that is, and without what was learned elsewhere */
} effort;

/*
 * Where the refit of to->v starts, in w->reduced: there; but where the rise is large there already,
 * or the model has no value, at the inside's others if they are better.
 */
static pf_status choose_start(work *w, const point *to, pf_error *line)
{
  const double good_enough = 1.0 + 0.75 * w->threshold * w->threshold;
  double there = 0.0, inside = 0.0;
  drop_fixed(w, to->v, w->reduced);
  pf_status status = rest_value(w, w->reduced, &there, NULL, line);
  w->out->n_evaluations++;
  if (status < 0 || (status == PF_OK && there <= good_enough)) {
    return status;
  }
  const bool has_value = status == PF_OK && isfinite(there);
  drop_fixed(w, w->inside.v, w->reduced);
  status = rest_value(w, w->reduced, &inside, NULL, line);
  w->out->n_evaluations++;
  if (status < 0) {
    return status;
  }
  if (has_value && (status != PF_OK || !(inside < there))) {
    drop_fixed(w, to->v, w->reduced);
  }
  return PF_OK;
}

/* The profile at to->at, from to->v on. PF_POINT_FAILED: the model has no value there. */
static pf_status refit_others(work *w, const effort *how, point *to, pf_error *error)
{
  pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_optimum optimum = {0};
  pf_error line = pf_error_none(); /* of a point without a value: nobody wants to read it */
  double f = 0.0;
  settings.iterations = how->iterations;
  settings.stops_early = true; /* before the last small step */
  settings.secant = how->is_another_start ? NULL : w->second;
  settings.tolerance_progress = how->accuracy;
  settings.tolerance_nats = how->accuracy;
  to->v[w->i] = to->at;
  pf_clip_to_bounds(w->full, to->v);
  w->v[w->i] = to->at;
  pf_status status = PF_OK;
  if (w->n == 1) {
    status = pf_function_value(w->full, to->v, &f, &optimum, &line);
    f = rise_plus_one(w, f);
    optimum.converged = true;
  } else {
    if (how->is_another_start) {
      drop_fixed(w, to->v, w->reduced);
    } else {
      status = choose_start(w, to, &line);
    }
    if (status == PF_OK) {
      status = pf_optimiser_lm.minimise(&w->rest, &settings, NULL, w->reduced, &optimum, &line);
      f = optimum.objective - optimum.predicted_decrease;
    }
  }
  w->out->n_refits++;
  w->out->n_evaluations += optimum.evaluations;
  if (status < 0) {
    return pf_fail_key(error, status, line.key, "%s", line.text);
  }
  if (status != PF_OK) {
    return status;
  }
  if (w->n > 1) {
    insert_fixed(w, w->reduced, to->v);
    to->v[w->i] = to->at;
  }
  to->converged = optimum.converged;
  to->z = signed_root(f - 1.0);
  return PF_OK;
}

static pf_status record_point(const work *w, const point *at, pf_error *error)
{
  if (w->in->curve == NULL) {
    return PF_OK;
  }
  pf_profile_point *to = pf_array_append(w->in->curve, error);
  if (to == NULL) {
    return PF_STOP;
  }
  *to = (pf_profile_point){
      .value = w->i, .at = at->at, .twice_rise = at->z * fabs(at->z), .converged = at->converged};
  return PF_OK;
}

/* The trial. What is below the threshold without having converged is inside all the same. */
static pf_status find_trial(work *w, pf_error *error)
{
  const effort quick = {w->in->settings.iterations, quick_accuracy, false};
  const effort longer = {4 * w->in->settings.iterations, quick_accuracy, false};
  pf_status status = refit_others(w, &quick, &w->trial, error);
  if (status == PF_OK && !w->trial.converged && w->trial.z >= w->threshold) {
    status = refit_others(w, &longer, &w->trial, error);
  }
  if (status != PF_OK) {
    return status;
  }
  w->out->n_unconverged += w->trial.converged ? 0 : 1;
  return record_point(w, &w->trial, error);
}

static void swap_points(point *a, point *b)
{
  const point kept = *a;
  *a = *b;
  *b = kept;
}

/* ---- one side ---- */

typedef struct side {
  double sign, limit; /* limit: the bound on this side */
  double end, rise;
  uint32_t kind;
  bool is_outside_known, is_bracketed; /* there is an outside; it has a value that converged */
  uint32_t outside_kind;               /* what the end is if the search stops at the outside */
  int n_refits, n_bracketed, n_unconverged;
  int64_t n_expansions;
  bool has_hint;     /* the trial stands near the end already */
  double *end_point; /* [n] all values at the end, or NULL */
  size_t n;
  double challenge; /* width, as a share of the way gone, at which the outside is looked at again */
} side;

static void start_side(work *w, side *s)
{
  memcpy(w->inside.v, w->origin, w->n * sizeof *w->origin);
  w->inside.at = w->origin[w->i];
  w->inside.z = w->origin_z;
  w->inside.converged = true;
  s->end = w->inside.at;
  s->challenge = 0.02;
  memset(w->second, 0, w->n * w->n * sizeof *w->second);
  for (size_t row = 0; w->in->secant != NULL && row + 1 < w->n; row++) {
    const size_t k = row < w->i ? row : row + 1;
    drop_fixed(w, w->in->secant + k * w->n, w->second + row * (w->n - 1));
  }
  for (size_t k = 0; w->in->secant != NULL && k < (w->n - 1) * (w->n - 1); k++) {
    w->second[k] *= w->nats;
  }
}

static void end_side(side *s, const point *at, uint32_t kind)
{
  s->kind = kind;
  s->end = at->at;
  s->rise = 0.5 * at->z * at->z;
  if (s->end_point != NULL) {
    memcpy(s->end_point, at->v, s->n * sizeof *at->v);
  }
}

/*
 * trial.v: where the others may be when value i is at trial.at. Between two points of the profile,
 * and beyond them, on the line through both; from the origin on, along the curvature.
 */
static void predict_others(work *w, const side *s)
{
  const point *from = &w->inside;
  const double move = w->trial.at - from->at, gone = from->at - w->origin[w->i];
  for (size_t k = 0; k < w->n; k++) {
    double slope = w->along[k];
    if (s->is_bracketed) {
      slope = (w->outside.v[k] - from->v[k]) / (w->outside.at - from->at);
    } else if (gone != 0.0) {
      slope = (from->v[k] - w->origin[k]) / gone;
    }
    w->trial.v[k] = from->v[k] + move * slope;
  }
}

/*
 * What share of the bracket the threshold should be at: on the curve distance = a z + b z^2 through
 * the origin and both ends, or on the line through both ends.
 */
static double predict_share(const work *w)
{
  const double origin = w->origin[w->i], inside = w->inside.at, outside = w->outside.at;
  const double line = (w->threshold - w->inside.z) / (w->outside.z - w->inside.z);
  const double z_in = w->inside.z - w->origin_z, z_out = w->outside.z - w->origin_z;
  if (inside == origin || z_in <= 0.0 || z_out <= z_in) {
    return line;
  }
  const double a = (inside - origin) / z_in, b = (outside - origin) / z_out;
  const double at = origin + (w->threshold - w->origin_z) * (a + line * (b - a));
  const double share = (at - inside) / (outside - inside);
  return share >= 0.0 && share <= 1.0 ? share : line;
}

/* How near 0 has the inside come, as a share of the way gone? */
static double distance_to_zero(const work *w)
{
  return fabs(w->inside.at) / fabs(w->inside.at - w->origin[w->i]);
}

/* Where to look between inside and outside. A sign that the data do not allow has its limit at 0:
 * the likelihood may jump there. */
static double choose_between(const work *w, side *s)
{
  if (w->inside.at * w->outside.at < 0.0 && distance_to_zero(w) < near_zero) {
    return 0.0;
  }
  double share = w->inside.at == w->origin[w->i] ? 0.1 : 0.3;
  if (s->is_bracketed) {
    const double predicted = predict_share(w);
    const bool halves = ++s->n_bracketed % 4 == 0 || !isfinite(predicted);
    share = halves ? 0.5 : fmin(fmax(predicted, 0.02), 0.98);
  }
  return w->inside.at + share * (w->outside.at - w->inside.at);
}

/* On to where the threshold should be, at most four times as far. */
static double choose_further(const work *w, const side *s)
{
  const double origin = w->origin[w->i], gone = fabs(w->inside.at - origin);
  const double slope = (w->inside.z - w->origin_z) / gone;
  const double wanted = (w->threshold - w->origin_z) / slope;
  const double reach = slope > 0.0 ? fmin(1.05 * wanted, 4.0 * gone) : 4.0 * gone;
  return origin + s->sign * fmax(reach, 1.1 * gone);
}

static bool is_near_end(const work *w, const point *at, double accuracy)
{
  return at->converged && fabs(at->z * fabs(at->z) - w->threshold * w->threshold) <= accuracy;
}

/* One more start for the refit at the trial; what is lower takes its place. */
static pf_status try_start(work *w, const double *from, bool *is_lower, pf_error *error)
{
  const effort quick = {w->in->settings.iterations, quick_accuracy, true};
  memcpy(w->other.v, from, w->n * sizeof *from);
  w->other.at = w->trial.at;
  const pf_status status = refit_others(w, &quick, &w->other, error);
  if (status == PF_OK && w->other.z < w->trial.z) {
    *is_lower = *is_lower || w->trial.z - w->other.z > lower_z;
    swap_points(&w->other, &w->trial);
  }
  return status < 0 ? status : PF_OK;
}

/* From the nearest point inside with its others made smaller and larger: where choices are
 * predicted perfectly, the valley goes on to ever larger values. */
static pf_status try_scaled(work *w, double factor, bool *is_lower, pf_error *error)
{
  memcpy(w->step, w->inside.v, w->n * sizeof *w->step);
  for (size_t k = 0; k < w->n; k++) {
    w->step[k] *= factor;
  }
  return try_start(w, w->step, is_lower, error);
}

/* Refits at the trial, which seems to be the end, to the last digit and from other starts. */
static pf_status certify_trial(work *w, pf_error *error)
{
  const effort final = {4 * w->in->settings.iterations, final_accuracy, false};
  if (w->n == 1) {
    return PF_OK;
  }
  bool is_lower = false;
  pf_status status = refit_others(w, &final, &w->trial, error);
  if (status != PF_OK) {
    return status < 0 ? status : PF_OK;
  }
  if (!w->in->has_one_valley) {
    status = try_start(w, w->origin, &is_lower, error);
  }
  for (size_t r = 0; r < w->in->n_rivals; r++) {
    if (status == PF_OK) {
      status = try_start(w, w->in->rivals[r], &is_lower, error);
    }
  }
  for (size_t s = 0; s < w->in->n_starts; s++) {
    if (status == PF_OK) {
      status = try_start(w, w->in->starts[s], &is_lower, error);
    }
  }
  for (size_t s = 0; s < N_SCALED && w->in->n_starts > 0; s++) {
    if (status == PF_OK) {
      status = try_scaled(w, scale_factors[s], &is_lower, error);
    }
  }
  if (status == PF_OK && is_lower) {
    status = refit_others(w, &final, &w->trial, error);
  }
  return status < 0 ? status : record_point(w, &w->trial, error);
}

/* The trial becomes a point outside or inside, or the end of the side: then true. */
static bool place_trial(work *w, side *s, bool at_limit)
{
  const double fall = -0.5 * fabs(w->trial.z) * w->trial.z;
  const bool is_real = w->trial.converged && !w->in->has_no_maximum;
  if (fall > (is_real ? same_optimum : real_gain)) {
    swap_points(&w->inside, &w->trial);
    end_side(s, &w->inside, PF_PROFILE_BETTER);
    return true;
  }
  if (w->trial.z >= w->threshold) {
    const bool is_known = w->trial.converged;
    swap_points(&w->outside, &w->trial);
    s->is_outside_known = true;
    s->is_bracketed = is_known;
    s->n_unconverged += is_known ? 0 : 1;
    s->outside_kind = is_known ? PF_PROFILE_JUMP : PF_PROFILE_UNCERTAIN;
    return false;
  }
  swap_points(&w->inside, &w->trial);
  if (at_limit) {
    end_side(s, &w->inside, PF_PROFILE_BOUND);
  }
  return at_limit;
}

static double width_of(const work *w)
{
  return fabs(w->outside.at - w->inside.at);
}

/* Is there nothing left between inside and outside? */
static bool is_exhausted(const work *w, const side *s)
{
  const double size = fabs(w->outside.at) + fabs(w->inside.at);
  const double gone = fabs(w->inside.at - w->origin[w->i]);
  const bool has_no_value = s->outside_kind == PF_PROFILE_NO_VALUE;
  return s->n_unconverged >= MAX_UNCONVERGED ||
         (w->outside.at == 0.0 && distance_to_zero(w) < no_width) ||
         width_of(w) <= (has_no_value ? no_value_width * fmin(gone, fabs(w->inside.at)) : 0.0) +
                            jump_width * size;
}

/*
 * The outside was reached along one valley, the inside perhaps along another: where they are near
 * each other and 2dL is not, the outside is refitted from the inside's others.
 */
static pf_status challenge_outside(work *w, side *s, pf_error *error)
{
  const effort quick = {w->in->settings.iterations, quick_accuracy, false};
  const double gone = fabs(w->inside.at - w->origin[w->i]);
  if (!s->is_bracketed || w->n == 1 || width_of(w) > s->challenge * gone ||
      w->outside.z - w->inside.z < valley_gap) {
    return PF_OK;
  }
  s->challenge = 0.01 * width_of(w) / gone;
  w->other.at = w->outside.at;
  memcpy(w->other.v, w->inside.v, w->n * sizeof *w->other.v);
  const pf_status status = refit_others(w, &quick, &w->other, error);
  if (status != PF_OK || w->other.z >= w->outside.z) {
    return status < 0 ? status : PF_OK;
  }
  const bool is_inside = w->other.z < w->threshold;
  swap_points(&w->other, is_inside ? &w->inside : &w->outside);
  s->is_outside_known = s->is_bracketed = !is_inside;
  return record_point(w, is_inside ? &w->inside : &w->outside, error);
}

static pf_status move_trial(work *w, side *s, bool *ended, pf_error *error)
{
  const bool at_limit = s->sign * (w->trial.at - s->limit) >= 0.0;
  *ended = false;
  w->trial.at = at_limit ? s->limit : w->trial.at;
  if (!s->has_hint) {
    predict_others(w, s);
  }
  s->has_hint = false;
  pf_status status = find_trial(w, error);
  if (status == PF_OK && is_near_end(w, &w->trial, end_accuracy)) {
    status = certify_trial(w, error);
    *ended = status == PF_OK && is_near_end(w, &w->trial, certified);
  }
  if (status < 0) {
    return status;
  }
  if (*ended) {
    end_side(s, &w->trial, PF_PROFILE_CROSSED);
    return PF_OK;
  }
  if (status > 0) {
    w->outside.at = w->trial.at;
    s->is_outside_known = true;
    s->is_bracketed = false; /* nothing to interpolate with */
    s->outside_kind = PF_PROFILE_NO_VALUE;
    return PF_OK;
  }
  *ended = place_trial(w, s, at_limit);
  return PF_OK;
}

/* ---- by steps of all values at once ---- */

/* trial.v goes on by w->step. false: it would cross a bound, or goes nowhere near. */
static bool move_all(work *w, const side *s)
{
  const double gone = s->sign * (w->trial.v[w->i] + w->step[w->i] - w->origin[w->i]);
  if (!(gone > 0.0 && gone <= 10.0 * w->threshold * w->se)) {
    return false;
  }
  for (size_t k = 0; k < w->n; k++) {
    const double to = w->trial.v[k] + w->step[k];
    if (!(to > w->full->lower[k] && to < w->full->upper[k])) {
      return false;
    }
  }
  for (size_t k = 0; k < w->n; k++) {
    w->trial.v[k] += w->step[k];
  }
  return true;
}

/* f, gradient and H at trial.v; what the step there showed goes into S. *rise: there, nats. */
static pf_status learn_from_step(work *w, double *rise, pf_error *error)
{
  const size_t n = w->n;
  double f = 0.0;
  const pf_status status = evaluate_curvature(w, w->trial.v, &f, error);
  w->out->n_evaluations++;
  if (status != PF_OK) {
    return status;
  }
  for (size_t k = 0; k < n; k++) {
    w->next_slope[k] = w->nats * w->gradient[k];
    w->slope[k] = w->next_slope[k] - w->slope[k]; /* the change */
  }
  for (size_t k = 0; k < n * n; k++) {
    w->model[k] = w->nats * w->h[k];
  }
  const pf_secant_step made = {.n = n, .h = w->model, .step = w->step, .change = w->slope};
  (void)pf_secant_update(&made, w->bend, w->space);
  for (size_t k = 0; k < n * n; k++) {
    w->model[k] += w->bend[k];
  }
  memcpy(w->slope, w->next_slope, n * sizeof *w->slope);
  *rise = w->nats * (f - w->in->f_best);
  return isfinite(*rise) ? PF_OK : PF_POINT_FAILED;
}

static void start_approach(work *w)
{
  const size_t n = w->n;
  memcpy(w->trial.v, w->origin, n * sizeof *w->origin);
  memcpy(w->slope, w->origin_gradient, n * sizeof *w->slope);
  for (size_t k = 0; k < n * n; k++) {
    w->bend[k] = w->in->secant == NULL ? 0.0 : w->nats * w->in->secant[k];
    w->model[k] = w->origin_h[k] + w->bend[k];
  }
}

/* By H + S, or by H alone where that has no minimum. *here, w->step: as
 * pf_profile_quadratic_solve. */
static bool solve_model(work *w, double rise, const side *s, double *here)
{
  const size_t n = w->n;
  const pf_profile_quadratic model = {n, w->i, rise, w->slope, w->model};
  const double wanted = 0.5 * w->threshold * w->threshold;
  if (pf_profile_quadratic_solve(&model, wanted, s->sign, w->space, here, w->step)) {
    return true;
  }
  for (size_t k = 0; k < n * n; k++) {
    w->model[k] -= w->bend[k];
    w->bend[k] = 0.0;
  }
  return pf_profile_quadratic_solve(&model, wanted, s->sign, w->space, here, w->step);
}

/* The trial becomes a place where the profile should be at the threshold: *is_there. Else, where it
 * came near, the search goes on from it: s->has_hint. */
static pf_status approach_end(work *w, side *s, bool *is_there, pf_error *error)
{
  const double wanted = 0.5 * w->threshold * w->threshold;
  double rise = 0.5 * w->origin_z * w->origin_z, here = 0.0;
  *is_there = false;
  start_approach(w);
  for (int k = 0; k <= MAX_APPROACHES; k++) {
    if (!solve_model(w, rise, s, &here)) {
      return PF_OK;
    }
    const double left = rise - here; /* to the bottom of the valley */
    w->trial.at = w->trial.v[w->i];
    s->has_hint = k > 0 && left < 1.0 && here > 0.3 * wanted && here < 2.0 * wanted;
    *is_there = k > 0 && fabs(2.0 * (here - wanted)) <= end_accuracy && left <= near_valley;
    if (*is_there) {
      w->trial.z = signed_root(here);
      w->trial.converged = true;
      return PF_OK;
    }
    if (k == MAX_APPROACHES || !move_all(w, s)) {
      return PF_OK;
    }
    pf_error line = pf_error_none(); /* of a point without a value: nobody wants to read it */
    const pf_status status = learn_from_step(w, &rise, &line);
    if (status != PF_OK) {
      s->has_hint = false;
      return status < 0 ? pf_fail_key(error, status, line.key, "%s", line.text) : PF_OK;
    }
  }
  return PF_OK;
}

/* The end of a side, if the model leads there. */
static pf_status find_end_at_once(work *w, side *s, bool *found, pf_error *error)
{
  bool is_there = false;
  *found = false;
  if (!isfinite(w->se)) {
    return PF_OK;
  }
  pf_status status = approach_end(w, s, &is_there, error);
  if (status != PF_OK || !is_there) {
    return status;
  }
  status = w->n == 1 ? record_point(w, &w->trial, error) : certify_trial(w, error);
  *found = status == PF_OK && is_near_end(w, &w->trial, certified);
  s->has_hint = false;
  if (*found) {
    end_side(s, &w->trial, PF_PROFILE_CROSSED);
  }
  return status;
}

/* Inside and outside have met. A jump is an end where no other start comes below it there. */
static pf_status settle_outside(work *w, side *s, bool *ended, pf_error *error)
{
  const bool is_jump = s->outside_kind == PF_PROFILE_JUMP;
  *ended = true;
  if (is_jump && w->n > 1) {
    swap_points(&w->trial, &w->outside);
    const pf_status status = certify_trial(w, error);
    if (status != PF_OK) {
      return status;
    }
    swap_points(&w->trial, &w->outside);
    *ended = w->outside.z >= w->threshold;
  }
  if (*ended) {
    end_side(s, is_jump ? &w->outside : &w->inside, s->outside_kind);
    return PF_OK;
  }
  swap_points(&w->outside, &w->inside);
  s->is_outside_known = s->is_bracketed = false;
  return PF_OK;
}

static pf_status trace_side(work *w, side *s, pf_error *error)
{
  bool found = false;
  start_side(w, s);
  if (w->inside.at == s->limit) {
    end_side(s, &w->inside, PF_PROFILE_BOUND);
    return PF_OK;
  }
  const pf_status at_once = find_end_at_once(w, s, &found, error);
  if (at_once != PF_OK || found) {
    return at_once;
  }
  if (!s->has_hint) {
    w->trial.at = w->inside.at + s->sign * first_step(w);
  }
  for (s->n_refits = 0; s->n_refits < MAX_REFITS; s->n_refits++) {
    bool ended = false;
    const pf_status status = move_trial(w, s, &ended, error);
    if (status != PF_OK || ended) {
      return status;
    }
    if (s->is_outside_known && challenge_outside(w, s, error) != PF_OK) {
      return PF_STOP;
    }
    if (s->is_outside_known && is_exhausted(w, s)) {
      const pf_status settled = settle_outside(w, s, &ended, error);
      if (settled != PF_OK || ended) {
        return settled;
      }
    }
    if (s->is_outside_known) {
      w->trial.at = choose_between(w, s);
      continue;
    }
    const double far = fmin(w->se, far_away * fabs(w->origin[w->i]));
    const bool is_far = isinf(w->se) || fabs(w->inside.at - w->origin[w->i]) >= far;
    if (s->n_expansions++ >= w->in->settings.expansions && is_far) {
      end_side(s, &w->inside, PF_PROFILE_OPEN);
      return PF_OK;
    }
    w->trial.at = choose_further(w, s);
  }
  const bool has_no_value = s->is_outside_known && s->outside_kind == PF_PROFILE_NO_VALUE;
  end_side(s, &w->inside, has_no_value ? PF_PROFILE_NO_VALUE : PF_PROFILE_UNCERTAIN);
  return PF_OK;
}

/* ---- both ---- */

/* A side that came upon a better optimum than the best hands it back, the lower of two. */
static void keep_better(const work *w, const side *now, const side *before)
{
  const bool is_lower =
      before == NULL || before->kind != PF_PROFILE_BETTER || now->rise > before->rise;
  if (now->kind == PF_PROFILE_BETTER && is_lower && w->in->better != NULL) {
    memcpy(w->in->better, w->inside.v, w->n * sizeof *w->inside.v);
  }
}

/* Both sides, the lower one first. */
static pf_status trace_sides(work *w, side *low, side *high, pf_error *error)
{
  pf_status status = estimate_scale(w, error);
  if (status != PF_OK) {
    return status;
  }
  status = trace_side(w, low, error);
  if (status != PF_OK) {
    return status;
  }
  keep_better(w, low, NULL);
  status = trace_side(w, high, error);
  if (status == PF_OK) {
    keep_better(w, high, low);
  }
  return status;
}

static work begin_work(const pf_profile_in *in, pf_profile *out)
{
  return (work){.in = in,
                .full = in->function,
                .origin = in->origin,
                .nats = in->settings.nats_per_unit,
                .threshold = sqrt(pf_stats_chi2_quantile(in->settings.level, 1.0)),
                .n = in->function->n,
                .i = in->i,
                .out = out};
}

/* The end at `at`, from every start: does one come below the quantile there? */
static pf_status recheck_end(work *w, const double *end_point, double rise, bool *holds,
                             pf_error *error)
{
  bool is_lower = false;
  memcpy(w->trial.v, end_point, w->n * sizeof *end_point);
  w->trial.at = end_point[w->i];
  w->trial.z = signed_root(rise);
  w->trial.converged = true;
  for (size_t s = 0; s < w->in->n_starts; s++) {
    const pf_status status = try_start(w, w->in->starts[s], &is_lower, error);
    if (status != PF_OK) {
      return status;
    }
  }
  const double least = w->threshold * w->threshold - certified;
  *holds = *holds && w->trial.z * fabs(w->trial.z) >= least;
  return PF_OK;
}

pf_status pf_profile_recheck(const pf_profile_in *in, pf_profile *found, bool *holds,
                             pf_error *error)
{
  work w = begin_work(in, found);
  *holds = true;
  if (w.n == 1) {
    return PF_OK;
  }
  pf_status status = allocate_work(&w, error);
  if (status == PF_OK && pf_profile_is_limit(found->low_end)) {
    status = recheck_end(&w, in->end_points, found->rise_low, holds, error);
  }
  if (status == PF_OK && pf_profile_is_limit(found->high_end)) {
    status = recheck_end(&w, in->end_points + w.n, found->rise_high, holds, error);
  }
  free_work(&w);
  return status;
}

pf_status pf_profile_value(const pf_profile_in *in, pf_profile *out, pf_error *error)
{
  const pf_function *function = in->function;
  *out = (pf_profile){0};
  work w = begin_work(in, out);
  side low = {
      .sign = -1.0, .limit = function->lower[in->i], .end_point = in->end_points, .n = function->n};
  side high = {.sign = 1.0,
               .limit = function->upper[in->i],
               .end_point = in->end_points == NULL ? NULL : in->end_points + function->n,
               .n = function->n};
  if (function->curvature == NULL) {
    return pf_fail(
        error, PF_STOP,
        "a profile needs second derivatives (Gauss-Newton, Fisher), which there are not here");
  }
  pf_status status = allocate_work(&w, error);
  if (status == PF_OK) {
    status = trace_sides(&w, &low, &high, error);
  }
  out->low = low.end;
  out->low_end = low.kind;
  out->rise_low = low.rise;
  out->high = high.end;
  out->high_end = high.kind;
  out->rise_high = high.rise;
  free_work(&w);
  return status;
}
