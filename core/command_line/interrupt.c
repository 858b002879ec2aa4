#define _POSIX_C_SOURCE 200809L
#include "core/command_line/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* The variables of the program: a signal handler has nobody to be handed one by. Lock-free, and
 * read by threads. */
static atomic_int asked;   /* signals that ask for an end */
static atomic_int ignored; /* those that whoever started the program told it to ignore */

static void end_at_once(int signal_number)
{
  (void)signal(signal_number, SIG_DFL);
  (void)raise(signal_number); /* once the handler has returned */
}

static void note_signal(int signal_number)
{
  if (atomic_fetch_add(&asked, 1) > 0) {
    end_at_once(signal_number);
  }
}

/** A shell tells what it starts in the background to ignore Ctrl-C. So one does nothing; whoever
 * sends two means it. */
static void note_ignored(int signal_number)
{
  if (atomic_fetch_add(&ignored, 1) > 0 || atomic_load(&asked) > 0) {
    end_at_once(signal_number);
  }
}

void pf_interrupt_watch(void)
{
  static const int signals[] = {SIGINT, SIGTERM};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    struct sigaction old;
    struct sigaction ours = {.sa_flags = SA_RESTART};
    (void)sigemptyset(&ours.sa_mask);
    if (sigaction(signals[i], NULL, &old) == 0) {
      ours.sa_handler = old.sa_handler == SIG_IGN ? note_ignored : note_signal;
      (void)sigaction(signals[i], &ours, NULL);
    }
  }
}

bool pf_interrupt_asked(void *unused)
{
  (void)unused;
  return atomic_load(&asked) != 0;
}
