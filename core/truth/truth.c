#include "core/truth/truth.h"

#include "core/base/memory.h"
#include "core/data/data_names.h"
#include "core/model/modulation.h"
#include "core/truth/names.h"
#include "core/truth/polynomial.h"

#include <math.h>
#include <string.h>

/* ---- rules ---- */

static bool all_taylor(const pf_plastic *plastic)
{
  const pf_parameter_table *table = &plastic->declared.parameters;
  for (size_t i = 0; i < table->count; i++) {
    const pf_parameter *parameter = pf_table_at(table->items, table->stride, table->count, i);
    if (!pf_is_taylor_name(parameter->name)) {
      return false;
    }
  }
  return true;
}

static bool same_modulators(const pf_plastic *a, const pf_plastic *b)
{
  if (a->declared.modulators.count != b->declared.modulators.count) {
    return false;
  }
  for (size_t m = 0; m < a->declared.modulators.count; m++) {
    if (!pf_linear_same(&a->modulators[m], &b->modulators[m])) {
      return false;
    }
  }
  return pf_modulation_same(a, b);
}

/* A polynomial is fitted: the teacher's rule as a polynomial, whatever its plugin. */
static void polynomial_truth(const pf_problem *problem, const pf_plastic *model,
                             const pf_plastic *teacher, const double *theta, double *truth)
{
  double coefficients[PF_POLYNOMIAL_SIZE];
  if (!pf_polynomial_of_rule(teacher, &theta[teacher->theta0], coefficients)) {
    return;
  }
  if (!same_modulators(model, teacher)) { /* another r: only a rule without r can be compared */
    for (int i = 0; i < PF_POLYNOMIAL_SIZE; i++) {
      if (i % 3 != 0 && coefficients[i] != 0.0) {
        return;
      }
    }
  }
  for (size_t i = 0; i < model->declared.parameters.count; i++) {
    const char *name = problem->model->parameters[model->theta0 + i].declared.name;
    const int a = name[1] - '0';
    const int b = name[3] - '0';
    const int c = name[5] - '0';
    const int d = name[7] - '0';
    if (a <= 2 && b <= 2 && c <= 2 && d <= 2) {
      truth[model->theta0 + i] =
          coefficients[pf_polynomial_index(a, b, c, d)] * (teacher->eta / model->eta);
    }
  }
}

/* Both rules are of one plugin: parameters of one name mean the same, if what surrounds them is the
 * same. */
static void same_plugin_truth(const pf_problem *problem, const pf_plastic *model,
                              const pf_plastic *teacher, const double *theta, double *truth)
{
  if (strcmp(model->rule->plugin->name, teacher->rule->plugin->name) != 0 ||
      model->eta != teacher->eta || !same_modulators(model, teacher)) {
    return;
  }
  for (size_t i = 0; i < model->declared.parameters.count; i++) {
    const char *name = problem->model->parameters[model->theta0 + i].declared.name;
    for (size_t k = 0; k < teacher->declared.parameters.count; k++) {
      if (strcmp(problem->models->teacher->parameters[teacher->theta0 + k].declared.name, name) ==
          0) {
        truth[model->theta0 + i] = theta[teacher->theta0 + k];
      }
    }
  }
}

static void rule_truth(const pf_problem *problem, size_t p, const double *theta, double *truth)
{
  const pf_plastic *model = &problem->model->plastic[p];
  const pf_plastic *teacher = &problem->models->teacher->plastic[p];
  if (model->projection != teacher->projection) {
    return;
  }
  if (all_taylor(model)) {
    polynomial_truth(problem, model, teacher, theta, truth);
  } else {
    same_plugin_truth(problem, model, teacher, theta, truth);
  }
}

/* ---- network, losses, host ---- */

static void other_truth(const pf_problem *problem, size_t i, const double *theta, double *truth)
{
  const pf_model_parameter *wanted = &problem->model->parameters[i];
  for (size_t k = problem->models->teacher->network_theta0;
       k < problem->models->teacher->n_parameters; k++) {
    const pf_model_parameter *have = &problem->models->teacher->parameters[k];
    if (have->owner != NULL && wanted->owner != NULL && strcmp(have->owner, wanted->owner) == 0 &&
        strcmp(have->declared.name, wanted->declared.name) == 0) {
      truth[i] = theta[k];
    }
  }
}

static const char *const count_links[] = {"exp", "softplus", "identity"};

/** Does this loss compare with the counts that the source makes of activities? */
static bool is_of_counts(const pf_problem *problem, const pf_loss_term *loss)
{
  const char *link = NULL;
  return problem->settings->record.counts != PF_RECORD_ACTIVITY &&
         (loss->declared.flags & PF_LOSS_LIKELIHOOD) != 0 && loss->declared.targets.count == 1 &&
         !pf_is_choice(loss->declared.targets.items[0]) &&
         (pf_node_string(pf_node_get(loss->loss->node, "link"), &link) == 0 ||
          strcmp(link, count_links[problem->settings->record.counts]) == 0);
}

