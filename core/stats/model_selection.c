#include "core/stats/model_selection.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

enum { MAX_ROUNDS = 10000, N_DRAWS = 40000 };
static const double settled = 1e-10;

double pf_stats_digamma(double x)
{
  double shift = 0.0;
  while (x < 10.0) { /* psi(x) = psi(x + 1) - 1 / x */
    shift -= 1.0 / x;
    x += 1.0;
  }
  /* the asymptotic series (Abramowitz & Stegun 6.3.18) */
  const double y = 1.0 / (x * x);
  const double series =
      y *
      (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0)))));
  return shift + log(x) - 0.5 / x - series;
}

typedef struct selection {
  const double *evidence;
  size_t n_animals, n_models;
  double *alpha;  /* [K] */
  double *weight; /* [K] of the animal at hand: expected log frequencies, then responsibilities */
  double *sums;   /* [K] of responsibilities */
  double *log_r;  /* [K] */
} selection;

/* Responsibilities of an animal, from log weights; returns the log of their sum. */
static double share_out(const selection *s, size_t animal, const double *log_prior)
{
  const double *own = s->evidence + animal * s->n_models;
  double highest = -INFINITY, sum = 0.0;
  for (size_t k = 0; k < s->n_models; k++) {
    s->weight[k] = own[k] + log_prior[k];
    highest = fmax(highest, s->weight[k]);
  }
  for (size_t k = 0; k < s->n_models; k++) {
    s->weight[k] = exp(s->weight[k] - highest);
    sum += s->weight[k];
  }
  for (size_t k = 0; k < s->n_models; k++) {
    s->weight[k] /= sum;
  }
  return highest + log(sum); /* cppcheck-suppress invalidFunctionArg ; the highest adds 1 */
}

static void expect_logs(const selection *s)
{
  double sum = 0.0;
  for (size_t k = 0; k < s->n_models; k++) {
    sum += s->alpha[k];
  }
  for (size_t k = 0; k < s->n_models; k++) {
    s->log_r[k] = pf_stats_digamma(s->alpha[k]) - pf_stats_digamma(sum);
  }
}

static void fit_frequencies(const selection *s)
{
  for (size_t k = 0; k < s->n_models; k++) {
    s->alpha[k] = 1.0 + (double)s->n_animals / (double)s->n_models;
  }
  for (int round = 0; round < MAX_ROUNDS; round++) {
    double moved = 0.0;
    expect_logs(s);
    for (size_t k = 0; k < s->n_models; k++) {
      s->sums[k] = 0.0;
    }
    for (size_t a = 0; a < s->n_animals; a++) {
      (void)share_out(s, a, s->log_r);
      for (size_t k = 0; k < s->n_models; k++) {
        s->sums[k] += s->weight[k];
      }
    }
    for (size_t k = 0; k < s->n_models; k++) {
      moved = fmax(moved, fabs(1.0 + s->sums[k] - s->alpha[k]));
      s->alpha[k] = 1.0 + s->sums[k];
    }
    if (moved < settled) {
      return;
    }
  }
}

/* A gamma variable of shape >= 1 (Marsaglia & Tsang 2000, ACM TOMS 26:363), from number *at of the
 * stream onwards. */
static double draw_gamma(double shape, pf_stream stream, uint64_t *at)
{
  const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
  for (;;) {
    double z, u;
    pf_random_normal(stream, *at, 1, &z);
    pf_random_uniform(stream, *at + 2, 1, &u);
    *at += 4;
    const double v = (1.0 + c * z) * (1.0 + c * z) * (1.0 + c * z);
    if (v > 0.0 && log(fmax(u, 1e-300)) < 0.5 * z * z + d * (1.0 - v + log(v))) {
      return d * v;
    }
  }
}

/*
 * Frequencies are drawn from a mixture of Dirichlet distributions with alpha = 1 + c (alpha of
 * variational Bayes - 1): as narrow as it says, down to flat, since it is too narrow where
 * animals are not told apart. Each draw is weighted by posterior over density.
 */
static const double widths[] = {0.0, 1.0 / 16.0, 1.0 / 4.0, 1.0};
enum { N_WIDTHS = sizeof widths / sizeof widths[0] };

static double shape_of(const selection *s, int width, size_t k)
{
  return 1.0 + widths[width] * (s->alpha[k] - 1.0);
}

/* The logs of the Dirichlet distributions' constants. */
static void find_constants(const selection *s, double *constant)
{
  for (int i = 0; i < N_WIDTHS; i++) {
    double sum = 0.0;
    constant[i] = -log((double)N_WIDTHS);
    for (size_t k = 0; k < s->n_models; k++) {
      sum += shape_of(s, i, k);
      constant[i] -= lgamma(shape_of(s, i, k));
    }
    constant[i] += lgamma(sum);
  }
}

