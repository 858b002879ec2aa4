/* The box at the head of a run's page: what was found, how sure, and so on, in a few sentences. */
#ifndef PLASTFIT_CORE_PAGE_HTML_VERDICT_H
#define PLASTFIT_CORE_PAGE_HTML_VERDICT_H

#include "core/page/page.h"

#include <jansson.h>

/** From summary.json alone. */
void pf_html_verdict(pf_text *page, const json_t *summary);

#endif
