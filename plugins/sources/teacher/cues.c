#include "cues.h"

#include <math.h>
#include <string.h>

/* ---- options ---- */

static pf_status read_block(cue_task *task, const pf_options *options, int64_t b, double begin,
                            pf_error *error)
{
  char path[64];
  (void)snprintf(path, sizeof path, "task.blocks[%lld].trials", (long long)b);
  const int64_t trials = options->integer(options, path);
  if (trials < 1 || trials > TEACHER_MAX) {
    return pf_fail_key(error, PF_STOP, "task.blocks[].trials",
                       "block %lld has %lld trials; expected at least 1", (long long)b,
                       (long long)trials);
  }
  task->blocks[b].end = begin + (double)trials;
  (void)snprintf(path, sizeof path, "task.blocks[%lld].reward", (long long)b);
  const int64_t n = options->length(options, path);
  if (n != task->n_cues) {
    return pf_fail_key(error, PF_STOP, "task.blocks[].reward",
                       "block %lld has %lld reward probabilities; expected %lld, one a cue",
                       (long long)b, (long long)n, (long long)task->n_cues);
  }
  for (int64_t k = 0; k < n; k++) {
    const double p = options->real_at(options, path, k);
    if (!(p >= 0.0 && p <= 1.0)) {
      return pf_fail_key(error, PF_STOP, "task.blocks[].reward",
                         "block %lld: probability %g; expected 0 to 1", (long long)b, p);
    }
    task->reward[b * n + k] = p;
  }
  return PF_OK;
}

static pf_status read_blocks(cue_task *task, const pf_options *options, pf_error *error)
{
  const pf_host *host = task->host;
  task->n_blocks = options->length(options, "task.blocks");
  task->n_cues =
      task->n_cues > 0 ? task->n_cues : options->length(options, "task.blocks[0].reward");
  if (task->n_cues < 1) {
    return pf_fail_key(error, PF_STOP, "task.blocks[].reward",
                       "block 0 has no reward probabilities; expected one a cue");
  }
  task->blocks = host->allocate(host, (size_t)task->n_blocks * sizeof *task->blocks);
  task->reward =
      host->allocate(host, (size_t)(task->n_blocks * task->n_cues) * sizeof *task->reward);
  if (task->blocks == NULL || task->reward == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for a task");
  }
  double end = 0.0;
  for (int64_t b = 0; b < task->n_blocks; b++) {
    if (read_block(task, options, b, end, error) != PF_OK) {
      return PF_STOP;
    }
    end = task->blocks[b].end;
  }
  return PF_OK;
}

pf_status cues_read(cue_task *task, const pf_options *options, int64_t n_cues, pf_error *error)
{
  const int blocks = options->length(options, "task.blocks") > 0;
  const int schedule = options->present(options, "task.schedule");
  task->n_cues = n_cues;
  task->baited = options->boolean(options, "task.baited");
  task->max_encounters = options->integer(options, "task.max_encounters");
  if (!blocks && !schedule) {
    return pf_fail_key(error, PF_STOP, "task.blocks",
                       "%s needs at least one block, as in ( { trials = 80; reward = [0.2, 0.8]; } "
                       "), or a schedule",
                       task->kind);
  }
  if (blocks && schedule) {
    return pf_fail_key(
        error, PF_STOP, "task.schedule",
        "blocks and a schedule were given; expected one of them, for both say what is rewarded");
  }
  if (task->max_encounters < 1) {
    return pf_fail_key(error, PF_STOP, "task.max_encounters", "%lld; expected at least 1",
                       (long long)task->max_encounters);
  }
  return blocks ? read_blocks(task, options, error)
                : cues_read_schedule(task, options->string(options, "task.schedule"), error);
}

void cues_clear(cue_task *task)
{
  if (task->host != NULL) {
    task->host->release(task->host, task->blocks);
    task->host->release(task->host, task->reward);
  }
}

/* ---- a run ---- */

/* State of a run, doubles of the host. */
enum {
  STATE_TRIAL,      /**< the current trial, from 0 over all blocks */
  STATE_BLOCK,      /**< the block it is in */
  STATE_ENCOUNTERS, /**< presented so far in this trial */
  STATE_CUE,        /**< of the step presented last */
  STATE_BAIT_0,     /**< a reward waits at cue 0, at cue 1, ... */
};

/* Uniform numbers that `next` takes: which cue comes, what a new trial brings to each, and what an
 * accept pays. */
