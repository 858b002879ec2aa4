/* Which way through time a gradient takes: the network says, never the rule. */
#include "core/engine/coupled.h"
#include "core/engine/sweep.h"

pf_status pf_gradient(const pf_model *model, const pf_draw *draw, const double *theta,
                      const double *scale, pf_workspace *const *workspaces, size_t n_workspaces,
                      pf_loss_value *values, double *gradient, pf_error *error)
{
  return pf_sweep_can(model) ? pf_sweep_gradient(model, draw, theta, scale, workspaces,
                                                 n_workspaces, values, gradient, error)
                             : pf_coupled_gradient(model, draw, theta, scale, workspaces[0], values,
                                                   gradient, error);
}
