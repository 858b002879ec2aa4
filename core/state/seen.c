#include "core/state/seen.h"

#include "core/data/data_names.h"

#include <math.h>
#include <string.h>

/** 1 for the option taken, 0 for the others and where none was observed. */
static double chosen_or_not(const pf_seen *seen, double choice, int64_t unit)
{
  if (isnan(choice)) {
    return 0.0;
  }
  return seen->n_units == 1 ? choice : (double)(choice == (double)unit);
}

static double choice_signal(const pf_seen *seen, double choice, int64_t unit)
{
  if (seen->signed_choice && !isnan(choice)) {
    return 2.0 * choice - 1.0;
  }
  return chosen_or_not(seen, choice, unit);
}

void pf_seen_set(const pf_seen *seen, double choice, const double *recorded, pf_real *data)
{
  const int64_t n = seen->n_units;
  for (size_t s = 0; s < seen->n; s++) {
    pf_real *offset = data + (int64_t)s * 2 * n, *factor = offset + n;
    for (int64_t i = 0; i < n; i++) {
      double a = 0.0, b = 1.0;
      switch (seen->signals[s].kind) {
      case PF_SEEN_CHOICE:
        a = choice_signal(seen, choice, i);
        b = 0.0;
        break;
      case PF_SEEN_ERROR:
        a = chosen_or_not(seen, choice, i);
        b = isnan(choice) ? 0.0 : -1.0;
        break;
      case PF_SEEN_RECORDED:
        if (recorded != NULL && !isnan(recorded[i])) {
          a = recorded[i];
          b = 0.0;
        }
        break;
      default:
        break;
      }
      offset[i] = (pf_real)a;
      factor[i] = (pf_real)b;
    }
  }
}

static bool sees_kind(const pf_seen *seen, uint32_t kind)
{
  for (size_t s = 0; s < seen->n; s++) {
    if (seen->signals[s].kind == kind) {
      return true;
    }
  }
  return false;
}

bool pf_seen_is_data(const pf_seen *seen)
{
  return seen->n == 1 && seen->signals[0].kind == PF_SEEN_CHOICE;
}

bool pf_seen_needs_choice(const pf_seen *seen)
{
  return sees_kind(seen, PF_SEEN_CHOICE) || sees_kind(seen, PF_SEEN_ERROR);
}

/** The recorded activity of a population of n units: a target named like an observable of it. */
static const pf_record *find_recorded(const pf_model *model, int64_t population, int64_t n,
                                      const pf_recording *recording)
{
  for (size_t k = 0; k < recording->n_targets; k++) {
    const pf_record *record = &recording->targets[k];
    const int64_t o = pf_model_observable(model, record->name);
    if (o >= 0 && model->observables[o].population == population && record->n == n &&
        !pf_is_choice(record->name)) {
      return record;
    }
  }
  return NULL;
}

static pf_status fail_missing(const pf_model *model, const pf_plastic *plastic, bool is_post,
                              const pf_recording *recording, const char *what, pf_error *error)
{
  return pf_fail(
      error, PF_STOP,
      "%s on '%s' sees %s of its %s units (`%s`, or a name in the rule), but %s has none",
      plastic->rule->label, model->projections[plastic->projection].name, what,
      is_post ? "postsynaptic" : "presynaptic", is_post ? "post" : "pre", recording->name);
}

static pf_status check_choice(const pf_seen *seen, const pf_recording *recording, double choice,
                              int64_t t, pf_error *error)
{
  const int64_t n_options = seen->n_units == 1 ? 2 : seen->n_units;
  if (isnan(choice) || (choice >= 0.0 && choice < (double)n_options && choice == floor(choice))) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%s: step %lld: choice %g, expected 0 to %lld: there are %lld "
                 "options",
                 recording->name, (long long)t, choice, (long long)n_options - 1,
                 (long long)n_options);
}

/** What was recorded for the rule's step t: of the presynaptic side that of the step before, where
 * that is what is transmitted. */
static const double *recorded_at(const pf_projection *projection, bool is_post,
                                 const pf_recording *recording, const pf_record *record, int64_t t)
{
  const bool back = !is_post && projection->when == PF_PRE_PREVIOUS;
  const bool anew = t == 0 || (recording->flags[t] & PF_STEP_RESET_STATE) != 0;
  if (record == NULL || (back && anew)) {
    return NULL;
  }
  return record->values + (back ? t - 1 : t) * record->n;
}

pf_status pf_seen_fill(const pf_model *model, const pf_plastic *plastic, const pf_seen *seen,
                       const pf_recording *recording, pf_real *data, pf_error *error)
{
  const pf_projection *projection = &model->projections[plastic->projection];
  const bool is_post = seen == &plastic->post;
  const int64_t population = is_post ? projection->post : projection->pre;
  const pf_record *choices = NULL, *recorded = NULL;
  if (pf_seen_needs_choice(seen)) {
    choices = pf_recording_target(recording, "choice");
    if (choices == NULL || choices->n != 1) {
      return fail_missing(model, plastic, is_post, recording, "choices", error);
    }
  }
  if (sees_kind(seen, PF_SEEN_RECORDED)) {
    recorded = find_recorded(model, population, seen->n_units, recording);
    if (recorded == NULL) {
      return fail_missing(model, plastic, is_post, recording, "recorded activities", error);
    }
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    const double choice = choices == NULL ? NAN : choices->values[t];
    const pf_status status = check_choice(seen, recording, choice, t, error);
    if (status != PF_OK) {
      return status;
    }
    pf_seen_set(seen, choice, recorded_at(projection, is_post, recording, recorded, t),
                data + (size_t)t * pf_seen_cells(seen));
  }
  return PF_OK;
}

void pf_seen_values(const pf_seen *seen, const pf_real *data, const pf_unit_signals *signals,
                    pf_range units, pf_real *values)
{
  const int64_t n = seen->n_units, end = units.first + units.n;
  for (size_t s = 0; s < seen->n; s++) {
    const pf_real *offset = data + (int64_t)s * 2 * n, *factor = offset + n;
    const pf_real *signal = signals->cells + seen->signals[s].signal * signals->stride;
    pf_real *to = values + (int64_t)s * n;
    for (int64_t i = units.first; i < end; i++) {
      /* a signal that is not seen may not stand yet */
      to[i] = factor[i] == 0 ? offset[i] : offset[i] + factor[i] * signal[i];
    }
  }
}

void pf_seen_vjp(const pf_seen *seen, const pf_real *data, const pf_real *g_values, pf_range units,
                 const pf_unit_signals *g_signals)
{
  const int64_t n = seen->n_units, end = units.first + units.n;
  for (size_t s = 0; s < seen->n; s++) {
    const pf_real *factor = data + ((int64_t)s * 2 + 1) * n, *g = g_values + (int64_t)s * n;
    pf_real *to = g_signals->cells + seen->signals[s].signal * g_signals->stride;
    for (int64_t i = units.first; i < end; i++) {
      to[i] += factor[i] * g[i];
    }
  }
}
