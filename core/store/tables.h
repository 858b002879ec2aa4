/* The files of a run folder other than the config: one function each. Their formats are in
 * doc/files.md. */
#ifndef PLASTFIT_CORE_STORE_TABLES_H
#define PLASTFIT_CORE_STORE_TABLES_H

#include "core/evaluate/evaluate.h"
#include "core/infer/infer.h"

#include <stdio.h>

/** What every file is made from. */
typedef struct pf_results {
  const pf_problem *problem;
  const pf_fit *fit;
  const pf_inference *inference; /**< or NULL */
  const pf_evaluation *evaluation;
  char **keys;         /**< [n_parameters] pf_keys_create */
  const double *truth; /**< [n_parameters] pf_truth_create */
} pf_results;

pf_status pf_write_fit_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_theta_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_trajectories(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_summary(const pf_results *results, const char *path, pf_error *error);
/** Where every start ended; only where pf_has_starts(). */
pf_status pf_write_multistart_csv(const pf_results *results, const char *path, pf_error *error);
/** Did the fits have more than one start? */
bool pf_has_starts(const pf_fit *fit);
/** The terminal's lines on how the optimiser ended; nothing for one that does not stop by itself.
 */
void pf_print_optimiser(const pf_problem *problem, const pf_fit *fit, FILE *out);
/** "exact", or by what kind of differences derivatives were had. */
const char *pf_derivatives_words(uint32_t derivatives);
/** What was inferred about one slot, in its own units (of what is tied: those of its value, times
 * the factor). */
typedef struct pf_uncertainty {
  double se, lower, upper; /**< NaN: none */
  uint32_t method;         /**< enum pf_interval_method of these */
  uint32_t verdict;        /**< enum pf_verdict */
  const char *note;        /**< what belongs to the verdict, or why there is none; NULL: nothing */
} pf_uncertainty;
/** inference MAY be NULL. `unit` MUST be of the fit that it is about. */
pf_uncertainty pf_uncertainty_of(const pf_inference *inference, const pf_fit_group *unit,
                                 size_t instance);
/** As cells: se,ci_lower,ci_upper,ci_level,ci_method,verdict,note. */
void pf_csv_uncertainty(pf_uncertainty uncertainty, const pf_inference *inference, FILE *file);
/** Is there anything to tell? */
bool pf_has_inference(const pf_inference *inference);
/** Every method's intervals, and the directions of the information; only where pf_has_inference().
 */
pf_status pf_write_intervals_csv(const pf_results *results, const char *path, pf_error *error);
pf_status pf_write_spectrum_csv(const pf_results *results, const char *path, pf_error *error);
/** A long text after a heading, in lines of 100, broken at spaces (of an equation: before a sign),
 * the next lines indented by `indent`. */
void pf_print_wrapped(FILE *out, const char *text, int indent, bool equation);
/** The terminal's lines on what is identified; nothing where nothing was inferred. */
pf_status pf_print_inference(const pf_problem *problem, const pf_inference *inference, FILE *out,
                             pf_error *error);
/** What is determined of group g of a unit's spectrum: "only a + b is determined". */
pf_status pf_free_group_sentence(const pf_problem *problem, const pf_inference_group *of, size_t g,
                                 char *text, size_t capacity, pf_error *error);

/** The scores of a run folder's theta on other data. */
pf_status pf_write_evaluation(const pf_results *results, const char *run, const char *data,
                              const char *path, pf_error *error);

/** "ok", or "failed". */
const char *pf_status_word(pf_status status);
/** "ok", "failed" or "interrupted". */
const char *pf_unit_word(const pf_fit_group *unit);
/** A CSV file for writing, and what says whether everything arrived. */
FILE *pf_csv_open_file(const char *path, pf_error *error);
pf_status pf_csv_close_file(FILE *file, const char *path, pf_error *error);
/** A cell of a CSV file: in quotes where it needs them (RFC 4180). */
void pf_csv_text(FILE *file, const char *text);
/** A number with 17 digits, so that reading it gives the same bits; NaN: an empty cell. */
void pf_csv_number(FILE *file, double value);

#endif
