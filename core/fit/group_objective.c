#include "core/fit/group_objective.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/fit_memory.h"
#include "core/fit/objective.h"
#include "core/sensitivity/information.h"
#include "core/sensitivity/information_product.h"

#include <math.h>
#include <string.h>

enum { MAX_AT_ONCE = 64 }; /* draws whose matrices are in memory at a time */

struct pf_group_objective {
  pf_group_objective_in in;
  pf_function function;
  double *l1, *l2, *center; /* [layout->n] penalties of each value, in one block from l1 on */
  size_t *which;            /* [n_which] parameters that move */
  size_t n_which;
  double pass_sum, pass_mean; /* of the data term over the parts of a pass */
  uint32_t how;
  int64_t n_evaluations;
};

pf_status pf_group_batches_create(const pf_problem *problem, const pf_fit_group *group, bool whole,
                                  pf_group_batches *out, pf_error *error)
{
  const size_t n = whole ? 1 : group->n_draws;
  const size_t per_batch = whole ? group->n_draws : 1;
  *out = (pf_group_batches){0};
  if (group->n_draws == 0) {
    return pf_fail(error, PF_STOP, "'%s' has no draws to fit; `draws` must be at least 1",
                   group->name);
  }
  out->batches = pf_memory_need(n, sizeof(pf_batch *), error);
  if (out->batches == NULL) {
    return PF_STOP;
  }
  for (size_t b = 0; b < n; b++) {
    const pf_draw *const *draws = (const pf_draw *const *)&group->draws[b * per_batch];
    const pf_status status =
        pf_batch_create(problem->model, draws, per_batch, &out->batches[b], error);
    if (status != PF_OK) {
      return status;
    }
    out->n++;
  }
  return PF_OK;
}

void pf_group_batches_clear(pf_group_batches *batches)
{
  for (size_t b = 0; b < batches->n; b++) {
    pf_batch_free(batches->batches[b]);
  }
  pf_memory_free(batches->batches);
  *batches = (pf_group_batches){0};
}

/* ---- penalties ---- */

void pf_value_penalty(const pf_problem *problem, const pf_layout *layout, size_t k, double *l1,
                      double *l2)
{
  const size_t i = layout->instances[layout->index[k]].parameter;
  const pf_model_parameter *parameter = &layout->parameters[i];
  const bool of_rule = i < problem->model->network_theta0;
  *l1 = of_rule ? problem->options.l1 : 0.0;
  *l2 = of_rule ? problem->options.l2 : 0.0;
  if (parameter->own_penalty) {
    *l1 = parameter->l1;
    *l2 = parameter->l2;
  }
}

/* As pf_penalty, value by value. */
static void find_penalties(pf_group_objective *s)
{
  const pf_layout *layout = s->in.layout;
  const size_t n_rule = s->in.problem->model->network_theta0;
  for (size_t k = 0; k < layout->n; k++) {
    const size_t i = layout->instances[layout->index[k]].parameter;
    pf_value_penalty(s->in.problem, layout, k, &s->l1[k], &s->l2[k]);
    s->center[k] = i < n_rule ? 0.0 : layout->parameters[i].declared.initial;
  }
}

static bool has_l1(const pf_group_objective *s)
{
  for (size_t k = 0; k < s->in.layout->n; k++) {
    if (s->l1[k] > 0.0) {
      return true;
    }
  }
  return false;
}

/* 0 where it is not penalised. */
static double penalty_at(const pf_group_objective *s, const double *values)
{
  double sum = 0.0;
  for (size_t k = 0; s->in.penalised && k < s->in.layout->n; k++) {
    const double off = values[k] - s->center[k];
    sum += s->l1[k] * fabs(off) + s->l2[k] * off * off;
  }
  return sum;
}

/* The L2 part: to f, its gradient and H, where they are wanted. */
static void add_smooth(const pf_group_objective *s, const double *values, double *f,
                       double *gradient, double *h)
{
  const size_t n = s->in.layout->n;
  for (size_t k = 0; s->in.penalised && k < n; k++) {
    const double off = values[k] - s->center[k];
    *f += s->l2[k] * off * off;
    if (gradient != NULL) {
      gradient[k] += 2.0 * s->l2[k] * off;
    }
    if (h != NULL) {
      h[k * n + k] += 2.0 * s->l2[k];
    }
  }
}

