/*
 * A growable array: the one way in core to collect items whose number is not known before.
 *
 *     pf_array items = pf_array_of(sizeof(pf_animal));
 *     pf_animal *animal = pf_array_append(&items, error);   // zeroed; NULL: no memory
 *     ...
 *     pf_animal *all = pf_array_take(&items, &n);           // or pf_array_free(&items)
 */
#ifndef PLASTFIT_CORE_BASE_ARRAY_H
#define PLASTFIT_CORE_BASE_ARRAY_H

#include <plastfit/abi/base.h>

typedef struct pf_array {
  void *items;     /**< [n] of `size` bytes each, in memory of pf_memory_new; NULL while empty */
  size_t n;        /**< items in use */
  size_t capacity; /**< items there is room for */
  size_t size;     /**< bytes of one item */
} pf_array;

static inline pf_array pf_array_of(size_t size)
{
  return (pf_array){.size = size};
}

/** Room for at least `capacity` items. Items move, so pointers into the array become invalid.
 * PF_STOP, with the line: no memory, and the array stays as it was. */
pf_status pf_array_reserve(pf_array *array, size_t capacity, pf_error *error);
/** One more item, zeroed; NULL, with the line: no memory. */
void *pf_array_append(pf_array *array, pf_error *error);
/** Copies of `n` items to the end. `items` MUST NOT lie in the array. PF_STOP as above. */
pf_status pf_array_append_all(pf_array *array, const void *items, size_t n, pf_error *error);
/** The items become the caller's, to be freed with pf_memory_free; the array is empty again.
 * `n` MAY be NULL. */
void *pf_array_take(pf_array *array, size_t *n);
/** Frees the items, but nothing that they point to. */
void pf_array_free(pf_array *array);

#endif
