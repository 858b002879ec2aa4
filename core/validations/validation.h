/*
 * A validation: which steps a fit sees, and which are scored. Each is a const descriptor in a file
 * of its own, and a line of the table in validations.c.
 *
 * Nothing is cut out. A simulation runs through all steps of an experiment; weights, traces and
 * E[R] go on through steps that are not scored, driven by the recorded choices and rewards, so what
 * is scored is predicted one step ahead. A step that the data themselves exclude from fitting or
 * scoring stays excluded.
 */
#ifndef PLASTFIT_CORE_COMPARE_VALIDATION_H
#define PLASTFIT_CORE_COMPARE_VALIDATION_H

#include "core/base/text.h"
#include "core/data/dataset.h"

#include <plastfit/abi/options.h>

/** What a validation makes of a data set: its folds, each of which is fitted and scored once. */
typedef struct pf_folds {
  int64_t n;
  bool from_data; /**< folds are the data's own blocks, else equal parts */
  double value;   /**< of the validation's own key; 0 where it has none */
} pf_folds;

typedef struct pf_validation pf_validation;
struct pf_validation {
  const char *name; /**< in configs, tables and files */
  bool held_out;    /**< no fit has seen the scored steps; else it is in sample */
  /** Scores the fits of this other validation, on fresh draws of inputs and initial weights; NULL:
   * it has fits of its own. */
  const pf_validation *scores_fits_of;
  /** One theta is fitted to all animals but one, and scores that one: fold k leaves out animal k.
   * Such fits are shared, whatever fit.per says. */
  bool leaves_animal_out;
  const pf_option *option; /**< its own key of `compare`, a number; NULL: none */
  /** The folds of `data`; NULL: one fold. */
  pf_folds (*divide)(const pf_dataset *data, double value);
  /** Flags [n_steps] of a recording in a fold; NULL: as the data have them. PF_POINT_FAILED, with
   * the line: this recording cannot be divided so. */
  pf_status (*mask)(const pf_recording *recording, const pf_folds *folds, int64_t fold,
                    uint32_t *flags, pf_error *error);
  /** One line on what is fitted and scored, for people. */
  void (*describe)(const pf_folds *folds, pf_text *text);
};

#endif
