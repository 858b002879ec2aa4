/* What is true of the parameters of a model, where a teacher is known. */
#ifndef PLASTFIT_CORE_TRUTH_TRUTH_H
#define PLASTFIT_CORE_TRUTH_TRUTH_H

#include "core/problem/problem.h"

/**
 * The true value of each parameter of problem->model, NaN where it is unknown; [n_parameters], free
 * with pf_memory_free.
 * - A fitted polynomial (parameters X1Y0W0R1, ...): the teacher's rule as a polynomial, whatever
 *   plugin it is of (core/truth/polynomial.h), in units of the model's eta; a term that the teacher
 *   lacks is truly 0.
 * - Another rule: by name, if the teacher's is of the same plugin and has the same eta and
 *   modulators.
 * - Network and losses: by owner and name; gain and baseline of counts: what source.record says.
 * - Mean and sd of starting weights: the teacher's. A starting weight: pf_truth_of_copies.
 */
pf_status pf_truth_create(const pf_problem *problem, double **out, pf_error *error);

/** How simulated animals differ in each parameter; NaN where the truth is unknown. */
typedef struct pf_truth_animals {
  double *sd;     /**< [n_parameters] between animals */
  double *change; /**< [n_parameters] what every second animal has more */
} pf_truth_animals;

/** By the sds and changes of the teacher's own parameters. There MUST be a teacher. */
pf_status pf_truth_between(const pf_problem *problem, pf_truth_animals *out, pf_error *error);
void pf_truth_animals_clear(pf_truth_animals *truth);

/** The true value of each copy, [n_instances] of a layout: that of its parameter, or the starting
 * weight that the teacher drew for this animal. `truth`: of pf_truth_create. */
pf_status pf_truth_of_copies(const pf_problem *problem, const double *truth,
                             const pf_layout *layout, double *out, pf_error *error);

#endif
