/*
 * plugins/rules/mlp/shape.h - the perceptron's object: its layers, and where theta keeps them.
 *
 * theta holds layer by layer weights[input][unit], row-major, then biases[unit]. Layer 1 takes the
 * rule's inputs, the last layer has one unit, dw.
 */
#ifndef PLASTFIT_RULES_MLP_SHAPE_H
#define PLASTFIT_RULES_MLP_SHAPE_H

#include "../common/rule_common.h"

enum {
  MLP_MAX_INPUTS = 4,
  MLP_MAX_HIDDEN = 8,  /**< hidden layers */
  MLP_MAX_UNITS = 256, /**< hidden units in all: hot ops keep their activity on the stack */
  MLP_LANES = 32       /**< synapses that the packed path takes at a time */
};

/** What an input is. */
enum mlp_input { MLP_X, MLP_Y, MLP_W, MLP_R };

static const char mlp_letters[MLP_MAX_INPUTS + 1] = "xywr";

/** Const after create. */
typedef struct mlp {
  const pf_host *host;
  int n_inputs;
  enum mlp_input input[MLP_MAX_INPUTS]; /**< in the order of the option */
  int place[MLP_MAX_INPUTS];            /**< of x, y, w, r among the inputs, or -1 */
  int n_layers;                         /**< hidden ones and the last */
  int size[MLP_MAX_HIDDEN + 2];         /**< size[0] inputs, size[l] units of layer l */
  int weights[MLP_MAX_HIDDEN + 2];      /**< offset in theta of layer l's weights, l from 1 */
  int biases[MLP_MAX_HIDDEN + 2];
  int first[MLP_MAX_HIDDEN +
            2]; /**< where the packed path keeps layer l: its first unit, l from 0 */
  int n_parameters;
  pf_parameter *parameters;
  char (*names)[24];
} mlp;

/** A unit's response, max(z, 0.01 z); so written it is one instruction, and a NaN stays one. */
PF_INLINE pf_real mlp_leaky(pf_real z)
{
  const pf_real slow = (pf_real)0.01 * z;
  return z > slow ? z : slow;
}

#endif
