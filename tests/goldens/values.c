#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/fit/objective.h"
#include "tests/goldens/compare.h"
#include <string.h>

/* The gradient of the file over the terms that the rule has; of the others it must be 0, or the
 * mask means something else there than here. */
static pf_status compare_gradient(const golden_case *golden, const double *gradient,
                                  golden_report *report, pf_error *error)
{
  const golden_rule *rule = &golden->rule;
  const json_t *grad = json_object_get(golden->root, "grad");
  if (grad == NULL) {
    return PF_OK;
  }
  double *expected = pf_memory_need(rule->n, sizeof *expected, error);
  double *found = pf_memory_need(rule->n, sizeof *found, error);
  pf_status status = expected == NULL || found == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK ? golden_rule_numbers(rule, grad, "grad", expected, error) : status;
  for (size_t i = 0; i < rule->n && status == PF_OK; i++) {
    found[i] = golden->places[i] < 0 ? 0.0 : gradient[golden->places[i]];
    if (golden->places[i] < 0 && expected[i] != 0.0) {
      status = pf_fail(error, PF_STOP, "grad of the masked %s is %g, expected 0", rule->names[i],
                       expected[i]);
    }
  }
  if (status == PF_OK) {
    golden_compare(report, "gradient", found, expected, rule->n);
  }
  pf_memory_free(expected);
  pf_memory_free(found);
  return status;
}

static pf_status compare_loss(const golden_case *golden, const pf_draw *draw, const double *theta,
                              pf_workspace *workspace, golden_report *report, pf_error *error)
{
  double expected = 0.0;
  pf_batch *batch = NULL;
  const pf_model *model = golden->lab.model;
  pf_layout *layout = NULL;
  double *gradient = pf_memory_need(model->n_parameters, sizeof *gradient, error);
  double *values = pf_memory_need(model->n_parameters, sizeof *values, error);
  pf_status status =
      gradient == NULL || values == NULL
          ? PF_STOP
          : golden_number(golden->root, "loss", GOLDEN_NULL_IS_WRONG, &expected, error);
  status =
      status == PF_OK
          ? pf_layout_create(&(pf_layout_in){model->parameters, model->n_parameters, NULL, NULL, 1},
                             &layout, error)
          : status;
  if (status == PF_OK) { /* nothing has copies: slots are theta, and the rule's values come first */
    pf_layout_values(layout, theta, values);
  }
  status = status == PF_OK ? pf_batch_create(golden->lab.model, &draw, 1, &batch, error) : status;
  pf_objective_out out = {.gradient = gradient};
  if (status == PF_OK) {
    const pf_objective_in in = {.problem = &golden->problem,
                                .layout = layout,
                                .batch = batch,
                                .values = values,
                                .workspaces = &workspace,
                                .n_workspaces = 1};
    status = pf_objective(&in, &out, error);
  }
  if (status == PF_OK) {
    const double loss = out.objective;
    golden_compare(report, "loss", &loss, &expected, 1);
    status = compare_gradient(golden, gradient, report, error);
  }
  pf_batch_free(batch);
  pf_layout_free(layout);
  pf_memory_free(values);
  pf_memory_free(gradient);
  return status;
}

/* A list of the file against a trajectory of the last run. */
static pf_status compare_observable(const golden_case *golden, const char *key,
                                    const char *observable, const pf_draw *draw,
                                    const pf_workspace *workspace, golden_report *report,
                                    pf_error *error)
{
  const json_t *list = json_object_get(golden->root, key);
  const int64_t index = pf_model_observable(golden->lab.model, observable);
  if (list == NULL) {
    return PF_OK;
  }
  if (index < 0) {
    return pf_fail(error, PF_STOP, "%s: the network has no observable '%s'", key, observable);
  }
  int64_t width = 0;
  int64_t ld = 0;
  const pf_real *values = pf_workspace_observable(workspace, index, &width, &ld);
  const size_t n = (size_t)(draw->n_steps * width);
  double *expected = pf_memory_need(n, sizeof *expected, error);
  double *found = pf_memory_need(n, sizeof *found, error);
  pf_status status = expected == NULL || found == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK ? golden_numbers(list, key, GOLDEN_NULL_IS_WRONG, n, expected, error)
                           : status;
  for (int64_t t = 0; t < draw->n_steps && status == PF_OK; t++) {
    for (int64_t i = 0; i < width; i++) {
      found[t * width + i] = (double)values[t * ld + i];
    }
  }
  if (status == PF_OK) {
    golden_compare(report, key, found, expected, n);
  }
  pf_memory_free(expected);
  pf_memory_free(found);
  return status;
}

