/*
 * Derivatives of an op: its vjp against central differences of its call, its jvp against its
 * vjp.
 *
 * Differences are of fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, taken cell by cell
 * of the outputs and then joined with the cotangents, so that rounding is that of one cell and not
 * of their sum. Where the function has a kink within the step (ReLU, abs, min, max), second
 * differences do not shrink as h^2: seen from the function alone, never from the derivatives under
 * test. Then a smaller step is tried, and at last that component is left out and counted. So a
 * tolerance need not be loosened for kinks.
 *
 * Tolerances: the largest errors measured on the shipped plugins are 4e-11 of the largest slope of
 * the argument (double, h = 1e-3) and 2e-3 (single, h = 3e-2); a factor that is dropped, or a sign,
 * gives 1e-1 and more.
 */
#include "core/conformance/derivatives.h"

#include "core/conformance/double_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_STEPS = 3, N_DIRECTIONS = 3, N_POINTS = 7 };

static bool is_single(void)
{
  return sizeof(pf_real) == sizeof(float);
}

/** Steps tried, from large to small, and the tolerance that each can hold. */
static double step_of(int i)
{
  static const double steps[2][N_STEPS] = {{1e-3, 5e-5, 2e-6}, {4e-2, 1e-2, 3e-3}};
  return steps[is_single()][i];
}

/* Floats: measured over the registry 8.4e-3 with the middle step (mlp of three hidden layers, where
 * dw is small: rounding); what such differences miss, the double-precision reference finds. */
static double tolerance_of(int i)
{
  static const double tolerances[2][N_STEPS] = {{2e-9, 4e-9, 1e-7}, {5e-3, 2e-2, 2e-2}};
  return tolerances[is_single()][i];
}

static double rounding_unit(void)
{
  return is_single() ? 6e-8 : 1.2e-16;
}

/* ---- the function: outputs joined with cotangents ---- */

/** A way through the inputs: cell by cell or all along a direction. */
typedef struct way {
  int slot;     /**< one component of this input; -1: along all */
  int64_t cell; /**< or -1: all cells of the slot, along its tangent's first copy */
} way;

/** An op at a point, its gradients there, and memory for the function around it. */
typedef struct probe {
  cf_op op;
  cf_numbers origin;   /**< of the inputs, so that shifting back leaves no rounding */
  cf_numbers gradient; /**< as the vjp gives them */
  int64_t n;           /**< cells of the function */
  double *f[N_POINTS]; /**< the function at 0, +-h/2, +-h, +-2h */
  double at[N_POINTS]; /**< real steps */
} probe;

static double *new_cells(int64_t n)
{
  double *cells = malloc(((size_t)n + 1) * sizeof *cells);
  if (cells == NULL) {
    abort();
  }
  return cells;
}

static int64_t count_cells(const cf_op *op)
{
  int64_t n = 0;
  for (int m = 0; m < op->n_out; m++) {
    n += cf_out(op, m)->varies ? cf_count(&cf_out(op, m)->value) : 0;
  }
  return n;
}

/** Shifts the inputs by h from the origin along a way; returns what was really added. */
static double move_inputs(probe *p, way along, double h)
{
  if (along.slot >= 0 && along.cell >= 0) {
    const cf_array *array = &p->op.slots[along.slot].value;
    const double origin = p->origin.of[along.slot][along.cell];
    cf_set(array, along.cell, origin + h);
    return cf_get(array, along.cell) - origin;
  }
  for (int k = 0; k < p->op.n_in; k++) {
    const cf_slot *slot = &p->op.slots[k];
    if (!slot->varies || (along.slot >= 0 && along.slot != k)) {
      continue;
    }
    const int64_t n = cf_count(&slot->value);
    for (int64_t c = 0; c < n; c++) {
      cf_set(&slot->value, c, p->origin.of[k][c] + h * cf_get(&slot->tangent, c));
    }
  }
  return h;
}

