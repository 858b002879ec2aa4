/*
 * Work: some candidates, the jobs that score them, and their results, done on all threads and kept
 * in files. A comparison is one piece of work; the selection of terms (core/compare/select.h) is
 * one a round.
 */
#ifndef PLASTFIT_CORE_COMPARE_WORK_H
#define PLASTFIT_CORE_COMPARE_WORK_H

#include "core/candidates/job.h"
#include "core/store/folder.h"

/** What a user asks for. */
typedef struct pf_compare_request {
  pf_candidate_source source;
  bool force, resume;
  pf_progress progress; /**< MAY be NULL, as may the next two */
  pf_stop stop;
  void *payload;
} pf_compare_request;

typedef struct pf_work {
  const pf_compare_request *request; /* the first four are set, and kept, by the caller */
  const pf_compare_settings *settings;
  const pf_folder *folder; /**< MUST be there before pf_work_do */
  const char *prefix;      /**< of its files, "" or "select-forward-03-": jobs/PREFIX000012.job */
  pf_candidates candidates;
  pf_jobs jobs;
  pf_job_result *results; /**< [jobs.n] */
} pf_work;

/** Candidates, jobs, room for results. */
pf_status pf_work_prepare(pf_work *work, pf_error *error);
/**
 * Do what the folder's files do not have yet (request->resume: look; else all). PF_POINT_FAILED:
 * interrupted, what is done stays in the files.
 */
pf_status pf_work_do(pf_work *work, const char *what, pf_error *error);
/** How many threads its fits may have. */
int pf_work_threads(const pf_work *work);
void pf_work_free(pf_work *work);

#endif
