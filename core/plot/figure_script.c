#include "core/plot/figure_parts.h"

#include <math.h>
#include <string.h>

/* Okabe & Ito (2008), "Color Universal Design", in the order of enum pf_colour; then greys. */
static const char *const colours[] = {"0072B2", "D55E00", "009E73", "E69F00", "56B4E9",
                                      "CC79A7", "F0E442", "000000", "7F7F7F", "C9C9C9"};

static const char ink[] = "#333333";

/* ---- words of gnuplot's language ---- */

static bool is_plain(unsigned char c)
{
  return c >= 0x80 || c == ' ' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z');
}

/**
 * "text", where all but letters, digits and blanks is a number: between quotes of either kind
 * gnuplot gives a meaning to some of quotes, backslashes, backticks (it runs a command), $ and @. A
 * leading 0 makes it read four digits, whatever follows.
 */
static void write_quoted(const char *text, FILE *out)
{
  (void)fputc('"', out);
  for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
    if (is_plain((unsigned char)*c)) {
      (void)fputc(*c, out);
    } else {
      (void)fprintf(out, "\\0%03o", (unsigned)(unsigned char)*c);
    }
  }
  (void)fputc('"', out);
}

/** rgb '#aarrggbb', aa transparency. */
static void colour_of(int which, double opacity, FILE *out)
{
  const size_t n = sizeof colours / sizeof colours[0];
  const double transparent = 255.0 * (1.0 - fmin(fmax(opacity, 0.0), 1.0));
  (void)fprintf(out, " rgb '#%02X%s'", (unsigned)(transparent + 0.5),
                colours[which >= 0 ? (size_t)which % n : 7]);
}

static double or_else(double value, double otherwise)
{
  return value > 0.0 ? value : otherwise;
}

static void write_number(double value, FILE *out)
{
  if (isfinite(value)) {
    (void)fprintf(out, " %.8g", value);
  } else {
    (void)fputs(" NaN", out);
  }
}

/* ---- what can be drawn ---- */

static bool is_usable(const pf_axis *axis, double value)
{
  return isfinite(value) && (!axis->logarithmic || value > 0.0);
}

/** Is every number of point i one that its axis can show? Of intervals, only x and y need be. */
static bool point_is_usable(const pf_axes *axes, const pf_layer *layer, size_t i)
{
  switch (layer->kind) {
  case PF_LAYER_HEAT:
    return isfinite(layer->columns[0][i]);
  case PF_LAYER_SEGMENTS:
    return is_usable(&axes->x, layer->columns[0][i]) && is_usable(&axes->y, layer->columns[1][i]) &&
           is_usable(&axes->x, layer->columns[2][i]) && is_usable(&axes->y, layer->columns[3][i]);
  case PF_LAYER_BAND:
    return is_usable(&axes->x, layer->columns[0][i]) && is_usable(&axes->y, layer->columns[1][i]) &&
           is_usable(&axes->y, layer->columns[2][i]);
  default:
    return is_usable(&axes->x, layer->columns[0][i]) && is_usable(&axes->y, layer->columns[1][i]);
  }
}

static bool has_points(const pf_axes *axes, const pf_layer *layer)
{
  for (size_t i = 0; i < layer->n; i++) {
    if (point_is_usable(axes, layer, i)) {
      return true;
    }
  }
  return false;
}

/* ---- data ---- */

/** Rows of a layer; a gap is an empty line, which ends a line (or a band) in gnuplot. A heat map
 * keeps its cells without a value: from a grid with holes gnuplot makes a slanted one. */
