#define _POSIX_C_SOURCE 200809L /* mkdir */

#include "core/base/embed.h"
#include "core/base/memory.h"
#include "core/cli/command.h"
#include "core/cli/new_config.h"
#include "core/plugin/path.h"
#include "core/plugin/registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The files of core/cli/templates/rule. NAME at the start of a file's name stands for the rule's;
 * in a text, @NAME@, @PKGCONFIG@ (a folder) and @PRECISION@ stand for what they say. */
extern const pf_embedded pf_rule_template[];

enum { LONGEST_NAME = 40, PATH_LENGTH = 128 };

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

static void path_of_file(const char *file, const char *name, char path[PATH_LENGTH])
{
  const size_t placeholder = strlen("NAME");
  if (strncmp(file, "NAME", placeholder) == 0) {
    (void)snprintf(path, PATH_LENGTH, "%s/%s%s", name, name, file + placeholder);
  } else {
    (void)snprintf(path, PATH_LENGTH, "%s/%s", name, file);
  }
}

/** On failure `path` is the file that could not be written. */
static bool write_files(const char *name, char path[PATH_LENGTH])
{
  for (const pf_embedded *file = pf_rule_template; file->name != NULL; file++) {
    path_of_file(file->name, name, path);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
      return false;
    }
    write_text(out, file->text, name);
    const bool bad = ferror(out) != 0;
    if (fclose(out) != 0 || bad) {
      return false;
    }
  }
  return true;
}

/** The whole folder or nothing of it. */
static int make_rule(const char *name)
{
  char path[PATH_LENGTH];
  if (mkdir(name, 0777) != 0) {
    if (errno == EEXIST) {
      return pf_cli_say(PF_EXIT_MISUSED, "'%s' is there already; choose another name, or remove it",
                        name);
    }
    return pf_cli_say(PF_EXIT_FAILED, "the folder '%s' could not be made: %s", name,
                      strerror(errno));
  }
  if (write_files(name, path)) {
    (void)printf(
        "%s/: %s.c (the rule), Makefile, %s.cfg (does a fit find it again?), README.md\n\n"
        "    make -C %s\n    plastfit check %s/%s.so\n    plastfit fit --trust %s/%s.cfg\n",
        name, name, name, name, name, name, name, name);
    return PF_EXIT_DONE;
  }
  const int code = pf_cli_say(PF_EXIT_FAILED, "%s could not be written: %s", path, strerror(errno));
  for (const pf_embedded *file = pf_rule_template; file->name != NULL; file++) {
    path_of_file(file->name, name, path);
    (void)unlink(path);
  }
  (void)rmdir(name);
  return code;
}

static int run_command(int argc, char **argv)
{
  if (argc > 1 && pf_cli_is_help(argv[1])) {
    (void)fputs("Usage: plastfit new rule NAME\n"
                "       plastfit new config DATA\n"
                "\n"
                "Makes the folder NAME with a rule that works, to be edited: its source (one "
                "function, and\n"
                "its derivatives), a Makefile, a config that fits animals which learn by it, and a "
                "README.\n"
                "NAME is a C identifier; it is how configs will call the rule.\n"
                "\n"
                "DATA is a table (CSV, tabs or semicolons, with or without a header; a matrix with "
                "a row an animal),\n"
                ".npz, .mat, .h5, .nwb or .jsonl, a folder of .npy files, or a pattern in quotes "
                "('m*.csv'). What\n"
                "each column looks like is printed, and a config that runs is written into this "
                "folder, with every\n"
                "guess in a comment; nothing is asked.\n",
                stdout);
    return PF_EXIT_DONE;
  }
  if (argc == 3 && strcmp(argv[1], "config") == 0) {
    return pf_cli_new_config(argv[2]);
  }
  if (argc != 3 || strcmp(argv[1], "rule") != 0) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "found 'new%s%s', expected: plastfit new rule NAME, or new config DATA",
                      argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
  }
  const char *name = argv[2];
  if (!is_identifier(name)) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "'%s' is no name for a rule; expected letters, digits and _, no digit first, "
                      "at most %d of them",
                      name, (int)LONGEST_NAME);
  }
  if (is_taken(name)) {
    return pf_cli_say(PF_EXIT_MISUSED,
                      "there is a plugin '%s' already (plastfit describe %s); choose another name",
                      name, name);
  }
  return make_rule(name);
}

const pf_command pf_command_new = {
    .name = "new",
    .synopsis = "rule NAME|config DATA",
    .summary = "a rule, or a config for a table, to start from",
    .run = run_command,
};
