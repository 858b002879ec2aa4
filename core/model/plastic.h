/* A rule on a plastic projection, or on some of its rows. */
#ifndef PLASTFIT_CORE_MODEL_PLASTIC_H
#define PLASTFIT_CORE_MODEL_PLASTIC_H

#include "core/model/model.h"

/** Which rule on which rows; pointers stay the caller's and MUST outlive the model. */
typedef struct pf_plastic_spec {
  const pf_component *rule;
  const char *projection; /**< the network's name for it, "layer1" */
  double eta;             /**< NaN: 1 / n_pre */
  const char *modulator;  /**< expression of the rule's first modulator; NULL: its fallback, as for
                             the others */
  const char *owner;
  const char *post;           /**< what the rule's y is, "choice"; NULL: the activity */
  const char *pre;            /**< likewise its x, "potential" */
  bool signed_choice;         /**< the choice of one output is 1 or -1, not 1 or 0 */
  const double *compartments; /**< [n_compartments] see core/model/modulation.h */
  size_t n_compartments;
  const pf_range *ranges; /**< [n_ranges] postsynaptic units that learn by it; none: all */
  size_t n_ranges;
} pf_plastic_spec;

/**
 * Add a rule to the model, whose network is declared and whose `plastic` has room for it. On
 * failure what it allocated is the model's to free.
 */
pf_status pf_plastic_add(pf_model *model, const pf_plastic_spec *spec, pf_names channels,
                         pf_error *error);
/** Does row i of the projection learn by this rule? */
bool pf_plastic_has_row(const pf_plastic *plastic, int64_t i);
/** The signal that the rule's y is, by name; NULL: the activity, or no signal in particular. */
const char *pf_plastic_post(const pf_model *model, const pf_plastic *plastic);
/** Likewise its x. */
const char *pf_plastic_pre(const pf_model *model, const pf_plastic *plastic);
void pf_plastic_free(pf_plastic *plastic);

#endif
