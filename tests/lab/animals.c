#include "tests/lab/animals.h"
#include "core/base/memory.h"
#include "core/data/expected_reward.h"
#include "tests/unit/support/numbers.h"
#include <math.h>

typedef struct buffers {
  double *cue, *choice, *activity, *sem, *counts, *reward, *dt;
  uint32_t *flags;
  int64_t *trial;
} buffers;

static void fill(buffers *to, int64_t n_steps, const lab_widths *widths, uint64_t *numbers)
{
  const int64_t n_input = widths->n_input, n_activity = widths->n_activity;
  int64_t trial = 0;
  int64_t left = 1 + (int64_t)(5.0 * numbers_uniform(numbers));
  for (int64_t t = 0; t < n_steps; t++) {
    const bool last = --left == 0;
    for (int64_t j = 0; j < n_input; j++) {
      to->cue[t * n_input + j] = 0.3 + 0.6 * numbers_normal(numbers);
    }
    for (int64_t i = 0; i < n_activity; i++) {
      const double value = numbers_uniform(numbers);
      to->activity[t * n_activity + i] = numbers_uniform(numbers) < 0.3 ? NAN : value;
      to->sem[t * n_activity + i] = 0.5 + 0.25 * (double)((t + 2 * i) % 5);
      to->counts[t * n_activity + i] =
          numbers_uniform(numbers) < 0.2 ? NAN : floor(4.0 * value * value);
    }
    const double among = floor((double)widths->n_choices * numbers_uniform(numbers));
    const double choice = widths->n_choices > 1 ? among : (last ? 1.0 : 0.0);
    to->choice[t] = numbers_uniform(numbers) < 0.15 ? NAN : choice;
    to->dt[t] = 0.5 + 1.5 * numbers_uniform(numbers);
    to->reward[t] = last ? numbers_uniform(numbers) : NAN;
    to->flags[t] = (last ? (uint32_t)PF_STEP_PLASTIC : 0U) | PF_STEP_SCORE;
    to->flags[t] |= numbers_uniform(numbers) < 0.2 ? 0U : (uint32_t)PF_STEP_FIT;
    to->trial[t] = trial;
    if (last) {
      trial++;
      left = 1 + (int64_t)(5.0 * numbers_uniform(numbers));
    }
  }
}

static pf_status append(pf_dataset *data, const buffers *from, int64_t n_steps,
                        const lab_widths *widths, pf_error *error)
{
  static const pf_expected_reward how = {.kind = PF_EXPECTATION_window, .n = 10};
  const pf_channel channel = {.name = "reward", .values = from->reward};
  const pf_target targets[] = {
      {.name = "choice", .n = 1, .values = from->choice},
      {.name = "activity", .n = widths->n_activity, .values = from->activity},
      {.name = "sem", .n = widths->n_activity, .values = from->sem},
      {.name = "counts", .n = widths->n_activity, .values = from->counts}};
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = "animal",
                                    .name = "random numbers",
                                    .n_steps = n_steps,
                                    .n_input = widths->n_input,
                                    .cue = from->cue,
                                    .flags = from->flags,
                                    .dt = from->dt,
                                    .trial = from->trial,
                                    .channels = {&channel, 1, sizeof channel},
                                    .targets = {targets, 4, sizeof targets[0]}};
  const pf_status status = pf_dataset_add(data, &experiment, error);
  return status == PF_OK ? pf_recording_expect_reward(&data->recordings[data->n - 1], &how, error)
                         : status;
}

static void buffers_free(buffers *made)
{
  double *const all[] = {made->cue,    made->choice, made->activity, made->sem,
                         made->counts, made->reward, made->dt};
  for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
    pf_memory_free(all[k]);
  }
  pf_memory_free(made->flags);
  pf_memory_free(made->trial);
}

pf_status lab_add_animal(pf_dataset *data, int64_t n_steps, const lab_widths *widths, uint64_t seed,
                         pf_error *error)
{
  const size_t n = (size_t)n_steps, n_activity = n * (size_t)widths->n_activity;
  buffers made = {.cue = pf_memory_need(n * (size_t)widths->n_input, sizeof(double), error),
                  .choice = pf_memory_need(n, sizeof(double), error),
                  .activity = pf_memory_need(n_activity, sizeof(double), error),
                  .sem = pf_memory_need(n_activity, sizeof(double), error),
                  .counts = pf_memory_need(n_activity, sizeof(double), error),
                  .reward = pf_memory_need(n, sizeof(double), error),
                  .dt = pf_memory_need(n, sizeof(double), error),
                  .flags = pf_memory_need(n, sizeof(uint32_t), error),
                  .trial = pf_memory_need(n, sizeof(int64_t), error)};
  pf_status status = PF_STOP;
  if (made.cue != NULL && made.choice != NULL && made.activity != NULL && made.sem != NULL &&
      made.counts != NULL && made.reward != NULL && made.dt != NULL && made.flags != NULL &&
      made.trial != NULL) {
    fill(&made, n_steps, widths, &seed);
    status = append(data, &made, n_steps, widths, error);
  }
  buffers_free(&made);
  return status;
}
