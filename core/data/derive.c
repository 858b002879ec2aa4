#include "core/data/derive.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <math.h>

/** "NAME has no channel 'CHANNEL' WHAT": with the nearest that it has. */
static pf_status no_channel(const pf_recording *recording, const char *channel, const char *what,
                            pf_error *error)
{
  const char **names = pf_memory_need(recording->n_channels, sizeof *names, error);
  if (names == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < recording->n_channels; i++) {
    names[i] = recording->channels[i].name;
  }
  const char *nearest = pf_text_nearest(channel, (pf_names){names, recording->n_channels});
  const pf_status status =
      pf_fail(error, PF_STOP, "%s has no channel '%s' %s%s%s%s", recording->name, channel, what,
              nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
              nearest == NULL ? "" : "'?");
  pf_memory_free(names);
  return status;
}

/** What lags read: a channel, or a target of one column. A difference would see the very choice to
 * be predicted. */
static const double *find_series(const pf_recording *recording, const pf_derived *derived)
{
  const double *channel = pf_recording_channel(recording, derived->of);
  const pf_record *target = pf_recording_target(recording, derived->of);
  if (channel != NULL || target == NULL || target->n != 1 || derived->difference > 0) {
    return channel;
  }
  return target->values;
}

/**
 * values[t] from `of`. Walks along with `ends`, [n_steps], the last steps of the trials of this
 * session that are over.
 */
static void derive_values(const pf_recording *recording, const pf_derived *derived,
                          const double *of, int64_t *ends, double *values)
{
  int64_t session = 0, n_over = 0;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    if ((recording->flags[t] & PF_STEP_NEW_SESSION) != 0) {
      session = t;
      n_over = 0;
    } else if (t > 0 && recording->trial[t] != recording->trial[t - 1]) {
      ends[n_over++] = t - 1;
    }
    int64_t from = t - derived->lag - derived->difference;
    if (derived->lag_trials > 0) {
      from = n_over >= derived->lag_trials ? ends[n_over - derived->lag_trials] : -1;
    }
    if (from < session) {
      continue;
    }
    const bool turned = derived->signed_by_cue &&
                        pf_recording_cue(recording, from) != pf_recording_cue(recording, t);
    if (derived->difference > 0) {
      values[t] = of[t] - of[from];
    } else {
      values[t] = turned ? -of[from] : of[from];
    }
  }
}

static pf_status derive_one(pf_recording *recording, const pf_derived *derived, int64_t *ends,
                            pf_error *error)
{
  const double *of = find_series(recording, derived);
  if (of == NULL) {
    char what[128];
    (void)snprintf(what, sizeof what, "to derive '%.80s' from", derived->name);
    return no_channel(recording, derived->of, what, error);
  }
  double *values = pf_memory_need((size_t)recording->n_steps, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  derive_values(recording, derived, of, ends, values);
  if (pf_recording_add_channel(recording, derived->name, values, error) != PF_OK) {
    pf_memory_free(values);
    return PF_STOP;
  }
  return PF_OK;
}

pf_status pf_recording_derive(pf_recording *recording, const pf_derived *derived, size_t n,
                              pf_error *error)
{
  int64_t *ends = pf_memory_need((size_t)recording->n_steps, sizeof *ends, error);
  pf_status status = ends == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n; k++) {
    if (status == PF_OK) {
      status = derive_one(recording, &derived[k], ends, error);
    }
  }
  pf_memory_free(ends);
  return status;
}

/** Column j of inputs [n_steps][n]. */
static pf_status copy_column(const pf_recording *recording, const char *channel, int64_t j,
                             int64_t n, double *inputs, pf_error *error)
{
  const double *values = pf_recording_channel(recording, channel);
  if (values == NULL) {
    return no_channel(recording, channel, "that source.input.channels names", error);
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    inputs[t * n + j] = values[t];
    if (!isfinite(values[t])) {
      return pf_fail(error, PF_STOP,
                     "%s: step %lld: %s is missing, and an input must be there at every step",
                     recording->name, (long long)t + 1, channel);
    }
  }
  return PF_OK;
}

pf_status pf_recording_input_channels(pf_recording *recording, pf_names channels, pf_error *error)
{
  const int64_t n = (int64_t)channels.count;
  if (n == 0) {
    return PF_OK;
  }
  double *inputs = pf_memory_need((size_t)(recording->n_steps * n), sizeof *inputs, error);
  if (inputs == NULL) {
    return PF_STOP;
  }
  for (int64_t j = 0; j < n; j++) {
    if (copy_column(recording, channels.items[j], j, n, inputs, error) != PF_OK) {
      pf_memory_free(inputs);
      return PF_STOP;
    }
  }
  pf_memory_free(recording->cue);
  recording->cue = inputs;
  recording->n_input = n;
  return PF_OK;
}
