/* Tangents of whole trajectories by differences: for models that the sweep does not cover. Two
 * simulations a direction.
 */
#include "core/engine/simulation.h"
#include "core/engine/trajectory.h"
#include "core/sensitivity/sensitivity_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

#ifdef PF_SINGLE
#define EPSILON FLT_EPSILON
#else
#define EPSILON DBL_EPSILON
#endif

/** A step that failed is made smaller this many times. */
enum { RETRIES = 3 };

/** How far theta is moved along direction k: the largest part becomes a small part of its
 * parameter's size (at least 1).
 */
static double step_along(const pf_tangents *self, size_t k)
{
  const double *along = self->along + k * self->model->n_parameters;
  double step = INFINITY;
  for (size_t i = 0; i < self->model->n_parameters; i++) {
    const double size = fabs(self->theta[i]) > 1.0 ? fabs(self->theta[i]) : 1.0;
    if (along[i] != 0.0 && cbrt((double)EPSILON) * size / fabs(along[i]) < step) {
      step = cbrt((double)EPSILON) * size / fabs(along[i]);
    }
  }
  return isfinite(step) ? step : 0.0;
}

/** Does theta + step along direction k keep to its declared bounds? What lies beyond already does
 * not count. */
static bool is_inside(const pf_tangents *self, size_t k, double step)
{
  const double *along = self->along + k * self->model->n_parameters;
  for (size_t i = 0; i < self->model->n_parameters; i++) {
    const pf_parameter *declared = &self->model->parameters[i].declared;
    const double moved = self->theta[i] + step * along[i];
    if ((moved < declared->lower && moved < self->theta[i]) ||
        (moved > declared->upper && moved > self->theta[i])) {
      return false;
    }
  }
  return true;
}

static pf_status run(const pf_tangents *self, size_t k, double step, double *theta, pf_error *error)
{
  const double *along = self->along + k * self->model->n_parameters;
  for (size_t i = 0; i < self->model->n_parameters; i++) {
    theta[i] = self->theta[i] + step * along[i];
  }
  return pf_forward(self->model, self->draw, theta, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT,
                    self->workspaces[0], NULL, error);
}

/** planes of direction k += factor * signals of the trajectory in the workspace. */
static void add_signals(const pf_tangents *self, size_t k, double factor)
{
  for (size_t p = 1; p < self->model->declared.populations.count; p++) {
    const pf_activity *activity = &self->workspaces[0]->activity[p];
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      const pf_planes *planes = pf_tangents_planes(self, (int64_t)p, (int64_t)s);
      for (int64_t t = 0;
           t < self->draw->n_steps && planes->cells != NULL && (int64_t)k < planes->n_active; t++) {
        const pf_real *from =
            activity->signals + (int64_t)s * activity->plane_stride + t * activity->ld;
        pf_real *to = pf_planes_at(planes, t, (int64_t)k);
        for (int64_t i = 0; i < activity->n; i++) {
          to[i] = (pf_real)((double)to[i] + factor * (double)from[i]);
        }
      }
    }
  }
}

static void clear(const pf_tangents *self, size_t k)
{
  const size_t count = self->model->declared.populations.count * self->max_signals;
  for (size_t i = 0; i < count; i++) {
    const pf_planes *planes = &self->planes[i];
    for (int64_t t = 0;
         t < self->draw->n_steps && planes->cells != NULL && (int64_t)k < planes->n_active; t++) {
      memset(pf_planes_at(planes, t, (int64_t)k), 0, (size_t)planes->ld * sizeof(pf_real));
    }
  }
}

/** One direction: (o(+h) - o(-h)) / 2h, or where a bound is near (-3 o(0) + 4 o(h) - o(2h)) / 2h to
 * the other side. */
static pf_status along_one(const pf_tangents *self, size_t k, double step, double *theta,
                           pf_error *error)
{
  const bool up = is_inside(self, k, step), down = is_inside(self, k, -step);
  const double side = up ? step : -step;
  const struct {
    double at, factor;
  } central[] = {{1.0, 0.5}, {-1.0, -0.5}, {0.0, 0.0}},
    sided[] = {{0.0, -1.5}, {1.0, 2.0}, {2.0, -0.5}};
  pf_status status = PF_OK;
  clear(self, k);
  for (size_t i = 0; i < 3 && status == PF_OK; i++) {
    const double at = up && down ? central[i].at : sided[i].at,
                 factor = up && down ? central[i].factor : sided[i].factor;
    if (factor == 0.0) {
      continue;
    }
    status = run(self, k, at * side, theta, error);
    if (status == PF_OK) {
      add_signals(self, k, factor / side);
    }
  }
  return status;
}

pf_status pf_tangents_by_differences(pf_tangents *self, const bool *wanted, pf_error *error)
{
  struct pf_sensitivity *kept = pf_sensitivity_of(self->workspaces[0], error);
  double *theta =
      kept == NULL ? NULL
                   : pf_pool_need(&kept->scratch, self->model->n_parameters, sizeof *theta, error);
  pf_status status = theta == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK
               ? pf_tangents_make_planes(self, wanted,
                                         (int64_t)self->model->declared.populations.count, error)
               : status;
  const int64_t moving =
      pf_tangents_n_active(self, (int64_t)self->model->declared.populations.count - 1);
  pf_tangents_note(self, moving > 0 ? PF_TANGENT_TRAJECTORY_DIFFERENCES : 0);
  for (int64_t k = 0; k < moving && status == PF_OK; k++) {
    double step = step_along(self, (size_t)k);
    pf_error own = {.size = sizeof own};
    status = along_one(self, (size_t)k, step, theta, &own);
    for (int retry = 0; retry < RETRIES && status > PF_OK; retry++) { /* too far: nearer */
      own.text[0] = '\0';
      step /= 16.0;
      status = along_one(self, (size_t)k, step, theta, &own);
    }
    if (status != PF_OK) {
      return pf_fail_key(error, status, own.key, "%s", own.text);
    }
  }
  /* the trajectory at theta itself stands at the end */
  return status == PF_OK
             ? pf_forward(self->model, self->draw, self->theta, PF_SIMULATE_ACTIVITY_ONLY,
                          PF_STEP_FIT, self->workspaces[0], NULL, error)
             : status;
}
