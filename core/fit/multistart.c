#include "core/fit/multistart.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <string.h>

static const double near_best =
    1e-6; /* of |best|: far below what evidence is about, far above where methods end */
static const double near_zero = 1e-9; /* of the fall from the worst start */

pf_status pf_multistart_values(uint64_t seed, size_t group, size_t n_starts, size_t k,
                               const double *first, const double *lower, const double *upper,
                               const double *spread, size_t n, double *out, pf_error *error)
{
  const size_t n_strata = n_starts > 1 ? n_starts - 1 : 1;
  memcpy(out, first, n * sizeof *out);
  if (k == 0) {
    return PF_OK;
  }
  double *keys = pf_memory_need(n_strata, sizeof *keys, error);
  if (keys == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    const pf_stream stream = {.seed = seed,
                              .purpose = PF_RANDOM_START,
                              .animal = (uint32_t)group,
                              .draw = (uint32_t)(2 * i)};
    const pf_stream within = {.seed = seed,
                              .purpose = PF_RANDOM_START,
                              .animal = (uint32_t)group,
                              .draw = (uint32_t)(2 * i + 1)};
    double place = 0.0;
    pf_random_uniform(stream, 0, (int64_t)n_strata, keys);
    pf_random_uniform(within, k - 1, 1, &place);
    size_t stratum = 0; /* a permutation: the rank of this start's key */
    for (size_t other = 0; other < n_strata; other++) {
      stratum += keys[other] < keys[k - 1] || (keys[other] == keys[k - 1] && other < k - 1) ? 1 : 0;
    }
    const double low = isfinite(lower[i])
                           ? lower[i]
                           : fmin(first[i], isfinite(upper[i]) ? upper[i] : first[i]) - spread[i];
    const double high = isfinite(upper[i]) ? upper[i] : fmax(first[i], low) + spread[i];
    out[i] = low + (high - low) * (((double)stratum + place) / (double)n_strata);
    out[i] = fmin(fmax(out[i], lower[i]), upper[i]);
  }
  pf_memory_free(keys);
  return PF_OK;
}

bool pf_multistart_reached(double objective, double best, double highest_start)
{
  const double fall = isfinite(highest_start) ? highest_start - best : 0.0;
  return objective - best <= fmax(near_best * fabs(best), near_zero * fall);
}
