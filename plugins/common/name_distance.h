/* plugins/common/name_distance.h - how far one name is from another: for "did you mean ...?". */
#ifndef PLASTFIT_PLUGINS_COMMON_NAME_DISTANCE_H
#define PLASTFIT_PLUGINS_COMMON_NAME_DISTANCE_H

#include <stddef.h>
#include <string.h>

/** Insertions, deletions, exchanges and swaps of neighbours that make one name of the other. Names
 * of more than 63 letters are far from all others. */
static inline size_t name_distance(const char *a, const char *b)
{
  enum { LONGEST = 63 };
  size_t rows[3][LONGEST + 1];
  const size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) {
    return n + m;
  }
  size_t *before = rows[0], *last = rows[1], *row = rows[2];
  for (size_t j = 0; j <= m; j++) {
    before[j] = 0;
    last[j] = j;
  }
  for (size_t i = 1; i <= n; i++) {
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      const size_t exchanged = last[j - 1] + (a[i - 1] != b[j - 1]);
      const size_t inserted = (row[j - 1] < last[j] ? row[j - 1] : last[j]) + 1;
      row[j] = exchanged < inserted ? exchanged : inserted;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          before[j - 2] + 1 < row[j]) {
        row[j] = before[j - 2] + 1;
      }
    }
    size_t *spare = before;
    before = last;
    last = row;
    row = spare;
  }
  return last[m];
}

#endif
