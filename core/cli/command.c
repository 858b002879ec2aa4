#include "core/cli/command.h"

#include "core/base/text.h"

#include <string.h>

int pf_cli_say(int code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  (void)fputs("plastfit: ", stderr);
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
