/* A reward schedule from a CSV file: a row per trial, a column per cue. Trials with equal rows make
 * one block. */
#include "cues.h"
#include <plastfit/author/csv.h>

/** Room for one block more. */
static pf_status reserve(cue_task *task, int64_t *capacity, pf_error *error)
{
  if (task->n_blocks < *capacity) {
    return PF_OK;
  }
  const pf_host *host = task->host;
  const int64_t larger = *capacity == 0 ? 16 : 2 * *capacity;
  cue_block *blocks = host->allocate(host, (size_t)larger * sizeof *blocks);
  double *reward = host->allocate(host, (size_t)(larger * task->n_cues) * sizeof *reward);
  if (blocks == NULL || reward == NULL) {
    host->release(host, blocks);
    host->release(host, reward);
    return pf_fail(error, PF_STOP, "out of memory for a schedule");
  }
  if (task->n_blocks > 0) {
    memcpy(blocks, task->blocks, (size_t)task->n_blocks * sizeof *blocks);
    memcpy(reward, task->reward, (size_t)(task->n_blocks * task->n_cues) * sizeof *reward);
  }
  host->release(host, task->blocks);
  host->release(host, task->reward);
  task->blocks = blocks;
  task->reward = reward;
  *capacity = larger;
  return PF_OK;
}

/** Is the row one of column names? Then none of its cells is a number. */
static int is_header(const pf_csv *csv)
{
  for (size_t k = 0; k < csv->n_fields; k++) {
    double value = 0.0;
    if (pf_csv_number(pf_csv_field(csv, k), &value)) {
      return 0;
    }
  }
  return 1;
}

/** A trial: it continues the last block, or begins one. */
static pf_status add_trial(cue_task *task, const pf_csv *csv, int64_t *capacity, pf_error *error)
{
  pf_status status = reserve(task, capacity, error);
  if (status != PF_OK) {
    return status;
  }
  double *row = task->reward + task->n_blocks * task->n_cues;
  int same = task->n_blocks > 0;
  for (int64_t k = 0; k < task->n_cues; k++) {
    const char *text = pf_csv_field(csv, (size_t)k);
    if (!pf_csv_number(text, &row[k]) || !(row[k] >= 0.0 && row[k] <= 1.0)) {
      return pf_fail_key(
          error, PF_STOP, "task.schedule",
          "%.500s:%lld: column %lld: found '%.60s', expected a probability from 0 to 1", csv->path,
          (long long)csv->line, (long long)k + 1, text);
    }
    same = same && row[k] == row[k - task->n_cues];
  }
  if (same) {
    task->blocks[task->n_blocks - 1].end += 1.0;
    return PF_OK;
  }
  task->blocks[task->n_blocks].end =
      (task->n_blocks > 0 ? task->blocks[task->n_blocks - 1].end : 0.0) + 1.0;
  task->n_blocks++;
  return PF_OK;
}

static pf_status read_rows(cue_task *task, pf_csv *csv, pf_error *error)
{
  int64_t capacity = 0;
  int got = 0;
  pf_status status = pf_csv_next(csv, &got, error);
  if (status != PF_OK) {
    return status;
  }
  const int64_t found = got ? (int64_t)csv->n_fields : 0;
  if (task->n_cues > 0 && found != task->n_cues) {
    return pf_fail_key(error, PF_STOP, "task.schedule",
                       "%.500s:%lld: found %lld columns; %s has %lld cues", csv->path,
                       (long long)csv->line, (long long)found, task->kind, (long long)task->n_cues);
  }
  task->n_cues = found;
  if (got && is_header(csv)) {
    status = pf_csv_next(csv, &got, error);
    if (status != PF_OK) {
      return status;
    }
  }
  while (got) {
    if (pf_csv_check_width(csv, (size_t)found, error) != PF_OK ||
        add_trial(task, csv, &capacity, error) != PF_OK || pf_csv_next(csv, &got, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (task->n_blocks == 0) {
    return pf_fail_key(
        error, PF_STOP, "task.schedule",
        "%.500s: has no trials, expected a row per trial with the reward probability of each cue",
        csv->path);
  }
  return PF_OK;
}

pf_status cues_read_schedule(cue_task *task, const char *path, pf_error *error)
{
  pf_csv csv;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  status = read_rows(task, &csv, error);
  pf_csv_close(&csv);
  return status;
}
