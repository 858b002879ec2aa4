#include "core/base/memory.h"
#include "core/cli/cli.h"
#include "core/plugin/describe.h"
#include "core/plugin/registry.h"
#include "core/problem/keys.h"

#include <string.h>

static int describe_config(void)
{
  (void)printf("The keys of a config outside its components:\n");
  pf_describe_options(stdout, pf_keys_root());
  pf_names groups = pf_keys_root_groups();
  (void)printf("\nThe components stand in:");
  for (size_t i = 0; i < groups.count; i++) {
    (void)printf(" %s", groups.items[i]);
  }
  (void)printf("  (plastfit list; plastfit describe NAME)\n");
  return PF_EXIT_DONE;
}

int pf_command_describe(int argc, char **argv)
{
  if (argc > 1 && pf_cli_is_help(argv[1])) {
    (void)printf("Usage: plastfit describe NAME\n\n"
                 "Shows what a plugin (plastfit list) is, its options and its parameters.\n"
                 "`plastfit describe config` shows the keys that belong to no plugin.\n");
    return PF_EXIT_DONE;
  }
  if (argc != 2) {
    return pf_cli_say(PF_EXIT_MISUSED, "describe wants one NAME (plastfit list shows them)");
  }
  if (strcmp(argv[1], "config") == 0) {
    return describe_config();
  }
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL;
  const char *file = NULL;
  if (pf_registry_create(NULL, &registry, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  pf_status status = pf_registry_find(registry, 0, argv[1], &plugin, &file, &error);
  if (status == PF_OK) {
    pf_describe_plugin(stdout, plugin, file, pf_keys_of_kind(plugin->kind));
  }
  pf_registry_free(registry);
  return status == PF_OK ? PF_EXIT_DONE : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
}
