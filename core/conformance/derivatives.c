/*
 * Derivatives of an op: its pull (vjp) against central differences of its call, its push (jvp)
 * against its pull.
 *
 * Differences are of fourth order, (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h, taken cell by cell
 * of the outputs and then joined with the cotangents, so that rounding is that of one cell and not
 * of their sum. Where the function has a kink within the step (ReLU, abs, min, max), second
 * differences do not shrink as h^2: told from the function alone, never from the derivatives under
 * test. Then a smaller step is tried, and at last that component is left out and counted. So a
 * tolerance need not be loosened for kinks.
 *
 * Tolerances: the largest errors measured on the shipped plugins are 4e-11 of the largest slope of
 * the argument (double, h = 1e-3) and 2e-3 (single, h = 3e-2); a factor that is dropped, or a sign,
 * gives 1e-1 and more.
 */
#include "core/conformance/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 96, N_STEPS = 3, N_DIRECTIONS = 3 };

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
 * dw is small: rounding); what such differences miss, the double twin finds (suite.c). */
static double tolerance_of(int i)
{
  static const double tolerances[2][N_STEPS] = {{2e-9, 4e-9, 1e-7}, {5e-3, 2e-2, 2e-2}};
  return tolerances[is_single()][i];
}

/* ---- the function: outputs joined with cotangents ---- */

/** A way through the inputs: cell by cell or all along a direction. */
typedef struct way {
  int slot;     /**< one component of this input; -1: along all */
  int64_t cell; /**< or -1: all cells of the slot, along its tangent's first copy */
} way;

static void shift_slot(cf_op *op, const double *origin, int k, double h)
{
  const cf_slot *slot = &op->slots[k];
  const int64_t n = cf_count(&slot->value);
  for (int64_t c = 0; c < n; c++) {
    cf_set(&slot->value, c, origin[c] + h * cf_get(&slot->tangent, c));
  }
}

/** Origins of all inputs, so that shifting back leaves no rounding. */
typedef struct origins {
  double *of[CF_MAX_SLOTS];
} origins;

static origins take_origins(const cf_op *op)
{
  origins out = {{0}};
  for (int k = 0; k < op->n_in; k++) {
    const int64_t n = cf_count(&op->slots[k].value);
    out.of[k] = malloc(((size_t)n + 1) * sizeof(double));
    if (out.of[k] == NULL) {
      abort();
    }
    for (int64_t c = 0; c < n; c++) {
      out.of[k][c] = cf_get(&op->slots[k].value, c);
    }
  }
  return out;
}

static void drop_origins(const cf_op *op, origins *o)
{
  for (int k = 0; k < op->n_in; k++) {
    free(o->of[k]);
  }
}

static double move(cf_op *op, const origins *o, way along, double h)
{
  double real_h = h;
  if (along.slot >= 0 && along.cell >= 0) {
    const cf_array *array = &op->slots[along.slot].value;
    cf_set(array, along.cell, o->of[along.slot][along.cell] + h);
    real_h = cf_get(array, along.cell) -
             o->of[along.slot][along.cell]; /* single: what was really added */
  } else {
    for (int k = 0; k < op->n_in; k++) {
      if (op->slots[k].varies && (along.slot < 0 || along.slot == k)) {
        shift_slot(op, o->of[k], k, h);
      }
    }
  }
  return real_h;
}

static int64_t n_cells(const cf_op *op)
{
  int64_t n = 0;
  for (int m = 0; m < op->n_out; m++) {
    n += cf_out(op, m)->varies ? cf_count(&cf_out(op, m)->value) : 0;
  }
  return n;
}

/** All outputs, one after the other, times their cotangents. */
static void evaluate(cf_op *op, double *out)
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
    for (int64_t k = 0; slot->varies && k < cf_count(&slot->value); k++) {
      *out++ = cf_get(&slot->value, k) * cf_get(&slot->other, k);
    }
  }
}

/** Nine evaluations' worth of memory: f at 0, +-h/2, +-h, +-2h. */
typedef struct stencil {
  double *f[7];
  double at[7]; /**< real steps */
  int64_t n;
} stencil;

