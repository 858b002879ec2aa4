/*
 * Levenberg-Marquardt: from v to the minimum of
 *
 *     f + g'p + p'(H + lambda D)p / 2 + L1        D: the largest diagonal of H so far (More 1978:
 * steps do not depend on the units of values)
 *
 * within the bounds, lambda by how well the model foretold what F did. H need be no more than
 * positive semidefinite, so Gauss-Newton and Fisher matrices of several losses simply add up. A
 * point where F has no value counts as a bad step.
 *
 * H leaves out what the residuals' own curvature adds to the Hessian, and where residuals stay
 * large (choices always do) steps with H alone converge linearly. So that part, S, is learnt from
 * how the gradient changes, and used where it foretold the last step better (structured
 * quasi-Newton: Dennis, Gay & Welsch 1981, NL2SOL): flies take a third of the iterations.
 */
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/optimise/conjugate.h"
#include "core/optimise/optimiser.h"
#include "core/optimise/quadratic.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { MAX_DENSE = 2000, MAX_SADDLES = 3, MAX_CHOOSY = 8, N_PROBES = 2 };

static const double first_lambda = 1e-3;
static const double least_lambda = 1e-16; /* below, H + lambda D is H */
static const double max_lambda = 1e30;
static const double accept_well =
    0.2; /* least share of the promised fall; a step that keeps less of its promise has
            left where the model holds, and may lead to where no model ever holds again */
static const double accept = 1e-4; /* the same after MAX_CHOOSY shorter steps did no better */
static const double least_diagonal =
    1e-14;                             /* of the largest: what no data speak of does not run away */
static const double probe_rise = 1e-6; /* of |F|, how far a probe goes by the model */

typedef struct lm {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  size_t n;
  bool dense;
  double *v, f, penalty;        /* the caller's v; F = f + penalty */
  double *gradient;             /* [n] */
  double *h;                    /* [n][n]; NULL: products */
  double *damped;               /* [n][n] H + lambda D */
  double *scale;                /* [n] D */
  double *trial, *step, *image; /* [n] */
  double *trial_gradient, *trial_h;
  pf_quadratic *quadratic;
  pf_conjugate *conjugate;
  double lambda, raise;
  double *second;        /* [n][n] S */
  double *before, *bend; /* [n] gradient before the step; work of the update */
  bool sure;             /* the last step went as foretold */
  bool learnt, use_second;
  double fall_plain, fall_second; /* what H alone, and H + S, foretell of the step */
} lm;

static double objective(const lm *s)
{
  return s->f + s->penalty;
}

static pf_status prepare(lm *s, pf_error *error)
{
  const size_t n = s->n;
  double **const vectors[] = {&s->gradient, &s->scale,          &s->trial,  &s->step,
                              &s->image,    &s->trial_gradient, &s->before, &s->bend};
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    *vectors[i] = pf_memory_need(n, sizeof(double), error);
    if (*vectors[i] == NULL) {
      return PF_STOP;
    }
  }
  if (!s->dense) {
    return pf_conjugate_create(n, s->settings->seed, &s->conjugate, error);
  }
  double **const matrices[] = {&s->h, &s->damped, &s->trial_h, &s->second};
  for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++) {
    *matrices[i] = pf_memory_need(n * n, sizeof(double), error);
    if (*matrices[i] == NULL) {
      return PF_STOP;
    }
  }
  for (size_t i = 0; s->settings->second != NULL && i < n * n; i++) {
    s->second[i] = s->settings->second[i];
    s->learnt = s->learnt || s->second[i] != 0.0;
  }
  s->use_second = s->sure = s->learnt;
  return pf_quadratic_create(n, &s->quadratic, error);
}

static void release(lm *s)
{
  double *const all[] = {s->gradient,       s->scale,   s->trial,  s->step,   s->image,  s->h,
                         s->trial_gradient, s->trial_h, s->damped, s->second, s->before, s->bend};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    pf_memory_free(all[i]);
  }
  pf_quadratic_free(s->quadratic);
  pf_conjugate_free(s->conjugate);
}

/* D from H: the largest diagonal so far, where there is none yet as of the largest value, never
 * quite nothing. */
