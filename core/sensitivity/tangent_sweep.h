/*
 * Tangents carried forward, population by population, plastic ones a block of rows at a time:
 *
 *   drive'_k(t) = W'_k pre(t) + W pre'_k(t)
 *   signal'_k   = slope(t) drive'_k(t) + what the network's own parameters do
 *   W'_k       <- W'_k + eta mask dw'_k     after a segment; dw'_k from the rule's jvp
 *
 * The units of a population do not see one another, so that slopes come from one call of the
 * network for all directions. Of the weights only those in force are kept, with their tangents.
 */
#ifndef PLASTFIT_CORE_SENSITIVITY_TANGENT_SWEEP_H
#define PLASTFIT_CORE_SENSITIVITY_TANGENT_SWEEP_H

#include "core/sensitivity/loss_information.h"

/** Does the sweep cover this model? If not: core/sensitivity/coupled_tangents.h. */
bool pf_tangents_can_sweep(const pf_model *model);

/** How the losses of a sweep enter. */
typedef struct pf_tangent_losses {
  const double *scale; /**< [n_losses] */
  pf_loss_sums sums;
  bool added; /**< out: the sweep has added them */
} pf_tangent_losses;

/**
 * Forward with tangents; self->planes has those of the signals `wanted`
 * [n_populations][max_signals] afterwards. Where every loss is a sum over units of the last
 * population and `losses` is not NULL, they are added block by block and no planes of that
 * population are made. PF_POINT_FAILED without a line: weights overflowed.
 */
pf_status pf_tangents_sweep(pf_tangents *self, const bool *wanted, pf_tangent_losses *losses,
                            pf_error *error);

/** Blocks of a population's rows: from sizes alone. */
typedef struct pf_tangent_blocks {
  int64_t at_once; /**< directions */
  int64_t rows, n_blocks, n_lanes;
} pf_tangent_blocks;

/** row_bytes: of the weights onto one unit. */
pf_tangent_blocks pf_tangent_blocks_plan(int64_t n_units, int64_t row_bytes, int64_t n_directions);

#endif
