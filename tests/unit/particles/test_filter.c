/*
 * The particle filter against what can be had without one: quadrature over the inputs of a few
 * encounters, run by a plain loop or through the engine; a Kalman filter; and today's likelihood,
 * where nothing is unknown.
 */
#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/model/build_model.h"
#include "core/model/plastic.h"
#include "core/particles/filter.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *feedforward_LTX_pf_plugin_entry(void);
const pf_plugin *recurrent_LTX_pf_plugin_entry(void);
const pf_plugin *taylor_LTX_pf_plugin_entry(void);
const pf_plugin *choice_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum { IN = 2, MAX_STEPS = 60, MAX_THETA = 16, MAX_NOISE = 40, MAX_WIDTH = 3, N_RULE = 5 };

static const double mean = 0.75;

/* A model with one recording. */
typedef struct rig {
  fake_host host;
  pf_component network, rule, loss;
  pf_model *model;
  pf_dataset data;
  pf_draw *draw;
  double theta[MAX_THETA], noise[MAX_NOISE];
  double input[MAX_STEPS][IN];
  int n_steps;
} rig;

typedef struct rig_spec {
  const pf_plugin *network, *loss;
  const fake_value *given;
  size_t n_given;
  const char *projection, *terms, *target;
  int width, n_steps;
} rig_spec;

static pf_component component_of(const pf_plugin *plugin, fake_host *host, const fake_value *given,
                                 size_t n_given)
{
  pf_error error = pf_error_none();
  fake_options options;
  pf_component made = {.plugin = plugin, .label = pf_memory_string(plugin->name, &error)};
  fake_options_init(&options, &plugin->options, given, n_given);
  pf_status (*create)(const pf_host *, const pf_options *, void **, pf_error *) =
      plugin->rule != NULL      ? plugin->rule->create
      : plugin->network != NULL ? plugin->network->create
                                : plugin->loss->create;
  cr_assert(create(&host->face, &options.face, &made.self, &error) == PF_OK, "%s", error.text);
  return made;
}

static void unmake(pf_component *made)
{
  void (*destroy)(void *) = made->plugin->rule != NULL      ? made->plugin->rule->destroy
                            : made->plugin->network != NULL ? made->plugin->network->destroy
                                                            : made->plugin->loss->destroy;
  destroy(made->self);
  pf_memory_free(made->label);
}

/* Odours by turns, every second encounter plastic; choices and activities at random. */
static void add_recording(rig *r, const rig_spec *spec)
{
  double cue[MAX_STEPS][IN] = {{0}}, reward[MAX_STEPS], observed[MAX_STEPS * MAX_WIDTH];
  uint32_t flags[MAX_STEPS];
  uint64_t seed = 5;
  pf_error error = pf_error_none();
  for (int t = 0; t < spec->n_steps; t++) {
    cue[t][t % 3 == 1] = 1.0;
    reward[t] = numbers_normal(&seed);
    flags[t] = PF_STEP_FIT | PF_STEP_SCORE | (t % 2 == 0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
    for (int i = 0; i < spec->width; i++) {
      observed[t * spec->width + i] = strcmp(spec->target, "choice") == 0
                                          ? (double)(numbers_uniform(&seed) < 0.6)
                                          : 0.3 * numbers_normal(&seed);
    }
    for (int j = 0; j < IN; j++) {
      r->input[t][j] = mean * cue[t][j];
    }
  }
  const pf_channel channel = {.name = "reward", .values = reward};
  const pf_target target = {.name = spec->target, .n = spec->width, .values = observed};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "a",
                                    .n_steps = spec->n_steps,
                                    .n_input = IN,
                                    .cue = cue[0],
                                    .flags = flags,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {&target, 1, sizeof target}};
  cr_assert(pf_dataset_add(&r->data, &experiment, &error) == PF_OK, "%s", error.text);
}

