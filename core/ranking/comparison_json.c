#include "core/ranking/comparison_json.h"

#include "core/ranking/compare_words.h"
#include "core/store/json_values.h"

#include <math.h>
#include <plastfit/plastfit.h>

static json_t *interval_object(pf_interval from)
{
  return json_pack("{s:o, s:o, s:o}", "value", pf_json_number(from.value), "low",
                   pf_json_number(from.low), "high", pf_json_number(from.high));
}

/* ---- candidates ---- */

static json_t *against_base_object(const pf_compare_figures *f)
{
  return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o}", "difference", interval_object(f->against_base),
                   "n_pairs", (json_int_t)f->n_pairs, "n_better", (json_int_t)f->n_better, "n_ties",
                   (json_int_t)f->n_ties, "p", pf_json_number(f->p), "p_holm",
                   pf_json_number(f->p_holm));
}

static json_t *ablations_object(const double *ablations)
{
  json_t *object = json_object();
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    object = pf_json_set(object, pf_ablation_name(a), pf_json_number(ablations[a]));
  }
  return object;
}

static json_t *animal_scores(const pf_comparison *comparison, const pf_compare_figures *f)
{
  json_t *array = json_array();
  for (size_t a = 0; a < comparison->n_animals; a++) {
    array = pf_json_append(array, pf_json_number(f->per_animal[a]));
  }
  return array;
}

/** "ok", or how many animals are left out and why. */
static json_t *status_text(const pf_compare_figures *f)
{
  pf_text text = {0};
  pf_compare_add_status(&text, f);
  json_t *json = text.failed ? NULL : json_string(text.text);
  pf_text_free(&text);
  return json;
}

/** Animals by what their fits amount to. */
static json_t *verdicts_object(const pf_compare_figures *f)
{
  json_t *object = json_object();
  for (uint32_t verdict = 0; verdict < PF_N_FIT_VERDICTS; verdict++) {
    if (f->verdicts[verdict] > 0) {
      object = pf_json_set(object, pf_fit_verdict_words(verdict),
                           json_integer((json_int_t)f->verdicts[verdict]));
    }
  }
  return object;
}

static json_t *explained_object(const pf_compare_figures *f)
{
  json_t *object =
      json_pack("{s:o, s:o}", "no_plasticity", interval_object(f->explained_no_plasticity),
                "mean_rate", interval_object(f->explained_mean_rate));
  for (size_t b = 0; b < PF_N_BASELINES; b++) {
    object = pf_json_set(object, pf_baseline_key(b), interval_object(f->explained_baselines[b]));
  }
  return object;
}

static json_t *figures_object(const pf_comparison *comparison, size_t c, uint32_t v)
{
  const pf_compare_candidate *candidate = &comparison->candidates[c];
  const pf_compare_figures *f = &candidate->figures[v];
  const bool ablated = comparison->ablations && pf_validation_at(v)->held_out;
  return json_pack(
      "{s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "status",
      status_text(f), "fits", verdicts_object(f), "n_animals", (json_int_t)f->n_animals, "n_failed",
      (json_int_t)f->n_failed, "n_left_out", (json_int_t)f->n_left_out, "n_observations",
      (json_int_t)f->n, "log_likelihood_per_observation", interval_object(f->score), "median",
      pf_json_number(f->median), "deviance_explained", explained_object(f), "r2_weights",
      pf_json_number(f->r2_weights), "r2_activity", pf_json_number(f->r2_activity), "against_base",
      c == comparison->base ? json_null() : against_base_object(f), "against_best",
      isnan(f->against_best.value) ? json_null() : interval_object(f->against_best), "per_animal",
      animal_scores(comparison, f), "ablations",
      ablated ? ablations_object(candidate->ablations[v]) : json_null());
}

