/* Networks: the ops of plastfit/abi/network.h. */
#include "core/conformance/derivatives.h"
#include "core/conformance/kinds.h"
#include "core/conformance/values.h"

#include <stdlib.h>
#include <string.h>

static const pf_network_ops *ops_of(const cf_op *op)
{
  return op->of.object->plugin->network;
}

static const pf_population *population_at(const pf_network_declaration *declared, int64_t i)
{
  return pf_table_at(declared->populations.items, declared->populations.stride,
                     declared->populations.count, (size_t)i);
}

static const pf_projection *projection_at(const pf_network_declaration *declared, int64_t i)
{
  return pf_table_at(declared->projections.items, declared->projections.stride,
                     declared->projections.count, (size_t)i);
}

/* ---- activate ---- */

enum { THETA, DRIVE, STATE, SIGNALS = 0, NEXT_STATE = 1 };

static void build_activate(cf_op *op, const cf_shape *shape)
{
  const pf_network_declaration *declared = op->of.declared;
  const pf_population *population = population_at(declared, op->of.index);
  const int64_t units = shape->units, steps = shape->steps;
  cf_slot drive = cf_matrix("drive", steps, units, CF_ALONG);
  cf_slot signals = cf_matrix("signals", steps, units, CF_ALONG);
  cf_slot state = cf_matrix("state", population->n_state, units, CF_ALONG);
  drive.value.steps = signals.value.steps = CF_DOWN;
  signals.value.planes = (int64_t)population->signals.count;
  cf_input_theta(op, &declared->parameters);
  cf_input(op, &drive);
  cf_input(op, &state);
  state.value.name = "next state";
  cf_output(op, &signals);
  cf_output(op, &state);
}

static pf_units units_of(const cf_op *op, const cf_range *range)
{
  const cf_slot *s = op->slots;
  return (pf_units){.size = sizeof(pf_units),
                    .population = op->of.index,
                    .row0 = range->row0,
                    .n_rows = range->n_units,
                    .n_steps = range->n_steps,
                    .theta = cf_at(&s[THETA].value, range),
                    .drive = cf_at(&s[DRIVE].value, range),
                    .state = s[STATE].value.rows > 0 ? cf_at(&s[STATE].value, range) : NULL,
                    .ld_drive = s[DRIVE].value.ld,
                    .ld_state = s[STATE].value.ld,
                    .dt = op->of.dt};
}

/** The outputs' values, cotangents or tangents. */
static pf_response response_of(const cf_op *op, enum cf_member which, const cf_range *range)
{
  const cf_array *signals = cf_member_of(cf_out(op, SIGNALS), which),
                 *state = cf_member_of(cf_out(op, NEXT_STATE), which);
  return (pf_response){.size = sizeof(pf_response),
                       .signals = cf_at(signals, range),
                       .state = state->rows > 0 ? cf_at(state, range) : NULL,
                       .signal_stride = signals->stride,
                       .ld_signal = signals->ld,
                       .ld_state = state->ld};
}

static pf_status call_activate(const cf_op *op, const cf_range *range, pf_error *error)
{
  const pf_units in = units_of(op, range);
  const pf_response out = response_of(op, CF_VALUE, range);
  return ops_of(op)->activate(op->of.object->self, &in, &out, error);
}

static pf_status call_activate_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  const pf_units in = units_of(op, range);
  const pf_response value = response_of(op, CF_VALUE, range),
                    cotangent = response_of(op, CF_OTHER, range);
  const cf_slot *s = op->slots;
  const pf_units_gradient gradient = {
      .size = sizeof gradient,
      .drive = cf_gradient(op, DRIVE, range),
      .state = s[STATE].value.rows > 0 ? cf_gradient(op, STATE, range) : NULL,
      .theta = cf_gradient(op, THETA, range),
      .ld_drive = s[DRIVE].other.ld,
      .ld_state = s[STATE].other.ld};
  return ops_of(op)->activate_vjp(op->of.object->self, &in, &value, &cotangent, &gradient, error);
}

