/* Rules: the ops of plastfit/abi/rule.h. */
#include "core/conformance/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Slots of every op of a rule, in this order; then what the op has of its own. */
enum {
  THETA,
  PRE,
  POST,
  W,
  MODULATOR,
  MODULATOR_PRE,
  MODULATOR_POST,
  TRACE_NETWORK,
  TRACE_PRE,
  TRACE_POST,
  TRACE_SYNAPSE,
  OWN /* mask of step */
};

static const double eta = 0.375;

static const pf_rule_ops *ops_of(const cf_op *op)
{
  return op->object->plugin->rule;
}

static int64_t count_per(const void *items, size_t stride, size_t count, size_t offset,
                         uint32_t per)
{
  int64_t n = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t found;
    memcpy(&found, (const char *)items + i * stride + offset, sizeof found);
    n += found == per;
  }
  return n;
}

static int64_t n_modulators(const pf_rule_declaration *declared, uint32_t per)
{
  return count_per(declared->modulators.items, declared->modulators.stride,
                   declared->modulators.count, offsetof(pf_modulator, per), per);
}

static int64_t n_traces(const pf_rule_declaration *declared, uint32_t per)
{
  return count_per(declared->traces.items, declared->traces.stride, declared->traces.count,
                   offsetof(pf_trace, per), per);
}

static int64_t n_signals(pf_names names)
{
  return names.count > 0 ? (int64_t)names.count : 1;
}

/* ---- slots ---- */

static void build_block(cf_op *op, const cf_shape *shape)
{
  const pf_rule_declaration *declared = op->declared;
  const int64_t rows = shape->units, columns = shape->columns;
  cf_input(op, "theta", CF_DOUBLE, 1, 1, (int64_t)declared->parameters.count, CF_NOWHERE,
           CF_NOWHERE, CF_THETA, -1)
      ->parameters = &declared->parameters;
  cf_input(op, "pre", CF_REAL, 1, n_signals(declared->pre_signals), columns, CF_NOWHERE, CF_NOWHERE,
           CF_SIGNED, -1);
  cf_input(op, "post", CF_REAL, 1, n_signals(declared->post_signals), rows, CF_ALONG, CF_NOWHERE,
           CF_SIGNED, -1);
  cf_input(op, "w", CF_REAL, 1, rows, columns, CF_DOWN, CF_NOWHERE, CF_SIGNED, -1);
  cf_input(op, "modulator", CF_REAL, 1, 1, (int64_t)declared->modulators.count, CF_NOWHERE,
           CF_NOWHERE, CF_SIGNED, -1)
      ->varies = false;
  cf_input(op, "modulator_pre", CF_REAL, 1, n_modulators(declared, PF_PER_PRE), columns, CF_NOWHERE,
           CF_NOWHERE, CF_SIGNED, PRE)
      ->varies = false;
  cf_input(op, "modulator_post", CF_REAL, 1, n_modulators(declared, PF_PER_POST), rows, CF_ALONG,
           CF_NOWHERE, CF_SIGNED, POST)
      ->varies = false;
  /* the ABI has one stride between the tangents of all traces */
  const int64_t most = ((int64_t)declared->traces.count + 1) * (rows + 1) * (columns + 8) * 2 + 64;
  cf_input(op, "traces.network", CF_REAL, 1, 1, n_traces(declared, PF_PER_NETWORK), CF_NOWHERE,
           CF_NOWHERE, CF_SIGNED, -1)
      ->copy_stride = most;
  cf_input(op, "traces.pre", CF_REAL, 1, n_traces(declared, PF_PER_PRE), columns, CF_NOWHERE,
           CF_NOWHERE, CF_SIGNED, -1)
      ->copy_stride = most;
  cf_input(op, "traces.post", CF_REAL, 1, n_traces(declared, PF_PER_POST), rows, CF_ALONG,
           CF_NOWHERE, CF_SIGNED, -1)
      ->copy_stride = most;
  cf_input(op, "traces.synapse", CF_REAL, n_traces(declared, PF_PER_SYNAPSE), rows, columns,
           CF_DOWN, CF_NOWHERE, CF_SIGNED, -1)
      ->copy_stride = most;
}

