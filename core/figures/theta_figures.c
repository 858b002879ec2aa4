/* Coefficients, learning curves and starts: theta.csv, fit.csv and multistart.csv. */
#include "core/base/memory.h"
#include "core/figures/run_figure.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- coefficients ---- */

/* Fewer values that are of no rule stand beside the coefficients: they make no distribution. */
enum { MIN_DISTRIBUTION = 10 };

typedef struct columns {
  size_t unit, owner, name, estimate, truth, fixed, status, low, high;
  bool others_apart; /**< values of no rule are a figure of their own */
} columns;

static columns columns_of(const pf_sheet *theta)
{
  return (columns){.unit = pf_sheet_column(theta, "unit"),
                   .owner = pf_sheet_column(theta, "owner"),
                   .name = pf_sheet_column(theta, "name"),
                   .estimate = pf_sheet_column(theta, "estimate"),
                   .truth = pf_sheet_column(theta, "truth"),
                   .fixed = pf_sheet_column(theta, "fixed"),
                   .status = pf_sheet_column(theta, "status"),
                   .low = pf_sheet_column(theta, "ci_lower"),
                   .high = pf_sheet_column(theta, "ci_upper")};
}

/** A parameter: the rows it has, one for each unit. */
typedef struct coefficient {
  size_t row;  /**< its first */
  double size; /**< largest |estimate| or |truth|: what is drawn where there are too many */
  size_t rule; /**< counted in the order of the file */
} coefficient;

static bool same_parameter(const pf_sheet *theta, const columns *c, size_t a, size_t b)
{
  return strcmp(pf_sheet_text(theta, a, c->name), pf_sheet_text(theta, b, c->name)) == 0 &&
         strcmp(pf_sheet_text(theta, a, c->owner), pf_sheet_text(theta, b, c->owner)) == 0;
}

/** Rule by rule in the order of the file, and within a rule the largest first. */
static int by_rule_and_size(const void *a, const void *b)
{
  const coefficient *left = a, *right = b;
  if (left->rule != right->rule) {
    return left->rule > right->rule ? 1 : -1;
  }
  if (left->size > right->size || left->size < right->size) {
    return right->size > left->size ? 1 : -1;
  }
  return (left->row > right->row) - (left->row < right->row);
}

static int by_size(const void *a, const void *b)
{
  const double x = ((const coefficient *)a)->size;
  const double y = ((const coefficient *)b)->size;
  return (y > x) - (y < x);
}

static bool is_of_rule(const pf_sheet *theta, const columns *c, size_t row)
{
  return !c->others_apart ||
         strncmp(pf_sheet_text(theta, row, c->owner), "rules.", strlen("rules.")) == 0;
}

/** Of parameter `row`: the largest |estimate| or |truth|, over units. */
static double largest_of(const pf_sheet *theta, const columns *c, size_t row)
{
  double largest = fmax(fabs(pf_sheet_number(theta, row, c->truth)), 0.0);
  for (size_t i = row; i < theta->n_rows; i++) {
    if (same_parameter(theta, c, i, row)) {
      largest = fmax(largest, fabs(pf_sheet_number(theta, i, c->estimate)));
    }
  }
  return largest;
}

static bool is_fitted(const pf_sheet *theta, const columns *c, size_t row)
{
  return strcmp(pf_sheet_text(theta, row, c->unit), pf_sheet_text(theta, 0, c->unit)) == 0 &&
         strcmp(pf_sheet_text(theta, row, c->fixed), "1") != 0 && is_of_rule(theta, c, row);
}

/** Fitted parameters of rules; those of largest size where there are too many. How many are kept;
 * *all: how many there are. */
static size_t choose_coefficients(const pf_sheet *theta, const columns *c, coefficient *out,
                                  size_t *all)
{
  size_t n = 0;
  /* the first unit has every parameter; one with copies for animals or experiments counts once */
  for (size_t i = 0; i < theta->n_rows; i++) {
    bool again = false;
    for (size_t k = 0; !again && k < n; k++) {
      again = same_parameter(theta, c, out[k].row, i);
    }
    if (again || !is_fitted(theta, c, i)) {
      continue;
    }
    const bool same_rule = n > 0 && strcmp(pf_sheet_text(theta, out[n - 1].row, c->owner),
                                           pf_sheet_text(theta, i, c->owner)) == 0;
    const size_t before = n > 0 ? out[n - 1].rule : 0;
    out[n] = (coefficient){
        .row = i, .size = largest_of(theta, c, i), .rule = same_rule ? before : before + 1};
    n++;
  }
  *all = n;
  if (n > PF_MAX_COEFFICIENTS_DRAWN) {
    qsort(out, n, sizeof *out, by_size);
    n = PF_MAX_COEFFICIENTS_DRAWN;
  }
  qsort(out, n, sizeof *out, by_rule_and_size);
  return n;
}

