/* Components and models: which rule on which projection, which losses, and the teacher's twin of it
 * all. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/problem/build.h"
#include "core/problem/keys.h"

#include <math.h>
#include <string.h>

/** What the config says of a rule beside its options. */
typedef struct rule_keys {
  pf_view *view;
  double eta, init_sd;   /* NaN: not given */
  const char *modulator; /* NULL: the rule's own */
} rule_keys;

static pf_status read_rule_keys(const pf_problem *problem, const pf_component *rule,
                                const char *what, rule_keys *keys, pf_error *error)
{
  pf_status status = pf_build_host_view(problem, rule, PF_KIND_RULE, what, &keys->view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(keys->view);
  keys->eta = options->present(options, "eta") != 0 ? options->real(options, "eta") : NAN;
  keys->init_sd =
      options->present(options, "init_sd") != 0 ? options->real(options, "init_sd") : NAN;
  keys->modulator =
      options->present(options, "modulator") != 0 ? options->string(options, "modulator") : NULL;
  return pf_view_verify(keys->view, error);
}

pf_status pf_build_projection_name(const pf_problem *problem, const pf_options *options, int64_t i,
                                   char *name, size_t capacity, pf_error *error)
{
  char path[64];
  (void)snprintf(path, sizeof path, "projections[%lld].name", (long long)i);
  if (options->present(options, path) != 0) {
    (void)snprintf(name, capacity, "%s", options->string(options, path));
    return PF_OK;
  }
  (void)snprintf(path, sizeof path, "projections[%lld].layer", (long long)i);
  if (options->present(options, path) == 0) {
    pf_status status =
        pf_fail(error, PF_STOP, "a projection needs `layer` (1 is the first) or `name`");
    pf_error_locate(error, problem->config,
                    pf_node_at(pf_node_get(problem->models->network.node, "projections"), i));
    return status;
  }
  (void)snprintf(name, capacity, "layer%lld", (long long)options->integer(options, path));
  return PF_OK;
}

/** A modulator that does not parse is told where it stands; the model only knows that it was given
 * one. */
static pf_status check_modulator(const pf_problem *problem, const rule_keys *keys,
                                 pf_names channels, pf_error *error)
{
  pf_linear linear = {0};
  if (keys->modulator == NULL) {
    return PF_OK;
  }
  const pf_status status = pf_linear_parse(keys->modulator, channels, &linear, error);
  if (status == PF_OK) {
    pf_linear_free(&linear);
  }
  pf_error_locate(error, problem->config, pf_view_node(keys->view, "modulator"));
  return status;
}

static pf_status create_rule(pf_problem *problem, const char *name, size_t p, pf_error *error)
{
  char what[160];
  (void)snprintf(what, sizeof what, "rules.%s", name);
  problem->models->owners[p] = pf_memory_string(what, error);
  if (problem->models->owners[p] == NULL) {
    return PF_STOP;
  }
  for (size_t other = 0; other < p; other++) {
    if (strcmp(problem->models->owners[other], what) == 0) {
      pf_status status = pf_fail(
          error, PF_STOP,
          "the rule '%s' is named for two projections, expected one: give each its own in `rules`; "
          "to share coefficients, tie them (parameters: { NAME: { tied = \"rules.%s.NAME\"; }; })",
          name, name);
      pf_error_locate(error, problem->config,
                      pf_node_get(problem->models->network.node, "projections"));
      return status;
    }
  }
  const pf_node *group = pf_node_get(pf_config_root(problem->config), "rules");
  const pf_node *node = pf_node_get(group, name);
  if (node == NULL) {
    pf_text all = {0};
    for (int64_t i = 0; i < pf_node_count(group); i++) {
      const char *other = pf_node_name(pf_node_at(group, i));
      pf_text_add(&all, "%s%s", i > 0 ? ", " : "", other == NULL ? "?" : other);
    }
    pf_status status = pf_fail(error, PF_STOP, "there is no rule '%s'; `rules` has: %s", name,
                               all.text == NULL ? "nothing" : all.text);
    pf_error_locate(error, problem->config,
                    pf_node_get(problem->models->network.node, "projections"));
    pf_text_free(&all);
    return status;
  }
  return pf_component_create(problem->registry, problem->config, node, PF_KIND_RULE, what,
                             pf_keys_names_of_kind(PF_KIND_RULE), &problem->models->rules[p],
                             error);
}

static pf_status create_losses(pf_problem *problem, double *weights, pf_error *error)
{
  const pf_node *list = pf_node_get(pf_config_root(problem->config), "losses");
  for (size_t k = 0; k < problem->models->n_losses; k++) {
    char what[48];
    pf_view *view = NULL;
    (void)snprintf(what, sizeof what, "losses.[%zu]", k);
    problem->models->owners[problem->models->n_rules + k] = pf_memory_string(what, error);
    if (problem->models->owners[problem->models->n_rules + k] == NULL) {
      return PF_STOP;
    }
    pf_status status = pf_component_create(
        problem->registry, problem->config, pf_node_at(list, (int64_t)k), PF_KIND_LOSS, what,
        pf_keys_names_of_kind(PF_KIND_LOSS), &problem->models->losses[k], error);
    status = status == PF_OK ? pf_build_host_view(problem, &problem->models->losses[k],
                                                  PF_KIND_LOSS, what, &view, error)
                             : status;
    if (status != PF_OK) {
      return status;
    }
    weights[k] = pf_view_options(view)->real(pf_view_options(view), "weight");
    pf_view_free(view);
  }
  return PF_OK;
}

/** Which entry of network.projections the rule number p comes from; -1: there are none. */
static int64_t entry_of(const pf_options *network, size_t p)
{
  for (int64_t i = 0; i < network->length(network, "projections"); i++) {
    char path[64];
    (void)snprintf(path, sizeof path, "projections[%lld].rule", (long long)i);
    if (network->present(network, path) != 0 && p-- == 0) {
      return i;
    }
  }
  return -1;
}

/** A model with the given rule on every plastic projection. */
static pf_status build_one(pf_problem *problem, const pf_component *const *rules,
                           char *const *projections, const double *weights,
                           const pf_options *network, uint32_t normalise, bool teacher,
                           pf_model **out, pf_error *error)
{
  const size_t n = problem->models->n_rules;
  pf_names channels = {0};
  pf_plastic_spec *specs = pf_memory_need(n, sizeof *specs, error);
  rule_keys *keys = pf_memory_need(n, sizeof *keys, error);
  pf_range **units = pf_memory_need(n, sizeof *units, error);
  pf_loss_spec *losses = pf_memory_need(problem->models->n_losses, sizeof *losses, error);
  pf_status status =
      specs == NULL || keys == NULL || units == NULL || losses == NULL ? PF_STOP : PF_OK;
  status =
      status == PF_OK
          ? pf_build_channel_names(problem, teacher && pf_source_is_task(&problem->models->source),
                                   &channels, error)
          : status;
  for (size_t p = 0; p < n && status == PF_OK; p++) {
    const bool one_of_several = teacher && problem->models->teacher_rules != NULL;
    const char *what = one_of_several ? "source.rules"
                       : teacher      ? "source.rule"
                                      : problem->models->owners[p];
    status = read_rule_keys(problem, rules[p], what, &keys[p], error);
    status = status == PF_OK ? check_modulator(problem, &keys[p], channels, error) : status;
    specs[p] = (pf_plastic_spec){
        .rule = rules[p],
        .projection = projections[p],
        .eta = keys[p].eta,
        .modulator = keys[p].modulator,
        /* ties look parameters up by owner: two true rules may have the same names */
        .owner = one_of_several ? problem->models->owners[p] : what};
    if (status == PF_OK && entry_of(network, p) >= 0) {
      status = pf_build_groups(problem, network, entry_of(network, p), &units[p],
                               &specs[p].n_ranges, error);
      specs[p].ranges = units[p];
    }
  }
  for (size_t k = 0; k < problem->models->n_losses && status == PF_OK; k++) {
    losses[k] = (pf_loss_spec){.loss = &problem->models->losses[k],
                               .weight = weights[k],
                               .owner = problem->models->owners[n + k]};
  }
  if (status == PF_OK) {
    status = pf_model_create(&problem->models->network, specs, n, losses, problem->models->n_losses,
                             normalise, channels, out, error);
    pf_error_locate(error, problem->config, n > 0 ? rules[0]->node : problem->models->network.node);
  }
  status = status == PF_OK ? pf_build_masks(problem, network, *out, error) : status;
  status = status == PF_OK ? pf_build_bounds(problem, network, *out, error) : status;
  status = status == PF_OK ? pf_build_forgetting(problem, *out, teacher, error) : status;
  for (size_t p = 0; p < n && status == PF_OK; p++) {
    status = pf_build_parameters(problem, *out, p, keys[p].init_sd, teacher, error);
  }
  status = status == PF_OK ? pf_build_other_parameters(problem, *out, teacher, error) : status;
  status =
      status == PF_OK && !teacher ? pf_build_learned_start(problem, network, *out, error) : status;
  status = status == PF_OK ? pf_build_ties(problem, *out, error) : status;
  if (status == PF_OK && !teacher) {
    pf_build_warn_starts(*out);
    status = problem->only_task ? PF_OK : pf_build_check_seen(problem, *out, error);
  }
  for (size_t p = 0; p < n && keys != NULL; p++) {
    pf_view_free(keys[p].view);
  }
  for (size_t p = 0; p < n && units != NULL; p++) {
    pf_memory_free(units[p]);
  }
  pf_memory_free(units);
  pf_memory_free((void *)channels.items);
  pf_memory_free(specs);
  pf_memory_free(keys);
  pf_memory_free(losses);
  return status;
}

/** source.rules: { learn: { ... }; slow: { ... }; } one for each fitted rule, under the same name.
 */
static pf_status create_teacher_rules(pf_problem *problem, const pf_node *group,
                                      const pf_component **rules, pf_error *error)
{
  pf_status status = PF_OK;
  const char *const *names = NULL;
  const char **fitted = pf_memory_need(problem->models->n_rules, sizeof *fitted, error);
  problem->models->teacher_rules =
      pf_memory_need(problem->models->n_rules, sizeof *problem->models->teacher_rules, error);
  if (fitted == NULL || problem->models->teacher_rules == NULL) {
    pf_memory_free(fitted);
    return PF_STOP;
  }
  for (size_t p = 0; p < problem->models->n_rules; p++) {
    fitted[p] = problem->models->owners[p] + sizeof "rules." - 1;
  }
  names = fitted;
  for (int64_t c = 0; c < pf_node_count(group) && status == PF_OK; c++) {
    const char *name = pf_node_name(pf_node_at(group, c));
    bool known = false;
    for (size_t p = 0; p < problem->models->n_rules && name != NULL; p++) {
      known = known || strcmp(names[p], name) == 0;
    }
    if (!known) {
      const char *near =
          name == NULL ? NULL : pf_text_nearest(name, (pf_names){names, problem->models->n_rules});
      status =
          pf_fail(error, PF_STOP,
                  "source.rules has '%s', but no plastic projection learns by a rule of that name; "
                  "did you mean '%s'?",
                  name == NULL ? "(unnamed)" : name, near == NULL ? names[0] : near);
      pf_error_locate(error, problem->config, pf_node_at(group, c));
    }
  }
  for (size_t p = 0; p < problem->models->n_rules && status == PF_OK; p++) {
    char what[160];
    const pf_node *node = pf_node_get(group, names[p]);
    (void)snprintf(what, sizeof what, "source.rules.%s", names[p]);
    if (node == NULL) {
      status = pf_fail(
          error, PF_STOP,
          "source.rules has no '%s': the teacher needs a rule for every rule that is fitted",
          names[p]);
      pf_error_locate(error, problem->config, group);
      break;
    }
    status = pf_component_create(problem->registry, problem->config, node, PF_KIND_RULE, what,
                                 pf_keys_names_of_kind(PF_KIND_RULE),
                                 &problem->models->teacher_rules[p], error);
    rules[p] = &problem->models->teacher_rules[p];
  }
  pf_memory_free(fitted);
  return status;
}

/** source.rule on every plastic projection, or source.rules; of data that were read:
 * source.truth.rule, or .rules. */
static pf_status create_teacher(pf_problem *problem, const pf_component **rules, pf_error *error)
{
  const pf_node *truth = pf_build_truth_group(problem);
  const pf_node *one = pf_node_get(truth, "rule");
  const pf_node *several = pf_node_get(truth, "rules");
  if (one != NULL && several == NULL) {
    for (size_t p = 0; p < problem->models->n_rules; p++) {
      rules[p] = &problem->models->teacher_rule;
    }
    return pf_component_create(problem->registry, problem->config, one, PF_KIND_RULE, "source.rule",
                               pf_keys_names_of_kind(PF_KIND_RULE), &problem->models->teacher_rule,
                               error);
  }
  if (one == NULL && several != NULL) {
    return create_teacher_rules(problem, several, rules, error);
  }
  pf_status status = PF_STOP;
  if (one != NULL) {
    (void)pf_fail(error, PF_STOP,
                  "the source has `rule` and `rules`; expected one of them: `rule` for every "
                  "plastic projection, or "
                  "`rules` with one each");
  } else if (pf_source_is_task(&problem->models->source)) {
    (void)pf_fail(error, PF_STOP,
                  "%s is a task and needs a rule to learn by: add rule: { plugin = \"taylor\"; "
                  "terms = \"x r\"; } to "
                  "the source",
                  problem->models->source.label);
  } else {
    (void)pf_fail(error, PF_STOP,
                  "source.truth names no rule: expected rule: { plugin = \"taylor\"; terms = \"x "
                  "r\"; } in it, or no "
                  "truth at all");
  }
  pf_error_locate(error, problem->config, truth);
  return status;
}

static pf_status build_teacher(pf_problem *problem, char *const *projections, const double *weights,
                               const pf_options *network, uint32_t normalise, pf_error *error)
{
  const pf_component **rules = pf_memory_need(problem->models->n_rules, sizeof *rules, error);
  pf_status status = rules == NULL ? PF_STOP : create_teacher(problem, rules, error);
  status = status == PF_OK ? build_one(problem, rules, projections, weights, network, normalise,
                                       true, &problem->models->teacher, error)
                           : status;
  pf_memory_free(rules);
  if (status != PF_OK) {
    return status;
  }
  problem->models->teacher_theta =
      pf_memory_need(problem->models->teacher->n_parameters, sizeof(double), error);
  if (problem->models->teacher_theta == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < problem->models->teacher->n_parameters; i++) {
    problem->models->teacher_theta[i] = problem->models->teacher->parameters[i].declared.value;
  }
  pf_tie(problem->models->teacher->parameters, problem->models->teacher->n_parameters,
         problem->models->teacher_theta);
  return PF_OK;
}

/** How many projections have a rule: those of network.projections that name one; without any entry,
 * the first. */
static size_t count_rules(const pf_options *options)
{
  const int64_t listed = options->length(options, "projections");
  size_t n = 0;
  for (int64_t i = 0; i < listed; i++) {
    char path[64];
    (void)snprintf(path, sizeof path, "projections[%lld].rule", (long long)i);
    n += options->present(options, path) != 0 ? 1 : 0;
  }
  return listed > 0 ? n : 1;
}

/** Name of the network's first projection. */
static pf_status name_first(const pf_problem *problem, pf_text *name, pf_error *error)
{
  pf_network_declaration declared = {.size = sizeof declared};
  const pf_status status = problem->models->network.plugin->network->declare(
      problem->models->network.self, &declared, error);
  if (status == PF_OK && declared.projections.count > 0) {
    const pf_projection *first = pf_table_at(
        declared.projections.items, declared.projections.stride, declared.projections.count, 0);
    pf_text_add(name, "%s", first->name);
  }
  return status;
}

/** Reads network.projections: which rule on which projection. Without it: the only rule on the
 * first projection. */
static pf_status read_projections(pf_problem *problem, const pf_options *options, pf_text *names,
                                  pf_error *error)
{
  const int64_t listed = options->length(options, "projections");
  const pf_node *rules = pf_node_get(pf_config_root(problem->config), "rules");
  if (listed == 0) {
    const char *only = pf_node_count(rules) == 1 ? pf_node_name(pf_node_at(rules, 0)) : NULL;
    if (only == NULL) {
      pf_status status =
          pf_fail(error, PF_STOP,
                  "`rules` has %lld rules and network.projections does not say where they act; add "
                  "projections = ( { layer = 1; rule = \"NAME\"; } )",
                  (long long)pf_node_count(rules));
      pf_error_locate(error, problem->config, problem->models->network.node);
      return status;
    }
    const pf_status status = name_first(problem, &names[0], error);
    return status == PF_OK ? create_rule(problem, only, 0, error) : status;
  }
  pf_status status = PF_OK;
  size_t p = 0;
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    char path[64], name[64];
    (void)snprintf(path, sizeof path, "projections[%lld].rule", (long long)i);
    if (options->present(options, path) == 0) {
      continue; /* there for its mask */
    }
    status = pf_build_projection_name(problem, options, i, name, sizeof name, error);
    pf_text_add(&names[p], "%s", name);
    status =
        status == PF_OK ? create_rule(problem, options->string(options, path), p++, error) : status;
  }
  return status;
}

