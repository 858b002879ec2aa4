/* core/problem: other data from the same teacher, what is recorded of them, and the memory. */
#include "core/base/memory.h"
#include "core/problem/memory_budget.h"
#include "core/problem/record.h"
#include "core/problem/replicate.h"
#include "tests/unit/problem/problem_config.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static bool same_choices(const pf_problem *a, const pf_problem *b)
{
  const pf_record *one = pf_recording_target(&a->data.recordings[1], "choice");
  const pf_record *other = pf_recording_target(&b->data.recordings[1], "choice");
  const size_t n = (size_t)a->data.recordings[1].n_steps;
  return a->data.recordings[1].n_steps == b->data.recordings[1].n_steps &&
         memcmp(one->values, other->values, n * sizeof *one->values) == 0;
}

Test(problem_replicate, is_the_problem_itself_with_its_own_seed)
{
  pf_problem *problem = PROBLEM("seed=4"), *own = NULL, *other = NULL;
  pf_error error = pf_error_none();
  cr_assert(pf_problem_replicate(problem, 4, &own, &error) == PF_OK, "%s", error.text);
  cr_assert(pf_problem_replicate(problem, 5, &other, &error) == PF_OK, "%s", error.text);
  cr_expect(same_choices(problem, own) && !same_choices(problem, other));
  cr_expect(own->settings == problem->settings && own->models == problem->models);
  cr_expect(other->seed == 5 && problem->settings->seed == 4);
  other->options.l1 = 7.0;
  cr_expect(problem->options.l1 == 0.0);
  pf_problem_replicate_free(own);
  pf_problem_replicate_free(other);
  problem_drop(problem);
}

/* ---- what is recorded ---- */

enum { STEPS = 200, UNITS = 4 };

static void make_recording(pf_recording *recording, pf_record *target, double *values)
{
  for (int i = 0; i < STEPS * UNITS; i++) {
    values[i] = 0.5 + 0.25 * sin(0.37 * i);
  }
  *target = (pf_record){.name = (char *)"activity", .n = UNITS, .values = values};
  *recording = (pf_recording){.n_steps = STEPS, .targets = target, .n_targets = 1};
}

static int count_missing(const double *values)
{
  int n = 0;
  for (int i = 0; i < STEPS * UNITS; i++) {
    n += isnan(values[i]) ? 1 : 0;
  }
  return n;
}

Test(problem_record, leaves_units_out)
{
  pf_recording recording;
  pf_record target;
  double values[STEPS * UNITS];
  pf_error error = pf_error_none();
  const pf_record_settings how = {.counts = PF_RECORD_ACTIVITY, .fraction = 0.5};
  make_recording(&recording, &target, values);
  cr_assert(pf_record_worse(&how, 1, 0, &recording, &error) == PF_OK);
  cr_expect(count_missing(values) == STEPS * UNITS / 2);
}

/* Noise of half of each unit's sd: the variance grows by a quarter, to within its own error. */
Test(problem_record, adds_noise_as_a_share_of_the_sd)
{
  pf_recording recording;
  pf_record target;
  double values[STEPS * UNITS], before[STEPS * UNITS];
  double noise = 0.0, signal = 0.0;
  pf_error error = pf_error_none();
  const pf_record_settings how = {.counts = PF_RECORD_ACTIVITY, .fraction = 1.0, .noise = 0.5};
  make_recording(&recording, &target, values);
  memcpy(before, values, sizeof before);
  cr_assert(pf_record_worse(&how, 1, 0, &recording, &error) == PF_OK);
  for (int i = 0; i < STEPS * UNITS; i++) {
    noise += pow(values[i] - before[i], 2);
    signal += pow(before[i] - 0.5, 2);
  }
  cr_expect(fabs(noise / signal - 0.25) < 0.05, "%g", noise / signal);
}

Test(problem_record, counts_spikes)
{
  pf_recording recording;
  pf_record target;
  double values[STEPS * UNITS], mean = 0.0;
  pf_error error = pf_error_none();
  const pf_record_settings how = {
      .counts = PF_RECORD_COUNTS_IDENTITY, .fraction = 1.0, .gain = 4.0, .baseline = 1.0};
  make_recording(&recording, &target, values);
  cr_assert(pf_record_worse(&how, 1, 0, &recording, &error) == PF_OK);
  for (int i = 0; i < STEPS * UNITS; i++) {
    cr_assert(values[i] >= 0.0 && values[i] == floor(values[i]));
    mean += values[i] / (STEPS * UNITS);
  }
  cr_expect(fabs(mean - 3.0) < 0.25, "%g", mean); /* 4 * 0.5 + 1; its sd is sqrt(3 / 800) = 0.06 */
}

/* ---- memory ---- */

Test(problem_memory, is_kept_by_fewer_threads)
{
  pf_problem *problem = PROBLEM("threads=8");
  pf_explained plan;
  pf_error error = pf_error_none();
  cr_assert(pf_problem_explain(problem, &plan, &error) == PF_OK);
  problem->settings->memory = 8 * plan.bytes;
  cr_assert(pf_memory_keep(problem, &error) == PF_OK && problem->options.n_threads == 8);
  problem->model->state_budget = 1;
  cr_assert(pf_problem_explain(problem, &plan, &error) == PF_OK);
  problem->settings->memory = 3 * plan.bytes;
  cr_assert(pf_memory_keep(problem, &error) == PF_OK && problem->options.n_threads == 3);
  problem->settings->memory = plan.bytes - 1;
  cr_assert(pf_memory_keep(problem, &error) == PF_STOP);
  cr_expect(strstr(error.text, "raise `memory`") != NULL, "%s", error.text);
  problem_drop(problem);
}

Test(problem_memory, is_a_size)
{
  pf_problem *problem = PROBLEM("memory=512 MiB");
  cr_expect(problem->settings->memory == (size_t)512 << 20);
  problem_drop(problem);
}
