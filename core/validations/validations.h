/* The table of validations. A validation's number, its place in the table, stands in files. */
#ifndef PLASTFIT_CORE_VALIDATIONS_H
#define PLASTFIT_CORE_VALIDATIONS_H

#include "core/validations/validation.h"

/** Room for validations in arrays; there are pf_validation_count(). */
enum { PF_MAX_VALIDATIONS = 8 };

/** The list of them: a line here is all that a new one needs beside its file. Files of results
 * number validations by their place here, so a new one goes to the end. */
#define PF_EACH_VALIDATION(ONE)  \
  ONE(pf_in_sample)              \
  ONE(pf_in_sample_fresh_inputs) \
  ONE(pf_forecast)               \
  ONE(pf_leave_one_block_out)    \
  ONE(pf_leave_one_animal_out)

#define PF_DECLARE_VALIDATION(name) extern const pf_validation name;
PF_EACH_VALIDATION(PF_DECLARE_VALIDATION)
#undef PF_DECLARE_VALIDATION

uint32_t pf_validation_count(void);
/** `number` MUST be below pf_validation_count(). */
const pf_validation *pf_validation_at(uint32_t number);
/** pf_validation_count() where it is none of the table. */
uint32_t pf_validation_number(const pf_validation *validation);
/** pf_validation_count() where none has the name. */
uint32_t pf_validation_named(const char *name);
/** All names, in the order of the table. names: [PF_MAX_VALIDATIONS]. */
pf_names pf_validation_names(const char **names);

/** Its folds of the data. */
pf_folds pf_validation_folds(const pf_validation *validation, const pf_dataset *data, double value);
/** Its flags [n_steps] of a recording in a fold. */
pf_status pf_validation_mask(const pf_validation *validation, const pf_recording *recording,
                             const pf_folds *folds, int64_t fold, uint32_t *flags, pf_error *error);

#endif
