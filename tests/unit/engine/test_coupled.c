/*
 * core/engine, the coupled path: state, recurrence, traces, bounds, several rules on a projection,
 * sessions with gaps. Whole trajectories (T >= 200, missing cells, masks, resets) against
 * differences; the same bits for any budget; the two paths against each other where both can go.
 */
#include "core/base/memory.h"
#include "core/data/expected_reward.h"
#include "core/engine/coupled.h"
#include "core/engine/explain.h"
#include "core/engine/simulation.h"
#include "core/engine/sweep.h"
#include "core/model/build_model.h"
#include "core/model/masks.h"
#include "core/model/model_parameters.h"
#include "core/model/modulation.h"
#include "core/model/plastic.h"
#include "core/model/weight_bounds.h"
#include "core/sensitivity/information.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include "tests/unit/support/remembering.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *taylor_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum {
  LONGEST = 260,
  MAX_THETA = 128,
  MAX_RULES = 6,
  MAX_LOSSES = 3,
  MAX_UNITS = 9,
  N_NOISE = 128
};

static const char *const channel_names[] = {"reward", "expected_reward"};

typedef struct net {
  fake_host host;
  pf_component network, rules[MAX_RULES], losses[MAX_LOSSES];
  size_t n_rules, n_losses;
  pf_model *model;
  pf_dataset data;
  pf_draw *draws[2];
  pf_workspace *workspace;
  double noise[N_NOISE], theta[MAX_THETA];
  uint64_t numbers;
} net;

static pf_component with_options(net *n, const pf_plugin *plugin, const fake_value *given,
                                 size_t n_given)
{
  pf_error error = pf_error_none();
  fake_options options;
  pf_component component = {.plugin = plugin};
  fake_options_init(&options, &plugin->options, given, n_given);
  pf_status (*create)(const pf_host *, const pf_options *, void **, pf_error *) =
      plugin->rule != NULL ? plugin->rule->create : plugin->loss->create;
  cr_assert(create(&n->host.face, &options.face, &component.self, &error) == PF_OK, "%s",
            error.text);
  component.label = pf_memory_string(plugin->name, &error);
  return component;
}

static pf_component bare(const pf_plugin *plugin)
{
  pf_error error = pf_error_none();
  return (pf_component){.plugin = plugin, .label = pf_memory_string(plugin->name, &error)};
}

/* Two recordings of unequal length: two steps in three are plastic, three cells in ten missing,
 * several sessions. */
static void add_recording(net *n, const char *name, int64_t n_steps, const char *const *targets,
                          const int64_t *width, size_t n_targets)
{
  static double cue[LONGEST * REMEMBERING_IN], reward[LONGEST], dt[LONGEST],
      values[3][LONGEST * MAX_UNITS];
  uint32_t flags[LONGEST];
  pf_target given[3];
  for (int i = 0; i < LONGEST * REMEMBERING_IN; i++) {
    cue[i] = 0.3 + 0.7 * numbers_normal(&n->numbers);
  }
  for (int64_t t = 0; t < n_steps; t++) {
    reward[t] = numbers_uniform(&n->numbers) < 0.5 ? 1.0 : 0.0;
    dt[t] = 0.5 + numbers_uniform(&n->numbers);
    flags[t] = PF_STEP_FIT | (numbers_uniform(&n->numbers) < 0.67 ? (uint32_t)PF_STEP_PLASTIC : 0U);
    flags[t] |= t == 61 || t == 140 ? PF_STEP_RESET_STATE : 0;
    flags[t] |= t == 61 || t == 62 || t == 170 ? PF_STEP_RESET_TRACES : 0;
  }
  flags[60] |=
      PF_STEP_PLASTIC; /* the session ends with a change of the weights; that at 139 does not */
  flags[139] &= ~(uint32_t)PF_STEP_PLASTIC;
  for (size_t k = 0; k < n_targets; k++) {
    for (int64_t i = 0; i < n_steps * width[k]; i++) {
      values[k][i] =
          numbers_uniform(&n->numbers) < 0.3 ? (double)NAN : 0.5 * numbers_normal(&n->numbers);
    }
    given[k] = (pf_target){.name = targets[k], .n = width[k], .values = values[k]};
  }
  const pf_channel channel = {.name = "reward", .values = reward};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = name,
                                    .name = name,
                                    .n_steps = n_steps,
                                    .n_input = REMEMBERING_IN,
                                    .cue = cue,
                                    .dt = dt,
                                    .flags = flags,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {given, n_targets, sizeof given[0]}};
  const pf_expected_reward expectation = {.kind = PF_EXPECTATION_window, .n = 10};
  pf_error error = pf_error_none();
  cr_assert(pf_dataset_add(&n->data, &experiment, &error) == PF_OK, "%s", error.text);
  pf_recording *recording = &n->data.recordings[n->data.n - 1];
  cr_assert(pf_recording_expect_reward(recording, &expectation, &error) == PF_OK, "%s", error.text);
  recording->gap = pf_memory_need((size_t)n_steps, sizeof *recording->gap, &error);
  cr_assert(recording->gap != NULL);
  recording->gap[61] = 16.0;
  recording->gap[140] = 40.0;
}

