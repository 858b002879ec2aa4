/* core/truth/equation: which terms stand in the equation of a fit, and what is said of the others.
 */
#include "core/truth/equation.h"

#include "core/base/memory.h"
#include "tests/unit/truth/known_fit.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static pf_equations equations_of(const known_fit *known, bool inferred)
{
  pf_equations out;
  pf_error error = pf_error_none();
  cr_assert(pf_equations_create(&known->tiny.problem, known->fit,
                                inferred ? &known->inference : NULL, &out, &error) == PF_OK,
            "%s", error.text);
  cr_assert(out.n == 1 && out.items[0].n_terms == KNOWN_N);
  return out;
}

static void expect_fates(const pf_equation *equation, const uint32_t *expected)
{
  for (size_t k = 0; k < KNOWN_N; k++) {
    cr_expect(equation->terms[k].parameter == k);
    cr_expect(equation->terms[k].fate == expected[k], "term %zu: %s, not %s", k,
              pf_term_fate_words(equation->terms[k].fate), pf_term_fate_words(expected[k]));
  }
}

static void expect_note(const pf_equation *equation, const char *note)
{
  const char *notes = equation->notes.text != NULL ? equation->notes.text : "";
  cr_expect(strstr(notes, note) != NULL, "found \"%s\", expected \"%s\"", notes, note);
}

/** 1 and r have intervals that hold 0; x r is 8 errors from it, w 5, x 1.97: by itself that is
 * apart from 0, of five together it is not. */
static void set_usual(known_fit *known, int u)
{
  known_fit_set(known, u, KNOWN_1, 0.001, 0.01);
  known_fit_set(known, u, KNOWN_R, -0.2, 0.2);
  known_fit_set(known, u, KNOWN_W, -0.05, 0.01);
  known_fit_set(known, u, KNOWN_X, 0.197, 0.1);
  known_fit_set(known, u, KNOWN_XR, 0.96, 0.12);
}

Test(equation, terms_whose_interval_is_away_from_0)
{
  known_fit known;
  known_fit_create(&known, 1);
  set_usual(&known, 0);
  pf_equations found = equations_of(&known, true);
  const pf_equation *e = &found.items[0];
  expect_fates(e, (const uint32_t[]){PF_TERM_UNCERTAIN, PF_TERM_UNCERTAIN, PF_TERM_KEPT,
                                     PF_TERM_UNCERTAIN, PF_TERM_KEPT});
  cr_expect_str_eq(e->owner, "rules.learn");
  cr_expect_str_eq(e->chosen_by, "intervals");
  cr_expect_str_eq(e->text.text, "dw = 0.37 (0.96 x r - 0.05 w)");
  cr_expect_str_eq(e->truth.text, "dw = 0.37 (x r - 0.05 w)");
  cr_expect(e->is_polynomial && e->eta == 0.37 && e->n_looked_at == 5);
  expect_note(e, "without 3 terms whose interval, 95 % for all 5 together, holds 0\n");
  pf_equations_clear(&found);
  known_fit_free(&known);
}

/* The order is by how sure a term is, not by its size. */
Test(equation, the_surest_term_first)
{
  known_fit known;
  known_fit_create(&known, 1);
  set_usual(&known, 0);
  known_fit_set(&known, 0, KNOWN_W, -0.05, 0.001);
  pf_equations found = equations_of(&known, true);
  cr_expect_str_eq(found.items[0].text.text, "dw = 0.37 (-0.05 w + 0.96 x r)");
  cr_expect_str_eq(found.items[0].truth.text, "dw = 0.37 (-0.05 w + x r)");
  pf_equations_clear(&found);
  known_fit_free(&known);
}

Test(equation, no_term_apart_from_0)
{
  known_fit known;
  known_fit_create(&known, 1);
  for (int k = 0; k < KNOWN_N; k++) {
    known_fit_set(&known, 0, k, 1.0, 1.0);
  }
  pf_equations found = equations_of(&known, true);
  cr_expect_str_eq(found.items[0].text.text, "no term is told apart from 0");
  expect_note(&found.items[0], "without 5 terms whose interval");
  pf_equations_clear(&found);
  known_fit_free(&known);
}

