#include "core/recover/print_recovery.h"

#include "core/recover/population_recovery.h"

#include <math.h>
#include <string.h>

enum { MAX_LINES = 30 };

/** "94.6", or "-" for NaN. */
static void print_cell(FILE *out, int width, const char *format, double value)
{
  char text[32] = "-";
  if (!isnan(value)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
  }
  (void)fprintf(out, " %*s", width, text);
}

static void print_line(const pf_recovery *r, const pf_recover_line *line, int width, FILE *out)
{
  (void)fprintf(out, "  %-*s", width, r->keys[line->parameter]);
  print_cell(out, 10, "%.4g", line->truth);
  print_cell(out, 10, "%.4g", line->mean);
  print_cell(out, 10, "%.2g", line->bias);
  print_cell(out, 8, "%.1g", line->bias_se);
  print_cell(out, 9, "%.3g", line->sd);
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    if (r->asked[m]) {
      print_cell(out, 9, "%.3g", line->methods[m].mean_se);
      print_cell(out, 6, "%.1f", 100.0 * line->methods[m].coverage);
    }
  }
  (void)fputc('\n', out);
}

/** The line of a method under the table: coverage of all coefficients, beside its level. */
static void print_method(const pf_recovery *r, size_t m, FILE *out)
{
  double lowest = INFINITY, highest = -INFINITY, se = 0.0;
  size_t n = 0, n_there = 0, n_wanted = 0;
  for (size_t k = 0; k < r->n_lines; k++) {
    const pf_recover_line *line = &r->lines[k];
    n_wanted += line->n;
    n_there += line->methods[m].n;
    if (!isnan(line->methods[m].coverage)) {
      n++;
      lowest = fmin(lowest, line->methods[m].coverage);
      highest = fmax(highest, line->methods[m].coverage);
      se = fmax(se, line->methods[m].coverage_se);
    }
  }
  if (n == 0) {
    (void)fprintf(out, "  %-9s no intervals whose truth is known\n",
                  pf_interval_method_name((uint32_t)m));
    return;
  }
  (void)fprintf(
      out,
      "  %-9s coverage %.1f to %.1f %% over %zu coefficients (nominal %.4g, binomial error %.1f)",
      pf_interval_method_name((uint32_t)m), 100.0 * lowest, 100.0 * highest, n,
      100.0 * r->problem->settings->intervals.level, 100.0 * se);
  if (n_there < n_wanted) {
    (void)fprintf(out, "; %zu of %zu estimates have no interval", n_wanted - n_there, n_wanted);
  }
  (void)fputc('\n', out);
}

static void print_counts(const pf_recovery *r, FILE *out)
{
  (void)fprintf(out, "%s: %zu data sets, %zu fits: ", r->problem->settings->name, r->n_sets,
                r->n_fits);
  if (r->n_passes_done > 0) {
    (void)fprintf(out, "%zu made their passes", r->n_passes_done);
  } else {
    (void)fprintf(out, "%zu converged", r->n_fits - r->n_failed - r->n_unconverged);
  }
  if (r->n_unconverged > 0) {
    (void)fprintf(out, ", %zu did not (left out)", r->n_unconverged);
  }
  if (r->n_failed > 0) {
    (void)fprintf(out, ", %zu failed", r->n_failed);
  }
  (void)fprintf(out, " (%.3g s)\n\n", r->seconds);
}

static void print_header(const pf_recovery *r, int width, FILE *out)
{
  (void)fprintf(out, "  %-*s %10s %10s %10s %8s %9s", width, "", "truth", "mean", "bias", "-+",
                "sd");
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    if (r->asked[m]) {
      (void)fprintf(out, " %9s %6s", pf_interval_method_name((uint32_t)m), "%");
    }
  }
  (void)fputc('\n', out);
}

void pf_recover_print(const pf_recovery *r, FILE *out)
{
  int width = 11;
  for (size_t k = 0; k < r->n_lines; k++) {
    const int length = (int)strlen(r->keys[r->lines[k].parameter]);
    width = length > width ? length : width;
  }
  print_counts(r, out);
  print_header(r, width, out);
  for (size_t k = 0; k < r->n_lines && k < MAX_LINES; k++) {
    print_line(r, &r->lines[k], width, out);
  }
  if (r->n_lines > MAX_LINES) {
    (void)fprintf(out, "  ... and %zu more, in summary.json\n", r->n_lines - MAX_LINES);
  }
  (void)fputs("\n  sd: of the estimates over data sets. Of each method: its mean standard error, "
              "and how often its intervals hold the truth.\n",
              out);
  for (size_t m = 0; m < (size_t)PF_N_INTERVAL_METHODS; m++) {
    if (r->asked[m]) {
      print_method(r, m, out);
    }
  }
  if (r->population != NULL) {
    pf_population_recovery_print(r, out);
  }
  if (r->n_missed > 0) {
    (void)fprintf(
        out, "  %zu of %zu fits are worse than the truth (2dL above 0.01): another optimum%s\n",
        r->n_missed, r->n_fits,
        pf_fit_optimiser(r->problem)->fixed_passes ? ", or too few passes"
                                                   : "; fit from more starts (fit.starts=100)");
  }
  if (r->problem->settings->recover.arriving > 0) {
    (void)fprintf(out,
                  "  %zu of %zu fits are worse than the best of %lld starts (2dL above 0.01)\n",
                  r->n_short, r->n_fits, (long long)r->problem->settings->recover.arriving);
  }
  const char *why = pf_recovery_first_why(r);
  if (why != NULL) {
    (void)fprintf(out, "  something is missing in some data sets; the first reason: %s\n", why);
  }
}
