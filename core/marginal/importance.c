#include "core/marginal/importance.h"

#include "core/base/memory.h"
#include "core/marginal/input_sd.h"
#include "core/marginal/nats_batch.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

struct pf_importance {
  pf_importance_in in;
  pf_function function;
  pf_batch *each;     /* every draw as it is, in nats */
  pf_batch *weighted; /* every draw by its weight */
  pf_group_batches batches;
  pf_group_objective *complete; /* of `weighted` */
  size_t n, n_recordings, n_draws;
  pf_draw **draws;   /* [all draws] the group's; where the sd of the inputs is fitted, its own */
  bool owns_draws;   /* likewise */
  pf_input_sd sd;    /* of them */
  double *origin;    /* [all draws] log likelihoods at the estimate */
  double *values;    /* [all draws] at v */
  double *weight;    /* [all draws] of a recording they add up to 1 */
  double *thetas;    /* [all draws][n_parameters] */
  double *gradients; /* [all draws][n_parameters] */
  double *instances; /* [n_instances] */
  double *score;     /* [n_recordings][n] */
  double *own;       /* [n] score of a draw */
  double *h;         /* [2][n][n] */
};

/* ---- evaluation ---- */

/* Log likelihoods of all draws at v, and their gradients where they are wanted. */
static pf_status evaluate_draws(pf_importance *s, const double *v, bool with_gradients,
                                double *values, pf_error *error)
{
  const size_t n_theta = s->in.problem->model->n_parameters;
  for (size_t d = 0; d < s->each->n; d++) {
    pf_layout_theta(s->in.group->layout, v, d % s->n_recordings, s->thetas + d * n_theta);
  }
  const pf_workspaces workspaces = {s->in.workspaces, s->in.n_workspaces};
  if (s->owns_draws) {
    pf_input_sd_move(s->in.problem, s->in.group, s->draws, s->each->n, v, &s->sd);
  }
  const pf_status status = pf_batch_each_value(s->each, s->thetas, workspaces, values,
                                               with_gradients ? s->gradients : NULL, error);
  if (status != PF_OK || !with_gradients || !s->owns_draws) {
    return status;
  }
  const pf_input_sd_in what = {s->in.problem, s->in.group, s->draws,  s->each,
                               s->thetas,     values,      workspaces};
  return pf_input_sd_evaluate(&what, &s->sd, error);
}

/* Weights of recording r's draws; returns the log of the mean of exp(value - origin). */
static double weigh_recording(const pf_importance *s, size_t r)
{
  double best = -INFINITY, sum = 0.0;
  for (size_t d = 0; d < s->n_draws; d++) {
    const size_t at = d * s->n_recordings + r;
    s->weight[at] = s->values[at] - s->origin[at];
    best = fmax(best, s->weight[at]);
  }
  for (size_t d = 0; d < s->n_draws; d++) {
    const size_t at = d * s->n_recordings + r;
    s->weight[at] = exp(s->weight[at] - best);
    sum += s->weight[at];
  }
  for (size_t d = 0; d < s->n_draws; d++) {
    s->weight[d * s->n_recordings + r] /= sum;
  }
  return best + log(sum / (double)s->n_draws);
}

/* Minus the score of draw `at`, in nats, into s->own. */
static void find_own_score(const pf_importance *s, size_t at)
{
  const pf_layout *layout = s->in.group->layout;
  const size_t n_theta = s->in.problem->model->n_parameters;
  memset(s->instances, 0, layout->n_instances * sizeof *s->instances);
  const size_t recording = s->n_recordings > 0 ? at % s->n_recordings : 0;
  pf_layout_fold(layout, recording, s->gradients + at * n_theta, s->instances);
  pf_layout_gradient(layout, s->instances, s->own);
  const pf_parameter_instance *sd = pf_input_sd_instance(s->in.problem, layout, recording);
  if (sd != NULL) {
    s->own[sd->value] -= sd->factor * s->sd.score[at];
  }
}

/* Minus the log likelihood at v, and its gradient. */
static pf_status evaluate_value(void *self, const double *v, double *f, double *gradient,
                                pf_error *error)
{
  pf_importance *s = self;
  const pf_status status = evaluate_draws(s, v, gradient != NULL, s->values, error);
  if (status != PF_OK) {
    return status;
  }
  *f = -s->in.group->marginal->log_likelihood;
  for (size_t r = 0; r < s->n_recordings; r++) {
    *f -= weigh_recording(s, r);
  }
  if (!isfinite(*f)) {
    return PF_POINT_FAILED;
  }
  if (gradient == NULL) {
    return PF_OK;
  }
  memset(gradient, 0, s->n * sizeof *gradient);
  for (size_t at = 0; at < s->each->n; at++) {
    find_own_score(s, at);
    for (size_t k = 0; k < s->n; k++) {
      gradient[k] += s->weight[at] * s->own[k]; /* own: of minus the log likelihood */
    }
  }
  return PF_OK;
}