static json_t *candidate_object(const pf_comparison *comparison, size_t c)
{
  const pf_compare_candidate *candidate = &comparison->candidates[c];
  json_t *validations = json_object();
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (comparison->asked[v]) {
      validations =
          pf_json_set(validations, pf_validation_at(v)->name, figures_object(comparison, c, v));
    }
  }
  return json_pack("{s:o, s:o, s:I, s:s, s:b, s:o, s:o, s:o}", "name",
                   pf_json_text(candidate->name), "rule", pf_json_text(candidate->rule),
                   "n_parameters", (json_int_t)candidate->n_parameters, "per",
                   pf_fit_per_word(candidate->per), "is_likelihood", (int)candidate->is_likelihood,
                   "aic", pf_json_number(candidate->aic), "bic", pf_json_number(candidate->bic),
                   "validations", validations);
}

/* ---- selection ---- */

static json_t *set_object(const pf_selection_set *from)
{
  return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "change", pf_json_text(from->change), "terms",
                   pf_json_text(from->terms), "n_terms", pf_json_number(from->n_terms),
                   "log_likelihood_per_observation", interval_object(from->score), "best",
                   (int)from->best, "chosen", (int)from->chosen);
}

static json_t *path_array(const pf_selection *selection, uint32_t method)
{
  const pf_selection_set *sets = selection->sets.items;
  json_t *array = json_array();
  for (size_t i = 0; i < selection->sets.n; i++) {
    if (sets[i].method == method && sets[i].on_path) {
      array = pf_json_append(array, set_object(&sets[i]));
    }
  }
  return array;
}

/** The paths of a selection of terms; null where none was asked for. */
static json_t *selection_object(const pf_selection *selection)
{
  if (selection->rule == NULL) {
    return json_null();
  }
  json_t *paths = json_object();
  for (uint32_t method = 0; method < PF_N_SELECTIONS; method++) {
    paths = pf_json_set(paths, pf_selection_method_name(method), path_array(selection, method));
  }
  return json_pack("{s:o, s:I, s:s, s:o}", "rule", pf_json_text(selection->rule), "n_terms",
                   (json_int_t)selection->n_terms, "validation",
                   pf_validation_at(selection->validation)->name, "paths", paths);
}

/* ---- how many animals follow which ---- */

static json_t *follower_object(const pf_comparison *comparison, size_t k)
{
  const pf_followers *f = &comparison->followers;
  json_t *animals = json_object();
  for (size_t a = 0; a < comparison->n_animals; a++) {
    animals = pf_json_set(animals, comparison->animals[a],
                          json_pack("{s:o, s:o}", "log_evidence",
                                    pf_json_number(f->evidence[a * f->n + k]), "probability",
                                    pf_json_number(f->shares[a * f->n + k])));
  }
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
                   pf_json_text(comparison->candidates[f->candidates[k]].name), "frequency",
                   pf_json_number(f->frequency[k]), "exceedance", pf_json_number(f->exceedance[k]),
                   "protected_exceedance", pf_json_number(f->protected_exceedance[k]), "animals",
                   animals);
}

/** null: nothing was asked. */
static json_t *followers_object(const pf_comparison *comparison)
{
  const pf_followers *f = &comparison->followers;
  json_t *candidates = json_array();
  for (size_t k = 0; k < f->n; k++) {
    candidates = pf_json_append(candidates, follower_object(comparison, k));
  }
  if (f->n == 0 && f->why == NULL) {
    json_decref(candidates);
    return json_null();
  }
  return json_pack("{s:o, s:o, s:o}", "missing", pf_json_text(f->why), "all_equal",
                   f->n > 0 ? pf_json_number(f->omnibus_risk) : json_null(), "candidates",
                   candidates);
}

/* ---- all of it ---- */

static json_t *validations_array(const pf_comparison *comparison)
{
  json_t *array = json_array();
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    if (comparison->asked[v]) {
      array = pf_json_append(array, json_pack("{s:s, s:b, s:b, s:I}", "name", validation->name,
                                              "held_out", (int)validation->held_out, "pooled",
                                              (int)comparison->pooled[v], "folds",
                                              (json_int_t)comparison->folds[v].n));
    }
  }
  return array;
}

