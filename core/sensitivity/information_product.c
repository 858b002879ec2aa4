#include "core/sensitivity/information_product.h"

#include "core/engine/simulation.h"
#include "core/sensitivity/loss_information.h"
#include "core/sensitivity/tangent_simulation.h"
#include "core/state/failures.h"

#include <plastfit/abi/plugin.h>

#include <string.h>

/* ---- linear losses: sum over cells of weight * observable ---- */

typedef struct linear_loss {
  pf_real *weight[PF_LOSS_MAX_ARRAYS]; /* [n_steps][columns] of each observable, scale in it */
  int64_t columns[PF_LOSS_MAX_ARRAYS];
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
  pf_real *const *weight;   /* [n_steps][columns] of each observable */
  pf_real *basis;           /* planes [n_steps][ld] of all observables */
  pf_real *root_v, *root_b; /* [n_steps][n_whitened] */
  double *own;              /* [parameters of the loss], the direction's part */
  double *product;          /* [n_parameters] of the model */
  int64_t n_whitened;
} image;

static bool has_tangent(const image *at, size_t o)
{
  return at->planes[o]->cells != NULL && at->planes[o]->n_active > 0;
}

static bool moves_loss(const image *at)
{
  for (size_t i = 0; i < at->info->declared.parameters.count; i++) {
    if (at->own[i] != 0.0) {
      return true;
    }
  }
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    if (has_tangent(at, o)) {
      return true;
    }
  }
  return false;
}

/** Root of one tangent: planes [n_steps][ld] of the observables (NULL: zero) and theta (NULL:
 * zero). */
static pf_status whiten_tangent(const image *at, const pf_real *const *tangent, const double *theta,
                                pf_real *root, pf_error *error)
{
  const int64_t stride[PF_LOSS_MAX_ARRAYS] = {0};
  const pf_loss_tangent along = {.size = sizeof along,
                                 .n_tangents = 1,
                                 .observable = tangent,
                                 .stride = stride,
                                 .theta = theta};
  const pf_loss_roots out = {.size = sizeof out,
                             .root = root,
                             .stride = at->self->draw->n_steps * at->n_whitened,
                             .ld = at->n_whitened};
  return at->ops->whiten(at->info->loss->self, &at->view.in, &along, &out, error);
}

/** root_v . root_b at step t. */
static double multiply_roots(const image *at, int64_t t)
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
  const pf_status status = whiten_tangent(at, ones, NULL, at->root_v, error);
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

/** The direction's own tangents, each with its observable's ld, into `copy`. */
static void copy_tangents(const image *at, pf_real *copy, const pf_real **tangent)
{
  const int64_t n_steps = at->self->draw->n_steps;
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    const int64_t ld = at->view.ld_observable[o];
    if (!has_tangent(at, o)) {
      continue;
    }
    tangent[o] = copy;
    for (int64_t t = 0; t < n_steps; t++) {
      memcpy(copy + t * ld, pf_planes_at(at->planes[o], t, 0),
             (size_t)at->view.n_observable[o] * sizeof *copy);
    }
    copy += n_steps * ld;
  }
}

/** (C v) of unit i of observable o at every step. */
static pf_status weigh_unit(image *at, size_t o, int64_t i, pf_error *error)
{
  const int64_t n_steps = at->self->draw->n_steps;
  const int64_t n = at->view.n_observable[o], ld = at->view.ld_observable[o];
  const pf_real *unit[PF_LOSS_MAX_ARRAYS] = {NULL};
  unit[o] = at->basis;
  memset(at->basis, 0, (size_t)(n_steps * ld) * sizeof *at->basis);
  for (int64_t t = 0; t < n_steps; t++) {
    at->basis[t * ld + i] = (pf_real)1;
  }
  const pf_status status = whiten_tangent(at, unit, NULL, at->root_b, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < n_steps; t++) {
    at->weight[o][t * n + i] = (pf_real)multiply_roots(at, t);
  }
  return PF_OK;
}