static void set_up(rig *r, const rig_spec *spec)
{
  static const char *const channels[] = {"reward"};
  const fake_value terms[] = {FAKE_STRING("terms", spec->terms)};
  pf_error error = pf_error_none();
  uint64_t seed = 3;
  memset(r, 0, sizeof *r);
  (void)fake_host_init(&r->host);
  r->n_steps = spec->n_steps;
  r->network = component_of(spec->network, &r->host, spec->given, spec->n_given);
  r->rule = component_of(taylor_LTX_pf_plugin_entry(), &r->host, terms, 1);
  r->loss = component_of(spec->loss, &r->host, NULL, 0);
  const pf_plastic_spec plastic = {.rule = &r->rule,
                                   .projection = spec->projection,
                                   .eta = 0.5,
                                   .modulator = "reward",
                                   .owner = "rules.learn"};
  const pf_loss_spec loss = {.loss = &r->loss, .weight = 1.0, .owner = "losses"};
  cr_assert(pf_model_create(&(const pf_model_spec){&r->network, &plastic, 1, &loss, 1,
                                                   &pf_normalisations[0], (pf_names){channels, 1}},
                            &r->model, &error) == PF_OK,
            "%s", error.text);
  cr_assert(r->model->n_parameters <= MAX_THETA && r->model->n_noise <= MAX_NOISE);
  for (size_t i = 0; i < r->model->n_parameters; i++) {
    r->theta[i] = r->model->parameters[i].declared.initial;
  }
  for (int64_t k = 0; k < r->model->n_noise; k++) {
    r->noise[k] = numbers_normal(&seed);
  }
  add_recording(r, spec);
  cr_assert(pf_draw_create(r->model, &r->data.recordings[0], r->input[0], r->noise, &r->draw,
                           &error) == PF_OK,
            "%s", error.text);
}

static void tear_down(rig *r)
{
  pf_draw_free(r->model, r->draw);
  pf_dataset_free(&r->data);
  pf_model_free(r->model);
  unmake(&r->network);
  unmake(&r->rule);
  unmake(&r->loss);
  cr_expect(r->host.live == 0);
}

/* In the order of the rule: 1, r, w, x, x r. */
static const double thetas[][N_RULE] = {{0.0, 0.0, -0.05, 0.0, 1.0},
                                        {0.0, 0.0, 0.0, 0.0, 0.0},
                                        {0.1, -0.3, 0.4, -0.2, 0.8},
                                        {-0.2, 0.2, 0.3, 0.6, -1.5},
                                        {0.3, -0.5, -0.8, 0.1, 2.0}};
enum { N_THETAS = sizeof thetas / sizeof thetas[0] };

static pf_filter_in filter_in(const rig *r, double sd, const double *variance)
{
  return (pf_filter_in){.model = r->model,
                        .draw = r->draw,
                        .theta = r->theta,
                        .variance = variance,
                        .unknowns = {.mean = mean, .sd = sd, .known_noise = r->model->n_noise},
                        .weigh = PF_STEP_FIT,
                        .threshold = 0.5,
                        .stream = {.seed = 1}};
}

/* log of the mean likelihood of some filters, and its Monte Carlo error. */
static double filtered(pf_filter *filter, pf_filter_in in, int n_runs, double *error_of_it)
{
  double values[64], best = -INFINITY, sum = 0.0, squares = 0.0;
  for (int k = 0; k < n_runs; k++) {
    pf_filter_out out = {0};
    pf_error error = pf_error_none();
    in.stream.draw = (uint32_t)k;
    cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK, "%s", error.text);
    values[k] = out.log_likelihood;
    best = fmax(best, values[k]);
  }
  for (int k = 0; k < n_runs; k++) {
    const double likelihood = exp(values[k] - best);
    sum += likelihood / n_runs;
    squares += likelihood * likelihood / n_runs;
  }
  *error_of_it = sqrt(fmax(squares - sum * sum, 0.0) / (n_runs - 1)) / sum;
  return best + log(sum);
}

/* Gauss-Hermite, for a standard normal variable. */
enum { N_NODES = 5 };
static const double node[N_NODES] = {-2.856970013872806, -1.355626179974266, 0.0, 1.355626179974266,
                                     2.856970013872806};
