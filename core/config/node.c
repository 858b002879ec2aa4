#include "core/config/node.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

pf_node *pf_node_new(const char *name, enum pf_node_type type, pf_error *error)
{
  pf_node *node = pf_memory_need(1, sizeof *node, error);
  if (node == NULL) {
    return NULL;
  }
  node->type = type;
  node->children = node->defaults = pf_array_of(sizeof(pf_node *));
  node->name = pf_memory_string(name, error);
  if (name != NULL && node->name == NULL) {
    pf_memory_free(node);
    return NULL;
  }
  return node;
}

static void free_nodes(pf_array *nodes)
{
  for (size_t i = 0; i < nodes->n; i++) {
    pf_node_free(pf_nodes_at(nodes, i));
  }
  pf_array_free(nodes);
}

void pf_node_free(pf_node *node)
{
  if (node == NULL) {
    return;
  }
  free_nodes(&node->children);
  free_nodes(&node->defaults);
  pf_memory_free(node->name);
  pf_memory_free(node->string);
  pf_memory_free(node->replaced);
  pf_memory_free(node->absolute);
  pf_memory_free(node);
}

pf_status pf_node_append(pf_node *parent, pf_array *nodes, pf_node *child, pf_error *error)
{
  pf_node **place = child == NULL ? NULL : pf_array_append(nodes, error);
  if (place == NULL) {
    pf_node_free(child);
    return PF_STOP;
  }
  *place = child;
  child->parent = parent;
  return PF_OK;
}

/** Where a child stands in its parent: it always does. */
static size_t index_in_parent(const pf_node *child)
{
  size_t i = 0;
  while (pf_nodes_at(&child->parent->children, i) != child) {
    i++;
  }
  return i;
}

void pf_node_remove(pf_node *child)
{
  pf_array *siblings = &child->parent->children;
  pf_node **at = (pf_node **)siblings->items + index_in_parent(child);
  pf_node **end = (pf_node **)siblings->items + siblings->n;
  memmove(at, at + 1, (size_t)(end - at - 1) * sizeof *at);
  siblings->n--;
  pf_node_free(child);
}

void pf_node_replace(pf_node *old, pf_node *fresh)
{
  ((pf_node **)old->parent->children.items)[index_in_parent(old)] = fresh;
  fresh->parent = old->parent;
  pf_node_free(old);
}

void pf_node_inherit_replaced(pf_node *fresh, pf_node *old)
{
  char **text =
      old->replaced == NULL && old->type == PF_NODE_STRING ? &old->string : &old->replaced;
  fresh->replaced = *text;
  *text = NULL;
}

pf_node *pf_node_find(const pf_array *nodes, const char *name, size_t length)
{
  for (size_t i = 0; i < nodes->n; i++) {
    const char *own = pf_nodes_at(nodes, i)->name;
    if (own != NULL && strncmp(own, name, length) == 0 && own[length] == '\0') {
      return pf_nodes_at(nodes, i);
    }
  }
  return NULL;
}

/* ---- paths ---- */

static bool starts_name(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
}

