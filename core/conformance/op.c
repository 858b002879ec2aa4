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

static double draw_theta(const cf_op *op, const cf_array *array, int64_t k, double u, double v)
{
  const pf_parameter_table *table = array->parameters;
  const pf_parameter *p = pf_table_at(table->items, table->stride, table->count, (size_t)k);
  const double given = cf_setting_at(op->of.object->variant, "theta", k, (double)NAN);
  if (!isnan(given)) {
    return given * (0.9 + 0.2 * u);
  }
  return p == NULL ? 0.0 : cf_theta_value(p, u, v < 0.4 ? -1 : 1);
}

static double draw_number(const cf_op *op, const cf_slot *slot, int64_t k, uint64_t *state)
{
  const double u = cf_uniform(state), v = cf_uniform(state);
  switch (slot->fill) {
  case CF_SIGNED:
    return (v < 0.4 ? -1 : 1) * (0.15 + 1.1 * u);
  case CF_THETA:
    return draw_theta(op, &slot->value, k, u, v);
  case CF_MASK:
    return u < 0.6 ? 1.0 : 0.0;
  case CF_VALUES:
    return v < slot->missing ? (double)NAN : slot->values[(int)(u * slot->n_values)];
  case CF_RANGE:
    break;
  }
  return v < slot->missing ? (double)NAN : slot->low + (slot->high - slot->low) * u;
}

/** A drawn number, the same in both precisions (double_reference.c). */
static void set_rounded(const cf_array *array, int64_t k, double value)
{
  cf_set(array, k, array->type == CF_REAL ? (double)(float)value : value);
}

static void fill_signed(const cf_array *array, uint64_t seed, uint64_t salt)
{
  uint64_t state = seed * 1000003u + salt * 7919u;
  const int64_t n = cf_count(array);
  for (int64_t k = 0; k < n; k++) {
    set_rounded(array, k, cf_signed(&state));
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
      set_rounded(&slot->value, k, draw_number(op, slot, k, &state));
    }
  }
}

void cf_fill_cotangents(cf_op *op, uint64_t seed)
{
  for (int m = 0; m < op->n_out; m++) {
    fill_signed(&cf_out(op, m)->other, seed, 1000 + (uint64_t)m);
  }
}

void cf_fill_gradients(cf_op *op, uint64_t seed)
{
  for (int k = 0; k < op->n_in; k++) {
    fill_signed(&op->slots[k].other, seed, 2000 + (uint64_t)k);
  }
}

void cf_zero_gradients(cf_op *op)
{
  for (int k = 0; k < op->n_in; k++) {
    const cf_array *gradient = &op->slots[k].other;
    const int64_t n = cf_count(gradient);
    for (int64_t c = 0; c < n; c++) {
      cf_set(gradient, c, 0.0);
    }
  }
}

cf_numbers cf_numbers_take(const cf_op *op, enum cf_member which)
{
  cf_numbers out = {{0}};
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    const cf_array *array = cf_member_of(&op->slots[s], which);
    const int64_t n = cf_count(array);
    out.of[s] = malloc(((size_t)n + 1) * sizeof(double));
    if (out.of[s] == NULL) {
      abort();
    }
    for (int64_t k = 0; k < n; k++) {
      out.of[s][k] = cf_get(array, k);
    }
  }
  return out;
}

void cf_numbers_free(cf_numbers *numbers)
{
  for (int s = 0; s < CF_MAX_SLOTS; s++) {
    free(numbers->of[s]);
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

static cf_slot *add_slot(cf_op *op, const cf_slot *from)
{
  const int at = op->n_in + op->n_out;
  if (at >= CF_MAX_SLOTS) {
    cf_find(op->report, "declares more arrays than this check can hold (%d)", CF_MAX_SLOTS);
  }
  cf_slot *slot = &op->slots[at];
  cf_array *value = &slot->value;
  *slot = *from;
  value->copies = 1;
  lay_out(value, padding_of(op, at, 0));
  if (slot->like > 0) {
    value->ld = op->slots[slot->like].value.ld;
    value->stride = value->rows * value->ld;
    value->copy_stride = value->planes * value->stride;
  }
  cf_guard_array(op->report, value, op->layout.at_end);
  return slot;
}

void cf_input(cf_op *op, const cf_slot *from)
{
  cf_slot *slot = add_slot(op, from);
  slot->varies = !slot->fixed && slot->fill != CF_MASK && slot->fill != CF_VALUES;
  op->n_in++;
}

void cf_input_theta(cf_op *op, const pf_parameter_table *parameters)
{
  cf_slot theta = cf_matrix("theta", 1, (int64_t)parameters->count, CF_NOWHERE);
  theta.value.type = CF_DOUBLE;
  theta.value.parameters = parameters;
  theta.fill = CF_THETA;
  cf_input(op, &theta);
}

void cf_output(cf_op *op, const cf_slot *from)
{
  cf_slot *slot = add_slot(op, from);
  slot->varies = slot->value.type == CF_REAL || slot->value.type == CF_DOUBLE;
  op->n_out++;
}

/** What the name of a slot's array starts with, and which padding it has. */
enum companion { GRADIENT = 1, COTANGENT, TANGENTS };

/** Gradient, cotangent or tangents of a slot: the same shape, other padding. */
static void add_companion(cf_op *op, int at, enum companion kind)
{
  static const char *const prefix[] = {"", "gradient of ", "cotangent of ", "tangent of "};
  cf_slot *slot = &op->slots[at];
  cf_array *out = kind == TANGENTS ? &slot->tangent : &slot->other;
  char *name = malloc(strlen(slot->value.name) + 16);
  if (name == NULL) {
    abort();
  }
  (void)sprintf(name, "%s%s", prefix[kind], slot->value.name);
  const int64_t pad = padding_of(op, at, (int)kind);
  *out = slot->value;
  out->name = name;
  out->copies = kind == TANGENTS ? CF_TANGENTS : 1;
  lay_out(out, pad);
  if (kind == TANGENTS && at < op->n_in) { /* the ABI has one leading dimension for both */
    out->ld = slot->value.ld;
    out->stride = slot->value.stride;
    out->copy_stride = out->planes * out->stride + (out->type == CF_REAL ? pad : 0);
  }
  if (kind == TANGENTS && slot->copy_stride > 0) {
    out->copy_stride = slot->copy_stride;
  }
  cf_guard_array(op->report, out, op->layout.at_end);
}

/** Finite junk where an array is only read, so that who reads its padding gets another number, not
 * a NaN that might come from elsewhere; a mark where it is written. */
static void fill_all_padding(cf_op *op)
{
  const double junk = 1.0e3;
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    const cf_slot *slot = &op->slots[s];
    const bool is_input = s < op->n_in;
    cf_fill_padding(&slot->value, is_input && slot->value.type != CF_BYTE ? junk : cf_mark);
    cf_fill_padding(&slot->other, is_input ? cf_mark : junk);
    cf_fill_padding(&slot->tangent, is_input ? junk : cf_mark);
  }
}

void cf_op_make(cf_op *op, const cf_case *of, cf_shape shape, cf_layout layout)
{
  memset(op, 0, sizeof *op);
  op->of = *of;
  op->report = of->report;
  op->shape = shape;
  op->layout = layout;
  op->wanted = op->given = ~(uint64_t)0;
  of->kind->build(op, &shape);
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    if (op->slots[s].varies) {
      add_companion(op, s, s < op->n_in ? GRADIENT : COTANGENT);
      add_companion(op, s, TANGENTS);
    }
  }
  cf_fill_inputs(op, layout.seed);
  cf_fill_cotangents(op, layout.seed);
  cf_fill_gradients(op, layout.seed);
  for (int s = 0; s < op->n_in; s++) {
    fill_signed(&op->slots[s].tangent, layout.seed, 3000 + (uint64_t)s);
  }
  fill_all_padding(op);
}

