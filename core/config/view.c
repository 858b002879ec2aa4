#define _POSIX_C_SOURCE 200809L

/* A group, checked against a table of options, as values to read. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/node.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct value {
  char *path; /**< "blocks[2].trials" */
  const pf_option *option;
  const pf_node *node; /**< given, or the default; NULL: absent */
  bool given;
  char *resolved; /**< of a path: relative to the current folder */
} value;

struct pf_view {
  pf_options options;
  const pf_config *config;
  const pf_node *group; /**< MAY be NULL */
  char *what;
  pf_option_table table;
  value *values;
  size_t count, capacity;
  pf_node *defaults; /**< a group that owns the nodes of the defaults */
  pf_error *misuse;  /**< first wrong request; getters see a const view */
};

/* ---- building ---- */

static pf_status add_value(pf_view *view, const char *path, const pf_option *option, value **out,
                           pf_error *error)
{
  if (view->count == view->capacity) {
    size_t capacity = view->capacity == 0 ? 32 : 2 * view->capacity;
    value *grown = realloc(view->values, capacity * sizeof *grown);
    if (grown == NULL) {
      return pf_fail(error, PF_STOP, "out of memory: %zu options", capacity);
    }
    view->values = grown;
    view->capacity = capacity;
  }
  value *added = &view->values[view->count];
  *added = (value){.option = option, .path = pf_memory_string(path, error)};
  if (added->path == NULL) {
    return PF_STOP;
  }
  view->count++;
  *out = added;
  return PF_OK;
}

/** name=2024 on the command line: a number for libconfig, a text for this option and in the
 * resolved config. */
static pf_status make_text(pf_node *node, pf_error *error)
{
  if (node->type != PF_NODE_STRING) {
    node->string = pf_memory_string(node->raw, error);
    if (node->string == NULL) {
      return PF_STOP;
    }
    node->type = PF_NODE_STRING;
  }
  return PF_OK;
}

/** A path in a file is relative to the config's folder; absolute ones and ~ stay. */
static pf_status resolve(const pf_view *view, value *v, pf_error *error)
{
  const char *text = pf_option_text(v->node);
  bool fixed = text[0] == '\0' || text[0] == '/' || text[0] == '~' || v->node->override != NULL;
  pf_text resolved = {0}, absolute = {0};
  pf_text_add(&resolved, "%s%s", fixed || view->config == NULL ? "" : view->config->folder, text);
  char folder[4096];
  bool keep = text[0] == '\0' || text[0] == '~' || resolved.text == NULL || resolved.text[0] == '/';
  if (keep || getcwd(folder, sizeof folder) == NULL) {
    pf_text_add(&absolute, "%s", resolved.text == NULL ? "" : resolved.text);
  } else {
    pf_text_add(&absolute, "%s/%s", folder, resolved.text);
  }
  pf_status status = PF_OK;
  if (resolved.failed || absolute.failed) {
    status = pf_fail(error, PF_STOP, "out of memory for the path %s", text);
  } else {
    pf_node *node = (pf_node *)v->node; /* the config's or ours, never a const object */
    pf_memory_free(node->absolute);
    node->absolute = pf_memory_string(absolute.text, error);
    v->resolved = pf_memory_string(resolved.text, error);
    status = node->absolute == NULL || v->resolved == NULL ? PF_STOP : PF_OK;
  }
  pf_text_free(&resolved);
  pf_text_free(&absolute);
  return status;
}

static pf_status parse_default(const pf_view *view, const pf_option *option, pf_node **out,
                               pf_error *error)
{
  pf_parse_error why = {0};
  pf_error fault = pf_error_none();
  /* the config is written to only where it keeps strings, and a value without a file has none to
   * keep */
  pf_status status = pf_value_parse((pf_config *)view->config, option->fallback, out, &why, &fault);
  if (status == PF_OK) {
    (*out)->name = pf_memory_string(option->name, error);
    status = (*out)->name == NULL ? PF_STOP : pf_option_check(option, *out, &fault);
    if (status != PF_OK) {
      pf_node_free(*out);
    }
  }
  if (status != PF_OK) {
    return pf_fail(
        error, PF_STOP,
        "%s: the default of its option '%s' is wrong (%s): a mistake in the table of options",
        view->what, option->name, status == PF_POINT_FAILED ? why.text : fault.text);
  }
  return PF_OK;
}

/** Puts a default into the config, for the resolved one: below `group` where the option's name
 * says. */