static void build_forward(cf_op *op, const cf_shape *shape)
{
  build_block(op, shape);
  cf_output(op, "dw", CF_REAL, 1, shape->units, shape->columns, CF_DOWN, CF_NOWHERE, -1);
}

static void build_step(cf_op *op, const cf_shape *shape)
{
  build_block(op, shape);
  cf_input(op, "mask", CF_REAL, 1, shape->units, shape->columns, CF_DOWN, CF_NOWHERE, CF_MASK, -1);
  cf_output(op, "w_out", CF_REAL, 1, shape->units, shape->columns, CF_DOWN, CF_NOWHERE, -1);
}

static void build_update_traces(cf_op *op, const cf_shape *shape)
{
  const pf_rule_declaration *declared = op->declared;
  build_block(op, shape);
  const int64_t most = op->slots[TRACE_NETWORK].copy_stride;
  cf_output(op, "next.network", CF_REAL, 1, 1, n_traces(declared, PF_PER_NETWORK), CF_NOWHERE,
            CF_NOWHERE, -1)
      ->copy_stride = most;
  cf_output(op, "next.pre", CF_REAL, 1, n_traces(declared, PF_PER_PRE), shape->columns, CF_NOWHERE,
            CF_NOWHERE, -1)
      ->copy_stride = most;
  cf_output(op, "next.post", CF_REAL, 1, n_traces(declared, PF_PER_POST), shape->units, CF_ALONG,
            CF_NOWHERE, -1)
      ->copy_stride = most;
  cf_output(op, "next.synapse", CF_REAL, n_traces(declared, PF_PER_SYNAPSE), shape->units,
            shape->columns, CF_DOWN, CF_NOWHERE, -1)
      ->copy_stride = most;
}

/* ---- structs of the ABI ---- */

/** A table of no rows has no pointer; a block of no rows has. */
static void *at_if(bool there, const cf_array *array, const cf_range *range)
{
  return there ? cf_at(array, range) : NULL;
}

static bool has(const cf_op *op, int slot)
{
  const cf_array *a = &op->slots[slot].value;
  return slot == TRACE_NETWORK || slot == MODULATOR
             ? a->columns > 0
             : (slot == TRACE_SYNAPSE ? a->planes > 0 : a->rows > 0);
}

enum trace_member { VALUE, OTHER, TANGENT };

static const cf_array *member(const cf_slot *slot, enum trace_member which)
{
  return which == VALUE ? &slot->value : which == OTHER ? &slot->other : &slot->tangent;
}

/** Traces from four slots on; `mask`: bits of slots that are wanted; `once`: pre and network only
 * in the first block.
 */
static pf_traces traces_of(const cf_op *op, int first, enum trace_member which, uint64_t mask,
                           const cf_range *range, bool once)
{
  const cf_slot *s = &op->slots[first];
  bool on[4];
  for (int i = 0; i < 4; i++) {
    on[i] = has(op, TRACE_NETWORK + i) && (mask >> (first + i) & 1) != 0 &&
            (!once || i >= 2 || range->unit0 == 0);
  }
  return (pf_traces){.size = sizeof(pf_traces),
                     .network = at_if(on[0], member(&s[0], which), range),
                     .pre = at_if(on[1], member(&s[1], which), range),
                     .post = at_if(on[2], member(&s[2], which), range),
                     .synapse = at_if(on[3], member(&s[3], which), range),
                     .ld_pre = member(&s[1], which)->ld,
                     .ld_post = member(&s[2], which)->ld,
                     .ldw = member(&s[3], which)->ld,
                     .synapse_stride = member(&s[3], which)->stride};
}