static void start(net *n, const pf_plugin *network, uint64_t seed)
{
  memset(n, 0, sizeof *n);
  (void)fake_host_init(&n->host);
  n->host.fail_at = -1;
  n->numbers = seed;
  n->network = bare(network);
}

static void build(net *n, pf_plastic_spec *specs, size_t n_specs, const char *const *targets,
                  const int64_t *width, size_t n_losses)
{
  pf_loss_spec losses[MAX_LOSSES];
  pf_error error = pf_error_none();
  for (size_t k = 0; k < n_losses; k++) {
    const fake_value on[] = {FAKE_STRING("observable", targets[k]),
                             FAKE_STRING("target", targets[k])};
    n->losses[k] = with_options(n, activity_LTX_pf_plugin_entry(), on, 2);
    losses[k] =
        (pf_loss_spec){.loss = &n->losses[k], .weight = 1.0 - 0.2 * (double)k, .owner = "losses"};
  }
  n->n_losses = n_losses;
  for (size_t p = 0; p < n_specs; p++) {
    specs[p].rule = &n->rules[p];
    specs[p].owner = "rules";
  }
  n->n_rules = n_specs;
  cr_assert(
      pf_model_create(&(const pf_model_spec){&n->network, specs, n_specs, losses, n_losses,
                                             &pf_normalisations[0], (pf_names){channel_names, 2}},
                      &n->model, &error) == PF_OK,
      "%s", error.text);
  add_recording(n, "a", LONGEST, targets, width, n_losses);
  add_recording(n, "b", 203, targets, width, n_losses);
  for (size_t i = 0; i < N_NOISE; i++) {
    n->noise[i] = numbers_normal(&n->numbers);
  }
}

/* Half of the synapses of a projection are not there, or not plastic. */
static void mask(net *n, const char *name)
{
  uint8_t connected[MAX_UNITS * MAX_UNITS], plastic[MAX_UNITS * MAX_UNITS];
  int64_t n_post = 0, n_pre = 0;
  pf_error error = pf_error_none();
  const int64_t q = pf_model_projection(n->model, name, &n_post, &n_pre);
  for (int i = 0; i < MAX_UNITS * MAX_UNITS; i++) {
    connected[i] = numbers_uniform(&n->numbers) < 0.7;
    plastic[i] = numbers_uniform(&n->numbers) < 0.8;
  }
  cr_assert(pf_model_mask(n->model, q, connected, plastic, &error) == PF_OK, "%s", error.text);
}

static void bound(net *n, const char *name, double lower, double upper, const int8_t *signs)
{
  int64_t n_post = 0, n_pre = 0;
  pf_error error = pf_error_none();
  cr_assert(pf_model_bound(n->model, pf_model_projection(n->model, name, &n_post, &n_pre), lower,
                           upper, signs, &error) == PF_OK,
            "%s", error.text);
}

