/*
 * A job's result as a small text file, so that an interrupted comparison goes on where it was:
 *
 *     plastfit-job 1
 *     key 0123456789abcdef 0123456789abcdef
 *     fit STATUS N_FREE N_THETA N_SCORES N_ESTIMATES N_PREDICTIONS
 *     TEXT
 *     score ANIMAL VALIDATION ABLATION STATUS N N_FIT LL NO_PLASTICITY MEAN_RATE R2_WEIGHTS
 * R2_ACTIVITY TEXT estimate ANIMAL THETA... prediction RECORDING VALIDATION N_STEPS P... end
 *
 * Numbers in C's hexadecimal notation, which gives the same bits back. TEXT: a line that says why,
 * or "-".
 */
#define _POSIX_C_SOURCE 200809L

#include "core/compare/job.h"

#include "core/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1 };

/* ---- writing ---- */

static void write_line(FILE *file, const char *text)
{
  (void)fprintf(file, "%s\n", text == NULL ? "-" : text);
}

static void write_numbers(FILE *file, const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    (void)fprintf(file, " %a", values[i]);
  }
  (void)fputc('\n', file);
}

static void write_all(FILE *file, const pf_job *job, const pf_job_result *result)
{
  (void)fprintf(file, "plastfit-job %d\nkey %016" PRIx64 " %016" PRIx64 "\n", FORMAT, job->key[0],
                job->key[1]);
  (void)fprintf(file, "fit %d %zu %zu %zu %zu %zu\n", (int)result->status, result->n_free,
                result->n_theta, result->n_scores, result->n_estimates, result->n_predictions);
  write_line(file, result->error);
  for (size_t i = 0; i < result->n_scores; i++) {
    const pf_job_score *s = &result->scores[i];
    const double values[] = {s->log_likelihood, s->no_plasticity, s->mean_rate, s->r2_weights,
                             s->r2_activity};
    (void)fprintf(file, "score %zu %" PRIu32 " %" PRIu32 " %d %" PRId64 " %" PRId64, s->animal,
                  s->validation, s->ablation, (int)s->status, s->n, s->n_fit);
    write_numbers(file, values, 5);
    write_line(file, s->error);
  }
  for (size_t i = 0; i < result->n_estimates; i++) {
    (void)fprintf(file, "estimate %zu", result->estimates[i].animal);
    write_numbers(file, result->estimates[i].theta, result->n_theta);
  }
  for (size_t i = 0; i < result->n_predictions; i++) {
    const pf_job_prediction *p = &result->predictions[i];
    (void)fprintf(file, "prediction %zu %" PRIu32 " %" PRId64, p->recording, p->validation,
                  p->n_steps);
    write_numbers(file, p->probability, (size_t)p->n_steps);
  }
  (void)fprintf(file, "end\n");
}

pf_status pf_job_write(const pf_job *job, const pf_job_result *result, const char *path,
                       pf_error *error)
{
  char part[4096];
  if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
    return pf_fail(error, PF_STOP, "%.200s...: the path is too long", path);
  }
  FILE *file = fopen(part, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", part, strerror(errno));
  }
  write_all(file, job, result);
  const bool failed = fflush(file) != 0 || ferror(file) != 0;
  const int reason = errno;
  if (fclose(file) != 0 || failed || rename(part, path) != 0) {
    const int why = failed ? reason : errno;
    (void)unlink(part);
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(why));
  }
  return PF_OK;
}

/* ---- reading ---- */

/** The text of the file, so that numbers can be taken off its front. */
typedef struct reader {
  char *text;
  char *at;
  bool lost; /* something else than expected stood there */
} reader;

static void expect(reader *r, const char *word)
{
  const size_t length = strlen(word);
  r->at += strspn(r->at, " \n");
  r->lost = r->lost || strncmp(r->at, word, length) != 0;
  r->at += r->lost ? 0 : length;
}

static int64_t whole(reader *r)
{
  char *end = r->at;
  const long long value = strtoll(r->at, &end, 10);
  r->lost = r->lost || end == r->at;
  r->at = end;
  return value;
}

static size_t count(reader *r, size_t most)
{
  const int64_t value = whole(r);
  r->lost = r->lost || value < 0 || (uint64_t)value > most;
  return r->lost ? 0 : (size_t)value;
}

static double number(reader *r)
{
  char *end = r->at;
  const double value = strtod(r->at, &end);
  r->lost = r->lost || end == r->at;
  r->at = end;
  return value;
}

