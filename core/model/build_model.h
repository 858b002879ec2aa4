/* Building a model from its components. */
#ifndef PLASTFIT_CORE_MODEL_BUILD_MODEL_H
#define PLASTFIT_CORE_MODEL_BUILD_MODEL_H

#include "core/model/model.h"
#include "core/model/normalisation.h"
#include "core/model/plastic.h"

/** Pointers of the specs stay the caller's and MUST outlive the model. */
typedef struct pf_loss_spec {
  const pf_component *loss;
  double weight;
  const char *owner;
} pf_loss_spec;

typedef struct pf_model_spec {
  const pf_component *network;
  const pf_plastic_spec *plastic; /**< [n_plastic] */
  size_t n_plastic;
  const pf_loss_spec *losses; /**< [n_losses] */
  size_t n_losses;
  const pf_normalisation *normalisation;
  pf_names channels; /**< names the data will have, for checking modulators */
} pf_model_spec;

pf_status pf_model_create(const pf_model_spec *spec, pf_model **out, pf_error *error);
void pf_model_free(pf_model *model);

#endif
