#include "core/optimise/optimiser.h"

#include "core/base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

pf_optimiser_settings pf_optimiser_defaults(void)
{
  return (pf_optimiser_settings){.iterations = 200,
                                 .tolerance_nats = 1e-8,
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
    [PF_REASON_GRADIENT] = {"gradient", "gradient 0"},
    [PF_REASON_PROGRESS] = {"progress", "nothing left to gain"},
    [PF_REASON_STEP] = {"step", "no step goes down"},
    [PF_REASON_ITERATIONS] = {"iterations", "all iterations used up"},
    [PF_REASON_EVALUATIONS] = {"evaluations", "all evaluations used up"},
    [PF_REASON_INTERRUPTED] = {"interrupted", "interrupted"},
    [PF_REASON_PASSES] = {"passes", "passes done"},
    [PF_REASON_RUNS_OFF] = {"runs_off", "goes on falling without end"},
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

/* ---- the table ---- */

#define POINTER_TO(name, help) &pf_optimiser_##name,
static const pf_optimiser *const optimisers[] = {PF_EACH_OPTIMISER(POINTER_TO)};
enum { N_OPTIMISERS = sizeof optimisers / sizeof optimisers[0] };

const pf_optimiser *pf_optimiser_find(const char *name)
{
  for (size_t i = 0; i < N_OPTIMISERS; i++) {
    if (strcmp(optimisers[i]->name, name) == 0) {
      return optimisers[i];
    }
  }
  return NULL;
}

/* ---- what an optimiser can do ---- */

/* "lm, owlqn or adam": the names of those whose trait, a bool at `offset`, is `value`. */
typedef struct name_list {
  char text[80];
} name_list;

static name_list list_names(size_t offset, bool value)
{
  name_list list = {""};
  const char *names[N_OPTIMISERS];
  size_t n = 0, used = 0;
  for (size_t i = 0; i < N_OPTIMISERS; i++) {
    if (*(const bool *)((const char *)optimisers[i] + offset) == value) {
      names[n++] = optimisers[i]->name;
    }
  }
  for (size_t k = 0; k < n && used < sizeof list.text; k++) {
    const char *between = k + 1 == n ? " or " : ", ", *before = k == 0 ? "" : between;
    /* cppcheck-suppress uninitvar ; names[0 .. n) are set */
    used += (size_t)snprintf(list.text + used, sizeof list.text - used, "%s%s", before, names[k]);
  }
  return list;
}

pf_status pf_optimiser_check_l1(const pf_optimiser *optimiser, const char *what, pf_error *error)
{
  if (optimiser->takes_l1) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP, "%s cannot do %s, which is not smooth; choose %s", optimiser->name,
                 what, list_names(offsetof(pf_optimiser, takes_l1), true).text);
}

pf_status pf_optimiser_begin(const pf_optimiser *optimiser, const pf_function *function,
                             pf_optimum *out, pf_error *error)
{
  *out = pf_optimum_none();
  out->reason = PF_REASON_FAILED; /* until it has run */
  if (optimiser->needs_curvature && function->curvature == NULL && function->product == NULL) {
    return pf_fail(error, PF_STOP,
                   "%s needs second derivatives (Gauss-Newton, Fisher), which there are not here; "
                   "choose %s",
                   optimiser->name,
                   list_names(offsetof(pf_optimiser, needs_curvature), false).text);
  }
  bool has_l1 = false;
  for (size_t i = 0; i < function->n; i++) {
    has_l1 = has_l1 || pf_l1_weight(function, i) > 0.0;
  }
  if (!has_l1) {
    return PF_OK;
  }
  for (size_t i = 0; i < function->n && !optimiser->takes_bounded_l1; i++) {
    if (optimiser->takes_l1 && (isfinite(function->lower[i]) || isfinite(function->upper[i]))) {
      return pf_fail(error, PF_STOP,
                     "%s cannot keep bounds (value %zu has [%g, %g]) beside an L1 penalty; "
                     "choose %s, or take the bounds away",
                     optimiser->name, i, function->lower[i], function->upper[i],
                     list_names(offsetof(pf_optimiser, takes_bounded_l1), true).text);
    }
  }
  return pf_optimiser_check_l1(optimiser, "an L1 penalty", error);
}

/* ---- bounds and L1 ---- */

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
    if (v[i] < function->lower[i]) {
      v[i] = function->lower[i];
    } else if (v[i] > function->upper[i]) {
      v[i] = function->upper[i];
    }
  }
}

/* ---- evaluations ---- */

