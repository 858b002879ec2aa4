#include "core/sensitivity/loss_information.h"

#include "core/state/failures.h"

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
  const pf_planes *planes[PF_LOSS_MAX_ARRAYS]; /* of each observable; cells NULL where nothing moves
                                                  it */
  double scale;
  int64_t n_steps;
  size_t n_own;        /* parameters of the loss */
  bool has_parameters; /* a direction moves one of them */
  pf_real *g[PF_LOSS_MAX_ARRAYS];
  double *scores; /* [n_steps][n] */
  pf_sensitivity *kept;
} term;

static int64_t observable_columns(const term *at, size_t o)
{
  return at->view.n_observable[o];
}

static bool is_scored(const term *at, int64_t t)
{
  return at->view.in.scored == NULL || at->view.in.scored[t] != 0;
}

/** The part of direction k that moves the loss's parameters, [n_own]. */
static const double *along_own(const term *at, size_t k)
{
  return at->self->along + k * at->self->model->n_parameters + at->info->theta0;
}

static bool moves_parameters(const term *at)
{
  for (size_t k = 0; k < at->self->n; k++) {
    for (size_t i = 0; i < at->n_own; i++) {
      if (along_own(at, k)[i] != 0.0) {
        return true;
      }
    }
  }
  return false;
}

static pf_status begin_term(term *at, size_t k, const pf_loss_part *part, pf_error *error)
{
  const pf_tangents *self = at->self;
  at->info = &self->model->losses[k];
  at->ops = at->info->loss->plugin->loss;
  at->n_steps = self->draw->n_steps;
  at->n_own = at->info->declared.parameters.count;
  at->has_parameters = moves_parameters(at);
  pf_losses_view(self->workspaces[0], k, self->draw, self->theta, &at->view);
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    const pf_observable *info = pf_observable_of(self->model, at->info->observables[o]);
    at->planes[o] = part->planes != NULL ? &part->planes[info->signal]
                                         : pf_tangents_planes(self, info->population, info->signal);
  }
  if (part->population == 0) {
    return PF_OK;
  }
  if (at->view.n_observable[0] != at->view.n_target[0]) {
    return pf_fail(error, PF_STOP,
                   "%s compares %lld observed units with %lld recorded ones, expected as many",
                   at->info->loss->label, (long long)at->view.n_observable[0],
                   (long long)at->view.n_target[0]);
  }
  at->view.observable[0] += part->row0;
  at->view.target[0] += part->row0;
  at->view.n_observable[0] = at->view.n_target[0] = part->n_rows;
  return PF_OK;
}

/** Some steps of what a loss sees; `in` points into the struct. */
typedef struct steps_view {
  const pf_real *observable[PF_LOSS_MAX_ARRAYS], *target[PF_LOSS_MAX_ARRAYS];
  pf_loss_in in;
} steps_view;

static void view_steps(const term *at, int64_t t0, int64_t n_steps, steps_view *view)
{
  view->in = at->view.in;
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    view->observable[o] = at->view.observable[o] + t0 * at->view.ld_observable[o];
  }
  for (size_t i = 0; i < at->info->declared.targets.count; i++) {
    view->target[i] = at->view.target[i] + t0 * at->view.ld_target[i];
  }
  view->in.n_steps = n_steps;
  view->in.observable = view->observable;
  view->in.n_observable = at->view.n_observable;
  view->in.ld_observable = at->view.ld_observable;
  view->in.target = view->target;
  view->in.n_target = at->view.n_target;
  view->in.ld_target = at->view.ld_target;
  if (view->in.scored != NULL) {
    view->in.scored += t0;
  }
}

/* ---- scores ---- */

/** d ll / d observables of all steps into at->g [n_steps][columns]. */
static pf_status make_cotangents(term *at, pf_error *error)
{
  const size_t n_observables = at->info->declared.observables.count;
  double *cotangent = NULL;
  pf_arena arena = {NULL, 0};
  for (int pass = 0; pass < 2; pass++) { /* count, then hand out */
    for (size_t o = 0; o < n_observables; o++) {
      at->g[o] = pf_arena_take(&arena, (size_t)(at->n_steps * observable_columns(at, o)),
                               sizeof *at->g[o]);
    }
    cotangent = pf_arena_take(&arena, (size_t)at->n_steps, sizeof *cotangent);
    if (pass == 0) {
      const size_t bytes = arena.used;
      arena = (pf_arena){pf_pool_need(&at->kept->loss, bytes, 1, error), 0};
      if (arena.base == NULL) {
        return PF_STOP;
      }
      memset(arena.base, 0, bytes);
    }
  }
  for (int64_t t = 0; t < at->n_steps; t++) {
    cotangent[t] = 1.0;
  }
  const pf_loss_gradient gradient = {
      .size = sizeof gradient, .observable = at->g, .ld_observable = at->view.n_observable};
  return at->ops->vjp(at->info->loss->self, &at->view.in, cotangent, &gradient, error);
}