static pf_status record_default(const pf_view *view, pf_node *group, const pf_option *option,
                                const char *name, pf_node *given, pf_error *error)
{
  pf_node_table *table = &group->defaults;
  for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(name, '.')) {
    size_t length = (size_t)(dot - name);
    pf_node *next = pf_node_find(&group->children, name, length);
    if (next == NULL) {
      next = pf_node_find(&group->defaults, name, length);
    }
    if (next == NULL) {
      char part[128];
      (void)snprintf(part, sizeof part, "%.*s", (int)length, name);
      next = pf_node_new(part, PF_NODE_GROUP, error);
      if (next == NULL || pf_node_append(group, &group->defaults, next, error) != PF_OK) {
        pf_node_free(next);
        return PF_STOP;
      }
    }
    group = next;
    table = &group->defaults;
    name = dot + 1;
  }
  if (pf_node_find(table, name, strlen(name)) != NULL) {
    return PF_OK; /* an earlier view of the same group */
  }
  pf_node *copy = NULL;
  pf_status status = parse_default(view, option, &copy, error);
  if (status != PF_OK) {
    return status;
  }
  pf_memory_free(copy->name);
  copy->name = pf_memory_string(name, error);
  copy->absolute = given->absolute == NULL ? NULL : pf_memory_string(given->absolute, error);
  status = copy->name == NULL ? PF_STOP : pf_node_append(group, table, copy, error);
  if (status != PF_OK) {
    pf_node_free(copy);
  }
  return status;
}

/** One option in one group (an element, for options of lists of groups); `name` is what remains of
 * its name. */
static pf_status take(pf_view *view, const pf_node *group, const pf_option *option,
                      const char *name, const char *path, pf_error *error)
{
  value *v = NULL;
  pf_status status = add_value(view, path, option, &v, error);
  if (status != PF_OK) {
    return status;
  }
  v->node = group == NULL ? NULL : pf_node_get(group, name);
  v->given = v->node != NULL;
  if (v->given) {
    status = pf_option_check(option, v->node, error);
    if (status != PF_OK) {
      pf_error_locate(error, view->config, v->node);
      return status;
    }
  } else if (option->required) {
    bool helpful = option->help != NULL && option->help[0] != '\0';
    pf_fail(error, PF_STOP, "%s needs '%s'%s%s, which is missing here", view->what, path,
            helpful ? ": " : "", helpful ? option->help : "");
    pf_error_locate(error, view->config, group);
    return PF_STOP;
  } else if (option->fallback != NULL) {
    pf_node *fallback = NULL;
    status = parse_default(view, option, &fallback, error);
    if (status == PF_OK) {
      status = pf_node_append(view->defaults, &view->defaults->children, fallback, error);
      if (status != PF_OK) {
        pf_node_free(fallback);
      }
    }
    if (status != PF_OK) {
      return status;
    }
    v->node = fallback;
  }
  if (v->given && (option->type == PF_TYPE_STRING || option->type == PF_TYPE_PATH)) {
    status = make_text((pf_node *)v->node, error); /* nodes are never const objects */
  }
  if (status == PF_OK && v->node != NULL && option->type == PF_TYPE_PATH) {
    status = resolve(view, v, error);
  }
  if (status == PF_OK && v->node != NULL && !v->given && group != NULL) {
    status = record_default(view, (pf_node *)group, option, name, (pf_node *)v->node, error);
  }
  return status;
}

/** Expands the first [] of `name`, if there is one, over the elements of the list. */
static pf_status expand(pf_view *view, const pf_node *group, const pf_option *option,
                        const char *name, const char *prefix, pf_error *error)
{
  char path[512], list_name[256];
  const char *brackets = strstr(name, "[].");
  if (brackets == NULL) {
    (void)snprintf(path, sizeof path, "%s%s", prefix, name);
    return take(view, group, option, name, path, error);
  }
  (void)snprintf(list_name, sizeof list_name, "%.*s", (int)(brackets - name), name);
  const pf_node *list = group == NULL ? NULL : pf_node_get(group, list_name);
  pf_status status = PF_OK;
  for (int64_t i = 0; status == PF_OK && i < pf_node_count(list); i++) {
    (void)snprintf(path, sizeof path, "%s%s[%lld].", prefix, list_name, (long long)i);
    status = expand(view, pf_node_at(list, i), option, brackets + strlen("[]."), path, error);
  }
  return status;
}

static pf_status check_table(const pf_view *view, pf_error *error)
{
  for (size_t i = 0; i < view->table.count; i++) {
    const pf_option *option =
        pf_table_at(view->table.items, view->table.stride, view->table.count, i);
    bool sound = option->name != NULL && option->name[0] != '\0' && option->type >= PF_TYPE_BOOL &&
                 option->type <= PF_TYPE_NAMES;
    if (!sound) {
      return pf_fail(
          error, PF_STOP,
          "%s: option %zu ('%s') of its table has no name or no type: a mistake in the table",
          view->what, i, option->name == NULL ? "" : option->name);
    }
  }
  return PF_OK;
}

