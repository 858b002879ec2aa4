#include "core/command_line/json_output.h"

#include "core/base/text.h"
#include "core/command_line/command.h"

#include <errno.h>
#include <string.h>

/** Through stdio, so that control characters in names do not reach the terminal (guard.h). */
int pf_cli_print_json(json_t *root)
{
  const int failed = root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0;
  json_decref(root);
  if (failed) {
    return pf_cli_say(PF_EXIT_FAILED, "the result could not be printed as JSON: out of memory, or "
                                      "stdout cannot be written");
  }
  (void)putchar('\n');
  return PF_EXIT_DONE;
}

int pf_cli_print_json_file(const char *path)
{
  char piece[4096];
  size_t n;
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    return pf_cli_say(PF_EXIT_FAILED, "%s cannot be read: %s", path, strerror(errno));
  }
  while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
    (void)fwrite(piece, 1, n, stdout);
  }
  const int failed = ferror(file);
  (void)fclose(file);
  return failed ? pf_cli_say(PF_EXIT_FAILED, "%s cannot be read", path) : PF_EXIT_DONE;
}

int pf_cli_print_json_of(const char *folder, const char *name)
{
  pf_text path = {0};
  pf_text_add(&path, "%s/%s", folder, name);
  const int code =
      path.failed ? pf_cli_say(PF_EXIT_FAILED, "out of memory") : pf_cli_print_json_file(path.text);
  pf_text_free(&path);
  return code;
}
