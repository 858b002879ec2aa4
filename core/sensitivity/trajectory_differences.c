#include "core/sensitivity/trajectory_differences.h"

#include "core/engine/simulation.h"

#include <math.h>
#include <string.h>

/** How often a step that failed is made smaller. */
enum { MAX_RETRIES = 3 };

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

static pf_status simulate_moved(const pf_tangents *self, size_t k, double step, double *theta,
                                pf_error *error)
{
  const double *along = self->along + k * self->model->n_parameters;
  for (size_t i = 0; i < self->model->n_parameters; i++) {
    theta[i] = self->theta[i] + step * along[i];
  }
  const pf_simulation moved = {self->model, self->draw, theta, {self->workspaces, 1}};
  return pf_forward(&moved, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
}

/** Does direction k have a tangent in these planes? */
static bool has_tangent(const pf_planes *planes, size_t k)
{
  return planes->cells != NULL && (int64_t)k < planes->n_active;
}

/** planes of direction k += factor * signals of the trajectory in the workspace. */
static void add_signals(const pf_tangents *self, size_t k, double factor)
{
  for (size_t p = 1; p < self->model->n_populations; p++) {
    const pf_activity *activity = &self->workspaces[0]->activity[p];
    for (size_t s = 0; s < activity->info->signals.count; s++) {
      const pf_planes *planes = pf_tangents_planes(self, (int64_t)p, (int64_t)s);
      if (!has_tangent(planes, k)) {
        continue;
      }
      for (int64_t t = 0; t < self->draw->n_steps; t++) {
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

static void clear_planes(const pf_tangents *self, size_t k)
{
  const size_t count = self->model->n_populations * self->max_signals;
  for (size_t i = 0; i < count; i++) {
    const pf_planes *planes = &self->planes[i];
    for (int64_t t = 0; t < self->draw->n_steps && has_tangent(planes, k); t++) {
      memset(pf_planes_at(planes, t, (int64_t)k), 0, (size_t)planes->ld * sizeof(pf_real));
    }
  }
}

/** A trajectory that enters a difference. */
typedef struct stencil {
  double at, factor; /* in steps; over the step */
} stencil;

/** One direction: (o(+h) - o(-h)) / 2h, or where a bound is near (-3 o(0) + 4 o(h) - o(2h)) / 2h to
 * the other side. */
static pf_status differ_direction(const pf_tangents *self, size_t k, double step, double *theta,
                                  pf_error *error)
{
  static const stencil central[] = {{1.0, 0.5}, {-1.0, -0.5}},
                       sided[] = {{0.0, -1.5}, {1.0, 2.0}, {2.0, -0.5}};
  const bool up = is_inside(self, k, step), both = up && is_inside(self, k, -step);
  const double side = up ? step : -step;
  const stencil *points = both ? central : sided;
  clear_planes(self, k);
  for (size_t i = 0; i < (both ? 2 : 3); i++) {
    const pf_status status = simulate_moved(self, k, points[i].at * side, theta, error);
    if (status != PF_OK) {
      return status;
    }
    add_signals(self, k, points[i].factor / side);
  }
  return PF_OK;
}

pf_status pf_tangents_by_differences(pf_tangents *self, const bool *wanted, pf_error *error)
{
  const pf_model *model = self->model;
  const int64_t n_populations = (int64_t)model->n_populations;
  double *theta = pf_pool_need(&self->kept->scratch, model->n_parameters, sizeof *theta, error);
  if (theta == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_tangents_make_planes(self, wanted, n_populations, error);
  if (status != PF_OK) {
    return status;
  }
  const size_t moving = (size_t)pf_tangents_n_active(self, n_populations - 1);
  pf_tangents_note(self, moving > 0 ? PF_TANGENT_TRAJECTORY_DIFFERENCES : 0);
  for (size_t k = 0; k < moving; k++) {
    double step = pf_difference_step(self->theta, self->along + k * model->n_parameters,
                                     model->n_parameters, cbrt(pf_epsilon()));
    pf_error own = pf_error_none();
    status = differ_direction(self, k, step, theta, &own);
    for (int retry = 0; retry < MAX_RETRIES && status > PF_OK; retry++) { /* too far: nearer */
      own.text[0] = '\0';
      step /= 16.0;
      status = differ_direction(self, k, step, theta, &own);
    }
    if (status != PF_OK) {
      return pf_fail_key(error, status, own.key, "%s", own.text);
    }
  }
  /* the trajectory at theta itself comes last */
  const pf_simulation simulation = {model, self->draw, self->theta, {self->workspaces, 1}};
  return pf_forward(&simulation, PF_SIMULATE_ACTIVITY_ONLY, PF_STEP_FIT, NULL, error);
}
