/* plastfit/author/name_distance.h - how far one name is from another: for "did you mean ...?". */
#ifndef PLASTFIT_AUTHOR_NAME_DISTANCE_H
#define PLASTFIT_AUTHOR_NAME_DISTANCE_H

#include <stddef.h>
#include <string.h>

/** Longer names are not compared: nobody mistypes those by one letter. */
enum { PF_LONGEST_NAME = 63 };

/* Own, because <ctype.h> depends on the locale. */
static inline char pf_lower_case(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/** Insertions, deletions, exchanges and swaps of neighbours that make one name of the other
 * (optimal string alignment), blind to case. Names of more than PF_LONGEST_NAME letters are far
 * from all others. */
static inline size_t pf_name_distance(const char *a, const char *b)
{
  size_t rows[3][PF_LONGEST_NAME + 1];
  const size_t n = strlen(a), m = strlen(b);
  size_t *before = rows[0], *last = rows[1], *row = rows[2], i, j;
  if (n > PF_LONGEST_NAME || m > PF_LONGEST_NAME) {
    return n + m;
  }
  for (j = 0; j <= m; j++) {
    before[j] = 0;
    last[j] = j;
  }
  for (i = 1; i <= n; i++) {
    size_t *spare = before;
    row[0] = i;
    for (j = 1; j <= m; j++) {
      const char x = pf_lower_case(a[i - 1]), y = pf_lower_case(b[j - 1]);
      const size_t exchanged = last[j - 1] + (x != y ? 1 : 0);
      const size_t inserted = (row[j - 1] < last[j] ? row[j - 1] : last[j]) + 1;
      row[j] = exchanged < inserted ? exchanged : inserted;
      if (i > 1 && j > 1 && x == pf_lower_case(b[j - 2]) && pf_lower_case(a[i - 2]) == y &&
          before[j - 2] + 1 < row[j]) {
        row[j] = before[j - 2] + 1;
      }
    }
    before = last;
    last = row;
    row = spare;
  }
  return last[m];
}

#endif
