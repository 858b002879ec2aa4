/* core/report/folder: a run folder appears whole or not at all, and nothing of anybody else's is
 * deleted. */
#define _XOPEN_SOURCE 700
#include "core/base/memory.h"
#include "core/store/folder.h"
#include "tests/unit/support/scratch.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 256 }; /* of a path in the scratch folder */

static void put(const char *folder, const char *name, const char *text)
{
  char path[2 * PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL, "%s", path);
  (void)fputs(text, file);
  (void)fclose(file);
}

/* The first line of a file; "" if there is none. */
static const char *get(const char *folder, const char *name)
{
  static char line[64]; /* a test's own process has one thread */
  char path[2 * PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  line[0] = '\0';
  if (file != NULL) {
    (void)!fgets(line, sizeof line, file);
    (void)fclose(file);
  }
  return line;
}

static bool exists(const char *path)
{
  struct stat info;
  return lstat(path, &info) == 0;
}

/* A whole run, or (commit = false) one that is given up after the first file. */
static pf_status make_run(const char *out, bool force, bool commit, const char *text,
                          pf_error *error)
{
  pf_folder folder;
  pf_status status = pf_folder_begin(out, force, &folder, error);
  if (status == PF_OK) {
    put(folder.part, "theta.csv", text);
    if (commit) {
      put(folder.part, "summary.json", text);
      status = pf_folder_commit(&folder, force, error);
    }
    pf_folder_end(&folder);
  }
  return status;
}

#define IN(root, name)       \
  char name[PATH_SIZE + 32]; \
  (void)snprintf(name, sizeof name, "%s/" #name, root)

Test(report_folder, parents_are_made_and_no_part_is_left)
{
  char root[SCRATCH_SIZE];
  char out[PATH_SIZE + 32];
  char part[PATH_SIZE + 64];
  pf_error error = pf_error_none();
  scratch_create(root);
  (void)snprintf(out, sizeof out, "%s/a/b/run///", root);
  cr_assert(pf_folder_check(out, false, &error) == PF_OK, "%s", error.text);
  cr_assert(make_run(out, false, true, "first", &error) == PF_OK, "%s", error.text);
  out[strlen(out) - 3] = '\0';
  (void)snprintf(part, sizeof part, "%s.part", out);
  cr_expect(strcmp(get(out, "theta.csv"), "first") == 0);
  cr_expect(!exists(part));
  scratch_remove(root);
}

Test(report_folder, what_is_given_up_leaves_nothing)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, false, "half", &error) == PF_OK);
  cr_expect(!exists(run));
  cr_expect(rmdir(root) == 0); /* so nothing else is left either */
}

Test(report_folder, an_existing_run_is_an_error_that_names_force)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, true, "first", &error) == PF_OK);
  cr_expect(pf_folder_check(run, false, &error) == PF_STOP);
  cr_expect(strstr(error.text, "--force") != NULL, "%s", error.text);
  error = pf_error_none();
  cr_expect(make_run(run, false, true, "second", &error) == PF_STOP);
  cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  scratch_remove(root);
}

Test(report_folder, force_replaces_a_run_and_leaves_no_trace_of_it)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, true, "first", &error) == PF_OK);
  put(run, "fit.csv", "of the first");
  cr_assert(make_run(run, true, true, "second", &error) == PF_OK, "%s", error.text);
  cr_expect(strcmp(get(run, "theta.csv"), "second") == 0);
  cr_expect(strcmp(get(run, "fit.csv"), "") == 0);
  cr_assert(chdir(root) == 0);
  cr_expect(!exists("run.old") && !exists("run.part"));
  scratch_remove(root);
}

Test(report_folder, force_keeps_the_earlier_run_when_the_new_one_is_given_up)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, true, "first", &error) == PF_OK);
  cr_assert(make_run(run, true, false, "half", &error) == PF_OK);
  cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  scratch_remove(root);
}

Test(report_folder, force_does_not_delete_what_is_not_ours)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, true, "first", &error) == PF_OK);
  put(run, "thesis.tex", "years");
  cr_expect(make_run(run, true, true, "second", &error) == PF_STOP);
  cr_expect(strstr(error.text, "thesis.tex") != NULL, "%s", error.text);
  cr_expect(strcmp(get(run, "thesis.tex"), "years") == 0);
  cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  scratch_remove(root);
}

Test(report_folder, a_file_in_the_place_of_the_folder)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  put(root, "run", "a file");
  cr_expect(pf_folder_check(run, true, &error) == PF_STOP);
  cr_expect(strstr(error.text, "not a folder") != NULL, "%s", error.text);
  cr_expect(strcmp(get(root, "run"), "a file") == 0);
  scratch_remove(root);
}

Test(report_folder, a_file_among_the_parents)
{
  char root[SCRATCH_SIZE];
  char out[PATH_SIZE + 32];
  pf_error error = pf_error_none();
  scratch_create(root);
  put(root, "file", "a file");
  (void)snprintf(out, sizeof out, "%s/file/run", root);
  cr_expect(pf_folder_check(out, false, &error) == PF_STOP);
  cr_expect(strstr(error.text, "file") != NULL && strchr(error.text, '\n') == NULL, "%s",
            error.text);
  scratch_remove(root);
}

Test(report_folder, an_empty_folder_is_as_good_as_none)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  cr_assert(mkdir(run, 0777) == 0);
  cr_expect(make_run(run, false, true, "first", &error) == PF_OK, "%s", error.text);
  cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  scratch_remove(root);
}

Test(report_folder, what_an_interrupted_run_left_is_removed)
{
  char root[SCRATCH_SIZE];
  char part[PATH_SIZE + 64];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  (void)snprintf(part, sizeof part, "%s.part", run);
  cr_assert(mkdir(part, 0777) == 0);
  put(part, "trajectories.h5", "half");
  cr_expect(make_run(run, false, true, "whole", &error) == PF_OK, "%s", error.text);
  cr_expect(strcmp(get(run, "trajectories.h5"), "") == 0);
  cr_assert(mkdir(part, 0777) == 0);
  put(part, "mine.txt", "mine");
  cr_expect(make_run(run, true, true, "second", &error) == PF_STOP);
  cr_expect(strstr(error.text, "mine.txt") != NULL, "%s", error.text);
  cr_expect(strcmp(get(part, "mine.txt"), "mine") == 0);
  scratch_remove(root);
}

Test(report_folder, no_name_at_all)
{
  pf_error error = pf_error_none();
  cr_expect(pf_folder_check("", false, &error) == PF_STOP);
  cr_expect(strstr(error.text, "`out` is empty") != NULL);
  error = pf_error_none();
  cr_expect(pf_folder_check(NULL, false, &error) == PF_STOP);
}
