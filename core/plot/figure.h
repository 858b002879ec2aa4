/*
 * Figures: the one way to gnuplot.
 *
 * Collect any number of figures, each of one or more panels, each of any number of layers;
 * pf_figures_render then draws all of them in one gnuplot process (its start takes longer than a
 * figure). Panels and layers copy what they are given.
 *
 *     pf_figures *figures = pf_figures_new(error);
 *     pf_figure_look look = {.caption = "Where the starts ended"};
 *     pf_figure *figure = pf_figures_add(figures, "waterfall", look);
 *     pf_axes axes = {.x = {.label = "start"}, .y = {.label = "data term"}};
 *     pf_panel *panel = pf_figure_panel(figure, axes);
 *     pf_panel_points(panel, (pf_mark){.colour = PF_BLUE, .label = "Fly1"}, x, y, n);
 *     status = pf_figures_render(figures, "runs/fly.part/figures", error);  // waterfall.svg
 *     pf_figures_free(figures);
 *
 * - The first failure (memory) is kept and makes the calls after it do nothing; pf_figures_render
 *   reports it. So panels and figures MAY be NULL where those above failed.
 * - gnuplot is found on PATH; PLASTFIT_GNUPLOT names another. Without one: one warning line on
 *   stderr, no figure, PF_OK, pf_figures_plotted() false. Nothing else depends on figures.
 *   PLASTFIT_GNUPLOT set but empty: no figures, and no warning.
 * - The same calls give the same bytes. No temporary file is left, whatever happens.
 * - Text is UTF-8 and taken as it is ("a_b", "<", "&", quotes); what is no UTF-8 becomes "?".
 * - NaN and infinities are gaps. A layer of no finite point draws nothing; a panel of none says "no
 *   data".
 * - Colours are those of Okabe & Ito (2008), told apart with any colour vision; heat maps are
 *   cividis (sequential, Nuñez et al. 2018) and blue-white-vermillion (diverging).
 */
#ifndef PLASTFIT_CORE_PLOT_FIGURE_H
#define PLASTFIT_CORE_PLOT_FIGURE_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

typedef struct pf_figures pf_figures;
typedef struct pf_figure pf_figure;
typedef struct pf_panel pf_panel;

enum pf_colour {
  PF_BLUE = 0,
  PF_VERMILLION = 1,
  PF_GREEN = 2,
  PF_ORANGE = 3,
  PF_SKY = 4,
  PF_PURPLE = 5,
  PF_YELLOW = 6,
  PF_BLACK = 7,
  PF_N_SERIES_COLOURS = 8, /**< series k: k % 8 */
  PF_GREY = 8,
  PF_PALE = 9 /**< light grey, for what stands behind */
};

/** How a figure looks on the page. Zeros are defaults. */
typedef struct pf_figure_look {
  const char *title;   /**< above all panels, or NULL */
  const char *caption; /**< kept for the report: what one sees, one or two sentences; NULL: none */
  int columns;         /**< panels side by side; 0: all of them up to 3 */
  int panel_width;     /**< pixels; 0: as fits a page 900 wide */
  int panel_height;    /**< pixels; 0: 260 */
} pf_figure_look;

typedef struct pf_axis {
  const char *label;
  double low, high;         /**< both 0: from the data */
  bool logarithmic;         /**< what is not positive is a gap */
  bool no_ticks;            /**< no numbers along it */
  bool is_whole;            /**< whole numbers only */
  bool is_share;            /**< numbers at 0, 0.25, ..., 1 only, wherever it ends */
  const char *const *ticks; /**< [n_ticks] names at 0, 1, 2, ... in place of numbers; copied */
  size_t n_ticks;
} pf_axis;

typedef struct pf_axes {
  const char *title; /**< above the panel, or NULL */
  pf_axis x, y;
  bool legend_outside; /**< right of the panel rather than above it; always so for more than six
                          labelled layers */
  bool no_legend;
} pf_axes;

