/* Small things with strings: a growing text, the nearest name, names in natural order. */
#ifndef PLASTFIT_CORE_BASE_TEXT_H
#define PLASTFIT_CORE_BASE_TEXT_H

#include <plastfit/abi/base.h>

/** A text that grows. Start from {0}; after a failed append `failed` is set and text is as before.
 */
typedef struct pf_text {
  char *text; /**< NULL while empty */
  size_t length, capacity;
  int failed;
} pf_text;

PF_PRINTF(2, 3) void pf_text_add(pf_text *text, const char *format, ...);
void pf_text_free(pf_text *text);

/** The candidate nearest to `name` (edit distance with transpositions), or NULL when none is near
 * enough to suggest. */
const char *pf_text_nearest(const char *name, pf_names candidates);

/** strcmp, but runs of digits compare as numbers: Fly2 before Fly10. */
int pf_text_natural_compare(const char *a, const char *b);

/** The folder that a path lies in, "." where it names none, into `out`. */
void pf_text_folder_of(const char *path, char *out, size_t capacity);

#endif
