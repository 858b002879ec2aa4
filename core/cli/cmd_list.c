#include "core/base/memory.h"
#include "core/cli/command.h"
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

static void print_kind(const pf_found *found, size_t count, uint32_t kind)
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
    (void)printf("  %-*s  version %s, %s\n", width, "",
                 plugin->version == NULL ? "?" : plugin->version, found[i].file);
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

static int run_command(int argc, char **argv)
{
  if (argc > 1 && pf_cli_is_help(argv[1])) {
    (void)fputs("Usage: plastfit list\n"
                "\n"
                "Shows every plugin that can be named in a config, where it comes from, and what\n"
                "was refused. PLASTFIT_PLUGIN_PATH adds folders of plugins, separated by colons.\n",
                stdout);
    return PF_EXIT_DONE;
  }
  if (argc > 1) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "list takes nothing behind it, found '%s' (describe NAME shows one plugin)",
                      argv[1]);
  }
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  const pf_found *found = NULL;
  size_t count = 0, usable = 0;
  pf_status status = pf_registry_create(NULL, &registry, &error);
  if (status == PF_OK) {
    status = pf_registry_scan(registry, &found, &count, &error);
  }
  if (status == PF_OK) {
    for (uint32_t kind = PF_KIND_RULE; kind <= PF_KIND_SOURCE; kind++) {
      print_kind(found, count, kind);
    }
    print_refused(found, count);
    for (size_t i = 0; i < count; i++) {
      usable += found[i].plugin != NULL;
    }
  }
  pf_registry_free(registry);
  if (status != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  if (usable == 0) {
    return pf_cli_say(PF_EXIT_FAILED,
                      "no plugin was found; PLASTFIT_PLUGIN_PATH=FOLDER says where to look");
  }
  return PF_EXIT_DONE;
}

const pf_command pf_command_list = {
    .name = "list",
    .synopsis = "",
    .summary = "which rules, networks, losses and sources there are",
    .run = run_command,
};
