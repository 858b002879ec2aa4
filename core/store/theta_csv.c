/* theta.csv: every instance of every parameter, with its uncertainty. */
#include "core/base/memory.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"
#include "core/truth/names.h"
#include "core/truth/truth.h"
#include "core/uncertainty/uncertainty.h"

#include <math.h>

/* se,ci_lower,ci_upper,ci_level,ci_method,verdict,note. A side that the data leave open is inf. */
static void write_uncertainty(pf_uncertainty c, const pf_inference *inference, FILE *file)
{
  const bool has = !isnan(c.lower) || !isnan(c.upper);
  pf_csv_number(file, c.se);
  (void)fputc(',', file);
  pf_csv_number(file, c.lower);
  (void)fputc(',', file);
  pf_csv_number(file, c.upper);
  (void)fputc(',', file);
  pf_csv_number(file, has ? inference->level : (double)NAN);
  (void)fprintf(file, ",%s,%s,", has ? pf_interval_method_name(c.method) : "",
                pf_verdict_words(c.verdict));
  pf_csv_text(file, c.note);
}

/** The numbers of a group's copies: [n_instances] each. */
typedef struct copy_numbers {
  double *estimate, *start, *truth;
} copy_numbers;

static void theta_row(const pf_results *results, const pf_fit_group *group, size_t instance,
                      const copy_numbers *of, FILE *file)
{
  static const char *const scopes[] = {"shared", "animal", "experiment"};
  const size_t i = group->layout->instances[instance].parameter;
  const pf_model_parameter *parameter = &results->problem->model->parameters[i];
  const pf_parameter *declared = &parameter->declared;
  const char *const texts[] = {group->name, parameter->owner, declared->name,
                               declared->label != NULL ? declared->label : declared->name,
                               declared->unit};
  const double numbers[] = {of->estimate[instance], of->start[instance], declared->lower,
                            declared->upper};
  const char *animal = "";
  int64_t experiment = -1;
  for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
    pf_csv_text(file, texts[k]);
    (void)fputc(',', file);
  }
  for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
    pf_csv_number(file, numbers[k]);
    (void)fputc(',', file);
  }
  (void)fprintf(file, "%d,", (declared->flags & PF_PARAMETER_FIXED) ? 1 : 0);
  if (parameter->tied) {
    const pf_model_parameter *other = &results->problem->model->parameters[parameter->tied_to];
    (void)fprintf(file, "%.17g * %s.%s", parameter->factor, other->owner, other->declared.name);
  }
  (void)fputc(',', file);
  pf_csv_number(file, of->truth[instance]);
  (void)fprintf(file, ",%s,", scopes[group->layout->scope[i]]);
  pf_layout_copy(group->layout, instance, &animal, &experiment);
  pf_csv_text(file, animal);
  (void)fputc(',', file);
  if (experiment >= 0) {
    (void)fprintf(file, "%lld", (long long)experiment);
  }
  (void)fprintf(file, ",%s,", pf_group_word(group));
  write_uncertainty(pf_uncertainty_of(results->inference, group, instance), results->inference,
                    file);
  (void)fputc('\n', file);
}

static pf_status theta_rows(const pf_results *results, const pf_fit_group *group, FILE *file,
                            pf_error *error)
{
  const size_t n = group->layout->n_instances;
  double *memory = pf_memory_need(3 * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  const copy_numbers of = {memory, memory + n, memory + 2 * n};
  pf_layout_instances(group->layout, group->values, of.estimate);
  pf_layout_instances(group->layout, group->values_start, of.start);
  const pf_status status =
      pf_truth_of_copies(results->problem, results->truth, group->layout, of.truth, error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t s = 0; s < n; s++) {
    if (pf_is_reported(results->problem->model, group->layout->instances[s].parameter)) {
      theta_row(results, group, s, &of, file);
    }
  }
done:
  pf_memory_free(memory);
  return status;
}

pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs(
      "unit,owner,name,label,unit_of_measure,estimate,start,lower,upper,fixed,tied,truth,"
      "scope,animal,experiment,status,se,ci_lower,ci_upper,ci_level,ci_method,verdict,note\n",
      file);
  return pf_write_groups(results, theta_rows, file, path, error);
}