enum { UNIFORM_CUE, UNIFORM_BAIT_0 };

int64_t cues_n_state(const cue_task *task)
{
  return STATE_BAIT_0 + task->n_cues;
}

int64_t cues_n_uniform(const cue_task *task)
{
  return UNIFORM_BAIT_0 + task->n_cues + 1;
}

double cues_n_trials(const cue_task *task)
{
  return task->blocks[task->n_blocks - 1].end;
}

/** Reward probabilities of the block that the run is in. */
static const double *reward_of(const cue_task *task, const double *state)
{
  return task->reward + (int64_t)state[STATE_BLOCK] * task->n_cues;
}

/** With baiting, a cue whose reward was not there yet gets it with its block's probability, once a
 * trial. */
static void begin_trial(const cue_task *task, double *state, const pf_task_in *in)
{
  state[STATE_ENCOUNTERS] = 0.0;
  while (state[STATE_TRIAL] >= task->blocks[(int64_t)state[STATE_BLOCK]].end) {
    state[STATE_BLOCK] += 1.0;
  }
  const double *p = reward_of(task, state);
  for (int64_t k = 0; k < task->n_cues; k++) {
    if (in->uniform[UNIFORM_BAIT_0 + k] < p[k]) {
      state[STATE_BAIT_0 + k] = 1.0;
    }
  }
}

static double pay(const cue_task *task, double *state, const pf_task_in *in)
{
  const int64_t cue = (int64_t)state[STATE_CUE];
  if (!task->baited) {
    return in->uniform[UNIFORM_BAIT_0 + task->n_cues] < reward_of(task, state)[cue] ? 1.0 : 0.0;
  }
  const double reward = state[STATE_BAIT_0 + cue];
  state[STATE_BAIT_0 + cue] = 0.0;
  return reward;
}

/** The step presented last: was it accepted, and what did that pay. */
static pf_status settle(const cue_task *task, double *state, const pf_task_in *in, pf_task_out *out,
                        int *accepted, pf_error *error)
{
  if (in->choice != 0.0 && in->choice != 1.0) {
    return pf_fail(error, PF_STOP,
                   "the network makes no choice (%g); %s needs a last layer of one unit with "
                   "output = \"sigmoid\"",
                   in->choice, task->kind);
  }
  *accepted = in->choice == 1.0;
  *out->channels = (double)NAN;
  if (*accepted) {
    *out->channels = pay(task, state, in);
    state[STATE_TRIAL] += 1.0;
  } else if (state[STATE_ENCOUNTERS] >= (double)task->max_encounters) {
    return pf_fail_key(error, PF_STOP, "task.max_encounters",
                       "the animal never accepts: %lld encounters rejected in trial %lld; its rule "
                       "may drive the logit far down, or raise task.max_encounters",
                       (long long)task->max_encounters, (long long)state[STATE_TRIAL]);
  }
  return PF_OK;
}

pf_status cues_next(const cue_task *task, double *state, const pf_task_in *in, pf_task_out *out,
                    pf_error *error)
{
  if (in->n_input != task->n_cues) {
    return pf_fail(error, PF_STOP,
                   "the network has %lld inputs; %s needs %lld, one a cue: layers = [%lld, ...]",
                   (long long)in->n_input, task->kind, (long long)task->n_cues,
                   (long long)task->n_cues);
  }
  int accepted = 0;
  if (in->step > 0) {
    const pf_status status = settle(task, state, in, out, &accepted, error);
    if (status != PF_OK) {
      return status;
    }
    out->flags = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE |
                 (accepted ? (uint32_t)PF_STEP_PLASTIC : 0);
  }
  if (state[STATE_TRIAL] >= cues_n_trials(task)) {
    out->done = 1;
    return PF_OK;
  }
  if (in->step == 0 || accepted) {
    begin_trial(task, state, in);
  }
  int64_t cue = (int64_t)(in->uniform[UNIFORM_CUE] * (double)task->n_cues);
  cue = cue < task->n_cues ? cue : task->n_cues - 1; /* the product may round up to n_cues */
  state[STATE_CUE] = (double)cue;
  state[STATE_ENCOUNTERS] += 1.0;
  for (int64_t k = 0; k < task->n_cues; k++) {
    out->cue[k] = k == cue ? 1.0 : 0.0;
  }
  out->trial = (int64_t)state[STATE_TRIAL];
  out->block = (int64_t)state[STATE_BLOCK];
  return PF_OK;
}
