#define _POSIX_C_SOURCE 200809L

/* A group, checked against a table of options, as values to read. */
#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/libconfig.h"
#include "core/config/options.h"
#include "core/config/unknown.h"

#include <string.h>
#include <unistd.h>

typedef struct value {
  char *path; /**< "blocks[2].trials" */
  const pf_option *option;
  const pf_node *node; /**< given, or the default; NULL: absent */
  char *resolved;      /**< of a path: relative to the current folder */
} value;

struct pf_view {
  pf_options options;
  pf_group group; /**< `what` is a copy */
  char *what;
  pf_array values;   /**< of value */
  pf_node *defaults; /**< a group that owns the nodes of the defaults */
  pf_error *misuse;  /**< first wrong request; getters see a const view */
};

static const pf_option *option_at(const pf_view *view, size_t i)
{
  const pf_option_table *table = &view->group.table;
  return pf_table_at(table->items, table->stride, table->count, i);
}

/* ---- building ---- */

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
static pf_status resolve_path(const pf_view *view, value *v, pf_error *error)
{
  const char *text = pf_option_text(v->node);
  const pf_config *config = view->group.config;
  const bool fixed =
      text[0] == '\0' || text[0] == '/' || text[0] == '~' || v->node->override != NULL;
  char here[4096] = "";
  pf_text path = {0};
  pf_text_add(&path, "%s%s", fixed || config == NULL ? "" : config->folder, text);
  v->resolved = pf_memory_string(path.failed ? NULL : path.text, error);
  pf_text_free(&path);
  if (v->resolved == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for the path %s", text);
  }
  const bool keep = text[0] == '\0' || text[0] == '~' || v->resolved[0] == '/' ||
                    getcwd(here, sizeof here) == NULL;
  pf_text_add(&path, "%s%s%s", keep ? "" : here, keep ? "" : "/", v->resolved);
  pf_node *node = (pf_node *)v->node; /* the config's or ours, never a const object */
  pf_memory_free(node->absolute);
  node->absolute = pf_memory_string(path.failed ? NULL : path.text, error);
  pf_text_free(&path);
  if (node->absolute == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for the path %s", text);
  }
  return PF_OK;
}

/** The default of an option as a node of this name, or NULL with the error line. */
static pf_node *parse_default(const pf_view *view, const pf_option *option, const char *name,
                              pf_error *error)
{
  pf_parse_error why = {0};
  pf_error fault = pf_error_none();
  pf_node *node = NULL;
  const pf_status status = pf_value_parse(option->fallback, &node, &why, &fault);
  if (status == PF_OK) {
    node->name = pf_memory_string(name, error);
    if (node->name != NULL && pf_option_check(option, node, &fault) == PF_OK) {
      return node;
    }
    pf_node_free(node);
  }
  pf_fail(error, PF_STOP,
          "%s: the default of its option '%s' is wrong (%s): a mistake in the table of options",
          view->what, option->name, status == PF_POINT_FAILED ? why.text : fault.text);
  return NULL;
}

/** The group of a name "readout.gain" in the config, made among the defaults if it is missing;
 * *name moves on to "gain". NULL with the error line. */
static pf_node *group_of_default(pf_node *group, const char **name, pf_error *error)
{
  for (const char *dot; (dot = strchr(*name, '.')) != NULL; *name = dot + 1) {
    const size_t length = (size_t)(dot - *name);
    pf_node *next = pf_node_find(&group->children, *name, length);
    if (next == NULL) {
      next = pf_node_find(&group->defaults, *name, length);
    }
    if (next == NULL) {
      char part[128];
      (void)snprintf(part, sizeof part, "%.*s", (int)length, *name);
      next = pf_node_new(part, PF_NODE_GROUP, error);
      if (pf_node_append(group, &group->defaults, next, error) != PF_OK) {
        return NULL;
      }
    }
    group = next;
  }
  return group;
}

/** Puts a default into the config, for the resolved one: below `group` where the option's name
 * says. */
static pf_status record_default(const pf_view *view, pf_node *group, const pf_option *option,
                                const char *name, const pf_node *given, pf_error *error)
{
  group = group_of_default(group, &name, error);
  if (group == NULL) {
    return PF_STOP;
  }
  if (pf_node_find(&group->defaults, name, strlen(name)) != NULL) {
    return PF_OK; /* an earlier view of the same group */
  }
  pf_node *copy = parse_default(view, option, name, error);
  if (copy != NULL && given->absolute != NULL) {
    copy->absolute = pf_memory_string(given->absolute, error);
  }
  return pf_node_append(group, &group->defaults, copy, error);
}

/** The value as given. */
static pf_status take_given(const pf_view *view, value *v, pf_error *error)
{
  const uint32_t type = v->option->type;
  const pf_status status = pf_option_check(v->option, v->node, error);
  if (status != PF_OK) {
    pf_error_locate(error, view->group.config, v->node);
    return status;
  }
  if ((type == PF_TYPE_STRING || type == PF_TYPE_PATH) &&
      make_text((pf_node *)v->node, error) != PF_OK) { /* nodes are never const objects */
    return PF_STOP;
  }
  return type == PF_TYPE_PATH ? resolve_path(view, v, error) : PF_OK;
}

