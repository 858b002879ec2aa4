/* Plugins' tables, copied once: contiguous arrays of the host's own structs. */
#ifndef PLASTFIT_CORE_MODEL_TABLE_COPY_H
#define PLASTFIT_CORE_MODEL_TABLE_COPY_H

#include <plastfit/abi/base.h>

/**
 * A copy [count] of a table, with elements of `size` bytes. A plugin built against another minor
 * version may have smaller or larger ones: the fields that both have are copied, the rest is zero.
 * To be freed with pf_memory_free; NULL, with the line: no memory.
 */
void *pf_table_copy(const void *items, size_t stride, size_t count, size_t size, pf_error *error);

#endif
