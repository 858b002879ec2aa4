#include "core/closed_loop/choice_law.h"

#include "core/base/memory.h"
#include "core/data/data_names.h"
#include "core/state/trajectory.h"

#include <math.h>
#include <string.h>

static const double tolerance = 1e-4; /* of a sum of probabilities: that of single precision */

/** A log likelihood of the choice and of nothing else. */
static bool is_of_choice(const pf_loss_term *loss)
{
  return (loss->declared.flags & PF_LOSS_LIKELIHOOD) != 0 && loss->declared.targets.count == 1 &&
         pf_is_choice(loss->declared.targets.items[0]);
}

pf_status pf_choice_law_create(const pf_workspace *workspace, const double *theta,
                               pf_choice_law *out, pf_error *error)
{
  const pf_model *model = workspace->model;
  int64_t n = 0, ld = 0;
  *out = (pf_choice_law){.workspace = workspace,
                         .theta = theta,
                         .probability = pf_model_observable(model, "probability")};
  if (out->probability < 0) {
    return PF_OK;
  }
  (void)pf_workspace_observable(workspace, out->probability, &n, &ld);
  out->n_options = n == 1 ? 2 : n;
  for (size_t k = 0; k < model->n_losses && out->loss == NULL; k++) {
    out->loss = is_of_choice(&model->losses[k]) ? &model->losses[k] : NULL;
  }
  out->chances = pf_memory_need((size_t)out->n_options, sizeof *out->chances, error);
  return out->chances == NULL ? PF_STOP : PF_OK;
}

void pf_choice_law_clear(pf_choice_law *law)
{
  pf_memory_free(law->chances);
  law->chances = NULL;
}

static void ask_network(const pf_choice_law *law, const pf_real *probability, int64_t n)
{
  if (n == 1) {
    law->chances[0] = 1.0 - (double)probability[0];
    law->chances[1] = (double)probability[0];
    return;
  }
  for (int64_t k = 0; k < n; k++) {
    law->chances[k] = (double)probability[k];
  }
}

/** False: the loss cannot say. */
static bool ask_loss(const pf_choice_law *law, int64_t row)
{
  const pf_loss_term *term = law->loss;
  const pf_real *observable[PF_LOSS_MAX_ARRAYS];
  int64_t n_observable[PF_LOSS_MAX_ARRAYS], ld_observable[PF_LOSS_MAX_ARRAYS];
  for (size_t k = 0; k < term->declared.observables.count; k++) {
    observable[k] = pf_workspace_observable(law->workspace, term->observables[k], &n_observable[k],
                                            &ld_observable[k]);
    observable[k] += row * ld_observable[k];
  }
  double sum = 0.0;
  for (int64_t k = 0; k < law->n_options; k++) {
    const pf_real option = (pf_real)k;
    const pf_real *const target = &option;
    const int64_t one = 1;
    const pf_loss_in in = {.size = sizeof in,
                           .n_steps = 1,
                           .theta = law->theta + term->theta0,
                           .observable = observable,
                           .n_observable = n_observable,
                           .ld_observable = ld_observable,
                           .target = &target,
                           .n_target = &one,
                           .ld_target = &one};
    pf_error ignored = pf_error_none();
    double log_likelihood = 0.0;
    int64_t count = 0;
    if (term->loss->plugin->loss->evaluate(term->loss->self, &in, &log_likelihood, &count,
                                           &ignored) != PF_OK) {
      return false;
    }
    law->chances[k] = exp(log_likelihood);
    sum += law->chances[k];
  }
  return fabs(sum - 1.0) <= tolerance;
}

pf_status pf_choice_law_draw(const pf_choice_law *law, int64_t row, double uniform, double *choice,
                             pf_error *error)
{
  int64_t n = 0, ld = 0;
  double below = 0.0, sum = 0.0;
  *choice = NAN;
  if (law->probability < 0) {
    return PF_OK;
  }
  const pf_real *probability =
      pf_workspace_observable(law->workspace, law->probability, &n, &ld) + row * ld;
  if (isnan(probability[0])) {
    return pf_fail(error, PF_POINT_FAILED,
                   "the probability of a choice is not a number: the weights overflowed");
  }
  if (law->loss == NULL || !ask_loss(law, row)) {
    ask_network(law, probability, n);
  }
  for (int64_t k = 0; k < law->n_options; k++) {
    sum += law->chances[k];
  }
  if (fabs(sum - 1.0) > tolerance) { /* a sigmoid each: then there is no choice */
    return PF_OK;
  }
  if (n == 1) {
    *choice = uniform < law->chances[1] ? 1.0 : 0.0;
    return PF_OK;
  }
  for (int64_t k = 0; k < n; k++) {
    below += law->chances[k];
    if (uniform < below) {
      *choice = (double)k;
      return PF_OK;
    }
  }
  *choice = (double)(n - 1); /* the sum may round to below the uniform number */
  return PF_OK;
}