/* With all that in place: theta, draws, memory. */
static void finish(net *n)
{
  static const double traces[] = {0.7, 0.6, 0.5, 0.8};
  pf_error error = pf_error_none();
  cr_assert(n->model->n_parameters <= MAX_THETA);
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    n->theta[i] = n->model->parameters[i].declared.initial;
  }
  for (size_t p = 0; p < n->n_rules; p++) {
    const pf_plastic *plastic = &n->model->plastic[p];
    for (size_t i = 0; i < plastic->declared.parameters.count; i++) {
      n->theta[plastic->theta0 + i] = plastic->declared.traces.count > 0 && i < 4
                                          ? traces[i]
                                          : 0.1 * numbers_normal(&n->numbers);
    }
  }
  for (size_t d = 0; d < n->data.n; d++) {
    const pf_recording *recording = &n->data.recordings[d];
    cr_assert(pf_draw_create(n->model, recording, recording->cue, n->noise, &n->draws[d], &error) ==
                  PF_OK,
              "%s", error.text);
  }
  cr_assert(pf_workspace_create(n->model, LONGEST, &n->workspace, &error) == PF_OK, "%s",
            error.text);
}

static void end(net *n)
{
  pf_workspace_free(n->workspace);
  for (size_t d = 0; d < n->data.n; d++) {
    pf_draw_free(n->model, n->draws[d]);
  }
  pf_dataset_free(&n->data);
  pf_model_free(n->model);
  pf_memory_free(n->network.label);
  for (size_t p = 0; p < n->n_rules; p++) {
    n->rules[p].plugin->rule->destroy(n->rules[p].self);
    pf_memory_free(n->rules[p].label);
  }
  for (size_t k = 0; k < n->n_losses; k++) {
    n->losses[k].plugin->loss->destroy(n->losses[k].self);
    pf_memory_free(n->losses[k].label);
  }
}

/* ---- nets ---- */

/* Everything at once: five rules on four projections, two of them on one by units, masks, bounds,
 * gaps. */
static void start_coupled(net *n, uint64_t seed)
{
  static const char *const targets[] = {"units", "coupled", "output"};
  static const int64_t width[] = {REMEMBERING_UNITS, REMEMBERING_COUPLED, REMEMBERING_OUT};
  static const pf_range first[] = {{3, 1}, {0, 2}}, second[] = {{2, 1}};
  pf_error error = pf_error_none();
  const fake_value terms[] = {FAKE_STRING("terms", "1 + x r + x y + y^2 w + w")};
  pf_plastic_spec specs[] = {{.projection = "in", .eta = 0.05, .ranges = first, .n_ranges = 2},
                             {.projection = "back", .eta = 0.04},
                             {.projection = "in", .eta = 0.03, .ranges = second, .n_ranges = 1},
                             {.projection = "feedback", .eta = 0.05},
                             {.projection = "out", .eta = 0.04}};
  start(n, &remembering_network, seed);
  n->rules[0] = bare(&tracing_rule_after);
  n->rules[1] = bare(&tracing_rule_before);
  n->rules[2] = with_options(n, taylor_LTX_pf_plugin_entry(), terms, 1);
  n->rules[3] = with_options(n, taylor_LTX_pf_plugin_entry(), terms, 1);
  n->rules[4] = bare(&tracing_rule_after);
  build(n, specs, 5, targets, width, 3);
  mask(n, "in");
  mask(n, "back");
  cr_assert(pf_model_forget(n->model, 0.01, &error) == PF_OK);
}

/* Row-separable: rules with traces of their own, by units, and bounds. */
static void start_separable(net *n, uint64_t seed, bool bounded)
{
  static const char *const targets[] = {"units", "output"};
  static const int64_t width[] = {9, REMEMBERING_OUT};
  static const pf_range first[] = {{0, 3}, {7, 1}}, second[] = {{4, 3}};
  static const int8_t signs[] = {1, 0, -1};
  const fake_value terms[] = {FAKE_STRING("terms", "1 + x r + x y + y^2 w + w")};
  pf_plastic_spec specs[] = {{.projection = "in", .eta = 0.05, .ranges = first, .n_ranges = 2},
                             {.projection = "in", .eta = 0.03, .ranges = second, .n_ranges = 1},
                             {.projection = "read", .eta = 0.04}};
  start(n, &separable_network, seed);
  n->rules[0] = bare(&tracing_rule_before);
  n->rules[1] = with_options(n, taylor_LTX_pf_plugin_entry(), terms, 1);
  n->rules[2] = bare(&tracing_rule_after);
  build(n, specs, 3, targets, width, 2);
  mask(n, "in");
  if (bounded) {
    bound(n, "in", -0.8, 0.9, signs);
    bound(n, "read", -0.7, 0.6, NULL);
  }
}

