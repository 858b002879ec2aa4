/* The config's key `likelihood`, and its group `marginal`. */
#ifndef PLASTFIT_CORE_SETTINGS_MARGINAL_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_MARGINAL_SETTINGS_H

#include "core/config/setting.h"

/** What is made of inputs and starting weights that nobody recorded. */
enum pf_likelihood {
  PF_LIKELIHOOD_MEAN = 0,    /**< the mean over prior draws of the log likelihood, as published */
  PF_LIKELIHOOD_MARGINAL = 1 /**< the likelihood with them integrated out */
};

typedef struct pf_marginal_settings {
  uint32_t kind;      /**< enum pf_likelihood */
  int64_t particles;  /**< of the filter */
  int64_t draws;      /**< from the posterior, of each experiment in each iteration */
  double threshold;   /**< share of effective particles below which they are drawn anew */
  uint64_t seed;      /**< of the particles; 0: the config's */
  int64_t iterations; /**< most of Monte Carlo EM */
  int64_t replicates; /**< filters at the estimate, for its likelihood and errors */
  double tolerance;   /**< nats that the Monte Carlo error of the estimate may cost */
} pf_marginal_settings;

/** The keys; rows of pf_marginal_settings. */
pf_option_table pf_marginal_keys(void);

#endif
