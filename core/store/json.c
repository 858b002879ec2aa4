#include "core/base/memory.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/readers/run_folder.h"
#include "core/store/tables.h"
#include "core/truth/names.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <plastfit/plastfit.h>
#include <string.h>

/* jansson's *_new functions take over what they are given, also on failure, and give NULL for NULL:
 * so a tree is built without asking after each step, and only its root is asked. `lost` remembers
 * what a set could not do. */
typedef struct builder {
  bool lost;
} builder;

static void set(builder *b, json_t *object, const char *key, json_t *value)
{
  b->lost |= json_object_set_new(object, key, value) != 0;
}

/* null where a number means nothing: JSON has no NaN. */
static json_t *number(double value)
{
  return isfinite(value) ? json_real(value) : json_null();
}

/* A text that may not be UTF-8 (a file's name, say), which jansson refuses: other bytes become '?'.
 */
static json_t *text(const char *value)
{
  if (value == NULL) {
    return json_null();
  }
  json_t *json = json_string(value);
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

static void set_explained(builder *b, json_t *object, const pf_scores *scores)
{
  json_t *explained = json_object();
  set(b, explained, "no_plasticity", number(scores->no_plasticity));
  set(b, explained, "mean_rate", number(scores->mean_rate));
  set(b, object, "deviance_explained", explained);
  set(b, object, "r2_weights", number(scores->r2_weights));
  set(b, object, "r2_activity", number(scores->r2_activity));
  set(b, object, "log_likelihood", number(scores->log_likelihood));
}

static json_t *theta_object(builder *b, const pf_results *results, const double *theta)
{
  json_t *object = json_object();
  const pf_model *model = results->problem->model;
  for (size_t i = 0; i < model->start_theta0;
       i++) { /* starting weights are in theta.csv: many, each of little meaning */
    if (pf_is_reported(model, i)) {
      set(b, object, results->keys[i], number(theta[i]));
    }
  }
  return object;
}

/* What an animal's first experiment was simulated with. */
static json_t *theta_of_animal(builder *b, const pf_results *results,
                               const pf_animal_result *result)
{
  const pf_evaluation_plan plan = pf_evaluation_plan_of(results->problem);
  size_t i = 0;
  while (i + 1 < plan.data->n &&
         plan.data->recordings[i].animal_index != (size_t)(result - results->evaluation->animals)) {
    i++;
  }
  return theta_object(b, results,
                      results->evaluation->thetas + i * results->problem->model->n_parameters);
}

static json_t *animal(builder *b, const pf_results *results, const pf_animal_result *result)
{
  json_t *object = json_object();
  set(b, object, "name", text(result->name));
  const bool fitted = result->unit < results->fit->n_groups;
  const bool interrupted =
      result->interrupted || (fitted && results->fit->groups[result->unit].interrupted);
  set(b, object, "status", text(interrupted ? "interrupted" : pf_status_word(result->status)));
  if (result->status != PF_OK) {
    set(b, object, "error", text(result->error.text));
  }
  if (fitted) {
    const pf_fit_group *unit = &results->fit->groups[result->unit];
    set(b, object, "unit", text(unit->name));
    set(b, object, "theta", theta_of_animal(b, results, result));
  } else {
    set(b, object, "unit", json_null());
    set(b, object, "theta", json_null());
  }
  set_explained(b, object, &result->scores);
  set(b, object, "n_scored", json_integer((json_int_t)result->scores.n_scored));
  set(b, object, "n_still_synapses", json_integer((json_int_t)result->scores.n_still));
  return object;
}

/* Why the optimiser stopped, and what it took. */
static json_t *optimum_object(builder *b, const pf_problem *problem, const pf_fit_group *unit)
{
  const pf_optimum *optimum = &unit->optimum;
  const pf_optimiser *optimiser = pf_fit_optimiser(problem);
  json_t *object = json_object();
  set(b, object, "name", text(optimiser->name));
  set(b, object, "reason", text(pf_reason_key(optimum->reason)));
  set(b, object, "words", text(pf_reason_words(optimum->reason)));
  set(b, object, "converged",
      optimiser->fixed_passes ? json_null() : json_boolean(optimum->converged));
  set(b, object, "gradient_norm", number(optimum->gradient_norm));
  set(b, object, "iterations", json_integer((json_int_t)optimum->iterations));
  set(b, object, "evaluations", json_integer((json_int_t)optimum->evaluations));
  set(b, object, "gradients", json_integer((json_int_t)optimum->gradients));
  set(b, object, "curvatures", json_integer((json_int_t)optimum->curvatures));
  set(b, object, "failed_evaluations", json_integer((json_int_t)optimum->n_failed));
  set(b, object, "start_halved", json_integer((json_int_t)optimum->n_shrunk));
  set(b, object, "saddles_left", json_integer((json_int_t)optimum->n_saddles));
  set(b, object, "fitted_again", json_integer((json_int_t)unit->n_improved));
  set(b, object, "derivatives", text(pf_derivatives_words(unit->derivatives)));
  size_t n_reached = 0;
  for (size_t k = 0; k < unit->n_starts; k++) {
    n_reached += unit->starts[k].reached ? 1 : 0;
  }
  set(b, object, "starts", json_integer((json_int_t)unit->n_starts));
  set(b, object, "starts_at_best", json_integer((json_int_t)n_reached));
  set(b, object, "best_start", json_integer((json_int_t)unit->best));
  return object;
}

static json_t *unit_object(builder *b, const pf_problem *problem, const pf_fit_group *unit)
{
  json_t *object = json_object();
  set(b, object, "name", text(unit->name));
  set(b, object, "status", text(pf_unit_word(unit)));
  if (unit->status != PF_OK) {
    set(b, object, "error", text(unit->error.text));
  }
  const bool any = unit->n_rows > 0;
  set(b, object, "epochs", json_integer(any ? (json_int_t)unit->rows[unit->n_rows - 1].epoch : 0));
  set(b, object, "objective", number(any ? unit->rows[unit->n_rows - 1].objective : NAN));
  set(b, object, "data_term", number(any ? unit->rows[unit->n_rows - 1].data_term : NAN));
  set(b, object, "optimiser",
      unit->starts == NULL ? json_null() : optimum_object(b, problem, unit));
  return object;
}

/* The sentences of a unit's free groups. */
static json_t *free_array(builder *b, const pf_problem *problem, const pf_inference_group *of)
{
  json_t *array = json_array();
  for (size_t g = 0; g < of->spectrum->n_subspaces; g++) {
    char line[1000];
    pf_error ignored = pf_error_none();
    b->lost |= pf_free_group_sentence(problem, of, g, line, sizeof line, &ignored) != PF_OK ||
               json_array_append_new(array, text(line)) != 0;
  }
  return array;
}

static json_t *uncertainty_object(builder *b, const pf_problem *problem,
                                  const pf_inference_group *of)
{
  json_t *object = json_object();
  set(b, object, "name", text(of->group->name));
  set(b, object, "why", text(of->why));
  if (of->why != NULL) {
    return object;
  }
  json_t *verdicts = json_object(), *eigenvalues = json_array(), *warnings = json_array(),
         *missing = json_object();
  for (uint32_t v = PF_IDENTIFIED; v <= PF_NOT_IDENTIFIED_BY_DESIGN; v++) {
    json_int_t n = 0;
    for (size_t k = 0; k < of->n; k++) {
      n += of->verdict[k] == v ? 1 : 0;
    }
    set(b, verdicts, pf_verdict_words(v), json_integer(n));
  }
  for (size_t k = 0; k < of->n; k++) {
    b->lost |= json_array_append_new(eigenvalues, number(of->spectrum->eigenvalues[k])) != 0;
  }
  for (size_t i = 0; i < of->n_warnings; i++) {
    b->lost |= json_array_append_new(warnings, text(of->warnings[i])) != 0;
  }
  for (uint32_t method = 0; method < PF_N_INTERVAL_METHODS; method++) {
    if (of->methods[method].why != NULL) {
      set(b, missing, pf_interval_method_name(method), text(of->methods[method].why));
    }
  }
  set(b, object, "log_likelihood", number(of->log_likelihood));
  set(b, object, "verdicts", verdicts);
  set(b, object, "free", free_array(b, problem, of));
  set(b, object, "warnings", warnings);
  set(b, object, "missing", missing);
  json_t *latent = json_null(); /* null: a loss sees them, or nothing is known of others */
  if (of->latent.n_fits > 0) {
    latent = json_object();
    set(b, latent, "fits", json_integer((json_int_t)of->latent.n_fits));
    set(b, latent, "starts", json_integer((json_int_t)of->latent.n_starts));
    set(b, latent, "r2_median", number(of->latent.median));
    set(b, latent, "r2_lowest", number(of->latent.lowest));
  }
  set(b, object, "latent_weights", latent);
  set(b, object, "clusters",
      of->n_clusters > 0 ? json_integer((json_int_t)of->n_clusters) : json_null());
  set(b, object, "condition", number(of->spectrum->condition));
  set(b, object, "eigenvalues", eigenvalues);
  set(b, object, "derivatives", text(pf_derivatives_words(of->derivatives)));
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
  set(b, object, "method", text(pf_interval_method_name(inference->groups[0].main)));
  set(b, object, "level", number(inference->level));
  set(b, object, "rank_tolerance", number(results->problem->settings->intervals.rank_tolerance));
  set(b, object, "seconds", number(inference->seconds));
  set(b, object, "units", units);
  return object;
}

static json_t *config_object(builder *b, const pf_problem *problem)
{
  const pf_fit_settings *fit = &problem->settings->fit;
  json_t *object = json_object();
  set(b, object, "per", text(fit->per == PF_FIT_SHARED ? "shared" : "animal"));
  set(b, object, "batch", text(fit->batch == PF_BATCH_FULL ? "full" : "draw"));
  set(b, object, "optimiser", text(fit->optimiser));
  set(b, object, "fixed_passes", json_boolean(pf_fit_optimiser(problem)->fixed_passes));
  set(b, object, "learning_rate", number(fit->learning_rate));
  set(b, object, "epochs", json_integer((json_int_t)fit->epochs));
  set(b, object, "iterations", json_integer((json_int_t)fit->iterations));
  set(b, object, "evaluations", json_integer((json_int_t)fit->evaluations));
  json_t *tolerance = json_object();
  set(b, tolerance, "gradient", number(fit->tolerance_gradient));
  set(b, tolerance, "progress", number(fit->tolerance_progress));
  set(b, tolerance, "step", number(fit->tolerance_step));
  set(b, object, "tolerance", tolerance);
  set(b, object, "starts", json_integer((json_int_t)(fit->starts > 1 ? fit->starts : 1)));
  set(b, object, "spread", number(fit->spread));
  set(b, object, "l1", number(fit->l1));
  set(b, object, "l2", number(fit->l2));
  set(b, object, "draws", json_integer((json_int_t)problem->settings->draws));
  set(b, object, "evaluation_draws", json_integer((json_int_t)problem->settings->evaluate.draws));
  set(b, object, "input_mean", number(problem->settings->input.mean));
  set(b, object, "input_sd", number(problem->settings->input.sd));
  json_t *rules = json_array();
  for (size_t p = 0; p < problem->model->n_plastic; p++) {
    json_t *rule = json_object();
    set(b, rule, "plugin", text(problem->model->plastic[p].rule->plugin->name));
    set(b, rule, "eta", number(problem->model->plastic[p].eta));
    b->lost |= json_array_append_new(rules, rule) != 0;
  }
  set(b, object, "rules", rules);
  return object;
}

static json_t *nulls_object(builder *b, bool null_refitted)
{
  json_t *object = json_object();
  set(b, object, "no_plasticity",
      text(null_refitted ? "the same network, the plastic flag off at every step, what is not a "
                           "rule's refitted"
                         : "the same network and theta, the plastic flag off at every step"));
  set(b, object, "mean_rate",
      text("a constant choice probability, the mean over the fitted steps; of activities, each "
           "unit's mean"));
  return object;
}

static void set_truth(builder *b, json_t *root, const pf_results *results)
{
  bool known = false;
  for (size_t i = 0; i < results->problem->model->n_parameters; i++) {
    known = known || (pf_is_reported(results->problem->model, i) && !isnan(results->truth[i]));
  }
  set(b, root, "truth", known ? theta_object(b, results, results->truth) : json_null());
}

/* What was run, by which version, and how it was scored. */
static void set_head(builder *b, json_t *root, const pf_results *results)
{
  const pf_problem *problem = results->problem;
  set(b, root, "name", text(problem->settings->name));
  set(b, root, "plastfit", text(pf_version()));
  set(b, root, "format", json_integer(PF_RUN_FORMAT));
  set(b, root, "precision", text(sizeof(pf_real) == sizeof(double) ? "double" : "single"));
  /* a seed beyond what a JSON integer holds is written as text rather than as another number */
  char seed[32];
  (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)problem->settings->seed);
  set(b, root, "seed",
      problem->settings->seed <= INT64_MAX ? json_integer((json_int_t)problem->settings->seed)
                                           : text(seed));
  set(b, root, "config", config_object(b, problem));
  set(b, root, "evaluated_on", text(results->evaluation->evaluated_on));
  set(b, root, "refitted",
      json_boolean(
          results->evaluation->refitted)); /* animals' own parameters, on their fit steps */
  set(b, root, "nulls", nulls_object(b, results->evaluation->null_refitted));
  set_truth(b, root, results);
}

