/*
 * Whatever a file holds, the end is a result or a line. One target for each kind of file that
 * somebody may hand over (tests/fuzz/targets.c; tests/fuzz/README.md lists them).
 *
 * With -DPF_LIBFUZZER it is a target of libFuzzer (tests/fuzz/run); else a program that replays a
 * folder of inputs, and changed copies of them (tests/fuzz/replay.sh).
 */
#define _GNU_SOURCE /* RTLD_NODELETE */

#include "tests/fuzz/targets.h"

#include <dirent.h>
#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

/** FUZZ_MODE, FUZZ_BASE (a config), FUZZ_FOLDER (to write in; of files of a run, the run's folder).
 */
static fuzz_target target_of_environment(void)
{
  size_t n = 0;
  fuzz_target t = {.mode = getenv("FUZZ_MODE"), .folder = getenv("FUZZ_FOLDER")};
  const char *base = getenv("FUZZ_BASE");
  if (t.mode == NULL || base == NULL || t.folder == NULL || strlen(t.folder) >= 150) {
    (void)fputs("FUZZ_MODE, FUZZ_BASE and FUZZ_FOLDER say what to do (tests/fuzz/README.md)\n",
                stderr);
    exit(2);
  }
  t.base = fuzz_read(base, &n);
  (void)setenv("PLASTFIT_GNUPLOT", "", 1);
  return t;
}

#ifdef PF_LIBFUZZER

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/** libFuzzer clears the counters of every object that it ever saw: plugins must stay loaded. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  const char *pattern = getenv("FUZZ_PLUGINS");
  glob_t found;
  (void)argc;
  (void)argv;
  if (pattern == NULL || glob(pattern, 0, NULL, &found) != 0) {
    return 0;
  }
  for (size_t k = 0; k < found.gl_pathc; k++) {
    if (dlopen(found.gl_pathv[k], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == NULL) {
      (void)fprintf(stderr, "%s\n", dlerror());
      exit(2);
    }
  }
  globfree(&found);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
  static fuzz_target t;
  if (t.base == NULL) {
    t = target_of_environment();
  }
  fuzz_take(&t, bytes, n);
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
static void keep_input(const fuzz_target *t, const uint8_t *bytes, size_t n)
{
  char path[128];
  (void)snprintf(path, sizeof path, "%s.last", t->folder);
  fuzz_write(path, bytes, n);
}

int main(int argc, char **argv)
{
  const fuzz_target t = target_of_environment();
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
    uint8_t *whole = (uint8_t *)fuzz_read(path, &n);
    uint8_t *changed = calloc(1, LARGEST);
    for (long k = 0; k <= n_changed; k++) {
      memcpy(changed, whole, n);
      const size_t length = k == 0 ? n : change_input(changed, n, &random);
      (void)alarm(60); /* an input that takes as long is a fault too */
      keep_input(&t, changed, length);
      fuzz_take(&t, changed, length);
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
