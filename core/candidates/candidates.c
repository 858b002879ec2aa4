#include "core/candidates/candidates.h"

#include "core/base/memory.h"
#include "core/candidates/key.h"
#include "core/candidates/same_data.h"
#include "core/fit/fit.h"
#include "core/layout/layout.h"

#include <stdlib.h>
#include <string.h>

/* ---- configs ---- */

/** Writes "candidate 'with w': " before the line. */
static pf_status name_candidate(const char *name, pf_error *error)
{
  char line[PF_ERROR_LENGTH];
  memcpy(line, error->text, sizeof line);
  (void)snprintf(error->text, sizeof error->text, "candidate '%.60s': %.*s", name,
                 (int)(sizeof line - 80), line);
  return PF_STOP;
}

static pf_status lay_set(pf_config *config, const pf_node *set, const char *name, pf_error *error)
{
  if (set == NULL || pf_node_is_group(set)) {
    return pf_config_lay(config, set, error);
  }
  for (int64_t i = 0; i < pf_node_count(set); i++) {
    const char *text = "";
    char argument[512];
    (void)pf_node_string(pf_node_at(set, i), &text);
    (void)snprintf(argument, sizeof argument, "'%s' sets %s", name, text);
    if (pf_config_override_for(config, text, argument, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status remove_keys(pf_config *config, const pf_node *without, pf_error *error)
{
  for (int64_t i = 0; i < pf_node_count(without); i++) {
    const char *path = "";
    (void)pf_node_string(pf_node_at(without, i), &path);
    if (!pf_config_remove(config, path)) {
      (void)pf_fail(error, PF_STOP, "`without` names '%s', but the base config has no such key",
                    path);
      pf_error_locate(error, config, pf_node_at(without, i));
      return PF_STOP;
    }
  }
  return PF_OK;
}

/** Leaving an animal out leaves nothing to fit what it has of its own. */
static pf_status check_shared(const pf_problem *problem, pf_error *error)
{
  for (size_t i = 0; i < problem->model->n_parameters; i++) {
    const pf_model_parameter *parameter = &problem->model->parameters[i];
    if (pf_is_free(parameter) && parameter->declared.scope != PF_SCOPE_SHARED) {
      return pf_fail(error, PF_STOP,
                     "%s.%s is a parameter of each %s, and leave-one-animal-out has no steps to "
                     "fit it to: leave that "
                     "validation out, or share it there, leave_one_animal_out: { set: ... }",
                     parameter->owner, parameter->declared.name,
                     parameter->declared.scope == PF_SCOPE_ANIMAL ? "animal" : "experiment");
    }
  }
  return PF_OK;
}

/** For leave-one-animal-out: what is fitted per animal says nothing of another; a population does.
 */
static pf_status share_theta(pf_config *config, const pf_compare_settings *settings,
                             pf_error *error)
{
  const char *per = NULL;
  if (lay_set(config, settings->set_animal, "leave_one_animal_out", error) != PF_OK) {
    return PF_STOP;
  }
  if (pf_node_string(pf_node_get(pf_config_root(config), "fit.per"), &per) &&
      strcmp(per, pf_fit_per_word(PF_FIT_POPULATION)) == 0) {
    return PF_OK;
  }
  return pf_config_override_for(config, "fit.per=shared", "leave-one-animal-out: fit.per=shared",
                                error);
}

/** One way of fitting a candidate. */
typedef struct way {
  const pf_compare_settings *settings;
  const pf_candidate_settings *candidate;
  bool shared; /**< for leave-one-animal-out */
} way;

/** The config of a candidate: the base's without and with the keys that the candidate says. */
static pf_status change_config(pf_config *config, const way *to, pf_error *error)
{
  const pf_candidate_settings *candidate = to->candidate;
  if (remove_keys(config, candidate->without, error) != PF_OK ||
      lay_set(config, to->settings->set_all, "compare", error) != PF_OK ||
      lay_set(config, candidate->set, candidate->name, error) != PF_OK) {
    return PF_STOP;
  }
  for (size_t k = 0; k < candidate->n_more; k++) {
    if (pf_config_override_for(config, candidate->more[k], "compare.select", error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (to->shared && share_theta(config, to->settings, error) != PF_OK) {
    return PF_STOP;
  }
  /* a comparison scores the animals that it fits, whatever a fit of the base would do */
  return pf_config_override_for(config, "evaluate.animals=0", "compare: evaluate.animals=0", error);
}

/* What a fit does where nothing limits its starts. */
enum { MANY_STARTS = 20 };

/** What a comparison says rests on optima: a limit that may miss them does not hold here. */
static void lift_starts(pf_problem *problem)
{
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  pf_fit_settings *fit = &problem->settings->fit;
  if (optimiser != NULL && !optimiser->fixed_passes && fit->starts < MANY_STARTS) {
    fit->starts = 0;
  }
}

static pf_status make_problem(const way *to, pf_variant *out, pf_error *error)
{
  if (change_config(out->config, to, error) != PF_OK ||
      pf_problem_create(out->config, &out->problem, error) != PF_OK) {
    return PF_STOP;
  }
  lift_starts(out->problem);
  if (to->shared && check_shared(out->problem, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_key_of_problem(out->problem, out->key, error);
}

static pf_status make_variant(const pf_candidate_source *source, const way *to, const pf_host *host,
                              pf_variant *out, pf_error *error)
{
  const pf_status status =
      pf_config_read(source->path, source->overrides, source->n_overrides, &out->config, error);
  if (status != PF_OK) {
    return status;
  }
  pf_config_set_host(out->config, host);
  (void)pf_config_remove(out->config, "compare");
  return make_problem(to, out, error) == PF_OK ? PF_OK : name_candidate(to->candidate->name, error);
}

static void clear_variant(pf_variant *variant)
{
  pf_problem_free(variant->problem);
  pf_config_free(variant->config);
  *variant = (pf_variant){0};
}

/* ---- the same data? ---- */

static pf_status check_same_data(const pf_candidates *candidates, pf_error *error)
{
  const pf_candidate *first = &candidates->items[0];
  for (size_t i = 1; i < candidates->n; i++) {
    const pf_candidate *one = &candidates->items[i];
    pf_text words = {0};
    if (!pf_data_differ(&first->own.problem->data, &one->own.problem->data, &words)) {
      continue;
    }
    (void)pf_fail(
        error, PF_STOP,
        "candidate '%s' sees other data than '%s', so their scores cannot be compared; what "
        "differs "
        "is %.600s%s",
        one->name, first->name, words.text == NULL ? "" : words.text,
        one->own.problem->models->teacher != NULL
            ? "; where candidates differ in network or source, make the data once with `plastfit "
              "simulate` and compare on its table"
            : "");
    pf_text_free(&words);
    return PF_STOP;
  }
  return PF_OK;
}

/* Does it average over draws of what is unknown? */
static bool averages_draws(const pf_problem *problem)
{
  for (size_t i = 0; i < problem->data.n; i++) {
    pf_unknowns unknowns;
    pf_stream stream;
    pf_problem_unknowns(problem, &problem->data, i, false, &unknowns, &stream);
    if (pf_unknowns_any(problem->model, &unknowns)) {
      return problem->settings->marginal.kind == PF_LIKELIHOOD_MEAN;
    }
  }
  return false;
}

/* A mean over draws is below the marginal likelihood of the same model: they are not compared. */
static pf_status check_same_likelihood(const pf_candidates *candidates, pf_error *error)
{
  const pf_candidate *mean = NULL, *marginal = NULL;
  for (size_t i = 0; i < candidates->n; i++) {
    const pf_candidate *one = &candidates->items[i];
    if (one->own.problem->settings->marginal.kind == PF_LIKELIHOOD_MARGINAL) {
      marginal = one;
    } else if (averages_draws(one->own.problem)) {
      mean = one;
    }
  }
  if (mean == NULL || marginal == NULL) {
    return PF_OK;
  }
  return pf_fail(error, PF_STOP,
                 "candidate '%s' has likelihood = \"marginal\" and candidate '%s' \"mean\", with "
                 "inputs or starting weights that are not known: their scores cannot be compared; "
                 "let both have the same",
                 marginal->name, mean->name);
}

/** Is a validation asked for that fits one theta to all animals but one? */
static bool leaves_animal_out(const pf_compare_settings *settings)
{
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (settings->asked[v] && pf_validation_at(v)->leaves_animal_out) {
      return true;
    }
  }
  return false;
}

static pf_status make_candidates(const pf_candidate_source *source,
                                 const pf_compare_settings *settings, pf_candidates *out,
                                 pf_error *error)
{
  const bool shared = leaves_animal_out(settings);
  out->items = pf_memory_need(settings->n, sizeof *out->items, error);
  out->host = pf_memory_need(1, sizeof *out->host, error);
  if (out->items == NULL || out->host == NULL) {
    return PF_STOP;
  }
  pf_saying_once_start(out->host);
  const pf_host *host = &out->host->host;
  for (size_t i = 0; i < settings->n; i++) {
    pf_candidate *candidate = &out->items[i];
    out->n = i + 1;
    candidate->name = settings->candidates[i].name;
    way to = {.settings = settings, .candidate = &settings->candidates[i]};
    pf_status status = make_variant(source, &to, host, &candidate->own, error);
    if (status == PF_OK && shared) {
      to.shared = true;
      status = make_variant(source, &to, host, &candidate->shared, error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return check_same_data(out, error) == PF_OK ? check_same_likelihood(out, error) : PF_STOP;
}

pf_status pf_candidates_create(const pf_candidate_source *source,
                               const pf_compare_settings *settings, pf_candidates *out,
                               pf_error *error)
{
  *out = (pf_candidates){0};
  const pf_status status = make_candidates(source, settings, out, error);
  if (status != PF_OK) {
    pf_candidates_free(out);
  }
  return status;
}

void pf_candidates_free(pf_candidates *candidates)
{
  for (size_t i = 0; i < candidates->n; i++) {
    clear_variant(&candidates->items[i].own);
    clear_variant(&candidates->items[i].shared);
  }
  pf_memory_free(candidates->items);
  if (candidates->host != NULL) {
    pf_saying_once_end(candidates->host);
    pf_memory_free(candidates->host);
  }
  *candidates = (pf_candidates){0};
}
