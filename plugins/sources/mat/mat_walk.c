#include "mat_walk.h"

enum { MAT_DEEPEST = 16, MAT_LONGEST_PATH = 300 };

int64_t mat_count(const matvar_t *variable)
{
  double n = 1.0;
  for (int k = 0; k < variable->rank; k++) {
    n *= (double)variable->dims[k];
  }
  return n < 9e15 ? (int64_t)n : 0;
}

/** Where the walk is. */
typedef struct mat_place {
  mat_piece piece;
  int depth;
} mat_place;

static pf_status visit(const mat_place *at, const mat_visitor *visitor, pf_error *error);

/** Element k of n. */
typedef struct mat_element {
  matvar_t *variable;
  int64_t k, n;
} mat_element;

static pf_status visit_child(const mat_place *at, mat_element element, const char *path,
                             const mat_visitor *visitor, pf_error *error)
{
  matvar_t *child = element.variable;
  mat_place below = *at;
  if (child == NULL) {
    return PF_OK;
  }
  below.depth++;
  below.piece.path = path;
  below.piece.variable = child;
  if (below.piece.element < 0 && element.n > 1) {
    below.piece.element = element.k;
    below.piece.outer = at->piece.path;
  }
  return visit(&below, visitor, error);
}

static pf_status visit_cells(const mat_place *at, const mat_visitor *visitor, pf_error *error)
{
  matvar_t *variable = at->piece.variable;
  const int64_t n = variable->data == NULL ? 0 : mat_count(variable);
  for (int64_t k = 0; k < n; k++) {
    const mat_element element = {Mat_VarGetCell(variable, (int)k), k, n};
    const pf_status status = visit_child(at, element, at->piece.path, visitor, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status visit_fields(const mat_place *at, const mat_visitor *visitor, pf_error *error)
{
  matvar_t *variable = at->piece.variable;
  const int64_t n = variable->data == NULL ? 0 : mat_count(variable);
  char *const *names = Mat_VarGetStructFieldnames(variable);
  const size_t n_fields = names == NULL ? 0 : Mat_VarGetNumberOfFields(variable);
  for (size_t f = 0; f < n_fields; f++) {
    char path[MAT_LONGEST_PATH];
    (void)snprintf(path, sizeof path, "%.200s.%.80s", at->piece.path, names[f]);
    for (int64_t k = 0; k < n; k++) {
      const mat_element element = {Mat_VarGetStructFieldByIndex(variable, f, (size_t)k), k, n};
      const pf_status status = visit_child(at, element, path, visitor, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

static pf_status visit(const mat_place *at, const mat_visitor *visitor, pf_error *error)
{
  if (at->depth > MAT_DEEPEST) {
    return pf_fail(error, PF_STOP, "variable %.100s: is nested deeper than %d", at->piece.path,
                   (int)MAT_DEEPEST);
  }
  if (at->piece.variable->class_type == MAT_C_CELL) {
    return visit_cells(at, visitor, error);
  }
  if (at->piece.variable->class_type == MAT_C_STRUCT) {
    return visit_fields(at, visitor, error);
  }
  return visitor->take(visitor->context, &at->piece, error);
}

pf_status mat_walk(matvar_t *variable, const mat_visitor *visitor, pf_error *error)
{
  const mat_place top = {.piece = {.path = variable->name == NULL ? "" : variable->name,
                                   .variable = variable,
                                   .element = -1}};
  return visit(&top, visitor, error);
}
