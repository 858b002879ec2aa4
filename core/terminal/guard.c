#define _GNU_SOURCE /* fopencookie */

#include "core/terminal/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t add_escaped(unsigned char c, char *out)
{
  static const char digits[] = "0123456789abcdef";
  out[0] = '\\';
  out[1] = 'x';
  out[2] = digits[c >> 4];
  out[3] = digits[c & 15];
  return 4;
}

size_t pf_guard_text(pf_guard_state *state, const char *text, size_t n, char *out)
{
  size_t length = 0;
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (state->has_c2 != 0) {
      state->has_c2 = 0;
      if (c >= 0x80 && c < 0xa0) {
        length += add_escaped(c, out + length);
        continue;
      }
      out[length++] = (char)0xc2;
    }
    if (c == 0xc2) {
      state->has_c2 = 1;
    } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      length += add_escaped(c, out + length);
    } else {
      out[length++] = text[i];
    }
  }
  return length;
}

#ifdef __GLIBC__

/** A stream in front of a file descriptor. Two for the program's life: never freed. */
typedef struct guarded_stream {
  int descriptor;
  pf_guard_state state;
} guarded_stream;

static int write_whole(int descriptor, const char *text, size_t n)
{
  while (n > 0) {
    const ssize_t written = write(descriptor, text, n);
    if (written <= 0) {
      return -1;
    }
    text += written;
    n -= (size_t)written;
  }
  return 0;
}

static ssize_t write_guarded(void *cookie, const char *text, size_t n)
{
  enum { PIECE = 1024 };
  guarded_stream *stream = cookie;
  char shown[4 * PIECE + 4];
  for (size_t i = 0; i < n; i += PIECE) {
    const size_t piece = n - i < PIECE ? n - i : PIECE;
    const size_t length = pf_guard_text(&stream->state, text + i, piece, shown);
    if (write_whole(stream->descriptor, shown, length) != 0) {
      return 0; /* of a cookie's stream: an error, with errno as it is */
    }
  }
  return (ssize_t)n;
}

static FILE *open_guarded(guarded_stream *stream, int buffering)
{
  const cookie_io_functions_t calls = {.write = write_guarded};
  FILE *file = fopencookie(stream, "w", calls);
  if (file != NULL) {
    (void)setvbuf(file, NULL, buffering, BUFSIZ);
  }
  return file;
}

void pf_terminal_guard(void)
{
  static guarded_stream streams[] = {{.descriptor = STDOUT_FILENO}, {.descriptor = STDERR_FILENO}};
  FILE *out = open_guarded(&streams[0], isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
  FILE *messages = open_guarded(&streams[1], _IOLBF);
  stdout = out != NULL ? out : stdout;
  stderr = messages != NULL ? messages : stderr;
}

#else

void pf_terminal_guard(void)
{
}

#endif
