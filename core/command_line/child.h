/* Running what may not return in a process of its own. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_CHILD_H
#define PLASTFIT_CORE_COMMAND_LINE_CHILD_H

#include <plastfit/abi/base.h>

/** How a child ended. */
enum pf_child_end {
  PF_CHILD_RETURNED, /**< the function came back; `value` is what it returned */
  PF_CHILD_EXITED,   /**< somebody called exit(value) in it */
  PF_CHILD_SIGNAL,   /**< killed by signal `value` */
  PF_CHILD_TIME_OUT  /**< ended by us after the limit */
};

typedef struct pf_child_report {
  enum pf_child_end end;
  int value;
} pf_child_report;

/**
 * Call run(payload) in a child, for at most `seconds` by the clock. What it prints is printed.
 * Ctrl-C ends both. PF_STOP: there is no child.
 */
pf_status pf_child_run(int (*run)(void *payload), void *payload, double seconds,
                       pf_child_report *out, pf_error *error);

/**
 * A plugin that calls exit() would end the program as if all were well. From now on, until
 * pf_exit_is_ours, that is said, and the exit code is 1.
 */
void pf_exit_guard(void);
void pf_exit_is_ours(void);

#endif
