/* How much memory second derivatives take, before they are taken: from sizes alone. */
#ifndef PLASTFIT_CORE_SENSITIVITY_TANGENT_MEMORY_H
#define PLASTFIT_CORE_SENSITIVITY_TANGENT_MEMORY_H

#include "core/model/model.h"

/** Bytes that the tangents of n directions, and the matrix made of them, take through a recording
 * of n_steps: one draw, on one thread. */
double pf_tangent_bytes(const pf_model *model, int64_t n_steps, size_t n);

#endif
