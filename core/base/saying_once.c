#include "core/base/saying_once.h"

#include "core/base/memory.h"

#include <string.h>

static void warn_once(const pf_host *host, const char *line)
{
  pf_saying_once *self = (pf_saying_once *)(uintptr_t)host;
  pf_error ignored = pf_error_none();
  for (size_t i = 0; i < self->said.n; i++) {
    if (strcmp(((char **)self->said.items)[i], line) == 0) {
      return;
    }
  }
  char *copy = pf_memory_string(line, &ignored);
  char **place = copy == NULL ? NULL : pf_array_append(&self->said, &ignored);
  if (place != NULL) {
    *place = copy;
  } else {
    pf_memory_free(copy); /* it may come again */
  }
  pf_host_default()->warn(pf_host_default(), line);
}

void pf_saying_once_start(pf_saying_once *self)
{
  *self = (pf_saying_once){.host = *pf_host_default(), .said = pf_array_of(sizeof(char *))};
  self->host.warn = warn_once;
}

void pf_saying_once_end(pf_saying_once *self)
{
  for (size_t i = 0; i < self->said.n; i++) {
    pf_memory_free(((char **)self->said.items)[i]);
  }
  pf_array_free(&self->said);
}
