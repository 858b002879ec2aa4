#include "core/population/expansion.h"

#include "core/base/memory.h"
#include "core/population/scale.h"

#include <cblas.h>
#include <lapacke.h>
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
  e->log_likelihood = e->at_point = -minus;
  e->skewness = 0.0;
  change_scale(e, phi);
  return PF_OK;
}

/* ---- means over a normal distribution ---- */

/* The three nodes of Gauss-Hermite quadrature lie at 0 and these sds; nearer where L has no value
 * there. */
static const double node = 1.7320508075688772;
enum { MAX_NEARER = 4 };

/* L and its score on the scale of phi. */
static pf_status find_score(pf_expansion *e, const pf_function *f, const double *phi,
                            double *log_likelihood, double *score, pf_error *error)
{
  const size_t n = e->group->layout->n;
  if (!set_values(e, phi)) {
    return refuse_point(error);
  }
  const pf_status status = f->value(f->self, e->values, log_likelihood, score, error);
  if (status != PF_OK) {
    return status;
  }
  *log_likelihood = -*log_likelihood;
  for (size_t k = 0; k < n; k++) {
    score[k] *= -pf_scale_slope(scale_of(e, k), phi[k]);
  }
  return isfinite(*log_likelihood) && pf_are_finite(score, n)
             ? PF_OK
             : pf_fail(error, PF_POINT_FAILED, "the log likelihood is not finite");
}

/* What is averaged; all of it in one block of memory. */
typedef struct average {
  pf_expansion *e;
  const pf_function *f;
  const double *root; /* [n][n] */
  double *at;         /* [n] a node */
  double *ahead;      /* [n] score there */
  double *behind;     /* [n] score at its mirror image */
  double *change;     /* [n] what the mean score is more than that at the point */
  double *k;          /* [n][n] root' (minus mean second derivative) root */
  double *eigen;      /* [n] */
  double value;       /* what the mean of L is more than L */
  double trace;       /* of k */
} average;

static pf_status find_pair(average *m, size_t column, double h, double *values, pf_error *error)
{
  const size_t n = m->e->group->layout->n;
  for (int side = 0; side < 2; side++) {
    for (size_t k = 0; k < n; k++) {
      m->at[k] = m->e->phi[k] + (side == 0 ? h : -h) * m->root[k * n + column];
    }
    double *score = side == 0 ? m->ahead : m->behind;
    const pf_status status = find_score(m->e, m->f, m->at, &values[side], score, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* root' (minus the second derivative) root along one column, and what the column adds to means. */
static void add_pair(average *m, size_t column, double h, const double *values)
{
  const pf_expansion *e = m->e;
  const size_t n = e->group->layout->n;
  const double weight = 0.5 / (h * h);
  m->value += weight * (values[0] + values[1] - 2.0 * e->at_point);
  for (size_t k = 0; k < n; k++) {
    m->change[k] += weight * (m->ahead[k] + m->behind[k] - 2.0 * e->score[k]);
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      m->k[i * n + column] -= m->root[k * n + i] * (m->ahead[k] - m->behind[k]) / (2.0 * h);
    }
  }
}

/* Along a column where L has no value beside the point, the information so far holds. */
static void add_known(average *m, size_t column)
{
  const pf_expansion *e = m->e;
  const size_t n = e->group->layout->n;
  for (size_t k = 0; k < n; k++) {
    double along = 0.0;
    for (size_t j = 0; j < n; j++) {
      along += e->information[k * n + j] * m->root[j * n + column];
    }
    m->value -= 0.5 * m->root[k * n + column] * along;
    for (size_t i = 0; i < n; i++) {
      m->k[i * n + column] += m->root[k * n + i] * along;
    }
  }
}

static pf_status add_column(average *m, size_t column, pf_error *error)
{
  double h = node;
  for (int i = 0; i < MAX_NEARER; i++, h *= 0.5) {
    double values[2];
    pf_error line = pf_error_none();
    const pf_status status = find_pair(m, column, h, values, &line);
    if (status < 0) {
      return pf_fail(error, status, "%s", line.text);
    }
    if (status == PF_OK) {
      add_pair(m, column, h, values);
      return PF_OK;
    }
  }
  add_known(m, column);
  return PF_OK;
}

/* The information is root'^-1 k root^-1, k without what is negative: where L is not concave the
 * data say nothing and the population alone speaks. */
static bool take_information(average *m)
{
  pf_expansion *e = m->e;
  const size_t n = e->group->layout->n;
  const lapack_int size = (lapack_int)n;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < i; j++) {
      const double mean = 0.5 * (m->k[i * n + j] + m->k[j * n + i]);
      m->k[i * n + j] = m->k[j * n + i] = mean;
    }
  }
  if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', size, m->k, size, m->eigen) != 0) {
    return false;
  }
  /* rows of root'^-1 times eigenvectors, each with the root of its eigenvalue */
  for (size_t i = 0; i < n * n; i++) {
    m->k[i] *= sqrt(fmax(m->eigen[i % n], 0.0));
  }
  for (size_t i = 0; i < n; i++) {
    m->trace += fmax(m->eigen[i], 0.0);
  }
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)n, (int)n, 1.0,
              m->root, (int)n, m->k, (int)n);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)n, 1.0, m->k, (int)n,
              m->k, (int)n, 0.0, e->information, (int)n);
  return pf_are_finite(e->information, n * n);
}

