/*
 * A recurrent network whose recurrent weights learn by `trace` or `stdp`, simulated by the engine
 * and by a plain loop that knows nothing of it: weights after every change, and activities, step by
 * step. Time steps differ in length; in the middle a session begins.
 */
#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/model/build_model.h"
#include "core/model/model.h"
#include "core/model/plastic.h"
#include "core/state/draw.h"
#include "core/state/workspace.h"
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *recurrent_LTX_pf_plugin_entry(void);
const pf_plugin *trace_LTX_pf_plugin_entry(void);
const pf_plugin *stdp_LTX_pf_plugin_entry(void);
const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum { T = 60, IN = 2, N = 3, BEGINS = 31, MAX_THETA = 16, N_NOISE = IN * N + N * N };

/* Measured: 1.4e-14, where weights have grown to 2. */
static const double tolerance = sizeof(pf_real) == sizeof(double) ? 1e-13 : 1e-5;

typedef struct world {
  double x[T][IN], r[T], dt[T], y[T][N];
  uint32_t flags[T];
  double u[N][IN], w[N][N]; /* starting weights */
} world;

/** What a rule does to one synapse at one step; k: its traces, kept by the loop. */
typedef struct synapses {
  double e[N][N]; /* per synapse */
  double p[N], q[N];
} synapses;

typedef double (*plain_rule)(synapses *s, int i, int j, double x, double y, double w, double r,
                             double dt);

static const double trace_theta[] = {0.6, 0.04, 3.5};
static double trace_xy(synapses *s, int i, int j, double x, double y, double w, double r, double dt)
{
  s->e[i][j] = exp(-dt / trace_theta[2]) * s->e[i][j] + x * y;
  return trace_theta[0] * r * s->e[i][j] - trace_theta[1] * w;
}

static double trace_x(synapses *s, int i, int j, double x, double y, double w, double r, double dt)
{
  (void)y;
  s->e[i][j] = exp(-dt / trace_theta[2]) * s->e[i][j] + x;
  return trace_theta[0] * r * s->e[i][j] - trace_theta[1] * w;
}

static double trace_y(synapses *s, int i, int j, double x, double y, double w, double r, double dt)
{
  (void)x;
  s->e[i][j] = exp(-dt / trace_theta[2]) * s->e[i][j] + y;
  return trace_theta[0] * r * s->e[i][j] - trace_theta[1] * w;
}

/* A+, A-, tau+, tau-, tau_c; p and q are advanced by the loop, once a step, and read here after
 * the decay over dt */
static const double stdp_theta[] = {0.7, 0.5, 4.0, 6.0, 9.0};
static double stdp_pairs(synapses *s, int i, int j, double x, double y, double w, double r,
                         double dt)
{
  (void)w;
  (void)r;
  return stdp_theta[0] * exp(-dt / stdp_theta[2]) * s->p[j] * y -
         stdp_theta[1] * x * exp(-dt / stdp_theta[3]) * s->q[i];
}

static double stdp_soft(synapses *s, int i, int j, double x, double y, double w, double r,
                        double dt)
{
  const double p = exp(-dt / stdp_theta[2]) * s->p[j], q = exp(-dt / stdp_theta[3]) * s->q[i];
  return r * (stdp_theta[0] * (0.9 - w) * p * y - stdp_theta[1] * (w + 0.8) * x * q);
}

static double stdp_waits(synapses *s, int i, int j, double x, double y, double w, double r,
                         double dt)
{
  const double read = exp(-dt / stdp_theta[4]) * s->e[i][j];
  s->e[i][j] = read + stdp_pairs(s, i, j, x, y, w, r, dt);
  return r * read;
}

