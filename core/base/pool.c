#include "core/base/pool.h"

#include "core/base/memory.h"

void *pf_pool_need(pf_pool *pool, size_t count, size_t size, pf_error *error)
{
  if (pool->at != NULL && size > 0 && count <= pool->bytes / size) {
    return pool->at;
  }
  pf_memory_free(pool->at);
  pool->bytes = 0;
  pool->at = pf_memory_need(count, size, error);
  pool->bytes = pool->at == NULL ? 0 : count * size;
  return pool->at;
}

void pf_pool_free(pf_pool *pool)
{
  pf_memory_free(pool->at);
  *pool = (pf_pool){0};
}