/* The mean score. A change beyond one posterior sd is taken for one: the series does not hold so
 * far. */
static void take_score(average *m)
{
  pf_expansion *e = m->e;
  const size_t n = e->group->layout->n;
  double squares = 0.0;
  for (size_t i = 0; i < n; i++) {
    double along = 0.0;
    for (size_t k = i; k < n; k++) {
      along += m->root[k * n + i] * m->change[k];
    }
    squares += along * along;
  }
  e->skewness = sqrt(squares);
  for (size_t k = 0; k < n; k++) {
    e->score[k] += m->change[k] / fmax(e->skewness, 1.0);
  }
  e->log_likelihood = e->at_point + m->value + 0.5 * m->trace;
}

static pf_status average_all(average *m, const double *phi, pf_error *error)
{
  pf_expansion *e = m->e;
  const pf_status here = find_score(e, m->f, phi, &e->at_point, e->score, error);
  if (here != PF_OK) {
    return here;
  }
  memcpy(e->phi, phi, e->group->layout->n * sizeof *phi);
  for (size_t j = 0; j < m->e->group->layout->n; j++) {
    const pf_status status = add_column(m, j, error);
    if (status != PF_OK) {
      return status;
    }
  }
  if (!take_information(m)) {
    return pf_fail(error, PF_POINT_FAILED, "the information has no finite mean");
  }
  take_score(m);
  return PF_OK;
}

pf_status pf_expansion_average(pf_expansion *e, const double *phi, const double *root,
                               pf_workspaces workspaces, pf_error *error)
{
  const size_t n = e->group->layout->n;
  pf_group_objective *objective = NULL;
  double *memory = pf_memory_need(n * (n + 5), sizeof *memory, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  pf_status status = make_objective(e, workspaces, &objective, error);
  if (status == PF_OK) {
    average m = {.e = e,
                 .f = pf_group_objective_get(objective),
                 .root = root,
                 .k = memory,
                 .at = memory + n * n,
                 .ahead = memory + n * (n + 1),
                 .behind = memory + n * (n + 2),
                 .change = memory + n * (n + 3),
                 .eigen = memory + n * (n + 4)};
    status = average_all(&m, phi, error);
    e->n_evaluations += pf_group_objective_n_evaluations(objective);
    pf_group_objective_free(objective);
  }
  pf_memory_free(memory);
  return status;
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
