#include "core/conformance/op.h"

#include "core/conformance/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double cf_mark = -77.25; /* exact in both precisions */

double cf_rounding(void)
{
  /* A few hundred roundings: measured on the shipped plugins below 5e-14 and 2e-5 (sums of 600
   * terms). */
  return sizeof(pf_real) == sizeof(float) ? 5e-5 : 2e-13;
}

/* ---- numbers ---- */

double cf_uniform(uint64_t *state)
{
  *state += 0x9E3779B97F4A7C15u; /* splitmix64 */
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (double)(z >> 11) * 0x1p-53;
}

double cf_signed(uint64_t *state)
{
  const double value = 0.15 + 1.1 * cf_uniform(state);
  return cf_uniform(state) < 0.4 ? -value : value;
}

static double draw(const cf_op *op, const cf_slot *slot, int64_t k, uint64_t *state)
{
  const double u = cf_uniform(state), v = cf_uniform(state);
  switch (slot->fill) {
  case CF_SIGNED:
    return (v < 0.4 ? -1 : 1) * (0.15 + 1.1 * u);
  case CF_THETA: {
    const pf_parameter *p = pf_table_at(slot->parameters->items, slot->parameters->stride,
                                        slot->parameters->count, (size_t)k);
    const double told = cf_setting_at(op->object->variant, "theta", k, (double)NAN);
    if (!isnan(told)) {
      return told * (0.9 + 0.2 * u);
    }
    return p == NULL ? 0.0 : cf_theta_value(p, u, v < 0.4 ? -1 : 1);
  }
  case CF_MASK:
    return u < 0.6 ? 1.0 : 0.0;
  case CF_VALUES:
    return v < slot->missing ? (double)NAN : slot->values[(int)(u * slot->n_values)];
  case CF_RANGE:
    break;
  }
  return v < slot->missing ? (double)NAN : slot->low + (slot->high - slot->low) * u;
}

/** A drawn number, the same in both precisions (twin.c). */
static void set_rounded(const cf_array *array, int64_t k, double value)
{
  cf_set(array, k, array->type == CF_REAL ? (double)(float)value : value);
}

static void fill(const cf_array *array, uint64_t seed, uint64_t salt, bool random)
{
  uint64_t state = seed * 1000003u + salt * 7919u;
  const int64_t n = array->map == NULL ? 0 : cf_count(array);
  for (int64_t k = 0; k < n; k++) {
    set_rounded(array, k, random ? cf_signed(&state) : 0.0);
  }
}

void cf_fill_inputs(cf_op *op, uint64_t seed)
{
  for (int s = 0; s < op->n_in; s++) {
    const cf_slot *slot = &op->slots[s];
    uint64_t state = seed * 1000003u + (uint64_t)s * 104729u +
                     (uint64_t)(op->shape.units * 8191 + op->shape.columns);
    const int64_t n = cf_count(&slot->value);
    for (int64_t k = 0; k < n; k++) {
      set_rounded(&slot->value, k, draw(op, slot, k, &state));
    }
  }
}

void cf_fill_cotangents(cf_op *op, uint64_t seed)
{
  for (int m = 0; m < op->n_out; m++) {
    fill(&cf_out(op, m)->other, seed, 1000 + (uint64_t)m, true);
  }
}

void cf_fill_gradients(cf_op *op, uint64_t seed, bool random)
{
  for (int k = 0; k < op->n_in; k++) {
    fill(&op->slots[k].other, seed, 2000 + (uint64_t)k, random);
  }
}

/* ---- slots ---- */

static int64_t padding_of(const cf_op *op, int slot, int variant)
{
  const bool pads = op->layout.pad == CF_PAD_ALL || op->layout.pad == slot;
  return pads ? 1 + (slot * 2 + variant * 3) % 7 : 0;
}

static void lay_out(cf_array *array, int64_t pad)
{
  if (array->type != CF_REAL) { /* the ABI gives these no leading dimension */
    pad = 0;
  }
  array->ld = array->columns + pad;
  array->stride = array->rows * array->ld + pad;
  array->copy_stride = array->planes * array->stride + pad;
}

