/* What a row of the data is taken for, and whether it looks like something else. */
#include "core/check/check_task.h"
#include "core/base/memory.h"
#include "core/data/data_names.h"

#include <math.h>
#include <string.h>

enum { MOST_UNITS = 6 };

/** What the choices, rewards and changes of weights of all steps are. */
typedef struct task_counts {
  int64_t n_choices, n_rejected;                  /* choices; those of 0 */
  int64_t n_missed, n_plastic_missed;             /* steps without one */
  int64_t n_plastic_rejected, n_plastic_accepted; /* where weights change */
  int64_t n_paid, n_paid_rejected;                /* steps with a reward (0 too); at choices of 0 */
  int64_t n_lost, n_used; /* rewards other than 0 where weights stay; where they change */
  double highest;         /* choice */
  bool constant_input;
  bool whole; /* targets other than choices are whole numbers from 0 */
  bool has_activity;
} task_counts;

static void count_step(task_counts *c, const pf_recording *recording, int64_t t, double choice)
{
  const double *reward = pf_recording_channel(recording, "reward");
  const bool plastic = (recording->flags[t] & PF_STEP_PLASTIC) != 0;
  const bool paid =
      reward != NULL && (recording->no_reward == NULL || recording->no_reward[t] == 0);
  if (paid && reward[t] != 0.0) {
    c->n_lost += plastic ? 0 : 1;
    c->n_used += plastic ? 1 : 0;
  }
  c->n_paid += paid ? 1 : 0;
  if (isnan(choice)) {
    c->n_missed++;
    c->n_plastic_missed += plastic ? 1 : 0;
    return;
  }
  c->n_choices++;
  c->highest = fmax(c->highest, choice);
  if (choice == 0.0) {
    c->n_rejected++;
    c->n_plastic_rejected += plastic ? 1 : 0;
    c->n_paid_rejected += paid ? 1 : 0;
  } else {
    c->n_plastic_accepted += plastic ? 1 : 0;
  }
}

static void count_recording(task_counts *c, const pf_recording *recording, const double *first_cue)
{
  const pf_record *choice = pf_recording_target(recording, "choice");
  const int64_t n_input = recording->n_input;
  for (int64_t t = 0; t < recording->n_steps; t++) {
    count_step(c, recording, t, choice == NULL ? (double)NAN : choice->values[t * choice->n]);
    for (int64_t j = 0; j < n_input; j++) {
      c->constant_input = c->constant_input && recording->cue[t * n_input + j] == first_cue[j];
    }
  }
  for (size_t k = 0; k < recording->n_targets; k++) {
    const pf_record *target = &recording->targets[k];
    c->has_activity = c->has_activity || target != choice;
    for (int64_t i = 0; target != choice && i < recording->n_steps * target->n; i++) {
      const double value = target->values[i];
      c->whole = c->whole && (isnan(value) || (value >= 0.0 && value == floor(value)));
    }
  }
}

static task_counts count_task(const pf_dataset *data)
{
  task_counts c = {.constant_input = true, .whole = true};
  for (size_t r = 0; r < data->n; r++) {
    count_recording(&c, &data->recordings[r], data->recordings[0].cue);
  }
  return c;
}

/** Is it read, so that somebody decided what a row is? A task of the program knows. */
static bool is_read(const pf_problem *problem)
{
  return problem->models->source.plugin->source->read != NULL;
}

static bool is_go_no_go(const task_counts *c)
{
  return c->n_choices > 0 && c->n_rejected > 0 && c->highest == 1.0 && c->n_plastic_rejected == 0 &&
         c->n_plastic_missed == 0 && c->n_plastic_accepted == c->n_choices - c->n_rejected;
}

static bool is_between_arms(const task_counts *c)
{
  return c->n_choices > 0 && c->n_plastic_missed == 0 &&
         c->n_plastic_accepted + c->n_plastic_rejected == c->n_choices;
}

/** What the config's `source.kind` says of data without choices; NULL: it leaves that to the data.
 */
static const char *stated_kind(const pf_problem *problem)
{
  static const struct {
    const char *kind, *words;
  } kinds[] = {
      {"conditioning", "conditioning"}, {"activity", "recorded activity"}, {"spikes", "spikes"}};
  const char *kind = NULL;
  if (!pf_node_string(pf_node_get(pf_config_root(problem->config), "source.kind"), &kind)) {
    return NULL;
  }
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    if (strcmp(kind, kinds[k].kind) == 0) {
      return kinds[k].words;
    }
  }
  return NULL;
}

