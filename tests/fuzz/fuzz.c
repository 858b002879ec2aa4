/*
 * Whatever a file holds, the end is a result or a line. One target for each kind of file that
 * somebody may hand over:
 *
 *     config     a config, to the problem
 *     terms      rules.learn.terms of a config, with a fit of one step
 *     expr       a formula of rule expr, with a fit of one step
 *     csv, npz   data, to the problem
 *     theta      theta.csv to start from
 *     job        a job of an interrupted comparison
 *     summary.json, fit.csv, theta.csv, simulated.csv, trajectories.h5, config.cfg
 *                that file of a run folder, to report.html
 *
 * tests/fuzz/README.md says how to run them. With -DPF_LIBFUZZER it is a target of libFuzzer; else
 * a program that replays a folder of inputs, and changed copies of them.
 */
#define _XOPEN_SOURCE 700

#include "core/base/memory.h"
#include "core/compare/job_file.h"
#include "core/config/config.h"
#include "core/fit/fit.h"
#include "core/page/html.h"
#include "core/problem/problem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

typedef struct target {
  const char *mode;
  char *base;      /**< a config that is fitted to the made-up data */
  char folder[64]; /**< of what is written; of a run, where there is one to begin with */
} target;

static char *read_whole(const char *path, size_t *n)
{
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, LARGEST);
  if (file == NULL || text == NULL) {
    (void)fprintf(stderr, "%s cannot be read\n", path);
    exit(2);
  }
  *n = fread(text, 1, LARGEST - 1, file);
  (void)fclose(file);
  return text;
}

static void write_whole(const char *path, const uint8_t *bytes, size_t n)
{
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
    (void)fprintf(stderr, "%s cannot be written\n", path);
    exit(2);
  }
}

/** The problem of a config, and one step of a fit. An error without a word is a fault too. */
static void make_problem(const char *text, const char *override, int fit)
{
  static const char *const one_step[] = {"fit.optimiser=adam", "fit.epochs=1", "evaluate.draws=1"};
  const char *overrides[] = {one_step[0], one_step[1], one_step[2], override};
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_fit *fitted = NULL;
  pf_status status =
      pf_config_parse(text, "fuzz.cfg", overrides, override == NULL ? 0 : 4, &config, &error);
  if (status == PF_OK) {
    status = pf_problem_create(config, &problem, &error);
  }
  if (status == PF_OK && fit) {
    status = pf_fit_run(problem, NULL, NULL, NULL, &fitted, &error);
  }
  if (status != PF_OK && error.text[0] == '\0') {
    abort();
  }
  if (fitted != NULL) {
    pf_fit_free(problem, fitted);
  }
  pf_problem_free(problem);
  pf_config_free(config);
}

/** KEY="the text", with what libconfig would end the string at escaped. */
static void make_problem_of_text(const target *t, const char *key, const uint8_t *bytes, size_t n)
{
  char *override = calloc(1, 2 * n + strlen(key) + 8);
  size_t length = (size_t)sprintf(override, "%s=\"", key);
  for (size_t i = 0; i < n && bytes[i] != 0; i++) {
    if (bytes[i] == '"' || bytes[i] == '\\') {
      override[length++] = '\\';
    }
    if (bytes[i] >= 32) {
      override[length++] = (char)bytes[i];
    }
  }
  override[length] = '"';
  make_problem(t->base, override, 1);
  free(override);
}

static void make_problem_of_file(const target *t, const char *key, const char *name,
                                 const uint8_t *bytes, size_t n)
{
  char path[128], override[256];
  (void)snprintf(path, sizeof path, "%s/%s", t->folder, name);
  (void)snprintf(override, sizeof override, "%s=\"%s\"", key, path);
  write_whole(path, bytes, n);
  make_problem(t->base, override, 0);
}

static void read_job(const target *t, const uint8_t *bytes, size_t n)
{
  char path[128];
  const pf_job job = {.key = {0x0123456789abcdefU, 0x0123456789abcdefU}};
  pf_job_result result;
  (void)snprintf(path, sizeof path, "%s/x.job", t->folder);
  write_whole(path, bytes, n);
  if (pf_job_read(&job, path, &result)) {
    pf_job_result_clear(&result);
  }
}

static void report_run(const target *t, const uint8_t *bytes, size_t n)
{
  char path[128];
  pf_error error = pf_error_none();
  (void)snprintf(path, sizeof path, "%s/%s", t->folder, t->mode);
  write_whole(path, bytes, n);
  if (pf_html_write(t->folder, &error) != PF_OK && error.text[0] == '\0') {
    abort();
  }
}

