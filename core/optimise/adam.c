/* The optimiser adam: passes over the parts of the objective, a step after each part. */
#include "core/optimise/adam.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

/* ---- steps ---- */

struct pf_adam {
  double rate, beta1, beta2, epsilon;
  const double *lower, *upper; /* [n], the caller's */
  size_t n;
  double *m, *v; /* [n] first and second moments, in one block */
  int64_t t;     /* steps taken */
};

pf_status pf_adam_create(const pf_optimiser_settings *settings, const double *lower,
                         const double *upper, size_t n, pf_adam **out, pf_error *error)
{
  pf_adam *adam = pf_memory_need(1, sizeof *adam, error);
  if (adam == NULL) {
    return PF_STOP;
  }
  *adam = (pf_adam){.rate = settings->learning_rate,
                    .beta1 = settings->beta1,
                    .beta2 = settings->beta2,
                    .epsilon = settings->epsilon,
                    .lower = lower,
                    .upper = upper,
                    .n = n,
                    .m = pf_memory_need(2 * n, sizeof *adam->m, error)};
  if (adam->m == NULL) {
    pf_adam_free(adam);
    return PF_STOP;
  }
  adam->v = adam->m + n;
  *out = adam;
  return PF_OK;
}

static double clip_to_finite(double value, double lower, double upper)
{
  if (isfinite(lower) && value < lower) {
    return lower;
  }
  if (isfinite(upper) && value > upper) {
    return upper;
  }
  return value;
}

void pf_adam_step(pf_adam *adam, double *theta, const double *gradient)
{
  adam->t++;
  const double correction1 = 1.0 - pow(adam->beta1, (double)adam->t);
  const double correction2 = 1.0 - pow(adam->beta2, (double)adam->t);
  for (size_t i = 0; i < adam->n; i++) {
    const double g = gradient[i];
    adam->m[i] = (1.0 - adam->beta1) * g + adam->beta1 * adam->m[i];
    adam->v[i] = (1.0 - adam->beta2) * (g * g) + adam->beta2 * adam->v[i];
    const double step =
        (adam->m[i] / correction1) / (sqrt(adam->v[i] / correction2) + adam->epsilon);
    theta[i] = clip_to_finite(theta[i] - adam->rate * step, adam->lower[i], adam->upper[i]);
  }
}

/** Half the learning rate from now on. */
static void halve_rate(pf_adam *adam)
{
  adam->rate *= 0.5;
}

void pf_adam_free(pf_adam *adam)
{
  if (adam != NULL) {
    pf_memory_free(adam->m);
    pf_memory_free(adam);
  }
}

/* ---- passes ---- */

typedef struct passes {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  double *v, *gradient, *good; /* [n]; good: the last v whose objective could be computed */
  double *first;               /* [n] where the fit starts */
  bool has_start;              /* every part has a value there */
  pf_adam *adam;
  size_t n_parts;
} passes;

/* f of a part at v, and its gradient where that is not NULL. */
static pf_status evaluate_part(passes *s, pf_pass_part at, double *f, double *gradient,
                               pf_error *error)
{
  const pf_function *function = s->function;
  s->out->evaluations++;
  s->out->gradients += gradient != NULL ? 1 : 0;
  const pf_status status = function->n_parts > 0
                               ? function->part(function->self, at, s->v, f, gradient, error)
                               : function->value(function->self, s->v, f, gradient, error);
  s->out->n_failed += status > 0 ? 1 : 0;
  return status;
}

/* The subgradient of |v| at 0 is 0, as in the reference. */
static void add_l1_gradient(const passes *s)
{
  for (size_t i = 0; s->function->l1 != NULL && i < s->function->n; i++) {
    const double off = s->v[i] - pf_l1_center(s->function, i);
    s->gradient[i] += s->function->l1[i] * (double)((off > 0.0) - (off < 0.0));
  }
}

/*
 * Where F has no value, back to the last point that had one, with half the learning rate from there
 * on: a step too far is no reason to give up. Where this part has none there either, halfway to the
 * start again and again, which has one in every part. false: that was the start.
 */
static bool step_back(passes *s, int n_tried)
{
  enum { MAX_HALVINGS = 30 };
  const size_t n = s->function->n;
  if (!s->has_start || n_tried > MAX_HALVINGS) {
    return false;
  }
  s->out->n_backs++;
  if (n_tried == 0) {
    halve_rate(s->adam);
    memcpy(s->v, s->good, n * sizeof *s->v);
    return true;
  }
  for (size_t i = 0; i < n; i++) {
    s->v[i] = n_tried == MAX_HALVINGS ? s->first[i] : 0.5 * (s->v[i] + s->first[i]);
  }
  return true;
}

