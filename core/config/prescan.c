/*
 * What libconfig 1.5 gets wrong without a word, found in the text before it is
 * parsed: a whole number beyond 32 bits wraps around, an @include of something
 * that cannot be read ends the whole program, a comment at the very end of a
 * file is a syntax error, and a text that is never closed is memory lost.
 */
#include "core/config/prescan.h"

#include "core/base/memory.h"
#include "core/config/text_file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 10 }; /* libconfig's own limit on nested includes */

typedef struct scan {
  const char *at;
  const char *line_start;
  int line;
  const pf_prescan_text *in;
} scan;

static void begin_line(scan *s)
{
  s->line++;
  s->line_start = s->at + 1;
}

/** "configs/t.cfg:12: "; "" on the command line. */
static const char *place_of(const scan *s, int line, char *text, size_t capacity)
{
  text[0] = '\0';
  if (s->in->folder != NULL) {
    (void)snprintf(text, capacity, "%s:%d: ", s->in->name, line);
  }
  return text;
}

/** Skips a string; at the opening quote. */
static pf_status skip_string(scan *s, pf_error *error)
{
  char where[PF_ERROR_LENGTH / 2];
  int opened = s->line;
  for (s->at++; *s->at != '\0' && *s->at != '"'; s->at++) {
    if (*s->at == '\\' && s->at[1] != '\0') {
      s->at++;
    }
    if (*s->at == '\n') {
      begin_line(s);
    }
  }
  if (*s->at == '\0') {
    return pf_fail(error, PF_STOP, "%sa quote (\") is opened here and never closed",
                   place_of(s, opened, where, sizeof where));
  }
  s->at++;
  return PF_OK;
}

/** Skips a comment if there is one here. */
static bool skip_comment(scan *s)
{
  if (s->at[0] == '#' || (s->at[0] == '/' && s->at[1] == '/')) {
    s->at += strcspn(s->at, "\n");
    return true;
  }
  if (s->at[0] == '/' && s->at[1] == '*') {
    for (s->at += 2; *s->at != '\0' && !(s->at[0] == '*' && s->at[1] == '/'); s->at++) {
      if (*s->at == '\n') {
        begin_line(s);
      }
    }
    s->at += *s->at == '\0' ? 0 : 2;
    return true;
  }
  return false;
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '*' ||
         c == '.';
}

/** A number or a name, from its first letter to its last. */
static pf_status check_word(scan *s, pf_error *error)
{
  const char *start = s->at;
  while (is_word(*s->at) || *s->at == '-' ||
         (*s->at == '+' && (s->at[-1] == 'e' || s->at[-1] == 'E'))) {
    s->at++;
  }
  size_t length = (size_t)(s->at - start);
  bool hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
  char *end = NULL;
  errno = 0;
  long long value = is_digit(start[0]) ? strtoll(start, &end, hex ? 16 : 10) : 0;
  if (end == NULL || end == start || (end < s->at && *end != 'L')) {
    return PF_OK; /* a name, a real number, or nothing that libconfig would take for a whole number
                   */
  }
  bool negative = start > s->line_start && start[-1] == '-';
  char where[PF_ERROR_LENGTH / 2];
  (void)place_of(s, s->line, where, sizeof where);
  if (errno == ERANGE) {
    return pf_fail(error, PF_POINT_FAILED,
                   "%sthe whole number %.*s is too large; at most 9223372036854775807 is possible",
                   where, (int)length, start);
  }
  if (*end != 'L' && value > (long long)INT_MAX + (negative ? 1 : 0)) {
    return pf_fail(error, PF_POINT_FAILED, "%sthe whole number %.*s is beyond 32 bits; write %.*sL",
                   where, (int)length, start, (int)length, start);
  }
  return PF_OK;
}

static pf_status check_include(scan *s, pf_error *error)
{
  const char *name = s->at + strlen("@include");
  name += strspn(name, " \t");
  if (*name != '"') {
    s->at++;
    return PF_OK; /* libconfig reports it */
  }
  size_t length = strcspn(name + 1, "\"\n");
  s->at = name + 1 + length + (name[1 + length] == '"' ? 1 : 0);
  if (s->in->depth + 1 > DEEPEST) {
    return pf_fail(error, PF_STOP,
                   "%s:%d: includes nest deeper than %d; does a file include itself?", s->in->name,
                   s->line, DEEPEST);
  }
  if (name[1] == '/') {
    return pf_fail(error, PF_STOP,
                   "%s:%d: @include \"%.*s\": found a path from the root of the file system, "
                   "expected one from this config's folder, such as \"common.cfg\" or "
                   "\"../common.cfg\"",
                   s->in->name, s->line, length < 300 ? (int)length : 300, name + 1);
  }
  size_t capacity = strlen(s->in->folder) + length + 1;
  char *path = pf_memory_need(capacity, 1, error);
  if (path == NULL) {
    return PF_STOP;
  }
  (void)snprintf(path, capacity, "%s%.*s", s->in->folder, (int)length, name + 1);
  char *text = NULL;
  pf_error inner = pf_error_none();
  pf_status status = pf_text_file_read(path, &text, &inner);
  if (status != PF_OK) {
    status = pf_fail(error, status, "%s:%d: @include: %s", s->in->name, s->line, inner.text);
  } else {
    const pf_prescan_text included = {text, path, s->in->folder, s->in->depth + 1};
    status = pf_config_prescan(&included, error);
  }
  pf_memory_free(text);
  pf_memory_free(path);
  return status;
}

/** Moves on over what stands here, whatever it is. */
static pf_status scan_next(scan *s, pf_error *error)
{
  if (*s->at == '\n') {
    begin_line(s);
    s->at++;
    return PF_OK;
  }
  if (*s->at == '"') {
    return skip_string(s, error);
  }
  if (skip_comment(s)) {
    if (*s->at == '\0' && s->in->depth > 0) {
      /* the config itself gets a line end from us, an included file cannot */
      return pf_fail(error, PF_STOP, "%s:%d: the file ends in a comment; put a line end behind it",
                     s->in->name, s->line);
    }
    return PF_OK;
  }
  if (s->in->folder != NULL && strncmp(s->at, "@include", strlen("@include")) == 0) {
    return check_include(s, error);
  }
  if (is_word(*s->at)) {
    return check_word(s, error);
  }
  s->at++;
  return PF_OK;
}

pf_status pf_config_prescan(const pf_prescan_text *text, pf_error *error)
{
  scan s = {.at = text->text, .line_start = text->text, .line = 1, .in = text};
  while (*s.at != '\0') {
    const pf_status status = scan_next(&s, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}
