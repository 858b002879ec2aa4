#include "core/compare/work.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"
#include "core/compare/job_check.h"
#include "core/compare/job_file.h"

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
    pf_job_result *result = &work->results[j];
    if (path != NULL && pf_job_read(&work->jobs.items[j], path, result) &&
        !pf_job_result_belongs(&work->jobs, &work->jobs.items[j], result)) {
      pf_job_result_clear(result); /* damaged: done again */
    }
    pf_memory_free(path);
  }
}

static pf_status do_job(pf_work *work, size_t j, int n_threads, pf_error *error)
{
  const pf_job_run_options options = {
      .n_threads = n_threads,
      .stop = work->request->stop,
      .payload = work->request->payload,
      .results = work->results};
  const pf_job *job = &work->jobs.items[j];
  pf_status status = pf_job_run(&work->jobs, job, &options, &work->results[j], error);
  if (status != PF_OK) {
    return status;
  }
  char *path = job_path(work, j, error);
  if (path == NULL) {
    return PF_STOP;
  }
  status = pf_job_write(job, &work->results[j], path, error);
  pf_memory_free(path);
  return status;
}

/** A job that is still to be done, and how that ended. */
typedef struct todo {
  size_t job;
  pf_status status;
  pf_error error;
} todo;

/**
 * Threads over jobs, or inside one job after the other where there are fewer jobs than threads. A
 * fit has the same bits for any number of threads, so the results do not depend on which.
 */
static void do_level(pf_work *work, todo *todos, int64_t n, pf_ticker *ticker)
{
  const pf_compare_request *request = work->request;
  const int n_threads = available_threads(work);
  const bool over_jobs = n >= n_threads;
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_jobs)
  for (int64_t k = 0; k < n; k++) {
    todo *one = &todos[k];
    one->error = pf_error_none();
    one->status = PF_POINT_FAILED;
    if (request->stop == NULL || !request->stop(request->payload)) {
      one->status = do_job(work, one->job, over_jobs ? 1 : n_threads, &one->error);
    }
    pf_ticker_add(ticker, 1);
  }
}

/** Level by level: a level may start from the optima of those before it. */
static void do_all(pf_work *work, todo *todos, size_t n, const char *what)
{
  pf_ticker ticker = {0};
  pf_ticker_start(&ticker, work->request->progress, work->request->payload, what, (int64_t)n);
  for (size_t first = 0; first < n;) {
    size_t end = first + 1;
    while (end < n &&
           work->jobs.items[todos[end].job].level == work->jobs.items[todos[first].job].level) {
      end++;
    }
    do_level(work, todos + first, (int64_t)(end - first), &ticker);
    first = end;
  }
  pf_ticker_end(&ticker);
}

/** The jobs that are still to be done, by their level, then in their order. */
static size_t list_todos(const pf_work *work, todo *todos)
{
  size_t n = 0, n_left = 0;
  for (size_t j = 0; j < work->jobs.n; j++) {
    n_left += work->results[j].done ? 0 : 1;
  }
  for (size_t level = 0; n < n_left; level++) {
    for (size_t j = 0; j < work->jobs.n; j++) {
      if (work->jobs.items[j].level == level && !work->results[j].done) {
        todos[n++].job = j;
      }
    }
  }
  return n;
}

pf_status pf_work_prepare(pf_work *work, pf_error *error)
{
  if (pf_candidates_create(&work->request->source, work->settings, &work->candidates, error) !=
          PF_OK ||
      pf_jobs_create(&work->candidates, work->settings, &work->jobs, error) != PF_OK) {
    return PF_STOP;
  }
  work->results = pf_memory_need(work->jobs.n, sizeof *work->results, error);
  return work->results == NULL ? PF_STOP : PF_OK;
}

pf_status pf_work_do(pf_work *work, const char *what, pf_error *error)
{
  if (work->request->resume) {
    read_finished(work);
  }
  todo *todos = pf_memory_need(work->jobs.n, sizeof *todos, error);
  if (todos == NULL) {
    return PF_STOP;
  }
  const size_t n = list_todos(work, todos);
  size_t n_done = 0;
  do_all(work, todos, n, what);
  pf_status status = PF_OK;
  for (size_t k = 0; k < n; k++) {
    if (todos[k].status == PF_OK) {
      n_done++;
      continue;
    }
    status = todos[k].status;
    if (status == PF_STOP) {
      (void)pf_fail(error, PF_STOP, "%s", todos[k].error.text);
      break;
    }
  }
  if (status == PF_POINT_FAILED) {
    (void)pf_fail(error, status,
                  "interrupted with %zu of %zu fits done; they are kept in '%s': the same command "
                  "with --resume goes on",
                  work->jobs.n - n + n_done, work->jobs.n, work->folder->part);
  }
  pf_memory_free(todos);
  return status;
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
