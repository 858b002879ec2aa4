#include "core/sensitivity/sensitivity_memory.h"

#include "core/state/trajectory.h"

static void free_sensitivity(void *attached)
{
  pf_sensitivity *kept = attached;
  pf_pool *const pools[] = {
      &kept->setup, &kept->planes,  &kept->table,   &kept->wanted, &kept->sums,  &kept->initial,
      &kept->lanes, &kept->product, &kept->block,   &kept->slopes, &kept->rule,  &kept->network,
      &kept->loss,  &kept->scores,  &kept->scratch, &kept->root,   &kept->whiten};
  for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
    pf_memory_free(pools[i]->at);
  }
  pf_memory_free(kept);
}

pf_sensitivity *pf_sensitivity_of(pf_workspace *workspace, pf_error *error)
{
  if (workspace->attached == NULL) {
    workspace->attached = pf_memory_need(1, sizeof(pf_sensitivity), error);
    workspace->free_attached = free_sensitivity;
  }
  return workspace->attached;
}
