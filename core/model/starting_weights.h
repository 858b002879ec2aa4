/*
 * Starting weights that are learned: a projection's weights before the first step come from theta
 * instead of from the network.
 *
 *   each         W0_ij = theta[theta0 + i n_pre + j]
 *   mean and sd  W0_ij = theta[theta0] + theta[theta0 + 1] z_ij,   z the draw's noise, behind
 *                that of the network
 *
 * The host does this, so that it works with every network.
 */
#ifndef PLASTFIT_CORE_MODEL_STARTING_WEIGHTS_H
#define PLASTFIT_CORE_MODEL_STARTING_WEIGHTS_H

#include "core/model/model.h"

/** How starting weights are learned; bounds do not count for an sd, which is not negative. */
typedef struct pf_start_spec {
  uint32_t scope; /**< enum pf_scope */
  double lower, upper, l1, l2;
} pf_start_spec;
/**
 * The starting weights of a projection become parameters, "w0.layer1[3][0]" (enum pf_start_mode
 * PF_START_EACH), or their mean and sd do; their initial value is what the network starts with
 * where its noise is 0. What is not connected is fixed at 0: after pf_model_mask, before any draw
 * is made.
 */
pf_status pf_model_learn_start(pf_model *model, int64_t projection, uint32_t mode,
                               const pf_start_spec *spec, pf_error *error);

/** Is one of the network's own parameters, or a starting weight, not fixed? Then the adjoint must
 * reach them. */
bool pf_learns_network(const pf_model *model);
/** Is one of loss k's parameters not fixed? */
bool pf_learns_loss(const pf_model *model, size_t k);

/** Starting weights of projection q from theta and noise (model->n_noise), into w [n_post][ldw],
 * ldw the leading dimension of n_pre; nothing where they are not learned. */
void pf_learn_start(const pf_model *model, size_t q, const double *theta, const double *noise,
                    pf_real *w);
/** Its adjoint: g [n_post][ldw], 0 where there is no synapse, into gradient [n_parameters] += . */
void pf_learn_start_vjp(const pf_model *model, size_t q, const double *noise, const pf_real *g,
                        double *gradient);
/** Its tangent along d_theta [n_parameters]: w [n_post][ldw], overwritten. */
void pf_learn_start_jvp(const pf_model *model, size_t q, const double *d_theta, const double *noise,
                        pf_real *w);

#endif
