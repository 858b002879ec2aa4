#include "core/figures/behaviour.h"
#include "core/base/array.h"
#include "core/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- one more experiment ---- */

static pf_behaviour *add_behaviour(pf_behaviours *all, const char *animal, size_t n_steps,
                                   pf_error *error)
{
  pf_array array = {
      .items = all->items, .n = all->n, .capacity = all->capacity, sizeof *all->items};
  pf_behaviour *b = pf_array_append(&array, error);
  if (b == NULL) {
    return NULL;
  }
  all->items = array.items;
  all->n = array.n;
  all->capacity = array.capacity;
  *b = (pf_behaviour){.animal = pf_memory_string(animal, error), .steps = {.n_steps = n_steps}};
  double **const arrays[] = {&b->steps.trial, &b->steps.block, &b->steps.choice,
                             &b->steps.probability, &b->steps.reward};
  for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++) {
    *arrays[k] = pf_memory_need(n_steps, sizeof(double), error);
    for (size_t t = 0; *arrays[k] != NULL && t < n_steps; t++) {
      (*arrays[k])[t] = NAN;
    }
  }
  b->steps.option = pf_memory_need(n_steps, sizeof(int), error);
  b->trials = pf_memory_need(n_steps, sizeof *b->trials, error);
  const bool whole = b->animal != NULL && b->steps.trial != NULL && b->steps.block != NULL &&
                     b->steps.choice != NULL && b->steps.probability != NULL &&
                     b->steps.reward != NULL && b->steps.option != NULL && b->trials != NULL;
  return whole ? b : NULL;
}

void pf_behaviours_free(pf_behaviours *all)
{
  for (size_t i = 0; i < all->n; i++) {
    pf_behaviour *b = &all->items[i];
    pf_memory_free(b->animal);
    pf_memory_free(b->steps.trial);
    pf_memory_free(b->steps.block);
    pf_memory_free(b->steps.choice);
    pf_memory_free(b->steps.probability);
    pf_memory_free(b->steps.chances);
    pf_memory_free(b->steps.reward);
    pf_memory_free(b->steps.option);
    pf_memory_free(b->trials);
  }
  pf_memory_free(all->items);
  *all = (pf_behaviours){0};
}

/** Which of two inputs was on: the larger one, if it stands clear of the other. */
static int option_of(double a, double b)
{
  if (!isfinite(a) || !isfinite(b) || !(fabs(a - b) > 0.0)) {
    return -1;
  }
  return b > a ? 1 : 0;
}

/**
 * Trials: steps of one number; a trial counts if its last step took an option. Only where every
 * step had one option, and choices are 0 or 1.
 */
static void find_trials(pf_behaviour *b)
{
  const pf_steps_seen *s = &b->steps;
  for (size_t t = 0; t < s->n_steps; t++) {
    if (s->option[t] < 0 || (!isnan(s->choice[t]) && s->choice[t] > 0.0 && s->choice[t] < 1.0)) {
      return;
    }
  }
  for (size_t first = 0; first < s->n_steps;) {
    size_t last = first;
    while (last + 1 < s->n_steps && !(s->trial[last + 1] > s->trial[first])) {
      last++;
    }
    if (s->choice[last] >= 1.0) {
      b->trials[b->n_trials++] = (pf_trial_seen){.option = s->option[last],
                                                 .reward = s->reward[last],
                                                 .block = s->block[last],
                                                 .first = first,
                                                 .last = last};
    }
    first = last + 1;
  }
}

/** Each step with a choice is a trial, and its option the choice. */
static void find_arm_trials(pf_behaviour *b, size_t n_options)
{
  const pf_steps_seen *s = &b->steps;
  for (size_t t = 0; t < s->n_steps && n_options <= PF_MAX_OPTIONS; t++) {
    if (s->choice[t] >= 0.0 && s->choice[t] < (double)n_options) {
      b->trials[b->n_trials++] = (pf_trial_seen){.option = (int)s->choice[t],
                                                 .reward = s->reward[t],
                                                 .block = s->block[t],
                                                 .first = t,
                                                 .last = t};
    }
  }
}

/**
 * Are choices of 0 and 1 between two arms? They are where the inputs never change, so that nothing
 * is met that could be refused, and where refusing pays whatever is met.
 */
