#include "core/config/setting.h"

#include "core/base/memory.h"

#include <string.h>

uint32_t pf_choice_number(const char *choices, const char *word)
{
  const size_t length = strlen(word);
  uint32_t number = 0;
  while (*choices != '\0') {
    const size_t n = strcspn(choices, "|");
    if (n == length && strncmp(choices, word, n) == 0) {
      return number;
    }
    number++;
    choices += n + (choices[n] == '|' ? 1 : 0);
  }
  return number;
}

static const pf_setting *setting_at(pf_option_table table, size_t i)
{
  return (const pf_setting *)pf_table_at(table.items, table.stride, table.count, i);
}

/** The key behind "list[]." or, where `list` is NULL, the whole name; NULL: not a row of those. */
static const char *key_in_list(const pf_setting *row, const char *list)
{
  const char *name = row->option.name;
  if (row->offset == PF_NO_FIELD) {
    return NULL;
  }
  if (list == NULL) {
    return strstr(name, "[]") == NULL ? name : NULL;
  }
  const size_t length = strlen(list);
  const bool inside = strncmp(name, list, length) == 0 && strncmp(name + length, "[].", 3) == 0;
  return inside ? name + length + 3 : NULL;
}

static pf_status read_text(const pf_options *options, const char *path, char **out, pf_error *error)
{
  *out = pf_memory_string(options->string(options, path), error);
  return *out == NULL ? PF_STOP : PF_OK;
}

static pf_status read_texts(const pf_options *options, const char *path, pf_names *out,
                            pf_error *error)
{
  const size_t n = (size_t)options->length(options, path);
  char **items = pf_memory_need(n, sizeof *items, error);
  if (items == NULL) {
    return PF_STOP;
  }
  *out = (pf_names){(const char *const *)items, n};
  for (size_t i = 0; i < n; i++) {
    items[i] = pf_memory_string(options->string_at(options, path, (int64_t)i), error);
    if (items[i] == NULL) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status read_numbers(const pf_options *options, const char *path, pf_numbers *out,
                              pf_error *error)
{
  out->n = (size_t)options->length(options, path);
  out->items = pf_memory_need(out->n, sizeof *out->items, error);
  if (out->items == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < out->n; i++) {
    out->items[i] = options->real_at(options, path, (int64_t)i);
  }
  return PF_OK;
}

static pf_status read_setting(const pf_setting *row, const char *path, const pf_options *options,
                              void *out, pf_error *error)
{
  void *field = (char *)out + row->offset;
  switch (row->option.type) {
  case PF_TYPE_BOOL:
    *(bool *)field = options->boolean(options, path) != 0;
    return PF_OK;
  case PF_TYPE_INTEGER:
    *(int64_t *)field = options->integer(options, path);
    return PF_OK;
  case PF_TYPE_REAL:
    *(double *)field = options->real(options, path);
    return PF_OK;
  case PF_TYPE_REALS:
    return read_numbers(options, path, field, error);
  case PF_TYPE_STRINGS:
    return read_texts(options, path, field, error);
  default:
    if (!row->is_choice) {
      return read_text(options, path, field, error);
    }
    *(uint32_t *)field = pf_choice_number(row->option.choices, options->string(options, path));
    return PF_OK;
  }
}

static pf_status read_rows(pf_option_table table, const char *list, int64_t index,
                           const pf_options *options, void *out, pf_error *error)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_setting *row = setting_at(table, i);
    const char *key = key_in_list(row, list);
    char path[160];
    if (key == NULL) {
      continue;
    }
    if (list == NULL) {
      (void)snprintf(path, sizeof path, "%s", key);
    } else {
      (void)snprintf(path, sizeof path, "%s[%lld].%s", list, (long long)index, key);
    }
    if (options->present(options, path) != 0 &&
        read_setting(row, path, options, out, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

pf_status pf_settings_read(pf_option_table table, const pf_options *options, void *out,
                           pf_error *error)
{
  return read_rows(table, NULL, 0, options, out, error);
}

pf_status pf_settings_read_element(pf_option_table table, const char *list, int64_t i,
                                   const pf_options *options, void *out, pf_error *error)
{
  return read_rows(table, list, i, options, out, error);
}

static void free_texts(pf_names *names)
{
  for (size_t i = 0; names->items != NULL && i < names->count; i++) {
    pf_memory_free((void *)names->items[i]);
  }
  pf_memory_free((void *)names->items);
  *names = (pf_names){0};
}

void pf_settings_clear(pf_option_table table, const char *list, void *of)
{
  for (size_t i = 0; i < table.count; i++) {
    const pf_setting *row = setting_at(table, i);
    if (key_in_list(row, list) == NULL) {
      continue;
    }
    void *field = (char *)of + row->offset;
    const uint32_t type = row->option.type;
    if (type == PF_TYPE_STRINGS) {
      free_texts(field);
    } else if (type == PF_TYPE_REALS) {
      pf_memory_free(((pf_numbers *)field)->items);
      *(pf_numbers *)field = (pf_numbers){0};
    } else if ((type == PF_TYPE_STRING || type == PF_TYPE_PATH) && !row->is_choice) {
      pf_memory_free(*(char **)field);
      *(char **)field = NULL;
    }
  }
}

pf_status pf_settings_join(const pf_option_table *tables, size_t n, pf_option_table *out,
                           pf_error *error)
{
  size_t count = 0;
  for (size_t t = 0; t < n; t++) {
    count += tables[t].count;
  }
  pf_setting *rows = pf_memory_need(count, sizeof *rows, error);
  if (rows == NULL) {
    return PF_STOP;
  }
  size_t at = 0;
  for (size_t t = 0; t < n; t++) {
    for (size_t i = 0; i < tables[t].count; i++) {
      rows[at++] = *setting_at(tables[t], i);
    }
  }
  *out = (pf_option_table){&rows[0].option, count, sizeof *rows};
  return PF_OK;
}
