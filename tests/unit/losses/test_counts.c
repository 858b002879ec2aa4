/* plugins/losses/categorical and poisson: adjoint against differences, information against its
 * definition, the null. */
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

const pf_plugin *categorical_LTX_pf_plugin_entry(void);
const pf_plugin *poisson_LTX_pf_plugin_entry(void);

enum { STEPS = 23, K = 4, LD = 6, LD_TARGET = 5, MAX_THETA = 4 };

typedef struct setup {
  fake_host host;
  pf_error error;
  const pf_loss_ops *ops;
  void *loss;
  size_t n_theta;
  int64_t columns; /**< of the target */
  double theta[MAX_THETA];
  pf_real observed[STEPS * LD], recorded[STEPS * LD_TARGET];
  uint8_t scored[STEPS];
  const pf_real *observable[1], *target[1];
  int64_t n_observable[1], ld_observable[1], n_target[1], ld_target[1];
  pf_loss_in in;
} setup;

static void start(setup *s, const pf_plugin *plugin, const fake_value *given, int64_t columns)
{
  fake_options options;
  uint64_t seed = 7;
  memset(s, 0, sizeof *s);
  s->error.size = sizeof s->error;
  s->ops = plugin->loss;
  fake_options_init(&options, &plugin->options, given, 1);
  cr_assert(s->ops->create(fake_host_init(&s->host), &options.face, &s->loss, &s->error) == PF_OK);
  pf_loss_declaration declared = {.size = sizeof declared};
  cr_assert(s->ops->declare(s->loss, &declared, &s->error) == PF_OK);
  s->n_theta = declared.parameters.count;
  s->columns = columns;
  for (int k = 0; k < STEPS * LD; k++) {
    s->observed[k] = (pf_real)(k % LD < K ? 0.5 + 0.4 * numbers_uniform(&seed) : NAN);
  }
  for (int k = 0; k < STEPS * LD_TARGET; k++) {
    s->recorded[k] =
        (pf_real)(numbers_uniform(&seed) < 0.2 ? (double)NAN : floor(numbers_uniform(&seed) * K));
  }
  for (int t = 0; t < STEPS; t++) {
    s->scored[t] = t % 5 != 2;
  }
  s->observable[0] = s->observed;
  s->target[0] = s->recorded;
  s->n_observable[0] = K;
  s->n_target[0] = columns;
  s->ld_observable[0] = LD;
  s->ld_target[0] = LD_TARGET;
  s->in = (pf_loss_in){.size = sizeof s->in,
                       .n_steps = STEPS,
                       .theta = s->theta,
                       .observable = s->observable,
                       .n_observable = s->n_observable,
                       .ld_observable = s->ld_observable,
                       .target = s->target,
                       .n_target = s->n_target,
                       .ld_target = s->ld_target,
                       .scored = s->scored};
}

static void start_categorical(setup *s, double lapse)
{
  const fake_value given[] = {FAKE_INTEGER("categories", K)};
  start(s, categorical_LTX_pf_plugin_entry(), given, 1);
  const double theta[MAX_THETA] = {lapse, 0.3, -0.2, 0.7};
  memcpy(s->theta, theta, sizeof theta);
}

static void start_poisson(setup *s, const char *link)
{
  const fake_value given[] = {FAKE_STRING("link", link)};
  start(s, poisson_LTX_pf_plugin_entry(), given, K);
  s->theta[0] = 1.3;
  s->theta[1] = 0.2;
}

static const char *const links[] = {"exp", "softplus", "identity"};

static void start_case(setup *s, int which)
{
  which < 2 ? start_categorical(s, which == 0 ? 0.0 : 0.1) : start_poisson(s, links[which - 2]);
}

static void finish(setup *s)
{
  s->ops->destroy(s->loss);
  cr_expect(s->host.live == 0);
}

/** Weighted sum of log likelihoods. */
static double value(setup *s, const double *weight)
{
  double ll[STEPS], sum = 0.0;
  int64_t count[STEPS];
  cr_assert(s->ops->evaluate(s->loss, &s->in, ll, count, &s->error) == PF_OK, "%s", s->error.text);
  for (int t = 0; t < STEPS; t++) {
    cr_assert(count[t] > 0 || ll[t] == 0.0);
    sum += weight[t] * ll[t];
  }
  return sum;
}

/* Measured: up to 1.1e-9 of the value with h = 1e-5 (differences of sums of about 100); a dropped
 * factor shows as 1e-1.
 */
