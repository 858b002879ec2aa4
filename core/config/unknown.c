#define _POSIX_C_SOURCE 200809L

#include "core/config/unknown.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <string.h>

typedef struct check {
  const pf_group *group;
  pf_text *dropped; /**< NULL: do not drop */
  pf_error *error;
} check;

static size_t n_names(const check *c)
{
  return c->group->table.count + c->group->others.count;
}

/** Every declared name: the options', then the others. */
static const char *name_at(const check *c, size_t i)
{
  if (i >= c->group->table.count) {
    return c->group->others.items[i - c->group->table.count];
  }
  const pf_option *option =
      pf_table_at(c->group->table.items, c->group->table.stride, c->group->table.count, i);
  return option->name;
}

/** Is `name` the path followed by `then`? */
static bool continues_path(const char *name, const char *path, const char *then)
{
  size_t length = strlen(path);
  return strncmp(name, path, length) == 0 && strncmp(name + length, then, strlen(then)) == 0;
}

enum fit { UNKNOWN, LEAF, GROUP, LIST };

static enum fit fit_of(const check *c, const char *path)
{
  for (size_t i = 0; i < c->group->others.count; i++) {
    if (strcmp(c->group->others.items[i], path) == 0) {
      return LEAF; /* whatever it is, it is the host's to check */
    }
  }
  enum fit found = UNKNOWN;
  for (size_t i = 0; i < n_names(c); i++) {
    const char *name = name_at(c, i);
    if (strcmp(name, path) == 0) {
      return LEAF;
    }
    if (continues_path(name, path, ".")) {
      found = GROUP;
    } else if (continues_path(name, path, "[].")) {
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
  for (size_t i = 0; i < node->children.n; i++) {
    const pf_node *found = from_command_line(pf_nodes_at(&node->children, i));
    if (found != NULL) {
      return found;
    }
  }
  return NULL;
}

/** Name as seen from the group being checked: "blocks.[0].trials". */
static void name_in_group(const check *c, const pf_node *node, char *text, size_t capacity)
{
  char whole[512], base[512];
  pf_node_path(node, whole, sizeof whole);
  pf_node_path(c->group->node, base, sizeof base);
  size_t length = strlen(base);
  const char *own = strncmp(whole, base, length) == 0 ? whole + length : whole;
  own += *own == '.' ? 1 : 0;
  size_t shown = strnlen(own, capacity - 1);
  memcpy(text, own, shown);
  text[shown] = '\0';
}

/** A declared name whose last part is `name`, or NULL. */
static const char *same_last_part(const check *c, const char *name)
{
  for (size_t i = 0; i < n_names(c); i++) {
    const char *last = strrchr(name_at(c, i), '.');
    if (last != NULL && strcmp(last + 1, name) == 0) {
      return name_at(c, i);
    }
  }
  return NULL;
}

/** The declared name most like a wrong one: first among its neighbours, then anywhere. "" if there
 * is none. */
static pf_status suggest_name(const check *c, const char *prefix, const char *name, char *text,
                              size_t capacity)
{
  const char **items = pf_memory_need(n_names(c) + 1, sizeof *items, c->error);
  char(*parts)[64] = pf_memory_need(n_names(c) + 1, sizeof *parts, c->error);
  pf_status status = PF_STOP;
  if (items == NULL || parts == NULL) {
    goto done;
  }
  size_t count = 0;
  const size_t prefix_length = strlen(prefix);
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
  if (nearest == NULL) {
    nearest = same_last_part(c, name);
  }
  text[0] = '\0';
  if (nearest != NULL) {
    (void)snprintf(text, capacity, "; did you mean '%s'?", nearest);
  }
  status = PF_OK;
done:
  pf_memory_free(items);
  pf_memory_free(parts);
  return status;
}

static pf_status report_unknown(const check *c, const char *prefix, const pf_node *child)
{
  char where[PF_ERROR_LENGTH / 2], name[256], nearest[128], hint[128] = "";
  const pf_node *culprit = from_command_line(child);
  pf_node_where(c->group->config, culprit == NULL ? child : culprit, where, sizeof where);
  name_in_group(c, child, name, sizeof name);
  if (suggest_name(c, prefix, child->name, nearest, sizeof nearest) != PF_OK) {
    return PF_STOP;
  }
  if (c->group->plugin != NULL) {
    (void)snprintf(hint, sizeof hint, " (plastfit describe %s lists them)", c->group->plugin);
  } else if (nearest[0] == '\0' && c->group->table.count > 0 && c->group->table.count <= 8) {
    pf_text list = {0};
    for (size_t i = 0; i < c->group->table.count; i++) {
      pf_text_add(&list, "%s%s", i > 0 ? ", " : "; there are ", name_at(c, i));
    }
    (void)snprintf(hint, sizeof hint, "%s", list.text == NULL ? "" : list.text);
    pf_text_free(&list);
  }
  return pf_fail(c->error, PF_STOP, "%s: %s has no option '%s'%s%s", where, c->group->what, name,
                 nearest, hint);
}

static pf_status report_shape(const check *c, const pf_node *child, enum fit fit)
{
  char where[PF_ERROR_LENGTH / 2], path[256], shown[96];
  pf_node_where(c->group->config, child, where, sizeof where);
  pf_node_path(child, path, sizeof path);
  pf_node_show(child, shown, sizeof shown);
  return pf_fail(c->error, PF_STOP, "%s: %s: found %s, expected %s", where, path, shown,
                 fit == GROUP ? "a group, { ... }" : "a list of groups, ( { ... }, { ... } )");
}

static bool has_shape(const pf_node *child, enum fit fit)
{
  if (fit == LEAF) {
    return true;
  }
  if (fit == GROUP) {
    return child->type == PF_NODE_GROUP;
  }
  if (fit != LIST || !pf_node_is_list(child)) {
    return false;
  }
  for (size_t i = 0; i < child->children.n; i++) {
    if (pf_nodes_at(&child->children, i)->type != PF_NODE_GROUP) {
      return false;
    }
  }
  return true;
}

static pf_status check_group(const check *c, pf_node *group, const char *prefix);

/** A child that does not belong here: dropped, or an error. */
static pf_status reject_child(const check *c, pf_node *child, const char *prefix, enum fit fit)
{
  if (c->dropped == NULL) {
    return fit == UNKNOWN ? report_unknown(c, prefix, child) : report_shape(c, child, fit);
  }
  if (from_command_line(child) == NULL) { /* else the check without dropping reports it */
    char name[256];
    name_in_group(c, child, name, sizeof name);
    pf_text_add(c->dropped, "%s%s", c->dropped->length > 0 ? ", " : "", name);
    pf_node_remove(child);
  }
  return PF_OK;
}

static pf_status check_child(const check *c, pf_node *child, const char *prefix)
{
  char path[512];
  (void)snprintf(path, sizeof path, "%s%s", prefix, child->name);
  const enum fit fit = fit_of(c, path);
  if (!has_shape(child, fit)) {
    return reject_child(c, child, prefix, fit);
  }
  if (fit == GROUP) {
    (void)snprintf(path, sizeof path, "%s%s.", prefix, child->name);
    return check_group(c, child, path);
  }
  if (fit == LIST) {
    (void)snprintf(path, sizeof path, "%s%s[].", prefix, child->name);
    for (size_t i = 0; i < child->children.n; i++) {
      if (check_group(c, pf_nodes_at(&child->children, i), path) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

static pf_status check_group(const check *c, pf_node *group, const char *prefix)
{
  size_t i = 0;
  while (i < group->children.n) {
    const size_t before = group->children.n;
    if (check_child(c, pf_nodes_at(&group->children, i), prefix) != PF_OK) {
      return PF_STOP;
    }
    if (group->children.n == before) { /* else it was dropped, and the next one is in its place */
      i++;
    }
  }
  return PF_OK;
}

/** Nodes are never const objects: the config owns them, and const keeps only others from changing
 * them. */
static pf_node *node_of(const pf_group *group)
{
  return (pf_node *)group->node;
}

pf_status pf_config_check_names(const pf_group *group, pf_error *error)
{
  const check c = {.group = group, .error = error};
  return check_group(&c, node_of(group), "");
}

pf_status pf_config_drop_foreign(const pf_group *group, char *names, size_t capacity,
                                 pf_error *error)
{
  pf_text dropped = {0};
  names[0] = '\0';
  if (group->node == NULL || group->node->type != PF_NODE_GROUP) {
    return PF_OK;
  }
  const check c = {.group = group, .dropped = &dropped, .error = error};
  const pf_status status = check_group(&c, node_of(group), "");
  if (dropped.length > 0) {
    (void)snprintf(names, capacity, "%s", dropped.text);
  }
  pf_text_free(&dropped);
  return status;
}
