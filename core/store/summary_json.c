#include "core/base/memory.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/sensitivity/derivatives_words.h"
#include "core/settings/root_settings.h"
#include "core/settings/source_settings.h"
#include "core/store/json_values.h"
#include "core/store/tables.h"
#include "core/truth/equation.h"
#include "core/truth/names.h"
#include "core/uncertainty/uncertainty.h"
#include <math.h>
#include <plastfit/plastfit.h>
#include <string.h>

/* `lost` remembers what a set could not do: a tree is built without asking after each step. */
typedef struct builder {
  bool lost;
} builder;

static void set_member(builder *b, json_t *object, const char *key, json_t *value)
{
  b->lost |= json_object_set_new(object, key, value) != 0;
}

static void set_explained(builder *b, json_t *object, const pf_scores *scores)
{
  json_t *explained = json_object();
  set_member(b, explained, "no_plasticity", pf_json_number(scores->no_plasticity));
  set_member(b, explained, "mean_rate", pf_json_number(scores->mean_rate));
  for (size_t k = 0; k < PF_N_BASELINES; k++) {
    set_member(b, explained, pf_baseline_key(k), pf_json_number(scores->baselines[k]));
  }
  set_member(b, object, "deviance_explained", explained);
  set_member(b, object, "r2_weights", pf_json_number(scores->r2_weights));
  set_member(b, object, "r2_activity", pf_json_number(scores->r2_activity));
  set_member(b, object, "residual_correlation", pf_json_number(scores->residual_correlation));
  set_member(b, object, "log_likelihood", pf_json_number(scores->log_likelihood));
  set_member(b, object, "monte_carlo_error", pf_json_number(scores->monte_carlo_error));
}

static json_t *theta_object(builder *b, const pf_results *results, const double *theta)
{
  json_t *object = json_object();
  const pf_model *model = results->problem->model;
  for (size_t i = 0; i < model->start_theta0;
       i++) { /* starting weights are in theta.csv: many, each of little meaning */
    if (pf_is_reported(model, i)) {
      set_member(b, object, results->keys[i], pf_json_number(theta[i]));
    }
  }
  return object;
}

/* What an animal's first experiment was simulated with. */
static json_t *theta_of_animal(builder *b, const pf_results *results,
                               const pf_animal_result *result)
{
  const pf_evaluation_plan plan = pf_evaluation_plan_of(results->problem);
  const size_t first = pf_dataset_first(plan.data, (size_t)(result - results->evaluation->animals));
  const size_t i = first < plan.data->n ? first : plan.data->n - 1;
  return theta_object(b, results,
                      results->evaluation->thetas + i * results->problem->model->n_parameters);
}

static json_t *animal_object(builder *b, const pf_results *results, const pf_animal_result *result)
{
  json_t *object = json_object();
  set_member(b, object, "name", pf_json_text(result->name));
  const bool fitted = result->unit < results->fit->n_groups;
  const bool interrupted =
      result->interrupted || (fitted && results->fit->groups[result->unit].interrupted);
  set_member(b, object, "status",
             pf_json_text(interrupted ? "interrupted" : pf_status_word(result->status)));
  if (result->status != PF_OK) {
    set_member(b, object, "error", pf_json_text(result->error.text));
  }
  if (fitted) {
    const pf_fit_group *unit = &results->fit->groups[result->unit];
    set_member(b, object, "unit", pf_json_text(unit->name));
    set_member(b, object, "fit_status", pf_json_text(pf_group_word(unit)));
    set_member(b, object, "theta", theta_of_animal(b, results, result));
  } else {
    set_member(b, object, "unit", json_null());
    set_member(b, object, "theta", json_null());
  }
  set_explained(b, object, &result->scores);
  set_member(b, object, "n_scored", json_integer((json_int_t)result->scores.n_scored));
  set_member(b, object, "n_still_synapses", json_integer((json_int_t)result->scores.n_still));
  return object;
}

