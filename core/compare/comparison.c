#include "core/compare/comparison.h"

#include "core/compare/assemble.h"
#include "core/compare/comparison_files.h"
#include "core/compare/followers.h"
#include "core/compare/select.h"
#include "core/page/html.h"
#include "core/ranking/compare_table.h"

/** A comparison while it runs. */
typedef struct comparison_run {
  const pf_compare_request *request;
  pf_config *config;
  pf_compare_settings settings;
  pf_work work;
  pf_selection selection; /* until it is the comparison's */
  pf_folder folder;
} comparison_run;

static const pf_problem *base_of(const comparison_run *r)
{
  return r->work.candidates.items[r->settings.base].own.problem;
}

/** What can be refused, all of it before any fit: config, candidates, jobs, folder. */
static pf_status prepare_run(comparison_run *r, pf_error *error)
{
  const pf_compare_request *request = r->request;
  const pf_candidate_source *source = &request->source;
  r->work =
      (pf_work){.request = request, .settings = &r->settings, .folder = &r->folder, .prefix = ""};
  if (pf_config_read(source->path, source->overrides, source->n_overrides, &r->config, error) !=
          PF_OK ||
      pf_compare_settings_read(r->config, &r->settings, error) != PF_OK ||
      pf_folder_check(r->settings.out, request->force, error) != PF_OK ||
      pf_work_prepare(&r->work, error) != PF_OK) {
    return PF_STOP;
  }
  if (r->settings.select.asked &&
      pf_select_check(&r->settings, base_of(r), r->config, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_folder_begin_jobs(r->settings.out, request->force, request->resume, &r->folder, error);
}

static pf_status write_folder(comparison_run *r, const pf_comparison *comparison, pf_error *error)
{
  const bool has_report = r->work.candidates.items[0].own.problem->settings->report;
  if (pf_compare_write(comparison, r->config, &r->work.candidates, &r->folder, error) != PF_OK ||
      pf_folder_end_jobs(&r->folder, error) != PF_OK) {
    return PF_STOP;
  }
  if (has_report && pf_html_write(r->folder.part, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_folder_commit(&r->folder, r->request->force, error);
}

static pf_status finish_run(comparison_run *r, pf_comparison **out, pf_error *error)
{
  pf_comparison *comparison = NULL;
  pf_status status = pf_compare_assemble(&r->work.jobs, r->work.results, &comparison, error);
  if (status != PF_OK) {
    return status;
  }
  comparison->selection = r->selection;
  r->selection = (pf_selection){0};
  status = pf_followers_find(&r->work, comparison, error);
  if (status == PF_OK) {
    status = pf_compare_tabulate(comparison, error);
  }
  if (status == PF_OK) {
    status = write_folder(r, comparison, error);
  }
  if (status != PF_OK) {
    pf_comparison_free(comparison);
    return status;
  }
  *out = comparison;
  return PF_OK;
}

static pf_status run_comparison(comparison_run *r, pf_comparison **out, bool *misused,
                                pf_error *error)
{
  pf_status status = prepare_run(r, error);
  *misused = status != PF_OK;
  if (status != PF_OK) {
    return status;
  }
  status = pf_work_do(&r->work, "comparing", error);
  if (status != PF_OK) {
    return status;
  }
  if (r->settings.select.asked) {
    status = pf_select_run(&r->work, base_of(r), &r->selection, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return finish_run(r, out, error);
}

pf_status pf_compare_run(const pf_compare_request *request, pf_comparison **out, bool *misused,
                         pf_error *error)
{
  comparison_run r = {.request = request};
  *out = NULL;
  const pf_status status = run_comparison(&r, out, misused, error);
  pf_selection_clear(&r.selection);
  pf_work_free(&r.work);
  pf_compare_settings_clear(&r.settings);
  pf_config_free(r.config);
  pf_folder_forget(&r.folder); /* what is done stays, to be resumed */
  return status;
}
