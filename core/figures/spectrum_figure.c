/* The spectrum of the Fisher information, from spectrum.csv: eigenvalues, and what each direction
 * is made of. */
#include "core/base/memory.h"
#include "core/figures/result_folder.h"
#include "core/figures/run_figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIRECTIONS = 40, MAX_SERIES = 8 };

typedef struct columns {
  size_t unit, owner, name, animal, experiment, direction, eigenvalue, share;
} columns;

/* What does not count as more than 0 stands here on the logarithmic axis. */
static const double floor_of_axis = 1e-18;

static bool same_text(const pf_sheet *s, size_t a, size_t b, size_t column)
{
  return strcmp(pf_sheet_text(s, a, column), pf_sheet_text(s, b, column)) == 0;
}

/** Rows of the unit that row `first` is of. */
static size_t rows_of_unit(const pf_sheet *s, const columns *c, size_t first)
{
  size_t n = 0;
  while (first + n < s->n_rows && same_text(s, first, first + n, c->unit)) {
    n++;
  }
  return n;
}

/** x: number of the direction, y: its eigenvalue; how many. */
static size_t read_eigenvalues(const pf_sheet *s, const columns *c, size_t first, size_t n_rows,
                               double *x, double *y)
{
  size_t n = 0;
  for (size_t i = first; i < first + n_rows; i++) {
    const double direction = pf_sheet_number(s, i, c->direction);
    if (n == 0 || direction != x[n - 1]) {
      x[n] = direction;
      y[n] = fmax(pf_sheet_number(s, i, c->eigenvalue), floor_of_axis);
      n++;
    }
  }
  return n;
}

/** Values in the order in which they first come; labels: [MAX_DIRECTIONS]. MAX_DIRECTIONS where
 * there is no room. */
static size_t place_value(const pf_sheet *s, const columns *c, size_t row, size_t *first_rows,
                          pf_value_label *labels, size_t *n)
{
  for (size_t k = 0; k < *n; k++) {
    if (same_text(s, row, first_rows[k], c->owner) && same_text(s, row, first_rows[k], c->name) &&
        same_text(s, row, first_rows[k], c->animal) &&
        same_text(s, row, first_rows[k], c->experiment)) {
      return k;
    }
  }
  if (*n == MAX_DIRECTIONS) {
    return MAX_DIRECTIONS;
  }
  first_rows[*n] = row;
  labels[*n] = pf_label_of_value(s, row);
  return (*n)++;
}

/** Rows: directions, the least determined at the top; columns: values. Nothing where there are too
 * many to be read. */
static pf_status draw_directions(pf_figure *figure, const pf_sheet *s, const columns *c,
                                 size_t n_rows, size_t n, pf_error *error)
{
  pf_value_label labels[MAX_DIRECTIONS];
  const char *ticks[MAX_DIRECTIONS];
  size_t first_rows[MAX_DIRECTIONS], n_values = 0;
  if (n > MAX_DIRECTIONS) {
    return PF_OK;
  }
  double *cells = pf_memory_need(n * MAX_DIRECTIONS, sizeof *cells, error);
  double *dense = pf_memory_need(n * MAX_DIRECTIONS, sizeof *dense, error);
  if (cells != NULL && dense != NULL) {
    for (size_t i = 0; i < n_rows; i++) {
      const size_t k = place_value(s, c, i, first_rows, labels, &n_values);
      const size_t d = (size_t)pf_sheet_number(s, i, c->direction) - 1;
      if (k < MAX_DIRECTIONS && d < n) {
        cells[d * MAX_DIRECTIONS + k] = pf_sheet_number(s, i, c->share);
      }
    }
    for (size_t d = 0; d < n; d++) {
      memcpy(dense + d * n_values, cells + d * MAX_DIRECTIONS, n_values * sizeof *dense);
    }
    for (size_t k = 0; k < n_values; k++) {
      ticks[k] = labels[k].text;
    }
    char numbers[MAX_DIRECTIONS][8];
    const char *rows[MAX_DIRECTIONS];
    for (size_t d = 0; d < n; d++) {
      (void)snprintf(numbers[d], sizeof numbers[d], "%zu", d + 1);
      rows[d] = n <= 20 || d % 2 == 0 ? numbers[d] : "";
    }
    pf_panel *panel =
        pf_figure_panel(figure, (pf_axes){.title = "what each direction is made of",
                                          .x = {.ticks = ticks, .n_ticks = n_values},
                                          .y = {.label = "direction, least determined on top",
                                                .ticks = rows,
                                                .n_ticks = n}});
    pf_panel_heat(panel, (pf_heat){dense, n, n_values, -1.0, 1.0, true, "share"});
  }
  const pf_status status = cells == NULL || dense == NULL ? PF_STOP : PF_OK;
  pf_memory_free(cells);
  pf_memory_free(dense);
  return status;
}

