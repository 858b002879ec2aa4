/* The page of a comparison, from its summary.json: the line of plain words, a table and figures for
 * each validation. */
#include "core/page/html_compare.h"
#include "core/base/memory.h"
#include "core/figures/figure_folder.h"
#include "core/figures/result_folder.h"
#include "core/page/html_select.h"

#include <ctype.h>
#include <string.h>

typedef struct comparison {
  const char *folder;
  json_t *summary;
  const json_t *candidates;
  size_t n;         /**< candidates */
  size_t n_animals; /**< of the comparison */
  const char **names;
  double *room; /**< [6][n * n_animals] */
  pf_figures *figures;
} comparison;

static const json_t *candidate_at(const comparison *c, size_t i)
{
  return json_array_get(c->candidates, i);
}

/** What a candidate got in a validation. */
static const json_t *figures_of(const comparison *c, size_t i, const char *validation)
{
  return json_object_get(json_object_get(candidate_at(c, i), "validations"), validation);
}

static double animal_score(const comparison *c, size_t i, const char *validation, size_t animal)
{
  const json_t *value =
      json_array_get(json_object_get(figures_of(c, i, validation), "per_animal"), animal);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* ---- figures ---- */

/** Each animal a line over the candidates; means with their intervals on top. */
static void draw_paired(const comparison *c, pf_figure *figure, const char *validation)
{
  double *const room = c->room;
  const size_t n = c->n;
  pf_panel *panel = pf_figure_panel(figure, (pf_axes){.x = {.ticks = c->names, .n_ticks = n},
                                                      .y = {.label = "log likelihood per choice"}});
  for (size_t a = 0; a < c->n_animals; a++) {
    for (size_t i = 0; i < n; i++) {
      room[i] = animal_score(c, i, validation, a);
    }
    pf_panel_line(panel,
                  (pf_mark){.colour = PF_PALE, .width = 1.0, .label = a == 0 ? "one animal" : NULL},
                  NULL, room, n);
  }
  for (size_t i = 0; i < n; i++) {
    const json_t *score =
        json_object_get(figures_of(c, i, validation), "log_likelihood_per_observation");
    room[i] = pf_result_number(score, "value");
    room[n + i] = pf_result_number(score, "low");
    room[2 * n + i] = pf_result_number(score, "high");
  }
  pf_panel_intervals(
      panel,
      (pf_mark){.colour = PF_BLUE, .size = 1.5, .width = 2.0, .label = "mean, 95 % interval"},
      (pf_intervals){NULL, room, room + n, room + 2 * n, n});
}

/** Differences from the base, animal by animal. */
static void draw_differences(const comparison *c, pf_figure *figure, const char *validation)
{
  const char *base_name = pf_result_string(c->summary, "base");
  const size_t n = c->n;
  size_t base = 0;
  while (base < n && strcmp(c->names[base], base_name) != 0) {
    base++;
  }
  if (base == n || n < 2) {
    return;
  }
  char label[200];
  (void)snprintf(label, sizeof label, "difference from %.100s", base_name);
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.x = {.ticks = c->names, .n_ticks = n}, .y = {.label = label}});
  pf_panel_horizontal(panel, (pf_mark){.colour = PF_GREY}, 0.0);
  double *x = c->room;
  double *y = c->room + n * c->n_animals;
  size_t points = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t a = 0; i != base && a < c->n_animals; a++) {
      x[points] = (double)i +
                  (c->n_animals > 1 ? ((double)a / (double)(c->n_animals - 1) - 0.5) * 0.4 : 0.0);
      y[points++] = animal_score(c, i, validation, a) - animal_score(c, base, validation, a);
    }
  }
  pf_panel_points(panel,
                  (pf_mark){.colour = PF_GREY, .size = 0.8, .opacity = 0.7, .label = "one animal"},
                  x, y, points);
  double *low = c->room + 2 * n * c->n_animals;
  double *high = c->room + 3 * n * c->n_animals;
  for (size_t i = 0; i < n; i++) {
    const json_t *difference = json_object_get(
        json_object_get(figures_of(c, i, validation), "against_base"), "difference");
    y[i] = pf_result_number(difference, "value");
    low[i] = pf_result_number(difference, "low");
    high[i] = pf_result_number(difference, "high");
  }
  pf_panel_intervals(
      panel,
      (pf_mark){.colour = PF_VERMILLION, .size = 1.5, .width = 2.0, .label = "mean, 95 % interval"},
      (pf_intervals){NULL, y, low, high, n});
}