const char *pf_check_rate_word(const pf_problem *problem)
{
  const task_counts c = count_task(&problem->data);
  if (!is_read(problem) || is_go_no_go(&c) || !is_between_arms(&c)) {
    return "accepted";
  }
  return c.highest <= 1.0 ? "option 1" : "not 0";
}

void pf_check_print_task(const pf_problem *problem, FILE *out)
{
  if (!is_read(problem)) {
    return;
  }
  const task_counts c = count_task(&problem->data);
  const char *stated = stated_kind(problem);
  (void)fprintf(out, "  taken for ");
  if (is_go_no_go(&c)) {
    (void)fprintf(out, "go/no-go: choices are 0 (rejected) and 1 (accepted), and weights change "
                       "after accepts only");
  } else if (is_between_arms(&c)) {
    (void)fprintf(out, "a choice between %g options: weights change where a choice was observed",
                  fmax(c.highest, 1.0) + 1.0);
  } else if (c.n_choices > 0) {
    (void)fprintf(out, "choices, with steps other than these after which weights change");
  } else if (stated != NULL) {
    (void)fprintf(out, "%s, as source.kind says", stated);
  } else if (c.has_activity && c.whole) {
    (void)fprintf(out, "spikes: no choices, and what was recorded are whole numbers");
  } else {
    (void)fprintf(out, "recorded activity: no choices");
  }
  if (c.n_choices > 0 && c.n_missed > 0) {
    (void)fprintf(out, " (none at %lld of %lld steps)", (long long)c.n_missed,
                  (long long)(c.n_missed + c.n_choices));
  }
  (void)fputc('\n', out);
}

size_t pf_check_warn_task(const pf_problem *problem, const char *prefix, FILE *stream)
{
  if (!is_read(problem)) {
    return 0;
  }
  const task_counts c = count_task(&problem->data);
  if (is_go_no_go(&c) && c.n_lost > 0) {
    (void)fprintf(stream,
                  "%s%lld %s at steps where weights do not change, because the choice there is 0 "
                  "and the table was taken for go/no-go: this looks like a choice between two arms "
                  "(source.kind = \"choice\")%s\n",
                  prefix, (long long)c.n_lost, c.n_lost == 1 ? "reward stands" : "rewards stand",
                  c.n_used == 0 ? ", or 0 and 1 of the choices are exchanged" : "");
    return 1;
  }
  if (is_go_no_go(&c) && c.constant_input && c.n_paid_rejected == c.n_rejected) {
    (void)fprintf(
        stream,
        "%sthe inputs are always the same, and choices of 0 are rewarded or not like those of "
        "1: this looks like a choice between two arms, not like go/no-go (source.kind = "
        "\"choice\")\n",
        prefix);
    return 1;
  }
  if (!is_go_no_go(&c) && is_between_arms(&c) && c.highest == 1.0 && c.n_paid > 0 &&
      c.n_rejected > 0 && c.n_paid_rejected == 0) {
    (void)fprintf(stream,
                  "%sno reward stands where the choice is 0, not even 0, and weights change there "
                  "all the same: this looks like go/no-go, not like a choice between two arms "
                  "(source.kind = \"go_no_go\")\n",
                  prefix);
    return 1;
  }
  return 0;
}

/* ---- what was recorded of units ---- */

/** Of one column of a target. */
typedef struct unit_range {
  double lowest, highest;
  int64_t n, n_outside; /* recorded; beyond what the output can be */
} unit_range;

static unit_range range_of_unit(const pf_dataset *data, const char *target, int64_t unit,
                                const pf_observable *output)
{
  unit_range range = {INFINITY, -INFINITY, 0, 0};
  const bool bounded = output != NULL && output->lower < output->upper;
  for (size_t r = 0; r < data->n; r++) {
    const pf_record *record = pf_recording_target(&data->recordings[r], target);
    for (int64_t t = 0; record != NULL && unit < record->n && t < data->recordings[r].n_steps;
         t++) {
      const double value = record->values[t * record->n + unit];
      if (isnan(value)) {
        continue;
      }
      range.lowest = fmin(range.lowest, value);
      range.highest = fmax(range.highest, value);
      range.n++;
      range.n_outside += bounded && (value < output->lower || value > output->upper) ? 1 : 0;
    }
  }
  return range;
}

/** "2, 5, 6, ..." */
static void add_unit(char *text, size_t capacity, size_t n, int64_t unit)
{
  const size_t used = strlen(text);
  if (n < MOST_UNITS) {
    (void)snprintf(text + used, capacity - used, "%s%lld", n > 0 ? ", " : "", (long long)unit + 1);
  } else if (n == MOST_UNITS) {
    (void)snprintf(text + used, capacity - used, ", ...");
  }
}

