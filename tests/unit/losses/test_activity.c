/* plugins/losses/activity: values, adjoint and curvature with missing cells, unscored steps, a
 * subset of units, and weights of cells. */
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <plastfit/abi/plugin.h>
#include <string.h>

const pf_plugin *activity_LTX_pf_plugin_entry(void);

enum { STEPS = 29, UNITS = 13, LD_OBSERVED = 16, LD_TARGET = 14, LD_GRADIENT = 15, GUARD = -12345 };

typedef struct setup {
  fake_host host;
  pf_error error;
  const pf_loss_ops *ops;
  void *loss;
  pf_real observed[STEPS * LD_OBSERVED], recorded[STEPS * LD_TARGET], sem[STEPS * LD_TARGET];
  uint8_t scored[STEPS];
  const pf_real *observable[1], *target[2];
  int64_t n_observable[1], ld_observable[1], n_target[2], ld_target[2];
  pf_loss_in in;
} setup;

static pf_status start_with(setup *s, const fake_value *given, size_t n_given)
{
  const pf_plugin *plugin = activity_LTX_pf_plugin_entry();
  fake_options options;
  memset(s, 0, sizeof *s);
  s->error.size = sizeof s->error;
  s->ops = plugin->loss;
  fake_options_init(&options, &plugin->options, given, n_given);
  const pf_status status =
      s->ops->create(fake_host_init(&s->host), &options.face, &s->loss, &s->error);
  cr_assert(options.mistakes == 0);
  uint64_t seed = 19;
  for (int k = 0; k < STEPS * LD_OBSERVED; k++) {
    s->observed[k] = (pf_real)(k % LD_OBSERVED < UNITS ? numbers_normal(&seed) : GUARD);
  }
  for (int k = 0; k < STEPS * LD_TARGET; k++) {
    const double missing = numbers_uniform(&seed);
    const double value = missing < 0.25 ? (double)NAN : numbers_normal(&seed);
    s->recorded[k] = (pf_real)(k % LD_TARGET < UNITS ? value : GUARD);
  }
  for (int k = 0; k < STEPS * LD_TARGET; k++) {
    s->sem[k] = (pf_real)(k % LD_TARGET < UNITS ? 0.3 + numbers_uniform(&seed) : GUARD);
  }
  for (int k = 0; k < UNITS; k++) {
    s->recorded[4 * LD_TARGET + k] = (pf_real)NAN; /* a step of which nothing was recorded */
  }
  for (int t = 0; t < STEPS; t++) {
    s->scored[t] = t % 5 != 2;
  }
  s->observable[0] = s->observed;
  s->target[0] = s->recorded;
  s->target[1] = s->sem;
  s->n_target[1] = UNITS;
  s->ld_target[1] = LD_TARGET;
  s->n_observable[0] = s->n_target[0] = UNITS;
  s->ld_observable[0] = LD_OBSERVED;
  s->ld_target[0] = LD_TARGET;
  s->in = (pf_loss_in){.size = sizeof s->in,
                       .n_steps = STEPS,
                       .observable = s->observable,
                       .n_observable = s->n_observable,
                       .ld_observable = s->ld_observable,
                       .target = s->target,
                       .n_target = s->n_target,
                       .ld_target = s->ld_target,
                       .scored = s->scored};
  return status;
}

static void finish(setup *s)
{
  s->ops->destroy(s->loss);
  cr_expect(s->host.live == 0);
}

/* The cases: every unit or a subset, with and without a mask of steps; and what a cell weighs. */
enum { ALIKE, SEM, SEM_OF_STEP, WEIGHT, UNIT_SEM, N_WEIGHTS, N_CASES = 4 * N_WEIGHTS };
static const int64_t subset[] = {12, 0, 7, 3};
static const fake_value subset_given[] = {FAKE_INTEGERS("units", subset, 4)};
static const double unit_sem[UNITS] = {1.0, 0.5, 2.0, 0.3, 1.1, 1.2, 1.3,
                                       1.4, 1.5, 1.6, 1.7, 1.8, 0.7};

