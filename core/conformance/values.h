/* What an op writes, and on what it depends. */
#ifndef PLASTFIT_CORE_CONFORMANCE_VALUES_H
#define PLASTFIT_CORE_CONFORMANCE_VALUES_H

#include "core/conformance/op.h"

/** Values in each shape: written whole, the same for the same inputs, whole and by parts. */
void cf_check_values(const cf_case *of, const cf_shape *shapes, int n_shapes,
                     const cf_object *reference);
/** Shapes in which there is nothing to do. */
void cf_check_empty(const cf_case *of, const cf_shape *shapes, int n_shapes);
/** NaN and infinities in each input. */
void cf_check_not_finite(const cf_case *of, cf_shape shape);

#endif
