/* core/stats/model_selection: where frequencies are known, and against the integral for two models.
 */
#include "core/stats/model_selection.h"

#include <criterion/criterion.h>
#include <math.h>

static const pf_stream stream = {1, PF_RANDOM_TEST, 0, 0};

typedef struct result {
  double expected[3], exceedance[3], protected_exceedance[3];
  pf_model_frequencies of;
} result;

static void select_models(const double *evidence, size_t n_animals, size_t n_models, result *out)
{
  pf_error error = {.size = sizeof error};
  out->of = (pf_model_frequencies){.expected = out->expected,
                                   .exceedance = out->exceedance,
                                   .protected_exceedance = out->protected_exceedance};
  cr_assert(pf_stats_model_frequencies(evidence, n_animals, n_models, stream, &out->of, &error) ==
            PF_OK);
}

Test(model_selection, digamma_has_its_known_values)
{
  cr_assert(fabs(pf_stats_digamma(1.0) + 0.57721566490153286) < 1e-13);
  cr_assert(fabs(pf_stats_digamma(0.5) + 1.9635100260214235) < 1e-13);
  cr_assert(fabs(pf_stats_digamma(10.0) - 2.2517525890667211) < 1e-13);
}

Test(model_selection, counts_animals_that_are_certain)
{
  double evidence[18 * 2];
  result r;
  for (size_t a = 0; a < 18; a++) {
    evidence[2 * a] = a < 12 ? 100.0 : 0.0;
    evidence[2 * a + 1] = a < 12 ? 0.0 : 100.0;
  }
  select_models(evidence, 18, 2, &r);
  /* alpha = 1 + 12 and 1 + 6 */
  cr_assert(fabs(r.expected[0] - 13.0 / 20.0) < 0.005, "%g", r.expected[0]);
  /* P(Beta(13, 7) > 1/2), by the binomial sum: P(Bin(19, 1/2) <= 12) */
  double sum = 0.0, term = ldexp(1.0, -19);
  for (int i = 0; i <= 12; i++) {
    sum += term;
    term *= (double)(19 - i) / (double)(i + 1);
  }
  cr_assert(fabs(r.exceedance[0] - sum) < 0.015, "%g for %g", r.exceedance[0], sum);
  cr_assert(fabs(r.exceedance[0] + r.exceedance[1] - 1.0) < 1e-9);
}

Test(model_selection, says_nothing_where_evidence_is_equal)
{
  double evidence[10 * 3] = {0.0};
  result r;
  select_models(evidence, 10, 3, &r);
  for (size_t k = 0; k < 3; k++) {
    cr_assert(fabs(r.expected[k] - 1.0 / 3.0) < 0.01);
    cr_assert(fabs(r.protected_exceedance[k] - 1.0 / 3.0) < 0.01);
  }
  /* nothing was learned: as probable as before */
  cr_assert(fabs(r.of.omnibus_risk - 0.5) < 0.01, "%g", r.of.omnibus_risk);
}

Test(model_selection, is_sure_where_all_animals_agree)
{
  double evidence[18 * 2];
  result r;
  for (size_t a = 0; a < 18; a++) {
    evidence[2 * a] = 5.0;
    evidence[2 * a + 1] = 0.0;
  }
  select_models(evidence, 18, 2, &r);
  cr_assert(r.of.omnibus_risk < 1e-3, "%g", r.of.omnibus_risk);
  cr_assert(r.protected_exceedance[0] > 0.99);
}

/*
 * The omnibus risk against the integral: with certain animals, p(data | different) is the
 * Dirichlet-multinomial Gamma(2) Gamma(13) Gamma(7) / Gamma(20), against (1/2)^18.
 */
Test(model_selection, has_the_risk_of_the_integral)
{
  double evidence[18 * 2];
  result r;
  for (size_t a = 0; a < 18; a++) {
    evidence[2 * a] = a < 12 ? 200.0 : 0.0;
    evidence[2 * a + 1] = a < 12 ? 0.0 : 200.0;
  }
  select_models(evidence, 18, 2, &r);
  const double different = lgamma(13.0) + lgamma(7.0) - lgamma(20.0), equal = -18.0 * log(2.0);
  const double risk = 1.0 / (1.0 + exp(different - equal));
  cr_assert(fabs(r.of.omnibus_risk - risk) < 0.01, "%g for %g", r.of.omnibus_risk, risk);
}

/* Where evidence is certain an animal's share is 1; where there is none, it is the frequency. */
Test(model_selection, shares_an_animal_between_models)
{
  double evidence[10 * 2], shares[10 * 2];
  pf_error error = {.size = sizeof error};
  for (size_t a = 0; a < 10; a++) {
    evidence[2 * a] = a < 8 ? 50.0 : 0.0;
    evidence[2 * a + 1] = 0.0;
  }
  evidence[2 * 8 + 1] = 50.0; /* the last one says nothing */
  cr_assert(pf_stats_model_shares(evidence, 10, 2, shares, &error) == PF_OK);
  cr_assert(shares[0] > 1.0 - 1e-12 && shares[2 * 8] < 1e-12);
  cr_assert(shares[2 * 9] > 0.75 && shares[2 * 9] < 0.95, "%g", shares[2 * 9]);
  cr_assert(fabs(shares[2 * 9] + shares[2 * 9 + 1] - 1.0) < 1e-12);
}

/* Where two models are told apart by little, against the integral over r by small steps:
 * variational Bayes is at 0.95 here. */
Test(model_selection, is_no_surer_than_the_integral)
{
  double evidence[18 * 2], sums[3] = {0.0};
  result r;
  for (size_t a = 0; a < 18; a++) {
    evidence[2 * a] = a < 12 ? 0.5 : -0.5;
    evidence[2 * a + 1] = 0.0;
  }
  select_models(evidence, 18, 2, &r);
  for (double x = 0.0005; x < 1.0; x += 0.001) {
    double p = 1.0;
    for (size_t a = 0; a < 18; a++) {
      p *= x * exp(evidence[2 * a]) + (1.0 - x);
    }
    sums[0] += p;
    sums[1] += p * x;
    sums[2] += x > 0.5 ? p : 0.0;
  }
  cr_assert(fabs(r.expected[0] - sums[1] / sums[0]) < 0.01, "%g, %g", r.expected[0],
            sums[1] / sums[0]);
  cr_assert(fabs(r.exceedance[0] - sums[2] / sums[0]) < 0.015, "%g, %g", r.exceedance[0],
            sums[2] / sums[0]);
}
