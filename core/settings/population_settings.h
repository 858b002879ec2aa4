/* The config's group `population`: how animals hang together where fit.per = "population". */
#ifndef PLASTFIT_CORE_SETTINGS_POPULATION_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_POPULATION_SETTINGS_H

#include "core/config/setting.h"

enum pf_population_centre { PF_POPULATION_MEANS = 0, PF_POPULATION_MODES };
enum pf_population_scale { PF_POPULATION_BOUNDED = 0, PF_POPULATION_NATURAL };

typedef struct pf_population_settings {
  pf_names shared;   /**< values that all animals have in common */
  pf_names separate; /**< values of which other animals say nothing */
  pf_names group;    /**< columns of `table` that the means depend on */
  char *table;       /**< a row for each animal, or NULL */
  bool correlated;
  int64_t permutations; /**< of covariates */
  uint32_t scale;       /**< enum pf_population_scale */
  uint32_t centre;      /**< enum pf_population_centre */
} pf_population_settings;

/** The keys; rows of pf_population_settings. */
pf_option_table pf_population_keys(void);

#endif