/** The value of an option that is not given: its default, if it has one. `name`: as seen from its
 * group, which MAY be NULL. */
static pf_status take_default(const pf_view *view, value *v, const pf_node *group, const char *name,
                              pf_error *error)
{
  const pf_option *option = v->option;
  if (option->required) {
    const bool helpful = option->help != NULL && option->help[0] != '\0';
    pf_fail(error, PF_STOP, "%s needs '%s'%s%s, which is missing here", view->what, v->path,
            helpful ? ": " : "", helpful ? option->help : "");
    pf_error_locate(error, view->group.config, group);
    return PF_STOP;
  }
  if (option->fallback == NULL) {
    return PF_OK;
  }
  pf_node *node = parse_default(view, option, option->name, error);
  if (pf_node_append(view->defaults, &view->defaults->children, node, error) != PF_OK) {
    return PF_STOP;
  }
  v->node = node;
  if (option->type == PF_TYPE_PATH && resolve_path(view, v, error) != PF_OK) {
    return PF_STOP;
  }
  return group == NULL ? PF_OK : record_default(view, (pf_node *)group, option, name, node, error);
}

/** One option in one group (an element, for options of lists of groups); `name` is what remains of
 * its name. */
static pf_status add_value(pf_view *view, const pf_node *group, const pf_option *option,
                           const char *name, const char *path, pf_error *error)
{
  value *v = pf_array_append(&view->values, error);
  if (v == NULL) {
    return PF_STOP;
  }
  v->option = option;
  v->path = pf_memory_string(path, error);
  if (v->path == NULL) {
    return PF_STOP;
  }
  v->node = group == NULL ? NULL : pf_node_get(group, name);
  return v->node != NULL ? take_given(view, v, error) : take_default(view, v, group, name, error);
}

