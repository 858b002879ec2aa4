/*
 * plugins/rules/expr/formula.h - the text of a formula becomes nodes.
 *
 *     sum     := product (("+" | "-") product)*
 *     product := sign (("*" | "/") sign)*
 *     sign    := ("-" | "+") sign | power
 *     power   := atom ("^" sign)?         right-associative, binds closer than a minus before it
 *     atom    := number | name | function "(" sum ("," sum)? ")" | "(" sum ")"
 *
 * A node has one value per row of a block (parameters, channels, y and what is made of them: ROW)
 * or one per synapse (CELL). Nodes that are alike are one node. Products are regrouped so that
 * factors per row are multiplied first: a synapse then costs one multiplication, however many
 * parameters stand before it.
 */
#ifndef PLASTFIT_RULES_EXPR_FORMULA_H
#define PLASTFIT_RULES_EXPR_FORMULA_H

#include "../common/rule_common.h"

#include <plastfit/author/name_distance.h>

#include <ctype.h>

enum {
  EXPR_NODES = 192,
  EXPR_NAMES = 48,
  EXPR_NAME = 48,
  EXPR_TRACES = 8,
  EXPR_DEPTH = 64,
  EXPR_ROOTS = 1 + EXPR_TRACES
};

enum expr_op {
  EXPR_CONSTANT,
  EXPR_THETA,
  EXPR_CHANNEL,
  EXPR_Y,
  EXPR_X, /* from here on leaves per synapse */
  EXPR_W,
  EXPR_TRACE,
  EXPR_FILL,    /* per synapse from per row: s */
  EXPR_ADD_ROW, /* v + s, b = s */
  EXPR_MUL_ROW, /* s v, b = s */
  EXPR_MUL_ADD, /* u + s v: a = v, b = s, c = u */
  EXPR_ADD,
  EXPR_SUBTRACT,
  EXPR_MULTIPLY,
  EXPR_DIVIDE,
  EXPR_POWER,   /* a^b */
  EXPR_INTEGER, /* a^n, n = value, whole, |n| <= 16 */
  EXPR_NEGATE,  /* per row only: per synapse it is EXPR_MUL_ROW by -1 */
  EXPR_MIN,
  EXPR_MAX,
  EXPR_EXP,
  EXPR_LOG,
  EXPR_TANH,
  EXPR_SQRT,
  EXPR_ABS,
  EXPR_STEP
};

typedef struct expr_node {
  int op, a, b, c;  /**< operands: nodes, or -1 */
  int is_cell;      /**< one value per synapse */
  int index;        /**< which parameter, channel, trace */
  double value;     /**< of a constant; exponent of EXPR_INTEGER */
  int root, column; /**< where it stands: which formula, and the column of its operator, from 1 */
} expr_node;

/** Names, each with its text. */
typedef struct expr_names {
  int count;
  char items[EXPR_NAMES][EXPR_NAME];
} expr_names;

typedef struct expr_formulas {
  int n_nodes;
  expr_node nodes[EXPR_NODES];
  int n_roots; /**< dw, then the traces */
  int roots[EXPR_ROOTS];
  expr_names parameters, channels, traces;
  /** Signals that the formulas name, of the postsynaptic and of the presynaptic unit; y and x are
   * "activity". */
  expr_names signals, pre_signals;
} expr_formulas;

typedef struct expr_parser {
  expr_formulas *out;
  const char *label; /**< "dw", "traces: e" */
  const char *text, *at;
  int root, depth, column;
  pf_error *error;
  const char *key;
  int failed;
} expr_parser;

static inline int expr_column(const expr_parser *p)
{
  return (int)(p->at - p->text) + 1;
}

PF_PRINTF(3, 4)
static inline int expr_fail(expr_parser *p, int column, const char *format, ...)
{
  char line[512];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (!p->failed) {
    (void)pf_fail_key(p->error, PF_STOP, p->key, "%s, column %d: %s", p->label, column, line);
  }
  p->failed = 1;
  return -1;
}

/* ---- nodes ---- */

static inline int expr_is(const expr_parser *p, int node, int op)
{
  return p->out->nodes[node].op == op;
}

static inline int expr_is_cell(const expr_parser *p, int node)
{
  return p->out->nodes[node].is_cell;
}

