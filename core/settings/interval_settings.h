/* The config's group `intervals`: what is inferred of a fit. */
#ifndef PLASTFIT_CORE_SETTINGS_INTERVAL_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_INTERVAL_SETTINGS_H

#include "core/config/setting.h"

/** Interval methods; see core/infer/infer.h. */
enum pf_interval_method {
  PF_INTERVAL_FISHER = 0,
  PF_INTERVAL_SANDWICH,
  PF_INTERVAL_PROFILE,
  PF_INTERVAL_BOOTSTRAP,
  PF_N_INTERVAL_METHODS
};
/** "fisher", ...: as the config says it. */
const char *pf_interval_method_name(uint32_t method);
enum pf_cluster { PF_CLUSTER_AUTO = 0, PF_CLUSTER_ANIMAL, PF_CLUSTER_BLOCK };

/** What a bootstrap draws: core/infer/bootstrap.h. */
enum pf_bootstrap_sampling { PF_BOOTSTRAP_AUTO = 0, PF_BOOTSTRAP_ANIMALS, PF_BOOTSTRAP_PARAMETRIC };
/** With so many animals in a fit, auto draws animals. */
enum { PF_BOOTSTRAP_ENOUGH_ANIMALS = 10 };

typedef struct pf_interval_settings {
  pf_names words;                      /**< intervals.methods as the config has them */
  bool methods[PF_N_INTERVAL_METHODS]; /**< none: nothing is inferred */
  bool automatic;                      /**< fisher, and profile instead where data are few */
  uint32_t main;                       /**< enum pf_interval_method: the first that was asked for */
  double level;                        /**< of intervals: 0.95 */
  uint32_t cluster;      /**< enum pf_cluster; auto: animals where a fit has several, else blocks */
  int64_t block;         /**< trials of a block */
  double rank_tolerance; /**< eigenvalues of the scaled information that are no larger count as 0 */
  uint32_t bootstrap_of; /**< enum pf_bootstrap_sampling */
  uint32_t percentile;   /**< bootstrap intervals are percentiles of the refits; 0: studentised */
  int64_t resamples;     /**< refits of a bootstrap */
  int64_t max_values;    /**< nothing is inferred about a fit of more values */
} pf_interval_settings;

/** The keys; rows of pf_interval_settings. */
pf_option_table pf_interval_keys(void);
/** `methods`, `automatic` and `main` from `words`; PF_STOP: one is no method's name. */
pf_status pf_interval_read_methods(pf_interval_settings *settings, pf_error *error);

#endif
