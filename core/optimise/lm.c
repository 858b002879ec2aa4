/*
 * The optimiser lm, Levenberg-Marquardt: from v to the minimum of
 *
 *     f + g'p + p'(H + lambda D)p / 2 + L1
 *
 * within the bounds, lambda by how well the model predicted the decrease of F. D is the largest
 * diagonal of H so far (More 1978: steps do not depend on the units of values). H need be no more
 * than positive semidefinite, so Gauss-Newton and Fisher matrices of several losses simply add up.
 * A point where F has no value counts as a bad step.
 *
 * H leaves out what the residuals' own curvature adds to the Hessian, and where residuals stay
 * large (choices always do) steps with H alone converge linearly. So that part, the secant
 * correction S, is estimated from how the gradient changes, and used where it predicted the last
 * step better (structured quasi-Newton: Dennis, Gay & Welsch 1981, NL2SOL): flies take a third of
 * the iterations.
 */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/optimise/conjugate.h"
#include "core/optimise/optimiser.h"
#include "core/optimise/quadratic.h"
#include "core/optimise/secant.h"
#include "core/optimise/valley.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* Iterations after which short steps are taken for a curved valley, and how often it is followed.
 */
enum { VALLEY_AFTER = 40, MAX_VALLEYS = 3 };
enum { MAX_DENSE = 5000, MAX_SADDLES = 3, MAX_CHOOSY = 8, N_PROBES = 2 };

static const double first_lambda = 1e-3;
static const double least_lambda = 1e-16; /* below, H + lambda D is H */
static const double max_lambda = 1e30;
/* Least share of the predicted decrease: a step with less has left where the model holds, and may
 * lead to where no model ever holds again. */
static const double accept_well = 0.2;
static const double accept = 1e-4; /* the same after MAX_CHOOSY shorter steps did no better */
/* Of the largest: values that the data do not determine do not run away. */
static const double least_diagonal = 1e-14;
/* The same of what it usually is, where that is known: values that have no effect yet. */
static const double least_share = 1e-3;
static const double probe_rise = 1e-6; /* of |F|, how far a probe goes by the model */
/* Of a value's size: no step. */
static const double least_step = 1e-12;
/* Of the gain of an undamped step: the damping without which directions that the data do not
 * determine would gain rounding errors. */
static const double gain_lambda = 1e-9;
/* Nats that may be left where no step goes down: derivatives by differences are no better. */
static const double gain_at_rest = 1e-4;

typedef struct lm {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  size_t n;
  bool dense;
  double *memory;                       /* of the vectors and matrices below */
  double *v, f, penalty;                /* the caller's v; F = f + penalty */
  double *gradient, *h;                 /* [n], [n][n]: there; h NULL where not dense: products */
  double *trial, *step, *image;         /* [n] */
  double *trial_gradient, *trial_h;     /* [n], [n][n] */
  double *scale;                        /* [n] D */
  double *damped;                       /* [n][n] H + lambda D */
  double *secant;                       /* [n][n] S */
  double *last_gradient, *work;         /* [n] gradient before the step; [2 n] */
  pf_quadratic *quadratic;              /* dense */
  pf_conjugate *conjugate;              /* not dense */
  double lambda, raise;                 /* damping, and the factor by which it is raised next */
  bool trusts_model;                    /* the last step went as predicted */
  bool has_secant, uses_secant;         /* S is not 0; steps are by H + S */
  double decrease_by_h, decrease_by_hs; /* predicted for the step: by H, and by H + S */
  int64_t valley_after, n_valleys;      /* iterations at which a valley is followed next */
  double largest_tried, largest_change; /* of an iteration: relative step, and change of F */
} lm;

static double objective_here(const lm *s)
{
  return s->f + s->penalty;
}

/* ---- memory ---- */