/** The node, or one that is alike. */
static inline int expr_add(expr_parser *p, expr_node node)
{
  expr_formulas *out = p->out;
  node.root = p->root;
  node.column = p->column;
  for (int i = 0; i < out->n_nodes; i++) {
    const expr_node *have = &out->nodes[i];
    /* By its bits: here -0 is another number than 0. NOLINTNEXTLINE(bugprone-suspicious-*) */
    const int same_value = memcmp(&have->value, &node.value, sizeof node.value) == 0;
    if (have->op == node.op && have->a == node.a && have->b == node.b && have->c == node.c &&
        have->index == node.index && same_value) {
      return i;
    }
  }
  if (out->n_nodes == EXPR_NODES) {
    return expr_fail(
        p, p->column,
        "the formulas have more than %d operations, which is more than this rule takes",
        EXPR_NODES);
  }
  out->nodes[out->n_nodes] = node;
  return out->n_nodes++;
}

static inline int expr_constant(expr_parser *p, double value)
{
  return expr_add(p, (expr_node){.op = EXPR_CONSTANT, .a = -1, .b = -1, .c = -1, .value = value});
}

static inline double expr_integer_power(double a, int n)
{
  double result = 1.0;
  for (int k = n < 0 ? -n : n; k > 0; k--) {
    result *= a;
  }
  return n < 0 ? 1.0 / result : result;
}

/** Value of an operation on numbers per row; `value` as in expr_node. */
static inline double expr_row_value(int op, double a, double b, double value)
{
  switch (op) {
  case EXPR_ADD:
    return a + b;
  case EXPR_SUBTRACT:
    return a - b;
  case EXPR_MULTIPLY:
    return a * b;
  case EXPR_DIVIDE:
    return a / b;
  case EXPR_POWER:
    return pow(a, b);
  case EXPR_INTEGER:
    return expr_integer_power(a, (int)value);
  case EXPR_NEGATE:
    return -a;
  case EXPR_MIN:
    return b >= a ? a : (isnan(a) ? a : b);
  case EXPR_MAX:
    return b <= a ? a : (isnan(a) ? a : b);
  case EXPR_EXP:
    return exp(a);
  case EXPR_LOG:
    return log(a);
  case EXPR_TANH:
    return tanh(a);
  case EXPR_SQRT:
    return sqrt(a);
  case EXPR_ABS:
    return fabs(a);
  case EXPR_STEP:
    return a > 0 ? 1.0 : (a <= 0 ? 0.0 : a);
  default:
    return value;
  }
}

/** An operation on rows; on constants it is done at once. */
static inline int expr_row(expr_parser *p, int op, int a, int b, double value)
{
  if (expr_is(p, a, EXPR_CONSTANT) && (b < 0 || expr_is(p, b, EXPR_CONSTANT))) {
    const double left = p->out->nodes[a].value, right = b < 0 ? 0.0 : p->out->nodes[b].value;
    const double result = expr_row_value(op, left, right, value);
    if (!isfinite(result)) {
      return expr_fail(p, p->column, "the result is %g, expected a finite number", result);
    }
    return expr_constant(p, result);
  }
  return expr_add(p, (expr_node){.op = op, .a = a, .b = b, .c = -1, .value = value});
}

static inline int expr_cell(expr_parser *p, int op, int a, int b, int c, double value)
{
  return expr_add(p, (expr_node){.op = op, .a = a, .b = b, .c = c, .is_cell = 1, .value = value});
}

static inline int expr_fill(expr_parser *p, int a)
{
  return a < 0 || expr_is_cell(p, a) ? a : expr_cell(p, EXPR_FILL, -1, a, -1, 0.0);
}

