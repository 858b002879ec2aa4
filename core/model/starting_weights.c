#include "core/model/starting_weights.h"

#include "core/base/memory.h"
#include "core/model/model_parameters.h"

#include <math.h>
#include <string.h>

/* ---- what is learned ---- */

static bool any_learned(const pf_model *model, size_t first, size_t n)
{
  for (size_t i = first; i < first + n; i++) {
    if ((model->parameters[i].declared.flags & PF_PARAMETER_FIXED) == 0) {
      return true;
    }
  }
  return false;
}

bool pf_learns_network(const pf_model *model)
{
  for (size_t q = 0; q < model->n_projections; q++) {
    if (model->starts[q].mode != PF_START_NETWORK) {
      return true;
    }
  }
  return any_learned(model, model->network_theta0, model->declared.parameters.count);
}

bool pf_learns_loss(const pf_model *model, size_t k)
{
  return any_learned(model, model->losses[k].theta0, model->losses[k].declared.parameters.count);
}

/* ---- from theta to weights, and back ---- */

void pf_learn_start(const pf_model *model, size_t q, const double *theta, const double *noise,
                    pf_real *w)
{
  const pf_start *start = &model->starts[q];
  if (start->mode == PF_START_NETWORK) {
    return;
  }
  const pf_projection_size size = pf_model_projection_size(model, (int64_t)q);
  const int64_t ldw = pf_leading_dimension(size.n_pre);
  const double *from = theta + start->theta0;
  for (int64_t i = 0; i < size.n_post; i++) {
    for (int64_t j = 0; j < size.n_pre; j++) {
      const int64_t k = i * size.n_pre + j;
      w[i * ldw + j] =
          (pf_real)(start->mode == PF_START_EACH ? from[k]
                                                 : from[0] + from[1] * noise[start->noise0 + k]);
    }
  }
}

void pf_learn_start_jvp(const pf_model *model, size_t q, const double *d_theta, const double *noise,
                        pf_real *w)
{
  const pf_projection_size size = pf_model_projection_size(model, (int64_t)q);
  const int64_t ldw = pf_leading_dimension(size.n_pre);
  for (int64_t i = 0; i < size.n_post; i++) {
    memset(w + i * ldw, 0, (size_t)size.n_pre * sizeof *w);
  }
  pf_learn_start(model, q, d_theta, noise, w); /* it is linear in theta */
}

void pf_learn_start_vjp(const pf_model *model, size_t q, const double *noise, const pf_real *g,
                        double *gradient)
{
  const pf_start *start = &model->starts[q];
  if (start->mode == PF_START_NETWORK) {
    return;
  }
  const pf_projection_size size = pf_model_projection_size(model, (int64_t)q);
  const int64_t ldw = pf_leading_dimension(size.n_pre);
  double *to = gradient + start->theta0;
  for (int64_t i = 0; i < size.n_post; i++) {
    for (int64_t j = 0; j < size.n_pre; j++) {
      const int64_t k = i * size.n_pre + j;
      const double slope = (double)g[i * ldw + j];
      if (start->mode == PF_START_EACH) {
        to[k] += slope;
      } else {
        to[0] += slope;
        to[1] += slope * noise[start->noise0 + k];
      }
    }
  }
}

/* ---- declaring them ---- */

/** What the network starts the projection with where its noise is 0, into w [n_post][n_pre]. */
static pf_status start_without_noise(const pf_model *model, size_t projection, int64_t n_pre,
                                     pf_real *w, pf_error *error)
{
  const size_t n_theta = model->declared.parameters.count;
  pf_status status = PF_STOP;
  pf_real **all = pf_memory_need(model->n_projections, sizeof *all, error);
  int64_t *ldw = pf_memory_need(model->n_projections, sizeof *ldw, error);
  double *theta = pf_memory_need(n_theta, sizeof *theta, error);
  double *zeros = pf_memory_need((size_t)model->declared.n_noise, sizeof *zeros, error);
  if (all == NULL || ldw == NULL || theta == NULL || zeros == NULL) {
    goto done;
  }
  all[projection] = w;
  ldw[projection] = n_pre;
  for (size_t i = 0; i < n_theta; i++) {
    theta[i] = model->parameters[model->network_theta0 + i].declared.initial;
  }
  const pf_initial initial = {.size = sizeof initial, .w = all, .ldw = ldw};
  status =
      model->network->plugin->network->initial(model->network->self, theta, zeros, &initial, error);
done:
  pf_memory_free(all);
  pf_memory_free(ldw);
  pf_memory_free(theta);
  pf_memory_free(zeros);
  return status;
}

