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

/* "3 starts", "3 to 20 starts". */
static void print_range(size_t fewest, size_t most, FILE *out)
{
  if (fewest < most) {
    (void)fprintf(out, "%zu to ", fewest);
  }
  (void)fprintf(out, "%zu start%s", most, most == 1 ? "" : "s");
}

/* How many starts there were, how many arrived at the best optimum, and where one alone did. */
static void print_starts(const pf_fit *fit, FILE *out)
{
  size_t n = 0, n_reached = 0, n_failed = 0, fewest = SIZE_MAX, most = 0, n_alone = 0;
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *group = &fit->groups[u];
    size_t reached = 0;
    for (size_t k = 0; k < group->n_starts; k++) {
      reached += group->starts[k].reached ? 1 : 0;
      n_failed += group->starts[k].status != PF_OK ? 1 : 0;
    }
    n += group->n_starts;
    n_reached += reached;
    n_alone += reached == 1 && group->n_starts > 1 ? 1 : 0;
    fewest = group->n_starts < fewest ? group->n_starts : fewest;
    most = group->n_starts > most ? group->n_starts : most;
  }
  (void)fputs("             ", out);
  print_range(fewest, most, out);
  if (most == 1) {
    (void)fputs(": nobody looked whether there is a better optimum (fit.starts)\n", out);
    return;
  }
  (void)fprintf(out, "%s; %zu of %zu reached the best optimum", fit->n_groups > 1 ? " each" : "",
                n_reached, n);
  if (n_failed > 0) {
    (void)fprintf(out, ", %zu failed", n_failed);
  }
  (void)fputs(" (multistart.csv)\n", out);
  if (n_alone > 0) {
    (void)fprintf(out,
                  "             in %zu of %zu fits one start alone reached the best optimum: there "
                  "may be better ones (fit.starts)\n",
                  n_alone, fit->n_groups);
  }
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
  if (stops || fit->groups[0].n_starts > 1) {
    print_starts(fit, out);
  }
  if (derivatives != 0) {
    (void)fprintf(out, "             second derivatives from %s\n",
                  pf_derivatives_words(derivatives));
  }
  if (stops || fit->groups[0].n_starts > 1) {
    (void)fputc('\n', out);
  }
}