static stencil stencil_make(const cf_op *op)
{
  stencil s = {.n = n_cells(op)};
  for (int i = 0; i < 7; i++) {
    s.f[i] = malloc(((size_t)s.n + 1) * sizeof(double));
    if (s.f[i] == NULL) {
      abort();
    }
  }
  return s;
}

static void stencil_free(stencil *s)
{
  for (int i = 0; i < 7; i++) {
    free(s->f[i]);
  }
}

static void stencil_take(cf_op *op, const origins *o, way along, double h, stencil *s)
{
  static const double factors[7] = {0, 0.5, -0.5, 1, -1, 2, -2};
  for (int i = 0; i < 7; i++) {
    s->at[i] = move(op, o, along, factors[i] * h);
    evaluate(op, s->f[i]);
  }
  (void)move(op, o, along, 0);
}

/** Slope by the stencil. *kinked: second differences do not fall as squares of the step. */
static double stencil_slope(const stencil *s, double h, double scale, double tolerance,
                            bool *kinked)
{
  double slope = 0.0, size = 0.0, bend = 0.0;
  const double epsilon = is_single() ? 6e-8 : 1.2e-16;
  for (int64_t k = 0; k < s->n; k++) {
    const double one = (s->f[3][k] - s->f[4][k]) / (s->at[3] - s->at[4]);
    const double two = (s->f[5][k] - s->f[6][k]) / (s->at[5] - s->at[6]);
    slope += (4 * one - two) / 3;
    const double half = s->f[1][k] - 2 * s->f[0][k] + s->f[2][k],
                 whole = s->f[3][k] - 2 * s->f[0][k] + s->f[4][k],
                 twice = s->f[5][k] - 2 * s->f[0][k] + s->f[6][k];
    bend += fabs(whole - 4 * half) + fabs(twice - 4 * whole);
    size += fabs(s->f[0][k]);
  }
  *kinked = bend > 0.2 * tolerance * h * fmax(scale, fabs(slope)) + 64 * epsilon * size;
  return slope;
}

/* ---- gradients ---- */

static void need_intact_padding(cf_op *op)
{
  for (int k = 0; k < op->n_in; k++) {
    int64_t at = 0;
    if (op->slots[k].other.map != NULL && !cf_padding_is(&op->slots[k].other, cf_mark, &at)) {
      cf_find(
          op->report,
          "%s writes into the padding of the %s: cell %lld from its first (%lld columns, leading "
          "dimension %lld)",
          op->report->doing, op->slots[k].other.name, (long long)at,
          (long long)op->slots[k].other.columns, (long long)op->slots[k].other.ld);
    }
  }
  for (int m = 0; m < op->n_out;
       m++) { /* where the pull changes a cotangent in place: the memory it was handed */
    int64_t at = 0;
    const cf_array *scratch = &cf_out(op, m)->tangent;
    if (op->kind->jvp == NULL && scratch->map != NULL && !cf_padding_is(scratch, cf_mark, &at)) {
      cf_find(op->report,
              "%s writes into the padding of the gradient of %s: cell %lld from its first",
              op->report->doing, cf_out(op, m)->value.name, (long long)at);
    }
  }
}

/** The pull needs what the call gave, where it takes the values back (networks). */
static void call_then_vjp(cf_op *op)
{
  const cf_range all = cf_whole(op);
  double *ignored = malloc(((size_t)n_cells(op) + 1) * sizeof *ignored);
  if (ignored == NULL) {
    abort();
  }
  evaluate(op, ignored);
  free(ignored);
  cf_run_vjp(op, &all);
}

static bool vjps(const cf_case *of)
{
  return of->kind->vjp != NULL;
}

/** Gradients of all inputs, in doubles. */
static origins take_gradients(const cf_op *op)
{
  origins out = {{0}};
  for (int k = 0; k < op->n_in; k++) {
    const int64_t n = op->slots[k].other.map == NULL ? 0 : cf_count(&op->slots[k].other);
    out.of[k] = malloc(((size_t)n + 1) * sizeof(double));
    if (out.of[k] == NULL) {
      abort();
    }
    for (int64_t c = 0; c < n; c++) {
      out.of[k][c] = cf_get(&op->slots[k].other, c);
    }
  }
  return out;
}

