#include "steps.h"

#include "missing_inputs.h"

/* ---- memory ---- */

pf_status table_steps_make(const recording *of, const table_columns *columns, table_steps *out,
                           pf_error *error)
{
  *out = (table_steps){.recording = of, .columns = columns};
  return recording_steps_create(of, &out->values, error);
}

void table_steps_free(table_steps *steps)
{
  recording_steps_free(steps->recording, &steps->values);
}

/** *slot, of `n` items, moved to where `larger` fit. */
static int grow(const pf_host *host, void *slot, size_t item, int64_t n, int64_t larger)
{
  void *old = NULL;
  memcpy(&old, slot, sizeof old);
  void *moved = host->allocate(host, item * (size_t)larger);
  if (moved == NULL) {
    return 0;
  }
  if (n > 0) {
    memcpy(moved, old, item * (size_t)n);
  }
  host->release(host, old);
  memcpy(slot, &moved, sizeof moved);
  return 1;
}

/** All channels in one piece: a million of them are not a million pieces. */
static int grow_channels(table_steps *s, size_t n_channels, int64_t larger)
{
  const pf_host *host = s->recording->host;
  double **channel = s->values.channel;
  double *block = host->allocate(host, n_channels * (size_t)larger * sizeof *block);
  if (block == NULL) {
    return 0;
  }
  double *before = channel[0];
  for (size_t k = 0; k < n_channels; k++) {
    double *to = block + k * (size_t)larger;
    if (s->n > 0) {
      memcpy(to, channel[k], (size_t)s->n * sizeof *to);
    }
    channel[k] = to;
  }
  host->release(host, before);
  return 1;
}

/** Steps there is room for at first: some, of many columns few. */
static int64_t first_capacity(size_t n_channels)
{
  return n_channels < 4096 ? 256 : 8;
}

static pf_status reserve(table_steps *s, pf_error *error)
{
  if (s->n < s->capacity) {
    return PF_OK;
  }
  const pf_host *host = s->recording->host;
  const roles *r = &s->recording->roles;
  recording_steps *v = &s->values;
  const int64_t larger = s->capacity == 0 ? first_capacity(r->channels.n) : 2 * s->capacity;
  int done = grow(host, &v->cue, r->inputs.n * sizeof(double), s->n, larger) &&
             (s->columns->missing_inputs != TABLE_MISSING_DRAW ||
              grow(host, &v->cue_sd, r->inputs.n * sizeof(double), s->n, larger)) &&
             grow(host, &v->flags, sizeof *v->flags, s->n, larger) &&
             grow(host, &v->trial, sizeof *v->trial, s->n, larger) &&
             grow(host, &v->block, sizeof *v->block, s->n, larger) &&
             grow(host, &v->line, sizeof *v->line, s->n, larger) &&
             (r->single[ROLE_DT] < 0 || grow(host, &v->dt, sizeof *v->dt, s->n, larger));
  done = done && (r->channels.n == 0 || grow_channels(s, r->channels.n, larger));
  for (size_t k = 0; k < r->targets.n && done; k++) {
    done = grow(host, &v->target[k], r->targets.items[k].n * sizeof(double), s->n, larger);
  }
  if (!done) {
    return pf_fail(error, PF_STOP, "out of memory for %lld steps of one experiment",
                   (long long)larger);
  }
  s->capacity = larger;
  return PF_OK;
}

/* ---- cells ---- */

/** The column that has a role, or -1. */
static int64_t column_of(const table_steps *s, int which)
{
  return s->recording->roles.single[which];
}

/** "own.csv:12: column 'reward': found 'x', expected WHAT" */
static pf_status bad_cell(const table_steps *s, const table_rows *rows, size_t field,
                          const char *what, pf_error *error)
{
  const char *text = table_field_text(s->columns, rows, field);
  const int64_t column = s->columns->fields[field].column;
  const table_where where = table_where_is(rows, column < 0 ? 0 : (size_t)column);
  char values[400] = "";
  if (column >= 0 && s->columns->maps[column].n > 0) {
    table_map_print(&s->columns->maps[column], values, sizeof values);
    what = "one of these: ";
  }
  return pf_fail(error, PF_STOP, "%s: %s '%.60s': found %s%.60s%s, expected %s%s", where.text,
                 s->columns->files.word, s->columns->fields[field].name, text[0] == '\0' ? "" : "'",
                 text[0] == '\0' ? "nothing" : text, text[0] == '\0' ? "" : "'", what, values);
}

