/* Losses: the ops of plastfit/abi/loss.h. */
#include "core/conformance/derivatives.h"
#include "core/conformance/kinds.h"
#include "core/conformance/values.h"
#include "core/data/data_names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 8, THETA = 0, FIRST = 1 /* observables, then targets, then scored */ };

static const pf_loss_ops *ops_of(const cf_op *op)
{
  return op->of.object->plugin->loss;
}

static int64_t n_observables(const pf_loss_declaration *declared)
{
  return (int64_t)declared->observables.count;
}

static int64_t n_targets(const pf_loss_declaration *declared)
{
  return (int64_t)declared->targets.count;
}

static cf_array *target_of(cf_op *op, int64_t k)
{
  return &op->slots[FIRST + n_observables(op->of.declared) + k].value;
}

/** The mask of steps that are scored, behind the targets. */
static cf_array *scored_of(cf_op *op)
{
  return target_of(op, n_targets(op->of.declared));
}

static const char *const observable_names[MAX] = {"observable[0]", "observable[1]", "observable[2]",
                                                  "observable[3]", "observable[4]", "observable[5]",
                                                  "observable[6]", "observable[7]"};
static const char *const target_names[MAX] = {"target[0]", "target[1]", "target[2]", "target[3]",
                                              "target[4]", "target[5]", "target[6]", "target[7]"};

/** Columns of an observable or a target: as the settings say, 1 for a choice or a logit, else 5. */
static int64_t count_columns(const cf_variant *variant, const char *setting, const char *name,
                             int64_t i)
{
  const bool single =
      pf_is_choice(name) || strcmp(name, "logit") == 0 || strcmp(name, "probability") == 0;
  return (int64_t)cf_setting_at(variant, setting, i, single ? 1 : 5);
}

static void set_target_values(cf_slot *slot, const cf_variant *variant, const char *name)
{
  const int64_t n = cf_setting_count(variant, "target_values");
  slot->fixed = true;
  slot->missing = cf_setting(variant, "target_missing", 0.2);
  if (n > 0 || pf_is_choice(name)) {
    slot->fill = CF_VALUES;
    slot->n_values = n > 0 ? (int)(n < 16 ? n : 16) : 2;
    for (int i = 0; i < slot->n_values; i++) {
      slot->values[i] = cf_setting_at(variant, "target_values", i, (double)i);
    }
    return;
  }
  slot->fill = CF_RANGE;
  slot->low = cf_setting_at(variant, "target_range", 0, -1.3);
  slot->high = cf_setting_at(variant, "target_range", 1, 1.3);
}

/** A slot of one row a step. */
static cf_slot step_slot(const char *name, int64_t steps, int64_t columns)
{
  cf_slot slot = cf_matrix(name, steps, columns, CF_NOWHERE);
  slot.value.steps = CF_DOWN;
  return slot;
}

/** A slot of one row of steps: the outputs and `scored`. */
static cf_slot row_slot(const char *name, enum cf_type type, int64_t steps)
{
  cf_slot slot = cf_matrix(name, 1, steps, CF_NOWHERE);
  slot.value.type = type;
  slot.value.steps = CF_ALONG;
  slot.fill = CF_MASK;
  return slot;
}

static void build_evaluate(cf_op *op, const cf_shape *shape)
{
  const pf_loss_declaration *declared = op->of.declared;
  const cf_variant *variant = op->of.object->variant;
  const cf_slot scored = row_slot("scored", CF_BYTE, shape->steps),
                log_likelihood = row_slot("log_likelihood", CF_DOUBLE, shape->steps),
                count = row_slot("count", CF_INT64, shape->steps);
  if (n_observables(declared) > MAX || n_targets(declared) > MAX) {
    cf_find(op->report, "the check takes losses of at most %d observables and targets", MAX);
  }
  cf_input_theta(op, &declared->parameters);
  for (int64_t k = 0; k < n_observables(declared); k++) {
    const char *name = declared->observables.items[k];
    cf_slot slot = step_slot(observable_names[k], shape->steps,
                             count_columns(variant, "observables", name, k));
    slot.fill = cf_setting_count(variant, "observable_range") == 2 ? CF_RANGE : CF_SIGNED;
    slot.low = cf_setting_at(variant, "observable_range", 0, 0);
    slot.high = cf_setting_at(variant, "observable_range", 1, 0);
    cf_input(op, &slot);
  }
  for (int64_t k = 0; k < n_targets(declared); k++) {
    const char *name = declared->targets.items[k];
    cf_slot slot =
        step_slot(target_names[k], shape->steps, count_columns(variant, "targets", name, k));
    set_target_values(&slot, variant, name);
    cf_input(op, &slot);
  }
  cf_input(op, &scored);
  cf_output(op, &log_likelihood);
  cf_output(op, &count);
}

