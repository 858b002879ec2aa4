/*
 * Sums of products of channels: "reward - expected_reward", "0.5 reward + 2*novelty - 1",
 * "reward * sign(side)", "reward (arm == 2)".
 *
 *     expression = [sign] term { sign term }
 *     term       = factor { [*] factor }
 *     factor     = number | name | sign ( name ) | ( name comparison number )
 *     name       = letters [ "[post]" | "[pre]" ]
 */
#include "core/data/linear.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/text.h"

#include <ctype.h>
#include <math.h>
#include <plastfit/abi/rule.h>
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

/** Its index among the names, where it is added if it is new. */
static pf_status add_name(pf_linear *out, const char *name, size_t length, size_t *index,
                          pf_error *error)
{
  for (size_t k = 0; k < out->n; k++) {
    if (strlen(out->names[k]) == length && strncmp(out->names[k], name, length) == 0) {
      *index = k;
      return PF_OK;
    }
  }
  pf_array names = {out->names, out->n, out->n, sizeof(char *)};
  char *copy = pf_memory_need(length + 1, 1, error);
  if (copy == NULL) {
    return PF_STOP;
  }
  memcpy(copy, name, length);
  const pf_status status = pf_array_append_all(&names, &copy, 1, error);
  out->names = names.items;
  if (status != PF_OK) {
    pf_memory_free(copy);
    return PF_STOP;
  }
  *index = out->n++;
  return PF_OK;
}

static bool same_factors(const pf_linear_term *a, const pf_linear_term *b)
{
  if (a->n != b->n) {
    return false;
  }
  for (size_t k = 0; k < a->n; k++) {
    const pf_linear_factor *one = &a->factors[k], *other = &b->factors[k];
    if (one->name != other->name || one->form != other->form || one->number != other->number) {
      return false;
    }
  }
  return true;
}

