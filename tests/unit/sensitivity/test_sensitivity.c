/*
 * core/engine/sensitivity: tangents of trajectories and the matrices made of them, against the
 * adjoint (another code, backwards in time), against differences, and against their own fallbacks.
 */
#include "core/base/memory.h"
#include "core/data/expected_reward.h"
#include "core/engine/simulation.h"
#include "core/model/build_model.h"
#include "core/model/masks.h"
#include "core/model/plastic.h"
#include "core/model/starting_weights.h"
#include "core/sensitivity/information.h"
#include "core/sensitivity/information_product.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *feedforward_LTX_pf_plugin_entry(void);
const pf_plugin *taylor_LTX_pf_plugin_entry(void);
const pf_plugin *oja_LTX_pf_plugin_entry(void);
const pf_plugin *mlp_LTX_pf_plugin_entry(void);
const pf_plugin *reward_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);
const pf_plugin *choice_LTX_pf_plugin_entry(void);

enum { N_STEPS = 210, MAX_THETA = 256, MAX_UNITS = 24, MAX_LOSSES = 3, N_WORKSPACES = 3 };

/* Losses, as flags. */
enum { ACTIVITY_1 = 1, ACTIVITY_2 = 2, CHOICE = 4 };

static const char *const channel_names[] = {"reward", "expected_reward"};

/** What to build: 2 or 3 layers, rules[l] on projection l (NULL: none there). */
typedef struct setup {
  int64_t layers[3];
  int n_layers;
  const pf_plugin *rules[2];
  const char *terms;
  int losses;
  bool masked;
  const char *post; /**< what the rules' y is; NULL: the activity */
  bool noise_free;  /**< targets are the model's own activity */
} setup;