static bool has_traces(const cf_op *op)
{
  return ((const pf_rule_declaration *)op->declared)->traces.count > 0;
}

/** `traces`: memory for what the block points to. */
static pf_block block_of(const cf_op *op, const cf_range *range, pf_traces *traces)
{
  const cf_slot *s = op->slots;
  *traces = traces_of(op, TRACE_NETWORK, VALUE, ~(uint64_t)0, range, false);
  return (pf_block){.size = sizeof(pf_block),
                    .flags = PF_STEP_PLASTIC | PF_STEP_FIT | PF_STEP_SCORE,
                    .n_rows = range->n_units,
                    .n_pre = op->shape.columns,
                    .row0 = range->row0,
                    .theta = cf_at(&s[THETA].value, range),
                    .pre = cf_at(&s[PRE].value, range),
                    .post = cf_at(&s[POST].value, range),
                    .w = cf_at(&s[W].value, range),
                    .modulator = at_if(has(op, MODULATOR), &s[MODULATOR].value, range),
                    .modulator_pre = at_if(has(op, MODULATOR_PRE), &s[MODULATOR_PRE].value, range),
                    .modulator_post =
                        at_if(has(op, MODULATOR_POST), &s[MODULATOR_POST].value, range),
                    .ld_pre = s[PRE].value.ld,
                    .ld_post = s[POST].value.ld,
                    .ldw = s[W].value.ld,
                    .traces = has_traces(op) ? traces : NULL,
                    .dt = op->dt};
}

static pf_rule_gradient gradient_of(const cf_op *op, const cf_range *range, pf_traces *traces)
{
  const cf_slot *s = op->slots;
  *traces = traces_of(op, TRACE_NETWORK, OTHER, op->wanted, range, false);
  return (pf_rule_gradient){.size = sizeof(pf_rule_gradient),
                            .theta = cf_gradient(op, THETA, range),
                            .pre = cf_gradient(op, PRE, range),
                            .post = cf_gradient(op, POST, range),
                            .w = cf_gradient(op, W, range),
                            .ld_pre = s[PRE].other.ld,
                            .ld_post = s[POST].other.ld,
                            .ldw = s[W].other.ld,
                            .traces = has_traces(op) ? traces : NULL};
}

static pf_rule_tangent tangent_of(const cf_op *op, const cf_range *range, pf_traces *traces)
{
  const cf_slot *s = op->slots;
  *traces = traces_of(op, TRACE_NETWORK, TANGENT, op->given, range, false);
  return (pf_rule_tangent){.size = sizeof(pf_rule_tangent),
                           .n_tangents = CF_TANGENTS,
                           .theta = cf_tangent(op, THETA, range),
                           .pre = cf_tangent(op, PRE, range),
                           .post = cf_tangent(op, POST, range),
                           .w = cf_tangent(op, W, range),
                           .traces = has_traces(op) ? traces : NULL,
                           .pre_stride = s[PRE].tangent.copy_stride,
                           .post_stride = s[POST].tangent.copy_stride,
                           .w_stride = s[W].tangent.copy_stride,
                           .traces_stride = s[TRACE_NETWORK].copy_stride,
                           .ldw = s[W].tangent.ld};
}

/* ---- forward ---- */

static pf_status call_forward(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const cf_array *dw = &cf_out(op, 0)->value;
  return ops_of(op)->forward(op->object->self, &in, cf_at(dw, range), dw->ld, error);
}

static pf_status call_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  pf_traces into;
  const pf_rule_gradient gradient = gradient_of(op, range, &into);
  const cf_array *c = &cf_out(op, 0)->other;
  return ops_of(op)->vjp(op->object->self, &in, cf_at(c, range), c->ld, &gradient, error);
}