/** pf_loss_in with the tables it points to. */
typedef struct loss_in {
  pf_loss_in face;
  const pf_real *observable[MAX], *target[MAX];
  int64_t n_observable[MAX], ld_observable[MAX], n_target[MAX], ld_target[MAX];
} loss_in;

static void in_of(const cf_op *op, const cf_range *range, loss_in *out)
{
  const pf_loss_declaration *declared = op->of.declared;
  const int64_t n = n_observables(declared), m = n_targets(declared);
  for (int64_t k = 0; k < n; k++) {
    const cf_array *a = &op->slots[FIRST + k].value;
    out->observable[k] = cf_at(a, range);
    out->n_observable[k] = a->columns;
    out->ld_observable[k] = a->ld;
  }
  for (int64_t k = 0; k < m; k++) {
    const cf_array *a = &op->slots[FIRST + n + k].value;
    out->target[k] = cf_at(a, range);
    out->n_target[k] = a->columns;
    out->ld_target[k] = a->ld;
  }
  out->face = (pf_loss_in){.size = sizeof(pf_loss_in),
                           .n_steps = range->n_steps,
                           .theta = cf_at(&op->slots[THETA].value, range),
                           .observable = out->observable,
                           .n_observable = out->n_observable,
                           .ld_observable = out->ld_observable,
                           .target = out->target,
                           .n_target = out->n_target,
                           .ld_target = out->ld_target,
                           .scored = cf_at(&op->slots[FIRST + n + m].value, range)};
}

static pf_status call_evaluate(const cf_op *op, const cf_range *range, pf_error *error)
{
  loss_in in;
  in_of(op, range, &in);
  return ops_of(op)->evaluate(op->of.object->self, &in.face, cf_at(&cf_out(op, 0)->value, range),
                              cf_at(&cf_out(op, 1)->value, range), error);
}

static pf_status call_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  loss_in in;
  pf_real *observable[MAX];
  int64_t ld[MAX];
  in_of(op, range, &in);
  for (int64_t k = 0; k < n_observables(op->of.declared); k++) {
    observable[k] = cf_gradient(op, (int)(FIRST + k), range);
    ld[k] = op->slots[FIRST + k].other.ld;
  }
  const pf_loss_gradient gradient = {.size = sizeof gradient,
                                     .observable = observable,
                                     .ld_observable = ld,
                                     .theta = cf_gradient(op, THETA, range)};
  return ops_of(op)->vjp(op->of.object->self, &in.face, cf_at(&cf_out(op, 0)->other, range),
                         &gradient, error);
}

static const cf_kind_op evaluate_op = {.call_name = "evaluate",
                                       .vjp_name = "vjp",
                                       .build = build_evaluate,
                                       .call = call_evaluate,
                                       .vjp = call_vjp,
                                       .splits_steps = true};

/* ---- what a loss promises of its own ---- */

enum { COUNTED = 23, UNMASKED = 11 };

/** Counts of a call that is to count nothing at some steps. */
static void need_nothing(const cf_op *op, int64_t t, const char *why)
{
  const double ll = cf_get(&cf_out(op, 0)->value, t), count = cf_get(&cf_out(op, 1)->value, t);
  if (count != 0.0 || ll != 0.0) {
    cf_find(op->report,
            "evaluate: step %lld %s, and has count %g and log likelihood %g, expected 0 and 0",
            (long long)t, why, count, ll);
  }
  op->report->n_values++;
}

