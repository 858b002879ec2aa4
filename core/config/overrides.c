/* "a.b=value" from the command line. */
#include "core/base/memory.h"
#include "core/config/libconfig.h"

#include <string.h>

static bool is_space(char c)
{
  return c == ' ' || c == '\t';
}

/** A copy of text[0..length) without spaces around. */
static char *trim_copy(const char *text, size_t length, pf_error *error)
{
  while (length > 0 && is_space(text[0])) {
    text++;
    length--;
  }
  while (length > 0 && is_space(text[length - 1])) {
    length--;
  }
  char *copy = pf_memory_need(length + 1, 1, error);
  if (copy != NULL) {
    memcpy(copy, text, length);
  }
  return copy;
}

static bool is_path(const char *path)
{
  if (*path == '.') {
    return false;
  }
  pf_path_step step = {0};
  do {
    path = pf_path_next(path, &step);
  } while (path != NULL && *path != '\0');
  return path != NULL;
}

/** The value: what libconfig makes of it, else a bare word. */
static pf_status parse_value(const char *override, const char *value, pf_node **out,
                             pf_error *error)
{
  pf_parse_error why = {0};
  pf_error fault = pf_error_none();
  pf_status status = pf_value_parse(value, out, &why, &fault);
  if (status == PF_STOP) {
    return pf_fail(error, PF_STOP, "command line: %s: %s", override, fault.text);
  }
  /* 5#c and 5//c are a number and a comment for libconfig; nobody who types them means that */
  if (status == PF_OK && (*out)->type >= PF_NODE_BOOL && (*out)->type != PF_NODE_STRING &&
      strpbrk(value, "#/") != NULL) {
    pf_node_free(*out);
    status = PF_POINT_FAILED;
  }
  if (status == PF_OK) {
    return PF_OK;
  }
  if (strpbrk(value, "{}()[]\";=,") != NULL) {
    return pf_fail(error, PF_STOP,
                   "command line: %s: the value is not in the config's syntax (%s); a text with "
                   "such characters needs quotes of its own: '%.*s=\"...\"'",
                   override, why.text, (int)strcspn(override, "="), override);
  }
  *out = pf_node_new(NULL, PF_NODE_STRING, error);
  if (*out == NULL) {
    return PF_STOP;
  }
  (*out)->string = pf_memory_string(value, error);
  if ((*out)->string == NULL) {
    pf_node_free(*out);
    return PF_STOP;
  }
  return PF_OK;
}

static pf_status refuse_step(const pf_config *config, const pf_node *node, pf_path_step step,
                             const char *override, pf_error *error)
{
  char where[PF_ERROR_LENGTH / 2], path[256], shown[64];
  pf_node_where(config, node, where, sizeof where);
  pf_node_path(node, path, sizeof path);
  pf_node_show(node, shown, sizeof shown);
  return pf_fail(error, PF_STOP, "command line: %s: '%s' is %s (%s), so it has no '%.*s'", override,
                 path[0] == '\0' ? "the config" : path, shown, where, (int)step.length, step.name);
}

/** A new child of `node` for a step of the path; `next` is what follows it. */
static pf_node *add_child(pf_node *node, pf_path_step step, const char *next, const char *override,
                          pf_error *error)
{
  const bool by_index = step.index >= 0;
  if (by_index && (size_t)step.index != node->children.n) {
    char path[256];
    pf_node_path(node, path, sizeof path);
    pf_fail(error, PF_STOP, "command line: %s: '%s' has %zu element(s), counted from 0", override,
            path, node->children.n);
    return NULL;
  }
  char *name = by_index ? NULL : trim_copy(step.name, step.length, error);
  if (!by_index && name == NULL) {
    return NULL;
  }
  const bool list_next = next[0] == '[' || (next[0] == '.' && next[1] == '[');
  pf_node *made = pf_node_new(name, list_next ? PF_NODE_LIST : PF_NODE_GROUP, error);
  pf_memory_free(name);
  if (pf_node_append(node, &node->children, made, error) != PF_OK) {
    return NULL;
  }
  made->override = override;
  return made;
}