static const double node_weight[N_NODES] = {0.01125741132772071, 0.2220759220056126,
                                            0.5333333333333333, 0.2220759220056126,
                                            0.01125741132772071};

/* ---- choices, by a plain loop ---- */

enum { MAX_HIDDEN = 3 };
typedef struct plain_world {
  const rig *r;
  int n_hidden; /* 0: inputs onto the choice directly */
  double sd, gain;
} plain_world;

static double plain_logit(const plain_world *world, const double w[MAX_HIDDEN][IN], const double *x)
{
  const int n = world->n_hidden > 0 ? world->n_hidden : 1;
  double z = 0.0;
  for (int i = 0; i < n; i++) {
    const double drive = w[i][0] * x[0] + w[i][1] * x[1];
    z += world->n_hidden > 0 ? world->gain / n * tanh(drive) : drive;
  }
  return z;
}

static void plain_learn(const plain_world *world, double w[MAX_HIDDEN][IN], const double *x,
                        double reward)
{
  const double *theta = world->r->theta;
  for (int i = 0; i < (world->n_hidden > 0 ? world->n_hidden : 1); i++) {
    for (int j = 0; j < IN; j++) {
      w[i][j] += 0.5 * (theta[0] + theta[1] * reward + theta[2] * w[i][j] + theta[3] * x[j] +
                        theta[4] * x[j] * reward);
    }
  }
}

/* The likelihood of what was chosen from step t on, inputs integrated out. */
static double plain_integral(const plain_world *world, int t, const double w[MAX_HIDDEN][IN])
{
  const pf_recording *recording = &world->r->data.recordings[0];
  if (t == world->r->n_steps) {
    return 1.0;
  }
  const bool learns = (recording->flags[t] & PF_STEP_PLASTIC) != 0;
  const double choice = recording->targets[0].values[t];
  double sum = 0.0;
  for (int a = 0; a < N_NODES; a++) {
    for (int b = 0; b < N_NODES; b++) {
      const double x[IN] = {mean * recording->cue[t * IN] + world->sd * node[a],
                            mean * recording->cue[t * IN + 1] + world->sd * node[b]};
      const double z = plain_logit(world, w, x);
      double p = node_weight[a] * node_weight[b] / (1.0 + exp(choice == 1.0 ? -z : z));
      if (learns && t + 1 < world->r->n_steps) {
        double after[MAX_HIDDEN][IN];
        memcpy(after, w, sizeof after);
        plain_learn(world, after, x, recording->channels[0].values[t]);
        p *= plain_integral(world, t + 1, (const double(*)[IN])after);
      }
      sum += p;
    }
  }
  return learns ? sum : sum * plain_integral(world, t + 1, w);
}

static void compare_choices(const int64_t *layers, size_t n_layers, double sd)
{
  const fake_value given[] = {FAKE_INTEGERS("layers", layers, n_layers),
                              FAKE_REAL("initial_weights.sd", 0.3), FAKE_REAL("readout.gain", 5.0)};
  const rig_spec spec = {.network = feedforward_LTX_pf_plugin_entry(),
                         .loss = choice_LTX_pf_plugin_entry(),
                         .given = given,
                         .n_given = n_layers > 2 ? 3 : 2,
                         .projection = "layer1",
                         .terms = "1 + w + x + r + x r",
                         .target = "choice",
                         .width = 1,
                         .n_steps = 6};
  rig r;
  pf_filter *filter = NULL;
  pf_error error = pf_error_none();
  set_up(&r, &spec);
  const plain_world world = {
      .r = &r, .n_hidden = n_layers > 2 ? (int)layers[1] : 0, .sd = sd, .gain = 5.0};
  cr_assert(pf_filter_create(r.model, 500, &filter, &error) == PF_OK);
  for (int k = 0; k < N_THETAS; k++) {
    double w[MAX_HIDDEN][IN] = {{0}}, mc = 0.0;
    memcpy(r.theta, thetas[k], sizeof thetas[k]);
    for (int i = 0; i < (world.n_hidden > 0 ? world.n_hidden : 1); i++) {
      for (int j = 0; j < IN; j++) {
        w[i][j] = 0.3 * r.noise[i * IN + j];
      }
    }
    const double truth = log(plain_integral(&world, 0, (const double(*)[IN])w));
    const double estimate = filtered(filter, filter_in(&r, sd, NULL), 16, &mc);
    cr_expect(fabs(estimate - truth) < 4.0 * mc + 1e-6, "theta %d: %.6f for %.6f (+- %.6f)", k,
              estimate, truth, mc);
    cr_expect(mc < 0.06, "Monte Carlo error %g", mc); /* measured: 0.002 to 0.049 */
  }
  pf_filter_free(filter);
  tear_down(&r);
}

