/* The config's groups `fit`, `penalty` and `init`. */
#ifndef PLASTFIT_CORE_SETTINGS_FIT_SETTINGS_H
#define PLASTFIT_CORE_SETTINGS_FIT_SETTINGS_H

#include "core/config/setting.h"

/** The words of fit.per, in order. */
enum pf_fit_per { PF_FIT_PER_ANIMAL = 0, PF_FIT_SHARED, PF_FIT_POPULATION };
/** "animal", "shared", "population": for tables and messages. */
const char *pf_fit_per_word(uint32_t per);
enum pf_fit_batch { PF_BATCH_DRAW = 0, PF_BATCH_FULL = 1 };

typedef struct pf_fit_settings {
  uint32_t per;    /**< enum pf_fit_per */
  uint32_t batch;  /**< enum pf_fit_batch: one step per draw, in order, or per epoch over all */
  char *optimiser; /**< "lm", "lbfgs", "owlqn", "adam" */
  double learning_rate, beta1, beta2, epsilon; /**< adam */
  int64_t iterations, evaluations; /**< all but adam: most of them; evaluations 0: no limit */
  /** all but adam: core/optimise/optimiser.h */
  double tolerance_nats;
  int64_t starts;    /**< the most; 0: core/fit/fit.c says: core/fit/multistart.h */
  int64_t found;     /**< how often the best optimum is to be found before starts end */
  double spread;     /**< of the starts, in units of core/optimise/value_scales.h */
  int64_t epochs;    /**< passes over the data */
  int64_t log_every; /**< epochs between rows of fit.csv */
  char *l1_text;     /**< penalty.l1 as given: a number or "auto"; NULL: left out */
  bool asks_auto;    /**< it is "auto" */
  double adam_l1;    /**< adam's, where penalty.l1 is left out */
  double l1, l2;   /**< penalties on the rules' free parameters: l1 sum |theta| + l2 sum theta^2 */
  char *warm_path; /**< init.theta, or NULL */
} pf_fit_settings;

/** The keys; rows of pf_fit_settings. */
pf_option_table pf_fit_keys(void);
/** `l1` and `asks_auto` from `l1_text` and `adam_l1`; PF_STOP: it is neither a number nor auto. */
pf_status pf_fit_read_l1(pf_fit_settings *settings, pf_error *error);

#endif
