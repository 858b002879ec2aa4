/*
 * Well formed but wrong HDF5: a valid file whose datasets are changed through HDF5's own functions,
 * as the input orders. An order is six bytes: which dataset, what to do with it, three numbers, and
 * another dataset.
 */
#define _XOPEN_SOURCE 700

#include "tests/fuzz/targets.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETS = 128, MAX_NAME = 200, MAX_RANK = 5, MAX_ORDERS = 8, MAX_CELLS = 1 << 16 };

typedef struct dataset_names {
  char names[MAX_SETS][MAX_NAME];
  size_t n;
} dataset_names;

static const double odd_values[] = {
    0.0, 1.0,   -1.0,    0.5,           2.0,  INFINITY, -INFINITY, NAN,  1e30,  -1e-300,     1e308,
    3.0, 255.0, 65536.0, -2147483649.0, 9e18, -9e18,    0.9999,    1e-9, 100.0, 4294967296.0};
static const hsize_t odd_sizes[] = {0, 1, 2, 3, 5, 7, 10, 17, 60, 61, 100, 257, 1000, 4096};
static const hsize_t huge_sizes[] = {(hsize_t)1 << 20, (hsize_t)1 << 31, (hsize_t)1 << 32,
                                     (hsize_t)1 << 40, (hsize_t)1 << 62, 3000000000U};
#define PICK(table, index) ((table)[(index) % (sizeof(table) / sizeof(table)[0])])

static herr_t keep_name(hid_t group, const char *name, const H5O_info_t *info, void *payload)
{
  dataset_names *sets = payload;
  (void)group;
  if (info->type == H5O_TYPE_DATASET && sets->n < MAX_SETS && strlen(name) < MAX_NAME) {
    (void)snprintf(sets->names[sets->n++], MAX_NAME, "%s", name);
  }
  return 0;
}