static bool are_arms(const pf_behaviours *all)
{
  bool taken[2] = {false, false}, varies = false, refusing_pays[3] = {false, false, false};
  const int first =
      all->n > 0 && all->items[0].steps.n_steps > 0 ? all->items[0].steps.option[0] : 0;
  for (size_t i = 0; i < all->n; i++) {
    const pf_steps_seen *s = &all->items[i].steps;
    for (size_t t = 0; t < s->n_steps; t++) {
      varies = varies || s->option[t] != first;
      if (s->choice[t] >= 1.0) {
        taken[1] = true;
      } else if (s->choice[t] <= 0.0) {
        taken[0] = true;
        refusing_pays[s->option[t] + 1] |= s->reward[t] > 0.0;
      }
    }
  }
  const bool constant = !varies && all->two_inputs;
  return taken[0] && taken[1] && (constant || (refusing_pays[1] && refusing_pays[2]));
}

/** Two arms, of which the model predicts the second. */
static pf_status fill_two_chances(pf_behaviour *b, pf_error *error)
{
  b->steps.chances = pf_memory_need(2 * b->steps.n_steps, sizeof(double), error);
  for (size_t t = 0; b->steps.chances != NULL && t < b->steps.n_steps; t++) {
    b->steps.chances[2 * t] = 1.0 - b->steps.probability[t];
    b->steps.chances[2 * t + 1] = b->steps.probability[t];
  }
  return b->steps.chances == NULL ? PF_STOP : PF_OK;
}

/** The trials of all, once it is known what a choice is. */
static pf_status find_all_trials(pf_behaviours *all, pf_error *error)
{
  for (size_t i = 0; i < all->n; i++) {
    pf_behaviour *b = &all->items[i];
    if (!all->arms) {
      find_trials(b);
      continue;
    }
    if (b->steps.chances == NULL && all->n_options == 2 && fill_two_chances(b, error) != PF_OK) {
      return PF_STOP;
    }
    find_arm_trials(b, all->n_options);
  }
  return PF_OK;
}

/* ---- from trajectories.h5 ---- */

/** The probabilities of each arm, [n][n_arms], where there is more than one. */
static void read_chances(pf_trajectories_file *reader, const char *group, pf_behaviour *b,
                         pf_behaviours *out)
{
  char path[600];
  pf_h5_array array;
  (void)snprintf(path, sizeof path, "%s/observables/probability", group);
  if (!pf_trajectories_shape(reader, path, &array) || array.n[0] != b->steps.n_steps ||
      array.n[1] < 2 || array.n[2] != 1 || !pf_trajectories_read(reader, path, NULL, &array)) {
    return;
  }
  if (out->arms && out->n_options != array.n[1]) { /* others have another number of arms */
    pf_memory_free(array.values);
    return;
  }
  b->steps.chances = array.values;
  out->n_options = array.n[1];
  out->arms = true;
}

/** A vector, or the one column of a matrix, into `values` [n]; left as it is where it is not there.
 */
static void read_column(pf_trajectories_file *reader, const char *group, const char *name,
                        double *values, size_t n)
{
  char path[600];
  pf_h5_array array;
  (void)snprintf(path, sizeof path, "%s/%s", group, name);
  if (pf_trajectories_read(reader, path, NULL, &array) && array.n[0] == n && array.n[1] == 1 &&
      array.n[2] == 1) {
    memcpy(values, array.values, n * sizeof *values);
  }
  pf_memory_free(array.values);
}

/** Which of two inputs was on; false: there are not two. */
static bool fill_options(pf_trajectories_file *reader, const char *group, int *option, size_t n)
{
  char path[600];
  pf_h5_array x;
  (void)snprintf(path, sizeof path, "%s/cue", group);
  if (!pf_trajectories_shape(reader, path, &x)) {
    (void)snprintf(path, sizeof path, "%s/input",
                   group); /* cue and noise: the larger one was on, as good as always */
  }
  const bool two = pf_trajectories_shape(reader, path, &x) && x.n[0] == n && x.n[1] == 2 &&
                   x.n[2] == 1 && pf_trajectories_read(reader, path, NULL, &x);
  for (size_t t = 0; t < n; t++) {
    option[t] = two ? option_of(x.values[2 * t], x.values[2 * t + 1]) : -1;
  }
  if (two) {
    pf_memory_free(x.values);
  }
  return two;
}