Test(filter, integrates_the_inputs_of_six_encounters_through_a_hidden_layer)
{
  compare_choices((const int64_t[]){IN, 3, 1}, 3, 0.25);
}

Test(filter, integrates_the_inputs_of_six_encounters_onto_a_choice)
{
  compare_choices((const int64_t[]){IN, 1}, 2, 0.4);
}

/* ---- activities, and a network with a memory: through the engine ---- */

/* The mean likelihood over the inputs of all steps; three steps at most. */
static double engine_integral(rig *r, double sd, double variance)
{
  enum { MOST = 3 };
  int at[MOST * IN] = {0};
  const int n = r->n_steps * IN;
  double sum = 0.0;
  pf_workspace *workspace = NULL;
  pf_error error = pf_error_none();
  cr_assert(r->n_steps <= MOST);
  cr_assert(pf_workspace_create(r->model, r->n_steps, &workspace, &error) == PF_OK);
  for (;;) {
    double p = 1.0;
    pf_loss_value value = {0};
    for (int k = 0; k < n; k++) {
      p *= node_weight[at[k]];
      r->draw->input[k / IN * r->draw->ld_input + k % IN] =
          (pf_real)(r->input[k / IN][k % IN] + sd * node[at[k]]);
    }
    cr_assert(pf_forward(&(const pf_simulation){r->model, r->draw, r->theta, {&workspace, 1}}, 0,
                         PF_STEP_FIT, &value, &error) == PF_OK);
    const double log_p = variance > 0.0
                             ? 0.5 * value.log_likelihood / variance -
                                   0.5 * (double)value.count * log(6.283185307179586 * variance)
                             : value.log_likelihood;
    sum += p * exp(log_p);
    int k = 0;
    while (k < n && ++at[k] == N_NODES) {
      at[k++] = 0;
    }
    if (k == n) {
      break;
    }
  }
  pf_workspace_free(workspace);
  return log(sum);
}

static void compare_engine(const rig_spec *spec, double sd, double variance)
{
  rig r;
  pf_filter *filter = NULL;
  pf_error error = pf_error_none();
  set_up(&r, spec);
  cr_assert(pf_filter_create(r.model, 1000, &filter, &error) == PF_OK);
  for (int k = 0; k < N_THETAS; k++) {
    double mc = 0.0;
    memcpy(r.theta, thetas[k], sizeof thetas[k]);
    const double truth = engine_integral(&r, sd, variance);
    const double estimate =
        filtered(filter, filter_in(&r, sd, variance > 0.0 ? &variance : NULL), 16, &mc);
    cr_expect(fabs(estimate - truth) < 4.0 * mc + 1e-6, "theta %d: %.6f for %.6f (+- %.6f)", k,
              estimate, truth, mc);
  }
  pf_filter_free(filter);
  tear_down(&r);
}

