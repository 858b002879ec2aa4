/* core/fit: many terms. Four simulated animals learn by x r; of all 81 terms the penalty that is
 * chosen by held-out animals keeps x r and hardly another. */
#include "core/fit/fit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static pf_config *config;
static pf_problem *problem;
static pf_fit *fit;

static const char text[] =
    "seed = 1; report = false; threads = 1;\n"
    "source: { plugin = \"teacher\"; animals = 4;\n"
    "  task: { kind = \"two_odours\"; blocks = ( { trials = 40; reward = [0.2, 0.8]; },\n"
    "    { trials = 40; reward = [0.9, 0.1]; } ); };\n"
    "  rule: { plugin = \"taylor\"; terms = \"x r\";\n"
    "    modulator = \"reward - expected_reward\"; };\n"
    "  input: { mean = 0.75; sd = 0.1; }; give: { inputs = true; initial_weights = true; }; };\n"
    "network: { plugin = \"feedforward\"; layers = [2, 3, 1]; hidden = \"tanh\";\n"
    "  initial_weights: { sd = 0.01; }; readout: { gain = 5.0; };\n"
    "  projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
    "rules: { learn: { plugin = \"taylor\"; modulator = \"reward - expected_reward\"; }; };\n"
    "losses = ( { plugin = \"choice\"; } );\n"
    "fit: { per = \"shared\"; optimiser = \"lm\"; starts = 1; };\n"
    "evaluate: { draws = 1; };\n";

static void end(void)
{
  if (fit != NULL) {
    pf_fit_free(problem, fit);
  }
  pf_problem_free(problem);
  pf_config_free(config);
}

TestSuite(penalty_path, .fini = end);

static double value_of(const pf_fit_group *group, const char *label)
{
  const pf_layout *layout = group->layout;
  for (size_t k = 0; k < layout->n; k++) {
    const pf_parameter *declared =
        &layout->parameters[layout->instances[layout->index[k]].parameter].declared;
    if (declared->label != NULL && strcmp(declared->label, label) == 0) {
      return group->values[k];
    }
  }
  return NAN;
}

Test(penalty_path, keeps_the_term_that_is_there)
{
  pf_error error = {.size = sizeof error};
  cr_assert(pf_config_parse(text, "here.cfg", NULL, 0, &config, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_problem_create(config, &problem, &error) == PF_OK, "%s", error.text);
  cr_assert(problem->model->n_parameters >= 81);
  cr_assert(pf_fit_run(problem, NULL, NULL, NULL, &fit, &error) == PF_OK, "%s", error.text);
  const pf_fit_group *group = &fit->groups[0];
  cr_assert(group->status == PF_OK, "%s", group->error.text);
  cr_assert(pf_fit_verdict(group) == PF_FIT_CONVERGED);
  const double found = value_of(group, "x r");
  cr_assert(found > 0.5 && found < 1.5, "x r: %g", found);
  size_t n_terms = 0;
  for (size_t k = 0; k < group->layout->n; k++) {
    n_terms += group->values[k] != 0.0 ? 1 : 0;
  }
  /* of 81 terms one is there; the choice by held-out animals keeps a handful at most */
  cr_assert(n_terms >= 1 && n_terms <= 8, "%zu terms", n_terms);
}