static inline int expr_multiply(expr_parser *p, int a, int b)
{
  if (a < 0 || b < 0) {
    return -1;
  }
  const expr_node left = p->out->nodes[a], right = p->out->nodes[b];
  if (!left.is_cell && !right.is_cell) {
    return expr_row(p, EXPR_MULTIPLY, a, b, 0.0);
  }
  if (!left.is_cell) {
    return expr_multiply(p, b, a);
  }
  if (left.op == EXPR_MUL_ROW) { /* (s v) b: the factors per row go together */
    return right.is_cell ? expr_multiply(p, expr_multiply(p, left.a, b), left.b)
                         : expr_multiply(p, left.a, expr_multiply(p, left.b, b));
  }
  if (!right.is_cell) {
    return expr_is(p, b, EXPR_CONSTANT) && right.value >= 1.0 && right.value <= 1.0
               ? a
               : expr_cell(p, EXPR_MUL_ROW, a, b, -1, 0.0);
  }
  if (right.op == EXPR_MUL_ROW) {
    return expr_multiply(p, expr_multiply(p, a, right.a), right.b);
  }
  return a == b ? expr_cell(p, EXPR_INTEGER, a, -1, -1, 2.0)
                : expr_cell(p, EXPR_MULTIPLY, a, b, -1, 0.0);
}

static inline int expr_negate(expr_parser *p, int a)
{
  if (a < 0) {
    return -1;
  }
  return expr_is_cell(p, a) ? expr_multiply(p, a, expr_constant(p, -1.0))
                            : expr_row(p, EXPR_NEGATE, a, -1, 0.0);
}

static inline int expr_sum(expr_parser *p, int a, int b)
{
  if (a < 0 || b < 0) {
    return -1;
  }
  const expr_node left = p->out->nodes[a], right = p->out->nodes[b];
  if (!left.is_cell && !right.is_cell) {
    return expr_row(p, EXPR_ADD, a, b, 0.0);
  }
  if (!left.is_cell) {
    return expr_cell(p, EXPR_ADD_ROW, b, a, -1, 0.0);
  }
  if (!right.is_cell) {
    return expr_cell(p, EXPR_ADD_ROW, a, b, -1, 0.0);
  }
  if (right.op == EXPR_MUL_ROW) {
    return expr_cell(p, EXPR_MUL_ADD, right.a, right.b, a, 0.0);
  }
  if (left.op == EXPR_MUL_ROW) {
    return expr_cell(p, EXPR_MUL_ADD, left.a, left.b, b, 0.0);
  }
  return expr_cell(p, EXPR_ADD, a, b, -1, 0.0);
}

static inline int expr_subtract(expr_parser *p, int a, int b)
{
  if (a < 0 || b < 0) {
    return -1;
  }
  if (expr_is_cell(p, a) && expr_is_cell(p, b) && !expr_is(p, b, EXPR_MUL_ROW)) {
    return expr_cell(p, EXPR_SUBTRACT, a, b, -1, 0.0);
  }
  if (!expr_is_cell(p, a) && !expr_is_cell(p, b)) {
    return expr_row(p, EXPR_SUBTRACT, a, b, 0.0);
  }
  return expr_sum(p, a, expr_negate(p, b));
}

static inline int expr_divide(expr_parser *p, int a, int b)
{
  if (a < 0 || b < 0) {
    return -1;
  }
  if (!expr_is_cell(p, b)) {
    return expr_is_cell(p, a)
               ? expr_multiply(p, a, expr_row(p, EXPR_DIVIDE, expr_constant(p, 1.0), b, 0.0))
               : expr_row(p, EXPR_DIVIDE, a, b, 0.0);
  }
  return expr_cell(p, EXPR_DIVIDE, expr_fill(p, a), b, -1, 0.0);
}

static inline int expr_power(expr_parser *p, int a, int b)
{
  if (a < 0 || b < 0) {
    return -1;
  }
  const expr_node exponent = p->out->nodes[b];
  if (exponent.op == EXPR_CONSTANT) {
    const double n = exponent.value;
    if (n >= 0.5 && n <= 0.5) {
      return expr_is_cell(p, a) ? expr_cell(p, EXPR_SQRT, a, -1, -1, 0.0)
                                : expr_row(p, EXPR_SQRT, a, -1, 0.0);
    }
    if (n >= 1.0 && n <= 1.0) {
      return a;
    }
    if (n - floor(n) <= 0.0 && fabs(n) <= 16.0) {
      return expr_is_cell(p, a) ? expr_cell(p, EXPR_INTEGER, a, -1, -1, n)
                                : expr_row(p, EXPR_INTEGER, a, -1, n);
    }
  }
  if (!expr_is_cell(p, a) && !exponent.is_cell) {
    return expr_row(p, EXPR_POWER, a, b, 0.0);
  }
  return expr_cell(p, EXPR_POWER, expr_fill(p, a), expr_fill(p, b), -1, 0.0);
}

