/* core/figures/value_label: what figures call a coefficient. */
#include "core/figures/run_figure.h"

#include <criterion/criterion.h>

static char owner[] = "owner", name[] = "name", label[] = "label";
static char hebb[] = "rules.hebb", reward[] = "rules.reward", network[] = "network";
static char x0w1[] = "X0W1", w[] = "w", none[] = "";

static pf_sheet sheet_of(char **cells, size_t n_rows)
{
  static char *columns[] = {owner, name, label};
  return (pf_sheet){.columns = columns, .n_columns = 3, .cells = cells, .n_rows = n_rows};
}

static void expect_label(const pf_sheet *sheet, size_t row, const char *expected)
{
  cr_assert_str_eq(pf_label_of_value(sheet, row).text, expected);
}

Test(value_label, names_the_rule_where_there_are_two)
{
  char *cells[] = {hebb, x0w1, w, reward, x0w1, w, reward, x0w1, none, network, w, none};
  const pf_sheet sheet = sheet_of(cells, 4);
  expect_label(&sheet, 0, "hebb: w");
  expect_label(&sheet, 1, "reward: w");
  expect_label(&sheet, 2, "reward: X0W1");
  expect_label(&sheet, 3, "w");
}

Test(value_label, of_one_rule_is_the_label_alone)
{
  char *cells[] = {hebb, x0w1, w, hebb, x0w1, none, network, w, none};
  const pf_sheet sheet = sheet_of(cells, 3);
  expect_label(&sheet, 0, "w");
  expect_label(&sheet, 1, "X0W1");
  expect_label(&sheet, 2, "w");
}