Test(filter, integrates_the_inputs_of_recorded_activities)
{
  static const int64_t layers[] = {IN, 3, 1};
  const fake_value given[] = {FAKE_INTEGERS("layers", layers, 3),
                              FAKE_REAL("initial_weights.sd", 0.5)};
  compare_engine(&(const rig_spec){.network = feedforward_LTX_pf_plugin_entry(),
                                   .loss = activity_LTX_pf_plugin_entry(),
                                   .given = given,
                                   .n_given = 2,
                                   .projection = "layer1",
                                   .terms = "1 + w + x + r + x r",
                                   .target = "activity",
                                   .width = 3,
                                   .n_steps = 3},
                 0.15, 0.04);
}

Test(filter, integrates_the_inputs_of_a_network_that_remembers)
{
  const fake_value given[] = {FAKE_INTEGER("inputs", IN), FAKE_INTEGER("units", 3),
                              FAKE_REAL("tau", 2.0), FAKE_REAL("readout.gain", 4.0)};
  compare_engine(&(const rig_spec){.network = recurrent_LTX_pf_plugin_entry(),
                                   .loss = choice_LTX_pf_plugin_entry(),
                                   .given = given,
                                   .n_given = 4,
                                   .projection = "recurrent",
                                   .terms = "1 + w + x + r + x r",
                                   .target = "choice",
                                   .width = 1,
                                   .n_steps = 3},
                 0.4, 0.0);
}

/* ---- a Kalman filter ---- */

/* v(t) = U x(t) + V v(t-1), two units, seen with noise; covariances [2][2]. */
static double kalman(const rig *r, double sd, double variance)
{
  const pf_recording *recording = &r->data.recordings[0];
  double u[2][2], v[2][2], m[2] = {0}, p[2][2] = {{0}}, sum = 0.0;
  for (int k = 0; k < 4; k++) {
    u[k / 2][k % 2] = r->noise[k] / sqrt(2.0);
    v[k / 2][k % 2] = 0.9 / sqrt(2.0) * r->noise[4 + k];
  }
  for (int t = 0; t < r->n_steps; t++) {
    const double *y = recording->targets[0].values + 2 * t, *x = r->input[t];
    double m1[2], p1[2][2];
    for (int i = 0; i < 2; i++) {
      m1[i] = u[i][0] * x[0] + u[i][1] * x[1] + v[i][0] * m[0] + v[i][1] * m[1];
      for (int j = 0; j < 2; j++) {
        p1[i][j] = sd * sd * (u[i][0] * u[j][0] + u[i][1] * u[j][1]);
        for (int a = 0; a < 2; a++) {
          for (int b = 0; b < 2; b++) {
            p1[i][j] += v[i][a] * p[a][b] * v[j][b];
          }
        }
      }
    }
    const double s00 = p1[0][0] + variance, s11 = p1[1][1] + variance, s01 = p1[0][1];
    const double det = s00 * s11 - s01 * s01, e0 = y[0] - m1[0], e1 = y[1] - m1[1];
    const double inverse[2][2] = {{s11 / det, -s01 / det}, {-s01 / det, s00 / det}};
    sum -=
        log(6.283185307179586) + 0.5 * log(det) +
        0.5 * (e0 * e0 * inverse[0][0] + 2.0 * e0 * e1 * inverse[0][1] + e1 * e1 * inverse[1][1]);
    for (int i = 0; i < 2; i++) {
      double gain[2] = {0};
      for (int j = 0; j < 2; j++) {
        gain[j] = p1[i][0] * inverse[0][j] + p1[i][1] * inverse[1][j];
      }
      m[i] = m1[i] + gain[0] * e0 + gain[1] * e1;
      for (int j = 0; j < 2; j++) {
        p[i][j] = p1[i][j] - gain[0] * p1[0][j] - gain[1] * p1[1][j];
      }
    }
  }
  return sum;
}

