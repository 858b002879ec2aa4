/* core/problem: a part of the data is a problem of its own. */
#include "core/base/memory.h"
#include "core/problem/subset.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <string.h>

/* A view draws the inputs, and starts the fit, that the whole does. */
Test(problem_subset, keeps_its_places)
{
  tiny_problem tiny;
  tiny_problem_create(&tiny, TINY_CHOICE, 4);
  const pf_problem *problem = &tiny.problem;
  static const size_t chosen[] = {1, 3};
  pf_problem *view = NULL;
  pf_error error = pf_error_none();
  cr_assert(pf_problem_subset(problem, chosen, 2, &view, &error) == PF_OK, "%s", error.text);
  cr_assert(view->data.n == 2 && view->data.n_animals == 2);
  cr_assert(strcmp(view->data.animals[1], "Fly4") == 0 &&
            view->data.recordings[1].animal_index == 1);
  for (size_t k = 0; k < 2; k++) {
    pf_draw *own = NULL, *whole = NULL;
    cr_assert(pf_problem_draw(view, &(pf_draw_id){&view->data, k, 1, false}, &own, &error) ==
              PF_OK);
    cr_assert(pf_problem_draw(problem, &(pf_draw_id){&problem->data, chosen[k], 1, false}, &whole,
                              &error) == PF_OK);
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
