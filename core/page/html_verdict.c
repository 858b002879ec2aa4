#include "core/page/html_verdict.h"

#include "core/figures/result_folder.h"
#include "core/page/html_equation.h"

#include <string.h>

enum { MAX_NAMED = 5, MAX_DOUBTS = 4 };

/** What summary.json says of its fits. */
typedef struct seen_fits {
  const json_t *summary, *units, *inference;
  size_t n_units, n_bad;         /**< bad: no claim rests on them */
  double n_values, n_identified; /**< coefficients over the fits of which something is inferred */
  bool no_intervals, in_sample, fixed_passes;
  bool chosen; /**< every term shown is told apart from 0 */
} seen_fits;

/** Not converged, separated, worse than no plasticity, failed: or "", when a claim may rest on it.
 */
static const char *trouble_of(const json_t *unit)
{
  const char *status = pf_result_string(unit, "status");
  const json_t *optimiser = json_object_get(unit, "optimiser");
  if (strcmp(status, "ok") != 0 && strcmp(status, "converged") != 0 &&
      strcmp(status, "passes done") != 0) {
    return status;
  }
  return json_is_false(json_object_get(optimiser, "converged")) ? "not converged" : "";
}

static seen_fits see_fits(const json_t *summary)
{
  seen_fits seen = {.summary = summary,
                    .units = json_object_get(summary, "units"),
                    .inference = json_object_get(json_object_get(summary, "inference"), "units")};
  const char *on = pf_result_string(summary, "evaluated_on");
  seen.n_units = json_array_size(seen.units);
  for (size_t u = 0; u < seen.n_units; u++) {
    seen.n_bad += trouble_of(json_array_get(seen.units, u))[0] != '\0' ? 1 : 0;
  }
  for (size_t u = 0; u < json_array_size(seen.inference); u++) {
    const json_t *verdicts = json_object_get(json_array_get(seen.inference, u), "verdicts");
    const char *words;
    json_t *count;
    json_object_foreach((json_t *)verdicts, words, count)
    {
      seen.n_values += json_number_value(count);
      seen.n_identified += strcmp(words, "identified") == 0 ? json_number_value(count) : 0.0;
    }
  }
  const json_t *equations = json_object_get(summary, "equations");
  seen.chosen = json_array_size(equations) > 0;
  for (size_t k = 0; k < json_array_size(equations); k++) {
    const char *by = pf_result_string(json_array_get(equations, k), "chosen_by");
    seen.chosen = seen.chosen && strcmp(by, "intervals") == 0;
  }
  seen.no_intervals = seen.n_values < 1.0;
  seen.in_sample = strcmp(on, "fresh animals") != 0;
  seen.fixed_passes =
      json_is_true(json_object_get(json_object_get(summary, "config"), "fixed_passes"));
  return seen;
}

/* ---- sentences ---- */

static void begin_line(pf_text *page, const char *head)
{
  pf_text_add(page, "<p><b>%s</b> ", head);
}

static void end_line(pf_text *page)
{
  pf_text_add(page, "</p>\n");
}

/** "a1 (not converged), a7 (separation) and 3 more" */
static void list_bad(pf_text *page, const seen_fits *seen)
{
  size_t n = 0;
  for (size_t u = 0; u < seen->n_units; u++) {
    const json_t *unit = json_array_get(seen->units, u);
    if (trouble_of(unit)[0] == '\0') {
      continue;
    }
    if (n < MAX_NAMED) {
      pf_text_add(page, "%s", n > 0 ? ", " : "");
      pf_page_text(page, pf_result_string(unit, "name"));
      pf_text_add(page, " (");
      pf_page_text(page, trouble_of(unit));
      pf_text_add(page, ")");
    }
    n++;
  }
  if (n > MAX_NAMED) {
    pf_text_add(page, " and %zu more", n - MAX_NAMED);
  }
}

/** Those notes of an equation that say whose it is and whether it counts. */
static void write_whose(pf_text *page, const json_t *notes)
{
  static const char *const heads[] = {"means over", "left out of means", "terms were chosen",
                                      "no coefficient", "NOT"};
  bool any = false;
  for (size_t i = 0; i < json_array_size(notes); i++) {
    const char *note = json_string_value(json_array_get(notes, i));
    for (size_t k = 0; note != NULL && k < sizeof heads / sizeof heads[0]; k++) {
      if (strncmp(note, heads[k], strlen(heads[k])) == 0) {
        pf_text_add(page, "%s", any ? "; " : " (");
        pf_page_text(page, note);
        any = true;
        break;
      }
    }
  }
  pf_text_add(page, "%s", any ? ")" : "");
}