/* h -= the covariance of the scores over the draws of each recording. */
static void subtract_lost(const pf_importance *s, double *h)
{
  const size_t n = s->n;
  memset(s->score, 0, s->n_recordings * n * sizeof *s->score);
  for (size_t at = 0; at < s->each->n; at++) {
    double *mean = s->score + at % s->n_recordings * n;
    find_own_score(s, at);
    for (size_t k = 0; k < n; k++) {
      mean[k] += s->weight[at] * s->own[k];
    }
    for (size_t j = 0; j < n; j++) {
      for (size_t k = 0; k < n; k++) {
        h[j * n + k] -= s->weight[at] * s->own[j] * s->own[k];
      }
    }
  }
  for (size_t r = 0; r < s->n_recordings; r++) {
    const double *mean = s->score + r * n;
    for (size_t j = 0; j < n; j++) {
      for (size_t k = 0; k < n; k++) {
        h[j * n + k] += mean[j] * mean[k];
      }
    }
  }
}

static bool is_definite(const double *matrix, size_t n, double *scratch)
{
  memcpy(scratch, matrix, n * n * sizeof *scratch);
  return n > 0 && LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (lapack_int)n, scratch, (lapack_int)n) == 0;
}

/*
 * H as Louis' identity has it, with the draws' weights; where that is not positive definite, what
 * would be known if the unknown were seen, which always is.
 */
static pf_status evaluate_curvature(void *self, const double *v, double *f, double *gradient,
                                    double *h, pf_error *error)
{
  pf_importance *s = self;
  const size_t n = s->n, n_losses = s->in.problem->model->n_losses;
  double ignored = 0.0;
  pf_status status = evaluate_value(s, v, f, gradient, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < s->each->n * n_losses; i++) {
    s->weighted->scale[i] = s->weight[i / n_losses] * s->in.factor[i % n_losses];
  }
  const pf_function *complete = pf_group_objective_get(s->complete);
  status = complete->curvature(complete->self, v, &ignored, s->own, h, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t at = 0; at < s->each->n && s->owns_draws; at++) {
    pf_input_sd_add_curvature(s->in.problem, s->in.group->layout, at, &s->sd, s->weight[at], h);
  }
  memcpy(s->h, h, n * n * sizeof *h);
  subtract_lost(s, s->h);
  if (is_definite(s->h, n, s->h + n * n)) {
    memcpy(h, s->h, n * n * sizeof *h);
  }
  return PF_OK;
}

pf_status pf_importance_error(pf_importance *function, const double *v, double *out,
                              pf_error *error)
{
  pf_importance *s = function;
  double f = 0.0, variance = 0.0;
  const size_t n_replicates = (size_t)s->in.problem->settings->marginal.replicates;
  const size_t each = s->n_draws / n_replicates;
  const pf_status status = evaluate_value(s, v, &f, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t r = 0; r < s->n_recordings; r++) {
    double squares = 0.0; /* of the replicates' shares of the weight, whose mean is 1 / n */
    for (size_t k = 0; k < n_replicates; k++) {
      double share = 0.0;
      for (size_t d = 0; d < each; d++) {
        share += s->weight[(k * each + d) * s->n_recordings + r];
      }
      share -= 1.0 / (double)n_replicates;
      squares += share * share;
    }
    variance += squares * (double)n_replicates / (double)(n_replicates - 1);
  }
  *out = sqrt(variance);
  return PF_OK;
}

/* ---- memory ---- */

static pf_status create_memory(pf_importance *s, pf_error *error)
{
  const size_t n = s->n, n_all = s->in.group->n_draws;
  const size_t n_theta = s->in.problem->model->n_parameters;
  s->origin = pf_memory_need(3 * n_all, sizeof *s->origin, error);
  s->thetas = pf_memory_need(2 * n_all * n_theta, sizeof *s->thetas, error);
  s->instances = pf_memory_need(s->in.group->layout->n_instances, sizeof *s->instances, error);
  s->score = pf_memory_need((s->n_recordings + 1) * n, sizeof *s->score, error);
  s->h = pf_memory_need(2 * n * n, sizeof *s->h, error);
  s->batches.batches = pf_memory_need(1, sizeof *s->batches.batches, error);
  if (s->origin == NULL || s->thetas == NULL || s->instances == NULL || s->score == NULL ||
      s->h == NULL || s->batches.batches == NULL) {
    return PF_STOP;
  }
  s->values = s->origin + n_all;
  s->weight = s->values + n_all;
  s->gradients = s->thetas + n_all * n_theta;
  s->own = s->score + s->n_recordings * n;
  return PF_OK;
}

