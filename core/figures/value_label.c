/* Labels of coefficients in figures, which name the rule where a run has more than one. */
#include "core/figures/run_figure.h"

#include <stdio.h>
#include <string.h>

/** NULL: the row's value is of no rule. */
static const char *rule_of_row(const pf_sheet *sheet, size_t owner, size_t row)
{
  static const char prefix[] = "rules.";
  const char *text = pf_sheet_text(sheet, row, owner);
  return strncmp(text, prefix, strlen(prefix)) == 0 ? text + strlen(prefix) : NULL;
}

static bool has_other_rule(const pf_sheet *sheet, size_t owner, const char *rule)
{
  for (size_t i = 0; i < sheet->n_rows; i++) {
    const char *other = rule_of_row(sheet, owner, i);
    if (other != NULL && strcmp(other, rule) != 0) {
      return true;
    }
  }
  return false;
}

pf_value_label pf_label_of_value(const pf_sheet *sheet, size_t row)
{
  const size_t owner = pf_sheet_column(sheet, "owner");
  const char *label = pf_sheet_text(sheet, row, pf_sheet_column(sheet, "label"));
  const char *name =
      label[0] != '\0' ? label : pf_sheet_text(sheet, row, pf_sheet_column(sheet, "name"));
  const char *rule = rule_of_row(sheet, owner, row);
  pf_value_label out;
  if (rule != NULL && has_other_rule(sheet, owner, rule)) {
    (void)snprintf(out.text, sizeof out.text, "%s: %s", rule, name);
  } else {
    (void)snprintf(out.text, sizeof out.text, "%s", name);
  }
  return out;
}
