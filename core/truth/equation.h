/*
 * What a fit says of its rules, as equations of what is added to a weight at a step: eta and the
 * terms that the data tell apart from 0. The terminal, summary.json and the page say the same.
 */
#ifndef PLASTFIT_CORE_TRUTH_EQUATION_H
#define PLASTFIT_CORE_TRUTH_EQUATION_H

#include "core/base/text.h"
#include "core/truth/coefficients.h"

/** Why a term stands in the equation, or does not. */
enum pf_term_fate {
  PF_TERM_KEPT = 0,
  PF_TERM_ZERO,           /**< it is 0 */
  PF_TERM_UNCERTAIN,      /**< its interval, for all terms together, holds 0 */
  PF_TERM_NOT_IDENTIFIED, /**< in no group */
  PF_TERM_SMALL           /**< it hardly changes the weights, or a person reads no more terms */
};
/** "kept", "zero", "interval holds 0", "not identified", "small". */
const char *pf_term_fate_words(uint32_t fate);

typedef struct pf_equation_term {
  size_t parameter;
  uint32_t fate; /**< enum pf_term_fate */
} pf_equation_term;

/** Of one rule. */
typedef struct pf_equation {
  const char *owner; /**< "rules.learn" */
  double eta;
  bool is_polynomial;      /**< its terms are chosen; else the rule's own words */
  const char *chosen_by;   /**< "intervals"; "effects": no intervals; NULL: terms are not chosen, or
                              none is identified */
  pf_equation_term *terms; /**< [n_terms] its parameters */
  size_t n_terms, n_looked_at; /**< looked at: those that were free */
  pf_text text;                /**< "dw = 0.5 (0.96 x r - 0.0989 w)"; empty: it has no words */
  pf_text truth;               /**< the teacher's; empty: there is none */
  pf_text where;               /**< [n_where] "r = reward - expected_reward", line by line */
  pf_text notes;               /**< sentences, line by line: what the equation rests on */
} pf_equation;

typedef struct pf_equations {
  pf_coefficients coefficients;
  pf_equation *items; /**< [n] as model->plastic */
  size_t n;
} pf_equations;

/** `inference` MAY be NULL. */
pf_status pf_equations_create(const pf_problem *problem, const pf_fit *fit,
                              const pf_inference *inference, pf_equations *out, pf_error *error);
void pf_equations_clear(pf_equations *equations);

#endif
