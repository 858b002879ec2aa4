#define _POSIX_C_SOURCE 200809L /* glob */

#include "core/cli/new_config.h"

#include "core/base/memory.h"
#include "core/cli/command.h"
#include "core/data_look/table_look.h"
#include "core/plugin/registry.h"

#include <glob.h>
#include <plastfit/author/csv.h>
#include <string.h>
#include <sys/stat.h>

/* ---- saying ---- */

static void print_column(FILE *out, const look_column *c)
{
  (void)fprintf(out, "  %-20s ", c->name[0] == '\0' ? "(no name)" : c->name);
  if (c->why[0] != '\0') {
    (void)fprintf(out, "cannot be used: %s", c->why);
    return;
  }
  if (c->n_dims == 2) {
    (void)fprintf(out, "%lld x %lld, ", (long long)c->rows, (long long)c->width);
  } else if (c->n_dims == 1) {
    (void)fprintf(out, "%lld, ", (long long)c->rows);
  }
  if (c->n == 0) {
    (void)fprintf(out, "too large to be looked at");
  } else if (look_is_number(c)) {
    (void)fprintf(out, "%s %g to %g", c->whole ? "whole numbers" : "numbers", c->lowest,
                  c->highest);
  } else if (c->n == c->n_missing) {
    (void)fprintf(out, "nothing");
  } else {
    (void)fprintf(out, "%s", look_is_logical(c) ? "TRUE and FALSE" : "text");
  }
  if (c->n_values <= LOOK_MOST_VALUES && c->n_values > 0) {
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
        (void)fprintf(out, "  -> %s", look_role_keys[r]);
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

static void write_source(FILE *out, const table_look *look, const look_plan *p)
{
  (void)fprintf(out, "source:\n{\n  plugin = \"%s\";\n", look->plugin);
  write_path(out, look);
  write_kind(out, look, p);
  if (look->is_arrays) {
    write_transposed(out, look, p);
  }
  write_codes(out, look, p);
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

/* ---- the model ---- */

static void write_model(FILE *out, const table_look *look, const look_plan *p)
{
  const size_t n_in = p->cue >= 0       ? look->columns[p->cue].n_values
                      : p->n_inputs > 0 ? (size_t)p->n_input_units
                                        : 1;
  const char *reward = look->role[REWARD] >= 0 || look->rewards[0] != '\0' ? "reward" : "1";
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
        "network: { plugin = \"feedforward\"; layers = [%zu, %lld]; output = \"linear\"; };\n"
        "rules: { learn: { plugin = \"taylor\"; terms = \"x y + w\"; }; };\n"
        "losses = ( { plugin = \"activity\"; } );\n",
        n_in, (long long)p->n_units);
  }
  (void)fprintf(out, "\nfit: { per = \"shared\"; optimiser = \"lm\"; };   # one theta for all; "
                     "\"animal\": one each\n");
}

/** Three rules to hold against each other, for `plastfit compare`. */
static void write_candidates(FILE *out, const look_plan *p)
{
  const char *const q[] = {"Q-learning",        "x y r + x y w",          "Q-learning, all forget",
                           "x y r + x y w + w", "rewards without values", "x y r + w"};
  const char *const go[] = {"rewards, forgetting", "x r + w",    "rewards alone", "x r",
                            "rewards and habit",   "x r + w + x"};
  const char *const units[] = {"Hebb, decay", "x y + w", "Hebb alone", "x y", "Oja", "x y + y^2 w"};
  const char *const *rules = p->n_options == 0 ? units : p->go_no_go ? go : q;
  (void)fprintf(out, "\n# plastfit compare CONFIG: each candidate is this config with other terms\n"
                     "compare:\n{\n  candidates = (\n");
  for (size_t k = 0; k < 3; k++) {
    (void)fprintf(out,
                  "    { name = \"%s\"; set: { rules: { learn: { terms = \"%s\"; }; }; }; }%s\n",
                  rules[2 * k], rules[2 * k + 1], k < 2 ? "," : "");
  }
  (void)fprintf(out, "  );\n};\n");
}

static int write_config(const table_look *look, const look_plan *p, const char *path)
{
  FILE *out = fopen(path, "wx");
  if (out == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "'%s' cannot be written; is it there already? Move it away",
                      path);
  }
  (void)fprintf(out,
                "# Written by `plastfit new config` from what the data look like: every guess is "
                "marked.\n#\n#     plastfit check %s    # what was understood\n#     plastfit fit "
                "%s\nname = \"%s\";\nseed = 1;\n\n",
                path, path, look->stem);
  write_source(out, look, p);
  write_model(out, look, p);
  write_candidates(out, p);
  const bool bad = ferror(out) != 0;
  if (fclose(out) != 0 || bad) {
    return pf_cli_say(PF_EXIT_FAILED, "'%s' could not be written", path);
  }
  return PF_EXIT_DONE;
}

static int make_config(table_look *look)
{
  char path[100];
  const look_plan p = look_make_plan(look);
  if (look->is_matrix) {
    (void)printf("%s: a matrix, %lld rows of %zu whole numbers, no header  -> choice (a row an "
                 "animal, a column a trial)\n%s%s%s",
                 look->path, (long long)look->n_rows, look->n, look->rewards,
                 look->rewards[0] != '\0' ? ": of the same size  -> reward\n" : "",
                 look->rewards[0] != '\0' ? "" : "no file beside it looks like the rewards\n");
  } else {
    (void)printf("%s: %zu %ss, %lld rows%s\n", look->first, look->n, look->word,
                 (long long)look->n_rows, look->headerless ? ", no header" : "");
    print_columns(stdout, look);
  }
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
                 "plastfit fit %s\n    plastfit compare %s     # three rules, one table\n",
                 path, path, path, path);
  }
  return code;
}

