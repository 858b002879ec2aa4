/* Means and medians over animals. */
#ifndef PLASTFIT_CORE_EVALUATE_AVERAGES_H
#define PLASTFIT_CORE_EVALUATE_AVERAGES_H

#include "core/evaluate/evaluation.h"

/** An animal with fewer scored cells has few: its own figures can be anything. */
enum { PF_FEW_CELLS = 20 };

/** All figures NaN, counts 0. */
pf_scores pf_scores_none(void);
/** Mean and median over animals of each figure, NaN left out (NaN where none is left); counts are
 * sums in both. *pooled: the mean is weighted, by what there was to explain or by scored cells,
 * because an animal has few of them (core/evaluate/evaluation.h). */
pf_status pf_scores_summarise(const pf_animal_result *animals, size_t n, pf_scores *mean,
                              pf_scores *median, bool *pooled, pf_error *error);

/** Mean and median of the values that are not NaN; NaN if there is none. The median sorts `values`.
 */
double pf_mean(const double *values, size_t n);
double pf_median(double *values, size_t n);

#endif
