#include "container.h"

#include <string.h>

pf_status container_open(const pf_host *host, const char *path, const container_format *format,
                         const container_choices *choices, container *out, pf_error *error)
{
  *out = (container){.host = host, .path = path, .format = format, .choices = choices};
  const pf_status status = format->open(out, error);
  if (status != PF_OK) {
    container_close(out);
  }
  return status;
}

void container_close(container *of)
{
  const pf_host *host = of->host;
  if (of->format == NULL) {
    return;
  }
  of->format->close(of);
  for (size_t i = 0; i < of->n; i++) {
    host->release(host, of->arrays[i].name);
    host->release(host, of->arrays[i].why);
  }
  host->release(host, of->arrays);
  *of = (container){0};
}

static pf_status no_memory(const container *of, pf_error *error)
{
  return pf_fail(error, PF_STOP, "%.300s: out of memory for the names of its %ss", of->path,
                 of->format->word);
}

container_array *container_add(container *of, const char *name, pf_error *error)
{
  const pf_host *host = of->host;
  if (of->n == of->capacity) {
    const size_t larger = of->capacity == 0 ? 16 : 2 * of->capacity;
    container_array *arrays = host->allocate(host, larger * sizeof *arrays);
    if (arrays == NULL) {
      (void)no_memory(of, error);
      return NULL;
    }
    if (of->n > 0) {
      memcpy(arrays, of->arrays, of->n * sizeof *arrays);
    }
    host->release(host, of->arrays);
    of->arrays = arrays;
    of->capacity = larger;
  }
  char *copy = container_text(host, name, strlen(name));
  if (copy == NULL) {
    (void)no_memory(of, error);
    return NULL;
  }
  container_array *added = &of->arrays[of->n++];
  *added = (container_array){.name = copy, .n_dims = 1, .columns = 1};
  return added;
}

pf_status container_refuse_array(container *of, size_t i, pf_error *error, const char *format, ...)
{
  char text[PF_ERROR_LENGTH];
  container_array *array = &of->arrays[i];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  of->host->release(of->host, array->why);
  array->why = container_text(of->host, text, strlen(text));
  return array->why == NULL ? no_memory(of, error) : PF_OK;
}

char *container_text(const pf_host *host, const char *text, size_t n)
{
  char *copy = host->allocate(host, n + 1); /* zeroed: ends with 0 */
  if (copy != NULL && n > 0) {
    memcpy(copy, text, n);
  }
  return copy;
}

int64_t container_index(const container *of, const char *name)
{
  for (size_t i = 0; i < of->n; i++) {
    if (strcmp(of->arrays[i].name, name) == 0) {
      return (int64_t)i;
    }
  }
  return -1;
}
