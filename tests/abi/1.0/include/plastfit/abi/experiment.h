/*
 * plastfit/abi/experiment.h - recorded data, as a source hands them over.
 *
 * animal > session > experiment > trial > step. An experiment is one
 * uninterrupted run of steps. Nothing is padded: a behavioural trial of
 * rejected odours ended by an accept is a run of steps without
 * PF_STEP_PLASTIC and a last one with it.
 */
#ifndef PLASTFIT_ABI_EXPERIMENT_H
#define PLASTFIT_ABI_EXPERIMENT_H

#include <plastfit/abi/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of a step. */
enum {
  PF_STEP_PLASTIC = 1,      /**< weights change after this step */
  PF_STEP_FIT = 2,          /**< counts in the objective */
  PF_STEP_SCORE = 4,        /**< counts in the evaluation */
  PF_STEP_RESET_TRACES = 8, /**< traces start anew before this step */
  PF_STEP_RESET_STATE =
      16, /**< network state starts anew before this step; the activity before it counts as 0 */
  PF_STEP_NEW_SESSION =
      32 /**< a session begins: both of these, and expected reward starts anew; weights last */
};

/** A scalar per step, by name: "reward", ... A missing value is NaN. */
typedef struct pf_channel {
  const char *name;
  const double *values; /**< [n_steps] */
} pf_channel;

/** A table of channels; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_channel_table {
  const pf_channel *items;
  size_t count;
  size_t stride;
} pf_channel_table;

/** What was recorded: "choice" (n = 1, 0 or 1), "activity" (n units). A missing value is NaN. */
typedef struct pf_target {
  const char *name;
  int64_t n;
  const double *values; /**< [n_steps][n] */
} pf_target;

/** A table of targets; its elements lie `stride` bytes apart (pf_table_at). */
typedef struct pf_target_table {
  const pf_target *items;
  size_t count;
  size_t stride;
} pf_target_table;

/**
 * One experiment. Everything is the source's, valid during the call that
 * hands it over; the host copies.
 *
 * `cue` is the mean drive of the input neurons in units of the config's
 * input.mean; the host makes x = input.mean * cue + input.sd * noise, with
 * other noise in every draw. A "reward" channel is NaN at steps at which no
 * reward could come (they do not enter E[R]); rules then see 0.
 */
typedef struct pf_experiment {
  size_t size;
  const char *animal;  /**< experiments with the same name belong to one animal */
  const char *session; /**< or NULL */
  const char *name;    /**< for messages, e.g. the file */
  int64_t n_steps, n_input;
  const double *cue;     /**< [n_steps][n_input] */
  const uint32_t *flags; /**< [n_steps], PF_STEP_*; NULL: all of plastic, fit, score */
  const double *dt;      /**< [n_steps], ms; NULL: no time axis */
  const int64_t *trial;  /**< [n_steps], from 0, not decreasing; NULL: every step its own */
  const int64_t *block;  /**< [n_steps], from 0; NULL: one block */
  pf_channel_table channels;
  pf_target_table targets;
  const int64_t *line;  /**< [n_steps] where each step stands in its file, for messages; NULL */
  const double *cue_sd; /**< [n_steps][n_input] sd of a cue that was not recorded, which is drawn
                           anew in every draw, normal around `cue`; 0: recorded. NULL: all are */
} pf_experiment;

/** The host's end of `read`. */
typedef struct pf_sink pf_sink;
struct pf_sink {
  size_t size;
  void *impl;
  /** Hand over one experiment. A result other than PF_OK: return it at once. */
  pf_status (*experiment)(const pf_sink *sink, const pf_experiment *experiment, pf_error *error);
};

#ifdef __cplusplus
}
#endif

#endif
