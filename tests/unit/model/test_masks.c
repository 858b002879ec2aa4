/*
 * core/engine with masks: two plastic layers, each with a rule and both masks of its own, two
 * losses with missing cells. Gradients against central differences on both paths through time; what
 * is not connected must not matter.
 */
#include "core/base/memory.h"
#include "core/data/expected_reward.h"
#include "core/engine/coupled.h"
#include "core/engine/simulation.h"
#include "core/engine/sweep.h"
#include "core/model/build_model.h"
#include "core/model/masks.h"
#include "core/model/plastic.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *feedforward_LTX_pf_plugin_entry(void);
const pf_plugin *taylor_LTX_pf_plugin_entry(void);
const pf_plugin *oja_LTX_pf_plugin_entry(void);
const pf_plugin *mlp_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum {
  N_IN = 5,
  N_HIDDEN = 4,
  N_OUT = 3,
  N_STEPS = 230,
  N_LOSSES = 2,
  N_PLASTIC = 2,
  MAX_THETA = 256
};

static const char *const channel_names[] = {"reward", "expected_reward"};

typedef struct net {
  fake_host host;
  pf_component network, rules[N_PLASTIC], losses[N_LOSSES];
  pf_model *model;
  pf_dataset data;
  pf_draw *draw;
  pf_workspace *workspace;
  double input[N_STEPS * N_IN], noise[N_IN * N_HIDDEN + N_HIDDEN * N_OUT];
  double theta[MAX_THETA];
  uint8_t connected[N_PLASTIC][N_HIDDEN * N_IN], plastic[N_PLASTIC][N_HIDDEN * N_IN];
} net;

static pf_component make(net *n, const pf_plugin *plugin, const fake_value *given, size_t n_given)
{
  pf_error error = pf_error_none();
  fake_options options;
  pf_component component = {.plugin = plugin};
  fake_options_init(&options, &plugin->options, given, n_given);
  pf_status (*create)(const pf_host *, const pf_options *, void **, pf_error *) =
      plugin->rule != NULL
          ? plugin->rule->create
          : (plugin->network != NULL ? plugin->network->create : plugin->loss->create);
  cr_assert(create(&n->host.face, &options.face, &component.self, &error) == PF_OK, "%s",
            error.text);
  component.label = pf_memory_string(plugin->name, &error);
  return component;
}

static void drop(pf_component *component)
{
  const pf_plugin *plugin = component->plugin;
  if (plugin->rule != NULL) {
    plugin->rule->destroy(component->self);
  } else if (plugin->network != NULL) {
    plugin->network->destroy(component->self);
  } else {
    plugin->loss->destroy(component->self);
  }
  pf_memory_free(component->label);
}

/* 230 steps of which two in three are plastic; of either layer's activity three cells in ten are
 * missing. */