static double largest(const cf_op *op, const origins *g, int k)
{
  double most = 0.0;
  for (int64_t c = 0; op->slots[k].other.map != NULL && c < cf_count(&op->slots[k].other); c++) {
    most = fmax(most, fabs(g->of[k][c]));
  }
  return most;
}

void cf_check_accumulates(const cf_case *of, cf_shape shape)
{
  if (!vjps(of)) {
    return;
  }
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_NONE, .at_end = true, .seed = 21});
  cf_fill_gradients(&op, 21, false);
  call_then_vjp(&op);
  origins alone = take_gradients(&op);
  cf_fill_gradients(&op, 22, true);
  origins before = take_gradients(&op);
  call_then_vjp(&op);
  char name[TEXT];
  for (int k = 0; k < op.n_in; k++) {
    const double scale = 1 + largest(&op, &alone, k);
    for (int64_t c = 0; op.slots[k].other.map != NULL && c < cf_count(&op.slots[k].other); c++) {
      const double found = cf_get(&op.slots[k].other, c),
                   expected = before.of[k][c] + alone.of[k][c];
      if (!(fabs(found - expected) <= cf_rounding() * scale * 4)) {
        const bool overwritten = fabs(found - alone.of[k][c]) <= cf_rounding() * scale * 4;
        cf_find(op.report, "%s: the %s was %.9g before and %.9g after, expected %.9g: it is %s",
                op.report->doing, cf_name(&op.slots[k].other, c, name, TEXT), before.of[k][c],
                found, expected,
                overwritten ? "overwritten, gradients are added to (+=)"
                            : "neither added to (+=) nor overwritten");
      }
      op.report->n_values++;
    }
  }
  /* and the same with padded rows, each array another padding */
  cf_op padded;
  cf_op_make(&padded, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = false, .seed = 21});
  cf_fill_gradients(&padded, 21, false);
  call_then_vjp(&padded);
  for (int k = 0; k < op.n_in; k++) {
    const double scale = 1 + largest(&op, &alone, k);
    for (int64_t c = 0; op.slots[k].other.map != NULL && c < cf_count(&op.slots[k].other); c++) {
      const double found = cf_get(&padded.slots[k].other, c), expected = alone.of[k][c];
      if (!(fabs(found - expected) <= cf_rounding() * scale * 4)) {
        cf_find(op.report,
                "%s: the %s is %.9g, expected %.9g, when the rows of its arrays are padded: it "
                "ignores a "
                "leading dimension",
                op.report->doing, cf_name(&padded.slots[k].other, c, name, TEXT), found, expected);
      }
      op.report->n_values++;
    }
  }
  need_intact_padding(&padded);
  drop_origins(&op, &alone);
  drop_origins(&op, &before);
  cf_op_free(&padded);
  cf_op_free(&op);
}

void cf_check_unwanted(const cf_case *of, cf_shape shape)
{
  if (!vjps(of)) {
    return;
  }
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 23});
  call_then_vjp(&op);
  origins all = take_gradients(&op);
  for (int round = 0; round < 2 * op.n_in + 1; round++) {
    const int only = round / 2;
    op.wanted = round == 2 * op.n_in ? 0
                : round % 2 == 0     ? ~(UINT64_C(1) << only)
                                     : UINT64_C(1) << only;
    if (round < 2 * op.n_in && op.slots[only].other.map == NULL) {
      continue;
    }
    cf_fill_gradients(&op, op.layout.seed, true);
    origins before = take_gradients(&op);
    call_then_vjp(&op);
    char name[TEXT];
    for (int k = 0; k < op.n_in; k++) {
      const bool wanted = (op.wanted >> k & 1) != 0;
      const double tolerance = cf_rounding() * 4 * (1 + largest(&op, &all, k));
      for (int64_t c = 0; op.slots[k].other.map != NULL && c < cf_count(&op.slots[k].other); c++) {
        const double found = cf_get(&op.slots[k].other, c),
                     expected = wanted ? all.of[k][c] : before.of[k][c];
        if (!(fabs(found - expected) <= tolerance)) {
          cf_find(op.report,
                  "%s: the %s is %.9g, expected %.9g as when all are wanted, now that %s "
                  "gradient is NULL",
                  op.report->doing, cf_name(&op.slots[k].other, c, name, TEXT), found, expected,
                  round % 2 == 0 ? "one other" : "every other");
        }
        op.report->n_values++;
      }
    }
    drop_origins(&op, &before);
  }
  drop_origins(&op, &all);
  cf_op_free(&op);
}

