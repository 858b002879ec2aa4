/*
 * teacher - tasks in closed loop, for simulated animals (and for fitted rules put back into them):
 * choices between two odours that are rewarded in blocks, and activity under random inputs.
 *
 * The host runs network and rule; this file says what comes next. See README.md.
 */
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

typedef struct teacher_block {
  double end;       /**< trials up to and including this block */
  double reward[2]; /**< probability for each odour */
} teacher_block;

typedef struct teacher {
  const pf_host *host;
  /* two_odours */
  teacher_block *blocks; /**< [n_blocks] */
  int64_t n_blocks;
  int baited;
  int64_t max_encounters; /**< of one trial */
  /* activity */
  int64_t n_steps;
  double reward_mean, reward_sd;
  int is_activity;
} teacher;

#define TEACHER_KINDS "two_odours|activity"
static const char *const teacher_channels[] = {"reward"};
static const char *const teacher_choice[] = {"choice"};
static const char *const teacher_activity[] = {"activity"};

enum { TEACHER_MOST = 1000000000 }; /* trials of a block, steps: so that sums stay exact */

static const pf_option teacher_options[] = {
    {.name = "task.kind",
     .type = PF_TYPE_STRING,
     .fallback = "\"two_odours\"",
     .choices = TEACHER_KINDS,
     .help = "two_odours: choices, closed loop; activity: random inputs, open loop"},
    {.name = "task.blocks[].trials",
     .type = PF_TYPE_INTEGER,
     .required = 1,
     .unit = "trials",
     .lower = 1,
     .upper = TEACHER_MOST,
     .help = "two_odours: trials of the block; each ends at an accept"},
    {.name = "task.blocks[].reward",
     .type = PF_TYPE_REALS,
     .required = 1,
     .unit = "1",
     .lower = 0,
     .upper = 1,
     .help = "two_odours: reward probability of each of the two odours"},
    {.name = "task.baited",
     .type = PF_TYPE_BOOL,
     .fallback = "true",
     .help = "two_odours: a reward, once there, stays until it is collected"},
    {.name = "task.max_encounters",
     .type = PF_TYPE_INTEGER,
     .fallback = "1000",
     .unit = "steps",
     .lower = 1,
     .upper = TEACHER_MOST,
     .help = "two_odours: an animal that rejects so often in one trial is an error"},
    {.name = "task.steps",
     .type = PF_TYPE_INTEGER,
     .fallback = "100",
     .unit = "steps",
     .lower = 1,
     .upper = TEACHER_MOST,
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
};

/* ---- life ---- */

static void teacher_destroy(void *self)
{
  teacher *task = self;
  if (task != NULL) {
    const pf_host *host = task->host;
    host->release(host, task->blocks);
    host->release(host, task);
  }
}

static pf_status teacher_read_block(teacher *task, const pf_options *options, int64_t b, double begin, pf_error *error)
{
  char path[64];
  (void)snprintf(path, sizeof path, "task.blocks[%lld].trials", (long long)b);
  const int64_t trials = options->integer(options, path);
  if (trials < 1 || trials > TEACHER_MOST) {
    return pf_fail_key(error, PF_STOP, "task.blocks[].trials", "block %lld has %lld trials; expected at least 1",
                       (long long)b, (long long)trials);
  }
  task->blocks[b].end = begin + (double)trials;
  (void)snprintf(path, sizeof path, "task.blocks[%lld].reward", (long long)b);
  const int64_t n = options->length(options, path);
  if (n != 2) {
    return pf_fail_key(error, PF_STOP, "task.blocks[].reward",
                       "block %lld has %lld reward probabilities; expected two, one an odour", (long long)b,
                       (long long)n);
  }
  for (int64_t k = 0; k < 2; k++) {
    const double p = options->real_at(options, path, k);
    if (!(p >= 0.0 && p <= 1.0)) {
      return pf_fail_key(error, PF_STOP, "task.blocks[].reward", "block %lld: probability %g; expected 0 to 1",
                         (long long)b, p);
    }
    task->blocks[b].reward[k] = p;
  }
  return PF_OK;
}

static pf_status teacher_read_two_odours(teacher *task, const pf_options *options, pf_error *error)
{
  const pf_host *host = task->host;
  task->n_blocks = options->length(options, "task.blocks");
  task->baited = options->boolean(options, "task.baited");
  task->max_encounters = options->integer(options, "task.max_encounters");
  if (task->n_blocks < 1) {
    return pf_fail_key(error, PF_STOP, "task.blocks",
                       "two_odours needs at least one block, as in ( { trials = 80; reward = [0.2, 0.8]; } )");
  }
  if (task->max_encounters < 1) {
    return pf_fail_key(error, PF_STOP, "task.max_encounters", "%lld; expected at least 1",
                       (long long)task->max_encounters);
  }
  task->blocks = host->allocate(host, (size_t)task->n_blocks * sizeof *task->blocks);
  if (task->blocks == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a task");
  }
  double end = 0.0;
  for (int64_t b = 0; b < task->n_blocks; b++) {
    if (teacher_read_block(task, options, b, end, error) != PF_OK) {
      return PF_STOP;
    }
    end = task->blocks[b].end;
  }
  return PF_OK;
}

static pf_status teacher_read_activity(teacher *task, const pf_options *options, pf_error *error)
{
  task->is_activity = 1;
  task->n_steps = options->integer(options, "task.steps");
  task->reward_mean = options->real(options, "task.reward_mean");
  task->reward_sd = options->real(options, "task.reward_sd");
  if (task->n_steps < 1) {
    return pf_fail_key(error, PF_STOP, "task.steps", "%lld steps; expected at least 1", (long long)task->n_steps);
  }
  return PF_OK;
}

static pf_status teacher_create(const pf_host *host, const pf_options *options, void **self, pf_error *error)
{
  teacher *task = host->allocate(host, sizeof *task);
  if (task == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a task");
  }
  task->host = host;
  const char *kind = options->string(options, "task.kind");
  pf_status status = PF_OK;
  if (strcmp(kind, "two_odours") == 0) {
    status = teacher_read_two_odours(task, options, error);
  } else if (strcmp(kind, "activity") == 0) {
    status = teacher_read_activity(task, options, error);
  } else {
    status = pf_fail_key(error, PF_STOP, "task.kind", "\"%s\" is no task; choose one of %s", kind, TEACHER_KINDS);
  }
  if (status != PF_OK) {
    teacher_destroy(task);
    return status;
  }
  *self = task;
  return PF_OK;
}

/* ---- two odours ---- */

/* State of a run, doubles of the host. */
enum {
  STATE_TRIAL,      /**< the current trial, from 0 over all blocks */
  STATE_BLOCK,      /**< the block it is in */
  STATE_ENCOUNTERS, /**< presented so far in this trial */
  STATE_ODOUR,      /**< of the step presented last */
  STATE_BAIT_0,     /**< a reward waits at odour 0 */
  STATE_BAIT_1,
  N_STATE
};

/* Uniform numbers that `next` takes: which odour comes, what a new trial brings to each, and what an accept pays. */
enum { UNIFORM_ODOUR, UNIFORM_BAIT_0, UNIFORM_BAIT_1, UNIFORM_REWARD, N_UNIFORM };

static double teacher_n_trials(const teacher *task)
{
  return task->blocks[task->n_blocks - 1].end;
}

/** With baiting, an odour whose reward was not there yet gets it with its block's probability, once a trial. */
static void teacher_begin_trial(const teacher *task, double *state, const pf_task_in *in)
{
  state[STATE_ENCOUNTERS] = 0.0;
  while (state[STATE_TRIAL] >= task->blocks[(int64_t)state[STATE_BLOCK]].end) {
    state[STATE_BLOCK] += 1.0;
  }
  const double *p = task->blocks[(int64_t)state[STATE_BLOCK]].reward;
  for (int k = 0; k < 2; k++) {
    if (in->uniform[UNIFORM_BAIT_0 + k] < p[k]) {
      state[STATE_BAIT_0 + k] = 1.0;
    }
  }
}

static double teacher_pay(const teacher *task, double *state, const pf_task_in *in)
{
  const int odour = state[STATE_ODOUR] != 0.0;
  if (!task->baited) {
    return in->uniform[UNIFORM_REWARD] < task->blocks[(int64_t)state[STATE_BLOCK]].reward[odour] ? 1.0 : 0.0;
  }
  const double reward = state[STATE_BAIT_0 + odour];
  state[STATE_BAIT_0 + odour] = 0.0;
  return reward;
}

/** The step presented last: was it accepted, and what did that pay. */
static pf_status teacher_settle(const teacher *task, double *state, const pf_task_in *in, pf_task_out *out,
                                int *accepted, pf_error *error)
{
  if (in->choice != 0.0 && in->choice != 1.0) {
    return pf_fail(
        error, PF_STOP,
        "the network makes no choice (%g); two_odours needs a last layer of one unit with output = \"sigmoid\"",
        in->choice);
  }
  *accepted = in->choice == 1.0;
  *out->channels = (double)NAN;
  if (*accepted) {
    *out->channels = teacher_pay(task, state, in);
    state[STATE_TRIAL] += 1.0;
  } else if (state[STATE_ENCOUNTERS] >= (double)task->max_encounters) {
    return pf_fail_key(error, PF_STOP, "task.max_encounters",
                       "the animal never accepts: %lld encounters rejected in trial %lld; its rule may drive the logit "
                       "far down, or raise task.max_encounters",
                       (long long)task->max_encounters, (long long)state[STATE_TRIAL]);
  }
  return PF_OK;
}

static pf_status teacher_next_two_odours(const teacher *task, double *state, const pf_task_in *in, pf_task_out *out,
                                         pf_error *error)
{
  if (in->n_input != 2) {
    return pf_fail(error, PF_STOP, "the network has %lld inputs; two_odours needs 2, one an odour: layers = [2, ...]",
                   (long long)in->n_input);
  }
  int accepted = 0;
  if (in->step > 0) {
    const pf_status status = teacher_settle(task, state, in, out, &accepted, error);
    if (status != PF_OK) {
      return status;
    }
    out->flags = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (accepted ? (uint32_t)PF_STEP_PLASTIC : 0);
  }
  if (state[STATE_TRIAL] >= teacher_n_trials(task)) {
    out->done = 1;
    return PF_OK;
  }
  if (in->step == 0 || accepted) {
    teacher_begin_trial(task, state, in);
  }
  const int odour = in->uniform[UNIFORM_ODOUR] < 0.5 ? 0 : 1;
  state[STATE_ODOUR] = odour;
  state[STATE_ENCOUNTERS] += 1.0;
  out->cue[0] = odour == 0 ? 1.0 : 0.0;
  out->cue[1] = odour == 1 ? 1.0 : 0.0;
  out->trial = (int64_t)state[STATE_TRIAL];
  out->block = (int64_t)state[STATE_BLOCK];
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

static pf_status teacher_needs(const void *self, pf_source_needs *needs, pf_error *error)
{
  const teacher *task = self;
  (void)error;
  needs->channels = (pf_names)PF_NAMES_OF(teacher_channels);
  if (task->is_activity) {
    needs->n_input = 0; /* as many as the network has */
    needs->targets = (pf_names)PF_NAMES_OF(teacher_activity);
    needs->n_normal = 1;
    needs->max_steps = task->n_steps;
    return PF_OK;
  }
  const double most = teacher_n_trials(task) * (double)task->max_encounters;
  needs->n_input = 2;
  needs->targets = (pf_names)PF_NAMES_OF(teacher_choice);
  needs->n_state = N_STATE;
  needs->n_uniform = N_UNIFORM;
  needs->max_steps = most < 9e15 ? (int64_t)most : (int64_t)9e15; /* exact as a double */
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

static pf_status teacher_next(const void *self, double *state, const pf_task_in *in, pf_task_out *out, pf_error *error)
{
  const teacher *task = self;
  return task->is_activity ? teacher_next_activity(task, in, out)
                           : teacher_next_two_odours(task, state, in, out, error);
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
    .needs = teacher_needs,
    .begin = teacher_begin,
    .next = teacher_next,
    .end = teacher_end,
};

static const pf_plugin teacher_plugin = {
    PF_PLUGIN_HEAD(PF_KIND_SOURCE),
    .name = "teacher",
    .version = "1.0",
    .summary = "simulated animals: two odours in blocks of rewards, or activity under random inputs",
    .options = PF_TABLE_OF(teacher_options),
    .source = &teacher_ops,
};

PF_PLUGIN_ENTRY(teacher)
{
  return &teacher_plugin;
}
