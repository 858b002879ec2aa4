/* Rules: the ops of plastfit/abi/rule.h. */
#include "core/conformance/derivatives.h"
#include "core/conformance/kinds.h"
#include "core/conformance/values.h"

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
  return op->of.object->plugin->rule;
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

/** Traces of network, presynaptic and postsynaptic units, and synapses: the slot of one of them. */
static cf_slot trace_slot(const cf_op *op, int which, const char *name)
{
  static const uint32_t per[4] = {PF_PER_NETWORK, PF_PER_PRE, PF_PER_POST, PF_PER_SYNAPSE};
  const pf_rule_declaration *declared = op->of.declared;
  const int64_t n = n_traces(declared, per[which]), units = op->shape.units,
                columns = op->shape.columns;
  const cf_array shapes[4] = {{.planes = 1, .rows = 1, .columns = n},
                              {.planes = 1, .rows = n, .columns = columns},
                              {.planes = 1, .rows = n, .columns = units, .units = CF_ALONG},
                              {.planes = n, .rows = units, .columns = columns, .units = CF_DOWN}};
  cf_slot slot = {.value = shapes[which]};
  slot.value.name = name;
  /* the ABI has one stride between the tangents of all traces */
  slot.copy_stride = ((int64_t)declared->traces.count + 1) * (units + 1) * (columns + 8) * 2 + 64;
  return slot;
}

static void build_block(cf_op *op, const cf_shape *shape)
{
  static const char *const traces[4] = {"traces.network", "traces.pre", "traces.post",
                                        "traces.synapse"};
  const pf_rule_declaration *declared = op->of.declared;
  const int64_t units = shape->units, columns = shape->columns;
  cf_slot inputs[] = {
      cf_matrix("pre", n_signals(declared->pre_signals), columns, CF_NOWHERE),
      cf_matrix("post", n_signals(declared->post_signals), units, CF_ALONG),
      cf_matrix("w", units, columns, CF_DOWN),
      cf_matrix("modulator", 1, (int64_t)declared->modulators.count, CF_NOWHERE),
      cf_matrix("modulator_pre", n_modulators(declared, PF_PER_PRE), columns, CF_NOWHERE),
      cf_matrix("modulator_post", n_modulators(declared, PF_PER_POST), units, CF_ALONG)};
  for (int k = MODULATOR; k <= MODULATOR_POST; k++) {
    inputs[k - PRE].fixed = true;
  }
  inputs[MODULATOR_PRE - PRE].like = PRE;
  inputs[MODULATOR_POST - PRE].like = POST;
  cf_input_theta(op, &declared->parameters);
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
    cf_input(op, &inputs[i]);
  }
  for (int i = 0; i < 4; i++) {
    const cf_slot trace = trace_slot(op, i, traces[i]);
    cf_input(op, &trace);
  }
}

static void build_forward(cf_op *op, const cf_shape *shape)
{
  const cf_slot dw = cf_matrix("dw", shape->units, shape->columns, CF_DOWN);
  build_block(op, shape);
  cf_output(op, &dw);
}

static void build_step(cf_op *op, const cf_shape *shape)
{
  cf_slot mask = cf_matrix("mask", shape->units, shape->columns, CF_DOWN);
  const cf_slot w_out = cf_matrix("w_out", shape->units, shape->columns, CF_DOWN);
  mask.fill = CF_MASK;
  build_block(op, shape);
  cf_input(op, &mask);
  cf_output(op, &w_out);
}

static void build_update_traces(cf_op *op, const cf_shape *shape)
{
  static const char *const next[4] = {"next.network", "next.pre", "next.post", "next.synapse"};
  build_block(op, shape);
  for (int i = 0; i < 4; i++) {
    const cf_slot trace = trace_slot(op, i, next[i]);
    cf_output(op, &trace);
  }
}

/* ---- structs of the ABI ---- */

/** A table of no rows has no pointer; a block of no rows has. */
static void *at_if(bool there, const cf_array *array, const cf_range *range)
{
  return there ? cf_at(array, range) : NULL;
}

static bool has_any(const cf_op *op, int slot)
{
  const cf_array *a = &op->slots[slot].value;
  if (slot == TRACE_NETWORK || slot == MODULATOR) {
    return a->columns > 0;
  }
  return slot == TRACE_SYNAPSE ? a->planes > 0 : a->rows > 0;
}

/** Traces from four slots on; `mask`: bits of slots that are wanted; `once`: pre and network only
 * in the first block.
 */