/* Why the optimiser stopped, and what it took. */
static json_t *optimum_object(builder *b, const pf_problem *problem, const pf_fit_group *unit)
{
  const pf_optimum *optimum = &unit->optimum;
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  json_t *object = json_object();
  set_member(b, object, "name", pf_json_text(optimiser->name));
  set_member(b, object, "reason", pf_json_text(pf_reason_key(optimum->reason)));
  set_member(b, object, "words", pf_json_text(pf_reason_words(optimum->reason)));
  set_member(b, object, "converged",
             optimiser->fixed_passes ? json_null() : json_boolean(optimum->converged));
  set_member(b, object, "gradient_norm", pf_json_number(optimum->gradient_norm));
  set_member(b, object, "iterations", json_integer((json_int_t)optimum->iterations));
  set_member(b, object, "evaluations", json_integer((json_int_t)optimum->evaluations));
  set_member(b, object, "gradients", json_integer((json_int_t)optimum->gradients));
  set_member(b, object, "curvatures", json_integer((json_int_t)optimum->curvatures));
  set_member(b, object, "failed_evaluations", json_integer((json_int_t)optimum->n_failed));
  set_member(b, object, "start_halved", json_integer((json_int_t)optimum->n_shrunk));
  set_member(b, object, "steps_back", json_integer((json_int_t)optimum->n_backs));
  set_member(b, object, "saddles_left", json_integer((json_int_t)optimum->n_saddles));
  set_member(b, object, "fitted_again", json_integer((json_int_t)unit->n_improved));
  set_member(b, object, "derivatives", pf_json_text(pf_derivatives_words(unit->derivatives)));
  size_t n_reached = 0;
  for (size_t k = 0; k < unit->n_starts; k++) {
    n_reached += unit->starts[k].reached ? 1 : 0;
  }
  set_member(b, object, "starts", json_integer((json_int_t)unit->n_starts));
  set_member(b, object, "starts_at_best", json_integer((json_int_t)n_reached));
  set_member(b, object, "best_start", json_integer((json_int_t)unit->best));
  return object;
}

/* The marginal likelihood; null where it is the mean over draws, or nothing was unknown. */
static json_t *marginal_object(builder *b, const pf_marginal_fit *marginal)
{
  if (marginal == NULL) {
    return json_null();
  }
  json_t *object = json_object();
  set_member(b, object, "log_likelihood", pf_json_number(marginal->log_likelihood));
  set_member(b, object, "monte_carlo_error", pf_json_number(marginal->error));
  set_member(b, object, "iterations", json_integer((json_int_t)marginal->iterations));
  set_member(b, object, "least_effective_share", pf_json_number(marginal->least_share));
  set_member(b, object, "nats_of_monte_carlo_error", pf_json_number(marginal->cost));
  set_member(b, object, "nats_left", pf_json_number(marginal->left));
  return object;
}

/* The penalty that was chosen, by what, and how many terms are left; null: none was. */
static json_t *penalty_object(builder *b, const pf_chosen_penalty *penalty)
{
  if (!penalty->chosen) {
    return json_null();
  }
  json_t *object = json_object();
  set_member(b, object, "l1", pf_json_number(penalty->l1));
  set_member(b, object, "terms", json_integer((json_int_t)penalty->n_terms));
  set_member(b, object, "terms_left", json_integer((json_int_t)penalty->n_left));
  set_member(b, object, "held_out", pf_json_text(penalty->by_animals ? "animals" : "later blocks"));
  set_member(b, object, "folds", json_integer((json_int_t)penalty->n_folds));
  set_member(b, object, "scored", json_integer((json_int_t)penalty->n_units));
  set_member(b, object, "score", pf_json_number(-penalty->score));
  set_member(b, object, "score_without_terms", pf_json_number(-penalty->score_without));
  return object;
}

static json_t *unit_object(builder *b, const pf_problem *problem, const pf_fit_group *unit)
{
  json_t *object = json_object();
  set_member(b, object, "name", pf_json_text(unit->name));
  set_member(b, object, "status", pf_json_text(pf_group_word(unit)));
  if (unit->status != PF_OK) {
    set_member(b, object, "error", pf_json_text(unit->error.text));
  }
  const bool any = unit->n_rows > 0;
  set_member(b, object, "epochs",
             json_integer(any ? (json_int_t)unit->rows[unit->n_rows - 1].epoch : 0));
  set_member(b, object, "objective",
             pf_json_number(any ? unit->rows[unit->n_rows - 1].objective : NAN));
  set_member(b, object, "data_term",
             pf_json_number(any ? unit->rows[unit->n_rows - 1].data_term : NAN));
  set_member(b, object, "optimiser",
             unit->starts == NULL ? json_null() : optimum_object(b, problem, unit));
  set_member(b, object, "marginal", marginal_object(b, unit->marginal));
  set_member(b, object, "penalty", penalty_object(b, &unit->penalty));
  return object;
}

