/* core/engine/explain: what is told of a gradient is what the plan says. */
#include "core/base/memory.h"
#include "core/engine/checkpoint_plan.h"
#include "core/engine/explain.h"
#include "tests/unit/support/tiny_problem.h"
#include <criterion/criterion.h>

static int64_t count_plastic(const pf_recording *recording)
{
  int64_t n = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    n += (recording->flags[t] & PF_STEP_PLASTIC) != 0;
  }
  return n;
}

Test(engine_explain, small_states_are_all_kept)
{
  tiny_problem tiny;
  pf_error error = pf_error_none();
  pf_explained told;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  const pf_recording *recording = &tiny.problem.data.recordings[0];
  cr_assert(pf_explain(tiny.problem.model, recording, &told, &error) == PF_OK, "%s", error.text);
  cr_expect(told.swept);
  cr_expect(told.n_changes == count_plastic(recording) && told.n_changes > 0);
  cr_expect(told.rows == 3 && told.n_blocks == 1 && told.interval == 0);
  /* 2-3-1, one block: every state of 3 x 2 weights stays in it */
  cr_expect(told.forward_bytes > (size_t)(told.n_changes + 1) * 6 * sizeof(pf_real));
  tiny_problem_free(&tiny);
}

Test(engine_explain, a_budget_brings_checkpoints_and_takes_less)
{
  tiny_problem tiny;
  pf_error error = pf_error_none();
  pf_explained all, few;
  tiny_problem_create(&tiny, TINY_CHOICE, 1);
  const int64_t n = 400;
  uint32_t *flags = pf_memory_need((size_t)n, sizeof *flags, &error);
  for (int64_t t = 0; t < n; t++) {
    flags[t] = PF_STEP_PLASTIC;
  }
  pf_recording longer =
      tiny.problem.data.recordings[0]; /* of a recording, steps and flags are looked at */
  longer.n_steps = n;
  longer.flags = flags;
  cr_assert(pf_explain(tiny.problem.model, &longer, &all, &error) == PF_OK, "%s", error.text);
  tiny.problem.model->state_budget = 1;
  cr_assert(pf_explain(tiny.problem.model, &longer, &few, &error) == PF_OK, "%s", error.text);
  cr_expect(all.interval == 0 && few.interval == 25);
  cr_expect(few.n_changes == n && few.rows == all.rows);
  cr_expect(few.bytes < all.bytes);
  cr_expect(few.forward_bytes < all.forward_bytes);
  pf_memory_free(flags);
  tiny_problem_free(&tiny);
}
