/* The one file that includes libconfig.h: text in, a tree of nodes out. */
#include "core/base/memory.h"
#include "core/config/node.h"

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

/** Where an included file lies: libconfig gives its name as written in the @include. */
static const char *file_of(pf_config *config, const config_setting_t *setting, const char *file,
                           const char *include_folder, pf_error *error)
{
  const char *included = config_setting_source_file(setting);
  if (included == NULL) {
    return file;
  }
  size_t capacity = strlen(include_folder) + strlen(included) + 1;
  char *path = pf_memory_need(capacity, 1, error);
  if (path == NULL) {
    return NULL;
  }
  (void)snprintf(path, capacity, "%s%s", include_folder, included);
  const char *kept = pf_config_keep(config, path, error);
  pf_memory_free(path);
  return kept;
}

static pf_status convert(pf_config *config, const config_setting_t *setting, const char *file,
                         const char *include_folder, pf_node **out, pf_error *error)
{
  enum pf_node_type type = PF_NODE_GROUP;
  pf_status status = type_of(setting, &type, error);
  if (status != PF_OK) {
    return status;
  }
  pf_node *node = pf_node_new(config_setting_name(setting), type, error);
  if (node == NULL) {
    return PF_STOP;
  }
  node->line = config_setting_source_line(setting);
  node->file = file == NULL ? NULL : file_of(config, setting, file, include_folder, error);
  if (file != NULL && node->file == NULL) {
    pf_node_free(node);
    return PF_STOP;
  }
  if (type == PF_NODE_BOOL) {
    node->integer = config_setting_get_bool(setting);
  } else if (type == PF_NODE_INTEGER) {
    node->integer = config_setting_get_int64(setting);
  } else if (type == PF_NODE_REAL) {
    node->real = config_setting_get_float(setting);
  } else if (type == PF_NODE_STRING) {
    const char *string = config_setting_get_string(setting);
    node->string = pf_memory_string(string == NULL ? "" : string, error);
    status = node->string == NULL ? PF_STOP : PF_OK;
  } else {
    int count = config_setting_length(setting);
    for (int i = 0; status == PF_OK && i < count; i++) {
      pf_node *child = NULL;
      status = convert(config, config_setting_get_elem(setting, (unsigned)i), file, include_folder,
                       &child, error);
      if (status == PF_OK) {
        status = pf_node_append(node, &node->children, child, error);
        if (status != PF_OK) {
          pf_node_free(child);
        }
      }
    }
  }
  if (status != PF_OK) {
    pf_node_free(node);
    return status;
  }
  *out = node;
  return PF_OK;
}

pf_status pf_libconfig_parse(pf_config *config, const char *text, const char *file,
                             const char *include_folder, pf_node **out, pf_parse_error *why,
                             pf_error *error)
{
  config_t parsed;
  config_init(&parsed);
  if (include_folder != NULL) {
    /* libconfig joins with a '/' of its own */
    config_set_include_dir(&parsed, include_folder[0] == '\0' ? "." : include_folder);
  }
  pf_status status = PF_POINT_FAILED;
  if (config_read_string(&parsed, text) == CONFIG_TRUE) {
    status = convert(config, config_root_setting(&parsed), file,
                     include_folder == NULL ? "" : include_folder, out, error);
  } else {
    const char *in = config_error_file(&parsed);
    const char *what = config_error_text(&parsed);
    (void)snprintf(why->file, sizeof why->file, "%s%s",
                   in == NULL || include_folder == NULL ? "" : include_folder,
                   in == NULL ? "" : in);
    (void)snprintf(why->text, sizeof why->text, "%s", what == NULL ? "cannot be parsed" : what);
    why->line = config_error_line(&parsed);
  }
  config_destroy(&parsed);
  return status;
}

/** A whole number that needs 64 bits: libconfig wants an L behind it, and wraps it around without
 * one. */
static bool is_long(const char *text)
{
  char *end = NULL;
  long long value = strtoll(text, &end, 10);
  return end != text && *end == '\0' && (value > INT_MAX || value < INT_MIN);
}

pf_status pf_value_parse(pf_config *config, const char *text, pf_node **out, pf_parse_error *why,
                         pf_error *error)
{
  size_t capacity = strlen(text) + 16;
  char *assignment = pf_memory_need(capacity, 1, error);
  if (assignment == NULL) {
    return PF_STOP;
  }
  (void)snprintf(assignment, capacity, "x = %s%s;", text, is_long(text) ? "L" : "");
  pf_node *group = NULL;
  pf_error number = pf_error_none(); /* a number too large matters only in what parses; in a bare
                                        word it is no number */
  pf_status scanned = pf_config_prescan(assignment, NULL, NULL, 0, &number);
  pf_status status = scanned == PF_STOP
                         ? pf_fail(error, PF_STOP, "%s", number.text)
                         : pf_libconfig_parse(config, assignment, NULL, NULL, &group, why, error);
  pf_memory_free(assignment);
  if (status == PF_OK && scanned != PF_OK) {
    pf_node_free(group);
    status = pf_fail(error, PF_STOP, "%s", number.text);
  }
  if (status != PF_OK) {
    return status;
  }
  if (group->children.count != 1) {
    *why = (pf_parse_error){.text = "more than one value"};
    pf_node_free(group);
    return PF_POINT_FAILED;
  }
  *out = group->children.items[0];
  group->children.count = 0;
  pf_node_free(group);
  (*out)->parent = NULL;
  (*out)->line = 0;
  pf_memory_free((*out)->name);
  (*out)->name = NULL;
  return PF_OK;
}
