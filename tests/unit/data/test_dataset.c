/* core/data/dataset: what is copied, counted and refused when a source hands over an experiment. */
#include "core/base/memory.h"
#include "core/data/dataset.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 6, N_INPUT = 2 };

/* An experiment that is right in everything; tests break one thing. */
typedef struct sound {
  double cue[N * N_INPUT], reward[N], choice[N], activity[N * 3], dt[N];
  uint32_t flags[N];
  int64_t trial[N];
  pf_channel channels[2];
  pf_target targets[2];
  pf_experiment experiment;
} sound;

static void make(sound *out)
{
  static const int64_t trial[N] = {0, 0, 0, 2, 2, 3};
  memset(out, 0, sizeof *out);
  for (int t = 0; t < N; t++) {
    out->reward[t] = t % 3 == 2 ? 1.0 : NAN;
    out->choice[t] = t == 1 ? NAN : (double)(t % 2);
    out->dt[t] = 10.0 + t;
    out->trial[t] = trial[t];
    out->flags[t] = PF_STEP_FIT;
    for (int j = 0; j < N_INPUT; j++) {
      out->cue[t * N_INPUT + j] = 0.1 * t - 0.3 * j;
    }
  }
  out->activity[4] = NAN;
  out->channels[0] = (pf_channel){.name = "reward", .values = out->reward};
  out->channels[1] = (pf_channel){.name = "novelty", .values = out->dt};
  out->targets[0] = (pf_target){.name = "choice", .n = 1, .values = out->choice};
  out->targets[1] = (pf_target){.name = "activity", .n = 3, .values = out->activity};
  out->experiment = (pf_experiment){.size = sizeof out->experiment,
                                    .animal = "Fly1",
                                    .session = "day 2",
                                    .name = "Fly1.mat",
                                    .n_steps = N,
                                    .n_input = N_INPUT,
                                    .cue = out->cue,
                                    .flags = out->flags,
                                    .dt = out->dt,
                                    .trial = out->trial,
                                    .channels = {out->channels, 2, sizeof out->channels[0]},
                                    .targets = {out->targets, 2, sizeof out->targets[0]}};
}

Test(data_dataset, copies_everything)
{
  sound from;
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  make(&from);
  cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK, "%s", error.text);
  const sound before = from;
  memset(&from, 0, sizeof from); /* the source's memory is gone after the call */
  const pf_recording *recording = &data.recordings[0];
  cr_assert_eq(recording->n_steps, N);
  cr_expect_str_eq(recording->session, "day 2");
  cr_expect_eq(memcmp(recording->cue, before.cue, sizeof before.cue), 0);
  cr_expect_eq(memcmp(recording->flags, before.flags, sizeof before.flags), 0);
  cr_expect_eq(memcmp(recording->dt, before.dt, sizeof before.dt), 0);
  cr_expect_eq(memcmp(recording->trial, before.trial, sizeof before.trial), 0);
  cr_expect_eq(memcmp(pf_recording_channel(recording, "novelty"), before.dt, sizeof before.dt), 0);
  const pf_record *activity = pf_recording_target(recording, "activity");
  cr_assert_not_null(activity);
  cr_expect_eq(activity->n, 3);
  cr_expect_eq(memcmp(activity->values, before.activity, sizeof before.activity), 0,
               "missing cells stay missing");
  cr_expect_null(pf_recording_channel(recording, "choice"), "a target is no channel");
  cr_expect_null(pf_recording_target(recording, "spikes"));
  pf_dataset_free(&data);
}

/* Trials 0, 2 and 3, of 3, 2 and 1 steps: "padded" means a table of 3 x 3. */
Test(data_dataset, counts_trials)
{
  sound from;
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  make(&from);
  cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK);
  cr_expect_eq(data.recordings[0].n_trials, 3);
  cr_expect_eq(data.recordings[0].longest_trial, 3);
  from.experiment.trial = NULL; /* every step its own */
  cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK);
  cr_expect_eq(data.recordings[1].n_trials, N);
  cr_expect_eq(data.recordings[1].longest_trial, 1);
  pf_dataset_free(&data);
}

Test(data_dataset, defaults)
{
  sound from;
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  make(&from);
  from.experiment.flags = NULL;
  from.experiment.dt = NULL;
  from.experiment.session = NULL;
  cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK);
  cr_expect_eq(data.recordings[0].flags[3],
               (uint32_t)(PF_STEP_PLASTIC | PF_STEP_FIT | PF_STEP_SCORE));
  cr_expect_null(data.recordings[0].dt);
  pf_dataset_free(&data);
}

/* Animals are numbered as they first appear, however many experiments each has. */
Test(data_dataset, numbers_animals)
{
  static const char *const names[] = {"b", "a", "b", "c", "a"};
  static const size_t expected[] = {0, 1, 0, 2, 1};
  sound from;
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  make(&from);
  for (int round = 0; round < 8; round++) { /* more than the first reservation holds */
    for (size_t k = 0; k < 5; k++) {
      from.experiment.animal = names[k];
      cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK);
    }
  }
  cr_assert_eq(data.n, 40);
  cr_assert_eq(data.n_animals, 3);
  for (size_t i = 0; i < data.n; i++) {
    cr_expect_eq(data.recordings[i].animal_index, expected[i % 5]);
    cr_expect_str_eq(data.animals[data.recordings[i].animal_index], data.recordings[i].animal);
  }
  pf_dataset_free(&data);
}

