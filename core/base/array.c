#include "core/base/array.h"

#include "core/base/memory.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

pf_status pf_array_reserve(pf_array *array, size_t capacity, pf_error *error)
{
  if (capacity <= array->capacity) {
    return PF_OK;
  }
  size_t grown = array->capacity == 0 ? FIRST_CAPACITY : array->capacity;
  while (grown < capacity && grown <= SIZE_MAX / 2) {
    grown *= 2;
  }
  if (grown < capacity) {
    grown = capacity;
  }
  void *items = pf_memory_need(grown, array->size, error);
  if (items == NULL) {
    return PF_STOP;
  }
  if (array->n > 0) {
    memcpy(items, array->items, array->n * array->size);
  }
  pf_memory_free(array->items);
  array->items = items;
  array->capacity = grown;
  return PF_OK;
}

void *pf_array_append(pf_array *array, pf_error *error)
{
  if (pf_array_reserve(array, array->n + 1, error) != PF_OK) {
    return NULL;
  }
  char *item = (char *)array->items + array->n * array->size;
  memset(item, 0, array->size);
  array->n++;
  return item;
}

pf_status pf_array_append_all(pf_array *array, const void *items, size_t n, pf_error *error)
{
  if (n == 0) {
    return PF_OK;
  }
  if (n > SIZE_MAX - array->n) {
    return pf_fail(error, PF_STOP, "out of memory: too many items");
  }
  const pf_status status = pf_array_reserve(array, array->n + n, error);
  if (status != PF_OK) {
    return status;
  }
  memcpy((char *)array->items + array->n * array->size, items, n * array->size);
  array->n += n;
  return PF_OK;
}

void *pf_array_take(pf_array *array, size_t *n)
{
  void *items = array->items;
  if (n != NULL) {
    *n = array->n;
  }
  *array = pf_array_of(array->size);
  return items;
}

void pf_array_free(pf_array *array)
{
  pf_memory_free(array->items);
  *array = pf_array_of(array->size);
}
