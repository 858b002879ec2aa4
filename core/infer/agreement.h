/*
 * Do the animals under one theta agree? Rao's score test of "all animals have the same values"
 * against "each has its own" (Rao 1948, Proc. Cambridge Phil. Soc. 44:50): at the shared optimum
 *
 *     T = sum over animals a of  s_a' I_a^-1 s_a
 *
 * with s_a the score of the animal's steps and I_a its Fisher information. It needs no fit of any
 * one animal. Where they agree T is chi-square with (sum of the ranks of I_a) - (rank of I) degrees
 * of freedom, as the steps of each animal become many.
 */
#ifndef PLASTFIT_CORE_INFER_AGREEMENT_H
#define PLASTFIT_CORE_INFER_AGREEMENT_H

#include "core/uncertainty/infer_job.h"

/** job->out->agreement of a fit of several animals that share values. */
pf_status pf_infer_agreement(pf_infer_job *job, pf_error *error);
/** "animals do not agree (score test: chi-square 71.2 with 34 degrees of freedom, p = 0.0002)". */
void pf_agreement_print(const pf_agreement *agreement, char *text, size_t capacity);

#endif