/** As doubles; freed by the caller. */
static double *read_cells(hid_t file, const char *name, hsize_t *dims, int *rank, size_t *n)
{
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t space = set < 0 ? -1 : H5Dget_space(set);
  double *cells = calloc(MAX_CELLS, sizeof *cells);
  const hssize_t found = space < 0 ? 0 : H5Sget_simple_extent_npoints(space);
  *rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
  *n = found > 0 && found <= MAX_CELLS ? (size_t)found : 0;
  if (*rank < 0 || *rank > MAX_RANK) {
    *rank = 0;
  }
  if (*rank > 0) {
    (void)H5Sget_simple_extent_dims(space, dims, NULL);
  }
  if (*n > 0) {
    (void)H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return cells;
}

typedef struct new_set {
  const double *cells; /* [MAX_CELLS]; NULL: none written */
  hid_t type;
  const hsize_t *dims;
  int rank; /* -1: a null space, 0: a scalar */
  int chunked;
} new_set;

static hid_t space_of(const new_set *wanted)
{
  if (wanted->rank <= 0) {
    return H5Screate(wanted->rank < 0 ? H5S_NULL : H5S_SCALAR);
  }
  return H5Screate_simple(wanted->rank, wanted->dims, NULL);
}

static hid_t layout_of(const new_set *wanted)
{
  hsize_t chunk[MAX_RANK];
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  if (wanted->chunked && wanted->rank > 0) {
    for (int k = 0; k < wanted->rank; k++) {
      chunk[k] = wanted->dims[k] == 0 ? 1 : wanted->dims[k] < 16 ? wanted->dims[k] : 16;
    }
    (void)H5Pset_chunk(layout, wanted->rank, chunk);
    (void)H5Pset_deflate(layout, 6);
  }
  return layout;
}

static void replace_set(hid_t file, const char *name, const new_set *wanted)
{
  (void)H5Ldelete(file, name, H5P_DEFAULT);
  const hid_t space = space_of(wanted);
  const hid_t layout = layout_of(wanted);
  const hid_t set = H5Dcreate2(file, name, wanted->type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  if (set >= 0 && wanted->cells != NULL && H5Sget_simple_extent_npoints(space) <= MAX_CELLS) {
    (void)H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, wanted->cells);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  (void)H5Pclose(layout);
  if (space >= 0) {
    (void)H5Sclose(space);
  }
}

static void replace_by_text(hid_t file, const char *name, int variable)
{
  static const char *const words[] = {"a", "odd\x1b[31m", "", "9"};
  const hsize_t n = 4;
  const hid_t type = H5Tcopy(H5T_C_S1);
  (void)H5Tset_size(type, variable ? H5T_VARIABLE : 3);
  const new_set wanted = {.type = type, .dims = &n, .rank = 1};
  replace_set(file, name, &wanted);
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set >= 0 && variable) {
    (void)H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  (void)H5Tclose(type);
}

static hid_t type_at(unsigned k)
{
  const hid_t types[] = {H5T_STD_I8LE,   H5T_STD_U64BE, H5T_IEEE_F32LE,
                         H5T_IEEE_F64BE, H5T_STD_I64LE, H5T_STD_B8LE};
  return types[k % (sizeof types / sizeof types[0])];
}

static void swap_sets(hid_t file, const char *a, const char *b)
{
  if (strcmp(a, b) == 0) {
    return;
  }
  (void)H5Lmove(file, a, file, "between", H5P_DEFAULT, H5P_DEFAULT);
  (void)H5Lmove(file, b, file, a, H5P_DEFAULT, H5P_DEFAULT);
  (void)H5Lmove(file, "between", file, b, H5P_DEFAULT, H5P_DEFAULT);
}

static void replace_by_link(hid_t file, const char *name, const char *other, unsigned how)
{
  (void)H5Ldelete(file, name, H5P_DEFAULT);
  switch (how % 4) {
  case 0:
    (void)H5Lcreate_soft(name, file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  case 1:
    (void)H5Lcreate_soft(other, file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  case 2:
    (void)H5Lcreate_external("nowhere.h5", "/x", file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  default:
    (void)H5Lcreate_hard(file, "/", file, name, H5P_DEFAULT, H5P_DEFAULT);
    break;
  }
}

static void change_shape(hid_t file, const char *name, const uint8_t *order)
{
  hsize_t dims[MAX_RANK] = {1, 1, 1, 1, 1};
  int rank = 0;
  size_t n = 0;
  double *cells = read_cells(file, name, dims, &rank, &n);
  new_set wanted = {.cells = cells, .type = H5T_IEEE_F64LE, .dims = dims, .rank = rank};
  switch (order[1] % 6) {
  case 0:
    dims[rank > 0 ? order[2] % rank : 0] = PICK(odd_sizes, order[3]);
    break;
  case 1:
    wanted.type = type_at(order[2]);
    break;
  case 2:
    wanted.rank = (int)(order[2] % (MAX_RANK + 2)) - 1;
    break;
  case 3: /* a few bytes that claim much */
    dims[rank > 0 ? order[2] % rank : 0] = PICK(huge_sizes, order[3]);
    wanted.chunked = 1;
    wanted.cells = NULL;
    break;
  case 4:
    for (size_t i = 0; i < n; i++) {
      cells[i] = PICK(odd_values, order[3]);
    }
    break;
  default:
    if (n > 0) {
      cells[(order[2] * 256U + order[3]) % n] = PICK(odd_values, order[4]);
    }
    wanted.chunked = order[4] % 2;
    break;
  }
  replace_set(file, name, &wanted);
  free(cells);
}

static void obey_order(hid_t file, const dataset_names *sets, const uint8_t *order)
{
  const char *name = sets->names[order[0] % sets->n];
  const char *other = sets->names[order[5] % sets->n];
  switch (order[1] % 16) {
  case 12:
    (void)H5Ldelete(file, name, H5P_DEFAULT);
    break;
  case 13:
    replace_by_text(file, name, order[2] % 2);
    break;
  case 14:
    swap_sets(file, name, other);
    break;
  case 15:
    replace_by_link(file, name, other, order[2]);
    break;
  default:
    change_shape(file, name, order);
    break;
  }
}

void fuzz_change_hdf5(const char *seed, const char *path, const uint8_t *bytes, size_t n)
{
  static dataset_names sets; /* of the seed, which stays the same */
  static char *whole;
  static size_t length;
  if (whole == NULL) {
    whole = fuzz_read(seed, &length);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  }
  fuzz_write(path, (const uint8_t *)whole, length);
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  if (file < 0) {
    (void)fprintf(stderr, "%s is no HDF5 file\n", seed);
    exit(2);
  }
  if (sets.n == 0) {
    (void)H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, keep_name, &sets, H5O_INFO_BASIC);
  }
  for (size_t k = 0; k < MAX_ORDERS && 6 * (k + 1) <= n && sets.n > 0; k++) {
    obey_order(file, &sets, bytes + 6 * k);
  }
  (void)H5Fclose(file);
}