/* ---- names ---- */

static const struct expr_function {
  const char *name;
  int op, arguments;
} expr_functions[] = {{"exp", EXPR_EXP, 1},   {"log", EXPR_LOG, 1},  {"tanh", EXPR_TANH, 1},
                      {"sqrt", EXPR_SQRT, 1}, {"abs", EXPR_ABS, 1},  {"min", EXPR_MIN, 2},
                      {"max", EXPR_MAX, 2},   {"step", EXPR_STEP, 1}};
enum { EXPR_FUNCTIONS = sizeof expr_functions / sizeof expr_functions[0] };

static inline const struct expr_function *expr_function_named(const char *name)
{
  for (size_t i = 0; i < EXPR_FUNCTIONS; i++) {
    if (strcmp(expr_functions[i].name, name) == 0) {
      return &expr_functions[i];
    }
  }
  return NULL;
}

static inline int expr_find(const expr_names *names, const char *name)
{
  for (int i = 0; i < names->count; i++) {
    if (strcmp(names->items[i], name) == 0) {
      return i;
    }
  }
  return -1;
}

static inline void expr_nearer(const char *name, const char *known, const char **nearest,
                               int *distance)
{
  const int apart = (int)pf_name_distance(name, known);
  if (apart < *distance) {
    *nearest = known;
    *distance = apart;
  }
}

/** What a misspelt name most likely should be; NULL: nothing is near. Short names must be nearer.
 */
static inline const char *expr_nearest(const expr_parser *p, const char *name, int is_call)
{
  const char *nearest = NULL;
  int distance = strlen(name) >= 5 ? 3 : 2;
  if (is_call) {
    for (size_t i = 0; i < EXPR_FUNCTIONS; i++) {
      expr_nearer(name, expr_functions[i].name, &nearest, &distance);
    }
    return nearest;
  }
  for (int i = 0; i < p->out->parameters.count && strlen(name) > 1; i++) {
    expr_nearer(name, p->out->parameters.items[i], &nearest, &distance);
  }
  for (int i = 0; i < p->out->traces.count && strlen(name) > 1; i++) {
    expr_nearer(name, p->out->traces.items[i], &nearest, &distance);
  }
  if (strlen(name) > 3) {
    expr_nearer(name, "reward", &nearest, &distance);
    expr_nearer(name, "expected_reward", &nearest, &distance);
  }
  for (size_t i = 0; i < sizeof expr_functions / sizeof expr_functions[0] && strlen(name) > 2;
       i++) {
    expr_nearer(name, expr_functions[i].name, &nearest, &distance);
  }
  return nearest;
}

static inline int expr_leaf(expr_parser *p, int op, int index)
{
  return expr_add(
      p, (expr_node){.op = op, .a = -1, .b = -1, .c = -1, .is_cell = op >= EXPR_X, .index = index});
}

/** A signal of the unit on one side (EXPR_Y, EXPR_X), whose place among those asked for is the
 * leaf's index. */
static inline int expr_signal(expr_parser *p, int op, const char *name, int column)
{
  expr_names *signals = op == EXPR_Y ? &p->out->signals : &p->out->pre_signals;
  int signal = expr_find(signals, name);
  if (signal < 0 && signals->count == EXPR_NAMES) {
    return expr_fail(p, column, "more than %d signals", EXPR_NAMES);
  }
  if (signal < 0) {
    signal = signals->count++;
    (void)snprintf(signals->items[signal], EXPR_NAME, "%s", name);
  }
  return expr_leaf(p, op, signal);
}

/** Is it a signal, with or without its side: "choice", "choice[post]", "choice[pre]"? Then *op is
 * the side, and the name stands in `signal`. */
