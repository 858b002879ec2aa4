/* What stands behind a command: options, one thing that it is about (a config, a run), keys to
 * replace. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_ARGUMENTS_H
#define PLASTFIT_CORE_COMMAND_LINE_ARGUMENTS_H

#include <plastfit/abi/base.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct pf_cli_arguments {
  const char *subject;    /**< the config, the run */
  const char *second;     /**< where the syntax takes two */
  const char **overrides; /**< [n_overrides] key=value, into argv; owned */
  size_t n_overrides;
  bool help; /**< usage was asked for, and has been printed */
  bool quiet, verbose, json;
} pf_cli_arguments;

/** An option: a flag ("--force"), or a value ("--data X", "--data=X"). */
typedef struct pf_cli_option {
  const char *name;  /**< with its dashes */
  const char *takes; /**< what stands behind it: FILE, FOLDER, RUN, CONFIG or another word in
                        capitals; NULL: a flag */
  size_t offset;     /**< in the command's struct: of a bool, or of a const char * into argv */
  const char *help;  /**< one line; more lines are divided by newlines */
} pf_cli_option;

#define PF_CLI_FLAG(name, type, member, help) \
  {                                           \
    name, NULL, offsetof(type, member), help  \
  }
#define PF_CLI_VALUE(name, takes, type, member, help) \
  {                                                   \
    name, takes, offsetof(type, member), help         \
  }
/* Options that several commands have. `given` is the pf_cli_arguments of the struct `type`. */
#define PF_CLI_FORCE(type, help) PF_CLI_FLAG("--force", type, force, help)
#define PF_CLI_QUIET(type, help) PF_CLI_FLAG("--quiet", type, given.quiet, help)
#define PF_CLI_VERBOSE(type, help) PF_CLI_FLAG("--verbose", type, given.verbose, help)
#define PF_CLI_JSON(type, help) PF_CLI_FLAG("--json", type, given.json, help)

/** What a command takes. --help, -h and --trust (core/plugin/path.h) every command takes. */
typedef struct pf_cli_syntax {
  const char *usage;  /**< --help; the table of options follows */
  const char *after;  /**< what follows the table; MAY be NULL */
  const char *one;    /**< what it is about, as in "takes one config" */
  const char *wants;  /**< the same where it is missing, as in "wants a CONFIG, such as ..."; NULL:
                         it may be missing */
  const char *second; /**< what to do with a second one, "data: --data DATA"; NULL: "a key is set
                         with key=value" */
  const char *words;  /**< what may stand first, by spaces: words, CONFIG, RUN, PLUGIN; for the
                         completion of shells */
  bool takes_keys;    /**< key=value; without, such a word is what the command is about */
  bool takes_two;     /**< a second word is kept, too */
  const pf_cli_option *options;
  size_t n_options;
} pf_cli_syntax;

struct pf_command;

/** --help and --trust. */
extern const pf_cli_option pf_cli_common_options[2];

/**
 * PF_EXIT_DONE, or the code to end with, after one line on stderr. Behind "--" nothing is an
 * option. `values` is the command's struct, in which the options have their offsets, and `out` its
 * pf_cli_arguments. A caller goes on only where code is PF_EXIT_DONE and not out->help; it frees
 * `out` in any case.
 */
int pf_cli_parse(const struct pf_command *command, int argc, char **argv, void *values,
                 pf_cli_arguments *out);
void pf_cli_arguments_free(pf_cli_arguments *arguments);

#endif
