/*
 * Folds by which a penalty is chosen: what a fit sees, and parts of what it does not see, each
 * scored on its own. Animals where a fit has several, and nothing of them alone is fitted; else
 * later blocks of each animal's steps. All are of the data that are fitted, and of no others.
 */
#ifndef PLASTFIT_CORE_FIT_PENALTY_FOLDS_H
#define PLASTFIT_CORE_FIT_PENALTY_FOLDS_H

#include "core/fit/group_objective.h"

/** Recordings with flags of their own, as a problem, and its one group. */
typedef struct pf_fold_part {
  pf_problem *problem;
  pf_fit *fit;
  pf_group_batches batches;
} pf_fold_part;

typedef struct pf_fold {
  pf_fold_part train;
  pf_fold_part *units; /**< [n_units] that are scored */
  size_t n_units;
} pf_fold;

typedef struct pf_penalty_folds {
  bool by_animals;
  size_t n;       /**< folds */
  size_t n_units; /**< of all folds */
} pf_penalty_folds;

/** How a group is divided. */
pf_penalty_folds pf_penalty_folds_plan(const pf_fit_group *group);
/** Fold `k` of a group. */
pf_status pf_fold_create(const pf_problem *problem, const pf_fit_group *group,
                         const pf_penalty_folds *plan, size_t k, pf_fold *out, pf_error *error);
void pf_fold_clear(pf_fold *fold);
/** Minus the log likelihood of a unit (or half its squares), by the values of its group: infinite
 * where the weights overflow. */
pf_status pf_fold_score(const pf_fold_part *unit, const double *values,
                        pf_workspace *const *workspaces, size_t n_workspaces, double *score,
                        pf_error *error);

#endif
