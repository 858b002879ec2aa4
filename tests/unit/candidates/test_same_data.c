/* core/candidates/same_data: what differs between two data sets is named, and nothing else. */
#include "core/candidates/same_data.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 3 };

/** One recording of three steps, all of it its own. */
typedef struct made_up {
  uint32_t flags[N];
  int64_t trial[N], block[N];
  double choice[N], reward[N];
  pf_record target;
  pf_series channel;
  pf_recording recording;
  pf_dataset data;
} made_up;

static void make(made_up *m)
{
  *m =
      (made_up){.flags = {7, 7, 7}, .trial = {0, 1, 2}, .choice = {1, 0, NAN}, .reward = {1, 0, 0}};
  m->target = (pf_record){.name = (char *)"choice", .n = 1, .values = m->choice};
  m->channel = (pf_series){.name = (char *)"reward", .values = m->reward};
  m->recording = (pf_recording){.animal = (char *)"a",
                                .name = (char *)"a, 1",
                                .n_steps = N,
                                .flags = m->flags,
                                .trial = m->trial,
                                .block = m->block,
                                .targets = &m->target,
                                .n_targets = 1,
                                .channels = &m->channel,
                                .n_channels = 1};
  m->data = (pf_dataset){.recordings = &m->recording, .n = 1};
}

static made_up a, b;

static void start(void)
{
  make(&a);
  make(&b);
}

TestSuite(compare_same_data, .init = start);

/** The words are `words`, all of them. */
static void differs(const char *words)
{
  pf_text text = {0};
  cr_assert(pf_data_differ(&a.data, &b.data, &text));
  cr_assert(strcmp(text.text, words) == 0, "%s", text.text);
  pf_text_free(&text);
}

Test(compare_same_data, nothing_differs)
{
  pf_text text = {0};
  cr_assert(!pf_data_differ(&a.data, &b.data, &text) && text.text == NULL);
}

Test(compare_same_data, only_plastic)
{
  b.flags[1] &= ~(uint32_t)PF_STEP_PLASTIC;
  differs("`plastic`, the steps after which weights change (first in 'a, 1', step 2)");
}

Test(compare_same_data, only_choices)
{
  b.choice[2] = 1.0;
  differs("choice (first in 'a, 1', step 3)");
}

Test(compare_same_data, rewards_and_blocks)
{
  b.reward[0] = 0.5;
  b.block[2] = 1;
  differs("blocks (first in 'a, 1', step 3); reward (first in 'a, 1', step 1)");
}

Test(compare_same_data, no_reward)
{
  b.recording.n_channels = 0;
  differs("reward (first in 'a, 1', step 1)");
}

Test(compare_same_data, animals_and_steps)
{
  b.recording.n_steps = 2;
  differs("the number of steps of 'a, 1', 2 against 3");
  b.recording.animal = (char *)"b";
  differs("animals, 'b' against 'a'");
  b.data.n = 0;
  differs("the number of experiments, 0 against 1");
}
