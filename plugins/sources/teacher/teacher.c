/*
 * teacher - tasks in closed loop, for simulated animals (and for fitted rules put back into them):
 * choices between cues that are rewarded in blocks or on a schedule, or among arms; activity under
 * random inputs, and under cues that are rewarded later.
 *
 * The host runs network and rule; this file says what comes next. See README.md.
 */
#include "trials.h"
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

enum { TEACHER_MAX_TARGETS = 32, TEACHER_NAME_LENGTH = 64 };

typedef enum teacher_kind {
  TEACHER_CUES,
  TEACHER_ACTIVITY,
  TEACHER_DELAYED,
  TEACHER_BANDIT
} teacher_kind;

typedef struct teacher {
  const pf_host *host;
  teacher_kind kind;
  double dt; /**< ms, 0: no time axis */
  /* all but activity: blocks, and what each cue or arm pays */
  cue_task cues;
  delayed_task delayed;
  /* activity */
  int64_t n_steps;
  double reward_mean, reward_sd;
  /* what is recorded */
  char names[TEACHER_MAX_TARGETS][TEACHER_NAME_LENGTH];
  const char *targets[TEACHER_MAX_TARGETS];
  size_t n_targets;
} teacher;

#define TEACHER_KINDS "two_odours|cues|bandit|activity|delayed"
static const char *const teacher_channels[] = {"reward"};

static const pf_option teacher_options[] = {
    {.name = "task.kind",
     .type = PF_TYPE_STRING,
     .fallback = "\"two_odours\"",
     .choices = TEACHER_KINDS,
     .help =
         "two_odours, cues, bandit: choices, closed loop; activity, delayed: activity, open loop"},
    {.name = "task.blocks[].trials",
     .type = PF_TYPE_INTEGER,
     .required = 1,
     .unit = "trials",
     .lower = 1,
     .upper = TEACHER_MAX,
     .help = "all but activity: trials of the block"},
    {.name = "task.blocks[].reward",
     .type = PF_TYPE_REALS,
     .required = 1,
     .unit = "1",
     .lower = 0,
     .upper = 1,
     .help = "all but activity: reward probability of each cue or arm"},
    {.name = "task.schedule",
     .type = PF_TYPE_PATH,
     .help = "all but activity: instead of blocks, a CSV file of reward probabilities: a row per "
             "trial, a column per cue"},
    {.name = "task.record",
     .type = PF_TYPE_STRINGS,
     .help = "observables of the network to record: [\"layer1\", \"layer2\"]; open loop: "
             "[\"activity\"] if absent"},
    {.name = "task.baited",
     .type = PF_TYPE_BOOL,
     .fallback = "true",
     .help = "two_odours, cues: a reward, once there, stays until it is collected"},
    {.name = "task.max_encounters",
     .type = PF_TYPE_INTEGER,
     .fallback = "1000",
     .unit = "steps",
     .lower = 1,
     .upper = TEACHER_MAX,
     .help = "two_odours, cues: an animal that rejects so often in one trial is an error"},
    {.name = "task.steps",
     .type = PF_TYPE_INTEGER,
     .fallback = "100",
     .unit = "steps",
     .lower = 1,
     .upper = TEACHER_MAX,
     .help = "activity: length of the experiment"},
    {.name = "task.reward_mean",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "1",
     .lower = -INFINITY,
     .upper = INFINITY,
     .help = "activity: mean of the reward, drawn at every step"},
    {.name = "task.reward_sd",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "1",
     .lower = 0,
     .upper = INFINITY,
     .help = "activity: sd of the reward"},
    {.name = "task.cue_steps",
     .type = PF_TYPE_INTEGER,
     .fallback = "3",
     .unit = "steps",
     .lower = 1,
     .upper = TEACHER_MAX,
     .help = "delayed: how long a cue is there"},
    {.name = "task.delay",
     .type = PF_TYPE_INTEGER,
     .fallback = "10",
     .unit = "steps",
     .lower = 0,
     .upper = TEACHER_MAX,
     .help = "delayed: steps without cue before the step at which the reward comes"},
    {.name = "task.rest",
     .type = PF_TYPE_INTEGER,
     .fallback = "10",
     .unit = "steps",
     .lower = 0,
     .upper = TEACHER_MAX,
     .help = "delayed: steps after it, before the next trial"},
    {.name = "task.dt",
     .type = PF_TYPE_REAL,
     .fallback = "0.0",
     .unit = "ms",
     .lower = 0,
     .upper = 1e12,
     .help = "length of a step, for what has a time constant; 0: the data have no time axis"},
};

