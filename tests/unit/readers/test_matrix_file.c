/* core/readers/matrix_file: matrices with and without names, weights, directions. */
#include "core/base/memory.h"
#include "core/readers/matrix_file.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];

static void make_folder(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/matrix.csv", folder);
}

static void remove_folder(void)
{
  scratch_remove(folder);
}

TestSuite(matrix_file, .init = make_folder, .fini = remove_folder);

static void write_matrix(const char *text)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
}

/** Is it the matrix ((1, 0, 2.5), (-3, 4, 0))? */
static void expect_matrix(const char *text)
{
  static const double expected[] = {1.0, 0.0, 2.5, -3.0, 4.0, 0.0};
  pf_matrix m;
  pf_error error = pf_error_none();
  write_matrix(text);
  cr_assert(pf_matrix_read(path, &m, &error) == PF_OK, "%s", error.text);
  cr_assert(m.n_rows == 2 && m.n_columns == 3, "%s: %lld x %lld", text, (long long)m.n_rows,
            (long long)m.n_columns);
  for (size_t k = 0; k < 6; k++) {
    cr_expect(m.values[k] == expected[k], "%s: cell %zu is %g", text, k, m.values[k]);
  }
  pf_matrix_free(&m);
}

Test(matrix_file, names_above_and_before_are_left_out)
{
  expect_matrix("1,0,2.5\n-3,4,0\n");
  expect_matrix("a,b,c\n1,0,2.5\n-3,4,0\n");
  expect_matrix(",a,b,c\nu,1,,2.5\nv,-3,4,\n");
  expect_matrix("unit,a,b,c\nu,1,,2.5\nv,-3,4,\n");
  expect_matrix("a,b,c\nu,1,,2.5\nv,-3,4,\n");
  expect_matrix("u,1,0,2.5\nv,-3,4,0\n");
  expect_matrix(",0,1,2\n0,1,,2.5\n1,-3,4,\n");
  expect_matrix("1;0;2,5\n-3;4;0\n");
}

Test(matrix_file, an_empty_first_cell_of_numbers_is_zero)
{
  pf_matrix m;
  pf_error error = pf_error_none();
  write_matrix(",1,0\n1,,7\n");
  cr_assert(pf_matrix_read(path, &m, &error) == PF_OK, "%s", error.text);
  cr_expect(m.n_rows == 2 && m.n_columns == 3 && m.values[0] == 0.0 && m.values[5] == 7.0);
  pf_matrix_free(&m);
}

static void refuse(const char *text, pf_matrix_shape shape, const char *expected)
{
  pf_matrix m;
  pf_error error = pf_error_none();
  write_matrix(text);
  cr_expect(pf_matrix_read_synapses(path, shape, &m, &error) == PF_STOP, "taken: %s", text);
  cr_expect(strstr(error.text, expected) != NULL, "found '%s', expected '%s'", error.text,
            expected);
}

Test(matrix_file, a_direction_turns_it_and_another_shape_is_refused)
{
  const pf_matrix_shape post = {.n_post = 2, .n_pre = 3, .key = "rows"};
  const pf_matrix_shape pre = {.n_post = 2, .n_pre = 3, .rows = "pre", .key = "rows"};
  pf_matrix m;
  pf_error error = pf_error_none();
  write_matrix("1,-3\n0,4\n2.5,0\n");
  cr_assert(pf_matrix_read_synapses(path, pre, &m, &error) == PF_OK, "%s", error.text);
  cr_expect(m.n_rows == 2 && m.values[2] == 2.5 && m.values[3] == -3.0);
  pf_matrix_free(&m);
  refuse("1,-3\n0,4\n2.5,0\n", post, "it fits the other way round: rows = \"pre\"");
  refuse("1,0,2\n3,4,5\n", pre, "it fits the other way round: rows = \"post\"");
  refuse("1,0\n0,1\n", post,
         "found 2 rows of 2 numbers, expected 2 rows (postsynaptic units) of 3");
  refuse("1,0,2\n3,4\n", post, "matrix.csv:2: found 2 cells, expected 3");
  refuse("1,0,2\n3,x,5\n", post, "matrix.csv:2: column 2: found 'x', expected a number");
  refuse("1,0,2\n3,inf,5\n", post, "found 'inf', expected a number");
  refuse("a,b,c\n", post, "has no row of numbers");
}
