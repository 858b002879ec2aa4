#include "core/cli/config_source.h"

#include <plastfit/author/csv.h>
#include <string.h>

/** A text of the config, with quotes and backslashes escaped. */
static void write_text(FILE *out, const char *text)
{
  (void)fputc('"', out);
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') {
      (void)fputc('\\', out);
    }
    (void)fputc(*text, out);
  }
  (void)fputc('"', out);
}

static void write_inputs(FILE *out, const table_look *look, const look_plan *p)
{
  if (p->cue >= 0) {
    (void)fprintf(out, "  one_hot = [");
    write_text(out, look->columns[p->cue].name);
    (void)fprintf(out, "];            # guess: an input for each value of this %s\n", look->word);
    return;
  }
  (void)fprintf(out, "    inputs = [");
  for (size_t k = 0; k < p->n_inputs; k++) {
    (void)fputs(k > 0 ? ", " : "", out);
    write_text(out, look->columns[p->inputs[k]].name);
  }
  (void)fprintf(out, "%s];   # guess: ", p->n_inputs == 0 ? "\"1\"" : "");
  if (p->n_inputs > 0) {
    (void)fprintf(out, "what the input neurons get\n");
  } else {
    (void)fprintf(out, "no %s looks like an input, so one that is always 1\n", look->word);
  }
}

static void write_units(FILE *out, const table_look *look, const look_plan *p)
{
  size_t n = 0;
  if (p->n_options > 0 || p->n_units == 0) {
    return;
  }
  (void)fprintf(out, "    activities = [");
  if (p->activity >= 0) {
    write_text(out, look->columns[p->activity].name);
  }
  for (size_t i = 0; i < look->n; i++) {
    if (p->activity < 0 && look_is_unit(look, i)) {
      (void)fputs(n++ > 0 ? ", " : "", out);
      write_text(out, look->columns[i].name);
    }
  }
  (void)fprintf(out, "];   # guess: recorded activity\n");
}

/** Arrays whose rows and columns are exchanged, of those that are used. */
static void write_transposed(FILE *out, const table_look *look, const look_plan *p)
{
  size_t n = 0;
  for (size_t i = 0; i < look->n; i++) {
    bool is_used = look_is_used(look, i) || (int64_t)i == p->activity;
    for (size_t k = 0; k < p->n_inputs; k++) {
      is_used = is_used || p->inputs[k] == i;
    }
    if (!is_used || look->columns[i].fit != LOOK_TURNED) {
      continue;
    }
    (void)fputs(n++ > 0 ? ", " : "  transposed = [", out);
    write_text(out, look->columns[i].name);
  }
  if (n > 0) {
    (void)fprintf(out, "];   # guess: rows and columns are exchanged in the file\n");
  }
}

/** Words for a reward that was there. */
static bool sounds_good(const char *text)
{
  static const char *const words[] = {"win",  "won",      "reward", "rewarded", "yes",  "correct",
                                      "hit",  "gain",     "paid",   "water",    "food", "success",
                                      "plus", "positive", "sugar",  "good",     "y",    "+"};
  for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
    if (pf_csv_same_word(text, words[k])) {
      return true;
    }
  }
  return false;
}

/** Two texts as 0 and 1. */
static void write_reward_codes(FILE *out, const table_look *look)
{
  const look_column *c = &look->columns[look->role[REWARD]];
  const size_t good = sounds_good(c->values[0]) ? 0 : 1;
  (void)fprintf(out, "{ %s = ", look->word);
  write_text(out, c->name);
  (void)fprintf(out, "; from = [");
  write_text(out, c->values[1 - good]);
  (void)fprintf(out, ", ");
  write_text(out, c->values[good]);
  (void)fprintf(out, "]; to = [0.0, 1.0]; }");
}

static void write_choice_codes(FILE *out, const table_look *look, const look_plan *p)
{
  const look_column *c = &look->columns[look->role[CHOICE]];
  (void)fprintf(out, "{ %s = ", look->word);
  write_text(out, c->name);
  if (p->has_missed_code) {
    (void)fprintf(out, "; missing = [\"-1\"]; }");
    return;
  }
  (void)fprintf(out, "; from = [");
  for (size_t k = 0; k < c->n_values && k < LOOK_MOST_VALUES; k++) {
    (void)fputs(k > 0 ? ", " : "", out);
    write_text(out, c->values[k]);
  }
  (void)fprintf(out, "]; }");
}

/** Codes that the source would not read so by itself. */
static void write_codes(FILE *out, const table_look *look, const look_plan *p)
{
  const look_column *reward = look->role[REWARD] >= 0 ? &look->columns[look->role[REWARD]] : NULL;
  const bool is_text = reward != NULL && !look_is_number(reward) && !look_is_logical(reward);
  const bool has_codes = p->has_missed_code || p->has_odd_codes;
  if (!is_text && !has_codes) {
    return;
  }
  (void)fprintf(out, "  values = ( ");
  if (has_codes) {
    write_choice_codes(out, look, p);
    (void)fputs(is_text ? ",\n             " : "", out);
  }
  if (is_text) {
    write_reward_codes(out, look);
  }
  (void)fprintf(out, " );   # guess: %s\n",
                p->has_missed_code ? "a choice of -1 is a missed trial"
                : has_codes        ? "the first is option 0, the next 1, ..."
                                   : "which is paid: 1");
}

