/*
 * The Gauss-Newton matrix times a vector: the tangent of the trajectory along it (J v), what the
 * losses' curvature makes of that (C J v), and the adjoint with this as cotangent of the
 * observables (J' C J v). For the adjoint the engine is given the same model with other losses:
 * linear ones, whose gradient is what was worked out.
 */
#include "core/engine/failures.h"
#include "core/engine/simulation.h"
#include "core/engine/trajectory.h"
#include "core/sensitivity/sensitivity_private.h"

#include <plastfit/abi/plugin.h>

#include <string.h>

/* ---- linear losses: sum over cells of weight * observable ---- */

typedef struct linear_loss {
  const pf_real
      *weight[PF_LOSS_MAX_ARRAYS]; /**< [n_steps][columns] of each observable, scale in it */
  const int64_t *columns;
  size_t n_observables;
} linear_loss;

static pf_status linear_evaluate(const void *self, const pf_loss_in *in, double *log_likelihood,
                                 int64_t *count, pf_error *error)
{
  (void)self;
  (void)error;
  for (int64_t t = 0; t < in->n_steps; t++) {
    log_likelihood[t] = 0.0; /* only the gradient is asked for */
    count[t] = 0;
  }
  return PF_OK;
}

static pf_status linear_vjp(const void *self, const pf_loss_in *in, const double *cotangent,
                            const pf_loss_gradient *gradient, pf_error *error)
{
  const linear_loss *loss = self;
  (void)error;
  for (size_t o = 0; o < loss->n_observables; o++) {
    const int64_t n = loss->columns[o];
    for (int64_t t = 0; t < in->n_steps && gradient->observable[o] != NULL; t++) {
      pf_real *to = gradient->observable[o] + t * gradient->ld_observable[o];
      for (int64_t i = 0; i < n; i++) {
        to[i] += (pf_real)cotangent[t] * loss->weight[o][t * n + i];
      }
    }
  }
  return PF_OK;
}

static const pf_loss_ops linear_ops = {
    .size = sizeof linear_ops, .evaluate = linear_evaluate, .vjp = linear_vjp};
static const pf_plugin linear_plugin = {PF_PLUGIN_HEAD(PF_KIND_LOSS), .name = "linear",
                                        .loss = &linear_ops};

/* ---- C J v of one loss ---- */

/** A loss, the tangents of what it sees, and where their images go. */
typedef struct image {
  const pf_tangents *self; /* of one direction */
  const pf_loss_term *info;
  const pf_loss_ops *ops;
  pf_loss_view view;
  double scale;
  const pf_planes *planes[PF_LOSS_MAX_ARRAYS];
  pf_real *weight[PF_LOSS_MAX_ARRAYS]; /* [n_steps][columns] */
  pf_real *basis;                      /* a plane [n_steps][ld] of the widest observable */
  pf_real *root_v, *root_b;            /* [n_steps][n_whitened] */
  double *own;                         /* [parameters of the loss], the direction's part */
  double *product;                     /* [n_parameters] of the model */
  int64_t n_whitened;
} image;

static bool moves(const image *at)
{
  bool any = false;
  for (size_t i = 0; i < at->info->declared.parameters.count; i++) {
    any = any || at->own[i] != 0.0;
  }
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    any = any || (at->planes[o]->cells != NULL && at->planes[o]->n_active > 0);
  }
  return any;
}

/** Root of one tangent: planes [n_steps][ld] of the observables (NULL: zero) and theta (NULL:
 * zero). */
static pf_status whiten(const image *at, const pf_real *const *tangent, const double *theta,
                        pf_real *root, pf_error *error)
{
  const int64_t stride[PF_LOSS_MAX_ARRAYS] = {0};
  const pf_loss_tangent along = {.size = sizeof along,
                                 .n_tangents = 1,
                                 .observable = tangent,
                                 .stride = stride,
                                 .theta = theta};
  const int64_t cells = at->self->draw->n_steps * at->n_whitened;
  return at->ops->whiten(at->info->loss->self, &at->view.in, &along, root, cells, at->n_whitened,
                         error);
}

/** root_v . root_b at step t. */
static double dot(const image *at, int64_t t)
{
  double sum = 0.0;
  for (int64_t c = 0; c < at->n_whitened; c++) {
    sum += (double)at->root_v[t * at->n_whitened + c] * (double)at->root_b[t * at->n_whitened + c];
  }
  return at->scale * sum;
}

/** Information is diagonal, and the loss has no parameters: one call with tangents of 1 gives all.
 */
static pf_status weigh_diagonal(image *at, pf_error *error)
{
  const int64_t n = at->view.n_observable[0], n_steps = at->self->draw->n_steps;
  const pf_real *ones[] = {at->basis};
  for (int64_t c = 0; c < n_steps * at->view.ld_observable[0]; c++) {
    at->basis[c] = (pf_real)1;
  }
  const pf_status status = whiten(at, ones, NULL, at->root_v, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    const pf_real *tangent = pf_planes_at(at->planes[0], t, 0);
    for (int64_t i = 0; i < n; i++) {
      const pf_real root = at->root_v[t * n + i];
      at->weight[0][t * n + i] = (pf_real)at->scale * (root * root) * tangent[i];
    }
  }
  return PF_OK;
}

