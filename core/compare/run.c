#include "core/compare/run.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/threads.h"
#include "core/compare/assemble.h"
#include "core/compare/job.h"
#include "core/compare/write.h"
#include "core/fit/ticker.h"
#include "core/report/folder.h"
#include "core/report/html.h"

#include <inttypes.h>
#include <string.h>

/** Everything while it runs. */
typedef struct run {
  const pf_compare_request *request;
  pf_config *config;
  pf_compare_settings settings;
  pf_candidates candidates;
  pf_jobs jobs;
  pf_job_result *results; /* [jobs.n] */
  pf_folder folder;
  pf_ticker ticker;
} run;

static int available_threads(const run *r)
{
#ifdef _OPENMP
  return r->settings.n_threads > 0 ? r->settings.n_threads : omp_get_max_threads();
#else
  return 1;
#endif
}

/** "PART/jobs/00012.job", to be freed; NULL with the line written. */
static char *job_path(const run *r, size_t j, pf_error *error)
{
  char name[48];
  (void)snprintf(name, sizeof name, "jobs/%06zu.job", j);
  return pf_folder_path(&r->folder, name, error);
}

static void read_finished(run *r)
{
  for (size_t j = 0; j < r->jobs.n; j++) {
    pf_error unused = pf_error_none();
    char *path = job_path(r, j, &unused);
    if (path != NULL) {
      (void)pf_job_read(&r->jobs.items[j], path, &r->results[j]);
    }
    pf_memory_free(path);
  }
}

static pf_status do_job(run *r, size_t j, int n_threads, pf_error *error)
{
  const pf_compare_request *request = r->request;
  pf_status status = pf_job_run(&r->candidates, &r->settings, &r->jobs, &r->jobs.items[j], n_threads, request->stop,
                                request->payload, &r->results[j], error);
  char *path = status == PF_OK ? job_path(r, j, error) : NULL;
  if (status == PF_OK) {
    status = path == NULL ? PF_STOP : pf_job_write(&r->jobs.items[j], &r->results[j], path, error);
  }
  pf_memory_free(path);
  return status;
}

/**
 * Threads over jobs, or inside one job after the other where there are fewer jobs than threads. Jobs share nothing, and
 * a fit has the same bits for any number of threads, so the results do not depend on which.
 */
static pf_status do_jobs(run *r, pf_error *error)
{
  size_t *todo = pf_memory_need(r->jobs.n, sizeof *todo, error);
  pf_error *errors = pf_memory_need(r->jobs.n, sizeof *errors, error);
  pf_status *statuses = pf_memory_need(r->jobs.n, sizeof *statuses, error);
  pf_status status = todo == NULL || errors == NULL || statuses == NULL ? PF_STOP : PF_OK;
  int64_t n = 0;
  for (size_t j = 0; j < r->jobs.n && status == PF_OK; j++) {
    if (!r->results[j].done) {
      todo[n++] = j;
    }
  }
  if (status == PF_OK) {
    const int n_threads = available_threads(r);
    const bool over_jobs = n >= n_threads;
    pf_ticker_start(&r->ticker, r->request->progress, r->request->payload, "comparing", n);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_jobs)
    for (int64_t k = 0; k < n; k++) {
      errors[k] = pf_error_none();
      const bool stop = r->request->stop != NULL && r->request->stop(r->request->payload);
      statuses[k] = stop ? PF_POINT_FAILED : do_job(r, todo[k], over_jobs ? 1 : n_threads, &errors[k]);
      pf_ticker_add(&r->ticker, 1);
    }
    pf_ticker_end(&r->ticker);
  }
  size_t done = r->jobs.n - (size_t)n;
  for (int64_t k = 0; k < n && status != PF_STOP; k++) {
    done += statuses[k] == PF_OK ? 1 : 0;
    if (statuses[k] == PF_STOP) {
      status = pf_fail(error, PF_STOP, "%s", errors[k].text);
    } else if (statuses[k] != PF_OK) {
      status = PF_POINT_FAILED;
    }
  }
  if (status == PF_POINT_FAILED) {
    (void)pf_fail(
        error, status,
        "interrupted with %zu of %zu fits done; they are kept in '%s': the same command with --resume goes on", done,
        r->jobs.n, r->folder.part);
  }
  pf_memory_free(todo);
  pf_memory_free(errors);
  pf_memory_free(statuses);
  return status;
}

/** What is fully said before any fit: config, candidates, jobs. */
static pf_status prepare(run *r, pf_error *error)
{
  const pf_candidate_source *source = &r->request->source;
  pf_status status = pf_config_read(source->path, source->overrides, source->n_overrides, &r->config, error);
  status = status == PF_OK ? pf_compare_settings_read(r->config, &r->settings, error) : status;
  if (status == PF_OK) {
    status = pf_folder_check(r->settings.out, r->request->force, error);
  }
  status = status == PF_OK ? pf_candidates_create(source, &r->settings, &r->candidates, error) : status;
  status = status == PF_OK ? pf_jobs_create(&r->candidates, &r->settings, &r->jobs, error) : status;
  if (status == PF_OK) {
    r->results = pf_memory_need(r->jobs.n, sizeof *r->results, error);
    status = r->results == NULL ? PF_STOP : PF_OK;
  }
  if (status == PF_OK) {
    status = pf_folder_begin_jobs(r->settings.out, r->request->force, r->request->resume, &r->folder, error);
  }
  return status;
}

static pf_status finish(run *r, pf_comparison **out, pf_error *error)
{
  pf_status status = pf_compare_assemble(&r->candidates, &r->settings, &r->jobs, r->results, out, error);
  status = status == PF_OK ? pf_compare_tabulate(*out, error) : status;
  status = status == PF_OK ? pf_compare_write(*out, r->config, &r->candidates, &r->folder, error) : status;
  status = status == PF_OK ? pf_folder_end_jobs(&r->folder, error) : status;
  status =
      status == PF_OK && r->candidates.items[0].own.problem->report ? pf_html_write(r->folder.part, error) : status;
  status = status == PF_OK ? pf_folder_commit(&r->folder, r->request->force, error) : status;
  if (status != PF_OK && *out != NULL) {
    pf_comparison_free(*out);
    *out = NULL;
  }
  return status;
}

static void release(run *r)
{
  for (size_t j = 0; r->results != NULL && j < r->jobs.n; j++) {
    pf_job_result_clear(&r->results[j]);
  }
  pf_memory_free(r->results);
  pf_jobs_free(&r->jobs);
  pf_candidates_free(&r->candidates);
  pf_compare_settings_clear(&r->settings);
  pf_config_free(r->config);
  pf_folder_forget(&r->folder); /* what is done stays, to be resumed */
}

pf_status pf_compare_run(const pf_compare_request *request, pf_comparison **out, bool *misused, pf_error *error)
{
  run r = {.request = request};
  *out = NULL;
  pf_status status = prepare(&r, error);
  *misused = status != PF_OK;
  if (status == PF_OK) {
    if (request->resume) {
      read_finished(&r);
    }
    status = do_jobs(&r, error);
  }
  status = status == PF_OK ? finish(&r, out, error) : status;
  release(&r);
  return status;
}