static void start_case(setup *s, int which)
{
  const fake_value weights[N_WEIGHTS] = {[SEM] = FAKE_STRING("sem", "error"),
                                         [SEM_OF_STEP] = FAKE_STRING("sem", "error"),
                                         [WEIGHT] = FAKE_STRING("cell_weight", "n"),
                                         [UNIT_SEM] = FAKE_REALS("unit_sem", unit_sem, UNITS)};
  fake_value given[2];
  size_t n = 0;
  if (which % 2 == 1) {
    given[n++] = subset_given[0];
  }
  if (which / 4 != ALIKE) {
    given[n++] = weights[which / 4];
  }
  cr_assert(start_with(s, given, n) == PF_OK, "%s", s->error.text);
  s->in.scored = which / 2 % 2 == 0 ? NULL : s->scored;
  s->n_target[1] = which / 4 == SEM_OF_STEP ? 1 : UNITS;
}

static double weight_of(const setup *s, int which, int t, int i)
{
  const double number = (double)s->sem[t * LD_TARGET + (which / 4 == SEM_OF_STEP ? 0 : i)];
  switch (which / 4) {
  case SEM:
  case SEM_OF_STEP:
    return 1.0 / (number * number);
  case WEIGHT:
    return number;
  case UNIT_SEM:
    return 1.0 / (unit_sem[i] * unit_sem[i]);
  default:
    return 1.0;
  }
}

static int counts(const setup *s, int which, int t, int i)
{
  const int listed = which % 2 == 0 || i == 0 || i == 3 || i == 7 || i == 12;
  return listed && (which / 2 % 2 == 0 || s->scored[t] != 0) &&
         !isnan(s->recorded[t * LD_TARGET + i]);
}

Test(loss_activity, declares_what_it_needs)
{
  const fake_value given[] = {FAKE_STRING("observable", "probability"),
                              FAKE_STRING("target", "recorded")};
  pf_loss_declaration declared = {.size = sizeof declared};
  setup s;
  cr_assert(start_with(&s, NULL, 0) == PF_OK);
  cr_assert(s.ops->declare(s.loss, &declared, &s.error) == PF_OK);
  cr_expect(strcmp(declared.observables.items[0], "activity") == 0);
  cr_expect(strcmp(declared.targets.items[0], "activity") == 0);
  cr_expect(declared.padded == 0.0);
  cr_expect(declared.flags == PF_LOSS_SEPARABLE_BY_UNIT);
  finish(&s);
  cr_assert(start_with(&s, given, 2) == PF_OK);
  cr_assert(s.ops->declare(s.loss, &declared, &s.error) == PF_OK);
  cr_expect(strcmp(declared.observables.items[0], "probability") == 0);
  cr_expect(strcmp(declared.targets.items[0], "recorded") == 0);
  finish(&s);
  cr_assert(start_with(&s, subset_given, 1) == PF_OK);
  cr_assert(s.ops->declare(s.loss, &declared, &s.error) == PF_OK);
  cr_expect(declared.flags == 0,
            "columns are counted from the first, so a range of them cannot be evaluated apart");
  finish(&s);
}