/** The same of the loss's parameter i, into the product. */
static pf_status weigh_parameter(image *at, size_t i, pf_error *error)
{
  const pf_real *none[PF_LOSS_MAX_ARRAYS] = {NULL};
  memset(at->own, 0, at->info->declared.parameters.count * sizeof *at->own);
  at->own[i] = 1.0;
  const pf_status status = whiten_tangent(at, none, at->own, at->root_b, error);
  if (status != PF_OK) {
    return status;
  }
  for (int64_t t = 0; t < at->self->draw->n_steps; t++) {
    at->product[at->info->theta0 + i] += multiply_roots(at, t);
  }
  return PF_OK;
}

/** The matrix of a step is known from the roots of unit tangents: (C v)_b = root_b . root_v. */
static pf_status weigh_whitened(image *at, pf_error *error)
{
  const pf_real *tangent[PF_LOSS_MAX_ARRAYS] = {NULL};
  copy_tangents(at, at->basis, tangent);
  pf_status status = whiten_tangent(at, tangent, at->own, at->root_v, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    for (int64_t i = 0; i < at->view.n_observable[o]; i++) {
      status = weigh_unit(at, o, i, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  for (size_t i = 0; i < at->info->declared.parameters.count; i++) {
    status = weigh_parameter(at, i, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

static pf_status make_image(image *at, pf_error *error)
{
  if (!moves_loss(at)) {
    return PF_OK;
  }
  if (PF_HAS(at->ops, pf_loss_ops, whiten) && at->ops->whiten != NULL) {
    return pf_loss_is_diagonal(&at->info->declared) && at->info->declared.parameters.count == 0
               ? weigh_diagonal(at, error)
               : weigh_whitened(at, error);
  }
  return pf_fail(error, PF_STOP,
                 "%s says nothing of its curvature (no op `whiten`), which this needs; optimisers "
                 "that use gradients alone do without",
                 at->info->loss->label);
}

/* ---- the product ---- */

/** Everything one product carries, in one block. */
typedef struct images {
  pf_loss_term *terms;      /* [n_losses] linear ones */
  pf_component *components; /* [n_losses] */
  linear_loss *losses;      /* [n_losses] */
  double *own, *ones;       /* [n_parameters], [n_losses] */
  pf_real *basis;           /* of the widest loss, as in image */
  pf_real *root_v, *root_b;
} images;

static void place_images(const pf_tangents *self, images *all, pf_arena *arena)
{
  const pf_model *model = self->model;
  const size_t n = model->n_losses, n_steps = (size_t)self->draw->n_steps;
  size_t widest = 0, most_whitened = 0;
  all->terms = pf_arena_take(arena, n, sizeof *all->terms);
  all->components = pf_arena_take(arena, n, sizeof *all->components);
  all->losses = pf_arena_take(arena, n, sizeof *all->losses);
  all->own = pf_arena_take(arena, model->n_parameters, sizeof *all->own);
  all->ones = pf_arena_take(arena, n, sizeof *all->ones);
  for (size_t k = 0; k < n; k++) {
    const pf_loss_term *info = &model->losses[k];
    size_t wide = 0, whitened = (size_t)info->declared.n_whitened;
    for (size_t o = 0; o < info->declared.observables.count; o++) {
      int64_t columns = 0, ld = 0;
      (void)pf_workspace_observable(self->workspaces[0], info->observables[o], &columns, &ld);
      pf_real *weight = pf_arena_take(arena, n_steps * (size_t)columns, sizeof *weight);
      if (arena->base != NULL) {
        all->losses[k].weight[o] = weight;
        all->losses[k].columns[o] = columns;
      }
      wide += (size_t)ld;
      whitened = o == 0 && whitened == 0 ? (size_t)columns : whitened;
    }
    widest = wide > widest ? wide : widest;
    most_whitened = whitened > most_whitened ? whitened : most_whitened;
  }
  all->basis = pf_arena_take(arena, n_steps * widest, sizeof *all->basis);
  all->root_v = pf_arena_take(arena, n_steps * most_whitened, sizeof *all->root_v);
  all->root_b = pf_arena_take(arena, n_steps * most_whitened, sizeof *all->root_b);
}

static pf_status make_room(const pf_tangents *self, images *all, pf_error *error)
{
  pf_arena arena = {NULL, 0};
  place_images(self, all, &arena);
  const size_t bytes = arena.used;
  arena = (pf_arena){pf_pool_need(&self->kept->product, bytes, 1, error), 0};
  if (arena.base == NULL) {
    return PF_STOP;
  }
  memset(arena.base, 0, bytes);
  place_images(self, all, &arena);
  return PF_OK;
}

/** Loss k's image, and the linear loss that has it as gradient. */
static pf_status add_image(const pf_tangents *self, images *all, size_t k, double scale,
                           double *product, pf_error *error)
{
  const pf_loss_term *info = &self->model->losses[k];
  linear_loss *loss = &all->losses[k];
  image at = {.self = self,
              .info = info,
              .ops = info->loss->plugin->loss,
              .scale = scale,
              .weight = loss->weight,
              .basis = all->basis,
              .root_v = all->root_v,
              .root_b = all->root_b,
              .own = all->own,
              .product = product};
  pf_losses_view(self->workspaces[0], k, self->draw, self->theta, &at.view);
  at.n_whitened =
      info->declared.n_whitened > 0 ? info->declared.n_whitened : at.view.n_observable[0];
  loss->n_observables = info->declared.observables.count;
  for (size_t o = 0; o < loss->n_observables; o++) {
    const pf_observable *observable = pf_observable_of(self->model, info->observables[o]);
    at.planes[o] = pf_tangents_planes(self, observable->population, observable->signal);
  }
  for (size_t i = 0; i < info->declared.parameters.count; i++) {
    at.own[i] = self->along[info->theta0 + i];
  }
  const pf_status status = make_image(&at, error);
  if (status != PF_OK) {
    pf_error_at_step(error, self->draw->recording->name, 0);
    return status;
  }
  all->components[k] =
      (pf_component){.plugin = &linear_plugin, .self = loss, .label = info->loss->label};
  all->terms[k] = *info;
  all->terms[k].loss = &all->components[k];
  all->terms[k].declared.targets.count = 0;
  all->terms[k].declared.flags = 0; /* not by unit: cotangents are those of the whole */
  all->ones[k] = 1.0;               /* the scale is in the weights */
  return PF_OK;
}

pf_status pf_information_product(const pf_information_in *in, const double *direction,
                                 double *product, uint32_t *how, pf_error *error)
{
  const pf_directions one = {.n = 1, .along = direction};
  pf_tangents self;
  images all;
  pf_status status = pf_tangents_begin(&self, in, &one, how, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_tangents_simulate(&self, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  status = make_room(&self, &all, error);
  if (status != PF_OK) {
    return status;
  }
  pf_losses_mark_scored(in->workspaces[0], in->draw, PF_STEP_FIT);
  for (size_t k = 0; k < in->model->n_losses; k++) {
    status = add_image(&self, &all, k, in->scale[k], product, error);
    if (status != PF_OK) {
      return status;
    }
  }
  pf_model linear = *in->model;
  linear.losses = all.terms;
  for (size_t w = 0; w < in->n_workspaces; w++) {
    in->workspaces[w]->model = &linear;
  }
  const pf_simulation simulation = {
      &linear, in->draw, in->theta, {in->workspaces, in->n_workspaces}};
  status = pf_gradient(&simulation, all.ones, NULL, product, error);
  for (size_t w = 0; w < in->n_workspaces; w++) {
    in->workspaces[w]->model = in->model;
  }
  return status;
}
