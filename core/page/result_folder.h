/* A folder of results, as the pages read it: files by name, JSON by key. */
#ifndef PLASTFIT_CORE_PAGE_RESULT_FOLDER_H
#define PLASTFIT_CORE_PAGE_RESULT_FOLDER_H

#include "core/page/page.h"
#include "core/readers/sheet.h"

#include <jansson.h>
#include <math.h>

enum { PF_HTML_PATH = 4096 };

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
/** config.cfg, folded. */
void pf_html_config(pf_text *page, const char *folder);
/** Draw into FOLDER/figures. */
pf_status pf_html_render(const char *folder, pf_figures *figures, pf_error *error);

#endif