void cf_op_make_padded(cf_op *op, const cf_case *of, cf_shape shape, uint64_t seed)
{
  cf_op_make(op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = seed});
}

static void free_companion(cf_op *op, cf_array *array)
{
  char *name = (char *)(uintptr_t)array->name;
  cf_release_array(op->report, array);
  free(name);
}

void cf_op_free(cf_op *op)
{
  for (int s = 0; s < op->n_in + op->n_out; s++) {
    cf_release_array(op->report, &op->slots[s].value);
    free_companion(op, &op->slots[s].other);
    free_companion(op, &op->slots[s].tangent);
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

/** Run one hot call, and see what it does beside computing. */
static pf_status watch_call(cf_op *op, const char *name, cf_call call, const cf_range *range,
                            pf_error *error)
{
  const cf_host *host = op->of.object->host;
  const int64_t made = host->n_made;
  const uint64_t sum = cf_host_sum(host);
  const cf_watch before = cf_watch_now();
  cf_doing(op->report, "%s (%lld units, %lld columns, %lld steps)", name, (long long)range->n_units,
           (long long)op->shape.columns, (long long)range->n_steps);
  const pf_status status = call(op, range, error);
  const cf_watch after = cf_watch_now();
  if (host->n_made != made || after.n_allocations != before.n_allocations) {
    cf_find(op->report,
            "%s allocates (%s): hot calls allocate nothing; keep small arrays on the stack, or "
            "make them in create",
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

static void need_success(cf_op *op, const char *name, cf_call call, const cf_range *range)
{
  pf_error error = {.size = sizeof error};
  cf_need_ok(op->report, watch_call(op, name, call, range, &error), &error);
}

void cf_run_call(cf_op *op, const cf_range *range)
{
  need_success(op, op->of.kind->call_name, op->of.kind->call, range);
}

void cf_run_vjp(cf_op *op, const cf_range *range)
{
  need_success(op, op->of.kind->vjp_name, op->of.kind->vjp, range);
}

void cf_run_jvp(cf_op *op, const cf_range *range)
{
  need_success(op, op->of.kind->jvp_name, op->of.kind->jvp, range);
}

void cf_reset_outputs(const cf_op *op)
{
  for (int m = 0; m < op->n_out; m++) {
    const cf_slot *slot = cf_out(op, m);
    if (slot->starts_as_zero) {
      memset(slot->value.cells, 0, slot->value.bytes);
    } else {
      cf_fill_unwritten(&slot->value);
    }
    cf_fill_padding(&slot->value, cf_mark);
  }
}

void cf_run_whole(cf_op *op)
{
  const cf_range all = cf_whole(op);
  cf_reset_outputs(op);
  cf_run_call(op, &all);
}

pf_status cf_try_call(cf_op *op)
{
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  return watch_call(op, op->of.kind->call_name, op->of.kind->call, &all, &error);
}

pf_status cf_try_vjp(cf_op *op)
{
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  return watch_call(op, op->of.kind->vjp_name, op->of.kind->vjp, &all, &error);
}

void cf_need_padding(const cf_op *op, const cf_array *array)
{
  int64_t at = 0;
  if (!cf_padding_is(array, cf_mark, &at)) {
    cf_find(op->report,
            "%s writes into the padding of %s: cell %lld from its first (%lld columns, leading "
            "dimension %lld)",
            op->report->doing, array->name, (long long)at, (long long)array->columns,
            (long long)array->ld);
  }
}
