/* The rule from a formula: what is refused and where, its derivatives, and that it is the C rule it
 * spells. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *expr_LTX_pf_plugin_entry(void);
const pf_plugin *oja_LTX_pf_plugin_entry(void);
const pf_plugin *reward_LTX_pf_plugin_entry(void);

static const char *const names[] = {"a", "rate", "decay"};

static void make(rule_object *rule, const char *dw, size_t n_names, const char *const *parameters)
{
  const fake_value given[] = {FAKE_STRING("dw", dw),
                              FAKE_STRINGS("parameters", parameters, n_names)};
  rule_make(rule, expr_LTX_pf_plugin_entry, given, n_names > 0 ? 2 : 1);
}

static double value(const char *dw, double x, double y, double w)
{
  rule_object rule;
  make(&rule, dw, 0, NULL);
  const double found = rule_dw(&rule, NULL, x, y, w, NAN);
  rule_unmake(&rule);
  return found;
}

Test(rule_expr, precedence)
{
  const double x = 1.3, y = -0.7, w = 0.4;
  const struct {
    const char *dw;
    double expected;
  } cases[] = {
      {"x", x},
      {"-x^2", -x * x},
      {"2^x^2", pow(2, x * x)},
      {"2^-x", pow(2, -x)},
      {"x - y - w", x - y - w},
      {"x / y / w", x / y / w},
      {"x / y * w", x / y * w},
      {"-x * -y", x * y},
      {"--x", x},
      {"x + y * w", x + y * w},
      {"(x + y) * w", (x + y) * w},
      {"2 * x * 3 * y * w", 6 * x * y * w},
      {"x * (2 - y) - w * (w * 3)", x * (2 - y) - w * w * 3},
      {"x^0.5 + x^-2 + x^3 + x^1 + x^0", sqrt(x) + 1 / (x * x) + x * x * x + x + 1},
      {"exp(x) + log(x) + tanh(y) + sqrt(x) + abs(y)",
       exp(x) + log(x) + tanh(y) + sqrt(x) + fabs(y)},
      {"exp(w) + log(w) + tanh(w) + sqrt(w) + abs(-w)", exp(w) + log(w) + tanh(w) + sqrt(w) + w},
      {"min(x, y) + max(x, w) * step(x - 1) + step(y)", y + x},
      {"min(y, -1) + max(y, 2)", 1},
      {"x ^ w + w ^ y", pow(x, w) + pow(w, y)},
      {"1e-3 * x + .5", 1e-3 * x + 0.5},
      {"y", y},
      {"3", 3},
      {"w", w},
      {"y / x + y - x + (x - y)", y / x},
      {"x*x*w + w*x*x", 2 * x * x * w},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const double found = value(cases[i].dw, x, y, w);
    cr_assert(fabs(found - cases[i].expected) <= 4 * RULE_ROUNDING, "%s: %.17g instead of %.17g",
              cases[i].dw, found, cases[i].expected);
  }
}

Test(rule_expr, refusals_point_at_the_column)
{
  const struct {
    const char *dw, *said;
  } cases[] = {
      {"", "dw, column 1: the formula ends where a number, a name or '(' was expected"},
      {"a*x*(reward - w",
       "dw, column 16: the formula ends where ')' for the '(' of column 5 was expected"},
      {"a * x * ", "dw, column 9: the formula ends where"},
      {"a x", "dw, column 3: found 'x', expected an operator (a product is written with *)"},
      {"a*x % w", "dw, column 5: found '%': there is no remainder; operators are + - * / and ^"},
      {"a*x**2", "dw, column 5: found '*': a power is written with ^"},
      {"a*tahn(y)", "dw, column 3: there is no function 'tahn'; did you mean 'tanh'"},
      {"a*min(y)", "dw, column 8: found ')', expected a comma and a second argument"},
      {"a*exp(y, w)", "dw, column 8: found ',', expected ')' after the one argument"},
      {"a*exp", "dw, column 3: the function exp needs its argument in brackets"},
      {"a*x + rats*w",
       "dw, column 7: 'rats' is no variable (x, y, w), parameter or trace; did you mean 'rate'"},
      {"a*x + q", "dw, column 7: 'q' is no variable"},
      {"a*x*log(-1)", "dw, column 5: the result is nan"},
      {"a*x/(1-1)", "dw, column 4: the result is inf"},
      {"x", "the parameter 'a' has no effect"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[256];
    const fake_value given[] = {FAKE_STRING("dw", cases[i].dw),
                                FAKE_STRINGS("parameters", names, 2)};
    rule_refusal(expr_LTX_pf_plugin_entry, given, 2, text, sizeof text);
    cr_assert(strncmp(text, cases[i].said, strlen(cases[i].said)) == 0 ||
                  (strstr(text, "nan") != NULL && strstr(cases[i].said, "nan") != NULL),
              "%s: \"%s\" instead of \"%s\"", cases[i].dw, text, cases[i].said);
  }
  char text[256], deep[300];
  memset(deep, '(', sizeof deep);
  deep[sizeof deep - 1] = '\0';
  const fake_value brackets[] = {FAKE_STRING("dw", deep)};
  rule_refusal(expr_LTX_pf_plugin_entry, brackets, 1, text, sizeof text);
  cr_assert(strstr(text, "deep") != NULL, "%s", text);
  static const char *const wrong[] = {"x"};
  const fake_value variable[] = {FAKE_STRING("dw", "x"), FAKE_STRINGS("parameters", wrong, 1)};
  rule_refusal(expr_LTX_pf_plugin_entry, variable, 2, text, sizeof text);
  cr_assert(strstr(text, "means something else") != NULL, "%s", text);
  static const char *const bad_trace[] = {"0.9*e"};
  const fake_value traced[] = {FAKE_STRING("dw", "x"), FAKE_STRINGS("traces", bad_trace, 1)};
  rule_refusal(expr_LTX_pf_plugin_entry, traced, 2, text, sizeof text);
  cr_assert(strstr(text, "expected a name and a formula") != NULL, "%s", text);
  static const char *const traces[] = {"e = 0.9*e + x*z"};
  const fake_value column[] = {FAKE_STRING("dw", "e"), FAKE_STRINGS("traces", traces, 1)};
  rule_refusal(expr_LTX_pf_plugin_entry, column, 2, text, sizeof text);
  cr_assert(strstr(text, "trace e, column 15: 'z'") != NULL, "%s", text);
}

Test(rule_expr, long_formulas_are_refused)
{
  char text[256], sum[8000] = "x";
  for (int i = 0; i < 120; i++) {
    (void)snprintf(sum + strlen(sum), sizeof sum - strlen(sum), " + exp(x*%d)", i + 2);
  }
  const fake_value given[] = {FAKE_STRING("dw", sum)};
  rule_refusal(expr_LTX_pf_plugin_entry, given, 1, text, sizeof text);
  cr_assert(strstr(text, "more than this rule takes") != NULL, "%s", text);
}

/** The same dw as the C rule, up to rounding. */
static void check_same(pf_plugin_entry entry, const fake_value *given, size_t n_given,
                       const char *dw, const char *const *parameters, const double *theta, double r)
{
  rule_object by_hand, spelt;
  rule_make(&by_hand, entry, given, n_given);
  make(&spelt, dw, 2, parameters);
  for (int k = 0; k < 50; k++) {
    const double x = sin(1.7 * k), y = cos(2.3 * k), w = sin(0.9 * k + 1);
    const double expected = rule_dw(&by_hand, theta, x, y, w, r),
                 found = rule_dw(&spelt, theta, x, y, w, r);
    cr_assert(fabs(found - expected) <= RULE_ROUNDING, "%s: %.17g instead of %.17g", dw, found,
              expected);
  }
  rule_unmake(&by_hand);
  rule_unmake(&spelt);
}

