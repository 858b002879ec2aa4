/*
 * The objective of one group as an optimiser sees it: all its draws in one (their mean), values of
 * its layout, the L2 penalty within the smooth part and the L1 penalty beside it. Also what
 * intervals and the uncertainty of estimates start from: the same without penalties.
 */
#ifndef PLASTFIT_CORE_FIT_GROUP_OBJECTIVE_H
#define PLASTFIT_CORE_FIT_GROUP_OBJECTIVE_H

#include "core/base/ticker.h"
#include "core/engine/batch.h"
#include "core/fit/fit_groups.h"
#include "core/optimise/optimiser.h"

/** The draws of a group as batches, made once and shared by whoever evaluates. Const after it is
 * made. */
typedef struct pf_group_batches {
  pf_batch **batches; /**< [n] */
  size_t n;
} pf_group_batches;

/** One batch of all draws (whole), or one for each draw, in order. */
pf_status pf_group_batches_create(const pf_problem *problem, const pf_fit_group *group, bool whole,
                                  pf_group_batches *out, pf_error *error);
void pf_group_batches_clear(pf_group_batches *batches);

/** The penalties of value k: l1 |v - centre| + l2 (v - centre)^2, as pf_penalty. */
void pf_value_penalty(const pf_problem *problem, const pf_layout *layout, size_t k, double *l1,
                      double *l2);

typedef struct pf_group_objective pf_group_objective;

/** What it is made of: everything stays the caller's and MUST outlive it. */
typedef struct pf_group_objective_in {
  const pf_problem *problem;
  const pf_layout *layout;
  const pf_group_batches *batches;
  bool penalised; /**< with the penalties of problem->options */
  bool by_parts;  /**< for such an optimiser: batches are the parts of pf_function, L1 is in the
                     gradient, as in the reference, and there is no curvature; else one batch */
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  /** Asked before every evaluation, which is then PF_STOP; NULL: an optimiser's watch is asked. */
  const pf_observer *observer;
} pf_group_objective_in;

/** One thread at a time uses it and its workspaces. */
pf_status pf_group_objective_create(const pf_group_objective_in *in, pf_group_objective **out,
                                    pf_error *error);
void pf_group_objective_free(pf_group_objective *function);
/** Its ops; valid as long as the object. */
const pf_function *pf_group_objective_get(const pf_group_objective *function);
/** The scales of its values from now on, [layout->n], the caller's; NULL: unknown. */
void pf_group_objective_set_scale(pf_group_objective *function, const double *scale);
/** The data term of what an optimiser reports: F without penalties (of parts: the mean over the
 * pass). */
double pf_group_objective_data_term(const pf_group_objective *function, const pf_iterate *at);
/** PF_INFORMATION_* (core/sensitivity/sensitivity.h): how matrices were had so far.
 */
uint32_t pf_group_objective_how(const pf_group_objective *function);
/** Evaluations so far, of one draw each. */
int64_t pf_group_objective_n_evaluations(const pf_group_objective *function);

#endif
