/* The population's means in each group of animals, from population.csv. */
#include "core/base/memory.h"
#include "core/figures/result_folder.h"
#include "core/figures/run_figure.h"

#include <math.h>
#include <string.h>

enum { MAX_GROUPS = 12 };

/* The groups of one coefficient: the reference, then those that are compared with it. */
typedef struct groups {
  const char *names[MAX_GROUPS];
  double at[MAX_GROUPS], mean[MAX_GROUPS], low[MAX_GROUPS], high[MAX_GROUPS];
  size_t n;
} groups;

/* Each coefficient has its mean first, then what the mean depends on. */
static bool is_first_row(const pf_sheet *s, size_t row)
{
  static const char *const keys[] = {"owner", "name"};
  for (size_t c = 0; c < sizeof keys / sizeof keys[0]; c++) {
    const size_t column = pf_sheet_column(s, keys[c]);
    if (row == 0 || strcmp(pf_sheet_text(s, row, column), pf_sheet_text(s, row - 1, column)) != 0) {
      return true;
    }
  }
  return false;
}

/* "mutant" of "genotype = mutant"; NULL: the row is a slope. */
static const char *group_name(const pf_sheet *s, size_t row)
{
  const char *sign = strstr(pf_sheet_text(s, row, pf_sheet_column(s, "covariate")), " = ");
  if (is_first_row(s, row)) {
    return "reference";
  }
  return sign == NULL ? NULL : sign + 3;
}

/* The coefficient whose mean stands in `row`. */
static void read_groups(const pf_sheet *s, size_t row, groups *to)
{
  to->n = 0;
  for (size_t i = row; i < s->n_rows && to->n < MAX_GROUPS; i++) {
    const char *name = group_name(s, i);
    const double mean = pf_sheet_number(s, i, pf_sheet_column(s, "group_mean"));
    if (i > row && is_first_row(s, i)) {
      return;
    }
    if (name == NULL || isnan(mean)) {
      continue;
    }
    to->names[to->n] = name;
    to->at[to->n] = (double)to->n;
    to->mean[to->n] = mean;
    to->low[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "group_lower"));
    to->high[to->n] = pf_sheet_number(s, i, pf_sheet_column(s, "group_upper"));
    to->n++;
  }
}

static void plot_groups(pf_figure *figure, const char *label, const groups *of)
{
  pf_panel *panel = pf_figure_panel(
      figure,
      (pf_axes){
          .title = label,
          .x = {.low = -0.5, .high = (double)of->n - 0.5, .ticks = of->names, .n_ticks = of->n},
          .y = {.label = "mean of the group"},
          .no_legend = true});
  pf_panel_intervals(panel, (pf_mark){.colour = PF_BLUE},
                     (pf_intervals){of->at, of->mean, of->low, of->high, of->n});
}

pf_status pf_plot_groups(pf_figures *figures, const pf_run_data *run, pf_error *error)
{
  const pf_sheet *s = run->population;
  pf_figure *figure = NULL;
  size_t n_panels = 0;
  (void)error;
  for (size_t i = 0; s != NULL && i < s->n_rows; i++) {
    groups of;
    if (!is_first_row(s, i) || n_panels == PF_MAX_COEFFICIENTS_DRAWN) {
      continue;
    }
    read_groups(s, i, &of);
    if (of.n < 2) {
      continue;
    }
    if (n_panels++ == 0) {
      figure = pf_figures_add(
          figures, "groups",
          (pf_figure_look){.caption =
                               "The population's mean of each coefficient in each group of "
                               "animals, with its interval; reference: the group that the others "
                               "are compared with. Intervals that do not overlap differ; those "
                               "that overlap may, which the table's p of the difference says."});
    }
    plot_groups(figure, pf_sheet_text(s, i, pf_sheet_column(s, "label")), &of);
  }
  return PF_OK;
}
