/* core/population/mixed_model: against closed forms, the density of the estimates written out, and
 * populations that are known. */
#include "core/base/random.h"
#include "core/population/mixed_model.h"
#include "core/population/sd_test.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MAX_ANIMALS = 40 };

typedef struct cohort {
  double information[MAX_ANIMALS * 4], linear[MAX_ANIMALS * 2], design[MAX_ANIMALS * 2];
  uint8_t sharing[2];
  pf_mixed_data data;
} cohort;

static pf_mixed_model fit_model(const pf_mixed_data *data, const double *held)
{
  pf_error error = {.size = sizeof error};
  pf_mixed_model model;
  cr_assert(pf_mixed_model_fit(data, held, &model, &error) == PF_OK, "%s", error.text);
  return model;
}

/* One value, the same information everywhere: sd^2 = variance of the estimates - 1 / A, or 0. */
static void make_balanced(cohort *c, const double *estimates, size_t n_animals, double information)
{
  for (size_t a = 0; a < n_animals; a++) {
    c->information[a] = information;
    c->linear[a] = information * estimates[a];
    c->design[a] = 1.0;
  }
  c->data = (pf_mixed_data){.n_animals = n_animals,
                            .n = 1,
                            .information = c->information,
                            .linear = c->linear,
                            .sharing = c->sharing,
                            .n_covariates = 1,
                            .design = c->design};
}

static const pf_stream draws = {1, PF_RANDOM_TEST, 0, 1};

static pf_sd_test test_sd(const pf_mixed_data *data, const pf_mixed_model *model, size_t k)
{
  pf_error error = {.size = sizeof error};
  pf_sd_test test;
  cr_assert(pf_mixed_model_test(data, model, k, draws, &test, &error) == PF_OK, "%s", error.text);
  return test;
}

static const double estimates[] = {1.0, 3.5, 2.25, -0.5, 4.0, 1.75};

Test(mixed_model, meets_the_closed_form_of_balanced_animals)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  const double information = 2.0, mean = 2.0, variance = 2.725; /* of the estimates, n - 1 below */
  make_balanced(&c, estimates, 6, information);
  pf_mixed_model model = fit_model(&c.data, NULL);
  cr_assert(fabs(model.beta[0] - mean) < 1e-9, "mean %.12g", model.beta[0]);
  cr_assert(fabs(model.sd[0] - sqrt(variance - 0.5)) < 1e-6, "sd %.12g", model.sd[0]);
  cr_assert(fabs(model.covariance[0] - variance / 6.0) < 1e-6, "%.12g", model.covariance[0]);
  for (size_t a = 0; a < 6; a++) { /* shrunk by the share of the variance that is error */
    const double shrunk = mean + (estimates[a] - mean) * (variance - 0.5) / variance;
    cr_assert(fabs(model.theta[a] - shrunk) < 1e-6, "animal %zu: %.12g", a, model.theta[a]);
  }
  pf_mixed_model_clear(&model);
}

Test(mixed_model, has_an_sd_of_0_where_animals_differ_less_than_their_errors)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  pf_error error = {.size = sizeof error};
  pf_sd_interval interval = {-1.0, -1.0};
  make_balanced(&c, estimates, 6, 0.2); /* an error variance of 5, above 2.725 */
  pf_mixed_model model = fit_model(&c.data, NULL);
  cr_assert(model.sd[0] == 0.0, "sd %.12g", model.sd[0]);
  cr_assert(fabs(model.theta[3] - 2.0) < 1e-9);
  const pf_sd_test test = test_sd(&c.data, &model, 0);
  cr_assert(test.statistic < 1e-9 && test.p == 1.0, "%g, p %g", test.statistic, test.p);
  cr_assert(pf_mixed_model_sd_interval(&c.data, &model, 0, 3.84, &interval, &error) == PF_OK);
  cr_assert(interval.lower == 0.0 && interval.upper > 0.5 && interval.upper < 10.0, "%g to %g",
            interval.lower, interval.upper);
  pf_mixed_model_clear(&model);
}

/* Twice the restricted log likelihood of estimates y ~ N(beta, S), S = A^-1 + sd^2, written out. */
static double restricted_of(double sd, double information)
{
  const double s = 1.0 / information + sd * sd, mean = 2.0;
  double twice = -6.0 * log(s) - log(6.0 / s);
  for (size_t a = 0; a < 6; a++) {
    twice -= (estimates[a] - mean) * (estimates[a] - mean) / s;
  }
  return twice;
}