static inline int expr_names_signal(const char *name, int *op, char signal[EXPR_NAME])
{
  static const char *const signals[] = {"choice", "error", "recorded", "potential"};
  const size_t length = strcspn(name, "[");
  *op = strcmp(name + length, "[pre]") == 0 ? EXPR_X : EXPR_Y;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    if (strlen(signals[i]) == length && strncmp(name, signals[i], length) == 0) {
      (void)snprintf(signal, EXPR_NAME, "%s", signals[i]);
      return 1;
    }
  }
  return 0;
}

/**
 * A name by itself. What is declared nowhere is a channel, which the host looks for in the data, or
 * a family of channels, one for each unit; unless it looks like something that is declared: then it
 * was misspelt.
 */
static inline int expr_name(expr_parser *p, const char *name, int column)
{
  static const struct {
    const char *name;
    int op;
  } variables[] = {{"x", EXPR_X}, {"y", EXPR_Y}, {"w", EXPR_W}};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    if (strcmp(name, variables[i].name) == 0 && variables[i].op != EXPR_W) {
      return expr_signal(p, variables[i].op, "activity", column);
    }
    if (strcmp(name, variables[i].name) == 0) {
      return expr_leaf(p, variables[i].op, 0);
    }
  }
  const int parameter = expr_find(&p->out->parameters, name);
  if (parameter >= 0) {
    return expr_leaf(p, EXPR_THETA, parameter);
  }
  const int trace = expr_find(&p->out->traces, name);
  if (trace >= 0) {
    return expr_leaf(p, EXPR_TRACE, trace);
  }
  int side = EXPR_Y;
  char signal[EXPR_NAME];
  if (expr_names_signal(name, &side, signal)) {
    return expr_signal(p, side, signal, column);
  }
  if (expr_function_named(name) != NULL) {
    return expr_fail(p, column, "the function %s needs its argument in brackets, %s(...)", name,
                     name);
  }
  int channel = expr_find(&p->out->channels, name);
  const int is_usual = strchr(name, '[') != NULL || strcmp(name, "r") == 0 ||
                       strcmp(name, "reward") == 0 || strcmp(name, "expected_reward") == 0;
  if (channel < 0) {
    const char *near = is_usual ? NULL : expr_nearest(p, name, 0);
    if (near != NULL || (strlen(name) == 1 && !is_usual)) {
      return expr_fail(p, column,
                       "'%s' is no variable (x, y, w), parameter or trace%s%s%s; a parameter is "
                       "listed in parameters: { %s: { init = 0.1; }; }",
                       name, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                       near == NULL ? "" : "'", name);
    }
    if (p->out->channels.count == EXPR_NAMES) {
      return expr_fail(p, column, "more than %d channels", EXPR_NAMES - 1);
    }
    channel = p->out->channels.count++;
    (void)snprintf(p->out->channels.items[channel], EXPR_NAME, "%s", name);
  }
  return expr_leaf(p, EXPR_CHANNEL, channel);
}

/* ---- parsing ---- */

static inline char expr_next(expr_parser *p)
{
  while (isspace((unsigned char)*p->at)) {
    p->at++;
  }
  return *p->at;
}

/** What other languages write here, and what to write in place of it; NULL: nothing known. */
static inline const char *expr_instead(const expr_parser *p)
{
  static const struct {
    const char *found, *write;
  } others[] = {
      {"**", "a power is written with ^: x^2"},
      {">", "there are no comparisons; step(x - y) is 1 where x > y, else 0"},
      {"<", "there are no comparisons; step(y - x) is 1 where x < y, else 0"},
      {"=", "there are no comparisons; a product with step(...) is a condition"},
      {"!", "there are no conditions; 1 - step(x) is 1 where x is not above 0"},
      {"&", "there are no conditions; step(x)*step(y) is 1 where both are above 0"},
      {"|", "there are no conditions; max(step(x), step(y)) is 1 where one is above 0"},
      {"?", "there are no conditions; step(x)*a + (1 - step(x))*b is a where x > 0, else b"},
      {"%", "there is no remainder; operators are + - * / and ^"},
      {"'", "a signal of one side is written pre[name] or post[name]"},
  };
  const char *at = p->at > p->text && p->at[-1] == '*' && *p->at == '*' ? p->at - 1 : p->at;
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (strncmp(at, others[i].found, strlen(others[i].found)) == 0) {
      return others[i].write;
    }
  }
  return NULL;
}