/** How a layer is drawn. Zeros are defaults. */
typedef struct pf_mark {
  int colour;        /**< enum pf_colour */
  const char *label; /**< in the legend; NULL: not there */
  double width;      /**< of lines, pixels; 0: 1.5 */
  double size;       /**< of points; 0: 1 */
  double opacity;    /**< 0: 1 */
  bool dashed;
  bool hollow; /**< points that are rings */
} pf_mark;

pf_figures *pf_figures_new(pf_error *error);
void pf_figures_free(pf_figures *figures);
/** A figure; `name` (letters, digits, '-', '_') is its file's, without ".svg". */
pf_figure *pf_figures_add(pf_figures *figures, const char *name, pf_figure_look look);
pf_panel *pf_figure_panel(pf_figure *figure, pf_axes axes);

/* Layers, drawn in the order in which they are added. x NULL: 0, 1, 2, ... */
void pf_panel_line(pf_panel *panel, pf_mark mark, const double *x, const double *y, size_t n);
void pf_panel_points(pf_panel *panel, pf_mark mark, const double *x, const double *y, size_t n);
/** Points with a vertical interval each; all [n]. */
typedef struct pf_intervals {
  const double *x, *y, *low, *high;
  size_t n;
} pf_intervals;
void pf_panel_intervals(pf_panel *panel, pf_mark mark, pf_intervals intervals);
/** The area between two curves (opacity 0: 0.2). */
void pf_panel_band(pf_panel *panel, pf_mark mark, const double *x, const double *low,
                   const double *high, size_t n);
/** How many of the values fall into each of n_bins equal bins between their extremes (n_bins 0: by
 * their number). */
void pf_panel_histogram(pf_panel *panel, pf_mark mark, const double *values, size_t n,
                        size_t n_bins);
/** Straight lines from (x0, y0) to (x1, y1), ticks of a raster, pairs; all [n]. */
typedef struct pf_segments {
  const double *x0, *y0, *x1, *y1;
  size_t n;
} pf_segments;
void pf_panel_segments(pf_panel *panel, pf_mark mark, pf_segments segments);
/** A line across the whole panel at x (or y). */
void pf_panel_vertical(pf_panel *panel, pf_mark mark, double x);
void pf_panel_horizontal(pf_panel *panel, pf_mark mark, double y);
/** The stretch of x between two values, from the bottom to the top of the panel, behind all layers
 * (opacity 0: 0.1). */
void pf_panel_shade(pf_panel *panel, pf_mark mark, double from, double to);
/** Text centred at x, at height `at` of the panel: 0 bottom, 1 top. mark.size: of the font, 0: 1.
 */
void pf_panel_text(pf_panel *panel, pf_mark mark, double x, double at, const char *text);
/** A heat map: row 0 is at the top, row centres are at y = 0, 1, ..., columns at x = 0, 1, ... */
typedef struct pf_heat {
  const double *cells; /**< [rows][columns]; NaN: grey */
  size_t rows, columns;
  double low, high; /**< of the scale; both 0: from the data */
  bool diverging;   /**< white is 0, and the scale symmetric */
  const char *scale_label;
} pf_heat;
/** One for each panel. More than 128 rows (columns): every k-th is shown. */
void pf_panel_heat(pf_panel *panel, pf_heat heat);

/** Draw all figures as FOLDER/NAME.svg, with their data in FOLDER/NAME.csv; the folder is made if
 * need be. See above for what happens without gnuplot. */
pf_status pf_figures_render(pf_figures *figures, const char *folder, pf_error *error);
/** Did pf_figures_render draw? */
bool pf_figures_plotted(const pf_figures *figures);

/* What the report asks. */
size_t pf_figures_count(const pf_figures *figures);
const char *pf_figures_name(const pf_figures *figures, size_t i);
const char *pf_figures_caption(const pf_figures *figures, size_t i);
/** The drawn SVG of figure i as an element to stand in HTML (no XML head, ids of its own), or NULL.
 * The set's. */
const char *pf_figures_svg(const pf_figures *figures, size_t i);

#endif
