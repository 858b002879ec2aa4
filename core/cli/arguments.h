/* What stands behind a command: options, one thing that it is about (a config, a run), keys to
 * replace. */
#ifndef PLASTFIT_CORE_CLI_ARGUMENTS_H
#define PLASTFIT_CORE_CLI_ARGUMENTS_H

#include <plastfit/abi/base.h>
#include <stdbool.h>

/** An option: one of `flag` (set to true) and `value` ("--data X", "--data=X") is given. */
typedef struct pf_cli_option {
  const char *name; /**< with its dashes */
  bool *flag;
  const char **value; /**< into argv */
} pf_cli_option;

/** What a command takes. --help, -h and --trust (core/plugin/path.h) every command takes. */
typedef struct pf_cli_syntax {
  const char *command;
  const char *usage;  /**< all of --help */
  const char *one;    /**< what it is about, as in "takes one config" */
  const char *wants;  /**< the same where it is missing, as in "wants a CONFIG, such as ..."; NULL:
                         it may be missing */
  const char *second; /**< what to do with a second one, "data: --data DATA"; NULL: "a key is set
                         with key=value" */
  bool takes_keys;    /**< key=value; without, such a word is what the command is about */
  const pf_cli_option *options;
  size_t n_options;
} pf_cli_syntax;

typedef struct pf_cli_arguments {
  const char *subject;    /**< the config, the run */
  const char **overrides; /**< [n_overrides] key=value, into argv; owned */
  size_t n_overrides;
  bool help; /**< usage was asked for, and has been printed */
} pf_cli_arguments;

/**
 * PF_EXIT_DONE, or the code to end with, after one line on stderr. Behind "--" nothing is an
 * option. A caller goes on only where code is PF_EXIT_DONE and not out->help; it frees `out` in any
 * case.
 */
int pf_cli_parse(const pf_cli_syntax *syntax, int argc, char **argv, pf_cli_arguments *out);
void pf_cli_arguments_free(pf_cli_arguments *arguments);

#endif