/* ---- f and its gradient ---- */

/* Does whoever waits want to wait no longer? Then what evaluates ends at once. */
static pf_status check_stop(const pf_group_objective *s, pf_error *error)
{
  const pf_observer *observer = s->in.observer;
  return observer != NULL && observer->stop != NULL && observer->stop(observer->payload)
             ? pf_fail(error, PF_STOP, "interrupted")
             : PF_OK;
}

static pf_objective_in batch_at(const pf_group_objective *s, size_t b, const double *values)
{
  return (pf_objective_in){.problem = s->in.problem,
                           .layout = s->in.layout,
                           .batch = s->in.batches->batches[b],
                           .values = values,
                           .workspaces = s->in.workspaces,
                           .n_workspaces = s->in.n_workspaces};
}

static pf_status evaluate_value(void *self, const double *v, double *f, double *gradient,
                                pf_error *error)
{
  pf_group_objective *s = self;
  const pf_layout *layout = s->in.layout;
  const pf_objective_in in = batch_at(s, 0, v);
  double *instances = NULL;
  if (check_stop(s, error) != PF_OK) {
    return PF_STOP;
  }
  s->n_evaluations += (int64_t)in.batch->n;
  if (gradient != NULL) {
    instances = pf_memory_need(layout->n_instances, sizeof *instances, error);
    if (instances == NULL) {
      return PF_STOP;
    }
  }
  const pf_status status = pf_data_term(&in, f, instances, error);
  if (status == PF_OK && gradient != NULL) {
    pf_layout_gradient(layout, instances, gradient);
  }
  pf_memory_free(instances);
  if (status == PF_OK) {
    add_smooth(s, v, f, gradient, NULL);
  }
  return status;
}

/* Add to a line that the engine wrote where in the fit it happened: that, only the fit knows. */
static void add_where(const pf_group_objective *s, int64_t epoch, size_t step, pf_error *error)
{
  char line[PF_ERROR_LENGTH];
  memcpy(line, error->text, sizeof line);
  char where[96];
  if (s->in.problem->settings->fit.batch == PF_BATCH_FULL) {
    (void)snprintf(where, sizeof where, " (at epoch %lld)", (long long)epoch);
  } else {
    (void)snprintf(where, sizeof where, " (at epoch %lld, draw %zu)", (long long)epoch,
                   step / s->in.layout->n_recordings);
  }
  /* a very long line is cut rather than the place */
  const int room = (int)(sizeof line - sizeof where);
  (void)snprintf(error->text, sizeof error->text, "%.*s%s", room, line, where);
}

static pf_status evaluate_part(void *self, pf_pass_part at, const double *v, double *f,
                               double *gradient, pf_error *error)
{
  pf_group_objective *s = self;
  const pf_objective_in in = batch_at(s, at.part, v);
  pf_objective_out out = {.gradient = gradient};
  s->n_evaluations += (int64_t)in.batch->n;
  s->pass_sum = at.part == 0 ? 0.0 : s->pass_sum;
  const pf_status status = pf_objective(&in, &out, error);
  if (status != PF_OK) {
    if (error != NULL) {
      add_where(s, at.pass, at.part, error);
    }
    return status;
  }
  *f = out.objective;
  s->pass_sum += out.data_term;
  s->pass_mean = s->pass_sum / (double)s->in.batches->n;
  return PF_OK;
}

/* ---- curvature ---- */

/* What one draw gives. */
typedef struct draw_share {
  pf_status status;
  pf_error error;
  uint32_t how;
  pf_loss_value *values; /* [n_losses] */
  double *theta;         /* [n_parameters] */
  double *sums;          /* score [n_which], then information [n_which][n_which] */
} draw_share;