static pf_status call_jvp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  pf_traces along;
  pf_rule_tangent tangent = tangent_of(op, range, &along);
  const cf_array *dw = &cf_out(op, 0)->tangent;
  tangent.dw = cf_at(dw, range);
  tangent.dw_stride = dw->copy_stride;
  tangent.lddw = dw->ld;
  return ops_of(op)->jvp(op->object->self, &in, &tangent, error);
}

static const cf_kind_op forward_op = {.call_name = "forward",
                                      .vjp_name = "vjp",
                                      .jvp_name = "jvp",
                                      .build = build_forward,
                                      .call = call_forward,
                                      .vjp = call_vjp,
                                      .jvp = call_jvp,
                                      .splits_units = true};

/* ---- step ---- */

static pf_update update_of(const cf_op *op, const cf_range *range)
{
  const cf_array *mask = &op->slots[OWN].value;
  return (pf_update){
      .size = sizeof(pf_update), .eta = eta, .mask = cf_at(mask, range), .ldm = mask->ld};
}

static pf_status call_step(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_update update = update_of(op, range);
  const cf_array *out = &cf_out(op, 0)->value;
  return ops_of(op)->step(op->object->self, &in, &update, cf_at(out, range), out->ld, error);
}

/** rows x columns of `from` into `to`, or added to it. */
static void carry(const cf_op *op, const cf_range *range, const pf_real *from, int64_t ld_from,
                  pf_real *to, int64_t ld_to, bool add)
{
  for (int64_t i = 0; i < range->n_units; i++) {
    for (int64_t j = 0; j < op->shape.columns; j++) {
      to[i * ld_to + j] = add ? to[i * ld_to + j] + from[i * ld_from + j] : from[i * ld_from + j];
    }
  }
}

/** gradient->w holds the cotangent on entry: in the memory of the output's tangents, which a step
 * has no use for. */
static pf_status call_step_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_update update = update_of(op, range);
  pf_traces into;
  pf_rule_gradient gradient = gradient_of(op, range, &into);
  const cf_array *c = &cf_out(op, 0)->other, *scratch = &cf_out(op, 0)->tangent;
  pf_real *sum = gradient.w;
  gradient.w = cf_at(scratch, range);
  gradient.ldw = scratch->ld;
  carry(op, range, cf_at(c, range), c->ld, gradient.w, gradient.ldw, false);
  const pf_status status = ops_of(op)->step_vjp(op->object->self, &in, &update, &gradient, error);
  if (sum != NULL) {
    carry(op, range, gradient.w, gradient.ldw, sum, op->slots[W].other.ld, true);
  }
  return status;
}

static const cf_kind_op step_op = {.call_name = "step",
                                   .vjp_name = "step_vjp",
                                   .build = build_step,
                                   .call = call_step,
                                   .vjp = call_step_vjp,
                                   .splits_units = true};

