#include "trials.h"

#include <math.h>

/** The block that trial `trial` is in. */
static int64_t block_of(const cue_task *task, double trial)
{
  int64_t b = 0;
  while (b + 1 < task->n_blocks && trial >= task->blocks[b].end) {
    b++;
  }
  return b;
}

/* ---- delayed ---- */

enum { DELAYED_CUE, DELAYED_STATES };                   /* which cue this trial has */
enum { DELAYED_WHICH, DELAYED_PAYS, DELAYED_UNIFORMS }; /* which cue comes, does it pay */

static pf_status read_steps(const pf_options *options, const char *key, int64_t least,
                            int64_t *steps, pf_error *error)
{
  *steps = options->integer(options, key);
  if (*steps < least) {
    return pf_fail_key(error, PF_STOP, key, "%lld steps; expected at least %lld", (long long)*steps,
                       (long long)least);
  }
  return PF_OK;
}

pf_status delayed_read(delayed_task *task, const pf_options *options, pf_error *error)
{
  if (read_steps(options, "task.cue_steps", 1, &task->cue_steps, error) != PF_OK ||
      read_steps(options, "task.delay", 0, &task->delay, error) != PF_OK) {
    return PF_STOP;
  }
  return read_steps(options, "task.rest", 0, &task->rest, error);
}

int64_t delayed_trial(const delayed_task *task)
{
  return task->cue_steps + task->delay + 1 + task->rest;
}

int64_t delayed_n_state(void)
{
  return DELAYED_STATES;
}

int64_t delayed_n_uniform(void)
{
  return DELAYED_UNIFORMS;
}

pf_status delayed_next(const cue_task *cues, const delayed_task *task, double *state,
                       const pf_task_in *in, pf_task_out *out, pf_error *error)
{
  if (in->n_input != cues->n_cues) {
    return pf_fail(error, PF_STOP, "the network has %lld inputs; delayed needs %lld, one a cue",
                   (long long)in->n_input, (long long)cues->n_cues);
  }
  const int64_t length = delayed_trial(task);
  if (in->step > 0) {
    const int64_t last = in->step - 1;
    const int64_t trial = last / length;
    const double *pays = cues->reward + block_of(cues, (double)trial) * cues->n_cues;
    const int comes = last % length == task->cue_steps + task->delay;
    out->flags = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (uint32_t)PF_STEP_PLASTIC;
    *out->channels = !comes                                                          ? (double)NAN
                     : in->uniform[DELAYED_PAYS] < pays[(int64_t)state[DELAYED_CUE]] ? 1.0
                                                                                     : 0.0;
  }
  const int64_t trial = in->step / length;
  if ((double)trial >= cues_n_trials(cues)) {
    out->done = 1;
    return PF_OK;
  }
  const int64_t within = in->step % length;
  if (within == 0) {
    const int64_t cue = (int64_t)(in->uniform[DELAYED_WHICH] * (double)cues->n_cues);
    state[DELAYED_CUE] =
        (double)(cue < cues->n_cues ? cue : cues->n_cues - 1); /* the product may round up */
  }
  for (int64_t k = 0; k < cues->n_cues; k++) {
    out->cue[k] = within < task->cue_steps && k == (int64_t)state[DELAYED_CUE] ? 1.0 : 0.0;
  }
  out->trial = trial;
  out->block = block_of(cues, (double)trial);
  return PF_OK;
}

/* ---- bandit ---- */

int64_t bandit_n_uniform(void)
{
  return 1; /* does the chosen arm pay */
}

pf_status bandit_next(const cue_task *arms, const pf_task_in *in, pf_task_out *out, pf_error *error)
{
  if (in->step > 0) {
    if (!(in->choice >= 0.0 && in->choice < (double)arms->n_cues)) {
      return pf_fail(error, PF_STOP,
                     "choice %g; a bandit of %lld arms needs a last layer of %lld units with "
                     "output = \"softmax\", or of one unit with output = \"sigmoid\" for two arms",
                     in->choice, (long long)arms->n_cues, (long long)arms->n_cues);
    }
    const double *pays = arms->reward + block_of(arms, (double)(in->step - 1)) * arms->n_cues;
    out->flags = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (uint32_t)PF_STEP_PLASTIC;
    *out->channels = in->uniform[0] < pays[(int64_t)in->choice] ? 1.0 : 0.0;
  }
  if ((double)in->step >= cues_n_trials(arms)) {
    out->done = 1;
    return PF_OK;
  }
  for (int64_t j = 0; j < in->n_input; j++) {
    out->cue[j] = 1.0;
  }
  out->trial = in->step;
  out->block = block_of(arms, (double)in->step);
  return PF_OK;
}