/* ---- what is compared ---- */

typedef pf_status (*gradient_path)(const net *n, size_t draw, const double *scale, double *gradient,
                                   pf_error *error);

static pf_status coupled(const net *n, size_t draw, const double *scale, double *gradient,
                         pf_error *error)
{
  pf_loss_value values[MAX_LOSSES];
  return pf_coupled_gradient(
      &(const pf_simulation){n->model, n->draws[draw], n->theta, {&n->workspace, 1}}, scale, values,
      gradient, error);
}

static pf_status swept(const net *n, size_t draw, const double *scale, double *gradient,
                       pf_error *error)
{
  pf_loss_value values[MAX_LOSSES];
  cr_assert(pf_sweep_can(n->model));
  return pf_sweep_gradient(
      &(const pf_simulation){n->model, n->draws[draw], n->theta, {&n->workspace, 1}}, scale, values,
      gradient, error);
}

static const double scales[] = {1.0, -0.7, 0.4};

static void gradient_of(const net *n, gradient_path path, double *gradient)
{
  pf_error error = pf_error_none();
  memset(gradient, 0, MAX_THETA * sizeof *gradient);
  for (size_t d = 0; d < n->data.n; d++) {
    cr_assert(path(n, d, scales, gradient, &error) == PF_OK, "%s", error.text);
  }
}

static double value_at(const net *n, const double *theta, uint32_t run_flags)
{
  pf_error error = pf_error_none();
  double sum = 0.0;
  for (size_t d = 0; d < n->data.n; d++) {
    pf_loss_value values[MAX_LOSSES];
    cr_assert(pf_forward(&(const pf_simulation){n->model, n->draws[d], theta, {&n->workspace, 1}},
                         run_flags, PF_STEP_FIT, values, &error) == PF_OK,
              "%s", error.text);
    for (size_t k = 0; k < n->n_losses; k++) {
      sum += scales[k] * values[k].log_likelihood;
    }
  }
  return sum;
}

/* Largest |gradient - slope| of fourth order, over the component and a thousandth of the largest
 * one. */
static double worst_component(net *n, const double *gradient)
{
  double theta[MAX_THETA], norm = 0.0, worst = 0.0;
  memcpy(theta, n->theta, sizeof theta);
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    norm = fmax(norm, fabs(gradient[i]));
  }
  cr_assert(norm > 0.0);
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    const double h = 1e-5;
    double v[4];
    for (int k = 0; k < 4; k++) {
      theta[i] = n->theta[i] + h * (k < 2 ? k - 2 : k - 1);
      v[k] = value_at(n, theta, 0);
    }
    theta[i] = n->theta[i];
    const double slope = (v[0] - 8.0 * v[1] + 8.0 * v[2] - v[3]) / (12.0 * h);
    cr_expect(gradient[i] != 0.0, "%s (%zu) has no gradient", n->model->parameters[i].declared.name,
              i);
    worst = fmax(worst, fabs(gradient[i] - slope) / (fabs(gradient[i]) + 1e-3 * norm));
  }
  return worst;
}

/* Measured with gcc 12, double: 1e-7 at most, the rounding of the differences; the rest is room for
 * other compilers. */
static const double tolerance = 1e-6;

static void check_budgets(net *n, gradient_path path, const double *gradient)
{
  double again[MAX_THETA];
  for (size_t budget = 0; budget < 3; budget++) {
    n->model->state_budget = budget == 0 ? 1 : budget == 1 ? 40000 : 0;
    gradient_of(n, path, again);
    cr_expect(memcmp(again, gradient, sizeof again) == 0, "budget %zu: other bits",
              n->model->state_budget);
  }
}

