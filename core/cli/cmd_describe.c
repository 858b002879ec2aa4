#include "core/base/memory.h"
#include "core/candidates/compare_settings.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/command_line/plugin_json.h"
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

/** What --json says of a plugin. */
static json_t *json_of_plugin(const pf_plugin *plugin, const char *file)
{
  json_t *root = json_object();
  root = pf_json_set(root, "kind", pf_json_text(pf_kind_name(plugin->kind)));
  root = pf_json_set(root, "name", pf_json_text(plugin->name));
  root = pf_json_set(root, "version", pf_json_text(plugin->version));
  root = pf_json_set(root, "summary", pf_json_text(plugin->summary));
  root = pf_json_set(root, "file", pf_json_text(file));
  root = pf_json_set(root, "options", pf_cli_json_of_options(plugin->options));
  return pf_json_set(root, "host_options", pf_cli_json_of_options(pf_keys_of_kind(plugin->kind)));
}

static pf_status describe_in_json(pf_registry *registry, const char *name, pf_error *error)
{
  const pf_plugin *plugin = NULL;
  const char *file = NULL;
  if (pf_registry_find(registry, 0, name, &plugin, &file, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_cli_print_json(json_of_plugin(plugin, file)) == PF_EXIT_DONE ? PF_OK : PF_STOP;
}

/** The keys of the config's top level. */
static int config_in_json(void)
{
  pf_option_table keys = {0};
  pf_error error = pf_error_none();
  if (pf_root_keys(&keys, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  const int code = pf_cli_print_json(pf_cli_json_of_options(keys));
  pf_memory_free((void *)keys.items);
  return code;
}

typedef struct arguments {
  pf_cli_arguments given; /**< subject: a plugin, or "config" */
  bool markdown, manual;
} arguments;

static const pf_cli_option options[] = {
    PF_CLI_FLAG("--markdown", arguments, markdown,
                "its tables of options and parameters, for its README"),
    PF_CLI_FLAG("--manual", arguments, manual,
                "all keys and plugins as the body of plastfit.cfg(5), in roff"),
    PF_CLI_JSON(arguments, "as JSON"),
};
static const pf_cli_syntax syntax = {
    .usage = "Usage: plastfit describe [--markdown | --json] NAME\n"
             "       plastfit describe config\n"
             "       plastfit describe --manual\n"
             "\n"
             "Shows what a plugin (plastfit list) is, its options and its parameters.\n"
             "`plastfit describe config` shows the keys that belong to no plugin.\n"
             "\n",
    .one = "NAME",
    .words = "config PLUGIN",
    .options = options,
    .n_options = sizeof options / sizeof options[0]};

static int describe_plugin(const arguments *how)
{
  const char *name = how->given.subject;
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  pf_status status = pf_registry_create(NULL, &registry, &error);
  if (status != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  if (how->manual) {
    status = describe_manual(registry, &error);
  } else if (how->given.json) {
    status = describe_in_json(registry, name, &error);
  } else {
    status = describe_one(registry, name, how->markdown, &error);
  }
  pf_registry_free(registry);
  return status == PF_OK ? PF_EXIT_DONE : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
}

static int describe_subject(const arguments *how)
{
  const char *name = how->given.subject;
  if (!how->manual && name == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "describe wants one NAME (plastfit list shows them)");
  }
  if (name != NULL && strcmp(name, "config") == 0) {
    return how->given.json ? config_in_json() : describe_config();
  }
  return describe_plugin(how);
}

static int run_command(int argc, char **argv)
{
  arguments how = {.manual = false};
  int code = pf_cli_parse(&pf_command_describe, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = describe_subject(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_describe = {
    .name = "describe",
    .synopsis = "NAME",
    .summary = "what one of them is and its options; `describe config`: the other keys",
    .syntax = &syntax,
    .run = run_command,
};
