#include "core/plugin/describe.h"

#include "core/base/memory.h"
#include "core/plugin/component.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- aligned columns ---- */

enum { N_COLUMNS = 6, CELL = 160, HELP = 320, MOST_PARAMETERS = 12 };

typedef struct row {
  char cell[N_COLUMNS - 1][CELL];
  char last[HELP]; /**< the last column, as long as it likes to be */
} row;

/** The first row is the head. */
static void print_rows(FILE *stream, const row *rows, size_t count)
{
  size_t width[N_COLUMNS - 1] = {0};
  for (size_t c = 0; c + 1 < N_COLUMNS; c++) {
    for (size_t i = 1; i < count; i++) {
      size_t length = strlen(rows[i].cell[c]);
      width[c] = length > width[c] ? length : width[c];
    }
    size_t head = strlen(rows[0].cell[c]); /* a column with nothing but its head is left out */
    width[c] = width[c] > 0 && width[c] < head ? head : width[c];
  }
  for (size_t i = 0; i < count; i++) {
    (void)fprintf(stream, " ");
    for (size_t c = 0; c + 1 < N_COLUMNS; c++) {
      if (width[c] > 0) {
        (void)fprintf(stream, " %-*s ", (int)width[c], rows[i].cell[c]);
      }
    }
    (void)fprintf(stream, " %s\n", rows[i].last);
  }
}

static void set_head(row *head, const char *const names[N_COLUMNS])
{
  for (size_t c = 0; c + 1 < N_COLUMNS; c++) {
    (void)snprintf(head->cell[c], CELL, "%s", names[c]);
  }
  (void)snprintf(head->last, HELP, "%s", names[N_COLUMNS - 1]);
}

static void put(char *cell, const char *text)
{
  (void)snprintf(cell, CELL, "%s", text == NULL ? "" : text);
}

/* ---- options ---- */

static const char *type_name(uint32_t type)
{
  static const char *const names[] = {"?",    "true/false", "integer", "number", "text",
                                      "path", "integers",   "numbers", "texts"};
  return type < sizeof names / sizeof names[0] ? names[type] : names[0];
}

static void describe_allowed(const pf_option *option, char *cell)
{
  bool number = option->type == PF_TYPE_INTEGER || option->type == PF_TYPE_REAL || option->type == PF_TYPE_INTEGERS ||
                option->type == PF_TYPE_REALS;
  if (option->choices != NULL) {
    put(cell, option->choices);
  } else if (!number || !(option->lower < option->upper)) {
    put(cell, "");
  } else if (isfinite(option->lower) && isfinite(option->upper)) {
    (void)snprintf(cell, CELL, "%.6g to %.6g", option->lower, option->upper);
  } else if (isfinite(option->lower)) {
    (void)snprintf(cell, CELL, ">= %.6g", option->lower);
  } else if (isfinite(option->upper)) {
    (void)snprintf(cell, CELL, "<= %.6g", option->upper);
  }
}

void pf_describe_options(FILE *stream, pf_option_table table)
{
  static const char *const head[N_COLUMNS] = {"name", "type", "default", "unit", "allowed", ""};
  row *rows = pf_memory_new(table.count + 1, sizeof *rows);
  if (rows == NULL) {
    return;
  }
  set_head(&rows[0], head);
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    row *r = &rows[i + 1];
    put(r->cell[0], option->name);
    put(r->cell[1], type_name(option->type));
    put(r->cell[2], option->required ? "(required)" : (option->fallback == NULL ? "-" : option->fallback));
    put(r->cell[3], option->unit != NULL && strcmp(option->unit, "1") == 0 ? "" : option->unit);
    describe_allowed(option, r->cell[4]);
    (void)snprintf(r->last, HELP, "%s", option->help == NULL ? "" : option->help);
  }
  print_rows(stream, rows, table.count + 1);
  pf_memory_free(rows);
}

/* ---- parameters ---- */

static void describe_bounds(const pf_parameter *parameter, char *cell)
{
  if (isfinite(parameter->lower) || isfinite(parameter->upper)) {
    (void)snprintf(cell, CELL, "%.6g to %.6g", parameter->lower, parameter->upper);
  }
}

