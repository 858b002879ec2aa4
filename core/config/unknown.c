#define _POSIX_C_SOURCE 200809L

/* Names in a group that nothing knows. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/node.h"

#include <stdlib.h>
#include <string.h>

typedef struct check {
  const pf_config *config;
  const pf_node *group;
  const char *what;
  const char *plugin; /**< or NULL */
  pf_option_table table;
  pf_names others;
  pf_text *dropped; /**< NULL: do not drop */
  pf_error *error;
} check;

static size_t n_names(const check *c)
{
  return c->table.count + c->others.count;
}

/** Every declared name: the options', then the others. */
static const char *name_at(const check *c, size_t i)
{
  if (i >= c->table.count) {
    return c->others.items[i - c->table.count];
  }
  const pf_option *option = pf_table_at(c->table.items, c->table.stride, c->table.count, i);
  return option->name;
}

/** Is `name` the path followed by `then`? */
static bool extends(const char *name, const char *path, const char *then)
{
  size_t length = strlen(path);
  return strncmp(name, path, length) == 0 && strncmp(name + length, then, strlen(then)) == 0;
}

enum fit { UNKNOWN, LEAF, GROUP, LIST };

static enum fit fit_of(const check *c, const char *path)
{
  for (size_t i = 0; i < c->others.count; i++) {
    if (strcmp(c->others.items[i], path) == 0) {
      return LEAF; /* whatever it is, it is the host's to check */
    }
  }
  enum fit found = UNKNOWN;
  for (size_t i = 0; i < n_names(c); i++) {
    const char *name = name_at(c, i);
    if (strcmp(name, path) == 0) {
      return LEAF;
    }
    if (extends(name, path, ".")) {
      found = GROUP;
    } else if (extends(name, path, "[].")) {
      found = LIST;
    }
  }
  return found;
}

/** A setting of the command line, or of a candidate of a comparison, below this one, or NULL. */
static const pf_node *from_command_line(const pf_node *node)
{
  if (node->override != NULL || node->laid) {
    return node;
  }
  const pf_node *found = NULL;
  for (size_t i = 0; found == NULL && i < node->children.count; i++) {
    found = from_command_line(node->children.items[i]);
  }
  return found;
}

/** Name as seen from the group being checked: "blocks.[0].trials". */
static void name_in_group(const check *c, const pf_node *node, char *text, size_t capacity)
{
  char whole[512], base[512];
  pf_node_path(node, whole, sizeof whole);
  pf_node_path(c->group, base, sizeof base);
  size_t length = strlen(base);
  const char *own = strncmp(whole, base, length) == 0 ? whole + length : whole;
  own += *own == '.' ? 1 : 0;
  size_t shown = strnlen(own, capacity - 1);
  memcpy(text, own, shown);
  text[shown] = '\0';
}

/** The declared name most like a wrong one: first among its neighbours, then anywhere. "" if there
 * is none. */
static pf_status suggest(const check *c, const char *prefix, const char *name, char *text,
                         size_t capacity)
{
  const char **items = pf_memory_need(2 * n_names(c) + 1, sizeof *items, c->error);
  char(*parts)[64] = pf_memory_need(2 * n_names(c) + 1, sizeof *parts, c->error);
  text[0] = '\0';
  if (items == NULL || parts == NULL) {
    pf_memory_free(items);
    pf_memory_free(parts);
    return PF_STOP;
  }
  size_t count = 0, prefix_length = strlen(prefix);
  for (size_t i = 0; i < n_names(c); i++) {
    const char *full = name_at(c, i);
    if (strncmp(full, prefix, prefix_length) == 0) {
      (void)snprintf(parts[count], sizeof *parts, "%.*s", (int)strcspn(full + prefix_length, ".["),
                     full + prefix_length);
      items[count] = parts[count];
      count++;
    }
  }
  const char *nearest = pf_text_nearest(name, (pf_names){items, count});
  if (nearest != NULL) {
    (void)snprintf(text, capacity, "; did you mean '%s'?", nearest);
  } else {
    for (size_t i = 0; text[0] == '\0' && i < n_names(c); i++) {
      const char *full = name_at(c, i);
      const char *last = strrchr(full, '.');
      if (last != NULL && strcmp(last + 1, name) == 0) {
        (void)snprintf(text, capacity, "; did you mean '%s'?", full);
      }
    }
  }
  pf_memory_free(items);
  pf_memory_free(parts);
  return PF_OK;
}