/** A term like one that is there adds to its coefficient. */
static pf_status add_term(pf_linear *out, const pf_linear_term *term, pf_error *error)
{
  if (term->n == 0) {
    out->constant += term->coefficient;
    return PF_OK;
  }
  for (size_t k = 0; k < out->n_terms; k++) {
    if (same_factors(&out->terms[k], term)) {
      out->terms[k].coefficient += term->coefficient;
      return PF_OK;
    }
  }
  pf_array terms = {out->terms, out->n_terms, out->n_terms, sizeof *out->terms};
  const pf_status status = pf_array_append_all(&terms, term, 1, error);
  out->terms = terms.items;
  out->n_terms += status == PF_OK ? 1 : 0;
  return status;
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

/* ---- families ---- */

static const struct family_suffix {
  const char *text;
  uint32_t per;
} suffixes[] = {{"[post]", PF_PER_POST}, {"[pre]", PF_PER_PRE}};
enum { N_SUFFIXES = sizeof suffixes / sizeof suffixes[0] };

uint32_t pf_linear_family(const char *name, size_t *length)
{
  *length = strlen(name);
  for (size_t k = 0; k < N_SUFFIXES; k++) {
    const size_t n = strlen(suffixes[k].text);
    if (*length > n && strcmp(name + *length - n, suffixes[k].text) == 0) {
      *length -= n;
      return suffixes[k].per;
    }
  }
  return PF_PER_NETWORK;
}

bool pf_linear_has_family(const pf_linear *linear)
{
  for (size_t k = 0; k < linear->n; k++) {
    size_t length = 0;
    if (pf_linear_family(linear->names[k], &length) != PF_PER_NETWORK) {
      return true;
    }
  }
  return false;
}

bool pf_linear_is_member(const char *channel, const char *family, size_t length)
{
  return strlen(channel) > length && strncmp(channel, family, length) == 0;
}

/** A family needs a member. */
static pf_status check_family(const scanner *scan, const char *name, size_t length)
{
  for (size_t i = 0; i < scan->known.count; i++) {
    if (pf_linear_is_member(scan->known.items[i], name, length)) {
      return PF_OK;
    }
  }
  pf_text all = {0};
  for (size_t i = 0; i < scan->known.count; i++) {
    pf_text_add(&all, "%s%s", i > 0 ? ", " : "", scan->known.items[i]);
  }
  (void)pf_fail(scan->error, PF_STOP,
                "'%s', column %d: no channel's name begins with '%.*s', as those of a family do; "
                "the data have: %s",
                scan->text, (int)(name - scan->text) + 1, (int)length, name,
                all.text == NULL ? "none" : all.text);
  pf_text_free(&all);
  return PF_STOP;
}

/** Length of the suffix of a family at the scanner; 0: there is none. */
static pf_status scan_suffix(scanner *scan, size_t *length)
{
  *length = 0;
  if (*scan->at != '[') {
    return PF_OK;
  }
  for (size_t k = 0; k < N_SUFFIXES; k++) {
    const size_t n = strlen(suffixes[k].text);
    if (strncmp(scan->at, suffixes[k].text, n) == 0) {
      *length = n;
      scan->at += n;
      return PF_OK;
    }
  }
  return report_syntax(scan, "[post] or [pre]: a channel for each unit of that side");
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

static pf_status scan_name(scanner *scan, pf_linear *out, size_t *index)
{
  const char *name = scan->at;
  if (!starts_name(*name)) {
    return report_syntax(scan, "the name of a channel");
  }
  while (starts_name(*scan->at) || isdigit((unsigned char)*scan->at)) {
    scan->at++;
  }
  const size_t length = (size_t)(scan->at - name);
  size_t suffix = 0;
  if (scan_suffix(scan, &suffix) != PF_OK) {
    return PF_STOP;
  }
  const pf_status status =
      suffix > 0 ? check_family(scan, name, length) : check_known(scan, name, length);
  if (status != PF_OK) {
    return status;
  }
  return add_name(out, name, length + suffix, index, scan->error);
}

static pf_status scan_number(scanner *scan, double *number)
{
  char *end = NULL;
  *number = strtod(scan->at, &end);
  if (end == scan->at || !isfinite(*number)) {
    return report_syntax(scan, "a finite number");
  }
  scan->at = end;
  return PF_OK;
}

static pf_status scan_character(scanner *scan, char c, const char *expected)
{
  skip_space(scan);
  if (*scan->at != c) {
    return report_syntax(scan, expected);
  }
  scan->at++;
  skip_space(scan);
  return PF_OK;
}

/** "sign(" ... */
static bool is_sign(const char *at)
{
  if (strncmp(at, "sign", 4) != 0) {
    return false;
  }
  for (at += 4; isspace((unsigned char)*at); at++) {
  }
  return *at == '(';
}

static pf_status scan_sign(scanner *scan, pf_linear *out, pf_linear_factor *factor)
{
  factor->form = PF_LINEAR_SIGN;
  scan->at += strlen("sign");
  if (scan_character(scan, '(', "'('") != PF_OK || scan_name(scan, out, &factor->name) != PF_OK) {
    return PF_STOP;
  }
  return scan_character(scan, ')', "')'");
}

static const struct comparison {
  const char *text;
  enum pf_linear_form form;
} comparisons[] = {{"==", PF_LINEAR_EQUAL},    {"!=", PF_LINEAR_UNEQUAL}, {"<=", PF_LINEAR_AT_MOST},
                   {">=", PF_LINEAR_AT_LEAST}, {"<", PF_LINEAR_BELOW},    {">", PF_LINEAR_ABOVE}};
enum { N_COMPARISONS = sizeof comparisons / sizeof comparisons[0] };

/** "(name == number)" */
static pf_status scan_comparison(scanner *scan, pf_linear *out, pf_linear_factor *factor)
{
  size_t c = 0;
  if (scan_character(scan, '(', "'('") != PF_OK || scan_name(scan, out, &factor->name) != PF_OK) {
    return PF_STOP;
  }
  skip_space(scan);
  while (c < N_COMPARISONS &&
         strncmp(scan->at, comparisons[c].text, strlen(comparisons[c].text)) != 0) {
    c++;
  }
  if (c == N_COMPARISONS) {
    return report_syntax(scan, "one of ==, !=, <=, >=, <, >");
  }
  factor->form = comparisons[c].form;
  scan->at += strlen(comparisons[c].text);
  skip_space(scan);
  if (scan_number(scan, &factor->number) != PF_OK) {
    return PF_STOP;
  }
  return scan_character(scan, ')', "')'");
}

static bool starts_factor(char c)
{
  return isdigit((unsigned char)c) || c == '.' || c == '(' || starts_name(c);
}

static pf_status scan_factor(scanner *scan, pf_linear *out, pf_linear_term *term)
{
  double number = 1.0;
  if (isdigit((unsigned char)*scan->at) || *scan->at == '.') {
    const pf_status status = scan_number(scan, &number);
    term->coefficient *= number;
    return status;
  }
  if (term->n == PF_LINEAR_MAX_FACTORS) {
    return report_syntax(scan, "a product of at most 8 channels");
  }
  pf_linear_factor *factor = &term->factors[term->n++];
  if (*scan->at == '(') {
    return scan_comparison(scan, out, factor);
  }
  return is_sign(scan->at) ? scan_sign(scan, out, factor) : scan_name(scan, out, &factor->name);
}

static pf_status scan_term(scanner *scan, double sign, pf_linear *out)
{
  pf_linear_term term = {.coefficient = sign};
  skip_space(scan);
  if (!starts_factor(*scan->at)) {
    return report_syntax(scan, "a number or the name of a channel");
  }
  while (starts_factor(*scan->at)) {
    if (scan_factor(scan, out, &term) != PF_OK) {
      return PF_STOP;
    }
    skip_space(scan);
    if (*scan->at == '*') {
      scan->at++;
      skip_space(scan);
      if (!starts_factor(*scan->at)) {
        return report_syntax(scan, "a number or the name of a channel");
      }
    }
  }
  return add_term(out, &term, scan->error);
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
      return report_syntax(scan, "'+', '-', '*' or the end");
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

static double factor_value(const pf_linear_factor *factor, double value)
{
  switch (factor->form) {
  case PF_LINEAR_SIGN:
    return (double)(value > 0.0) - (double)(value < 0.0);
  case PF_LINEAR_EQUAL:
    return value == factor->number;
  case PF_LINEAR_UNEQUAL:
    return value != factor->number;
  case PF_LINEAR_AT_MOST:
    return value <= factor->number;
  case PF_LINEAR_AT_LEAST:
    return value >= factor->number;
  case PF_LINEAR_BELOW:
    return value < factor->number;
  case PF_LINEAR_ABOVE:
    return value > factor->number;
  default:
    return value;
  }
}

double pf_linear_value(const pf_linear *linear, const double *values)
{
  double sum = linear->constant;
  for (size_t k = 0; k < linear->n_terms; k++) {
    const pf_linear_term *term = &linear->terms[k];
    double product = term->coefficient;
    for (size_t i = 0; i < term->n; i++) {
      product *= factor_value(&term->factors[i], values[term->factors[i].name]);
    }
    sum += product;
  }
  return sum;
}

bool pf_linear_same(const pf_linear *a, const pf_linear *b)
{
  if (a->n != b->n || a->n_terms != b->n_terms || a->constant != b->constant) {
    return false;
  }
  for (size_t i = 0; i < a->n; i++) {
    if (strcmp(a->names[i], b->names[i]) != 0) {
      return false;
    }
  }
  for (size_t k = 0; k < a->n_terms; k++) {
    if (a->terms[k].coefficient != b->terms[k].coefficient ||
        !same_factors(&a->terms[k], &b->terms[k])) {
      return false;
    }
  }
  return true;
}

static void add_factor(pf_text *out, const pf_linear *linear, const pf_linear_factor *factor)
{
  const char *name = linear->names[factor->name];
  if (factor->form == PF_LINEAR_VALUE) {
    pf_text_add(out, "%s", name);
    return;
  }
  if (factor->form == PF_LINEAR_SIGN) {
    pf_text_add(out, "sign(%s)", name);
    return;
  }
  for (size_t c = 0; c < N_COMPARISONS; c++) {
    if (comparisons[c].form == factor->form) {
      pf_text_add(out, "(%s %s %g)", name, comparisons[c].text, factor->number);
    }
  }
}

void pf_linear_add(pf_text *out, const pf_linear *linear)
{
  if (linear->constant != 0.0 || linear->n_terms == 0) {
    pf_text_add(out, " %g", linear->constant);
  }
  for (size_t k = 0; k < linear->n_terms; k++) {
    const pf_linear_term *term = &linear->terms[k];
    const bool first = k == 0 && linear->constant == 0.0;
    const char *plus = first ? "" : "+ ", *minus = first ? "-" : "- ";
    pf_text_add(out, " %s", term->coefficient < 0.0 ? minus : plus);
    if (fabs(term->coefficient) != 1.0) {
      pf_text_add(out, "%g ", fabs(term->coefficient));
    }
    for (size_t i = 0; i < term->n; i++) {
      pf_text_add(out, "%s", i > 0 ? " " : "");
      add_factor(out, linear, &term->factors[i]);
    }
  }
}

void pf_linear_free(pf_linear *linear)
{
  for (size_t k = 0; k < linear->n; k++) {
    pf_memory_free(linear->names[k]);
  }
  pf_memory_free(linear->names);
  pf_memory_free(linear->terms);
  memset(linear, 0, sizeof *linear);
}
