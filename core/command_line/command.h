/* A command of the program, and what commands share. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_COMMAND_H
#define PLASTFIT_CORE_COMMAND_LINE_COMMAND_H

#include <plastfit/abi/base.h>

/** Exit codes of the program. */
enum pf_exit {
  PF_EXIT_DONE = 0,
  PF_EXIT_FAILED = 1, /**< it could not be done, or one of several fits failed */
  PF_EXIT_MISUSED = 2 /**< arguments or config to put right */
};

typedef struct pf_command {
  const char *name;
  const char *synopsis; /**< what stands behind the name, "CONFIG [key=value ...]" */
  const char *summary;
  const struct pf_cli_syntax *syntax; /**< core/command_line/arguments.h */
  /** argv[0] is the command's name. Returns an enum pf_exit. */
  int (*run)(int argc, char **argv);
} pf_command;

/** Each is the last thing in its file, cmd_NAME.c; main.c has their order. */
extern const pf_command pf_command_check, pf_command_compare, pf_command_completion,
    pf_command_describe, pf_command_evaluate, pf_command_fit, pf_command_list, pf_command_new,
    pf_command_recover, pf_command_report, pf_command_simulate;

/** All of them, in the order of --help. */
typedef struct pf_command_table {
  const pf_command *const *items;
  size_t count;
} pf_command_table;
pf_command_table pf_cli_commands(void);

/** "plastfit: <line>" on stderr; returns `code`. */
PF_PRINTF(2, 3) int pf_cli_say(int code, const char *format, ...);
/** Is it --help or -h? */
int pf_cli_is_help(const char *argument);
/** "unknown option", with the nearest of `known`; returns PF_EXIT_MISUSED. */
int pf_cli_unknown(const char *command, const char *argument, pf_names known);

#endif
