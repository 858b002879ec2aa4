/* The part of a comparison's page about the selection of terms: its paths in a figure, and a table
 * of them. */
#include "core/page/html_select.h"
#include "core/base/memory.h"
#include "core/figures/result_folder.h"

static const struct path {
  const char *name, *words;
  int colour;
} paths[] = {{"forward", "forward", PF_BLUE},
             {"backward", "backward", PF_VERMILLION},
             {"l1", "L1", PF_GREEN}};
enum { N_PATHS = sizeof paths / sizeof paths[0] };

static const json_t *path_of(const json_t *selection, size_t k)
{
  return json_object_get(json_object_get(selection, "paths"), paths[k].name);
}

/** room: [4 n]. Points a little apart, so that intervals of two paths at the same number of terms
 * can be seen. */
static void draw_path(pf_panel *panel, const json_t *sets, size_t k, double *room)
{
  const size_t n = json_array_size(sets);
  double *x = room, *y = room + n, *low = room + 2 * n, *high = room + 3 * n;
  const double apart = 0.08 * ((double)k - 1.0);
  double best_x = NAN, best_y = NAN;
  for (size_t i = 0; i < n; i++) {
    const json_t *set = json_array_get(sets, i);
    const json_t *score = json_object_get(set, "log_likelihood_per_observation");
    x[i] = pf_result_number(set, "n_terms") + apart;
    y[i] = pf_result_number(score, "value");
    low[i] = pf_result_number(score, "low");
    high[i] = pf_result_number(score, "high");
    if (json_is_true(json_object_get(set, "chosen"))) {
      best_x = x[i];
      best_y = y[i];
    }
  }
  pf_panel_intervals(panel, (pf_mark){.colour = paths[k].colour, .opacity = 0.5},
                     (pf_intervals){x, y, low, high, n});
  pf_panel_line(panel, (pf_mark){.colour = paths[k].colour, .label = paths[k].words}, x, y, n);
  pf_panel_points(panel, (pf_mark){.colour = paths[k].colour, .size = 2.5, .hollow = true}, &best_x,
                  &best_y, 1);
}

pf_status pf_html_plot_selection(const json_t *summary, pf_figures *figures, pf_error *error)
{
  const json_t *selection = json_object_get(summary, "selection");
  if (!json_is_object(selection)) {
    return PF_OK;
  }
  pf_figure *figure = pf_figures_add(
      figures, "selection",
      (pf_figure_look){
          .caption = "Score on held-out steps of the sets of terms that each path took, from no "
                     "term (forward), from all (backward), and with all under growing L1 "
                     "penalties; rings: what was chosen. Intervals: bootstrap over animals. The "
                     "best was picked by these scores.",
          .columns = 1,
          .panel_width = 900,
          .panel_height = 340});
  pf_panel *panel = pf_figure_panel(figure, (pf_axes){.x = {.label = "terms"},
                                                      .y = {.label = "log likelihood per choice"},
                                                      .legend_outside = true});
  for (size_t k = 0; k < N_PATHS; k++) {
    const json_t *sets = path_of(selection, k);
    double *room = pf_memory_need(4 * json_array_size(sets), sizeof *room, error);
    if (room == NULL) {
      return PF_STOP;
    }
    if (json_array_size(sets) > 0) {
      draw_path(panel, sets, k, room);
    }
    pf_memory_free(room);
  }
  return PF_OK;
}

void pf_html_write_selection(pf_text *page, const json_t *summary, const pf_figures *figures)
{
  static const char *const columns[] = {"path", "round", "terms", "", "log likelihood per choice",
                                        "low",  "high"};
  const json_t *selection = json_object_get(summary, "selection");
  char text[300];
  if (!json_is_object(selection)) {
    return;
  }
  (void)snprintf(text, sizeof text,
                 "Which of the %.0f terms of %.100s do the data ask for? Scored on held-out steps "
                 "(%.40s). The score of a chosen set is too good, since it was picked by it.",
                 pf_result_number(selection, "n_terms"), pf_result_string(selection, "rule"),
                 pf_result_string(selection, "validation"));
  pf_page_heading(page, "Selection of terms", text);
  (void)pf_page_figures(page, figures, "selection", 1);
  pf_page_table(page, columns, sizeof columns / sizeof columns[0]);
  for (size_t k = 0; k < N_PATHS; k++) {
    const json_t *sets = path_of(selection, k);
    for (size_t i = 0; i < json_array_size(sets); i++) {
      const json_t *set = json_array_get(sets, i);
      const json_t *score = json_object_get(set, "log_likelihood_per_observation");
      pf_page_row(page);
      (void)snprintf(text, sizeof text, "%s%s%s", paths[k].words,
                     json_is_true(json_object_get(set, "best")) ? ", best" : "",
                     json_is_true(json_object_get(set, "chosen")) ? ", chosen" : "");
      pf_page_cell(page, text);
      pf_page_cell(page, pf_result_string(set, "change"));
      pf_page_number(page, pf_result_number(set, "n_terms"));
      pf_page_cell(page, pf_result_string(set, "terms"));
      pf_page_number(page, pf_result_number(score, "value"));
      pf_page_number(page, pf_result_number(score, "low"));
      pf_page_number(page, pf_result_number(score, "high"));
    }
  }
  pf_page_table_end(page);
}
