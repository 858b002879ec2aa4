#include "core/compare/work.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/base/ticker.h"
#include "core/candidates/job_check.h"
#include "core/candidates/job_file.h"

#include <math.h>

int pf_work_threads(const pf_work *work)
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

static bool is_there(const char *path)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return false;
  }
  (void)fclose(file);
  return true;
}

/** The result of job j, where it was kept and is of this job; true: what was kept is not. */
static bool read_result(pf_work *work, size_t j)
{
  pf_error unused = pf_error_none();
  char *path = job_path(work, j, &unused);
  pf_job_result *result = &work->results[j];
  if (path == NULL) {
    return false;
  }
  if (pf_job_read(&work->jobs.items[j], path, result) &&
      !pf_job_result_belongs(&work->jobs, &work->jobs.items[j], result)) {
    pf_job_result_clear(result); /* damaged: done again */
  }
  const bool is_other = !result->done && is_there(path);
  pf_memory_free(path);
  return is_other;
}

static void read_finished(pf_work *work)
{
  const pf_host *host = pf_host_default();
  size_t n_other = 0;
  char line[PF_ERROR_LENGTH];
  for (size_t j = 0; j < work->jobs.n; j++) {
    n_other += read_result(work, j) ? 1 : 0;
  }
  if (n_other > 0) {
    (void)snprintf(line, sizeof line,
                   "--resume: %zu of the fits kept in '%.300s' are of another config, of other "
                   "data, or of another build of plastfit or a plugin; they are done again",
                   n_other, work->folder->part);
    host->warn(host, line);
  }
}

static pf_status do_job(pf_work *work, size_t j, bool again, int n_threads, pf_error *error)
{
  const pf_job_run_options options = {.n_threads = n_threads,
                                      .stop = work->request->stop,
                                      .payload = work->request->payload,
                                      .results = work->results,
                                      .again = again};
  const pf_job *job = &work->jobs.items[j];
  pf_job_result result = {0};
  pf_status status = pf_job_run(&work->jobs, job, &options, &result, error);
  if (status != PF_OK) {
    return status;
  }
  pf_job_result_clear(&work->results[j]);
  work->results[j] = result;
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

/** Jobs that are done at one time. */
typedef struct wave {
  todo *todos; /* [jobs.n] */
  size_t n;
  bool again; /* once more, from smaller candidates' optima */
} wave;

/**
 * Threads over jobs, or inside one job after the other where there are fewer jobs than threads. A
 * fit has the same bits for any number of threads, so the results do not depend on which.
 */
static void do_wave(pf_work *work, wave *w, pf_ticker *ticker)
{
  const pf_compare_request *request = work->request;
  const int n_threads = pf_work_threads(work);
  const int64_t n = (int64_t)w->n;
  const bool over_jobs = n >= n_threads;
#pragma omp parallel for schedule(dynamic) num_threads(n_threads) if (over_jobs)
  for (int64_t k = 0; k < n; k++) {
    todo *one = &w->todos[k];
    one->error = pf_error_none();
    one->status = PF_POINT_FAILED;
    if (request->stop == NULL || !request->stop(request->payload)) {
      one->status = do_job(work, one->job, w->again, over_jobs ? 1 : n_threads, &one->error);
    }
    pf_ticker_add(ticker, 1);
  }
}

/* A difference of objectives below this share of them is rounding. */
static const double rounding = 1e-9;

/** Has a smaller candidate, which this one contains, a better objective? */
static bool is_worse_than_smaller(const pf_work *work, size_t j)
{
  const pf_job_result *own = &work->results[j];
  for (size_t k = 0; k < work->jobs.n; k++) {
    const pf_job_result *other = &work->results[k];
    if (!other->done || other->status != PF_OK ||
        !pf_job_contains(&work->jobs, &work->jobs.items[j], &work->jobs.items[k])) {
      continue;
    }
    if (own->status != PF_OK ||
        other->objective < own->objective - rounding * fabs(own->objective)) {
      return true;
    }
  }
  return false;
}

/** The jobs of a level that are to be done: those that are not done; again: those that are worse
 * than what they contain. */
static void fill_wave(const pf_work *work, size_t level, bool refit, wave *w)
{
  w->n = 0;
  for (size_t j = 0; j < work->jobs.n; j++) {
    const pf_job *job = &work->jobs.items[j];
    if (job->level != level || job->refit != refit) {
      continue;
    }
    if (w->again ? is_worse_than_smaller(work, j) : !work->results[j].done) {
      w->todos[w->n++].job = j;
    }
  }
}

/** PF_STOP of a job ends all; PF_POINT_FAILED: interrupted. */
static pf_status check_wave(const wave *w, pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t k = 0; k < w->n; k++) {
    if (w->todos[k].status == PF_STOP) {
      return pf_fail(error, PF_STOP, "%s", w->todos[k].error.text);
    }
    status = w->todos[k].status == PF_OK ? status : PF_POINT_FAILED;
  }
  return status;
}

/** From the biggest candidates down, each from what was found above it; then up again, those that
 * are worse than what they contain. */
static pf_status do_all(pf_work *work, wave *w, pf_ticker *ticker, pf_error *error)
{
  size_t n_levels = 0;
  for (size_t j = 0; j < work->jobs.n; j++) {
    const size_t level = work->jobs.items[j].level;
    n_levels = level + 1 > n_levels ? level + 1 : n_levels;
  }
  for (size_t step = 0; step < 4 * n_levels; step++) {
    w->again = step >= 2 * n_levels;
    const size_t level = w->again ? step / 2 - n_levels : n_levels - 1 - step / 2;
    fill_wave(work, level, step % 2 == 1, w);
    do_wave(work, w, ticker);
    const pf_status status = check_wave(w, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
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

static int64_t count_jobs(const pf_work *work, bool done)
{
  int64_t n = 0;
  for (size_t j = 0; j < work->jobs.n; j++) {
    n += work->results[j].done == done ? 1 : 0;
  }
  return n;
}

pf_status pf_work_do(pf_work *work, const char *what, pf_error *error)
{
  if (work->request->resume) {
    read_finished(work);
  }
  wave w = {.todos = pf_memory_need(work->jobs.n, sizeof *w.todos, error)};
  if (w.todos == NULL) {
    return PF_STOP;
  }
  pf_ticker ticker = {0};
  pf_ticker_start(&ticker, work->request->progress, work->request->payload, what,
                  count_jobs(work, false));
  const pf_status status = do_all(work, &w, &ticker, error);
  pf_ticker_end(&ticker);
  pf_memory_free(w.todos);
  if (status == PF_POINT_FAILED) {
    (void)pf_fail(error, status,
                  "interrupted with %lld of %zu fits done; they are kept in '%s': the same command "
                  "with --resume goes on",
                  (long long)count_jobs(work, true), work->jobs.n, work->folder->part);
  }
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
