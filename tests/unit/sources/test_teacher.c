#define _XOPEN_SOURCE 700

/* plugins/sources/teacher: the tasks run by hand with a fake policy; rewards against their exact
 * probabilities. */
#include "tests/unit/support/fake_options.h"
#include "tests/unit/support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <plastfit/abi/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const pf_plugin *teacher_LTX_pf_plugin_entry(void);

enum {
  MAX_STATE = 16,
  MAX_RANDOM = 8,
  MAX_INPUTS = 3,
  FIT_AND_SCORE = PF_STEP_FIT | PF_STEP_SCORE
};

typedef struct setup {
  fake_host host;
  pf_error error;
  const pf_source_ops *ops;
  void *task;
  pf_source_declaration declared;
  /* one run */
  uint64_t seed;
  double state[MAX_STATE], uniform[MAX_RANDOM], normal[MAX_RANDOM], cue[MAX_INPUTS], reward;
  pf_task_in in;
  pf_task_out out;
} setup;

static pf_status start_at(setup *s, const fake_value *given, size_t n_given, int64_t fail_at)
{
  const pf_plugin *plugin = teacher_LTX_pf_plugin_entry();
  fake_options options;
  memset(s, 0, sizeof *s);
  s->error.size = sizeof s->error;
  s->ops = plugin->source;
  fake_options_init(&options, &plugin->options, given, n_given);
  const pf_host *host = fake_host_init(&s->host);
  s->host.fail_at = fail_at;
  const pf_status status = s->ops->create(host, &options.face, &s->task, &s->error);
  cr_assert(options.mistakes == 0);
  if (status != PF_OK) {
    cr_expect(s->host.live == 0 && s->task == NULL);
    return status;
  }
  s->declared.size = sizeof s->declared;
  cr_assert(s->ops->declare(s->task, &s->declared, &s->error) == PF_OK);
  cr_assert(s->declared.n_state <= MAX_STATE);
  cr_assert(s->declared.n_uniform <= MAX_RANDOM && s->declared.n_normal <= MAX_RANDOM);
  cr_assert(s->ops->read == NULL);
  return PF_OK;
}

/** And begin a run. */
static void start(setup *s, const fake_value *given, size_t n_given, int64_t n_input, uint64_t seed)
{
  const pf_status status = start_at(s, given, n_given, -1);
  cr_assert(status == PF_OK, "%s", s->error.text);
  s->seed = seed;
  s->in = (pf_task_in){
      .size = sizeof s->in, .n_input = n_input, .uniform = s->uniform, .normal = s->normal};
  cr_assert(s->ops->begin(s->task, 0, s->state, &s->error) == PF_OK);
}

static void finish(setup *s)
{
  s->ops->end(s->task, s->state);
  s->ops->destroy(s->task);
  cr_expect(s->host.live == 0);
}

/** Tell the task how its last step went; it settles that one and presents step `step`. */
static pf_status next(setup *s, int64_t step, double choice)
{
  for (int k = 0; k < MAX_RANDOM; k++) {
    s->uniform[k] = numbers_uniform(&s->seed);
    s->normal[k] = numbers_normal(&s->seed);
  }
  for (int k = 0; k < MAX_INPUTS; k++) {
    s->cue[k] = (double)NAN;
  }
  s->reward = -77.0;
  s->out = (pf_task_out){.size = sizeof s->out, .channels = &s->reward, .cue = s->cue};
  s->in.step = step;
  s->in.choice = choice;
  return s->ops->next(s->task, s->state, &s->in, &s->out, &s->error);
}

static int odour_of(const setup *s)
{
  cr_assert((s->cue[0] == 1.0 && s->cue[1] == 0.0) || (s->cue[0] == 0.0 && s->cue[1] == 1.0));
  return s->cue[1] == 1.0;
}

/* ---- options of two_odours ---- */

