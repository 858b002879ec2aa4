#include "core/page/page.h"

#include <math.h>
#include <string.h>

static const char style[] =
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe "
    "UI',sans-serif;color:#222;background:#fff;max-width:960px;"
    "margin:2em auto;padding:0 1.2em}"
    "h1{font-size:1.7em;margin:0 0 .2em}h2{font-size:1.25em;margin:2em 0 .3em;border-bottom:1px "
    "solid #ddd;"
    "padding-bottom:.15em}p{margin:.4em 0 .8em;max-width:52em}"
    "table{border-collapse:collapse;font-size:13px;margin:.6em 0}th,td{padding:.2em .8em .2em "
    "0;text-align:left;"
    "vertical-align:top}th{border-bottom:1px solid "
    "#999;font-weight:600}td.n,th.n{text-align:right}td.n{white-space:nowrap;"
    "font-variant-numeric:tabular-nums}tr+tr td{border-top:1px solid #eee}"
    "figure{margin:1em 0}figure "
    "svg{max-width:100%;height:auto}figcaption{font-size:13px;color:#555;max-width:60em}"
    "details{margin:.6em "
    "0}summary{cursor:pointer;color:#0072B2}pre{font-size:12px;background:#f6f6f6;padding:.8em;"
    "overflow-x:auto}.words{font-size:1.05em;border-left:3px solid #0072B2;padding-left:.8em}"
    ".wide{overflow-x:auto}@media print{details{display:block}}";

void pf_page_text(pf_text *page, const char *text)
{
  for (const char *c = text != NULL ? text : ""; *c != '\0';) {
    const size_t plain = strcspn(c, "<>&\"");
    pf_text_add(page, "%.*s", (int)plain, c);
    c += plain;
    if (*c != '\0') {
      pf_text_add(page, "%s",
                  *c == '<'   ? "&lt;"
                  : *c == '>' ? "&gt;"
                  : *c == '&' ? "&amp;"
                              : "&quot;");
      c++;
    }
  }
}

void pf_page_begin(pf_text *page, const char *title)
{
  pf_text_add(page,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
  pf_page_text(page, title);
  pf_text_add(page, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", style);
  pf_page_text(page, title);
  pf_text_add(page, "</h1>\n");
}

void pf_page_end(pf_text *page)
{
  pf_text_add(page, "</body>\n</html>\n");
}

void pf_page_paragraph(pf_text *page, const char *text)
{
  pf_text_add(page, "<p>");
  pf_page_text(page, text);
  pf_text_add(page, "</p>\n");
}

void pf_page_heading(pf_text *page, const char *title, const char *paragraph)
{
  pf_text_add(page, "<h2>");
  pf_page_text(page, title);
  pf_text_add(page, "</h2>\n");
  if (paragraph != NULL) {
    pf_page_paragraph(page, paragraph);
  }
}

/* ---- tables ---- */

void pf_page_table(pf_text *page, const char *const *columns, size_t n)
{
  pf_page_table_of_numbers(page, columns, n, n);
}

void pf_page_table_of_numbers(pf_text *page, const char *const *columns, size_t n, size_t n_text)
{
  pf_text_add(page, "<div class=\"wide\"><table>\n<tr>");
  for (size_t i = 0; i < n; i++) {
    pf_text_add(page, i < n_text ? "<th>" : "<th class=\"n\">");
    pf_page_text(page, columns[i]);
    pf_text_add(page, "</th>");
  }
  pf_text_add(page, "\n");
}

void pf_page_row(pf_text *page)
{
  pf_text_add(page, "\n<tr>"); /* the end tag is optional, and the next row implies it */
}

void pf_page_cell(pf_text *page, const char *text)
{
  pf_text_add(page, "<td>");
  pf_page_text(page, text);
  pf_text_add(page, "</td>");
}

void pf_page_number(pf_text *page, double value)
{
  if (isnan(value)) {
    pf_text_add(page, "<td class=\"n\">&ndash;</td>");
  } else {
    pf_text_add(page, "<td class=\"n\">%.4g</td>", value);
  }
}

void pf_page_table_end(pf_text *page)
{
  pf_text_add(page, "</table></div>\n");
}

void pf_page_fold(pf_text *page, const char *summary)
{
  pf_text_add(page, "<details><summary>");
  pf_page_text(page, summary);
  pf_text_add(page, "</summary>\n");
}

void pf_page_fold_end(pf_text *page)
{
  pf_text_add(page, "</details>\n");
}

/* ---- figures ---- */

static void add_figure(pf_text *page, const pf_figures *figures, size_t i)
{
  const char *caption = pf_figures_caption(figures, i);
  pf_text_add(page, "<figure>\n%s", pf_figures_svg(figures, i));
  if (caption != NULL) {
    pf_text_add(page, "<figcaption>");
    pf_page_text(page, caption);
    pf_text_add(page, "</figcaption>\n");
  }
  pf_text_add(page, "</figure>\n");
}

static bool is_of(const pf_figures *figures, size_t i, const char *which)
{
  const size_t n = strlen(which);
  const bool many = n > 0 && which[n - 1] == '-';
  return many ? strncmp(pf_figures_name(figures, i), which, n) == 0
              : strcmp(pf_figures_name(figures, i), which) == 0;
}

size_t pf_page_figures(pf_text *page, const pf_figures *figures, const char *which, size_t open)
{
  size_t n = 0;
  size_t shown = 0;
  for (size_t i = 0; i < pf_figures_count(figures); i++) {
    n += is_of(figures, i, which) ? 1 : 0;
  }
  if (n > 0 && !pf_figures_plotted(figures)) {
    pf_page_paragraph(page, "(No figure: gnuplot was not there. `plastfit report` on this folder "
                            "draws them where it is.)");
    return n;
  }
  for (size_t i = 0; i < pf_figures_count(figures); i++) {
    if (is_of(figures, i, which)) {
      if (shown++ == open) {
        char more[64];
        (void)snprintf(more, sizeof more, "%zu more", n - open);
        pf_page_fold(page, more);
      }
      add_figure(page, figures, i);
    }
  }
  if (n > open) {
    pf_page_fold_end(page);
  }
  return n;
}
