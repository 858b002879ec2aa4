/* A small config for the tests of core/problem, with overrides. */
#ifndef PLASTFIT_TESTS_PROBLEM_CONFIG_H
#define PLASTFIT_TESTS_PROBLEM_CONFIG_H

#include "core/problem/problem.h"

/** The problem of the small config: two animals of a teacher, layer 1 of 2 x 3 units learns by
 * "x r". `overrides`: ends with NULL. Fails the running test where it cannot be made. */
pf_problem *problem_of(const char *const *overrides);
void problem_drop(pf_problem *problem);
/** The line with which the same is refused; "" where it is not. Static memory. */
const char *refusal_of(const char *const *overrides);

#define PROBLEM(...) problem_of((const char *const[]){__VA_ARGS__, NULL})
/** Is the small config, with these overrides, refused by a line that has `text`? */
#define EXPECT_REFUSED(text, ...)                                                       \
  do {                                                                                  \
    const char *line = refusal_of((const char *const[]){__VA_ARGS__, NULL});            \
    cr_expect(strstr(line, text) != NULL, "found \"%s\", expected \"%s\"", line, text); \
  } while (0)

#endif