/** step against forward: with a mask and without, into other memory and in place. */
static void compare_with_forward(const cf_case *of, cf_shape shape)
{
  cf_case plain = *of;
  plain.kind = &forward_op;
  cf_op step, forward;
  const cf_layout layout = {.pad = CF_PAD_ALL, .at_end = true, .seed = 51};
  cf_op_make(&step, of, shape, layout);
  cf_op_make(&forward, &plain, shape, layout);
  const cf_range all = cf_whole(&step);
  cf_run_call(&forward, &all);
  pf_traces seen;
  const pf_block in = block_of(&step, &all, &seen);
  pf_update update = update_of(&step, &all);
  const cf_array *out = &cf_out(&step, 0)->value, *w = &step.slots[W].value,
                 *dw = &cf_out(&forward, 0)->value;
  for (int way = 0; way < 4; way++) {
    const bool masked = way % 2 == 0, in_place = way >= 2;
    pf_block block = in;
    pf_error error = {.size = sizeof error};
    update.mask = masked ? update_of(&step, &all).mask : NULL;
    cf_doing(of->report, "step%s%s", masked ? "" : " without a mask", in_place ? " in place" : "");
    if (in_place) {
      carry(&step, &all, in.w, in.ldw, cf_at(out, &all), out->ld, false);
      block.w = cf_at(out, &all);
      block.ldw = out->ld;
    } else {
      cf_fill_unwritten(out);
    }
    if (ops_of(&step)->step(step.object->self, &block, &update, cf_at(out, &all), out->ld,
                            &error) != PF_OK) {
      cf_find(of->report, "%s fails on ordinary input: %s", of->report->doing, error.text);
    }
    for (int64_t k = 0; k < cf_count(out); k++) {
      const double m = masked ? cf_get(&step.slots[OWN].value, k) : 1.0;
      const double expected = cf_get(w, k) + eta * m * cf_get(dw, k), found = cf_get(out, k);
      if (!(fabs(found - expected) <=
            cf_rounding() * (1 + fabs(expected) + fabs(eta * cf_get(dw, k))))) {
        char name[64];
        cf_find(of->report,
                "%s: %s is %.9g, expected %.9g, w + eta mask dw with dw of forward (mask %g)%s",
                of->report->doing, cf_name(out, k, name, sizeof name), found, expected, m,
                m == 0.0 ? ": where the mask is 0, w stays" : "");
      }
      of->report->n_values++;
    }
  }
  cf_op_free(&step);
  cf_op_free(&forward);
}

/** dw must not change with what `declare` leaves out of `reads`: a host gives that late, or not at
 * all. */
static void check_reads(const cf_case *of, cf_shape shape, uint32_t reads)
{
  static const struct {
    int slot;
    uint32_t flag;
    const char *name;
  } inputs[] = {{PRE, PF_READS_PRE, "PF_READS_PRE"},
                {POST, PF_READS_POST, "PF_READS_POST"},
                {W, PF_READS_WEIGHT, "PF_READS_WEIGHT"},
                {MODULATOR, PF_READS_MODULATOR, "PF_READS_MODULATOR"}};
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_NONE, .seed = 71});
  const cf_range all = cf_whole(&op);
  const cf_array *dw = &cf_out(&op, 0)->value;
  double *before = malloc(((size_t)cf_count(dw) + 1) * sizeof *before);
  if (before == NULL) {
    abort();
  }
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
    const cf_array *input = &cf_in(&op, inputs[i].slot)->value;
    if (reads == 0 || (reads & inputs[i].flag) != 0) {
      continue;
    }
    cf_run_call(&op, &all);
    for (int64_t k = 0; k < cf_count(dw); k++) {
      before[k] = cf_get(dw, k);
    }
    for (int64_t k = 0; k < cf_count(input); k++) {
      cf_set(input, k, 0.3 - 0.7 * cf_get(input, k));
    }
    cf_run_call(&op, &all);
    for (int64_t k = 0; k < cf_count(dw); k++) {
      const double after = cf_get(dw, k);
      if (!(after == before[k] || (isnan(after) && isnan(before[k])))) {
        char name[64];
        cf_find(of->report, "%s changes with %s, which `reads` leaves out: %.9g, then %.9g; say %s",
                cf_name(dw, k, name, sizeof name), cf_in(&op, inputs[i].slot)->value.name,
                before[k], after, inputs[i].name);
        break;
      }
      of->report->n_values++;
    }
  }
  free(before);
  cf_op_free(&op);
}

/* ---- advance ---- */

static pf_status call_update_traces(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_traces next = traces_of(op, op->n_in, VALUE, ~(uint64_t)0, range, true);
  return ops_of(op)->update_traces(op->object->self, &in, &next, error);
}

static pf_status call_update_traces_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_traces cotangent = traces_of(op, op->n_in, OTHER, ~(uint64_t)0, range, true);
  pf_traces into;
  const pf_rule_gradient gradient = gradient_of(op, range, &into);
  return ops_of(op)->update_traces_vjp(op->object->self, &in, &cotangent, &gradient, error);
}