/* The sentences of a unit's free groups. */
static json_t *free_array(builder *b, const pf_problem *problem, const pf_inference_group *of)
{
  json_t *array = json_array();
  for (size_t g = 0; g < of->spectrum->n_subspaces; g++) {
    char line[1000];
    pf_error ignored = pf_error_none();
    b->lost |= pf_subspace_sentence(problem, of, g, line, sizeof line, &ignored) != PF_OK ||
               json_array_append_new(array, pf_json_text(line)) != 0;
  }
  return array;
}

/* The score test of animals under one theta; null where there is none. */
static json_t *agreement_object(builder *b, const pf_agreement *agreement)
{
  if (agreement->n_animals == 0) {
    return json_null();
  }
  json_t *object = json_object();
  set_member(b, object, "test", pf_json_text("score"));
  set_member(b, object, "reference", pf_json_text("chi-square"));
  set_member(b, object, "animals", json_integer((json_int_t)agreement->n_animals));
  set_member(b, object, "statistic", pf_json_number(agreement->statistic));
  set_member(b, object, "degrees_of_freedom", pf_json_number(agreement->freedom));
  set_member(b, object, "p", pf_json_number(agreement->p));
  return object;
}

/* How many values have each verdict. */
static json_t *verdicts_object(builder *b, const pf_inference_group *of)
{
  json_t *verdicts = json_object();
  for (uint32_t v = PF_IDENTIFIED; v <= PF_NOT_IDENTIFIED_BY_DESIGN; v++) {
    json_int_t n = 0;
    for (size_t k = 0; k < of->n; k++) {
      n += of->verdict[k] == v ? 1 : 0;
    }
    set_member(b, verdicts, pf_verdict_words(v), json_integer(n));
  }
  return verdicts;
}

/* null: a loss sees the weights, or nothing is known of others. */
static json_t *latent_object(builder *b, const pf_inference_group *of)
{
  if (of->latent.n_fits == 0) {
    return json_null();
  }
  json_t *latent = json_object();
  set_member(b, latent, "fits", json_integer((json_int_t)of->latent.n_fits));
  set_member(b, latent, "starts", json_integer((json_int_t)of->latent.n_starts));
  set_member(b, latent, "r2_median", pf_json_number(of->latent.median));
  set_member(b, latent, "r2_lowest", pf_json_number(of->latent.lowest));
  return latent;
}

static json_t *uncertainty_object(builder *b, const pf_problem *problem,
                                  const pf_inference_group *of)
{
  json_t *object = json_object();
  set_member(b, object, "name", pf_json_text(of->group->name));
  set_member(b, object, "why", pf_json_text(of->why));
  if (of->why != NULL) {
    return object;
  }
  json_t *eigenvalues = json_array(), *warnings = json_array(), *missing = json_object();
  for (size_t k = 0; k < of->n; k++) {
    b->lost |=
        json_array_append_new(eigenvalues, pf_json_number(of->spectrum->eigenvalues[k])) != 0;
  }
  for (size_t i = 0; i < of->n_warnings; i++) {
    b->lost |= json_array_append_new(warnings, pf_json_text(of->warnings[i])) != 0;
  }
  for (uint32_t method = 0; method < PF_N_INTERVAL_METHODS; method++) {
    if (of->methods[method].why != NULL) {
      set_member(b, missing, pf_interval_method_name(method),
                 pf_json_text(of->methods[method].why));
    }
  }
  set_member(b, object, "log_likelihood", pf_json_number(of->log_likelihood));
  set_member(b, object, "verdicts", verdicts_object(b, of));
  set_member(b, object, "free", free_array(b, problem, of));
  set_member(b, object, "warnings", warnings);
  set_member(b, object, "missing", missing);
  set_member(b, object, "latent_weights", latent_object(b, of));
  set_member(b, object, "animals_agree", agreement_object(b, &of->agreement));
  set_member(b, object, "method", pf_json_text(pf_interval_method_name(of->main)));
  set_member(b, object, "clusters",
             of->n_clusters > 0 ? json_integer((json_int_t)of->n_clusters) : json_null());
  set_member(b, object, "condition", pf_json_number(of->spectrum->condition));
  set_member(b, object, "eigenvalues", eigenvalues);
  set_member(b, object, "derivatives", pf_json_text(pf_derivatives_words(of->derivatives)));
  return object;
}

