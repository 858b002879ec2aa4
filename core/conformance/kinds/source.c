/* Sources: what reads, and what is a task; the ops of plastfit/abi/source.h. */
#include "core/conformance/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pf_source_ops *ops_of(const cf_object *object)
{
  return object->plugin->source;
}

static void check_declaration(cf_bench *bench)
{
  const pf_source_declaration *declared = &bench->declared.source;
  const pf_source_ops *ops = ops_of(&bench->object);
  cf_check_size(bench->report, "pf_source_ops", ops->size, sizeof *ops);
  cf_check_names(bench->report, "channel", declared->channels);
  cf_check_names(bench->report, "target", declared->targets);
  if (declared->n_input < 0 || declared->n_state < 0 || declared->n_uniform < 0 ||
      declared->n_normal < 0) {
    cf_find(bench->report, "it declares a count below 0");
  }
  if (CF_OP(ops, pf_source_ops, begin) != NULL && declared->max_steps < 1) {
    cf_find(bench->report, "a task declares max_steps = %lld, expected 1 or more",
            (long long)declared->max_steps);
  }
}

/* ---- reading ---- */

/** A sum of everything that was handed over, and how much of it. */
typedef struct reading {
  pf_sink face;
  cf_report *report;
  const pf_source_declaration *declared;
  uint64_t sum;
  int64_t n_experiments, n_values, refuse_at;
  bool refused, called_after;
} reading;

static void mix_bytes(reading *t, const void *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    t->sum = (t->sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
  }
}

static void mix_numbers(reading *t, const double *values, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    const double v =
        isnan(values[i]) ? (double)NAN : values[i]; /* one missing value is like another */
    mix_bytes(t, &v, sizeof v);
  }
  t->n_values += n;
}

