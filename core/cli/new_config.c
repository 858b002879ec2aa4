#include "core/cli/new_config.h"

#include "core/base/memory.h"
#include "core/cli/command.h"

#include <ctype.h>
#include <math.h>
#include <plastfit/author/csv.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_VALUES = 12, LONGEST_VALUE = 40, MOST_INPUTS = 40 };

/** What a column looks like. */
typedef struct column {
  char name[80];
  int64_t n, n_missing, n_numbers;
  double lowest, highest;
  bool whole;        /* numbers are whole */
  int64_t n_logical; /* TRUE and FALSE */
  char values[MOST_VALUES][LONGEST_VALUE];
  size_t n_values; /* MOST_VALUES + 1: more */
} column;

/** What a column is used as. */
enum role { ANIMAL, SESSION, BLOCK, TRIAL, CHOICE, REWARD, N_ROLES };

typedef struct table_look {
  const char *path;
  char stem[80];
  column *columns;
  size_t n;
  int64_t n_rows;
  bool headerless;
  int64_t role[N_ROLES]; /* column, or -1 */
  int64_t n_paid[2],
      n_choice[2];    /* rewards that are there, steps: at the lowest choice, at others */
  bool paid_rejected; /* one that is not 0, at the lowest choice */
} table_look;

static const char *const role_keys[N_ROLES] = {"animal", "session", "block",
                                               "trial",  "choice",  "reward"};
/* Names in small letters without spaces, _ and -, as labs call them. */
static const char *const role_names[N_ROLES][16] = {
    {"animal", "animalid", "subject", "subjectid", "subjid", "subj", "mouse", "mouseid", "rat",
     "fly", "participant", "participantid", "bird", "fish", "monkey", "id"},
    {"session", "sessionid", "date", "day", "sess"},
    {"block", "blockid", "blocknumber"},
    {"trial", "trialnumber", "trialid", "trialindex", "trialno"},
    {"choice", "choices", "decision", "response", "action", "chosen", "keypressed", "licked",
     "lick", "accept", "accepted", "go", "select", "selected", "choose"},
    {"reward", "rewards", "rewarded", "outcome", "feedback", "water", "gain", "paid", "sugar",
     "payoff", "points"}};

/* ---- looking ---- */

static void add_value(column *c, const char *text)
{
  for (size_t k = 0; k < c->n_values && k < MOST_VALUES; k++) {
    if (strncmp(c->values[k], text, LONGEST_VALUE - 1) == 0) {
      return;
    }
  }
  if (c->n_values < MOST_VALUES) {
    (void)snprintf(c->values[c->n_values], LONGEST_VALUE, "%s", text);
  }
  if (c->n_values <= MOST_VALUES) {
    c->n_values++;
  }
}

static void look_at_cell(column *c, const char *text)
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
  look->n = csv->n_fields;
  look->columns = pf_memory_need(look->n, sizeof *look->columns, error);
  if (look->columns == NULL) {
    return PF_STOP;
  }
  look->headerless = is_all_numbers(csv);
  for (size_t i = 0; i < look->n; i++) {
    if (look->headerless) {
      (void)snprintf(look->columns[i].name, sizeof look->columns[i].name, "c%zu", i + 1);
      look_at_cell(&look->columns[i], pf_csv_field(csv, i));
    } else {
      (void)snprintf(look->columns[i].name, sizeof look->columns[i].name, "%s",
                     pf_csv_field(csv, i));
    }
  }
  look->n_rows = look->headerless ? 1 : 0;
  return PF_OK;
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

static void look_at_row(table_look *look, const pf_csv *csv)
{
  look->n_rows++;
  for (size_t i = 0; i < look->n; i++) {
    look_at_cell(&look->columns[i], pf_csv_field(csv, i));
  }
}

static void look_at_outcome(table_look *look, const pf_csv *csv)
{
  double choice = 0.0, reward = 0.0;
  const char *text = pf_csv_field(csv, (size_t)look->role[CHOICE]);
  if (!pf_csv_number(text, &choice)) {
    choice = pf_csv_same_word(text, "true") ? 1.0 : 0.0;
  }
  if (isnan(choice)) {
    return;
  }
  const size_t k = choice > 0.0 ? 1 : 0;
  look->n_choice[k]++;
  if (!pf_csv_number(pf_csv_field(csv, (size_t)look->role[REWARD]), &reward) || !isnan(reward)) {
    look->n_paid[k]++;
    look->paid_rejected = look->paid_rejected || (k == 0 && reward != 0.0);
  }
}

