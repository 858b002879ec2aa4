#include "core/report/tables.h"
#include <errno.h>
#include <math.h>
#include <string.h>

const char *pf_status_word(pf_status status)
{
  return status == PF_OK ? "ok" : "failed";
}

const char *pf_unit_word(const pf_fit_unit *unit)
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

static FILE *open_csv(const char *path, pf_error *error)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    (void)pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  return file;
}

/* Everything written went through buffers, so only now is it known whether it arrived. */
static pf_status close_csv(FILE *file, const char *path, pf_error *error)
{
  const bool failed = fflush(file) != 0 || ferror(file);
  const int reason = errno;
  if (fclose(file) != 0 || failed) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(failed ? reason : errno));
  }
  return PF_OK;
}

/* ---- fit.csv ---- */

static void fit_header(const pf_results *results, FILE *file)
{
  (void)fputs("unit,epoch,objective,data_term", file);
  for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
    (void)fputc(',', file);
    pf_csv_text(file, results->keys[i]);
  }
  (void)fputs(",name,seed,per,batch,optimiser,learning_rate,epochs,l1,l2,draws,input_mean,input_sd,eta\n", file);
}

static void fit_settings(const pf_problem *problem, FILE *file)
{
  const pf_fit_settings *fit = &problem->fit;
  (void)fputc(',', file);
  pf_csv_text(file, problem->name);
  (void)fprintf(file, ",%llu,%s,%s,", (unsigned long long)problem->seed,
                fit->per == PF_FIT_SHARED ? "shared" : "animal", fit->batch == PF_BATCH_FULL ? "full" : "draw");
  pf_csv_text(file, fit->optimiser);
  (void)fprintf(file, ",%.17g,%lld,%.17g,%.17g,%lld,%.17g,%.17g,", fit->learning_rate, (long long)fit->epochs, fit->l1,
                fit->l2, (long long)problem->draws, problem->input.mean, problem->input.sd);
  pf_csv_number(file, problem->model->n_plastic > 0 ? problem->model->plastic[0].eta : NAN);
  (void)fputc('\n', file);
}

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error)
{
  const size_t n_theta = results->problem->model->n_parameters;
  FILE *file = open_csv(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  fit_header(results, file);
  for (size_t u = 0; u < results->fit->n_units; u++) {
    const pf_fit_unit *unit = &results->fit->units[u];
    for (size_t r = 0; r < unit->n_rows; r++) {
      pf_csv_text(file, unit->name);
      (void)fprintf(file, ",%lld,%.17g,%.17g", (long long)unit->rows[r].epoch, unit->rows[r].objective,
                    unit->rows[r].data_term);
      for (size_t i = 0; i < n_theta; i++) {
        (void)fputc(',', file);
        pf_csv_number(file, unit->row_theta[r * n_theta + i]);
      }
      fit_settings(results->problem, file);
    }
  }
  return close_csv(file, path, error);
}

/* ---- theta.csv ---- */

static void theta_row(const pf_results *results, const pf_fit_unit *unit, size_t i, FILE *file)
{
  const pf_model_parameter *parameter = &results->problem->model->parameters[i];
  const pf_parameter *declared = &parameter->declared;
  const char *const texts[] = {unit->name, parameter->owner, declared->name,
                               declared->label != NULL ? declared->label : declared->name, declared->unit};
  const double numbers[] = {unit->theta[i], unit->theta_start[i], declared->lower, declared->upper};
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
  (void)fprintf(file, ",%s\n", pf_unit_word(unit));
}

pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = open_csv(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("unit,owner,name,label,unit_of_measure,estimate,start,lower,upper,fixed,tied,truth,status\n", file);
  for (size_t u = 0; u < results->fit->n_units; u++) {
    for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
      theta_row(results, &results->fit->units[u], i, file);
    }
  }
  return close_csv(file, path, error);
}
