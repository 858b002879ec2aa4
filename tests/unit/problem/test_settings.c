/* core/settings: what the keys of a config become. */
#include "core/base/memory.h"
#include "core/settings/root_settings.h"
#include "tests/unit/problem/problem_config.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

Test(settings, have_the_defaults_of_their_tables)
{
  pf_problem *problem = PROBLEM("seed=3");
  const pf_settings *settings = problem->settings;
  cr_expect(strcmp(settings->name, "run") == 0 && strcmp(settings->out, "runs/run") == 0);
  cr_expect(settings->seed == 3 && problem->seed == 3 && settings->report);
  cr_expect(strcmp(pf_normalisations[settings->normalise].name, "steps") == 0 &&
            settings->draws == 1);
  cr_expect(settings->fit.iterations == 200 && settings->fit.tolerance_nats == 1e-8);
  cr_expect(strcmp(settings->fit.optimiser, "lm") == 0 && settings->fit.batch == PF_BATCH_DRAW);
  cr_expect(settings->fit.per == PF_FIT_SHARED && settings->fit.warm_path == NULL);
  cr_expect(settings->evaluate.draws == 5 && settings->recover.data_sets == 100);
  cr_expect(settings->intervals.level == 0.95 && settings->intervals.automatic);
  cr_expect(settings->intervals.percentile == 0 && settings->intervals.cluster == PF_CLUSTER_AUTO);
  cr_expect(settings->expectation.kind == PF_EXPECTATION_window && settings->expectation.n == 10);
  cr_expect(settings->record.counts == PF_RECORD_ACTIVITY && settings->record.fraction == 1.0);
  cr_expect(settings->network.start.learn == PF_LEARN_NOTHING && settings->network.mask_seed == -1);
  cr_expect(settings->network.n_projections == 1 && settings->network.projections[0].layer == 1);
  cr_expect(strcmp(settings->network.projections[0].rule, "learn") == 0);
  problem_drop(problem);
}

Test(settings, take_what_the_config_says)
{
  pf_problem *problem = PROBLEM(
      "name=own", "out=elsewhere", "normalise=sum", "fit.per=animal", "fit.batch=full",
      "fit.optimiser=owlqn", "penalty.l1=0.5", "penalty.l2=0.25", "threads=3",
      "intervals.methods=[\"sandwich\", \"profile\"]", "intervals.bootstrap.interval=percentile",
      "source.expected_reward.kind=exponential", "source.expected_reward.rate=0.5",
      "source.record.units=once", "network.initial_weights.draw=per_draw", "memory=2 GiB");
  const pf_settings *settings = problem->settings;
  cr_expect(strcmp(settings->name, "own") == 0 && strcmp(settings->out, "elsewhere") == 0);
  cr_expect(strcmp(pf_normalisations[settings->normalise].name, "sum") == 0 &&
            settings->fit.batch == PF_BATCH_FULL);
  cr_expect(settings->fit.per == PF_FIT_PER_ANIMAL);
  cr_expect(problem->options.l1 == 0.5 && problem->options.l2 == 0.25);
  cr_expect(problem->options.n_threads == 3);
  const pf_interval_settings *intervals = &settings->intervals;
  cr_expect(intervals->main == PF_INTERVAL_sandwich && intervals->methods[PF_INTERVAL_profile]);
  cr_expect(!intervals->automatic && !intervals->methods[PF_INTERVAL_fisher]);
  cr_expect(intervals->percentile == 1);
  cr_expect(settings->expectation.kind == PF_EXPECTATION_exponential);
  cr_expect(settings->record.once == 1 && settings->network.start.per_draw == 1);
  cr_expect(settings->memory == (size_t)2 << 30);
  problem_drop(problem);
}

Test(settings, refuse_what_their_tables_do_not_have)
{
  EXPECT_REFUSED("did you mean 'starts'?", "fit.start=2");
  EXPECT_REFUSED("expected 0 or more", "penalty.l1=-1");
  EXPECT_REFUSED("expected 0 to 1000000", "fit.starts=-1");
  EXPECT_REFUSED("\"draw\" or \"full\"", "fit.batch=half");
  EXPECT_REFUSED("\"window\" or \"exponential\"", "source.expected_reward.kind=mean");
  EXPECT_REFUSED("a whole number", "fit.iterations=2.5");
  EXPECT_REFUSED("there is no method 'wald'", "intervals.methods=[\"wald\"]");
  EXPECT_REFUSED("did you mean 'source.animals'?", "animals=3");
  EXPECT_REFUSED("did you mean 'network.layers'?", "layers=[2, 1]");
  EXPECT_REFUSED("expected a size such as", "memory=lots");
  EXPECT_REFUSED("is not smooth", "fit.optimiser=lbfgs", "penalty.l1=0.1");
}

Test(settings, refuse_what_does_not_go_together)
{
  EXPECT_REFUSED("sessions are independent", "source.sessions.count=2");
  EXPECT_REFUSED("found `counts` and `noise`", "source.record.counts=exp",
                 "source.record.noise=0.1");
  EXPECT_REFUSED("its cues", "source.input.channels=[\"reward\"]");
}

/* Fresh animals have no theta of their own. */
Test(settings, fits_per_animal_have_no_fresh_animals)
{
  pf_problem *problem = PROBLEM("fit.per=animal", "evaluate.animals=3");
  cr_expect(problem->settings->evaluate.animals == 0 && problem->fresh.n == 0);
  problem_drop(problem);
  problem = PROBLEM("evaluate.animals=3");
  cr_expect(problem->fresh.n == 3 && problem->data.n == 2);
  problem_drop(problem);
}

/* Words and descriptors are made from one line each: they are in the same order. */
Test(settings, kinds_of_expected_reward_are_numbered_as_their_words)
{
  cr_expect(pf_choice_number(PF_EXPECTED_REWARD_CHOICES, pf_expected_reward_window.name) ==
            PF_EXPECTATION_window);
  cr_expect(pf_choice_number(PF_EXPECTED_REWARD_CHOICES, pf_expected_reward_exponential.name) ==
            PF_EXPECTATION_exponential);
  cr_expect(pf_choice_number(PF_EXPECTED_REWARD_CHOICES, "other") == PF_N_EXPECTATIONS);
}

/* The keys of the top level are those of all modules, each once. */
Test(settings, each_key_of_the_root_stands_once)
{
  pf_option_table keys = {0};
  pf_error error = pf_error_none();
  cr_assert(pf_root_keys(&keys, &error) == PF_OK);
  cr_expect(keys.count > 30);
  for (size_t i = 0; i < keys.count; i++) {
    const pf_option *one = pf_table_at(keys.items, keys.stride, keys.count, i);
    cr_expect(one->help != NULL && one->help[0] != '\0', "%s has no help", one->name);
    for (size_t k = 0; k < i; k++) {
      const pf_option *other = pf_table_at(keys.items, keys.stride, keys.count, k);
      cr_expect(strcmp(one->name, other->name) != 0, "%s stands twice", one->name);
    }
  }
  pf_memory_free((void *)keys.items);
}