/** Tangent `copy` of an input. */
static const pf_real *copy_of(const cf_op *op, int slot, int64_t copy, const cf_range *range)
{
  const pf_real *first = cf_tangent(op, slot, range);
  return first == NULL ? NULL : first + copy * op->slots[slot].tangent.copy_stride;
}

static pf_status call_one_jvp(const cf_op *op, const cf_range *range, int64_t copy, pf_error *error)
{
  const pf_units in = units_of(op, range);
  const pf_response value = response_of(op, CF_VALUE, range);
  const cf_slot *s = op->slots;
  const double *theta = cf_tangent(op, THETA, range);
  pf_units tangent = in;
  tangent.theta = theta == NULL ? NULL : theta + copy * s[THETA].tangent.copy_stride;
  tangent.drive = copy_of(op, DRIVE, copy, range);
  tangent.state = s[STATE].value.rows > 0 ? copy_of(op, STATE, copy, range) : NULL;
  tangent.ld_drive = s[DRIVE].tangent.ld;
  tangent.ld_state = s[STATE].tangent.ld;
  pf_response out = response_of(op, CF_TANGENT, range);
  out.signals += copy * cf_out(op, SIGNALS)->tangent.copy_stride;
  if (out.state != NULL) {
    out.state += copy * cf_out(op, NEXT_STATE)->tangent.copy_stride;
  }
  return ops_of(op)->activate_jvp(op->of.object->self, &in, &value, &tangent, &out, error);
}

