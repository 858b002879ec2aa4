/*
 * bench/gradient [--information] [--least-memory] [--count N] CASE [THREADS]: the time of one
 * whole-trajectory gradient, as a line
 *
 *     case,precision,threads,seconds_min,ns_per_synapse_step,peak_rss_mib
 *
 * A case is the work of issue 5's table on made-up data; bench/run runs several. Rounds are
 * repeated and the fastest counts, since these machines are shared. With --information it is the
 * objective of a fit with the Gauss-Newton matrix of all free parameters, by tangents; with
 * --least-memory checkpoints lie as they do where the config's `memory` is too small for every
 * state. `custom N_PRE N_POST STEPS TERMS` is for scaling; a rule's group of the config may stand
 * for TERMS: 'plugin = "oja";'. With --count exactly N gradients are taken after the set-up (0:
 * none), for counting instructions and memory: two counts differ by gradients, and the peak leaves
 * the set-up out.
 */
#define _POSIX_C_SOURCE 200809L
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/fit/group_objective.h"
#include "core/model/masks.h"
#include "tests/lab/lab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

typedef struct bench_case {
  const char *name;
  const char *rule; /* the group of rules.layer1 */
  int64_t n_pre, n_post, n_steps;
  bool is_fly; /* n_pre - n_post - 1, choices, of every 11 steps 6 plastic */
  int64_t
      n_recurrent_input; /* > 0: n_post units of network `recurrent` instead, with so many inputs */
  double density;        /* of their synapses on one another; the others are not connected */
} bench_case;

#define MLP "plugin = \"mlp\"; hidden = [10]; inputs = [\"x\", \"y\", \"w\", \"r\"];"
#define TAYLOR_27 \
  "plugin = \"taylor\"; powers: { x = [0,1,2]; y = [0,1,2]; w = [0,1,2]; r = [0]; };"
static const bench_case cases[] = {
    {"fly81", "plugin = \"taylor\";", 2, 10, 440, true, 0, 1.0},
    {"fly5", "plugin = \"taylor\"; terms = \"1 + w + x + r + x r\";", 2, 10, 440, true, 0, 1.0},
    {"flymlp", MLP, 2, 10, 440, true, 0, 1.0},
    {"oja81", "plugin = \"taylor\";", 20, 20, 100, false, 0, 1.0},
    {"fly18", "plugin = \"taylor\"; powers: { x = [0,1,2]; y = [0]; w = [0,1]; r = [0,1,2]; };", 2,
     10, 440, true, 0, 1.0},
    {"layer", TAYLOR_27, 100, 1000, 50, false, 0, 1.0},
    {"mlp", MLP, 100, 1000, 50, false, 0, 1.0},
    {"million", TAYLOR_27, 1000, 1000, 1000, false, 0, 1.0},
    {"recurrent", TAYLOR_27, 200, 200, 1000, false, 20, 0.2},
    {"recurrent-long", "plugin = \"oja\";", 200, 200, 10000, false, 20, 1.0},
};

static double seconds(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/** Of this process. Not ru_maxrss, where there is better: that begins with what the program which
 * started us had. */
static double peak_mib(void)
{
  char line[256];
  double kib = 0.0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && kib <= 0.0 && fgets(line, sizeof line, status) != NULL) {
    kib = strncmp(line, "VmHWM:", 6) == 0 ? strtod(line + 6, NULL) : 0.0;
  }
  if (status != NULL) {
    (void)fclose(status);
  }
  if (kib <= 0.0) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    kib = (double)usage.ru_maxrss;
  }
  return kib / 1024.0;
}

/** The peak counts from now on, where the system can do that (Linux); what the set-up freed is
 * given back. */
static void forget_peak(void)
{
#ifdef __GLIBC__
  (void)malloc_trim(0);
#endif
  FILE *refs = fopen("/proc/self/clear_refs", "w");
  if (refs != NULL) {
    (void)fputs("5", refs);
    (void)fclose(refs);
  }
}

/** Everything one measurement holds. */
typedef struct bench {
  const bench_case *what;
  long count; /* gradients to take; negative: as many as measuring takes */
  lab lab;
  pf_registry *registry;
  pf_dataset data;
  pf_draw *draw;
  pf_batch *batch;
  pf_workspace **workspaces;
  size_t n_threads;
  double *theta, *gradient;
  bool informs; /* take the information too: of a fit to the one draw */
  bool least;   /* of the memory */
  pf_settings settings;
  pf_problem problem;
  pf_layout *layout;
  pf_group_batches batches;
  pf_group_objective *function;
  double *values, *information; /* [layout->n], [layout->n][layout->n] */
} bench;

