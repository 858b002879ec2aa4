/* triplet, voltage, btsp: the change of one synapse over spike trains, against plain sums. */
#include "tests/unit/support/numbers.h"
#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

const pf_plugin *triplet_LTX_pf_plugin_entry(void);
const pf_plugin *voltage_LTX_pf_plugin_entry(void);
const pf_plugin *btsp_LTX_pf_plugin_entry(void);

enum { STEPS = 120, MOST = 2 };

/* Measured: 4.3e-15. */
static const double tolerance = sizeof(pf_real) == sizeof(double) ? 1e-12 : 1e-4;

/* What a synapse meets: spikes, or a voltage, at steps of unequal length. */
typedef struct series {
  double dt[STEPS], at[STEPS], x[STEPS], y[STEPS];
} series;

static series make_series(uint64_t seed, bool is_voltage)
{
  series made = {0};
  double now = 0.0;
  for (int t = 0; t < STEPS; t++) {
    made.dt[t] = 1.0 + 9.0 * numbers_uniform(&seed);
    now += made.dt[t];
    made.at[t] = now;
    made.x[t] = numbers_uniform(&seed) < 0.3;
    made.y[t] = is_voltage ? 2.0 * numbers_uniform(&seed) - 0.6 : numbers_uniform(&seed) < 0.3;
  }
  return made;
}

/* The weight after all steps, from `w`; the rule sees its traces before or after each step. */
static double run_rule(pf_plugin_entry entry, const double *theta, const series *of, double start)
{
  rule_object rule;
  rule_make(&rule, entry, NULL, 0);
  pf_error error = {.size = sizeof error};
  pf_real pre[MOST] = {0}, post[MOST] = {0}, w = (pf_real)start;
  const bool after = rule.declared.trace_order == PF_TRACES_AFTER_STEP;
  for (int t = 0; t < STEPS; t++) {
    const pf_real x = (pf_real)of->x[t], y = (pf_real)of->y[t];
    pf_real next_pre[MOST] = {0}, next_post[MOST] = {0}, dw = 0;
    pf_traces seen = {
        .size = sizeof seen, .pre = pre, .post = post, .ld_pre = 1, .ld_post = 1, .ldw = 1};
    const pf_traces next = {.size = sizeof next,
                            .pre = next_pre,
                            .post = next_post,
                            .ld_pre = 1,
                            .ld_post = 1,
                            .ldw = 1};
    const pf_block in = {.size = sizeof in,
                         .n_rows = 1,
                         .n_pre = 1,
                         .theta = theta,
                         .pre = &x,
                         .post = &y,
                         .w = &w,
                         .ld_pre = 1,
                         .ld_post = 1,
                         .ldw = 1,
                         .traces = &seen,
                         .dt = of->dt[t]};
    cr_assert(rule.ops->update_traces(rule.self, &in, &next, &error) == PF_OK, "%s", error.text);
    if (after) {
      seen.pre = next_pre;
      seen.post = next_post;
    }
    cr_assert(rule.ops->forward(rule.self, &in, &dw, 1, &error) == PF_OK, "%s", error.text);
    memcpy(pre, next_pre, sizeof pre);
    memcpy(post, next_post, sizeof post);
    w += dw;
  }
  rule_unmake(&rule);
  return (double)w;
}

/* Sum over the spikes of `s` before step t (or up to it) of exp(-lag / tau). */
static double sum_before(const series *of, const double *s, int t, double tau, bool with_now)
{
  double sum = 0.0;
  for (int k = 0; k < t + (with_now ? 1 : 0); k++) {
    sum += s[k] * exp(-(of->at[t] - of->at[k]) / tau);
  }
  return sum;
}

