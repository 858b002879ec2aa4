#include "core/model_config/build_models.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/layout/layout.h"
#include "core/model/build_model.h"
#include "core/model/model_parameters.h"
#include "core/model/plastic.h"
#include "core/model_config/channels.h"
#include "core/model_config/component_settings.h"
#include "core/model_config/keys.h"
#include "core/model_config/learned_start.h"
#include "core/model_config/mask_keys.h"
#include "core/model_config/observed_rules.h"
#include "core/model_config/parameters.h"
#include "core/model_config/projection_keys.h"

#include <math.h>
#include <string.h>

/** What the models are built from. */
typedef struct builder {
  pf_models *models;
  const pf_settings *settings;
  size_t *entries;    /* [n_rules] of network.projections; none where that is not given */
  char **projections; /* [n_rules] which each rule is of */
  double *weights;    /* [n_losses] */
} builder;

static const pf_config *config_of(const builder *self)
{
  return self->models->config;
}

/* ---- rules and losses ---- */

static pf_status no_such_rule(const builder *self, const char *name, pf_error *error)
{
  const pf_node *group = pf_node_get(pf_config_root(config_of(self)), "rules");
  pf_text all = {0};
  for (int64_t i = 0; i < pf_node_count(group); i++) {
    const char *other = pf_node_name(pf_node_at(group, i));
    pf_text_add(&all, "%s%s", i > 0 ? ", " : "", other == NULL ? "?" : other);
  }
  (void)pf_config_fail(config_of(self), pf_models_entries(self->models), error,
                       "there is no rule '%s'; `rules` has: %s", name,
                       all.text == NULL ? "nothing" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

/** Rule number p, called `name`. */
static pf_status create_rule(builder *self, const char *name, size_t p, pf_error *error)
{
  pf_models *models = self->models;
  const pf_node *node = pf_node_get(pf_node_get(pf_config_root(models->config), "rules"), name);
  char what[160];
  (void)snprintf(what, sizeof what, "rules.%s", name);
  models->owners[p] = pf_memory_string(what, error);
  if (models->owners[p] == NULL) {
    return PF_STOP;
  }
  for (size_t other = 0; other < p; other++) {
    if (strcmp(models->owners[other], what) == 0) {
      return pf_config_fail(
          models->config, pf_models_entries(models), error,
          "the rule '%s' is named for two projections, expected one: give each its own in `rules`; "
          "to share coefficients, tie them (parameters: { NAME: { tied = \"rules.%s.NAME\"; }; })",
          name, name);
    }
  }
  if (node == NULL) {
    return no_such_rule(self, name, error);
  }
  return pf_models_component(models, node, PF_KIND_RULE, what, &models->rules[p], error);
}

static pf_status create_loss(builder *self, size_t k, pf_error *error)
{
  pf_models *models = self->models;
  const pf_node *list = pf_node_get(pf_config_root(models->config), "losses");
  pf_loss_settings keys = {0};
  pf_view *view = NULL;
  char what[48];
  (void)snprintf(what, sizeof what, "losses.[%zu]", k);
  char **owner = &models->owners[models->n_rules + k];
  *owner = pf_memory_string(what, error);
  if (*owner == NULL ||
      pf_models_component(models, pf_node_at(list, (int64_t)k), PF_KIND_LOSS, what,
                          &models->losses[k], error) != PF_OK ||
      pf_host_view(models, &models->losses[k], PF_KIND_LOSS, what, &view, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = pf_settings_read(pf_loss_keys(), pf_view_options(view), &keys, error);
  self->weights[k] = keys.weight;
  pf_view_free(view);
  return status;
}

/* ---- which rule on which projection ---- */

/** Name of the network's first projection. */
static pf_status name_first(const pf_models *models, char name[PF_PROJECTION_NAME], pf_error *error)
{
  pf_network_declaration declared = {.size = sizeof declared};
  const pf_component *network = &models->network;
  if (network->plugin->network->declare(network->self, &declared, error) != PF_OK) {
    return PF_STOP;
  }
  if (declared.projections.count > 0) {
    const pf_projection *first = pf_table_at(
        declared.projections.items, declared.projections.stride, declared.projections.count, 0);
    (void)snprintf(name, PF_PROJECTION_NAME, "%s", first->name);
  }
  return PF_OK;
}

/** Without network.projections: the only rule on the first projection. */
static pf_status create_only_rule(builder *self, pf_error *error)
{
  pf_models *models = self->models;
  const pf_node *rules = pf_node_get(pf_config_root(models->config), "rules");
  const char *only = pf_node_count(rules) == 1 ? pf_node_name(pf_node_at(rules, 0)) : NULL;
  char name[PF_PROJECTION_NAME] = "";
  if (only == NULL) {
    return pf_config_fail(
        models->config, models->network.node, error,
        "`rules` has %lld rules and network.projections does not say where they act; add "
        "projections = ( { layer = 1; rule = \"NAME\"; } )",
        (long long)pf_node_count(rules));
  }
  if (name_first(models, name, error) != PF_OK) {
    return PF_STOP;
  }
  self->projections[0] = pf_memory_string(name, error);
  return self->projections[0] == NULL ? PF_STOP : create_rule(self, only, 0, error);
}

/** The rules that network.projections names; an entry without one is there for its mask. */
static pf_status create_rules(builder *self, pf_error *error)
{
  const pf_network_settings *network = &self->settings->network;
  if (network->n_projections == 0) {
    return create_only_rule(self, error);
  }
  for (size_t i = 0, p = 0; i < network->n_projections; i++) {
    const char *rule = network->projections[i].rule;
    char name[PF_PROJECTION_NAME];
    if (rule == NULL) {
      continue;
    }
    if (pf_projection_name(self->models, network, i, name, error) != PF_OK) {
      return PF_STOP;
    }
    self->entries[p] = i;
    self->projections[p] = pf_memory_string(name, error);
    if (self->projections[p] == NULL || create_rule(self, rule, p, error) != PF_OK) {
      return PF_STOP;
    }
    p++;
  }
  return PF_OK;
}

/** How many projections have a rule: those of network.projections that name one; without any entry,
 * the first. */
static size_t count_rules(const pf_network_settings *network)
{
  size_t n = 0;
  for (size_t i = 0; i < network->n_projections; i++) {
    n += network->projections[i].rule != NULL ? 1 : 0;
  }
  return network->n_projections > 0 ? n : 1;
}

/* ---- a model ---- */

/** What one model is made of, while it is made. */
typedef struct parts {
  const pf_component *const *rules; /* [n_rules] */
  bool teacher;
  pf_names channels;
  pf_plastic_spec *plastic; /* [n_rules] */
  pf_rule_settings *keys;   /* [n_rules] */
  pf_range **units;         /* [n_rules] */
  pf_loss_spec *losses;     /* [n_losses] */
} parts;

static pf_status allocate_parts(const builder *self, parts *of, pf_error *error)
{
  const size_t n = self->models->n_rules;
  of->plastic = pf_memory_need(n, sizeof *of->plastic, error);
  of->keys = pf_memory_need(n, sizeof *of->keys, error);
  of->units = pf_memory_need(n, sizeof *of->units, error);
  of->losses = pf_memory_need(self->models->n_losses, sizeof *of->losses, error);
  return of->plastic == NULL || of->keys == NULL || of->units == NULL || of->losses == NULL
             ? PF_STOP
             : PF_OK;
}

static void clear_parts(const builder *self, parts *of)
{
  for (size_t p = 0; p < self->models->n_rules; p++) {
    if (of->keys != NULL) {
      pf_settings_clear(pf_rule_keys(), NULL, &of->keys[p]);
    }
    if (of->units != NULL) {
      pf_memory_free(of->units[p]);
    }
  }
  pf_memory_free((void *)of->channels.items);
  pf_memory_free(of->plastic);
  pf_memory_free(of->keys);
  pf_memory_free(of->units);
  pf_memory_free(of->losses);
}

/** What the config says of a rule beside its options. */
static pf_status read_rule_keys(const pf_models *models, const pf_component *rule, const char *what,
                                pf_rule_settings *keys, pf_error *error)
{
  pf_view *view = NULL;
  *keys = (pf_rule_settings){.init_sd = NAN, .eta = NAN};
  if (pf_host_view(models, rule, PF_KIND_RULE, what, &view, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status = pf_settings_read(pf_rule_keys(), pf_view_options(view), keys, error);
  pf_view_free(view);
  return status;
}

/** A modulator that does not parse is reported where it stands. */
static pf_status check_modulator(const pf_models *models, const pf_component *rule,
                                 const pf_rule_settings *keys, pf_names channels, pf_error *error)
{
  pf_linear linear = {0};
  if (keys->modulator == NULL) {
    return PF_OK;
  }
  const pf_status status = pf_linear_parse(keys->modulator, channels, &linear, error);
  pf_linear_free(&linear);
  pf_error_locate(error, models->config, pf_node_get(rule->node, "modulator"));
  return status;
}

static const char *name_of_rule(const pf_models *models, size_t p, bool teacher)
{
  if (!teacher) {
    return models->owners[p];
  }
  return models->teacher_rules != NULL ? "source.rules" : "source.rule";
}

static pf_status specify_rule(const builder *self, parts *of, size_t p, pf_error *error)
{
  const pf_models *models = self->models;
  const pf_network_settings *network = &self->settings->network;
  const bool one_of_several = of->teacher && models->teacher_rules != NULL;
  const char *what = name_of_rule(models, p, of->teacher);
  if (read_rule_keys(models, of->rules[p], what, &of->keys[p], error) != PF_OK ||
      check_modulator(models, of->rules[p], &of->keys[p], of->channels, error) != PF_OK) {
    return PF_STOP;
  }
  pf_plastic_spec *spec = &of->plastic[p];
  *spec = (pf_plastic_spec){
      .rule = of->rules[p],
      .projection = self->projections[p],
      .eta = of->keys[p].eta,
      .modulator = of->keys[p].modulator,
      /* ties look parameters up by owner: two true rules may have the same names */
      .owner = one_of_several ? models->owners[p] : what};
  if (network->n_projections == 0) {
    return PF_OK;
  }
  const pf_projection_settings *entry = &network->projections[self->entries[p]];
  spec->post = entry->post;
  spec->pre = entry->pre;
  spec->compartments = entry->compartments.items;
  spec->n_compartments = entry->compartments.n;
  spec->signed_choice = entry->choice_is_signed != 0;
  const pf_status status =
      pf_projection_units(models, network, self->entries[p], &of->units[p], &spec->n_ranges, error);
  spec->ranges = of->units[p];
  return status;
}

static pf_status specify_all(const builder *self, parts *of, pf_error *error)
{
  const pf_models *models = self->models;
  const bool live = of->teacher && pf_source_is_task(&models->source);
  if (pf_modulator_names(models, self->settings, live, &of->channels, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t p = 0; p < models->n_rules; p++) {
    if (specify_rule(self, of, p, error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < models->n_losses; k++) {
    of->losses[k] = (pf_loss_spec){.loss = &models->losses[k],
                                   .weight = self->weights[k],
                                   .owner = models->owners[models->n_rules + k]};
  }
  return PF_OK;
}

/** The rate of forgetting as a parameter of the model, where the config asks for it. */
static pf_status add_forgetting(const pf_session_settings *sessions, bool teacher, pf_model *model,
                                pf_error *error)
{
  if (!sessions->forget) {
    return PF_OK;
  }
  if (pf_model_forget(model, teacher ? sessions->true_rate : sessions->rate, error) != PF_OK) {
    return PF_STOP;
  }
  model->parameters[model->forgetting_theta].declared.value = sessions->true_rate;
  return PF_OK;
}

/** The sd of the inputs' noise, likewise; a teacher has inputs. */
static pf_status add_input_sd(const pf_settings *settings, bool teacher, pf_model *model,
                              pf_error *error)
{
  if (teacher || !settings->learns_input_sd) {
    return PF_OK;
  }
  return pf_model_learn_input_sd(model, settings->input.sd, error);
}

/** What the config says of the parameters. After masks and bounds. */
static pf_status set_parameters(const builder *self, const parts *of, pf_model *model,
                                pf_error *error)
{
  const pf_config *config = config_of(self);
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (pf_parameters_of_rule(config, model, p, of->keys[p].init_sd, of->teacher, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (pf_parameters_of_others(config, model, of->teacher, error) != PF_OK) {
    return PF_STOP;
  }
  if (!of->teacher &&
      pf_learned_start(self->models, &self->settings->network.start, model, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_parameters_tie(config, model, error);
}

static pf_status make_model(const builder *self, const parts *of, pf_model **out, pf_error *error)
{
  const pf_models *models = self->models;
  const pf_settings *settings = self->settings;
  const size_t n = models->n_rules;
  const pf_model_spec spec = {.network = &models->network,
                              .plastic = of->plastic,
                              .n_plastic = n,
                              .losses = of->losses,
                              .n_losses = models->n_losses,
                              .normalisation = &pf_normalisations[settings->normalise],
                              .channels = of->channels};
  if (pf_model_create(&spec, out, error) != PF_OK) {
    pf_error_locate(error, models->config, n > 0 ? of->rules[0]->node : models->network.node);
    return PF_STOP;
  }
  if (pf_projection_masks(models, &settings->network, settings->seed, *out, error) != PF_OK ||
      pf_projection_bounds(models, &settings->network, *out, error) != PF_OK ||
      add_forgetting(&settings->sessions, of->teacher, *out, error) != PF_OK ||
      add_input_sd(settings, of->teacher, *out, error) != PF_OK) {
    return PF_STOP;
  }
  return set_parameters(self, of, *out, error);
}

/** A model with the given rule on every plastic projection. */
static pf_status build_model(const builder *self, const pf_component *const *rules, bool teacher,
                             pf_model **out, pf_error *error)
{
  parts of = {.rules = rules, .teacher = teacher};
  pf_status status = allocate_parts(self, &of, error);
  if (status == PF_OK) {
    status = specify_all(self, &of, error);
  }
  if (status == PF_OK) {
    status = make_model(self, &of, out, error);
  }
  clear_parts(self, &of);
  return status;
}

/* ---- the teacher ---- */

/** Every rule of source.rules must be one of those that are fitted. */
static pf_status check_teacher_rules(const builder *self, const pf_node *group, pf_names fitted,
                                     pf_error *error)
{
  for (int64_t c = 0; c < pf_node_count(group); c++) {
    const pf_node *node = pf_node_at(group, c);
    const char *name = pf_node_name(node) == NULL ? "(unnamed)" : pf_node_name(node);
    size_t p = 0;
    while (p < fitted.count && strcmp(fitted.items[p], name) != 0) {
      p++;
    }
    if (p == fitted.count) {
      const char *near = pf_text_nearest(name, fitted);
      return pf_config_fail(config_of(self), node, error,
                            "source.rules has '%s', but no plastic projection learns by a rule of "
                            "that name; did you mean '%s'?",
                            name, near == NULL ? fitted.items[0] : near);
    }
  }
  return PF_OK;
}

/** source.rules: { learn: { ... }; slow: { ... }; } one for each fitted rule, under the same name.
 */
static pf_status create_teacher_rules(builder *self, const pf_node *group,
                                      const pf_component **rules, pf_error *error)
{
  pf_models *models = self->models;
  const size_t n = models->n_rules;
  const char **names = pf_memory_need(n, sizeof *names, error);
  models->teacher_rules = pf_memory_need(n, sizeof *models->teacher_rules, error);
  pf_status status = PF_STOP;
  if (names == NULL || models->teacher_rules == NULL) {
    goto done;
  }
  for (size_t p = 0; p < n; p++) {
    names[p] = models->owners[p] + strlen("rules.");
  }
  if (check_teacher_rules(self, group, (pf_names){names, n}, error) != PF_OK) {
    goto done;
  }
  for (size_t p = 0; p < n; p++) {
    const pf_node *node = pf_node_get(group, names[p]);
    char what[160];
    (void)snprintf(what, sizeof what, "source.rules.%s", names[p]);
    if (node == NULL) {
      (void)pf_config_fail(
          models->config, group, error,
          "source.rules has no '%s': the teacher needs a rule for every rule that is fitted",
          names[p]);
      goto done;
    }
    if (pf_models_component(models, node, PF_KIND_RULE, what, &models->teacher_rules[p], error) !=
        PF_OK) {
      goto done;
    }
    rules[p] = &models->teacher_rules[p];
  }
  status = PF_OK;
done:
  pf_memory_free(names);
  return status;
}

static pf_status refuse_truth(const builder *self, const pf_node *truth, bool both, pf_error *error)
{
  const pf_component *source = &self->models->source;
  if (both) {
    return pf_config_fail(config_of(self), truth, error,
                          "the source has `rule` and `rules`; expected one of them: `rule` for "
                          "every plastic projection, or `rules` with one each");
  }
  if (pf_source_is_task(source)) {
    return pf_config_fail(config_of(self), truth, error,
                          "%s is a task and needs a rule to learn by: add rule: { plugin = "
                          "\"taylor\"; terms = \"x r\"; } to the source",
                          source->label);
  }
  return pf_config_fail(config_of(self), truth, error,
                        "source.truth names no rule: expected rule: { plugin = \"taylor\"; terms = "
                        "\"x r\"; } in it, or no truth at all");
}

/** source.rule on every plastic projection, or source.rules; of data that were read:
 * source.truth.rule, or .rules. */
static pf_status create_teacher(builder *self, const pf_component **rules, pf_error *error)
{
  pf_models *models = self->models;
  const pf_node *truth = pf_models_truth(models);
  const pf_node *one = pf_node_get(truth, "rule");
  const pf_node *several = pf_node_get(truth, "rules");
  if ((one == NULL) == (several == NULL)) {
    return refuse_truth(self, truth, one != NULL, error);
  }
  if (several != NULL) {
    return create_teacher_rules(self, several, rules, error);
  }
  for (size_t p = 0; p < models->n_rules; p++) {
    rules[p] = &models->teacher_rule;
  }
  return pf_models_component(models, one, PF_KIND_RULE, "source.rule", &models->teacher_rule,
                             error);
}

static pf_status build_teacher(builder *self, const pf_component **rules, pf_error *error)
{
  pf_models *models = self->models;
  if (create_teacher(self, rules, error) != PF_OK ||
      build_model(self, rules, true, &models->teacher, error) != PF_OK) {
    return PF_STOP;
  }
  const pf_model *teacher = models->teacher;
  models->teacher_theta = pf_memory_need(teacher->n_parameters, sizeof(double), error);
  if (models->teacher_theta == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < teacher->n_parameters; i++) {
    models->teacher_theta[i] = teacher->parameters[i].declared.value;
  }
  pf_tie(teacher->parameters, teacher->n_parameters, models->teacher_theta);
  return PF_OK;
}

/* ---- all of them ---- */

static pf_status check_counts(const pf_models *models, pf_error *error)
{
  if (models->n_losses == 0) {
    return pf_config_fail(models->config, pf_node_get(pf_config_root(models->config), "losses"),
                          error,
                          "`losses` is empty, expected at least one: losses = ( { plugin = "
                          "\"choice\"; } )");
  }
  if (models->n_rules == 0) {
    return pf_config_fail(
        models->config, pf_models_entries(models), error,
        "none of network.projections has a rule, so nothing would learn; add rule = \"NAME\" "
        "to one: projections = ( { layer = 1; rule = \"learn\"; } )");
  }
  return PF_OK;
}

static pf_status create_rules_and_losses(builder *self, pf_error *error)
{
  pf_models *models = self->models;
  const size_t n_rules = models->n_rules, n_losses = models->n_losses;
  models->rules = pf_memory_need(n_rules, sizeof *models->rules, error);
  models->losses = pf_memory_need(n_losses, sizeof *models->losses, error);
  models->owners = pf_memory_need(n_rules + n_losses, sizeof *models->owners, error);
  if (models->rules == NULL || models->losses == NULL || models->owners == NULL ||
      check_counts(models, error) != PF_OK || create_rules(self, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n_losses; k++) {
    if (create_loss(self, k, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** network.initial_weights.file. */
static pf_status read_initial_weights(pf_models *models, const char *path, const char *rows,
                                      pf_error *error)
{
  if (path == NULL) {
    return PF_OK;
  }
  pf_status status = pf_initial_file_read(path, models->model, rows, pf_config_host(models->config),
                                          &models->initial, error);
  if (status == PF_OK && pf_source_is_task(&models->source)) {
    status =
        pf_fail(error, PF_STOP,
                "network.initial_weights.file: the animals of a task draw their own; %s is a task",
                models->source.label);
  }
  pf_error_locate(error, models->config, pf_node_get(models->network.node, "initial_weights.file"));
  return status;
}

static pf_status build_all(builder *self, const pf_component **rules, bool only_task,
                           pf_error *error)
{
  pf_models *models = self->models;
  if (create_rules_and_losses(self, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t p = 0; p < models->n_rules; p++) {
    rules[p] = &models->rules[p];
  }
  if (build_model(self, rules, false, &models->model, error) != PF_OK) {
    return PF_STOP;
  }
  pf_parameters_warn_starts(models->model, pf_config_host(models->config));
  if (!only_task && pf_check_observed(models, models->model, error) != PF_OK) {
    return PF_STOP;
  }
  if (!only_task && pf_models_truth(models) != NULL && build_teacher(self, rules, error) != PF_OK) {
    return PF_STOP;
  }
  return read_initial_weights(models, self->settings->network.start.file,
                              self->settings->network.start.rows, error);
}

pf_status pf_models_build(pf_models *models, const pf_settings *settings, bool only_task,
                          pf_error *error)
{
  const pf_node *losses = pf_node_get(pf_config_root(models->config), "losses");
  models->n_rules = count_rules(&settings->network);
  models->n_losses = (size_t)pf_node_count(losses);
  const size_t n = models->n_rules;
  const pf_component **rules = pf_memory_need(n, sizeof *rules, error);
  builder self = {.models = models,
                  .settings = settings,
                  .entries = pf_memory_need(n, sizeof *self.entries, error),
                  .projections = pf_memory_need(n, sizeof *self.projections, error),
                  .weights = pf_memory_need(models->n_losses, sizeof *self.weights, error)};
  pf_status status = PF_STOP;
  if (rules != NULL && self.entries != NULL && self.projections != NULL && self.weights != NULL) {
    status = build_all(&self, rules, only_task, error);
  }
  for (size_t p = 0; self.projections != NULL && p < n; p++) {
    pf_memory_free(self.projections[p]);
  }
  pf_memory_free(rules);
  pf_memory_free(self.entries);
  pf_memory_free(self.projections);
  pf_memory_free(self.weights);
  return status;
}