/* How sure one can be; null where nothing was asked. */
static json_t *inference_object(builder *b, const pf_results *results)
{
  const pf_inference *inference = results->inference;
  if (!pf_has_inference(inference)) {
    return json_null();
  }
  json_t *object = json_object(), *units = json_array();
  for (size_t u = 0; u < inference->n_groups; u++) {
    b->lost |= json_array_append_new(
                   units, uncertainty_object(b, results->problem, &inference->groups[u])) != 0;
  }
  set_member(b, object, "method", pf_json_text(pf_interval_method_name(pf_main_method(inference))));
  set_member(b, object, "level", pf_json_number(inference->level));
  set_member(b, object, "rank_tolerance",
             pf_json_number(results->problem->settings->intervals.rank_tolerance));
  set_member(b, object, "seconds", pf_json_number(inference->seconds));
  set_member(b, object, "units", units);
  return object;
}

/* What the config says of the fit, its intervals and its data, as the tables of settings have it;
 * and what follows from it. */
static json_t *config_object(builder *b, const pf_problem *problem)
{
  const pf_settings *settings = problem->settings;
  json_t *object = json_object();
  object = pf_json_settings(object, pf_fit_keys(), &settings->fit);
  object = pf_json_settings(object, pf_marginal_keys(), &settings->marginal);
  object = pf_json_settings(object, pf_evaluate_keys(), settings);
  object = pf_json_settings(object, pf_interval_keys(), &settings->intervals);
  object = pf_json_settings(object, pf_population_keys(), &settings->population);
  set_member(b, object, "source", pf_json_settings(json_object(), pf_source_keys(), settings));
  set_member(b, object, "fixed_passes", json_boolean(pf_fit_optimiser(problem)->fixed_passes));
  set_member(b, object, "l1",
             problem->options.chooses_l1 ? pf_json_text("auto") : pf_json_number(settings->fit.l1));
  json_t *rules = json_array();
  for (size_t p = 0; p < problem->model->n_plastic; p++) {
    json_t *rule = json_object();
    set_member(b, rule, "plugin", pf_json_text(problem->model->plastic[p].rule->plugin->name));
    set_member(b, rule, "eta", pf_json_number(problem->model->plastic[p].eta));
    b->lost |= json_array_append_new(rules, rule) != 0;
  }
  set_member(b, object, "rules", rules);
  return object;
}

static json_t *nulls_object(builder *b, bool null_refitted)
{
  json_t *object = json_object();
  set_member(
      b, object, "no_plasticity",
      pf_json_text(null_refitted
                       ? "the same network, the plastic flag off at every step, what is not a "
                         "rule's refitted"
                       : "the same network and theta, the plastic flag off at every step"));
  set_member(
      b, object, "mean_rate",
      pf_json_text(
          "a constant choice probability, the mean over the fitted steps; of activities, each "
          "unit's mean"));
  set_member(
      b, object, "win_stay_lose_shift",
      pf_json_text("of choices between options: the option before is taken again with one "
                   "probability after a win and another after a loss, fitted to each animal"));
  set_member(b, object, "logistic_history",
             pf_json_text("of choices between options: a logistic regression on the choices and "
                          "rewards of the last evaluate.history trials, fitted to each animal"));
  return object;
}

static void set_truth(builder *b, json_t *root, const pf_results *results)
{
  bool known = false;
  for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
    known = known || (pf_is_reported(results->problem->model, i) && !isnan(results->truth[i]));
  }
  set_member(b, root, "truth", known ? theta_object(b, results, results->truth) : json_null());
}

/* What was run, by which version, and how it was scored. */
static void set_head(builder *b, json_t *root, const pf_results *results)
{
  const pf_problem *problem = results->problem;
  set_member(b, root, "name", pf_json_text(problem->settings->name));
  set_member(b, root, "plastfit", pf_json_text(pf_version()));
  set_member(b, root, "format", json_integer(PF_RUN_FORMAT));
  set_member(b, root, "precision",
             pf_json_text(sizeof(pf_real) == sizeof(double) ? "double" : "single"));
  set_member(b, root, "seed", pf_json_seed(problem->settings->seed));
  set_member(b, root, "config", config_object(b, problem));
  set_member(b, root, "evaluated_on", pf_json_text(results->evaluation->evaluated_on));
  set_member(b, root, "refitted",
             json_boolean(
                 results->evaluation->refitted)); /* animals' own parameters, on their fit steps */
  set_member(b, root, "nulls", nulls_object(b, results->evaluation->null_refitted));
  set_truth(b, root, results);
}

