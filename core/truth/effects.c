#include "core/truth/effects.h"

#include "core/base/memory.h"
#include "core/engine/simulation.h"

#include <math.h>
#include <string.h>

enum { MAX_GROUPS_SIMULATED = 4 };

/** Weights of the first rows of a projection after every change, with and without a coefficient. */
typedef struct trial_run {
  const pf_problem *problem;
  const pf_draw *draw;
  pf_workspace *workspace;
  double *theta;       /**< [n_parameters] */
  pf_real *with;       /**< [n] */
  pf_real *without;    /**< [n] */
  size_t n, n_weights; /**< cells with padding; of them, weights */
  size_t rule;
  int64_t rows; /**< of the projection that are looked at: what a few MiB hold */
} trial_run;

enum { MAX_CELLS = 1 << 20 }; /* of `with` and of `without`, but for one row at least */

/** False: the weights overflow. */
static bool simulate_weights(const trial_run *run, pf_real *states, pf_error *error)
{
  const pf_simulation simulation = {
      run->problem->model, run->draw, run->theta, {&run->workspace, 1}};
  return pf_forward(&simulation, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error) == PF_OK &&
         pf_simulation_rows(&simulation, run->rule, 0, run->rows, states, error) == PF_OK;
}

/** Root mean square. */
static double size_of_weights(const trial_run *run)
{
  double squares = 0.0;
  for (size_t i = 0; i < run->n; i++) {
    squares += (double)run->with[i] * (double)run->with[i];
  }
  return sqrt(squares / (double)run->n);
}

/*
 * Without a decay, say, weights grow without end. So no change counts for more than the weights
 * are: else every other term would look small beside it. Where they overflow without a term, nobody
 * can say how much it does.
 */
static void add_effects(trial_run *run, double *effects)
{
  const pf_plastic *plastic = &run->problem->model->plastic[run->rule];
  pf_error ignored = pf_error_none();
  if (!simulate_weights(run, run->with, &ignored)) {
    return;
  }
  const double size = size_of_weights(run);
  for (size_t k = 0; k < plastic->declared.parameters.count; k++) {
    const double kept = run->theta[plastic->theta0 + k];
    double sum = kept == 0.0 ? 0.0 : (double)INFINITY; /* unless they can be simulated */
    run->theta[plastic->theta0 + k] = 0.0;
    if (kept != 0.0 && simulate_weights(run, run->without, &ignored)) {
      sum = 0.0;
      for (size_t i = 0; i < run->n; i++) {
        const double change = fabs((double)run->with[i] - (double)run->without[i]);
        sum += fmin(change, size) * fmin(change, size);
      }
    }
    run->theta[plastic->theta0 + k] = kept;
    effects[k] += sum / (double)run->n_weights;
  }
}

static pf_status simulate_group(const pf_problem *problem, const pf_fit_group *group, size_t p,
                                double *effects, pf_error *error)
{
  const pf_model *model = problem->model;
  trial_run run = {.problem = problem, .draw = group->draws[0], .rule = p};
  pf_status status = pf_workspace_create(model, run.draw->n_steps, &run.workspace, error);
  if (status != PF_OK) {
    return status;
  }
  size_t n_states = 1;
  for (int64_t t = 0; t < run.draw->n_steps; t++) {
    n_states += (run.draw->flags[t] & PF_STEP_PLASTIC) != 0 ? 1 : 0;
  }
  const size_t row_cells = n_states * (size_t)pf_workspace_ld(run.workspace, p);
  const size_t n_rows = row_cells < MAX_CELLS ? MAX_CELLS / row_cells : 1;
  run.rows =
      (int64_t)n_rows < model->plastic[p].n_post ? (int64_t)n_rows : model->plastic[p].n_post;
  run.n = row_cells * (size_t)run.rows;
  run.n_weights = n_states * (size_t)model->plastic[p].n_pre * (size_t)run.rows;
  run.theta = pf_memory_need(model->n_parameters, sizeof *run.theta, error);
  run.with = pf_memory_need(run.n, sizeof *run.with, error);
  run.without = pf_memory_need(run.n, sizeof *run.without, error);
  if (run.theta == NULL || run.with == NULL || run.without == NULL) {
    status = PF_STOP;
  } else {
    pf_layout_theta(group->layout, group->values, 0, run.theta);
    add_effects(&run, effects);
  }
  pf_memory_free(run.theta);
  pf_memory_free(run.with);
  pf_memory_free(run.without);
  pf_workspace_free(run.workspace);
  return status;
}

pf_status pf_coefficient_effects(const pf_problem *problem, const pf_fit *fit, size_t p,
                                 double *effects, pf_error *error)
{
  const size_t n = problem->model->plastic[p].declared.parameters.count;
  size_t n_simulated = 0;
  memset(effects, 0, n * sizeof *effects);
  for (size_t u = 0; u < fit->n_groups && n_simulated < MAX_GROUPS_SIMULATED; u++) {
    const pf_fit_group *group = &fit->groups[u];
    if (group->status != PF_OK || group->n_draws == 0) {
      continue;
    }
    const pf_status status = simulate_group(problem, group, p, effects, error);
    if (status != PF_OK) {
      return status;
    }
    n_simulated++;
  }
  for (size_t k = 0; k < n; k++) {
    effects[k] = sqrt(effects[k]);
  }
  return PF_OK;
}
