/*
 * The folder `figures` of a run folder. All figures are drawn into `figures.part`, which then takes
 * the place of `figures` at once: whoever looks sees the figures of before or the new ones, never
 * some of both.
 */
#ifndef PLASTFIT_CORE_FIGURES_FIGURE_FOLDER_H
#define PLASTFIT_CORE_FIGURES_FIGURE_FOLDER_H

#include "core/plot/figure.h"

/** Draw into FOLDER/figures.part. What a process that died left there is removed first. */
pf_status pf_figure_folder_draw(const char *folder, pf_figures *figures, pf_error *error);
/**
 * FOLDER/figures.part becomes FOLDER/figures; nothing where nothing was drawn. One figure after the
 * other where `figures` is a link, holds files that are no figures, or lies on a file system that
 * cannot exchange two folders.
 */
pf_status pf_figure_folder_place(const char *folder, pf_error *error);
/** Remove what was drawn and not placed. */
void pf_figure_folder_drop(const char *folder);

#endif
