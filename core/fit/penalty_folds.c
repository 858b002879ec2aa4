#include "core/fit/penalty_folds.h"

#include "core/base/memory.h"
#include "core/fit/objective.h"
#include "core/problem/subset.h"
#include "core/validations/step_masks.h"

#include <math.h>

/* Folds of animals, and the fewest animals that make them. Without: blocks of each animal's steps;
 * the first ones are always fitted, the others are scored one by one by fits to what lies before.
 */
enum { N_FOLDS = 4, MIN_ANIMALS = 4, N_BLOCKS = 12, N_FITTED_BLOCKS = 6, N_EACH = 2 };

/* Which steps a part has, by the block of each. */
typedef struct block_range {
  int64_t first, end;
} block_range;

pf_penalty_folds pf_penalty_folds_plan(const pf_fit_group *group)
{
  bool by_animals = group->layout->n_animals >= MIN_ANIMALS;
  for (size_t k = 0; k < group->layout->n; k++) {
    by_animals = by_animals && pf_layout_is_shared(group->layout, k);
  }
  if (by_animals) {
    return (pf_penalty_folds){
        .by_animals = true, .n = N_FOLDS, .n_units = group->layout->n_animals};
  }
  return (pf_penalty_folds){.n = (N_BLOCKS - N_FITTED_BLOCKS) / N_EACH,
                            .n_units = N_BLOCKS - N_FITTED_BLOCKS};
}

/* ---- parts ---- */

static void clear_part(pf_fold_part *part)
{
  pf_group_batches_clear(&part->batches);
  pf_fit_free(part->problem, part->fit);
  pf_problem_subset_free(part->problem);
  *part = (pf_fold_part){0};
}

/* What is scored counts as it is, not by how a fit normalises it. */
static void weigh_by_nats(const pf_problem *problem, const pf_fit_group *group, pf_batch *batch)
{
  const size_t n_losses = problem->model->n_losses;
  const double n_draws = (double)group->n_draws / (double)group->n_recordings;
  batch->constant = 0.0;
  for (size_t i = 0; i < batch->n * n_losses; i++) {
    batch->scale[i] = problem->model->losses[i % n_losses].weight / n_draws;
  }
}

/* `recordings`: indices in problem->data. */
static pf_status create_part(const pf_problem *problem, const size_t *recordings, size_t n,
                             const uint32_t *const *flags, pf_fold_part *out, pf_error *error)
{
  pf_status status = pf_problem_subset(problem, recordings, n, &out->problem, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t i = 0; i < n && flags != NULL; i++) {
    pf_recording_mask(&out->problem->data.recordings[i], flags[i]);
  }
  out->fit = pf_memory_need(1, sizeof *out->fit, error);
  if (out->fit == NULL) {
    return PF_STOP;
  }
  status = pf_fit_groups_create(out->problem, out->fit, error);
  if (status != PF_OK) {
    return status;
  }
  const pf_fit_group *group = &out->fit->groups[0];
  if (group->status != PF_OK) {
    return pf_fail_key(error, group->status, group->error.key, "%s", group->error.text);
  }
  return pf_group_batches_create(out->problem, group, true, &out->batches, error);
}

/* ---- animals ---- */

/* Those of the group's recordings whose animal is of fold k (`inside`), or is not. */
static size_t list_animals(const pf_fit_group *group, size_t k, bool inside, size_t *out)
{
  size_t n = 0;
  for (size_t r = 0; r < group->n_recordings; r++) {
    if ((group->layout->animal[r] % N_FOLDS == k) == inside) {
      out[n++] = group->recordings[r];
    }
  }
  return n;
}

static size_t list_animal(const pf_fit_group *group, size_t animal, size_t *out)
{
  size_t n = 0;
  for (size_t r = 0; r < group->n_recordings; r++) {
    if (group->layout->animal[r] == animal) {
      out[n++] = group->recordings[r];
    }
  }
  return n;
}

static pf_status create_animal_fold(const pf_problem *problem, const pf_fit_group *group, size_t k,
                                    pf_fold *out, pf_error *error)
{
  size_t *list = pf_memory_need(group->n_recordings, sizeof *list, error);
  out->units = pf_memory_need(group->layout->n_animals, sizeof *out->units, error);
  pf_status status = list == NULL || out->units == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    const size_t n = list_animals(group, k, false, list);
    status = create_part(problem, list, n, NULL, &out->train, error);
  }
  for (size_t animal = k; animal < group->layout->n_animals; animal += N_FOLDS) {
    if (status == PF_OK) {
      const size_t n = list_animal(group, animal, list);
      status = create_part(problem, list, n, NULL, &out->units[out->n_units++], error);
    }
  }
  pf_memory_free(list);
  return status;
}

/* ---- blocks ---- */

