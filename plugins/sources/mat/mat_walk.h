/* Through a variable of a .mat file: every piece in it that holds numbers or text. */
#ifndef PLASTFIT_PLUGINS_MAT_WALK_H
#define PLASTFIT_PLUGINS_MAT_WALK_H

#include <plastfit/abi/base.h>

#include <matio.h>

/** A piece: a variable, a field of a struct, an element of a cell array. */
typedef struct mat_piece {
  const char *path; /**< "data.choice": without the numbers of elements */
  matvar_t *variable;
  int64_t element; /**< of the outermost struct or cell array that has several; -1: there is none */
  const char *outer; /**< the path of that array */
} mat_piece;

typedef struct mat_visitor {
  pf_status (*take)(void *context, const mat_piece *piece, pf_error *error);
  void *context;
} mat_visitor;

/** Errors: those of `take`; nested deeper than 16. */
pf_status mat_walk(matvar_t *variable, const mat_visitor *visitor, pf_error *error);
/** Elements of a variable; 0 where its sizes make no sense. */
int64_t mat_count(const matvar_t *variable);

#endif
