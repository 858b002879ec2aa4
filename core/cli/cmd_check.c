#define _XOPEN_SOURCE 700 /* realpath */

#include "core/base/memory.h"
#include "core/check/check.h"
#include "core/check/check_json.h"
#include "core/command_line/arguments.h"
#include "core/command_line/child.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/conformance/conformance.h"
#include "core/plugin/path.h"
#include "core/plugin/registry.h"
#include "core/problem/problem.h"
#include "core/report/save_run.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Files of --values and --reference; each MAY be NULL. */
typedef struct reference_files {
  const char *values, *reference;
} reference_files;

typedef struct arguments {
  pf_cli_arguments given; /**< subject: a config or a plugin */
  reference_files files;
  const char *limit; /**< s, as given */
} arguments;

static const char *const usage =
    "Usage: plastfit check CONFIG [key=value ...] [OPTION ...]\n"
    "       plastfit check PLUGIN [OPTION ...]\n"
    "\n"
    "CONFIG: runs no fit and writes nothing; shows what it comes to: which plugins from which\n"
    "files, the data as they were understood (a task's animals are simulated), the network, the\n"
    "parameters with start and bounds, the plan with the memory and time it will take, and what\n"
    "looks odd. Exit code 0: a fit could run; 2: something is to be put right.\n"
    "\n"
    "PLUGIN, a file (mine/mine.so, mine/mine.la), its folder, or a name that `plastfit list`\n"
    "shows (oja): is it what its header promises? Values, derivatives against differences,\n"
    "memory, invalid inputs; each group of checks in a process of its own. Prints what was\n"
    "compared and what is normal; a promise that is broken is reported with argument, index,\n"
    "what was found and what was expected. Options and data that its objects need stand in\n"
    "conformance.cfg beside it (doc/conformance.md). A single-precision build is best compared\n"
    "with its double-precision build, the reference (--values, --reference).\n"
    "\n"
    "Both run in a process of their own: a plugin that crashes, ends the program or never returns\n"
    "is reported.\n"
    "\n"
    "  key=value       replaces a key of the config\n";

static const char *const after =
    "Exit code 0: every promise is kept; 1: one is not, or it cannot be loaded; 2: there is no\n"
    "such plugin.\n";

static pf_status print_config(const pf_cli_arguments *given, pf_config **config,
                              pf_problem **problem, pf_error *error)
{
  json_t *found = NULL;
  if (pf_config_read(given->subject, given->overrides, given->n_overrides, config, error) !=
          PF_OK ||
      pf_problem_create(*config, problem, error) != PF_OK ||
      /* where nothing can be written at all, no fit could run; a run that is there already is a
       * warning */
      pf_report_check_out((*problem)->settings->out, true, error) != PF_OK) {
    return PF_STOP;
  }
  if (!given->json) {
    return pf_check_print(*problem, given->verbose, stdout, error);
  }
  if (pf_check_json(*problem, &found, error) != PF_OK) {
    return PF_STOP;
  }
  return pf_cli_print_json(found) == PF_EXIT_DONE
             ? PF_OK
             : pf_fail(error, PF_STOP, "what was found could not be printed");
}

static int check_config(const pf_cli_arguments *given)
{
  pf_error error = pf_error_none();
  pf_config *config = NULL;
  pf_problem *problem = NULL;
  const pf_status status = print_config(given, &config, &problem, &error);
  pf_problem_free(problem);
  pf_config_free(config);
  if (status != PF_OK) {
    return pf_cli_say(PF_EXIT_MISUSED, "%s", error.text);
  }
  if (!given->json) {
    (void)printf("It could run: plastfit fit %s%s\n", given->subject,
                 given->n_overrides > 0 ? " ..." : "");
  }
  return PF_EXIT_DONE;
}

/** Length of the argument without .so or .la, or 0 where it has neither. */
static size_t module_length(const char *text)
{
  const size_t length = strlen(text);
  const char *end = length > 3 ? text + length - 3 : "";
  return strcmp(end, ".so") == 0 || strcmp(end, ".la") == 0 ? length - 3 : 0;
}