static char *line(reader *r)
{
  pf_error unused = pf_error_none();
  r->at += *r->at == '\n' ? 1 : 0;
  char *end = strchr(r->at, '\n');
  if (r->lost || end == NULL) {
    r->lost = true;
    return NULL;
  }
  *end = '\0';
  char *copy = strcmp(r->at, "-") == 0 ? NULL : pf_memory_string(r->at, &unused);
  r->at = end + 1;
  return copy;
}

static double *numbers(reader *r, size_t n)
{
  double *values = r->lost ? NULL : pf_memory_new(n, sizeof *values);
  r->lost = r->lost || values == NULL;
  for (size_t i = 0; i < n && !r->lost; i++) {
    values[i] = number(r);
  }
  return values;
}

static void read_parts(reader *r, pf_job_result *result, size_t n_scores, size_t n_estimates,
                       size_t n_predictions)
{
  result->scores = pf_memory_new(n_scores, sizeof *result->scores);
  result->estimates = pf_memory_new(n_estimates, sizeof *result->estimates);
  result->predictions = pf_memory_new(n_predictions, sizeof *result->predictions);
  r->lost =
      r->lost || result->scores == NULL || result->estimates == NULL || result->predictions == NULL;
  for (size_t i = 0; i < n_scores && !r->lost; i++) {
    pf_job_score *s = &result->scores[result->n_scores++];
    expect(r, "score");
    s->animal = count(r, SIZE_MAX / 2);
    s->validation = (uint32_t)count(r, PF_N_VALIDATIONS - 1);
    s->ablation = (uint32_t)count(r, PF_N_ABLATIONS - 1);
    s->status = (pf_status)whole(r);
    s->n = whole(r);
    s->n_fit = whole(r);
    s->log_likelihood = number(r);
    s->no_plasticity = number(r);
    s->mean_rate = number(r);
    s->r2_weights = number(r);
    s->r2_activity = number(r);
    s->error = line(r);
  }
  for (size_t i = 0; i < n_estimates && !r->lost; i++) {
    expect(r, "estimate");
    result->estimates[result->n_estimates].animal = count(r, SIZE_MAX / 2);
    result->estimates[result->n_estimates++].theta = numbers(r, result->n_theta);
  }
  for (size_t i = 0; i < n_predictions && !r->lost; i++) {
    pf_job_prediction *p = &result->predictions[result->n_predictions++];
    expect(r, "prediction");
    p->recording = count(r, SIZE_MAX / 2);
    p->validation = (uint32_t)count(r, PF_N_VALIDATIONS - 1);
    p->n_steps = (int64_t)count(r, INT32_MAX);
    p->probability = numbers(r, (size_t)p->n_steps);
  }
}

static char *slurp(const char *path)
{
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    return NULL;
  }
  size_t used = 0, capacity = 1 << 14;
  char *text = malloc(capacity);
  while (text != NULL) {
    used += fread(text + used, 1, capacity - used - 1, file);
    if (feof(file) || ferror(file)) {
      break;
    }
    char *grown = used + 1 == capacity ? realloc(text, capacity *= 2) : text;
    if (grown == NULL) {
      free(text);
    }
    text = grown;
  }
  (void)fclose(file);
  if (text != NULL) {
    text[used] = '\0';
  }
  return text;
}

bool pf_job_read(const pf_job *job, const char *path, pf_job_result *result)
{
  char head[96];
  reader r = {.text = slurp(path)};
  *result = (pf_job_result){0};
  if (r.text == NULL) {
    return false;
  }
  r.at = r.text;
  (void)snprintf(head, sizeof head, "plastfit-job %d\nkey %016" PRIx64 " %016" PRIx64 "\n", FORMAT,
                 job->key[0], job->key[1]);
  expect(&r, head);
  if (!r.lost) {
    const size_t most = 1U << 24; /* far above what a comparison has; below what overflows */
    expect(&r, "fit");
    result->status = (pf_status)whole(&r);
    result->n_free = count(&r, most);
    result->n_theta = count(&r, most);
    const size_t n_scores = count(&r, most), n_estimates = count(&r, most),
                 n_predictions = count(&r, most);
    result->error = line(&r);
    read_parts(&r, result, n_scores, n_estimates, n_predictions);
    expect(&r, "end\n");
  }
  free(r.text);
  if (r.lost) {
    pf_job_result_clear(result);
    return false;
  }
  result->done = true;
  return true;
}
