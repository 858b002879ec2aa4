/* The part of a comparison's page about the selection of terms; nothing where there is none. */
#ifndef PLASTFIT_CORE_PAGE_HTML_SELECT_H
#define PLASTFIT_CORE_PAGE_HTML_SELECT_H

#include "core/page/page.h"

#include <jansson.h>

/** Of a comparison's summary.json: the paths of a selection of terms. */
pf_status pf_html_plot_selection(const json_t *summary, pf_figures *figures, pf_error *error);
void pf_html_write_selection(pf_text *page, const json_t *summary, const pf_figures *figures);

#endif
