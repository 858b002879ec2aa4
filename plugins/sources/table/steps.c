#include "steps.h"

/* ---- memory ---- */

pf_status table_steps_make(const pf_host *host, const table_columns *columns, table_steps *out, pf_error *error)
{
  *out = (table_steps){.host = host, .columns = columns};
  out->channel = host->allocate(host, (columns->n_channels + 1) * sizeof *out->channel);
  out->target = host->allocate(host, (columns->n_targets + 1) * sizeof *out->target);
  if (out->channel == NULL || out->target == NULL) {
    table_steps_free(out);
    return pf_fail(error, PF_STOP, "out of memory for a table");
  }
  return PF_OK;
}

void table_steps_free(table_steps *steps)
{
  const pf_host *host = steps->host;
  for (size_t k = 0; steps->channel != NULL && k < steps->columns->n_channels; k++) {
    host->release(host, steps->channel[k]);
  }
  for (size_t k = 0; steps->target != NULL && k < steps->columns->n_targets; k++) {
    host->release(host, steps->target[k]);
  }
  host->release(host, steps->channel);
  host->release(host, steps->target);
  host->release(host, steps->cue);
  host->release(host, steps->dt);
  host->release(host, steps->flags);
  host->release(host, steps->trial);
  host->release(host, steps->block);
  host->release(host, steps->line);
  *steps = (table_steps){.host = host};
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

static pf_status reserve(table_steps *s, pf_error *error)
{
  if (s->n < s->capacity) {
    return PF_OK;
  }
  const table_columns *c = s->columns;
  const int64_t larger = s->capacity == 0 ? 256 : 2 * s->capacity;
  int done = grow(s->host, &s->cue, c->inputs.n * sizeof(double), s->n, larger) &&
             grow(s->host, &s->flags, sizeof *s->flags, s->n, larger) &&
             grow(s->host, &s->trial, sizeof *s->trial, s->n, larger) &&
             grow(s->host, &s->block, sizeof *s->block, s->n, larger) &&
             grow(s->host, &s->line, sizeof *s->line, s->n, larger) &&
             (c->single[TABLE_DT] < 0 || grow(s->host, &s->dt, sizeof *s->dt, s->n, larger));
  for (size_t k = 0; k < c->n_channels && done; k++) {
    done = grow(s->host, &s->channel[k], sizeof(double), s->n, larger);
  }
  for (size_t k = 0; k < c->n_targets && done; k++) {
    done = grow(s->host, &s->target[k], c->targets[k].n * sizeof(double), s->n, larger);
  }
  if (!done) {
    return pf_fail(error, PF_STOP, "out of memory for %lld steps of one experiment", (long long)larger);
  }
  s->capacity = larger;
  return PF_OK;
}

/* ---- cells ---- */

/** "own.csv:12: column 'reward': found 'x', expected WHAT" */
static pf_status bad_cell(const table_steps *s, const pf_csv *csv, size_t column, const char *what, pf_error *error)
{
  const char *text = pf_csv_field(csv, column);
  return pf_fail(error, PF_STOP, "%.300s:%lld: column '%.60s': found %s%.60s%s, expected %s", csv->path,
                 (long long)csv->line, s->columns->header[column], text[0] == '\0' ? "" : "'",
                 text[0] == '\0' ? "nothing" : text, text[0] == '\0' ? "" : "'", what);
}

/** A finite number, or NaN where it is missing. */
static pf_status take_number(const table_steps *s, const pf_csv *csv, size_t column, double *value, pf_error *error)
{
  if (!pf_csv_number(pf_csv_field(csv, column), value)) {
    return bad_cell(s, csv, column, "a number", error);
  }
  return isinf(*value) ? bad_cell(s, csv, column, "a finite number", error) : PF_OK;
}

static pf_status take_group(const table_steps *s, const pf_csv *csv, const table_group *group, double *values,
                            pf_error *error)
{
  pf_status status = PF_OK;
  for (size_t k = 0; k < group->n && status == PF_OK; k++) {
    status = take_number(s, csv, group->columns[k], &values[k], error);
  }
  return status;
}

/** A number that must be there and satisfy a check; `fallback` where the table has no such column. */
static pf_status take_single(const table_steps *s, const pf_csv *csv, int which, double lower, int whole,
                             const char *what, double fallback, double *value, pf_error *error)
{
  const int64_t column = s->columns->single[which];
  *value = fallback;
  if (column < 0) {
    return PF_OK;
  }
  if (!pf_csv_number(pf_csv_field(csv, (size_t)column), value) || !(*value >= lower) || !(fabs(*value) < 9e15) ||
      (whole && floor(*value) != *value)) {
    return bad_cell(s, csv, (size_t)column, what, error);
  }
  return PF_OK;
}

/* ---- order ---- */

/** Trials never go back; within one, or where there is no trial column, steps go up. */
static pf_status check_order(table_steps *s, const pf_csv *csv, double trial, double step, pf_error *error)
{
  const int64_t n = s->n;
  const int has_trial = s->columns->single[TABLE_TRIAL] >= 0;
  if (n == 0) {
    return PF_OK;
  }
  const long long before = (long long)s->line[n - 1];
  if (has_trial && trial < (double)s->trial[n - 1]) {
    return pf_fail(error, PF_STOP,
                   "%.300s:%lld: found trial %.0f behind trial %lld (line %lld), expected the rows of an experiment in "
                   "order of time",
                   csv->path, (long long)csv->line, trial, (long long)s->trial[n - 1], before);
  }
  if (s->columns->single[TABLE_STEP] < 0 || (has_trial && trial > (double)s->trial[n - 1])) {
    return PF_OK;
  }
  if (step == s->step) {
    return pf_fail(error, PF_STOP, "%.300s:%lld: step %.0f stands twice in one %s, on line %lld too", csv->path,
                   (long long)csv->line, step, has_trial ? "trial" : "experiment", before);
  }
  if (step < s->step) {
    return pf_fail(error, PF_STOP,
                   "%.300s:%lld: found step %.0f behind step %.0f (line %lld), expected the rows of an experiment in "
                   "order of time",
                   csv->path, (long long)csv->line, step, s->step, before);
  }
  if (step > s->step + 1.0 && s->skipped == 0) {
    s->skipped = csv->line;
    s->skipped_by = step - s->step - 1.0;
  }
  return PF_OK;
}

/** Without a trial column: a trial ends at an accept where weights change at accepts, else every step is one. */
static int64_t own_trial(const table_steps *s)
{
  const int64_t n = s->n;
  if (n == 0) {
    return 0;
  }
  const int over = s->columns->plastic == TABLE_ACCEPTS ? s->target[0][n - 1] == 1.0 : 1;
  return s->trial[n - 1] + over;
}

/* ---- a row ---- */

static pf_status take_times(table_steps *s, const pf_csv *csv, pf_error *error)
{
  const int64_t n = s->n;
  double trial = 0.0, step = 0.0, block = 0.0, dt = 0.0;
  pf_status status = take_single(s, csv, TABLE_TRIAL, 0.0, 1, "a whole number, 0 or more", 0.0, &trial, error);
  status = status == PF_OK ? take_single(s, csv, TABLE_STEP, -(double)INFINITY, 1, "a whole number", 0.0, &step, error)
                           : status;
  status = status == PF_OK ? take_single(s, csv, TABLE_BLOCK, 0.0, 1, "a whole number, 0 or more", 0.0, &block, error)
                           : status;
  status = status == PF_OK
               ? take_single(s, csv, TABLE_DT, 0.0, 0, "the length of the step in ms, more than 0", 1.0, &dt, error)
               : status;
  if (status == PF_OK && dt == 0.0) {
    status = bad_cell(s, csv, (size_t)s->columns->single[TABLE_DT], "the length of the step in ms, more than 0", error);
  }
  status = status == PF_OK ? check_order(s, csv, trial, step, error) : status;
  if (status != PF_OK) {
    return status;
  }
  s->step = step;
  s->line[n] = csv->line;
  s->block[n] = (int64_t)block;
  s->trial[n] = s->columns->single[TABLE_TRIAL] >= 0 ? (int64_t)trial : own_trial(s);
  if (s->dt != NULL) {
    s->dt[n] = dt;
  }
  return PF_OK;
}

static pf_status take_flags(table_steps *s, const pf_csv *csv, pf_error *error)
{
  double plastic = 1.0;
  pf_status status = PF_OK;
  if (s->columns->plastic == TABLE_COLUMN) {
    status =
        take_single(s, csv, TABLE_PLASTIC, 0.0, 1, "1 (weights change after this step) or 0", 1.0, &plastic, error);
    if (status == PF_OK && plastic > 1.0) {
      status =
          bad_cell(s, csv, (size_t)s->columns->single[TABLE_PLASTIC], "1 (weights change after this step) or 0", error);
    }
  } else if (s->columns->plastic == TABLE_ACCEPTS) {
    plastic = s->target[0][s->n] == 1.0 ? 1.0 : 0.0;
  }
  s->flags[s->n] = (uint32_t)PF_STEP_FIT | (uint32_t)PF_STEP_SCORE | (plastic > 0.0 ? (uint32_t)PF_STEP_PLASTIC : 0U);
  return status;
}

/** Of several choices none is an accept: then something else says when weights change. */
static pf_status check_choice(const table_steps *s, const pf_csv *csv, double choice, pf_error *error)
{
  const size_t column = (size_t)s->columns->single[TABLE_CHOICE];
  if (isnan(choice) || choice == 0.0 || choice == 1.0) {
    return PF_OK;
  }
  if (s->columns->plastic == TABLE_ACCEPTS) {
    return bad_cell(s, csv, column,
                    "1 (accepted), 0 (rejected) or nothing; for more than two choices give plastic = \"always\" or a "
                    "column plastic",
                    error);
  }
  return choice >= 0.0 && floor(choice) == choice
             ? PF_OK
             : bad_cell(s, csv, column, "a choice: a whole number from 0, or nothing", error);
}

static pf_status take_values(table_steps *s, const pf_csv *csv, pf_error *error)
{
  const table_columns *c = s->columns;
  const size_t n = (size_t)s->n;
  double *cue = &s->cue[n * c->inputs.n];
  pf_status status = take_group(s, csv, &c->inputs, cue, error);
  for (size_t j = 0; j < c->inputs.n && status == PF_OK; j++) {
    if (isnan(cue[j])) {
      status = bad_cell(s, csv, c->inputs.columns[j], "a number: an input cannot be missing", error);
    }
  }
  for (size_t k = 0; k < c->n_channels && status == PF_OK; k++) {
    status = take_group(s, csv, &c->channels[k], &s->channel[k][n], error);
  }
  for (size_t k = 0; k < c->n_targets && status == PF_OK; k++) {
    status = take_group(s, csv, &c->targets[k], &s->target[k][n * c->targets[k].n], error);
  }
  if (status == PF_OK && c->single[TABLE_CHOICE] >= 0) {
    status = check_choice(s, csv, s->target[0][n], error);
  }
  return status;
}

pf_status table_steps_add(table_steps *steps, const pf_csv *csv, pf_error *error)
{
  pf_status status = reserve(steps, error);
  status = status == PF_OK ? take_values(steps, csv, error) : status;
  status = status == PF_OK ? take_times(steps, csv, error) : status;
  status = status == PF_OK ? take_flags(steps, csv, error) : status;
  steps->n += status == PF_OK;
  return status;
}

/* ---- handing over ---- */

pf_status table_steps_hand_over(table_steps *steps, const char *animal, const char *session, const char *name,
                                const pf_sink *sink, pf_error *error)
{
  const table_columns *c = steps->columns;
  const pf_host *host = steps->host;
  pf_channel *channels = host->allocate(host, (c->n_channels + 1) * sizeof *channels);
  pf_target *targets = host->allocate(host, (c->n_targets + 1) * sizeof *targets);
  pf_status status = channels == NULL || targets == NULL ? pf_fail(error, PF_STOP, "out of memory for a table") : PF_OK;
  for (size_t k = 0; k < c->n_channels && status == PF_OK; k++) {
    channels[k] = (pf_channel){.name = c->channels[k].name, .values = steps->channel[k]};
  }
  for (size_t k = 0; k < c->n_targets && status == PF_OK; k++) {
    targets[k] = (pf_target){.name = c->targets[k].name, .n = (int64_t)c->targets[k].n, .values = steps->target[k]};
  }
  if (status == PF_OK) {
    const pf_experiment experiment = {.size = sizeof experiment,
                                      .animal = animal,
                                      .session = session,
                                      .name = name,
                                      .n_steps = steps->n,
                                      .n_input = (int64_t)c->inputs.n,
                                      .cue = steps->cue,
                                      .flags = steps->flags,
                                      .dt = steps->dt,
                                      .trial = steps->trial,
                                      .block = steps->block,
                                      .channels = {channels, c->n_channels, sizeof *channels},
                                      .targets = {targets, c->n_targets, sizeof *targets}};
    status = sink->experiment(sink, &experiment, error);
  }
  host->release(host, channels);
  host->release(host, targets);
  steps->n = 0;
  return status;
}
