/*
 * Linear expressions of channels: "reward - expected_reward", "0.5 reward + 2*novelty - 1".
 *
 *     expression = [sign] term { sign term }
 *     term       = number | [number [*]] name
 */
#include "core/data/linear.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct scanner {
  const char *text, *at;
  pf_names known;
  pf_error *error;
} scanner;

static void skip_space(scanner *scan)
{
  while (isspace((unsigned char)*scan->at)) {
    scan->at++;
  }
}

static pf_status report_syntax(const scanner *scan, const char *expected)
{
  int column = (int)(scan->at - scan->text) + 1;
  if (*scan->at == '\0') {
    return pf_fail(scan->error, PF_STOP, "'%s' ends at column %d, where %s was expected",
                   scan->text, column, expected);
  }
  return pf_fail(scan->error, PF_STOP, "'%s', column %d: found '%c', expected %s", scan->text,
                 column, *scan->at, expected);
}

static int starts_name(char c)
{
  return isalpha((unsigned char)c) || c == '_';
}

static pf_status add_channel(pf_linear *out, const char *name, size_t length, double factor,
                             pf_error *error)
{
  for (size_t k = 0; k < out->n; k++) {
    if (strlen(out->names[k]) == length && strncmp(out->names[k], name, length) == 0) {
      out->factors[k] += factor;
      return PF_OK;
    }
  }
  pf_array names = {out->names, out->n, out->n, sizeof(char *)};
  pf_array factors = {out->factors, out->n, out->n, sizeof(double)};
  char *copy = pf_memory_need(length + 1, 1, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  memcpy(copy, name, length);
  const pf_status status = pf_array_append_all(&names, &copy, 1, error);
  out->names = names.items;
  if (status != PF_OK || pf_array_append_all(&factors, &factor, 1, error) != PF_OK) {
    pf_memory_free(copy);
    return PF_STOP;
  }
  out->factors = factors.items;
  out->n++;
  return PF_OK;
}

/** A name of `length` characters that no channel has. */
static pf_status unknown_channel(const scanner *scan, const char *name, const char *word)
{
  const char *near = pf_text_nearest(word, scan->known);
  pf_text all = {0};
  for (size_t i = 0; i < scan->known.count; i++) {
    pf_text_add(&all, "%s%s", i > 0 ? ", " : "", scan->known.items[i]);
  }
  (void)pf_fail(
      scan->error, PF_STOP, "'%s', column %d: there is no channel '%s'%s%s%s; the data have: %s",
      scan->text, (int)(name - scan->text) + 1, word, near == NULL ? "" : "; did you mean '",
      near == NULL ? "" : near, near == NULL ? "" : "'", all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

static pf_status check_known(const scanner *scan, const char *name, size_t length)
{
  char word[64];
  (void)snprintf(word, sizeof word, "%.*s",
                 (int)(length < sizeof word - 1 ? length : sizeof word - 1), name);
  for (size_t i = 0; i < scan->known.count; i++) {
    if (strcmp(scan->known.items[i], word) == 0) {
      return PF_OK;
    }
  }
  return unknown_channel(scan, name, word);
}

/** A name, `factor` times; scan->at stands at it. */
static pf_status scan_name(scanner *scan, double factor, pf_linear *out)
{
  const char *name = scan->at;
  while (starts_name(*scan->at) || isdigit((unsigned char)*scan->at)) {
    scan->at++;
  }
  const size_t length = (size_t)(scan->at - name);
  if (check_known(scan, name, length) != PF_OK) {
    return PF_STOP;
  }
  return add_channel(out, name, length, factor, scan->error);
}

static pf_status scan_term(scanner *scan, double sign, pf_linear *out)
{
  double factor = 1.0;
  bool has_number = false;
  skip_space(scan);
  if (isdigit((unsigned char)*scan->at) || *scan->at == '.') {
    char *end = NULL;
    factor = strtod(scan->at, &end);
    if (end == scan->at || !isfinite(factor)) {
      return report_syntax(scan, "a finite number");
    }
    scan->at = end;
    has_number = true;
    skip_space(scan);
    if (*scan->at == '*') {
      scan->at++;
      skip_space(scan);
      if (!starts_name(*scan->at)) {
        return report_syntax(scan, "the name of a channel");
      }
    }
  }
  if (starts_name(*scan->at)) {
    return scan_name(scan, sign * factor, out);
  }
  if (!has_number) {
    return report_syntax(scan, "a number or the name of a channel");
  }
  out->constant += sign * factor;
  return PF_OK;
}

static pf_status scan_expression(scanner *scan, pf_linear *out)
{
  double sign = 1.0;
  skip_space(scan);
  if (*scan->at == '+' || *scan->at == '-') {
    sign = *scan->at++ == '-' ? -1.0 : 1.0;
  }
  for (;;) {
    if (scan_term(scan, sign, out) != PF_OK) {
      return PF_STOP;
    }
    skip_space(scan);
    if (*scan->at == '\0') {
      return PF_OK;
    }
    if (*scan->at != '+' && *scan->at != '-') {
      return report_syntax(scan, "'+', '-' or the end");
    }
    sign = *scan->at++ == '-' ? -1.0 : 1.0;
  }
}

pf_status pf_linear_parse(const char *text, pf_names known, pf_linear *out, pf_error *error)
{
  scanner scan = {.text = text, .at = text, .known = known, .error = error};
  pf_linear linear = {0};
  if (scan_expression(&scan, &linear) != PF_OK) {
    pf_linear_free(&linear);
    return PF_STOP;
  }
  *out = linear;
  return PF_OK;
}

void pf_linear_free(pf_linear *linear)
{
  for (size_t k = 0; k < linear->n; k++) {
    pf_memory_free(linear->names[k]);
  }
  pf_memory_free(linear->names);
  pf_memory_free(linear->factors);
  memset(linear, 0, sizeof *linear);
}
