/* Derivatives of an op that has a vjp. */
#ifndef PLASTFIT_CORE_CONFORMANCE_DERIVATIVES_H
#define PLASTFIT_CORE_CONFORMANCE_DERIVATIVES_H

#include "core/conformance/op.h"

/** Gradients are added to what is there, padded or not. */
void cf_check_accumulates(const cf_case *of, cf_shape shape);
/** Each gradient NULL, each alone, none. */
void cf_check_unwanted(const cf_case *of, cf_shape shape);
/** A block and its parts. */
void cf_check_vjp_parts(const cf_case *of, cf_shape shape);
/** Against central differences: all components of an argument, or so many drawn at random. */
void cf_check_slopes(const cf_case *of, cf_shape shape, int64_t max_components);
/** The Taylor remainder along random directions. */
void cf_check_remainder(const cf_case *of, cf_shape shape);
/** The jvp against the vjp. */
void cf_check_tangents(const cf_case *of, cf_shape shape);

#endif
