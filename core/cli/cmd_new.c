#define _POSIX_C_SOURCE 200809L /* mkdir */

#include "core/base/embed.h"
#include "core/base/memory.h"
#include "core/base/put_in_place.h"
#include "core/base/text.h"
#include "core/cli/new_config.h"
#include "core/command_line/arguments.h"
#include "core/command_line/command.h"
#include "core/command_line/json_output.h"
#include "core/plugin/path.h"
#include "core/plugin/registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The files of core/cli/templates/KIND. NAME at the start of a file's name stands for the
 * plugin's; in a text, @NAME@, @PKGCONFIG@ (a folder) and @PRECISION@ stand for what they say. */
extern const pf_embedded pf_rule_template[], pf_callbacks_template[], pf_loss_template[],
    pf_network_template[], pf_source_template[];

typedef struct arguments {
  pf_cli_arguments given; /**< subject: the kind; second: its name */
  bool callbacks;
} arguments;

enum { LONGEST_NAME = 40, PATH_LENGTH = 128 };

/** What `plastfit new KIND NAME` can make. */
typedef struct new_kind {
  const char *name;
  const pf_embedded *files;
  const char *question; /**< that the fit of its config answers */
} new_kind;

static const new_kind rule_by_callbacks = {"rule", pf_callbacks_template,
                                           "does a fit find it again?"};
static const new_kind kinds[] = {
    {"rule", pf_rule_template, "does a fit find it again?"},
    {"loss", pf_loss_template, "does a fit with it find a known rule?"},
    {"network", pf_network_template, "is a known rule found again in it?"},
    {"source", pf_source_template, "is a known rule found again from it?"},
};

static bool is_identifier(const char *name)
{
  bool good = isalpha((unsigned char)name[0]) != 0 || name[0] == '_';
  for (const char *c = name; *c != '\0'; c++) {
    good = good && (isalnum((unsigned char)*c) != 0 || *c == '_');
  }
  return good && strlen(name) <= LONGEST_NAME;
}

/** Is a plugin of this name there already? It would be shadowed. */
static bool is_taken(const char *name)
{
  pf_error error = pf_error_none();
  pf_registry *registry = NULL;
  const pf_plugin *plugin = NULL;
  const char *file = NULL;
  bool taken = pf_registry_create(NULL, &registry, &error) == PF_OK &&
               pf_registry_find(registry, 0, name, &plugin, &file, &error) == PF_OK;
  pf_registry_free(registry);
  return taken;
}

/** `text` with the rule's name, the pkg-config folder and the precision in their places. */
static void write_text(FILE *file, const char *text, const char *name)
{
  const char *const keys[] = {"@NAME@", "@PKGCONFIG@", "@PRECISION@"};
  const char *const values[] = {name, pf_pkgconfig_folder(),
                                sizeof(pf_real) == sizeof(float) ? "single" : "double"};
  for (const char *at = text; *at != '\0';) {
    size_t k = 0;
    while (k < 3 && strncmp(at, keys[k], strlen(keys[k])) != 0) {
      k++;
    }
    if (k < 3) {
      (void)fputs(values[k], file);
      at += strlen(keys[k]);
    } else {
      (void)fputc(*at++, file);
    }
  }
}

/** Where a file of the template goes: NAME at the start of its name stands for the plugin's. */
static void path_of_file(const char *file, const char *folder, const char *name,
                         char path[PATH_LENGTH])
{
  const size_t placeholder = strlen("NAME");
  if (strncmp(file, "NAME", placeholder) == 0) {
    (void)snprintf(path, PATH_LENGTH, "%s/%s%s", folder, name, file + placeholder);
  } else {
    (void)snprintf(path, PATH_LENGTH, "%s/%s", folder, file);
  }
}

/** On failure `path` is the file that could not be written. */
static bool write_files(const new_kind *kind, const char *part, const char *name,
                        char path[PATH_LENGTH])
{
  for (const pf_embedded *file = kind->files; file->name != NULL; file++) {
    path_of_file(file->name, part, name, path);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
      return false;
    }
    write_text(out, file->text, name);
    const bool good = fflush(out) == 0 && ferror(out) == 0 && fsync(fileno(out)) == 0;
    const int reason = errno;
    if (fclose(out) != 0) {
      return false;
    }
    if (!good) {
      errno = reason;
      return false;
    }
  }
  return true;
}

static int say_taken(const char *name)
{
  return pf_cli_say(PF_EXIT_MISUSED, "'%s' is there already; choose another name, or remove it",
                    name);
}

static int make_part(const char *part)
{
  if (mkdir(part, 0777) == 0) {
    return PF_EXIT_DONE;
  }
  return errno == EEXIST
             ? pf_cli_say(PF_EXIT_MISUSED,
                          "'%s' is there: another process writes it, or one that died left it; "
                          "wait, or remove it",
                          part)
             : pf_cli_say(PF_EXIT_FAILED, "the folder '%s' could not be made: %s", part,
                          strerror(errno));
}

/** What --json says was written. */
static json_t *list_files(const new_kind *kind, const char *name)
{
  char path[PATH_LENGTH];
  json_t *files = json_array();
  for (const pf_embedded *file = kind->files; file->name != NULL; file++) {
    path_of_file(file->name, name, name, path);
    files = pf_json_append(files, pf_json_text(path));
  }
  json_t *root = pf_json_set(json_object(), "folder", pf_json_text(name));
  return pf_json_set(root, "files", files);
}