typedef struct net {
  fake_host host;
  pf_component network, rules[2], losses[MAX_LOSSES];
  size_t n_rules, n_losses;
  pf_model *model;
  pf_dataset data;
  pf_draw *draw;
  pf_workspace *workspaces[N_WORKSPACES];
  double theta[MAX_THETA];
  double scale[MAX_LOSSES];
  double cue[N_STEPS * MAX_UNITS], input[N_STEPS * MAX_UNITS], reward[N_STEPS],
      noise[2 * MAX_UNITS * MAX_UNITS];
  double targets[3][N_STEPS * MAX_UNITS];
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

/* Two steps in three are plastic, one in ten is not fitted; of activities three cells in ten are
 * missing, of choices one. */
static void add_recording(net *n, const setup *how, uint64_t *numbers)
{
  const int64_t n_in = how->layers[0], n_1 = how->layers[1],
                n_2 = how->n_layers > 2 ? how->layers[2] : 1;
  uint32_t flags[N_STEPS];
  for (int64_t i = 0; i < N_STEPS * n_in; i++) {
    n->cue[i] = 1.0;
    n->input[i] = 0.5 + 0.7 * numbers_normal(numbers);
  }
  for (int t = 0; t < N_STEPS; t++) {
    n->reward[t] = numbers_uniform(numbers) < 0.5 ? 1.0 : 0.0;
    flags[t] = PF_STEP_SCORE | (numbers_uniform(numbers) < 0.9 ? (uint32_t)PF_STEP_FIT : 0U) |
               (numbers_uniform(numbers) < 0.67 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  for (int64_t i = 0; i < N_STEPS * n_1; i++) {
    n->targets[0][i] = numbers_uniform(numbers) < 0.3 ? (double)NAN : 0.5 * numbers_normal(numbers);
  }
  for (int64_t i = 0; i < N_STEPS * n_2; i++) {
    n->targets[1][i] = numbers_uniform(numbers) < 0.3 ? (double)NAN : numbers_uniform(numbers);
  }
  for (int64_t i = 0; i < N_STEPS; i++) {
    const double u = numbers_uniform(numbers);
    n->targets[2][i] = u < 0.1 ? (double)NAN : (u < 0.6 ? 1.0 : 0.0);
  }
  const pf_channel channel = {.name = "reward", .values = n->reward};
  const pf_target targets[] = {{.name = "layer1", .n = n_1, .values = n->targets[0]},
                               {.name = "layer2", .n = n_2, .values = n->targets[1]},
                               {.name = "choice", .n = 1, .values = n->targets[2]}};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "a",
                                    .n_steps = N_STEPS,
                                    .n_input = n_in,
                                    .cue = n->cue,
                                    .flags = flags,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {targets, 3, sizeof targets[0]}};
  const pf_expected_reward expectation = {.kind = PF_EXPECTATION_window, .n = 10};
  pf_error error = pf_error_none();
  cr_assert(pf_dataset_add(&n->data, &experiment, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_recording_expect_reward(&n->data.recordings[0], &expectation, &error) == PF_OK, "%s",
            error.text);
}

static void add_losses(net *n, const setup *how, pf_loss_spec *specs)
{
  static const char *const names[] = {"layer1", "layer2"};
  for (int l = 0; l < 2; l++) {
    const fake_value given[] = {FAKE_STRING("observable", names[l]),
                                FAKE_STRING("target", names[l])};
    if ((how->losses & (l == 0 ? ACTIVITY_1 : ACTIVITY_2)) != 0) {
      n->losses[n->n_losses++] = make(n, activity_LTX_pf_plugin_entry(), given, 2);
    }
  }
  if ((how->losses & CHOICE) != 0) {
    n->losses[n->n_losses++] = make(n, choice_LTX_pf_plugin_entry(), NULL, 0);
  }
  for (size_t k = 0; k < n->n_losses; k++) {
    specs[k] = (pf_loss_spec){.loss = &n->losses[k], .weight = 1.0, .owner = "losses"};
    n->scale[k] = k == 0 ? 1.0 : 0.7;
  }
}

static void start(net *n, const setup *how)
{
  const fake_value network[] = {FAKE_INTEGERS("layers", how->layers, how->n_layers),
                                FAKE_REAL("initial_weights.sd", 0.4)};
  const fake_value terms[] = {FAKE_STRING(
      "terms", how->terms != NULL ? how->terms : "1 + x r + x y + y^2 w + w + x^2 w^2 r")};
  const fake_value form[] = {FAKE_STRING("form", "x y r"), FAKE_BOOL("decay", 1)};
  static const char *const projections[] = {"layer1", "layer2"};
  uint64_t numbers = 1;
  pf_error error = pf_error_none();
  pf_plastic_spec plastic[2];
  pf_loss_spec losses[MAX_LOSSES];
  memset(n, 0, sizeof *n);
  (void)fake_host_init(&n->host);
  n->host.fail_at = -1;
  n->network = make(n, feedforward_LTX_pf_plugin_entry(), network, 2);
  for (int l = 0; l < how->n_layers - 1; l++) {
    if (how->rules[l] != NULL) {
      n->rules[n->n_rules] =
          how->rules[l] == taylor_LTX_pf_plugin_entry()   ? make(n, how->rules[l], terms, 1)
          : how->rules[l] == reward_LTX_pf_plugin_entry() ? make(n, how->rules[l], form, 2)
                                                          : make(n, how->rules[l], NULL, 0);
      plastic[n->n_rules] = (pf_plastic_spec){.rule = &n->rules[n->n_rules],
                                              .projection = projections[l],
                                              .eta = 0.05,
                                              .post = how->post,
                                              .owner = "rules"};
      n->n_rules++;
    }
  }
  add_losses(n, how, losses);
  cr_assert(
      pf_model_create(&(const pf_model_spec){&n->network, plastic, n->n_rules, losses, n->n_losses,
                                             &pf_normalisations[0], (pf_names){channel_names, 2}},
                      &n->model, &error) == PF_OK,
      "%s", error.text);
  add_recording(n, how, &numbers);
  for (size_t i = 0; i < sizeof n->noise / sizeof n->noise[0]; i++) {
    n->noise[i] = numbers_normal(&numbers);
  }
  for (int p = 0; p < how->n_layers - 1 && how->masked; p++) {
    uint8_t connected[MAX_UNITS * MAX_UNITS], changes[MAX_UNITS * MAX_UNITS];
    for (int i = 0; i < MAX_UNITS * MAX_UNITS; i++) {
      connected[i] = numbers_uniform(&numbers) < 0.7;
      changes[i] = numbers_uniform(&numbers) < 0.7;
    }
    cr_assert(pf_model_mask(n->model, p, connected, changes, &error) == PF_OK, "%s", error.text);
  }
  /* what network and losses declare is learned too, and the first projection's starting weights */
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    n->model->parameters[i].declared.flags &= ~(uint32_t)PF_PARAMETER_FIXED;
  }
  const bool few = how->layers[0] * how->layers[1] <= 64;
  const pf_start_spec spec = {.lower = -INFINITY, .upper = INFINITY};
  cr_assert(pf_model_learn_start(n->model, 0, few ? PF_START_EACH : PF_START_MEAN_SD, &spec,
                                 &error) == PF_OK);
  cr_assert(n->model->n_parameters <= MAX_THETA);
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    const pf_parameter *declared = &n->model->parameters[i].declared;
    const char *name = declared->name;
    const bool by_hand = name[0] != 'X' && name[0] != 'L';
    n->theta[i] = by_hand ? 0.3 : 0.15 * numbers_normal(&numbers);
    if (n->model->parameters[i].is_start) {
      n->theta[i] =
          (declared->flags & PF_PARAMETER_FIXED) != 0 ? 0.0 : 0.4 * numbers_normal(&numbers);
    } else if (i >= n->model->network_theta0) {
      n->theta[i] = declared->initial + 0.07; /* gain, bias, lapse */
    }
  }
  cr_assert(pf_draw_create(n->model, &n->data.recordings[0], n->input, n->noise, &n->draw,
                           &error) == PF_OK,
            "%s", error.text);
  for (int w = 0; w < N_WORKSPACES; w++) {
    cr_assert(pf_workspace_create(n->model, N_STEPS, &n->workspaces[w], &error) == PF_OK, "%s",
              error.text);
  }
  if (how->noise_free) {
    cr_assert(pf_forward(&(const pf_simulation){n->model, n->draw, n->theta, {n->workspaces, 1}}, 0,
                         PF_STEP_FIT, NULL, &error) == PF_OK);
    for (size_t k = 0; k < n->n_losses; k++) {
      int64_t columns = 0, ld = 0;
      const pf_real *own = pf_workspace_observable(
          n->workspaces[0], n->model->losses[k].observables[0], &columns, &ld);
      for (int64_t i = 0; i < N_STEPS * columns; i++) {
        pf_real *cell = &n->draw->targets[k][0][i];
        *cell = isnan(*cell) ? *cell : own[i / columns * ld + i % columns];
      }
    }
  }
}

static void end(net *n)
{
  for (int w = 0; w < N_WORKSPACES; w++) {
    pf_workspace_free(n->workspaces[w]);
  }
  pf_draw_free(n->model, n->draw);
  pf_dataset_free(&n->data);
  pf_model_free(n->model);
  drop(&n->network);
  for (size_t k = 0; k < n->n_rules; k++) {
    drop(&n->rules[k]);
  }
  for (size_t k = 0; k < n->n_losses; k++) {
    drop(&n->losses[k]);
  }
}

static double largest(const double *values, size_t n)
{
  double most = 0.0;
  for (size_t i = 0; i < n; i++) {
    most = fmax(most, fabs(values[i]));
  }
  return most;
}

/* Largest difference, relative to the largest number. */
static double apart(const double *a, const double *b, size_t n)
{
  double most = 0.0;
  for (size_t i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i] - b[i]));
  }
  const double size = fmax(largest(a, n), largest(b, n));
  return size > 0.0 ? most / size : 0.0;
}