/** A finite number, or NaN where it is missing. */
static pf_status take_number(const table_steps *s, const table_rows *rows, size_t field,
                             double *value, pf_error *error)
{
  if (!table_field_number(s->columns, rows, field, value)) {
    return bad_cell(s, rows, field, "a number (of texts, `values` says their numbers)", error);
  }
  return isinf(*value) ? bad_cell(s, rows, field, "a finite number", error) : PF_OK;
}

static pf_status take_group(const table_steps *s, const table_rows *rows, const role_group *group,
                            double *values, pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t k = 0; k < group->n && status == PF_OK; k++) {
    status = take_number(s, rows, group->variables[k], &values[k], error);
  }
  return status;
}

/** A number that must be there and satisfy a check; `fallback` where the table has no such column.
 */
static pf_status take_single(const table_steps *s, const table_rows *rows, int which, double lower,
                             int whole, const char *what, double fallback, double *value,
                             pf_error *error)
{
  const int64_t column = column_of(s, which);
  *value = fallback;
  if (column < 0) {
    return PF_OK;
  }
  if (!table_field_number(s->columns, rows, (size_t)column, value) || !(*value >= lower) ||
      !(fabs(*value) < 9e15) || (whole && floor(*value) != *value)) {
    return bad_cell(s, rows, (size_t)column, what, error);
  }
  return PF_OK;
}

/* ---- order ---- */

/** Trials never go back; within one, or where there is no trial column, steps go up. */
static pf_status check_order(table_steps *s, const table_rows *rows, double trial, double step,
                             pf_error *error)
{
  const int64_t n = s->n;
  const int has_trial = column_of(s, ROLE_TRIAL) >= 0;
  if (n == 0) {
    return PF_OK;
  }
  const long long before = (long long)s->values.line[n - 1];
  const table_where where = table_where_is(rows, 0);
  const char *unit = s->columns->files.format == NULL ? "line" : "row";
  if (has_trial && trial < (double)s->values.trial[n - 1]) {
    return pf_fail(error, PF_STOP,
                   "%s: found trial %.0f behind trial %lld (%s %lld), expected the rows of an "
                   "experiment in order of time (trials counted anew in each block need a %s of "
                   "the block: %ss.block)",
                   where.text, trial, (long long)s->values.trial[n - 1], unit, before,
                   s->columns->files.word, s->columns->files.word);
  }
  if (column_of(s, ROLE_STEP) < 0 || (has_trial && trial > (double)s->values.trial[n - 1])) {
    return PF_OK;
  }
  if (step == s->step) {
    return pf_fail(error, PF_STOP, "%s: step %.0f stands twice in one %s, on %s %lld too",
                   where.text, step, has_trial ? "trial" : "experiment", unit, before);
  }
  if (step < s->step) {
    return pf_fail(error, PF_STOP,
                   "%s: found step %.0f behind step %.0f (%s %lld), expected the rows of an "
                   "experiment in order of time",
                   where.text, step, s->step, unit, before);
  }
  if (step > s->step + 1.0 && s->skipped == 0) {
    s->skipped = table_line(rows);
    s->skipped_by = step - s->step - 1.0;
  }
  return PF_OK;
}

/* ---- a row ---- */

/** Trials that are counted anew in each block go on counting. */
static double continue_trials(table_steps *s, double trial, int64_t block)
{
  const int64_t n = s->n;
  if (n == 0) {
    s->trials_before = 0;
  } else if (block != s->values.block[n - 1] &&
             trial + (double)s->trials_before < (double)s->values.trial[n - 1]) {
    s->trials_before = s->values.trial[n - 1] + 1 - (int64_t)trial;
  }
  return trial + (double)s->trials_before;
}

