/* The program: its commands and what they share. */
#ifndef PLASTFIT_CORE_CLI_CLI_H
#define PLASTFIT_CORE_CLI_CLI_H

#include <plastfit/abi/base.h>

/** Exit codes of the program. */
enum pf_exit {
  PF_EXIT_DONE = 0,
  PF_EXIT_FAILED = 1, /**< it could not be done, or one of several fits failed */
  PF_EXIT_MISUSED = 2 /**< arguments or config to put right */
};

/** A command; argv[0] is its own name. Returns an enum pf_exit. */
typedef int (*pf_command_run)(int argc, char **argv);
int pf_command_fit(int argc, char **argv);
int pf_command_simulate(int argc, char **argv);
int pf_command_evaluate(int argc, char **argv);
int pf_command_compare(int argc, char **argv);
int pf_command_check(int argc, char **argv);
int pf_command_recover(int argc, char **argv);
int pf_command_report(int argc, char **argv);
int pf_command_list(int argc, char **argv);
int pf_command_describe(int argc, char **argv);
int pf_command_new(int argc, char **argv);

/** "plastfit: <line>" on stderr; returns `code`. */
PF_PRINTF(2, 3) int pf_cli_say(int code, const char *format, ...);
/** Is it --help or -h? */
int pf_cli_is_help(const char *argument);
/** "unknown option", with the nearest of `known`; returns PF_EXIT_MISUSED. */
int pf_cli_unknown(const char *command, const char *argument, pf_names known);

#endif