/** Put `value`, which becomes the config's, where `target` stands. */
static pf_status replace_node(pf_node *target, pf_node *value, pf_error *error)
{
  value->name = pf_memory_string(target->name, error);
  if (target->name != NULL && value->name == NULL) {
    pf_node_free(value);
    return PF_STOP;
  }
  if (target->replaced != NULL || target->file != NULL) {
    pf_node_inherit_replaced(value, target);
  }
  pf_node_replace(target, value);
  return PF_OK;
}

static pf_status refuse_scalar(const pf_config *config, const pf_node *group, const char *override,
                               pf_error *error)
{
  char where[PF_ERROR_LENGTH / 2], path[256];
  pf_node_where(config, group, where, sizeof where);
  pf_node_path(group, path, sizeof path);
  const bool has_plugin = pf_node_find(&group->children, "plugin", strlen("plugin")) != NULL;
  return pf_fail(error, PF_STOP,
                 "command line: %s: '%s' is a group (%s); name one of its keys%s%s%s", override,
                 path, where, has_plugin ? ", such as " : "", has_plugin ? path : "",
                 has_plugin ? ".plugin" : "");
}

static pf_status assign_value(pf_config *config, const char *override, const char *path,
                              const char *raw, pf_error *error)
{
  pf_node *node = config->root;
  bool made = false;
  while (*path != '\0') {
    pf_path_step step;
    path = pf_path_next(path, &step); /* is_path has seen that it is one */
    const bool fits = step.index >= 0 ? pf_node_is_list(node) != 0 : node->type == PF_NODE_GROUP;
    if (!fits) {
      return refuse_step(config, node, step, override, error);
    }
    pf_node *child = pf_node_step(node, step);
    made = child == NULL;
    if (made) {
      child = add_child(node, step, path, override, error);
    }
    if (child == NULL) {
      return PF_STOP;
    }
    node = child;
  }
  pf_node *value = NULL;
  if (parse_value(override, raw, &value, error) != PF_OK) {
    return PF_STOP;
  }
  pf_node_from_override(value, override, raw);
  if (!made && node->type == PF_NODE_GROUP && value->type >= PF_NODE_BOOL) {
    pf_node_free(value);
    return refuse_scalar(config, node, override, error);
  }
  return replace_node(node, value, error);
}

pf_status pf_config_override(pf_config *config, const char *override, pf_error *error)
{
  return pf_config_override_for(config, override, override, error);
}

pf_status pf_config_override_for(pf_config *config, const char *override, const char *argument,
                                 pf_error *error)
{
  const char *equals = strchr(override, '=');
  if (equals == NULL) {
    return pf_fail(error, PF_STOP, "command line: %s: expected key=value, such as fit.epochs=10",
                   override);
  }
  for (const char *c = override; *c != '\0'; c++) {
    if ((unsigned char)*c < 32 && *c != '\t') {
      return pf_fail(error, PF_STOP, "command line: %.*s...: one line of text was expected",
                     (int)(c - override), override);
    }
  }
  const char *kept = pf_config_keep(config, argument, error);
  char *path = trim_copy(override, (size_t)(equals - override), error);
  char *raw = trim_copy(equals + 1, strlen(equals + 1), error);
  const char *kept_raw = raw == NULL ? NULL : pf_config_keep(config, raw, error);
  pf_status status = PF_STOP;
  if (kept == NULL || path == NULL || kept_raw == NULL) {
    goto done;
  }
  if (!is_path(path)) {
    status = pf_fail(
        error, PF_STOP,
        "command line: %s: '%s' is no name of a setting; expected names joined by dots, such as "
        "fit.epochs or losses.[0].weight",
        override, path);
  } else if (raw[0] == '\0') {
    status = pf_fail(error, PF_STOP,
                     "command line: %s: the value is missing (an empty text is '%s=\"\"')",
                     override, path);
  } else {
    status = assign_value(config, kept, path, kept_raw, error);
  }
done:
  pf_memory_free(path);
  pf_memory_free(raw);
  return status;
}

pf_status pf_config_override_all(pf_config *config, const char *const *overrides, size_t n,
                                 pf_error *error)
{
  for (size_t i = 0; i < n; i++) {
    if (pf_config_override(config, overrides[i], error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}
