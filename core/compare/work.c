#include "core/compare/work.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"

static int available_threads(const pf_work *work)
{
#ifdef _OPENMP
  return work->settings->n_threads > 0 ? work->settings->n_threads : omp_get_max_threads();
#else
  return 1;
#endif
}

/** "PART/jobs/PREFIX000012.job", to be freed; NULL with the line written. */
static char *job_path(const pf_work *work, size_t j, pf_error *error)
{
  char name[96];
  (void)snprintf(name, sizeof name, "jobs/%s%06zu.job", work->prefix, j);
  return pf_folder_path(work->folder, name, error);
}

static void read_finished(pf_work *work)
{
  for (size_t j = 0; j < work->jobs.n; j++) {
    pf_error unused = pf_error_none();
    char *path = job_path(work, j, &unused);
    if (path != NULL) {
      (void)pf_job_read(&work->jobs.items[j], path, &work->results[j]);
    }
    pf_memory_free(path);
  }
}

static pf_status do_job(pf_work *work, size_t j, int n_threads, pf_error *error)
{
  const pf_compare_request *request = work->request;
  pf_status status =
      pf_job_run(&work->candidates, work->settings, &work->jobs, &work->jobs.items[j], n_threads,
                 request->stop, request->payload, &work->results[j], error);
  char *path = status == PF_OK ? job_path(work, j, error) : NULL;
  if (status == PF_OK) {
    status =
        path == NULL ? PF_STOP : pf_job_write(&work->jobs.items[j], &work->results[j], path, error);
  }
  pf_memory_free(path);
  return status;
}

/**
 * Threads over jobs, or inside one job after the other where there are fewer jobs than threads.
 * Jobs share nothing, and a fit has the same bits for any number of threads, so the results do not
 * depend on which.
 */
static pf_status do_jobs(pf_work *work, const char *what, pf_error *error)
{
  size_t *todo = pf_memory_need(work->jobs.n, sizeof *todo, error);
  pf_error *errors = pf_memory_need(work->jobs.n, sizeof *errors, error);
  pf_status *statuses = pf_memory_need(work->jobs.n, sizeof *statuses, error);
  pf_status status = todo == NULL || errors == NULL || statuses == NULL ? PF_STOP : PF_OK;
  int64_t n = 0;
  for (size_t j = 0; j < work->jobs.n && status == PF_OK; j++) {
    if (!work->results[j].done) {
      todo[n++] = j;
    }
  }
  if (status == PF_OK) {
    const int n_threads = available_threads(work);
    const bool over_jobs = n >= n_threads;
    pf_ticker ticker = {0};
    pf_ticker_start(&ticker, work->request->progress, work->request->payload, what, n);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_jobs)
    for (int64_t k = 0; k < n; k++) {
      errors[k] = pf_error_none();
      const bool stop = work->request->stop != NULL && work->request->stop(work->request->payload);
      statuses[k] =
          stop ? PF_POINT_FAILED : do_job(work, todo[k], over_jobs ? 1 : n_threads, &errors[k]);
      pf_ticker_add(&ticker, 1);
    }
    pf_ticker_end(&ticker);
  }
  size_t done = work->jobs.n - (size_t)n;
  for (int64_t k = 0; k < n && status != PF_STOP; k++) {
    done += statuses[k] == PF_OK ? 1 : 0;
    if (statuses[k] == PF_STOP) {
      status = pf_fail(error, PF_STOP, "%s", errors[k].text);
    } else if (statuses[k] != PF_OK) {
      status = PF_POINT_FAILED;
    }
  }
  if (status == PF_POINT_FAILED) {
    (void)pf_fail(error, status,
                  "interrupted with %zu of %zu fits done; they are kept in '%s': the same command "
                  "with --resume goes on",
                  done, work->jobs.n, work->folder->part);
  }
  pf_memory_free(todo);
  pf_memory_free(errors);
  pf_memory_free(statuses);
  return status;
}

pf_status pf_work_prepare(pf_work *work, pf_error *error)
{
  pf_status status =
      pf_candidates_create(&work->request->source, work->settings, &work->candidates, error);
  status = status == PF_OK ? pf_jobs_create(&work->candidates, work->settings, &work->jobs, error)
                           : status;
  if (status == PF_OK) {
    work->results = pf_memory_need(work->jobs.n, sizeof *work->results, error);
    status = work->results == NULL ? PF_STOP : PF_OK;
  }
  return status;
}

pf_status pf_work_do(pf_work *work, const char *what, pf_error *error)
{
  if (work->request->resume) {
    read_finished(work);
  }
  return do_jobs(work, what, error);
}

void pf_work_free(pf_work *work)
{
  for (size_t j = 0; work->results != NULL && j < work->jobs.n; j++) {
    pf_job_result_clear(&work->results[j]);
  }
  pf_memory_free(work->results);
  pf_jobs_free(&work->jobs);
  pf_candidates_free(&work->candidates);
}
