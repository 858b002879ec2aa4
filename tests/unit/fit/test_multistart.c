/* core/fit/multistart: where starts lie, and when there are enough of them. */
#include "core/fit/multistart.h"

#include "core/base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- how many ---- */

Test(multistart, waves_until_the_best_was_found_three_times)
{
  const pf_multistart_rule rule = {.found = 3, .limit = 20};
  cr_expect(pf_multistart_next(&rule, 0, 0) == 3);
  cr_expect(pf_multistart_next(&rule, 3, 3) == 0);
  cr_expect(pf_multistart_next(&rule, 3, 2) == 1); /* so many as are missing */
  cr_expect(pf_multistart_next(&rule, 6, 3) == 0);
  cr_expect(pf_multistart_next(&rule, 6, 1) == 2);
}

Test(multistart, never_more_than_the_limit)
{
  const pf_multistart_rule rule = {.found = 3, .limit = 20};
  cr_expect(pf_multistart_next(&rule, 19, 1) == 1);
  cr_expect(pf_multistart_next(&rule, 20, 1) == 0);
  const pf_multistart_rule single = {.found = 3, .limit = 1}; /* fit.starts = 1 */
  cr_expect(pf_multistart_next(&single, 0, 0) == 1);
  cr_expect(pf_multistart_next(&single, 1, 1) == 0);
  const pf_multistart_rule all = {.found = 20, .limit = 20}; /* all in one wave */
  cr_expect(pf_multistart_next(&all, 0, 0) == 20);
  cr_expect(pf_multistart_next(&all, 20, 5) == 0);
}

Test(multistart, reached_is_within_a_hundredth_of_a_nat)
{
  pf_function function = {.n = 1};
  cr_expect(pf_multistart_reached(&function, 100.0099, 100.0));
  cr_expect(!pf_multistart_reached(&function, 100.0101, 100.0));
  cr_expect(pf_multistart_reached(&function, 99.0, 100.0)); /* better than the best */
  function.nats = 10.0;
  cr_expect(pf_multistart_reached(&function, 100.00099, 100.0));
  cr_expect(!pf_multistart_reached(&function, 100.00101, 100.0));
  function = (pf_function){.n = 1, .squares = 400.0}; /* a unit of f = 2: 400 / 2 / 2 = 100 nats */
  cr_expect(pf_multistart_reached(&function, 2.000099, 2.0));
  cr_expect(!pf_multistart_reached(&function, 2.000101, 2.0));
  cr_expect(!pf_multistart_reached(&function, NAN, 2.0));
}

/* ---- where ---- */

enum { N = 3, STARTS = 9 };

typedef struct place {
  double lower[N], upper[N], first[N], spread[N];
  pf_layout layout;
  pf_multistart starts;
} place;

/** A value within [0, 1], one above 0, one without bounds. */
static void set_place(place *p)
{
  *p = (place){.lower = {0.0, 0.0, -INFINITY},
               .upper = {1.0, INFINITY, INFINITY},
               .first = {0.5, 2.0, -7.0},
               .spread = {1.0, 1.0, 1.0}};
  p->layout = (pf_layout){.n = N, .lower = p->lower, .upper = p->upper};
  p->starts = (pf_multistart){.seed = 5,
                              .group = 2,
                              .n_starts = STARTS,
                              .layout = &p->layout,
                              .first = p->first,
                              .spread = p->spread};
}

static void start_values(const pf_multistart *starts, size_t k, const pf_function *function,
                         double *out)
{
  pf_error error = pf_error_none();
  cr_assert(pf_multistart_values(starts, k, function, out, &error) == PF_OK, "%s", error.text);
}

Test(multistart, start_0_is_where_the_config_says)
{
  place p;
  double out[N];
  set_place(&p);
  start_values(&p.starts, 0, &(pf_function){.n = N}, out);
  cr_expect(memcmp(out, p.first, sizeof out) == 0);
}

/* A Latin hypercube: of 8 starts each lies in an eighth of its own of a bounded value. */
Test(multistart, each_start_in_a_stratum_of_its_own)
{
  place p;
  bool seen[STARTS - 1] = {false};
  bool below = false, above = false;
  set_place(&p);
  for (size_t k = 1; k < STARTS; k++) {
    double out[N], again[N];
    start_values(&p.starts, k, &(pf_function){.n = N}, out);
    start_values(&p.starts, k, &(pf_function){.n = N}, again);
    cr_expect(memcmp(out, again, sizeof out) == 0);
    cr_assert(out[0] >= 0.0 && out[0] < 1.0);
    const size_t stratum = (size_t)(out[0] * (STARTS - 1));
    cr_expect(!seen[stratum], "two starts in stratum %zu", stratum);
    seen[stratum] = true;
    cr_expect(out[1] >= 0.0, "%g is below its bound", out[1]);
    below = below || out[2] < p.first[2];
    above = above || out[2] > p.first[2];
  }
  cr_expect(below && above);
}

static pf_status distance(void *self, const double *v, double *f, double *gradient, pf_error *error)
{
  const double *to = self;
  (void)gradient;
  (void)error;
  *f = 0.0;
  for (int i = 0; i < N; i++) {
    *f += (v[i] - to[i]) * (v[i] - to[i]);
  }
  return PF_OK;
}

/* Of 8 points the best is a start, and one that is much worse than start 0 is moved towards it. */
Test(multistart, none_begins_where_it_is_much_worse_than_at_start_0)
{
  place p;
  set_place(&p);
  double to[N];
  memcpy(to, p.first, sizeof to);
  to[2] -= 3.0; /* f at start 0 is 9 */
  const pf_function function = {.self = to, .n = N, .value = distance};
  for (size_t k = 1; k < STARTS; k++) {
    double out[N], f = 0.0;
    pf_error error = pf_error_none();
    start_values(&p.starts, k, &function, out);
    cr_assert(distance(to, out, &f, NULL, &error) == PF_OK);
    cr_expect(f <= 9.9 * (1.0 + 1e-12), "start %zu: %g", k, f);
    cr_expect(memcmp(out, p.first, sizeof out) != 0);
  }
}
