#include "core/report/save_run.h"
#include "core/base/memory.h"
#include "core/page/html.h"
#include "core/store/folder.h"
#include "core/store/simulated.h"
#include "core/store/tables.h"

typedef pf_status (*write_file)(const pf_results *results, const char *path, pf_error *error);

static pf_status write_config(const pf_results *results, const char *path, pf_error *error)
{
  /* a problem built in memory has no config to repeat */
  return results->problem->config != NULL ? pf_config_write(results->problem->config, path, error)
                                          : PF_OK;
}

static pf_status write_multistart(const pf_results *results, const char *path, pf_error *error)
{
  return pf_has_starts(results->fit) ? pf_write_multistart_csv(results, path, error) : PF_OK;
}

static pf_status write_simulated(const pf_results *results, const char *path, pf_error *error)
{
  const pf_dataset *acted = results->closed_loop;
  return acted != NULL && acted->n > 0 ? pf_simulated_table(results->problem, acted, path, error)
                                       : PF_OK;
}

static pf_status write_intervals(const pf_results *results, const char *path, pf_error *error)
{
  return pf_has_inference(results->inference) ? pf_write_intervals_csv(results, path, error)
                                              : PF_OK;
}

static pf_status write_spectrum(const pf_results *results, const char *path, pf_error *error)
{
  return pf_has_inference(results->inference) ? pf_write_spectrum_csv(results, path, error) : PF_OK;
}

static pf_status write_profiles(const pf_results *results, const char *path, pf_error *error)
{
  return pf_has_profiles(results) ? pf_write_profiles_csv(results, path, error) : PF_OK;
}

static pf_status write_population(const pf_results *results, const char *path, pf_error *error)
{
  return results->population != NULL ? pf_write_population_csv(results, path, error) : PF_OK;
}

static pf_status write_animals(const pf_results *results, const char *path, pf_error *error)
{
  return results->population != NULL ? pf_write_animals_csv(results, path, error) : PF_OK;
}

/* summary.json comes last: whoever sees it in a .part knows that all else is there; report.html is
 * made from them. */
static const struct {
  const char *name;
  write_file write;
} files[] = {
    {"config.cfg", write_config},         {"fit.csv", pf_write_fit_csv},
    {"theta.csv", pf_write_theta_csv},    {"trajectories.h5", pf_write_trajectories},
    {"multistart.csv", write_multistart}, {"intervals.csv", write_intervals},
    {"spectrum.csv", write_spectrum},     {"simulated.csv", write_simulated},
    {"profiles.csv", write_profiles},     {"population.csv", write_population},
    {"animals.csv", write_animals},       {"summary.json", pf_write_summary},
};

static pf_status write_all(const pf_results *results, const pf_folder *folder, pf_error *error)
{
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char *path = pf_folder_path(folder, files[i].name, error);
    const pf_status status = path == NULL ? PF_STOP : files[i].write(results, path, error);
    pf_memory_free(path);
    if (status != PF_OK) {
      return status;
    }
  }
  return results->problem->settings->report ? pf_html_write(folder->part, error) : PF_OK;
}

pf_status pf_report_check_out(const char *out, bool force, pf_error *error)
{
  return pf_folder_check(out, force, error);
}

pf_status pf_report_begin(const pf_problem *problem, bool force, pf_folder *folder, pf_error *error)
{
  const char *out = problem->settings->out;
  const char *read = problem->config == NULL ? NULL : pf_config_reads_from(problem->config, out);
  if (force && read != NULL) {
    return pf_fail(error, PF_STOP,
                   "'%s' holds '%s', which this config reads, so it is not replaced, --force or "
                   "not; give another `out`",
                   out, read);
  }
  return pf_folder_begin(out, force, folder, error);
}

pf_status pf_report_write(const pf_report_parts *parts, bool force, pf_folder *folder,
                          pf_error *error)
{
  const bool interrupted = parts->fit->n_interrupted > 0 || parts->evaluation->n_interrupted > 0;
  pf_results results = {.problem = parts->problem,
                        .fit = parts->fit,
                        .inference = parts->inference,
                        .evaluation = parts->evaluation,
                        .closed_loop = parts->closed_loop,
                        .population = parts->population};
  pf_status status = pf_results_prepare(&results, error);
  if (status != PF_OK) {
    return status;
  }
  status = write_all(&results, folder, error);
  pf_results_clear(&results);
  if (status != PF_OK) {
    return status;
  }
  return interrupted ? pf_folder_commit_interrupted(folder, force, error)
                     : pf_folder_commit(folder, force, error);
}
