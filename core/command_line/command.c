#define _POSIX_C_SOURCE 200809L

#include "core/command_line/command.h"

#include "core/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** "plastfit:" in red, of a warning in yellow, where somebody looks at a terminal that has colours
 * and has not said NO_COLOR (no-color.org). Past stderr, which shows control characters (guard.h).
 */
static void print_name(int code)
{
  static const char red[] = "\033[1;31mplastfit:\033[0m ", yellow[] = "\033[1;33mplastfit:\033[0m ";
  const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
  if (!isatty(STDERR_FILENO) || (no_color != NULL && no_color[0] != '\0') || term == NULL ||
      strcmp(term, "dumb") == 0) {
    (void)fputs("plastfit: ", stderr);
    return;
  }
  (void)fflush(stderr);
  const char *text = code == PF_EXIT_DONE ? yellow : red;
  (void)!write(STDERR_FILENO, text, strlen(text));
}

int pf_cli_say(int code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  print_name(code);
  (void)vfprintf(stderr, format, args);
  (void)fputc('\n', stderr);
  va_end(args);
  return code;
}

int pf_cli_is_help(const char *argument)
{
  return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int pf_cli_unknown(const char *name, const char *argument, pf_names known)
{
  const char *nearest = pf_text_nearest(argument, known);
  return pf_cli_say(PF_EXIT_MISUSED, "%s has no option '%s'%s%s%s (plastfit %s --help lists them)",
                    name, argument, nearest == NULL ? "" : "; did you mean '",
                    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?", name);
}
