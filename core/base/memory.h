/* Memory of the core: zeroed, aligned to a cache line, sizes checked. */
#ifndef PLASTFIT_CORE_BASE_MEMORY_H
#define PLASTFIT_CORE_BASE_MEMORY_H

#include <plastfit/abi/base.h>

enum { PF_CACHE_LINE = 64 };

/** count x size zeroed bytes at a cache line, or NULL (also when the product overflows). count 0
 * gives memory too. */
void *pf_memory_new(size_t count, size_t size);
/** As above; on failure writes the error line and returns NULL. */
void *pf_memory_need(size_t count, size_t size, pf_error *error);
/** Counterpart of both; NULL is fine. */
void pf_memory_free(void *pointer);
/** A copy of a string, or NULL with the error line written. NULL text gives NULL without error. */
char *pf_memory_string(const char *text, pf_error *error);

/** Host services for plugins, built on the above; warnings go to stderr. Static, const. */
const pf_host *pf_host_default(void);

/** Leading dimension for rows of n pf_real: short rows as they are, long ones padded to a
 * cache line, plus one line where that makes a power of two (sets of the cache collide). */
int64_t pf_leading_dimension(int64_t n);

static inline pf_error pf_error_none(void)
{
  pf_error error = {.size = sizeof error};
  return error;
}

#endif