static pf_traces traces_of(const cf_op *op, int first, enum cf_member which, uint64_t mask,
                           const cf_range *range, bool once)
{
  const cf_slot *s = &op->slots[first];
  bool on[4];
  for (int i = 0; i < 4; i++) {
    on[i] = has_any(op, TRACE_NETWORK + i) && (mask >> (first + i) & 1) != 0 &&
            (!once || i >= 2 || range->unit0 == 0);
  }
  return (pf_traces){.size = sizeof(pf_traces),
                     .network = at_if(on[0], cf_member_of(&s[0], which), range),
                     .pre = at_if(on[1], cf_member_of(&s[1], which), range),
                     .post = at_if(on[2], cf_member_of(&s[2], which), range),
                     .synapse = at_if(on[3], cf_member_of(&s[3], which), range),
                     .ld_pre = cf_member_of(&s[1], which)->ld,
                     .ld_post = cf_member_of(&s[2], which)->ld,
                     .ldw = cf_member_of(&s[3], which)->ld,
                     .synapse_stride = cf_member_of(&s[3], which)->stride};
}

static bool has_traces(const cf_op *op)
{
  return ((const pf_rule_declaration *)op->of.declared)->traces.count > 0;
}

/** `traces`: memory for what the block points to. */
static pf_block block_of(const cf_op *op, const cf_range *range, pf_traces *traces)
{
  const cf_slot *s = op->slots;
  *traces = traces_of(op, TRACE_NETWORK, CF_VALUE, ~(uint64_t)0, range, false);
  return (pf_block){
      .size = sizeof(pf_block),
      .flags = PF_STEP_PLASTIC | PF_STEP_FIT | PF_STEP_SCORE,
      .n_rows = range->n_units,
      .n_pre = op->shape.columns,
      .row0 = range->row0,
      .theta = cf_at(&s[THETA].value, range),
      .pre = cf_at(&s[PRE].value, range),
      .post = cf_at(&s[POST].value, range),
      .w = cf_at(&s[W].value, range),
      .modulator = at_if(has_any(op, MODULATOR), &s[MODULATOR].value, range),
      .modulator_pre = at_if(has_any(op, MODULATOR_PRE), &s[MODULATOR_PRE].value, range),
      .modulator_post = at_if(has_any(op, MODULATOR_POST), &s[MODULATOR_POST].value, range),
      .ld_pre = s[PRE].value.ld,
      .ld_post = s[POST].value.ld,
      .ldw = s[W].value.ld,
      .traces = has_traces(op) ? traces : NULL,
      .dt = op->of.dt};
}

static pf_rule_gradient gradient_of(const cf_op *op, const cf_range *range, pf_traces *traces)
{
  const cf_slot *s = op->slots;
  *traces = traces_of(op, TRACE_NETWORK, CF_OTHER, op->wanted, range, false);
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
  *traces = traces_of(op, TRACE_NETWORK, CF_TANGENT, op->given, range, false);
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
  return ops_of(op)->forward(op->of.object->self, &in, cf_at(dw, range), dw->ld, error);
}

static pf_status call_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  pf_traces into;
  const pf_rule_gradient gradient = gradient_of(op, range, &into);
  const cf_array *c = &cf_out(op, 0)->other;
  return ops_of(op)->vjp(op->of.object->self, &in, cf_at(c, range), c->ld, &gradient, error);
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
  return ops_of(op)->jvp(op->of.object->self, &in, &tangent, error);
}

static const cf_kind_op forward_op = {.call_name = "forward",
                                      .vjp_name = "vjp",
                                      .jvp_name = "jvp",
                                      .build = build_forward,
                                      .call = call_forward,
                                      .vjp = call_vjp,
                                      .jvp = call_jvp,
                                      .jvp_offset = offsetof(pf_rule_ops, jvp),
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
  return ops_of(op)->step(op->of.object->self, &in, &update, cf_at(out, range), out->ld, error);
}

/** A block of weights somewhere. */
typedef struct weights {
  pf_real *w;
  int64_t ld;
} weights;

static void copy_weights(const cf_op *op, const cf_range *range, weights from, weights to)
{
  for (int64_t i = 0; i < range->n_units; i++) {
    memcpy(to.w + i * to.ld, from.w + i * from.ld, (size_t)op->shape.columns * sizeof *to.w);
  }
}

static void add_weights(const cf_op *op, const cf_range *range, weights from, weights to)
{
  for (int64_t i = 0; i < range->n_units; i++) {
    for (int64_t j = 0; j < op->shape.columns; j++) {
      to.w[i * to.ld + j] += from.w[i * from.ld + j];
    }
  }
}