static pf_status fill(pf_view *view, const char *plugin, pf_names others, pf_error *error)
{
  pf_status status = check_table(view, error);
  if (status == PF_OK && view->group != NULL) {
    if (view->group->type != PF_NODE_GROUP) {
      char path[256], shown[96];
      pf_node_path(view->group, path, sizeof path);
      pf_node_show(view->group, shown, sizeof shown);
      pf_fail(error, PF_STOP, "%s: found %s, expected a group, { ... }", path, shown);
      pf_error_locate(error, view->config, view->group);
      return PF_STOP;
    }
    status = pf_config_check_names(view->config, (pf_node *)view->group, view->what, plugin,
                                   view->table, others, NULL, error);
  }
  for (size_t i = 0; status == PF_OK && i < view->table.count; i++) {
    const pf_option *option =
        pf_table_at(view->table.items, view->table.stride, view->table.count, i);
    status = expand(view, view->group, option, option->name, "", error);
  }
  return status;
}

/* ---- reading ---- */

static pf_view *view_of(const pf_options *options)
{
  return (pf_view *)
      options->impl; /* made by pf_view_create_plugin below, from a view that is not const */
}

/** "blocks[2].trials" is an instance of "blocks[].trials"; both end where the shorter may stop at
 * "[]." */
static bool is_list_of_groups(const pf_view *view, const char *path)
{
  char generic[256];
  size_t n = 0;
  for (const char *c = path; *c != '\0' && n + 4 < sizeof generic; c++) {
    generic[n++] = *c;
    if (*c == '[') {
      while (c[1] >= '0' && c[1] <= '9') {
        c++;
      }
    }
  }
  memcpy(generic + n, "[].", 4);
  for (size_t i = 0; i < view->table.count; i++) {
    const pf_option *option =
        pf_table_at(view->table.items, view->table.stride, view->table.count, i);
    if (strncmp(option->name, generic, n + 3) == 0) {
      return true;
    }
  }
  return false;
}

/** Is it a group that the table speaks of: "readout" of "readout.gain"? */
static bool is_group(const pf_view *view, const char *path)
{
  size_t length = strlen(path);
  for (size_t i = 0; i < view->table.count; i++) {
    const pf_option *option =
        pf_table_at(view->table.items, view->table.stride, view->table.count, i);
    if (strncmp(option->name, path, length) == 0 && option->name[length] == '.') {
      return true;
    }
  }
  return false;
}

static const value *find(const pf_view *view, const char *path)
{
  for (size_t i = 0; i < view->count; i++) {
    if (strcmp(view->values[i].path, path) == 0) {
      return &view->values[i];
    }
  }
  return NULL;
}

/** The value asked for, if its type is `a` or `b`; else the request is noted, and NULL. */
static const value *ask(const pf_options *options, const char *path, uint32_t a, uint32_t b)
{
  const pf_view *view = view_of(options);
  const value *v = find(view, path);
  if (v == NULL) {
    pf_fail(view->misuse, PF_STOP,
            "%s asked for the option '%s', which it does not declare: a mistake in its code",
            view->what, path);
    return NULL;
  }
  if (v->option->type != a && v->option->type != b) {
    pf_fail(view->misuse, PF_STOP,
            "%s asked for its option '%s' by another type than it declares: a mistake in its code",
            view->what, path);
    return NULL;
  }
  return v;
}

static int get_present(const pf_options *options, const char *path)
{
  const pf_view *view = view_of(options);
  const value *v = find(view, path);
  if (v != NULL) {
    return v->node != NULL;
  }
  if (is_list_of_groups(view, path) || is_group(view, path)) {
    return view->group != NULL && pf_node_get(view->group, path) != NULL;
  }
  pf_fail(view->misuse, PF_STOP,
          "%s asked for the option '%s', which it does not declare: a mistake in its code",
          view->what, path);
  return 0;
}

static int64_t get_length(const pf_options *options, const char *path)
{
  const pf_view *view = view_of(options);
  const value *v = find(view, path);
  if (v == NULL && is_list_of_groups(view, path)) {
    return view->group == NULL ? 0 : pf_node_count(pf_node_get(view->group, path));
  }
  if (v == NULL || v->option->type < PF_TYPE_INTEGERS) {
    v = ask(options, path, PF_TYPE_INTEGERS, PF_TYPE_REALS); /* notes the wrong name or type */
  }
  return v == NULL ? 0 : pf_node_count(v->node);
}

static int64_t whole(const pf_node *node)
{
  return node->type == PF_NODE_REAL ? (int64_t)node->real : node->integer;
}

static int get_boolean(const pf_options *options, const char *path)
{
  const value *v = ask(options, path, PF_TYPE_BOOL, PF_TYPE_BOOL);
  return v != NULL && v->node != NULL && v->node->integer != 0;
}

