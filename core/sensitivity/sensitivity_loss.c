/* What losses make of the tangents of their observables: scores, and the matrix sum J' C J. */
#include "core/engine/failures.h"
#include "core/sensitivity/sensitivity_private.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Cells whose tangents are gathered before they enter the matrix: enough for the product to be
 * fast, few enough for cache. */
enum { CELLS = 128 };

/** One loss on one part. */
typedef struct term {
  const pf_tangents *self;
  const pf_loss_term *info;
  const pf_loss_ops *ops;
  pf_loss_view view;
  const pf_planes
      *planes[PF_LOSS_MAX_ARRAYS]; /* of each observable; cells NULL where nothing moves it */
  double scale;
  int64_t n_steps;
  bool has_parameters; /* a direction moves a parameter of this loss */
  pf_real *g[PF_LOSS_MAX_ARRAYS];
  double *scores; /* [n_steps][n] */
  pf_workspace *mine;
  struct pf_sensitivity *kept;
} term;

static int64_t columns(const term *at, size_t o)
{
  return at->view.n_observable[o];
}

static bool is_scored(const term *at, int64_t t)
{
  return at->view.in.scored == NULL || at->view.in.scored[t] != 0;
}

/** Is anything of this loss's theta moved? */
static bool moves_parameters(const pf_tangents *self, const pf_loss_term *info)
{
  const size_t n_theta = self->model->n_parameters;
  for (size_t k = 0; k < self->n; k++) {
    for (size_t i = 0; i < info->declared.parameters.count; i++) {
      if (self->along[k * n_theta + info->theta0 + i] != 0.0) {
        return true;
      }
    }
  }
  return false;
}

static void look_at_rows(term *at, const pf_loss_part *part)
{
  at->view.observable[0] += part->row0;
  at->view.target[0] += part->row0;
  at->view.n_observable[0] = at->view.n_target[0] = part->n_rows;
}

static pf_status begin(term *at, size_t k, const pf_loss_part *part, pf_error *error)
{
  const pf_tangents *self = at->self;
  const pf_observable_table *table = &self->model->declared.observables;
  at->info = &self->model->losses[k];
  at->ops = at->info->loss->plugin->loss;
  at->n_steps = self->draw->n_steps;
  at->has_parameters = moves_parameters(self, at->info);
  pf_losses_view(self->workspaces[0], k, self->draw, self->theta, &at->view);
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    const pf_observable *info =
        pf_table_at(table->items, table->stride, table->count, (size_t)at->info->observables[o]);
    at->planes[o] = part->planes != NULL ? &part->planes[info->signal]
                                         : pf_tangents_planes(self, info->population, info->signal);
  }
  if (part->population != 0) {
    if (at->view.n_observable[0] != at->view.n_target[0]) {
      return pf_fail(error, PF_STOP,
                     "%s compares %lld observed units with %lld recorded ones, expected as many",
                     at->info->loss->label, (long long)at->view.n_observable[0],
                     (long long)at->view.n_target[0]);
    }
    look_at_rows(at, part);
  }
  return PF_OK;
}

/* ---- scores ---- */

/** d ll / d observables of all steps into at->g [n_steps][columns], and of theta (NULL: not wanted)
 * added. */
static pf_status cotangents(term *at, double *g_theta, pf_error *error)
{
  size_t cells = 0, first[PF_LOSS_MAX_ARRAYS];
  const size_t n_observables = at->info->declared.observables.count;
  for (size_t o = 0; o < n_observables; o++) {
    first[o] = cells;
    cells += (size_t)(at->n_steps * columns(at, o));
  }
  const size_t ones = (cells * sizeof(pf_real) + sizeof(double) - 1) / sizeof(double);
  double *memory = pf_pool_need(&at->kept->loss, ones + (size_t)at->n_steps, sizeof(double), error);
  if (memory == NULL) {
    return PF_STOP;
  }
  memset(memory, 0, ones * sizeof(double));
  for (size_t o = 0; o < n_observables; o++) {
    at->g[o] = (pf_real *)(void *)memory + first[o];
  }
  double *cotangent = memory + ones;
  for (int64_t t = 0; t < at->n_steps; t++) {
    cotangent[t] = 1.0;
  }
  const pf_loss_gradient gradient = {.size = sizeof gradient,
                                     .observable = at->g,
                                     .ld_observable = at->view.n_observable,
                                     .theta = g_theta};
  return at->ops->vjp(at->info->loss->self, &at->view.in, cotangent, &gradient, error);
}

