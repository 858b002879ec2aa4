#include "core/data_look/table_look.h"

#include "core/base/memory.h"
#include "core/config/config.h"
#include "core/plugin/component.h"

#include <math.h>
#include <string.h>

/** The host's end of a source's op `list`. */
typedef struct array_sink {
  pf_column_sink face;
  table_look *look;
} array_sink;

static pf_status no_memory(pf_error *error)
{
  return pf_fail(error, PF_STOP, "out of memory for the columns of a file");
}

static look_column *add_column(table_look *look)
{
  if (look->n == look->capacity) {
    const size_t larger = look->capacity == 0 ? 32 : 2 * look->capacity;
    pf_error error = pf_error_none();
    look_column *columns = pf_memory_need(larger, sizeof *columns, &error);
    if (columns == NULL) {
      return NULL;
    }
    if (look->n > 0) {
      memcpy(columns, look->columns, look->n * sizeof *columns);
    }
    pf_memory_free(look->columns);
    look->columns = columns;
    look->capacity = larger;
  }
  look_column *c = &look->columns[look->n++];
  *c = (look_column){.width = 1};
  return c;
}

static pf_status look_at_cells(look_column *c, const pf_column *column, pf_error *error)
{
  const size_t n = (size_t)column->rows * (size_t)column->columns;
  if (column->texts != NULL) {
    for (size_t k = 0; k < n; k++) {
      look_at_value(c, column->texts[k] == NULL ? "" : column->texts[k]);
    }
    return PF_OK;
  }
  c->numbers = pf_memory_need(n + 1, sizeof *c->numbers, error);
  if (c->numbers == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    char text[LOOK_LONGEST_VALUE] = "";
    c->numbers[k] = column->numbers[k];
    if (!isnan(column->numbers[k])) {
      (void)snprintf(text, sizeof text, "%.17g", column->numbers[k]);
    }
    look_at_value(c, text);
  }
  return PF_OK;
}

static pf_status take_column(const pf_column_sink *sink, const pf_column *column, pf_error *error)
{
  table_look *look = ((const array_sink *)sink->impl)->look;
  look_column *c = add_column(look);
  if (c == NULL) {
    return no_memory(error);
  }
  (void)snprintf(look->group, sizeof look->group, "%s", column->option);
  (void)snprintf(look->word, sizeof look->word, "%s", column->word);
  (void)snprintf(c->name, sizeof c->name, "%s", column->name);
  c->rows = column->rows;
  c->width = column->columns;
  c->n_dims = (int)column->n_dims;
  if (column->why != NULL) {
    (void)snprintf(c->why, sizeof c->why, "%s", column->why);
    return PF_OK;
  }
  return column->numbers == NULL && column->texts == NULL ? PF_OK : look_at_cells(c, column, error);
}

/** A config of the source alone, with what a step is where `steps` says it. */
static pf_status list_with_steps(table_look *look, const pf_plugin *plugin, const char *steps,
                                 pf_error *error)
{
  char path[1200], option[300];
  pf_config *config = NULL;
  array_sink sink = {.face = {.size = sizeof sink.face, .column = take_column}, .look = look};
  sink.face.impl = &sink;
  look_free(look);
  look->capacity = 0;
  (void)snprintf(path, sizeof path, "source.path=\"%s\"", look->path);
  (void)snprintf(option, sizeof option, "source.steps=\"%s\"", steps);
  const char *overrides[] = {path, option};
  pf_status status = pf_config_parse("source: { };", "new config", overrides,
                                     steps[0] != '\0' ? 2 : 1, &config, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_plugin_list(plugin, config, pf_node_get(pf_config_root(config), "source"), &sink.face,
                          error);
  pf_config_free(config);
  return status;
}

/** Of those that are there with bins: a series, whose frames are steps. */
static const char *first_series(const table_look *look)
{
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (c->n_dims > 0 && c->why[0] == '\0' && strcmp(c->name, "units") != 0 &&
        strcmp(c->name, "dt") != 0 && strcmp(c->name, "trial") != 0) {
      return c->name;
    }
  }
  return NULL;
}

/** Without trials: frames of a series, else bins. */
static pf_status list_without_trials(table_look *look, const pf_plugin *plugin, pf_error *error)
{
  static const char *const bins = "20 ms";
  pf_error first = pf_error_none();
  const pf_status status = list_with_steps(look, plugin, bins, &first);
  (void)snprintf(look->steps, sizeof look->steps, "%s", bins);
  if (status != PF_OK) {
    return pf_fail(error, status, "%s", first.text);
  }
  const char *series = first_series(look);
  if (series == NULL) {
    return PF_OK;
  }
  (void)snprintf(look->steps, sizeof look->steps, "%s", series);
  return list_with_steps(look, plugin, look->steps, error);
}

pf_status look_at_arrays(table_look *look, pf_error *error)
{
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL;
  pf_error first = pf_error_none();
  pf_status status = pf_registry_create(NULL, &registry, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_registry_find(registry, PF_KIND_SOURCE, look->plugin, &plugin, NULL, error);
  if (status == PF_OK) {
    status = list_with_steps(look, plugin, "", &first);
    if (status != PF_OK && pf_plugin_has_key(plugin, "steps") &&
        strstr(first.text, "steps may be") != NULL) {
      status = list_without_trials(look, plugin, error);
    } else if (status != PF_OK) {
      (void)pf_fail(error, status, "%s", first.text);
    }
  }
  pf_registry_free(registry);
  return status;
}
