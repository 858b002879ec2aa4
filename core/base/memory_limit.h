/*
 * A limit on what the process may take while it reads a file that somebody else made: a few bytes
 * may claim, or unpack to, any size. Libraries keep to it too.
 */
#ifndef PLASTFIT_CORE_BASE_MEMORY_LIMIT_H
#define PLASTFIT_CORE_BASE_MEMORY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/** What libraries take beside the data: a small budget for simulations still reads small files. */
#define PF_MEMORY_READING_OVERHEAD ((size_t)256 << 20)

typedef struct pf_memory_limit {
  bool is_set;
  unsigned long long before; /**< the limit that stood */
} pf_memory_limit;

/** From now on at most `bytes` more than the process has now; nothing where the system cannot tell,
 * or a lower limit stands. */
pf_memory_limit pf_memory_limit_begin(size_t bytes);
void pf_memory_limit_end(const pf_memory_limit *limit);

#endif
