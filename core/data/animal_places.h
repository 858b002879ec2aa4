/*
 * Which recordings are whose: from an animal to its recordings, and from a name to its animal, in
 * one step each, so that tens of thousands of animals take no longer than their data.
 */
#ifndef PLASTFIT_CORE_DATA_ANIMAL_PLACES_H
#define PLASTFIT_CORE_DATA_ANIMAL_PLACES_H

#include "core/base/array.h"

#include <stdbool.h>

struct pf_dataset;

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

/**
 * The animal's first recording, and the next of the same animal; data->n where there is none:
 *
 *     for (size_t i = pf_dataset_first(data, a); i < data->n; i = pf_dataset_next(data, i))
 */
size_t pf_dataset_first(const struct pf_dataset *data, size_t animal);
size_t pf_dataset_next(const struct pf_dataset *data, size_t recording);
/** How many recordings the animal has. */
size_t pf_dataset_count(const struct pf_dataset *data, size_t animal);

/** The animal of a number (animal_number); n_animals where there is none. */
size_t pf_dataset_numbered_animal(const struct pf_dataset *data, size_t number);

/** Find out where everything is, after recordings were put into the data by hand. */
pf_status pf_dataset_place(struct pf_dataset *data, pf_error *error);
/** Forget it, before recordings or animals change their places. */
void pf_dataset_forget_places(struct pf_dataset *data);

/** The animal of a name; n_animals where there is none. Places MUST be known. */
size_t pf_dataset_find_animal(const struct pf_dataset *data, const char *name);
/** The last recording was added. */
pf_status pf_dataset_place_last(struct pf_dataset *data, pf_error *error);

#endif
