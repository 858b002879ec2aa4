#include "core/infer/bootstrap.h"

#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/base/threads.h"
#include "core/closed_loop/redraw.h"
#include "core/stats/stats.h"

#include <math.h>
#include <string.h>

static const double least_worked =
    0.8; /* of the refits; with fewer, those that are missing are not missing by chance */

/* What refits share. */
typedef struct plan {
  const pf_infer_job *job;
  uint32_t kind;
  bool wants_se;
  pf_redraw *redraws; /* [n_recordings] of the layout; parametric */
  pf_bootstrap_fits *out;
} plan;

/* Memory of one refit: the batch that is fitted. */
typedef struct sample {
  pf_batch batch;
  pf_batch *pointer;
  pf_draw **copies;     /* [n_draws] parametric */
  double *values;       /* [n] */
  double *gradient, *h; /* [n], [n][n] */
} sample;

static const pf_batch *original(const plan *p)
{
  return p->job->evidence.batches.batches[0];
}

static void clear_sample(const plan *p, sample *s)
{
  for (size_t d = 0; s->copies != NULL && d < original(p)->n; d++) {
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
static pf_status draw_animals(const plan *p, size_t b, sample *s, pf_error *error)
{
  const pf_layout *layout = p->job->group->layout;
  const size_t n = layout->n_animals, n_losses = p->job->problem->model->n_losses;
  double *uniform = pf_memory_need(n, sizeof *uniform, error);
  double *times = pf_memory_need(n, sizeof *times, error);
  const pf_stream stream = {
      .seed = p->job->problem->seed, .purpose = PF_RANDOM_BOOTSTRAP, .draw = (uint32_t)b};
  pf_status status = uniform == NULL || times == NULL ? PF_STOP : PF_OK;
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
static pf_status draw_recordings(const plan *p, size_t b, sample *s, pf_error *error)
{
  const pf_layout *layout = p->job->group->layout;
  pf_status status = PF_OK;
  for (size_t d = 0; d < s->batch.n && status == PF_OK; d++) {
    const size_t r = pf_layout_recording(layout, s->copies[d]->recording);
    const pf_stream stream = {.seed = p->job->problem->seed,
                              .purpose = PF_RANDOM_REDRAW,
                              .animal = (uint32_t)s->copies[d]->recording->number,
                              .draw = (uint32_t)b};
    status = pf_redraw_targets(&p->redraws[r], stream, s->copies[d], error);
  }
  return status;
}

static pf_status make_sample(const plan *p, size_t b, sample *s, pf_error *error)
{
  const pf_model *model = p->job->problem->model;
  const pf_batch *from = original(p);
  const size_t n = p->out->n_values, cells = from->n * model->n_losses;
  s->batch = (pf_batch){.draws = from->draws, .n = from->n, .constant = from->constant};
  s->batch.scale = pf_memory_need(cells, sizeof *s->batch.scale, error);
  s->values = pf_memory_need(n, sizeof *s->values, error);
  s->gradient = pf_memory_need(n, sizeof *s->gradient, error);
  s->h = pf_memory_need(n * n, sizeof *s->h, error);
  if (s->batch.scale == NULL || s->values == NULL || s->gradient == NULL || s->h == NULL) {
    return PF_STOP;
  }
  memcpy(s->batch.scale, from->scale, cells * sizeof *from->scale);
  memcpy(s->values, p->job->group->values, n * sizeof *s->values);
  if (p->kind == PF_BOOTSTRAP_ANIMALS) {
    return draw_animals(p, b, s, error);
  }
  s->copies = pf_memory_need(from->n, sizeof(pf_draw *), error);
  pf_status status = s->copies == NULL ? PF_STOP : PF_OK;
  for (size_t d = 0; d < from->n && status == PF_OK; d++) {
    status = pf_redraw_copy(model, from->draws[d], &s->copies[d], error);
  }
  s->batch.draws = (const pf_draw *const *)s->copies;
  return status == PF_OK ? draw_recordings(p, b, s, error) : status;
}

/* ---- one refit ---- */

/*
 * Fisher's standard errors of a refit, of values that are not at a bound. sigma of squared errors
 * is that of the refit: f is SSE / (2 sigma^2) with the sigma of the data.
 */
static void add_errors(const plan *p, const sample *s, double f, double *se)
{
  const pf_infer_job *job = p->job;
  const pf_layout *layout = job->group->layout;
  const size_t n = p->out->n_values;
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

static pf_status refit(const plan *p, size_t b, pf_workspace *const *workspaces,
                       size_t n_workspaces, pf_error *error)
{
  const size_t n = p->out->n_values;
  double *values = p->out->values + b * n;
  sample s = {0};
  pf_group_objective *function = NULL;
  pf_optimum optimum = {0};
  const pf_optimiser_settings settings = pf_optimiser_defaults();
  pf_status status = make_sample(p, b, &s, error);
  s.pointer = &s.batch;
  const pf_group_batches batches = {.batches = &s.pointer, .n = 1};
  const pf_group_objective_in in = {.problem = p->job->problem,
                                    .layout = p->job->group->layout,
                                    .batches = &batches,
                                    .workspaces = workspaces,
                                    .n_workspaces = n_workspaces};
  status = status == PF_OK ? pf_group_objective_create(&in, &function, error) : status;
  if (status == PF_OK) {
    status = pf_optimiser_lm.minimise(pf_group_objective_get(function), &settings, NULL, s.values,
                                      &optimum, error);
  }
  if (status == PF_OK && optimum.converged) {
    memcpy(values, s.values, n * sizeof *values);
  }
  if (status == PF_OK && optimum.converged && p->wants_se) {
    const pf_function *f = pf_group_objective_get(function);
    double at = 0.0;
    status = f->curvature(f->self, s.values, &at, s.gradient, s.h, error);
    if (status == PF_OK) {
      add_errors(p, &s, at, p->out->se + b * n);
    }
  }
  pf_group_objective_free(function);
  clear_sample(p, &s);
  return status < 0 ? status : PF_OK; /* one that failed is one that is missing */
}

/* ---- all of them ---- */

static pf_status make_redraws(plan *p, pf_error *error)
{
  const pf_infer_job *job = p->job;
  const pf_layout *layout = job->group->layout;
  const pf_batch *batch = original(p);
  const pf_draw **draws = pf_memory_need(batch->n, sizeof *draws, error);
  double *theta = pf_memory_need(layout->n_parameters, sizeof *theta, error);
  p->redraws = pf_memory_need(layout->n_recordings, sizeof *p->redraws, error);
  pf_status status = draws == NULL || theta == NULL || p->redraws == NULL ? PF_STOP : PF_OK;
  for (size_t r = 0; r < layout->n_recordings && status == PF_OK; r++) {
    size_t n = 0;
    for (size_t d = 0; d < batch->n; d++) {
      if (pf_layout_recording(layout, batch->draws[d]->recording) == r) {
        draws[n++] = batch->draws[d];
      }
    }
    pf_layout_theta(layout, job->group->values, r, theta);
    status = pf_redraw_create(job->problem->model, draws, n, theta, job->evidence.variance,
                              job->workspaces[0], &p->redraws[r], error);
  }
  pf_memory_free((void *)draws);
  pf_memory_free(theta);
  return status;
}

pf_status pf_bootstrap_fits_create(const pf_infer_job *job, uint32_t kind, size_t n_fits,
                                   bool wants_se, pf_bootstrap_fits *out, pf_error *error)
{
  plan p = {.job = job, .kind = kind, .wants_se = wants_se, .out = out};
  const size_t n = job->out->n;
  *out = (pf_bootstrap_fits){.n_fits = n_fits, .n_values = n};
  out->values = pf_memory_need(n_fits * n, sizeof *out->values, error);
  out->se = wants_se ? pf_memory_need(n_fits * n, sizeof *out->se, error) : NULL;
  pf_error *errors = pf_memory_need(n_fits, sizeof *errors, error);
  pf_status *statuses = pf_memory_need(n_fits, sizeof *statuses, error);
  pf_status status =
      out->values == NULL || (wants_se && out->se == NULL) || errors == NULL || statuses == NULL
          ? PF_STOP
          : PF_OK;
  status = status == PF_OK && kind == PF_BOOTSTRAP_PARAMETRIC ? make_redraws(&p, error) : status;
  if (status == PF_OK) {
    for (size_t i = 0; i < n_fits * n; i++) {
      out->values[i] = NAN;
      if (wants_se) {
        out->se[i] = NAN;
      }
    }
#pragma omp parallel for schedule(dynamic) \
    num_threads((int)job->n_workspaces) if (job->n_workspaces > 1)
    for (size_t b = 0; b < n_fits; b++) {
      errors[b] = pf_error_none();
      statuses[b] = refit(&p, b, job->workspaces + pf_this_thread(), 1, &errors[b]);
    }
  }
  for (size_t b = 0; b < n_fits && status == PF_OK; b++) {
    status = statuses[b];
    if (status != PF_OK) {
      (void)pf_fail(error, status, "%s", errors[b].text);
    }
    out->n_worked += n > 0 && !isnan(out->values[b * n]) ? 1 : 0;
  }
  for (size_t r = 0; p.redraws != NULL && r < job->group->layout->n_recordings; r++) {
    pf_redraw_clear(&p.redraws[r]);
  }
  pf_memory_free(p.redraws);
  pf_memory_free(errors);
  pf_memory_free(statuses);
  if (status != PF_OK) {
    pf_bootstrap_fits_clear(out);
  }
  return status;
}

void pf_bootstrap_fits_clear(pf_bootstrap_fits *fits)
{
  pf_memory_free(fits->values);
  pf_memory_free(fits->se);
  *fits = (pf_bootstrap_fits){0};
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

/* Value k. scratch: [n_fits] */
static void interval_of(const pf_infer_job *job, const pf_bootstrap_fits *fits, size_t k,
                        double *scratch, pf_intervals *to)
{
  const pf_inference_group *out = job->out;
  const double tail = 0.5 - 0.5 * job->problem->settings->intervals.level;
  const double estimate = job->group->values[k];
  const double se = sqrt(fmax(out->covariance[k * out->n + k], 0.0));
  const size_t n = fits->n_values;
  for (size_t b = 0; b < fits->n_fits; b++) {
    scratch[b] = fits->values[b * n + k];
  }
  size_t m = pf_stats_sort(scratch, fits->n_fits);
  to->se[k] = sd_of(scratch, m);
  to->lower[k] = pf_stats_quantile(scratch, m, tail);
  to->upper[k] = pf_stats_quantile(scratch, m, 1.0 - tail);
  if (fits->se == NULL || !(se > 0.0)) {
    return; /* percentiles, also of what stands at a bound */
  }
  for (size_t b = 0; b < fits->n_fits; b++) {
    scratch[b] = (fits->values[b * n + k] - estimate) / fits->se[b * n + k];
  }
  m = pf_stats_sort(scratch, fits->n_fits);
  if ((double)m >= least_worked * (double)fits->n_fits) {
    to->lower[k] = estimate - se * pf_stats_quantile(scratch, m, 1.0 - tail);
    to->upper[k] = estimate - se * pf_stats_quantile(scratch, m, tail);
  }
}

pf_status pf_infer_bootstrap(pf_infer_job *job, pf_error *error)
{
  pf_inference_group *out = job->out;
  const pf_interval_settings *wanted = &job->problem->settings->intervals;
  pf_intervals *to = &out->methods[PF_INTERVAL_BOOTSTRAP];
  const size_t n_animals = job->group->layout->n_animals;
  uint32_t kind = wanted->bootstrap_of;
  if (kind == PF_BOOTSTRAP_AUTO) {
    kind =
        n_animals >= PF_BOOTSTRAP_ENOUGH_ANIMALS ? PF_BOOTSTRAP_ANIMALS : PF_BOOTSTRAP_PARAMETRIC;
  }
  if (job->evidence.no_sigma != NULL) {
    return pf_infer_why(&to->why, error, "%s", job->evidence.no_sigma);
  }
  if (kind == PF_BOOTSTRAP_ANIMALS && n_animals < 2) {
    return pf_infer_why(
        &to->why, error,
        "one animal cannot stand for others: intervals.bootstrap.of=parametric, or fit.per=shared");
  }
  if (!job->evidence.proportional) {
    return pf_infer_why(&to->why, error,
                        "the fit weighs its losses otherwise than the likelihood does, which is "
                        "what is fitted again");
  }
  pf_bootstrap_fits fits = {0};
  double *scratch = pf_memory_need((size_t)wanted->resamples, sizeof *scratch, error);
  pf_status status = scratch == NULL
                         ? PF_STOP
                         : pf_bootstrap_fits_create(job, kind, (size_t)wanted->resamples,
                                                    wanted->percentile == 0, &fits, error);
  if (status == PF_POINT_FAILED) { /* targets that cannot be drawn anew */
    status = pf_infer_why(&to->why, error, "%s", error->text);
    pf_memory_free(scratch);
    return status;
  }
  if (status == PF_OK && (double)fits.n_worked < least_worked * (double)fits.n_fits) {
    status = pf_infer_why(&to->why, error, "only %zu of %zu refits converged", fits.n_worked,
                          fits.n_fits);
  } else if (status == PF_OK) {
    status = pf_intervals_create(out->n, to, error);
    for (size_t k = 0; k < out->n && status == PF_OK; k++) {
      if (out->spectrum->identified[k]) {
        interval_of(job, &fits, k, scratch, to);
      }
    }
    if (status == PF_OK && fits.n_worked < fits.n_fits) {
      status = pf_infer_warn(out, error,
                             "bootstrap: %zu of %zu refits did not converge and are left out",
                             fits.n_fits - fits.n_worked, fits.n_fits);
    }
  }
  pf_bootstrap_fits_clear(&fits);
  pf_memory_free(scratch);
  return status;
}
