#include "core/problem/likelihood.h"

#include "core/optimise/optimiser.h"

/* Is what is fitted proportional to a log likelihood? */
static pf_status check_losses(const pf_problem *problem, pf_error *error)
{
  const pf_model *model = problem->model;
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *term = &model->losses[k];
    const bool is_likelihood = (term->declared.flags & PF_LOSS_LIKELIHOOD) != 0;
    if (model->n_losses > 1 &&
        (!is_likelihood || !pf_normalisations[problem->settings->normalise].sums ||
         term->weight != 1.0)) {
      return pf_fail_key(error, PF_STOP, "likelihood",
                         "likelihood = \"marginal\" with several losses needs each to be a log "
                         "likelihood that counts as it is (weight = 1.0; normalise = \"sum\"); %s "
                         "%s",
                         term->loss->label,
                         is_likelihood ? "is weighed otherwise" : "is a squared error");
    }
  }
  return PF_OK;
}

pf_status pf_check_likelihood(const pf_problem *problem, pf_error *error)
{
  const pf_settings *settings = problem->settings;
  const pf_optimiser *optimiser =
      settings->fit.optimiser == NULL ? NULL : pf_optimiser_find(settings->fit.optimiser);
  if (settings->learns_input_sd &&
      (settings->marginal.kind == PF_LIKELIHOOD_MEAN || !(settings->input.sd > 0.0))) {
    return pf_fail_key(
        error, PF_STOP, "source.input.learn_sd",
        "source.input.learn_sd needs likelihood = \"marginal\" and a source.input.sd "
        "above 0, from which it starts");
  }
  if (settings->marginal.kind == PF_LIKELIHOOD_MEAN) {
    return PF_OK;
  }
  if (optimiser != NULL && optimiser->fixed_passes) {
    return pf_fail_key(error, PF_STOP, "likelihood",
                       "likelihood = \"marginal\" needs an optimiser that ends at an optimum, and "
                       "%s stops when its passes are used up; use fit.optimiser=lm",
                       optimiser->name);
  }
  if (!pf_normalisations[settings->normalise].is_even) {
    return pf_fail_key(error, PF_STOP, "likelihood",
                       "likelihood = \"marginal\" cannot be had with normalise = \"padded\", which "
                       "weighs experiments by their longest trial; use \"steps\"");
  }
  if (settings->recover.arriving > 0) {
    return pf_fail_key(error, PF_STOP, "likelihood",
                       "likelihood = \"marginal\" cannot yet be had with recover.arriving, which "
                       "compares optima of the mean; set recover.arriving=0");
  }
  return check_losses(problem, error);
}