/** All that pf_information gives along every parameter, in an order that is not theta's. */
typedef struct result {
  double gradient[MAX_THETA], information[MAX_THETA * MAX_THETA], steps[N_STEPS * MAX_THETA];
  size_t which[MAX_THETA];
  size_t n;
  pf_loss_value values[MAX_LOSSES];
  uint32_t how;
} result;

static pf_information_in at_theta(const net *n, size_t n_workspaces)
{
  return (pf_information_in){.model = n->model,
                             .draw = n->draw,
                             .theta = n->theta,
                             .scale = n->scale,
                             .workspaces = n->workspaces,
                             .n_workspaces = n_workspaces};
}

static void inform(net *n, size_t n_workspaces, result *out)
{
  pf_error error = pf_error_none();
  memset(out, 0, sizeof *out);
  out->n = n->model->n_parameters;
  for (size_t i = 0; i < out->n; i++) {
    out->which[i] = out->n - 1 - i;
  }
  const pf_directions all = {.n = out->n, .which = out->which};
  pf_information_out into = {.values = out->values,
                             .gradient = out->gradient,
                             .information = out->information,
                             .step_scores = out->steps};
  const pf_information_in in = at_theta(n, n_workspaces);
  cr_assert(pf_information(&in, &all, &into, &error) == PF_OK, "%s", error.text);
  out->how = into.how;
}