static void write_found(pf_text *page, const seen_fits *seen)
{
  const json_t *equations = json_object_get(seen->summary, "equations");
  const size_t n = json_array_size(equations);
  begin_line(page, "What was found.");
  if (seen->n_units > 0 && seen->n_bad == seen->n_units) {
    pf_text_add(page, "Nothing that can be relied on: ");
    list_bad(page, seen);
    pf_text_add(page, ".");
    end_line(page);
    return;
  }
  bool any = false;
  for (size_t k = 0; k < n; k++) {
    const json_t *equation = json_array_get(equations, k);
    if (pf_result_string(equation, "text")[0] == '\0') {
      continue;
    }
    pf_text_add(page, "%s", any ? "; " : "");
    if (n > 1) {
      pf_page_text(page, pf_result_string(equation, "owner"));
      pf_text_add(page, ": ");
    }
    pf_html_powers(page, pf_result_string(equation, "text"));
    write_whose(page, json_object_get(equation, "notes"));
    any = true;
  }
  pf_text_add(page, any ? "." : "A rule that has no equation; its coefficients are below.");
  if (seen->n_bad > 0) {
    pf_text_add(page, " Left out: ");
    list_bad(page, seen);
    pf_text_add(page, ".");
  }
  end_line(page);
}

/** Of animals drawn from a population: what its intervals say. */
static void write_population_surety(pf_text *page, const json_t *population)
{
  const json_t *list = json_object_get(population, "coefficients");
  const double alpha = 0.05;
  size_t n = 0;
  pf_text_add(page, "The population's means and sds have %g %% intervals (below). ",
              100.0 * pf_result_number(population, "level"));
  for (size_t k = 0; k < json_array_size(list); k++) {
    const json_t *one = json_array_get(list, k);
    if (pf_result_number(one, "difference_p") < alpha) {
      pf_text_add(page, "%s", n == 0 ? "Animals differ in " : ", ");
      pf_page_text(page, pf_result_string(one, "label"));
      n++;
    }
  }
  pf_text_add(page, n > 0 ? " (each p below 0.05)." : "Nothing says that animals differ.");
}

static void write_surety(pf_text *page, const seen_fits *seen)
{
  const json_t *population = json_object_get(seen->summary, "population");
  begin_line(page, "How sure.");
  if (json_is_true(json_object_get(population, "converged"))) {
    write_population_surety(page, population);
  } else if (seen->no_intervals && seen->fixed_passes) {
    pf_text_add(page, "Unknown: the optimiser makes a fixed number of passes and does not stop at "
                      "an optimum, so there are no intervals.");
  } else if (seen->no_intervals) {
    pf_text_add(page, "Unknown: there are no intervals.");
  } else {
    pf_text_add(page, "The data identify %.0f of %.0f coefficients", seen->n_identified,
                seen->n_values);
    if (seen->chosen) {
      pf_text_add(
          page,
          "; every term shown is told apart from 0 with intervals of %g %% for all terms of "
          "a rule together",
          100.0 * pf_result_number(json_object_get(seen->summary, "inference"), "level"));
    }
    pf_text_add(page, ".");
  }
  end_line(page);
}

/** "explains 27.5 % of what ... leaves", or that it does not. */
static void write_share(pf_text *page, double percent, const char *null)
{
  if (percent > 0.0) {
    pf_text_add(page, "it explains %.3g %% of the deviance that %s leaves", percent, null);
  } else {
    pf_text_add(page, "it predicts no better than %s", null);
  }
}

static void write_prediction(pf_text *page, const seen_fits *seen)
{
  const json_t *all = json_object_get(seen->summary, "mean");
  const json_t *mean = json_object_get(all, "deviance_explained");
  const double shares[] = {
      pf_result_number(mean, "no_plasticity"), pf_result_number(mean, "mean_rate"),
      pf_result_number(mean, "win_stay_lose_shift"), pf_result_number(mean, "logistic_history")};
  static const char *const nulls[] = {"the same network without plasticity", "a constant",
                                      "win-stay-lose-shift",
                                      "a logistic regression on past choices and rewards"};
  begin_line(page, "How well it predicts.");
  if (!isfinite(shares[0]) && !isfinite(shares[1])) {
    pf_text_add(page, "Nothing was scored.");
    end_line(page);
    return;
  }
  pf_text_add(page, "On %s ",
              seen->in_sample ? "the data that were fitted"
                              : "animals that the "
                                "fit has not seen");
  bool any = false;
  for (size_t k = 0; k < sizeof shares / sizeof shares[0]; k++) {
    if (isfinite(shares[k])) {
      pf_text_add(page, "%s", any ? ", and " : "");
      write_share(page, shares[k], nulls[k]);
      any = true;
    }
  }
  pf_text_add(page, " (%s).",
              json_is_true(json_object_get(all, "pooled")) ? "all animals together"
                                                           : "mean over animals");
  end_line(page);
}

