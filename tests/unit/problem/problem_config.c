#include "tests/unit/problem/problem_config.h"

#include "core/base/memory.h"
#include <criterion/criterion.h>
#include <string.h>

static const char text[] =
    "source: { plugin = \"teacher\"; animals = 2;\n"
    "  task: { kind = \"two_odours\"; blocks = ( { trials = 12; reward = [0.2, 0.8]; } ); };\n"
    "  rule: { plugin = \"taylor\"; terms = \"x r - 0.05 w\";\n"
    "    modulator = \"reward - expected_reward\"; };\n"
    "  input: { mean = 0.75; sd = 0.4; }; };\n"
    "network: { plugin = \"feedforward\"; layers = [2, 3, 1]; hidden = \"tanh\";\n"
    "  readout: { gain = 5.0; }; projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
    "rules: { learn: { plugin = \"taylor\"; terms = \"x r + w\";\n"
    "  modulator = \"reward - expected_reward\"; }; };\n"
    "losses = ( { plugin = \"choice\"; } );\n"
    "fit: { per = \"shared\"; };\n"
    "threads = 1;\n";

static pf_status create_problem(const char *const *overrides, pf_config **config,
                                pf_problem **problem, pf_error *error)
{
  size_t n = 0;
  while (overrides[n] != NULL) {
    n++;
  }
  if (pf_config_parse(text, "small.cfg", overrides, n, config, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_problem_create(*config, problem, error);
}

pf_problem *problem_of(const char *const *overrides)
{
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_error error = pf_error_none();
  cr_assert(create_problem(overrides, &config, &problem, &error) == PF_OK, "%s", error.text);
  return problem;
}

void problem_drop(pf_problem *problem)
{
  pf_config *config = problem->config;
  pf_problem_free(problem);
  pf_config_free(config);
}

const char *refusal_of(const char *const *overrides)
{
  static char line[PF_ERROR_LENGTH];
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_error error = pf_error_none();
  (void)create_problem(overrides, &config, &problem, &error);
  pf_problem_free(problem);
  pf_config_free(config);
  (void)snprintf(line, sizeof line, "%s", error.text);
  return line;
}