/** Gradients of a block, and of its parts one after the other, agree to the rounding of sums. */
void cf_check_vjp_parts(const cf_case *of, cf_shape shape)
{
  if (!vjps(of) || (!of->kind->splits_units && !of->kind->splits_steps)) {
    return;
  }
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 24});
  call_then_vjp(&op);
  origins all = take_gradients(&op);
  for (int split = 0; split < 2; split++) {
    if (!(split == 0 ? of->kind->splits_units : of->kind->splits_steps)) {
      continue;
    }
    cf_fill_gradients(&op, op.layout.seed, true);
    const int64_t n = split == 0 ? shape.units : shape.steps, cut = n / 3 > 0 ? n / 3 : 1;
    for (int64_t at = 0; at < n; at += cut) {
      const int64_t size = n - at < cut ? n - at : cut;
      const cf_range part =
          split == 0 ? (cf_range){.unit0 = at, .n_units = size, .row0 = at, .n_steps = shape.steps}
                     : (cf_range){.n_units = shape.units, .step0 = at, .n_steps = size};
      cf_run_vjp(&op, &part);
    }
    char name[TEXT];
    for (int k = 0; k < op.n_in; k++) {
      const double tolerance = cf_rounding() * 4 * (1 + largest(&op, &all, k));
      for (int64_t c = 0; op.slots[k].other.map != NULL && c < cf_count(&op.slots[k].other); c++) {
        const double found = cf_get(&op.slots[k].other, c), expected = all.of[k][c];
        if (!(fabs(found - expected) <= tolerance)) {
          cf_find(op.report,
                  "%s: the %s is %.9g by parts, %.9g at once: a block and its parts give other "
                  "gradients",
                  op.report->doing, cf_name(&op.slots[k].other, c, name, TEXT), found, expected);
        }
        op.report->n_values++;
      }
    }
  }
  drop_origins(&op, &all);
  cf_op_free(&op);
}

/* ---- against differences ---- */

/** What is wrong so far: the first in full, then the names of all; and what is right and not 0. */
typedef struct verdict {
  char first[CF_SENTENCE], wrong[CF_SENTENCE / 4], right[CF_SENTENCE / 4];
} verdict;

enum outcome { LEFT_OUT, ZERO, RIGHT, WRONG }; /* of several, the largest counts */

static void note(verdict *all, enum outcome outcome, const char *argument)
{
  char *list = outcome == WRONG ? all->wrong : outcome == RIGHT ? all->right : NULL;
  const size_t capacity = sizeof all->wrong, length = list == NULL ? 0 : strlen(list);
  if (list != NULL && length + strlen(argument) + 3 < capacity) {
    (void)snprintf(list + length, capacity - length, "%s%s", length > 0 ? ", " : "", argument);
  }
}