static weights weights_at(const cf_array *array, const cf_range *range)
{
  return (weights){cf_at(array, range), array->ld};
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
  const weights sum = {gradient.w, gradient.ldw}, w = weights_at(scratch, range);
  gradient.w = w.w;
  gradient.ldw = w.ld;
  copy_weights(op, range, weights_at(c, range), w);
  const pf_status status =
      ops_of(op)->step_vjp(op->of.object->self, &in, &update, &gradient, error);
  if (sum.w != NULL) {
    add_weights(op, range, w, sum);
  }
  return status;
}

static const cf_kind_op step_op = {.call_name = "step",
                                   .vjp_name = "step_vjp",
                                   .build = build_step,
                                   .call = call_step,
                                   .vjp = call_step_vjp,
                                   .splits_units = true};

/** w + eta mask dw, cell by cell. */
static void need_step(const cf_op *step, const cf_array *dw, bool masked)
{
  const cf_array *out = &cf_out(step, 0)->value, *w = &step->slots[W].value,
                 *mask = &step->slots[OWN].value;
  for (int64_t k = 0; k < cf_count(out); k++) {
    const double m = masked ? cf_get(mask, k) : 1.0, change = eta * cf_get(dw, k);
    const double expected = cf_get(w, k) + m * change, found = cf_get(out, k);
    if (!(fabs(found - expected) <= cf_rounding() * (1 + fabs(expected) + fabs(change)))) {
      char name[CF_TEXT];
      cf_find(step->report,
              "%s: %s is %.9g, expected %.9g, w + eta mask dw with dw of forward (mask %g)%s",
              step->report->doing, cf_name(out, k, name, sizeof name), found, expected, m,
              m == 0.0 ? ": where the mask is 0, w stays" : "");
    }
    step->report->n_values++;
  }
}

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
  const cf_array *out = &cf_out(&step, 0)->value;
  const weights w = weights_at(&step.slots[W].value, &all), w_out = weights_at(out, &all);
  for (int way = 0; way < 4; way++) {
    const bool masked = way % 2 == 0, in_place = way >= 2;
    pf_traces seen;
    pf_block block = block_of(&step, &all, &seen);
    pf_update update = update_of(&step, &all);
    pf_error error = {.size = sizeof error};
    update.mask = masked ? update.mask : NULL;
    cf_doing(of->report, "step%s%s", masked ? "" : " without a mask", in_place ? " in place" : "");
    cf_fill_unwritten(out);
    if (in_place) {
      copy_weights(&step, &all, w, w_out);
      block.w = w_out.w;
      block.ldw = w_out.ld;
    }
    cf_need_ok(of->report,
               ops_of(&step)->step(of->object->self, &block, &update, w_out.w, w_out.ld, &error),
               &error);
    need_step(&step, &cf_out(&forward, 0)->value, masked);
  }
  cf_op_free(&step);
  cf_op_free(&forward);
}

/** dw must not change with what `declare` leaves out of `reads`: a host gives that late, or not at
 * all. */
static void check_read(cf_op *op, int slot, const char *flag)
{
  const cf_array *dw = &cf_out(op, 0)->value, *input = &op->slots[slot].value;
  cf_run_whole(op);
  cf_numbers before = cf_numbers_take(op, CF_VALUE);
  for (int64_t k = 0; k < cf_count(input); k++) {
    cf_set(input, k, 0.3 - 0.7 * cf_get(input, k));
  }
  cf_run_whole(op);
  for (int64_t k = 0; k < cf_count(dw); k++) {
    const double was = before.of[op->n_in][k], is = cf_get(dw, k);
    if (!(is == was || (isnan(is) && isnan(was)))) {
      char name[CF_TEXT];
      cf_find(op->report, "%s changes with %s, which `reads` leaves out: %.9g, then %.9g; say %s",
              cf_name(dw, k, name, sizeof name), input->name, was, is, flag);
    }
    op->report->n_values++;
  }
  cf_numbers_free(&before);
}

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
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
    if (reads != 0 && (reads & inputs[i].flag) == 0) {
      check_read(&op, inputs[i].slot, inputs[i].name);
    }
  }
  cf_op_free(&op);
}

/* ---- update_traces ---- */

static pf_status call_update_traces(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_traces next = traces_of(op, op->n_in, CF_VALUE, ~(uint64_t)0, range, true);
  return ops_of(op)->update_traces(op->of.object->self, &in, &next, error);
}

static pf_status call_update_traces_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  const pf_traces cotangent = traces_of(op, op->n_in, CF_OTHER, ~(uint64_t)0, range, true);
  pf_traces into;
  const pf_rule_gradient gradient = gradient_of(op, range, &into);
  return ops_of(op)->update_traces_vjp(op->of.object->self, &in, &cotangent, &gradient, error);
}