/** With other observables the counts must be the same. */
static void check_other_observables(cf_op *op)
{
  const cf_array *count = &cf_out(op, 1)->value;
  cf_numbers before = cf_numbers_take(op, CF_VALUE);
  const double *was = before.of[op->n_in + 1];
  for (int64_t k = 0; k < n_observables(op->of.declared); k++) {
    const cf_array *a = &op->slots[FIRST + k].value;
    for (int64_t c = 0; c < cf_count(a); c++) {
      cf_set(a, c, cf_get(a, c) * (c % 3 == 0 ? -1.75 : 1.375));
    }
  }
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  cf_fill_unwritten(count);
  cf_doing(op->report, "evaluate with other observables");
  /* it may refuse these (a rate below 0): then there are no counts */
  const int64_t n = call_evaluate(op, &all, &error) == PF_OK ? COUNTED : 0;
  for (int64_t t = 0; t < n; t++) {
    if (cf_get(count, t) != was[t]) {
      cf_find(op->report,
              "evaluate: the count of step %lld was %g, and is %g now that only the observables "
              "changed: counts depend on the targets alone",
              (long long)t, was[t], cf_get(count, t));
    }
    op->report->n_values++;
  }
  cf_numbers_free(&before);
  cf_fill_inputs(op, op->layout.seed);
}

static void set_targets(cf_op *op, double value)
{
  for (int64_t k = 0; k < n_targets(op->of.declared); k++) {
    const cf_array *a = target_of(op, k);
    for (int64_t c = 0; c < cf_count(a); c++) {
      cf_set(a, c, value);
    }
  }
}

/** Counts of a call with these targets, whatever the network says; nothing where nothing was
 * recorded or scored. */
static void check_counts(const cf_case *of)
{
  cf_op op;
  cf_op_make_padded(&op, of, (cf_shape){1, 1, COUNTED}, 71);
  cf_run_whole(&op);
  const cf_array *ll = &cf_out(&op, 0)->value, *count = &cf_out(&op, 1)->value;
  for (int64_t t = 0; t < COUNTED; t++) {
    if (cf_get(count, t) < 0 || (cf_get(count, t) == 0 && cf_get(ll, t) != 0.0)) {
      cf_find(
          of->report,
          "evaluate: step %lld has count %g and log likelihood %g, expected 0 where nothing counts",
          (long long)t, cf_get(count, t), cf_get(ll, t));
    }
    if (cf_get(scored_of(&op), t) == 0.0) {
      need_nothing(&op, t, "is not scored");
    }
  }
  check_other_observables(&op);
  set_targets(&op, (double)NAN);
  cf_run_whole(&op);
  for (int64_t t = 0; t < COUNTED; t++) {
    need_nothing(&op, t, "has nothing recorded (every target is NaN)");
  }
  cf_op_free(&op);
}

/** scored NULL: every step counts, as with a mask of ones. */
static void check_unmasked(const cf_case *of)
{
  cf_op op;
  cf_op_make_padded(&op, of, (cf_shape){1, 1, UNMASKED}, 72);
  const cf_array *ll = &cf_out(&op, 0)->value, *count = &cf_out(&op, 1)->value;
  memset(scored_of(&op)->cells, 1, scored_of(&op)->bytes);
  cf_run_whole(&op);
  cf_numbers masked = cf_numbers_take(&op, CF_VALUE);
  const double *expected = masked.of[op.n_in];
  loss_in in;
  const cf_range all = cf_whole(&op);
  in_of(&op, &all, &in);
  in.face.scored = NULL;
  pf_error error = {.size = sizeof error};
  cf_doing(of->report, "evaluate with scored NULL");
  cf_need_ok(of->report,
             ops_of(&op)->evaluate(of->object->self, &in.face, cf_at(ll, &all), cf_at(count, &all),
                                   &error),
             &error);
  for (int64_t t = 0; t < UNMASKED; t++) {
    if (cf_get(ll, t) != expected[t]) {
      cf_find(of->report, "evaluate: step %lld has %.9g without a mask, %.9g with a mask of ones",
              (long long)t, cf_get(ll, t), expected[t]);
    }
    of->report->n_values++;
  }
  cf_numbers_free(&masked);
  cf_op_free(&op);
}

/* ---- whitened tangents ---- */