static enum outcome compare_slope(cf_op *op, int k, int64_t c, double found, double expected,
                                  double scale, double tolerance, verdict *all)
{
  const double error = fabs(found - expected) / scale;
  const bool wrong = !(error <= tolerance);
  if (wrong && all->first[0] == '\0') {
    char name[TEXT];
    const char *hint =
        fabs(found + expected) <= tolerance * scale && fabs(expected) > tolerance * scale
            ? "; the sign is wrong"
        : found == 0.0 ? "; nothing was added"
                       : "";
    (void)snprintf(all->first, sizeof all->first,
                   "%s: the %s is %.9g, expected %.9g by central differences of %s (relative error "
                   "%.2g, normal is "
                   "below %.0e)%s",
                   op->kind->vjp_name, cf_name(&op->slots[k].other, c, name, TEXT), found, expected,
                   op->kind->call_name, error, tolerance, hint);
  }
  op->report->slope_error = fmax(op->report->slope_error, error);
  op->report->n_slopes++;
  return wrong ? WRONG : fabs(expected) > tolerance * scale ? RIGHT : ZERO;
}

/** One component with the largest step that meets no kink. */
static enum outcome check_component(cf_op *op, const origins *o, stencil *s, int k, int64_t c,
                                    double found, double scale, verdict *all)
{
  const way along = {k, c};
  for (int i = 0; i < N_STEPS; i++) {
    const double h = step_of(i) * fmax(1.0, fabs(o->of[k][c]));
    bool kinked = false;
    stencil_take(op, o, along, h, s);
    const double slope = stencil_slope(s, h, scale, tolerance_of(i), &kinked);
    if (!kinked) {
      return compare_slope(op, k, c, found, slope, scale, tolerance_of(i), all);
    }
  }
  op->report->n_kinks++;
  return LEFT_OUT;
}

/** The components of argument k: all of them, or `most` drawn at random. A parameter has a name of
 * its own. */
static void check_argument(cf_op *op, const origins *o, const origins *g, stencil *s, int k,
                           int64_t most, uint64_t *state, verdict *all)
{
  const pf_parameter_table *table = op->slots[k].parameters;
  const int64_t n = op->slots[k].other.map == NULL ? 0 : cf_count(&op->slots[k].other);
  const int64_t done = op->report->n_slopes;
  const double scale = fmax(largest(op, g, k), 1e-2);
  enum outcome whole = LEFT_OUT;
  for (int64_t i = 0; i < n && i < most; i++) {
    const int64_t c = n <= most ? i : (int64_t)(cf_uniform(state) * (double)n);
    const enum outcome one = check_component(op, o, s, k, c, g->of[k][c], scale, all);
    const pf_parameter *p =
        table == NULL ? NULL : pf_table_at(table->items, table->stride, table->count, (size_t)c);
    if (p != NULL) {
      note(all, one, p->name);
    }
    whole = one > whole ? one : whole;
  }
  if (table == NULL) {
    note(all, whole, op->slots[k].value.name);
  }
  if (n > 0 && op->report->n_slopes == done) {
    cf_find(op->report,
            "every difference of %s lies near a kink, at any step: no derivative could be compared",
            op->slots[k].value.name);
  }
}

/** All that was computed, to or against the double build's. True: it was compared, and no
 * differences are needed. */
static bool meets_reference(cf_op *op)
{
  bool compared = false;
  for (int m = 0; m < op->n_out; m++) {
    compared = (cf_out(op, m)->varies &&
                cf_reference_array(op->report, op->kind->call_name, &cf_out(op, m)->value)) ||
               compared;
  }
  for (int k = 0; k < op->n_in; k++) {
    compared = cf_reference_array(op->report, op->kind->vjp_name, &op->slots[k].other) || compared;
  }
  return compared;
}

void cf_check_slopes(const cf_case *of, cf_shape shape, int64_t most)
{
  if (!vjps(of)) {
    return;
  }
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 25});
  cf_fill_gradients(&op, 25, false);
  call_then_vjp(&op);
  if (meets_reference(&op)) {
    cf_op_free(&op);
    return;
  }
  verdict all = {{0}, {0}, {0}};
  origins o = take_origins(&op), g = take_gradients(&op);
  stencil s = stencil_make(&op);
  uint64_t state = 26;
  for (int k = 0; k < op.n_in; k++) {
    check_argument(&op, &o, &g, &s, k, most, &state, &all);
  }
  if (all.first[0] != '\0' && all.right[0] != '\0') {
    cf_find(op.report, "%s. Wrong: %s; right: %s", all.first, all.wrong, all.right);
  } else if (all.first[0] != '\0') {
    cf_find(op.report, "%s. Wrong: %s, and none is right: is %s what you meant?", all.first,
            all.wrong, op.kind->call_name);
  }
  stencil_free(&s);
  drop_origins(&op, &o);
  drop_origins(&op, &g);
  cf_op_free(&op);
}