/** Synapses that are there: each for itself, with the case's density. */
static pf_status make_mask(bench *self, pf_error *error)
{
  const size_t n = (size_t)(self->what->n_pre * self->what->n_post);
  int64_t n_post = 0, n_pre = 0;
  const int64_t projection = pf_model_projection(self->lab.model, "recurrent", &n_post, &n_pre);
  double *uniform = pf_memory_need(n, sizeof *uniform, error);
  uint8_t *connected = pf_memory_need(n, 1, error);
  pf_status status = uniform == NULL || connected == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_random_uniform((pf_stream){.seed = 6, .purpose = PF_RANDOM_TEST}, 0, (int64_t)n, uniform);
    for (size_t i = 0; i < n; i++) {
      connected[i] = uniform[i] < self->what->density;
    }
    status = pf_model_mask(self->lab.model, projection, connected, NULL, error);
  }
  pf_memory_free(uniform);
  pf_memory_free(connected);
  return status;
}

static pf_status make_model(bench *self, pf_error *error)
{
  static const char *const channels[] = {"reward"};
  char text[4096];
  const bench_case *what = self->what;
  const bool recurrent = what->n_recurrent_input > 0;
  if (recurrent) {
    (void)snprintf(text, sizeof text,
                   "network: { plugin = \"recurrent\"; inputs = %lld; units = %lld; outputs = 0; };"
                   "rules: { recurrent: { %s modulator = \"reward\"; }; }; losses = ( { plugin = "
                   "\"activity\"; } );",
                   (long long)what->n_recurrent_input, (long long)what->n_post, what->rule);
  } else {
    (void)snprintf(
        text, sizeof text,
        "network: { plugin = \"feedforward\"; layers = [%lld, %lld%s]; initial_weights: { sd = "
        "0.1; }; %s };"
        "rules: { layer1: { %s modulator = \"reward\"; }; }; losses = ( { plugin = \"%s\"; } );",
        (long long)what->n_pre, (long long)what->n_post, what->is_fly ? ", 1" : "",
        what->is_fly ? "readout: { gain = 5.0; };" : "", what->rule,
        what->is_fly ? "choice" : "activity");
  }
  pf_status status = lab_create(self->registry, what->name, text, &pf_normalisations[0],
                                (pf_names){channels, 1}, &self->lab, error);
  status = status == PF_OK && recurrent ? make_mask(self, error) : status;
  if (status == PF_OK && self->least) {
    self->lab.model->state_budget = 1;
  }
  return status;
}

/** Made-up data of the case's shape. */
static pf_status make_data(bench *self, pf_error *error)
{
  const bench_case *what = self->what;
  const size_t steps = (size_t)what->n_steps, width = what->is_fly ? 1 : (size_t)what->n_post;
  const int64_t n_input = what->n_recurrent_input > 0 ? what->n_recurrent_input : what->n_pre;
  double *cue = pf_memory_need(steps * (size_t)n_input, sizeof *cue, error);
  double *reward = pf_memory_need(steps, sizeof *reward, error);
  double *target = pf_memory_need(steps * width, sizeof *target, error);
  uint32_t *flags = pf_memory_need(steps, sizeof *flags, error);
  pf_status status =
      cue == NULL || reward == NULL || target == NULL || flags == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_stream stream = {.seed = 1, .purpose = PF_RANDOM_TEST};
    pf_random_normal(stream, 0, (int64_t)steps * n_input, cue);
    pf_random_uniform((pf_stream){.seed = 2, .purpose = PF_RANDOM_TEST}, 0, (int64_t)steps, reward);
    pf_random_uniform((pf_stream){.seed = 3, .purpose = PF_RANDOM_TEST}, 0,
                      (int64_t)(steps * width), target);
    for (size_t t = 0; t < steps; t++) {
      flags[t] =
          PF_STEP_FIT | PF_STEP_SCORE | (!what->is_fly || t * 6 % 11 < 6 ? PF_STEP_PLASTIC : 0U);
      target[t] = what->is_fly ? (flags[t] & PF_STEP_PLASTIC) != 0 : target[t];
      reward[t] = reward[t] < 0.5 ? 0.0 : 1.0;
    }
    const pf_channel channel = {.name = "reward", .values = reward};
    const pf_target recorded = {
        .name = what->is_fly ? "choice" : "activity", .n = (int64_t)width, .values = target};
    const pf_experiment experiment = {.size = sizeof experiment,
                                      .animal = "one",
                                      .name = what->name,
                                      .n_steps = what->n_steps,
                                      .n_input = n_input,
                                      .cue = cue,
                                      .flags = flags,
                                      .channels = {&channel, 1, sizeof channel},
                                      .targets = {&recorded, 1, sizeof recorded}};
    status = pf_dataset_add(&self->data, &experiment, error);
  }
  pf_memory_free(cue);
  pf_memory_free(reward);
  pf_memory_free(target);
  pf_memory_free(flags);
  return status;
}