/* ---- known by other ways ---- */

static const setup setups[] = {
    {.layers = {5, 6}, .n_layers = 2, .losses = ACTIVITY_1}, /* losses block by block */
    {.layers = {20, 18}, .n_layers = 2, .losses = ACTIVITY_1, .masked = true}, /* padded rows */
    {.layers = {2, 10, 1}, .n_layers = 3, .losses = CHOICE},                   /* a fly */
    {.layers = {5, 1}, .n_layers = 2, .losses = CHOICE, .post = "choice"},
    {.layers = {5, 6, 1},
     .n_layers = 3,
     .losses = CHOICE | ACTIVITY_1,
     .masked = true} /* several losses */
};
enum { N_SETUPS = sizeof setups / sizeof setups[0] };

/** Every setup with a rule on its first projection, or on both where it has two. */
static void each(const pf_plugin *rule, bool both, void (*check)(net *n, const char *what))
{
  for (size_t i = 0; i < N_SETUPS; i++) {
    static net n;
    setup how = setups[i];
    char what[64];
    how.rules[0] = rule;
    how.rules[1] = both && how.n_layers > 2 ? rule : NULL;
    start(&n, &how);
    (void)snprintf(what, sizeof what, "%s, setup %zu%s", rule->name, i,
                   both ? ", both layers" : "");
    check(&n, what);
    end(&n);
  }
}

/* Measured: 2e-13 at most in double, 4e-4 in single precision. */
static double exact(void)
{
  return sizeof(pf_real) == sizeof(double) ? 1e-11 : 5e-3;
}

/* The gradient is the adjoint's, and the sum of the steps' scores; products are the matrix times
 * the vector. */
static void against_the_adjoint(net *n, const char *what)
{
  static result out;
  pf_error error = pf_error_none();
  double gradient[MAX_THETA] = {0}, ordered[MAX_THETA], sums[MAX_THETA] = {0};
  pf_loss_value values[MAX_LOSSES];
  inform(n, 1, &out);
  cr_assert(pf_gradient(&(const pf_simulation){n->model, n->draw, n->theta, {n->workspaces, 1}},
                        n->scale, values, gradient, &error) == PF_OK,
            "%s", error.text);
  for (size_t i = 0; i < out.n; i++) {
    ordered[i] = gradient[out.which[i]];
    for (size_t t = 0; t < N_STEPS; t++) {
      sums[i] += out.steps[t * out.n + i];
    }
  }
  cr_expect(largest(gradient, out.n) > 0.0);
  cr_expect(apart(out.gradient, ordered, out.n) < exact(), "%s: gradient off by %g", what,
            apart(out.gradient, ordered, out.n));
  cr_expect(apart(out.gradient, sums, out.n) < exact(), "%s: scores off by %g", what,
            apart(out.gradient, sums, out.n));
  for (size_t k = 0; k < n->n_losses; k++) {
    cr_expect(fabs(values[k].log_likelihood / out.values[k].log_likelihood - 1.0) < exact());
    cr_expect(values[k].count == out.values[k].count);
  }
  /* J' C (J v), the adjoint of a tangent, is the matrix times v */
  uint64_t numbers = 7;
  double v[MAX_THETA], product[MAX_THETA] = {0}, expected[MAX_THETA] = {0}, found[MAX_THETA];
  for (size_t i = 0; i < out.n; i++) {
    v[i] = numbers_normal(&numbers);
  }
  uint32_t flags = 0;
  const pf_information_in in = at_theta(n, 1);
  cr_assert(pf_information_product(&in, v, product, &flags, &error) == PF_OK, "%s", error.text);
  for (size_t i = 0; i < out.n; i++) {
    for (size_t j = 0; j < out.n; j++) {
      expected[i] += out.information[i * out.n + j] * v[out.which[j]];
    }
    found[i] = product[out.which[i]];
  }
  cr_expect(apart(found, expected, out.n) < exact(), "%s: product off by %g", what,
            apart(found, expected, out.n));
  cr_expect(largest(found, out.n) > 0.0);
}

