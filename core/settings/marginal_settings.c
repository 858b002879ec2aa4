#include "core/settings/marginal_settings.h"

#include <math.h>

pf_option_table pf_marginal_keys(void)
{
#define PF_ROW_STRUCT pf_marginal_settings
  static const pf_setting rows[] = {
      PF_ROW_CHOICE(kind, "likelihood", "\"mean\"", "mean|marginal",
                    "where inputs or starting weights are not known: the mean over draws of them "
                    "of the log likelihood, as published (biased), or the likelihood with them "
                    "integrated out by a particle filter (doc/unknown-inputs.md)"),
      PF_ROW_INTEGER(particles, "marginal.particles", "200", "1", 1, 1e7,
                     "particles of the filter, for each experiment"),
      PF_ROW_INTEGER(draws, "marginal.draws", "20", "1", 2, 1e6,
                     "draws from the posterior, of each experiment in each iteration"),
      PF_ROW_REAL(threshold, "marginal.resample", "0.5", "1", 0, 1,
                  "particles are drawn anew where the effective sample size is below this share "
                  "of them"),
      PF_ROW_INTEGER(seed, "marginal.seed", "0", "1", 0, INFINITY,
                     "of the particles' random numbers; 0: the config's seed"),
      PF_ROW_INTEGER(iterations, "marginal.iterations", "60", "1", 1, 1e6,
                     "most iterations of Monte Carlo EM"),
      PF_ROW_INTEGER(replicates, "marginal.replicates", "4", "1", 2, 1000,
                     "filters of each experiment at the estimate: their spread is the Monte Carlo "
                     "error of the log likelihood"),
      PF_ROW_REAL(tolerance, "marginal.tolerance", "0.05", "1", 0, 1e6,
                  "nats: iterations go on until the Monte Carlo error of the estimate costs no "
                  "more"),
  };
#undef PF_ROW_STRUCT
  return PF_ROWS(rows);
}
