#include "core/check/check_rows.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_STEPS = 10 }; /* of recordings that are not the same by chance */

/** One warning under way. */
typedef struct warnings {
  const pf_dataset *data;
  const char *prefix;
  FILE *stream;
  size_t n;
} warnings;

/* ---- choices, rewards and trials ---- */

/** What steps with and without a choice are. */
typedef struct row_counts {
  int64_t n_rejected, n_accepted; /* choices of 0, others */
  int64_t n_plastic_rejected,
      n_other_still;                       /* weights change at a 0; they stay at another choice */
  int64_t n_paid_rejected, n_won_rejected; /* 0s with a reward, even one of 0; with another */
  int64_t n_missed_paid;    /* steps without a choice that have a reward other than 0 */
  int64_t n_unseen_paid;    /* of data without choices: rewards other than 0 where weights stay */
  int64_t n_trials, n_long; /* trials; those of several steps with a choice */
  int64_t n_after_accept;   /* choices in a trial that had an accept before */
  double highest;
} row_counts;

/** A reward other than 0, or any at all. */
static bool has_reward(const pf_recording *recording, int64_t t, bool other_than_0)
{
  const double *reward = pf_recording_channel(recording, "reward");
  const bool is_there =
      reward != NULL && (recording->no_reward == NULL || recording->no_reward[t] == 0);
  return is_there && (!other_than_0 || reward[t] != 0.0);
}

static void count_choice(row_counts *c, const pf_recording *recording, int64_t t, double choice)
{
  const bool plastic = (recording->flags[t] & PF_STEP_PLASTIC) != 0;
  c->highest = fmax(c->highest, choice);
  if (choice != 0.0) {
    c->n_accepted++;
    c->n_other_still += plastic ? 0 : 1;
    return;
  }
  c->n_rejected++;
  c->n_plastic_rejected += plastic ? 1 : 0;
  c->n_paid_rejected += has_reward(recording, t, false) ? 1 : 0;
  c->n_won_rejected += has_reward(recording, t, true) ? 1 : 0;
}

static void count_rows(row_counts *c, const pf_recording *recording)
{
  const pf_record *choice = pf_recording_target(recording, "choice");
  int64_t n_in_trial = 0;
  bool accepted = false;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    const double made = choice == NULL ? (double)NAN : choice->values[t * choice->n];
    if (t == 0 || recording->trial[t] != recording->trial[t - 1]) {
      c->n_trials++;
      n_in_trial = 0;
      accepted = false;
    }
    if (!isnan(made)) {
      n_in_trial++;
      c->n_long += n_in_trial == 2 ? 1 : 0;
      c->n_after_accept += accepted ? 1 : 0;
      accepted = accepted || made != 0.0;
      count_choice(c, recording, t, made);
    } else if (choice != NULL) {
      c->n_missed_paid += has_reward(recording, t, true) ? 1 : 0;
    } else if ((recording->flags[t] & PF_STEP_PLASTIC) == 0) {
      c->n_unseen_paid += has_reward(recording, t, true) ? 1 : 0;
    }
  }
}

static bool is_go_no_go(const row_counts *c)
{
  return c->n_rejected > 0 && c->n_accepted > 0 && c->highest == 1.0 &&
         c->n_plastic_rejected == 0 && c->n_other_still == 0;
}

static bool is_between_options(const row_counts *c)
{
  return c->n_accepted > 0 && c->n_other_still == 0 && c->n_plastic_rejected == c->n_rejected;
}

static void warn_of_go_no_go(warnings *w, const row_counts *c)
{
  if (c->n_paid_rejected < c->n_rejected || c->n_won_rejected > 0) {
    return;
  }
  if (c->n_trials > 1 && c->n_long == 0) {
    (void)fprintf(
        w->stream,
        "%severy trial has one step, and choices of 0 have a reward (0) too: this looks "
        "like a choice between options (source.kind = \"choice\"). In a go/no-go leave the "
        "reward of a rejected offer empty, since none could come\n",
        w->prefix);
  } else {
    (void)fprintf(w->stream,
                  "%srejected offers have a reward too (%lld, all 0): leave the cell empty where "
                  "no reward was possible, or E[R] falls with each rejection\n",
                  w->prefix, (long long)c->n_paid_rejected);
  }
  w->n++;
}