/* ---- the remainder ---- */

/** f(h) - f(0) - h slope, summed; *rounding: what of it may be rounding. */
static double remainder_at(cf_op *op, const origins *o, way along, double h, const double *f0,
                           double *f, int64_t n, double slope, double *rounding)
{
  (void)move(op, o, along, h);
  evaluate(op, f);
  (void)move(op, o, along, 0);
  double sum = 0.0, size = 0.0;
  for (int64_t k = 0; k < n; k++) {
    sum += f[k] - f0[k];
    size += fabs(f[k]);
  }
  *rounding = 8 * (is_single() ? 6e-8 : 1.2e-16) * (size + fabs(slope) * (is_single() ? 1 : h));
  return sum - h * slope;
}

static void check_direction(cf_op *op, const origins *o, way along, double slope, stencil *s)
{
  /* larger steps than of differences: the remainder itself is what must stand out of the rounding
   */
  static const double steps[2][4] = {{2e-3, 2.5e-4, 3e-5, 4e-6}, {1e-1, 5e-2, 2e-2, 1e-2}};
  const char *what = along.slot < 0 ? "all inputs" : op->slots[along.slot].value.name;
  double ratio = 0.0;
  bool linear = false, kinked = false;
  for (int i = 0; i < 4; i++) {
    const double h = steps[is_single()][i];
    double rounding = 0.0, rounding_half = 0.0;
    stencil_take(op, o, along, h, s);
    (void)stencil_slope(s, h, fabs(slope), 1e-6, &kinked);
    (void)move(op, o, along, 0);
    evaluate(op, s->f[0]);
    const double whole = remainder_at(op, o, along, h, s->f[0], s->f[1], s->n, slope, &rounding);
    const double half =
        remainder_at(op, o, along, h / 2, s->f[0], s->f[1], s->n, slope, &rounding_half);
    linear = fabs(whole) <= 30 * rounding;
    ratio = whole / half;
    if (linear) {
      break;
    }
    if (ratio > 3.5 && ratio < 4.6 && fabs(half) > 10 * rounding_half) {
      op->report->ratio_low =
          op->report->n_ratios == 0 ? ratio : fmin(op->report->ratio_low, ratio);
      op->report->ratio_high =
          op->report->n_ratios == 0 ? ratio : fmax(op->report->ratio_high, ratio);
      op->report->n_ratios++;
      return;
    }
  }
  if (linear) {
    op->report->n_linear++;
  } else if (kinked) {
    op->report->n_kinks++;
  } else {
    cf_find(op->report,
            "%s: the Taylor remainder along a random direction of %s falls by %.3g when the step "
            "halves, "
            "expected 4 (2: the gradient is wrong)",
            op->kind->vjp_name, what, ratio);
  }
}

void cf_check_remainder(const cf_case *of, cf_shape shape)
{
  if (!vjps(of) || (of->report->reference != NULL && of->report->reference->text != NULL)) {
    return;
  }
  for (int d = 0; d < N_DIRECTIONS; d++) {
    cf_op op;
    cf_op_make(&op, of, shape,
               (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 31 + (uint64_t)d});
    cf_fill_gradients(&op, 31, false);
    call_then_vjp(&op);
    origins o = take_origins(&op), g = take_gradients(&op);
    stencil s = stencil_make(&op);
    double total = 0.0;
    for (int k = 0; k < op.n_in; k++) {
      const int64_t n = op.slots[k].other.map == NULL ? 0 : cf_count(&op.slots[k].other);
      double slope = 0.0;
      for (int64_t c = 0; c < n; c++) {
        slope += g.of[k][c] * cf_get(&op.slots[k].tangent, c);
      }
      total += slope;
      if (n > 0) {
        check_direction(&op, &o, (way){k, -1}, slope, &s);
      }
    }
    check_direction(&op, &o, (way){-1, -1}, total, &s);
    stencil_free(&s);
    drop_origins(&op, &o);
    drop_origins(&op, &g);
    cf_op_free(&op);
  }
}