static pf_status allocate_work(lm *s, pf_error *error)
{
  const size_t n = s->n, n_matrices = s->dense ? 4 : 0;
  double *more = NULL; /* of the work: it is [2 n] */
  double **const vectors[] = {&s->gradient,       &s->scale,         &s->trial, &s->step, &s->image,
                              &s->trial_gradient, &s->last_gradient, &s->work,  &more};
  double **const matrices[] = {&s->h, &s->damped, &s->trial_h, &s->secant};
  const size_t n_vectors = sizeof vectors / sizeof vectors[0];
  s->memory = pf_memory_need((n_vectors + n_matrices * n) * n, sizeof *s->memory, error);
  if (s->memory == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n_vectors; i++) {
    *vectors[i] = s->memory + i * n;
  }
  for (size_t i = 0; i < n_matrices; i++) {
    *matrices[i] = s->memory + (n_vectors + i * n) * n;
  }
  return s->dense ? pf_quadratic_create(n, &s->quadratic, error)
                  : pf_conjugate_create(n, s->settings->seed, &s->conjugate, error);
}

static void free_work(lm *s)
{
  pf_memory_free(s->memory);
  pf_quadratic_free(s->quadratic);
  pf_conjugate_free(s->conjugate);
}

static void start_secant(lm *s)
{
  if (!s->dense || s->settings->secant == NULL) {
    return;
  }
  for (size_t i = 0; i < s->n * s->n; i++) {
    s->secant[i] = s->settings->secant[i];
    s->has_secant = s->has_secant || s->secant[i] != 0.0;
  }
  s->uses_secant = s->trusts_model = s->has_secant;
}

/* ---- the model ---- */

/* The diagonal of H that value i would have by its own scale; `otherwise` where that is unknown. */
static double usual_diagonal(const lm *s, size_t i, double otherwise)
{
  const double *scale = s->function->scale;
  return scale == NULL ? otherwise
                       : 1.0 / (pf_function_nats(s->function, s->f) * scale[i] * scale[i]);
}

/* D from H: the diagonal, which may fall by a factor of ten in an iteration; where it is 0, what it
 * usually is. */
static void update_scale(lm *s)
{
  double largest = 0.0;
  if (!s->dense) {
    pf_conjugate_scale(s->conjugate, s->function, s->f, s->scale);
    return;
  }
  for (size_t i = 0; i < s->n; i++) {
    s->scale[i] = fmax(0.1 * s->scale[i], s->h[i * s->n + i]);
    largest = fmax(largest, s->scale[i]);
  }
  largest = largest > 0.0 ? largest : 1.0;
  for (size_t i = 0; i < s->n; i++) {
    const double usual = usual_diagonal(s, i, largest);
    const double least = s->function->scale == NULL ? least_diagonal : least_share;
    s->scale[i] = s->scale[i] > 0.0 ? fmax(s->scale[i], least * usual) : usual;
  }
}

/* out = matrix p */
static void multiply_symmetric(const lm *s, const double *matrix, const double *p, double *out)
{
  cblas_dsymv(CblasRowMajor, CblasLower, (int)s->n, 1.0, matrix, (int)s->n, p, 1, 0.0, out, 1);
}

/* out = H p */
static pf_status multiply_by_h(lm *s, const double *p, double *out, pf_error *error)
{
  if (!s->dense) {
    s->out->curvatures++;
    return s->function->product(s->function->self, s->v, p, out, error);
  }
  multiply_symmetric(s, s->h, p, out);
  return PF_OK;
}

/* s->damped = H + lambda D, and S where `with_secant`; then its minimum. false: not positive
 * definite. */
static bool solve_damped(lm *s, bool with_secant)
{
  const size_t n = s->n;
  memcpy(s->damped, s->h, n * n * sizeof *s->h);
  for (size_t i = 0; with_secant && i < n * n; i++) {
    s->damped[i] += s->secant[i];
  }
  for (size_t i = 0; i < n; i++) {
    s->damped[i * n + i] += s->lambda * s->scale[i];
  }
  return pf_quadratic_solve(s->quadratic, s->function, s->v, s->gradient, s->damped, s->trial);
}

