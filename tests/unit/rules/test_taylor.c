/* The taylor rule: which terms, and the promises of a rule. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *taylor_LTX_pf_plugin_entry(void);

static void make_terms(rule_object *rule, const char *terms)
{
  const fake_value given[] = {FAKE_STRING("terms", terms)};
  rule_make(rule, taylor_LTX_pf_plugin_entry, given, 1);
}

static const pf_parameter *parameter(const rule_object *rule, size_t k)
{
  const pf_parameter_table *table = &rule->declared.parameters;
  const pf_parameter *found = pf_table_at(table->items, table->stride, table->count, k);
  cr_assert_not_null(found);
  return found;
}

static void check_parameter(const rule_object *rule, size_t k, const char *name, const char *label,
                            double value, int given)
{
  const pf_parameter *p = parameter(rule, k);
  cr_assert_str_eq(p->name, name);
  cr_assert_str_eq(p->label, label);
  cr_assert(p->value == value, "%s: value %g, expected %g", name, p->value, value);
  cr_assert(((p->flags & PF_PARAMETER_GIVEN) != 0) == given, "%s: given", name);
  cr_assert(p->initial == 0.0 && p->initial_sd == 1e-5);
}

Test(rule_taylor, nothing_said_is_all_81_terms_in_order)
{
  rule_object rule;
  rule_make(&rule, taylor_LTX_pf_plugin_entry, NULL, 0);
  cr_assert(rule.declared.parameters.count == 81);
  check_parameter(&rule, 0, "X0Y0W0R0", "1", 1.0, 0);
  check_parameter(&rule, 1, "X0Y0W0R1", "r", 1.0, 0);
  check_parameter(&rule, 28, "X1Y0W0R1", "x r", 1.0, 0);
  check_parameter(&rule, 80, "X2Y2W2R2", "x^2 y^2 w^2 r^2", 1.0, 0);
  cr_assert(rule.declared.modulators.count == 1);
  cr_assert_str_eq(rule.declared.modulators.items[0].fallback, "reward - expected_reward");
  rule_unmake(&rule);
  make_terms(&rule, "all");
  cr_assert(rule.declared.parameters.count == 81);
  rule_unmake(&rule);
}

Test(rule_taylor, dw_is_the_sum_of_products)
{
  rule_object rule;
  rule_make(&rule, taylor_LTX_pf_plugin_entry, NULL, 0);
  const double x = 0.83, y = -0.61, w = 1.17, r = 0.47;
  double theta[81], expected = 0.0, size = 0.0;
  for (int k = 0; k < 81; k++) {
    theta[k] = sin(1.0 + 3.7 * k);
    const double term =
        theta[k] * pow(x, k / 27) * pow(y, k / 9 % 3) * pow(w, k / 3 % 3) * pow(r, k % 3);
    expected += term;
    size += fabs(term);
  }
  const double found = rule_dw(&rule, theta, x, y, w, r);
  cr_assert(fabs(found - expected) <= RULE_ROUNDING * size, "%.17g, expected %.17g", found,
            expected);
  rule_unmake(&rule);
}

Test(rule_taylor, strings_of_both_notations)
{
  static const char *const same[] = {
      "x r - 0.05 w", "x*r-0.05*w",   "X1Y0W0R1 - 0.05X0Y0W1R0", " X1R1 -0.05 W1", "-5e-2 w + r x",
      "xr - .05w",    "x^1r-0.050w ", "-0.05x0y0w1r0+x1r1"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    rule_object rule;
    make_terms(&rule, same[i]);
    cr_assert(rule.declared.parameters.count == 2, "%s", same[i]);
    check_parameter(&rule, 0, "X0Y0W1R0", "w", -0.05, 1);
    check_parameter(&rule, 1, "X1Y0W0R1", "x r", 1.0, 0);
    cr_assert(rule.declared.reads == (PF_READS_PRE | PF_READS_WEIGHT | PF_READS_MODULATOR));
    rule_unmake(&rule);
  }
}

Test(rule_taylor, numbers_are_given_but_the_constants_name_is_not)
{
  rule_object rule;
  make_terms(&rule, "1 + w + x + r + x r");
  cr_assert(rule.declared.parameters.count == 5);
  check_parameter(&rule, 0, "X0Y0W0R0", "1", 1.0, 0);
  check_parameter(&rule, 4, "X1Y0W0R1", "x r", 1.0, 0);
  rule_unmake(&rule);
  make_terms(&rule, "2.5e-3 - x^2 + 1 y + 3 * w w");
  check_parameter(&rule, 0, "X0Y0W0R0", "1", 2.5e-3, 1);
  check_parameter(&rule, 1, "X0Y0W2R0", "w^2", 3.0, 1);
  check_parameter(&rule, 2, "X0Y1W0R0", "y", 1.0, 1);
  check_parameter(&rule, 3, "X2Y0W0R0", "x^2", -1.0, 1);
  rule_unmake(&rule);
}

Test(rule_taylor, lists_powers_and_mask)
{
  rule_object rule;
  static const char *const list[] = {"x r", "-0.5 w"};
  const fake_value by_list[] = {FAKE_STRINGS("term_list", list, 2)};
  rule_make(&rule, taylor_LTX_pf_plugin_entry, by_list, 1);
  cr_assert(rule.declared.parameters.count == 2);
  check_parameter(&rule, 0, "X0Y0W1R0", "w", -0.5, 1);
  rule_unmake(&rule);

  static const int64_t three[] = {0, 1, 2}, two[] = {0, 1};
  const fake_value by_powers[] = {FAKE_INTEGERS("powers.x", three, 3),
                                  FAKE_INTEGERS("powers.r", three, 3),
                                  FAKE_INTEGERS("powers.w", two, 2)};
  rule_make(&rule, taylor_LTX_pf_plugin_entry, by_powers, 3);
  cr_assert(rule.declared.parameters.count == 18);
  cr_assert((rule.declared.reads & PF_READS_POST) == 0);
  check_parameter(&rule, 17, "X2Y0W1R2", "x^2 w r^2", 1.0, 0);
  rule_unmake(&rule);

  int64_t mask[81] = {0};
  mask[28] = 1;
  mask[3] = 1;
  const fake_value by_mask[] = {FAKE_INTEGERS("mask", mask, 81)};
  rule_make(&rule, taylor_LTX_pf_plugin_entry, by_mask, 1);
  cr_assert(rule.declared.parameters.count == 2);
  check_parameter(&rule, 0, "X0Y0W1R0", "w", 1.0, 0);
  check_parameter(&rule, 1, "X1Y0W0R1", "x r", 1.0, 0);
  rule_unmake(&rule);
}

Test(rule_taylor, refusals_say_what_to_do)
{
  static const struct {
    const char *terms, *says;
  } bad[] = {
      {"x^3", "powers 0..2 are available"},
      {"x + X3Y0W0R0", "powers 0..2 are available"},
      {"x x x", "powers 0..2 are available"},
      {"x r + w + r x", "twice"},
      {"", "no terms"},
      {"  ", "no terms"},
      {"x +", "ends where"},
      {"x r + z", "\"z\" at column 7"},
      {"x \xc3\x97 r", "\"\xc3\x97\" at column 3"},
      {"\xc3\x97", "column 1"},
      {"x 2", "+ or -"},
      {"x ** r", "column 4"},
      {"0.5.5 x", "a number such as"},
      {". x", "a number such as"},
      {"2e x", "exponent"},
      {"2e999 x", "finite"},
      {"x^", "ends where a power"},
      {"x^-1", "a power after ^"},
      {"x^99999999999999999999", "powers 0..2"},
      {"--x", "letters"},
      {"x, w", "\",\" at column 2"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[PF_ERROR_LENGTH];
    const fake_value given[] = {FAKE_STRING("terms", bad[i].terms)};
    rule_refusal(taylor_LTX_pf_plugin_entry, given, 1, text, sizeof text);
    cr_assert(strstr(text, bad[i].says) != NULL, "\"%s\" gives \"%s\", without \"%s\"",
              bad[i].terms, text, bad[i].says);
  }
}

Test(rule_taylor, a_number_before_x_is_not_hexadecimal)
{
  rule_object rule;
  make_terms(&rule, "0X1Y0W0R1 + 0x2");
  check_parameter(&rule, 0, "X1Y0W0R1", "x r", 0.0, 1);
  check_parameter(&rule, 1, "X2Y0W0R0", "x^2", 0.0, 1);
  rule_unmake(&rule);
}

Test(rule_taylor, one_way_of_choosing_only)
{
  char text[PF_ERROR_LENGTH];
  static const int64_t powers[] = {0, 1};
  static const int64_t zeros[81] = {0};
  const fake_value two_ways[] = {FAKE_STRING("terms", "x"), FAKE_INTEGERS("powers.x", powers, 2)};
  rule_refusal(taylor_LTX_pf_plugin_entry, two_ways, 2, text, sizeof text);
  cr_assert(strstr(text, "by `terms` `powers`; keep one") != NULL, "%s", text);
  const fake_value short_mask[] = {FAKE_INTEGERS("mask", zeros, 27)};
  rule_refusal(taylor_LTX_pf_plugin_entry, short_mask, 1, text, sizeof text);
  cr_assert(strstr(text, "27 elements, expected 81") != NULL, "%s", text);
  const fake_value no_mask[] = {FAKE_INTEGERS("mask", zeros, 81)};
  rule_refusal(taylor_LTX_pf_plugin_entry, no_mask, 1, text, sizeof text);
  const fake_value no_powers[] = {FAKE_INTEGERS("powers.w", powers, 0)};
  rule_refusal(taylor_LTX_pf_plugin_entry, no_powers, 1, text, sizeof text);
  const fake_value twice[] = {FAKE_INTEGERS("powers.w", zeros, 2)};
  rule_refusal(taylor_LTX_pf_plugin_entry, twice, 1, text, sizeof text);
  const fake_value no_list[] = {FAKE_STRINGS("term_list", NULL, 0)};
  rule_refusal(taylor_LTX_pf_plugin_entry, no_list, 1, text, sizeof text);
}

/** A step of a block of two columns, and its adjoint, with rows `ld` apart. */
typedef struct two_columns {
  pf_real w_out[10][3], g_w[10][3], g_post[10], g_pre[2];
  double g_theta[81];
} two_columns;

