/* Memory that sensitivities keep in a workspace from call to call. */
#ifndef PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_MEMORY_H
#define PLASTFIT_CORE_SENSITIVITY_SENSITIVITY_MEMORY_H

#include "core/base/memory.h"
#include "core/base/pool.h"
#include "core/state/workspace.h"

/**
 * One block for arrays of several types: taken once with base NULL, which only counts, and once
 * more from a block of `used` bytes.
 */
typedef struct pf_arena {
  char *base;
  size_t used;
} pf_arena;

/** `count` elements of `size` bytes, at a cache line; NULL while it only counts. */
static inline void *pf_arena_take(pf_arena *arena, size_t count, size_t size)
{
  char *taken = arena->base == NULL ? NULL : arena->base + arena->used;
  arena->used += (count * size + PF_CACHE_LINE - 1) / PF_CACHE_LINE * PF_CACHE_LINE;
  return taken;
}

typedef struct pf_sensitivity {
  pf_pool setup;   /**< directions: see pf_tangents */
  pf_pool planes;  /**< cells of all planes */
  pf_pool table;   /**< their pf_planes */
  pf_pool wanted;  /**< which signals get planes */
  pf_pool sums;    /**< of losses, in the order of the tangents */
  pf_pool initial; /**< tangents of starting weights, and where each projection's are */
  pf_pool lanes;   /**< sums by lane */
  pf_pool product; /**< of a product: losses and their images */
  pf_pool scratch; /**< of differences of trajectories; values of losses */
  /* a thread's */
  pf_pool block;   /**< weights and their tangents of a block of rows */
  pf_pool slopes;  /**< of the signals of a block, seeds of the adjoint that gives them */
  pf_pool rule;    /**< for a rule without jvp */
  pf_pool network; /**< direct tangents of a population's signals */
  pf_pool loss;    /**< cotangents of the observables, or roots of their information */
  pf_pool scores;  /**< [n_steps][n] of one loss */
  pf_pool root;    /**< whitened tangents of some cells */
  pf_pool whiten;  /**< tangents and roots in the shape of the ABI */
} pf_sensitivity;

/** That of a workspace, made on first use and freed with it. NULL with the error line written. */
pf_sensitivity *pf_sensitivity_of(pf_workspace *workspace, pf_error *error);

#endif
