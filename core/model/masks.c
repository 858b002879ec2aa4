#include "core/model/masks.h"

#include "core/base/memory.h"

#include <string.h>

static pf_status replace(pf_real **mask, int64_t n_post, int64_t n_pre, const uint8_t *a,
                         const uint8_t *b, pf_error *error)
{
  const int64_t ldw = pf_leading_dimension(n_pre);
  pf_real *values = NULL;
  if (a != NULL || b != NULL) {
    values = pf_memory_need((size_t)(n_post * ldw), sizeof *values, error);
    if (values == NULL) {
      return PF_STOP;
    }
    for (int64_t i = 0; i < n_post; i++) {
      for (int64_t j = 0; j < n_pre; j++) {
        const int64_t k = i * n_pre + j;
        values[i * ldw + j] =
            (pf_real)((a == NULL || a[k] != 0) && (b == NULL || b[k] != 0) ? 1 : 0);
      }
    }
  }
  pf_memory_free(*mask);
  *mask = values;
  return PF_OK;
}

pf_status pf_model_mask(pf_model *model, int64_t projection, const uint8_t *connected,
                        const uint8_t *plastic, pf_error *error)
{
  const pf_projection *info =
      pf_table_at(model->declared.projections.items, model->declared.projections.stride,
                  model->declared.projections.count, (size_t)projection);
  int64_t n_post = 0, n_pre = 0;
  (void)pf_model_projection(model, info->name, &n_post, &n_pre);
  pf_mask *mask = &model->masks[projection];
  pf_status status = replace(&mask->connected, n_post, n_pre, connected, NULL, error);
  return status == PF_OK ? replace(&mask->changes, n_post, n_pre, connected, plastic, error)
                         : status;
}