/* s->trial = v + p, s->step = p. PF_POINT_FAILED: more damping is needed. */
static pf_status find_step(lm *s, pf_error *error)
{
  if (s->dense) {
    bool solved = solve_damped(s, s->uses_secant);
    if (!solved && s->uses_secant) {
      s->uses_secant = false; /* H + S need not be positive definite */
      solved = solve_damped(s, false);
    }
    if (!solved) {
      return PF_POINT_FAILED;
    }
  } else {
    const pf_damped_step at = {s->function, s->v, s->gradient, s->lambda, s->scale};
    const pf_status status = pf_conjugate_solve(s->conjugate, &at, s->trial, s->out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t i = 0; i < s->n; i++) {
    s->step[i] = s->trial[i] - s->v[i];
  }
  return PF_OK;
}

/* By how much the model without damping says that F falls. */
static pf_status predict_decrease(lm *s, double *decrease, pf_error *error)
{
  const pf_status status = multiply_by_h(s, s->step, s->image, error);
  if (status != PF_OK) {
    return status;
  }
  s->decrease_by_h = -pf_dot(s->gradient, s->step, s->n) - 0.5 * pf_dot(s->step, s->image, s->n) +
                     s->penalty - pf_l1_of(s->function, s->trial);
  s->decrease_by_hs = s->decrease_by_h;
  if (s->has_secant) {
    multiply_symmetric(s, s->secant, s->step, s->image);
    s->decrease_by_hs -= 0.5 * pf_dot(s->step, s->image, s->n);
  }
  *decrease = s->uses_secant ? s->decrease_by_hs : s->decrease_by_h;
  return PF_OK;
}

/* After a step to where gradient and H are now. */
static void update_secant(lm *s)
{
  double *change = s->last_gradient;
  for (size_t i = 0; i < s->n; i++) {
    change[i] = s->gradient[i] - s->last_gradient[i];
  }
  const pf_secant_step made = {.n = s->n, .h = s->h, .step = s->step, .change = change};
  const bool usable = pf_secant_update(&made, s->secant, s->work);
  s->has_secant = s->has_secant || usable;
}

/* The next step is by the model whose prediction was nearer to how far F fell. */
static void choose_model(lm *s, double fell)
{
  s->uses_secant = s->has_secant && fabs(fell - s->decrease_by_hs) < fabs(fell - s->decrease_by_h);
  if (s->dense) {
    update_secant(s);
  }
}

static double largest_step(const lm *s)
{
  double largest = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    largest = fmax(largest, fabs(s->step[i]));
  }
  return largest;
}

/* The largest change as a share of a value's size: what it is, and what by the model would change F
 * by as much as there is of it. */
static double relative_step(const lm *s)
{
  double largest = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    const double size = fabs(s->v[i]) + sqrt(fabs(objective_here(s)) / s->scale[i]);
    if (s->step[i] != 0.0) {
      largest = fmax(largest, size > 0.0 ? fabs(s->step[i]) / size : (double)INFINITY);
    }
  }
  return largest;
}

static double nats_per_unit(const lm *s)
{
  return pf_function_nats(s->function, s->f);
}

/* ---- going there ---- */

/* s->trial, whose derivatives are in trial_gradient and trial_h, becomes v. */
static void move_to_trial(lm *s, double f, double penalty)
{
  double *last = s->last_gradient, *h = s->h;
  memcpy(s->v, s->trial, s->n * sizeof *s->v);
  s->last_gradient = s->gradient;
  s->gradient = s->trial_gradient;
  s->trial_gradient = last;
  s->h = s->trial_h;
  s->trial_h = h;
  s->f = f;
  s->penalty = penalty;
}

/*
 * F at s->trial into *at_trial (infinite where it has none); where it is lower than `below`, go
 * there. `derivatives`: it will be lower, so ask for them at once.
 */
static pf_status try_trial(lm *s, double below, bool derivatives, double *at_trial, bool *moved,
                           pf_error *error)
{
  pf_error line = pf_error_none(); /* of a point that is not taken: nobody wants to read it */
  const double penalty = pf_l1_of(s->function, s->trial);
  pf_derivatives at = {.f = 0.0};
  pf_status status = PF_OK;
  *moved = false;
  *at_trial = INFINITY;
  if (!derivatives) {
    status = pf_function_evaluate(s->function, s->trial, &at, s->out, &line);
    *at_trial = status == PF_OK ? at.f + penalty : (double)INFINITY;
  }
  if (status == PF_OK && (derivatives || *at_trial < below)) {
    at.gradient = s->trial_gradient;
    at.h = s->trial_h; /* NULL where not dense */
    status = pf_function_evaluate(s->function, s->trial, &at, s->out, &line);
    *at_trial = status == PF_OK ? at.f + penalty : (double)INFINITY;
    *moved = *at_trial < below;
  }
  if (*moved) {
    move_to_trial(s, at.f, penalty);
  }
  return status >= 0 ? PF_OK : pf_fail_key(error, status, line.key, "%s", line.text);
}

