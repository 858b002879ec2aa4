/* summary.json of a comparison: the table, and what it rests on. Neither times nor threads, so that
 * equal comparisons have equal files. */
#include "core/compare/comparison_files.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <plastfit/plastfit.h>
#include <string.h>

/* As in core/store/json.c: jansson's *_new functions take over what they are given, also on
 * failure. */
typedef struct builder {
  bool lost;
} builder;

static void set(builder *b, json_t *object, const char *key, json_t *value)
{
  b->lost |= json_object_set_new(object, key, value) != 0;
}

static void append(builder *b, json_t *array, json_t *value)
{
  b->lost |= json_array_append_new(array, value) != 0;
}

static json_t *number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

/** Names from files may be no UTF-8, which jansson refuses: other bytes become '?'. */
static json_t *text(const char *value)
{
  json_t *json = value == NULL ? json_null() : json_string(value);
  if (json == NULL) {
    char plain[PF_ERROR_LENGTH];
    (void)snprintf(plain, sizeof plain, "%s", value);
    for (char *c = plain; *c != '\0'; c++) {
      *c = (unsigned char)*c < 128 ? *c : '?';
    }
    json = json_string(plain);
  }
  return json;
}

static json_t *interval(builder *b, pf_interval from)
{
  json_t *object = json_object();
  set(b, object, "value", number(from.value));
  set(b, object, "low", number(from.low));
  set(b, object, "high", number(from.high));
  return object;
}

static json_t *figures_object(builder *b, const pf_comparison *comparison, size_t c, uint32_t v)
{
  const pf_compare_figures *f = &comparison->candidates[c].figures[v];
  json_t *object = json_object();
  set(b, object, "n_animals", json_integer((json_int_t)f->n_animals));
  set(b, object, "n_failed", json_integer((json_int_t)f->n_failed));
  set(b, object, "n_observations", json_integer((json_int_t)f->n));
  set(b, object, "log_likelihood_per_observation", interval(b, f->score));
  json_t *explained = json_object();
  set(b, explained, "no_plasticity", interval(b, f->explained_no_plasticity));
  set(b, explained, "mean_rate", interval(b, f->explained_mean_rate));
  set(b, object, "deviance_explained", explained);
  set(b, object, "r2_weights", number(f->r2_weights));
  set(b, object, "r2_activity", number(f->r2_activity));
  if (c != comparison->base) {
    json_t *against = json_object();
    set(b, against, "difference", interval(b, f->against_base));
    set(b, against, "n_pairs", json_integer((json_int_t)f->n_pairs));
    set(b, against, "n_better", json_integer((json_int_t)f->n_better));
    set(b, against, "p", number(f->p));
    set(b, against, "p_holm", number(f->p_holm));
    set(b, object, "against_base", against);
  } else {
    set(b, object, "against_base", json_null());
  }
  set(b, object, "against_best",
      isnan(f->against_best.value) ? json_null() : interval(b, f->against_best));
  json_t *animals = json_array();
  for (size_t a = 0; a < comparison->n_animals; a++) {
    append(b, animals, number(f->per_animal[a]));
  }
  set(b, object, "per_animal", animals);
  json_t *ablations = json_object();
  for (uint32_t a = 0; a < PF_N_ABLATIONS; a++) {
    set(b, ablations, pf_ablation_name(a), number(comparison->candidates[c].ablations[v][a]));
  }
  set(b, object, "ablations",
      comparison->ablations && pf_validation_is_held_out(v)
          ? ablations
          : (json_decref(ablations), json_null()));
  return object;
}

static json_t *set_object(builder *b, const pf_selection_set *from)
{
  json_t *object = json_object();
  set(b, object, "change", text(from->change));
  set(b, object, "terms", text(from->terms));
  set(b, object, "n_terms", number(from->n_terms));
  set(b, object, "log_likelihood_per_observation", interval(b, from->score));
  set(b, object, "best", json_boolean(from->best));
  set(b, object, "chosen", json_boolean(from->chosen));
  return object;
}