Test(filter, agrees_with_a_kalman_filter_and_its_variance_falls_as_one_over_n)
{
  enum { N_RUNS = 32 };
  const fake_value given[] = {FAKE_INTEGER("inputs", IN), FAKE_INTEGER("units", 2),
                              FAKE_INTEGER("outputs", 0), FAKE_STRING("dynamics", "discrete"),
                              FAKE_STRING("activation", "linear")};
  const rig_spec spec = {.network = recurrent_LTX_pf_plugin_entry(),
                         .loss = activity_LTX_pf_plugin_entry(),
                         .given = given,
                         .n_given = 5,
                         .projection = "recurrent",
                         .terms = "1",
                         .target = "activity",
                         .width = 2,
                         .n_steps = 20};
  const double sd = 0.3, variance = 0.5;
  double mc[2] = {0};
  rig r;
  pf_error error = pf_error_none();
  set_up(&r, &spec);
  r.theta[0] = 0.0; /* nothing is learned */
  const double truth = kalman(&r, sd, variance);
  for (int k = 0; k < 2; k++) {
    pf_filter *filter = NULL;
    cr_assert(pf_filter_create(r.model, k == 0 ? 100 : 10000, &filter, &error) == PF_OK);
    const double estimate = filtered(filter, filter_in(&r, sd, &variance), N_RUNS, &mc[k]);
    /* with 10,000 the error of the mean is 0.004 nats, measured with seven seeds */
    cr_expect(fabs(estimate - truth) < (k == 0 ? 4.0 * mc[k] : 1e-2), "%.5f for %.5f, error %g",
              estimate, truth, mc[k]);
    pf_filter_free(filter);
  }
  /* the error falls by 10; over 32 runs it is known to a factor of 1.2 */
  cr_expect(mc[0] / mc[1] > 5.0 && mc[0] / mc[1] < 20.0, "sd %g with 100, %g with 10,000", mc[0],
            mc[1]);
  tear_down(&r);
}

/* ---- what needs no quadrature ---- */

static void set_up_choices(rig *r, int n_steps)
{
  static const int64_t layers[] = {IN, 3, 1};
  const fake_value given[] = {FAKE_INTEGERS("layers", layers, 3),
                              FAKE_REAL("initial_weights.sd", 0.3), FAKE_REAL("readout.gain", 5.0)};
  set_up(r, &(const rig_spec){.network = feedforward_LTX_pf_plugin_entry(),
                              .loss = choice_LTX_pf_plugin_entry(),
                              .given = given,
                              .n_given = 3,
                              .projection = "layer1",
                              .terms = "1 + w + x + r + x r",
                              .target = "choice",
                              .width = 1,
                              .n_steps = n_steps});
  memcpy(r->theta, thetas[0], sizeof thetas[0]);
}

static double engine_likelihood(const rig *r)
{
  pf_workspace *workspace = NULL;
  pf_loss_value value = {0};
  pf_error error = pf_error_none();
  cr_assert(pf_workspace_create(r->model, r->n_steps, &workspace, &error) == PF_OK);
  cr_assert(pf_forward(&(const pf_simulation){r->model, r->draw, r->theta, {&workspace, 1}}, 0,
                       PF_STEP_FIT, &value, &error) == PF_OK);
  pf_workspace_free(workspace);
  return value.log_likelihood;
}

Test(filter, is_todays_likelihood_where_nothing_is_unknown)
{
  rig r;
  pf_filter *filter = NULL;
  pf_filter_out out = {0};
  pf_error error = pf_error_none();
  set_up_choices(&r, MAX_STEPS);
  for (size_t n = 1; n <= 7; n += 6) {
    pf_filter_in in = filter_in(&r, 0.0, NULL);
    cr_assert(pf_filter_create(r.model, n, &filter, &error) == PF_OK);
    cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
    cr_expect(fabs(out.log_likelihood - engine_likelihood(&r)) <
                  (sizeof(pf_real) == sizeof(double) ? 1e-12 : 1e-4),
              "%zu particles: %.15g for %.15g", n, out.log_likelihood, engine_likelihood(&r));
    cr_expect(out.n_resampled == 0);
    pf_filter_free(filter);
  }
  tear_down(&r);
}