static void report_iterate(lm *s, double step)
{
  s->out->gradient_norm = pf_projected_gradient(s->function, s->v, s->gradient);
  pf_watch_report(s->watch, &(pf_iterate){.iteration = s->out->iterations,
                                          .v = s->v,
                                          .objective = objective_here(s),
                                          .gradient_norm = s->out->gradient_norm,
                                          .step = step});
}

/* A change of F that could be rounding. */
static double rounding_error(const lm *s)
{
  return s->function->noise * (fabs(s->f) + fabs(s->penalty));
}

/* ---- saddles ---- */

/*
 * A direction to look in at a stationary point. H shows no negative curvature, but it is where H
 * sees little that F may fall: so a random direction, and one smoothed by (H + small D)^-1.
 */
static void choose_probe(lm *s, int probe)
{
  const pf_stream stream = {
      .seed = s->settings->seed, .purpose = PF_RANDOM_PROBE, .draw = (uint32_t)probe};
  pf_random_normal(stream, 0, (int64_t)s->n, s->step);
  for (size_t i = 0; i < s->n; i++) {
    s->step[i] /= sqrt(s->scale[i]);
  }
  if (probe == 0 || !s->dense) {
    return;
  }
  const pf_function plain = {.n = s->n, .lower = s->function->lower, .upper = s->function->upper};
  memcpy(s->damped, s->h, s->n * s->n * sizeof *s->h);
  for (size_t i = 0; i < s->n; i++) {
    s->image[i] = -s->scale[i] * s->step[i];
    s->damped[i * s->n + i] += 1e-8 * s->scale[i];
  }
  if (pf_quadratic_solve(s->quadratic, &plain, s->v, s->image, s->damped, s->trial)) {
    for (size_t i = 0; i < s->n; i++) {
      s->step[i] = s->trial[i] - s->v[i];
    }
  }
}

/* As far along s->step that the model rises by a millionth of |F|, but no further than a thousandth
 * of a value's size. */
static pf_status scale_probe(lm *s, pf_error *error)
{
  const pf_status status = multiply_by_h(s, s->step, s->image, error);
  const double curvature = pf_dot(s->step, s->image, s->n);
  const double relative = relative_step(s);
  double length = relative > 0.0 ? 1e-3 / relative : 0.0;
  if (curvature > 0.0) {
    length = fmin(length, sqrt(2.0 * probe_rise * fabs(objective_here(s)) / curvature));
  }
  for (size_t i = 0; i < s->n; i++) {
    s->step[i] *= length;
  }
  return status;
}

/* Go down along a probe, to either side, where F is lower than `below` there. */
static pf_status try_probe(lm *s, int probe, double below, bool *moved, pf_error *error)
{
  choose_probe(s, probe);
  pf_status status = scale_probe(s, error);
  if (status != PF_OK) {
    return status;
  }
  for (int side = 1; side >= -1; side -= 2) {
    double found = 0.0;
    for (size_t i = 0; i < s->n; i++) {
      s->trial[i] = s->v[i] + side * s->step[i];
    }
    pf_clip_to_bounds(s->function, s->trial);
    status = try_trial(s, below, false, &found, moved, error);
    if (status != PF_OK || *moved) {
      return status;
    }
  }
  return PF_OK;
}

static void forget_model(lm *s)
{
  s->has_secant = false;
  s->uses_secant = false;
  if (s->dense) {
    memset(s->secant, 0, s->n * s->n * sizeof *s->secant);
  }
  s->lambda = first_lambda;
  s->raise = 2.0;
}

/* Is a stationary point a saddle? Then go down beside it, and *left is true. */
static pf_status leave_saddle(lm *s, bool *left, pf_error *error)
{
  *left = false;
  if (s->n == 0 || fabs(objective_here(s)) <= s->function->noise * fabs(s->out->start)) {
    return PF_OK; /* nothing to move, or F is rounding and there is nothing below */
  }
  const double below = objective_here(s) - fmax(1e4 * rounding_error(s),
                                                s->settings->tolerance_nats / nats_per_unit(s));
  for (int probe = 0; probe < N_PROBES && s->out->n_saddles < MAX_SADDLES; probe++) {
    const pf_status status = try_probe(s, probe, below, left, error);
    if (status != PF_OK) {
      return status;
    }
    if (*left) {
      s->out->n_saddles++;
      s->out->iterations++;
      s->out->converged = false;
      forget_model(s);
      report_iterate(s, largest_step(s));
      return PF_OK;
    }
  }
  return PF_OK;
}