/** scores[t][k] += c . tangent, for one observable. */
static void add_scores(const term *at, size_t o)
{
  const pf_planes *planes = at->planes[o];
  const int64_t n = columns(at, o), n_active = planes->n_active;
  for (int64_t t = 0; t < at->n_steps && planes->cells != NULL; t++) {
    const pf_real *c = at->g[o] + t * n;
    const pf_real *tangent = pf_planes_at(planes, t, 0);
    double *scores = at->scores + t * (int64_t)at->self->n;
    if (!is_scored(at, t)) {
      continue;
    }
    if (planes->ld == 1) {
      const double c0 = (double)c[0];
      for (int64_t k = 0; k < n_active; k++) {
        scores[k] += c0 * (double)tangent[k];
      }
      continue;
    }
    for (int64_t k = 0; k < n_active; k++) {
      double sum = 0.0;
      for (int64_t i = 0; i < n; i++) {
        sum += (double)c[i] * (double)tangent[k * planes->ld + i];
      }
      scores[k] += sum;
    }
  }
}

/** What the loss's own parameters add, step by step. */
static pf_status add_parameter_scores(term *at, pf_error *error)
{
  const pf_tangents *self = at->self;
  const size_t n_own = at->info->declared.parameters.count, n_theta = self->model->n_parameters;
  double *g_theta = pf_pool_need(&at->kept->root, n_own, sizeof *g_theta, error);
  pf_status status = g_theta == NULL ? PF_STOP : PF_OK;
  pf_loss_view whole = at->view;
  for (int64_t t = 0; t < at->n_steps && status == PF_OK; t++) {
    const double one = 1.0;
    const uint8_t scored = 1;
    if (!is_scored(at, t)) {
      continue;
    }
    const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS];
    for (size_t o = 0; o < at->info->declared.observables.count; o++) {
      observable[o] = whole.observable[o] + t * whole.ld_observable[o];
    }
    for (size_t i = 0; i < at->info->declared.targets.count; i++) {
      target[i] = whole.target[i] + t * whole.ld_target[i];
    }
    pf_loss_in in = at->view.in;
    in.n_steps = 1;
    in.observable = observable;
    in.target = target;
    in.scored = &scored;
    memset(g_theta, 0, n_own * sizeof *g_theta);
    pf_real *none[PF_LOSS_MAX_ARRAYS] = {NULL};
    const pf_loss_gradient gradient = {.size = sizeof gradient,
                                       .observable = none,
                                       .ld_observable = at->view.n_observable,
                                       .theta = g_theta};
    status = at->ops->vjp(at->info->loss->self, &in, &one, &gradient, error);
    for (size_t k = 0; k < self->n && status == PF_OK; k++) {
      for (size_t i = 0; i < n_own; i++) {
        at->scores[(size_t)t * self->n + k] +=
            self->along[k * n_theta + at->info->theta0 + i] * g_theta[i];
      }
    }
  }
  return status;
}

static pf_status make_scores(term *at, double *scores, pf_error *error)
{
  at->scores = scores;
  memset(scores, 0, (size_t)at->n_steps * at->self->n * sizeof *scores);
  pf_status status = cotangents(at, NULL, error);
  for (size_t o = 0; o < at->info->declared.observables.count && status == PF_OK; o++) {
    add_scores(at, o);
  }
  return status == PF_OK && at->has_parameters ? add_parameter_scores(at, error) : status;
}

/* ---- information ---- */

/** information (upper triangle, [n][n]) += scale roots' roots, roots [n_cells][n]. */
static void add_roots(size_t n, double scale, int64_t n_cells, const double *roots,
                      double *information)
{
  if (n_cells > 0 && n > 0) {
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)n, (int)n_cells, scale, roots, (int)n,
                1.0, information, (int)n);
  }
}

/** Root of the information of each cell [n_steps][columns], of a loss whose information is
 * diagonal: its whitened tangents of 1. NULL: no memory, or the loss failed. */
static const pf_real *roots_of_cells(term *at, pf_status *status, pf_error *error)
{
  const int64_t width = columns(at, 0), ld = at->view.ld_observable[0], n_ones = at->n_steps * ld;
  /* of the cotangents' memory: they have done their work */
  pf_real *ones =
      pf_pool_need(&at->kept->loss, (size_t)(n_ones + at->n_steps * width), sizeof *ones, error);
  if (ones == NULL) {
    *status = PF_STOP;
    return NULL;
  }
  for (int64_t c = 0; c < n_ones; c++) {
    ones[c] = (pf_real)1;
  }
  const pf_real *planes[] = {ones};
  const pf_loss_tangent along = {
      .size = sizeof along, .n_tangents = 1, .observable = planes, .stride = &n_ones};
  *status = at->ops->whiten(at->info->loss->self, &at->view.in, &along, ones + n_ones,
                            at->n_steps * width, width, error);
  return *status == PF_OK ? ones + n_ones : NULL;
}

