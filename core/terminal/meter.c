#define _POSIX_C_SOURCE 200809L
#include "core/terminal/meter.h"
#include "core/base/ticker.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

static const double silence = 1.0;        /* s; what is done sooner needs no meter */
static const double line_interval = 10.0; /* s between lines in a log */
static const double bar_interval = 0.2;   /* s between bars on a terminal */
enum { BAR_WIDTH = 30 };

void pf_meter_start(pf_meter *meter)
{
  *meter = (pf_meter){.is_terminal = isatty(STDERR_FILENO)};
  meter->started = pf_clock_seconds();
  meter->phase_started = meter->started;
  meter->last_shown = meter->started;
}

/* "41 s", "12 min", "3 h 20 min". */
static void write_duration(double seconds, char *text, size_t capacity)
{
  if (seconds < 99.5) {
    (void)snprintf(text, capacity, "%.0f s", ceil(seconds));
  } else if (seconds < 5400.0) {
    (void)snprintf(text, capacity, "%.0f min", ceil(seconds / 60.0));
  } else {
    const double minutes = ceil(seconds / 60.0);
    (void)snprintf(text, capacity, "%.0f h %.0f min", floor(minutes / 60.0), fmod(minutes, 60.0));
  }
}

/** Past stderr, which shows control characters in place of obeying them (guard.h). */
static void command_terminal(const char *text, size_t n)
{
  (void)fflush(stderr);
  (void)!write(STDERR_FILENO, text, n);
}

static void show_bar(const char *what, double done, const char *left)
{
  char bar[BAR_WIDTH + 1];
  const int filled = (int)(done * BAR_WIDTH);
  memset(bar, '.', BAR_WIDTH);
  memset(bar, '#', (size_t)(filled < BAR_WIDTH ? filled : BAR_WIDTH));
  bar[BAR_WIDTH] = '\0';
  char line[BAR_WIDTH + 128];
  const int n = snprintf(line, sizeof line, "\r%-10.40s [%s] %3.0f %%  %s left \033[K", what, bar,
                         100.0 * done, left);
  command_terminal(line, (size_t)n);
}

void pf_meter_show(void *payload, double done, const char *what)
{
  pf_meter *meter = payload;
  const double now = pf_clock_seconds();
  if (meter->what !=
      what) { /* another phase: what went before says nothing about how long this one takes */
    meter->what = what;
    meter->phase_started = now;
  }
  const double interval = meter->is_terminal ? bar_interval : line_interval;
  const double elapsed = now - meter->phase_started;
  if (now - meter->started < silence || now - meter->last_shown < interval || !(done > 0.0) ||
      elapsed < 0.5) {
    return;
  }
  char left[48];
  const double fraction = done < 1.0 ? done : 1.0;
  write_duration(elapsed * (1.0 - fraction) / fraction, left, sizeof left);
  if (meter->is_terminal) {
    show_bar(what, fraction, left);
    meter->on_line = 1;
  } else {
    (void)fprintf(stderr, "%s: %.0f %%, %s left\n", what, 100.0 * fraction, left);
  }
  (void)fflush(stderr);
  meter->last_shown = now;
}

void pf_meter_say(pf_meter *meter, const char *what)
{
  char line[128];
  if (!meter->is_terminal) {
    return;
  }
  const int n = snprintf(line, sizeof line, "\r%.80s ...\033[K", what);
  command_terminal(line, (size_t)n);
  meter->on_line = 1;
}

void pf_meter_end(pf_meter *meter)
{
  if (meter->on_line) {
    command_terminal("\r\033[K", strlen("\r\033[K")); /* the bar makes way for the results */
    meter->on_line = 0;
  }
}
