#include "core/population/expansion.h"

#include "core/base/memory.h"
#include "core/population/scale.h"

#include <math.h>
#include <string.h>

static pf_scale scale_of(const pf_expansion *e, size_t k)
{
  return pf_scale_of(e->group->layout, k, e->bounded);
}

static bool set_values(pf_expansion *e, const double *phi)
{
  const pf_layout *layout = e->group->layout;
  for (size_t k = 0; k < layout->n; k++) {
    e->values[k] = pf_scale_from_line(scale_of(e, k), phi[k]);
    if (!(e->values[k] >= layout->lower[k] && e->values[k] <= layout->upper[k])) {
      return false;
    }
  }
  return true;
}

static pf_status make_objective(const pf_expansion *e, pf_workspaces workspaces,
                                pf_group_objective **out, pf_error *error)
{
  const pf_group_objective_in in = {.problem = e->problem,
                                    .layout = e->group->layout,
                                    .batches = &e->evidence.batches,
                                    .workspaces = workspaces.items,
                                    .n_workspaces = workspaces.n};
  return pf_group_objective_create(&in, out, error);
}

static pf_status refuse_point(pf_error *error)
{
  return pf_fail(error, PF_POINT_FAILED, "a value lies outside its bounds");
}

pf_status pf_expansion_value(pf_expansion *e, const double *phi, pf_workspaces workspaces,
                             double *log_likelihood, pf_error *error)
{
  pf_group_objective *objective = NULL;
  if (!set_values(e, phi)) {
    return refuse_point(error);
  }
  pf_status status = make_objective(e, workspaces, &objective, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_function *f = pf_group_objective_get(objective);
  status = f->value(f->self, e->values, log_likelihood, NULL, error);
  *log_likelihood = -*log_likelihood;
  e->n_evaluations += pf_group_objective_n_evaluations(objective);
  pf_group_objective_free(objective);
  if (status == PF_OK && !isfinite(*log_likelihood)) {
    return pf_fail(error, PF_POINT_FAILED, "the log likelihood is not finite");
  }
  return status;
}

/* From values to the scale of phi. */
static void change_scale(pf_expansion *e, const double *phi)
{
  const size_t n = e->group->layout->n;
  double *slope = e->values; /* not needed any more */
  for (size_t k = 0; k < n; k++) {
    slope[k] = pf_scale_slope(scale_of(e, k), phi[k]);
    e->score[k] *= -slope[k];
    e->phi[k] = phi[k];
  }
  for (size_t i = 0; i < n * n; i++) {
    e->information[i] *= slope[i / n] * slope[i % n];
  }
}

pf_status pf_expansion_move(pf_expansion *e, const double *phi, pf_workspaces workspaces,
                            pf_error *error)
{
  const size_t n = e->group->layout->n;
  pf_group_objective *objective = NULL;
  if (!set_values(e, phi)) {
    return refuse_point(error);
  }
  pf_status status = make_objective(e, workspaces, &objective, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_function *f = pf_group_objective_get(objective);
  double minus = NAN;
  if (f->curvature == NULL) {
    status = pf_fail(error, PF_STOP,
                     "this model has no information matrix, which a population fit "
                     "needs");
  } else {
    status = f->curvature(f->self, e->values, &minus, e->score, e->information, error);
  }
  e->n_evaluations += pf_group_objective_n_evaluations(objective);
  e->derivatives |= pf_group_objective_how(objective);
  pf_group_objective_free(objective);
  if (status != PF_OK) {
    return status;
  }
  if (!isfinite(minus) || !pf_are_finite(e->score, n) || !pf_are_finite(e->information, n * n)) {
    return pf_fail(error, PF_POINT_FAILED, "the log likelihood is not finite");
  }
  e->log_likelihood = -minus;
  change_scale(e, phi);
  return PF_OK;
}

pf_status pf_expansion_create(const pf_problem *problem, const pf_fit_group *group, bool bounded,
                              pf_workspaces workspaces, pf_expansion *out, pf_error *error)
{
  const size_t n = group->layout->n;
  *out = (pf_expansion){.problem = problem, .group = group, .bounded = bounded};
  out->memory = pf_memory_need(n * (n + 4), sizeof *out->memory, error);
  if (out->memory == NULL) {
    return PF_STOP;
  }
  out->information = out->memory;
  out->phi = out->information + n * n;
  out->score = out->phi + n;
  out->values = out->score + n;
  double *start = out->values + n;
  pf_status status =
      pf_evidence_create(problem, group, group->values, workspaces, &out->evidence, error);
  if (status == PF_OK) {
    for (size_t k = 0; k < n; k++) {
      start[k] = pf_scale_to_line(scale_of(out, k), group->values[k]);
    }
    status = pf_expansion_move(out, start, workspaces, error);
  }
  if (status != PF_OK) {
    pf_expansion_clear(out);
  }
  return status;
}

void pf_expansion_clear(pf_expansion *e)
{
  pf_evidence_clear(&e->evidence);
  pf_memory_free(e->memory);
  *e = (pf_expansion){0};
}
