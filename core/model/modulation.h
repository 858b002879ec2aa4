/*
 * Modulators of a rule: one value a step, or one for each unit of a side.
 *
 * A name such as "dan[post]" is a family: the channels whose names begin with "dan", one for each
 * postsynaptic unit. A rule that declares its modulator per network needs to know nothing of it: it
 * is called on the synapses that share their values, part by part. A rule that declares one per
 * unit is handed all of a side's values.
 *
 * Values of one step, pf_modulation_cells of them: [n_parts][n modulators], then those declared per
 * post [n][n_post], then those declared per pre [n][n_pre].
 */
#ifndef PLASTFIT_CORE_MODEL_MODULATION_H
#define PLASTFIT_CORE_MODEL_MODULATION_H

#include "core/model/model.h"

/** What the config says of a rule's modulators. */
typedef struct pf_modulation_spec {
  const char *first;          /**< expression of the rule's first modulator, or NULL */
  const double *compartments; /**< [n_compartments] which channel of a family per post each
                                  postsynaptic unit has; none: its own */
  size_t n_compartments;
} pf_modulation_spec;

/** Reads the expressions and divides the rule's rows and columns into parts. plastic->ranges stand.
 */
pf_status pf_modulation_make(pf_plastic *plastic, const pf_modulation_spec *spec, pf_names channels,
                             pf_error *error);
void pf_modulation_free(pf_plastic *plastic);

/** Do two rules whose expressions are equal read the same channels at every unit? */
bool pf_modulation_same(const pf_plastic *a, const pf_plastic *b);

/** Values of one step. */
size_t pf_modulation_cells(const pf_plastic *plastic);
/** Those of one step from `read` [n_channels]; names: [n_names] scratch. */
void pf_modulation_set(const pf_plastic *plastic, const double *read, double *names, pf_real *out);
/** The values of one part, per post and per pre; NULL where the rule declares none. */
const pf_real *pf_modulation_part(const pf_plastic *plastic, const pf_real *step, size_t part);
const pf_real *pf_modulation_post(const pf_plastic *plastic, const pf_real *step);
const pf_real *pf_modulation_pre(const pf_plastic *plastic, const pf_real *step);

#endif
