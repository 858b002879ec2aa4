/*
 * Well formed but wrong job files: a comparison is interrupted, numbers of one of its files are
 * changed as the input orders, and the comparison goes on with them. An order is three bytes: which
 * number, and what takes its place.
 */
#define _XOPEN_SOURCE 700

#include "tests/fuzz/targets.h"

#include "core/base/memory.h"
#include "core/compare/comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILES = 8, MAX_FILE_ORDERS = 6, N_DONE = 3 };

typedef struct interrupted {
  char *files[MAX_FILES]; /* their texts */
  size_t n;
  char *mark;
} interrupted;

static const char *const odd_words[] = {"0",
                                        "1",
                                        "-1",
                                        "2",
                                        "3",
                                        "16777216",
                                        "16777217",
                                        "nan",
                                        "inf",
                                        "-inf",
                                        "1e308",
                                        "-0x1p-1074",
                                        "18446744073709551615",
                                        "99999999",
                                        "4294967296",
                                        "-",
                                        "0x1.8p+1023",
                                        "60",
                                        "7",
                                        "5",
                                        "x"};

static void job_path(const char *folder, size_t k, char path[FUZZ_PATH])
{
  (void)snprintf(path, FUZZ_PATH, "%.150s/out.part/jobs/%06zu.job", folder, k);
}

/** Stop when the last of N_DONE jobs has its file. */
static bool stop_after_some(void *payload)
{
  char path[FUZZ_PATH];
  struct stat info;
  job_path(payload, N_DONE - 1, path);
  return stat(path, &info) == 0;
}

static void compare_once(char *folder, pf_stop stop, bool resume)
{
  char config[FUZZ_PATH], out[FUZZ_PATH];
  (void)snprintf(config, sizeof config, "%.150s/compare.cfg", folder);
  (void)snprintf(out, sizeof out, "out=%.150s/out", folder);
  const char *const overrides[] = {out, "threads=1", "memory=\"256 MiB\""};
  const pf_compare_request request = {
      .source = {.path = config, .overrides = overrides, .n_overrides = 3},
      .force = true, /* the last input's comparison is there */
      .resume = resume,
      .stop = stop,
      .payload = folder};
  pf_comparison *comparison = NULL;
  pf_error error = pf_error_none();
  bool misused = false;
  const pf_status status = pf_compare_run(&request, &comparison, &misused, &error);
  if (status == PF_OK) {
    pf_comparison_free(comparison);
  } else if (error.text[0] == '\0') {
    abort();
  }
}

static void interrupt_comparison(char *folder, interrupted *found)
{
  char path[FUZZ_PATH];
  size_t n = 0;
  compare_once(folder, stop_after_some, false);
  for (size_t k = 0; k < MAX_FILES; k++) {
    struct stat info;
    job_path(folder, k, path);
    if (stat(path, &info) == 0) {
      found->files[found->n++] = fuzz_read(path, &n);
    }
  }
  (void)snprintf(path, sizeof path, "%.150s/out.part/.plastfit", folder);
  found->mark = fuzz_read(path, &n);
  if (found->n == 0) {
    (void)fputs("no job was done\n", stderr);
    exit(2);
  }
}

static void put_back(const char *folder, const interrupted *found)
{
  char path[FUZZ_PATH];
  (void)snprintf(path, sizeof path, "%.150s/out.part", folder);
  (void)mkdir(path, 0777);
  (void)snprintf(path, sizeof path, "%.150s/out.part/jobs", folder);
  (void)mkdir(path, 0777);
  (void)snprintf(path, sizeof path, "%.150s/out.part/.plastfit", folder);
  fuzz_write(path, (const uint8_t *)found->mark, strlen(found->mark));
  for (size_t k = 0; k < found->n; k++) {
    job_path(folder, k, path);
    fuzz_write(path, (const uint8_t *)found->files[k], strlen(found->files[k]));
  }
}

/** `word` in the place of the number-th word of the text, behind the key. */
static char *replace_word(const char *text, size_t number, const char *word)
{
  const char *start = strstr(text, "\nfit ");
  start = start == NULL ? text : start;
  for (size_t k = 0; k < number; k++) {
    const char *blank = strpbrk(start + 1, " \n");
    if (blank == NULL || blank[1] == '\0') {
      break;
    }
    start = blank;
  }
  const size_t before = (size_t)(start + 1 - text);
  const char *rest = start + 1 + strcspn(start + 1, " \n");
  char *changed = calloc(1, strlen(text) + strlen(word) + 1);
  memcpy(changed, text, before);
  (void)strcat(changed, word);
  (void)strcat(changed, rest);
  return changed;
}

void fuzz_resume_jobs(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  static interrupted found;
  char path[FUZZ_PATH];
  if (found.n == 0) {
    interrupt_comparison(t->folder, &found);
  }
  put_back(t->folder, &found);
  const size_t which = n > 0 ? bytes[0] % found.n : 0;
  char *text = calloc(1, strlen(found.files[which]) + 1);
  memcpy(text, found.files[which], strlen(found.files[which]));
  for (size_t k = 0; k < MAX_FILE_ORDERS && 3 * (k + 1) < n; k++) {
    const uint8_t *order = bytes + 1 + 3 * k;
    const char *word = odd_words[order[2] % (sizeof odd_words / sizeof odd_words[0])];
    char *changed = replace_word(text, order[0] + 256U * (order[1] % 2U), word);
    free(text);
    text = changed;
  }
  job_path(t->folder, which, path);
  fuzz_write(path, (const uint8_t *)text, strlen(text));
  free(text);
  compare_once(t->folder, NULL, true);
}
