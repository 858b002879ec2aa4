/* core/truth/coefficients: one estimate over animals, from numbers that a person can work out. */
#include "core/truth/coefficients.h"

#include "core/base/memory.h"
#include "tests/unit/truth/known_fit.h"

#include <criterion/criterion.h>
#include <math.h>

static const double z95 = 1.959963984540054;

#define NEAR(found, expected)                                                                   \
  cr_expect(fabs((found) - (expected)) <= 1e-9 * fmax(1.0, fabs(expected)), "%.12g, not %.12g", \
            (double)(found), (double)(expected))

static pf_coefficients coefficients_of(const known_fit *known, bool inferred)
{
  pf_coefficients out;
  pf_error error = pf_error_none();
  cr_assert(pf_coefficients_create(&known->tiny.problem, known->fit,
                                   inferred ? &known->inference : NULL, &out, &error) == PF_OK,
            "%s", error.text);
  return out;
}

/* Estimates 1, 2, 6 with errors 0.3, 0.4, 1.2: mean 3; its error sqrt(0.09 + 0.16 + 1.44) / 3; the
 * animals' variance is 7, of which 1.69 / 3 is error. */
Test(coefficients, mean_and_error_over_animals)
{
  static const double values[] = {1.0, 2.0, 6.0}, errors[] = {0.3, 0.4, 1.2};
  known_fit known;
  known_fit_create(&known, 3);
  for (int u = 0; u < 3; u++) {
    known_fit_set(&known, u, KNOWN_XR, values[u], errors[u]);
  }
  pf_coefficients found = coefficients_of(&known, true);
  const pf_coefficient *c = &found.items[KNOWN_XR];
  cr_expect(c->n == 3 && found.n_fitted == 3 && found.n_claims == 3);
  NEAR(c->value, 3.0);
  NEAR(c->error, 1.3 / 3.0);
  NEAR(c->sd, sqrt(7.0 - 1.69 / 3.0));
  NEAR(c->lower, 3.0 - z95 * 1.3 / 3.0);
  NEAR(c->upper, 3.0 + z95 * 1.3 / 3.0);
  /* five coefficients together: the normal quantile of 1 - 0.05 / 10 */
  NEAR(c->low, 3.0 - 2.575829303548901 * 1.3 / 3.0);
  NEAR(c->high, 3.0 + 2.575829303548901 * 1.3 / 3.0);
  pf_coefficients_clear(&found);
  known_fit_free(&known);
}

/* Without errors of their own three animals tell by their spread: variance 7, Student's t with 2
 * degrees of freedom. Two do not tell. */
Test(coefficients, from_the_spread_where_nothing_is_inferred)
{
  static const double values[] = {1.0, 2.0, 6.0};
  for (int n = 2; n <= 3; n++) {
    known_fit known;
    known_fit_create(&known, n);
    for (int u = 0; u < n; u++) {
      known.fit->groups[u].values[KNOWN_W] = values[u];
    }
    pf_coefficients found = coefficients_of(&known, false);
    const pf_coefficient *c = &found.items[KNOWN_W];
    NEAR(c->value, n == 3 ? 3.0 : 1.5);
    if (n == 3) {
      NEAR(c->sd, sqrt(7.0));
      NEAR(c->error, sqrt(7.0 / 3.0));
      cr_expect(fabs(c->upper - 3.0 - 4.302652729911275 * sqrt(7.0 / 3.0)) < 1e-6, "%.9g",
                c->upper);
    } else {
      NEAR(c->sd, sqrt(0.5));
      cr_expect(isnan(c->error) && isnan(c->lower) && isnan(c->low));
    }
    pf_coefficients_clear(&found);
    known_fit_free(&known);
  }
}

Test(coefficients, of_one_animal_its_own_interval)
{
  known_fit known;
  known_fit_create(&known, 1);
  known_fit_set(&known, 0, KNOWN_X, 0.5, 0.1);
  known.inference.groups[0].methods[0].lower[KNOWN_X] = 0.2; /* a profile's, lopsided */
  pf_coefficients found = coefficients_of(&known, true);
  const pf_coefficient *c = &found.items[KNOWN_X];
  const double widen = 2.575829303548901 / z95;
  NEAR(c->value, 0.5);
  NEAR(c->error, 0.1);
  cr_expect(isnan(c->sd) && c->lower == 0.2);
  NEAR(c->low, 0.5 - widen * 0.3);
  NEAR(c->high, 0.5 + widen * z95 * 0.1);
  pf_coefficients_clear(&found);
  known_fit_free(&known);
}

/* A mean takes in no animal whose fit says nothing of the coefficient. */
Test(coefficients, what_does_not_count_is_left_out)
{
  known_fit known;
  known_fit_create(&known, 3);
  for (int u = 0; u < 3; u++) {
    known_fit_set(&known, u, KNOWN_XR, 1.0 + u, 0.1);
    known_fit_set(&known, u, KNOWN_W, -1.0 - u, 0.1);
  }
  known.fit->groups[2].optimum.converged = false;
  known.inference.groups[0].verdict[KNOWN_XR] = PF_NOT_IDENTIFIED_BY_DESIGN;
  pf_coefficients found = coefficients_of(&known, true);
  cr_expect(found.n_fitted == 3 && found.n_claims == 2);
  cr_expect(found.items[KNOWN_XR].n == 1 && found.items[KNOWN_XR].value == 2.0);
  cr_expect(found.items[KNOWN_W].n == 2 && found.items[KNOWN_W].value == -1.5);
  pf_coefficients_clear(&found);
  known.inference.groups[1].verdict[KNOWN_XR] = PF_PRACTICALLY_NOT;
  found = coefficients_of(&known, true); /* now it counts in no animal: a mean, no interval */
  cr_expect(found.items[KNOWN_XR].n == 0 && found.items[KNOWN_XR].value == 2.0);
  cr_expect(isnan(found.items[KNOWN_XR].low) && isnan(found.items[KNOWN_XR].high));
  pf_coefficients_clear(&found);
  known_fit_free(&known);
}

Test(coefficients, on_which_fits_a_claim_may_rest)
{
  pf_fit_group group = {.optimum = {.reason = PF_REASON_PROGRESS, .converged = true}};
  cr_expect(pf_group_claims(&group));
  group.runs_off = true;
  cr_expect(!pf_group_claims(&group));
  group = (pf_fit_group){.optimum = {.reason = PF_REASON_PASSES}};
  cr_expect(pf_group_claims(&group));
  group.optimum.reason = PF_REASON_ITERATIONS;
  cr_expect(!pf_group_claims(&group));
  group.optimum.reason = PF_REASON_NONE; /* read from a run */
  cr_expect(pf_group_claims(&group));
  group.status = PF_POINT_FAILED;
  cr_expect(!pf_group_claims(&group));
}

Test(coefficients, truth_and_family)
{
  static const double truth[KNOWN_N] = {0.0, 0.0, -0.05, 0.0, 1.0};
  known_fit known;
  known_fit_create(&known, 1);
  const pf_model *model = known.tiny.problem.model;
  pf_coefficients found = coefficients_of(&known, false);
  for (int k = 0; k < KNOWN_N; k++) {
    NEAR(found.items[k].truth, truth[k]);
    cr_expect(pf_is_coefficient(model, (size_t)k));
    cr_expect(pf_coefficient_family(model, (size_t)k) == KNOWN_N);
  }
  for (size_t i = KNOWN_N; i < model->n_parameters; i++) { /* of network and loss: fixed */
    cr_expect(!pf_is_coefficient(model, i));
  }
  pf_coefficients_clear(&found);
  known_fit_free(&known);
}