/** The group `name` of the root, which must be there. */
static pf_status need_group(const pf_problem *problem, const char *name, const char *example,
                            const pf_node **out, pf_error *error)
{
  *out = pf_node_get(pf_config_root(problem->config), name);
  if (*out != NULL) {
    return PF_OK;
  }
  pf_status status = pf_fail(error, PF_STOP, "the config has no `%s`; add %s", name, example);
  pf_error_locate(error, problem->config, pf_config_root(problem->config));
  return status;
}

static pf_status create_source_and_network(pf_problem *problem, pf_error *error)
{
  const pf_node *source = NULL, *network = NULL, *rules = NULL, *losses = NULL;
  pf_status status =
      need_group(problem, "source", "source: { plugin = \"teacher\"; ... };", &source, error);
  status = status == PF_OK
               ? need_group(problem, "network",
                            "network: { plugin = \"feedforward\"; layers = [2, 10, 1]; };",
                            &network, error)
               : status;
  status = status == PF_OK
               ? need_group(problem, "rules", "rules: { learn: { plugin = \"taylor\"; }; };",
                            &rules, error)
               : status;
  status = status == PF_OK ? need_group(problem, "losses", "losses = ( { plugin = \"choice\"; } );",
                                        &losses, error)
                           : status;
  status = status == PF_OK
               ? pf_component_create(problem->registry, problem->config, source, PF_KIND_SOURCE,
                                     "source", pf_keys_names_of_kind(PF_KIND_SOURCE),
                                     &problem->models->source, error)
               : status;
  return status == PF_OK
             ? pf_component_create(problem->registry, problem->config, network, PF_KIND_NETWORK,
                                   "network", pf_keys_names_of_kind(PF_KIND_NETWORK),
                                   &problem->models->network, error)
             : status;
}

