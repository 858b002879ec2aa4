/* Candidates: configs, the problems that they say, and whether these are about the same data. */
#ifndef PLASTFIT_CORE_CANDIDATES_CANDIDATES_H
#define PLASTFIT_CORE_CANDIDATES_CANDIDATES_H

#include "core/base/saying_once.h"
#include "core/candidates/compare_settings.h"
#include "core/problem/problem.h"

/** A config and its problem. */
typedef struct pf_variant {
  pf_config *config;
  pf_problem *problem;
  uint64_t key[2]; /**< pf_key_of_problem */
} pf_variant;

typedef struct pf_candidate {
  const char *name;
  pf_variant own;    /**< as configured */
  pf_variant shared; /**< one theta for all, for validations that leave an animal out; problem NULL:
                        there is none */
} pf_candidate;

typedef struct pf_candidates {
  pf_candidate *items;
  size_t n;
  pf_saying_once *host; /**< theirs: what all of their data are warned of is said once */
} pf_candidates;

/** What a candidate's config is made from. */
typedef struct pf_candidate_source {
  const char *path;
  const char *const *overrides;
  size_t n_overrides;
} pf_candidate_source;

/**
 * Make every candidate; its config is `source` with compare.set, then its own, laid over. Errors
 * name the candidate, and the place in the config. Candidates that see other animals, steps,
 * choices, activities or rewards than the first are refused: scores on other data cannot be
 * compared.
 */
pf_status pf_candidates_create(const pf_candidate_source *source,
                               const pf_compare_settings *settings, pf_candidates *out,
                               pf_error *error);
void pf_candidates_free(pf_candidates *candidates);

#endif
