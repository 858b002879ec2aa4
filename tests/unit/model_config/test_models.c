/* core/problem: masks, bounds, parameters, ties, channels and teachers, as a config gives them. */
#include "tests/unit/problem/problem_config.h"

#include "core/base/memory.h"
#include "core/model/plastic.h"
#include "core/model_config/channels.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ENTRY(keys) "network.projections=( { layer = 1; rule = \"learn\"; " keys " } )"
#define PARAMETERS(keys) "rules.learn.parameters={ " keys " }"

static const pf_model_parameter *parameter_named(const pf_problem *problem, const char *name)
{
  for (size_t i = 0; i < problem->model->n_parameters; i++) {
    if (strcmp(problem->model->parameters[i].declared.name, name) == 0) {
      return &problem->model->parameters[i];
    }
  }
  cr_assert_fail("there is no parameter %s", name);
  return NULL;
}

/* ---- masks ---- */

static int is_connected(const pf_problem *problem, int post, int pre)
{
  return problem->model->masks[0].connected[post * pf_leading_dimension(2) + pre] != 0;
}

Test(problem_masks, are_given_row_by_row)
{
  pf_problem *problem = PROBLEM(ENTRY("connected: { matrix = ( [1, 0], [1, 1], [0, 1] ); };"));
  static const int expected[3][2] = {{1, 0}, {1, 1}, {0, 1}};
  cr_assert(problem->model->masks[0].connected != NULL);
  for (int post = 0; post < 3; post++) {
    for (int pre = 0; pre < 2; pre++) {
      cr_expect(is_connected(problem, post, pre) == expected[post][pre], "%d, %d", post, pre);
    }
  }
  problem_drop(problem);
}

/* The same seed gives the same mask, whatever seed the data are drawn with. */
Test(problem_masks, are_drawn_with_their_own_seed)
{
  pf_problem *a = PROBLEM(ENTRY("connected: { density = 0.5; };"), "network.mask_seed=5");
  pf_problem *b = PROBLEM(ENTRY("connected: { density = 0.5; };"), "seed=5");
  int n = 0;
  for (int k = 0; k < 6; k++) {
    cr_expect(is_connected(a, k / 2, k % 2) == is_connected(b, k / 2, k % 2));
    n += is_connected(a, k / 2, k % 2);
  }
  cr_expect(n > 0 && n < 6, "%d of 6", n);
  problem_drop(a);
  problem_drop(b);
}

Test(problem_masks, of_another_shape_are_refused)
{
  EXPECT_REFUSED("found 2 rows, expected 3", ENTRY("connected: { matrix = ( [1, 0], [1, 1] ); };"));
  EXPECT_REFUSED("found 1 columns, expected 2",
                 ENTRY("connected: { matrix = ( [1], [1], [0] ); };"));
  EXPECT_REFUSED("row 1, column 2: found 2, expected 0 or 1",
                 ENTRY("connected: { matrix = ( [1, 2], [1, 1], [0, 1] ); };"));
  EXPECT_REFUSED("expected one of `density`, `file` and `matrix`, found none",
                 ENTRY("connected: { };"));
  EXPECT_REFUSED("found more", ENTRY("connected: { density = 0.5; matrix = ( [1, 1] ); };"));
  EXPECT_REFUSED("must be a group", ENTRY("connected = 0.5;"));
}

Test(problem_masks, that_leave_nothing_to_learn_are_refused)
{
  EXPECT_REFUSED("no synapse of 'layer1' changes", ENTRY("plastic: { density = 0.0; };"));
  EXPECT_REFUSED("given masks twice",
                 "network.projections=( { layer = 1; rule = \"learn\"; connected: { density = 1.0; "
                 "}; }, { layer = 1; connected: { density = 1.0; }; } )");
  EXPECT_REFUSED("none of network.projections has a rule",
                 "network.projections=( { layer = 1; } )");
}

/* ---- units, bounds and signs ---- */

Test(problem_projections, learn_in_the_units_that_are_named)
{
  pf_problem *problem = PROBLEM(ENTRY("units = \"0, 2-2\";"));
  const pf_plastic *plastic = &problem->model->plastic[0];
  cr_expect(pf_plastic_has_row(plastic, 0) && !pf_plastic_has_row(plastic, 1) &&
            pf_plastic_has_row(plastic, 2));
  problem_drop(problem);
  EXPECT_REFUSED("expected postsynaptic units", ENTRY("units = \"2-1\";"));
}