static void add_recording(net *n, uint64_t *numbers)
{
  static double cue[N_STEPS * N_IN], reward[N_STEPS], hidden[N_STEPS * N_HIDDEN],
      out[N_STEPS * N_OUT];
  uint32_t flags[N_STEPS];
  for (int i = 0; i < N_STEPS * N_IN; i++) {
    cue[i] = 1.0;
    n->input[i] = 0.5 + 0.7 * numbers_normal(numbers);
  }
  for (int t = 0; t < N_STEPS; t++) {
    reward[t] = numbers_uniform(numbers) < 0.5 ? 1.0 : 0.0;
    flags[t] = PF_STEP_FIT | PF_STEP_SCORE |
               (numbers_uniform(numbers) < 0.67 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  for (int i = 0; i < N_STEPS * N_HIDDEN; i++) {
    hidden[i] = numbers_uniform(numbers) < 0.3 ? (double)NAN : 0.5 * numbers_normal(numbers);
  }
  for (int i = 0; i < N_STEPS * N_OUT; i++) {
    out[i] = numbers_uniform(numbers) < 0.3 ? (double)NAN : numbers_uniform(numbers);
  }
  const pf_channel channel = {.name = "reward", .values = reward};
  const pf_target targets[] = {{.name = "layer1", .n = N_HIDDEN, .values = hidden},
                               {.name = "layer2", .n = N_OUT, .values = out}};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "a",
                                    .n_steps = N_STEPS,
                                    .n_input = N_IN,
                                    .cue = cue,
                                    .flags = flags,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {targets, 2, sizeof targets[0]}};
  const pf_expected_reward expectation = {.kind = PF_EXPECTATION_window, .n = 10};
  pf_error error = pf_error_none();
  cr_assert(pf_dataset_add(&n->data, &experiment, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recording_expect_reward(&n->data.recordings[0], &expectation, &error) == PF_OK, "%s",
            error.text);
}

/* Rules that drive the weights, but not out of range: theta as declared where that is not 0, else
 * small. */
static void choose_theta(net *n, uint64_t *numbers)
{
  cr_assert(n->model->n_parameters <= MAX_THETA);
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    const pf_parameter *declared = &n->model->parameters[i].declared;
    const int is_oja = strcmp(declared->name, "gain") == 0 || strcmp(declared->name, "decay") == 0;
    n->theta[i] = is_oja ? 0.3 : 0.15 * numbers_normal(numbers);
    n->theta[i] = i < n->model->network_theta0 ? n->theta[i] : declared->initial;
  }
}

static void start(net *n, const pf_plugin *first, const pf_plugin *second)
{
  static const int64_t layers[] = {N_IN, N_HIDDEN, N_OUT};
  const fake_value network[] = {FAKE_INTEGERS("layers", layers, 3),
                                FAKE_REAL("initial_weights.sd", 0.4)};
  const fake_value terms[] = {FAKE_STRING("terms", "1 + x r + x y + y^2 w + w + x^2 w^2 r")};
  const fake_value on_first[] = {FAKE_STRING("observable", "layer1"),
                                 FAKE_STRING("target", "layer1")};
  const fake_value on_second[] = {FAKE_STRING("observable", "layer2"),
                                  FAKE_STRING("target", "layer2")};
  uint64_t numbers = 1; /* with others a unit of the MLP passes its kink, which spoils differences,
                           with or without masks */
  pf_error error = pf_error_none();
  memset(n, 0, sizeof *n);
  (void)fake_host_init(&n->host);
  n->host.fail_at = -1;
  n->network = make(n, feedforward_LTX_pf_plugin_entry(), network, 2);
  n->rules[0] = make(n, first, terms, first == taylor_LTX_pf_plugin_entry() ? 1 : 0);
  n->rules[1] = make(n, second, terms, second == taylor_LTX_pf_plugin_entry() ? 1 : 0);
  n->losses[0] = make(n, activity_LTX_pf_plugin_entry(), on_first, 2);
  n->losses[1] = make(n, activity_LTX_pf_plugin_entry(), on_second, 2);
  const pf_plastic_spec plastic[] = {
      {.rule = &n->rules[0], .projection = "layer1", .eta = 0.05, .owner = "rules.a"},
      {.rule = &n->rules[1], .projection = "layer2", .eta = 0.04, .owner = "rules.b"}};
  const pf_loss_spec losses[] = {{.loss = &n->losses[0], .weight = 1.0, .owner = "losses.[0]"},
                                 {.loss = &n->losses[1], .weight = 0.3, .owner = "losses.[1]"}};
  cr_assert(
      pf_model_create(&(const pf_model_spec){&n->network, plastic, N_PLASTIC, losses, N_LOSSES,
                                             &pf_normalisations[0], (pf_names){channel_names, 2}},
                      &n->model, &error) == PF_OK,
      "%s", error.text);
  add_recording(n, &numbers);
  for (size_t i = 0; i < sizeof n->noise / sizeof n->noise[0]; i++) {
    n->noise[i] = numbers_normal(&numbers);
  }
  for (int p = 0; p < N_PLASTIC; p++) {
    for (int i = 0; i < N_HIDDEN * N_IN; i++) {
      n->connected[p][i] = numbers_uniform(&numbers) < 0.6;
      n->plastic[p][i] = numbers_uniform(&numbers) < 0.7;
    }
  }
  choose_theta(n, &numbers);
}

/* With masks in place: what is simulated. */
static void finish_model(net *n, bool masked)
{
  pf_error error = pf_error_none();
  for (int p = 0; p < N_PLASTIC && masked; p++) {
    cr_assert(pf_model_mask(n->model, p, n->connected[p], n->plastic[p], &error) == PF_OK, "%s",
              error.text);
  }
  cr_assert(pf_draw_create(n->model, &n->data.recordings[0], n->input, n->noise, &n->draw,
                           &error) == PF_OK,
            "%s", error.text);
  cr_assert(pf_workspace_create(n->model, N_STEPS, &n->workspace, &error) == PF_OK, "%s",
            error.text);
}

static void end(net *n)
{
  pf_workspace_free(n->workspace);
  pf_draw_free(n->model, n->draw);
  pf_dataset_free(&n->data);
  pf_model_free(n->model);
  drop(&n->network);
  for (int k = 0; k < 2; k++) {
    drop(&n->rules[k]);
    drop(&n->losses[k]);
  }
}

static double value_at(net *n, const double *theta, const double *scale)
{
  pf_error error = pf_error_none();
  pf_loss_value values[N_LOSSES];
  cr_assert(pf_forward(&(const pf_simulation){n->model, n->draw, theta, {&n->workspace, 1}}, 0,
                       PF_STEP_FIT, values, &error) == PF_OK,
            "%s", error.text);
  return scale[0] * values[0].log_likelihood + scale[1] * values[1].log_likelihood;
}

typedef pf_status (*gradient_path)(net *n, const double *scale, double *gradient, pf_error *error);

static pf_status by_sweep(net *n, const double *scale, double *gradient, pf_error *error)
{
  pf_loss_value values[N_LOSSES];
  return pf_sweep_gradient(&(const pf_simulation){n->model, n->draw, n->theta, {&n->workspace, 1}},
                           scale, values, gradient, error);
}

static pf_status by_tape(net *n, const double *scale, double *gradient, pf_error *error)
{
  pf_loss_value values[N_LOSSES];
  return pf_coupled_gradient(
      &(const pf_simulation){n->model, n->draw, n->theta, {&n->workspace, 1}}, scale, values,
      gradient, error);
}

/* Largest |gradient - slope| over the gradient's norm. */
static double worst_component(net *n, gradient_path path)
{
  const double scale[N_LOSSES] = {1.0, -0.7};
  double gradient[MAX_THETA] = {0}, theta[MAX_THETA], norm = 0.0, worst = 0.0;
  pf_error error = pf_error_none();
  cr_assert(path(n, scale, gradient, &error) == PF_OK, "%s", error.text);
  memcpy(theta, n->theta, sizeof theta);
  for (size_t i = 0; i < n->model->network_theta0; i++) { /* the others are fixed */
    const double h = 2e-6; /* short, for the kinks of the MLP's units */
    double v[4];
    for (int k = 0; k < 4; k++) {
      theta[i] = n->theta[i] + h * (k < 2 ? k - 2 : k - 1);
      v[k] = value_at(n, theta, scale);
    }
    theta[i] = n->theta[i];
    const double slope = (v[0] - 8.0 * v[1] + 8.0 * v[2] - v[3]) / (12.0 * h);
    norm = fmax(norm, fabs(gradient[i]));
    worst = fmax(worst, fabs(gradient[i] - slope));
  }
  cr_assert(norm > 0.0);
  return worst / norm;
}

/* Measured with gcc 12, double: 7e-10 at most; the rest is room for other compilers. Fourth-order
 * differences. */
static const double tolerance = 1e-8;

static void check_gradients(const pf_plugin *first, const pf_plugin *second, size_t state_budget)
{
  net n;
  start(&n, first, second);
  n.model->state_budget = state_budget;
  finish_model(&n, true);
  if (sizeof(pf_real) == sizeof(double)) {
    const double sweep = worst_component(&n, by_sweep), tape = worst_component(&n, by_tape);
    cr_expect(sweep < tolerance, "%s and %s, by blocks: off by %g", first->name, second->name,
              sweep);
    cr_expect(tape < tolerance, "%s and %s, by tape: off by %g", first->name, second->name, tape);
  }
  end(&n);
}

Test(engine_masks, gradients_are_exact_with_fused_rules)
{
  check_gradients(taylor_LTX_pf_plugin_entry(), oja_LTX_pf_plugin_entry(), 0);
}

Test(engine_masks, gradients_are_exact_with_a_rule_that_leaves_the_update_to_the_host)
{
  check_gradients(mlp_LTX_pf_plugin_entry(), taylor_LTX_pf_plugin_entry(), 0);
}

Test(engine_masks, gradients_are_exact_with_checkpoints)
{
  check_gradients(oja_LTX_pf_plugin_entry(), mlp_LTX_pf_plugin_entry(), 1);
}

Test(engine_masks, weights_stay_zero_where_not_connected_and_as_they_were_where_not_plastic)
{
  net n;
  start(&n, taylor_LTX_pf_plugin_entry(), mlp_LTX_pf_plugin_entry());
  finish_model(&n, true);
  const double scale[N_LOSSES] = {1.0, 1.0};
  (void)value_at(&n, n.theta, scale);
  for (size_t p = 0; p < N_PLASTIC; p++) {
    const pf_plastic *plastic = &n.model->plastic[p];
    int64_t n_moved = 0, ld = 0;
    const int64_t last = pf_workspace_n_changes(n.workspace);
    cr_assert(last > 100);
    for (int64_t i = 0; i < plastic->n_post; i++) {
      for (int64_t j = 0; j < plastic->n_pre; j++) {
        const int64_t cell = i * plastic->n_pre + j;
        const pf_real before = pf_workspace_weights(n.workspace, p, 0, &ld)[i * ld + j];
        const pf_real after = pf_workspace_weights(n.workspace, p, last, &ld)[i * ld + j];
        const bool lives = n.connected[p][cell] != 0, moves = lives && n.plastic[p][cell] != 0;
        cr_expect((before != 0) == lives);
        cr_expect((after != before) == moves, "projection %zu, synapse %lld %lld", p, (long long)i,
                  (long long)j);
        n_moved += moves ? 1 : 0;
      }
    }
    cr_expect(n_moved > 2);
  }
  end(&n);
}

Test(engine_masks, what_is_not_connected_does_not_matter)
{
  net n;
  const double scale[N_LOSSES] = {1.0, 1.0};
  double gradients[2][MAX_THETA] = {{0}}, values[2];
  for (int run = 0; run < 2; run++) {
    pf_error error = pf_error_none();
    start(&n, taylor_LTX_pf_plugin_entry(), oja_LTX_pf_plugin_entry());
    for (int i = 0; i < N_HIDDEN * N_IN && run == 1;
         i++) { /* other starting weights at what is not there */
      n.noise[i] += n.connected[0][i] != 0 ? 0.0 : 100.0;
    }
    finish_model(&n, true);
    values[run] = value_at(&n, n.theta, scale);
    cr_assert(by_sweep(&n, scale, gradients[run], &error) == PF_OK, "%s", error.text);
    end(&n);
  }
  cr_expect(values[0] == values[1]);
  cr_expect(memcmp(gradients[0], gradients[1], sizeof gradients[0]) == 0);
}

Test(engine_masks, masks_of_ones_change_no_bit)
{
  net n;
  const double scale[N_LOSSES] = {1.0, 1.0};
  double gradients[2][MAX_THETA] = {{0}}, values[2];
  for (int run = 0; run < 2; run++) {
    pf_error error = pf_error_none();
    start(&n, mlp_LTX_pf_plugin_entry(), mlp_LTX_pf_plugin_entry()); /* the host applies dw */
    memset(n.connected, 1, sizeof n.connected);
    memset(n.plastic, 1, sizeof n.plastic);
    finish_model(&n, run == 1);
    values[run] = value_at(&n, n.theta, scale);
    cr_assert(by_sweep(&n, scale, gradients[run], &error) == PF_OK, "%s", error.text);
    end(&n);
  }
  cr_expect(values[0] == values[1]);
  cr_expect(memcmp(gradients[0], gradients[1], sizeof gradients[0]) == 0);
}
