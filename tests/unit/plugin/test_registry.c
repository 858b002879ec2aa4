#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/plugin/component.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The plugins of the build tree are found because this program lies in it. */
static pf_registry *open_registry(const char *plugin_path)
{
  pf_registry *registry = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_registry_create(plugin_path, &registry, &error), PF_OK, "%s", error.text);
  return registry;
}

/** The line of a name that is not found. */
static const char *line_of(const char *plugin_path, uint32_t kind, const char *name)
{
  static char line[PF_ERROR_LENGTH];
  pf_registry *registry = open_registry(plugin_path);
  const pf_plugin *plugin = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_registry_find(registry, kind, name, &plugin, NULL, &error), PF_STOP);
  cr_assert_null(plugin);
  (void)snprintf(line, sizeof line, "%s", error.text);
  pf_registry_free(registry);
  return line;
}

Test(plugin_registry, finds_by_name_and_alias)
{
  pf_registry *registry = open_registry(NULL);
  const pf_plugin *taylor = NULL, *volterra = NULL;
  const char *file = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_registry_find(registry, PF_KIND_RULE, "taylor", &taylor, &file, &error), PF_OK,
               "%s", error.text);
  cr_assert_str_eq(taylor->name, "taylor");
  cr_assert(strstr(file, "taylor") != NULL);
  cr_assert_eq(pf_registry_find(registry, PF_KIND_RULE, "volterra", &volterra, NULL, &error), PF_OK,
               "%s", error.text);
  cr_assert_eq(volterra, taylor);
  pf_registry_free(registry);
}

Test(plugin_registry, two_registries_at_once)
{
  pf_registry *a = open_registry(NULL), *b = open_registry(NULL);
  const pf_plugin *plugin = NULL;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_registry_find(a, PF_KIND_RULE, "taylor", &plugin, NULL, &error), PF_OK, "%s",
               error.text);
  cr_assert_eq(pf_registry_find(b, PF_KIND_RULE, "taylor", &plugin, NULL, &error), PF_OK, "%s",
               error.text);
  pf_registry_free(a);
  cr_assert_str_eq(plugin->name, "taylor"); /* still loaded for b */
  pf_registry_free(b);
}

Test(plugin_registry, scan_is_sorted_and_whole)
{
  pf_registry *registry = open_registry(NULL);
  const pf_found *found = NULL;
  size_t count = 0;
  pf_error error = pf_error_none();
  cr_assert_eq(pf_registry_scan(registry, &found, &count, &error), PF_OK, "%s", error.text);
  cr_assert_geq(count, 4);
  for (size_t i = 1; i < count; i++) {
    cr_assert_not_null(found[i].plugin, "%s", found[i].refusal);
    cr_assert(found[i - 1].plugin->kind < found[i].plugin->kind ||
              (found[i - 1].plugin->kind == found[i].plugin->kind &&
               strcmp(found[i - 1].plugin->name, found[i].plugin->name) < 0));
  }
  pf_registry_free(registry);
}

Test(plugin_registry, refusals_say_what_to_do)
{
  cr_assert(strstr(line_of(NULL, PF_KIND_RULE, "tailor"), "did you mean 'taylor'?") != NULL);
  cr_assert(strstr(line_of(NULL, PF_KIND_RULE, "nothing_like_it"), "there are ") != NULL);
  cr_assert(strstr(line_of(NULL, PF_KIND_LOSS, "taylor"), "is a rule, and a loss was asked for") !=
            NULL);
  cr_assert(strstr(line_of(NULL, PF_KIND_RULE, "./taylor"), "named, never pathed") != NULL);
  cr_assert(strstr(line_of(NULL, PF_KIND_RULE, "../plugins/taylor.so"), "named, never pathed") !=
            NULL);
  cr_assert(strstr(line_of(NULL, PF_KIND_RULE, ""), "is no name of a rule") != NULL);
}

