#define _POSIX_C_SOURCE 200809L

#include "core/page/result_folder.h"

#include <stdio.h>
#include <unistd.h>

bool pf_html_has(const char *folder, const char *name)
{
  char path[PF_HTML_PATH];
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  return access(path, R_OK) == 0;
}

json_t *pf_html_json(const char *folder, const char *name, pf_error *error)
{
  char path[PF_HTML_PATH];
  json_error_t why;
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  json_t *root = json_load_file(path, 0, &why);
  if (root == NULL) {
    (void)pf_fail(error, PF_STOP, "%.400s:%d: is no JSON that can be read: %.300s", path, why.line,
                  why.text);
  }
  return root;
}

pf_status pf_html_sheet(const char *folder, const char *name, const pf_names *wanted,
                        pf_sheet **out, pf_error *error)
{
  char path[PF_HTML_PATH];
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  *out = NULL;
  return pf_html_has(folder, name) ? pf_sheet_read(path, wanted, out, error) : PF_OK;
}

const char *pf_html_string(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

double pf_html_number(const json_t *object, const char *key)
{
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

void pf_html_config(pf_text *page, const char *folder)
{
  char path[PF_HTML_PATH];
  char line[1024];
  (void)snprintf(path, sizeof path, "%.3000s/config.cfg", folder);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    page->failed = page->failed || pf_html_has(folder, "config.cfg");
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

pf_status pf_html_render(const char *folder, pf_figures *figures, pf_error *error)
{
  char path[PF_HTML_PATH];
  (void)snprintf(path, sizeof path, "%.3000s/figures", folder);
  return pf_figures_render(figures, path, error);
}
