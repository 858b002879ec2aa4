#include "core/evaluate/expected_target.h"

#include "core/base/memory.h"
#include "core/state/losses.h"

/* The loss that says what to expect of a target; n_losses: none does. */
static size_t find_expecting(const pf_model *model)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_loss_ops *ops = model->losses[k].loss->plugin->loss;
    if (PF_HAS(ops, pf_loss_ops, expect) && ops->expect != NULL) {
      return k;
    }
  }
  return model->n_losses;
}

pf_status pf_expected_target_compute(const pf_model *model, const pf_workspace *workspace,
                                     const pf_draw *draw, const double *theta,
                                     pf_expected_target *out, pf_error *error)
{
  const size_t k = find_expecting(model);
  *out = (pf_expected_target){0};
  if (k == model->n_losses) {
    return PF_OK;
  }
  const pf_component *loss = model->losses[k].loss;
  pf_loss_view view;
  pf_losses_view(workspace, k, draw, theta, &view);
  out->target = model->losses[k].declared.targets.items[0];
  out->n = view.n_target[0];
  out->values = pf_memory_need((size_t)(draw->n_steps * out->n), sizeof *out->values, error);
  if (out->values == NULL) {
    return PF_STOP;
  }
  return loss->plugin->loss->expect(loss->self, &view.in, out->values, out->n, error);
}

void pf_expected_target_free(pf_expected_target *expected)
{
  pf_memory_free(expected->values);
  *expected = (pf_expected_target){0};
}