pf_status pf_function_evaluate(const pf_function *function, const double *v, pf_derivatives *out,
                               pf_optimum *count, pf_error *error)
{
  const size_t n = function->n;
  count->evaluations++;
  count->gradients += out->gradient != NULL ? 1 : 0;
  count->curvatures += out->h != NULL ? 1 : 0;
  const pf_status status =
      out->h == NULL
          ? function->value(function->self, v, &out->f, out->gradient, error)
          : function->curvature(function->self, v, &out->f, out->gradient, out->h, error);
  if (status != PF_OK) {
    count->n_failed += status > 0 ? 1 : 0;
    return status;
  }
  if (!isfinite(out->f)) {
    count->n_failed++;
    return pf_fail(error, PF_POINT_FAILED, "the objective is %g", out->f);
  }
  if ((out->gradient != NULL && !pf_are_finite(out->gradient, n)) ||
      (out->h != NULL && !pf_are_finite(out->h, n * n))) {
    count->n_failed++;
    return pf_fail(error, PF_POINT_FAILED, "derivatives of the objective are not finite");
  }
  return PF_OK;
}

pf_status pf_function_value(const pf_function *function, const double *v, double *f,
                            pf_optimum *count, pf_error *error)
{
  pf_derivatives out = {.f = NAN};
  const pf_status status = pf_function_evaluate(function, v, &out, count, error);
  *f = out.f;
  return status;
}

/* Halvings of a start: as many as there are powers of ten among units. */
enum { MAX_HALVINGS = 200 };

static void halve_start(const pf_function *function, const double *v, int halved, double *out)
{
  const double share = halved == MAX_HALVINGS ? 0.0 : ldexp(1.0, -halved);
  for (size_t i = 0; i < function->n; i++) {
    out[i] = share * v[i];
  }
  pf_clip_to_bounds(function, out);
}

pf_status pf_function_start(const pf_function *function, double *v, pf_derivatives *out,
                            pf_optimum *count, pf_error *error)
{
  double *point = pf_memory_need(function->n, sizeof *point, error);
  if (point == NULL) {
    return PF_STOP;
  }
  pf_error first = pf_error_none();
  pf_status status = PF_POINT_FAILED;
  int halved = 0;
  for (; halved <= MAX_HALVINGS; halved++) {
    pf_error line = pf_error_none();
    halve_start(function, v, halved, point);
    status = pf_function_evaluate(function, point, out, count, &line);
    if (halved == 0 || status < 0) {
      first = line;
    }
    if (status <= 0) {
      break;
    }
  }
  if (status == PF_OK) {
    count->n_shrunk = halved;
    memcpy(v, point, function->n * sizeof *v);
  } else {
    (void)pf_fail_key(error, status, first.key, "%s",
                      first.text[0] != '\0' ? first.text : "the start has no objective");
  }
  pf_memory_free(point);
  return status;
}

/* Just where F begins to have a value it is huge, and its gradient leads nowhere. */
pf_status pf_function_lower_start(const pf_function *function, double *v, pf_derivatives *out,
                                  pf_optimum *count, pf_error *error)
{
  pf_status status = pf_function_start(function, v, out, count, error);
  if (status != PF_OK || count->n_shrunk == 0) {
    return status;
  }
  double *point = pf_memory_need(function->n, sizeof *point, error);
  if (point == NULL) {
    return PF_STOP;
  }
  double lowest = out->f + pf_l1_of(function, v);
  for (int k = 1; k < MAX_HALVINGS; k++) {
    double f = 0.0;
    pf_error ignored = pf_error_none();
    halve_start(function, v, 1, point);
    if (pf_function_value(function, point, &f, count, &ignored) != PF_OK ||
        !(f + pf_l1_of(function, point) < lowest)) {
      break;
    }
    lowest = f + pf_l1_of(function, point);
    memcpy(v, point, function->n * sizeof *v);
    count->n_shrunk++;
  }
  pf_memory_free(point);
  return pf_function_evaluate(function, v, out, count, error);
}

pf_status pf_function_near_data(const pf_function *function, const bool *chosen, double *v,
                                pf_error *error)
{
  static const double far_off = 1e-6; /* of F at v */
  const size_t bytes = function->n * sizeof *v;
  pf_optimum count = pf_optimum_none();
  pf_error ignored = pf_error_none();
  double start = 0.0, lowest = 0.0;
  if (function->squares <= 0.0 ||
      pf_function_value(function, v, &start, &count, &ignored) != PF_OK) {
    return PF_OK;
  }
  double *point = pf_memory_need(2 * function->n, sizeof *point, error);
  if (point == NULL) {
    return PF_STOP;
  }
  double *low = point + function->n;
  lowest = start;
  memcpy(low, v, bytes);
  for (int k = 1; k < MAX_HALVINGS; k++) {
    double f = 0.0;
    for (size_t i = 0; i < function->n; i++) {
      point[i] = chosen[i] ? 0.5 * low[i] : low[i];
    }
    pf_clip_to_bounds(function, point);
    if (pf_function_value(function, point, &f, &count, &ignored) != PF_OK || !(f < lowest)) {
      break;
    }
    lowest = f;
    memcpy(low, point, bytes);
  }
  if (lowest < far_off * start) {
    memcpy(v, low, bytes);
  }
  pf_memory_free(point);
  return PF_OK;
}

/* ---- who watches ---- */

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