static pf_status read_table(table_look *look, bool again, pf_error *error)
{
  pf_csv csv;
  int got = 0;
  pf_status status = pf_csv_open(&csv, look->path, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_csv_next(&csv, &got, error);
  if (status == PF_OK && !again) {
    status = take_header(look, &csv, error);
  }
  if (status == PF_OK) {
    status = read_rows(look, &csv, again ? look_at_outcome : look_at_row, error);
  }
  pf_csv_close(&csv);
  if (status == PF_OK && look->n_rows == 0) {
    return pf_fail(error, PF_STOP, "%s: has a header and no rows", look->path);
  }
  return status;
}

/* ---- guessing ---- */

/** The name in small letters, without spaces, _, - and dots. */
static void plain_name(const char *name, char *plain, size_t capacity)
{
  size_t n = 0;
  for (; *name != '\0' && n + 1 < capacity; name++) {
    if (strchr(" _-.", *name) == NULL) {
      plain[n++] = (char)tolower((unsigned char)*name);
    }
  }
  plain[n] = '\0';
}

static bool is_used(const table_look *look, size_t index)
{
  for (int r = 0; r < N_ROLES; r++) {
    if (look->role[r] == (int64_t)index) {
      return true;
    }
  }
  return false;
}

static bool is_number(const column *c)
{
  return c->n_numbers == c->n - c->n_missing && c->n_numbers > 0;
}

static bool is_logical(const column *c)
{
  return c->n_logical == c->n - c->n_missing && c->n_logical > 0;
}

/** Few whole numbers, or few texts? */
static bool is_code(const column *c)
{
  return c->n_values >= 2 && c->n_values <= MOST_VALUES && (!is_number(c) || c->whole);
}

static bool may_be(const column *c, enum role role)
{
  if (role == BLOCK || role == TRIAL) {
    return is_number(c) && c->whole && c->lowest >= 0.0 && c->n_missing == 0;
  }
  if (role == CHOICE) {
    return is_code(c);
  }
  return role != REWARD || is_number(c) || is_logical(c);
}

static void guess_by_name(table_look *look, enum role role)
{
  for (size_t k = 0; k < 16 && role_names[role][k] != NULL; k++) {
    for (size_t i = 0; i < look->n; i++) {
      char plain[80];
      plain_name(look->columns[i].name, plain, sizeof plain);
      if (strcmp(plain, role_names[role][k]) == 0 && !is_used(look, i) &&
          may_be(&look->columns[i], role)) {
        look->role[role] = (int64_t)i;
        return;
      }
    }
  }
}

/** Where no name says it: the first column that could be it by its values. */
static void guess_by_values(table_look *look, enum role role)
{
  for (size_t i = 0; i < look->n && look->role[role] < 0; i++) {
    const column *c = &look->columns[i];
    const bool fits = role == ANIMAL   ? !is_number(c) && !is_logical(c) && c->n_missing == 0
                      : role == CHOICE ? is_code(c) && c->n_values <= 8
                                       : is_number(c) || is_logical(c);
    if (fits && !is_used(look, i) && c->n_values > 1) {
      look->role[role] = (int64_t)i;
    }
  }
}

/** x1, x2, ...: is the name `stem` and a number? */
static bool is_numbered(const char *name, const char *stem)
{
  const size_t n = strlen(stem);
  char plain[80];
  plain_name(name, plain, sizeof plain);
  return strncmp(plain, stem, n) == 0 && plain[n] != '\0' &&
         strspn(plain + n, "0123456789") == strlen(plain + n);
}

static bool has_any_stem(const char *name, const char *const *stems)
{
  for (; *stems != NULL; stems++) {
    if (is_numbered(name, *stems)) {
      return true;
    }
  }
  return false;
}

static const char *const input_stems[] = {"x",    "input", "in",       "odour",
                                          "odor", "stim",  "stimulus", NULL};
static const char *const unit_stems[] = {"y",   "roi", "unit",  "neuron", "cell",
                                         "dff", "ch",  "trace", NULL};
static const char *const cue_names[] = {"cue",  "stimulus", "stim",  "odour",
                                        "odor", "tone",     "image", NULL};

static bool has_units(const table_look *look)
{
  for (size_t i = 0; i < look->n; i++) {
    if (has_any_stem(look->columns[i].name, unit_stems)) {
      return true;
    }
  }
  return false;
}

static void guess_roles(table_look *look)
{
  for (int r = 0; r < N_ROLES; r++) {
    look->role[r] = -1;
  }
  for (int r = 0; r < N_ROLES; r++) {
    guess_by_name(look, (enum role)r);
  }
  if (look->role[ANIMAL] < 0) {
    guess_by_values(look, ANIMAL);
  }
  if (look->role[CHOICE] < 0 && !has_units(look)) {
    guess_by_values(look, CHOICE);
  }
  if (look->headerless && look->role[CHOICE] >= 0 && look->role[REWARD] < 0) {
    guess_by_values(look, REWARD);
  }
}

/** What was decided, for the config. */
typedef struct plan {
  size_t inputs[MOST_INPUTS];
  size_t n_inputs, n_units;
  int64_t cue;      /* column that is split, or -1 */
  size_t n_options; /* 0: no choices */
  bool go_no_go;
} plan;

static plan make_plan(const table_look *look)
{
  plan p = {.cue = -1};
  for (size_t i = 0; i < look->n; i++) {
    const column *c = &look->columns[i];
    char plain[80];
    plain_name(c->name, plain, sizeof plain);
    if (is_used(look, i)) {
      continue;
    }
    if (has_any_stem(c->name, input_stems) && is_number(c) && p.n_inputs < MOST_INPUTS) {
      p.inputs[p.n_inputs++] = i;
    } else if (has_any_stem(c->name, unit_stems)) {
      p.n_units++;
    }
    for (size_t k = 0; cue_names[k] != NULL; k++) {
      if (strcmp(plain, cue_names[k]) == 0 && is_code(c) && c->n_missing == 0) {
        p.cue = p.cue < 0 ? (int64_t)i : p.cue;
      }
    }
  }
  if (p.n_inputs > 0) {
    p.cue = -1;
  }
  if (look->role[CHOICE] >= 0) {
    const column *c = &look->columns[look->role[CHOICE]];
    const bool numbers = is_number(c) && c->lowest >= 0.0;
    const double first = c->lowest >= 1.0 ? 1.0 : 0.0;
    p.n_options = numbers ? (size_t)(c->highest - first) + 1 : c->n_values;
    const bool binary = (numbers && c->lowest == 0.0 && c->highest == 1.0) || is_logical(c);
    const bool never_rejected = look->role[REWARD] >= 0 && look->n_choice[0] > 0 &&
                                !look->paid_rejected && look->n_paid[1] > 0;
    p.go_no_go = binary && never_rejected && (p.n_inputs > 0 || p.cue >= 0);
  }
  return p;
}

/* ---- saying ---- */

static void print_column(FILE *out, const column *c)
{
  (void)fprintf(out, "  %-20s ", c->name[0] == '\0' ? "(no name)" : c->name);
  if (is_number(c)) {
    (void)fprintf(out, "%s %g to %g", c->whole ? "whole numbers" : "numbers", c->lowest,
                  c->highest);
  } else if (c->n == c->n_missing) {
    (void)fprintf(out, "nothing");
  } else {
    (void)fprintf(out, "%s", is_logical(c) ? "TRUE and FALSE" : "text");
  }
  if (c->n_values <= MOST_VALUES && c->n_values > 0) {
    (void)fprintf(out, ", %zu %s: ", c->n_values, c->n_values == 1 ? "value" : "values");
    for (size_t k = 0; k < c->n_values && k < 6; k++) {
      (void)fprintf(out, "%s%s", k > 0 ? ", " : "", c->values[k]);
    }
    (void)fputs(c->n_values > 6 ? ", ..." : "", out);
  }
  if (c->n_missing > 0) {
    (void)fprintf(out, ", %lld missing", (long long)c->n_missing);
  }
}

static void print_columns(FILE *out, const table_look *look)
{
  enum { MOST = 60 };
  for (size_t i = 0; i < look->n && i < MOST; i++) {
    print_column(out, &look->columns[i]);
    for (int r = 0; r < N_ROLES; r++) {
      if (look->role[r] == (int64_t)i) {
        (void)fprintf(out, "  -> %s", role_keys[r]);
      }
    }
    (void)fputc('\n', out);
  }
  if (look->n > MOST) {
    (void)fprintf(out, "  and %zu more\n", look->n - MOST);
  }
}

/* ---- the config ---- */

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

static void write_inputs(FILE *out, const table_look *look, const plan *p)
{
  if (p->cue >= 0) {
    (void)fprintf(out, "  one_hot = [");
    write_text(out, look->columns[p->cue].name);
    (void)fprintf(out, "];            # guess: an input for each value of this column\n");
    return;
  }
  (void)fprintf(out, "    inputs = [");
  for (size_t k = 0; k < p->n_inputs; k++) {
    (void)fputs(k > 0 ? ", " : "", out);
    write_text(out, look->columns[p->inputs[k]].name);
  }
  (void)fprintf(out, "%s];   # guess: %s\n", p->n_inputs == 0 ? "\"1\"" : "",
                p->n_inputs == 0 ? "no column looks like an input, so one that is always 1"
                                 : "what the input neurons get");
}

static void write_units(FILE *out, const table_look *look, const plan *p)
{
  size_t n = 0;
  if (p->n_options > 0 || p->n_units == 0) {
    return;
  }
  (void)fprintf(out, "    activities = [");
  for (size_t i = 0; i < look->n; i++) {
    if (!is_used(look, i) && has_any_stem(look->columns[i].name, unit_stems)) {
      (void)fputs(n++ > 0 ? ", " : "", out);
      write_text(out, look->columns[i].name);
    }
  }
  (void)fprintf(out, "];   # guess: recorded activity\n");
}

static void write_source(FILE *out, const table_look *look, const plan *p)
{
  (void)fprintf(out, "source:\n{\n  plugin = \"table\";\n  path = ");
  write_text(out, look->path);
  (void)fprintf(out, ";\n");
  if (look->headerless) {
    (void)fprintf(out, "  names = [");
    for (size_t i = 0; i < look->n; i++) {
      (void)fprintf(out, "%s\"c%zu\"", i > 0 ? ", " : "", i + 1);
    }
    (void)fprintf(out, "];   # the file has no header: give the columns names\n");
  }
  if (p->n_options > 0) {
    (void)fprintf(out, "  kind = \"%s\";   # guess: %s\n", p->go_no_go ? "go_no_go" : "choice",
                  p->go_no_go ? "no reward at choices of 0; else \"choice\", between arms"
                              : "rewards at all choices; else \"go_no_go\"");
  } else {
    (void)fprintf(out, "  kind = \"activity\";   # guess: no column looks like a choice\n");
  }
  if (p->cue >= 0) {
    write_inputs(out, look, p);
  }
  (void)fprintf(out, "  columns:\n  {\n");
  for (int r = 0; r < N_ROLES; r++) {
    if (look->role[r] >= 0) {
      (void)fprintf(out, "    %s = ", role_keys[r]);
      write_text(out, look->columns[look->role[r]].name);
      (void)fprintf(out, ";   # guess\n");
    } else if (r == ANIMAL) {
      (void)fprintf(out, "    # no column looks like the animal: all of it is one; else: animal = "
                         "\"...\";\n");
    }
  }
  if (p->cue < 0) {
    write_inputs(out, look, p);
  }
  write_units(out, look, p);
  (void)fprintf(out, "  };\n};\n\n");
}

static void write_model(FILE *out, const table_look *look, const plan *p)
{
  const size_t n_in = p->cue >= 0       ? look->columns[p->cue].n_values
                      : p->n_inputs > 0 ? p->n_inputs
                                        : 1;
  const char *reward = look->role[REWARD] >= 0 ? "reward" : "1";
  if (p->n_options > 0 && p->go_no_go) {
    (void)fprintf(out,
                  "network: { plugin = \"feedforward\"; layers = [%zu, 1]; initial_weights: { sd = "
                  "0.1; };\n           projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
                  "# a reward changes what was offered, and weights decay\n"
                  "rules: { learn: { plugin = \"taylor\"; terms = \"x r + w\"; modulator = \"%s\"; "
                  "}; };\nlosses = ( { plugin = \"choice\"; } );\n",
                  n_in, reward);
  } else if (p->n_options > 0) {
    (void)fprintf(
        out,
        "network: { plugin = \"feedforward\"; layers = [%zu, %zu]; output = \"linear\"; "
        "initial_weights: { sd = 0.0; };\n"
        "           projections = ( { layer = 1; rule = \"learn\"; post = \"choice\"; } ); "
        "};   # y is 1 at the option taken\n"
        "# Q-learning: the option taken moves towards the reward; add w, and all forget\n"
        "rules: { learn: { plugin = \"taylor\"; terms = \"x y r + x y w\"; modulator = "
        "\"%s\"; }; };\n"
        "losses = ( { plugin = \"categorical\"; categories = %zu; } );\n",
        n_in, p->n_options, reward, p->n_options);
  } else {
    (void)fprintf(
        out,
        "network: { plugin = \"feedforward\"; layers = [%zu, %zu]; output = \"linear\"; };\n"
        "rules: { learn: { plugin = \"taylor\"; terms = \"x y + w\"; }; };\n"
        "losses = ( { plugin = \"activity\"; } );\n",
        n_in, p->n_units);
  }
  (void)fprintf(out, "\nfit: { per = \"shared\"; optimiser = \"lm\"; };   # one theta for all; "
                     "\"animal\": one each\n");
}

static int write_config(const table_look *look, const plan *p, const char *path)
{
  FILE *out = fopen(path, "wx");
  if (out == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "'%s' cannot be written; is it there already? Move it away",
                      path);
  }
  (void)fprintf(out,
                "# Written by `plastfit new config` from what the table looks like: every guess is "
                "marked.\n#\n#     plastfit check %s    # what was understood\n#     plastfit fit "
                "%s\nname = \"%s\";\nseed = 1;\n\n",
                path, path, look->stem);
  write_source(out, look, p);
  write_model(out, look, p);
  const bool bad = ferror(out) != 0;
  if (fclose(out) != 0 || bad) {
    return pf_cli_say(PF_EXIT_FAILED, "'%s' could not be written", path);
  }
  return PF_EXIT_DONE;
}

