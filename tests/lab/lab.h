/*
 * A model made from the text of a config, its plugins loaded by name as a user's are: what the
 * tests of whole trajectories (tests/golden, tests/gradients) need. The text has
 *
 *     network: { plugin = "feedforward"; ... };
 *     rules:   { layer1: { plugin = "taylor"; ...; eta = 0.5; modulator = "reward"; }; };
 *     losses = ( { plugin = "choice"; weight = 1.0; } );
 *
 * A rule's group is named by its projection, as is what it sees: `sees`, `sees_pre`, `modulators`,
 * `compartments`.
 */
#ifndef PLASTFIT_TESTS_LAB_H
#define PLASTFIT_TESTS_LAB_H

#include "core/model/model.h"

enum { LAB_MAX = 4, LAB_UNITS = 32 };

typedef struct lab {
  pf_config *config;
  pf_component network, rules[LAB_MAX], losses[LAB_MAX];
  size_t n_rules, n_losses;
  double compartments[LAB_UNITS]; /**< of the one rule that has some */
  pf_model *model;
} lab;

/** `name` stands for the file in messages; `channels` as in pf_model_create. On failure *out holds
 * nothing. */
pf_status lab_create(pf_registry *registry, const char *name, const char *text,
                     const pf_normalisation *normalise, pf_names channels, lab *out,
                     pf_error *error);
/** A zeroed lab is fine. */
void lab_free(lab *made);

#endif
