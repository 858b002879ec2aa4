/* Losses: the ops of plastfit/abi/loss.h. */
#include "core/conformance/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 8, THETA = 0, FIRST = 1 /* observables, then targets, then scored */ };

/** A loss object with the widths that its settings give. */
typedef struct loss_bench {
  pf_loss_declaration declared; /**< first: what cf_op.declared points to */
  cf_pair pair;
  cf_case of;
  const cf_variant *variant;
  bool narrow; /**< one column each, for what is compared by expectation */
} loss_bench;

static const pf_loss_ops *ops_of(const cf_op *op)
{
  return op->object->plugin->loss;
}

static int64_t n_observables(const pf_loss_declaration *declared)
{
  return (int64_t)declared->observables.count;
}

static int64_t n_targets(const pf_loss_declaration *declared)
{
  return (int64_t)declared->targets.count;
}

static const char *const observable_names[MAX] = {"observable[0]", "observable[1]", "observable[2]",
                                                  "observable[3]", "observable[4]", "observable[5]",
                                                  "observable[6]", "observable[7]"};
static const char *const target_names[MAX] = {"target[0]", "target[1]", "target[2]", "target[3]",
                                              "target[4]", "target[5]", "target[6]", "target[7]"};

/** Columns of an observable or a target: as the settings say, 1 for a choice or a logit, else 5. */
static int64_t width(const cf_variant *variant, const char *setting, const char *name, int64_t i)
{
  const bool single =
      strcmp(name, "choice") == 0 || strcmp(name, "logit") == 0 || strcmp(name, "probability") == 0;
  return (int64_t)cf_setting_at(variant, setting, i, single ? 1 : 5);
}