/* ---- the files ---- */

static void set_stem(table_look *look)
{
  const char *slash = strrchr(look->path, '/');
  const char *base = slash == NULL ? look->path : slash + 1;
  const size_t n = strcspn(base, ".");
  (void)snprintf(look->stem, sizeof look->stem, "%.*s", n > 60 ? 60 : (int)n, base);
  char *to = look->stem;
  for (const char *c = look->stem; *c != '\0'; c++) {
    if (strchr("*?[]", *c) == NULL) {
      *to++ = strchr("\"\\ ", *c) != NULL ? '-' : *c;
    }
  }
  *to = '\0';
  if (look->stem[0] == '\0') {
    (void)snprintf(look->stem, sizeof look->stem, "own");
  }
}

static pf_status find_first(table_look *look, pf_error *error)
{
  glob_t found;
  struct stat about;
  look->n_files = 1;
  (void)snprintf(look->first, sizeof look->first, "%s", look->path);
  if (stat(look->path, &about) == 0 || strpbrk(look->path, "*?[") == NULL) {
    return PF_OK;
  }
  if (glob(look->path, 0, NULL, &found) != 0) {
    return pf_fail(error, PF_STOP, "%s: no file has a name like this", look->path);
  }
  (void)snprintf(look->first, sizeof look->first, "%s", found.gl_pathv[0]);
  look->n_files = found.gl_pathc;
  globfree(&found);
  return PF_OK;
}

/** The source of such files by their suffix; a folder is one of .npy files. */
static pf_status find_source(table_look *look, pf_error *error)
{
  struct stat about;
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL;
  (void)snprintf(look->group, sizeof look->group, "columns");
  (void)snprintf(look->word, sizeof look->word, "column");
  if (stat(look->first, &about) == 0 && S_ISDIR(about.st_mode)) {
    (void)snprintf(look->plugin, sizeof look->plugin, "npy");
    look->is_arrays = true;
    return PF_OK;
  }
  pf_status status = pf_registry_create(NULL, &registry, error);
  if (status != PF_OK) {
    return status;
  }
  status = pf_registry_find_reader(registry, look->first, NULL, &plugin, error);
  if (status == PF_OK) {
    (void)snprintf(look->plugin, sizeof look->plugin, "%s", plugin->name);
    look->is_arrays = PF_HAS(plugin->source, pf_source_ops, list) && plugin->source->list != NULL;
  }
  pf_registry_free(registry);
  return status;
}

static void name_sibling(table_look *look, const char *path)
{
  table_look other = {.path = path};
  pf_error error = pf_error_none();
  (void)snprintf(other.first, sizeof other.first, "%s", path);
  if (look->rewards[0] == '\0' && look_at_text(&other, false, &error) == PF_OK &&
      other.headerless && other.n == look->n && other.n_rows == look->n_rows) {
    (void)snprintf(look->rewards, sizeof look->rewards, "%s", path);
  }
  look_free(&other);
}

/** Beside a matrix of choices: a file of the same size with a reward in its name. */
static void find_rewards(table_look *look)
{
  static const char *const words[] = {"reward", "Reward", "outcome", "Outcome", "feedback"};
  const char *slash = strrchr(look->path, '/');
  const int folder = slash == NULL ? 0 : (int)(slash - look->path) + 1;
  for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
    char pattern[1200];
    glob_t found;
    (void)snprintf(pattern, sizeof pattern, "%.*s*%s*", folder, look->path, words[k]);
    if (glob(pattern, 0, NULL, &found) != 0) {
      continue;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
      if (strcmp(found.gl_pathv[i], look->path) != 0) {
        name_sibling(look, found.gl_pathv[i]);
      }
    }
    globfree(&found);
  }
}

static void look_as_matrix(table_look *look)
{
  look_column *all = &look->columns[0]; /* stands for all of them */
  look->is_matrix = true;
  for (size_t i = 1; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    for (size_t k = 0; k < c->n_values && k < LOOK_MOST_VALUES; k++) {
      look_at_value(all, c->values[k]);
    }
  }
  for (int r = 0; r < N_ROLES; r++) {
    look->role[r] = -1;
  }
  look->role[CHOICE] = 0;
  (void)snprintf(all->name, sizeof all->name, "choice");
  find_rewards(look);
}

static pf_status look_at_file(table_look *look, pf_error *error)
{
  pf_status status =
      look->is_arrays ? look_at_arrays(look, error) : look_at_text(look, false, error);
  if (status != PF_OK) {
    return status;
  }
  if (!look->is_arrays && look_is_matrix(look)) {
    look_as_matrix(look);
    return PF_OK;
  }
  look_guess_roles(look);
  return look->is_arrays ? PF_OK : look_at_text(look, true, error);
}

int pf_cli_new_config(const char *data)
{
  pf_error error = pf_error_none();
  table_look look = {.path = data};
  set_stem(&look);
  pf_status status = find_first(&look, &error);
  if (status == PF_OK) {
    status = find_source(&look, &error);
  }
  if (status == PF_OK) {
    status = look_at_file(&look, &error);
  }
  const int code =
      status == PF_OK ? make_config(&look) : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  look_free(&look);
  return code;
}