/** One observable whose information is diagonal: each column of the tangents times its root. */
static pf_status add_diagonal(term *at, double *information, pf_error *error)
{
  const pf_planes *planes = at->planes[0];
  const size_t n = at->self->n;
  const int64_t width = columns(at, 0);
  if (planes->cells == NULL) {
    return PF_OK;
  }
  pf_status status = PF_OK;
  const pf_real *root_of = roots_of_cells(at, &status, error);
  double *roots = pf_pool_need(&at->kept->root, CELLS * n, sizeof *roots, error);
  if (root_of == NULL || roots == NULL) {
    return status == PF_OK ? PF_STOP : status;
  }
  int64_t filled = 0;
  for (int64_t t = 0; t < at->n_steps; t++) {
    for (int64_t i = 0; i < width; i++) {
      const double root = (double)root_of[t * width + i];
      if (!(root > 0.0) && !isnan(root)) {
        continue; /* nothing was observed here */
      }
      const pf_real *tangent = pf_planes_at(planes, t, 0) + i;
      double *to = roots + (size_t)filled * n;
      if (planes->ld == 1) {
        for (int64_t k = 0; k < planes->n_active; k++) {
          to[k] = root * (double)tangent[k];
        }
      } else {
        for (int64_t k = 0; k < planes->n_active; k++) {
          to[k] = root * (double)tangent[k * planes->ld];
        }
      }
      for (size_t k = (size_t)planes->n_active; k < n; k++) {
        to[k] = 0.0;
      }
      if (++filled == CELLS) {
        add_roots(n, at->scale, filled, roots, information);
        filled = 0;
      }
    }
  }
  add_roots(n, at->scale, filled, roots, information);
  return PF_OK;
}

/** Roots [n][steps][n_whitened], of the loss's `whiten`, of steps [t0, t0 + n_steps), into the
 * matrix. */
static void add_whitened(const term *at, int64_t n_steps, int64_t n_whitened, const pf_real *root,
                         double *roots, double *information)
{
  const size_t n = at->self->n;
  const int64_t n_cells = n_steps * n_whitened;
  for (int64_t first = 0; first < n_cells; first += CELLS) {
    const int64_t count = n_cells - first < CELLS ? n_cells - first : CELLS;
    for (int64_t c = 0; c < count; c++) {
      for (size_t k = 0; k < n; k++) {
        roots[(size_t)c * n + k] = (double)root[(int64_t)k * n_cells + first + c];
      }
    }
    add_roots(n, at->scale, count, roots, information);
  }
}