static void take_input(const target *t, const uint8_t *bytes, size_t n)
{
  if (strcmp(t->mode, "config") == 0) {
    char *text = calloc(1, n + 1);
    memcpy(text, bytes, n);
    make_problem(text, NULL, 0);
    free(text);
  } else if (strcmp(t->mode, "terms") == 0) {
    make_problem_of_text(t, "rules.learn.terms", bytes, n);
  } else if (strcmp(t->mode, "expr") == 0) {
    make_problem_of_text(t, "rules.learn.dw", bytes, n);
  } else if (strcmp(t->mode, "csv") == 0) {
    make_problem_of_file(t, "source.path", "data.csv", bytes, n);
  } else if (strcmp(t->mode, "npz") == 0) {
    make_problem_of_file(t, "source.path", "data.npz", bytes, n);
  } else if (strcmp(t->mode, "theta") == 0) {
    make_problem_of_file(t, "init.theta", "theta.csv", bytes, n);
  } else if (strcmp(t->mode, "job") == 0) {
    read_job(t, bytes, n);
  } else {
    report_run(t, bytes, n);
  }
}

/** FUZZ_MODE, FUZZ_BASE (a config), FUZZ_FOLDER (to write in; of files of a run, the run's folder).
 */
static target target_of_environment(void)
{
  size_t n = 0;
  target t = {.mode = getenv("FUZZ_MODE")};
  const char *base = getenv("FUZZ_BASE"), *folder = getenv("FUZZ_FOLDER");
  if (t.mode == NULL || base == NULL || folder == NULL || strlen(folder) >= sizeof t.folder) {
    (void)fputs("FUZZ_MODE, FUZZ_BASE and FUZZ_FOLDER say what to do (tests/fuzz/README.md)\n",
                stderr);
    exit(2);
  }
  t.base = read_whole(base, &n);
  (void)snprintf(t.folder, sizeof t.folder, "%s", folder);
  (void)setenv("PLASTFIT_GNUPLOT", "", 1);
  return t;
}

#ifdef PF_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  static target t;
  if (t.base == NULL) {
    t = target_of_environment();
  }
  take_input(&t, bytes, n);
  return 0;
}

#else

static uint64_t next_random(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/** Some bytes changed, a piece cut out, repeated, or the end cut off. Length of what is there now.
 */
static size_t change_input(uint8_t *bytes, size_t n, uint64_t *random)
{
  static const uint8_t odd[] = {0,   0xff, 0x7f, 0x80, '"',  '\n', ',',
                                '-', '9',  '{',  '\\', '\'', ' ',  1};
  const size_t n_changes = 1 + next_random(random) % 4;
  for (size_t k = 0; k < n_changes && n > 0; k++) {
    const size_t at = next_random(random) % n;
    const size_t length = 1 + next_random(random) % (n - at < 32 ? n - at : 32);
    switch (next_random(random) % 6) {
    case 0:
      bytes[at] ^= (uint8_t)(1U << next_random(random) % 8);
      break;
    case 1:
      bytes[at] = odd[next_random(random) % sizeof odd];
      break;
    case 2:
      memmove(bytes + at, bytes + at + length, n - at - length);
      n -= length;
      break;
    case 3:
      if (n + length < LARGEST) {
        memmove(bytes + at + length, bytes + at, n - at);
        n += length;
      }
      break;
    case 4:
      memset(bytes + at, odd[next_random(random) % sizeof odd], length);
      break;
    default:
      n = next_random(random) % 8 == 0 ? at : n;
      break;
    }
  }
  return n;
}

/** The input before it is taken, so that one that ends the program is there afterwards. */
static void keep_input(const target *t, const uint8_t *bytes, size_t n)
{
  char path[128];
  (void)snprintf(path, sizeof path, "%s.last", t->folder);
  write_whole(path, bytes, n);
}

int main(int argc, char **argv)
{
  const target t = target_of_environment();
  const long n_changed = argc > 2 ? atol(argv[2]) : 0;
  uint64_t random = argc > 3 ? (uint64_t)atoll(argv[3]) : 1;
  long n_inputs = 0;
  DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
  if (folder == NULL) {
    (void)fputs("usage: fuzz FOLDER [CHANGED-COPIES-OF-EACH [SEED]]\n", stderr);
    return 2;
  }
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    char path[1024];
    size_t n = 0;
    if (entry->d_name[0] == '.') {
      continue;
    }
    (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    uint8_t *whole = (uint8_t *)read_whole(path, &n);
    uint8_t *changed = calloc(1, LARGEST);
    for (long k = 0; k <= n_changed; k++) {
      memcpy(changed, whole, n);
      const size_t length = k == 0 ? n : change_input(changed, n, &random);
      (void)alarm(60); /* an input that takes as long is a fault too */
      keep_input(&t, changed, length);
      take_input(&t, changed, length);
      n_inputs++;
    }
    free(changed);
    free(whole);
  }
  (void)closedir(folder);
  free(t.base);
  (void)printf("%s: %ld inputs\n", t.mode, n_inputs);
  return 0;
}

#endif