/** All outputs, one after the other, times their cotangents. */
static void evaluate_cells(cf_op *op, double *out)
{
  const cf_range all = cf_whole(op);
  for (int m = 0; m < op->n_out; m++) {
    if (cf_out(op, m)->starts_as_zero) {
      memset(cf_out(op, m)->value.cells, 0, cf_out(op, m)->value.bytes);
    }
  }
  cf_run_call(op, &all);
  for (int m = 0; m < op->n_out; m++) {
    const cf_slot *slot = cf_out(op, m);
    const int64_t n = slot->varies ? cf_count(&slot->value) : 0;
    for (int64_t k = 0; k < n; k++) {
      *out++ = cf_get(&slot->value, k) * cf_get(&slot->other, k);
    }
  }
}

static void evaluate_around(probe *p, way along, double h)
{
  static const double factors[N_POINTS] = {0, 0.5, -0.5, 1, -1, 2, -2};
  for (int i = 0; i < N_POINTS; i++) {
    p->at[i] = move_inputs(p, along, factors[i] * h);
    evaluate_cells(&p->op, p->f[i]);
  }
  (void)move_inputs(p, along, 0);
}

/** Slope of what evaluate_around found. *kinked: second differences do not fall as squares of the
 * step. */
static double slope_around(const probe *p, double h, double scale, double tolerance, bool *kinked)
{
  double *const *f = p->f;
  double slope = 0.0, size = 0.0, bend = 0.0;
  for (int64_t k = 0; k < p->n; k++) {
    const double one = (f[3][k] - f[4][k]) / (p->at[3] - p->at[4]);
    const double two = (f[5][k] - f[6][k]) / (p->at[5] - p->at[6]);
    slope += (4 * one - two) / 3;
    const double half = f[1][k] - 2 * f[0][k] + f[2][k], whole = f[3][k] - 2 * f[0][k] + f[4][k],
                 twice = f[5][k] - 2 * f[0][k] + f[6][k];
    bend += fabs(whole - 4 * half) + fabs(twice - 4 * whole);
    size += fabs(f[0][k]);
  }
  *kinked = bend > 0.2 * tolerance * h * fmax(scale, fabs(slope)) + 64 * rounding_unit() * size;
  return slope;
}

/* ---- gradients ---- */

/** The vjp needs what the call gave, where it takes the values back (networks). */
static void call_then_vjp(cf_op *op)
{
  const cf_range all = cf_whole(op);
  double *ignored = new_cells(count_cells(op));
  evaluate_cells(op, ignored);
  free(ignored);
  cf_run_vjp(op, &all);
}

/** An op whose gradients are its vjp's, from 0. */
static void make_with_gradients(cf_op *op, const cf_case *of, cf_shape shape, cf_layout layout)
{
  cf_op_make(op, of, shape, layout);
  cf_zero_gradients(op);
  call_then_vjp(op);
}

static void probe_make(probe *p, const cf_case *of, cf_shape shape, uint64_t seed)
{
  const cf_layout layout = {.pad = CF_PAD_ALL, .at_end = true, .seed = seed};
  make_with_gradients(&p->op, of, shape, layout);
  p->origin = cf_numbers_take(&p->op, CF_VALUE);
  p->gradient = cf_numbers_take(&p->op, CF_OTHER);
  p->n = count_cells(&p->op);
  for (int i = 0; i < N_POINTS; i++) {
    p->f[i] = new_cells(p->n);
  }
}

static void probe_free(probe *p)
{
  for (int i = 0; i < N_POINTS; i++) {
    free(p->f[i]);
  }
  cf_numbers_free(&p->origin);
  cf_numbers_free(&p->gradient);
  cf_op_free(&p->op);
}

static double largest_gradient(const cf_op *op, const cf_numbers *gradient, int k)
{
  double most = 0.0;
  for (int64_t c = 0; c < cf_count(&op->slots[k].other); c++) {
    most = fmax(most, fabs(gradient->of[k][c]));
  }
  return most;
}