Test(equation, not_identified_terms_do_not_stand_in_it)
{
  known_fit known;
  known_fit_create(&known, 1);
  set_usual(&known, 0);
  known.inference.groups[0].verdict[KNOWN_W] = PF_NOT_IDENTIFIED_BY_DESIGN;
  pf_equations found = equations_of(&known, true);
  cr_expect(found.items[0].terms[KNOWN_W].fate == PF_TERM_NOT_IDENTIFIED);
  cr_expect_str_eq(found.items[0].text.text, "dw = 0.37 (0.96 x r)");
  expect_note(&found.items[0], "without 1 term that is not identified\n");
  pf_equations_clear(&found);
  for (int k = 0; k < KNOWN_N; k++) {
    known.inference.groups[0].verdict[k] = PF_NOT_IDENTIFIED_BY_DESIGN;
  }
  found = equations_of(&known, true);
  cr_expect(found.items[0].chosen_by == NULL);
  expect_note(&found.items[0], "no coefficient is identified: other equations fit as well\n");
  pf_equations_clear(&found);
  known_fit_free(&known);
}

/* Of what is known of no error: the terms that move the weights, none below a hundredth of the one
 * that moves them most. */
Test(equation, without_intervals_by_what_terms_do)
{
  known_fit known;
  known_fit_create(&known, 1);
  known_fit_set(&known, 0, KNOWN_1, 1e-7, NAN);
  known_fit_set(&known, 0, KNOWN_XR, 0.5, NAN);
  pf_equations found = equations_of(&known, false);
  expect_fates(&found.items[0], (const uint32_t[]){PF_TERM_SMALL, PF_TERM_ZERO, PF_TERM_ZERO,
                                                   PF_TERM_ZERO, PF_TERM_KEPT});
  cr_expect_str_eq(found.items[0].chosen_by, "effects");
  cr_expect_str_eq(found.items[0].text.text, "dw = 0.37 (0.5 x r)");
  expect_note(&found.items[0], "without 1 term that hardly changes the weights (below 1 % of the "
                               "largest change of the weights)\n");
  pf_equations_clear(&found);
  known_fit_free(&known);
}

Test(equation, a_fit_that_did_not_converge_says_so)
{
  known_fit known;
  known_fit_create(&known, 1);
  set_usual(&known, 0);
  known.fit->groups[0].optimum.converged = false;
  pf_equations found = equations_of(&known, true);
  expect_note(&found.items[0],
              "NOT to be relied on: not converged; this is where the fit stopped\n");
  cr_expect(found.coefficients.n_claims == 0 && found.items[0].chosen_by == NULL);
  pf_equations_clear(&found);
  known_fit_free(&known);
}

Test(equation, whose_mean_it_is)
{
  known_fit known;
  known_fit_create(&known, 3);
  for (int u = 0; u < 3; u++) {
    set_usual(&known, u);
  }
  known.fit->groups[1].runs_off = true;
  known.inference.groups[2].verdict[KNOWN_R] = PF_PRACTICALLY_NOT;
  pf_equations found = equations_of(&known, true);
  const pf_equation *e = &found.items[0];
  expect_note(e, "left out, separation: Fly2\n");
  expect_note(e, "means over 1 to 2 of 3 animals\n");
  expect_note(e, "left out of means, not identified: Fly3 (r)\n");
  pf_equations_clear(&found);
  for (int u = 0; u < 3; u++) {
    known.fit->groups[u].optimum.converged = false;
  }
  found = equations_of(&known, true);
  expect_note(&found.items[0], "left out, not converged: Fly1, Fly3\n");
  expect_note(&found.items[0], "NOT to be relied on: mean over 3 animals, none of which counts\n");
  pf_equations_clear(&found);
  known_fit_free(&known);
}
