#define _POSIX_C_SOURCE 200809L
#include "core/base/memory.h"
#include "core/base/put_in_place.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/plastfit-place-XXXXXX";
static char part[64], path[64];

static void write_file(const char *name, const char *text)
{
  FILE *out = fopen(name, "w");
  cr_assert(out != NULL);
  cr_assert(fputs(text, out) >= 0);
  cr_assert(fclose(out) == 0);
}

static void expect_file(const char *name, const char *text)
{
  char found[32] = "";
  FILE *in = fopen(name, "r");
  cr_assert(in != NULL, "%s is not there", name);
  (void)!fread(found, 1, sizeof found - 1, in);
  (void)fclose(in);
  cr_expect_str_eq(found, text);
}

static void set_up(void)
{
  cr_assert(mkdtemp(folder) != NULL);
  (void)snprintf(part, sizeof part, "%s/part", folder);
  (void)snprintf(path, sizeof path, "%s/whole", folder);
  write_file(part, "new");
}

static void tear_down(void)
{
  (void)unlink(part);
  (void)unlink(path);
  (void)rmdir(folder);
}

Test(base_put_in_place, takes_a_place_that_is_free_or_not, .init = set_up, .fini = tear_down)
{
  pf_error error = pf_error_none();
  cr_expect(pf_put_in_place(part, path, &error) == PF_OK, "%s", error.text);
  expect_file(path, "new");
  write_file(part, "newer");
  cr_expect(pf_put_in_place(part, path, &error) == PF_OK, "%s", error.text);
  expect_file(path, "newer");
  cr_expect(access(part, F_OK) != 0);
}

Test(base_put_in_place, leaves_nothing_where_there_is_no_place, .init = set_up, .fini = tear_down)
{
  pf_error error = pf_error_none();
  char nowhere[96];
  (void)snprintf(nowhere, sizeof nowhere, "%s/none/whole", folder);
  cr_expect(pf_put_in_place(part, nowhere, &error) == PF_STOP);
  cr_expect(strstr(error.text, nowhere) != NULL, "%s", error.text);
  cr_expect(access(part, F_OK) != 0, "the part was left");
}

Test(base_put_in_place, keeps_what_is_there, .init = set_up, .fini = tear_down)
{
  write_file(path, "old");
  errno = 0;
  cr_expect(!pf_put_in_free_place(part, path));
  cr_expect(errno == EEXIST);
  expect_file(path, "old");
  expect_file(part, "new");
  cr_expect(unlink(path) == 0);
  cr_expect(pf_put_in_free_place(part, path));
  expect_file(path, "new");
}