/** Gradients that were computed in another way: they are `expected` but for the rounding of sums as
 * large as `scale`, or a finding that ends with `why`. */
static void need_gradient(const cf_op *op, int k, const double *expected, double scale,
                          const char *why)
{
  const cf_array *gradient = &op->slots[k].other;
  for (int64_t c = 0; c < cf_count(gradient); c++) {
    const double found = cf_get(gradient, c);
    if (!(fabs(found - expected[c]) <= 4 * cf_rounding() * (1 + scale))) {
      char name[CF_TEXT];
      cf_find(op->report, "%s: the %s is %.9g, expected %.9g%s", op->report->doing,
              cf_name(gradient, c, name, CF_TEXT), found, expected[c], why);
    }
    op->report->n_values++;
  }
}

/** Gradient k held `before`, and the vjp alone gives `alone`: now it must hold their sum. */
static void need_sum(const cf_op *op, int k, const double *before, const double *alone,
                     double scale)
{
  const cf_array *gradient = &op->slots[k].other;
  const double tolerance = 4 * cf_rounding() * (1 + scale);
  for (int64_t c = 0; c < cf_count(gradient); c++) {
    const double found = cf_get(gradient, c), expected = before[c] + alone[c];
    if (!(fabs(found - expected) <= tolerance)) {
      char name[CF_TEXT];
      cf_find(op->report, "%s: the %s was %.9g before and %.9g after, expected %.9g: it is %s",
              op->report->doing, cf_name(gradient, c, name, CF_TEXT), before[c], found, expected,
              fabs(found - alone[c]) <= tolerance ? "overwritten, gradients are added to (+=)"
                                                  : "neither added to (+=) nor overwritten");
    }
    op->report->n_values++;
  }
}

/** The same inputs once more: before all else, since a vjp that keeps something from call to call
 * would fail the other checks too, with sentences that name another cause. */
static void check_same_gradients(cf_op *op, const cf_numbers *alone)
{
  cf_zero_gradients(op);
  call_then_vjp(op);
  for (int k = 0; k < op->n_in; k++) {
    need_gradient(
        op, k, alone->of[k], largest_gradient(op, alone, k),
        ": the same inputs gave two results, one call after the other; it keeps something "
        "from call to call");
  }
}

void cf_check_accumulates(const cf_case *of, cf_shape shape)
{
  cf_op op, padded;
  make_with_gradients(&op, of, shape, (cf_layout){.pad = CF_PAD_NONE, .at_end = true, .seed = 21});
  cf_numbers alone = cf_numbers_take(&op, CF_OTHER);
  check_same_gradients(&op, &alone);
  cf_fill_gradients(&op, 22);
  cf_numbers before = cf_numbers_take(&op, CF_OTHER);
  call_then_vjp(&op);
  for (int k = 0; k < op.n_in; k++) {
    need_sum(&op, k, before.of[k], alone.of[k], largest_gradient(&op, &alone, k));
  }
  /* and the same with padded rows, each array another padding */
  make_with_gradients(&padded, of, shape,
                      (cf_layout){.pad = CF_PAD_ALL, .at_end = false, .seed = 21});
  for (int k = 0; k < op.n_in; k++) {
    need_gradient(&padded, k, alone.of[k], largest_gradient(&op, &alone, k),
                  ", when the rows of its arrays are padded: it ignores a leading dimension");
    cf_need_padding(&padded, &padded.slots[k].other);
  }
  for (int m = 0; m < padded.n_out && of->kind->jvp == NULL; m++) {
    /* where the vjp changes a cotangent in place: the memory it was handed */
    cf_need_padding(&padded, &cf_out(&padded, m)->tangent);
  }
  cf_numbers_free(&alone);
  cf_numbers_free(&before);
  cf_op_free(&padded);
  cf_op_free(&op);
}

