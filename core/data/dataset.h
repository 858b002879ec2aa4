/*
 * Recorded data as the host keeps them: copies of what a source handed over,
 * checked, with the channels that the host derives.
 */
#ifndef PLASTFIT_CORE_DATA_DATASET_H
#define PLASTFIT_CORE_DATA_DATASET_H

#include "core/data/animal_places.h"

#include <plastfit/abi/experiment.h>
#include <stdbool.h>

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
/** Frees a name or the values of a channel, unless they lie in `kept`. */
void pf_recording_release(const pf_recording *recording, void *pointer);
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

#endif