/** Baselines of each validation, beside the base; null where there are none. */
static json_t *baselines_object(const pf_comparison *comparison)
{
  json_t *all = json_object();
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    json_t *of = json_object();
    for (size_t b = 0; b < PF_N_BASELINES && comparison->asked[v]; b++) {
      const pf_compare_baseline *one = &comparison->baselines[v][b];
      of = isnan(one->score.value)
               ? of
               : pf_json_set(
                     of, pf_baseline_key(b),
                     json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "log_likelihood_per_observation",
                               interval_object(one->score), "base_minus_baseline",
                               interval_object(one->difference), "n_pairs",
                               (json_int_t)one->n_pairs, "n_base_better", (json_int_t)one->n_better,
                               "p", pf_json_number(one->p), "p_holm", pf_json_number(one->p_holm)));
    }
    if (comparison->asked[v]) {
      all = pf_json_set(all, pf_validation_at(v)->name, of);
    } else {
      json_decref(of);
    }
  }
  return all;
}

static const char *status_word(const pf_comparison *comparison)
{
  if (comparison->n_failed > 0 || comparison->criteria_why != NULL) {
    return "failed";
  }
  return comparison->n_left_out > 0 ? "incomplete" : "ok";
}

static json_t *summary_object(const pf_comparison *comparison)
{
  const pf_folds *forecast = &comparison->folds[pf_validation_number(&pf_forecast)];
  const pf_folds *blocks = &comparison->folds[pf_validation_number(&pf_leave_one_block_out)];
  json_t *animals = json_array(), *candidates = json_array();
  for (size_t a = 0; a < comparison->n_animals; a++) {
    animals = pf_json_append(animals, pf_json_text(comparison->animals[a]));
  }
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    candidates = pf_json_append(candidates, candidate_object(comparison, c));
  }
  return json_pack(
      "{s:s, s:f, s:o, s:o, s:s, s:o, s:s, s:i, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, "
      "s:{s:s, s:s, s:s, s:s}, s:o, s:o, s:o, s:o}",
      "status", status_word(comparison), "tie_nats", pf_compare_tie, "warning",
      pf_json_text(comparison->warning), "information_criteria_missing",
      pf_json_text(comparison->criteria_why), "kind", "comparison", "name",
      pf_json_text(comparison->name), "plastfit", pf_version(), "format", 1, "precision",
      sizeof(pf_real) == sizeof(double) ? "double" : "single", "seed",
      pf_json_seed(comparison->seed), "base",
      pf_json_text(comparison->candidates[comparison->base].name), "headline",
      pf_validation_at(comparison->headline)->name, "words", pf_json_text(comparison->words),
      "animals", animals, "validations", validations_array(comparison), "forecast_fit",
      pf_json_number(forecast->value), "blocks", blocks->from_data ? "of the data" : "equal parts",
      "information_criteria", pf_json_text(comparison->criteria_note), "nulls", "no_plasticity",
      "the same network, the plastic flag off at every step; parameters of network and losses "
      "refitted to the fitted steps",
      "mean_rate",
      "a constant prediction, the mean over the animal's own fitted steps (of an animal left out: "
      "over those of the others)",
      "win_stay_lose_shift",
      "of choices between options: the option before is taken again with one probability after a "
      "win and another after a loss, fitted as mean_rate is",
      "logistic_history",
      "of choices between options: a logistic regression on choices and rewards of the trials "
      "before, fitted as mean_rate is",
      "baselines", baselines_object(comparison), "candidates", candidates, "selection",
      selection_object(&comparison->selection), "frequencies", followers_object(comparison));
}

pf_status pf_compare_write_summary(const pf_comparison *comparison, const char *path,
                                   pf_error *error)
{
  return pf_json_write(summary_object(comparison), path, error);
}
