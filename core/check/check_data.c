/* The data as they were understood. */
#include "core/check/check_data.h"
#include "core/check/check_task.h"
#include "core/data/data_names.h"

#include <math.h>
#include <string.h>

enum { MAX_ANIMALS = 20, MAX_CHANNELS = 40 };

/* ---- counts ---- */

static void count_choices(const pf_recording *recording, pf_data_counts *counts)
{
  const pf_record *choice = pf_recording_target(recording, "choice");
  for (int64_t i = 0; choice != NULL && i < recording->n_steps * choice->n; i++) {
    if (!isnan(choice->values[i])) {
      counts->n_choices++;
      counts->n_accepted += choice->values[i] > 0.5 ? 1 : 0;
    }
  }
}

static void count_rewards(const pf_recording *recording, pf_data_counts *counts)
{
  const double *reward = pf_recording_channel(recording, "reward");
  for (int64_t t = 0; reward != NULL && t < recording->n_steps; t++) {
    if (recording->no_reward == NULL || recording->no_reward[t] == 0) {
      counts->lowest = counts->n_rewards == 0 ? reward[t] : fmin(counts->lowest, reward[t]);
      counts->highest = counts->n_rewards == 0 ? reward[t] : fmax(counts->highest, reward[t]);
      counts->reward += reward[t];
      counts->n_rewards++;
    }
  }
}

bool pf_data_is_looked_at(const pf_model *model, const char *target)
{
  for (size_t k = 0; k < model->n_losses; k++) {
    const pf_names *names = &model->losses[k].declared.targets;
    for (size_t i = 0; i < names->count; i++) {
      if (strcmp(names->items[i], target) == 0) {
        return true;
      }
    }
  }
  return false;
}

static int64_t count_observed(const pf_model *model, const pf_recording *recording)
{
  int64_t n = 0;
  for (size_t k = 0; k < recording->n_targets; k++) {
    const pf_record *target = &recording->targets[k];
    for (int64_t i = 0;
         pf_data_is_looked_at(model, target->name) && i < recording->n_steps * target->n; i++) {
      n +=
          (recording->flags[i / target->n] & PF_STEP_FIT) != 0 && !isnan(target->values[i]) ? 1 : 0;
    }
  }
  return n;
}

pf_data_counts pf_data_count(const pf_problem *problem, size_t animal)
{
  const pf_dataset *data = &problem->data;
  const bool all = animal == SIZE_MAX;
  pf_data_counts counts = {0};
  for (size_t r = all ? 0 : pf_dataset_first(data, animal); r < data->n;
       r = all ? r + 1 : pf_dataset_next(data, r)) {
    const pf_recording *recording = &data->recordings[r];
    const int64_t n = recording->n_steps;
    counts.shortest = counts.n_experiments == 0 || n < counts.shortest ? n : counts.shortest;
    counts.longest = n > counts.longest ? n : counts.longest;
    counts.n_experiments++;
    counts.n_trials += recording->n_trials;
    counts.n_steps += n;
    for (int64_t t = 0; t < n; t++) {
      counts.n_plastic += (recording->flags[t] & PF_STEP_PLASTIC) != 0;
      counts.n_fit += (recording->flags[t] & PF_STEP_FIT) != 0;
      counts.n_score += (recording->flags[t] & PF_STEP_SCORE) != 0;
    }
    count_choices(recording, &counts);
    count_rewards(recording, &counts);
    counts.n_observed += count_observed(problem->model, recording);
  }
  return counts;
}

/** Experiments that follow one another under one session's name are one session. */
static int64_t count_sessions(const pf_dataset *data)
{
  int64_t n = 0;
  for (size_t r = 0; r < data->n; r++) {
    const pf_recording *now = &data->recordings[r];
    const pf_recording *before = r > 0 ? now - 1 : NULL;
    const bool same = before != NULL && before->animal_index == now->animal_index &&
                      now->session != NULL && before->session != NULL &&
                      strcmp(before->session, now->session) == 0;
    n += same ? 0 : 1;
  }
  return n;
}

/* ---- the section ---- */

/** Range, mean and missing of a series of numbers that stand in several pieces. */
typedef struct summary {
  double lowest, highest, sum;
  int64_t n, n_missing;
} summary;

static void add_to_range(summary *all, const double *values, int64_t n, const uint8_t *missing)
{
  for (int64_t i = 0; i < n; i++) {
    if (isnan(values[i]) || (missing != NULL && missing[i] != 0)) {
      all->n_missing++;
      continue;
    }
    all->lowest = all->n == 0 ? values[i] : fmin(all->lowest, values[i]);
    all->highest = all->n == 0 ? values[i] : fmax(all->highest, values[i]);
    all->sum += values[i];
    all->n++;
  }
}

static void print_summary(FILE *out, const char *what, const char *name, int64_t columns,
                          const summary *s)
{
  char title[80];
  char mean[32] = "-", from[32] = "-", to[32] = "-";
  if (columns > 1) {
    (void)snprintf(title, sizeof title, "%s (%lld)", name, (long long)columns);
  } else {
    (void)snprintf(title, sizeof title, "%s", name);
  }
  if (s->n > 0) {
    (void)snprintf(from, sizeof from, "%.4g", s->lowest);
    (void)snprintf(to, sizeof to, "%.4g", s->highest);
    (void)snprintf(mean, sizeof mean, "%.4g", s->sum / (double)s->n);
  }
  (void)fprintf(out, "  %-9s%-24s%10s%10s%10s%12lld\n", what, title, from, to, mean,
                (long long)s->n_missing);
}