static json_t *candidate_object(builder *b, const pf_comparison *comparison, size_t c)
{
  const pf_compare_candidate *candidate = &comparison->candidates[c];
  json_t *object = json_object();
  set(b, object, "name", text(candidate->name));
  set(b, object, "rule", text(candidate->rule));
  set(b, object, "n_parameters", json_integer((json_int_t)candidate->n_parameters));
  set(b, object, "per", text(candidate->per_animal ? "animal" : "shared"));
  set(b, object, "is_likelihood", json_boolean(candidate->is_likelihood));
  set(b, object, "aic", number(candidate->aic));
  set(b, object, "bic", number(candidate->bic));
  json_t *validations = json_object();
  for (uint32_t v = 0; v < PF_N_VALIDATIONS; v++) {
    if (comparison->asked[v]) {
      set(b, validations, pf_validation_name(v), figures_object(b, comparison, c, v));
    }
  }
  set(b, object, "validations", validations);
  return object;
}

/** The paths of a selection of terms; null where none was asked for. */
static json_t *selection_object(builder *b, const pf_selection *selection)
{
  if (selection->rule == NULL) {
    return json_null();
  }
  json_t *object = json_object(), *paths = json_object();
  for (uint32_t method = 0; method < PF_N_SELECTIONS; method++) {
    json_t *path = json_array();
    for (size_t i = 0; i < selection->n; i++) {
      const pf_selection_set *tried = &selection->sets[i];
      if (tried->method == method && tried->on_path) {
        append(b, path, set_object(b, tried));
      }
    }
    set(b, paths, pf_selection_method_name(method), path);
  }
  set(b, object, "rule", text(selection->rule));
  set(b, object, "n_terms", json_integer((json_int_t)selection->n_terms));
  set(b, object, "validation", text(pf_validation_name(selection->validation)));
  set(b, object, "paths", paths);
  return object;
}

static json_t *summary(builder *b, const pf_comparison *comparison)
{
  json_t *root = json_object();
  char seed[32];
  (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)comparison->seed);
  set(b, root, "status", text(comparison->n_failed > 0 ? "failed" : "ok"));
  set(b, root, "kind", text("comparison"));
  set(b, root, "name", text(comparison->name));
  set(b, root, "plastfit", text(pf_version()));
  set(b, root, "format", json_integer(1));
  set(b, root, "precision", text(sizeof(pf_real) == sizeof(double) ? "double" : "single"));
  set(b, root, "seed",
      comparison->seed <= INT64_MAX ? json_integer((json_int_t)comparison->seed) : text(seed));
  set(b, root, "base", text(comparison->candidates[comparison->base].name));
  set(b, root, "headline", text(pf_validation_name(comparison->headline)));
  set(b, root, "words", text(comparison->words));
  json_t *animals = json_array();
  for (size_t a = 0; a < comparison->n_animals; a++) {
    append(b, animals, text(comparison->animals[a]));
  }
  set(b, root, "animals", animals);
  json_t *validations = json_array();
  for (uint32_t v = 0; v < PF_N_VALIDATIONS; v++) {
    if (comparison->asked[v]) {
      json_t *one = json_object();
      set(b, one, "name", text(pf_validation_name(v)));
      set(b, one, "held_out", json_boolean(pf_validation_is_held_out(v)));
      set(b, one, "folds", json_integer((json_int_t)comparison->n_folds[v]));
      append(b, validations, one);
    }
  }
  set(b, root, "validations", validations);
  set(b, root, "forecast_fit", number(comparison->forecast_fit));
  set(b, root, "blocks", text(comparison->blocks_from_data ? "of the data" : "equal parts"));
  set(b, root, "information_criteria", text(comparison->criteria_note));
  json_t *nulls = json_object();
  set(b, nulls, "no_plasticity",
      text("the same network, the plastic flag off at every step; parameters of network and losses "
           "refitted to the "
           "fitted steps"));
  set(b, nulls, "mean_rate",
      text("a constant prediction, the mean over the animal's own fitted steps (of an animal left "
           "out: over those of "
           "the others)"));
  set(b, root, "nulls", nulls);
  json_t *candidates = json_array();
  for (size_t c = 0; c < comparison->n_candidates; c++) {
    append(b, candidates, candidate_object(b, comparison, c));
  }
  set(b, root, "candidates", candidates);
  set(b, root, "selection", selection_object(b, &comparison->selection));
  return root;
}

pf_status pf_compare_write_summary(const pf_comparison *comparison, const char *path,
                                   pf_error *error)
{
  builder b = {.lost = false};
  json_t *root = summary(&b, comparison);
  pf_status status = PF_OK;
  if (root == NULL || b.lost) {
    status = pf_fail(error, PF_STOP, "no memory left for '%s'", path);
  } else if (json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) != 0) {
    status = pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  json_decref(root);
  return status;
}
