/*
 * What one animal's data say near a point: its log likelihood, score and Fisher information there,
 * on the scale on which animals are drawn (core/population/scale.h). The mixed model works with
 * these in place of the likelihood; at the animal's mode that is the Laplace approximation.
 */
#ifndef PLASTFIT_CORE_POPULATION_EXPANSION_H
#define PLASTFIT_CORE_POPULATION_EXPANSION_H

#include "core/uncertainty/evidence.h"

typedef struct pf_expansion {
  const pf_problem *problem;
  const pf_fit_group *group;
  pf_evidence evidence;
  bool bounded;          /**< values with bounds are drawn on the line */
  double *phi;           /**< [n] the point */
  double *score;         /**< [n] d L / d phi */
  double *information;   /**< [n][n] */
  double log_likelihood; /**< L at phi, in nats; averaged: of the parabola with the same
                              mean of L */
  double at_point;       /**< L at phi itself */
  double skewness;       /**< averaged: by how many posterior sds the mean is off the mode, about */
  uint32_t derivatives;  /**< PF_INFORMATION_*: how matrices were had */
  int64_t n_evaluations; /**< of one draw each */
  double *values, *memory; /**< [n] at phi; `memory` has all these */
} pf_expansion;

/** At the group's values. group->values and the problem MUST outlive it. */
pf_status pf_expansion_create(const pf_problem *problem, const pf_fit_group *group, bool bounded,
                              pf_workspaces workspaces, pf_expansion *out, pf_error *error);
void pf_expansion_clear(pf_expansion *expansion);
/** L at phi [n] alone. PF_POINT_FAILED: it has no value there. */
pf_status pf_expansion_value(pf_expansion *expansion, const double *phi, pf_workspaces workspaces,
                             double *log_likelihood, pf_error *error);
/** Expands about phi [n], which becomes the point. */
pf_status pf_expansion_move(pf_expansion *expansion, const double *phi, pf_workspaces workspaces,
                            pf_error *error);
/**
 * phi [n] becomes the point, and log likelihood, score and information become means over a normal
 * distribution about it with covariance root root' [n][n], root lower triangular; the information
 * is then minus the mean second derivative. Where the point is the mean of the posterior and root
 * root' its covariance, that is the Gaussian variational approximation (Opper & Archambeau 2009,
 * Neural Computation 21:786), and the point is the posterior's mean rather than its mode: for few
 * data the two differ.
 */
pf_status pf_expansion_average(pf_expansion *expansion, const double *phi, const double *root,
                               pf_workspaces workspaces, pf_error *error);

#endif