static void set_scores(builder *b, json_t *root, const pf_results *results)
{
  const pf_evaluation *evaluation = results->evaluation;
  json_t *animals = json_array();
  for (size_t a = 0; a < evaluation->n_animals; a++) {
    b->lost |= json_array_append_new(animals, animal(b, results, &evaluation->animals[a])) != 0;
  }
  set(b, root, "animals", animals);
  json_t *mean = json_object();
  json_t *median = json_object();
  set_explained(b, mean, &evaluation->mean);
  set_explained(b, median, &evaluation->median);
  set(b, root, "mean", mean);
  set(b, root, "median", median);
}

/* "interrupted" before "failed": what was stopped is not whole, whatever else went wrong. */
static const char *run_word(const pf_results *results)
{
  bool failed = results->fit->n_failed > 0;
  for (size_t a = 0; a < results->evaluation->n_animals; a++) {
    failed = failed || results->evaluation->animals[a].status != PF_OK;
  }
  return results->fit->n_interrupted > 0 || results->evaluation->n_interrupted > 0 ? "interrupted"
         : failed                                                                  ? "failed"
                                                                                   : "ok";
}

/* How gradients went through time, and what they were allowed. */
static void set_plan(builder *b, json_t *root, const pf_problem *problem)
{
  pf_explained told;
  pf_error unused = pf_error_none();
  if (pf_problem_explain(problem, &told, &unused) != PF_OK) {
    set(b, root, "plan", json_null());
    return;
  }
  json_t *plan = json_object();
  set(b, plan, "path", text(told.swept ? "sweep" : "tape"));
  set(b, plan, "block_rows", json_integer((json_int_t)told.rows));
  set(b, plan, "checkpoint_interval",
      told.interval == 0 ? json_null() : json_integer((json_int_t)told.interval));
  set(b, plan, "bytes_per_thread", json_integer((json_int_t)told.bytes));
  set(b, plan, "threads", json_integer((json_int_t)problem->options.n_threads));
  set(b, plan, "memory", json_integer((json_int_t)problem->settings->memory));
  set(b, root, "plan", plan);
}

