/* Networks: the ops of plastfit/abi/network.h. */
#include "core/conformance/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pf_network_ops *ops_of(const cf_op *op)
{
  return op->object->plugin->network;
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

/* ---- respond ---- */

enum { THETA, DRIVE, STATE, SIGNALS = 0, NEXT_STATE = 1 };

static void build_activate(cf_op *op, const cf_shape *shape)
{
  const pf_network_declaration *declared = op->declared;
  const pf_population *population = population_at(declared, op->index);
  const int64_t units = shape->units, steps = shape->steps;
  cf_input(op, "theta", CF_DOUBLE, 1, 1, (int64_t)declared->parameters.count, CF_NOWHERE,
           CF_NOWHERE, CF_THETA, -1)
      ->parameters = &declared->parameters;
  cf_input(op, "drive", CF_REAL, 1, steps, units, CF_ALONG, CF_DOWN, CF_SIGNED, -1);
  cf_input(op, "state", CF_REAL, 1, population->n_state, units, CF_ALONG, CF_NOWHERE, CF_SIGNED,
           -1);
  cf_output(op, "signals", CF_REAL, (int64_t)population->signals.count, steps, units, CF_ALONG,
            CF_DOWN, -1);
  cf_output(op, "next state", CF_REAL, 1, population->n_state, units, CF_ALONG, CF_NOWHERE, -1);
}

static pf_units units_of(const cf_op *op, const cf_range *range)
{
  const cf_slot *s = op->slots;
  return (pf_units){.size = sizeof(pf_units),
                    .population = op->index,
                    .row0 = range->row0,
                    .n_rows = range->n_units,
                    .n_steps = range->n_steps,
                    .theta = cf_at(&s[THETA].value, range),
                    .drive = cf_at(&s[DRIVE].value, range),
                    .state = s[STATE].value.rows > 0 ? cf_at(&s[STATE].value, range) : NULL,
                    .ld_drive = s[DRIVE].value.ld,
                    .ld_state = s[STATE].value.ld,
                    .dt = op->dt};
}

static pf_response response_of(const cf_array *signals, const cf_array *state,
                               const cf_range *range)
{
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
  const pf_response out =
      response_of(&cf_out(op, SIGNALS)->value, &cf_out(op, NEXT_STATE)->value, range);
  return ops_of(op)->activate(op->object->self, &in, &out, error);
}

static pf_status call_activate_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  const pf_units in = units_of(op, range);
  const pf_response value =
      response_of(&cf_out(op, SIGNALS)->value, &cf_out(op, NEXT_STATE)->value, range);
  const pf_response cotangent =
      response_of(&cf_out(op, SIGNALS)->other, &cf_out(op, NEXT_STATE)->other, range);
  const cf_slot *s = op->slots;
  const pf_units_gradient gradient = {
      .size = sizeof gradient,
      .drive = cf_gradient(op, DRIVE, range),
      .state = s[STATE].value.rows > 0 ? cf_gradient(op, STATE, range) : NULL,
      .theta = cf_gradient(op, THETA, range),
      .ld_drive = s[DRIVE].other.ld,
      .ld_state = s[STATE].other.ld};
  return ops_of(op)->activate_vjp(op->object->self, &in, &value, &cotangent, &gradient, error);
}

/** One tangent a call. */
static pf_status call_activate_jvp(const cf_op *op, const cf_range *range, pf_error *error)
{
  const pf_units in = units_of(op, range);
  const pf_response value =
      response_of(&cf_out(op, SIGNALS)->value, &cf_out(op, NEXT_STATE)->value, range);
  pf_status status = PF_OK;
  for (int64_t copy = 0; copy < CF_TANGENTS && status == PF_OK; copy++) {
    const cf_slot *s = op->slots;
    const double *theta = cf_tangent(op, THETA, range);
    const pf_real *drive = cf_tangent(op, DRIVE, range), *state = cf_tangent(op, STATE, range);
    const cf_array *signals = &cf_out(op, SIGNALS)->tangent,
                   *next = &cf_out(op, NEXT_STATE)->tangent;
    const bool has_state = s[STATE].value.rows > 0;
    pf_units tangent = in;
    tangent.theta = theta == NULL ? NULL : theta + copy * s[THETA].tangent.copy_stride;
    tangent.drive = drive == NULL ? NULL : drive + copy * s[DRIVE].tangent.copy_stride;
    tangent.state =
        state == NULL || !has_state ? NULL : state + copy * s[STATE].tangent.copy_stride;
    tangent.ld_drive = s[DRIVE].tangent.ld;
    tangent.ld_state = s[STATE].tangent.ld;
    pf_response out = response_of(signals, next, range);
    out.signals += copy * signals->copy_stride;
    out.state = out.state == NULL ? NULL : out.state + copy * next->copy_stride;
    status = CF_OP(ops_of(op), pf_network_ops, activate_jvp)(op->object->self, &in, &value,
                                                             &tangent, &out, error);
  }
  return status;
}

