#define _POSIX_C_SOURCE 200809L

#include "core/cli/arguments.h"

#include "core/base/memory.h"
#include "core/cli/command.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 8 };

static int report_unknown(const pf_cli_syntax *syntax, const char *argument)
{
  const char *known[MAX_OPTIONS + 2];
  size_t n = 0;
  for (; n < syntax->n_options && n < MAX_OPTIONS; n++) {
    known[n] = syntax->options[n].name;
  }
  known[n++] = "--trust";
  known[n++] = "--help";
  return pf_cli_unknown(syntax->command, argument, (pf_names){known, n});
}

/** The option at argv[*i]; *i moves on over a value that stands in an argument of its own. */
static int take_option(const pf_cli_syntax *syntax, int argc, char **argv, int *i)
{
  const char *argument = argv[*i];
  for (size_t k = 0; k < syntax->n_options; k++) {
    const pf_cli_option *option = &syntax->options[k];
    const size_t length = strlen(option->name);
    if (option->flag != NULL && strcmp(argument, option->name) == 0) {
      *option->flag = true;
      return PF_EXIT_DONE;
    }
    if (option->value != NULL && strncmp(argument, option->name, length) == 0 &&
        (argument[length] == '\0' || argument[length] == '=')) {
      const char *next = *i + 1 < argc ? argv[*i + 1] : "";
      *option->value = argument[length] == '=' ? argument + length + 1 : next;
      *i += argument[length] == '\0';
      if ((*option->value)[0] == '\0') {
        return pf_cli_say(PF_EXIT_MISUSED, "%s: %s wants a value behind it", syntax->command,
                          option->name);
      }
      return PF_EXIT_DONE;
    }
  }
  return report_unknown(syntax, argument);
}

static int too_many(const pf_cli_syntax *syntax, const char *first, const char *second)
{
  const char *hint = syntax->takes_keys ? "a key is set with key=value" : NULL;
  if (syntax->second != NULL) {
    hint = syntax->second;
  }
  return pf_cli_say(PF_EXIT_MISUSED, "%s takes one %s, found '%s' and '%s'%s%s%s", syntax->command,
                    syntax->one, first, second, hint == NULL ? "" : " (", hint == NULL ? "" : hint,
                    hint == NULL ? "" : ")");
}

/** For this process; core/plugin/path.h asks. */
static int trust_plugins(void)
{
  if (setenv("PLASTFIT_TRUST", "1", 1) != 0) {
    return pf_cli_say(PF_EXIT_FAILED, "out of memory");
  }
  return PF_EXIT_DONE;
}

int pf_cli_parse(const pf_cli_syntax *syntax, int argc, char **argv, pf_cli_arguments *out)
{
  pf_error error = pf_error_none();
  bool options = true;
  int code = PF_EXIT_DONE;
  *out =
      (pf_cli_arguments){.overrides = pf_memory_need((size_t)argc, sizeof *out->overrides, &error)};
  if (out->overrides == NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  for (int i = 1; i < argc && code == PF_EXIT_DONE; i++) {
    const char *argument = argv[i];
    if (options && strcmp(argument, "--") == 0) {
      options = false;
    } else if (options && pf_cli_is_help(argument)) {
      out->help = true;
    } else if (options && strcmp(argument, "--trust") == 0) {
      code = trust_plugins();
    } else if (options && argument[0] == '-' && argument[1] != '\0') {
      code = take_option(syntax, argc, argv, &i);
    } else if (syntax->takes_keys && strchr(argument, '=') != NULL) {
      out->overrides[out->n_overrides++] = argument;
      if (strncmp(argument, "plugin_path=", strlen("plugin_path=")) == 0) {
        code = trust_plugins(); /* whoever names a folder here means it */
      }
    } else if (out->subject == NULL) {
      out->subject = argument;
    } else {
      code = too_many(syntax, out->subject, argument);
    }
  }
  if (code == PF_EXIT_DONE && out->help) {
    (void)fputs(syntax->usage, stdout);
  } else if (code == PF_EXIT_DONE && out->subject == NULL && syntax->wants != NULL) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s wants %s (plastfit %s --help)", syntax->command,
                      syntax->wants, syntax->command);
  }
  return code;
}

void pf_cli_arguments_free(pf_cli_arguments *arguments)
{
  pf_memory_free((void *)arguments->overrides);
  *arguments = (pf_cli_arguments){0};
}