Test(loss_activity, sums_squared_errors_of_what_was_recorded)
{
  for (int which = 0; which < N_CASES; which++) {
    double ll[STEPS];
    int64_t count[STEPS];
    setup s;
    start_case(&s, which);
    cr_assert(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
    for (int t = 0; t < STEPS; t++) {
      double sum = 0.0;
      int64_t n = 0;
      for (int i = 0; i < UNITS; i++) {
        if (counts(&s, which, t, i)) {
          const double e =
              (double)s.observed[t * LD_OBSERVED + i] - (double)s.recorded[t * LD_TARGET + i];
          sum += weight_of(&s, which, t, i) * e * e;
          n++;
        }
      }
      cr_assert(count[t] == n);
      cr_assert(fabs(ll[t] + sum) <=
                1e-14 * sum); /* another order of summation; measured below 1e-15 */
    }
    cr_expect(count[4] == 0 && ll[4] == 0.0);
    finish(&s);
  }
}

Test(loss_activity, adjoint_agrees_with_central_differences)
{
  for (int which = 0; which < N_CASES; which++) {
    setup s;
    start_case(&s, which);
    double cotangent[STEPS];
    double up[STEPS];
    double down[STEPS];
    int64_t count[STEPS];
    pf_real gradient[STEPS * LD_GRADIENT];
    pf_real before[STEPS * LD_GRADIENT];
    pf_real moved[STEPS * LD_OBSERVED];
    uint64_t seed = 77;
    for (int t = 0; t < STEPS; t++) {
      cotangent[t] = numbers_normal(&seed);
    }
    for (int k = 0; k < STEPS * LD_GRADIENT; k++) {
      before[k] = gradient[k] = (pf_real)numbers_normal(&seed);
    }
    pf_real *out[] = {gradient};
    const int64_t ld[] = {LD_GRADIENT};
    const pf_loss_gradient to = {.size = sizeof to, .observable = out, .ld_observable = ld};
    cr_assert(s.ops->vjp(s.loss, &s.in, cotangent, &to, &s.error) == PF_OK);

    s.observable[0] = moved;
    const double h =
        0x1p-8; /* the loss is quadratic: no truncation error, so the step may be large */
    const double tolerance =
        sizeof(pf_real) == sizeof(double) ? 1e-10 : 2e-2; /* measured: below 2e-11 */
    for (int i = 0; i < UNITS; i++) {
      for (int sign = -1; sign <= 1; sign += 2) {
        memcpy(moved, s.observed, sizeof moved);
        for (int t = 0; t < STEPS; t++) {
          moved[t * LD_OBSERVED + i] = (pf_real)((double)moved[t * LD_OBSERVED + i] + sign * h);
        }
        cr_assert(s.ops->evaluate(s.loss, &s.in, sign > 0 ? up : down, count, &s.error) == PF_OK);
      }
      for (int t = 0; t < STEPS; t++) {
        const double added =
            (double)gradient[t * LD_GRADIENT + i] - (double)before[t * LD_GRADIENT + i];
        const double slope = cotangent[t] * (up[t] - down[t]) / (2.0 * h);
        cr_assert(fabs(added - slope) <= tolerance, "step %d, unit %d: %.12g against %.12g", t, i,
                  added, slope);
        cr_assert(counts(&s, which, t, i) ? added != 0.0 : added == 0.0);
      }
    }
    for (int t = 0; t < STEPS; t++) {
      for (int k = UNITS; k < LD_GRADIENT; k++) {
        cr_assert(gradient[t * LD_GRADIENT + k] == before[t * LD_GRADIENT + k],
                  "wrote into the padding");
      }
    }
    pf_real *nowhere[] = {NULL};
    const pf_loss_gradient unwanted = {
        .size = sizeof to, .observable = nowhere, .ld_observable = ld};
    cr_expect(s.ops->vjp(s.loss, &s.in, cotangent, &unwanted, &s.error) == PF_OK);
    finish(&s);
  }
}

Test(loss_activity, squared_roots_are_two_per_recorded_cell)
{
  for (int which = 0; which < N_CASES; which++) {
    pf_real root[2 * STEPS * LD_GRADIENT], along[2 * STEPS * LD_OBSERVED];
    setup s;
    start_case(&s, which);
    for (int k = 0; k < 2 * STEPS * LD_GRADIENT; k++) {
      root[k] = (pf_real)GUARD;
    }
    for (int k = 0; k < 2 * STEPS * LD_OBSERVED; k++) {
      along[k] = (pf_real)(k < STEPS * LD_OBSERVED ? 1 : -3);
    }
    const pf_real *planes[] = {along};
    const int64_t stride[] = {STEPS * LD_OBSERVED};
    const pf_loss_tangent tangent = {
        .size = sizeof tangent, .n_tangents = 2, .observable = planes, .stride = stride};
    const pf_loss_roots roots = {
        .size = sizeof roots, .root = root, .stride = STEPS * LD_GRADIENT, .ld = LD_GRADIENT};
    cr_assert(s.ops->whiten(s.loss, &s.in, &tangent, &roots, &s.error) == PF_OK);
    for (int t = 0; t < STEPS; t++) {
      for (int i = 0; i < LD_GRADIENT; i++) {
        const double first = (double)root[t * LD_GRADIENT + i],
                     second = (double)root[(STEPS + t) * LD_GRADIENT + i];
        if (i >= UNITS) {
          cr_assert(first == (double)(pf_real)GUARD && second == (double)(pf_real)GUARD);
          continue;
        }
        const double weight = counts(&s, which, t, i) ? weight_of(&s, which, t, i) : 0.0;
        cr_assert(fabs(first * first - 2 * weight) < 1e-5); /* of weights up to 11 */
        cr_assert(fabs(first * second + 6 * weight) < 1e-5);
      }
    }
    finish(&s);
  }
}

Test(loss_activity, what_is_not_finite_comes_through_only_where_recorded)
{
  double ll[STEPS];
  int64_t count[STEPS];
  setup s;
  start_case(&s, 0);
  s.recorded[0] = (pf_real)NAN;
  s.observed[0] = (pf_real)NAN;
  s.recorded[LD_TARGET] = (pf_real)0.5;
  s.observed[LD_OBSERVED] = (pf_real)NAN;
  cr_assert(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
  cr_expect(!isnan(ll[0]));
  cr_expect(isnan(ll[1]));
  finish(&s);
}

Test(loss_activity, refuses_widths_and_units_that_do_not_fit)
{
  const int64_t twice[] = {3, 1, 3};
  const int64_t beyond[] = {2, 13};
  const int64_t negative[] = {2, -1};
  const fake_value refused[][1] = {{FAKE_INTEGERS("units", twice, 3)},
                                   {FAKE_INTEGERS("units", negative, 2)},
                                   {FAKE_INTEGERS("units", negative, 0)}};
  const char *const texts[] = {"unit 3 is listed twice", "unit -1", "an empty list"};
  const fake_value given[] = {FAKE_INTEGERS("units", beyond, 2)};
  double ll[STEPS];
  int64_t count[STEPS];
  setup s;
  for (int k = 0; k < 3; k++) {
    cr_expect(start_with(&s, refused[k], 1) == PF_STOP);
    cr_expect(strstr(s.error.text, texts[k]) != NULL, "%s", s.error.text);
    cr_expect(strcmp(s.error.key, "units") == 0);
    cr_expect(s.host.live == 0 && s.loss == NULL);
  }
  cr_assert(start_with(&s, given, 1) == PF_OK);
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_STOP);
  cr_expect(strstr(s.error.text, "unit 13, but target \"activity\" has 13 units") != NULL, "%s",
            s.error.text);
  finish(&s);
  cr_assert(start_with(&s, NULL, 0) == PF_OK);
  s.n_observable[0] = 10;
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_STOP);
  cr_expect(strstr(s.error.text, "\"activity\" has 10 units, but target \"activity\" has 13") !=
                NULL,
            "%s", s.error.text);
  s.n_observable[0] = UNITS;
  s.in.n_steps = 0;
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
  finish(&s);
}

