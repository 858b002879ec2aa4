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
  node->name = pf_memory_string(name, error);
  if (name != NULL && node->name == NULL) {
    pf_memory_free(node);
    return NULL;
  }
  return node;
}

static void table_free(pf_node_table *table)
{
  for (size_t i = 0; i < table->count; i++) {
    pf_node_free(table->items[i]);
  }
  free(table->items);
  *table = (pf_node_table){0};
}

void pf_node_free(pf_node *node)
{
  if (node == NULL) {
    return;
  }
  table_free(&node->children);
  table_free(&node->defaults);
  pf_memory_free(node->name);
  pf_memory_free(node->string);
  pf_memory_free(node->replaced);
  pf_memory_free(node->absolute);
  pf_memory_free(node);
}

pf_status pf_node_append(pf_node *parent, pf_node_table *table, pf_node *child, pf_error *error)
{
  if (table->count == table->capacity) {
    size_t capacity = table->capacity == 0 ? 8 : 2 * table->capacity;
    pf_node **grown = realloc(table->items, capacity * sizeof *grown);
    if (grown == NULL) {
      return pf_fail(error, PF_STOP, "out of memory: a config of more than %zu settings",
                     table->count);
    }
    table->items = grown;
    table->capacity = capacity;
  }
  table->items[table->count++] = child;
  child->parent = parent;
  return PF_OK;
}

static bool place_in(const pf_node_table *table, const pf_node *child, size_t *place)
{
  for (size_t i = 0; i < table->count; i++) {
    if (table->items[i] == child) {
      *place = i;
      return true;
    }
  }
  return false;
}

void pf_node_remove(pf_node *child)
{
  pf_node_table *table = &child->parent->children;
  size_t place;
  if (place_in(table, child, &place)) {
    memmove(table->items + place, table->items + place + 1,
            (table->count - place - 1) * sizeof *table->items);
    table->count--;
    pf_node_free(child);
  }
}

void pf_node_replace(pf_node *old, pf_node *fresh)
{
  pf_node_table *table = &old->parent->children;
  size_t place;
  if (place_in(table, old, &place)) {
    table->items[place] = fresh;
    fresh->parent = old->parent;
    pf_node_free(old);
  }
}

pf_node *pf_node_find(const pf_node_table *table, const char *name, size_t length)
{
  for (size_t i = 0; i < table->count; i++) {
    const char *own = table->items[i]->name;
    if (own != NULL && strncmp(own, name, length) == 0 && own[length] == '\0') {
      return table->items[i];
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

pf_node *pf_node_lookup(pf_node *node, const char *path)
{
  pf_path_step step;
  while (node != NULL && path != NULL && *path != '\0') {
    path = pf_path_next(path, &step);
    if (path == NULL) {
      return NULL;
    }
    if (step.index < 0) {
      node = pf_node_find(&node->children, step.name, step.length);
    } else {
      node = (size_t)step.index < node->children.count ? node->children.items[step.index] : NULL;
    }
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
    size_t place = 0;
    (void)place_in(&node->parent->children, node, &place);
    (void)snprintf(text + length, capacity - length, ".[%zu]", place);
  }
}

/* ---- what others see ---- */

const pf_node *pf_config_root(const pf_config *config)
{
  return config == NULL ? NULL : config->root;
}

const pf_node *pf_node_get(const pf_node *node, const char *path)
{
  return pf_node_lookup((pf_node *)node,
                        path); /* nodes are never const objects, and this one is not changed */
}

int64_t pf_node_count(const pf_node *node)
{
  return node == NULL ? 0 : (int64_t)node->children.count;
}

const pf_node *pf_node_at(const pf_node *node, int64_t i)
{
  return node == NULL || i < 0 || i >= (int64_t)node->children.count ? NULL
                                                                     : node->children.items[i];
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
    (void)snprintf(text, capacity, node->children.count == 0 ? "an empty list" : "a list");
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
  for (size_t i = 0; i < node->children.count; i++) {
    pf_node_from_override(node->children.items[i], override, NULL);
  }
}

const char *pf_config_keep(pf_config *config, const char *string, pf_error *error)
{
  for (size_t i = 0; i < config->n_strings; i++) {
    if (strcmp(config->strings[i], string) == 0) {
      return config->strings[i];
    }
  }
  char **grown = realloc(config->strings, (config->n_strings + 1) * sizeof *grown);
  if (grown == NULL) {
    pf_fail(error, PF_STOP, "out of memory while reading the config");
    return NULL;
  }
  config->strings = grown;
  char *copy = pf_memory_string(string, error);
  if (copy != NULL) {
    config->strings[config->n_strings++] = copy;
  }
  return copy;
}