static void describe_parameters(FILE *stream, pf_parameter_table table)
{
  static const char *const scopes[] = {"", " (per animal)", " (per experiment)"};
  static const char *const head[N_COLUMNS] = {"name", "in print", "unit", "start", "bounds", ""};
  size_t shown = table.count > MOST_PARAMETERS + 1 ? MOST_PARAMETERS : table.count;
  row *rows = pf_memory_new(shown + 1, sizeof *rows);
  if (rows == NULL) {
    return;
  }
  set_head(&rows[0], head);
  for (size_t i = 0; i < shown; i++) {
    const pf_parameter *parameter = pf_table_at(table.items, table.stride, table.count, i);
    row *r = &rows[i + 1];
    put(r->cell[0], parameter->name);
    put(r->cell[1], parameter->label);
    put(r->cell[2], parameter->unit != NULL && strcmp(parameter->unit, "1") == 0 ? "" : parameter->unit);
    (void)snprintf(r->cell[3], CELL, "%.6g", parameter->initial);
    describe_bounds(parameter, r->cell[4]);
    (void)snprintf(r->last, HELP, "%s%s%s", parameter->help == NULL ? "" : parameter->help,
                   (parameter->flags & PF_PARAMETER_FIXED) != 0 ? " (fixed)" : "",
                   parameter->scope < 3 ? scopes[parameter->scope] : "");
  }
  print_rows(stream, rows, shown + 1);
  if (shown < table.count) {
    (void)fprintf(stream, "  ... and %zu more\n", table.count - shown);
  }
  pf_memory_free(rows);
}

static pf_status parameters_of(const pf_plugin *plugin, const void *self, pf_parameter_table *out)
{
  pf_error fault = pf_error_none();
  pf_status status = PF_OK;
  *out = (pf_parameter_table){0};
  if (plugin->kind == PF_KIND_RULE) {
    pf_rule_needs needs = {.size = sizeof needs};
    status = plugin->rule->needs(self, &needs, &fault);
    *out = needs.parameters;
  } else if (plugin->kind == PF_KIND_NETWORK) {
    pf_network_needs needs = {.size = sizeof needs};
    status = plugin->network->needs(self, &needs, &fault);
    *out = needs.parameters;
  } else if (plugin->kind == PF_KIND_LOSS) {
    pf_loss_needs needs = {.size = sizeof needs};
    status = plugin->loss->needs(self, &needs, &fault);
    *out = needs.parameters;
  }
  return status;
}

static void describe_object(FILE *stream, const pf_plugin *plugin)
{
  pf_config *empty = NULL;
  pf_error fault = pf_error_none();
  if (plugin->kind == PF_KIND_SOURCE || pf_config_parse("", "describe", NULL, 0, &empty, &fault) != PF_OK) {
    return;
  }
  void *self = NULL;
  pf_parameter_table table;
  if (pf_plugin_instantiate(plugin, empty, NULL, (pf_names){0}, &self, &fault) == PF_OK) {
    if (parameters_of(plugin, self, &table) == PF_OK && table.count > 0) {
      (void)fprintf(stream, "\nParameters, with these defaults:\n");
      describe_parameters(stream, table);
    }
    pf_plugin_destroy(plugin, self);
  } else {
    (void)fprintf(stream, "\nIts parameters depend on its options.\n");
  }
  pf_config_free(empty);
}

void pf_describe_plugin(FILE *stream, const pf_plugin *plugin, const char *file, pf_option_table host_options)
{
  const char *kind = pf_kind_name(plugin->kind);
  (void)fprintf(stream, "%s: a %s, version %s\n", plugin->name, kind, plugin->version == NULL ? "?" : plugin->version);
  (void)fprintf(stream, "  %s\n", plugin->summary == NULL ? "" : plugin->summary);
  for (size_t i = 0; i < plugin->aliases.count; i++) {
    (void)fprintf(stream, "%s%s%s", i == 0 ? "  also called: " : ", ", plugin->aliases.items[i],
                  i + 1 == plugin->aliases.count ? "\n" : "");
  }
  (void)fprintf(stream, "  file: %s\n", file);
  if (plugin->options.count > 0) {
    (void)fprintf(stream, "\nOptions, in the group with plugin = \"%s\":\n", plugin->name);
    pf_describe_options(stream, plugin->options);
  } else {
    (void)fprintf(stream, "\nIt has no options.\n");
  }
  if (host_options.count > 0) {
    (void)fprintf(stream, "\nKeys that every %s has:\n", kind);
    pf_describe_options(stream, host_options);
  }
  describe_object(stream, plugin);
}
