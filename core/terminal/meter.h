/* Progress on stderr. */
#ifndef PLASTFIT_CORE_TERMINAL_METER_H
#define PLASTFIT_CORE_TERMINAL_METER_H

#include <plastfit/abi/base.h>

/**
 * Progress on stderr: a bar with time left on a terminal, a line every 10 s elsewhere, nothing in
 * the first second. pf_meter_show is a pf_progress whose payload is a pf_meter; one meter serves
 * fit and evaluation in turn.
 */
typedef struct pf_meter {
  double started, phase_started, last_shown; /**< s */
  const char *what;                          /**< the phase, as last reported */
  int is_terminal, on_line;                  /**< on_line: a bar stands on the terminal */
} pf_meter;
void pf_meter_start(pf_meter *meter);
void pf_meter_show(void *meter, double done, const char *what);
/** On a terminal: a phase whose length nobody knows, until pf_meter_end. */
void pf_meter_say(pf_meter *meter, const char *what);
void pf_meter_end(pf_meter *meter);

#endif
