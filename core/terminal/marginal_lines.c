#include "core/terminal/marginal_lines.h"

#include <math.h>

/* Nats of Monte Carlo error in a log likelihood from which on small differences say nothing. */
static const double large_error = 0.5;

/* Of all groups that were fitted so. */
typedef struct marginal_sums {
  size_t n;
  double log_likelihood, variance, least_share, cost;
} marginal_sums;

static marginal_sums sum_groups(const pf_fit *fit)
{
  marginal_sums sums = {.least_share = 1.0};
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_marginal_fit *marginal = fit->groups[u].marginal;
    if (fit->groups[u].status != PF_OK || marginal == NULL) {
      continue;
    }
    sums.n++;
    sums.log_likelihood += marginal->log_likelihood;
    sums.variance += marginal->error * marginal->error;
    sums.least_share = fmin(sums.least_share, marginal->least_share);
    sums.cost = fmax(sums.cost, marginal->cost);
  }
  return sums;
}

static void print_cost(const marginal_sums *sums, FILE *out)
{
  if (!isfinite(sums->cost)) {
    (void)fputs("too few iterations to know the estimate's Monte Carlo error\n", out);
    return;
  }
  (void)fprintf(out, "the estimate's Monte Carlo error costs %.2g nats%s\n", sums->cost,
                sums->n > 1 ? " (the worst)" : "");
}

void pf_print_likelihood(const pf_problem *problem, const pf_fit *fit, FILE *out)
{
  const pf_marginal_settings *settings = &problem->settings->marginal;
  const marginal_sums sums = sum_groups(fit);
  if (settings->kind != PF_LIKELIHOOD_MARGINAL) {
    return;
  }
  if (sums.n == 0 && fit->n_failed > 0) {
    return; /* the failed fits say why */
  }
  if (sums.n == 0) {
    (void)fputs("  likelihood  marginal, which is the plain one: inputs and starting weights are "
                "known\n",
                out);
    return;
  }
  const double error = sqrt(sums.variance);
  (void)fprintf(
      out,
      "  likelihood  marginal: inputs and starting weights that nobody recorded are "
      "integrated out\n"
      "              log likelihood %.2f (Monte Carlo error %.2g) with %lld particles, of "
      "which at\n"
      "              least %.0f %% count; ",
      sums.log_likelihood, error, (long long)settings->particles, 100.0 * sums.least_share);
  print_cost(&sums, out);
  if (error > large_error) {
    (void)fprintf(out,
                  "  note: log likelihoods that differ by less than %.1f nats cannot be told apart "
                  "with this error;\n"
                  "        marginal.particles=%lld would halve it\n",
                  2.0 * sqrt(2.0) * error, 4 * (long long)settings->particles);
  }
}
