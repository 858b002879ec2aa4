#include "core/validations/validations.h"

static void describe_in_sample(const pf_folds *folds, pf_text *text)
{
  (void)folds;
  pf_text_add(text, "the steps and draws that were fitted");
}

const pf_validation pf_in_sample = {.name = "in-sample", .describe = describe_in_sample};
