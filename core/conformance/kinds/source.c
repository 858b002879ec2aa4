/* Sources: what reads, and what is a task; the ops of plastfit/abi/source.h. */
#include "core/conformance/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct source_bench {
  cf_pair pair;
  pf_source_declaration declared;
  const cf_variant *variant;
} source_bench;

static const pf_source_ops *ops_of(const cf_object *object)
{
  return object->plugin->source;
}

static void bench_make(cf_report *report, const cf_variant *variant, source_bench *bench)
{
  memset(bench, 0, sizeof *bench);
  cf_pair_make(report, variant, &bench->pair);
  bench->variant = variant;
  bench->declared.size = sizeof bench->declared;
  pf_error error = {.size = sizeof error};
  cf_doing(report, "needs");
  if (variant->plugin->source->declare(bench->pair.object.self, &bench->declared, &error) !=
      PF_OK) {
    cf_find(report, "needs fails: %s", error.text);
  }
  cf_check_names(report, "channel", bench->declared.channels);
  cf_check_names(report, "target", bench->declared.targets);
}

static void declarations(cf_report *report, const void *variant)
{
  source_bench bench;
  bench_make(report, variant, &bench);
  const pf_source_ops *ops = ops_of(&bench.pair.object);
  const pf_source_declaration *declared = &bench.declared;
  cf_check_size(report, "pf_source_ops", ops->size, sizeof *ops);
  if (declared->n_input < 0 || declared->n_state < 0 || declared->n_uniform < 0 ||
      declared->n_normal < 0) {
    cf_find(report, "needs declares a count below 0");
  }
  if (CF_OP(ops, pf_source_ops, begin) != NULL && declared->max_steps < 1) {
    cf_find(report, "a task declares max_steps = %lld, expected 1 or more",
            (long long)declared->max_steps);
  }
  cf_pair_end(report, &bench.pair);
}

/* ---- reading ---- */

/** A sum of everything that was handed over, and how much of it. */
typedef struct taken {
  pf_sink face;
  cf_report *report;
  const pf_source_declaration *declared;
  uint64_t sum;
  int64_t n_experiments, n_values, refuse_at;
  bool refused, called_after;
} taken;

static void mix(taken *t, const void *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    t->sum = (t->sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
  }
}

