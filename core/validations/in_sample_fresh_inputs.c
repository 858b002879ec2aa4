/* The reference's evaluation: fitted steps on fresh draws of inputs and initial weights. */
#include "core/validations/validations.h"

static void describe_fresh_inputs(const pf_folds *folds, pf_text *text)
{
  (void)folds;
  pf_text_add(text,
              "the steps that were fitted, with fresh inputs and initial weights (not held out)");
}

const pf_validation pf_in_sample_fresh_inputs = {.name = "in-sample-fresh-inputs",
                                                 .scores_fits_of = &pf_in_sample,
                                                 .describe = describe_fresh_inputs};