/** Only some gradients are wanted: those are as before, the others untouched. */
static void check_wanted(cf_op *op, uint64_t wanted, const cf_numbers *all, const char *why)
{
  op->wanted = wanted;
  cf_fill_gradients(op, op->layout.seed);
  cf_numbers before = cf_numbers_take(op, CF_OTHER);
  call_then_vjp(op);
  for (int k = 0; k < op->n_in; k++) {
    need_gradient(op, k, (wanted >> k & 1) != 0 ? all->of[k] : before.of[k],
                  largest_gradient(op, all, k), why);
  }
  cf_numbers_free(&before);
}

void cf_check_unwanted(const cf_case *of, cf_shape shape)
{
  static const char others[] = " as when all are wanted, now that every other gradient is NULL";
  cf_op op;
  cf_op_make_padded(&op, of, shape, 23);
  call_then_vjp(&op);
  cf_numbers all = cf_numbers_take(&op, CF_OTHER);
  for (int k = 0; k < op.n_in; k++) {
    if (op.slots[k].varies) {
      check_wanted(&op, ~(UINT64_C(1) << k), &all,
                   " as when all are wanted, now that one other gradient is NULL");
      check_wanted(&op, UINT64_C(1) << k, &all, others);
    }
  }
  check_wanted(&op, 0, &all, others);
  cf_numbers_free(&all);
  cf_op_free(&op);
}

/** Gradients of a block, and of its parts one after the other, agree to the rounding of sums. */
static void check_split(cf_op *op, bool units, const cf_numbers *all)
{
  const cf_range whole = cf_whole(op);
  const int64_t n = units ? whole.n_units : whole.n_steps, cut = n >= 3 ? n / 3 : 1;
  cf_fill_gradients(op, op->layout.seed);
  for (int64_t at = 0; at < n; at += cut) {
    const int64_t size = n - at < cut ? n - at : cut;
    cf_range part = whole;
    if (units) {
      part.unit0 = part.row0 = at;
      part.n_units = size;
    } else {
      part.step0 = at;
      part.n_steps = size;
    }
    cf_run_vjp(op, &part);
  }
  for (int k = 0; k < op->n_in; k++) {
    need_gradient(op, k, all->of[k], largest_gradient(op, all, k),
                  " as at once, by parts: a block and its parts give other gradients");
  }
}

void cf_check_vjp_parts(const cf_case *of, cf_shape shape)
{
  cf_op op;
  cf_op_make_padded(&op, of, shape, 24);
  call_then_vjp(&op);
  cf_numbers all = cf_numbers_take(&op, CF_OTHER);
  if (of->kind->splits_units) {
    check_split(&op, true, &all);
  }
  if (of->kind->splits_steps) {
    check_split(&op, false, &all);
  }
  cf_numbers_free(&all);
  cf_op_free(&op);
}

/* ---- against differences ---- */

/** What is wrong so far: the first in full, then the names of all; and what is right and not 0. */
typedef struct verdict {
  char first[CF_SENTENCE], wrong[CF_SENTENCE / 4], right[CF_SENTENCE / 4];
} verdict;

enum outcome { LEFT_OUT, ZERO, RIGHT, WRONG }; /* of several, the largest counts */

static void note_outcome(verdict *all, enum outcome outcome, const char *argument)
{
  if (outcome < RIGHT) {
    return;
  }
  char *list = outcome == WRONG ? all->wrong : all->right;
  const size_t capacity = sizeof all->wrong, length = strlen(list);
  if (length + strlen(argument) + 3 < capacity) {
    (void)snprintf(list + length, capacity - length, "%s%s", length > 0 ? ", " : "", argument);
  }
}

/** A component of a gradient beside its slope by differences. */
typedef struct component {
  int k;
  int64_t c;
  double found, expected;
  double scale, tolerance;
} component;

