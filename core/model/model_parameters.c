#include "core/model/model_parameters.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

pf_status pf_model_reserve_parameters(pf_model *model, size_t count, pf_error *error)
{
  pf_model_parameter *larger = pf_memory_need(model->n_parameters + count, sizeof *larger, error);
  if (larger == NULL) {
    return PF_STOP;
  }
  if (model->n_parameters > 0) {
    memcpy(larger, model->parameters, model->n_parameters * sizeof *larger);
  }
  pf_memory_free(model->parameters);
  model->parameters = larger;
  return PF_OK;
}

/** Append a parameter that is the host's own; before pf_model_learn_start, and before anything is
 * laid out by them. *index: its place in theta. */
static pf_status add_parameter(pf_model *model, const pf_parameter *declared, const char *owner,
                               size_t *index, pf_error *error)
{
  if (pf_model_reserve_parameters(model, 1, error) != PF_OK) {
    return PF_STOP;
  }
  *index = model->n_parameters++;
  model->parameters[*index] = (pf_model_parameter){.declared = *declared, .owner = owner};
  model->start_theta0 = model->n_parameters; /* starting weights come after everything else */
  return PF_OK;
}

pf_status pf_model_forget(pf_model *model, double rate, pf_error *error)
{
  const pf_parameter forgetting = {
      .name = "forgetting",
      .unit = "1/h",
      .initial = rate,
      .value = rate,
      .lower = 0.0,
      .upper = INFINITY,
      .help = "rate at which weights are forgotten between sessions: w exp(-rate gap)"};
  const pf_status status =
      add_parameter(model, &forgetting, "sessions", &model->forgetting_theta, error);
  model->forgets = model->forgets || status == PF_OK;
  return status;
}

pf_status pf_model_learn_input_sd(pf_model *model, double sd, pf_error *error)
{
  static const double least = 0.01; /* of where it starts: at 0 there is nothing to draw */
  const pf_parameter input_sd = {.name = "input_sd",
                                 .unit = "1",
                                 .initial = sd,
                                 .value = sd,
                                 .lower = least * sd,
                                 .upper = INFINITY,
                                 .help = "sd of the noise on every input at every step"};
  const pf_status status = add_parameter(model, &input_sd, "source", &model->input_sd_theta, error);
  model->learns_input_sd = model->learns_input_sd || status == PF_OK;
  return status;
}