static pf_status call_update_traces_jvp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  pf_traces along;
  const pf_rule_tangent tangent = tangent_of(op, range, &along);
  const pf_traces next = traces_of(op, op->n_in, TANGENT, ~(uint64_t)0, range, true);
  return ops_of(op)->update_traces_jvp(op->object->self, &in, &tangent, &next, error);
}

static const cf_kind_op update_traces_op = {.call_name = "advance",
                                            .vjp_name = "advance_vjp",
                                            .jvp_name = "advance_jvp",
                                            .build = build_update_traces,
                                            .call = call_update_traces,
                                            .vjp = call_update_traces_vjp,
                                            .jvp = call_update_traces_jvp,
                                            .splits_units = true};

/* ---- describe ---- */

static void check_describe(cf_report *report, const cf_object *object,
                           const pf_rule_declaration *declared)
{
  enum { FULL = 65536 };
  double *theta = calloc(declared->parameters.count + 1, sizeof *theta);
  char *full = malloc(FULL);
  if (theta == NULL || full == NULL) {
    abort();
  }
  uint64_t state = 5;
  for (size_t k = 0; k < declared->parameters.count; k++) {
    theta[k] = cf_signed(&state);
  }
  for (uint32_t format = PF_TEXT_PLAIN; format <= PF_TEXT_LATEX; format++) {
    pf_error error = {.size = sizeof error};
    cf_doing(report, "describe");
    memset(full, 'x', FULL);
    if (object->plugin->rule->describe(object->self, theta, format, full, FULL, &error) != PF_OK ||
        memchr(full, '\0', FULL) == NULL || full[0] == '\0') {
      cf_find(report,
              "describe gives no text, or one that does not end with 0, with room for %d letters",
              FULL);
    }
    const size_t length = strlen(full);
    const size_t rooms[] = {0, 1, 2, 7, length, length + 1};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
      cf_array text = {.name = "text",
                       .type = CF_BYTE,
                       .copies = 1,
                       .planes = 1,
                       .rows = 1,
                       .columns = (int64_t)rooms[i],
                       .ld = (int64_t)rooms[i]};
      cf_array_allocate(&text, true);
      cf_watch_array(report, &text);
      cf_doing(report, "describe with capacity %zu", rooms[i]);
      memset(text.cells, 'x', rooms[i]);
      (void)object->plugin->rule->describe(object->self, theta, format, text.cells, rooms[i],
                                           &error);
      const char *end = rooms[i] == 0 ? NULL : memchr(text.cells, '\0', rooms[i]);
      if (rooms[i] > 0 &&
          (end == NULL || strncmp(text.cells, full, (size_t)(end - text.cells)) != 0)) {
        cf_find(report, "%s: the text does not end with 0, or is not the start of the whole text",
                report->doing);
      }
      report->n_values++;
      cf_forget_array(report, &text);
      cf_array_free(&text);
    }
  }
  free(theta);
  free(full);
}

/* ---- groups ---- */

typedef struct rule_bench {
  cf_pair pair;
  pf_rule_declaration declared;
  cf_case of;
} rule_bench;

static void bench_make(cf_report *report, const cf_variant *variant, const cf_kind_op *kind,
                       rule_bench *bench)
{
  cf_pair_make(report, variant, &bench->pair);
  memset(&bench->declared, 0, sizeof bench->declared);
  bench->declared.size = sizeof bench->declared;
  pf_error error = {.size = sizeof error};
  cf_doing(report, "needs");
  if (variant->plugin->rule->declare(bench->pair.object.self, &bench->declared, &error) != PF_OK) {
    cf_find(report, "needs fails: %s", error.text);
  }
  bench->of = (cf_case){.kind = kind,
                        .object = &bench->pair.object,
                        .declared = &bench->declared,
                        .report = report,
                        .dt = cf_setting(variant, "dt", 1.5)};
}

