#include "core/evaluate/trajectories.h"

#include "core/base/memory.h"
#include "core/engine/simulation.h"
#include "core/evaluate/evaluation_plan.h"
#include "core/evaluate/latent_bands.h"
#include "core/evaluate/predictive.h"

#include <string.h>

typedef struct walk {
  const pf_problem *problem;
  const pf_evaluation *evaluation;
  const pf_trajectory_receiver *receiver;
  pf_evaluation_plan plan;
  pf_workspace *model, *teacher; /* teacher NULL: the truth is unknown */
  pf_filter *filter;             /* NULL: no bands are wanted */
} walk;

/* ---- weights ---- */

/* Rules by groups of units share a projection: its weights are handed on once. */
static bool is_seen_before(const pf_model *model, size_t plastic)
{
  for (size_t before = 0; before < plastic; before++) {
    if (model->plastic[before].projection == model->plastic[plastic].projection) {
      return true;
    }
  }
  return false;
}

/* states [n_changes + 1][n_rows][ld] -> [n_kept][n_rows][n_pre], without gaps, where they stand. */
static void pack_states(pf_weight_rows *rows, int64_t every, int64_t n_pre, int64_t ld,
                        pf_real *states)
{
  rows->n_kept = 0;
  for (int64_t k = 0; k <= rows->n_changes; k++) {
    if (!pf_is_change_kept(k, every, rows->n_changes)) {
      continue;
    }
    for (int64_t i = 0; i < rows->n_rows; i++) {
      memmove(states + (rows->n_kept * rows->n_rows + i) * n_pre,
              states + (k * rows->n_rows + i) * ld, (size_t)n_pre * sizeof *states);
    }
    rows->n_kept++;
  }
}

