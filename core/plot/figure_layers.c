#include "core/base/memory.h"
#include "core/plot/figure.h"
#include "core/plot/figure_parts.h"

#include <math.h>
#include <string.h>

/* ---- text ---- */

/** Bytes of the UTF-8 character at c, 0 where it is none: overlong forms,
 * surrogates, and what XML does not have or advises against (U+FFFE, U+FFFF, U+0080 to U+009F). */
static size_t character_length(const unsigned char *c)
{
  if (c[0] < 0x80) {
    return c[0] >= 0x20 && c[0] != 0x7f ? 1 : 0;
  }
  const size_t length = c[0] >= 0xf0 && c[0] < 0xf5 ? 4 : c[0] >= 0xe0 ? 3 : c[0] >= 0xc2 ? 2 : 0;
  if (c[0] >= 0xf5 || length == 0) {
    return 0;
  }
  for (size_t i = 1; i < length; i++) {
    if ((c[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
  const bool none = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90) ||
                    (c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe) || (c[0] == 0xc2 && c[1] < 0xa0);
  return overlong || none ? 0 : length;
}

/** A copy in which what cannot stand in an XML text is '?' (control characters: a space). */
static char *clean_text(const char *text, pf_error *error)
{
  char *copy = pf_memory_string(text, error);
  for (unsigned char *c = (unsigned char *)copy; c != NULL && *c != '\0';) {
    const size_t length = character_length(c);
    if (length == 0) {
      *c = *c < 0x20 || *c == 0x7f ? ' ' : '?';
    }
    c += length == 0 ? 1 : length;
  }
  return copy;
}

/* ---- sets and figures ---- */

/** Room for one more pointer or struct in a list; false: the set has failed. */
static bool grow_items(pf_figures *set, void **items, size_t size, size_t n, size_t *capacity)
{
  if (n < *capacity) {
    return true;
  }
  const size_t more = *capacity == 0 ? 8 : *capacity * 2;
  void *grown = pf_memory_need(more, size, &set->error);
  if (grown == NULL) {
    return false;
  }
  if (n > 0) {
    memcpy(grown, *items, n * size);
  }
  pf_memory_free(*items);
  *items = grown;
  *capacity = more;
  return true;
}

static bool has_failed(const pf_figures *set)
{
  return set->error.text[0] != '\0';
}

pf_figures *pf_figures_new(pf_error *error)
{
  pf_figures *set = pf_memory_need(1, sizeof *set, error);
  if (set != NULL) {
    set->error = pf_error_none();
  }
  return set;
}

pf_figure *pf_figures_add(pf_figures *set, const char *name, pf_figure_look look)
{
  if (set == NULL || has_failed(set) ||
      !grow_items(set, (void **)&set->figures, sizeof(pf_figure *), set->n, &set->capacity)) {
    return NULL;
  }
  pf_figure *figure = pf_memory_need(1, sizeof *figure, &set->error);
  if (figure == NULL) {
    return NULL;
  }
  set->figures[set->n++] = figure;
  figure->set = set;
  figure->look = look;
  figure->look.title = clean_text(look.title, &set->error);
  figure->look.caption = clean_text(look.caption, &set->error);
  figure->name = pf_memory_string(name, &set->error);
  return has_failed(set) ? NULL : figure;
}

/** Own copies of an axis's texts. */
static void keep_axis(pf_axis *axis, pf_error *error)
{
  axis->label = clean_text(axis->label, error);
  const char *const *given = axis->ticks;
  if (given == NULL || axis->n_ticks == 0) {
    axis->ticks = NULL;
    axis->n_ticks = 0;
    return;
  }
  char **ticks = pf_memory_need(axis->n_ticks, sizeof *ticks, error);
  for (size_t i = 0; ticks != NULL && i < axis->n_ticks; i++) {
    ticks[i] = clean_text(given[i], error);
  }
  axis->ticks = (const char *const *)ticks;
  axis->n_ticks = ticks != NULL ? axis->n_ticks : 0;
}

pf_panel *pf_figure_panel(pf_figure *figure, pf_axes axes)
{
  if (figure == NULL || has_failed(figure->set) ||
      !grow_items(figure->set, (void **)&figure->panels, sizeof(pf_panel *), figure->n_panels,
                  &figure->capacity)) {
    return NULL;
  }
  pf_error *error = &figure->set->error;
  pf_panel *panel = pf_memory_need(1, sizeof *panel, error);
  if (panel == NULL) {
    return NULL;
  }
  figure->panels[figure->n_panels++] = panel;
  panel->figure = figure;
  panel->axes = axes;
  panel->axes.title = clean_text(axes.title, error);
  keep_axis(&panel->axes.x, error);
  keep_axis(&panel->axes.y, error);
  return has_failed(figure->set) ? NULL : panel;
}

static void free_axis(pf_axis *axis)
{
  pf_memory_free((void *)axis->label);
  for (size_t i = 0; i < axis->n_ticks; i++) {
    pf_memory_free((void *)axis->ticks[i]);
  }
  pf_memory_free((void *)axis->ticks);
}

static void free_panel(pf_panel *panel)
{
  for (size_t i = 0; i < panel->n_layers; i++) {
    for (size_t k = 0; k < PF_LAYER_COLUMNS; k++) {
      pf_memory_free(panel->layers[i].columns[k]);
    }
    pf_memory_free((void *)panel->layers[i].mark.label);
    pf_memory_free(panel->layers[i].text);
  }
  pf_memory_free(panel->layers);
  pf_memory_free((void *)panel->axes.title);
  free_axis(&panel->axes.x);
  free_axis(&panel->axes.y);
  pf_memory_free(panel);
}

void pf_figures_free(pf_figures *set)
{
  for (size_t i = 0; set != NULL && i < set->n; i++) {
    pf_figure *figure = set->figures[i];
    for (size_t k = 0; k < figure->n_panels; k++) {
      free_panel(figure->panels[k]);
    }
    pf_memory_free(figure->panels);
    pf_memory_free((void *)figure->look.title);
    pf_memory_free((void *)figure->look.caption);
    pf_memory_free(figure->name);
    pf_memory_free(figure->svg);
    pf_memory_free(figure);
  }
  if (set != NULL) {
    pf_memory_free(set->figures);
    pf_memory_free(set);
  }
}

/* ---- layers ---- */

/** A new layer with copies of up to four columns; NULL x (and only x): 0, 1, 2, ... */
static pf_layer *add_layer(pf_panel *panel, enum pf_layer_kind kind, pf_mark mark,
                           const double *const *columns, size_t n_columns, size_t n)
{
  if (panel == NULL || has_failed(panel->figure->set) ||
      !grow_items(panel->figure->set, (void **)&panel->layers, sizeof(pf_layer), panel->n_layers,
                  &panel->capacity)) {
    return NULL;
  }
  pf_error *error = &panel->figure->set->error;
  pf_layer *layer = &panel->layers[panel->n_layers++];
  *layer = (pf_layer){.kind = kind, .mark = mark, .n = n};
  layer->mark.label = clean_text(mark.label, error);
  for (size_t k = 0; k < n_columns; k++) {
    layer->columns[k] = pf_memory_need(n, sizeof(double), error);
    for (size_t i = 0; layer->columns[k] != NULL && i < n; i++) {
      layer->columns[k][i] = columns[k] != NULL ? columns[k][i] : (double)i;
    }
  }
  return has_failed(panel->figure->set) ? NULL : layer;
}

void pf_panel_line(pf_panel *panel, pf_mark mark, const double *x, const double *y, size_t n)
{
  (void)add_layer(panel, PF_LAYER_LINE, mark, (const double *const[]){x, y}, 2, n);
}

void pf_panel_points(pf_panel *panel, pf_mark mark, const double *x, const double *y, size_t n)
{
  (void)add_layer(panel, PF_LAYER_POINTS, mark, (const double *const[]){x, y}, 2, n);
}

void pf_panel_intervals(pf_panel *panel, pf_mark mark, pf_intervals of)
{
  (void)add_layer(panel, PF_LAYER_INTERVALS, mark,
                  (const double *const[]){of.x, of.y, of.low, of.high}, 4, of.n);
}

void pf_panel_band(pf_panel *panel, pf_mark mark, const double *x, const double *low,
                   const double *high, size_t n)
{
  (void)add_layer(panel, PF_LAYER_BAND, mark, (const double *const[]){x, low, high}, 3, n);
}

/** Bars from 0 to y, `width` of the x axis wide. */
static void add_bars(pf_panel *panel, pf_mark mark, const double *x, const double *y, size_t n,
                     double width)
{
  pf_layer *layer = add_layer(panel, PF_LAYER_BARS, mark, (const double *const[]){x, y}, 2, n);
  if (layer != NULL) {
    layer->a = width;
  }
}

void pf_panel_histogram(pf_panel *panel, pf_mark mark, const double *values, size_t n,
                        size_t n_bins)
{
  double low = INFINITY;
  double high = -INFINITY;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (isfinite(values[i])) {
      low = fmin(low, values[i]);
      high = fmax(high, values[i]);
      count++;
    }
  }
  enum { MAX_BINS = 200 };
  double x[MAX_BINS];
  double y[MAX_BINS] = {0.0};
  size_t bins =
      n_bins > 0 ? n_bins : 1 + (size_t)ceil(2.0 * cbrt((double)count)); /* Rice's rule, and one */
  bins = bins < MAX_BINS ? bins : MAX_BINS;
  const double width = high > low ? (high - low) / (double)bins : 1.0;
  for (size_t i = 0; i < n; i++) {
    if (isfinite(values[i])) {
      const size_t bin = (size_t)((values[i] - low) / width);
      y[bin < bins ? bin : bins - 1] += 1.0;
    }
  }
  bins = count == 0 ? 0 : high > low ? bins : 1;
  for (size_t k = 0; k < bins; k++) {
    x[k] = low + ((double)k + (high > low ? 0.5 : 0.0)) * width;
  }
  add_bars(panel, mark, x, y, bins, width);
}

void pf_panel_segments(pf_panel *panel, pf_mark mark, pf_segments of)
{
  (void)add_layer(panel, PF_LAYER_SEGMENTS, mark,
                  (const double *const[]){of.x0, of.y0, of.x1, of.y1}, 4, of.n);
}

static void add_across(pf_panel *panel, enum pf_layer_kind kind, pf_mark mark, double a, double b,
                       const char *text)
{
  pf_layer *layer = isfinite(a) && isfinite(b) ? add_layer(panel, kind, mark, NULL, 0, 0) : NULL;
  if (layer != NULL) {
    layer->a = a;
    layer->b = b;
    layer->text = clean_text(text, &panel->figure->set->error);
  }
}

void pf_panel_vertical(pf_panel *panel, pf_mark mark, double x)
{
  add_across(panel, PF_LAYER_VERTICAL, mark, x, 0.0, NULL);
}

void pf_panel_horizontal(pf_panel *panel, pf_mark mark, double y)
{
  add_across(panel, PF_LAYER_HORIZONTAL, mark, y, 0.0, NULL);
}

void pf_panel_shade(pf_panel *panel, pf_mark mark, double from, double to)
{
  add_across(panel, PF_LAYER_SHADE, mark, from, to, NULL);
}

void pf_panel_text(pf_panel *panel, pf_mark mark, double x, double at, const char *text)
{
  add_across(panel, PF_LAYER_TEXT, mark, x, at, text);
}

void pf_panel_heat(pf_panel *panel, pf_heat heat)
{
  enum { MAX = 128 };
  const size_t rows = heat.rows, columns = heat.columns;
  const size_t row_step = rows / (MAX + 1) + 1;
  const size_t column_step = columns / (MAX + 1) + 1;
  const size_t shown_rows = rows == 0 ? 0 : (rows - 1) / row_step + 1;
  const size_t shown_columns = columns == 0 ? 0 : (columns - 1) / column_step + 1;
  pf_layer *layer = add_layer(panel, PF_LAYER_HEAT, (pf_mark){0}, (const double *const[]){NULL}, 1,
                              shown_rows * shown_columns);
  if (layer == NULL) {
    return;
  }
  double least = INFINITY;
  double most = -INFINITY;
  for (size_t i = 0; i < shown_rows; i++) {
    for (size_t j = 0; j < shown_columns; j++) {
      const double value = heat.cells[i * row_step * columns + j * column_step];
      layer->columns[0][i * shown_columns + j] = value;
      least = isfinite(value) ? fmin(least, value) : least;
      most = isfinite(value) ? fmax(most, value) : most;
    }
  }
  const bool given = heat.low < heat.high;
  layer->a = given ? heat.low : least;
  layer->b = given ? heat.high : most;
  if (heat.diverging && !given) {
    layer->b = fmax(fabs(least), fabs(most));
    layer->a = -layer->b;
  }
  if (!(layer->a < layer->b)) { /* nothing varies, or nothing is there */
    layer->a = isfinite(least) ? least - 0.5 : 0.0;
    layer->b = layer->a + 1.0;
  }
  layer->rows = shown_rows;
  layer->row_step = row_step;
  layer->column_step = column_step;
  layer->diverging = heat.diverging;
  layer->text = clean_text(heat.scale_label, &panel->figure->set->error);
}

/* ---- what the report asks ---- */

bool pf_figures_plotted(const pf_figures *set)
{
  return set != NULL && set->drawn;
}

size_t pf_figures_count(const pf_figures *set)
{
  return set != NULL ? set->n : 0;
}

const char *pf_figures_name(const pf_figures *set, size_t i)
{
  return set->figures[i]->name;
}

const char *pf_figures_caption(const pf_figures *set, size_t i)
{
  return set->figures[i]->look.caption;
}

const char *pf_figures_svg(const pf_figures *set, size_t i)
{
  return set->figures[i]->svg;
}
