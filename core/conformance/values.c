/* What an op writes, and on what it depends. */
#include "core/conformance/op.h"

#include "core/conformance/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 96 };

/* ---- copies of all outputs ---- */

typedef struct outputs {
  char *bytes[CF_MAX_SLOTS];
  double *values[CF_MAX_SLOTS];
} outputs;

static outputs take(const cf_op *op)
{
  outputs out = {{0}, {0}};
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *array = &cf_out(op, m)->value;
    const int64_t n = cf_count(array);
    out.bytes[m] = cf_copy_bytes(array);
    out.values[m] = malloc(((size_t)n + 1) * sizeof(double));
    if (out.values[m] == NULL) {
      abort();
    }
    for (int64_t k = 0; k < n; k++) {
      out.values[m][k] = cf_get(array, k);
    }
  }
  return out;
}

static void drop(const cf_op *op, outputs *taken)
{
  for (int m = 0; m < op->n_out; m++) {
    free(taken->bytes[m]);
    free(taken->values[m]);
  }
}

/** Outputs before a call: nothing that a computation gives, or zeros where the host promises them.
 */
static void reset_outputs(const cf_op *op)
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

static int same_number(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/** The first cell whose bits differ is a finding: `format` says why that is wrong. */
static void need_same_bits(cf_op *op, const outputs *before, const char *why)
{
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *array = &cf_out(op, m)->value;
    for (int64_t k = 0; k < cf_count(array); k++) {
      if (!same_number(before->values[m][k], cf_get(array, k))) {
        char name[TEXT];
        cf_find(op->report, "%s: %s was %.17g, then %.17g: %s", op->report->doing,
                cf_name(array, k, name, TEXT), before->values[m][k], cf_get(array, k), why);
      }
      op->report->n_values++;
    }
  }
}

/* ---- written, all of it, and nothing else ---- */

static void check_padding(cf_op *op)
{
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *array = &cf_out(op, m)->value;
    int64_t at = 0;
    if (!cf_padding_is(array, cf_mark, &at)) {
      cf_find(op->report,
              "%s writes into the padding of %s: cell %lld from its first (%lld columns, leading "
              "dimension "
              "%lld)",
              op->report->doing, array->name, (long long)at, (long long)array->columns,
              (long long)array->ld);
    }
  }
}

static void check_written(const cf_case *of, cf_shape shape, bool at_end)
{
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = at_end, .seed = 11});
  char *before[CF_MAX_SLOTS];
  for (int k = 0; k < op.n_in; k++) {
    before[k] = cf_copy_bytes(&op.slots[k].value);
  }
  reset_outputs(&op);
  const cf_range all = cf_whole(&op);
  cf_run_call(&op, &all);
  char name[TEXT];
  for (int m = 0; m < op.n_out; m++) {
    const cf_slot *slot = cf_out(&op, m);
    for (int64_t k = 0; k < cf_count(&slot->value); k++) {
      if (!slot->starts_as_zero && cf_is_unwritten(&slot->value, k)) {
        cf_find(
            op.report,
            "%s leaves %s unwritten: outputs may hold anything before the call, and must be filled",
            op.report->doing, cf_name(&slot->value, k, name, TEXT));
      }
      if (!isfinite(cf_get(&slot->value, k))) {
        cf_find(op.report, "%s returns 0 (done) with %s = %g from finite input", op.report->doing,
                cf_name(&slot->value, k, name, TEXT), cf_get(&slot->value, k));
      }
      op.report->n_values++;
    }
  }
  check_padding(&op);
  for (int k = 0; k < op.n_in; k++) {
    if (memcmp(before[k], op.slots[k].value.cells, op.slots[k].value.bytes) != 0) {
      cf_find(op.report, "%s writes to %s, which is an input", op.report->doing,
              op.slots[k].value.name);
    }
    free(before[k]);
  }
  cf_op_free(&op);
}

/* ---- leading dimensions ---- */

