/*
 * report.html: one self-contained file made from what a folder of results holds, so that it can be
 * made again at any time without refitting. Figures stand in it as SVG, and as files in figures/.
 */
#ifndef PLASTFIT_CORE_PAGE_HTML_H
#define PLASTFIT_CORE_PAGE_HTML_H

#include <plastfit/abi/base.h>

/**
 * Read FOLDER (a run, or a comparison), draw its figures and write FOLDER/report.html, each file
 * whole or not at all. Without gnuplot: one warning line, and a page without figures. A part that
 * is missing (no trajectories.h5, say) is left out. PF_STOP: no such results, files that cannot be
 * read as what they are, or cannot be written.
 */
pf_status pf_html_write(const char *folder, pf_error *error);

#endif
