/*
 * What a recorded cell weighs in the sum of squares: 1, or what the config says of how well it was
 * measured.
 */
#ifndef PLASTFIT_PLUGINS_LOSSES_CELL_WEIGHTS_H
#define PLASTFIT_PLUGINS_LOSSES_CELL_WEIGHTS_H

#include <plastfit/abi/plugin.h>
#include <plastfit/author/simd.h>

#include <math.h>

/** Where weights come from. */
enum cell_weights_by {
  CELLS_ALIKE,
  CELLS_BY_SEM,    /**< a target: standard errors, one a cell or one a step */
  CELLS_BY_WEIGHT, /**< a target: weights, likewise */
  CELLS_BY_UNIT    /**< standard errors of the units, in the config */
};

typedef struct cell_weights {
  enum cell_weights_by by;
  char *name;      /**< of the target, owned; or NULL */
  double *of_unit; /**< [n_units] 1 / sem^2, or NULL */
  int64_t n_units;
} cell_weights;

/** Number of the second target in the cell of the first. */
PF_INLINE double cell_number(const pf_loss_in *in, int64_t t, int64_t i)
{
  return (double)in->target[1][t * in->ld_target[1] + (in->n_target[1] == 1 ? 0 : i)];
}

PF_INLINE double cell_weight(const cell_weights *weights, const pf_loss_in *in, int64_t t,
                             int64_t i)
{
  if (weights->by == CELLS_ALIKE) {
    return 1.0;
  }
  if (weights->by == CELLS_BY_UNIT) {
    return weights->of_unit[i];
  }
  const double number = cell_number(in, t, i);
  return weights->by == CELLS_BY_WEIGHT ? number : 1.0 / (number * number);
}

#endif
