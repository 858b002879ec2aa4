/* Draws as one batch whose objective is in nats: minus `share` of the sum of log likelihoods. */
#ifndef PLASTFIT_CORE_MARGINAL_NATS_BATCH_H
#define PLASTFIT_CORE_MARGINAL_NATS_BATCH_H

#include "core/engine/batch.h"

typedef struct pf_nats_batch_in {
  const pf_model *model;
  const pf_draw *const *draws; /**< [n] */
  size_t n;
  const double *factor; /**< [n_losses] nats per unit of log likelihood */
} pf_nats_batch_in;

pf_status pf_nats_batch_create(const pf_nats_batch_in *in, double share, pf_batch **out,
                               pf_error *error);

#endif