/** A parameter that is the host's, with penalties of its own. */
static pf_model_parameter start_parameter(const char *name, double value, const char *help,
                                          const pf_start_spec *spec)
{
  return (pf_model_parameter){.declared = {.name = name,
                                           .unit = "1",
                                           .initial = value,
                                           .value = value,
                                           .lower = spec->lower,
                                           .upper = spec->upper,
                                           .scope = spec->scope,
                                           .help = help},
                              .owner = "network",
                              .is_start = true,
                              .own_penalty = true,
                              .l1 = spec->l1,
                              .l2 = spec->l2};
}

static void name_weights(const pf_model *model, int64_t projection, const pf_real *mean,
                         size_t length, const pf_start_spec *spec)
{
  const pf_projection_size size = pf_model_projection_size(model, projection);
  const pf_real *connected = model->masks[projection].connected;
  const int64_t ldw = pf_leading_dimension(size.n_pre);
  for (int64_t k = 0; k < size.n_post * size.n_pre; k++) {
    const int64_t i = k / size.n_pre, j = k % size.n_pre;
    char *name = model->starts[projection].names + (size_t)k * length;
    pf_model_parameter *parameter = &model->parameters[model->n_parameters + (size_t)k];
    (void)snprintf(name, length, "w0.%s[%lld][%lld]", model->projections[projection].name,
                   (long long)i, (long long)j);
    *parameter = start_parameter(name, (double)mean[k], "a weight before the first step", spec);
    if (connected != NULL && connected[i * ldw + j] == 0) { /* there is no such synapse */
      parameter->declared.flags |= PF_PARAMETER_FIXED;
      parameter->declared.initial = parameter->declared.value = 0.0;
    }
  }
}

static void name_distribution(const pf_model *model, int64_t projection, const pf_real *mean,
                              size_t length, const pf_start_spec *spec)
{
  char *name = model->starts[projection].names;
  pf_model_parameter *parameters = model->parameters + model->n_parameters;
  (void)snprintf(name, length, "w0.%s.mean", model->projections[projection].name);
  (void)snprintf(name + length, length, "w0.%s.sd", model->projections[projection].name);
  parameters[0] = start_parameter(name, (double)mean[0], "mean of the starting weights", spec);
  parameters[1] = start_parameter(name + length, 0.0, "sd of the starting weights", spec);
  parameters[1].declared.lower = 0.0;
  parameters[1].declared.upper = (double)INFINITY;
}

pf_status pf_model_learn_start(pf_model *model, int64_t projection, uint32_t mode,
                               const pf_start_spec *spec, pf_error *error)
{
  const pf_projection_size size = pf_model_projection_size(model, projection);
  const bool each = mode == PF_START_EACH;
  const size_t cells = (size_t)(size.n_post * size.n_pre), count = each ? cells : 2;
  const size_t length = strlen(model->projections[projection].name) + 64;
  pf_start *start = &model->starts[projection];
  pf_real *mean = pf_memory_need(cells, sizeof *mean, error);
  start->names = pf_memory_need(count, length, error);
  pf_status status = PF_STOP;
  if (mean == NULL || start->names == NULL) {
    goto done;
  }
  status = pf_model_reserve_parameters(model, count, error);
  if (status != PF_OK) {
    goto done;
  }
  status = start_without_noise(model, (size_t)projection, size.n_pre, mean, error);
  if (status != PF_OK) {
    goto done;
  }
  start->mode = mode;
  start->theta0 = model->n_parameters;
  start->noise0 = model->n_noise;
  if (each) {
    name_weights(model, projection, mean, length, spec);
  } else {
    name_distribution(model, projection, mean, length, spec);
    model->n_noise += (int64_t)cells;
  }
  model->n_parameters += count;
done:
  pf_memory_free(mean);
  return status;
}
