/* Long texts in lines of a terminal. */
#ifndef PLASTFIT_CORE_TERMINAL_WRAP_H
#define PLASTFIT_CORE_TERMINAL_WRAP_H

#include <stdbool.h>
#include <stdio.h>

/** A text after a heading of `indent` columns, in lines of 100, broken at spaces (of an equation:
 * before a sign), the next lines indented by `indent`. */
void pf_print_wrapped(FILE *out, const char *text, int indent, bool equation);

#endif
