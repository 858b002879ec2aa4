#define _POSIX_C_SOURCE 200809L

#include "fake_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static fake_options *self_of(const pf_options *options)
{
  /* The face is const to the plugin; the test owns what is behind it. */
  return (fake_options *)(uintptr_t)options->impl;
}

/** Is `path` with every [number] taken for [] the declared name? */
static int path_matches(const char *path, const char *name)
{
  while (*path != '\0' && *name != '\0') {
    if (*path != *name) {
      return 0;
    }
    if (*path == '[') {
      while (isdigit((unsigned char)path[1])) {
        path++;
      }
    }
    path++;
    name++;
  }
  return *path == '\0' && *name == '\0';
}

static const pf_option *declared_option(fake_options *self, const char *path)
{
  for (size_t i = 0; i < self->declared->count; i++) {
    const pf_option *option =
        pf_table_at(self->declared->items, self->declared->stride, self->declared->count, i);
    if (path_matches(path, option->name)) {
      return option;
    }
  }
  return NULL;
}

static const fake_value *given_value(const fake_options *self, const char *path)
{
  for (size_t i = 0; i < self->n_given; i++) {
    if (strcmp(self->given[i].path, path) == 0) {
      return &self->given[i];
    }
  }
  return NULL;
}

static int is_list(uint32_t type)
{
  return type == PF_TYPE_INTEGERS || type == PF_TYPE_REALS || type == PF_TYPE_STRINGS ||
         type == PF_TYPE_NAMES;
}

/** Element i of a default in the config's syntax: where it starts, or NULL past the end. */
static const char *fallback_element(const char *text, int64_t i)
{
  while (isspace((unsigned char)*text) || *text == '[' || *text == '(') {
    text++;
  }
  if (*text == ']' || *text == ')' || *text == '\0') {
    return NULL;
  }
  for (; i > 0; i--) {
    int quoted = 0;
    while (*text != '\0' && (quoted || *text != ',')) {
      if (*text == '"') {
        quoted = !quoted;
      }
      text++;
    }
    if (*text == '\0') {
      return NULL;
    }
    text++;
    while (isspace((unsigned char)*text)) {
      text++;
    }
  }
  return text;
}

static const char *unquoted(fake_options *self, const char *text)
{
  if (*text != '"') {
    self->mistakes++;
    return "";
  }
  const char *end = strchr(text + 1, '"');
  const size_t length = end != NULL ? (size_t)(end - text - 1) : FAKE_TEXT;
  if (length + 1 > FAKE_TEXT - self->text_used) {
    self->mistakes++;
    return "";
  }
  char *copy = self->text + self->text_used;
  memcpy(copy, text + 1, length);
  copy[length] = '\0';
  self->text_used += length + 1;
  return copy;
}

static double number(fake_options *self, const char *text)
{
  if (strncmp(text, "true", 4) == 0) {
    return 1.0;
  }
  if (strncmp(text, "false", 5) == 0) {
    return 0.0;
  }
  char *end = NULL;
  const double value = strtod(text, &end);
  if (end == text) {
    self->mistakes++;
  }
  return value;
}

/**
 * Element i of the option: as given, else from its default. 0 where there is none; a mistake where
 * the plugin asks for what it did not declare so.
 */
static int fetch(fake_options *self, const char *path, int list, uint32_t type, uint32_t other_type,
                 int64_t i, fake_value *out)
{
  const pf_option *option = declared_option(self, path);
  if (option == NULL || (option->type != type && option->type != other_type)) {
    self->mistakes++;
    return 0;
  }
  const fake_value *given = given_value(self, path);
  memset(out, 0, sizeof *out);
  if (given != NULL) {
    if ((list && (i < 0 || i >= given->count)) ||
        (given->type != type && given->type != other_type)) {
      self->mistakes++;
      return 0;
    }
    out->integer = given->integers != NULL ? given->integers[i] : given->integer;
    out->real = given->reals != NULL ? given->reals[i] : given->real;
    out->string = given->strings != NULL ? given->strings[i] : given->string;
    return 1;
  }
  const char *text =
      option->fallback != NULL ? fallback_element(option->fallback, list ? i : 0) : NULL;
  if (text == NULL) {
    self->mistakes++;
    return 0;
  }
  if (type == PF_TYPE_STRING || type == PF_TYPE_STRINGS) {
    out->string = unquoted(self, text);
  } else {
    out->real = number(self, text);
    out->integer = (int64_t)out->real;
  }
  return 1;
}

