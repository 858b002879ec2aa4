#define _POSIX_C_SOURCE 200809L

/* The config as resolved, in libconfig's syntax (whose own writer keeps 15 digits, too few to
 * repeat a run). */
#include "core/config/node.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_string(FILE *file, const char *text)
{
  (void)fputc('"', file);
  for (const char *c = text; *c != '\0'; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte == '"' || byte == '\\') {
      (void)fprintf(file, "\\%c", byte);
    } else if (byte < 32 || byte == 127) {
      (void)fprintf(file, "\\x%02x", byte);
    } else {
      (void)fputc(byte, file);
    }
  }
  (void)fputc('"', file);
}

/** The shortest of 15, 16 and 17 digits that reads back as the same double; always with a point or
 * an exponent. */
static void write_real(FILE *file, double value)
{
  char text[64];
  if (isinf(value)) { /* libconfig has no word for it, but reads a number too large so */
    (void)fprintf(file, "%s1e999", value < 0 ? "-" : "");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) {
      break;
    }
  }
  (void)fprintf(file, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void write_indent(FILE *file, int depth)
{
  (void)fprintf(file, "%*s", 2 * depth, "");
}

static void write_group(FILE *file, const pf_node *group, int depth, bool by_default);

static void write_value(FILE *file, const pf_node *node, int depth, bool by_default)
{
  bool lines = false;
  switch (node->type) {
  case PF_NODE_GROUP:
    (void)fprintf(file, "{\n");
    write_group(file, node, depth + 1, by_default);
    write_indent(file, depth);
    (void)fputc('}', file);
    break;
  case PF_NODE_LIST:
  case PF_NODE_ARRAY:
    (void)fputc(node->type == PF_NODE_LIST ? '(' : '[', file);
    for (size_t i = 0; i < node->children.n; i++) {
      const pf_node *child = pf_nodes_at(&node->children, i);
      bool own_line = child->type == PF_NODE_GROUP;
      lines = lines || own_line;
      (void)fputs(i > 0 ? "," : "", file);
      if (own_line) {
        (void)fputc('\n', file);
        write_indent(file, depth + 1);
      } else {
        (void)fputs(i > 0 ? " " : "", file);
      }
      write_value(file, child, depth + 1, by_default);
    }
    if (lines) {
      (void)fputc('\n', file);
      write_indent(file, depth);
    }
    (void)fputc(node->type == PF_NODE_LIST ? ')' : ']', file);
    break;
  case PF_NODE_BOOL:
    (void)fprintf(file, "%s", node->integer ? "true" : "false");
    break;
  case PF_NODE_INTEGER:
    (void)fprintf(file, "%lld%s", (long long)node->integer,
                  node->integer > INT_MAX || node->integer < INT_MIN ? "L" : "");
    break;
  case PF_NODE_REAL:
    write_real(file, node->real);
    break;
  case PF_NODE_STRING:
    write_string(file, node->string);
    break;
  }
}

static void write_setting(FILE *file, const pf_node *node, int depth, bool by_default)
{
  write_indent(file, depth);
  (void)fprintf(file, "%s = ", node->name);
  if (node->absolute != NULL) {
    write_string(file, node->absolute);
  } else {
    write_value(file, node, depth, by_default);
  }
  (void)fprintf(file, ";%s\n", by_default && node->type != PF_NODE_GROUP ? " # default" : "");
}

/** Those of `defaults` that the group does not say. */
static void write_defaults(FILE *file, const pf_array *defaults, const pf_node *group, int depth)
{
  for (size_t i = 0; i < defaults->n; i++) {
    const char *name = pf_nodes_at(defaults, i)->name;
    if (pf_node_find(&group->children, name, strlen(name)) == NULL) {
      write_setting(file, pf_nodes_at(defaults, i), depth, true);
    }
  }
}

/** Settings, then defaults. A group may be both, where an override made it after its defaults were
 * filled in. */
static void write_group(FILE *file, const pf_node *group, int depth, bool by_default)
{
  for (size_t i = 0; i < group->children.n; i++) {
    const pf_node *child = pf_nodes_at(&group->children, i);
    const pf_node *fallback = pf_node_find(&group->defaults, child->name, strlen(child->name));
    if (fallback == NULL || child->type != PF_NODE_GROUP || fallback->type != PF_NODE_GROUP) {
      write_setting(file, child, depth, by_default);
      continue;
    }
    write_indent(file, depth);
    (void)fprintf(file, "%s = {\n", child->name);
    write_group(file, child, depth + 1, by_default);
    write_defaults(file, &fallback->children, child, depth + 1);
    write_defaults(file, &fallback->defaults, child, depth + 1);
    write_indent(file, depth);
    (void)fprintf(file, "};\n");
  }
  write_defaults(file, &group->defaults, group, depth);
}

pf_status pf_config_write(const pf_config *config, const char *path, pf_error *error)
{
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    return pf_fail(error, PF_STOP, "%s: cannot be written: %s", path, strerror(errno));
  }
  (void)fprintf(file,
                "# The config as resolved: includes, the command line and defaults filled in.\n"
                "# `plastfit fit` of this file alone repeats the run.\n\n");
  write_group(file, config->root, 0, false);
  int failed = ferror(file);
  if (fclose(file) != 0 || failed) {
    return pf_fail(error, PF_STOP, "%s: cannot be written: %s", path, strerror(errno));
  }
  return PF_OK;
}

/* ---- one line ---- */

static void write_line(FILE *file, const pf_node *node)
{
  if (node->absolute != NULL) {
    write_string(file, node->absolute);
    return;
  }
  const bool nested = node->type == PF_NODE_GROUP || node->type == PF_NODE_LIST;
  if (!nested) {
    write_value(file, node, 0, false);
    return;
  }
  (void)fputs(node->type == PF_NODE_GROUP ? "{ " : "( ", file);
  for (size_t i = 0; i < node->children.n; i++) {
    const pf_node *child = pf_nodes_at(&node->children, i);
    if (node->type == PF_NODE_GROUP) {
      (void)fprintf(file, "%s = ", child->name);
      write_line(file, child);
      (void)fputs("; ", file);
    } else {
      (void)fputs(i > 0 ? ", " : "", file);
      write_line(file, child);
    }
  }
  (void)fputs(node->type == PF_NODE_GROUP ? "}" : " )", file);
}

char *pf_node_text(const pf_node *node, pf_error *error)
{
  char *text = NULL;
  size_t length = 0;
  FILE *file = open_memstream(&text, &length);
  if (file == NULL) {
    (void)pf_fail(error, PF_STOP, "out of memory");
    return NULL;
  }
  write_line(file, node);
  const int failed = ferror(file);
  if (fclose(file) != 0 || failed) {
    free(text);
    (void)pf_fail(error, PF_STOP, "out of memory");
    return NULL;
  }
  return text;
}