static bool is_held_out(const json_t *validation)
{
  return json_is_true(json_object_get(validation, "held_out"));
}

/** "held-out-forecast", "in-sample-...": names of figures and of the sections they stand in. */
static void figure_name(const json_t *validation, const char *what, char *out, size_t capacity)
{
  (void)snprintf(out, capacity, "%s-%s", what, pf_result_string(validation, "name"));
}

static void draw_validation(const comparison *c, const json_t *validation)
{
  char name[80];
  char caption[400];
  const char *of = pf_result_string(validation, "name");
  figure_name(validation, "scores", name, sizeof name);
  (void)snprintf(caption, sizeof caption,
                 "%.40s (%s): left, the score of every animal under each candidate, joined by a "
                 "line; right, what each candidate adds to the base, animal by animal. Intervals: "
                 "bootstrap over animals.",
                 of, is_held_out(validation) ? "held out" : "in sample: not held out");
  pf_figure *figure = pf_figures_add(c->figures, name,
                                     (pf_figure_look){.caption = caption,
                                                      .columns = c->n > 6 ? 1 : 2,
                                                      .panel_width = c->n > 6 ? 900 : 450,
                                                      .panel_height = 340});
  draw_paired(c, figure, of);
  draw_differences(c, figure, of);
}

/** Means of every validation side by side: what scoring in sample adds, and to whom. */
static void draw_validations(const comparison *c, const json_t *validations)
{
  const size_t n_validations = json_array_size(validations);
  if (n_validations < 2) {
    return;
  }
  pf_figure *figure =
      pf_figures_add(c->figures, "validations",
                     (pf_figure_look){.caption = "The same candidates scored in different ways. "
                                                 "Where a candidate is better in sample only, "
                                                 "what it gained was luck.",
                                      .columns = 1,
                                      .panel_width = 900,
                                      .panel_height = 320});
  pf_panel *panel = pf_figure_panel(figure, (pf_axes){.x = {.ticks = c->names, .n_ticks = c->n},
                                                      .y = {.label = "log likelihood per choice"},
                                                      .legend_outside = true});
  for (size_t v = 0; v < n_validations; v++) {
    const char *of = pf_result_string(json_array_get(validations, v), "name");
    double *x = c->room;
    double *y = c->room + c->n;
    double *low = c->room + 2 * c->n;
    double *high = c->room + 3 * c->n;
    for (size_t i = 0; i < c->n; i++) {
      const json_t *score = json_object_get(figures_of(c, i, of), "log_likelihood_per_observation");
      x[i] = (double)i + ((double)v - 0.5 * (double)(n_validations - 1)) * 0.12;
      y[i] = pf_result_number(score, "value");
      low[i] = pf_result_number(score, "low");
      high[i] = pf_result_number(score, "high");
    }
    pf_panel_intervals(panel,
                       (pf_mark){.colour = (int)(v % PF_N_SERIES_COLOURS),
                                 .label = of,
                                 .size = 1.2,
                                 .hollow = !is_held_out(json_array_get(validations, v))},
                       (pf_intervals){x, y, low, high, c->n});
  }
}