static const cf_kind_op activate_op = {.call_name = "respond",
                                       .vjp_name = "respond_vjp",
                                       .jvp_name = "respond_jvp",
                                       .build = build_activate,
                                       .call = call_activate,
                                       .vjp = call_activate_vjp,
                                       .jvp = call_activate_jvp,
                                       .splits_units = true,
                                       .splits_steps = true};

/* ---- initial ---- */

enum { MAX = 16, NOISE = 1 };

static void build_initial(cf_op *op, const cf_shape *shape)
{
  const pf_network_declaration *declared = op->declared;
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
  cf_input(op, "theta", CF_DOUBLE, 1, 1, (int64_t)declared->parameters.count, CF_NOWHERE,
           CF_NOWHERE, CF_THETA, -1)
      ->parameters = &declared->parameters;
  cf_input(op, "noise", CF_DOUBLE, 1, 1, declared->n_noise, CF_NOWHERE, CF_NOWHERE, CF_SIGNED, -1)
      ->varies = false;
  for (int64_t p = 0; p < (int64_t)declared->projections.count; p++) {
    const pf_projection *projection = projection_at(declared, p);
    cf_output(op, w_names[p], CF_REAL, 1, population_at(declared, projection->post)->n,
              population_at(declared, projection->pre)->n, CF_NOWHERE, CF_NOWHERE, -1)
        ->starts_as_zero = true;
  }
  for (int64_t q = 0; q < (int64_t)declared->populations.count; q++) {
    const pf_population *population = population_at(declared, q);
    cf_output(op, state_names[q], CF_REAL, 1, population->n_state, population->n, CF_NOWHERE,
              CF_NOWHERE, -1)
        ->starts_as_zero = true;
  }
}

typedef struct initial_arrays {
  pf_real *w[MAX], *state[MAX];
  int64_t ldw[MAX], ld_state[MAX];
  pf_initial face;
} initial_arrays;