/** Units of a target that say nothing, and the range of the others. */
typedef struct target_units {
  char never[100], constant[100]; /* "2, 5, ..." */
  size_t n_never, n_constant;
  unit_range all;
} target_units;

/** output: what the target is compared with; NULL: with nothing that has bounds. */
static target_units look_at_units(const pf_dataset *data, const pf_record *record,
                                  const pf_observable *output)
{
  target_units of = {.all = {INFINITY, -INFINITY, 0, 0}};
  for (int64_t unit = 0; unit < record->n; unit++) {
    const unit_range one = range_of_unit(data, record->name, unit, output);
    if (one.n == 0) {
      add_unit(of.never, sizeof of.never, of.n_never++, unit);
    } else if (one.n > 1 && one.lowest == one.highest) {
      add_unit(of.constant, sizeof of.constant, of.n_constant++, unit);
    }
    of.all.lowest = fmin(of.all.lowest, one.lowest);
    of.all.highest = fmax(of.all.highest, one.highest);
    of.all.n += one.n;
    of.all.n_outside += one.n_outside;
  }
  return of;
}

static size_t warn_of_units(const pf_problem *problem, const pf_loss_term *loss, const char *prefix,
                            FILE *stream)
{
  const char *target = loss->declared.targets.items[0];
  const pf_record *record = pf_recording_target(&problem->data.recordings[0], target);
  /* a likelihood has a link of its own between the output and what is recorded */
  const bool compares =
      (loss->declared.flags & PF_LOSS_LIKELIHOOD) == 0 && loss->declared.observables.count > 0;
  const pf_observable *output =
      compares ? &problem->model->observables[loss->observables[0]] : NULL;
  if (record == NULL || pf_is_choice(target)) {
    return 0;
  }
  const target_units of = look_at_units(&problem->data, record, output);
  const unit_range *all = &of.all;
  if (of.n_never > 0) {
    (void)fprintf(stream, "%s%s: unit %s of %lld was never recorded\n", prefix, target, of.never,
                  (long long)record->n);
  }
  if (of.n_constant > 0) {
    (void)fprintf(stream,
                  "%s%s: unit %s of %lld is constant in all of the data: nothing can be learned "
                  "from it\n",
                  prefix, target, of.constant, (long long)record->n);
  }
  if (all->n_outside > 0) {
    (void)fprintf(stream,
                  "%s%s: %lld of %lld values (%g to %g) cannot come out of '%s', which gives %g to "
                  "%g: rescale them, or change network.output\n",
                  prefix, target, (long long)all->n_outside, (long long)all->n, all->lowest,
                  all->highest, output->name, output->lower, output->upper);
  }
  return (size_t)(of.n_never > 0) + (size_t)(of.n_constant > 0) + (size_t)(all->n_outside > 0);
}

size_t pf_check_warn_units(const pf_problem *problem, const char *prefix, FILE *stream)
{
  size_t n = 0;
  for (size_t k = 0; k < problem->model->n_losses; k++) {
    if (problem->model->losses[k].declared.targets.count > 0) {
      n += warn_of_units(problem, &problem->model->losses[k], prefix, stream);
    }
  }
  return n;
}

/* ---- starting weights ---- */

size_t pf_check_warn_synapses(const pf_problem *problem, const char *prefix, FILE *stream)
{
  const pf_initial_file *file = problem->models->initial;
  const pf_model *model = problem->model;
  int64_t n = 0, n_lost = 0;
  for (size_t s = 0; file != NULL && s < file->n_sets; s++) {
    const pf_initial_set *set = &file->sets[s];
    const pf_real *mask = model->masks[set->projection].connected;
    for (int64_t i = 0; i < set->n_post * set->n_pre; i++) {
      if (set->w[i] == 0.0 || isnan(set->w[i])) {
        continue;
      }
      n++;
      if (mask != NULL) {
        const int64_t row = i / set->n_pre, column = i % set->n_pre;
        n_lost += mask[row * pf_leading_dimension(set->n_pre) + column] == 0 ? 1 : 0;
      }
    }
  }
  if (n_lost == 0) {
    return 0;
  }
  (void)fprintf(stream,
                "%s%lld of %lld starting weights that are not 0 have no synapse: is the matrix "
                "transposed? (%s; a row of `connected` is a postsynaptic unit)\n",
                prefix, (long long)n_lost, (long long)n, file->path);
  return 1;
}
