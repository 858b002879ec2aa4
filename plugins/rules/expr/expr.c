/*
 * plugins/rules/expr/expr.c - a rule from a formula in the config.
 *
 *     dw = a*x*(reward - expected_reward) - b*w + c*tanh(y)
 *
 * The text is read once, at create, into nodes (formula.h); a block is then evaluated, and
 * differentiated exactly, tile by tile (tape.h). Every name that is neither a variable (x, y, w), a
 * listed parameter nor a trace is a channel of the data, and a modulator of this rule.
 */
#include <plastfit/abi/plugin.h>
#include <plastfit/author/signed_number.h>

#include "tape.h"

static const pf_option options[] = {
    {.name = "dw",
     .type = PF_TYPE_STRING,
     .required = 1,
     .help = "the change of a weight: + - * / ^, exp log tanh sqrt abs min max step, x, y, w, "
             "parameters, channels, traces"},
    {.name = "parameters",
     .type = PF_TYPE_NAMES,
     .help = "the names in the formulas that are fitted: { a = 0.1; b: { init = 0.1; lower = 0.0; "
             "}; }"},
    {.name = "traces",
     .type = PF_TYPE_STRINGS,
     .help = "traces per synapse, each with its value after a step: [\"e = 0.9*e + x*y\"]; they "
             "start at 0"},
    {.name = "trace_order",
     .type = PF_TYPE_STRING,
     .fallback = "\"after\"",
     .choices = "before|after",
     .help = "does dw see the traces as before or as after the step?"},
};

typedef struct expr {
  const pf_host *host;
  expr_formulas f;
  tape_program programs[EXPR_ROOTS];
  pf_parameter parameters[EXPR_NAMES];
  pf_modulator modulators[EXPR_NAMES];
  const char *signals[EXPR_NAMES], *pre_signals[EXPR_NAMES];
  pf_trace traces[EXPR_TRACES];
  uint32_t trace_order, reads;
  int can_fail; /**< has a log, a quotient, ...: results are looked at */
  char *text;   /**< dw as written */
} expr;

/* ---- reading the options ---- */

static pf_status check_name(const expr *self, const char *what, const char *name, const char *key,
                            pf_error *error)
{
  const int is_variable = name[0] != '\0' && name[1] == '\0' && strchr("xyw", name[0]) != NULL;
  if (strlen(name) >= EXPR_NAME) {
    return pf_fail_key(error, PF_STOP, key, "the name of the %s '%s' has over %d letters", what,
                       name, EXPR_NAME - 1);
  }
  if (is_variable || expr_function_named(name) != NULL) {
    return pf_fail_key(error, PF_STOP, key,
                       "a %s is called '%s', which means something else in a formula", what, name);
  }
  if (expr_find(&self->f.parameters, name) >= 0 || expr_find(&self->f.traces, name) >= 0) {
    return pf_fail_key(error, PF_STOP, key, "two parameters or traces are called '%s'", name);
  }
  return PF_OK;
}

static pf_status add_name(expr *self, expr_names *to, int most, const char *what, const char *name,
                          const char *key, pf_error *error)
{
  const pf_status status = check_name(self, what, name, key, error);
  if (status != PF_OK) {
    return status;
  }
  if (to->count == most) {
    return pf_fail_key(error, PF_STOP, key, "more than %d %ss, which is more than this rule takes",
                       most, what);
  }
  (void)snprintf(to->items[to->count++], EXPR_NAME, "%s", name);
  return PF_OK;
}

/** "e = 0.9*e + x*y": the name into `name`; returns where the formula begins, or NULL. */
static const char *split_trace(const char *text, char *name)
{
  size_t length = 0;
  const char *at = text;
  while (isspace((unsigned char)*at)) {
    at++;
  }
  while ((isalnum((unsigned char)at[length]) || at[length] == '_') && length < EXPR_NAME) {
    length++;
  }
  const int is_name = length > 0 && length < EXPR_NAME && !isdigit((unsigned char)at[0]);
  if (!is_name) {
    return NULL;
  }
  memcpy(name, at, length);
  name[length] = '\0';
  at += length;
  while (isspace((unsigned char)*at)) {
    at++;
  }
  return *at == '=' ? at + 1 : NULL;
}