static void set_target_values(cf_slot *slot, const cf_variant *variant, const char *name)
{
  const int64_t n = cf_setting_count(variant, "target_values");
  slot->varies = false;
  slot->missing = cf_setting(variant, "target_missing", 0.2);
  if (n > 0 || strcmp(name, "choice") == 0) {
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

static void build_evaluate(cf_op *op, const cf_shape *shape)
{
  const pf_loss_declaration *declared = op->declared;
  const cf_variant *variant = op->object->variant;
  const int64_t steps = shape->steps;
  if (n_observables(declared) > MAX || n_targets(declared) > MAX) {
    cf_find(op->report, "the check takes losses of at most %d observables and targets", MAX);
  }
  cf_input(op, "theta", CF_DOUBLE, 1, 1, (int64_t)declared->parameters.count, CF_NOWHERE,
           CF_NOWHERE, CF_THETA, -1)
      ->parameters = &declared->parameters;
  for (int64_t k = 0; k < n_observables(declared); k++) {
    const int64_t columns = width(variant, "observables", declared->observables.items[k], k);
    const bool ranged = cf_setting_count(variant, "observable_range") == 2;
    cf_slot *slot = cf_input(op, observable_names[k], CF_REAL, 1, steps, columns, CF_NOWHERE,
                             CF_DOWN, ranged ? CF_RANGE : CF_SIGNED, -1);
    slot->low = cf_setting_at(variant, "observable_range", 0, 0);
    slot->high = cf_setting_at(variant, "observable_range", 1, 0);
  }
  for (int64_t k = 0; k < n_targets(declared); k++) {
    const int64_t columns = width(variant, "targets", declared->targets.items[k], k);
    set_target_values(cf_input(op, target_names[k], CF_REAL, 1, steps, columns, CF_NOWHERE, CF_DOWN,
                               CF_SIGNED, -1),
                      variant, declared->targets.items[k]);
  }
  cf_input(op, "scored", CF_BYTE, 1, 1, steps, CF_NOWHERE, CF_ALONG, CF_MASK, -1)->varies = false;
  cf_output(op, "log_likelihood", CF_DOUBLE, 1, 1, steps, CF_NOWHERE, CF_ALONG, -1);
  cf_output(op, "count", CF_INT64, 1, 1, steps, CF_NOWHERE, CF_ALONG, -1);
}

/** pf_loss_in with the tables it points to. */
typedef struct loss_in {
  pf_loss_in face;
  const pf_real *observable[MAX], *target[MAX];
  int64_t n_observable[MAX], ld_observable[MAX], n_target[MAX], ld_target[MAX];
} loss_in;

static void in_of(const cf_op *op, const cf_range *range, loss_in *out)
{
  const pf_loss_declaration *declared = op->declared;
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
  return ops_of(op)->evaluate(op->object->self, &in.face, cf_at(&cf_out(op, 0)->value, range),
                              cf_at(&cf_out(op, 1)->value, range), error);
}

static pf_status call_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  loss_in in;
  pf_real *observable[MAX];
  int64_t ld[MAX];
  in_of(op, range, &in);
  for (int64_t k = 0; k < n_observables(op->declared); k++) {
    observable[k] = cf_gradient(op, (int)(FIRST + k), range);
    ld[k] = op->slots[FIRST + k].other.ld;
  }
  const pf_loss_gradient gradient = {.size = sizeof gradient,
                                     .observable = observable,
                                     .ld_observable = ld,
                                     .theta = cf_gradient(op, THETA, range)};
  return ops_of(op)->vjp(op->object->self, &in.face, cf_at(&cf_out(op, 0)->other, range), &gradient,
                         error);
}

static const cf_kind_op evaluate_op = {.call_name = "evaluate",
                                       .vjp_name = "vjp",
                                       .build = build_evaluate,
                                       .call = call_evaluate,
                                       .vjp = call_vjp,
                                       .splits_steps = true};

/* ---- what a loss promises of its own ---- */

static void run(cf_op *op)
{
  const cf_range all = cf_whole(op);
  cf_fill_unwritten(&cf_out(op, 0)->value);
  cf_fill_unwritten(&cf_out(op, 1)->value);
  cf_run_call(op, &all);
}

/** Counts of a call with these targets, whatever the network says; nothing where nothing was
 * recorded or scored. */
static void check_counts(const cf_case *of)
{
  const pf_loss_declaration *declared = of->declared;
  const cf_shape shape = {1, 1, 23};
  cf_op op;
  cf_op_make(&op, of, shape, (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 71});
  run(&op);
  const cf_array *count = &cf_out(&op, 1)->value, *ll = &cf_out(&op, 0)->value;
  double counts[23];
  for (int64_t t = 0; t < 23; t++) {
    counts[t] = cf_get(count, t);
    if (counts[t] < 0 || (counts[t] == 0 && cf_get(ll, t) != 0.0)) {
      cf_find(
          of->report,
          "evaluate: step %lld has count %g and log likelihood %g, expected 0 where nothing counts",
          (long long)t, counts[t], cf_get(ll, t));
    }
  }
  const cf_array *scored = &op.slots[FIRST + n_observables(declared) + n_targets(declared)].value;
  for (int64_t t = 0; t < 23; t++) {
    if (cf_get(scored, t) == 0.0 && (counts[t] != 0 || cf_get(ll, t) != 0.0)) {
      cf_find(of->report,
              "evaluate: step %lld is not scored, and has count %g and log likelihood %g, expected "
              "0 and 0",
              (long long)t, counts[t], cf_get(ll, t));
    }
    of->report->n_values++;
  }
  for (int64_t k = 0; k < n_observables(declared); k++) {
    const cf_array *a = &op.slots[FIRST + k].value;
    for (int64_t c = 0; c < cf_count(a); c++) {
      cf_set(a, c, cf_get(a, c) * (c % 3 == 0 ? -1.75 : 1.375));
    }
  }
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(&op);
  cf_fill_unwritten(count);
  cf_doing(of->report, "evaluate with other observables");
  if (call_evaluate(&op, &all, &error) ==
      PF_OK) { /* it may refuse these (a rate below 0): then there are no counts */
    for (int64_t t = 0; t < 23; t++) {
      if (cf_get(count, t) != counts[t]) {
        cf_find(of->report,
                "evaluate: the count of step %lld was %g, and is %g now that only the observables "
                "changed: "
                "counts depend on the targets alone",
                (long long)t, counts[t], cf_get(count, t));
      }
      of->report->n_values++;
    }
  }
  cf_fill_inputs(&op, op.layout.seed);
  for (int64_t k = 0; k < n_targets(declared); k++) {
    const cf_array *a = &op.slots[FIRST + n_observables(declared) + k].value;
    for (int64_t c = 0; c < cf_count(a); c++) {
      cf_set(a, c, (double)NAN);
    }
  }
  run(&op);
  for (int64_t t = 0; t < 23; t++) {
    if (cf_get(count, t) != 0.0 || cf_get(ll, t) != 0.0) {
      cf_find(of->report,
              "evaluate: nothing was recorded (every target is NaN), and step %lld has count %g "
              "and log "
              "likelihood %g, expected 0 and 0",
              (long long)t, cf_get(count, t), cf_get(ll, t));
    }
    of->report->n_values++;
  }
  cf_op_free(&op);
}

/** scored NULL: every step counts, as with a mask of ones. */
static void check_unmasked(const cf_case *of)
{
  const pf_loss_declaration *declared = of->declared;
  cf_op op;
  cf_op_make(&op, of, (cf_shape){1, 1, 11},
             (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 72});
  const cf_array *scored = &op.slots[FIRST + n_observables(declared) + n_targets(declared)].value;
  double expected[11];
  memset(scored->cells, 1, scored->bytes);
  run(&op);
  for (int64_t t = 0; t < 11; t++) {
    expected[t] = cf_get(&cf_out(&op, 0)->value, t);
  }
  loss_in in;
  const cf_range all = cf_whole(&op);
  in_of(&op, &all, &in);
  in.face.scored = NULL;
  pf_error error = {.size = sizeof error};
  cf_doing(of->report, "evaluate with scored NULL");
  if (ops_of(&op)->evaluate(op.object->self, &in.face, cf_at(&cf_out(&op, 0)->value, &all),
                            cf_at(&cf_out(&op, 1)->value, &all), &error) != PF_OK) {
    cf_find(of->report, "%s fails: %s", of->report->doing, error.text);
  }
  for (int64_t t = 0; t < 11; t++) {
    if (cf_get(&cf_out(&op, 0)->value, t) != expected[t]) {
      cf_find(of->report, "evaluate: step %lld has %.9g without a mask, %.9g with a mask of ones",
              (long long)t, cf_get(&cf_out(&op, 0)->value, t), expected[t]);
    }
    of->report->n_values++;
  }
  cf_op_free(&op);
}

/* ---- whitened tangents ---- */

/** Gradient of the log likelihood of every step wrt column c of observable 0, one column of targets
 * set to `value`. */
static void scores(cf_op *op, double *out, int64_t k, int64_t column)
{
  const cf_range all = cf_whole(op);
  cf_fill_gradients(op, 1, false);
  cf_run_vjp(op, &all);
  const cf_array *g = &op->slots[FIRST + k].other;
  for (int64_t t = 0; t < op->shape.steps; t++) {
    out[t] = cf_get(g, t * g->columns + column);
  }
}

enum { STEPS = 9 };

/** Directional derivatives of each step's log likelihood along the tangents of the observables. */
static void scores_along(cf_op *op, double out[CF_TANGENTS][STEPS])
{
  memset(out, 0, sizeof(double) * CF_TANGENTS * STEPS);
  const pf_loss_declaration *declared = op->declared;
  for (int64_t k = 0; k < n_observables(declared); k++) {
    const cf_array *tangent = &op->slots[FIRST + k].tangent;
    const int64_t columns = tangent->columns, n = STEPS * columns;
    for (int64_t c = 0; c < columns; c++) {
      double score[STEPS];
      scores(op, score, k, c);
      for (int copy = 0; copy < CF_TANGENTS; copy++) {
        for (int64_t t = 0; t < STEPS; t++) {
          out[copy][t] += score[t] * cf_get(tangent, copy * n + t * columns + c);
        }
      }
    }
  }
}

static void set_targets(cf_op *op, double value)
{
  const pf_loss_declaration *declared = op->declared;
  for (int64_t k = 0; k < n_targets(declared); k++) {
    const cf_array *a = &op->slots[FIRST + n_observables(declared) + k].value;
    for (int64_t c = 0; c < cf_count(a); c++) {
      cf_set(a, c, value);
    }
  }
}

static void make_for_information(cf_op *op, const cf_case *of)
{
  const pf_loss_declaration *declared = of->declared;
  cf_op_make(op, of, (cf_shape){1, 1, STEPS},
             (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 73});
  const cf_array *scored = &op->slots[FIRST + n_observables(declared) + n_targets(declared)].value;
  memset(scored->cells, 1, scored->bytes);
  for (int64_t t = 0; t < STEPS; t++) {
    cf_set(&cf_out(op, 0)->other, t, 1.0);
  }
  cf_set(scored, STEPS / 2, 0.0);
}

/**
 * Expected products of scores, step by step: sum over the targets' values v of exp(ll(v)) s_k(v)
 * s_l(v). Only where the settings list all values there are (their likelihoods add up to 1) and one
 * target has one column. Without a likelihood, or where the list is not whole, false.
 */
static bool expected_information(cf_op *op, const cf_variant *variant,
                                 double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  const pf_loss_declaration *declared = op->declared;
  const cf_array *target = &op->slots[FIRST + n_observables(declared)].value;
  const cf_slot *slot = &op->slots[FIRST + n_observables(declared)];
  double mass[STEPS] = {0};
  memset(out, 0, sizeof(double) * CF_TANGENTS * CF_TANGENTS * STEPS);
  if ((declared->flags & PF_LOSS_LIKELIHOOD) == 0 || n_targets(declared) != 1 ||
      target->columns != 1) {
    return false;
  }
  const int64_t n = cf_setting_count(variant, "target_values");
  const int64_t n_values = n > 0 ? n : (slot->fill == CF_VALUES ? slot->n_values : 0);
  for (int64_t v = 0; v < n_values; v++) {
    double s[CF_TANGENTS][STEPS];
    set_targets(op, n > 0 ? cf_setting_at(variant, "target_values", v, 0) : slot->values[v]);
    run(op);
    scores_along(op, s);
    for (int64_t t = 0; t < STEPS; t++) {
      const double p = exp(cf_get(&cf_out(op, 0)->value, t));
      mass[t] += t == STEPS / 2 ? 0 : p;
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
  return n_values > 0;
}

/** -d2 ll / d tangent_a d tangent_b by differences of the scores: the information of a squared
 * error. */
static void observed_information(cf_op *op, double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  const pf_loss_declaration *declared = op->declared;
  const double h = sizeof(pf_real) == 4 ? 1e-2 : 1e-4;
  for (int a = 0; a < CF_TANGENTS; a++) {
    double up[CF_TANGENTS][STEPS], down[CF_TANGENTS][STEPS];
    for (int sign = -1; sign <= 1; sign += 2) {
      cf_fill_inputs(op, op->layout.seed);
      const cf_array *scored =
          &op->slots[FIRST + n_observables(declared) + n_targets(declared)].value;
      memset(scored->cells, 1, scored->bytes);
      cf_set(scored, STEPS / 2, 0.0);
      for (int64_t k = 0; k < n_observables(declared); k++) {
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
  const cf_array *scored = &op->slots[FIRST + n_observables(declared) + n_targets(declared)].value;
  memset(scored->cells, 1, scored->bytes);
  cf_set(scored, STEPS / 2, 0.0);
}

/** Where `declare` says so (n_whitened 0), column i of a root must not change with the other
 * columns of the tangent: the host scales columns one by one. */
static void check_diagonal(cf_report *report, cf_op *op, const cf_array *root,
                           const pf_loss_tangent *tangent)
{
  const int64_t columns = root->columns, n = STEPS * columns;
  const cf_array *along = &op->slots[FIRST].tangent;
  double *first = malloc(((size_t)n + 1) * sizeof *first);
  if (first == NULL) {
    abort();
  }
  loss_in in;
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  in_of(op, &all, &in);
  for (int64_t k = 0; k < n; k++) {
    first[k] = cf_get(root, k);
  }
  for (int64_t k = 0; k < n; k++) {
    if (k % columns != 0) {
      cf_set(along, k, -1.5 * cf_get(along, k) + 0.25);
    }
  }
  (void)ops_of(op)->whiten(op->object->self, &in.face, tangent, cf_at(root, &all),
                           root->copy_stride, root->ld, &error);
  for (int64_t k = 0; k < n; k += columns) {
    if (cf_get(root, k) != first[k]) {
      cf_find(
          report,
          "whiten: column 0 of step %lld is %.9g, then %.9g after a change of the other columns "
          "of the tangent; expected no change, or n_whitened above 0",
          (long long)(k / columns), first[k], cf_get(root, k));
      break;
    }
    report->n_values++;
  }
  free(first);
}

/** What `whiten` should come to, and how it was had. */
static const char *information(cf_op *op, const cf_variant *variant,
                               double out[CF_TANGENTS][CF_TANGENTS][STEPS])
{
  if (expected_information(op, variant, out)) {
    return "the expected product of scores";
  }
  const pf_loss_declaration *declared = op->declared;
  if ((declared->flags & PF_LOSS_LIKELIHOOD) != 0) {
    return NULL;
  }
  observed_information(op, out);
  return "minus the second differences";
}

static void compare_information(cf_op *op, const char *what, const char *how, int a, int b,
                                int64_t t, double found, double expected)
{
  const double tolerance = sizeof(pf_real) == 4 ? 2e-3 : 1e-8;
  const double error = fabs(found - expected) / (1 + fabs(expected));
  if (!(error <= tolerance)) {
    cf_find(op->report, "%s: step %lld, tangents %d and %d: %.9g, expected %.9g, %s of vjp", what,
            (long long)t, a, b, found, expected, how);
  }
  op->report->product_error = fmax(op->report->product_error, error);
  op->report->n_products++;
}

static void check_whiten(cf_report *report, const cf_case *of, const cf_variant *variant)
{
  const pf_loss_declaration *declared = of->declared;
  double expected[CF_TANGENTS][CF_TANGENTS][STEPS];
  cf_op op;
  make_for_information(&op, of);
  const char *how = information(&op, variant, expected);
  loss_in in;
  const cf_range all = cf_whole(&op);
  const int64_t columns =
                    declared->n_whitened > 0 ? declared->n_whitened : op.slots[FIRST].value.columns,
                ld = columns + 3;
  cf_array root = {.name = "root",
                   .type = CF_REAL,
                   .copies = CF_TANGENTS,
                   .planes = 1,
                   .rows = STEPS,
                   .columns = columns,
                   .ld = ld,
                   .stride = STEPS * ld,
                   .copy_stride = STEPS * ld + 5};
  cf_array_allocate(&root, true);
  cf_watch_array(report, &root);
  cf_fill_unwritten(&root);
  cf_fill_padding(&root, cf_mark);
  in_of(&op, &all, &in);
  const pf_real *observable[MAX];
  int64_t stride[MAX];
  for (int64_t k = 0; k < n_observables(declared); k++) {
    observable[k] = cf_at(&op.slots[FIRST + k].tangent, &all);
    stride[k] = op.slots[FIRST + k].tangent.copy_stride;
  }
  const pf_loss_tangent tangent = {.size = sizeof tangent,
                                   .n_tangents = CF_TANGENTS,
                                   .observable = observable,
                                   .stride = stride,
                                   .theta = NULL};
  pf_error error = {.size = sizeof error};
  cf_doing(report, "whiten");
  if (CF_OP(ops_of(&op), pf_loss_ops, whiten)(op.object->self, &in.face, &tangent,
                                              cf_at(&root, &all), root.copy_stride, ld,
                                              &error) != PF_OK) {
    cf_find(report, "whiten fails on ordinary input: %s", error.text);
  }
  int64_t at = 0;
  if (!cf_padding_is(&root, cf_mark, &at)) {
    cf_find(report, "whiten writes into the padding of root: cell %lld from its first",
            (long long)at);
  }
  for (int64_t t = 0; t < STEPS; t++) {
    for (int a = 0; a < CF_TANGENTS; a++) {
      for (int b = 0; b < CF_TANGENTS; b++) {
        double found = 0.0;
        for (int64_t c = 0; c < columns; c++) {
          found += cf_get(&root, (a * STEPS + t) * columns + c) *
                   cf_get(&root, (b * STEPS + t) * columns + c);
        }
        if (t == STEPS / 2 && found != 0.0) {
          cf_find(report, "whiten: step %lld is not scored, and has %g, expected 0", (long long)t,
                  found);
        }
        if (how != NULL) {
          compare_information(&op, "whiten", how, a, b, t, found, expected[a][b][t]);
        }
        report->n_values++;
      }
    }
  }
  if (declared->n_whitened == 0) {
    check_diagonal(report, &op, &root, &tangent);
  }
  cf_forget_array(report, &root);
  cf_array_free(&root);
  cf_op_free(&op);
}

/* ---- the null of a constant prediction ---- */

static void check_null_accumulate(cf_report *report, const cf_case *of)
{
  const pf_loss_declaration *declared = of->declared;
  const pf_loss_ops *ops = of->object->plugin->loss;
  cf_op op;
  cf_op_make(&op, of, (cf_shape){1, 1, 40},
             (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 74});
  const int64_t columns = op.slots[FIRST + n_observables(declared)].value.columns,
                n = columns * declared->n_null_sums;
  cf_array null_sums = {.name = "tally",
                        .type = CF_DOUBLE,
                        .copies = 1,
                        .planes = 1,
                        .rows = 1,
                        .columns = n,
                        .ld = n};
  double *whole = calloc((size_t)n + 1, sizeof *whole);
  if (declared->n_null_sums < 1 || whole == NULL) {
    cf_find(report, "it has tally, and declares n_tally = %lld, expected 1 or more",
            (long long)declared->n_null_sums);
  }
  cf_array_allocate(&null_sums, true);
  cf_watch_array(report, &null_sums);
  pf_error error = {.size = sizeof error};
  for (int split = 0; split < 2; split++) {
    for (int64_t k = 0; k < n; k++) {
      cf_set(&null_sums, k, split ? 7.0 : 3.0);
    }
    for (int64_t t0 = 0; t0 < 40; t0 += split ? 7 : 40) {
      const cf_range range = {
          .n_units = 1, .step0 = t0, .n_steps = split ? (40 - t0 < 7 ? 40 - t0 : 7) : 40};
      loss_in in;
      in_of(&op, &range, &in);
      in.face.observable = NULL;
      in.face.theta = NULL;
      cf_doing(report, "tally");
      if (CF_OP(ops, pf_loss_ops, null_accumulate)(op.object->self, &in.face,
                                                   cf_at(&null_sums, &range), &error) != PF_OK) {
        cf_find(report, "tally fails on ordinary input: %s", error.text);
      }
    }
    for (int64_t k = 0; k < n; k++) {
      const double added = cf_get(&null_sums, k) - (split ? 7.0 : 3.0);
      if (split == 0) {
        whole[k] = added;
      } else if (!(fabs(added - whole[k]) <= 1e-10 * (1 + fabs(whole[k])))) {
        cf_find(report, "tally[%lld] is %.9g by parts, %.9g at once (it is added to)", (long long)k,
                added, whole[k]);
      }
      report->n_values++;
    }
  }
  const cf_range all = cf_whole(&op);
  loss_in in;
  in_of(&op, &all, &in);
  in.face.observable = NULL;
  in.face.theta = NULL;
  const cf_array *ll = &cf_out(&op, 0)->value;
  cf_fill_unwritten(ll);
  for (int64_t k = 0; k < n; k++) {
    cf_set(&null_sums, k, whole[k]);
  }
  cf_doing(report, "constant");
  if (CF_OP(ops, pf_loss_ops, null_evaluate)(op.object->self, &in.face, cf_at(&null_sums, &all),
                                             cf_at(ll, &all), &error) != PF_OK) {
    cf_find(report, "constant fails on ordinary input: %s", error.text);
  }
  for (int64_t t = 0; t < 40; t++) {
    const bool counts = in.face.scored[t] != 0;
    if (cf_is_unwritten(ll, t) || (!counts && cf_get(ll, t) != 0.0)) {
      cf_find(report, "constant: step %lld %s", (long long)t,
              counts ? "is left unwritten" : "is not scored, expected a log likelihood of 0");
    }
    report->n_values++;
  }
  free(whole);
  cf_forget_array(report, &null_sums);
  cf_array_free(&null_sums);
  cf_op_free(&op);
}

/* ---- groups ---- */

static void bench_make(cf_report *report, const cf_variant *variant, loss_bench *bench)
{
  memset(bench, 0, sizeof *bench);
  cf_pair_make(report, variant, &bench->pair);
  bench->declared.size = sizeof bench->declared;
  pf_error error = {.size = sizeof error};
  cf_doing(report, "needs");
  if (variant->plugin->loss->declare(bench->pair.object.self, &bench->declared, &error) != PF_OK) {
    cf_find(report, "needs fails: %s", error.text);
  }
  cf_check_names(report, "observable", bench->declared.observables);
  cf_check_names(report, "target", bench->declared.targets);
  bench->of = (cf_case){.kind = &evaluate_op,
                        .object = &bench->pair.object,
                        .declared = &bench->declared,
                        .report = report};
}

static void declarations(cf_report *report, const void *variant)
{
  loss_bench bench;
  bench_make(report, variant, &bench);
  const pf_loss_ops *ops = bench.pair.object.plugin->loss;
  cf_check_size(report, "pf_loss_ops", ops->size, sizeof *ops);
  cf_check_parameters(report, bench.declared.parameters);
  if (bench.declared.observables.count < 1 || bench.declared.targets.count < 1) {
    cf_find(report, "needs declares %zu observables and %zu targets, expected one of each at least",
            bench.declared.observables.count, bench.declared.targets.count);
  }
  if ((CF_OP(ops, pf_loss_ops, null_accumulate) == NULL) !=
      (CF_OP(ops, pf_loss_ops, null_evaluate) == NULL)) {
    cf_find(report, "tally and constant come together; it has one of them");
  }
  cf_pair_end(report, &bench.pair);
}

static const cf_shape shapes[] = {{1, 1, 23}, {1, 1, 1}, {1, 1, 300}};
static const cf_shape few_steps = {1, 1, 9};

static void values(cf_report *report, const void *variant)
{
  loss_bench bench;
  bench_make(report, variant, &bench);
  cf_check_values(&bench.of, shapes, 3, &bench.pair.reference);
  check_counts(&bench.of);
  check_unmasked(&bench.of);
  cf_pair_end(report, &bench.pair);
}

static void derivatives(cf_report *report, const void *variant)
{
  loss_bench bench;
  bench_make(report, variant, &bench);
  for (int i = 0; i < 3; i++) {
    cf_check_accumulates(&bench.of, shapes[i]);
    cf_check_unwanted(&bench.of, shapes[i]);
    cf_check_vjp_parts(&bench.of, shapes[i]);
  }
  cf_check_slopes(&bench.of, few_steps, 100);
  cf_check_slopes(&bench.of, shapes[0], 100);
  cf_check_remainder(&bench.of, few_steps);
  cf_pair_end(report, &bench.pair);
}

static void hostile(cf_report *report, const void *variant)
{
  static const cf_shape no_steps = {1, 1, 0};
  loss_bench bench;
  bench_make(report, variant, &bench);
  cf_check_empty(&bench.of, &no_steps, 1);
  cf_check_not_finite(&bench.of, few_steps);
  cf_pair_end(report, &bench.pair);
}

static void whiten(cf_report *report, const void *variant)
{
  loss_bench bench;
  bench_make(report, variant, &bench);
  check_whiten(report, &bench.of, variant);
  cf_pair_end(report, &bench.pair);
}

static void null_sums(cf_report *report, const void *variant)
{
  loss_bench bench;
  bench_make(report, variant, &bench);
  check_null_accumulate(report, &bench.of);
  cf_pair_end(report, &bench.pair);
}

static bool has_whiten(const pf_plugin *plugin)
{
  return CF_OP(plugin->loss, pf_loss_ops, whiten) != NULL;
}

static bool has_null_accumulate(const pf_plugin *plugin)
{
  return CF_OP(plugin->loss, pf_loss_ops, null_accumulate) != NULL &&
         CF_OP(plugin->loss, pf_loss_ops, null_evaluate) != NULL;
}

const cf_checks cf_loss_checks[] = {
    {"create, destroy, options", cf_check_life, NULL},
    {"needs", declarations, NULL},
    {"evaluate", values, NULL},
    {"vjp", derivatives, NULL},
    {"evaluate, vjp: no steps, NaN, infinities", hostile, NULL},
    {"whiten", whiten, has_whiten},
    {"tally, constant", null_sums, has_null_accumulate},
    {NULL, NULL, NULL},
};
