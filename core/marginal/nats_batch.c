#include "core/marginal/nats_batch.h"

#include "core/base/memory.h"

pf_status pf_nats_batch_create(const pf_nats_batch_in *in, double share, pf_batch **out,
                               pf_error *error)
{
  const size_t n_losses = in->model->n_losses;
  pf_batch *batch = pf_memory_need(1, sizeof *batch, error);
  if (batch == NULL) {
    return PF_STOP;
  }
  *batch = (pf_batch){.model = in->model,
                      .draws = in->draws,
                      .n = in->n,
                      .scale = pf_memory_need(in->n * n_losses, sizeof *batch->scale, error),
                      .cells = pf_memory_need(n_losses, sizeof *batch->cells, error)};
  if (batch->scale == NULL || batch->cells == NULL) {
    pf_batch_free(batch);
    return PF_STOP;
  }
  for (size_t i = 0; i < in->n * n_losses; i++) {
    batch->scale[i] = share * in->factor[i % n_losses];
  }
  *out = batch;
  return PF_OK;
}
