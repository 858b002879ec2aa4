#include "core/data_look/table_look.h"

#include <ctype.h>
#include <math.h>
#include <plastfit/author/csv.h>
#include <stdio.h>
#include <string.h>

const char *const look_role_keys[N_ROLES] = {"animal", "session", "block",
                                             "trial",  "choice",  "reward"};
/* Names in small letters without spaces, _ and -, as labs call them. */
enum { MOST_NAMES = 40 };
static const char *const role_names[N_ROLES][MOST_NAMES] = {
    {"animal", "animalid", "animalname",  "subject",       "subjectid", "subjid",
     "subj",   "mouse",    "mouseid",     "mousename",     "rat",       "ratid",
     "fly",    "flyid",    "participant", "participantid", "bird",      "fish",
     "monkey", "tier",     "id",          "name"},
    {"session", "sessionid", "sessionnumber", "date", "day", "sess"},
    {"block", "blockid", "blocknumber"},
    {"trial", "trialnumber", "trialid", "trialindex", "trialno", "trialnum"},
    {"choice",     "choices", "decision", "response", "animalresponse", "action", "chosen",
     "keypressed", "licked",  "lick",     "accept",   "accepted",       "go",     "select",
     "selected",   "choose",  "arm",      "side",     "object",         "a"},
    {"reward",      "rewards",         "rewarded",    "rew",        "outcome",    "feedback",
     "water",       "waterml",         "juice",       "gain",       "paid",       "sugar",
     "food",        "pellet",          "drop",        "drops",      "payoff",     "payout",
     "points",      "money",           "earned",      "score",      "r",          "win",
     "won",         "result",          "success",     "reinforced", "reinforcer", "isreward",
     "wasrewarded", "rewarddelivered", "trialreward", "correct",    "iscorrect",  "hit"}};

static const char *const input_stems[] = {"x",    "input", "in",       "odour",
                                          "odor", "stim",  "stimulus", NULL};
static const char *const unit_stems[] = {"y",   "roi", "unit",  "neuron", "cell",
                                         "dff", "ch",  "trace", NULL};
/* Columns of tables, one of which is one unit. */
static const char *const unit_names[] = {
    "spikes",       "spikecount", "spikecounts", "counts", "count",       "rate", "firingrate",
    "fluorescence", "dff",        "calcium",     "f",      "deconvolved", NULL};
static const char *const cue_names[] = {"cue",  "stimulus", "stim",  "odour", "odor",
                                        "tone", "image",    "state", NULL};
static const char *const input_arrays[] = {"x",       "input",    "inputs", "stim",   "stimulus",
                                           "running", "speed",    "odour",  "odours", "odor",
                                           "odors",   "contrast", NULL};
static const char *const unit_arrays[] = {
    "y",     "activity", "activities",   "dff",    "f",   "fcell",       "units", "spks",
    "rates", "psth",     "fluorescence", "spikes", "roi", "deconvolved", NULL};

/* ---- names ---- */

/** Letters and digits of the name, in small letters, without a unit in brackets; of arrays behind
 * the last / or dot: "Reward (ml)" is reward, "trial#" is trial. */
static void plain_name(const table_look *look, const char *name, char *plain, size_t capacity)
{
  size_t n = 0;
  const char *last = name;
  for (const char *c = name; look->is_arrays && *c != '\0'; c++) {
    last = *c == '/' || *c == '.' ? c + 1 : last;
  }
  const size_t length = strcspn(last, "([");
  for (size_t k = 0; k < length && n + 1 < capacity; k++) {
    if (isalnum((unsigned char)last[k])) {
      plain[n++] = (char)tolower((unsigned char)last[k]);
    }
  }
  plain[n] = '\0';
}

static bool is_one_of(const table_look *look, size_t index, const char *const *names)
{
  char plain[80];
  plain_name(look, look->columns[index].name, plain, sizeof plain);
  for (; *names != NULL; names++) {
    if (strcmp(plain, *names) == 0) {
      return true;
    }
  }
  return false;
}

