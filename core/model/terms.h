/* Terms: the coefficients of a rule that is a sum of products of powers. */
#ifndef PLASTFIT_CORE_MODEL_TERMS_H
#define PLASTFIT_CORE_MODEL_TERMS_H

#include "core/model/model.h"

/** With more of them, fits go down a penalty path (core/fit/penalty_path.h) by themselves: 27
 * arrive without it, 81 do not. */
enum { PF_MANY_TERMS = 30 };

/** Is this name of the form X<d>Y<d>W<d>R<d>, the coefficient of a product of powers? */
bool pf_is_taylor_name(const char *name);
/** Is parameter i a term that a fit may leave at 0: free, a rule's, its bounds hold 0, and it has
 * no penalty of its own? */
bool pf_is_open_term(const pf_model *model, size_t i);
size_t pf_count_open_terms(const pf_model *model);

#endif