static void initial_of(const cf_op *op, const cf_range *range, bool cotangents, initial_arrays *out)
{
  const pf_network_declaration *declared = op->declared;
  const int n = (int)declared->projections.count;
  for (int p = 0; p < n; p++) {
    const cf_array *a = cotangents ? &cf_out(op, p)->other : &cf_out(op, p)->value;
    out->w[p] = cf_at(a, range);
    out->ldw[p] = a->ld;
  }
  for (int q = 0; q < (int)declared->populations.count; q++) {
    const cf_array *a = cotangents ? &cf_out(op, n + q)->other : &cf_out(op, n + q)->value;
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
  initial_of(op, range, false, &out);
  return ops_of(op)->initial(op->object->self, cf_at(&op->slots[THETA].value, range),
                             cf_at(&op->slots[NOISE].value, range), &out.face, error);
}

static pf_status call_initial_vjp(const cf_op *op, const cf_range *range, pf_error *error)
{
  initial_arrays cotangent;
  double *gradient = cf_gradient(op, THETA, range);
  if (gradient == NULL) { /* the ABI knows one gradient here, so it is always wanted */
    return PF_OK;
  }
  initial_of(op, range, true, &cotangent);
  return CF_OP(ops_of(op), pf_network_ops, initial_vjp)(
      op->object->self, cf_at(&op->slots[THETA].value, range),
      cf_at(&op->slots[NOISE].value, range), &cotangent.face, gradient, error);
}

static const cf_kind_op initial_op = {
    .call_name = "initial", .build = build_initial, .call = call_initial};
static const cf_kind_op initial_vjp_op = {.call_name = "initial",
                                          .vjp_name = "initial_vjp",
                                          .build = build_initial,
                                          .call = call_initial,
                                          .vjp = call_initial_vjp};

/** Weights that the data give are asked for by NULL: the others must not move. */
static void check_given_weights(const cf_case *of)
{
  cf_op op;
  cf_op_make(&op, of, (cf_shape){1, 1, 1},
             (cf_layout){.pad = CF_PAD_ALL, .at_end = true, .seed = 61});
  const cf_range all = cf_whole(&op);
  const pf_network_declaration *declared = of->declared;
  cf_run_call(&op, &all);
  for (int given = 0; given < (int)declared->projections.count; given++) {
    initial_arrays out;
    pf_error error = {.size = sizeof error};
    char *before[CF_MAX_SLOTS];
    for (int m = 0; m < op.n_out; m++) {
      const cf_array *a = &cf_out(&op, m)->value;
      before[m] = cf_copy_bytes(a);
      if (m != given) {
        memset(a->cells, 0, a->bytes);
        cf_fill_padding(a, cf_mark);
      }
    }
    initial_of(&op, &all, false, &out);
    out.w[given] = NULL;
    cf_doing(of->report, "initial with w[%d] given by the data", given);
    if (ops_of(&op)->initial(op.object->self, cf_at(&op.slots[THETA].value, &all),
                             cf_at(&op.slots[NOISE].value, &all), &out.face, &error) != PF_OK) {
      cf_find(of->report, "%s fails: %s", of->report->doing, error.text);
    }
    for (int m = 0; m < op.n_out; m++) {
      const cf_array *a = &cf_out(&op, m)->value;
      if (memcmp(before[m], a->cells, a->bytes) != 0) {
        cf_find(of->report, "%s: %s is another than when nothing is given", of->report->doing,
                a->name);
      }
      free(before[m]);
      of->report->n_values++;
    }
  }
  cf_op_free(&op);
}

/* ---- groups ---- */

typedef struct network_bench {
  cf_pair pair;
  pf_network_declaration declared;
  cf_case of;
} network_bench;

static void bench_make(cf_report *report, const cf_variant *variant, const cf_kind_op *kind,
                       network_bench *bench)
{
  cf_pair_make(report, variant, &bench->pair);
  memset(&bench->declared, 0, sizeof bench->declared);
  bench->declared.size = sizeof bench->declared;
  pf_error error = {.size = sizeof error};
  cf_doing(report, "needs");
  if (variant->plugin->network->declare(bench->pair.object.self, &bench->declared, &error) !=
      PF_OK) {
    cf_find(report, "needs fails: %s", error.text);
  }
  bench->of = (cf_case){.kind = kind,
                        .object = &bench->pair.object,
                        .declared = &bench->declared,
                        .report = report,
                        .dt = cf_setting(variant, "dt", 1.5)};
}

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
              "%lld: to a later "
              "one only",
              (long long)p, (long long)projection->pre, (long long)projection->post);
    }
    if ((post->flags & PF_POPULATION_INPUT) != 0) {
      cf_find(report, "projection %lld goes into the input population", (long long)p);
    }
    report->n_values++;
  }
}

static void check_declarations(cf_report *report, const void *what)
{
  const cf_variant *variant = what;
  const pf_network_ops *ops = variant->plugin->network;
  network_bench bench;
  bench_make(report, variant, &activate_op, &bench);
  const pf_network_declaration *declared = &bench.declared;
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
  if (declared->parameters.count > 0 && CF_OP(ops, pf_network_ops, initial_vjp) == NULL) {
    cf_find(report, "it declares parameters, and has no initial_vjp");
  }
  cf_pair_end(report, &bench.pair);
}

typedef void (*population_check)(network_bench *bench, const cf_shape *shapes, int n);