/** By whitened tangents, a few steps at a time. */
static pf_status add_whitened_tangents(term *at, double *information, pf_error *error)
{
  const pf_tangents *self = at->self;
  const size_t n = self->n, n_own = at->info->declared.parameters.count,
               n_observables = at->info->declared.observables.count;
  const int64_t n_whitened =
      at->info->declared.n_whitened > 0 ? at->info->declared.n_whitened : columns(at, 0);
  int64_t width = n_whitened;
  for (size_t o = 0; o < n_observables; o++) {
    width += at->view.ld_observable[o];
  }
  const int64_t tile = width * (int64_t)n > 0 && CELLS * 64 / (width * (int64_t)n) > 1
                           ? CELLS * 64 / (width * (int64_t)n)
                           : 1;
  pf_real *memory =
      pf_pool_need(&at->kept->whiten, (size_t)(tile * width) * n, sizeof *memory, error);
  double *roots = pf_pool_need(&at->kept->root, CELLS * n + n * n_own, sizeof *roots, error);
  if (memory == NULL || roots == NULL) {
    return PF_STOP;
  }
  double *theta = roots + CELLS * n;
  for (size_t k = 0; k < n; k++) {
    for (size_t i = 0; i < n_own; i++) {
      theta[k * n_own + i] = self->along[k * self->model->n_parameters + at->info->theta0 + i];
    }
  }
  pf_status status = PF_OK;
  const pf_loss_view whole = at->view;
  for (int64_t t0 = 0; t0 < at->n_steps && status == PF_OK; t0 += tile) {
    const int64_t n_steps = at->n_steps - t0 < tile ? at->n_steps - t0 : tile;
    const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS],
        *tangent[PF_LOSS_MAX_ARRAYS] = {NULL};
    int64_t stride[PF_LOSS_MAX_ARRAYS] = {0};
    pf_real *free_cells = memory;
    for (size_t o = 0; o < n_observables; o++) {
      const int64_t ld = whole.ld_observable[o];
      observable[o] = whole.observable[o] + t0 * ld;
      if (at->planes[o]->cells == NULL) {
        continue;
      }
      tangent[o] = free_cells;
      stride[o] = n_steps * ld;
      for (int64_t k = 0; k < (int64_t)n; k++) {
        for (int64_t t = 0; t < n_steps; t++) {
          pf_real *to = free_cells + k * stride[o] + t * ld;
          if (k < at->planes[o]->n_active) {
            memcpy(to, pf_planes_at(at->planes[o], t0 + t, k), (size_t)columns(at, o) * sizeof *to);
          } else {
            memset(to, 0, (size_t)columns(at, o) * sizeof *to);
          }
        }
      }
      free_cells += (int64_t)n * stride[o];
    }
    for (size_t i = 0; i < at->info->declared.targets.count; i++) {
      target[i] = whole.target[i] + t0 * whole.ld_target[i];
    }
    pf_loss_in in = whole.in;
    in.n_steps = n_steps;
    in.observable = observable;
    in.n_observable = at->view.n_observable;
    in.ld_observable = at->view.ld_observable;
    in.target = target;
    in.n_target = at->view.n_target;
    in.ld_target = at->view.ld_target;
    in.scored = whole.in.scored == NULL ? NULL : whole.in.scored + t0;
    const pf_loss_tangent along = {.size = sizeof along,
                                   .n_tangents = (int64_t)n,
                                   .observable = tangent,
                                   .stride = stride,
                                   .theta = at->has_parameters ? theta : NULL};
    status = at->ops->whiten(at->info->loss->self, &in, &along, free_cells, n_steps * n_whitened,
                             n_whitened, error);
    if (status == PF_OK) {
      add_whitened(at, n_steps, n_whitened, free_cells, roots, information);
    }
  }
  return status;
}

static pf_status add_information(term *at, double *information, pf_error *error)
{
  if (PF_HAS(at->ops, pf_loss_ops, whiten) && at->ops->whiten != NULL) {
    return pf_loss_is_diagonal(&at->info->declared) && !at->has_parameters
               ? add_diagonal(at, information, error)
               : add_whitened_tangents(at, information, error);
  }
  if ((at->info->declared.flags & PF_LOSS_LIKELIHOOD) == 0) {
    return pf_fail(error, PF_STOP,
                   "%s says nothing of its curvature%s (no op `whiten`), which this needs; "
                   "optimisers that use gradients "
                   "alone do without",
                   at->info->loss->label, at->has_parameters ? " in its own parameters" : "");
  }
  /* outer products of the scores of the steps: their expectation is the same (Berndt, Hall, Hall &
   * Hausman 1974) */
  pf_tangents_note(at->self, PF_INFORMATION_OUTER_PRODUCTS);
  add_roots(at->self->n, at->scale, at->n_steps, at->scores, information);
  return PF_OK;
}

pf_status pf_tangents_losses(const pf_tangents *self, const double *scale, const pf_loss_part *part,
                             pf_workspace *mine, const pf_loss_sums *sums, pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(mine, error);
  if (kept == NULL) {
    return PF_STOP;
  }
  const size_t n = self->n;
  double *scores =
      pf_pool_need(&kept->scores, (size_t)self->draw->n_steps * n, sizeof *scores, error);
  pf_status status = scores == NULL ? PF_STOP : PF_OK;
  for (size_t k = 0; k < self->model->n_losses && status == PF_OK; k++) {
    term at = {.self = self, .scale = scale[k], .mine = mine, .kept = kept};
    status = begin(&at, k, part, error);
    status = status == PF_OK ? make_scores(&at, scores, error) : status;
    if (status == PF_OK && sums->information != NULL) {
      status = add_information(&at, sums->information, error);
    }
    for (size_t t = 0; t < (size_t)self->draw->n_steps && status == PF_OK; t++) {
      for (size_t i = 0; i < n; i++) {
        const double score = scale[k] * scores[t * n + i];
        sums->gradient[i] += score;
        if (sums->step_scores != NULL) {
          sums->step_scores[t * n + i] += score;
        }
      }
    }
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, 0);
    }
  }
  return status;
}
