/* core/problem: step masks of validations, and views of a part of the data. */
#include "core/base/memory.h"
#include "core/problem/subset.h"
#include "core/problem/validation.h"
#include "tests/unit/support/tiny_problem.h"

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

TestSuite(validation, .init = start, .fini = end);

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

Test(validation, forecast)
{
  /* six trials: 0.5 fits three (steps 0..5), 0.7 four (4.2 rounded down), and neither side is ever
   * empty */
  static const struct {
    double fraction;
    int split;
  } cases[] = {{0.5, 6}, {0.7, 7}, {0.99, 11}, {0.01, 1}, {2.0 / 3.0, 7}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    uint32_t flags[N];
    cr_assert(pf_mask_forecast(&data.recordings[0], cases[k].fraction, flags, &error) == PF_OK);
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

Test(validation, forecast_of_one_trial)
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
  cr_assert(pf_mask_forecast(&data.recordings[1], 0.5, flags, &error) == PF_POINT_FAILED);
  cr_assert(strstr(error.text, "b.csv has 1 trial") != NULL, "%s", error.text);
}

Test(validation, blocks_of_the_data)
{
  const pf_folds folds = pf_folds_of(&data, 5);
  uint32_t flags[N];
  cr_assert(folds.from_data && folds.n == 3);
  pf_mask_fold(&data.recordings[0], folds, 2, flags);
  check_masks(flags);
  cr_assert(pf_count_steps(flags, 6, PF_STEP_FIT) == 6 &&
            pf_count_steps(flags, 6, PF_STEP_SCORE) == 0);
  cr_assert(pf_count_steps(flags + 6, 6, PF_STEP_FIT) == 0 &&
            pf_count_steps(flags + 6, 6, PF_STEP_SCORE) == 6);
  pf_mask_fold(&data.recordings[0], folds, 1, flags); /* a block that this animal does not have */
  cr_assert(pf_count_steps(flags, N, PF_STEP_SCORE) == 0);
}

Test(validation, equal_parts)
{
  pf_dataset_free(&data);
  add("a", NULL);
  const pf_folds folds = pf_folds_of(&data, 3);
  int64_t scored = 0;
  cr_assert(!folds.from_data && folds.n == 3);
  for (int64_t k = 0; k < folds.n; k++) {
    uint32_t flags[N];
    pf_mask_fold(&data.recordings[0], folds, k, flags);
    check_masks(flags);
    scored += pf_count_steps(flags, N, PF_STEP_SCORE);
    cr_assert(pf_count_steps(flags, N, PF_STEP_SCORE) > 0 &&
              pf_count_steps(flags, N, PF_STEP_FIT) > 0);
  }
  cr_assert(scored == N - 1); /* every step once, but the one that the data withhold */
}

/* Blocks of an animal may be experiments of their own. */
Test(validation, blocks_in_two_experiments)
{
  static const int64_t first[N] = {0}, second[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  pf_dataset_free(&data);
  add("a", first);
  cr_assert(!pf_folds_of(&data, 3).from_data);
  add("b", second);
  cr_assert(!pf_folds_of(&data, 3).from_data); /* one block each: nothing to leave out */
  add("a", second);
  const pf_folds folds = pf_folds_of(&data, 3);
  cr_assert(folds.from_data && folds.n == 2);
}

/* normalise = "padded" counts trials that are fitted, and the longest run of fitted steps in one.
 */
Test(validation, trials_that_count)
{
  pf_recording *recording = &data.recordings[0];
  uint32_t flags[N];
  cr_assert(recording->n_trials == 6 && recording->longest_trial == 4);
  cr_assert(pf_mask_forecast(recording, 0.5, flags, &error) == PF_OK);
  pf_recording_mask(recording, flags);
  cr_assert(recording->n_trials == 3 && recording->longest_trial == 3);
  cr_assert(memcmp(recording->flags, flags, sizeof flags) == 0);
}

/* A view draws the inputs, and starts the fit, that the whole does. */
Test(problem_view, keeps_its_places)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 4);
  const pf_problem *problem = &tiny.problem;
  static const size_t chosen[] = {1, 3};
  pf_problem *view = NULL;
  error = pf_error_none();
  cr_assert(pf_problem_subset(problem, chosen, 2, &view, &error) == PF_OK, "%s", error.text);
  cr_assert(view->data.n == 2 && view->data.n_animals == 2);
  cr_assert(strcmp(view->data.animals[1], "Fly4") == 0 &&
            view->data.recordings[1].animal_index == 1);
  for (size_t k = 0; k < 2; k++) {
    pf_draw *own = NULL, *whole = NULL;
    cr_assert(pf_problem_draw(view, &view->data, k, 1, false, &own, &error) == PF_OK);
    cr_assert(pf_problem_draw(problem, &problem->data, chosen[k], 1, false, &whole, &error) ==
              PF_OK);
    cr_assert(own->n_steps == whole->n_steps && own->n_steps > 0);
    cr_assert(memcmp(own->input, whole->input,
                     (size_t)(own->n_steps * own->ld_input) * sizeof(pf_real)) == 0);
    cr_assert(memcmp(own->noise, whole->noise,
                     (size_t)problem->model->declared.n_noise * sizeof(double)) == 0);
    pf_draw_free(problem->model, own);
    pf_draw_free(problem->model, whole);
  }
  /* its flags are its own */
  view->data.recordings[0].flags[0] = 0;
  cr_assert(problem->data.recordings[1].flags[0] != 0);
  pf_problem_subset_free(view);
  tiny_problem_free(&tiny);
}
