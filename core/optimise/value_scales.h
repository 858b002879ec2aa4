/*
 * The scale of each value of a group's fit, from its data: the change that by itself costs half a
 * nat at the start, a conditional standard error. Units of inputs, rewards, activities and
 * parameters cancel in it, so steps, starts and tests that are made in it do not depend on them.
 */
#ifndef PLASTFIT_CORE_OPTIMISE_VALUE_SCALES_H
#define PLASTFIT_CORE_OPTIMISE_VALUE_SCALES_H

#include "core/optimise/optimiser.h"

/**
 * scale [n] at `start` [n]. A value that changes nothing there, as a decay of weights that are 0,
 * is tried again from a point where the others are not at their start. *known: false where there is
 * no matrix of second derivatives, or none of the points has a value (scale is then all 1).
 */
pf_status pf_value_scales(const pf_function *function, const double *start, double *scale,
                          bool *known, pf_error *error);
/** The change of a value that moves a typical prediction by about its own spread. */
double pf_value_spread(const pf_function *function, double scale);

#endif