static void warn_of_options(warnings *w, const row_counts *c)
{
  if (c->n_long == 0) {
    return;
  }
  const bool ends_at_accept = c->highest == 1.0 && c->n_rejected > 0 && c->n_after_accept == 0;
  (void)fprintf(w->stream,
                "%s%lld of %lld trials have several choices, and each is taken for one between "
                "options: %s\n",
                w->prefix, (long long)c->n_long, (long long)c->n_trials,
                ends_at_accept ? "none comes after a 1, so this looks like go/no-go (source.kind = "
                                 "\"go_no_go\")"
                               : "are rows repeated, or does another column number the trials?");
  w->n++;
}

static void warn_of_choices(warnings *w, bool is_taken_right)
{
  row_counts c = {0};
  for (size_t r = 0; r < w->data->n; r++) {
    count_rows(&c, &w->data->recordings[r]);
  }
  if (is_taken_right && is_go_no_go(&c)) {
    warn_of_go_no_go(w, &c);
  } else if (is_taken_right && is_between_options(&c)) {
    warn_of_options(w, &c);
  }
  if (c.n_missed_paid > 0 || c.n_unseen_paid > 0) {
    (void)fprintf(w->stream,
                  "%s%lld %s at steps %s, after which weights do not change: no rule learns from "
                  "%s\n",
                  w->prefix, (long long)(c.n_missed_paid + c.n_unseen_paid),
                  c.n_missed_paid + c.n_unseen_paid == 1 ? "reward stands" : "rewards stand",
                  c.n_missed_paid > 0 ? "without a choice" : "that are not plastic",
                  c.n_missed_paid + c.n_unseen_paid == 1 ? "it" : "them");
    w->n++;
  }
}

/* ---- animals with the same rows ---- */

typedef struct fingerprint {
  uint64_t hash;
  size_t recording;
} fingerprint;

/* FNV-1a */
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t n)
{
  const unsigned char *at = bytes;
  for (size_t i = 0; i < n; i++) {
    hash = (hash ^ at[i]) * 1099511628211U;
  }
  return hash;
}

static uint64_t hash_rows(const pf_recording *recording)
{
  const size_t n = (size_t)recording->n_steps;
  uint64_t hash = add_bytes(14695981039346656037U, &recording->n_steps, sizeof n);
  hash = add_bytes(hash, recording->cue, n * (size_t)recording->n_input * sizeof(double));
  for (size_t k = 0; k < recording->n_targets; k++) {
    hash = add_bytes(hash, recording->targets[k].values,
                     n * (size_t)recording->targets[k].n * sizeof(double));
  }
  const double *reward = pf_recording_channel(recording, "reward");
  return reward == NULL ? hash : add_bytes(hash, reward, n * sizeof *reward);
}

/** Does a target change, so that another animal has the same by copying alone? */
static bool says_something(const pf_recording *recording)
{
  for (size_t k = 0; k < recording->n_targets; k++) {
    const pf_record *record = &recording->targets[k];
    for (int64_t t = 1; t < recording->n_steps; t++) {
      if (memcmp(record->values, record->values + t * record->n,
                 (size_t)record->n * sizeof *record->values) != 0) {
        return recording->n_steps >= MIN_STEPS;
      }
    }
  }
  return false;
}

static int compare_fingerprints(const void *a, const void *b)
{
  const fingerprint *x = a, *y = b;
  if (x->hash != y->hash) {
    return x->hash < y->hash ? -1 : 1;
  }
  return x->recording < y->recording ? -1 : 1;
}

