/*
 * Linear expressions of channels: "reward - expected_reward", "0.5 reward + 2*novelty - 1".
 *
 *     expression = [sign] term { sign term }
 *     term       = number | [number [*]] name
 */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/dataset.h"

#include <ctype.h>
#include <math.h>
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

static pf_status complain(const scanner *scan, const char *expected)
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
  char **names = pf_memory_need(out->n + 1, sizeof *names, error);
  double *factors = pf_memory_need(out->n + 1, sizeof *factors, error);
  char *copy = pf_memory_need(length + 1, 1, error);
  if (names == NULL || factors == NULL || copy == NULL) {
    pf_memory_free(names);
    pf_memory_free(factors);
    pf_memory_free(copy);
    return PF_STOP;
  }
  memcpy(copy, name, length);
  if (out->n > 0) {
    memcpy(names, out->names, out->n * sizeof *names);
    memcpy(factors, out->factors, out->n * sizeof *factors);
  }
  names[out->n] = copy;
  factors[out->n] = factor;
  pf_memory_free(out->names);
  pf_memory_free(out->factors);
  out->names = names;
  out->factors = factors;
  out->n++;
  return PF_OK;
}

static pf_status check_known(const scanner *scan, const char *name, size_t length)
{
  char word[64];
  pf_text all = {0};
  (void)snprintf(word, sizeof word, "%.*s",
                 (int)(length < sizeof word - 1 ? length : sizeof word - 1), name);
  for (size_t i = 0; i < scan->known.count; i++) {
    if (strcmp(scan->known.items[i], word) == 0) {
      pf_text_free(&all);
      return PF_OK;
    }
    pf_text_add(&all, "%s%s", i > 0 ? ", " : "", scan->known.items[i]);
  }
  const char *near = pf_text_nearest(word, scan->known);
  pf_status status = pf_fail(
      scan->error, PF_STOP, "'%s', column %d: there is no channel '%s'%s%s%s; the data have: %s",
      scan->text, (int)(name - scan->text) + 1, word, near == NULL ? "" : "; did you mean '",
      near == NULL ? "" : near, near == NULL ? "" : "'", all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return status;
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
      return complain(scan, "a finite number");
    }
    scan->at = end;
    has_number = true;
    skip_space(scan);
    if (*scan->at == '*') {
      scan->at++;
      skip_space(scan);
      if (!starts_name(*scan->at)) {
        return complain(scan, "the name of a channel");
      }
    }
  }
  if (starts_name(*scan->at)) {
    const char *name = scan->at;
    while (starts_name(*scan->at) || isdigit((unsigned char)*scan->at)) {
      scan->at++;
    }
    size_t length = (size_t)(scan->at - name);
    pf_status status = check_known(scan, name, length);
    return status == PF_OK ? add_channel(out, name, length, sign * factor, scan->error) : status;
  }
  if (!has_number) {
    return complain(scan, "a number or the name of a channel");
  }
  out->constant += sign * factor;
  return PF_OK;
}

pf_status pf_linear_parse(const char *text, pf_names known, pf_linear *out, pf_error *error)
{
  scanner scan = {.text = text, .at = text, .known = known, .error = error};
  pf_linear linear = {0};
  pf_status status = PF_OK;
  double sign = 1.0;
  skip_space(&scan);
  if (*scan.at == '+' || *scan.at == '-') {
    sign = *scan.at++ == '-' ? -1.0 : 1.0;
  }
  for (;;) {
    status = scan_term(&scan, sign, &linear);
    skip_space(&scan);
    if (status != PF_OK || *scan.at == '\0') {
      break;
    }
    if (*scan.at != '+' && *scan.at != '-') {
      status = complain(&scan, "'+', '-' or the end");
      break;
    }
    sign = *scan.at++ == '-' ? -1.0 : 1.0;
  }
  if (status != PF_OK) {
    pf_linear_free(&linear);
    return status;
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

double pf_linear_value(const pf_linear *linear, const double *values)
{
  double sum = linear->constant;
  for (size_t k = 0; k < linear->n; k++) {
    sum += linear->factors[k] * values[k];
  }
  return sum;
}