/* Draws whose inputs this one moves, as the group's. */
static pf_status copy_draws(pf_importance *s, pf_error *error)
{
  const pf_problem *problem = s->in.problem;
  const pf_fit_group *group = s->in.group;
  s->draws = group->draws;
  if (!problem->model->learns_input_sd) {
    return PF_OK;
  }
  s->draws = pf_memory_need(group->n_draws, sizeof(pf_draw *), error);
  s->owns_draws = s->draws != NULL;
  for (size_t d = 0; s->owns_draws && d < group->n_draws; d++) {
    const size_t r = group->recordings[d % s->n_recordings];
    const pf_draw *from = group->draws[d];
    const pf_status status =
        pf_problem_draw(problem, &(pf_draw_id){&problem->data, r, 0, false}, &s->draws[d], error);
    if (status != PF_OK) {
      return status;
    }
    memcpy(s->draws[d]->input, from->input,
           (size_t)(from->n_steps * from->ld_input) * sizeof *from->input);
    memcpy(s->draws[d]->noise, from->noise, (size_t)problem->model->n_noise * sizeof *from->noise);
  }
  return s->owns_draws ? pf_input_sd_create(problem, group, group->n_draws,
                                            group->marginal->drawn_at, &s->sd, error)
                       : PF_STOP;
}

static pf_status create_batches(pf_importance *s, pf_error *error)
{
  const pf_importance_in *in = &s->in;
  const pf_nats_batch_in what = {.model = in->problem->model,
                                 .draws = (const pf_draw *const *)s->draws,
                                 .n = in->group->n_draws,
                                 .factor = in->factor};
  pf_status status = pf_nats_batch_create(&what, 1.0, &s->each, error);
  if (status == PF_OK) {
    status = pf_nats_batch_create(&what, 1.0, &s->weighted, error);
  }
  if (status != PF_OK) {
    return status;
  }
  s->batches.batches[0] = s->weighted;
  s->batches.n = 1;
  const pf_group_objective_in objective = {.problem = in->problem,
                                           .layout = in->group->layout,
                                           .batches = &s->batches,
                                           .workspaces = in->workspaces,
                                           .n_workspaces = in->n_workspaces,
                                           .observer = in->observer};
  return pf_group_objective_create(&objective, &s->complete, error);
}

pf_status pf_importance_create(const pf_importance_in *in, pf_importance **out, pf_error *error)
{
  pf_importance *s = pf_memory_need(1, sizeof *s, error);
  if (s == NULL) {
    return PF_STOP;
  }
  *s = (pf_importance){.in = *in,
                       .n = in->group->layout->n,
                       .n_recordings = in->group->n_recordings,
                       .n_draws = in->group->n_draws / in->group->n_recordings};
  pf_status status = create_memory(s, error);
  if (status == PF_OK) {
    status = copy_draws(s, error);
  }
  if (status == PF_OK) {
    status = create_batches(s, error);
  }
  if (status == PF_OK) {
    status = evaluate_draws(s, in->group->marginal->drawn_at, false, s->origin, error);
  }
  if (status != PF_OK) {
    pf_importance_free(s);
    return status;
  }
  const pf_function *complete = pf_group_objective_get(s->complete);
  s->function = (pf_function){.self = s,
                              .n = s->n,
                              .lower = complete->lower,
                              .upper = complete->upper,
                              .value = evaluate_value,
                              .curvature = evaluate_curvature,
                              .noise = complete->noise,
                              .nats = 1.0,
                              .cells = complete->cells,
                              .scale = complete->scale};
  *out = s;
  return PF_OK;
}

void pf_importance_free(pf_importance *function)
{
  if (function == NULL) {
    return;
  }
  for (size_t d = 0; function->owns_draws && d < function->in.group->n_draws; d++) {
    pf_draw_free(function->in.problem->model, function->draws[d]);
  }
  if (function->owns_draws) {
    pf_memory_free(function->draws);
  }
  pf_input_sd_clear(&function->sd);
  pf_group_objective_free(function->complete);
  pf_batch_free(function->each);
  pf_batch_free(function->weighted);
  pf_memory_free(function->batches.batches);
  pf_memory_free(function->origin);
  pf_memory_free(function->thetas);
  pf_memory_free(function->instances);
  pf_memory_free(function->score);
  pf_memory_free(function->h);
  pf_memory_free(function);
}

const pf_function *pf_importance_get(const pf_importance *function)
{
  return &function->function;
}
