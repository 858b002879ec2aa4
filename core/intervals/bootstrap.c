/*
 * Interval method `bootstrap` (Efron & Tibshirani 1993, An Introduction to the Bootstrap): fit
 * again and again what might have been recorded instead.
 *
 * - animals: a fit of several animals, drawn with replacement (each enters as often as it was
 *   drawn). No model of the noise; needs enough animals to stand for others.
 * - parametric: the same animals and steps, what was recorded drawn anew from the fitted rule
 *   (core/closed_loop/redraw.h), inputs and rewards as they were. Trusts the model, and works for
 *   one animal.
 *
 * Every refit starts from the estimate, by Levenberg-Marquardt, so that all of them are of the
 * optimum that is reported.
 */
#include "core/intervals/interval_method.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/threads.h"
#include "core/closed_loop/redraw.h"
#include "core/intervals/covariance.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

static const double least_worked =
    0.8; /* of the refits; with fewer, those that are missing are not missing by chance */

/* The refits, and what they share. */
typedef struct refits {
  const pf_infer_job *job;
  const pf_interval_settings *wanted;
  bool by_animals;    /* animals are drawn; else what was recorded */
  pf_redraw *redraws; /* [n_recordings] of the layout; parametric */
  size_t n, n_values, n_worked;
  double *values; /* [n][n_values]; NaN, all of a row: that one failed or did not converge */
  double *se;     /* [n][n_values] Fisher's of each; NaN where it has none; NULL: not wanted */
} refits;

/* Memory of one refit: the batch that is fitted. */
typedef struct sample {
  pf_batch batch;
  pf_draw **copies;     /* [n_draws] parametric */
  double *values;       /* [n] */
  double *gradient, *h; /* [n], [n][n] */
} sample;

static const pf_batch *original_batch(const refits *p)
{
  return p->job->evidence.batches.batches[0];
}

static void clear_sample(const refits *p, sample *s)
{
  for (size_t d = 0; s->copies != NULL && d < original_batch(p)->n; d++) {
    pf_redraw_free(p->job->problem->model, s->copies[d]);
  }
  pf_memory_free(s->copies);
  pf_memory_free(s->batch.scale);
  pf_memory_free(s->values);
  pf_memory_free(s->gradient);
  pf_memory_free(s->h);
}

/* ---- what might have been recorded ---- */

/* Animals drawn with replacement: what is summed over draws counts as often as the draw's animal
 * came. */
static pf_status draw_animals(const refits *p, size_t b, sample *s, pf_error *error)
{
  const pf_layout *layout = p->job->group->layout;
  const size_t n = layout->n_animals, n_losses = p->job->problem->model->n_losses;
  double *uniform = pf_memory_need(n, sizeof *uniform, error);
  double *times = pf_memory_need(n, sizeof *times, error);
  const pf_stream stream = {
      .seed = p->job->problem->settings->seed, .purpose = PF_RANDOM_BOOTSTRAP, .draw = (uint32_t)b};
  const pf_status status = uniform == NULL || times == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    pf_random_uniform(stream, 0, (int64_t)n, uniform);
    for (size_t k = 0; k < n; k++) {
      times[(size_t)(uniform[k] * (double)n)] += 1.0;
    }
    for (size_t d = 0; d < s->batch.n; d++) {
      const size_t r = pf_layout_recording(layout, s->batch.draws[d]->recording);
      for (size_t k = 0; k < n_losses; k++) {
        s->batch.scale[d * n_losses + k] *= times[layout->animal[r]];
      }
    }
  }
  pf_memory_free(uniform);
  pf_memory_free(times);
  return status;
}

