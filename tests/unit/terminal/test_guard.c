/* core/terminal/guard: control characters are shown, text is left as it is. */
#include "core/terminal/guard.h"

#include <criterion/criterion.h>
#include <string.h>

/* The text in pieces of `piece` bytes. */
static const char *guarded(const char *text, size_t piece)
{
  static char out[1024];
  pf_guard_state state = {0};
  size_t length = 0;
  for (size_t i = 0; i < strlen(text); i += piece) {
    const size_t left = strlen(text) - i;
    length += pf_guard_text(&state, text + i, left < piece ? left : piece, out + length);
  }
  out[length] = '\0';
  return out;
}

Test(terminal_guard, control_characters_are_shown)
{
  static const struct {
    const char *text, *shown;
  } cases[] = {
      {"plain, \"quoted\"\ttab\nline", "plain, \"quoted\"\ttab\nline"},
      {"\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"},
      {"over\rwritten\b\a\177", "over\\x0dwritten\\x08\\x07\\x7f"},
      {"csi \302\233 31m", "csi \\x9b 31m"}, /* U+009B */
      {"caf\303\251 \302\265m \302",
       "caf\303\251 \302\265m "}, /* half a character waits for its end */
  };
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    for (size_t piece = 1; piece < 8; piece++) {
      cr_assert_str_eq(guarded(cases[k].text, piece), cases[k].shown);
    }
  }
}
