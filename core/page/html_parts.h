/* Between html.c and the pages of each kind of folder. */
#ifndef PLASTFIT_CORE_PAGE_HTML_PARTS_H
#define PLASTFIT_CORE_PAGE_HTML_PARTS_H

#include "core/page/page.h"
#include "core/readers/sheet.h"

#include <jansson.h>
#include <math.h>

enum { PF_HTML_PATH = 4096 };

/** Pages: read the folder, draw its figures, and fill the page. */
pf_status pf_html_run(const char *folder, pf_text *page, pf_error *error);
pf_status pf_html_compare(const char *folder, pf_text *page, pf_error *error);

/** Of a comparison's summary.json: the paths of a selection of terms, where there is one. */
pf_status pf_html_plot_selection(const json_t *summary, pf_figures *figures, pf_error *error);
void pf_html_write_selection(pf_text *page, const json_t *summary, const pf_figures *figures);

/** Is there a file of that name in the folder? */
bool pf_html_has(const char *folder, const char *name);
/** A JSON file of the folder, to be given back with json_decref; NULL with the line written. */
json_t *pf_html_json(const char *folder, const char *name, pf_error *error);
/** A CSV file of the folder; *out NULL where there is none. */
pf_status pf_html_sheet(const char *folder, const char *name, const pf_names *wanted,
                        pf_sheet **out, pf_error *error);
/** Of an object: "" and NaN where there is none. */
const char *pf_html_string(const json_t *object, const char *key);
double pf_html_number(const json_t *object, const char *key);
/** Rules that are Taylor polynomials, as equations: medians over units, and the truth where it is
 * known. */
pf_status pf_html_equations(pf_text *page, const pf_sheet *theta, pf_error *error);
/** config.cfg, folded. */
void pf_html_config(pf_text *page, const char *folder);
/** Draw into FOLDER/figures. */
pf_status pf_html_render(const char *folder, pf_figures *figures, pf_error *error);

#endif
