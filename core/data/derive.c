/* Channels made from others (lags and differences), and channels as inputs. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/dataset.h"

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

int64_t pf_recording_cue(const pf_recording *recording, int64_t step)
{
  const double *cue = recording->cue + step * recording->n_input;
  int64_t largest = 0;
  for (int64_t j = 1; j < recording->n_input; j++) {
    largest = cue[j] > cue[largest] ? j : largest;
  }
  return largest;
}

/** What lags read: a channel, or a target of one column. A difference would see the very choice to
 * be predicted. */
static const double *series_of(const pf_recording *recording, const pf_derived *derived)
{
  const double *channel = pf_recording_channel(recording, derived->of);
  const pf_record *target = pf_recording_target(recording, derived->of);
  return channel != NULL || target == NULL || target->n != 1 || derived->difference > 0
             ? channel
             : target->values;
}

/**
 * values[t] from `of`. Walks along with `ends`, [n_steps], the last steps of the trials of this
 * session that are over.
 */
static void fill(const pf_recording *recording, const pf_derived *derived, const double *of,
                 int64_t *ends, double *values)
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
    values[t] = derived->difference > 0 ? of[t] - of[from] : turned ? -of[from] : of[from];
  }
}

pf_status pf_recording_derive(pf_recording *recording, const pf_derived *derived, size_t n,
                              pf_error *error)
{
  int64_t *ends = pf_memory_need((size_t)recording->n_steps, sizeof *ends, error);
  pf_status status = ends == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < n && status == PF_OK; k++) {
    const double *of = series_of(recording, &derived[k]);
    if (of == NULL) {
      char what[128];
      (void)snprintf(what, sizeof what, "to derive '%.80s' from", derived[k].name);
      status = no_channel(recording, derived[k].of, what, error);
      break;
    }
    double *values = pf_memory_need((size_t)recording->n_steps, sizeof *values, error);
    if (values == NULL) {
      status = PF_STOP;
      break;
    }
    fill(recording, &derived[k], of, ends, values);
    status = pf_recording_add_channel(recording, derived[k].name, values, error);
    if (status != PF_OK) {
      pf_memory_free(values);
    }
  }
  pf_memory_free(ends);
  return status;
}

pf_status pf_recording_input_channels(pf_recording *recording, pf_names channels, pf_error *error)
{
  const int64_t n = (int64_t)channels.count;
  if (n == 0) {
    return PF_OK;
  }
  double *inputs = pf_memory_need((size_t)(recording->n_steps * n), sizeof *inputs, error);
  pf_status status = inputs == NULL ? PF_STOP : PF_OK;
  for (int64_t j = 0; j < n && status == PF_OK; j++) {
    const double *values = pf_recording_channel(recording, channels.items[j]);
    if (values == NULL) {
      status = no_channel(recording, channels.items[j], "that source.input.channels names", error);
    }
    for (int64_t t = 0; t < recording->n_steps && status == PF_OK; t++) {
      inputs[t * n + j] = values[t];
      if (!isfinite(values[t])) {
        status = pf_fail(error, PF_STOP,
                         "%s: step %lld: %s is missing, and an input must be there at every step",
                         recording->name, (long long)t, channels.items[j]);
      }
    }
  }
  if (status != PF_OK) {
    pf_memory_free(inputs);
    return status;
  }
  pf_memory_free(recording->cue);
  recording->cue = inputs;
  recording->n_input = n;
  return PF_OK;
}