Test(rule_expr, is_the_c_rule_it_spells)
{
  static const char *const both[] = {"rate", "decay"};
  const double theta[2] = {0.83, 0.37};
  check_same(oja_LTX_pf_plugin_entry, NULL, 0, "rate*x*y - decay*y^2*w", both, theta, NAN);
  const fake_value given[] = {FAKE_STRING("form", "x r"), FAKE_BOOL("decay_term", 1)};
  check_same(reward_LTX_pf_plugin_entry, given, 2, "rate*x*r - decay*w", both, theta, -0.6);
}

Test(rule_expr, channels_become_modulators)
{
  rule_object rule;
  make(&rule, "a*x*(reward - expected_reward) + dopamine*w", 1, names);
  cr_assert(rule.declared.modulators.count == 4);
  cr_assert_str_eq(rule.declared.modulators.items[0].name,
                   "r"); /* the config's `modulator`, not used here */
  cr_assert_str_eq(rule.declared.modulators.items[0].fallback, "0");
  cr_assert_str_eq(rule.declared.modulators.items[1].fallback, "reward");
  cr_assert_str_eq(rule.declared.modulators.items[3].fallback, "dopamine");
  rule_unmake(&rule);
  make(&rule, "a*x*r", 1, names);
  cr_assert(rule.declared.modulators.count == 1);
  cr_assert_str_eq(rule.declared.modulators.items[0].fallback, "reward - expected_reward");
  rule_unmake(&rule);
  make(&rule, "a*x", 1, names);
  cr_assert(rule.declared.modulators.count == 0);
  cr_assert(rule.declared.reads == PF_READS_PRE);
  rule_unmake(&rule);
}