static void data_rows(const pf_axes *axes, const pf_layer *layer, FILE *out)
{
  const size_t columns = layer->rows > 0 ? layer->n / layer->rows : 1;
  bool gap = true;
  for (size_t i = 0; i < layer->n; i++) {
    if (layer->kind != PF_LAYER_HEAT && !point_is_usable(axes, layer, i)) {
      (void)fputs(gap ? "" : "\n", out);
      gap = true;
      continue;
    }
    gap = false;
    if (layer->kind == PF_LAYER_HEAT) {
      (void)fprintf(out, "%zu %zu", i % columns * layer->column_step,
                    i / columns * layer->row_step);
      write_number(layer->columns[0][i], out);
    } else if (layer->kind == PF_LAYER_SEGMENTS) {
      write_number(layer->columns[0][i], out);
      write_number(layer->columns[1][i], out);
      write_number(layer->columns[2][i] - layer->columns[0][i], out);
      write_number(layer->columns[3][i] - layer->columns[1][i], out);
    } else {
      for (size_t k = 0; k < PF_LAYER_COLUMNS && layer->columns[k] != NULL; k++) {
        write_number(layer->columns[k][i], out);
      }
    }
    (void)fputc('\n', out);
  }
}

/** The ends of intervals as a block of their own, so that a point without them is still drawn. */
static void interval_rows(const pf_axes *axes, const pf_layer *layer, FILE *out)
{
  for (size_t i = 0; i < layer->n; i++) {
    if (is_usable(&axes->x, layer->columns[0][i]) && is_usable(&axes->y, layer->columns[2][i]) &&
        is_usable(&axes->y, layer->columns[3][i])) {
      write_number(layer->columns[0][i], out);
      write_number(layer->columns[2][i], out);
      (void)fputs(" 0", out);
      write_number(layer->columns[3][i] - layer->columns[2][i], out);
      (void)fputc('\n', out);
    }
  }
}

static bool has_ends(const pf_axes *axes, const pf_layer *layer)
{
  for (size_t i = 0; layer->kind == PF_LAYER_INTERVALS && i < layer->n; i++) {
    if (is_usable(&axes->x, layer->columns[0][i]) && is_usable(&axes->y, layer->columns[2][i]) &&
        is_usable(&axes->y, layer->columns[3][i])) {
      return true;
    }
  }
  return false;
}

static void data_blocks(const pf_panel *panel, FILE *out)
{
  for (size_t k = 0; k < panel->n_layers; k++) {
    const pf_layer *layer = &panel->layers[k];
    if (has_points(&panel->axes, layer)) {
      (void)fprintf(out, "$d%zu << EOD\n", k);
      data_rows(&panel->axes, layer, out);
      (void)fputs("EOD\n", out);
    }
    if (has_ends(&panel->axes, layer)) {
      (void)fprintf(out, "$i%zu << EOD\n", k);
      interval_rows(&panel->axes, layer, out);
      (void)fputs("EOD\n", out);
    }
  }
}

/* ---- things that are no data: lines across, shades, text ---- */

static void line_style(const pf_mark *mark, double width, FILE *out)
{
  (void)fputs(" lc", out);
  colour_of(mark->colour, or_else(mark->opacity, 1.0), out);
  (void)fprintf(out, " lw %g%s", or_else(mark->width, width), mark->dashed ? " dt (8,5)" : " dt 1");
}

static void write_decoration(const pf_layer *layer, size_t id, FILE *out)
{
  const pf_mark *mark = &layer->mark;
  switch (layer->kind) {
  case PF_LAYER_VERTICAL:
    (void)fprintf(out, "set arrow %zu from first %.9g, graph 0 to first %.9g, graph 1 nohead back",
                  id, layer->a, layer->a);
    line_style(mark, 1.0, out);
    (void)fputc('\n', out);
    break;
  case PF_LAYER_HORIZONTAL:
    (void)fprintf(out, "set arrow %zu from graph 0, first %.9g to graph 1, first %.9g nohead back",
                  id, layer->a, layer->a);
    line_style(mark, 1.0, out);
    (void)fputc('\n', out);
    break;
  case PF_LAYER_SHADE:
    (void)fprintf(
        out, "set object %zu rectangle from first %.9g, graph 0 to first %.9g, graph 1 behind fc",
        id, layer->a, layer->b);
    colour_of(mark->colour, 1.0, out);
    (void)fprintf(out, " fs transparent solid %g noborder\n", or_else(mark->opacity, 0.1));
    break;
  case PF_LAYER_TEXT:
    (void)fprintf(out, "set label %zu ", id);
    write_quoted(layer->text, out);
    (void)fprintf(out, " at first %.9g, graph %.9g center front font ',%g' tc", layer->a, layer->b,
                  12.0 * or_else(mark->size, 1.0));
    colour_of(mark->colour, or_else(mark->opacity, 1.0), out);
    (void)fputc('\n', out);
    break;
  default:
    break;
  }
}