static pf_status take_times(table_steps *s, const table_rows *rows, pf_error *error)
{
  static const char *const count = "a whole number, 0 or more";
  static const char *const length = "the length of the step in ms, more than 0";
  const int64_t n = s->n;
  double trial = 0.0, step = 0.0, block = 0.0, dt = 0.0;
  if (take_single(s, rows, ROLE_TRIAL, 0.0, 1, count, 0.0, &trial, error) != PF_OK ||
      take_single(s, rows, ROLE_STEP, -(double)INFINITY, 1, "a whole number", 0.0, &step, error) !=
          PF_OK ||
      take_single(s, rows, ROLE_BLOCK, 0.0, 1, count, 0.0, &block, error) != PF_OK ||
      take_single(s, rows, ROLE_DT, 0.0, 0, length, 1.0, &dt, error) != PF_OK) {
    return PF_STOP;
  }
  if (dt == 0.0) {
    return bad_cell(s, rows, (size_t)column_of(s, ROLE_DT), length, error);
  }
  trial = continue_trials(s, trial, (int64_t)block);
  const pf_status status = check_order(s, rows, trial, step, error);
  if (status != PF_OK) {
    return status;
  }
  s->step = step;
  s->values.line[n] = table_line(rows);
  s->values.block[n] = (int64_t)block;
  s->values.trial[n] = (int64_t)trial;
  if (column_of(s, ROLE_TRIAL) < 0) {
    s->values.trial[n] = n > 0 ? recording_next_trial(s->recording, &s->values, n - 1) : 0;
  }
  if (s->values.dt != NULL) {
    s->values.dt[n] = dt;
  }
  return PF_OK;
}

static pf_status take_flags(table_steps *s, const table_rows *rows, pf_error *error)
{
  double plastic = 1.0;
  pf_status status = PF_OK;
  if (s->recording->roles.plastic == ROLE_SAID) {
    status = take_single(s, rows, ROLE_PLASTIC, 0.0, 1, "1 (weights change after this step) or 0",
                         1.0, &plastic, error);
    if (status == PF_OK && plastic > 1.0) {
      status = bad_cell(s, rows, (size_t)column_of(s, ROLE_PLASTIC),
                        "1 (weights change after this step) or 0", error);
    }
  } else if (s->recording->roles.plastic == ROLE_ACCEPTS) {
    plastic = s->values.target[0][s->n] == 1.0 ? 1.0 : 0.0;
  } else if (s->recording->roles.plastic == ROLE_CHOSEN) {
    plastic = isnan(s->values.target[0][s->n]) ? 0.0 : 1.0;
  }
  s->values.flags[s->n] = recording_flags(plastic > 0.0);
  return status;
}

/** An input that is missing is an error, 0, what it was at the step before, or drawn later. */
static pf_status settle_inputs(table_steps *s, const table_rows *rows, double *cue, pf_error *error)
{
  const role_group *inputs = &s->recording->roles.inputs;
  const enum table_missing how = s->columns->missing_inputs;
  for (size_t j = 0; j < inputs->n; j++) {
    if (!isnan(cue[j])) {
      continue;
    }
    if (how == TABLE_MISSING_ZERO) {
      cue[j] = 0.0;
    } else if (how == TABLE_MISSING_HOLD && s->n > 0) {
      cue[j] = cue[(int64_t)j - (int64_t)inputs->n];
    } else if (how == TABLE_MISSING_DRAW) {
      s->n_missing++;
    } else {
      return bad_cell(s, rows, inputs->variables[j],
                      how == TABLE_MISSING_HOLD
                          ? "a number: at the first step of an experiment there is none to hold"
                          : "a number: an input cannot be missing (or missing_inputs = \"zero\", "
                            "\"hold\", \"draw\")",
                      error);
    }
  }
  return PF_OK;
}

