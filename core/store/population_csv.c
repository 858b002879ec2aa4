/* population.csv and animals.csv. */
#include "core/base/memory.h"
#include "core/population/scale.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"

#include <math.h>
#include <string.h>

static const char *scale_word(const pf_results *results, const pf_layout *layout, size_t k)
{
  const bool bounded = results->problem->settings->population.scale == PF_POPULATION_BOUNDED;
  const bool low = isfinite(layout->lower[k]), high = isfinite(layout->upper[k]);
  if (!bounded || (!low && !high)) {
    return "natural";
  }
  return low && high ? "logit" : "log";
}

static void write_numbers(FILE *file, const double *numbers, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    (void)fputc(',', file);
    pf_csv_number(file, numbers[i]);
  }
}

static const char *sharing_word(uint8_t sharing)
{
  static const char *const words[] = {"drawn", "shared", "separate"};
  return words[sharing];
}

/* A row for each coefficient and covariate; what belongs to the spread stands at the mean alone. */
static void population_row(const pf_results *results, size_t k, size_t covariate, FILE *file)
{
  const pf_animal_population *population = results->population;
  const pf_population_fit *fit = population->fit;
  const pf_mixed_model *model = &fit->model;
  const pf_layout *layout = results->fit->groups[0].layout;
  const pf_model_parameter *parameter =
      &layout->parameters[layout->instances[layout->index[k]].parameter];
  const size_t i = covariate * model->n + k, m = model->n_covariates * model->n;
  double lower, upper;
  pf_population_interval(fit, covariate, k, &lower, &upper);
  pf_csv_text(file, parameter->owner);
  (void)fputc(',', file);
  pf_csv_text(file, parameter->declared.name);
  (void)fputc(',', file);
  pf_csv_text(file, pf_parameter_label(parameter));
  (void)fputc(',', file);
  pf_csv_text(file, population->covariates.names[covariate]);
  (void)fprintf(file, ",%s,%s", sharing_word(population->covariates.sharing[k]),
                scale_word(results, layout, k));
  const double means[] = {model->beta[i], sqrt(model->covariance[i * m + i]), lower, upper};
  write_numbers(file, means, sizeof means / sizeof means[0]);
  const double none = NAN;
  const bool at_mean = covariate == 0;
  const double spread[] = {at_mean ? model->sd[k] : none,
                           at_mean ? fit->sd_lower[k] : none,
                           at_mean ? fit->sd_upper[k] : none,
                           at_mean ? fit->statistic[k] : none,
                           at_mean ? fit->p[k] : none,
                           at_mean ? pf_population_share(fit, k) : none,
                           fit->permutation_p[i],
                           fit->effect_p[i]};
  write_numbers(file, spread, sizeof spread / sizeof spread[0]);
  const pf_group_mean group = pf_population_group(fit, covariate, k);
  const bool is_group =
      at_mean || strstr(population->covariates.names[covariate], " = ") != NULL; /* else a slope */
  const double of_group[] = {is_group ? group.value : none, is_group ? group.lower : none,
                             is_group ? group.upper : none};
  write_numbers(file, of_group, sizeof of_group / sizeof of_group[0]);
  (void)fputc('\n', file);
}

pf_status pf_write_population_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("owner,name,label,covariate,sharing,scale,mean,se,lower,upper,sd,sd_lower,sd_upper,"
              "difference_statistic,difference_p,share_between,permutation_p,effect_p,"
              "group_mean,group_lower,group_upper\n",
              file);
  for (size_t k = 0; k < results->population->fit->model.n; k++) {
    for (size_t c = 0; c < results->population->covariates.n; c++) {
      population_row(results, k, c, file);
    }
  }
  return pf_csv_close_file(file, path, error);
}

/* Each animal's estimate, shrunk, and its interval mapped from the scale of the draws. */
static void animal_row(const pf_results *results, size_t a, size_t k, FILE *file)
{
  const pf_mixed_model *model = &results->population->fit->model;
  const pf_fit_group *group = &results->fit->groups[a];
  const pf_layout *layout = group->layout;
  const pf_model_parameter *parameter =
      &layout->parameters[layout->instances[layout->index[k]].parameter];
  const bool bounded = results->problem->settings->population.scale == PF_POPULATION_BOUNDED;
  const pf_scale scale = pf_scale_of(layout, k, bounded);
  const double phi = model->theta[a * model->n + k];
  const double alone = results->population->fit->alone[a * model->n + k];
  const double se = sqrt(model->spread[(a * model->n + k) * model->n + k]);
  double lower, upper;
  pf_population_animal_interval(results->population->fit, layout, a, k, &lower, &upper);
  pf_csv_text(file, group->name);
  (void)fputc(',', file);
  pf_csv_text(file, parameter->owner);
  (void)fputc(',', file);
  pf_csv_text(file, parameter->declared.name);
  (void)fputc(',', file);
  pf_csv_text(file, pf_parameter_label(parameter));
  const double numbers[] = {group->values[k],
                            se * pf_scale_slope(scale, phi),
                            lower,
                            upper,
                            pf_scale_from_line(scale, alone),
                            results->population->fit->log_likelihood[a]};
  write_numbers(file, numbers, sizeof numbers / sizeof numbers[0]);
  (void)fputc('\n', file);
}

pf_status pf_write_animals_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("animal,owner,name,label,estimate,se,lower,upper,alone,log_likelihood\n", file);
  for (size_t a = 0; a < results->fit->n_groups; a++) {
    for (size_t k = 0; k < results->population->fit->model.n; k++) {
      animal_row(results, a, k, file);
    }
  }
  return pf_csv_close_file(file, path, error);
}
