#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

void *pf_memory_new(size_t count, size_t size)
{
  if (size != 0 && count > (SIZE_MAX - PF_CACHE_LINE) / size) {
    return NULL;
  }
  size_t bytes = count * size;
  /* aligned_alloc wants a multiple of the alignment; never 0, so that NULL always means failure */
  size_t rounded = (bytes / PF_CACHE_LINE + 1) * PF_CACHE_LINE;
  void *pointer = aligned_alloc(PF_CACHE_LINE, rounded);
  if (pointer != NULL) {
    memset(pointer, 0, rounded);
  }
  return pointer;
}

void *pf_memory_need(size_t count, size_t size, pf_error *error)
{
  void *pointer = pf_memory_new(count, size);
  if (pointer == NULL) {
    pf_fail(error, PF_STOP, "out of memory: %zu elements of %zu bytes were asked for", count, size);
  }
  return pointer;
}

void pf_memory_free(void *pointer)
{
  free(pointer);
}

char *pf_memory_string(const char *text, pf_error *error)
{
  if (text == NULL) {
    return NULL;
  }
  size_t length = strlen(text) + 1;
  char *copy = pf_memory_need(length, 1, error);
  if (copy != NULL) {
    memcpy(copy, text, length);
  }
  return copy;
}

static void *host_allocate(const pf_host *host, size_t bytes)
{
  (void)host;
  return pf_memory_new(bytes, 1);
}

static void host_release(const pf_host *host, void *pointer)
{
  (void)host;
  pf_memory_free(pointer);
}

static void host_warn(const pf_host *host, const char *line)
{
  (void)host;
  (void)fprintf(stderr, "plastfit: warning: %s\n", line);
}

const pf_host *pf_host_default(void)
{
  static const pf_host host = {
      .size = sizeof host, .allocate = host_allocate, .release = host_release, .warn = host_warn};
  return &host;
}

int64_t pf_leading_dimension(int64_t n)
{
  const int64_t line = (int64_t)(PF_CACHE_LINE / sizeof(pf_real));
  if (n <= 2 * line) {
    return n;
  }
  int64_t ld = (n + line - 1) / line * line;
  if ((ld & (ld - 1)) == 0) {
    ld += line;
  }
  return ld;
}
