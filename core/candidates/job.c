#include "core/candidates/job.h"

#include "core/base/memory.h"
#include "core/candidates/key.h"
#include "core/candidates/nesting.h"
#include "core/candidates/score_folds.h"
#include "core/marginal/marginal.h"
#include "core/problem/subset.h"
#include "core/validations/step_masks.h"

#include <math.h>
#include <string.h>

/* ---- which jobs ---- */

static const pf_variant *variant_of(const pf_jobs *jobs, const pf_job *job)
{
  const pf_candidate *candidate = &jobs->candidates->items[job->candidate];
  return pf_validation_at(job->validation)->leaves_animal_out ? &candidate->shared
                                                              : &candidate->own;
}

/** Is it a fit of animals that are drawn from a population? Its objective is none of the others'.
 */
static bool is_of_population(const pf_jobs *jobs, const pf_job *job)
{
  return variant_of(jobs, job)->problem->settings->fit.per == PF_FIT_POPULATION;
}

bool pf_job_contains(const pf_jobs *jobs, const pf_job *bigger, const pf_job *smaller)
{
  if (is_of_population(jobs, bigger) || is_of_population(jobs, smaller)) {
    return false;
  }
  return smaller->validation == bigger->validation && smaller->fold == bigger->fold &&
         (smaller->animal == bigger->animal || smaller->animal == PF_ALL_ANIMALS) &&
         smaller->candidate != bigger->candidate &&
         pf_model_contains(variant_of(jobs, bigger)->problem->model,
                           variant_of(jobs, smaller)->problem->model);
}

/** Is `refit` the refit without a penalty of what `penalised` fits? */
static bool is_refit_of(const pf_job *refit, const pf_job *penalised)
{
  return refit->refit && !penalised->refit && refit->candidate == penalised->candidate &&
         refit->validation == penalised->validation && refit->fold == penalised->fold &&
         refit->animal == penalised->animal;
}

/** Is the recording of an animal that the job is about? */
static bool is_of_job(const pf_recording *recording, const pf_job *job)
{
  return job->animal == PF_ALL_ANIMALS || recording->animal_number == job->animal;
}

/** Flags [n_steps] of a recording in the job's fold. */
static pf_status mask_steps(const pf_jobs *jobs, const pf_job *job, const pf_recording *recording,
                            uint32_t *flags, pf_error *error)
{
  return pf_validation_mask(pf_validation_at(job->validation), recording,
                            &jobs->folds[job->validation], job->fold, flags, error);
}

/** Has the job steps to fit and steps to score? A recording that cannot be masked counts as both:
 * the job then says why. flags: room for the longest recording. */
static bool has_steps(const pf_jobs *jobs, const pf_job *job, uint32_t *flags)
{
  const pf_dataset *data = &variant_of(jobs, job)->problem->data;
  bool fits = false, scores = false;
  for (size_t i = 0; i < data->n; i++) {
    const pf_recording *recording = &data->recordings[i];
    if (!is_of_job(recording, job)) {
      continue;
    }
    pf_error unused = pf_error_none();
    if (mask_steps(jobs, job, recording, flags, &unused) != PF_OK) {
      return true;
    }
    fits = fits || pf_count_steps(flags, recording->n_steps, PF_STEP_FIT) > 0;
    scores = scores || pf_count_steps(flags, recording->n_steps, PF_STEP_SCORE) > 0;
  }
  return fits && scores;
}

/** Is the validation asked for, and scores fits of `own` on fresh draws? */
static bool is_scored_too(const pf_compare_settings *settings, uint32_t v, const pf_validation *own)
{
  return settings->asked[v] && pf_validation_at(v)->scores_fits_of == own;
}

/** Everything of the settings that the job's result depends on. */
static void make_key(const pf_jobs *jobs, pf_job *job)
{
  int64_t scored_too = 0;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const bool scored = is_scored_too(jobs->settings, v, pf_validation_at(job->validation));
    scored_too |= scored ? (int64_t)1 << v : 0;
  }
  const pf_folds *folds = &jobs->folds[job->validation];
  const int64_t numbers[] = {(int64_t)job->validation,
                             job->refit ? 1 : 0,
                             job->fold,
                             job->animal == PF_ALL_ANIMALS ? -1 : (int64_t)job->animal,
                             jobs->settings->ablations ? 1 : 0,
                             scored_too,
                             folds->n,
                             folds->from_data ? 1 : 0};
  memcpy(job->key, variant_of(jobs, job)->key, sizeof job->key);
  pf_key_add(job->key, numbers, sizeof numbers);
  pf_key_add(job->key, &folds->value, sizeof folds->value);
}

