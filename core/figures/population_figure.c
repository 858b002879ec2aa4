/* What animals share, from population.csv and animals.csv: each animal's own estimate against the
 * one that is drawn towards the mean. */
#include "core/base/memory.h"
#include "core/figures/result_folder.h"
#include "core/figures/run_figure.h"

#include <math.h>
#include <string.h>

/* Rows of animals.csv of one coefficient. */
typedef struct estimates {
  double *alone, *drawn, *low, *high; /* [n] */
  size_t n;
} estimates;

static bool is_same(const pf_sheet *a, size_t i, const pf_sheet *b, size_t k)
{
  static const char *const keys[] = {"owner", "name"};
  for (size_t c = 0; c < sizeof keys / sizeof keys[0]; c++) {
    if (strcmp(pf_sheet_text(a, i, pf_sheet_column(a, keys[c])),
               pf_sheet_text(b, k, pf_sheet_column(b, keys[c]))) != 0) {
      return false;
    }
  }
  return true;
}

static void read_estimates(const pf_run_data *run, size_t coefficient, estimates *to)
{
  const pf_sheet *s = run->animals;
  to->n = 0;
  for (size_t i = 0; i < s->n_rows; i++) {
    if (!is_same(run->population, coefficient, s, i)) {
      continue;
    }
    to->alone[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "alone"));
    to->drawn[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "estimate"));
    to->low[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "lower"));
    to->high[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "upper"));
    to->n++;
  }
}

static void plot_coefficient(pf_figure *figure, const pf_run_data *run, size_t row,
                             const estimates *of)
{
  const pf_sheet *s = run->population;
  double ends[2] = {INFINITY, -INFINITY};
  for (size_t a = 0; a < of->n; a++) {
    if (isfinite(of->alone[a])) {
      ends[0] = fmin(ends[0], of->alone[a]);
      ends[1] = fmax(ends[1], of->alone[a]);
    }
  }
  pf_panel *panel =
      pf_figure_panel(figure, (pf_axes){.title = pf_sheet_text(s, row, pf_sheet_column(s, "label")),
                                        .x = {.label = "from its own data alone"},
                                        .y = {.label = "drawn towards the mean"},
                                        .no_legend = true});
  if (ends[0] < ends[1]) {
    pf_panel_line(panel, (pf_mark){.colour = PF_GREY, .dashed = true}, ends, ends, 2);
  }
  pf_panel_horizontal(panel, (pf_mark){.colour = PF_ORANGE},
                      pf_sheet_number(s, row, pf_sheet_column(s, "mean")));
  pf_panel_intervals(panel, (pf_mark){.colour = PF_BLUE},
                     (pf_intervals){of->alone, of->drawn, of->low, of->high, of->n});
}

pf_status pf_plot_population(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *s = run->population;
  if (s == NULL || run->animals == NULL || run->animals->n_rows == 0) {
    return PF_OK;
  }
  const size_t n = run->animals->n_rows;
  double *memory = pf_memory_need(4 * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  estimates of = {memory, memory + n, memory + 2 * n, memory + 3 * n, 0};
  pf_figure *figure = pf_figures_add(
      figures, "population",
      (pf_figure_look){
          .caption =
              "Each point is an animal: across, the coefficient that its own data have (the "
              "maximum of its parabola); upwards, its estimate drawn towards the mean of the "
              "population (orange), with its interval. On the dashed line nothing is drawn "
              "towards the mean; on the orange line animals do not differ."});
  size_t n_panels = 0;
  for (size_t i = 0; i < s->n_rows && n_panels < PF_MAX_COEFFICIENTS_DRAWN; i++) {
    const char *scale = pf_sheet_text(s, i, pf_sheet_column(s, "scale"));
    const bool is_drawn = !isnan(pf_sheet_number(s, i, pf_sheet_column(s, "difference_p")));
    if (!is_drawn ||
        strcmp(scale, "natural") != 0) { /* the mean of another scale is no line here */
      continue;
    }
    read_estimates(run, i, &of);
    plot_coefficient(figure, run, i, &of);
    n_panels++;
  }
  pf_memory_free(memory);
  return PF_OK;
}
