#define _POSIX_C_SOURCE 200809L

#include "core/base/memory.h"
#include "core/config/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Largest file taken for a config; a data file named by mistake is refused before it fills the
 * memory. */
enum { LARGEST = 16 * 1024 * 1024 };

/** Reads to the end; a pipe has no size to ask for. */
static pf_status read_all(int descriptor, const char *path, char **out, size_t *length,
                          pf_error *error)
{
  size_t capacity = 65536, used = 0;
  char *text = malloc(capacity + 1);
  while (text != NULL) {
    ssize_t n = read(descriptor, text + used, capacity - used);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      int fault = errno;
      free(text);
      return pf_fail(error, PF_STOP, "%s: cannot be read: %s", path, strerror(fault));
    }
    used += (size_t)n;
    if (n == 0) {
      text[used] = '\0';
      *out = text;
      *length = used;
      return PF_OK;
    }
    if (used > LARGEST) {
      free(text);
      return pf_fail(error, PF_STOP, "%s: larger than %d MiB, so this is no config", path,
                     LARGEST / 1024 / 1024);
    }
    if (used == capacity) {
      capacity *= 2;
      char *grown = realloc(text, capacity + 1);
      if (grown == NULL) {
        free(text);
      }
      text = grown;
    }
  }
  return pf_fail(error, PF_STOP, "%s: out of memory while reading", path);
}

static pf_status check_text(const char *text, size_t length, const char *path, pf_error *error)
{
  int line = 1;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '\n') {
      line++;
    } else if (c < 32 && c != '\t' && c != '\r' && c != '\f') {
      return pf_fail(error, PF_STOP, "%s:%d: byte %u is no text; a config is a text file", path,
                     line, (unsigned)c);
    }
  }
  return PF_OK;
}

pf_status pf_config_slurp(const char *path, char **text, pf_error *error)
{
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return pf_fail(error, PF_STOP, "%s: cannot be opened: %s", path, strerror(errno));
  }
  struct stat status_of;
  size_t length = 0;
  char *read_text = NULL;
  pf_status status = PF_OK;
  if (fstat(descriptor, &status_of) == 0 && S_ISDIR(status_of.st_mode)) {
    status = pf_fail(error, PF_STOP, "%s: is a folder; a config file was expected", path);
  } else {
    status = read_all(descriptor, path, &read_text, &length, error);
  }
  (void)close(descriptor);
  if (status == PF_OK) {
    status = check_text(read_text, length, path, error);
  }
  if (status != PF_OK) {
    free(read_text);
    return status;
  }
  *text = read_text;
  return PF_OK;
}

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
static const char *explain(const char *text)
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

static int n_lines(const char *text)
{
  int lines = 1;
  for (const char *c = text; *c != '\0'; c++) {
    lines += *c == '\n' && c[1] != '\0' ? 1 : 0;
  }
  return lines;
}

static pf_status build(pf_config *config, const char *text, const char *const *overrides,
                       size_t n_overrides, pf_error *error)
{
  const char *start =
      strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text; /* some editors' byte order mark */
  pf_status status = pf_config_prescan(start, config->file, config->folder, 0, error);
  if (status != PF_OK) {
    return PF_STOP;
  }
  const char *file = pf_config_keep(config, config->file, error);
  if (file == NULL) {
    return PF_STOP;
  }
  pf_text ended = {0}; /* libconfig takes no comment at the very end of a text */
  pf_text_add(&ended, "%s\n", start);
  if (ended.failed) {
    return pf_fail(error, PF_STOP, "%s: out of memory", config->file);
  }
  pf_parse_error why = {0};
  status = pf_libconfig_parse(config, ended.text, file, config->folder, &config->root, &why, error);
  pf_text_free(&ended);
  if (status == PF_POINT_FAILED) {
    bool own = why.file[0] == '\0';
    int line = own && why.line > n_lines(start)
                   ? n_lines(start)
                   : why.line; /* the line end above is none of theirs */
    return pf_fail(error, PF_STOP, "%s:%d: %s", own ? config->file : why.file, line,
                   explain(why.text));
  }
  for (size_t i = 0; status == PF_OK && i < n_overrides; i++) {
    status = pf_config_override(config, overrides[i], error);
  }
  return status;
}

pf_status pf_config_parse(const char *text, const char *name, const char *const *overrides,
                          size_t n_overrides, pf_config **out, pf_error *error)
{
  pf_config *config = pf_memory_need(1, sizeof *config, error);
  if (config == NULL) {
    return PF_STOP;
  }
  config->file = pf_memory_string(name, error);
  config->folder = folder_of(name, error);
  pf_status status = config->file == NULL || config->folder == NULL ? PF_STOP : PF_OK;
  if (status == PF_OK) {
    status = build(config, text, overrides, n_overrides, error);
  }
  if (status != PF_OK) {
    pf_config_free(config);
    return status;
  }
  *out = config;
  return PF_OK;
}

pf_status pf_config_read(const char *path, const char *const *overrides, size_t n_overrides,
                         pf_config **out, pf_error *error)
{
  char *text = NULL;
  pf_status status = pf_config_slurp(path, &text, error);
  if (status != PF_OK) {
    return status;
  }
  if (text[strspn(text, " \t\r\n\f")] == '\0') {
    status = pf_fail(error, PF_STOP,
                     "%s: is empty; a config was expected (configs/ has some to start from)", path);
  } else {
    status = pf_config_parse(text, path, overrides, n_overrides, out, error);
  }
  free(text);
  return status;
}

void pf_config_free(pf_config *config)
{
  if (config == NULL) {
    return;
  }
  pf_node_free(config->root);
  for (size_t i = 0; i < config->n_strings; i++) {
    pf_memory_free(config->strings[i]);
  }
  free(config->strings);
  pf_memory_free(config->file);
  pf_memory_free(config->folder);
  pf_memory_free(config);
}