static pf_status complain(const check *c, const char *prefix, const pf_node *child)
{
  char where[PF_ERROR_LENGTH / 2], name[256], nearest[128], hint[128] = "";
  const pf_node *culprit = from_command_line(child);
  pf_node_where(c->config, culprit == NULL ? child : culprit, where, sizeof where);
  name_in_group(c, child, name, sizeof name);
  if (suggest(c, prefix, child->name, nearest, sizeof nearest) != PF_OK) {
    return PF_STOP;
  }
  if (c->plugin != NULL) {
    (void)snprintf(hint, sizeof hint, " (plastfit describe %s lists them)", c->plugin);
  } else if (nearest[0] == '\0' && c->table.count > 0 && c->table.count <= 8) {
    pf_text list = {0};
    for (size_t i = 0; i < c->table.count; i++) {
      pf_text_add(&list, "%s%s", i > 0 ? ", " : "; there are ", name_at(c, i));
    }
    (void)snprintf(hint, sizeof hint, "%s", list.text == NULL ? "" : list.text);
    pf_text_free(&list);
  }
  return pf_fail(c->error, PF_STOP, "%s: %s has no option '%s'%s%s", where, c->what, name, nearest,
                 hint);
}

static pf_status wrong_shape(const check *c, const pf_node *child, enum fit fit)
{
  char where[PF_ERROR_LENGTH / 2], path[256], shown[96];
  pf_node_where(c->config, child, where, sizeof where);
  pf_node_path(child, path, sizeof path);
  pf_node_show(child, shown, sizeof shown);
  return pf_fail(c->error, PF_STOP, "%s: %s: found %s, expected %s", where, path, shown,
                 fit == GROUP ? "a group, { ... }" : "a list of groups, ( { ... }, { ... } )");
}

static bool fits(const pf_node *child, enum fit fit)
{
  if (fit == LEAF) {
    return true;
  }
  if (fit == GROUP) {
    return child->type == PF_NODE_GROUP;
  }
  if (fit == LIST && pf_node_is_list(child)) {
    for (size_t i = 0; i < child->children.count; i++) {
      if (child->children.items[i]->type != PF_NODE_GROUP) {
        return false;
      }
    }
    return true;
  }
  return false;
}

static pf_status check_group(const check *c, pf_node *group, const char *prefix);

static pf_status check_child(const check *c, pf_node *child, const char *prefix)
{
  char path[512];
  (void)snprintf(path, sizeof path, "%s%s", prefix, child->name);
  enum fit fit = fit_of(c, path);
  if (!fits(child, fit)) {
    if (c->dropped != NULL && from_command_line(child) == NULL) {
      char name[256];
      name_in_group(c, child, name, sizeof name);
      pf_text_add(c->dropped, "%s%s", c->dropped->length > 0 ? ", " : "", name);
      pf_node_remove(child);
      return PF_OK;
    }
    if (c->dropped != NULL) {
      return PF_OK; /* the check that follows without dropping reports it */
    }
    return fit == UNKNOWN ? complain(c, prefix, child) : wrong_shape(c, child, fit);
  }
  pf_status status = PF_OK;
  if (fit == GROUP) {
    (void)snprintf(path, sizeof path, "%s%s.", prefix, child->name);
    status = check_group(c, child, path);
  } else if (fit == LIST) {
    (void)snprintf(path, sizeof path, "%s%s[].", prefix, child->name);
    for (size_t i = 0; status == PF_OK && i < child->children.count; i++) {
      status = check_group(c, child->children.items[i], path);
    }
  }
  return status;
}

static pf_status check_group(const check *c, pf_node *group, const char *prefix)
{
  pf_status status = PF_OK;
  size_t i = 0;
  while (status == PF_OK && i < group->children.count) {
    size_t before = group->children.count;
    status = check_child(c, group->children.items[i], prefix);
    i += group->children.count == before
             ? 1
             : 0; /* else it was dropped, and the next one stands in its place */
  }
  return status;
}

pf_status pf_config_check_names(const pf_config *config, pf_node *node, const char *what,
                                const char *plugin, pf_option_table table, pf_names others,
                                pf_text *dropped, pf_error *error)
{
  check c = {.config = config,
             .group = node,
             .what = what,
             .plugin = plugin,
             .table = table,
             .others = others,
             .dropped = dropped,
             .error = error};
  return check_group(&c, node, "");
}

pf_status pf_config_drop_foreign(const pf_config *config, const pf_node *node,
                                 pf_option_table table, pf_names others, char *names,
                                 size_t capacity, pf_error *error)
{
  pf_text dropped = {0};
  names[0] = '\0';
  if (node == NULL || node->type != PF_NODE_GROUP) {
    return PF_OK;
  }
  /* nodes are never const objects: the config owns them, and const keeps only others from changing
   * them */
  pf_status status =
      pf_config_check_names(config, (pf_node *)node, "", NULL, table, others, &dropped, error);
  if (dropped.length > 0) {
    (void)snprintf(names, capacity, "%s", dropped.text);
  }
  pf_text_free(&dropped);
  return status;
}