static void draw_ablations(const comparison *c, const json_t *validation)
{
  static const char *const letters[] = {"F", "T", "W", "N"};
  static const char *const words[] = {"F: everything", "T: theta, fresh weights",
                                      "W: weights, no plasticity", "N: no rule"};
  char name[80];
  const char *of = pf_result_string(validation, "name");
  figure_name(validation, "ablations", name, sizeof name);
  pf_figure *figure = NULL;
  pf_panel *panel = NULL;
  for (size_t i = 0; i < c->n; i++) {
    const json_t *ablations = json_object_get(figures_of(c, i, of), "ablations");
    if (!json_is_object(ablations)) {
      continue;
    }
    if (figure == NULL) {
      figure = pf_figures_add(
          c->figures, name,
          (pf_figure_look){
              .caption = "What the held-out prediction rests on: everything (F); theta alone, "
                         "the weights starting fresh at the split (T); weights alone, "
                         "plasticity stopped at the split (W); neither (N). Means over animals.",
              .panel_width = 900,
              .columns = 1,
              .panel_height = 300});
      panel = pf_figure_panel(figure, (pf_axes){.x = {.ticks = words, .n_ticks = 4},
                                                .y = {.label = "log likelihood per choice"},
                                                .legend_outside = true});
    }
    double y[4];
    for (size_t k = 0; k < 4; k++) {
      y[k] = pf_result_number(ablations, letters[k]);
    }
    pf_panel_line(panel, (pf_mark){.colour = (int)(i % PF_N_SERIES_COLOURS), .label = c->names[i]},
                  NULL, y, 4);
    pf_panel_points(panel, (pf_mark){.colour = (int)(i % PF_N_SERIES_COLOURS)}, NULL, y, 4);
  }
}

/* ---- tables ---- */

static void interval_cell(pf_text *page, const json_t *interval)
{
  const double value = pf_result_number(interval, "value");
  const double low = pf_result_number(interval, "low");
  if (isnan(value) || isnan(low)) {
    pf_page_number(page, value);
  } else {
    pf_text_add(page, "<td class=\"n\">%.3g<br><small>%.3g, %.3g</small></td>", value, low,
                pf_result_number(interval, "high"));
  }
}

static void candidate_row(pf_text *page, const comparison *c, size_t i, const char *validation)
{
  const json_t *one = candidate_at(c, i);
  const json_t *figures = figures_of(c, i, validation);
  const json_t *explained = json_object_get(figures, "deviance_explained");
  const json_t *against = json_object_get(figures, "against_base");
  pf_page_row(page);
  pf_page_cell(page, c->names[i]);
  pf_page_cell(page, pf_result_string(one, "rule"));
  pf_page_number(page, pf_result_number(one, "n_parameters"));
  pf_page_cell(page, pf_result_string(figures, "status"));
  interval_cell(page, json_object_get(figures, "log_likelihood_per_observation"));
  pf_page_number(page, pf_result_number(figures, "median"));
  interval_cell(page, json_object_get(explained, "no_plasticity"));
  interval_cell(page, json_object_get(explained, "mean_rate"));
  if (json_is_object(against)) {
    interval_cell(page, json_object_get(against, "difference"));
    pf_text_add(page, "<td class=\"n\">%.0f of %.0f</td><td class=\"n\">%.0f</td>",
                pf_result_number(against, "n_better"), pf_result_number(against, "n_pairs"),
                pf_result_number(against, "n_ties"));
    pf_page_number(page, pf_result_number(against, "p"));
    pf_page_number(page, pf_result_number(against, "p_holm"));
  } else {
    pf_text_add(page, "<td>base</td><td></td><td></td><td></td><td></td>");
  }
  interval_cell(page, json_object_get(figures, "against_best"));
  pf_page_number(page, pf_result_number(one, "aic"));
  pf_page_number(page, pf_result_number(one, "bic"));
}