/* Missing cues whose sd is that of the noise are the same as noise on cues. */
Test(filter, integrates_missing_inputs_as_it_does_noise)
{
  enum { MISSING_TO = 10 };
  rig r;
  pf_filter *filter = NULL;
  pf_filter_out noisy = {0}, missing = {0};
  pf_error error = pf_error_none();
  set_up_choices(&r, MAX_STEPS);
  double sd[MAX_STEPS * IN];
  for (int i = 0; i < r.n_steps * IN; i++) {
    sd[i] = 0.3 / mean;
  }
  cr_assert(pf_filter_create(r.model, 50, &filter, &error) == PF_OK);
  pf_filter_in in = filter_in(&r, 0.3, NULL);
  cr_assert(pf_filter_run(filter, &in, &noisy, &error) == PF_OK);
  r.data.recordings[0].cue_sd = sd;
  in.unknowns.sd = 0.0;
  cr_expect(!pf_unknowns_any(r.model, &in.unknowns));
  in.unknowns.missing = true;
  cr_expect(pf_unknowns_any(r.model, &in.unknowns));
  cr_assert(pf_filter_run(filter, &in, &missing, &error) == PF_OK);
  cr_expect(fabs(missing.log_likelihood - noisy.log_likelihood) < 1e-3, "%.12g for %.12g",
            missing.log_likelihood, noisy.log_likelihood);
  /* what was recorded stays as it was recorded */
  for (int i = MISSING_TO; i < r.n_steps * IN; i++) {
    sd[i] = 0.0;
  }
  cr_assert(pf_filter_run(filter, &in, &missing, &error) == PF_OK);
  cr_expect(fabs(missing.log_likelihood - noisy.log_likelihood) > 1e-3);
  cr_assert(pf_filter_draw(filter, &in, &r.draw, 1, &error) == PF_OK);
  for (int i = 0; i < r.n_steps * IN; i++) {
    const double x = (double)r.draw->input[i / IN * r.draw->ld_input + i % IN];
    const double cue = mean * r.data.recordings[0].cue[i];
    cr_expect(i < MISSING_TO ? x != cue : fabs(x - cue) < 1e-6, "cell %d: %g for %g", i, x, cue);
  }
  r.data.recordings[0].cue_sd = NULL;
  pf_filter_free(filter);
  tear_down(&r);
}

Test(filter, draws_a_history_whose_likelihood_one_particle_had)
{
  rig r;
  pf_filter *filter = NULL;
  pf_filter_out out = {0};
  pf_error error = pf_error_none();
  set_up_choices(&r, MAX_STEPS);
  pf_filter_in in = filter_in(&r, 0.25, NULL);
  in.unknowns.known_noise = 0;
  cr_assert(pf_filter_create(r.model, 1, &filter, &error) == PF_OK);
  cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
  cr_assert(pf_filter_draw(filter, &in, &r.draw, 1, &error) == PF_OK);
  cr_expect(fabs(out.log_likelihood - engine_likelihood(&r)) <
                (sizeof(pf_real) == sizeof(double) ? 1e-12 : 1e-4),
            "%.15g for %.15g", out.log_likelihood, engine_likelihood(&r));
  pf_filter_free(filter);
  tear_down(&r);
}

Test(filter, draws_of_many_particles_are_likelier_than_the_prior)
{
  enum { N_DRAWS = 40, N_PARTICLES = 400 };
  rig r;
  pf_filter *filter = NULL;
  pf_filter_out out = {0};
  pf_error error = pf_error_none();
  double prior = 0.0, posterior = 0.0;
  set_up_choices(&r, MAX_STEPS);
  memcpy(r.theta, thetas[4], sizeof thetas[4]);
  pf_filter_in in = filter_in(&r, 0.4, NULL);
  for (uint32_t d = 0; d < N_DRAWS; d++) {
    in.stream.draw = d;
    cr_assert(pf_filter_create(r.model, 1, &filter, &error) == PF_OK);
    cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
    prior += out.log_likelihood / N_DRAWS;
    pf_filter_free(filter);
    cr_assert(pf_filter_create(r.model, N_PARTICLES, &filter, &error) == PF_OK);
    cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
    cr_assert(pf_filter_draw(filter, &in, &r.draw, 1, &error) == PF_OK);
    posterior += engine_likelihood(&r) / N_DRAWS;
    pf_filter_free(filter);
  }
  cr_expect(out.n_resampled > 0);
  cr_expect(prior < out.log_likelihood, "%g, %g", prior, out.log_likelihood);
  cr_expect(posterior > prior + 0.5, "prior %g, posterior %g", prior, posterior);
  tear_down(&r);
}

