/* Information of batches: draws on several threads, a few at a time, sums in the order of the
 * draws. */
#include "core/sensitivity/sensitivity_private.h"

#include "core/base/memory.h"
#include "core/base/threads.h"

#include <string.h>

/* Draws whose sums stand side by side before they are added; a number of its own, so that bits do
 * not depend on how many threads there are. */
enum { AT_ONCE = 64 };

/** What one draw gave. */
typedef struct share {
  pf_status status;
  uint32_t how;
  pf_error error;
} share;

/** One call. */
typedef struct request {
  const pf_model *model;
  const pf_batch *batch;
  const pf_batch_point *at;
  const pf_directions *directions; /* NULL: a product */
  const double *direction;
  bool wants_information;
  size_t n, n_own; /* of gradient, or product; of all sums of a draw */
} request;

static size_t group_of(const request *self, size_t d)
{
  return self->at->group == NULL ? 0 : self->at->group[d];
}

/** A draw's objective [1], gradient or product [n], information [n][n], then scratch, in `own`,
 * which is zeros. */
static pf_status one_draw(const request *self, size_t d, pf_workspace *const *workspaces,
                          size_t n_workspaces, double *own, uint32_t *how, pf_error *error)
{
  const size_t n_losses = self->model->n_losses, n = self->n;
  const double *scale = self->batch->scale + d * n_losses;
  const double *theta = self->at->thetas + d * self->at->stride;
  double *scratch = own + 1 + n + (self->wants_information ? n * n : 0);
  if (self->directions == NULL) {
    return pf_information_product(self->model, self->batch->draws[d], theta,
                                  self->direction + d * self->at->direction_stride, scale,
                                  workspaces, n_workspaces, own + 1, how, error);
  }
  pf_loss_value *values = (pf_loss_value *)(void *)scratch;
  pf_information_out out = {.values = values,
                            .gradient = own + 1,
                            .information = self->wants_information ? own + 1 + n : NULL};
  const pf_status status =
      pf_information(self->model, self->batch->draws[d], theta, self->directions, scale, workspaces,
                     n_workspaces, &out, error);
  *how |= out.how;
  for (size_t i = 0; i < n && status == PF_OK; i++) {
    own[1 + i] = -own[1 + i]; /* of the objective, which is minus the scaled log likelihood */
  }
  for (size_t k = 0; k < n_losses && status == PF_OK; k++) {
    own[0] -= scale[k] * values[k].log_likelihood;
  }
  return status;
}

static pf_status all_draws(const request *self, pf_workspace *const *workspaces,
                           size_t n_workspaces, double *value, double *vectors, double *matrices,
                           uint32_t *how, pf_error *error)
{
  const size_t count = self->batch->n < AT_ONCE ? self->batch->n : AT_ONCE;
  double *sums = pf_memory_need(count * self->n_own, sizeof *sums, error);
  share *shares = pf_memory_need(count, sizeof *shares, error);
  pf_status status = sums == NULL || shares == NULL ? PF_STOP : PF_OK;
  /* threads over draws, or over the blocks of one draw after the other: whichever there is more of
   */
  const bool over_draws = n_workspaces > 1 && self->batch->n >= n_workspaces;
  for (size_t first = 0; first < self->batch->n && status == PF_OK; first += AT_ONCE) {
    const size_t n_now = self->batch->n - first < AT_ONCE ? self->batch->n - first : AT_ONCE;
    memset(sums, 0, n_now * self->n_own * sizeof *sums);
#pragma omp parallel for schedule(dynamic) num_threads((int)n_workspaces) if (over_draws)
    for (size_t d = 0; d < n_now; d++) {
      shares[d].error = pf_error_none();
      shares[d].how = 0;
      shares[d].status = one_draw(self, first + d, workspaces + (over_draws ? pf_this_thread() : 0),
                                  over_draws ? 1 : n_workspaces, sums + d * self->n_own,
                                  &shares[d].how, &shares[d].error);
    }
    for (size_t d = 0; d < n_now && status == PF_OK; d++) {
      const double *own = sums + d * self->n_own;
      const size_t group = group_of(self, first + d), n = self->n;
      status = shares[d].status;
      if (status != PF_OK) {
        pf_fail_key(error, status, shares[d].error.key, "%s", shares[d].error.text);
        break;
      }
      *how |= shares[d].how;
      *value += own[0];
      for (size_t i = 0; i < n && vectors != NULL; i++) {
        vectors[group * n + i] += own[1 + i];
      }
      for (size_t i = 0; i < n * n && matrices != NULL; i++) {
        matrices[group * n * n + i] += own[1 + n + i];
      }
    }
  }
  pf_memory_free(sums);
  pf_memory_free(shares);
  return status;
}

static size_t scratch_of(const pf_model *model)
{
  return model->n_losses * (sizeof(pf_loss_value) / sizeof(double));
}

pf_status pf_batch_information(const pf_model *model, const pf_batch *batch,
                               const pf_batch_point *at, const pf_directions *directions,
                               pf_workspace *const *workspaces, size_t n_workspaces,
                               pf_batch_information_out *out, pf_error *error)
{
  const size_t n = directions->n;
  const request self = {.model = model,
                        .batch = batch,
                        .at = at,
                        .directions = directions,
                        .wants_information = out->information != NULL,
                        .n = n,
                        .n_own =
                            1 + n + (out->information != NULL ? n * n : 0) + scratch_of(model)};
  const size_t n_groups = at->group == NULL ? 1 : at->n_groups;
  double value = batch->constant;
  if (out->gradient != NULL) {
    memset(out->gradient, 0, n_groups * n * sizeof *out->gradient);
  }
  if (out->information != NULL) {
    memset(out->information, 0, n_groups * n * n * sizeof *out->information);
  }
  const pf_status status = all_draws(&self, workspaces, n_workspaces, &value, out->gradient,
                                     out->information, &out->how, error);
  if (status == PF_OK && out->value != NULL) {
    *out->value = value;
  }
  return status;
}

pf_status pf_batch_information_product(const pf_model *model, const pf_batch *batch,
                                       const pf_batch_point *at, const double *direction,
                                       pf_workspace *const *workspaces, size_t n_workspaces,
                                       double *product, uint32_t *how, pf_error *error)
{
  const size_t n = model->n_parameters, n_groups = at->group == NULL ? 1 : at->n_groups;
  const request self = {
      .model = model, .batch = batch, .at = at, .direction = direction, .n = n, .n_own = 1 + n};
  double value = 0.0;
  memset(product, 0, n_groups * n * sizeof *product);
  return all_draws(&self, workspaces, n_workspaces, &value, product, NULL, how, error);
}