/* Tangents of every parameter, forward, against the adjoint; measured 3e-14, in single precision
 * 3e-5. */
static void check_tangents(const net *n, const double *gradient, const char *what)
{
  const size_t n_theta = n->model->n_parameters;
  const double most = sizeof(pf_real) == sizeof(double) ? 1e-10 : 1e-2;
  double forward[MAX_THETA] = {0}, norm = 0.0, apart = 0.0;
  size_t which[MAX_THETA];
  for (size_t i = 0; i < n_theta; i++) {
    which[i] = i;
  }
  const pf_directions directions = {.n = n_theta, .which = which};
  for (size_t d = 0; d < n->data.n; d++) {
    pf_error error = pf_error_none();
    const pf_information_in in = {n->model, n->draws[d], n->theta, scales, &n->workspace, 1};
    pf_information_out out = {.gradient = forward};
    cr_assert(pf_information(&in, &directions, &out, &error) == PF_OK, "%s", error.text);
  }
  for (size_t i = 0; i < n_theta; i++) {
    norm = fmax(norm, fabs(gradient[i]));
    apart = fmax(apart, fabs(forward[i] - gradient[i]));
  }
  cr_expect(apart < most * norm, "%s: tangents are %g apart from the adjoint", what, apart / norm);
}

static void check(net *n, gradient_path path, const char *what)
{
  double gradient[MAX_THETA];
  finish(n);
  gradient_of(n, path, gradient);
  check_tangents(n, gradient, what);
  if (sizeof(pf_real) == sizeof(double)) {
    const double worst = worst_component(n, gradient);
    cr_expect(worst < tolerance, "%s: off by %g", what, worst);
  }
  check_budgets(n, path, gradient);
  end(n);
}

Test(engine_coupled, gradients_are_exact_through_state_recurrence_traces_and_gaps)
{
  net n;
  start_coupled(&n, 7);
  check(&n, coupled, "coupled");
}

Test(engine_coupled, gradients_are_exact_with_bounds_and_signs)
{
  static const int8_t signs[] = {1, -1, 0, 1};
  net n;
  start_coupled(&n, 21);
  bound(&n, "back", -0.9, 0.7, NULL);
  bound(&n, "out", -1.0, 0.8, signs);
  bound(&n, "read", -0.4, 0.4, NULL);
  check(&n, coupled, "coupled, bounded");
}

Test(engine_coupled, sweeps_take_traces_and_rules_by_units)
{
  net n;
  start_separable(&n, 5, false);
  check(&n, swept, "swept");
}

Test(engine_coupled, sweeps_take_bounds)
{
  net n;
  start_separable(&n, 6, true);
  check(&n, swept, "swept, bounded");
}

Test(engine_coupled, both_paths_agree)
{
  /* measured 4e-16; in single precision 3e-7 */
  const double most = sizeof(pf_real) == sizeof(double) ? 1e-12 : 1e-5;
  double one[MAX_THETA], other[MAX_THETA], apart = 0.0, norm = 0.0;
  net n;
  start_separable(&n, 6, true);
  finish(&n);
  gradient_of(&n, swept, one);
  gradient_of(&n, coupled, other);
  for (size_t i = 0; i < n.model->n_parameters; i++) {
    apart = fmax(apart, fabs(one[i] - other[i]));
    norm = fmax(norm, fabs(one[i]));
  }
  cr_expect(apart < most * norm, "%g apart", apart / norm);
  end(&n);
}

/* ---- bounds ---- */

/* Weights that start on a bound, and a rule that moves them one way or the other: the derivative
 * towards the inside. */