/** Run a check for every population that responds, whole and in shapes that it allows. */
static void for_populations(cf_report *report, const cf_variant *variant, population_check check)
{
  network_bench bench;
  bench_make(report, variant, &activate_op, &bench);
  cf_kind_op kind = activate_op;
  bench.of.kind = &kind;
  if (CF_OP(variant->plugin->network, pf_network_ops, activate_jvp) == NULL) {
    kind.jvp = NULL;
  }
  for (int64_t q = 0; q < (int64_t)bench.declared.populations.count; q++) {
    const pf_population *population = population_at(&bench.declared, q);
    if ((population->flags & PF_POPULATION_INPUT) != 0) {
      continue;
    }
    bench.of.index = q;
    kind.splits_units = (population->flags & PF_POPULATION_COUPLED) == 0;
    kind.splits_steps = population->n_state == 0;
    const int64_t n = population->n;
    const cf_shape with_state[] = {{n, 1, 1}},
                   without[] = {{n, 1, 7}, {n, 1, 1}, {n, 1, 300 / (n < 60 ? n : 60) + 2}};
    if (population->n_state > 0) {
      check(&bench, with_state, 1);
    } else {
      check(&bench, without, 3);
    }
  }
  cf_pair_end(report, &bench.pair);
}

static void values_check(network_bench *bench, const cf_shape *shapes, int n)
{
  cf_check_values(&bench->of, shapes, n, &bench->pair.reference);
}

static void derivatives_check(network_bench *bench, const cf_shape *shapes, int n)
{
  for (int i = 0; i < n; i++) {
    cf_check_accumulates(&bench->of, shapes[i]);
    cf_check_unwanted(&bench->of, shapes[i]);
    cf_check_vjp_parts(&bench->of, shapes[i]);
  }
  cf_check_slopes(&bench->of, shapes[0], 100);
  cf_check_remainder(&bench->of, shapes[0]);
}

static void hostile_check(network_bench *bench, const cf_shape *shapes, int n)
{
  const bool coupled = !bench->of.kind->splits_units, stateful = !bench->of.kind->splits_steps;
  const cf_shape no_units = {0, 1, shapes[0].steps}, no_steps = {shapes[0].units, 1, 0};
  (void)n;
  if (!coupled) {
    cf_check_empty(&bench->of, &no_units, 1);
  }
  if (!stateful) {
    cf_check_empty(&bench->of, &no_steps, 1);
  }
  cf_check_not_finite(&bench->of, shapes[0]);
}

static void tangents_check(network_bench *bench, const cf_shape *shapes, int n)
{
  for (int i = 0; i < n; i++) {
    cf_check_tangents(&bench->of, shapes[i]);
  }
}

static void values_of_activate(cf_report *report, const void *variant)
{
  for_populations(report, variant, values_check);
}

static void derivatives_of_activate(cf_report *report, const void *variant)
{
  for_populations(report, variant, derivatives_check);
}

static void hostile_of_activate(cf_report *report, const void *variant)
{
  for_populations(report, variant, hostile_check);
}

static void tangents_of_activate(cf_report *report, const void *variant)
{
  for_populations(report, variant, tangents_check);
}

static void values_of_initial(cf_report *report, const void *variant)
{
  static const cf_shape any = {1, 1, 1};
  network_bench bench;
  bench_make(report, variant, &initial_op, &bench);
  cf_check_values(&bench.of, &any, 1, &bench.pair.reference);
  check_given_weights(&bench.of);
  cf_pair_end(report, &bench.pair);
}

static void derivatives_of_initial(cf_report *report, const void *variant)
{
  static const cf_shape any = {1, 1, 1};
  network_bench bench;
  bench_make(report, variant, &initial_vjp_op, &bench);
  if (bench.declared.parameters.count > 0) {
    cf_check_accumulates(&bench.of, any);
    cf_check_slopes(&bench.of, any, 200);
    cf_check_remainder(&bench.of, any);
  }
  cf_pair_end(report, &bench.pair);
}

static bool has_activate_jvp(const pf_plugin *plugin)
{
  return CF_OP(plugin->network, pf_network_ops, activate_jvp) != NULL;
}

static bool has_initial_vjp(const pf_plugin *plugin)
{
  return CF_OP(plugin->network, pf_network_ops, initial_vjp) != NULL;
}

const cf_checks cf_network_checks[] = {
    {"create, destroy, options", cf_check_life, NULL},
    {"needs", check_declarations, NULL},
    {"initial", values_of_initial, NULL},
    {"initial_vjp", derivatives_of_initial, has_initial_vjp},
    {"respond", values_of_activate, NULL},
    {"respond_vjp", derivatives_of_activate, NULL},
    {"respond, respond_vjp: no units, no steps, NaN, infinities", hostile_of_activate, NULL},
    {"respond_jvp", tangents_of_activate, has_activate_jvp},
    {NULL, NULL, NULL},
};