static cf_slot *add_slot(cf_op *op, int at, cf_array like_this, int like)
{
  if (at >= CF_MAX_SLOTS) {
    cf_find(op->report, "declares more arrays than this check can hold (%d)", CF_MAX_SLOTS);
  }
  cf_slot *slot = &op->slots[at];
  memset(slot, 0, sizeof *slot);
  slot->value = like_this;
  slot->value.copies = 1;
  lay_out(&slot->value, padding_of(op, at, 0));
  if (like >= 0) {
    slot->value.ld = op->slots[like].value.ld;
    slot->value.stride = slot->value.rows * slot->value.ld;
    slot->value.copy_stride = slot->value.planes * slot->value.stride;
  }
  cf_array_allocate(&slot->value, op->layout.at_end);
  cf_watch_array(op->report, &slot->value);
  return slot;
}

cf_slot *cf_input(cf_op *op, const char *name, enum cf_type type, int64_t planes, int64_t rows,
                  int64_t columns, enum cf_axis units, enum cf_axis steps, enum cf_fill fill_as,
                  int like)
{
  const cf_array shape = {.name = name,
                          .type = type,
                          .planes = planes,
                          .rows = rows,
                          .columns = columns,
                          .units = units,
                          .steps = steps};
  cf_slot *slot = add_slot(op, op->n_in++, shape, like);
  slot->fill = fill_as;
  slot->varies = fill_as == CF_SIGNED || fill_as == CF_THETA || fill_as == CF_RANGE;
  return slot;
}

cf_slot *cf_output(cf_op *op, const char *name, enum cf_type type, int64_t planes, int64_t rows,
                   int64_t columns, enum cf_axis units, enum cf_axis steps, int like)
{
  const cf_array shape = {.name = name,
                          .type = type,
                          .planes = planes,
                          .rows = rows,
                          .columns = columns,
                          .units = units,
                          .steps = steps};
  cf_slot *slot = add_slot(op, op->n_in + op->n_out, shape, like < 0 ? -1 : op->n_in + like);
  op->n_out++;
  slot->varies = type == CF_REAL || type == CF_DOUBLE;
  return slot;
}

/** Gradient, cotangent or tangents of a slot: the same shape, other padding. */
static void add_companion(cf_op *op, int at, cf_array *out, int64_t copies, int variant, int like)
{
  static const char *const prefix[] = {"", "gradient of ", "cotangent of ", "tangent of "};
  const cf_slot *slot = &op->slots[at];
  char *name = malloc(strlen(slot->value.name) + 16);
  if (name == NULL) {
    abort();
  }
  (void)sprintf(name, "%s%s", prefix[variant], slot->value.name);
  *out = slot->value;
  out->name = name;
  out->copies = copies;
  lay_out(out, padding_of(op, at, variant));
  if (like >= 0) { /* the ABI has one leading dimension for both */
    out->ld = op->slots[like].value.ld;
    out->stride = slot->value.stride;
    out->copy_stride =
        out->planes * out->stride + (out->type == CF_REAL ? padding_of(op, at, variant) : 0);
  }
  if (copies > 1 && slot->copy_stride > 0) {
    out->copy_stride = slot->copy_stride;
  }
  cf_array_allocate(out, op->layout.at_end);
  cf_watch_array(op->report, out);
}

static void fill_all_padding(cf_op *op)
{
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    cf_slot *slot = &op->slots[s];
    const bool is_input = s < op->n_in;
    /* finite junk where it is only read: who reads it gets another number, not a NaN that might
     * come from elsewhere */
    cf_fill_padding(&slot->value, is_input && slot->value.type != CF_BYTE ? 1.0e3 : cf_mark);
    if (slot->other.map != NULL) {
      cf_fill_padding(&slot->other, is_input ? cf_mark : 1.0e3);
    }
    if (slot->tangent.map != NULL) {
      cf_fill_padding(&slot->tangent, is_input ? 1.0e3 : cf_mark);
    }
  }
}

void cf_op_make(cf_op *op, const cf_case *from, cf_shape shape, cf_layout layout)
{
  memset(op, 0, sizeof *op);
  op->kind = from->kind;
  op->object = from->object;
  op->declared = from->declared;
  op->index = from->index;
  op->report = from->report;
  op->dt = from->dt;
  op->shape = shape;
  op->layout = layout;
  op->wanted = op->given = ~(uint64_t)0;
  from->kind->build(op, &shape);
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    cf_slot *slot = &op->slots[s];
    slot->value.parameters = slot->parameters; /* and so of its gradient and tangents */
    if (slot->varies) {
      add_companion(op, s, &slot->other, 1, s < op->n_in ? 1 : 2, -1);
      add_companion(op, s, &slot->tangent, CF_TANGENTS, 3, s < op->n_in ? s : -1);
    }
  }
  cf_fill_inputs(op, layout.seed);
  cf_fill_cotangents(op, layout.seed);
  cf_fill_gradients(op, layout.seed, true);
  for (int s = 0; s < op->n_in; s++) {
    fill(&op->slots[s].tangent, layout.seed, 3000 + (uint64_t)s, true);
  }
  fill_all_padding(op);
}