/** Roles that a column of the usual name would take although it cannot, or should not. */
static bool is_to_be_left_out(const table_look *look, int r)
{
  if (r == TRIAL && look->role[TRIAL] >= 0) {
    return look->trials_restart;
  }
  for (size_t i = 0; look->is_arrays && look->role[r] < 0 && i < look->n; i++) {
    if (strcmp(look->columns[i].name, look_role_keys[r]) == 0) {
      return true;
    }
  }
  return false;
}

static void write_roles(FILE *out, const table_look *look)
{
  for (int r = 0; r < N_ROLES; r++) {
    if (is_to_be_left_out(look, r)) {
      (void)fprintf(out, "    %s = \"\";   # guess: %s\n", look_role_keys[r],
                    r == TRIAL && look->trials_restart
                        ? "trials begin anew, and no column of the block says where: rows as they "
                          "stand"
                        : "what has this name is something else");
    } else if (look->role[r] >= 0) {
      (void)fprintf(out, "    %s = ", look_role_keys[r]);
      write_text(out, look->columns[look->role[r]].name);
      (void)fprintf(out, ";   # guess\n");
    } else if (r == ANIMAL && !look->by_animal && !look->is_matrix) {
      (void)fprintf(out,
                    look->n_files > 1
                        ? "    # no %s looks like the animal: each file is one (files = "
                          "\"session\": sessions of one)\n"
                        : "    # no %s looks like the animal: all of it is one; else: animal = "
                          "\"...\";\n",
                    look->word);
    }
  }
}

static void write_names(FILE *out, const table_look *look)
{
  if (!look->headerless) {
    return;
  }
  (void)fprintf(out, "  names = [");
  for (size_t i = 0; i < look->n; i++) {
    (void)fprintf(out, "%s\"c%zu\"", i > 0 ? ", " : "", i + 1);
  }
  (void)fprintf(out, "];   # the file has no header: give the columns names\n");
}

static void write_path(FILE *out, const table_look *look)
{
  if (!look->is_matrix) {
    (void)fprintf(out, "  path = ");
    write_text(out, look->path);
    (void)fprintf(out, ";\n");
    write_names(out, look);
    return;
  }
  (void)fprintf(out, "  # guess: a row is an animal, a column a trial; the choices\n"
                     "  matrices = ( { column = \"choice\"; path = ");
  write_text(out, look->path);
  if (look->rewards[0] != '\0') {
    (void)fprintf(out, "; },\n               { column = \"reward\"; path = ");
    write_text(out, look->rewards);
  }
  (void)fprintf(out, "; } );\n");
}

static void write_kind(FILE *out, const table_look *look, const look_plan *p)
{
  if (p->n_options == 0) {
    (void)fprintf(out, "  kind = \"activity\";   # guess: no %s looks like a choice\n", look->word);
  } else {
    (void)fprintf(out, "  kind = \"%s\";   # guess: %s\n", p->go_no_go ? "go_no_go" : "choice",
                  p->go_no_go ? "no reward at choices of 0; else \"choice\", between arms"
                              : "rewards at all choices; else \"go_no_go\"");
  }
  if (look->steps[0] != '\0') {
    (void)fprintf(out, "  steps = ");
    write_text(out, look->steps);
    (void)fprintf(out, ";   # guess: there are no trials; a bin is \"20 ms\"\n");
  }
  if (look->by_animal) {
    (void)fprintf(out, "  rows = \"animals\";   # guess: a row is an animal, a column a trial\n");
  }
}

/** Inputs with empty cells: what becomes of them is the person's to say. */
static void write_missing_inputs(FILE *out, const table_look *look, const look_plan *p)
{
  int64_t n = 0;
  const char *name = NULL;
  for (size_t k = 0; k < p->n_inputs; k++) {
    const look_column *c = &look->columns[p->inputs[k]];
    name = name == NULL && c->n_missing > 0 ? c->name : name;
    n += c->n_missing;
  }
  if (p->cue >= 0 && look->columns[p->cue].n_missing > 0) {
    n = look->columns[p->cue].n_missing;
    name = look->columns[p->cue].name;
  }
  if (n == 0) {
    return;
  }
  (void)fprintf(out,
                "  missing_inputs = \"draw\";   # guess: %lld %s of the inputs %s empty, the first "
                "in %s; drawn: normal,\n",
                (long long)n, n == 1 ? "cell" : "cells", n == 1 ? "is" : "are", name);
  (void)fprintf(out, "    # with the mean and sd of the input where it was recorded in the "
                     "experiment. \"zero\" where "
                     "empty means nothing,\n    # \"hold\" where it is as before\n");
}

void pf_cli_write_source(FILE *out, const table_look *look, const look_plan *p)
{
  (void)fprintf(out, "source:\n{\n  plugin = \"%s\";\n", look->plugin);
  write_path(out, look);
  write_kind(out, look, p);
  if (look->is_arrays) {
    write_transposed(out, look, p);
  }
  write_codes(out, look, p);
  write_missing_inputs(out, look, p);
  if (p->cue >= 0) {
    write_inputs(out, look, p);
  }
  (void)fprintf(out, "  %s:\n  {\n", look->group);
  write_roles(out, look);
  if (p->cue < 0) {
    write_inputs(out, look, p);
  }
  write_units(out, look, p);
  if (look->is_arrays) {
    (void)fprintf(out, "    channels = [ ];   # others that a rule reads, by their names\n");
  }
  (void)fprintf(out, "  };\n};\n\n");
}