/** One tangent a call. */
static pf_status call_activate_jvp(const cf_op *op, const cf_range *range, pf_error *error)
{
  for (int64_t copy = 0; copy < CF_TANGENTS; copy++) {
    const pf_status status = call_one_jvp(op, range, copy, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static const cf_kind_op activate_op = {.call_name = "activate",
                                       .vjp_name = "activate_vjp",
                                       .jvp_name = "activate_jvp",
                                       .build = build_activate,
                                       .call = call_activate,
                                       .vjp = call_activate_vjp,
                                       .jvp = call_activate_jvp,
                                       .jvp_offset = offsetof(pf_network_ops, activate_jvp),
                                       .splits_units = true,
                                       .splits_steps = true};

/* ---- initial ---- */

enum { MAX = 16, NOISE = 1 };

static void build_initial(cf_op *op, const cf_shape *shape)
{
  const pf_network_declaration *declared = op->of.declared;
  static const char *const w_names[MAX] = {"w[0]",  "w[1]",  "w[2]",  "w[3]", "w[4]",  "w[5]",
                                           "w[6]",  "w[7]",  "w[8]",  "w[9]", "w[10]", "w[11]",
                                           "w[12]", "w[13]", "w[14]", "w[15]"};
  static const char *const state_names[MAX] = {"state[0]",  "state[1]",  "state[2]",  "state[3]",
                                               "state[4]",  "state[5]",  "state[6]",  "state[7]",
                                               "state[8]",  "state[9]",  "state[10]", "state[11]",
                                               "state[12]", "state[13]", "state[14]", "state[15]"};
  (void)shape;
  if (declared->projections.count > MAX || declared->populations.count > MAX) {
    cf_find(op->report,
            "the check takes networks of at most %d projections; give it fewer in conformance.cfg",
            MAX);
  }
  cf_slot noise = cf_matrix("noise", 1, declared->n_noise, CF_NOWHERE);
  noise.value.type = CF_DOUBLE;
  noise.fixed = true;
  cf_input_theta(op, &declared->parameters);
  cf_input(op, &noise);
  for (int64_t p = 0; p < (int64_t)declared->projections.count; p++) {
    const pf_projection *projection = projection_at(declared, p);
    cf_slot w = cf_matrix(w_names[p], population_at(declared, projection->post)->n,
                          population_at(declared, projection->pre)->n, CF_NOWHERE);
    w.starts_as_zero = true;
    cf_output(op, &w);
  }
  for (int64_t q = 0; q < (int64_t)declared->populations.count; q++) {
    const pf_population *population = population_at(declared, q);
    cf_slot state = cf_matrix(state_names[q], population->n_state, population->n, CF_NOWHERE);
    state.starts_as_zero = true;
    cf_output(op, &state);
  }
}

typedef struct initial_arrays {
  pf_real *w[MAX], *state[MAX];
  int64_t ldw[MAX], ld_state[MAX];
  pf_initial face;
} initial_arrays;

static void initial_of(const cf_op *op, const cf_range *range, enum cf_member which,
                       initial_arrays *out)
{
  const pf_network_declaration *declared = op->of.declared;
  const int n = (int)declared->projections.count;
  for (int p = 0; p < n; p++) {
    const cf_array *a = cf_member_of(cf_out(op, p), which);
    out->w[p] = cf_at(a, range);
    out->ldw[p] = a->ld;
  }
  for (int q = 0; q < (int)declared->populations.count; q++) {
    const cf_array *a = cf_member_of(cf_out(op, n + q), which);
    out->state[q] = a->rows > 0 ? cf_at(a, range) : NULL;
    out->ld_state[q] = a->ld;
  }
  out->face = (pf_initial){.size = sizeof(pf_initial),
                           .w = out->w,
                           .ldw = out->ldw,
                           .state = out->state,
                           .ld_state = out->ld_state};
}

static pf_status call_initial(const cf_op *op, const cf_range *range, pf_error *error)
{
  initial_arrays out;
  initial_of(op, range, CF_VALUE, &out);
  return ops_of(op)->initial(op->of.object->self, cf_at(&op->slots[THETA].value, range),
                             cf_at(&op->slots[NOISE].value, range), &out.face, error);
}

static pf_status call_initial_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  initial_arrays cotangent;
  double *gradient = cf_gradient(op, THETA, range);
  if (gradient == NULL) { /* the ABI knows one gradient here, so it is always wanted */
    return PF_OK;
  }
  initial_of(op, range, CF_OTHER, &cotangent);
  return CF_OP(ops_of(op), pf_network_ops, initial_vjp)(
      op->of.object->self, cf_at(&op->slots[THETA].value, range),
      cf_at(&op->slots[NOISE].value, range), &cotangent.face, gradient, error);
}

static const cf_kind_op initial_op = {
    .call_name = "initial", .build = build_initial, .call = call_initial};
static const cf_kind_op initial_vjp_op = {.call_name = "initial",
                                          .vjp_name = "initial_vjp",
                                          .build = build_initial,
                                          .call = call_initial,
                                          .vjp = call_initial_vjp};

/** `initial` where the data give the weights of one projection: the others must not move. */
static void check_given_weight(cf_op *op, int given)
{
  initial_arrays out;
  pf_error error = {.size = sizeof error};
  const cf_range all = cf_whole(op);
  cf_numbers before = cf_numbers_take(op, CF_VALUE);
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *a = &cf_out(op, m)->value;
    if (m != given) {
      memset(a->cells, 0, a->bytes);
      cf_fill_padding(a, cf_mark);
    }
  }
  initial_of(op, &all, CF_VALUE, &out);
  out.w[given] = NULL;
  cf_doing(op->report, "initial with w[%d] given by the data", given);
  cf_need_ok(op->report,
             ops_of(op)->initial(op->of.object->self, cf_at(&op->slots[THETA].value, &all),
                                 cf_at(&op->slots[NOISE].value, &all), &out.face, &error),
             &error);
  for (int m = 0; m < op->n_out; m++) {
    const cf_array *a = &cf_out(op, m)->value;
    for (int64_t k = 0; k < cf_count(a); k++) {
      if (cf_get(a, k) != before.of[op->n_in + m][k]) {
        cf_find(op->report, "%s: %s is another than when nothing is given", op->report->doing,
                a->name);
      }
    }
    cf_need_padding(op, a);
    op->report->n_values++;
  }
  cf_numbers_free(&before);
}

static void check_given_weights(const cf_case *of)
{
  const pf_network_declaration *declared = of->declared;
  cf_op op;
  cf_op_make_padded(&op, of, (cf_shape){1, 1, 1}, 61);
  cf_run_whole(&op);
  for (int given = 0; given < (int)declared->projections.count; given++) {
    check_given_weight(&op, given);
  }
  cf_op_free(&op);
}

/* ---- groups ---- */

static void check_projections(cf_report *report, const pf_network_declaration *declared)
{
  for (int64_t p = 0; p < (int64_t)declared->projections.count; p++) {
    const pf_projection *projection = projection_at(declared, p);
    const pf_population *pre = population_at(declared, projection->pre),
                        *post = population_at(declared, projection->post);
    if (pre == NULL || post == NULL) {
      cf_find(report, "projection %lld goes from population %lld to %lld, of which there are %zu",
              (long long)p, (long long)projection->pre, (long long)projection->post,
              declared->populations.count);
    }
    if (projection->signal < 0 || projection->signal >= (int64_t)pre->signals.count) {
      cf_find(report, "projection %lld transmits signal %lld; its population has %zu", (long long)p,
              (long long)projection->signal, pre->signals.count);
    }
    if (projection->when == PF_PRE_NOW && projection->pre >= projection->post) {
      cf_find(report,
              "projection %lld is of the same step (PF_PRE_NOW), and goes from population %lld to "
              "%lld: to a later one only",
              (long long)p, (long long)projection->pre, (long long)projection->post);
    }
    if ((post->flags & PF_POPULATION_INPUT) != 0) {
      cf_find(report, "projection %lld goes into the input population", (long long)p);
    }
    report->n_values++;
  }
}

static void check_observables(cf_report *report, const pf_network_declaration *declared)
{
  for (size_t k = 0; k < declared->observables.count; k++) {
    const pf_observable *o = pf_table_at(declared->observables.items, declared->observables.stride,
                                         declared->observables.count, k);
    const pf_population *population = population_at(declared, o->population);
    if (o->name == NULL || population == NULL || o->signal < 0 ||
        o->signal >= (int64_t)population->signals.count) {
      cf_find(report,
              "observable %zu has no name, or is of a population or signal that there is not", k);
    }
  }
}

static void check_declaration(cf_bench *bench)
{
  cf_report *report = bench->report;
  const pf_network_declaration *declared = &bench->declared.network;
  const pf_network_ops *ops = bench->variant->plugin->network;
  cf_check_size(report, "pf_network_ops", ops->size, sizeof *ops);
  cf_check_parameters(report, declared->parameters);
  if (declared->populations.count < 2 || declared->projections.count < 1 ||
      declared->observables.count < 1) {
    cf_find(report, "a network has populations (%zu), projections (%zu) and observables (%zu)",
            declared->populations.count, declared->projections.count, declared->observables.count);
  }
  for (int64_t q = 0; q < (int64_t)declared->populations.count; q++) {
    const pf_population *population = population_at(declared, q);
    if (population->name == NULL || population->n < 1 || population->n_state < 0 ||
        population->signals.count < 1) {
      cf_find(report, "population %lld has no name, no units or no signals", (long long)q);
    }
    cf_check_names(report, "signal", population->signals);
  }
  check_projections(report, declared);
  check_observables(report, declared);
  if (declared->parameters.count > 0 && CF_OP(ops, pf_network_ops, initial_vjp) == NULL) {
    cf_find(report, "it declares parameters, and has no initial_vjp");
  }
}

typedef void (*population_check)(cf_bench *bench, const cf_shape *shapes, int n);

/** Run a check for every population that is activated, whole and in shapes that it allows. */
static void check_populations(cf_bench *bench, population_check check)
{
  const pf_network_declaration *declared = &bench->declared.network;
  for (int64_t q = 0; q < (int64_t)declared->populations.count; q++) {
    const pf_population *population = population_at(declared, q);
    if ((population->flags & PF_POPULATION_INPUT) != 0) {
      continue;
    }
    bench->of.index = q;
    bench->op.splits_units = (population->flags & PF_POPULATION_COUPLED) == 0;
    bench->op.splits_steps = population->n_state == 0;
    const int64_t n = population->n;
    const cf_shape with_state[] = {{n, 1, 1}},
                   without[] = {{n, 1, 7}, {n, 1, 1}, {n, 1, 300 / (n < 60 ? n : 60) + 2}};
    if (population->n_state > 0) {
      check(bench, with_state, 1);
    } else {
      check(bench, without, 3);
    }
  }
}

static void check_values(cf_bench *bench, const cf_shape *shapes, int n)
{
  cf_check_values(&bench->of, shapes, n, &bench->reference);
}

static void check_derivatives(cf_bench *bench, const cf_shape *shapes, int n)
{
  for (int i = 0; i < n; i++) {
    cf_check_accumulates(&bench->of, shapes[i]);
    cf_check_unwanted(&bench->of, shapes[i]);
    cf_check_vjp_parts(&bench->of, shapes[i]);
  }
  cf_check_slopes(&bench->of, shapes[0], 100);
  cf_check_remainder(&bench->of, shapes[0]);
}

static void check_hostile(cf_bench *bench, const cf_shape *shapes, int n)
{
  const cf_shape no_units = {0, 1, shapes[0].steps}, no_steps = {shapes[0].units, 1, 0};
  (void)n;
  if (bench->op.splits_units) {
    cf_check_empty(&bench->of, &no_units, 1);
  }
  if (bench->op.splits_steps) {
    cf_check_empty(&bench->of, &no_steps, 1);
  }
  cf_check_not_finite(&bench->of, shapes[0]);
}

static void check_tangents(cf_bench *bench, const cf_shape *shapes, int n)
{
  for (int i = 0; i < n; i++) {
    cf_check_tangents(&bench->of, shapes[i]);
  }
}

static void check_activate(cf_bench *bench)
{
  check_populations(bench, check_values);
}

static void check_activate_vjp(cf_bench *bench)
{
  check_populations(bench, check_derivatives);
}

static void check_activate_hostile(cf_bench *bench)
{
  check_populations(bench, check_hostile);
}

static void check_activate_jvp(cf_bench *bench)
{
  check_populations(bench, check_tangents);
}

static const cf_shape any = {1, 1, 1};

static void check_initial(cf_bench *bench)
{
  cf_check_values(&bench->of, &any, 1, &bench->reference);
  check_given_weights(&bench->of);
}

static void check_initial_vjp(cf_bench *bench)
{
  if (bench->declared.network.parameters.count > 0) {
    cf_check_accumulates(&bench->of, any);
    cf_check_slopes(&bench->of, any, 200);
    cf_check_remainder(&bench->of, any);
  }
}

#define NEEDS(op) offsetof(pf_network_ops, op)
const cf_checks cf_network_checks[] = {
    {"declare", 0, NULL, check_declaration},
    {"initial", 0, &initial_op, check_initial},
    {"initial_vjp", NEEDS(initial_vjp), &initial_vjp_op, check_initial_vjp},
    {"activate", 0, &activate_op, check_activate},
    {"activate_vjp", 0, &activate_op, check_activate_vjp},
    {"activate, activate_vjp: no units, no steps, NaN, infinities", 0, &activate_op,
     check_activate_hostile},
    {"activate_jvp", NEEDS(activate_jvp), &activate_op, check_activate_jvp},
    {NULL, 0, NULL, NULL},
};
