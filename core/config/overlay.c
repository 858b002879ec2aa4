/* Settings of one config laid over another: what a candidate of a comparison changes. */
#include "core/base/memory.h"
#include "core/config/node.h"

#include <string.h>

static bool keep_string(pf_config *config, const char *string, const char **out, pf_error *error)
{
  *out = string == NULL ? NULL : pf_config_keep(config, string, error);
  return string == NULL || *out != NULL;
}

static pf_node *copy_tree(pf_config *config, const pf_node *from, pf_error *error);

static bool copy_content(pf_config *config, const pf_node *from, pf_node *to, pf_error *error)
{
  to->integer = from->integer;
  to->real = from->real;
  to->line = from->line;
  to->laid = true;
  to->string = pf_memory_string(from->string, error);
  if ((from->string != NULL && to->string == NULL) ||
      !keep_string(config, from->file, &to->file, error) ||
      !keep_string(config, from->override, &to->override, error) ||
      !keep_string(config, from->raw, &to->raw, error)) {
    return false;
  }
  for (size_t i = 0; i < from->children.n; i++) {
    pf_node *child = copy_tree(config, pf_nodes_at(&from->children, i), error);
    if (pf_node_append(to, &to->children, child, error) != PF_OK) {
      return false;
    }
  }
  return true;
}

/** A copy of a node and all below it, with the places they stand at; `config` keeps the names of
 * files. */
static pf_node *copy_tree(pf_config *config, const pf_node *from, pf_error *error)
{
  pf_node *to = pf_node_new(from->name, from->type, error);
  if (to != NULL && !copy_content(config, from, to, error)) {
    pf_node_free(to);
    return NULL;
  }
  return to;
}

static pf_status refuse_scalar(const pf_config *config, const pf_node *to, const pf_node *from,
                               pf_error *error)
{
  char there[PF_ERROR_LENGTH / 3], here[PF_ERROR_LENGTH / 3], path[256], shown[64];
  pf_node_where(config, from, here, sizeof here);
  pf_node_where(config, to, there, sizeof there);
  pf_node_path(to, path, sizeof path);
  pf_node_show(from, shown, sizeof shown);
  return pf_fail(
      error, PF_STOP,
      "%s: found %s for '%s', which is a group (%s); name one of its keys, { key = value; }", here,
      shown, path, there);
}

static pf_status lay_group(pf_config *config, pf_node *group, const pf_node *over, pf_error *error);

static pf_status lay_setting(pf_config *config, pf_node *group, const pf_node *from,
                             pf_error *error)
{
  pf_node *to = pf_node_find(&group->children, from->name, strlen(from->name));
  if (to != NULL && to->type == PF_NODE_GROUP) {
    return from->type == PF_NODE_GROUP ? lay_group(config, to, from, error)
                                       : refuse_scalar(config, to, from, error);
  }
  pf_node *copy = copy_tree(config, from, error);
  if (copy == NULL || to == NULL) {
    return pf_node_append(group, &group->children, copy, error);
  }
  /* another plugin takes the keys of the first with it (component.c) */
  pf_node_inherit_replaced(copy, to);
  pf_node_replace(to, copy);
  return PF_OK;
}

static pf_status lay_group(pf_config *config, pf_node *group, const pf_node *over, pf_error *error)
{
  for (size_t i = 0; i < over->children.n; i++) {
    if (lay_setting(config, group, pf_nodes_at(&over->children, i), error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_config_lay(pf_config *config, const pf_node *over, pf_error *error)
{
  if (over == NULL) {
    return PF_OK;
  }
  if (over->type != PF_NODE_GROUP) {
    pf_status status = pf_fail(error, PF_STOP, "expected a group of settings, { ... }");
    pf_error_locate(error, config, over);
    return status;
  }
  return lay_group(config, config->root, over, error);
}

bool pf_config_remove(pf_config *config, const char *path)
{
  pf_node *node = pf_node_lookup(config->root, path);
  if (node == NULL || node->parent == NULL) {
    return false;
  }
  pf_node_remove(node);
  return true;
}