enum { STEPS = 9 };

/** Directional derivatives of each step's log likelihood along the tangents of the observables. */
static void scores_along(cf_op *op, double out[CF_TANGENTS][STEPS])
{
  const cf_range all = cf_whole(op);
  memset(out, 0, sizeof(double) * CF_TANGENTS * STEPS);
  cf_zero_gradients(op);
  cf_run_vjp(op, &all);
  for (int64_t k = 0; k < n_observables(op->of.declared); k++) {
    const cf_array *score = &op->slots[FIRST + k].other, *tangent = &op->slots[FIRST + k].tangent;
    const int64_t n = cf_count(score);
    for (int64_t c = 0; c < CF_TANGENTS * n; c++) {
      out[c / n][c % n / score->columns] += cf_get(score, c % n) * cf_get(tangent, c);
    }
  }
}

/** All steps scored but the middle one. */
static void score_all_but_one(cf_op *op)
{
  memset(scored_of(op)->cells, 1, scored_of(op)->bytes);
  cf_set(scored_of(op), STEPS / 2, 0.0);
}

static void make_for_information(cf_op *op, const cf_case *of)
{
  cf_op_make_padded(op, of, (cf_shape){1, 1, STEPS}, 73);
  score_all_but_one(op);
  for (int64_t t = 0; t < STEPS; t++) {
    cf_set(&cf_out(op, 0)->other, t, 1.0);
  }
}

/** Value v of those that the settings list for the target, or 0 and 1 of a choice; returns how
 * many there are, 0 where they are not known. */
static int64_t value_of_target(const cf_op *op, int64_t v, double *value)
{
  const cf_variant *variant = op->of.object->variant;
  const cf_slot *slot = &op->slots[FIRST + n_observables(op->of.declared)];
  const int64_t n = cf_setting_count(variant, "target_values");
  if (n > 0) {
    *value = cf_setting_at(variant, "target_values", v, 0);
    return n;
  }
  *value = v < slot->n_values ? slot->values[v] : 0.0;
  return slot->fill == CF_VALUES ? slot->n_values : 0;
}

/**
 * Expected products of scores, step by step: sum over the targets' values v of exp(ll(v)) s_k(v)
 * s_l(v). Only where the settings list all values there are (their likelihoods add up to 1) and one
 * target has one column. Without a likelihood, or where the list is not whole, false.
 */
static bool expected_information(cf_op *op, double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  const pf_loss_declaration *declared = op->of.declared;
  double mass[STEPS] = {0}, value;
  memset(out, 0, sizeof(double) * CF_TANGENTS * CF_TANGENTS * STEPS);
  if ((declared->flags & PF_LOSS_LIKELIHOOD) == 0 || n_targets(declared) != 1 ||
      target_of(op, 0)->columns != 1) {
    return false;
  }
  for (int64_t v = 0; v < value_of_target(op, v, &value); v++) {
    double s[CF_TANGENTS][STEPS];
    set_targets(op, value);
    cf_run_whole(op);
    scores_along(op, s);
    for (int64_t t = 0; t < STEPS; t++) {
      const double p = exp(cf_get(&cf_out(op, 0)->value, t));
      mass[t] += p;
      for (int a = 0; a < CF_TANGENTS; a++) {
        for (int b = 0; b < CF_TANGENTS; b++) {
          out[a][b][t] += p * s[a][t] * s[b][t];
        }
      }
    }
  }
  for (int64_t t = 0; t < STEPS; t++) {
    if (t != STEPS / 2 && fabs(mass[t] - 1.0) > (sizeof(pf_real) == 4 ? 1e-5 : 1e-9)) {
      return false;
    }
  }
  return true;
}

/** -d2 ll / d tangent_a d tangent_b by differences of the scores: the information of a squared
 * error. */
