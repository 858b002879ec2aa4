/* A source that reads, and is a task as well, and its mutants (rule.c says how they work). */
#include <math.h>
#include <plastfit/abi/plugin.h>

#ifndef MUTANT
#define MUTANT 0
#endif
#define IF(n, broken, right) (MUTANT == (n) ? (broken) : (right))

enum { STEPS = 6, INPUTS = 2, TASK = 12 };

typedef struct source {
  const pf_host *host;
  double own;
} source;

static const char *const channels[1] = {"reward"}, *const targets[1] = {"choice"};

static pf_status create(const pf_host *host, const pf_options *options, void **out, pf_error *error)
{
  source *self = host->allocate(host, sizeof *self);
  (void)options;
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the source");
  }
  self->host = host;
  *out = self;
  return PF_OK;
}

static void destroy(void *object)
{
  source *self = object;
  if (self != NULL) {
    self->host->release(self->host, self);
  }
}

static pf_status declare(const void *object, pf_source_declaration *out, pf_error *error)
{
  (void)object;
  (void)error;
  out->n_input = INPUTS;
  out->channels = (pf_names)PF_NAMES_OF(channels);
  out->targets = (pf_names)PF_NAMES_OF(targets);
  out->n_state = 2;
  out->n_uniform = 1;
  out->max_steps = TASK;
  return PF_OK;
}

static pf_status read_all(const void *object, const pf_sink *sink, pf_error *error)
{
  const source *self = object;
  double cue[STEPS * INPUTS], reward[STEPS], choice[STEPS];
  int64_t trial[STEPS];
  static double drift;
  pf_status status = PF_OK;
  if (MUTANT == 3) {
    drift += 1.0;
  }
  if (MUTANT == 5) {
    (void)self->host->allocate(self->host, 100);
  }
  for (int animal = 0; animal < IF(14, 0, 2) && (status == PF_OK || MUTANT == 1); animal++) {
    for (int t = 0; t < STEPS; t++) {
      cue[2 * t] = t % 2 + 0.25 * animal + drift;
      cue[2 * t + 1] = 1 - t % 2;
      reward[t] = t == 3 ? (double)NAN : 0.5 * t;
      choice[t] = (t + animal) % 2;
      trial[t] = MUTANT == 6 ? (t == 1 ? 1 : 0) : t / 2;
    }
    const pf_channel channel = {IF(4, "prize", "reward"), reward};
    const pf_target target = {"choice", 1, choice};
    const pf_experiment e = {.size = sizeof e,
                             .animal = animal == 0 ? "a" : "b",
                             .name = "made up",
                             .n_steps = STEPS,
                             .n_input = INPUTS,
                             .cue = cue,
                             .trial = trial,
                             .channels = {&channel, 1, sizeof channel},
                             .targets = {&target, 1, sizeof target}};
    status = sink->experiment(sink, &e, error);
  }
  return MUTANT == 2 ? PF_OK : status;
}

static pf_status begin(const void *object, int64_t run, double *state, pf_error *error)
{
  (void)object;
  (void)run;
  (void)error;
  state[0] = 0.5;
  state[IF(10, 2, 1)] = 0.0;
  return PF_OK;
}

static pf_status next(const void *object, double *state, const pf_task_in *in, pf_task_out *out,
                      pf_error *error)
{
  static double own;
  (void)error;
#if MUTANT == 7
  ((source *)(uintptr_t)object)->own += in->uniform[0];
  state[1] = ((const source *)object)->own;
#elif MUTANT == 8
  own += in->uniform[0];
  state[1] = own;
#else
  (void)object;
  (void)own;
  state[1] += in->uniform[IF(12, 1, 0)];
#endif
  if (in->step > 0) {
    out->flags = PF_STEP_FIT | PF_STEP_SCORE | (in->choice > 0.5 ? PF_STEP_PLASTIC : 0);
    out->channels[0] = in->choice > 0.5 && in->uniform[0] < state[0] ? 1.0 : 0.0;
  }
  if (in->step >= TASK && MUTANT != 9) {
    out->done = 1;
    return PF_OK;
  }
  out->cue[0] = MUTANT == 13 && in->step == 7 ? (double)NAN : state[1] - floor(state[1]);
  out->cue[1] = 1 - out->cue[0];
  out->trial = in->step;
  return PF_OK;
}

static void end(const void *object, double *state)
{
  (void)object;
  (void)state;
}

static const pf_source_ops ops = {.size = sizeof(pf_source_ops),
                                  .create = create,
                                  .destroy = destroy,
                                  .declare = declare,
                                  .read = read_all,
                                  .begin = begin,
                                  .next = next,
                                  .end = IF(11, NULL, end)};

static const pf_plugin plugin = {PF_PLUGIN_HEAD(PF_KIND_SOURCE), .name = "mutant", .version = "1",
                                 .summary = "a source that is checked", .source = &ops};

PF_PLUGIN_ENTRY(mutant)
{
  return &plugin;
}
