#include "core/model_config/models.h"

#include "core/base/memory.h"
#include "core/model/build_model.h"
#include "core/model_config/keys.h"
#include "core/plugin/path.h"

bool pf_teacher_has_groups(const pf_models *models)
{
  const pf_model *teacher = models->teacher;
  for (size_t i = 0; teacher != NULL && i < teacher->n_parameters; i++) {
    if (teacher->parameters[i].change != 0.0) {
      return true;
    }
  }
  return false;
}

const char *pf_teacher_group(size_t animal_number)
{
  return animal_number % 2 != 0 ? "changed" : "control";
}

bool pf_source_is_task(const pf_component *source)
{
  const pf_source_ops *ops = source->plugin->source;
  return PF_HAS(ops, pf_source_ops, begin) && ops->begin != NULL;
}

const pf_node *pf_models_truth(const pf_models *models)
{
  const pf_node *source = models->source.node;
  return pf_source_is_task(&models->source) ? source : pf_node_get(source, "truth");
}

const pf_node *pf_models_entries(const pf_models *models)
{
  return pf_node_get(models->network.node, "projections");
}

pf_status pf_models_component(const pf_models *models, const pf_node *node, uint32_t kind,
                              const char *what, pf_component *out, pf_error *error)
{
  const pf_component_spec spec = {models->config, node, kind, what, pf_keys_names_of_kind(kind)};
  return pf_component_create(models->registry, &spec, out, error);
}

/** The group `name` of the root, which must be there. */
static pf_status need_group(const pf_models *models, const char *name, const char *example,
                            pf_error *error)
{
  const pf_node *root = pf_config_root(models->config);
  return pf_node_get(root, name) != NULL
             ? PF_OK
             : pf_config_fail(models->config, root, error, "the config has no `%s`; add %s", name,
                              example);
}

static pf_status create_source_and_network(pf_models *models, pf_error *error)
{
  static const char *const needed[][2] = {
      {"source", "source: { plugin = \"teacher\"; ... };"},
      {"network", "network: { plugin = \"feedforward\"; layers = [2, 10, 1]; };"},
      {"rules", "rules: { learn: { plugin = \"taylor\"; }; };"},
      {"losses", "losses = ( { plugin = \"choice\"; } );"}};
  const pf_node *root = pf_config_root(models->config);
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
    if (need_group(models, needed[i][0], needed[i][1], error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (pf_models_component(models, pf_node_get(root, "source"), PF_KIND_SOURCE, "source",
                          &models->source, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_models_component(models, pf_node_get(root, "network"), PF_KIND_NETWORK, "network",
                             &models->network, error);
}

pf_status pf_models_create(const pf_config *config, const char *plugin_path, pf_models **out,
                           pf_error *error)
{
  pf_models *models = pf_memory_need(1, sizeof *models, error);
  if (models == NULL) {
    return PF_STOP;
  }
  models->config = config;
  if (pf_plugin_path_trusted(plugin_path, error) != PF_OK) {
    pf_error_locate(error, config, pf_node_get(pf_config_root(config), "plugin_path"));
    pf_models_free(models);
    return PF_STOP;
  }
  if (pf_registry_create(plugin_path, &models->registry, error) != PF_OK ||
      create_source_and_network(models, error) != PF_OK) {
    pf_models_free(models);
    return PF_STOP;
  }
  *out = models;
  return PF_OK;
}

static void free_components(pf_component *components, size_t n)
{
  for (size_t i = 0; components != NULL && i < n; i++) {
    pf_component_free(&components[i]);
  }
  pf_memory_free(components);
}

void pf_models_free(pf_models *models)
{
  if (models == NULL) {
    return;
  }
  pf_model_free(models->model);
  pf_model_free(models->teacher);
  pf_memory_free(models->teacher_theta);
  pf_initial_file_free(models->initial);
  free_components(models->rules, models->n_rules);
  free_components(models->losses, models->n_losses);
  free_components(models->teacher_rules, models->n_rules);
  pf_component_free(&models->teacher_rule);
  pf_component_free(&models->network);
  pf_component_free(&models->source);
  for (size_t i = 0; models->owners != NULL && i < models->n_rules + models->n_losses; i++) {
    pf_memory_free(models->owners[i]);
  }
  pf_memory_free(models->owners);
  pf_registry_free(models->registry);
  pf_memory_free(models);
}