static int64_t get_integer(const pf_options *options, const char *path)
{
  const value *v = ask(options, path, PF_TYPE_INTEGER, PF_TYPE_INTEGER);
  return v == NULL || v->node == NULL ? 0 : whole(v->node);
}

static double get_real(const pf_options *options, const char *path)
{
  const value *v = ask(options, path, PF_TYPE_REAL, PF_TYPE_REAL);
  double number = 0;
  return v != NULL && pf_node_number(v->node, &number) ? number : 0;
}

static const char *get_string(const pf_options *options, const char *path)
{
  const value *v = ask(options, path, PF_TYPE_STRING, PF_TYPE_PATH);
  if (v == NULL || v->node == NULL) {
    return "";
  }
  return v->resolved != NULL ? v->resolved : pf_option_text(v->node);
}

/** Element i of a list option, or NULL with the request noted. */
static const pf_node *ask_element(const pf_options *options, const char *path, int64_t i,
                                  uint32_t type)
{
  const value *v = ask(options, path, type, type);
  if (v == NULL) {
    return NULL;
  }
  const pf_node *element = pf_node_at(v->node, i);
  if (element == NULL) {
    const pf_view *view = view_of(options);
    pf_fail(view->misuse, PF_STOP,
            "%s asked for element %lld of its option '%s', which has %lld: a mistake in its code",
            view->what, (long long)i, path, (long long)pf_node_count(v->node));
  }
  return element;
}

static int64_t get_integer_at(const pf_options *options, const char *path, int64_t i)
{
  const pf_node *element = ask_element(options, path, i, PF_TYPE_INTEGERS);
  return element == NULL ? 0 : whole(element);
}

static double get_real_at(const pf_options *options, const char *path, int64_t i)
{
  double number = 0;
  return pf_node_number(ask_element(options, path, i, PF_TYPE_REALS), &number) ? number : 0;
}

static const char *get_string_at(const pf_options *options, const char *path, int64_t i)
{
  const value *asked = find(view_of(options), path);
  const bool names = asked != NULL && asked->option->type == PF_TYPE_NAMES;
  const pf_node *element = ask_element(options, path, i, names ? PF_TYPE_NAMES : PF_TYPE_STRINGS);
  return element == NULL ? "" : (names ? pf_node_name(element) : pf_option_text(element));
}

/* ---- the object ---- */

pf_status pf_view_create_plugin(const pf_config *config, const pf_node *node, const char *what,
                                const char *plugin, pf_option_table table, pf_names others,
                                pf_view **out, pf_error *error)
{
  pf_view *view = pf_memory_need(1, sizeof *view, error);
  if (view == NULL) {
    return PF_STOP;
  }
  view->config = config;
  view->group = node;
  view->table = table;
  view->what = pf_memory_string(what, error);
  view->defaults = pf_node_new(NULL, PF_NODE_GROUP, error);
  view->misuse = pf_memory_need(1, sizeof *view->misuse, error);
  view->options = (pf_options){.size = sizeof view->options,
                               .impl = view,
                               .present = get_present,
                               .length = get_length,
                               .boolean = get_boolean,
                               .integer = get_integer,
                               .real = get_real,
                               .string = get_string,
                               .integer_at = get_integer_at,
                               .real_at = get_real_at,
                               .string_at = get_string_at};
  pf_status status = PF_STOP;
  if (view->what != NULL && view->defaults != NULL && view->misuse != NULL) {
    *view->misuse = pf_error_none();
    status = fill(view, plugin, others, error);
  }
  if (status != PF_OK) {
    pf_view_free(view);
    return status;
  }
  *out = view;
  return PF_OK;
}

pf_status pf_view_create(const pf_config *config, const pf_node *node, const char *what,
                         pf_option_table table, pf_names others, pf_view **out, pf_error *error)
{
  return pf_view_create_plugin(config, node, what, NULL, table, others, out, error);
}

void pf_view_free(pf_view *view)
{
  if (view == NULL) {
    return;
  }
  for (size_t i = 0; i < view->count; i++) {
    pf_memory_free(view->values[i].path);
    pf_memory_free(view->values[i].resolved);
  }
  free(view->values);
  pf_node_free(view->defaults);
  pf_memory_free(view->misuse);
  pf_memory_free(view->what);
  pf_memory_free(view);
}

const pf_options *pf_view_options(const pf_view *view)
{
  return &view->options;
}

pf_status pf_view_verify(const pf_view *view, pf_error *error)
{
  return view->misuse->text[0] == '\0' ? PF_OK : pf_fail(error, PF_STOP, "%s", view->misuse->text);
}

const pf_node *pf_view_node(const pf_view *view, const char *path)
{
  return view->group == NULL || path == NULL ? NULL : pf_node_get(view->group, path);
}