/** Points of all units, side by side around their parameter's place. */
typedef struct cloud {
  double *x, *y, *low, *high; /* [n] */
  size_t n;
  double *truth;            /* [n_shown] */
  const char *const *ticks; /* [n_shown] names of parameters */
  size_t n_shown, n_all;    /* parameters */
  size_t n_units;
} cloud;

static void collect_points(const pf_sheet *theta, const columns *c, const coefficient *chosen,
                           cloud *out)
{
  const size_t n_units = out->n_units;
  for (size_t k = 0; k < out->n_shown; k++) {
    size_t unit = 0;
    for (size_t i = chosen[k].row; i < theta->n_rows; i++) {
      if (!same_parameter(theta, c, i, chosen[k].row)) {
        continue;
      }
      const double spread = n_units > 1 ? ((double)unit / (double)(n_units - 1) - 0.5) * 0.5 : 0.0;
      out->x[out->n] = (double)k + spread;
      out->y[out->n] = strcmp(pf_sheet_text(theta, i, c->status), "failed") == 0
                           ? NAN
                           : pf_sheet_number(theta, i, c->estimate);
      out->low[out->n] = pf_sheet_number(theta, i, c->low);
      out->high[out->n] = pf_sheet_number(theta, i, c->high);
      out->n++;
      unit++;
    }
    out->truth[k] = pf_sheet_number(theta, chosen[k].row, c->truth);
  }
}

/** Of parameter k, over its units; NaN estimates left out. `room`: [points->n]. */
static double median_of(const cloud *points, size_t k, double *room)
{
  size_t n = 0;
  for (size_t i = 0; i < points->n; i++) {
    if (fabs(points->x[i] - (double)k) < 0.5) {
      room[n++] = points->y[i];
    }
  }
  return pf_stats_quantile(room, pf_stats_sort(room, n), 0.5);
}

/** A short line at the median of each parameter. */
static pf_status draw_medians(pf_panel *panel, const cloud *points, size_t n, pf_error *error)
{
  double from[PF_MAX_COEFFICIENTS_DRAWN], to[PF_MAX_COEFFICIENTS_DRAWN],
      median[PF_MAX_COEFFICIENTS_DRAWN];
  double *room = pf_memory_need(points->n, sizeof *room, error);
  for (size_t k = 0; room != NULL && k < n; k++) {
    median[k] = median_of(points, k, room);
    from[k] = (double)k - 0.32;
    to[k] = (double)k + 0.32;
  }
  if (room != NULL) {
    pf_panel_segments(panel, (pf_mark){.colour = PF_BLACK, .width = 2.0, .label = "median"},
                      (pf_segments){from, median, to, median, n});
  }
  pf_memory_free(room);
  return room != NULL ? PF_OK : PF_STOP;
}

static bool any_finite(const double *values, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (isfinite(values[i])) {
      return true;
    }
  }
  return false;
}

static pf_status draw_cloud(pf_figures *figures, const cloud *points, pf_error *error)
{
  const size_t n = points->n_shown, n_units = points->n_units;
  const bool known = any_finite(points->truth, n);
  const bool intervals = any_finite(points->low, points->n);
  char caption[400];
  (void)snprintf(caption, sizeof caption, "Coefficients, rule by rule, the largest first%s%s%s.%s",
                 n_units > 1 ? ", one point for each unit" : "",
                 intervals ? ", with 95 % intervals" : "",
                 known ? "; rings: the values with which the data were made" : "",
                 points->n_all > n ? " Only the largest are shown; all are in theta.csv." : "");
  pf_figure *figure = pf_figures_add(figures, "coefficients",
                                     (pf_figure_look){.caption = caption,
                                                      .panel_width = n > 8 ? 900 : 640,
                                                      .panel_height = n > 8 ? 340 : 280});
  pf_panel *panel = pf_figure_panel(figure, (pf_axes){.x = {.ticks = points->ticks, .n_ticks = n},
                                                      .y = {.label = "coefficient"},
                                                      .no_legend = !known && n_units == 1});
  pf_panel_horizontal(panel, (pf_mark){.colour = PF_GREY}, 0.0);
  if (known) {
    double x[PF_MAX_COEFFICIENTS_DRAWN];
    for (size_t k = 0; k < n; k++) {
      x[k] = (double)k;
    }
    pf_panel_points(
        panel, (pf_mark){.colour = PF_VERMILLION, .label = "truth", .hollow = true, .size = 2.6}, x,
        points->truth, n);
  }
  pf_panel_intervals(panel,
                     (pf_mark){.colour = PF_BLUE,
                               .label = "estimate",
                               .size = n_units > 1 ? 0.7 : 1.2,
                               .opacity = n_units > 12 ? 0.6 : 1.0},
                     (pf_intervals){points->x, points->y, points->low, points->high, points->n});
  return n_units > 1 ? draw_medians(panel, points, n, error) : PF_OK;
}