/** scores[t][k] += c . tangent, for one observable. */
static void add_scores(const term *at, size_t o)
{
  const pf_planes *planes = at->planes[o];
  const int64_t n = observable_columns(at, o), n_active = planes->n_active;
  if (planes->cells == NULL) {
    return;
  }
  for (int64_t t = 0; t < at->n_steps; t++) {
    if (!is_scored(at, t)) {
      continue;
    }
    const pf_real *c = at->g[o] + t * n;
    const pf_real *tangent = pf_planes_at(planes, t, 0);
    double *scores = at->scores + t * (int64_t)at->self->n;
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
  const double one = 1.0;
  const uint8_t scored = 1;
  pf_real *none[PF_LOSS_MAX_ARRAYS] = {NULL};
  double *g_theta = pf_pool_need(&at->kept->root, at->n_own, sizeof *g_theta, error);
  if (g_theta == NULL) {
    return PF_STOP;
  }
  const pf_loss_gradient gradient = {.size = sizeof gradient,
                                     .observable = none,
                                     .ld_observable = at->view.n_observable,
                                     .theta = g_theta};
  for (int64_t t = 0; t < at->n_steps; t++) {
    if (!is_scored(at, t)) {
      continue;
    }
    steps_view view;
    view_steps(at, t, 1, &view);
    view.in.scored = &scored;
    memset(g_theta, 0, at->n_own * sizeof *g_theta);
    const pf_status status = at->ops->vjp(at->info->loss->self, &view.in, &one, &gradient, error);
    if (status != PF_OK) {
      return status;
    }
    for (size_t k = 0; k < at->self->n; k++) {
      for (size_t i = 0; i < at->n_own; i++) {
        at->scores[(size_t)t * at->self->n + k] += along_own(at, k)[i] * g_theta[i];
      }
    }
  }
  return PF_OK;
}

static pf_status make_scores(term *at, double *scores, pf_error *error)
{
  at->scores = scores;
  memset(scores, 0, (size_t)at->n_steps * at->self->n * sizeof *scores);
  const pf_status status = make_cotangents(at, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t o = 0; o < at->info->declared.observables.count; o++) {
    add_scores(at, o);
  }
  return at->has_parameters ? add_parameter_scores(at, error) : PF_OK;
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
 * diagonal: its whitened tangents of 1. */
static pf_status make_roots(term *at, const pf_real **roots, pf_error *error)
{
  const int64_t width = observable_columns(at, 0), n_ones = at->n_steps * at->view.ld_observable[0];
  /* of the cotangents' memory: they have done their work */
  pf_real *ones =
      pf_pool_need(&at->kept->loss, (size_t)(n_ones + at->n_steps * width), sizeof *ones, error);
  if (ones == NULL) {
    return PF_STOP;
  }
  for (int64_t c = 0; c < n_ones; c++) {
    ones[c] = (pf_real)1;
  }
  const pf_real *planes[] = {ones};
  const pf_loss_tangent along = {
      .size = sizeof along, .n_tangents = 1, .observable = planes, .stride = &n_ones};
  const pf_loss_roots out = {
      .size = sizeof out, .root = ones + n_ones, .stride = at->n_steps * width, .ld = width};
  *roots = out.root;
  return at->ops->whiten(at->info->loss->self, &at->view.in, &along, &out, error);
}

/** One observable whose information is diagonal: each column of the tangents times its root. */
static pf_status add_diagonal(term *at, double *information, pf_error *error)
{
  const pf_planes *planes = at->planes[0];
  const size_t n = at->self->n, n_active = (size_t)planes->n_active;
  const int64_t width = observable_columns(at, 0);
  if (planes->cells == NULL) {
    return PF_OK;
  }
  const pf_real *root_of = NULL;
  const pf_status status = make_roots(at, &root_of, error);
  if (status != PF_OK) {
    return status;
  }
  double *roots = pf_pool_need(&at->kept->root, CELLS * n, sizeof *roots, error);
  if (roots == NULL) {
    return PF_STOP;
  }
  int64_t filled = 0;
  for (int64_t t = 0; t < at->n_steps; t++) {
    for (int64_t i = 0; i < width; i++) {
      const double root = (double)root_of[t * width + i];
      if (root == 0.0) {
        continue; /* nothing was observed here */
      }
      const pf_real *tangent = pf_planes_at(planes, t, 0) + i;
      double *to = roots + (size_t)filled * n;
      if (planes->ld == 1) { /* apart: such tangents lie side by side */
        for (size_t k = 0; k < n_active; k++) {
          to[k] = root * (double)tangent[k];
        }
      } else {
        for (size_t k = 0; k < n_active; k++) {
          to[k] = root * (double)tangent[k * (size_t)planes->ld];
        }
      }
      memset(to + n_active, 0, (n - n_active) * sizeof *to);
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

/** Tangents of observable o on some steps, [n][n_steps][ld], into `to`. */
static void gather_tangents(const term *at, size_t o, int64_t t0, int64_t n_steps, pf_real *to)
{
  const int64_t ld = at->view.ld_observable[o];
  const size_t bytes = (size_t)observable_columns(at, o) * sizeof *to;
  for (int64_t k = 0; k < (int64_t)at->self->n; k++) {
    for (int64_t t = t0; t < t0 + n_steps; t++, to += ld) {
      if (k < at->planes[o]->n_active) {
        memcpy(to, pf_planes_at(at->planes[o], t, k), bytes);
      } else {
        memset(to, 0, bytes);
      }
    }
  }
}

/** How many steps are taken at a time: what they need in columns of `width` stays in cache. */
static int64_t tile_of(int64_t width, size_t n)
{
  const int64_t cells = width * (int64_t)n;
  return cells > 0 && CELLS * 64 / cells > 1 ? CELLS * 64 / cells : 1;
}

/** By whitened tangents, a few steps at a time. */
static pf_status add_whitened_tangents(term *at, double *information, pf_error *error)
{
  const size_t n = at->self->n, n_observables = at->info->declared.observables.count;
  const int64_t n_whitened =
      at->info->declared.n_whitened > 0 ? at->info->declared.n_whitened : observable_columns(at, 0);
  int64_t width = n_whitened;
  for (size_t o = 0; o < n_observables; o++) {
    width += at->view.ld_observable[o];
  }
  const int64_t tile = tile_of(width, n);
  pf_real *memory =
      pf_pool_need(&at->kept->whiten, (size_t)(tile * width) * n, sizeof *memory, error);
  double *roots = pf_pool_need(&at->kept->root, CELLS * n + n * at->n_own, sizeof *roots, error);
  if (memory == NULL || roots == NULL) {
    return PF_STOP;
  }
  double *theta = roots + CELLS * n;
  for (size_t k = 0; k < n && at->n_own > 0; k++) {
    memcpy(theta + k * at->n_own, along_own(at, k), at->n_own * sizeof *theta);
  }
  for (int64_t t0 = 0; t0 < at->n_steps; t0 += tile) {
    const int64_t n_steps = at->n_steps - t0 < tile ? at->n_steps - t0 : tile;
    const pf_real *tangent[PF_LOSS_MAX_ARRAYS] = {NULL};
    int64_t stride[PF_LOSS_MAX_ARRAYS] = {0};
    pf_real *next = memory;
    for (size_t o = 0; o < n_observables; o++) {
      if (at->planes[o]->cells != NULL) {
        gather_tangents(at, o, t0, n_steps, next);
        tangent[o] = next;
        stride[o] = n_steps * at->view.ld_observable[o];
        next += (int64_t)n * stride[o];
      }
    }
    steps_view view;
    view_steps(at, t0, n_steps, &view);
    const pf_loss_tangent along = {.size = sizeof along,
                                   .n_tangents = (int64_t)n,
                                   .observable = tangent,
                                   .stride = stride,
                                   .theta = at->has_parameters ? theta : NULL};
    const pf_loss_roots out = {
        .size = sizeof out, .root = next, .stride = n_steps * n_whitened, .ld = n_whitened};
    const pf_status status = at->ops->whiten(at->info->loss->self, &view.in, &along, &out, error);
    if (status != PF_OK) {
      return status;
    }
    add_whitened(at, n_steps, n_whitened, next, roots, information);
  }
  return PF_OK;
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
                   "optimisers that use gradients alone do without",
                   at->info->loss->label, at->has_parameters ? " in its own parameters" : "");
  }
  /* outer products of the scores of the steps: their expectation is the same (Berndt, Hall, Hall &
   * Hausman 1974) */
  pf_tangents_note(at->self, PF_INFORMATION_OUTER_PRODUCTS);
  add_roots(at->self->n, at->scale, at->n_steps, at->scores, information);
  return PF_OK;
}

/** scale * scores, added to the sums. */
static void add_to_sums(const term *at, const pf_loss_sums *sums)
{
  const size_t n = at->self->n;
  for (size_t t = 0; t < (size_t)at->n_steps; t++) {
    for (size_t i = 0; i < n; i++) {
      const double score = at->scale * at->scores[t * n + i];
      sums->gradient[i] += score;
      if (sums->step_scores != NULL) {
        sums->step_scores[t * n + i] += score;
      }
    }
  }
}

pf_status pf_tangents_losses(const pf_tangents *self, const double *scale, const pf_loss_part *part,
                             pf_workspace *mine, const pf_loss_sums *sums, pf_error *error)
{
  const size_t n_scores = (size_t)self->draw->n_steps * self->n;
  pf_sensitivity *kept = pf_sensitivity_of(mine, error);
  double *scores =
      kept == NULL ? NULL : pf_pool_need(&kept->scores, n_scores, sizeof *scores, error);
  if (scores == NULL) {
    return PF_STOP;
  }
  for (size_t k = 0; k < self->model->n_losses; k++) {
    term at = {.self = self, .scale = scale[k], .kept = kept};
    pf_status status = begin_term(&at, k, part, error);
    if (status == PF_OK) {
      status = make_scores(&at, scores, error);
    }
    if (status == PF_OK && sums->information != NULL) {
      status = add_information(&at, sums->information, error);
    }
    if (status != PF_OK) {
      pf_error_at_step(error, self->draw->recording->name, 0);
      return status;
    }
    add_to_sums(&at, sums);
  }
  return PF_OK;
}
