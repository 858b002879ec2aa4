/* core/report/folder: a run folder appears whole or not at all, and nothing of anybody else's is
 * deleted. */
#define _XOPEN_SOURCE 700
#include "core/base/memory.h"
#include "core/store/folder.h"
#include "core/store/folder_contents.h"
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
  cr_assert(pf_folder_write_mark(part, false, &error) == PF_OK);
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

Test(report_folder, a_folder_that_plastfit_did_not_make_is_not_replaced)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, lab);
  cr_assert(mkdir(lab, 0777) == 0);
  put(lab, "table.csv", "years of recordings"); /* names that plastfit uses */
  put(lab, "config.cfg", "mine");
  cr_expect(pf_folder_check(lab, false, &error) == PF_STOP);
  error = pf_error_none();
  cr_expect(make_run(lab, true, true, "second", &error) == PF_STOP);
  cr_expect(strstr(error.text, "did not write") != NULL, "%s", error.text);
  cr_expect(strcmp(get(lab, "table.csv"), "years of recordings") == 0);
  scratch_remove(root);
}

Test(report_folder, two_at_once_the_second_is_told)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  pf_folder first, second;
  scratch_create(root);
  IN(root, run);
  cr_assert(pf_folder_begin(run, false, &first, &error) == PF_OK, "%s", error.text);
  put(first.part, "theta.csv", "first");
  cr_expect(pf_folder_begin(run, true, &second, &error) == PF_STOP);
  cr_expect(strstr(error.text, "is being written by process") != NULL, "%s", error.text);
  cr_expect(strcmp(get(first.part, "theta.csv"), "first") == 0);
  error = pf_error_none();
  cr_expect(pf_folder_begin_jobs(run, true, true, &second, &error) == PF_STOP);
  cr_assert(pf_folder_commit(&first, false, &error) == PF_OK, "%s", error.text);
  pf_folder_end(&first);
  cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  cr_expect(make_run(run, true, true, "second", &error) == PF_OK, "%s", error.text);
  scratch_remove(root);
}

Test(report_folder, what_is_interrupted_does_not_replace_a_complete_run)
{
  char root[SCRATCH_SIZE];
  pf_error error = pf_error_none();
  pf_folder folder;
  scratch_create(root);
  IN(root, run);
  cr_assert(make_run(run, false, true, "first", &error) == PF_OK);
  for (int again = 0; again < 2; again++) { /* the second replaces what the first left */
    cr_assert(pf_folder_begin(run, true, &folder, &error) == PF_OK, "%s", error.text);
    put(folder.part, "theta.csv", "half");
    cr_assert(pf_folder_commit_interrupted(&folder, true, &error) == PF_OK, "%s", error.text);
    cr_expect(strcmp(get(folder.out, "theta.csv"), "half") == 0);
    cr_expect(strcmp(folder.out, run) != 0);
    pf_folder_end(&folder);
    cr_expect(strcmp(get(run, "theta.csv"), "first") == 0);
  }
  scratch_remove(root);
}

/* Killed between the two renames, where folders cannot be exchanged. */
Test(report_folder, a_whole_part_without_an_out_is_put_in_its_place)
{
  char root[SCRATCH_SIZE];
  char part[PATH_SIZE + 64], old[PATH_SIZE + 64];
  pf_error error = pf_error_none();
  scratch_create(root);
  IN(root, run);
  (void)snprintf(part, sizeof part, "%s.part", run);
  (void)snprintf(old, sizeof old, "%s.old", run);
  cr_assert(make_run(run, false, true, "second", &error) == PF_OK);
  cr_assert(rename(run, part) == 0);
  cr_expect(make_run(run, false, true, "third", &error) == PF_STOP);
  cr_expect(strstr(error.text, "already holds a run") != NULL, "%s", error.text);
  cr_expect(strcmp(get(run, "theta.csv"), "second") == 0);
  cr_assert(rename(run, old) == 0); /* and with the earlier one alone */
  error = pf_error_none();
  cr_expect(make_run(run, false, true, "third", &error) == PF_STOP);
  cr_expect(strcmp(get(run, "theta.csv"), "second") == 0);
  scratch_remove(root);
}

Test(report_folder, names_that_cannot_be)
{
  static const char *const names[] = {".", "..", "/", "a/..", "./."};
  char longest[70001];
  pf_error error = pf_error_none();
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    error = pf_error_none();
    cr_expect(pf_folder_check(names[i], true, &error) == PF_STOP, "%s", names[i]);
    cr_expect(strstr(error.text, "a folder of their own") != NULL, "%s", error.text);
  }
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  error = pf_error_none();
  cr_expect(pf_folder_check(longest, false, &error) == PF_STOP);
  cr_expect(strstr(error.text, "at most") != NULL, "%s", error.text);
}

Test(report_folder, no_name_at_all)
{
  pf_error error = pf_error_none();
  cr_expect(pf_folder_check("", false, &error) == PF_STOP);
  cr_expect(strstr(error.text, "`out` is empty") != NULL);
  error = pf_error_none();
  cr_expect(pf_folder_check(NULL, false, &error) == PF_STOP);
}