/** The matrix of a step is known from the roots of unit tangents: (C v)_b = root_b . root_v. */
static pf_status weigh_whitened(image *at, pf_error *error)
{
  const int64_t n_steps = at->self->draw->n_steps;
  const size_t n_observables = at->info->declared.observables.count,
               n_own = at->info->declared.parameters.count;
  const pf_real *tangent[PF_LOSS_MAX_ARRAYS] = {NULL};
  pf_real *copy = at->basis; /* the direction's own tangents, each with its observable's ld */
  for (size_t o = 0; o < n_observables; o++) {
    const int64_t ld = at->view.ld_observable[o];
    if (at->planes[o]->cells == NULL || at->planes[o]->n_active == 0) {
      continue;
    }
    tangent[o] = copy;
    for (int64_t t = 0; t < n_steps; t++) {
      memcpy(copy + t * ld, pf_planes_at(at->planes[o], t, 0),
             (size_t)at->view.n_observable[o] * sizeof *copy);
    }
    copy += n_steps * ld;
  }
  pf_status status = whiten(at, tangent, at->own, at->root_v, error);
  for (size_t o = 0; o < n_observables && status == PF_OK; o++) {
    const int64_t n = at->view.n_observable[o], ld = at->view.ld_observable[o];
    const pf_real *unit[PF_LOSS_MAX_ARRAYS] = {NULL};
    unit[o] = at->basis;
    for (int64_t i = 0; i < n && status == PF_OK; i++) {
      memset(at->basis, 0, (size_t)(n_steps * ld) * sizeof *at->basis);
      for (int64_t t = 0; t < n_steps; t++) {
        at->basis[t * ld + i] = (pf_real)1;
      }
      status = whiten(at, unit, NULL, at->root_b, error);
      for (int64_t t = 0; t < n_steps && status == PF_OK; t++) {
        at->weight[o][t * n + i] = (pf_real)dot(at, t);
      }
    }
  }
  for (size_t i = 0; i < n_own && status == PF_OK; i++) {
    const pf_real *none[PF_LOSS_MAX_ARRAYS] = {NULL};
    memset(at->own, 0, n_own * sizeof *at->own);
    at->own[i] = 1.0;
    status = whiten(at, none, at->own, at->root_b, error);
    for (int64_t t = 0; t < n_steps && status == PF_OK; t++) {
      at->product[at->info->theta0 + i] += dot(at, t);
    }
  }
  return status;
}

static pf_status make_image(image *at, pf_error *error)
{
  if (!moves(at)) {
    return PF_OK;
  }
  if (PF_HAS(at->ops, pf_loss_ops, whiten) && at->ops->whiten != NULL) {
    return pf_loss_is_diagonal(&at->info->declared) && at->info->declared.parameters.count == 0
               ? weigh_diagonal(at, error)
               : weigh_whitened(at, error);
  }
  return pf_fail(error, PF_STOP,
                 "%s says nothing of its curvature (no op `whiten`), which this needs; optimisers "
                 "that use gradients "
                 "alone do without",
                 at->info->loss->label);
}

/* ---- the product ---- */

/** Memory of all losses' images. */
static size_t cells_of(const pf_model *model, const pf_workspace *workspace, int64_t n_steps,
                       size_t *spare)
{
  size_t cells = 0;
  *spare = 0;
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_term *info = &model->losses[k];
    size_t wide = 0, whitened = (size_t)info->declared.n_whitened;
    for (size_t o = 0; o < info->declared.observables.count; o++) {
      int64_t n = 0, ld = 0;
      (void)pf_workspace_observable(workspace, info->observables[o], &n, &ld);
      cells += (size_t)(n_steps * n);
      wide += (size_t)ld;
      whitened = o == 0 && whitened == 0 ? (size_t)n : whitened;
    }
    const size_t own = (size_t)n_steps * (wide + 2 * whitened);
    *spare = own > *spare ? own : *spare;
  }
  return cells;
}

/** Everything one product carries. */
typedef struct images {
  pf_loss_term *terms; /* [n_losses] linear ones */
  pf_component *components;
  linear_loss *losses;
  int64_t *columns; /* [n_losses][PF_LOSS_MAX_ARRAYS] */
  double *own;
  pf_real *cells, *spare;
} images;

