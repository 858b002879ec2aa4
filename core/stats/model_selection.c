#include "core/stats/model_selection.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

enum { MAX_ROUNDS = 10000, N_DRAWS = 100000 };
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

/*
 * The free energy of different frequencies (Rigoux et al. 2014, equation 8): the expected log joint
 * plus the entropies; of equal ones it is the plain log evidence with prior 1 / K.
 */
static double omnibus_risk(const selection *s)
{
  double sum_alpha = 0.0, different = 0.0, equal = 0.0;
  expect_logs(s);
  for (size_t k = 0; k < s->n_models; k++) {
    sum_alpha += s->alpha[k];
  }
  for (size_t a = 0; a < s->n_animals; a++) {
    different += share_out(s, a, s->log_r); /* E[log p(m | r)] + L - g log g, summed over models */
  }
  /* minus the divergence of Dirichlet(alpha) from Dirichlet(1) */
  different += lgamma((double)s->n_models) - lgamma(sum_alpha);
  for (size_t k = 0; k < s->n_models; k++) {
    different += lgamma(s->alpha[k]) - (s->alpha[k] - 1.0) * s->log_r[k];
    s->log_r[k] = -log((double)s->n_models);
  }
  for (size_t a = 0; a < s->n_animals; a++) {
    equal += share_out(s, a, s->log_r);
  }
  return 1.0 / (1.0 + exp(different - equal));
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

static void count_exceedance(const selection *s, pf_stream stream, double *exceedance)
{
  uint64_t at = 0;
  for (size_t k = 0; k < s->n_models; k++) {
    exceedance[k] = 0.0;
  }
  for (int i = 0; i < N_DRAWS; i++) {
    double highest = -1.0;
    size_t winner = 0;
    for (size_t k = 0; k < s->n_models; k++) {
      const double one = draw_gamma(s->alpha[k], stream, &at);
      if (one > highest) {
        highest = one;
        winner = k;
      }
    }
    exceedance[winner] += 1.0 / (double)N_DRAWS;
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
  double sum = 0.0;
  fit_frequencies(&s);
  for (size_t k = 0; k < n_models; k++) {
    sum += s.alpha[k];
  }
  for (size_t k = 0; k < n_models; k++) {
    out->expected[k] = s.alpha[k] / sum;
  }
  out->omnibus_risk = omnibus_risk(&s);
  count_exceedance(&s, stream, out->exceedance);
  for (size_t k = 0; k < n_models; k++) {
    out->protected_exceedance[k] =
        out->exceedance[k] * (1.0 - out->omnibus_risk) + out->omnibus_risk / (double)n_models;
  }
  pf_memory_free(memory);
  return PF_OK;
}
