/*
 * The components that a config names, and the models made of them: what is fitted, and, where the
 * truth is known, the teacher's.
 */
#ifndef PLASTFIT_CORE_MODEL_CONFIG_MODELS_H
#define PLASTFIT_CORE_MODEL_CONFIG_MODELS_H

#include "core/model/model.h"
#include "core/model_config/initial_weights.h"
#include "core/plugin/component.h"
#include "core/settings/settings.h"

typedef struct pf_models {
  const pf_config *config; /**< the caller's: for the places of errors */
  pf_registry *registry;
  pf_component network, source;
  pf_component *rules;
  size_t n_rules; /**< one per plastic projection of the model */
  pf_component *losses;
  size_t n_losses;
  pf_component teacher_rule;   /**< source.rule, of every plastic projection; plugin NULL: none */
  pf_component *teacher_rules; /**< [n_rules] source.rules, one each; NULL: there are none */
  pf_model *model;             /**< what is fitted */
  pf_model *teacher; /**< same network, teacher's rule, same losses; NULL: the truth is unknown */
  double *teacher_theta; /**< [teacher->n_parameters] */
  /** [n_rules + n_losses] "rules.learn", ..., "losses.[0]", ...: names the models refer to. */
  char **owners;
  pf_initial_file *initial; /**< network.initial_weights.file, or NULL */
} pf_models;

/** Loads and creates the source and the network. `config` MUST outlive the models. */
pf_status pf_models_create(const pf_config *config, const char *plugin_path, pf_models **out,
                           pf_error *error);
void pf_models_free(pf_models *models);

/** Creates a component with the host's keys of its kind (enum pf_kind) beside its options. */
pf_status pf_models_component(const pf_models *models, const pf_node *node, uint32_t kind,
                              const char *what, pf_component *out, pf_error *error);
/** theta [teacher->n_parameters] by which a recording was simulated: its animal's own, or all's. */
static inline const double *pf_teacher_theta(const pf_models *models, const pf_recording *recording)
{
  return recording->true_theta != NULL ? recording->true_theta : models->teacher_theta;
}
/** Do simulated animals come in two groups, as a parameter of the teacher has a `change`? */
bool pf_teacher_has_groups(const pf_models *models);
/** "control" or "changed", by the animal's place among the simulated ones. */
const char *pf_teacher_group(size_t animal_number);
/** Is this source a task, run in closed loop? */
bool pf_source_is_task(const pf_component *source);
/** The entries of network.projections in the config, or NULL. */
const pf_node *pf_models_entries(const pf_models *models);
/** The group in which `rule` or `rules` say what is true: a task's own, else source.truth, or NULL.
 */
const pf_node *pf_models_truth(const pf_models *models);

#endif
