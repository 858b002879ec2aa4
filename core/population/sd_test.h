/*
 * Do animals differ in one value? A restricted likelihood ratio against an sd of 0, all other sds
 * held where they fit best without it, and its null distribution by simulation (Crainiceanu &
 * Ruppert 2004, JRSSB 66:165; Greven et al. 2008, J Comput Graph Stat 17:870).
 *
 * With the other sds known, twice the gain at sd^2 = x is
 *
 *     sum over s of  x m_s / (1 + x m_s) w_s^2 - log(1 + x m_s),      w_s ~ N(0, 1) where the sd is
 * 0
 *
 * m_s: eigenvalues of Z' P Z, Z the part of each animal in that value, P the precision of the data
 * with the means projected out. So the distribution of the largest gain is drawn without any fit.
 * An equal mixture of chi-squares with 0 and 1 degrees of freedom is what it tends to with more and
 * more animals; with some twenty its weight at 0 is larger, and a test by it rejects too seldom.
 */
#ifndef PLASTFIT_CORE_POPULATION_SD_TEST_H
#define PLASTFIT_CORE_POPULATION_SD_TEST_H

#include "core/population/mixed_model.h"

typedef struct pf_sd_test {
  double statistic; /**< twice the gain */
  double p;
} pf_sd_test;

/**
 * With correlations (data->correlated) all that vanishes with the sd is tested at once, by the
 * mixture of chi-squares with q and q + 1 degrees of freedom in equal parts (Self & Liang 1987,
 * JASA 82:605), q: those correlations. `model` is the optimum.
 */
pf_status pf_mixed_model_test(const pf_mixed_data *data, const pf_mixed_model *model, size_t k,
                              pf_stream stream, pf_sd_test *out, pf_error *error);

#endif