static bool is_declared(pf_names names, const char *name)
{
  for (size_t i = 0; i < names.count; i++) {
    if (strcmp(names.items[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static void check_experiment(reading *t, const pf_experiment *e)
{
  cf_report *report = t->report;
  const char *name = e->name == NULL ? "without a name" : e->name;
  if (e->size == 0 || e->animal == NULL || e->name == NULL) {
    cf_find(report, "experiment %lld has no size, no animal or no name",
            (long long)t->n_experiments);
  }
  if (e->n_steps < 0 || (t->declared->n_input > 0 && e->n_input != t->declared->n_input)) {
    cf_find(report, "experiment %s has %lld steps and %lld inputs, expected %lld as declare says",
            name, (long long)e->n_steps, (long long)e->n_input, (long long)t->declared->n_input);
  }
  for (int64_t s = 1; e->trial != NULL && s < e->n_steps; s++) {
    if (e->trial[s] < e->trial[s - 1]) {
      cf_find(report, "experiment %s: trial %lld at step %lld follows trial %lld", name,
              (long long)e->trial[s], (long long)s, (long long)e->trial[s - 1]);
    }
  }
  for (size_t c = 0; c < e->channels.count; c++) {
    const pf_channel *channel =
        pf_table_at(e->channels.items, e->channels.stride, e->channels.count, c);
    if (!is_declared(t->declared->channels, channel->name)) {
      cf_find(report, "experiment %s brings channel '%s', which it does not declare", name,
              channel->name);
    }
  }
  for (size_t c = 0; c < e->targets.count; c++) {
    const pf_target *target = pf_table_at(e->targets.items, e->targets.stride, e->targets.count, c);
    if (!is_declared(t->declared->targets, target->name)) {
      cf_find(report, "experiment %s brings target '%s', which it does not declare", name,
              target->name);
    }
  }
}

static pf_status take_experiment(const pf_sink *sink, const pf_experiment *e, pf_error *error)
{
  reading *t = sink->impl;
  if (t->refused) {
    t->called_after = true;
    return PF_STOP;
  }
  check_experiment(t, e);
  mix_bytes(t, e->animal, strlen(e->animal));
  mix_bytes(t, &e->n_steps, sizeof e->n_steps);
  mix_numbers(t, e->cue, e->n_steps * e->n_input);
  if (PF_HAS(e, pf_experiment, cue_sd) && e->cue_sd != NULL) {
    mix_numbers(t, e->cue_sd, e->n_steps * e->n_input);
  }
  if (e->flags != NULL) {
    mix_bytes(t, e->flags, (size_t)e->n_steps * sizeof *e->flags);
  }
  if (e->dt != NULL) {
    mix_numbers(t, e->dt, e->n_steps);
  }
  if (e->trial != NULL) {
    mix_bytes(t, e->trial, (size_t)e->n_steps * sizeof *e->trial);
  }
  if (e->block != NULL) {
    mix_bytes(t, e->block, (size_t)e->n_steps * sizeof *e->block);
  }
  for (size_t c = 0; c < e->channels.count; c++) {
    const pf_channel *channel =
        pf_table_at(e->channels.items, e->channels.stride, e->channels.count, c);
    mix_numbers(t, channel->values, e->n_steps);
  }
  for (size_t c = 0; c < e->targets.count; c++) {
    const pf_target *target = pf_table_at(e->targets.items, e->targets.stride, e->targets.count, c);
    mix_numbers(t, target->values, e->n_steps * target->n);
  }
  if (t->n_experiments++ == t->refuse_at) {
    t->refused = true;
    return pf_fail(error, PF_STOP, "the sink of the check takes no more");
  }
  return PF_OK;
}

/** All that an object reads, up to the experiment of number `refuse_at` (< 0: none). */
static reading read_all(const cf_bench *bench, const cf_object *object, int64_t refuse_at,
                        pf_status *status)
{
  reading t = {.report = bench->report,
               .declared = &bench->declared.source,
               .sum = 1469598103934665603u,
               .refuse_at = refuse_at};
  t.face = (pf_sink){.size = sizeof(pf_sink), .impl = &t, .experiment = take_experiment};
  pf_error error = {.size = sizeof error};
  cf_doing(bench->report, refuse_at < 0 ? "read" : "read with a sink that refuses");
  *status = ops_of(object)->read(object->self, &t.face, &error);
  if (refuse_at < 0) {
    cf_need_ok(bench->report, *status, &error);
  }
  t.face.impl = NULL;
  return t;
}

/** A sink that refuses is obeyed at once. */
static void check_refusal(const cf_bench *bench, int64_t at)
{
  pf_status status;
  const reading refused = read_all(bench, &bench->object, at, &status);
  if (refused.called_after || status == PF_OK) {
    cf_find(bench->report,
            "read goes on though the sink refused experiment %lld (%s): return its status at once",
            (long long)at, refused.called_after ? "it hands over more" : "it returns 0");
  }
  bench->report->n_values++;
}

static void check_read(cf_bench *bench)
{
  cf_report *report = bench->report;
  const cf_host *host = &bench->hosts[0];
  const int64_t live = host->n_live;
  const uint64_t sum = cf_host_sum(host);
  pf_status status;
  const reading once = read_all(bench, &bench->object, -1, &status);
  if (once.n_experiments == 0 || once.n_values == 0) {
    cf_find(report,
            "read hands over no experiment, or none with values: give it data in conformance.cfg");
  }
  const reading again = read_all(bench, &bench->object, -1, &status);
  if (again.sum != once.sum || again.n_experiments != once.n_experiments) {
    cf_find(report,
            "read a second time gives other data than the first (%lld experiments, then %lld)",
            (long long)once.n_experiments, (long long)again.n_experiments);
  }
  const reading reference = read_all(bench, &bench->reference, -1, &status);
  if (reference.sum != once.sum) {
    cf_find(report, "another object made with the same options reads other data");
  }
  report->n_values += 3 * once.n_values;
  for (int64_t at = 0; at < once.n_experiments && at < 3; at++) {
    check_refusal(bench, at);
  }
  if (host->n_live != live) {
    cf_find(report, "read leaks %lld allocations", (long long)(host->n_live - live));
  }
  if (cf_host_sum(host) != sum) {
    cf_find(report, "read changes the object: objects are const after create");
  }
}

/* ---- tasks ---- */

/** One run of a task: its state, what it is given and what it answers, in guarded arrays. */
typedef struct task_run {
  const cf_object *object;
  const pf_source_declaration *declared;
  cf_report *report;
  int64_t step;
  uint64_t random;
  cf_array state, uniform, normal, output, channels, cue;
  pf_task_out out;
  double choice;
  pf_status status;
} task_run;

static double *doubles_of(const cf_array *a)
{
  return (double *)(void *)a->cells;
}

static void run_begin(task_run *run, const cf_bench *bench, const cf_object *object)
{
  const pf_source_declaration *declared = &bench->declared.source;
  const int64_t n_output = (int64_t)cf_setting(bench->variant, "n_output", 1);
  const int64_t n_input =
      declared->n_input > 0 ? declared->n_input : (int64_t)cf_setting(bench->variant, "n_input", 3);
  *run = (task_run){.object = object, .declared = declared, .report = bench->report, .random = 77};
  cf_guard_vector(run->report, &run->state, "state", CF_DOUBLE, declared->n_state);
  cf_guard_vector(run->report, &run->uniform, "uniform", CF_DOUBLE, declared->n_uniform);
  cf_guard_vector(run->report, &run->normal, "normal", CF_DOUBLE, declared->n_normal);
  cf_guard_vector(run->report, &run->output, "output", CF_REAL, n_output);
  cf_guard_vector(run->report, &run->channels, "channels", CF_DOUBLE,
                  (int64_t)declared->channels.count);
  cf_guard_vector(run->report, &run->cue, "cue", CF_DOUBLE, n_input);
  pf_error error = {.size = sizeof error};
  cf_doing(run->report, "begin");
  cf_need_ok(run->report, ops_of(object)->begin(object->self, 0, doubles_of(&run->state), &error),
             &error);
}

static void run_end(task_run *run)
{
  cf_array *all[] = {&run->state,  &run->uniform,  &run->normal,
                     &run->output, &run->channels, &run->cue};
  cf_doing(run->report, "end");
  ops_of(run->object)->end(run->object->self, doubles_of(&run->state));
  for (int i = 0; i < 6; i++) {
    cf_release_array(run->report, all[i]);
  }
}

/** Random numbers, outputs of the network and a choice, for the next step. */
static void draw_inputs(task_run *run)
{
  for (int64_t k = 0; k < run->uniform.columns; k++) {
    cf_set(&run->uniform, k, cf_uniform(&run->random));
  }
  for (int64_t k = 0; k < run->normal.columns; k++) {
    const double a = cf_uniform(&run->random), b = cf_uniform(&run->random);
    cf_set(&run->normal, k, sqrt(-2 * log(1 - a)) * cos(6.283185307179586 * b));
  }
  for (int64_t k = 0; k < run->output.columns; k++) {
    cf_set(&run->output, k, cf_signed(&run->random));
  }
  run->choice = cf_uniform(&run->random) < 0.6 ? 1.0 : 0.0;
  memset(run->channels.cells, 0, run->channels.bytes);
  memset(run->cue.cells, 0, run->cue.bytes);
}

/** One call of `next`, with the run's own random numbers. */
static void run_next(task_run *run)
{
  draw_inputs(run);
  const pf_task_in in = {.size = sizeof in,
                         .step = run->step,
                         .choice = run->choice,
                         .output = (const pf_real *)(const void *)run->output.cells,
                         .n_output = run->output.columns,
                         .n_input = run->cue.columns,
                         .uniform = doubles_of(&run->uniform),
                         .normal = doubles_of(&run->normal)};
  run->out = (pf_task_out){.size = sizeof run->out,
                           .channels = doubles_of(&run->channels),
                           .cue = doubles_of(&run->cue)};
  pf_error error = {.size = sizeof error};
  cf_doing(run->report, "next (step %lld, choices made at random)", (long long)run->step);
  cf_need_ok(
      run->report,
      ops_of(run->object)->next(run->object->self, doubles_of(&run->state), &in, &run->out, &error),
      &error);
  for (int64_t j = 0; !run->out.done && j < run->cue.columns; j++) {
    if (!isfinite(cf_get(&run->cue, j))) {
      cf_find(run->report, "next: cue[%lld] of step %lld is %g", (long long)j, (long long)run->step,
              cf_get(&run->cue, j));
    }
  }
  run->step++;
}

static bool same_array(const cf_array *a, const cf_array *b)
{
  return memcmp(a->cells, b->cells, a->bytes) == 0;
}

/** Did next answer the same in two runs? */
static bool same_answer(const task_run *a, const task_run *b)
{
  if (a->out.done != b->out.done || !same_array(&a->state, &b->state)) {
    return false;
  }
  /* channels and flags are of the step before; what is said of a step that does not come is
   * nobody's */
  if (a->step > 1 && (a->out.flags != b->out.flags || !same_array(&a->channels, &b->channels))) {
    return false;
  }
  return a->out.done || (a->out.trial == b->out.trial && a->out.block == b->out.block &&
                         a->out.dt == b->out.dt && same_array(&a->cue, &b->cue));
}

static void need_same_answer(const task_run *a, const task_run *b, const char *why)
{
  if (!same_answer(a, b)) {
    cf_find(a->report, "next: step %lld differs: %s", (long long)a->step - 1, why);
  }
  a->report->n_values += a->channels.columns + a->cue.columns + a->state.columns + 1;
}

static void copy_run(const task_run *from, task_run *to)
{
  memcpy(to->state.cells, from->state.cells, from->state.bytes);
  to->random = from->random;
  to->step = from->step;
}

/** Is the task longer than it may be? Long tasks are looked at for a while. */
static bool is_over(const task_run *run)
{
  enum { LONGEST = 20000 };
  const int64_t limit = run->declared->max_steps;
  if (run->out.done) {
    return true;
  }
  if (run->step > limit) {
    cf_find(run->report,
            "a run with choices made at random goes on after step %lld, its own max_steps",
            (long long)limit);
  }
  return run->step > LONGEST;
}

/** A run that was taken up from a copy of its state at some step must end as the whole run did. */
static void check_replay(task_run *replay, const task_run *whole)
{
  while (!replay->out.done && replay->step < whole->step) {
    run_next(replay);
  }
  if (replay->step != whole->step || !same_array(&replay->state, &whole->state)) {
    cf_find(whole->report, "a run taken up from a copy of its state at step 5 ends otherwise: it "
                           "keeps something beside its state");
  }
}

static void check_task(cf_bench *bench)
{
  enum { FIRST, SECOND, OTHER, REFERENCE, REPLAY, N_RUNS };
  const cf_host *host = &bench->hosts[0];
  const uint64_t sum = cf_host_sum(host);
  const int64_t made = host->n_made;
  bool copied = false;
  task_run runs[N_RUNS];
  for (int i = 0; i < N_RUNS; i++) {
    run_begin(&runs[i], bench, i == REFERENCE ? &bench->reference : &bench->object);
  }
  runs[OTHER].random = 1234567;
  while (!is_over(&runs[FIRST])) {
    if (runs[FIRST].step == 5) {
      copy_run(&runs[FIRST], &runs[REPLAY]);
      copied = true;
    }
    run_next(&runs[FIRST]);
    if (!runs[OTHER].out.done) { /* another run of the same object, in between */
      run_next(&runs[OTHER]);
    }
    run_next(&runs[SECOND]);
    need_same_answer(
        &runs[FIRST], &runs[SECOND],
        "the same random numbers and choices, and another run of the same object in between: it "
        "keeps something beside its state");
    run_next(&runs[REFERENCE]);
    need_same_answer(&runs[FIRST], &runs[REFERENCE], "another object made with the same options");
  }
  if (copied) {
    check_replay(&runs[REPLAY], &runs[FIRST]);
  }
  if (runs[FIRST].step < 2) {
    cf_find(bench->report, "the task ends before its first step: give it some in conformance.cfg");
  }
  if (cf_host_sum(host) != sum || host->n_made != made) {
    cf_find(bench->report, "next changes the object, or allocates: all that varies is the state");
  }
  for (int i = 0; i < N_RUNS; i++) {
    run_end(&runs[i]);
  }
}

const cf_checks cf_source_checks[] = {
    {"declare", 0, NULL, check_declaration},
    {"read", offsetof(pf_source_ops, read), NULL, check_read},
    {"begin, next, end", offsetof(pf_source_ops, begin), NULL, check_task},
    {NULL, 0, NULL, NULL},
};
