#define _XOPEN_SOURCE 700
#include "tests/unit/support/scratch.h"
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void scratch_create(char *path)
{
  (void)snprintf(path, SCRATCH_SIZE, "/tmp/plastfit-test-XXXXXX");
  cr_assert(mkdtemp(path) != NULL);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
  (void)info;
  (void)type;
  (void)where;
  return remove(path);
}

void scratch_remove(const char *path)
{
  (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
