#include "core/base/memory.h"
#include "core/candidates/compare_settings.h"
#include "core/cli/command.h"
#include "core/model_config/keys.h"
#include "core/plugin/describe.h"
#include "core/plugin/registry.h"
#include "core/settings/root_settings.h"
#include "core/settings/settings.h"

#include <stdbool.h>
#include <string.h>

/** The keys of the config's top level, by `describe`. */
static void describe_root(void (*describe)(FILE *stream, pf_option_table keys))
{
  pf_option_table keys = {0};
  pf_error error = pf_error_none();
  if (pf_root_keys(&keys, &error) == PF_OK) {
    describe(stdout, keys);
  }
  pf_memory_free((void *)keys.items);
}

static int describe_config(void)
{
  pf_compare_keys keys;
  (void)printf("The keys of a config outside its components:\n");
  describe_root(pf_describe_options);
  (void)printf("\nThe keys of `compare` (plastfit compare):\n");
  pf_describe_options(stdout, pf_compare_options(&keys));
  (void)printf("\nThose of each group in `compare.candidates`:\n");
  pf_describe_options(stdout, pf_compare_candidate_options());
  pf_names groups = pf_keys_root_groups();
  (void)printf("\nThe components stand in:");
  for (size_t i = 0; i < groups.count; i++) {
    (void)printf(" %s", groups.items[i]);
  }
  (void)printf("  (plastfit list; plastfit describe NAME)\n");
  return PF_EXIT_DONE;
}

/** The body of plastfit.cfg(5): every key of the host, and every plugin that is found. */
static pf_status describe_manual(pf_registry *registry, pf_error *error)
{
  static const char *const titles[] = {"", "RULES", "NETWORKS", "LOSSES", "SOURCES"};
  const pf_found *found = NULL;
  size_t count = 0;
  pf_compare_keys keys;
  const pf_status status = pf_registry_scan(registry, &found, &count, error);
  if (status != PF_OK) {
    return status;
  }
  (void)printf(".SH KEYS OUTSIDE COMPONENTS\n");
  describe_root(pf_describe_options_roff);
  (void)printf(".SH KEYS OF COMPARE\n");
  pf_describe_options_roff(stdout, pf_compare_options(&keys));
  (void)printf(".SS Of each group in compare.candidates\n");
  pf_describe_options_roff(stdout, pf_compare_candidate_options());
  for (uint32_t kind = PF_KIND_RULE; kind <= PF_KIND_SOURCE; kind++) {
    (void)printf(".SH %s\n.SS Keys that each of them has\n", titles[kind]);
    pf_describe_options_roff(stdout, pf_keys_of_kind(kind));
    for (size_t i = 0; i < count; i++) {
      if (found[i].plugin != NULL && found[i].plugin->kind == kind) {
        pf_describe_plugin_roff(stdout, found[i].plugin);
      }
    }
  }
  return PF_OK;
}

static pf_status describe_one(pf_registry *registry, const char *name, bool markdown,
                              pf_error *error)
{
  const pf_plugin *plugin = NULL;
  const char *file = NULL;
  pf_status status = pf_registry_find(registry, 0, name, &plugin, &file, error);
  if (status == PF_OK && markdown) {
    pf_describe_plugin_markdown(stdout, plugin);
  } else if (status == PF_OK) {
    pf_describe_plugin(stdout, plugin, file, pf_keys_of_kind(plugin->kind));
  }
  return status;
}

static int run_command(int argc, char **argv)
{
  if (argc > 1 && pf_cli_is_help(argv[1])) {
    (void)fputs("Usage: plastfit describe [--markdown] NAME\n"
                "       plastfit describe config\n"
                "       plastfit describe --manual\n"
                "\n"
                "Shows what a plugin (plastfit list) is, its options and its parameters.\n"
                "`plastfit describe config` shows the keys that belong to no plugin.\n"
                "\n"
                "  --markdown   its tables of options and parameters, for its README\n"
                "  --manual     all keys and plugins as the body of plastfit.cfg(5), in roff\n",
                stdout);
    return PF_EXIT_DONE;
  }
  const bool markdown = argc > 1 && strcmp(argv[1], "--markdown") == 0;
  const bool manual = argc > 1 && strcmp(argv[1], "--manual") == 0;
  if (argc > 1 && argv[1][0] == '-' && !markdown && !manual) {
    static const char *const known[] = {"--markdown", "--manual", "--help"};
    return pf_cli_unknown("describe", argv[1], (pf_names){known, 3});
  }
  if (argc != (markdown ? 3 : 2)) {
    return pf_cli_say(PF_EXIT_MISUSED, "describe wants one NAME (plastfit list shows them)");
  }
  const char *name = argv[argc - 1];
  if (strcmp(name, "config") == 0) {
    return describe_config();
  }
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  if (pf_registry_create(NULL, &registry, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  const pf_status status =
      manual ? describe_manual(registry, &error) : describe_one(registry, name, markdown, &error);
  pf_registry_free(registry);
  return status == PF_OK ? PF_EXIT_DONE : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
}

const pf_command pf_command_describe = {
    .name = "describe",
    .synopsis = "NAME",
    .summary = "what one of them is and its options; `describe config`: the other keys",
    .run = run_command,
};
