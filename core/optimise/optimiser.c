#include "core/optimise/optimiser.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

pf_optimiser_settings pf_optimiser_defaults(void)
{
  return (pf_optimiser_settings){.iterations = 200,
                                 .tolerance_gradient = 1e-15,
                                 .tolerance_progress = 1e-10,
                                 .tolerance_step = 1e-12,
                                 .learning_rate = 1e-3,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .epsilon = 1e-8,
                                 .seed = 1};
}

static const struct {
  const char *key, *words;
} reasons[] = {
    [PF_REASON_NONE] = {"none", "not run"},
    [PF_REASON_GRADIENT] = {"gradient", "gradient below its tolerance"},
    [PF_REASON_PROGRESS] = {"progress", "progress below its tolerance"},
    [PF_REASON_STEP] = {"step", "step below its tolerance"},
    [PF_REASON_ITERATIONS] = {"iterations", "all iterations used up"},
    [PF_REASON_EVALUATIONS] = {"evaluations", "all evaluations used up"},
    [PF_REASON_INTERRUPTED] = {"interrupted", "interrupted"},
    [PF_REASON_FAILED] = {"failed", "failed"},
};

const char *pf_reason_words(uint32_t reason)
{
  return reason < sizeof reasons / sizeof reasons[0] ? reasons[reason].words : "unknown";
}

const char *pf_reason_key(uint32_t reason)
{
  return reason < sizeof reasons / sizeof reasons[0] ? reasons[reason].key : "unknown";
}

const pf_optimiser *pf_optimiser_find(const char *name)
{
  static const pf_optimiser *const all[] = {&pf_optimiser_lm, &pf_optimiser_lbfgs,
                                            &pf_optimiser_owlqn, &pf_optimiser_adam};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    if (strcmp(all[i]->name, name) == 0) {
      return all[i];
    }
  }
  return NULL;
}

double pf_l1_of(const pf_function *function, const double *v)
{
  double sum = 0.0;
  for (size_t i = 0; function->l1 != NULL && i < function->n; i++) {
    sum += function->l1[i] * fabs(v[i] - pf_l1_center(function, i));
  }
  return sum;
}

double pf_projected_component(const pf_function *function, const double *v, const double *gradient,
                              size_t i)
{
  const double l1 = pf_l1_weight(function, i);
  const double off = v[i] - pf_l1_center(function, i);
  /* derivatives of F to the right and to the left; F cannot fall beyond a bound */
  const double right = gradient[i] + (off >= 0.0 ? l1 : -l1);
  const double left = gradient[i] + (off > 0.0 ? l1 : -l1);
  if (right < 0.0 && v[i] < function->upper[i]) {
    return right;
  }
  if (left > 0.0 && v[i] > function->lower[i]) {
    return left;
  }
  return 0.0;
}

double pf_projected_gradient(const pf_function *function, const double *v, const double *gradient)
{
  double largest = 0.0;
  for (size_t i = 0; i < function->n; i++) {
    largest = fmax(largest, fabs(pf_projected_component(function, v, gradient, i)));
  }
  return largest;
}

void pf_clip_to_bounds(const pf_function *function, double *v)
{
  for (size_t i = 0; i < function->n; i++) {
    v[i] = v[i] < function->lower[i]   ? function->lower[i]
           : v[i] > function->upper[i] ? function->upper[i]
                                       : v[i];
  }
}

static pf_status finite(const pf_function *function, double f, const double *gradient,
                        const double *h, pf_optimum *count, pf_error *error)
{
  bool good = isfinite(f);
  for (size_t i = 0; good && gradient != NULL && i < function->n; i++) {
    good = isfinite(gradient[i]);
  }
  for (size_t i = 0; good && h != NULL && i < function->n * function->n; i++) {
    good = isfinite(h[i]);
  }
  if (good) {
    return PF_OK;
  }
  count->n_failed++;
  return pf_fail(
      error, PF_POINT_FAILED,
      isfinite(f) ? "derivatives of the objective are not finite" : "the objective is %g", f);
}

pf_status pf_function_value(const pf_function *function, const double *v, double *f,
                            double *gradient, pf_optimum *count, pf_error *error)
{
  count->evaluations++;
  count->gradients += gradient != NULL ? 1 : 0;
  const pf_status status = function->value(function->self, v, f, gradient, error);
  count->n_failed += status > 0 ? 1 : 0;
  return status == PF_OK ? finite(function, *f, gradient, NULL, count, error) : status;
}

pf_status pf_function_curvature(const pf_function *function, const double *v, double *f,
                                double *gradient, double *h, pf_optimum *count, pf_error *error)
{
  count->evaluations++;
  count->gradients++;
  count->curvatures++;
  const pf_status status = function->curvature(function->self, v, f, gradient, h, error);
  count->n_failed += status > 0 ? 1 : 0;
  return status == PF_OK ? finite(function, *f, gradient, h, count, error) : status;
}

static pf_status evaluate(const pf_function *function, const double *v, double *f, double *gradient,
                          double *h, pf_optimum *count, pf_error *error)
{
  return h != NULL ? pf_function_curvature(function, v, f, gradient, h, count, error)
                   : pf_function_value(function, v, f, gradient, count, error);
}

pf_status pf_function_start(const pf_function *function, double *v, double *f, double *gradient,
                            double *h, pf_optimum *count, pf_error *error)
{
  enum { MAX_HALVINGS = 40 };
  double *point = pf_memory_need(function->n, sizeof *point, error);
  if (point == NULL) {
    return PF_STOP;
  }
  pf_error first = pf_error_none();
  pf_status status = PF_POINT_FAILED;
  for (int halved = 0; halved <= MAX_HALVINGS && status > 0; halved++) {
    pf_error line = pf_error_none();
    const double share = halved == MAX_HALVINGS ? 0.0 : ldexp(1.0, -halved);
    for (size_t i = 0; i < function->n; i++) {
      point[i] = share * v[i];
    }
    pf_clip_to_bounds(function, point);
    status = evaluate(function, point, f, gradient, h, count, &line);
    count->n_shrunk = halved;
    if (halved == 0 || status < 0) {
      first = line;
    }
  }
  if (status == PF_OK) {
    memcpy(v, point, function->n * sizeof *v);
  } else {
    count->n_shrunk = 0;
    (void)pf_fail_key(error, status, first.key, "%s",
                      first.text[0] != '\0' ? first.text : "the start has no objective");
  }
  pf_memory_free(point);
  return status;
}

bool pf_watch_stops(const pf_watch *watch)
{
  return watch != NULL && watch->stop != NULL && watch->stop(watch->payload);
}

void pf_watch_report(const pf_watch *watch, const pf_iterate *at)
{
  if (watch != NULL && watch->iterate != NULL) {
    watch->iterate(watch->payload, at);
  }
}
