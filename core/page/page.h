/* A page of HTML as it grows: text escaped, tables, figures drawn before. */
#ifndef PLASTFIT_CORE_PAGE_PAGE_H
#define PLASTFIT_CORE_PAGE_PAGE_H

#include "core/base/text.h"
#include "core/plot/figure.h"

/** Head, style and the page's title. */
void pf_page_begin(pf_text *page, const char *title);
void pf_page_end(pf_text *page);
/** Text with < > & " taken as they are. */
void pf_page_text(pf_text *page, const char *text);
/** A heading, and a paragraph under it unless it is NULL. */
void pf_page_heading(pf_text *page, const char *title, const char *paragraph);
void pf_page_paragraph(pf_text *page, const char *text);

/** Tables: begin with the names of the columns, then cell by cell; numbers right, NaN as a dash. */
void pf_page_table(pf_text *page, const char *const *columns, size_t n);
/** The same, all but the first n_text columns being of numbers. */
void pf_page_table_of_numbers(pf_text *page, const char *const *columns, size_t n, size_t n_text);
void pf_page_row(pf_text *page);
void pf_page_cell(pf_text *page, const char *text);
void pf_page_number(pf_text *page, double value);
void pf_page_table_end(pf_text *page);

/** What is long stands folded under one line. */
void pf_page_fold(pf_text *page, const char *summary);
void pf_page_fold_end(pf_text *page);
/** config.cfg of a folder, folded. */
void pf_page_config(pf_text *page, const char *folder);

/**
 * The figure of that name, or every one whose name starts with it where it ends in '-', with its
 * caption; those after the first `open` folded. How many there were; without figures (no gnuplot):
 * one line says so.
 */
size_t pf_page_figures(pf_text *page, const pf_figures *figures, const char *which, size_t open);

#endif
