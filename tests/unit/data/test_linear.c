/* core/data/linear: expressions of channels, and errors that point at the column. */
#include "core/base/memory.h"
#include "core/data/linear.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const char *const channels[] = {"reward", "expected_reward", "m2"};
static const pf_names known = {channels, 3};

/* Value at reward = 0.7, expected_reward = 0.2, m2 = -3. */
static double value_of(const char *text)
{
  static const double at[] = {0.7, 0.2, -3.0};
  pf_linear linear = {0};
  pf_error error = pf_error_none();
  cr_assert_eq(pf_linear_parse(text, known, &linear, &error), PF_OK, "%s", error.text);
  double read[3] = {0.0};
  cr_assert(linear.n <= 3);
  for (size_t k = 0; k < linear.n; k++) {
    for (size_t c = 0; c < 3; c++) {
      read[k] = strcmp(linear.names[k], channels[c]) == 0 ? at[c] : read[k];
    }
  }
  const double value = pf_linear_value(&linear, read);
  pf_linear_free(&linear);
  return value;
}

#define EXPECT_VALUE(text, expected) \
  cr_expect_lt(fabs(value_of(text) - (expected)), 1e-15, "%s", text)

Test(data_linear, values)
{
  EXPECT_VALUE("reward - expected_reward", 0.7 - 0.2);
  EXPECT_VALUE("reward-expected_reward", 0.7 - 0.2);
  EXPECT_VALUE("  -reward + 0.5 expected_reward ", -0.7 + 0.5 * 0.2);
  EXPECT_VALUE("+ 2*m2 - 1", -6.0 - 1.0);
  EXPECT_VALUE("2.5e-1m2", -0.75);
  EXPECT_VALUE(".5 * reward", 0.35);
  EXPECT_VALUE("0", 0.0);
  EXPECT_VALUE("3 - 1 + 0.25", 2.25);
}

Test(data_linear, products)
{
  EXPECT_VALUE("reward reward", 0.7 * 0.7);
  EXPECT_VALUE("reward * 2", 1.4);
  EXPECT_VALUE("2 * 3", 6.0);
  EXPECT_VALUE("reward * m2 - 0.5 m2 expected_reward m2", 0.7 * -3.0 - 0.5 * 9.0 * 0.2);
  EXPECT_VALUE("sign(m2) reward + sign( reward )", -0.7 + 1.0);
  EXPECT_VALUE("(m2 == -3) reward + 10 (m2 != -3) + 100 (reward <= 0.7)", 0.7 + 100.0);
  EXPECT_VALUE("(m2 < 0) + 10 (m2 > 0) + 100 (m2 >= -3)", 101.0);
}

Test(data_linear, a_channel_twice_is_summed)
{
  pf_linear linear = {0};
  pf_error error = pf_error_none();
  cr_assert_eq(pf_linear_parse("reward - 0.5 reward + 1", known, &linear, &error), PF_OK, "%s",
               error.text);
  cr_expect_eq(linear.n, 1);
  cr_expect_eq(linear.n_terms, 1);
  cr_expect_eq(linear.terms[0].coefficient, 0.5);
  cr_expect_eq(linear.constant, 1.0);
  pf_linear_free(&linear);
}

/* The line says what was found where, and nothing is left behind. */
static void refuse(const char *text, const char *says)
{
  pf_linear linear = {0};
  pf_error error = pf_error_none();
  cr_expect_lt(pf_linear_parse(text, known, &linear, &error), 0, "%s", text);
  cr_expect_not_null(strstr(error.text, says), "'%s' gave: %s", text, error.text);
  cr_expect_null(linear.names);
}

Test(data_linear, errors_point_at_the_column)
{
  refuse("reward - expectd_reward", "column 10");
  refuse("reward - expectd_reward", "did you mean 'expected_reward'");
  refuse("reward - expectd_reward", "reward, expected_reward, m2");
  refuse("", "ends at column 1");
  refuse("reward -", "ends at column 9");
  refuse("reward - - m2", "column 10: found '-'");
  refuse("(reward)", "column 8: found ')', expected one of ==");
  refuse("reward * - m2", "column 10: found '-'");
  refuse("(m2 = 1)", "column 5: found '='");
  refuse("(m2 == )", "column 8: found ')', expected a finite number");
  refuse("sign(m3)", "there is no channel 'm3'");
  refuse("m2 m2 m2 m2 m2 m2 m2 m2 m2", "at most 8 channels");
  refuse("1e999 reward", "column 1");
  refuse("reward2", "there is no channel 'reward2'");
}