/* f of a part at v, or at the nearest point behind it that has one. */
static pf_status evaluate_or_step_back(passes *s, pf_pass_part at, bool step, double *f,
                                       pf_error *error)
{
  for (int n_tried = 0;; n_tried++) {
    pf_error line = pf_error_none(); /* of a point that is not kept */
    const pf_status status = evaluate_part(s, at, f, step ? s->gradient : NULL, &line);
    if (status == PF_OK) {
      return PF_OK;
    }
    if (status < 0 || !step_back(s, n_tried)) {
      return pf_fail_key(error, status, line.key, "%s", line.text);
    }
  }
}

/* One pass. With `step`, v moves after each part; without, only the mean is wanted. */
static pf_status make_pass(passes *s, int64_t number, bool step, double *mean, pf_error *error)
{
  double sum = 0.0;
  for (size_t k = 0; k < s->n_parts; k++) {
    double f = 0.0;
    if ((step || number == 0) &&
        pf_watch_stops(s->watch)) { /* after the last step there is nothing to stop */
      s->out->reason = PF_REASON_INTERRUPTED;
      return PF_OK;
    }
    const pf_status status = evaluate_or_step_back(s, (pf_pass_part){number, k}, step, &f, error);
    if (status != PF_OK) {
      return status;
    }
    sum += f + pf_l1_of(s->function, s->v);
    memcpy(s->good, s->v, s->function->n * sizeof *s->v);
    if (step) {
      add_l1_gradient(s);
      pf_adam_step(s->adam, s->v, s->gradient);
    }
  }
  *mean = sum / (double)s->n_parts;
  return PF_OK;
}

static pf_status make_passes(passes *s, pf_error *error)
{
  const int64_t n_passes = s->settings->iterations;
  double mean = NAN;
  for (int64_t number = 0; number <= n_passes; number++) {
    const pf_status status = make_pass(s, number, number > 0, &mean, error);
    if (status != PF_OK || s->out->reason == PF_REASON_INTERRUPTED) {
      return status;
    }
    s->out->iterations = number;
    s->out->objective = mean;
    s->out->start = number == 0 ? mean : s->out->start;
    s->has_start = true;
    pf_watch_report(
        s->watch,
        &(pf_iterate){
            .iteration = number, .v = s->v, .objective = mean, .gradient_norm = NAN, .step = NAN});
  }
  s->out->reason = PF_REASON_PASSES;
  /* no pass has evaluated the last step: a v where nothing can be computed is no estimate */
  return n_passes > 0 ? make_pass(s, n_passes, false, &mean, error) : PF_OK;
}

static pf_status minimise_adam(const pf_function *function, const pf_optimiser_settings *settings,
                               const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  const size_t n = function->n;
  pf_status status = pf_optimiser_begin(&pf_optimiser_adam, function, out, error);
  if (status != PF_OK) {
    return status;
  }
  passes s = {.function = function,
              .settings = settings,
              .watch = watch,
              .out = out,
              .v = v,
              .good = pf_memory_need(3 * n, sizeof *s.good, error),
              .n_parts = function->n_parts > 0 ? function->n_parts : 1};
  if (s.good == NULL) {
    return PF_STOP;
  }
  s.gradient = s.good + n;
  s.first = s.gradient + n;
  memcpy(s.first, v, n * sizeof *v);
  memcpy(s.good, v, n * sizeof *v);
  status = pf_adam_create(settings, function->lower, function->upper, n, &s.adam, error);
  if (status == PF_OK) {
    out->reason = PF_REASON_NONE;
    status = make_passes(&s, error);
    if (status != PF_OK || out->reason == PF_REASON_INTERRUPTED) {
      memcpy(v, s.good, n * sizeof *v);
    }
    out->reason = status == PF_OK ? out->reason : PF_REASON_FAILED;
  }
  pf_adam_free(s.adam);
  pf_memory_free(s.good);
  return status;
}

const pf_optimiser pf_optimiser_adam = {.name = "adam",
                                        .takes_l1 = true,
                                        .takes_bounded_l1 = true,
                                        .fixed_passes = true,
                                        .by_parts = true,
                                        .minimise = minimise_adam};