Test(mixed_model, ends_the_interval_of_an_sd_where_the_likelihood_has_fallen)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  pf_error error = {.size = sizeof error};
  pf_sd_interval interval = {0.0, 0.0};
  make_balanced(&c, estimates, 6, 8.0);
  pf_mixed_model model = fit_model(&c.data, NULL);
  const double top = restricted_of(model.sd[0], 8.0);
  cr_assert(pf_mixed_model_sd_interval(&c.data, &model, 0, 3.84, &interval, &error) == PF_OK);
  /* bisection to 1e-4 of the width: the fall is off by that times its slope there */
  cr_assert(fabs(top - restricted_of(interval.lower, 8.0) - 3.84) < 0.01, "lower %g",
            interval.lower);
  cr_assert(fabs(top - restricted_of(interval.upper, 8.0) - 3.84) < 0.01, "upper %g",
            interval.upper);
  const pf_sd_test test = test_sd(&c.data, &model, 0);
  cr_assert(fabs(test.statistic - (top - restricted_of(0.0, 8.0))) < 1e-6, "%g", test.statistic);
  pf_mixed_model_clear(&model);
}

/* ---- two values ---- */

/* 40 animals of unequal information, drawn with these sds and correlation, and two groups. */
static void draw_cohort(cohort *c, uint32_t seed, const double *sd, double correlation,
                        double difference)
{
  double z[4], pull;
  for (size_t a = 0; a < MAX_ANIMALS; a++) {
    double *info = c->information + 4 * a, theta[2], error[2];
    pf_random_normal((pf_stream){seed, PF_RANDOM_TEST, (uint32_t)a, 0}, 0, 4, z);
    const double group = a % 2 == 0 ? 0.0 : 1.0;
    theta[0] = 1.0 + group * difference + sd[0] * z[0];
    pull = correlation * z[0] + sqrt(1.0 - correlation * correlation) * z[1];
    theta[1] = -0.5 + sd[1] * pull;
    info[0] = 20.0 + (double)(a % 5);
    info[1] = info[2] = 6.0;
    info[3] = 10.0 + (double)(a % 3);
    /* errors of covariance A^-1: A^-1 = R R' */
    const double det = info[0] * info[3] - 36.0;
    const double r11 = sqrt(info[3] / det), r21 = -6.0 / det / r11;
    const double r22 = sqrt(info[0] / det - r21 * r21);
    error[0] = r11 * z[2];
    error[1] = r21 * z[2] + r22 * z[3];
    for (size_t i = 0; i < 2; i++) {
      c->linear[2 * a + i] =
          info[2 * i] * (theta[0] + error[0]) + info[2 * i + 1] * (theta[1] + error[1]);
    }
    c->design[2 * a] = 1.0;
    c->design[2 * a + 1] = group;
  }
  c->data = (pf_mixed_data){.n_animals = MAX_ANIMALS,
                            .n = 2,
                            .information = c->information,
                            .linear = c->linear,
                            .sharing = c->sharing,
                            .n_covariates = 2,
                            .design = c->design,
                            .correlated = true};
}

Test(mixed_model, is_at_an_optimum_in_every_direction)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN, PF_SHARING_DRAWN}};
  const double sd[] = {0.5, 0.8};
  draw_cohort(&c, 3, sd, 0.6, 0.4);
  pf_mixed_model model = fit_model(&c.data, NULL);
  for (size_t k = 0; k < 2; k++) {
    for (int sign = -1; sign <= 1; sign += 2) {
      double held[2] = {NAN, NAN};
      held[k] = model.sd[k] * (1.0 + 0.02 * sign);
      pf_mixed_model beside = fit_model(&c.data, held);
      const double fall = model.log_likelihood - beside.log_likelihood;
      cr_assert(fall > 0.0 && fall < 0.02, "value %zu, %+d: %g", k, sign, fall);
      pf_mixed_model_clear(&beside);
    }
  }
  pf_mixed_model_clear(&model);
}