static const char *hint_of(const component *x)
{
  const double accepted = x->tolerance * x->scale;
  if (fabs(x->found + x->expected) <= accepted && fabs(x->expected) > accepted) {
    return "; the sign is wrong";
  }
  return x->found == 0.0 ? "; nothing was added" : "";
}

static enum outcome compare_slope(const cf_op *op, const component *x, verdict *all)
{
  const double error = fabs(x->found - x->expected) / x->scale;
  op->report->slope_error = fmax(op->report->slope_error, error);
  op->report->n_slopes++;
  if (error <= x->tolerance) {
    return fabs(x->expected) > x->tolerance * x->scale ? RIGHT : ZERO;
  }
  if (all->first[0] == '\0') {
    char name[CF_TEXT];
    (void)snprintf(all->first, sizeof all->first,
                   "%s: the %s is %.9g, expected %.9g by central differences of %s (relative error "
                   "%.2g, normal is below %.0e)%s",
                   op->of.kind->vjp_name, cf_name(&op->slots[x->k].other, x->c, name, CF_TEXT),
                   x->found, x->expected, op->of.kind->call_name, error, x->tolerance, hint_of(x));
  }
  return WRONG;
}

/** One component with the largest step that meets no kink. */
static enum outcome check_component(probe *p, int k, int64_t c, double scale, verdict *all)
{
  for (int i = 0; i < N_STEPS; i++) {
    const double h = step_of(i) * fmax(1.0, fabs(p->origin.of[k][c]));
    bool kinked = false;
    evaluate_around(p, (way){k, c}, h);
    const double slope = slope_around(p, h, scale, tolerance_of(i), &kinked);
    if (!kinked) {
      const component x = {k, c, p->gradient.of[k][c], slope, scale, tolerance_of(i)};
      return compare_slope(&p->op, &x, all);
    }
  }
  p->op.report->n_kinks++;
  return LEFT_OUT;
}

/** The components of argument k: all of them, or `most` drawn at random. A parameter has a name of
 * its own. */
static void check_argument(probe *p, int k, int64_t most, uint64_t *state, verdict *all)
{
  const cf_array *value = &p->op.slots[k].value;
  const pf_parameter_table *table = value->parameters;
  const int64_t n = cf_count(&p->op.slots[k].other);
  const int64_t done = p->op.report->n_slopes;
  const double scale = fmax(largest_gradient(&p->op, &p->gradient, k), 1e-2);
  enum outcome whole = LEFT_OUT;
  for (int64_t i = 0; i < n && i < most; i++) {
    const int64_t c = n <= most ? i : (int64_t)(cf_uniform(state) * (double)n);
    const enum outcome one = check_component(p, k, c, scale, all);
    if (table != NULL) {
      const pf_parameter *parameter =
          pf_table_at(table->items, table->stride, table->count, (size_t)c);
      note_outcome(all, one, parameter->name);
    }
    whole = one > whole ? one : whole;
  }
  if (table == NULL) {
    note_outcome(all, whole, value->name);
  }
  if (n > 0 && p->op.report->n_slopes == done) {
    cf_find(p->op.report,
            "every difference of %s lies near a kink, at any step: no derivative could be compared",
            value->name);
  }
}

/** All that was computed, to or against the double build's. True: it was compared, and no
 * differences are needed. */
static bool meets_reference(cf_op *op)
{
  bool compared = false;
  for (int m = 0; m < op->n_out; m++) {
    if (cf_out(op, m)->varies &&
        cf_reference_array(op->report, op->of.kind->call_name, &cf_out(op, m)->value)) {
      compared = true;
    }
  }
  for (int k = 0; k < op->n_in; k++) {
    if (cf_reference_array(op->report, op->of.kind->vjp_name, &op->slots[k].other)) {
      compared = true;
    }
  }
  return compared;
}