/** Pad the rows of one array at a time: nothing may change but for rounding. */
static void check_layouts(const cf_case *of, cf_shape shape)
{
  cf_op tight;
  cf_op_make(&tight, of, shape, (cf_layout){.pad = CF_PAD_NONE, .at_end = true, .seed = 11});
  reset_outputs(&tight);
  const cf_range all = cf_whole(&tight);
  cf_run_call(&tight, &all);
  outputs expected = take(&tight);
  for (int s = 0; s < tight.n_in + tight.n_out; s++) {
    const cf_array *padded_one = &tight.slots[s].value;
    if (padded_one->planes * padded_one->rows < 2 || padded_one->type != CF_REAL) {
      continue;
    }
    cf_op op;
    cf_op_make(&op, of, shape, (cf_layout){.pad = s, .at_end = false, .seed = 11});
    reset_outputs(&op);
    cf_run_call(&op, &all);
    const cf_array *array = &op.slots[s].value;
    char name[TEXT];
    for (int m = 0; m < op.n_out; m++) {
      const cf_array *out = &cf_out(&op, m)->value;
      for (int64_t k = 0; k < cf_count(out); k++) {
        const double e = expected.values[m][k], f = cf_get(out, k);
        if (isnan(e) || cf_is_unwritten(&cf_out(&tight, m)->value, k)) {
          continue; /* not written, or no number: said below */
        }
        if (cf_is_unwritten(out, k) ||
            !(fabs(f - e) <= cf_rounding() * (1 + fabs(e)) || same_number(e, f))) {
          cf_find(op.report,
                  "%s: %s is %.9g, expected %.9g, when the rows of %s lie %lld cells apart instead "
                  "of %lld: it "
                  "ignores the leading dimension of %s",
                  op.report->doing, cf_name(out, k, name, TEXT), f, e, array->name,
                  (long long)array->ld, (long long)array->columns, array->name);
        }
        op.report->n_values++;
      }
    }
    check_padding(&op);
    cf_op_free(&op);
  }
  drop(&tight, &expected);
  cf_op_free(&tight);
}

/* ---- the same inputs, the same bits ---- */

static void check_same(const cf_case *of, cf_shape shape, const cf_object *reference)
{
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 12});
  const cf_range all = cf_whole(&op);
  reset_outputs(&op);
  cf_run_call(&op, &all);
  outputs first = take(&op);
  reset_outputs(&op);
  cf_run_call(&op, &all);
  need_same_bits(&op, &first, "the same inputs gave two results, one call after the other");
  cf_fill_inputs(&op, 99);
  reset_outputs(&op);
  cf_run_call(&op, &all);
  char *statics = cf_statics_copy(of->object->plugin);
  cf_fill_inputs(&op, op.layout.seed);
  reset_outputs(&op);
  cf_run_call(&op, &all);
  need_same_bits(&op, &first,
                 "a call with other inputs came between: it keeps something from call to call");
  if (!cf_statics_same(of->object->plugin, statics)) {
    cf_find(op.report,
            "%s changes a static variable: it keeps something from call to call, and threads would "
            "share it",
            op.report->doing);
  }
  free(statics);
  const cf_object *own = op.object;
  op.object = reference;
  reset_outputs(&op);
  cf_run_call(&op, &all);
  need_same_bits(&op, &first, "another object made with the same options gave another result");
  op.object = own;
  drop(&op, &first);
  cf_op_free(&op);
}

/* ---- a block and its parts ---- */

static void check_row0(const cf_case *of, cf_shape shape)
{
  static const int64_t starts[] = {1, 64, 100003};
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 13});
  cf_range all = cf_whole(&op);
  reset_outputs(&op);
  cf_run_call(&op, &all);
  outputs first = take(&op);
  for (int i = 0; i < 3; i++) {
    all.row0 = starts[i];
    reset_outputs(&op);
    cf_run_call(&op, &all);
    need_same_bits(&op, &first, "only row0 had changed, which must not change results");
  }
  drop(&op, &first);
  cf_op_free(&op);
}

static void run_parts(cf_op *op, int64_t unit_cut, int64_t step_cut)
{
  for (int64_t u = 0; u < op->shape.units; u += unit_cut) {
    for (int64_t t = 0; t < op->shape.steps; t += step_cut) {
      const int64_t units_left = op->shape.units - u, steps_left = op->shape.steps - t;
      const cf_range part = {.unit0 = u,
                             .row0 = u,
                             .n_units = units_left < unit_cut ? units_left : unit_cut,
                             .step0 = t,
                             .n_steps = steps_left < step_cut ? steps_left : step_cut};
      cf_run_call(op, &part);
    }
  }
}

static void check_parts(const cf_case *of, cf_shape shape)
{
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 14});
  const cf_range all = cf_whole(&op);
  const int64_t third = shape.units / 3 > 0 ? shape.units / 3 : 1,
                few = shape.steps / 3 > 0 ? shape.steps / 3 : 1;
  reset_outputs(&op);
  cf_run_call(&op, &all);
  outputs first = take(&op);
  if (of->kind->splits_units) {
    reset_outputs(&op);
    run_parts(&op, third, shape.steps);
    need_same_bits(&op, &first, "a block and its parts give other results (units taken apart)");
    reset_outputs(&op);
    run_parts(&op, 1, shape.steps);
    need_same_bits(&op, &first, "a block and its parts give other results (one unit at a time)");
  }
  if (of->kind->splits_steps) {
    reset_outputs(&op);
    run_parts(&op, shape.units > 0 ? shape.units : 1, few);
    need_same_bits(&op, &first, "a range of steps and its parts give other results");
  }
  drop(&op, &first);
  cf_op_free(&op);
}

