#include "core/store/json_values.h"

#include <errno.h>
#include <math.h>
#include <string.h>

json_t *pf_json_number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *pf_json_text(const char *value)
{
  if (value == NULL) {
    return json_null();
  }
  json_t *json = json_string(value);
  if (json == NULL) {
    char plain[PF_ERROR_LENGTH];
    (void)snprintf(plain, sizeof plain, "%s", value);
    for (char *c = plain; *c != '\0'; c++) {
      *c = (unsigned char)*c < 128 ? *c : '?';
    }
    json = json_string(plain);
  }
  return json;
}

json_t *pf_json_seed(uint64_t seed)
{
  char text[32];
  (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
  return seed <= INT64_MAX ? json_integer((json_int_t)seed) : json_string(text);
}

json_t *pf_json_append(json_t *array, json_t *value)
{
  if (json_array_append_new(array, value) == 0) {
    return array;
  }
  json_decref(array);
  return NULL;
}

json_t *pf_json_set(json_t *object, const char *key, json_t *value)
{
  if (json_object_set_new(object, key, value) == 0) {
    return object;
  }
  json_decref(object);
  return NULL;
}

/* ---- settings ---- */

static json_t *text_array(const pf_names *texts)
{
  json_t *array = json_array();
  for (size_t i = 0; i < texts->count; i++) {
    array = pf_json_append(array, pf_json_text(texts->items[i]));
  }
  return array;
}

static json_t *number_array(const pf_numbers *numbers)
{
  json_t *array = json_array();
  for (size_t i = 0; i < numbers->n; i++) {
    array = pf_json_append(array, pf_json_number(numbers->items[i]));
  }
  return array;
}

/** Word `number` of "first|second|third"; null where there is none: the key was not given. */
static json_t *choice_value(const char *choices, uint32_t number)
{
  for (; number > 0 && *choices != '\0'; number--) {
    choices += strcspn(choices, "|");
    choices += *choices == '|' ? 1 : 0;
  }
  const size_t length = strcspn(choices, "|");
  return length > 0 ? json_stringn(choices, length) : json_null();
}

static json_t *setting_value(const pf_setting *row, const void *of)
{
  const void *field = (const char *)of + row->offset;
  if (row->is_choice) {
    return choice_value(row->option.choices, *(const uint32_t *)field);
  }
  switch (row->option.type) {
  case PF_TYPE_BOOL:
    return json_boolean(*(const bool *)field);
  case PF_TYPE_INTEGER:
    return json_integer((json_int_t) * (const int64_t *)field);
  case PF_TYPE_REAL:
    return pf_json_number(*(const double *)field);
  case PF_TYPE_REALS:
    return number_array(field);
  case PF_TYPE_STRINGS:
    return text_array(field);
  default:
    return pf_json_text(*(char *const *)field);
  }
}

/** The value at "group.inner.key", with the groups made on the way. */
static json_t *set_at(json_t *object, const char *path, json_t *value)
{
  json_t *group = object;
  char name[160];
  const char *dot = strchr(path, '.');
  for (; dot != NULL; path = dot + 1, dot = strchr(path, '.')) {
    (void)snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
    if (json_object_get(group, name) == NULL) {
      (void)json_object_set_new(group, name, json_object());
    }
    group = json_object_get(group, name);
  }
  if (json_object_set_new(group, path, value) == 0) {
    return object;
  }
  json_decref(object);
  return NULL;
}

json_t *pf_json_settings(json_t *object, pf_option_table table, const void *of)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_setting *row =
        (const pf_setting *)pf_table_at(table.items, table.stride, table.count, i);
    if (row->offset != PF_NO_FIELD && strstr(row->option.name, "[]") == NULL) {
      object = set_at(object, row->option.name, setting_value(row, of));
    }
  }
  return object;
}

/* ---- the file ---- */

pf_status pf_json_write(json_t *root, const char *path, pf_error *error)
{
  if (root == NULL) {
    return pf_fail(error, PF_STOP, "no memory left for '%s'", path);
  }
  const int failed = json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  json_decref(root);
  return failed == 0 ? PF_OK
                     : pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
}
