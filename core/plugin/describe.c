#include "core/plugin/describe.h"

#include "core/base/memory.h"
#include "core/plugin/component.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- tables: aligned columns, Markdown, roff ---- */

enum { N_COLUMNS = 6, CELL = 160, HELP = 320, MAX_PARAMETERS = 12, MAX_IN_MARKDOWN = 4 };

enum format { PLAIN, MARKDOWN, ROFF };

typedef struct row {
  char cell[N_COLUMNS - 1][CELL];
  char last[HELP]; /**< the last column, as long as it likes to be */
} row;

/** Text as a cell of a Markdown table: no cell ends early, and what looks like code is marked as
 * code. */
static void print_markdown_cell(FILE *stream, const char *text, bool code)
{
  (void)fprintf(stream, " %s", code && text[0] != '\0' ? "`" : "");
  for (const char *c = text; *c != '\0'; c++) {
    (void)fprintf(stream, *c == '|' ? "\\|" : "%c", *c);
  }
  (void)fprintf(stream, "%s |", code && text[0] != '\0' ? "`" : "");
}

static void print_markdown(FILE *stream, const row *rows, size_t count)
{
  bool used[N_COLUMNS - 1] = {false};
  for (size_t c = 0; c + 1 < N_COLUMNS; c++) {
    for (size_t i = 1; i < count; i++) {
      used[c] = used[c] || rows[i].cell[c][0] != '\0';
    }
  }
  for (size_t i = 0; i < count; i++) {
    (void)fprintf(stream, "|");
    for (size_t c = 0; c + 1 < N_COLUMNS; c++) {
      if (used[c]) {
        /* names, defaults and choices are what one types */
        const bool typed = c == 0 ||
                           (strcmp(rows[0].cell[c], "default") == 0 &&
                            strcmp(rows[i].cell[c], "(required)") != 0) ||
                           (c == 4 && strchr(rows[i].cell[c], '|') != NULL);
        print_markdown_cell(stream, rows[i].cell[c],
                            i > 0 && typed && strcmp(rows[i].cell[c], "-") != 0);
      }
    }
    print_markdown_cell(stream, i == 0 ? "meaning" : rows[i].last, false);
    (void)fprintf(stream, "\n");
    for (size_t c = 0; i == 0 && c < N_COLUMNS; c++) {
      (void)fprintf(stream, c + 1 == N_COLUMNS ? "|---|\n" : used[c] ? "|---" : "");
    }
  }
}

/** Text for troff: a backslash, a hyphen that is typed, and a line that must not be taken for a
 * request. */
static void print_roff(FILE *stream, const char *text)
{
  (void)fprintf(stream, "%s", text[0] == '.' || text[0] == '\'' ? "\\&" : "");
  for (const char *c = text; *c != '\0'; c++) {
    (void)fprintf(stream, *c == '\\' ? "\\e" : *c == '-' ? "\\-" : "%c", *c);
  }
}

/** Each row a tagged paragraph: name (type, default, unit, what is allowed), meaning. */
static void print_tagged(FILE *stream, const row *rows, size_t count)
{
  for (size_t i = 1; i < count; i++) {
    (void)fprintf(stream, ".TP\n.B ");
    print_roff(stream, rows[i].cell[0]);
    (void)fprintf(stream, "\n");
    const char *between = "";
    for (size_t c = 1; c + 1 < N_COLUMNS; c++) {
      if (rows[i].cell[c][0] != '\0' && strcmp(rows[i].cell[c], "-") != 0) {
        (void)fprintf(stream, "%s", between);
        print_roff(stream, c == 2 && rows[i].cell[c][0] != '(' ? "default " : "");
        print_roff(stream, rows[i].cell[c]);
        between = ", ";
      }
    }
    (void)fprintf(stream, "\n.br\n");
    print_roff(stream, rows[i].last);
    (void)fprintf(stream, "\n");
  }
}

