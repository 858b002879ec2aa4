/*
 * The log likelihood of a unit, in nats: what intervals, profiles and verdicts are about. See
 * infer.h for its definition. As batches whose objective is minus it, so that a pf_group_objective
 * over them (unpenalised) gives value, gradient, information and products:
 *
 *     pf_evidence_create(problem, unit, unit->values, workspaces, &evidence, error);
 *     pf_evidence_determine(problem, &evidence, p);
 *     pf_group_objective_create(problem, unit->layout, &evidence.batches, false, false, workspaces,
 * n, &f, error);
 */
#ifndef PLASTFIT_CORE_UNCERTAINTY_EVIDENCE_H
#define PLASTFIT_CORE_UNCERTAINTY_EVIDENCE_H

#include "core/fit/group_objective.h"

typedef struct pf_evidence {
  pf_group_batches batches;     /**< one batch of all draws: objective = -L */
  size_t n_recordings, n_draws; /**< draws of each recording */
  double *sums;     /**< [n_losses] log likelihood, or minus the squared error, at the values; draws
                       averaged */
  double *cells;    /**< [n_losses] observed, each counted once however many draws */
  double *variance; /**< [n_losses] sigma^2 of squared errors, kept fixed; NaN of likelihoods */
  double *factor;   /**< [n_losses] c_k */
  bool proportional; /**< is what was fitted this times a number? Else the fit weighs data
                        differently */
  const char
      *no_sigma; /**< NULL, or why sigma cannot be told (c_k is then 1 / 2): nothing has an error */
} pf_evidence;

/**
 * At `values` [layout->n]; sigma^2 = SSE / n. PF_POINT_FAILED with a line where a simulation fails.
 */
pf_status pf_evidence_create(const pf_problem *problem, const pf_fit_group *group,
                             const double *values, pf_workspaces workspaces, pf_evidence *out,
                             pf_error *error);
/** sigma_k^2 = SSE_k / (n_k (1 - p / n)), n all cells of squared errors: p numbers were fitted. */
void pf_evidence_determine(const pf_problem *problem, pf_evidence *evidence, size_t p);
/** L at the values. */
double pf_evidence_log_likelihood(const pf_problem *problem, const pf_evidence *evidence);
/** The same objective for other draws of the unit (say, with other inputs), in the order of
 * unit->draws. */
pf_status pf_evidence_of_draws(const pf_problem *problem, const pf_evidence *like,
                               pf_draw *const *draws, size_t n_draws, pf_group_batches *out,
                               pf_error *error);
void pf_evidence_clear(pf_evidence *evidence);

#endif