static void set_stem(table_look *look)
{
  const char *slash = strrchr(look->path, '/');
  const char *base = slash == NULL ? look->path : slash + 1;
  const size_t n = strcspn(base, ".");
  (void)snprintf(look->stem, sizeof look->stem, "%.*s", n > 60 ? 60 : (int)n, base);
  for (char *c = look->stem; *c != '\0'; c++) {
    if (strchr("\"\\* ", *c) != NULL) {
      *c = '-';
    }
  }
}

static int make_config(table_look *look)
{
  char path[100];
  const plan p = make_plan(look);
  (void)printf("%s: %zu columns, %lld rows%s\n", look->path, look->n, (long long)look->n_rows,
               look->headerless ? ", no header" : "");
  print_columns(stdout, look);
  if (p.n_options == 0 && p.n_units == 0) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "%s: no column looks like a choice or like recorded activity (y1, y2, ... or "
                      "roi1, ...); name them in a config of your own (doc/your-data.md)",
                      look->path);
  }
  (void)snprintf(path, sizeof path, "%s.cfg", look->stem);
  const int code = write_config(look, &p, path);
  if (code == PF_EXIT_DONE) {
    (void)printf("\nWrote %s: read it, every guess is marked; then\n\n    plastfit check %s\n    "
                 "plastfit fit %s\n",
                 path, path, path);
  }
  return code;
}

int pf_cli_new_config(const char *data)
{
  pf_error error = pf_error_none();
  table_look look = {.path = data};
  set_stem(&look);
  pf_status status = read_table(&look, false, &error);
  if (status == PF_OK) {
    guess_roles(&look);
    if (look.role[CHOICE] >= 0 && look.role[REWARD] >= 0) {
      status = read_table(&look, true, &error);
    }
  }
  const int code =
      status == PF_OK ? make_config(&look) : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  pf_memory_free(look.columns);
  return code;
}
