#include "core/fit/multistart.h"

#include "core/base/memory.h"
#include "core/base/random.h"

#include <math.h>
#include <string.h>

/* Of |best|: far below what evidence is about, far above where methods end. */
static const double near_best = 1e-6;
static const double near_zero = 1e-9; /* of the fall from the worst start */

pf_status pf_multistart_values(const pf_multistart *starts, size_t k, double *out, pf_error *error)
{
  const pf_layout *layout = starts->layout;
  const size_t n_strata = starts->n_starts > 1 ? starts->n_starts - 1 : 1;
  memcpy(out, starts->first, layout->n * sizeof *out);
  if (k == 0) {
    return PF_OK;
  }
  double *keys = pf_memory_need(n_strata, sizeof *keys, error);
  if (keys == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < layout->n; i++) {
    const pf_stream stream = {.seed = starts->seed,
                              .purpose = PF_RANDOM_START,
                              .animal = (uint32_t)starts->group,
                              .draw = (uint32_t)(2 * i)};
    pf_stream within = stream;
    within.draw++;
    double place = 0.0;
    pf_random_uniform(stream, 0, (int64_t)n_strata, keys);
    pf_random_uniform(within, k - 1, 1, &place);
    size_t stratum = 0; /* a permutation: the rank of this start's key */
    for (size_t other = 0; other < n_strata; other++) {
      stratum += keys[other] < keys[k - 1] || (keys[other] == keys[k - 1] && other < k - 1) ? 1 : 0;
    }
    const double lower = layout->lower[i], upper = layout->upper[i], first = starts->first[i];
    const double low = isfinite(lower) ? lower : fmin(first, upper) - starts->spread;
    const double high = isfinite(upper) ? upper : fmax(first, low) + starts->spread;
    out[i] = low + (high - low) * (((double)stratum + place) / (double)n_strata);
    out[i] = fmin(fmax(out[i], lower), upper);
  }
  pf_memory_free(keys);
  return PF_OK;
}

bool pf_multistart_reached(double objective, double best, double highest_start)
{
  const double fall = isfinite(highest_start) ? highest_start - best : 0.0;
  return objective - best <= fmax(near_best * fabs(best), near_zero * fall);
}