/** x1, x2, ...: is the name one of the stems and a number? */
static bool is_numbered(const table_look *look, size_t index, const char *const *stems)
{
  char plain[80];
  plain_name(look, look->columns[index].name, plain, sizeof plain);
  for (; *stems != NULL; stems++) {
    const size_t n = strlen(*stems);
    if (strncmp(plain, *stems, n) == 0 && plain[n] != '\0' &&
        strspn(plain + n, "0123456789") == strlen(plain + n)) {
      return true;
    }
  }
  return false;
}

/* ---- values ---- */

bool look_is_used(const table_look *look, size_t index)
{
  for (int r = 0; r < N_ROLES; r++) {
    if (look->role[r] == (int64_t)index) {
      return true;
    }
  }
  return false;
}

bool look_is_number(const look_column *c)
{
  return c->n_numbers == c->n - c->n_missing && c->n_numbers > 0;
}

bool look_is_logical(const look_column *c)
{
  return c->n_logical == c->n - c->n_missing && c->n_logical > 0;
}

/** Few whole numbers, or few texts? */
static bool is_code(const look_column *c)
{
  return c->n_values >= 2 && c->n_values <= LOOK_MOST_VALUES && (!look_is_number(c) || c->whole);
}

bool look_is_matrix(const table_look *look)
{
  if (!look->headerless || look->n <= LOOK_MOST_VALUES) {
    return false;
  }
  double lowest = look->columns[0].lowest, highest = look->columns[0].highest;
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (!look_is_number(c) || !c->whole || c->n_values > LOOK_MOST_VALUES) {
      return false;
    }
    lowest = fmin(lowest, c->lowest);
    highest = fmax(highest, c->highest);
  }
  return highest - lowest >= 1.0 && highest - lowest < LOOK_MOST_VALUES;
}

static bool is_named_as_unit(const table_look *look, size_t index)
{
  return is_numbered(look, index, unit_stems) ||
         (!look->is_arrays && is_one_of(look, index, unit_names));
}

bool look_is_unit(const table_look *look, size_t index)
{
  return !look_is_used(look, index) && is_named_as_unit(look, index);
}

static bool may_be(const table_look *look, size_t index, enum look_role role)
{
  const look_column *c = &look->columns[index];
  if (look->is_arrays &&
      (c->why[0] != '\0' || c->n == 0 || (c->n_dims == 0 && role != ANIMAL && role != SESSION))) {
    return false;
  }
  if (look->is_arrays && c->width > 1 && role != CHOICE && role != REWARD) {
    return false;
  }
  if (role == BLOCK || role == TRIAL) {
    return look_is_number(c) && c->whole && c->lowest >= 0.0 && c->n_missing == 0;
  }
  if (role == ANIMAL || role == SESSION) {
    return c->n_missing == 0;
  }
  if (role == CHOICE) { /* of one value: an animal may have chosen the same all the time */
    return is_code(c) || (c->n_values == 1 && c->whole);
  }
  return look_is_number(c) || look_is_logical(c) || (is_code(c) && c->n_values == 2);
}

/* ---- guessing ---- */

static void guess_by_name(table_look *look, enum look_role role)
{
  for (size_t k = 0; k < MOST_NAMES && role_names[role][k] != NULL; k++) {
    const char *const name[] = {role_names[role][k], NULL};
    for (size_t i = 0; i < look->n; i++) {
      if (is_one_of(look, i, name) && !look_is_used(look, i) && may_be(look, i, role)) {
        look->role[role] = (int64_t)i;
        return;
      }
    }
  }
}

/** Where no name says it: the first column that could be it by its values. */
static void guess_by_values(table_look *look, enum look_role role)
{
  for (size_t i = 0; i < look->n && look->role[role] < 0; i++) {
    const look_column *c = &look->columns[i];
    const bool fits = role == ANIMAL
                          ? !look_is_number(c) && !look_is_logical(c) && c->n_missing == 0
                      : role == CHOICE ? is_code(c) && c->n_values <= 8
                                       : look_is_number(c) || look_is_logical(c);
    if (fits && !look_is_used(look, i) && c->n_values > 1) {
      look->role[role] = (int64_t)i;
    }
  }
}

