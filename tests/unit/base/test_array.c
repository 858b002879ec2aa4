/* core/base/array: items keep their values while the array grows. */
#include "core/base/array.h"
#include "core/base/memory.h"
#include <criterion/criterion.h>

Test(base_array, items_stay_while_it_grows)
{
  pf_array array = pf_array_of(sizeof(int64_t));
  pf_error error = pf_error_none();
  for (int64_t i = 0; i < 1000; i++) {
    int64_t *item = pf_array_append(&array, &error);
    cr_assert(item != NULL && *item == 0);
    *item = 3 * i + 7;
  }
  const int64_t more[] = {-5, -6, -7};
  cr_assert(pf_array_append_all(&array, more, 3, &error) == PF_OK);
  size_t n = 0;
  int64_t *items = pf_array_take(&array, &n);
  cr_assert(n == 1003 && array.n == 0 && array.items == NULL);
  for (int64_t i = 0; i < 1000; i++) {
    cr_assert(items[i] == 3 * i + 7);
  }
  cr_assert(items[1000] == -5 && items[1002] == -7);
  pf_memory_free(items);
}

Test(base_array, what_cannot_be_had_leaves_it_as_it_was)
{
  pf_array array = pf_array_of(16);
  pf_error error = pf_error_none();
  cr_assert(pf_array_append(&array, &error) != NULL);
  cr_assert(pf_array_reserve(&array, SIZE_MAX / 4, &error) == PF_STOP);
  cr_expect(array.n == 1 && array.items != NULL);
  cr_expect(error.text[0] != '\0');
  pf_array_free(&array);
}
