/*
 * The objective that an optimiser sees, with all that a config can free: coefficients of the rule,
 * gain and side preference of the network, bias and lapse of the choices, starting weights (each,
 * and as mean and sd), shared or an animal's own, each with penalties of its own. Its gradient
 * against differences, value by value.
 */
#include "core/base/memory.h"
#include "core/fit/fit_groups.h"
#include "core/fit/group_objective.h"
#include "core/model/starting_weights.h"
#include "tests/unit/support/numbers.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { ANIMALS = 3, MAX_VALUES = 64 };

static void set_free(pf_model *model, const char *owner, const char *name, uint32_t scope,
                     double l1, double l2)
{
  bool found = false;
  for (size_t i = 0; i < model->n_parameters; i++) {
    pf_model_parameter *parameter = &model->parameters[i];
    if (strcmp(parameter->owner, owner) == 0 && strcmp(parameter->declared.name, name) == 0) {
      parameter->declared.flags &= ~(uint32_t)PF_PARAMETER_FIXED;
      parameter->declared.scope = scope;
      parameter->own_penalty = true;
      parameter->l1 = l1;
      parameter->l2 = l2;
      found = true;
    }
  }
  cr_assert(found, "%s.%s", owner, name);
}

/** l1 |v - centre| + l2 (v - centre)^2 of every value, by what the test set. */
static double penalty_of(const pf_layout *layout, const double *v)
{
  static const struct {
    const char *owner, *name;
    double l1, l2;
  } set[] = {{"rules.learn", "", 0.01, 0.1},     {"network", "gain", 0.0, 0.02},
             {"network", "bias", 0.03, 0.2},     {"losses.[0]", "bias", 0.0, 0.7},
             {"losses.[0]", "lapse", 0.0, 0.4},  {"network", "w0.layer1", 0.02, 0.3},
             {"network", "w0.layer2", 0.0, 0.05}};
  double sum = 0.0;
  for (size_t k = 0; k < layout->n; k++) {
    const pf_model_parameter *parameter =
        &layout->parameters[layout->instances[layout->index[k]].parameter];
    size_t which = 0;
    while (strcmp(set[which].owner, parameter->owner) != 0 ||
           strncmp(set[which].name, parameter->declared.name, strlen(set[which].name)) != 0) {
      which++;
      cr_assert(which < sizeof set / sizeof set[0], "%s.%s", parameter->owner,
                parameter->declared.name);
    }
    const double off = v[k] - (which == 0 ? 0.0 : parameter->declared.initial);
    sum += set[which].l1 * fabs(off) + set[which].l2 * off * off;
  }
  return sum;
}

static size_t count_of(const pf_layout *layout, const char *name)
{
  size_t n = 0;
  for (size_t k = 0; k < layout->n; k++) {
    n += strcmp(layout->parameters[layout->instances[layout->index[k]].parameter].declared.name,
                name) == 0
             ? 1
             : 0;
  }
  return n;
}