static void observed_information(cf_op *op, double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  const double h = sizeof(pf_real) == 4 ? 1e-2 : 1e-4;
  for (int a = 0; a < CF_TANGENTS; a++) {
    double up[CF_TANGENTS][STEPS], down[CF_TANGENTS][STEPS];
    for (int sign = -1; sign <= 1; sign += 2) {
      cf_fill_inputs(op, op->layout.seed);
      score_all_but_one(op);
      for (int64_t k = 0; k < n_observables(op->of.declared); k++) {
        const cf_array *value = &op->slots[FIRST + k].value,
                       *tangent = &op->slots[FIRST + k].tangent;
        for (int64_t c = 0; c < cf_count(value); c++) {
          cf_set(value, c, cf_get(value, c) + sign * h * cf_get(tangent, a * cf_count(value) + c));
        }
      }
      scores_along(op, sign > 0 ? up : down);
    }
    for (int b = 0; b < CF_TANGENTS; b++) {
      for (int64_t t = 0; t < STEPS; t++) {
        out[a][b][t] = -(up[b][t] - down[b][t]) / (2 * h);
      }
    }
  }
  cf_fill_inputs(op, op->layout.seed);
  score_all_but_one(op);
}

/** What `whiten` should come to; how it was had, or NULL where that is not known. */
static const char *find_information(cf_op *op, double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  const pf_loss_declaration *declared = op->of.declared;
  if (expected_information(op, out)) {
    return "the expected product of scores";
  }
  if ((declared->flags & PF_LOSS_LIKELIHOOD) != 0) {
    return NULL;
  }
  observed_information(op, out);
  return "minus the second differences";
}

/** whiten of the tangents of the observables, into `root`. */
static void run_whiten(const cf_op *op, const cf_array *root)
{
  loss_in in;
  const cf_range all = cf_whole(op);
  const pf_real *observable[MAX];
  int64_t stride[MAX];
  for (int64_t k = 0; k < n_observables(op->of.declared); k++) {
    observable[k] = cf_at(&op->slots[FIRST + k].tangent, &all);
    stride[k] = op->slots[FIRST + k].tangent.copy_stride;
  }
  const pf_loss_tangent tangent = {.size = sizeof tangent,
                                   .n_tangents = CF_TANGENTS,
                                   .observable = observable,
                                   .stride = stride,
                                   .theta = NULL};
  pf_error error = {.size = sizeof error};
  const pf_loss_roots out = {
      .size = sizeof out, .root = cf_at(root, &all), .stride = root->copy_stride, .ld = root->ld};
  in_of(op, &all, &in);
  cf_doing(op->report, "whiten");
  cf_need_ok(op->report, ops_of(op)->whiten(op->of.object->self, &in.face, &tangent, &out, &error),
             &error);
}

/** Where `declare` says so (n_whitened 0), column 0 of a root must not change with the other
 * columns of the tangent: the host scales columns one by one. */
static void check_diagonal(const cf_op *op, const cf_array *root)
{
  const int64_t columns = root->columns;
  const cf_array *along = &op->slots[FIRST].tangent;
  double first[STEPS];
  for (int64_t t = 0; t < STEPS; t++) {
    first[t] = cf_get(root, t * columns);
  }
  for (int64_t k = 0; k < STEPS * columns; k++) {
    if (k % columns != 0) {
      cf_set(along, k, -1.5 * cf_get(along, k) + 0.25);
    }
  }
  run_whiten(op, root);
  for (int64_t t = 0; t < STEPS; t++) {
    if (cf_get(root, t * columns) != first[t]) {
      cf_find(
          op->report,
          "whiten: column 0 of step %lld is %.9g, then %.9g after a change of the other columns "
          "of the tangent; expected no change, or n_whitened above 0",
          (long long)t, first[t], cf_get(root, t * columns));
    }
    op->report->n_values++;
  }
}

/** Two tangents of one step. */
typedef struct entry {
  int a, b;
  int64_t t;
} entry;

/** The product of two roots, summed over their columns. */
static double product_of_roots(const cf_array *root, entry at)
{
  double sum = 0.0;
  for (int64_t c = 0; c < root->columns; c++) {
    sum += cf_get(root, (at.a * STEPS + at.t) * root->columns + c) *
           cf_get(root, (at.b * STEPS + at.t) * root->columns + c);
  }
  return sum;
}

