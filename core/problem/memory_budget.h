/* The memory budget: what a config allows, and how the engine keeps to it. */
#ifndef PLASTFIT_CORE_PROBLEM_MEMORY_BUDGET_H
#define PLASTFIT_CORE_PROBLEM_MEMORY_BUDGET_H

#include "core/problem/problem.h"

/** settings->memory from its text, "512 MiB", "2 GB", "1e9"; NULL: a quarter of the machine's. */
pf_status pf_memory_read(const pf_config *config, pf_settings *settings, pf_error *error);
/** Distance of checkpoints, and threads, so that workspaces take no more than settings->memory. */
pf_status pf_memory_keep(pf_problem *problem, pf_error *error);

#endif
