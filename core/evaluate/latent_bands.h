/*
 * What a particle filter says of weights that nobody recorded: their mean and sd after each change.
 *
 * - filtered: given what the animal did up to then, and no more;
 * - smoothed: given all that it did, from whole histories drawn from their posterior.
 */
#ifndef PLASTFIT_CORE_EVALUATE_LATENT_BANDS_H
#define PLASTFIT_CORE_EVALUATE_LATENT_BANDS_H

#include "core/evaluate/evaluation_plan.h"
#include "core/evaluate/weights_kind.h"
#include "core/problem/problem.h"
#include "core/state/workspace.h"

enum { PF_N_BANDS = 4 };

typedef struct pf_latent_bands {
  const pf_model *model;
  int64_t every, n_changes, n_kept; /**< as of pf_trajectory and pf_weight_rows */
  size_t cells;                     /**< of one state of all plastic projections */
  double *numbers;                  /**< [PF_N_BANDS][n_kept * cells] */
} pf_latent_bands;

typedef struct pf_latent_bands_in {
  const pf_problem *problem;
  const pf_evaluation_plan *plan;
  size_t recording; /**< of plan->data */
  const double *theta;
  int64_t every;
  pf_filter *filter;
  pf_workspace *workspace; /**< what stands in it is lost */
} pf_latent_bands_in;

/** Is anything of recording i unknown, so that its weights have bands? */
bool pf_latent_bands_are_there(const pf_problem *problem, const pf_evaluation_plan *plan, size_t i);
/** PF_POINT_FAILED, with a line, where all particles are lost. */
pf_status pf_latent_bands_find(const pf_latent_bands_in *in, pf_latent_bands **out,
                               pf_error *error);
/** [n_kept][n_post][n_pre] of a plastic projection; kind: none of the model's or the truth. */
const double *pf_latent_bands_get(const pf_latent_bands *bands, pf_weights_kind kind,
                                  size_t plastic);
void pf_latent_bands_free(pf_latent_bands *bands); /**< NULL: does nothing */

#endif