static bool is_folder(const char *path)
{
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/** A file that is there, or a name with a dot or a slash, is a config's; a bare word is a plugin's.
 */
static bool is_plugin(const char *text)
{
  return module_length(text) > 0 || is_folder(text) ||
         (strpbrk(text, "./") == NULL && access(text, F_OK) != 0);
}

/** Folder and name of the plugin that an argument means: `folder` "" where it is a name to look
 * for. */
static void place_of(const char *text, char *folder, char *name, size_t capacity)
{
  char path[4096];
  size_t length = strlen(text);
  while (length > 1 && text[length - 1] == '/') {
    length--;
  }
  (void)snprintf(path, sizeof path, "%.*s", (int)length, text);
  if (module_length(path) > 0) {
    path[module_length(path)] = '\0';
    const char *slash = strrchr(path, '/');
    const int folder_length = slash == NULL || slash == path ? 1 : (int)(slash - path);
    (void)snprintf(name, capacity, "%s", slash == NULL ? path : slash + 1);
    (void)snprintf(folder, capacity, "%.*s", folder_length, slash == NULL ? "." : path);
  } else if (is_folder(path)) { /* mine/: mine/mine.so */
    char *real = realpath(path, NULL);
    const char *last = real == NULL ? NULL : strrchr(real, '/');
    (void)snprintf(name, capacity, "%s", last == NULL ? "" : last + 1);
    (void)snprintf(folder, capacity, "%s", path);
    free(real);
  } else {
    folder[0] = '\0';
    (void)snprintf(name, capacity, "%s", path);
  }
}

/** All of a text file, to be freed with pf_memory_free. */
static char *read_text(const char *path, pf_error *error)
{
  FILE *file = fopen(path, "rb");
  long size = -1;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
    size = ftell(file);
    rewind(file);
  }
  char *text = size < 0 ? NULL : pf_memory_need((size_t)size + 1, 1, error);
  if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
    pf_fail(error, PF_STOP, "%s cannot be read: %s", path, strerror(errno));
    pf_memory_free(text);
    text = NULL;
  }
  if (file != NULL) {
    (void)fclose(file);
  }
  return text;
}

/** The checks, with what the files hold in `request`, and the numbers into `values`. */
static pf_status run_checks(pf_conformance_request *request, const char *reference,
                            pf_conformance *found, pf_error *error)
{
  pf_config *settings = NULL;
  char *text = NULL;
  pf_status status = PF_STOP;
  if (reference != NULL && (text = read_text(reference, error)) == NULL) {
    goto done;
  }
  if (pf_conformance_settings(request->plugin, request->file, &settings, error) != PF_OK) {
    goto done;
  }
  request->settings = settings;
  request->reference.text = text;
  status = pf_conformance_check(request, found, error);
done:
  pf_memory_free(text);
  pf_config_free(settings);
  return status;
}

static pf_status check_and_write(pf_conformance_request *request, const reference_files *files,
                                 pf_conformance *found, pf_error *error)
{
  FILE *values = NULL;
  if (files->values != NULL && (values = fopen(files->values, "w")) == NULL) {
    return pf_fail(error, PF_STOP, "%s cannot be written: %s", files->values, strerror(errno));
  }
  request->reference.values = values;
  const pf_status status = run_checks(request, files->reference, found, error);
  if (values != NULL) {
    const bool bad = ferror(values) != 0;
    if ((fclose(values) != 0 || bad) && status == PF_OK) {
      return pf_fail(error, PF_STOP, "%s could not be written", files->values);
    }
  }
  return status;
}

/** A row of --json. */
static void note_group(void *payload, const pf_conformance_group *group)
{
  json_t **groups = payload;
  json_t *row = json_object();
  row = pf_json_set(row, "options", pf_json_text(group->variant));
  row = pf_json_set(row, "check", pf_json_text(group->name));
  row = pf_json_set(row, "finding", pf_json_text(group->finding));
  row = pf_json_set(row, "values", json_integer(group->n_values));
  row = pf_json_set(row, "derivatives", json_integer(group->n_derivatives));
  row = pf_json_set(row, "relative_error", pf_json_number(group->error));
  *groups = pf_json_append(*groups, row);
}

/** What --json says of a plugin; `groups` is used up. */
static int print_plugin_json(const pf_conformance_request *request, const pf_conformance *found,
                             json_t *groups)
{
  json_t *root = json_object();
  root = pf_json_set(root, "plugin", pf_json_text(request->plugin->name));
  root = pf_json_set(root, "kind", pf_json_text(pf_kind_name(request->plugin->kind)));
  root = pf_json_set(root, "file", pf_json_text(request->file));
  root = pf_json_set(root, "broken_promises", json_integer(found->n_findings));
  root = pf_json_set(root, "compared", json_integer(found->n_compared));
  return pf_cli_print_json(pf_json_set(root, "checks", groups));
}

