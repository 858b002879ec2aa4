/* What the data will not tell, whatever is fitted to them. */
#include "core/check/check_warnings.h"
#include "core/check/check_data.h"
#include "core/check/check_noise.h"
#include "core/check/check_rows.h"
#include "core/check/check_task.h"
#include "core/data/data_names.h"
#include "core/layout/layout.h"

#include <math.h>
#include <string.h>

enum { MAX_NAMES = 6 };

/** A list of animals, cut when it gets long. */
typedef struct name_list {
  char text[320];
  size_t n;
} name_list;

static void add_name(name_list *list, const char *name)
{
  const size_t used = strlen(list->text);
  if (list->n < MAX_NAMES) {
    (void)snprintf(list->text + used, sizeof list->text - used, "%s%.40s", list->n > 0 ? ", " : "",
                   name);
  } else if (list->n == MAX_NAMES) {
    (void)snprintf(list->text + used, sizeof list->text - used, ", ...");
  }
  list->n++;
}

size_t pf_check_warn_choices(const pf_problem *problem, const char *prefix, FILE *stream)
{
  name_list same = {0};
  if (!pf_data_is_looked_at(problem->model, "choice")) {
    return 0;
  }
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    const pf_data_counts one = pf_data_count(problem, a);
    if (one.n_choices > 0 && (one.n_accepted == 0 || one.n_accepted == one.n_choices)) {
      add_name(&same, problem->data.animals[a]);
    }
  }
  if (same.n > 0) {
    (void)fprintf(stream,
                  "%s%s always made the same choice (%zu of %zu %s): a constant predicts it "
                  "perfectly, so the score against the mean rate will be null\n",
                  prefix, same.text, same.n, problem->data.n_animals,
                  problem->data.n_animals == 1 ? "animal" : "animals");
  }
  return same.n > 0 ? 1 : 0;
}

static size_t count_free(const pf_model *model)
{
  size_t n = 0;
  for (size_t i = 0; i < model->n_parameters; i++) {
    n += pf_is_free(&model->parameters[i]) ? 1 : 0;
  }
  return n;
}

/** Does any rule see the reward? */
static bool is_rewarded(const pf_model *model)
{
  for (size_t p = 0; p < model->n_plastic; p++) {
    const pf_modulation *modulation = &model->plastic[p].modulation;
    for (size_t c = 0; c < modulation->n_channels; c++) {
      if (pf_is_reward(modulation->channels[c])) {
        return true;
      }
    }
  }
  return false;
}

static size_t warn_of_data(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
  size_t n = 0;
  if (all.n_plastic == 0) {
    (void)fprintf(stream, "%sno step is plastic, so no rule changes any weight (source.plastic?)\n",
                  prefix);
    n++;
  }
  return n;
}

/** The reward of all, or of some of the animals, never varies. */
static size_t warn_of_constant_reward(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
  name_list same = {0};
  if (!is_rewarded(problem->model) || all.n_rewards == 0) {
    return 0;
  }
  if (all.lowest == all.highest) {
    (void)fprintf(stream,
                  "%sthe reward is %g wherever one was possible: its effect on weights cannot be "
                  "told apart from changes without a reward\n",
                  prefix, all.lowest);
    return 1;
  }
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    const pf_data_counts one = pf_data_count(problem, a);
    if (one.n_rewards > 0 && one.lowest == one.highest) {
      add_name(&same, problem->data.animals[a]);
    }
  }
  if (same.n > 0) {
    (void)fprintf(stream,
                  "%s%s: the reward is the same wherever one was possible, so these animals do not "
                  "show what rewards do\n",
                  prefix, same.text);
  }
  return same.n > 0 ? 1 : 0;
}

/** Blocks in which every reward was 0, or none could come: "Fly3 block 1". Of data with one block
 * only: not told. */
