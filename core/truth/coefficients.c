#include "core/truth/coefficients.h"

#include "core/base/memory.h"
#include "core/stats/stats.h"
#include "core/truth/truth.h"
#include "core/uncertainty/uncertainty.h"

#include <math.h>
#include <string.h>

/** With fewer animals their spread says too little of the error of their mean. */
enum { MIN_ANIMALS_OF_SPREAD = 3 };

bool pf_group_claims(const pf_fit_group *group)
{
  const uint32_t verdict = pf_fit_verdict(group);
  return verdict == PF_FIT_CONVERGED || verdict == PF_FIT_PASSES_DONE ||
         (group->status == PF_OK && group->optimum.reason == PF_REASON_NONE);
}

bool pf_is_coefficient(const pf_model *model, size_t parameter)
{
  return pf_is_free(&model->parameters[parameter]) && !model->parameters[parameter].is_start;
}

static bool same_owner(const pf_model *model, size_t a, size_t b)
{
  const char *const owners[] = {model->parameters[a].owner, model->parameters[b].owner};
  return owners[0] == owners[1] ||
         (owners[0] != NULL && owners[1] != NULL && strcmp(owners[0], owners[1]) == 0);
}

size_t pf_coefficient_family(const pf_model *model, size_t parameter)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += pf_is_coefficient(model, i) && same_owner(model, i, parameter) ? 1 : 0;
  }
  return n;
}

/** The instances of a parameter in a layout: [first, end). */
static size_t end_of_instances(const pf_layout *layout, size_t parameter)
{
  return parameter + 1 < layout->n_parameters ? layout->first[parameter + 1] : layout->n_instances;
}

/** What was inferred of a parameter that has one copy in the group. */
static pf_uncertainty uncertainty_in(const pf_inference *inference, const pf_fit_group *group,
                                     size_t parameter)
{
  const size_t first = group->layout->first[parameter];
  if (end_of_instances(group->layout, parameter) != first + 1) {
    return (pf_uncertainty){.se = NAN, .lower = NAN, .upper = NAN};
  }
  return pf_uncertainty_of(inference, group, first);
}

bool pf_coefficient_counts(const pf_inference *inference, const pf_fit_group *group,
                           size_t parameter)
{
  return pf_group_claims(group) &&
         uncertainty_in(inference, group, parameter).verdict <= PF_IDENTIFIED;
}

/* ---- one parameter over the groups ---- */

/** Sums over the groups that count. */
typedef struct sums {
  size_t n, n_errors;
  double value, squares, variance; /**< variance: of the estimates, as inferred */
  pf_uncertainty last;
} sums;

/** The standard error, or what the width of the interval says of it. */
static double error_of(pf_uncertainty u, double z)
{
  return isfinite(u.se) ? u.se : (u.upper - u.lower) / (2.0 * z);
}

/** How much wider the halves of an interval are for n coefficients together. */
static double family_factor(double level, size_t n)
{
  const double family = n > 0 ? (double)n : 1.0;
  return pf_stats_normal_quantile(1.0 - 0.5 * (1.0 - level) / family) /
         pf_stats_normal_quantile(0.5 + 0.5 * level);
}

static void set_several(const sums *s, double level, double widen, pf_coefficient *c)
{
  const double n = (double)s->n;
  const double variance = fmax(0.0, (s->squares - n * c->value * c->value) / (n - 1.0));
  double quantile = pf_stats_normal_quantile(0.5 + 0.5 * level);
  c->sd = sqrt(variance);
  if (s->n_errors == s->n) {
    c->error = sqrt(s->variance) / n;
    c->sd = sqrt(fmax(0.0, variance - s->variance / n));
  } else if (s->n >= MIN_ANIMALS_OF_SPREAD) {
    c->error = sqrt(variance / n);
    quantile = pf_stats_student_quantile(0.5 + 0.5 * level, s->n - 1);
  } else {
    return;
  }
  c->lower = c->value - quantile * c->error;
  c->upper = c->value + quantile * c->error;
  c->low = c->value - widen * quantile * c->error;
  c->high = c->value + widen * quantile * c->error;
}

static void set_one(const sums *s, double z, double widen, pf_coefficient *c)
{
  c->error = error_of(s->last, z);
  c->lower = s->last.lower;
  c->upper = s->last.upper;
  if (s->n == 1) {
    c->low = c->value - widen * (c->value - c->lower);
    c->high = c->value + widen * (c->upper - c->value);
  }
}

typedef struct over_groups {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference;
  double *const *means; /**< [n_groups][n_parameters], rows NULL: failed */
  double level;
} over_groups;

