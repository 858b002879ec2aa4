/* What each target does with its input. */
#define _XOPEN_SOURCE 700

#include "tests/fuzz/targets.h"

#include "core/base/memory.h"
#include "core/candidates/job_file.h"
#include "core/config/config.h"
#include "core/fit/fit.h"
#include "core/page/html.h"
#include "core/problem/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

char *fuzz_read(const char *path, size_t *n)
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

void fuzz_write(const char *path, const uint8_t *bytes, size_t n)
{
  FILE *file = fopen(path, "wb");
  if (file == NULL || (n > 0 && fwrite(bytes, 1, n, file) != n) || fclose(file) != 0) {
    (void)fprintf(stderr, "%s cannot be written\n", path);
    exit(2);
  }
}

/* ---- configs ---- */

/* Little work and little memory: an input is judged by how it ends, not by its result. */
static const char *const little[] = {"fit.optimiser=adam", "fit.epochs=1", "evaluate.draws=1",
                                     "threads=1", "memory=\"256 MiB\""};
enum { N_LITTLE = sizeof little / sizeof little[0] };

static void make_problem(const char *text, const char *override, int fit)
{
  const char *overrides[N_LITTLE + 1];
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_fit *fitted = NULL;
  memcpy(overrides, little, sizeof little);
  overrides[N_LITTLE] = override;
  const size_t n = override == NULL ? N_LITTLE : N_LITTLE + 1;
  pf_status status = pf_config_parse(text, "fuzz.cfg", overrides, n, &config, &error);
  if (status == PF_OK) {
    status = pf_problem_create(config, &problem, &error);
  }
  if (status == PF_OK && fit) {
    status = pf_fit_run(problem, NULL, NULL, NULL, &fitted, &error);
  }
  if (status != PF_OK && error.text[0] == '\0') {
    abort(); /* an error without a word is a fault too */
  }
  if (fitted != NULL) {
    pf_fit_free(problem, fitted);
  }
  pf_problem_free(problem);
  pf_config_free(config);
}

static void take_config(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  (void)t;
  char *text = calloc(1, n + 1);
  if (n > 0) {
    memcpy(text, bytes, n);
  }
  make_problem(text, NULL, 0);
  free(text);
}

/** KEY="the text", with what libconfig would end the string at escaped. */
static void take_text(const fuzz_target *t, const char *key, const uint8_t *bytes, size_t n)
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

static void take_terms(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  take_text(t, "rules.learn.terms", bytes, n);
}

static void take_expr(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  take_text(t, "rules.learn.dw", bytes, n);
}

/* ---- files that a config names ---- */

static void make_problem_of_file(const fuzz_target *t, const char *key, const char *name,
                                 const uint8_t *bytes, size_t n)
{
  char path[FUZZ_PATH], override[FUZZ_PATH + 64];
  (void)snprintf(path, sizeof path, "%.150s/%.32s", t->folder, name);
  (void)snprintf(override, sizeof override, "%s=\"%s\"", key, path);
  fuzz_write(path, bytes, n);
  make_problem(t->base, override, 0);
}

static void take_theta(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  make_problem_of_file(t, "init.theta", "theta.csv", bytes, n);
}

/** Data: the name of the target is the suffix. */
static void take_data(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char name[32];
  (void)snprintf(name, sizeof name, "data.%.16s", t->mode);
  make_problem_of_file(t, "source.path", name, bytes, n);
}

/** Recordings in HDF5 and NWB, a valid one changed as the bytes order; and MATLAB files made so. */
static void take_changed_data(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char seed[FUZZ_PATH], path[FUZZ_PATH], override[FUZZ_PATH + 64];
  (void)snprintf(seed, sizeof seed, "%.150s.h5", t->folder);
  (void)snprintf(path, sizeof path, "%.150s/changed", t->folder);
  (void)snprintf(override, sizeof override, "source.path=\"%s\"", path);
  if (strcmp(t->mode, "mat5-values") == 0) {
    fuzz_make_mat(path, bytes, n);
  } else {
    fuzz_change_hdf5(seed, path, bytes, n);
  }
  make_problem(t->base, override, 0);
}

/** Two files: the first two bytes say how long the times are, the clusters follow. */
static void take_spikes(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char path[FUZZ_PATH], override[FUZZ_PATH + 64];
  const size_t wanted = n < 2 ? 0 : (size_t)bytes[0] + 256 * (size_t)bytes[1];
  const size_t rest = n < 2 ? 0 : n - 2, n_times = wanted < rest ? wanted : rest;
  const uint8_t *from = n < 2 ? bytes : bytes + 2;
  (void)snprintf(path, sizeof path, "%.150s/spike_times.npy", t->folder);
  fuzz_write(path, from, n_times);
  (void)snprintf(path, sizeof path, "%.150s/spike_clusters.npy", t->folder);
  fuzz_write(path, from + n_times, rest - n_times);
  (void)snprintf(override, sizeof override, "source.path=\"%.150s\"", t->folder);
  make_problem(t->base, override, 0);
}

/* ---- files of a run ---- */

static void take_job(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char path[FUZZ_PATH];
  const pf_job job = {.key = {0x0123456789abcdefU, 0x0123456789abcdefU}};
  pf_job_result result;
  (void)snprintf(path, sizeof path, "%.150s/x.job", t->folder);
  fuzz_write(path, bytes, n);
  if (pf_job_read(&job, path, &result)) {
    pf_job_result_clear(&result);
  }
}

static void report_folder(const fuzz_target *t)
{
  pf_error error = pf_error_none();
  if (pf_html_write(t->folder, &error) != PF_OK && error.text[0] == '\0') {
    abort();
  }
}

/** The target is called as the file; of a comparison's, "compare/FILE". */
static void take_run_file(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char path[FUZZ_PATH];
  const char *slash = strchr(t->mode, '/');
  (void)snprintf(path, sizeof path, "%.150s/%.32s", t->folder, slash == NULL ? t->mode : slash + 1);
  fuzz_write(path, bytes, n);
  report_folder(t);
}

static void take_hdf5_values(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char seed[FUZZ_PATH], path[FUZZ_PATH];
  (void)snprintf(seed, sizeof seed, "%.150s.h5", t->folder);
  (void)snprintf(path, sizeof path, "%.150s/trajectories.h5", t->folder);
  fuzz_change_hdf5(seed, path, bytes, n);
  report_folder(t);
}

typedef void (*take_input)(const fuzz_target *t, const uint8_t *bytes, size_t n);

static const struct {
  const char *mode;
  take_input take;
} targets[] = {{"config", take_config},
               {"terms", take_terms},
               {"expr", take_expr},
               {"theta", take_theta},
               {"csv", take_data},
               {"npz", take_data},
               {"mat", take_data},
               {"mat5", take_data},
               {"mat5-values", take_changed_data},
               {"hdf5", take_data},
               {"hdf5-recording", take_changed_data},
               {"nwb", take_data},
               {"nwb-values", take_changed_data},
               {"jsonl", take_data},
               {"npy", take_data},
               {"spikes", take_spikes},
               {"job", take_job},
               {"job-values", fuzz_resume_jobs},
               {"hdf5-values", take_hdf5_values}};

void fuzz_take(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  for (size_t k = 0; k < sizeof targets / sizeof targets[0]; k++) {
    if (strcmp(targets[k].mode, t->mode) == 0) {
      targets[k].take(t, bytes, n);
      return;
    }
  }
  take_run_file(t, bytes, n);
}