static pf_status add_experiment(pf_trajectories_file *reader, const char *animal, const char *group,
                                pf_behaviours *out, pf_error *error)
{
  char path[600];
  pf_h5_array shape;
  (void)snprintf(path, sizeof path, "%s/targets/choice", group);
  if (!pf_trajectories_shape(reader, path, &shape) || shape.n[1] != 1 || shape.n[2] != 1) {
    return PF_OK;
  }
  pf_behaviour *b = add_behaviour(out, animal, shape.n[0], error);
  if (b == NULL) {
    return PF_STOP;
  }
  const size_t n = shape.n[0];
  read_column(reader, group, "trial", b->steps.trial, n);
  read_column(reader, group, "block", b->steps.block, n);
  read_column(reader, group, "targets/choice", b->steps.choice, n);
  read_column(reader, group, "observables/probability", b->steps.probability, n);
  read_column(reader, group, "channels/reward", b->steps.reward, n);
  out->two_inputs = fill_options(reader, group, b->steps.option, n);
  read_chances(reader, group, b, out);
  return PF_OK;
}

static pf_status add_animal(pf_trajectories_file *reader, const char *animal, pf_behaviours *out,
                            pf_error *error)
{
  char **experiments = NULL;
  size_t n = 0;
  char group[560];
  (void)snprintf(group, sizeof group, "/%.200s", animal);
  pf_status status = pf_trajectories_children(reader, group, &experiments, &n, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t e = 0; e < n; e++) {
    (void)snprintf(group, sizeof group, "/%.200s/%.200s", animal, experiments[e]);
    status = add_experiment(reader, animal, group, out, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_h5_children_free(experiments, n);
  return status;
}

pf_status pf_behaviours_of_run(pf_trajectories_file *reader, pf_behaviours *out, pf_error *error)
{
  char **animals = NULL;
  size_t n_animals = 0;
  pf_status status = pf_trajectories_children(reader, "/", &animals, &n_animals, error);
  if (status != PF_OK) {
    return status;
  }
  for (size_t a = 0; a < n_animals; a++) {
    status = add_animal(reader, animals[a], out, error);
    if (status != PF_OK) {
      break;
    }
  }
  pf_h5_children_free(animals, n_animals);
  if (status != PF_OK) {
    return status;
  }
  if (!out->arms) {
    out->n_options = 2;
    out->arms = are_arms(out);
  }
  return find_all_trials(out, error);
}

/* ---- from a table ---- */

pf_status pf_behaviours_of_table(const pf_sheet *table, const pf_behaviours *like,
                                 pf_behaviours *out, pf_error *error)
{
  out->n_options = like->n_options;
  out->arms = like->arms;
  const size_t animal = pf_sheet_column(table, "animal");
  const size_t columns[] = {pf_sheet_column(table, "trial"),  pf_sheet_column(table, "block"),
                            pf_sheet_column(table, "choice"), pf_sheet_column(table, "reward"),
                            pf_sheet_column(table, "x1"),     pf_sheet_column(table, "x2")};
  const bool two =
      pf_sheet_column(table, "x3") == table->n_columns && columns[5] < table->n_columns;
  for (size_t first = 0; first < table->n_rows;) {
    const char *name = pf_sheet_text(table, first, animal);
    size_t end = first + 1;
    /* an experiment ends where the animal changes or trials begin again */
    while (
        end < table->n_rows && strcmp(pf_sheet_text(table, end, animal), name) == 0 &&
        !(pf_sheet_number(table, end, columns[0]) < pf_sheet_number(table, end - 1, columns[0]))) {
      end++;
    }
    pf_behaviour *b = add_behaviour(out, name, end - first, error);
    if (b == NULL) {
      return PF_STOP;
    }
    for (size_t t = 0; t < end - first; t++) {
      const size_t row = first + t;
      b->steps.trial[t] = pf_sheet_number(table, row, columns[0]);
      b->steps.block[t] = pf_sheet_number(table, row, columns[1]);
      b->steps.choice[t] = pf_sheet_number(table, row, columns[2]);
      b->steps.reward[t] = pf_sheet_number(table, row, columns[3]);
      b->steps.option[t] = two ? option_of(pf_sheet_number(table, row, columns[4]),
                                           pf_sheet_number(table, row, columns[5]))
                               : -1;
    }
    first = end;
  }
  return find_all_trials(out, error);
}
