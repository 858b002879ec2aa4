/* What was inferred of a fit, as tables. */
#include "core/report/tables.h"

#include <math.h>

pf_certainty pf_certainty_of(const pf_inference *inference, const pf_fit_unit *unit, size_t slot)
{
  pf_certainty out = {.se = NAN, .lower = NAN, .upper = NAN};
  const size_t k = unit->layout->slots[slot].value;
  const double factor = unit->layout->slots[slot].factor;
  for (size_t u = 0; inference != NULL && k != PF_LAYOUT_NONE && u < inference->n_units; u++) {
    const pf_inference_unit *of = &inference->units[u];
    if (of->unit != unit) {
      continue;
    }
    out.note = of->why;
    if (of->why != NULL) {
      return out;
    }
    const pf_intervals *intervals = &of->methods[of->main];
    out.method = of->main;
    out.verdict = of->verdict[k];
    out.note = of->note[k] != NULL ? of->note[k] : intervals->why;
    if (intervals->there) {
      const double low = factor * intervals->lower[k], high = factor * intervals->upper[k];
      out.se = fabs(factor) * intervals->se[k];
      out.lower = fmin(low, high);
      out.upper = fmax(low, high);
    }
  }
  return out;
}

void pf_csv_certainty(pf_certainty c, const pf_inference *inference, FILE *file)
{
  const bool has = !isnan(c.lower) || !isnan(c.upper);
  pf_csv_number(file, c.se);
  (void)fputc(',', file);
  pf_csv_number(file, c.lower);
  (void)fputc(',', file);
  pf_csv_number(file, c.upper);
  (void)fputc(',', file);
  pf_csv_number(file, has ? inference->level : (double)NAN);
  (void)fprintf(file, ",%s,%s,", has ? pf_interval_method_name(c.method) : "", pf_verdict_words(c.verdict));
  pf_csv_text(file, c.note);
}
