#include "core/model/masks.h"

#include "core/base/memory.h"

/** 1 where both a and b (either MAY be NULL: ones) are not 0; *mask NULL where both are NULL. */
static pf_status replace_mask(pf_real **mask, const pf_projection_size *size, const uint8_t *a,
                              const uint8_t *b, pf_error *error)
{
  const int64_t ldw = pf_leading_dimension(size->n_pre);
  pf_real *values = NULL;
  if (a != NULL || b != NULL) {
    values = pf_memory_need((size_t)(size->n_post * ldw), sizeof *values, error);
    if (values == NULL) {
      return PF_STOP;
    }
    for (int64_t i = 0; i < size->n_post; i++) {
      for (int64_t j = 0; j < size->n_pre; j++) {
        const int64_t k = i * size->n_pre + j;
        const bool is_set = (a == NULL || a[k] != 0) && (b == NULL || b[k] != 0);
        values[i * ldw + j] = (pf_real)(is_set ? 1 : 0);
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
  const pf_projection_size size = pf_model_projection_size(model, projection);
  pf_mask *mask = &model->masks[projection];
  const pf_status status = replace_mask(&mask->connected, &size, connected, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  return replace_mask(&mask->changes, &size, connected, plastic, error);
}
