#include "core/base/memory.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/command_line/plugin_json.h"
#include "core/plugin/registry.h"

#include <string.h>

static int widest_name(const pf_found *found, size_t count)
{
  size_t width = 0;
  for (size_t i = 0; i < count; i++) {
    size_t length = found[i].plugin == NULL ? 0 : strlen(found[i].plugin->name);
    width = length > width ? length : width;
  }
  return (int)width;
}

static void print_kind(const pf_found *found, size_t count, uint32_t kind, bool verbose)
{
  static const char *const titles[] = {"", "Rules", "Networks", "Losses", "Sources"};
  int width = widest_name(found, count), any = 0;
  for (size_t i = 0; i < count; i++) {
    const pf_plugin *plugin = found[i].plugin;
    if (plugin == NULL || plugin->kind != kind) {
      continue;
    }
    if (!any) {
      (void)printf("%s%s\n", kind == PF_KIND_RULE ? "" : "\n", titles[kind]);
      any = 1;
    }
    (void)printf("  %-*s  %s\n", width, plugin->name,
                 plugin->summary == NULL ? "" : plugin->summary);
    if (verbose || found[i].shadows != NULL) {
      (void)printf("  %-*s  version %s, %s\n", width, "",
                   plugin->version == NULL ? "?" : plugin->version, found[i].file);
    }
    for (size_t k = 0; k < plugin->aliases.count; k++) {
      (void)printf("  %-*s  also called %s\n", width, "", plugin->aliases.items[k]);
    }
    if (found[i].shadows != NULL) {
      (void)printf("  %-*s  instead of %s\n", width, "", found[i].shadows);
    }
  }
}

/** What was not loaded, and why. */
static void print_refused(const pf_found *found, size_t count)
{
  int any = 0;
  for (size_t i = 0; i < count; i++) {
    if (found[i].plugin == NULL) {
      (void)printf("%s  %s\n", any ? "" : "\nRefused\n", found[i].refusal);
      any = 1;
    }
  }
}

typedef struct arguments {
  pf_cli_arguments given;
} arguments;

static const pf_cli_option options[] = {
    PF_CLI_VERBOSE(arguments, "versions and files, too"),
    PF_CLI_JSON(arguments, "as JSON"),
};
static const pf_cli_syntax syntax = {
    .usage = "Usage: plastfit list [--verbose | --json]\n"
             "\n"
             "Shows every plugin that can be named in a config, and what was refused.\n"
             "PLASTFIT_PLUGIN_PATH adds folders of plugins, separated by colons.\n"
             "\n",
    .second = "describe NAME shows one plugin",
    .options = options,
    .n_options = sizeof options / sizeof options[0]};

static int print_found(const pf_found *found, size_t count, const pf_cli_arguments *given)
{
  size_t usable = 0;
  for (size_t i = 0; i < count; i++) {
    usable += found[i].plugin != NULL;
  }
  if (given->json) {
    return pf_cli_print_json(pf_cli_json_of_found(found, count));
  }
  for (uint32_t kind = PF_KIND_RULE; kind <= PF_KIND_SOURCE; kind++) {
    print_kind(found, count, kind, given->verbose);
  }
  print_refused(found, count);
  if (usable == 0) {
    return pf_cli_say(PF_EXIT_FAILED,
                      "no plugin was found; PLASTFIT_PLUGIN_PATH=FOLDER says where to look");
  }
  return PF_EXIT_DONE;
}

static int list_plugins(const pf_cli_arguments *given)
{
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  const pf_found *found = NULL;
  size_t count = 0;
  pf_status status = pf_registry_create(NULL, &registry, &error);
  if (status == PF_OK) {
    status = pf_registry_scan(registry, &found, &count, &error);
  }
  const int code = status == PF_OK ? print_found(found, count, given)
                                   : pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  pf_registry_free(registry);
  return code;
}

static int run_command(int argc, char **argv)
{
  arguments how = {0};
  int code = pf_cli_parse(&pf_command_list, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = list_plugins(&how.given);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_list = {
    .name = "list",
    .synopsis = "",
    .summary = "which rules, networks, losses and sources there are",
    .syntax = &syntax,
    .run = run_command,
};
