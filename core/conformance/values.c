#include "core/conformance/values.h"

#include "core/conformance/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same_number(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

static const double *numbers_of(const cf_op *op, const cf_numbers *numbers, int m)
{
  return numbers->of[op->n_in + m];
}

/** A number that differs from what it was is a finding; `why` says why
 * that is wrong. */
static void need_same(cf_op *op, const cf_numbers *before, const char *why)
{
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *array = &cf_out(op, m)->value;
    const double *was = numbers_of(op, before, m);
    for (int64_t k = 0; k < cf_count(array); k++) {
      if (!same_number(was[k], cf_get(array, k))) {
        char name[CF_TEXT];
        cf_find(op->report, "%s: %s was %.17g, then %.17g: %s", op->report->doing,
                cf_name(array, k, name, CF_TEXT), was[k], cf_get(array, k), why);
      }
      op->report->n_values++;
    }
  }
}

static void check_padding(const cf_op *op)
{
  for (int m = 0; m < op->n_out; m++) {
    cf_need_padding(op, &cf_out(op, m)->value);
  }
}

/** Bytes of an array of every input, for comparisons. */
typedef struct bytes {
  char *of[CF_MAX_SLOTS];
} bytes;

static bytes copy_inputs(const cf_op *op, enum cf_member which)
{
  bytes out = {{0}};
  for (int k = 0; k < op->n_in; k++) {
    out.of[k] = cf_copy_bytes(cf_member_of(&op->slots[k], which));
  }
  return out;
}

/** The first input whose bytes changed, or -1; frees the copies. */
static int first_changed(const cf_op *op, enum cf_member which, bytes *before)
{
  int changed = -1;
  for (int k = op->n_in - 1; k >= 0; k--) {
    const cf_array *array = cf_member_of(&op->slots[k], which);
    if (array->bytes > 0 && memcmp(before->of[k], array->cells, array->bytes) != 0) {
      changed = k;
    }
    free(before->of[k]);
  }
  return changed;
}

static bool need_inputs_kept(const cf_op *op, bytes *before)
{
  const int changed = first_changed(op, CF_VALUE, before);
  if (changed < 0) {
    return true;
  }
  cf_find(op->report, "%s writes to %s, which is an input", op->report->doing,
          op->slots[changed].value.name);
  return false;
}

/* ---- written, all of it, and nothing else ---- */

static void check_cell(const cf_op *op, const cf_slot *slot, int64_t k)
{
  char name[CF_TEXT];
  if (!slot->starts_as_zero && cf_is_unwritten(&slot->value, k)) {
    cf_find(op->report,
            "%s leaves %s unwritten: outputs may hold anything before the call, and must be filled",
            op->report->doing, cf_name(&slot->value, k, name, CF_TEXT));
  }
  if (!isfinite(cf_get(&slot->value, k))) {
    cf_find(op->report, "%s returns 0 (done) with %s = %g from finite input", op->report->doing,
            cf_name(&slot->value, k, name, CF_TEXT), cf_get(&slot->value, k));
  }
  op->report->n_values++;
}

static void check_written(const cf_case *of, cf_shape shape, bool at_end)
{
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = at_end, .seed = 11});
  bytes before = copy_inputs(&op, CF_VALUE);
  cf_run_whole(&op);
  for (int m = 0; m < op.n_out; m++) {
    const cf_slot *slot = cf_out(&op, m);
    for (int64_t k = 0; k < cf_count(&slot->value); k++) {
      check_cell(&op, slot, k);
    }
  }
  check_padding(&op);
  need_inputs_kept(&op, &before);
  cf_op_free(&op);
}

/* ---- leading dimensions ---- */

/** Cell k of output m, computed with the rows of the array in `slot` apart, and with all together.
 */
static void compare_layouts(const cf_op *apart, int slot, const cf_op *together, int m, int64_t k)
{
  const cf_array *out = &cf_out(apart, m)->value, *array = &apart->slots[slot].value;
  const double e = cf_get(&cf_out(together, m)->value, k), f = cf_get(out, k);
  if (isnan(e) || cf_is_unwritten(&cf_out(together, m)->value, k)) {
    return; /* not written, or no number: said by check_written */
  }
  if (cf_is_unwritten(out, k) || !(fabs(f - e) <= cf_rounding() * (1 + fabs(e)) || f == e)) {
    char name[CF_TEXT];
    cf_find(apart->report,
            "%s: %s is %.9g, expected %.9g, when the rows of %s lie %lld cells apart instead of "
            "%lld: it ignores the leading dimension of %s",
            apart->report->doing, cf_name(out, k, name, CF_TEXT), f, e, array->name,
            (long long)array->ld, (long long)array->columns, array->name);
  }
  apart->report->n_values++;
}