/** What jobs are appended to while they are made. */
typedef struct job_list {
  pf_jobs *jobs;
  pf_array items;  /* of pf_job */
  uint32_t *flags; /* room for the longest recording */
} job_list;

/** A job for each fold and fit of the candidate in the validation. */
static pf_status add_folds(job_list *list, size_t candidate, uint32_t validation, bool refit,
                           pf_error *error)
{
  pf_job job = {.candidate = candidate, .validation = validation, .refit = refit};
  const pf_problem *problem = variant_of(list->jobs, &job)->problem;
  const bool shared = problem->settings->fit.per != PF_FIT_PER_ANIMAL;
  const size_t n_fits = shared ? 1 : problem->data.n_animals;
  for (job.fold = 0; job.fold < list->jobs->folds[validation].n; job.fold++) {
    for (size_t a = 0; a < n_fits; a++) {
      job.animal = shared ? PF_ALL_ANIMALS : a;
      if (!has_steps(list->jobs, &job, list->flags)) {
        continue;
      }
      make_key(list->jobs, &job);
      if (pf_array_append_all(&list->items, &job, 1, error) != PF_OK) {
        return PF_STOP;
      }
    }
  }
  return PF_OK;
}

/** Is a figure wanted that comes from the validation's fits? */
static bool wants_fits(const pf_compare_settings *settings, uint32_t validation)
{
  const pf_validation *own = pf_validation_at(validation);
  if (own->scores_fits_of != NULL) {
    return false;
  }
  bool wanted = settings->asked[validation] || (settings->refit && own == &pf_in_sample);
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    wanted = wanted || is_scored_too(settings, v, own);
  }
  return wanted;
}

