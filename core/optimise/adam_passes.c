/* Adam's passes: every part of the objective in turn, a step after each. The steps themselves:
 * adam.h. */
#include "core/base/memory.h"
#include "core/optimise/adam.h"
#include "core/optimise/optimiser.h"

#include <math.h>
#include <string.h>

typedef struct passes {
  const pf_function *function;
  const pf_optimiser_settings *settings;
  const pf_watch *watch;
  pf_optimum *out;
  double *v, *gradient, *good; /* [n]; good: the last v whose objective could be computed */
  pf_adam *adam;
  size_t n_parts;
} passes;

static pf_status part(passes *s, int64_t pass, size_t k, double *f, double *gradient,
                      pf_error *error)
{
  const pf_function *function = s->function;
  s->out->evaluations++;
  s->out->gradients += gradient != NULL ? 1 : 0;
  const pf_status status = function->n_parts > 0
                               ? function->part(function->self, pass, k, s->v, f, gradient, error)
                               : function->value(function->self, s->v, f, gradient, error);
  s->out->n_failed += status > 0 ? 1 : 0;
  return status;
}

/* One pass. With `step`, v moves after each part; without, only the mean is wanted. */
static pf_status pass(passes *s, int64_t number, bool step, double *mean, pf_error *error)
{
  double sum = 0.0;
  for (size_t k = 0; k < s->n_parts; k++) {
    double f = 0.0;
    if ((step || number == 0) &&
        pf_watch_stops(s->watch)) { /* after the last step there is nothing to stop */
      s->out->reason = PF_REASON_INTERRUPTED;
      return PF_OK;
    }
    const pf_status status = part(s, number, k, &f, step ? s->gradient : NULL, error);
    if (status != PF_OK) {
      return status;
    }
    sum += f + pf_l1_of(s->function, s->v);
    memcpy(s->good, s->v, s->function->n * sizeof *s->v);
    if (step) {
      /* the subgradient of |v| at 0 is 0, as in the reference */
      for (size_t i = 0; s->function->l1 != NULL && i < s->function->n; i++) {
        const double off = s->v[i] - pf_l1_center(s->function, i);
        s->gradient[i] += s->function->l1[i] * (double)((off > 0.0) - (off < 0.0));
      }
      pf_adam_step(s->adam, s->v, s->gradient);
    }
  }
  *mean = sum / (double)s->n_parts;
  return PF_OK;
}

static pf_status all_passes(passes *s, pf_error *error)
{
  double mean = NAN;
  pf_status status = PF_OK;
  for (int64_t number = 0; number <= s->settings->iterations && status == PF_OK; number++) {
    status = pass(s, number, number > 0, &mean, error);
    if (status != PF_OK || s->out->reason == PF_REASON_INTERRUPTED) {
      return status;
    }
    s->out->iterations = number;
    s->out->objective = mean;
    s->out->start = number == 0 ? mean : s->out->start;
    pf_watch_report(
        s->watch,
        &(pf_iterate){
            .iteration = number, .v = s->v, .objective = mean, .gradient_norm = NAN, .step = NAN});
  }
  /* the last step has not been looked at by any pass: a v where nothing can be computed is no
   * estimate */
  if (s->settings->iterations > 0) {
    status = pass(s, s->settings->iterations, false, &mean, error);
  }
  s->out->reason = PF_REASON_ITERATIONS;
  return status;
}

static pf_status minimise(const pf_function *function, const pf_optimiser_settings *settings,
                          const pf_watch *watch, double *v, pf_optimum *out, pf_error *error)
{
  *out = (pf_optimum){.objective = NAN, .start = NAN, .gradient_norm = NAN};
  const pf_adam_settings adam = {.learning_rate = settings->learning_rate,
                                 .beta1 = settings->beta1,
                                 .beta2 = settings->beta2,
                                 .epsilon = settings->epsilon};
  passes s = {.function = function,
              .settings = settings,
              .watch = watch,
              .out = out,
              .v = v,
              .n_parts = function->n_parts > 0 ? function->n_parts : 1};
  s.gradient = pf_memory_need(function->n, sizeof *s.gradient, error);
  s.good = pf_memory_need(function->n, sizeof *s.good, error);
  pf_status status = s.gradient == NULL || s.good == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    memcpy(s.good, v, function->n * sizeof *v);
    status = pf_adam_create(&adam, function->lower, function->upper, function->n, &s.adam, error);
  }
  if (status == PF_OK) {
    status = all_passes(&s, error);
    if (status != PF_OK || out->reason == PF_REASON_INTERRUPTED) {
      memcpy(v, s.good, function->n * sizeof *v);
    }
  }
  out->reason = status == PF_OK ? out->reason : PF_REASON_FAILED;
  pf_adam_free(s.adam);
  pf_memory_free(s.gradient);
  pf_memory_free(s.good);
  return status;
}

const pf_optimiser pf_optimiser_adam = {
    .name = "adam", .takes_bounds = true, .takes_l1 = true, .minimise = minimise};