static pf_status read_names(expr *self, const pf_options *given, pf_error *error)
{
  const int64_t n_parameters =
      given->present(given, "parameters") != 0 ? given->length(given, "parameters") : 0;
  for (int64_t i = 0; i < n_parameters; i++) {
    const char *name = given->string_at(given, "parameters", i);
    if (add_name(self, &self->f.parameters, EXPR_NAMES, "parameter", name, "parameters", error) !=
        PF_OK) {
      return PF_STOP;
    }
  }
  const int64_t n_traces =
      given->present(given, "traces") != 0 ? given->length(given, "traces") : 0;
  for (int64_t i = 0; i < n_traces; i++) {
    char name[EXPR_NAME] = "";
    const char *text = given->string_at(given, "traces", i);
    if (split_trace(text, name) == NULL) {
      return pf_fail_key(error, PF_STOP, "traces",
                         "found \"%s\", expected a name and a formula: \"e = 0.9*e + x*y\"", text);
    }
    if (add_name(self, &self->f.traces, EXPR_TRACES, "trace", name, "traces", error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** A parameter that stands in no formula has no effect, and was meant to. */
static pf_status check_used(const expr *self, pf_error *error)
{
  for (int k = 0; k < self->f.parameters.count; k++) {
    int used = 0;
    for (int root = 0; root < self->f.n_roots; root++) {
      for (int i = 0; i < self->programs[root].n_rows; i++) {
        const expr_node *node = &self->f.nodes[self->programs[root].rows[i]];
        used = used || (node->op == EXPR_THETA && node->index == k);
      }
    }
    if (!used) {
      return pf_fail_key(error, PF_STOP, "parameters",
                         "the parameter '%s' has no effect: no formula depends on it",
                         self->f.parameters.items[k]);
    }
  }
  return PF_OK;
}

static pf_status read_formulas(expr *self, const pf_options *given, pf_error *error)
{
  const char *dw = given->string(given, "dw");
  self->f.n_roots = 1 + self->f.traces.count;
  if (expr_parse(&self->f, 0, "dw", dw, dw, "dw", error) != PF_OK) {
    return PF_STOP;
  }
  for (int k = 0; k < self->f.traces.count; k++) {
    char name[EXPR_NAME], label[EXPR_NAME + 16];
    const char *text = given->string_at(given, "traces", k);
    const char *at = split_trace(text, name);
    (void)snprintf(label, sizeof label, "trace %s", name);
    if (at == NULL || expr_parse(&self->f, 1 + k, label, text, at, "traces", error) != PF_OK) {
      return PF_STOP;
    }
  }
  for (int root = 0; root < self->f.n_roots; root++) {
    tape_make(&self->f, root, &self->programs[root]);
    if (2 + 2 * self->programs[root].n_cells > TAPE_CELLS / TAPE_LEAST) {
      return pf_fail_key(
          error, PF_STOP, root == 0 ? "dw" : "traces",
          "a formula has %d operations per synapse, which is more than this rule takes, %d",
          self->programs[root].n_cells, TAPE_CELLS / TAPE_LEAST / 2 - 1);
    }
  }
  for (int i = 0; i < self->f.n_nodes; i++) {
    self->can_fail = self->can_fail || tape_is_partial(self->f.nodes[i].op);
  }
  const size_t length = strlen(dw) + 1;
  self->text = self->host->allocate(self->host, length);
  if (self->text == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the formula");
  }
  memcpy(self->text, dw, length);
  return check_used(self, error);
}

/** The tables of its declaration. */
static void make_tables(expr *self)
{
  for (int k = 0; k < self->f.parameters.count; k++) {
    self->parameters[k] = (pf_parameter){.name = self->f.parameters.items[k],
                                         .unit = "1",
                                         .initial = 0.1,
                                         .value = 0.1,
                                         .lower = -INFINITY,
                                         .upper = INFINITY,
                                         .help = "of the formula"};
  }
  for (int k = 0; k < self->f.channels.count; k++) {
    const char *name = self->f.channels.items[k];
    self->modulators[k] = (pf_modulator){.name = name,
                                         .fallback = name,
                                         .per = PF_PER_NETWORK,
                                         .help = "a channel that the formula names"};
  }
  /* the first one is r, which the config's `modulator` sets: other channels are then always what
   * their name says */
  if (self->f.channels.count > 0) {
    int reads_r = 0;
    for (int i = 0; i < self->f.n_nodes; i++) {
      reads_r = reads_r || (self->f.nodes[i].op == EXPR_CHANNEL && self->f.nodes[i].index == 0);
    }
    self->modulators[0].fallback = reads_r ? "reward - expected_reward" : "0";
    self->modulators[0].help = "what the config's `modulator` says";
  }
  for (int k = 0; k < self->f.signals.count; k++) {
    self->signals[k] = self->f.signals.items[k];
  }
  for (int k = 0; k < self->f.pre_signals.count; k++) {
    self->pre_signals[k] = self->f.pre_signals.items[k];
  }
  for (int k = 0; k < self->f.traces.count; k++) {
    self->traces[k] =
        (pf_trace){.name = self->f.traces.items[k], .per = PF_PER_SYNAPSE, .help = "of a formula"};
  }
  for (int i = 0; i < self->programs[0].n_rows; i++) {
    const int op = self->f.nodes[self->programs[0].rows[i]].op;
    self->reads |= op == EXPR_Y ? PF_READS_POST : (op == EXPR_CHANNEL ? PF_READS_MODULATOR : 0u);
  }
  for (int i = 0; i < self->programs[0].n_cells; i++) {
    const expr_node *node = &self->f.nodes[self->programs[0].cells[i]];
    const int operands[3] = {node->a, node->b, node->c};
    for (int o = 0; o < 3; o++) {
      const int op = operands[o] >= 0 ? self->f.nodes[operands[o]].op : EXPR_CONSTANT;
      self->reads |= op == EXPR_X ? PF_READS_PRE : (op == EXPR_W ? PF_READS_WEIGHT : 0u);
    }
  }
  if (self->f.traces.count > 0 || self->reads == 0) {
    self->reads = 0; /* traces may read what dw does not */
  }
}

static void destroy(void *object)
{
  expr *self = object;
  if (self != NULL) {
    self->host->release(self->host, self->text);
    self->host->release(self->host, self);
  }
}

static pf_status create(const pf_host *host, const pf_options *given, void **out, pf_error *error)
{
  expr *self = host->allocate(host, sizeof *self);
  if (self == NULL) {
    return pf_fail(error, PF_STOP, "no memory for the rule");
  }
  self->host = host;
  /* channel 0 is r in any case */
  self->f.channels.count = 1;
  (void)snprintf(self->f.channels.items[0], EXPR_NAME, "r");
  if (read_names(self, given, error) != PF_OK || read_formulas(self, given, error) != PF_OK) {
    destroy(self);
    return PF_STOP;
  }
  int names_channel = 0;
  for (int i = 0; i < self->f.n_nodes; i++) {
    names_channel = names_channel || self->f.nodes[i].op == EXPR_CHANNEL;
  }
  self->f.channels.count = names_channel ? self->f.channels.count : 0;
  self->trace_order = strcmp(given->string(given, "trace_order"), "before") == 0
                          ? PF_TRACES_BEFORE_STEP
                          : PF_TRACES_AFTER_STEP;
  make_tables(self);
  *out = self;
  return PF_OK;
}

static pf_status declare(const void *object, pf_rule_declaration *out, pf_error *error)
{
  const expr *self = object;
  (void)error;
  out->parameters = (pf_parameter_table){self->parameters, (size_t)self->f.parameters.count,
                                         sizeof(pf_parameter)};
  out->modulators =
      (pf_modulator_table){self->modulators, (size_t)self->f.channels.count, sizeof(pf_modulator)};
  out->post_signals = (pf_names){self->signals, (size_t)self->f.signals.count};
  out->pre_signals = (pf_names){self->pre_signals, (size_t)self->f.pre_signals.count};
  out->traces = (pf_trace_table){self->traces, (size_t)self->f.traces.count, sizeof(pf_trace)};
  out->trace_order = self->trace_order;
  out->reads = self->reads;
  return PF_OK;
}

/* ---- describe ---- */

/** The value of a parameter, in front of `rest` of the formula. */
static void describe_number(rule_text *out, uint32_t format, double value, const char *rest)
{
  if (out->used >= out->capacity) {
    return; /* the text is cut before this number: its last sign belongs to another */
  }
  const int form = pf_sign_of_number(out->text, &out->used, value, rest);
  char number[32];
  (void)snprintf(number, sizeof number, "%.3g", form == PF_SIGN_TURNED ? -value : value);
  char *exponent = format == PF_TEXT_LATEX ? strchr(number, 'e') : NULL;
  const char *open = form == PF_SIGN_BRACKETS ? "(" : "";
  const char *close = form == PF_SIGN_BRACKETS ? ")" : "";
  if (exponent != NULL) {
    const long power = strtol(exponent + 1, NULL, 10);
    *exponent = '\0';
    rule_text_add(out, "%s%s \\times 10^{%ld}%s", open, number, power, close);
  } else {
    rule_text_add(out, "%s%s%s", open, number, close);
  }
}

/** The formula as written, with numbers for its parameters. */
static pf_status describe(const void *object, const double *theta, uint32_t format, char *text,
                          size_t capacity, pf_error *error)
{
  const expr *self = object;
  (void)error;
  rule_text out = rule_text_begin(text, capacity, format);
  for (const char *at = self->text; *at != '\0';) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_') {
      length++;
    }
    char name[EXPR_NAME] = "";
    if (length > 0 && length < EXPR_NAME) {
      memcpy(name, at, length);
      name[length] = '\0';
    }
    const int k = expr_find(&self->f.parameters, name);
    if (k >= 0 && !isdigit((unsigned char)*at)) {
      describe_number(&out, format, theta[k], at + length);
    } else if (format == PF_TEXT_LATEX && length > 1 && !isdigit((unsigned char)*at)) {
      rule_text_add(&out, "\\mathrm{");
      for (size_t i = 0; i < length; i++) {
        rule_text_add(&out, at[i] == '_' ? "\\_" : "%c", at[i]);
      }
      rule_text_add(&out, "}");
    } else if (format == PF_TEXT_LATEX && *at == '*') {
      rule_text_add(&out, " \\, ");
    } else {
      rule_text_add(&out, "%.*s", (int)(length > 0 ? length : 1), at);
    }
    at += length > 0 ? length : 1;
  }
  return PF_OK;
}

/* ---- blocks ---- */

PF_INLINE tape tape_of(const expr *self, int root)
{
  return (tape){&self->f, &self->programs[root], root};
}

/** A plane of a matrix with a leading dimension, at this tile. */
PF_INLINE tape_plane at_tile(const tape_tile *tile, const pf_real *matrix, int64_t ld)
{
  return (tape_plane){(pf_real *)(uintptr_t)(matrix + tile->row * ld + tile->column), ld};
}

PF_INLINE pf_status values_block(const tape_kernels *kernels, const expr *self, int root,
                                 const pf_block *in, pf_real *out, int64_t ld, pf_error *error)
{
  tape_tile tile;
  const tape t = tape_of(self, root);
  pf_status status = PF_OK;
  for (tape_start(&tile, &t, in, 1); tape_take(&tile); tape_next(&tile)) {
    kernels->values(0, &t, &tile, at_tile(&tile, out, ld));
    if (self->can_fail && status == PF_OK) {
      status = tape_check(&t, &tile, error);
    }
  }
  return status;
}

PF_INLINE void apply(const tape_tile *tile, const pf_update *update, tape_plane w, tape_plane dw,
                     tape_plane out)
{
  const pf_real eta = (pf_real)update->eta;
  for (int64_t r = 0; r < tile->n_rows; r++) {
    const pf_real *before = w.p + r * w.ld, *change = dw.p + r * dw.ld;
    pf_real *after = out.p + r * out.ld;
    if (update->mask == NULL) {
#pragma omp simd
      for (int64_t j = 0; j < tile->n; j++) {
        after[j] = before[j] + eta * change[j];
      }
    } else {
      const pf_real *mask = update->mask + (tile->row + r) * update->ldm + tile->column;
#pragma omp simd
      for (int64_t j = 0; j < tile->n; j++) {
        after[j] = before[j] + eta * mask[j] * change[j];
      }
    }
  }
}

PF_INLINE pf_status step_block(const tape_kernels *kernels, const expr *self, const pf_block *in,
                               const pf_update *update, pf_real *w_out, int64_t ld_out,
                               pf_error *error)
{
  tape_tile tile;
  const tape t = tape_of(self, 0);
  pf_status status = PF_OK;
  for (tape_start(&tile, &t, in, 1); tape_take(&tile); tape_next(&tile)) {
    const tape_plane dw = tape_new_plane(&tile);
    kernels->values(0, &t, &tile, dw);
    if (self->can_fail && status == PF_OK) {
      status = tape_check(&t, &tile, error);
    }
    apply(&tile, update, at_tile(&tile, in->w, in->ldw), dw, at_tile(&tile, w_out, ld_out));
  }
  return status;
}

PF_INLINE void vjp_block(const tape_kernels *kernels, const expr *self, int root,
                         const pf_block *in, const pf_real *cotangent, int64_t ld,
                         const pf_rule_gradient *gradient)
{
  tape_tile tile;
  const tape t = tape_of(self, root);
  for (tape_start(&tile, &t, in, 2); tape_take(&tile); tape_next(&tile)) {
    kernels->values(1, &t, &tile, (tape_plane){NULL, 0});
    kernels->adjoint(&t, &tile, gradient, at_tile(&tile, cotangent, ld));
  }
}

/** The cotangent of dw is eta mask gw, gw as on entry: taken before anything is added to gw. */
PF_INLINE void step_vjp_block(const tape_kernels *kernels, const expr *self, const pf_block *in,
                              const pf_update *update, const pf_rule_gradient *gradient)
{
  tape_tile tile;
  const tape t = tape_of(self, 0);
  const pf_real eta = (pf_real)update->eta;
  for (tape_start(&tile, &t, in, 2); tape_take(&tile); tape_next(&tile)) {
    const tape_plane seed = tape_new_plane(&tile);
    for (int64_t r = 0; r < tile.n_rows; r++) {
      const pf_real *gw = gradient->w + (tile.row + r) * gradient->ldw + tile.column;
      const pf_real *mask =
          update->mask != NULL ? update->mask + (tile.row + r) * update->ldm + tile.column : NULL;
      pf_real *c = seed.p + r * seed.ld;
      for (int64_t j = 0; j < tile.n; j++) {
        c[j] = (mask != NULL ? eta * mask[j] : eta) * gw[j];
      }
    }
    kernels->values(1, &t, &tile, (tape_plane){NULL, 0});
    kernels->adjoint(&t, &tile, gradient, seed);
  }
}

/** Tangent k of one formula. */
PF_INLINE void jvp_block(const tape_kernels *kernels, const expr *self, int root,
                         const pf_block *in, const pf_rule_tangent *tangent, int64_t k,
                         tape_plane out)
{
  tape_tile tile;
  const tape t = tape_of(self, root);
  tape_direction to = {
      .theta = tangent->theta != NULL ? tangent->theta + k * self->f.parameters.count : NULL,
      .post = tangent->post != NULL ? tangent->post + k * tangent->post_stride : NULL,
      .pre = tangent->pre != NULL ? tangent->pre + k * tangent->pre_stride : NULL};
  for (tape_start(&tile, &t, in, 2); tape_take(&tile); tape_next(&tile)) {
    const pf_traces *traces = tangent->traces;
    to.w = tangent->w != NULL ? at_tile(&tile, tangent->w + k * tangent->w_stride, tangent->ldw)
                              : (tape_plane){NULL, 0};
    for (int e = 0; e < self->f.traces.count; e++) {
      to.traces[e] =
          traces->synapse != NULL
              ? at_tile(&tile,
                        traces->synapse + k * tangent->traces_stride + e * traces->synapse_stride,
                        traces->ldw)
              : (tape_plane){NULL, 0};
    }
    const tape_plane value = tape_new_plane(&tile);
    kernels->values(0, &t, &tile, value);
    kernels->tangent(&t, &tile, &to, at_tile(&tile, out.p, out.ld));
  }
}

#define PF_ISA baseline
#include "expr_ops.h"
#ifdef PF_ISA_HAS_AVX2
#define PF_ISA avx2
#include "expr_ops.h"
#endif

PF_PLUGIN_ENTRY(expr)
{
  return PF_ISA_CHOOSE(plugin);
}
