#include "core/sensitivity/information.h"

#include "core/sensitivity/loss_information.h"
#include "core/sensitivity/tangent_simulation.h"

#include <math.h>
#include <string.h>

/** Sums in the order of the tangents, zeroed. */
static pf_status make_sums(const pf_tangents *self, const pf_information_out *out,
                           pf_loss_sums *sums, pf_error *error)
{
  const pf_loss_sums wanted = {.information = out->information, .step_scores = out->step_scores};
  const size_t count = pf_loss_sums_size(&wanted, self->n, self->draw->n_steps);
  double *block = pf_pool_need(&self->kept->sums, count, sizeof *block, error);
  if (block == NULL) {
    return PF_STOP;
  }
  memset(block, 0, count * sizeof *block);
  *sums = pf_loss_sums_at(block, &wanted, self->n);
  return PF_OK;
}

static pf_status check_sums(const pf_tangents *self, const pf_loss_sums *sums, pf_error *error)
{
  const size_t n_theta = self->model->n_parameters;
  for (size_t k = 0; k < self->n; k++) {
    const double diagonal = sums->information == NULL ? 0.0 : sums->information[k * self->n + k];
    if (isfinite(sums->gradient[k]) && isfinite(diagonal)) {
      continue;
    }
    size_t i = 0;
    while (i + 1 < n_theta && self->along[k * n_theta + i] == 0.0) {
      i++;
    }
    return pf_fail(error, PF_POINT_FAILED,
                   "experiment %s: the sensitivity to %s is not finite although the simulation "
                   "is; the trajectory is too sensitive at these coefficients",
                   self->draw->recording->name, self->model->parameters[i].declared.name);
  }
  return PF_OK;
}

/** Add to what the caller gave, in the caller's order. */
static void add_to_caller(const pf_tangents *self, const pf_loss_sums *sums,
                          pf_information_out *out)
{
  const size_t n = self->n;
  for (size_t k = 0; k < n; k++) {
    const size_t to = self->order[k];
    if (out->gradient != NULL) {
      out->gradient[to] += sums->gradient[k];
    }
    for (size_t l = k; l < n && out->information != NULL; l++) {
      const size_t other = self->order[l];
      out->information[to * n + other] += sums->information[k * n + l];
      if (l != k) {
        out->information[other * n + to] += sums->information[k * n + l];
      }
    }
    for (size_t t = 0; t < (size_t)self->draw->n_steps && out->step_scores != NULL; t++) {
      out->step_scores[t * n + to] += sums->step_scores[t * n + k];
    }
  }
}

pf_status pf_information(const pf_information_in *in, const pf_directions *directions,
                         pf_information_out *out, pf_error *error)
{
  pf_tangent_losses losses = {.scale = in->scale};
  pf_tangents self;
  pf_status status = pf_tangents_begin(&self, in, directions, &out->how, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_sums(&self, out, &losses.sums, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_tangents_simulate(&self, &losses, error);
  if (status != PF_OK) {
    return status;
  }
  pf_loss_value *values = out->values;
  if (values == NULL) {
    values = pf_pool_need(&self.kept->scratch, in->model->n_losses, sizeof *values, error);
    if (values == NULL) {
      return PF_STOP;
    }
  }
  const pf_simulation simulation = {
      in->model, in->draw, in->theta, {in->workspaces, in->n_workspaces}};
  status = pf_losses_evaluate(&simulation, PF_STEP_FIT, values, error);
  if (status != PF_OK) {
    return status;
  }
  if (!losses.added) {
    const pf_loss_part everything = {0};
    status =
        pf_tangents_losses(&self, in->scale, &everything, in->workspaces[0], &losses.sums, error);
    if (status != PF_OK) {
      return status;
    }
  }
  status = check_sums(&self, &losses.sums, error);
  if (status != PF_OK) {
    return status;
  }
  add_to_caller(&self, &losses.sums, out);
  return PF_OK;
}