/** The gain and the baseline of recorded counts are what source.record says. */
static void counts_truth(const pf_problem *problem, const pf_loss_term *loss, double *truth)
{
  for (size_t i = 0; i < loss->declared.parameters.count; i++) {
    const char *name = problem->model->parameters[loss->theta0 + i].declared.name;
    if (strcmp(name, "gain") == 0) {
      truth[loss->theta0 + i] = problem->settings->record.gain;
    } else if (strcmp(name, "baseline") == 0) {
      truth[loss->theta0 + i] = problem->settings->record.baseline;
    }
  }
}

/* ---- starting weights ---- */

/** One number of all connected cells of a projection; false where they differ. */
static bool find_common(const pf_model *model, size_t q, const pf_real *w, double *common)
{
  bool is_first = true;
  const int64_t n_pre = pf_model_projection_size(model, (int64_t)q).n_pre;
  const int64_t ld = pf_leading_dimension(n_pre);
  const pf_real *connected = model->masks[q].connected;
  for (int64_t k = 0; k < (int64_t)pf_initial_cells(model, q); k++) {
    if (connected != NULL && connected[k / n_pre * ld + k % n_pre] == 0) {
      continue;
    }
    if (!is_first && (double)w[k] != *common) {
      return false;
    }
    *common = (double)w[k];
    is_first = false;
  }
  return !is_first;
}

/** Mean and sd of starting weights: what the teacher starts with where its noise is 0, and how much
 * more where it is 1. */
static pf_status distribution_truth(const pf_problem *problem, double *truth, pf_error *error)
{
  const pf_model *teacher = problem->models->teacher, *model = problem->model;
  const double *theta = problem->models->teacher_theta;
  double mean = NAN, high = NAN;
  pf_real **w[2] = {NULL, NULL};
  double *noise = pf_memory_need((size_t)teacher->n_noise, sizeof *noise, error);
  if (noise == NULL) {
    return PF_STOP;
  }
  pf_status status = pf_initial_weights(teacher, theta, noise, &w[0], error);
  if (status != PF_OK) {
    goto done;
  }
  for (int64_t k = 0; k < teacher->n_noise; k++) {
    noise[k] = 1.0;
  }
  status = pf_initial_weights(teacher, theta, noise, &w[1], error);
  if (status != PF_OK) {
    goto done;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_start *start = &model->starts[q];
    if (start->mode == PF_START_MEAN_SD && find_common(teacher, q, w[0][q], &mean) &&
        find_common(teacher, q, w[1][q], &high)) {
      truth[start->theta0] = mean;
      truth[start->theta0 + 1] = high - mean;
    }
  }
done:
  for (size_t i = 0; i < 2; i++) {
    if (w[i] != NULL) {
      pf_initial_weights_free(teacher, w[i]);
    }
  }
  pf_memory_free(noise);
  return status;
}

/** What is true of the copies so far; of the others nothing is known. */
typedef struct copies {
  const pf_layout *layout;
  double *truths; /**< [n_instances] */
  bool *is_set;   /**< [n_instances] */
} copies;

/** A copy that several recordings share has a truth where it is the same in all. */
static void set_copy(copies *to, size_t recording, size_t parameter, double value)
{
  const size_t s = pf_layout_instance(to->layout, recording, parameter);
  to->truths[s] = !to->is_set[s] || to->truths[s] == value ? value : (double)NAN;
  to->is_set[s] = true;
}

static pf_status set_recording(const pf_problem *problem, size_t recording, copies *to,
                               pf_error *error)
{
  const pf_model *teacher = problem->models->teacher, *model = problem->model;
  const double *noise = problem->data.recordings[to->layout->recordings[recording]].true_noise;
  pf_real **w = NULL;
  if (noise == NULL) {
    return PF_OK;
  }
  const pf_recording *of = &problem->data.recordings[to->layout->recordings[recording]];
  const pf_status status =
      pf_initial_weights(teacher, pf_teacher_theta(problem->models, of), noise, &w, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t q = 0; q < model->n_projections; q++) {
    const pf_start *start = &model->starts[q];
    for (size_t k = 0; start->mode == PF_START_EACH && k < pf_initial_cells(model, q); k++) {
      set_copy(to, recording, start->theta0 + k, (double)w[q][k]);
    }
  }
  pf_initial_weights_free(teacher, w);
  return PF_OK;
}

/** What is true where the teacher uses `theta`; starting weights are not looked at. */
static void truth_of_theta(const pf_problem *problem, const double *theta, double *truth)
{
  const pf_model *model = problem->model;
  for (size_t p = 0; p < model->n_plastic && p < problem->models->teacher->n_plastic; p++) {
    rule_truth(problem, p, theta, truth);
  }
  for (size_t i = model->network_theta0; i < model->n_parameters; i++) {
    other_truth(problem, i, theta, truth);
  }
  for (size_t k = 0; k < model->n_losses; k++) {
    if (is_of_counts(problem, &model->losses[k])) {
      counts_truth(problem, &model->losses[k], truth);
    }
  }
}