Test(rule_expr, domain_errors_fail_the_point)
{
  const struct {
    const char *dw, *said;
  } cases[] = {{"x + log(w)", "dw, column 5: log(-0.5) is nan"},
               {"x*sqrt(w)", "dw, column 3: sqrt(-0.5) is nan"},
               {"x / (w + 0.5)", "dw, column 3: 1 / 0 is inf"},
               {"w + log(y)", "dw, column 5: log(-2) is nan"},
               {"(w + 0.5)^-1", "dw, column 10: 0 ^ -1 is inf"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rule_object rule;
    make(&rule, cases[i].dw, 0, NULL);
    const pf_real x[] = {1, 1, 1}, y[] = {(pf_real)-2}, w[] = {1, (pf_real)-0.5, 2};
    const pf_block in = {
        .size = sizeof in, .n_rows = 1, .n_pre = 3, .pre = x, .post = y, .w = w, .ldw = 3};
    pf_real dw[3];
    pf_error error = {.size = sizeof error};
    cr_assert(rule.ops->forward(rule.self, &in, dw, 3, &error) == PF_POINT_FAILED, "%s",
              cases[i].dw);
    char text[256]; /* glibc prints the sign of a NaN */
    size_t n = 0;
    for (const char *at = error.text; *at != '\0' && n + 1 < sizeof text; at++) {
      if (!(at[0] == '-' && at[1] == 'n')) {
        text[n++] = *at;
      }
    }
    text[n] = '\0';
    cr_assert_str_eq(text, cases[i].said);
    rule_unmake(&rule);
  }
}

Test(rule_expr, describe_puts_numbers_in)
{
  static const char *const two[] = {"a", "rate"};
  rule_object rule;
  make(&rule, "a*x*(reward - 0.5) - rate*w", 2, two);
  const double theta[2] = {0.98, -1.5e-7};
  char text[128];
  pf_error error = {.size = sizeof error};
  rule.ops->describe(rule.self, theta, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert_str_eq(text, "dw = 0.98*x*(reward - 0.5) + 1.5e-07*w");
  rule.ops->describe(rule.self, theta, PF_TEXT_LATEX, text, sizeof text, &error);
  cr_assert_str_eq(
      text, "\\Delta w = 0.98 \\, x \\, (\\mathrm{reward} - 0.5) + 1.5 \\times 10^{-7} \\, w");
  rule.ops->describe(rule.self, theta, PF_TEXT_PLAIN, text, 9, &error);
  cr_assert_str_eq(text, "dw = 0.9");
  rule_unmake(&rule);
}

Test(rule_expr, describe_turns_signs_of_negative_numbers)
{
  static const char *const two_names[] = {"a", "b"};
  static const struct {
    const char *formula, *text;
    uint32_t format;
  } cases[] = {
      {"a*x - b*w", "dw = -0.5*x + 0.25*w", PF_TEXT_PLAIN},
      {"a*x + b*w", "dw = -0.5*x - 0.25*w", PF_TEXT_PLAIN},
      {"x*a-b*w", "dw = x*(-0.5)+0.25*w", PF_TEXT_PLAIN},
      {"-a*x - b*w", "dw = 0.5*x + 0.25*w", PF_TEXT_PLAIN},
      {"x*(a - y) + (-b)*w", "dw = x*(-0.5 - y) + (0.25)*w", PF_TEXT_PLAIN},
      {"x - a^2*y + b*w", "dw = x - (-0.5)^2*y - 0.25*w", PF_TEXT_PLAIN},
      {"x*-a + max(b, x)", "dw = x*-(-0.5) + max(-0.25, x)", PF_TEXT_PLAIN},
      {"x*a - b*w", "\\Delta w = x \\, (-0.5) + 0.25 \\, w", PF_TEXT_LATEX},
  };
  const double theta[2] = {-0.5, -0.25};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    rule_object rule;
    char text[128];
    pf_error error = {.size = sizeof error};
    make(&rule, cases[k].formula, 2, two_names);
    rule.ops->describe(rule.self, theta, cases[k].format, text, sizeof text, &error);
    cr_expect_str_eq(text, cases[k].text, "%s: %s", cases[k].formula, text);
    rule_unmake(&rule);
  }
}

/* ---- traces ---- */

enum { ROWS = 2, COLUMNS = 5, LD = 7, PLANE = 20 };

Test(rule_expr, traces_update_traces_and_their_adjoint_and_tangent_agree)
{
  static const char *const parameters[] = {"a", "rate"};
  static const char *const traces[] = {"e = rate*e + x*y", "f = f*0.5 + tanh(e*w)"};
  const fake_value given[] = {FAKE_STRING("dw", "a*e*f"), FAKE_STRINGS("parameters", parameters, 2),
                              FAKE_STRINGS("traces", traces, 2)};
  rule_object rule;
  rule_make(&rule, expr_LTX_pf_plugin_entry, given, 3);
  cr_assert(rule.declared.traces.count == 2 && rule.declared.trace_order == PF_TRACES_AFTER_STEP);
  double theta[2] = {0.7, 0.9};
  pf_real x[COLUMNS], y[ROWS] = {(pf_real)0.4, (pf_real)-1.1}, w[ROWS * LD], e[2 * PLANE],
                      next[2 * PLANE];
  pf_real bar[2 * PLANE], g_e[2 * PLANE] = {0}, g_x[COLUMNS] = {0}, g_y[ROWS] = {0},
                                  g_w[ROWS * LD] = {0};
  pf_real e_dot[2 * PLANE], next_dot[2 * PLANE] = {0};
  double g_theta[2] = {0}, theta_dot[2] = {0.3, -0.8};
  for (int j = 0; j < COLUMNS; j++) {
    x[j] = (pf_real)sin(1.0 + j);
  }
  for (int i = 0; i < 2 * PLANE; i++) {
    w[i % (ROWS * LD)] = (pf_real)cos(0.4 * i);
    e[i] = (pf_real)sin(0.7 * i + 0.2);
    bar[i] = (pf_real)cos(1.9 * i);
    e_dot[i] = (pf_real)sin(2.9 * i);
    next[i] = -7;
  }
  const pf_traces before = {
      .size = sizeof before, .synapse = e, .ldw = LD, .synapse_stride = PLANE};
  const pf_block in = {.size = sizeof in,
                       .n_rows = ROWS,
                       .n_pre = COLUMNS,
                       .theta = theta,
                       .pre = x,
                       .post = y,
                       .w = w,
                       .ldw = LD,
                       .traces = &before};
  const pf_traces out = {.size = sizeof out, .synapse = next, .ldw = LD, .synapse_stride = PLANE};
  pf_error error = {.size = sizeof error};
  cr_assert(rule.ops->update_traces(rule.self, &in, &out, &error) == PF_OK);
  for (int i = 0; i < ROWS; i++) {
    for (int j = 0; j < LD; j++) {
      const double was = (double)e[i * LD + j], f = (double)e[PLANE + i * LD + j];
      const double expected = j < COLUMNS ? 0.9 * was + (double)x[j] * (double)y[i] : -7;
      const double expected_f = j < COLUMNS ? 0.5 * f + tanh(was * (double)w[i * LD + j]) : -7;
      if (i + 1 < ROWS || j < COLUMNS) {
        cr_assert(fabs((double)next[i * LD + j] - expected) <= RULE_ROUNDING);
        cr_assert(fabs((double)next[PLANE + i * LD + j] - expected_f) <= RULE_ROUNDING);
      }
    }
  }
  /* <bar, J v> = <J' bar, v>, with v in theta and traces */
  const pf_traces g_before = {
      .size = sizeof g_before, .synapse = g_e, .ldw = LD, .synapse_stride = PLANE};
  const pf_traces before_dot = {
      .size = sizeof before_dot, .synapse = e_dot, .ldw = LD, .synapse_stride = PLANE};
  const pf_traces cotangent = {
      .size = sizeof cotangent, .synapse = bar, .ldw = LD, .synapse_stride = PLANE};
  const pf_rule_gradient gradient = {.size = sizeof gradient,
                                     .theta = g_theta,
                                     .pre = g_x,
                                     .post = g_y,
                                     .w = g_w,
                                     .ldw = LD,
                                     .traces = &g_before};
  cr_assert(rule.ops->update_traces_vjp(rule.self, &in, &cotangent, &gradient, &error) == PF_OK);
  const pf_rule_tangent tangent = {
      .size = sizeof tangent, .n_tangents = 1, .theta = theta_dot, .traces = &before_dot};
  const pf_traces dot = {
      .size = sizeof dot, .synapse = next_dot, .ldw = LD, .synapse_stride = PLANE};
  cr_assert(rule.ops->update_traces_jvp(rule.self, &in, &tangent, &dot, &error) == PF_OK);
  double forwards = 0.0, backwards = 0.0;
  for (int k = 0; k < 2; k++) {
    backwards += g_theta[k] * theta_dot[k];
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < COLUMNS; j++) {
        const int at = k * PLANE + i * LD + j;
        forwards += (double)bar[at] * (double)next_dot[at];
        backwards += (double)g_e[at] * (double)e_dot[at];
      }
    }
  }
  cr_assert(fabs(forwards) > 0.1 && fabs(forwards - backwards) <= 10 * RULE_ROUNDING,
            "%.17g and %.17g", forwards, backwards);
  rule_unmake(&rule);
}
