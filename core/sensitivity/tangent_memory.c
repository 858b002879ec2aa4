#include "core/sensitivity/tangent_memory.h"

#include "core/engine/checkpoint_plan.h"
#include "core/sensitivity/coupled_tangents.h"
#include "core/sensitivity/tangent_sweep.h"

#include <math.h>

/* Is every loss a sum over units of the plastic population? Then its tangents are used block by
 * block, and those of all units are in memory at no time. */
static bool is_local(const pf_model *model)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_declaration *declared = &model->losses[k].declared;
    if ((declared->flags & PF_LOSS_SEPARABLE_BY_UNIT) == 0 || declared->observables.count != 1 ||
        declared->parameters.count != 0) {
      return false;
    }
  }
  return model->n_plastic == 1 && pf_tangents_can_sweep(model);
}

/* Starting weights and parameters of the network: their tangents begin with the first step. */
static double initial_bytes(const pf_model *model, double n)
{
  double cells = 0.0;
  if (model->start_theta0 == model->n_parameters) {
    return 0.0;
  }
  for (size_t p = 0; p < model->n_plastic; p++) {
    cells += (double)(model->plastic[p].n_post * pf_leading_dimension(model->plastic[p].n_pre));
  }
  return (n + 2.0) * cells * (double)sizeof(pf_real);
}

double pf_tangent_bytes(const pf_model *model, int64_t n_steps, size_t n)
{
  const double count = (double)n, steps = (double)n_steps, cell = (double)sizeof(pf_real);
  const bool local = is_local(model);
  const double matrix = count * (count + 1.0) * (double)sizeof(double);
  double bytes = initial_bytes(model, count) + matrix + /* and directions */
                 (count + 1.0) * (double)model->n_parameters * (double)sizeof(double);
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_plastic *plastic = &model->plastic[p];
    const double ld = (double)pf_leading_dimension(plastic->n_pre);
    const pf_tangent_blocks blocks = pf_tangent_blocks_plan(
        plastic->n_post, pf_leading_dimension(plastic->n_pre) * (int64_t)sizeof(pf_real),
        (int64_t)n);
    bytes += (double)blocks.rows * ld * (2.0 + 2.0 * (double)blocks.at_once) * cell;
    if (local) {
      bytes += (double)blocks.n_lanes * matrix + steps * count * (double)blocks.rows * cell;
    } else {
      bytes += steps * count * (double)plastic->n_post * cell;
    }
  }
  return pf_tangents_can_sweep(model) ? bytes : bytes + pf_coupled_tangent_bytes(model, n);
}
