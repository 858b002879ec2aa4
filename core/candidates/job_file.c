/*
 * A job's result as a small text file:
 *
 *     plastfit-job 4
 *     key 0123456789abcdef 0123456789abcdef
 *     fit STATUS VERDICT N_FREE N_THETA N_SCORES N_ESTIMATES N_PREDICTIONS N_THETAS
 *         OBJECTIVE NOISE (one line)
 *     TEXT
 *     score ANIMAL VALIDATION ABLATION STATUS N N_FIT LL NO_PLASTICITY MEAN_RATE WIN_STAY
 *         LOGISTIC_HISTORY R2_WEIGHTS R2_ACTIVITY (one line)
 *     TEXT
 *     estimate ANIMAL THETA...
 *     prediction RECORDING VALIDATION N_STEPS P...
 *     theta RECORDING THETA...
 *     end
 *
 * Reals in C's hexadecimal notation, which gives the same bits back. TEXT: a line that says why, or
 * "-".
 */
#define _POSIX_C_SOURCE 200809L

#include "core/candidates/job_file.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/fit/fit_groups.h"
#include "core/ranking/ranking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 4 };
/* Far above what a comparison has, below what overflows. */
static const int64_t max_count = 1 << 24;

/** A file being written (`out`) or read (`at`). One function below describes the format for both:
 * what it passes is written, or replaced by what was read. */
typedef struct job_stream {
  FILE *out; /* NULL: reading */
  char *at;  /* what is still to be read */
  const char *end;
  bool lost; /* something else was found than expected */
} job_stream;

static void pass_word(job_stream *s, const char *word)
{
  if (s->out != NULL) {
    (void)fputs(word, s->out);
    return;
  }
  const size_t length = strlen(word);
  s->lost = s->lost || strncmp(s->at, word, length) != 0;
  s->at += s->lost ? 0 : length;
}

static int64_t pass_integer(job_stream *s, int64_t value, int64_t lowest, int64_t highest)
{
  if (s->out != NULL) {
    (void)fprintf(s->out, " %" PRId64, value);
    return value;
  }
  char *end = s->at;
  const long long found = strtoll(s->at, &end, 10);
  s->lost = s->lost || end == s->at || found < lowest || found > highest;
  s->at = end;
  return s->lost ? 0 : found;
}

static size_t pass_count(job_stream *s, size_t value)
{
  return (size_t)pass_integer(s, (int64_t)value, 0, max_count);
}

static void pass_reals(job_stream *s, double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (s->lost) {
      return;
    }
    if (s->out != NULL) {
      (void)fprintf(s->out, " %a", values[i]);
      continue;
    }
    char *end = s->at;
    values[i] = strtod(s->at, &end);
    s->lost = end == s->at;
    s->at = end;
  }
}

/** Memory that is to be read into; of a result that is written, its own. */
static void *pass_memory(job_stream *s, void *own, size_t n, size_t size)
{
  if (s->out != NULL) {
    return own;
  }
  /* a line of text each, or a blank and a digit: a short file asks for little memory */
  s->lost = s->lost || n > (size_t)(s->end - s->at);
  if (s->lost) {
    return NULL;
  }
  own = pf_memory_new(n, size);
  s->lost = own == NULL;
  return own;
}

/** A line of text, "-" for NULL. */
static char *pass_line(job_stream *s, char *text)
{
  if (s->out != NULL) {
    (void)fprintf(s->out, "\n%s\n", text == NULL ? "-" : text);
    return text;
  }
  pass_word(s, "\n");
  char *end = strchr(s->at, '\n');
  s->lost = s->lost || end == NULL;
  if (s->lost) {
    return NULL;
  }
  pf_error unused = pf_error_none();
  *end = '\0';
  char *copy = NULL;
  if (strcmp(s->at, "-") != 0) {
    copy = pf_memory_string(s->at, &unused);
    s->lost = copy == NULL;
  }
  s->at = end + 1;
  return copy;
}

static uint32_t pass_validation(job_stream *s, uint32_t validation)
{
  return (uint32_t)pass_integer(s, validation, 0, (int64_t)pf_validation_count() - 1);
}

static void pass_score(job_stream *s, pf_compare_row *score)
{
  double *const reals[] = {&score->log_likelihood,
                           &score->no_plasticity,
                           &score->mean_rate,
                           &score->baselines[PF_BASELINE_WIN_STAY],
                           &score->baselines[PF_BASELINE_HISTORY],
                           &score->r2_weights,
                           &score->r2_activity};
  pass_word(s, "score");
  score->animal = pass_count(s, score->animal);
  score->validation = pass_validation(s, score->validation);
  score->ablation = (uint32_t)pass_integer(s, score->ablation, 0, PF_N_ABLATIONS - 1);
  score->status = (pf_status)pass_integer(s, score->status, PF_STOP, PF_POINT_FAILED);
  score->n = pass_integer(s, score->n, INT64_MIN, INT64_MAX);
  score->n_fit = pass_integer(s, score->n_fit, INT64_MIN, INT64_MAX);
  for (size_t k = 0; k < sizeof reals / sizeof reals[0]; k++) {
    pass_reals(s, reals[k], 1);
  }
  score->error = pass_line(s, score->error);
}

