#include "core/fit/multistart.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <string.h>

enum { N_SCREENED = 8 }; /* points of which a start is the best */

static const double near_best = 0.01; /* nats */
static const double much_worse = 0.1; /* of the objective at start 0 */

/* Stratum of point `j` of `n` for value i: the rank of its key among all, and a place within. */
static double place_point(const pf_multistart *starts, size_t i, size_t j, size_t n, double *keys)
{
  const pf_stream stream = {.seed = starts->seed,
                            .purpose = PF_RANDOM_START,
                            .animal = (uint32_t)starts->group,
                            .draw = (uint32_t)(2 * i)};
  pf_stream within = stream;
  within.draw++;
  double place = 0.0;
  size_t stratum = 0;
  pf_random_uniform(stream, 0, (int64_t)n, keys);
  pf_random_uniform(within, j, 1, &place);
  for (size_t other = 0; other < n; other++) {
    /* cppcheck-suppress arrayIndexThenCheck ; `other < j` orders equals and guards nothing */
    stratum += keys[other] < keys[j] || (keys[other] == keys[j] && other < j) ? 1 : 0;
  }
  return ((double)stratum + place) / (double)n;
}

/* The number of value i at `place`, 0 to 1. */
static double value_at(const pf_multistart *starts, size_t i, double place)
{
  const double lower = starts->layout->lower[i], upper = starts->layout->upper[i];
  const double first = starts->first[i], spread = starts->spread[i];
  if (isfinite(lower) && isfinite(upper) && upper - lower <= 20.0 * spread) {
    return lower + (upper - lower) * place;
  }
  const double z = 2.0 * place - 1.0, far = spread * z / (1.02 - z * z);
  if (isfinite(lower) && !isfinite(upper)) {
    return lower + fabs(first - lower + far);
  }
  if (isfinite(upper) && !isfinite(lower)) {
    return upper - fabs(upper - first - far);
  }
  return fmin(fmax(first + far, lower), upper);
}

static double objective_at(const pf_function *function, const double *v)
{
  double f = 0.0;
  pf_optimum count = {0};
  pf_error ignored = pf_error_none();
  const pf_status status = pf_function_value(function, v, &f, &count, &ignored);
  return status == PF_OK ? f + pf_l1_of(function, v) : (double)INFINITY;
}

/* Out halfway to start 0 again and again, until it is not much worse than that: far out, where
 * predictions are worse than none, fits of many values stay. */
static void draw_near(const pf_multistart *starts, const pf_function *function, double objective,
                      double *out)
{
  enum { MAX_HALVINGS = 12 };
  if (function->value == NULL) {
    return;
  }
  const double at_first = objective_at(function, starts->first);
  const double most = at_first + much_worse * fabs(at_first);
  for (int halved = 0; halved < MAX_HALVINGS && !(objective <= most) && isfinite(most); halved++) {
    for (size_t i = 0; i < starts->layout->n; i++) {
      out[i] = 0.5 * (out[i] + starts->first[i]);
    }
    objective = objective_at(function, out);
  }
}

/* The best of N_SIZED points whose values differ in size rather than in place: where the objective
 * is rough, what is low may lie at any power of ten. */
static void draw_sized(const pf_multistart *starts, size_t k, const pf_function *function,
                       double *point, double *out)
{
  enum { N_SIZED = 4096 };
  double best = INFINITY;
  for (size_t m = 0; m < N_SIZED; m++) {
    for (size_t i = 0; i < starts->layout->n; i++) {
      const pf_stream stream = {.seed = starts->seed,
                                .purpose = PF_RANDOM_START,
                                .animal = (uint32_t)starts->group,
                                .draw = (uint32_t)(2 * i)};
      double place[2] = {0.0, 0.0}; /* behind those of the strata */
      pf_random_uniform(stream, 1000000 + 2 * (k * N_SIZED + m), 2, place);
      const double size = starts->spread[i] * pow(10.0, 5.0 - 8.0 * place[0]);
      point[i] = place[1] < 0.5 ? -size : size;
    }
    pf_clip_to_bounds(function, point);
    const double found = objective_at(function, point);
    if (found < best) {
      best = found;
      memcpy(out, point, starts->layout->n * sizeof *out);
    }
  }
}

pf_status pf_multistart_values(const pf_multistart *starts, size_t k, const pf_function *function,
                               double *out, pf_error *error)
{
  const size_t n = starts->layout->n;
  const bool is_screened = function->value != NULL && (!starts->wide || k % 2 == 1);
  const size_t n_screened = is_screened ? N_SCREENED : 1;
  const size_t n_points = (starts->n_starts > 1 ? starts->n_starts - 1 : 1) * n_screened;
  double best = INFINITY;
  memcpy(out, starts->first, n * sizeof *out);
  if (k == 0) {
    return PF_OK;
  }
  double *keys = pf_memory_need(n_points + n, sizeof *keys, error);
  if (keys == NULL) {
    return PF_STOP;
  }
  double *point = keys + n_points;
  if (starts->by_size && function->value != NULL) {
    draw_sized(starts, k, function, point, out);
    pf_memory_free(keys);
    return PF_OK;
  }
  for (size_t m = 0; m < n_screened; m++) {
    for (size_t i = 0; i < n; i++) {
      point[i] =
          value_at(starts, i, place_point(starts, i, (k - 1) * n_screened + m, n_points, keys));
    }
    const double found = n_screened > 1 ? objective_at(function, point) : 0.0;
    if (m == 0 || found < best) {
      best = found;
      memcpy(out, point, n * sizeof *out);
    }
  }
  if (is_screened) {
    draw_near(starts, function, best, out);
  }
  pf_memory_free(keys);
  return PF_OK;
}

bool pf_multistart_reached(const pf_function *function, double objective, double best)
{
  return pf_function_nats(function, best) * (objective - best) <= near_best;
}

size_t pf_multistart_next(const pf_multistart_rule *rule, size_t n_done, size_t n_reached)
{
  const size_t left = n_done < rule->limit ? rule->limit - n_done : 0;
  if (n_done > 0 && n_reached >= rule->found) {
    return 0;
  }
  const size_t wanted = rule->found - n_reached;
  return wanted < left ? wanted : left;
}
