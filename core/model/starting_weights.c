#include "core/model/starting_weights.h"

#include "core/base/memory.h"

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
  for (size_t q = 0; q < model->declared.projections.count; q++) {
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
                    int64_t n_post, int64_t n_pre, pf_real *w, int64_t ldw)
{
  const pf_start *start = &model->starts[q];
  const double *from = theta + start->theta0;
  for (int64_t i = 0; i < n_post && start->mode != PF_START_NETWORK; i++) {
    for (int64_t j = 0; j < n_pre; j++) {
      const int64_t k = i * n_pre + j;
      w[i * ldw + j] =
          (pf_real)(start->mode == PF_START_EACH ? from[k]
                                                 : from[0] + from[1] * noise[start->noise0 + k]);
    }
  }
}

void pf_learn_start_jvp(const pf_model *model, size_t q, const double *d_theta, const double *noise,
                        int64_t n_post, int64_t n_pre, pf_real *w, int64_t ldw)
{
  for (int64_t i = 0; i < n_post; i++) {
    memset(w + i * ldw, 0, (size_t)n_pre * sizeof *w);
  }
  pf_learn_start(model, q, d_theta, noise, n_post, n_pre, w, ldw); /* it is linear in theta */
}

void pf_learn_start_vjp(const pf_model *model, size_t q, const double *noise, int64_t n_post,
                        int64_t n_pre, const pf_real *g, int64_t ldw, double *gradient)
{
  const pf_start *start = &model->starts[q];
  double *to = gradient + start->theta0;
  for (int64_t i = 0; i < n_post && start->mode != PF_START_NETWORK; i++) {
    for (int64_t j = 0; j < n_pre; j++) {
      const int64_t k = i * n_pre + j;
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

/** What the network itself would start the projection with, from `noise` (its own part). */
static pf_status network_start(const pf_model *model, size_t projection, const double *noise,
                               pf_real *w, int64_t n_pre, pf_error *error)
{
  const size_t n = model->declared.projections.count;
  pf_real **all = pf_memory_need(n, sizeof *all, error);
  int64_t *ldw = pf_memory_need(n, sizeof *ldw, error);
  double *theta = pf_memory_need(model->declared.parameters.count, sizeof *theta, error);
  pf_status status = all == NULL || ldw == NULL || theta == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    all[projection] = w;
    ldw[projection] = n_pre;
    for (size_t i = 0; i < model->declared.parameters.count; i++) {
      theta[i] = model->parameters[model->network_theta0 + i].declared.initial;
    }
    const pf_initial initial = {.size = sizeof initial, .w = all, .ldw = ldw};
    status = model->network->plugin->network->initial(model->network->self, theta, noise, &initial,
                                                      error);
  }
  pf_memory_free(all);
  pf_memory_free(ldw);
  pf_memory_free(theta);
  return status;
}

/** Makes room for `count` more parameters and their names of `length` bytes each. */
static pf_status grow(pf_model *model, pf_start *start, size_t count, size_t length,
                      pf_error *error)
{
  pf_model_parameter *larger = pf_memory_need(model->n_parameters + count, sizeof *larger, error);
  start->names = pf_memory_need(count, length, error);
  if (larger == NULL || start->names == NULL) {
    pf_memory_free(larger);
    return PF_STOP;
  }
  if (model->n_parameters > 0) {
    memcpy(larger, model->parameters, model->n_parameters * sizeof *larger);
  }
  pf_memory_free(model->parameters);
  model->parameters = larger;
  return PF_OK;
}

pf_status pf_model_learn_start(pf_model *model, int64_t projection, uint32_t mode,
                               const pf_start_spec *spec, pf_error *error)
{
  const pf_projection *info =
      pf_table_at(model->declared.projections.items, model->declared.projections.stride,
                  model->declared.projections.count, (size_t)projection);
  int64_t n_post = 0, n_pre = 0;
  (void)pf_model_projection(model, info->name, &n_post, &n_pre);
  const size_t cells = (size_t)(n_post * n_pre), count = mode == PF_START_EACH ? cells : 2;
  const size_t length = strlen(info->name) + 64;
  pf_start *start = &model->starts[projection];
  pf_real *mean = pf_memory_need(cells, sizeof *mean, error);
  double *zeros = pf_memory_need((size_t)model->declared.n_noise, sizeof *zeros, error);
  pf_status status =
      mean == NULL || zeros == NULL ? PF_STOP : grow(model, start, count, length, error);
  status = status == PF_OK ? network_start(model, (size_t)projection, zeros, mean, n_pre, error)
                           : status;
  for (size_t k = 0; k < count && status == PF_OK; k++) {
    char *name = start->names + k * length;
    pf_model_parameter *parameter = &model->parameters[model->n_parameters + k];
    const bool is_sd = mode == PF_START_MEAN_SD && k == 1;
    if (mode == PF_START_EACH) {
      (void)snprintf(name, length, "w0.%s[%lld][%lld]", info->name, (long long)k / n_pre,
                     (long long)k % n_pre);
    } else {
      (void)snprintf(name, length, "w0.%s.%s", info->name, is_sd ? "sd" : "mean");
    }
    *parameter = (pf_model_parameter){.declared = {.name = name,
                                                   .unit = "1",
                                                   .initial = is_sd ? 0.0 : (double)mean[k],
                                                   .value = is_sd ? 0.0 : (double)mean[k],
                                                   .lower = is_sd ? 0.0 : spec->lower,
                                                   .upper = is_sd ? (double)INFINITY : spec->upper,
                                                   .scope = spec->scope,
                                                   .help = is_sd ? "sd of the starting weights"
                                                           : mode == PF_START_EACH
                                                               ? "a weight before the first step"
                                                               : "mean of the starting weights"},
                                      .owner = "network",
                                      .is_start = true,
                                      .own_penalty = true,
                                      .l1 = spec->l1,
                                      .l2 = spec->l2};
    const pf_real *connected = model->masks[projection].connected;
    if (mode == PF_START_EACH && connected != NULL &&
        connected[((int64_t)k / n_pre) * pf_leading_dimension(n_pre) + (int64_t)k % n_pre] == 0) {
      parameter->declared.flags |= PF_PARAMETER_FIXED; /* there is no such synapse */
      parameter->declared.initial = parameter->declared.value = 0.0;
    }
  }
  if (status == PF_OK) {
    start->mode = mode;
    start->theta0 = model->n_parameters;
    start->noise0 = model->n_noise;
    model->n_parameters += count;
    model->n_noise += mode == PF_START_MEAN_SD ? (int64_t)cells : 0;
  }
  pf_memory_free(mean);
  pf_memory_free(zeros);
  return status;
}