/** The channel of another recording; those of one source are mostly in the same order. */
static const double *same_channel(const pf_recording *recording, const char *name, size_t place)
{
  if (place < recording->n_channels && strcmp(recording->channels[place].name, name) == 0) {
    return recording->channels[place].values;
  }
  return pf_recording_channel(recording, name);
}

static void print_series(const pf_problem *problem, FILE *out)
{
  const pf_dataset *data = &problem->data;
  const pf_recording *first = &data->recordings[0];
  (void)fprintf(out, "\n  %-9s%-24s%10s%10s%10s%12s\n", "", "", "from", "to", "mean", "missing");
  summary cue = {0};
  for (size_t r = 0; r < data->n; r++) {
    add_to_range(&cue, data->recordings[r].cue,
                 data->recordings[r].n_steps * data->recordings[r].n_input, NULL);
  }
  print_summary(out, "inputs", "cue", first->n_input, &cue);
  size_t n_left_out = 0;
  for (size_t c = 0; c < first->n_channels; c++) {
    const char *name = first->channels[c].name;
    if (c >= MAX_CHANNELS && !pf_data_is_looked_at(problem->model, name)) {
      n_left_out++;
      continue;
    }
    summary all = {0};
    for (size_t r = 0; r < data->n; r++) {
      const double *values = same_channel(&data->recordings[r], name, c);
      if (values != NULL) {
        add_to_range(&all, values, data->recordings[r].n_steps,
                     pf_is_reward(name) ? data->recordings[r].no_reward : NULL);
      }
    }
    print_summary(out, "channel", name, 1, &all);
  }
  if (n_left_out > 0) {
    (void)fprintf(out, "  and %zu more channels, which nothing reads\n", n_left_out);
  }
  for (size_t k = 0; k < first->n_targets; k++) {
    const char *name = first->targets[k].name;
    summary all = {0};
    for (size_t r = 0; r < data->n; r++) {
      const pf_record *target = pf_recording_target(&data->recordings[r], name);
      if (target != NULL) {
        add_to_range(&all, target->values, data->recordings[r].n_steps * target->n, NULL);
      }
    }
    print_summary(out, "target", name, first->targets[k].n, &all);
  }
}

static void print_rate(FILE *out, double part, int64_t n)
{
  if (n > 0) {
    (void)fprintf(out, "%9.1f %%", 100.0 * part / (double)n);
  } else {
    (void)fprintf(out, "%11s", "-");
  }
}

static void print_animal(FILE *out, const char *name, const pf_data_counts *c)
{
  (void)fprintf(out, "  %-20.20s%12lld%9lld%9lld%10lld", name, (long long)c->n_experiments,
                (long long)c->n_trials, (long long)c->n_steps, (long long)c->n_plastic);
  print_rate(out, (double)c->n_accepted, c->n_choices);
  if (c->n_rewards > 0) {
    (void)fprintf(out, "%13.3g\n", c->reward / (double)c->n_rewards);
  } else {
    (void)fprintf(out, "%13s\n", "-");
  }
}

static void print_drawn_inputs(const pf_problem *problem, FILE *out)
{
  const pf_dataset *data = &problem->data;
  int64_t n = 0, n_drawn = 0;
  for (size_t r = 0; r < data->n; r++) {
    n += data->recordings[r].n_steps * data->recordings[r].n_input;
    n_drawn += pf_recording_n_drawn(&data->recordings[r]);
  }
  if (n_drawn > 0) {
    (void)fprintf(
        out,
        "  %lld of %lld inputs are missing and drawn anew in every draw: normal, with the "
        "mean and sd of the same input\n    where it was recorded in the experiment\n",
        (long long)n_drawn, (long long)n);
  }
}

void pf_check_print_data(const pf_problem *problem, bool verbose, FILE *out)
{
  const size_t most = verbose ? SIZE_MAX : MAX_ANIMALS;
  const pf_dataset *data = &problem->data;
  const pf_data_counts all = pf_data_count(problem, SIZE_MAX);
  (void)fprintf(out,
                "Data\n  %zu animals, %lld sessions, %lld experiments, %lld trials, %lld steps",
                data->n_animals, (long long)count_sessions(data), (long long)all.n_experiments,
                (long long)all.n_trials, (long long)all.n_steps);
  (void)fprintf(out, " (%lld to %lld an experiment)\n", (long long)all.shortest,
                (long long)all.longest);
  (void)fprintf(out, "  weights change after %lld steps; %lld are fitted, %lld are scored\n",
                (long long)all.n_plastic, (long long)all.n_fit, (long long)all.n_score);
  pf_check_print_task(problem, out);
  if (problem->settings->give_inputs) {
    (void)fprintf(out, "  inputs x: the animals' own\n");
  } else {
    (void)fprintf(out, "  inputs x = %g cue + %g noise, %lld %s of it\n",
                  problem->settings->input.mean, problem->settings->input.sd,
                  (long long)problem->settings->draws,
                  problem->settings->draws == 1 ? "draw" : "draws");
  }
  print_drawn_inputs(problem, out);
  print_series(problem, out);
  (void)fprintf(out, "\n  %-20s%12s%9s%9s%10s%11s%13s\n", "animal", "experiments", "trials",
                "steps", "plastic", pf_check_rate_word(problem), "mean reward");
  for (size_t a = 0; a < data->n_animals && a < most; a++) {
    const pf_data_counts one = pf_data_count(problem, a);
    print_animal(out, data->animals[a], &one);
  }
  if (data->n_animals > most) {
    (void)fprintf(out, "  and %zu more (--verbose)\n", data->n_animals - most);
  }
  if (data->n_animals > 1) {
    print_animal(out, "all", &all);
  }
}