/** The first row is the head. */
static void print_rows(FILE *stream, enum format format, const row *rows, size_t count)
{
  if (format != PLAIN) {
    format == MARKDOWN ? print_markdown(stream, rows, count) : print_tagged(stream, rows, count);
    return;
  }
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

static void put_cell(char *cell, const char *text)
{
  (void)snprintf(cell, CELL, "%s", text == NULL ? "" : text);
}

/* ---- options ---- */

static const char *type_name(uint32_t type)
{
  static const char *const names[] = {"?",    "true/false", "integer", "number", "text",
                                      "path", "integers",   "numbers", "texts",  "names"};
  return type < sizeof names / sizeof names[0] ? names[type] : names[0];
}

static void describe_allowed(const pf_option *option, char *cell)
{
  bool number = option->type == PF_TYPE_INTEGER || option->type == PF_TYPE_REAL ||
                option->type == PF_TYPE_INTEGERS || option->type == PF_TYPE_REALS;
  if (option->choices != NULL) {
    put_cell(cell, option->choices);
  } else if (!number || !(option->lower < option->upper)) {
    put_cell(cell, "");
  } else if (isfinite(option->lower) && isfinite(option->upper)) {
    (void)snprintf(cell, CELL, "%.6g to %.6g", option->lower, option->upper);
  } else if (isfinite(option->lower)) {
    (void)snprintf(cell, CELL, ">= %.6g", option->lower);
  } else if (isfinite(option->upper)) {
    (void)snprintf(cell, CELL, "<= %.6g", option->upper);
  }
}

static void describe_options(FILE *stream, enum format format, pf_option_table table)
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
    put_cell(r->cell[0], option->name);
    put_cell(r->cell[1], type_name(option->type));
    put_cell(r->cell[2],
             option->required ? "(required)" : (option->fallback == NULL ? "-" : option->fallback));
    put_cell(r->cell[3],
             option->unit != NULL && strcmp(option->unit, "1") == 0 ? "" : option->unit);
    describe_allowed(option, r->cell[4]);
    (void)snprintf(r->last, HELP, "%s", option->help == NULL ? "" : option->help);
  }
  print_rows(stream, format, rows, table.count + 1);
  pf_memory_free(rows);
}

void pf_describe_options(FILE *stream, pf_option_table table)
{
  describe_options(stream, PLAIN, table);
}

void pf_describe_options_roff(FILE *stream, pf_option_table table)
{
  describe_options(stream, ROFF, table);
}

/* ---- parameters ---- */

static void describe_bounds(const pf_parameter *parameter, char *cell)
{
  if (isfinite(parameter->lower) || isfinite(parameter->upper)) {
    (void)snprintf(cell, CELL, "%.6g to %.6g", parameter->lower, parameter->upper);
  }
}

static void describe_parameters(FILE *stream, enum format format, pf_parameter_table table)
{
  static const char *const scopes[] = {"", " (per animal)", " (per experiment)"};
  static const char *const head[N_COLUMNS] = {"name", "in print", "unit", "start", "bounds", ""};
  const size_t most = format == MARKDOWN ? MAX_IN_MARKDOWN : MAX_PARAMETERS;
  const size_t shown = table.count > most + 1 ? most : table.count;
  row *rows = pf_memory_new(shown + 1, sizeof *rows);
  if (rows == NULL) {
    return;
  }
  set_head(&rows[0], head);
  for (size_t i = 0; i < shown; i++) {
    const pf_parameter *parameter = pf_table_at(table.items, table.stride, table.count, i);
    row *r = &rows[i + 1];
    put_cell(r->cell[0], parameter->name);
    put_cell(r->cell[1], parameter->label);
    put_cell(r->cell[2],
             parameter->unit != NULL && strcmp(parameter->unit, "1") == 0 ? "" : parameter->unit);
    (void)snprintf(r->cell[3], CELL, "%.6g", parameter->initial);
    describe_bounds(parameter, r->cell[4]);
    (void)snprintf(r->last, HELP, "%s%s%s", parameter->help == NULL ? "" : parameter->help,
                   (parameter->flags & PF_PARAMETER_FIXED) != 0 ? " (fixed)" : "",
                   parameter->scope < 3 ? scopes[parameter->scope] : "");
  }
  print_rows(stream, format, rows, shown + 1);
  if (shown < table.count) {
    (void)fprintf(stream, format == PLAIN ? "  ... and %zu more\n" : "\nand %zu more.\n",
                  table.count - shown);
  }
  pf_memory_free(rows);
}

