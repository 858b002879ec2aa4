#include "core/compare/comparison.h"

#include "core/compare/assemble.h"
#include "core/compare/comparison_files.h"
#include "core/compare/select.h"
#include "core/page/html.h"

/** Everything while it runs. */
typedef struct run {
  const pf_compare_request *request;
  pf_config *config;
  pf_compare_settings settings;
  pf_work work;
  pf_selection selection; /* until it is the comparison's */
  pf_folder folder;
} run;

static const pf_problem *base_of(const run *r)
{
  return r->work.candidates.items[r->settings.base].own.problem;
}

/** What is fully said before any fit: config, candidates, jobs. */
static pf_status prepare(run *r, pf_error *error)
{
  const pf_candidate_source *source = &r->request->source;
  r->work = (pf_work){
      .request = r->request, .settings = &r->settings, .folder = &r->folder, .prefix = ""};
  pf_status status =
      pf_config_read(source->path, source->overrides, source->n_overrides, &r->config, error);
  status = status == PF_OK ? pf_compare_settings_read(r->config, &r->settings, error) : status;
  if (status == PF_OK) {
    status = pf_folder_check(r->settings.out, r->request->force, error);
  }
  status = status == PF_OK ? pf_work_prepare(&r->work, error) : status;
  if (status == PF_OK && r->settings.select.asked) {
    status = pf_select_check(&r->settings, base_of(r), r->config, error);
  }
  if (status == PF_OK) {
    status = pf_folder_begin_jobs(r->settings.out, r->request->force, r->request->resume,
                                  &r->folder, error);
  }
  return status;
}

static pf_status finish(run *r, pf_comparison **out, pf_error *error)
{
  pf_status status = pf_compare_assemble(&r->work.candidates, &r->settings, &r->work.jobs,
                                         r->work.results, out, error);
  status = status == PF_OK ? pf_compare_tabulate(*out, error) : status;
  if (status == PF_OK) {
    (*out)->selection = r->selection;
    r->selection = (pf_selection){0};
  }
  status = status == PF_OK
               ? pf_compare_write(*out, r->config, &r->work.candidates, &r->folder, error)
               : status;
  status = status == PF_OK ? pf_folder_end_jobs(&r->folder, error) : status;
  status = status == PF_OK && r->work.candidates.items[0].own.problem->settings->report
               ? pf_html_write(r->folder.part, error)
               : status;
  status = status == PF_OK ? pf_folder_commit(&r->folder, r->request->force, error) : status;
  if (status != PF_OK && *out != NULL) {
    pf_comparison_free(*out);
    *out = NULL;
  }
  return status;
}

static void release(run *r)
{
  pf_selection_clear(&r->selection);
  pf_work_free(&r->work);
  pf_compare_settings_clear(&r->settings);
  pf_config_free(r->config);
  pf_folder_forget(&r->folder); /* what is done stays, to be resumed */
}

pf_status pf_compare_run(const pf_compare_request *request, pf_comparison **out, bool *misused,
                         pf_error *error)
{
  run r = {.request = request};
  *out = NULL;
  pf_status status = prepare(&r, error);
  *misused = status != PF_OK;
  if (status == PF_OK) {
    status = pf_work_do(&r.work, "comparing", error);
  }
  if (status == PF_OK && r.settings.select.asked) {
    status = pf_select_run(request, &r.settings, &r.folder, base_of(&r), &r.selection, error);
  }
  status = status == PF_OK ? finish(&r, out, error) : status;
  release(&r);
  return status;
}
