#define _POSIX_C_SOURCE 200809L

#include "core/cli/new_config.h"

#include "core/base/memory.h"
#include "core/base/nearest_file.h"
#include "core/base/put_in_place.h"
#include "core/cli/config_source.h"
#include "core/cli/look_file.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/data_look/table_look.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST_PATH = 100 };

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
/* ---- the model ---- */

static bool has_reward(const table_look *look)
{
  return look->role[REWARD] >= 0 || look->rewards[0] != '\0';
}

/** Of choices between options. */
static void write_options_model(FILE *out, const table_look *look, const look_plan *p, size_t n_in)
{
  (void)fprintf(
      out,
      "network: { plugin = \"feedforward\"; layers = [%zu, %zu]; output = \"linear\"; "
      "initial_weights: { sd = 0.0; };\n"
      "           projections = ( { layer = 1; rule = \"learn\"; post = \"choice\"; } ); "
      "};   # y is 1 at the option taken\n"
      "%s"
      "losses = ( { plugin = \"categorical\"; categories = %zu; } );\n",
      n_in, p->n_options,
      has_reward(look)
          ? "# Q-learning: the option taken moves towards the reward; add w, and all forget. "
            "Bounds: "
            "what is forgotten is\n# between nothing (0) and all (-1); without them values may "
            "grow, which is another model\n"
            "rules: { learn: { plugin = \"taylor\"; terms = \"x y r + x y w\"; modulator = "
            "\"reward\";\n                  parameters: { X1Y1W0R1: { initial = 0.3; };   # x y "
            "r\n                                X1Y1W1R0: { initial = -0.1; lower = -1.0; upper "
            "= "
            "0.0; }; }; }; };   # x y w\n"
          : "rules: { learn: { plugin = \"taylor\"; terms = \"x y + x y w\"; }; };\n",
      p->n_options);
}

/** Are all units counts: whole numbers that are not negative? */
static bool has_counts(const table_look *look)
{
  size_t n = 0;
  for (size_t i = 0; i < look->n; i++) {
    const look_column *c = &look->columns[i];
    if (look_is_unit(look, i)) {
      if (!c->whole || c->lowest < 0.0 || c->highest < 2.0) {
        return false;
      }
      n++;
    }
  }
  return n > 0;
}

/** Of recorded activity: counts have their own loss. */
static void write_units_model(FILE *out, const table_look *look, const look_plan *p, size_t n_in)
{
  const bool counts = has_counts(look);
  (void)fprintf(
      out,
      "network: { plugin = \"feedforward\"; layers = [%zu, %lld]; output = \"%s\";\n"
      "           initial_weights: { sd = 0.1; learn = \"each\"; };   # activity shows the "
      "weights: each animal's own are fitted\n"
      "           projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
      "rules: { learn: { plugin = \"taylor\"; terms = \"x y + w\"; }; };\n",
      n_in, (long long)p->n_units, counts ? "tanh" : "linear");
  (void)fputs(counts ? "# guess: whole numbers, so counts of spikes\n"
                       "losses = ( { plugin = \"poisson\"; target = \"activity\"; } );\n"
                     : "losses = ( { plugin = \"activity\"; } );\n",
              out);
}

static void write_model(FILE *out, const table_look *look, const look_plan *p)
{
  const size_t n_in = p->cue >= 0       ? look->columns[p->cue].n_values
                      : p->n_inputs > 0 ? (size_t)p->n_input_units
                                        : 1;
  const char *reward = has_reward(look) ? "reward" : "1";
  if (p->n_options > 0 && !has_reward(look)) {
    (void)fprintf(out,
                  "# NO REWARD WAS FOUND. This rule learns from choices alone. If a %s holds the "
                  "reward, name it\n# above (columns: { reward = \"...\"; }), and let "
                  "the rule see it: terms = \"x y r + x y w\"; modulator = \"reward\";\n",
                  look->word);
  }
  if (p->n_options > 0 && p->go_no_go) {
    (void)fprintf(out,
                  "network: { plugin = \"feedforward\"; layers = [%zu, 1]; initial_weights: { sd = "
                  "0.1; };\n           projections = ( { layer = 1; rule = \"learn\"; } ); };\n"
                  "# a reward changes what was offered, and weights decay\n"
                  "rules: { learn: { plugin = \"taylor\"; terms = \"x r + w\"; modulator = \"%s\"; "
                  "}; };\nlosses = ( { plugin = \"choice\"; } );\n",
                  n_in, reward);
  } else if (p->n_options > 0) {
    write_options_model(out, look, p, n_in);
  } else {
    write_units_model(out, look, p, n_in);
  }
  (void)fprintf(out, "\nfit: { per = \"shared\"; optimiser = \"lm\"; };   # one theta for all; "
                     "\"animal\": one each\n");
}

/** Of choices between options with rewards: what is forgotten has its bounds. */
static void write_values(FILE *out)
{
  (void)fputs(
      "    { name = \"Q-learning\"; },\n"
      "    # the value of the option taken moves by alpha, those of the others are forgotten by "
      "phi\n"
      "    { name = \"Q-learning, all forget\"; set: { rules: { learn: { plugin = \"expr\"; dw = "
      "\"a*x*y*r - alpha*y*w - phi*(1 - y)*w\";\n"
      "      parameters: { a: { init = 0.3; }; alpha: { init = 0.1; lower = 0.0; upper = 1.0; }; "
      "phi: { init = 0.1; lower = 0.0; upper = 1.0; }; }; }; }; };\n"
      "      without = [ \"rules.learn.terms\", \"rules.learn.parameters\" ]; },\n"
      "    { name = \"rewards without values\"; set: { rules: { learn: { terms = \"x y r + w\";\n"
      "      parameters: { X0Y0W1R0: { initial = -0.1; lower = -1.0; upper = 0.0; }; }; }; }; };\n"
      "      without = [ \"rules.learn.parameters.X1Y1W1R0\" ]; }\n",
      out);
}

