/* Tasks of trials in fixed order: a reward that comes later than its cue, and a choice among
 * several arms. */
#ifndef PLASTFIT_PLUGINS_TEACHER_TRIALS_H
#define PLASTFIT_PLUGINS_TEACHER_TRIALS_H

#include "cues.h"

/** kind = "delayed": a cue, a wait, perhaps a reward, a rest; open loop. */
typedef struct delayed_task {
  int64_t cue_steps, delay, rest; /**< steps; the reward takes one more */
} delayed_task;

/** Reads task.cue_steps, task.delay, task.rest. */
pf_status delayed_read(delayed_task *task, const pf_options *options, pf_error *error);
/** Steps of a trial. */
int64_t delayed_trial(const delayed_task *task);
int64_t delayed_n_state(void);
int64_t delayed_n_uniform(void);
pf_status delayed_next(const cue_task *cues, const delayed_task *task, double *state,
                       const pf_task_in *in, pf_task_out *out, pf_error *error);

/** kind = "bandit": every step a choice among as many arms as a block has reward probabilities. */
int64_t bandit_n_uniform(void);
pf_status bandit_next(const cue_task *arms, const pf_task_in *in, pf_task_out *out,
                      pf_error *error);

#endif