/* ---- axes ---- */

/** Do the names fit side by side below the panel? */
static bool names_fit(const pf_axis *axis, double width)
{
  size_t longest = 0;
  for (size_t i = 0; i < axis->n_ticks; i++) {
    const size_t length = strlen(axis->ticks[i]);
    longest = length > longest ? length : longest;
  }
  return (double)(longest + 1) * 7.5 * (double)axis->n_ticks < width;
}

static void named_ticks(char letter, const pf_axis *axis, double width, FILE *out)
{
  (void)fprintf(out, "set %ctics", letter);
  if (letter == 'x' && !names_fit(axis, width)) {
    (void)fputs(" rotate by 40 right", out);
  }
  (void)fputs(" (", out);
  for (size_t i = 0; i < axis->n_ticks; i++) {
    (void)fputs(i > 0 ? ", " : "", out);
    write_quoted(axis->ticks[i], out);
    (void)fprintf(out, " %zu", i);
  }
  (void)fputs(")\n", out);
}

static void write_range(char letter, double low, double high, bool downwards, FILE *out)
{
  (void)fprintf(out, "set %crange [%.9g:%.9g]\n", letter, downwards ? high : low,
                downwards ? low : high);
}

static void axis_of(char letter, const pf_axis *axis, double width, FILE *out)
{
  if (axis->label != NULL) {
    (void)fprintf(out, "set %clabel ", letter);
    write_quoted(axis->label, out);
    (void)fprintf(out, " offset %s tc rgb '%s'\n", letter == 'x' ? "0,0.5" : "0.5,0", ink);
  }
  if (axis->logarithmic) {
    (void)fprintf(out, "set logscale %c\n", letter);
  }
  if (axis->n_ticks > 0) {
    named_ticks(letter, axis, width, out);
  } else if (axis->is_share) {
    (void)fprintf(out, "set %ctics 0,0.25,1\n", letter);
  } else if (axis->no_ticks) {
    (void)fprintf(out, "unset %ctics\n", letter);
  }
  if (axis->low < axis->high) {
    write_range(letter, axis->low, axis->high, false, out);
  } else if (axis->n_ticks > 0) {
    write_range(letter, -0.6, (double)axis->n_ticks - 0.4, false, out);
  }
}

/** 1, 2 or 5 times a power of ten, so that about five numbers stand along the axis. */
static double nice_step(double range)
{
  const double power = pow(10.0, floor(log10(range / 5.0)));
  const double times = range / 5.0 / power;
  return power * (times <= 1.0 ? 1.0 : times <= 2.0 ? 2.0 : times <= 5.0 ? 5.0 : 10.0);
}

/** Numbers of a narrow panel would run into one another; and a curve fills its panel from side to
 * side. */
