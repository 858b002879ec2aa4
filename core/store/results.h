/* What the files of a run folder are made from. */
#ifndef PLASTFIT_CORE_STORE_RESULTS_H
#define PLASTFIT_CORE_STORE_RESULTS_H

#include "core/evaluate/evaluation.h"
#include "core/infer/infer.h"
#include "core/population/fit_population.h"

/** Of what the files of a run folder mean; `format` in summary.json. A change that readers must
 * know of: + 1. */
enum { PF_RUN_FORMAT = 1 };

typedef struct pf_results {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference; /**< or NULL */
  const pf_evaluation *evaluation;
  const pf_dataset *closed_loop;          /**< the fitted rule in the task, or NULL */
  const pf_animal_population *population; /**< what animals share, or NULL */
  char **keys;                            /**< [n_parameters] pf_keys_create */
  double *truth;                          /**< [n_parameters] pf_truth_create */
} pf_results;

/** Fills keys and truth; the rest is the caller's. On failure nothing is to be freed. */
pf_status pf_results_prepare(pf_results *results, pf_error *error);
void pf_results_clear(pf_results *results);

/** Did the fits have more than one start? */
bool pf_has_starts(const pf_fit *fit);
/** Was anything inferred? */
bool pf_has_inference(const pf_inference *inference);
/** The method of the intervals, of the first group of which something is inferred. */
uint32_t pf_main_method(const pf_inference *inference);
/** "ok", or "failed". */
const char *pf_status_word(pf_status status);
/** "ok", "failed" or "interrupted". */
const char *pf_group_word(const pf_fit_group *group);
/** The mean of each parameter's copies among the instances, [n_parameters]. */
void pf_instance_means(const pf_layout *layout, const double *instances, double *means);

#endif
