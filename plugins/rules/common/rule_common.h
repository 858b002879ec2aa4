/*
 * plugins/rules/common/rule_common.h - what the shipped rules share: writing a rule as text.
 * Everything is static: a rule exports its entry function only.
 */
#ifndef PLASTFIT_RULES_RULE_COMMON_H
#define PLASTFIT_RULES_RULE_COMMON_H

#include <plastfit/abi/rule.h>
#include <plastfit/author/simd.h>

#include <math.h>

/** The columns that hot loops take at a time: what they keep per column then fits on the stack and
 * in the L1 cache. */
enum { RULE_CHUNK = 256 };

/** Text that is cut at its capacity and always ends with 0. */
typedef struct rule_text {
  char *text;
  size_t capacity, used; /**< used is the capacity once something was cut off */
} rule_text;

PF_PRINTF(2, 3)
static inline void rule_text_add(rule_text *out, const char *format, ...)
{
  if (out->capacity == 0 || out->used + 1 >= out->capacity) {
    out->used = out->capacity;
    return;
  }
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(out->text + out->used, out->capacity - out->used, format, args);
  va_end(args);
  if (n > 0) {
    const size_t room = out->capacity - out->used - 1;
    out->used = (size_t)n <= room ? out->used + (size_t)n : out->capacity;
  }
}

static inline rule_text rule_text_begin(char *text, size_t capacity, uint32_t format)
{
  rule_text out = {.text = text, .capacity = capacity, .used = 0};
  if (capacity > 0) {
    text[0] = '\0';
  }
  rule_text_add(&out, format == PF_TEXT_LATEX ? "\\Delta w = " : "dw = ");
  return out;
}

/**
 * Add one term "+ 0.98 x r": sign, coefficient with 3 significant digits, product. `product` "1" is
 * the constant. A coefficient that prints as 1 is left out before a product. In LaTeX an exponent
 * becomes `\times 10^{n}`.
 */
static inline void rule_text_term(rule_text *out, uint32_t format, int first, double coefficient,
                                  const char *product)
{
  const int negative = coefficient < 0.0;
  char number[32];
  (void)snprintf(number, sizeof number, "%.3g", fabs(coefficient));
  const int constant = product[0] == '1' && product[1] == '\0';
  const int one = number[0] == '1' && number[1] == '\0';
  static const char *const signs[2][2] = {{" + ", " - "}, {"", "-"}};
  rule_text_add(out, "%s", signs[first != 0][negative]);
  if (constant || !one) {
    char *exponent = format == PF_TEXT_LATEX ? strchr(number, 'e') : NULL;
    if (exponent != NULL) {
      const long power = strtol(exponent + 1, NULL, 10);
      *exponent = '\0';
      rule_text_add(out, "%s \\times 10^{%ld}", number, power);
    } else {
      rule_text_add(out, "%s", number);
    }
  }
  if (!constant) {
    const char *space = format == PF_TEXT_LATEX ? "\\, " : " ";
    rule_text_add(out, "%s%s", one ? "" : space, product);
  }
}

#endif
