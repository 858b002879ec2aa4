#include "container.h"

#include <string.h>

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

pf_status container_fold(container *of, const int64_t *sizes, const int *file_axis, pf_error *error)
{
  container_array *array = &of->arrays[of->n - 1];
  if (!of->choices->has_axes) {
    int64_t shown[CONTAINER_AXES];
    for (int k = 0; k < CONTAINER_AXES; k++) {
      shown[file_axis[k]] = sizes[k];
    }
    return container_refuse(of, error,
                            "%.300s: %s '%.60s': has 3 dimensions, %lld x %lld x %lld; say what "
                            "each is, in the order of the file: axes = [\"trials\", \"steps\", "
                            "\"cells\"]",
                            of->path, of->format->word, array->name, (long long)shown[0],
                            (long long)shown[1], (long long)shown[2]);
  }
  int64_t apart = 1;
  for (int k = CONTAINER_AXES; k-- > 0;) {
    const int axis = of->choices->axes[file_axis[k]];
    array->axes[axis] = sizes[k];
    array->apart[axis] = apart;
    if (sizes[k] > 0 && apart > INT64_MAX / 64 / sizes[k]) {
      return container_refuse(of, error, "%.300s: %s '%.60s': is larger than can be meant",
                              of->path, of->format->word, array->name);
    }
    apart *= sizes[k];
  }
  array->n_dims = 2;
  array->rows = array->axes[CONTAINER_TRIALS] * array->axes[CONTAINER_STEPS];
  array->columns = array->axes[CONTAINER_CELLS];
  array->stored += 8.0 * (double)apart; /* as read, before it is put in order */
  return PF_OK;
}

void container_unfold(const container_array *array, const double *read, double *out)
{
  const int64_t *apart = array->apart, *n = array->axes;
  for (int64_t trial = 0; trial < n[CONTAINER_TRIALS]; trial++) {
    for (int64_t step = 0; step < n[CONTAINER_STEPS]; step++) {
      const double *from = read + trial * apart[CONTAINER_TRIALS] + step * apart[CONTAINER_STEPS];
      for (int64_t cell = 0; cell < n[CONTAINER_CELLS]; cell++) {
        *out++ = from[cell * apart[CONTAINER_CELLS]];
      }
    }
  }
}

/** Which trial a row is of, as an array of its own: of the first array of three dimensions. */
static pf_status add_trials(container *of, pf_error *error)
{
  for (size_t i = 0; i < of->n && container_index(of, "trial") < 0; i++) {
    const container_array folded = of->arrays[i];
    if (folded.axes[CONTAINER_STEPS] > 0 && folded.why == NULL) {
      container_array *trial = container_add(of, "trial", error);
      if (trial == NULL) {
        return PF_STOP;
      }
      trial->rows = folded.rows;
      trial->trial_of = folded.axes[CONTAINER_STEPS];
    }
  }
  return PF_OK;
}

pf_status container_open(const pf_host *host, const char *path, const container_format *format,
                         const container_choices *choices, container *out, pf_error *error)
{
  *out = (container){.host = host, .path = path, .format = format, .choices = choices};
  pf_status status = format->open(out, error);
  if (status == PF_OK) {
    status = add_trials(out, error);
  }
  if (status != PF_OK) {
    container_close(out);
  }
  return status;
}