static size_t count_units(const pf_sheet *theta, const columns *c, size_t row)
{
  size_t n = 0;
  for (size_t i = 0; i < theta->n_rows; i++) {
    n += same_parameter(theta, c, i, row) ? 1 : 0;
  }
  return n;
}

/** Fitted values that are no coefficients of a rule, such as starting weights. `values`: [n_rows].
 */
static size_t list_others(const pf_sheet *theta, const columns *c, double *values)
{
  size_t n = 0;
  for (size_t i = 0; i < theta->n_rows; i++) {
    if (!is_of_rule(theta, c, i) && strcmp(pf_sheet_text(theta, i, c->fixed), "1") != 0) {
      values[n++] = pf_sheet_number(theta, i, c->estimate);
    }
  }
  return n;
}

/** As a distribution. */
static pf_status plot_other_values(pf_figures *figures, const pf_sheet *theta, const columns *c,
                                   pf_error *error)
{
  double *values = pf_memory_need(theta->n_rows, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  const size_t n = list_others(theta, c, values);
  if (n > 0) {
    pf_figure *figure = pf_figures_add(
        figures, "other-values",
        (pf_figure_look){.caption =
                             "The fitted values that are no coefficients of a rule, such as "
                             "starting weights, of all fits: how often each value was found. "
                             "theta.csv has each of them."});
    pf_panel *panel = pf_figure_panel(
        figure, (pf_axes){.x = {.label = "value"}, .y = {.label = "how many"}, .no_legend = true});
    pf_panel_histogram(panel, (pf_mark){.colour = PF_BLUE}, values, n, 0);
  }
  pf_memory_free(values);
  return PF_OK;
}

pf_status pf_plot_coefficients(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *theta = run->theta;
  if (theta == NULL) {
    return PF_OK;
  }
  columns c = columns_of(theta);
  const size_t rows = theta->n_rows;
  coefficient *chosen = pf_memory_need(rows, sizeof *chosen, error);
  double *numbers = pf_memory_need(5 * rows, sizeof *numbers, error);
  pf_value_label labels[PF_MAX_COEFFICIENTS_DRAWN];
  const char *ticks[PF_MAX_COEFFICIENTS_DRAWN];
  size_t all = 0;
  c.others_apart = true;
  c.others_apart = numbers != NULL && list_others(theta, &c, numbers) >= MIN_DISTRIBUTION;
  const size_t n = chosen == NULL || numbers == NULL || rows == 0
                       ? 0
                       : choose_coefficients(theta, &c, chosen, &all);
  pf_status status = chosen == NULL || numbers == NULL ? PF_STOP : PF_OK;
  if (n > 0) {
    cloud points = {.x = numbers,
                    .y = numbers + rows,
                    .low = numbers + 2 * rows,
                    .high = numbers + 3 * rows,
                    .truth = numbers + 4 * rows,
                    .ticks = ticks,
                    .n_shown = n,
                    .n_all = all,
                    .n_units = count_units(theta, &c, chosen[0].row)};
    for (size_t k = 0; k < n; k++) {
      labels[k] = pf_label_of_value(theta, chosen[k].row);
      ticks[k] = labels[k].text;
    }
    collect_points(theta, &c, chosen, &points);
    status = draw_cloud(figures, &points, error);
  }
  if (status == PF_OK) {
    status = plot_other_values(figures, theta, &c, error);
  }
  pf_memory_free(chosen);
  pf_memory_free(numbers);
  return status;
}

/* ---- learning ---- */

static void learning_panel(pf_figure *figure, const pf_sheet *fit, const char *column,
                           const char *label, double *x, double *y)
{
  const size_t unit = pf_sheet_column(fit, "unit");
  const size_t epoch = pf_sheet_column(fit, "epoch");
  const size_t value = pf_sheet_column(fit, column);
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.x = {.label = "epoch", .is_whole = true}, .y = {.label = label}});
  size_t n_units = 0;
  for (size_t first = 0; first < fit->n_rows; n_units++) {
    size_t n = 0;
    while (first + n < fit->n_rows &&
           strcmp(pf_sheet_text(fit, first + n, unit), pf_sheet_text(fit, first, unit)) == 0) {
      x[n] = pf_sheet_number(fit, first + n, epoch);
      y[n] = pf_sheet_number(fit, first + n, value);
      n++;
    }
    const pf_mark mark = {.colour = (int)(n_units % PF_N_SERIES_COLOURS), .opacity = 0.8};
    pf_panel_line(panel, mark, x, y, n);
    if (n < 30) {
      pf_panel_points(panel, (pf_mark){.colour = mark.colour, .size = 0.6, .opacity = 0.8}, x, y,
                      n);
    }
    first += n;
  }
}

