#define _POSIX_C_SOURCE 200809L /* open_memstream */

#include "core/check/check_json.h"

#include "core/base/memory.h"
#include "core/check/check_data.h"
#include "core/check/check_warnings.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/fit/fit.h"
#include "core/fit/fit_groups.h"
#include "core/layout/layout.h"
#include "core/store/folder.h"
#include "core/truth/names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- plugins ---- */

static json_t *append_plugin(json_t *array, const char *what, const pf_component *component)
{
  json_t *one = json_object();
  one = pf_json_set(one, "part", pf_json_text(what));
  one = pf_json_set(one, "plugin", pf_json_text(component->plugin->name));
  one = pf_json_set(one, "version", pf_json_text(component->plugin->version));
  one = pf_json_set(one, "file", pf_json_text(component->file));
  return pf_json_append(array, one);
}

static json_t *plugins_used(const pf_models *models)
{
  json_t *array = json_array();
  array = append_plugin(array, "source", &models->source);
  array = append_plugin(array, "network", &models->network);
  for (size_t p = 0; p < models->n_rules; p++) {
    array = append_plugin(array, models->owners[p], &models->rules[p]);
  }
  for (size_t k = 0; k < models->n_losses; k++) {
    array = append_plugin(array, models->owners[models->n_rules + k], &models->losses[k]);
  }
  return array;
}

/* ---- data ---- */

static json_t *counts_of(const char *name, const pf_data_counts *c)
{
  const double none = (double)NAN;
  json_t *one = json_object();
  one = pf_json_set(one, "name", pf_json_text(name));
  one = pf_json_set(one, "experiments", json_integer(c->n_experiments));
  one = pf_json_set(one, "trials", json_integer(c->n_trials));
  one = pf_json_set(one, "steps", json_integer(c->n_steps));
  one = pf_json_set(one, "steps_with_changes", json_integer(c->n_plastic));
  one = pf_json_set(one, "steps_fitted", json_integer(c->n_fit));
  one = pf_json_set(one, "steps_scored", json_integer(c->n_score));
  one = pf_json_set(
      one, "choice_rate",
      pf_json_number(c->n_choices > 0 ? (double)c->n_accepted / (double)c->n_choices : none));
  return pf_json_set(one, "mean_reward",
                     pf_json_number(c->n_rewards > 0 ? c->reward / (double)c->n_rewards : none));
}

static json_t *data_used(const pf_problem *problem)
{
  json_t *animals = json_array();
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    const pf_data_counts one = pf_data_count(problem, a);
    animals = pf_json_append(animals, counts_of(problem->data.animals[a], &one));
  }
  const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
  json_t *root = json_object();
  root = pf_json_set(root, "all", counts_of("all", &all));
  return pf_json_set(root, "animals", animals);
}

/* ---- parameters ---- */

static json_t *one_parameter(const pf_model *model, size_t i, const char *key, double start)
{
  const pf_model_parameter *parameter = &model->parameters[i];
  const pf_parameter *declared = &parameter->declared;
  const bool fixed = (declared->flags & PF_PARAMETER_FIXED) != 0;
  json_t *one = json_object();
  one = pf_json_set(one, "name", pf_json_text(key));
  one = pf_json_set(one, "label", pf_json_text(declared->label));
  one = pf_json_set(one, "start", pf_json_number(start));
  one = pf_json_set(one, "lower", pf_json_number(declared->lower));
  one = pf_json_set(one, "upper", pf_json_number(declared->upper));
  if (parameter->tied) {
    const char *to = model->parameters[parameter->tied_to].declared.name;
    return pf_json_set(one, "tied_to", pf_json_text(to));
  }
  return pf_json_set(one, "free", json_boolean(!fixed));
}

