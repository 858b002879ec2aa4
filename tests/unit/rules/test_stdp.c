/* stdp: pairs of spikes a lag apart change the weight by exp(-lag / tau), as textbooks have it. */
#define _POSIX_C_SOURCE 200809L

#include "tests/unit/support/rule_object.h"

#include <criterion/criterion.h>
#include <math.h>

const pf_plugin *stdp_LTX_pf_plugin_entry(void);

static const double theta[] = {0.8, 0.6, 20.0, 35.0};
/* Measured: 2.2e-16. */
static const double tolerance = sizeof(pf_real) == sizeof(double) ? 1e-12 : 1e-6;

/* The change of one synapse over n steps of the lengths dt, with spikes where pre and post are 1.
 */
static double change_over(int n, const double *dt, const int *pre, const int *post)
{
  rule_object rule;
  rule_make(&rule, stdp_LTX_pf_plugin_entry, NULL, 0);
  pf_error error = {.size = sizeof error};
  pf_real p = 0, q = 0, w = 0, sum = 0;
  for (int t = 0; t < n; t++) {
    const pf_real x = (pf_real)pre[t], y = (pf_real)post[t];
    const pf_traces seen = {
        .size = sizeof seen, .pre = &p, .post = &q, .ld_pre = 1, .ld_post = 1, .ldw = 1};
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
                         .dt = dt[t]};
    pf_real dw = 0, next_p = 0, next_q = 0;
    cr_assert(rule.ops->forward(rule.self, &in, &dw, 1, &error) == PF_OK);
    const pf_traces next = {
        .size = sizeof next, .pre = &next_p, .post = &next_q, .ld_pre = 1, .ld_post = 1, .ldw = 1};
    cr_assert(rule.ops->update_traces(rule.self, &in, &next, &error) == PF_OK);
    p = next_p;
    q = next_q;
    sum += dw;
  }
  rule_unmake(&rule);
  return (double)sum;
}

Test(rule_stdp, pairs_of_adjacent_rows)
{
  for (double lag = 0.5; lag < 200.0; lag *= 1.7) {
    const double dt[] = {3.0, lag};
    const double found = change_over(2, dt, (const int[]){1, 0}, (const int[]){0, 1});
    cr_expect(fabs(found - 0.8 * exp(-lag / 20.0)) <= tolerance, "pre, post %g ms later: %.17g",
              lag, found);
    const double back = change_over(2, dt, (const int[]){0, 1}, (const int[]){1, 0});
    cr_expect(fabs(back + 0.6 * exp(-lag / 35.0)) <= tolerance, "post, pre %g ms later: %.17g", lag,
              back);
  }
}

Test(rule_stdp, rows_between_two_spikes_change_nothing)
{
  const double dt[] = {9.0, 4.0, 7.5, 0.5};
  const double found = change_over(4, dt, (const int[]){1, 0, 0, 0}, (const int[]){0, 0, 0, 1});
  cr_expect(fabs(found - 0.8 * exp(-12.0 / 20.0)) <= tolerance, "%.17g", found);
}

Test(rule_stdp, spikes_of_one_step_are_no_pair)
{
  const double dt[] = {1.0, 1.0};
  cr_expect(change_over(2, dt, (const int[]){1, 0}, (const int[]){1, 0}) == 0.0);
}

Test(rule_stdp, without_a_time_axis_lags_count_steps)
{
  const double dt[] = {0.0, 0.0, 0.0};
  const double found = change_over(3, dt, (const int[]){1, 0, 0}, (const int[]){0, 0, 1});
  cr_expect(fabs(found - 0.8 * exp(-2.0 / 20.0)) <= tolerance, "%.17g", found);
}
