#define _POSIX_C_SOURCE 200809L
#define _XOPEN_SOURCE 700 /* SA_RESETHAND */
#include "core/cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* The one variable of the program: a signal handler has nobody to be handed one by. Lock-free, and
 * read by threads. */
static atomic_int asked;

static void note_signal(int signal_number)
{
  (void)signal_number;
  atomic_store(&asked, 1);
}

void pf_interrupt_watch(void)
{
  static const int signals[] = {SIGINT, SIGTERM};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    struct sigaction old;
    /* the second one ends the program */
    struct sigaction ours = {.sa_flags = (int)SA_RESETHAND | SA_RESTART};
    ours.sa_handler = note_signal;
    (void)sigemptyset(&ours.sa_mask);
    if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
      (void)sigaction(signals[i], &ours, NULL);
    }
  }
}

bool pf_interrupt_asked(void *unused)
{
  (void)unused;
  return atomic_load(&asked) != 0;
}