static json_t *summary(builder *b, const pf_results *results)
{
  json_t *root = json_object();
  set(b, root, "status", text(run_word(results)));
  set_head(b, root, results);
  json_t *units = json_array();
  for (size_t u = 0; u < results->fit->n_groups; u++) {
    b->lost |= json_array_append_new(
                   units, unit_object(b, results->problem, &results->fit->groups[u])) != 0;
  }
  set(b, root, "units", units);
  set(b, root, "inference", inference_object(b, results));
  set_scores(b, root, results);
  set_plan(b, root, results->problem);
  json_t *timing = json_object();
  set(b, timing, "fit_seconds", number(results->fit->seconds));
  set(b, timing, "gradients", json_integer((json_int_t)results->fit->n_gradients));
  set(b, root, "timing", timing);
  return root;
}

/* Writes the tree and frees it. */
static pf_status dump(const builder *b, json_t *root, const char *path, pf_error *error)
{
  pf_status status = PF_OK;
  if (root == NULL || b->lost) {
    status = pf_fail(error, PF_STOP, "no memory left for '%s'", path);
  } else if (json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) != 0) {
    status = pf_fail(error, PF_STOP, "cannot write '%s': %s", path, strerror(errno));
  }
  json_decref(root);
  return status;
}

pf_status pf_write_summary(const pf_results *results, const char *path, pf_error *error)
{
  builder b = {.lost = false};
  json_t *root = summary(&b, results);
  return dump(&b, root, path, error);
}

pf_status pf_write_evaluation(const pf_results *results, const char *run, const char *data,
                              const char *path, pf_error *error)
{
  builder b = {.lost = false};
  json_t *root = json_object();
  set(&b, root, "run", text(run));
  set(&b, root, "data", text(data));
  set_head(&b, root, results);
  set_scores(&b, root, results);
  return dump(&b, root, path, error);
}
