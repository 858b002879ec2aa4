/* What a run folder holds, read for its page: the page and its figures see nothing else of a run.
 */
#ifndef PLASTFIT_CORE_FIGURES_RUN_DATA_H
#define PLASTFIT_CORE_FIGURES_RUN_DATA_H

#include "core/figures/behaviour.h"

#include <jansson.h>

/** What the config says of blocks: option 2's share of what the two options pay. */
typedef struct pf_stated_shares {
  double share[64]; /**< [n] by the number of the block; NaN: not said */
  size_t n;
} pf_stated_shares;

/** Members that are pointers are NULL where the folder has no such file. */
typedef struct pf_run_data {
  const char *folder;
  json_t *summary;      /**< summary.json, always there */
  pf_sheet *theta;      /**< theta.csv */
  pf_sheet *fit;        /**< fit.csv, the columns of the learning curves */
  pf_sheet *spectrum;   /**< spectrum.csv */
  pf_sheet *profiles;   /**< profiles.csv */
  pf_sheet *starts;     /**< multistart.csv, where starts ended */
  pf_sheet *population; /**< population.csv */
  pf_sheet *animals;    /**< animals.csv: each animal's draws of a population */
  pf_sheet *simulated;  /**< simulated.csv */
  pf_trajectories_file *trajectories;
  pf_behaviours observed;    /**< what the animals did */
  pf_behaviours closed_loop; /**< what the fitted rule did in the task */
  pf_stated_shares stated;
} pf_run_data;

/** Read the folder; on failure *out is to be freed too. */
pf_status pf_run_data_read(const char *folder, pf_run_data *out, pf_error *error);
void pf_run_data_free(pf_run_data *data);

#endif