Test(mixed_model, finds_population_and_differences_between_groups)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN, PF_SHARING_DRAWN}};
  const double sd[] = {0.5, 0.8};
  double sums[5] = {0.0};
  enum { N = 40 };
  int n_held = 0;
  for (uint32_t seed = 1; seed <= N; seed++) {
    draw_cohort(&c, seed, sd, 0.6, 0.4);
    pf_mixed_model model = fit_model(&c.data, NULL);
    const double se = sqrt(model.covariance[2 * 4 + 2]);
    sums[0] += model.sd[0] / N;
    sums[1] += model.sd[1] / N;
    sums[2] += model.correlation[1] / N;
    sums[3] += model.beta[2] / N;
    sums[4] += model.beta[1] / N;
    n_held += fabs(model.beta[2] - 0.4) < 2.02 * se ? 1 : 0;
    pf_mixed_model_clear(&model);
  }
  /* within four standard errors of a mean over 40 cohorts */
  cr_assert(fabs(sums[0] - 0.5) < 0.06, "sd 0: %g", sums[0]);
  cr_assert(fabs(sums[1] - 0.8) < 0.09, "sd 1: %g", sums[1]);
  cr_assert(fabs(sums[2] - 0.6) < 0.12, "correlation: %g", sums[2]);
  cr_assert(fabs(sums[3] - 0.4) < 0.13, "difference: %g", sums[3]);
  cr_assert(fabs(sums[4] + 0.5) < 0.11, "mean: %g", sums[4]);
  cr_assert(n_held >= 34, "%d of %d intervals hold the difference", n_held, N);
}

Test(mixed_model, permutes_covariates)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN, PF_SHARING_DRAWN}};
  const double sd[] = {0.3, 0.3};
  const pf_stream stream = {1, PF_RANDOM_TEST, 0, 0};
  pf_error error = {.size = sizeof error};
  double p[4];
  draw_cohort(&c, 7, sd, 0.0, 1.0); /* ten standard errors for value 0, nothing for value 1 */
  pf_mixed_model model = fit_model(&c.data, NULL);
  cr_assert(pf_mixed_model_permute(&c.data, &model, 99, stream, p, &error) == PF_OK);
  cr_assert(isnan(p[0]) && isnan(p[1]), "a mean is not permuted");
  cr_assert(fabs(p[2] - 0.01) < 1e-12, "p %g: no permutation is as large", p[2]);
  cr_assert(p[3] > 0.05, "p %g of what is not there", p[3]);
  pf_mixed_model_clear(&model);
}

Test(mixed_model, takes_shared_and_separate_values)
{
  cohort c = {.sharing = {PF_SHARING_SHARED, PF_SHARING_SEPARATE}};
  const double sd[] = {0.0, 0.8};
  draw_cohort(&c, 5, sd, 0.0, 0.0);
  pf_mixed_model model = fit_model(&c.data, NULL);
  cr_assert(model.sd[0] == 0.0 && isinf(model.sd[1]));
  for (size_t a = 0; a < MAX_ANIMALS; a++) {
    const double *info = c.information + 4 * a;
    const double mean = model.beta[0] + model.beta[2] * c.design[2 * a + 1];
    const double alone = (c.linear[2 * a + 1] - info[2] * mean) / info[3];
    cr_assert(fabs(model.theta[2 * a] - mean) < 1e-9);
    /* its own estimate, given the shared one: an sd of 1e4 errors shrinks by 1e-8 */
    cr_assert(fabs(model.theta[2 * a + 1] - alone) < 1e-6, "%g for %g", model.theta[2 * a + 1],
              alone);
  }
  pf_mixed_model_clear(&model);
}

Test(mixed_model, says_where_a_mean_is_not_determined)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  pf_error error = {.size = sizeof error};
  pf_mixed_model model;
  make_balanced(&c, estimates, 6, 0.0);
  cr_assert(pf_mixed_model_fit(&c.data, NULL, &model, &error) == PF_POINT_FAILED);
  cr_assert(strstr(error.text, "do not determine") != NULL, "%s", error.text);
}

/* Two groups, the same information everywhere and animals that differ by more than their errors:
 * twice the gain is n log of the squares about one mean over those about two. */
Test(mixed_model, likelihood_ratio_of_groups_meets_the_closed_form)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  pf_error error = {.size = sizeof error};
  double statistic = 0.0, p = 0.0, squares = 0.0, within = 0.0, mean[3] = {0.0};
  make_balanced(&c, estimates, 6, 100.0);
  c.data.n_covariates = 2;
  for (size_t a = 0; a < 6; a++) {
    c.design[2 * a] = 1.0;
    c.design[2 * a + 1] = (double)(a % 2);
    mean[a % 2] += estimates[a] / 3.0;
    mean[2] += estimates[a] / 6.0;
  }
  for (size_t a = 0; a < 6; a++) {
    squares += (estimates[a] - mean[2]) * (estimates[a] - mean[2]);
    within += (estimates[a] - mean[a % 2]) * (estimates[a] - mean[a % 2]);
  }
  cr_assert(pf_mixed_model_effect(&c.data, 1, 0, &statistic, &p, &error) == PF_OK);
  const double expected = 6.0 * log(squares / within);
  cr_assert(fabs(statistic - expected) < 1e-6, "%.10g, expected %.10g", statistic, expected);
  cr_assert(p > 0.0 && p < 1.0);
}

