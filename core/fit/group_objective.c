#include "core/fit/group_objective.h"

#include "core/base/memory.h"
#include "core/base/threads.h"
#include "core/fit/objective.h"
#include "core/sensitivity/information.h"
#include "core/sensitivity/information_product.h"

#include <math.h>
#include <string.h>

enum { MAX_AT_ONCE = 64 }; /* draws whose matrices are in memory at a time */

struct pf_group_objective {
  const pf_problem *problem;
  const pf_layout *layout;
  const pf_group_batches *batches;
  pf_workspace *const *workspaces;
  size_t n_workspaces;
  bool penalised, l1_inside;
  pf_function function;
  double *l1, *l2, *center; /* [layout->n] penalties of each value */
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
  const bool general = i < problem->model->network_theta0 && !parameter->own_penalty;
  *l1 = general ? problem->options.l1 : parameter->own_penalty ? parameter->l1 : 0.0;
  *l2 = general ? problem->options.l2 : parameter->own_penalty ? parameter->l2 : 0.0;
}

/* As pf_penalty, value by value. */
static void find_penalties(pf_group_objective *s)
{
  const pf_layout *layout = s->layout;
  for (size_t k = 0; k < layout->n; k++) {
    const size_t i = layout->instances[layout->index[k]].parameter;
    pf_value_penalty(s->problem, layout, k, &s->l1[k], &s->l2[k]);
    s->center[k] =
        i < s->problem->model->network_theta0 ? 0.0 : layout->parameters[i].declared.initial;
  }
}

/* 0 where it is not penalised. */
static double penalty_at(const pf_group_objective *s, const double *values)
{
  double sum = 0.0;
  for (size_t k = 0; s->penalised && k < s->layout->n; k++) {
    const double off = values[k] - s->center[k];
    sum += s->l1[k] * fabs(off) + s->l2[k] * off * off;
  }
  return sum;
}

