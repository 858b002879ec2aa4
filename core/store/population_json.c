/* What the animals of a population share, as summary.json has it. */
#include "core/store/json_values.h"
#include "core/store/tables.h"

static json_t *coefficient_object(const pf_results *results, size_t k)
{
  const pf_population_fit *fit = results->population->fit;
  const pf_layout *layout = results->fit->groups[0].layout;
  const pf_model_parameter *parameter =
      &layout->parameters[layout->instances[layout->index[k]].parameter];
  double lower, upper;
  pf_population_interval(fit, 0, k, &lower, &upper);
  json_t *object = json_object();
  object = pf_json_set(object, "owner", pf_json_text(parameter->owner));
  object = pf_json_set(object, "name", pf_json_text(parameter->declared.name));
  object = pf_json_set(object, "label", pf_json_text(pf_parameter_label(parameter)));
  const struct {
    const char *key;
    double value;
  } numbers[] = {{"mean", fit->model.beta[k]},
                 {"lower", lower},
                 {"upper", upper},
                 {"sd", fit->model.sd[k]},
                 {"sd_lower", fit->sd_lower[k]},
                 {"sd_upper", fit->sd_upper[k]},
                 {"difference_p", fit->p[k]},
                 {"share_between", pf_population_share(fit, k)}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    object = pf_json_set(object, numbers[i].key, pf_json_number(numbers[i].value));
  }
  return object;
}

json_t *pf_population_object(const pf_results *results)
{
  if (results->population == NULL) {
    return json_null();
  }
  const pf_population_fit *fit = results->population->fit;
  json_t *object = json_object(), *coefficients = json_array();
  for (size_t k = 0; k < fit->model.n; k++) {
    coefficients = pf_json_append(coefficients, coefficient_object(results, k));
  }
  object = pf_json_set(object, "converged", json_boolean(fit->converged));
  object = pf_json_set(object, "rounds", json_integer((json_int_t)fit->n_rounds));
  object = pf_json_set(object, "level", pf_json_number(fit->level));
  object = pf_json_set(object, "log_marginal_likelihood", pf_json_number(fit->marginal));
  return pf_json_set(object, "coefficients", coefficients);
}
