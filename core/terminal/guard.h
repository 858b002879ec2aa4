/* What the program prints cannot command the terminal. */
#ifndef PLASTFIT_CORE_TERMINAL_GUARD_H
#define PLASTFIT_CORE_TERMINAL_GUARD_H

#include <stddef.h>

/**
 * From now on stdout and stderr show control characters as their hexadecimal codes, all but newline
 * and tab: names come out of other people's files, and escape sequences in them must not reach the
 * terminal. One place for all messages and tables. Where the C library cannot do it (not glibc),
 * nothing changes.
 */
void pf_terminal_guard(void);

/** State between two pieces of text: half a character of UTF-8. */
typedef struct pf_guard_state {
  int has_c2; /**< the byte that may begin one of the control characters U+0080 to U+009F */
} pf_guard_state;

/** The text as it is shown, into out [capacity >= 4 n + 4]; bytes written. */
size_t pf_guard_text(pf_guard_state *state, const char *text, size_t n, char *out);

#endif