/* The L2 part: to f, its gradient and H, where they are wanted. */
static void add_smooth(const pf_group_objective *s, const double *values, double *f,
                       double *gradient, double *h)
{
  const size_t n = s->layout->n;
  for (size_t k = 0; s->penalised && k < n; k++) {
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

/* ---- memory of one evaluation ---- */

/* What one draw gives. */
typedef struct share {
  pf_status status;
  pf_error error;
} share;

typedef struct scratch {
  double *thetas;    /* [n draws][n_parameters] */
  double *gradients; /* [n draws][n_parameters] */
  double *instances; /* [n_instances] */
  share *shares;     /* [n draws] */
} scratch;

static void scratch_free(scratch *own)
{
  pf_memory_free(own->thetas);
  pf_memory_free(own->gradients);
  pf_memory_free(own->instances);
  pf_memory_free(own->shares);
}

static pf_status scratch_create(const pf_group_objective *s, const double *values, scratch *own,
                                pf_error *error)
{
  const size_t n_theta = s->problem->model->n_parameters;
  const pf_batch *batch = s->batches->batches[0];
  *own = (scratch){.thetas = pf_memory_need(batch->n * n_theta, sizeof(double), error),
                   .gradients = pf_memory_need(batch->n * n_theta, sizeof(double), error),
                   .instances = pf_memory_need(s->layout->n_instances, sizeof(double), error),
                   .shares = pf_memory_need(batch->n, sizeof(share), error)};
  if (own->thetas == NULL || own->gradients == NULL || own->instances == NULL ||
      own->shares == NULL) {
    scratch_free(own);
    return PF_STOP;
  }
  for (size_t d = 0; d < batch->n; d++) {
    pf_layout_theta(s->layout, values, pf_layout_recording(s->layout, batch->draws[d]->recording),
                    own->thetas + d * n_theta);
  }
  return PF_OK;
}

/* ---- ops ---- */

static pf_status value(void *self, const double *v, double *f, double *gradient, pf_error *error)
{
  pf_group_objective *s = self;
  const pf_batch *batch = s->batches->batches[0];
  const size_t n_theta = s->problem->model->n_parameters;
  scratch own;
  s->n_evaluations += (int64_t)batch->n;
  pf_status status = scratch_create(s, v, &own, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_batch_each(s->problem->model, batch, own.thetas, s->workspaces, s->n_workspaces, f,
                         gradient == NULL ? NULL : own.gradients, error);
  for (size_t d = 0; status == PF_OK && gradient != NULL && d < batch->n; d++) {
    pf_layout_fold(s->layout, pf_layout_recording(s->layout, batch->draws[d]->recording),
                   own.gradients + d * n_theta, own.instances);
  }
  if (status == PF_OK && gradient != NULL) {
    pf_layout_gradient(s->layout, own.instances, gradient);
  }
  if (status == PF_OK) {
    add_smooth(s, v, f, gradient, NULL);
  }
  scratch_free(&own);
  return status;
}

/* Add to a line that the engine wrote where in the fit it happened: that, only the fit knows. */
static void add_where(const pf_group_objective *s, int64_t epoch, size_t step, pf_error *error)
{
  char line[PF_ERROR_LENGTH];
  memcpy(line, error->text, sizeof line);
  char where[96];
  if (s->problem->settings->fit.batch == PF_BATCH_FULL) {
    (void)snprintf(where, sizeof where, " (at epoch %lld)", (long long)epoch);
  } else {
    (void)snprintf(where, sizeof where, " (at epoch %lld, draw %zu)", (long long)epoch,
                   step / s->layout->n_recordings);
  }
  const int room =
      (int)(sizeof line - sizeof where); /* a very long line is cut rather than the place */
  (void)snprintf(error->text, sizeof error->text, "%.*s%s", room, line, where);
}

static pf_status part(void *self, int64_t pass, size_t k, const double *v, double *f,
                      double *gradient, pf_error *error)
{
  pf_group_objective *s = self;
  double data_term = 0.0;
  s->n_evaluations += (int64_t)s->batches->batches[k]->n;
  s->pass_sum = k == 0 ? 0.0 : s->pass_sum;
  const pf_status status =
      pf_objective(s->problem, s->layout, s->batches->batches[k], v, s->workspaces, s->n_workspaces,
                   &data_term, f, gradient, error);
  if (status != PF_OK && error != NULL) {
    add_where(s, pass, k, error);
  }
  s->pass_sum += data_term;
  s->pass_mean = s->pass_sum / (double)s->batches->n;
  return status;
}

/* What a draw's parameters, along `which`, add to gradient and H of the values. */
static void fold(const pf_group_objective *s, size_t recording, const double *score,
                 const double *information, double *gradient, double *h)
{
  for (size_t a = 0; a < s->n_which; a++) {
    const pf_parameter_instance *row =
        &s->layout->instances[pf_layout_instance(s->layout, recording, s->which[a])];
    gradient[row->value] -= row->factor * score[a];
  }
  pf_layout_fold_information(s->layout, recording, s->which, s->n_which, information, h);
}

static pf_status curvature(void *self, const double *v, double *f, double *gradient, double *h,
                           pf_error *error)
{
  pf_group_objective *s = self;
  const pf_model *model = s->problem->model;
  const pf_batch *batch = s->batches->batches[0];
  const size_t n = s->layout->n, m = s->n_which, n_own = m + m * m + 1;
  const size_t at_once = batch->n < MAX_AT_ONCE ? batch->n : MAX_AT_ONCE;
  const pf_directions directions = {.n = m, .which = s->which};
  scratch own;
  s->n_evaluations += (int64_t)batch->n;
  pf_status status = scratch_create(s, v, &own, error);
  if (status != PF_OK) {
    return status;
  }
  double *sums = pf_memory_need(at_once * n_own, sizeof *sums, error);
  pf_loss_value *values = pf_memory_need(at_once * model->n_losses, sizeof *values, error);
  uint32_t *how = pf_memory_need(at_once, sizeof *how, error);
  status = sums == NULL || values == NULL || how == NULL ? PF_STOP : PF_OK;
  *f = batch->constant;
  memset(gradient, 0, n * sizeof *gradient);
  memset(h, 0, n * n * sizeof *h);
  for (size_t first = 0; first < batch->n && status == PF_OK; first += at_once) {
    const size_t count = batch->n - first < at_once ? batch->n - first : at_once;
    /* threads over draws, or within one draw after the other: whichever there is more of */
    const bool over_draws = s->n_workspaces > 1 && count >= s->n_workspaces;
    memset(sums, 0, at_once * n_own * sizeof *sums);
#pragma omp parallel for schedule(dynamic) num_threads((int)s->n_workspaces) if (over_draws)
    for (size_t k = 0; k < count; k++) {
      const size_t d = first + k;
      pf_workspace *const *mine = s->workspaces + (over_draws ? pf_this_thread() : 0);
      pf_information_out out = {.values = values + k * model->n_losses,
                                .gradient = sums + k * n_own + 1,
                                .information = sums + k * n_own + 1 + m};
      own.shares[d].error = pf_error_none();
      const pf_information_in in = {.model = model,
                                    .draw = batch->draws[d],
                                    .theta = own.thetas + d * model->n_parameters,
                                    .scale = batch->scale + d * model->n_losses,
                                    .workspaces = mine,
                                    .n_workspaces = over_draws ? 1 : s->n_workspaces};
      own.shares[d].status = pf_information(&in, &directions, &out, &own.shares[d].error);
      how[k] = out.how;
    }
    for (size_t k = 0; k < count && status == PF_OK;
         k++) { /* in the order of the draws: the same bits always */
      const size_t d = first + k;
      status = own.shares[d].status;
      if (status != PF_OK) {
        (void)pf_fail_key(error, status, own.shares[d].error.key, "%s", own.shares[d].error.text);
        break;
      }
      s->how |= how[k];
      for (size_t l = 0; l < model->n_losses; l++) {
        *f -=
            batch->scale[d * model->n_losses + l] * values[k * model->n_losses + l].log_likelihood;
      }
      fold(s, pf_layout_recording(s->layout, batch->draws[d]->recording), sums + k * n_own + 1,
           sums + k * n_own + 1 + m, gradient, h);
    }
  }
  if (status == PF_OK) {
    add_smooth(s, v, f, gradient, h);
  }
  pf_memory_free(sums);
  pf_memory_free(values);
  pf_memory_free(how);
  scratch_free(&own);
  return status;
}

/* A direction of the values as one of theta, for a recording. */
static void direction_of(const pf_group_objective *s, size_t recording, const double *direction,
                         double *theta)
{
  for (size_t i = 0; i < s->problem->model->n_parameters; i++) {
    const pf_parameter_instance *instance =
        &s->layout->instances[pf_layout_instance(s->layout, recording, i)];
    theta[i] =
        instance->value == PF_LAYOUT_NONE ? 0.0 : instance->factor * direction[instance->value];
  }
}

static pf_status product(void *self, const double *v, const double *direction, double *out,
                         pf_error *error)
{
  pf_group_objective *s = self;
  const pf_model *model = s->problem->model;
  const pf_batch *batch = s->batches->batches[0];
  const size_t n_theta = model->n_parameters;
  scratch own;
  s->n_evaluations += (int64_t)batch->n;
  pf_status status = scratch_create(s, v, &own, error);
  double *along = pf_memory_need(n_theta, sizeof *along, error);
  status = along == NULL ? PF_STOP : status;
  for (size_t d = 0; d < batch->n && status == PF_OK; d++) {
    const size_t recording = pf_layout_recording(s->layout, batch->draws[d]->recording);
    direction_of(s, recording, direction, along);
    const pf_information_in in = {.model = model,
                                  .draw = batch->draws[d],
                                  .theta = own.thetas + d * n_theta,
                                  .scale = batch->scale + d * model->n_losses,
                                  .workspaces = s->workspaces,
                                  .n_workspaces = s->n_workspaces};
    status = pf_information_product(&in, along, own.gradients + d * n_theta, &s->how, error);
    if (status == PF_OK) {
      pf_layout_fold(s->layout, recording, own.gradients + d * n_theta, own.instances);
    }
  }
  if (status == PF_OK) {
    pf_layout_gradient(s->layout, own.instances, out);
    for (size_t k = 0; s->penalised && k < s->layout->n; k++) {
      out[k] += 2.0 * s->l2[k] * direction[k];
    }
  }
  pf_memory_free(along);
  scratch_free(&own);
  return status;
}

/* ---- the object ---- */

pf_status pf_group_objective_create(const pf_problem *problem, const pf_layout *layout,
                                    const pf_group_batches *batches, bool penalised, bool l1_inside,
                                    pf_workspace *const *workspaces, size_t n_workspaces,
                                    pf_group_objective **out, pf_error *error)
{
  pf_group_objective *s = pf_memory_need(1, sizeof *s, error);
  if (s == NULL) {
    return PF_STOP;
  }
  *s = (pf_group_objective){.problem = problem,
                            .layout = layout,
                            .batches = batches,
                            .workspaces = workspaces,
                            .n_workspaces = n_workspaces,
                            .penalised = penalised,
                            .l1_inside = l1_inside};
  s->l1 = pf_memory_need(layout->n, sizeof *s->l1, error);
  s->l2 = pf_memory_need(layout->n, sizeof *s->l2, error);
  s->center = pf_memory_need(layout->n, sizeof *s->center, error);
  s->which = pf_memory_need(layout->n_parameters, sizeof *s->which, error);
  if (s->l1 == NULL || s->l2 == NULL || s->center == NULL || s->which == NULL) {
    pf_group_objective_free(s);
    return PF_STOP;
  }
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
  if (l1_inside) {
    s->function.n_parts = batches->n;
    s->function.part = part;
  } else {
    s->function.l1 = penalised ? s->l1 : NULL;
    s->function.value = value;
    s->function.curvature = curvature;
    s->function.product = product;
  }
  *out = s;
  return PF_OK;
}

void pf_group_objective_free(pf_group_objective *s)
{
  if (s != NULL) {
    pf_memory_free(s->l1);
    pf_memory_free(s->l2);
    pf_memory_free(s->center);
    pf_memory_free(s->which);
    pf_memory_free(s);
  }
}

const pf_function *pf_group_objective_get(const pf_group_objective *s)
{
  return &s->function;
}

double pf_group_objective_data_term(const pf_group_objective *s, const pf_iterate *at)
{
  return s->l1_inside ? s->pass_mean : at->objective - penalty_at(s, at->v);
}

uint32_t pf_group_objective_how(const pf_group_objective *s)
{
  return s->how;
}

int64_t pf_group_objective_n_evaluations(const pf_group_objective *s)
{
  return s->n_evaluations;
}