/* Nothing is added, and the line says what was found where. */
static void refuse(const sound *from, const char *says)
{
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  cr_expect_lt(pf_dataset_add(&data, &from->experiment, &error), 0, "expected: %s", says);
  cr_expect_not_null(strstr(error.text, says), "expected '%s', found '%s'", says, error.text);
  cr_expect_eq(data.n, 0);
  pf_dataset_free(&data);
}

#define REFUSE(change, says) \
  do {                       \
    sound from;              \
    make(&from);             \
    change;                  \
    refuse(&from, says);     \
  } while (0)

Test(data_dataset, refuses_what_is_wrong)
{
  REFUSE(from.experiment.n_steps = 0, "Fly1.mat: found 0 steps");
  REFUSE(from.experiment.n_input = -1, "of -1 inputs");
  REFUSE(from.cue[5] = NAN, "Fly1.mat: step 3, input 2: found nan");
  REFUSE(from.dt[4] = 0.0, "step 5: found dt = 0 ms");
  REFUSE(from.dt[4] = INFINITY, "step 5: found dt = inf ms");
  REFUSE(from.trial[3] = -1, "step 4: found trial -1 after trial 0");
  REFUSE(from.choice[2] = 0.5,
         "step 3, choice: found 0.5, expected a whole number from 0, or missing");
  REFUSE(from.activity[7] = -INFINITY, "step 3, activity: found -inf");
  REFUSE(from.reward[5] = INFINITY, "step 6, reward: found inf");
  REFUSE(from.channels[1].name = "reward", "two channels named 'reward'");
  REFUSE(from.targets[1].name = "choice", "two targets named 'choice'");
  REFUSE(from.experiment.animal = NULL, "no name of an animal");
  REFUSE(from.experiment.name = NULL, "no name of its own");
}

Test(data_dataset, a_channel_is_added_once)
{
  sound from;
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  make(&from);
  cr_assert_eq(pf_dataset_add(&data, &from.experiment, &error), PF_OK);
  double *values = pf_memory_new(N, sizeof *values);
  cr_assert_eq(pf_recording_add_channel(&data.recordings[0], "arousal", values, &error), PF_OK);
  cr_expect_eq(pf_recording_channel(&data.recordings[0], "arousal"), values);
  double *again = pf_memory_new(N, sizeof *again);
  cr_expect_lt(pf_recording_add_channel(&data.recordings[0], "reward", again, &error), 0);
  cr_expect_not_null(strstr(error.text, "two channels named 'reward'"), "%s", error.text);
  pf_memory_free(again); /* not taken over */
  pf_dataset_free(&data);
}

/* 100,000 animals, the later half met again in the opposite order: looking through all for each
 * would compare 10^10 names, and run into the time limit of the tests. */
Test(data_dataset, many_animals_are_found_in_one_step)
{
  enum { MANY = 100000 };
  static const double cue[1] = {1.0};
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  for (size_t i = 0; i < MANY + MANY / 2; i++) {
    char name[32];
    (void)snprintf(name, sizeof name, "animal %zu", i < MANY ? i : 2 * (size_t)MANY - 1 - i);
    const pf_experiment one = {
        .size = sizeof one, .animal = name, .name = name, .n_steps = 1, .n_input = 1, .cue = cue};
    cr_assert_eq(pf_dataset_add(&data, &one, &error), PF_OK, "%s", error.text);
  }
  cr_expect_eq(data.n_animals, MANY);
  size_t n = 0;
  for (size_t a = 0; a < data.n_animals; a++) {
    cr_assert_eq(pf_dataset_first(&data, a), a);
    cr_assert_eq(pf_dataset_next(&data, a), a < MANY / 2 ? SIZE_MAX : 2 * (size_t)MANY - 1 - a);
    for (size_t i = pf_dataset_first(&data, a); i < data.n; i = pf_dataset_next(&data, i)) {
      cr_assert_eq(data.recordings[i].animal_index, a);
      n++;
    }
  }
  cr_expect_eq(n, data.n);
  cr_expect_eq(data.recordings[MANY].experiment, 1);
  pf_dataset_free(&data);
}

Test(data_dataset, what_is_removed_takes_its_animal_along)
{
  static const double cue[1] = {1.0};
  static const char *const names[] = {"a", "b", "a", "c", "b"};
  const bool gone[] = {false, true, true, false, true};
  pf_dataset data = {0};
  pf_error error = pf_error_none();
  for (size_t i = 0; i < 5; i++) {
    const pf_experiment one = {.size = sizeof one,
                               .animal = names[i],
                               .name = "one",
                               .n_steps = 1,
                               .n_input = 1,
                               .cue = cue};
    cr_assert_eq(pf_dataset_add(&data, &one, &error), PF_OK, "%s", error.text);
  }
  cr_expect_eq(pf_dataset_next(&data, 1), 4);
  cr_assert_eq(pf_dataset_remove(&data, gone, &error), PF_OK);
  cr_assert_eq(data.n, 2);
  cr_assert_eq(data.n_animals, 2);
  cr_expect_str_eq(data.animals[1], "c");
  cr_expect_eq(data.recordings[1].animal_index, 1);
  cr_expect_eq(pf_dataset_first(&data, 1), 1);
  cr_expect_eq(pf_dataset_count(&data, 0), 1);
  cr_expect_eq(data.recordings[1].number, 3);
  pf_dataset_free(&data);
}
