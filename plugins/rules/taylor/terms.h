/*
 * plugins/rules/taylor/terms.h - which of the 81 terms x^a y^b w^c r^d a rule has, and reading them
 * from text.
 *
 *     expression := [+|-] term { (+|-) term }
 *     term       := [number [*]] factor { [*] factor }  |  number
 *     factor     := letter [ ^digit | digit ]            letter: x, y, w or r, of either case
 *
 * so "x r - 0.05 w", "x^2*r" and the reference method's "X1Y0W0R1 - 0.05X0Y0W1R0" are all
 * understood. "1" alone is the constant term, any other number alone is the constant term with that
 * value.
 */
#ifndef PLASTFIT_RULES_TAYLOR_TERMS_H
#define PLASTFIT_RULES_TAYLOR_TERMS_H

#include <plastfit/abi/base.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TAYLOR_VARIABLES = 4, TAYLOR_POWERS = 3, TAYLOR_TERMS = 81 };

/** Index of a variable: the order of the powers in a term. */
enum { TAYLOR_X = 0, TAYLOR_Y = 1, TAYLOR_W = 2, TAYLOR_R = 3 };

static const char taylor_letters[TAYLOR_VARIABLES + 1] = "xywr";

/** A subset of the terms, by index ((a * 3 + b) * 3 + c) * 3 + d. */
typedef struct taylor_set {
  uint8_t used[TAYLOR_TERMS];
  uint8_t given[TAYLOR_TERMS]; /**< a number or a minus sign was written */
  double value[TAYLOR_TERMS];
} taylor_set;

static inline int taylor_index(const int power[TAYLOR_VARIABLES])
{
  return ((power[TAYLOR_X] * 3 + power[TAYLOR_Y]) * 3 + power[TAYLOR_W]) * 3 + power[TAYLOR_R];
}

static inline void taylor_powers(int index, int power[TAYLOR_VARIABLES])
{
  for (int v = TAYLOR_VARIABLES - 1; v >= 0; v--) {
    power[v] = index % TAYLOR_POWERS;
    index /= TAYLOR_POWERS;
  }
}

/** A term as people write it, "x^2 r", or "1". `capacity` 16 is enough. */
static inline void taylor_label(const int power[TAYLOR_VARIABLES], char *text, size_t capacity)
{
  size_t used = 0;
  text[0] = '\0';
  for (int v = 0; v < TAYLOR_VARIABLES; v++) {
    if (power[v] > 0 && used + 5 <= capacity) {
      const int n = snprintf(text + used, capacity - used, "%s%c%s", used > 0 ? " " : "",
                             taylor_letters[v], power[v] == 2 ? "^2" : "");
      used += n > 0 ? (size_t)n : 0;
    }
  }
  if (used == 0) {
    (void)snprintf(text, capacity, "1");
  }
}

/** Reading position in an expression. */
typedef struct taylor_reader {
  const char *text, *at;
  const char *key; /**< option, for messages */
  pf_error *error;
} taylor_reader;

/** Column from 1, in characters: bytes that continue a UTF-8 character do not count. */
static inline int taylor_column(const taylor_reader *reader, const char *at)
{
  int column = 1;
  for (const char *c = reader->text; c < at; c++) {
    column += ((unsigned char)*c & 0xC0) != 0x80;
  }
  return column;
}

static inline pf_status taylor_unexpected(const taylor_reader *reader, const char *expected)
{
  if (*reader->at == '\0') {
    return pf_fail_key(reader->error, PF_STOP, reader->key, "\"%s\" ends where %s was expected",
                       reader->text, expected);
  }
  int bytes = 1;
  while (((unsigned char)reader->at[bytes] & 0xC0) == 0x80) {
    bytes++;
  }
  return pf_fail_key(reader->error, PF_STOP, reader->key,
                     "found \"%.*s\" at column %d of \"%s\", expected %s", bytes, reader->at,
                     taylor_column(reader, reader->at), reader->text, expected);
}

static inline void taylor_skip_space(taylor_reader *reader)
{
  while (isspace((unsigned char)*reader->at)) {
    reader->at++;
  }
}

static inline int taylor_variable(char c)
{
  const char *found = c == '\0' ? NULL : strchr(taylor_letters, tolower((unsigned char)c));
  return found == NULL ? -1 : (int)(found - taylor_letters);
}

/** A decimal number at the reading position. Not strtod alone: it would take "0X1Y0" for a
 * hexadecimal number. */
