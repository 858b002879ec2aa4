/*
 * Counts work done on many threads and reports it to a progress callback now and then, from one
 * thread at a time. Nobody waits: a thread that finds another one reporting goes on with its work.
 */
#ifndef PLASTFIT_CORE_BASE_TICKER_H
#define PLASTFIT_CORE_BASE_TICKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Called now and then from one thread at a time; done in [0, 1]. */
typedef void (*pf_progress)(void *payload, double done, const char *what);
/** Is it time to stop? Asked at every step of the optimiser, from any thread. MAY be NULL: never.
 */
typedef bool (*pf_stop)(void *payload);

/** Whoever waits for a long computation: whom to report to, whom to ask. Both MAY be NULL. */
typedef struct pf_observer {
  pf_progress progress;
  pf_stop stop;
  void *payload; /**< of both */
} pf_observer;

typedef struct pf_ticker {
  pf_progress progress; /**< MAY be NULL */
  void *payload;
  const char *what;
  int64_t total; /**< units of work in all */
  atomic_llong done;
  atomic_flag reporting;
  double last; /**< when the callback was last called, s; guarded by `reporting` */
} pf_ticker;

void pf_ticker_start(pf_ticker *ticker, pf_progress progress, void *payload, const char *what,
                     int64_t total);
/** n more are done. Threads: any. Calls back at most every 50 ms. */
void pf_ticker_add(pf_ticker *ticker, int64_t n);
/** Report once more, that all is done. Call when the other threads have ended. */
void pf_ticker_end(pf_ticker *ticker);

/** Seconds on a clock that only goes forward. */
double pf_clock_seconds(void);

#endif
