/* Ctrl-C: the first one asks for a stop at the next good moment, the second ends the program at
 * once. */
#ifndef PLASTFIT_CORE_COMMAND_LINE_INTERRUPT_H
#define PLASTFIT_CORE_COMMAND_LINE_INTERRUPT_H

#include <stdbool.h>

/** From now on SIGINT and SIGTERM ask for a stop. A signal that was ignored from the start (nohup)
 * stays ignored. */
void pf_interrupt_watch(void);
/** Has somebody asked? A pf_stop; `unused` MAY be NULL. Threads: any. */
bool pf_interrupt_asked(void *unused);

#endif