Test(engine_sensitivity, tangents_and_adjoint_agree_taylor)
{
  each(taylor_LTX_pf_plugin_entry(), false, against_the_adjoint);
  each(taylor_LTX_pf_plugin_entry(), true, against_the_adjoint);
}

Test(engine_sensitivity, tangents_and_adjoint_agree_oja)
{
  each(oja_LTX_pf_plugin_entry(), false, against_the_adjoint);
  each(oja_LTX_pf_plugin_entry(), true, against_the_adjoint);
}

Test(engine_sensitivity, tangents_and_adjoint_agree_reward)
{
  each(reward_LTX_pf_plugin_entry(), false, against_the_adjoint);
  each(reward_LTX_pf_plugin_entry(), true, against_the_adjoint);
}

Test(engine_sensitivity, tangents_and_adjoint_agree_mlp)
{
  each(mlp_LTX_pf_plugin_entry(), false, against_the_adjoint);
  each(mlp_LTX_pf_plugin_entry(), true, against_the_adjoint);
}

/* ---- against differences of gradients: the Hessian where nothing is left over, and not elsewhere
 * ---- */

/* H v of minus the log likelihood, by central differences of the adjoint's gradient along v. */
static void hessian_by_differences(net *n, const double *v, double *out)
{
  pf_error error = pf_error_none();
  const double h = sizeof(pf_real) == sizeof(double) ? 1e-5 : 2e-2;
  double theta[MAX_THETA];
  for (size_t i = 0; i < n->model->n_parameters; i++) {
    out[i] = 0.0;
  }
  for (int side = -1; side <= 1; side += 2) {
    double gradient[MAX_THETA] = {0};
    for (size_t i = 0; i < n->model->n_parameters; i++) {
      theta[i] = n->theta[i] + side * h * v[i];
    }
    cr_assert(pf_gradient(&(const pf_simulation){n->model, n->draw, theta, {n->workspaces, 1}},
                          n->scale, NULL, gradient, &error) == PF_OK,
              "%s", error.text);
    for (size_t i = 0; i < n->model->n_parameters; i++) {
      out[i] -= side * gradient[i] / (2.0 * h);
    }
  }
}

/*
 * The product leaves out what residuals add to the Hessian. On activities that the model itself
 * made there are none, and it is the Hessian; on others it is not, which shows that the comparison
 * can fail.
 */
static double apart_from_hessian(const pf_plugin *rule, const setup *base, bool noise_free)
{
  static net n;
  setup how = *base;
  pf_error error = pf_error_none();
  double v[MAX_THETA], product[MAX_THETA] = {0}, hessian[MAX_THETA];
  uint64_t numbers = 11;
  uint32_t flags = 0;
  how.rules[0] = rule;
  how.noise_free = noise_free;
  start(&n, &how);
  const size_t n_theta = n.model->n_parameters;
  for (size_t i = 0; i < n_theta; i++) {
    v[i] = i < n.model->network_theta0 ? numbers_normal(&numbers)
                                       : 0.0; /* gains and lapses are fixed */
  }
  const pf_information_in in = at_theta(&n, 1);
  cr_assert(pf_information_product(&in, v, product, &flags, &error) == PF_OK, "%s", error.text);
  hessian_by_differences(&n, v, hessian);
  const double off = apart(product, hessian, n.model->network_theta0);
  cr_expect(largest(product, n.model->network_theta0) > 0.0);
  end(&n);
  return off;
}

Test(engine_sensitivity, products_are_the_hessians_where_no_residual_is_left)
{
  const pf_plugin *const rules[] = {taylor_LTX_pf_plugin_entry(), oja_LTX_pf_plugin_entry(),
                                    reward_LTX_pf_plugin_entry()};
  /* measured: 6e-9 at most in double precision (the mlp's kinks are no place for differences) */
  const double tolerance =
      sizeof(pf_real) == sizeof(double) ? 1e-7 : 0.25; /* some is 0.47 at least */
  for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
    for (size_t i = 0; i < 2; i++) { /* those with activities */
      const double none = apart_from_hessian(rules[r], &setups[i], true);
      const double some = apart_from_hessian(rules[r], &setups[i], false);
      cr_expect(none < tolerance, "%s, setup %zu: off by %g", rules[r]->name, i, none);
      cr_expect(some > 1e-3, "%s, setup %zu: no difference (%g) where residuals are large",
                rules[r]->name, i, some);
    }
  }
}