static void set_scores(builder *b, json_t *root, const pf_results *results)
{
  const pf_evaluation *evaluation = results->evaluation;
  json_t *animals = json_array();
  for (size_t a = 0; a < evaluation->n_animals; a++) {
    b->lost |=
        json_array_append_new(animals, animal_object(b, results, &evaluation->animals[a])) != 0;
  }
  set_member(b, root, "animals", animals);
  json_t *mean = json_object();
  json_t *median = json_object();
  set_explained(b, mean, &evaluation->mean);
  set_explained(b, median, &evaluation->median);
  set_member(b, mean, "pooled", json_boolean(evaluation->pooled));
  set_member(b, mean, "residuals_are_correlated",
             json_boolean(pf_residuals_are_correlated(evaluation->mean.residual_correlation,
                                                      evaluation->mean.n_scored)));
  set_member(b, root, "mean", mean);
  set_member(b, root, "median", median);
}

/* "interrupted" before "failed": what was stopped is not whole, whatever else went wrong. */
static const char *run_word(const pf_results *results)
{
  bool failed = results->fit->n_failed > 0;
  for (size_t a = 0; a < results->evaluation->n_animals; a++) {
    failed = failed || results->evaluation->animals[a].status != PF_OK;
  }
  if (results->fit->n_interrupted > 0 || results->evaluation->n_interrupted > 0) {
    return "interrupted";
  }
  if (failed) {
    return "failed";
  }
  for (size_t u = 0; u < results->fit->n_groups; u++) {
    const uint32_t verdict = pf_fit_verdict(&results->fit->groups[u]);
    if (verdict != PF_FIT_CONVERGED && verdict != PF_FIT_PASSES_DONE) {
      return pf_fit_verdict_words(verdict);
    }
  }
  return "ok";
}

/* How gradients went through time, and what they were allowed. */
static void set_plan(builder *b, json_t *root, const pf_problem *problem)
{
  pf_explained how;
  pf_error unused = pf_error_none();
  if (pf_problem_explain(problem, &how, &unused) != PF_OK) {
    b->lost = true; /* it was found out before the fit: this time memory ran out */
    return;
  }
  json_t *plan = json_object();
  set_member(b, plan, "path", pf_json_text(how.swept ? "sweep" : "coupled"));
  set_member(b, plan, "block_rows", json_integer((json_int_t)how.rows));
  set_member(b, plan, "checkpoint_interval",
             how.interval == 0 ? json_null() : json_integer((json_int_t)how.interval));
  set_member(b, plan, "bytes_per_thread", json_integer((json_int_t)how.bytes));
  set_member(b, plan, "threads", json_integer((json_int_t)problem->options.n_threads));
  set_member(b, plan, "memory", json_integer((json_int_t)problem->settings->memory));
  set_member(b, root, "plan", plan);
}

/* ---- equations ---- */

static json_t *term_object(builder *b, const pf_results *results, const pf_equation_term *term,
                           const pf_coefficient *c)
{
  const pf_parameter *declared = &results->problem->model->parameters[term->parameter].declared;
  const char *label = declared->label != NULL ? declared->label : declared->name;
  json_t *object = json_object(), *interval = json_array(), *family = json_array();
  b->lost |= json_array_append_new(interval, pf_json_number(c->lower)) != 0;
  b->lost |= json_array_append_new(interval, pf_json_number(c->upper)) != 0;
  b->lost |= json_array_append_new(family, pf_json_number(c->low)) != 0;
  b->lost |= json_array_append_new(family, pf_json_number(c->high)) != 0;
  set_member(b, object, "name", pf_json_text(declared->name));
  set_member(b, object, "label", pf_json_text(label));
  set_member(b, object, "value", pf_json_number(c->value));
  set_member(b, object, "error", pf_json_number(c->error));
  set_member(b, object, "interval", interval);
  set_member(b, object, "interval_together", family);
  set_member(b, object, "sd_between", pf_json_number(c->sd));
  set_member(b, object, "n", json_integer((json_int_t)c->n));
  set_member(b, object, "truth", pf_json_number(c->truth));
  set_member(b, object, "kept", json_boolean(term->fate == PF_TERM_KEPT));
  set_member(b, object, "why", pf_json_text(pf_term_fate_words(term->fate)));
  return object;
}

