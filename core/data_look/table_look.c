#define _POSIX_C_SOURCE 200809L /* glob */

#include "core/data_look/table_look.h"

#include "core/base/memory.h"

#include <glob.h>
#include <math.h>
#include <plastfit/author/csv.h>
#include <string.h>

static void add_value(look_column *c, const char *text)
{
  for (size_t k = 0; k < c->n_values && k < LOOK_MOST_VALUES; k++) {
    if (strncmp(c->values[k], text, LOOK_LONGEST_VALUE - 1) == 0) {
      return;
    }
  }
  if (c->n_values < LOOK_MOST_VALUES) {
    (void)snprintf(c->values[c->n_values], LOOK_LONGEST_VALUE, "%s", text);
  }
  if (c->n_values <= LOOK_MOST_VALUES) {
    c->n_values++;
  }
}

void look_at_value(look_column *c, const char *text)
{
  double value = 0.0;
  const bool is_number = pf_csv_number(text, &value);
  c->n++;
  if (is_number && isnan(value)) {
    c->n_missing++;
    return;
  }
  add_value(c, text);
  if (is_number) {
    c->lowest = c->n_numbers == 0 ? value : fmin(c->lowest, value);
    c->highest = c->n_numbers == 0 ? value : fmax(c->highest, value);
    c->whole = (c->n_numbers == 0 || c->whole) && floor(value) == value;
    c->n_numbers++;
    return;
  }
  c->n_logical += pf_csv_same_word(text, "true") || pf_csv_same_word(text, "false") ? 1 : 0;
}

void look_at_pair(table_look *look, double choice, bool is_paid, double reward)
{
  if (isnan(choice)) {
    return;
  }
  const size_t k = choice > 0.0 ? 1 : 0;
  look->n_choice[k]++;
  if (is_paid) {
    look->n_paid[k]++;
    look->paid_rejected = look->paid_rejected || (k == 0 && reward != 0.0);
  }
}

void look_free(table_look *look)
{
  for (size_t i = 0; look->columns != NULL && i < look->n; i++) {
    pf_memory_free(look->columns[i].numbers);
  }
  pf_memory_free(look->columns);
  look->columns = NULL;
  look->n = 0;
}

/* ---- tables ---- */

static bool is_blank(const pf_csv *csv)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    if (pf_csv_field(csv, i)[0] != '\0') {
      return false;
    }
  }
  return true;
}

static bool is_all_numbers(const pf_csv *csv)
{
  for (size_t i = 0; i < csv->n_fields; i++) {
    double value = 0.0;
    if (pf_csv_field(csv, i)[0] == '\0' || !pf_csv_number(pf_csv_field(csv, i), &value)) {
      return false;
    }
  }
  return true;
}

static pf_status take_header(table_look *look, const pf_csv *csv, pf_error *error)
{
  look->columns = pf_memory_need(csv->n_fields, sizeof *look->columns, error);
  if (look->columns == NULL) {
    return PF_STOP;
  }
  look->n = csv->n_fields;
  look->headerless = is_all_numbers(csv);
  for (size_t i = 0; i < look->n; i++) {
    look_column *c = &look->columns[i];
    c->width = 1;
    c->fit = LOOK_FITS;
    if (look->headerless) {
      (void)snprintf(c->name, sizeof c->name, "c%zu", i + 1);
      look_at_value(c, pf_csv_field(csv, i));
    } else {
      (void)snprintf(c->name, sizeof c->name, "%s", pf_csv_field(csv, i));
    }
  }
  look->n_rows = look->headerless ? 1 : 0;
  return PF_OK;
}

static void look_at_row(table_look *look, const pf_csv *csv)
{
  look->n_rows++;
  for (size_t i = 0; i < look->n; i++) {
    look_at_value(&look->columns[i], pf_csv_field(csv, i));
  }
}

/** The cell that has a role, or "". */
static const char *cell_of(const table_look *look, const pf_csv *csv, enum look_role role)
{
  return look->role[role] < 0 ? "" : pf_csv_field(csv, (size_t)look->role[role]);
}