Test(filter, says_in_one_line_that_all_particles_are_lost)
{
  rig r;
  pf_filter *filter = NULL;
  pf_filter_out out = {0};
  pf_error error = pf_error_none();
  set_up_choices(&r, MAX_STEPS);
  r.theta[2] = 1e300;
  pf_filter_in in = filter_in(&r, 0.25, NULL);
  cr_assert(pf_filter_create(r.model, 50, &filter, &error) == PF_OK);
  cr_expect(pf_filter_run(filter, &in, &out, &error) == PF_POINT_FAILED);
  cr_expect(strstr(error.text, "all 50 particles were lost") != NULL, "%s", error.text);
  cr_expect(strchr(error.text, '\n') == NULL);
  pf_filter_free(filter);
  tear_down(&r);
}

/* Without drawing anew, the likelihood is a smooth function of theta for given random numbers, and
 * Fisher's identity holds exactly; draws stand for the weights to 1 / N_DRAWS. */
Test(filter, mean_score_of_posterior_draws_is_the_derivative_of_the_likelihood)
{
  enum { N_PARTICLES = 20, N_DRAWS = 4000, N_STEPS = 20 };
  static pf_draw *draws[N_DRAWS];
  const double h = 1e-4, scale = 1.0;
  double score[MAX_THETA] = {0.0};
  rig r;
  pf_filter *filter = NULL;
  pf_workspace *workspace = NULL;
  pf_error error = pf_error_none();
  set_up_choices(&r, N_STEPS);
  pf_filter_in in = filter_in(&r, 0.25, NULL);
  in.threshold = 0.0;
  cr_assert(pf_filter_create(r.model, N_PARTICLES, &filter, &error) == PF_OK);
  cr_assert(pf_workspace_create(r.model, N_STEPS, &workspace, &error) == PF_OK);
  for (int d = 0; d < N_DRAWS; d++) {
    cr_assert(pf_draw_create(r.model, &r.data.recordings[0], r.input[0], r.noise, &draws[d],
                             &error) == PF_OK);
  }
  pf_filter_out out = {0};
  cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
  cr_expect(out.least_share < 0.9, "weights that are all the same would test nothing");
  cr_assert(pf_filter_draw(filter, &in, draws, N_DRAWS, &error) == PF_OK);
  for (int d = 0; d < N_DRAWS; d++) {
    pf_loss_value value = {0};
    const pf_simulation simulation = {r.model, draws[d], r.theta, {&workspace, 1}};
    cr_assert(pf_gradient(&simulation, &scale, &value, score, &error) == PF_OK);
    pf_draw_free(r.model, draws[d]);
  }
  for (int i = 0; i < N_RULE; i++) {
    const double theta = r.theta[i];
    double sides[2];
    for (int side = 0; side < 2; side++) {
      r.theta[i] = theta + (side == 0 ? -h : h);
      cr_assert(pf_filter_run(filter, &in, &out, &error) == PF_OK);
      sides[side] = out.log_likelihood;
    }
    r.theta[i] = theta;
    const double difference = (sides[1] - sides[0]) / (2.0 * h);
    cr_expect(fabs(score[i] / N_DRAWS - difference) <
                  0.01 * fabs(difference) + (sizeof(pf_real) == sizeof(double) ? 0.02 : 1.0),
              "%d: %g for %g", i, score[i] / N_DRAWS, difference);
  }
  pf_workspace_free(workspace);
  pf_filter_free(filter);
  tear_down(&r);
}