static inline int expr_expected(expr_parser *p, const char *expected)
{
  const char found = expr_next(p);
  const char *instead = expr_instead(p);
  if (instead != NULL) {
    return expr_fail(p, expr_column(p), "found '%c': %s", found, instead);
  }
  if (found == '\0') {
    return expr_fail(p, expr_column(p), "the formula ends where %s was expected", expected);
  }
  return expr_fail(p, expr_column(p), "found '%c', expected %s", found, expected);
}

static int expr_parse_sum(expr_parser *p);

/** A function of other languages by those that there are; NULL: not known. */
static inline const char *expr_by_others(const char *name)
{
  static const struct {
    const char *name, *write;
  } others[] = {
      {"sigmoid", "0.5*(1 + tanh(0.5*x))"},
      {"logistic", "0.5*(1 + tanh(0.5*x))"},
      {"expit", "0.5*(1 + tanh(0.5*x))"},
      {"relu", "max(x, 0)"},
      {"clip", "min(max(x, low), high)"},
      {"pow", "x^2"},
      {"power", "x^2"},
      {"square", "x^2"},
      {"log10", "log(x)/2.302585093"},
      {"log2", "log(x)/0.6931471806"},
      {"ln", "log(x)"},
      {"fabs", "abs(x)"},
      {"heaviside", "step(x)"},
      {"sign", "2*step(x) - 1"},
      {"sgn", "2*step(x) - 1"},
      {"softplus", "log(1 + exp(x))"},
      {"if", "step(x)*a + (1 - step(x))*b"},
      {"where", "step(x)*a + (1 - step(x))*b"},
      {"sinh", "0.5*(exp(x) - exp(-x))"},
      {"cosh", "0.5*(exp(x) + exp(-x))"},
      {"minimum", "min(x, y)"},
      {"maximum", "max(x, y)"},
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (strcmp(name, others[i].name) == 0) {
      return others[i].write;
    }
  }
  return NULL;
}

static inline int expr_call(expr_parser *p, const char *name, int column)
{
  const struct expr_function *function = expr_function_named(name);
  if (function == NULL && expr_by_others(name) != NULL) {
    return expr_fail(p, column,
                     "there is no function '%s'; write %s (there are exp log tanh sqrt abs min max "
                     "step)",
                     name, expr_by_others(name));
  }
  if (function == NULL) {
    const char *near = expr_nearest(p, name, 1);
    return expr_fail(
        p, column, "there is no function '%s'%s%s%s; there are exp log tanh sqrt abs min max step",
        name, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
        near == NULL ? "" : "'");
  }
  int argument[2] = {-1, -1};
  for (int k = 0; k < function->arguments; k++) {
    if (k > 0 && expr_next(p) != ',') {
      return expr_expected(p, "a comma and a second argument");
    }
    p->at++; /* the bracket, or the comma */
    argument[k] = expr_parse_sum(p);
    if (argument[k] < 0) {
      return -1;
    }
  }
  if (expr_next(p) != ')') {
    return expr_expected(p, function->arguments == 1 ? "')' after the one argument"
                                                     : "')' after two arguments");
  }
  p->at++;
  p->column = column;
  const int any_cell =
      expr_is_cell(p, argument[0]) || (argument[1] >= 0 && expr_is_cell(p, argument[1]));
  if (!any_cell) {
    return expr_row(p, function->op, argument[0], argument[1], 0.0);
  }
  return expr_cell(p, function->op, expr_fill(p, argument[0]), expr_fill(p, argument[1]), -1, 0.0);
}

/** Length of the name at the parser, with the [post] or [pre] of a family of channels. */
static inline size_t expr_name_length(const expr_parser *p)
{
  static const char *const sides[] = {"[post]", "[pre]"};
  size_t length = 0;
  while (isalnum((unsigned char)p->at[length]) || p->at[length] == '_') {
    length++;
  }
  for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
    if (strncmp(p->at + length, sides[i], strlen(sides[i])) == 0) {
      return length + strlen(sides[i]);
    }
  }
  return length;
}

