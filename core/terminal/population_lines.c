#include "core/terminal/population_lines.h"

#include "core/base/memory.h"
#include "core/terminal/wrap.h"
#include "core/uncertainty/inference.h"

#include <math.h>

enum { NAME_WIDTH = 14, TEXT = 400 };

static void print_range(FILE *out, double lower, double upper)
{
  char text[64];
  (void)snprintf(text, sizeof text, "%.3g to %.3g", lower, upper);
  (void)fprintf(out, " %-21s", isnan(lower) ? "" : text);
}

static void print_mean(const pf_population_fit *fit, const char *name, size_t covariate, size_t k,
                       FILE *out)
{
  const pf_mixed_model *model = &fit->model;
  double lower, upper;
  pf_population_interval(fit, covariate, k, &lower, &upper);
  (void)fprintf(out, "  %-*s %-10.4g", NAME_WIDTH, name, model->beta[covariate * model->n + k]);
  print_range(out, lower, upper);
}

static void print_spread(const pf_population_fit *fit, size_t k, FILE *out)
{
  switch (fit->data.sharing[k]) {
  case PF_SHARING_SHARED:
    (void)fputs(" one for all\n", out);
    return;
  case PF_SHARING_SEPARATE:
    (void)fputs(" each animal's own\n", out);
    return;
  default:
    break;
  }
  (void)fprintf(out, " %-9.3g", fit->model.sd[k]);
  print_range(out, fit->sd_lower[k], fit->sd_upper[k]);
  (void)fprintf(out, " %3.0f %%  %.2g\n", 100.0 * pf_population_share(fit, k), fit->p[k]);
}

static void print_groups(const pf_animal_population *population, const char *const *names,
                         FILE *out)
{
  const pf_population_fit *fit = population->fit;
  for (size_t c = 1; c < population->covariates.n; c++) {
    (void)fprintf(out,
                  "\n  the means change with %s by (%.0f %% interval; p by permutation of the "
                  "animals, and by "
                  "likelihood ratio)\n",
                  population->covariates.names[c], 100.0 * fit->level);
    for (size_t k = 0; k < fit->model.n; k++) {
      if (fit->data.sharing[k] != PF_SHARING_SEPARATE) {
        print_mean(fit, names[k], c, k, out);
        (void)fprintf(out, " p = %.2g, %.2g\n", fit->permutation_p[c * fit->model.n + k],
                      fit->effect_p[c * fit->model.n + k]);
      }
    }
  }
}

static void print_sentence(FILE *out, const char *text)
{
  (void)fputs("  ", out);
  pf_print_wrapped(out, text, 2, false);
}

/* Where the fit itself is to be doubted. */
static void print_fit_doubts(const pf_population_fit *found, FILE *out)
{
  char text[TEXT];
  if (!found->converged) {
    (void)snprintf(text, sizeof text,
                   "the population's fit did not converge in %lld rounds: "
                   "nothing rests on these numbers",
                   (long long)found->n_rounds);
    print_sentence(out, text);
  }
  if (found->skewness > 1.0) {
    (void)snprintf(
        text, sizeof text,
        "the likelihood of an animal is far from a normal one (mean and mode are %.1f "
        "posterior sds apart): means and sds may be off, and more trials, fewer terms or "
        "population.shared would help",
        found->skewness);
    print_sentence(out, text);
  }
}

/* The animal that makes most of the spread in value k, and its share of it. */
static size_t find_largest(const pf_population_fit *found, size_t k, double *share)
{
  double sum = 0.0, largest = 0.0;
  size_t who = 0;
  for (size_t a = 0; a < found->model.n_animals; a++) {
    const double z = found->model.theta[a * found->model.n + k] - found->model.beta[k];
    sum += z * z;
    if (z * z > largest) {
      largest = z * z;
      who = a;
    }
  }
  *share = largest / sum;
  return who;
}

/* What there is to doubt of value k. */
static void print_doubt(const pf_fit *fit, const pf_population_fit *found, const char *name,
                        size_t k, FILE *out)
{
  char text[TEXT];
  double share = 0.0;
  if (!(found->model.sd[k] > 0.0)) {
    (void)snprintf(text, sizeof text,
                   "%s: the sd between animals is 0, its lowest value: these animals differ by no "
                   "more than their errors; an sd of up to %.3g is possible, too",
                   name, found->sd_upper[k]);
    print_sentence(out, text);
    return;
  }
  const size_t who = find_largest(found, k, &share);
  if (found->model.n_animals > 4 && share > 0.6) {
    (void)snprintf(text, sizeof text,
                   "%s: '%s' alone makes %.0f %% of the spread between animals: look at this "
                   "animal, and at the fit without it",
                   name, fit->groups[who].name, 100.0 * share);
    print_sentence(out, text);
  }
}

pf_status pf_population_print(const pf_problem *problem, const pf_fit *fit,
                              const pf_animal_population *population, FILE *out, pf_error *error)
{
  const pf_population_fit *found = population->fit;
  const char **names = pf_value_names(problem, fit->groups[0].layout, error);
  if (names == NULL) {
    return PF_STOP;
  }
  (void)fprintf(
      out,
      "\n  What %zu animals share (restricted log marginal likelihood %.2f%s)\n"
      "  %-*s %-10s %-22s%-10s%-21s%-9s%s\n",
      fit->n_groups, found->marginal,
      problem->settings->population.centre == PF_POPULATION_MODES ? ", by Laplace's approximation"
                                                                  : "",
      NAME_WIDTH, "coefficient", "mean", " interval", " sd", " interval", " between", "p");
  for (size_t k = 0; k < found->model.n; k++) {
    print_mean(found, names[k], 0, k, out);
    print_spread(found, k, out);
  }
  print_groups(population, names, out);
  (void)fprintf(out,
                "  (intervals of %.0f %%; between: share of the variance of animals' own estimates "
                "that is no error;\n  p: of \"animals do not differ in it\")\n",
                100.0 * found->level);
  print_fit_doubts(found, out);
  for (size_t k = 0; found->converged && k < found->model.n; k++) {
    if (found->data.sharing[k] == PF_SHARING_DRAWN) {
      print_doubt(fit, found, names[k], k, out);
    }
  }
  (void)fputs("  each animal's estimates, drawn towards these means, are in animals.csv; these "
              "numbers in population.csv\n",
              out);
  pf_memory_free((void *)names);
  return PF_OK;
}
