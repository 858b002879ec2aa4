/*
 * tests/golden [DIR]: every *.json in DIR against what the engine and the fit make of it, a line a
 * file.
 *
 * DIR is by default what PF_GOLDEN names, else golden/ of PF_SHARED, else ../shared/golden beside
 * the source tree. Exit status: 0 all passed; 1 some did not, or a folder was named and has none;
 * 77 no folder was named and none is there. What a file asks for is read from its fields, never
 * from its name (tests/goldens/setup.c).
 */
#define _POSIX_C_SOURCE 200809L
#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/goldens/compare.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef PF_SRCDIR
#define PF_SRCDIR "."
#endif

enum { PASSED = 0, FAILED = 1, SKIPPED = 77 };

static int is_json(const struct dirent *entry)
{
  const size_t n = strlen(entry->d_name);
  return n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static pf_status compare_file(pf_registry *registry, const char *path, const char *name,
                              golden_report *report, pf_error *error)
{
  json_error_t fault;
  golden_case golden;
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
  if (!json_is_object(root)) {
    const pf_status status =
        pf_fail(error, PF_STOP, "%s", root == NULL ? fault.text : "expected an object");
    json_decref(root);
    return status;
  }
  pf_status status = golden_case_create(registry, name, root, &golden, error);
  if (status == PF_OK) {
    status = golden.is_training ? golden_compare_training(&golden, report, error)
                                : golden_compare_values(&golden, report, error);
    golden_case_free(&golden);
  }
  json_decref(root);
  return status;
}

/* One line: PASS or FAIL, the file, every quantity with its relative error. */
static bool check_file(pf_registry *registry, const char *folder, const char *name)
{
  char text[1024];
  pf_text path = {0};
  pf_error error = pf_error_none();
  golden_report report = {0};
  pf_text_add(&path, "%s/%s", folder, name);
  pf_status status = path.failed ? pf_fail(&error, PF_STOP, "out of memory")
                                 : compare_file(registry, path.text, name, &report, &error);
  const bool passed = status == PF_OK && golden_report_passes(&report);
  golden_report_write(&report, text, sizeof text);
  printf("%s %-36s %s%s%s\n", passed ? "PASS" : "FAIL", name, text,
         status != PF_OK && text[0] != '\0' ? "; " : "", error.text);
  pf_text_free(&path);
  return passed;
}

static int check_folder(const char *folder)
{
  struct dirent **files = NULL;
  const int n = scandir(folder, &files, is_json, alphasort);
  int n_passed = 0;
  pf_registry *registry = NULL;
  pf_error error = pf_error_none();
  if (n <= 0) {
    free(files);
    printf("FAIL %s: %s\n0 passed, 1 failed, 0 skipped\n", folder,
           n < 0 ? "there is no such folder" : "there is no *.json in it");
    return FAILED;
  }
  if (pf_registry_create(NULL, &registry, &error) != PF_OK) {
    printf("FAIL %s\n", error.text);
  }
  for (int i = 0; i < n; i++) {
    n_passed += registry != NULL && check_file(registry, folder, files[i]->d_name) ? 1 : 0;
    free(files[i]);
  }
  free(files);
  pf_registry_free(registry);
  printf("relative error: norm of the difference over norm of the golden value; at most %g\n",
         golden_tolerance);
  printf("%d passed, %d failed, 0 skipped\n", n_passed, n - n_passed);
  return n_passed == n ? PASSED : FAILED;
}

int main(int argc, char **argv)
{
  const char *named = argc > 1 ? argv[1] : getenv("PF_GOLDEN");
  const char *shared = getenv("PF_SHARED");
  const bool is_shared = named == NULL && shared != NULL;
  struct stat info;
  pf_text folder = {0};
  if (argc > 2) {
    fprintf(stderr, "usage: golden [DIR]\n");
    return 2;
  }
  pf_text_add(&folder, "%s%s",
              named != NULL ? named : (is_shared ? shared : PF_SRCDIR "/../shared"),
              named != NULL ? "" : "/golden");
  if (folder.failed) {
    return FAILED;
  }
  int result = SKIPPED;
  if (named == NULL && !is_shared && stat(folder.text, &info) != 0) {
    printf("SKIPPED: no golden values at %s (name a folder, or set PF_SHARED or PF_GOLDEN)\n"
           "0 passed, 0 failed, 1 skipped\n",
           folder.text);
  } else {
    result = check_folder(folder.text);
  }
  pf_text_free(&folder);
  return result;
}
