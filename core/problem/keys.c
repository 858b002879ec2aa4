#include "core/problem/keys.h"

#include <plastfit/abi/plugin.h>

#include <math.h>

#define TABLE(array)                                                                            \
  (pf_option_table)                                                                             \
  {                                                                                             \
    .items = (array), .count = sizeof(array) / sizeof((array)[0]), .stride = sizeof((array)[0]) \
  }
#define NAMES(array)                                              \
  (pf_names)                                                      \
  {                                                               \
    .items = (array), .count = sizeof(array) / sizeof((array)[0]) \
  }

pf_option_table pf_keys_root(void)
{
  static const pf_option keys[] = {
      {.name = "name", .type = PF_TYPE_STRING, .fallback = "\"run\"", .help = "what the run is called"},
      {.name = "seed",
       .type = PF_TYPE_INTEGER,
       .fallback = "1",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "of every random number; the same seed gives the same bits"},
      {.name = "out", .type = PF_TYPE_STRING, .help = "run folder, relative to the current one; default runs/<name>"},
      {.name = "threads",
       .type = PF_TYPE_INTEGER,
       .fallback = "0",
       .unit = "1",
       .lower = 0,
       .upper = 4096,
       .help = "0: as many as OpenMP gives (OMP_NUM_THREADS)"},
      {.name = "memory",
       .type = PF_TYPE_STRING,
       .help = "most memory that simulations may take, e.g. \"512 MiB\"; default a quarter of the machine's"},
      {.name = "report",
       .type = PF_TYPE_BOOL,
       .fallback = "true",
       .help = "write report.html with its figures; `plastfit report` makes them later too"},
      {.name = "plugin_path", .type = PF_TYPE_PATH, .help = "folder of plugins, looked at first"},
      {.name = "normalise",
       .type = PF_TYPE_STRING,
       .fallback = "\"steps\"",
       .choices = "steps|padded|sum",
       .help = "mean over observed cells; the reference's mean over trials x longest trial; or the plain sum"},
      {.name = "penalty.l1",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "adds l1 * sum |theta| over the rules' free parameters"},
      {.name = "penalty.l2",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "adds l2 * sum theta^2 over the same"},
      {.name = "fit.per",
       .type = PF_TYPE_STRING,
       .fallback = "\"animal\"",
       .choices = "animal|shared",
       .help = "a theta for every animal, or one for all"},
      {.name = "fit.optimiser",
       .type = PF_TYPE_STRING,
       .fallback = "\"adam\"",
       .choices = "lm|lbfgs|owlqn|adam",
       .help = "lm: second derivatives, bounds and L1 exactly; lbfgs, owlqn: many parameters; adam: the reference's"},
      {.name = "fit.iterations",
       .type = PF_TYPE_INTEGER,
       .fallback = "200",
       .unit = "1",
       .lower = 0,
       .upper = 1000000000,
       .help = "most iterations (adam makes `epochs` passes instead)"},
      {.name = "fit.evaluations",
       .type = PF_TYPE_INTEGER,
       .fallback = "0",
       .unit = "1",
       .lower = 0,
       .upper = 1e15,
       .help = "most evaluations of the objective; 0: no limit (not adam)"},
      {.name = "fit.tolerance.gradient",
       .type = PF_TYPE_REAL,
       .fallback = "1e-15",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "converged when no component of the projected gradient is larger (not adam)"},
      {.name = "fit.tolerance.progress",
       .type = PF_TYPE_REAL,
       .fallback = "1e-12",
       .unit = "1",
       .lower = 0,
       .upper = 1,
       .help = "converged when the objective falls by a smaller share of itself (not adam)"},
      {.name = "fit.tolerance.step",
       .type = PF_TYPE_REAL,
       .fallback = "1e-12",
       .unit = "1",
       .lower = 0,
       .upper = 1,
       .help = "stop when no parameter moves by more than this share of 1 + its size (not adam)"},
      {.name = "fit.starts",
       .type = PF_TYPE_INTEGER,
       .fallback = "1",
       .unit = "1",
       .lower = 1,
       .upper = 1000000,
       .help = "starts of each fit, the best is kept: the usual one, the others spread over the bounds"},
      {.name = "fit.spread",
       .type = PF_TYPE_REAL,
       .fallback = "1.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "how far from the usual start the others may be on a side without a bound"},
      {.name = "fit.learning_rate",
       .type = PF_TYPE_REAL,
       .fallback = "1e-3",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "adam: step size"},
      {.name = "fit.beta1",
       .type = PF_TYPE_REAL,
       .fallback = "0.9",
       .unit = "1",
       .lower = 0,
       .upper = 0.999999999,
       .help = "adam: decay of the first moment"},
      {.name = "fit.beta2",
       .type = PF_TYPE_REAL,
       .fallback = "0.999",
       .unit = "1",
       .lower = 0,
       .upper = 0.999999999,
       .help = "adam: decay of the second moment"},
      {.name = "fit.epsilon",
       .type = PF_TYPE_REAL,
       .fallback = "1e-8",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "adam: added to the root of the second moment"},
      {.name = "fit.epochs",
       .type = PF_TYPE_INTEGER,
       .fallback = "250",
       .unit = "1",
       .lower = 0,
       .upper = 1000000000,
       .help = "adam: passes over the data: 250 means 250 (the reference's num_epochs = 250 makes 251)"},
      {.name = "fit.batch",
       .type = PF_TYPE_STRING,
       .fallback = "\"draw\"",
       .choices = "draw|full",
       .help = "adam: one step per draw, in order, as the reference; or one per pass over all draws (the others: all)"},
      {.name = "fit.log_every",
       .type = PF_TYPE_INTEGER,
       .fallback = "10",
       .unit = "1",
       .lower = 1,
       .upper = INFINITY,
       .help = "adam: passes between rows of fit.csv (the others: a row for each iteration)"},
      {.name = "init.theta",
       .type = PF_TYPE_PATH,
       .help = "theta.csv of an earlier run, from whose estimates the fit starts"},
      {.name = "evaluate.draws",
       .type = PF_TYPE_INTEGER,
       .fallback = "5",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "fresh draws of inputs and initial weights; 0: the fitted ones"},
      {.name = "evaluate.animals",
       .type = PF_TYPE_INTEGER,
       .fallback = "0",
       .unit = "1",
       .lower = 0,
       .upper = 1e6,
       .help = "fresh animals from a teacher to score on, instead of fresh draws"},
  };
  return TABLE(keys);
}

pf_names pf_keys_root_groups(void)
{
  static const char *const names[] = {"source", "network", "rules", "losses", "compare"};
  return NAMES(names);
}

static pf_option_table source_keys(void)
{
  static const pf_option keys[] = {
      {.name = "animals",
       .type = PF_TYPE_INTEGER,
       .fallback = "1",
       .unit = "1",
       .lower = 1,
       .upper = 1e6,
       .help = "how many animals a task simulates"},
      {.name = "input.mean",
       .type = PF_TYPE_REAL,
       .fallback = "1.0",
       .unit = "1",
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "x = mean * cue + sd * noise"},
      {.name = "input.sd",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "of the noise on every input at every step"},
      {.name = "input.draws",
       .type = PF_TYPE_INTEGER,
       .fallback = "1",
       .unit = "1",
       .lower = 1,
       .upper = 1e6,
       .help = "draws of the noise that a fit sees"},
      {.name = "expected_reward.kind",
       .type = PF_TYPE_STRING,
       .fallback = "\"window\"",
       .choices = "window|exponential",
       .help = "how E[R] follows reward"},
      {.name = "expected_reward.n",
       .type = PF_TYPE_INTEGER,
       .fallback = "10",
       .unit = "rewards",
       .lower = 1,
       .upper = 1e6,
       .help = "window: mean of the last n, the queue starting as zeros"},
      {.name = "expected_reward.rate",
       .type = PF_TYPE_REAL,
       .fallback = "0.1",
       .unit = "1",
       .lower = 0,
       .upper = 1,
       .help = "exponential: e += rate * (reward - e)"},
      {.name = "derive[].name", .type = PF_TYPE_STRING, .required = 1, .help = "a further channel for modulators"},
      {.name = "derive[].of", .type = PF_TYPE_STRING, .required = 1, .help = "the channel it is made from"},
      {.name = "derive[].lag",
       .type = PF_TYPE_INTEGER,
       .unit = "steps",
       .lower = 1,
       .upper = 1e9,
       .help = "its value so many steps before; 0 at the first steps of an experiment"},
      {.name = "derive[].difference",
       .type = PF_TYPE_INTEGER,
       .unit = "steps",
       .lower = 1,
       .upper = 1e9,
       .help = "or its value minus that so many steps before; 0 at the first steps"},
      {.name = "sessions.persist",
       .type = PF_TYPE_BOOL,
       .fallback = "false",
       .help = "an animal's experiments are its sessions: weights last from one to the next; traces, state and E[R] "
               "start anew"},
      {.name = "sessions.count",
       .type = PF_TYPE_INTEGER,
       .fallback = "1",
       .unit = "1",
       .lower = 1,
       .upper = 1e6,
       .help = "sessions that a task simulates for each animal"},
      {.name = "sessions.gap",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "h",
       .lower = 0,
       .upper = 1e9,
       .help = "time between sessions; data with a channel \"gap_hours\" say it themselves, at each session's first step"},
      {.name = "sessions.forget",
       .type = PF_TYPE_BOOL,
       .fallback = "false",
       .help = "weights are forgotten over gaps, w exp(-rate gap): adds the parameter \"forgetting\", the rate"},
      {.name = "sessions.rate",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1/h",
       .lower = 0,
       .upper = INFINITY,
       .help = "where the fit of the rate starts"},
      {.name = "sessions.true_rate",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1/h",
       .lower = 0,
       .upper = INFINITY,
       .help = "the teacher's rate"},
      {.name = "give.inputs",
       .type = PF_TYPE_BOOL,
       .fallback = "false",
       .help = "a fit to simulated data sees the teacher's own inputs"},
      {.name = "give.initial_weights",
       .type = PF_TYPE_BOOL,
       .fallback = "false",
       .help = "a fit to simulated data starts from the teacher's own weights"},
      {.name = "record.noise",
       .type = PF_TYPE_REAL,
       .fallback = "0.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "a task's activities are recorded with normal noise: its sd, as a share of each unit's own sd"},
      {.name = "record.fraction",
       .type = PF_TYPE_REAL,
       .fallback = "1.0",
       .unit = "1",
       .lower = 0,
       .upper = 1,
       .help = "which part of the units is recorded (at least one); the others are missing, NaN"},
      {.name = "record.units",
       .type = PF_TYPE_STRING,
       .fallback = "\"per_animal\"",
       .choices = "per_animal|once",
       .help = "the recorded units are drawn anew for every animal, or once for all"},
  };
  return TABLE(keys);
}

static pf_option_table rule_keys(void)
{
  static const pf_option keys[] = {
      {.name = "modulator",
       .type = PF_TYPE_STRING,
       .help = "linear expression of channels, e.g. \"reward - expected_reward\"; default: the rule's own"},
      {.name = "init_sd",
       .type = PF_TYPE_REAL,
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "sd of the noise on the coefficients a fit starts from; default: the rule's own"},
      {.name = "eta",
       .type = PF_TYPE_REAL,
       .unit = "1",
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "synaptic learning rate; default 1 / n_pre"},
  };
  return TABLE(keys);
}

static pf_option_table network_keys(void)
{
  static const pf_option keys[] = {
      {.name = "initial_weights.draw",
       .type = PF_TYPE_STRING,
       .fallback = "\"once\"",
       .choices = "once|per_draw",
       .help = "initial weights drawn once per experiment, or anew in every draw"},
      {.name = "initial_weights.file",
       .type = PF_TYPE_PATH,
       .help = "CSV of initial weights: animal, experiment (both may be absent), projection, post, pre, value"},
      {.name = "projections[].layer",
       .type = PF_TYPE_INTEGER,
       .unit = "1",
       .lower = 1,
       .upper = INFINITY,
       .help = "the projection into this layer"},
      {.name = "projections[].name", .type = PF_TYPE_STRING, .help = "or the projection of this name"},
      {.name = "projections[].rule",
       .type = PF_TYPE_STRING,
       .help = "by which rule: a group of `rules`; absent: not plastic, the entry is for a `connected` mask"},
      {.name = "projections[].units",
       .type = PF_TYPE_STRING,
       .help =
           "postsynaptic units that learn by the rule, from 0: \"0-4, 7\"; default all. Several entries may share a "
           "projection, with a rule each"},
      {.name = "projections[].bounds",
       .type = PF_TYPE_REALS,
       .unit = "1",
       .lower = -INFINITY,
       .upper = INFINITY,
       .help = "[lower, upper]: weights are clipped to it at the start and after every change"},
      {.name = "projections[].dale",
       .type = PF_TYPE_STRING,
       .help = "sign of the weights: \"+\", \"-\", or by presynaptic unit in order, \"80+ 20-\" (0: free)"},
  };
  return TABLE(keys);
}

static pf_option_table loss_keys(void)
{
  static const pf_option keys[] = {
      {.name = "weight",
       .type = PF_TYPE_REAL,
       .fallback = "1.0",
       .unit = "1",
       .lower = 0,
       .upper = INFINITY,
       .help = "of this loss, after normalising"},
  };
  return TABLE(keys);
}

pf_option_table pf_keys_of_kind(uint32_t kind)
{
  switch (kind) {
  case PF_KIND_SOURCE:
    return source_keys();
  case PF_KIND_RULE:
    return rule_keys();
  case PF_KIND_NETWORK:
    return network_keys();
  case PF_KIND_LOSS:
    return loss_keys();
  default:
    return (pf_option_table){0};
  }
}

pf_names pf_keys_names_of_kind(uint32_t kind)
{
  static const char *const source[] = {"plugin", "animals", "input", "expected_reward", "give", "record", "derive",
                                       "sessions", "truth",  "rule",    "rules"};
  static const char *const rule[] = {"plugin", "modulator", "init_sd", "eta", "parameters"};
  static const char *const network[] = {"plugin",      "initial_weights.draw",    "initial_weights.file",
                                        "projections", "projections[].connected", "projections[].plastic"};
  static const char *const loss[] = {"plugin", "weight"};
  switch (kind) {
  case PF_KIND_SOURCE:
    return NAMES(source);
  case PF_KIND_RULE:
    return NAMES(rule);
  case PF_KIND_NETWORK:
    return NAMES(network);
  case PF_KIND_LOSS:
    return NAMES(loss);
  default:
    return (pf_names){0};
  }
}
