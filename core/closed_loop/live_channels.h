/* Derived channels of an animal that acts: values of the step that is settled, from the task's. */
#ifndef PLASTFIT_CORE_CLOSED_LOOP_LIVE_CHANNELS_H
#define PLASTFIT_CORE_CLOSED_LOOP_LIVE_CHANNELS_H

#include "core/base/array.h"
#include "core/data/derive.h"

/** A derived channel that can be followed step by step, and its history in this session. */
typedef struct pf_live_channel {
  const pf_derived *derived;
  pf_linear linear;
  pf_array past; /**< of double: what it is made of, at each step of the session */
  double value;  /**< of the last step */
} pf_live_channel;

typedef struct pf_live_channels {
  pf_live_channel *items;
  size_t n;
} pf_live_channels;

/** Those of `derived` that can be followed, in order; `channels`: the task's. */
pf_status pf_live_channels_make(const pf_derived *derived, size_t n, pf_names channels,
                                pf_live_channels *out, pf_error *error);
void pf_live_channels_free(pf_live_channels *channels);
/** A session begins: nothing lies before it. */
void pf_live_channels_restart(pf_live_channels *channels);

/** The value of a channel at the step, NaN where it is missing. */
typedef double (*pf_channel_reader)(const void *payload, const char *name);
/** The next step of the session. */
pf_status pf_live_channels_step(pf_live_channels *channels, pf_channel_reader read,
                                const void *payload, pf_error *error);
/** The derived channel of that name; NULL: there is none. */
const pf_live_channel *pf_live_channel_named(const pf_live_channels *channels, const char *name);
/** Would `name` be among them? */
bool pf_live_channels_have(const pf_derived *derived, size_t n, pf_names channels,
                           const char *name);

#endif
