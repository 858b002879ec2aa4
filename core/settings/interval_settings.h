/* The config's group `intervals`: what is inferred of a fit. */
#ifndef PLASTFIT_CORE_SETTINGS_INTERVAL_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_INTERVAL_SETTINGS_H

#include "core/config/setting.h"

/**
 * Every interval method, by its name, in the order in which they are computed. Each is a file of
 * core/intervals of that name, with a descriptor (core/intervals/interval_method.h).
 */
#define PF_EACH_INTERVAL_METHOD(ONE) ONE(fisher) ONE(sandwich) ONE(profile) ONE(bootstrap)

/** Their places: PF_INTERVAL_fisher, ... */
#define PF_INTERVAL_PLACE(name) PF_INTERVAL_##name,
enum { PF_EACH_INTERVAL_METHOD(PF_INTERVAL_PLACE) PF_N_INTERVAL_METHODS };
#undef PF_INTERVAL_PLACE

/** "fisher", ...: of a method by its place among them; "": there is none. */
const char *pf_interval_method_name(uint32_t method);
/** The place of a method by its name; PF_N_INTERVAL_METHODS: none is called so. */
uint32_t pf_interval_method_find(const char *name);

enum pf_cluster { PF_CLUSTER_AUTO = 0, PF_CLUSTER_ANIMAL, PF_CLUSTER_BLOCK };

/** What a bootstrap draws: core/intervals/bootstrap.c. */
enum pf_bootstrap_sampling { PF_BOOTSTRAP_AUTO = 0, PF_BOOTSTRAP_ANIMALS, PF_BOOTSTRAP_PARAMETRIC };
/** With so many animals in a fit, auto draws animals. */
enum { PF_BOOTSTRAP_ENOUGH_ANIMALS = 10 };

typedef struct pf_interval_settings {
  pf_names words;                      /**< intervals.methods as the config has them */
  bool methods[PF_N_INTERVAL_METHODS]; /**< none: nothing is inferred */
  bool automatic;        /**< the first, and what looks further where choices are few */
  uint32_t main;         /**< the method that was asked for first */
  double level;          /**< of intervals: 0.95 */
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
