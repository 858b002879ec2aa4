/* core/page/html_verdict: the box at the head of a page, from what summary.json says. */
#include "core/page/html_verdict.h"

#include <criterion/criterion.h>
#include <string.h>

/* What a run writes, as far as the box reads it. */
static const char usual[] =
    "{\"config\": {\"fixed_passes\": false},"
    " \"evaluated_on\": \"fresh animals\","
    " \"units\": [{\"name\": \"all\", \"status\": \"converged\", \"optimiser\": {\"converged\": "
    "true}}],"
    " \"inference\": {\"level\": 0.95, \"units\": [{\"verdicts\": {\"identified\": 2},"
    "   \"animals_agree\": {\"p\": 0.5}, \"warnings\": []}]},"
    " \"equations\": [{\"owner\": \"rules.learn\", \"text\": \"dw = x r - 0.05 w\","
    "   \"chosen_by\": \"intervals\", \"notes\": [\"means over 2 of 3 animals\", \"other\"]}],"
    " \"mean\": {\"deviance_explained\": {\"no_plasticity\": 27.5, \"mean_rate\": -1.0}}}";

typedef struct box {
  json_t *summary;
  pf_text page;
} box;

static void open_box(box *b)
{
  json_error_t error;
  *b = (box){.summary = json_loads(usual, 0, &error)};
  cr_assert(b->summary != NULL, "%s", error.text);
}

/** Another value at a path of the summary: "units", 0, "status". */
static void set_text(box *b, const char *list, size_t i, const char *key, const char *text)
{
  json_t *item = json_array_get(json_object_get(b->summary, list), i);
  cr_assert(json_object_set_new(item, key, json_string(text)) == 0);
}

static void write_box(box *b)
{
  pf_text_free(&b->page);
  b->page = (pf_text){0};
  pf_html_verdict(&b->page, b->summary);
  cr_assert(b->page.text != NULL && !b->page.failed);
}

static void close_box(box *b)
{
  pf_text_free(&b->page);
  json_decref(b->summary);
}

#define SAYS(b, words) \
  cr_expect(strstr((b)->page.text, words) != NULL, "\"%s\" is not in\n%s", words, (b)->page.text)
#define SAYS_NOT(b, words) \
  cr_expect(strstr((b)->page.text, words) == NULL, "\"%s\" is in\n%s", words, (b)->page.text)

Test(verdict_box, of_a_fit_that_is_well)
{
  box b;
  open_box(&b);
  write_box(&b);
  SAYS(&b, "<p><b>What was found.</b> dw = x r - 0.05 w (means over 2 of 3 animals).</p>");
  SAYS(&b, "The data identify 2 of 2 coefficients; every term shown is told apart from 0 with "
           "intervals of 95 % for all terms of a rule together.");
  SAYS(&b, "On animals that the fit has not seen it explains 27.5 % of the deviance that the same "
           "network without plasticity leaves, and it predicts no better than a constant");
  SAYS(&b, "Nothing was found that speaks against it.");
  SAYS(&b, "Compare it with other rules");
  close_box(&b);
}

Test(verdict_box, of_a_fit_that_did_not_converge_no_equation)
{
  box b;
  open_box(&b);
  set_text(&b, "units", 0, "status", "separation");
  write_box(&b);
  SAYS(&b, "Nothing that can be relied on: all (separation).");
  SAYS_NOT(&b, "dw =");
  SAYS(&b, "1 of 1 fits supports no claim.");
  SAYS(&b, "Run plastfit check on the config");
  SAYS_NOT(&b, "Nothing was found that speaks against it");
  close_box(&b);
}

/* An older run says "ok", and whether the optimiser converged. */
Test(verdict_box, one_of_two_left_out)
{
  box b;
  json_error_t error;
  open_box(&b);
  cr_assert(
      json_array_append_new(json_object_get(b.summary, "units"),
                            json_loads("{\"name\": \"<b>\", \"status\": \"ok\", \"optimiser\": "
                                       "{\"converged\": false}}",
                                       0, &error)) == 0);
  write_box(&b);
  SAYS(&b, "dw = x r - 0.05 w");
  SAYS(&b, "Left out: &lt;b&gt; (not converged).");
  SAYS(&b, "1 of 2 fits supports no claim.");
  close_box(&b);
}

Test(verdict_box, nothing_inferred_nothing_sure)
{
  box b;
  open_box(&b);
  json_object_del(b.summary, "inference");
  write_box(&b);
  SAYS(&b, "Unknown: there are no intervals.");
  SAYS_NOT(&b, "told apart from 0");
  json_object_set_new(json_object_get(b.summary, "config"), "fixed_passes", json_true());
  write_box(&b);
  SAYS(&b, "the optimiser makes a fixed number of passes");
  SAYS(&b, "Fit with fit.optimiser=lm");
  close_box(&b);
}

Test(verdict_box, terms_that_intervals_did_not_choose_are_not_told_apart)
{
  box b;
  open_box(&b);
  set_text(&b, "equations", 0, "chosen_by", "effects");
  write_box(&b);
  SAYS(&b, "The data identify 2 of 2 coefficients.");
  SAYS_NOT(&b, "told apart from 0");
  close_box(&b);
}

Test(verdict_box, what_to_doubt)
{
  box b;
  open_box(&b);
  json_t *inferred =
      json_array_get(json_object_get(json_object_get(b.summary, "inference"), "units"), 0);
  json_object_set_new(json_object_get(inferred, "verdicts"), "practically not identified",
                      json_integer(3));
  json_object_set_new(json_object_get(inferred, "animals_agree"), "p", json_real(0.001));
  json_array_append_new(json_object_get(inferred, "warnings"), json_string("few animals"));
  json_object_set_new(b.summary, "evaluated_on", json_string("fresh draws of the same animals"));
  write_box(&b);
  SAYS(&b, "The data identify 2 of 5 coefficients");
  SAYS(&b, "3 coefficients are not identified: their estimates mean nothing alone.");
  SAYS(&b, "The scores are in sample");
  SAYS(&b, "The animals differ (p = 0.001): one rule for all is their mean at best.");
  SAYS(&b, "Few animals.");
  SAYS(&b, "On the data that were fitted");
  SAYS(&b, "Take out a term");
  close_box(&b);
}
