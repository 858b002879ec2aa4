/* The figures of a run: each function adds what it can draw from what the run folder holds, and
 * nothing else. */
#ifndef PLASTFIT_CORE_PAGE_RUN_FIGURES_H
#define PLASTFIT_CORE_PAGE_RUN_FIGURES_H

#include "core/page/behaviour.h"
#include "core/plot/figure.h"

enum { PF_MAX_ANIMALS_DRAWN = 24, PF_MAX_COEFFICIENTS_DRAWN = 40 };

/** "coefficients": estimates of theta.csv, with intervals (columns ci_lower, ci_upper) and truth
 * where known. */
pf_status pf_plot_coefficients(pf_figures *figures, const pf_sheet *theta, pf_error *error);
/** "spectrum": eigenvalues and directions of spectrum.csv; cut: below it a direction is free. */
pf_status pf_plot_spectrum(pf_figures *figures, const pf_sheet *spectrum, double cut,
                           pf_error *error);
/** "learning": data term and objective against epochs, of fit.csv. */
pf_status pf_plot_learning(pf_figures *figures, const pf_sheet *fit, pf_error *error);
/** What the config says of blocks: option 2's share of what the two options pay. */
typedef struct pf_stated_shares {
  double share[64]; /**< [n] by the number of the block; NaN: not said */
  size_t n;
} pf_stated_shares;

/** "starts": where the starts of the first fits ended, of multistart.csv. */
pf_status pf_plot_starts(pf_figures *figures, const pf_sheet *starts, pf_error *error);
/** "choices-K": predicted and observed choices of an experiment over its trials. */
pf_status pf_plot_choices(pf_figures *figures, const pf_behaviours *seen,
                          const pf_stated_shares *stated, pf_error *error);
/** "calibration": how often what was predicted with probability p came. */
pf_status pf_plot_calibration(pf_figures *figures, const pf_behaviours *seen, pf_error *error);
/** "behaviour": reversal curves and matching of the animals, and of the fitted rule in the task (n
 * = 0: without). */
pf_status pf_plot_behaviour(pf_figures *figures, const pf_behaviours *animals,
                            const pf_behaviours *simulated, pf_error *error);
/** "weights-K", "r2-PROJECTION", "activity-K": of trajectories.h5. */
pf_status pf_draw_weights(pf_figures *figures, pf_h5_reader *reader, pf_error *error);

#endif