/** Is the objective more than its data term anywhere? */
static bool has_penalty(const pf_sheet *fit)
{
  const size_t objective = pf_sheet_column(fit, "objective");
  const size_t data_term = pf_sheet_column(fit, "data_term");
  for (size_t row = 0; row < fit->n_rows; row++) {
    const double total = pf_sheet_number(fit, row, objective);
    if (total - pf_sheet_number(fit, row, data_term) > 1e-12 * fabs(total)) {
      return true;
    }
  }
  return false;
}

pf_status pf_plot_learning(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *fit = run->fit;
  if (fit == NULL || run->population != NULL) { /* a population's fit has its end alone */
    return PF_OK;
  }
  double *x = pf_memory_need(fit->n_rows, sizeof *x, error);
  double *y = pf_memory_need(fit->n_rows, sizeof *y, error);
  if (x != NULL && y != NULL && fit->n_rows > 0) {
    const bool penalised = has_penalty(fit);
    pf_figure *figure = pf_figures_add(
        figures, "learning",
        (pf_figure_look){.caption = penalised ? "The course of each fit, one line a fit. Left: the "
                                                "misfit to the data. Right: the objective, which "
                                                "is the misfit and the penalty."
                                              : "The course of each fit, one line a fit: the "
                                                "misfit to the data. There is no penalty, so it "
                                                "is the objective.",
                         .columns = 2});
    learning_panel(figure, fit, "data_term", "data term", x, y);
    if (penalised) {
      learning_panel(figure, fit, "objective", "objective", x, y);
    }
  }
  const pf_status status = x == NULL || y == NULL ? PF_STOP : PF_OK;
  pf_memory_free(x);
  pf_memory_free(y);
  return status;
}

/* ---- starts ---- */

/** Does a start end at another optimum than the best of its fit? Where none does, there is nothing
 * to see. */
static bool do_starts_differ(const pf_sheet *starts)
{
  const size_t unit = pf_sheet_column(starts, "unit");
  const size_t objective = pf_sheet_column(starts, "objective");
  size_t first = 0; /* row of the fit's best start */
  for (size_t row = 0; row < starts->n_rows; row++) {
    if (strcmp(pf_sheet_text(starts, row, unit), pf_sheet_text(starts, first, unit)) != 0) {
      first = row;
    }
    const double best = pf_sheet_number(starts, first, objective);
    const double above = pf_sheet_number(starts, row, objective) - best;
    if (!(above <= 1e-9 * fabs(best))) { /* a start that failed has no objective */
      return true;
    }
  }
  return false;
}

pf_status pf_plot_starts(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  enum { MAX_CURVES = 8 }; /* units that can be told apart */
  const pf_sheet *starts = run->starts;
  if (starts == NULL || !do_starts_differ(starts)) {
    return PF_OK;
  }
  const size_t unit = pf_sheet_column(starts, "unit");
  const size_t objective = pf_sheet_column(starts, "objective");
  double *x = pf_memory_need(starts->n_rows, sizeof *x, error);
  double *y = pf_memory_need(starts->n_rows, sizeof *y, error);
  pf_panel *panel = NULL;
  if (x != NULL && y != NULL && starts->n_rows > 0) {
    pf_figure *figure = pf_figures_add(
        figures, "starts",
        (pf_figure_look){.caption =
                             "Where the starts of each fit ended: the objective above the best, "
                             "sorted. A flat stretch at the left is an optimum that many reach."});
    panel = pf_figure_panel(
        figure, (pf_axes){.x = {.label = "start, sorted"},
                          .y = {.label = "objective above the best", .logarithmic = true}});
  }
  size_t n_units = 0;
  for (size_t first = 0; panel != NULL && first < starts->n_rows && n_units < MAX_CURVES;
       n_units++) {
    const double best =
        pf_sheet_number(starts, first, objective); /* rows stand in order, failed ones last */
    size_t n = 0;
    while (first + n < starts->n_rows && strcmp(pf_sheet_text(starts, first + n, unit),
                                                pf_sheet_text(starts, first, unit)) == 0) {
      const double above = pf_sheet_number(starts, first + n, objective) - best;
      x[n] = (double)(n + 1);
      /* what is equal to rounding stands at the bottom rather than nowhere */
      y[n] = isnan(above) ? above : fmax(above, fmax(1e-15 * fabs(best), 1e-30));
      n++;
    }
    pf_panel_points(panel,
                    (pf_mark){.colour = (int)(n_units % PF_N_SERIES_COLOURS),
                              .label = pf_sheet_text(starts, first, unit)},
                    x, y, n);
    first += n;
  }
  const pf_status status = x == NULL || y == NULL ? PF_STOP : PF_OK;
  pf_memory_free(x);
  pf_memory_free(y);
  return status;
}
