/* The one file that includes libconfig.h: text in, a tree of nodes out. */
#include "core/config/libconfig.h"

#include "core/base/memory.h"
#include "core/config/prescan.h"

#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static pf_status type_of(const config_setting_t *setting, enum pf_node_type *type, pf_error *error)
{
  switch (config_setting_type(setting)) {
  case CONFIG_TYPE_GROUP:
    *type = PF_NODE_GROUP;
    return PF_OK;
  case CONFIG_TYPE_LIST:
    *type = PF_NODE_LIST;
    return PF_OK;
  case CONFIG_TYPE_ARRAY:
    *type = PF_NODE_ARRAY;
    return PF_OK;
  case CONFIG_TYPE_BOOL:
    *type = PF_NODE_BOOL;
    return PF_OK;
  case CONFIG_TYPE_INT:
  case CONFIG_TYPE_INT64:
    *type = PF_NODE_INTEGER;
    return PF_OK;
  case CONFIG_TYPE_FLOAT:
    *type = PF_NODE_REAL;
    return PF_OK;
  case CONFIG_TYPE_STRING:
    *type = PF_NODE_STRING;
    return PF_OK;
  default:
    return pf_fail(error, PF_STOP,
                   "libconfig gave a setting of type %d, which plastfit does not know",
                   (int)config_setting_type(setting));
  }
}

/** Where the nodes of a parsed text come from. */
typedef struct origin {
  pf_config *config;
  const char *file; /**< of the text; NULL: a value, which has no place */
} origin;

/** The file of a setting: libconfig gives that of an included one as written in the @include. */
static const char *file_of(const origin *from, const config_setting_t *setting, pf_error *error)
{
  const char *included = config_setting_source_file(setting);
  if (included == NULL) {
    return from->file;
  }
  const size_t capacity = strlen(from->config->folder) + strlen(included) + 1;
  char *path = pf_memory_need(capacity, 1, error);
  if (path == NULL) {
    return NULL;
  }
  (void)snprintf(path, capacity, "%s%s", from->config->folder, included);
  const char *kept = pf_config_keep(from->config, path, error);
  pf_memory_free(path);
  return kept;
}

static pf_node *convert_setting(const origin *from, const config_setting_t *setting,
                                pf_error *error);

/** A number as text, for an option that takes either: penalty.l1 = 1e-3 or "auto". */
static pf_status keep_number(const origin *from, pf_node *node, pf_error *error)
{
  char text[40];
  if (node->type == PF_NODE_INTEGER) {
    (void)snprintf(text, sizeof text, "%lld", (long long)node->integer);
  } else {
    (void)snprintf(text, sizeof text, "%.15g", node->real);
    if (strtod(text, NULL) != node->real) {
      (void)snprintf(text, sizeof text, "%.17g", node->real);
    }
  }
  if (from->config == NULL) {
    return PF_OK;
  }
  node->raw = pf_config_keep(from->config, text, error);
  return node->raw == NULL ? PF_STOP : PF_OK;
}

