/* core/check: what `plastfit check` prints of a config, and what it warns of in tables of data. */
#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/check/check.h"
#include "core/check/check_warnings.h"
#include "tests/unit/problem/problem_config.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];

static void start(void)
{
  scratch_create(folder);
  (void)snprintf(path, sizeof path, "%s/t.csv", folder);
}

static void end(void)
{
  scratch_remove(folder);
}

TestSuite(check, .init = start, .fini = end);

/** All that is printed, or warned of where not `all`; to be freed. */
static char *look_at(const pf_problem *problem, bool all, size_t *n_warnings)
{
  char *text = NULL;
  size_t size = 0;
  pf_error error = pf_error_none();
  FILE *stream = open_memstream(&text, &size);
  cr_assert(stream != NULL);
  if (all) {
    cr_assert(pf_check_print(problem, true, stream, &error) == PF_OK, "%s", error.text);
  } else {
    *n_warnings = pf_check_warn(problem, "! ", stream);
  }
  (void)fclose(stream);
  return text;
}

#define SAYS(text, words) \
  cr_expect(strstr(text, words) != NULL, "\"%s\" is not in\n%s", words, text)

/** What is warned of in a table of these rows, "animal,trial,x1,x2,choice,reward" above them. */
static char *warn_of_table(const char *rows, const char *override, size_t *n)
{
  char source[SCRATCH_SIZE + 80];
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL);
  (void)fprintf(file, "animal,trial,x1,x2,choice,reward\n%s", rows);
  (void)fclose(file);
  (void)snprintf(source, sizeof source, "source={ plugin = \"table\"; path = \"%s\"; }", path);
  pf_problem *problem = PROBLEM(source, override);
  char *text = look_at(problem, false, n);
  problem_drop(problem);
  return text;
}

Test(check, prints_every_section)
{
  pf_problem *problem = PROBLEM("fit.per=animal");
  char *text = look_at(problem, true, NULL);
  static const char *const words[] = {"Plugins", "Data",    "taylor",    "feedforward",
                                      "choice",  "Network", "2 animals", "Parameters"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    SAYS(text, words[i]);
  }
  free(text);
  problem_drop(problem);
}

/* A clean table has no warning at all: the others are told from it. */
static const char clean[] = "a,0,1,0,1,1\na,1,1,0,0,\na,1,0,1,1,0\na,2,0,1,0,\na,2,1,0,1,0\n"
                            "a,3,1,0,1,1\na,4,0,1,1,1\na,5,0,1,0,\na,5,0,1,1,0\n";

Test(check, says_nothing_of_a_clean_table)
{
  size_t n = 0;
  char *text = warn_of_table(clean, "seed=1", &n);
  cr_expect(n == 0, "%s", text);
  free(text);
}

Test(check, an_animal_that_always_chose_the_same)
{
  size_t n = 0;
  char *text = warn_of_table("a,0,1,0,1,1\na,1,0,1,1,0\na,2,1,0,1,1\na,3,0,1,1,1\n", "seed=1", &n);
  cr_expect(n >= 1);
  SAYS(text, "! a always made the same choice (1 of 1 animal)");
  free(text);
}

Test(check, a_reward_that_never_varies)
{
  size_t n = 0;
  char *text = warn_of_table("a,0,1,0,1,1\na,1,1,0,0,\na,1,0,1,1,1\na,2,0,1,0,\na,2,1,0,1,1\n",
                             "seed=1", &n);
  cr_expect(n >= 1);
  SAYS(text, "the reward is 1 wherever one was possible");
  free(text);
}

/* Every trial has one row, and choices of 0 have their reward too. */
Test(check, a_choice_between_options_taken_for_go_no_go)
{
  size_t n = 0;
  char *text = warn_of_table("a,0,1,1,1,1\na,1,1,1,0,1\na,2,1,1,0,0\na,3,1,1,1,0\na,4,1,1,0,1\n"
                             "a,5,1,1,1,1\n",
                             "seed=1", &n);
  cr_expect(n >= 1);
  SAYS(text, "this looks like a choice between");
  SAYS(text, "source.kind = \"choice\"");
  free(text);
}

Test(check, go_no_go_taken_for_a_choice_between_options)
{
  size_t n = 0;
  char *text = warn_of_table(clean, "source.kind=choice", &n);
  cr_expect(n >= 1);
  SAYS(text, "source.kind = \"go_no_go\"");
  free(text);
}

Test(check, two_animals_with_the_same_rows)
{
  enum { TRIALS = 30 };
  static const char *const outcomes[] = {"1,1", "0,", "1,0"};
  size_t n = 0;
  char rows[2 * TRIALS * 20] = "";
  for (int animal = 'a'; animal <= 'b'; animal++) {
    for (int k = 0; k < TRIALS; k++) {
      const size_t used = strlen(rows);
      (void)snprintf(rows + used, sizeof rows - used, "%c,%d,%d,%d,%s\n", animal, k, k % 2,
                     1 - k % 2, outcomes[k % 3]);
    }
  }
  char *text = warn_of_table(rows, "seed=1", &n);
  cr_expect(n >= 1);
  SAYS(text, "a and b have the same rows");
  free(text);
}

Test(check, fewer_observations_than_parameters)
{
  size_t n = 0;
  char *text =
      warn_of_table("a,0,1,0,1,1\na,1,0,1,0,\n", "rules.learn.terms=1 + w + x + r + x r", &n);
  cr_expect(n >= 1);
  SAYS(text, "there are only 2 observations for 5 free parameters");
  free(text);
}

Test(check, choices_that_follow_from_an_input)
{
  size_t n = 0;
  char *text = warn_of_table("a,0,1,0,1,1\na,1,0,1,0,\na,1,1,0,1,0\na,2,0,1,0,\na,2,1,0,1,1\n"
                             "a,3,0,1,0,\na,3,1,0,1,0\na,4,1,0,1,1\n",
                             "seed=1", &n);
  cr_expect(n >= 1);
  SAYS(text, "predicts every choice");
  free(text);
}

Test(check, nothing_to_fit)
{
  pf_problem *problem = PROBLEM(
      "rules.learn.parameters={ X1Y0W0R1: { fixed = true; }; X0Y0W1R0: { fixed = true; }; }");
  size_t n = 0;
  char *text = look_at(problem, false, &n);
  SAYS(text, "no parameter is free: the fit will only evaluate");
  free(text);
  problem_drop(problem);
}
