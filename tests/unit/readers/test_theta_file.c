/* core/fit/theta_file: theta.csv read back, and files that are none. */
#include "core/base/memory.h"
#include "core/readers/theta_file.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];

static void make_folder(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/theta.csv", folder);
}

static void remove_folder(void)
{
  scratch_remove(folder);
}

TestSuite(fit_theta_file, .init = make_folder, .fini = remove_folder);

static pf_status read_text(const char *text, pf_theta_file **out, pf_error *error)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
  *error = pf_error_none();
  return pf_theta_file_read(path, out, error);
}

static void refuse(const char *text, const char *expected)
{
  pf_theta_file *file = NULL;
  pf_error error;
  cr_expect(read_text(text, &file, &error) == PF_STOP, "taken, expected: %s", expected);
  cr_expect(strstr(error.text, expected) != NULL, "found '%s', expected '%s'", error.text,
            expected);
  cr_expect(file == NULL);
}

#define HEADER "unit,owner,name,label,estimate,status\n"

Test(fit_theta_file, rows_units_and_values)
{
  pf_theta_file *file = NULL;
  pf_error error;
  cr_assert(read_text(HEADER
                      "fly1,rules.a,X1,\"x, r\",0.1,ok\nfly1,network,gain,g,-2.5e-300,ok\n"
                      "fly2,rules.a,X1,x,0.30000000000000004,failed\nfly2,network,gain,g,,failed\n",
                      &file, &error) == PF_OK,
            "%s", error.text);
  cr_assert(file->n_rows == 4 && file->n_units == 2);
  cr_expect(strcmp(file->units[0], "fly1") == 0 && strcmp(file->units[1], "fly2") == 0);
  cr_expect(!pf_theta_file_is_shared(file));
  const pf_theta_row *row = pf_theta_file_find(file, "fly2", "rules.a", "X1", "", -1);
  cr_assert(row != NULL);
  cr_expect(row->estimate == 0.30000000000000004 && row->failed);
  row = pf_theta_file_find(file, "fly1", "network", "gain", "", -1);
  cr_expect(row != NULL && row->estimate == -2.5e-300 && !row->failed);
  cr_expect(pf_theta_file_find(file, "fly1", "rules.a", "gain", "", -1) == NULL);
  pf_theta_file_free(file);
}

Test(fit_theta_file, one_theta_for_all)
{
  pf_theta_file *file = NULL;
  pf_error error;
  cr_assert(read_text(HEADER "all,rules.a,X1,x,1,ok\n", &file, &error) == PF_OK);
  cr_expect(pf_theta_file_is_shared(file));
  pf_theta_file_free(file);
}

Test(fit_theta_file, what_is_refused)
{
  refuse("", "is empty");
  refuse(HEADER, "has a header and no rows");
  refuse("unit,owner,name,value\na,b,c,1\n", "has no column 'estimate'");
  refuse(HEADER "a,b,c,d,1,ok\na,b,e,d,1\n", "theta.csv:3: found 5 cells, expected 6");
  refuse(HEADER "a,b,c,d,one,ok\n", "theta.csv:2: estimate: found 'one', expected a finite number");
  refuse(HEADER "a,b,c,d,,ok\n", "theta.csv:2: estimate: found '', expected a finite number");
  refuse(HEADER "a,b,c,d,1,ok\na,b,c,d,2,ok\n", "theta.csv:3: 'c' of 'b' stands twice for 'a'");
  pf_theta_file *file = NULL;
  pf_error error = pf_error_none();
  cr_expect(pf_theta_file_read("/nowhere/theta.csv", &file, &error) == PF_STOP);
  cr_expect(strstr(error.text, "/nowhere/theta.csv: cannot be read") != NULL);
}
