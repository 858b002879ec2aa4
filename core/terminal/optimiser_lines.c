#include "core/terminal/optimiser_lines.h"

#include "core/optimise/optimiser.h"
#include "core/sensitivity/derivatives_words.h"

#include <math.h>

static void print_one(const pf_fit_group *group, const char *name, FILE *out)
{
  const pf_optimum *optimum = &group->optimum;
  (void)fprintf(
      out, "  optimiser  %s: %s after %lld iterations (%lld evaluations), gradient %.2g: %s\n",
      name, pf_reason_words(optimum->reason), (long long)optimum->iterations,
      (long long)optimum->evaluations, optimum->gradient_norm,
      pf_fit_verdict(group) == PF_FIT_NOT_CONVERGED ? "NOT converged"
                                                    : pf_fit_verdict_words(pf_fit_verdict(group)));
}

static void print_many(const pf_fit *fit, const char *name, FILE *out)
{
  size_t n = 0;
  size_t n_converged = 0;
  int64_t fewest = INT64_MAX;
  int64_t most = 0;
  double gradient = 0.0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_optimum *optimum = &fit->groups[u].optimum;
    if (fit->groups[u].status == PF_OK) {
      n++;
      n_converged += pf_fit_claims(&fit->groups[u]) ? 1 : 0;
      fewest = optimum->iterations < fewest ? optimum->iterations : fewest;
      most = optimum->iterations > most ? optimum->iterations : most;
      gradient = fmax(gradient, optimum->gradient_norm);
    }
  }
  if (n > 0) {
    (void)fprintf(out,
                  "  optimiser  %s: %zu of %zu fits converged, %lld to %lld iterations, gradient "
                  "at most %.2g\n",
                  name, n_converged, n, (long long)fewest, (long long)most, gradient);
  }
}

static void print_starts(const pf_fit *fit, FILE *out)
{
  size_t n = 0;
  size_t n_reached = 0;
  size_t n_failed = 0;
  size_t fewest = SIZE_MAX, most = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    fewest = fit->groups[u].n_starts < fewest ? fit->groups[u].n_starts : fewest;
    most = fit->groups[u].n_starts > most ? fit->groups[u].n_starts : most;
    for (size_t k = 0; k < fit->groups[u].n_starts; k++) {
      n++;
      n_reached += fit->groups[u].starts[k].reached ? 1 : 0;
      n_failed += fit->groups[u].starts[k].status != PF_OK ? 1 : 0;
    }
  }
  (void)fputs("             ", out);
  if (fewest < most) {
    (void)fprintf(out, "%zu to ", fewest);
  }
  (void)fprintf(out, "%zu starts%s; %zu of %zu reached the best optimum", most,
                fit->n_groups > 1 ? " each" : "", n_reached, n);
  if (n_failed > 0) {
    (void)fprintf(out, ", %zu failed", n_failed);
  }
  (void)fputs(" (multistart.csv)\n", out);
}

void pf_print_optimiser(const pf_problem *problem, const pf_fit *fit, FILE *out)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  const char *name = optimiser->name;
  const bool stops = !optimiser->fixed_passes;
  uint32_t derivatives = 0;
  bool ran = fit->n_groups > 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    derivatives |= fit->groups[u].derivatives;
    ran = ran && fit->groups[u].starts != NULL;
  }
  if (!ran || fit->n_failed == fit->n_groups) {
    return; /* read back from a run folder, or nothing to say */
  }
  if (stops && fit->n_groups == 1) {
    print_one(&fit->groups[0], name, out);
  } else if (stops) {
    print_many(fit, name, out);
  }
  if (fit->groups[0].n_starts > 1) {
    print_starts(fit, out);
  }
  if (derivatives != 0) {
    (void)fprintf(out, "             derivatives by %s\n", pf_derivatives_words(derivatives));
  }
  if (stops || fit->groups[0].n_starts > 1) {
    (void)fputc('\n', out);
  }
}
