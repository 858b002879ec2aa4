/* Keys: is a result that was kept of the same inputs as the one that is asked for? */
#ifndef PLASTFIT_CORE_CANDIDATES_KEY_H
#define PLASTFIT_CORE_CANDIDATES_KEY_H

#include "core/problem/problem.h"

void pf_key_add(uint64_t key[2], const void *bytes, size_t n);

/**
 * Everything that a fit and its scores are made from: version, precision, resolved config, data,
 * what the config's other files say (masks, initial weights, an earlier theta), and the plugins as
 * they are in their files.
 */
pf_status pf_key_of_problem(const pf_problem *problem, uint64_t key[2], pf_error *error);

#endif
