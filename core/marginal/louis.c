#include "core/marginal/louis.h"

#include "core/base/memory.h"
#include "core/marginal/input_sd.h"
#include "core/marginal/nats_batch.h"

#include <string.h>

pf_status pf_louis_create(const pf_layout *layout, pf_louis_sums *out, pf_error *error)
{
  const size_t n = layout->n, n_recordings = layout->n_recordings;
  *out = (pf_louis_sums){
      .n = n,
      .n_recordings = n_recordings,
      .score = pf_memory_need(n, sizeof *out->score, error),
      .complete = pf_memory_need(n * n, sizeof *out->complete, error),
      .scores = pf_memory_need(n_recordings * n, sizeof *out->scores, error),
      .products = pf_memory_need(n_recordings * n * n, sizeof *out->products, error),
      .instances = pf_memory_need(layout->n_instances, sizeof *out->instances, error),
      .values = pf_memory_need(n, sizeof *out->values, error)};
  return out->score == NULL || out->complete == NULL || out->scores == NULL ||
                 out->products == NULL || out->instances == NULL || out->values == NULL
             ? PF_STOP
             : PF_OK;
}

void pf_louis_clear(pf_louis_sums *sums)
{
  pf_memory_free(sums->score);
  pf_memory_free(sums->complete);
  pf_memory_free(sums->scores);
  pf_memory_free(sums->products);
  pf_memory_free(sums->instances);
  pf_memory_free(sums->values);
}

void pf_louis_reset(pf_louis_sums *sums)
{
  const size_t n = sums->n;
  sums->n_draws = sums->n_added = 0;
  memset(sums->score, 0, n * sizeof *sums->score);
  memset(sums->complete, 0, n * n * sizeof *sums->complete);
  memset(sums->scores, 0, sums->n_recordings * n * sizeof *sums->scores);
  memset(sums->products, 0, sums->n_recordings * n * n * sizeof *sums->products);
}

