#define _POSIX_C_SOURCE 200809L

#include "core/figures/result_folder.h"

#include <stdio.h>
#include <unistd.h>

bool pf_result_has(const char *folder, const char *name)
{
  char path[PF_RESULT_PATH];
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  return access(path, R_OK) == 0;
}

json_t *pf_result_json(const char *folder, const char *name, pf_error *error)
{
  char path[PF_RESULT_PATH];
  json_error_t why;
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  json_t *root = json_load_file(path, 0, &why);
  if (root == NULL) {
    (void)pf_fail(error, PF_STOP, "%.400s:%d: is no JSON that can be read: %.300s", path, why.line,
                  why.text);
  }
  return root;
}

pf_status pf_result_sheet(const char *folder, const char *name, const pf_names *wanted,
                          pf_sheet **out, pf_error *error)
{
  char path[PF_RESULT_PATH];
  (void)snprintf(path, sizeof path, "%.3000s/%.200s", folder, name);
  *out = NULL;
  return pf_result_has(folder, name) ? pf_sheet_read(path, wanted, out, error) : PF_OK;
}

const char *pf_result_string(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  return text != NULL ? text : "";
}

double pf_result_number(const json_t *object, const char *key)
{
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}
