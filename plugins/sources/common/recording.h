/* A file of somebody's own recordings: where it is, what is what in it, and its steps as they are
 * handed over. */
#ifndef PLASTFIT_PLUGINS_SOURCES_RECORDING_H
#define PLASTFIT_PLUGINS_SOURCES_RECORDING_H

#include "roles.h"

#include <plastfit/abi/plugin.h>

/** The first member of a source's object. */
typedef struct recording {
  const pf_host *host;
  char *path;
  char *stem; /**< the file's name without folder and suffix: the animal of a recording that names
                 none */
  roles roles;
} recording;

pf_status recording_create(const pf_host *host, const char *path, recording *out, pf_error *error);
void recording_free(recording *of);
/** The op `declare` of a source: inputs, channels and targets of its recording. */
pf_status recording_declare(const void *self, pf_source_declaration *declared, pf_error *error);

/** Values of its steps, [n] each; the memory is the host's. */
typedef struct recording_steps {
  double *cue;      /**< [n][inputs] */
  double *cue_sd;   /**< [n][inputs] of cues that are drawn (pf_experiment), or NULL */
  double **channel; /**< [channels], each [n], in one piece of memory */
  double **target;  /**< [targets], each [n][width of the target] */
  double *dt;       /**< or NULL */
  int64_t *trial;
  int64_t *block; /**< or NULL */
  uint32_t *flags;
  int64_t *line; /**< where each step stands in its file, or NULL */
} recording_steps;

/** Room for the channels and targets, not for their values. */
pf_status recording_steps_create(const recording *of, recording_steps *out, pf_error *error);
void recording_steps_free(const recording *of, recording_steps *steps);

/** Every step is fitted and scored. */
static inline uint32_t recording_flags(int plastic)
{
  return (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE |
         (plastic ? (uint32_t)PF_STEP_PLASTIC : 0U);
}

/** 1, 0 or missing; one of several (whole, from 0) where something else than an accept says when
 * weights change. */
int recording_takes_choice(const recording *of, double choice);

/** Without trials of its own: the trial behind step t. One ends at an accept where weights change
 * at accepts, else every step is one. */
static inline int64_t recording_next_trial(const recording *of, const recording_steps *steps,
                                           int64_t t)
{
  return steps->trial[t] + (of->roles.plastic != ROLE_ACCEPTS || steps->target[0][t] == 1.0);
}

/** Steps [first, first + n) to the sink as one experiment; `session` MAY be empty. */
pf_status recording_hand_over(const recording *of, const recording_steps *steps, int64_t first,
                              int64_t n, const char *animal, const char *session, const char *name,
                              const pf_sink *sink, pf_error *error);

#endif
