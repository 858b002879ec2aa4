#include "core/terminal/wrap.h"

#include <string.h>

enum { LINE_WIDTH = 100 };

/* Bytes up to where a line may end: a space; in an equation only one before a sign, so that terms
 * stay whole. */
static size_t piece_length(const char *text, bool equation)
{
  size_t length = strcspn(text, " ");
  while (equation && text[length] != '\0' && strncmp(&text[length], " + ", 3) != 0 &&
         strncmp(&text[length], " - ", 3) != 0) {
    length += 1 + strcspn(&text[length + 1], " ");
  }
  return length;
}

void pf_print_wrapped(FILE *out, const char *text, int indent, bool equation)
{
  int column = indent;
  const char *word = text;
  while (*word != '\0') {
    const size_t length = piece_length(word, equation);
    if (column > indent && column + (int)length + 1 > LINE_WIDTH) {
      (void)fprintf(out, "\n%*s", indent, "");
      column = indent;
    } else if (column > indent) {
      (void)fputc(' ', out);
      column++;
    }
    (void)fprintf(out, "%.*s", (int)length, word);
    column += (int)length;
    word += length;
    while (*word == ' ') {
      word++;
    }
  }
  (void)fputc('\n', out);
}
