/*
 * Which candidates contain which: the free parameters of the bigger one, by owner and name, are all
 * that the smaller one has and more. A bigger candidate's fit starts from the smaller one's optimum
 * too, its further parameters at 0, so that it never fits worse for want of a start.
 */
#ifndef PLASTFIT_CORE_CANDIDATES_NESTING_H
#define PLASTFIT_CORE_CANDIDATES_NESTING_H

#include "core/candidates/job_result.h"
#include "core/layout/layout.h"

/** Has `bigger` all free parameters of `smaller`, and more? */
bool pf_model_contains(const pf_model *bigger, const pf_model *smaller);

/** What another candidate found. */
typedef struct pf_earlier_optimum {
  const pf_model *model;
  const pf_job_result *result;
} pf_earlier_optimum;

/**
 * The values [layout->n] that mean what was found, of a layout with data; what the other
 * candidate does not have is 0, within its bounds. False: nothing was found.
 */
bool pf_earlier_values(const pf_earlier_optimum *found, const pf_layout *layout, double *values);

#endif