static void compare_information(cf_report *report, entry at, double found, double expected,
                                const char *how)
{
  const double tolerance = sizeof(pf_real) == 4 ? 2e-3 : 1e-8;
  const double error = fabs(found - expected) / (1 + fabs(expected));
  if (!(error <= tolerance)) {
    cf_find(report, "whiten: step %lld, tangents %d and %d: %.9g, expected %.9g, %s of vjp",
            (long long)at.t, at.a, at.b, found, expected, how);
  }
  report->product_error = fmax(report->product_error, error);
  report->n_products++;
}

static void check_whiten(cf_bench *bench)
{
  cf_report *report = bench->report;
  double expected[CF_TANGENTS][CF_TANGENTS][STEPS];
  cf_op op;
  make_for_information(&op, &bench->of);
  const char *how = find_information(&op, expected);
  const int64_t declared = bench->declared.loss.n_whitened;
  const int64_t columns = declared > 0 ? declared : op.slots[FIRST].value.columns, ld = columns + 3;
  cf_array root = {.name = "root",
                   .copies = CF_TANGENTS,
                   .planes = 1,
                   .rows = STEPS,
                   .columns = columns,
                   .ld = ld,
                   .stride = STEPS * ld,
                   .copy_stride = STEPS * ld + 5};
  cf_guard_array(report, &root, true);
  cf_fill_unwritten(&root);
  cf_fill_padding(&root, cf_mark);
  run_whiten(&op, &root);
  cf_need_padding(&op, &root);
  for (int64_t k = 0; k < STEPS * CF_TANGENTS * CF_TANGENTS; k++) {
    const entry at = {(int)(k % CF_TANGENTS), (int)(k / CF_TANGENTS % CF_TANGENTS),
                      k / (CF_TANGENTS * CF_TANGENTS)};
    const double found = product_of_roots(&root, at);
    if (at.t == STEPS / 2 && found != 0.0) {
      cf_find(report, "whiten: step %lld is not scored, and has %g, expected 0", (long long)at.t,
              found);
    }
    if (how != NULL) {
      compare_information(report, at, found, expected[at.a][at.b][at.t], how);
    }
    report->n_values++;
  }
  if (declared == 0) {
    check_diagonal(&op, &root);
  }
  cf_release_array(report, &root);
  cf_op_free(&op);
}

/* ---- the null of a constant prediction ---- */

enum { NULL_STEPS = 40, PART = 7 };

/** The sums over all steps, in parts of so many, added to `start`. */
static void accumulate_null(const cf_op *op, cf_array *sums, int64_t part, double start)
{
  for (int64_t k = 0; k < cf_count(sums); k++) {
    cf_set(sums, k, start);
  }
  for (int64_t t = 0; t < NULL_STEPS; t += part) {
    const cf_range range = {
        .n_units = 1, .step0 = t, .n_steps = NULL_STEPS - t < part ? NULL_STEPS - t : part};
    loss_in in;
    pf_error error = {.size = sizeof error};
    in_of(op, &range, &in);
    in.face.observable = NULL;
    in.face.theta = NULL;
    cf_doing(op->report, "null_accumulate");
    cf_need_ok(
        op->report,
        ops_of(op)->null_accumulate(op->of.object->self, &in.face, cf_at(sums, &range), &error),
        &error);
  }
}

static void evaluate_null(const cf_op *op, const cf_array *sums)
{
  const cf_range all = cf_whole(op);
  const cf_array *ll = &cf_out(op, 0)->value;
  loss_in in;
  pf_error error = {.size = sizeof error};
  in_of(op, &all, &in);
  in.face.observable = NULL;
  in.face.theta = NULL;
  cf_fill_unwritten(ll);
  cf_doing(op->report, "null_evaluate");
  cf_need_ok(op->report,
             ops_of(op)->null_evaluate(op->of.object->self, &in.face, cf_at(sums, &all),
                                       cf_at(ll, &all), &error),
             &error);
  for (int64_t t = 0; t < NULL_STEPS; t++) {
    const bool counts = in.face.scored[t] != 0;
    if (cf_is_unwritten(ll, t) || (!counts && cf_get(ll, t) != 0.0)) {
      cf_find(op->report, "null_evaluate: step %lld %s", (long long)t,
              counts ? "is left unwritten" : "is not scored, expected a log likelihood of 0");
    }
    op->report->n_values++;
  }
}