static void take_step(const rule_object *rule, const double *theta, int64_t rows, int64_t ld,
                      two_columns *out)
{
  const pf_rule_ops *ops = rule->plugin->rule;
  const size_t gap = (size_t)ld;
  pf_real w[30] = {0}, w_out[30], g_w[30], y[10], x[2] = {(pf_real)0.83, (pf_real)-1.21},
          r = (pf_real)0.47;
  *out = (two_columns){0};
  for (size_t i = 0; i < 10; i++) {
    y[i] = (pf_real)sin(2.0 + 1.3 * (double)i);
    out->g_post[i] = (pf_real)(0.25 * (double)i);
    for (size_t j = 0; j < 2; j++) {
      w[i * gap + j] = (pf_real)sin(1.0 + 0.9 * (double)(2 * i + j));
      g_w[i * gap + j] = (pf_real)cos(3.0 + 0.7 * (double)(2 * i + j));
    }
  }
  out->g_pre[0] = (pf_real)0.5;
  out->g_theta[0] = 0.125;
  const pf_block in = {.size = sizeof in,
                       .n_rows = rows,
                       .n_pre = 2,
                       .theta = theta,
                       .pre = x,
                       .post = y,
                       .w = w,
                       .modulator = &r,
                       .ld_pre = 2,
                       .ld_post = 10,
                       .ldw = ld};
  const pf_update update = {.size = sizeof update, .eta = 0.375};
  const pf_rule_gradient gradient = {.size = sizeof gradient,
                                     .theta = out->g_theta,
                                     .pre = out->g_pre,
                                     .post = out->g_post,
                                     .w = g_w,
                                     .ld_pre = 2,
                                     .ld_post = 10,
                                     .ldw = ld};
  memcpy(w_out, w, sizeof w);
  pf_error error = {.size = sizeof error};
  cr_assert(ops->step(rule->self, &in, &update, w_out, ld, &error) == PF_OK);
  cr_assert(ops->step_vjp(rule->self, &in, &update, &gradient, &error) == PF_OK);
  for (size_t i = 0; i < 10; i++) {
    for (size_t j = 0; j < 2; j++) {
      out->w_out[i][j] = w_out[i * gap + j];
      out->g_w[i][j] = g_w[i * gap + j];
    }
  }
}

