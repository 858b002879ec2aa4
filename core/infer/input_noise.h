/*
 * What only the drawn noise of the inputs tells apart. Cues are few numbers (0, 0.75): with them
 * alone x and x^2 may be the same to a synapse. Where a fit draws inputs, their noise differs from
 * the animal's own, and what it adds to the information is information about the draws rather than
 * about the animal.
 */
#ifndef PLASTFIT_CORE_INFER_INPUT_NOISE_H
#define PLASTFIT_CORE_INFER_INPUT_NOISE_H

#include "core/uncertainty/infer_job.h"

/** Warns of values that only the drawn noise of the inputs tells apart; after the information. */
pf_status pf_infer_input_noise(pf_infer_job *job, pf_error *error);

#endif