/* Draws whose matrices are in memory at a time, and that memory. */
typedef struct draw_shares {
  draw_share *items; /* [n] */
  size_t n, n_sums;
  pf_loss_value *values;
  double *numbers;
} draw_shares;

static void free_shares(draw_shares *shares)
{
  pf_memory_free(shares->items);
  pf_memory_free(shares->values);
  pf_memory_free(shares->numbers);
}

static pf_status create_shares(const pf_group_objective *s, size_t n, draw_shares *out,
                               pf_error *error)
{
  const pf_model *model = s->in.problem->model;
  const size_t n_sums = s->n_which * (1 + s->n_which), each = model->n_parameters + n_sums;
  *out = (draw_shares){.items = pf_memory_need(n, sizeof *out->items, error),
                       .n = n,
                       .n_sums = n_sums,
                       .values = pf_memory_need(n * model->n_losses, sizeof *out->values, error),
                       .numbers = pf_memory_need(n * each, sizeof *out->numbers, error)};
  if (out->items == NULL || out->values == NULL || out->numbers == NULL) {
    free_shares(out);
    return PF_STOP;
  }
  for (size_t k = 0; k < n; k++) {
    out->items[k] = (draw_share){.values = out->values + k * model->n_losses,
                                 .theta = out->numbers + k * each,
                                 .sums = out->numbers + k * each + model->n_parameters};
  }
  return PF_OK;
}

static size_t recording_of(const pf_group_objective *s, const pf_draw *draw)
{
  return pf_layout_recording(s->in.layout, draw->recording);
}

/* Draw d of the batch at v, on some threads. */
static void inform_draw(const pf_group_objective *s, const double *v, size_t d,
                        pf_workspace *const *workspaces, size_t n_workspaces, draw_share *share)
{
  const pf_model *model = s->in.problem->model;
  const pf_batch *batch = s->in.batches->batches[0];
  const pf_directions directions = {.n = s->n_which, .which = s->which};
  const pf_information_in in = {.model = model,
                                .draw = batch->draws[d],
                                .theta = share->theta,
                                .scale = batch->scale + d * model->n_losses,
                                .workspaces = workspaces,
                                .n_workspaces = n_workspaces};
  pf_information_out out = {
      .values = share->values, .gradient = share->sums, .information = share->sums + s->n_which};
  share->error = pf_error_none();
  pf_layout_theta(s->in.layout, v, recording_of(s, batch->draws[d]), share->theta);
  share->status = pf_information(&in, &directions, &out, &share->error);
  share->how = out.how;
}

/* What draw d adds to f, its gradient and H. */
static void add_share(const pf_group_objective *s, size_t d, const draw_share *share, double *f,
                      double *gradient, double *h)
{
  const pf_layout *layout = s->in.layout;
  const pf_batch *batch = s->in.batches->batches[0];
  const size_t n_losses = s->in.problem->model->n_losses;
  const size_t recording = recording_of(s, batch->draws[d]);
  for (size_t l = 0; l < n_losses; l++) {
    *f -= batch->scale[d * n_losses + l] * share->values[l].log_likelihood;
  }
  for (size_t a = 0; a < s->n_which; a++) {
    const pf_parameter_instance *row =
        &layout->instances[pf_layout_instance(layout, recording, s->which[a])];
    gradient[row->value] -= row->factor * share->sums[a];
  }
  pf_layout_fold_information(layout, recording, s->which, s->n_which, share->sums + s->n_which, h);
}

/* Draws [first, first + count) at v, into shares. */
static void inform_draws(const pf_group_objective *s, const double *v, size_t first, size_t count,
                         draw_shares *shares)
{
  const size_t n_threads = s->in.n_workspaces;
  /* threads over draws, or within one draw after the other: whichever there is more of */
  const bool over_draws = n_threads > 1 && count >= n_threads;
  for (size_t k = 0; k < count; k++) {
    memset(shares->items[k].sums, 0, shares->n_sums * sizeof(double));
  }
#pragma omp parallel for schedule(dynamic) num_threads((int)n_threads) if (over_draws)
  for (size_t k = 0; k < count; k++) {
    inform_draw(s, v, first + k, s->in.workspaces + (over_draws ? pf_this_thread() : 0),
                over_draws ? 1 : n_threads, &shares->items[k]);
  }
}

