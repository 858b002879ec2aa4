#include "core/evaluate/evaluation_plan.h"

pf_evaluation_plan pf_evaluation_plan_of(const pf_problem *problem)
{
  pf_evaluation_plan plan = {
      .data = &problem->data, .n_draws = problem->settings->draws, .on = "fitted draws"};
  if (problem->fresh.n > 0) {
    plan = (pf_evaluation_plan){.data = &problem->fresh,
                                .n_draws = 1,
                                .fresh = true,
                                .fresh_animals = true,
                                .on = "fresh animals"};
  } else if (problem->settings->evaluate.draws > 0) {
    plan = (pf_evaluation_plan){.data = &problem->data,
                                .n_draws = problem->settings->evaluate.draws,
                                .fresh = true,
                                .on = "fresh draws"};
  }
  return plan;
}

int64_t pf_evaluation_group(const pf_problem *problem, const pf_fit *fit, size_t animal)
{
  if (problem->settings->fit.per == PF_FIT_SHARED) {
    return 0;
  }
  return animal < fit->n_groups ? (int64_t)animal : -1;
}

pf_status pf_evaluation_draw(const pf_problem *problem, const pf_evaluation_plan *plan, size_t i,
                             int64_t draw, pf_draw **out, pf_error *error)
{
  return pf_problem_draw(problem, &(pf_draw_id){plan->data, i, draw, plan->fresh}, out, error);
}

int64_t pf_evaluation_longest(const pf_evaluation_plan *plan)
{
  int64_t longest = 0;
  for (size_t i = 0; i < plan->data->n; i++) {
    longest =
        plan->data->recordings[i].n_steps > longest ? plan->data->recordings[i].n_steps : longest;
  }
  return longest;
}