/** Pad the rows of one array at a time: nothing may change but for rounding. */
static void check_layouts(const cf_case *of, cf_shape shape)
{
  cf_op tight;
  cf_op_make(&tight, of, shape, (cf_layout){.pad = CF_PAD_NONE, .at_end = true, .seed = 11});
  cf_run_whole(&tight);
  for (int s = 0; s < tight.n_in + tight.n_out; s++) {
    const cf_array *padded = &tight.slots[s].value;
    if (padded->planes * padded->rows < 2 || padded->type != CF_REAL) {
      continue;
    }
    cf_op op;
    cf_op_make(&op, of, shape, (cf_layout){.pad = s, .at_end = false, .seed = 11});
    cf_run_whole(&op);
    for (int m = 0; m < op.n_out; m++) {
      for (int64_t k = 0; k < cf_count(&cf_out(&op, m)->value); k++) {
        compare_layouts(&op, s, &tight, m, k);
      }
    }
    check_padding(&op);
    cf_op_free(&op);
  }
  cf_op_free(&tight);
}

/* ---- the same inputs, the same bits ---- */

static void check_same(const cf_case *of, cf_shape shape, const cf_object *reference)
{
  cf_op op;
  cf_op_make_padded(&op, of, shape, 12);
  bytes before = copy_inputs(&op, CF_VALUE);
  cf_run_whole(&op);
  /* inputs that it writes to give another result the next time: only the cause is said */
  if (!need_inputs_kept(&op, &before)) {
    cf_op_free(&op);
    return;
  }
  cf_numbers first = cf_numbers_take(&op, CF_VALUE);
  cf_run_whole(&op);
  need_same(&op, &first, "the same inputs gave two results, one call after the other");
  cf_fill_inputs(&op, 99);
  cf_run_whole(&op);
  char *statics = cf_statics_copy(of->object->plugin);
  cf_fill_inputs(&op, op.layout.seed);
  cf_run_whole(&op);
  need_same(&op, &first,
            "a call with other inputs came between: it keeps something from call to call");
  if (!cf_statics_same(of->object->plugin, statics)) {
    cf_find(op.report,
            "%s changes a static variable: it keeps something from call to call, and threads would "
            "share it",
            op.report->doing);
  }
  free(statics);
  op.of.object = reference;
  cf_run_whole(&op);
  need_same(&op, &first, "another object made with the same options gave another result");
  cf_numbers_free(&first);
  cf_op_free(&op);
}

/* ---- a block and its parts ---- */

static void check_row0(const cf_case *of, cf_shape shape)
{
  static const int64_t starts[] = {1, 64, 100003};
  cf_op op;
  cf_op_make_padded(&op, of, shape, 13);
  cf_range all = cf_whole(&op);
  cf_run_whole(&op);
  cf_numbers first = cf_numbers_take(&op, CF_VALUE);
  for (int i = 0; i < 3; i++) {
    all.row0 = starts[i];
    cf_reset_outputs(&op);
    cf_run_call(&op, &all);
    need_same(&op, &first, "only row0 had changed, which must not change results");
  }
  cf_numbers_free(&first);
  cf_op_free(&op);
}