/* ---- life ---- */

static void teacher_destroy(void *self)
{
  teacher *task = self;
  if (task != NULL) {
    const pf_host *host = task->host;
    cues_clear(&task->cues);
    host->release(host, task);
  }
}

static pf_status teacher_add_target(teacher *task, const char *name, pf_error *error)
{
  if (task->n_targets == TEACHER_MAX_TARGETS || strlen(name) >= TEACHER_NAME_LENGTH) {
    return pf_fail_key(error, PF_STOP, "task.record",
                       "expected at most %d names of fewer than %d letters",
                       TEACHER_MAX_TARGETS - 1, TEACHER_NAME_LENGTH);
  }
  for (size_t k = 0; k < task->n_targets; k++) {
    if (strcmp(task->targets[k], name) == 0) {
      return pf_fail_key(error, PF_STOP, "task.record", "'%s' is recorded already; name it once",
                         name);
    }
  }
  (void)snprintf(task->names[task->n_targets], TEACHER_NAME_LENGTH, "%s", name);
  task->targets[task->n_targets] = task->names[task->n_targets];
  task->n_targets++;
  return PF_OK;
}

static pf_status teacher_read_targets(teacher *task, const pf_options *options, pf_error *error)
{
  const int64_t n = options->length(options, "task.record");
  const int chooses = task->kind == TEACHER_CUES || task->kind == TEACHER_BANDIT;
  if ((chooses || n == 0) &&
      teacher_add_target(task, chooses ? "choice" : "activity", error) != PF_OK) {
    return PF_STOP;
  }
  for (int64_t k = 0; k < n; k++) {
    if (teacher_add_target(task, options->string_at(options, "task.record", k), error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status teacher_read_activity(teacher *task, const pf_options *options, pf_error *error)
{
  task->kind = TEACHER_ACTIVITY;
  task->n_steps = options->integer(options, "task.steps");
  task->reward_mean = options->real(options, "task.reward_mean");
  task->reward_sd = options->real(options, "task.reward_sd");
  if (task->n_steps < 1) {
    return pf_fail_key(error, PF_STOP, "task.steps", "%lld steps; expected at least 1",
                       (long long)task->n_steps);
  }
  return PF_OK;
}

static pf_status teacher_read_task(teacher *task, const pf_options *options, pf_error *error)
{
  const char *kind = options->string(options, "task.kind");
  if (strcmp(kind, "activity") == 0) {
    return teacher_read_activity(task, options, error);
  }
  if (strcmp(kind, "two_odours") == 0) {
    task->cues.kind = "two_odours";
    return cues_read(&task->cues, options, 2, error);
  }
  if (strcmp(kind, "cues") == 0) {
    task->cues.kind = "cues";
    return cues_read(&task->cues, options, 0, error);
  }
  if (strcmp(kind, "bandit") == 0) {
    task->kind = TEACHER_BANDIT;
    task->cues.kind = "bandit";
    return cues_read(&task->cues, options, 0, error);
  }
  if (strcmp(kind, "delayed") == 0) {
    task->kind = TEACHER_DELAYED;
    task->cues.kind = "delayed";
    if (cues_read(&task->cues, options, 0, error) != PF_OK) {
      return PF_STOP;
    }
    return delayed_read(&task->delayed, options, error);
  }
  return pf_fail_key(error, PF_STOP, "task.kind", "\"%s\" is no task; choose one of %s", kind,
                     TEACHER_KINDS);
}

static pf_status teacher_create(const pf_host *host, const pf_options *options, void **self,
                                pf_error *error)
{
  teacher *task = host->allocate(host, sizeof *task);
  if (task == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a task");
  }
  task->host = host;
  task->cues.host = host;
  task->dt = options->real(options, "task.dt");
  if (teacher_read_task(task, options, error) != PF_OK ||
      teacher_read_targets(task, options, error) != PF_OK) {
    teacher_destroy(task);
    return PF_STOP;
  }
  *self = task;
  return PF_OK;
}

/* ---- activity ---- */

static pf_status teacher_next_activity(const teacher *task, const pf_task_in *in, pf_task_out *out)
{
  if (in->step > 0) {
    out->flags = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (uint32_t)PF_STEP_PLASTIC;
    *out->channels = task->reward_mean + task->reward_sd * in->normal[0];
  }
  if (in->step >= task->n_steps) {
    out->done = 1;
    return PF_OK;
  }
  for (int64_t j = 0; j < in->n_input; j++) {
    out->cue[j] = 1.0;
  }
  out->trial = in->step;
  out->block = 0;
  return PF_OK;
}

/* ---- ops ---- */

static int64_t countable(double steps)
{
  return steps < 9e15 ? (int64_t)steps : (int64_t)9e15; /* exact as a double */
}

static pf_status teacher_declare(const void *self, pf_source_declaration *declared, pf_error *error)
{
  const teacher *task = self;
  (void)error;
  declared->channels = (pf_names)PF_NAMES_OF(teacher_channels);
  declared->targets = (pf_names){task->targets, task->n_targets};
  switch (task->kind) {
  case TEACHER_ACTIVITY:
    declared->n_input = 0; /* as many as the network has */
    declared->n_normal = 1;
    declared->max_steps = task->n_steps;
    return PF_OK;
  case TEACHER_BANDIT:
    declared->n_input = 0;
    declared->n_uniform = bandit_n_uniform();
    declared->max_steps = (int64_t)cues_n_trials(&task->cues);
    return PF_OK;
  case TEACHER_DELAYED:
    declared->n_input = task->cues.n_cues;
    declared->n_state = delayed_n_state();
    declared->n_uniform = delayed_n_uniform();
    declared->max_steps =
        countable(cues_n_trials(&task->cues) * (double)delayed_trial(&task->delayed));
    return PF_OK;
  case TEACHER_CUES:
    break;
  }
  declared->n_input = task->cues.n_cues;
  declared->n_state = cues_n_state(&task->cues);
  declared->n_uniform = cues_n_uniform(&task->cues);
  declared->max_steps = countable(cues_n_trials(&task->cues) * (double)task->cues.max_encounters);
  return PF_OK;
}

static pf_status teacher_begin(const void *self, int64_t run, double *state, pf_error *error)
{
  (void)self;
  (void)run;   /* animals differ by their random numbers only */
  (void)state; /* zeros are right: trial 0, nothing baited */
  (void)error;
  return PF_OK;
}

static pf_status teacher_next(const void *self, double *state, const pf_task_in *in,
                              pf_task_out *out, pf_error *error)
{
  const teacher *task = self;
  out->dt = task->dt;
  switch (task->kind) {
  case TEACHER_ACTIVITY:
    return teacher_next_activity(task, in, out);
  case TEACHER_BANDIT:
    return bandit_next(&task->cues, in, out, error);
  case TEACHER_DELAYED:
    return delayed_next(&task->cues, &task->delayed, state, in, out, error);
  case TEACHER_CUES:
    break;
  }
  return cues_next(&task->cues, state, in, out, error);
}

static void teacher_end(const void *self, double *state)
{
  (void)self;
  (void)state;
}

static const pf_source_ops teacher_ops = {
    .size = sizeof(pf_source_ops),
    .create = teacher_create,
    .destroy = teacher_destroy,
    .declare = teacher_declare,
    .begin = teacher_begin,
    .next = teacher_next,
    .end = teacher_end,
};

static const pf_plugin teacher_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "teacher",
    .version = "1.0",
    .summary = "simulated animals: choices between cues or arms, activity under random inputs or "
               "delayed rewards",
    .options = PF_TABLE_OF(teacher_options),
    .source = &teacher_ops,
};

PF_PLUGIN_ENTRY(teacher)
{
  return &teacher_plugin;
}
