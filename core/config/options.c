#include "core/config/options.h"

#include "core/base/text.h"

#include <math.h>
#include <string.h>

const char *pf_option_text(const pf_node *node)
{
  if (node->type == PF_NODE_STRING) {
    return node->string;
  }
  /* name=2024 on the command line is a number for libconfig, and a fine name */
  return node->type >= PF_NODE_BOOL ? node->raw : NULL;
}

static const char *describe_type(uint32_t type)
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

/** The next of "tanh|sigmoid|relu", `length` letters of it, or NULL at the end; moves *rest on. */
static const char *next_choice(const char **rest, size_t *length)
{
  const char *choice = *rest;
  if (*choice == '\0') {
    return NULL;
  }
  *length = strcspn(choice, "|");
  *rest += *length + (choice[*length] == '|' ? 1 : 0);
  return choice;
}

/** "tanh, sigmoid or relu" of "tanh|sigmoid|relu" */
static void describe_choices(const char *choices, char *text, size_t capacity)
{
  size_t used = 0, length;
  const char *between = "";
  text[0] = '\0';
  for (const char *choice; (choice = next_choice(&choices, &length)) != NULL && used < capacity;) {
    const int n =
        snprintf(text + used, capacity - used, "%s\"%.*s\"", between, (int)length, choice);
    used += n > 0 ? (size_t)n : 0;
    between = strchr(choices, '|') == NULL ? " or " : ", ";
  }
}

static bool is_choice(const char *choices, const char *value)
{
  size_t length;
  for (const char *choice; (choice = next_choice(&choices, &length)) != NULL;) {
    if (length == strlen(value) && strncmp(choice, value, length) == 0) {
      return true;
    }
  }
  return false;
}

/** The choice nearest to what was typed, in `text`; "" if none is near. */
static void nearest_choice(const char *choices, const char *value, char *text, size_t capacity)
{
  enum { MAX = 32, LONG = 64 };
  char names[MAX][LONG];
  const char *items[MAX];
  size_t count = 0, length;
  for (const char *choice; count < MAX && (choice = next_choice(&choices, &length)) != NULL;) {
    (void)snprintf(names[count], LONG, "%.*s", (int)length, choice);
    items[count] = names[count];
    count++;
  }
  const char *nearest = pf_text_nearest(value, (pf_names){items, count});
  text[0] = '\0';
  if (nearest != NULL) {
    (void)snprintf(text, capacity, "; did you mean \"%s\"?", nearest);
  }
}

/** "PATH: found VALUE, expected ..."; an element of a list is named by the list and its index. */
static pf_status report_mismatch(const pf_node *node, bool is_element, const char *expected,
                                 const char *hint, pf_error *error)
{
  char path[256], shown[96];
  pf_node_path(node, path, sizeof path);
  pf_node_show(node, shown, sizeof shown);
  if (is_element) { /* "layers.[1]" */
    char *dot = strrchr(path, '.');
    if (dot != NULL) {
      memmove(dot, dot + 1, strlen(dot));
    }
  }
  return pf_fail(error, PF_STOP, "%s: found %s, expected %s%s", path, shown, expected, hint);
}

/** One value of a scalar type. */
static pf_status check_scalar(const pf_option *option, uint32_t type, const pf_node *node,
                              bool is_element, pf_error *error)
{
  char expected[256], nearest[96];
  if (!has_type(type, node)) {
    return report_mismatch(node, is_element, describe_type(type), "", error);
  }
  double number = 0;
  /* lower = upper = 0 is a table that left them out, and no range anybody means */
  const bool ranged = (type == PF_TYPE_INTEGER || type == PF_TYPE_REAL) &&
                      pf_node_number(node, &number) && option->lower < option->upper;
  if (ranged && (number < option->lower || number > option->upper)) {
    describe_range(option, expected, sizeof expected);
    return report_mismatch(node, is_element, expected, "", error);
  }
  if (option->choices != NULL && (type == PF_TYPE_STRING || type == PF_TYPE_PATH) &&
      !is_choice(option->choices, pf_option_text(node))) {
    describe_choices(option->choices, expected, sizeof expected);
    nearest_choice(option->choices, pf_option_text(node), nearest, sizeof nearest);
    return report_mismatch(node, is_element, expected, nearest, error);
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
    return pf_node_is_group(node)
               ? PF_OK
               : report_mismatch(node, false, describe_type(option->type), "", error);
  default:
    return check_scalar(option, option->type, node, false, error);
  }
  if (!pf_node_is_list(node)) {
    return report_mismatch(node, false, describe_type(option->type), "", error);
  }
  for (int64_t i = 0; i < pf_node_count(node); i++) {
    if (check_scalar(option, element_type, pf_node_at(node, i), true, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}
