/* What recorded data are, once they are the host's: recordings, and the animals that they are of.
 */
#ifndef PLASTFIT_CORE_DATA_RECORDINGS_H
#define PLASTFIT_CORE_DATA_RECORDINGS_H

#include "core/base/array.h"

#include <stdint.h>

/** A named scalar per step. */
typedef struct pf_series {
  char *name;
  double *values; /**< [n_steps] */
} pf_series;

/** What was recorded under one name. */
typedef struct pf_record {
  char *name;
  int64_t n;
  double *values; /**< [n_steps][n], NaN where missing */
} pf_record;

/** One experiment. Owns everything. */
typedef struct pf_recording {
  char *animal, *session, *name;
  size_t animal_index;
  size_t next_of_animal; /**< its next recording; read by pf_dataset_next alone */
  /* places in the data as read, which random numbers go by: they stay when only a part is looked at
   * (pf_problem_subset)
   */
  size_t number;        /**< of the recording */
  size_t animal_number; /**< of its animal */
  size_t experiment;    /**< of the recording among those of its animal */
  int64_t n_steps, n_input;
  double *cue;    /**< [n_steps][n_input] */
  double *cue_sd; /**< [n_steps][n_input] sd of a cue that was not recorded, whose mean `cue` is; 0:
                     recorded. NULL: all are */
  uint32_t *flags; /**< [n_steps] */
  double *dt;      /**< [n_steps], ms, or NULL */
  double *gap;     /**< [n_steps] hours since the step before, 0 within a session; NULL: no gaps */
  int64_t *trial, *block;          /**< [n_steps] */
  int64_t *line;                   /**< [n_steps] line of each step in its file, or NULL */
  int64_t n_trials, longest_trial; /**< for normalise = "padded" */
  pf_series *channels;
  size_t n_channels;
  void *kept; /**< names and values of the channels as read, in one piece of memory */
  size_t kept_size;
  uint8_t *no_reward; /**< [n_steps] 1: the reward was missing (none could come); NULL: no channel
                         "reward" */
  pf_record *targets;
  size_t n_targets;
  /* the truth, where the data were simulated */
  double *true_input; /**< [n_steps][n_input] x as the teacher saw it, or NULL */
  double *true_noise; /**< [n_true_noise] behind the teacher's initial weights, or NULL */
  int64_t n_true_noise;
  double *true_theta; /**< the teacher's own for this animal, where animals differ, or NULL */
} pf_recording;

/** Where an animal's recordings are. */
typedef struct pf_animal_place {
  size_t first, last; /**< recordings */
  size_t n;           /**< how many */
  size_t next;        /**< animal whose name falls into the same bucket */
} pf_animal_place;

/** Empty while it is not known; then whoever asks gets the answer by looking through all. */
typedef struct pf_animal_places {
  pf_array places; /**< of pf_animal_place, one an animal */
  size_t *buckets; /**< [n_buckets] the first animal of each, SIZE_MAX: none */
  size_t n_buckets;
} pf_animal_places;

typedef struct pf_dataset {
  pf_recording *recordings;
  size_t n, capacity;
  char **animals; /**< names in order of first appearance */
  size_t n_animals, animals_capacity;
  pf_animal_places places;
} pf_dataset;

#endif