Test(problem_projections, have_bounds_and_signs)
{
  pf_problem *problem = PROBLEM(ENTRY("bounds = [-2.0, 3.0]; dale = \"1+ -\";"));
  const pf_bound *bound = &problem->model->bounds[0];
  cr_assert(bound->lower != NULL);
  cr_expect(bound->lower[0] == 0.0 && bound->upper[0] == 3.0);
  cr_expect(bound->lower[1] == -2.0 && bound->upper[1] == 0.0);
  problem_drop(problem);
  EXPECT_REFUSED("expected [lower, upper]", ENTRY("bounds = [1.0];"));
  EXPECT_REFUSED("names 3 units, but 'layer1' has 2", ENTRY("dale = \"3+\";"));
  EXPECT_REFUSED("expected \"+\", \"-\" or signs", ENTRY("dale = \"up\";"));
}

Test(problem_projections, say_what_y_is)
{
  EXPECT_REFUSED("have no signal 'choices'", ENTRY("post = \"choices\";"));
  EXPECT_REFUSED("choices are made by other units", ENTRY("post = \"choice\";"));
  EXPECT_REFUSED("choice_code", ENTRY("post = \"choice\"; choice_code = \"both\";"));
}

Test(problem_projections, need_a_name)
{
  EXPECT_REFUSED("needs `layer`", "network.projections=( { rule = \"learn\"; } )");
  EXPECT_REFUSED("there is no rule 'other'",
                 "network.projections=( { layer = 1; rule = \"other\"; } )");
  EXPECT_REFUSED("named for two projections",
                 "network.projections=( { layer = 1; rule = \"learn\"; "
                 "}, { layer = 2; rule = \"learn\"; } )");
}

/* ---- parameters ---- */

/* The names that taylor gives to its terms. */
#define X "X1Y0W0R0"
#define R "X0Y0W0R1"
#define W "X0Y0W1R0"
#define XR "X1Y0W0R1"

Test(problem_parameters, are_started_bounded_and_scoped)
{
  pf_problem *problem = PROBLEM(
      PARAMETERS(W
                 ": { initial = 0.5; lower = -1.0; upper = 2.0; scope = \"animal\"; l1 = 0.1; };"),
      "rules.learn.init_sd=0.0");
  const pf_model_parameter *w = parameter_named(problem, W);
  cr_expect(w->declared.initial == 0.5 && w->declared.lower == -1.0 && w->declared.upper == 2.0);
  cr_expect(w->declared.scope == PF_SCOPE_ANIMAL && w->own_penalty && w->l1 == 0.1 && w->l2 == 0.0);
  cr_expect(parameter_named(problem, XR)->declared.scope == PF_SCOPE_SHARED);
  cr_expect(parameter_named(problem, XR)->declared.initial_sd == 0.0);
  problem_drop(problem);
}

Test(problem_parameters, of_the_teacher_are_values)
{
  pf_problem *problem = PROBLEM("source.rule.parameters={ " W " = -0.2; }");
  const pf_models *models = problem->models;
  bool found = false;
  for (size_t i = 0; i < models->teacher->n_parameters; i++) {
    found = found || models->teacher_theta[i] == -0.2;
  }
  cr_expect(found);
  problem_drop(problem);
}

Test(problem_parameters, that_make_no_sense_are_refused)
{
  EXPECT_REFUSED("has no parameter 'X0Y0W1'; did you mean 'X0Y0W1R0'?",
                 PARAMETERS("X0Y0W1 = 1.0;"));
  EXPECT_REFUSED("found lower = 2 above upper = 1",
                 PARAMETERS(W ": { lower = 2.0; upper = 1.0; };"));
  EXPECT_REFUSED("is fixed at 3", PARAMETERS(W ": { initial = 3.0; upper = 1.0; fixed = true; };"));
  EXPECT_REFUSED("takes its value from there",
                 PARAMETERS(W ": { tied = \"" XR "\"; initial = 1.0; };"));
  EXPECT_REFUSED("leave numbers and minus signs out", "rules.learn.terms=x r - 0.05 w");
}

/* b = -2 a and a in [-1, 1], b in [0, 1]: a in [-0.5, 0]. */
Test(problem_parameters, share_bounds_with_what_they_are_tied_to)
{
  pf_problem *problem =
      PROBLEM("rules.learn.terms=x + r + w",
              PARAMETERS(X ": { lower = -1.0; upper = 1.0; }; " R ": { tied = \"-2 * " X
                           "\"; lower = 0.0; upper = 1.0; }; " W ": { tied = \"0.5 " R "\"; };"));
  const pf_model_parameter *x = parameter_named(problem, X), *r = parameter_named(problem, R),
                           *w = parameter_named(problem, W);
  cr_expect(x->declared.lower == -0.5 && x->declared.upper == 0.0);
  cr_expect(r->tied && r->factor == -2.0 && &problem->model->parameters[r->tied_to] == x);
  cr_expect(w->tied && w->factor == -1.0 && &problem->model->parameters[w->tied_to] == x);
  problem_drop(problem);
}