static pf_status hand_on_weights(const walk *w, const pf_trajectory *at, const pf_simulation *run,
                                 pf_weight_rows rows, pf_error *error)
{
  const pf_workspace *workspace = run->workspaces.items[0];
  const pf_plastic *plastic = &w->problem->model->plastic[rows.plastic];
  const int64_t ld = pf_workspace_ld(workspace, rows.plastic);
  const int64_t at_once = pf_workspace_rows_at_once(workspace, rows.plastic);
  rows.n_changes = pf_workspace_n_changes(workspace);
  pf_real *states =
      pf_memory_need((size_t)(rows.n_changes + 1) * (size_t)(at_once * ld), sizeof *states, error);
  if (states == NULL) {
    return PF_STOP;
  }
  pf_status status = PF_OK;
  for (int64_t row0 = 0; row0 < plastic->n_post; row0 += at_once) {
    rows.row0 = row0;
    rows.n_rows = plastic->n_post - row0 < at_once ? plastic->n_post - row0 : at_once;
    status = pf_simulation_rows(run, rows.plastic, row0, rows.n_rows, states, error);
    if (status != PF_OK) {
      break;
    }
    pack_states(&rows, at->every, plastic->n_pre, ld, states);
    rows.states = states;
    status = w->receiver->weights(w->receiver->payload, at, &rows, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_memory_free(states);
  return status;
}

/* ---- experiments ---- */

static pf_status hand_on_experiment(const walk *w, const pf_trajectory *at,
                                    const pf_simulation *run, const pf_simulation *truth,
                                    pf_error *error)
{
  const pf_model *model = w->problem->model;
  pf_status status = w->receiver->experiment(w->receiver->payload, at, error);
  for (size_t p = 0; p < model->n_plastic; p++) {
    if (status != PF_OK) {
      return status;
    }
    if (is_seen_before(model, p)) {
      continue;
    }
    status = hand_on_weights(w, at, run, (pf_weight_rows){.plastic = p}, error);
    if (status == PF_OK && truth != NULL) {
      status = hand_on_weights(w, at, truth,
                               (pf_weight_rows){.plastic = p, .kind = PF_WEIGHTS_TRUTH}, error);
    }
  }
  return status;
}

/* One kind of band of one projection, as numbers of the file. */
static pf_status hand_on_band(const walk *w, const pf_trajectory *at, const pf_latent_bands *bands,
                              pf_weight_rows rows, pf_error *error)
{
  const pf_plastic *plastic = &w->problem->model->plastic[rows.plastic];
  const size_t n = (size_t)(bands->n_kept * plastic->n_post * plastic->n_pre);
  const double *from = pf_latent_bands_get(bands, rows.kind, rows.plastic);
  pf_real *states = pf_memory_need(n, sizeof *states, error);
  if (states == NULL) {
    return PF_STOP;
  }
  for (size_t i = 0; i < n; i++) {
    states[i] = (pf_real)from[i];
  }
  rows.n_changes = bands->n_changes;
  rows.n_kept = bands->n_kept;
  rows.n_rows = plastic->n_post;
  rows.states = states;
  const pf_status status = w->receiver->weights(w->receiver->payload, at, &rows, error);
  pf_memory_free(states);
  return status;
}

static pf_status hand_on_all_bands(const walk *w, const pf_trajectory *at,
                                   const pf_latent_bands *bands, pf_error *error)
{
  const pf_model *model = w->problem->model;
  for (size_t p = 0; p < model->n_plastic; p++) {
    for (int kind = PF_WEIGHTS_FILTERED_MEAN; kind <= PF_WEIGHTS_SMOOTHED_SD; kind++) {
      const pf_weight_rows rows = {.plastic = p, .kind = (pf_weights_kind)kind};
      const pf_status status =
          is_seen_before(model, p) ? PF_OK : hand_on_band(w, at, bands, rows, error);
      if (status != PF_OK) {
        return status;
      }
    }
  }
  return PF_OK;
}

/* What the particles say of recording i. Where all of them are lost there is nothing to say. */
static pf_status find_bands(walk *w, const pf_trajectory *at, size_t i, pf_error *error)
{
  const pf_problem *problem = w->problem;
  const pf_latent_bands_in in = {.problem = problem,
                                 .plan = &w->plan,
                                 .recording = i,
                                 .theta = w->evaluation->thetas + i * problem->model->n_parameters,
                                 .every = at->every,
                                 .filter = w->filter,
                                 .workspace = w->model};
  pf_error line = pf_error_none();
  pf_latent_bands *bands = NULL;
  if (w->filter == NULL || !pf_latent_bands_are_there(problem, &w->plan, i)) {
    return PF_OK;
  }
  pf_status status = pf_latent_bands_find(&in, &bands, &line);
  if (status < 0) {
    return pf_fail(error, status, "%s", line.text);
  }
  if (status != PF_OK) {
    return PF_OK;
  }
  status = hand_on_all_bands(w, at, bands, error);
  pf_latent_bands_free(bands);
  return status;
}

static pf_status simulate_experiment(walk *w, pf_trajectory *at, const double *theta,
                                     pf_error *error)
{
  const pf_models *models = w->problem->models;
  const uint32_t flags = PF_SIMULATE_ACTIVITY_ONLY;
  const pf_simulation run = {w->problem->model, at->draw, theta, {&w->model, 1}};
  pf_draw *replica = NULL; /* the draw for the teacher */
  pf_status status = pf_forward(&run, flags, PF_STEP_SCORE, NULL, error);
  if (status != PF_OK) {
    return status;
  }
  at->model = w->model;
  status = pf_expected_target_compute(w->problem->model, w->model, at->draw, theta, &at->expected,
                                      error);
  if (status != PF_OK) {
    return status;
  }
  if (w->teacher == NULL) {
    return hand_on_experiment(w, at, &run, NULL, error);
  }
  status = pf_problem_teacher_draw(w->problem, at->draw, theta, &replica, error);
  if (status != PF_OK) {
    return status;
  }
  const double *true_theta = pf_teacher_theta(models, at->draw->recording);
  const pf_simulation truth = {models->teacher, replica, true_theta, {&w->teacher, 1}};
  status = pf_forward(&truth, flags, PF_STEP_SCORE, NULL, error);
  if (status == PF_OK) {
    at->teacher = w->teacher;
    status = hand_on_experiment(w, at, &run, &truth, error);
  }
  pf_draw_free(models->teacher, replica);
  return status;
}

/* ---- animals ---- */

/* So many changes apart that an animal's weights take no more than the receiver wants. */
static int64_t thinning_step(const walk *w, size_t animal)
{
  const pf_model *model = w->problem->model;
  double bytes = 0.0;
  const pf_dataset *data = w->plan.data;
  for (size_t i = pf_dataset_first(data, animal); i < data->n; i = pf_dataset_next(data, i)) {
    const pf_recording *recording = &data->recordings[i];
    double n_states = 1.0;
    for (int64_t t = 0; t < recording->n_steps; t++) {
      n_states += (recording->flags[t] & PF_STEP_PLASTIC) ? 1.0 : 0.0;
    }
    for (size_t p = 0; p < model->n_plastic; p++) {
      bytes += n_states * (double)model->plastic[p].n_post * (double)model->plastic[p].n_pre *
               (double)sizeof(pf_real);
    }
  }
  bytes *= (w->teacher != NULL ? 2.0 : 1.0) + (w->filter != NULL ? PF_N_BANDS : 0.0);
  const double most = w->receiver->max_bytes;
  return bytes > most ? (int64_t)(bytes / most) + 1 : 1;
}

static pf_status walk_animal(walk *w, size_t animal, pf_error *error)
{
  bool wanted = true;
  pf_status status = w->receiver->animal(w->receiver->payload, animal, &wanted, error);
  if (status != PF_OK || !wanted) {
    return status;
  }
  pf_trajectory at = {.animal = animal, .every = thinning_step(w, animal)};
  const pf_dataset *data = w->plan.data;
  for (size_t i = pf_dataset_first(data, animal); i < data->n; i = pf_dataset_next(data, i)) {
    pf_draw *draw = NULL;
    status = pf_evaluation_draw(w->problem, &w->plan, i, 0, &draw, error);
    if (status != PF_OK) {
      return status;
    }
    at.draw = draw;
    status = simulate_experiment(
        w, &at, w->evaluation->thetas + i * w->problem->model->n_parameters, error);
    if (status == PF_OK) {
      status = find_bands(w, &at, i, error);
    }
    pf_draw_free(w->problem->model, draw);
    pf_expected_target_free(&at.expected);
    if (status != PF_OK) {
      return status;
    }
    at.experiment++;
  }
  return PF_OK;
}

static pf_status make_workspaces(walk *w, pf_error *error)
{
  const pf_model *teacher = w->problem->models->teacher;
  const int64_t longest = pf_evaluation_longest(&w->plan);
  const pf_status status = pf_workspace_create(w->problem->model, longest, &w->model, error);
  if (status != PF_OK) {
    return status;
  }
  if (pf_predictive_is_wanted(w->problem) &&
      pf_filter_create(w->problem->model, (size_t)w->problem->settings->marginal.particles,
                       &w->filter, error) != PF_OK) {
    return PF_STOP;
  }
  return teacher == NULL ? PF_OK : pf_workspace_create(teacher, longest, &w->teacher, error);
}

pf_status pf_trajectories_each(const pf_problem *problem, const pf_evaluation *evaluation,
                               const pf_trajectory_receiver *receiver, pf_error *error)
{
  walk w = {.problem = problem,
            .evaluation = evaluation,
            .receiver = receiver,
            .plan = pf_evaluation_plan_of(problem)};
  pf_status status = make_workspaces(&w, error);
  for (size_t a = 0; a < evaluation->n_animals; a++) {
    if (status != PF_OK) {
      break;
    }
    status = walk_animal(&w, a, error);
  }
  pf_filter_free(w.filter);
  pf_workspace_free(w.model);
  pf_workspace_free(w.teacher);
  return status;
}