static inline pf_status taylor_number(taylor_reader *reader, double *value)
{
  char copy[64];
  size_t n = 0;
  int digits = 0;
  const char *c = reader->at;
  while (isdigit((unsigned char)*c) || *c == '.') {
    digits += *c != '.';
    c++;
  }
  if (*c == 'e' || *c == 'E') {
    c += c[1] == '+' || c[1] == '-' ? 2 : 1;
    if (!isdigit((unsigned char)*c)) {
      reader->at = c;
      return taylor_unexpected(reader, "the digits of an exponent, as in 2.5e-3");
    }
    while (isdigit((unsigned char)*c)) {
      c++;
    }
  }
  n = (size_t)(c - reader->at);
  if (n >= sizeof copy) {
    return taylor_unexpected(reader, "a number of fewer than 64 digits");
  }
  memcpy(copy, reader->at, n);
  copy[n] = '\0';
  char *end = NULL;
  *value = strtod(copy, &end);
  if (digits == 0 || *end != '\0') {
    return taylor_unexpected(reader, "a number such as 0.05 or 2.5e-3");
  }
  if (*value > 1e300) {
    return taylor_unexpected(reader, "a finite number");
  }
  reader->at = c;
  return PF_OK;
}

/** One factor: a letter and its power, added to `power`. */
static inline pf_status taylor_factor(taylor_reader *reader, int power[TAYLOR_VARIABLES])
{
  const char *start = reader->at;
  const int variable = taylor_variable(*start);
  if (variable < 0) {
    return taylor_unexpected(reader, "one of the letters x, y, w, r");
  }
  reader->at++;
  int exponent = 1;
  const int caret = *reader->at == '^';
  reader->at += caret;
  if (isdigit((unsigned char)*reader->at)) {
    exponent = 0;
    while (isdigit((unsigned char)*reader->at)) {
      exponent = exponent < 100 ? exponent * 10 + (*reader->at - '0') : exponent;
      reader->at++;
    }
  } else if (caret) {
    return taylor_unexpected(reader, "a power after ^");
  }
  power[variable] += exponent;
  if (power[variable] >= TAYLOR_POWERS) {
    return pf_fail_key(reader->error, PF_STOP, reader->key,
                       "%c has power %d at column %d of \"%s\"; powers 0..2 are available",
                       taylor_letters[variable], power[variable], taylor_column(reader, start),
                       reader->text);
  }
  return PF_OK;
}

static inline pf_status taylor_set_add(taylor_set *set, const int power[TAYLOR_VARIABLES],
                                       int given, double value, const char *key, pf_error *error)
{
  const int index = taylor_index(power);
  if (set->used[index]) {
    char label[16];
    taylor_label(power, label, sizeof label);
    return pf_fail_key(error, PF_STOP, key,
                       "the term %s (X%dY%dW%dR%d) is there twice; write it once", label, power[0],
                       power[1], power[2], power[3]);
  }
  set->used[index] = 1;
  set->given[index] = (uint8_t)(given != 0);
  set->value[index] = given ? value : 1.0;
  return PF_OK;
}

/** One term after its sign; `sign` 0: none was written. */
static inline pf_status taylor_term(taylor_reader *reader, int sign, taylor_set *set)
{
  int power[TAYLOR_VARIABLES] = {0, 0, 0, 0};
  int given = sign < 0;
  double value = sign < 0 ? -1.0 : 1.0;
  int factors = 0;
  if (isdigit((unsigned char)*reader->at) || *reader->at == '.') {
    double number = 0.0;
    const pf_status status = taylor_number(reader, &number);
    if (status != PF_OK) {
      return status;
    }
    value *= number;
    taylor_skip_space(reader);
    if (taylor_variable(*reader->at) < 0 && *reader->at != '*') {
      /* A number alone: "1" only names the constant term. */
      given = given || number != 1.0;
      return taylor_set_add(set, power, given, value, reader->key, reader->error);
    }
    given = 1;
    factors = 1;
  }
  for (;;) {
    taylor_skip_space(reader);
    const int star = *reader->at == '*' && factors > 0;
    reader->at += star;
    taylor_skip_space(reader);
    if (!star && factors > 0 && taylor_variable(*reader->at) < 0) {
      break;
    }
    const pf_status status = taylor_factor(reader, power);
    if (status != PF_OK) {
      return status;
    }
    factors++;
  }
  return taylor_set_add(set, power, given, value, reader->key, reader->error);
}

/** Add the terms of `text` to `set`. `key`: the option it comes from, for messages. */
static inline pf_status taylor_set_parse(taylor_set *set, const char *text, const char *key,
                                         pf_error *error)
{
  taylor_reader reader = {.text = text, .at = text, .key = key, .error = error};
  taylor_skip_space(&reader);
  if (*reader.at == '\0') {
    return pf_fail_key(error, PF_STOP, key,
                       "no terms are named; write some, such as \"x r - 0.05 w\", or \"all\"");
  }
  int first = 1;
  while (*reader.at != '\0') {
    int sign = 0;
    if (*reader.at == '+' || *reader.at == '-') {
      sign = *reader.at == '-' ? -1 : 1;
      reader.at++;
      taylor_skip_space(&reader);
    } else if (!first) {
      return taylor_unexpected(&reader, "+ or - before the next term");
    }
    const pf_status status = taylor_term(&reader, sign, set);
    if (status != PF_OK) {
      return status;
    }
    taylor_skip_space(&reader);
    first = 0;
  }
  return PF_OK;
}

#endif