static void check_arguments(probe *p, int64_t most)
{
  verdict all = {{0}, {0}, {0}};
  uint64_t state = 26;
  for (int k = 0; k < p->op.n_in; k++) {
    check_argument(p, k, most, &state, &all);
  }
  if (all.first[0] != '\0' && all.right[0] != '\0') {
    cf_find(p->op.report, "%s. Wrong: %s; right: %s", all.first, all.wrong, all.right);
  } else if (all.first[0] != '\0') {
    cf_find(p->op.report, "%s. Wrong: %s, and none is right: is %s what you meant?", all.first,
            all.wrong, p->op.of.kind->call_name);
  }
}

void cf_check_slopes(const cf_case *of, cf_shape shape, int64_t most)
{
  probe p;
  probe_make(&p, of, shape, 25);
  if (!meets_reference(&p.op)) {
    check_arguments(&p, most);
  }
  probe_free(&p);
}

/* ---- the remainder ---- */

/** A remainder, and what of it may be rounding. */
typedef struct rest {
  double value, rounding;
} rest;

/** f(h) - f(0) - h slope, summed; f[0] holds f(0). */
static rest remainder_at(probe *p, way along, double h, double slope)
{
  (void)move_inputs(p, along, h);
  evaluate_cells(&p->op, p->f[1]);
  (void)move_inputs(p, along, 0);
  double sum = 0.0, size = 0.0;
  for (int64_t k = 0; k < p->n; k++) {
    sum += p->f[1][k] - p->f[0][k];
    size += fabs(p->f[1][k]);
  }
  return (rest){sum - h * slope,
                8 * rounding_unit() * (size + fabs(slope) * (is_single() ? 1 : h))};
}

static void note_ratio(cf_report *report, double ratio)
{
  report->ratio_low = fmin(report->ratio_low, ratio);
  report->ratio_high = fmax(report->ratio_high, ratio);
  report->n_ratios++;
}

static void check_direction(probe *p, way along, double slope)
{
  /* larger steps than of differences: the remainder itself is what must stand out of the rounding
   */
  static const double steps[2][4] = {{2e-3, 2.5e-4, 3e-5, 4e-6}, {1e-1, 5e-2, 2e-2, 1e-2}};
  cf_report *report = p->op.report;
  double ratio = 0.0;
  bool kinked = false;
  for (int i = 0; i < 4; i++) {
    const double h = steps[is_single()][i];
    evaluate_around(p, along, h);
    (void)slope_around(p, h, fabs(slope), 1e-6, &kinked);
    evaluate_cells(&p->op, p->f[0]);
    const rest whole = remainder_at(p, along, h, slope);
    const rest half = remainder_at(p, along, h / 2, slope);
    ratio = whole.value / half.value;
    if (fabs(whole.value) <= 30 * whole.rounding) {
      report->n_linear++;
      return;
    }
    if (ratio > 3.5 && ratio < 4.6 && fabs(half.value) > 10 * half.rounding) {
      note_ratio(report, ratio);
      return;
    }
  }
  if (kinked) {
    report->n_kinks++;
    return;
  }
  cf_find(report,
          "%s: the Taylor remainder along a random direction of %s falls by %.3g when the step "
          "halves, expected 4 (2: the gradient is wrong)",
          p->op.of.kind->vjp_name,
          along.slot < 0 ? "all inputs" : p->op.slots[along.slot].value.name, ratio);
}

void cf_check_remainder(const cf_case *of, cf_shape shape)
{
  if (of->report->reference != NULL && of->report->reference->text != NULL) {
    return;
  }
  for (int d = 0; d < N_DIRECTIONS; d++) {
    probe p;
    probe_make(&p, of, shape, 31 + (uint64_t)d);
    double total = 0.0;
    for (int k = 0; k < p.op.n_in; k++) {
      const int64_t n = cf_count(&p.op.slots[k].other);
      double slope = 0.0;
      for (int64_t c = 0; c < n; c++) {
        slope += p.gradient.of[k][c] * cf_get(&p.op.slots[k].tangent, c);
      }
      total += slope;
      if (n > 0) {
        check_direction(&p, (way){k, -1}, slope);
      }
    }
    check_direction(&p, (way){-1, -1}, total);
    probe_free(&p);
  }
}