Test(fit_scopes, the_objective_of_everything_that_is_learned_has_the_gradient_it_says)
{
  const pf_start_spec each = {
      .scope = PF_SCOPE_ANIMAL, .lower = -INFINITY, .upper = INFINITY, .l1 = 0.02, .l2 = 0.3};
  const pf_start_spec spread = {
      .scope = PF_SCOPE_SHARED, .lower = -INFINITY, .upper = INFINITY, .l2 = 0.05};
  tiny_problem tiny;
  pf_error error = pf_error_none();
  tiny_problem_create(&tiny, TINY_CHOICE, ANIMALS);
  pf_problem *problem = &tiny.problem;
  pf_model *model = problem->model;
  problem->options.per = PF_FIT_SHARED;
  problem->settings->fit.batch = PF_BATCH_FULL;
  problem->options.l1 = 0.01;
  problem->options.l2 = 0.1;
  set_free(model, "network", "gain", PF_SCOPE_SHARED, 0.0, 0.02);
  set_free(model, "network", "bias", PF_SCOPE_ANIMAL, 0.03, 0.2);
  set_free(model, "losses.[0]", "bias", PF_SCOPE_SHARED, 0.0, 0.7);
  set_free(model, "losses.[0]", "lapse", PF_SCOPE_EXPERIMENT, 0.0, 0.4);
  cr_assert(pf_model_learn_start(model, 0, PF_START_EACH, &each, &error) == PF_OK, "%s",
            error.text);
  cr_assert(pf_model_learn_start(model, 1, PF_START_MEAN_SD, &spread, &error) == PF_OK, "%s",
            error.text);

  pf_fit *fit = pf_memory_need(1, sizeof *fit, &error);
  pf_group_batches batches = {0};
  pf_workspace *workspace = NULL;
  pf_group_objective *object = NULL;
  cr_assert(pf_fit_groups_create(problem, fit, &error) == PF_OK, "%s", error.text);
  cr_assert(fit->n_groups == 1 && fit->groups[0].status == PF_OK, "%s", fit->groups[0].error.text);
  const pf_layout *layout = fit->groups[0].layout;
  cr_assert(pf_group_batches_create(problem, &fit->groups[0], true, &batches, &error) == PF_OK,
            "%s", error.text);
  cr_assert(pf_workspace_create(model, pf_dataset_longest(&problem->data)->n_steps, &workspace,
                                &error) == PF_OK);
  const pf_group_objective_in in = {.problem = problem,
                                    .layout = layout,
                                    .batches = &batches,
                                    .penalised = true,
                                    .workspaces = &workspace,
                                    .n_workspaces = 1};
  cr_assert(pf_group_objective_create(&in, &object, &error) == PF_OK, "%s", error.text);
  const pf_function *function = pf_group_objective_get(object);

  /* 5 of the rule, gain, 3 biases of the network, bias and 3 lapses, 3 x 6 weights, mean and sd of
   * the readout's */
  cr_assert(layout->n == 5 + 1 + ANIMALS + 1 + ANIMALS + 6 * ANIMALS + 2, "%zu", layout->n);
  cr_assert(layout->n <= MAX_VALUES && function->n == layout->n);
  cr_expect(count_of(layout, "gain") == 1 && count_of(layout, "lapse") == ANIMALS);
  cr_expect(count_of(layout, "w0.layer1[2][1]") == ANIMALS &&
            count_of(layout, "w0.layer2.sd") == 1);

  double v[MAX_VALUES], gradient[MAX_VALUES], value = 0.0, worst = 0.0, largest = 0.0;
  uint64_t numbers = 5;
  for (size_t k = 0; k < layout->n; k++) {
    const char *name =
        layout->parameters[layout->instances[layout->index[k]].parameter].declared.name;
    v[k] = strcmp(name, "lapse") == 0  ? 0.05 + 0.2 * numbers_uniform(&numbers)
           : strcmp(name, "gain") == 0 ? 4.0
                                       : 0.3 * numbers_normal(&numbers);
  }
  const double penalty = penalty_of(layout, v);
  cr_expect(penalty > 0.5 && fabs(-pf_group_objective_data_term(object, &(pf_iterate){.v = v}) -
                                  penalty) < 1e-12 * penalty,
            "%g", penalty);
  cr_assert(function->value(function->self, v, &value, gradient, &error) == PF_OK, "%s",
            error.text);
  for (size_t k = 0; k < layout->n; k++) {
    largest = fmax(largest, fabs(gradient[k]));
  }
  for (size_t k = 0; k < layout->n && sizeof(pf_real) == sizeof(double); k++) {
    const double h = 1e-5, at = v[k];
    double f[4];
    for (int i = 0; i < 4; i++) {
      v[k] = at + h * (i < 2 ? i - 2 : i - 1);
      cr_assert(function->value(function->self, v, &f[i], NULL, &error) == PF_OK, "%s", error.text);
    }
    v[k] = at;
    const double slope = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * h);
    cr_expect(gradient[k] != 0.0);
    worst = fmax(worst, fabs(gradient[k] - slope) / largest);
  }
  cr_expect(worst < 1e-9, "off by %g of the largest",
            worst); /* measured 2.7e-11, the rounding of the differences */

  pf_group_objective_free(object);
  pf_workspace_free(workspace);
  pf_group_batches_clear(&batches);
  pf_fit_free(problem, fit);
  tiny_problem_free(&tiny);
}