static size_t warn_of_blocks(const pf_problem *problem, const char *prefix, FILE *stream)
{
  name_list unpaid = {0};
  for (size_t r = 0; r < problem->data.n && is_rewarded(problem->model); r++) {
    const pf_recording *recording = &problem->data.recordings[r];
    const double *reward = pf_recording_channel(recording, "reward");
    const int64_t n = reward == NULL ? 0 : recording->n_steps;
    bool several = false;
    for (int64_t first = 0, end = 0; first < n; first = end) {
      bool paid = false;
      for (end = first; end < n && recording->block[end] == recording->block[first]; end++) {
        const bool could = recording->no_reward == NULL || recording->no_reward[end] == 0;
        paid = paid || (could && reward[end] != 0.0);
      }
      several = several || end < n;
      if (!paid && several) {
        char name[80];
        (void)snprintf(name, sizeof name, "%.30s block %lld", recording->animal,
                       (long long)recording->block[first]);
        add_name(&unpaid, name);
      }
    }
  }
  if (unpaid.n > 0) {
    (void)fprintf(stream,
                  "%s%s: no reward in a whole block (%zu of them); if the experiment had rewards "
                  "there, check the column of rewards\n",
                  prefix, unpaid.text, unpaid.n);
  }
  return unpaid.n > 0 ? 1 : 0;
}

/* ---- choices that need no learning ---- */

/** What is seen of a number before each choice: is it always larger (or always smaller) where the
 * choice was 1? */
typedef struct split {
  double low[2], high[2]; /* of the number, where the choice was 0 and 1 */
  int64_t n[2];
} split;

static void look_at(split *s, double value, double choice)
{
  const int k = choice > 0.5 ? 1 : 0;
  if (isnan(value) || isnan(choice)) {
    return;
  }
  s->low[k] = s->n[k] == 0 ? value : fmin(s->low[k], value);
  s->high[k] = s->n[k] == 0 ? value : fmax(s->high[k], value);
  s->n[k]++;
}

static bool is_split(const split *s, int64_t n_choices)
{
  const bool all = s->n[0] > 0 && s->n[1] > 0 && s->n[0] + s->n[1] == n_choices;
  return all && (s->high[0] < s->low[1] || s->high[1] < s->low[0]);
}

/** Input j of the recording at step t; one beyond the last: the first minus the second (two sides).
 */
static double seen_input(const pf_recording *recording, int64_t t, int64_t j)
{
  const double *x = recording->cue + t * recording->n_input;
  return j < recording->n_input ? x[j] : x[0] - x[1];
}

/** "x1", where the config names the columns of the inputs; else "input 1". */
static void name_input(const pf_problem *problem, int64_t j, char *what, size_t capacity)
{
  const pf_node *columns = pf_node_get(problem->models->source.node, "columns");
  const pf_node *names = pf_node_get(columns, "inputs");
  const char *name = NULL;
  if (pf_node_count(names) == problem->data.recordings[0].n_input &&
      pf_node_string(pf_node_at(names, j), &name) != 0) {
    (void)snprintf(what, capacity, "input '%.60s'", name);
  } else {
    (void)snprintf(what, capacity, "input %lld", (long long)j + 1);
  }
}

/** The input that predicts every choice of the animal by itself, in words; false: none does. What
 * is no input (a channel, as the key pressed) cannot predict anything by itself. */
static bool find_split(const pf_problem *problem, size_t animal, char *what, size_t capacity)
{
  const pf_dataset *data = &problem->data;
  const int64_t n_choices = pf_data_count(problem, animal).n_choices;
  const int64_t n_input = data->recordings[0].n_input;
  for (int64_t j = 0; j < (n_input == 2 ? 3 : n_input); j++) {
    split s = {{0.0, 0.0}, {0.0, 0.0}, {0, 0}};
    for (size_t r = pf_dataset_first(data, animal); r < data->n; r = pf_dataset_next(data, r)) {
      const pf_recording *recording = &data->recordings[r];
      const pf_record *choice = pf_recording_target(recording, "choice");
      const bool usable = choice != NULL && choice->n == 1;
      for (int64_t t = 0; usable && t < recording->n_steps; t++) {
        look_at(&s, seen_input(recording, t, j), choice->values[t]);
      }
    }
    if (is_split(&s, n_choices)) {
      if (j < n_input) {
        name_input(problem, j, what, capacity);
      } else {
        (void)snprintf(what, capacity, "which of the two inputs is larger");
      }
      return true;
    }
  }
  return false;
}

