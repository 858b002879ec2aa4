#include "core/base/memory.h"
#include "core/store/tables.h"
#include "core/truth/names.h"
#include <errno.h>
#include <math.h>
#include <string.h>

const char *pf_status_word(pf_status status)
{
  return status == PF_OK ? "ok" : "failed";
}

const char *pf_unit_word(const pf_fit_group *unit)
{
  return unit->interrupted ? "interrupted" : pf_status_word(unit->status);
}

void pf_csv_text(FILE *file, const char *text)
{
  if (text == NULL) {
    return;
  }
  if (strpbrk(text, ",\"\r\n") == NULL) {
    (void)fputs(text, file);
    return;
  }
  (void)fputc('"', file);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"') {
      (void)fputc('"', file);
    }
    (void)fputc(*c, file);
  }
  (void)fputc('"', file);
}

void pf_csv_number(FILE *file, double value)
{
  if (!isnan(value)) {
    (void)fprintf(file, "%.17g", value);
  }
}

FILE *pf_csv_open_file(const char *path, pf_error *error)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    (void)pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  return file;
}

/* Everything written went through buffers, so only now is it known whether it arrived. */
pf_status pf_csv_close_file(FILE *file, const char *path, pf_error *error)
{
  const bool failed = fflush(file) != 0 || ferror(file);
  const int reason = errno;
  if (fclose(file) != 0 || failed) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path,
                   strerror(failed ? reason : errno));
  }
  return PF_OK;
}

/* ---- fit.csv ---- */

static void fit_header(const pf_results *results, FILE *file)
{
  (void)fputs("unit,epoch,objective,data_term", file);
  const pf_model *model = results->problem->model;
  for (size_t i = 0; i < model->start_theta0; i++) {
    if (pf_is_reported(model, i)) {
      (void)fputc(',', file);
      pf_csv_text(file, results->keys[i]);
    }
  }
  (void)fputs(",name,seed,per,batch,optimiser,learning_rate,epochs,l1,l2,draws,input_mean,input_sd,"
              "eta,gradient_norm\n",
              file);
}

static void fit_settings(const pf_problem *problem, FILE *file)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  (void)fputc(',', file);
  pf_csv_text(file, problem->settings->name);
  (void)fprintf(file, ",%llu,%s,%s,", (unsigned long long)problem->settings->seed,
                fit->per == PF_FIT_SHARED ? "shared" : "animal",
                fit->batch == PF_BATCH_FULL ? "full" : "draw");
  pf_csv_text(file, fit->optimiser);
  (void)fprintf(file, ",%.17g,%lld,%.17g,%.17g,%lld,%.17g,%.17g,", fit->learning_rate,
                (long long)fit->epochs, fit->l1, fit->l2, (long long)problem->settings->draws,
                problem->settings->input.mean, problem->settings->input.sd);
  pf_csv_number(file, problem->model->n_plastic > 0 ? problem->model->plastic[0].eta : NAN);
}

/* One column a parameter: where it has copies, their mean. Starting weights have none: they would
 * be too many. */
static void fit_parameters(const pf_model *model, const pf_layout *layout, const double *instances,
                           FILE *file)
{
  for (size_t i = 0; i < model->start_theta0; i++) {
    if (!pf_is_reported(model, i)) {
      continue;
    }
    const size_t end = i + 1 < layout->n_parameters ? layout->first[i + 1] : layout->n_instances;
    double sum = 0.0;
    for (size_t s = layout->first[i]; s < end; s++) {
      sum += instances[s];
    }
    (void)fputc(',', file);
    pf_csv_number(file, sum / (double)(end - layout->first[i]));
  }
}

static pf_status fit_rows(const pf_results *results, const pf_fit_group *unit, FILE *file,
                          pf_error *error)
{
  double *instances = pf_memory_need(unit->layout->n_instances, sizeof *instances, error);
  for (size_t r = 0; instances != NULL && r < unit->n_rows; r++) {
    pf_csv_text(file, unit->name);
    (void)fprintf(file, ",%lld,%.17g,%.17g", (long long)unit->rows[r].epoch,
                  unit->rows[r].objective, unit->rows[r].data_term);
    pf_layout_instances(unit->layout, &unit->row_values[r * unit->layout->n], instances);
    fit_parameters(results->problem->model, unit->layout, instances, file);
    fit_settings(results->problem, file);
    (void)fputc(',', file);
    pf_csv_number(file, unit->rows[r].gradient_norm);
    (void)fputc('\n', file);
  }
  pf_memory_free(instances);
  return instances == NULL ? PF_STOP : PF_OK;
}

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  pf_status status = PF_OK;
  if (file == NULL) {
    return PF_STOP;
  }
  fit_header(results, file);
  for (size_t u = 0; u < results->fit->n_groups && status == PF_OK; u++) {
    status = fit_rows(results, &results->fit->groups[u], file, error);
  }
  const pf_status closed = pf_csv_close_file(file, path, error);
  return status != PF_OK ? status : closed;
}

/* ---- theta.csv ---- */

static void theta_row(const pf_results *results, const pf_fit_group *unit, size_t instance,
                      double estimate, double start, FILE *file)
{
  static const char *const scopes[] = {"shared", "animal", "experiment"};
  const size_t i = unit->layout->instances[instance].parameter;
  const pf_model_parameter *parameter = &results->problem->model->parameters[i];
  const pf_parameter *declared = &parameter->declared;
  const char *const texts[] = {unit->name, parameter->owner, declared->name,
                               declared->label != NULL ? declared->label : declared->name,
                               declared->unit};
  const double numbers[] = {estimate, start, declared->lower, declared->upper};
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
  pf_csv_number(file, results->truth[i]);
  (void)fprintf(file, ",%s,", scopes[unit->layout->scope[i]]);
  pf_layout_copy(unit->layout, instance, &animal, &experiment);
  pf_csv_text(file, animal);
  (void)fputc(',', file);
  if (experiment >= 0) {
    (void)fprintf(file, "%lld", (long long)experiment);
  }
  (void)fprintf(file, ",%s,", pf_unit_word(unit));
  pf_csv_uncertainty(pf_uncertainty_of(results->inference, unit, instance), results->inference,
                     file);
  (void)fputc('\n', file);
}

static pf_status theta_rows(const pf_results *results, const pf_fit_group *unit, FILE *file,
                            pf_error *error)
{
  const size_t n = unit->layout->n_instances;
  double *instances = pf_memory_need(2 * n, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  pf_layout_instances(unit->layout, unit->values, instances);
  pf_layout_instances(unit->layout, unit->values_start, instances + n);
  for (size_t s = 0; s < n; s++) {
    if (pf_is_reported(results->problem->model, unit->layout->instances[s].parameter)) {
      theta_row(results, unit, s, instances[s], instances[n + s], file);
    }
  }
  pf_memory_free(instances);
  return PF_OK;
}

pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  pf_status status = PF_OK;
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,label,unit_of_measure,estimate,start,lower,upper,fixed,tied,truth,"
              "scope,animal,experiment,"
              "status,se,ci_lower,ci_upper,ci_level,ci_method,verdict,note\n",
              file);
  for (size_t u = 0; u < results->fit->n_groups && status == PF_OK; u++) {
    status = theta_rows(results, &results->fit->groups[u], file, error);
  }
  const pf_status closed = pf_csv_close_file(file, path, error);
  return status != PF_OK ? status : closed;
}