static void fit_x(const pf_panel *panel, double width, FILE *out)
{
  const pf_axis *axis = &panel->axes.x;
  double low = INFINITY;
  double high = -INFINITY;
  bool curve = false;
  bool wide = false;
  for (size_t k = 0; k < panel->n_layers; k++) {
    const pf_layer *layer = &panel->layers[k];
    curve = curve || layer->kind == PF_LAYER_LINE || layer->kind == PF_LAYER_BAND;
    wide = wide || layer->kind == PF_LAYER_BARS || layer->kind == PF_LAYER_HEAT;
    for (size_t i = 0; layer->kind != PF_LAYER_HEAT && layer->columns[0] != NULL && i < layer->n;
         i++) {
      if (point_is_usable(&panel->axes, layer, i)) {
        low = fmin(low, layer->columns[0][i]);
        high = fmax(high, layer->columns[0][i]);
      }
    }
  }
  if (axis->low < axis->high) {
    low = axis->low;
    high = axis->high;
  } else if (curve && !wide && axis->n_ticks == 0) {
    (void)fputs("set autoscale xfix\n", out);
  }
  const bool is_named = axis->n_ticks > 0 || axis->logarithmic || axis->no_ticks || axis->is_share;
  if (!wide && low < high && !is_named && (width < 400.0 || axis->is_whole)) {
    const double step = nice_step(high - low);
    (void)fprintf(out, "set xtics %.9g\n", axis->is_whole ? fmax(step, 1.0) : step);
  }
}

/** Cells with their centres at whole numbers, row 0 at the top; after ticks that have names. */
static void heat_ranges(const pf_layer *heat, FILE *out)
{
  const double rows = (double)(heat->rows * heat->row_step);
  const size_t n_columns = heat->rows > 0 ? heat->n / heat->rows : 0;
  const double columns = (double)(n_columns * heat->column_step);
  write_range('x', -0.5 * (double)heat->column_step, columns - 0.5 * (double)heat->column_step,
              false, out);
  write_range('y', -0.5 * (double)heat->row_step, rows - 0.5 * (double)heat->row_step, true, out);
}

/** A heat map's own: no grid over it, its colours. */
static void heat_axes(const pf_layer *heat, FILE *out)
{
  const double rows = (double)(heat->rows * heat->row_step);
  const size_t n_columns = heat->rows > 0 ? heat->n / heat->rows : 0;
  const double columns = (double)(n_columns * heat->column_step);
  (void)fputs("unset grid\nset border 0\nset tics scale 0\n", out);
  (void)fputs(
      "set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 behind fc rgb '#D9D9D9' "
      "fs solid 1 noborder\n",
      out);
  if (columns <= 12.0) {
    (void)fputs("set xtics 1\n", out);
  }
  if (rows <= 12.0) {
    (void)fputs("set ytics 1\n", out);
  }
  /* cividis (Nuñez, Anderton & Renslow 2018) at eighths; blue - white - vermilion of Okabe & Ito
   */
  (void)fputs(
      heat->diverging
          ? "set palette defined (0 '#0072B2', 1 '#FFFFFF', 2 '#D55E00')\n"
          : "set palette defined (0 '#00224E', 1 '#123570', 2 '#3B496C', 3 '#575D6D', 4 '#707173', "
            "5 '#8A8678', 6 '#A59C74', 7 '#C3B369', 8 '#FEE838')\n",
      out);
  (void)fprintf(out, "set cbrange [%.9g:%.9g]\nset cbtics scale 0.5\nset format cb '%%g'\n",
                heat->a, heat->b);
  if (heat->text != NULL) {
    (void)fputs("set cblabel ", out);
    write_quoted(heat->text, out);
    (void)fprintf(out, " tc rgb '%s'\n", ink);
  }
}

/* ---- layers ---- */

static void title_of(const pf_layer *layer, FILE *out)
{
  if (layer->mark.label == NULL) {
    (void)fputs(" notitle", out);
    return;
  }
  (void)fputs(" title ", out);
  write_quoted(layer->mark.label, out);
}

static void point_style(const pf_mark *mark, FILE *out)
{
  (void)fprintf(out, " pt %d ps %g lc", mark->hollow ? 6 : 7, 0.45 * or_else(mark->size, 1.0));
  colour_of(mark->colour, or_else(mark->opacity, 1.0), out);
  (void)fprintf(out, " lw %g", or_else(mark->width, 1.5));
}