Test(rule_traced, triplets_are_sums_over_spikes)
{
  const double theta[] = {0.5, 1.1, 0.7, 0.23, 16.8, 101.0, 33.7, 125.0};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    const series of = make_series(seed, false);
    double w = 0.4;
    for (int t = 0; t < STEPS; t++) {
      w += of.y[t] * sum_before(&of, of.x, t, 16.8, false) *
           (0.5 + 1.1 * sum_before(&of, of.y, t, 125.0, false));
      w -= of.x[t] * sum_before(&of, of.y, t, 33.7, false) *
           (0.7 + 0.23 * sum_before(&of, of.x, t, 101.0, false));
    }
    const double found = run_rule(triplet_LTX_pf_plugin_entry, theta, &of, 0.4);
    cr_expect(fabs(found - w) <= tolerance * fmax(1.0, fabs(w)), "%.17g, expected %.17g", found, w);
  }
}

/* Post, pre, post: the second postsynaptic spike counts the pair and the triplet (Pfister &
 * Gerstner 2006, equation 3). */
Test(rule_traced, one_triplet)
{
  const double theta[] = {0.5, 1.0, 0.7, 0.2, 16.8, 101.0, 33.7, 125.0};
  series of = {.dt = {1.0, 5.0, 5.0}, .x = {0, 1, 0}, .y = {1, 0, 1}};
  for (int t = 3; t < STEPS; t++) {
    of.dt[t] = 1.0;
  }
  const double expected =
      -0.7 * exp(-5.0 / 33.7) + exp(-5.0 / 16.8) * (0.5 + 1.0 * exp(-10.0 / 125.0));
  const double found = run_rule(triplet_LTX_pf_plugin_entry, theta, &of, 0.0);
  cr_expect(fabs(found - expected) <= tolerance, "%.17g, expected %.17g", found, expected);
}

Test(rule_traced, voltage_is_a_plain_loop)
{
  const double theta[] = {1.3, 0.5, 0.4, -0.1, 15.0, 7.0, 10.0};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    const series of = make_series(seed, true);
    double w = 0.4, up = 0.0, um = 0.0;
    for (int t = 0; t < STEPS; t++) {
      const double u = of.y[t], fast = exp(-of.dt[t] / 7.0), slow = exp(-of.dt[t] / 10.0);
      if (u > 0.4 && up > -0.1) {
        w += 1.3 * sum_before(&of, of.x, t, 15.0, false) * (u - 0.4) * (up + 0.1);
      }
      if (um > -0.1) {
        w -= 0.5 * of.x[t] * (um + 0.1);
      }
      up = fast * up + (1.0 - fast) * u;
      um = slow * um + (1.0 - slow) * u;
    }
    const double found = run_rule(voltage_LTX_pf_plugin_entry, theta, &of, 0.4);
    cr_expect(fabs(found - w) <= tolerance * fmax(1.0, fabs(w)), "%.17g, expected %.17g", found, w);
  }
}

static double logistic(double z)
{
  return 1.0 / (1.0 + exp(-z));
}

/* As the paper writes it. */
static double q_of(double s, double alpha, double beta)
{
  return (logistic(beta * (s - alpha)) - logistic(-beta * alpha)) /
         (logistic(beta * (1.0 - alpha)) - logistic(-beta * alpha));
}

Test(rule_traced, btsp_is_a_plain_loop)
{
  const double theta[] = {1.7, 0.204, 0.415, 4.405, 0.026, 20.035, 1664.0, 439.0, 1.3};
  for (uint64_t seed = 1; seed <= 5; seed++) {
    series of = make_series(seed, false);
    double w = 0.4;
    for (int t = 0; t < STEPS; t++) {
      of.x[t] *= 0.05;
      of.y[t] *= 0.05;
    }
    for (int t = 0; t < STEPS; t++) {
      const double s =
          sum_before(&of, of.x, t, 1664.0, true) * sum_before(&of, of.y, t, 439.0, true);
      w += of.dt[t] / 1000.0 *
           (1.7 * q_of(s, 0.415, 4.405) * (1.3 - w) - 0.204 * q_of(s, 0.026, 20.035) * w);
    }
    const double found = run_rule(btsp_LTX_pf_plugin_entry, theta, &of, 0.4);
    cr_expect(fabs(found - w) <= tolerance, "%.17g, expected %.17g", found, w);
    cr_expect(fabs(w - 0.4) > 1e-3, "nothing happened");
  }
}