/** Directions of all fits whose eigenvalue is not above the line. */
static size_t count_free(const pf_sheet *s, const columns *c, double line)
{
  size_t n = 0;
  for (size_t i = 0; i < s->n_rows; i++) {
    const bool is_next =
        i == 0 || !same_text(s, i, i - 1, c->unit) || !same_text(s, i, i - 1, c->direction);
    n += is_next && !(pf_sheet_number(s, i, c->eigenvalue) > line) ? 1 : 0;
  }
  return n;
}

/** The figure, with the panel of eigenvalues and the line below which directions are free. */
static pf_figure *begin_figure(pf_figures *figures, const pf_sheet *s, const columns *c,
                               double line, pf_panel **panel)
{
  const size_t n_free = count_free(s, c, line);
  char found[80] = "Here no direction is free.";
  if (n_free > 0) {
    (void)snprintf(found, sizeof found, "Here %zu %s free.", n_free,
                   n_free == 1 ? "direction is" : "directions are");
  }
  char caption[600];
  (void)snprintf(caption, sizeof caption,
                 "What the data determine: eigenvalues of the Fisher information, scaled so that "
                 "each coefficient alone has 1. Directions below %.2g are free: nothing in the "
                 "data changes along them. %s Right: the directions of the first fit in terms "
                 "of its coefficients.",
                 line, found);
  pf_figure *figure = pf_figures_add(
      figures, "spectrum", (pf_figure_look){.caption = caption, .columns = 2, .panel_height = 340});
  *panel = pf_figure_panel(figure, (pf_axes){.x = {.label = "direction", .is_whole = true},
                                             .y = {.label = "eigenvalue", .logarithmic = true}});
  if (n_free > 0) {
    pf_panel_horizontal(
        *panel, (pf_mark){.colour = PF_BLACK, .dashed = true, .label = "below: free"}, line);
  }
  return figure;
}

pf_status pf_plot_spectrum(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *s = run->spectrum;
  if (s == NULL || s->n_rows == 0) {
    return PF_OK;
  }
  const double rank_tolerance =
      pf_result_number(json_object_get(run->summary, "inference"), "rank_tolerance");
  const columns c = {.unit = pf_sheet_column(s, "unit"),
                     .owner = pf_sheet_column(s, "owner"),
                     .name = pf_sheet_column(s, "name"),
                     .animal = pf_sheet_column(s, "animal"),
                     .experiment = pf_sheet_column(s, "experiment"),
                     .direction = pf_sheet_column(s, "direction"),
                     .eigenvalue = pf_sheet_column(s, "eigenvalue"),
                     .share = pf_sheet_column(s, "share")};
  double *x = pf_memory_need(s->n_rows, sizeof *x, error);
  double *y = pf_memory_need(s->n_rows, sizeof *y, error);
  pf_status status = x == NULL || y == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_panel *panel = NULL;
    pf_figure *figure = begin_figure(figures, s, &c, fmax(rank_tolerance, floor_of_axis), &panel);
    size_t n_first = 0, unit = 0;
    for (size_t first = 0; first < s->n_rows; unit++) {
      const size_t n_rows = rows_of_unit(s, &c, first);
      const size_t n = read_eigenvalues(s, &c, first, n_rows, x, y);
      pf_panel_points(panel, (pf_mark){.colour = (int)(unit % MAX_SERIES), .size = 1.2}, x, y, n);
      n_first = first == 0 ? n : n_first;
      first += n_rows;
    }
    status = draw_directions(figure, s, &c, rows_of_unit(s, &c, 0), n_first, error);
  }
  pf_memory_free(x);
  pf_memory_free(y);
  return status;
}
