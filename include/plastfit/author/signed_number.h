/*
 * A negative number that takes the place of a parameter's name in a formula: "a x - b w" with
 * b = -0.08 is to read "a x + 0.08 w", not "a x - (-0.08) w".
 */
#ifndef PLASTFIT_AUTHOR_SIGNED_NUMBER_H
#define PLASTFIT_AUTHOR_SIGNED_NUMBER_H

#include <stddef.h>
#include <string.h>

/** How the number is to be written. */
enum pf_sign_form {
  PF_SIGN_AS_IT_IS, /**< "0.08", "-0.08" */
  PF_SIGN_BRACKETS, /**< "(-0.08)" */
  PF_SIGN_TURNED    /**< "0.08": the sign before it was turned, or taken away */
};

/** Does a sign after this character add or subtract? Then the character ends an operand. */
static inline int pf_sign_ends_operand(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("_)]}", c) != NULL);
}

/** The number of characters before `used` without the spaces at their end. */
static inline size_t pf_sign_before_spaces(const char *text, size_t used)
{
  while (used > 0 && text[used - 1] == ' ') {
    used--;
  }
  return used;
}

/**
 * How to write `value` behind text[0 .. *used), in front of `rest`; the sign at the end of the text
 * is changed where that makes brackets unnecessary.
 */
static inline int pf_sign_of_number(char *text, size_t *used, double value, const char *rest)
{
  const size_t before = pf_sign_before_spaces(text, *used);
  const char last = before > 0 ? text[before - 1] : '=';
  if (!(value < 0.0)) {
    return PF_SIGN_AS_IT_IS;
  }
  while (*rest == ' ') {
    rest++;
  }
  const int is_thin_space = before > 1 && last == ',' && text[before - 2] == '\\'; /* a product */
  if (*rest == '^' || last == '\0' || is_thin_space) {
    return PF_SIGN_BRACKETS;
  }
  if (strchr("=(,?:", last) != NULL) {
    return PF_SIGN_AS_IT_IS;
  }
  if (last != '+' && last != '-') {
    return PF_SIGN_BRACKETS;
  }
  const size_t operand = pf_sign_before_spaces(text, before - 1);
  const char end = operand > 0 ? text[operand - 1] : '=';
  if (pf_sign_ends_operand(end)) {
    text[before - 1] = last == '-' ? '+' : '-';
    return PF_SIGN_TURNED;
  }
  if (last == '-' && end != '\0' && strchr("=(,", end) != NULL) {
    *used = before - 1;
    text[*used] = '\0';
    return PF_SIGN_TURNED;
  }
  return PF_SIGN_BRACKETS;
}

#endif
