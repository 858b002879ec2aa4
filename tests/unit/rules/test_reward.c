/* The reward-modulated rules. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *reward_LTX_pf_plugin_entry(void);

static const char *const forms[4] = {"x r", "x y r", "covariance", "rescorla-wagner"};

static void make_form(rule_object *rule, int form, int decays)
{
  const fake_value given[] = {FAKE_STRING("form", forms[form]), FAKE_BOOL("decay_term", decays),
                              FAKE_REAL("x_mean", 0.21)};
  rule_make(rule, reward_LTX_pf_plugin_entry, given, form == 2 ? 3 : 2);
}

Test(rule_reward, dw_is_the_equation)
{
  static const char *const equations[4] = {"dw = 0.83 x r", "dw = 0.83 x y r",
                                           "dw = 0.83 r (x - 0.21)", "dw = 0.83 x (r - w)"};
  const double theta[2] = {0.83, 0.37};
  const double x = 0.61, y = -1.3, w = 0.71, r = 0.45;
  const double without[4] = {0.83 * r * x, 0.83 * r * x * y, 0.83 * r * (x - 0.21),
                             0.83 * x * (r - w)};
  for (int form = 0; form < 4; form++) {
    for (int decays = 0; decays < 2; decays++) {
      rule_object rule;
      make_form(&rule, form, decays);
      const double expected = without[form] - (decays ? 0.37 * w : 0.0);
      const double found = rule_dw(&rule, theta, x, y, w, r);
      cr_assert(fabs(found - expected) <= RULE_ROUNDING, "%s: %.17g, expected %.17g", forms[form],
                found, expected);
      cr_assert(rule.declared.parameters.count == (size_t)(decays ? 2 : 1));
      cr_assert_str_eq(rule.declared.modulators.items[0].fallback,
                       form == 3 ? "reward" : "reward - expected_reward");
      char text[64], wanted[64];
      pf_error error = {.size = sizeof error};
      rule.ops->describe(rule.self, theta, PF_TEXT_PLAIN, text, sizeof text, &error);
      (void)snprintf(wanted, sizeof wanted, "%s%s", equations[form], decays ? " - 0.37 w" : "");
      cr_assert_str_eq(text, wanted);
      rule_unmake(&rule);
    }
  }
}

Test(rule_reward, refusals_say_what_to_do)
{
  char text[PF_ERROR_LENGTH];
  const fake_value unknown[] = {FAKE_STRING("form", "x z r")};
  rule_refusal(reward_LTX_pf_plugin_entry, unknown, 1, text, sizeof text);
  cr_assert(strstr(text, "x z r") != NULL && strstr(text, "rescorla-wagner") != NULL, "%s", text);
  const fake_value mean[] = {FAKE_STRING("form", "x r"), FAKE_REAL("x_mean", 0.5)};
  rule_refusal(reward_LTX_pf_plugin_entry, mean, 2, text, sizeof text);
  cr_assert(strstr(text, "covariance") != NULL, "%s", text);
}
