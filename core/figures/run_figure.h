/*
 * A figure of a run's page: one row of the table in run_figures.c and one function below, which
 * draws it from what the run folder holds, and from nothing else.
 */
#ifndef PLASTFIT_CORE_FIGURES_RUN_FIGURE_H
#define PLASTFIT_CORE_FIGURES_RUN_FIGURE_H

#include "core/figures/run_data.h"
#include "core/plot/figure.h"

enum { PF_MAX_ANIMALS_DRAWN = 24, PF_MAX_COEFFICIENTS_DRAWN = 40 };

/** How the figures call the value of row `row`: its label, or its name where it has none. Where the
 * sheet has coefficients of two rules or more, the rule stands before it, as in "hebb: w". */
typedef struct pf_value_label {
  char text[256];
} pf_value_label;
pf_value_label pf_label_of_value(const pf_sheet *sheet, size_t row);

/** Adds to `figures` what it can draw; nothing where the run has no such data. */
typedef pf_status (*pf_plot_run)(pf_figures *figures, const pf_run_data *run, pf_error *error);

typedef struct pf_run_figure {
  const char *name;  /**< of the figure; ends in '-' where there is one for each animal or such */
  const char *title; /**< of its section; NULL: it stands in a section of the page's own */
  size_t n_open;     /**< how many of them are shown unfolded */
  pf_plot_run plot;  /**< NULL: drawn by the row before */
} pf_run_figure;

/** Estimates of theta.csv, with intervals and truth where known. */
pf_status pf_plot_coefficients(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Eigenvalues and directions of spectrum.csv. */
pf_status pf_plot_spectrum(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Each animal's own estimate against that drawn from the population: animals.csv. */
pf_status pf_plot_population(pf_figures *figures, const pf_run_data *run, pf_error *error);
pf_status pf_plot_groups(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Profile likelihoods, of profiles.csv. */
pf_status pf_plot_profiles(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Data term and objective against epochs, of fit.csv. */
pf_status pf_plot_learning(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Where the starts of the first fits ended, of multistart.csv. */
pf_status pf_plot_starts(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Predicted and observed choices of an experiment over its trials. */
pf_status pf_plot_choices(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** How often what was predicted with probability p came. */
pf_status pf_plot_calibration(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Reversal curves and matching of the animals, and of the fitted rule in closed loop. */
pf_status pf_plot_behaviour(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Weights over time, R2 of each synapse, recorded activity: trajectories.h5. */
pf_status pf_plot_weights(pf_figures *figures, const pf_run_data *run, pf_error *error);
/** Weights that nobody recorded, with bands from the particles: trajectories.h5. */
pf_status pf_plot_latent(pf_figures *figures, const pf_run_data *run, pf_error *error);

#endif