static bool has_units(const table_look *look)
{
  for (size_t i = 0; i < look->n; i++) {
    if (is_named_as_unit(look, i)) {
      return true;
    }
  }
  return false;
}

/* ---- sizes of arrays ---- */

/** Is it the number of elements of an array of structs or cells? */
static bool is_element_number(const look_column *c)
{
  const size_t n = strlen(c->name);
  return n > 0 && c->name[n - 1] == '#';
}

/** Steps: rows of the choice; else the rows that most arrays have; else the longer side of one. */
static int64_t guess_steps(const table_look *look)
{
  int64_t best = 0, longest = 0;
  size_t most = 0;
  if (look->role[CHOICE] >= 0) {
    return look->columns[look->role[CHOICE]].rows;
  }
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (c->n_dims == 0 || c->why[0] != '\0') {
      continue;
    }
    longest = c->rows > longest ? c->rows : longest;
    longest = c->width > longest ? c->width : longest;
    size_t n = 0;
    for (size_t k = 0; k < look->n && c->width == 1; k++) {
      n += look->columns[k].n_dims > 0 && look->columns[k].rows == c->rows ? 1U : 0U;
    }
    if (n > most) {
      most = n;
      best = c->rows;
    }
  }
  return best > 0 ? best : longest;
}

static void fit_arrays(table_look *look)
{
  const look_column *choice = look->role[CHOICE] >= 0 ? &look->columns[look->role[CHOICE]] : NULL;
  look->by_animal = choice != NULL && choice->width > 1;
  const bool is_turned =
      look->by_animal && choice->rows > choice->width; /* more trials than animals */
  const int64_t rows = is_turned         ? choice->width
                       : look->by_animal ? choice->rows
                                         : guess_steps(look);
  const int64_t columns = !look->by_animal ? 0 : is_turned ? choice->rows : choice->width;
  look->n_rows = rows;
  for (size_t i = 0; i < look->n; i++) {
    look_column *c = &look->columns[i];
    const bool fits =
        c->n_dims == 0 ||
        (c->rows == rows && (!look->by_animal || c->width == 1 || c->width == columns));
    const bool turned = c->width == rows && (!look->by_animal || c->rows == columns);
    c->fit = c->why[0] != '\0' ? LOOK_UNFIT : fits ? LOOK_FITS : turned ? LOOK_TURNED : LOOK_UNFIT;
  }
  for (int r = 0; r < N_ROLES; r++) {
    if (look->role[r] >= 0 && look->columns[look->role[r]].fit == LOOK_UNFIT) {
      look->role[r] = -1;
    }
  }
}

static void pair_arrays(table_look *look)
{
  if (look->role[CHOICE] < 0 || look->role[REWARD] < 0) {
    return;
  }
  const look_column *choice = &look->columns[look->role[CHOICE]];
  const look_column *reward = &look->columns[look->role[REWARD]];
  if (choice->numbers == NULL || reward->numbers == NULL || choice->n != reward->n) {
    return;
  }
  for (int64_t k = 0; k < choice->n; k++) {
    look_at_pair(look, choice->numbers[k], !isnan(reward->numbers[k]), reward->numbers[k]);
  }
}

