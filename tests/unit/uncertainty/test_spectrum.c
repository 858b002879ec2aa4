/*
 * core/uncertainty/spectrum: matrices J'J whose null space is built in, with values of very
 * different scales.
 */
#include "core/base/memory.h"
#include "core/uncertainty/spectrum.h"
#include "tests/unit/support/numbers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MAX = 8, CELLS = 40 };

static const char *const names[MAX] = {"a", "b", "c", "d", "e", "f", "g", "h"};

/* J'J of a random J whose columns are then combined: column k of the result is sum over j of
 * mix[j][k] J_j. */
static void make(const double *mix, size_t n, double *information)
{
  uint64_t numbers = 99;
  memset(information, 0, n * n * sizeof *information);
  for (size_t c = 0; c < CELLS; c++) {
    double plain[MAX], row[MAX] = {0};
    for (size_t k = 0; k < n; k++) {
      plain[k] = numbers_normal(&numbers);
    }
    for (size_t j = 0; j < n; j++) {
      for (size_t k = 0; k < n; k++) {
        row[k] += mix[j * n + k] * plain[j];
      }
    }
    for (size_t i = 0; i < n * n; i++) {
      information[i] += row[i / n] * row[i % n];
    }
  }
}

static pf_spectrum *decompose(const double *information, size_t n)
{
  pf_error error = pf_error_none();
  pf_spectrum *s = NULL;
  cr_assert(pf_spectrum_create(information, n, 1e-11, &s, &error) == PF_OK, "%s", error.text);
  return s;
}

static void expect_text(const pf_spectrum *s, size_t k, const char *expected)
{
  char text[200];
  const pf_unidentified_subspace *subspace = pf_spectrum_subspace(s, k);
  cr_assert(subspace != NULL);
  pf_subspace_print(subspace, names, (int64_t)k, text, sizeof text);
  cr_expect(strcmp(text, expected) == 0, "found '%s', expected '%s'", text, expected);
}

Test(spectrum, of_what_is_determined_the_inverse)
{
  const double mix[9] = {1.0, 0.3, -2e4, 0.0, 1.7,
                         1e4, 0.0, 0.0,  3e4}; /* c is told in units 1e4 times smaller */
  double information[9], covariance[9], sum = 0.0;
  make(mix, 3, information);
  pf_spectrum *s = decompose(information, 3);
  cr_expect(s->n_free == 0 && s->n_subspaces == 0 && s->identified[0] && s->identified[1] &&
            s->identified[2]);
  for (size_t k = 0; k < 3; k++) {
    sum += s->eigenvalues[k];
  }
  cr_expect(fabs(sum - 3.0) < 1e-13);
  pf_spectrum_covariance(s, covariance);
  for (size_t i = 0; i < 3; i++) {
    for (size_t j = 0; j < 3; j++) {
      double product = 0.0;
      for (size_t k = 0; k < 3; k++) {
        product += information[i * 3 + k] * covariance[k * 3 + j];
      }
      cr_expect(fabs(product - (i == j ? 1.0 : 0.0)) < 1e-8, "%zu %zu: %g", i, j,
                product); /* measured 4e-12 */
    }
  }
  pf_spectrum_free(s);
}

Test(spectrum, free_combinations_as_equations)
{
  /* b = 0.75 of a's effect; c alone; d, e, f with e - 2 d and 3 f + d doing the same; g without
   * any; h alone */
  double mix[MAX * MAX] = {0};
  const size_t n = MAX;
  mix[0 * n + 0] = 1.0;
  mix[0 * n + 1] = 0.75;
  mix[2 * n + 2] = 1e-3;
  mix[3 * n + 3] = 1.0;
  mix[3 * n + 4] = -2.0;
  mix[4 * n + 4] = 1.0;
  mix[4 * n + 5] = 50.0;
  mix[7 * n + 7] = 1e5;
  double information[MAX * MAX];
  make(mix, n, information);
  pf_spectrum *s = decompose(information, n);
  cr_expect(s->n_free == 3, "%zu", s->n_free); /* one of a b, one of d e f, and g */
  cr_expect(s->n_subspaces == 3);
  cr_expect(s->identified[2] && s->identified[7] && !s->identified[6] &&
            pf_spectrum_subspace(s, 2) == NULL);
  expect_text(s, 0, "only a + 0.75 b is determined");
  expect_text(s, 1, "only a + 0.75 b is determined");
  expect_text(s, 6, "nothing of g is determined");
  /* the effects are d - 2 e and e + 50 f: eliminated, d + 100 f and e + 50 f */
  expect_text(s, 3, "only d + 100 f is determined");
  expect_text(s, 4, "only e + 50 f is determined");
  expect_text(s, 5, "only d + 100 f and e + 50 f are determined");

  /* the error of a + 0.75 b is that of a value with a's effect, alone */
  const pf_unidentified_subspace *subspace = pf_spectrum_subspace(s, 0);
  cr_expect(fabs(subspace->se[0] * sqrt(information[0]) - 1.0) < 0.3);
  double alone[36], covariance[36];
  const size_t kept[6] = {0, 2, 3, 4, 7, 7};
  for (size_t i = 0; i < 5; i++) {
    for (size_t j = 0; j < 5; j++) {
      alone[i * 5 + j] = information[kept[i] * n + kept[j]];
    }
  }
  pf_spectrum *reduced = decompose(alone, 5);
  cr_expect(reduced->n_free == 0);
  pf_spectrum_covariance(reduced, covariance);
  cr_expect(fabs(subspace->se[0] / sqrt(covariance[0]) - 1.0) < 1e-6, "%g %g", subspace->se[0],
            sqrt(covariance[0]));
  pf_spectrum_free(reduced);

  /* and c's is not touched by what is free elsewhere */
  double all[MAX * MAX];
  pf_spectrum_covariance(s, all);
  cr_expect(fabs(all[2 * n + 2] / covariance[1 * 5 + 1] - 1.0) < 1e-6);
  pf_spectrum_free(s);
}

Test(spectrum, text_that_is_too_long_ends_in_dots)
{
  double mix[4] = {1.0, 0.75, 0.0, 0.0}, information[4];
  char text[12];
  make(mix, 2, information);
  pf_spectrum *s = decompose(information, 2);
  pf_subspace_print(pf_spectrum_subspace(s, 0), names, PF_WHOLE_SUBSPACE, text, sizeof text);
  cr_expect(strlen(text) < sizeof text && strcmp(text + strlen(text) - 3, "...") == 0, "'%s'",
            text);
  pf_spectrum_free(s);
}

Test(spectrum, what_is_not_finite_is_refused)
{
  const double information[4] = {1.0, NAN, NAN, 1.0};
  pf_error error = pf_error_none();
  pf_spectrum *s = NULL;
  cr_expect(pf_spectrum_create(information, 2, 1e-11, &s, &error) == PF_POINT_FAILED);
  cr_expect(strstr(error.text, "not finite") != NULL);
}

Test(spectrum, of_nothing)
{
  pf_spectrum *s = decompose(NULL, 0);
  cr_expect(s->n_free == 0 && isnan(s->condition));
  pf_spectrum_free(s);
}
