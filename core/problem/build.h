/* Steps of building a problem; private to core/problem. */
#ifndef PLASTFIT_CORE_PROBLEM_BUILD_H
#define PLASTFIT_CORE_PROBLEM_BUILD_H

#include "core/problem/problem.h"

/** Top-level keys: name, seed, out, fit.*, evaluate.*, penalty.*; and *normalise. Opens the
 * registry. */
pf_status pf_build_settings(pf_problem *problem, uint32_t *normalise, pf_error *error);
/** The group `intervals`, of the top level's view. */
pf_status pf_build_intervals(pf_problem *problem, const pf_view *view, pf_error *error);
/** Host's keys of the source: input, expected_reward, give, animals. */
pf_status pf_build_source_keys(pf_problem *problem, int64_t *animals, pf_error *error);
/** Loads and creates source, network, rules and losses, and builds the model (and the teacher's).
 */
pf_status pf_build_models(pf_problem *problem, uint32_t normalise, pf_error *error);
/** Reads or simulates `animals` animals (and fresh ones for the evaluation). */
pf_status pf_build_data(pf_problem *problem, int64_t animals, pf_error *error);
/** Lets the animals `first` to `first` + n - 1 of a task live by the teacher's rule, named WORD1,
 * WORD2, ... */
pf_status pf_build_animals(const pf_problem *problem, pf_dataset *data, const char *word,
                           int64_t first, int64_t n, pf_error *error);

/** The `parameters` group of model->plastic[p]'s rule, and its init_sd (NaN: the rule's own). */
pf_status pf_build_parameters(const pf_problem *problem, pf_model *model, size_t p, double init_sd,
                              bool teacher, pf_error *error);
/** The `parameters` groups of the network and the losses. */
pf_status pf_build_other_parameters(const pf_problem *problem, pf_model *model, bool teacher,
                                    pf_error *error);
/** Says which free parameters start beyond their bounds; after the ties. */
void pf_build_warn_starts(const pf_model *model);
/** "shared", "animal" or "experiment" as enum pf_scope. */
uint32_t pf_build_scope(const char *word);
/** network.initial_weights.learn: starting weights that are fitted. After the masks. */
pf_status pf_build_learned_start(const pf_problem *problem, const pf_options *options,
                                 pf_model *model, pf_error *error);
/** Then, of all rules: which parameters are tied to which. */
pf_status pf_build_ties(const pf_problem *problem, pf_model *model, pf_error *error);
/** Does every rule that is fitted change something that a loss sees? After masks and parameters. */
pf_status pf_build_check_seen(const pf_problem *problem, const pf_model *model, pf_error *error);
/** `connected` and `plastic` of network.projections. `options`: the host's keys of the network. */
pf_status pf_build_masks(const pf_problem *problem, const pf_options *options, pf_model *model,
                         pf_error *error);
/** source.sessions. After the source is there. */
pf_status pf_build_session_keys(pf_problem *problem, pf_error *error);
/** The rate of forgetting as a parameter of the model, where the config asks for it. */
pf_status pf_build_forgetting(const pf_problem *problem, pf_model *model, bool teacher,
                              pf_error *error);
/** `bounds` and `dale` of network.projections. */
pf_status pf_build_bounds(const pf_problem *problem, const pf_options *options, pf_model *model,
                          pf_error *error);
/** `units` of entry i of network.projections: ranges, the caller's to free; none where it says
 * nothing. */
pf_status pf_build_groups(const pf_problem *problem, const pf_options *options, int64_t i,
                          pf_range **ranges, size_t *n, pf_error *error);
/** Which projection entry i of network.projections means: its `name`, or `layer = 1` for the first.
 */
pf_status pf_build_projection_name(const pf_problem *problem, const pf_options *options, int64_t i,
                                   char *name, size_t capacity, pf_error *error);
/** init.theta (NULL: not given): where the fits start. After the data are there. */
pf_status pf_build_warm_start(pf_problem *problem, const char *path, pf_error *error);
/** What of the activities of a simulated recording was recorded, and how well. `index`: of the
 * animal. */
pf_status pf_build_record(const pf_problem *problem, pf_recording *recording, int64_t index,
                          pf_error *error);

/** source.derive. After the source is there. */
pf_status pf_build_derived(pf_problem *problem, pf_error *error);
void pf_build_derived_free(pf_problem *problem);
/** Names of the channels that the data will have, or that a rule in a running task sees (`live`:
 * nothing derived by source.derive); the caller frees out->items. */
pf_status pf_build_channel_names(const pf_problem *problem, bool live, pf_names *out,
                                 pf_error *error);
/** The group in which `rule` or `rules` say what is true: a task's own, else source.truth, or NULL.
 */
const pf_node *pf_build_truth_group(const pf_problem *problem);

/** `memory` of the config, NULL: a quarter of the machine's. "512 MiB", "2 GB", "1e9". */
pf_status pf_build_memory(pf_problem *problem, const char *text, pf_error *error);
/** Distance of checkpoints, and threads, so that workspaces take no more than
 * problem->settings->memory. */
pf_status pf_build_budget(pf_problem *problem, pf_error *error);

/** A checked view of a component's host keys. */
pf_status pf_build_host_view(const pf_problem *problem, const pf_component *component,
                             uint32_t kind, const char *what, pf_view **view, pf_error *error);
/** Is this source a task, run in closed loop? */
bool pf_source_is_task(const pf_component *source);

#endif