void look_guess_roles(table_look *look)
{
  for (int r = 0; r < N_ROLES; r++) {
    look->role[r] = -1;
  }
  for (int r = 0; r < N_ROLES; r++) {
    guess_by_name(look, (enum look_role)r);
  }
  if (look->is_arrays) {
    for (size_t i = 0; i < look->n && look->role[ANIMAL] < 0; i++) {
      look->role[ANIMAL] = is_element_number(&look->columns[i]) ? (int64_t)i : -1;
    }
    fit_arrays(look);
    pair_arrays(look);
    return;
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

/* ---- the plan ---- */

/** "stim_left", "contrastRight": numbers of a stimulus, more than a code has, or 0 and 1 of one
 * that is there or not. */
static bool is_stimulus(const table_look *look, size_t index)
{
  static const char *const starts[] = {"stim", "odour", "odor", "contrast"};
  char plain[80];
  plain_name(look, look->columns[index].name, plain, sizeof plain);
  for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
    if (strncmp(plain, starts[k], strlen(starts[k])) == 0) {
      const look_column *c = &look->columns[index];
      const bool is_there = look_is_number(c) && c->lowest == 0.0 && c->highest == 1.0 &&
                            !is_one_of(look, index, cue_names);
      return !is_code(c) || is_there;
    }
  }
  return false;
}

enum { FEW_MISSING = 5 }; /* one in so many */

static void plan_inputs(const table_look *look, look_plan *p)
{
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (look_is_used(look, i) || c->fit == LOOK_UNFIT || (look->is_arrays && c->n_dims == 0)) {
      continue;
    }
    const bool is_input = is_numbered(look, i, input_stems) || is_stimulus(look, i) ||
                          (look->is_arrays && !look->by_animal && is_one_of(look, i, input_arrays));
    /* a few that are missing can be drawn; many say that it is something else */
    const bool is_there = FEW_MISSING * c->n_missing <= c->n;
    if (is_input && look_is_number(c) && is_there && p->n_inputs < LOOK_MOST_INPUTS) {
      p->inputs[p->n_inputs++] = i;
      p->n_input_units += c->fit == LOOK_TURNED ? c->rows : c->width;
    }
    if (is_one_of(look, i, cue_names) && is_code(c) && c->n_missing == 0 && c->width == 1) {
      p->cue = p->cue < 0 ? (int64_t)i : p->cue;
    }
  }
  if (p->n_inputs > 0) {
    p->cue = -1;
  }
}

static int64_t units_of(const look_column *c)
{
  return c->fit == LOOK_TURNED ? c->rows : c->width;
}

/** Recorded units: columns by their names; of arrays the one that is called so, else the widest. */
static void plan_units(const table_look *look, look_plan *p)
{
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (!look->is_arrays) {
      p->n_units += look_is_unit(look, i) ? 1 : 0;
      continue;
    }
    bool is_input = false;
    for (size_t k = 0; k < p->n_inputs; k++) {
      is_input = is_input || p->inputs[k] == i;
    }
    if (c->fit == LOOK_UNFIT || c->n_dims == 0 || is_input || look_is_used(look, i) ||
        !look_is_number(c)) {
      continue;
    }
    const bool is_named = is_one_of(look, i, unit_arrays);
    const bool was_named = p->activity >= 0 && is_one_of(look, (size_t)p->activity, unit_arrays);
    if ((is_named || c->width > 1) && (p->activity < 0 || (is_named && !was_named) ||
                                       (is_named == was_named && units_of(c) > p->n_units))) {
      p->activity = (int64_t)i;
      p->n_units = units_of(c);
    }
  }
}

look_plan look_make_plan(const table_look *look)
{
  look_plan p = {.cue = -1, .activity = -1};
  plan_inputs(look, &p);
  if (look->role[CHOICE] < 0) {
    plan_units(look, &p);
    return p;
  }
  const look_column *c = &look->columns[look->role[CHOICE]];
  const bool numbers = look_is_number(c) && c->lowest >= 0.0;
  const double first = c->lowest >= 1.0 ? 1.0 : 0.0;
  p.has_missed_code =
      look_is_number(c) && c->lowest == -1.0 && c->highest == 1.0 && c->n_values == 3;
  p.has_odd_codes = look_is_number(c) && !p.has_missed_code &&
                    !(c->lowest == -1.0 && c->n_values == 2 && c->highest == 1.0) &&
                    (c->lowest < 0.0 || c->highest - first + 1.0 != (double)c->n_values);
  p.n_options = p.has_missed_code             ? 2
                : numbers && !p.has_odd_codes ? (size_t)(c->highest - first) + 1
                                              : c->n_values;
  const bool binary = (numbers && c->lowest == 0.0 && c->highest == 1.0) || look_is_logical(c);
  const bool never_rejected = look->role[REWARD] >= 0 && look->n_choice[0] > 0 &&
                              !look->paid_rejected && look->n_paid[1] > 0;
  p.n_options = p.n_options < 2 ? 2 : p.n_options;
  p.has_odd_codes = p.has_odd_codes && c->n_values > 1;
  p.go_no_go = binary && never_rejected && (p.n_inputs > 0 || p.cue >= 0);
  return p;
}
