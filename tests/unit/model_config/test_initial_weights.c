/* core/model_config/initial_weights: weights from a file, and files that are wrong. */
#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/model_config/initial_weights.h"
#include "core/state/workspace.h"
#include "tests/unit/support/scratch.h"
#include "tests/unit/support/tiny_problem.h"

#include <criterion/criterion.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 24];
static tiny_problem tiny; /* 2-3-1 */

static void make(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/weights.csv", folder);
  tiny_problem_create(&tiny, TINY_CHOICE, 2);
}

static void clear(void)
{
  tiny_problem_free(&tiny);
  scratch_remove(folder);
}

TestSuite(problem_initial_weights, .init = make, .fini = clear);

static pf_status read_text(const char *text, pf_initial_file **out, pf_error *error)
{
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fputs(text, file);
  (void)fclose(file);
  *error = pf_error_none();
  return pf_initial_file_read(path, tiny.problem.model, NULL, pf_host_default(), out, error);
}

static void refuse(const char *text, const char *expected)
{
  pf_initial_file *file = NULL;
  pf_error error;
  cr_expect(read_text(text, &file, &error) == PF_STOP, "taken, expected: %s", expected);
  cr_expect(strstr(error.text, expected) != NULL, "found '%s', expected '%s'", error.text,
            expected);
}

static const double *find(const pf_initial_file *file, const char *animal, int64_t experiment,
                          int64_t projection)
{
  const double *w = NULL;
  pf_error error = pf_error_none();
  cr_assert(pf_initial_file_find(
                file, tiny.problem.model,
                &(pf_recording){.animal = (char *)animal, .experiment = (size_t)experiment},
                projection, &w, &error) == PF_OK,
            "%s", error.text);
  return w;
}

#define LAYER2(animal, experiment, value)                                                        \
  animal "," experiment ",layer2,0,0," value "\n" animal "," experiment ",layer2,0,1,1\n" animal \
         "," experiment ",layer2,0,2,2\n"

Test(problem_initial_weights, experiment_before_animal_before_all)
{
  pf_initial_file *file = NULL;
  pf_error error;
  cr_assert(read_text("animal,experiment,projection,post,pre,value\n" LAYER2("", "", "0.5")
                          LAYER2("a", "", "0.25") LAYER2("a", "1", "-7"),
                      &file, &error) == PF_OK,
            "%s", error.text);
  cr_expect(find(file, "b", 0, 1)[0] == 0.5);
  cr_expect(find(file, "a", 0, 1)[0] == 0.25);
  cr_expect(find(file, "a", 1, 1)[0] == -7.0 && find(file, "a", 1, 1)[2] == 2.0);
  cr_expect(find(file, "a", 0, 0) == NULL, "layer1 is not in the file: drawn");
  pf_initial_file_free(file);
}

Test(problem_initial_weights, an_animal_that_is_left_out)
{
  pf_initial_file *file = NULL;
  pf_error error;
  const double *w = NULL;
  cr_assert(read_text("animal,experiment,projection,post,pre,value\n" LAYER2("a", "", "1"), &file,
                      &error) == PF_OK);
  cr_expect(pf_initial_file_find(file, tiny.problem.model, &(pf_recording){.animal = (char[]){"b"}},
                                 1, &w, &error) == PF_STOP);
  cr_expect(strstr(error.text, "has no initial weights of layer2 for experiment 0 of 'b'") != NULL,
            "%s", error.text);
  pf_initial_file_free(file);
}

Test(problem_initial_weights, what_is_refused)
{
  refuse("projection,post,value\nlayer2,0,1\n", "has no column 'pre'");
  refuse("projection,post,pre,value\n", "has a header and no rows");
  refuse("projection,post,pre,value\nlayer2,0,0,1\n",
         "layer2 has no weight for post 0, pre 1; expected all of 1 x 3");
  refuse("projection,post,pre,value\nlayer3,0,0,1\n", "weights.csv:2: ");
  refuse("projection,post,pre,value\nlayer3,0,0,1\n", "did you mean 'layer");
  refuse("projection,post,pre,value\nlayer2,1,0,1\n",
         "weights.csv:2: column 'post': found '1', expected a whole number");
  refuse("projection,post,pre,value\nlayer2,0,0,x\n",
         "weights.csv:2: column 'value': found 'x', expected a finite number");
  refuse("projection,post,pre,value\nlayer2,0,0,\n",
         "weights.csv:2: column 'value': found '', expected a finite number");
  refuse("projection,post,pre,value\nlayer2,0,0,1\nlayer2,0,0,1\n",
         "weights.csv:3: the weight of post 0, pre 0 stands");
  refuse("projection,post,pre,value\nlayer2,0,0\n", "weights.csv:2: found 3 cells, expected 4");
}

Test(problem_initial_weights, a_draw_starts_from_them)
{
  pf_error error;
  pf_draw *draw = NULL, *twin = NULL;
  pf_workspace *workspace = NULL;
  pf_problem *problem = &tiny.problem;
  cr_assert(
      read_text(
          "projection,post,pre,value\nlayer1,0,0,1\nlayer1,0,1,2\nlayer1,1,0,3\nlayer1,1,1,4\n"
          "layer1,2,0,5\nlayer1,2,1,6\n",
          &problem->models->initial, &error) == PF_OK,
      "%s", error.text);
  cr_assert(pf_problem_draw(problem, &(pf_draw_id){&problem->data, 1, 0, true}, &draw, &error) ==
                PF_OK,
            "%s", error.text);
  cr_assert(pf_workspace_create(problem->model, draw->n_steps, &workspace, &error) == PF_OK);
  double *theta = pf_memory_need(problem->model->n_parameters, sizeof *theta, &error);
  cr_assert(pf_forward(&(const pf_simulation){problem->model, draw, theta, {&workspace, 1}}, 0,
                       PF_STEP_FIT, NULL, &error) == PF_OK,
            "%s", error.text);
  int64_t ld = 0;
  const pf_real *w = pf_workspace_weights(workspace, 0, 0, &ld);
  for (int64_t i = 0; i < 3; i++) {
    for (int64_t j = 0; j < 2; j++) {
      cr_expect((double)w[i * ld + j] == (double)(2 * i + j + 1));
    }
  }
  /* and so does the teacher beside it */
  cr_assert(pf_problem_teacher_draw(problem, draw, theta, &twin, &error) == PF_OK, "%s",
            error.text);
  cr_assert(twin->given_w[0] != NULL && twin->given_w[1] == NULL);
  cr_expect(memcmp(twin->given_w[0], draw->given_w[0], 6 * sizeof(pf_real)) == 0);
  pf_draw_free(problem->models->teacher, twin);
  pf_draw_free(problem->model, draw);
  pf_workspace_free(workspace);
  pf_memory_free(theta);
  pf_initial_file_free(problem->models->initial);
  problem->models->initial = NULL;
}
