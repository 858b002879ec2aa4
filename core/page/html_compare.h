/* The page of a comparison. */
#ifndef PLASTFIT_CORE_PAGE_HTML_COMPARE_H
#define PLASTFIT_CORE_PAGE_HTML_COMPARE_H

#include "core/base/text.h"

pf_status pf_html_compare(const char *folder, pf_text *page, pf_error *error);

#endif