/* Every recording drawn anew; its draws share what was recorded. */
static pf_status draw_recordings(const refits *p, size_t b, sample *s, pf_error *error)
{
  for (size_t d = 0; d < s->batch.n; d++) {
    const size_t r = pf_layout_recording(p->job->group->layout, s->copies[d]->recording);
    const pf_stream stream = {.seed = p->job->problem->settings->seed,
                              .purpose = PF_RANDOM_REDRAW,
                              .animal = (uint32_t)s->copies[d]->recording->number,
                              .draw = (uint32_t)b};
    const pf_status status = pf_redraw_targets(&p->redraws[r], stream, s->copies[d], error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status make_sample(const refits *p, size_t b, sample *s, pf_error *error)
{
  const pf_model *model = p->job->problem->model;
  const pf_batch *from = original_batch(p);
  const size_t n = p->n_values, cells = from->n * model->n_losses;
  s->batch = (pf_batch){.model = from->model,
                        .draws = from->draws,
                        .n = from->n,
                        .cells = from->cells,
                        .constant = from->constant};
  s->batch.scale = pf_memory_need(cells, sizeof *s->batch.scale, error);
  s->values = pf_memory_need(n, sizeof *s->values, error);
  s->gradient = pf_memory_need(n, sizeof *s->gradient, error);
  s->h = pf_memory_need(n * n, sizeof *s->h, error);
  if (s->batch.scale == NULL || s->values == NULL || s->gradient == NULL || s->h == NULL) {
    return PF_STOP;
  }
  memcpy(s->batch.scale, from->scale, cells * sizeof *from->scale);
  memcpy(s->values, p->job->group->values, n * sizeof *s->values);
  if (p->by_animals) {
    return draw_animals(p, b, s, error);
  }
  s->copies = pf_memory_need(from->n, sizeof(pf_draw *), error);
  if (s->copies == NULL) {
    return PF_STOP;
  }
  for (size_t d = 0; d < from->n; d++) {
    const pf_status status = pf_redraw_copy(model, from->draws[d], &s->copies[d], error);
    if (status != PF_OK) {
      return status;
    }
  }
  s->batch.draws = (const pf_draw *const *)s->copies;
  return draw_recordings(p, b, s, error);
}

/* ---- one refit ---- */

/*
 * Fisher's standard errors of a refit, of values that are not at a bound. sigma of squared errors
 * is that of the refit: f is SSE / (2 sigma^2) with the sigma of the data.
 */
static void set_errors(const refits *p, const sample *s, double f, double *se)
{
  const pf_infer_job *job = p->job;
  const pf_layout *layout = job->group->layout;
  const size_t n = p->n_values;
  pf_error unused = pf_error_none();
  double *inverse = pf_memory_need(n * n, sizeof *inverse, &unused);
  double share = 1.0;
  if (job->problem->model->n_losses == 1 && !isnan(job->evidence.variance[0])) {
    share = sqrt(2.0 * f / (job->evidence.cells[0] - (double)(n - job->out->spectrum->n_free)));
  }
  const bool inverted = inverse != NULL && pf_infer_invert(job, s->h, inverse, &unused) == PF_OK;
  for (size_t k = 0; k < n; k++) {
    const bool at_bound = s->values[k] <= layout->lower[k] || s->values[k] >= layout->upper[k];
    const double variance = inverted ? inverse[k * n + k] : 0.0;
    se[k] = at_bound || !(variance > 0.0) ? (double)NAN : share * sqrt(variance);
  }
  pf_memory_free(inverse);
}

static pf_status minimise_sample(const refits *p, size_t b, sample *s, pf_workspace *workspace,
                                 pf_error *error)
{
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_batch *batch = &s->batch;
  const pf_group_batches batches = {.batches = &batch, .n = 1};
  pf_group_objective *function = NULL;
  pf_optimum optimum = {0};
  double at = 0.0;
  pf_infer_job own = *p->job;
  own.workspaces = &workspace;
  own.n_workspaces = 1;
  pf_status status = pf_infer_objective(&own, &batches, &function, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_function *f = pf_group_objective_get(function);
  status = pf_optimiser_lm.minimise(f, &settings, NULL, s->values, &optimum, error);
  if (status == PF_OK && optimum.converged) {
    memcpy(p->values + b * p->n_values, s->values, p->n_values * sizeof *s->values);
    if (p->se != NULL) {
      status = f->curvature(f->self, s->values, &at, s->gradient, s->h, error);
    }
    if (p->se != NULL && status == PF_OK) {
      set_errors(p, s, at, p->se + b * p->n_values);
    }
  }
  pf_group_objective_free(function);
  return status;
}

static pf_status refit_sample(const refits *p, size_t b, pf_workspace *workspace, pf_error *error)
{
  sample s = {0};
  if (pf_infer_is_stopped(p->job)) {
    return pf_fail(error, PF_STOP, "interrupted");
  }
  pf_status status = make_sample(p, b, &s, error);
  if (status == PF_OK) {
    status = minimise_sample(p, b, &s, workspace, error);
  }
  clear_sample(p, &s);
  return status < 0 ? status : PF_OK; /* one that failed is one that is missing */
}

/* ---- all of them ---- */

static pf_status make_redraw(refits *p, size_t r, const pf_draw **draws, double *theta,
                             pf_error *error)
{
  const pf_infer_job *job = p->job;
  const pf_layout *layout = job->group->layout;
  const pf_batch *batch = original_batch(p);
  size_t n = 0;
  for (size_t d = 0; d < batch->n; d++) {
    if (pf_layout_recording(layout, batch->draws[d]->recording) == r) {
      draws[n++] = batch->draws[d];
    }
  }
  pf_layout_theta(layout, job->group->values, r, theta);
  const pf_redraw_in in = {.model = job->problem->model,
                           .draws = draws,
                           .n_draws = n,
                           .theta = theta,
                           .variance = job->evidence.variance,
                           .workspace = job->workspaces[0]};
  return pf_redraw_create(&in, &p->redraws[r], error);
}

static pf_status make_redraws(refits *p, pf_error *error)
{
  const pf_layout *layout = p->job->group->layout;
  const pf_draw **draws = pf_memory_need(original_batch(p)->n, sizeof *draws, error);
  double *theta = pf_memory_need(layout->n_parameters, sizeof *theta, error);
  p->redraws = pf_memory_need(layout->n_recordings, sizeof *p->redraws, error);
  pf_status status = draws == NULL || theta == NULL || p->redraws == NULL ? PF_STOP : PF_OK;
  for (size_t r = 0; r < layout->n_recordings; r++) {
    if (status == PF_OK) {
      status = make_redraw(p, r, draws, theta, error);
    }
  }
  pf_memory_free((void *)draws);
  pf_memory_free(theta);
  return status;
}

static pf_status allocate_refits(refits *p, pf_error *error)
{
  const size_t cells = p->n * p->n_values;
  p->values = pf_memory_need(cells, sizeof *p->values, error);
  if (p->values == NULL) {
    return PF_STOP;
  }
  if (p->wanted->percentile == 0) {
    p->se = pf_memory_need(cells, sizeof *p->se, error);
    if (p->se == NULL) {
      return PF_STOP;
    }
  }
  for (size_t i = 0; i < cells; i++) {
    p->values[i] = NAN;
    if (p->se != NULL) {
      p->se[i] = NAN;
    }
  }
  return p->by_animals ? PF_OK : make_redraws(p, error);
}

static void free_refits(refits *p)
{
  for (size_t r = 0; p->redraws != NULL && r < p->job->group->layout->n_recordings; r++) {
    pf_redraw_clear(&p->redraws[r]);
  }
  pf_memory_free(p->redraws);
  pf_memory_free(p->values);
  pf_memory_free(p->se);
}

/* Same bits for any number of workspaces. */
static pf_status do_refits(refits *p, pf_error *error)
{
  const pf_infer_job *job = p->job;
  pf_error *errors = pf_memory_need(p->n, sizeof *errors, error);
  pf_status *statuses = pf_memory_need(p->n, sizeof *statuses, error);
  pf_status status = errors == NULL || statuses == NULL ? PF_STOP : PF_OK;
  if (status != PF_OK) {
    goto done;
  }
#pragma omp parallel for schedule(dynamic) \
    num_threads((int)job->n_workspaces) if (job->n_workspaces > 1)
  for (size_t b = 0; b < p->n; b++) {
    errors[b] = pf_error_none();
    statuses[b] = refit_sample(p, b, job->workspaces[pf_this_thread()], &errors[b]);
  }
  for (size_t b = 0; b < p->n; b++) {
    if (statuses[b] != PF_OK) {
      status = pf_fail(error, statuses[b], "%s", errors[b].text);
      goto done;
    }
    p->n_worked += p->n_values > 0 && !isnan(p->values[b * p->n_values]) ? 1 : 0;
  }
done:
  pf_memory_free(errors);
  pf_memory_free(statuses);
  return status;
}

/* ---- intervals ---- */

static double sd_of(const double *values, size_t n)
{
  double mean = 0.0, squares = 0.0;
  for (size_t i = 0; i < n; i++) {
    mean += values[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    squares += (values[i] - mean) * (values[i] - mean);
  }
  return n > 1 ? sqrt(squares / (double)(n - 1)) : (double)NAN;
}

/* Value k. scratch: [n] */
static void set_interval(const refits *p, size_t k, double *scratch, pf_intervals *to)
{
  const pf_inference_group *out = p->job->out;
  const double tail = 0.5 - 0.5 * p->wanted->level, estimate = p->job->group->values[k];
  const double se = sqrt(fmax(out->covariance[k * out->n + k], 0.0));
  const size_t n = p->n_values;
  for (size_t b = 0; b < p->n; b++) {
    scratch[b] = p->values[b * n + k];
  }
  size_t m = pf_stats_sort(scratch, p->n);
  to->se[k] = sd_of(scratch, m);
  to->lower[k] = pf_stats_quantile(scratch, m, tail);
  to->upper[k] = pf_stats_quantile(scratch, m, 1.0 - tail);
  if (p->se == NULL || !(se > 0.0)) {
    return; /* percentiles, also of what stands at a bound */
  }
  for (size_t b = 0; b < p->n; b++) {
    scratch[b] = (p->values[b * n + k] - estimate) / p->se[b * n + k];
  }
  m = pf_stats_sort(scratch, p->n);
  if ((double)m >= least_worked * (double)p->n) {
    to->lower[k] = estimate - se * pf_stats_quantile(scratch, m, 1.0 - tail);
    to->upper[k] = estimate - se * pf_stats_quantile(scratch, m, tail);
  }
}

static pf_status set_intervals(const refits *p, pf_intervals *to, pf_error *error)
{
  pf_inference_group *out = p->job->out;
  if ((double)p->n_worked < least_worked * (double)p->n) {
    return pf_infer_why(&to->why, error, "only %zu of %zu refits converged", p->n_worked, p->n);
  }
  double *scratch = pf_memory_need(p->n, sizeof *scratch, error);
  if (scratch == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_intervals_create(out->n, to, error);
  for (size_t k = 0; k < out->n; k++) {
    if (status == PF_OK && out->spectrum->identified[k]) {
      set_interval(p, k, scratch, to);
    }
  }
  if (status == PF_OK && p->n_worked < p->n) {
    status =
        pf_infer_warn(out, error, "bootstrap: %zu of %zu refits did not converge and are left out",
                      p->n - p->n_worked, p->n);
  }
  pf_memory_free(scratch);
  return status;
}

static pf_status check_animals(const pf_infer_job *job, char **why, pf_error *error)
{
  if (job->group->layout->n_animals < 2) {
    return pf_infer_why(
        why, error,
        "one animal cannot represent others: intervals.bootstrap.of=parametric, or fit.per=shared");
  }
  if (!pf_infer_all_shared(job)) {
    return pf_infer_why(why, error,
                        "other animals say nothing of a parameter of one animal, so animals cannot "
                        "be drawn in its place: intervals.bootstrap.of=parametric");
  }
  return PF_OK;
}

static pf_status compute_bootstrap(pf_infer_job *job, pf_intervals *to, pf_error *error)
{
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  const bool can_draw =
      job->group->layout->n_animals >= PF_BOOTSTRAP_ENOUGH_ANIMALS && pf_infer_all_shared(job);
  refits p = {.job = job,
              .wanted = wanted,
              .by_animals = wanted->bootstrap_of == PF_BOOTSTRAP_ANIMALS ||
                            (wanted->bootstrap_of == PF_BOOTSTRAP_AUTO && can_draw),
              .n = (size_t)wanted->resamples,
              .n_values = job->out->n};
  pf_status status = p.by_animals ? check_animals(job, &to->why, error) : PF_OK;
  if (status != PF_OK || to->why != NULL) {
    return status;
  }
  status = allocate_refits(&p, error);
  if (status != PF_OK) {
    goto done;
  }
  status = do_refits(&p, error);
  if (status != PF_OK) {
    goto done;
  }
  status = set_intervals(&p, to, error);
done:
  if (status == PF_POINT_FAILED) { /* targets that cannot be drawn anew */
    status = pf_infer_why(&to->why, error, "%s", error->text);
  }
  free_refits(&p);
  return status;
}

const pf_interval_method pf_interval_bootstrap = {
    .name = "bootstrap",
    .needs_likelihood = "the fit weighs its losses otherwise than the likelihood does, which is "
                        "what is fitted again",
    .needs_mean = "a bootstrap of the marginal likelihood cannot yet be had; "
                  "intervals.methods=[\"fisher\"] has its observed information",
    .compute = compute_bootstrap,
};
