#include "core/command_line/plugin_json.h"

json_t *pf_cli_json_of_found(const pf_found *found, size_t count)
{
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++) {
    const pf_plugin *plugin = found[i].plugin;
    json_t *one = json_object();
    if (plugin == NULL) {
      one = pf_json_set(one, "refused", pf_json_text(found[i].refusal));
      array = pf_json_append(array, one);
      continue;
    }
    json_t *aliases = json_array();
    for (size_t k = 0; k < plugin->aliases.count; k++) {
      aliases = pf_json_append(aliases, pf_json_text(plugin->aliases.items[k]));
    }
    one = pf_json_set(one, "kind", pf_json_text(pf_kind_name(plugin->kind)));
    one = pf_json_set(one, "name", pf_json_text(plugin->name));
    one = pf_json_set(one, "version", pf_json_text(plugin->version));
    one = pf_json_set(one, "summary", pf_json_text(plugin->summary));
    one = pf_json_set(one, "file", pf_json_text(found[i].file));
    one = pf_json_set(one, "instead_of", pf_json_text(found[i].shadows));
    array = pf_json_append(array, pf_json_set(one, "aliases", aliases));
  }
  return array;
}

static const char *word_of_type(uint32_t type)
{
  static const char *const words[] = {"?",    "true/false", "integer", "number", "text",
                                      "path", "integers",   "numbers", "texts",  "names"};
  return type < sizeof words / sizeof words[0] ? words[type] : words[0];
}

json_t *pf_cli_json_of_options(pf_option_table table)
{
  json_t *array = json_array();
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    json_t *one = json_object();
    one = pf_json_set(one, "name", pf_json_text(option->name));
    one = pf_json_set(one, "type", pf_json_text(word_of_type(option->type)));
    one = pf_json_set(one, "required", json_boolean(option->required != 0));
    one = pf_json_set(one, "default", pf_json_text(option->fallback));
    one = pf_json_set(one, "unit", pf_json_text(option->unit));
    one = pf_json_set(one, "choices", pf_json_text(option->choices));
    if (option->lower < option->upper) {
      one = pf_json_set(one, "lower", pf_json_number(option->lower));
      one = pf_json_set(one, "upper", pf_json_number(option->upper));
    }
    array = pf_json_append(array, pf_json_set(one, "help", pf_json_text(option->help)));
  }
  return array;
}
