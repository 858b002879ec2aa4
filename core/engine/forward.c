/* Forward through an experiment: run by run, a run being the steps up to the next change of the weights. */
#include "core/engine/sweep.h"

#include "core/base/memory.h"

#include <math.h>
#include <string.h>

static int64_t count_changes(const pf_draw *draw, uint32_t run_flags)
{
  int64_t n = 0;
  for (int64_t t = 0; t < draw->n_steps && (run_flags & PF_RUN_NO_PLASTICITY) == 0; t++) {
    n += (draw->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0;
  }
  return n;
}

/** All populations of one phase over steps [first, last]. */
static pf_status run_phase(pf_workspace *workspace, uint8_t phase, const double *theta, int64_t first, int64_t last,
                           int64_t k, pf_error *error)
{
  for (size_t p = 1; p < workspace->model->needs.populations.count; p++) {
    if (workspace->activity[p].phase == phase) {
      pf_status status = pf_run_population(workspace, p, theta, first, last, k, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

static double dt_of(const pf_draw *draw, int64_t t)
{
  return draw->recording->dt == NULL ? 0.0 : draw->recording->dt[t];
}

static pf_status run_trajectory(const pf_draw *draw, const double *theta, pf_workspace *workspace, pf_error *error)
{
  const int64_t last = draw->n_steps - 1;
  int64_t changes = 0;
  pf_status status = run_phase(workspace, PF_PHASE_BEFORE, theta, 0, last, 0, error);
  for (int64_t r = 0; r < workspace->n_runs && status == PF_OK; r++) {
    const pf_run *run = &workspace->runs[r];
    status = run_phase(workspace, PF_PHASE_PLASTIC, theta, run->first, run->end, r, error);
    if (status == PF_OK && run->changes != 0) {
      status = pf_run_change(workspace, theta, run->end, r, draw->modulators, run->end, draw->flags[run->end],
                             dt_of(draw, run->end), error);
      changes++;
    }
    if (status != PF_OK) {
      pf_run_locate(error, draw->recording->name, run->end);
    }
  }
  workspace->n_changes = changes;
  return status == PF_OK ? run_phase(workspace, PF_PHASE_AFTER, theta, 0, last, 0, error) : status;
}

pf_status pf_run_overflowed(const pf_draw *draw, const pf_model *model, const pf_plastic *plastic, const double *theta,
                            int64_t step, pf_error *error)
{
  const pf_projection_table *table = &model->needs.projections;
  const pf_projection *info = pf_table_at(table->items, table->stride, table->count, (size_t)plastic->projection);
  if (step < 0) {
    return pf_fail(error, PF_POINT_FAILED, "experiment %s: an initial weight of '%s' is not finite",
                   draw->recording->name, info->name);
  }
  if (plastic->needs.parameters.count == 0) {
    return pf_fail(error, PF_POINT_FAILED, "experiment %s, step %lld: the weights of '%s' overflowed",
                   draw->recording->name, (long long)step, info->name);
  }
  size_t worst = plastic->theta0;
  for (size_t i = 0; i < plastic->needs.parameters.count; i++) {
    size_t at = plastic->theta0 + i;
    worst = fabs(theta[at]) > fabs(theta[worst]) || isnan(theta[at]) ? at : worst;
  }
  return pf_fail(error, PF_POINT_FAILED,
                 "experiment %s, step %lld: the weights of '%s' overflowed; the largest coefficient of %s is %s = %g",
                 draw->recording->name, (long long)step, info->name, plastic->rule->label,
                 model->parameters[worst].declared.name, theta[worst]);
}

/** Did weights stay finite? A weight that overflowed stays so, hence the last state tells; the first one is found. */
static pf_status check_weights(const pf_draw *draw, const double *theta, const pf_workspace *workspace, pf_error *error)
{
  const pf_model *model = workspace->model;
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const pf_weights *weights = &workspace->weights[plastic->projection];
    if (pf_all_finite(pf_weights_state(weights, workspace->n_changes), weights->cells)) {
      continue;
    }
    int64_t k = 0;
    while (pf_all_finite(pf_weights_state(weights, k), weights->cells)) {
      k++;
    }
    const int64_t step = k == 0 ? -1 : workspace->runs[k - 1].end;
    return pf_run_overflowed(draw, model, plastic, theta, step, error);
  }
  return PF_OK;
}

static pf_status evaluate_loss(const pf_draw *draw, const double *theta, size_t k, pf_workspace *workspace,
                               pf_loss_value *value, pf_error *error)
{
  const pf_component *loss = workspace->model->losses[k].loss;
  pf_loss_view view;
  pf_run_loss_view(workspace, k, draw, theta, &view);
  pf_status status =
      loss->plugin->loss->evaluate(loss->self, &view.in, workspace->log_likelihood, workspace->count, error);
  if (status != PF_OK) {
    pf_run_locate(error, draw->recording->name, 0);
    return status;
  }
  *value = (pf_loss_value){0};
  for (int64_t t = 0; t < draw->n_steps; t++) {
    value->log_likelihood += workspace->log_likelihood[t];
    value->count += workspace->count[t];
  }
  if (!isfinite(value->log_likelihood)) {
    int64_t t = 0;
    while (isfinite(workspace->log_likelihood[t])) {
      t++;
    }
    return pf_fail(error, PF_POINT_FAILED, "experiment %s, step %lld: %s is %g, expected a finite log likelihood",
                   draw->recording->name, (long long)t, loss->label, workspace->log_likelihood[t]);
  }
  return PF_OK;
}

pf_status pf_run_losses(const pf_draw *draw, const double *theta, uint32_t count_flag, pf_workspace *workspace,
                        pf_loss_value *values, pf_error *error)
{
  pf_status status = PF_OK;
  pf_run_mark_scored(workspace, draw, count_flag);
  for (size_t k = 0; k < workspace->model->n_losses && values != NULL && status == PF_OK; k++) {
    status = evaluate_loss(draw, theta, k, workspace, &values[k], error);
  }
  return status;
}

pf_status pf_run_begin(pf_workspace *workspace, const pf_draw *draw, const double *theta, uint32_t run_flags,
                       pf_error *error)
{
  if (draw->n_steps > workspace->capacity) {
    return pf_fail(error, PF_STOP, "experiment %s has %lld steps, more than the %lld that room was made for",
                   draw->recording->name, (long long)draw->n_steps, (long long)workspace->capacity);
  }
  workspace->n_steps = draw->n_steps;
  workspace->activity[0].signals = draw->input;
  workspace->activity[0].ld = draw->ld_input;
  workspace->n_runs = pf_plan_runs(draw->flags, draw->n_steps, run_flags, workspace->runs);
  return pf_run_start(workspace, theta, draw->noise, draw->given_w, error);
}

pf_status pf_forward(const pf_model *model, const pf_draw *draw, const double *theta, uint32_t run_flags,
                     uint32_t count_flag, pf_workspace *workspace, pf_loss_value *values, pf_error *error)
{
  if ((run_flags & PF_RUN_FORGET_WEIGHTS) != 0 && pf_sweep_can(model)) {
    return pf_sweep_forward(model, draw, theta, run_flags, count_flag, &workspace, 1, values, error);
  }
  pf_status status = pf_workspace_reserve(workspace, count_changes(draw, run_flags) + 1, error);
  status = status == PF_OK ? pf_run_begin(workspace, draw, theta, run_flags, error) : status;
  status = status == PF_OK ? run_trajectory(draw, theta, workspace, error) : status;
  workspace->keeps_states = true;
  status = status == PF_OK ? check_weights(draw, theta, workspace, error) : status;
  return status == PF_OK ? pf_run_losses(draw, theta, count_flag, workspace, values, error) : status;
}
