/* A config from a file or a text: parsed, then changed by its overrides. */
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/config/libconfig.h"
#include "core/config/prescan.h"
#include "core/config/text_file.h"

#include <string.h>

/** "a/b/fly.cfg" gives "a/b/"; "fly.cfg" gives "". */
static char *folder_of(const char *path, pf_error *error)
{
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash + 1 - path);
  char *folder = pf_memory_need(length + 1, 1, error);
  if (folder != NULL) {
    memcpy(folder, path, length);
  }
  return folder;
}

/** What libconfig says, in words that tell a newcomer what to do. */
static const char *explain_fault(const char *text)
{
  if (strcmp(text, "syntax error") == 0) {
    return "syntax error; is a ';', a quote or a bracket missing, here or on the line before?";
  }
  if (strcmp(text, "mismatched element type in array") == 0) {
    return "elements of [ ] must be of one type; write 1.0 beside 0.5, or use ( )";
  }
  if (strcmp(text, "duplicate setting name") == 0) {
    return "this name stands twice in its group; keep one";
  }
  return text;
}

static int count_lines(const char *text)
{
  int lines = 1;
  for (const char *c = text; *c != '\0'; c++) {
    lines += *c == '\n' && c[1] != '\0' ? 1 : 0;
  }
  return lines;
}

static pf_status parse_file(pf_config *config, const char *text, pf_error *error)
{
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) {
    text += 3; /* some editors' byte order mark */
  }
  const pf_prescan_text file = {.text = text, .name = config->file, .folder = config->folder};
  if (pf_config_prescan(&file, error) != PF_OK) {
    return PF_STOP;
  }
  pf_text ended = {0}; /* libconfig takes no comment at the very end of a text */
  pf_text_add(&ended, "%s\n", text);
  if (ended.failed) {
    return pf_fail(error, PF_STOP, "%s: out of memory", config->file);
  }
  pf_parse_error why = {0};
  const pf_status status = pf_libconfig_parse(config, ended.text, &config->root, &why, error);
  pf_text_free(&ended);
  if (status != PF_POINT_FAILED) {
    return status;
  }
  const bool own = why.file[0] == '\0';
  if (own && why.line > count_lines(text)) {
    why.line = count_lines(text); /* the line end above is none of theirs */
  }
  return pf_fail(error, PF_STOP, "%s:%d: %s", own ? config->file : why.file, why.line,
                 explain_fault(why.text));
}

static pf_status build_config(pf_config *config, const char *text, const char *name,
                              pf_error *error)
{
  config->strings = pf_array_of(sizeof(char *));
  config->file = pf_memory_string(name, error);
  config->folder = folder_of(name, error);
  if (config->file == NULL || config->folder == NULL) {
    return PF_STOP;
  }
  return parse_file(config, text, error);
}

pf_status pf_config_parse(const char *text, const char *name, const char *const *overrides,
                          size_t n_overrides, pf_config **out, pf_error *error)
{
  pf_config *config = pf_memory_need(1, sizeof *config, error);
  if (config == NULL) {
    return PF_STOP;
  }
  if (build_config(config, text, name, error) != PF_OK ||
      pf_config_override_all(config, overrides, n_overrides, error) != PF_OK) {
    pf_config_free(config);
    return PF_STOP;
  }
  *out = config;
  return PF_OK;
}

pf_status pf_config_read(const char *path, const char *const *overrides, size_t n_overrides,
                         pf_config **out, pf_error *error)
{
  char *text = NULL;
  if (pf_text_file_read(path, &text, error) != PF_OK) {
    return PF_STOP;
  }
  pf_status status;
  if (text[strspn(text, " \t\r\n\f")] == '\0') {
    status = pf_fail(error, PF_STOP,
                     "%s: is empty; a config was expected (configs/ has some to start from)", path);
  } else {
    status = pf_config_parse(text, path, overrides, n_overrides, out, error);
  }
  pf_memory_free(text);
  return status;
}

void pf_config_free(pf_config *config)
{
  if (config == NULL) {
    return;
  }
  pf_node_free(config->root);
  for (size_t i = 0; i < config->strings.n; i++) {
    pf_memory_free(((char **)config->strings.items)[i]);
  }
  pf_array_free(&config->strings);
  pf_memory_free(config->file);
  pf_memory_free(config->folder);
  pf_memory_free(config);
}
