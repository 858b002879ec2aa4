/* Which files a config reads: what must not be replaced by its results. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/node.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Does `path` lie in the folder (as realpath has it), at any depth? Of a pattern: its folder. */
static bool lies_in(const char *path, const char *folder)
{
  char above[PATH_MAX], real[PATH_MAX];
  pf_text_folder_of(path, above, sizeof above);
  const size_t n = strlen(folder);
  return realpath(above, real) != NULL && strncmp(real, folder, n) == 0 &&
         (real[n] == '\0' || real[n] == '/');
}

static const char *find_path(const pf_node *node, const char *folder)
{
  if (node->absolute != NULL && lies_in(node->absolute, folder)) {
    return node->absolute;
  }
  for (size_t i = 0; i < node->children.n; i++) {
    const char *found = find_path(pf_nodes_at(&node->children, i), folder);
    if (found != NULL) {
      return found;
    }
  }
  return NULL;
}

const char *pf_config_reads_from(const pf_config *config, const char *folder)
{
  char real[PATH_MAX];
  if (realpath(folder, real) == NULL) {
    return NULL;
  }
  if (config->file != NULL && lies_in(config->file, real)) {
    return config->file;
  }
  return find_path(config->root, real);
}
