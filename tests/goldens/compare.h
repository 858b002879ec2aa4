/* What was compared in one golden file, and how far apart it was. */
#ifndef PLASTFIT_TESTS_GOLDENS_COMPARE_H
#define PLASTFIT_TESTS_GOLDENS_COMPARE_H

#include "tests/goldens/setup.h"

enum { GOLDEN_QUANTITIES = 16 };

/** Relative error: norm of the difference over norm of the expected (over 1 where that is 0). */
typedef struct golden_quantity {
  const char *name;
  double error; /**< the worst, where a quantity is compared several times (once an epoch) */
  size_t n;     /**< numbers compared */
} golden_quantity;

typedef struct golden_report {
  golden_quantity quantities[GOLDEN_QUANTITIES];
  size_t n;
} golden_report;

extern const double
    golden_tolerance; /**< of the relative error; what was measured stands in compare.c */

/** `name` stays the caller's. A number that is not finite makes the error infinite. */
void golden_compare(golden_report *report, const char *name, const double *found,
                    const double *expected, size_t n);
/** Something was compared, and all of it within the tolerance. */
bool golden_report_passes(const golden_report *report);
/** "loss 1e-16, gradient 2e-15", the ones too far apart marked; [capacity]. */
void golden_report_write(const golden_report *report, char *text, size_t capacity);

/** Loss, gradient, outputs and weights at one theta. In tests/goldens/values.c. */
pf_status golden_compare_values(const golden_case *golden, golden_report *report, pf_error *error);
/** A training run, loss by loss and theta by theta, and the same through pf_fit_run. In
 * tests/goldens/training.c. */
pf_status golden_compare_training(golden_case *golden, golden_report *report, pf_error *error);

#endif
