/* Tasks of choices: cues come one at a time, an accept ends the trial and may be rewarded. */
#ifndef PLASTFIT_PLUGINS_TEACHER_CUES_H
#define PLASTFIT_PLUGINS_TEACHER_CUES_H

#include <plastfit/abi/source.h>

enum { TEACHER_MAX = 1000000000 }; /* trials of a block, steps: so that sums stay exact */

typedef struct cue_block {
  double end; /**< trials up to and including this block */
} cue_block;

typedef struct cue_task {
  const pf_host *host;
  const char *kind;  /**< "two_odours" or "cues", for messages */
  cue_block *blocks; /**< [n_blocks] */
  double *reward;    /**< [n_blocks][n_cues] probability of a reward */
  int64_t n_blocks, n_cues;
  int baited;
  int64_t max_encounters; /**< of one trial */
} cue_task;

/** Reads task.blocks or task.schedule, and the rest. `n_cues`: 0: as many as they have. Free with
 * cues_clear, also after a failure. */
pf_status cues_read(cue_task *task, const pf_options *options, int64_t n_cues, pf_error *error);
void cues_clear(cue_task *task);

double cues_n_trials(const cue_task *task);
int64_t cues_n_state(const cue_task *task);
int64_t cues_n_uniform(const cue_task *task);
pf_status cues_next(const cue_task *task, double *state, const pf_task_in *in, pf_task_out *out,
                    pf_error *error);

/** A schedule from a CSV file into blocks of equal rows (schedule.c). */
pf_status cues_read_schedule(cue_task *task, const char *path, pf_error *error);

#endif