/* `rows` rows of the plastic weights after each of the changes first .. first + n - 1. */
static pf_status compare_weights(const golden_case *golden, const char *key, const char *name,
                                 int64_t first, int64_t n_changes, int64_t rows,
                                 const pf_workspace *workspace, golden_report *report,
                                 pf_error *error)
{
  const json_t *list = json_object_get(golden->root, key);
  const size_t n = (size_t)(n_changes * rows * golden->n_input);
  if (list == NULL) {
    return PF_OK;
  }
  double *expected = pf_memory_need(n, sizeof *expected, error);
  double *found = pf_memory_need(n, sizeof *found, error);
  size_t at = 0;
  pf_status status = expected == NULL || found == NULL ? PF_STOP : PF_OK;
  status = status == PF_OK ? golden_numbers(list, key, GOLDEN_NULL_IS_WRONG, n, expected, error)
                           : status;
  for (int64_t k = first; k < first + n_changes && status == PF_OK; k++) {
    int64_t ld = 0;
    const pf_real *w = pf_workspace_weights(workspace, 0, k, &ld);
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < golden->n_input; j++) {
        found[at++] = (double)w[i * ld + j];
      }
    }
  }
  if (status == PF_OK && n > 0) {
    golden_compare(report, name, found, expected, n);
  }
  pf_memory_free(expected);
  pf_memory_free(found);
  return status;
}

static pf_status compare_run(const golden_case *golden, const pf_draw *draw, const double *theta,
                             pf_workspace *workspace, golden_report *report, pf_error *error)
{
  static const char *const outputs[][2] = {
      {"logits", "logit"}, {"probability", "probability"}, {"activity", "activity"}};
  pf_status status =
      pf_forward(&(const pf_simulation){golden->lab.model, draw, theta, {&workspace, 1}}, 0,
                 PF_STEP_FIT, NULL, error);
  for (size_t k = 0; k < sizeof outputs / sizeof *outputs && status == PF_OK; k++) {
    status =
        compare_observable(golden, outputs[k][0], outputs[k][1], draw, workspace, report, error);
  }
  if (status != PF_OK) {
    return status;
  }
  const int64_t n = pf_workspace_n_changes(workspace);
  status = compare_weights(golden, "final_w", "final weights", n, 1, golden->n_post, workspace,
                           report, error);
  return status == PF_OK ? compare_weights(golden, "w_after_each_plastic_step_first_hidden",
                                           "weights of unit 0", 1, n, 1, workspace, report, error)
                         : status;
}

/* The draw as an embedding program would make it: weights stated outright, projection by
 * projection. */
static pf_status make_draw(const golden_case *golden, pf_draw **out, pf_error *error)
{
  const pf_model *model = golden->lab.model;
  const pf_recording *recording = &golden->problem.data.recordings[0];
  const int64_t n_projections = (int64_t)model->n_projections;
  pf_status status = pf_draw_create(model, recording, recording->true_input, NULL, out, error);
  for (int64_t q = 0; q < n_projections && status == PF_OK; q++) {
    const double *w = recording->true_noise + (q == 0 ? 0 : golden->n_input * golden->n_post);
    status = pf_draw_give_weights(model, *out, q, w, error);
  }
  return status;
}

pf_status golden_compare_values(const golden_case *golden, golden_report *report, pf_error *error)
{
  const pf_model *model = golden->lab.model;
  const json_t *tensor = json_object_get(json_object_get(golden->root, "rule"), "theta");
  pf_draw *draw = NULL;
  pf_workspace *workspace = NULL;
  double *theta = pf_memory_need(model->n_parameters, sizeof *theta, error);
  pf_status status =
      theta == NULL ? PF_STOP : golden_case_theta(golden, tensor, "theta", theta, error);
  status = status == PF_OK ? make_draw(golden, &draw, error) : status;
  status = status == PF_OK ? pf_workspace_create(model, draw->n_steps, &workspace, error) : status;
  status = status == PF_OK ? compare_loss(golden, draw, theta, workspace, report, error) : status;
  status = status == PF_OK ? compare_run(golden, draw, theta, workspace, report, error) : status;
  pf_workspace_free(workspace);
  pf_draw_free(model, draw);
  pf_memory_free(theta);
  return status;
}