/* Rows without gaps go a way of their own (pairs.h): the same numbers, at every count of rows, and
 * none beyond them. */
Test(rule_taylor, two_columns_give_the_same_with_and_without_gaps)
{
  static const char *const sets[] = {"all",       "1 + w + x + r + x r", "x^2 y w^2 r^2", "1",
                                     "y^2 + x w", "x y r + w",           "y w^2 + x^2",   "r",
                                     "x y",       "y^2 w + w^2 r"};
  double theta[81];
  for (int k = 0; k < 81; k++) {
    theta[k] = sin(1.0 + 3.7 * k);
  }
  for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
    rule_object rule;
    make_terms(&rule, sets[k]);
    for (int64_t rows = 0; rows <= 10; rows++) {
      two_columns with, without;
      take_step(&rule, theta, rows, 3, &with);
      take_step(&rule, theta, rows, 2, &without);
      const pf_real *const a[] = {with.w_out[0], with.g_w[0], with.g_post, with.g_pre};
      const pf_real *const b[] = {without.w_out[0], without.g_w[0], without.g_post, without.g_pre};
      const size_t n[] = {30, 30, 10, 2};
      for (size_t part = 0; part < 4; part++) {
        for (size_t i = 0; i < n[part]; i++) {
          const double x = (double)a[part][i], y = (double)b[part][i];
          cr_assert(fabs(x - y) <= 8.0 * RULE_ROUNDING * (1.0 + fabs(x)),
                    "%s, %lld rows, part %zu, %zu: %.17g, %.17g", sets[k], (long long)rows, part, i,
                    x, y);
        }
      }
      for (size_t i = 0; i < rule.declared.parameters.count; i++) {
        const double x = with.g_theta[i], y = without.g_theta[i];
        cr_assert(fabs(x - y) <= 8.0 * RULE_ROUNDING * (1.0 + fabs(x)),
                  "%s, %lld rows, theta %zu: %.17g, %.17g", sets[k], (long long)rows, i, x, y);
      }
    }
    rule_unmake(&rule);
  }
}