/* A text's lines as an array. */
static json_t *lines_array(builder *b, const char *lines)
{
  json_t *array = json_array();
  while (lines != NULL && *lines != '\0') {
    const size_t length = strcspn(lines, "\n");
    char line[1024];
    (void)snprintf(line, sizeof line, "%.*s", (int)length, lines);
    b->lost |= json_array_append_new(array, pf_json_text(line)) != 0;
    lines += length + (lines[length] == '\n' ? 1 : 0);
  }
  return array;
}

static json_t *equation_object(builder *b, const pf_results *results, const pf_equations *all,
                               const pf_equation *equation)
{
  json_t *object = json_object(), *terms = json_array();
  for (size_t k = 0; k < equation->n_terms; k++) {
    const pf_coefficient *c = &all->coefficients.items[equation->terms[k].parameter];
    b->lost |= json_array_append_new(terms, term_object(b, results, &equation->terms[k], c)) != 0;
  }
  set_member(b, object, "owner", pf_json_text(equation->owner));
  set_member(b, object, "eta", pf_json_number(equation->eta));
  set_member(b, object, "text", pf_json_text(equation->text.text));
  set_member(b, object, "truth", pf_json_text(equation->truth.text));
  set_member(b, object, "where", lines_array(b, equation->where.text));
  set_member(b, object, "notes", lines_array(b, equation->notes.text));
  set_member(b, object, "level", pf_json_number(all->coefficients.level));
  set_member(b, object, "correction", pf_json_text("Bonferroni"));
  set_member(b, object, "chosen_by", pf_json_text(equation->chosen_by));
  set_member(b, object, "looked_at", json_integer((json_int_t)equation->n_looked_at));
  set_member(b, object, "groups", json_integer((json_int_t)all->coefficients.n_claims));
  set_member(b, object, "terms", terms);
  return object;
}

static json_t *equations_array(builder *b, const pf_results *results)
{
  pf_equations all;
  pf_error ignored = pf_error_none();
  json_t *array = json_array();
  if (pf_equations_create(results->problem, results->fit, results->inference, &all, &ignored) !=
      PF_OK) {
    b->lost = true;
    return array;
  }
  for (size_t p = 0; p < all.n; p++) {
    b->lost |= json_array_append_new(array, equation_object(b, results, &all, &all.items[p])) != 0;
  }
  pf_equations_clear(&all);
  return array;
}

static json_t *summary_object(builder *b, const pf_results *results)
{
  json_t *root = json_object();
  set_member(b, root, "status", pf_json_text(run_word(results)));
  set_head(b, root, results);
  json_t *units = json_array();
  for (size_t u = 0; u < results->fit->n_groups; u++) {
    b->lost |= json_array_append_new(
                   units, unit_object(b, results->problem, &results->fit->groups[u])) != 0;
  }
  set_member(b, root, "units", units);
  set_member(b, root, "equations", equations_array(b, results));
  set_member(b, root, "inference", inference_object(b, results));
  set_member(b, root, "population", pf_population_object(results));
  set_scores(b, root, results);
  set_plan(b, root, results->problem);
  json_t *timing = json_object();
  set_member(b, timing, "fit_seconds", pf_json_number(results->fit->seconds));
  set_member(b, timing, "gradients", json_integer((json_int_t)results->fit->n_gradients));
  set_member(b, root, "timing", timing);
  return root;
}

/* The tree, unless something of it is lost. */
static pf_status write_tree(const builder *b, json_t *root, const char *path, pf_error *error)
{
  if (b->lost) {
    json_decref(root);
    root = NULL;
  }
  return pf_json_write(root, path, error);
}

pf_status pf_write_summary(const pf_results *results, const char *path, pf_error *error)
{
  builder b = {.lost = false};
  json_t *root = summary_object(&b, results);
  return write_tree(&b, root, path, error);
}

pf_status pf_write_evaluation(const pf_results *results, const char *run, const char *data,
                              const char *path, pf_error *error)
{
  builder b = {.lost = false};
  json_t *root = json_object();
  set_member(&b, root, "run", pf_json_text(run));
  set_member(&b, root, "data", pf_json_text(data));
  set_head(&b, root, results);
  set_scores(&b, root, results);
  return write_tree(&b, root, path, error);
}