Test(engine_coupled, at_a_bound_the_derivative_is_the_one_sided_one_towards_the_inside)
{
  static const char *const targets[] = {"units"};
  static const int64_t width[] = {9};
  const fake_value terms[] = {FAKE_STRING("terms", "1")};
  pf_plastic_spec specs[] = {{.projection = "in", .eta = 0.05}};
  net n;
  double gradient[MAX_THETA];
  start(&n, &separable_network, 3);
  n.rules[0] = with_options(&n, taylor_LTX_pf_plugin_entry(), terms, 1);
  build(&n, specs, 1, targets, width, 1);
  bound(&n, "in", 0.25, INFINITY, NULL);
  finish(&n);
  double at_bound[9 * REMEMBERING_IN];
  for (int i = 0; i < 9 * REMEMBERING_IN; i++) {
    at_bound[i] = 0.25;
  }
  for (size_t d = 0; d < n.data.n; d++) {
    pf_error error = pf_error_none();
    cr_assert(pf_draw_give_weights(n.model, n.draws[d], 0, at_bound, &error) == PF_OK);
  }
  double theta[MAX_THETA] = {0.0}; /* dw = 0: weights stay on the bound, exactly */
  n.theta[0] = 0.0;
  for (int path = 0; path < 2; path++) {
    gradient_of(&n, path == 0 ? swept : coupled, gradient);
    if (sizeof(pf_real) == sizeof(double)) {
      const double h = 1e-5, here = value_at(&n, theta, 0);
      double side[4];
      for (int k = 0; k < 4; k++) {
        theta[0] = k < 3 ? h * (k + 1) : -h;
        side[k] = value_at(&n, theta, 0);
      }
      theta[0] = 0.0;
      const double inside =
          (-11.0 * here + 18.0 * side[0] - 9.0 * side[1] + 2.0 * side[2]) / (6.0 * h);
      cr_expect(fabs(gradient[0] - inside) < 1e-6 * fabs(inside), "%g, inside %g", gradient[0],
                inside);
      cr_expect(fabs(inside) > 1.0);
      cr_expect(side[3] == here, "beyond the bound nothing moves");
    }
  }
  /* further out, the clip is flat: no derivative at all */
  n.theta[0] = -0.3;
  gradient_of(&n, swept, gradient);
  cr_expect(gradient[0] == 0.0);
  gradient_of(&n, coupled, gradient);
  cr_expect(gradient[0] == 0.0);
  end(&n);
}

Test(engine_coupled, weights_keep_within_bounds_and_signs)
{
  static const int8_t signs[] = {1, -1, 0, 1};
  net n;
  pf_error error = pf_error_none();
  int64_t ld = 0, n_on_bound = 0;
  start_coupled(&n, 11);
  bound(&n, "out", -1.0, 0.3, signs);
  finish(&n);
  cr_assert(pf_forward(&(const pf_simulation){n.model, n.draws[0], n.theta, {&n.workspace, 1}}, 0,
                       PF_STEP_FIT, NULL, &error) == PF_OK);
  for (int64_t k = 0; k <= pf_workspace_n_changes(n.workspace); k++) {
    const pf_real *w = pf_workspace_weights(n.workspace, 4, k, &ld);
    for (int64_t i = 0; i < REMEMBERING_COUPLED; i++) {
      for (int64_t j = 0; j < REMEMBERING_UNITS; j++) {
        const double lower = signs[j] > 0 ? 0.0 : -1.0,
                     upper = signs[j] < 0 ? 0.0 : (double)(pf_real)0.3;
        const double value = (double)w[i * ld + j];
        cr_expect(value >= lower && value <= upper, "%g", value);
        n_on_bound += value == lower || value == upper;
      }
    }
  }
  cr_expect(n_on_bound > 100);
  end(&n);
}

Test(engine_coupled, a_bound_that_leaves_nothing_is_told)
{
  static const int8_t signs[] = {0, -1, 0};
  net n;
  pf_error error = pf_error_none();
  start_separable(&n, 6, false);
  cr_expect(pf_model_bound(n.model, 0, 0.5, 1.0, signs, &error) == PF_STOP);
  cr_expect(strstr(error.text, "presynaptic unit 1 are to be inhibitory") != NULL, "%s",
            error.text);
  error = pf_error_none();
  cr_expect(pf_model_bound(n.model, 0, 1.0, 0.5, NULL, &error) == PF_STOP);
  cr_expect(strstr(error.text, "found [1, 0.5]") != NULL, "%s", error.text);
  finish(&n);
  end(&n);
}

