#define _POSIX_C_SOURCE 200809L
#include "core/base/ticker.h"
#include <time.h>

/* s; far below what an eye or a log wants, far above what a callback costs */
static const double interval = 0.05;

double pf_clock_seconds(void)
{
  struct timespec now = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void pf_ticker_start(pf_ticker *ticker, pf_progress progress, void *payload, const char *what,
                     int64_t total)
{
  ticker->progress = progress;
  ticker->payload = payload;
  ticker->what = what;
  ticker->total = total;
  atomic_init(&ticker->done, 0);
  atomic_flag_clear(&ticker->reporting);
  ticker->last = pf_clock_seconds();
  if (progress != NULL) {
    progress(payload, 0.0, what);
  }
}

void pf_ticker_add(pf_ticker *ticker, int64_t n)
{
  const long long done = atomic_fetch_add(&ticker->done, (long long)n) + (long long)n;
  if (ticker->progress == NULL || ticker->total <= 0 ||
      atomic_flag_test_and_set(&ticker->reporting)) {
    return;
  }
  const double now = pf_clock_seconds();
  if (now - ticker->last >= interval) {
    ticker->last = now;
    const double fraction = (double)done / (double)ticker->total;
    ticker->progress(ticker->payload, fraction < 1.0 ? fraction : 1.0, ticker->what);
  }
  atomic_flag_clear(&ticker->reporting);
}

void pf_ticker_end(pf_ticker *ticker)
{
  if (ticker->progress != NULL) {
    ticker->progress(ticker->payload, 1.0, ticker->what);
  }
}
