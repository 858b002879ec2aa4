/* Settings of one config laid over another: what a candidate of a comparison changes. */
#include "core/base/memory.h"
#include "core/config/node.h"

#include <string.h>

/** A copy of a node and all below it, with the places they stand at; `config` keeps the names of
 * files. */
static pf_node *copy_tree(pf_config *config, const pf_node *from, pf_error *error)
{
  pf_node *to = pf_node_new(from->name, from->type, error);
  if (to == NULL) {
    return NULL;
  }
  to->integer = from->integer;
  to->real = from->real;
  to->line = from->line;
  to->laid = true;
  to->string = pf_memory_string(from->string, error);
  bool made = from->string == NULL || to->string != NULL;
  if (made && from->file != NULL) {
    to->file = pf_config_keep(config, from->file, error);
    made = to->file != NULL;
  }
  if (made && from->override != NULL) {
    to->override = pf_config_keep(config, from->override, error);
    to->raw = from->raw == NULL ? NULL : pf_config_keep(config, from->raw, error);
    made = to->override != NULL && (from->raw == NULL || to->raw != NULL);
  }
  for (size_t i = 0; made && i < from->children.count; i++) {
    pf_node *child = copy_tree(config, from->children.items[i], error);
    made = child != NULL && pf_node_append(to, &to->children, child, error) == PF_OK;
    if (child != NULL && !made) {
      pf_node_free(child);
    }
  }
  if (!made) {
    pf_node_free(to);
    return NULL;
  }
  return to;
}

static pf_status refuse(const pf_config *config, const pf_node *to, const pf_node *from,
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

static pf_status lay(pf_config *config, pf_node *group, const pf_node *over, pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t i = 0; i < over->children.count && status == PF_OK; i++) {
    const pf_node *from = over->children.items[i];
    pf_node *to = pf_node_find(&group->children, from->name, strlen(from->name));
    if (to != NULL && to->type == PF_NODE_GROUP && from->type == PF_NODE_GROUP) {
      status = lay(config, to, from, error);
      continue;
    }
    if (to != NULL && to->type == PF_NODE_GROUP) {
      return refuse(config, to, from, error);
    }
    pf_node *copy = copy_tree(config, from, error);
    if (copy == NULL) {
      return PF_STOP;
    }
    if (to == NULL) {
      status = pf_node_append(group, &group->children, copy, error);
      if (status != PF_OK) {
        pf_node_free(copy);
      }
      continue;
    }
    /* what stood there before is kept by name: another plugin takes the keys of the first with it
     * (component.c) */
    if (to->replaced != NULL) {
      copy->replaced = to->replaced;
      to->replaced = NULL;
    } else if (to->type == PF_NODE_STRING) {
      copy->replaced = to->string;
      to->string = NULL;
    }
    pf_node_replace(to, copy);
  }
  return status;
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
  return lay(config, config->root, over, error);
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