/* An animal of weight 2 is two such animals, and one of weight 0 is none. */
Test(mixed_model, counts_animals_by_their_weights)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}}, twice = {.sharing = {PF_SHARING_DRAWN}};
  const double weights[] = {1.0, 2.0, 1.0, 0.0, 2.0, 1.0};
  double copies[8];
  size_t n = 0;
  for (size_t a = 0; a < 6; a++) {
    for (int i = 0; i < (int)weights[a]; i++) {
      copies[n++] = estimates[a];
    }
  }
  make_balanced(&c, estimates, 6, 2.0);
  make_balanced(&twice, copies, n, 2.0);
  c.data.weights = weights;
  c.data.unrestricted = twice.data.unrestricted = true;
  pf_mixed_model one = fit_model(&c.data, NULL), other = fit_model(&twice.data, NULL);
  cr_assert(fabs(one.beta[0] - other.beta[0]) < 1e-9, "%g, %g", one.beta[0], other.beta[0]);
  cr_assert(one.sd[0] > 0.1 && fabs(one.sd[0] - other.sd[0]) < 1e-6, "%g, %g", one.sd[0],
            other.sd[0]);
  cr_assert(fabs(one.log_likelihood - other.log_likelihood) < 1e-9);
  pf_mixed_model_clear(&one);
  pf_mixed_model_clear(&other);
}

/* Its parabola b theta - A theta^2 / 2 integrated over N(beta, sd^2), by small steps. */
Test(mixed_model, has_the_evidence_of_an_animal)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN}};
  const double information = 2.0, step = 1e-3;
  make_balanced(&c, estimates, 6, information);
  pf_mixed_model model = fit_model(&c.data, NULL);
  for (size_t a = 0; a < 6; a++) {
    double sum = 0.0;
    for (double z = -10.0; z < 10.0; z += step) {
      const double theta = model.beta[0] + model.sd[0] * z;
      sum += step * exp(c.linear[a] * theta - 0.5 * information * theta * theta - 0.5 * z * z);
    }
    const double expected = log(sum / sqrt(6.283185307179586));
    cr_assert(fabs(model.evidence[a] - expected) < 1e-6, "%g for %g", model.evidence[a], expected);
  }
  pf_mixed_model_clear(&model);
}

/* Animals that do not differ: p is at most 0.05 in 5 % of cohorts, and 0.5 in as many as it says,
 * whatever the other value does. Four standard errors over 400 cohorts. An equal mixture of
 * chi-squares with 0 and 1 degrees of freedom rejects the less often the fewer animals there are.
 */
static void check_size(double sd_of_other, size_t n_animals, uint32_t first)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN, PF_SHARING_DRAWN}};
  const double sd[] = {0.0, sd_of_other};
  enum { N = 400 };
  int n_rejected = 0;
  for (uint32_t seed = first; seed < first + N; seed++) {
    draw_cohort(&c, seed, sd, 0.0, 0.0);
    c.data.correlated = false;
    c.data.n_animals = n_animals;
    pf_mixed_model model = fit_model(&c.data, NULL);
    n_rejected += test_sd(&c.data, &model, 0).p < 0.05 ? 1 : 0;
    pf_mixed_model_clear(&model);
  }
  cr_assert(n_rejected >= 8 && n_rejected <= 37, "%d of %d cohorts of %zu, other sd %g", n_rejected,
            N, n_animals, sd_of_other);
}

Test(mixed_model, rejects_no_difference_as_often_as_it_says)
{
  check_size(0.8, 12, 1000);
  check_size(0.0, 12, 2000);
  check_size(0.8, 40, 3000);
}

Test(mixed_model, finds_a_difference_that_is_there)
{
  cohort c = {.sharing = {PF_SHARING_DRAWN, PF_SHARING_DRAWN}};
  const double sd[] = {0.5, 0.8};
  draw_cohort(&c, 3, sd, 0.0, 0.4);
  c.data.correlated = false;
  pf_mixed_model model = fit_model(&c.data, NULL);
  const pf_sd_test test = test_sd(&c.data, &model, 0);
  cr_assert(test.p < 1e-4, "%g, p %g", test.statistic, test.p);
  pf_mixed_model_clear(&model);
}