static void free_array(cf_op *op, cf_array *array, bool is_companion)
{
  if (array->map != NULL) {
    cf_forget_array(op->report, array);
    if (is_companion) {
      free((char *)(uintptr_t)array->name);
    }
    cf_array_free(array);
  }
}

void cf_op_free(cf_op *op)
{
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    free_array(op, &op->slots[s].value, false);
    free_array(op, &op->slots[s].other, true);
    free_array(op, &op->slots[s].tangent, true);
  }
}

/* ---- ranges ---- */

cf_range cf_whole(const cf_op *op)
{
  return (cf_range){.n_units = op->shape.units, .n_steps = op->shape.steps};
}

void *cf_at(const cf_array *array, const cf_range *range)
{
  if (array->map == NULL) {
    return NULL;
  }
  const int64_t cells = (array->units == CF_DOWN ? range->unit0 * array->ld : 0) +
                        (array->units == CF_ALONG ? range->unit0 : 0) +
                        (array->steps == CF_DOWN ? range->step0 * array->ld : 0) +
                        (array->steps == CF_ALONG ? range->step0 : 0);
  return array->cells + (size_t)cells * cf_cell_bytes(array->type);
}

void *cf_gradient(const cf_op *op, int k, const cf_range *range)
{
  return (op->wanted >> k & 1) != 0 ? cf_at(&op->slots[k].other, range) : NULL;
}

const void *cf_tangent(const cf_op *op, int k, const cf_range *range)
{
  return (op->given >> k & 1) != 0 ? cf_at(&op->slots[k].tangent, range) : NULL;
}

/* ---- running ---- */

static void say_doing(cf_op *op, const char *name, const cf_range *range)
{
  cf_doing(op->report, "%s (%lld units, %lld columns, %lld steps)", name, (long long)range->n_units,
           (long long)op->shape.columns, (long long)range->n_steps);
}

/** Run one hot call, and see what it does beside computing. */
static pf_status watched(cf_op *op, const char *name, cf_call call, const cf_range *range,
                         pf_error *error)
{
  const cf_host *host = op->object->host;
  const int64_t made = host->n_made;
  const uint64_t sum = cf_host_sum(host);
  const cf_watch before = cf_watch_now();
  say_doing(op, name, range);
  const pf_status status = call(op, range, error);
  const cf_watch after = cf_watch_now();
  if (host->n_made != made || after.n_allocations != before.n_allocations) {
    cf_find(op->report,
            "%s allocates (%s): hot calls allocate nothing; keep small arrays on the stack, or "
            "make them in "
            "create",
            name, host->n_made != made ? "host->allocate" : "malloc");
  }
  if (after.n_random != before.n_random) {
    cf_find(op->report, "%s draws random numbers (rand): noise arrives as input", name);
  }
  if (after.n_files != before.n_files) {
    cf_find(op->report, "%s opens a file: hot calls do no input or output", name);
  }
  if (cf_host_overrun(host)) {
    cf_find(op->report, "%s writes behind the end of memory that create got from host->allocate",
            name);
  }
  if (cf_host_sum(host) != sum) {
    cf_find(op->report,
            "%s changes the object: objects are const after create, so that threads can share them",
            name);
  }
  return status;
}

static void must_work(cf_op *op, const char *name, cf_call call, const cf_range *range)
{
  pf_error error = {.size = sizeof error};
  if (watched(op, name, call, range, &error) != PF_OK) {
    cf_find(op->report, "%s fails on ordinary input: %s", op->report->doing,
            error.text[0] == '\0' ? "and writes no line" : error.text);
  }
}

void cf_run_call(cf_op *op, const cf_range *range)
{
  must_work(op, op->kind->call_name, op->kind->call, range);
}

void cf_run_vjp(cf_op *op, const cf_range *range)
{
  must_work(op, op->kind->vjp_name, op->kind->vjp, range);
}

void cf_run_jvp(cf_op *op, const cf_range *range)
{
  must_work(op, op->kind->jvp_name, op->kind->jvp, range);
}

pf_status cf_try_call(cf_op *op)
{
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  return watched(op, op->kind->call_name, op->kind->call, &all, &error);
}

pf_status cf_try_vjp(cf_op *op)
{
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  return watched(op, op->kind->vjp_name, op->kind->vjp, &all, &error);
}