static void add_doubt(pf_text *page, size_t *n, const char *text)
{
  if (*n < MAX_DOUBTS) {
    pf_text_add(page, "%s", *n > 0 ? " " : "");
    pf_page_text(page, text);
    pf_text_add(page, "%s", text[0] != '\0' && text[strlen(text) - 1] == '.' ? "" : ".");
  }
  (*n)++;
}

/** Warnings of all fits, each said once. */
static void add_warnings(pf_text *page, const seen_fits *seen, size_t *n)
{
  for (size_t u = 0; u < json_array_size(seen->inference); u++) {
    const json_t *list = json_object_get(json_array_get(seen->inference, u), "warnings");
    for (size_t i = 0; i < json_array_size(list) && u == 0; i++) {
      const char *text = json_string_value(json_array_get(list, i));
      char first[400];
      (void)snprintf(first, sizeof first, "%.380s", text != NULL ? text : "");
      if (first[0] >= 'a' && first[0] <= 'z') {
        first[0] = (char)(first[0] - 'a' + 'A');
      }
      add_doubt(page, n, first);
    }
  }
}

static void write_doubts(pf_text *page, const seen_fits *seen)
{
  char text[300];
  size_t n = 0;
  begin_line(page, "What to doubt.");
  if (seen->n_bad > 0) {
    (void)snprintf(text, sizeof text, "%zu of %zu %s no claim", seen->n_bad, seen->n_units,
                   seen->n_bad == 1 ? "fits supports" : "fits support");
    add_doubt(page, &n, text);
  }
  if (seen->n_identified < seen->n_values) {
    (void)snprintf(text, sizeof text,
                   "%.0f coefficients are not identified: their estimates mean nothing alone",
                   seen->n_values - seen->n_identified);
    add_doubt(page, &n, text);
  }
  if (seen->in_sample) {
    add_doubt(page, &n, "The scores are in sample: more terms always score better there");
  }
  const json_t *agree = json_object_get(json_array_get(seen->inference, 0), "animals_agree");
  if (pf_result_number(agree, "p") < 0.05) {
    (void)snprintf(text, sizeof text,
                   "The animals differ (p = %.2g): one rule for all is their mean at best",
                   pf_result_number(agree, "p"));
    add_doubt(page, &n, text);
  }
  const json_t *mean = json_object_get(seen->summary, "mean");
  if (json_is_true(json_object_get(mean, "residuals_are_correlated"))) {
    (void)snprintf(text, sizeof text,
                   "What the model leaves unexplained lasts from step to step (correlation %.2f): "
                   "something is missing in it, and its intervals are too short",
                   pf_result_number(mean, "residual_correlation"));
    add_doubt(page, &n, text);
  }
  add_warnings(page, seen, &n);
  if (n == 0) {
    pf_text_add(page, "Nothing was found that speaks against it.");
  }
  end_line(page);
}

static void write_next(pf_text *page, const seen_fits *seen)
{
  const char *next = "Compare it with other rules: plastfit compare.";
  if (seen->n_bad > 0) {
    next = "Run plastfit check on the config: it says what the data cannot tell apart. Then fit "
           "again with fewer terms, or with more starts (fit.starts) and iterations "
           "(fit.iterations).";
  } else if (seen->no_intervals && seen->fixed_passes) {
    next = "Fit with fit.optimiser=lm: it stops at an optimum, and intervals come with it.";
  } else if (seen->n_identified < seen->n_values) {
    next = "Take out a term of those that the data cannot tell apart (listed under How sure), or "
           "fix it; or record what tells them apart.";
  } else if (seen->in_sample) {
    next = "Score it on blocks or animals that no fit has seen, against other rules: plastfit "
           "compare.";
  }
  begin_line(page, "What to do next.");
  pf_text_add(page, "%s", next);
  end_line(page);
}

void pf_html_verdict(pf_text *page, const json_t *summary)
{
  const seen_fits seen = see_fits(summary);
  pf_text_add(page, "<div class=\"verdict\" role=\"region\" aria-label=\"Verdict\">\n");
  write_found(page, &seen);
  write_surety(page, &seen);
  write_prediction(page, &seen);
  write_doubts(page, &seen);
  write_next(page, &seen);
  pf_text_add(page, "</div>\n");
}