/** The whole folder or nothing of it: it is written as NAME.part, then renamed. */
static int make_plugin(const new_kind *kind, const char *name, const pf_cli_arguments *given)
{
  char path[PATH_LENGTH], part[PATH_LENGTH];
  (void)snprintf(part, sizeof part, "%s.part", name);
  if (access(name, F_OK) == 0) {
    return say_taken(name);
  }
  int code = make_part(part);
  if (code != PF_EXIT_DONE) {
    return code;
  }
  bool made = write_files(kind, part, name, path);
  if (made) {
    (void)snprintf(path, sizeof path, "%s", name);
    made = pf_put_in_free_place(part, path);
  }
  if (made) {
    if (given->json) {
      return pf_cli_print_json(list_files(kind, name));
    }
    if (given->quiet) {
      return PF_EXIT_DONE;
    }
    (void)printf(
        "%s/: %s.c (the %s), Makefile, %s.cfg (%s), README.md\n\n"
        "    make -C %s\n    plastfit check %s/%s.so\n    plastfit fit --trust %s/%s.cfg\n",
        name, name, kind->name, name, kind->question, name, name, name, name, name);
    return PF_EXIT_DONE;
  }
  code = errno == EEXIST
             ? say_taken(name)
             : pf_cli_say(PF_EXIT_FAILED, "%s could not be written: %s", path, strerror(errno));
  for (const pf_embedded *file = kind->files; file->name != NULL; file++) {
    path_of_file(file->name, part, name, path);
    (void)unlink(path);
  }
  (void)rmdir(part);
  return code;
}

static int make_named(const new_kind *kind, const char *name, const pf_cli_arguments *given)
{
  if (!is_identifier(name)) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "'%s' is no name for a %s; expected letters, digits and _, no digit first, "
                      "at most %d of them",
                      name, kind->name, (int)LONGEST_NAME);
  }
  if (is_taken(name)) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "there is a plugin '%s' already (plastfit describe %s); choose another name",
                      name, name);
  }
  return make_plugin(kind, name, given);
}

static const pf_cli_option options[] = {
    PF_CLI_FLAG("--callbacks", arguments, callbacks,
                "a rule that sees blocks of synapses and has traces"),
    PF_CLI_QUIET(arguments, "say nothing"),
    PF_CLI_JSON(arguments, "say in JSON what was written"),
};
static const pf_cli_syntax syntax = {
    .usage =
        "Usage: plastfit new rule NAME [--callbacks]\n"
        "       plastfit new loss NAME\n"
        "       plastfit new network NAME\n"
        "       plastfit new source NAME\n"
        "       plastfit new config DATA\n"
        "\n"
        "The first four make the folder NAME with a plugin that works, for you to edit: its\n"
        "source, a Makefile, a config that fits animals with it, and a README. NAME is a C\n"
        "identifier; configs call the plugin by it. A rule is one function of a synapse and its\n"
        "derivatives; with --callbacks it sees blocks of synapses and has traces.\n"
        "\n"
        "DATA is a table (CSV, tabs or semicolons, with or without a header; a matrix with a row\n"
        "an animal), .npz, .mat, .h5, .nwb or .jsonl, a folder of .npy files, or a pattern in\n"
        "quotes ('m*.csv'). The command prints what each column looks like, and writes a config\n"
        "that runs into the current folder. Every guess is marked by a comment. The command asks\n"
        "nothing.\n"
        "\n",
    .one = "KIND",
    .words = "rule loss network source config",
    .takes_two = true,
    .options = options,
    .n_options = sizeof options / sizeof options[0]};

/** "plastfit new rle mine": the nearest kind. */
static int unknown_kind(const char *kind)
{
  static const char *const known[] = {"rule", "loss", "network", "source", "config"};
  const char *nearest = kind == NULL ? NULL : pf_text_nearest(kind, (pf_names){known, 5});
  return pf_cli_say(PF_EXIT_MISUSED,
                    "found 'new%s%s', expected: plastfit new rule|loss|network|source NAME, or "
                    "plastfit new config DATA%s%s%s",
                    kind != NULL ? " " : "", kind != NULL ? kind : "",
                    nearest == NULL ? "" : "; did you mean 'new ", nearest == NULL ? "" : nearest,
                    nearest == NULL ? "" : "'?");
}

static int make_new(const arguments *how)
{
  const char *kind = how->given.subject, *name = how->given.second;
  if (kind == NULL || name == NULL) {
    return unknown_kind(kind);
  }
  if (how->callbacks) {
    return strcmp(kind, "rule") == 0 ? make_named(&rule_by_callbacks, name, &how->given)
                                     : pf_cli_say(PF_EXIT_MISUSED,
                                                  "--callbacks is for a rule: plastfit new rule %s "
                                                  "--callbacks",
                                                  name);
  }
  if (strcmp(kind, "config") == 0) {
    return pf_cli_new_config(name, &how->given);
  }
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    if (strcmp(kind, kinds[k].name) == 0) {
      return make_named(&kinds[k], name, &how->given);
    }
  }
  return unknown_kind(kind);
}

static int run_command(int argc, char **argv)
{
  arguments how = {.callbacks = false};
  int code = pf_cli_parse(&pf_command_new, argc, argv, &how, &how.given);
  if (code == PF_EXIT_DONE && !how.given.help) {
    code = make_new(&how);
  }
  pf_cli_arguments_free(&how.given);
  return code;
}

const pf_command pf_command_new = {
    .name = "new",
    .synopsis = "KIND NAME|config DATA",
    .summary = "a rule, loss, network or source, or a config for a table, to start from",
    .syntax = &syntax,
    .run = run_command,
};