static pf_status convert_value(const origin *from, const config_setting_t *setting, pf_node *node,
                               pf_error *error)
{
  const char *string;
  switch (node->type) {
  case PF_NODE_BOOL:
    node->integer = config_setting_get_bool(setting);
    return PF_OK;
  case PF_NODE_INTEGER:
    node->integer = config_setting_get_int64(setting);
    return keep_number(from, node, error);
  case PF_NODE_REAL:
    node->real = config_setting_get_float(setting);
    return keep_number(from, node, error);
  case PF_NODE_STRING:
    string = config_setting_get_string(setting);
    node->string = pf_memory_string(string == NULL ? "" : string, error);
    return node->string == NULL ? PF_STOP : PF_OK;
  case PF_NODE_GROUP:
  case PF_NODE_LIST:
  case PF_NODE_ARRAY:
    break;
  }
  const int count = config_setting_length(setting);
  for (int i = 0; i < count; i++) {
    const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
    if (pf_node_append(node, &node->children, convert_setting(from, element, error), error) !=
        PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** The node of a setting and all below it, or NULL with the error line. */
static pf_node *convert_setting(const origin *from, const config_setting_t *setting,
                                pf_error *error)
{
  enum pf_node_type type = PF_NODE_GROUP;
  if (type_of(setting, &type, error) != PF_OK) {
    return NULL;
  }
  pf_node *node = pf_node_new(config_setting_name(setting), type, error);
  if (node == NULL) {
    return NULL;
  }
  node->line = config_setting_source_line(setting);
  node->file = from->file == NULL ? NULL : file_of(from, setting, error);
  if ((from->file != NULL && node->file == NULL) ||
      convert_value(from, setting, node, error) != PF_OK) {
    pf_node_free(node);
    return NULL;
  }
  return node;
}

static pf_status parse_text(const origin *from, const char *text, pf_node **out,
                            pf_parse_error *why, pf_error *error)
{
  const char *folder = from->file == NULL ? NULL : from->config->folder;
  config_t parsed;
  config_init(&parsed);
  if (folder != NULL) {
    /* libconfig joins with a '/' of its own */
    config_set_include_dir(&parsed, folder[0] == '\0' ? "." : folder);
  }
  pf_status status = PF_POINT_FAILED;
  if (config_read_string(&parsed, text) == CONFIG_TRUE) {
    *out = convert_setting(from, config_root_setting(&parsed), error);
    status = *out == NULL ? PF_STOP : PF_OK;
  } else {
    const char *in = config_error_file(&parsed);
    const char *what = config_error_text(&parsed);
    (void)snprintf(why->file, sizeof why->file, "%s%s", in == NULL || folder == NULL ? "" : folder,
                   in == NULL ? "" : in);
    (void)snprintf(why->text, sizeof why->text, "%s", what == NULL ? "cannot be parsed" : what);
    why->line = config_error_line(&parsed);
  }
  config_destroy(&parsed);
  return status;
}

pf_status pf_libconfig_parse(pf_config *config, const char *text, pf_node **out,
                             pf_parse_error *why, pf_error *error)
{
  const origin from = {config, pf_config_keep(config, config->file, error)};
  return from.file == NULL ? PF_STOP : parse_text(&from, text, out, why, error);
}

/** A whole number that needs 64 bits: libconfig wants an L behind it, and wraps it around without
 * one. */
static bool is_long(const char *text)
{
  char *end = NULL;
  long long value = strtoll(text, &end, 10);
  return end != text && *end == '\0' && (value > INT_MAX || value < INT_MIN);
}

/** `x = TEXT;` as a group of one setting. */
static pf_status parse_assignment(const char *assignment, pf_node **group, pf_parse_error *why,
                                  pf_error *error)
{
  const pf_prescan_text text = {.text = assignment};
  const origin nowhere = {NULL, NULL};
  pf_error number = pf_error_none();
  const pf_status scanned = pf_config_prescan(&text, &number);
  if (scanned == PF_STOP) {
    return pf_fail(error, PF_STOP, "%s", number.text);
  }
  const pf_status status = parse_text(&nowhere, assignment, group, why, error);
  /* a number too large matters only in what parses; in a bare word it is no number */
  if (status == PF_OK && scanned != PF_OK) {
    pf_node_free(*group);
    return pf_fail(error, PF_STOP, "%s", number.text);
  }
  return status;
}

pf_status pf_value_parse(const char *text, pf_node **out, pf_parse_error *why, pf_error *error)
{
  const size_t capacity = strlen(text) + 16;
  char *assignment = pf_memory_need(capacity, 1, error);
  if (assignment == NULL) {
    return PF_STOP;
  }
  (void)snprintf(assignment, capacity, "x = %s%s;", text, is_long(text) ? "L" : "");
  pf_node *group = NULL;
  const pf_status status = parse_assignment(assignment, &group, why, error);
  pf_memory_free(assignment);
  if (status != PF_OK) {
    return status;
  }
  if (group->children.n != 1) {
    *why = (pf_parse_error){.text = "more than one value"};
    pf_node_free(group);
    return PF_POINT_FAILED;
  }
  pf_node *value = pf_nodes_at(&group->children, 0);
  group->children.n = 0;
  pf_node_free(group);
  value->parent = NULL;
  value->line = 0;
  pf_memory_free(value->name);
  value->name = NULL;
  *out = value;
  return PF_OK;
}