static void draw_layer(const pf_axes *axes, const pf_layer *layer, size_t k, FILE *out)
{
  (void)fprintf(out, "$d%zu using ", k);
  switch (layer->kind) {
  case PF_LAYER_LINE:
    (void)fputs("1:2 with lines", out);
    line_style(&layer->mark, 1.5, out);
    break;
  case PF_LAYER_POINTS:
    (void)fputs("1:2 with points", out);
    point_style(&layer->mark, out);
    break;
  case PF_LAYER_INTERVALS:
    (void)fputs("1:2 with points", out);
    point_style(&layer->mark, out);
    if (has_ends(axes, layer)) {
      title_of(layer, out);
      (void)fprintf(out, ", $i%zu using 1:2:3:4 with vectors nohead", k);
      line_style(&layer->mark, 1.5, out);
      (void)fputs(" notitle", out);
      return;
    }
    break;
  case PF_LAYER_BAND:
    (void)fputs("1:2:3 with filledcurves fc", out);
    colour_of(layer->mark.colour, 1.0, out);
    (void)fprintf(out, " fs transparent solid %g noborder", or_else(layer->mark.opacity, 0.2));
    break;
  case PF_LAYER_BARS:
    (void)fprintf(out, "1:2:(%.9g) with boxes fc", layer->a);
    colour_of(layer->mark.colour, 1.0, out);
    (void)fprintf(out, " fs transparent solid %g noborder", or_else(layer->mark.opacity, 0.8));
    break;
  case PF_LAYER_SEGMENTS:
    (void)fputs("1:2:3:4 with vectors nohead", out);
    line_style(&layer->mark, 1.0, out);
    break;
  case PF_LAYER_HEAT:
  default:
    (void)fputs("1:2:3 with image pixels", out);
    break;
  }
  title_of(layer, out);
}

/** A line across has no data, so that its place in the legend is made. */
static bool is_keyed_decoration(const pf_layer *layer)
{
  return layer->mark.label != NULL &&
         (layer->kind == PF_LAYER_VERTICAL || layer->kind == PF_LAYER_HORIZONTAL);
}

static void draw_layers(const pf_panel *panel, FILE *out)
{
  size_t n = 0;
  (void)fputs("plot ", out);
  for (size_t k = 0; k < panel->n_layers; k++) {
    const pf_layer *layer = &panel->layers[k];
    if (is_keyed_decoration(layer)) {
      (void)fputs(n++ > 0 ? ", " : "", out);
      (void)fputs("keyentry with lines", out);
      line_style(&layer->mark, 1.0, out);
      title_of(layer, out);
    } else if (has_points(&panel->axes, layer)) {
      (void)fputs(n++ > 0 ? ", " : "", out);
      draw_layer(&panel->axes, layer, k, out);
    }
  }
  (void)fputc('\n', out);
}

/* ---- panels ---- */

static void write_legend(const pf_panel *panel, FILE *out)
{
  size_t n = 0;
  for (size_t k = 0; k < panel->n_layers; k++) {
    n += panel->layers[k].mark.label != NULL ? 1 : 0;
  }
  if (n == 0 || panel->axes.no_legend) {
    (void)fputs("unset key\n", out);
    return;
  }
  /* never over the data: above the panel in rows, or right of it one below the other */
  const bool right = panel->axes.legend_outside || n > 6;
  (void)fprintf(out,
                "set key %s Left reverse samplen 1.5 spacing 1.1 width -1 font ',11' tc rgb '%s'\n",
                right ? "outside top right vertical" : "outside top left horizontal", ink);
}

/** Bars begin at 0, and so does their axis, unless something is below. */
static bool stands_on_zero(const pf_panel *panel)
{
  bool bars = false;
  for (size_t k = 0; k < panel->n_layers; k++) {
    const pf_layer *layer = &panel->layers[k];
    bars = bars || layer->kind == PF_LAYER_BARS;
    for (size_t i = 0; layer->columns[1] != NULL && i < layer->n; i++) {
      if (layer->columns[1][i] < 0.0) {
        return false;
      }
    }
  }
  return bars && !panel->axes.y.logarithmic;
}