pf_status pf_build_models(pf_problem *problem, uint32_t normalise, pf_error *error)
{
  pf_view *view = NULL;
  pf_status status = create_source_and_network(problem, error);
  status = status == PF_OK ? pf_build_derived(problem, error) : status;
  status = status == PF_OK ? pf_build_session_keys(problem, error) : status;
  status = status == PF_OK ? pf_build_host_view(problem, &problem->models->network, PF_KIND_NETWORK,
                                                "network", &view, error)
                           : status;
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  problem->settings->weights_per_draw =
      strcmp(options->string(options, "initial_weights.draw"), "per_draw") == 0;
  problem->models->n_rules = count_rules(options);
  problem->models->n_losses =
      (size_t)pf_node_count(pf_node_get(pf_config_root(problem->config), "losses"));
  problem->models->rules =
      pf_memory_need(problem->models->n_rules, sizeof *problem->models->rules, error);
  problem->models->losses =
      pf_memory_need(problem->models->n_losses, sizeof *problem->models->losses, error);
  problem->models->owners = pf_memory_need(problem->models->n_rules + problem->models->n_losses,
                                           sizeof *problem->models->owners, error);
  pf_text *names = pf_memory_need(problem->models->n_rules, sizeof *names, error);
  char **projections = pf_memory_need(problem->models->n_rules, sizeof *projections, error);
  const pf_component **rules = pf_memory_need(problem->models->n_rules, sizeof *rules, error);
  double *weights = pf_memory_need(problem->models->n_losses, sizeof *weights, error);
  if (problem->models->rules == NULL || problem->models->losses == NULL ||
      problem->models->owners == NULL || names == NULL || projections == NULL || rules == NULL ||
      weights == NULL) {
    status = PF_STOP;
  }
  if (status == PF_OK && problem->models->n_losses == 0) {
    status =
        pf_fail(error, PF_STOP,
                "`losses` is empty, expected at least one: losses = ( { plugin = \"choice\"; } )");
    pf_error_locate(error, problem->config, pf_node_get(pf_config_root(problem->config), "losses"));
  }
  if (status == PF_OK && problem->models->n_rules == 0) {
    status = pf_fail(
        error, PF_STOP,
        "none of network.projections has a rule, so nothing would learn; add rule = \"NAME\" "
        "to one: projections = ( { layer = 1; rule = \"learn\"; } )");
    pf_error_locate(error, problem->config,
                    pf_node_get(problem->models->network.node, "projections"));
  }
  status = status == PF_OK ? read_projections(problem, options, names, error) : status;
  status = status == PF_OK ? create_losses(problem, weights, error) : status;
  for (size_t p = 0; p < problem->models->n_rules && status == PF_OK; p++) {
    projections[p] = names[p].text;
    rules[p] = &problem->models->rules[p];
  }
  status = status == PF_OK ? build_one(problem, rules, projections, weights, options, normalise,
                                       false, &problem->model, error)
                           : status;
  if (status == PF_OK && !problem->only_task && pf_build_truth_group(problem) != NULL) {
    status = build_teacher(problem, projections, weights, options, normalise, error);
  }
  if (status == PF_OK && options->present(options, "initial_weights.file") != 0) {
    status = pf_initial_file_read(options->string(options, "initial_weights.file"), problem->model,
                                  &problem->initial, error);
    if (status == PF_OK && pf_source_is_task(&problem->models->source)) {
      status = pf_fail(
          error, PF_STOP,
          "network.initial_weights.file: the animals of a task draw their own; %s is a task",
          problem->models->source.label);
    }
    pf_error_locate(error, problem->config, pf_view_node(view, "initial_weights.file"));
  }
  status = status == PF_OK ? pf_view_verify(view, error) : status;
  for (size_t p = 0; names != NULL && p < problem->models->n_rules; p++) {
    pf_text_free(&names[p]);
  }
  pf_memory_free(names);
  pf_memory_free(projections);
  pf_memory_free(rules);
  pf_memory_free(weights);
  pf_view_free(view);
  return status;
}
