#define _POSIX_C_SOURCE 200809L

#include "animal_files.h"

#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- order ---- */

static size_t fly_mat_digits(const char *text)
{
  size_t n = 0;
  while (isdigit((unsigned char)text[n])) {
    n++;
  }
  return n;
}

int fly_mat_natural_order(const char *a, const char *b)
{
  const char *const whole_a = a;
  const char *const whole_b = b;
  while (*a != '\0' && *b != '\0') {
    if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
      while (*a == '0') {
        a++;
      }
      while (*b == '0') {
        b++;
      }
      const size_t n_a = fly_mat_digits(a);
      const size_t n_b = fly_mat_digits(b);
      const int order = n_a != n_b ? (n_a > n_b) - (n_a < n_b)
                                   : strncmp(a, b, n_a); /* longer is larger: no overflow */
      if (order != 0) {
        return order;
      }
      a += n_a;
      b += n_b;
    } else if (*a != *b) {
      return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    } else {
      a++;
      b++;
    }
  }
  if (*a == '\0' && *b == '\0') {
    return strcmp(whole_a, whole_b); /* Fly1 and Fly01: some order, always the same */
  }
  return *a == '\0' ? -1 : 1;
}

static int fly_mat_compare(const void *a, const void *b)
{
  return fly_mat_natural_order(((const fly_mat_animal *)a)->path,
                               ((const fly_mat_animal *)b)->path);
}

/* ---- memory ---- */

static char *fly_mat_copy(const pf_host *host, const char *text, size_t length)
{
  char *copy = host->allocate(host, length + 1);
  if (copy != NULL) {
    memcpy(copy, text, length);
    copy[length] = '\0';
  }
  return copy;
}

static const char *fly_mat_base(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static void fly_mat_free_animal(const pf_host *host, fly_mat_animal *animal)
{
  host->release(host, animal->path);
  host->release(host, animal->name);
}

void fly_mat_free_animals(const pf_host *host, fly_mat_animals *animals)
{
  for (size_t i = 0; i < animals->n; i++) {
    fly_mat_free_animal(host, &animals->items[i]);
  }
  host->release(host, animals->items);
  *animals = (fly_mat_animals){NULL, 0};
}

static pf_status fly_mat_take(const pf_host *host, char *const *paths, size_t n,
                              fly_mat_animals *out, pf_error *error)
{
  out->items = host->allocate(host, n * sizeof *out->items);
  if (out->items == NULL) {
    return pf_fail(error, PF_STOP, "out of memory for %zu file names", n);
  }
  for (out->n = 0; out->n < n;) {
    const char *base = fly_mat_base(paths[out->n]);
    const char *dot = strrchr(base, '.');
    fly_mat_animal *animal = &out->items[out->n++];
    animal->path = fly_mat_copy(host, paths[out->n - 1], strlen(paths[out->n - 1]));
    animal->name =
        fly_mat_copy(host, base, dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base));
    if (animal->path == NULL || animal->name == NULL) {
      return pf_fail(error, PF_STOP, "out of memory for %zu file names", n);
    }
  }
  qsort(out->items, out->n, sizeof *out->items, fly_mat_compare);
  return PF_OK;
}

/* ---- finding ---- */

static pf_status fly_mat_nothing(const char *pattern, pf_error *error)
{
  const char *base = fly_mat_base(pattern);
  const int length = (int)(base - pattern);
  char folder[PF_ERROR_LENGTH];
  struct stat about;
  (void)snprintf(folder, sizeof folder, "%.*s", length > 1 ? length - 1 : length, pattern);
  if (folder[0] == '\0') {
    (void)snprintf(folder, sizeof folder, ".");
  }
  if (strpbrk(folder, "*?[") == NULL && stat(folder, &about) != 0) {
    return pf_fail_key(error, PF_STOP, "path",
                       "there is no folder %.400s, where files matching \"%.400s\" were expected",
                       folder, base);
  }
  return pf_fail_key(error, PF_STOP, "path", "no file matches \"%.400s\" in the folder %.400s",
                     base, folder);
}

static pf_status fly_mat_glob(const pf_host *host, const char *pattern, fly_mat_animals *out,
                              pf_error *error)
{
  struct stat about;
  if (stat(pattern, &about) == 0) { /* one file, whatever characters its name has */
    if (S_ISDIR(about.st_mode)) {
      return pf_fail_key(error, PF_STOP, "path",
                         "%.400s is a folder; say which files in it, as in \"%.400s/*.mat\"",
                         pattern, pattern);
    }
    char *path = fly_mat_copy(host, pattern, strlen(pattern));
    if (path == NULL) {
      return pf_fail(error, PF_STOP, "out of memory for a file name");
    }
    const pf_status status = fly_mat_take(host, &path, 1, out, error);
    host->release(host, path);
    return status;
  }
  glob_t found;
  const int result = glob(pattern, GLOB_NOSORT, NULL, &found);
  pf_status status = PF_OK;
  if (result == 0 && found.gl_pathc > 0) {
    status = fly_mat_take(host, found.gl_pathv, found.gl_pathc, out, error);
  } else if (result == GLOB_NOSPACE) {
    status =
        pf_fail(error, PF_STOP, "out of memory for the file names that match \"%.400s\"", pattern);
  } else {
    status = fly_mat_nothing(pattern, error);
  }
  if (result == 0) {
    globfree(&found);
  }
  return status;
}

static pf_status fly_mat_refuse_twins(const fly_mat_animals *animals, pf_error *error)
{
  for (size_t i = 0; i < animals->n; i++) {
    for (size_t k = 0; k < i; k++) {
      if (strcmp(animals->items[i].name, animals->items[k].name) == 0) {
        return pf_fail_key(error, PF_STOP, "path",
                           "two files make one animal %.200s: %.300s and %.300s; rename one",
                           animals->items[i].name, animals->items[k].path, animals->items[i].path);
      }
    }
  }
  return PF_OK;
}

static pf_status fly_mat_leave_out(const pf_host *host, pf_names exclude, const char *pattern,
                                   fly_mat_animals *animals, pf_error *error)
{
  for (size_t e = 0; e < exclude.count; e++) {
    size_t i = 0;
    while (i < animals->n && strcmp(animals->items[i].name, exclude.items[e]) != 0) {
      i++;
    }
    if (i == animals->n) {
      return pf_fail_key(error, PF_STOP, "exclude",
                         "there is no animal \"%.200s\" to leave out among the %zu of %.400s",
                         exclude.items[e], animals->n, pattern);
    }
    fly_mat_free_animal(host, &animals->items[i]);
    memmove(&animals->items[i], &animals->items[i + 1],
            (animals->n - i - 1) * sizeof *animals->items);
    animals->n--;
  }
  if (animals->n == 0) {
    return pf_fail_key(error, PF_STOP, "exclude", "every animal of %.400s is left out", pattern);
  }
  return PF_OK;
}

pf_status fly_mat_find(const pf_host *host, const char *pattern, pf_names exclude,
                       fly_mat_animals *out, pf_error *error)
{
  *out = (fly_mat_animals){NULL, 0};
  pf_status status = fly_mat_glob(host, pattern, out, error);
  if (status == PF_OK) {
    status = fly_mat_refuse_twins(out, error);
  }
  if (status == PF_OK) {
    status = fly_mat_leave_out(host, exclude, pattern, out, error);
  }
  if (status != PF_OK) {
    fly_mat_free_animals(host, out);
  }
  return status;
}
