/* What figures are made of: between figure_layers.c (collects), figure_script.c (writes for
 * gnuplot) and figure_draw.c (runs it).
 */
#ifndef PLASTFIT_CORE_PLOT_FIGURE_PARTS_H
#define PLASTFIT_CORE_PLOT_FIGURE_PARTS_H

#include "core/plot/figure.h"

enum pf_layer_kind {
  PF_LAYER_LINE,
  PF_LAYER_POINTS,
  PF_LAYER_INTERVALS,
  PF_LAYER_BAND,
  PF_LAYER_BARS,
  PF_LAYER_SEGMENTS,
  PF_LAYER_VERTICAL,
  PF_LAYER_HORIZONTAL,
  PF_LAYER_SHADE,
  PF_LAYER_TEXT,
  PF_LAYER_HEAT
};

enum { PF_LAYER_COLUMNS = 4 };

typedef struct pf_layer {
  enum pf_layer_kind kind;
  pf_mark mark; /**< label: own copy */
  /** x, y; intervals x, y, low, high; bands x, low, high; bars x, y; segments x0, y0, x1, y1; heat:
   * cells */
  double *columns[PF_LAYER_COLUMNS];
  size_t n;
  double a, b; /**< bars: width; lines across: where; shades: from, to; text: x, height; heat: low,
                  high */
  char *text;  /**< of PF_LAYER_TEXT; heat: label of the scale */
  size_t rows, row_step, column_step; /**< heat: shown rows; every k-th of the given */
  bool diverging;
} pf_layer;

struct pf_panel {
  struct pf_figure *figure;
  pf_axes axes; /**< strings and ticks: own copies */
  pf_layer *layers;
  size_t n_layers, capacity;
};

struct pf_figure {
  struct pf_figures *set;
  char *name;
  pf_figure_look look; /**< strings: own copies */
  pf_panel **panels;
  size_t n_panels, capacity;
  char *svg; /**< once drawn */
};

struct pf_figures {
  pf_figure **figures;
  size_t n, capacity;
  pf_error error; /**< the first failure */
  bool drawn;
};

/** The commands that draw all figures, one SVG after the other, to gnuplot's standard output. */
void pf_figures_script(const pf_figures *figures, FILE *out);
/** The data of one figure: a row for each point. */
void pf_figure_csv(const pf_figure *figure, FILE *out);

#endif
