#include "core/state/seen.h"

#include <math.h>
#include <string.h>

/** 1 for the option taken, 0 for the others and where none was observed. */
static double chosen_or_not(const pf_plastic *plastic, double choice, int64_t unit)
{
  if (isnan(choice)) {
    return 0.0;
  }
  return plastic->n_post == 1 ? choice : (double)(choice == (double)unit);
}

static double choice_signal(const pf_plastic *plastic, double choice, int64_t unit)
{
  if (plastic->signed_choice && !isnan(choice)) {
    return 2.0 * choice - 1.0;
  }
  return chosen_or_not(plastic, choice, unit);
}

void pf_seen_set(const pf_plastic *plastic, double choice, const double *recorded, pf_real *data)
{
  const int64_t n = plastic->n_post;
  for (size_t s = 0; s < plastic->n_seen; s++) {
    pf_real *offset = data + (int64_t)s * 2 * n, *factor = offset + n;
    for (int64_t i = 0; i < n; i++) {
      double a = 0.0, b = 1.0;
      switch (plastic->seen[s].kind) {
      case PF_SEEN_CHOICE:
        a = choice_signal(plastic, choice, i);
        b = 0.0;
        break;
      case PF_SEEN_ERROR:
        a = chosen_or_not(plastic, choice, i);
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

static bool sees(const pf_plastic *plastic, uint32_t kind)
{
  for (size_t s = 0; s < plastic->n_seen; s++) {
    if (plastic->seen[s].kind == kind) {
      return true;
    }
  }
  return false;
}

bool pf_seen_is_data(const pf_plastic *plastic)
{
  return plastic->n_seen == 1 && plastic->seen[0].kind == PF_SEEN_CHOICE;
}

bool pf_seen_needs_choice(const pf_plastic *plastic)
{
  return sees(plastic, PF_SEEN_CHOICE) || sees(plastic, PF_SEEN_ERROR);
}

/** The recorded activity of the postsynaptic population: a target named like an observable of it.
 */
static const pf_record *find_recorded(const pf_model *model, const pf_plastic *plastic,
                                      const pf_recording *recording)
{
  const int64_t post = model->projections[plastic->projection].post;
  for (size_t k = 0; k < recording->n_targets; k++) {
    const pf_record *record = &recording->targets[k];
    const int64_t o = pf_model_observable(model, record->name);
    if (o >= 0 && model->observables[o].population == post && record->n == plastic->n_post &&
        strcmp(record->name, "choice") != 0) {
      return record;
    }
  }
  return NULL;
}

static pf_status fail_missing(const pf_model *model, const pf_plastic *plastic,
                              const pf_recording *recording, const char *what, pf_error *error)
{
  return pf_fail(error, PF_STOP,
                 "%s on '%s' sees %s of its postsynaptic units (`post`, or a name in the rule), "
                 "but %s has none",
                 plastic->rule->label, model->projections[plastic->projection].name, what,
                 recording->name);
}

static pf_status check_choice(const pf_plastic *plastic, const pf_recording *recording,
                              double choice, int64_t t, pf_error *error)
{
  const int64_t n_options = plastic->n_post == 1 ? 2 : plastic->n_post;
  if (isnan(choice) || (choice >= 0.0 && choice < (double)n_options && choice == floor(choice))) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "%s: step %lld: choice %g, expected 0 to %lld: there are %lld "
                 "options",
                 recording->name, (long long)t, choice, (long long)n_options - 1,
                 (long long)n_options);
}

pf_status pf_seen_fill(const pf_model *model, const pf_plastic *plastic,
                       const pf_recording *recording, pf_real *data, pf_error *error)
{
  const pf_record *choices = NULL, *recorded = NULL;
  if (pf_seen_needs_choice(plastic)) {
    choices = pf_recording_target(recording, "choice");
    if (choices == NULL || choices->n != 1) {
      return fail_missing(model, plastic, recording, "choices", error);
    }
  }
  if (sees(plastic, PF_SEEN_RECORDED)) {
    recorded = find_recorded(model, plastic, recording);
    if (recorded == NULL) {
      return fail_missing(model, plastic, recording, "recorded activities", error);
    }
  }
  for (int64_t t = 0; t < recording->n_steps; t++) {
    const double choice = choices == NULL ? NAN : choices->values[t];
    const pf_status status = check_choice(plastic, recording, choice, t, error);
    if (status != PF_OK) {
      return status;
    }
    pf_seen_set(plastic, choice, recorded == NULL ? NULL : recorded->values + t * recorded->n,
                data + (size_t)t * pf_seen_cells(plastic));
  }
  return PF_OK;
}

void pf_seen_values(const pf_plastic *plastic, const pf_real *data, const pf_unit_signals *signals,
                    pf_range rows, pf_real *values)
{
  const int64_t n = plastic->n_post, end = rows.first + rows.n;
  for (size_t s = 0; s < plastic->n_seen; s++) {
    const pf_real *offset = data + (int64_t)s * 2 * n, *factor = offset + n;
    const pf_real *signal = signals->cells + plastic->seen[s].signal * signals->stride;
    pf_real *to = values + (int64_t)s * n;
    for (int64_t i = rows.first; i < end; i++) {
      /* a signal that is not seen may not stand yet */
      to[i] = factor[i] == 0 ? offset[i] : offset[i] + factor[i] * signal[i];
    }
  }
}

void pf_seen_vjp(const pf_plastic *plastic, const pf_real *data, const pf_real *g_values,
                 pf_range rows, const pf_unit_signals *g_signals)
{
  const int64_t n = plastic->n_post, end = rows.first + rows.n;
  for (size_t s = 0; s < plastic->n_seen; s++) {
    const pf_real *factor = data + ((int64_t)s * 2 + 1) * n, *g = g_values + (int64_t)s * n;
    pf_real *to = g_signals->cells + plastic->seen[s].signal * g_signals->stride;
    for (int64_t i = rows.first; i < end; i++) {
      to[i] += factor[i] * g[i];
    }
  }
}
