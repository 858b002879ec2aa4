/*
 * Which files a pattern means, in natural order (Fly2 before Fly10), with the animals' names.
 */
#ifndef PLASTFIT_PLUGINS_FLY_MAT_ANIMAL_FILES_H
#define PLASTFIT_PLUGINS_FLY_MAT_ANIMAL_FILES_H

#include <plastfit/abi/base.h>

typedef struct fly_mat_animal {
  char *path;
  char *name; /**< the file's name without folder and suffix */
} fly_mat_animal;

/** One after another in the host's memory. */
typedef struct fly_mat_animals {
  fly_mat_animal *items;
  size_t n;
} fly_mat_animals;

/**
 * The files that `pattern` (a glob, or one file) matches, without the animals named in `exclude`.
 * Errors: nothing matches (with the folder looked in), two files of one name, an excluded name that
 * is not there, nothing left.
 */
pf_status fly_mat_find(const pf_host *host, const char *pattern, pf_names exclude,
                       fly_mat_animals *out, pf_error *error);
void fly_mat_free_animals(const pf_host *host, fly_mat_animals *animals);

/** strcmp, but runs of digits compare as numbers. */
int fly_mat_natural_order(const char *a, const char *b);

#endif
