/* What `plastfit check --json` prints: the numbers behind the tables of check.h. */
#ifndef PLASTFIT_CORE_CHECK_CHECK_JSON_H
#define PLASTFIT_CORE_CHECK_CHECK_JSON_H

#include "core/problem/problem.h"
#include "core/store/json_values.h"

/** doc/files.md describes it. The caller gives *out back with json_decref. */
pf_status pf_check_json(const pf_problem *problem, json_t **out, pf_error *error);

#endif
