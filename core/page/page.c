#include "core/page/page.h"

#include "core/base/embed.h"
#include "core/figures/result_folder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* core/page/head.html and style.css, part of the program: core/base/embed.h. */
extern const pf_embedded pf_page_files[];

static const char *page_file(const char *name)
{
  size_t i = 0;
  while (pf_page_files[i].name != NULL && strcmp(pf_page_files[i].name, name) != 0) {
    i++;
  }
  return pf_page_files[i].text;
}

static const char *entity_of(char c)
{
  switch (c) {
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '&':
    return "&amp;";
  default:
    return "&quot;";
  }
}

/* Control characters but tab, line feed, form feed and carriage return: HTML has none of them. */
#define CONTROLS                                                                             \
  "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a" \
  "\x1b\x1c\x1d\x1e\x1f\x7f"

void pf_page_text(pf_text *page, const char *text)
{
  for (const char *c = text != NULL ? text : ""; *c != '\0';) {
    const size_t plain = strcspn(c, "<>&\"" CONTROLS);
    pf_text_add(page, "%.*s", (int)plain, c);
    c += plain;
    if (*c != '\0' && strchr(CONTROLS, *c) != NULL) {
      pf_text_add(page, "\\x%02x", (unsigned)(unsigned char)*c);
      c++;
    } else if (*c != '\0') {
      pf_text_add(page, "%s", entity_of(*c));
      c++;
    }
  }
}

/** The skeleton's text up to a placeholder such as "@TITLE@"; what follows it, or the end. */
static const char *add_up_to(pf_text *page, const char *skeleton, const char *placeholder)
{
  const char *at = strstr(skeleton, placeholder);
  const size_t n = at == NULL ? strlen(skeleton) : (size_t)(at - skeleton);
  pf_text_add(page, "%.*s", (int)n, skeleton);
  return skeleton + n + (at == NULL ? 0 : strlen(placeholder));
}

void pf_page_begin(pf_text *page, const char *title)
{
  const char *rest = add_up_to(page, page_file("head.html"), "@TITLE@");
  pf_page_text(page, title);
  rest = add_up_to(page, rest, "@STYLE@");
  pf_text_add(page, "%s", page_file("style.css"));
  rest = add_up_to(page, rest, "@TITLE@");
  pf_page_text(page, title);
  pf_text_add(page, "%s", rest);
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
    pf_text_add(page, i < n_text ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"n\">");
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
  const char *name = pf_figures_name(figures, i);
  const char *svg = pf_figures_svg(figures, i);
  pf_text_add(page, "<figure>\n<div class=\"drawing\" role=\"img\" aria-label=\"%s%s", name,
              caption != NULL ? ": " : "");
  pf_page_text(page, caption);
  pf_text_add(page, "\">\n%s</div>\n<figcaption>", svg);
  pf_page_text(page, caption);
  pf_text_add(page,
              " <span class=\"files\"><a href=\"figures/%s.svg\">larger (SVG)</a> "
              "<a href=\"figures/%s.csv\">data (CSV)</a></span></figcaption>\n</figure>\n",
              name, name);
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

void pf_page_config(pf_text *page, const char *folder)
{
  char path[PF_RESULT_PATH];
  char line[1024];
  (void)snprintf(path, sizeof path, "%.3000s/config.cfg", folder);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    page->failed = page->failed || pf_result_has(folder, "config.cfg");
    return;
  }
  pf_page_fold(page, "The config as resolved: it alone repeats the run");
  pf_text_add(page, "<pre>");
  while (fgets(line, sizeof line, file) != NULL) {
    pf_page_text(page, line);
  }
  pf_text_add(page, "</pre>\n");
  pf_page_fold_end(page);
  (void)fclose(file);
}