static pf_status call_update_traces_jvp(const cf_op *op, const cf_range *range, pf_error *error)
{
  pf_traces seen;
  const pf_block in = block_of(op, range, &seen);
  pf_traces along;
  const pf_rule_tangent tangent = tangent_of(op, range, &along);
  const pf_traces next = traces_of(op, op->n_in, CF_TANGENT, ~(uint64_t)0, range, true);
  return ops_of(op)->update_traces_jvp(op->of.object->self, &in, &tangent, &next, error);
}

static const cf_kind_op update_traces_op = {.call_name = "update_traces",
                                            .vjp_name = "update_traces_vjp",
                                            .jvp_name = "update_traces_jvp",
                                            .build = build_update_traces,
                                            .call = call_update_traces,
                                            .vjp = call_update_traces_vjp,
                                            .jvp = call_update_traces_jvp,
                                            .jvp_offset = offsetof(pf_rule_ops, update_traces_jvp),
                                            .splits_units = true};

/* ---- describe ---- */

enum { FULL = 65536 };

typedef struct description {
  cf_bench *bench;
  const double *theta;
  uint32_t format;
  const char *full; /**< the whole text */
} description;

static pf_status call_describe(const description *d, char *text, size_t room, pf_error *error)
{
  const cf_object *object = &d->bench->object;
  return object->plugin->rule->describe(object->self, d->theta, d->format, text, room, error);
}

/** With room for so many letters: the start of the whole text, ended by 0. */
static void check_room(const description *d, size_t room)
{
  cf_report *report = d->bench->report;
  pf_error error = {.size = sizeof error};
  cf_array text;
  cf_guard_vector(report, &text, "text", CF_BYTE, (int64_t)room);
  cf_doing(report, "describe with capacity %zu", room);
  memset(text.cells, 'x', room);
  (void)call_describe(d, text.cells, room, &error);
  const char *end = room == 0 ? NULL : memchr(text.cells, '\0', room);
  if (room > 0 && (end == NULL || strncmp(text.cells, d->full, (size_t)(end - text.cells)) != 0)) {
    cf_find(report, "%s: the text does not end with 0, or is not the start of the whole text",
            report->doing);
  }
  report->n_values++;
  cf_release_array(report, &text);
}

static void check_describe(cf_bench *bench)
{
  const size_t n = bench->declared.rule.parameters.count;
  double *theta = calloc(n + 1, sizeof *theta);
  char *full = malloc(FULL);
  if (theta == NULL || full == NULL) {
    abort();
  }
  uint64_t state = 5;
  for (size_t k = 0; k < n; k++) {
    theta[k] = cf_signed(&state);
  }
  description d = {.bench = bench, .theta = theta, .full = full};
  for (d.format = PF_TEXT_PLAIN; d.format <= PF_TEXT_LATEX; d.format++) {
    pf_error error = {.size = sizeof error};
    cf_doing(bench->report, "describe");
    memset(full, 'x', FULL);
    if (call_describe(&d, full, FULL, &error) != PF_OK || memchr(full, '\0', FULL) == NULL ||
        full[0] == '\0') {
      cf_find(bench->report,
              "describe gives no text, or one that does not end with 0, with room for %d letters",
              FULL);
    }
    const size_t length = strlen(full);
    const size_t rooms[] = {0, 1, 2, 7, length, length + 1};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
      check_room(&d, rooms[i]);
    }
  }
  free(theta);
  free(full);
}

/* ---- groups ---- */

static void check_tables(cf_report *report, const pf_rule_declaration *declared)
{
  for (size_t i = 0; i < declared->modulators.count; i++) {
    const pf_modulator *m = pf_table_at(declared->modulators.items, declared->modulators.stride,
                                        declared->modulators.count, i);
    if (m->name == NULL || m->per > PF_PER_POST) {
      cf_find(
          report,
          "modulator %zu has no name, or is per %u, which is none of enum pf_per for modulators", i,
          (unsigned)m->per);
    }
  }
  for (size_t i = 0; i < declared->traces.count; i++) {
    const pf_trace *t =
        pf_table_at(declared->traces.items, declared->traces.stride, declared->traces.count, i);
    if (t->name == NULL || t->per > PF_PER_SYNAPSE) {
      cf_find(report, "trace %zu has no name, or is per %u, which is none of enum pf_per", i,
              (unsigned)t->per);
    }
  }
}