Test(rule_taylor, describes_itself)
{
  rule_object rule;
  char text[256];
  make_terms(&rule, "1 + w + x + r + x r");
  pf_error error = {.size = sizeof error};
  const double theta[5] = {0.0005, 0.98765, -0.0501, 0.002, 1.0};
  /* order of theta: 1, r, w, x, x r */
  const double plain[5] = {0.0005, 0.0, -0.0501, 0.002, 0.98765};
  rule.ops->describe(rule.self, plain, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert_str_eq(text, "dw = 0.988 x r - 0.0501 w + 2 smaller terms");
  rule.ops->describe(rule.self, theta, PF_TEXT_LATEX, text, sizeof text, &error);
  cr_assert_str_eq(text, "\\Delta w = x r + 0.988\\, r - 0.0501\\, w + \\text{2 smaller terms}");
  const double tiny[5] = {0, 0, 0, -1.25e-7, 0};
  rule.ops->describe(rule.self, tiny, PF_TEXT_LATEX, text, sizeof text, &error);
  cr_assert_str_eq(text, "\\Delta w = -1.25 \\times 10^{-7}\\, x");
  const double none[5] = {0};
  rule.ops->describe(rule.self, none, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert_str_eq(text, "dw = 0");
  const double wrong[5] = {1.0, NAN, 0, 0, 0};
  rule.ops->describe(rule.self, wrong, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert(strstr(text, "nan r") != NULL, "%s", text);
  rule.ops->describe(rule.self, plain, PF_TEXT_PLAIN, text, 8, &error);
  cr_assert_str_eq(text, "dw = 0.");
  rule_unmake(&rule);
}