/* The mean over draws of the complete information, and the sum of their mean scores. */
static pf_status add_complete(const pf_louis_in *in, pf_batch *batch, pf_louis_sums *sums,
                              double *log_likelihood, pf_error *error)
{
  const size_t n = sums->n;
  const pf_group_batches batches = {.batches = &batch, .n = 1};
  pf_group_objective *function = NULL;
  double *memory = pf_memory_need(n + n * n, sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *gradient = memory, *h = memory + n;
  const pf_group_objective_in what = {.problem = in->problem,
                                      .layout = in->group->layout,
                                      .batches = &batches,
                                      .workspaces = in->workspaces,
                                      .n_workspaces = in->n_workspaces};
  pf_status status = pf_group_objective_create(&what, &function, error);
  if (status == PF_OK) {
    const pf_function *f = pf_group_objective_get(function);
    status = f->curvature(f->self, in->values, log_likelihood, gradient, h, error);
  }
  if (status == PF_OK) {
    *log_likelihood = -*log_likelihood;
    for (size_t i = 0; i < n; i++) {
      sums->score[i] -= gradient[i];
    }
    for (size_t i = 0; i < n * n; i++) {
      sums->complete[i] += h[i];
    }
  }
  pf_group_objective_free(function);
  pf_memory_free(memory);
  return status;
}

/* Scores of draws. */
typedef struct draw_scores {
  const pf_louis_in *in;
  double share;      /* of a draw's log likelihood that the batch has */
  double *gradients; /* [n draws][n_parameters] of minus that share */
  pf_input_sd sd;
} draw_scores;

/* What the sd of the inputs adds to the score in sums->values, and to the complete information. */
static void add_input_sd(const draw_scores *of, size_t d, pf_louis_sums *sums)
{
  const pf_layout *layout = of->in->group->layout;
  const pf_parameter_instance *own =
      pf_input_sd_instance(of->in->problem, layout, d % sums->n_recordings);
  if (own == NULL) {
    return;
  }
  const double score = own->factor * of->sd.score[d];
  sums->score[own->value] += score;
  sums->values[own->value] += score / of->share;
  pf_input_sd_add_curvature(of->in->problem, layout, d, &of->sd, 1.0, sums->complete);
}

/* The score of draw d. */
static void add_score(const draw_scores *of, size_t d, pf_louis_sums *sums)
{
  const pf_layout *layout = of->in->group->layout;
  const size_t n = sums->n, r = d % sums->n_recordings;
  const double *gradient = of->gradients + d * of->in->problem->model->n_parameters;
  memset(sums->instances, 0, layout->n_instances * sizeof *sums->instances);
  pf_layout_fold(layout, r, gradient, sums->instances);
  pf_layout_gradient(layout, sums->instances, sums->values);
  for (size_t i = 0; i < n; i++) {
    sums->values[i] /= -of->share;
  }
  add_input_sd(of, d, sums);
  for (size_t i = 0; i < n; i++) {
    sums->scores[r * n + i] += sums->values[i];
  }
  for (size_t i = 0; i < n * n; i++) {
    sums->products[r * n * n + i] += sums->values[i / n] * sums->values[i % n];
  }
}

/* Scores of each draw, to the sums of their recording. */
static pf_status add_scores(const pf_louis_in *in, const pf_batch *batch, double share,
                            pf_louis_sums *sums, pf_error *error)
{
  const pf_layout *layout = in->group->layout;
  const size_t n_theta = in->problem->model->n_parameters;
  const pf_workspaces workspaces = {in->workspaces, in->n_workspaces};
  draw_scores of = {.in = in, .share = share};
  double *memory = pf_memory_need(batch->n * (1 + 2 * n_theta), sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  double *thetas = memory, *values = thetas + batch->n * n_theta;
  of.gradients = values + batch->n;
  for (size_t d = 0; d < batch->n; d++) {
    pf_layout_theta(layout, in->values, d % sums->n_recordings, thetas + d * n_theta);
  }
  pf_status status =
      pf_input_sd_create(in->problem, in->group, batch->n, in->values, &of.sd, error);
  if (status == PF_OK) {
    status = pf_batch_each_value(batch, thetas, workspaces, values, of.gradients, error);
  }
  if (status == PF_OK && in->problem->model->learns_input_sd) {
    const pf_input_sd_in what = {in->problem, in->group, in->group->draws, batch,
                                 thetas,      values,    workspaces};
    status = pf_input_sd_evaluate(&what, &of.sd, error);
  }
  if (status == PF_OK) {
    for (size_t d = 0; d < batch->n; d++) {
      add_score(&of, d, sums);
    }
  }
  pf_input_sd_clear(&of.sd);
  pf_memory_free(memory);
  return status;
}

pf_status pf_louis_add(const pf_louis_in *in, pf_louis_sums *sums, double *log_likelihood,
                       pf_error *error)
{
  const size_t n_draws = in->group->n_draws / in->group->n_recordings;
  const double share = 1.0 / (double)n_draws;
  pf_batch *batch = NULL;
  const pf_nats_batch_in what = {.model = in->problem->model,
                                 .draws = (const pf_draw *const *)in->group->draws,
                                 .n = in->group->n_draws,
                                 .factor = in->factor};
  pf_status status = pf_nats_batch_create(&what, share, &batch, error);
  if (status == PF_OK) {
    status = add_complete(in, batch, sums, log_likelihood, error);
  }
  if (status == PF_OK) {
    status = add_scores(in, batch, share, sums, error);
  }
  pf_batch_free(batch);
  sums->n_draws += n_draws;
  sums->n_added++;
  return status;
}

void pf_louis_get(const pf_louis_sums *sums, double *score, double *complete, double *lost)
{
  const size_t n = sums->n;
  const double n_draws = (double)sums->n_draws, n_added = (double)sums->n_added;
  const double unbiased = n_draws > 1.0 ? n_draws / (n_draws - 1.0) : 0.0;
  for (size_t i = 0; i < n; i++) {
    score[i] = sums->score[i] / n_added;
  }
  for (size_t i = 0; i < n * n; i++) {
    complete[i] = sums->complete[i] / n_added;
    lost[i] = 0.0;
    for (size_t r = 0; r < sums->n_recordings; r++) {
      const double *mean = sums->scores + r * n;
      lost[i] += unbiased * (sums->products[r * n * n + i] / n_draws -
                             mean[i / n] / n_draws * (mean[i % n] / n_draws));
    }
  }
}