/* ---- tangents ---- */

static double product_of_vjp(const cf_op *op, const origins *g, int copy)
{
  double sum = 0.0;
  for (int k = 0; k < op->n_in; k++) {
    const int64_t n = op->slots[k].other.map == NULL ? 0 : cf_count(&op->slots[k].other);
    for (int64_t c = 0; (op->given >> k & 1) != 0 && c < n; c++) {
      sum += g->of[k][c] * cf_get(&op->slots[k].tangent, copy * n + c);
    }
  }
  return sum;
}

static void check_given(cf_op *op, const origins *g)
{
  const cf_range all = cf_whole(op);
  for (int m = 0; m < op->n_out; m++) {
    if (cf_out(op, m)->tangent.map != NULL) {
      cf_fill_unwritten(&cf_out(op, m)->tangent);
      cf_fill_padding(&cf_out(op, m)->tangent, cf_mark);
    }
  }
  cf_run_jvp(op, &all);
  char name[TEXT];
  for (int copy = 0; copy < CF_TANGENTS; copy++) {
    const double right = product_of_vjp(op, g, copy);
    double left = 0.0, size = 1.0;
    for (int m = 0; m < op->n_out; m++) {
      const cf_slot *slot = cf_out(op, m);
      const int64_t n = slot->tangent.map == NULL ? 0 : cf_count(&slot->other);
      for (int64_t c = 0; c < n; c++) {
        if (cf_is_unwritten(&slot->tangent, copy * n + c)) {
          cf_find(op->report, "%s leaves the %s unwritten", op->report->doing,
                  cf_name(&slot->tangent, copy * n + c, name, TEXT));
        }
        const double term = cf_get(&slot->other, c) * cf_get(&slot->tangent, copy * n + c);
        left += term;
        size += fabs(term);
      }
      int64_t at = 0;
      if (slot->tangent.map != NULL && !cf_padding_is(&slot->tangent, cf_mark, &at)) {
        cf_find(op->report, "%s writes into the padding of the %s: cell %lld from its first",
                op->report->doing, slot->tangent.name, (long long)at);
      }
    }
    const double error = fabs(left - right) / size;
    if (!(error <= 50 * cf_rounding())) {
      cf_find(op->report,
              "%s: along tangent %d, its tangents times the cotangents are %.12g, those of %s "
              "%.12g (relative "
              "error %.2g, normal is below %.0e)%s%s",
              op->report->doing, copy, left, op->kind->vjp_name, right, error, 50 * cf_rounding(),
              fabs(left + right) <= 50 * cf_rounding() * size ? "; the sign is wrong" : "",
              op->given == ~(uint64_t)0 ? "" : "; some tangents are NULL, which means zero");
    }
    op->report->product_error = fmax(op->report->product_error, error);
    op->report->n_products++;
  }
}

void cf_check_tangents(const cf_case *of, cf_shape shape)
{
  if (of->kind->jvp == NULL || !vjps(of)) {
    return;
  }
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 41});
  cf_fill_gradients(&op, 41, false);
  call_then_vjp(&op);
  origins g = take_gradients(&op);
  /* all, each alone, each missing, none */
  op.given = ~(uint64_t)0;
  check_given(&op, &g);
  for (int m = 0; m < op.n_out; m++) {
    (void)cf_reference_array(op.report, op.kind->jvp_name, &cf_out(&op, m)->tangent);
  }
  for (int k = 0; k < op.n_in; k++) {
    if (op.slots[k].tangent.map != NULL) {
      op.given = UINT64_C(1) << k;
      check_given(&op, &g);
      op.given = ~(UINT64_C(1) << k);
      check_given(&op, &g);
    }
  }
  op.given = 0;
  check_given(&op, &g);
  drop_origins(&op, &g);
  cf_op_free(&op);
}
