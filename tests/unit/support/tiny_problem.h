/*
 * tests/unit/support/tiny_problem.h - a whole problem built in memory, for tests of fit, evaluation
 * and report: 2-3-1 tanh network, Taylor rule "1, w, x, r, x r", a teacher with x r - 0.05 w, and
 * animals of unequal length that choose at random (so their data say little about the teacher: no
 * test may count on recovering it from choices).
 */
#ifndef PLASTFIT_TESTS_TINY_PROBLEM_H
#define PLASTFIT_TESTS_TINY_PROBLEM_H

#include "core/problem/problem.h"
#include "tests/unit/support/fake_options.h"

enum tiny_loss { TINY_CHOICE, TINY_ACTIVITY };

typedef struct tiny_problem {
  pf_problem problem;   /**< may be changed before use: fit settings, evaluate, seed, draws, out */
  pf_settings settings; /**< problem.settings and problem.models point here */
  pf_models models;
  fake_host host;
  pf_component rule, loss;
} tiny_problem;

/** Shows and fails the running test when anything cannot be made. With TINY_ACTIVITY the teacher's
 * activity is recorded on inputs that the fit is given. */
void tiny_problem_create(tiny_problem *tiny, enum tiny_loss loss, int n_animals);
void tiny_problem_free(tiny_problem *tiny);

#endif
