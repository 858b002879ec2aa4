/* Steps of building a problem; private to core/problem. */
#ifndef PLASTFIT_CORE_PROBLEM_BUILD_H
#define PLASTFIT_CORE_PROBLEM_BUILD_H

#include "core/problem/problem.h"

/** Top-level keys: name, seed, out, fit.*, evaluate.*, penalty.*; and *normalise. Opens the registry. */
pf_status pf_build_settings(pf_problem *problem, uint32_t *normalise, pf_error *error);
/** Host's keys of the source: input, expected_reward, give, animals. */
pf_status pf_build_source_keys(pf_problem *problem, int64_t *animals, pf_error *error);
/** Loads and creates source, network, rules and losses, and builds the model (and the teacher's). */
pf_status pf_build_models(pf_problem *problem, uint32_t normalise, pf_error *error);
/** Reads or simulates `animals` animals (and fresh ones for the evaluation). */
pf_status pf_build_data(pf_problem *problem, int64_t animals, pf_error *error);

/** A checked view of a component's host keys. */
pf_status pf_build_host_view(const pf_problem *problem, const pf_component *component, uint32_t kind, const char *what,
                             pf_view **view, pf_error *error);
/** Is this source a task, run in closed loop? */
bool pf_source_is_task(const pf_component *source);

#endif