static size_t warn_of_sides(const pf_problem *problem, const char *prefix, FILE *stream)
{
  name_list predicted = {0};
  char what[100] = "";
  if (!pf_data_is_looked_at(problem->model, "choice")) {
    return 0;
  }
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    char found[100];
    if (find_split(problem, a, found, sizeof found)) {
      if (predicted.n == 0) {
        (void)snprintf(what, sizeof what, "%s", found);
      }
      add_name(&predicted, problem->data.animals[a]);
    }
  }
  if (predicted.n > 0) {
    (void)fprintf(stream,
                  "%s%s: %s alone predicts every choice, so no learning is needed, and a fit lets "
                  "weights grow without end\n",
                  prefix, predicted.text, what);
  }
  return predicted.n > 0 ? 1 : 0;
}

static size_t warn_of_few(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const size_t n_free = count_free(problem->model);
  name_list few = {0};
  if (n_free == 0) {
    (void)fprintf(stream, "%sno parameter is free: the fit will only evaluate\n", prefix);
    return 1;
  }
  if (problem->settings->fit.per == PF_FIT_SHARED) {
    const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
    if (all.n_observed < (int64_t)n_free) {
      (void)fprintf(stream, "%sthere are only %lld observations for %zu free parameters\n", prefix,
                    (long long)all.n_observed, n_free);
    }
    return all.n_observed < (int64_t)n_free ? 1 : 0;
  }
  for (size_t a = 0; a < problem->data.n_animals; a++) {
    const pf_data_counts one = pf_data_count(problem, a);
    if (one.n_observed < (int64_t)n_free) {
      add_name(&few, problem->data.animals[a]);
    }
  }
  if (few.n > 0) {
    (void)fprintf(
        stream,
        "%s%s: fewer observations than free parameters (%zu); fit.per = \"shared\" pools animals\n",
        prefix, few.text, n_free);
  }
  return few.n > 0 ? 1 : 0;
}

static size_t warn_of_bounds(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const pf_model *model = problem->model;
  name_list on_bound = {0};
  for (size_t i = 0; i < model->n_parameters; i++) {
    const pf_parameter *p = &model->parameters[i].declared;
    /* noise on the start moves it off, or is cut off at the bound for every other one: then only
     * the mean is there */
    if (pf_is_free(&model->parameters[i]) && (p->initial <= p->lower || p->initial >= p->upper)) {
      add_name(&on_bound, p->name);
    }
  }
  if (on_bound.n > 0) {
    (void)fprintf(stream,
                  "%s%s: the start is on a bound, so the fit can move in one direction only\n",
                  prefix, on_bound.text);
  }
  return on_bound.n > 0 ? 1 : 0;
}

size_t pf_check_warn(const pf_problem *problem, const char *prefix, FILE *stream)
{
  size_t n = warn_of_data(problem, prefix, stream);
  const size_t n_task = pf_check_warn_task(problem, prefix, stream);
  n += n_task + pf_check_warn_rows(problem, n_task == 0, prefix, stream);
  n += pf_check_warn_units(problem, prefix, stream);
  n += pf_check_warn_synapses(problem, prefix, stream);
  n += pf_check_warn_choices(problem, prefix, stream);
  n += warn_of_constant_reward(problem, prefix, stream);
  n += warn_of_blocks(problem, prefix, stream);
  n += warn_of_sides(problem, prefix, stream);
  n += warn_of_few(problem, prefix, stream);
  n += warn_of_bounds(problem, prefix, stream);
  n += pf_check_warn_noise(problem, prefix, stream);
  if (problem->settings->fit.per != PF_FIT_SHARED &&
      problem->fresh.n_animals > problem->data.n_animals) {
    (void)fprintf(stream,
                  "%sevaluate.animals = %zu, but with fit.per = \"animal\" only %zu have a theta: "
                  "the others will "
                  "not be scored\n",
                  prefix, problem->fresh.n_animals, problem->data.n_animals);
    n++;
  }
  return n;
}