/* ---- iterations ---- */

/* Damping for the next step, from the share of the predicted decrease that the last one had. */
static void adapt_damping(lm *s, double share)
{
  double factor = 3.0;
  if (share > 0.9) {
    factor = 0.02;
  } else if (share > 0.5) {
    factor = 0.2;
  } else if (share > 0.25) {
    factor = 1.0;
  }
  s->raise = 2.0;
  s->trusts_model = share > 0.25;
  s->lambda = fmax(s->lambda * factor, least_lambda);
}

static void raise_damping(lm *s)
{
  s->lambda = fmax(s->lambda * s->raise, 1e-15);
  s->raise = fmin(2.0 * s->raise, 1e4);
}

static uint32_t reason_to_stop(const lm *s)
{
  if (pf_watch_stops(s->watch)) {
    return PF_REASON_INTERRUPTED;
  }
  const bool spent =
      s->settings->evaluations > 0 && s->out->evaluations >= s->settings->evaluations;
  return spent ? PF_REASON_EVALUATIONS : PF_REASON_NONE;
}

/*
 * How far F would fall by a step without damping, which s->step is then: what says whether there is
 * anything left to gain. D is what H is here, so that a value whose curvature was larger once does
 * not look determined. Infinite where H says nothing of a value along which F falls.
 */
static pf_status predict_gain(lm *s, double *gain, pf_error *error)
{
  const double lambda = s->lambda;
  double *const scale = s->scale;
  const bool with_secant = s->uses_secant;
  pf_status status = PF_POINT_FAILED;
  *gain = INFINITY;
  if (s->dense) {
    for (size_t i = 0; i < s->n; i++) {
      const double left = fabs(pf_projected_component(s->function, s->v, s->gradient, i));
      s->work[i] = fmax(s->h[i * s->n + i], DBL_MIN);
      if (s->h[i * s->n + i] <= 0.0 &&
          left * sqrt(fabs(objective_here(s)) / usual_diagonal(s, i, scale[i])) >
              rounding_error(s)) {
        return PF_OK;
      }
    }
    s->scale = s->work;
  }
  for (s->lambda = gain_lambda; status > 0 && s->lambda < 1e-3; s->lambda *= 100.0) {
    status = find_step(s, error);
  }
  s->lambda = lambda;
  s->scale = scale;
  if (status == PF_OK) {
    status = predict_decrease(s, gain, error);
  }
  s->uses_secant = with_secant;
  return status < 0 ? status : PF_OK;
}

/* Is there no more to gain than the tolerance, or than one can see? */
static bool is_gain_spent(const lm *s, double gain, double nats)
{
  return nats_per_unit(s) * gain <= nats || gain <= 1e3 * rounding_error(s) ||
         fabs(objective_here(s)) <= s->function->noise * s->function->noise * fabs(s->out->start);
}

static void accept_step(lm *s, double before, double found, double decrease, double size)
{
  adapt_damping(s, (before - found) / decrease);
  choose_model(s, before - found);
  s->out->iterations++;
  report_iterate(s, size);
}

/* Did steps that are no small ones change F by nothing that can be seen? Then it is flat, whatever
 * a gradient and a curvature that are rounding alone predict. */
static bool is_flat(const lm *s)
{
  static const double no_small_step = 1e-2;
  return s->largest_tried >= no_small_step && s->largest_change <= 10.0 * rounding_error(s);
}

/* No step goes down. */
static pf_status end_at_rest(lm *s, uint32_t *done, pf_error *error)
{
  double gain = 0.0;
  const pf_status status = predict_gain(s, &gain, error);
  *done = PF_REASON_STEP;
  s->out->converged =
      status == PF_OK &&
      (is_flat(s) || is_gain_spent(s, gain, fmax(gain_at_rest, s->settings->tolerance_nats)));
  return status;
}

/* Does a damped step that gains `decrease` leave anything to gain? Where not, *last, and s->step is
 * the undamped one. */