/* ---- tangents ---- */

static double product_of_vjp(const cf_op *op, const cf_numbers *gradient, int copy)
{
  double sum = 0.0;
  for (int k = 0; k < op->n_in; k++) {
    const int64_t n = (op->given >> k & 1) != 0 ? cf_count(&op->slots[k].other) : 0;
    for (int64_t c = 0; c < n; c++) {
      sum += gradient->of[k][c] * cf_get(&op->slots[k].tangent, copy * n + c);
    }
  }
  return sum;
}

/** Tangents of the outputs times their cotangents; *size: the sum of the terms' sizes, plus 1. */
static double product_of_jvp(const cf_op *op, int copy, double *size)
{
  double sum = 0.0;
  *size = 1.0;
  for (int m = 0; m < op->n_out; m++) {
    const cf_slot *slot = cf_out(op, m);
    const int64_t n = cf_count(&slot->other);
    for (int64_t c = 0; c < n; c++) {
      if (cf_is_unwritten(&slot->tangent, copy * n + c)) {
        char name[CF_TEXT];
        cf_find(op->report, "%s leaves the %s unwritten", op->report->doing,
                cf_name(&slot->tangent, copy * n + c, name, CF_TEXT));
      }
      const double term = cf_get(&slot->other, c) * cf_get(&slot->tangent, copy * n + c);
      sum += term;
      *size += fabs(term);
    }
    cf_need_padding(op, &slot->tangent);
  }
  return sum;
}

/** The jvp with the tangents of some inputs, the others NULL. */
static void check_given(cf_op *op, uint64_t given, const cf_numbers *gradient)
{
  const cf_range all = cf_whole(op);
  const double tolerance = 50 * cf_rounding();
  op->given = given;
  for (int m = 0; m < op->n_out; m++) {
    cf_fill_unwritten(&cf_out(op, m)->tangent);
    cf_fill_padding(&cf_out(op, m)->tangent, cf_mark);
  }
  cf_run_jvp(op, &all);
  for (int copy = 0; copy < CF_TANGENTS; copy++) {
    double size;
    const double right = product_of_vjp(op, gradient, copy);
    const double left = product_of_jvp(op, copy, &size);
    const double error = fabs(left - right) / size;
    if (!(error <= tolerance)) {
      cf_find(op->report,
              "%s: along tangent %d, its tangents times the cotangents are %.12g, those of %s "
              "%.12g (relative error %.2g, normal is below %.0e)%s%s",
              op->report->doing, copy, left, op->of.kind->vjp_name, right, error, tolerance,
              fabs(left + right) <= tolerance * size ? "; the sign is wrong" : "",
              given == ~(uint64_t)0 ? "" : "; some tangents are NULL, which means zero");
    }
    op->report->product_error = fmax(op->report->product_error, error);
    op->report->n_products++;
  }
}

void cf_check_tangents(const cf_case *of, cf_shape shape)
{
  cf_op op;
  make_with_gradients(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 41});
  cf_numbers gradient = cf_numbers_take(&op, CF_OTHER);
  /* all, each alone, each missing, none */
  check_given(&op, ~(uint64_t)0, &gradient);
  for (int m = 0; m < op.n_out; m++) {
    (void)cf_reference_array(op.report, of->kind->jvp_name, &cf_out(&op, m)->tangent);
  }
  for (int k = 0; k < op.n_in; k++) {
    if (op.slots[k].varies) {
      check_given(&op, UINT64_C(1) << k, &gradient);
      check_given(&op, ~(UINT64_C(1) << k), &gradient);
    }
  }
  check_given(&op, 0, &gradient);
  cf_numbers_free(&gradient);
  cf_op_free(&op);
}
