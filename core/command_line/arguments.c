#define _POSIX_C_SOURCE 200809L

#include "core/command_line/arguments.h"

#include "core/base/memory.h"
#include "core/command_line/command.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 16, HELP_COLUMN = 18 };

const pf_cli_option pf_cli_common_options[2] = {
    {"--trust", NULL, 0, "load plugins from the config's plugin_path (doc/trust.md)"},
    {"--help", NULL, 0, "this page"},
};

/* ---- help ---- */

static void print_option(const pf_cli_option *option)
{
  char head[64];
  (void)snprintf(head, sizeof head, "%s%s%s", option->name, option->takes == NULL ? "" : " ",
                 option->takes == NULL ? "" : option->takes);
  (void)printf("  %-*s  ", HELP_COLUMN - 4, head);
  if (strlen(head) > HELP_COLUMN - 4) {
    (void)printf("\n%*s", HELP_COLUMN, "");
  }
  for (const char *c = option->help; *c != '\0'; c++) {
    (void)putchar(*c);
    if (*c == '\n') {
      (void)printf("%*s", HELP_COLUMN, "");
    }
  }
  (void)putchar('\n');
}

static void print_usage(const pf_cli_syntax *syntax)
{
  (void)printf("%s\n", syntax->usage);
  for (size_t k = 0; k < syntax->n_options; k++) {
    print_option(&syntax->options[k]);
  }
  for (size_t k = syntax->takes_keys ? 0 : 1; k < 2; k++) {
    print_option(&pf_cli_common_options[k]);
  }
  if (syntax->after != NULL) {
    (void)printf("\n%s", syntax->after);
  }
}

/* ---- options ---- */

static int report_unknown(const pf_command *command, const char *argument)
{
  const pf_cli_syntax *syntax = command->syntax;
  const char *known[MAX_OPTIONS + 2];
  size_t n = 0;
  for (; n < syntax->n_options && n < MAX_OPTIONS; n++) {
    known[n] = syntax->options[n].name;
  }
  known[n++] = "--trust";
  known[n++] = "--help";
  return pf_cli_unknown(command->name, argument, (pf_names){known, n});
}

/** The option at argv[*i]; *i moves on over a value that stands in an argument of its own. */
static int take_option(const pf_command *command, int argc, char **argv, int *i, char *values)
{
  const char *argument = argv[*i];
  for (size_t k = 0; k < command->syntax->n_options; k++) {
    const pf_cli_option *option = &command->syntax->options[k];
    const size_t length = strlen(option->name);
    if (option->takes == NULL && strcmp(argument, option->name) == 0) {
      *(bool *)(void *)(values + option->offset) = true;
      return PF_EXIT_DONE;
    }
    if (option->takes != NULL && strncmp(argument, option->name, length) == 0 &&
        (argument[length] == '\0' || argument[length] == '=')) {
      const char *next = *i + 1 < argc ? argv[*i + 1] : "";
      const char *value = argument[length] == '=' ? argument + length + 1 : next;
      *i += argument[length] == '\0';
      if (value[0] == '\0') {
        return pf_cli_say(PF_EXIT_MISUSED, "%s: %s wants a value behind it: %s %s", command->name,
                          option->name, option->name, option->takes);
      }
      *(const char **)(void *)(values + option->offset) = value;
      return PF_EXIT_DONE;
    }
  }
  return report_unknown(command, argument);
}

static int too_many(const pf_command *command, const char *first, const char *second)
{
  const pf_cli_syntax *syntax = command->syntax;
  const char *hint = syntax->takes_keys ? "a key is set with key=value" : NULL;
  if (syntax->second != NULL) {
    hint = syntax->second;
  }
  if (syntax->one == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "%s takes nothing behind it, found '%s'%s%s%s",
                      command->name, second, hint == NULL ? "" : " (", hint == NULL ? "" : hint,
                      hint == NULL ? "" : ")");
  }
  return pf_cli_say(PF_EXIT_MISUSED, "%s takes one %s, found '%s' and '%s'%s%s%s", command->name,
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

/** A word that is no option: a key, or what the command is about. */
static int take_word(const pf_command *command, const char *word, pf_cli_arguments *out)
{
  const pf_cli_syntax *syntax = command->syntax;
  if (syntax->takes_keys && strchr(word, '=') != NULL) {
    out->overrides[out->n_overrides++] = word;
    /* whoever names a folder here means it */
    return strncmp(word, "plugin_path=", strlen("plugin_path=")) == 0 ? trust_plugins()
                                                                      : PF_EXIT_DONE;
  }
  if (syntax->one != NULL && out->subject == NULL) {
    out->subject = word;
    return PF_EXIT_DONE;
  }
  if (syntax->takes_two && out->second == NULL) {
    out->second = word;
    return PF_EXIT_DONE;
  }
  return too_many(command, out->subject, word);
}

int pf_cli_parse(const pf_command *command, int argc, char **argv, void *values,
                 pf_cli_arguments *out)
{
  const pf_cli_syntax *syntax = command->syntax;
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
      code = take_option(command, argc, argv, &i, values);
    } else {
      code = take_word(command, argument, out);
    }
  }
  if (code == PF_EXIT_DONE && out->help) {
    print_usage(syntax);
  } else if (code == PF_EXIT_DONE && out->subject == NULL && syntax->wants != NULL) {
    code = pf_cli_say(PF_EXIT_MISUSED, "%s wants %s (plastfit %s --help)", command->name,
                      syntax->wants, command->name);
  } else if (code == PF_EXIT_DONE && out->quiet && out->verbose) {
    code =
        pf_cli_say(PF_EXIT_MISUSED, "%s: --quiet and --verbose: give one of them", command->name);
  }
  return code;
}

void pf_cli_arguments_free(pf_cli_arguments *arguments)
{
  pf_memory_free((void *)arguments->overrides);
  *arguments = (pf_cli_arguments){0};
}