static void check_declarations(cf_report *report, const void *what)
{
  const cf_variant *variant = what;
  const pf_rule_ops *ops = variant->plugin->rule;
  rule_bench bench;
  bench_make(report, variant, &forward_op, &bench);
  cf_check_size(report, "pf_rule_ops", ops->size, sizeof *ops);
  cf_check_parameters(report, bench.declared.parameters);
  cf_check_names(report, "presynaptic signal", bench.declared.pre_signals);
  cf_check_names(report, "postsynaptic signal", bench.declared.post_signals);
  for (size_t i = 0; i < bench.declared.modulators.count; i++) {
    const pf_modulator *m =
        pf_table_at(bench.declared.modulators.items, bench.declared.modulators.stride,
                    bench.declared.modulators.count, i);
    if (m->name == NULL || m->per > PF_PER_POST) {
      cf_find(
          report,
          "modulator %zu has no name, or is per %u, which is none of enum pf_per for modulators", i,
          (unsigned)m->per);
    }
  }
  for (size_t i = 0; i < bench.declared.traces.count; i++) {
    const pf_trace *t = pf_table_at(bench.declared.traces.items, bench.declared.traces.stride,
                                    bench.declared.traces.count, i);
    if (t->name == NULL || t->per > PF_PER_SYNAPSE) {
      cf_find(report, "trace %zu has no name, or is per %u, which is none of enum pf_per", i,
              (unsigned)t->per);
    }
  }
  if (bench.declared.traces.count > 0 && (CF_OP(ops, pf_rule_ops, update_traces) == NULL ||
                                          CF_OP(ops, pf_rule_ops, update_traces_vjp) == NULL)) {
    cf_find(report, "it declares traces, and has no %s",
            CF_OP(ops, pf_rule_ops, update_traces) == NULL ? "advance" : "advance_vjp");
  }
  if ((CF_OP(ops, pf_rule_ops, step) == NULL) != (CF_OP(ops, pf_rule_ops, step_vjp) == NULL)) {
    cf_find(report, "step and step_vjp come together; it has one of them");
  }
  if (CF_OP(ops, pf_rule_ops, describe) != NULL) {
    check_describe(report, &bench.pair.object, &bench.declared);
  }
  cf_pair_end(report, &bench.pair);
}

/* Columns fewer and more than a vector, and more than a stretch of a loop; narrow blocks, whose
 * rows a kernel may lay side by side, with rows left over that are as many as the columns are
 * elsewhere. */
static const cf_shape shapes[] = {{1, 1, 1}, {10, 2, 1}, {9, 3, 1},  {6, 5, 1},
                                  {3, 7, 1}, {5, 13, 1}, {4, 37, 1}, {2, 600, 1}};
static const cf_shape empty[] = {{0, 4, 1}, {4, 0, 1}, {0, 0, 1}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], N_EMPTY = 3 };
static const cf_shape small = {5, 7, 1}, wide = {3, 19, 1};

static void check_values_of(cf_report *report, const cf_variant *variant, const cf_kind_op *kind)
{
  rule_bench bench;
  bench_make(report, variant, kind, &bench);
  cf_check_values(&bench.of, shapes, N_SHAPES, &bench.pair.reference);
  if (kind == &forward_op) {
    check_reads(&bench.of, small, bench.declared.reads);
  }
  if (kind == &step_op) {
    compare_with_forward(&bench.of, small);
    compare_with_forward(&bench.of, wide);
  }
  cf_pair_end(report, &bench.pair);
}

static void check_derivatives_of(cf_report *report, const cf_variant *variant,
                                 const cf_kind_op *kind)
{
  rule_bench bench;
  bench_make(report, variant, kind, &bench);
  cf_check_accumulates(&bench.of, small);
  cf_check_slopes(&bench.of, small, 100);
  cf_check_slopes(&bench.of, wide, 40);
  cf_check_unwanted(&bench.of, small);
  cf_check_vjp_parts(&bench.of, small);
  cf_check_vjp_parts(&bench.of, wide);
  cf_check_unwanted(&bench.of, (cf_shape){2, 600, 1});
  cf_check_accumulates(&bench.of, (cf_shape){2, 600, 1});
  cf_check_remainder(&bench.of, small);
  cf_pair_end(report, &bench.pair);
}