static pf_status make_room(const pf_tangents *self, images *all, pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  const size_t n = self->model->n_losses;
  size_t spare = 0;
  const size_t cells =
      kept == NULL ? 0 : cells_of(self->model, self->workspaces[0], self->draw->n_steps, &spare);
  all->terms = kept == NULL ? NULL : pf_pool_need(&kept->whiten, n, sizeof *all->terms, error);
  all->components =
      kept == NULL ? NULL : pf_pool_need(&kept->root, n, sizeof *all->components, error);
  all->losses = kept == NULL ? NULL : pf_pool_need(&kept->loss, n, sizeof *all->losses, error);
  all->columns = kept == NULL ? NULL
                              : pf_pool_need(&kept->lanes, n * PF_LOSS_MAX_ARRAYS,
                                             sizeof *all->columns, error);
  all->own = kept == NULL
                 ? NULL
                 : pf_pool_need(&kept->scores, self->model->n_parameters, sizeof *all->own, error);
  all->cells =
      kept == NULL ? NULL : pf_pool_need(&kept->scratch, cells + spare, sizeof *all->cells, error);
  if (all->terms == NULL || all->components == NULL || all->losses == NULL ||
      all->columns == NULL || all->own == NULL || all->cells == NULL) {
    return PF_STOP;
  }
  memset(all->cells, 0, (cells + spare) * sizeof *all->cells);
  all->spare = all->cells + cells;
  return PF_OK;
}

/** Loss k's image, and the linear loss that has it as gradient. */
static pf_status add_image(const pf_tangents *self, images *all, size_t k, double scale,
                           double *product, pf_real **cells, pf_error *error)
{
  const pf_model *model = self->model;
  const pf_observable_table *table = &model->declared.observables;
  image at = {
      .self = self, .info = &model->losses[k], .scale = scale, .product = product, .own = all->own};
  at.ops = at.info->loss->plugin->loss;
  pf_losses_view(self->workspaces[0], k, self->draw, self->theta, &at.view);
  all->losses[k] = (linear_loss){.n_observables = at.info->declared.observables.count,
                                 .columns = all->columns + k * PF_LOSS_MAX_ARRAYS};
  int64_t wide = 0;
  for (size_t o = 0; o < at.info->declared.observables.count; o++) {
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)at.info->observables[o]);
    at.planes[o] = pf_tangents_planes(self, info->population, info->signal);
    at.weight[o] = *cells;
    all->losses[k].weight[o] = *cells;
    all->columns[k * PF_LOSS_MAX_ARRAYS + o] = at.view.n_observable[o];
    *cells += self->draw->n_steps * at.view.n_observable[o];
    wide += at.view.ld_observable[o];
  }
  at.n_whitened =
      at.info->declared.n_whitened > 0 ? at.info->declared.n_whitened : at.view.n_observable[0];
  at.basis = all->spare;
  at.root_v = at.basis + self->draw->n_steps * wide;
  at.root_b = at.root_v + self->draw->n_steps * at.n_whitened;
  for (size_t i = 0; i < at.info->declared.parameters.count; i++) {
    at.own[i] = self->along[at.info->theta0 + i];
  }
  const pf_status status = make_image(&at, error);
  if (status != PF_OK) {
    pf_error_at_step(error, self->draw->recording->name, 0);
  }
  all->components[k] = (pf_component){
      .plugin = &linear_plugin, .self = &all->losses[k], .label = at.info->loss->label};
  all->terms[k] = *at.info;
  all->terms[k].loss = &all->components[k];
  all->terms[k].declared.targets.count = 0;
  all->terms[k].declared.flags = 0; /* not by unit: cotangents are those of the whole */
  return status;
}

pf_status pf_information_product(const pf_model *model, const pf_draw *draw, const double *theta,
                                 const double *direction, const double *scale,
                                 pf_workspace *const *workspaces, size_t n_workspaces,
                                 double *product, uint32_t *how, pf_error *error)
{
  const pf_directions one = {.n = 1, .along = direction};
  pf_tangents self = {.model = model,
                      .draw = draw,
                      .theta = theta,
                      .workspaces = workspaces,
                      .n_workspaces = n_workspaces,
                      .how = how};
  images all;
  pf_status status = pf_tangents_make(&self, &one, error);
  status = status == PF_OK ? make_room(&self, &all, error) : status;
  pf_losses_mark_scored(workspaces[0], draw, PF_STEP_FIT);
  pf_real *cells = status == PF_OK ? all.cells : NULL;
  for (size_t k = 0; k < model->n_losses && status == PF_OK; k++) {
    status = add_image(&self, &all, k, scale[k], product, &cells, error);
  }
  if (status != PF_OK) {
    return status;
  }
  pf_model linear = *model;
  linear.losses = all.terms;
  double *ones = all.own; /* [n_losses], the scale is in the weights */
  if (model->n_losses > model->n_parameters) {
    ones = pf_pool_need(&pf_sensitivity_of(workspaces[0], error)->scores, model->n_losses,
                        sizeof *ones, error);
    if (ones == NULL) {
      return PF_STOP;
    }
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    ones[k] = 1.0;
  }
  for (size_t w = 0; w < n_workspaces; w++) {
    workspaces[w]->model = &linear;
  }
  status = pf_gradient(&linear, draw, theta, ones, workspaces, n_workspaces, NULL, product, error);
  for (size_t w = 0; w < n_workspaces; w++) {
    workspaces[w]->model = model;
  }
  return status;
}