static const double reward_a[] = {0.2, 0.8};
static const double reward_b[] = {0.9, 0.1};
#define BLOCK(index_, trials_, reward_)                       \
  FAKE_INTEGER("task.blocks[" #index_ "].trials", (trials_)), \
      FAKE_REALS("task.blocks[" #index_ "].reward", (reward_), 2)

Test(source_teacher, two_odours_declares_what_it_needs)
{
  const fake_value given[] = {BLOCK(0, 80, reward_a), BLOCK(1, 40, reward_b),
                              FAKE_INTEGER("task.max_encounters", 50)};
  setup s;
  start(&s, given, 5, 2, 1);
  cr_expect(s.declared.n_input == 2);
  cr_assert(s.declared.channels.count == 1 && s.declared.targets.count == 1);
  cr_expect(strcmp(s.declared.channels.items[0], "reward") == 0);
  cr_expect(strcmp(s.declared.targets.items[0], "choice") == 0);
  cr_expect(s.declared.max_steps == 120 * 50);
  finish(&s);
}

/* ---- flags, trials, blocks ---- */

Test(source_teacher, a_trial_ends_at_an_accept)
{
  const fake_value given[] = {BLOCK(0, 30, reward_a), BLOCK(1, 10, reward_b),
                              BLOCK(2, 25, reward_a)};
  setup s;
  start(&s, given, 6, 2, 42);
  uint64_t policy = 7;
  int64_t accepts = 0;
  int64_t step = 0;
  int64_t odours[2] = {0, 0};
  double choice = (double)NAN; /* at step 0 there is no last step */
  for (;; step++) {
    cr_assert(next(&s, step, choice) == PF_OK, "%s", s.error.text);
    if (step > 0) {
      cr_assert(s.out.flags == (FIT_AND_SCORE | (choice == 1.0 ? (uint32_t)PF_STEP_PLASTIC : 0U)));
      cr_assert(choice == 1.0 ? s.reward == 0.0 || s.reward == 1.0 : isnan(s.reward));
    }
    if (s.out.done != 0) {
      break;
    }
    cr_assert(s.out.trial == accepts);
    cr_assert(s.out.block == (accepts < 30 ? 0 : (accepts < 40 ? 1 : 2)));
    cr_assert(s.out.dt == 0.0);
    odours[odour_of(&s)]++;
    choice = numbers_uniform(&policy) < 0.4 ? 1.0 : 0.0;
    accepts += choice == 1.0;
    cr_assert(step < 10000);
  }
  cr_expect(accepts == 65);
  cr_expect(step > 65 && step <= s.declared.max_steps);
  cr_expect(odours[0] > 0 && odours[1] > 0 && odours[0] + odours[1] == step);
  finish(&s);
}

Test(source_teacher, next_depends_on_its_arguments_only)
{
  const fake_value given[] = {BLOCK(0, 30, reward_a)};
  setup s;
  start(&s, given, 2, 2, 9);
  cr_assert(next(&s, 0, (double)NAN) == PF_OK);
  cr_assert(next(&s, 1, 1.0) == PF_OK);
  const setup before = s;
  cr_assert(next(&s, 2, 0.0) == PF_OK);
  const setup once = s;
  memcpy(s.state, before.state, sizeof s.state);
  s.seed = before.seed;
  cr_assert(next(&s, 2, 0.0) == PF_OK);
  cr_expect(memcmp(once.state, s.state, sizeof s.state) == 0);
  cr_expect(memcmp(once.cue, s.cue, 2 * sizeof s.cue[0]) == 0);
  cr_expect(once.out.trial == s.out.trial && once.out.flags == s.out.flags);
  finish(&s);
}

/* ---- rewards ---- */

/**
 * Run long blocks with a policy that accepts odour k with probability accept[k]; compare the
 * rewards of each odour with their probability given how many trials began since the last accept of
 * that odour: baited 1 - (1 - p)^n, else p. Given n, rewards are independent, so the sum is
 * within 4.5 sd but once in 1e5.
 */
static void check_rewards(int baited, const double *p, const double *accept, uint64_t seed)
{
  enum { TRIALS = 20000 };
  const fake_value given[] = {BLOCK(0, TRIALS, p), FAKE_BOOL("task.baited", baited)};
  double excess[2] = {0.0, 0.0};
  double variance[2] = {0.0, 0.0};
  int64_t since[2] = {0, 0}; /* trials begun since the last accept of the odour */
  int64_t accepts[2] = {0, 0};
  int64_t met[2] = {0, 0};
  uint64_t policy = seed + 1;
  setup s;
  start(&s, given, 3, 2, seed);
  double choice = (double)NAN;
  int odour = 0;
  for (int64_t step = 0;; step++) {
    cr_assert(next(&s, step, choice) == PF_OK, "%s", s.error.text);
    if (step > 0 && choice == 1.0) {
      const double expected = baited ? 1.0 - pow(1.0 - p[odour], (double)since[odour]) : p[odour];
      excess[odour] += s.reward - expected;
      variance[odour] += expected * (1.0 - expected);
      accepts[odour]++;
      since[odour] = 0;
    }
    if (s.out.done != 0) {
      break;
    }
    if (step == 0 || choice == 1.0) {
      since[0]++;
      since[1]++;
    }
    odour = odour_of(&s);
    met[odour]++;
    choice = numbers_uniform(&policy) < accept[odour] ? 1.0 : 0.0;
  }
  const double half =
      0.5 * (double)(met[0] + met[1]); /* every encounter has its own odour, half and half */
  cr_expect(fabs((double)met[0] - half) <= 4.5 * sqrt(0.5 * half));
  for (int k = 0; k < 2; k++) {
    cr_expect(accepts[k] > 2000);
    cr_expect(fabs(excess[k]) <= 4.5 * sqrt(variance[k]),
              "odour %d: %g more rewards than expected, sd %g", k, excess[k], sqrt(variance[k]));
    cr_expect(p[k] == 0.0 || p[k] == 1.0 || variance[k] > 100.0);
  }
  finish(&s);
}

Test(source_teacher, a_bait_stays_until_it_is_collected)
{
  const double all[] = {1.0, 1.0};
  const double some[] = {0.7, 0.25};
  const double certain[] = {0.0, 1.0};
  check_rewards(1, reward_a, all, 100);
  check_rewards(1, reward_a, some, 200);
  check_rewards(1, reward_b, some, 300);
  check_rewards(1, certain, some, 400);
}

Test(source_teacher, without_bait_every_accept_is_a_draw_of_its_own)
{
  const double all[] = {1.0, 1.0};
  const double some[] = {0.7, 0.25};
  const double certain[] = {0.0, 1.0};
  check_rewards(0, reward_a, all, 500);
  check_rewards(0, reward_b, some, 600);
  check_rewards(0, certain, some, 700);
}

Test(source_teacher, a_bait_outlives_its_block)
{
  const double first[] = {1.0, 0.0};
  const double then[] = {0.0, 0.0};
  const fake_value given[] = {BLOCK(0, 5, first), BLOCK(1, 40, then)};
  setup s;
  start(&s, given, 4, 2, 77);
  double choice = (double)NAN;
  int odour = 0;
  int64_t collected[2] = {0, 0};
  double paid[2] = {0.0, 0.0};
  for (int64_t step = 0;; step++) {
    cr_assert(next(&s, step, choice) == PF_OK, "%s", s.error.text);
    if (step > 0 && choice == 1.0) {
      paid[odour] += s.reward;
      cr_expect(odour == 1 || (s.reward == 1.0) == (collected[0] == 0),
                "paid once, at the first collection");
      collected[odour]++;
    }
    if (s.out.done != 0) {
      break;
    }
    odour = odour_of(&s);
    choice = odour == 1 || s.out.block == 1
                 ? 1.0
                 : 0.0; /* odour 0 is left alone in block 0, where it is baited */
  }
  cr_expect(collected[0] > 1 && collected[1] >= 5);
  cr_expect(paid[0] == 1.0 && paid[1] == 0.0);
  finish(&s);
}

/* ---- what goes wrong ---- */

Test(source_teacher, an_animal_that_never_accepts_is_an_error)
{
  const fake_value given[] = {BLOCK(0, 30, reward_a), FAKE_INTEGER("task.max_encounters", 17)};
  setup s;
  start(&s, given, 3, 2, 5);
  int64_t step = 0;
  while (next(&s, step, step == 3 ? 1.0 : 0.0) == PF_OK) {
    step++;
    cr_assert(step < 100);
  }
  cr_expect(step == 3 + 17, "stopped at step %lld", (long long)step);
  cr_expect(strstr(s.error.text, "never accepts: 17 encounters rejected in trial 1") != NULL, "%s",
            s.error.text);
  cr_expect(strcmp(s.error.key, "task.max_encounters") == 0);
  finish(&s);
}

Test(source_teacher, refuses_networks_that_do_not_fit)
{
  const fake_value given[] = {BLOCK(0, 30, reward_a)};
  setup s;
  start(&s, given, 2, 3, 5);
  cr_expect(next(&s, 0, (double)NAN) == PF_STOP);
  cr_expect(strstr(s.error.text, "the network has 3 inputs; two_odours needs 2") != NULL, "%s",
            s.error.text);
  finish(&s);
  start(&s, given, 2, 2, 5);
  cr_assert(next(&s, 0, (double)NAN) == PF_OK);
  cr_expect(next(&s, 1, (double)NAN) == PF_STOP);
  cr_expect(strstr(s.error.text, "the network makes no choice") != NULL, "%s", s.error.text);
  finish(&s);
}

Test(source_teacher, refuses_options_that_make_no_task)
{
  const double three[] = {0.1, 0.2, 0.3};
  const double beyond[] = {0.5, 1.25};
  const double missing[] = {(double)NAN, 0.5};
  const struct {
    fake_value given[2];
    size_t n_given;
    const char *key, *text;
  } cases[] = {
      {{FAKE_BOOL("task.baited", 1)}, 1, "task.blocks", "at least one block"},
      {{BLOCK(0, 0, reward_a)}, 2, "task.blocks[].trials", "block 0 has 0 trials"},
      {{BLOCK(0, 10, beyond)}, 2, "task.blocks[].reward", "probability 1.25"},
      {{BLOCK(0, 10, missing)}, 2, "task.blocks[].reward", "probability nan"},
      {{FAKE_INTEGER("task.blocks[0].trials", 8), FAKE_REALS("task.blocks[0].reward", three, 3)},
       2,
       "task.blocks[].reward",
       "has 3 reward probabilities"},
      {{FAKE_STRING("task.kind", "maze")}, 1, "task.kind", "\"maze\" is no task"},
      {{FAKE_STRING("task.kind", "activity"), FAKE_INTEGER("task.steps", 0)},
       2,
       "task.steps",
       "0 steps"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    setup s;
    cr_expect(start_at(&s, cases[k].given, cases[k].n_given, -1) == PF_STOP);
    cr_expect(strstr(s.error.text, cases[k].text) != NULL, "case %zu says: %s", k, s.error.text);
    cr_expect(s.error.key != NULL && strcmp(s.error.key, cases[k].key) == 0, "case %zu", k);
  }
}

Test(source_teacher, survives_every_failed_allocation)
{
  const fake_value given[] = {BLOCK(0, 30, reward_a), BLOCK(1, 10, reward_b)};
  int64_t failed = 0;
  setup s;
  while (start_at(&s, given, 4, failed) != PF_OK) {
    cr_expect(strstr(s.error.text, "out of memory") != NULL);
    failed++;
    cr_assert(failed < 100);
  }
  cr_expect(failed == 3);
  finish(&s);
}

/* ---- cues and schedules ---- */

Test(source_teacher, cues_come_alike_and_pay_by_their_own_probability)
{
  static const double reward[] = {0.1, 0.5, 0.9};
  const fake_value given[] = {
      FAKE_STRING("task.kind", "cues"), FAKE_INTEGER("task.blocks[0].trials", 6000),
      FAKE_REALS("task.blocks[0].reward", reward, 3), FAKE_BOOL("task.baited", 0)};
  setup s;
  start(&s, given, 4, 3, 17);
  cr_expect(s.declared.n_input == 3);
  int64_t n[3] = {0}, paid[3] = {0};
  int cue = 0;
  for (int64_t step = 0;; step++) {
    cr_assert(next(&s, step, step == 0 ? (double)NAN : 1.0) == PF_OK, "%s", s.error.text);
    if (step > 0) {
      n[cue]++;
      paid[cue] += s.reward == 1.0;
    }
    if (s.out.done != 0) {
      break;
    }
    cr_assert(s.cue[0] + s.cue[1] + s.cue[2] == 1.0);
    cue = s.cue[0] == 1.0 ? 0 : (s.cue[1] == 1.0 ? 1 : 2);
  }
  for (int k = 0; k < 3; k++) { /* five standard deviations */
    cr_expect(fabs((double)n[k] - 2000.0) < 5.0 * 36.5, "cue %d came %lld times", k,
              (long long)n[k]);
    const double sd = sqrt(reward[k] * (1.0 - reward[k]) / (double)n[k]);
    cr_expect(fabs((double)paid[k] / (double)n[k] - reward[k]) < 5.0 * sd, "cue %d", k);
  }
  finish(&s);
}

/* A file that is gone when the test is. */
static void write_schedule(char *path, const char *text)
{
  const int fd = mkstemp(path);
  cr_assert(fd >= 0);
  cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  cr_assert(close(fd) == 0);
}

Test(source_teacher, a_schedule_is_followed_trial_by_trial)
{
  char path[] = "/tmp/plastfit-schedule-XXXXXX";
  write_schedule(path, "left,right,up\n0,1,0\n0,1,0\n1,0,0\n0,0,1\n0,0,1\n0,0,1\n");
  static const int pays[] = {1, 1, 0, 2, 2, 2}; /* which cue is sure to pay, by trial */
  static const int block[] = {0, 0, 1, 2, 2, 2};
  const fake_value given[] = {FAKE_STRING("task.kind", "cues"), FAKE_PATH("task.schedule", path),
                              FAKE_BOOL("task.baited", 0)};
  setup s;
  start(&s, given, 3, 3, 23);
  (void)remove(path);
  cr_expect(s.declared.n_input == 3);
  int cue = 0;
  int64_t trial = 0;
  for (int64_t step = 0;; step++) {
    cr_assert(next(&s, step, step == 0 ? (double)NAN : 1.0) == PF_OK, "%s", s.error.text);
    if (step > 0) {
      cr_expect(s.reward == (pays[trial] == cue ? 1.0 : 0.0), "trial %lld", (long long)trial);
    }
    if (s.out.done != 0) {
      cr_expect(step == 6);
      break;
    }
    trial = s.out.trial;
    cr_expect(trial == step && s.out.block == block[trial]);
    cue = s.cue[0] == 1.0 ? 0 : (s.cue[1] == 1.0 ? 1 : 2);
  }
  finish(&s);
}

Test(source_teacher, refuses_schedules_that_are_none)
{
  static const struct {
    const char *text, *says;
  } cases[] = {{"a,b\n", "has no trials"},
               {"a,b\n0.5\n", "found 1 cell, expected 2"},
               {"0.5,0.5\n0.5,1.5\n", ":2: column 2: found '1.5'"},
               {"0.5,0.5\nx,0.5\n", ":2: column 1: found 'x'"},
               {"0.5,\n", "column 2: found ''"}};
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    char path[] = "/tmp/plastfit-schedule-XXXXXX";
    write_schedule(path, cases[k].text);
    const fake_value given[] = {FAKE_STRING("task.kind", "cues"), FAKE_PATH("task.schedule", path)};
    setup s;
    cr_expect(start_at(&s, given, 2, -1) == PF_STOP);
    cr_expect(strstr(s.error.text, cases[k].says) != NULL, "case %zu says: %s", k, s.error.text);
    (void)remove(path);
  }
  const fake_value both[] = {BLOCK(0, 30, reward_a), FAKE_PATH("task.schedule", "nowhere.csv")};
  setup s;
  cr_expect(start_at(&s, both, 3, -1) == PF_STOP);
  cr_expect(strstr(s.error.text, "expected one of them") != NULL, "%s", s.error.text);
}

Test(source_teacher, layers_are_recorded_by_name)
{
  static const char *const layers[] = {"layer1", "layer2"};
  static const char *const twice[] = {"layer1", "layer1"};
  const fake_value given[] = {BLOCK(0, 30, reward_a), FAKE_STRINGS("task.record", layers, 2)};
  const fake_value wrong[] = {BLOCK(0, 30, reward_a), FAKE_STRINGS("task.record", twice, 2)};
  setup s;
  start(&s, given, 3, 2, 1);
  cr_assert(s.declared.targets.count == 3);
  cr_expect(strcmp(s.declared.targets.items[0], "choice") == 0);
  cr_expect(strcmp(s.declared.targets.items[2], "layer2") == 0);
  finish(&s);
  cr_expect(start_at(&s, wrong, 3, -1) == PF_STOP);
  cr_expect(strstr(s.error.text, "'layer1' is recorded already") != NULL, "%s", s.error.text);
}

/* ---- activity ---- */

Test(source_teacher, activity_runs_open_loop)
{
  enum { STEPS = 5000 };
  const fake_value given[] = {FAKE_STRING("task.kind", "activity"),
                              FAKE_INTEGER("task.steps", STEPS), FAKE_REAL("task.reward_mean", 0.3),
                              FAKE_REAL("task.reward_sd", 2.0)};
  double sum = 0.0;
  double squares = 0.0;
  setup s;
  start(&s, given, 4, 3, 13);
  cr_expect(s.declared.n_input == 0 && s.declared.n_state == 0 && s.declared.max_steps == STEPS);
  cr_assert(s.declared.targets.count == 1 && strcmp(s.declared.targets.items[0], "activity") == 0);
  for (int64_t step = 0; step <= STEPS; step++) {
    cr_assert(next(&s, step, (double)NAN) == PF_OK, "%s", s.error.text);
    if (step > 0) {
      cr_assert(s.out.flags == (FIT_AND_SCORE | PF_STEP_PLASTIC));
      sum += s.reward;
      squares += (s.reward - 0.3) * (s.reward - 0.3);
    }
    cr_assert((s.out.done != 0) == (step == STEPS));
    if (s.out.done == 0) {
      cr_assert(s.cue[0] == 1.0 && s.cue[1] == 1.0 && s.cue[2] == 1.0);
      cr_assert(s.out.trial == step && s.out.block == 0);
    }
  }
  cr_expect(fabs(sum / STEPS - 0.3) <= 4.5 * 2.0 / sqrt((double)STEPS));
  cr_expect(fabs(squares / STEPS - 4.0) <= 4.5 * 4.0 * sqrt(2.0 / STEPS));
  finish(&s);
}

Test(source_teacher, activity_has_no_reward_by_default)
{
  const fake_value given[] = {FAKE_STRING("task.kind", "activity")};
  setup s;
  start(&s, given, 1, 1, 13);
  cr_expect(s.declared.max_steps == 100);
  for (int64_t step = 0; step <= 100; step++) {
    cr_assert(next(&s, step, (double)NAN) == PF_OK);
    cr_expect(step == 0 || s.reward == 0.0);
  }
  cr_expect(s.out.done == 1);
  finish(&s);
}
