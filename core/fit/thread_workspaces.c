#include "core/fit/thread_workspaces.h"

#include "core/base/memory.h"

pf_status pf_thread_workspaces_create(const pf_model *model, const pf_dataset *data, size_t n,
                                      pf_thread_workspaces *out, pf_error *error)
{
  const int64_t n_steps = pf_dataset_longest(data)->n_steps;
  *out = (pf_thread_workspaces){.items = pf_memory_need(n, sizeof(pf_workspace *), error)};
  if (out->items == NULL) {
    return PF_STOP;
  }
  for (; out->n < n; out->n++) {
    const pf_status status = pf_workspace_create(model, n_steps, &out->items[out->n], error);
    if (status != PF_OK) {
      pf_thread_workspaces_free(out);
      return status;
    }
  }
  return PF_OK;
}

void pf_thread_workspaces_free(pf_thread_workspaces *workspaces)
{
  for (size_t t = 0; t < workspaces->n; t++) {
    pf_workspace_free(workspaces->items[t]);
  }
  pf_memory_free(workspaces->items);
  *workspaces = (pf_thread_workspaces){0};
}
