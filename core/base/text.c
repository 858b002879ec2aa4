#include "core/base/text.h"

#include "core/base/memory.h"

#include <plastfit/author/name_distance.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a text that grows ---- */

/** Room for `more` bytes and a final 0. */
static bool reserve_room(pf_text *text, size_t more)
{
  if (more >= SIZE_MAX / 4 - text->length) {
    return false;
  }
  size_t wanted = text->length + more + 1;
  if (wanted <= text->capacity) {
    return true;
  }
  size_t capacity = text->capacity * 2 > wanted ? text->capacity * 2 : wanted + 64;
  char *grown = realloc(text->text, capacity);
  if (grown == NULL) {
    return false;
  }
  text->text = grown;
  text->capacity = capacity;
  return true;
}

void pf_text_add(pf_text *text, const char *format, ...)
{
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, args);
  if (length >= 0 && reserve_room(text, (size_t)length)) {
    (void)vsnprintf(text->text + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
  } else {
    text->failed = 1;
  }
  va_end(again);
  va_end(args);
}

void pf_text_free(pf_text *text)
{
  free(text->text);
  *text = (pf_text){0};
}

/* ---- the nearest name ---- */

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool starts_with(const char *name, const char *start, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (name[i] == '\0' || pf_lower_case(name[i]) != pf_lower_case(start[i])) {
      return false;
    }
  }
  return true;
}

const char *pf_text_nearest(const char *name, pf_names candidates)
{
  size_t n = name == NULL ? 0 : strlen(name);
  if (n == 0 || n > PF_LONGEST_NAME) {
    return NULL;
  }
  /* One mistake per three letters, at least one; a single letter resembles every other one. */
  size_t allowed = n < 2 ? 0 : (n < 6 ? 1 : n / 3);
  size_t best = SIZE_MAX;
  const char *nearest = NULL;
  for (size_t i = 0; i < candidates.count; i++) {
    const char *candidate = candidates.items[i];
    if (candidate == NULL) {
      continue;
    }
    size_t d = pf_name_distance(name, candidate);
    if (d < best && d <= allowed && d < strlen(candidate)) {
      best = d;
      nearest = candidate;
    }
  }
  /* "mod" is no typing mistake but half a name. */
  for (size_t i = 0; nearest == NULL && n >= 3 && i < candidates.count; i++) {
    if (candidates.items[i] != NULL && starts_with(candidates.items[i], name, n)) {
      nearest = candidates.items[i];
    }
  }
  /* "activity" for "activities": all but the last letter of a longer name are alike. */
  for (size_t i = 0; nearest == NULL && n >= 6 && i < candidates.count; i++) {
    if (candidates.items[i] != NULL && starts_with(candidates.items[i], name, n - 1)) {
      nearest = candidates.items[i];
    }
  }
  return nearest;
}

/* ---- natural order ---- */

static size_t count_digits(const char *text)
{
  size_t n = 0;
  while (is_digit(text[n])) {
    n++;
  }
  return n;
}

int pf_text_natural_compare(const char *a, const char *b)
{
  const char *p = a, *q = b;
  while (*p != '\0' && *q != '\0') {
    if (is_digit(*p) && is_digit(*q)) {
      while (*p == '0' && is_digit(p[1])) {
        p++;
      }
      while (*q == '0' && is_digit(q[1])) {
        q++;
      }
      /* Without leading zeros, the longer run is the larger number: no overflow, however long. */
      size_t n = count_digits(p), m = count_digits(q);
      if (n != m) {
        return n < m ? -1 : 1;
      }
      int order = strncmp(p, q, n);
      if (order != 0) {
        return order < 0 ? -1 : 1;
      }
      p += n;
      q += n;
    } else if (*p != *q) {
      return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
    } else {
      p++;
      q++;
    }
  }
  if (*p != *q) {
    return *p == '\0' ? -1 : 1;
  }
  /* a01 and a1: equal numbers, yet an order must not depend on how it was reached. */
  int order = strcmp(a, b);
  return (order > 0) - (order < 0);
}

void pf_text_folder_of(const char *path, char *out, size_t capacity)
{
  (void)snprintf(out, capacity, "%s", path);
  char *slash = strrchr(out, '/');
  if (slash == NULL) {
    (void)snprintf(out, capacity, ".");
  } else {
    slash[slash == out ? 1 : 0] = '\0';
  }
}
