/* Workspaces of several threads that work on the same data. */
#ifndef PLASTFIT_CORE_FIT_THREAD_WORKSPACES_H
#define PLASTFIT_CORE_FIT_THREAD_WORKSPACES_H

#include "core/data/dataset.h"
#include "core/state/workspace.h"

typedef struct pf_thread_workspaces {
  pf_workspace **items;
  size_t n;
} pf_thread_workspaces;

/** `n` of them, each for the longest recording of `data`. On failure nothing is left to free. */
pf_status pf_thread_workspaces_create(const pf_model *model, const pf_dataset *data, size_t n,
                                      pf_thread_workspaces *out, pf_error *error);
void pf_thread_workspaces_free(pf_thread_workspaces *workspaces);

#endif