/** Expands the first [] of `name`, if there is one, over the elements of the list. */
static pf_status add_values(pf_view *view, const pf_node *group, const pf_option *option,
                            const char *name, const char *prefix, pf_error *error)
{
  char path[512], list_name[256];
  const char *brackets = strstr(name, "[].");
  if (brackets == NULL) {
    (void)snprintf(path, sizeof path, "%s%s", prefix, name);
    return add_value(view, group, option, name, path, error);
  }
  (void)snprintf(list_name, sizeof list_name, "%.*s", (int)(brackets - name), name);
  const pf_node *list = group == NULL ? NULL : pf_node_get(group, list_name);
  for (int64_t i = 0; i < pf_node_count(list); i++) {
    (void)snprintf(path, sizeof path, "%s%s[%lld].", prefix, list_name, (long long)i);
    if (add_values(view, pf_node_at(list, i), option, brackets + strlen("[]."), path, error) !=
        PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status check_table(const pf_view *view, pf_error *error)
{
  for (size_t i = 0; i < view->group.table.count; i++) {
    const pf_option *option = option_at(view, i);
    const bool sound = option->name != NULL && option->name[0] != '\0' &&
                       option->type >= PF_TYPE_BOOL && option->type <= PF_TYPE_NAMES;
    if (!sound) {
      return pf_fail(
          error, PF_STOP,
          "%s: option %zu ('%s') of its table has no name or no type: a mistake in the table",
          view->what, i, option->name == NULL ? "" : option->name);
    }
  }
  return PF_OK;
}

static pf_status check_group(const pf_group *group, pf_error *error)
{
  if (group->node == NULL) {
    return PF_OK;
  }
  if (group->node->type != PF_NODE_GROUP) {
    char path[256], shown[96];
    pf_node_path(group->node, path, sizeof path);
    pf_node_show(group->node, shown, sizeof shown);
    pf_fail(error, PF_STOP, "%s: found %s, expected a group, { ... }", path, shown);
    pf_error_locate(error, group->config, group->node);
    return PF_STOP;
  }
  return pf_config_check_names(group, error);
}

static pf_status fill_view(pf_view *view, pf_error *error)
{
  if (check_table(view, error) != PF_OK || check_group(&view->group, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t i = 0; i < view->group.table.count; i++) {
    const pf_option *option = option_at(view, i);
    if (add_values(view, view->group.node, option, option->name, "", error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/* ---- reading ---- */

static pf_view *view_of(const pf_options *options)
{
  return (pf_view *)options->impl; /* made by pf_view_create below, from a view that is not const */
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
  for (size_t i = 0; i < view->group.table.count; i++) {
    const pf_option *option = option_at(view, i);
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
  for (size_t i = 0; i < view->group.table.count; i++) {
    const pf_option *option = option_at(view, i);
    if (strncmp(option->name, path, length) == 0 && option->name[length] == '.') {
      return true;
    }
  }
  return false;
}

static const value *find_value(const pf_view *view, const char *path)
{
  const value *values = view->values.items;
  for (size_t i = 0; i < view->values.n; i++) {
    if (strcmp(values[i].path, path) == 0) {
      return &values[i];
    }
  }
  return NULL;
}

static void report_undeclared(const pf_view *view, const char *path)
{
  pf_fail(view->misuse, PF_STOP,
          "%s asked for the option '%s', which it does not declare: a mistake in its code",
          view->what, path);
}

/** The value asked for, if its type is `a` or `b`; else the request is noted, and NULL. */
static const value *ask_value(const pf_options *options, const char *path, uint32_t a, uint32_t b)
{
  const pf_view *view = view_of(options);
  const value *v = find_value(view, path);
  if (v == NULL) {
    report_undeclared(view, path);
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
  const value *v = find_value(view, path);
  if (v != NULL) {
    return v->node != NULL;
  }
  if (is_list_of_groups(view, path) || is_group(view, path)) {
    return pf_node_get(view->group.node, path) != NULL;
  }
  report_undeclared(view, path);
  return 0;
}

static int64_t get_length(const pf_options *options, const char *path)
{
  const pf_view *view = view_of(options);
  const value *v = find_value(view, path);
  if (v == NULL && is_list_of_groups(view, path)) {
    return pf_node_count(pf_node_get(view->group.node, path));
  }
  if (v == NULL || v->option->type < PF_TYPE_INTEGERS) {
    v = ask_value(options, path, PF_TYPE_INTEGERS, PF_TYPE_REALS); /* notes wrong name or type */
  }
  return v == NULL ? 0 : pf_node_count(v->node);
}

static int64_t whole_number(const pf_node *node)
{
  return node->type == PF_NODE_REAL ? (int64_t)node->real : node->integer;
}

static int get_boolean(const pf_options *options, const char *path)
{
  const value *v = ask_value(options, path, PF_TYPE_BOOL, PF_TYPE_BOOL);
  return v != NULL && v->node != NULL && v->node->integer != 0;
}

static int64_t get_integer(const pf_options *options, const char *path)
{
  const value *v = ask_value(options, path, PF_TYPE_INTEGER, PF_TYPE_INTEGER);
  return v == NULL || v->node == NULL ? 0 : whole_number(v->node);
}

static double get_real(const pf_options *options, const char *path)
{
  const value *v = ask_value(options, path, PF_TYPE_REAL, PF_TYPE_REAL);
  double number = 0;
  return v != NULL && pf_node_number(v->node, &number) ? number : 0;
}

static const char *get_string(const pf_options *options, const char *path)
{
  const value *v = ask_value(options, path, PF_TYPE_STRING, PF_TYPE_PATH);
  if (v == NULL || v->node == NULL) {
    return "";
  }
  return v->resolved != NULL ? v->resolved : pf_option_text(v->node);
}

/** Element i of a list option, or NULL with the request noted. */
static const pf_node *ask_element(const pf_options *options, const char *path, int64_t i,
                                  uint32_t type)
{
  const value *v = ask_value(options, path, type, type);
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
  return element == NULL ? 0 : whole_number(element);
}

static double get_real_at(const pf_options *options, const char *path, int64_t i)
{
  double number = 0;
  return pf_node_number(ask_element(options, path, i, PF_TYPE_REALS), &number) ? number : 0;
}

static const char *get_string_at(const pf_options *options, const char *path, int64_t i)
{
  const value *asked = find_value(view_of(options), path);
  const bool names = asked != NULL && asked->option->type == PF_TYPE_NAMES;
  const pf_node *element = ask_element(options, path, i, names ? PF_TYPE_NAMES : PF_TYPE_STRINGS);
  return element == NULL ? "" : (names ? pf_node_name(element) : pf_option_text(element));
}

/* ---- the object ---- */

pf_status pf_view_create(const pf_group *group, pf_view **out, pf_error *error)
{
  pf_view *view = pf_memory_need(1, sizeof *view, error);
  if (view == NULL) {
    return PF_STOP;
  }
  view->values = pf_array_of(sizeof(value));
  view->what = pf_memory_string(group->what, error);
  view->defaults = pf_node_new(NULL, PF_NODE_GROUP, error);
  view->misuse = pf_memory_need(1, sizeof *view->misuse, error);
  view->group = *group;
  view->group.what = view->what;
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
  if (view->what == NULL || view->defaults == NULL || view->misuse == NULL) {
    pf_view_free(view);
    return PF_STOP;
  }
  *view->misuse = pf_error_none();
  if (fill_view(view, error) != PF_OK) {
    pf_view_free(view);
    return PF_STOP;
  }
  *out = view;
  return PF_OK;
}

void pf_view_free(pf_view *view)
{
  if (view == NULL) {
    return;
  }
  value *values = view->values.items;
  for (size_t i = 0; i < view->values.n; i++) {
    pf_memory_free(values[i].path);
    pf_memory_free(values[i].resolved);
  }
  pf_array_free(&view->values);
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
  return path == NULL ? NULL : pf_node_get(view->group.node, path);
}
