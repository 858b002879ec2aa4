/*
 * A component: a plugin, made into an object by one group of the config.
 *
 *     { plugin = "taylor"; terms = "x r"; modulator = "reward"; eta = 0.5; }
 *
 * `plugin` and the keys in `host_keys` are the host's, the rest are options of the plugin.
 */
#ifndef PLASTFIT_CORE_PLUGIN_COMPONENT_H
#define PLASTFIT_CORE_PLUGIN_COMPONENT_H

#include "core/config/config.h"
#include "core/plugin/registry.h"

typedef struct pf_component {
  const pf_plugin *plugin;
  void *self;          /**< the object */
  const char *file;    /**< where the plugin was loaded from; the registry's */
  const pf_node *node; /**< its group in the config, MAY be NULL */
  char *label;         /**< "rule learn (taylor)", for messages */
} pf_component;

/** Where a component comes from: a group of the config. */
typedef struct pf_component_spec {
  const pf_config *config;
  const pf_node *node;
  uint32_t kind;
  const char *what;   /**< how the config calls it: "source", "rules.learn" */
  pf_names host_keys; /**< the host's, but `plugin` */
} pf_component_spec;

/**
 * Find the plugin named by the group's `plugin` key, check its options, create the object. On
 * failure *out is untouched. Errors name the plugin and file:line.
 */
pf_status pf_component_create(pf_registry *registry, const pf_component_spec *spec,
                              pf_component *out, pf_error *error);
/** Destroys the object; the plugin stays loaded. A zeroed component is fine. */
void pf_component_free(pf_component *component);

/**
 * The object alone: options of `node` (MAY be NULL: all defaults) checked, `create` called, its
 * requests verified. `others`: names that are the host's, with `plugin`. For pf_component_create
 * and `plastfit describe`.
 */
pf_status pf_plugin_instantiate(const pf_plugin *plugin, const pf_config *config,
                                const pf_node *node, pf_names others, void **self, pf_error *error);
/** What a source lists of the file that `node` names (its op `list`), each column to the sink. */
pf_status pf_plugin_list(const pf_plugin *plugin, const pf_config *config, const pf_node *node,
                         const pf_column_sink *sink, pf_error *error);
/** An object of a plugin of any kind; pf_plugin_destroy ends it. */
pf_status pf_plugin_create(const pf_plugin *plugin, const pf_host *host, const pf_options *options,
                           void **self, pf_error *error);
void pf_plugin_destroy(const pf_plugin *plugin, void *self);

/** Does the plugin have an option of that name, or options in a group or list of that name? */
bool pf_plugin_has_key(const pf_plugin *plugin, const char *key);

#endif
