/*
 * The marginal likelihood near an estimate, as a smooth function of a group's values. With draws u
 * of what is unknown from its posterior at the estimate v0, and l(v, u) the log likelihood where
 * the unknown is u (Geyer & Thompson 1992, Journal of the Royal Statistical Society B 54:657):
 *
 *     L(v) / L(v0) = E[exp(l(v, u) - l(v0, u))]
 *
 * The draws are the same ones at every v: differences between two values have no other noise than
 * that of their weights, and the function has exact derivatives. Far from v0 few draws have all the
 * weight: pf_importance_error says how little is known there.
 */
#ifndef PLASTFIT_CORE_MARGINAL_IMPORTANCE_H
#define PLASTFIT_CORE_MARGINAL_IMPORTANCE_H

#include "core/fit/group_objective.h"

typedef struct pf_importance pf_importance;

/** A group that was fitted by Monte Carlo EM: its draws are those of the posterior. */
typedef struct pf_importance_in {
  const pf_problem *problem;
  const pf_fit_group *group;
  const double *factor; /**< [n_losses] nats per unit of log likelihood */
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  const pf_observer *observer; /**< as in pf_group_objective_in */
} pf_importance_in;

/** One thread at a time uses it and its workspaces; `in` is the caller's and MUST outlive it. */
pf_status pf_importance_create(const pf_importance_in *in, pf_importance **out, pf_error *error);
void pf_importance_free(pf_importance *function);
/** Minus the log likelihood in nats, with derivatives. */
const pf_function *pf_importance_get(const pf_importance *function);
/** Monte Carlo error of f(v) - f(v0), nats: from the spread between replicates. */
pf_status pf_importance_error(pf_importance *function, const double *v, double *out,
                              pf_error *error);

#endif
