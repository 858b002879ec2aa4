#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/cli/cli.h"
#include "core/problem/build.h"
#include "core/report/report.h"
#include "core/report/simulated.h"

#include <string.h>

typedef struct arguments {
  const char *config;
  const char **overrides; /**< [n_overrides], into argv */
  size_t n_overrides;
  bool force, quiet, help;
} arguments;

static const char *const usage =
    "Usage: plastfit simulate CONFIG [key=value ...] [--force] [--quiet]\n\n"
    "Lets the animals of CONFIG's task (a source such as teacher) live by the rule it names, and writes them to a\n"
    "folder, `out` of the config, by default runs/NAME-data:\n\n"
    "  table.csv            what they did, one row a step, as the source `table` reads it\n"
    "  initial_weights.csv  the weights they started from (with source.give.initial_weights = true)\n"
    "  fit.cfg              a config that fits them: `plastfit fit FOLDER/fit.cfg` gives the theta that\n"
    "                       `plastfit fit CONFIG` gives\n\n"
    "Inputs x are the animals' own with source.give.inputs = true, else the cues, to which a fit adds its own "
    "noise.\n\n"
    "  key=value   replaces a key of the config\n"
    "  --force     replace what an earlier simulate left in the same folder\n"
    "  --quiet     say nothing\n";

static int parse(int argc, char **argv, arguments *out)
{
  static const char *const known[] = {"--force", "--quiet", "--help"};
  bool options = true;
  for (int i = 1; i < argc; i++) {
    const char *argument = argv[i];
    if (options && strcmp(argument, "--") == 0) {
      options = false;
    } else if (options && pf_cli_is_help(argument)) {
      out->help = true;
    } else if (options && strcmp(argument, "--force") == 0) {
      out->force = true;
    } else if (options && strcmp(argument, "--quiet") == 0) {
      out->quiet = true;
    } else if (options && argument[0] == '-' && argument[1] != '\0') {
      return pf_cli_unknown("simulate", argument, (pf_names){known, sizeof known / sizeof known[0]});
    } else if (strchr(argument, '=') != NULL) {
      out->overrides[out->n_overrides++] = argument;
    } else if (out->config == NULL) {
      out->config = argument;
    } else {
      return pf_cli_say(PF_EXIT_MISUSED, "simulate takes one config, found '%s' and '%s' (a key is set with key=value)",
                        out->config, argument);
    }
  }
  if (out->config == NULL && !out->help) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "simulate wants a CONFIG, such as configs/quickstart.cfg (plastfit simulate --help)");
  }
  return PF_EXIT_DONE;
}

static pf_status refuse_data(const pf_problem *problem, const pf_config *config, pf_error *error)
{
  if (pf_source_is_task(&problem->source)) {
    return PF_OK;
  }
  const pf_status status =
      pf_fail(error, PF_STOP, "%s reads data; to simulate, a task is needed, such as source.plugin = \"teacher\"",
              problem->source.label);
  pf_error_locate(error, config, problem->source.node);
  return status;
}

/** `out` of the config; a fit's default folder is not ours. */
static pf_status choose_out(const pf_problem *problem, const pf_config *config, pf_text *out, pf_error *error)
{
  const bool given = pf_node_get(pf_config_root(config), "out") != NULL;
  pf_text_add(out, "%s%s", problem->out, given ? "" : "-data");
  return out->failed ? pf_fail(error, PF_STOP, "out of memory") : PF_OK;
}

static int simulate(const arguments *how)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  pf_text out = {0};
  int code = PF_EXIT_MISUSED;
  pf_status status = pf_config_read(how->config, how->overrides, how->n_overrides, &config, &error);
  if (status == PF_OK) { /* fresh animals are an evaluation's */
    status = pf_config_override(config, "evaluate.animals=0", &error);
  }
  status = status == PF_OK ? pf_problem_create(config, &problem, &error) : status;
  status = status == PF_OK ? refuse_data(problem, config, &error) : status;
  status = status == PF_OK ? choose_out(problem, config, &out, &error) : status;
  status = status == PF_OK ? pf_report_check_out(out.text, how->force, &error) : status;
  if (status == PF_OK) {
    const size_t n = problem->data.n_animals;
    code = PF_EXIT_FAILED;
    status = pf_simulated_write(problem, config, out.text, how->force, &error);
    if (status == PF_OK && !how->quiet) {
      (void)printf("%zu %s simulated, in %s/table.csv. Next: plastfit fit %s/fit.cfg\n", n,
                   n == 1 ? "animal" : "animals", out.text, out.text);
    }
  }
  code = status == PF_OK ? PF_EXIT_DONE : pf_cli_say(code, "%s", error.text);
  pf_text_free(&out);
  pf_problem_free(problem);
  pf_config_free(config);
  return code;
}

int pf_command_simulate(int argc, char **argv)
{
  arguments how = {0};
  pf_error error = pf_error_none();
  how.overrides = pf_memory_need((size_t)argc, sizeof *how.overrides, &error);
  if (how.overrides == NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  int code = parse(argc, argv, &how);
  if (code == PF_EXIT_DONE && how.help) {
    (void)fputs(usage, stdout);
  } else if (code == PF_EXIT_DONE) {
    code = simulate(&how);
  }
  pf_memory_free((void *)how.overrides);
  return code;
}
