/* Does a value suit the option it was given for? */
#include "core/base/text.h"
#include "core/config/node.h"

#include <math.h>
#include <string.h>

const pf_option *pf_option_named(pf_option_table table, const char *name, size_t length)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_option *option = pf_table_at(table.items, table.stride, table.count, i);
    if (strncmp(option->name, name, length) == 0 && option->name[length] == '\0') {
      return option;
    }
  }
  return NULL;
}

const char *pf_option_text(const pf_node *node)
{
  if (node->type == PF_NODE_STRING) {
    return node->string;
  }
  /* name=2024 on the command line is a number for libconfig, and a fine name */
  return node->type >= PF_NODE_BOOL ? node->raw : NULL;
}

static const char *expectation(uint32_t type)
{
  switch (type) {
  case PF_TYPE_BOOL:
    return "true or false";
  case PF_TYPE_INTEGER:
    return "a whole number";
  case PF_TYPE_REAL:
    return "a number";
  case PF_TYPE_STRING:
    return "a text in quotes";
  case PF_TYPE_PATH:
    return "a path in quotes";
  case PF_TYPE_INTEGERS:
    return "a list of whole numbers, such as [2, 10]";
  case PF_TYPE_REALS:
    return "a list of numbers, such as [0.5, 1.0]";
  case PF_TYPE_STRINGS:
    return "a list of texts, such as [\"a\", \"b\"]";
  case PF_TYPE_NAMES:
    return "a group, { name = ...; }";
  default:
    return "nothing";
  }
}

static bool is_whole(const pf_node *node)
{
  const double limit = 9007199254740992.0; /* 2^53: beyond it a double no longer counts by ones */
  return node->type == PF_NODE_INTEGER ||
         (node->type == PF_NODE_REAL && node->real == floor(node->real) &&
          fabs(node->real) <= limit);
}

static bool has_type(uint32_t type, const pf_node *node)
{
  switch (type) {
  case PF_TYPE_BOOL:
    return node->type == PF_NODE_BOOL;
  case PF_TYPE_INTEGER:
    return is_whole(node);
  case PF_TYPE_REAL:
    return node->type == PF_NODE_INTEGER || (node->type == PF_NODE_REAL && isfinite(node->real));
  case PF_TYPE_STRING:
  case PF_TYPE_PATH:
    return pf_option_text(node) != NULL;
  default:
    return false;
  }
}

static void describe_range(const pf_option *option, char *text, size_t capacity)
{
  bool low = isfinite(option->lower), high = isfinite(option->upper);
  if (low && high) {
    (void)snprintf(text, capacity, "%.10g to %.10g", option->lower, option->upper);
  } else {
    (void)snprintf(text, capacity, "%.10g or %s", low ? option->lower : option->upper,
                   low ? "more" : "less");
  }
}

/** "tanh, sigmoid or relu" of "tanh|sigmoid|relu" */
static void describe_choices(const char *choices, char *text, size_t capacity)
{
  size_t used = 0;
  text[0] = '\0';
  while (*choices != '\0' && used + 1 < capacity) {
    size_t length = strcspn(choices, "|");
    const char *next = choices + length + (choices[length] == '|' ? 1 : 0);
    bool last = strchr(next, '|') == NULL;
    const char *between = *next == '\0' ? "" : (last ? " or " : ", ");
    int n = snprintf(text + used, capacity - used, "\"%.*s\"%s", (int)length, choices, between);
    used += n > 0 ? (size_t)n : 0;
    choices = next;
  }
}

static bool is_choice(const char *choices, const char *value)
{
  size_t length = strlen(value);
  while (*choices != '\0') {
    size_t n = strcspn(choices, "|");
    if (n == length && strncmp(choices, value, n) == 0) {
      return true;
    }
    choices += n + (choices[n] == '|' ? 1 : 0);
  }
  return false;
}

/** The choice nearest to what was typed, in `text`; "" if none is near. */
static void nearest_choice(const char *choices, const char *value, char *text, size_t capacity)
{
  enum { MAX = 32, LONG = 64 };
  char names[MAX][LONG];
  const char *items[MAX];
  size_t count = 0;
  while (*choices != '\0' && count < MAX) {
    size_t n = strcspn(choices, "|");
    (void)snprintf(names[count], LONG, "%.*s", (int)n, choices);
    items[count] = names[count];
    count++;
    choices += n + (choices[n] == '|' ? 1 : 0);
  }
  const char *nearest = pf_text_nearest(value, (pf_names){items, count});
  text[0] = '\0';
  if (nearest != NULL) {
    (void)snprintf(text, capacity, "; did you mean \"%s\"?", nearest);
  }
}

/** One value of a scalar type; `element` -1 for the option itself. */
static pf_status check_scalar(const pf_option *option, uint32_t type, const pf_node *node,
                              int64_t element, pf_error *error)
{
  char path[256], shown[96], index[32] = "", expected[256], nearest[96];
  pf_node_path(node, path, sizeof path);
  pf_node_show(node, shown, sizeof shown);
  if (element >= 0) {
    pf_node_path(node->parent, path, sizeof path);
    (void)snprintf(index, sizeof index, "[%lld]", (long long)element);
  }
  if (!has_type(type, node)) {
    return pf_fail(error, PF_STOP, "%s%s: found %s, expected %s", path, index, shown,
                   expectation(type));
  }
  double number = 0;
  /* lower = upper = 0 is a table that left them out, and no range anybody means */
  bool ranged = pf_node_number(node, &number) &&
                (type == PF_TYPE_INTEGER || type == PF_TYPE_REAL) && option->lower < option->upper;
  if (ranged && (number < option->lower || number > option->upper)) {
    describe_range(option, expected, sizeof expected);
    return pf_fail(error, PF_STOP, "%s%s: found %s, expected %s", path, index, shown, expected);
  }
  if (option->choices != NULL && (type == PF_TYPE_STRING || type == PF_TYPE_PATH) &&
      !is_choice(option->choices, pf_option_text(node))) {
    describe_choices(option->choices, expected, sizeof expected);
    nearest_choice(option->choices, pf_option_text(node), nearest, sizeof nearest);
    return pf_fail(error, PF_STOP, "%s%s: found %s, expected %s%s", path, index, shown, expected,
                   nearest);
  }
  return PF_OK;
}

pf_status pf_option_check(const pf_option *option, const pf_node *node, pf_error *error)
{
  uint32_t element_type;
  switch (option->type) {
  case PF_TYPE_INTEGERS:
    element_type = PF_TYPE_INTEGER;
    break;
  case PF_TYPE_REALS:
    element_type = PF_TYPE_REAL;
    break;
  case PF_TYPE_STRINGS:
    element_type = PF_TYPE_STRING;
    break;
  case PF_TYPE_NAMES:
    element_type = 0;
    break;
  default:
    return check_scalar(option, option->type, node, -1, error);
  }
  if (option->type == PF_TYPE_NAMES ? !pf_node_is_group(node) : !pf_node_is_list(node)) {
    char path[256], shown[96];
    pf_node_path(node, path, sizeof path);
    pf_node_show(node, shown, sizeof shown);
    return pf_fail(error, PF_STOP, "%s: found %s, expected %s", path, shown,
                   expectation(option->type));
  }
  for (int64_t i = 0; i < pf_node_count(node) && option->type != PF_TYPE_NAMES; i++) {
    pf_status status = check_scalar(option, element_type, pf_node_at(node, i), i, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