/* ---- weights that stand ---- */

static void check_rows(net *n)
{
  pf_error error = pf_error_none();
  finish(n);
  cr_assert(pf_forward(&(const pf_simulation){n->model, n->draws[0], n->theta, {&n->workspace, 1}},
                       0, PF_STEP_FIT, NULL, &error) == PF_OK);
  pf_workspace *other = NULL;
  cr_assert(pf_workspace_create(n->model, LONGEST, &other, &error) == PF_OK);
  cr_assert(pf_forward(&(const pf_simulation){n->model, n->draws[0], n->theta, {&other, 1}},
                       PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, &error) == PF_OK);
  const pf_simulation run = {n->model, n->draws[0], n->theta, {&other, 1}};
  for (size_t p = 0; p < n->model->n_plastic; p++) {
    static pf_real states[LONGEST * MAX_UNITS * MAX_UNITS];
    const int64_t n_changes = pf_workspace_n_changes(other),
                  n_rows = n->model->plastic[p].n_post - 1;
    int64_t ld = 0;
    cr_assert(n_changes > 100 && n_changes == pf_workspace_n_changes(n->workspace));
    cr_assert(pf_simulation_rows(&run, p, 1, n_rows, states, &error) == PF_OK, "%s", error.text);
    for (int64_t k = 0; k <= n_changes; k++) {
      const pf_real *w = pf_workspace_weights(n->workspace, p, k, &ld);
      for (int64_t i = 0; i < n_rows; i++) {
        const size_t row = (size_t)n->model->plastic[p].n_pre * sizeof(pf_real);
        cr_assert(memcmp(w + (1 + i) * ld, states + (k * n_rows + i) * ld, row) == 0,
                  "projection %zu, change %lld", p, (long long)k);
      }
    }
  }
  pf_workspace_free(other);
  end(n);
}

Test(engine_coupled, rows_are_recomputed_as_they_were)
{
  static const int8_t signs[] = {1, -1, 0, 1};
  net n;
  start_coupled(&n, 11);
  bound(&n, "out", -1.0, 0.8, signs);
  check_rows(&n);
  start_separable(&n, 6, true);
  check_rows(&n);
}

/* ---- what starts anew, and what lasts ---- */

/* The second session of an animal, simulated alone from the weights that the first one left, is the
 * same. */