static inline int expr_parse_atom(expr_parser *p)
{
  const char found = expr_next(p);
  const int column = expr_column(p);
  p->column = column;
  if (isdigit((unsigned char)found) || found == '.') {
    char *end = NULL;
    const double value = strtod(p->at, &end);
    if (end == p->at || !isfinite(value)) {
      return expr_expected(p, "a number");
    }
    p->at = end;
    return expr_constant(p, value);
  }
  if (isalpha((unsigned char)found) || found == '_') {
    char name[EXPR_NAME];
    const size_t length = expr_name_length(p);
    if (length >= EXPR_NAME) {
      return expr_fail(p, column, "a name of %zu letters, expected at most %d", length,
                       EXPR_NAME - 1);
    }
    memcpy(name, p->at, length);
    name[length] = '\0';
    p->at += length;
    return expr_next(p) == '(' ? expr_call(p, name, column) : expr_name(p, name, column);
  }
  if (found == '(') {
    p->at++;
    const int inside = expr_parse_sum(p);
    if (inside < 0) {
      return -1;
    }
    if (expr_next(p) != ')') {
      char expected[64];
      (void)snprintf(expected, sizeof expected, "')' for the '(' of column %d", column);
      return expr_expected(p, expected);
    }
    p->at++;
    return inside;
  }
  return expr_expected(p, "a number, a name or '('");
}

/** sign and power in one, since the right side of ^ may have a sign. */
static int expr_parse_sign(expr_parser *p)
{
  if (++p->depth > EXPR_DEPTH) {
    return expr_fail(p, expr_column(p), "brackets and signs lie more than %d deep", EXPR_DEPTH);
  }
  int result = -1;
  const char found = expr_next(p);
  const int column = expr_column(p);
  if (found == '-' || found == '+') {
    p->at++;
    result = expr_parse_sign(p);
    p->column = column;
    result = found == '-' ? expr_negate(p, result) : result;
  } else {
    result = expr_parse_atom(p);
    if (result >= 0 && expr_next(p) == '^') {
      const int at = expr_column(p);
      p->at++;
      const int exponent = expr_parse_sign(p);
      p->column = at;
      result = expr_power(p, result, exponent);
    }
  }
  p->depth--;
  return result;
}

static inline int expr_parse_product(expr_parser *p)
{
  int result = expr_parse_sign(p);
  for (char found = expr_next(p); result >= 0 && (found == '*' || found == '/');
       found = expr_next(p)) {
    const int column = expr_column(p);
    p->at++;
    const int right = expr_parse_sign(p);
    p->column = column;
    result = found == '*' ? expr_multiply(p, result, right) : expr_divide(p, result, right);
  }
  return result;
}

static int expr_parse_sum(expr_parser *p)
{
  int result = expr_parse_product(p);
  for (char found = expr_next(p); result >= 0 && (found == '+' || found == '-');
       found = expr_next(p)) {
    const int column = expr_column(p);
    p->at++;
    const int right = expr_parse_product(p);
    p->column = column;
    result = found == '+' ? expr_sum(p, result, right) : expr_subtract(p, result, right);
  }
  return result;
}

/** Root `root` of `out` from its text, which begins at column `first` of what the user wrote. */
static inline pf_status expr_parse(expr_formulas *out, int root, const char *label,
                                   const char *text, const char *at, const char *key,
                                   pf_error *error)
{
  expr_parser p = {.out = out,
                   .label = label,
                   .text = text,
                   .at = at,
                   .root = root,
                   .column = 1,
                   .error = error,
                   .key = key};
  int result = expr_parse_sum(&p);
  if (result >= 0 && expr_next(&p) != '\0') {
    const int letter = isalnum((unsigned char)*p.at) || *p.at == '(' || *p.at == '_';
    result = letter ? expr_expected(&p, "an operator (a product is written with *)")
                    : expr_expected(&p, "an operator");
  }
  result = result >= 0 ? expr_fill(&p, result) : -1;
  if (result >= 0 &&
      p.out->nodes[result].op < EXPR_FILL) { /* dw = "w": something must be computed */
    const int one = expr_constant(&p, 1.0);
    result = one >= 0 ? expr_cell(&p, EXPR_MUL_ROW, result, one, -1, 0.0) : -1;
  }
  if (result < 0) {
    return PF_STOP;
  }
  out->roots[root] = result;
  return PF_OK;
}

#endif
