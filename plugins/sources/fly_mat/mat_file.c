#define _POSIX_C_SOURCE 200809L

#include "mat_file.h"

#include "../common/mat_open.h"

#include <string.h>

/* More cells than any recording has: a damaged header must not make us ask for terabytes. */
enum { FLY_MAT_MAX_CELLS = 100000000 };

/* ---- one variable ---- */

static pf_status fly_mat_no_such(mat_t *mat, const char *path, const char *name, pf_error *error)
{
  char list[256] = "";
  size_t used = 0;
  size_t n = 0;
  char *const *names = Mat_GetDir(mat, &n);
  for (size_t i = 0; names != NULL && i < n; i++) {
    if (names[i] != NULL && used + strlen(names[i]) + 6 < sizeof list) {
      used +=
          (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", names[i]);
    } else if (names[i] != NULL) {
      (void)snprintf(list + used, sizeof list - used, " ...");
      break;
    }
  }
  return pf_fail(error, PF_STOP, "%s has no variable %s; it has %s", path, name,
                 list[0] != '\0' ? list : "none that can be read");
}

/** Column-major numbers of any class to row-major doubles. */
static pf_status fly_mat_convert(const pf_host *host, const char *path, const char *name,
                                 const matvar_t *variable, fly_mat_matrix *out, pf_error *error)
{
  const size_t n_rows = variable->dims[0];
  const size_t n_columns = variable->dims[1];
  const size_t cells = n_rows * n_columns;
  if (cells > 0 &&
      (variable->data == NULL || variable->nbytes < cells * mat_cell_bytes(variable))) {
    return pf_fail(error, PF_STOP, "%s: variable %s cannot be read; the file is damaged", path,
                   name);
  }
  out->values = host->allocate(host, cells * sizeof *out->values);
  if (out->values == NULL) {
    return pf_fail(error, PF_STOP, "%s: out of memory for variable %s", path, name);
  }
  out->n_rows = (int64_t)n_rows;
  out->n_columns = (int64_t)n_columns;
  for (size_t i = 0; i < n_rows; i++) {
    for (size_t j = 0; j < n_columns; j++) {
      out->values[i * n_columns + j] = mat_cell(variable, j * n_rows + i);
    }
  }
  return PF_OK;
}

static pf_status fly_mat_read_one(const pf_host *host, mat_t *mat, const char *path,
                                  const char *name, fly_mat_matrix *out, pf_error *error)
{
  matvar_t *variable = Mat_VarReadInfo(mat, name);
  if (variable == NULL) {
    return fly_mat_no_such(mat, path, name, error);
  }
  pf_status status = PF_OK;
  if (!mat_is_number(variable)) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s is not a full matrix of real numbers", path, name);
  } else if (variable->rank != 2) {
    status = pf_fail(error, PF_STOP, "%s: variable %s has %d dimensions; expected 2", path, name,
                     variable->rank);
  } else if (variable->dims[0] > FLY_MAT_MAX_CELLS || variable->dims[1] > FLY_MAT_MAX_CELLS ||
             variable->dims[0] * variable->dims[1] > FLY_MAT_MAX_CELLS) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s is said to be %zu x %zu, more than can be meant",
                path, name, variable->dims[0], variable->dims[1]);
  } else if (variable->dims[0] * variable->dims[1] > 0 && Mat_VarReadDataAll(mat, variable) != 0) {
    status =
        pf_fail(error, PF_STOP, "%s: variable %s cannot be read; the file is damaged", path, name);
  } else {
    status = fly_mat_convert(host, path, name, variable, out, error);
  }
  Mat_VarFree(variable);
  return status;
}

/* ---- all of them ---- */

void fly_mat_free_matrices(const pf_host *host, fly_mat_matrix *matrices, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    host->release(host, matrices[i].values);
    matrices[i] = (fly_mat_matrix){0};
  }
}

pf_status fly_mat_read_matrices(const pf_host *host, const char *path, const char *const *names,
                                size_t n, fly_mat_matrix *out, pf_error *error)
{
  for (size_t i = 0; i < n; i++) {
    out[i] = (fly_mat_matrix){0};
  }
  mat_t *mat = NULL;
  pf_status status = mat_open(path, &mat, error);
  for (size_t i = 0; i < n; i++) {
    if (status != PF_OK) {
      break;
    }
    status = fly_mat_read_one(host, mat, path, names[i], &out[i], error);
  }
  mat_shut(mat);
  if (status != PF_OK) {
    fly_mat_free_matrices(host, out, n);
  }
  return status;
}