void cf_check_values(const cf_case *of, const cf_shape *shapes, int n_shapes,
                     const cf_object *reference)
{
  for (int i = 0; i < n_shapes; i++) {
    check_layouts(of, shapes[i]);
    check_written(of, shapes[i], true);
    check_written(of, shapes[i], false);
    check_same(of, shapes[i], reference);
    if (of->kind->splits_units && !of->kind->ignores_row0) {
      check_row0(of, shapes[i]);
    }
    check_parts(of, shapes[i]);
  }
}

/* ---- nothing at all ---- */

void cf_check_empty(const cf_case *of, const cf_shape *shapes, int n_shapes)
{
  for (int i = 0; i < n_shapes; i++) {
    for (int at_end = 0; at_end < 2; at_end++) {
      cf_op op;
      cf_op_make(&op, of, shapes[i], (cf_layout){.pad = CF_PAD_ALL, .at_end = at_end, .seed = 15});
      const cf_range all = cf_whole(&op);
      cf_run_call(&op, &all);
      bool is_empty = true; /* traces of presynaptic units advance in a block of no rows too */
      for (int m = 0; m < op.n_out; m++) {
        is_empty = is_empty && cf_count(&cf_out(&op, m)->value) == 0;
      }
      if (of->kind->vjp != NULL) {
        char *before[CF_MAX_SLOTS] = {NULL};
        for (int k = 0; k < op.n_in; k++) {
          before[k] = op.slots[k].other.map == NULL ? NULL : cf_copy_bytes(&op.slots[k].other);
        }
        cf_run_vjp(&op, &all);
        for (int k = 0; k < op.n_in; k++) {
          if (is_empty && before[k] != NULL &&
              memcmp(before[k], op.slots[k].other.cells, op.slots[k].other.bytes) != 0) {
            cf_find(op.report, "%s changes the %s though there is nothing to do", op.report->doing,
                    op.slots[k].other.name);
          }
          free(before[k]);
        }
      }
      if (of->kind->jvp != NULL) {
        cf_run_jvp(&op, &all);
      }
      op.report->n_values++;
      cf_op_free(&op);
    }
  }
}

/* ---- what is not finite ---- */

/** Does any output move when cell c of input k does? Then which. */
static bool depends(cf_op *op, int k, int64_t c, int *out, int64_t *cell)
{
  const cf_array *array = &op->slots[k].value;
  const double at = cf_get(array, c);
  reset_outputs(op);
  (void)cf_try_call(op);
  outputs before = take(op);
  cf_set(array, c, at * 1.0625);
  reset_outputs(op);
  (void)cf_try_call(op);
  cf_set(array, c, at);
  bool found = false;
  for (int m = 0; m < op->n_out && !found; m++) {
    for (int64_t q = 0; cf_out(op, m)->varies && q < cf_count(&cf_out(op, m)->value) && !found;
         q++) {
      found = fabs(cf_get(&cf_out(op, m)->value, q) - before.values[m][q]) >
              1e-4 * fabs(before.values[m][q]);
      *out = m;
      *cell = q;
    }
  }
  drop(op, &before);
  return found;
}

void cf_check_not_finite(const cf_case *of, cf_shape shape)
{
  static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 16});
  for (int k = 0; k < op.n_in; k++) {
    const cf_array *array = &op.slots[k].value;
    const int64_t n = cf_count(array), c = n / 2;
    if (n == 0 || !op.slots[k].varies) {
      continue;
    }
    int m = 0;
    int64_t cell = 0;
    const bool moves = depends(&op, k, c, &m, &cell);
    const double at = cf_get(array, c);
    for (int b = 0; b < 3; b++) {
      cf_set(array, c, bad[b]);
      cf_fill_cotangents(&op, 17);
      reset_outputs(&op);
      const pf_status status = cf_try_call(&op);
      if (b == 0 && status == PF_OK && moves && isfinite(cf_get(&cf_out(&op, m)->value, cell))) {
        char name[TEXT], from[TEXT];
        cf_find(op.report,
                "%s: a NaN in %s came out as a number, %s = %g: let it through (a comparison such "
                "as t < 10 ? "
                "t : 10 hides it), or return PF_POINT_FAILED",
                op.report->doing, cf_name(array, c, from, TEXT),
                cf_name(&cf_out(&op, m)->value, cell, name, TEXT),
                cf_get(&cf_out(&op, m)->value, cell));
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