/* Log frequencies, drawn with one of the widths; the most frequent model. */
static size_t draw_frequencies(const selection *s, int width, pf_stream stream, uint64_t *at)
{
  double sum = 0.0;
  size_t winner = 0;
  for (size_t k = 0; k < s->n_models; k++) {
    s->log_r[k] = draw_gamma(shape_of(s, width, k), stream, at);
    sum += s->log_r[k];
    winner = s->log_r[k] > s->log_r[winner] ? k : winner;
  }
  for (size_t k = 0; k < s->n_models; k++) {
    s->log_r[k] = log(fmax(s->log_r[k] / sum, 1e-300));
  }
  return winner;
}

/* The log of sum_i exp(x_i). */
static double log_of_sum(const double *x, size_t n)
{
  double highest = -INFINITY, sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    highest = fmax(highest, x[i]);
  }
  for (size_t i = 0; i < n; i++) {
    sum += exp(x[i] - highest);
  }
  return highest + log(sum); /* cppcheck-suppress invalidFunctionArg ; the highest adds 1 */
}

/* Log of p(data | r) p(r) over the density with which r was drawn. */
static double weigh_draw(const selection *s, const double *constant)
{
  double log_p = lgamma((double)s->n_models), density[N_WIDTHS];
  for (size_t a = 0; a < s->n_animals; a++) {
    log_p += share_out(s, a, s->log_r);
  }
  for (int i = 0; i < N_WIDTHS; i++) {
    density[i] = constant[i];
    for (size_t k = 0; k < s->n_models; k++) {
      density[i] += (shape_of(s, i, k) - 1.0) * s->log_r[k];
    }
  }
  return log_p - log_of_sum(density, N_WIDTHS);
}

/* What is known of all draws so far; weights relative to exp(highest). */
typedef struct draws {
  double highest, sum;
} draws;

static void add_draw(const selection *s, double log_weight, size_t winner, draws *of,
                     pf_model_frequencies *out)
{
  const double shrink = log_weight > of->highest ? exp(of->highest - log_weight) : 1.0;
  of->highest = fmax(of->highest, log_weight);
  const double weight = exp(log_weight - of->highest);
  of->sum = shrink * of->sum + weight;
  for (size_t k = 0; k < s->n_models; k++) {
    out->expected[k] = shrink * out->expected[k] + weight * exp(s->log_r[k]);
    out->exceedance[k] = shrink * out->exceedance[k] + (k == winner ? weight : 0.0);
  }
}

/* The probability that all frequencies are equal, which was as probable before as that they differ.
 */
static double compare_with_equal(const selection *s, double different)
{
  double equal = 0.0;
  for (size_t k = 0; k < s->n_models; k++) {
    s->log_r[k] = -log((double)s->n_models);
  }
  for (size_t a = 0; a < s->n_animals; a++) {
    equal += share_out(s, a, s->log_r);
  }
  return 1.0 / (1.0 + exp(different - equal));
}

static void integrate_frequencies(const selection *s, pf_stream stream, pf_model_frequencies *out)
{
  double constant[N_WIDTHS];
  uint64_t at = 0;
  draws all = {-INFINITY, 0.0};
  for (size_t k = 0; k < s->n_models; k++) {
    out->expected[k] = out->exceedance[k] = 0.0;
  }
  find_constants(s, constant);
  for (int i = 0; i < N_DRAWS; i++) {
    const size_t winner = draw_frequencies(s, i % N_WIDTHS, stream, &at);
    add_draw(s, weigh_draw(s, constant), winner, &all, out);
  }
  out->omnibus_risk =
      compare_with_equal(s, all.highest + log(all.sum / (double)N_DRAWS)); /* sum >= 1 */
  for (size_t k = 0; k < s->n_models; k++) {
    out->expected[k] /= all.sum;
    out->exceedance[k] /= all.sum;
    out->protected_exceedance[k] =
        out->exceedance[k] * (1.0 - out->omnibus_risk) + out->omnibus_risk / (double)s->n_models;
  }
}

static selection selection_of(const double *evidence, size_t n_animals, size_t n_models,
                              double *memory)
{
  return (selection){.evidence = evidence,
                     .n_animals = n_animals,
                     .n_models = n_models,
                     .alpha = memory,
                     .weight = memory + n_models,
                     .sums = memory + 2 * n_models,
                     .log_r = memory + 3 * n_models};
}

pf_status pf_stats_model_shares(const double *evidence, size_t n_animals, size_t n_models,
                                double *shares, pf_error *error)
{
  double *memory = pf_memory_need(4 * n_models, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  const selection s = selection_of(evidence, n_animals, n_models, memory);
  fit_frequencies(&s);
  expect_logs(&s);
  for (size_t a = 0; a < n_animals; a++) {
    (void)share_out(&s, a, s.log_r);
    memcpy(shares + a * n_models, s.weight, n_models * sizeof *shares);
  }
  pf_memory_free(memory);
  return PF_OK;
}

pf_status pf_stats_model_frequencies(const double *evidence, size_t n_animals, size_t n_models,
                                     pf_stream stream, pf_model_frequencies *out, pf_error *error)
{
  double *memory = pf_memory_need(4 * n_models, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  const selection s = selection_of(evidence, n_animals, n_models, memory);
  fit_frequencies(&s);
  integrate_frequencies(&s, stream, out);
  pf_memory_free(memory);
  return PF_OK;
}