static void make_world(world *at, uint64_t seed)
{
  memset(at, 0, sizeof *at);
  for (int t = 0; t < T; t++) {
    for (int j = 0; j < IN; j++) {
      at->x[t][j] = numbers_normal(&seed);
    }
    at->r[t] = numbers_normal(&seed);
    at->dt[t] = 0.5 + 2.0 * numbers_uniform(&seed);
    at->flags[t] = PF_STEP_FIT | PF_STEP_SCORE |
                   (numbers_uniform(&seed) < 0.6 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  at->flags[BEGINS] |= PF_STEP_RESET_STATE | PF_STEP_RESET_TRACES;
}

/** All steps by the plain loop; weights after each change into `states`. Returns how many changes
 * there were. */
static int live(world *at, double tau, double eta, plain_rule rule, double (*states)[N][N])
{
  double v[N] = {0.0}, before[N] = {0.0}, w[N][N];
  synapses s = {0};
  int changes = 0;
  memcpy(w, at->w, sizeof w);
  for (int t = 0; t < T; t++) {
    if (t == BEGINS) {
      memset(v, 0, sizeof v);
      memset(before, 0, sizeof before);
      memset(&s, 0, sizeof s);
    }
    const double kept = tau > 0.0 ? exp(-at->dt[t] / tau) : 0.0;
    for (int i = 0; i < N; i++) {
      double drive = 0.0;
      for (int j = 0; j < IN; j++) {
        drive += at->u[i][j] * at->x[t][j];
      }
      for (int j = 0; j < N; j++) {
        drive += w[i][j] * before[j];
      }
      v[i] = kept * v[i] + (1.0 - kept) * drive;
      at->y[t][i] = tanh(v[i]);
    }
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        const double dw = rule(&s, i, j, before[j], at->y[t][i], w[i][j], at->r[t], at->dt[t]);
        w[i][j] += (at->flags[t] & PF_STEP_PLASTIC) != 0 ? eta * dw : 0.0;
      }
    }
    for (int i = 0; i < N; i++) {
      s.p[i] = exp(-at->dt[t] / stdp_theta[2]) * s.p[i] + before[i];
      s.q[i] = exp(-at->dt[t] / stdp_theta[3]) * s.q[i] + at->y[t][i];
    }
    memcpy(before, at->y[t], sizeof before);
    if ((at->flags[t] & PF_STEP_PLASTIC) != 0) {
      memcpy(states[changes++], w, sizeof w);
    }
  }
  return changes;
}

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
  cr_assert(options.mistakes == 0);
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

static void add_recording(const world *at, pf_dataset *data)
{
  pf_error error = pf_error_none();
  const pf_channel channel = {.name = "reward", .values = at->r};
  const pf_target target = {.name = "activity", .n = N, .values = at->y[0]};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "a",
                                    .name = "a",
                                    .n_steps = T,
                                    .n_input = IN,
                                    .cue = at->x[0],
                                    .flags = at->flags,
                                    .dt = at->dt,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {&target, 1, sizeof target}};
  cr_assert(pf_dataset_add(data, &experiment, &error) == PF_OK, "%s", error.text);
}