Test(problem_parameters, are_tied_to_what_there_is)
{
  EXPECT_REFUSED("cannot be tied to itself", PARAMETERS(W ": { tied = \"" W "\"; };"));
  EXPECT_REFUSED("has no parameter 'z'", PARAMETERS(W ": { tied = \"z\"; };"));
  EXPECT_REFUSED("a factor that is not 0", PARAMETERS(W ": { tied = \"0 * " W "\"; };"));
  EXPECT_REFUSED("tied to each other in a circle", "rules.learn.terms=x + w",
                 PARAMETERS(W ": { tied = \"" X "\"; }; " X ": { tied = \"" W "\"; };"));
  EXPECT_REFUSED("leave no value for both", "rules.learn.terms=x + w",
                 PARAMETERS(X ": { lower = 1.0; }; " W ": { tied = \"" X "\"; upper = 0.0; };"));
}

/* ---- learned starting weights, forgetting ---- */

Test(problem_parameters, may_be_starting_weights)
{
  pf_problem *problem =
      PROBLEM("network.initial_weights.learn=each", "network.initial_weights.scope=shared",
              "network.initial_weights.lower=-3.0");
  const pf_model *model = problem->model;
  cr_assert(model->n_parameters - model->start_theta0 == 6);
  const pf_parameter *first = &model->parameters[model->start_theta0].declared;
  cr_expect(first->scope == PF_SCOPE_SHARED && first->lower == -3.0 && isinf(first->upper));
  problem_drop(problem);
  EXPECT_REFUSED("found lower = 1 above upper = 0", "network.initial_weights.learn=each",
                 "network.initial_weights.lower=1.0", "network.initial_weights.upper=0.0");
  EXPECT_REFUSED("has no projection 'layer9'", "network.initial_weights.learn=mean_and_sd",
                 "network.initial_weights.projections=[\"layer9\"]");
}

Test(problem_parameters, may_be_a_rate_of_forgetting)
{
  pf_problem *problem = PROBLEM(
      "source.sessions={ persist = true; count = 2; gap = 20.0; forget = true; rate = 0.01; "
      "true_rate = 0.05; }");
  const pf_model *model = problem->model;
  cr_assert(model->forgets && problem->models->teacher->forgets);
  cr_expect(model->parameters[model->forgetting_theta].declared.initial == 0.01);
  cr_expect(model->parameters[model->forgetting_theta].declared.value == 0.05);
  cr_expect(problem->data.recordings[0].gap != NULL);
  problem_drop(problem);
}

/* ---- channels ---- */

Test(problem_channels, are_those_of_the_source_and_what_is_derived)
{
  pf_problem *problem =
      PROBLEM("source.derive=( { name = \"last\"; of = \"reward\"; lag_trials = 1; } )",
              "rules.learn.modulator=reward - last");
  pf_names all = {0}, live = {0};
  pf_error error = pf_error_none();
  cr_assert(pf_channel_names(problem->models, problem->settings, false, &all, &error) == PF_OK);
  cr_assert(pf_channel_names(problem->models, problem->settings, true, &live, &error) == PF_OK);
  cr_expect(all.count == live.count + 1 && strcmp(all.items[all.count - 1], "last") == 0);
  cr_expect(pf_recording_channel(&problem->data.recordings[0], "last") != NULL);
  pf_memory_free((void *)all.items);
  pf_memory_free((void *)live.items);
  problem_drop(problem);
}

Test(problem_channels, that_cannot_be_derived_are_refused)
{
#define DERIVE(keys) "source.derive=( { name = \"new\"; of = \"reward\"; " keys " } )"
  EXPECT_REFUSED("is derived with none of them", DERIVE(""));
  EXPECT_REFUSED("is derived with several of them", DERIVE("lag = 1; difference = 1;"));
  EXPECT_REFUSED("signed_by_cue says nothing about",
                 DERIVE("difference = 1; signed_by_cue = true;"));
  EXPECT_REFUSED("there is a channel 'reward' already",
                 "source.derive=( { name = \"reward\"; of = \"reward\"; lag = 1; } )");
  EXPECT_REFUSED("did you mean 'reward'",
                 "source.derive=( { name = \"a\"; of = \"rewar\"; lag = 1; "
                 "} )");
  EXPECT_REFUSED("there is no channel 'pain'", "rules.learn.modulator=pain");
}

/* ---- teachers ---- */

Test(problem_teacher, may_have_a_rule_for_each)
{
  EXPECT_REFUSED("expected one of them: `rule`",
                 "source.rules={ learn: { plugin = \"taylor\"; terms = \"x r\"; }; }");
  EXPECT_REFUSED("`losses` is empty", "losses=( )");
}
