/*
 * From an animal to its recordings, and from a name to its animal, in one step each, so that tens
 * of thousands of animals take no longer than their data.
 */
#ifndef PLASTFIT_CORE_DATA_ANIMAL_PLACES_H
#define PLASTFIT_CORE_DATA_ANIMAL_PLACES_H

#include "core/data/recordings.h"

#include <plastfit/abi/base.h>

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
