#include "core/base/text.h"

#include <criterion/criterion.h>

static const char *nearest(const char *name)
{
  static const char *const items[] = {"modulator", "terms", "term_list", "sd", "epochs", "hidden"};
  return pf_text_nearest(name, (pf_names){items, sizeof items / sizeof items[0]});
}

Test(base_text, nearest_name_forgives_a_slip)
{
  cr_assert_str_eq(nearest("modulater"), "modulator");
  cr_assert_str_eq(nearest("temrs"), "terms"); /* a transposition is one mistake */
  cr_assert_str_eq(nearest("epoch"), "epochs");
  cr_assert_str_eq(nearest("Hidden"), "hidden");
  cr_assert_str_eq(nearest("mod"), "modulator");
}

Test(base_text, nearest_name_does_not_guess)
{
  cr_assert_null(nearest("learning_rate"));
  cr_assert_null(nearest("x"));
  cr_assert_null(nearest(""));
  cr_assert_null(nearest(NULL));
  cr_assert_null(pf_text_nearest("terms", (pf_names){NULL, 0}));
  char longest[300] = {0};
  for (size_t i = 0; i + 1 < sizeof longest; i++) {
    longest[i] = 'm';
  }
  cr_assert_null(nearest(longest));
}

Test(base_text, natural_order_counts)
{
  cr_assert_lt(pf_text_natural_compare("Fly2", "Fly10"), 0);
  cr_assert_gt(pf_text_natural_compare("Fly10.mat", "Fly9.mat"), 0);
  cr_assert_eq(pf_text_natural_compare("Fly7", "Fly7"), 0);
  cr_assert_lt(pf_text_natural_compare("Fly", "Fly1"), 0);
  cr_assert_neq(pf_text_natural_compare("a01", "a1"), 0);
  cr_assert_eq(pf_text_natural_compare("a01", "a1"), -pf_text_natural_compare("a1", "a01"));
  /* longer than any integer type */
  cr_assert_lt(
      pf_text_natural_compare("x99999999999999999999999998", "x99999999999999999999999999"), 0);
}

Test(base_text, text_grows)
{
  pf_text text = {0};
  for (int i = 0; i < 1000; i++) {
    pf_text_add(&text, "%d,", i % 10);
  }
  cr_assert_eq(text.failed, 0);
  cr_assert_eq(text.length, 2000);
  cr_assert_eq(text.text[1998], '9');
  cr_assert_eq(text.text[2000], '\0');
  pf_text_free(&text);
  cr_assert_null(text.text);
}
