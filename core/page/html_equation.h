/* Taylor rules as equations. */
#ifndef PLASTFIT_CORE_PAGE_HTML_EQUATION_H
#define PLASTFIT_CORE_PAGE_HTML_EQUATION_H

#include "core/page/page.h"
#include "core/readers/sheet.h"

/** Rules that are Taylor polynomials, as equations: medians over units, and the truth where it is
 * known. */
pf_status pf_html_equations(pf_text *page, const pf_sheet *theta, pf_error *error);

#endif