static pf_status add_candidate(job_list *list, size_t candidate, pf_error *error)
{
  const pf_compare_settings *settings = list->jobs->settings;
  const pf_fit_settings *fit = &list->jobs->candidates->items[candidate].own.problem->settings->fit;
  const bool penalised = fit->l1 > 0.0 || fit->l2 > 0.0;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    if (wants_fits(settings, v) && add_folds(list, candidate, v, false, error) != PF_OK) {
      return PF_STOP;
    }
    /* information criteria are of fits without a penalty */
    if (pf_validation_at(v) == &pf_in_sample && settings->refit && penalised &&
        add_folds(list, candidate, v, true, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status make_jobs(job_list *list, pf_error *error)
{
  const pf_candidates *candidates = list->jobs->candidates;
  const pf_compare_settings *settings = list->jobs->settings;
  const pf_dataset *data = &candidates->items[0].own.problem->data;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    const pf_validation *validation = pf_validation_at(v);
    list->jobs->folds[v] = pf_validation_folds(validation, data, settings->values[v]);
    if (settings->asked[v] && validation->leaves_animal_out && data->n_animals < 2) {
      return pf_fail(error, PF_STOP,
                     "compare.validation has %s, but the data have one animal ('%s'); leave that "
                     "out",
                     validation->name, data->animals[0]);
    }
  }
  list->flags =
      pf_memory_need((size_t)pf_dataset_longest(data)->n_steps, sizeof *list->flags, error);
  if (list->flags == NULL) {
    return PF_STOP;
  }
  for (size_t c = 0; c < candidates->n; c++) {
    if (add_candidate(list, c, error) != PF_OK) {
      return PF_STOP;
    }
  }
  if (list->items.n == 0) {
    return pf_fail(error, PF_STOP,
                   "no animal has steps to fit and steps to score in any of compare.validation");
  }
  return PF_OK;
}

/** Levels and keys by what each job starts from; jobs are few, and pairs are told apart fast. */
static void order_jobs(pf_jobs *jobs)
{
  bool changed = true;
  while (changed) { /* there are no circles: each has more free parameters */
    changed = false;
    for (size_t j = 0; j < jobs->n; j++) {
      for (size_t k = 0; k < jobs->n; k++) {
        pf_job *job = &jobs->items[j];
        if (job->level <= jobs->items[k].level && pf_job_contains(jobs, job, &jobs->items[k])) {
          job->level = jobs->items[k].level + 1;
          changed = true;
        }
      }
    }
  }
}

/** The optima that a job may start from are part of what its result depends on. */
static pf_status key_starts(pf_jobs *jobs, pf_error *error)
{
  uint64_t(*keys)[2] = pf_memory_need(jobs->n, sizeof *keys, error);
  if (keys == NULL) {
    return PF_STOP;
  }
  for (size_t j = 0; j < jobs->n; j++) {
    memcpy(keys[j], jobs->items[j].key, sizeof keys[j]);
    for (size_t k = 0; k < jobs->n; k++) {
      const pf_job *own = &jobs->items[j], *other = &jobs->items[k];
      if (pf_job_contains(jobs, own, other) || pf_job_contains(jobs, other, own)) {
        pf_key_add(keys[j], other->key, sizeof other->key);
      }
    }
  }
  for (size_t j = 0; j < jobs->n; j++) {
    memcpy(jobs->items[j].key, keys[j], sizeof keys[j]);
  }
  pf_memory_free(keys);
  return PF_OK;
}

pf_status pf_jobs_create(const pf_candidates *candidates, const pf_compare_settings *settings,
                         pf_jobs *out, pf_error *error)
{
  *out = (pf_jobs){.candidates = candidates, .settings = settings};
  job_list list = {.jobs = out, .items = pf_array_of(sizeof(pf_job))};
  pf_status status = make_jobs(&list, error);
  if (status == PF_OK) {
    out->items = pf_array_take(&list.items, &out->n);
    order_jobs(out);
    status = key_starts(out, error);
  }
  pf_array_free(&list.items);
  pf_memory_free(list.flags);
  return status;
}

void pf_jobs_free(pf_jobs *jobs)
{
  pf_memory_free(jobs->items);
  *jobs = (pf_jobs){0};
}

/* ---- doing one ---- */

/** A job while it is done. */
typedef struct job_run {
  const pf_jobs *jobs;
  const pf_job *job;
  const pf_job_run_options *options;
  pf_problem *fitted, *scored; /* recordings with steps to fit, to score, with the fold's masks */
  pf_fit *fit;
  pf_animal_population *population; /* NULL: fits have nothing in common */
  pf_refit *nulls;                  /* [fit->n_groups] */
  bool interrupted;
  pf_job_result *result;
} job_run;

/** The job's recordings that have steps with `flag` in its fold, with its masks. */
static pf_status mask_recordings(const job_run *run, uint32_t flag, pf_problem **out,
                                 pf_error *error)
{
  const pf_problem *problem = variant_of(run->jobs, run->job)->problem;
  const pf_dataset *data = &problem->data;
  size_t *chosen = pf_memory_need(data->n, sizeof *chosen, error);
  uint32_t *flags = pf_memory_need((size_t)pf_dataset_longest(data)->n_steps, sizeof *flags, error);
  pf_status status = PF_STOP;
  size_t n = 0;
  if (chosen == NULL || flags == NULL) {
    goto done;
  }
  for (size_t i = 0; i < data->n; i++) {
    const pf_recording *recording = &data->recordings[i];
    if (!is_of_job(recording, run->job)) {
      continue;
    }
    status = mask_steps(run->jobs, run->job, recording, flags, error);
    if (status != PF_OK) {
      goto done;
    }
    if (pf_count_steps(flags, recording->n_steps, flag) > 0) {
      chosen[n++] = i;
    }
  }
  status = pf_problem_subset(problem, chosen, n, out, error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t k = 0; k < n; k++) {
    pf_recording *recording = &(*out)->data.recordings[k];
    (void)mask_steps(run->jobs, run->job, recording, flags, error); /* as above */
    pf_recording_mask(recording, flags);
  }
done:
  pf_memory_free(chosen);
  pf_memory_free(flags);
  return status;
}

/** Was the other job done before, and may this one start from where it ended? */
static bool starts_from(const job_run *run, const pf_job *other)
{
  if (is_refit_of(run->job, other)) {
    return true;
  }
  return run->options->again ? pf_job_contains(run->jobs, run->job, other)
                             : pf_job_contains(run->jobs, other, run->job);
}

/** Appends the optima that were found before as points of `layout`, [layout->n] each. */
static pf_status find_points(const job_run *run, const pf_layout *layout, pf_array *points,
                             pf_error *error)
{
  const pf_jobs *jobs = run->jobs;
  const pf_job_result *results = run->options->results;
  double *values = pf_memory_need(layout->n, sizeof *values, error);
  pf_status status = values == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; results != NULL && k < jobs->n; k++) {
    if (status != PF_OK) {
      break;
    }
    const pf_job *other = &jobs->items[k];
    const pf_earlier_optimum found = {.model = variant_of(jobs, other)->problem->model,
                                      .result = &results[k]};
    if (starts_from(run, other) && pf_earlier_values(&found, layout, values)) {
      status = pf_array_append_all(points, values, layout->n, error);
    }
  }
  pf_memory_free(values);
  return status;
}

/** The fit's own routine, from the optima of other candidates too. */
static pf_status run_fit(job_run *run, pf_error *error)
{
  const pf_observer observer = {.stop = run->options->stop, .payload = run->options->payload};
  pf_array points = pf_array_of(sizeof(double));
  pf_layout *layout = NULL;
  if (run->fitted->settings->fit.per == PF_FIT_POPULATION) {
    return pf_fit_population(run->fitted, &observer, &run->fit, &run->population, error);
  }
  pf_status status = pf_group_layout(run->fitted, 0, &layout, error);
  if (status != PF_OK) {
    return status;
  }
  status = find_points(run, layout, &points, error);
  if (status == PF_OK) {
    const pf_start_points starts = {.n = layout->n > 0 ? points.n / layout->n : 0,
                                    .values = points.items};
    status = pf_estimate(run->fitted, &starts, &observer, &run->fit, error);
  }
  pf_array_free(&points);
  pf_layout_free(layout);
  return status;
}

/** What each recording is simulated with, for bigger candidates. */
static pf_status keep_thetas(const job_run *run, const pf_fit_group *group, pf_error *error)
{
  pf_job_result *result = run->result;
  const size_t n = group->layout->n_recordings, n_theta = run->fitted->model->n_parameters;
  for (size_t i = 0; i < n; i++) {
    pf_job_theta *one = &result->thetas[result->n_thetas];
    one->recording = run->fitted->data.recordings[group->layout->recordings[i]].number;
    one->theta = pf_memory_need(n_theta, sizeof *one->theta, error);
    if (one->theta == NULL) {
      return PF_STOP;
    }
    result->n_thetas++;
    pf_layout_theta(group->layout, group->values, i, one->theta);
  }
  return PF_OK;
}

/** Thetas and nulls of all groups: one, but for a population's animals. */
static pf_status keep_groups(job_run *run, pf_error *error)
{
  pf_job_result *result = run->result;
  result->thetas = pf_memory_need(run->fitted->data.n, sizeof *result->thetas, error);
  run->nulls = pf_memory_need(run->fit->n_groups, sizeof *run->nulls, error);
  if (result->thetas == NULL || run->nulls == NULL) {
    return PF_STOP;
  }
  for (size_t u = 0; u < run->fit->n_groups; u++) {
    const pf_fit_group *group = &run->fit->groups[u];
    pf_status status = keep_thetas(run, group, error);
    if (status == PF_OK) {
      status = pf_refit_null(run->fitted, group->layout, group->values, &run->nulls[u], error);
    }
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/** Does the line of an error say that memory ran out? Such a fit is no result: done again it would
 * end elsewhere. */
static bool is_out_of_memory(const pf_error *error)
{
  return strstr(error->text, "out of memory") != NULL;
}

/** Of a fit and its starts, that none ran out of memory. */
static pf_status check_memory(const pf_fit *fit, pf_error *error)
{
  for (size_t u = 0; u < fit->n_groups; u++) {
    const pf_fit_group *group = &fit->groups[u];
    if (group->status != PF_OK && is_out_of_memory(&group->error)) {
      return pf_fail(error, PF_STOP, "%s", group->error.text);
    }
    for (size_t k = 0; k < group->n_starts; k++) {
      const pf_start_result *start = &group->starts[k];
      if (start->status != PF_OK && is_out_of_memory(&start->error)) {
        return pf_fail(error, PF_STOP, "%s", start->error.text);
      }
    }
  }
  return PF_OK;
}

static pf_status fit_recordings(job_run *run, pf_error *error)
{
  pf_fit_options *changed = &run->fitted->options;
  changed->n_threads = run->options->n_threads;
  if (run->job->refit) {
    changed->l1 = changed->l2 = 0.0;
    changed->chooses_l1 = false;
  }
  if (run_fit(run, error) != PF_OK) {
    return is_out_of_memory(error) ? PF_STOP : PF_POINT_FAILED;
  }
  if (check_memory(run->fit, error) != PF_OK) {
    return PF_STOP;
  }
  run->interrupted = run->fit->n_interrupted > 0;
  if (run->interrupted) {
    return PF_POINT_FAILED;
  }
  pf_fit_group *group = &run->fit->groups[0];
  run->result->verdict = pf_fit_verdict(group);
  if (run->fit->n_failed > 0) {
    return pf_fail(error, PF_POINT_FAILED, "%s", group->error.text);
  }
  run->result->n_free =
      run->population == NULL ? group->layout->n : pf_population_n_free(run->population->fit);
  run->result->noise = group->marginal == NULL ? 0.0 : group->marginal->error;
  run->result->objective = run->population == NULL ? group->optimum.objective : (double)NAN;
  return keep_groups(run, error);
}

/** Scores of the job's validation, and of those that score its fits on fresh draws. */
static pf_status score_fit(const job_run *run, pf_error *error)
{
  const pf_validation *own = pf_validation_at(run->job->validation);
  const bool has_fresh = run->fitted->settings->evaluate.draws > 0;
  pf_fold_scoring what = {.fitted = run->fitted,
                          .scored = run->scored,
                          .fit = run->fit,
                          .population = run->population,
                          .nulls = run->nulls,
                          .validation = run->job->validation,
                          .fresh = own->held_out && has_fresh,
                          .ablations = own->held_out && run->jobs->settings->ablations,
                          .predictions = !run->job->refit};
  const pf_status status = pf_score_fold(&what, run->result, error);
  if (status != PF_OK || run->job->refit) {
    return status;
  }
  what.fresh = has_fresh;
  what.predictions = false;
  for (uint32_t v = 0; v < pf_validation_count(); v++) {
    what.validation = v;
    if (is_scored_too(run->jobs->settings, v, own) &&
        pf_score_fold(&what, run->result, error) != PF_OK) {
      return PF_STOP;
    }
  }
  return PF_OK;
}

static pf_status fit_and_score(job_run *run, pf_error *error)
{
  pf_status status = mask_recordings(run, PF_STEP_FIT, &run->fitted, error);
  if (status != PF_OK) {
    return status;
  }
  status = mask_recordings(run, PF_STEP_SCORE, &run->scored, error);
  if (status != PF_OK) {
    return status;
  }
  status = fit_recordings(run, error);
  return status != PF_OK ? status : score_fit(run, error);
}

pf_status pf_job_run(const pf_jobs *jobs, const pf_job *job, const pf_job_run_options *options,
                     pf_job_result *result, pf_error *error)
{
  job_run run = {.jobs = jobs, .job = job, .options = options, .result = result};
  pf_error why = pf_error_none();
  *result = (pf_job_result){.objective = NAN,
                            .n_theta = variant_of(jobs, job)->problem->model->n_parameters};
  pf_status status = fit_and_score(&run, &why);
  for (size_t u = 0; run.nulls != NULL && u < run.fit->n_groups; u++) {
    pf_refit_clear(&run.nulls[u]);
  }
  pf_memory_free(run.nulls);
  if (run.fit != NULL) {
    pf_fit_free(run.fitted, run.fit);
  }
  pf_fit_population_free(run.population);
  pf_problem_subset_free(run.fitted);
  pf_problem_subset_free(run.scored);
  if (status == PF_POINT_FAILED && !run.interrupted) {
    result->status = status; /* a failed fit is a result */
    result->verdict = PF_FIT_FAILED;
    result->error = pf_memory_string(why.text, error);
    status = result->error == NULL ? PF_STOP : PF_OK;
  }
  if (status != PF_OK) {
    pf_job_result_clear(result);
    return pf_fail(error, status, "%s", why.text);
  }
  result->done = true;
  return PF_OK;
}