/** Models without synapses, and the base against them. */
static void baseline_rows(pf_text *page, const comparison *c, const char *validation)
{
  const json_t *of = json_object_get(json_object_get(c->summary, "baselines"), validation);
  static const struct {
    const char *key, *name;
  } all[] = {{"win_stay_lose_shift", "win-stay-lose-shift"},
             {"logistic_history", "logistic history"}};
  for (size_t b = 0; b < sizeof all / sizeof all[0]; b++) {
    const json_t *one = json_object_get(of, all[b].key);
    if (one == NULL) {
      continue;
    }
    pf_page_row(page);
    pf_page_cell(page, all[b].name);
    pf_text_add(page, "<td>baseline</td><td></td><td></td>");
    interval_cell(page, json_object_get(one, "log_likelihood_per_observation"));
    pf_text_add(page,
                "<td colspan=\"11\">the base is better in %.0f of %.0f animals, p = %.2g "
                "(Holm over the baselines)</td>",
                pf_result_number(one, "n_base_better"), pf_result_number(one, "n_pairs"),
                pf_result_number(one, "p_holm"));
  }
}

static void validation_table(pf_text *page, const comparison *c, const json_t *validation)
{
  static const char *const columns[] = {"candidate",
                                        "rule",
                                        "free parameters",
                                        "fits",
                                        "log likelihood per choice",
                                        "its median",
                                        "deviance explained, %: no plasticity",
                                        "mean rate",
                                        "against the base",
                                        "better in",
                                        "ties",
                                        "p",
                                        "p, Holm",
                                        "against the best",
                                        "AIC",
                                        "BIC"};
  pf_page_table_of_numbers(page, columns, sizeof columns / sizeof columns[0], 2);
  for (size_t i = 0; i < c->n; i++) {
    candidate_row(page, c, i, pf_result_string(validation, "name"));
  }
  baseline_rows(page, c, pf_result_string(validation, "name"));
  pf_page_table_end(page);
}

static void animals_table(pf_text *page, const comparison *c, const json_t *validation)
{
  const json_t *animals = json_object_get(c->summary, "animals");
  pf_page_fold(page, "Each animal: log likelihood per choice");
  pf_text_add(page, "<div class=\"wide\"><table>\n<tr><th scope=\"col\">animal</th>");
  for (size_t i = 0; i < c->n; i++) {
    pf_text_add(page, "<th scope=\"col\" class=\"n\">");
    pf_page_text(page, c->names[i]);
    pf_text_add(page, "</th>");
  }
  pf_text_add(page, "\n");
  for (size_t a = 0; a < c->n_animals; a++) {
    pf_page_row(page);
    pf_page_cell(page, json_string_value(json_array_get(animals, a)));
    for (size_t i = 0; i < c->n; i++) {
      pf_page_number(page, animal_score(c, i, pf_result_string(validation, "name"), a));
    }
  }
  pf_page_table_end(page);
  pf_page_fold_end(page);
}

/* ---- the page ---- */

static void write_validation(pf_text *page, const comparison *c, const json_t *validation)
{
  char text[200];
  char prefix[80];
  (void)snprintf(text, sizeof text, "%.60s%s", pf_result_string(validation, "name"),
                 is_held_out(validation) ? ": held out" : "");
  pf_page_heading(page, text,
                  is_held_out(validation) ? NULL : "In sample: the fit has seen these choices.");
  if (json_is_true(json_object_get(validation, "pooled"))) {
    pf_page_paragraph(page, "Some animals have few scored observations, so means are of all "
                            "animals' observations together.");
  }
  validation_table(page, c, validation);
  figure_name(validation, "scores", prefix, sizeof prefix);
  (void)pf_page_figures(page, c->figures, prefix, 1);
  figure_name(validation, "ablations", prefix, sizeof prefix);
  (void)pf_page_figures(page, c->figures, prefix, 1);
  animals_table(page, c, validation);
}

/** Where the sentence ends that begins here: after a stop, before a capital, a name in quotes, or
 * "p:". */
static size_t sentence_length(const char *text)
{
  size_t n = 0;
  while (text[n] != '\0') {
    const bool stops = text[n] == '.' && text[n + 1] == ' ';
    if (stops && (isupper((unsigned char)text[n + 2]) || strchr("'p", text[n + 2]) != NULL)) {
      return n + 1;
    }
    n++;
  }
  return n;
}