static void pass_estimate(job_stream *s, pf_compare_estimate *estimate, size_t n_theta)
{
  pass_word(s, "estimate");
  estimate->animal = pass_count(s, estimate->animal);
  estimate->theta = pass_memory(s, estimate->theta, n_theta, sizeof(double));
  pass_reals(s, estimate->theta, n_theta);
  pass_word(s, "\n");
}

static void pass_prediction(job_stream *s, pf_compare_prediction *p)
{
  pass_word(s, "prediction");
  p->recording = pass_count(s, p->recording);
  p->validation = pass_validation(s, p->validation);
  p->n_steps = pass_integer(s, p->n_steps, 0, INT32_MAX);
  p->probability = pass_memory(s, p->probability, (size_t)p->n_steps, sizeof(double));
  pass_reals(s, p->probability, (size_t)p->n_steps);
  pass_word(s, "\n");
}

static void pass_theta(job_stream *s, pf_job_theta *theta, size_t n_theta)
{
  pass_word(s, "theta");
  theta->recording = pass_count(s, theta->recording);
  theta->theta = pass_memory(s, theta->theta, n_theta, sizeof(double));
  pass_reals(s, theta->theta, n_theta);
  pass_word(s, "\n");
}

static void pass_result(job_stream *s, const pf_job *job, pf_job_result *r)
{
  char head[96];
  (void)snprintf(head, sizeof head, "plastfit-job %d\nkey %016" PRIx64 " %016" PRIx64 "\nfit",
                 FORMAT, job->key[0], job->key[1]);
  pass_word(s, head);
  r->status = (pf_status)pass_integer(s, r->status, PF_STOP, PF_POINT_FAILED);
  r->verdict = (uint32_t)pass_integer(s, r->verdict, 0, PF_FIT_FAILED);
  r->n_free = pass_count(s, r->n_free);
  r->n_theta = pass_count(s, r->n_theta);
  r->n_scores = pass_count(s, r->n_scores);
  r->n_estimates = pass_count(s, r->n_estimates);
  r->n_predictions = pass_count(s, r->n_predictions);
  r->n_thetas = pass_count(s, r->n_thetas);
  pass_reals(s, &r->objective, 1);
  pass_reals(s, &r->noise, 1);
  r->error = pass_line(s, r->error);
  r->scores = pass_memory(s, r->scores, r->n_scores, sizeof *r->scores);
  r->estimates = pass_memory(s, r->estimates, r->n_estimates, sizeof *r->estimates);
  r->predictions = pass_memory(s, r->predictions, r->n_predictions, sizeof *r->predictions);
  r->thetas = pass_memory(s, r->thetas, r->n_thetas, sizeof *r->thetas);
  for (size_t i = 0; !s->lost && i < r->n_scores; i++) {
    pass_score(s, &r->scores[i]);
  }
  for (size_t i = 0; !s->lost && i < r->n_estimates; i++) {
    pass_estimate(s, &r->estimates[i], r->n_theta);
  }
  for (size_t i = 0; !s->lost && i < r->n_predictions; i++) {
    pass_prediction(s, &r->predictions[i]);
  }
  for (size_t i = 0; !s->lost && i < r->n_thetas; i++) {
    pass_theta(s, &r->thetas[i], r->n_theta);
  }
  pass_word(s, "end\n");
}

pf_status pf_job_write(const pf_job *job, const pf_job_result *result, const char *path,
                       pf_error *error)
{
  char part[4096];
  if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
    return pf_fail(error, PF_STOP, "%.200s...: the path is too long", path);
  }
  job_stream s = {.out = fopen(part, "w")};
  if (s.out == NULL) {
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", part, strerror(errno));
  }
  pf_job_result copy = *result; /* passed values are written back, the same */
  pass_result(&s, job, &copy);
  const bool failed = fflush(s.out) != 0 || ferror(s.out) != 0;
  const int reason = errno;
  if (fclose(s.out) != 0 || failed || rename(part, path) != 0) {
    const int why = failed ? reason : errno;
    (void)unlink(part);
    return pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(why));
  }
  return PF_OK;
}

/** The file's text, to be freed; NULL where there is none. */
static char *read_text(const char *path)
{
  FILE *file = fopen(path, "r");
  char bytes[4096];
  pf_array text = pf_array_of(1);
  pf_error unused = pf_error_none();
  if (file == NULL) {
    return NULL;
  }
  size_t n = fread(bytes, 1, sizeof bytes, file);
  while (n > 0 && pf_array_append_all(&text, bytes, n, &unused) == PF_OK) {
    n = fread(bytes, 1, sizeof bytes, file);
  }
  (void)fclose(file);
  if (n > 0 || pf_array_append_all(&text, "", 1, &unused) != PF_OK) {
    pf_array_free(&text); /* no memory */
  }
  return text.items;
}

bool pf_job_read(const pf_job *job, const char *path, pf_job_result *result)
{
  char *text = read_text(path);
  *result = (pf_job_result){0};
  if (text == NULL) {
    return false;
  }
  job_stream s = {.at = text, .end = text + strlen(text)};
  pass_result(&s, job, result);
  pf_memory_free(text);
  if (s.lost) {
    pf_job_result_clear(result);
    return false;
  }
  result->done = true;
  return true;
}