static void rescale(lm *s)
{
  double largest = 0.0;
  if (!s->dense) {
    pf_conjugate_scale(s->conjugate, s->scale);
    return;
  }
  for (size_t i = 0; i < s->n; i++) {
    s->scale[i] = fmax(s->scale[i], s->h[i * s->n + i]);
    largest = fmax(largest, s->scale[i]);
  }
  largest = largest > 0.0 ? largest : 1.0;
  for (size_t i = 0; i < s->n; i++) {
    s->scale[i] = s->scale[i] > 0.0 ? fmax(s->scale[i], least_diagonal * largest) : largest;
  }
}

/* out = H p */
static pf_status times_h(lm *s, const double *p, double *out, pf_error *error)
{
  if (!s->dense) {
    s->out->curvatures++;
    return s->function->product(s->function->self, s->v, p, out, error);
  }
  cblas_dsymv(CblasRowMajor, CblasLower, (int)s->n, 1.0, s->h, (int)s->n, p, 1, 0.0, out, 1);
  return PF_OK;
}

static double dot(const double *a, const double *b, size_t n)
{
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* s->trial = v + p, s->step = p. PF_POINT_FAILED: more damping is needed. */
static pf_status find_step(lm *s, pf_error *error)
{
  const size_t n = s->n;
  if (s->dense) {
    memcpy(s->damped, s->h, n * n * sizeof *s->h);
    for (size_t i = 0; s->use_second && i < n * n; i++) {
      s->damped[i] += s->second[i];
    }
    for (size_t i = 0; i < n; i++) {
      s->damped[i * n + i] += s->lambda * s->scale[i];
    }
    if (!pf_quadratic_solve(s->quadratic, s->function, s->v, s->gradient, s->damped, s->trial)) {
      if (!s->use_second) {
        return PF_POINT_FAILED;
      }
      s->use_second = false; /* H + S need not be positive definite */
      return find_step(s, error);
    }
  } else {
    const pf_status status = pf_conjugate_solve(s->conjugate, s->function, s->v, s->gradient,
                                                s->lambda, s->scale, s->trial, s->out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  for (size_t i = 0; i < n; i++) {
    s->step[i] = s->trial[i] - s->v[i];
  }
  return PF_OK;
}

/* By how much the model without damping says that F falls. */
static pf_status foretell(lm *s, double *fall, pf_error *error)
{
  const pf_status status = times_h(s, s->step, s->image, error);
  s->fall_plain = -dot(s->gradient, s->step, s->n) - 0.5 * dot(s->step, s->image, s->n) +
                  s->penalty - pf_l1_of(s->function, s->trial);
  s->fall_second = s->fall_plain;
  if (s->learnt) {
    cblas_dsymv(CblasRowMajor, CblasLower, (int)s->n, 1.0, s->second, (int)s->n, s->step, 1, 0.0,
                s->image, 1);
    s->fall_second -= 0.5 * dot(s->step, s->image, s->n);
  }
  *fall = s->use_second ? s->fall_second : s->fall_plain;
  return status;
}

/*
 * After a step to where gradient and H are now: S such that (H + S) step = change of the gradient,
 * by the update of Dennis, Gay & Welsch, after S was sized down to what it explains now (so that it
 * vanishes where residuals do).
 */
static void learn(lm *s)
{
  const size_t n = s->n;
  double *change = s->before; /* of the gradient */
  double *off = s->bend;      /* change - H step, then minus S step */
  for (size_t i = 0; i < n; i++) {
    change[i] = s->gradient[i] - s->before[i];
  }
  (void)times_h(s, s->step, off, NULL);
  const double bent = dot(s->step, off, n);
  for (size_t i = 0; i < n; i++) {
    off[i] = change[i] - off[i];
  }
  cblas_dsymv(CblasRowMajor, CblasLower, (int)n, 1.0, s->second, (int)n, s->step, 1, 0.0, s->image,
              1);
  const double known = fabs(dot(s->step, s->image, n));
  const double now = fabs(dot(s->step, off, n));
  const double size = known > now ? now / known : 1.0;
  const double along = dot(s->step, change, n);
  const bool usable = along > 1e-8 * bent && along > 0.0; /* else F bends down along the step */
  for (size_t i = 0; i < n; i++) {
    off[i] -= size * s->image[i];
  }
  const double rest = usable ? dot(s->step, off, n) / (along * along) : 0.0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      double *cell = &s->second[i * n + j];
      *cell *= size;
      *cell +=
          usable ? (off[i] * change[j] + change[i] * off[j]) / along - rest * change[i] * change[j]
                 : 0.0;
    }
  }
  s->learnt = s->learnt || usable;
}

/* Which model was nearer to what F did? The next step is by that. */
static void choose_model(lm *s, double fell)
{
  s->use_second = s->learnt && fabs(fell - s->fall_second) < fabs(fell - s->fall_plain);
  if (s->dense) {
    learn(s);
  }
}

/* The largest move, as a share of 1 + |v|. */
static double relative_step(const lm *s)
{
  double largest = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    largest = fmax(largest, fabs(s->step[i]) / (1.0 + fabs(s->v[i])));
  }
  return largest;
}