static pf_status find_last_step(lm *s, double *decrease, bool *last, pf_error *error)
{
  const double nats = s->settings->tolerance_nats;
  const bool early = s->settings->stops_early && s->lambda <= 1e-2 &&
                     *decrease <= s->settings->tolerance_progress * fabs(objective_here(s));
  *last = early;
  if (early || nats_per_unit(s) * *decrease > nats) {
    return PF_OK;
  }
  double gain = 0.0;
  pf_status status = predict_gain(s, &gain, error);
  if (status != PF_OK) {
    return status;
  }
  *last = nats_per_unit(s) * gain <= nats;
  if (*last) {
    *decrease = gain;
    return PF_OK;
  }
  s->lambda = fmax(s->lambda * 1e-3, least_lambda); /* it is damping that makes the step small */
  for (status = find_step(s, error); status > 0 && s->lambda < max_lambda;) {
    raise_damping(s);
    status = find_step(s, error);
  }
  return status == PF_OK ? predict_decrease(s, decrease, error) : status;
}

/* The steps of one iteration. */
typedef struct attempts {
  bool first; /* no step was found yet */
  bool last;  /* take this step unless F rises, then stop */
  int n_raised;
} attempts;

/* Tries the step that was found, which should gain `decrease`; *moved: it was taken. */
static pf_status try_step(lm *s, double decrease, const attempts *so_far, bool *moved,
                          pf_error *error)
{
  const double before = objective_here(s), size = largest_step(s);
  const double share = so_far->n_raised < MAX_CHOOSY ? accept_well : accept;
  const double below =
      so_far->last ? before + rounding_error(s) : before - share * fmax(decrease, 0.0);
  const double relative = relative_step(s);
  double found = 0.0;
  const pf_status status =
      try_trial(s, below, s->trusts_model || so_far->last, &found, moved, error);
  if (status != PF_OK) {
    return status;
  }
  s->largest_tried = fmax(s->largest_tried, relative);
  s->largest_change = fmax(s->largest_change, fabs(found - before));
  if (*moved) {
    accept_step(s, before, found, decrease, size);
  }
  return PF_OK;
}

/* One iteration: steps with more and more damping until one goes down. *done: the reason to stop,
 * or none. */
static pf_status take_iteration(lm *s, uint32_t *done, pf_error *error)
{
  attempts so_far = {.first = true};
  s->largest_tried = s->largest_change = 0.0;
  for (;;) {
    *done = reason_to_stop(s);
    if (*done != PF_REASON_NONE) {
      return PF_OK;
    }
    pf_status status = find_step(s, error);
    if (status < 0) {
      return status;
    }
    if (status > 0 && s->lambda < max_lambda) { /* H + lambda D is singular to rounding */
      raise_damping(s);
      continue;
    }
    double decrease = 0.0;
    status = predict_decrease(s, &decrease, error);
    if (status == PF_OK && so_far.first) {
      status = find_last_step(s, &decrease, &so_far.last, error);
    }
    if (status != PF_OK) {
      return status;
    }
    so_far.first = false;
    *done = so_far.last ? PF_REASON_PROGRESS : PF_REASON_NONE;
    if (so_far.last && s->settings->stops_early) {
      s->out->predicted_decrease = fmax(decrease, 0.0);
      return PF_OK;
    }
    const double relative = relative_step(s);
    bool moved = false;
    status = try_step(s, decrease, &so_far, &moved, error);
    if (status != PF_OK || moved || so_far.last) {
      return status;
    }
    if (relative <= least_step || s->lambda >= max_lambda) {
      return end_at_rest(s, done, error);
    }
    s->trusts_model = false;
    so_far.n_raised++;
    raise_damping(s);
  }
}

/* An iteration, unless it is at an end; a saddle is left. *done as above. */
static pf_status iterate_or_end(lm *s, uint32_t *done, pf_error *error)
{
  pf_status status = PF_OK;
  if (!(s->out->gradient_norm > 0.0)) {
    *done = PF_REASON_GRADIENT;
  } else if (s->out->iterations >= s->settings->iterations) {
    *done = PF_REASON_ITERATIONS;
  } else {
    status = take_iteration(s, done, error);
  }
  if (status != PF_OK || *done == PF_REASON_NONE) {
    return status;
  }
  s->out->converged |= *done == PF_REASON_GRADIENT || *done == PF_REASON_PROGRESS;
  if (!s->out->converged) {
    return PF_OK;
  }
  if (s->settings->stops_early || s->settings->is_inner) {
    return PF_OK;
  }
  bool left = false;
  status = leave_saddle(s, &left, error);
  *done = left ? (uint32_t)PF_REASON_NONE : *done;
  return status;
}