/** The objective of a fit to the draw, as the optimiser lm sees it. */
static pf_status make_fit(bench *self, pf_error *error)
{
  const pf_model *model = self->lab.model;
  self->problem = (pf_problem){.settings = &self->settings, .model = self->lab.model};
  self->batches = (pf_group_batches){.batches = &self->batch, .n = 1};
  pf_status status = pf_layout_create(
      &(pf_layout_in){model->parameters, model->n_parameters, NULL, NULL, 1}, &self->layout, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t n = self->layout->n;
  self->values = pf_memory_need(n, sizeof *self->values, error);
  self->information = pf_memory_need(n * n, sizeof *self->information, error);
  if (self->values == NULL || self->information == NULL) {
    return PF_STOP;
  }
  pf_layout_values(self->layout, self->theta, self->values);
  const pf_group_objective_in in = {.problem = &self->problem,
                                    .layout = self->layout,
                                    .batches = &self->batches,
                                    .workspaces = self->workspaces,
                                    .n_workspaces = self->n_threads};
  return pf_group_objective_create(&in, &self->function, error);
}

static pf_status make_work(bench *self, pf_error *error)
{
  const pf_model *model = self->lab.model;
  const size_t n_noise = (size_t)model->declared.n_noise, n = model->n_parameters;
  double *noise = pf_memory_need(n_noise, sizeof *noise, error);
  self->workspaces = pf_memory_need(self->n_threads, sizeof *self->workspaces, error);
  self->theta = pf_memory_need(n, sizeof *self->theta, error);
  self->gradient = pf_memory_need(n, sizeof *self->gradient, error);
  if (noise == NULL || self->workspaces == NULL || self->theta == NULL || self->gradient == NULL) {
    pf_memory_free(noise);
    return PF_STOP;
  }
  pf_random_normal((pf_stream){.seed = 4, .purpose = PF_RANDOM_TEST}, 0, (int64_t)n_noise, noise);
  pf_random_normal((pf_stream){.seed = 5, .purpose = PF_RANDOM_TEST}, 0, (int64_t)n, self->theta);
  for (size_t i = 0; i < n; i++) {
    const pf_parameter *declared = &model->parameters[i].declared;
    const bool is_fixed = (declared->flags & PF_PARAMETER_FIXED) != 0;
    self->theta[i] = is_fixed ? declared->initial : 1e-3 * self->theta[i];
  }
  pf_status status = pf_draw_create(model, &self->data.recordings[0], self->data.recordings[0].cue,
                                    noise, &self->draw, error);
  pf_memory_free(noise);
  for (size_t i = 0; i < self->n_threads && status == PF_OK; i++) {
    status = pf_workspace_create(model, self->what->n_steps, &self->workspaces[i], error);
  }
  const pf_draw *const *draws = (const pf_draw *const *)&self->draw;
  if (status == PF_OK) {
    status = pf_batch_create(model, draws, 1, &self->batch, error);
  }
  return status == PF_OK && self->informs ? make_fit(self, error) : status;
}

static pf_status evaluate(bench *self, double *value, pf_error *error)
{
  if (!self->informs) {
    return pf_batch_objective(self->batch, self->theta,
                              (pf_workspaces){self->workspaces, self->n_threads}, value,
                              self->gradient, error);
  }
  const pf_function *function = pf_group_objective_get(self->function);
  return function->curvature(function->self, self->values, value, self->gradient, self->information,
                             error);
}

static pf_status measure(bench *self, double *best, pf_error *error)
{
  const double synapse_steps =
      (double)self->what->n_pre * (double)self->what->n_post * (double)self->what->n_steps;
  const long inner = self->count < 0 && synapse_steps < 1e6 ? 200 : 1;
  const long rounds = self->count >= 0 ? self->count : synapse_steps > 3e8 ? 5 : 25;
  *best = self->count == 0 ? 0.0 : 1e30;
  for (long r = 0; r < rounds; r++) {
    const double start = seconds();
    for (long i = 0; i < inner; i++) {
      double value = 0.0;
      pf_status status = evaluate(self, &value, error);
      if (status != PF_OK) {
        return status;
      }
    }
    const double one = (seconds() - start) / (double)inner;
    *best = one < *best ? one : *best;
  }
  return PF_OK;
}

static void release(bench *self)
{
  for (size_t i = 0; self->workspaces != NULL && i < self->n_threads; i++) {
    pf_workspace_free(self->workspaces[i]);
  }
  pf_memory_free(self->workspaces);
  pf_memory_free(self->theta);
  pf_memory_free(self->gradient);
  pf_memory_free(self->information);
  pf_memory_free(self->values);
  pf_group_objective_free(self->function);
  pf_layout_free(self->layout);
  pf_batch_free(self->batch);
  if (self->lab.model != NULL) {
    pf_draw_free(self->lab.model, self->draw);
  }
  pf_dataset_free(&self->data);
  lab_free(&self->lab);
  pf_registry_free(self->registry);
}

/**
 * The first `n` of the 81 terms, in the order 1, x, x^2, y, x y, ..., so that each set holds the
 * smaller ones. Writes the group of a rule; false where n is out of range.
 */
static bool first_terms(long n, char *text, size_t size)
{
  static const char *const powers[4][3] = {
      {"", "x ", "x^2 "}, {"", "y ", "y^2 "}, {"", "w ", "w^2 "}, {"", "r ", "r^2 "}};
  if (n < 1 || n > 81) {
    return false;
  }
  size_t used = (size_t)snprintf(text, size, "plugin = \"taylor\"; terms = \"1");
  for (long k = 1; k < n && used < size; k++) {
    used += (size_t)snprintf(text + used, size - used, " + %s%s%s%s", powers[0][k % 3],
                             powers[1][k / 3 % 3], powers[2][k / 9 % 3], powers[3][k / 27]);
  }
  used += used < size ? (size_t)snprintf(text + used, size - used, "\";") : 0;
  return used < size;
}

/** custom N_PRE N_POST STEPS TERMS, TERMS from 1 to 81, or mlp, or a rule's group */
static bool custom_case(int argc, char **argv, bench_case *out, char *rule, size_t size)
{
  const bool is_mlp = argc >= 6 && strcmp(argv[5], "mlp") == 0;
  const bool is_group = argc >= 6 && strchr(argv[5], '=') != NULL;
  if (argc < 6 || (!is_mlp && !is_group && !first_terms(strtol(argv[5], NULL, 10), rule, size))) {
    return false;
  }
  *out = (bench_case){.name = "custom",
                      .rule = is_mlp ? MLP : rule,
                      .n_pre = strtol(argv[2], NULL, 10),
                      .n_post = strtol(argv[3], NULL, 10),
                      .n_steps = strtol(argv[4], NULL, 10)};
  out->rule = is_group ? argv[5] : out->rule;
  return out->n_pre > 0 && out->n_post > 0 && out->n_steps > 0;
}

int main(int argc, char **argv)
{
  bench_case custom;
  char rule[3072];
  bench self = {.n_threads = 1, .count = -1};
  if (argc > 1 && strcmp(argv[1], "--information") == 0) {
    self.informs = true;
    argc--;
    argv++;
  }
  if (argc > 1 && strcmp(argv[1], "--least-memory") == 0) {
    self.least = true;
    argc--;
    argv++;
  }
  if (argc > 2 && strcmp(argv[1], "--count") == 0) {
    self.count = strtol(argv[2], NULL, 10);
    argc -= 2;
    argv += 2;
  }
  for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++) {
    self.what = strcmp(argv[1], cases[i].name) == 0 ? &cases[i] : self.what;
  }
  const bool is_custom = argc > 1 && strcmp(argv[1], "custom") == 0 &&
                         custom_case(argc, argv, &custom, rule, sizeof rule);
  self.what = is_custom ? &custom : self.what;
  if (self.what == NULL) {
    (void)fprintf(
        stderr,
        "usage: gradient [--information] [--least-memory] [--count N] CASE [THREADS]\n"
        "       CASE: fly81|fly18|fly5|flymlp|oja81|layer|mlp|million|recurrent|recurrent-long, or "
        "custom N_PRE N_POST STEPS TERMS|mlp|RULE\n");
    return 2;
  }
  const int at = is_custom ? 6 : 2;
  const long threads = argc > at ? strtol(argv[at], NULL, 10) : 1;
  self.n_threads = threads > 0 && threads < 1000 ? (size_t)threads : 1;
  pf_error error = pf_error_none();
  double best = 0.0;
  pf_status status = pf_registry_create(NULL, &self.registry, &error);
  status = status == PF_OK ? make_model(&self, &error) : status;
  status = status == PF_OK ? make_data(&self, &error) : status;
  status = status == PF_OK ? make_work(&self, &error) : status;
  if (self.count >= 0) {
    forget_peak();
  }
  status = status == PF_OK ? measure(&self, &best, &error) : status;
  if (status == PF_OK) {
    const double synapse_steps =
        (double)self.what->n_pre * (double)self.what->n_post * (double)self.what->n_steps;
    (void)printf("%s,%s,%zu,%.6g,%.4g,%.1f\n", self.what->name,
                 sizeof(pf_real) == 8 ? "double" : "single", self.n_threads, best,
                 1e9 * best / synapse_steps, peak_mib());
  } else {
    (void)fprintf(stderr, "bench/gradient %s: %s\n", self.what->name, error.text);
  }
  release(&self);
  return status == PF_OK ? 0 : 1;
}
