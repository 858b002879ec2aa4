/* The page of a run. */
#ifndef PLASTFIT_CORE_PAGE_HTML_RUN_H
#define PLASTFIT_CORE_PAGE_HTML_RUN_H

#include "core/base/text.h"

pf_status pf_html_run(const char *folder, pf_text *page, pf_error *error);

#endif