Test(engine_coupled, a_session_is_a_run_from_the_weights_before_it_but_for_what_is_forgotten)
{
  net n;
  pf_error error = pf_error_none();
  start_coupled(&n, 7);
  finish(&n);
  const pf_draw *all = n.draws[0];
  const double rate = n.theta[n.model->forgetting_theta];
  cr_assert(pf_forward(&(const pf_simulation){n.model, all, n.theta, {&n.workspace, 1}}, 0,
                       PF_STEP_FIT, NULL, &error) == PF_OK);
  int64_t k = 0, units = 0, ld = 0, n_left = 0;
  for (int64_t t = 0; t < 61; t++) {
    k += (all->flags[t] & PF_STEP_PLASTIC) != 0;
  }
  /* the same steps, from step 61 on */
  pf_recording later = n.data.recordings[0];
  pf_draw rest = *all;
  double gap[LONGEST] = {0.0};
  gap[140 - 61] = later.gap[140];
  later.gap = gap;
  later.n_steps = rest.n_steps = LONGEST - 61;
  later.dt += 61;
  rest.recording = &later;
  rest.flags += 61;
  rest.input += 61 * rest.ld_input;
  pf_real *modulators[MAX_RULES], *given[6] = {NULL};
  rest.modulators = modulators;
  for (size_t p = 0; p < n.model->n_plastic; p++) {
    modulators[p] = all->modulators[p] + 61 * pf_modulation_cells(&n.model->plastic[p]);
  }
  rest.given_w = given;
  for (size_t p = 0; p < n.model->n_plastic; p++) {
    const pf_plastic *plastic = &n.model->plastic[p];
    const pf_real *w = pf_workspace_weights(n.workspace, p, k, &ld);
    const pf_real *mask_of = n.model->masks[plastic->projection].changes;
    pf_memory_free(given[plastic->projection]);
    given[plastic->projection] =
        pf_memory_need((size_t)(plastic->n_post * plastic->n_pre), sizeof(pf_real), &error);
    for (int64_t i = 0; i < plastic->n_post; i++) {
      for (int64_t j = 0; j < plastic->n_pre; j++) {
        const bool changes = mask_of == NULL || mask_of[i * ld + j] != 0;
        given[plastic->projection][i * plastic->n_pre + j] =
            changes ? (pf_real)exp(-rate * 16.0) * w[i * ld + j] : w[i * ld + j];
      }
    }
  }
  pf_workspace *other = NULL;
  cr_assert(pf_workspace_create(n.model, LONGEST, &other, &error) == PF_OK);
  cr_assert(pf_forward(&(const pf_simulation){n.model, &rest, n.theta, {&other, 1}}, 0, PF_STEP_FIT,
                       NULL, &error) == PF_OK,
            "%s", error.text);
  for (int64_t o = 0; o < 3; o++) {
    const pf_real *whole = pf_workspace_observable(n.workspace, o, &units, &ld);
    const pf_real *part = pf_workspace_observable(other, o, &units, &ld);
    for (int64_t t = 61; t < LONGEST; t++) {
      for (int64_t i = 0; i < units; i++, n_left++) {
        cr_assert(whole[t * ld + i] == part[(t - 61) * ld + i], "observable %lld, step %lld",
                  (long long)o, (long long)t);
      }
    }
  }
  cr_expect(n_left > 1000);
  for (size_t q = 0; q < 6; q++) {
    pf_memory_free(given[q]);
  }
  pf_workspace_free(other);
  end(&n);
}

Test(engine_coupled, without_plasticity_weights_stay_and_nothing_is_forgotten)
{
  net n;
  pf_error error = pf_error_none();
  start_coupled(&n, 7);
  finish(&n);
  const double still = value_at(&n, n.theta, PF_SIMULATE_NO_PLASTICITY);
  n.theta[n.model->forgetting_theta] = 0.5;
  n.theta[0] += 0.1;
  cr_expect(value_at(&n, n.theta, PF_SIMULATE_NO_PLASTICITY) == still);
  cr_expect(value_at(&n, n.theta, 0) != still);
  cr_expect(pf_workspace_n_changes(n.workspace) > 0);
  cr_assert(pf_forward(&(const pf_simulation){n.model, n.draws[0], n.theta, {&n.workspace, 1}},
                       PF_SIMULATE_NO_PLASTICITY, PF_STEP_FIT, NULL, &error) == PF_OK);
  cr_expect(pf_workspace_n_changes(n.workspace) == 0);
  end(&n);
}

/* ---- the plan ---- */

Test(engine_coupled, checkpoints_keep_memory_small)
{
  enum { LONG = 20000 };
  net n;
  pf_error error = pf_error_none();
  pf_explained all, few;
  start_coupled(&n, 7);
  finish(&n);
  pf_recording recording = n.data.recordings[0];
  recording.n_steps = LONG;
  recording.gap = NULL;
  recording.flags = pf_memory_need(LONG, sizeof *recording.flags, &error);
  for (int64_t t = 0; t < LONG; t++) {
    recording.flags[t] = PF_STEP_PLASTIC;
  }
  cr_assert(pf_explain(n.model, &recording, &all, &error) == PF_OK);
  n.model->state_budget = 1;
  cr_assert(pf_explain(n.model, &recording, &few, &error) == PF_OK);
  cr_expect(!all.swept && all.n_changes == LONG && all.interval == 0);
  cr_expect(few.interval == 142, "%lld", (long long)few.interval);
  const size_t trajectories = 2 * (all.bytes - all.forward_bytes); /* all but the states, nearly */
  cr_expect(few.bytes < all.bytes / 2 && few.bytes < trajectories, "%zu and %zu", few.bytes,
            all.bytes);
  pf_memory_free(recording.flags);
  end(&n);
}
