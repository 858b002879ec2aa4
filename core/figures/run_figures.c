#include "core/figures/run_figures.h"

static const pf_run_figure table[] = {
    {"coefficients", NULL, 1, pf_plot_coefficients},
    {"other-values", NULL, 1, NULL},
    {"spectrum", NULL, 1, pf_plot_spectrum},
    {"population", NULL, 1, pf_plot_population},
    {"groups", NULL, 1, pf_plot_groups},
    {"profiles", "Profile likelihoods", 1, pf_plot_profiles},
    {"learning", "Learning curves", 1, pf_plot_learning},
    {"starts", "Starts of the fits", 1, pf_plot_starts},
    {"choices-", "Predicted against observed choices", 2, pf_plot_choices},
    {"activity-", "Predicted against recorded activity", 2, NULL},
    {"calibration", "Calibration", 1, pf_plot_calibration},
    {"behaviour", "Behaviour in the task", 1, pf_plot_behaviour},
    {"weights-", "Weights", 3, pf_plot_weights},
    {"latent-", "Weights given what the animals did", 3, pf_plot_latent},
    {"r2-", "R2 of weights, synapse by synapse", 3, NULL},
};

const pf_run_figure *pf_run_figure_table(size_t *n)
{
  *n = sizeof table / sizeof table[0];
  return table;
}
