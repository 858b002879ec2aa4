/* Components and models: which rule on which projection, which losses, and the teacher's twin of it all. */
#include "core/base/memory.h"
#include "core/base/text.h"
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

static pf_status read_rule_keys(const pf_problem *problem, const pf_component *rule, const char *what, rule_keys *keys,
                                pf_error *error)
{
  pf_status status = pf_build_host_view(problem, rule, PF_KIND_RULE, what, &keys->view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(keys->view);
  keys->eta = options->present(options, "eta") != 0 ? options->real(options, "eta") : NAN;
  keys->init_sd = options->present(options, "init_sd") != 0 ? options->real(options, "init_sd") : NAN;
  keys->modulator = options->present(options, "modulator") != 0 ? options->string(options, "modulator") : NULL;
  return pf_view_verify(keys->view, error);
}

/** `parameters: { decay = 0.05; gain: { initial = 0.1; lower = 0.0; upper = 2.0; fixed = true; }; }` */
static pf_status change_parameter(const pf_problem *problem, pf_parameter *parameter, const pf_node *node, bool teacher,
                                  pf_error *error)
{
  static const pf_option keys[] = {
      {.name = "initial", .type = PF_TYPE_REAL, .lower = -INFINITY, .upper = INFINITY, .help = "where a fit starts"},
      {.name = "value", .type = PF_TYPE_REAL, .lower = -INFINITY, .upper = INFINITY, .help = "what a teacher uses"},
      {.name = "lower", .type = PF_TYPE_REAL, .lower = -INFINITY, .upper = INFINITY, .help = "bound"},
      {.name = "upper", .type = PF_TYPE_REAL, .lower = -INFINITY, .upper = INFINITY, .help = "bound"},
      {.name = "fixed", .type = PF_TYPE_BOOL, .help = "true: not fitted"},
  };
  double number = 0.0;
  if (pf_node_number(node, &number) != 0) {
    parameter->value = teacher ? number : parameter->value;
    parameter->initial = teacher ? parameter->initial : number;
    return PF_OK;
  }
  pf_view *view = NULL;
  pf_status status = pf_view_create(problem->config, node, parameter->name,
                                    (pf_option_table){keys, sizeof keys / sizeof keys[0], sizeof keys[0]},
                                    (pf_names){0}, &view, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  parameter->initial =
      options->present(options, "initial") != 0 ? options->real(options, "initial") : parameter->initial;
  parameter->value = options->present(options, "value") != 0 ? options->real(options, "value") : parameter->value;
  parameter->lower = options->present(options, "lower") != 0 ? options->real(options, "lower") : parameter->lower;
  parameter->upper = options->present(options, "upper") != 0 ? options->real(options, "upper") : parameter->upper;
  if (options->present(options, "fixed") != 0) {
    bool fixed = options->boolean(options, "fixed") != 0;
    parameter->flags = fixed ? parameter->flags | PF_PARAMETER_FIXED : parameter->flags & ~(uint32_t)PF_PARAMETER_FIXED;
  }
  if (!(parameter->lower <= parameter->upper)) {
    status = pf_fail(error, PF_STOP, "%s: found lower = %g above upper = %g, expected the other way round",
                     parameter->name, parameter->lower, parameter->upper);
    pf_error_locate(error, problem->config, node);
  }
  pf_view_free(view);
  return status;
}

/** Apply the `parameters` group and init_sd of one rule to the model's parameters that it owns. */
static pf_status apply_parameters(const pf_problem *problem, pf_model *model, const pf_plastic *plastic,
                                  const rule_keys *keys, bool teacher, pf_error *error)
{
  const pf_node *group = pf_node_get(plastic->rule->node, "parameters");
  const size_t n = plastic->needs.parameters.count;
  for (size_t i = 0; i < n && !isnan(keys->init_sd); i++) {
    model->parameters[plastic->theta0 + i].declared.initial_sd = keys->init_sd;
  }
  for (int64_t c = 0; c < pf_node_count(group); c++) {
    const pf_node *node = pf_node_at(group, c);
    const char *name = pf_node_name(node);
    const char **names = pf_memory_need(n, sizeof *names, error);
    if (names == NULL) {
      return PF_STOP;
    }
    size_t found = n;
    for (size_t i = 0; i < n; i++) {
      names[i] = model->parameters[plastic->theta0 + i].declared.name;
      found = name != NULL && strcmp(names[i], name) == 0 ? i : found;
    }
    pf_status status = PF_OK;
    if (found == n) {
      const char *near = name == NULL ? NULL : pf_text_nearest(name, (pf_names){names, n});
      status = pf_fail(error, PF_STOP, "%s has no parameter '%s'%s%s%s", plastic->rule->label,
                       name == NULL ? "(unnamed)" : name, near == NULL ? "" : "; did you mean '",
                       near == NULL ? "" : near, near == NULL ? "" : "'");
      pf_error_locate(error, problem->config, node);
    } else {
      status = change_parameter(problem, &model->parameters[plastic->theta0 + found].declared, node, teacher, error);
    }
    pf_memory_free(names);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Numbers in a rule's terms are a teacher's values; in a rule that is fitted they can only be a misunderstanding. */
static pf_status refuse_given(const pf_problem *problem, const pf_model *model, const pf_plastic *plastic,
                              pf_error *error)
{
  for (size_t i = 0; i < plastic->needs.parameters.count; i++) {
    const pf_parameter *parameter = &model->parameters[plastic->theta0 + i].declared;
    if ((parameter->flags & PF_PARAMETER_GIVEN) != 0) {
      pf_status status =
          pf_fail(error, PF_STOP,
                  "%s is fitted, but its terms give '%s' the number %g; leave numbers and minus signs out (a starting "
                  "value: parameters: { %s = %g; })",
                  plastic->rule->label, parameter->label == NULL ? parameter->name : parameter->label, parameter->value,
                  parameter->name, parameter->value);
      pf_error_locate(error, problem->config, plastic->rule->node);
      return status;
    }
  }
  return PF_OK;
}

/** Which projection an entry of network.projections means: `name`, or `layer = 1` for the first. */
static pf_status entry_projection(const pf_problem *problem, const pf_options *options, int64_t i, pf_text *name,
                                  pf_error *error)
{
  char path[64];
  (void)snprintf(path, sizeof path, "projections[%lld].name", (long long)i);
  if (options->present(options, path) != 0) {
    pf_text_add(name, "%s", options->string(options, path));
    return name->failed ? PF_STOP : PF_OK;
  }
  (void)snprintf(path, sizeof path, "projections[%lld].layer", (long long)i);
  if (options->present(options, path) == 0) {
    pf_status status = pf_fail(error, PF_STOP, "a projection needs `layer` (1 is the first) or `name`");
    pf_error_locate(error, problem->config, pf_node_at(pf_node_get(problem->network.node, "projections"), i));
    return status;
  }
  pf_text_add(name, "layer%lld", (long long)options->integer(options, path));
  return name->failed ? PF_STOP : PF_OK;
}

static pf_status create_rule(pf_problem *problem, const char *name, size_t p, pf_error *error)
{
  char what[160];
  (void)snprintf(what, sizeof what, "rules.%s", name);
  problem->owners[p] = pf_memory_string(what, error);
  if (problem->owners[p] == NULL) {
    return PF_STOP;
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
    pf_error_locate(error, problem->config, pf_node_get(problem->network.node, "projections"));
    pf_text_free(&all);
    return status;
  }
  return pf_component_create(problem->registry, problem->config, node, PF_KIND_RULE, what,
                             pf_keys_names_of_kind(PF_KIND_RULE), &problem->rules[p], error);
}

static pf_status create_losses(pf_problem *problem, double *weights, pf_error *error)
{
  const pf_node *list = pf_node_get(pf_config_root(problem->config), "losses");
  for (size_t k = 0; k < problem->n_losses; k++) {
    char what[48];
    pf_view *view = NULL;
    (void)snprintf(what, sizeof what, "losses.[%zu]", k);
    problem->owners[problem->n_rules + k] = pf_memory_string(what, error);
    if (problem->owners[problem->n_rules + k] == NULL) {
      return PF_STOP;
    }
    pf_status status =
        pf_component_create(problem->registry, problem->config, pf_node_at(list, (int64_t)k), PF_KIND_LOSS, what,
                            pf_keys_names_of_kind(PF_KIND_LOSS), &problem->losses[k], error);
    status =
        status == PF_OK ? pf_build_host_view(problem, &problem->losses[k], PF_KIND_LOSS, what, &view, error) : status;
    if (status != PF_OK) {
      return status;
    }
    weights[k] = pf_view_options(view)->real(pf_view_options(view), "weight");
    pf_view_free(view);
  }
  return PF_OK;
}

/** Names of the channels that the data will have: the source's, and what the host derives. */
static pf_status gather_channels(const pf_problem *problem, const char **names, size_t *n, pf_error *error)
{
  pf_source_needs needs = {.size = sizeof needs};
  pf_status status = problem->source.plugin->source->needs(problem->source.self, &needs, error);
  *n = 0;
  for (size_t i = 0; i < needs.channels.count && *n < 62 && status == PF_OK; i++) {
    names[(*n)++] = needs.channels.items[i];
    if (strcmp(needs.channels.items[i], "reward") == 0) {
      names[(*n)++] = "expected_reward";
    }
  }
  return status;
}

/** A model with the given rule on every plastic projection. */
static pf_status build_one(pf_problem *problem, const pf_component *const *rules, char *const *projections,
                           const double *weights, uint32_t normalise, bool teacher, pf_model **out, pf_error *error)
{
  const size_t n = problem->n_rules;
  const char *channels[64];
  size_t n_channels = 0;
  pf_plastic_spec *specs = pf_memory_need(n, sizeof *specs, error);
  rule_keys *keys = pf_memory_need(n, sizeof *keys, error);
  pf_loss_spec *losses = pf_memory_need(problem->n_losses, sizeof *losses, error);
  pf_status status = specs == NULL || keys == NULL || losses == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK ? gather_channels(problem, channels, &n_channels, error) : status;
  for (size_t p = 0; p < n && status == PF_OK; p++) {
    const char *what = teacher ? "source.rule" : problem->owners[p];
    status = read_rule_keys(problem, rules[p], what, &keys[p], error);
    specs[p] = (pf_plastic_spec){.rule = rules[p],
                                 .projection = projections[p],
                                 .eta = keys[p].eta,
                                 .modulator = keys[p].modulator,
                                 .owner = what};
  }
  for (size_t k = 0; k < problem->n_losses && status == PF_OK; k++) {
    losses[k] = (pf_loss_spec){.loss = &problem->losses[k], .weight = weights[k], .owner = problem->owners[n + k]};
  }
  if (status == PF_OK) {
    status = pf_model_create(&problem->network, specs, n, losses, problem->n_losses, normalise,
                             (pf_names){channels, n_channels}, out, error);
    pf_error_locate(error, problem->config, n > 0 ? rules[0]->node : problem->network.node);
  }
  for (size_t p = 0; p < n && status == PF_OK; p++) {
    status = apply_parameters(problem, *out, &(*out)->plastic[p], &keys[p], teacher, error);
    status = status == PF_OK && !teacher ? refuse_given(problem, *out, &(*out)->plastic[p], error) : status;
  }
  for (size_t p = 0; p < n && keys != NULL; p++) {
    pf_view_free(keys[p].view);
  }
  pf_memory_free(specs);
  pf_memory_free(keys);
  pf_memory_free(losses);
  return status;
}

static pf_status build_teacher(pf_problem *problem, char *const *projections, const double *weights, uint32_t normalise,
                               pf_error *error)
{
  const pf_node *node = pf_node_get(problem->source.node, "rule");
  if (node == NULL) {
    pf_status status = pf_fail(error, PF_STOP,
                               "%s is a task and needs a rule to learn by: add rule: { plugin = \"taylor\"; terms = "
                               "\"x r\"; } to the source",
                               problem->source.label);
    pf_error_locate(error, problem->config, problem->source.node);
    return status;
  }
  pf_status status = pf_component_create(problem->registry, problem->config, node, PF_KIND_RULE, "source.rule",
                                         pf_keys_names_of_kind(PF_KIND_RULE), &problem->teacher_rule, error);
  const pf_component **rules = pf_memory_need(problem->n_rules, sizeof *rules, error);
  if (status != PF_OK || rules == NULL) {
    pf_memory_free(rules);
    return status != PF_OK ? status : PF_STOP;
  }
  for (size_t p = 0; p < problem->n_rules; p++) {
    rules[p] = &problem->teacher_rule;
  }
  status = build_one(problem, rules, projections, weights, normalise, true, &problem->teacher, error);
  pf_memory_free(rules);
  if (status != PF_OK) {
    return status;
  }
  problem->teacher_theta = pf_memory_need(problem->teacher->n_parameters, sizeof(double), error);
  for (size_t i = 0; problem->teacher_theta != NULL && i < problem->teacher->n_parameters; i++) {
    problem->teacher_theta[i] = problem->teacher->parameters[i].declared.value;
  }
  return problem->teacher_theta == NULL ? PF_STOP : PF_OK;
}

/** Reads network.projections: which rule on which projection. Without it: the only rule on the first projection. */
static pf_status read_projections(pf_problem *problem, const pf_options *options, pf_text *names, pf_error *error)
{
  const int64_t listed = options->length(options, "projections");
  const pf_node *rules = pf_node_get(pf_config_root(problem->config), "rules");
  if (listed == 0) {
    const char *only = pf_node_count(rules) == 1 ? pf_node_name(pf_node_at(rules, 0)) : NULL;
    if (only == NULL) {
      pf_status status = pf_fail(error, PF_STOP,
                                 "`rules` has %lld rules and network.projections does not say where they act; add "
                                 "projections = ( { layer = 1; rule = \"NAME\"; } )",
                                 (long long)pf_node_count(rules));
      pf_error_locate(error, problem->config, problem->network.node);
      return status;
    }
    pf_text_add(&names[0], "layer1");
    return create_rule(problem, only, 0, error);
  }
  pf_status status = PF_OK;
  for (int64_t i = 0; i < listed && status == PF_OK; i++) {
    char path[64];
    (void)snprintf(path, sizeof path, "projections[%lld].rule", (long long)i);
    status = entry_projection(problem, options, i, &names[i], error);
    status = status == PF_OK ? create_rule(problem, options->string(options, path), (size_t)i, error) : status;
  }
  return status;
}

/** The group `name` of the root, which must be there. */
static pf_status need_group(const pf_problem *problem, const char *name, const char *example, const pf_node **out,
                            pf_error *error)
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
  pf_status status = need_group(problem, "source", "source: { plugin = \"teacher\"; ... };", &source, error);
  status = status == PF_OK ? need_group(problem, "network",
                                        "network: { plugin = \"feedforward\"; layers = [2, 10, 1]; };", &network, error)
                           : status;
  status = status == PF_OK ? need_group(problem, "rules", "rules: { learn: { plugin = \"taylor\"; }; };", &rules, error)
                           : status;
  status = status == PF_OK ? need_group(problem, "losses", "losses = ( { plugin = \"choice\"; } );", &losses, error)
                           : status;
  status = status == PF_OK ? pf_component_create(problem->registry, problem->config, source, PF_KIND_SOURCE, "source",
                                                 pf_keys_names_of_kind(PF_KIND_SOURCE), &problem->source, error)
                           : status;
  return status == PF_OK ? pf_component_create(problem->registry, problem->config, network, PF_KIND_NETWORK, "network",
                                               pf_keys_names_of_kind(PF_KIND_NETWORK), &problem->network, error)
                         : status;
}

pf_status pf_build_models(pf_problem *problem, uint32_t normalise, pf_error *error)
{
  pf_view *view = NULL;
  pf_status status = create_source_and_network(problem, error);
  status = status == PF_OK ? pf_build_host_view(problem, &problem->network, PF_KIND_NETWORK, "network", &view, error)
                           : status;
  if (status != PF_OK) {
    return status;
  }
  const pf_options *options = pf_view_options(view);
  const int64_t listed = options->length(options, "projections");
  problem->weights_per_draw = strcmp(options->string(options, "initial_weights.draw"), "per_draw") == 0;
  problem->n_rules = listed > 0 ? (size_t)listed : 1;
  problem->n_losses = (size_t)pf_node_count(pf_node_get(pf_config_root(problem->config), "losses"));
  problem->rules = pf_memory_need(problem->n_rules, sizeof *problem->rules, error);
  problem->losses = pf_memory_need(problem->n_losses, sizeof *problem->losses, error);
  problem->owners = pf_memory_need(problem->n_rules + problem->n_losses, sizeof *problem->owners, error);
  pf_text *names = pf_memory_need(problem->n_rules, sizeof *names, error);
  char **projections = pf_memory_need(problem->n_rules, sizeof *projections, error);
  const pf_component **rules = pf_memory_need(problem->n_rules, sizeof *rules, error);
  double *weights = pf_memory_need(problem->n_losses, sizeof *weights, error);
  if (problem->rules == NULL || problem->losses == NULL || problem->owners == NULL || names == NULL ||
      projections == NULL || rules == NULL || weights == NULL) {
    status = PF_STOP;
  }
  if (status == PF_OK && problem->n_losses == 0) {
    status = pf_fail(error, PF_STOP, "`losses` is empty, expected at least one: losses = ( { plugin = \"choice\"; } )");
    pf_error_locate(error, problem->config, pf_node_get(pf_config_root(problem->config), "losses"));
  }
  status = status == PF_OK ? read_projections(problem, options, names, error) : status;
  status = status == PF_OK ? create_losses(problem, weights, error) : status;
  for (size_t p = 0; p < problem->n_rules && status == PF_OK; p++) {
    projections[p] = names[p].text;
    rules[p] = &problem->rules[p];
  }
  status = status == PF_OK ? build_one(problem, rules, projections, weights, normalise, false, &problem->model, error)
                           : status;
  if (status == PF_OK && pf_source_is_task(&problem->source)) {
    status = build_teacher(problem, projections, weights, normalise, error);
  }
  status = status == PF_OK ? pf_view_verify(view, error) : status;
  for (size_t p = 0; names != NULL && p < problem->n_rules; p++) {
    pf_text_free(&names[p]);
  }
  pf_memory_free(names);
  pf_memory_free(projections);
  pf_memory_free(rules);
  pf_memory_free(weights);
  pf_view_free(view);
  return status;
}
