/* core/compare: what each validation fits and scores. */
#include "core/base/memory.h"
#include "core/validations/step_masks.h"
#include "core/validations/validations.h"

#include <criterion/criterion.h>
#include <string.h>

enum { N = 12 };

static pf_dataset data;
static pf_error error;

/* Trials of 1, 3, 2, 1, 4, 1 steps; the data leave one step out of scoring, another out of fitting.
 */
static const int64_t trials[N] = {0, 1, 1, 1, 4, 4, 5, 6, 6, 6, 6, 9};
static const int64_t blocks[N] = {0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2};

static void add(const char *animal, const int64_t *block)
{
  static const double cue[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  uint32_t flags[N];
  for (int t = 0; t < N; t++) {
    flags[t] = PF_STEP_FIT | PF_STEP_SCORE | (t % 3 == 0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  }
  flags[2] &= ~(uint32_t)PF_STEP_SCORE;
  flags[9] &= ~(uint32_t)PF_STEP_FIT;
  const pf_experiment experiment = {.size = sizeof experiment,
                                    .animal = animal,
                                    .name = animal,
                                    .n_steps = N,
                                    .n_input = 1,
                                    .cue = cue,
                                    .flags = flags,
                                    .trial = trials,
                                    .block = block};
  cr_assert(pf_dataset_add(&data, &experiment, &error) == PF_OK, "%s", error.text);
}

static void start(void)
{
  error = pf_error_none();
  add("a", blocks);
}

static void end(void)
{
  pf_dataset_free(&data);
}

TestSuite(compare_validations, .init = start, .fini = end);

/* Whatever the mask, plastic flags stay, no step is in both, and what the data exclude stays
 * excluded. */
static void check_masks(const uint32_t *flags)
{
  const pf_recording *recording = &data.recordings[0];
  for (int t = 0; t < N; t++) {
    cr_assert((flags[t] & PF_STEP_PLASTIC) == (recording->flags[t] & PF_STEP_PLASTIC));
    cr_assert((flags[t] & PF_STEP_FIT) == 0 || (flags[t] & PF_STEP_SCORE) == 0,
              "step %d is in both", t);
    cr_assert((flags[t] & ~recording->flags[t]) == 0, "step %d got a flag that the data withhold",
              t);
  }
}

static pf_status mask_forecast(const pf_recording *recording, double fraction, uint32_t *flags)
{
  const pf_folds folds = pf_validation_folds(&pf_forecast, &data, fraction);
  cr_assert(folds.n == 1);
  return pf_validation_mask(&pf_forecast, recording, &folds, 0, flags, &error);
}

static pf_folds divide_blocks(double parts)
{
  return pf_validation_folds(&pf_leave_one_block_out, &data, parts);
}

static void mask_block(pf_folds folds, int64_t fold, uint32_t *flags)
{
  cr_assert(pf_validation_mask(&pf_leave_one_block_out, &data.recordings[0], &folds, fold, flags,
                               &error) == PF_OK);
}

Test(compare_validations, forecast)
{
  /* six trials: 0.5 fits three (steps 0..5), 0.7 four (4.2 rounded down), and neither side is ever
   * empty */
  static const struct {
    double fraction;
    int split;
  } cases[] = {{0.5, 6}, {0.7, 7}, {0.99, 11}, {0.01, 1}, {2.0 / 3.0, 7}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    uint32_t flags[N];
    cr_assert(mask_forecast(&data.recordings[0], cases[k].fraction, flags) == PF_OK);
    check_masks(flags);
    for (int t = 0; t < N; t++) {
      cr_assert((flags[t] & PF_STEP_FIT) == 0 || t < cases[k].split, "%g fits step %d",
                cases[k].fraction, t);
      cr_assert((flags[t] & PF_STEP_SCORE) == 0 || t >= cases[k].split, "%g scores step %d",
                cases[k].fraction, t);
    }
    cr_assert(pf_count_steps(flags, N, PF_STEP_FIT) + pf_count_steps(flags, N, PF_STEP_SCORE) ==
              N - (cases[k].split > 2 ? 0 : 1) - (cases[k].split > 9 ? 1 : 0));
  }
}

Test(compare_validations, forecast_of_one_trial)
{
  static const double cue[2] = {1, 1};
  static const int64_t trial[2] = {3, 3};
  const pf_experiment one = {.size = sizeof one,
                             .animal = "b",
                             .name = "b.csv",
                             .n_steps = 2,
                             .n_input = 1,
                             .cue = cue,
                             .trial = trial};
  uint32_t flags[2];
  cr_assert(pf_dataset_add(&data, &one, &error) == PF_OK);
  cr_assert(mask_forecast(&data.recordings[1], 0.5, flags) == PF_POINT_FAILED);
  cr_assert(strstr(error.text, "b.csv has 1 trial") != NULL, "%s", error.text);
}

Test(compare_validations, blocks_of_the_data)
{
  const pf_folds folds = divide_blocks(5);
  uint32_t flags[N];
  cr_assert(folds.from_data && folds.n == 3);
  mask_block(folds, 2, flags);
  check_masks(flags);
  cr_assert(pf_count_steps(flags, 6, PF_STEP_FIT) == 6 &&
            pf_count_steps(flags, 6, PF_STEP_SCORE) == 0);
  cr_assert(pf_count_steps(flags + 6, 6, PF_STEP_FIT) == 0 &&
            pf_count_steps(flags + 6, 6, PF_STEP_SCORE) == 6);
  mask_block(folds, 1, flags); /* a block that this animal does not have */
  cr_assert(pf_count_steps(flags, N, PF_STEP_SCORE) == 0);
}

Test(compare_validations, equal_parts)
{
  pf_dataset_free(&data);
  add("a", NULL);
  const pf_folds folds = divide_blocks(3);
  int64_t scored = 0;
  cr_assert(!folds.from_data && folds.n == 3);
  for (int64_t k = 0; k < folds.n; k++) {
    uint32_t flags[N];
    mask_block(folds, k, flags);
    check_masks(flags);
    scored += pf_count_steps(flags, N, PF_STEP_SCORE);
    cr_assert(pf_count_steps(flags, N, PF_STEP_SCORE) > 0 &&
              pf_count_steps(flags, N, PF_STEP_FIT) > 0);
  }
  cr_assert(scored == N - 1); /* every step once, but the one that the data withhold */
}

/* Blocks of an animal may be experiments of their own. */
Test(compare_validations, blocks_in_two_experiments)
{
  static const int64_t first[N] = {0}, second[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  pf_dataset_free(&data);
  add("a", first);
  cr_assert(!divide_blocks(3).from_data);
  add("b", second);
  cr_assert(!divide_blocks(3).from_data); /* one block each: nothing to leave out */
  add("a", second);
  const pf_folds folds = divide_blocks(3);
  cr_assert(folds.from_data && folds.n == 2);
}

/* normalise = "padded" counts trials that are fitted, and the longest run of fitted steps in one.
 */
Test(compare_validations, trials_that_count)
{
  pf_recording *recording = &data.recordings[0];
  uint32_t flags[N];
  cr_assert(recording->n_trials == 6 && recording->longest_trial == 4);
  cr_assert(mask_forecast(recording, 0.5, flags) == PF_OK);
  pf_recording_mask(recording, flags);
  cr_assert(recording->n_trials == 3 && recording->longest_trial == 3);
  cr_assert(memcmp(recording->flags, flags, sizeof flags) == 0);
}

/* One fold an animal: its steps are scored, those of the others fitted. */
Test(compare_validations, one_animal_left_out)
{
  uint32_t flags[N];
  add("b", blocks);
  const pf_folds folds = pf_validation_folds(&pf_leave_one_animal_out, &data, 0.0);
  cr_assert(folds.n == 2);
  for (size_t i = 0; i < 2; i++) {
    for (int64_t fold = 0; fold < 2; fold++) {
      cr_assert(pf_validation_mask(&pf_leave_one_animal_out, &data.recordings[i], &folds, fold,
                                   flags, &error) == PF_OK);
      const bool left_out = (int64_t)i == fold;
      cr_assert(pf_count_steps(flags, N, PF_STEP_FIT) == (left_out ? 0 : N - 1));
      cr_assert(pf_count_steps(flags, N, PF_STEP_SCORE) == (left_out ? N - 1 : 0));
    }
  }
}

/* In sample all steps are fitted and scored, as the data have them. */
Test(compare_validations, in_sample)
{
  uint32_t flags[N];
  const pf_folds folds = pf_validation_folds(&pf_in_sample, &data, 0.0);
  cr_assert(folds.n == 1);
  cr_assert(pf_validation_mask(&pf_in_sample, &data.recordings[0], &folds, 0, flags, &error) ==
            PF_OK);
  cr_assert(memcmp(flags, data.recordings[0].flags, sizeof flags) == 0);
  cr_assert(pf_in_sample_fresh_inputs.scores_fits_of == &pf_in_sample);
}

/* Numbers stand in files: they stay. Names are found, and no other. */
Test(compare_validations, table)
{
  static const char *const names[] = {"in-sample", "in-sample-fresh-inputs", "forecast",
                                      "leave-one-block-out", "leave-one-animal-out"};
  cr_assert(pf_validation_count() >= 5);
  for (uint32_t v = 0; v < 5; v++) {
    cr_assert(strcmp(pf_validation_at(v)->name, names[v]) == 0);
    cr_assert(pf_validation_named(names[v]) == v);
    cr_assert(pf_validation_number(pf_validation_at(v)) == v);
    cr_assert(pf_validation_at(v)->held_out == (v >= 2));
  }
  cr_assert(pf_validation_named("forcast") == pf_validation_count());
}

/* Every one says in words what it does. */
Test(compare_validations, words)
{
  static const char *const expected[] = {
      "the steps and draws that were fitted", "fresh inputs", "the first 75 % of each",
      "3 equal parts of each experiment", "one theta fitted to all others"};
  const pf_folds folds = {.n = 3, .value = 0.75};
  for (uint32_t v = 0; v < 5; v++) {
    pf_text text = {0};
    pf_validation_at(v)->describe(&folds, &text);
    cr_assert(strstr(text.text, expected[v]) != NULL, "%s", text.text);
    pf_text_free(&text);
  }
}
