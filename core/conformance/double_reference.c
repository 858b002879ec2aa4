/*
 * The double-precision reference of a single-precision plugin. Differences of floats find a factor
 * or a sign, not a slip in the fourth digit. But the check draws the same inputs in both precisions
 * (rounded to float), so what the double build computes, and its own check holds against
 * differences, is what the single build must give, to the rounding of floats.
 *
 * The file: for each group of checks a line "group VARIANT: CHECK", for each array a line "OP NAME
 * COUNT", then COUNT numbers, one a line.
 */
#include "core/conformance/double_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the largest number of the array. Measured on the shipped plugins: 9.1e-6 (mlp), 1.8e-6 (expr),
 * others below 6e-7. */
static const double tolerance = 5e-5;

enum { LINE = 256 };

/** The lines of a group, or NULL: an empty text would be one. */
static const char *find_group(const char *text, const char *variant, const char *check)
{
  char head[LINE];
  (void)snprintf(head, sizeof head, "group %s: %s\n", variant, check);
  const char *at = strstr(text, head);
  return at == NULL ? NULL : at + strlen(head);
}

void cf_reference_group(cf_report *report, const pf_conformance_reference *reference,
                        const char *variant, const char *check)
{
  report->reference = reference;
  if (reference != NULL && reference->values != NULL) {
    (void)fprintf(reference->values, "group %s: %s\n", variant, check);
  }
  if (reference != NULL && reference->text != NULL) {
    report->reference_at = find_group(reference->text, variant, check);
  }
}

static void write_array(FILE *file, const char *op, const cf_array *array)
{
  const int64_t n = cf_count(array);
  (void)fprintf(file, "%s %s %lld\n", op, array->name, (long long)n);
  for (int64_t k = 0; k < n; k++) {
    (void)fprintf(file, "%.17g\n", cf_get(array, k));
  }
  (void)fflush(file); /* a child ends without it */
}

static void compare_array(cf_report *report, const char *op, const cf_array *array)
{
  const int64_t n = cf_count(array);
  char head[LINE];
  (void)snprintf(head, sizeof head, "%s %s %lld\n", op, array->name, (long long)n);
  if (report->reference_at == NULL || strncmp(report->reference_at, head, strlen(head)) != 0) {
    cf_find(report,
            "the reference has no '%s %s' of %lld numbers here: let `plastfit check PLUGIN "
            "--values FILE` of the double build write it anew, with the same conformance.cfg",
            op, array->name, (long long)n);
  }
  report->reference_at += strlen(head);
  double scale = 0.0;
  char *end = NULL;
  const char *at = report->reference_at;
  for (int64_t k = 0; k < n; k++, at = end) {
    const double expected = strtod(at, &end);
    scale = isfinite(expected) ? fmax(scale, fabs(expected)) : scale;
  }
  for (int64_t k = 0; k < n; k++, report->reference_at = end) {
    const double expected = strtod(report->reference_at, &end), found = cf_get(array, k);
    const double error = scale > 0.0 ? fabs(found - expected) / scale : fabs(found - expected);
    if (!(error <= tolerance) && !(isnan(expected) && isnan(found))) {
      char name[LINE];
      cf_find(report,
              "%s: the %s is %.9g, expected %.9g as in the double build (relative difference %.2g, "
              "normal is below %.0e)",
              op, cf_name(array, k, name, sizeof name), found, expected, error, tolerance);
    }
    report->reference_error = fmax(report->reference_error, error);
    report->n_references++;
  }
  report->reference_at += n > 0; /* the end of the last line */
}

bool cf_reference_array(cf_report *report, const char *op, const cf_array *array)
{
  if (report->reference == NULL || array->map == NULL) {
    return false;
  }
  if (report->reference->values != NULL) {
    write_array(report->reference->values, op, array);
  }
  if (report->reference->text != NULL) {
    compare_array(report, op, array);
  }
  return report->reference->text != NULL;
}