Test(plugin_registry, a_file_that_is_no_plugin_keeps_its_loaders_words)
{
  char folder[] = "/tmp/plastfit-registry-XXXXXX", path[128], command[160];
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/garbage.so", folder);
  FILE *file = fopen(path, "w");
  cr_assert_not_null(file);
  (void)fputs("this is no shared object", file);
  cr_assert_eq(fclose(file), 0);
  const char *line = line_of(folder, PF_KIND_RULE, "garbage");
  cr_assert(strstr(line, path) != NULL, "%s", line);
  cr_assert(strstr(line, "cannot be loaded") != NULL, "%s", line);
  cr_assert_null(strstr(line, "file not found"), "not the loader's own words: %s", line);
  (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
  cr_assert_eq(system(command), 0);
}

/* ---- components ---- */

static const char *component_line(const char *text, const char *override)
{
  static char line[PF_ERROR_LENGTH];
  static const char *const host_keys[] = {"modulator", "init_sd", "eta", "parameters"};
  pf_registry *registry = open_registry(NULL);
  pf_config *config = NULL;
  pf_component component = {0};
  pf_error error = pf_error_none();
  pf_component_spec spec = {NULL, NULL, PF_KIND_RULE, "rules.learn", (pf_names){host_keys, 4}};
  pf_status status =
      pf_config_parse(text, "t.cfg", &override, override == NULL ? 0 : 1, &config, &error);
  if (status == PF_OK) {
    spec.config = config;
    spec.node = pf_node_get(pf_config_root(config), "rules.learn");
    status = pf_component_create(registry, &spec, &component, &error);
  }
  if (status == PF_OK) {
    (void)snprintf(line, sizeof line, "%s", component.label);
    pf_component_free(&component);
  } else {
    (void)snprintf(line, sizeof line, "%s", error.text);
  }
  pf_config_free(config);
  pf_registry_free(registry);
  return line;
}

Test(plugin_component, made_and_labelled)
{
  const char *text = "rules: { learn: { plugin = \"volterra\"; terms = \"x r\"; eta = 0.5; }; };";
  cr_assert_str_eq(component_line(text, NULL), "rule learn (taylor)");
}

Test(plugin_component, mistakes_have_a_place)
{
  const char *text = "rules: { learn: { plugin = \"taylor\";\n terms = \"x r\"; }; };";
  cr_assert_str_eq(component_line("rules: {\n learn: { terms = \"x\"; }; };", NULL),
                   "t.cfg:2: rules.learn has no 'plugin', the name of a rule (plastfit list)");
  cr_assert_str_eq(
      component_line("rules: { learn: { plugin = 3; }; };", NULL),
      "t.cfg:1: rules.learn.plugin: expected the name of a rule in quotes (plastfit list)");
  cr_assert_eq(strncmp(component_line("a = 1;", NULL), "t.cfg: rules.learn is missing", 29), 0);
  cr_assert_eq(
      strncmp(
          component_line(text, "rules.learn.plugin=tailor"),
          "command line: rules.learn.plugin=tailor: there is no rule 'tailor'; did you mean "
          "'taylor'?",
          strlen(
              "command line: rules.learn.plugin=tailor: there is no rule 'tailor'; did you mean ")),
      0);
  cr_assert_str_eq(
      component_line(text, "rules.learn.trems=x"),
      "command line: rules.learn.trems=x: rule taylor has no option 'trems'; did you mean 'terms'? "
      "(plastfit describe taylor lists them)");
  /* what the plugin finds itself gets the place of the option it names */
  const char *own =
      component_line("rules: { learn: { plugin = \"taylor\";\n terms = \"x q\"; }; };", NULL);
  cr_assert_eq(strncmp(own, "t.cfg:2: rule taylor: ", 22), 0, "%s", own);
}

Test(plugin_component, another_name_of_the_same_plugin_drops_nothing)
{
  const char *text = "rules: { learn: { plugin = \"taylor\";\n foreign = 1; }; };";
  cr_assert(strstr(component_line(text, "rules.learn.plugin=volterra"),
                   "has no option 'foreign'") != NULL);
}