static void check_null(cf_bench *bench)
{
  cf_report *report = bench->report;
  const int64_t n_sums = bench->declared.loss.n_null_sums;
  cf_op op;
  cf_op_make_padded(&op, &bench->of, (cf_shape){1, 1, NULL_STEPS}, 74);
  const int64_t n = target_of(&op, 0)->columns * n_sums;
  cf_array whole, parts;
  if (n_sums < 1) {
    cf_find(report, "it has null_accumulate, and declares n_null_sums = %lld, expected 1 or more",
            (long long)n_sums);
  }
  cf_guard_vector(report, &whole, "null_sums", CF_DOUBLE, n);
  cf_guard_vector(report, &parts, "null_sums", CF_DOUBLE, n);
  accumulate_null(&op, &whole, NULL_STEPS, 3.0);
  accumulate_null(&op, &parts, PART, 7.0);
  for (int64_t k = 0; k < n; k++) {
    const double found = cf_get(&parts, k) - 7.0, expected = cf_get(&whole, k) - 3.0;
    if (!(fabs(found - expected) <= 1e-10 * (1 + fabs(expected)))) {
      cf_find(report, "null_accumulate[%lld] is %.9g by parts, %.9g at once (it is added to)",
              (long long)k, found, expected);
    }
    cf_set(&whole, k, expected);
    report->n_values++;
  }
  evaluate_null(&op, &whole);
  cf_release_array(report, &whole);
  cf_release_array(report, &parts);
  cf_op_free(&op);
}

/* ---- groups ---- */

static void check_declaration(cf_bench *bench)
{
  const pf_loss_ops *ops = bench->variant->plugin->loss;
  const pf_loss_declaration *declared = &bench->declared.loss;
  cf_check_size(bench->report, "pf_loss_ops", ops->size, sizeof *ops);
  cf_check_names(bench->report, "observable", declared->observables);
  cf_check_names(bench->report, "target", declared->targets);
  cf_check_parameters(bench->report, declared->parameters);
  if (declared->observables.count < 1 || declared->targets.count < 1) {
    cf_find(bench->report,
            "it declares %zu observables and %zu targets, expected one of each at least",
            declared->observables.count, declared->targets.count);
  }
  if ((CF_OP(ops, pf_loss_ops, null_accumulate) == NULL) !=
      (CF_OP(ops, pf_loss_ops, null_evaluate) == NULL)) {
    cf_find(bench->report, "null_accumulate and null_evaluate come together; it has one of them");
  }
}

static const cf_shape shapes[] = {{1, 1, 23}, {1, 1, 1}, {1, 1, 300}};
static const cf_shape few_steps = {1, 1, 9}, no_steps = {1, 1, 0};

static void check_evaluate(cf_bench *bench)
{
  cf_check_values(&bench->of, shapes, 3, &bench->reference);
  check_counts(&bench->of);
  check_unmasked(&bench->of);
}

static void check_vjp(cf_bench *bench)
{
  for (int i = 0; i < 3; i++) {
    cf_check_accumulates(&bench->of, shapes[i]);
    cf_check_unwanted(&bench->of, shapes[i]);
    cf_check_vjp_parts(&bench->of, shapes[i]);
  }
  cf_check_slopes(&bench->of, few_steps, 100);
  cf_check_slopes(&bench->of, shapes[0], 100);
  cf_check_remainder(&bench->of, few_steps);
}

static void check_hostile(cf_bench *bench)
{
  cf_check_empty(&bench->of, &no_steps, 1);
  cf_check_not_finite(&bench->of, few_steps);
}

const cf_checks cf_loss_checks[] = {
    {"declare", 0, NULL, check_declaration},
    {"evaluate", 0, &evaluate_op, check_evaluate},
    {"vjp", 0, &evaluate_op, check_vjp},
    {"evaluate, vjp: no steps, NaN, infinities", 0, &evaluate_op, check_hostile},
    {"whiten", offsetof(pf_loss_ops, whiten), &evaluate_op, check_whiten},
    {"null_accumulate, null_evaluate", offsetof(pf_loss_ops, null_evaluate), &evaluate_op,
     check_null},
    {NULL, 0, NULL, NULL},
};
