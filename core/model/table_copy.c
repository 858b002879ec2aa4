#include "core/model/table_copy.h"

#include "core/base/memory.h"

#include <string.h>

void *pf_table_copy(const void *items, size_t stride, size_t count, size_t size, pf_error *error)
{
  char *copy = pf_memory_need(count, size, error);
  if (copy == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    memcpy(copy + i * size, pf_table_at(items, stride, count, i), stride < size ? stride : size);
  }
  return copy;
}