static void draw_panel(const pf_panel *panel, double width, bool stacked, FILE *out)
{
  const pf_layer *heat = NULL;
  bool any = false;
  for (size_t k = 0; k < panel->n_layers; k++) {
    heat = panel->layers[k].kind == PF_LAYER_HEAT ? &panel->layers[k] : heat;
    any = any || has_points(&panel->axes, &panel->layers[k]);
  }
  (void)fputs("reset\nset encoding utf8\nset style data lines\n", out);
  (void)fprintf(
      out,
      "set border 3 lc rgb '#7F7F7F'\nset tics nomirror out scale 0.5 font ',11' tc rgb '%s'\n",
      ink);
  (void)fputs(stacked ? "set lmargin 9\nset rmargin 3\n" : "",
              out); /* one below the other: axes in line */
  (void)fputs("set format '%g'\nset grid lc rgb '#E8E8E8' lt 1 lw 1\n", out);
  if (panel->axes.title != NULL) {
    (void)fputs("set title ", out);
    write_quoted(panel->axes.title, out);
    (void)fprintf(out, " offset 0,-0.5 tc rgb '%s'\n", ink);
  }
  if (!any) {
    (void)fprintf(
        out,
        "unset key\nunset tics\nunset border\nset xrange [0:1]\nset yrange [0:1]\n"
        "set label 1 'no data' at graph 0.5, graph 0.5 center tc rgb '%s'\nplot NaN notitle\n",
        ink);
    return;
  }
  write_legend(panel, out);
  if (heat != NULL) {
    heat_axes(heat, out);
  }
  fit_x(panel, width, out);
  axis_of('x', &panel->axes.x, width, out);
  axis_of('y', &panel->axes.y, width, out);
  if (heat != NULL) {
    heat_ranges(heat, out);
  }
  if (panel->axes.y.low >= panel->axes.y.high && stands_on_zero(panel)) {
    (void)fputs("set yrange [0:*]\n", out);
  }
  for (size_t k = 0; k < panel->n_layers; k++) {
    write_decoration(&panel->layers[k], k + 2, out);
  }
  data_blocks(panel, out);
  draw_layers(panel, out);
}

/* ---- figures ---- */

static void draw_figure(const pf_figure *figure, FILE *out)
{
  const int n = figure->n_panels > 0 ? (int)figure->n_panels : 1;
  const int wanted = figure->look.columns > 0 ? figure->look.columns : n < 3 ? n : 3;
  const int columns = wanted < n ? wanted : n;
  const int rows = (n + columns - 1) / columns;
  const int width = figure->look.panel_width > 0 ? figure->look.panel_width
                    : columns == 1               ? 640
                                                 : 900 / columns;
  const int height = figure->look.panel_height > 0 ? figure->look.panel_height : 260;
  (void)fprintf(
      out, "reset\nset encoding utf8\nset terminal svg size %d,%d noenhanced font 'sans-serif,13' ",
      width * columns, height * rows + (figure->look.title != NULL ? 24 : 0));
  (void)fputs("background '#FFFFFF'\nset output\n", out);
  (void)fprintf(out, "set multiplot layout %d,%d", rows, columns);
  if (figure->look.title != NULL) {
    (void)fputs(" title ", out);
    write_quoted(figure->look.title, out);
    (void)fprintf(out, " font ',14' tc rgb '%s'", ink);
  }
  (void)fputc('\n', out);
  for (size_t k = 0; k < figure->n_panels; k++) {
    draw_panel(figure->panels[k], (double)width, columns == 1 && rows > 1, out);
  }
  (void)fputs("unset multiplot\n", out);
}

void pf_figures_script(const pf_figures *figures, FILE *out)
{
  for (size_t i = 0; i < figures->n; i++) {
    draw_figure(figures->figures[i], out);
  }
}