static pf_status start_at(lm *s, pf_error *error)
{
  pf_derivatives at = {.gradient = s->gradient, .h = s->h};
  const pf_status status = pf_function_start(s->function, s->v, &at, s->out, error);
  if (status != PF_OK) {
    return status;
  }
  s->f = at.f;
  s->penalty = pf_l1_of(s->function, s->v);
  s->out->start = objective_here(s);
  report_iterate(s, NAN);
  return PF_OK;
}

/* ---- curved valleys ---- */

static bool is_in_valley(const lm *s)
{
  return s->settings->follows_valleys && !s->settings->is_inner &&
         s->out->iterations >= s->valley_after && s->n_valleys < MAX_VALLEYS &&
         s->out->iterations < s->settings->iterations && pf_valley_is_possible(s->function);
}

/* Along the valley; lm goes on from where that ends. */
static pf_status follow_valley(lm *s, uint32_t *done, pf_error *error)
{
  pf_valley valley = {0};
  s->n_valleys++;
  s->valley_after = s->out->iterations + VALLEY_AFTER;
  const pf_valley_in in = {s->function, s->settings, s->watch, s->out};
  pf_status status = pf_valley_search(&in, s->v, objective_here(s), &valley, error);
  if (status != PF_OK || !valley.moved) {
    return status;
  }
  pf_derivatives at = {.gradient = s->gradient, .h = s->h};
  status = pf_function_evaluate(s->function, s->v, &at, s->out, error);
  if (status != PF_OK) {
    return status;
  }
  s->f = at.f;
  s->out->iterations++;
  s->out->runs_off_value = valley.value;
  *done = valley.runs_off ? PF_REASON_RUNS_OFF : PF_REASON_NONE;
  forget_model(s);
  report_iterate(s, NAN);
  return PF_OK;
}

static pf_status iterate_to_end(lm *s, pf_error *error)
{
  uint32_t done = PF_REASON_NONE;
  while (done == PF_REASON_NONE) {
    if (!s->dense) {
      const pf_status status = pf_conjugate_probe(s->conjugate, s->function, s->v, s->out, error);
      if (status != PF_OK) {
        return status;
      }
    }
    update_scale(s);
    pf_status status = iterate_or_end(s, &done, error);
    if (status == PF_OK && done == PF_REASON_NONE && is_in_valley(s)) {
      status = follow_valley(s, &done, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  s->out->reason = done;
  return PF_OK;
}

static pf_status minimise_lm(const pf_function *function, const pf_optimiser_settings *settings,
                             const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  pf_status status = pf_optimiser_begin(&pf_optimiser_lm, function, out, error);
  if (status != PF_OK) {
    return status;
  }
  lm s = {.function = function,
          .settings = settings,
          .watch = watch,
          .out = out,
          .n = function->n,
          .v = v,
          .f = NAN,
          .lambda = first_lambda,
          .raise = 2.0,
          .valley_after = VALLEY_AFTER};
  s.dense = function->curvature != NULL && (function->n <= MAX_DENSE || function->product == NULL);
  if (!s.dense && function->l1 != NULL) {
    return pf_fail(error, PF_STOP,
                   "lm cannot do an L1 penalty with as many as %zu values; choose owlqn",
                   function->n);
  }
  status = allocate_work(&s, error);
  if (status != PF_OK) {
    goto done;
  }
  start_secant(&s);
  status = start_at(&s, error);
  if (status == PF_OK) {
    status = iterate_to_end(&s, error);
    out->objective = objective_here(&s);
  }
  if (status == PF_OK && s.dense && settings->secant != NULL) {
    memcpy(settings->secant, s.secant, s.n * s.n * sizeof *s.secant);
  }
done:
  free_work(&s);
  return status;
}

const pf_optimiser pf_optimiser_lm = {.name = "lm",
                                      .takes_l1 = true,
                                      .takes_bounded_l1 = true,
                                      .needs_curvature = true,
                                      .minimise = minimise_lm};