/* The best constant of each unit is its weighted mean. */
Test(loss_activity, mean_rate_is_the_weighted_mean)
{
  for (int which = 0; which < N_CASES; which++) {
    double sums[2 * UNITS] = {0.0}, ll[STEPS], found = 0.0, expected = 0.0;
    setup s;
    start_case(&s, which);
    cr_assert(s.ops->null_accumulate(s.loss, &s.in, sums, &s.error) == PF_OK);
    cr_assert(s.ops->null_evaluate(s.loss, &s.in, sums, ll, &s.error) == PF_OK);
    for (int t = 0; t < STEPS; t++) {
      found += ll[t];
    }
    for (int i = 0; i < UNITS; i++) {
      double w = 0.0, wy = 0.0, wyy = 0.0;
      for (int t = 0; t < STEPS; t++) {
        const double y = (double)s.recorded[t * LD_TARGET + i];
        const double weight = counts(&s, which, t, i) ? weight_of(&s, which, t, i) : 0.0;
        w += weight;
        wy += weight > 0.0 ? weight * y : 0.0;
        wyy += weight > 0.0 ? weight * y * y : 0.0;
      }
      expected -= w > 0.0 ? wyy - wy * wy / w : 0.0;
    }
    cr_expect(fabs(found - expected) < 1e-9 * fabs(expected), "case %d: %g for %g", which, found,
              expected);
    finish(&s);
  }
}