static double largest_step(const lm *s)
{
  double largest = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    largest = fmax(largest, fabs(s->step[i]));
  }
  return largest;
}

static pf_status derivatives(lm *s, const double *v, double *f, double *gradient, double *h,
                             pf_error *error)
{
  return s->dense ? pf_function_curvature(s->function, v, f, gradient, h, s->out, error)
                  : pf_function_value(s->function, v, f, gradient, s->out, error);
}

/* Go to s->trial, whose derivatives are in trial_gradient and trial_h. */
static void go(lm *s, double f, double penalty)
{
  double *h = s->h;
  memcpy(s->v, s->trial, s->n * sizeof *s->v);
  memcpy(s->before, s->gradient, s->n * sizeof *s->gradient);
  memcpy(s->gradient, s->trial_gradient, s->n * sizeof *s->gradient);
  s->h = s->trial_h;
  s->trial_h = h;
  s->f = f;
  s->penalty = penalty;
}

/*
 * F at s->trial; where it is lower than `below`, go there with derivatives. *moved says whether.
 * `sure`: it will be lower, so that derivatives are asked for at once.
 */
static pf_status try(lm *s, double below, bool sure, double *at_trial, bool *moved, pf_error *error)
{
  double f = 0.0;
  pf_error line = pf_error_none(); /* of a point that is not taken: nobody wants to read it */
  const double penalty = pf_l1_of(s->function, s->trial);
  *moved = false;
  *at_trial = INFINITY;
  pf_status status = PF_OK;
  if (!sure) {
    status = pf_function_value(s->function, s->trial, &f, NULL, s->out, &line);
    *at_trial = status == PF_OK ? f + penalty : INFINITY;
  }
  if (status == PF_OK && (sure || *at_trial < below)) {
    status = derivatives(s, s->trial, &f, s->trial_gradient, s->trial_h, &line);
    *at_trial = status == PF_OK ? f + penalty : INFINITY;
    *moved = *at_trial < below;
  }
  if (*moved) {
    go(s, f, penalty);
  }
  return status >= 0 ? PF_OK : pf_fail_key(error, status, line.key, "%s", line.text);
}

static void tell(lm *s, double step)
{
  s->out->gradient_norm = pf_projected_gradient(s->function, s->v, s->gradient);
  pf_watch_report(s->watch, &(pf_iterate){.iteration = s->out->iterations,
                                          .v = s->v,
                                          .objective = objective(s),
                                          .gradient_norm = s->out->gradient_norm,
                                          .step = step});
}

static bool out_of_budget(const lm *s)
{
  return s->settings->evaluations > 0 && s->out->evaluations >= s->settings->evaluations;
}

/* A change of F that could be rounding. */
static double rounding(const lm *s)
{
  return s->function->noise * (fabs(s->f) + fabs(s->penalty));
}

/*
 * A direction to look in at a stationary point. H shows no negative curvature, but it is where H
 * sees little that F may fall: so a random direction, smoothed by (H + small D)^-1, and one that is
 * not.
 */
static void probe_direction(lm *s, int probe)
{
  const pf_stream stream = {
      .seed = s->settings->seed, .purpose = PF_RANDOM_PROBE, .draw = (uint32_t)probe};
  pf_random_normal(stream, 0, (int64_t)s->n, s->step);
  for (size_t i = 0; i < s->n; i++) {
    s->step[i] /= sqrt(s->scale[i]);
  }
  if (probe > 0 && s->dense) {
    const pf_function plain = {.n = s->n, .lower = s->function->lower, .upper = s->function->upper};
    for (size_t i = 0; i < s->n; i++) {
      s->image[i] = -s->scale[i] * s->step[i];
    }
    memcpy(s->damped, s->h, s->n * s->n * sizeof *s->h);
    for (size_t i = 0; i < s->n; i++) {
      s->damped[i * s->n + i] += 1e-8 * s->scale[i];
    }
    if (pf_quadratic_solve(s->quadratic, &plain, s->v, s->image, s->damped, s->trial)) {
      for (size_t i = 0; i < s->n; i++) {
        s->step[i] = s->trial[i] - s->v[i];
      }
    }
  }
}