static int check_found(pf_registry *registry, const char *folder, const char *name,
                       const arguments *how)
{
  pf_error error = pf_error_none();
  pf_conformance found = {0};
  json_t *groups = how->given.json ? json_array() : NULL;
  pf_conformance_request request = {.stream = stdout, .verbose = how->given.verbose};
  if (how->given.json) {
    request.stream = NULL;
    request.note = note_group;
    request.payload = &groups;
  }
  if (pf_registry_find(registry, 0, name, &request.plugin, &request.file, &error) != PF_OK) {
    json_decref(groups);
    return pf_cli_say(folder[0] == '\0' ? PF_EXIT_MISUSED : PF_EXIT_FAILED, "%s", error.text);
  }
  if (check_and_write(&request, &how->files, &found, &error) != PF_OK) {
    json_decref(groups);
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  if (how->given.json && print_plugin_json(&request, &found, groups) != PF_EXIT_DONE) {
    return PF_EXIT_FAILED;
  }
  return found.n_findings == 0 ? PF_EXIT_DONE : PF_EXIT_FAILED;
}

static int check_plugin(const arguments *how)
{
  const char *text = how->given.subject;
  char folder[4096], name[4096];
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  place_of(text, folder, name, sizeof name);
  char *module = NULL;
  if (folder[0] != '\0' && pf_module_file(folder, name, &module, &error) == PF_OK &&
      module == NULL) {
    return pf_cli_say(PF_EXIT_MISUSED, "there is no plugin %s/%s.so (nor .la)%s", folder, name,
                      is_folder(text) ? ": build it, or name the file" : "");
  }
  pf_memory_free(module);
  if (pf_registry_create(folder[0] == '\0' ? NULL : folder, &registry, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  const int code = check_found(registry, folder, name, how);
  pf_registry_free(registry);
  return code;
}

static int check_subject(const arguments *how)
{
  const pf_cli_arguments *given = &how->given;
  if (!is_plugin(given->subject)) {
    if (how->files.values != NULL || how->files.reference != NULL) {
      return pf_cli_say(PF_EXIT_MISUSED,
                        "--values and --reference are for plugins, '%s' is a config",
                        given->subject);
    }
    return check_config(given);
  }
  if (given->n_overrides > 0) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "'%s' is a plugin, which takes no key=value: its options for the check stand "
                      "in conformance.cfg beside it",
                      given->subject);
  }
  return check_plugin(how);
}

/** "60", "60s", "1.5 s"; 0: no such time. */
static double read_limit(const char *text)
{
  char *end = NULL;
  const double seconds = strtod(text, &end);
  end += strspn(end, " ");
  return (*end == '\0' || strcmp(end, "s") == 0) && seconds > 0.0 && seconds < 1e9 ? seconds : 0.0;
}

static int check_in_child(void *payload)
{
  return check_subject(payload);
}

/** Plugins are loaded for the first time here, so in a process that may end, crash or never return.
 */
static int check_apart(arguments *c, double seconds)
{
  pf_error error = pf_error_none();
  pf_child_report report = {0};
  if (pf_child_run(check_in_child, c, seconds, &report, &error) != PF_OK) {
    return pf_cli_say(PF_EXIT_FAILED, "%s", error.text);
  }
  switch (report.end) {
  case PF_CHILD_RETURNED:
    return report.value;
  case PF_CHILD_EXITED:
    return pf_cli_say(
        PF_EXIT_FAILED,
        "%s: a plugin called exit(%d) while it was checked: it must return a status in "
        "its place",
        c->given.subject, report.value);
  case PF_CHILD_SIGNAL:
    return pf_cli_say(
        PF_EXIT_FAILED,
        "%s: the check was ended by signal %d (%s): a plugin crashed, or memory was out",
        c->given.subject, report.value, strsignal(report.value));
  case PF_CHILD_TIME_OUT:
  default:
    return pf_cli_say(PF_EXIT_FAILED,
                      "%s: not done after %g s: a plugin that never returns, or much data (--limit "
                      "SECONDS gives it longer)",
                      c->given.subject, seconds);
  }
}

static const pf_cli_option options[] = {
    PF_CLI_VALUE("--limit", "SECONDS", arguments, limit,
                 "end the check after this time; default 300"),
    PF_CLI_VALUE("--values", "FILE", arguments, files.values,
                 "write there what the plugin computes (the double build)"),
    PF_CLI_VALUE("--reference", "FILE", arguments, files.reference,
                 "compare with that, not with differences of floats (the single build)"),
    PF_CLI_VERBOSE(arguments, "all animals and parameters, files of plugins, the plan in detail"),
    PF_CLI_JSON(arguments, "print what was found as JSON"),
};
static const pf_cli_syntax syntax = {.usage = usage,
                                     .after = after,
                                     .one = "config or plugin",
                                     .wants = "a CONFIG, such as configs/quickstart.cfg, or a "
                                              "PLUGIN",
                                     .words = "CONFIG PLUGIN",
                                     .takes_keys = true,
                                     .options = options,
                                     .n_options = sizeof options / sizeof options[0]};

static int run_command(int argc, char **argv)
{
  arguments how = {.limit = "300"};
  int code = pf_cli_parse(&pf_command_check, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    const double seconds = read_limit(how.limit);
    code = seconds > 0.0
               ? check_apart(&how, seconds)
               : pf_cli_say(PF_EXIT_MISUSED, "check: --limit takes seconds, such as 60; found '%s'",
                            how.limit);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_check = {
    .name = "check",
    .synopsis = "CONFIG | PLUGIN",
    .summary = "what a config comes to; whether a plugin is what its header promises",
    .syntax = &syntax,
    .run = run_command,
};
