#include "core/uncertainty/uncertainty.h"

#include "core/base/memory.h"

#include <math.h>

uint32_t pf_shown_method(const pf_inference_group *of, size_t k)
{
  static const uint32_t others[] = {PF_INTERVAL_profile, PF_INTERVAL_fisher};
  const pf_intervals *main = &of->methods[of->main];
  if (!main->there || !isnan(main->lower[k]) || pf_layout_is_shared(of->group->layout, k)) {
    return of->main;
  }
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    const pf_intervals *other = &of->methods[others[i]];
    if (other->there && !isnan(other->lower[k])) {
      return others[i];
    }
  }
  return of->main;
}

pf_uncertainty pf_uncertainty_of(const pf_inference *inference, const pf_fit_group *group,
                                 size_t instance)
{
  pf_uncertainty out = {.se = NAN, .lower = NAN, .upper = NAN};
  const size_t k = group->layout->instances[instance].value;
  const double factor = group->layout->instances[instance].factor;
  if (k == PF_LAYOUT_NONE && group->penalty.chosen &&
      pf_is_free(&group->layout->parameters[group->layout->instances[instance].parameter])) {
    out.note = "left out by the choice of terms (penalty.l1)";
    return out;
  }
  if (inference == NULL || k == PF_LAYOUT_NONE) {
    return out;
  }
  size_t u = 0;
  while (u < inference->n_groups && inference->groups[u].group != group) {
    u++;
  }
  if (u == inference->n_groups) {
    return out;
  }
  const pf_inference_group *of = &inference->groups[u];
  out.note = of->why;
  if (of->why != NULL) {
    return out;
  }
  out.method = pf_shown_method(of, k);
  const pf_intervals *intervals = &of->methods[out.method];
  out.verdict = of->verdict[k];
  out.note = of->note[k] != NULL ? of->note[k] : intervals->why;
  if (intervals->there) {
    const double low = factor * intervals->lower[k], high = factor * intervals->upper[k];
    out.se = fabs(factor) * intervals->se[k];
    out.lower = fmin(low, high);
    out.upper = fmax(low, high);
  }
  return out;
}

pf_status pf_subspace_sentence(const pf_problem *problem, const pf_inference_group *of, size_t s,
                               char *text, size_t capacity, pf_error *error)
{
  const char **names = pf_value_names(problem, of->group->layout, error);
  if (names == NULL) {
    return PF_STOP;
  }
  pf_subspace_print(&of->spectrum->subspaces[s], names, PF_WHOLE_SUBSPACE, text, capacity);
  pf_memory_free((void *)names);
  return PF_OK;
}