static void check_hostile_of(cf_report *report, const cf_variant *variant, const cf_kind_op *kind)
{
  rule_bench bench;
  bench_make(report, variant, kind, &bench);
  cf_case of = bench.of;
  cf_kind_op without_jvp = *kind;
  if ((kind == &forward_op && CF_OP(variant->plugin->rule, pf_rule_ops, jvp) == NULL) ||
      (kind == &update_traces_op &&
       CF_OP(variant->plugin->rule, pf_rule_ops, update_traces_jvp) == NULL)) {
    without_jvp.jvp = NULL;
    of.kind = &without_jvp;
  }
  cf_check_empty(&of, empty, N_EMPTY);
  cf_check_not_finite(&of, small);
  cf_pair_end(report, &bench.pair);
}

static void check_tangents_of(cf_report *report, const cf_variant *variant, const cf_kind_op *kind)
{
  rule_bench bench;
  bench_make(report, variant, kind, &bench);
  cf_check_tangents(&bench.of, small);
  cf_check_tangents(&bench.of, (cf_shape){1, 1, 1});
  cf_check_tangents(&bench.of, wide);
  cf_check_tangents(&bench.of, (cf_shape){2, 600, 1});
  cf_pair_end(report, &bench.pair);
}

#define GROUPS(op)                                                        \
  static void values_of_##op(cf_report *report, const void *variant)      \
  {                                                                       \
    check_values_of(report, variant, &op##_op);                           \
  }                                                                       \
  static void derivatives_of_##op(cf_report *report, const void *variant) \
  {                                                                       \
    check_derivatives_of(report, variant, &op##_op);                      \
  }                                                                       \
  static void hostile_of_##op(cf_report *report, const void *variant)     \
  {                                                                       \
    check_hostile_of(report, variant, &op##_op);                          \
  }
GROUPS(forward)
GROUPS(step)
GROUPS(update_traces)

static void tangents_of_forward(cf_report *report, const void *variant)
{
  check_tangents_of(report, variant, &forward_op);
}

static void tangents_of_update_traces(cf_report *report, const void *variant)
{
  check_tangents_of(report, variant, &update_traces_op);
}

#define HAS(op)                                          \
  static bool has_##op(const pf_plugin *plugin)          \
  {                                                      \
    return CF_OP(plugin->rule, pf_rule_ops, op) != NULL; \
  }
HAS(jvp)
HAS(step)
HAS(step_vjp)
HAS(update_traces)
HAS(update_traces_vjp)
HAS(update_traces_jvp)

const cf_checks cf_rule_checks[] = {
    {"create, destroy, options", cf_check_life, NULL},
    {"needs, describe", check_declarations, NULL},
    {"forward", values_of_forward, NULL},
    {"vjp", derivatives_of_forward, NULL},
    {"forward, vjp: no rows, no columns, NaN, infinities", hostile_of_forward, NULL},
    {"jvp", tangents_of_forward, has_jvp},
    {"step", values_of_step, has_step},
    {"step_vjp", derivatives_of_step, has_step_vjp},
    {"step, step_vjp: no rows, no columns, NaN, infinities", hostile_of_step, has_step_vjp},
    {"advance", values_of_update_traces, has_update_traces},
    {"advance_vjp", derivatives_of_update_traces, has_update_traces_vjp},
    {"advance, advance_vjp: no rows, no columns, NaN, infinities", hostile_of_update_traces,
     has_update_traces_vjp},
    {"advance_jvp", tangents_of_update_traces, has_update_traces_jvp},
    {NULL, NULL, NULL},
};
