/* Channels made from others: lags and differences. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/dataset.h"

static pf_status no_channel(const pf_recording *recording, const pf_derived *derived, pf_error *error)
{
  const char **names = pf_memory_need(recording->n_channels, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < recording->n_channels; i++) {
    names[i] = recording->channels[i].name;
  }
  const char *nearest = pf_text_nearest(derived->of, (pf_names){names, recording->n_channels});
  const pf_status status = pf_fail(error, PF_STOP, "%s has no channel '%s' to derive '%s' from%s%s%s", recording->name,
                                   derived->of, derived->name, nearest == NULL ? "" : "; did you mean '",
                                   nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
  pf_memory_free(names);
  return status;
}

pf_status pf_recording_derive(pf_recording *recording, const pf_derived *derived, size_t n, pf_error *error)
{
  for (size_t k = 0; k < n; k++) {
    const double *of = pf_recording_channel(recording, derived[k].of);
    if (of == NULL) {
      return no_channel(recording, &derived[k], error);
    }
    double *values = pf_memory_need((size_t)recording->n_steps, sizeof *values, error);
    if (values == NULL) {
      return PF_STOP;
    }
    const int64_t back = derived[k].lag > 0 ? derived[k].lag : derived[k].difference;
    for (int64_t t = 0, session = 0; t < recording->n_steps; t++) {
      session = (recording->flags[t] & PF_STEP_NEW_SESSION) != 0 ? t : session;
      if (t - back >= session) {
        values[t] = derived[k].lag > 0 ? of[t - back] : of[t] - of[t - back];
      }
    }
    const pf_status status = pf_recording_add_channel(recording, derived[k].name, values, error);
    if (status != PF_OK) {
      pf_memory_free(values);
      return status;
    }
  }
  return PF_OK;
}