Test(loss_counts, adjoint_agrees_with_differences)
{
  for (int which = 0; which < 5 && sizeof(pf_real) == sizeof(double); which++) {
    setup s;
    double weight[STEPS], d_theta[MAX_THETA] = {1.0, 1.0, 1.0, 1.0}, direction_theta[MAX_THETA];
    pf_real d_observed[STEPS * LD], direction[STEPS * LD];
    pf_real *const d_observable[1] = {d_observed};
    uint64_t seed = 3;
    start_case(&s, which);
    for (int t = 0; t < STEPS; t++) {
      weight[t] = numbers_normal(&seed);
    }
    double expected = 0.0;
    for (int k = 0; k < STEPS * LD; k++) {
      d_observed[k] = 2;
      direction[k] = (pf_real)(k % LD < K ? numbers_normal(&seed) : 0.0);
      expected -= 2.0 * (double)direction[k];
    }
    for (size_t i = 0; i < s.n_theta; i++) {
      direction_theta[i] =
          which == 0 && i == 0 ? 0.0 : numbers_normal(&seed); /* a lapse of 0 has no other side */
      expected -= direction_theta[i];
    }
    const pf_loss_gradient gradient = {.size = sizeof gradient,
                                       .observable = d_observable,
                                       .ld_observable = s.ld_observable,
                                       .theta = d_theta};
    cr_assert(s.ops->vjp(s.loss, &s.in, weight, &gradient, &s.error) == PF_OK);
    for (int k = 0; k < STEPS * LD; k++) {
      expected += (double)(direction[k] * d_observed[k]);
    }
    for (size_t i = 0; i < s.n_theta; i++) {
      expected += direction_theta[i] * d_theta[i];
    }
    const double h = 1e-5;
    double side[2];
    for (int sign = 0; sign < 2; sign++) {
      const double step = sign == 0 ? h : -2.0 * h;
      for (int k = 0; k < STEPS * LD; k++) {
        s.observed[k] += (pf_real)(step * (double)direction[k]);
      }
      for (size_t i = 0; i < s.n_theta; i++) {
        s.theta[i] += step * direction_theta[i];
      }
      side[sign] = value(&s, weight);
    }
    const double found = (side[0] - side[1]) / (2.0 * h);
    cr_expect(fabs(found - expected) < 1e-7 * (1.0 + fabs(found)),
              "case %d: %.12g, differences %.12g", which, expected, found);
    finish(&s);
  }
}

/** d ll_t / d direction, from the adjoint. */
static double score(setup *s, int t, const pf_real *direction, const double *direction_theta)
{
  double weight[STEPS] = {0}, d_theta[MAX_THETA] = {0}, sum = 0.0;
  pf_real d_observed[STEPS * LD] = {0};
  pf_real *const d_observable[1] = {d_observed};
  const pf_loss_gradient gradient = {.size = sizeof gradient,
                                     .observable = d_observable,
                                     .ld_observable = s->ld_observable,
                                     .theta = d_theta};
  weight[t] = 1.0;
  cr_assert(s->ops->vjp(s->loss, &s->in, weight, &gradient, &s->error) == PF_OK);
  for (int k = 0; k < STEPS * LD; k++) {
    sum += (double)(d_observed[k] * direction[k]);
  }
  for (size_t i = 0; i < s->n_theta; i++) {
    sum += direction_theta[i] * d_theta[i];
  }
  return sum;
}

/* Expected squared score, summed over every outcome, is what the whitened tangents square to.
 * Measured: 4e-16. */
