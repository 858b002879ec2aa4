/*
 * Starting weights that are learned: a projection's weights before the first step come from theta
 * instead of from the network. Private to core/engine, but for what engine.h declares.
 *
 *   each         W0_ij = theta[theta0 + i n_pre + j]
 *   mean and sd  W0_ij = theta[theta0] + theta[theta0 + 1] z_ij,   z the draw's noise, behind that
 * of the network
 *
 * The host does this, so that it works with every network.
 */
#ifndef PLASTFIT_CORE_MODEL_STARTING_WEIGHTS_H
#define PLASTFIT_CORE_MODEL_STARTING_WEIGHTS_H

#include "core/engine/workspace.h"

/** Is one of the network's own parameters, or a starting weight, not fixed? Then the adjoint must
 * reach them. */
bool pf_learns_network(const pf_model *model);
/** Is one of loss k's parameters not fixed? */
bool pf_learns_loss(const pf_model *model, size_t k);

/** Starting weights of projection q from theta and noise (model->n_noise), into w [n_post][ldw]; if
 * they are learned.
 */
void pf_learn_start(const pf_model *model, size_t q, const double *theta, const double *noise,
                    int64_t n_post, int64_t n_pre, pf_real *w, int64_t ldw);
/** Its adjoint: g [n_post][ldw], 0 where there is no synapse, into gradient [n_parameters] += . */
void pf_learn_start_vjp(const pf_model *model, size_t q, const double *noise, int64_t n_post,
                        int64_t n_pre, const pf_real *g, int64_t ldw, double *gradient);
/** Its tangent along d_theta [n_parameters]: w [n_post][ldw], overwritten. */
void pf_learn_start_jvp(const pf_model *model, size_t q, const double *d_theta, const double *noise,
                        int64_t n_post, int64_t n_pre, pf_real *w, int64_t ldw);

#endif