static void mix_numbers(taken *t, const double *values, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    const double v =
        isnan(values[i]) ? (double)NAN : values[i]; /* one missing value is like another */
    mix(t, &v, sizeof v);
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

static void check_experiment(taken *t, const pf_experiment *e)
{
  cf_report *report = t->report;
  const char *name = e->name == NULL ? "without a name" : e->name;
  if (e->size == 0 || e->animal == NULL || e->name == NULL) {
    cf_find(report, "experiment %lld has no size, no animal or no name",
            (long long)t->n_experiments);
  }
  if (e->n_steps < 0 || (t->declared->n_input > 0 && e->n_input != t->declared->n_input)) {
    cf_find(report, "experiment %s has %lld steps and %lld inputs, expected %lld as needs declares",
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
      cf_find(report, "experiment %s brings channel '%s', which needs does not declare", name,
              channel->name);
    }
  }
  for (size_t c = 0; c < e->targets.count; c++) {
    const pf_target *target = pf_table_at(e->targets.items, e->targets.stride, e->targets.count, c);
    if (!is_declared(t->declared->targets, target->name)) {
      cf_find(report, "experiment %s brings target '%s', which needs does not declare", name,
              target->name);
    }
  }
}

static pf_status take(const pf_sink *sink, const pf_experiment *e, pf_error *error)
{
  taken *t = sink->impl;
  if (t->refused) {
    t->called_after = true;
    return PF_STOP;
  }
  check_experiment(t, e);
  mix(t, e->animal, strlen(e->animal));
  mix(t, &e->n_steps, sizeof e->n_steps);
  mix_numbers(t, e->cue, e->n_steps * e->n_input);
  if (e->flags != NULL) {
    mix(t, e->flags, (size_t)e->n_steps * sizeof *e->flags);
  }
  if (e->dt != NULL) {
    mix_numbers(t, e->dt, e->n_steps);
  }
  if (e->trial != NULL) {
    mix(t, e->trial, (size_t)e->n_steps * sizeof *e->trial);
  }
  if (e->block != NULL) {
    mix(t, e->block, (size_t)e->n_steps * sizeof *e->block);
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

static taken read_all(cf_report *report, const source_bench *bench, const cf_object *object,
                      int64_t refuse_at, pf_status *status)
{
  taken t = {.report = report,
             .declared = &bench->declared,
             .sum = 1469598103934665603u,
             .refuse_at = refuse_at};
  t.face = (pf_sink){.size = sizeof(pf_sink), .impl = &t, .experiment = take};
  pf_error error = {.size = sizeof error};
  cf_doing(report, refuse_at < 0 ? "read" : "read with a sink that refuses");
  *status = ops_of(object)->read(object->self, &t.face, &error);
  if (refuse_at < 0 && *status != PF_OK) {
    cf_find(report, "read fails: %s", error.text[0] == '\0' ? "and writes no line" : error.text);
  }
  t.face.impl = NULL;
  return t;
}

static void read_group(cf_report *report, const void *variant)
{
  source_bench bench;
  bench_make(report, variant, &bench);
  const cf_object *object = &bench.pair.object;
  const int64_t live = bench.pair.hosts[0].n_live;
  const uint64_t sum = cf_host_sum(&bench.pair.hosts[0]);
  pf_status status;
  const taken once = read_all(report, &bench, object, -1, &status);
  if (once.n_experiments == 0 || once.n_values == 0) {
    cf_find(report,
            "read hands over no experiment, or none with values: give it data in conformance.cfg");
  }
  const taken again = read_all(report, &bench, object, -1, &status);
  if (again.sum != once.sum || again.n_experiments != once.n_experiments) {
    cf_find(report,
            "read a second time gives other data than the first (%lld experiments, then %lld)",
            (long long)once.n_experiments, (long long)again.n_experiments);
  }
  const taken reference = read_all(report, &bench, &bench.pair.reference, -1, &status);
  if (reference.sum != once.sum) {
    cf_find(report, "another object made with the same options reads other data");
  }
  report->n_values += 3 * once.n_values;
  for (int64_t at = 0; at < once.n_experiments && at < 3; at++) {
    const taken refused = read_all(report, &bench, object, at, &status);
    if (refused.called_after || status == PF_OK) {
      cf_find(
          report,
          "read goes on though the sink refused experiment %lld (%s): return its status at once",
          (long long)at, refused.called_after ? "it hands over more" : "it returns 0");
    }
    report->n_values++;
  }
  if (bench.pair.hosts[0].n_live != live) {
    cf_find(report, "read leaks %lld allocations", (long long)(bench.pair.hosts[0].n_live - live));
  }
  if (cf_host_sum(&bench.pair.hosts[0]) != sum) {
    cf_find(report, "read changes the object: objects are const after create");
  }
  cf_pair_end(report, &bench.pair);
}

/* ---- tasks ---- */

/** One run of a task: its state, and what it is told and answers, in guarded arrays. */
typedef struct task_run {
  const cf_object *object;
  const pf_source_declaration *declared;
  cf_report *report;
  int64_t n_input, n_output, step;
  uint64_t random;
  cf_array state, uniform, normal, output, channels, cue;
  pf_task_out out;
  double choice;
  pf_status status;
} task_run;

static void vector(task_run *run, cf_array *a, const char *name, enum cf_type type, int64_t n)
{
  *a = (cf_array){.name = name,
                  .type = type,
                  .copies = 1,
                  .planes = 1,
                  .rows = 1,
                  .columns = n,
                  .ld = n,
                  .stride = n,
                  .copy_stride = n};
  cf_array_allocate(a, true);
  cf_watch_array(run->report, a);
}

static void run_begin(task_run *run, const source_bench *bench, const cf_object *object,
                      cf_report *report)
{
  const pf_source_declaration *declared = &bench->declared;
  memset(run, 0, sizeof *run);
  run->object = object;
  run->declared = declared;
  run->report = report;
  run->n_input =
      declared->n_input > 0 ? declared->n_input : (int64_t)cf_setting(bench->variant, "n_input", 3);
  run->n_output = (int64_t)cf_setting(bench->variant, "n_output", 1);
  run->random = 77;
  vector(run, &run->state, "state", CF_DOUBLE, declared->n_state);
  vector(run, &run->uniform, "uniform", CF_DOUBLE, declared->n_uniform);
  vector(run, &run->normal, "normal", CF_DOUBLE, declared->n_normal);
  vector(run, &run->output, "output", CF_REAL, run->n_output);
  vector(run, &run->channels, "channels", CF_DOUBLE, (int64_t)declared->channels.count);
  vector(run, &run->cue, "cue", CF_DOUBLE, run->n_input);
  pf_error error = {.size = sizeof error};
  cf_doing(report, "begin");
  if (ops_of(object)->begin(object->self, 0, (double *)(void *)run->state.cells, &error) != PF_OK) {
    cf_find(report, "begin fails: %s", error.text);
  }
}

static void run_end(task_run *run)
{
  cf_doing(run->report, "end");
  ops_of(run->object)->end(run->object->self, (double *)(void *)run->state.cells);
  cf_array *all[] = {&run->state,  &run->uniform,  &run->normal,
                     &run->output, &run->channels, &run->cue};
  for (int i = 0; i < 6; i++) {
    cf_forget_array(run->report, all[i]);
    cf_array_free(all[i]);
  }
}

/** One call of `next`, told what the run's own random numbers say. */
static void run_next(task_run *run)
{
  for (int64_t k = 0; k < run->declared->n_uniform; k++) {
    cf_set(&run->uniform, k, cf_uniform(&run->random));
  }
  for (int64_t k = 0; k < run->declared->n_normal; k++) {
    const double a = cf_uniform(&run->random), b = cf_uniform(&run->random);
    cf_set(&run->normal, k, sqrt(-2 * log(1 - a)) * cos(6.283185307179586 * b));
  }
  for (int64_t k = 0; k < run->n_output; k++) {
    cf_set(&run->output, k, cf_signed(&run->random));
  }
  run->choice = cf_uniform(&run->random) < 0.6 ? 1.0 : 0.0;
  memset(run->channels.cells, 0, run->channels.bytes);
  memset(run->cue.cells, 0, run->cue.bytes);
  const pf_task_in in = {.size = sizeof in,
                         .step = run->step,
                         .choice = run->choice,
                         .output = (const pf_real *)(const void *)run->output.cells,
                         .n_output = run->n_output,
                         .n_input = run->n_input,
                         .uniform = (const double *)(const void *)run->uniform.cells,
                         .normal = (const double *)(const void *)run->normal.cells};
  run->out = (pf_task_out){.size = sizeof run->out,
                           .channels = (double *)(void *)run->channels.cells,
                           .cue = (double *)(void *)run->cue.cells};
  pf_error error = {.size = sizeof error};
  cf_doing(run->report, "next (step %lld)", (long long)run->step);
  run->status =
      ops_of(run->object)
          ->next(run->object->self, (double *)(void *)run->state.cells, &in, &run->out, &error);
  if (run->status != PF_OK) {
    cf_find(run->report, "next fails at step %lld of a run with choices made at random: %s",
            (long long)run->step, error.text[0] == '\0' ? "and writes no line" : error.text);
  }
  for (int64_t j = 0; !run->out.done && j < run->n_input; j++) {
    if (!isfinite(cf_get(&run->cue, j))) {
      cf_find(run->report, "next: cue[%lld] of step %lld is %g", (long long)j, (long long)run->step,
              cf_get(&run->cue, j));
    }
  }
  run->step++;
}

/** What next answered in two runs must be the same. */
static void need_same(const task_run *a, const task_run *b, const char *why)
{
  bool same = a->out.done == b->out.done;
  if (!a->out.done) { /* what is said of a step that does not come is nobody's */
    same = same && a->out.trial == b->out.trial && a->out.block == b->out.block &&
           a->out.dt == b->out.dt && memcmp(a->cue.cells, b->cue.cells, a->cue.bytes) == 0;
  }
  same = same &&
         (a->step == 1 || (a->out.flags == b->out.flags &&
                           memcmp(a->channels.cells, b->channels.cells, a->channels.bytes) == 0));
  same = same && memcmp(a->state.cells, b->state.cells, a->state.bytes) == 0;
  if (!same) {
    cf_find(a->report, "next: step %lld differs: %s", (long long)a->step - 1, why);
  }
  a->report->n_values += (int64_t)(a->channels.columns + a->cue.columns + a->state.columns + 1);
}

static void copy_run(const task_run *from, task_run *to)
{
  memcpy(to->state.cells, from->state.cells, from->state.bytes);
  to->random = from->random;
  to->step = from->step;
}

static void task_group(cf_report *report, const void *what)
{
  const cf_variant *variant = what;
  source_bench bench;
  bench_make(report, variant, &bench);
  const cf_object *object = &bench.pair.object;
  const uint64_t sum = cf_host_sum(&bench.pair.hosts[0]);
  const int64_t made = bench.pair.hosts[0].n_made;
  task_run first, second, reference, other, replay;
  run_begin(&first, &bench, object, report);
  run_begin(&second, &bench, object, report);
  run_begin(&other, &bench, object, report);
  run_begin(&reference, &bench, &bench.pair.reference, report);
  run_begin(&replay, &bench, object, report);
  other.random = 1234567;
  bool replayed = false;
  const int64_t most = bench.declared.max_steps < 20000 ? bench.declared.max_steps : 20000;
  while (!first.out.done) {
    if (first.step > most) {
      if (most < bench.declared.max_steps) {
        break; /* long tasks are looked at for a while */
      }
      cf_find(report,
              "a run with choices made at random goes on after step %lld, its own max_steps",
              (long long)most);
    }
    if (first.step == 5) {
      copy_run(&first, &replay);
      replayed = true;
    }
    run_next(&first);
    if (!other.out.done) { /* another run of the same object, in between */
      run_next(&other);
    }
    run_next(&second);
    need_same(
        &first, &second,
        "the same random numbers and choices, and another run of the same object in between: it "
        "keeps something beside its state");
    run_next(&reference);
    need_same(&first, &reference, "another object made with the same options");
  }
  replay.n_input = first.n_input;
  while (replayed && !replay.out.done && replay.step < first.step) {
    run_next(&replay);
  }
  if (replayed && (replay.step != first.step ||
                   memcmp(replay.state.cells, first.state.cells, first.state.bytes) != 0)) {
    cf_find(report, "a run taken up from a copy of its state at step 5 ends otherwise: it keeps "
                    "something beside its "
                    "state");
  }
  if (first.step < 2) {
    cf_find(report, "the task ends before its first step: give it some in conformance.cfg");
  }
  if (cf_host_sum(&bench.pair.hosts[0]) != sum || bench.pair.hosts[0].n_made != made) {
    cf_find(report, "next changes the object, or allocates: all that varies is the state");
  }
  run_end(&first);
  run_end(&second);
  run_end(&other);
  run_end(&reference);
  run_end(&replay);
  cf_pair_end(report, &bench.pair);
}

static bool reads(const pf_plugin *plugin)
{
  return CF_OP(plugin->source, pf_source_ops, read) != NULL;
}

static bool is_task(const pf_plugin *plugin)
{
  return CF_OP(plugin->source, pf_source_ops, begin) != NULL;
}

const cf_checks cf_source_checks[] = {
    {"create, destroy, options", cf_check_life, NULL},
    {"needs", declarations, NULL},
    {"read", read_group, reads},
    {"begin, next, end", task_group, is_task},
    {NULL, NULL, NULL},
};
