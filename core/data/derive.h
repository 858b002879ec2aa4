/* Channels made from others (lags and differences), and channels as inputs. */
#ifndef PLASTFIT_CORE_DATA_DERIVE_H
#define PLASTFIT_CORE_DATA_DERIVE_H

#include "core/data/dataset.h"
#include "core/data/linear.h"

/**
 * A channel made from another, or from a sum of products of channels (core/data/linear.h): its
 * value `lag` steps before, or at the last step of the trial `lag_trials` trials before, or its
 * change over `difference` steps. Lags may also be of a target of one column (an earlier choice).
 */
typedef struct pf_derived {
  char *name, *of;
  int64_t lag, difference, lag_trials; /**< one of them is >= 1, the others 0; of products all may
                                          be 0 */
  uint32_t zero_missing;               /**< 1: missing values become 0; 0: they stay missing */
  bool signed_by_cue; /**< of lags: times -1 where that step's cue was another than this one's */
} pf_derived;
/**
 * Adds the channels, in order, so that one may be made from another before it. The first steps of
 * the experiment, and of each session in it, which have nothing that far back, get 0. Missing
 * values stay missing.
 */
/** Is `of` one name, and no sum or product? */
bool pf_derived_is_name(const pf_derived *derived);
/** May it read targets, such as the choice? Only of earlier steps: they are what is predicted. */
bool pf_derived_is_past(const pf_derived *derived);
/** Can it be made step by step, while an animal acts? From channels alone, whatever the trial and
 * the cue. */
bool pf_derived_is_live(const pf_derived *derived, pf_names channels);
/** A derived channel has one value a step: it is of no family. */
pf_status pf_derived_check(const pf_derived *derived, const pf_linear *linear, pf_error *error);
pf_status pf_recording_derive(pf_recording *recording, const pf_derived *derived, size_t n,
                              pf_error *error);
/**
 * Makes the channels the recording's inputs, in place of its cues. A value that is missing is
 * refused, with the step. Does nothing where `channels` is empty.
 */
pf_status pf_recording_input_channels(pf_recording *recording, pf_names channels, pf_error *error);

#endif