static void write_candidates(FILE *out, const table_look *look, const look_plan *p)
{
  const char *const go[] = {"rewards, forgetting", "x r + w",    "rewards alone", "x r",
                            "rewards and habit",   "x r + w + x"};
  const char *const habit[] = {"habit, forgetting of one",
                               "x y + x y w",
                               "habit, all forget",
                               "x y + w",
                               "habit alone",
                               "x y"};
  const char *const units[] = {"Hebb, decay", "x y + w", "Hebb alone", "x y", "Oja", "x y + y^2 w"};
  const char *const *rules = p->n_options == 0 ? units : p->go_no_go ? go : habit;
  const bool has_values = p->n_options > 0 && !p->go_no_go && has_reward(look);
  (void)fprintf(out, "\n# plastfit compare CONFIG: each candidate is this config with other terms\n"
                     "compare:\n{\n  candidates = (\n");
  if (has_values) {
    write_values(out);
  }
  for (size_t k = 0; k < 3 && !has_values; k++) {
    (void)fprintf(out,
                  "    { name = \"%s\"; set: { rules: { learn: { terms = \"%s\"; }; }; }; }%s\n",
                  rules[2 * k], rules[2 * k + 1], k < 2 ? "," : "");
  }
  (void)fprintf(out, "  );\n};\n");
}

static bool write_text(FILE *out, const table_look *look, const look_plan *p, const char *path)
{
  (void)fprintf(out,
                "# Written by `plastfit new config` from what the data look like: every guess is "
                "marked.\n#\n#     plastfit check %s    # what was understood\n#     plastfit fit "
                "%s\nname = \"%s\";\nseed = 1;\n\n",
                path, path, look->stem);
  pf_cli_write_source(out, look, p);
  write_model(out, look, p);
  write_candidates(out, look, p);
  return fflush(out) == 0 && ferror(out) == 0 && fsync(fileno(out)) == 0;
}

/** Written beside its place, which it takes whole; a file that is there stays. */
static int write_config(const table_look *look, const look_plan *p, const char *path)
{
  char part[LONGEST_PATH + 8];
  (void)snprintf(part, sizeof part, "%s.part", path);
  (void)unlink(part); /* of a process that died */
  FILE *out = fopen(part, "wx");
  if (out == NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "'%s' cannot be written: %s", path, strerror(errno));
  }
  bool written = write_text(out, look, p, path);
  int reason = errno;
  if (fclose(out) != 0 && written) {
    written = false;
    reason = errno;
  }
  if (written && !pf_put_in_free_place(part, path)) {
    written = false;
    reason = errno;
  }
  if (written) {
    return PF_EXIT_DONE;
  }
  (void)unlink(part);
  if (reason == EEXIST) {
    return pf_cli_say(PF_EXIT_MISUSED, "'%s' is there already; move it away", path);
  }
  return pf_cli_say(PF_EXIT_FAILED, "'%s' could not be written: %s", path, strerror(reason));
}

/** What each column or array looks like. */
static void print_look(const table_look *look)
{
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
}

/** --json: the config, and the column of each role that was found. */
static int print_config_json(const table_look *look, const char *path)
{
  json_t *roles = json_object();
  for (int r = 0; r < N_ROLES; r++) {
    if (look->role[r] >= 0) {
      roles =
          pf_json_set(roles, look_role_keys[r], pf_json_text(look->columns[look->role[r]].name));
    }
  }
  json_t *root = pf_json_set(json_object(), "config", pf_json_text(path));
  return pf_cli_print_json(pf_json_set(root, "columns", roles));
}

static int make_config(table_look *look, const pf_cli_arguments *given)
{
  char path[LONGEST_PATH];
  const look_plan p = look_make_plan(look);
  const bool silent = given->json || given->quiet;
  if (!silent) {
    print_look(look);
  }
  if (p.n_options == 0 && p.n_units == 0) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "%s: no column looks like a choice or like recorded activity (y1, y2, ... or "
                      "roi1, ...); name them in a config of your own (doc/your-data.md)",
                      look->path);
  }
  if (!silent && p.n_options > 0 && !look->is_matrix && !has_reward(look)) {
    (void)printf("\nNo %s looks like the reward. The config's rule learns from choices alone; name "
                 "the reward in it (columns.reward), if there is one.\n",
                 look->word);
  }
  (void)snprintf(path, sizeof path, "%s.cfg", look->stem);
  const int code = write_config(look, &p, path);
  if (code == PF_EXIT_DONE && given->json) {
    return print_config_json(look, path);
  }
  if (code == PF_EXIT_DONE && !silent) {
    (void)printf("\nWrote %s: read it, every guess is marked; then\n\n    plastfit check %s\n    "
                 "plastfit fit %s\n    plastfit compare %s     # three rules, one table\n",
                 path, path, path, path);
  }
  return code;
}

int pf_cli_new_config(const char *data, const pf_cli_arguments *given)
{
  pf_error error = pf_error_none();
  table_look look = {.path = data};
  const pf_status status = pf_cli_look_at_path(&look, &error);
  pf_suggest_file(&error);
  const int code =
      status == PF_OK ? make_config(&look, given) : pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  look_free(&look);
  return code;
}