static int present(const pf_options *options, const char *path)
{
  fake_options *self = self_of(options);
  const pf_option *option = declared_option(self, path);
  if (option == NULL) {
    self->mistakes++;
    return 0;
  }
  return given_value(self, path) != NULL || option->fallback != NULL;
}

static int64_t length(const pf_options *options, const char *path)
{
  fake_options *self = self_of(options);
  const pf_option *option = declared_option(self, path);
  if (option != NULL) {
    if (!is_list(option->type)) {
      self->mistakes++;
      return 0;
    }
    const fake_value *given = given_value(self, path);
    if (given != NULL) {
      return given->count;
    }
    int64_t n = 0;
    while (option->fallback != NULL && fallback_element(option->fallback, n) != NULL) {
      n++;
    }
    return n;
  }
  /* A list of groups: as many as the highest index given, plus one. */
  const size_t prefix = strlen(path);
  int64_t groups = 0;
  for (size_t i = 0; i < self->n_given; i++) {
    const char *name = self->given[i].path;
    if (strncmp(name, path, prefix) == 0 && name[prefix] == '[') {
      const int64_t index = strtoll(name + prefix + 1, NULL, 10);
      groups = index + 1 > groups ? index + 1 : groups;
    }
  }
  return groups;
}

static int boolean(const pf_options *options, const char *path)
{
  fake_value value;
  return fetch(self_of(options), path, 0, PF_TYPE_BOOL, PF_TYPE_BOOL, 0, &value) &&
         value.integer != 0;
}

static int64_t integer(const pf_options *options, const char *path)
{
  fake_value value;
  return fetch(self_of(options), path, 0, PF_TYPE_INTEGER, PF_TYPE_INTEGER, 0, &value)
             ? value.integer
             : 0;
}

static double real(const pf_options *options, const char *path)
{
  fake_value value;
  return fetch(self_of(options), path, 0, PF_TYPE_REAL, PF_TYPE_REAL, 0, &value) ? value.real : 0.0;
}

static const char *string(const pf_options *options, const char *path)
{
  fake_value value;
  return fetch(self_of(options), path, 0, PF_TYPE_STRING, PF_TYPE_PATH, 0, &value) ? value.string
                                                                                   : "";
}

static int64_t integer_at(const pf_options *options, const char *path, int64_t i)
{
  fake_value value;
  return fetch(self_of(options), path, 1, PF_TYPE_INTEGERS, PF_TYPE_INTEGERS, i, &value)
             ? value.integer
             : 0;
}

static double real_at(const pf_options *options, const char *path, int64_t i)
{
  fake_value value;
  return fetch(self_of(options), path, 1, PF_TYPE_REALS, PF_TYPE_REALS, i, &value) ? value.real
                                                                                   : 0.0;
}

static const char *string_at(const pf_options *options, const char *path, int64_t i)
{
  fake_value value;
  return fetch(self_of(options), path, 1, PF_TYPE_STRINGS, PF_TYPE_NAMES, i, &value) ? value.string
                                                                                     : "";
}

void fake_options_init(fake_options *options, const pf_option_table *declared,
                       const fake_value *given, size_t n_given)
{
  memset(options, 0, sizeof *options);
  options->declared = declared;
  options->given = given;
  options->n_given = n_given;
  options->face = (pf_options){
      .size = sizeof(pf_options),
      .impl = options,
      .present = present,
      .length = length,
      .boolean = boolean,
      .integer = integer,
      .real = real,
      .string = string,
      .integer_at = integer_at,
      .real_at = real_at,
      .string_at = string_at,
  };
}

static void *allocate(const pf_host *face, size_t bytes)
{
  fake_host *host = face->impl;
  if (host->made++ == host->fail_at) {
    return NULL;
  }
  const size_t rounded = (bytes + 63) / 64 * 64 + (bytes == 0 ? 64 : 0);
  void *pointer = NULL;
  if (posix_memalign(&pointer, 64, rounded) != 0) {
    return NULL;
  }
  memset(pointer, 0, rounded);
  host->live++;
  return pointer;
}

static void release(const pf_host *face, void *pointer)
{
  fake_host *host = face->impl;
  if (pointer != NULL) {
    host->live--;
    free(pointer);
  }
}

static void warn(const pf_host *face, const char *line)
{
  (void)line;
  fake_host *host = face->impl;
  host->warnings++;
}

const pf_host *fake_host_init(fake_host *host)
{
  memset(host, 0, sizeof *host);
  host->fail_at = -1;
  host->face = (pf_host){.size = sizeof(pf_host),
                         .impl = host,
                         .allocate = allocate,
                         .release = release,
                         .warn = warn};
  return &host->face;
}
