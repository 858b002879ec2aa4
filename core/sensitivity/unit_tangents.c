#include "core/sensitivity/unit_tangents.h"

#include <string.h>

/** Cotangents of a population's outputs, signals before states, and what the adjoint makes of
 * them. */
typedef struct unit_slopes {
  pf_real *cotangents; /* [n_signals + n_state][ld], zeros */
  pf_real *drive;      /* [ld] */
  pf_real *state;      /* [n_state][ld] */
  double *theta;       /* [parameters of the network] */
} unit_slopes;

static size_t n_parameters_of(const pf_tangents *self)
{
  return self->model->declared.parameters.count;
}

static const double *along_network(const pf_tangents *self, int64_t k)
{
  return self->along + (size_t)k * self->model->n_parameters + self->model->network_theta0;
}

static pf_status make_slopes(const pf_tangents *self, const pf_unit_tangents *of, pf_pool *pool,
                             unit_slopes *at, pf_error *error)
{
  const size_t ld = (size_t)of->ld, n_theta = n_parameters_of(self);
  const size_t outputs = (size_t)(of->n_signals + of->n_state) * ld;
  const size_t cells = outputs + ld + (size_t)of->n_state * ld;
  double *memory = pf_pool_need(pool, n_theta * sizeof(double) + cells * sizeof(pf_real), 1, error);
  if (memory == NULL) {
    return PF_STOP;
  }
  at->theta = memory;
  at->cotangents = (pf_real *)(memory + n_theta);
  at->drive = at->cotangents + outputs;
  at->state = at->drive + ld;
  memset(at->cotangents, 0, outputs * sizeof(pf_real));
  return PF_OK;
}

/** The adjoint at units [i0, i0 + n) of what stands in at->cotangents. */
static pf_status pull_back(const pf_tangents *self, const pf_unit_tangents *of,
                           const unit_slopes *at, pf_range units, bool with_theta, pf_error *error)
{
  const pf_component *network = self->model->network;
  const int64_t i0 = units.first, ld = of->ld;
  pf_units in = *of->in;
  pf_response value = *of->value;
  in.row0 += i0;
  in.n_rows = units.n;
  in.drive += i0;
  in.state = in.state == NULL ? NULL : in.state + i0;
  value.signals += i0;
  value.state = value.state == NULL ? NULL : value.state + i0;
  const pf_response cotangent = {
      .size = sizeof cotangent,
      .signals = at->cotangents + i0,
      .state = of->n_state == 0 ? NULL : at->cotangents + of->n_signals * ld + i0,
      .signal_stride = ld,
      .ld_signal = ld,
      .ld_state = ld};
  const pf_units_gradient into = {.size = sizeof into,
                                  .drive = at->drive + i0,
                                  .state = of->n_state == 0 ? NULL : at->state + i0,
                                  .theta = with_theta ? at->theta : NULL,
                                  .ld_drive = ld,
                                  .ld_state = ld};
  memset(at->drive, 0, (size_t)((1 + of->n_state) * ld) * sizeof(pf_real));
  memset(at->theta, 0, n_parameters_of(self) * sizeof *at->theta);
  return network->plugin->network->activate_vjp(network->self, &in, &value, &cotangent, &into,
                                                error);
}

/** Where output o of direction k goes. */
static pf_real *output_of(const pf_unit_tangents *of, int64_t o, int64_t k)
{
  return o < of->n_signals ? of->signals + (k * of->n_signals + o) * of->ld
                           : of->after + (k * of->n_state + o - of->n_signals) * of->ld;
}

/* ---- one number at a time: units that see one another, parameters of the network ---- */

static void add_number(const pf_tangents *self, const pf_unit_tangents *of, const unit_slopes *at,
                       pf_range units, int64_t k, pf_real *to)
{
  const int64_t ld = of->ld;
  const pf_real *drive = of->drive + k * ld, *state = of->state + k * of->n_state * ld;
  double sum = 0.0;
  for (int64_t j = units.first; j < units.first + units.n; j++) {
    sum += (double)at->drive[j] * (double)drive[j];
    for (int64_t m = 0; m < of->n_state; m++) {
      sum += (double)at->state[m * ld + j] * (double)state[m * ld + j];
    }
  }
  const double *along = along_network(self, of->k0 + k);
  for (size_t i = 0; i < n_parameters_of(self) && of->k0 + k < self->n_network; i++) {
    sum += along[i] == 0.0 ? 0.0 : along[i] * at->theta[i];
  }
  *to = (pf_real)sum;
}