static bool continues_name(char c)
{
  return starts_name(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

const char *pf_path_next(const char *path, pf_path_step *step)
{
  if (*path == '.') { /* between two steps; the caller looks that none is in front */
    path++;
  }
  if (*path == '[') {
    char *end = NULL;
    long index = path[1] >= '0' && path[1] <= '9' ? strtol(path + 1, &end, 10) : -1;
    if (index < 0 || index > 1000000 || *end != ']') {
      return NULL;
    }
    *step = (pf_path_step){.name = path, .length = (size_t)(end + 1 - path), .index = index};
    path = end + 1;
  } else if (starts_name(*path)) {
    size_t length = 1;
    while (continues_name(path[length])) {
      length++;
    }
    *step = (pf_path_step){.name = path, .length = length, .index = -1};
    path += length;
  } else {
    return NULL;
  }
  bool ends_well = *path == '\0' || *path == '[' || (*path == '.' && path[1] != '\0');
  return ends_well ? path : NULL;
}

pf_node *pf_node_step(const pf_node *node, pf_path_step step)
{
  if (step.index < 0) {
    return pf_node_find(&node->children, step.name, step.length);
  }
  return (size_t)step.index < node->children.n ? pf_nodes_at(&node->children, (size_t)step.index)
                                               : NULL;
}

pf_node *pf_node_lookup(pf_node *node, const char *path)
{
  pf_path_step step;
  while (node != NULL && path != NULL && *path != '\0') {
    path = pf_path_next(path, &step);
    if (path == NULL) {
      return NULL;
    }
    node = pf_node_step(node, step);
  }
  return node;
}

void pf_node_path(const pf_node *node, char *text, size_t capacity)
{
  text[0] = '\0';
  if (node == NULL || node->parent == NULL) {
    return;
  }
  pf_node_path(node->parent, text, capacity);
  size_t length = strlen(text);
  if (node->name != NULL) {
    (void)snprintf(text + length, capacity - length, "%s%s", length > 0 ? "." : "", node->name);
  } else {
    (void)snprintf(text + length, capacity - length, ".[%zu]", index_in_parent(node));
  }
}

/* ---- what others see ---- */

const pf_node *pf_config_root(const pf_config *config)
{
  return config == NULL ? NULL : config->root;
}

const pf_node *pf_node_get(const pf_node *node, const char *path)
{
  /* nodes are never const objects, and this one is not changed */
  return pf_node_lookup((pf_node *)node, path);
}

int64_t pf_node_count(const pf_node *node)
{
  return node == NULL ? 0 : (int64_t)node->children.n;
}

const pf_node *pf_node_at(const pf_node *node, int64_t i)
{
  if (node == NULL || i < 0 || (size_t)i >= node->children.n) {
    return NULL;
  }
  return pf_nodes_at(&node->children, (size_t)i);
}

const char *pf_node_name(const pf_node *node)
{
  return node == NULL ? NULL : node->name;
}

int pf_node_is_group(const pf_node *node)
{
  return node != NULL && node->type == PF_NODE_GROUP;
}

int pf_node_is_list(const pf_node *node)
{
  return node != NULL && (node->type == PF_NODE_LIST || node->type == PF_NODE_ARRAY);
}

int pf_node_number(const pf_node *node, double *value)
{
  if (node == NULL || (node->type != PF_NODE_INTEGER && node->type != PF_NODE_REAL)) {
    return 0;
  }
  *value = node->type == PF_NODE_INTEGER ? (double)node->integer : node->real;
  return 1;
}

const char *pf_node_absolute(const pf_node *node)
{
  const char *text = NULL;
  (void)pf_node_string(node, &text);
  return text != NULL && node->absolute != NULL ? node->absolute : text;
}

int pf_node_string(const pf_node *node, const char **value)
{
  if (node == NULL || node->type != PF_NODE_STRING) {
    return 0;
  }
  *value = node->string;
  return 1;
}

const char *pf_node_replaced(const pf_node *node)
{
  return node == NULL ? NULL : node->replaced;
}

void pf_node_show(const pf_node *node, char *text, size_t capacity)
{
  enum { LONGEST = 40 }; /* of a string, in a message of one line */
  switch (node->type) {
  case PF_NODE_GROUP:
    (void)snprintf(text, capacity, "a group");
    break;
  case PF_NODE_LIST:
  case PF_NODE_ARRAY:
    (void)snprintf(text, capacity, node->children.n == 0 ? "an empty list" : "a list");
    break;
  case PF_NODE_BOOL:
    (void)snprintf(text, capacity, "%s", node->integer ? "true" : "false");
    break;
  case PF_NODE_INTEGER:
    (void)snprintf(text, capacity, "%lld", (long long)node->integer);
    break;
  case PF_NODE_REAL:
    (void)snprintf(text, capacity, "%.10g", node->real);
    break;
  case PF_NODE_STRING: {
    size_t shown = strcspn(node->string, "\r\n");
    int cut = shown > LONGEST || node->string[shown] != '\0';
    (void)snprintf(text, capacity, "\"%.*s%s\"", (int)(shown > LONGEST ? LONGEST : shown),
                   node->string, cut ? "..." : "");
    break;
  }
  }
}

void pf_node_from_override(pf_node *node, const char *override, const char *raw)
{
  node->file = NULL;
  node->line = 0;
  node->override = override;
  node->raw = raw;
  for (size_t i = 0; i < node->children.n; i++) {
    pf_node_from_override(pf_nodes_at(&node->children, i), override, NULL);
  }
}

const char *pf_config_keep(pf_config *config, const char *string, pf_error *error)
{
  for (size_t i = 0; i < config->strings.n; i++) {
    if (strcmp(pf_config_string(config, i), string) == 0) {
      return pf_config_string(config, i);
    }
  }
  char *copy = pf_memory_string(string, error);
  char **place = copy == NULL ? NULL : pf_array_append(&config->strings, error);
  if (place == NULL) {
    pf_memory_free(copy);
    return NULL;
  }
  *place = copy;
  return copy;
}

void pf_config_set_host(pf_config *config, const pf_host *host)
{
  config->host = host;
}

const pf_host *pf_config_host(const pf_config *config)
{
  return config == NULL || config->host == NULL ? pf_host_default() : config->host;
}