/* As far along s->step that the model rises by a millionth of |F|, but no further than a thousandth
 * of 1 + |v|. */
static pf_status probe_length(lm *s, pf_error *error)
{
  const pf_status status = times_h(s, s->step, s->image, error);
  const double curvature = dot(s->step, s->image, s->n);
  const double relative = relative_step(s);
  double length = relative > 0.0 ? 1e-3 / relative : 0.0;
  if (curvature > 0.0) {
    length = fmin(length, sqrt(2.0 * probe_rise * fabs(objective(s)) / curvature));
  }
  for (size_t i = 0; i < s->n; i++) {
    s->step[i] *= length;
  }
  return status;
}

/* Is a stationary point a saddle? Then go down beside it, and *left is true. */
static pf_status leave_saddle(lm *s, bool *left, pf_error *error)
{
  *left = false;
  if (s->n == 0 || fabs(objective(s)) <= s->function->noise * fabs(s->out->start)) {
    return PF_OK; /* nothing to move, or F fell to what is rounding and there is nothing below */
  }
  const double below = objective(s) - fmax(1e4 * rounding(s), 1e-10 * fabs(objective(s)));
  for (int probe = 0; probe < N_PROBES && s->out->n_saddles < MAX_SADDLES && !*left; probe++) {
    probe_direction(s, probe);
    pf_status status = probe_length(s, error);
    for (int side = 1; side >= -1 && status == PF_OK && !*left; side -= 2) {
      double found = 0.0;
      for (size_t i = 0; i < s->n; i++) {
        s->trial[i] = s->v[i] + side * s->step[i];
      }
      pf_clip_to_bounds(s->function, s->trial);
      status = try(s, below, false, &found, left, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  if (*left) {
    s->out->n_saddles++;
    s->learnt = false;
    s->use_second = false;
    if (s->dense) {
      memset(s->second, 0, s->n * s->n * sizeof *s->second);
    }
    s->lambda = first_lambda;
    s->raise = 2.0;
  }
  return PF_OK;
}

static void judge(lm *s, double ratio)
{
  s->raise = 2.0;
  s->sure = ratio > 0.25;
  s->lambda *= ratio > 0.9 ? 0.02 : ratio > 0.5 ? 0.2 : ratio > 0.25 ? 1.0 : 3.0;
  s->lambda = fmax(s->lambda, least_lambda);
}

static void raise_damping(lm *s)
{
  s->lambda = fmax(s->lambda * s->raise, 1e-15);
  s->raise = fmin(2.0 * s->raise, 1e4);
}

/* One iteration: steps with more and more damping until one goes down. *done: the reason to stop,
 * or none. */
static pf_status iterate(lm *s, uint32_t *done, pf_error *error)
{
  bool first = true;
  bool last = false; /* little is left: this step is the last, and taken where F does not rise
                        beyond rounding */
  double predicted_decrease = 0.0;
  double first_damping = s->lambda;
  int raised = 0;
  *done = PF_REASON_NONE;
  for (;;) {
    if (pf_watch_stops(s->watch)) {
      *done = PF_REASON_INTERRUPTED;
      return PF_OK;
    }
    if (out_of_budget(s)) {
      *done = PF_REASON_EVALUATIONS;
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
    double fall = 0.0;
    status = foretell(s, &fall, error);
    if (status != PF_OK) {
      return status;
    }
    if (first) {
      predicted_decrease = fall;
      first_damping = s->lambda;
      first = false;
      last = s->lambda <= 1e-2 &&
             fall <= fmax(s->settings->tolerance_progress * fabs(objective(s)), 0.0);
      if (last && s->settings->rough) {
        s->out->predicted_decrease = fmax(fall, 0.0);
        *done = PF_REASON_PROGRESS;
        return PF_OK;
      }
    }
    const double before = objective(s);
    const double size = largest_step(s);
    const double relative = relative_step(s);
    double found = 0.0;
    bool moved = false;
    status = try(s,
                 last ? before + rounding(s)
                      : before - (raised < MAX_CHOOSY ? accept_well : accept) * fmax(fall, 0.0),
                 s->sure || last, &found, &moved, error);
    if (status != PF_OK) {
      return status;
    }
    *done = last ? PF_REASON_PROGRESS : PF_REASON_NONE;
    if (moved) {
      judge(s, (before - found) / fall);
      choose_model(s, before - found);
      s->out->iterations++;
      rescale(s);
      tell(s, size);
    }
    if (moved || last) {
      return PF_OK;
    }
    if (relative <= s->settings->tolerance_step || s->lambda >= max_lambda) {
      /* no step goes down: because F is as low as its rounding lets one see, or because derivatives
       * are wrong */
      s->out->converged = (first_damping <= 1e-2 &&
                           predicted_decrease <= fmax(1e3 * rounding(s), 1e-7 * fabs(before))) ||
                          fabs(before) <= s->function->noise * fabs(s->out->start);
      *done = PF_REASON_STEP;
      return PF_OK;
    }
    s->sure = false;
    raised++;
    raise_damping(s);
  }
}

static pf_status run(lm *s, pf_error *error)
{
  pf_status status = pf_function_start(s->function, s->v, &s->f, s->gradient, s->h, s->out, error);
  if (status != PF_OK) {
    s->out->reason = PF_REASON_FAILED;
    return status;
  }
  s->penalty = pf_l1_of(s->function, s->v);
  s->out->start = objective(s);
  tell(s, NAN);
  if (!s->dense) {
    status = pf_conjugate_probe(s->conjugate, s->function, s->v, s->out, error);
  }
  rescale(s);
  uint32_t done = PF_REASON_NONE;
  while (status == PF_OK && done == PF_REASON_NONE) {
    if (s->out->gradient_norm <= s->settings->tolerance_gradient) {
      done = PF_REASON_GRADIENT;
    } else if (s->out->iterations >= s->settings->iterations) {
      done = PF_REASON_ITERATIONS;
    } else {
      status = iterate(s, &done, error);
    }
    if (status == PF_OK && (done == PF_REASON_GRADIENT || done == PF_REASON_PROGRESS)) {
      bool left = false;
      s->out->converged = true;
      status = s->settings->rough ? PF_OK : leave_saddle(s, &left, error);
      if (left) {
        s->out->iterations++;
        s->out->converged = false;
        done = PF_REASON_NONE;
        rescale(s);
        tell(s, largest_step(s));
      }
    }
    if (!s->dense && status == PF_OK && done == PF_REASON_NONE) {
      status = pf_conjugate_probe(s->conjugate, s->function, s->v, s->out, error);
      rescale(s);
    }
  }
  s->out->reason = status == PF_OK ? done : PF_REASON_FAILED;
  s->out->objective = objective(s);
  return status;
}

static pf_status minimise(const pf_function *function, const pf_optimiser_settings *settings,
                          const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  *out = (pf_optimum){.objective = NAN, .start = NAN, .gradient_norm = NAN};
  lm s = {.function = function,
          .settings = settings,
          .watch = watch,
          .out = out,
          .n = function->n,
          .v = v,
          .lambda = first_lambda,
          .raise = 2.0};
  s.dense = function->curvature != NULL && (function->n <= MAX_DENSE || function->product == NULL);
  if (function->curvature == NULL && function->product == NULL) {
    return pf_fail(error, PF_STOP,
                   "lm needs second derivatives (Gauss-Newton, Fisher), which there are not here; "
                   "choose lbfgs, or owlqn with an L1 penalty");
  }
  if (!s.dense && function->l1 != NULL) {
    return pf_fail(error, PF_STOP,
                   "lm cannot do an L1 penalty with as many as %zu values; choose owlqn",
                   function->n);
  }
  pf_status status = prepare(&s, error);
  if (status == PF_OK) {
    status = run(&s, error);
  }
  if (status == PF_OK && s.dense && settings->second != NULL) {
    memcpy(settings->second, s.second, s.n * s.n * sizeof *s.second);
  }
  release(&s);
  return status;
}

const pf_optimiser pf_optimiser_lm = {.name = "lm",
                                      .needs_curvature = true,
                                      .takes_bounds = true,
                                      .takes_l1 = true,
                                      .minimise = minimise};
