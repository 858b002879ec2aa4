#define _POSIX_C_SOURCE 200809L

#include "core/config/text_file.h"

#include "core/base/array.h"
#include "core/base/memory.h"
#include "core/base/nearest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <plastfit/author/csv.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Largest file taken for a config; a data file named by mistake is refused before it fills the
 * memory. */
enum { LARGEST = 16 * 1024 * 1024, PIECE = 65536 };

/** Reads to the end; a pipe has no size to ask for. */
static pf_status read_all(int descriptor, const char *path, pf_array *text, pf_error *error)
{
  for (;;) {
    if (pf_array_reserve(text, text->n + PIECE + 1, error) != PF_OK) {
      return PF_STOP;
    }
    char *end = (char *)text->items + text->n;
    const ssize_t n = read(descriptor, end, PIECE);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return pf_fail(error, PF_STOP, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (n == 0) {
      *end = '\0';
      return PF_OK;
    }
    text->n += (size_t)n;
    if (text->n > LARGEST) {
      return pf_fail(error, PF_STOP, "%s: larger than %d MiB, so this is no config", path,
                     LARGEST / 1024 / 1024);
    }
  }
}

static pf_status check_text(const char *text, size_t length, const char *path, pf_error *error)
{
  int line = 1;
  for (size_t i = 0; i < length; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '\n') {
      line++;
    } else if (c < 32 && c != '\t' && c != '\r' && c != '\f') {
      return pf_fail(error, PF_STOP, "%s:%d: byte %u is no text; a config is a text file", path,
                     line, (unsigned)c);
    }
    const size_t n = pf_csv_character((const unsigned char *)text + i, length - i);
    if (n == 0) {
      return pf_fail(error, PF_STOP,
                     "%s:%d: the byte 0x%02X is no UTF-8, expected UTF-8 text; save the file as "
                     "UTF-8 (iconv -f latin1 -t utf-8)",
                     path, line, (unsigned)c);
    }
    i += n - 1;
  }
  return PF_OK;
}

static pf_status fail_to_open(const char *path, pf_error *error)
{
  const int reason = errno;
  char nearest[PATH_MAX] = "";
  if (reason == ENOENT) {
    pf_nearest_file(path, nearest, sizeof nearest);
  }
  return nearest[0] == '\0'
             ? pf_fail(error, PF_STOP, "%s: cannot be opened: %s", path, strerror(reason))
             : pf_fail(error, PF_STOP, "%s: cannot be opened: %s; did you mean '%s'?", path,
                       strerror(reason), nearest);
}

pf_status pf_text_file_read(const char *path, char **text, pf_error *error)
{
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail_to_open(path, error);
  }
  pf_array bytes = pf_array_of(1);
  struct stat about;
  pf_status status;
  if (fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode)) {
    status = pf_fail(error, PF_STOP, "%s: is a folder; a config file was expected", path);
  } else {
    status = read_all(descriptor, path, &bytes, error);
  }
  (void)close(descriptor);
  if (status != PF_OK || check_text(bytes.items, bytes.n, path, error) != PF_OK) {
    pf_array_free(&bytes);
    return PF_STOP;
  }
  *text = pf_array_take(&bytes, NULL);
  return PF_OK;
}