/** The conclusion, a point for each sentence. */
static void write_conclusion(pf_text *page, const char *words)
{
  pf_text_add(page, "<div class=\"verdict\" role=\"region\" aria-label=\"Conclusion\">\n"
                    "<p><b>What was found.</b></p>\n<ul>\n");
  while (*words != '\0') {
    char sentence[2000];
    const size_t n = sentence_length(words);
    (void)snprintf(sentence, sizeof sentence, "%.*s", (int)n, words);
    pf_text_add(page, "<li>");
    pf_page_text(page, sentence);
    pf_text_add(page, "</li>\n");
    words += n;
    words += strspn(words, " \n");
  }
  pf_text_add(page, "</ul>\n</div>\n");
}

static void write_page(pf_text *page, const comparison *c, const json_t *validations)
{
  char text[700];
  const char *name = pf_result_string(c->summary, "name");
  pf_page_begin(page, name[0] != '\0' ? name : "comparison");
  write_conclusion(page, pf_result_string(c->summary, "words"));
  (void)snprintf(text, sizeof text,
                 "%zu candidates on %zu %s. p: exact paired Wilcoxon test against the base "
                 "(%.100s), Holm-corrected over the candidates; against the best there is an "
                 "interval only, since it was picked by the same figures. Intervals: 95 %%, "
                 "bootstrap over animals. Nulls: the same network without plasticity, and a "
                 "constant prediction, both from the fitted steps.",
                 c->n, c->n_animals, c->n_animals == 1 ? "animal" : "animals",
                 pf_result_string(c->summary, "base"));
  pf_page_paragraph(page, text);
  (void)snprintf(text, sizeof text, "AIC and BIC: %.600s.",
                 pf_result_string(c->summary, "information_criteria"));
  pf_page_paragraph(page, text);
  pf_page_config(page, c->folder);
  for (int pass = 0; pass < 2; pass++) { /* what counts comes first */
    for (size_t v = 0; v < json_array_size(validations); v++) {
      if (is_held_out(json_array_get(validations, v)) == (pass == 0)) {
        write_validation(page, c, json_array_get(validations, v));
      }
    }
  }
  if (json_array_size(validations) > 1) {
    pf_page_heading(page, "In sample and held out", NULL);
    (void)pf_page_figures(page, c->figures, "validations", 1);
  }
  pf_html_write_selection(page, c->summary, c->figures);
  pf_page_end(page);
}

static pf_status prepare_comparison(comparison *c, pf_error *error)
{
  c->candidates = json_object_get(c->summary, "candidates");
  c->n = json_array_size(c->candidates);
  c->n_animals = json_array_size(json_object_get(c->summary, "animals"));
  c->names = pf_memory_need(c->n, sizeof *c->names, error);
  c->room = pf_memory_need(6 * c->n * (c->n_animals + 1), sizeof *c->room, error);
  c->figures = pf_figures_new(error);
  for (size_t i = 0; c->names != NULL && i < c->n; i++) {
    c->names[i] = pf_result_string(candidate_at(c, i), "name");
  }
  return c->names != NULL && c->room != NULL && c->figures != NULL ? PF_OK : PF_STOP;
}

pf_status pf_html_compare(const char *folder, pf_text *page, pf_error *error)
{
  comparison c = {.folder = folder, .summary = pf_result_json(folder, "summary.json", error)};
  if (c.summary == NULL) {
    return PF_STOP;
  }
  const json_t *validations = json_object_get(c.summary, "validations");
  pf_status status = prepare_comparison(&c, error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t v = 0; v < json_array_size(validations); v++) {
    draw_validation(&c, json_array_get(validations, v));
    draw_ablations(&c, json_array_get(validations, v));
  }
  draw_validations(&c, validations);
  status = pf_html_plot_selection(c.summary, c.figures, error);
  if (status != PF_OK) {
    goto done;
  }
  status = pf_figure_folder_draw(folder, c.figures, error);
  if (status != PF_OK) {
    goto done;
  }
  write_page(page, &c, validations);
done:
  pf_memory_free((void *)c.names);
  pf_memory_free(c.room);
  pf_figures_free(c.figures);
  json_decref(c.summary);
  return status;
}
