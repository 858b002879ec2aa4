/* fit.csv: the course of every fit, and the config's scalars. */
#include "core/base/memory.h"
#include "core/store/csv_file.h"
#include "core/store/tables.h"
#include "core/truth/names.h"

#include <math.h>

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
                pf_fit_per_word(fit->per), fit->batch == PF_BATCH_FULL ? "full" : "draw");
  pf_csv_text(file, fit->optimiser);
  (void)fprintf(file, ",%.17g,%lld,%.17g,%.17g,%lld,%.17g,%.17g,", fit->learning_rate,
                (long long)fit->epochs, fit->l1, fit->l2, (long long)problem->settings->draws,
                problem->settings->input.mean, problem->settings->input.sd);
  pf_csv_number(file, problem->model->n_plastic > 0 ? problem->model->plastic[0].eta : NAN);
}

/* One column a parameter: where it has copies, their mean. Starting weights have none: they would
 * be too many. */
static void fit_parameters(const pf_model *model, const double *means, FILE *file)
{
  for (size_t i = 0; i < model->start_theta0; i++) {
    if (pf_is_reported(model, i)) {
      (void)fputc(',', file);
      pf_csv_number(file, means[i]);
    }
  }
}

static pf_status fit_rows(const pf_results *results, const pf_fit_group *group, FILE *file,
                          pf_error *error)
{
  const pf_layout *layout = group->layout;
  double *instances =
      pf_memory_need(layout->n_instances + layout->n_parameters, sizeof *instances, error);
  if (instances == NULL) {
    return PF_STOP;
  }
  double *means = instances + layout->n_instances;
  for (size_t r = 0; r < group->n_rows; r++) {
    pf_csv_text(file, group->name);
    (void)fprintf(file, ",%lld,%.17g,%.17g", (long long)group->rows[r].epoch,
                  group->rows[r].objective, group->rows[r].data_term);
    pf_layout_instances(layout, &group->row_values[r * layout->n], instances);
    pf_instance_means(layout, instances, means);
    fit_parameters(results->problem->model, means, file);
    fit_settings(results->problem, file);
    (void)fputc(',', file);
    pf_csv_number(file, group->rows[r].gradient_norm);
    (void)fputc('\n', file);
  }
  pf_memory_free(instances);
  return PF_OK;
}

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error)
{
  FILE *file = pf_csv_open_file(path, error);
  if (file == NULL) {
    return PF_STOP;
  }
  fit_header(results, file);
  return pf_write_groups(results, fit_rows, file, path, error);
}
