/* The equations of summary.json: "dw = 0.5 (0.985 x r - 0.0494 w)". */
#include "core/page/html_equation.h"

#include "core/figures/result_folder.h"

#include <ctype.h>
#include <string.h>

void pf_html_powers(pf_text *page, const char *equation)
{
  while (*equation != '\0') {
    char piece[256];
    const size_t length = strcspn(equation, "^");
    const size_t used = length < sizeof piece ? length : sizeof piece - 1;
    (void)snprintf(piece, sizeof piece, "%.*s", (int)used, equation);
    pf_page_text(page, piece);
    equation += used;
    if (*equation != '^' || used < length) {
      continue;
    }
    equation++;
    if (isdigit((unsigned char)*equation)) {
      pf_text_add(page, "<sup>%c</sup>", *equation++);
    } else {
      pf_text_add(page, "^");
    }
  }
}

/** Each line of a list under the equation. */
static void write_lines(pf_text *page, const json_t *lines)
{
  for (size_t k = 0; k < json_array_size(lines); k++) {
    const char *line = json_string_value(json_array_get(lines, k));
    pf_text_add(page, "<br><small>");
    pf_page_text(page, line != NULL ? line : "");
    pf_text_add(page, "</small>");
  }
}

void pf_html_equations(pf_text *page, const json_t *summary)
{
  const json_t *equations = json_object_get(summary, "equations");
  for (size_t k = 0; k < json_array_size(equations); k++) {
    const json_t *equation = json_array_get(equations, k);
    const char *text = pf_result_string(equation, "text");
    const char *truth = pf_result_string(equation, "truth");
    if (text[0] == '\0' && truth[0] == '\0') {
      continue;
    }
    pf_text_add(page, "<p><b>");
    pf_page_text(page, pf_result_string(equation, "owner"));
    pf_text_add(page, "</b>: ");
    pf_html_powers(page, text);
    if (truth[0] != '\0') {
      pf_text_add(page, "<br>the truth: ");
      pf_html_powers(page, truth);
    }
    write_lines(page, json_object_get(equation, "where"));
    write_lines(page, json_object_get(equation, "notes"));
    pf_text_add(page, "</p>\n");
  }
}
