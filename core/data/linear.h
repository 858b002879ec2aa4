/* Sums of products of channels: what a modulator is, and what channels are derived from. */
#ifndef PLASTFIT_CORE_DATA_LINEAR_H
#define PLASTFIT_CORE_DATA_LINEAR_H

#include "core/base/text.h"

#include <plastfit/abi/base.h>
#include <stdbool.h>

/** What of a channel a product has: its value, its sign, or 1 where a comparison holds and 0 where
 * it does not. */
enum pf_linear_form {
  PF_LINEAR_VALUE,
  PF_LINEAR_SIGN,
  PF_LINEAR_EQUAL,
  PF_LINEAR_UNEQUAL,
  PF_LINEAR_AT_MOST,
  PF_LINEAR_AT_LEAST,
  PF_LINEAR_BELOW,
  PF_LINEAR_ABOVE
};

typedef struct pf_linear_factor {
  size_t name;   /**< of the expression's names */
  uint32_t form; /**< enum pf_linear_form */
  double number; /**< what it is compared with */
} pf_linear_factor;

enum { PF_LINEAR_MAX_FACTORS = 8 };

/** coefficient times its factors, of which there is at least one. */
typedef struct pf_linear_term {
  double coefficient;
  size_t n;
  pf_linear_factor factors[PF_LINEAR_MAX_FACTORS];
} pf_linear_term;

/** A constant and terms: "reward - 0.5 expected_reward", "reward * sign(side)", "reward (arm ==
 * 2)", "dan[post] - 0.5": a name with [post] or [pre] is a family of channels, one for each unit.
 */
typedef struct pf_linear {
  double constant;
  size_t n; /**< channels it reads */
  char **names;
  size_t n_terms;
  pf_linear_term *terms;
} pf_linear;

/** The units that a name is a family for: "dan[post]" has PF_PER_POST and the base "dan", of
 * *length letters. A channel has PF_PER_NETWORK (enum pf_per of plastfit/abi/rule.h). */
uint32_t pf_linear_family(const char *name, size_t *length);
/** Does it read a family? */
bool pf_linear_has_family(const pf_linear *linear);
/** Is this channel one of the family whose base has that length: a longer name that begins so? */
bool pf_linear_is_member(const char *channel, const char *family, size_t length);

/** Parse; the line points at the column. `known`: channel names that exist (unknown: error with the
 * nearest). */
pf_status pf_linear_parse(const char *text, pf_names known, pf_linear *out, pf_error *error);
/** At values [n] of the channels it reads. */
double pf_linear_value(const pf_linear *linear, const double *values);
bool pf_linear_same(const pf_linear *a, const pf_linear *b);
/** " 0.5 reward + (arm == 2) reward", with a blank before it. */
void pf_linear_add(pf_text *out, const pf_linear *linear);
void pf_linear_free(pf_linear *linear);

#endif
