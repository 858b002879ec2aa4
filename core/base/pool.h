/* Memory that grows, and stays from call to call. */
#ifndef PLASTFIT_CORE_BASE_POOL_H
#define PLASTFIT_CORE_BASE_POOL_H

#include <plastfit/abi/base.h>

typedef struct pf_pool {
  void *at;
  size_t bytes;
} pf_pool;

/** At least `count` elements of `size` bytes at a cache line, contents undefined. What was there is
 * lost where it grows. NULL, with the line: no memory. */
void *pf_pool_need(pf_pool *pool, size_t count, size_t size, pf_error *error);
void pf_pool_free(pf_pool *pool);

#endif
