/* Places, for messages. */
#include "core/config/node.h"

#include <stdarg.h>
#include <string.h>

void pf_node_where(const pf_config *config, const pf_node *node, char *text, size_t capacity)
{
  /* A group made by an override on its way down has no place of its own, but its child has. */
  if (node != NULL && node->override != NULL) {
    (void)snprintf(text, capacity, "command line: %s", node->override);
  } else if (node != NULL && node->file != NULL && node->line > 0) {
    (void)snprintf(text, capacity, "%s:%u", node->file, node->line);
  } else {
    (void)snprintf(text, capacity, "%s", config == NULL ? "config" : config->file);
  }
}

/** Does the line start with a place already: "file:12: ", one of this config's files, or the
 * command line? */
static bool is_located(const char *text, const pf_config *config)
{
  if (strncmp(text, "command line: ", strlen("command line: ")) == 0) {
    return true;
  }
  for (size_t i = 0; config != NULL && i < config->strings.n; i++) {
    const char *string = pf_config_string(config, i);
    const size_t length = strlen(string);
    if (strncmp(text, string, length) == 0 && text[length] == ':') {
      return true;
    }
  }
  return false;
}

void pf_error_locate(pf_error *error, const pf_config *config, const pf_node *node)
{
  if (error == NULL || error->text[0] == '\0' || is_located(error->text, config)) {
    return;
  }
  char where[PF_ERROR_LENGTH];
  pf_node_where(config, node, where, sizeof where);
  const size_t place = strlen(where);
  if (place + 2 >= sizeof error->text) {
    return; /* a place so long would leave no room for what happened */
  }
  memmove(error->text + place + 2, error->text, sizeof error->text - place - 2);
  memcpy(error->text, where, place);
  memcpy(error->text + place, ": ", 2);
  error->text[sizeof error->text - 1] = '\0';
}

pf_status pf_config_fail(const pf_config *config, const pf_node *node, pf_error *error,
                         const char *format, ...)
{
  char line[PF_ERROR_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  (void)pf_fail(error, PF_STOP, "%s", line);
  pf_error_locate(error, config, node);
  return PF_STOP;
}
