/*
 * How likely each choice is at a step of a simulated animal. The loss that compares with the choice
 * says so, whatever plugin it is, with its own parameters (lapses, biases): the probability of
 * option k is exp(log likelihood of k). Without such a loss it is the network's observable
 * "probability".
 */
#ifndef PLASTFIT_CORE_CLOSED_LOOP_CHOICE_LAW_H
#define PLASTFIT_CORE_CLOSED_LOOP_CHOICE_LAW_H

#include "core/state/workspace.h"

typedef struct pf_choice_law {
  const pf_workspace *workspace;
  const double *theta;
  int64_t probability;      /**< observable; -1: the network has none, and nothing is chosen */
  const pf_loss_term *loss; /**< NULL: there is none */
  double *chances;          /**< [n_options] */
  int64_t n_options;        /**< 2 for one output */
} pf_choice_law;

/** `workspace` and `theta` MUST outlive the law. */
pf_status pf_choice_law_create(const pf_workspace *workspace, const double *theta,
                               pf_choice_law *out, pf_error *error);
void pf_choice_law_clear(pf_choice_law *law);

/**
 * The option that a uniform number chooses at a row of the workspace; NaN where the outputs are no
 * distribution. PF_POINT_FAILED: the weights overflowed.
 */
pf_status pf_choice_law_draw(const pf_choice_law *law, int64_t row, double uniform, double *choice,
                             pf_error *error);

#endif
