#include "core/model_config/keys.h"

#include "core/settings/settings.h"
#include "core/settings/source_settings.h"
#include <plastfit/abi/plugin.h>

#include <string.h>

#define NAMES(array)                                              \
  (pf_names)                                                      \
  {                                                               \
    .items = (array), .count = sizeof(array) / sizeof((array)[0]) \
  }

pf_names pf_keys_root_groups(void)
{
  static const char *const names[] = {"source", "network", "rules", "losses", "compare"};
  return NAMES(names);
}

pf_option_table pf_keys_of_kind(uint32_t kind)
{
  switch (kind) {
  case PF_KIND_SOURCE:
    return pf_source_keys();
  case PF_KIND_RULE:
    return pf_rule_keys();
  case PF_KIND_NETWORK:
    return pf_network_keys();
  case PF_KIND_LOSS:
    return pf_loss_keys();
  default:
    return (pf_option_table){0};
  }
}

pf_names pf_keys_names_of_kind(uint32_t kind)
{
  static const char *const source[] = {"plugin", "animals", "input",  "expected_reward",
                                       "give",   "record",  "derive", "sessions",
                                       "truth",  "rule",    "rules"};
  static const char *const rule[] = {"plugin", "modulator", "init_sd", "eta", "parameters"};
  static const char *const network[] = {"plugin",
                                        "initial_weights.draw",
                                        "mask_seed",
                                        "initial_weights.file",
                                        "initial_weights.learn",
                                        "initial_weights.rows",
                                        "initial_weights.projections",
                                        "initial_weights.scope",
                                        "initial_weights.l1",
                                        "initial_weights.l2",
                                        "initial_weights.lower",
                                        "initial_weights.upper",
                                        "parameters",
                                        "projections",
                                        "projections[].connected",
                                        "projections[].plastic"};
  static const char *const loss[] = {"plugin", "weight", "parameters"};
  switch (kind) {
  case PF_KIND_SOURCE:
    return NAMES(source);
  case PF_KIND_RULE:
    return NAMES(rule);
  case PF_KIND_NETWORK:
    return NAMES(network);
  case PF_KIND_LOSS:
    return NAMES(loss);
  default:
    return (pf_names){0};
  }
}

bool pf_keys_have_group(pf_option_table table, const char *name)
{
  const size_t length = strlen(name);
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    if (strncmp(option->name, name, length) == 0 && strchr(".[", option->name[length]) != NULL &&
        option->name[length] != '\0') {
      return true;
    }
  }
  return false;
}

bool pf_keys_have(pf_option_table table, const char *name)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    if (strcmp(option->name, name) == 0) {
      return true;
    }
  }
  return pf_keys_have_group(table, name);
}