static void add_groups(const over_groups *all, size_t parameter, bool all_fitted, sums *s)
{
  const double z = pf_stats_normal_quantile(0.5 + 0.5 * all->level);
  for (size_t u = 0; u < all->fit->n_groups; u++) {
    const pf_fit_group *group = &all->fit->groups[u];
    if (all->means[u] == NULL ||
        (!all_fitted && !pf_coefficient_counts(all->inference, group, parameter))) {
      continue;
    }
    const double value = all->means[u][parameter];
    s->last = uncertainty_in(all->inference, group, parameter);
    const double error = error_of(s->last, z);
    s->n++;
    s->value += value;
    s->squares += value * value;
    if (isfinite(error)) {
      s->n_errors++;
      s->variance += error * error;
    }
  }
}

/** Of animals drawn from a population: its own mean and interval. */
static bool set_common(const pf_fit *fit, size_t parameter, double widen, pf_coefficient *c)
{
  if (fit->common == NULL || isnan(fit->common[parameter].value)) {
    return false;
  }
  const pf_common_estimate *common = &fit->common[parameter];
  c->value = common->value;
  c->error = common->error;
  c->sd = common->sd;
  c->lower = common->lower;
  c->upper = common->upper;
  c->low = c->value - widen * (c->value - c->lower);
  c->high = c->value + widen * (c->upper - c->value);
  return true;
}

static void set_coefficient(const over_groups *all, size_t parameter, pf_coefficient *c)
{
  const pf_model *model = all->problem->model;
  const double widen = family_factor(all->level, pf_coefficient_family(model, parameter));
  sums s = {0};
  add_groups(all, parameter, false, &s);
  c->n = s.n;
  if (s.n > 0 && set_common(all->fit, parameter, widen, c)) {
    return;
  }
  if (s.n == 0) {
    add_groups(all, parameter, true, &s);
  }
  if (s.n == 0) {
    return;
  }
  c->value = s.value / (double)s.n;
  if (s.n > 1 && c->n > 0) {
    set_several(&s, all->level, widen, c);
  } else if (s.n == 1) {
    set_one(&s, pf_stats_normal_quantile(0.5 + 0.5 * all->level), widen, c);
  }
  if (c->n == 0) {
    c->low = c->high = NAN;
  }
}

/* ---- all ---- */

/** The mean of each parameter's copies, by group. */
static pf_status average_copies(const pf_fit_group *group, double *means, pf_error *error)
{
  const pf_layout *layout = group->layout;
  double *instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(layout, group->values, instances);
  for (size_t i = 0; i < layout->n_parameters; i++) {
    const size_t end = end_of_instances(layout, i);
    double sum = 0.0;
    for (size_t s = layout->first[i]; s < end; s++) {
      sum += instances[s];
    }
    means[i] = sum / (double)(end - layout->first[i]);
  }
  pf_memory_free(instances);
  return PF_OK;
}

static pf_status average_groups(const pf_problem *problem, const pf_fit *fit, double **means,
                                pf_coefficients *out, pf_error *error)
{
  for (size_t u = 0; u < fit->n_groups; u++) {
    if (fit->groups[u].status != PF_OK) {
      continue;
    }
    out->n_fitted++;
    out->n_claims += pf_group_claims(&fit->groups[u]) ? 1 : 0;
    means[u] = pf_memory_need(problem->model->n_parameters, sizeof(double), error);
    if (means[u] == NULL || average_copies(&fit->groups[u], means[u], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_coefficients_create(const pf_problem *problem, const pf_fit *fit,
                                 const pf_inference *inference, pf_coefficients *out,
                                 pf_error *error)
{
  const pf_model *model = problem->model;
  double *truth = NULL, **means = NULL;
  *out = (pf_coefficients){.level = inference != NULL && inference->n_groups > 0
                                        ? inference->level
                                        : problem->settings->intervals.level};
  pf_status status = pf_truth_create(problem, &truth, error);
  if (status != PF_OK) {
    return status;
  }
  means = pf_memory_need(fit->n_groups, sizeof *means, error);
  out->items = pf_memory_need(model->n_parameters, sizeof *out->items, error);
  if (means == NULL || out->items == NULL) {
    status = PF_STOP;
    goto done;
  }
  status = average_groups(problem, fit, means, out, error);
  if (status != PF_OK) {
    goto done;
  }
  const over_groups all = {problem, fit, inference, means, out->level};
  for (size_t i = 0; i < model->n_parameters; i++) {
    out->items[i] = (pf_coefficient){.value = NAN,
                                     .error = NAN,
                                     .sd = NAN,
                                     .lower = NAN,
                                     .upper = NAN,
                                     .low = NAN,
                                     .high = NAN,
                                     .truth = truth[i]};
    set_coefficient(&all, i, &out->items[i]);
  }
done:
  for (size_t u = 0; means != NULL && u < fit->n_groups; u++) {
    pf_memory_free(means[u]);
  }
  pf_memory_free(means);
  pf_memory_free(truth);
  if (status != PF_OK) {
    pf_coefficients_clear(out);
  }
  return status;
}

void pf_coefficients_clear(pf_coefficients *coefficients)
{
  pf_memory_free(coefficients->items);
  coefficients->items = NULL;
}