static pf_status parameters_of(const pf_plugin *plugin, const void *self, pf_parameter_table *out)
{
  pf_error fault = pf_error_none();
  pf_status status = PF_OK;
  *out = (pf_parameter_table){0};
  if (plugin->kind == PF_KIND_RULE) {
    pf_rule_declaration declared = {.size = sizeof declared};
    status = plugin->rule->declare(self, &declared, &fault);
    *out = declared.parameters;
  } else if (plugin->kind == PF_KIND_NETWORK) {
    pf_network_declaration declared = {.size = sizeof declared};
    status = plugin->network->declare(self, &declared, &fault);
    *out = declared.parameters;
  } else if (plugin->kind == PF_KIND_LOSS) {
    pf_loss_declaration declared = {.size = sizeof declared};
    status = plugin->loss->declare(self, &declared, &fault);
    *out = declared.parameters;
  }
  return status;
}

static void describe_object(FILE *stream, enum format format, const pf_plugin *plugin)
{
  static const char *const heads[] = {"\nParameters, with these defaults:\n", "\n## Parameters\n\n",
                                      ".SS Its parameters, with these defaults\n"};
  static const char *const depend[] = {"\nIts parameters depend on its options.\n",
                                       "\n## Parameters\n\nThey depend on the options.\n",
                                       ".PP\nIts parameters depend on its options.\n"};
  pf_config *empty = NULL;
  pf_error fault = pf_error_none();
  if (plugin->kind == PF_KIND_SOURCE ||
      pf_config_parse("", "describe", NULL, 0, &empty, &fault) != PF_OK) {
    return;
  }
  void *self = NULL;
  pf_parameter_table table;
  if (pf_plugin_instantiate(plugin, empty, NULL, (pf_names){0}, &self, &fault) == PF_OK) {
    if (parameters_of(plugin, self, &table) == PF_OK && table.count > 0) {
      (void)fprintf(stream, "%s", heads[format]);
      describe_parameters(stream, format, table);
    }
    pf_plugin_destroy(plugin, self);
  } else {
    (void)fprintf(stream, "%s", depend[format]);
  }
  pf_config_free(empty);
}

void pf_describe_plugin(FILE *stream, const pf_plugin *plugin, const char *file,
                        pf_option_table host_options)
{
  const char *kind = pf_kind_name(plugin->kind);
  (void)fprintf(stream, "%s: a %s, version %s\n", plugin->name, kind,
                plugin->version == NULL ? "?" : plugin->version);
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
  describe_object(stream, PLAIN, plugin);
}

void pf_describe_plugin_markdown(FILE *stream, const pf_plugin *plugin)
{
  if (plugin->options.count > 0) {
    (void)fprintf(stream, "## Options\n\n");
    describe_options(stream, MARKDOWN, plugin->options);
  } else {
    (void)fprintf(stream, "## Options\n\nNone.\n");
  }
  describe_object(stream, MARKDOWN, plugin);
}

void pf_describe_plugin_roff(FILE *stream, const pf_plugin *plugin)
{
  (void)fprintf(stream, ".SS \"The %s %s\"\n", pf_kind_name(plugin->kind), plugin->name);
  print_roff(stream, plugin->summary == NULL ? "" : plugin->summary);
  (void)fprintf(stream, "\n");
  describe_options(stream, ROFF, plugin->options);
  describe_object(stream, ROFF, plugin);
}