static pf_status list_parameters(const pf_problem *problem, json_t **out, pf_error *error)
{
  const pf_model *model = problem->model;
  char **keys = NULL;
  pf_status status = PF_STOP;
  json_t *array = json_array();
  double *start = pf_memory_need(model->n_parameters, sizeof *start, error);
  if (start == NULL || pf_fit_start(problem, 0, start, error) != PF_OK ||
      pf_keys_create(model, &keys, error) != PF_OK) {
    json_decref(array);
    goto done;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (pf_is_reported(model, i)) {
      array = pf_json_append(array, one_parameter(model, i, keys[i], start[i]));
    }
  }
  *out = array;
  status = PF_OK;
done:
  if (keys != NULL) {
    pf_keys_free(model, keys);
  }
  pf_memory_free(start);
  return status;
}

/* ---- plan, warnings ---- */

static json_t *plan_of(const pf_problem *problem)
{
  static const char *const words_of_per[] = {"animal", "shared", "population"};
  const pf_fit_settings *fit = &problem->settings->fit;
  const pf_evaluation_plan evaluation = pf_evaluation_plan_of(problem);
  const size_t n_groups = fit->per == PF_FIT_SHARED ? 1 : problem->data.n_animals;
  json_t *root = json_object();
  root = pf_json_set(root, "per", pf_json_text(words_of_per[fit->per]));
  root = pf_json_set(root, "fits", json_integer((json_int_t)n_groups));
  root = pf_json_set(root, "optimiser", pf_json_text(fit->optimiser));
  root = pf_json_set(root, "draws", json_integer((json_int_t)problem->settings->draws));
  root = pf_json_set(root, "threads", json_integer(pf_fit_n_threads(problem, n_groups)));
  root = pf_json_set(root, "evaluated_on", pf_json_text(evaluation.on));
  return pf_json_set(root, "out", pf_json_text(problem->settings->out));
}

/** Warnings as `check` prints them: each begins with a form feed here. */
static json_t *split_warnings(char *text)
{
  json_t *array = json_array();
  for (char *at = strtok(text, "\f"); at != NULL; at = strtok(NULL, "\f")) {
    at[strcspn(at, "\n")] = '\0';
    array = pf_json_append(array, pf_json_text(at));
  }
  return array;
}

static pf_status list_warnings(const pf_problem *problem, json_t **out, pf_error *error)
{
  char *text = NULL;
  size_t length = 0;
  pf_error taken = pf_error_none();
  FILE *stream = open_memstream(&text, &length);
  if (stream == NULL) {
    return pf_fail(error, PF_STOP, "out of memory");
  }
  (void)pf_check_warn(problem, "\f", stream);
  if (pf_folder_check(problem->settings->out, false, &taken) != PF_OK) {
    (void)fprintf(stream, "\f%s\n", taken.text);
  }
  const bool bad = fclose(stream) != 0;
  if (!bad) {
    *out = split_warnings(text);
  }
  free(text);
  return bad ? pf_fail(error, PF_STOP, "out of memory") : PF_OK;
}

pf_status pf_check_json(const pf_problem *problem, json_t **out, pf_error *error)
{
  json_t *parameters = NULL, *warnings = NULL;
  if (list_parameters(problem, &parameters, error) != PF_OK) {
    return PF_STOP;
  }
  if (list_warnings(problem, &warnings, error) != PF_OK) {
    json_decref(parameters);
    return PF_STOP;
  }
  json_t *root = json_object();
  root = pf_json_set(root, "name", pf_json_text(problem->settings->name));
  root = pf_json_set(root, "seed", pf_json_seed(problem->settings->seed));
  root = pf_json_set(root, "plugins", plugins_used(problem->models));
  root = pf_json_set(root, "data", data_used(problem));
  root = pf_json_set(root, "parameters", parameters);
  root = pf_json_set(root, "plan", plan_of(problem));
  *out = pf_json_set(root, "warnings", warnings);
  return *out == NULL ? pf_fail(error, PF_STOP, "out of memory") : PF_OK;
}
