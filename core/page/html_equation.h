/* The rules as equations, as summary.json has them. */
#ifndef PLASTFIT_CORE_PAGE_HTML_EQUATION_H
#define PLASTFIT_CORE_PAGE_HTML_EQUATION_H

#include "core/page/page.h"

#include <jansson.h>

/** Each rule's equation, the truth where it is known, and what the equation rests on. */
void pf_html_equations(pf_text *page, const json_t *summary);

/** An equation with its powers raised: x^2 becomes x<sup>2</sup>. */
void pf_html_powers(pf_text *page, const char *equation);

#endif