Test(loss_activity, refuses_weights_that_are_none)
{
  const double zero[] = {0.0};
  const fake_value both[] = {FAKE_STRING("sem", "error"), FAKE_STRING("cell_weight", "n")};
  const fake_value nothing[] = {FAKE_REALS("unit_sem", zero, 1)};
  const fake_value one[] = {FAKE_REALS("unit_sem", unit_sem, 1)};
  double ll[STEPS];
  int64_t count[STEPS];
  pf_loss_declaration declared = {.size = sizeof declared};
  setup s;
  cr_expect(start_with(&s, both, 2) == PF_STOP);
  cr_expect(strstr(s.error.text, "sem says already what a cell weighs") != NULL, "%s",
            s.error.text);
  cr_expect(start_with(&s, nothing, 1) == PF_STOP);
  cr_expect(strstr(s.error.text, "above 0") != NULL, "%s", s.error.text);
  cr_assert(start_with(&s, one, 1) == PF_OK);
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_STOP);
  cr_expect(strstr(s.error.text, "found 1 standard errors, but target \"activity\" has 13") !=
            NULL);
  finish(&s);
  start_case(&s, 4 * SEM);
  cr_assert(s.ops->declare(s.loss, &declared, &s.error) == PF_OK);
  cr_expect(declared.targets.count == 2 && strcmp(declared.targets.items[1], "error") == 0);
  cr_expect(declared.flags == PF_LOSS_UNEQUAL_CELLS);
  s.recorded[2 * LD_TARGET + 1] = (pf_real)NAN;
  s.sem[2 * LD_TARGET + 1] = (pf_real)NAN; /* where nothing was recorded it may be missing */
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_OK);
  s.recorded[2 * LD_TARGET + 1] = (pf_real)0.5;
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_STOP);
  cr_expect(strstr(s.error.text, "recorded at unit 2, but its \"error\" there is nan") != NULL,
            "%s", s.error.text);
  s.error = (pf_error){.size = sizeof s.error};
  s.n_target[1] = 2;
  cr_expect(s.ops->evaluate(s.loss, &s.in, ll, count, &s.error) == PF_STOP);
  cr_expect(strstr(s.error.text, "has 2 columns, but target \"activity\" has 13") != NULL);
  finish(&s);
}

Test(loss_activity, survives_every_failed_allocation)
{
  const pf_plugin *plugin = activity_LTX_pf_plugin_entry();
  const fake_value given[] = {subset_given[0], FAKE_STRING("sem", "error")};
  int64_t failed = 0;
  for (;; failed++) {
    fake_options options;
    fake_host host;
    pf_error error = {.size = sizeof error};
    void *loss = NULL;
    fake_options_init(&options, &plugin->options, given, 2);
    const pf_host *face = fake_host_init(&host);
    host.fail_at = failed;
    if (plugin->loss->create(face, &options.face, &loss, &error) == PF_OK) {
      plugin->loss->destroy(loss);
      break;
    }
    cr_expect(strstr(error.text, "out of memory") != NULL);
    cr_expect(host.live == 0 && loss == NULL);
    cr_assert(failed < 100);
  }
  cr_expect(failed == 5);
}
