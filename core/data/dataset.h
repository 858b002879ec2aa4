/*
 * Recorded data as the host keeps them: copies of what a source handed over,
 * checked, with the channels that the host derives.
 */
#ifndef PLASTFIT_CORE_DATA_DATASET_H
#define PLASTFIT_CORE_DATA_DATASET_H

#include "core/base/array.h"

#include <plastfit/abi/experiment.h>
#include <stdbool.h>

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

/** Copy and check an experiment (finite cues, flags, trials not decreasing, lengths) and append it.
 */
pf_status pf_dataset_add(pf_dataset *data, const pf_experiment *experiment, pf_error *error);
void pf_dataset_free(pf_dataset *data);
/** Remove the recordings i with gone[i], and animals that have no other. */
pf_status pf_dataset_remove(pf_dataset *data, const bool *gone, pf_error *error);
/** The recording of most steps, the first of several; data->n MUST NOT be 0. */
const pf_recording *pf_dataset_longest(const pf_dataset *data);

const double *pf_recording_channel(const pf_recording *recording, const char *name); /**< or NULL */
const pf_record *pf_recording_target(const pf_recording *recording,
                                     const char *name); /**< or NULL */
/** Adds a channel, taking over `values` (allocated with pf_memory_*) on success. */
pf_status pf_recording_add_channel(pf_recording *recording, const char *name, double *values,
                                   pf_error *error);
/** What is known of an input before it is drawn: a normal distribution; sd 0: it is the mean. */
typedef struct pf_input_distribution {
  double mean, sd;
} pf_input_distribution;

/** Of x = mean * cue + sd * noise in a cell (step * n_input + input) whose cue may be missing. */
pf_input_distribution pf_recording_input(const pf_recording *recording, int64_t cell, double mean,
                                         double sd);
/** How many cues were not recorded and are drawn. */
int64_t pf_recording_n_drawn(const pf_recording *recording);
/** Which cue a step has: the index of its largest input, the first of several. */
int64_t pf_recording_cue(const pf_recording *recording, int64_t step);

/* ---- core/data/animal_places.c: from an animal to its recordings, and from a name to its animal,
 * in one step each, so that tens of thousands of animals take no longer than their data ---- */

/**
 * The animal's first recording, and the next of the same animal; data->n where there is none:
 *
 *     for (size_t i = pf_dataset_first(data, a); i < data->n; i = pf_dataset_next(data, i))
 */
size_t pf_dataset_first(const pf_dataset *data, size_t animal);
size_t pf_dataset_next(const pf_dataset *data, size_t recording);
/** How many recordings the animal has. */
size_t pf_dataset_count(const pf_dataset *data, size_t animal);

/** The animal of a number (animal_number); n_animals where there is none. */
size_t pf_dataset_numbered_animal(const pf_dataset *data, size_t number);

/** Find out where everything is, after recordings were put into the data by hand. */
pf_status pf_dataset_place(pf_dataset *data, pf_error *error);
/** Forget it, before recordings or animals change their places. */
void pf_dataset_forget_places(pf_dataset *data);

/** The animal of a name; n_animals where there is none. Places MUST be known. */
size_t pf_dataset_find_animal(const pf_dataset *data, const char *name);
/** The last recording was added. */
pf_status pf_dataset_place_last(pf_dataset *data, pf_error *error);

#endif