static pf_status evaluate_curvature(void *self, const double *v, double *f, double *gradient,
                                    double *h, pf_error *error)
{
  pf_group_objective *s = self;
  const pf_batch *batch = s->in.batches->batches[0];
  const size_t n = s->in.layout->n;
  draw_shares shares;
  if (check_stop(s, error) != PF_OK) {
    return PF_STOP;
  }
  s->n_evaluations += (int64_t)batch->n;
  pf_status status =
      create_shares(s, batch->n < MAX_AT_ONCE ? batch->n : MAX_AT_ONCE, &shares, error);
  if (status != PF_OK) {
    return status;
  }
  *f = batch->constant;
  memset(gradient, 0, n * sizeof *gradient);
  memset(h, 0, n * n * sizeof *h);
  for (size_t first = 0; first < batch->n; first += shares.n) {
    const size_t count = batch->n - first < shares.n ? batch->n - first : shares.n;
    inform_draws(s, v, first, count, &shares);
    for (size_t k = 0; k < count; k++) { /* in the order of the draws: the same bits always */
      const draw_share *share = &shares.items[k];
      status = share->status;
      if (status != PF_OK) {
        (void)pf_fail_key(error, status, share->error.key, "%s", share->error.text);
        goto done;
      }
      s->how |= share->how;
      add_share(s, first + k, share, f, gradient, h);
    }
  }
  add_smooth(s, v, f, gradient, h);
done:
  free_shares(&shares);
  return status;
}

/* ---- products with the curvature ---- */

/* A direction of the values as one of theta, for a recording. */
static void theta_direction(const pf_layout *layout, size_t recording, const double *direction,
                            double *theta)
{
  for (size_t i = 0; i < layout->n_parameters; i++) {
    const pf_parameter_instance *instance =
        &layout->instances[pf_layout_instance(layout, recording, i)];
    theta[i] =
        instance->value == PF_LAYOUT_NONE ? 0.0 : instance->factor * direction[instance->value];
  }
}

static pf_status evaluate_product(void *self, const double *v, const double *direction, double *out,
                                  pf_error *error)
{
  pf_group_objective *s = self;
  const pf_layout *layout = s->in.layout;
  const pf_model *model = s->in.problem->model;
  const pf_batch *batch = s->in.batches->batches[0];
  const size_t n_theta = model->n_parameters;
  if (check_stop(s, error) != PF_OK) {
    return PF_STOP;
  }
  s->n_evaluations += (int64_t)batch->n;
  double *theta = pf_memory_need(3 * n_theta + layout->n_instances, sizeof *theta, error);
  if (theta == NULL) {
    return PF_STOP;
  }
  double *along = theta + n_theta, *product = along + n_theta, *instances = product + n_theta;
  pf_status status = PF_OK;
  for (size_t d = 0; d < batch->n; d++) {
    const size_t recording = recording_of(s, batch->draws[d]);
    const pf_information_in in = {.model = model,
                                  .draw = batch->draws[d],
                                  .theta = theta,
                                  .scale = batch->scale + d * model->n_losses,
                                  .workspaces = s->in.workspaces,
                                  .n_workspaces = s->in.n_workspaces};
    pf_layout_theta(layout, v, recording, theta);
    theta_direction(layout, recording, direction, along);
    memset(product, 0, n_theta * sizeof *product);
    status = pf_information_product(&in, along, product, &s->how, error);
    if (status != PF_OK) {
      goto done;
    }
    pf_layout_fold(layout, recording, product, instances);
  }
  pf_layout_gradient(layout, instances, out);
  for (size_t k = 0; s->in.penalised && k < layout->n; k++) {
    out[k] += 2.0 * s->l2[k] * direction[k];
  }
done:
  pf_memory_free(theta);
  return status;
}

/* ---- nats ---- */

/*
 * Nats per unit of f. A cell counts once however many draws of its recording there are: their
 * log likelihoods are averaged. Losses that are weighed differently: the largest counts, so that no
 * gain is taken for a small one.
 */