static void check_declaration(cf_bench *bench)
{
  const pf_rule_ops *ops = bench->variant->plugin->rule;
  const pf_rule_declaration *declared = &bench->declared.rule;
  cf_check_size(bench->report, "pf_rule_ops", ops->size, sizeof *ops);
  cf_check_parameters(bench->report, declared->parameters);
  cf_check_names(bench->report, "presynaptic signal", declared->pre_signals);
  cf_check_names(bench->report, "postsynaptic signal", declared->post_signals);
  check_tables(bench->report, declared);
  const bool updates = CF_OP(ops, pf_rule_ops, update_traces) != NULL;
  if (declared->traces.count > 0 &&
      (!updates || CF_OP(ops, pf_rule_ops, update_traces_vjp) == NULL)) {
    cf_find(bench->report, "it declares traces, and has no %s",
            updates ? "update_traces_vjp" : "update_traces");
  }
  if ((CF_OP(ops, pf_rule_ops, step) == NULL) != (CF_OP(ops, pf_rule_ops, step_vjp) == NULL)) {
    cf_find(bench->report, "step and step_vjp come together; it has one of them");
  }
  if (CF_OP(ops, pf_rule_ops, describe) != NULL) {
    check_describe(bench);
  }
}

/* Columns fewer and more than a vector, and more than a stretch of a loop; narrow blocks, whose
 * rows a kernel may lay side by side, with rows left over that are as many as the columns are
 * elsewhere. */
static const cf_shape shapes[] = {{1, 1, 1}, {10, 2, 1}, {9, 3, 1},  {6, 5, 1},
                                  {3, 7, 1}, {5, 13, 1}, {4, 37, 1}, {2, 600, 1}};
static const cf_shape empty[] = {{0, 4, 1}, {4, 0, 1}, {0, 0, 1}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], N_EMPTY = 3 };
static const cf_shape single = {1, 1, 1}, small = {5, 7, 1}, wide = {3, 19, 1},
                      long_rows = {2, 600, 1};

static void check_values(cf_bench *bench)
{
  cf_check_values(&bench->of, shapes, N_SHAPES, &bench->reference);
}

static void check_forward(cf_bench *bench)
{
  check_values(bench);
  check_reads(&bench->of, small, bench->declared.rule.reads);
}

static void check_step(cf_bench *bench)
{
  check_values(bench);
  compare_with_forward(&bench->of, small);
  compare_with_forward(&bench->of, wide);
}

static void check_derivatives(cf_bench *bench)
{
  cf_check_accumulates(&bench->of, small);
  cf_check_slopes(&bench->of, small, 100);
  cf_check_slopes(&bench->of, wide, 40);
  cf_check_unwanted(&bench->of, small);
  cf_check_vjp_parts(&bench->of, small);
  cf_check_vjp_parts(&bench->of, wide);
  cf_check_unwanted(&bench->of, long_rows);
  cf_check_accumulates(&bench->of, long_rows);
  cf_check_remainder(&bench->of, small);
}

static void check_hostile(cf_bench *bench)
{
  cf_check_empty(&bench->of, empty, N_EMPTY);
  cf_check_not_finite(&bench->of, small);
}

static void check_tangents(cf_bench *bench)
{
  cf_check_tangents(&bench->of, small);
  cf_check_tangents(&bench->of, single);
  cf_check_tangents(&bench->of, wide);
  cf_check_tangents(&bench->of, long_rows);
}

#define NEEDS(op) offsetof(pf_rule_ops, op)
const cf_checks cf_rule_checks[] = {
    {"declare, describe", 0, NULL, check_declaration},
    {"forward", 0, &forward_op, check_forward},
    {"vjp", 0, &forward_op, check_derivatives},
    {"forward, vjp: no rows, no columns, NaN, infinities", 0, &forward_op, check_hostile},
    {"jvp", NEEDS(jvp), &forward_op, check_tangents},
    {"step", NEEDS(step), &step_op, check_step},
    {"step_vjp", NEEDS(step_vjp), &step_op, check_derivatives},
    {"step, step_vjp: no rows, no columns, NaN, infinities", NEEDS(step_vjp), &step_op,
     check_hostile},
    {"update_traces", NEEDS(update_traces), &update_traces_op, check_values},
    {"update_traces_vjp", NEEDS(update_traces_vjp), &update_traces_op, check_derivatives},
    {"update_traces, update_traces_vjp: no rows, no columns, NaN, infinities",
     NEEDS(update_traces_vjp), &update_traces_op, check_hostile},
    {"update_traces_jvp", NEEDS(update_traces_jvp), &update_traces_op, check_tangents},
    {NULL, 0, NULL, NULL},
};
