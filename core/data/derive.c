#include "core/data/derive.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/data/linear.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

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

bool pf_derived_is_name(const pf_derived *derived)
{
  for (const char *c = derived->of; *c != '\0'; c++) {
    if (strchr("+-*()<>=![]", *c) != NULL || isspace((unsigned char)*c)) {
      return false;
    }
  }
  return true;
}

bool pf_derived_is_past(const pf_derived *derived)
{
  return derived->lag > 0 || derived->lag_trials > 0;
}

bool pf_derived_is_live(const pf_derived *derived, pf_names channels)
{
  pf_error ignored = {.size = sizeof ignored};
  pf_linear linear = {0};
  if (derived->lag_trials > 0 || derived->signed_by_cue ||
      pf_linear_parse(derived->of, channels, &linear, &ignored) != PF_OK) {
    return false;
  }
  const bool is_live = !pf_linear_has_family(&linear);
  pf_linear_free(&linear);
  return is_live;
}

pf_status pf_derived_check(const pf_derived *derived, const pf_linear *linear, pf_error *error)
{
  if (!pf_linear_has_family(linear)) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "'%s' is derived from \"%s\": [post] and [pre] are for a rule's modulator; a "
                 "derived channel has one value a step",
                 derived->name, derived->of);
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

/** Names of the channels, and of targets of one column where the derived channel may read them.
 * NULL: out of memory. */
static const char **list_names(const pf_recording *recording, const pf_derived *derived, size_t *n,
                               pf_error *error)
{
  const size_t most = recording->n_channels + recording->n_targets;
  const char **names = pf_memory_need(most, sizeof *names, error);
  *n = 0;
  if (names == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < recording->n_channels; i++) {
    names[(*n)++] = recording->channels[i].name;
  }
  for (size_t i = 0; i < recording->n_targets && pf_derived_is_past(derived); i++) {
    if (recording->targets[i].n == 1) {
      names[(*n)++] = recording->targets[i].name;
    }
  }
  return names;
}

/** Missing where anything that it reads is. */
static pf_status evaluate_products(const pf_recording *recording, const pf_linear *linear,
                                   double *values, pf_error *error)
{
  double *at = pf_memory_need(linear->n, sizeof *at, error);
  if (at == NULL) {
    return PF_STOP;
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    bool is_missing = false;
    for (size_t c = 0; c < linear->n; c++) {
      const double *channel = pf_recording_channel(recording, linear->names[c]);
      at[c] = channel != NULL ? channel[t]
                              : pf_recording_target(recording, linear->names[c])->values[t];
      is_missing = is_missing || isnan(at[c]);
    }
    values[t] = is_missing ? (double)NAN : pf_linear_value(linear, at);
  }
  pf_memory_free(at);
  return PF_OK;
}

/** The series of a sum of products, the caller's to free. */
static pf_status make_products(const pf_recording *recording, const pf_derived *derived,
                               double **out, pf_error *error)
{
  size_t n = 0;
  pf_linear linear = {0};
  const char **names = list_names(recording, derived, &n, error);
  if (names == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_linear_parse(derived->of, (pf_names){names, n}, &linear, error);
  pf_memory_free(names);
  if (status != PF_OK) {
    return status;
  }
  status = pf_derived_check(derived, &linear, error);
  if (status != PF_OK) {
    pf_linear_free(&linear);
    return status;
  }
  *out = pf_memory_need((size_t)recording->n_steps, sizeof **out, error);
  status = *out == NULL ? PF_STOP : evaluate_products(recording, &linear, *out, error);
  pf_linear_free(&linear);
  return status;
}

static pf_status add_derived(pf_recording *recording, const pf_derived *derived, const double *of,
                             int64_t *ends, pf_error *error)
{
  double *values = pf_memory_need((size_t)recording->n_steps, sizeof *values, error);
  if (values == NULL) {
    return PF_STOP;
  }
  derive_values(recording, derived, of, ends, values);
  for (int64_t t = 0; derived->zero_missing != 0 && t < recording->n_steps; t++) {
    values[t] = isnan(values[t]) ? 0.0 : values[t];
  }
  if (pf_recording_add_channel(recording, derived->name, values, error) != PF_OK) {
    pf_memory_free(values);
    return PF_STOP;
  }
  return PF_OK;
}

static pf_status derive_one(pf_recording *recording, const pf_derived *derived, int64_t *ends,
                            pf_error *error)
{
  double *products = NULL;
  if (!pf_derived_is_name(derived)) {
    pf_status status = make_products(recording, derived, &products, error);
    if (status == PF_OK) {
      status = add_derived(recording, derived, products, ends, error);
    }
    pf_memory_free(products);
    return status;
  }
  const double *of = find_series(recording, derived);
  if (of == NULL) {
    char what[128];
    (void)snprintf(what, sizeof what, "to derive '%.80s' from", derived->name);
    return no_channel(recording, derived->of, what, error);
  }
  return add_derived(recording, derived, of, ends, error);
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
  pf_memory_free(recording->cue_sd);
  recording->cue = inputs;
  recording->cue_sd = NULL;
  recording->n_input = n;
  return PF_OK;
}
