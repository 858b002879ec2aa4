/* Reading golden files: numbers in nested lists, with errors that say what was found where. */
#ifndef PLASTFIT_TESTS_GOLDENS_JSON_H
#define PLASTFIT_TESTS_GOLDENS_JSON_H

#include <jansson.h>
#include <plastfit/abi/base.h>
#include <stdbool.h>

/** What null means: an error, or a missing value (NaN). */
enum golden_null { GOLDEN_NULL_IS_WRONG, GOLDEN_NULL_IS_MISSING };

/** An object whose keys are all known; `what` names it in the error. `known` ends with NULL. */
pf_status golden_check_keys(const json_t *object, const char *what, const char *const *known,
                            pf_error *error);

/** A number, an integer, a string, or their absence said in the error. */
pf_status golden_number(const json_t *object, const char *key, enum golden_null null, double *out,
                        pf_error *error);
pf_status golden_integer(const json_t *object, const char *key, int64_t *out, pf_error *error);
pf_status golden_string(const json_t *object, const char *key, const char **out, pf_error *error);

/** Numbers in a list of lists of ..., in the order in which they stand. */
size_t golden_count(const json_t *value);
/** Exactly n of them into out; a bare number is one. `what` names them in the error. */
pf_status golden_numbers(const json_t *value, const char *what, enum golden_null null, size_t n,
                         double *out, pf_error *error);
/** Is it nested as a matrix rows x columns? */
pf_status golden_check_matrix(const json_t *value, const char *what, size_t rows, size_t columns,
                              pf_error *error);

#endif