/** Do trials begin anew where nothing says so? */
static void look_at_trial(table_look *look, const pf_csv *csv)
{
  char key[300];
  double trial = 0.0;
  (void)snprintf(key, sizeof key, "%.90s/%.90s/%.90s", cell_of(look, csv, ANIMAL),
                 cell_of(look, csv, SESSION), cell_of(look, csv, BLOCK));
  if (look->role[TRIAL] < 0 || !pf_csv_number(cell_of(look, csv, TRIAL), &trial)) {
    return;
  }
  look->trials_restart =
      look->trials_restart || (strcmp(key, look->last_key) == 0 && trial < look->last_trial);
  (void)snprintf(look->last_key, sizeof look->last_key, "%s", key);
  look->last_trial = trial;
}

static void look_at_outcome(table_look *look, const pf_csv *csv)
{
  look_at_trial(look, csv);
  if (look->role[CHOICE] < 0 || look->role[REWARD] < 0) {
    return;
  }
  double choice = 0.0, reward = 0.0;
  const char *text = pf_csv_field(csv, (size_t)look->role[CHOICE]);
  if (!pf_csv_number(text, &choice)) {
    choice = pf_csv_same_word(text, "true") ? 1.0 : 0.0;
  }
  const char *paid = pf_csv_field(csv, (size_t)look->role[REWARD]);
  const bool is_paid = !pf_csv_number(paid, &reward) || !isnan(reward);
  look_at_pair(look, choice, is_paid, reward);
}

/** Run `take` on every row but those that are empty. */
static pf_status read_rows(table_look *look, pf_csv *csv,
                           void (*take)(table_look *look, const pf_csv *csv), pf_error *error)
{
  int got = 1;
  for (;;) {
    const pf_status status = pf_csv_next(csv, &got, error);
    if (status != PF_OK || !got) {
      return status;
    }
    if (is_blank(csv)) {
      continue;
    }
    if (pf_csv_check_width(csv, look->n, error) != PF_OK) {
      return PF_STOP;
    }
    take(look, csv);
  }
}

/** The first row of a file: the header, of the first file; a row, where there is none. */
static pf_status take_first_row(table_look *look, const pf_csv *csv, bool again, pf_error *error)
{
  if (look->columns == NULL) {
    return take_header(look, csv, error);
  }
  if (pf_csv_check_width(csv, look->n, error) != PF_OK) {
    return PF_STOP;
  }
  if (look->headerless) {
    (again ? look_at_outcome : look_at_row)(look, csv);
  }
  return PF_OK;
}

static pf_status read_file(table_look *look, const char *path, bool again, pf_error *error)
{
  pf_csv csv;
  int got = 0;
  pf_status status = pf_csv_open(&csv, path, error);
  if (status != PF_OK) {
    return status;
  }
  look->last_key[0] = '\0';
  status = pf_csv_next(&csv, &got, error);
  if (status == PF_OK) {
    status = take_first_row(look, &csv, again, error);
  }
  if (status == PF_OK) {
    status = read_rows(look, &csv, again ? look_at_outcome : look_at_row, error);
  }
  pf_csv_close(&csv);
  return status;
}

/** All files of a pattern. */
static pf_status read_files(table_look *look, bool again, pf_error *error)
{
  glob_t found;
  if (glob(look->path, 0, NULL, &found) != 0) {
    return pf_fail(error, PF_STOP, "%s: no file has a name like this", look->path);
  }
  pf_status status = PF_OK;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    status = read_file(look, found.gl_pathv[i], again, error);
    if (status != PF_OK) {
      break;
    }
  }
  globfree(&found);
  return status;
}

pf_status look_at_text(table_look *look, bool again, pf_error *error)
{
  const pf_status status = look->n_files > 1 ? read_files(look, again, error)
                                             : read_file(look, look->first, again, error);
  if (status != PF_OK) {
    return status;
  }
  return look->n_rows > 0 ? PF_OK
                          : pf_fail(error, PF_STOP, "%s: has a header and no rows", look->first);
}