static pf_status take_values(table_steps *s, const table_rows *rows, pf_error *error)
{
  const roles *r = &s->recording->roles;
  const recording_steps *v = &s->values;
  const size_t n = (size_t)s->n;
  double *cue = &v->cue[n * r->inputs.n];
  pf_status status = take_group(s, rows, &r->inputs, cue, error);
  if (status == PF_OK) {
    status = settle_inputs(s, rows, cue, error);
  }
  for (size_t k = 0; k < r->channels.n && status == PF_OK; k++) {
    status = take_group(s, rows, &r->channels.items[k], &v->channel[k][n], error);
  }
  for (size_t k = 0; k < r->targets.n && status == PF_OK; k++) {
    const role_group *target = &r->targets.items[k];
    status = take_group(s, rows, target, &v->target[k][n * target->n], error);
  }
  if (status == PF_OK && r->single[ROLE_CHOICE] >= 0 &&
      !recording_takes_choice(s->recording, v->target[0][n])) {
    status =
        bad_cell(s, rows, (size_t)column_of(s, ROLE_CHOICE),
                 r->plastic == ROLE_ACCEPTS
                     ? "1 (accepted), 0 (rejected) or nothing; for a choice between arms give kind "
                       "= \"choice\""
                     : "a choice: a whole number from 0, or nothing",
                 error);
  }
  return status;
}

static int is_same(const double *values, int64_t n, int64_t width)
{
  for (int64_t k = 0; k < width; k++) {
    const double before = values[(n - 1) * width + k], now = values[n * width + k];
    if (before != now && !(isnan(before) && isnan(now))) {
      return 0;
    }
  }
  return 1;
}

/**
 * A row that repeats the one before it within a trial was probably copied twice: where a trial is
 * one row, or ended with the accept before. Bins and frames of arrays may well be alike.
 */
static void count_repeated(table_steps *s)
{
  const roles *r = &s->recording->roles;
  const recording_steps *v = &s->values;
  const int64_t n = s->n;
  const int may_repeat = s->columns->files.format != NULL && r->single[ROLE_CHOICE] < 0;
  if (n == 0 || may_repeat || r->single[ROLE_TRIAL] < 0 || r->single[ROLE_STEP] >= 0 ||
      v->trial[n] != v->trial[n - 1] || (r->plastic == ROLE_ACCEPTS && v->target[0][n] != 1.0) ||
      !is_same(v->cue, n, r->inputs.width)) {
    return;
  }
  for (size_t k = 0; k < r->channels.n; k++) {
    if (!is_same(v->channel[k], n, 1)) {
      return;
    }
  }
  for (size_t k = 0; k < r->targets.n; k++) {
    if (!is_same(v->target[k], n, r->targets.items[k].width)) {
      return;
    }
  }
  s->repeated = s->repeated == 0 ? v->line[n] : s->repeated;
  s->n_repeated++;
}

pf_status table_steps_add(table_steps *steps, const table_rows *rows, pf_error *error)
{
  if (reserve(steps, error) != PF_OK || take_values(steps, rows, error) != PF_OK ||
      take_times(steps, rows, error) != PF_OK || take_flags(steps, rows, error) != PF_OK) {
    return PF_STOP;
  }
  count_repeated(steps);
  steps->n++;
  return PF_OK;
}

/* ---- handing over ---- */

pf_status table_steps_hand_over(table_steps *steps, const char *animal, const char *session,
                                const char *name, const pf_sink *sink, pf_error *error)
{
  const int64_t n = steps->n;
  recording_steps values = steps->values;
  if (steps->columns->files.format != NULL) {
    values.line = NULL; /* rows of arrays are no lines */
  }
  const int64_t n_missing = steps->n_missing;
  steps->n = 0;
  steps->n_missing = 0;
  values.cue_sd = n_missing > 0 ? values.cue_sd : NULL;
  if (n_missing > 0 && missing_inputs_settle(steps->columns, &steps->recording->roles.inputs, name,
                                             n, &values, error) != PF_OK) {
    return PF_STOP;
  }
  return recording_hand_over(steps->recording, &values, 0, n, animal, session, name, sink, error);
}