static int64_t count_fitted(const pf_problem *problem, const pf_fit_group *group, size_t animal)
{
  int64_t n = 0;
  for (size_t r = 0; r < group->n_recordings; r++) {
    const pf_recording *recording = &problem->data.recordings[group->recordings[r]];
    if (group->layout->animal[r] == animal) {
      n += pf_count_steps(recording->flags, recording->n_steps, PF_STEP_FIT);
    }
  }
  return n;
}

/* Flags of recording r in which only the steps of some blocks are fitted. */
static void mask_blocks(const pf_problem *problem, const pf_fit_group *group, size_t r,
                        block_range range, uint32_t *flags)
{
  const size_t animal = group->layout->animal[r];
  const int64_t total = count_fitted(problem, group, animal);
  int64_t seen = 0;
  for (size_t before = 0; before < r; before++) {
    const pf_recording *recording = &problem->data.recordings[group->recordings[before]];
    if (group->layout->animal[before] == animal) {
      seen += pf_count_steps(recording->flags, recording->n_steps, PF_STEP_FIT);
    }
  }
  const pf_recording *recording = &problem->data.recordings[group->recordings[r]];
  for (int64_t t = 0; t < recording->n_steps; t++) {
    flags[t] = recording->flags[t];
    if ((flags[t] & PF_STEP_FIT) == 0) {
      continue;
    }
    const int64_t block = seen * N_BLOCKS / total;
    flags[t] =
        block >= range.first && block < range.end ? flags[t] : flags[t] & ~(uint32_t)PF_STEP_FIT;
    seen++;
  }
}

static pf_status create_block_part(const pf_problem *problem, const pf_fit_group *group,
                                   block_range range, pf_fold_part *out, pf_error *error)
{
  uint32_t **flags = pf_memory_need(group->n_recordings, sizeof(uint32_t *), error);
  pf_status status = flags == NULL ? PF_STOP : PF_OK;
  for (size_t r = 0; r < group->n_recordings; r++) {
    if (status != PF_OK) {
      break;
    }
    const pf_recording *recording = &problem->data.recordings[group->recordings[r]];
    flags[r] = pf_memory_need((size_t)recording->n_steps, sizeof(uint32_t), error);
    if (flags[r] == NULL) {
      status = PF_STOP;
      break;
    }
    mask_blocks(problem, group, r, range, flags[r]);
  }
  if (status == PF_OK) {
    status = create_part(problem, group->recordings, group->n_recordings,
                         (const uint32_t *const *)flags, out, error);
  }
  for (size_t r = 0; flags != NULL && r < group->n_recordings; r++) {
    pf_memory_free(flags[r]);
  }
  pf_memory_free(flags);
  return status;
}

static pf_status create_block_fold(const pf_problem *problem, const pf_fit_group *group, size_t k,
                                   pf_fold *out, pf_error *error)
{
  const int64_t first = N_FITTED_BLOCKS + (int64_t)k * N_EACH;
  out->units = pf_memory_need(N_EACH, sizeof *out->units, error);
  if (out->units == NULL) {
    return PF_STOP;
  }
  pf_status status = create_block_part(problem, group, (block_range){0, first}, &out->train, error);
  for (int64_t i = first; i < first + N_EACH; i++) {
    if (status == PF_OK) {
      status = create_block_part(problem, group, (block_range){i, i + 1},
                                 &out->units[out->n_units++], error);
    }
  }
  return status;
}

/* ---- folds ---- */

pf_status pf_fold_create(const pf_problem *problem, const pf_fit_group *group,
                         const pf_penalty_folds *plan, size_t k, pf_fold *out, pf_error *error)
{
  *out = (pf_fold){0};
  const pf_status status = plan->by_animals ? create_animal_fold(problem, group, k, out, error)
                                            : create_block_fold(problem, group, k, out, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t u = 0; u < out->n_units; u++) {
    pf_fold_part *unit = &out->units[u];
    weigh_by_nats(unit->problem, &unit->fit->groups[0], unit->batches.batches[0]);
  }
  return PF_OK;
}

void pf_fold_clear(pf_fold *fold)
{
  clear_part(&fold->train);
  for (size_t u = 0; u < fold->n_units; u++) {
    clear_part(&fold->units[u]);
  }
  pf_memory_free(fold->units);
  *fold = (pf_fold){0};
}

pf_status pf_fold_score(const pf_fold_part *unit, const double *values,
                        pf_workspace *const *workspaces, size_t n_workspaces, double *score,
                        pf_error *error)
{
  pf_error ignored = pf_error_none();
  const pf_objective_in in = {.problem = unit->problem,
                              .layout = unit->fit->groups[0].layout,
                              .batch = unit->batches.batches[0],
                              .values = values,
                              .workspaces = workspaces,
                              .n_workspaces = n_workspaces};
  const pf_status status = pf_data_term(&in, score, NULL, &ignored);
  if (status < 0) {
    return pf_fail_key(error, status, ignored.key, "%s", ignored.text);
  }
  *score = status == PF_OK && isfinite(*score) ? *score : (double)INFINITY;
  return PF_OK;
}
