/* The multilayer perceptron as a rule. */
#define _POSIX_C_SOURCE 200809L

#include "plugins/rules/mlp/tanh.h"
#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const pf_plugin *mlp_LTX_pf_plugin_entry(void);

/** A shape to test; `inputs` as letters. */
typedef struct shape {
  const char *inputs;
  int n_hidden;
  int64_t hidden[3];
} shape;

static const shape shapes[] = {
    {"xywr", 1, {10}},  {"xwr", 1, {7}},        {"wx", 1, {1}}, {"xywr", 0, {0}},
    {"ryw", 2, {5, 4}}, {"xywr", 3, {3, 6, 2}}, {"y", 1, {4}},  {"rwyx", 2, {10, 10}},
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static void make_shape(rule_object *rule, const shape *s)
{
  char letters[4][2] = {{0}};
  const char *names[4];
  const size_t n = strlen(s->inputs);
  for (size_t k = 0; k < n; k++) {
    letters[k][0] = s->inputs[k];
    names[k] = letters[k];
  }
  const fake_value given[] = {FAKE_INTEGERS("hidden", s->hidden, s->n_hidden),
                              FAKE_STRINGS("inputs", names, n)};
  rule_make(rule, mlp_LTX_pf_plugin_entry, given, 2);
}

/** The definition, synapse by synapse. */
static double reference(const shape *s, const double *theta, const double value[4])
{
  double a[16], z[16];
  int n = (int)strlen(s->inputs);
  for (int k = 0; k < n; k++) {
    a[k] = value[strchr("xywr", s->inputs[k]) - "xywr"];
  }
  for (int l = 0; l <= s->n_hidden; l++) {
    const int m = l < s->n_hidden ? (int)s->hidden[l] : 1;
    for (int u = 0; u < m; u++) {
      z[u] = theta[n * m + u];
      for (int k = 0; k < n; k++) {
        z[u] += a[k] * theta[k * m + u];
      }
    }
    for (int u = 0; u < m; u++) {
      a[u] = l == s->n_hidden ? tanh(z[u]) : (z[u] >= 0 ? z[u] : 0.01 * z[u]);
    }
    theta += n * m + m;
    n = m;
  }
  return a[0];
}

Test(rule_mlp, dw_is_the_perceptron)
{
  for (int i = 0; i < N_SHAPES; i++) {
    rule_object rule;
    make_shape(&rule, &shapes[i]);
    double theta[256];
    for (size_t k = 0; k < rule.declared.parameters.count; k++) {
      theta[k] = 0.6 * sin(2.0 + 3.7 * (double)k);
    }
    const double value[4] = {0.83, -0.61, 1.17, 0.47};
    const double expected = reference(&shapes[i], theta, value);
    const double found = rule_dw(&rule, theta, value[0], value[1], value[2], value[3]);
    cr_assert(fabs(found - expected) <= RULE_ROUNDING, "%s: %.17g, expected %.17g",
              shapes[i].inputs, found, expected);
    rule_unmake(&rule);
  }
}

Test(rule_mlp, default_is_four_ten_one)
{
  rule_object rule;
  rule_make(&rule, mlp_LTX_pf_plugin_entry, NULL, 0);
  const pf_parameter *p = rule.declared.parameters.items;
  cr_assert(rule.declared.parameters.count == 61);
  cr_assert_str_eq(p[0].name, "L1_x_0");
  cr_assert_str_eq(p[13].name, "L1_y_3");
  cr_assert_str_eq(p[40].name, "L1_bias_0");
  cr_assert_str_eq(p[53].name, "L2_3_0");
  cr_assert_str_eq(p[60].name, "L2_bias_0");
  cr_assert(p[0].initial_sd == 0.1 && p[60].initial_sd == 0.0);
  char text[64];
  pf_error error = {.size = sizeof error};
  const double theta[61] = {0};
  rule.ops->describe(rule.self, theta, PF_TEXT_PLAIN, text, sizeof text, &error);
  cr_assert_str_eq(text, "dw = tanh(MLP 4-10-1 of x, y, w, r)");
  rule_unmake(&rule);
}

Test(rule_mlp, refusals_say_what_to_do)
{
  char text[PF_ERROR_LENGTH];
  static const char *const unknown[] = {"x", "z"}, *const twice[] = {"x", "x"};
  static const int64_t many[] = {200, 100}, layers[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  const fake_value bad[][1] = {{FAKE_STRINGS("inputs", unknown, 2)},
                               {FAKE_STRINGS("inputs", twice, 2)},
                               {FAKE_STRINGS("inputs", NULL, 0)},
                               {FAKE_INTEGERS("hidden", many, 2)},
                               {FAKE_INTEGERS("hidden", layers, 9)}};
  static const char *const says[] = {"\"z\"", "twice", "at least one", "at most 256",
                                     "9 hidden layers"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    rule_refusal(mlp_LTX_pf_plugin_entry, bad[i], 1, text, sizeof text);
    cr_assert(strstr(text, says[i]) != NULL, "\"%s\" lacks \"%s\"", text, says[i]);
  }
}

Test(rule_mlp, tanh_is_accurate)
{
  /* Measured: 3.3e-16 double, 1.8e-7 single, relative, over this range. */
  const double tolerance = sizeof(pf_real) == 4 ? 3e-7 : 6e-16;
  double worst = 0.0;
  for (double x = 1e-9; x < 30.0; x *= 1.0001) {
    const double expected = tanh((double)(pf_real)x);
    const double error = fabs((double)mlp_tanh((pf_real)x) / expected - 1.0);
    worst = error > worst ? error : worst;
    cr_assert(mlp_tanh((pf_real)-x) == -mlp_tanh((pf_real)x));
  }
  cr_assert(worst <= tolerance, "relative error %.3g", worst);
  cr_assert(mlp_tanh(0) == 0);
  cr_assert(mlp_tanh((pf_real)INFINITY) == 1 && mlp_tanh((pf_real)-INFINITY) == -1);
  cr_assert(isnan(mlp_tanh((pf_real)NAN)));
}
