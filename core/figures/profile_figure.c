/* Profile likelihoods, of profiles.csv: a small panel for each value. */
#include "core/figures/run_figure.h"

#include "core/base/memory.h"
#include "core/readers/sheet.h"
#include "core/stats/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PANELS = 40, N_BETWEEN = 12 }; /* points drawn from one refit to the next */

static const double highest = 8.0; /* 2dL where a panel ends: twice that of a 95 % interval */

/* Rows [first, first + n) of profiles.csv are of one value, whose row of theta.csv is `theta`. */
typedef struct curve {
  size_t first, n, theta;
  double level; /* 2dL where its interval ends */
} curve;

static const char *const keys[] = {"unit", "owner", "name", "animal", "experiment"};

/* Are a row of one sheet and a row of another of the same value? */
static bool is_same_value(const pf_sheet *a, size_t row, const pf_sheet *b, size_t other)
{
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
    const char *left = pf_sheet_text(a, row, pf_sheet_column(a, keys[k]));
    if (strcmp(left, pf_sheet_text(b, other, pf_sheet_column(b, keys[k]))) != 0) {
      return false;
    }
  }
  return true;
}

/* The curve that begins at row `first`. */
static curve find_curve(const pf_run_data *run, size_t first)
{
  const pf_sheet *profiles = run->profiles, *theta = run->theta;
  curve found = {.first = first, .n = 1, .theta = 0};
  while (first + found.n < profiles->n_rows &&
         is_same_value(profiles, first, profiles, first + found.n)) {
    found.n++;
  }
  while (found.theta < theta->n_rows && !is_same_value(profiles, first, theta, found.theta)) {
    found.theta++;
  }
  const double level = pf_sheet_number(theta, found.theta, pf_sheet_column(theta, "ci_level"));
  found.level = pf_stats_chi2_quantile(level > 0.0 && level < 1.0 ? level : 0.95, 1.0);
  return found;
}

static double root_of(double twice_rise)
{
  return sqrt(fmax(twice_rise, 0.0));
}

/* Refits and the estimate among them, in ascending order. Returns how many. */
static size_t list_points(const pf_run_data *run, const curve *c, double *x, double *y)
{
  const pf_sheet *profiles = run->profiles;
  const size_t value = pf_sheet_column(profiles, "value");
  const size_t rise = pf_sheet_column(profiles, "twice_log_likelihood_ratio");
  const double best =
      pf_sheet_number(run->theta, c->theta, pf_sheet_column(run->theta, "estimate"));
  bool has_best = isnan(best);
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++) {
    const double at = pf_sheet_number(profiles, c->first + i, value);
    if (!has_best && at >= best) {
      x[n] = best;
      y[n++] = 0.0;
      has_best = true;
    }
    const double found = pf_sheet_number(profiles, c->first + i, rise);
    if (n > 0 && x[n - 1] == at) { /* of refits at one value the lowest is the profile */
      y[n - 1] = fmin(y[n - 1], found);
      continue;
    }
    x[n] = at;
    y[n++] = found;
  }
  if (!has_best) {
    x[n] = best;
    y[n++] = 0.0;
  }
  return n;
}

/* Between refits the root of 2dL, which is nearly straight, is drawn straight. */
static size_t join_points(const double *x, const double *y, size_t n, double *to_x, double *to_y)
{
  size_t n_drawn = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    for (int k = 0; k <= N_BETWEEN; k++) {
      const double share = (double)k / N_BETWEEN;
      const double root = root_of(y[i]) + share * (root_of(y[i + 1]) - root_of(y[i]));
      to_x[n_drawn] = x[i] + share * (x[i + 1] - x[i]);
      to_y[n_drawn++] = root * root;
    }
  }
  return n_drawn;
}

static void shade_interval(const pf_run_data *run, const curve *c, pf_panel *panel)
{
  const double low = pf_sheet_number(run->theta, c->theta, pf_sheet_column(run->theta, "ci_lower"));
  const double high =
      pf_sheet_number(run->theta, c->theta, pf_sheet_column(run->theta, "ci_upper"));
  if (isfinite(low) && isfinite(high)) {
    pf_panel_shade(panel, (pf_mark){.colour = PF_BLUE}, low, high);
  }
}

static void draw_curve(const pf_run_data *run, const curve *c, bool has_units, double *space,
                       pf_figure *figure)
{
  const pf_sheet *theta = run->theta;
  double *x = space, *y = x + c->n + 1, *drawn_x = y + c->n + 1;
  double *drawn_y = drawn_x + (c->n + 1) * (N_BETWEEN + 1);
  const char *label = pf_sheet_text(theta, c->theta, pf_sheet_column(theta, "label"));
  const char *unit = pf_sheet_text(theta, c->theta, pf_sheet_column(theta, "unit"));
  char title[200];
  (void)snprintf(title, sizeof title, "%.90s%s%.90s", has_units ? unit : "", has_units ? ": " : "",
                 label);
  pf_panel *panel = pf_figure_panel(
      figure, (pf_axes){.title = title, .y = {.label = "2dL", .high = highest}, .no_legend = true});
  const size_t n = list_points(run, c, x, y);
  shade_interval(run, c, panel);
  pf_panel_horizontal(panel, (pf_mark){.colour = PF_GREY, .dashed = true}, c->level);
  const size_t n_drawn = join_points(x, y, n, drawn_x, drawn_y);
  pf_panel_line(panel, (pf_mark){.colour = PF_BLUE}, drawn_x, drawn_y, n_drawn);
  pf_panel_points(panel, (pf_mark){.colour = PF_BLUE, .size = 0.6}, x, y, n);
}

static size_t longest_curve(const pf_run_data *run)
{
  size_t longest = 0;
  for (size_t row = 0; row < run->profiles->n_rows;) {
    const curve c = find_curve(run, row);
    longest = c.n > longest ? c.n : longest;
    row += c.n;
  }
  return longest;
}

pf_status pf_plot_profiles(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *profiles = run->profiles;
  if (profiles == NULL || run->theta == NULL || profiles->n_rows == 0) {
    return PF_OK;
  }
  const size_t most = longest_curve(run) + 1;
  double *space = pf_memory_need(most * (4 + 2 * N_BETWEEN), sizeof *space, error);
  if (space == NULL) {
    return PF_STOP;
  }
  pf_figure *figure = pf_figures_add(
      figures, "profiles",
      (pf_figure_look){.caption =
                           "How fast the likelihood falls when one value is moved and all others "
                           "are fitted again: 2dL, twice the fall in nats. A 95 % interval (blue) "
                           "ends where it crosses the dashed line at 3.84. Dots are refits; a "
                           "curve that stays below the line says that the data set no limit.",
                       .columns = 4,
                       .panel_height = 180});
  const size_t unit = pf_sheet_column(run->theta, "unit");
  const size_t n_theta = run->theta->n_rows;
  const bool has_units = n_theta > 0 && strcmp(pf_sheet_text(run->theta, 0, unit),
                                               pf_sheet_text(run->theta, n_theta - 1, unit)) != 0;
  size_t n_panels = 0;
  for (size_t row = 0; row < profiles->n_rows && n_panels < MAX_PANELS; n_panels++) {
    const curve c = find_curve(run, row);
    draw_curve(run, &c, has_units, space, figure);
    row += c.n;
  }
  pf_memory_free(space);
  return PF_OK;
}