static void warn_of_copies(warnings *w)
{
  pf_error unused = pf_error_none();
  fingerprint *all = pf_memory_need(w->data->n, sizeof *all, &unused);
  size_t n = 0, n_copies = 0, first = 0, second = 0;
  for (size_t r = 0; all != NULL && r < w->data->n; r++) {
    if (says_something(&w->data->recordings[r])) {
      all[n++] = (fingerprint){hash_rows(&w->data->recordings[r]), r};
    }
  }
  qsort(all, n, sizeof *all, compare_fingerprints);
  for (size_t i = 1; i < n; i++) {
    if (all[i].hash == all[i - 1].hash) {
      first = n_copies == 0 ? all[i - 1].recording : first;
      second = n_copies == 0 ? all[i].recording : second;
      n_copies++;
    }
  }
  pf_memory_free(all);
  if (n_copies == 0) {
    return;
  }
  const pf_recording *one = &w->data->recordings[first], *other = &w->data->recordings[second];
  const bool same_animal = one->animal_index == other->animal_index;
  (void)fprintf(
      w->stream,
      "%s%.40s and %.40s have the same rows, %zu %s so: if rows were copied, remove them; "
      "copies count as data, and make intervals too short\n",
      w->prefix, same_animal ? one->name : one->animal, same_animal ? other->name : other->animal,
      n_copies, n_copies == 1 ? "experiment is" : "experiments are");
  w->n++;
}

/* ---- animals with other recorded units ---- */

/** Units of a target that were recorded of an animal at any time. */
static int64_t count_units(const pf_dataset *data, size_t animal, const char *target)
{
  const pf_record *first =
      pf_recording_target(&data->recordings[pf_dataset_first(data, animal)], target);
  int64_t n = 0;
  for (int64_t unit = 0; first != NULL && unit < first->n; unit++) {
    bool recorded = false;
    for (size_t r = pf_dataset_first(data, animal); r < data->n && !recorded;
         r = pf_dataset_next(data, r)) {
      const pf_record *record = pf_recording_target(&data->recordings[r], target);
      for (int64_t t = 0; record != NULL && unit < record->n && t < data->recordings[r].n_steps;
           t++) {
        recorded = recorded || !isnan(record->values[t * record->n + unit]);
      }
    }
    n += recorded ? 1 : 0;
  }
  return n;
}

static void warn_of_units(warnings *w, const char *target)
{
  const pf_dataset *data = w->data;
  size_t fewest = 0, most = 0;
  int64_t low = 0, high = 0;
  for (size_t a = 0; a < data->n_animals; a++) {
    const int64_t n = count_units(data, a, target);
    fewest = a == 0 || n < low ? a : fewest;
    low = a == 0 || n < low ? n : low;
    most = a == 0 || n > high ? a : most;
    high = a == 0 || n > high ? n : high;
  }
  if (low == high) {
    return;
  }
  (void)fprintf(w->stream,
                "%s%s: animals have different numbers of recorded units, from %lld (%.40s) to %lld "
                "(%.40s): a unit that an animal lacks is not observed; unit k of one animal is "
                "unit k of another only where you say so\n",
                w->prefix, target, (long long)low, data->animals[fewest], (long long)high,
                data->animals[most]);
  w->n++;
}

size_t pf_check_warn_rows(const pf_problem *problem, bool is_taken_right, const char *prefix,
                          FILE *stream)
{
  warnings w = {.data = &problem->data, .prefix = prefix, .stream = stream};
  if (problem->models->source.plugin->source->read == NULL) {
    return 0; /* a task of the program */
  }
  warn_of_choices(&w, is_taken_right);
  warn_of_copies(&w);
  for (size_t k = 0; k < problem->model->n_losses; k++) {
    const pf_names *targets = &problem->model->losses[k].declared.targets;
    if (targets->count > 0) {
      warn_of_units(&w, targets->items[0]);
    }
  }
  return w.n;
}