/* Theta of the teacher's with parameter k moved by `by`, and what is then more in each of the
 * model's: other [n_parameters]. */
static void move_truth(const pf_problem *problem, size_t k, double by, double *theta,
                       const double *truth, double *more)
{
  theta[k] += by;
  truth_of_theta(problem, theta, more);
  theta[k] -= by;
  for (size_t i = 0; i < problem->model->n_parameters; i++) {
    more[i] -= truth[i];
  }
}

pf_status pf_truth_between(const pf_problem *problem, pf_truth_animals *out, pf_error *error)
{
  const pf_model *model = problem->model, *teacher = problem->models->teacher;
  const size_t n = model->n_parameters, n_teacher = teacher->n_parameters;
  double *memory = pf_memory_need(2 * n + n_teacher, sizeof *memory, error);
  *out = (pf_truth_animals){pf_memory_need(n, sizeof *out->sd, error),
                            pf_memory_need(n, sizeof *out->change, error)};
  if (memory == NULL || out->sd == NULL || out->change == NULL) {
    pf_memory_free(memory);
    pf_truth_animals_clear(out);
    return PF_STOP;
  }
  double *truth = memory, *more = memory + n, *theta = memory + 2 * n;
  for (size_t i = 0; i < n; i++) {
    truth[i] = more[i] = NAN;
  }
  memcpy(theta, problem->models->teacher_theta, n_teacher * sizeof *theta);
  truth_of_theta(problem, theta, truth);
  for (size_t k = 0; k < n_teacher; k++) {
    move_truth(problem, k, teacher->parameters[k].spread, theta, truth, more);
    for (size_t i = 0; i < n; i++) {
      out->sd[i] = hypot(out->sd[i], more[i]);
    }
    move_truth(problem, k, teacher->parameters[k].change, theta, truth, more);
    for (size_t i = 0; i < n; i++) {
      out->change[i] += more[i];
    }
  }
  pf_memory_free(memory);
  return PF_OK;
}

void pf_truth_animals_clear(pf_truth_animals *truth)
{
  pf_memory_free(truth->sd);
  pf_memory_free(truth->change);
  *truth = (pf_truth_animals){0};
}

/** An animal that is drawn from a population has a truth of its own. */
static pf_status set_own_theta(const pf_problem *problem, size_t recording, copies *to,
                               pf_error *error)
{
  const pf_model *model = problem->model;
  const double *own = problem->data.recordings[to->layout->recordings[recording]].true_theta;
  if (own == NULL) {
    return PF_OK;
  }
  double *truth = pf_memory_need(model->n_parameters, sizeof *truth, error);
  if (truth == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    truth[i] = NAN;
  }
  truth_of_theta(problem, own, truth);
  for (size_t i = 0; i < model->n_parameters; i++) {
    if (!isnan(truth[i])) {
      set_copy(to, recording, i, truth[i]);
    }
  }
  pf_memory_free(truth);
  return PF_OK;
}

/* ---- all of them ---- */

pf_status pf_truth_create(const pf_problem *problem, double **out, pf_error *error)
{
  const pf_model *model = problem->model;
  double *truth = pf_memory_need(model->n_parameters, sizeof *truth, error);
  if (truth == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < model->n_parameters; i++) {
    truth[i] = NAN;
  }
  *out = truth;
  if (problem->models->teacher == NULL) {
    return PF_OK;
  }
  truth_of_theta(problem, problem->models->teacher_theta, truth);
  if (model->learns_input_sd) { /* the teacher's inputs have what the config says */
    truth[model->input_sd_theta] = problem->settings->input.sd;
  }
  if (model->start_theta0 == model->n_parameters) {
    return PF_OK;
  }
  const pf_status status = distribution_truth(problem, truth, error);
  if (status != PF_OK) {
    pf_memory_free(truth);
    *out = NULL;
  }
  return status;
}

pf_status pf_truth_of_copies(const pf_problem *problem, const double *truth,
                             const pf_layout *layout, double *out, pf_error *error)
{
  copies to = {.layout = layout, .truths = out};
  for (size_t s = 0; s < layout->n_instances; s++) {
    out[s] = truth[layout->instances[s].parameter];
  }
  if (problem->models->teacher == NULL || layout->data != &problem->data) {
    return PF_OK;
  }
  to.is_set = pf_memory_need(layout->n_instances, sizeof *to.is_set, error);
  if (to.is_set == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (size_t r = 0; r < layout->n_recordings; r++) {
    status = set_own_theta(problem, r, &to, error);
    if (status == PF_OK && problem->model->start_theta0 < problem->model->n_parameters) {
      status = set_recording(problem, r, &to, error);
    }
    if (status != PF_OK) {
      break;
    }
  }
  pf_memory_free(to.is_set);
  return status;
}