static void find_nats(pf_group_objective *s)
{
  const pf_model *model = s->in.problem->model;
  const pf_batch *batch = s->in.batches->batches[0];
  const double n_draws = (double)batch->n / (double)s->in.layout->n_recordings;
  if (batch->cells == NULL) {
    return; /* one whose scale its maker chose: f is in nats */
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    double scale = 0.0;
    for (size_t d = 0; d < batch->n; d++) {
      scale += batch->scale[d * model->n_losses + k] / (double)batch->n;
    }
    if (batch->cells[k] <= 0.0 || scale <= 0.0) {
      continue;
    }
    s->function.cells += batch->cells[k] / fmax(n_draws, 1.0);
    if ((model->losses[k].declared.flags & PF_LOSS_LIKELIHOOD) != 0) {
      s->function.nats = fmax(s->function.nats, 1.0 / (scale * fmax(n_draws, 1.0)));
      continue;
    }
    const double rounding = 10.0 * s->function.noise; /* of a residual */
    s->function.squares = fmax(s->function.squares, batch->cells[k] / fmax(n_draws, 1.0));
    s->function.least =
        fmax(s->function.least, scale * batch->cells[k] * rounding * rounding *
                                    pf_draws_mean_square(model, batch->draws, batch->n, k));
  }
}

/* ---- the object ---- */

pf_status pf_group_objective_create(const pf_group_objective_in *in, pf_group_objective **out,
                                    pf_error *error)
{
  const pf_layout *layout = in->layout;
  pf_group_objective *s = pf_memory_need(1, sizeof *s, error);
  if (s == NULL) {
    return PF_STOP;
  }
  s->in = *in;
  s->l1 = pf_memory_need(3 * layout->n, sizeof *s->l1, error);
  s->which = pf_memory_need(layout->n_parameters, sizeof *s->which, error);
  if (s->l1 == NULL || s->which == NULL) {
    pf_group_objective_free(s);
    return PF_STOP;
  }
  s->l2 = s->l1 + layout->n;
  s->center = s->l2 + layout->n;
  find_penalties(s);
  for (size_t i = 0; i < layout->n_parameters; i++) {
    if (layout->instances[layout->first[i]].value != PF_LAYOUT_NONE) {
      s->which[s->n_which++] = i;
    }
  }
  s->function = (pf_function){.self = s,
                              .n = layout->n,
                              .lower = layout->lower,
                              .upper = layout->upper,
                              .center = s->center,
                              .noise = sizeof(pf_real) == sizeof(double) ? 1e-14 : 1e-6};
  find_nats(s);
  if (in->by_parts) {
    s->function.n_parts = in->batches->n;
    s->function.part = evaluate_part;
  } else {
    s->function.l1 = in->penalised && has_l1(s) ? s->l1 : NULL;
    s->function.value = evaluate_value;
    const bool is_allowed =
        s->function.l1 != NULL ||
        pf_curvature_is_allowed(in->problem, layout, in->batches->batches[0]->n, in->n_workspaces);
    s->function.curvature = is_allowed ? evaluate_curvature : NULL;
    s->function.product = evaluate_product;
  }
  *out = s;
  return PF_OK;
}

void pf_group_objective_free(pf_group_objective *s)
{
  if (s != NULL) {
    pf_memory_free(s->l1);
    pf_memory_free(s->which);
    pf_memory_free(s);
  }
}

const pf_function *pf_group_objective_get(const pf_group_objective *s)
{
  return &s->function;
}

void pf_group_objective_set_scale(pf_group_objective *s, const double *scale)
{
  s->function.scale = scale;
}

double pf_group_objective_data_term(const pf_group_objective *s, const pf_iterate *at)
{
  return s->in.by_parts ? s->pass_mean : at->objective - penalty_at(s, at->v);
}

uint32_t pf_group_objective_how(const pf_group_objective *s)
{
  return s->how;
}

int64_t pf_group_objective_n_evaluations(const pf_group_objective *s)
{
  return s->n_evaluations;
}
