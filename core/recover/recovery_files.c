#include "core/recover/recovery_files.h"

#include "core/base/memory.h"
#include "core/recover/population_recovery.h"
#include "core/store/csv_file.h"
#include "core/store/folder.h"
#include "core/store/json_values.h"
#include "core/store/results.h"

#include <math.h>
#include <plastfit/plastfit.h>

/* ---- recover.csv: a row for each data set, value and method ---- */

static void write_row(const pf_recovery *r, const pf_recover_set *set, size_t c, size_t m,
                      FILE *file)
{
  const pf_recover_cell *cell = &r->cells[c];
  const pf_model_parameter *parameter = &r->problem->model->parameters[cell->parameter];
  const double truth = set->truths[c];
  const bool asked = m < (size_t)PF_N_INTERVAL_METHODS;
  const pf_recover_fit *fit = &set->fits[cell->group];
  const pf_recover_interval none = {NAN, NAN, NAN};
  const pf_recover_interval *interval = asked ? pf_recovery_interval(r, set, m, c) : &none;
  (void)fprintf(file, "%zu,%llu,", (size_t)(set - r->sets), (unsigned long long)set->seed);
  const char *const texts[] = {r->group_names[cell->group], parameter->owner,
                               parameter->declared.name, cell->animal};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    pf_csv_text(file, texts[i]);
    (void)fputc(',', file);
  }
  if (cell->experiment >= 0) {
    (void)fprintf(file, "%lld", (long long)cell->experiment);
  }
  (void)fprintf(file, ",%s,%d,%d,", fit->fitted ? "ok" : "failed", fit->converged, fit->missed);
  pf_csv_number(file, truth);
  (void)fputc(',', file);
  pf_csv_number(file, set->estimates[c]);
  (void)fputc(',', file);
  pf_csv_text(file, pf_verdict_words(set->verdicts[c]));
  (void)fprintf(file, ",%s,", asked ? pf_interval_method_name((uint32_t)m) : "");
  const double values[] = {interval->se, interval->lower, interval->upper};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    pf_csv_number(file, values[i]);
    (void)fputc(',', file);
  }
  if (!isnan(truth) && !isnan(interval->lower) && !isnan(interval->upper)) {
    (void)fputs(interval->lower <= truth && truth <= interval->upper ? "1" : "0", file);
  }
  (void)fputc(',', file);
  pf_csv_number(file, fit->short_by);
  (void)fputc('\n', file);
}

static pf_status write_csv(const pf_recovery *r, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  (void)fputs("data_set,seed,unit,owner,name,animal,experiment,status,converged,worse_than_truth,"
              "truth,estimate,verdict,"
              "method,se,lower,upper,covers,short_by\n",
              file);
  for (size_t d = 0; d < r->n_sets; d++) {
    for (size_t c = 0; c < r->n_cells; c++) {
      bool any = false;
      for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
        if (r->asked[m]) {
          write_row(r, &r->sets[d], c, m, file);
          any = true;
        }
      }
      if (!any) {
        write_row(r, &r->sets[d], c, (size_t)PF_N_INTERVAL_METHODS, file);
      }
    }
  }
  return pf_csv_close_file(file, path, error);
}

/* ---- summary.json ---- */

static json_t *method_json(const pf_recover_line *line, size_t m)
{
  return json_pack("{s:I, s:I, s:o, s:o, s:o}", "intervals", (json_int_t)line->methods[m].n,
                   "covering", (json_int_t)line->methods[m].n_covering, "mean_se",
                   pf_json_number(line->methods[m].mean_se), "coverage",
                   pf_json_number(line->methods[m].coverage), "coverage_se",
                   pf_json_number(line->methods[m].coverage_se));
}

static json_t *line_json(const pf_recovery *r, const pf_recover_line *line)
{
  json_t *object =
      json_pack("{s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "name", r->keys[line->parameter], "truth",
                pf_json_number(line->truth), "estimates", (json_int_t)line->n, "mean",
                pf_json_number(line->mean), "bias", pf_json_number(line->bias), "bias_se",
                pf_json_number(line->bias_se), "sd", pf_json_number(line->sd));
  json_t *methods = json_object();
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    if (r->asked[m]) {
      methods = pf_json_set(methods, pf_interval_method_name((uint32_t)m), method_json(line, m));
    }
  }
  return pf_json_set(object, "methods", methods);
}

/* null where nobody looked */
static json_t *short_json(const pf_recovery *r)
{
  return r->problem->settings->recover.arriving > 0 ? json_integer((json_int_t)r->n_short)
                                                    : json_null();
}

static pf_status write_summary(const pf_recovery *r, const char *path, pf_error *error)
{
  json_t *lines = json_array();
  for (size_t k = 0; k < r->n_lines; k++) {
    lines = pf_json_append(lines, line_json(r, &r->lines[k]));
  }
  json_t *missing = json_array();
  for (size_t d = 0; d < r->n_sets; d++) {
    if (r->sets[d].why != NULL) {
      missing = pf_json_append(missing, json_pack("{s:I, s:o}", "data_set", (json_int_t)d, "why",
                                                  pf_json_text(r->sets[d].why)));
    }
  }
  json_t *root = json_pack(
      "{s:s, s:o, s:s?, s:i, s:o, s:I, s:f, s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:{s:f}}",
      "what", "recovery", "name", pf_json_text(r->problem->settings->name), "plastfit",
      pf_version(), "format", (int)PF_RUN_FORMAT, "seed", pf_json_seed(r->problem->settings->seed),
      "data_sets", (json_int_t)r->n_sets, "level", r->problem->settings->intervals.level, "fits",
      "all", (json_int_t)r->n_fits, "converged",
      (json_int_t)(r->n_fits - r->n_failed - r->n_unconverged - r->n_passes_done), "not_converged",
      (json_int_t)r->n_unconverged, "failed", (json_int_t)r->n_failed, "worse_than_truth",
      (json_int_t)r->n_missed, "worse_than_best_start", short_json(r), "parameters", lines,
      "missing", missing, "timing", "seconds", r->seconds);
  if (r->population != NULL) {
    root = pf_json_set(root, "population", pf_population_recovery_json(r));
  }
  return pf_json_write(root, path, error);
}

/* ---- the folder ---- */

static pf_status write_population(const pf_recovery *r, const char *path, pf_error *error)
{
  return r->population != NULL ? pf_population_recovery_write(r, path, error) : PF_OK;
}

static pf_status write_config(const pf_recovery *r, const char *path, pf_error *error)
{
  return r->problem->config != NULL ? pf_config_write(r->problem->config, path, error) : PF_OK;
}

pf_status pf_recover_write(const pf_recovery *r, pf_folder *folder, bool force, pf_error *error)
{
  static const struct {
    const char *name;
    pf_status (*write)(const pf_recovery *, const char *, pf_error *);
  } files[] = {{"config.cfg", write_config},
               {"recover.csv", write_csv},
               {"population.csv", write_population},
               {"summary.json", write_summary}};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char *path = pf_folder_path(folder, files[i].name, error);
    if (path == NULL) {
      return PF_STOP;
    }
    const pf_status status = files[i].write(r, path, error);
    pf_memory_free(path);
    if (status != PF_OK) {
      return status;
    }
  }
  return pf_folder_commit(folder, force, error);
}