Test(loss_counts, whitened_tangents_square_to_the_expected_squared_score)
{
  for (int which = 0; which < 5 && sizeof(pf_real) == sizeof(double); which++) {
    setup s;
    enum { T = 6 };
    pf_real direction[STEPS * LD] = {0}, root[STEPS * LD];
    double direction_theta[MAX_THETA];
    const pf_real *const tangent_observable[1] = {direction};
    const int64_t stride[1] = {0};
    uint64_t seed = 5;
    start_case(&s, which);
    for (int i = 0; i < K; i++) {
      direction[T * LD + i] = (pf_real)numbers_normal(&seed);
    }
    for (int i = 0; i < MAX_THETA; i++) {
      direction_theta[i] = numbers_normal(&seed);
    }
    for (int i = 0; i < s.columns; i++) {
      s.recorded[T * LD_TARGET + i] = 0;
    }
    const pf_loss_tangent tangent = {.size = sizeof tangent,
                                     .n_tangents = 1,
                                     .observable = tangent_observable,
                                     .stride = stride,
                                     .theta = direction_theta};
    for (int k = 0; k < STEPS * LD; k++) {
      root[k] = (pf_real)NAN;
    }
    const pf_loss_roots roots = {
        .size = sizeof roots, .root = root, .stride = STEPS * LD, .ld = LD};
    cr_assert(s.ops->whiten(s.loss, &s.in, &tangent, &roots, &s.error) == PF_OK);
    double found = 0.0, expected = 0.0;
    for (int i = 0; i < K; i++) {
      found += (double)(root[T * LD + i] * root[T * LD + i]);
      cr_expect(s.scored[2] == 0 && root[2 * LD + i] == 0,
                "a step that does not count informs of nothing");
    }
    if (which < 2) {
      for (int c = 0; c < K; c++) {
        double ll[STEPS];
        int64_t count[STEPS];
        s.recorded[T * LD_TARGET] = (pf_real)c;
        cr_assert(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
        expected += exp(ll[T]) * pow(score(&s, T, direction, direction_theta), 2.0);
      }
    } else {
      for (int i = 0; i < K; i++) { /* units are independent: one at a time */
        for (int k = 0; k < K; k++) {
          s.recorded[T * LD_TARGET + k] = (pf_real)NAN;
        }
        for (int n = 0; n < 60; n++) {
          double ll[STEPS];
          int64_t count[STEPS];
          s.recorded[T * LD_TARGET + i] = (pf_real)n;
          cr_assert(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
          expected += exp(ll[T]) * pow(score(&s, T, direction, direction_theta), 2.0);
        }
      }
    }
    cr_expect(fabs(found - expected) < 1e-12 * expected, "case %d: %.15g, expected %.15g", which,
              found, expected);
    finish(&s);
  }
}

/* No constant prediction does better than the one fitted to the same steps. */
Test(loss_counts, mean_rate_is_the_best_constant)
{
  setup s;
  double null_sums[2 * K] = {0}, ll[STEPS], best = 0.0, n[K] = {0}, all = 0.0, expected = 0.0;
  start_categorical(&s, 0.0);
  for (int t = 0; t < STEPS; t++) {
    const double c = (double)s.recorded[t * LD_TARGET];
    if (s.scored[t] != 0 && !isnan(c)) {
      n[(int)c] += 1.0;
      all += 1.0;
    }
  }
  s.in.observable = NULL;
  s.in.theta = NULL;
  cr_assert(s.ops->null_accumulate(s.loss, &s.in, null_sums, &s.error) == PF_OK);
  cr_assert(s.ops->null_evaluate(s.loss, &s.in, null_sums, ll, &s.error) == PF_OK);
  for (int t = 0; t < STEPS; t++) {
    best += ll[t];
  }
  for (int c = 0; c < K; c++) {
    cr_assert(n[c] > 0.0);
    expected += n[c] * log(n[c] / all);
  }
  cr_expect(fabs(best - expected) < 1e-12 * fabs(expected));
  null_sums[0] += null_sums[1] + null_sums[2] + null_sums[3];
  null_sums[1] = null_sums[2] = null_sums[3] = 0.0;
  cr_assert(s.ops->null_evaluate(s.loss, &s.in, null_sums, ll, &s.error) == PF_OK);
  cr_expect(isnan(ll[0]), "always the same choice: there is no such null");
  finish(&s);

  start_poisson(&s, "identity");
  memset(null_sums, 0, sizeof null_sums);
  s.in.observable = NULL;
  s.in.theta = NULL;
  cr_assert(s.ops->null_accumulate(s.loss, &s.in, null_sums, &s.error) == PF_OK);
  cr_assert(s.ops->null_evaluate(s.loss, &s.in, null_sums, ll, &s.error) == PF_OK);
  best = 0.0;
  for (int t = 0; t < STEPS; t++) {
    best += ll[t];
  }
  for (int nudge = -1; nudge <= 1;
       nudge++) { /* the model itself, predicting a constant for each unit */
    const double one[STEPS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (int t = 0; t < STEPS; t++) {
      for (int i = 0; i < K; i++) {
        s.observed[t * LD + i] =
            (pf_real)(null_sums[2 * i + 1] / null_sums[2 * i] * (1.0 + 0.05 * nudge));
      }
    }
    s.theta[0] = 1.0;
    s.theta[1] = 0.0;
    s.in.observable = s.observable;
    s.in.theta = s.theta;
    const double model = value(&s, one);
    cr_expect(nudge == 0 ? fabs(model - best) < 1e-5 * fabs(best) : model < best);
  }
  finish(&s);
}

Test(loss_counts, refuse_what_is_no_choice_and_no_count)
{
  static const double wrong[] = {-1.0, 0.5, 4.0, INFINITY};
  for (size_t k = 0; k < 4; k++) {
    setup s;
    double ll[STEPS];
    int64_t count[STEPS];
    start_categorical(&s, 0.0);
    s.recorded[0] = (pf_real)wrong[k];
    cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) < 0);
    cr_expect(strstr(s.error.text, "expected a whole number from 0 to 3") != NULL, "%s",
              s.error.text);
    finish(&s);
    if (wrong[k] != 4.0) {
      start_poisson(&s, "exp");
      s.recorded[0] = (pf_real)wrong[k];
      cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) < 0);
      cr_expect(strstr(s.error.text, "count") != NULL, "%s", s.error.text);
      finish(&s);
    }
  }
  setup s;
  double ll[STEPS];
  int64_t count[STEPS];
  start_poisson(&s, "identity");
  s.theta[1] = -5.0;
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) > 0,
            "another theta may do: the optimiser backs off");
  finish(&s);
}
