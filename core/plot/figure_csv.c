/* The data of a figure as a table: a row for each point of each layer. */
#include "core/plot/figure_parts.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = {[PF_LAYER_LINE] = "line",
                                    [PF_LAYER_POINTS] = "points",
                                    [PF_LAYER_INTERVALS] = "intervals",
                                    [PF_LAYER_BAND] = "band",
                                    [PF_LAYER_BARS] = "bars",
                                    [PF_LAYER_SEGMENTS] = "segments",
                                    [PF_LAYER_VERTICAL] = "vertical",
                                    [PF_LAYER_HORIZONTAL] = "horizontal",
                                    [PF_LAYER_SHADE] = "shade",
                                    [PF_LAYER_TEXT] = "text",
                                    [PF_LAYER_HEAT] = "heat"};

/** In quotes, those within doubled. */
static void write_cell(const char *text, FILE *out)
{
  (void)fputc('"', out);
  for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
    (void)fputs(*c == '"' ? "\"" : "", out);
    (void)fputc(*c, out);
  }
  (void)fputc('"', out);
}

/** Empty where there is none. */
static void write_value(double value, FILE *out)
{
  (void)fputc(',', out);
  if (isfinite(value)) {
    (void)fprintf(out, "%.9g", value);
  }
}

/** The name that stands at x along the axis. */
static const char *name_at(const pf_axis *axis, double x)
{
  const double place = floor(x + 0.5);
  return place >= 0.0 && place < (double)axis->n_ticks ? axis->ticks[(size_t)place] : "";
}

/** x, y, low, high, x_end, y_end and value of point i; those that a layer has not are NaN. */
enum { N_VALUES = 7 };
static void values_of(const pf_layer *layer, size_t i, double values[N_VALUES])
{
  static const int places[][PF_LAYER_COLUMNS] = {
      [PF_LAYER_LINE] = {0, 1, 0, 0},      [PF_LAYER_POINTS] = {0, 1, 0, 0},
      [PF_LAYER_INTERVALS] = {0, 1, 2, 3}, [PF_LAYER_BAND] = {0, 2, 3, 0},
      [PF_LAYER_BARS] = {0, 1, 0, 0},      [PF_LAYER_SEGMENTS] = {0, 1, 4, 5},
      [PF_LAYER_HEAT] = {6, 0, 0, 0}};
  for (size_t k = 0; k < N_VALUES; k++) {
    values[k] = (double)NAN;
  }
  for (size_t k = 0; k < PF_LAYER_COLUMNS && layer->columns[k] != NULL; k++) {
    values[places[layer->kind][k]] = layer->columns[k][i];
  }
  if (layer->kind == PF_LAYER_HEAT && layer->rows > 0) {
    const size_t columns = layer->n / layer->rows;
    const size_t column = i % columns, row = i / columns;
    values[0] = (double)(column * layer->column_step);
    values[1] = (double)(row * layer->row_step);
  }
}

static void write_point(const pf_panel *panel, const pf_layer *layer, const double *values,
                        FILE *out)
{
  write_cell(panel->axes.title, out);
  (void)fprintf(out, ",%s,", kinds[layer->kind]);
  write_cell(layer->mark.label, out);
  (void)fputc(',', out);
  write_cell(name_at(&panel->axes.x, values[0]), out);
  for (size_t k = 0; k < N_VALUES; k++) {
    write_value(values[k], out);
  }
  (void)fputc('\n', out);
}

/** A line across, or a stretch: no points, but one or two places. */
static void write_place(const pf_panel *panel, const pf_layer *layer, FILE *out)
{
  const bool is_level = layer->kind == PF_LAYER_HORIZONTAL;
  double values[N_VALUES] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  values[is_level ? 1 : 0] = layer->a;
  if (layer->kind == PF_LAYER_SHADE) {
    values[4] = layer->b;
  }
  write_point(panel, layer, values, out);
}

void pf_figure_csv(const pf_figure *figure, FILE *out)
{
  (void)fputs("panel,kind,series,name,x,y,low,high,x_end,y_end,value\n", out);
  for (size_t p = 0; p < figure->n_panels; p++) {
    const pf_panel *panel = figure->panels[p];
    for (size_t k = 0; k < panel->n_layers; k++) {
      const pf_layer *layer = &panel->layers[k];
      if (layer->n == 0 && layer->kind >= PF_LAYER_VERTICAL && layer->kind <= PF_LAYER_SHADE) {
        write_place(panel, layer, out);
      }
      for (size_t i = 0; i < layer->n; i++) {
        double values[N_VALUES];
        values_of(layer, i, values);
        write_point(panel, layer, values, out);
      }
    }
  }
}
