/* Oja's rule. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

const pf_plugin *oja_LTX_pf_plugin_entry(void);

Test(rule_oja, dw_is_the_equation)
{
  rule_object rule;
  rule_make(&rule, oja_LTX_pf_plugin_entry, NULL, 0);
  const double theta[2] = {0.83, 0.37};
  const double x = 0.61, y = -1.3, w = 0.71;
  const double expected = theta[0] * x * y - theta[1] * y * y * w;
  cr_assert(fabs(rule_dw(&rule, theta, x, y, w, NAN) - expected) <= RULE_ROUNDING);
  cr_assert(rule.declared.parameters.count == 2);
  cr_assert_str_eq(rule.declared.parameters.items[0].name, "rate");
  cr_assert_str_eq(rule.declared.parameters.items[1].name, "decay");
  char text[64];
  pf_error error = {.size = sizeof error};
  rule.ops->describe(rule.self, theta, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert_str_eq(text, "dw = 0.83 x y - 0.37 y^2 w");
  rule_unmake(&rule);
}