/** Directions [0, n_k) of those at hand. */
static pf_status by_numbers(const pf_tangents *self, const pf_unit_tangents *of,
                            const unit_slopes *at, int64_t n_k, pf_error *error)
{
  for (int64_t o = 0; o < of->n_signals + of->n_state; o++) {
    for (int64_t i = 0; i < of->in->n_rows; i++) {
      const pf_range units = of->coupled ? (pf_range){0, of->in->n_rows} : (pf_range){i, 1};
      at->cotangents[o * of->ld + i] = (pf_real)1;
      const pf_status status = pull_back(self, of, at, units, true, error);
      at->cotangents[o * of->ld + i] = (pf_real)0;
      if (status != PF_OK) {
        return status;
      }
      for (int64_t k = 0; k < n_k; k++) {
        add_number(self, of, at, units, k, output_of(of, o, k) + i);
      }
    }
  }
  return PF_OK;
}

static pf_status by_jvp(const pf_tangents *self, const pf_unit_tangents *of, int64_t n_k,
                        pf_error *error)
{
  const pf_component *network = self->model->network;
  for (int64_t k = 0; k < n_k; k++) {
    pf_units along = *of->in;
    along.theta = along_network(self, of->k0 + k);
    along.drive = of->drive + k * of->ld;
    along.ld_drive = of->ld;
    along.state = of->n_state == 0 ? NULL : of->state + k * of->n_state * of->ld;
    along.ld_state = of->ld;
    const pf_response out = {.size = sizeof out,
                             .signals = of->signals + k * of->n_signals * of->ld,
                             .state =
                                 of->n_state == 0 ? NULL : of->after + k * of->n_state * of->ld,
                             .signal_stride = of->ld,
                             .ld_signal = of->ld,
                             .ld_state = of->ld};
    const pf_status status = network->plugin->network->activate_jvp(network->self, of->in,
                                                                    of->value, &along, &out, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return PF_OK;
}

/* ---- all units at once: they do not see one another ---- */

static void add_output(const pf_unit_tangents *of, const unit_slopes *at, int64_t k, pf_real *to)
{
  const int64_t n = of->in->n_rows, ld = of->ld;
  const pf_real *drive = of->drive + k * ld, *state = of->state + k * of->n_state * ld;
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    to[i] = at->drive[i] * drive[i];
  }
  for (int64_t m = 0; m < of->n_state; m++) {
    for (int64_t i = 0; i < n; i++) {
      to[i] += at->state[m * ld + i] * state[m * ld + i];
    }
  }
}

/** Directions [first, n_k) of those at hand, which move no parameter of the network. */
static pf_status by_outputs(const pf_tangents *self, const pf_unit_tangents *of,
                            const unit_slopes *at, int64_t first, pf_error *error)
{
  const int64_t n = of->in->n_rows;
  for (int64_t o = 0; o < of->n_signals + of->n_state && first < of->n_k; o++) {
    pf_real *cotangents = at->cotangents + o * of->ld;
    for (int64_t i = 0; i < n; i++) {
      cotangents[i] = (pf_real)1;
    }
    const pf_status status = pull_back(self, of, at, (pf_range){0, n}, false, error);
    memset(cotangents, 0, (size_t)n * sizeof *cotangents);
    if (status != PF_OK) {
      return status;
    }
    for (int64_t k = first; k < of->n_k; k++) {
      add_output(of, at, k, output_of(of, o, k));
    }
  }
  return PF_OK;
}

pf_status pf_unit_tangents_make(const pf_tangents *self, const pf_unit_tangents *of, pf_pool *pool,
                                pf_error *error)
{
  const pf_network_ops *ops = self->model->network->plugin->network;
  const int64_t rest = self->n_network > of->k0 ? self->n_network - of->k0 : 0;
  const int64_t of_network = rest < of->n_k ? rest : of->n_k;
  const int64_t whole = of->coupled ? of->n_k : of_network;
  unit_slopes at;
  pf_status status = make_slopes(self, of, pool, &at, error);
  if (status != PF_OK) {
    return status;
  }
  if (whole > 0) {
    status = PF_HAS(ops, pf_network_ops, activate_jvp) && ops->activate_jvp != NULL
                 ? by_jvp(self, of, whole, error)
                 : by_numbers(self, of, &at, whole, error);
    if (status != PF_OK) {
      return status;
    }
  }
  return by_outputs(self, of, &at, whole, error);
}

pf_status pf_unit_theta_slopes(const pf_tangents *self, const pf_units *unit,
                               const pf_response *value, int64_t signal, double *g_theta,
                               pf_error *error)
{
  pf_real cotangents[PF_MAX_SIGNALS] = {0};
  const pf_component *network = self->model->network;
  const pf_response cotangent = {
      .size = sizeof cotangent, .signals = cotangents, .signal_stride = 1, .ld_signal = 1};
  const pf_units_gradient into = {.size = sizeof into, .theta = g_theta, .ld_drive = 1};
  cotangents[signal] = (pf_real)1;
  const pf_status status =
      network->plugin->network->activate_vjp(network->self, unit, value, &cotangent, &into, error);
  cotangents[signal] = (pf_real)0;
  return status;
}
