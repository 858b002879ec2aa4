/* core/page/page: the pieces of a page. What comes from a config or from data is text, never
 * markup. */
#include "core/page/page.h"

#include "core/base/memory.h"
#include "tests/unit/support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define SAYS(page, words) \
  cr_expect(strstr((page).text, words) != NULL, "\"%s\" is not in\n%s", words, (page).text)
#define SAYS_NOT(page, words) \
  cr_expect(strstr((page).text, words) == NULL, "\"%s\" is in\n%s", words, (page).text)

Test(page, head_has_the_title_and_loads_nothing)
{
  pf_text page = {0};
  pf_page_begin(&page, "a < b");
  pf_page_end(&page);
  SAYS(page, "<title>a &lt; b</title>");
  SAYS(page, "<h1>a &lt; b</h1>");
  SAYS(page, "</html>\n");
  SAYS_NOT(page, "http");
  SAYS_NOT(page, "@STYLE@");
  SAYS_NOT(page, "<script");
  pf_text_free(&page);
}

Test(page, text_is_no_markup_and_has_no_control_characters)
{
  pf_text page = {0};
  pf_page_text(&page, "<b onclick=\"x\">&\x01\x1b[0m");
  cr_expect(strcmp(page.text, "&lt;b onclick=&quot;x&quot;&gt;&amp;[0m") == 0 ||
                strpbrk(page.text, "<>\"\x01\x1b") == NULL,
            "%s", page.text);
  pf_text_free(&page);
}

Test(page, headings_paragraphs_and_folds)
{
  pf_text page = {0};
  pf_page_heading(&page, "one & two", NULL);
  pf_page_heading(&page, "three", "what it is");
  pf_page_paragraph(&page, "x < y");
  pf_page_fold(&page, "more");
  pf_page_fold_end(&page);
  SAYS(page, "one &amp; two");
  SAYS(page, "what it is");
  SAYS(page, "<p>x &lt; y</p>");
  SAYS(page, "<details><summary>more</summary>");
  SAYS(page, "</details>");
  pf_text_free(&page);
}

Test(page, tables_have_names_texts_and_numbers)
{
  static const char *const columns[] = {"name", "value"};
  pf_text page = {0};
  pf_page_table_of_numbers(&page, columns, 2, 1);
  pf_page_row(&page);
  pf_page_cell(&page, "<a>");
  pf_page_number(&page, 0.123456);
  pf_page_row(&page);
  pf_page_cell(&page, "b");
  pf_page_number(&page, NAN);
  pf_page_table_end(&page);
  pf_page_table(&page, columns, 2);
  pf_page_table_end(&page);
  SAYS(page, "name");
  SAYS(page, "&lt;a&gt;");
  SAYS(page, "0.1235");
  SAYS(page, "&ndash;");
  SAYS_NOT(page, "nan");
  pf_text_free(&page);
}

Test(page, config_of_a_folder)
{
  char folder[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
  pf_text page = {0};
  scratch_create(folder);
  pf_page_config(&page, folder); /* there is none: nothing is said, and nothing failed */
  cr_expect(page.text == NULL && !page.failed);
  (void)snprintf(path, sizeof path, "%s/config.cfg", folder);
  FILE *file = fopen(path, "w");
  cr_assert(file != NULL && fputs("name = \"a<b\";\n", file) >= 0);
  (void)fclose(file);
  pf_page_config(&page, folder);
  SAYS(page, "<pre>name = &quot;a&lt;b&quot;;\n</pre>");
  pf_text_free(&page);
  scratch_remove(folder);
}

/* Without figures one line says so, and nothing else is shown. */
Test(page, no_figures)
{
  pf_text page = {0};
  pf_error error = pf_error_none();
  pf_figures *figures = pf_figures_new(&error);
  cr_assert(figures != NULL);
  cr_expect(pf_page_figures(&page, figures, "weights-", 1) == 0);
  cr_expect(page.text == NULL || strstr(page.text, "<svg") == NULL);
  pf_figures_free(figures);
  pf_text_free(&page);
}