static int64_t smaller_of(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** In parts of so many units and steps; the numbers must be those of the whole. */
static void compare_parts(cf_op *op, const cf_numbers *whole, int64_t units, int64_t steps,
                          const char *why)
{
  cf_reset_outputs(op);
  for (int64_t u = 0; u < op->shape.units; u += units) {
    for (int64_t t = 0; t < op->shape.steps; t += steps) {
      const cf_range part = {.unit0 = u,
                             .row0 = u,
                             .n_units = smaller_of(op->shape.units - u, units),
                             .step0 = t,
                             .n_steps = smaller_of(op->shape.steps - t, steps)};
      cf_run_call(op, &part);
    }
  }
  need_same(op, whole, why);
}

static int64_t third_of(int64_t n)
{
  return n >= 3 ? n / 3 : 1;
}

static void check_parts(const cf_case *of, cf_shape shape)
{
  cf_op op;
  cf_op_make_padded(&op, of, shape, 14);
  cf_run_whole(&op);
  cf_numbers first = cf_numbers_take(&op, CF_VALUE);
  if (of->kind->splits_units) {
    compare_parts(&op, &first, third_of(shape.units), shape.steps,
                  "a block and its parts give other results (units taken apart)");
    compare_parts(&op, &first, 1, shape.steps,
                  "a block and its parts give other results (one unit at a time)");
  }
  if (of->kind->splits_steps) {
    compare_parts(&op, &first, shape.units > 0 ? shape.units : 1, third_of(shape.steps),
                  "a range of steps and its parts give other results");
  }
  cf_numbers_free(&first);
  cf_op_free(&op);
}

void cf_check_values(const cf_case *of, const cf_shape *shapes, int n_shapes,
                     const cf_object *reference)
{
  /* first, since what keeps something from call to call would fail the other checks too, with
   * sentences that name another cause */
  for (int i = 0; i < n_shapes; i++) {
    check_same(of, shapes[i], reference);
  }
  for (int i = 0; i < n_shapes; i++) {
    check_layouts(of, shapes[i]);
    check_written(of, shapes[i], true);
    check_written(of, shapes[i], false);
    if (of->kind->splits_units) {
      check_row0(of, shapes[i]);
    }
    check_parts(of, shapes[i]);
  }
}

/* ---- nothing at all ---- */

static void run_empty_vjp(cf_op *op)
{
  bool is_empty = true; /* traces of presynaptic units advance in a block of no rows too */
  for (int m = 0; m < op->n_out; m++) {
    is_empty = is_empty && cf_count(&cf_out(op, m)->value) == 0;
  }
  const cf_range all = cf_whole(op);
  bytes before = copy_inputs(op, CF_OTHER);
  cf_run_vjp(op, &all);
  const int changed = first_changed(op, CF_OTHER, &before);
  if (is_empty && changed >= 0) {
    cf_find(op->report, "%s changes the %s though there is nothing to do", op->report->doing,
            op->slots[changed].other.name);
  }
}

void cf_check_empty(const cf_case *of, const cf_shape *shapes, int n_shapes)
{
  for (int i = 0; i < 2 * n_shapes; i++) {
    cf_op op;
    cf_op_make(&op, of, shapes[i / 2],
               (cf_layout){.pad = CF_PAD_ALL, .at_end = i % 2 == 1, .seed = 15});
    const cf_range all = cf_whole(&op);
    cf_run_call(&op, &all);
    if (of->kind->vjp != NULL) {
      run_empty_vjp(&op);
    }
    if (of->kind->jvp != NULL) {
      cf_run_jvp(&op, &all);
    }
    op.report->n_values++;
    cf_op_free(&op);
  }
}

/* ---- what is not finite ---- */

/** An output cell. */
typedef struct cell {
  int output;
  int64_t k;
} cell;

/** Does any output move when cell c of input k does? Then *moved. */
static bool moves_output(cf_op *op, int k, int64_t c, cell *moved)
{
  const cf_array *array = &op->slots[k].value;
  const double at = cf_get(array, c);
  cf_reset_outputs(op);
  (void)cf_try_call(op);
  cf_numbers before = cf_numbers_take(op, CF_VALUE);
  cf_set(array, c, at * 1.0625);
  cf_reset_outputs(op);
  (void)cf_try_call(op);
  cf_set(array, c, at);
  bool found = false;
  for (int m = 0; m < op->n_out && !found; m++) {
    const cf_array *out = &cf_out(op, m)->value;
    const double *was = numbers_of(op, &before, m);
    const int64_t n = cf_out(op, m)->varies ? cf_count(out) : 0;
    for (int64_t q = 0; q < n && !found; q++) {
      found = fabs(cf_get(out, q) - was[q]) > 1e-4 * fabs(was[q]);
      *moved = (cell){m, q};
    }
  }
  cf_numbers_free(&before);
  return found;
}

/** Cell c of input k is NaN: an output that moves with it must not be a number. */
static void need_nan(const cf_op *op, int k, int64_t c, cell moved)
{
  const cf_array *out = &cf_out(op, moved.output)->value;
  char name[CF_TEXT], from[CF_TEXT];
  if (isfinite(cf_get(out, moved.k))) {
    cf_find(op->report,
            "%s: a NaN in %s came out as a number, %s = %g: let it through (a comparison such as "
            "t < 10 ? t : 10 hides it), or return PF_POINT_FAILED",
            op->report->doing, cf_name(&op->slots[k].value, c, from, CF_TEXT),
            cf_name(out, moved.k, name, CF_TEXT), cf_get(out, moved.k));
  }
}

void cf_check_not_finite(const cf_case *of, cf_shape shape)
{
  static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  cf_op op;
  cf_op_make_padded(&op, of, shape, 16);
  for (int k = 0; k < op.n_in; k++) {
    const cf_array *array = &op.slots[k].value;
    const int64_t n = cf_count(array), c = n / 2;
    if (n == 0 || !op.slots[k].varies) {
      continue;
    }
    cell moved = {0, 0};
    const bool moves = moves_output(&op, k, c, &moved);
    const double at = cf_get(array, c);
    for (int b = 0; b < 3; b++) {
      cf_set(array, c, bad[b]);
      cf_fill_cotangents(&op, 17);
      cf_reset_outputs(&op);
      if (cf_try_call(&op) == PF_OK && moves && b == 0) {
        need_nan(&op, k, c, moved);
      }
      if (of->kind->vjp != NULL) {
        (void)cf_try_vjp(&op);
      }
      op.report->n_values++;
    }
    cf_set(array, c, at);
  }
  cf_op_free(&op);
}