/** The engine's simulation against the loop's. tau <= 0: discrete units. */
static void compare(const pf_plugin *plugin, const fake_value *given, size_t n_given,
                    const double *theta, double tau, plain_rule rule)
{
  static const char *const channels[] = {"reward"};
  const double eta = 0.3;
  const fake_value sizes[] = {FAKE_INTEGER("inputs", IN), FAKE_INTEGER("units", N),
                              FAKE_INTEGER("outputs", 0),
                              FAKE_STRING("dynamics", tau > 0.0 ? "leaky" : "discrete"),
                              FAKE_REAL("tau", tau > 0.0 ? tau : 7.0)};
  static double states[T][N][N];
  double noise[N_NOISE], all[MAX_THETA] = {0.0}, worst = 0.0;
  uint64_t seed = 11;
  world at;
  fake_host host;
  pf_dataset data = {0};
  pf_model *model = NULL;
  pf_draw *draw = NULL;
  pf_workspace *workspace = NULL;
  pf_error error = pf_error_none();
  (void)fake_host_init(&host);
  pf_component network = component_of(recurrent_LTX_pf_plugin_entry(), &host, sizes, 5);
  pf_component learn = component_of(plugin, &host, given, n_given);
  pf_component loss = component_of(activity_LTX_pf_plugin_entry(), &host, NULL, 0);
  const pf_plastic_spec spec = {.rule = &learn,
                                .projection = "recurrent",
                                .eta = eta,
                                .modulator = "reward",
                                .owner = "rules.learn"};
  const pf_loss_spec losses = {.loss = &loss, .weight = 1.0, .owner = "losses"};
  cr_assert(pf_model_create(&(const pf_model_spec){&network, &spec, 1, &losses, 1,
                                                   &pf_normalisations[0], (pf_names){channels, 1}},
                            &model, &error) == PF_OK,
            "%s", error.text);
  cr_assert(model->n_parameters <= MAX_THETA);
  for (size_t i = 0; i < model->n_parameters; i++) {
    all[i] = i < model->network_theta0 ? theta[i] : model->parameters[i].declared.initial;
  }
  make_world(&at, 23);
  for (int k = 0; k < N_NOISE; k++) {
    noise[k] = numbers_normal(&seed);
    /* input weights first, sd 1 / sqrt(inputs); then recurrent ones, sd 0.9 / sqrt(units) */
    if (k < IN * N) {
      at.u[k / IN][k % IN] = (double)(pf_real)(noise[k] / sqrt((double)IN));
    } else {
      at.w[(k - IN * N) / N][(k - IN * N) % N] =
          (double)(pf_real)(0.9 / sqrt((double)N) * noise[k]);
    }
  }
  const int changes = live(&at, tau, eta, rule, states);
  add_recording(&at, &data);
  cr_assert(pf_draw_create(model, &data.recordings[0], data.recordings[0].cue, noise, &draw,
                           &error) == PF_OK,
            "%s", error.text);
  cr_assert(pf_workspace_create(model, T, &workspace, &error) == PF_OK);
  cr_assert(pf_forward(&(const pf_simulation){model, draw, all, {&workspace, 1}}, 0, PF_STEP_FIT,
                       NULL, &error) == PF_OK,
            "%s", error.text);
  cr_assert(changes > 20 && pf_workspace_n_changes(workspace) == changes);
  double moved = 0.0;
  for (int k = 0; k < changes; k++) {
    int64_t ld = 0;
    const pf_real *w = pf_workspace_weights(workspace, 0, k + 1, &ld);
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        worst = fmax(worst, fabs((double)w[i * ld + j] - states[k][i][j]));
        moved = fmax(moved, fabs(states[k][i][j] - at.w[i][j]));
      }
    }
  }
  int64_t n = 0, ld = 0;
  const pf_real *y =
      pf_workspace_observable(workspace, pf_model_observable(model, "units"), &n, &ld);
  for (int t = 0; t < T; t++) {
    for (int i = 0; i < N; i++) {
      worst = fmax(worst, fabs((double)y[t * ld + i] - at.y[t][i]));
    }
  }
  cr_expect(worst < tolerance, "off by %g", worst);
  cr_expect(moved > 0.1, "the weights hardly moved: %g", moved);
  pf_workspace_free(workspace);
  pf_draw_free(model, draw);
  pf_dataset_free(&data);
  pf_model_free(model);
  unmake(&network);
  unmake(&learn);
  unmake(&loss);
  cr_expect(host.live == 0);
}

Test(engine_known, traces_of_pairs_in_leaky_units)
{
  compare(trace_LTX_pf_plugin_entry(), NULL, 0, trace_theta, 4.0, trace_xy);
}

Test(engine_known, traces_of_either_side)
{
  const fake_value x[] = {FAKE_STRING("eligibility", "x")}, y[] = {FAKE_STRING("eligibility", "y")};
  compare(trace_LTX_pf_plugin_entry(), x, 1, trace_theta, 4.0, trace_x);
  compare(trace_LTX_pf_plugin_entry(), y, 1, trace_theta, 0.0, trace_y);
}

Test(engine_known, stdp_in_discrete_units)
{
  compare(stdp_LTX_pf_plugin_entry(), NULL, 0, stdp_theta, 0.0, stdp_pairs);
}

Test(engine_known, stdp_with_soft_bounds_and_a_gate)
{
  const fake_value given[] = {FAKE_STRING("third_factor", "gate"),
                              FAKE_STRING("weight_dependence", "multiplicative"),
                              FAKE_REAL("w_min", -0.8), FAKE_REAL("w_max", 0.9)};
  compare(stdp_LTX_pf_plugin_entry(), given, 4, stdp_theta, 4.0, stdp_soft);
}

Test(engine_known, stdp_that_waits_for_its_third_factor)
{
  const fake_value given[] = {FAKE_STRING("third_factor", "eligibility")};
  compare(stdp_LTX_pf_plugin_entry(), given, 1, stdp_theta, 4.0, stdp_waits);
}
